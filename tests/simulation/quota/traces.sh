#!/bin/bash
# SPDX-License-Identifier: MIT
# Plays small traces, one of each form, and each trace of
# $INFER_SHARED/data/traces where that is: it is read, the quota is kept, and
# hardly anything of it is lost. A file that is no trace is told from one.
#
#   traces.sh QUOTA_MODEL

set -u
model=${1:?traces.sh QUOTA_MODEL}
folder=${INFER_SHARED:-/nowhere}/data/traces
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
  echo "FAILED: $*" >&2
  failed=1
}

# The law alone, one seed. Which traces reach the targets of the default load
# depends on how large their requests are beside the bucket; these bounds hold
# for all.
play() { # FILE
  "$model" --trace "$1" --seeds 1 --goal 0 --brief >"$work/out"
  [ $? -le 1 ] || { fail "$1 is not read"; return; }
  awk '
    $1 == "limit_util_alone" { util = $2; seen++ }
    $1 == "limit_429_alone" { refused = $2; seen++ }
    END { exit !(seen == 2 && util >= 0.85 && util <= 1.01 &&
                 refused <= 0.001) }' "$work/out" ||
    fail "$1: $(grep -v '^#' "$work/out" | tr '\n' ' ')"
}

# What was read of it, as the model tells.
play_small() { # FILE REQUESTS TOO_LONG SPEED
  play "$1"
  head -n 1 "$work/out" | grep -qF \
    "$2 requests, of which $3 are longer than the bucket and left out; played \
at $4 of" || fail "$1: $(head -n 1 "$work/out")"
}

play_drawn() { # FILE LEAST MOST
  play "$1"
  awk -v least="$2" -v most="$3" \
    'NR == 1 { exit !($3 >= least && $3 <= most) }' "$work/out" || fail "$1: $(head -n 1 "$work/out")"
}

refuse() { # FILE WHY
  "$model" --trace "$1" --seeds 1 --goal 0 --brief >"$work/out" 2>"$work/err"
  [ $? -eq 2 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
    grep -qF -- "$2" "$work/err" ||
    fail "$1 is taken for a trace, or it is not said why not: \
$(cat "$work/err")"
}

# Twelve requests of 750 + 250 tokens and one that could never pass come in 12
# seconds: 1.3 of the quota is 13 of them each second.
csv=$work/azure.csv jsonl=$work/lines.jsonl
echo 'TIMESTAMP,ContextTokens,GeneratedTokens' >"$csv"
for i in 00 01 02 03 04 05 06 07 08 09 10 11; do
  echo "2024-05-12 23:59:$((10#$i + 48)).500000+00:00,750,250" >>"$csv"
  echo "{\"timestamp\": \"${i#0}000\", \"input_length\": 750," \
    "\"output_length\": 250, \"hash_ids\": [1]}" >>"$jsonl"
done
echo '2024-05-13 00:00:00,200000,250' >>"$csv"
echo '{"timestamp": 12000, "input_length": 200000, "output_length": 250}' \
  >>"$jsonl"
play_small "$csv" 13 1 13.5
play_small "$jsonl" 13 1 1.408e+04
# Each of five callers makes its second request half a second after its first.
awk 'BEGIN {
  printf "["
  for (i = 0; i < 10; i++)
    printf "%s{\"end_to_end_latency_s\": 0.5, \"error_code\": null, " \
           "\"number_input_tokens\": 750, \"number_output_tokens\": 250}\n",
           i ? "," : ""
  print "]"
}' >"$work/llmperf.json"
play_small "$work/llmperf.json" 10 0 0.7222
# Ten minutes of idleness, and ten with two requests a second that are 1000
# tokens long.
windows=$work/small-trace.csv
printf '0,0,0,,0,0\n600,2,1,Gamma,400,0.5\n1200,0,0,,0,0\n' >"$windows"
echo '{"0": {"input_tokens": "{900: 1.0}", "output_tokens": "{100: 0.5}"},
  "600": {"input_tokens": "{}", "output_tokens": "{}"}}' \
  >"$work/small-dataset.json"
play_drawn "$windows" 1195 1205
printf '0,1,1,Weibull,0.9,1\n600,2,1,Gamma,1,1\n' >"$work/no_lengths.csv"
play_drawn "$work/no_lengths.csv" 1650 1950

echo 'a,b,c' >"$work/other.csv"
printf 'TIMESTAMP,ContextTokens,GeneratedTokens' >"$work/head.csv"
printf 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16,1,2\n' \
  >"$work/no_time.csv"
printf '{"timestamp": 1, "input_length": 2, "output_length": 3}\n{}\n' \
  >"$work/half.jsonl"
printf '[{"end_to_end_latency_s": 1}]' >"$work/no_tokens.json"
printf '0,1,1,Gamma,1,1\n600,1,1,Zipf,1,1\n' >"$work/zipf.csv"
printf '0,1,1,Gamma,1,1\n' >"$work/bad-trace.csv"
echo '{"0": {"input_tokens": "{900}", "output_tokens": "{}"}}' \
  >"$work/bad-dataset.json"
: >"$work/empty"
for pair in other.csv:'no known format' head.csv:'no two requests' \
  no_time.csv:'element 2 is' half.jsonl:'element 2 is' \
  no_tokens.json:'element 1 is' zipf.csv:'element 2 is' \
  bad-trace.csv:'element 1 is' empty:'no known format' \
  absent:'cannot be read'; do
  refuse "$work/${pair%%:*}" "${pair#*:}"
done

played=0
for file in "$folder"/Azure*.csv "$folder"/*.jsonl "$folder"/*/*.jsonl \
  "$folder"/llmperf/*.json "$folder"/servegen/*-trace.csv; do
  [ -e "$file" ] || continue
  play "$file"
  played=$((played + 1))
done
# Latencies, not arrivals.
for file in "$folder"/wrede*.csv "$folder"/llmlatency*.csv; do
  [ ! -e "$file" ] || refuse "$file" 'no known format'
done
echo "$played traces of INFER_SHARED played"
exit $failed
