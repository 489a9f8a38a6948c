# SPDX-License-Identifier: MIT
# The figures of hedging. Sourced by tests/bench/run. The policies' own model
# prints those that need neither engine nor sockets.
#
#   --seed N       another seed
#   --ttft FILE    the optimum for these times, and the share of it: seconds,
#                  one per line, or a file like those of llmperf
#
# Lengths of prompts are those of a trace in $INFER_SHARED/data/traces; without
# it, drawn from quantiles.

bench_hedging() {
  local code=0 seed=1 ttft='' model=build-bench/tests/simulation/hedge/hedge_model
  local trace=${INFER_SHARED:-/nowhere}/data/traces
  trace=$trace/AzureLLMInferenceTrace_conv_2023.csv
  while [ $# -gt 0 ]; do
    case $1 in
      --seed) seed=${2:?--seed needs a number} ;;
      --ttft) ttft=${2:?--ttft needs a file} ;;
      *) echo "hedging: unknown option $1" >&2; return 2 ;;
    esac
    shift 2
  done
  [ -z "$ttft" ] || [[ $ttft == /* ]] || ttft=$OLDPWD/$ttft
  [ -r "$trace" ] || trace=
  setup_install "$setup_needs$setup_needs_for_tests" || return 1
  setup_build build-bench "hedge_model fleet_hedge hedge_worlds infer" \
    -DCMAKE_BUILD_TYPE=Release || return 1
  if [ -n "$ttft" ]; then
    "$model" --seed "$seed" --ttft "$ttft"
    return
  fi
  "$model" --seed "$seed" ${trace:+--lengths "$trace"} |
    resilience_report 'hedge_opt_min:>0.95' 'hedge_opt_mean:>0.98' \
      hedge_budget_excess:0.1 'hedge_vs_peers_min:>-0.02' straggler_p95:-0.32 \
      stall_p99:-0.95 costaware_p95:-0.68 costaware_p99:-0.75 \
      shift_requests:500 km_bias_p99:0.05 record_ns:3 \
      series_bytes:16384 || code=1
  build-bench/tests/simulation/fleet_hedge/fleet_hedge --seed "$seed" |
    resilience_report fleet_p99:-0.80 fleet_p999:-0.85 fleet_p50:0.05 || code=1
  # The engine, over the simulated network and over sockets.
  build-bench/tests/simulation/agreement/hedge_worlds --seed "$seed" |
    resilience_report blackhole_lost:0 blackhole_added_ms:100 \
      real_p95_agreement:0.05 || code=1
  return $code
}
