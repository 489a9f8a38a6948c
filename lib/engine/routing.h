/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_ROUTING_H
#define INF_ENGINE_ROUTING_H

#include "engine/plan.h"

/* The order of a route's targets by its strategy: what policy/route_*.h decide,
 * with what is known of each target (policy/outlook.h). The outlook stands in
 * the runtime beside the breaker, whose attempts feed it (health.h), and so
 * outlives configurations; it is learned whatever the strategy, so that a
 * reload to another one begins with knowledge. Attempts that are answered in
 * one piece have no first content, and their targets no outlook.
 *
 * All functions take the runtime's lock; any thread. */

/* The length of its prompt, as inf_hedge_bucket(): four bytes a token. */
uint32_t inf_routing_bucket(const struct infer_request *request);

/* Once, before the first call: what chance is drawn from. */
void inf_routing_seed(inf_runtime *runtime, uint64_t seed);

/* Puts the first `usable` items into the order of the route's strategy. For a
 * call; for the dry run (drawn false) in the most likely one, and nothing is
 * changed. */
void inf_routing_order(inf_plan_item *items, size_t usable,
                       const inf_route_config *route,
                       const struct infer_request *request,
                       inf_runtime *runtime, uint64_t now_ns, bool drawn);

#endif
