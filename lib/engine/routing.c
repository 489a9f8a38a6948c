/* SPDX-License-Identifier: MIT */
/* The order of targets by the route's strategy; see routing.h. */
#include "engine/routing.h"

#include "engine/prompt.h"
#include "engine/runtime_state.h"
#include "policy/hedge.h"
#include "policy/route_cost.h"
#include "policy/route_latency.h"

enum { bytes_per_token = 4, usual_answer_tokens = 256 };

uint32_t
inf_routing_bucket(const struct infer_request *request)
{
  return inf_hedge_bucket(request->chat.messages.len / bytes_per_token);
}

void
inf_routing_seed(inf_runtime *runtime, uint64_t seed)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_rng_seed(&runtime->routing_rng, seed);
  pthread_mutex_unlock(&runtime->mutex);
}

/* What the strategies go by. The lock is held. */
typedef struct situation {
  const inf_plan_item *items;
  size_t count;
  const inf_route_config *route;
  const struct infer_request *request;
  inf_runtime *runtime;
  uint64_t now_ns;
  bool drawn;
} situation;

/* ---- Weights ------------------------------------------------------------- */

/* Whom the call is for, by the route's "sticky"; empty: nobody that is known.
 */
static inf_sv
who_asks(const situation *at)
{
  const char *sticky = at->route->sticky;
  const struct infer_request *request = at->request;
  if (!sticky)
    return INF_SV("");
  if (sticky[0] == 't' && sticky[1] == 'e') /* "tenant", not "tag:" */
    return inf_sv_from(request->tenant);
  for (size_t i = 0; i < request->tag_count; i++)
    if (strcmp(request->tags[i].name, sticky + 4) == 0)
      return inf_sv_from(request->tags[i].value);
  return INF_SV("");
}

