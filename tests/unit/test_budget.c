/* SPDX-License-Identifier: MIT */
#include "policy/budget.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define DAY ((int64_t)86400)
/* 2026-11-29 00:00:00 UTC and 2026-11-01. */
#define NOV_29  ((int64_t)1795910400)
#define NOV_1   (NOV_29 - 28 * DAY)
#define DEC_1   (NOV_1 + 30 * DAY)

#define NANO(n) ((inf_budget_amount){n, 0})

static const inf_budget_rule daily = {
    .limit = {1000, 500}, .warn = 800000, .period = INF_BUDGET_DAY};
static const inf_budget_rule monthly = {
    .limit = {1000, -1}, .warn = 800000, .period = INF_BUDGET_MONTH};

/* An attempt that costs what it reserved. */
static bool
spend(inf_budget *budget, const inf_budget_rule *rule, int64_t wall_s,
      int64_t nano)
{
  if (!inf_budget_fits(budget, rule, wall_s, NANO(nano)))
    return false;
  inf_budget_reserve(budget, NANO(nano));
  inf_budget_settle(budget, rule, wall_s, NANO(nano), NANO(nano));
  return true;
}

static int64_t
spent_at(inf_budget *budget, const inf_budget_rule *rule, int64_t wall_s)
{
  return inf_budget_turn(budget, rule, wall_s)->spent.nano_usd;
}

/* ---- Periods ------------------------------------------------------------- */

static void
days_and_months_begin_at_midnight(void **state)
{
  (void)state;
  int64_t day = inf_budget_period_at(&daily, NOV_29);
  assert_int_equal(day, NOV_29 / DAY + 1);
  assert_int_equal(inf_budget_period_at(&daily, NOV_29 - 1), day - 1);
  assert_int_equal(inf_budget_period_at(&daily, NOV_29 + DAY - 1), day);
  assert_int_equal(inf_budget_period_start(&daily, day), NOV_29);
  int64_t month = inf_budget_period_at(&monthly, NOV_29);
  assert_int_equal(month, (2026 - 1970) * 12 + 11);
  assert_int_equal(inf_budget_period_start(&monthly, month), NOV_1);
  assert_int_equal(inf_budget_period_start(&monthly, month + 1), DEC_1);
  assert_int_equal(inf_budget_period_at(&monthly, NOV_1 - 1), month - 1);
  assert_int_equal(inf_budget_period_at(&monthly, DEC_1 - 1), month);
  assert_int_equal(inf_budget_period_at(&monthly, DEC_1), month + 1);
}

static void
midnight_may_be_elsewhere(void **state)
{
  (void)state;
  inf_budget_rule berlin = daily, new_york = monthly;
  berlin.offset_minutes = 60;
  new_york.offset_minutes = -300;
  int64_t day = inf_budget_period_at(&berlin, NOV_29);
  assert_int_equal(inf_budget_period_at(&berlin, NOV_29 - 3600), day);
  assert_int_equal(inf_budget_period_at(&berlin, NOV_29 - 3601), day - 1);
  assert_int_equal(inf_budget_period_start(&berlin, day), NOV_29 - 3600);
  int64_t month = inf_budget_period_at(&new_york, DEC_1);
  assert_int_equal(inf_budget_period_at(&new_york, DEC_1 + 5 * 3600),
                   month + 1);
  assert_int_equal(inf_budget_period_start(&new_york, month + 1),
                   DEC_1 + 5 * 3600);
}

/* Every day until 2262: each month is as long as the calendar has it. */
static void
every_day_is_in_its_month(void **state)
{
  (void)state;
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t day = 0, number = 1;
  for (int year = 1970; year < 2262; year++)
    for (int month = 0; month < 12; month++, number++) {
      bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
      int length = lengths[month] + (leap && month == 1 ? 1 : 0);
      assert_int_equal(inf_budget_period_start(&monthly, number), day * DAY);
      for (int i = 0; i < length; i++, day++)
        assert_int_equal(inf_budget_period_at(&monthly, day * DAY), number);
    }
  /* What is before the beginning is in it. */
  assert_int_equal(inf_budget_period_at(&monthly, -5), 1);
  assert_true(inf_budget_period_at(&daily, INT64_MAX) > 0);
}

/* ---- Limits -------------------------------------------------------------- */

static void
what_is_reserved_is_taken(void **state)
{
  (void)state;
  inf_budget budget = {0};
  assert_true(inf_budget_fits(&budget, &daily, NOV_29, NANO(1000)));
  assert_false(inf_budget_fits(&budget, &daily, NOV_29, NANO(1001)));
  inf_budget_reserve(&budget, NANO(600));
  assert_true(inf_budget_fits(&budget, &daily, NOV_29, NANO(400)));
  assert_false(inf_budget_fits(&budget, &daily, NOV_29, NANO(401)));
  /* It cost less: the rest is free again. */
  inf_budget_settle(&budget, &daily, NOV_29, NANO(600), NANO(100));
  assert_int_equal(spent_at(&budget, &daily, NOV_29), 100);
  assert_true(inf_budget_fits(&budget, &daily, NOV_29, NANO(900)));
  assert_false(inf_budget_fits(&budget, &daily, NOV_29, NANO(901)));
}

