# SPDX-License-Identifier: MIT
# The figures of the bindings. Sourced by tests/bench/run.
#
# A subject is one program's one measurement, in a process of its own. One round
# measures every subject once, so that a slow minute of the machine meets both
# sides of a ratio; a figure is the median of the rounds' ratios. All clients
# have C's configuration, send the same request and check what they get.

bench_openai_python='openai>=3,<4'
bench_go_version=1.26 # what openai-go asks for

# Name, unit and command: "c" for bench_speed, "python" and "go" for the
# bindings' programs, whose "sdk-" measurements are those of the SDKs.
bench_subjects="
c_merged           CPU   c infer_paced_interval
c_call             time  c infer_latency
python_unary       CPU   python unary
python_sdk_unary   CPU   python sdk-unary
python_bulk        CPU   python bulk
python_sdk_bulk    CPU   python sdk-bulk
python_merged      CPU   python merged
python_call        time  python latency
go_unary           CPU   go unary
go_sdk_unary       CPU   go sdk-unary
go_bulk            CPU   go bulk
go_sdk_bulk        CPU   go sdk-bulk
go_call            time  go latency
"

# Name, of / to, target.
bench_ratios="
python_unary_vs_sdk      python_sdk_unary  python_unary  >10
python_stream_vs_sdk     python_sdk_bulk   python_bulk   >15
python_stream_vs_c       python_merged     c_merged      1.5
go_unary_vs_sdk          go_sdk_unary      go_unary      >2
go_stream_vs_sdk         go_sdk_bulk       go_bulk       >4
python_call_added_ratio  python_call       c_call        1.5
go_call_added_ratio      go_call           c_call        1.1
"

bench_python=
bench_go=

# Sets bench_python, where the binding and the SDK can be installed.
bench_prepare_python() { # PREFIX_OF_LIBRARY
  local python=${PYTHON:-python3} log=$bench_work/python.log
  local venv=$PWD/build-bench/python/venv source=$bench_work/python
  python_suits "$python" || return 1
  python_environment "$python" "$venv" "$log" \
    "cffi, openai, setuptools, wheel" \
    cffi "$bench_openai_python" 'setuptools>=64' wheel || return 1
  cp -R bindings/python "$source" && rm -rf "$source/build"
  python_pip_build "$venv" install --force-reinstall "$source" >"$log" 2>&1 ||
    bindings_fail "the binding does not build: $(tail -n 1 "$log")" || return 1
  bench_python=$venv/bin/python
  "$bench_python" -c 'import openai, platform
print("# Python", platform.python_version() + ", openai", openai.__version__)'
}

# Sets bench_go, where the package and the SDK can be built.
bench_prepare_go() {
  local log=$bench_work/go.log
  go_find "$bench_go_version" "$PWD/build-bench/go/venv" "$log" || return 1
  (cd bindings/go/bench &&
    timeout 600 go build -p 1 -o "$bench_work/go_bench" .) >"$log" 2>&1 ||
    bindings_fail "the program does not build: $(tail -n 1 "$log")" || return 1
  bench_go=$bench_work/go_bench
  export LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  echo "# $(go env GOVERSION), openai-go $(sed -n \
    's/.*openai-go.* v//p' bindings/go/bench/go.mod)"
}

# Where a measurement of a binding's program finds the server.
bench_where() { # MEASUREMENT
  case $1 in
    sdk-*) echo "http://127.0.0.1:$bench_port/${1#sdk-}/v1" ;;
    bulk) echo "$bench_work/infer_bulk.json" ;;
    merged) echo "$bench_work/infer_paced_interval.json" ;;
    *) echo "$bench_work/infer_unary.json" ;;
  esac
}

# That of the last minute, which is the benchmark's own in part.
bench_load() {
  cut -d ' ' -f 1 /proc/loadavg 2>/dev/null
}

bench_write_configs() {
  local name
  for name in infer_bulk infer_paced_interval infer_unary; do
    build-bench/tests/bench/bench_speed --config "$name" "$bench_port" \
      >"$bench_work/$name.json" || return 1
  done
}

bench_measure() { # LANGUAGE MEASUREMENT
  case $1 in
    c) timeout 300 build-bench/tests/bench/bench_speed --mode "$2" \
      "$bench_port" ;;
    python) timeout 300 "$bench_python" bindings/python/bench/speed.py "$2" \
      "$(bench_where "$2")" ;;
    go) timeout 300 "$bench_go" "$2" "$(bench_where "$2")" ;;
  esac </dev/null
}

# Adds a line to the values of each subject. One that fails has none any more,
# so that no figure is made of it.
bench_round() {
  local name unit language measurement value
  while read -r name unit language measurement; do
    [ -f "$bench_work/$name.values" ] || continue
    if value=$(bench_measure "$language" "$measurement"); then
      echo "$value" >>"$bench_work/$name.values"
    else
      echo "# $name failed"
      rm "$bench_work/$name.values"
    fi
  done < <(bench_list)
}

# The subjects that can be measured.
bench_list() {
  local name rest
  while read -r name rest; do
    case $name in
      "") ;;
      python_*) [ -z "$bench_python" ] || echo "$name $rest" ;;
      go_*) [ -z "$bench_go" ] || echo "$name $rest" ;;
      *) echo "$name $rest" ;;
    esac
  done <<<"$bench_subjects"
}

# Median, least and most of the numbers read.
bench_median() {
  sort -n | awk '{ v[NR] = $1 } END {
    if (NR > 0)
      print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[1], v[NR] }'
}

bench_print_medians() {
  local name unit rest median
  while read -r name unit rest; do
    [ -f "$bench_work/$name.values" ] || continue
    read -r median rest < <(bench_median <"$bench_work/$name.values")
    printf '# %s: median %.0f ns of %s per answer\n' "$name" "$median" "$unit"
  done < <(bench_list)
}

bench_print_ratios() {
  local name of to target median least most code=0
  while read -r name of to target; do
    [ -n "$name" ] || continue
    median=
    if [ -f "$bench_work/$of.values" ] && [ -f "$bench_work/$to.values" ]; then
      read -r median least most < <(paste "$bench_work/$of.values" \
        "$bench_work/$to.values" | awk '{ printf "%.4g\n", $1 / $2 }' |
        bench_median)
      echo "# $name: $least to $most"
    fi
    bench_figure "$name" "$median" "$target" || code=1
  done <<<"$bench_ratios"
  return $code
}

bench_bindings() {
  local rounds=${INFER_BENCH_ROUNDS:-15} round name rest
  bench_begin "" "infer_shared infer_static infer" || return 1
  bindings_install_library build-bench "$bench_work/prefix" \
    "$bench_work/install.log" || { setup_say "$bindings_reason"; return 1; }
  bench_prepare_python || echo "# Python is missing: $bindings_reason"
  bench_prepare_go || echo "# Go is missing: $bindings_reason"
  bench_write_configs || return 1
  while read -r name rest; do
    : >"$bench_work/$name.values"
  done < <(bench_list)
  echo "# concurrency 32; load $(bench_load)"
  for round in $(seq "$rounds"); do
    bench_round
    echo "# round $round of $rounds; load $(bench_load)"
  done
  bench_print_medians
  bench_print_ratios
}
