/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_ROUTE_LATENCY_H
#define INF_POLICY_ROUTE_LATENCY_H

#include "base/rng.h"
#include "policy/route_weighted.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strategy `latency`: the targets in the order in which a call should be sent
 * to them, by how long each would take to the first content (outlook.h).
 *
 * The first is drawn, with shares that fall with the 8th power of the time
 *
 *   share_i ~ (fastest / time_i) ^ 8
 *
 * so one that takes a tenth more gets half as much, twice the time 1 in 256,
 * and six times the time nothing. All to the fastest would be the herd that
 * fills its queue and its quota, and when its bad minute comes every call is
 * there; and the one that is second by a hair would never be measured. Power of
 * two choices, which others have, is for hundreds of servers: of three targets
 * it sends the slowest a ninth of all calls however slow it is (drawn twice),
 * or, drawn without return, the slowest none and the middle one a third.
 * The others follow, the fastest first: for failover and hedges. All of it
 * depends only on times' ratios.
 *
 * Exploration. A target of which nothing is known is asked at once, by one call
 * at a time and one in a second; while nothing is known of any, all in turn. Of
 * 64 calls one goes to the target that was not asked for longest, if that is 30
 * s or more, to learn whether it has become fast; not while an attempt there is
 * still silent. So a target that is ten times as slow costs at most one in 64
 * calls, and two calls a minute. */

typedef struct inf_route_time {
  uint64_t expected_ns; /* inf_outlook_ns(); 0: not known */
  uint64_t asked_ns;    /* when a call last chose it; 0: never */
  uint32_t waiting;     /* attempts there that are silent */
} inf_route_time;

/* Fills order with 0..count-1. count: at most INF_ROUTE_MOST. */
void inf_route_latency(const inf_route_time *times, size_t count,
                       uint64_t now_ns, inf_rng *rng, size_t *order);
/* The same without exploration and chance: what is most likely. */
void inf_route_by_time(const inf_route_time *times, size_t count,
                       size_t *order);

#endif
