/* SPDX-License-Identifier: MIT */
/* The system's clocks, and sums of times that must not wrap. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static uint64_t
read_ns(clockid_t id)
{
  struct timespec ts;
  assert_int_equal(clock_gettime(id, &ts), 0);
  return (uint64_t)ts.tv_sec * INF_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void
test_now_is_never_zero_nor_earlier(void **state)
{
  (void)state;
  const inf_clock *clock = inf_clock_system();
  uint64_t last = inf_clock_now(clock);
  assert_true(last > 0);
  for (int i = 0; i < 100000; i++) {
    uint64_t now = inf_clock_now(clock);
    if (now < last)
      fail_msg("time went back");
    last = now;
  }
}

/* Between two readings of the clock that counts sleep. */
static void
test_now_counts_sleep_of_the_machine(void **state)
{
  (void)state;
#ifdef CLOCK_BOOTTIME
  clockid_t id = CLOCK_BOOTTIME;
#else
  clockid_t id = CLOCK_MONOTONIC;
#endif
  uint64_t before = read_ns(id);
  uint64_t now = inf_clock_now(inf_clock_system());
  uint64_t after = read_ns(id);
  assert_true(now >= before && now <= after + 1);
}

/* By the clocks of the machine that runs the test, which may have slept. */
static void
test_sleep_of_the_machine(void **state)
{
  (void)state;
#ifdef CLOCK_BOOTTIME
  const inf_clock *clock = inf_clock_system();
  for (int i = 0; i < 1000; i++) {
    uint64_t all = read_ns(CLOCK_BOOTTIME);
    uint64_t awake = read_ns(CLOCK_MONOTONIC);
    uint64_t asleep = clock->asleep_ns(clock->context);
    /* Of the same moments, but for what passes between two readings. */
    uint64_t least = all > awake ? all - awake : 0;
    assert_true(asleep + INF_NS_PER_S >= least);
    awake = read_ns(CLOCK_MONOTONIC);
    all = read_ns(CLOCK_BOOTTIME);
    assert_true(asleep <= all - awake + INF_NS_PER_MS);
  }
#endif
}

static void
test_wall(void **state)
{
  (void)state;
  const inf_clock *clock = inf_clock_system();
  int64_t before = (int64_t)read_ns(CLOCK_REALTIME);
  int64_t wall = clock->wall_ns(clock->context);
  int64_t after = (int64_t)read_ns(CLOCK_REALTIME);
  assert_true(wall >= before && wall <= after);
}

static uint64_t
fixed_now(void *context)
{
  return *(uint64_t *)context;
}

static void
test_own_clock_gets_its_context(void **state)
{
  (void)state;
  uint64_t now = 42;
  inf_clock clock = {.now_ns = fixed_now, .context = &now};
  assert_int_equal(inf_clock_now(&clock), 42);
}

static void
test_time_add_stays_at_never(void **state)
{
  (void)state;
  assert_int_equal(inf_time_add(1, 2), 3);
  assert_true(inf_time_add(INF_NEVER, 0) == INF_NEVER);
  assert_true(inf_time_add(INF_NEVER, 1) == INF_NEVER);
  assert_true(inf_time_add(1, INF_NEVER) == INF_NEVER);
  assert_true(inf_time_add(INF_NEVER, INF_NEVER) == INF_NEVER);
  assert_true(inf_time_add(INF_NEVER - 1, 1) == INF_NEVER);
  assert_true(inf_time_add(INF_NEVER - 2, 1) == INF_NEVER - 1);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_now_is_never_zero_nor_earlier),
      cmocka_unit_test(test_now_counts_sleep_of_the_machine),
      cmocka_unit_test(test_sleep_of_the_machine),
      cmocka_unit_test(test_wall),
      cmocka_unit_test(test_own_clock_gets_its_context),
      cmocka_unit_test(test_time_add_stays_at_never),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
