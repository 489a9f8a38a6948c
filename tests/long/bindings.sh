#!/bin/bash
# SPDX-License-Identifier: MIT
# A hundred thousand calls of every kind through the bindings of Python and Go:
# in the second half of them the resident size grows by less than a mebibyte,
# which it tells, and no handle is left at the end.
#
#   tests/long/bindings.sh
#
# Skips a binding whose tools are not there, and says so.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh

setup_build build-tests "" -DCMAKE_BUILD_TYPE=RelWithDebInfo || exit 1
ran=0
for part in "bindings/python/tests/run.sh build-tests --long -rP -k leaks" \
  "tests/go/run.sh leak build-tests"; do
  # shellcheck disable=SC2086
  bash $part
  code=$?
  [ $code -eq 0 ] || [ $code -eq 77 ] || exit $code
  [ $code -eq 77 ] || ran=$((ran + 1))
done
[ $ran -gt 0 ] || exit 77
