/* SPDX-License-Identifier: MIT */
/* Header lines as a server could send them, and each value, and the input as
 * a whole, through every parser of values. What a parser accepts must mean
 * what a slow reading by the C library says; and a point in time taken from
 * the first bytes, written in each form, must be read back to the second. */
#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "wire/headers.h"

#include <infer/infer.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEN_YEARS_NS (3650ull * 86400 * INF_NS_PER_S)
#define NOW_NS       1759845000000000000ll
/* The end of 2261. */
#define LAST_SECOND 9214646399ll

/* ---- Numbers ------------------------------------------------------------- */

/* Digits, perhaps a point and more digits, and nothing else. */
static bool
is_decimal(const char *text, size_t len)
{
  size_t whole = strspn(text, "0123456789"), fraction;

  if (whole == 0 || text[whole] != '.')
    return whole > 0 && whole == len;
  fraction = strspn(text + whole + 1, "0123456789");
  return fraction > 0 && whole + 1 + fraction == len;
}

static bool
is_near(uint64_t ns, long double expected)
{
  return fabsl((long double)ns - expected) <= 1 + expected * 1e-15L;
}

/* text is NUL-terminated here; a NUL within makes it no number. */
static void
check_decimal(const char *text, size_t len, long double unit, bool found,
              uint64_t ns)
{
  long double expected = strtold(text, NULL) * unit;
  bool in_range = expected <= (long double)TEN_YEARS_NS - 1;

  if (found)
    FUZZ_CHECK(is_decimal(text, len) && is_near(ns, expected));
  else
    FUZZ_CHECK(!is_decimal(text, len) || !in_range);
}

/* The sum of a Go duration that was accepted. */
static long double
go_sum(const char *text)
{
  long double sum = 0;

  while (*text) {
    char *end;
    long double number = strtold(text, &end);
    size_t unit = strcspn(end, "0123456789");
    long double ns = 0;

    if (*end == 'h')
      ns = 3600e9L;
    else if (strncmp(end, "ms", 2) == 0)
      ns = 1e6L;
    else if (*end == 'm')
      ns = 60e9L;
    else if (*end == 'n')
      ns = 1;
    else
      ns = *end == 's' ? 1e9L : 1e3L;
    sum += number * ns;
    text = end + unit;
  }
  return sum;
}

static void
check_numbers(const char *text, size_t len)
{
  inf_sv value = inf_sv_of(text, len);
  uint64_t ns = 0, other = 0;
  bool found = inf_parse_seconds(value, &ns);

  check_decimal(text, len, 1e9L, found, ns);
  if (found) {
    FUZZ_CHECK(inf_parse_retry_after(value, NOW_NS, &other) && other == ns);
    FUZZ_CHECK(inf_parse_reset(value, NOW_NS, &other) && other == ns);
  }
  found = inf_parse_millis(value, &ns);
  check_decimal(text, len, 1e6L, found, ns);
  if (inf_parse_go_duration(value, &ns)) {
    FUZZ_CHECK(ns <= TEN_YEARS_NS);
    /* Each part may lose less than a nanosecond. */
    FUZZ_CHECK(fabsl((long double)ns - go_sum(text)) <=
               (long double)len + (long double)ns * 1e-15L);
    FUZZ_CHECK(inf_parse_reset(value, NOW_NS, &other) && other == ns);
  }
  if (inf_parse_retry_text(value, &ns))
    FUZZ_CHECK(ns <= TEN_YEARS_NS);
}

/* ---- Dates --------------------------------------------------------------- */

/* What the C library makes of it by the format; -1 if nothing. */
static int64_t
by_format(const char *text, const char *format, const char **rest)
{
  struct tm tm = {0};

  *rest = strptime(text, format, &tm);
  return *rest ? (int64_t)timegm(&tm) : -1;
}

