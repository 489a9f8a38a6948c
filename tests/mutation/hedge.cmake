# SPDX-License-Identifier: MIT
# Bugs in hedging: series, curve, solver, budget, decision. See bugs.cmake.

infer_bug(460 base/survival.c
  "unit/test_survival"
  "cancelled attempts count as ends: the percentile drifts down"
  [[    uint32_t ended = events->counts[i], cancelled = censored->counts[i];]]
  [[    uint32_t ended = events->counts[i] + censored->counts[i];
    uint32_t cancelled = 0;]])

infer_bug(461 base/survival.c
  "unit/test_survival"
  "cancelled attempts are at risk for ever: slow answers look rare"
  [[    at_risk -= (double)ended + (double)cancelled;]]
  [[    at_risk -= (double)ended;]])

infer_bug(462 policy/series.c
  "unit/test_series"
  "a series whose room is full takes memory all the same"
  [[  if (room->used_bytes > room->cap_bytes ||
      room->cap_bytes - room->used_bytes < size)
    return NULL;]]
  [[]])

infer_bug(463 policy/series.c
  "unit/test_series"
  "hours of old times outvote a provider that has become slow"
  [[  if (since > 0)
    change(body, since, tail);]]
  [[]])

infer_bug(464 policy/hedge_budget.c
  "unit/test_hedge_budget"
  "a race that is settled twice pays the budget twice"
  [[  int64_t left = claim->amount - cost;
  *claim = (inf_hedge_claim){0};]]
  [[  int64_t left = claim->amount - cost;]])

infer_bug(465 policy/hedge_budget.c
  "unit/test_hedge_budget"
  "a quiet night saves up a thousand hedges"
  [[  budget->balance += amount < room ? amount : room;]]
  [[  (void)room;
  budget->balance += amount;]])

infer_bug(466 policy/hedge_budget.c
  "unit/test_hedge_budget"
  "many hedges at once: each sees the same balance"
  [[  budget->balance -= cost;
  budget->granted++;]]
  [[  budget->granted++;]])

infer_bug(467 policy/hedge_budget.c
  "unit/test_hedge_budget"
  "calls that cost less than twenty units pay in nothing"
  [[  budget->rest = part % million;]]
  [[  budget->rest = 0;]])

infer_bug(468 policy/hedge.c
  "unit/test_hedge"
  "a request that may run only once is sent twice"
  [[  if (call->run_once)
    return INF_HEDGE_RUN_ONCE;]]
  [[]])

infer_bug(469 policy/hedge.c
  "unit/test_hedge"
  "hedges that never win are never tried again"
  [[  if (hardly_wins(hedge) && inf_rng_below(rng, 8) > 0)]]
  [[  if (hardly_wins(hedge))]])

infer_bug(470 policy/hedge.c
  "unit/test_hedge"
  "hedges are sent into a provider that is slow itself"
  [[  if (inf_slowdown_is(target))
    return INF_HEDGE_SLOWDOWN;]]
  [[]])

infer_bug(471 policy/single_r.c
  "unit/test_single_r"
  "the hedge always waits for the 95th percentile: p95 gains nothing"
  [[  return cost > budget ? budget / cost : 1;]]
  [[  return cost > budget ? 0 : 1;]])

infer_bug(472 policy/single_r.c
  "unit/test_single_r"
  "long prompts are hedged as if they cost what short ones do"
  [[.cost = (float)(weight * bucket->cost *]]
  [[.cost = (float)(weight *]])

infer_bug(473 policy/single_r.c
  "unit/test_single_r"
  "money is spent on hedges that cannot help"
  [[  plan->hedges = is_worth_it(problem, plan);]]
  [[  plan->hedges = plan->cost > 0;]])

infer_bug(474 policy/single_r.c
  "unit/test_single_r"
  "a hedge is sent sooner than the network can answer"
  [[  uint64_t least_ns = at->problem->min_delay_ns;]]
  [[  uint64_t least_ns = 0;]])

infer_bug(475 base/histogram.c
  "unit/test_histogram"
  "after halving, quantiles are taken of a total that is gone"
  [[    histogram->total += histogram->counts[i];
  }
}

void
inf_histogram_clear]]
  [[    histogram->total += 1;
  }
}

void
inf_histogram_clear]])

infer_bug(486 policy/series.c
  "unit/test_series"
  "after a shift the tail is learned anew, from three times in three hundred"
  [[  guess = 1500,]]
  [[  guess = 20,]])

infer_bug(487 policy/series.c
  "unit/test_series"
  "after a shift the tail of yesterday outvotes an answer that has none"
  [[  return square * (double)times->count > distance * distance;]]
  [[  return square > distance * distance;]])

infer_bug(488 policy/series.c
  "unit/test_series"
  "each fit of the scale counts what was seen since the shift once more"
  [[  remove_ring(body, body->after, &body->slow);]]
  [[  (void)remove_ring;]])

infer_bug(489 policy/series.c
  "unit/test_series"
  "the scale of a shift stays what its first thirty times said"
  [[  body->next_fit = kept && since < INF_SERIES_RING ? first_fit : 0;]]
  [[  body->next_fit = 0;]])

infer_bug(490 policy/single_r.c
  "unit/test_single_r"
  "a hedge is planned for a time at which the answer was to be there"
  [[    if (delay_ns >= at->t_ns)
      continue;]]
  [[]])
