#!/bin/bash
# SPDX-License-Identifier: MIT
# What other compilers' eyes see in lib/ and tools/: clang-tidy and cppcheck.
# (-Wconversion is on in every build of ours, tests and tools included.)
cd "$(dirname "$0")/../.." || exit 1
ran=0
failed=0
for tool in clang-tidy cppcheck; do
  bash tests/style/$tool.sh
  case $? in
    0) ran=1 ;;
    77) ;;
    *) failed=1 ;;
  esac
done
[ $failed -eq 0 ] || exit 1
[ $ran -eq 1 ] || exit 77
