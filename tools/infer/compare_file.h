/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_FILE_H
#define INF_TOOLS_COMPARE_FILE_H

#include "base/buf.h"

#include <stdbool.h>

/* Files that are written at the end of a run that cost money. "-" is standard
 * output. */

/* Is path standard output? NULL is not. */
bool inf_cmp_file_is_stdout(const char *path);
/* Can it be written? Leaves things as they were. Returns 0 or an exit code,
 * having said why not. */
int inf_cmp_file_check(const char *path);
/* Writes text beside it and renames, so that nobody reads half of one; into a
 * device, such as /dev/stdout, plainly. Returns 0 or an exit code, having said
 * why. */
int inf_cmp_file_write(const char *path, const inf_buf *text);

#endif
