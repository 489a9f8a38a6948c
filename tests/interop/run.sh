#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs interop.c against the npm package @copilotkit/aimock, an
# OpenAI-compatible server that is not ours. The package is installed into
# WORK_DIR and used again from there. Exit code 77, with a line "SKIP: reason",
# where there is no node that is new enough or no package to be had.
#
#   tests/interop/run.sh INTEROP_PROGRAM WORK_DIR
set -u
program=${1:?usage: run.sh INTEROP_PROGRAM WORK_DIR}
work=${2:?usage: run.sh INTEROP_PROGRAM WORK_DIR}
here=$(cd "$(dirname "$0")" && pwd)
version=${INFER_AIMOCK_VERSION:-1.43.0}
package=$work/node_modules/@copilotkit/aimock
server_pid=

skip() { # REASON
  echo "SKIP: $1"
  exit 77
}

# The package says which node it needs: 20.15 or newer.
node_is_new_enough() {
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
           process.exit(major > 20 || (major === 20 && minor >= 15) ? 0 : 1)'
}

installed_version() {
  sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' "$package/package.json" \
    2>/dev/null | head -n 1
}

install_package() {
  [ "$(installed_version)" != "$version" ] || return 0
  mkdir -p "$work" || return 1
  timeout 100 npm install --prefix "$work" --cache "$work/npm-cache" \
    --no-audit --no-fund --no-save --no-package-lock --ignore-scripts \
    --fetch-retries=1 --fetch-timeout=30000 \
    "@copilotkit/aimock@$version" >"$work/npm.log" 2>&1 </dev/null
}

command -v node >/dev/null || skip "node is not installed"
command -v npm >/dev/null || skip "npm is not installed"
node_is_new_enough || skip "node $(node --version) is older than 20.15"
install_package ||
  skip "npm cannot install @copilotkit/aimock: $(grep -m 1 -iE \
    'err(or)? +[^ ]' "$work/npm.log" 2>/dev/null || echo 'no answer')"

# The server ends when its standard input does: when this shell is gone.
coproc server { exec node "$here/aimock.mjs" "$package" 2>"$work/server.log"; }
server_pid=$server_PID
trap '[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null' EXIT
read -r -t 30 word url <&"${server[0]}"
if [ "${word:-}" != listening ]; then
  echo "aimock did not start:"
  cat "$work/server.log"
  exit 1
fi

INTEROP_URL="$url/v1" timeout 60 "$program" aimock || exit 1
# The tests for a real server have to pass here, too.
INFER_TEST_ENDPOINT="$url/v1" INFER_TEST_KEY=interop-key \
  INFER_TEST_MODEL=some-model timeout 60 "$program" live
