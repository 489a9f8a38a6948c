/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_STATS_H
#define INF_TOOLS_COMPARE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Statistics of times to an answer, some of which never came.
 *
 * Nothing is dropped: a call that failed never had an answer, however fast it
 * failed, so its time is infinite; one that was given up while it was running
 * (a timeout, an interrupted run) would have taken longer than it had by then.
 * Quantiles are those of the Kaplan-Meier estimate, which for times that are
 * all seen is the plain order statistic.
 *
 * Intervals are percentile bootstraps of 95 %, from a seed: the same samples
 * give the same figures. A bootstrap never looks beyond the largest of the
 * samples: where it is likely (above 2.5 %) that the true quantile lies beyond
 * them all, that end of the interval is said to be unknown. So the upper end of
 * a p95 takes 72 samples, that of a p99 takes 368. */

#define INF_CMP_SEEN   0 /* came after so long */
#define INF_CMP_BEYOND 1 /* was given up after so long: it takes longer */
#define INF_CMP_NEVER  2 /* failed */

typedef struct inf_cmp_time {
  double ms;
  int kind;
} inf_cmp_time;

/* INFINITY: the share of answers that came does not reach the quantile. NAN:
 * there are no samples, or this end is not known. */
typedef struct inf_cmp_interval {
  double value, low, high;
} inf_cmp_interval;

/* Resamples of each bootstrap. */
#define INF_CMP_RESAMPLES 1000
/* Quantiles in one call. */
#define INF_CMP_MAX_QUANTILES 8

/* The quantiles q[0..q_count) of count times, each from 0 to 1, with their
 * intervals. False if memory is short. */
bool inf_cmp_quantiles(const inf_cmp_time *times, size_t count, const double *q,
                       size_t q_count, uint64_t seed, inf_cmp_interval *out);

/* The difference of a quantile between two that were asked the same questions:
 * a's minus b's, where a[i] and b[i] belong together and are drawn together.
 * The interval has the given confidence, such as 0.95. An infinite quantile
 * minus a finite one is infinite; two infinite ones are alike (0). */
bool inf_cmp_paired(const inf_cmp_time *a, const inf_cmp_time *b, size_t count,
                    double q, double confidence, uint64_t seed,
                    inf_cmp_interval *out);

/* Mean of values, with its interval of the given confidence. */
bool inf_cmp_mean(const double *values, size_t count, double confidence,
                  uint64_t seed, inf_cmp_interval *out);

/* How likely it is by chance alone that of `of` pairs that differ only `least`
 * or fewer, or as many at the other side, speak for one of the two (sign test,
 * two-sided). */
double inf_cmp_sign_test(size_t least, size_t of);

/* A share hits / count with Wilson's interval of 95 %. */
inf_cmp_interval inf_cmp_share(size_t hits, size_t count);

#endif
