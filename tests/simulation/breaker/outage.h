/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIMULATION_BREAKER_OUTAGE_H
#define TESTS_SIMULATION_BREAKER_OUTAGE_H

#include "rules.h"

/* Clients and providers in an outage of 100 s, at 100 calls per second. */

typedef enum outage_kind {
  OUTAGE_ERRORS,     /* an error after 5 to 95 ms */
  OUTAGE_SLOW_ERROR, /* an error after 1 s */
  OUTAGE_BLACK_HOLE, /* nothing until the first-token timeout of 8 s */
} outage_kind;

typedef struct outage_setup {
  const sim_rule *rule; /* NULL: the shipped code */
  outage_kind kind;
  size_t targets;      /* of the route; more than one: the shipped code only */
  size_t targets_down; /* of them, from the first on */
  bool no_breaker;     /* the shipped budget alone */
  size_t stay_down;    /* of those that are down: beyond the repair */
} outage_setup;

typedef struct outage_figures {
  double amplification_1s;   /* attempts per call, at targets that are down */
  double amplification_100s; /* the same over the whole outage */
  /* From the repair to the last call that fails; at most 60. */
  double recovery_s;
  double opened_s; /* from the beginning to the first opening; -1: never */
  double lost;     /* calls that fail in the outage */
  double probes;   /* duplicates in the outage */
} outage_figures;

outage_figures outage_run(const outage_setup *setup, uint64_t seed);

#endif
