#!/bin/bash
# SPDX-License-Identifier: MIT
# check.py, in an environment with the protocol's messages.
#
#   tests/otlp/check.sh VENV
cd "$(dirname "$0")/../.." || exit 1
. tests/support/bindings.sh
log=$1.log
mkdir -p "$(dirname "$1")"
if ! python_environment python3 "$1" "$log" opentelemetry.proto \
  opentelemetry-proto; then
  echo "SKIP: $bindings_reason"
  exit 77
fi
exec "$1/bin/python" tests/otlp/check.py
