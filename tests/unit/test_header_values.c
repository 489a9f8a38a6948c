/* SPDX-License-Identifier: MIT */
/* Waits in the forms that providers use; the values in the tables were seen in
 * recorded traffic or stand in the providers' documentation. */
#include "base/clock.h"
#include "base/rng.h"
#include "wire/header_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS           INF_NS_PER_MS
#define SEC          INF_NS_PER_S
#define TEN_YEARS    (3650ull * 86400)

/* 2025-10-07T13:50:00Z */
#define NOW_S  1759845000ll
#define NOW_NS (NOW_S * 1000000000ll)

typedef bool (*parse_fn)(inf_sv text, uint64_t *ns);

typedef struct wait_case {
  const char *text;
  uint64_t ns;
} wait_case;

/* A copy without a byte to spare. */
static bool
parse(parse_fn fn, const char *text, uint64_t *ns)
{
  size_t len = strlen(text);
  char *copy = malloc(len ? len : 1);
  bool ok;

  assert_non_null(copy);
  memcpy(copy, text, len);
  ok = fn(inf_sv_of(copy, len), ns);
  free(copy);
  return ok;
}

static void
check_good(parse_fn fn, const wait_case *cases, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    uint64_t ns = 77;

    if (!parse(fn, cases[i].text, &ns) || ns != cases[i].ns)
      fail_msg("\"%s\" gave %llu", cases[i].text, (unsigned long long)ns);
  }
}

/* What is refused leaves the result alone. */
static void
check_bad(parse_fn fn, const char *const *texts, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    uint64_t ns = 77;

    if (parse(fn, texts[i], &ns) || ns != 77)
      fail_msg("\"%s\" gave %llu", texts[i], (unsigned long long)ns);
  }
}

static const wait_case seconds[] = {
    {"0", 0},
    {"1", SEC},
    {"12", 12 * SEC},
    {"0.5", SEC / 2},
    {"12.599999999", 12599999999},
    {"23.606698751449585", 23606698751},
    {"0.0000000009", 0},
    {"007", 7 * SEC},
    {"315360000", TEN_YEARS *SEC},
};

static const char *const no_numbers[] = {"",
                                         "-1",
                                         "+1",
                                         "1e3",
                                         "nan",
                                         "NaN",
                                         "inf",
                                         "1.",
                                         ".5",
                                         ".",
                                         "1.2.3",
                                         "1,5",
                                         " 1",
                                         "1 ",
                                         "abc",
                                         "False",
                                         "True",
                                         "-0",
                                         "0x10",
                                         "1s",
                                         "--1",
                                         "9223372036854775807",
                                         "9223372036854767616",
                                         "18446744073709551616",
                                         "99999999999999999999999999999",
                                         "1.-5",
                                         "1.5x"};

static void
test_seconds(void **state)
{
  static const char *const over[] = {"315360000.1", "315360001"};

  (void)state;
  check_good(inf_parse_seconds, seconds, COUNT(seconds));
  check_bad(inf_parse_seconds, no_numbers, COUNT(no_numbers));
  check_bad(inf_parse_seconds, over, COUNT(over));
  assert_false(inf_parse_seconds(inf_sv_of(NULL, 0), &(uint64_t){0}));
}

static void
test_millis(void **state)
{
  static const wait_case good[] = {{"0", 0},
                                   {"1500", 1500 * MS},
                                   {"0.5", MS / 2},
                                   {"0.000001", 1},
                                   {"315360000000", TEN_YEARS * SEC}};
  static const char *const over[] = {"315360000000.000001", "315360000001"};

  (void)state;
  check_good(inf_parse_millis, good, COUNT(good));
  check_bad(inf_parse_millis, no_numbers, COUNT(no_numbers));
  check_bad(inf_parse_millis, over, COUNT(over));
}

static const wait_case durations[] = {
    {"0s", 0},
    {"6ms", 6 * MS},
    {"17ms", 17 * MS},
    {"6m0s", 360 * SEC},
    {"1m26.4s", 86400 * MS},
    {"12m57.599999999s", 777599999999},
    {"25m54.826s", 1554826 * MS},
    {"7.899999999s", 7899999999},
    {"1h2m3s", 3723 * SEC},
    {"350us", 350000},
    {"350\xc2\xb5s", 350000},
    {"350\xce\xbcs", 350000},
    {"15ns", 15},
    {"1.5h", 5400 * SEC},
    {"0.1m", 6 * SEC},
    {"48s", 48 * SEC},
    {"34.4s", 34400 * MS},
    {"48.939935699s", 48939935699},
    {"87600h0m0s", TEN_YEARS *SEC},
    {"1s1s", 2 * SEC},
};

