/* SPDX-License-Identifier: MIT */
#include "policy/route_latency.h"

#include "base/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define MS INF_NS_PER_MS
#define S  INF_NS_PER_S

enum { draws = 100000 };

static const uint64_t now_ns = 1000 * S;
static inf_rng rng;
static size_t order[INF_ROUTE_MOST];

static int
set_up(void **state)
{
  (void)state;
  inf_rng_seed(&rng, 1);
  return 0;
}

/* Asked a moment ago: nothing is to be explored. */
static inf_route_time
known(uint64_t expected_ns)
{
  return (inf_route_time){expected_ns, now_ns, 0};
}

static size_t
first_of(const inf_route_time *times, size_t count)
{
  inf_route_latency(times, count, now_ns, &rng, order);
  return order[0];
}

static void
count_firsts(const inf_route_time *times, size_t count, size_t *seen)
{
  memset(seen, 0, count * sizeof *seen);
  for (int i = 0; i < draws; i++)
    seen[first_of(times, count)]++;
}

/* ---- Shares -------------------------------------------------------------- */

static void
shares_fall_with_the_eighth_power(void **state)
{
  (void)state;
  const inf_route_time times[] = {known(660 * MS), known(600 * MS),
                                  known(900 * MS), known(1200 * MS)};
  size_t seen[4];
  count_firsts(times, 4, seen);
  double sum = 0, chi = 0;
  for (int i = 0; i < 4; i++)
    sum += pow(600e6 / (double)times[i].expected_ns, 8);
  for (int i = 0; i < 4; i++) {
    double wanted = draws * pow(600e6 / (double)times[i].expected_ns, 8) / sum;
    chi += ((double)seen[i] - wanted) * ((double)seen[i] - wanted) / wanted;
  }
  assert_true(chi < 16.27); /* by chance 1 in 1000 is above */
}

static void
equals_share_alike(void **state)
{
  (void)state;
  const inf_route_time times[] = {known(S), known(S), known(S)};
  size_t seen[3];
  count_firsts(times, 3, seen);
  for (int i = 0; i < 3; i++)
    assert_in_range(seen[i], draws / 3 - 700, draws / 3 + 700);
}

static void
six_times_as_slow_gets_nothing(void **state)
{
  (void)state;
  const inf_route_time times[] = {known(3600 * MS), known(600 * MS)};
  size_t seen[2];
  count_firsts(times, 2, seen);
  assert_true(seen[0] < 5);
  /* Nor may a huge ratio overflow. */
  const inf_route_time extreme[] = {known(UINT64_MAX / 2), known(1)};
  count_firsts(extreme, 2, seen);
  assert_int_equal(seen[0], 0);
}

static void
only_ratios_matter(void **state)
{
  (void)state;
  inf_rng again = rng;
  const inf_route_time times[] = {known(500 * MS), known(700 * MS)};
  const inf_route_time longer[] = {known(50 * S), known(70 * S)};
  for (int i = 0; i < 1000; i++) {
    size_t other[2];
    first_of(times, 2);
    inf_route_latency(longer, 2, now_ns, &again, other);
    assert_int_equal(order[0], other[0]);
  }
}

static void
the_others_follow_by_time(void **state)
{
  (void)state;
  const inf_route_time times[] = {known(800 * MS), known(600 * MS),
                                  known(700 * MS), known(0)};
  for (int i = 0; i < 1000; i++) {
    size_t first = first_of(times, 4);
    const size_t sorted[] = {1, 2, 0, 3};
    size_t at = 1;
    for (int j = 0; j < 4; j++)
      if (sorted[j] != first)
        assert_int_equal(order[at++], sorted[j]);
  }
  inf_route_by_time(times, 4, order);
  assert_int_equal(order[0], 1);
  assert_int_equal(order[3], 3);
}

static void
one_target_or_none(void **state)
{
  (void)state;
  const inf_route_time one[] = {known(S)};
  assert_int_equal(first_of(one, 1), 0);
  inf_route_latency(one, 0, now_ns, &rng, order);
}

/* ---- Exploration --------------------------------------------------------- */

static void
what_is_not_known_is_asked_at_once(void **state)
{
  (void)state;
  inf_route_time times[] = {known(600 * MS), {0, 0, 0}};
  assert_int_equal(first_of(times, 2), 1);
  times[1].waiting = 1; /* one call at a time */
  assert_int_equal(first_of(times, 2), 0);
  times[1] = (inf_route_time){0, now_ns - 999 * MS, 0}; /* it has just failed */
  assert_int_equal(first_of(times, 2), 0);
  times[1].asked_ns = now_ns - 1 * S;
  assert_int_equal(first_of(times, 2), 1);
}

/* The first calls of a program, all at once. */
static void
before_anything_is_known_they_take_turns(void **state)
{
  (void)state;
  inf_route_time times[3] = {{0}};
  for (int i = 0; i < 9; i++) {
    size_t first = first_of(times, 3);
    assert_int_equal(first, i % 3);
    times[first].waiting++;
    times[first].asked_ns = now_ns;
  }
}

/* Also before any of them is sent. */
static void
or_while_none_is_sent(void **state)
{
  (void)state;
  inf_route_time times[3] = {{0}};
  for (size_t i = 0; i < 9; i++) {
    size_t first = first_of(times, 3);
    assert_int_equal(first, i % 3);
    times[first].asked_ns = now_ns - 9 + i;
  }
}

static void
one_call_in_64_goes_to_the_forgotten(void **state)
{
  (void)state;
  inf_route_time times[] = {known(600 * MS),
                            {9 * S, now_ns - 31 * S, 0},
                            {9 * S, now_ns - 40 * S, 0}};
  size_t seen[3];
  count_firsts(times, 3, seen);
  assert_in_range(seen[2], draws / 64 - 160, draws / 64 + 160);
  assert_int_equal(seen[1], 0);
  times[2].waiting = 1; /* the last one that went there is still silent */
  count_firsts(times, 3, seen);
  assert_int_equal(seen[2], 0);
  assert_in_range(seen[1], draws / 64 - 160, draws / 64 + 160);
  times[1].asked_ns = now_ns - 29 * S;
  count_firsts(times, 3, seen);
  assert_int_equal(seen[1] + seen[2], 0);
}

static void
the_same_seed_makes_the_same_choices(void **state)
{
  (void)state;
  const inf_route_time times[] = {
      known(500 * MS), known(510 * MS), {520 * MS, 1, 0}};
  inf_rng again = rng;
  for (int i = 0; i < 1000; i++) {
    size_t other[3];
    first_of(times, 3);
    inf_route_latency(times, 3, now_ns, &again, other);
    assert_memory_equal(order, other, sizeof other);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(shares_fall_with_the_eighth_power, set_up),
      cmocka_unit_test_setup(equals_share_alike, set_up),
      cmocka_unit_test_setup(six_times_as_slow_gets_nothing, set_up),
      cmocka_unit_test_setup(only_ratios_matter, set_up),
      cmocka_unit_test_setup(the_others_follow_by_time, set_up),
      cmocka_unit_test_setup(one_target_or_none, set_up),
      cmocka_unit_test_setup(what_is_not_known_is_asked_at_once, set_up),
      cmocka_unit_test_setup(before_anything_is_known_they_take_turns, set_up),
      cmocka_unit_test_setup(or_while_none_is_sent, set_up),
      cmocka_unit_test_setup(one_call_in_64_goes_to_the_forgotten, set_up),
      cmocka_unit_test_setup(the_same_seed_makes_the_same_choices, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
