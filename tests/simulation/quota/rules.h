/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIMULATION_QUOTA_RULES_H
#define TESTS_SIMULATION_QUOTA_RULES_H

#include "policy/quota.h"

/* What others do, for comparison. */

typedef enum policy {
  POLICY_RETRY,   /* full jitter, no limiter */
  POLICY_RESERVE, /* reserve and settle, no headers */
  POLICY_MIN,     /* min(local, remaining) */
  POLICY_CUBIC,   /* and a cut after 429 */
  POLICY_SLOPE,   /* net refill from the change of remaining */
  POLICY_LAW,     /* policy/quota.c */
  POLICY_COUNT,
} policy;

/* A simple bucket, for the other rules. */
typedef struct bucket {
  double level, rate, cap, at, slope, seen, seen_sent;
  double cut_from, cut_at;
  uint64_t spent;
  uint64_t seen_mark;
  bool heard;
} bucket;

/* Seconds until so many units may be used. */
double bucket_wait(policy rule, bucket *b, double units, double now);
void bucket_observe(policy rule, bucket *b, const inf_quota_sight *sight,
                    const inf_quota_sent *as_sent, double now);
void bucket_refused(policy rule, bucket *b, double now);

#endif
