/* SPDX-License-Identifier: MIT */
/* Dates: both families of forms, every day of the calendar against the C
 * library, strict ranges, and no dependence on the time zone. */
#include "wire/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEC          1000000000ll

typedef bool (*date_fn)(inf_sv text, int64_t *wall_ns);

typedef struct date_case {
  const char *text;
  int64_t wall_ns;
} date_case;

static void
check_good(date_fn fn, const date_case *cases, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int64_t ns = -77;

    if (!fn(inf_sv_from(cases[i].text), &ns) || ns != cases[i].wall_ns)
      fail_msg("\"%s\" gave %lld", cases[i].text, (long long)ns);
  }
}

/* Nor is any proper prefix of a good one a date, and nothing may follow. */
static void
check_edges(date_fn fn, const date_case *cases, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    size_t len = strlen(cases[i].text);
    char longer[64];
    int64_t ns;

    for (size_t n = 0; n < len; n++) {
      char *copy = malloc(n ? n : 1);

      assert_non_null(copy);
      memcpy(copy, cases[i].text, n);
      assert_false(fn(inf_sv_of(copy, n), &ns));
      free(copy);
    }
    snprintf(longer, sizeof(longer), "%s ", cases[i].text);
    assert_false(fn(inf_sv_from(longer), &ns));
  }
}

static void
check_bad(date_fn fn, const char *const *texts, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int64_t ns = -77;

    if (fn(inf_sv_from(texts[i]), &ns) || ns != -77)
      fail_msg("\"%s\" gave %lld", texts[i], (long long)ns);
  }
}

static const date_case rfc3339[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-08-02T17:43:57Z", 1785692637 * SEC},
    {"2026-08-02t17:43:57z", 1785692637 * SEC},
    {"2026-08-02 17:43:57Z", 1785692637 * SEC},
    {"2026-08-02T17:43:57.123+02:00", 1785685437123000000},
    {"2026-08-02T17:43:57.123456789123Z", 1785692637123456789},
    {"2026-08-02T17:43:57-05:30", 1785712437 * SEC},
    {"2026-08-02T17:43:57+00:00", 1785692637 * SEC},
    {"1970-01-01T02:00:00+02:00", 0},
    {"2024-02-29T00:00:00Z", 1709164800 * SEC},
    {"2000-02-29T00:00:00Z", 951782400 * SEC},
    {"2016-12-31T23:59:60Z", 1483228800 * SEC},
    {"2261-12-31T23:59:59.999999999Z", 9214646399999999999},
};

static void
test_rfc3339(void **state)
{
  static const char *const bad[] = {
      "2026-08-02",
      "2026-08-02T17:43Z",
      "2026-08-02T17:43:57",
      "2026-08-02T17:43:57.Z",
      "2026-08-02T24:00:00Z",
      "2026-08-02T17:60:00Z",
      "2026-08-02T17:43:61Z",
      "2026-00-02T17:43:57Z",
      "2026-13-02T17:43:57Z",
      "2026-08-00T17:43:57Z",
      "2026-08-32T17:43:57Z",
      "2026-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2100-02-29T00:00:00Z",
      "2026-8-02T17:43:57Z",
      "26-08-02T17:43:57Z",
      "2026/08/02T17:43:57Z",
      "2026-08-02T17:43:57+2:00",
      "2026-08-02T17:43:57+0200",
      "2026-08-02T17:43:57+24:00",
      "2026-08-02T17:43:57+02:60",
      "2026-08-02T-7:43:57Z",
      "2026-08-02T+7:43:57Z",
      "1969-12-31T23:59:59Z",
      "1970-01-01T00:00:00+00:01",
      "0001-01-01T00:00:00Z",
      "2262-01-01T00:00:00Z",
      "9999-12-31T23:59:59Z",
      " 2026-08-02T17:43:57Z",
      "2026-08-02X17:43:57Z",
      "12026-08-02T17:43:57Z",
  };

  (void)state;
  check_good(inf_parse_rfc3339, rfc3339, COUNT(rfc3339));
  check_edges(inf_parse_rfc3339, rfc3339, COUNT(rfc3339));
  check_bad(inf_parse_rfc3339, bad, COUNT(bad));
  assert_false(inf_parse_rfc3339(inf_sv_of(NULL, 0), &(int64_t){0}));
}

