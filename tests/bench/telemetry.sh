# SPDX-License-Identifier: MIT
# The figures of telemetry. Sourced by tests/bench/run.

bench_telemetry() {
  local code=0
  bench_begin "" infer || return 1
  telemetry_invoice || code=1
  bench_compare_p95 || code=1
  telemetry_replay || code=1
  return $code
}
