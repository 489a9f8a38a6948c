/* SPDX-License-Identifier: MIT */
#include "policy/route_cost.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define MS      INF_NS_PER_MS
#define S       INF_NS_PER_S
#define UNKNOWN INF_PRICE_UNKNOWN

static const uint64_t now_ns = 1000 * S;
static inf_rng rng;
static size_t order[INF_ROUTE_MOST];
static inf_route_offer offers[4];

static int
set_up(void **state)
{
  (void)state;
  inf_rng_seed(&rng, 1);
  memset(offers, 0, sizeof offers);
  return 0;
}

/* Asked a moment ago. */
static inf_route_offer
offer(int64_t input, int64_t output, uint64_t expected_ns)
{
  return (inf_route_offer){
      .price = {input, output}, .expected_ns = expected_ns, .asked_ns = now_ns};
}

static void
route(size_t count, uint64_t bound_ns)
{
  const inf_route_cost_call call = {1000, 200, bound_ns};
  inf_route_cost(offers, count, &call, now_ns, &rng, order);
}

static void
assert_order(size_t a, size_t b, size_t c)
{
  assert_int_equal(order[0], a);
  assert_int_equal(order[1], b);
  assert_int_equal(order[2], c);
}

/* ---- Order --------------------------------------------------------------- */

/* Of those that are too slow, or not to be tried now, time decides, and then
 * what they cost. */
static void
of_slow_ones_the_fastest_then_the_cheapest(void **state)
{
  (void)state;
  offers[0] = offer(2500, 10000, 0);
  offers[1] = offer(150, 600, 0);
  offers[2] = offer(3000, 20000, 3000 * MS);
  route(3, 1000 * MS);
  assert_order(2, 1, 0);
}

static void
the_cheapest_that_is_fast_enough(void **state)
{
  (void)state;
  offers[0] = offer(2500, 10000, 400 * MS);
  offers[1] = offer(150, 600, 700 * MS);
  offers[2] = offer(50, 80, 3000 * MS);
  route(3, 1000 * MS);
  assert_order(1, 0, 2);
  route(3, 5000 * MS);
  assert_order(2, 1, 0);
  route(3, 500 * MS);
  assert_order(0, 1, 2);
  route(3, 0); /* no bound */
  assert_order(2, 1, 0);
}

static void
none_is_fast_enough_so_the_fastest(void **state)
{
  (void)state;
  offers[0] = offer(50, 80, 3000 * MS);
  offers[1] = offer(2500, 10000, 900 * MS);
  offers[2] = offer(UNKNOWN, UNKNOWN, 600 * MS);
  route(3, 500 * MS);
  assert_order(2, 1, 0);
}

/* Long answers make another one the cheapest. */
static void
it_is_this_call_that_is_to_be_cheap(void **state)
{
  (void)state;
  offers[0] = offer(100, 1000, 500 * MS);
  offers[1] = offer(200, 400, 500 * MS);
  const inf_route_cost_call reads = {10000, 100, 0}, writes = {100, 1000, 0};
  inf_route_cost(offers, 2, &reads, now_ns, &rng, order);
  assert_int_equal(order[0], 0);
  inf_route_cost(offers, 2, &writes, now_ns, &rng, order);
  assert_int_equal(order[0], 1);
}

static void
an_unknown_price_is_never_cheap(void **state)
{
  (void)state;
  offers[0] = offer(UNKNOWN, UNKNOWN, 100 * MS);
  offers[1] = offer(0, UNKNOWN, 100 * MS);
  offers[2] = offer(INF_PRICE_MAX, INF_PRICE_MAX, 900 * MS);
  for (uint64_t bound_ns = 0; bound_ns <= 1000 * MS; bound_ns += 1000 * MS) {
    route(3, bound_ns);
    assert_order(2, 0, 1);
  }
}

static void
equal_costs_are_told_apart_by_time(void **state)
{
  (void)state;
  offers[0] = offer(100, 100, 700 * MS);
  offers[1] = offer(100, 100, 500 * MS);
  offers[2] = offer(100, 100, 500 * MS);
  route(3, 1000 * MS);
  assert_order(1, 2, 0);
}

/* ---- At the bound -------------------------------------------------------- */

