/* SPDX-License-Identifier: MIT */
#include "policy/route_weighted.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { keys = 100000 };

static inf_rng rng;
static size_t order[INF_ROUTE_MOST];

static int
set_up(void **state)
{
  (void)state;
  inf_rng_seed(&rng, 1);
  return 0;
}

/* Target i has id 1000 + i. */
static size_t
first_of(const uint32_t *weights, size_t count, uint64_t key)
{
  inf_route_share shares[INF_ROUTE_MOST];
  for (size_t i = 0; i < count; i++)
    shares[i] = (inf_route_share){1000 + i, weights[i]};
  inf_route_weighted(shares, count, key, order);
  return order[0];
}

/* ---- The logarithm ------------------------------------------------------- */

static void
powers_of_two_have_whole_logarithms(void **state)
{
  (void)state;
  const uint64_t one = UINT64_C(1) << 40;
  assert_true(inf_route_exponential(1) == 64 * one);
  assert_true(inf_route_exponential(0) == 64 * one);
  /* (2^63 + 1) / 2^64: less than 1/2^40 away from a half. */
  assert_true(inf_route_exponential(UINT64_C(1) << 63) == one);
  assert_true(inf_route_exponential(UINT64_C(1) << 60) == 4 * one);
  /* u = 3/4: 2 - log2(3) = 456338556420.16 units. */
  assert_true(inf_route_exponential(UINT64_C(3) << 62) == 456338556421);
  /* Just below 1: 0 to 40 bits is no more than one unit. */
  assert_true(inf_route_exponential(UINT64_MAX) <= 1);
}

static void
it_falls_as_the_hash_grows(void **state)
{
  (void)state;
  uint64_t last = UINT64_MAX;
  for (uint64_t hash = 1; hash < UINT64_MAX - (UINT64_C(1) << 56);
       hash += UINT64_C(1) << 54) {
    uint64_t now = inf_route_exponential(hash);
    assert_true(now < last);
    last = now;
  }
}

/* ---- Shares -------------------------------------------------------------- */

static double
chi_square(const uint32_t *weights, const size_t *seen, size_t count)
{
  double sum = 0, all = 0, chi = 0;
  for (size_t i = 0; i < count; i++) {
    sum += weights[i];
    all += (double)seen[i];
  }
  for (size_t i = 0; i < count; i++) {
    double expected = all * weights[i] / sum;
    double off = (double)seen[i] - expected;
    chi += off * off / expected;
  }
  return chi;
}

/* By chance one in a thousand is above 16.27 (3 degrees of freedom). */
static void
shares_are_the_weights(void **state)
{
  (void)state;
  const uint32_t sets[][4] = {
      {1, 1, 1, 1}, {1, 2, 3, 4}, {97, 1, 1, 1}, {1000000, 500000, 7000, 900}};
  for (size_t s = 0; s < 4; s++) {
    size_t seen[4] = {0};
    for (int i = 0; i < keys; i++)
      seen[first_of(sets[s], 4, inf_rng_next(&rng))]++;
    assert_true(chi_square(sets[s], seen, 4) < 16.27);
  }
}

/* Also for names that somebody counts up. */
static void
tenants_are_spread_by_weight(void **state)
{
  (void)state;
  const uint32_t weights[] = {95, 5};
  size_t seen[2] = {0};
  char name[32];
  for (int i = 0; i < keys; i++) {
    snprintf(name, sizeof name, "tenant-%d", i);
    seen[first_of(weights, 2,
                  inf_route_sticky_key(INF_SV("r"), inf_sv_from(name)))]++;
  }
  assert_true(chi_square(weights, seen, 2) < 10.83);
}

/* Where the first fails, the others share its calls by their weights. */
static void
the_second_is_drawn_among_the_others(void **state)
{
  (void)state;
  const uint32_t weights[] = {6, 3, 1};
  size_t seen[3] = {0};
  for (int i = 0; i < keys; i++)
    if (first_of(weights, 3, inf_rng_next(&rng)) == 0)
      seen[order[1]]++;
  assert_int_equal(seen[0], 0);
  assert_true(chi_square(weights + 1, seen + 1, 2) < 10.83);
}

static void
no_weight_is_the_last_choice(void **state)
{
  (void)state;
  const uint32_t weights[] = {0, 1, 0, 1};
  for (int i = 0; i < 1000; i++) {
    first_of(weights, 4, inf_rng_next(&rng));
    assert_int_equal(order[0] + order[1], 4); /* 1 and 3 */
    assert_int_equal(order[2], 0);
    assert_int_equal(order[3], 2);
  }
  const uint32_t none[] = {0, 0};
  assert_int_equal(first_of(none, 2, 7), 0);
}

