/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_ROUTE_COST_H
#define INF_POLICY_ROUTE_COST_H

#include "base/rng.h"
#include "policy/price.h"
#include "policy/route_weighted.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strategy `cost`: the cheapest target that is fast enough.
 *
 * A price that is not known (price.h) is never cheap: such a target comes after
 * all whose price is known. It is not free, as a missing number easily becomes.
 *
 * The order, first choice first:
 *
 *   1. fast enough, price known: by cost of this call, then by time
 *   2. fast enough, price not known: by time
 *   3. too slow: by time, whatever they cost, then by cost; for failover, and
 *      when none is fast enough: then the bound is missed by as little as can
 *      be
 *
 * Fast enough: expected to show its first content within the bound (outlook.h).
 * A target that was fast enough when last looked at stays it until it is
 * expected to take a tenth more than the bound, so that one at the bound does
 * not change places with each call. One of which no time is known is tried, by
 * one call at a time and one in a second, as if it were fast enough; with more
 * under way, or just after, it is too slow. Without a bound all are fast
 * enough.
 *
 * A target that was left for being slow is not asked any more; its outlook
 * returns to the usual by itself, within a minute or two. Where the usual is
 * too slow as well, one of 64 calls goes to the cheapest that was not asked for
 * 30 s, to learn whether it has become fast.
 *
 * The cost of this call: tokens of the prompt, and those that the answer
 * usually has. Ties in cost are broken by time, then by the given order. */

typedef struct inf_route_offer {
  inf_price price;
  uint64_t expected_ns; /* inf_outlook_ns(); 0: not known */
  uint64_t asked_ns;    /* when a call last chose it; 0: never */
  uint32_t waiting;     /* attempts there that are silent */
  bool was_fast;        /* in and out: fast enough */
} inf_route_offer;

typedef struct inf_route_cost_call {
  uint64_t prompt_tokens, answer_tokens; /* estimates; counts above 10^9 are
                                          * taken for that */
  uint64_t bound_ns;                     /* 0: none */
} inf_route_cost_call;

/* Fills order with 0..count-1. count: at most INF_ROUTE_MOST. */
void inf_route_cost(inf_route_offer *offers, size_t count,
                    const inf_route_cost_call *call, uint64_t now_ns,
                    inf_rng *rng, size_t *order);
/* The same without exploration and chance; the offers are not changed. */
void inf_route_by_cost(const inf_route_offer *offers, size_t count,
                       const inf_route_cost_call *call, uint64_t now_ns,
                       size_t *order);

#endif
