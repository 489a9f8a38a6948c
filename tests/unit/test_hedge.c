/* SPDX-License-Identifier: MIT */
#include "policy/hedge.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define MS INF_NS_PER_MS
#define S  INF_NS_PER_S

static inf_hedge hedge;
static inf_hedge_budget budget;
static inf_hedge_claim claim;
static inf_slowdown calm, slow = {UINT64_MAX};
static inf_rng rng;

static int
set_up(void **state)
{
  (void)state;
  inf_hedge_init(&hedge, &inf_hedge_defaults);
  inf_hedge_budget_init(&budget, 0.05);
  inf_rng_seed(&rng, 1);
  return 0;
}

static void
fund(void)
{
  for (int i = 0; i < 1000; i++)
    inf_hedge_budget_complete(&budget, 100);
}

static void
set_plan(uint64_t delay_ns, double probability)
{
  hedge.planned = true;
  hedge.plan.buckets[2] = (inf_single_r_choice){delay_ns, probability};
}

static inf_hedge_arming
arm(bool run_once)
{
  const inf_hedge_call call = {.bucket = 2, .run_once = run_once};
  return inf_hedge_arm(&hedge, &call, &budget, 7 * S, &rng);
}

static inf_hedge_reason
fire(const inf_slowdown *target, int64_t cost)
{
  return inf_hedge_fire(&hedge, &budget, target, cost, &claim, &rng);
}

static void
prompts_fall_into_octaves(void **state)
{
  (void)state;
  assert_int_equal(inf_hedge_bucket(0), 0);
  assert_int_equal(inf_hedge_bucket(256), 0);
  assert_int_equal(inf_hedge_bucket(257), 1);
  assert_int_equal(inf_hedge_bucket(1024), 2);
  assert_int_equal(inf_hedge_bucket(16384), 6);
  assert_int_equal(inf_hedge_bucket(16385), 7);
  assert_int_equal(inf_hedge_bucket(UINT64_MAX), 7);
}

static void
cold_it_waits_for_the_deadline(void **state)
{
  (void)state;
  inf_hedge_arming arming = arm(false);
  assert_int_equal(arming.reason, INF_HEDGE_YES);
  assert_int_equal(arming.fire_at_ns, 9 * S);
  const inf_hedge_call far = {.connected_ns = 700 * MS};
  arming = inf_hedge_arm(&hedge, &far, &budget, 7 * S, &rng);
  assert_int_equal(arming.fire_at_ns, 7 * S + 2800 * MS);
  assert_false(inf_hedge_is_known(29));
  assert_true(inf_hedge_is_known(30));
}

static void
the_plan_says_when(void **state)
{
  (void)state;
  fund();
  set_plan(300 * MS, 1);
  assert_int_equal(arm(false).fire_at_ns, 7 * S + 300 * MS);
  set_plan(INF_NEVER, 0);
  assert_int_equal(arm(false).reason, INF_HEDGE_NO_PLAN);
  assert_true(arm(false).fire_at_ns == INF_NEVER);
  set_plan(300 * MS, 1);
  assert_int_equal(arm(true).reason, INF_HEDGE_RUN_ONCE);
  assert_int_equal(hedge.suppressed[INF_HEDGE_RUN_ONCE], 1);
}

static int
count_armed(int calls)
{
  int armed = 0;
  for (int i = 0; i < calls; i++)
    armed += arm(false).reason == INF_HEDGE_YES;
  return armed;
}

/* 1 to 1.5 times the plan's, as the budget is empty to full. */
static void
the_draw_follows_the_budget(void **state)
{
  (void)state;
  set_plan(300 * MS, 0.4);
  assert_in_range(count_armed(10000), 3850, 4150);
  fund();
  assert_in_range(count_armed(10000), 5800, 6200);
  budget.balance /= 2;
  assert_in_range(count_armed(10000), 4850, 5150);
  assert_in_range(hedge.suppressed[INF_HEDGE_DRAWN], 14600, 15400);
}

