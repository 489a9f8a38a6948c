#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each floor of the house uses only the floors below it. Prints the offending
# lines.
#
#   tests/style/includes.sh [ROOT]
set -u
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root" || exit 1

find lib include tools examples bindings/cpp \
  -name '*.[ch]' -o -name '*.[ch]pp' | sort |
  xargs grep -nHE '^[[:space:]]*#[[:space:]]*include' 2>/dev/null |
  awk '
    BEGIN {
      # Floors that a floor may use besides itself and infer/infer.h.
      below["base"] = " "
      below["wire"] = " base "
      below["policy"] = " base wire "
      below["provider"] = " base wire "
      below["transport"] = " base wire "
      below["telemetry"] = " base wire "
      below["config"] = " base wire policy provider transport telemetry "
      below["engine"] = below["config"] "config "
      below["api"] = below["engine"] "engine "
    }
    function offend(why) {
      print $0 "\n    " why
      bad++
    }
    {
      split($0, part, ":")
      file = part[1]
      floor = ""
      if (file ~ /^lib\//) { floor = file; sub(/^lib\//, "", floor)
                             sub(/\/.*/, "", floor) }
      quoted = $0 ~ /include[[:space:]]*"/
      name = $0
      sub(/^[^"<]*["<]/, "", name)
      sub(/[">].*/, "", name)
      first = name
      sub(/\/.*/, "", first)
    }
    name ~ /^curl\// && file !~ /^lib\/transport\/curl[a-z_]*\.[ch]$/ &&
      file !~ /^(tools|tests)\// {
      offend("only lib/transport/curl*.[ch] include curl")
    }
    name ~ /^json-c\// && file !~ /^(tools|tests)\// {
      offend("json-c is for tools and tests only")
    }
    # An example of several files names its own.
    file ~ /^(include|examples|bindings\/cpp)\// && quoted &&
      first != "infer" && !(file ~ /^examples\/plugin\// && name == "parcel.h") {
      offend("only public headers here")
    }
    file ~ /^(include|examples|bindings\/cpp)\// && (first in below) {
      offend("only public headers here")
    }
    floor == "" { next }
    !(floor in below) {
      offend("lib/" floor " is no floor of the house")
      next
    }
    (first in below) && first != floor &&
      index(below[floor], " " first " ") == 0 {
      offend(floor " does not stand above " first)
    }
    name ~ /^transport\/curl/ && file !~ /^lib\/transport\/curl/ {
      offend("the parts of the curl transport are its own")
    }
    quoted && !(first in below) && first != "infer" {
      offend("headers are named from lib/ on, as in \"base/mem.h\"")
    }
    floor == "policy" && (name ~ /^wire\/json/ || name == "time.h") {
      offend("policies see no JSON and no clock")
    }
    floor !~ /^(base|transport)$/ &&
      name ~ /^(sys\/socket|sys\/epoll|netinet\/.*|arpa\/inet|netdb)\.h$|^netinet/ &&
      floor ~ /^(policy|provider|wire|telemetry)$/ {
      offend(floor " sees no socket")
    }
    END { if (bad) exit 1 }
  '
status=("${PIPESTATUS[@]}")
if [ "${status[3]}" -ne 0 ]; then
  echo "includes: the lines above break the rule of floors"
  exit 1
fi
echo "includes: every floor uses only those below it"
