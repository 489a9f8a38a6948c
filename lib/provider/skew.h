/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_SKEW_H
#define INF_PROVIDER_SKEW_H

#include "base/sv.h"

#include <stdint.h>

/* How far the provider's clock is from ours. A signature and a token carry the
 * time, and are refused where it is wrong: AWS takes five minutes of
 * difference and answers 403, with the right time in its Date header. One
 * number for each account, 0 at first; whoever holds it guards it. Pure. */
typedef struct inf_skew {
  int64_t offset_ns; /* what is added to our time to get the provider's */
} inf_skew;

/* From the Date header of an answer that refused a time, and our own time when
 * it came. True if the clocks were further apart than was assumed, by more
 * than a minute: then the offset is the new one, and the same request is worth
 * another try, signed anew. False, and nothing learnt, if the time cannot have
 * been the reason: so it is once, also where the second try is refused too. */
bool inf_skew_learn(inf_skew *skew, inf_sv date, int64_t wall_now_ns);

/* The provider's time; not below 0, not above what fits. */
int64_t inf_skew_time(const inf_skew *skew, int64_t wall_now_ns);

#endif