static void
at_the_bound_it_does_not_flutter(void **state)
{
  (void)state;
  offers[0] = offer(50, 80, 1050 * MS);
  offers[1] = offer(2500, 10000, 400 * MS);
  route(2, 1000 * MS);
  assert_int_equal(order[0], 1); /* it was not fast enough before */
  offers[0].expected_ns = 1000 * MS;
  route(2, 1000 * MS);
  assert_int_equal(order[0], 0);
  offers[0].expected_ns = 1100 * MS; /* a tenth more: it stays */
  route(2, 1000 * MS);
  assert_int_equal(order[0], 0);
  offers[0].expected_ns = 1101 * MS;
  route(2, 1000 * MS);
  assert_int_equal(order[0], 1);
  offers[0].expected_ns = 1050 * MS;
  route(2, 1000 * MS);
  assert_int_equal(order[0], 1);
}

static void
what_is_not_known_is_tried_by_one_call(void **state)
{
  (void)state;
  offers[0] = offer(2500, 10000, 400 * MS);
  offers[1] = offer(50, 80, 0);
  offers[1].asked_ns = 0;
  route(2, 1000 * MS);
  assert_int_equal(order[0], 1);
  offers[1].waiting = 1;
  route(2, 1000 * MS);
  assert_int_equal(order[0], 0);
  offers[1].waiting = 0;
  offers[1].asked_ns = now_ns - 999 * MS;
  route(2, 1000 * MS);
  assert_int_equal(order[0], 0);
  offers[1].asked_ns = now_ns - 1 * S;
  route(2, 1000 * MS);
  assert_int_equal(order[0], 1);
}

static size_t
count_firsts(size_t wanted)
{
  size_t seen = 0;
  for (int i = 0; i < 64000; i++) {
    route(3, 1000 * MS);
    seen += order[0] == wanted;
  }
  return seen;
}

static void
one_call_in_64_asks_the_cheap_one_again(void **state)
{
  (void)state;
  offers[0] = offer(2500, 10000, 400 * MS);
  offers[1] = offer(50, 80, 2000 * MS);
  offers[2] = offer(9000, 9000, 2000 * MS); /* dearer: nothing to be gained */
  offers[2].asked_ns = 1;
  offers[1].asked_ns = now_ns - 29 * S;
  assert_int_equal(count_firsts(1), 0);
  offers[1].asked_ns = now_ns - 30 * S;
  assert_in_range(count_firsts(1), 900, 1100);
  offers[1].waiting = 1;
  assert_int_equal(count_firsts(1), 0);
  assert_int_equal(count_firsts(2), 0);
}

/* Whatever the offers: a permutation, in which no target that is fast enough
 * and priced stands behind one that is dearer, too slow or has no price. */
static void
the_first_is_never_beaten(void **state)
{
  (void)state;
  for (int run = 0; run < 20000; run++) {
    for (int i = 0; i < 4; i++) {
      offers[i] = offer((int64_t)inf_rng_below(&rng, 5) - 1,
                        (int64_t)inf_rng_below(&rng, 5) - 1,
                        inf_rng_between(&rng, 1, 4) * 300 * MS);
      offers[i].was_fast = false;
    }
    uint64_t bound_ns = inf_rng_below(&rng, 5) * 300 * MS;
    route(4, bound_ns);
    unsigned seen = 0;
    for (int i = 0; i < 4; i++)
      seen |= 1u << order[i];
    assert_int_equal(seen, 15);
    const inf_route_offer *first = &offers[order[0]];
    int64_t best = inf_price_pico_usd(&first->price, 1000, 200);
    bool fits = bound_ns == 0 || first->expected_ns <= bound_ns;
    for (int i = 0; i < 4; i++) {
      const inf_route_offer *other = &offers[i];
      if (bound_ns > 0 && other->expected_ns > bound_ns)
        continue;
      assert_true(fits);
      assert_true(inf_price_pico_usd(&other->price, 1000, 200) >= best);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(of_slow_ones_the_fastest_then_the_cheapest,
                             set_up),
      cmocka_unit_test_setup(the_cheapest_that_is_fast_enough, set_up),
      cmocka_unit_test_setup(none_is_fast_enough_so_the_fastest, set_up),
      cmocka_unit_test_setup(it_is_this_call_that_is_to_be_cheap, set_up),
      cmocka_unit_test_setup(an_unknown_price_is_never_cheap, set_up),
      cmocka_unit_test_setup(equal_costs_are_told_apart_by_time, set_up),
      cmocka_unit_test_setup(at_the_bound_it_does_not_flutter, set_up),
      cmocka_unit_test_setup(what_is_not_known_is_tried_by_one_call, set_up),
      cmocka_unit_test_setup(one_call_in_64_asks_the_cheap_one_again, set_up),
      cmocka_unit_test_setup(the_first_is_never_beaten, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
