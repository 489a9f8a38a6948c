/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_CLOCK_H
#define INF_BASE_CLOCK_H

#include <stdint.h>

/* Where time comes from. Everything above takes a clock or a now_ns, so that
 * tests and simulations bring their own. */
typedef struct inf_clock {
  /* Monotonic, counts sleep of the machine where the system can
   * (CLOCK_BOOTTIME), never 0. */
  uint64_t (*now_ns)(void *context);
  /* Nanoseconds since 1970-01-01 UTC; only for dates in headers, records and
   * budgets. */
  int64_t (*wall_ns)(void *context);
  void *context;
  /* How long the machine has slept since it was started; NULL: never. Costs
   * more than now_ns and is for rare occasions. */
  uint64_t (*asleep_ns)(void *context);
} inf_clock;

#define INF_NS_PER_US 1000ull
#define INF_NS_PER_MS 1000000ull
#define INF_NS_PER_S  1000000000ull
#define INF_NEVER     UINT64_MAX

const inf_clock *inf_clock_system(void);

static inline uint64_t
inf_clock_now(const inf_clock *clock)
{
  return clock->now_ns(clock->context);
}

/* a + b, staying at INF_NEVER instead of wrapping. */
static inline uint64_t
inf_time_add(uint64_t a, uint64_t b)
{
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
