/* SPDX-License-Identifier: MIT */
/* One simulated run: a client of the shipped code over the virtual network, a
 * fleet of providers, and the people who make calls and read answers. */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm.h"

typedef struct world_result {
  uint64_t calls, refused, attempts, events, succeeded, bytes, turns;
  uint64_t sent; /* calls that came to an attempt */
  uint64_t hedges, rescues;
  /* Of calls that require labels: how many were sent, all their requests and
   * probes, and what the attempts were for (INFER_REASON_*). */
  uint64_t labelled, labelled_requests, labelled_probes, reasons[16];
  uint64_t warm_ups, reloads;
  /* With budgets: calls that ended by one, probes, and by how many nano-dollars
   * attempts cost more than was reserved for them. */
  uint64_t over_budget, probes, over_nano;
  uint64_t virtual_ns;
  uint64_t hash;
  char violation[512]; /* "": none */
} world_result;

/* Runs the world of that seed until so many calls were made and have ended.
 * False if it could not be set up. */
bool world_run(uint64_t seed, swarm_kind kind, uint64_t calls,
               world_result *result);

#endif
