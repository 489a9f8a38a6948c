#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What no source of ours contains: functions that cannot know their limits,
# variable-length arrays, lines longer than 80 columns, files without a
# licence line. Prints the offending lines.
#
#   tests/style/banned.sh [ROOT]
set -u
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root" || exit 1
failed=0

sources() { # folders that are there
  local folder
  for folder in include lib tools examples tests bindings; do
    [ ! -d "$folder" ] || find "$folder" -path '*/node_modules' -prune -o \
      \( -name '*.c' -o -name '*.h' -o -name '*.[ch]pp' \) -print
  done | sort
}

complain() { # TEXT
  [ -n "$1" ] || return
  printf '%s\n' "$1"
  failed=1
}

# Code without comments and strings, as "file:line:code".
code() {
  sources | xargs awk '
    FNR == 1 { inside = 0 }
    {
      text = $0
      gsub(/\\\\/, "", text)
      gsub(/\\"/, "", text)
      out = ""
      while (text != "") {
        if (inside) {
          end = index(text, "*/")
          if (!end) break
          text = substr(text, end + 2)
          inside = 0
          continue
        }
        if (!match(text, /\/\*|\/\/|"[^"]*"/)) {
          out = out text
          break
        }
        out = out substr(text, 1, RSTART - 1) " "
        found = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (found == "//") break
        if (found == "/*") inside = 1
      }
      if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
    }'
}

stripped=$(code)
never='sprintf|vsprintf|strcpy|stpcpy|strcat|strncpy|strncat|strtok|atoi|atol'
never="$never|atoll|atof|gets|alloca"
complain "$(grep -E "[^A-Za-z0-9_]($never)[ ]*\(" <<<"$stripped" |
  sed 's/$/    <- banned function/')"

# The library has one door to the heap, ends no process, prints nothing and
# runs in threads.
library='malloc|calloc|realloc|free|strdup|strndup|exit|_exit|abort|printf|puts'
library="$library|perror|assert|signal|sigaction|system|popen|sleep|usleep"
library="$library|strerror|localtime|gmtime|asctime|ctime|setlocale|rand|srand"
complain "$(grep -E '^lib/' <<<"$stripped" | grep -v '^lib/base/mem\.c:' |
  grep -E "[^A-Za-z0-9_>.]($library)[ ]*\(" |
  grep -vE '__attribute__|->free\(' | sed 's/$/    <- not in the library/')"

# Characters are counted, not bytes: continuation bytes of UTF-8 are left out.
# Tables that clang-format is told to leave alone may be wider.
complain "$(sources | LC_ALL=C xargs awk '
  FNR == 1 { off = 0 }
  /clang-format off/ { off = 1 }
  /clang-format on/ { off = 0 }
  !off && length($0) > 80 {
    text = $0
    gsub(/[\200-\277]/, "", text)
    if (length(text) > 80)
      print FILENAME ":" FNR ": " length(text) " columns, more than 80"
  }')"

complain "$({
  sources
  find . -path './build*' -prune -o -path './.git' -prune -o \
    -path '*/node_modules' -prune -o \
    \( -name CMakeLists.txt -o -name '*.cmake' -o -name '*.cmake.in' \
    -o -name '*.sh' -o -name '*.py' \) -print | sort
} | xargs awk '
  FNR <= 2 && /SPDX-License-Identifier: MIT/ { licensed[FILENAME] = 1 }
  FNR == 2 { nextfile }
  END {
    for (i = 1; i < ARGC; i++)
      if (!(ARGV[i] in licensed)) print ARGV[i] ": has no SPDX line"
  }')"

# Variable-length arrays: the compiler knows them best.
modules="libcurl json-c openssl"
# shellcheck disable=SC2086
flags="-std=c11 -D_GNU_SOURCE -Ilib -Iinclude $(pkg-config --cflags $modules)"
# shellcheck disable=SC2086
complain "$(for file in lib/*/*.c tools/*/*.c examples/*.c; do
  [ ! -f "$file" ] || echo "$file"
done | xargs -r -n 32 ${CC:-cc} $flags -Itools -Wvla -fsyntax-only 2>&1 |
  grep -A 2 -e '-Wvla')"

[ $failed -eq 0 ] || exit 1
echo "banned: nothing found in $(sources | wc -l) files"
