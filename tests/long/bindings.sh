#!/bin/bash
# SPDX-License-Identifier: MIT
# A hundred thousand calls of every kind through the bindings of Python and Go:
# in the second half of them the resident size grows by less than a mebibyte.
#
#   tests/long/bindings.sh
#
# Skips a binding whose tools are not there, and says so.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh
export INFER_GO_LEAK_CALLS=100000

setup_build build-tests "" -DCMAKE_BUILD_TYPE=RelWithDebInfo || exit 1
ran=0
for part in "bindings/python/tests/run.sh build-tests --long -k mebibyte" \
  "tests/go/run.sh test build-tests"; do
  # shellcheck disable=SC2086
  bash $part
  code=$?
  [ $code -eq 0 ] || [ $code -eq 77 ] || exit $code
  [ $code -eq 77 ] || ran=$((ran + 1))
done
[ $ran -gt 0 ] || exit 77
