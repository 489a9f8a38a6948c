/* SPDX-License-Identifier: MIT */
/* Hedges of routes: plans for each target and prompt length, where a hedge
 * goes, and what is counted. */
#include "engine/hedger.h"

#include "base/buf.h"
#include "engine/runtime_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { known = 30, cold_ms = 2000 };

static char a_name[] = "a/m", b_name[] = "b/m", c_name[] = "c/m";
static const inf_target_config a = {.name = a_name}, b = {.name = b_name},
                               c = {.name = c_name};
static const inf_target_config *const targets[] = {&a, &b, &c};

typedef struct world {
  inf_runtime *runtime;
  inf_rng rng;
  inf_route_params params;
  inf_hedge_ask ask;
} world;

static int
set_up(void **state)
{
  static world w;
  w = (world){
      .runtime = inf_runtime_new(),
      .params = {.hedge_budget = 50000,        /* 5 % */
                 .hedge_percentile = 95000000, /* p95 */
                 .hedge_min_delay_ms = 10},
      .ask = {.targets = targets,
              .count = 2,
              .kind = INF_LATENCY_CONTENT,
              .cost = 10},
  };
  inf_rng_seed(&w.rng, 1);
  *state = &w;
  return w.runtime ? 0 : -1;
}

static int
tear_down(void **state)
{
  inf_runtime_free(((world *)*state)->runtime);
  return 0;
}

static inf_hedge_pass
arm_at(world *w, uint64_t now_ms)
{
  return inf_hedger_arm(w->runtime, "r", &w->params, &w->ask,
                        now_ms * INF_NS_PER_MS, &w->rng);
}

static inf_hedge_pass
arm(world *w)
{
  return arm_at(w, 0);
}

static void
record(world *w, const char *target, inf_latency_kind kind, uint32_t bucket,
       int count, uint64_t ms)
{
  inf_latency_place place = {target, kind, bucket};
  for (int i = 0; i < count; i++)
    inf_latency_record(w->runtime, &place, ms * INF_NS_PER_MS, false);
}

/* One in twenty takes ten times as long. */
static void
record_stragglers(world *w, const char *target, uint32_t bucket, int count,
                  uint64_t ms)
{
  for (int i = 0; i < count; i++)
    record(w, target, INF_LATENCY_CONTENT, bucket, 1,
           i % 20 == 0 ? 10 * ms : ms);
}

static void
see(void *context, const inf_hedge_totals *totals)
{
  inf_hedge_totals *found = context;
  if (strcmp(totals->route, found->route) == 0)
    *found = *totals;
}

static inf_hedge_totals
totals_of(world *w, const char *route)
{
  inf_hedge_totals found = {.route = route};
  inf_hedgers_each(w->runtime, see, &found);
  return found;
}

static inf_hedge_budget *
budget_of(const inf_hedge_pass *pass)
{
  return pass->claim.budget;
}

/* ---- Costs --------------------------------------------------------------- */

static void
tokens_have_their_prices(void **state)
{
  (void)state;
  const inf_hedge_price usual = {1, 4}, none = {0, 0};
  assert_int_equal(inf_hedge_cost(&usual, 100, 10), 140);
  assert_int_equal(inf_hedge_cost(&usual, -1, -1), 0); /* not known */
  assert_int_equal(inf_hedge_cost(&none, 100, 10), 0);
  assert_int_equal(inf_hedge_cost(&usual, INT64_MAX, INT64_MAX), INT64_MAX);
  assert_int_equal(inf_hedge_cost(&usual, INT64_MAX, 1), INT64_MAX);
}

/* ---- Plans --------------------------------------------------------------- */

static void
without_a_plan_two_seconds_of_silence(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = arm_at(w, 500);
  assert_non_null(pass.machine);
  assert_int_equal(pass.arming.reason, INF_HEDGE_YES);
  assert_int_equal(pass.arming.fire_at_ns, (500 + cold_ms) * INF_NS_PER_MS);
  assert_int_equal(pass.delay_ns, INF_NEVER);
}