static void
test_go_durations(void **state)
{
  static const char *const bad[] = {"",
                                    "s",
                                    "1",
                                    "1m30",
                                    "-1s",
                                    "+1s",
                                    "1 s",
                                    "1s ",
                                    " 1s",
                                    "1d",
                                    "1S",
                                    "1.s",
                                    ".5s",
                                    "1e3s",
                                    "1m-1s",
                                    "ms",
                                    "1\xc2s",
                                    "1\xc2",
                                    "1m s",
                                    "h1",
                                    "87600h1ns",
                                    "87601h",
                                    "999999999999999999999999s",
                                    "2562047h47m16.854775807s",
                                    "87600h0.000000001s"};

  (void)state;
  check_good(inf_parse_go_duration, durations, COUNT(durations));
  check_bad(inf_parse_go_duration, bad, COUNT(bad));
}

/* What Go's own printing gives for any duration reads back exactly. */
static void
test_go_durations_round_trip(void **state)
{
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 31);
  for (int i = 0; i < 100000; i++) {
    uint64_t want = inf_rng_below(&rng, TEN_YEARS * SEC), ns;
    char text[64];

    snprintf(text, sizeof(text), "%lluh%llum%llu.%09llus",
             (unsigned long long)(want / (3600 * SEC)),
             (unsigned long long)(want / (60 * SEC) % 60),
             (unsigned long long)(want / SEC % 60),
             (unsigned long long)(want % SEC));
    assert_true(inf_parse_go_duration(inf_sv_from(text), &ns));
    assert_true(ns == want);
  }
}

static bool
retry_after(inf_sv text, uint64_t *ns)
{
  return inf_parse_retry_after(text, NOW_NS, ns);
}

static void
test_retry_after(void **state)
{
  static const wait_case good[] = {
      {"0", 0},
      {"2", 2 * SEC},
      {"0.25", SEC / 4},
      {"Tue, 07 Oct 2025 13:50:30 GMT", 30 * SEC},
      {"Tuesday, 07-Oct-25 13:51:00 GMT", 60 * SEC},
      {"Tue Oct  7 14:50:00 2025", 3600 * SEC},
      {"Tue, 07 Oct 2025 13:49:59 GMT", 0},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
  };
  static const char *const bad[] = {"",
                                    "-1",
                                    "soon",
                                    "1s",
                                    "Tue, 07 Oct 2055 13:50:30 GMT",
                                    "2025-10-07T13:50:30Z",
                                    "1759845420"};

  (void)state;
  check_good(retry_after, seconds, COUNT(seconds));
  check_good(retry_after, good, COUNT(good));
  check_bad(retry_after, bad, COUNT(bad));
}

static bool
reset(inf_sv text, uint64_t *ns)
{
  return inf_parse_reset(text, NOW_NS, ns);
}

static void
test_reset(void **state)
{
  static const wait_case good[] = {
      {"0", 0},
      {"1", SEC},
      {"60", 60 * SEC},
      {"23.606698751449585", 23606698751},
      {"315360000", TEN_YEARS * SEC},
      {"6ms", 6 * MS},
      {"1m26.4s", 86400 * MS},
      {"1759845420", 420 * SEC},
      {"1759845420.5", 420500 * MS},
      {"1759845420000", 420 * SEC},
      {"1759845420000.5", 420 * SEC + MS / 2},
      {"1759844999", 0},
      {"1759844999000", 0},
      {"1000000001", 0},
      {"1000000000001", 0},
      {"2025-10-07T13:50:30Z", 30 * SEC},
      {"2025-10-07T15:50:30.25+02:00", 30250 * MS},
      {"2025-10-07T13:49:00Z", 0},
      {"Tue, 07 Oct 2025 13:50:30 GMT", 30 * SEC},
  };
  static const char *const bad[] = {"",
                                    "-1",
                                    "False",
                                    "315360001",
                                    "999999999",
                                    "1000000000",
                                    "9300000000",
                                    "1000000000000",
                                    "2759845420",
                                    "2759845420000",
                                    "9223372036854767616",
                                    "9223372036854775807",
                                    "9223372036",
                                    "9223372036854",
                                    "99999999999999999999999999",
                                    "2055-10-07T13:50:30Z",
                                    "2025-10-07",
                                    "1e3",
                                    "nan"};

  (void)state;
  check_good(reset, good, COUNT(good));
  check_bad(reset, bad, COUNT(bad));
}

