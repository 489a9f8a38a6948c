/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_METER_STATE_H
#define INF_ENGINE_METER_STATE_H

#include "engine/meter.h"
#include "engine/runtime_state.h"

/* What a meter consists of, for the files that implement it: meter.c (what
 * attempts ask of it), meter_line.c (what the line does) and meter_table.c
 * (where it stands). */

enum { INF_METER_KINDS = 4, INF_METER_QUOTAS_MAX = 8 };

_Static_assert((int)INF_LIMIT_REQUESTS == (int)INF_RATE_REQUESTS &&
                   (int)INF_LIMIT_TOKENS == (int)INF_RATE_TOKENS &&
                   (int)INF_LIMIT_INPUT == (int)INF_RATE_INPUT &&
                   (int)INF_LIMIT_OUTPUT == (int)INF_RATE_OUTPUT,
               "headers and limits have the same kinds");

/* A quota that the provider told of, or that was made of a limit after a
 * refusal. */
typedef struct meter_quota {
  inf_limit_kind kind;
  uint64_t told_period_ns; /* its headers are known by that */
  inf_quota law;
} meter_quota;

typedef struct inf_meter {
  struct inf_meter *next;
  char *provider, *model; /* model "": all of the key's */
  uint64_t fingerprint;   /* of the key; 0: none is needed */
  size_t number;
  inf_provider_limits limits;
  inf_limiter *limiter; /* NULL: the configuration has no limits */
  meter_quota *quotas;
  size_t quota_count, quota_cap;
  uint64_t sent[3]; /* requests, input and output tokens, ever */
} inf_meter;

/* One of a provider's limits. */
typedef struct meter_rule {
  size_t offset; /* in inf_provider_limits */
  inf_limit_kind kind;
  uint64_t period_ns;
  const char *why;
} meter_rule;

/* NULL for what decided nothing. */
const char *inf_meter_why(const inf_limiter *limiter, size_t dimension);
const char *inf_meter_quota_why(inf_limit_kind kind);

/* The target's meter for that key, with the limits of its provider now; made
 * if there is none and `make`. NULL: there is none, or memory is short, or
 * there are too many. */
inf_meter *inf_meter_locked(inf_runtime *runtime,
                            const inf_target_config *target, size_t key,
                            bool make, uint64_t now_ns);
/* A quota that begins now, or NULL. limit 0: not known yet. */
meter_quota *inf_meter_add_quota(inf_meter *meter, inf_limit_kind kind,
                                 uint64_t limit, uint64_t period_ns,
                                 uint64_t told_period_ns, uint64_t now_ns);
/* Quotas of the limits that the configuration has: to be learned from 429s
 * where headers tell nothing. */
void inf_meter_add_configured(inf_meter *meter, uint64_t now_ns);
/* All units of the kind that were ever sent. */
uint64_t inf_meter_sent(const uint64_t sent[3], inf_limit_kind kind);
uint64_t inf_meter_units(const inf_limit_cost *cost, inf_limit_kind kind);
/* What is to be reserved; mean: what is expected instead. */
inf_limit_cost inf_meter_estimate_locked(inf_runtime *runtime,
                                         const inf_target_config *target,
                                         const inf_meter_cost *cost, bool mean);
bool inf_meter_counts_tokens(const inf_meter *meter);

#endif