/* Or four times what headers take, once that is known. */
static void
or_four_times_what_headers_take(void **state)
{
  world *w = *state;
  record(w, "a/m", INF_LATENCY_HEADERS, 0, known - 1, 800);
  assert_int_equal(arm(w).arming.fire_at_ns, cold_ms * INF_NS_PER_MS);
  record(w, "a/m", INF_LATENCY_HEADERS, 0, 1, 800);
  assert_in_range(arm(w).arming.fire_at_ns, 4 * 787 * INF_NS_PER_MS,
                  4 * 813 * INF_NS_PER_MS);
}

static void
a_plan_needs_thirty_times(void **state)
{
  world *w = *state;
  record_stragglers(w, "a/m", 0, known - 1, 100);
  assert_int_equal(arm(w).delay_ns, INF_NEVER);
  record_stragglers(w, "a/m", 0, 20, 100);
  inf_hedge_pass pass = arm(w);
  assert_int_not_equal(pass.delay_ns, INF_NEVER);
  assert_in_range(pass.delay_ns, 10 * INF_NS_PER_MS, 200 * INF_NS_PER_MS);
}

/* It is made anew when a quarter is new, 16 at least. */
static void
a_plan_follows_its_target(void **state)
{
  world *w = *state;
  record_stragglers(w, "a/m", 0, 40, 100);
  uint64_t delay_ns = arm(w).delay_ns;
  record_stragglers(w, "a/m", 0, 15, 20);
  assert_int_equal(arm(w).delay_ns, delay_ns);
  record_stragglers(w, "a/m", 0, 1, 20);
  assert_int_not_equal(arm(w).delay_ns, delay_ns);
}

/* What the second one's own times are decides what is gained. */
static void
a_plan_looks_at_both_targets(void **state)
{
  world *w = *state;
  record_stragglers(w, "a/m", 0, 100, 100);
  record(w, "b/m", INF_LATENCY_CONTENT, 0, 100, 140);
  inf_hedge_pass pass = arm(w);
  uint64_t with_b_ns = pass.machine->plan.after_ns;
  assert_true(pass.machine->plan.hedges);
  w->ask.count = 1;
  w->params.hedge_percentile++; /* a new plan */
  assert_ptr_equal(arm(w).machine, pass.machine);
  assert_true(pass.machine->plan.hedges);
  assert_true(pass.machine->plan.after_ns < with_b_ns);
}

/* All take the same time: no plan, which is known at the start. */
static void
where_nothing_is_to_be_gained_there_is_none(void **state)
{
  world *w = *state;
  record(w, "a/m", INF_LATENCY_CONTENT, 0, 100, 100);
  inf_hedge_pass pass = arm(w);
  assert_int_equal(pass.arming.reason, INF_HEDGE_NO_PLAN);
  assert_int_equal(pass.arming.fire_at_ns, INF_NEVER);
  assert_int_equal(pass.delay_ns, INF_NEVER);
  assert_int_equal(totals_of(w, "r").suppressed[INF_HEDGE_NO_PLAN], 1);
}

/* Of prompts of another length nothing is known yet: theirs is that of the
 * nearest, and of two equally near the longer. */
