#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the programs of README.md as it says, against an installed library,
# runs them against a simulated provider, and checks its configurations.
#
#   tests/examples/readme.sh SOURCE_DIR BUILD_DIR
set -u
source=${1:?usage: readme.sh SOURCE_DIR BUILD_DIR}
build=${2:?usage: readme.sh SOURCE_DIR BUILD_DIR}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/sim.sh"
. "$here/../support/check.sh"
work=$(mktemp -d) || exit 1
trap 'sim_stop_all; rm -rf "$work"' EXIT

# Writes each block that follows "<!-- program: NAME -->" or "config:" to a
# file of that name.
awk -v dir="$work" '
  /^<!-- (program|config): / { name = $3; next }
  /^```/ { inside = name != "" && !inside; if (!inside) name = ""; next }
  inside { print > (dir "/" name) }
' "$source/README.md"

check "README has the programs and configurations"
for name in hello.c failover.c infer.json full.json; do
  [ -s "$work/$name" ] || wrong "no $name"
done

check "the links of the pages lead somewhere"
for page in README.md SECURITY.md CHANGELOG.md \
  $(cd "$source" && echo docs/*.md bindings/*/README.md); do
  while read -r link; do
    (cd "$(dirname "$source/$page")" && [ -e "$link" ]) ||
      wrong "$page: no $link"
  done < <(grep -oE '\]\([^)#:]+\)' "$source/$page" | sed 's/^](//; s/)$//')
done

check "the library installs"
run cmake --install "$build" --prefix "$work/prefix"
exits 0
infer=$work/prefix/bin/infer
library=$(dirname "$(find "$work/prefix" -name libinfer.so | head -n 1)")
export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library
run "$infer" --version
exits 0

check "the programs build"
cd "$work" || exit 1
for name in hello failover; do
  run sh -c "cc $name.c -o $name \$(pkg-config --cflags --libs libinfer)"
  exits 0
  is_quiet
done

cat >sim.json <<'END'
{ "defaults": { "text": "Hello." },
  "rules": [ { "when": { "model": "gpt-4o-mini", "requests": "2-" },
               "do": { "status": 503 } } ] }
END
sim_start "$infer" sim.json || exit 1
export no_proxy=127.0.0.1 OPENAI_API_KEY=key-a CLARIFAI_PAT=key-b
export OPENAI_KEY_A=key-a OPENAI_KEY_B=key-c

check "the first program runs"
OPENAI_BASE_URL=$sim_url/v1 run ./hello
exits 0
prints 'Hello.
'

check "the first program reports what is missing"
run env -u OPENAI_API_KEY -u CLARIFAI_PAT ./hello
exits 1
complains 'OPENAI_API_KEY'

check "the failover program runs"
sed -i "s|\"type\": \"[a-z]*\",|& \"base_url\": \"$sim_url/v1\",|" infer.json
run ./failover
exits 0
says '^openai/gpt-4o-mini: provider overloaded$'
says '^clarifai/oss: success$'
says '^Hello\.$'

check "the configurations are right"
run "$infer" config check infer.json
exits 0
run "$infer" config check full.json
exits 0

check "the command lines are understood"
run "$infer" chat -c infer.json -m safe --plan "Say hello."
exits 0
says '^1\. openai/gpt-4o-mini: '
says '^2\. clarifai/oss: '
run "$infer" chat -c infer.json -m safe -v "Say hello."
exits 0
prints 'Hello.
'
complains '^\* attempt 1: openai/gpt-4o-mini \(first\)'

check_done
