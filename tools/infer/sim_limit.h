/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_LIMIT_H
#define INF_TOOLS_SIM_LIMIT_H

#include "sim_behaviour.h"

/* Rate limits as a provider enforces them: one bucket for requests and one
 * for tokens, for each key or model, refilled continuously. Exact: a bucket
 * is counted in units of which one nanosecond brings `rate` and one request
 * or token costs 60,000,000,000, so nothing is ever rounded. */

typedef struct inf_sim_bucket {
  uint64_t rate;     /* per minute; 0: no limit */
  uint64_t others;   /* taken of it by others; less than rate */
  uint64_t capacity; /* in requests or tokens */
  uint64_t level;    /* in units */
  uint64_t at_ns;    /* when level was right */
} inf_sim_bucket;

/* Full, and nobody else takes of it. */
void inf_sim_bucket_init(inf_sim_bucket *bucket, uint64_t rate,
                         uint64_t capacity, uint64_t now_ns);
/* What is left, in whole requests or tokens. */
uint64_t inf_sim_bucket_left(inf_sim_bucket *bucket, uint64_t now_ns);
/* Time until n can be taken, if others take nothing: 0 now, UINT64_MAX never.
 */
uint64_t inf_sim_bucket_wait_ns(inf_sim_bucket *bucket, uint64_t n,
                                uint64_t now_ns);
/* Time until it is full, if nobody takes anything. */
uint64_t inf_sim_bucket_full_ns(inf_sim_bucket *bucket, uint64_t now_ns);
/* Takes n; call it only after a wait of 0. */
void inf_sim_bucket_take(inf_sim_bucket *bucket, uint64_t n);

/* The buckets of a script. The zero-initialised struct is empty. */
typedef struct inf_sim_limits {
  struct inf_sim_quota *quotas;
  size_t count, cap;
} inf_sim_limits;

void inf_sim_limits_fini(inf_sim_limits *limits);

/* What a request met: enough for the header fields of its answer. */
typedef struct inf_sim_verdict {
  bool limited; /* there is a limit; else nothing below counts */
  bool admitted;
  bool too_large;   /* more tokens than the bucket can ever hold */
  bool by_tokens;   /* which of the two refused it */
  uint64_t wait_ns; /* if refused: until it would pass */
  uint64_t needed_tokens;
  uint64_t requests, requests_left, requests_full_ns;
  uint64_t tokens, tokens_left, tokens_full_ns;
} inf_sim_verdict;

/* Admits and charges the request, or refuses it at no charge. scope: the key
 * or the model. */
inf_sim_verdict inf_sim_limits_ask(inf_sim_limits *limits,
                                   const inf_sim_limit *limit, inf_sv scope,
                                   uint64_t tokens, uint64_t now_ns);

/* Appends a duration as Go writes it: "6m0s", "8.64s", "17ms", "350us" (in
 * ASCII, where Go has a Greek letter), "0s". */
void inf_sim_put_go_duration(inf_buf *buf, uint64_t ns);

#endif
