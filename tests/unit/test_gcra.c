/* SPDX-License-Identifier: MIT */
#include "policy/gcra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define S   INF_NS_PER_S
#define NOW (5000 * S)
#define DAY (86400 * S)

/* 15 requests per second: one in 66,666,666 2/3 ns. */
static const inf_gcra_rate clarifai = {15, S, 15};
static const inf_gcra_rate tokens = {600000, 60 * S, 600000};

static inf_gcra
new_gcra(inf_gcra_rate rate)
{
  inf_gcra gcra;
  assert_true(inf_gcra_rate_valid(&rate));
  inf_gcra_init(&gcra, &rate);
  return gcra;
}

static void
what_is_valid(void **state)
{
  (void)state;
  assert_true(inf_gcra_rate_valid(&clarifai));
  assert_true(inf_gcra_rate_valid(&(inf_gcra_rate){0, 1, 1}));
  assert_true(inf_gcra_rate_valid(&(inf_gcra_rate){
      INF_GCRA_UNITS_MAX, INF_GCRA_PERIOD_MAX_NS, INF_GCRA_UNITS_MAX}));
  assert_false(inf_gcra_rate_valid(&(inf_gcra_rate){15, 0, 15}));
  assert_false(inf_gcra_rate_valid(&(inf_gcra_rate){15, S, 0}));
  assert_false(
      inf_gcra_rate_valid(&(inf_gcra_rate){INF_GCRA_UNITS_MAX + 1, S, 15}));
  assert_false(
      inf_gcra_rate_valid(&(inf_gcra_rate){15, S, INF_GCRA_UNITS_MAX + 1}));
  assert_false(inf_gcra_rate_valid(
      &(inf_gcra_rate){15, INF_GCRA_PERIOD_MAX_NS + 1, 15}));
}

static void
a_burst_passes_at_once_and_then_one_after_another(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra(clarifai);
  for (uint64_t i = 1; i <= 15; i++) {
    assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW), NOW);
    inf_gcra_take(&gcra, 1, i, NOW);
  }
  assert_int_equal(inf_gcra_level(&gcra, NOW), 0);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW), NOW + 66666667);
  assert_int_equal(inf_gcra_when(&gcra, 2, 0, NOW), NOW + 133333334);
  assert_int_equal(inf_gcra_when(&gcra, 3, 0, NOW), NOW + 200000000);
  assert_int_equal(inf_gcra_when(&gcra, 15, 0, NOW), NOW + S);
  assert_int_equal(inf_gcra_when(&gcra, 16, 0, NOW), INF_NEVER);
}

/* The third of a nanosecond that a wait is too long is not lost: of those that
 * ask as early as allowed, exactly 15,000 pass in a thousand seconds. */
static void
no_rounding_adds_up(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){15, S, 2});
  uint64_t now_ns = NOW;
  inf_gcra_take(&gcra, 2, 1, now_ns);
  for (uint64_t i = 1; i <= 15000; i++) {
    now_ns = inf_gcra_when(&gcra, 1, 0, now_ns);
    assert_int_equal(now_ns, NOW + (i * S + 14) / 15);
    inf_gcra_take(&gcra, 1, i + 1, now_ns);
  }
  assert_int_equal(now_ns, NOW + 1000 * S);
}

static void
a_nanosecond_decides(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){1, S, 1});
  inf_gcra_take(&gcra, 1, 1, NOW);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW + S - 1), NOW + S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S - 1), 0);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW + S), NOW + S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S), 1);
}

static void
an_older_time_counts_as_the_latest(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){1, S, 1});
  inf_gcra_take(&gcra, 1, 1, NOW);
  inf_gcra_take(&gcra, 0, 2, NOW + S / 2);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW - S), NOW + S);
  inf_gcra_take(&gcra, 1, 3, 0);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, 7), NOW + 2 * S);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW), NOW + 2 * S);
}

static void
nothing_always_fits(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra(clarifai);
  inf_gcra_take(&gcra, 1000, 1, NOW);
  assert_int_equal(inf_gcra_when(&gcra, 0, 100, NOW), NOW);
}

static void
over_use_delays_the_next(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra(tokens);
  inf_gcra_take(&gcra, 500000, 1, NOW);
  inf_gcra_take(&gcra, 400000, 2, NOW); /* 300,000 too many: 30 s */
  assert_int_equal(inf_gcra_level(&gcra, NOW), 0);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 30 * S), 0);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 31 * S), 10000);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW), NOW + 30 * S + 100000);
}

