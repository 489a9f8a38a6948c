# SPDX-License-Identifier: MIT
# Bugs in lib/engine: limits of attempts, and the line of calls that wait. See
# bugs.cmake.

infer_bug(500 engine/meter.c
  "unit/test_meter"
  "what an attempt did not use is never given back: a tenth of the quota serves"
  [[    inf_limit_settle(meter->limiter, &pass->reservation, &used, now_ns);]]
  [[    inf_limit_settle(meter->limiter, &pass->reservation,
                     &(inf_limit_cost){pass->reservation.cost.requests,
                                       pass->reservation.cost.input_tokens,
                                       pass->reservation.cost.output_tokens},
                     now_ns);]])

infer_bug(501 engine/meter.c
  "unit/test_meter"
  "a request that was refused by no server counts as sent: an outage eats the quota"
  [[  if (end == INF_METER_UNSENT)
    return (inf_limit_cost){0};]]
  [[]])

infer_bug(502 engine/meter.c
  "unit/test_meter"
  "cut answers teach the estimate: reservations shrink and 429s come"
  [[  if (end == INF_METER_WHOLE)
    learn_locked(]]
  [[  if (end >= INF_METER_USED)
    learn_locked(]])

infer_bug(503 engine/meter.c
  "unit/test_meter"
  "max_tokens larger than the limit: the prompt can never be sent"
  [[  fit(meter, &reserved);]]
  [[]])

infer_bug(504 engine/meter_table.c
  "unit/test_meter"
  "requests that were under way when the first header came are forgotten"
  [[  inf_quota_count_from(&quota->law, inf_meter_sent(meter->sent, kind));]]
  [[]])

infer_bug(505 engine/meter.c
  "unit/test_waiting"
  "a 429 with its wait holds back only the call that got it: the others run into it"
  [[    refuse(meter, pass, hint_ns, now_ns);]]
  [[    (void)hint_ns;
    (void)refuse;]])

infer_bug(506 engine/meter_table.c
  "unit/test_meter"
  "all models of a key share one limit: a quarter of the quota is used"
  [[      provider->limits.scope == INF_LIMIT_SCOPE_KEY ? "" : target->model;]]
  [[      provider->limits.scope != INF_LIMIT_SCOPE_DEFAULT ? "" : target->model;]])

infer_bug(507 engine/meter_table.c
  "unit/test_waiting"
  "a reload does not change the limits of keys that were in use"
  [[    inf_limit_reconfigure(meter->limiter, &now, now_ns);]]
  [[    (void)now_ns;]])

infer_bug(508 engine/waiting.c
  "unit/test_waiting"
  "a call that cannot make its deadline waits for it, and fails late"
  [[  if (inf_time_add(soonest->start_ns, ttft_ns) >= call->deadline_ns) {]]
  [[  if (inf_time_add(soonest->start_ns, ttft_ns) == 1) {]])

infer_bug(509 engine/waiting.c
  "unit/test_waiting"
  "one tenant's crowd holds up all others"
  [[  return name ? inf_fnv1a(INF_FNV_START, inf_sv_from(name)) : 0;]]
  [[  return name ? 1 : 0;]])

infer_bug(510 engine/waiting.c
  "unit/test_waiting"
  "when a call ends nobody looks whether another may begin: throughput halves"
  [[  if (inf_waiting_any(engine))
    engine->waiting.next_ns = engine->now_ns;]]
  [[]])

infer_bug(511 engine/gate.c
  "unit/test_waiting"
  "who comes just in time overtakes those that wait: some wait for ever"
  [[  what.closed = inf_waiting_places(engine);]]
  [[]])

infer_bug(512 engine/gate.c
  "unit/test_waiting"
  "a wait of half a second sends the prompt to another provider"
  [[  if (what->call->next_reason == INFER_REASON_RESEND || is_worth_a_wait(what))]]
  [[  if (what->call->next_reason == INFER_REASON_RESEND)]])

infer_bug(513 engine/gate.c
  "unit/test_waiting"
  "only the first key of a provider is ever used up to its limit"
  [[  for (size_t i = 0; i < count; i++)
    if (reserve(what, target, keys[i])) {]]
  [[  for (size_t i = 0; i < count && i < 1; i++)
    if (reserve(what, target, keys[i])) {]])

infer_bug(514 engine/attempt_record.c
  "unit/test_waiting"
  "a permit that is never returned: after so many failures nothing is sent"
  [[  settle_limits(attempt, status);]]
  [[  if (status == INFER_OK)
    settle_limits(attempt, status);]])

infer_bug(515 engine/prompt.c
  "unit/test_prompt"
  "the bytes of an image count as words: it is larger than any limit"
  [[      {"image_url", IS_IMAGE},]]
  [[      {"image_url", IS_CONTENT},]])

infer_bug(516 engine/gate.c
  "unit/test_waiting"
  "a call waits for somebody else's long answer beside a target with room"
  [[        what->where != 0 && what->soonest.verdict.what != INF_METER_FULL &&]]
  [[        what->where != 0 &&]])
