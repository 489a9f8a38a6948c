#!/bin/bash
# SPDX-License-Identifier: MIT
# A test of the tests: builds the library with each of the bugs that
# tests/mutation/bugs.cmake lists, one after another, and fails if the tests
# let one pass.
#
#   tests/long/planted_bugs.sh             all of them
#   tests/long/planted_bugs.sh NUMBER...   only these
#
# The tests that an entry names are run first; if they pass, all others are. A
# bug is caught by a test that fails, crashes or does not come to an end within
# several times what it needs without the bug.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh

dir=build-bugs
export CMAKE_GENERATOR=Ninja
export UBSAN_OPTIONS=print_stacktrace=1
suites="unit|scenario|conformance|tools"
rest_limit_s=600
running=
trap '[ -z "$running" ] || kill "$running"' EXIT
trap 'exit 1' INT TERM HUP

fail() {
  echo "planted_bugs.sh: $*" >&2
  exit 1
}

# The tests of an entry, separated by blanks, as ctest wants them.
pattern_of() { # TESTS
  echo "^(${1// /|})$"
}

# What has to be built for these tests: the programs of this tree that their
# commands name.
programs_of() { # PATTERN
  ctest --test-dir "$dir" --show-only=json-v1 -R "$1" |
    sed -n "s|^ *\"$PWD/$dir/\([^\"]*\)\",\{0,1\}$|\1|p" |
    while read -r path; do [ -f "$dir/$path" ] && echo "$path"; done | sort -u
}

# Scenarios start the simulated provider by themselves.
build() { # PROGRAM...
  ninja -C "$dir" -j "$(setup_jobs)" "$@" tools/infer >"$dir/build.log" 2>&1
}

# Runs tests until one fails. Sets failed to its name, empty if all passed.
run_tests() { # LIMIT_S CTEST_OPTION...
  local limit_s=$1
  shift
  timeout -k 5 "$limit_s" ctest --test-dir "$dir" -j "$(setup_jobs)" \
    --stop-on-failure --output-on-failure --no-tests=error "$@" \
    </dev/null >"$dir/ctest.log" 2>&1 &
  running=$! # it leads a process group of its own
  wait $running
  local code=$?
  running=
  case $code in
    0) failed= ;;
    124 | 137) failed="time limit" ;;
    *) failed=$(sed -n '/\*\*\*Skipped/d
         s|.*Test *#[0-9]*: *\([^ ]*\) .*\*\*\*.*|\1|p' \
         "$dir/ctest.log" | head -n 1)
      [ -n "$failed" ] || { cat "$dir/ctest.log"; fail "no test was run"; } ;;
  esac
}

plant() { # NUMBER
  cmake -DINFER_PLANT_BUG="$1" "$dir" >"$dir/cmake.log" 2>&1 ||
    { cat "$dir/cmake.log"; fail "bug $1 cannot be planted"; }
}

# Without a bug: all is built once, and the tests of all entries pass. Leaves
# what each of them needed in seconds[].
declare -A seconds
measure() { # TESTS...
  setup_build "$dir" all -DCMAKE_BUILD_TYPE=Debug -DINFER_WERROR=OFF \
    -DINFER_SANITIZE=address,undefined -DINFER_PLANT_BUG=0 || exit 1
  local name time
  run_tests $rest_limit_s -R "$(pattern_of "$*")"
  [ -z "$failed" ] ||
    { cat "$dir/ctest.log"; fail "$failed fails without any bug"; }
  while read -r name time; do
    seconds[$name]=${time%.*}
  done < <(sed -n 's|.*Test *#[0-9]*: *\([^ ]*\) .* \([0-9.]*\) sec.*|\1 \2|p' \
    "$dir/ctest.log")
  for name in "$@"; do
    [ -n "${seconds[$name]:-}" ] || fail "there is no test $name"
  done
}

# Sets failed to the test that catches the bug; empty if none does.
look_for_catcher() { # NUMBER TESTS
  local limit_s=10 name programs
  for name in $2; do
    limit_s=$((limit_s + 5 * (seconds[$name] + 1)))
  done
  plant "$1"
  mapfile -t programs < <(programs_of "$(pattern_of "$2")")
  build "${programs[@]}" ||
    { cat "$dir/build.log"; fail "bug $1 does not compile"; }
  run_tests $limit_s -R "$(pattern_of "$2")"
  [ -n "$failed" ] && return
  build all || { cat "$dir/build.log"; fail "bug $1 does not compile"; }
  run_tests $rest_limit_s -L "$suites"
  [ -z "$failed" ] || failed="$failed, which is not among its tests"
}

listed=$(cmake -P tests/mutation/list.cmake) || exit 1
wanted=" $* "
bugs=()
tests=()
while IFS='|' read -r number names suffering; do
  [ $# -eq 0 ] || [[ $wanted == *" $number "* ]] || continue
  bugs+=("$number|$names|$suffering")
  read -ra names <<<"$names"
  tests+=("${names[@]}")
done <<<"$listed"
[ ${#bugs[@]} -gt 0 ] || fail "no such bug: $*"

mapfile -t tests < <(printf '%s\n' "${tests[@]}" | sort -u)
measure "${tests[@]}"
echo "without a bug: ${#tests[@]} tests pass"
survivors=0
for bug in "${bugs[@]}"; do
  IFS='|' read -r number names suffering <<<"$bug"
  look_for_catcher "$number" "$names"
  [ -n "$failed" ] || survivors=$((survivors + 1))
  echo "$number: $suffering: ${failed:-SURVIVES}"
done
plant 0
[ $survivors -eq 0 ] || fail "$survivors of ${#bugs[@]} bugs survive"
echo "${#bugs[@]} bugs, all caught"
