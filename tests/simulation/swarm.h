/* SPDX-License-Identifier: MIT */
/* What a run is like, all of it drawn from its seed: swarm testing (Groce et
 * al., "Swarm testing", ISSTA 2012). A run that has everything in it hides
 * what only comes about where much is missing. */
#ifndef TESTS_SIMULATION_SWARM_H
#define TESTS_SIMULATION_SWARM_H

#include "fleet.h"

enum { swarm_max_routes = 3 };
/* Micro-dollars for a million tokens of an answer. */
enum { swarm_dearest_price = 3300009 };
enum { swarm_max_tokens = 4000 };

/* What runs are about. */
typedef enum swarm_kind {
  SWARM_ANYTHING,
  /* Where data may go: every way to fail is on, at each provider, and so is
   * every way to come to another one; providers, routes and requests have
   * labels, which a reload changes. */
  SWARM_LABELS,
  /* What may be spent: every way to fail is on as well, and there are budgets
   * that do not suffice. Only answers cost something, and none is longer than
   * swarm_max_tokens, which all requests have: so what is reserved is enough.
   */
  SWARM_BUDGETS,
} swarm_kind;

typedef struct swarm_route {
  uint32_t first, targets, retries, labels;
  uint64_t deadline_ns, attempt_ns;
  bool continues; /* its answers may be gone on with */
  bool hedges;
} swarm_route;

/* Shares are in permille. */
typedef struct swarm_run {
  swarm_kind kind;
  size_t providers, routes;
  fleet_params fleet[fleet_max_providers];
  swarm_route route[swarm_max_routes];
  uint64_t gap_ns; /* mean time between two calls */
  uint32_t in_flight_max;
  uint32_t whole, labelled, run_once, hurried;  /* of the calls */
  uint32_t cancelled, slow_readers, waited_for; /* waited_for: no queue */
  uint32_t burst;                               /* so many at once, at most */
  uint64_t cancel_ns, slow_ns;                  /* mean times */
  uint32_t prompt_tokens;
  bool priced; /* the client knows what every model costs */
  uint64_t reload_ns, memory_fails_one_in; /* 0: never */
  uint64_t leave_ns;  /* mean time until a reader leaves; 0: never */
  uint32_t absences;  /* how often the application does not drive at once */
  uint64_t absent_ns; /* mean; 0: never */
  bool broken;        /* answers break off, and are gone on with */
  bool tight;         /* few bytes may wait for their reader */
  bool small_answers; /* the client takes no long ones */
  uint32_t end_ms;    /* patience of the client's end */
} swarm_run;

/* Draws a run, and writes the configuration of its client: that of a
 * generation of labels (fleet_labels()). */
void swarm_draw(swarm_run *swarm, swarm_kind kind, uint64_t seed,
                uint32_t generation, inf_buf *config);
/* The name of a label by its bit. */
const char *swarm_label(int bit);

#endif
