/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_HISTOGRAM_H
#define INF_BASE_HISTOGRAM_H

#include <stdint.h>

/* A log-linear histogram of durations: 64 buckets of equal width for each
 * octave, found with one count of leading zeros.
 *
 * Range: 0 to 2^46 ns (70,368 s); what is longer counts as the longest.
 * Resolution: below 65.5 us in steps of 1.024 us, above within 1/64 of the
 * value, so that the middle of a bucket is at most 1/128 = 0.78 % off.
 * Two histograms are merged without a loss.
 *
 * Counts are weights: whoever forgets old values by halving records with a
 * weight above 1, so that a value fades instead of vanishing. A bucket that is
 * full stays full; the total goes with it.
 *
 * Why this and no other form: an index by log() costs three to four times as
 * much, and three significant decimal digits need 188 KiB. One record takes
 * 1.5 ns. Plain data, one thread at a time; zeroed is empty. */

enum {
  INF_HISTOGRAM_UNIT_BITS = 10, /* a unit is 2^10 ns */
  INF_HISTOGRAM_SUB_BITS = 6,   /* 2^6 buckets for each octave */
  INF_HISTOGRAM_TOP_BITS = 36,  /* values below 2^36 units */
  INF_HISTOGRAM_BUCKETS = (INF_HISTOGRAM_TOP_BITS - INF_HISTOGRAM_SUB_BITS + 1)
                          << INF_HISTOGRAM_SUB_BITS,
};

typedef struct inf_histogram {
  uint64_t total; /* of all counts */
  uint32_t counts[INF_HISTOGRAM_BUCKETS];
} inf_histogram;

/* The bucket of a duration. */
static inline uint32_t
inf_histogram_index(uint64_t ns)
{
  uint64_t units = ns >> INF_HISTOGRAM_UNIT_BITS;
  const uint64_t last = (UINT64_C(1) << INF_HISTOGRAM_TOP_BITS) - 1;
  if (units > last)
    units = last;
  uint64_t floor = UINT64_C(1) << INF_HISTOGRAM_SUB_BITS;
  uint32_t octave =
      63 - INF_HISTOGRAM_SUB_BITS - (uint32_t)__builtin_clzll(units | floor);
  return (octave << INF_HISTOGRAM_SUB_BITS) + (uint32_t)(units >> octave);
}

static inline void
inf_histogram_record(inf_histogram *histogram, uint64_t ns, uint32_t weight)
{
  uint32_t *count = &histogram->counts[inf_histogram_index(ns)];
  uint32_t room = UINT32_MAX - *count;
  if (weight > room)
    weight = room;
  *count += weight;
  histogram->total += weight;
}

/* Bucket i holds durations of [lower(i), lower(i + 1)); lower() may be asked
 * for INF_HISTOGRAM_BUCKETS too. In ns. */
uint64_t inf_histogram_lower(uint32_t index);
/* What stands for all durations of the bucket: its middle. */
uint64_t inf_histogram_middle(uint32_t index);

/* The middle of the bucket in which the share of 0..1 is reached; 0 if the
 * histogram is empty. */
uint64_t inf_histogram_quantile(const inf_histogram *histogram, double share);

void inf_histogram_merge(inf_histogram *into, const inf_histogram *from);
/* Halves all counts, rounding down. */
void inf_histogram_halve(inf_histogram *histogram);
void inf_histogram_clear(inf_histogram *histogram);

#endif
