/* SPDX-License-Identifier: MIT */
/* Quantiles of times that partly never came, and their intervals. */

#include "compare_stats.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT 200

static const double common[] = {0.50, 0.95, 0.99};

/* 1, 2, ..., count milliseconds, in an order that is not theirs. */
static void
fill(inf_cmp_time *times, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    times[i] = (inf_cmp_time){(double)((i * 7) % count + 1), INF_CMP_SEEN};
  }
}

static void
assert_near(double value, double wanted, double within)
{
  if (!(fabs(value - wanted) <= within)) {
    print_error("%g is not within %g of %g\n", value, within, wanted);
    fail();
  }
}

static void
test_order_statistics(void **state)
{
  (void)state;
  inf_cmp_time times[COUNT];
  inf_cmp_interval out[3];
  fill(times, COUNT);
  assert_true(inf_cmp_quantiles(times, COUNT, common, 3, 1, out));
  assert_near(out[0].value, 100, 0);
  assert_near(out[1].value, 190, 0);
  assert_near(out[2].value, 198, 0);
  /* Binomial: the p50 of 200 lies between the 86th and the 114th. */
  assert_near(out[0].low, 86, 4);
  assert_near(out[0].high, 114, 4);
  assert_near(out[1].low, 183, 3);
  assert_near(out[1].high, 196, 3);
  assert_true(isnan(out[2].high)); /* 0.99 ^ 200 = 13 % are beyond all */
}

static void
test_failures_never_answer(void **state)
{
  (void)state;
  inf_cmp_time times[COUNT];
  inf_cmp_interval out[3];
  fill(times, COUNT);
  /* The fastest failures of all: twelve calls refused after a millisecond. */
  for (size_t i = 0; i < 12; i++) {
    times[i] = (inf_cmp_time){1, INF_CMP_NEVER};
  }
  assert_true(inf_cmp_quantiles(times, COUNT, common, 3, 1, out));
  assert_true(out[0].value >= 100); /* they make nothing faster */
  assert_true(isinf(out[1].value)); /* 6 % have no answer: there is no p95 */
  assert_true(isinf(out[2].value));
  assert_true(isfinite(out[0].high));
  assert_true(isinf(out[1].high));
}

static void
test_censored(void **state)
{
  (void)state;
  /* The textbook's example: 1, 2+, 3, 4+, 5. S(1) = 4/5, S(3) = 4/5 * 2/3,
   * S(5) = 0. */
  const inf_cmp_time times[] = {{1, INF_CMP_SEEN},
                                {2, INF_CMP_BEYOND},
                                {3, INF_CMP_SEEN},
                                {4, INF_CMP_BEYOND},
                                {5, INF_CMP_SEEN}};
  const double q[] = {0.19, 0.21, 0.46, 0.47, 0.99};
  inf_cmp_interval out[5];
  assert_true(inf_cmp_quantiles(times, 5, q, 5, 1, out));
  assert_near(out[0].value, 1, 0);
  assert_near(out[1].value, 3, 0);
  assert_near(out[2].value, 3, 0);
  assert_near(out[3].value, 5, 0);
  assert_near(out[4].value, 5, 0);
}

static void
test_timeouts_are_not_the_slowest_answers(void **state)
{
  (void)state;
  inf_cmp_time times[COUNT];
  inf_cmp_interval out[3];
  fill(times, COUNT);
  for (size_t i = 0; i < COUNT; i++) {
    if (times[i].ms > 180) {
      times[i] = (inf_cmp_time){180, INF_CMP_BEYOND};
    }
  }
  assert_true(inf_cmp_quantiles(times, COUNT, common, 3, 1, out));
  assert_near(out[0].value, 100, 0);
  assert_true(isinf(out[1].value));
}

static void
test_few_samples_know_no_tail(void **state)
{
  (void)state;
  inf_cmp_time times[COUNT];
  inf_cmp_interval out[3];
  fill(times, COUNT);
  assert_true(inf_cmp_quantiles(times, 71, common, 3, 1, out));
  assert_true(isnan(out[1].high));
  assert_true(inf_cmp_quantiles(times, 72, common, 3, 1, out));
  assert_true(!isnan(out[1].high));
  assert_true(inf_cmp_quantiles(times, 5, common, 3, 1, out));
  assert_true(isnan(out[0].high));
  assert_true(isnan(out[0].low));
  assert_true(inf_cmp_quantiles(times, 0, common, 3, 1, out));
  assert_true(isnan(out[0].value));
}

static void
test_same_seed_same_figures(void **state)
{
  (void)state;
  inf_cmp_time times[COUNT];
  inf_cmp_interval one[3], other[3];
  fill(times, COUNT);
  assert_true(inf_cmp_quantiles(times, COUNT, common, 3, 5, one));
  assert_true(inf_cmp_quantiles(times, COUNT, common, 3, 5, other));
  assert_memory_equal(one, other, sizeof(double) * 6);
}

