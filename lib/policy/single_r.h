/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_SINGLE_R_H
#define INF_POLICY_SINGLE_R_H

#include "base/survival.h"

#include <stdbool.h>

/* When to send a hedge, and how often: SingleR (Kaler, He, Elnikety: "Optimal
 * reissue policies for reducing tail latency", SPAA 2017). If the first attempt
 * has no content at time d, a second one is sent with probability q. With F for
 * the first and G for the second,
 *
 *   P(T <= t) = F(t) + q (1 - F(t)) G(t - d)        for t > d
 *   cost      = q (1 - F(d)) c <= budget
 *
 * and no policy of the same cost has a smaller percentile. "Hedge at the 95th
 * percentile", as others do, is the case q = 1 and does nothing for p95.
 *
 * Prompts of several lengths (buckets b with share w_b, and cost c_b of a
 * hedge) have one budget and one percentile, that of all calls. For a given t
 * it is a knapsack that can be cut anywhere: each delay d is a point (cost
 * w c (1 - F(d)), gain w (1 - F(t)) G(t - d)) of its bucket, and the upper
 * hulls of all buckets are climbed together, steepest piece first (which is the
 * Lagrange multiplier). Bucket by bucket the answer is a vertex with q = 1,
 * except in the bucket in which the budget ends, where the best single (d, q)
 * for what is left is taken. The least t for which the gain suffices is found
 * by bisection over the buckets of the histogram.
 *
 * Time: the delays are listed once; then for each of the up to 8 prompt buckets
 * and 12 values of t, up to 384 delays are looked at. Measured on one core of a
 * server: 10 us for one bucket of a usual distribution, 60 to 90 us for eight.
 * No allocation: the caller gives the workspace (92 KB), which needs no
 * initialisation.
 *
 * Delays are the ends of histogram buckets in which F rises: in between only
 * the hedge would come later. Neighbours whose 1 - F differs by less than 1/40
 * count as one, and a delay that fewer than 1 in 10^4 reach is none. */

enum {
  INF_SINGLE_R_BUCKETS = 8,
  INF_SINGLE_R_DELAYS = 384,
};

typedef struct inf_single_r_bucket {
  const inf_survival *primary; /* F, of the first attempt */
  const inf_survival *hedge;   /* G, of the second; may be the same */
  double weight;               /* share of the calls; any unit */
  double cost; /* of a hedge that loses; the mean cost of a call is 1 */
} inf_single_r_bucket;

typedef struct inf_single_r_problem {
  const inf_single_r_bucket *buckets;
  uint32_t count;        /* of buckets: 1..INF_SINGLE_R_BUCKETS */
  double share;          /* the percentile: 0.95 */
  double budget;         /* share of the cost of all calls: 0.05 */
  uint64_t min_delay_ns; /* no hedge before */
  double min_gain;       /* less is not worth it: 0.005 */
} inf_single_r_problem;

typedef struct inf_single_r_choice {
  uint64_t delay_ns;  /* INF_NEVER: no hedge */
  double probability; /* 0: no hedge */
} inf_single_r_choice;

typedef struct inf_single_r_plan {
  inf_single_r_choice buckets[INF_SINGLE_R_BUCKETS];
  bool hedges;        /* false: it cannot help, or not by min_gain */
  double cost;        /* expected, as the budget */
  uint64_t before_ns; /* the percentile without; INF_NEVER: not known */
  uint64_t after_ns;  /* with hedges; the same if there are none */
} inf_single_r_plan;

/* Scratch of the solver: no state. */
typedef struct inf_single_r_point {
  float cost, gain;
  uint32_t edge; /* the delay is inf_histogram_lower(edge), or the least */
} inf_single_r_point;

typedef struct inf_single_r_work {
  float reach[INF_SINGLE_R_BUCKETS][INF_SINGLE_R_DELAYS]; /* 1 - F there */
  uint16_t edges[INF_SINGLE_R_BUCKETS][INF_SINGLE_R_DELAYS];
  uint32_t edge_counts[INF_SINGLE_R_BUCKETS];
  inf_single_r_point points[INF_SINGLE_R_BUCKETS][INF_SINGLE_R_DELAYS];
  inf_single_r_point hulls[INF_SINGLE_R_BUCKETS][INF_SINGLE_R_DELAYS];
  uint32_t counts[INF_SINGLE_R_BUCKETS];
  uint32_t hull_counts[INF_SINGLE_R_BUCKETS];
} inf_single_r_work;

void inf_single_r_solve(const inf_single_r_problem *problem,
                        inf_single_r_work *work, inf_single_r_plan *plan);

/* P(T <= t) over all calls under any choices; NULL: without hedges. */
double inf_single_r_reached(const inf_single_r_problem *problem,
                            const inf_single_r_choice *choices, uint64_t ns);

#endif
