/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static inf_histogram histogram, other;

static int
set_up(void **state)
{
  (void)state;
  inf_histogram_clear(&histogram);
  inf_histogram_clear(&other);
  return 0;
}

static void
buckets_follow_one_another(void **state)
{
  (void)state;
  assert_int_equal(INF_HISTOGRAM_BUCKETS, 1984);
  assert_int_equal(inf_histogram_lower(0), 0);
  for (uint32_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++) {
    uint64_t lower = inf_histogram_lower(i), upper = inf_histogram_lower(i + 1);
    assert_true(lower < upper);
    assert_int_equal(inf_histogram_index(lower), i);
    assert_int_equal(inf_histogram_index(upper - 1), i);
  }
}

static void
the_middle_is_right_to_a_128th(void **state)
{
  (void)state;
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  for (int i = 0; i < 100000; i++) {
    uint64_t ns = UINT64_C(1) << inf_rng_between(&rng, 16, 45);
    ns += inf_rng_below(&rng, ns);
    uint64_t middle = inf_histogram_middle(inf_histogram_index(ns));
    double off = ((double)middle - (double)ns) / (double)ns;
    assert_true(off < 0.0079 && off > -0.0079);
  }
}

static void
the_longest_holds_all_that_is_longer(void **state)
{
  (void)state;
  assert_int_equal(inf_histogram_index(UINT64_MAX), INF_HISTOGRAM_BUCKETS - 1);
  assert_int_equal(inf_histogram_lower(INF_HISTOGRAM_BUCKETS), UINT64_C(1)
                                                                   << 46);
}

static void
quantiles_count_weights(void **state)
{
  (void)state;
  assert_int_equal(inf_histogram_quantile(&histogram, 0.5), 0);
  inf_histogram_record(&histogram, 1000000, 3);
  inf_histogram_record(&histogram, 9000000, 1);
  uint64_t low = inf_histogram_middle(inf_histogram_index(1000000));
  uint64_t high = inf_histogram_middle(inf_histogram_index(9000000));
  assert_int_equal(inf_histogram_quantile(&histogram, 0.75), low);
  assert_int_equal(inf_histogram_quantile(&histogram, 0.76), high);
  assert_int_equal(inf_histogram_quantile(&histogram, 1), high);
}

static void
a_full_bucket_stays_full(void **state)
{
  (void)state;
  inf_histogram_record(&histogram, 5000, UINT32_MAX - 1);
  inf_histogram_record(&histogram, 5000, 7);
  assert_int_equal(histogram.total, UINT32_MAX);
  inf_histogram_record(&other, 5000, 1);
  inf_histogram_record(&other, 900000, 1);
  inf_histogram_merge(&histogram, &other);
  assert_int_equal(histogram.total, (uint64_t)UINT32_MAX + 1);
}

static void
halving_rounds_down_and_keeps_the_total_right(void **state)
{
  (void)state;
  inf_histogram_record(&histogram, 5000, 3);
  inf_histogram_record(&histogram, 900000, 8);
  inf_histogram_halve(&histogram);
  assert_int_equal(histogram.total, 5);
  inf_histogram_halve(&histogram);
  assert_int_equal(histogram.total, 2);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(buckets_follow_one_another, set_up),
      cmocka_unit_test_setup(the_middle_is_right_to_a_128th, set_up),
      cmocka_unit_test_setup(the_longest_holds_all_that_is_longer, set_up),
      cmocka_unit_test_setup(quantiles_count_weights, set_up),
      cmocka_unit_test_setup(a_full_bucket_stays_full, set_up),
      cmocka_unit_test_setup(halving_rounds_down_and_keeps_the_total_right,
                             set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
