/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_PLAN_H
#define INF_ENGINE_PLAN_H

#include "engine/health.h"
#include "engine/hedger.h"
#include "engine/meter.h"
#include "engine/request.h"
#include "engine/runtime.h"

/* Which targets a request may go to, in which order and why. The same answer
 * serves a call and its dry run, so that the dry run cannot lie. */
typedef struct inf_plan_item {
  const inf_target_config *target;
  int32_t status; /* INFER_OK, or the class that keeps it out */
  /* INFER_E_NO_TARGET: the label that is missing (borrowed). */
  const char *missing_label;
  const char *lacking; /* INFER_E_NO_TARGET: what else; static (ability.h) */
  inf_breaker_view breaker; /* see inf_plan_foresee() */
  inf_meter_verdict limit;  /* see inf_plan_foresee_limits() */
} inf_plan_item;

/* Fills items (room for route->target_count) in the order in which they would
 * be tried: those that may be, then the others. Returns how many may be. */
size_t inf_plan_make(inf_plan_item *items, const inf_route_config *route,
                     const struct infer_request *request, inf_runtime *runtime,
                     uint64_t now_ns);
/* For the dry run: what the breakers of the first `usable` items say, and these
 * in the order in which a call would be sent to them now: those whose breaker
 * is open come last; where all are, the times are those of a last resort. (A
 * call keeps the route's order. The gate moves it, so
 * that what is open gets its probes.) */
void inf_plan_foresee(inf_plan_item *items, size_t usable, inf_runtime *runtime,
                      uint64_t now_ns);
/* For the dry run: what the limits of the first `usable` items say to one more
 * request, with the key for which they say best. */
void inf_plan_foresee_limits(inf_plan_item *items, size_t usable,
                             inf_runtime *runtime, uint64_t now_ns);
/* For the dry run: does a call of the route that may go to the first `usable`
 * items, beginning with the first of them, get a hedge? */
typedef enum inf_plan_hedges {
  INF_PLAN_NO_HEDGES,   /* the route has none */
  INF_PLAN_HEDGES,      /* by the forecast */
  INF_PLAN_RUN_ONCE,    /* the request may not be sent twice */
  INF_PLAN_ONE_ATTEMPT, /* its retries do not allow two attempts */
} inf_plan_hedges;
inf_plan_hedges inf_plan_foresee_hedge(const inf_plan_item *items,
                                       size_t usable,
                                       const inf_route_config *route,
                                       const struct infer_request *request,
                                       inf_runtime *runtime,
                                       inf_hedge_forecast *forecast);
/* Does the provider have all labels that route and request require? NULL, or
 * the first that is missing. This is the one place where labels decide; every
 * attempt asks here again before it is sent. */
const char *inf_plan_missing_label(const inf_provider_config *provider,
                                   const inf_route_config *route,
                                   const struct infer_request *request);

#endif
