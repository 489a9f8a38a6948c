/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_COST_H
#define INF_POLICY_COST_H

#include "infer/infer.h"
#include "policy/price.h"

/* What tokens cost, in whole nano-dollars.
 *
 * The rule. Input is divided into what was read from a cache, what was written
 * to one, audio, and the rest; output into reasoning, audio and the rest. Each
 * part is its count times its price, and a part without a price of its own has
 * that of the whole. The products are pico-dollars (price.h) and are added up
 * exactly; the sum alone is rounded, once, to the nearest nano-dollar, a half
 * up. A bill that follows the same rule for each request is the same number.
 *
 * A price that is wanted and not known makes the cost unknown; what has no
 * tokens wants no price. So a model that is free costs 0, exactly, and one
 * without a price is never taken for free. What would not fit is the largest
 * number. */
typedef struct inf_cost {
  int64_t nano_usd; /* -1: not known */
  int32_t kind;     /* INFER_COST_* */
} inf_cost;

/* Counts as providers send them: input and output are the whole, the others
 * are of it. A count below 0 is not known: of a part it is taken for none. */
typedef struct inf_cost_tokens {
  int64_t input, output;
  int64_t cache_read, cache_write; /* of the input */
  int64_t reasoning;               /* of the output */
  int64_t audio_input, audio_output;
} inf_cost_tokens;

/* estimated: of the counts, so of the cost too. Parts that are together more
 * than their whole are cut, in the order in which they stand above. A whole
 * that is not known costs what is not known. */
inf_cost inf_cost_of(const inf_price *price, const inf_cost_tokens *tokens,
                     bool estimated);
/* The sum is known if both are, and exact if both are. */
inf_cost inf_cost_add(inf_cost a, inf_cost b);

/* Nothing was to be paid. */
static inline inf_cost
inf_cost_none(void)
{
  return (inf_cost){0, INFER_COST_EXACT};
}

static inline inf_cost
inf_cost_unknown(void)
{
  return (inf_cost){-1, INFER_COST_UNKNOWN};
}

#endif
