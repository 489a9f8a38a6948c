#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs each example against a simulated provider.
#
#   tests/examples/run.sh INFER EXAMPLES_DIR
set -u
infer=${1:?usage: run.sh INFER EXAMPLES_DIR}
examples=${2:?usage: run.sh INFER EXAMPLES_DIR}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/sim.sh"
. "$here/../support/check.sh"
. "$here/../support/examples.sh"
work=$(mktemp -d) || exit 1
trap 'sim_stop_all; rm -rf "$work"' EXIT

cat >"$work/sim.json" <<'END'
{ "defaults": { "text": "Hello from the simulator.", "first_token_ms": 5 },
  "rules": [
    { "when": { "model": "echo" }, "do": { "echo": true } },
    { "when": { "model": "tail", "requests": "*/8" },
      "do": { "first_token_ms": 200 } },
    { "when": { "model": "down" }, "do": { "status": 503 } },
    { "when": { "model": "cut" },
      "do": { "cut": { "after_tokens": 2 }, "inter_token_ms": 250 } },
    { "when": { "model": "tool", "requests": "1" },
      "do": { "tool_calls": [ { "id": "call_1", "name": "get_weather",
                                "arguments": { "city": "Oslo" } } ] } },
    { "when": { "model": "tool" }, "do": { "text": "It is clear in Oslo." } },
    { "when": { "model": "chatty" },
      "do": { "tool_calls": [ { "name": "get_weather" } ] } } ] }
END
sim_start "$infer" "$work/sim.json" || exit 1
examples_configure

examples_check_chat

check "chat takes the providers of the environment"
run env -u INFER_CONFIG OPENAI_BASE_URL="$sim_url/v1" no_proxy=127.0.0.1 \
  "$examples/chat" openai/good x
exits 0
says '^\(openai/good, '

examples_check_stream_and_failover

check eventloop
run "$examples/eventloop" sim/echo 50
exits 0
[ "$(wc -l <<<"${out%$'\n'}")" = 50 ] || wrong "not 50 lines: $out"
for i in 0 7 49; do
  says "^$i: What is $i times 7\\?\$"
done

check "eventloop reports each failure"
run "$examples/eventloop" sim/down 3
says '^2: sim/down: provider overloaded'

check tools
run "$examples/tools" sim/tool
exits 0
prints 'get_weather({"city":"Oslo"})
It is clear in Oslo.
'

check "tools stops a model that never stops"
run "$examples/tools" sim/chatty
exits 1
complains 'no answer within 8 turns'

check quickstart
run "$examples/quickstart" "$work/infer.json" 20 5 sim/good sim/down sim/good
exits 0
says '^sim/good +20 +0 '
says '^sim/down +0 +20 +- '
says '^"sim/good": 0 retries, 0 failovers; answered by sim 20$'
says '^Hello from the simulator\.$'

check "quickstart counts hedges"
cat >"$work/hedge.json" <<END
{ "providers": [ { "name": "sim", "type": "openai", "base_url": "$sim_url/v1",
                   "proxy": "none" } ],
  "routes": {
    "plain": { "targets": [ "sim/tail", "sim/good" ] },
    "hedged": { "targets": [ "sim/tail", "sim/good" ],
                "hedge": { "budget": 0.5 } } } }
END
run "$examples/quickstart" "$work/hedge.json" 200 4 plain hedged
exits 0
says '^hedges: [1-9][0-9]*, for [0-9.]+ % of the calls; [1-9][0-9]* of them were'
says '^infer_client_stats\(\): \{"hedging":\{"hedged":\{"sent":[1-9]'

check "quickstart fails if the last name fails"
run "$examples/quickstart" "$work/infer.json" 4 2 sim/good sim/down
exits 1

check_done
