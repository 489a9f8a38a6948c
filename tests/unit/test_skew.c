/* SPDX-License-Identifier: MIT */
/* The offset of a provider's clock: learnt from a refusal, once. */
#include "provider/skew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define SEC    INT64_C(1000000000)
#define MINUTE (60 * SEC)
/* 2026-11-29T09:00:00Z */
#define THEIRS (INT64_C(1795942800) * SEC)
#define DATE   INF_SV("Sun, 29 Nov 2026 09:00:00 GMT")

static void
check(int64_t ours, bool learns)
{
  inf_skew skew = {0};

  assert_int_equal(inf_skew_learn(&skew, DATE, ours), learns);
  assert_true(skew.offset_ns == (learns ? THEIRS - ours : 0));
  if (!learns)
    return;
  /* One second later. */
  assert_true(inf_skew_time(&skew, ours + SEC) == THEIRS + SEC);
  /* A second refusal is for another reason. */
  assert_false(inf_skew_learn(&skew, DATE, ours + 30 * SEC));
  assert_true(skew.offset_ns == THEIRS - ours);
}

static void
test_clocks_apart_are_learnt_once(void **state)
{
  (void)state;
  check(THEIRS - 10 * MINUTE, true);
  check(THEIRS + 10 * MINUTE, true);
  check(THEIRS - 8 * 60 * MINUTE, true);
  check(0, true); /* a machine without a clock */
}

static void
test_clocks_together_are_not_the_reason(void **state)
{
  (void)state;
  check(THEIRS, false);
  check(THEIRS - MINUTE, false);
  check(THEIRS + MINUTE, false);
  check(THEIRS - MINUTE - 1, true);
  check(THEIRS + MINUTE + 1, true);
}

/* Our clock was set right meanwhile. */
static void
test_it_is_learnt_anew_when_our_clock_jumps(void **state)
{
  inf_skew skew = {0};

  (void)state;
  assert_true(inf_skew_learn(&skew, DATE, THEIRS - 10 * MINUTE));
  assert_true(inf_skew_learn(&skew, DATE, THEIRS + SEC));
  assert_true(skew.offset_ns == -SEC);
  assert_true(inf_skew_time(&skew, THEIRS + SEC) == THEIRS);
}

static void
test_without_a_date_nothing_is_learnt(void **state)
{
  inf_skew skew = {0};

  (void)state;
  assert_false(inf_skew_learn(&skew, INF_SV(""), 0));
  assert_false(inf_skew_learn(&skew, INF_SV("yesterday"), 0));
  assert_int_equal(skew.offset_ns, 0);
}

static void
test_times_stay_in_range(void **state)
{
  (void)state;
  assert_true(inf_skew_time(&(inf_skew){-MINUTE}, SEC) == 0);
  assert_true(inf_skew_time(&(inf_skew){MINUTE}, -SEC) == MINUTE);
  assert_true(inf_skew_time(&(inf_skew){MINUTE}, INT64_MAX) == INT64_MAX);
  assert_true(inf_skew_time(&(inf_skew){-MINUTE}, INT64_MAX) ==
              INT64_MAX - MINUTE);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_clocks_apart_are_learnt_once),
      cmocka_unit_test(test_clocks_together_are_not_the_reason),
      cmocka_unit_test(test_it_is_learnt_anew_when_our_clock_jumps),
      cmocka_unit_test(test_without_a_date_nothing_is_learnt),
      cmocka_unit_test(test_times_stay_in_range),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
