/* SPDX-License-Identifier: MIT */
/* The calls of one player over the fleet, event by event: arrivals by chance,
 * first contents, hedges, timeouts. */
#ifndef TESTS_SIMULATION_FLEET_HEDGE_CALLS_H
#define TESTS_SIMULATION_FLEET_HEDGE_CALLS_H

#include "players.h"

typedef struct calls_result {
  double *times_s; /* of each call to its first content; the caller's */
  size_t count;    /* of calls, as asked for */
  uint64_t attempts, hedges;
  double worst_excess; /* of hedges over the budget, as a share of calls */
} calls_result;

/* rate: calls in a second. The same draws for every player. */
void calls_play(player *who, double rate, uint64_t seed, calls_result *result);

#endif