static void
tokens_have_a_limit_too(void **state)
{
  (void)state;
  inf_budget budget = {0};
  inf_budget_amount both = {10, 500};
  assert_true(inf_budget_fits(&budget, &daily, NOV_29, both));
  inf_budget_reserve(&budget, both);
  assert_false(
      inf_budget_fits(&budget, &daily, NOV_29, (inf_budget_amount){0, 1}));
  /* A budget of money alone counts them, and no more. */
  assert_true(
      inf_budget_fits(&budget, &monthly, NOV_29, (inf_budget_amount){0, 1}));
}

/* Also when an estimate was too low and the limit is passed. */
static void
what_is_free_always_fits(void **state)
{
  (void)state;
  inf_budget budget = {0};
  inf_budget_settle(&budget, &monthly, NOV_29, NANO(0), NANO(1001));
  assert_false(inf_budget_fits(&budget, &monthly, NOV_29, NANO(1)));
  assert_true(inf_budget_fits(&budget, &monthly, NOV_29, NANO(0)));
}

static void
a_warning_comes_once_in_a_period(void **state)
{
  (void)state;
  inf_budget budget = {0};
  assert_false(inf_budget_settle(&budget, &daily, NOV_29, NANO(0), NANO(799)));
  assert_true(inf_budget_settle(&budget, &daily, NOV_29, NANO(0), NANO(1)));
  assert_false(inf_budget_settle(&budget, &daily, NOV_29, NANO(0), NANO(1)));
  assert_false(
      inf_budget_settle(&budget, &daily, NOV_29 + DAY, NANO(0), NANO(1)));
  assert_true(
      inf_budget_settle(&budget, &daily, NOV_29 + DAY, NANO(0), NANO(900)));
  /* By tokens; and never. */
  assert_true(inf_budget_settle(&budget, &daily, NOV_29 + 2 * DAY, NANO(0),
                                (inf_budget_amount){0, 400}));
  inf_budget_rule quiet = daily;
  quiet.warn = 0;
  assert_false(
      inf_budget_settle(&budget, &quiet, NOV_29 + 3 * DAY, NANO(0), NANO(900)));
}

static void
a_new_period_has_all_of_it(void **state)
{
  (void)state;
  inf_budget budget = {0};
  assert_true(spend(&budget, &monthly, NOV_1, 1000));
  assert_false(spend(&budget, &monthly, DEC_1 - 1, 1));
  assert_true(spend(&budget, &monthly, DEC_1, 1000));
  assert_false(spend(&budget, &monthly, DEC_1, 1));
}

/* Its end is in December: it is paid there. */
static void
what_is_under_way_stays_reserved(void **state)
{
  (void)state;
  inf_budget budget = {0};
  inf_budget_turn(&budget, &monthly, NOV_29);
  inf_budget_reserve(&budget, NANO(300)); /* in November */
  assert_false(inf_budget_fits(&budget, &monthly, DEC_1, NANO(701)));
  assert_true(inf_budget_fits(&budget, &monthly, DEC_1, NANO(700)));
  inf_budget_settle(&budget, &monthly, DEC_1, NANO(300), NANO(300));
  assert_int_equal(spent_at(&budget, &monthly, DEC_1), 300);
  assert_int_equal(budget.reserved.nano_usd, 0);
}

/* ---- Clocks that are set ------------------------------------------------- */

static void
a_clock_set_back_refunds_nothing(void **state)
{
  (void)state;
  inf_budget budget = {0};
  assert_true(spend(&budget, &monthly, NOV_29, 1000));
  assert_false(spend(&budget, &monthly, NOV_1 - DAY, 1));
  assert_false(spend(&budget, &monthly, 0, 1));
  assert_false(spend(&budget, &monthly, NOV_29, 1));
  /* The month before has its own account, and the time before that has none.*/
  budget = (inf_budget){0};
  assert_true(spend(&budget, &monthly, NOV_1 - DAY, 900));
  assert_true(spend(&budget, &monthly, NOV_29, 1000));
  assert_true(spend(&budget, &monthly, NOV_1 - DAY, 100));
  assert_false(spend(&budget, &monthly, NOV_1 - DAY, 1));
  assert_false(spend(&budget, &monthly, 0, 1));
  assert_false(spend(&budget, &monthly, NOV_29, 1));
}

