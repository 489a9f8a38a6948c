#!/bin/bash
# SPDX-License-Identifier: MIT
# A campaign of the fuzzers: every target for FUZZ_SECONDS (default 45), about
# seven minutes in all. What the corpora reach is tested by ctest already.
cd "$(dirname "$0")/../.." || exit 1
exec tests/fuzz/run all "${FUZZ_SECONDS:-45}"
