# SPDX-License-Identifier: MIT
# Bugs in the rate limiter: lib/policy/gcra, lows, limit. See bugs.cmake.

infer_bug(300 policy/gcra.c
  "unit/test_gcra unit/test_limit simulation/limit_steps"
  "a call that used less than reserved lets a second burst through: 429s"
  [[  if (by > lowest)
    by = lowest;]]
  [[  (void)lowest;
  if (by > gcra->debt)
    by = gcra->debt;]])

infer_bug(301 policy/gcra.c
  "unit/test_gcra simulation/limit_steps"
  "a wait ends a nanosecond early: the call is woken to be refused again"
  [[  inf_u128 wait_ns = (debt - most - 1) / gcra->rate.limit + 1;]]
  [[  inf_u128 wait_ns = (debt - most) / gcra->rate.limit;]])

infer_bug(302 policy/gcra.c
  "unit/test_gcra"
  "a time that is read out of order refills the bucket twice"
  [[  if (now_ns > gcra->seen_ns)
    gcra->seen_ns = now_ns;]]
  [[  gcra->seen_ns = now_ns;]])

infer_bug(303 policy/lows.c
  "unit/test_lows simulation/limit_steps"
  "under long load more is given back than was free"
  [[      lows->mark[kept - 1] = lows->mark[i];]]
  [[      lows->mark[kept - 1] = lows->mark[i];
      lows->value[kept - 1] = lows->value[i];]])

infer_bug(304 policy/lows.c
  "unit/test_lows unit/test_gcra simulation/limit_steps"
  "two calls that used less are given the same free units back"
  [[    lows->value[i] -= by;]]
  [[    lows->value[i] -= 0 * by;]])

infer_bug(305 policy/lows.c
  "unit/test_lows simulation/limit_steps"
  "a correction hides an earlier low: more is given back than was free"
  [[  while (first > 0 && lows->value[first - 1] >= lows->value[first])
    drop(lows, --first);]]
  [[  while (first > lows->count)
    drop(lows, --first);]])

infer_bug(306 policy/limit.c
  "unit/test_limit simulation/limit_steps"
  "a reservation that is settled twice is given back twice"
  [[  if (!reservation->open)
    return false;]]
  [[]])

infer_bug(307 policy/limit.c
  "unit/test_limit simulation/limit_steps"
  "a call waits for the last dimension only, and is refused again"
  [[    if (at_ns > verdict.at_ns)]]
  [[    if (at_ns > now_ns)]])

infer_bug(308 policy/limit.c
  "unit/test_limit"
  "after a reload, the limit of a day has the debt of that of a minute"
  [[    if (dimension->kind == kind && dimension->gcra.rate.period_ns == period_ns)]]
  [[    (void)period_ns;
    if (dimension->kind == kind)]])

infer_bug(309 policy/limit.c
  "unit/test_limit simulation/limit_steps"
  "every reload of the configuration fills all buckets"
  [[    if (old != INF_LIMIT_NONE) {]]
  [[    if (old == i && rule->limit == before.dimension[i].gcra.rate.limit) {]])

infer_bug(310 policy/gcra.c
  "unit/test_gcra simulation/limit_steps"
  "a larger limit counts for the time before it was there"
  [[  advance(gcra, now_ns);
  uint64_t from = gcra->rate.period_ns;]]
  [[  (void)now_ns;
  uint64_t from = gcra->rate.period_ns;]])

infer_bug(311 policy/gcra.c
  "unit/test_gcra simulation/limit_steps"
  "what the provider says is left grows by calls from before it said so"
  [[  if (debt > gcra->debt)
    raise_debt(gcra, debt - gcra->debt, mark);
  else
    gcra->debt = debt;]]
  [[  (void)mark;
  gcra->debt = debt;]])

infer_bug(312 policy/limit.c
  "unit/test_limit simulation/limit_steps"
  "tokens beyond the estimate are never counted: 429s under load"
  [[    inf_gcra_take(&dimension->gcra, actual - reserved, mark, now_ns);]]
  [[    (void)mark;]])

infer_bug(313 policy/limit.c
  "unit/test_limit simulation/limit_steps"
  "one call more runs at the same time than the provider allows"
  [[  if (limiter->open >= usable) {]]
  [[  if (limiter->open > usable) {]])

infer_bug(314 policy/limit.c
  "unit/test_limit simulation/limit_steps"
  "the requests of calls that failed are not counted, but the provider does"
  [[  inf_limit_cost actual = {reservation->cost.requests, input_tokens,]]
  [[  inf_limit_cost actual = {0 * reservation->cost.requests, input_tokens,]])