/* ---- Who stays where ----------------------------------------------------- */

static void
the_same_key_has_the_same_order(void **state)
{
  (void)state;
  const uint32_t weights[] = {3, 2, 1};
  uint64_t key = inf_route_sticky_key(INF_SV("chat"), INF_SV("acme"));
  size_t first = first_of(weights, 3, key);
  for (int i = 0; i < 100; i++)
    assert_int_equal(first_of(weights, 3, key), first);
  assert_true(key != inf_route_sticky_key(INF_SV("code"), INF_SV("acme")));
  assert_true(key != inf_route_sticky_key(INF_SV("chat"), INF_SV("acm")));
}

/* Values that another process, or another machine, must find as well. */
static void
everybody_agrees(void **state)
{
  (void)state;
  assert_true(inf_route_id(INF_SV("openai/gpt-4o-mini")) ==
              UINT64_C(0xb1280c452c46beb9));
  assert_true(inf_route_sticky_key(INF_SV("chat"), INF_SV("acme")) ==
              UINT64_C(0xab4d787390d93655));
}

/* It is the target that a key belongs to, not its place in the list. */
static void
the_order_of_the_list_does_not_matter(void **state)
{
  (void)state;
  for (int i = 0; i < 1000; i++) {
    inf_route_share shares[] = {{11, 5}, {12, 3}, {13, 2}};
    inf_route_share turned[] = {{13, 2}, {11, 5}, {12, 3}};
    uint64_t key = inf_rng_next(&rng);
    size_t other[3];
    inf_route_weighted(shares, 3, key, order);
    inf_route_weighted(turned, 3, key, other);
    for (int j = 0; j < 3; j++)
      assert_true(shares[order[j]].id == turned[other[j]].id);
  }
}

/* From 5 to 10 of 100: the tenants that were in the canary stay in it, and of
 * the others as many join as must. */
static void
a_change_of_weight_moves_the_least(void **state)
{
  (void)state;
  const uint32_t before[] = {95, 5, 20}, after[] = {95, 10, 20};
  size_t moved = 0;
  for (int i = 0; i < keys; i++) {
    uint64_t key = inf_rng_next(&rng);
    size_t old = first_of(before, 3, key), now = first_of(after, 3, key);
    if (old == now)
      continue;
    assert_int_equal(now, 1);
    moved++;
  }
  double least = keys * (10 / 125.0 - 5 / 120.0); /* 3833 */
  assert_true((double)moved > least - 200 && (double)moved < least + 200);
}

static void
a_target_that_goes_takes_nothing_with_it(void **state)
{
  (void)state;
  const uint32_t before[] = {4, 3, 2, 1}, after[] = {4, 3, 2};
  for (int i = 0; i < keys; i++) {
    uint64_t key = inf_rng_next(&rng);
    size_t old = first_of(before, 4, key);
    if (old != 3)
      assert_int_equal(first_of(after, 3, key), old);
  }
}

static void
as_many_as_there_may_be(void **state)
{
  (void)state;
  uint32_t weights[INF_ROUTE_MOST];
  bool seen[INF_ROUTE_MOST] = {false};
  for (size_t i = 0; i < INF_ROUTE_MOST; i++)
    weights[i] = (uint32_t)i;
  first_of(weights, INF_ROUTE_MOST, 42);
  for (size_t i = 0; i < INF_ROUTE_MOST; i++)
    seen[order[i]] = true;
  for (size_t i = 0; i < INF_ROUTE_MOST; i++)
    assert_true(seen[i]);
  assert_int_equal(order[INF_ROUTE_MOST - 1], 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(powers_of_two_have_whole_logarithms),
      cmocka_unit_test(it_falls_as_the_hash_grows),
      cmocka_unit_test_setup(shares_are_the_weights, set_up),
      cmocka_unit_test(tenants_are_spread_by_weight),
      cmocka_unit_test_setup(the_second_is_drawn_among_the_others, set_up),
      cmocka_unit_test_setup(no_weight_is_the_last_choice, set_up),
      cmocka_unit_test(the_same_key_has_the_same_order),
      cmocka_unit_test(everybody_agrees),
      cmocka_unit_test_setup(the_order_of_the_list_does_not_matter, set_up),
      cmocka_unit_test_setup(a_change_of_weight_moves_the_least, set_up),
      cmocka_unit_test_setup(a_target_that_goes_takes_nothing_with_it, set_up),
      cmocka_unit_test(as_many_as_there_may_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
