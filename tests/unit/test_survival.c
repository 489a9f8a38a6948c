/* SPDX-License-Identifier: MIT */
#include "base/survival.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define S INF_NS_PER_S

static inf_histogram events, censored;
static inf_survival survival;

static int
set_up(void **state)
{
  (void)state;
  inf_histogram_clear(&events);
  inf_histogram_clear(&censored);
  return 0;
}

static void
assert_near(double a, double b, double tolerance)
{
  assert_true(a - b < tolerance && b - a < tolerance);
}

static double
beyond(double s)
{
  return inf_survival_beyond(&survival, (uint64_t)(s * 1e9));
}

static void
nothing_known_is_never(void **state)
{
  (void)state;
  inf_survival_estimate(&survival, &events, &censored);
  assert_near(beyond(100), 1, 1e-6);
  assert_true(inf_survival_quantile(&survival, 0.5) == INF_NEVER);
}

static void
without_censoring_it_is_the_share(void **state)
{
  (void)state;
  for (uint64_t i = 1; i <= 100; i++)
    inf_histogram_record(&events, i * S, 1);
  inf_survival_estimate(&survival, &events, &censored);
  assert_near(beyond(90.9), 0.1, 0.011);
  assert_near((double)inf_survival_quantile(&survival, 0.95) / 1e9, 95, 1.5);
  assert_near(beyond(200), 0, 1e-6);
}

/* Kaplan and Meier by hand: of 4, one ends at 1 s, one is cancelled at 2 s, of
 * the two that are left one ends at 3 s. */
static void
the_product_limit(void **state)
{
  (void)state;
  inf_histogram_record(&events, 1 * S, 1);
  inf_histogram_record(&censored, 2 * S, 1);
  inf_histogram_record(&events, 3 * S, 1);
  inf_histogram_record(&censored, 4 * S, 1);
  inf_survival_estimate(&survival, &events, &censored);
  assert_near(beyond(1.5), 0.75, 1e-6);
  assert_near(beyond(2.5), 0.75, 1e-6);
  assert_near(beyond(3.5), 0.375, 1e-6);
  assert_near(beyond(1000), 0.375, 1e-6);
  assert_true(inf_survival_quantile(&survival, 0.7) == INF_NEVER);
  assert_true(inf_survival_quantile(&survival, 0.6) != INF_NEVER);
}

static void
it_falls_and_stays_a_probability(void **state)
{
  (void)state;
  for (uint64_t i = 1; i < 3000; i++)
    inf_histogram_record(i % 3 ? &events : &censored, i * i * 70000, 5);
  inf_survival_estimate(&survival, &events, &censored);
  for (uint32_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++) {
    assert_true(survival.at[i + 1] <= survival.at[i]);
    assert_true(survival.at[i + 1] >= 0 && survival.at[i] <= 1);
  }
  for (double share = 0.01; share < 0.9; share += 0.01) {
    uint64_t ns = inf_survival_quantile(&survival, share);
    assert_near(inf_survival_beyond(&survival, ns), 1 - share, 1e-4);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(nothing_known_is_never, set_up),
      cmocka_unit_test_setup(without_censoring_it_is_the_share, set_up),
      cmocka_unit_test_setup(the_product_limit, set_up),
      cmocka_unit_test_setup(it_falls_and_stays_a_probability, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
