# SPDX-License-Identifier: MIT
# Shell functions that start and stop simulated providers.

sim_pids=()
sim_url=

# Starts `infer sim` on a free port and sets sim_url. It ends with this shell
# even if that is killed.
sim_start() { # INFER SCRIPT OPTION...
  local infer=$1 script=$2 out tries=0
  shift 2
  out=$(mktemp) || return 1
  "$infer" sim --script "$script" --parent-pid $$ "$@" >"$out" </dev/null &
  sim_pids+=($!)
  sim_url=
  while [ -z "$sim_url" ] && [ $tries -lt 200 ] && kill -0 $! 2>/dev/null; do
    sleep 0.05
    tries=$((tries + 1))
    sim_url=$(sed -n 's/^listening //p' "$out" | head -n 1)
  done
  rm -f "$out"
  if [ -z "$sim_url" ]; then
    echo "infer sim did not start with $script" >&2
    return 1
  fi
}

sim_stop_all() {
  local pid
  for pid in "${sim_pids[@]}"; do
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  sim_pids=()
}
