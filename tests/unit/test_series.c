/* SPDX-License-Identifier: MIT */
#include "policy/series.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define MS INF_NS_PER_MS

static inf_series_room room;
static inf_series series;
static inf_survival survival;
static inf_rng rng;

static int
set_up(void **state)
{
  (void)state;
  room = (inf_series_room){.cap_bytes = 1 << 20};
  inf_series_init(&series, &room);
  inf_rng_seed(&rng, 1);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  inf_series_fini(&series);
  assert_int_equal(room.used_bytes, 0);
  return 0;
}

/* Uniform in 100 to 1100 ms, stretched; reads whenever it is due. Returns after
 * how many the regime changed, count if it did not. */
static int
feed(int count, unsigned stretch)
{
  for (int i = 0; i < count; i++) {
    uint64_t ns = inf_rng_between(&rng, 100 * MS, 1100 * MS);
    ns *= stretch;
    if (inf_series_record(&series, ns, false))
      return i;
    if (inf_series_is_due(&series))
      inf_series_read(&series, &survival);
  }
  return count;
}

static uint64_t
quantile_ms(double share)
{
  inf_series_read(&series, &survival);
  return inf_survival_quantile(&survival, share) / MS;
}

static void
nothing_is_taken_before_the_first_record(void **state)
{
  (void)state;
  assert_false(inf_series_read(&series, &survival));
  assert_int_equal(inf_series_known(&series), 0);
  assert_int_equal(room.used_bytes, 0);
  inf_series_record(&series, MS, false);
  assert_int_equal(room.used_bytes, inf_series_bytes());
  assert_true(sizeof(inf_series_window) <= 16384);
}

static void
a_full_room_drops_records(void **state)
{
  (void)state;
  room.cap_bytes = inf_series_bytes();
  inf_series other;
  inf_series_init(&other, &room);
  inf_series_record(&series, MS, false);
  assert_false(inf_series_record(&other, MS, false));
  assert_int_equal(room.dropped, 1);
  assert_int_equal(inf_series_known(&other), 0);
  inf_series_fini(&other);
  assert_int_equal(room.used_bytes, inf_series_bytes());
}

static void *
no_malloc(size_t size, void *user_data)
{
  (void)size;
  (void)user_data;
  return NULL;
}

static void *
no_realloc(void *ptr, size_t size, void *user_data)
{
  (void)ptr;
  (void)size;
  (void)user_data;
  return NULL;
}

static void
no_free(void *ptr, void *user_data)
{
  (void)ptr;
  (void)user_data;
}

static void
without_memory_it_knows_nothing(void **state)
{
  (void)state;
  inf_mem_set_functions(no_malloc, no_realloc, no_free, NULL);
  assert_false(inf_series_record(&series, MS, false));
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  assert_int_equal(room.dropped, 1);
  assert_int_equal(room.used_bytes, 0);
}

static void
it_looks_back_on_thousands(void **state)
{
  (void)state;
  feed(150000, 1);
  assert_in_range(inf_series_known(&series), 32000, 64000);
  assert_in_range(quantile_ms(0.5), 560, 640);
  assert_in_range(quantile_ms(0.95), 1035, 1065);
  assert_int_equal(inf_series_changes(&series), 0);
}

static void
readings_become_rarer(void **state)
{
  (void)state;
  int reads = 0;
  for (int i = 0; i < 1000; i++) {
    inf_series_record(&series, inf_rng_between(&rng, MS, 9 * MS), false);
    if (!inf_series_is_due(&series))
      continue;
    inf_series_read(&series, &survival);
    reads++;
  }
  assert_in_range(reads, 12, 24);
}

static void
three_times_as_slow_is_found_soon(void **state)
{
  (void)state;
  feed(3000, 1);
  assert_in_range(feed(1000, 3), 8, 60);
  assert_int_equal(inf_series_changes(&series), 1);
  assert_true(inf_series_is_due(&series));
  assert_in_range(quantile_ms(0.5), 1300, 2150);
  assert_in_range(inf_series_events(&series), 8, 60);
  feed(400, 3);
  assert_in_range(quantile_ms(0.95), 2700, 3900); /* the guess still counts */
  feed(8000, 3);
  assert_in_range(quantile_ms(0.95), 3100, 3200);
}

static void
so_is_the_way_back(void **state)
{
  (void)state;
  feed(3000, 3);
  assert_in_range(feed(1000, 1), 15, 60);
  feed(400, 1);
  assert_in_range(quantile_ms(0.95), 900, 1300); /* the guess still counts */
  feed(8000, 1);
  assert_in_range(quantile_ms(0.95), 1035, 1065);
}

/* Within 100 to 200 ms, some within 1 to 2 s; stretched. */
static uint64_t
with_share(unsigned long_per_cent, unsigned stretch)
{
  uint64_t ns = inf_rng_between(&rng, 100 * MS, 200 * MS) * stretch;
  return inf_rng_below(&rng, 100) < long_per_cent ? 10 * ns : ns;
}

