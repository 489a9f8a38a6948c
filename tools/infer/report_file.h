/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPORT_FILE_H
#define INF_TOOLS_REPORT_FILE_H

#include "base/buf.h"

#include <stdbool.h>

/* Files that are written at the end of a run that costs money or time. "-" is
 * standard output. */

/* Is path standard output? NULL is not. */
bool inf_report_is_stdout(const char *path);
/* Can it be written? Leaves things as they were. False: it has said why not. */
bool inf_report_check(const char *path);
/* Writes text beside it and renames, so that nobody reads half of one. What is
 * no file of its own (a device, such as /dev/stdout, or a link) is written
 * plainly, and so is a file whose folder takes no other one. False: it has said
 * why. */
bool inf_report_write(const char *path, const inf_buf *text);

#endif
