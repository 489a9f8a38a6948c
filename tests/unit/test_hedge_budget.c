/* SPDX-License-Identifier: MIT */
#include "policy/hedge_budget.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static inf_hedge_budget budget;
static inf_hedge_claim claim;

static int
set_up(void **state)
{
  (void)state;
  inf_hedge_budget_init(&budget, 0.05);
  return 0;
}

static void
complete(int times, int64_t cost)
{
  for (int i = 0; i < times; i++)
    inf_hedge_budget_complete(&budget, cost);
}

static void
nothing_before_it_is_paid_for(void **state)
{
  (void)state;
  assert_false(inf_hedge_budget_claim(&budget, &claim, 100));
  complete(19, 100);
  assert_false(inf_hedge_budget_claim(&budget, &claim, 100));
  complete(1, 100);
  assert_true(inf_hedge_budget_claim(&budget, &claim, 100));
  inf_hedge_claim second;
  assert_false(inf_hedge_budget_claim(&budget, &second, 1));
  assert_int_equal(budget.denied, 3);
}

static void
a_quiet_night_saves_twenty(void **state)
{
  (void)state;
  complete(100000, 100);
  assert_int_equal(budget.balance, 2000);
  assert_true(inf_hedge_budget_level(&budget) >= 1);
}

/* Prompts and answers of a few tokens. */
static void
the_mean_follows_small_costs(void **state)
{
  (void)state;
  complete(64, 100);
  complete(2000, 130);
  assert_in_range(budget.mean_cost, 129, 130);
  complete(2000, 20);
  assert_in_range(budget.mean_cost, 20, 21);
}

/* Counted in pico-dollars that is a large company's bill. */
static void
counters_end_at_their_greatest(void **state)
{
  (void)state;
  const int64_t most = 1000000000000000;
  complete(10000, most);
  assert_int_equal(budget.paid_in, INT64_MAX);
  assert_int_equal(budget.balance, 20 * most);
  for (int i = 0; i < 10000; i++) {
    complete(20, most);
    assert_true(inf_hedge_budget_claim(&budget, &claim, most));
    inf_hedge_budget_settle(&claim, most);
  }
  assert_int_equal(budget.settled, INT64_MAX);
}

static void
a_claim_ends_once(void **state)
{
  (void)state;
  complete(40, 100);
  assert_true(inf_hedge_budget_claim(&budget, &claim, 100));
  inf_hedge_budget_settle(&claim, 30);
  assert_int_equal(budget.balance, 170);
  inf_hedge_budget_settle(&claim, 30);
  inf_hedge_budget_refund(&claim);
  assert_int_equal(budget.balance, 170);
  assert_int_equal(budget.settled, 30);
  assert_true(inf_hedge_budget_claim(&budget, &claim, 100));
  inf_hedge_budget_refund(&claim);
  inf_hedge_budget_refund(&claim);
  assert_int_equal(budget.balance, 170);
}

static void
a_dear_loser_is_a_debt(void **state)
{
  (void)state;
  complete(20, 100);
  assert_true(inf_hedge_budget_claim(&budget, &claim, 100));
  inf_hedge_budget_settle(&claim, 150);
  assert_int_equal(budget.balance, -50);
  assert_false(inf_hedge_budget_claim(&budget, &claim, 0));
  complete(10, 100);
  assert_true(inf_hedge_budget_claim(&budget, &claim, 0));
}

static void
a_refund_does_not_exceed_the_cap(void **state)
{
  (void)state;
  complete(1000, 100);
  assert_true(inf_hedge_budget_claim(&budget, &claim, 100));
  complete(1000, 100);
  inf_hedge_budget_refund(&claim);
  assert_int_equal(budget.balance, 2000);
}

static void
small_costs_are_not_lost(void **state)
{
  (void)state;
  complete(2000, 1);
  assert_int_equal(budget.balance, 20); /* the cap: 20 times 1 */
  inf_hedge_budget_init(&budget, 0.05);
  complete(39, 1);
  assert_int_equal(budget.balance, 1);
  complete(1, 1);
  assert_int_equal(budget.balance, 2);
}

static void
absurd_costs_do_no_harm(void **state)
{
  (void)state;
  complete(3, INT64_MAX);
  complete(3, INT64_MIN);
  assert_true(budget.balance >= 0);
  assert_true(inf_hedge_budget_claim(&budget, &claim, INT64_MIN));
  inf_hedge_budget_settle(&claim, INT64_MAX);
  assert_true(budget.balance < 0);
}

static void
no_budget_no_hedge(void **state)
{
  (void)state;
  inf_hedge_budget_init(&budget, 0);
  complete(1000, 100);
  assert_false(inf_hedge_budget_claim(&budget, &claim, 0));
}

/* At every moment, with up to 16 claims open. */
static void
never_above_the_share(void **state)
{
  (void)state;
  inf_rng rng;
  inf_hedge_claim claims[16] = {{0}};
  for (uint64_t seed = 0; seed < 200; seed++) {
    inf_rng_seed(&rng, seed);
    for (int i = 0; i < 16; i++)
      claims[i] = (inf_hedge_claim){0};
    inf_hedge_budget_init(&budget, 0.05);
    int64_t paid = 0, settled = 0;
    for (int step = 0; step < 2000; step++) {
      inf_hedge_claim *one = &claims[inf_rng_below(&rng, 16)];
      int64_t cost = (int64_t)inf_rng_below(&rng, 5000);
      if (inf_rng_below(&rng, 3) > 0) {
        inf_hedge_budget_complete(&budget, cost);
        paid += cost;
      } else if (one->budget == NULL) {
        inf_hedge_budget_claim(&budget, one, cost);
      } else {
        cost = cost < one->amount ? cost : one->amount;
        settled += cost;
        inf_hedge_budget_settle(one, cost);
      }
      int64_t open = 0;
      for (int i = 0; i < 16; i++)
        open += claims[i].amount;
      assert_true((settled + open) * 20 <= paid);
      assert_true(budget.balance >= 0);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(nothing_before_it_is_paid_for, set_up),
      cmocka_unit_test_setup(a_quiet_night_saves_twenty, set_up),
      cmocka_unit_test_setup(the_mean_follows_small_costs, set_up),
      cmocka_unit_test_setup(counters_end_at_their_greatest, set_up),
      cmocka_unit_test_setup(a_claim_ends_once, set_up),
      cmocka_unit_test_setup(a_dear_loser_is_a_debt, set_up),
      cmocka_unit_test_setup(a_refund_does_not_exceed_the_cap, set_up),
      cmocka_unit_test_setup(small_costs_are_not_lost, set_up),
      cmocka_unit_test_setup(absurd_costs_do_no_harm, set_up),
      cmocka_unit_test_setup(no_budget_no_hedge, set_up),
      cmocka_unit_test_setup(never_above_the_share, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