static void
a_clock_set_forth_and_back_finds_its_month(void **state)
{
  (void)state;
  inf_budget budget = {0};
  assert_true(spend(&budget, &monthly, NOV_29, 700));
  assert_true(spend(&budget, &monthly, NOV_29 + 365 * DAY, 1000));
  for (int i = 0; i < 3; i++) {
    assert_int_equal(spent_at(&budget, &monthly, NOV_29), 700);
    assert_int_equal(spent_at(&budget, &monthly, NOV_29 + 365 * DAY), 1000);
  }
  /* It is not shut until that year is over. */
  assert_true(spend(&budget, &monthly, NOV_29, 300));
  assert_true(spend(&budget, &monthly, DEC_1, 1000));
  assert_false(spend(&budget, &monthly, NOV_29, 1));
  assert_true(spend(&budget, &monthly, DEC_1 + 31 * DAY, 1000));
  assert_false(spend(&budget, &monthly, NOV_29 + 365 * DAY, 1));
}

/* Whatever it does, no period gets more than its limit, by attempts
 * under way together of which each costs at most what it reserved. */
static void
no_clock_gets_more_than_the_limit(void **state)
{
  (void)state;
  enum { periods = 6, steps = 1000, under_way = 3 };
  for (uint64_t seed = 1; seed <= 200; seed++) {
    inf_rng rng;
    inf_rng_seed(&rng, seed);
    inf_budget budget = {0};
    int64_t out[under_way] = {0}, reserved = 0, wall_s = NOV_29;
    for (int i = 0; i < steps; i++) {
      if (reserved == 0 && inf_rng_below(&rng, 4) == 0)
        wall_s = NOV_29 + (int64_t)inf_rng_below(&rng, periods) * DAY;
      int64_t nano = (int64_t)inf_rng_below(&rng, 300);
      int64_t *slot = &out[inf_rng_below(&rng, under_way)];
      if (*slot == 0 && inf_budget_fits(&budget, &daily, wall_s, NANO(nano))) {
        inf_budget_reserve(&budget, NANO(nano));
        *slot = nano;
        reserved += nano;
      } else if (*slot > 0) {
        int64_t cost = (int64_t)inf_rng_below(&rng, (uint64_t)*slot + 1);
        int64_t before = spent_at(&budget, &daily, wall_s);
        inf_budget_settle(&budget, &daily, wall_s, NANO(*slot), NANO(cost));
        assert_int_equal(spent_at(&budget, &daily, wall_s), before + cost);
        assert_true(before + cost <= daily.limit.nano_usd);
        reserved -= *slot;
        *slot = 0;
      }
      assert_int_equal(budget.reserved.nano_usd, reserved);
    }
  }
}

/* Spending that goes on at one moment ends exactly at the limit. */
static void
the_limit_is_reached_exactly(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 200; seed++) {
    inf_rng rng;
    inf_rng_seed(&rng, seed);
    inf_budget budget = {0};
    int64_t in_flight[64] = {0}, total = 0, reserved = 0;
    for (int i = 0; i < 2000; i++) {
      int64_t *slot = &in_flight[inf_rng_below(&rng, 64)];
      if (*slot > 0) {
        inf_budget_settle(&budget, &monthly, NOV_29, NANO(*slot), NANO(*slot));
        total += *slot;
        reserved -= *slot;
        *slot = 0;
        continue;
      }
      int64_t nano = 1 + (int64_t)inf_rng_below(&rng, 40);
      bool fits = inf_budget_fits(&budget, &monthly, NOV_29, NANO(nano));
      assert_true(fits == (total + reserved + nano <= 1000));
      if (!fits)
        continue;
      inf_budget_reserve(&budget, NANO(nano));
      reserved += nano;
      *slot = nano;
    }
    assert_true(total + reserved <= 1000);
    assert_int_equal(spent_at(&budget, &monthly, NOV_29), total);
  }
}

static void
sums_saturate(void **state)
{
  (void)state;
  inf_budget budget = {0};
  inf_budget_rule wide = monthly;
  wide.limit = (inf_budget_amount){INT64_MAX - 1, -1};
  inf_budget_settle(&budget, &wide, NOV_29, NANO(0), NANO(INT64_MAX - 5));
  assert_false(inf_budget_fits(&budget, &wide, NOV_29, NANO(INT64_MAX)));
  inf_budget_settle(&budget, &wide, NOV_29, NANO(7), NANO(INT64_MAX));
  assert_true(spent_at(&budget, &wide, NOV_29) == INT64_MAX);
  assert_int_equal(budget.reserved.nano_usd, 0);
}

/* ---- The store ----------------------------------------------------------- */

/* What is in the store, after a write of it all. */
static void
sync(inf_budget *budget, inf_budget *store, bool fails)
{
  inf_budget_merge(budget, store);
  if (fails)
    return;
  *store = *budget;
  inf_budget_stored(budget);
}

