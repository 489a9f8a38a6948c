#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the tests of the C++ binding with the other compilers that are there,
# against the library of a build, and runs them.
#
#   tests/cpp/compilers.sh SOURCE_DIR LIBRARY INFER
set -u
source=${1:?usage: compilers.sh SOURCE_DIR LIBRARY INFER}
library=${2:?usage: compilers.sh SOURCE_DIR LIBRARY INFER}
export INFER_TOOL=${3:?usage: compilers.sh SOURCE_DIR LIBRARY INFER}
. "$source/tests/support/check.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

cxx=
for name in clang++ clang++-{20,19,18,17,16,15,14}; do
  if [ -z "$cxx" ] && command -v $name >/dev/null; then
    cxx=$name
  fi
done
[ -n "$cxx" ] || {
  echo "SKIP: no clang++"
  exit 77
}

cc -D_GNU_SOURCE -I"$source/tests" -c "$source/tests/support/sim_process.c" \
  -o "$work/sim_process.o" || exit 1
export LD_LIBRARY_PATH=${library%/*}
# But for test_shared.cpp, a program of its own, most of which is C.
sources=("$source"/tests/cpp/{main,world,test_[!s]*}.cpp)
for options in "-std=c++17 -fno-exceptions -fno-rtti" -std=c++20; do
  check "$cxx $options"
  # shellcheck disable=SC2086
  run "$cxx" $options -Wall -Wextra -Wconversion -Wshadow -Werror -pedantic \
    -I"$source/include" -I"$source/tests" "${sources[@]}" \
    "$work/sim_process.o" "$library" -pthread -o "$work/program"
  exits 0
  is_quiet
  for threads in 1 0; do
    run env WORLD_THREADS=$threads "$work/program"
    exits 0
    says 'PASSED'
  done
done

for options in "-std=c++17" "-std=c++20 -fno-exceptions -fno-rtti"; do
  check "$cxx $options, the header alone"
  # shellcheck disable=SC2086
  run "$cxx" $options -Wall -Wextra -Wconversion -Wshadow -Werror -pedantic \
    -I"$source/include" -I"$source/tests" -fsyntax-only \
    "$source/tests/cpp/alone.cpp"
  exits 0
  is_quiet
done
check_done
