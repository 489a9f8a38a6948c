# SPDX-License-Identifier: MIT
# Bugs in lib/engine: breakers, budgets and probes of calls. See bugs.cmake.

infer_bug(390 engine/gate.c
  "unit/test_gate"
  "a continued answer is moved to a target that takes the beginning for a word of the user"
  [[  if (call->carry && !call->retry_targets[what->target].continues)
    return inf_call_start_over(engine, call);]]
  [[]])

infer_bug(391 engine/gate.c
  "unit/test_gate"
  "a call waits for an open breaker again and again, whatever its retries"
  [[         call->counted_attempts <
             inf_retry_allowance(call->params, call->target_count) &&]]
  [[]])

infer_bug(392 engine/gate.c
  "unit/test_gate"
  "first attempts wait for a provider that is down: a crowd falls upon it when it is back"
  [[  return call->next_reason != INFER_REASON_FIRST &&
         call->counted]]
  [[  return call->counted]])

infer_bug(393 engine/gate.c
  "unit/test_gate"
  "a call is moved to a provider all of whose keys are refused"
  [[  if (!call->next_movable || state->excluded || !has_key(what, target))]]
  [[  if (!call->next_movable || state->excluded)]])

infer_bug(394 engine/gate.c
  "unit/test_gate"
  "with all targets open nobody asks whether one of them is back"
  [[ what->held || look_for(what, true);]]
  [[ what->held;]])

infer_bug(395 engine/gate.c
  "unit/test_gate"
  "a call that ends while it waits keeps what it has claimed: retries run out"
  [[  inf_health_refund(engine->runtime, &call->claim);]]
  [[]])

infer_bug(396 engine/gate.c
  "unit/test_gate"
  "what a stale connection left is never settled: half of it counts as hope for ever"
  [[  inf_health_end(engine->runtime, &call->resent, INFER_E_CANCELLED,
                 engine->now_ns, &engine->rng);]]
  [[]])

infer_bug(397 engine/attempt_record.c
  "unit/test_gate"
  "a server that closes idle connections looks like an outage"
  [[  if (attempt->untouched && !attempt->resend) {]]
  [[  if (!attempt->record) {]])

infer_bug(398 engine/attempt_record.c
  "unit/test_gate"
  "a server that refuses every stream is never noticed"
  [[  if (attempt->untouched && !attempt->resend) {]]
  [[  if (attempt->untouched) {]])

infer_bug(399 engine/attempt.c
  "unit/test_gate"
  "long answers in one piece make their target look slow"
  [[  if (!attempt->stream) /* that takes as long as the whole answer */
    inf_health_untimed(&attempt->health);]]
  [[]])

infer_bug(400 engine/attempt.c
  "unit/test_gate"
  "a laptop that slept finds its provider slow"
  [[  attempt->content = true;
  if (inf_attempt_jumped(attempt))
    inf_health_untimed(&attempt->health);]]
  [[  attempt->content = true;]])

infer_bug(401 engine/call.c
  "unit/test_gate"
  "a retry that is not paid ends a call that the next target would serve"
  [[  if (is_paid(call))
    state.stay_denied =
        inf_health_afford(engine->runtime, call->targets[state.current]->name,
                          INF_RETRY_BUDGET_STAY);]]
  [[]])

infer_bug(402 engine/call.c
  "unit/test_gate"
  "lists of models are not retried in an outage"
  [[  return call->params->retry_budget && call->kind != INF_CALL_MODELS;]]
  [[  return call->params->retry_budget;]])

infer_bug(403 engine/health.c
  "unit/test_gate unit/test_health"
  "a retry that is made elsewhere costs as much as one that loads the failing target"
  [[  inf_health_refund(runtime, claim);
  *claim = next;]]
  [[  inf_health_refund(runtime, &next);]])

infer_bug(404 engine/probe.c
  "unit/test_probe"
  "a request that may run only once is run twice"
  [[  return call->kind == INF_CALL_CHAT && !call->request->run_once &&
         !call->carry;]]
  [[  return call->kind == INF_CALL_CHAT && !call->carry;]])

infer_bug(405 engine/probe.c
  "unit/test_probe"
  "a target whose answers break off is well after each first token"
  [[  attempt->enough = attempt->content && !probe->whole && !ended;]]
  [[  attempt->enough = attempt->content && !ended;]])

infer_bug(406 engine/probe.c
  "unit/test_probe"
  "where probes cannot start their budget is empty soon"
  [[    inf_health_refund(engine->runtime, &claim);
    if (probe)]]
  [[    if (probe)]])

infer_bug(407 engine/probe.c
  "unit/test_probe"
  "the loop uses a configuration that a reload has freed, for a probe"
  [[  inf_config *config = inf_config_ref(call->trail->config);]]
  [[  inf_config *config = inf_config_ref(call->trail->config);
  inf_config_unref(config);]])

infer_bug(408 engine/probe.c
  "unit/test_probe"
  "a key that probes find refused is sent for ever"
  [[  inf_runtime_note_key(engine->runtime, probe->record.provider, attempt->key,
                       status, attempt->decoder.failure.hint_ns,
                       engine->now_ns);]]
  [[]])

infer_bug(409 engine/plan.c
  "unit/test_plan"
  "the dry run swaps targets around one that is open"
  [[      for (; at > i - open; at--)
        items[at] = items[at - 1];]]
  [[      for (; open > 0 && at > i - 1; at--)
        items[at] = items[at - 1];]])
