#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-tidy over lib/ and tools/, by the checks of .clang-tidy. Prints what it
# finds and fails if that is anything. 77: no clang-tidy.
#
#   tests/style/clang-tidy.sh [FILE...]
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh

tidy=
for name in clang-tidy clang-tidy-14; do
  [ -n "$tidy" ] || tidy=$(command -v $name)
done
[ -n "$tidy" ] || {
  echo "SKIP: no clang-tidy"
  exit 77
}

build=build-analysis
mkdir -p $build
cmake -S . -B $build -G Ninja -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
  -DINFER_BUILD_TESTS=OFF >$build/cmake.log 2>&1 || {
  cat $build/cmake.log
  exit 1
}
[ $# -gt 0 ] || set -- lib/*/*.c tools/*/*.c
# One file for each run: clang-tidy 14 mixes up the va_lists of several.
printf '%s\n' "$@" |
  xargs -P "$(setup_jobs)" -n 1 "$tidy" -p $build --quiet >$build/tidy.log 2>&1
code=$?
grep -E 'warning:|error:|note:' $build/tidy.log | grep -v 'warnings generated'
[ $code -eq 0 ] || exit 1
echo "clang-tidy: nothing found in $# files"
