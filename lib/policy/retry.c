/* SPDX-License-Identifier: MIT */
/* The retry and failover decision. Constants:
 *
 * Backoff, first wait: uniform in 50..250 ms (design 3.1). Each further wait
 * on one target doubles the upper end, up to 8 s, the cap of the OpenAI SDK:
 * full jitter over an exponential window needs the least total work of the
 * known schemes (AWS architecture blog, "Exponential backoff and jitter").
 *
 * Hint: the provider's wait is a floor; a fifth of it is added at random on
 * top, so that clients that were refused together do not return together.
 * Above 120 s a hint means "not here": the OpenAI SDK's rule.
 *
 * Loading: a model takes from seconds to some ten minutes. A wait that is a
 * share of the time gone by asks 8 * ln(10) = 18 times for each tenfold time,
 * and comes late by that share at most: an eighth. Under a second nobody would
 * notice; the cap of 30 s is that of a breaker's probes. The wait is drawn from
 * its upper half, so that calls that began together part. */
#include "policy/retry.h"

#include "base/clock.h"
#include "infer/infer.h"
#include "policy/failure_table.h"

const uint64_t inf_retry_backoff_low_ns = 50 * INF_NS_PER_MS;
const uint64_t inf_retry_backoff_high_ns = 250 * INF_NS_PER_MS;
const uint64_t inf_retry_hint_cap_ns = 120 * INF_NS_PER_S;

const uint64_t inf_retry_loading_low_ns = 250 * INF_NS_PER_MS;
const uint64_t inf_retry_loading_cap_ns = 30 * INF_NS_PER_S;

static const uint64_t loading_divisor = 8;
static const uint64_t backoff_cap_ns = 8 * INF_NS_PER_S;
static const uint64_t hint_jitter_divisor = 5;

uint32_t
inf_retry_allowance(const inf_route_params *params, size_t target_count)
{
  return (uint32_t)(1 + (uint64_t)params->retries + target_count - 1);
}

static uint64_t
draw_backoff_ns(uint32_t stays, inf_rng *rng)
{
  uint64_t high_ns = inf_retry_backoff_high_ns;
  for (uint32_t i = 0; i < stays && high_ns < backoff_cap_ns; i++)
    high_ns *= 2;
  if (high_ns > backoff_cap_ns)
    high_ns = backoff_cap_ns;
  return inf_rng_between(rng, inf_retry_backoff_low_ns, high_ns);
}

/* For a target that says that its model is being loaded. */
static uint64_t
draw_loading_ns(inf_retry_target *target, uint64_t now_ns, inf_rng *rng)
{
  if (target->loading_ns == 0)
    target->loading_ns = now_ns;
  uint64_t high_ns = (now_ns - target->loading_ns) / loading_divisor;
  if (high_ns < 2 * inf_retry_loading_low_ns)
    high_ns = 2 * inf_retry_loading_low_ns;
  if (high_ns > inf_retry_loading_cap_ns)
    high_ns = inf_retry_loading_cap_ns;
  return inf_rng_between(rng, high_ns / 2, high_ns);
}

static uint64_t
draw_hint_ns(uint64_t hint_ns, inf_rng *rng)
{
  return hint_ns + inf_rng_below(rng, hint_ns / hint_jitter_divisor + 1);
}

/* The wait begun at now_ns leaves time for a usual first token. */
static bool
fits_deadline(const inf_retry_call *call, size_t target, uint64_t at_ns)
{
  uint64_t ttft_ns = call->targets[target].ttft_ns;
  return inf_time_add(at_ns, ttft_ns) < call->deadline_ns;
}

static bool
may_go_elsewhere(const inf_route_params *params, uint8_t elsewhere)
{
  switch ((inf_elsewhere)elsewhere) {
  case INF_ELSEWHERE_YES:
    return true;
  case INF_ELSEWHERE_IF_FILTER:
    return params->failover_content_filter;
  case INF_ELSEWHERE_IF_TLS:
    return params->failover_tls_verify;
  case INF_ELSEWHERE_NO:
  case INF_ELSEWHERE_LARGER_CONTEXT: /* see keep_larger() */
    return false;
  }
  return false;
}

static bool
may_stay(const inf_failure_rule *rule, const inf_retry_failure *failure)
{
  if (failure->should_retry >= 0)
    return failure->should_retry == 1;
  return rule->again == INF_AGAIN_BACKOFF || rule->again == INF_AGAIN_HINT;
}

/* continuing: only one that can go on from the partial answer. */
static size_t
next_unvisited(const inf_retry_call *call, bool continuing)
{
  size_t shut = call->target_count;
  for (size_t i = 0; i < call->target_count; i++) {
    const inf_retry_target *target = &call->targets[i];
    if (target->visited || target->excluded || !target->has_key ||
        (continuing && !target->continues))
      continue;
    if (!target->shut)
      return i;
    if (shut == call->target_count)
      shut = i;
  }
  return shut;
}

