/* SPDX-License-Identifier: MIT */
/* Quantiles with censored times, and bootstraps.
 *
 * Samples are sorted once. A resample is a weight for each of them, so that a
 * quantile of it is one pass over the sorted ones (Efron, "Censored data and
 * the bootstrap", 1981: pairs of time and kind are drawn together). */

#include "compare_stats.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One half of what a 95 % interval leaves out. */
#define TAIL 0.025
/* The 97.5 % quantile of the normal distribution. */
#define Z95 1.959964

typedef struct ranked {
  double ms;
  int kind;
  size_t index; /* place among the samples as they were given */
} ranked;

/* By time; of equal times what was seen comes before what was given up, as
 * Kaplan and Meier have it. */
static int
by_time(const void *left, const void *right)
{
  const ranked *a = left, *b = right;
  if (a->ms != b->ms) {
    return a->ms < b->ms ? -1 : 1;
  }
  if (a->kind != b->kind) {
    return a->kind < b->kind ? -1 : 1;
  }
  return (a->index > b->index) - (a->index < b->index);
}

static ranked *
rank(const inf_cmp_time *times, size_t count)
{
  ranked *sorted = calloc(count ? count : 1, sizeof(*sorted));
  for (size_t i = 0; sorted && i < count; i++) {
    sorted[i] = (ranked){times[i].ms, times[i].kind, i};
    if (times[i].kind == INF_CMP_NEVER) {
      sorted[i].ms = INFINITY;
    }
  }
  if (sorted) {
    qsort(sorted, count, sizeof(*sorted), by_time);
  }
  return sorted;
}

static int
by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* The first time at which no more than 1 - q are still without an answer.
 * weights are by index; NULL: 1 each. */
static double
quantile(const ranked *sorted, size_t count, const uint32_t *weights, double q)
{
  double at_risk = 0, without = 1;
  for (size_t i = 0; i < count; i++) {
    at_risk += weights ? weights[sorted[i].index] : 1;
  }
  for (size_t i = 0; i < count; i++) {
    double weight = weights ? weights[sorted[i].index] : 1;
    if (weight > 0 && sorted[i].kind == INF_CMP_SEEN) {
      without *= 1 - weight / at_risk;
      if (without <= 1 - q + 1e-9) {
        return sorted[i].ms;
      }
    }
    at_risk -= weight;
  }
  return INFINITY;
}

static void
draw(inf_rng *rng, uint32_t *weights, size_t count)
{
  memset(weights, 0, count * sizeof(*weights));
  for (size_t i = 0; i < count; i++) {
    weights[inf_rng_below(rng, count)]++;
  }
}

/* The ends of what lies between the tails of sorted values. */
static void
cut_tails(double *values, size_t count, double tail, inf_cmp_interval *out)
{
  qsort(values, count, sizeof(*values), by_value);
  size_t low = (size_t)floor(tail * (double)count);
  out->low = values[low];
  out->high = values[count - 1 - low];
}

/* Ends that lie beyond the samples more often than the interval may be
 * wrong. */
static void
forget_ends(inf_cmp_interval *out, size_t count, double q, double tail)
{
  if (pow(q, (double)count) > tail) {
    out->high = NAN;
  }
  if (pow(1 - q, (double)count) > tail) {
    out->low = NAN;
  }
}

static void
resample(const ranked *sorted, size_t count, const double *q, size_t q_count,
         uint64_t seed, uint32_t *weights, double *values)
{
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  for (size_t r = 0; r < INF_CMP_RESAMPLES; r++) {
    draw(&rng, weights, count);
    for (size_t k = 0; k < q_count; k++) {
      values[k * INF_CMP_RESAMPLES + r] =
          quantile(sorted, count, weights, q[k]);
    }
  }
}

bool
inf_cmp_quantiles(const inf_cmp_time *times, size_t count, const double *q,
                  size_t q_count, uint64_t seed, inf_cmp_interval *out)
{
  for (size_t k = 0; k < q_count; k++) {
    out[k] = (inf_cmp_interval){NAN, NAN, NAN};
  }
  if (count == 0 || q_count == 0) {
    return true;
  }
  ranked *sorted = rank(times, count);
  uint32_t *weights = calloc(count, sizeof(*weights));
  double *values = calloc(q_count * INF_CMP_RESAMPLES, sizeof(*values));
  bool ok = sorted && weights && values;
  if (ok) {
    resample(sorted, count, q, q_count, seed, weights, values);
  }
  for (size_t k = 0; ok && k < q_count; k++) {
    out[k].value = quantile(sorted, count, NULL, q[k]);
    cut_tails(values + k * INF_CMP_RESAMPLES, INF_CMP_RESAMPLES, TAIL, &out[k]);
    forget_ends(&out[k], count, q[k], TAIL);
  }
  free(sorted);
  free(weights);
  free(values);
  return ok;
}

static double
difference(double a, double b)
{
  return isinf(a) && isinf(b) ? 0 : a - b;
}

bool
inf_cmp_paired(const inf_cmp_time *a, const inf_cmp_time *b, size_t count,
               double q, double confidence, uint64_t seed,
               inf_cmp_interval *out)
{
  *out = (inf_cmp_interval){NAN, NAN, NAN};
  if (count == 0) {
    return true;
  }
  ranked *left = rank(a, count), *right = rank(b, count);
  uint32_t *weights = calloc(count, sizeof(*weights));
  double *values = calloc(INF_CMP_RESAMPLES, sizeof(*values));
  bool ok = left && right && weights && values;
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  for (size_t r = 0; ok && r < INF_CMP_RESAMPLES; r++) {
    draw(&rng, weights, count);
    values[r] = difference(quantile(left, count, weights, q),
                           quantile(right, count, weights, q));
  }
  if (ok) {
    double tail = (1 - confidence) / 2;
    out->value = difference(quantile(left, count, NULL, q),
                            quantile(right, count, NULL, q));
    cut_tails(values, INF_CMP_RESAMPLES, tail, out);
    forget_ends(out, count, q, tail);
  }
  free(left);
  free(right);
  free(weights);
  free(values);
  return ok;
}

bool
inf_cmp_mean(const double *values, size_t count, double confidence,
             uint64_t seed, inf_cmp_interval *out)
{
  *out = (inf_cmp_interval){NAN, NAN, NAN};
  if (count == 0) {
    return true;
  }
  double *means = calloc(INF_CMP_RESAMPLES, sizeof(*means));
  if (!means) {
    return false;
  }
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += values[i];
  }
  for (size_t r = 0; r < INF_CMP_RESAMPLES; r++) {
    for (size_t i = 0; i < count; i++) {
      means[r] += values[inf_rng_below(&rng, count)];
    }
    means[r] /= (double)count;
  }
  out->value = sum / (double)count;
  if (count > 1) { /* one value says nothing of its spread */
    cut_tails(means, INF_CMP_RESAMPLES, (1 - confidence) / 2, out);
  }
  free(means);
  return true;
}

double
inf_cmp_sign_test(size_t least, size_t of)
{
  double n = (double)of, sum = 0;
  for (size_t i = 0; i <= least && i <= of; i++) {
    double k = (double)i;
    sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
  }
  return fmin(1, 2 * sum);
}

inf_cmp_interval
inf_cmp_share(size_t hits, size_t count)
{
  if (count == 0) {
    return (inf_cmp_interval){NAN, NAN, NAN};
  }
  double n = (double)count, p = (double)hits / n, z2 = Z95 * Z95;
  double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return (inf_cmp_interval){p, fmax(0, middle - half), fmin(1, middle + half)};
}
