# SPDX-License-Identifier: MIT
# The figures of the dialects. Sourced by tests/bench/run.

# Share of the recordings that decode to what they mean; "" without any.
bench_recordings_passed() {
  build-bench/tests/conformance/decode_recordings |
    awk '/ cases, / && $1 > 0 { printf "%.4f", $3 / $1 }'
}

# Lines of the longest file of a dialect: all but what they share.
bench_longest_dialect() {
  wc -l lib/provider/*.c | awk '$2 != "total" && $1 > most { most = $1 }
    END { print most + 0 }'
}

# How the memory of a process happens to lie makes 5 % of a difference of such
# times: so the median of five processes.
bench_chunk_ratios() {
  local i
  for i in 1 2 3 4 5; do
    build-bench/tests/bench/bench_dialects "${INFER_BENCH_ROUNDS:-15}" ||
      return 1
  done >"$bench_work/dialects"
  grep '^#' "$bench_work/dialects"
  for i in anthropic_chunk_ratio gemini_chunk_ratio; do
    bench_figure $i "$(sed -n "s/^$i //p" "$bench_work/dialects" | sort -n |
      sed -n 3p)" 1.5 || code=1
  done
}

bench_providers() {
  local code=0
  trap bench_clean_up EXIT
  bench_work=$(mktemp -d) || return 1
  setup_install "$setup_needs$setup_needs_for_tests" || return 1
  setup_build build-bench "bench_dialects decode_recordings" \
    -DCMAKE_BUILD_TYPE=Release || return 1
  bench_figure recordings_passed "$(bench_recordings_passed)" ">1.0" || code=1
  bench_chunk_ratios || code=1
  bench_figure dialect_lines_max "$(bench_longest_dialect)" 900 || code=1
  return $code
}