static inf_retry_decision
end(const char *why)
{
  return (inf_retry_decision){INF_RETRY_END, .why = why};
}

static inf_retry_decision
attempt(size_t target, uint64_t at_ns, int32_t reason, const char *why)
{
  return (inf_retry_decision){
      .action = INF_RETRY_ATTEMPT,
      .target = target,
      .at_ns = at_ns,
      .reason = reason,
      .counted = true,
      .why = why,
  };
}

/* Is there a key for the current target that this failure says nothing of? */
static bool
has_next_key(const inf_retry_call *call, const inf_failure_rule *rule,
             const inf_retry_failure *failure)
{
  if (!call->targets[call->current].has_key)
    return false;
  return (rule->again == INF_AGAIN_KEY && failure->keyed) ||
         (rule->again == INF_AGAIN_HINT && failure->other_key_free);
}

/* Notes on the current target what this failure says about it: how long it
 * is not to be asked, or that it is not to be asked again. What was said of
 * one key does not keep another out. Returns the wait without the jitter. */
static uint64_t
mark_current(inf_retry_call *call, const inf_failure_rule *rule,
             const inf_retry_failure *failure, uint64_t now_ns, inf_rng *rng)
{
  inf_retry_target *target = &call->targets[call->current];
  bool next_key = failure->renewed || has_next_key(call, rule, failure);
  target->visited = true;
  if (!next_key && !may_stay(rule, failure))
    target->excluded = true;
  else if (failure->loading) /* why it was silent to another attempt */
    target->excluded = false;
  target->loading = failure->loading;
  uint64_t floor_ns = failure->loading ? draw_loading_ns(target, now_ns, rng)
                                       : draw_backoff_ns(target->stays, rng);
  uint64_t wait_ns = floor_ns;
  if (failure->hint_ns > 0) {
    floor_ns = (uint64_t)failure->hint_ns;
    if (floor_ns > inf_retry_hint_cap_ns && !next_key)
      target->excluded = true;
    wait_ns = draw_hint_ns(floor_ns, rng);
  }
  target->not_before_ns = inf_time_add(now_ns, wait_ns);
  return floor_ns;
}

/* Step 7. */
static inf_retry_decision
await(inf_retry_call *call, size_t target, uint64_t at_ns)
{
  int32_t reason =
      target == call->current ? INFER_REASON_RETRY : INFER_REASON_FAILOVER;
  inf_retry_decision decision = attempt(
      target, at_ns, reason, "its model is being loaded: asked again later");
  decision.counted = false;
  decision.awaited = true;
  call->targets[target].loading = false;
  return decision;
}

/* Steps 6 and 7: of all targets that may still be asked, the one that can be
 * asked soonest; the current one where they are equal. spent: the allowance is,
 * and only those that load are left. */
static inf_retry_decision
soonest(inf_retry_call *call, bool elsewhere, bool spent, uint64_t now_ns)
{
  size_t best = call->target_count;
  uint64_t best_at_ns = INF_NEVER;
  const char *why =
      spent ? "the call's allowance of attempts is used up"
            : "no target is left that could answer before the deadline";
  for (size_t i = 0; i < call->target_count; i++) {
    const inf_retry_target *target = &call->targets[i];
    if (target->excluded || !target->has_key || !target->visited)
      continue;
    if (i != call->current && !elsewhere)
      continue;
    if (spent && !target->loading)
      continue;
    uint64_t at_ns = target->not_before_ns;
    if (at_ns < now_ns)
      at_ns = now_ns;
    if (!fits_deadline(call, i, at_ns))
      continue;
    if (i == call->current && call->stay_denied && !target->loading) {
      why = call->stay_denied;
      continue;
    }
    if (at_ns < best_at_ns || (at_ns == best_at_ns && i == call->current)) {
      best = i;
      best_at_ns = at_ns;
    }
  }
  if (best == call->target_count)
    return end(why);
  if (call->targets[best].loading)
    return await(call, best, best_at_ns);
  if (best == call->current)
    return attempt(best, best_at_ns, INFER_REASON_RETRY,
                   "no other target is left: again here");
  return attempt(best, best_at_ns, INFER_REASON_FAILOVER,
                 "back to the target that can be asked soonest");
}

/* Targets that may be asked and were not yet. */
static uint32_t
count_unvisited(const inf_retry_call *call)
{
  uint32_t count = 0;
  for (size_t i = 0; i < call->target_count; i++) {
    const inf_retry_target *target = &call->targets[i];
    count += !target->visited && !target->excluded && target->has_key;
  }
  return count;
}

/* Another attempt here leaves one for each target that was not asked yet. */
static bool
leaves_enough(const inf_retry_call *call)
{
  uint32_t allowance = inf_retry_allowance(call->params, call->target_count);
  return call->attempts + count_unvisited(call) < allowance;
}

