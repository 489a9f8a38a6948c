# SPDX-License-Identifier: MIT
# What the examples of every language do alike, checked once for all of them.
# Sourced after sim.sh and check.sh; uses $work, $examples and $sim_url. The
# simulated provider has the models "echo" and "down", "cut" is cut off, and any
# other says "Hello from the simulator."

# The configuration that the examples read.
examples_configure() {
  cat >"$work/infer.json" <<END
{ "providers": [ { "name": "sim", "type": "openai", "proxy": "none",
                   "base_url": "$sim_url/v1" } ],
  "defaults": { "retries": 0 },
  "routes": { "again": { "targets": [ "sim/cut", "sim/good" ], "retries": 2,
                         "recovery": "restart" } } }
END
  export INFER_CONFIG=$work/infer.json
}

examples_check_chat() {
  check chat
  run "$examples/chat" sim/good "Say hello."
  exits 0
  says '^Hello from the simulator\.$'
  says '^\(sim/good, [0-9]+ tokens\)$'

  check "chat sends the prompt"
  run "$examples/chat" sim/echo "What is a hedge?"
  says '^What is a hedge\?$'

  check "chat reports a failure"
  run "$examples/chat" sim/down "Say hello."
  exits 1
  complains '^provider overloaded: sim/down'
}

examples_check_stream_and_failover() {
  check stream
  run "$examples/stream" sim/good "Tell me a story."
  exits 0
  prints 'Hello from the simulator.
(finish reason: stop)
'

  check "stream says that an answer was cut"
  run "$examples/stream" sim/cut x
  exits 1
  says '^Hello'
  complains '^answer truncated: '

  check "stream starts over"
  run "$examples/stream" again x
  exits 0
  says '^\[starting over: '
  says '^Hello from the simulator\.$'

  check failover
  run "$examples/failover" "$sim_url/v1" down "$sim_url/v1" good
  exits 0
  says '^1\. first/down \(first\): provider overloaded$'
  says '^[23]\. second/good \(failover\): answered$'
  says '^Hello from the simulator\.$'

  check "failover without keys says what to set"
  run env -u OPENAI_API_KEY -u CLARIFAI_PAT "$examples/failover"
  exits 1
  complains 'OPENAI_API_KEY'
}
