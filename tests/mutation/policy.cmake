# SPDX-License-Identifier: MIT
# Bugs in lib/policy: retries, keys, waits. See bugs.cmake.

infer_bug(56 policy/retry.c
  "unit/test_retry"
  "a retry is begun that cannot answer before the deadline"
  [[  return inf_time_add(at_ns, ttft_ns) < call->deadline_ns;]]
  [[  (void)ttft_ns;
  return at_ns < call->deadline_ns;]])

infer_bug(57 policy/retry.c
  "unit/test_retry"
  "a retry is begun after the deadline"
  [[  if (now_ns >= call->deadline_ns)
    return end("the deadline has passed");]]
  [[]])

infer_bug(58 policy/retry.c
  "unit/test_retry"
  "a request that may run only once runs twice over a stale connection"
  [[  if (call->run_once && failure->sent && !failure->refused)]]
  [[  if (call->run_once && failure->sent && !failure->untouched)]])

infer_bug(59 policy/retry.c
  "unit/test_retry"
  "a server that closes every connection is asked without end"
  [[  if (failure->untouched && !failure->was_resend) {]]
  [[  if (failure->untouched) {]])

infer_bug(60 policy/retry.c
  "unit/test_retry"
  "x-should-retry: false of one provider forbids to ask another"
  [[  bool elsewhere = may_go_elsewhere(call->params, rule->elsewhere);]]
  [[  bool elsewhere = may_go_elsewhere(call->params, rule->elsewhere) &&
                   failure->should_retry != 0;]])

infer_bug(61 policy/retry.c
  "unit/test_retry"
  "a wait is shorter than the provider's hint: it counts as abuse"
  [[  return hint_ns + inf_rng_below(rng, hint_ns / hint_jitter_divisor + 1);]]
  [[  return hint_ns - inf_rng_below(rng, hint_ns / hint_jitter_divisor + 1);]])

infer_bug(62 policy/retry.c
  "unit/test_retry"
  "clients that were refused together return together"
  [[  return hint_ns + inf_rng_below(rng, hint_ns / hint_jitter_divisor + 1);]]
  [[  (void)rng;
  return hint_ns;]])

infer_bug(63 policy/retry.c
  "unit/test_retry"
  "one attempt more than the allowance, of every call, in every outage"
  [[  if (call->attempts >= inf_retry_allowance(]]
  [[  if (call->attempts > inf_retry_allowance(]])

infer_bug(64 policy/retry.c
  "unit/test_retry"
  "a prompt that one provider refused goes back to another one all the same"
  [[    if (i != call->current && !elsewhere)
      continue;]]
  [[]])

infer_bug(65 policy/retry.c
  "unit/test_retry"
  "a failing target is asked again and again while another is free"
  [[    call->targets[decision.target].stays++;]]
  [[    call->targets[decision.target].stays += 0;]])

infer_bug(66 policy/retry.c
  "unit/test_retry"
  "a hint of hours is slept through"
  [[    if (floor_ns > inf_retry_hint_cap_ns && !next_key)
      target->excluded = true;]]
  [[]])

infer_bug(67 policy/retry.c
  "unit/test_retry"
  "a limited key's hint keeps the other keys of the provider waiting"
  [[         (rule->again == INF_AGAIN_HINT && failure->other_key_free);]]
  [[         (rule->again == INF_AGAIN_HINT && false);]])

infer_bug(68 policy/keys.c
  "unit/test_keys"
  "a shorter hint that comes later shortens the rest of a spent key"
  [[    if (until_ns > key->aside_until_ns) {
      key->aside_until_ns = until_ns;]]
  [[    if (until_ns > 0) {
      key->aside_until_ns = until_ns;]])

infer_bug(69 policy/keys.c
  "unit/test_keys"
  "one key carries all traffic: its limit is reached first"
  [[  size_t first = last == INF_KEY_NONE ? 0 : last + 1;]]
  [[  size_t first = last == INF_KEY_NONE ? 0 : last;]])

infer_bug(70 policy/keys.c
  "unit/test_keys"
  "a hint of a thousand years sets a key aside for ever"
  [[  if (hint > rest_cap_ns)
    hint = rest_cap_ns;]]
  [[]])

infer_bug(71 policy/failure_table.c
  "unit/test_failure_table"
  "a refused certificate sends the prompt to another provider unasked"
  [[INF_ELSEWHERE_IF_TLS, ]]
  [[INF_ELSEWHERE_YES, ]])

infer_bug(72 policy/median.c
  "unit/test_median"
  "the usual first-token time is the worst one: hints are never waited for"
  [[  return sorted[median->count / 2];]]
  [[  return sorted[median->count - 1];]])

infer_bug(73 policy/warmth.c
  "unit/test_warmth"
  "a client that nobody uses goes on connecting, all night"
  [[  return next_ns <= client_used_ns + INF_WARM_CLIENT_IDLE_NS ? next_ns
                                                             : UINT64_MAX;]]
  [[  return next_ns;]])

infer_bug(74 policy/warmth.c
  "unit/test_warmth"
  "a provider that is down is connected to as often as one that is up"
  [[(usual_period_ns << doublings)]]
  [[(usual_period_ns << 0 * doublings)]])

infer_bug(75 policy/recovery.c
  "unit/test_recovery unit/test_call"
  "an answer whose tool call was delivered starts again"
  [[  if (state->tool_call_done)
    return]]
  [[  if (false)
    return]])
