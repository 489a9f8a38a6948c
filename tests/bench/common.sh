# SPDX-License-Identifier: MIT
# What the benchmarks share: the build, the server, the report. Sourced by
# tests/bench/run.

bench_work=
bench_server_pid=

bench_clean_up() {
  [ -z "$bench_server_pid" ] || kill "$bench_server_pid" 2>/dev/null
  [ -z "$bench_work" ] || rm -rf "$bench_work"
}

# Sets bench_port. The server ends when its standard input does: with this
# shell.
bench_start_server() {
  local i
  coproc bench_server { exec build-bench/tests/bench/bench_server \
    "$bench_work/port"; }
  bench_server_pid=$bench_server_PID
  for i in $(seq 100); do
    [ ! -s "$bench_work/port" ] || break
    sleep 0.1
  done
  bench_port=$(cat "$bench_work/port") && [ -n "$bench_port" ]
}

# One line of the report; fails if the figure falls short. A figure that must
# be large has a target that begins with ">".
bench_figure() { # NAME VALUE TARGET
  awk -v name="$1" -v value="$2" -v target="$3" 'BEGIN {
    least = sub(/^>/, "", target)
    ok = value != "" && (least ? value >= target + 0 : value <= target + 0)
    printf "%s %s %s %s\n", name, value == "" ? "missing" : value, target,
           ok ? "ok" : "short"
    exit !ok
  }'
}

# Installs what is missing, builds and starts the server.
bench_begin() { # NEEDS TARGETS
  trap bench_clean_up EXIT
  bench_work=$(mktemp -d) || return 1
  setup_install "$setup_needs$setup_needs_for_tests$1" || return 1
  setup_build build-bench "bench_server bench_speed $2" \
    -DCMAKE_BUILD_TYPE=Release || return 1
  bench_start_server
}
