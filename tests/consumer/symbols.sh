#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The symbols that the built library exports are those of lib/libinfer.symbols,
# and those are what the public headers declare.
#
#   tests/consumer/symbols.sh LIBRARY
set -u
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
library=${1:?usage: symbols.sh LIBRARY}
list=$root/lib/libinfer.symbols
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failed=0

if ! sort -uc "$list"; then
  echo "symbols: $list is not sorted, or names something twice"
  failed=1
fi

# "infer_x@@INFER_0" -> infer_x; the version node itself is absolute (A).
nm -D --defined-only "$library" >"$scratch/nm" || exit 1
awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' "$scratch/nm" |
  sort -u >"$scratch/exported"

for header in "$root"/include/infer/*.h; do
  "${CC:-cc}" -E -P -I"$root/include" "$header" || exit 1
done | grep -o '\binfer_[a-z0-9_]*(' | tr -d '(' | sort -u >"$scratch/declared"

tell() { # LINES WHAT
  [ -s "$1" ] || return
  while read -r name; do
    echo "symbols: $name $2"
  done <"$1"
  failed=1
}

comm -13 "$list" "$scratch/exported" >"$scratch/more"
tell "$scratch/more" "is exported but not in lib/libinfer.symbols"
comm -23 "$list" "$scratch/exported" >"$scratch/less"
tell "$scratch/less" "is in lib/libinfer.symbols but not exported"
comm -13 "$list" "$scratch/declared" >"$scratch/unlisted"
tell "$scratch/unlisted" "is declared but not in lib/libinfer.symbols"
comm -23 "$list" "$scratch/declared" >"$scratch/undeclared"
tell "$scratch/undeclared" "is in lib/libinfer.symbols but not declared"

[ $failed -eq 0 ] || exit 1
echo "symbols: $(wc -l <"$list") exported, as listed"