static uint64_t
some_are_long(unsigned stretch)
{
  return with_share(15, stretch);
}

static uint64_t
few_are_long(unsigned stretch)
{
  return with_share(3, stretch);
}

static uint64_t
one_hump(unsigned stretch)
{
  return inf_rng_between(&rng, 100 * MS, 200 * MS) * stretch;
}

/* 6000 times of the first kind, then so many of the other, three times as
 * long, from another seed. Returns what is then the percentile, in ms. */
static uint64_t
shift(uint64_t seed, uint64_t before(unsigned), uint64_t after(unsigned),
      int count, double share)
{
  inf_series_fini(&series);
  inf_rng_seed(&rng, seed);
  for (int i = 0; i < 6000 + count; i++) {
    inf_series_record(&series, i < 6000 ? before(1) : after(3), false);
    if (inf_series_is_due(&series))
      inf_series_read(&series, &survival);
  }
  assert_in_range(inf_series_changes(&series), 1, 2);
  return quantile_ms(share);
}

/* Of 300 times nine are long: the shape knows better. */
static void
after_a_shift_the_tail_is_known_by_its_shape(void **state)
{
  (void)state;
  uint64_t sum = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    uint64_t ms = shift(seed, few_are_long, few_are_long, 300, 0.985);
    sum += ms > 4500 ? ms - 4500 : 4500 - ms;
  }
  assert_true(sum / 20 < 350); /* 20 times of the shape: 590 */
}

/* It was scaled by the first 30 times; each fit counts new times once. */
static void
after_a_shift_the_scale_is_fitted_again(void **state)
{
  (void)state;
  uint64_t sum = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    uint64_t ms = shift(seed, one_hump, one_hump, 280, 0.5);
    assert_in_range(ms, 450 * 92 / 100, 450 * 108 / 100);
    sum += ms > 450 ? ms - 450 : 450 - ms;
    assert_true(inf_series_known(&series) <= 1800);
  }
  assert_true(sum / 20 <= 9);
}

/* Nothing is long any more; that does not wait for thousands of times. */
static void
another_shape_is_forgotten(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    shift(seed, some_are_long, one_hump, 500, 0.5);
    assert_true(inf_series_known(&series) < 700);
    assert_true(quantile_ms(0.95) < 620);
  }
}

/* By chance, one alarm in millions. */
static void
nothing_changes_by_chance(void **state)
{
  (void)state;
  feed(400000, 1);
  assert_int_equal(inf_series_changes(&series), 0);
}

/* A fifth takes ten times as long; the median hardly moves. */
static void
new_stragglers_are_found(void **state)
{
  (void)state;
  feed(3000, 1);
  int found = 0;
  for (int i = 1; i < 1000 && found == 0; i++) {
    uint64_t ns = inf_rng_between(&rng, 100 * MS, 1100 * MS);
    if (inf_rng_below(&rng, 10) < 3)
      ns *= 10;
    if (inf_series_record(&series, ns, false))
      found = i;
  }
  assert_in_range(found, 10, 120);
}

/* Exponential: what is cancelled at random lets the quantiles be. */
static void
cancelled_attempts_do_not_shorten_it(void **state)
{
  (void)state;
  for (int i = 0; i < 3000; i++) {
    uint64_t ns = inf_rng_between(&rng, 100 * MS, 1100 * MS);
    uint64_t cut_ns = inf_rng_between(&rng, 0, 2200 * MS);
    inf_series_record(&series, cut_ns < ns ? cut_ns : ns, cut_ns < ns);
  }
  assert_in_range(quantile_ms(0.5), 560, 640);
  assert_in_range(quantile_ms(0.95), 1030, 1070);
}

static void
the_fast_window_has_the_newest(void **state)
{
  (void)state;
  static inf_series_window work;
  assert_false(inf_series_read_fast(&series, &work, &survival));
  for (int i = 0; i < 300; i++)
    inf_series_record(&series, 1000 * MS, false);
  for (int i = 0; i < INF_SERIES_RING; i++)
    inf_series_record(&series, 100 * MS, i % 2 == 0);
  assert_true(inf_series_read_fast(&series, &work, &survival));
  assert_int_equal(work.events.total, work.censored.total);
  assert_true(inf_survival_beyond(&survival, 100 * MS * 101 / 100) < 0.5);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(nothing_is_taken_before_the_first_record),
      TEST(a_full_room_drops_records),
      TEST(without_memory_it_knows_nothing),
      TEST(it_looks_back_on_thousands),
      TEST(readings_become_rarer),
      TEST(three_times_as_slow_is_found_soon),
      TEST(so_is_the_way_back),
      TEST(after_a_shift_the_tail_is_known_by_its_shape),
      TEST(after_a_shift_the_scale_is_fitted_again),
      TEST(another_shape_is_forgotten),
      TEST(nothing_changes_by_chance),
      TEST(new_stragglers_are_found),
      TEST(cancelled_attempts_do_not_shorten_it),
      TEST(the_fast_window_has_the_newest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
