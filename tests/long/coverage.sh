#!/bin/bash
# SPDX-License-Identifier: MIT
# How much of lib/ the tests run: at least COVERAGE_LEAST (default 90) percent
# of its lines, or this fails. Prints the figure and the five files of which
# the largest part is not run; the whole list is build-coverage/coverage.txt.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh

build=build-coverage
least=${COVERAGE_LEAST:-90}
command -v gcov >/dev/null || {
  echo "SKIP: no gcov"
  exit 77
}

# The tests of the simulated provider run nothing of lib/ that is not run
# elsewhere. Counts of an earlier run, or of sources that have changed, mean nothing.
[ ! -d $build ] || find $build -name '*.gcda' -delete
setup_build $build all -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=gcc \
  -DCMAKE_C_FLAGS="--coverage -O0 -fprofile-update=atomic" || exit 1
ctest --test-dir $build -j "$(setup_jobs)" --timeout 300 --output-on-failure \
  -L 'unit|scenario|conformance|fuzz|tools' -E '^sim/' </dev/null >$build/ctest.log 2>&1 ||
  {
    cat $build/ctest.log
    exit 1
  }

# One line for each file: percent, lines run, lines, name. A line of a header
# counts as run if any file that includes it runs it.
find $build/CMakeFiles/infer_objects.dir -name '*.gcno' -print0 |
  xargs -0 gcov -t 2>/dev/null |
  awk -v root="$PWD/" '
    /^ *-: *0:Source:/ {
      file = $0
      sub(/.*:Source:/, "", file)
      if (index(file, root) == 1) file = substr(file, length(root) + 1)
      mine = file ~ /^lib\//
      next
    }
    !mine { next }
    {
      split($0, part, ":")
      count = part[1]
      gsub(/ /, "", count)
      if (count == "-" || count == "") next
      line = file ":" part[2] + 0
      if (!(line in run)) { run[line] = 0; lines[file]++ }
      if (count !~ /^[#=]/ && !run[line]) { run[line] = 1; ran[file]++ }
    }
    END {
      for (file in lines) {
        printf "%6.2f %5d %5d %s\n", 100 * ran[file] / lines[file], ran[file],
          lines[file], file
      }
    }' | sort -n >$build/coverage.txt

awk -v least="$least" '
  NR <= 5 { printf "%6.2f %% of %s\n", $1, $4 }
  { ran += $2; lines += $3 }
  END {
    share = lines > 0 ? 100 * ran / lines : 0
    printf "%.2f %% of %d lines in %d files of lib/\n", share, lines, NR
    exit share < least
  }' $build/coverage.txt
