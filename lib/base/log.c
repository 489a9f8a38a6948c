/* SPDX-License-Identifier: MIT */
/* Log lines on their way to the application's hook. A line is made on the
 * stack: logging allocates nothing and so works when memory is short. */
#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#define MAX_LINE_BYTES 1024

void inf_logf(const inf_log *log, int32_t level, const char *format, ...)
{
  if (!inf_log_enabled(log, level))
    return;
  char line[MAX_LINE_BYTES + 1];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len < 0)
    return;
  if (len > MAX_LINE_BYTES)
    len = MAX_LINE_BYTES;
  (void)inf_text_clean(line, (size_t)len);
  log->fn(level, line, log->user_data);
}
