/* SPDX-License-Identifier: MIT */
/* Turns, levels, and when a subject climbs no further. */

#include "compare_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_orders_are_fair(void **state)
{
  (void)state;
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  size_t first[3] = {0}, order[3];
  for (int i = 0; i < 3000; i++) {
    inf_cmp_shuffle(&rng, order, 3);
    assert_int_equal(order[0] + order[1] + order[2], 3);
    assert_int_not_equal(order[0], order[1]);
    first[order[0]]++;
  }
  for (size_t i = 0; i < 3; i++) {
    assert_in_range(first[i], 900, 1100); /* 1000, sigma 26 */
  }
}

static void
test_deck_uses_all_alike(void **state)
{
  (void)state;
  inf_rng rng;
  inf_cmp_deck deck;
  size_t drawn[7] = {0};
  inf_rng_seed(&rng, 1);
  assert_true(inf_cmp_deck_init(&deck, 7, &rng));
  for (int i = 0; i < 7 * 20 + 3; i++) {
    drawn[inf_cmp_deck_draw(&deck)]++;
  }
  for (size_t i = 0; i < 7; i++) {
    assert_in_range(drawn[i], 20, 21);
  }
  inf_cmp_deck_fini(&deck);
}

static void
test_levels(void **state)
{
  (void)state;
  inf_cmp_level level = inf_cmp_base_level(100, 8);
  assert_int_equal(level.concurrency, 8);
  assert_int_equal(level.per_turn, 8);
  assert_int_equal(level.rounds, 13);
  assert_int_equal(inf_cmp_level_requests(&level), 100); /* as asked for */
  assert_int_equal(inf_cmp_turn_requests(&level, 11), 8);
  assert_int_equal(inf_cmp_turn_requests(&level, 12), 4);
  level = inf_cmp_base_level(3, 8);
  assert_int_equal(level.rounds, 1);
  assert_int_equal(inf_cmp_turn_requests(&level, 0), 3);
  for (uint32_t c = 1; c <= 64; c *= 2) {
    level = inf_cmp_ladder_level(c);
    assert_int_equal(level.per_turn, 2 * c);
    assert_true(level.rounds >= 2);
    assert_true(level.rounds * level.per_turn >= 20);
  }
}

static void
test_the_base_is_on_the_way(void **state)
{
  (void)state;
  assert_int_equal(inf_cmp_next_concurrency(1, 3), 2);
  assert_int_equal(inf_cmp_next_concurrency(2, 3), 3);
  assert_int_equal(inf_cmp_next_concurrency(3, 3), 6);
  assert_int_equal(inf_cmp_next_concurrency(2, 4), 4);
  assert_int_equal(inf_cmp_next_concurrency(1, 1), 2);
  assert_int_equal(inf_cmp_most_requests(100, 4, 16, true),
                   20 + 20 + 100 + 32 + 64);
  assert_int_equal(inf_cmp_most_requests(100, 4, 16, false), 100);
}

static inf_cmp_step
step_of(uint32_t concurrency, uint32_t requests, int64_t tokens, double ms)
{
  return (inf_cmp_step){.concurrency = concurrency,
                        .requests = requests,
                        .ok = requests,
                        .output_tokens = tokens,
                        .busy_ms = ms};
}

static void
test_throughput(void **state)
{
  (void)state;
  /* Four streams, each always busy with one of twenty requests of 500 ms and
   * 50 tokens: 4 * 100 tokens a second. */
  inf_cmp_step step = step_of(4, 20, 1000, 20 * 500);
  assert_float_equal(inf_cmp_step_throughput(&step), 400, 0.001);
  step.output_tokens = 0; /* not told: answers, 4 * 2 a second */
  assert_float_equal(inf_cmp_step_throughput(&step), 8, 0.001);
  step.busy_ms = 0;
  assert_float_equal(inf_cmp_step_throughput(&step), 0, 0);
}

static void
test_climbs_while_it_pays(void **state)
{
  (void)state;
  inf_cmp_step before = step_of(4, 20, 1000, 10000);
  inf_cmp_step step = step_of(8, 32, 1600, 16000);
  assert_int_equal(inf_cmp_climb(&before, &step, 16), INF_CMP_STOP_NOT);
  assert_int_equal(inf_cmp_climb(NULL, &step, 16), INF_CMP_STOP_NOT);
  assert_int_equal(inf_cmp_climb(&before, &step, 15), INF_CMP_STOP_TOP);
  step.busy_ms = 30000; /* each takes twice as long: hardly any more in all */
  assert_int_equal(inf_cmp_climb(&before, &step, 16), INF_CMP_STOP_NO_FASTER);
}

static void
test_pushback(void **state)
{
  (void)state;
  inf_cmp_step before = step_of(4, 20, 1000, 10000);
  inf_cmp_step step = step_of(8, 32, 1600, 16000);
  step.refused = 1; /* one is an accident */
  assert_int_equal(inf_cmp_climb(&before, &step, 64), INF_CMP_STOP_NOT);
  step.waited = 1; /* two are not, whoever held them back */
  assert_int_equal(inf_cmp_climb(&before, &step, 64), INF_CMP_STOP_PUSHBACK);
  step.requests = 64; /* but two of many are */
  step.ok = 64;
  assert_int_equal(inf_cmp_climb(&before, &step, 64), INF_CMP_STOP_NOT);
  step.ok = 32;
  assert_int_equal(inf_cmp_climb(&before, &step, 64), INF_CMP_STOP_FAILING);
}

static void
test_words(void **state)
{
  (void)state;
  assert_string_equal(inf_cmp_stop_text(INF_CMP_STOP_NOT), "");
  assert_string_equal(inf_cmp_stop_text(INF_CMP_STOP_PUSHBACK), "pushes back");
  assert_string_equal(inf_cmp_stop_text(99), "");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_orders_are_fair),
      cmocka_unit_test(test_deck_uses_all_alike),
      cmocka_unit_test(test_levels),
      cmocka_unit_test(test_the_base_is_on_the_way),
      cmocka_unit_test(test_throughput),
      cmocka_unit_test(test_climbs_while_it_pays),
      cmocka_unit_test(test_pushback),
      cmocka_unit_test(test_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
