#!/bin/bash
# SPDX-License-Identifier: MIT
# The library without telemetry: it builds, serves calls over real sockets, and
# says of what was left out that it is not supported.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh
. tests/support/sim.sh
dir=build-untold
export CMAKE_GENERATOR=Ninja
setup_build $dir "telemetry_off infer" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DINFER_TELEMETRY=OFF -DINFER_WERROR=ON || exit 1
trap sim_stop_all EXIT
echo '{"defaults":{"text":"Hello."}}' >$dir/script.json
sim_start $dir/tools/infer $dir/script.json || exit 1
$dir/tests/telemetry_off "$sim_url"
