#!/bin/bash
# SPDX-License-Identifier: MIT
# `infer replay` as a user has it: files, options, output, exit codes.
#
#   tests/replay/program.sh INFER
set -u
infer=${1:?usage: program.sh INFER}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/check.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset INFER_CONFIG INFER_MODEL OPENAI_API_KEY CLARIFAI_PAT OPENAI_BASE_URL
export HOME=$work XDG_CONFIG_HOME=$work/none
cd "$work" || exit 1

cat >one.json <<'END'
{ "providers": [ { "name": "a", "type": "openai", "api_key": "env:NO_SUCH" } ],
  "routes": { "r": { "targets": [
    { "target": "a/m", "price": { "input": 1, "output": 4 } } ] } } }
END
sed 's/"output": 4/"output": 8/' one.json >two.json
cat >models.json <<'END'
{ "models": { "a/*": { "first_token_ms": 200, "token_ms": 10 } } }
END
cat >trace.csv <<'END'
time,prompt_tokens,answer_tokens
0,1000,51
1,1000,51
2.5,1000,51
END

replay() {
  run "$infer" replay "$@"
}

# The value of a row in a column of the table, from 1.
row() { # LABEL COLUMN
  awk -v label="$1" -v n="$2" -v columns="$columns" '
    index($0, label) == 1 { print $(NF - columns + n); exit }' <<<"$out"
}

has() { # LABEL COLUMN VALUE
  local got
  got=$(row "$1" "$2")
  [ "$got" = "$3" ] || wrong "$1 of column $2 is $got, not $3, in: $out"
}

check "prints a table, a column for each configuration"
columns=2
replay --models models.json -c one.json --config two.json trace.csv
exits 0
is_quiet
says '^trace.csv: 2\.5 s of requests, seed 1$'
says '^ +one.json +two.json$'
for n in 1 2; do
  has requests $n 3
  has "  answered" $n 3
  has "  failed" $n 0
  has attempts $n 3
  has "prompt tokens" $n 3000
  has "answer tokens" $n 153
  has "  hedges" $n 0
done
awk 'length > 80 { exit 1 }' <<<"$out" || wrong "wider than 80: $out"

check "spends to the nano-dollar"
# 3 * (1000 * 1 + 51 * 4) and 3 * (1000 * 1 + 51 * 8) millionths of a dollar.
has "spend, \$" 1 0.003612000
has "spend, \$" 2 0.004224000

check "writes JSON"
replay --models models.json -c one.json --report none --json out.json trace.csv
exits 0
prints ""
is_quiet
out=$(cat out.json)
says '^\{"version":1,"trace":"trace.csv","seed":1,"speed":1,"span_s":2.5,"configs":\[\{"config":"one.json","interrupted":false,"requests":3,"answered":3,"failed":0,"errors":\{\}'
says '"spend_nano_usd":3612000,'
replay --models models.json -c one.json --report none --json - trace.csv
[ "$out" = "$(cat out.json)"$'\n' ] || wrong "another JSON than in the file"

check "the same command prints the same"
replay --models models.json -c one.json --seed 5 --json - trace.csv
first=$out
replay --models models.json -c one.json --seed 5 --json - trace.csv
[ "$out" = "$first" ] || wrong "printed something else the second time"

check "names that a terminal or JSON would mistake are escaped"
cp trace.csv $'q"\n.csv'
replay --models models.json -c one.json --report none --json - $'q"\n.csv'
says '"trace":"q\\"\\n.csv"'
cp one.json $'q\n\t.json'
replay --models models.json -c $'q\n\t.json' $'q"\n.csv'
says '^q"\?\.csv: 2\.5 s of requests, seed 1$'
says '^ +q\?\?\.json$'

check "takes the first requests only, and faster"
columns=1
replay --models models.json -c one.json --limit 2 --speed 10 trace.csv
says '^trace.csv: 0\.1 s of requests at speed 10, seed 1$'
has requests 1 2

check "a disk that is full is told"
replay --models models.json -c one.json --json /dev/full trace.csv
exits 1
complains 'cannot write /dev/full'
has requests 1 3

check "a file that cannot be written is told before the replay"
replay --models models.json -c one.json --json none/x.json trace.csv
exits 1
complains 'cannot write none/x.json: No such file'
prints ""

check "reads standard input, once"
out=$("$infer" replay --models models.json -c one.json - <trace.csv)
has requests 1 3
replay --models models.json -c one.json -c two.json -
exits 2
complains 'standard input is read once'

check "an empty trace is one"
: >empty.csv
replay --models models.json -c one.json empty.csv
exits 0
has requests 1 0
has "first token p50, ms" 1 -

check "a wrong line is named"
printf '0,1,2\n1,many,2\n' >bad.csv
replay --models models.json -c one.json bad.csv
exits 1
complains '^infer: bad.csv:2: the prompt'"'"'s tokens must be a number'
replay --models models.json -c one.json nowhere.csv
exits 1
complains 'nowhere.csv: No such file'

