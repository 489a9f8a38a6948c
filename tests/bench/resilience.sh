# SPDX-License-Identifier: MIT
# The figures of limits, fairness, breaker and outages. Sourced by
# tests/bench/run. The policies' own models print most of them; the simulation
# of the whole library (tests/simulation) gives its speed.
#
#   --seed N       another seed for all of them
#   --load X       another load than 1.3 of the quota
#   --trace FILE   arrivals and lengths of that trace, for the figures of the
#                  limits (formats of shared/data/traces)

resilience_programs="infer_simulation quota_model breaker_model fair_model
limit_steps limit_admit bench_failover calls_simulation"

# Lines "NAME VALUE TARGET ..." of a program become the report's, against the
# targets that stand here and nowhere else; its remarks pass.
resilience_report() { # NAME:TARGET...
  awk -v wanted="$*" '
    BEGIN {
      count = split(wanted, pairs, " ")
      for (i = 1; i <= count; i++) {
        split(pairs[i], pair, ":")
        names[i] = pair[1]
        target[pair[1]] = pair[2]
      }
    }
    /^#/ { print; next }
    $1 in target { value[$1] = $2 }
    END {
      for (i = 1; i <= count; i++) {
        name = names[i]
        limit = target[name]
        least = sub(/^>/, "", limit)
        if (!(name in value)) {
          printf "%s missing %s short\n", name, limit
          bad = 1
          continue
        }
        ok = least ? value[name] + 0 >= limit + 0 : value[name] + 0 <= limit + 0
        printf "%s %s %s %s\n", name, value[name], limit, ok ? "ok" : "short"
        if (!ok) bad = 1
      }
      exit bad
    }'
}

bench_resilience() {
  local code=0 seed=1 load=1.3 trace= dir=build-bench/tests/simulation quota
  while [ $# -gt 0 ]; do
    case $1 in
      --seed) seed=${2:?--seed needs a number} ;;
      --load) load=${2:?--load needs a number} ;;
      --trace)
        trace=${2:?--trace needs a file}
        # tests/bench/run has changed to the project's folder.
        [[ $trace == /* ]] || trace=$OLDPWD/$trace ;;
      *) echo "resilience: unknown option $1" >&2; return 2 ;;
    esac
    shift 2
  done
  setup_install "$setup_needs$setup_needs_for_tests" || return 1
  setup_build build-bench "$resilience_programs" -DCMAKE_BUILD_TYPE=Release ||
    return 1
  quota=$("$dir/quota/quota_model" --seed "$seed" --load "$load" \
    ${trace:+--trace "$trace"})
  [ $? -ne 2 ] || return 2 # it has said why
  echo "$quota" |
    resilience_report 'limit_util_alone:>0.99' limit_429_alone:0.001 \
      'limit_util_cotenant20:>0.98' limit_429_cotenant20:0.001 \
      'limit_util_8procs:>0.95' limit_429_8procs:0.01 \
      'limit_jain_8procs:>0.95' || code=1
  "$dir/limit/limit_steps" 1000000 "$seed" |
    sed -n 's/^violations \([0-9]*\).*/limit_reference_violations \1/p' |
    resilience_report limit_reference_violations:0 || code=1
  "$dir/limit/limit_admit" | resilience_report limit_admit_ns:100 || code=1
  "$dir/fair/fair_model" --seed "$seed" |
    resilience_report 'fair_jain_100_tenants:>0.99' || code=1
  "$dir/breaker/breaker_model" --seed "$seed" |
    resilience_report breaker_detect_100:4 breaker_detect_50:9.5 \
      breaker_detect_20:35 breaker_false_trips:1 outage_amplification_1s:1.05 \
      outage_amplification_100s:0.02 outage_recovery_s:3 || code=1
  "$dir/infer_simulation" --seed "$seed" --seeds 50 --calls 2000 |
    resilience_report 'sim_bytes_calls_per_s:>50000' || code=1
  build-bench/tests/bench/bench_failover |
    resilience_report failover_added_us:200 || code=1
  "$dir/calls/calls_simulation" --seed "$seed" |
    resilience_report 'sim_calls_per_s:>200000' || code=1
  return $code
}
