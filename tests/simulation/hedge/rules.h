/* SPDX-License-Identifier: MIT */
/* Rules for hedging, played over the same draws: the shipped one, the optimum
 * that knows the distribution, and those of other libraries. Requests come one
 * after another; a hedge costs as much as a call. */
#ifndef TESTS_SIMULATION_HEDGE_RULES_H
#define TESTS_SIMULATION_HEDGE_RULES_H

#include "policy/hedge.h"
#include "policy/series.h"
#include "times.h"

typedef enum rule_kind {
  RULE_SHIPPED,
  RULE_OPTIMUM,   /* the best (d, q), known from the beginning */
  RULE_STATIC,    /* gRPC: a fixed delay, the true p95, no budget */
  RULE_FINAGLE,   /* the (1 - budget) percentile of what was seen, budget */
  RULE_TRIGGER90, /* p90 of the winners, a 10 % bucket */
  RULE_KINDS,
} rule_kind;

extern const char *const rule_names[RULE_KINDS];

enum { rule_window = 1000 };

typedef struct rule {
  rule_kind kind;
  double share, budget;
  inf_rng rng;
  /* Of the others. */
  optimum fixed; /* also: delay of those that learn */
  double tokens;
  double seen[rule_window];
  uint32_t count;
  /* The shipped code. */
  inf_series_room room;
  inf_series series;
  inf_hedge_params params;
  inf_hedge hedge;
  inf_hedge_budget money;
  inf_slowdown slowdown;
  inf_survival survival;
  inf_single_r_work work;
  uint64_t late_ns;
  /* Counted. */
  uint64_t calls, hedges;
  double worst_excess; /* of hedges over the budget, as a share of calls */
} rule;

void rule_init(rule *at, rule_kind kind, const times *of, double share,
               double budget, uint64_t seed);
void rule_fini(rule *at);
/* Plays one call whose first attempt takes x and whose hedge, if any, y.
 * Returns its time to the first content. */
double rule_play(rule *at, double x, double y);

#endif
