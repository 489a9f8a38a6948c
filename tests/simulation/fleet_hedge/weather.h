/* SPDX-License-Identifier: MIT */
/* Three providers and their bad minutes. In each half hour each of them is bad
 * for two minutes, at any time of it: in 70 of 100 cases six times as slow,
 * else a black hole, which takes requests and never answers. The faults are
 * assumed; the times in good minutes are fits to a week of measurements. */
#ifndef TESTS_SIMULATION_FLEET_HEDGE_WEATHER_H
#define TESTS_SIMULATION_FLEET_HEDGE_WEATHER_H

#include <stdint.h>

enum { fleet_size = 3 };

typedef struct fleet_member {
  const char *name;
  double median_s, sigma; /* of the time to the first content, lognormal */
} fleet_member;

extern const fleet_member fleet[fleet_size];

/* How long the attempt would take that is sent to this member at this time by
 * this call; INF_NEVER: for ever. The same for all who ask. */
uint64_t weather_time_ns(uint64_t seed, int member, uint64_t call,
                         uint64_t at_ns);

#endif
