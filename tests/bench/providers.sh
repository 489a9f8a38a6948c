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

bench_providers() {
  local code=0 name value
  trap bench_clean_up EXIT
  bench_work=$(mktemp -d) || return 1
  setup_install "$setup_needs$setup_needs_for_tests" || return 1
  setup_build build-bench "bench_dialects decode_recordings" \
    -DCMAKE_BUILD_TYPE=Release || return 1
  bench_figure recordings_passed "$(bench_recordings_passed)" ">1.0" || code=1
  build-bench/tests/bench/bench_dialects "${INFER_BENCH_ROUNDS:-15}" \
    >"$bench_work/dialects" || code=1
  while read -r name value; do
    case $name in
      \#) echo "# $value" ;;
      *) bench_figure "$name" "$value" 1.5 || code=1 ;;
    esac
  done <"$bench_work/dialects"
  bench_figure dialect_lines_max "$(bench_longest_dialect)" 900 || code=1
  return $code
}
