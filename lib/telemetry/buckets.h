/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_BUCKETS_H
#define INF_TELEMETRY_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

/* Histograms with few, fixed buckets, for exporters: counts since ever that
 * only grow, as Prometheus and OTLP want them. The bounds are those that the
 * OpenTelemetry semantic conventions for generative AI advise (v1.41):
 * durations of a client's operation and its first chunk, the time per output
 * token of a server, tokens in powers of four.
 *
 * Zeroed is empty. One thread at a time. */

enum { INF_BUCKETS_MAX = 14 };

typedef struct inf_bucket_bounds {
  uint64_t upper[INF_BUCKETS_MAX]; /* inclusive; nanoseconds or tokens */
  size_t count;
  double unit; /* so many of them are one of what is exported: 1e9, or 1 */
} inf_bucket_bounds;

extern const inf_bucket_bounds inf_bounds_durations;
extern const inf_bucket_bounds inf_bounds_per_token;
extern const inf_bucket_bounds inf_bounds_tokens;

typedef struct inf_buckets {
  uint64_t counts[INF_BUCKETS_MAX + 1]; /* the last: above all bounds */
  uint64_t sum;
} inf_buckets;

void inf_buckets_add(inf_buckets *buckets, const inf_bucket_bounds *bounds,
                     uint64_t value);
uint64_t inf_buckets_total(const inf_buckets *buckets);

#endif
