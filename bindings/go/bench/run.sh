#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures the Go package: a blocking call beside C's, a streamed chunk beside
# openai-go. One line for each figure: name, value, target, "ok" or "short".
# Exits with 1 if one falls short.
#
#   bindings/go/bench/run.sh BUILD_DIR
#
# BUILD_DIR is a release build of the library with its tests. Go 1.23 and the
# module proxy are needed. A quiet machine is, too: everything is measured
# INFER_BENCH_ROUNDS (5) times in turn, and the median of the rounds' ratios
# counts.
set -u
build=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd) || exit 1
cd "$(dirname "$0")" || exit 1
rounds=${INFER_BENCH_ROUNDS:-5}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/log" || exit 1
libdir=$(dirname "$(find "$work/prefix" -name libinfer.so | head -n 1)")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
go build -p 1 -o "$work/bench" . || exit 1

# The server ends when its standard input does: with this shell.
coproc server { exec "$build/tests/bench/bench_server" "$work/port"; }
for _ in $(seq 100); do
  [ ! -s "$work/port" ] || break
  sleep 0.1
done
port=$(cat "$work/port") || exit 1

go_run() { "$work/bench" "$1" "$port"; }
c_run() { "$build/tests/bench/bench_speed" --mode "$1" "$port"; }
# bench_speed counts a stream's thousand chunks as one.
c_paced() { c_run infer_paced | awk '{ print $1 / 1000 }'; }

# Rounds of two measurements; prints the median of first / second.
ratio() { # COMMAND COMMAND
  local a b
  for _ in $(seq "$rounds"); do
    a=$($1) && b=$($2) || return 1
    echo "# $1: $a, $2: $b" >&2
    awk -v a="$a" -v b="$b" 'BEGIN { print a / b }'
  done | sort -n | awk '{ v[NR] = $1 }
    END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

code=0
figure() { # NAME VALUE TARGET: at most TARGET, or at least, if it begins with >
  awk -v name="$1" -v value="$2" -v target="$3" 'BEGIN {
    least = sub(/^>/, "", target)
    ok = value != "" && (least ? value >= target + 0 : value <= target + 0)
    printf "%s %.2f %s %s\n", name, value, target, ok ? "ok" : "short"
    exit !ok
  }' || code=1
}

figure chat_latency_ratio \
  "$(ratio "go_run latency" "c_run infer_latency")" 1.1
figure bulk_vs_openai_go "$(ratio "go_run openai-bulk" "go_run bulk")" ">4"
# Chunks that come one by one cost the kernel more than any client, so here
# C is what there is to compare with.
figure paced_vs_c "$(ratio "go_run paced" c_paced)" 1.25
exit $code
