#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each test that docs/pitfalls.md names exists and is run, and each case of
# the pitfalls' programs is named there. Prints what is missing.
#
#   tests/style/pitfalls.sh [ROOT]
set -u
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root" || exit 1
failed=0

complain() { # TEXT
  printf '%s\n' "$1"
  failed=1
}

cases_of() { # FILE: what its main() runs
  tr -d '\n' <"$1" | grep -oE 'cmocka_unit_test[a-z_]*\( *[a-z0-9_]+' |
    sed 's/.*[( ]//'
}

named=$(grep -oE '(stream|retry|limits|tests/[a-z0-9_/]+\.c): `[a-z0-9_]+`' \
  docs/pitfalls.md | tr -d '`' | sed -E \
  's,^(stream|retry|limits):,tests/scenario/test_pitfalls_\1.c:,')
[ "$(wc -l <<<"$named")" -ge 20 ] || complain "docs/pitfalls.md names few tests"

while IFS=': ' read -r file name; do
  cases_of "$file" | grep -qx "$name" ||
    complain "docs/pitfalls.md: $file has no case $name"
done <<<"$named"

for file in tests/scenario/test_pitfalls_*.c; do
  for name in $(cases_of "$file"); do
    grep -qF "$file: $name" <<<"$named" ||
      complain "$file: $name is not in docs/pitfalls.md"
  done
done
exit $failed