static const date_case http_dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777 * SEC},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777 * SEC},
    {"Sun Nov  6 08:49:37 1994", 784111777 * SEC},
    {"Sun Nov 16 08:49:37 1994", 784975777 * SEC},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Thursday, 01-Jan-70 00:00:00 GMT", 0},
    {"Wednesday, 31-Dec-69 23:59:59 GMT", 3155759999 * SEC},
    {"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 * SEC},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 * SEC},
};

static void
test_http_dates(void **state)
{
  static const char *const bad[] = {
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 06 nov 1994 08:49:37 GMT",
      "sun, 06 Nov 1994 08:49:37 GMT",
      "Son, 06 Nov 1994 08:49:37 GMT",
      "Sun 06 Nov 1994 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 32 Nov 1994 08:49:37 GMT",
      "Sun, 31 Nov 1994 08:49:37 GMT",
      "Sun, 29 Feb 2023 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:49:37 GMT",
      "Sun, 06 Nov 1994 08:60:37 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 1994 8:49:37 GMT",
      "Sun, 06 Nov 1969 08:49:37 GMT",
      "Sun, 06 Nov 2262 08:49:37 GMT",
      "Sun, 06-Nov-94 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sunday, 06 Nov 1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov  0 08:49:37 1994",
      "Sun Nov 06 08:49:37 94",
      "Sun Nov  16 08:49:37 1994",
      "120",
  };

  (void)state;
  check_good(inf_parse_http_date, http_dates, COUNT(http_dates));
  check_edges(inf_parse_http_date, http_dates, COUNT(http_dates));
  check_bad(inf_parse_http_date, bad, COUNT(bad));
  assert_false(inf_parse_http_date(inf_sv_of(NULL, 0), &(int64_t){0}));
}

/* Every day that there is, in all forms, as the C library writes it. */
static void
test_every_day(void **state)
{
  static const char *const formats[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};

  (void)state;
  for (time_t day = 0; day < 292 * 365; day++) {
    time_t at = day * 86400 + day % 86400;
    struct tm tm;
    char text[64];
    int64_t ns;

    gmtime_r(&at, &tm);
    for (size_t f = 0; f < COUNT(formats); f++) {
      assert_true(strftime(text, sizeof(text), formats[f], &tm) > 0);
      assert_true(inf_parse_http_date(inf_sv_from(text), &ns));
      assert_true(ns == at * SEC);
    }
    assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
    assert_true(inf_parse_rfc3339(inf_sv_from(text), &ns));
    assert_true(ns == at * SEC);
    if (at < 3155760000) {
      assert_true(
          strftime(text, sizeof(text), "%A, %d-%b-%y %H:%M:%S GMT", &tm) > 0);
      assert_true(inf_parse_http_date(inf_sv_from(text), &ns));
      assert_true(ns == at * SEC);
    }
  }
}

static void
test_time_zone_does_not_matter(void **state)
{
  (void)state;
  setenv("TZ", "Asia/Kathmandu", 1);
  tzset();
  check_good(inf_parse_http_date, http_dates, COUNT(http_dates));
  check_good(inf_parse_rfc3339, rfc3339, COUNT(rfc3339));
  unsetenv("TZ");
  tzset();
}

/* Each day that can be written, at its first and last second. */
static void
test_basic_dates_of_every_day(void **state)
{
  (void)state;
  for (int64_t day = 0; day < 106751; day++) {
    for (int64_t second = day * 86400; second < (day + 1) * 86400;
         second += 86399) {
      char text[INF_BASIC_DATE_BYTES], want[32];
      time_t time = (time_t)second;
      struct tm tm;

      gmtime_r(&time, &tm);
      strftime(want, sizeof(want), "%Y%m%dT%H%M%SZ", &tm);
      inf_write_basic_date(second * SEC + 999999999, text);
      assert_string_equal(text, want);
    }
  }
}

static void
test_basic_dates_at_the_edges(void **state)
{
  char text[INF_BASIC_DATE_BYTES];

  (void)state;
  inf_write_basic_date(-1, text);
  assert_string_equal(text, "19700101T000000Z");
  inf_write_basic_date(INT64_MAX, text);
  assert_string_equal(text, "22620411T234716Z");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rfc3339),
      cmocka_unit_test(test_http_dates),
      cmocka_unit_test(test_every_day),
      cmocka_unit_test(test_time_zone_does_not_matter),
      cmocka_unit_test(test_basic_dates_of_every_day),
      cmocka_unit_test(test_basic_dates_at_the_edges),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
