/* SPDX-License-Identifier: MIT */
/* The system's clocks. */
#include "base/clock.h"

#include <time.h>

/* On Linux CLOCK_MONOTONIC stands still while the machine sleeps, and a
 * deadline would with it. */
#ifdef CLOCK_BOOTTIME
#define STEADY_CLOCK CLOCK_BOOTTIME
#else
#define STEADY_CLOCK CLOCK_MONOTONIC
#endif

static uint64_t system_now_ns(void *context)
{
  struct timespec ts;
  (void)context;
  if (clock_gettime(STEADY_CLOCK, &ts) != 0)
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
  uint64_t now_ns = (uint64_t)ts.tv_sec * INF_NS_PER_S + (uint64_t)ts.tv_nsec;
  return now_ns ? now_ns : 1;
}

static int64_t system_wall_ns(void *context)
{
  struct timespec ts;
  (void)context;
  (void)clock_gettime(CLOCK_REALTIME, &ts);
  return (int64_t)ts.tv_sec * (int64_t)INF_NS_PER_S + (int64_t)ts.tv_nsec;
}

const inf_clock *inf_clock_system(void)
{
  static const inf_clock clock = {system_now_ns, system_wall_ns, NULL};
  return &clock;
}