static void
a_restart_knows_the_month(void **state)
{
  (void)state;
  inf_budget budget = {0}, store = {0}, next = {0};
  spend(&budget, &monthly, NOV_29, 600);
  sync(&budget, &store, false);
  inf_budget_merge(&next, &store);
  assert_int_equal(spent_at(&next, &monthly, NOV_29), 600);
  assert_false(spend(&next, &monthly, NOV_29, 401));
  assert_true(spend(&next, &monthly, NOV_29, 400));
  sync(&next, &store, false);
  sync(&next, &store, false); /* nothing is added twice */
  assert_int_equal(spent_at(&store, &monthly, NOV_29), 1000);
}

/* What was begun while the store was written is written the next time. */
static void
spending_goes_on_while_it_is_written(void **state)
{
  (void)state;
  inf_budget budget = {0}, store = {0};
  spend(&budget, &monthly, NOV_29, 100);
  inf_budget_merge(&budget, &store);
  store = budget;
  spend(&budget, &monthly, NOV_29, 10);
  spend(&budget, &monthly, DEC_1, 5); /* and even a month ends */
  inf_budget_stored(&budget);
  sync(&budget, &store, false);
  assert_int_equal(spent_at(&store, &monthly, DEC_1), 5);
  assert_int_equal(store.before.spent.nano_usd, 110);
  inf_budget_merge(&budget, &store);
  store = budget;
  spend(&budget, &monthly, DEC_1, 20);
  inf_budget_stored(&budget);
  sync(&budget, &store, false);
  assert_int_equal(spent_at(&store, &monthly, DEC_1), 25);
}

static void
a_store_that_is_lost_gets_all_of_it(void **state)
{
  (void)state;
  inf_budget budget = {0}, store = {0};
  spend(&budget, &monthly, NOV_29, 100);
  sync(&budget, &store, false);
  store = (inf_budget){0};
  sync(&budget, &store, false);
  assert_int_equal(spent_at(&store, &monthly, NOV_29), 100);
}

/* Three that share a store, at random moments, of which some writes fail, and
 * with clocks that are a little apart: what it has in the end is what they have
 * spent together, to the last one. */
static void
processes_add_up(void **state)
{
  (void)state;
  enum { processes = 3, days = 4, steps = 300 };
  for (uint64_t seed = 1; seed <= 300; seed++) {
    inf_rng rng;
    inf_rng_seed(&rng, seed);
    inf_budget store = {0}, own[processes];
    memset(own, 0, sizeof own);
    inf_budget_rule open = {.limit = {-1, -1}, .period = INF_BUDGET_DAY};
    int64_t spent[days + 1] = {0};
    for (int i = 0; i < steps; i++) {
      int64_t wall_s = NOV_29 + (int64_t)i * days * DAY / steps;
      size_t p = inf_rng_below(&rng, processes);
      if (inf_rng_below(&rng, 3) == 0)
        sync(&own[p], &store, inf_rng_below(&rng, 3) == 0);
      wall_s += (int64_t)inf_rng_below(&rng, 600);
      int64_t nano = 1 + (int64_t)inf_rng_below(&rng, 50);
      spend(&own[p], &open, wall_s, nano);
      spent[(wall_s - NOV_29) / DAY] += nano;
    }
    for (size_t p = 0; p < processes; p++)
      sync(&own[p], &store, false);
    int64_t last = NOV_29 + (days - 1) * DAY;
    if (store.latest.period > inf_budget_period_at(&open, last))
      last += DAY;
    assert_int_equal(spent_at(&store, &open, last),
                     spent[(last - NOV_29) / DAY]);
    assert_int_equal(store.before.spent.nano_usd,
                     spent[(last - NOV_29) / DAY - 1]);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(days_and_months_begin_at_midnight),
      cmocka_unit_test(midnight_may_be_elsewhere),
      cmocka_unit_test(every_day_is_in_its_month),
      cmocka_unit_test(what_is_reserved_is_taken),
      cmocka_unit_test(tokens_have_a_limit_too),
      cmocka_unit_test(what_is_free_always_fits),
      cmocka_unit_test(a_warning_comes_once_in_a_period),
      cmocka_unit_test(a_new_period_has_all_of_it),
      cmocka_unit_test(what_is_under_way_stays_reserved),
      cmocka_unit_test(a_clock_set_back_refunds_nothing),
      cmocka_unit_test(a_clock_set_forth_and_back_finds_its_month),
      cmocka_unit_test(no_clock_gets_more_than_the_limit),
      cmocka_unit_test(the_limit_is_reached_exactly),
      cmocka_unit_test(sums_saturate),
      cmocka_unit_test(a_restart_knows_the_month),
      cmocka_unit_test(spending_goes_on_while_it_is_written),
      cmocka_unit_test(a_store_that_is_lost_gets_all_of_it),
      cmocka_unit_test(processes_add_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