/* Step 4: may the current target be asked again before others are? */
static bool
stays_here(const inf_retry_call *call, uint64_t floor_ns)
{
  const inf_retry_target *current = &call->targets[call->current];
  uint64_t max_wait_ns =
      (uint64_t)call->params->stay_max_wait_ms * INF_NS_PER_MS;
  return !call->stay_denied && !current->excluded && current->has_key &&
         !current->shut &&
         current->stays < (uint64_t)call->params->stay_retries &&
         leaves_enough(call) && floor_ns <= max_wait_ns &&
         fits_deadline(call, call->current, current->not_before_ns);
}

/* Steps 4 to 6: what is done after a wait, or elsewhere. */
static inf_retry_decision
stay_or_go(inf_retry_call *call, bool stay, bool elsewhere, uint64_t floor_ns,
           uint64_t now_ns)
{
  const inf_retry_target *current = &call->targets[call->current];
  size_t none = call->target_count;
  size_t next = elsewhere ? next_unvisited(call, false) : none;
  if (next == none)
    return soonest(call, elsewhere, false, now_ns);
  size_t better = next_unvisited(call, true);
  stay = stay && !current->loading && stays_here(call, floor_ns);
  if (stay && (current->continues || better == none))
    return attempt(call->current, current->not_before_ns, INFER_REASON_RETRY,
                   "the same target again");
  if (better != none)
    return attempt(better, now_ns, INFER_REASON_FAILOVER,
                   "the next target that can go on");
  return attempt(next, now_ns, INFER_REASON_FAILOVER, "the next target");
}

/* The prompt is too long for the current target, so for all that have no larger
 * context, or none that is known. Returns whether one is left. */
static bool
keep_larger(inf_retry_call *call)
{
  int64_t least = call->targets[call->current].context_tokens;
  bool any = false;
  for (size_t i = 0; i < call->target_count; i++) {
    inf_retry_target *target = &call->targets[i];
    if (least == 0 || target->context_tokens <= least)
      target->excluded = true;
    any = any || !target->excluded;
  }
  return any;
}

static inf_retry_decision
decide(inf_retry_call *call, const inf_retry_failure *failure, uint64_t now_ns,
       inf_rng *rng)
{
  const inf_failure_rule *rule = inf_failure_rule_of(failure->status);
  uint64_t floor_ns = mark_current(call, rule, failure, now_ns, rng);
  bool elsewhere = may_go_elsewhere(call->params, rule->elsewhere);
  if (rule->elsewhere == INF_ELSEWHERE_LARGER_CONTEXT)
    elsewhere = keep_larger(call);
  bool stay = may_stay(rule, failure);
  if (!stay && !elsewhere && rule->again == INF_AGAIN_NO)
    return end("this kind of failure is not retried");
  if (call->run_once && failure->sent && !failure->refused)
    return end("the request may run only once and was sent");
  if (now_ns >= call->deadline_ns)
    return end("the deadline has passed");
  if (failure->untouched && !failure->was_resend) {
    inf_retry_decision again =
        attempt(call->current, now_ns, INFER_REASON_RESEND,
                "the connection had gone stale: sent again at once");
    again.counted = false;
    return again;
  }
  if (failure->renewed) {
    inf_retry_decision again =
        attempt(call->current, now_ns, INFER_REASON_KEY,
                "the same target with a renewed token, or another time");
    again.counted = false;
    return again;
  }
  if (call->attempts >= inf_retry_allowance(call->params, call->target_count))
    return soonest(call, elsewhere, true, now_ns);
  if (!call->stay_denied && has_next_key(call, rule, failure))
    return attempt(call->current, now_ns, INFER_REASON_KEY,
                   "the same target with the next key");
  return stay_or_go(call, stay, elsewhere, floor_ns, now_ns);
}

inf_retry_decision
inf_retry_await(inf_retry_call *call, bool elsewhere, uint64_t now_ns)
{
  return soonest(call, elsewhere, true, now_ns);
}

void
inf_retry_note(inf_retry_call *call, const inf_retry_failure *failure,
               uint64_t now_ns, inf_rng *rng)
{
  mark_current(call, inf_failure_rule_of(failure->status), failure, now_ns,
               rng);
}

inf_retry_decision
inf_retry_decide(inf_retry_call *call, const inf_retry_failure *failure,
                 uint64_t now_ns, inf_rng *rng)
{
  inf_retry_decision decision = decide(call, failure, now_ns, rng);
  decision.movable =
      !decision.awaited &&
      may_go_elsewhere(call->params,
                       inf_failure_rule_of(failure->status)->elsewhere);
  if (decision.action == INF_RETRY_ATTEMPT && decision.counted &&
      decision.reason == INFER_REASON_RETRY)
    call->targets[decision.target].stays++;
  return decision;
}
