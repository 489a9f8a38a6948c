/* SPDX-License-Identifier: MIT */
#include "players.h"

#include "base/clock.h"
#include "policy/route_latency.h"

#include <math.h>
#include <string.h>

const char *const player_names[PLAYER_KINDS] = {
    "libinfer",     "libinfer_unhedged", "fixed",
    "fixed_hedged", "peak_ewma_p2c",     "peak_ewma_best",
};

static const int64_t call_cost = 1000000;

void
player_init(player *at, player_kind kind, double share, double budget,
            uint64_t seed)
{
  memset(at, 0, sizeof *at);
  at->kind = kind;
  at->budget = budget;
  inf_rng_seed(&at->rng, seed);
  at->room.cap_bytes = 1 << 20;
  for (int i = 0; i < fleet_size; i++) {
    inf_series_init(&at->series[i], &at->room);
    at->late_ns[i] = INF_NEVER;
    at->asked[i] = 1.0 / fleet_size;
  }
  at->params = inf_hedge_defaults;
  at->params.share = share;
  /* The plan spends four fifths; the rest is there for bad minutes, when more
   * calls than usual need a hedge at once. */
  at->params.budget = 0.8 * budget;
  inf_hedge_init(&at->hedge, &at->params);
  inf_hedge_budget_init(&at->money, budget);
}

void
player_fini(player *at)
{
  for (int i = 0; i < fleet_size; i++)
    inf_series_fini(&at->series[i]);
}

bool
player_hedges(const player *at)
{
  return at->kind == PLAYER_SHIPPED || at->kind == PLAYER_FIXED_HEDGED;
}

/* ---- Routing of others --------------------------------------------------- */

/* Finagle's LoadBalancerFactory, 10 s: a larger time replaces the average, a
 * smaller one moves it by how long ago the last was; and with no answer at all
 * it decays. */
static void
peak_observe(peak *one, double time_s, uint64_t now_ns)
{
  double keep = exp(-(double)(now_ns - one->at_ns) / 10e9);
  one->at_ns = now_ns;
  one->cost_s =
      time_s > one->cost_s ? time_s : one->cost_s * keep + time_s * (1 - keep);
}

/* While nothing is known, a call under way is a penalty. */
static double
peak_load(const peak *one, uint64_t now_ns)
{
  peak now = *one;
  peak_observe(&now, 0, now_ns);
  if (now.cost_s == 0 && now.pending > 0)
    return 1e9 + now.pending;
  return now.cost_s * (now.pending + 1);
}

static void
order_by_load(player *at, uint64_t now_ns, size_t *order)
{
  double loads[fleet_size];
  for (size_t i = 0; i < fleet_size; i++) {
    loads[i] = peak_load(&at->peaks[i], now_ns);
    size_t place = i;
    for (; place > 0 && loads[i] < loads[order[place - 1]]; place--)
      order[place] = order[place - 1];
    order[place] = i;
  }
}

static void
to_front(size_t *order, size_t place)
{
  size_t moved = order[place];
  for (; place > 0; place--)
    order[place] = order[place - 1];
  order[0] = moved;
}

/* Of two that are drawn the less loaded: the last is never, the second one is
 * where the first was not drawn. */
static void
order_peak(player *at, uint64_t now_ns, size_t *order)
{
  order_by_load(at, now_ns, order);
  if (at->kind == PLAYER_PEAK_EWMA && inf_rng_below(&at->rng, fleet_size) == 0)
    to_front(order, 1);
  if (at->kind == PLAYER_PEAK_BEST && inf_rng_below(&at->rng, 100) == 0)
    to_front(order, inf_rng_below(&at->rng, fleet_size));
}

/* ---- Routing ------------------------------------------------------------- */

static void
times_of(const player *at, uint64_t now_ns, inf_route_time *times)
{
  for (int i = 0; i < fleet_size; i++)
    times[i] = (inf_route_time){.expected_ns =
                                    inf_outlook_ns(&at->outlooks[i], 0, now_ns),
                                .asked_ns = at->outlooks[i].asked_ns,
                                .waiting = at->outlooks[i].waiting};
}

