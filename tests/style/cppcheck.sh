#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cppcheck over lib/ and tools/, without what cppcheck.txt suppresses. Prints
# what it finds and fails if that is anything. 77: no cppcheck.
#
# One configuration of the preprocessor is looked at, that of the build on
# Linux, and the one with poll() instead of epoll: all combinations of what
# headers test would take hours and find what cannot be built.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh

command -v cppcheck >/dev/null || {
  echo "SKIP: no cppcheck"
  exit 77
}

check() { # ARGUMENT...
  cppcheck --std=c11 --enable=warning,performance,portability,style \
    --inline-suppr --suppressions-list=tests/style/cppcheck.txt \
    --error-exitcode=1 --max-configs=1 -q -j "$(setup_jobs)" \
    -D__linux__ -D__GNUC__=12 -D_GNU_SOURCE -Iinclude -Ilib -Itools "$@"
}

failed=0
check lib tools || failed=1
check -DINFER_FORCE_POLL lib/transport/poller.c || failed=1
[ $failed -eq 0 ] || exit 1
echo "cppcheck: nothing found"