static void
each_reason_is_counted(void **state)
{
  (void)state;
  assert_int_equal(fire(&calm, 100), INF_HEDGE_BUDGET);
  fund();
  assert_int_equal(fire(NULL, 100), INF_HEDGE_NOWHERE);
  assert_int_equal(fire(&slow, 100), INF_HEDGE_SLOWDOWN);
  assert_int_equal(budget.balance, 2000);
  assert_int_equal(fire(&calm, 100), INF_HEDGE_YES);
  assert_int_equal(budget.balance, 1900);
  assert_int_equal(hedge.sent, 1);
  assert_int_equal(hedge.suppressed[INF_HEDGE_BUDGET], 1);
  assert_int_equal(hedge.suppressed[INF_HEDGE_NOWHERE], 1);
  assert_int_equal(hedge.suppressed[INF_HEDGE_SLOWDOWN], 1);
  for (int i = 0; i < INF_HEDGE_REASONS; i++)
    assert_true(strlen(inf_hedge_reason_text((inf_hedge_reason)i)) > 5);
}

static void
twenty_four_late_of_sixty_four(void **state)
{
  (void)state;
  inf_slowdown slowdown = {0};
  for (int i = 0; i < 23; i++)
    inf_slowdown_add(&slowdown, true);
  assert_false(inf_slowdown_is(&slowdown));
  inf_slowdown_add(&slowdown, true);
  assert_true(inf_slowdown_is(&slowdown));
  for (int i = 0; i < 41; i++)
    inf_slowdown_add(&slowdown, false);
  assert_false(inf_slowdown_is(&slowdown));
}

static void
losers_are_hardly_tried_until_they_win(void **state)
{
  (void)state;
  fund();
  for (int i = 0; i < 64; i++)
    inf_hedge_end(&hedge, i == 20);
  int sent = 0;
  for (int i = 0; i < 8000; i++)
    sent += fire(&calm, 0) == INF_HEDGE_YES;
  assert_in_range(sent, 850, 1150);
  inf_hedge_end(&hedge, true);
  for (int i = 0; i < 100; i++)
    assert_int_equal(fire(&calm, 0), INF_HEDGE_YES);
  assert_int_equal(hedge.won, 2);
  assert_int_equal(hedge.lost, 63);
}

/* An emptier budget is given less to plan with. */
static void
a_plan_is_made_for_what_there_is(void **state)
{
  (void)state;
  static inf_histogram events, none;
  for (uint64_t i = 1; i <= 1000; i++)
    inf_histogram_record(&events, i * i * i * 1000, 1);
  static inf_survival survival;
  inf_survival_estimate(&survival, &events, &none);
  static inf_single_r_work work;
  inf_single_r_bucket bucket = {&survival, &survival, 1, 1};
  inf_single_r_problem problem = {.buckets = &bucket, .count = 1};
  inf_hedge_plan(&hedge, &problem, &budget, &work);
  assert_true(hedge.plan.hedges);
  double poor = hedge.plan.cost;
  fund();
  inf_hedge_plan(&hedge, &problem, &budget, &work);
  assert_true(poor > 0.0485 && poor < 0.0495);
  assert_true(hedge.plan.cost > 0.058 && hedge.plan.cost < 0.059);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(prompts_fall_into_octaves, set_up),
      cmocka_unit_test_setup(cold_it_waits_for_the_deadline, set_up),
      cmocka_unit_test_setup(the_plan_says_when, set_up),
      cmocka_unit_test_setup(the_draw_follows_the_budget, set_up),
      cmocka_unit_test_setup(each_reason_is_counted, set_up),
      cmocka_unit_test_setup(twenty_four_late_of_sixty_four, set_up),
      cmocka_unit_test_setup(losers_are_hardly_tried_until_they_win, set_up),
      cmocka_unit_test_setup(a_plan_is_made_for_what_there_is, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
