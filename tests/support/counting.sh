# SPDX-License-Identifier: MIT
# Shell functions of tests/run: they run the tests of a tree and add up what
# came of them, in these variables.
#
# A program that fails beside others may have had too little of the processor,
# so it is run once more, alone, and, if it fails again, a last time: the
# machine may have other guests. That is no way out for a mistake of the memory
# or of threads, which may well show itself only now and then: not after a
# crash or a sanitizer's report, and not if many failed. What passes then counts
# as passed and is told of as unstable.

passed=0
failed=0
skips=()
unstable=()
tsan_prefix=() # what the tests are started by

# More programs than that do not fail by chance.
counting_most_unstable=3

# What a crash, a hang or a sanitizer leaves in the output of a program, of
# cmocka, of a shell, of ctest, or of the run-time system of another language.
counting_crash='Sanitizer|runtime error:|DATA RACE|\*\*\*(Exception|Timeout)'
counting_crash+='|\<[Ss]ignal\>|\<SIG[A-Z]{3,}|exception: .*\([0-9]+\)'
counting_crash+='|Segmentation fault|Bus error|Floating point exception'
counting_crash+='|Illegal instruction|Aborted|core dumped|Fatal Python error'
counting_crash+='|^panic: |^fatal error: |stack smashing|free\(\): |malloc\(\): '
counting_crash+='|corrupted '

# Adds up one tree: prints "pass N", "fail N" and "skip TEXT". The result of a
# test program stands in ctest's own output, what it printed in LastTest.log
# (whose "Test Passed." also stands below programs that did not run). Of a
# program that ran twice the last run counts.
count_log() { # CTEST_LOG LAST_TEST_LOG
  awk '
    function add(line) { text = text line "\n" }
    function flush_block() {
      if (name == "") return
      if (results[name] ~ /Skipped/) {
        if (lines == 0) add("skip " name ": no reason given")
      } else if (results[name] != "Passed") {
        add("fail " (cmocka_failed > 0 ? cmocka_failed : 1))
        if (cmocka_passed > 0) add("pass " cmocka_passed)
      } else if (cmocka) {
        silent = lines > cmocka_skipped ? lines - cmocka_skipped : 0
        add("pass " cmocka_passed - silent)
        for (i = lines; i < cmocka_skipped; i++)
          add("skip " name ":" cases ": no reason given")
      } else if (lines == 0) {
        add("pass 1")
      }
      if (!(name in texts)) names[++count] = name
      texts[name] = text
    }
    FNR == NR {
      if (match($0, /Test +#[0-9]+: /)) {
        split(substr($0, RSTART + RLENGTH), word, " ")
        results[word[1]] = / Passed +[0-9.]+ sec/ ? "Passed" : $0
      }
      next
    }
    /^[0-9]+\/[0-9]+ Testing: / {
      flush_block()
      name = $3; lines = 0; cmocka = 0; cases = ""; text = ""
      cmocka_passed = 0; cmocka_failed = 0; cmocka_skipped = 0
    }
    /^SKIP: / { lines++; add("skip " name ": " substr($0, 7)) }
    /^\[  PASSED  \] [0-9]+ test\(s\)/ { cmocka = 1; cmocka_passed += $4 }
    /^\[  FAILED  \] [0-9]+ test\(s\)/ { cmocka_failed += $4 }
    /^\[  SKIPPED \] [0-9]+ test\(s\)/ { cmocka_skipped += $4; next }
    /^\[  SKIPPED \] / && !index(cases, $4) { cases = cases " " $4 }
    END {
      flush_block()
      for (i = 1; i <= count; i++) printf "%s", texts[names[i]]
    }
  ' "$1" "$2"
}

add_up() { # TREE CTEST_LOG LAST_TEST_LOG
  local kind rest
  while read -r kind rest; do
    case $kind in
      pass) passed=$((passed + rest)) ;;
      fail) failed=$((failed + rest)) ;;
      skip) skips+=("$1: $rest") ;;
    esac
  done < <(count_log "$2" "$3")
}

# Did a program crash, hang, or come before a sanitizer? An assertion that fails
# leaves behind what its test had: memory and threads that are missed then are
# no report of their own.
has_crash() { # CTEST_LOG
  awk '
    / Test +#[0-9]+: / { failed = 0 }
    /^\[  FAILED  \] / { failed = 1 }
    failed && /LeakSanitizer: detected memory leaks/ { next }
    failed && /Sanitizer: [0-9]+ byte\(s\) leaked in/ { next }
    failed && /ThreadSanitizer: thread leak/ { next }
    { print }
  ' "$1" | grep -qE "$counting_crash"
}

# May what failed be a matter of timing? ctest's log has the output of what
# failed, and of nothing else.
may_be_timing() { # CTEST_LOG FAILED_LOG
  [ -s "$2" ] && [ "$(wc -l <"$2")" -le "$counting_most_unstable" ] &&
    ! has_crash "$1"
}

# Runs again, one by one, what failed; adds both logs of that to those of
# the first run.
run_alone() { # TREE DIR
  local dir=$2 logs=$2/Testing/Temporary code name
  mv "$logs/LastTest.log" "$dir/LastTest.first.log"
  cp "$logs/LastTestsFailed.log" "$dir/failed.log"
  "${tsan_prefix[@]}" ctest --test-dir "$dir" --rerun-failed -j 1 \
    --repeat until-pass:2 --timeout 300 --output-on-failure </dev/null \
    >"$dir/ctest.alone.log" 2>&1
  code=$?
  cat "$dir/ctest.alone.log"
  ! has_crash "$dir/ctest.alone.log" || code=1
  cat "$dir/ctest.alone.log" >>"$dir/ctest.log"
  cat "$dir/LastTest.first.log" "$logs/LastTest.log" >"$dir/LastTest.both.log"
  mv "$dir/LastTest.both.log" "$logs/LastTest.log"
  while IFS=: read -r _ name; do
    if grep -qE "Test +#[0-9]+: $name \.* +Passed " "$dir/ctest.alone.log"; then
      unstable+=("$1: $name: failed beside others, passed alone")
    else
      code=1 # a test that failed cannot skip itself
    fi
  done <"$dir/failed.log"
  return $code
}

# Runs the tests of a tree.
run_tests() { # TREE DIR CTEST_OPTION...
  local name=$1 dir=$2 logs=$2/Testing/Temporary code before=$failed
  shift 2
  rm -f "$logs/LastTest.log" "$logs/LastTestsFailed.log"
  "${tsan_prefix[@]}" ctest --test-dir "$dir" "$@" </dev/null \
    >"$dir/ctest.log" 2>&1
  code=$?
  if [ $code -ne 0 ]; then
    cat "$dir/ctest.log"
    if may_be_timing "$dir/ctest.log" "$logs/LastTestsFailed.log"; then
      echo "== $name: what failed, alone"
      run_alone "$name" "$dir"
      code=$?
    fi
  else
    tail -n 1 "$dir/ctest.log"
  fi
  if [ -f "$logs/LastTest.log" ]; then
    add_up "$name" "$dir/ctest.log" "$logs/LastTest.log"
  fi
  if [ $code -ne 0 ] && [ "$failed" -eq "$before" ]; then
    failed=$((failed + 1))
  fi
}
