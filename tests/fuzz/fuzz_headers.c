/* SPDX-License-Identifier: MIT */
/* Header lines as a server could send them, and their values through every
 * parser: no wait is over ten years, no time is before 1970. */
#include "wire/headers.h"

#include <infer/infer.h>
#include <stdlib.h>

#define TEN_YEARS_NS (3650ull * 86400 * 1000000000)
#define NOW_NS       1759845000000000000ll

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_wait(bool found, uint64_t ns)
{
  if (found && ns > TEN_YEARS_NS)
    abort();
}

static void
check_value(inf_sv value)
{
  uint64_t ns = 0;
  int64_t wall_ns = 0;

  check_wait(inf_parse_seconds(value, &ns), ns);
  check_wait(inf_parse_millis(value, &ns), ns);
  check_wait(inf_parse_go_duration(value, &ns), ns);
  check_wait(inf_parse_retry_after(value, NOW_NS, &ns), ns);
  check_wait(inf_parse_reset(value, NOW_NS, &ns), ns);
  check_wait(inf_parse_retry_text(value, &ns), ns);
  if (inf_parse_rfc3339(value, &wall_ns) && wall_ns < 0)
    abort();
  if (inf_parse_http_date(value, &wall_ns) && wall_ns < 0)
    abort();
}

static void
check_fields(const inf_headers *headers)
{
  inf_sv name, value, first;
  size_t i = 0;

  for (; inf_headers_at(headers, i, &name, &value); i++) {
    if (!inf_header_name_valid(name) || !inf_headers_get(headers, name, &first))
      abort();
    check_value(value);
  }
  if (i != headers->count)
    abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv rest = inf_sv_of((const char *)data, size);
  inf_headers headers;

  inf_headers_init(&headers, 4096);
  check_value(rest);
  while (rest.len > 0) {
    size_t end = inf_sv_find(rest, '\n');
    size_t n = end < rest.len ? end + 1 : end;

    if (inf_headers_add_line(&headers, inf_sv_of(rest.ptr, n)) != INFER_OK)
      break;
    rest = inf_sv_of(rest.ptr + n, rest.len - n);
  }
  check_fields(&headers);
  inf_headers_fini(&headers);
  return 0;
}
