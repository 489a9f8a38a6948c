# SPDX-License-Identifier: MIT
# Plants bug INFER_PLANT_BUG of bugs.cmake: a copy of one source file, with the
# mistake in it, is compiled in its place. The sources themselves carry none.

include(${CMAKE_CURRENT_LIST_DIR}/text.cmake)

# Writes only what has changed, so that nothing is compiled in vain.
function(infer_bug_write path text)
  set(before "")
  if(EXISTS ${path})
    file(READ ${path} before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE ${path} "${text}")
  endif()
endfunction()

# Puts the copy into INFER_SOURCES. Of a tool, infer_planted() does it.
function(infer_bug number file tests suffering original replacement)
  if(NOT number EQUAL INFER_PLANT_BUG)
    return()
  endif()
  infer_bug_path(path ${file})
  set(copy ${PROJECT_BINARY_DIR}/planted/${number}/${file})
  infer_bug_text(text ${number} ${file} "${original}" "${replacement}")
  infer_bug_write(${copy} "${text}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  if(file MATCHES "^tools/")
    set(INFER_PLANTED_FROM ${path} PARENT_SCOPE)
    set(INFER_PLANTED_TO ${copy} PARENT_SCOPE)
  else()
    list(REMOVE_ITEM INFER_SOURCES ${path})
    set(INFER_SOURCES ${INFER_SOURCES} ${copy} PARENT_SCOPE)
  endif()
  set(INFER_BUG_PLANTED ${suffering} PARENT_SCOPE)
endfunction()

unset(INFER_BUG_PLANTED)
include(${CMAKE_CURRENT_LIST_DIR}/bugs.cmake)
if(NOT DEFINED INFER_BUG_PLANTED)
  message(FATAL_ERROR "INFER_PLANT_BUG is ${INFER_PLANT_BUG}, but "
          "tests/mutation/bugs.cmake has no bug of that number")
endif()
message(STATUS "A bug is planted in this build: ${INFER_BUG_PLANTED}")
# The first of all installation commands, so that nothing gets out.
install(CODE "message(FATAL_ERROR \"not installed: bug ${INFER_PLANT_BUG} of \
tests/mutation/bugs.cmake is planted in this build\")")