static void
a_share_is_kept(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){10, 10 * S, 10});
  assert_int_equal(inf_gcra_when(&gcra, 8, 20, NOW), NOW);
  assert_int_equal(inf_gcra_when(&gcra, 9, 20, NOW), INF_NEVER);
  assert_int_equal(inf_gcra_when(&gcra, 1, 100, NOW), INF_NEVER);
  assert_int_equal(inf_gcra_when(&gcra, 1, 101, NOW), INF_NEVER);
  inf_gcra_take(&gcra, 7, 1, NOW);
  assert_int_equal(inf_gcra_when(&gcra, 1, 20, NOW), NOW);
  assert_int_equal(inf_gcra_when(&gcra, 2, 20, NOW), NOW + S);
  assert_int_equal(inf_gcra_when(&gcra, 2, 0, NOW), NOW);
  /* 25 percent of ten: seven and a half. */
  assert_int_equal(inf_gcra_when(&gcra, 1, 25, NOW), NOW + S / 2);
}

static void
given_back_at_once_is_as_if_never_taken(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra(tokens);
  inf_gcra_take(&gcra, 400000, 1, NOW);
  inf_gcra_take(&gcra, 200000, 2, NOW);
  inf_gcra_give_back(&gcra, 300000, 1, NOW);
  assert_int_equal(inf_gcra_level(&gcra, NOW), 300000);
  inf_gcra_give_back(&gcra, 200000, 2, NOW);
  assert_int_equal(inf_gcra_level(&gcra, NOW), 500000);
}

/* The example of gcra.h. */
static void
what_has_drained_is_not_given_back(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){10, S, 10});
  inf_gcra_take(&gcra, 10, 1, NOW);
  inf_gcra_take(&gcra, 10, 2, NOW + S);
  inf_gcra_give_back(&gcra, 10, 1, NOW + S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S), 0);
  assert_int_equal(inf_gcra_when(&gcra, 10, 0, NOW + S), NOW + 2 * S);
}

static void
what_has_not_drained_is_given_back(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){10, S, 10});
  inf_gcra_take(&gcra, 8, 1, NOW);
  inf_gcra_take(&gcra, 5, 2, NOW + S / 2); /* at 3, to 8 */
  inf_gcra_give_back(&gcra, 8, 1, NOW + S / 2);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S / 2), 5);
  /* That of the second is still whole, less what drains from now on. */
  inf_gcra_give_back(&gcra, 5, 2, NOW + S * 6 / 10);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S * 6 / 10), 10);
}

/* Giving back lowers what could be given back of a later take. */
static void
giving_back_counts_for_those_after_it(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){10, S, 30});
  inf_gcra_take(&gcra, 10, 1, NOW);
  inf_gcra_take(&gcra, 10, 2, NOW);
  inf_gcra_take(&gcra, 10, 3, NOW + S); /* at 10, to 20 */
  inf_gcra_give_back(&gcra, 10, 1, NOW + S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S), 20);
  /* Without the first, the second had drained. */
  inf_gcra_give_back(&gcra, 10, 2, NOW + S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S), 20);
  inf_gcra_give_back(&gcra, 10, 3, NOW + S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S), 30);
}

static void
the_level_can_be_set(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra(tokens);
  inf_gcra_set_level(&gcra, 1000, 1, NOW);
  assert_int_equal(inf_gcra_level(&gcra, NOW), 1000);
  assert_int_equal(inf_gcra_when(&gcra, 2000, 0, NOW), NOW + S / 10);
  inf_gcra_set_level(&gcra, 599999, 2, NOW);
  assert_int_equal(inf_gcra_level(&gcra, NOW), 599999);
  inf_gcra_set_level(&gcra, UINT64_MAX, 3, NOW);
  assert_int_equal(inf_gcra_level(&gcra, NOW), 600000);
  inf_gcra_set_level(&gcra, 0, 4, NOW);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 60 * S - 1), 599999);
}

/* A level that falls is a take: what was reserved before it is given back
 * only as far as it had not drained before. */
static void
a_lower_level_is_a_take(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){10, S, 10});
  inf_gcra_take(&gcra, 5, 1, NOW);
  inf_gcra_set_level(&gcra, 0, 2, NOW + 2 * S);
  inf_gcra_give_back(&gcra, 5, 1, NOW + 2 * S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 2 * S), 0);
}

