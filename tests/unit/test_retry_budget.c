/* SPDX-License-Identifier: MIT */
#include "policy/retry_budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A client and its target. */
typedef struct scene {
  inf_retry_budget client, target;
} scene;

static scene
scene_new(void)
{
  scene at;
  inf_retry_budget_init(&at.client, &inf_retry_budget_defaults);
  inf_retry_budget_init(&at.target, &inf_retry_budget_defaults);
  return at;
}

static bool
try(scene *at, inf_retry_budget_use use)
{
  inf_retry_claim claim;
  const char *why =
      inf_retry_budget_claim(&claim, &at->client, &at->target, use);
  inf_retry_budget_spend(&claim);
  return why == NULL;
}

static int
try_all(scene *at, inf_retry_budget_use use)
{
  int granted = 0;
  while (try(at, use))
    granted++;
  return granted;
}

static void
succeed(scene *at, int times)
{
  for (int i = 0; i < times; i++) {
    inf_retry_budget_succeed(&at->client);
    inf_retry_budget_succeed(&at->target);
  }
}

static void
the_first_calls_may_retry(void **state)
{
  (void)state;
  scene at = scene_new();
  assert_int_equal(try_all(&at, INF_RETRY_BUDGET_STAY), 5);
  at = scene_new();
  assert_int_equal(try_all(&at, INF_RETRY_BUDGET_EXTRA), 35);
  assert_int_equal(at.client.balance, 0);
}

/* 1.05 attempts per call in the first second, at 100 calls that all fail. */
static void
retries_leave_the_reserve_to_others(void **state)
{
  (void)state;
  scene at = scene_new();
  assert_int_equal(try_all(&at, INF_RETRY_BUDGET_STAY), 5);
  assert_int_equal(try_all(&at, INF_RETRY_BUDGET_EXTRA), 30);
  assert_false(try(&at, INF_RETRY_BUDGET_STAY));
}

/* However many there are: the calls that are in flight when a target fails,
 * and all that follow. */
static void
a_failover_that_succeeds_pays_for_itself(void **state)
{
  (void)state;
  scene at = scene_new();
  for (int i = 0; i < 100; i++)
    assert_true(try(&at, INF_RETRY_BUDGET_FAILOVER));
  succeed(&at, 100);
  for (int i = 0; i < 10000; i++) {
    assert_true(try(&at, INF_RETRY_BUDGET_FAILOVER));
    succeed(&at, 1);
  }
  assert_int_equal(try_all(&at, INF_RETRY_BUDGET_FAILOVER), 175);
}

static void
a_failover_gets_back_what_it_cost(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  inf_retry_budget_claim(&claim, &at.client, &at.target,
                         INF_RETRY_BUDGET_EXTRA);
  inf_retry_budget_claim(&claim, &at.client, &at.target,
                         INF_RETRY_BUDGET_FAILOVER);
  assert_int_equal(at.client.balance, 3380);
  inf_retry_budget_refund(&claim);
  assert_int_equal(at.client.balance, 3400);
  assert_int_equal(at.target.balance, 3400);
}

static void
five_successes_pay_for_one(void **state)
{
  (void)state;
  scene at = scene_new();
  try_all(&at, INF_RETRY_BUDGET_EXTRA);
  succeed(&at, 4);
  assert_false(try(&at, INF_RETRY_BUDGET_EXTRA));
  succeed(&at, 1);
  assert_true(try(&at, INF_RETRY_BUDGET_EXTRA));
  assert_false(try(&at, INF_RETRY_BUDGET_EXTRA));
}

static void
long_health_saves_no_more_than_the_cap(void **state)
{
  (void)state;
  scene at = scene_new();
  succeed(&at, 100000);
  assert_int_equal(at.client.balance, 3500);
  try(&at, INF_RETRY_BUDGET_EXTRA);
  succeed(&at, 100000);
  assert_int_equal(try_all(&at, INF_RETRY_BUDGET_EXTRA), 35);
}

/* A failure deposits nothing: an outage gets what was there, for ever. */
static void
an_outage_gets_no_more(void **state)
{
  (void)state;
  scene at = scene_new();
  int granted = 0;
  for (int i = 0; i < 10000; i++)
    granted += try(&at, INF_RETRY_BUDGET_EXTRA);
  assert_int_equal(granted, 35);
  assert_int_equal(at.client.granted, 35);
  assert_int_equal(at.client.denied, 9965);
  assert_int_equal(at.target.granted, 35);
  assert_int_equal(at.target.denied, 0);
}

/* In the long run one failure in seven is covered. */
static void
a_share_of_failures_is_covered(void **state)
{
  (void)state;
  scene at = scene_new();
  for (int i = 0; i < 70000; i++)
    if (i % 7 == 0)
      assert_true(try(&at, INF_RETRY_BUDGET_STAY));
    else
      succeed(&at, 1);
}