void
player_order(player *at, uint64_t now_ns, size_t *order)
{
  inf_route_time times[fleet_size];
  switch (at->kind) {
  case PLAYER_SHIPPED:
  case PLAYER_UNHEDGED:
    for (int i = 0; i < fleet_size; i++)
      inf_outlook_note(&at->outlooks[i], now_ns);
    times_of(at, now_ns, times);
    inf_route_latency(times, fleet_size, now_ns, &at->rng, order);
    return;
  case PLAYER_PEAK_EWMA:
  case PLAYER_PEAK_BEST:
    order_peak(at, now_ns, order);
    return;
  case PLAYER_FIXED:
  case PLAYER_FIXED_HEDGED:
  case PLAYER_KINDS:
    break;
  }
  for (size_t i = 0; i < fleet_size; i++)
    order[i] = i;
}

int
player_next(player *at, unsigned asked, uint64_t now_ns)
{
  size_t order[fleet_size];
  inf_route_time times[fleet_size];
  if (at->kind == PLAYER_SHIPPED || at->kind == PLAYER_UNHEDGED) {
    times_of(at, now_ns, times);
    inf_route_by_time(times, fleet_size, order);
  } else {
    player_order(at, now_ns, order);
  }
  for (int i = 0; i < fleet_size; i++)
    if (!(asked & 1u << order[i]))
      return (int)order[i];
  return -1;
}

/* ---- Legs ---------------------------------------------------------------- */

void
player_begin(player *at, leg *one, int member, bool first, uint64_t now_ns)
{
  one->member = member;
  one->began_ns = now_ns;
  at->peaks[member].pending++;
  inf_outlook_begin(&at->outlooks[member], &one->outlook, 0, now_ns);
  for (int i = 0; first && i < fleet_size; i++)
    at->asked[i] += ((i == member) - at->asked[i]) / 1000;
}

void
player_end(player *at, leg *one, inf_outlook_end_kind how, uint64_t now_ns)
{
  int member = one->member;
  uint64_t took_ns = now_ns - one->began_ns;
  at->peaks[member].pending--;
  peak_observe(&at->peaks[member], (double)took_ns / 1e9, now_ns);
  inf_outlook_end(&at->outlooks[member], &one->outlook, how, now_ns);
  if (!player_hedges(at))
    return;
  inf_slowdown_add(&at->slowdowns[member], took_ns >= at->late_ns[member]);
  if (inf_series_record(&at->series[member], took_ns,
                        how != INF_OUTLOOK_CONTENT))
    at->slowdowns[member] = (inf_slowdown){0};
}

/* ---- Hedging ------------------------------------------------------------- */

static bool
read_series(player *at)
{
  bool any = false, known = true;
  for (int i = 0; i < fleet_size; i++) {
    if (inf_series_is_due(&at->series[i])) {
      inf_series_read(&at->series[i], &at->survivals[i]);
      at->late_ns[i] = inf_survival_quantile(&at->survivals[i], 0.9);
      any = true;
    }
    known = known && inf_hedge_is_known(inf_series_events(&at->series[i]));
  }
  return any && (known || at->hedge.planned);
}

/* The calls of each member are a bucket of their own: one budget and one
 * percentile for all, and each has its own delay. */
static void
plan(player *at, uint64_t now_ns)
{
  if (!read_series(at))
    return;
  inf_single_r_bucket buckets[fleet_size];
  for (int i = 0; i < fleet_size; i++) {
    int other = player_next(at, 1u << i, now_ns);
    buckets[i] = (inf_single_r_bucket){&at->survivals[i], &at->survivals[other],
                                       at->asked[i], 1};
  }
  inf_single_r_problem problem = {.buckets = buckets, .count = fleet_size};
  inf_hedge_plan(&at->hedge, &problem, &at->money, &at->work);
}

uint64_t
player_arm(player *at, const leg *first, uint64_t now_ns)
{
  if (!player_hedges(at))
    return INF_NEVER;
  plan(at, now_ns);
  const inf_hedge_call call = {.bucket = (uint32_t)first->member};
  return inf_hedge_arm(&at->hedge, &call, &at->money, now_ns, &at->rng)
      .fire_at_ns;
}

bool
player_fire(player *at, int member, inf_hedge_claim *claim)
{
  return inf_hedge_fire(&at->hedge, &at->money,
                        member < 0 ? NULL : &at->slowdowns[member], call_cost,
                        claim, &at->rng) == INF_HEDGE_YES;
}

void
player_settle(player *at, inf_hedge_claim *claim, bool raced, bool won)
{
  if (!player_hedges(at))
    return;
  if (raced)
    inf_hedge_end(&at->hedge, won);
  inf_hedge_budget_settle(claim, call_cost);
  inf_hedge_budget_complete(&at->money, call_cost);
}
