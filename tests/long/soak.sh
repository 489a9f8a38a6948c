#!/bin/bash
# SPDX-License-Identifier: MIT
# A million calls to providers that are killed, restarted, stopped and
# misbehave (tests/soak/soak.c): ten minutes and more on two cores.
#
#   tests/long/soak.sh [SEED]

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh
setup_build build-tests "soak infer" -DCMAKE_BUILD_TYPE=RelWithDebInfo ||
  exit 1
exec build-tests/tests/soak/soak --calls 1000000 ${1:+--seed "$1"}