static void
another_rate_keeps_the_debt(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra(tokens);
  inf_gcra_take(&gcra, 100000, 1, NOW);
  /* 1 s at the old rate: 10,000. */
  inf_gcra_set_rate(&gcra, &(inf_gcra_rate){60000, 60 * S, 600000}, NOW + S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + S), 510000);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 2 * S), 511000);
  inf_gcra_set_rate(&gcra, &(inf_gcra_rate){1000, S, 90000}, NOW + 2 * S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 2 * S), 1000);
  inf_gcra_set_rate(&gcra, &(inf_gcra_rate){1000, S, 80000}, NOW + 2 * S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 2 * S), 0);
  assert_int_equal(inf_gcra_when(&gcra, 1000, 0, NOW + 2 * S), NOW + 12 * S);
  inf_gcra_give_back(&gcra, 50000, 1, NOW + 2 * S);
  assert_int_equal(inf_gcra_level(&gcra, NOW + 2 * S), 41000);
}

static void
another_period_adds_less_than_a_tick(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){1, 7, 10});
  inf_gcra_take(&gcra, 1, 1, NOW);
  /* After 2 ns 5/7 units are owed: 15/21, or 2.14 thirds. */
  inf_gcra_set_rate(&gcra, &(inf_gcra_rate){1, 21, 10}, NOW + 2);
  assert_int_equal(inf_gcra_when(&gcra, 10, 0, NOW + 2), NOW + 2 + 15);
  inf_gcra_set_rate(&gcra, &(inf_gcra_rate){1, 3, 10}, NOW + 2);
  assert_int_equal(inf_gcra_when(&gcra, 10, 0, NOW + 2), NOW + 2 + 3);
}

static void
without_refill_it_fits_or_never_does(void **state)
{
  (void)state;
  inf_gcra gcra = new_gcra((inf_gcra_rate){0, S, 2});
  assert_int_equal(inf_gcra_when(&gcra, 2, 0, NOW), NOW);
  inf_gcra_take(&gcra, 1, 1, NOW);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, NOW), NOW);
  assert_int_equal(inf_gcra_when(&gcra, 2, 0, NOW + DAY), INF_NEVER);
}

static void
extremes_do_not_wrap(void **state)
{
  (void)state;
  const uint64_t late_ns = 1ull << 63;
  const uint64_t most = INF_GCRA_UNITS_MAX;
  inf_gcra gcra = new_gcra((inf_gcra_rate){most, DAY, most});
  inf_gcra_take(&gcra, most, 1, 0);
  assert_int_equal(inf_gcra_when(&gcra, most, 0, 0), DAY);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, 0), 1);
  assert_int_equal(inf_gcra_level(&gcra, late_ns), most);
  inf_gcra_take(&gcra, most, 2, late_ns);
  assert_int_equal(inf_gcra_when(&gcra, most, 0, late_ns), late_ns + DAY);
  inf_gcra_take(&gcra, most, 3, UINT64_MAX);
  assert_int_equal(inf_gcra_when(&gcra, most, 0, UINT64_MAX), INF_NEVER);

  gcra = new_gcra((inf_gcra_rate){1, INF_GCRA_PERIOD_MAX_NS, most});
  inf_gcra_take(&gcra, most, 1, 0);
  assert_int_equal(inf_gcra_when(&gcra, most, 0, 0), INF_NEVER);
  for (uint64_t i = 2; i < 1000000; i++) /* more than 2^127 ticks */
    inf_gcra_take(&gcra, UINT64_MAX, i, 0);
  assert_int_equal(inf_gcra_level(&gcra, late_ns), 0);
  assert_int_equal(inf_gcra_when(&gcra, 1, 0, late_ns), INF_NEVER);
  inf_gcra_set_rate(&gcra, &(inf_gcra_rate){1, 1, 1}, 0);
  inf_gcra_set_rate(&gcra, &(inf_gcra_rate){most, DAY, most}, 0);
  assert_int_equal(inf_gcra_level(&gcra, late_ns), 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_valid),
      cmocka_unit_test(a_burst_passes_at_once_and_then_one_after_another),
      cmocka_unit_test(no_rounding_adds_up),
      cmocka_unit_test(a_nanosecond_decides),
      cmocka_unit_test(an_older_time_counts_as_the_latest),
      cmocka_unit_test(nothing_always_fits),
      cmocka_unit_test(over_use_delays_the_next),
      cmocka_unit_test(a_share_is_kept),
      cmocka_unit_test(given_back_at_once_is_as_if_never_taken),
      cmocka_unit_test(what_has_drained_is_not_given_back),
      cmocka_unit_test(what_has_not_drained_is_given_back),
      cmocka_unit_test(giving_back_counts_for_those_after_it),
      cmocka_unit_test(the_level_can_be_set),
      cmocka_unit_test(a_lower_level_is_a_take),
      cmocka_unit_test(another_rate_keeps_the_debt),
      cmocka_unit_test(another_period_adds_less_than_a_tick),
      cmocka_unit_test(without_refill_it_fits_or_never_does),
      cmocka_unit_test(extremes_do_not_wrap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
