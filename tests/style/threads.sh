#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/run leaves programs without threads out of the build with
# ThreadSanitizer: is it these that it finds?
#
#   tests/style/threads.sh BUILD_DIR
set -u
build=${1:?usage: threads.sh BUILD_DIR}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/check.sh"
. "$here/../support/threads.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tests/part"

program() { # NAME STATEMENT
  printf '%s\n' '#include <pthread.h>' '#include <signal.h>' \
    '#include <stdlib.h>' '#include <unistd.h>' 'static pthread_t thread;' \
    'static pthread_mutex_t lock;' \
    'static void *enter(void *data) { (void)lock; return data; }' \
    "int main(void) { (void)enter; (void)thread; $2; return 0; }" |
    ${CC:-cc} -x c -D_GNU_SOURCE -w -pthread -o "$work/tests/$1" - ||
    wrong "$1 does not compile"
}

nowhere() { # NAME...: what is to be found in the tree of small programs
  local found
  found=$(threads_nowhere "$work" | xargs)
  [ "$found" = "$*" ] || wrong "found $found"
}

check "a program that only computes"
program computes 'free(malloc(rand()))'
program part/too 'pthread_self()'
nowhere computes too

check "threads, locks, signals, and other programs"
program thread 'pthread_create(&thread, NULL, enter, NULL)'
program lock 'pthread_mutex_lock(&lock)'
program handler 'signal(SIGINT, SIG_IGN)'
program forks 'fork()'
program starts 'execl("x", "x", NULL)'
nowhere computes too

check "a program that nm cannot read has threads as far as we know"
printf '#!/bin/sh\n' >"$work/tests/script"
chmod +x "$work/tests/script"
nowhere computes too

check "of ours"
found=$(threads_nowhere "$build")
for name in test_base64 test_json_scan test_sse; do
  grep -qx $name <<<"$found" || wrong "$name counts as one with threads"
done
for name in test_client test_thread test_queue scenario_test_async oom \
  sim_wire_http; do
  [ -n "$(find "$build/tests" -name $name -type f)" ] || wrong "no $name"
  ! grep -qx $name <<<"$found" || wrong "$name counts as one without threads"
done
check_done