static void
unknown_lengths_borrow_the_nearest_curve(void **state)
{
  world *w = *state;
  for (int i = 0; i < 100; i++) { /* one in ten takes ten times as long */
    record(w, "a/m", INF_LATENCY_CONTENT, 1, 1, i % 10 == 0 ? 500 : 50);
    record(w, "a/m", INF_LATENCY_CONTENT, 5, 1, i % 10 == 0 ? 9000 : 900);
  }
  w->params.hedge_budget = 500000;
  for (uint32_t bucket = 0; bucket < 8; bucket++) { /* calls of all lengths */
    w->ask.bucket = bucket;
    arm(w);
  }
  w->params.hedge_percentile++; /* a new plan, with all of them */
  uint64_t delays_ns[8];
  w->ask.bucket = 1;
  arm(w);
  for (uint32_t bucket = 0; bucket < 8; bucket++) {
    w->ask.bucket = bucket;
    delays_ns[bucket] = arm(w).delay_ns;
  }
  uint64_t near_ns = delays_ns[1], far_ns = delays_ns[5];
  assert_int_not_equal(near_ns, far_ns);
  const uint64_t expected_ns[8] = {near_ns, near_ns, near_ns, far_ns,
                                   far_ns,  far_ns,  far_ns,  far_ns};
  for (int i = 0; i < 8; i++)
    assert_int_equal(delays_ns[i], expected_ns[i]);
}

static void
kinds_have_plans_of_their_own(void **state)
{
  world *w = *state;
  record_stragglers(w, "a/m", 0, 100, 100);
  inf_hedge_pass pass = arm(w);
  w->ask.kind = INF_LATENCY_WHOLE;
  inf_hedge_pass other = arm(w);
  assert_ptr_not_equal(pass.machine, other.machine);
  assert_int_equal(other.delay_ns, INF_NEVER);
  assert_int_not_equal(pass.delay_ns, INF_NEVER);
}

/* Another percentile, budget or least delay: the plan is made anew at once. */
static void
a_reload_makes_plans_void(void **state)
{
  world *w = *state;
  record_stragglers(w, "a/m", 0, 100, 100);
  assert_in_range(arm(w).delay_ns, 10 * INF_NS_PER_MS, 900 * INF_NS_PER_MS);
  w->params.hedge_min_delay_ms = 950;
  uint64_t delay_ns = arm(w).delay_ns;
  assert_true(delay_ns >= 950 * INF_NS_PER_MS);
  w->params.hedge_min_delay_ms = 10;
  assert_in_range(arm(w).delay_ns, 10 * INF_NS_PER_MS, 900 * INF_NS_PER_MS);
  w->params.hedge_budget = 100000;
  arm(w);
  assert_int_equal(totals_of(w, "r").share_ppm, 100000);
}

/* ---- Where it goes ------------------------------------------------------- */

static void
assert_order(world *w, size_t first, size_t second, size_t third)
{
  size_t order[3];
  inf_hedger_order(w->runtime, &w->ask, order);
  assert_int_equal(order[0], first);
  assert_int_equal(order[1], second);
  assert_int_equal(order[2], third);
}

static void
read_curve(world *w, const char *target)
{
  static inf_survival curve;
  inf_latency_place place = {target, INF_LATENCY_CONTENT, 0};
  assert_true(inf_latency_read_locked(w->runtime, &place, &curve));
}

static void
learn(world *w, const char *target, uint64_t ms)
{
  record(w, target, INF_LATENCY_CONTENT, 0, 30, ms);
  read_curve(w, target);
}

static void
the_fastest_is_first_and_its_own_target_last(void **state)
{
  world *w = *state;
  w->ask.count = 3;
  assert_order(w, 1, 2, 0); /* nothing is known: the route's order */
  w->ask.first = 1;
  assert_order(w, 2, 0, 1);
  w->ask.first = 0;
  learn(w, "a/m", 100);
  assert_order(w, 1, 2, 0);
  learn(w, "c/m", 90);
  assert_order(w, 2, 1, 0); /* b is thought to be like a */
  learn(w, "b/m", 190);
  assert_order(w, 2, 1, 0);
}

/* Its own counts twice: slower ones than that come after it. */
static void
much_slower_ones_come_after_its_own(void **state)
{
  world *w = *state;
  w->ask.count = 3;
  learn(w, "a/m", 100);
  learn(w, "b/m", 210);
  learn(w, "c/m", 190);
  assert_order(w, 2, 0, 1);
}

