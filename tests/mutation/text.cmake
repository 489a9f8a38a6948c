# SPDX-License-Identifier: MIT
# Where a file of the table is: below lib/, or below the root where it begins
# with tools/.
function(infer_bug_path out file)
  set(root ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../..)
  if(NOT file MATCHES "^tools/")
    set(root ${root}/lib)
  endif()
  cmake_path(SET path NORMALIZE ${root}/${file})
  set(${out} ${path} PARENT_SCOPE)
endfunction()

# Gives the file's text with the mistake made. The original text must stand in
# it exactly once, so that the table cannot rot unseen.
function(infer_bug_text out number file original replacement)
  infer_bug_path(path ${file})
  file(READ ${path} text)
  string(FIND "${text}" "${original}" first)
  string(FIND "${text}" "${original}" last REVERSE)
  if(first EQUAL -1)
    set(what "is not there any more")
  elseif(NOT first EQUAL last)
    set(what "is there more than once")
  else()
    string(REPLACE "${original}" "${replacement}" text "${text}")
    set(${out} "#line 1 \"${path}\"\n${text}" PARENT_SCOPE)
    return()
  endif()
  string(REPLACE "\n" "\n  " original "${original}")
  message(SEND_ERROR "bug ${number} of tests/mutation: its "
          "original text ${what} in ${path}. The code has changed: let "
          "the bug make the same mistake in the new code.\n  ${original}")
endfunction()
