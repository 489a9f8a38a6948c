/* SPDX-License-Identifier: MIT */
#include "policy/lateness.h"

#include "base/clock.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS INF_NS_PER_MS
#define S  INF_NS_PER_S

static void
note(inf_lateness *lateness, int times, uint64_t sample_ns)
{
  for (int i = 0; i < times; i++)
    inf_lateness_note(lateness, sample_ns, false);
}

static void
nothing_is_known_before_64(void **state)
{
  (void)state;
  inf_lateness lateness = {0};
  note(&lateness, 63, 2 * S);
  assert_int_equal(inf_lateness_ns(&lateness), 0);
  note(&lateness, 1, 2 * S);
  assert_int_equal(inf_lateness_ns(&lateness), 4 * S);
}

static void
the_first_guess_is_the_second_largest(void **state)
{
  (void)state;
  for (uint64_t at = 0; at < 64; at++) {
    inf_lateness lateness = {0};
    for (uint64_t i = 0; i < 64; i++)
      note(&lateness, 1, i == at ? 600 * S : (i % 40 + 1) * S / 10);
    assert_int_equal(inf_lateness_ns(&lateness), at == 39 ? 7800 * MS : 8 * S);
  }
}

static void
each_time_moves_it_by_its_step(void **state)
{
  (void)state;
  inf_lateness lateness = {0};
  note(&lateness, 64, 4096 * MS);
  note(&lateness, 1, 4096 * MS);
  assert_int_equal(lateness.usual_ns, 4095 * MS);
  lateness.usual_ns = 4096 * MS;
  note(&lateness, 1, 4096 * MS + 1);
  assert_int_equal(lateness.usual_ns, 4195 * MS);
  lateness.usual_ns = 4096 * MS;
  inf_lateness_note(&lateness, 4096 * MS + 1, true);
  assert_int_equal(lateness.usual_ns, 4608 * MS);
  lateness.usual_ns = 4096 * MS;
  inf_lateness_note(&lateness, 4096 * MS, true);
  assert_int_equal(lateness.usual_ns, 4095 * MS);
}

static void
it_follows_the_99th_percentile(void **state)
{
  (void)state;
  inf_lateness lateness = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  for (int i = 0; i < 30000; i++)
    note(&lateness, 1, inf_rng_between(&rng, 1, 4000) * MS);
  assert_in_range(lateness.usual_ns, 3700 * MS, 4200 * MS);
  for (int i = 0; i < 30000; i++)
    note(&lateness, 1, inf_rng_between(&rng, 1, 1000) * MS);
  assert_in_range(lateness.usual_ns, 925 * MS, 1050 * MS);
}

static void
nothing_is_late_within_a_second(void **state)
{
  (void)state;
  inf_lateness lateness = {0};
  note(&lateness, 100000, 0);
  assert_int_equal(inf_lateness_ns(&lateness), S);
  /* It can still rise. */
  note(&lateness, 1000, 3 * S);
  assert_true(inf_lateness_ns(&lateness) >= 2 * S);
}

static void
it_does_not_wrap(void **state)
{
  (void)state;
  inf_lateness lateness = {0};
  note(&lateness, 10000, UINT64_MAX);
  assert_true(inf_lateness_ns(&lateness) > UINT64_MAX / 2);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_known_before_64),
      cmocka_unit_test(the_first_guess_is_the_second_largest),
      cmocka_unit_test(each_time_moves_it_by_its_step),
      cmocka_unit_test(it_follows_the_99th_percentile),
      cmocka_unit_test(nothing_is_late_within_a_second),
      cmocka_unit_test(it_does_not_wrap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
