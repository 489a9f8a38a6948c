# SPDX-License-Identifier: MIT
# The figures of `infer replay`: how far it is from a run in real time, and how
# many calls a second it plays. Sourced by tests/bench/run.

# Prints replay_p95_error and replay_calls_per_s; takes about two minutes.
telemetry_replay() {
  local out ok=0
  setup_build build-bench "infer replay_agreement" \
    -DCMAKE_BUILD_TYPE=Release || return 1
  out=$(build-bench/tests/replay/replay_agreement) || ok=1
  grep '^#' <<<"$out"
  bench_figure replay_p95_error \
    "$(sed -n 's/^replay_p95_error //p' <<<"$out")" 0.05 || ok=1
  bench_figure replay_calls_per_s \
    "$(sed -n 's/^replay_calls_per_s //p' <<<"$out")" ">30000" || ok=1
  return $ok
}
