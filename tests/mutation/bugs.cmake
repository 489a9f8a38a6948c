# SPDX-License-Identifier: MIT
# Planted bugs: a test of the tests. Each is a mistake that a good engineer
# might make, and that would hurt a user at three in the morning.
#
#   cmake -S . -B build-bug -DINFER_PLANT_BUG=7
#
# configures a build in which one of them is made; such a build cannot be
# installed. tests/long/planted_bugs.sh, and with it `tests/run --all`, makes
# all of them, one after another, and fails if the tests let one pass.
#
# To add a bug, put it with those of its floor:
#
#   infer_bug(NUMBER FILE
#     "TESTS"
#     "what the user would suffer"
#     [[text of lib/FILE, or of FILE where that begins with tools/]]
#     [[the text with the mistake]])
#
# NUMBER   the next that is free: a number keeps its meaning.
# TESTS    as ctest names them, separated by blanks: those that are expected
#          to catch it. They are run first, and only their programs are built;
#          if they do not catch it, all tests are run. Name the unit test of
#          the module, or the test of what the user would see. If none catches
#          the bug, write that test: this is what the bug is for.
# text     as little as says what is wrong, and at least once and at most once
#          in the file. Who changes that code moves the mistake along: the
#          test style/bugs says so.
#
# A mistake that no test can ever see, because something else makes up for it,
# is no bug. Nor is one that does not compile.
foreach(floor base wire provider policy line limit breaker quota transport config engine gate meter api simulation hedge race routing
    bedrock anthropic compat luck models credentials cost embed plugin compare telemetry
    labels otlp budgets)
  include(${CMAKE_CURRENT_LIST_DIR}/${floor}.cmake)
endforeach()
include(${CMAKE_CURRENT_LIST_DIR}/replay.cmake) # of the tools
