# SPDX-License-Identifier: MIT
# Shell functions that ./quickstart and tests/run share: they look for what a
# build needs, install what is missing where they may, and build.

# What is needed: the Debian package, and how to see that it is there. A
# command, a pkg-config module (pc:name>=version), a file that the compiler
# finds (h:name), a module of Python (python:name), Python's own headers, the
# system's certificates, or a clang with libFuzzer.
setup_needs="
cmake                 command:cmake
ninja-build           command:ninja
gcc                   command:cc
libc6-dev             h:stdio.h
pkg-config            command:pkg-config
libcurl4-openssl-dev  pc:libcurl>=7.88
libjson-c-dev         pc:json-c>=0.16
libssl-dev            pc:openssl>=3.0
zlib1g-dev            pc:zlib
ca-certificates       certificates:
"
setup_needs_for_tests="
g++                   command:c++
libcmocka-dev         pc:cmocka>=1.1
openssl               command:openssl
nghttp2-proxy         command:nghttpx
jq                    command:jq
"
# For one test, which is skipped where it is not: a package with a service, so
# it is installed by continuous integration only.
setup_likes_for_tests="
prometheus            command:promtool
"
# For the tests of the bindings, which are skipped where it cannot be installed.
setup_needs_for_bindings="
python3               command:python3
python3-venv          python:ensurepip
python3-dev           python-headers:
"
# For tests/run --all, which skips what cannot be installed.
setup_needs_for_all="
clang                 command:clang
libclang-rt-14-dev    fuzzer:
clang-tidy            command:clang-tidy
cppcheck              command:cppcheck
chromium              command:chromium
"

setup_say() {
  printf '%s\n' "$*" >&2
}

setup_has() { # CHECK
  local what=${1#*:}
  case $1 in
    # Debian puts servers where only root's PATH leads.
    command:*) PATH=$PATH:/usr/sbin:/sbin command -v "$what" >/dev/null ;;
    h:*) echo "#include <$what>" | cc -E - >/dev/null 2>&1 ;;
    python:*) python3 -c "import $what" 2>/dev/null ;;
    python-headers:)
      python3 -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
        2>/dev/null ;;
    certificates:)
      [ -e /etc/ssl/certs/ca-certificates.crt ] ||
        [ -e /etc/pki/tls/certs/ca-bundle.crt ] || [ -e /etc/ssl/cert.pem ] ;;
    fuzzer:)
      echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void)
            { return 0; }' |
        clang -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null ;;
    pc:*">="*)
      pkg-config --atleast-version="${what#*>=}" "${what%%>=*}" 2>/dev/null ;;
    pc:*) pkg-config --exists "$what" 2>/dev/null ;;
  esac
}

setup_missing() { # NEEDS: prints the packages that are not there
  local package check
  while read -r package check; do
    if [ -n "$package" ] && ! setup_has "$check"; then
      echo "$package"
    fi
  done <<<"$1"
}

# Runs a command as root: as we are, or by sudo, which asks for a password
# only where somebody can type one.
setup_as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ] && [ -z "${CI:-}" ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

setup_can_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null
}

setup_apt() { # PACKAGE...
  setup_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o Acquire::Retries=3 update &&
    setup_as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install -y \
      --no-install-recommends "$@" >/dev/null
}

# Installs what is missing of NEEDS, or says what to install and fails.
setup_install() { # NEEDS
  local missing
  missing=$(setup_missing "$1" | xargs)
  [ -n "$missing" ] || return 0
  if setup_can_install; then
    setup_say "installing: $missing"
    # shellcheck disable=SC2086
    setup_apt $missing </dev/null || setup_say "apt-get failed"
    missing=$(setup_missing "$1" | xargs)
    [ -n "$missing" ] || return 0
  fi
  setup_say "missing: $missing"
  setup_say "These are Debian's names. Install them, or what your system calls"
  setup_say "them, and run this again:"
  setup_say "  apt-get install $missing"
  return 1
}

setup_jobs() {
  nproc 2>/dev/null || echo 2
}

# Builds the tree of this checkout in DIR; what it prints is shown only if it
# fails.
setup_build() { # DIR TARGETS CMAKE_OPTION...
  local dir=$1 targets=$2 log
  shift 2
  log=$dir/build.log
  mkdir -p "$dir"
  # shellcheck disable=SC2086
  if ! { cmake -S . -B "$dir" -G Ninja "$@" &&
    ninja -C "$dir" -j "$(setup_jobs)" $targets; } >"$log" 2>&1; then
    if grep -q '^FAILED: ' "$log"; then
      sed -n '/^FAILED: /,$p' "$log" | head -n 60 >&2
    else
      tail -n 40 "$log" >&2
    fi
    setup_say "the build in $dir failed"
    return 1
  fi
}
