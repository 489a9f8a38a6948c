#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs a build into a directory of its own, moves that away, and uses it
# as an outside program would: the headers alone, pkg-config, find_package, a
# plug-in.
#
#   tests/consumer/run.sh BUILD_DIR
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: run.sh BUILD_DIR}
cc=${CC:-cc}
cxx=${CXX:-c++}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
log=$scratch/log

fail() {
  printf 'consumer: %s\n' "$*" >&2
  [ ! -s "$log" ] || cat "$log" >&2
  exit 1
}

# Runs a command; its output is shown only if it fails.
try() { # WHAT COMMAND...
  local what=$1
  shift
  "$@" >"$log" 2>&1 || fail "$what failed: $*"
}

command -v pkg-config >/dev/null || fail "needs pkg-config"

# What was installed must not remember where.
try "install" cmake --install "$build" --prefix "$scratch/first"
mv "$scratch/first" "$scratch/prefix"
prefix=$scratch/prefix

for pattern in include/infer/infer.h include/infer/provider.h 'lib*/libinfer.so' 'lib*/libinfer.a'; do
  compgen -G "$prefix/$pattern" >/dev/null ||
    compgen -G "$prefix/${pattern/lib\*/lib/*}" >/dev/null ||
    fail "$pattern is not installed"
done
pc=$(find "$prefix" -name libinfer.pc)
[ -n "$pc" ] || fail "libinfer.pc is not installed"
libdir=$(dirname "$(dirname "$pc")")
if grep -rIl "$scratch/first\|$build" "$prefix" >"$log"; then
  fail "installed files name the place of the build or of the installation"
fi

# Each header alone, in both languages.
strict="-Wall -Wextra -Werror -pedantic -fsyntax-only -I$prefix/include"
for header in infer provider; do
  printf '#include <infer/%s.h>\nint main(void) { return 0; }\n' "$header" \
    >"$scratch/alone.c"
  cp "$scratch/alone.c" "$scratch/alone.cpp"
  # shellcheck disable=SC2086
  try "$header.h as C99" "$cc" -std=c99 $strict "$scratch/alone.c"
  # shellcheck disable=SC2086
  try "$header.h as C++17" "$cxx" -std=c++17 $strict -fno-exceptions \
    -fno-rtti "$scratch/alone.cpp"
done

# pkg-config
export PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
version=$(pkg-config --modversion libinfer) || fail "pkg-config: no libinfer"
prints_version() { # WHAT PROGRAM
  local said
  said=$(LD_LIBRARY_PATH=$libdir DYLD_LIBRARY_PATH=$libdir "$2" 2>"$log") ||
    fail "$1: the program failed"
  [ "$said" = "$version" ] ||
    fail "$1: the program says \"$said\", pkg-config says \"$version\""
}

# shellcheck disable=SC2046
try "pkg-config build" "$cc" -std=c99 -Wall -Wextra -Werror \
  $(pkg-config --cflags libinfer) "$here/main.c" -o "$scratch/pc_shared" \
  $(pkg-config --libs libinfer)
prints_version "pkg-config, shared" "$scratch/pc_shared"

# The archive itself, with the shared libraries of what it calls: those of
# Requires.private. (--static would ask for the archives of all that libcurl
# was built with, which few machines have.)
needs=$(pkg-config --print-requires-private libinfer | sed 's/ .*//')
# shellcheck disable=SC2086
needed_libs=$(pkg-config --libs $needs) || fail "pkg-config: $needs"
# shellcheck disable=SC2046,SC2086
try "pkg-config build, static" "$cc" -std=c99 -Wall -Wextra -Werror \
  $(pkg-config --cflags libinfer) "$here/main.c" -o "$scratch/pc_static" \
  "$libdir/libinfer.a" $needed_libs -pthread -lm
prints_version "pkg-config, static" "$scratch/pc_static"

# find_package
try "find_package" cmake -S "$here" -B "$scratch/cmake" \
  -DCMAKE_PREFIX_PATH="$prefix" -DINFER_EXPECTED_VERSION="$version" \
  -DCMAKE_C_COMPILER="$(command -v "$cc")"
try "find_package build" cmake --build "$scratch/cmake"
prints_version "find_package, shared" "$scratch/cmake/with_shared"
prints_version "find_package, static" "$scratch/cmake/with_static"

# A plug-in, built as a library of its own against the installed package, in
# the scenarios.
try "plug-in" cmake -S "$here/plugin" -B "$scratch/plugin" \
  -DCMAKE_PREFIX_PATH="$prefix" -DINFER_SOURCES="$(dirname "$(dirname "$here")")" \
  -DCMAKE_C_COMPILER="$(command -v "$cc")"
try "plug-in build" cmake --build "$scratch/plugin"
LD_LIBRARY_PATH=$libdir DYLD_LIBRARY_PATH=$libdir \
  try "scenarios of the plug-in" "$scratch/plugin/plugin_scenarios"
# Nobody listens there: the program has come as far as that.
PARCEL_TOKEN=x LD_LIBRARY_PATH=$libdir DYLD_LIBRARY_PATH=$libdir \
  "$scratch/plugin/parcel/parcel_chat" http://127.0.0.1:1 plain hello \
  >"$log" 2>&1 && fail "the program of the plug-in says that all is well"
grep -q '^parcel_chat: post/plain: ' "$log" ||
  fail "the program of the plug-in failed otherwise"

# The name under which programs look for the library changes with the major
# version only.
if command -v readelf >/dev/null; then
  soname=$(readelf -d "$libdir/libinfer.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
  [ "$soname" = "libinfer.so.${version%%.*}" ] || fail "SONAME is \"$soname\""
fi
echo "consumer: headers, pkg-config, find_package and a plug-in work ($version)"
