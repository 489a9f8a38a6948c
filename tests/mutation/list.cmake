# SPDX-License-Identifier: MIT
# cmake -P list.cmake: checks every entry of bugs.cmake and prints it as
# "number|tests|what the user would suffer".

cmake_minimum_required(VERSION 3.25)

include(${CMAKE_CURRENT_LIST_DIR}/text.cmake)

function(infer_bug number file tests suffering original replacement)
  if(number IN_LIST numbers)
    message(FATAL_ERROR "bugs.cmake has two bugs of number ${number}")
  endif()
  infer_bug_text(text ${number} ${file} "${original}" "${replacement}")
  set(numbers ${numbers} ${number} PARENT_SCOPE)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo
                  "${number}|${tests}|${suffering}")
endfunction()

include(${CMAKE_CURRENT_LIST_DIR}/bugs.cmake)
