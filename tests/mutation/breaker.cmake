# SPDX-License-Identifier: MIT
# Bugs in lib/policy: breaker, lateness, retry budget. See bugs.cmake.

infer_bug(340 policy/breaker.c
  "unit/test_breaker"
  "an answer begun before the outage counts after it: a stale success closes"
  [[  if (attempt->epoch == breaker->epoch)
    return false;
  breaker->stale++;
  attempt->phase = phase_none;
  return true;]]
  [[  return false;]])

infer_bug(341 policy/breaker.c
  "unit/test_breaker"
  "every request after the first good probe is a probe: a storm"
  [[  if (breaker->follow_up != follow_none)
    return;
  breaker->follow_up = follow_due;]]
  [[]])

infer_bug(342 policy/breaker.c
  "unit/test_breaker"
  "a probe that hangs keeps the target shut for ever"
  [[  return now_ns >= breaker->give_up_ns ||]]
  [[  return (!last_resort && now_ns == INF_NEVER) ||]])

infer_bug(343 policy/breaker.c
  "unit/test_breaker"
  "all requests that were told of a due probe are sent as one: a storm"
  [[  if (probe && (breaker->state != INF_BREAKER_OPEN ||
                now_ns < probe_due_ns(breaker, true, now_ns)))
    return false;]]
  [[  if (probe && breaker->state != INF_BREAKER_OPEN)
    return false;]])

infer_bug(344 policy/breaker.c
  "unit/test_breaker"
  "an attempt that hangs and then times out counts twice"
  [[    weight = at_least_zero(weight - weigh(soft_percent));]]
  [[]])

infer_bug(345 policy/breaker.c
  "unit/test_breaker"
  "slow answers that come after all leave evidence of an outage behind"
  [[  if (attempt->overdue)
    breaker->evidence -= settle_overdue(breaker, attempt);
  if (!only_probes_count(breaker))]]
  [[  if (attempt->overdue)
    settle_overdue(breaker, attempt);
  if (!only_probes_count(breaker))]])

infer_bug(346 policy/breaker.c
  "unit/test_breaker"
  "the withdrawal of an attempt takes away evidence of real failures"
  [[  if (breaker->soft > breaker->evidence)
    breaker->soft = breaker->evidence;]]
  [[]])

infer_bug(347 policy/breaker.c
  "unit/test_breaker"
  "a target that comes and goes is asked every two seconds, for days"
  [[  if (breaker->interval_ns == 0)
    breaker->interval_ns =]]
  [[  breaker->interval_ns =]])

infer_bug(348 policy/breaker.c
  "unit/test_breaker"
  "a target that has just come back gets all requests again at once"
  [[    if (last_resort || draw < stage_percent[breaker->stage])]]
  [[    if (last_resort || draw < 100)]])

infer_bug(349 policy/breaker.c
  "unit/test_breaker"
  "a renewed failure does not slow the return down"
  [[    breaker->stage = 0;
    breaker->goods = 0;
  }
  judge]]
  [[    breaker->goods = 0;
  }
  judge]])

infer_bug(350 policy/breaker.c
  "unit/test_breaker"
  "a burst of calls opens the breaker of a healthy target"
  [[  int64_t hoped = breaker->young * inf_breaker_success / young_divisor;]]
  [[  int64_t hoped = 0;]])

infer_bug(351 policy/breaker.c
  "unit/test_breaker"
  "answers break off, yet their first contents bring the target back"
  [[  bool at_end = breaker->cause == INF_BREAKER_CUT;]]
  [[  bool at_end = false;]])

infer_bug(352 policy/breaker.c
  "unit/test_breaker"
  "the only target is slow: all calls are refused"
  [[  if (last_resort && cause == INF_BREAKER_SLOW)]]
  [[  if (last_resort && cause == INF_BREAKER_NO_CAUSE)]])

infer_bug(353 policy/breaker.c
  "unit/test_breaker"
  "calls cancelled before their first content hide an outage from then on"
  [[  leave_young(breaker, attempt);
  end_probe(breaker, attempt);]]
  [[  if (outcome != INF_BREAKER_ENDED_BY_US)
    leave_young(breaker, attempt);
  end_probe(breaker, attempt);]])

infer_bug(354 policy/lateness.c
  "unit/test_lateness"
  "one freak among the first answers hides slowness for a day"
  [[    lateness->usual_ns = lateness->largest_ns;
    lateness->largest_ns = sample_ns;]]
  [[    lateness->usual_ns = sample_ns;
    lateness->largest_ns = sample_ns;]])

infer_bug(355 policy/lateness.c
  "unit/test_lateness"
  "half of the answers of a fast target are late"
  [[  return late_ns > late_floor_ns ? late_ns : late_floor_ns;]]
  [[  return late_ns;]])

infer_bug(356 policy/retry_budget.c
  "unit/test_retry_budget"
  "a claim is given back twice: the budget grows without a success"
  [[  inf_retry_budget_spend(claim);
}]]
  [[}]])

infer_bug(357 policy/retry_budget.c
  "unit/test_retry_budget"
  "a refusal by the target's budget empties the client's"
  [[    (why == client_empty ? client : target)->denied++;]]
  [[    (why == client_empty ? client : target)->denied++;
    if (why == target_empty)
      take(client, client_price);]])

infer_bug(358 policy/retry_budget.c
  "unit/test_retry_budget"
  "after a week of health an outage is retried a hundred thousand times"
  [[  if (budget->balance > cap - amount)
    budget->balance = cap;
  else
    budget->balance += amount;]]
  [[  (void)cap;
  budget->balance += amount;]])

infer_bug(359 policy/retry_budget.c
  "unit/test_retry_budget"
  "retries of a failing target use up what failovers need"
  [[  int32_t kept = use == INF_RETRY_BUDGET_STAY ? budget->params->reserve : 0;]]
  [[  int32_t kept = 0 * (int32_t)use;]])
