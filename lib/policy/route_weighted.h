/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_ROUTE_WEIGHTED_H
#define INF_POLICY_ROUTE_WEIGHTED_H

#include "base/sv.h"

#include <stddef.h>
#include <stdint.h>

/* Strategy `weighted`: the share of the calls that a target gets is its weight
 * over the sum of all. By chance, or sticky: a tenant, or whatever the caller
 * names, then always goes to the same target, as a canary wants it.
 *
 * One algorithm for both, weighted rendezvous (Thaler and Ravishankar 1998;
 * with weights Schindelhauer and Schomaker 2005). Key and target together are
 * hashed to a number u, uniform in (0, 1), and the target with the least
 *
 *   E / weight,    E = -log2(u)
 *
 * is the first. E is exponentially distributed, and the least of exponentials
 * is the i-th with probability weight_i / sum: exactly, for every weight. The
 * next ones, in this order, serve failover and hedges; without the first it
 * would be the same lottery among the others.
 *
 * A number E depends on nothing but the key and its target. So where a weight
 * grows, keys move to that target and no others; where it shrinks, from it and
 * no others; and a target that is added or removed takes or leaves only its
 * own. No rule moves fewer. For a key drawn at random it is the lottery.
 *
 * Weight 0: a target that gets calls only when no other can, last, in the given
 * order.
 *
 * Numbers. u has 64 bits; E is a fixed-point number of 40 bits behind the
 * point, and E/w is compared by multiplying, in 128 bits: all is integers, and
 * a key goes to the same target on every machine. A share of one in a million
 * is decided by E of 10^-6, which 40 bits know to 1 in 10^6. */

#define INF_ROUTE_WEIGHT_MAX 1000000
/* Targets of a route; of all strategies. */
#define INF_ROUTE_MOST 100

typedef struct inf_route_share {
  uint64_t id;     /* of the target, inf_route_id(); not its place */
  uint32_t weight; /* 0..INF_ROUTE_WEIGHT_MAX */
} inf_route_share;

/* From the target's name. */
uint64_t inf_route_id(inf_sv name);
/* The key of somebody who is to stay where he is. route: its name, so that not
 * the same ones are in the canary of every route. */
uint64_t inf_route_sticky_key(inf_sv route, inf_sv who);

/* Fills order with 0..count-1, the first choice first. count: at most
 * INF_ROUTE_MOST. key: of the caller, or a
 * random number. */
void inf_route_weighted(const inf_route_share *shares, size_t count,
                        uint64_t key, size_t *order);

/* -log2 of (hash | 1) / 2^64, in 1/2^40. */
uint64_t inf_route_exponential(uint64_t hash);

#endif