/* Exponential times: the true p50 is in the interval about as often as it
 * says. With 300 trials at 95 % fewer than 270 are next to impossible. */
static void
test_intervals_hold_what_they_say(void **state)
{
  (void)state;
  inf_rng rng;
  inf_rng_seed(&rng, 77);
  size_t held[2] = {0, 0}, trials = 300;
  const double q[2] = {0.5, 0.9}, truth[2] = {log(2), log(10)};
  for (size_t t = 0; t < trials; t++) {
    inf_cmp_time times[100];
    inf_cmp_interval out[2];
    for (size_t i = 0; i < 100; i++) {
      times[i] = (inf_cmp_time){-log(1 - inf_rng_double(&rng)), INF_CMP_SEEN};
    }
    assert_true(inf_cmp_quantiles(times, 100, q, 2, t, out));
    for (size_t k = 0; k < 2; k++) {
      held[k] += out[k].low <= truth[k] && truth[k] <= out[k].high;
    }
  }
  assert_in_range(held[0], 270, 298);
  assert_in_range(held[1], 265, 298);
}

static void
test_pairs_see_through_prompts(void **state)
{
  (void)state;
  inf_cmp_time a[100], b[100], c[100];
  inf_rng rng;
  inf_rng_seed(&rng, 3);
  /* Prompts that take from 0 to 1000; b needs 20 more than a for each. */
  for (size_t i = 0; i < 100; i++) {
    double ms = inf_rng_double(&rng) * 1000;
    a[i] = (inf_cmp_time){ms, INF_CMP_SEEN};
    b[i] = (inf_cmp_time){ms + 20, INF_CMP_SEEN};
    c[99 - i] = b[i]; /* the same, belonging to others */
  }
  inf_cmp_interval out;
  assert_true(inf_cmp_paired(a, b, 100, 0.5, 0.95, 1, &out));
  assert_near(out.value, -20, 1e-6);
  assert_true(out.high < -19.9 && out.low > -20.1);
  assert_true(inf_cmp_paired(a, c, 100, 0.5, 0.95, 1, &out));
  assert_true(out.low < -50 && out.high > 0); /* noise hides it */
}

static void
test_pairs_without_answers(void **state)
{
  (void)state;
  inf_cmp_time a[100], b[100];
  fill(a, 100);
  for (size_t i = 0; i < 100; i++) {
    b[i] = (inf_cmp_time){0, INF_CMP_NEVER};
  }
  inf_cmp_interval out;
  assert_true(inf_cmp_paired(a, b, 100, 0.5, 0.95, 1, &out));
  assert_true(isinf(out.high) && out.high < 0);
  assert_true(inf_cmp_paired(b, b, 100, 0.5, 0.95, 1, &out));
  assert_near(out.value, 0, 0);
}

static void
test_means_and_shares(void **state)
{
  (void)state;
  double values[COUNT];
  for (size_t i = 0; i < COUNT; i++) {
    values[i] = (double)i;
  }
  inf_cmp_interval out;
  assert_true(inf_cmp_mean(values, COUNT, 0.95, 1, &out));
  assert_near(out.value, 99.5, 1e-9);
  assert_near(out.low, 99.5 - 8, 1.2); /* 1.96 * 57.7 / sqrt(200) = 8 */
  assert_near(out.high, 99.5 + 8, 1.2);
  assert_true(inf_cmp_mean(values, 1, 0.95, 1, &out));
  assert_near(out.value, 0, 0);
  assert_true(isnan(out.low));
  out = inf_cmp_share(0, 100); /* Wilson: 0 to 3.7 % */
  assert_near(out.low, 0, 0);
  assert_near(out.high, 0.037, 0.0005);
  out = inf_cmp_share(50, 100);
  assert_near(out.low, 0.4038, 0.0005);
  assert_near(out.high, 0.5962, 0.0005);
  assert_true(isnan(inf_cmp_share(0, 0).value));
  assert_near(inf_cmp_sign_test(0, 4), 0.125, 1e-9);
  assert_near(inf_cmp_sign_test(1, 8), 18.0 / 256, 1e-9);
  assert_near(inf_cmp_sign_test(2, 4), 1, 0);
  assert_near(inf_cmp_sign_test(0, 0), 1, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_statistics),
      cmocka_unit_test(test_failures_never_answer),
      cmocka_unit_test(test_censored),
      cmocka_unit_test(test_timeouts_are_not_the_slowest_answers),
      cmocka_unit_test(test_few_samples_know_no_tail),
      cmocka_unit_test(test_same_seed_same_figures),
      cmocka_unit_test(test_intervals_hold_what_they_say),
      cmocka_unit_test(test_pairs_see_through_prompts),
      cmocka_unit_test(test_pairs_without_answers),
      cmocka_unit_test(test_means_and_shares),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
