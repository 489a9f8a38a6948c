/* SPDX-License-Identifier: MIT */
/* traceparent; see trace_context.h. */
#include "telemetry/trace_context.h"

#include <inttypes.h>
#include <stdio.h>

/* Lower case only: upper case is malformed. */
static int
digit_of(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_hex(inf_sv text, size_t at, size_t digits, uint64_t *value)
{
  uint64_t sum = 0;
  for (size_t i = at; i < at + digits; i++) {
    int digit = digit_of(text.ptr[i]);
    if (digit < 0)
      return false;
    sum = sum << 4 | (uint64_t)digit;
  }
  *value = sum;
  return true;
}

bool
inf_traceparent_read(inf_sv text, inf_trace *trace)
{
  uint64_t version, flags;
  inf_trace read = {.span = 0};
  if (text.len < INF_TRACEPARENT_LEN || text.ptr[2] != '-' ||
      text.ptr[35] != '-' || text.ptr[52] != '-' ||
      !read_hex(text, 0, 2, &version) || !read_hex(text, 3, 16, &read.id[0]) ||
      !read_hex(text, 19, 16, &read.id[1]) ||
      !read_hex(text, 36, 16, &read.parent) || !read_hex(text, 53, 2, &flags))
    return false;
  bool longer = text.len > INF_TRACEPARENT_LEN;
  if (version == 0xff || (version == 0 && longer) ||
      (longer && text.ptr[INF_TRACEPARENT_LEN] != '-') ||
      (read.id[0] == 0 && read.id[1] == 0) || read.parent == 0)
    return false;
  read.flags = (uint8_t)(version == 0 ? flags : flags & INF_TRACE_SAMPLED);
  *trace = read;
  return true;
}

void
inf_traceparent_write(const inf_trace *trace, uint64_t span,
                      char out[INF_TRACEPARENT_LEN + 1])
{
  snprintf(out, INF_TRACEPARENT_LEN + 1,
           "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-%02x", trace->id[0],
           trace->id[1], span, (unsigned)trace->flags);
}
