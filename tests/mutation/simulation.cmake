# SPDX-License-Identifier: MIT
# Bugs that the simulation has to find by itself, in engine, policies and
# dialects. See bugs.cmake.

infer_bug(380 engine/call.c
  "simulation/swarm"
  "the deadline of a call that has ended ends it once more"
  [[  inf_timer_cancel(&engine->timers, &call->timer);
  inf_list_remove(&call->engine_node);]]
  [[  inf_list_remove(&call->engine_node);]])

infer_bug(381 engine/call.c
  "simulation/swarm"
  "the reader gets the second answer behind the half of the first"
  [[  if (call->committed)
    return inf_deliver_restart(engine, call, inf_status_find(status)->text);
  inf_deliver_discard(call);]]
  [[  if (call->committed && call->started)
    return true;
  inf_deliver_discard(call);]])

infer_bug(382 engine/call.c
  "simulation/swarm"
  "a retry that was waited for is sent although the deadline came first"
  [[  if (engine->now_ns >= call->deadline_ns) {
    if (!inf_race_finish]]
  [[  if (engine->now_ns >= call->deadline_ns &&
      engine->now_ns < call->next_start_ns) {
    if (!inf_race_finish]])

infer_bug(383 engine/call.c
  "simulation/swarm"
  "each failover gives the call its allowance of attempts anew"
  [[  if (next->counted)
    call->counted_attempts++;]]
  [[  if (next->counted)
    call->counted_attempts++;
  if (next->reason == INFER_REASON_FAILOVER)
    call->counted_attempts = 1;]])

infer_bug(384 engine/plan.c
  "simulation/swarm"
  "a label that only the request asks for is forgotten where the route has some"
  [[  for (size_t i = 0; i < request->label_count; i++)]]
  [[  for (size_t i = route->require_label_count; i < request->label_count; i++)]])

infer_bug(385 provider/decoder.c
  "simulation/swarm"
  "an answer whose connection was closed in good order counts as whole"
  [[  if (all_finished(decoder))
    return complete(decoder);]]
  [[  if (all_finished(decoder) || (clean_end && decoder->events > 2))
    return complete(decoder);]])

infer_bug(386 engine/client.c
  "simulation/swarm"
  "a call that was resumed once cannot be cancelled any more"
  [[    call->command_queued = false;]]
  [[    call->command_queued = !atomic_load(&call->cancel_requested);]])

infer_bug(387 engine/attempt.c
  "simulation/swarm"
  "a failed attempt's transfer goes on beside the next one, and is paid for"
  [[  if (attempt->exchange && linger) {]]
  [[  if (attempt->exchange && (linger || attempt->content)) {]])

infer_bug(388 engine/attempt.c
  "simulation/swarm"
  "an answer that trickles on has no end: attempt_ms begins with its content"
  [[  uint64_t at_ns = after_ms(attempt, record->start_ns, timeouts->attempt_ms);]]
  [[  uint64_t at_ns = after_ms(
      attempt, attempt->content ? attempt->activity_ns : record->start_ns,
      timeouts->attempt_ms);]])

infer_bug(389 engine/carry.c
  "simulation/swarm"
  "an answer that breaks off twice is gone on with from its second part only"
  [[      !inf_answer_join(&attempt->answer, text_of(&carry->answer)))
    return false;
  count_tokens]]
  [[      (carry->part_count < 2 &&
       !inf_answer_join(&attempt->answer, text_of(&carry->answer))))
    return false;
  count_tokens]])
