/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_RATE_HEADERS_H
#define INF_PROVIDER_RATE_HEADERS_H

#include "wire/headers.h"

/* What the headers of an answer say of the quotas it was counted against, in
 * any provider's words. What is absent, or cannot be true, is unknown. */

typedef enum inf_rate_kind {
  INF_RATE_REQUESTS,
  INF_RATE_TOKENS, /* input and output together */
  INF_RATE_INPUT,  /* tokens of prompts */
  INF_RATE_OUTPUT, /* tokens of answers */
} inf_rate_kind;

#define INF_RATE_UNKNOWN (-1)

typedef struct inf_rate_sight {
  inf_rate_kind kind;
  /* Of which the limit is told: a second, 10 seconds, a minute, an hour, a day
   * or a month of 30 days; what the provider says; or 0: it does not say. */
  uint64_t period_ns;
  int64_t limit;     /* >= 1 */
  int64_t remaining; /* >= 0, <= limit if that is known */
  /* Until the quota is whole again. Some mean the end of a fixed window, some
   * the time in which a bucket fills. */
  int64_t reset_ns;
  bool coarse; /* remaining is rounded to thousands */
} inf_rate_sight;

/* More than any provider sends: the Hugging Face router has six. */
#define INF_RATE_MAX_SIGHTS 12

typedef struct inf_rate_sights {
  inf_rate_sight items[INF_RATE_MAX_SIGHTS];
  size_t count;
} inf_rate_sights;

/* At least limit, remaining or a reset above 0 is known of each. No two have
 * the same kind and period. Dates count from the answer's own Date field,
 * without one from wall_now_ns. */
void inf_rate_headers_read(const inf_headers *headers, int64_t wall_now_ns,
                           inf_rate_sights *sights);
/* Another one, found elsewhere: left out if it cannot be true, says nothing,
 * is one of those already, or is one too many. */
void inf_rate_sights_add(inf_rate_sights *sights, const inf_rate_sight *sight);

#endif
