#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs a build into a directory of its own and uses infer.hpp as an outside
# C++ program would: the header alone, pkg-config, find_package, and the
# programs of the pages.
#
#   tests/cpp/consumer.sh SOURCE_DIR BUILD_DIR
set -u
source=${1:?usage: consumer.sh SOURCE_DIR BUILD_DIR}
build=${2:?usage: consumer.sh SOURCE_DIR BUILD_DIR}
cxx=${CXX:-c++}
. "$source/tests/support/sim.sh"
. "$source/tests/support/check.sh"
command -v "$cxx" >/dev/null || {
  echo "SKIP: no C++ compiler"
  exit 77
}
work=$(mktemp -d) || exit 1
trap 'sim_stop_all; rm -rf "$work"' EXIT
here=$source/tests/cpp/consumer

check "the header installs"
run cmake --install "$build" --prefix "$work/prefix"
exits 0
[ -f "$work/prefix/include/infer/infer.hpp" ] || wrong "no infer.hpp"
library=$(dirname "$(find "$work/prefix" -name libinfer.so | head -n 1)")
export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library
version=$(pkg-config --modversion libinfer)
strict="-Wall -Wextra -Wconversion -Wshadow -Werror -pedantic"
flags=$(pkg-config --cflags libinfer)
libs=$(pkg-config --libs libinfer)

check "the header stands alone"
printf '#include <infer/infer.hpp>\n' >"$work/alone.cpp"
for standard in 17 20; do
  for mode in "" "-fno-exceptions -fno-rtti"; do
    # shellcheck disable=SC2086
    run "$cxx" -std=c++$standard $mode $strict $flags -fsyntax-only \
      "$work/alone.cpp"
    exits 0
    is_quiet
  done
done

check "an older standard is told of"
# shellcheck disable=SC2086
run "$cxx" -std=c++14 $flags -fsyntax-only "$work/alone.cpp"
[ "$code" != 0 ] || wrong "C++14 compiles"
complains 'needs C\+\+17'

check "pkg-config builds a program, with and without exceptions"
# shellcheck disable=SC2086
run "$cxx" -std=c++17 $strict $flags -c "$here/main.cpp" -o "$work/main.o"
exits 0
# shellcheck disable=SC2086
run "$cxx" -std=c++17 -fno-exceptions -fno-rtti $strict $flags \
  -c "$here/quiet.cpp" -o "$work/quiet.o"
exits 0
# shellcheck disable=SC2086
run "$cxx" "$work/main.o" "$work/quiet.o" -o "$work/program" $libs
exits 0
run "$work/program"
exits 0
prints "$version
"

check "find_package builds it"
run cmake -S "$here" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DINFER_EXPECTED_VERSION="$version" -DCMAKE_CXX_COMPILER="$cxx"
exits 0
run cmake --build "$work/cmake"
exits 0
for program in with_shared with_static; do
  run "$work/cmake/$program"
  exits 0
  prints "$version
"
done

# Writes each block that follows "<!-- program: NAME.cpp -->" to that file.
awk -v dir="$work" '
  /^<!-- program: .*\.cpp / { name = $3; next }
  /^```/ { inside = name != "" && !inside; if (!inside) name = ""; next }
  inside { print > (dir "/" name) }
' "$source/README.md" "$source/bindings/cpp/README.md"
cat >"$work/sim.json" <<'END'
{ "defaults": { "text": "Hello." } }
END
sim_start "$work/prefix/bin/infer" "$work/sim.json" || exit 1
export no_proxy=127.0.0.1 OPENAI_API_KEY=key-a OPENAI_BASE_URL=$sim_url/v1

check "the programs of the pages build and run"
cd "$work" || exit 1
for name in hello stream quiet queue hooks; do
  [ -s $name.cpp ] || wrong "no $name.cpp"
  mode=
  [ $name != quiet ] || mode="-fno-exceptions -fno-rtti"
  # shellcheck disable=SC2086
  run "$cxx" -std=c++17 $mode $strict $flags $name.cpp -o $name $libs
  exits 0
  is_quiet
  run ./$name
  exits 0
  says '^Hello\.'
done

check "the first program reports what is missing"
run env -u OPENAI_API_KEY -u OPENAI_BASE_URL -u CLARIFAI_PAT ./hello
exits 1
complains 'OPENAI_API_KEY'

check_done
