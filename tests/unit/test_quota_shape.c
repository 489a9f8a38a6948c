/* SPDX-License-Identifier: MIT */
#include "policy/quota_shape.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S      INF_NS_PER_S
#define MS     INF_NS_PER_MS
#define MINUTE (60 * S)
#define DAY    (86400 * S)
#define NO     INF_QUOTA_UNKNOWN

static inf_quota_sight
sight(int64_t limit, int64_t remaining, uint64_t reset_ns)
{
  return (inf_quota_sight){0, limit, remaining, (int64_t)reset_ns, false};
}

/* ---- Period -------------------------------------------------------------- */

/* A bucket of `limit` in period_ns whose reset is the time until it is full,
 * in whole units of `unit_ns`. */
static void
tell_bucket(inf_quota_shape *shape, int64_t limit, uint64_t period_ns,
            int64_t used, uint64_t unit_ns)
{
  uint64_t reset_ns =
      (uint64_t)((double)used / (double)limit * (double)period_ns);
  inf_quota_sight s = sight(limit, limit - used, reset_ns / unit_ns * unit_ns);
  inf_quota_shape_period(shape, &s);
}

/* Groq: 1000 requests a day, a reset of 86.4 s for each that is used. */
static void
test_a_day(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  tell_bucket(&shape, 1000, DAY, 1, 100 * MS);
  assert_int_equal(shape.period_ns, 0);
  tell_bucket(&shape, 1000, DAY, 1, 100 * MS);
  assert_int_equal(shape.period_ns, 0);
  tell_bucket(&shape, 1000, DAY, 2, 100 * MS);
  assert_int_equal(shape.period_ns, DAY);
}

static void
test_a_minute_is_not_taken_for_less(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  for (int64_t used = 1; used < 600; used++) {
    tell_bucket(&shape, 600, MINUTE, used, MS);
    tell_bucket(&shape, 600, MINUTE, used, S);
    tell_bucket(&shape, 200000, MINUTE, used, MS);
    assert_int_equal(shape.period_ns, 0);
  }
}

/* The end of a window: used * period / limit does not hold for it. */
static void
test_a_window_is_no_hour(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  for (int64_t used = 1; used < 600; used++) {
    inf_quota_sight s =
        sight(600, 600 - used, MINUTE - (uint64_t)used * 100 * MS);
    inf_quota_shape_period(&shape, &s);
    assert_int_equal(shape.period_ns, 0);
  }
}

/* Ten seconds' worth of a quota per minute: the level is a tenth or so. */
static void
test_a_small_bucket_is_no_second(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  for (int64_t level = 99; level >= 0; level--) {
    inf_quota_sight s = sight(600, level, (uint64_t)(100 - level) * 100 * MS);
    inf_quota_shape_period(&shape, &s);
    assert_int_equal(shape.period_ns, 0);
  }
}

static void
test_a_second(void **state)
{
  inf_quota_shape shape = {0};
  inf_quota_sight s = sight(2, 1, S);
  (void)state;
  for (int i = 0; i < 8; i++) {
    assert_int_equal(shape.period_ns, 0);
    inf_quota_shape_period(&shape, &s);
  }
  assert_int_equal(shape.period_ns, S);
  for (int i = 0; i < 8; i++)
    tell_bucket(&shape, 600, MINUTE, 60, MS);
  assert_int_equal(shape.period_ns, 0);
}

static void
test_a_told_period_is_not_guessed(void **state)
{
  inf_quota_shape shape = {0};
  inf_quota_sight s = sight(2, 1, S);
  s.period_ns = MINUTE;
  (void)state;
  for (int i = 0; i < 20; i++)
    inf_quota_shape_period(&shape, &s);
  assert_int_equal(shape.period_ns, 0);
}

/* ---- Window and burst ---------------------------------------------------- */

static void
tell_level(inf_quota_shape *shape, int64_t remaining, uint64_t reset_ns,
           uint64_t now_ns)
{
  inf_quota_sight s = sight(600, remaining, reset_ns);
  inf_quota_shape_level(shape, &s, 10, now_ns);
}

static void
test_window(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  for (uint64_t i = 0; i <= 6; i++) {
    assert_false(shape.window);
    tell_level(&shape, 500 - (int64_t)i * 10, MINUTE - i * S, 100 * S + i * S);
  }
  assert_true(shape.window);
  assert_int_equal(shape.window_end_ns, 160 * S);
  /* The next one. */
  shape.window_end_ns += MINUTE;
  tell_level(&shape, 599, 59 * S, 161 * S);
  assert_true(shape.window);
  assert_int_equal(shape.window_end_ns, 220 * S);
  /* It was a bucket after all. */
  tell_level(&shape, 598, 10 * S, 162 * S);
  assert_false(shape.window);
}

/* Five sights within a second are no proof. */
static void
test_no_window_at_once(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  for (uint64_t i = 0; i < 50; i++)
    tell_level(&shape, 500 - (int64_t)i, MINUTE - i * 50 * MS,
               100 * S + i * 50 * MS);
  assert_false(shape.window);
}

/* A bucket that nobody uses fills, and its reset means the same moment. */
static void
test_a_bucket_that_fills_is_no_window(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  for (uint64_t i = 0; i < 9; i++)
    tell_level(&shape, 10 * (int64_t)i, 10 * S - i * S, 100 * S + i * S);
  assert_false(shape.window);
  assert_true(shape.burst > 99.9 && shape.burst < 100.1);
}

/* The same level and the same reset, for long: a bucket in equilibrium. */
static void
test_a_steady_bucket_is_no_window(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  for (uint64_t i = 0; i < 90; i++)
    tell_level(&shape, 40, 6 * S, 100 * S + i * S);
  assert_false(shape.window);
}

static void
test_burst_fades(void **state)
{
  inf_quota_shape shape = {0};
  (void)state;
  tell_level(&shape, 600, 10 * S, 100 * S); /* nonsense: 700 */
  tell_level(&shape, 40, 6 * S, 101 * S);
  assert_true(shape.burst > 690);
  for (uint64_t i = 102; i < 2000; i++)
    tell_level(&shape, 40, 6 * S, i * S);
  assert_true(shape.burst > 99.9 && shape.burst < 100.7);
}

static void
test_no_reset_no_burst(void **state)
{
  inf_quota_shape shape = {0};
  inf_quota_sight s = {0, 600, 30, NO, false};
  (void)state;
  for (uint64_t i = 0; i < 100; i++)
    inf_quota_shape_level(&shape, &s, 10, i * S);
  assert_true(shape.burst == 0);
  assert_false(shape.window);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_day),
      cmocka_unit_test(test_a_minute_is_not_taken_for_less),
      cmocka_unit_test(test_a_window_is_no_hour),
      cmocka_unit_test(test_a_small_bucket_is_no_second),
      cmocka_unit_test(test_a_second),
      cmocka_unit_test(test_a_told_period_is_not_guessed),
      cmocka_unit_test(test_window),
      cmocka_unit_test(test_no_window_at_once),
      cmocka_unit_test(test_a_bucket_that_fills_is_no_window),
      cmocka_unit_test(test_a_steady_bucket_is_no_window),
      cmocka_unit_test(test_burst_fades),
      cmocka_unit_test(test_no_reset_no_burst),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
