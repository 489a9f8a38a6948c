#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the Python binding against a build of the library, in a virtual
# environment below that, checks its types and runs its tests; then makes a
# wheel that bundles the library and uses it where nothing else is installed.
#
#   bindings/python/tests/run.sh BUILD_DIR [PYTEST_OPTION...]
#
# PYTHON (python3) is the interpreter.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:?usage: run.sh BUILD_DIR [PYTEST_OPTION...]}" && pwd) || exit 1
shift
python=${PYTHON:-python3}
. "$here/../../tests/support/bindings.sh"

skip() {
  echo "SKIP: $*"
  exit 77
}

fail() {
  echo "python: $*" >&2
  [ ! -s "$work/log" ] || cat "$work/log" >&2
  exit 1
}

try() { # WHAT COMMAND...: its output is shown only if it fails
  local what=$1
  shift
  "$@" >"$work/log" 2>&1 || fail "$what failed"
}

python_suits "$python" || skip "$bindings_reason"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
work=$build/python/$version
mkdir -p "$work"
rm -rf "$work/source" "$work/prefix" "$work/wheel" "$work/empty" "$work/log"

venv=$work/venv
python_environment "$python" "$venv" "$work/log" \
  "cffi, mypy, pytest, setuptools, wheel" \
  cffi mypy pytest 'setuptools>=64' wheel || skip "$bindings_reason"

# The official package, to be compared with, and its published examples. They
# are for the tests alone, which say what they skip without them.
openai=openai==3.57.0
export INFER_OPENAI_SDIST=$work/official/${openai//==/-}.tar.gz
if ! "$venv/bin/python" -c 'import openai, rich' 2>/dev/null; then
  "$venv/bin/pip" install -q "$openai" rich >"$work/log" 2>&1 ||
    echo "python: no package $openai: $(tail -n 1 "$work/log")" >&2
fi
if [ ! -s "$INFER_OPENAI_SDIST" ]; then
  "$venv/bin/pip" download -q --no-deps --no-binary openai "$openai" \
    -d "$work/official" >"$work/log" 2>&1 ||
    echo "python: no sources of $openai: $(tail -n 1 "$work/log")" >&2
fi

# A copy, so that the sources stay as they are.
cp -R "$here" "$work/source"
rm -rf "$work/source/build" "$work/source/src/"*.egg-info
cd "$work/source" || exit 1
bindings_install_library "$build" "$work/prefix" "$work/log" ||
  fail "$bindings_reason"
pip_build() { python_pip_build "$venv" "$@"; }

try "pip install ." pip_build install --force-reinstall .
try "mypy --strict" "$venv/bin/mypy" --strict src tests examples bench \
  generate.py build_binding.py
export INFER_TOOL=$work/prefix/bin/infer
export INFER_SCENARIOS=$here/../../tests/shared
"$venv/bin/python" -m pytest -q -p no:cacheprovider "$@" tests >"$work/log" 2>&1
code=$?
cat "$work/log"
# "83 passed, 1 skipped in 9.06s"
passed=$(sed -nE 's/^.*\b([0-9]+) passed.*$/\1/p' "$work/log" | tail -n 1)
failed=$(sed -nE 's/^.*\b([0-9]+) failed.*$/\1/p' "$work/log" | tail -n 1)
sed -nE 's/^SKIPPED \[[0-9]+\] (.*)$/SKIP: \1/p' "$work/log"
if [ $code -ne 0 ]; then
  echo "[  PASSED  ] ${passed:-0} test(s)."
  echo "[  FAILED  ] ${failed:-1} test(s)."
  exit 1
fi

# The wheel with the library in it, where there is no other.
LIBINFER_BUNDLE=1 try "building a wheel" pip_build wheel -w "$work/wheel" .
wheel=$(find "$work/wheel" -name 'libinfer-*.whl')
[ -n "$wheel" ] || fail "no wheel was made"
mv "$work/prefix" "$work/moved" || exit 1
trap 'rm -rf "$work/prefix"; mv "$work/moved" "$work/prefix"' EXIT
try "an empty environment" "$python" -m venv "$work/empty"
try "installing the wheel" "$work/empty/bin/pip" --disable-pip-version-check \
  install "$wheel"
cd "$work" || exit 1
export INFER_TOOL=$work/moved/bin/infer PYTHONPATH=$work/source/tests
found=$("$work/empty/bin/python" - <<'END'
from sim import Sim, config_of

import libinfer
from libinfer.openai import OpenAI

sim = Sim({"defaults": {"text": "Hello."}})
with libinfer.Client(config_of(sim)) as client:
    assert client.chat("a/m", "Hi").text == "Hello."
    assert client.stream("a/m", "Hi").result().text == "Hello."
face = OpenAI(base_url=sim.url, api_key="key").chat.completions
hello = [{"role": "user", "content": "Hi"}]
answer = face.create(model="m", messages=hello)
assert answer.choices[0].message.content == "Hello."
sim.stop()
print(next(l.split()[-1] for l in open("/proc/self/maps") if "libinfer.so" in l))
END
) || fail "the wheel does not work"
case $found in
  "$work/empty/"*) ;;
  *) fail "the wheel uses $found" ;;
esac
echo "[  PASSED  ] $((passed + 1)) test(s)."