/* Heaviest first. */
static void
order_by_weight(const inf_route_share *shares, size_t count, size_t *order)
{
  for (size_t i = 0; i < count; i++) {
    size_t at = i;
    for (; at > 0 && shares[i].weight > shares[order[at - 1]].weight; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
}

static void
order_weighted(const situation *at, size_t *order)
{
  inf_route_share shares[INF_ROUTE_MOST];
  for (size_t i = 0; i < at->count; i++) {
    const inf_target_config *target = at->items[i].target;
    shares[i] = (inf_route_share){inf_route_id(inf_sv_from(target->name)),
                                  (uint32_t)target->weight};
  }
  inf_sv who = who_asks(at);
  if (who.len > 0)
    inf_route_weighted(shares, at->count,
                       inf_route_sticky_key(inf_sv_from(at->route->name), who),
                       order);
  else if (at->drawn)
    inf_route_weighted(shares, at->count,
                       inf_rng_next(&at->runtime->routing_rng), order);
  else
    order_by_weight(shares, at->count, order);
}

/* ---- Time and cost ------------------------------------------------------- */

static inf_target_state *
state_of(const situation *at, size_t i)
{
  const char *name = at->items[i].target->name;
  return at->drawn ? inf_runtime_target_locked(at->runtime, name)
                   : inf_runtime_known_locked(at->runtime, name);
}

static inf_route_time
time_of(const situation *at, size_t i)
{
  inf_target_state *state = state_of(at, i);
  if (!state)
    return (inf_route_time){0};
  if (at->drawn)
    inf_outlook_note(&state->outlook, at->now_ns);
  return (inf_route_time){
      .expected_ns = inf_outlook_ns(
          &state->outlook, inf_routing_bucket(at->request), at->now_ns),
      .asked_ns = state->outlook.asked_ns,
      .waiting = state->outlook.waiting,
  };
}

/* It is asked by the loop, a little later. */
static void
note_choice(const situation *at, size_t first)
{
  inf_target_state *state = state_of(at, first);
  if (state)
    inf_outlook_choose(&state->outlook, at->now_ns);
}

/* Of whole bodies no time is learned: to explore them is no use, and among
 * themselves they stay as they are. */
static inf_route_time
time_for_latency(const situation *at, size_t i)
{
  const inf_route_time whole = {.asked_ns = at->now_ns};
  return at->items[i].target->upstream == INF_UPSTREAM_UNARY ? whole
                                                             : time_of(at, i);
}

static void
order_by_latency(const situation *at, size_t *order)
{
  inf_route_time times[INF_ROUTE_MOST];
  for (size_t i = 0; i < at->count; i++)
    times[i] = time_for_latency(at, i);
  if (!at->drawn) {
    inf_route_by_time(times, at->count, order);
    return;
  }
  inf_route_latency(times, at->count, at->now_ns, &at->runtime->routing_rng,
                    order);
  note_choice(at, order[0]);
}

/* The answer is as long as the request allows, but no longer than usual. */
static inf_route_cost_call
cost_call(const situation *at)
{
  uint64_t most = inf_prompt_max_tokens(at->request);
  int64_t bound_ms = at->route->params.cost_max_first_token_ms;
  return (inf_route_cost_call){
      .prompt_tokens = at->request->chat.messages.len / bytes_per_token,
      .answer_tokens =
          most > 0 && most < usual_answer_tokens ? most : usual_answer_tokens,
      .bound_ns = (uint64_t)bound_ms * INF_NS_PER_MS,
  };
}

static void
order_by_cost(const situation *at, size_t *order)
{
  inf_route_offer offers[INF_ROUTE_MOST];
  inf_route_cost_call call = cost_call(at);
  for (size_t i = 0; i < at->count; i++) {
    const inf_target_state *state = state_of(at, i);
    inf_route_time time = time_of(at, i);
    offers[i] = (inf_route_offer){
        .price = at->items[i].target->price,
        .expected_ns = time.expected_ns,
        .asked_ns = time.asked_ns,
        .waiting = time.waiting,
        .was_fast = state && state->was_fast_ns == call.bound_ns,
    };
  }
  if (!at->drawn) {
    inf_route_by_cost(offers, at->count, &call, at->now_ns, order);
    return;
  }
  inf_route_cost(offers, at->count, &call, at->now_ns,
                 &at->runtime->routing_rng, order);
  note_choice(at, order[0]);
  for (size_t i = 0; i < at->count; i++) {
    inf_target_state *state = state_of(at, i);
    if (state && offers[i].was_fast)
      state->was_fast_ns = call.bound_ns;
    else if (state && state->was_fast_ns == call.bound_ns)
      state->was_fast_ns = 0;
  }
}

/* ---- All ----------------------------------------------------------------- */

static void
order_locked(const situation *at, size_t *order)
{
  switch ((inf_strategy)at->route->params.strategy) {
  case INF_STRATEGY_WEIGHTED:
    order_weighted(at, order);
    return;
  case INF_STRATEGY_LATENCY:
    order_by_latency(at, order);
    return;
  case INF_STRATEGY_COST:
    order_by_cost(at, order);
    return;
  case INF_STRATEGY_ORDER:
    break;
  }
  for (size_t i = 0; i < at->count; i++)
    order[i] = i;
}

/* Along the cycles of the permutation, so that no second array is needed. */
static void
permute(inf_plan_item *items, size_t *order, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    inf_plan_item first = items[i];
    size_t at = i;
    while (order[at] != i) {
      size_t from = order[at];
      items[at] = items[from];
      order[at] = at;
      at = from;
    }
    items[at] = first;
    order[at] = at;
  }
}

void
inf_routing_order(inf_plan_item *items, size_t usable,
                  const inf_route_config *route,
                  const struct infer_request *request, inf_runtime *runtime,
                  uint64_t now_ns, bool drawn)
{
  if (usable < 2 || usable > INF_ROUTE_MOST ||
      route->params.strategy == INF_STRATEGY_ORDER)
    return;
  situation at = {items, usable, route, request, runtime, now_ns, drawn};
  size_t order[INF_ROUTE_MOST];
  pthread_mutex_lock(&runtime->mutex);
  order_locked(&at, order);
  pthread_mutex_unlock(&runtime->mutex);
  permute(items, order, usable);
}
