#!/bin/bash
# SPDX-License-Identifier: MIT
# `infer embed` as a user has it: lines in, vectors out.
#
#   tests/tools/embed.sh INFER
set -u
infer=${1:?usage: embed.sh INFER}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/sim.sh"
. "$here/../support/check.sh"
work=$(mktemp -d) || exit 1
trap 'sim_stop_all; rm -rf "$work"' EXIT
unset INFER_CONFIG INFER_MODEL OPENAI_API_KEY CLARIFAI_PAT OPENAI_BASE_URL
export HOME=$work XDG_CONFIG_HOME=$work/none

cat >"$work/sim.json" <<'END'
{ "rules": [ { "when": { "model": "down" }, "do": { "status": 404 } } ] }
END
sim_start "$infer" "$work/sim.json" || exit 1
cat >"$work/infer.json" <<END
{ "providers": [ { "name": "sim", "type": "openai", "proxy": "none",
                   "labels": [ "near" ], "embed_inputs": 3,
                   "base_url": "$sim_url/v1" } ] }
END
export INFER_CONFIG=$work/infer.json

embed() {
  run "$infer" embed "$@"
}

lines() { # TEXT ARGUMENT...: with that on standard input
  printf "$1" >"$work/in"
  shift
  out=$("$infer" embed "$@" <"$work/in" 2>"$work/stderr")
  code=$?
  err=$(cat "$work/stderr")
}

check "a vector a text, in their order"
embed sim/m one two
exits 0
both=$out
embed sim/m two
exits 0
[ "$(tail -n 1 <<<"${both%$'\n'}")" = "${out%$'\n'}" ] || wrong "two is another"
[ "$(wc -l <<<"${both%$'\n'}")" = 2 ] || wrong "$both"

check "lines of standard input, more than fit into one request"
lines '1\n2\n3\n4\n5\n6\r\n7' -v sim/m
exits 0
[ "$(wc -l <<<"$out")" = 7 ] || wrong "$out"
[ "$(grep -c 'sim/m first INFER_OK' <<<"$err")" = 3 ] || wrong "$err"
last=$(tail -n 1 <<<"$out")
embed sim/m 7
[ "$last" = "${out%$'\n'}" ] || wrong "the last line is another"

check "dimensions, base64 and a whole object"
embed -d 2 --json sim/m one
exits 0
[[ $out == '{"object":"list","data":[{"object":"embedding","index":0,'*'"model":"m"'* ]] ||
  wrong "$out"
embed -d 3 --base64 sim/m one
exits 0
[ ${#out} = 19 ] || wrong "$out" # 12 bytes are 16 characters; quotes; newline

check "a label is required"
before=$(curl -s "$sim_url/_sim/log" | wc -c)
embed --label near --label far sim/m one
exits 1
complains 'does not have the required label "far"'
[ "$(curl -s "$sim_url/_sim/log" | wc -c)" = "$before" ] || wrong "it was sent"
embed --label near sim/m one
exits 0

check "what is wrong has its exit code"
embed sim/down one
exits 1
embed
exits 2
embed -d 0 sim/m one
exits 2
embed --label= sim/m one
exits 2
complains 'wrong --label'
embed sim/m ""
exits 2
lines '1\n\n2\n' sim/m
exits 2
embed nowhere/m one
exits 3
embed --help
exits 0
[[ $out == 'usage: infer embed'* ]] || wrong "$out"

check_done
