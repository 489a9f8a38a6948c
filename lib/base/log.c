/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

enum { line_bytes = 1024 };

void
inf_logf(const inf_log *log, int32_t level, const char *format, ...)
{
  if (!inf_log_enabled(log, level))
    return;
  char line[line_bytes];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  for (unsigned char *c = (unsigned char *)line; *c; c++)
    if (*c < ' ' || *c == 127)
      *c = ' ';
  log->fn(level, line, log->user_data);
}
