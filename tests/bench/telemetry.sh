# SPDX-License-Identifier: MIT
# The figures of telemetry. Sourced by tests/bench/run.

bench_telemetry_needs="
valgrind              command:valgrind
"

# Instructions that the library takes for each chunk of streams in bulk, from
# the wait for the network to the events, libcurl and libc included.
bench_bulk_instructions() { # BUILD MODE
  local chunks total out=$bench_work/callgrind.$2
  chunks=$(valgrind --tool=callgrind --callgrind-out-file="$out" \
    --toggle-collect=infer_queue_poll_batch \
    "$1/tests/bench/bench_speed" --mode "$2" "$bench_port" \
    2>"$bench_work/valgrind.log")
  chunks=${chunks%.*}
  total=$(sed -n 's/^\(summary\|totals\): //p' "$out" | head -n 1)
  [ "${chunks:-0}" -gt 0 ] && [ "${total:-0}" -gt 0 ] || return 1
  awk -v a="$total" -v b="$chunks" 'BEGIN { printf "%.2f", a / b }'
}

# How the kernel cuts what comes moves a run by some thousandths: the least of
# three.
bench_least_instructions() { # BUILD MODE
  local i
  for i in 1 2 3; do
    bench_bulk_instructions "$1" "$2" || return 1
    echo
  done | sort -n | head -n 1
}

bench_ratio() { # VALUE BASE
  awk -v a="$1" -v b="$2" 'BEGIN { if (a > 0 && b > 0) printf "%.4f", a / b }'
}

# A build without telemetry, the same with it and no hook, and with all of it:
# hooks, records as events, statistics.
bench_telemetry_chunk() {
  local none off on code=0
  setup_build build-bench-untold bench_speed \
    -DCMAKE_BUILD_TYPE=Release -DINFER_TELEMETRY=OFF || return 1
  none=$(bench_least_instructions build-bench-untold infer_untold_bulk) || none=
  off=$(bench_least_instructions build-bench infer_untold_bulk) || off=
  on=$(bench_least_instructions build-bench infer_told_bulk) || on=
  echo "# instructions of a bulk chunk: ${none:-?} without telemetry," \
    "${off:-?} without hooks, ${on:-?} with all of it"
  bench_figure telemetry_off_ratio "$(bench_ratio "$off" "$none")" 1.01 ||
    code=1
  bench_figure telemetry_on_ratio "$(bench_ratio "$on" "$none")" 1.03 || code=1
  return $code
}

bench_telemetry() {
  local code=0
  bench_begin "$bench_telemetry_needs" infer || return 1
  telemetry_invoice || code=1
  bench_compare_p95 || code=1
  telemetry_replay || code=1
  bench_telemetry_chunk || code=1
  return $code
}
