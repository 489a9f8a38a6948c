/* SPDX-License-Identifier: MIT */
/* The order of targets and the hard filters over them. */
#include "engine/plan.h"

#include "engine/ability.h"
#include "policy/retry.h"

#include <string.h>

static bool
has_label(const inf_provider_config *provider, const char *label)
{
  for (size_t i = 0; i < provider->label_count; i++)
    if (strcmp(provider->labels[i], label) == 0)
      return true;
  return false;
}

const char *
inf_plan_missing_label(const inf_provider_config *provider,
                       const inf_route_config *route,
                       const struct infer_request *request)
{
  for (size_t i = 0; i < route->require_label_count; i++)
    if (!has_label(provider, route->require_labels[i]))
      return route->require_labels[i];
  for (size_t i = 0; i < request->label_count; i++)
    if (!has_label(provider, request->labels[i]))
      return request->labels[i];
  return NULL;
}

static inf_plan_item
judge(const inf_target_config *target, const inf_route_config *route,
      const struct infer_request *request, inf_runtime *runtime,
      uint64_t now_ns)
{
  inf_plan_item item = {.target = target, .status = INFER_OK};
  item.missing_label = inf_plan_missing_label(target->provider, route, request);
  if (!item.missing_label)
    item.lacking = inf_ability_lacking(target, route, request);
  if (item.missing_label || item.lacking)
    item.status = INFER_E_NO_TARGET;
  else
    inf_runtime_has_key(runtime, target->provider, now_ns, &item.status);
  return item;
}

size_t
inf_plan_make(inf_plan_item *items, const inf_route_config *route,
              const struct infer_request *request, inf_runtime *runtime,
              uint64_t now_ns)
{
  size_t usable = 0, refused = 0;
  for (size_t i = 0; i < route->target_count; i++) {
    inf_plan_item item =
        judge(&route->targets[i], route, request, runtime, now_ns);
    if (item.status == INFER_OK)
      items[usable++] = item;
    else
      items[route->target_count - ++refused] = item;
  }
  /* The refused ones were put down from the end: back into order. */
  for (size_t a = usable, b = route->target_count; a + 1 < b; a++) {
    b--;
    inf_plan_item item = items[a];
    items[a] = items[b];
    items[b] = item;
  }
  return usable;
}

void
inf_plan_foresee(inf_plan_item *items, size_t usable, inf_runtime *runtime,
                 uint64_t now_ns)
{
  size_t open = 0; /* so many of those that were looked at, at their end */
  for (size_t i = 0; i < usable; i++) {
    inf_plan_item item = items[i];
    item.breaker = inf_health_look(runtime, item.target->name, false, now_ns);
    size_t at = i;
    if (item.breaker.state == INF_BREAKER_OPEN)
      open++;
    else
      for (; at > i - open; at--)
        items[at] = items[at - 1];
    items[at] = item;
  }
  for (size_t i = 0; open == usable && i < usable; i++)
    items[i].breaker =
        inf_health_look(runtime, items[i].target->name, true, now_ns);
}

/* Fewer keys are usual; of more the first ones speak for all. */
enum { keys_max = 8 };

static inf_meter_verdict
look_at_limits(const inf_target_config *target, inf_runtime *runtime,
               uint64_t now_ns)
{
  size_t keys[keys_max] = {INF_KEY_NONE};
  size_t count =
      inf_runtime_keys(runtime, target->provider, now_ns, keys, keys_max);
  inf_meter_verdict best = inf_meter_look(runtime, target, keys[0], now_ns);
  for (size_t i = 1; i < count && best.what != INF_METER_GO; i++) {
    inf_meter_verdict other = inf_meter_look(runtime, target, keys[i], now_ns);
    if (other.what == INF_METER_GO || other.at_ns < best.at_ns)
      best = other;
  }
  return best;
}

void
inf_plan_foresee_limits(inf_plan_item *items, size_t usable,
                        inf_runtime *runtime, uint64_t now_ns)
{
  for (size_t i = 0; i < usable; i++)
    items[i].limit = look_at_limits(items[i].target, runtime, now_ns);
}

/* What a request says of the number of retries, else the route. */
static int64_t
retries_of(const inf_route_config *route, const struct infer_request *request)
{
  for (size_t i = 0; i < request->policy_count; i++)
    if (request->policy[i].offset == offsetof(inf_route_params, retries))
      return request->policy[i].value;
  return route->params.retries;
}

inf_plan_hedges
inf_plan_foresee_hedge(const inf_plan_item *items, size_t usable,
                       const inf_route_config *route,
                       const struct infer_request *request,
                       inf_runtime *runtime, inf_hedge_forecast *forecast)
{
  inf_route_params params = route->params;
  if (usable == 0 || params.hedge_budget == 0)
    return INF_PLAN_NO_HEDGES;
  if (request->run_once)
    return INF_PLAN_RUN_ONCE;
  params.retries = retries_of(route, request);
  if (inf_retry_allowance(&params, usable) < 2)
    return INF_PLAN_ONE_ATTEMPT;
  const inf_target_config *first = items[0].target;
  inf_latency_kind kind =
      first->upstream == INF_UPSTREAM_UNARY  ? INF_LATENCY_WHOLE
      : params.race_on == INF_RACE_ON_ANSWER ? INF_LATENCY_ANSWER
                                             : INF_LATENCY_CONTENT;
  uint32_t bucket =
      inf_hedge_bucket(request->chat.messages.len / INF_HEDGE_BYTES_PER_TOKEN);
  *forecast = inf_hedger_look(runtime, route->name, first->name, kind, bucket);
  return INF_PLAN_HEDGES;
}