/* The wall clock may be anything. */
static void
test_extreme_clocks(void **state)
{
  static const int64_t clocks[] = {INT64_MIN, -1, 0, INT64_MAX};
  uint64_t ns;

  (void)state;
  for (size_t i = 0; i < COUNT(clocks); i++) {
    bool late = clocks[i] == INT64_MAX;

    assert_int_equal(
        inf_parse_reset(INF_SV("2025-10-07T13:50:30Z"), clocks[i], &ns), late);
    assert_int_equal(inf_parse_reset(INF_SV("1759845420"), clocks[i], &ns),
                     late);
    assert_true(inf_parse_reset(INF_SV("5s"), clocks[i], &ns));
  }
}

static void
test_retry_text(void **state)
{
  static const wait_case good[] = {
      {"Rate limit reached. Please try again in 5.289s. Visit https://x for "
       "more.",
       5289 * MS},
      {"Please retry after 30 seconds", 30 * SEC},
      {"Please retry in 48.939935699s.", 48939935699},
      {"try again in 1m26.4s", 86400 * MS},
      {"try again in 20 ms", 20 * MS},
      {"Please try again in 20s.", 20 * SEC},
      {"Please try again in 6ms. x", 6 * MS},
      {"TRY AGAIN IN 7M12S.", 432 * SEC},
      {"Retry after 1 second.", SEC},
      {"retry after 5.", 5 * SEC},
      {"retry after 5", 5 * SEC},
      {"retry after 5, please", 5 * SEC},
      {"retry in 2 minutes 5 seconds", 125 * SEC},
      {"retry in 1 hour", 3600 * SEC},
      {"retry in 2 minutes 5.", 120 * SEC},
      {"try again in 1h2m3.5s, or", 3723500 * MS},
      {"Try again in 2 days.", 172800 * SEC},
      {"retry in 500 milliseconds", 500 * MS},
      {"try again in  3 s", 3 * SEC},
      {"try again in 5s 429 Too Many Requests", 5 * SEC},
      {"do not retry after 3 attempts; try again in 4s", 4 * SEC},
      {"try again after 10 secs", 10 * SEC},
      {"{\"message\":\"retry after 26 seconds\"}", 26 * SEC},
      {"retry after 0 seconds", 0},
      {"Rate limit exceeded. Please wait 33 seconds before retrying.",
       33 * SEC},
  };
  static const char *const bad[] = {"",
                                    "try again in",
                                    "try again in ",
                                    "try again later",
                                    "try again in a few seconds",
                                    "retry after 3 attempts",
                                    "please wait before trying again",
                                    "retry after -5 seconds",
                                    "retry after seconds",
                                    "retry in 5 lightyears",
                                    "5 seconds",
                                    "in 5.289s",
                                    "retry after 99999999999999999999 seconds",
                                    "retry after 4000 days",
                                    "retryafter 5s"};

  (void)state;
  check_good(inf_parse_retry_text, good, COUNT(good));
  check_bad(inf_parse_retry_text, bad, COUNT(bad));
  assert_false(inf_parse_retry_text(inf_sv_of(NULL, 0), &(uint64_t){0}));
}

/* Anything may stand in a header: no parser may read past it or give more
 * than ten years. */
static void
test_random_texts(void **state)
{
  static const char alphabet[] = "0123456789.:-+TZ hmsun\xc2\xb5,GMTOctTue/";
  static const parse_fn fns[] = {inf_parse_seconds,
                                 inf_parse_millis,
                                 inf_parse_go_duration,
                                 retry_after,
                                 reset,
                                 inf_parse_retry_text};
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 32);
  for (int i = 0; i < 200000; i++) {
    char text[64];
    size_t len = (size_t)inf_rng_below(&rng, 40);

    snprintf(text, sizeof(text), "%s", i % 2 ? "retry in " : "");
    for (size_t n = strlen(text), end = n + len; n < end; n++) {
      text[n] = alphabet[inf_rng_below(&rng, sizeof(alphabet) - 1)];
      text[n + 1] = '\0';
    }
    for (size_t f = 0; f < COUNT(fns); f++) {
      uint64_t ns = 0;

      parse(fns[f], text, &ns);
      assert_true(ns <= TEN_YEARS * SEC);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_seconds),
      cmocka_unit_test(test_millis),
      cmocka_unit_test(test_go_durations),
      cmocka_unit_test(test_go_durations_round_trip),
      cmocka_unit_test(test_retry_after),
      cmocka_unit_test(test_reset),
      cmocka_unit_test(test_extreme_clocks),
      cmocka_unit_test(test_retry_text),
      cmocka_unit_test(test_random_texts),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
