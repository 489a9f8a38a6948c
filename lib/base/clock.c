/* SPDX-License-Identifier: MIT */
/* The system's clocks. On Linux CLOCK_MONOTONIC stands still while the machine
 * sleeps, and a deadline would with it; CLOCK_BOOTTIME goes on. */
#include "base/clock.h"
#include "base/place.h"

#include <stddef.h>
#include <time.h>

#if defined(CLOCK_BOOTTIME)
#define MONOTONIC CLOCK_BOOTTIME
#else
#define MONOTONIC CLOCK_MONOTONIC
#endif

INF_HOT static uint64_t
now_ns(void *context)
{
  (void)context;
  struct timespec ts;
  if (clock_gettime(MONOTONIC, &ts) != 0)
    clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * INF_NS_PER_S + (uint64_t)ts.tv_nsec + 1;
}

static int64_t
wall_ns(void *context)
{
  (void)context;
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (int64_t)ts.tv_sec * (int64_t)INF_NS_PER_S + (int64_t)ts.tv_nsec;
}

/* The two clocks differ by the time asleep. Read one after the other they tell
 * up to as much less as the thread was kept from running between the reads,
 * never more. */
static uint64_t
asleep_ns(void *context)
{
  uint64_t all_ns = now_ns(context);
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  uint64_t awake_ns = (uint64_t)ts.tv_sec * INF_NS_PER_S + (uint64_t)ts.tv_nsec;
  return all_ns > awake_ns ? all_ns - awake_ns : 0;
}

static const inf_clock system_clock = {now_ns, wall_ns, NULL, asleep_ns};

const inf_clock *
inf_clock_system(void)
{
  return &system_clock;
}
