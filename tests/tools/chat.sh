#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line as a user has it: terminals, pipes, signals, exit codes.
#
#   tests/tools/chat.sh INFER
set -u
infer=${1:?usage: chat.sh INFER}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/sim.sh"
. "$here/../support/check.sh"
work=$(mktemp -d) || exit 1
trap 'sim_stop_all; rm -rf "$work"' EXIT
unset INFER_CONFIG INFER_MODEL OPENAI_API_KEY CLARIFAI_PAT OPENAI_BASE_URL
export HOME=$work XDG_CONFIG_HOME=$work/none TERM=xterm

cat >"$work/sim.json" <<'END'
{ "defaults": { "text": "Hello from the simulator.", "first_token_ms": 5 },
  "models": [ "good", "slow" ],
  "rules": [
    { "when": { "model": "echo" }, "do": { "echo": true } },
    { "when": { "model": "down" }, "do": { "status": 503 } },
    { "when": { "model": "silent" }, "do": { "silence": true } },
    { "when": { "model": "slow" },
      "do": { "tokens": 10000, "text": null, "inter_token_ms": 20 } },
    { "when": { "model": "half" },
      "do": { "cut": { "after_tokens": 3 }, "inter_token_ms": 250 } },
    { "when": { "model": "cut" }, "do": { "cut": { "after_tokens": 2 }, "inter_token_ms": 250 } },
    { "when": { "model": "evil" },
      "do": { "text": "\u001b]0;title\u0007red\r\nend" } },
    { "when": { "model": "thinks" }, "do": { "reasoning": "Let me see." } },
    { "when": { "model": "long" }, "do": { "finish_reason": "length" } },
    { "when": { "model": "tool" },
      "do": { "text": null, "tokens": 0, "tool_calls": [ { "name": "add", "arguments": { "a": 1 } } ] } }
  ] }
END
sim_start "$infer" "$work/sim.json" || exit 1
cat >"$work/infer.json" <<END
{ "providers": [ { "name": "sim", "type": "openai", "proxy": "none",
                   "base_url": "$sim_url/v1", "labels": [ "near" ] } ],
  "routes": {
    "again": { "targets": [ "sim/cut", "sim/good" ], "recovery": "restart" },
    "rest": { "targets": [ "sim/half", { "target": "sim/good",
                                         "prefill": "continue_final_message" } ],
              "recovery": "continue" },
    "safe": { "targets": [ "sim/down", "sim/good" ],
              "stay": { "retries": 0 } } } }
END
export INFER_CONFIG=$work/infer.json

chat() {
  run "$infer" chat "$@"
}