check "wrong models are named"
echo '{ "models": { "a/*": { "first_token_ms": "soon" } } }' >wrong.json
replay --models wrong.json -c one.json trace.csv
exits 3
complains '^infer: wrong.json: models.a/\*.first_token_ms: must be a number'
echo '{ "models": { "b/*": { "first_token_ms": 1 } } }' >other.json
replay --models other.json -c one.json trace.csv
exits 3
complains 'no model of a provider is for a/m'

check "a wrong configuration is named"
echo '{ "providers": [ { "name": "a", "tpye": "openai" } ] }' >wrong.json
replay --models models.json -c wrong.json -m a/m trace.csv
exits 3
complains 'tpye'
replay --models models.json -c one.json -c wrong.json -m a/m trace.csv
exits 3
complains '^infer: wrong.json: providers\[0\].tpye: '
prints ""
sed 's|"a/m"|"a/n"|' one.json >other_target.json
sed 's|"a/\*"|"a/m"|' models.json >m.json
replay --models m.json -c one.json -c other_target.json trace.csv
exits 3
complains '^infer: other_target.json: not played to its end$'
has requests 1 3

check "a time that no clock reaches is refused"
printf '0,1,2\n7e9,1,2\n' >late.csv
replay --models models.json -c one.json late.csv
exits 1
complains '^infer: late.csv:2: at this speed, more than 190 years'
printf '0,1,2\n7e6,1,2\n' >late.csv
replay --models models.json -c one.json --speed 0.001 late.csv
exits 1
replay --models models.json -c one.json --speed 0.01 late.csv
exits 0

check "a NUL byte is no end of a line"
printf '0,1,2\n1,1,2\0more\n2,1,2\n' >nul.csv
replay --models models.json -c one.json nul.csv
exits 1
complains '^infer: nul.csv:2: contains a NUL byte'
printf 'time,prompt_tokens,answer_tokens,tenant\n0,1,2,a\tb\n' >tab.csv
replay --models models.json -c one.json tab.csv
exits 1
complains '^infer: tab.csv:2: the name of its model or tenant is not valid'

check "a trace that names its models needs no --model"
sed 's|"r": {|"s": { "targets": [ "a/n" ] }, "r": {|' one.json >routes.json
printf 'time,prompt_tokens,answer_tokens,model\n0,10,5,r\n1,10,5,s\n' >named.csv
replay --models models.json -c routes.json named.csv
exits 0
has requests 1 2
has "  answered" 1 2
echo '2,10,5,' >>named.csv
replay --models models.json -c routes.json named.csv
exits 2
complains '^infer: named.csv:4: the request names no model'
replay --models models.json -c routes.json -m s named.csv
exits 0

check "what fails for nothing is no price of what is answered"
sed 's|, "price": {[^}]*}||' one.json >unpriced.json
sed 's|"token_ms": 10|&, "failures": { "connect": 0.5 }|' models.json >half.json
replay --models half.json -c unpriced.json trace.csv
has "spend, \$" 1 unknown
says '^unpriced.json: the cost of 3 of [0-9]+ attempts is not known$'

check "models are fitted to what infer compare measured"
cat >compared.json <<'END'
{ "version": 1, "targets": [ { "target": "a/m", "samples": [
  { "prompt_tokens": 10, "output_tokens": 11, "ttft_ms": 300, "total_ms": 500, "status": "INFER_OK" },
  { "prompt_tokens": 10, "output_tokens": 11, "ttft_ms": 300, "total_ms": 500, "status": "INFER_OK" } ] } ] }
END
replay --models compared.json -c one.json --report none --json - trace.csv
exits 0
says '"ttft_ms":\{"p50":(29[89]|30[01])'
says '"total_ms":\{"p50":1(29|30)'

check "wrong usage is told"
for args in "trace.csv" "--models models.json" "--models models.json a b" \
  "--models models.json --speed 0 trace.csv" \
  "--models models.json --limit x trace.csv" \
  "--models models.json --report html trace.csv" "--nonsense"; do
  # shellcheck disable=SC2086
  replay $args
  exits 2
  [ -n "$err" ] || wrong "says nothing about $args"
done
run "$infer" help replay
exits 0
says '^usage: infer replay'

check "a signal keeps what was done"
awk 'BEGIN { for (i = 0; i < 3000000; i++) print i / 100 ",100,51" }' >long.csv
"$infer" replay --models models.json -c one.json -c two.json long.csv \
  >cut.txt 2>&1 </dev/null &
sleep 1
kill -INT $!
wait $!
code=$?
err=
out=$(cat cut.txt)
exits 130
says '^one.json: interrupted after [0-9]+ requests$'
[ "$(row requests 1)" -gt 0 ] || wrong "nothing was done: $out"
[ "$(row requests 1)" = "$(row '  answered' 1)" ] || wrong "calls are lost: $out"

check "a signal ends the wait for standard input"
"$infer" replay --models models.json -c one.json - >cut.txt 2>&1 \
  < <(cat trace.csv; exec sleep 3) &
sleep 1
kill -TERM $!
wait $!
code=$?
err=
out=$(cat cut.txt)
exits 143
says '^one.json: interrupted after [01] requests$'

check_done
