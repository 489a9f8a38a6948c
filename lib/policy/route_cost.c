/* SPDX-License-Identifier: MIT */
/* The cheapest target that is fast enough; see route_cost.h. */
#include "policy/route_cost.h"

#include "base/clock.h"

enum { explore_one_in = 64 };

static const uint64_t unknown_again_ns = 1 * INF_NS_PER_S;
static const uint64_t known_again_ns = 30 * INF_NS_PER_S;

/* ---- Rank ---------------------------------------------------------------- */

typedef enum tier { CHEAP, UNPRICED, SLOW } tier;

typedef struct rank {
  tier tier;
  int64_t cost;
  uint64_t time_ns; /* not known: UINT64_MAX */
} rank;

/* Of which nothing is known: whether it is to be asked now. */
static bool
may_be_tried(const inf_route_offer *offer, uint64_t now_ns)
{
  return offer->waiting == 0 &&
         (offer->asked_ns == 0 || now_ns >= offer->asked_ns + unknown_again_ns);
}

static bool
is_fast(const inf_route_offer *offer, uint64_t bound_ns, uint64_t now_ns)
{
  if (bound_ns == 0)
    return true;
  if (offer->expected_ns == 0)
    return may_be_tried(offer, now_ns);
  uint64_t more_ns = offer->was_fast ? bound_ns / 10 : 0;
  return offer->expected_ns <= inf_time_add(bound_ns, more_ns);
}

static rank
rank_of(const inf_route_offer *offer, const inf_route_cost_call *call,
        uint64_t now_ns)
{
  rank mine = {.time_ns =
                   offer->expected_ns > 0 ? offer->expected_ns : UINT64_MAX};
  bool known = inf_price_is_known(&offer->price);
  mine.tier = !is_fast(offer, call->bound_ns, now_ns) ? SLOW
              : known                                 ? CHEAP
                                                      : UNPRICED;
  mine.cost = mine.tier != UNPRICED
                  ? inf_price_pico_usd(&offer->price, call->prompt_tokens,
                                       call->answer_tokens)
                  : 0;
  return mine;
}

static bool
is_before(const rank *a, const rank *b)
{
  if (a->tier != b->tier)
    return a->tier < b->tier;
  if (a->tier == SLOW && a->time_ns != b->time_ns)
    return a->time_ns < b->time_ns;
  if (a->cost != b->cost)
    return a->cost < b->cost;
  return a->time_ns < b->time_ns;
}

void
inf_route_by_cost(const inf_route_offer *offers, size_t count,
                  const inf_route_cost_call *call, uint64_t now_ns,
                  size_t *order)
{
  rank ranks[INF_ROUTE_MOST];
  for (size_t i = 0; i < count; i++) {
    rank mine = rank_of(&offers[i], call, now_ns);
    size_t at = i;
    for (; at > 0 && is_before(&mine, &ranks[at - 1]); at--) {
      order[at] = order[at - 1];
      ranks[at] = ranks[at - 1];
    }
    order[at] = i;
    ranks[at] = mine;
  }
}

/* ---- Exploration --------------------------------------------------------- */

/* The cheapest of those that are too slow and cheaper than the first choice,
 * and that nobody has asked for long; count: none. Its place in the order. */
static size_t
to_explore(const inf_route_offer *offers, const size_t *order, size_t count,
           const inf_route_cost_call *call, uint64_t now_ns)
{
  const inf_route_offer *first = &offers[order[0]];
  int64_t least = inf_price_pico_usd(&first->price, call->prompt_tokens,
                                     call->answer_tokens);
  size_t found = count;
  for (size_t i = 1; i < count; i++) {
    const inf_route_offer *offer = &offers[order[i]];
    if (is_fast(offer, call->bound_ns, now_ns) || offer->waiting > 0 ||
        now_ns < offer->asked_ns + known_again_ns)
      continue;
    int64_t cost = inf_price_pico_usd(&offer->price, call->prompt_tokens,
                                      call->answer_tokens);
    if (cost >= least)
      continue;
    least = cost;
    found = i;
  }
  return found;
}

void
inf_route_cost(inf_route_offer *offers, size_t count,
               const inf_route_cost_call *call, uint64_t now_ns, inf_rng *rng,
               size_t *order)
{
  if (count == 0)
    return;
  inf_route_by_cost(offers, count, call, now_ns, order);
  size_t at = to_explore(offers, order, count, call, now_ns);
  for (size_t i = 0; i < count; i++)
    offers[i].was_fast = offers[i].expected_ns > 0 &&
                         is_fast(&offers[i], call->bound_ns, now_ns);
  if (at == count || inf_rng_below(rng, explore_one_in) > 0)
    return;
  size_t moved = order[at];
  for (; at > 0; at--)
    order[at] = order[at - 1];
  order[0] = moved;
}