static void
check_rfc3339(const char *text, size_t len)
{
  const char *rest;
  int64_t wall_ns, seconds;
  int hours = 0, minutes = 0;

  if (!inf_parse_rfc3339(inf_sv_of(text, len), &wall_ns))
    return;
  FUZZ_CHECK(wall_ns >= 0 && wall_ns / 1000000000 <= LAST_SECOND + 1);
  seconds = by_format(text, "%Y-%m-%d", &rest);
  FUZZ_CHECK(rest && strlen(text) == len);
  /* The day by the calendar, the time of it by its digits. */
  seconds += (rest[1] - '0') * 36000 + (rest[2] - '0') * 3600 +
             (rest[4] - '0') * 600 + (rest[5] - '0') * 60 +
             (rest[7] - '0') * 10 + (rest[8] - '0');
  rest = strpbrk(rest + 9, "Zz+-");
  FUZZ_CHECK(rest);
  if (*rest == '+' || *rest == '-')
    FUZZ_CHECK(sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2);
  seconds -= (*rest == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  FUZZ_CHECK(wall_ns / 1000000000 == seconds);
}

static void
check_http_date(const char *text, size_t len)
{
  static const char *const formats[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                        "%a, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
  const char *rest = NULL;
  int64_t wall_ns, seconds = -1;
  uint64_t wait;

  if (!inf_parse_http_date(inf_sv_of(text, len), &wall_ns))
    return;
  for (size_t i = 0; i < 3 && !(rest && *rest == '\0'); i++)
    seconds = by_format(text, formats[i], &rest);
  FUZZ_CHECK(rest && strlen(text) == len);
  /* glibc takes the year 69 for 1969, which is before our time. */
  FUZZ_CHECK(wall_ns == seconds * 1000000000 || seconds < 0);
  if (inf_parse_retry_after(inf_sv_of(text, len), NOW_NS, &wait))
    FUZZ_CHECK(wall_ns <= NOW_NS ? wait == 0
                                 : wait == (uint64_t)(wall_ns - NOW_NS));
  else
    FUZZ_CHECK(wall_ns > NOW_NS && (uint64_t)(wall_ns - NOW_NS) > TEN_YEARS_NS);
}

/* A time that is written in some form is read in that form. */
static void
check_written(int64_t seconds, const char *format,
              bool (*parse)(inf_sv text, int64_t *wall_ns))
{
  char text[64];
  struct tm tm;
  time_t when = (time_t)seconds;
  int64_t wall_ns = -1;

  FUZZ_CHECK(gmtime_r(&when, &tm));
  size_t len = strftime(text, sizeof text, format, &tm);
  FUZZ_CHECK(len > 0 && parse(inf_sv_of(text, len), &wall_ns));
  FUZZ_CHECK(wall_ns == seconds * 1000000000);
}

static void
check_time(inf_sv bytes)
{
  uint64_t number = 0;
  int64_t seconds;

  for (size_t i = 0; i < 8; i++)
    number = number << 8 | fuzz_take(&bytes);
  seconds = (int64_t)(number % (LAST_SECOND + 1));
  check_written(seconds, "%Y-%m-%dT%H:%M:%SZ", inf_parse_rfc3339);
  check_written(seconds, "%Y-%m-%d %H:%M:%S.000+00:00", inf_parse_rfc3339);
  check_written(seconds, "%a, %d %b %Y %H:%M:%S GMT", inf_parse_http_date);
  check_written(seconds, "%a %b %e %H:%M:%S %Y", inf_parse_http_date);
  /* Two digits of a year reach to the end of 2069. */
  check_written(seconds % 3155760000, "%A, %d-%b-%y %H:%M:%S GMT",
                inf_parse_http_date);
}

/* ---- Lines --------------------------------------------------------------- */

static void
check_value(inf_sv value)
{
  char *text = malloc(value.len + 1);

  if (!text)
    abort();
  if (value.len > 0)
    memcpy(text, value.ptr, value.len);
  text[value.len] = '\0';
  check_numbers(text, value.len);
  check_rfc3339(text, value.len);
  check_http_date(text, value.len);
  free(text);
}

static void
check_fields(const inf_headers *headers)
{
  inf_sv name, value, first;
  size_t i = 0;

  for (; inf_headers_at(headers, i, &name, &value); i++) {
    FUZZ_CHECK(inf_header_name_valid(name));
    FUZZ_CHECK(inf_headers_get(headers, name, &first));
    check_value(value);
  }
  FUZZ_CHECK(i == headers->count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv rest = inf_sv_of((const char *)data, size);
  inf_headers headers;

  fuzz_memory_begin();
  inf_headers_init(&headers, 4096);
  check_value(rest);
  check_time(rest);
  while (rest.len > 0) {
    inf_sv line = fuzz_take_until(&rest, "\n");
    char *block = fuzz_block(line);
    int32_t status = inf_headers_add_line(&headers, inf_sv_of(block, line.len));

    free(block);
    if (status != INFER_OK)
      break;
  }
  check_fields(&headers);
  inf_headers_fini(&headers);
  fuzz_memory_end(3 * 4096);
  return 0;
}