# The same on a terminal, whose lines end in CR LF; standard input is one too.
on_terminal() {
  run script -qec "$(printf '%q ' "$infer" chat "$@")" /dev/null
  out=${out//$'\r\n'/$'\n'}
}

check "prints the answer and ends the line"
chat -m sim/good "Say hello."
exits 0
prints 'Hello from the simulator.
'
is_quiet

check "takes the prompt from arguments, standard input, or both"
chat -m sim/echo one "two three"
prints 'one two three
'
out=$(echo piped | "$infer" chat -m sim/echo)
[ "$out" = piped ] || wrong "stdin: $out"
out=$(echo piped | "$infer" chat -m sim/echo first)
[ "$out" = $'first\n\npiped' ] || wrong "both: $out"
out=$(echo piped | "$infer" chat -m sim/echo first -)
[ "$out" = $'first\n\npiped' ] || wrong "dash: $out"
out=$("$infer" chat -m sim/echo -- -x </dev/null)
[ "$out" = -x ] || wrong "after --: $out"

check "wants a prompt"
chat -m sim/good
exits 2
complains '^infer: no prompt'

check "wants a UTF-8 prompt"
chat -m sim/good $'a\xff'
exits 2
complains 'not UTF-8'

check "takes the model from INFER_MODEL"
INFER_MODEL=sim/good chat x
exits 0

check "lists the choices when no model is named"
chat x
exits 2
complains 'again, rest, safe, sim/MODEL'

check "names the choices when the model is unknown"
chat -m nobody/x x
exits 3
complains 'nobody/x.*sim'

check "takes the only route"
echo '{"providers":[{"name":"sim","type":"openai","proxy":"none","base_url":"'\
"$sim_url"'/v1"}],"routes":{"one":{"targets":["sim/good"]}}}' \
  >"$work/one.json"
chat -c "$work/one.json" x
exits 0
prints 'Hello from the simulator.
'

check "takes the configuration of the home directory"
mkdir -p "$work/.config/infer"
cp "$work/one.json" "$work/.config/infer/config.json"
run env -u INFER_CONFIG -u XDG_CONFIG_HOME "$infer" chat x
exits 0

check "refuses wrong options"
for option in --bogus --max-tokens=0 --max-tokens=x --temperature=hot \
  --temperature=nan --deadline=0 --deadline=1e9 --set=x --set=x=y \
  --set=model=1 --label= --schema=/nonexistent; do
  chat -m sim/good "$option" x
  exits 2
  complains '^infer: '
done
chat -m
exits 2
for command in chat embed models compare decode replay; do
  run "$infer" $command --bogus x
  exits 2
  complains "^infer: unknown or ambiguous option --bogus \(see infer help $command\)$"
  option=--config
  [ $command != decode ] || option=--type
  run "$infer" $command $option
  exits 2
  complains "^infer: a value is missing after $option \(see infer help $command\)$"
  run "$infer" $command --help --bogus
  exits 0
  says "^usage: infer $command "
done
chat --stream --json -m sim/good x
exits 2

check "refuses a wrong configuration"
echo '{"provders":[]}' >"$work/wrong.json"
chat -c "$work/wrong.json" -m sim/good x
exits 3
complains 'provders'
chat -c "$work/nonexistent.json" -m sim/good x
exits 3
run env -u INFER_CONFIG "$infer" chat -m openai/x x
exits 3
complains 'OPENAI_API_KEY'

check "prints the whole response as JSON"
chat -m sim/good --json x
exits 0
says '^\{"id":.*"content":"Hello from the simulator\.".*"usage":'

check "shows a failure in one line"
chat -m sim/down x
exits 1
prints ''
complains '^infer: sim/down: provider overloaded \(HTTP 503\)'

check "shows each attempt"
chat -m safe -v x
exits 0
complains '^\* attempt 1: sim/down \(first\)'
complains 'ended: provider overloaded \(INFER_E_OVERLOADED\)'
complains '   then: the next target$'
complains '^\* attempt 2: sim/good \(failover\)'
complains '   ms: .*lookup .*, connect .*, sent .*, headers .*, first byte .*, end '
complains '   ms: .*first byte .*, first content .*, last content .*, end '
complains 'tokens: in [0-9]+, out [0-9]+'
complains '^\*   cost: \$0\.000000000$'
complains '^\*   cost: not known$'
complains '^\* cost of all attempts: not known$'
complains 'ended: answered'

check "plans without sending"
chat -m safe --plan x
exits 0
says '^1\. sim/down: '
says '^2\. sim/good: '
chat -m safe --plan --label far x
exits 1
says '^1\. sim/down: left out: .*far'
complains 'no target would be tried'
chat -m safe --label far x
exits 1
complains 'no target may serve'
chat -m safe --label far -vv x
complains '^\* info: sim/good is kept out: .* label "far" \(1 calls so far\)$'
chat -m safe --label near x
exits 0

check "keeps to the deadline"
chat -m sim/silent --deadline 0.2 x
exits 1
complains 'deadline'

check "recovers a cut answer that nobody has seen"
chat -m again x
exits 0
prints 'Hello from the simulator.
'

check "reports a cut answer"
chat -m sim/cut x
exits 1
prints ''
complains 'truncated'

check "prints half an answer only where it streams"
chat --stream -m sim/cut x
exits 1
prints 'Hello from
'

check "says that an answer starts over"
chat --stream -m again x
exits 0
says '^Hello from the simulator\.$'
complains 'starts over'

check "prints the rest of an answer that another model goes on with"
chat --stream -v -m rest x
exits 0
prints 'Hello from the simulator.
'
complains 'sim/half.*first'
complains 'sim/good.*continue'

check "warns of the limit of tokens"
chat -m sim/long x
exits 0
complains 'limit of tokens'

check "prints tool calls"
chat -m sim/tool x
exits 0
prints 'add({"a":1})
'
chat --stream -m sim/tool x
prints 'add({"a":1})
'

check "prints reasoning beside the answer when asked"
chat -m sim/thinks x
prints 'Hello from the simulator.
'
is_quiet
chat -m sim/thinks --reasoning x
prints 'Hello from the simulator.
'
complains '^Let me see\.$'

check "prints every choice"
chat -m sim/good --set n=2 x
exits 0
prints 'Hello from the simulator.
--- choice 2 ---
Hello from the simulator.
'
chat --stream -m sim/good --set n=2 x
prints 'Hello from the simulator.
--- choice 2 ---
Hello from the simulator.
'

check "gives a pipe the bytes of the provider"
chat -m sim/evil x
prints $'\e]0;title\ared\r\nend\n'

check "is not a full disk's fool"
run sh -c "\"\$0\" chat -m sim/good x >/dev/full" "$infer"
exits 1
complains 'cannot write to standard output: No space left'

check "ends quietly when the reader goes away"
out=$("$infer" chat --stream -m sim/slow x 2>"$work/stderr" </dev/null |
  head -c 10 | wc -c; echo "codes ${PIPESTATUS[*]}")
err=$(cat "$work/stderr")
says '^10$'
is_quiet
set -o pipefail
"$infer" chat --stream -m sim/slow x </dev/null 2>&1 | head -c 10 >/dev/null ||
  wrong "exit code $?"
set +o pipefail

check "lets itself be interrupted"
set -m
for signal in INT TERM; do
  rm -f "$work/out"
  "$infer" chat --stream -m sim/slow x >"$work/out" 2>"$work/stderr" \
    </dev/null &
  tries=0
  until [ -s "$work/out" ] || [ $tries -gt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  kill -s $signal $!
  wait $!
  code=$? err=$(cat "$work/stderr")
  [ $signal = INT ] && exits 130 || exits 143
  complains '^infer: cancelled$'
done
set +m

if ! command -v script >/dev/null; then
  echo "SKIP: no script(1), which makes a terminal"
else
  check "streams on a terminal"
  on_terminal -m sim/good x
  exits 0
  prints 'Hello from the simulator.
'
  on_terminal -m again x
  says 'starts over'

  check "makes control characters visible on a terminal"
  on_terminal -m sim/evil x
  prints '^[]0;title^Gred
end
'
  on_terminal --no-stream -m sim/evil x
  prints '^[]0;title^Gred
end
'
  check "dims reasoning on a terminal, unless asked not to"
  on_terminal --reasoning -m sim/thinks x
  prints $'\e[2mLet me see.\n\e[0mHello from the simulator.\n'
  NO_COLOR=1 on_terminal --reasoning -m sim/thinks x
  prints $'Let me see.\nHello from the simulator.\n'
fi

check "lists models"
run "$infer" models sim
exits 0
says '^good$'
run "$infer" models sim --json
says '"id": *"slow"'
run "$infer" models nobody
exits 3
run "$infer" models
exits 2

check "shows what is known of models"
run "$infer" models --catalogue
exits 0
says '^# Source: .*, as of 20[0-9-]+\.'
says '^openai +gpt-4o +128000 +16384 +2\.5 +10 +1\.25 +-  tools,images,schema$'
run "$infer" models --catalogue groq
exits 0
says '^groq +openai/gpt-oss-20b '
! grep -q '^openai' <<<"$out" || wrong "models of others"
run "$infer" models --catalogue vllm
exits 0
complains 'nothing is known'
run "$infer" models --catalogue nonsense
exits 2

check "checks and shows configurations"
run "$infer" config check "$work/infer.json"
exits 0
run "$infer" config check "$work/wrong.json"
exits 3
complains 'wrong\.json.*provders'
echo '{"providers":[{"name":"openai","api_key":"sk-secret"}]}' \
  >"$work/key.json"
run "$infer" config show "$work/key.json"
exits 0
says '\*\*\*'
! grep -q sk-secret <<<"$out" || wrong "the key is shown"
run "$infer" config options
says 'timeouts\.first_token_ms'
run "$infer" config
exits 2

check "helps"
for command in chat compare models config decode sim; do
  run "$infer" help $command
  exits 0
  says '^usage: infer '
  run "$infer" $command --help
  exits 0
done
run "$infer" --version
says '^infer [0-9]+\.'
run "$infer"
exits 2
run "$infer" nonsense
exits 2
run sh -c '"$0" config options >/dev/full' "$infer"
exits 1

check_done
