/* SPDX-License-Identifier: MIT */
#include "telemetry/buckets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS UINT64_C(1000000)

static void
a_bound_is_inclusive(void **state)
{
  (void)state;
  inf_buckets buckets = {{0}, 0};
  const uint64_t values[] = {
      0,          10 * MS,        10 * MS + 1,      20 * MS,
      81920 * MS, 81920 * MS + 1, UINT64_C(1) << 50};
  uint64_t sum = 0;
  for (size_t i = 0; i < 7; i++) {
    inf_buckets_add(&buckets, &inf_bounds_durations, values[i]);
    sum += values[i];
  }
  assert_int_equal(buckets.counts[0], 2);
  assert_int_equal(buckets.counts[1], 2);
  assert_int_equal(buckets.counts[13], 1);
  assert_int_equal(buckets.counts[INF_BUCKETS_MAX], 2);
  assert_int_equal(inf_buckets_total(&buckets), 7);
  assert_int_equal(buckets.sum, sum);
}

/* One bound less: what is above it goes to the same place. */
static void
the_last_one_has_no_bound(void **state)
{
  (void)state;
  inf_buckets buckets = {{0}, 0};
  inf_buckets_add(&buckets, &inf_bounds_per_token, 2500 * MS);
  inf_buckets_add(&buckets, &inf_bounds_per_token, 2501 * MS);
  assert_int_equal(buckets.counts[12], 1);
  assert_int_equal(buckets.counts[13], 0);
  assert_int_equal(buckets.counts[INF_BUCKETS_MAX], 1);
}

static void
bounds_rise(void **state)
{
  (void)state;
  const inf_bucket_bounds *all[] = {&inf_bounds_durations,
                                    &inf_bounds_per_token, &inf_bounds_tokens};
  for (size_t i = 0; i < 3; i++) {
    assert_true(all[i]->count <= INF_BUCKETS_MAX);
    for (size_t k = 1; k < all[i]->count; k++)
      assert_true(all[i]->upper[k] > all[i]->upper[k - 1]);
  }
  for (size_t k = 0; k < inf_bounds_tokens.count; k++)
    assert_int_equal(inf_bounds_tokens.upper[k], UINT64_C(1) << (2 * k));
  for (size_t k = 0; k < inf_bounds_durations.count; k++)
    assert_int_equal(inf_bounds_durations.upper[k], (10 * MS) << k);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bound_is_inclusive),
      cmocka_unit_test(the_last_one_has_no_bound),
      cmocka_unit_test(bounds_rise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
