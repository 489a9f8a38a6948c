/* SPDX-License-Identifier: MIT */
#include "policy/single_r.h"

#include "base/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static inf_survival curves[2];
static inf_single_r_work work;
static inf_single_r_plan plan;
static inf_single_r_bucket buckets[INF_SINGLE_R_BUCKETS];

typedef double cdf(double s);

static double
exponential(double s)
{
  return 1 - exp(-s);
}

static double
uniform(double s)
{
  return s < 1 ? s : 1;
}

/* 1 s, and once in ten 10 s. */
static double
two_point(double s)
{
  if (s < 1)
    return 0;
  return s < 10 ? 0.9 : 1;
}

static double
constant(double s)
{
  return s < 1 ? 0 : 1;
}

static double
fast(double s)
{
  return s < 0.25 ? 0 : 1;
}

static double
normal(double z)
{
  return 0.5 * erfc(-z / sqrt(2));
}

static double
stragglers(double s)
{
  if (s <= 0)
    return 0;
  return 0.95 * normal(log(s / 0.5) / 0.385) +
         0.05 * normal(log(s / 5) / 0.385);
}

static inf_survival *
draw_curve(inf_survival *curve, cdf *of)
{
  curve->first = INF_HISTOGRAM_BUCKETS;
  curve->last = 0;
  curve->at[0] = 1;
  for (uint32_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++) {
    double upper = (double)inf_histogram_lower(i + 1) / 1e9;
    curve->at[i + 1] = (float)(1 - of(upper));
    if (curve->at[i + 1] >= curve->at[i])
      continue;
    if (i < curve->first)
      curve->first = i;
    curve->last = i + 1;
  }
  return curve;
}

static inf_single_r_problem
problem_of(cdf *primary, cdf *hedge, double share, double budget)
{
  buckets[0] = (inf_single_r_bucket){draw_curve(&curves[0], primary),
                                     draw_curve(&curves[1], hedge), 1, 1};
  return (inf_single_r_problem){
      .buckets = buckets, .count = 1, .share = share, .budget = budget};
}

static void
solve(const inf_single_r_problem *problem)
{
  inf_single_r_solve(problem, &work, &plan);
}

static double
seconds(uint64_t ns)
{
  return (double)ns / 1e9;
}

static void
assert_near(double a, double b, double tolerance)
{
  if (fabs(a - b) > tolerance)
    fail_msg("%g is not %g", a, b);
}

/* G(t - d) / (1 - F(d)) is largest at d = t - ln 2, where the gain is B/4. */
static void
exponential_in_closed_form(void **state)
{
  (void)state;
  inf_single_r_problem problem =
      problem_of(exponential, exponential, 0.95, 0.05);
  solve(&problem);
  double t = -log(0.05 + 0.05 / 4);
  assert_true(plan.hedges);
  assert_near(seconds(plan.before_ns), -log(0.05), 0.03);
  assert_near(seconds(plan.after_ns), t, 0.03);
  assert_near(seconds(plan.buckets[0].delay_ns), t - log(2), 0.15);
  assert_near(plan.buckets[0].probability, 0.4, 0.06);
  assert_near(plan.cost, 0.05, 1e-4);
}

/* At once, with probability B: t + B (1 - t) t = k. */
static void
uniform_in_closed_form(void **state)
{
  (void)state;
  inf_single_r_problem problem = problem_of(uniform, uniform, 0.9, 0.2);
  solve(&problem);
  double t = (1.2 - sqrt(1.44 - 4 * 0.2 * 0.9)) / 0.4;
  assert_near(seconds(plan.after_ns), t, 0.005);
  assert_int_equal(plan.buckets[0].delay_ns, 0);
  assert_near(plan.buckets[0].probability, 0.2, 1e-6);
}

/* A tenth waits beyond 1 s; half of it can be hedged, nine tenths of that in
 * another second: 94.5 % by then. */
static void
two_points_in_closed_form(void **state)
{
  (void)state;
  inf_single_r_problem problem = problem_of(two_point, two_point, 0.94, 0.05);
  solve(&problem);
  assert_near(seconds(plan.before_ns), 10, 0.1);
  assert_near(seconds(plan.after_ns), 2, 0.04);
  assert_near(seconds(plan.buckets[0].delay_ns), 1, 0.02);
  assert_near(plan.buckets[0].probability, 0.5, 0.01);
  problem.share = 0.95;
  solve(&problem);
  assert_false(plan.hedges);
}

static void
no_hedge_where_it_cannot_help(void **state)
{
  (void)state;
  inf_single_r_problem problem = problem_of(constant, constant, 0.95, 0.5);
  solve(&problem);
  assert_false(plan.hedges);
  assert_true(plan.buckets[0].delay_ns == INF_NEVER);
  assert_near(plan.buckets[0].probability, 0, 1e-9);
  assert_true(plan.after_ns == plan.before_ns);
  problem = problem_of(exponential, exponential, 0.95, 0);
  solve(&problem);
  assert_false(plan.hedges);
  problem = problem_of(uniform, uniform, 0.95, 0.05); /* 0.3 % sooner */
  problem.min_gain = 0.005;
  solve(&problem);
  assert_false(plan.hedges);
  assert_near(plan.cost, 0, 1e-9);
}