/* Few times say nothing: they may be those of the hedges that won. */
static void
a_few_times_are_none(void **state)
{
  world *w = *state;
  w->ask.count = 3;
  learn(w, "a/m", 100);
  record(w, "b/m", INF_LATENCY_CONTENT, 0, 29, 400);
  read_curve(w, "b/m");
  assert_order(w, 1, 2, 0);
}

/* ---- The life of a hedge ------------------------------------------------- */

/* The route has earned 5 % of 100 calls at 1000. */
static inf_hedge_pass
earned(world *w)
{
  inf_hedge_pass pass = arm(w);
  for (int i = 0; i < 100; i++)
    inf_hedger_complete(w->runtime, &pass, 1000);
  return pass;
}

static inf_hedge_reason
fire(world *w, inf_hedge_pass *pass, const char *target, int64_t cost)
{
  return inf_hedger_fire(w->runtime, pass, target, cost, &w->rng);
}

static void
calls_pay_for_hedges(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = arm(w);
  assert_int_equal(fire(w, &pass, "b/m", 10), INF_HEDGE_BUDGET);
  pass = earned(w);
  assert_int_equal(fire(w, &pass, "b/m", 5001), INF_HEDGE_BUDGET);
  assert_null(budget_of(&pass));
  assert_int_equal(fire(w, &pass, "b/m", 5000), INF_HEDGE_YES);
  assert_int_equal(budget_of(&pass)->balance, 0);
  inf_hedge_pass other = arm(w);
  assert_int_equal(fire(w, &other, "b/m", 1), INF_HEDGE_BUDGET);
  inf_hedge_totals totals = totals_of(w, "r");
  assert_int_equal(totals.sent, 1);
  assert_int_equal(totals.suppressed[INF_HEDGE_BUDGET], 3);
  assert_int_equal(totals.calls_cost, 100 * 1000);
  assert_int_equal(totals.share_ppm, 50000);
}

static void
what_it_really_cost_is_settled_once(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = earned(w);
  fire(w, &pass, "b/m", 1000);
  inf_hedge_budget *budget = budget_of(&pass);
  inf_hedger_settle(w->runtime, &pass, 300);
  inf_hedger_settle(w->runtime, &pass, 300);
  inf_hedger_refund(w->runtime, &pass);
  assert_int_equal(budget->balance, 4700);
  assert_int_equal(totals_of(w, "r").losers_cost, 300);
  assert_int_equal(fire(w, &pass, "b/m", 1000), INF_HEDGE_YES);
  inf_hedger_refund(w->runtime, &pass);
  inf_hedger_settle(w->runtime, &pass, 300);
  assert_int_equal(budget->balance, 4700);
  assert_int_equal(totals_of(w, "r").losers_cost, 300);
}

/* A reload may give a route prices, and take them away. */
static void
money_and_tokens_have_budgets_of_their_own(void **state)
{
  world *w = *state;
  w->ask.priced = true;
  inf_hedge_pass money = earned(w);
  w->ask.priced = false;
  inf_hedge_pass tokens = arm(w);
  assert_int_equal(totals_of(w, "r").calls_cost, 0);
  assert_int_equal(fire(w, &tokens, "b/m", 1), INF_HEDGE_BUDGET);
  assert_int_equal(fire(w, &money, "b/m", 5000), INF_HEDGE_YES);
  inf_hedger_settle(w->runtime, &money, 4000);
  inf_hedger_complete(w->runtime, &tokens, 20);
  assert_int_equal(totals_of(w, "r").calls_cost, 20);
  assert_int_equal(totals_of(w, "r").losers_cost, 0);
  assert_int_equal(fire(w, &tokens, "b/m", 1), INF_HEDGE_YES);
  w->ask.priced = true;
  arm(w);
  assert_int_equal(totals_of(w, "r").calls_cost, 100 * 1000);
  assert_int_equal(totals_of(w, "r").losers_cost, 4000);
}

