#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs each C++ example against a simulated provider.
#
#   tests/cpp/examples.sh INFER EXAMPLES_DIR
set -u
infer=${1:?usage: examples.sh INFER EXAMPLES_DIR}
examples=${2:?usage: examples.sh INFER EXAMPLES_DIR}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/sim.sh"
. "$here/../support/check.sh"
. "$here/../support/examples.sh"
work=$(mktemp -d) || exit 1
trap 'sim_stop_all; rm -rf "$work"' EXIT

cat >"$work/sim.json" <<'END'
{ "defaults": { "text": "Hello from the simulator.", "first_token_ms": 5 },
  "rules": [
    { "when": { "model": "echo" },
      "do": { "echo": true, "first_token_ms": 100, "inter_token_ms": 400 } },
    { "when": { "model": "down" }, "do": { "status": 503 } },
    { "when": { "model": "cut" },
      "do": { "cut": { "after_tokens": 2 }, "inter_token_ms": 250 } } ] }
END
sim_start "$infer" "$work/sim.json" || exit 1
examples_configure

examples_check_chat

check "chat takes the providers of the environment"
run env -u INFER_CONFIG OPENAI_API_KEY=key OPENAI_BASE_URL="$sim_url/v1" \
  no_proxy=127.0.0.1 "$examples/chat" openai/good x
exits 0
says '^\(openai/good, '

examples_check_stream_and_failover

check "200 streams at once"
run "$examples/many" sim/echo 200
exits 0
[ "$(wc -l <<<"${out%$'\n'}")" = 200 ] || wrong "not 200 lines: $out"
for i in 0 7 199; do
  says "^$i: What is $i times 7\\?\$"
done
complains '200 of 200 ended, 0 failed'
most=$(tr '\r' '\n' <<<"$err" | awk '$1 > most { most = $1 } END { print most }')
[ "$most" -ge 150 ] || wrong "at most $most were streaming at once"

check "many counts each failure"
run "$examples/many" sim/down 3
exits 1
says '^2: sim/down: provider overloaded'
complains '0 streaming, 3 of 3 ended, 3 failed'

check_done
