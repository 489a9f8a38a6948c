/* SPDX-License-Identifier: MIT */
#include "policy/median.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
add_all(inf_median *median, const uint64_t *samples, size_t count)
{
  for (size_t i = 0; i < count; i++)
    inf_median_add(median, samples[i]);
}

static void
nothing_known_is_zero(void **state)
{
  (void)state;
  inf_median median = {0};
  assert_int_equal(inf_median_get(&median), 0);
}

static void
one_sample_is_the_median(void **state)
{
  (void)state;
  inf_median median = {0};
  inf_median_add(&median, 42);
  assert_int_equal(inf_median_get(&median), 42);
}

static void
order_does_not_matter(void **state)
{
  (void)state;
  const uint64_t samples[][3] = {
      {1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1},
  };
  for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
    inf_median median = {0};
    add_all(&median, samples[i], 3);
    assert_int_equal(inf_median_get(&median), 2);
  }
}

/* Of an even number the larger of the two in the middle: a wait is rather
 * overestimated. */
static void
even_count_gives_the_upper_middle(void **state)
{
  (void)state;
  inf_median median = {0};
  add_all(&median, (const uint64_t[]){10, 40, 20, 30}, 4);
  assert_int_equal(inf_median_get(&median), 30);
}

static void
asking_does_not_change_the_samples(void **state)
{
  (void)state;
  inf_median median = {0};
  add_all(&median, (const uint64_t[]){9, 1, 5}, 3);
  assert_int_equal(inf_median_get(&median), 5);
  assert_int_equal(inf_median_get(&median), 5);
  inf_median_add(&median, 7);
  inf_median_add(&median, 8);
  assert_int_equal(inf_median_get(&median), 7);
}

static void
outliers_do_not_move_it(void **state)
{
  (void)state;
  inf_median median = {0};
  for (int i = 0; i < 8; i++)
    inf_median_add(&median, 100);
  for (int i = 0; i < 7; i++)
    inf_median_add(&median, UINT64_MAX);
  assert_int_equal(inf_median_get(&median), 100);
}

static void
a_new_regime_shows_within_eight_answers(void **state)
{
  (void)state;
  inf_median median = {0};
  for (int i = 0; i < 100; i++)
    inf_median_add(&median, 100);
  for (int i = 0; i < 7; i++)
    inf_median_add(&median, 500);
  assert_int_equal(inf_median_get(&median), 100);
  inf_median_add(&median, 500);
  assert_int_equal(inf_median_get(&median), 500);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_known_is_zero),
      cmocka_unit_test(one_sample_is_the_median),
      cmocka_unit_test(order_does_not_matter),
      cmocka_unit_test(even_count_gives_the_upper_middle),
      cmocka_unit_test(asking_does_not_change_the_samples),
      cmocka_unit_test(outliers_do_not_move_it),
      cmocka_unit_test(a_new_regime_shows_within_eight_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