/* The best of a plain scan over delays, for a given t. */
static double
scan(double t, double budget)
{
  double best = 0;
  for (double d = 0; d < t; d += 0.001) {
    double q = fmin(1, budget / (1 - stragglers(d)));
    best = fmax(best, q * (1 - stragglers(t)) * stragglers(t - d));
  }
  return stragglers(t) + best;
}

static void
stragglers_as_by_a_plain_scan(void **state)
{
  (void)state;
  for (int i = 0; i < 4; i++) {
    double share = i & 1 ? 0.99 : 0.95, budget = i & 2 ? 0.1 : 0.05;
    inf_single_r_problem problem =
        problem_of(stragglers, stragglers, share, budget);
    solve(&problem);
    double t = 0.1;
    while (scan(t, budget) < share)
      t *= 1.002;
    assert_near(seconds(plan.after_ns) / t, 1, 0.015);
    assert_true(plan.cost <= budget * 1.0001);
  }
}

static void
another_provider_that_is_faster(void **state)
{
  (void)state;
  inf_single_r_problem problem = problem_of(stragglers, fast, 0.95, 0.05);
  solve(&problem);
  uint64_t other_ns = plan.after_ns;
  problem = problem_of(stragglers, stragglers, 0.95, 0.05);
  solve(&problem);
  assert_true(other_ns < plan.after_ns);
}

static void
never_before_the_least_delay(void **state)
{
  (void)state;
  inf_single_r_problem problem = problem_of(uniform, uniform, 0.9, 0.2);
  problem.min_delay_ns = 300000000;
  solve(&problem);
  assert_true(plan.buckets[0].delay_ns >= 300000000);
  assert_near(plan.cost, 0.2, 1e-4);
}

/* Only the second bucket has stragglers: the whole budget goes there. */
static void
the_budget_goes_where_it_helps(void **state)
{
  (void)state;
  buckets[0] = (inf_single_r_bucket){draw_curve(&curves[0], constant),
                                     &curves[0], 0.5, 1};
  buckets[1] = (inf_single_r_bucket){draw_curve(&curves[1], two_point),
                                     &curves[1], 0.5, 2};
  inf_single_r_problem problem = {
      .buckets = buckets, .count = 2, .share = 0.97, .budget = 0.05};
  solve(&problem);
  assert_true(plan.hedges);
  assert_true(plan.buckets[0].delay_ns == INF_NEVER);
  assert_near(plan.buckets[1].probability, 0.5, 0.01);
  assert_near(plan.cost, 0.05, 1e-4);
  problem.budget = 0.15; /* more than can be spent: of long ones, each late */
  solve(&problem);
  assert_near(plan.buckets[1].probability, 1, 1e-6);
}

/* Cheap prompts are hedged before dear ones that are as slow. */
static void
the_cheap_ones_come_first(void **state)
{
  (void)state;
  draw_curve(&curves[0], two_point);
  buckets[0] = (inf_single_r_bucket){&curves[0], &curves[0], 1, 4};
  buckets[1] = (inf_single_r_bucket){&curves[0], &curves[0], 1, 0.5};
  inf_single_r_problem problem = {
      .buckets = buckets, .count = 2, .share = 0.94, .budget = 0.025};
  solve(&problem);
  assert_true(plan.hedges);
  assert_near(plan.buckets[0].probability, 0, 1e-9);
  assert_near(plan.buckets[1].probability, 1, 1e-6);
}

static void
more_money_never_harms(void **state)
{
  (void)state;
  uint64_t last_ns = INF_NEVER;
  for (int i = 0; i <= 40; i++) {
    inf_single_r_problem problem =
        problem_of(stragglers, stragglers, 0.97, i / 100.0);
    solve(&problem);
    assert_true(plan.after_ns <= last_ns + last_ns / 200);
    assert_true(plan.after_ns <= plan.before_ns);
    assert_true(plan.cost <= i / 100.0 + 1e-6);
    double q = plan.buckets[0].probability;
    assert_true(q >= 0 && q <= 1);
    last_ns = plan.after_ns;
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exponential_in_closed_form),
      cmocka_unit_test(uniform_in_closed_form),
      cmocka_unit_test(two_points_in_closed_form),
      cmocka_unit_test(no_hedge_where_it_cannot_help),
      cmocka_unit_test(stragglers_as_by_a_plain_scan),
      cmocka_unit_test(another_provider_that_is_faster),
      cmocka_unit_test(never_before_the_least_delay),
      cmocka_unit_test(the_budget_goes_where_it_helps),
      cmocka_unit_test(the_cheap_ones_come_first),
      cmocka_unit_test(more_money_never_harms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