/* The plan of a route of which all calls cost that much. */
static double
probability_at_cost(world *w, bool priced, int64_t cost)
{
  w->ask.priced = priced;
  w->ask.cost = cost;
  inf_hedge_pass pass = arm(w);
  for (int i = 0; i < 100; i++) {
    inf_hedger_complete(w->runtime, &pass, cost);
    arm(w);
  }
  w->params.hedge_percentile ^= 1; /* a new plan */
  return arm(w).machine->plan.buckets[0].probability;
}

/* What a loser costs is then learned anew, in money it is 10^6 times as
 * much. */
static void
plans_do_not_mix_money_and_tokens(void **state)
{
  world *w = *state;
  record_stragglers(w, "a/m", 0, 400, 100);
  double probability = probability_at_cost(w, true, 1000000000);
  assert_true(probability > 0.01);
  assert_true(probability_at_cost(w, false, 1000) == probability);
}

static void
reasons_are_counted(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = earned(w);
  assert_int_equal(fire(w, &pass, NULL, 1), INF_HEDGE_NOWHERE);
  inf_hedger_suppress(w->runtime, &pass, INF_HEDGE_BUDGET);
  w->ask.run_once = true;
  assert_int_equal(arm(w).arming.reason, INF_HEDGE_RUN_ONCE);
  learn(w, "b/m", 100);
  for (int i = 0; i < 24; i++)
    inf_latency_note_late(w->runtime, "b/m");
  assert_int_equal(fire(w, &pass, "b/m", 1), INF_HEDGE_SLOWDOWN);
  inf_hedge_totals totals = totals_of(w, "r");
  assert_int_equal(totals.suppressed[INF_HEDGE_NOWHERE], 1);
  assert_int_equal(totals.suppressed[INF_HEDGE_BUDGET], 1);
  assert_int_equal(totals.suppressed[INF_HEDGE_RUN_ONCE], 1);
  assert_int_equal(totals.suppressed[INF_HEDGE_SLOWDOWN], 1);
  assert_int_equal(totals.sent, 0);
}

/* A slowdown of the first is what a hedge is for. */
static void
a_slowdown_of_the_first_is_none(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = earned(w);
  learn(w, "a/m", 100);
  for (int i = 0; i < 24; i++)
    inf_latency_note_late(w->runtime, "a/m");
  assert_int_equal(fire(w, &pass, "b/m", 1), INF_HEDGE_YES);
  assert_int_equal(fire(w, &pass, "a/m", 1), INF_HEDGE_SLOWDOWN);
}

static void
hedges_that_never_win_are_tried_seldom(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = earned(w);
  for (int i = 0; i < 64; i++)
    inf_hedger_judge(w->runtime, &pass, false);
  int sent = 0;
  for (int i = 0; i < 800; i++) {
    sent += fire(w, &pass, "b/m", 0) == INF_HEDGE_YES;
    inf_hedger_settle(w->runtime, &pass, 0);
  }
  assert_in_range(sent, 70, 130); /* one in eight */
  inf_hedge_totals totals = totals_of(w, "r");
  assert_int_equal(totals.lost, 64);
  assert_int_equal(totals.suppressed[INF_HEDGE_LOSES], 800 - sent);
}

/* ---- Routes -------------------------------------------------------------- */

/* A request that names a target is of no route; the target stands for it. */
static void
routes_have_budgets_of_their_own(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = earned(w);
  inf_hedge_pass other =
      inf_hedger_arm(w->runtime, "", &w->params, &w->ask, 0, &w->rng);
  assert_ptr_not_equal(pass.hedger, other.hedger);
  assert_int_equal(fire(w, &other, "b/m", 1), INF_HEDGE_BUDGET);
  assert_int_equal(fire(w, &pass, "b/m", 1), INF_HEDGE_YES);
  assert_int_equal(totals_of(w, "r").sent, 1);
  assert_int_equal(totals_of(w, "a/m").sent, 0);
  assert_int_equal(totals_of(w, "a/m").suppressed[INF_HEDGE_BUDGET], 1);
}

