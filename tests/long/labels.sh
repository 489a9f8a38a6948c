#!/bin/bash
# SPDX-License-Identifier: MIT
# Where data may go, at length: a million calls that require labels, over random
# configurations with every way to fail (tests/simulation/labels/labels.c). A
# minute of one core; a quarter of an hour is the most.
#
#   tests/long/labels.sh [SEED]

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh
setup_build build-tests labels_simulation -DCMAKE_BUILD_TYPE=RelWithDebInfo ||
  exit 1
exec timeout 900 build-tests/tests/simulation/labels/labels_simulation \
  --seed "${1:-100001}" --calls 1000000