static void
both_or_neither(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  at.target.balance = 99;
  const char *why = inf_retry_budget_claim(&claim, &at.client, &at.target,
                                           INF_RETRY_BUDGET_EXTRA);
  assert_string_equal(why, "the target's retry budget is used up");
  assert_int_equal(at.client.balance, 3500);
  assert_int_equal(at.client.granted, 0);
  assert_int_equal(at.client.denied, 0);
  assert_int_equal(at.target.balance, 99);
  assert_int_equal(at.target.denied, 1);
  inf_retry_budget_refund(&claim);
  assert_int_equal(at.client.balance, 3500);
  at = scene_new();
  at.client.balance = 99;
  why = inf_retry_budget_claim(&claim, &at.client, &at.target,
                               INF_RETRY_BUDGET_EXTRA);
  assert_string_equal(why, "the client's retry budget is used up");
  assert_int_equal(at.target.balance, 3500);
  assert_int_equal(at.client.balance, 99);
}

static void
what_was_not_sent_is_given_back_once(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  for (int i = 0; i < 3; i++)
    assert_null(inf_retry_budget_claim(&claim, &at.client, &at.target,
                                       INF_RETRY_BUDGET_EXTRA));
  assert_int_equal(at.client.balance, 3200);
  for (int i = 0; i < 3; i++)
    inf_retry_budget_refund(&claim);
  assert_int_equal(at.client.balance, 3300);
  assert_int_equal(at.target.balance, 3300);
  assert_int_equal(at.client.refunded, 1);
  assert_int_equal(at.target.refunded, 1);
}

static void
what_was_sent_is_not_given_back(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  inf_retry_budget_claim(&claim, &at.client, &at.target,
                         INF_RETRY_BUDGET_EXTRA);
  inf_retry_budget_spend(&claim);
  inf_retry_budget_refund(&claim);
  assert_int_equal(at.client.balance, 3400);
  inf_retry_claim nothing = {0};
  inf_retry_budget_refund(&nothing);
}

static void
a_refund_does_not_pass_the_cap(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  inf_retry_budget_claim(&claim, &at.client, &at.target,
                         INF_RETRY_BUDGET_EXTRA);
  succeed(&at, 4);
  inf_retry_budget_refund(&claim);
  assert_int_equal(at.client.balance, 3500);
}

static void
a_smaller_cap_holds_from_the_next_deposit(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_budget_params small = {.ratio = 10, .cap = 200, .reserve = 0};
  at.client.params = &small;
  succeed(&at, 1);
  assert_int_equal(at.client.balance, 200);
}

static void
without_a_budget_there_is_no_limit(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  for (int i = 0; i < 1000; i++)
    assert_null(
        inf_retry_budget_claim(&claim, NULL, NULL, INF_RETRY_BUDGET_STAY));
  inf_retry_budget_refund(&claim);
  assert_null(
      inf_retry_budget_claim(&claim, &at.client, NULL, INF_RETRY_BUDGET_STAY));
  inf_retry_budget_refund(&claim);
  assert_int_equal(at.client.balance, 3500);
}

static void
a_look_takes_nothing(void **state)
{
  (void)state;
  static const inf_retry_budget_use uses[] = {
      INF_RETRY_BUDGET_STAY, INF_RETRY_BUDGET_FAILOVER, INF_RETRY_BUDGET_EXTRA};
  for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
    scene at = scene_new();
    const char *told, *why;
    do {
      scene before = at;
      told = inf_retry_budget_look(&at.client, &at.target, uses[i]);
      assert_memory_equal(&before, &at, sizeof at);
      inf_retry_claim claim;
      why = inf_retry_budget_claim(&claim, &at.client, &at.target, uses[i]);
      assert_ptr_equal(told, why);
    } while (!why);
  }
}

static void
probes_cost_one_percent(void **state)
{
  (void)state;
  inf_retry_budget probes;
  inf_retry_budget_init(&probes, &inf_probe_budget_defaults);
  inf_retry_claim claim;
  int granted = 0;
  for (int i = 0; i < 10000; i++) {
    granted += inf_retry_budget_claim(&claim, &probes, NULL,
                                      INF_RETRY_BUDGET_EXTRA) == NULL;
    inf_retry_budget_succeed(&probes);
  }
  assert_int_equal(granted, 10 + 99);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_calls_may_retry),
      cmocka_unit_test(retries_leave_the_reserve_to_others),
      cmocka_unit_test(a_failover_that_succeeds_pays_for_itself),
      cmocka_unit_test(a_failover_gets_back_what_it_cost),
      cmocka_unit_test(five_successes_pay_for_one),
      cmocka_unit_test(long_health_saves_no_more_than_the_cap),
      cmocka_unit_test(an_outage_gets_no_more),
      cmocka_unit_test(a_share_of_failures_is_covered),
      cmocka_unit_test(both_or_neither),
      cmocka_unit_test(what_was_not_sent_is_given_back_once),
      cmocka_unit_test(what_was_sent_is_not_given_back),
      cmocka_unit_test(a_refund_does_not_pass_the_cap),
      cmocka_unit_test(a_smaller_cap_holds_from_the_next_deposit),
      cmocka_unit_test(without_a_budget_there_is_no_limit),
      cmocka_unit_test(a_look_takes_nothing),
      cmocka_unit_test(probes_cost_one_percent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
