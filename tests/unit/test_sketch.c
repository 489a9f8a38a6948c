/* SPDX-License-Identifier: MIT */
#include "telemetry/sketch.h"

#include "base/clock.h"
#include "base/rng.h"
#include "support/fail_alloc.h"

#include <string.h>

static inf_histogram events, censored;

static void
clear(void)
{
  inf_histogram_clear(&events);
  inf_histogram_clear(&censored);
}

/* The same times in a dense histogram and in a sketch are the same. */
static void
tells_what_a_histogram_tells(void **state)
{
  (void)state;
  static inf_histogram seen, cut;
  inf_telemetry_room room = {.cap_bytes = 1 << 20};
  inf_sketch sketch = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 7);
  inf_histogram_clear(&seen);
  inf_histogram_clear(&cut);
  for (int i = 0; i < 20000; i++) {
    uint64_t ns = inf_rng_next(&rng) >> (inf_rng_next(&rng) % 50);
    bool is_cut = inf_rng_next(&rng) % 3 == 0;
    inf_sketch_add(&sketch, &room, ns, is_cut);
    inf_histogram_record(is_cut ? &cut : &seen, ns, 1);
  }
  clear();
  inf_sketch_pour(&sketch, &events, &censored);
  assert_memory_equal(&events, &seen, sizeof seen);
  assert_memory_equal(&censored, &cut, sizeof cut);
  assert_int_equal(room.dropped, 0);
  inf_sketch_fini(&sketch, &room);
  assert_int_equal(room.used_bytes, 0);
}

static void
pours_on_top(void **state)
{
  (void)state;
  inf_telemetry_room room = {.cap_bytes = 1 << 20};
  inf_sketch sketch = {0};
  clear();
  inf_sketch_add(&sketch, &room, 0, false);
  inf_sketch_add(&sketch, &room, 0, false);
  inf_sketch_add(&sketch, &room, UINT64_MAX, true);
  inf_sketch_pour(&sketch, &events, &censored);
  inf_sketch_pour(&sketch, &events, &censored);
  assert_int_equal(events.counts[0], 4);
  assert_int_equal(events.total, 4);
  assert_int_equal(censored.counts[INF_HISTOGRAM_BUCKETS - 1], 2);
  size_t used = room.used_bytes;
  inf_sketch_clear(&sketch);
  assert_int_equal(room.used_bytes, used); /* it is kept */
  clear();
  inf_sketch_pour(&sketch, &events, &censored);
  assert_int_equal(events.total + censored.total, 0);
  inf_sketch_fini(&sketch, &room);
}

static void
a_full_count_stays(void **state)
{
  (void)state;
  enum { most = (1 << 20) - 1 };
  inf_telemetry_room room = {.cap_bytes = 1 << 20};
  inf_sketch sketch = {0};
  clear();
  for (int i = 0; i < most + 5; i++)
    inf_sketch_add(&sketch, &room, INF_NS_PER_S, false);
  inf_sketch_add(&sketch, &room, INF_NS_PER_S, true);
  inf_sketch_pour(&sketch, &events, &censored);
  assert_int_equal(events.total, most);
  assert_int_equal(censored.total, 1);
  inf_sketch_fini(&sketch, &room);
}

/* What there is no room for is dropped, and the rest goes on. */
static void
the_room_has_an_end(void **state)
{
  (void)state;
  inf_telemetry_room room = {.cap_bytes = 8 * 4};
  inf_sketch sketch = {0};
  clear();
  for (uint64_t i = 0; i < 10; i++)
    inf_sketch_add(&sketch, &room, i * INF_NS_PER_S, false);
  assert_int_equal(room.dropped, 2);
  inf_sketch_add(&sketch, &room, 3 * INF_NS_PER_S, false);
  assert_int_equal(room.dropped, 2);
  assert_int_equal(room.used_bytes, 32);
  inf_sketch_pour(&sketch, &events, &censored);
  assert_int_equal(events.total, 9);
  inf_sketch_fini(&sketch, &room);
}

static void
without_memory_a_time_is_dropped(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_telemetry_room room = {.cap_bytes = 1 << 20};
  inf_sketch sketch = {0};
  clear();
  for (uint64_t i = 0; i < 8; i++)
    inf_sketch_add(&sketch, &room, i * INF_NS_PER_S, false);
  fail_alloc_from(1);
  inf_sketch_add(&sketch, &room, 9 * INF_NS_PER_S, false);
  assert_int_equal(room.dropped, 1);
  inf_sketch_add(&sketch, &room, 2 * INF_NS_PER_S, false);
  fail_alloc_never();
  inf_sketch_add(&sketch, &room, 9 * INF_NS_PER_S, false);
  inf_sketch_pour(&sketch, &events, &censored);
  assert_int_equal(events.total, 10);
  inf_sketch_fini(&sketch, &room);
  assert_int_equal(room.used_bytes, 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_what_a_histogram_tells),
      cmocka_unit_test(pours_on_top),
      cmocka_unit_test(a_full_count_stays),
      cmocka_unit_test(the_room_has_an_end),
      cmocka_unit_test(without_memory_a_time_is_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
