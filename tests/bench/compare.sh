# SPDX-License-Identifier: MIT
# How well `infer compare` measures. Sourced by tests/bench/run.
#
# Two simulated providers draw the time to their first token from distributions
# that are known; compare_p95_error is how far the p95 that is measured is off
# the true one, of the worse of both. The way of a request (some 0.2 ms here)
# is part of it.

bench_compare_sims() { # INFER
  local name
  # p95 of the first: 20 + 0.95 * 80 = 96 ms. Of the second: 80 ms.
  echo '{"defaults": {"tokens": 4, "first_token_ms": {"uniform": [20, 100]}}}' \
    >"$bench_work/even.json"
  echo '{"defaults": {"tokens": 4, "first_token_ms":
         {"dist": "lognormal", "p50": 40, "p95": 80}}}' >"$bench_work/log.json"
  for name in even log; do
    sim_start "$1" "$bench_work/$name.json" --seed 11 || return 1
    echo "{\"name\": \"$name\", \"type\": \"openai\", \"proxy\": \"none\",
           \"base_url\": \"$sim_url/v1\"}" >"$bench_work/$name.provider"
  done
  printf '{"providers": [%s, %s]}' "$(cat "$bench_work/even.provider")" \
    "$(cat "$bench_work/log.provider")" >"$bench_work/compare.json"
}

# Needs $bench_work, and build-bench/ to be there.
bench_compare_p95() {
  local code=0 error report=$bench_work/compared.json
  local infer=build-bench/tools/infer
  . tests/support/sim.sh
  bench_compare_sims "$infer" &&
    "$infer" compare -c "$bench_work/compare.json" even/m log/m -n 3000 \
      --concurrency 16 --no-ladder --no-route --mix chat -q \
      --json "$report" >/dev/null || code=1
  sim_stop_all
  [ $code -eq 0 ] || return 1
  error=$(jq -r '
    [.targets[] | {name: .target, p95: .summary.ttft_ms.p95}] as $found |
    {"even/m": 96, "log/m": 80} as $true |
    [$found[] | .p95.value / $true[.name] - 1 | if . < 0 then -. else . end] |
    max' "$report")
  jq -r '.targets[] | "# compare: \(.target) p95 \(.summary.ttft_ms.p95.value) [\(.summary.ttft_ms.p95.low), \(.summary.ttft_ms.p95.high)] ms"' \
    "$report"
  bench_figure compare_p95_error "$(printf '%.4f' "$error")" 0.05
}