/* Counters of a route are those of all targets that are asked first. */
static void
targets_of_a_route_share_its_budget(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = earned(w);
  w->ask.first = 1;
  inf_hedge_pass other = arm(w);
  assert_ptr_equal(pass.hedger, other.hedger);
  assert_ptr_not_equal(pass.machine, other.machine);
  assert_int_equal(fire(w, &pass, "b/m", 3000), INF_HEDGE_YES);
  assert_int_equal(fire(w, &other, "a/m", 3000), INF_HEDGE_BUDGET);
  assert_int_equal(fire(w, &other, "a/m", 2000), INF_HEDGE_YES);
  inf_hedger_judge(w->runtime, &pass, true);
  inf_hedger_judge(w->runtime, &other, false);
  inf_hedger_note_rescue(w->runtime, &other);
  inf_hedge_totals totals = totals_of(w, "r");
  assert_int_equal(totals.sent, 2);
  assert_int_equal(totals.won, 1);
  assert_int_equal(totals.lost, 1);
  assert_int_equal(totals.rescues, 1);
}

static void
one_route_too_many_has_no_hedges(void **state)
{
  world *w = *state;
  earned(w);
  w->runtime->hedger_count = INF_RUNTIME_MAX;
  inf_hedge_pass pass =
      inf_hedger_arm(w->runtime, "s", &w->params, &w->ask, 0, &w->rng);
  assert_null(pass.machine);
  assert_null(pass.hedger);
  assert_int_equal(pass.arming.fire_at_ns, INF_NEVER);
  assert_non_null(arm(w).machine);
}

static void
counters_are_written(void **state)
{
  world *w = *state;
  inf_hedge_pass pass = earned(w);
  fire(w, &pass, "b/m", 100);
  inf_hedger_judge(w->runtime, &pass, true);
  inf_hedger_settle(w->runtime, &pass, 60);
  fire(w, &pass, NULL, 0);
  inf_buf out;
  inf_buf_init(&out, 4096);
  inf_hedgers_write_json(w->runtime, &out);
  assert_string_equal(inf_buf_cstr(&out),
                      "{\"r\":{\"sent\":1,\"won\":1,\"lost\":0,\"rescues\":0,"
                      "\"delay_ms\":null,\"probability\":0,\"calls_cost\":"
                      "100000,\"losers_cost\":60,\"suppressed\":{"
                      "\"no_plan\":0,\"drawn\":0,\"run_once\":0,\"nowhere\":1,"
                      "\"slowdown\":0,\"loses\":0,\"budget\":0}}}");
  inf_buf_fini(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tokens_have_their_prices),
      TEST(without_a_plan_two_seconds_of_silence),
      TEST(or_four_times_what_headers_take),
      TEST(a_plan_needs_thirty_times),
      TEST(a_plan_follows_its_target),
      TEST(a_plan_looks_at_both_targets),
      TEST(where_nothing_is_to_be_gained_there_is_none),
      TEST(unknown_lengths_borrow_the_nearest_curve),
      TEST(kinds_have_plans_of_their_own),
      TEST(a_reload_makes_plans_void),
      TEST(the_fastest_is_first_and_its_own_target_last),
      TEST(much_slower_ones_come_after_its_own),
      TEST(a_few_times_are_none),
      TEST(calls_pay_for_hedges),
      TEST(what_it_really_cost_is_settled_once),
      TEST(money_and_tokens_have_budgets_of_their_own),
      TEST(plans_do_not_mix_money_and_tokens),
      TEST(reasons_are_counted),
      TEST(a_slowdown_of_the_first_is_none),
      TEST(hedges_that_never_win_are_tried_seldom),
      TEST(routes_have_budgets_of_their_own),
      TEST(targets_of_a_route_share_its_budget),
      TEST(one_route_too_many_has_no_hedges),
      TEST(counters_are_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
