/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_DIST_H
#define INF_TOOLS_SIM_DIST_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

/* Random quantities of a script: milliseconds or counts. The zero-initialised
 * struct is the constant 0. */
typedef enum inf_sim_dist_kind {
  INF_SIM_CONSTANT,    /* a */
  INF_SIM_LOGNORMAL,   /* exp(a + b * N(0, 1)) */
  INF_SIM_UNIFORM,     /* [a, b) */
  INF_SIM_EXPONENTIAL, /* mean a */
  INF_SIM_MIX,         /* one of the parts, by weight */
  INF_SIM_QUANTILES,   /* straight lines between those of the parts, whose
                        * weights are their shares, rising from 0 to 1, and
                        * whose constants are their values */
} inf_sim_dist_kind;

typedef struct inf_sim_dist {
  inf_sim_dist_kind kind;
  double a, b;
  const struct inf_sim_part *parts;
  size_t part_count;
} inf_sim_dist;

typedef struct inf_sim_part {
  double weight;
  inf_sim_dist dist;
} inf_sim_part;

static inline inf_sim_dist
inf_sim_dist_constant(double value)
{
  return (inf_sim_dist){.kind = INF_SIM_CONSTANT, .a = value};
}

/* The lognormal distribution with this median and 95th percentile. */
inf_sim_dist inf_sim_dist_lognormal(double p50, double p95);

/* Draws a value >= 0. A constant draws nothing from rng. */
double inf_sim_dist_draw(const inf_sim_dist *dist, inf_rng *rng);
/* The same as whole nanoseconds, the value being milliseconds. */
uint64_t inf_sim_dist_draw_ns(const inf_sim_dist *dist, inf_rng *rng);
/* The same as a rounded count of at least 1 and at most max. */
uint64_t inf_sim_dist_draw_count(const inf_sim_dist *dist, inf_rng *rng,
                                 uint64_t max);

static inline bool
inf_sim_dist_is_zero(const inf_sim_dist *dist)
{
  return dist->kind == INF_SIM_CONSTANT && dist->a <= 0;
}

#endif
