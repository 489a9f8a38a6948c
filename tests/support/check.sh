# SPDX-License-Identifier: MIT
# Shell functions for tests that run programs and look at what they print.
# check_done prints the counts that tests/run adds up.

check_passed=0
check_failed=0
check_name=

check() { # NAME: the checks that follow belong to it
  check_end
  check_name=$1
  check_ok=yes
}

check_end() {
  [ -n "$check_name" ] || return 0
  if [ "$check_ok" = yes ]; then
    check_passed=$((check_passed + 1))
    echo "ok: $check_name"
  else
    check_failed=$((check_failed + 1))
  fi
  check_name=
}

wrong() { # TEXT
  check_ok=no
  echo "FAILED: $check_name: $1"
}

# Runs a program; its output and exit code are what the next checks look at.
run() {
  out=$("$@" 2>"$work/stderr" </dev/null; printf 'code=%d' $?)
  code=${out##*code=}
  out=${out%code=*}
  err=$(cat "$work/stderr")
}

exits() { # CODE
  [ "$code" = "$1" ] || wrong "exit code $code, not $1; stderr: $err"
}

prints() { # TEXT: exactly this on standard output
  [ "$out" = "$1" ] || wrong "printed $(printf %q "$out"), not $(printf %q "$1")"
}

says() { # PATTERN: somewhere in standard output
  grep -qE -- "$1" <<<"$out" || wrong "no /$1/ in: $out"
}

complains() { # PATTERN: somewhere in standard error
  grep -qE -- "$1" <<<"$err" || wrong "no /$1/ on stderr: $err"
}

is_quiet() { # nothing on standard error
  [ -z "$err" ] || wrong "stderr: $err"
}

check_done() {
  check_end
  echo "[  PASSED  ] $check_passed test(s)."
  [ $check_failed -eq 0 ] || echo "[  FAILED  ] $check_failed test(s)."
  [ $check_failed -eq 0 ]
}
