/* SPDX-License-Identifier: MIT */
#include "policy/hedge.h"

#include "base/clock.h"

#include <stddef.h>

const inf_hedge_params inf_hedge_defaults = {
    .share = 0.95, .budget = 0.05, .min_delay_ns = 0, .min_gain = 0.005};

enum { least_events = 30 };

static const uint64_t cold_delay_ns = 2 * INF_NS_PER_S;

static const char *const texts[INF_HEDGE_REASONS] = {
    [INF_HEDGE_YES] = "a hedge is sent",
    [INF_HEDGE_NO_PLAN] = "a hedge would not help",
    [INF_HEDGE_DRAWN] = "this call was drawn to have no hedge",
    [INF_HEDGE_RUN_ONCE] = "no hedge: the request may run only once",
    [INF_HEDGE_NOWHERE] = "no hedge: no target may take it",
    [INF_HEDGE_SLOWDOWN] = "no hedge: its target is slow as well",
    [INF_HEDGE_LOSES] = "no hedge: hedges hardly ever win",
    [INF_HEDGE_BUDGET] = "no hedge: its budget is used up",
};

const char *
inf_hedge_reason_text(inf_hedge_reason reason)
{
  return texts[reason];
}

/* ---- Slowdown ------------------------------------------------------------ */

void
inf_slowdown_add(inf_slowdown *slowdown, bool late)
{
  slowdown->late = slowdown->late << 1 | late;
}

bool
inf_slowdown_is(const inf_slowdown *slowdown)
{
  return __builtin_popcountll(slowdown->late) >= 24;
}

/* ---- The plan ------------------------------------------------------------ */

uint32_t
inf_hedge_bucket(uint64_t prompt_tokens)
{
  uint32_t bucket = 0;
  while (bucket < INF_SINGLE_R_BUCKETS - 1 && prompt_tokens > UINT64_C(256)
                                                                  << bucket)
    bucket++;
  return bucket;
}

void
inf_hedge_init(inf_hedge *hedge, const inf_hedge_params *params)
{
  *hedge = (inf_hedge){.params = params};
}

bool
inf_hedge_is_known(uint32_t events)
{
  return events >= least_events;
}

/* low to high, as the budget is empty to full. */
static double
by_level(const inf_hedge_budget *budget, double low, double high)
{
  return low + (high - low) * inf_hedge_budget_level(budget);
}

void
inf_hedge_plan(inf_hedge *hedge, inf_single_r_problem *problem,
               const inf_hedge_budget *budget, inf_single_r_work *work)
{
  const inf_hedge_params *params = hedge->params;
  problem->share = params->share;
  problem->budget = params->budget * by_level(budget, 0.98, 1.17);
  problem->min_delay_ns = params->min_delay_ns;
  problem->min_gain = params->min_gain;
  inf_single_r_solve(problem, work, &hedge->plan);
  hedge->planned = true;
}

/* ---- Decisions ----------------------------------------------------------- */

static uint64_t
max_of(uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

/* Before there is a plan: the deadline of the cold start. */
static inf_single_r_choice
choice_of(const inf_hedge *hedge, const inf_hedge_call *call)
{
  if (hedge->planned)
    return hedge->plan.buckets[call->bucket];
  uint64_t least_ns = max_of(cold_delay_ns, hedge->params->min_delay_ns);
  return (inf_single_r_choice){max_of(least_ns, 4 * call->connected_ns), 1};
}

static inf_hedge_reason
draw(const inf_hedge *hedge, const inf_hedge_call *call, double probability,
     const inf_hedge_budget *budget, inf_rng *rng)
{
  if (call->run_once)
    return INF_HEDGE_RUN_ONCE;
  if (probability <= 0)
    return INF_HEDGE_NO_PLAN;
  if (hedge->planned)
    probability *= by_level(budget, 1, 1.5);
  return inf_rng_double(rng) < probability ? INF_HEDGE_YES : INF_HEDGE_DRAWN;
}

inf_hedge_arming
inf_hedge_arm(inf_hedge *hedge, const inf_hedge_call *call,
              const inf_hedge_budget *budget, uint64_t now_ns, inf_rng *rng)
{
  inf_single_r_choice choice = choice_of(hedge, call);
  inf_hedge_reason reason = draw(hedge, call, choice.probability, budget, rng);
  if (reason == INF_HEDGE_YES)
    return (inf_hedge_arming){reason, inf_time_add(now_ns, choice.delay_ns)};
  hedge->suppressed[reason]++;
  return (inf_hedge_arming){reason, INF_NEVER};
}

static bool
hardly_wins(const inf_hedge *hedge)
{
  return hedge->raced >= 64 && __builtin_popcountll(hedge->wins) <= 1;
}

static inf_hedge_reason
judge(const inf_hedge *hedge, inf_hedge_budget *budget,
      const inf_slowdown *target, int64_t cost, inf_hedge_claim *claim,
      inf_rng *rng)
{
  if (target == NULL)
    return INF_HEDGE_NOWHERE;
  if (inf_slowdown_is(target))
    return INF_HEDGE_SLOWDOWN;
  if (hardly_wins(hedge) && inf_rng_below(rng, 8) > 0)
    return INF_HEDGE_LOSES;
  return inf_hedge_budget_claim(budget, claim, cost) ? INF_HEDGE_YES
                                                     : INF_HEDGE_BUDGET;
}

inf_hedge_reason
inf_hedge_fire(inf_hedge *hedge, inf_hedge_budget *budget,
               const inf_slowdown *target, int64_t cost, inf_hedge_claim *claim,
               inf_rng *rng)
{
  *claim = (inf_hedge_claim){0};
  inf_hedge_reason reason = judge(hedge, budget, target, cost, claim, rng);
  if (reason == INF_HEDGE_YES)
    hedge->sent++;
  else
    hedge->suppressed[reason]++;
  return reason;
}

void
inf_hedge_end(inf_hedge *hedge, bool won)
{
  hedge->wins = hedge->wins << 1 | won;
  if (hedge->raced < 64)
    hedge->raced++;
  hedge->won += won;
  hedge->lost += !won;
}
