# SPDX-License-Identifier: MIT
# The figures of speed. Sourced by tests/bench/run.

bench_needs="
valgrind              command:valgrind
nodejs                command:node
npm                   command:npm
"
bench_openai_version=6

# Instructions from libcurl's write callback to its return, libc included, for
# each chunk of one steady stream.
bench_chunk_instructions() {
  local chunks total out=$bench_work/callgrind.out
  chunks=$(valgrind --tool=callgrind --callgrind-out-file="$out" \
    --toggle-collect=on_write \
    build-bench/tests/bench/bench_speed --mode infer_one_stream "$bench_port" \
    2>"$bench_work/valgrind.log")
  chunks=${chunks%.*}
  total=$(sed -n 's/^\(summary\|totals\): //p' "$out" | head -n 1)
  [ "${chunks:-0}" -gt 0 ] && [ "${total:-0}" -gt 0 ] || return 1
  echo $((total / chunks))
}

# CPU nanoseconds of one chunk, read by the official SDK for JavaScript.
bench_openai_node() {
  local dir=build-bench/openai
  mkdir -p "$dir"
  [ -d "$dir/node_modules/openai" ] ||
    timeout 300 npm install --prefix "$dir" --no-audit --no-fund --no-save \
      --no-package-lock --ignore-scripts "openai@$bench_openai_version" \
      >"$bench_work/npm.log" 2>&1 </dev/null || return 1
  node tests/bench/openai_node.mjs "$dir" "$bench_port"
}

bench_speed() {
  local code=0 chunk node_ns infer_ns
  bench_begin "$bench_needs" "" || return 1
  build-bench/tests/bench/bench_speed "$bench_port" \
    "${INFER_BENCH_ROUNDS:-15}" || code=1
  chunk=$(bench_chunk_instructions) || chunk=
  bench_figure chunk_instructions "$chunk" 1200 || code=1
  node_ns=$(bench_openai_node) || node_ns=
  infer_ns=$(build-bench/tests/bench/bench_speed --mode infer_bulk \
    "$bench_port") || infer_ns=
  echo "# a chunk costs the JavaScript SDK ${node_ns:-?} ns of CPU; 1,000 cost" \
    "libinfer ${infer_ns:-?}"
  bench_figure vs_openai_node "$(awk -v a="$node_ns" -v b="$infer_ns" \
    'BEGIN { if (a > 0 && b > 0) printf "%.1f", a * 1000 / b }')" ">15" ||
    code=1
  return $code
}
