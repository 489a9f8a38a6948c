/* SPDX-License-Identifier: MIT */
/* Distributions of the time to the first content, what hedging can do for them
 * at best, and draws. All times in seconds. */
#ifndef TESTS_SIMULATION_HEDGE_TIMES_H
#define TESTS_SIMULATION_HEDGE_TIMES_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum part_kind { LOGNORMAL, PARETO, POINT } part_kind;

typedef struct times_part {
  double weight;
  part_kind kind;
  double scale; /* median; least; the time itself */
  double shape; /* sigma; alpha */
} times_part;

/* A mixture of up to three, or a sample. */
typedef struct times {
  const char *name;
  times_part parts[3];
  const double *sample; /* sorted; NULL: a mixture */
  size_t count;
  double stretch; /* all times, by this; 0 counts as 1 */
} times;

/* The six of the table in the notes on resilience, and one more. */
extern const times all_times[];
extern const size_t all_times_count;

/* P(T <= t). */
double times_cdf(const times *of, double t);
double times_draw(const times *of, inf_rng *rng);
double times_quantile(const times *of, double share);

/* The best (d, q) of SingleR and the percentile under it, for a hedge of the
 * same distribution: by bisection over t and a scan of 4000 delays, from the
 * distribution itself. */
typedef struct optimum {
  double delay, probability, percentile;
} optimum;
optimum times_optimum(const times *of, double share, double budget);

/* The percentile of count times; sorts them. */
double percentile_of(double *values, size_t count, double share);

/* Reads a sample: seconds, one per line, or every number after "ttft_s":.
 * NULL: it has none. The caller frees it. */
double *times_read(const char *path, size_t *count);

#endif
