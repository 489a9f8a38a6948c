#!/bin/bash
# SPDX-License-Identifier: MIT
# What tests/run makes of the results of a tree: what counts, and what is run
# once more. The trees are small ones of shell scripts.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/check.sh"
. "$here/../support/counting.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree

begin() { # WHAT: a new tree
  check "$1"
  rm -rf "$tree"
  mkdir "$tree"
}

program() { # NAME SCRIPT
  mkdir -p "$(dirname "$tree/$1")"
  printf '%s\n' "$2" >"$tree/$1.sh"
  printf 'add_test([=[%s]=] sh "%s")\n' "$1" "$tree/$1.sh" \
    >>"$tree/CTestTestfile.cmake"
  printf 'set_tests_properties([=[%s]=] PROPERTIES SKIP_RETURN_CODE 77)\n' \
    "$1" >>"$tree/CTestTestfile.cmake"
}

# Does the first thing at its first run, and the second from then on.
unsteady() { # NAME FIRST LATER
  program "$1" "if [ ! -e $tree/$1.was ]; then touch $tree/$1.was; $2; fi; $3"
}

cmocka() { # PASSED FAILED: what it prints
  printf 'echo "[  PASSED  ] %s test(s).";' "$1"
  [ "$2" = 0 ] || printf ' echo "[  FAILED  ] %s test(s).";' "$2"
}

gives() { # PASSED FAILED SKIPS UNSTABLE
  local found
  passed=0
  failed=0
  skips=()
  unstable=()
  run_tests fake "$tree" -j 2 --output-on-failure --no-tests=ignore \
    >"$work/log" 2>&1
  found="$passed $failed ${#skips[@]} ${#unstable[@]}"
  [ "$found" = "$*" ] || wrong "gives $found, not $*:
$(sed 's/^/  /' "$work/log")"
}

tells() { # WORD...: of what is unstable
  [ "${unstable[*]}" = "$*" ] || wrong "unstable: ${unstable[*]}"
}

begin "counts programs, the cases of cmocka, and skips"
program one 'exit 0'
program cases "$(cmocka 12 0)"
program part "$(cmocka 4 0) echo 'SKIP: no server'"
program none 'echo "SKIP: no compiler"; exit 77'
gives 16 0 2 0

begin "counts cases that fail"
program one 'exit 0'
program cases "$(cmocka 12 2) exit 1"
gives 13 2 0 0

begin "a test that passes alone counts as passed, and is told of"
program one 'exit 0'
program cases "$(cmocka 5 0)"
unsteady slow/a_b "$(cmocka 8 1) exit 1" "$(cmocka 9 0)"
unsteady tool 'echo "SKIP: no jq"; echo too late; exit 1' 'echo "SKIP: no jq"'
gives 15 0 1 2
tells "fake: slow/a_b: failed beside others, passed alone" \
  "fake: tool: failed beside others, passed alone"
grep -q 'too late' "$work/log" || wrong "the first failure is not shown"

begin "twice alone"
program one 'exit 0'
program slow "echo x >>$tree/runs; [ \$(wc -l <$tree/runs) = 3 ] && { \
  $(cmocka 9 0) exit 0; }; $(cmocka 8 1) exit 1"
gives 10 0 0 1
tells "fake: slow: failed beside others, passed alone"

begin "not after a crash alone"
program slow "echo x >>$tree/runs; case \$(wc -l <$tree/runs) in \
  1) exit 1 ;; 2) kill -SEGV \$\$ ;; esac"
gives 1 1 0 1

begin "not thrice"
program slow "echo x >>$tree/runs; [ \$(wc -l <$tree/runs) = 4 ]"
gives 0 1 0 0

begin "a test that fails alone, too, counts by its last run"
program one 'exit 0'
unsteady worse "$(cmocka 8 1) exit 1" "$(cmocka 7 2) exit 1"
gives 8 2 0 0

begin "of two that failed one may pass alone"
unsteady slow 'exit 1' 'exit 0'
program wrong 'exit 1'
gives 1 1 0 1
tells "fake: slow: failed beside others, passed alone"

begin "three may fail by chance"
for name in a b c; do
  unsteady $name 'exit 1' 'exit 0'
done
gives 3 0 0 3

begin "four do not"
for name in a b c d; do
  unsteady $name 'exit 1' 'exit 0'
done
gives 0 4 0 0

begin "a test that failed cannot skip itself alone"
unsteady sly 'exit 1' 'echo "SKIP: no time"; exit 77'
gives 0 1 1 0

begin "a test that hangs is not: a deadlock is rare, and no matter of timing"
unsteady late 'exec sleep 5' 'exit 0'
printf 'set_tests_properties(late PROPERTIES TIMEOUT 1)\n' \
  >>"$tree/CTestTestfile.cmake"
gives 0 1 0 0

for said in 'kill -SEGV $$' 'kill -ABRT $$' 'sh -c "kill -SEGV \$\$"' \
  'echo "WARNING: ThreadSanitizer: data race (pid=7)"' \
  'echo "==7==ERROR: AddressSanitizer: heap-use-after-free"' \
  'echo "==7==ERROR: LeakSanitizer: detected memory leaks"' \
  'echo "x.c:1:2: runtime error: signed integer overflow"' \
  'echo "Test failed with exception: Segmentation fault(11)"' \
  'echo "killed by signal 6"' 'echo "WARNING: DATA RACE"'; do
  begin "not after: $said"
  program one 'exit 0'
  unsteady bad "$said; exit 1" 'exit 0'
  gives 1 1 0 0
done

leaks='echo "==7==ERROR: LeakSanitizer: detected memory leaks";'
leaks+=' echo "SUMMARY: AddressSanitizer: 9 byte(s) leaked in 1 allocation(s).";'
leaks+=' echo "WARNING: ThreadSanitizer: thread leak (pid=7)";'
leaks+=' echo "SUMMARY: ThreadSanitizer: thread leak x.c:1 in main"; exit 1'

begin "what an assertion that failed leaves behind is no leak"
program one 'exit 0'
unsteady slow "$(cmocka 8 1) $leaks" "$(cmocka 9 0)"
gives 10 0 0 1

begin "it excuses no other report"
unsteady slow "$(cmocka 8 1) echo 'ERROR: AddressSanitizer: heap-use-after-free';
  $leaks" "$(cmocka 9 0)"
gives 8 1 0 0

begin "nor another program's leak"
unsteady slow "$(cmocka 8 1) exit 1" "$(cmocka 9 0)"
unsteady leaky "$leaks" 'exit 0'
gives 8 2 0 0

begin "nor if another test crashed"
unsteady slow 'exit 1' 'exit 0'
program bad 'kill -SEGV $$'
gives 0 2 0 0

begin "a name or a test that passes may speak of signals"
program sanitizer 'echo "runtime error: none, and no Sanitizer"'
unsteady scenario/test_signals 'echo "[ RUN ] stops_at_a_signal"; exit 1' \
  'exit 0'
gives 2 0 0 1

begin "a tree without tests"
: >"$tree/CTestTestfile.cmake"
gives 0 0 0 0

check_done
