/* SPDX-License-Identifier: MIT */
/* The generator: the published numbers, then the distributions. The seeds are
 * fixed, so the statistical tests have one outcome and no bad days. */
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static inf_rng
seeded(uint64_t seed)
{
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  return rng;
}

/* The first outputs of the authors' reference from the state 1, 2, 3, 4. */
static void
test_known_numbers(void **state)
{
  (void)state;
  static const uint64_t expected[] = {
      11520u,
      0u,
      1509978240u,
      1215971899390074240u,
      1216172134540287360u,
      607988272756665600u,
      16172922978634559625u,
      8476171486693032832u,
      10595114339597558777u,
      2904607092377533576u,
  };
  inf_rng rng = {{1, 2, 3, 4}};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
    assert_true(inf_rng_next(&rng) == expected[i]);
}

/* The first outputs of splitmix64 from 1234567. */
static void
test_known_seeding(void **state)
{
  (void)state;
  inf_rng rng = seeded(1234567);
  assert_true(rng.state[0] == 6457827717110365317u);
  assert_true(rng.state[1] == 3203168211198807973u);
  assert_true(rng.state[2] == 9817491932198370423u);
  assert_true(rng.state[3] == 4593380528125082431u);
}

static void
test_same_seed_same_run(void **state)
{
  (void)state;
  inf_rng a = seeded(7), b = seeded(7), c = seeded(8);
  int equal = 0;
  for (int i = 0; i < 1000; i++) {
    uint64_t draw = inf_rng_next(&a);
    assert_true(draw == inf_rng_next(&b));
    equal += draw == inf_rng_next(&c);
  }
  assert_int_equal(equal, 0);
}

/* An all-zero state would give zeros for ever. */
static void
test_seed_zero_is_a_seed(void **state)
{
  (void)state;
  inf_rng rng = seeded(0);
  assert_true(inf_rng_next(&rng) != 0 || inf_rng_next(&rng) != 0);
}

static void
test_system_seeds_differ(void **state)
{
  (void)state;
  uint64_t a = inf_rng_system_seed(), b = inf_rng_system_seed();
  assert_true(a != b);
}

static void
test_below_bounds(void **state)
{
  (void)state;
  static const uint64_t bounds[] = {1, 2, 3, 10, 1000, UINT64_MAX};
  inf_rng rng = seeded(1);
  assert_int_equal(inf_rng_below(&rng, 0), 0);
  for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
    for (int n = 0; n < 1000; n++)
      assert_true(inf_rng_below(&rng, bounds[i]) < bounds[i]);
}

/* Chi-square with 9 degrees of freedom: 27.9 is passed once in a thousand. */
static void
test_below_is_uniform(void **state)
{
  (void)state;
  enum { draws = 100000 };
  inf_rng rng = seeded(2);
  double count[10] = {0}, chi_square = 0;
  for (int i = 0; i < draws; i++)
    count[inf_rng_below(&rng, 10)]++;
  for (int i = 0; i < 10; i++) {
    double off = count[i] - draws / 10.0;
    chi_square += off * off / (draws / 10.0);
  }
  assert_true(chi_square < 27.9);
}

/* With the bound 3 * 2^62 a mere modulo would put half of the draws into the
 * lowest third. */
static void
test_below_has_no_modulo_bias(void **state)
{
  (void)state;
  enum { draws = 30000 };
  inf_rng rng = seeded(3);
  int low = 0;
  for (int i = 0; i < draws; i++)
    low += inf_rng_below(&rng, (uint64_t)3 << 62) < (uint64_t)1 << 62;
  assert_in_range(low, draws / 3 - 500, draws / 3 + 500);
}

static void
test_between_includes_both_ends(void **state)
{
  (void)state;
  inf_rng rng = seeded(4);
  int seen[3] = {0};
  for (int i = 0; i < 1000; i++) {
    uint64_t draw = inf_rng_between(&rng, 50, 52);
    assert_in_range(draw, 50, 52);
    seen[draw - 50]++;
  }
  for (int i = 0; i < 3; i++)
    assert_true(seen[i] > 250);
}

static void
test_between_at_the_edges(void **state)
{
  (void)state;
  inf_rng rng = seeded(5);
  assert_int_equal(inf_rng_between(&rng, 9, 9), 9);
  assert_int_equal(inf_rng_between(&rng, 9, 3), 9);
  int high = 0;
  for (int i = 0; i < 1000; i++) {
    high += inf_rng_between(&rng, 0, UINT64_MAX) > UINT64_MAX / 2;
    assert_true(inf_rng_between(&rng, UINT64_MAX - 1, UINT64_MAX) >=
                UINT64_MAX - 1);
    assert_true(inf_rng_between(&rng, 1, UINT64_MAX) >= 1);
  }
  assert_in_range(high, 400, 600);
}

static void
test_double(void **state)
{
  (void)state;
  enum { draws = 100000 };
  inf_rng rng = seeded(6);
  double sum = 0, least = 1, most = 0;
  for (int i = 0; i < draws; i++) {
    double draw = inf_rng_double(&rng);
    assert_true(draw >= 0 && draw < 1);
    sum += draw;
    least = draw < least ? draw : least;
    most = draw > most ? draw : most;
  }
  assert_true(sum / draws > 0.495 && sum / draws < 0.505);
  assert_true(least < 0.001 && most > 0.999);
}

/* The largest draw there is must not round up to 1. */
static void
test_double_stays_below_one(void **state)
{
  (void)state;
  /* The output function of a state whose second word is x is
   * rotl(5x, 7) * 9; this x makes it all ones. */
  inf_rng rng = {{0, 0, 0, 0}};
  uint64_t before_nine = UINT64_MAX * 0x8e38e38e38e38e39u;
  uint64_t before_rotation = before_nine >> 7 | before_nine << 57;
  rng.state[1] = before_rotation * 0xcccccccccccccccdu;
  inf_rng copy = rng;
  assert_true(inf_rng_next(&copy) == UINT64_MAX);
  double draw = inf_rng_double(&rng);
  assert_true(draw < 1 && draw > 0.9999999999999998);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_numbers),
      cmocka_unit_test(test_known_seeding),
      cmocka_unit_test(test_same_seed_same_run),
      cmocka_unit_test(test_seed_zero_is_a_seed),
      cmocka_unit_test(test_system_seeds_differ),
      cmocka_unit_test(test_below_bounds),
      cmocka_unit_test(test_below_is_uniform),
      cmocka_unit_test(test_below_has_no_modulo_bias),
      cmocka_unit_test(test_between_includes_both_ends),
      cmocka_unit_test(test_between_at_the_edges),
      cmocka_unit_test(test_double),
      cmocka_unit_test(test_double_stays_below_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
