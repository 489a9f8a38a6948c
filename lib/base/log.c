/* SPDX-License-Identifier: MIT */
/* Log lines on their way to the application's hook. A line is made on the
 * stack: logging allocates nothing and so works when memory is short. */
#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum { line_bytes = 1024 };

void
inf_logf(const inf_log *log, int32_t level, const char *format, ...)
{
  if (!inf_log_enabled(log, level))
    return;
  char line[line_bytes + 1];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len < 0)
    return;
  inf_text_clean(line, len < line_bytes ? (size_t)len : line_bytes);
  log->fn(level, line, log->user_data);
}
