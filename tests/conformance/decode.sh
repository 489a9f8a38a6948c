#!/bin/bash
# SPDX-License-Identifier: MIT
# infer decode as a user has it: what it prints, and its exit codes.
#
#   tests/conformance/decode.sh INFER
set -u
infer=${1:?usage: decode.sh INFER}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/check.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

decode() { # ARGUMENTS... < body
  out=$("$infer" decode "$@" 2>"$work/stderr"; printf 'code=%d' $?)
  code=${out##*code=}
  out=${out%code=*}
  err=$(cat "$work/stderr")
}

holds() { # TEXT
  case $out in
  *"$1"*) ;;
  *) wrong "no $1 in: $out" ;;
  esac
}

stream='data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}

data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}

data: [DONE]

'
answer='{"id":"c","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"completion_tokens":2,"x_estimated":true}}'

check "a stream is assembled"
decode --type openai --stream <<<"$stream"
exits 0
prints "$answer
"

check "in pieces of any size"
for split in 1 2 3 7 1000; do
  decode --type openai --stream --split "$split" <<<"$stream"
  exits 0
  prints "$answer
"
done

check "a whole body"
decode --type openai --status 200 \
  <<<'{"id":"c","model":"m","choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}'
exits 0
prints "$answer
"

check "a failure with its hint and request id"
printf 'HTTP/2 429\r\nx-request-id: req_7\r\nRetry-After: 1.5\r\n' >"$work/headers"
decode --type openai --status 429 --headers "$work/headers" \
  <<<'{"error":{"message":"slow \"down\"","type":"t","code":7,"param":null}}'
exits 1
prints '{"error":{"class":"INFER_E_RATE_LIMITED","message":"slow \"down\"","type":"t","code":"7","param":null,"http_status":429,"retry_after_ms":1500,"request_id":"req_7","partial":null}}
'

check "what had come of a cut answer"
decode --type openai --stream <<<"${stream%%data: \{\"id\":\"c\",\"model\":\"m\",\"choices\":\[\{\"index\":0,\"delta\":\{\"content\":\"lo*}"
exits 1
holds '"class":"INFER_E_TRUNCATED"'
holds '"content":"Hel"'
holds '"finish_reason":null'

check "several choices must all come"
decode --type openai --stream --choices 2 <<<"${stream%data: \[DONE\]*}"
exits 1
holds '"class":"INFER_E_TRUNCATED"'

check "Clarifai's errors"
decode --type clarifai <<<'{"status":{"code":11005,"description":"too many"}}'
exits 1
holds '"class":"INFER_E_RATE_LIMITED"'
holds '"code":"11005"'

check "wrong usage"
for arguments in "" "--type nosuch" "--type openai --status x" \
  "--type openai --status 99" "--type openai --split 0" \
  "--type openai --nosuch" "--type openai file" "--type" \
  "--type openai --headers $work/none"; do
  # shellcheck disable=SC2086
  decode $arguments </dev/null
  exits 2
  [ -n "$err" ] || wrong "silent about: $arguments"
  [ -z "$out" ] || wrong "printed $out for: $arguments"
done

check "help"
decode --help </dev/null
exits 0
holds "usage: infer decode"

check_done
