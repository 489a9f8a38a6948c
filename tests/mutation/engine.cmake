# SPDX-License-Identifier: MIT
# Bugs in lib/engine: the life of a call. See bugs.cmake.

infer_bug(110 engine/attempt.c
  "unit/test_call"
  "a call commits at the response's headers: no failover after a 200"
  [[  attempt->record->http_status = status;
  inf_attempt_set_phase(attempt, INFER_PHASE_HEADERS);]]
  [[  attempt->record->http_status = status;
  attempt->call->committed = status < 300;
  inf_attempt_set_phase(attempt, INFER_PHASE_HEADERS);]])

infer_bug(111 engine/attempt.c
  "unit/test_attempt"
  "the first byte stops the first-token clock: pings keep a dead model alive"
  [[  attempt->record->bytes_received += (int64_t)len;]]
  [[  attempt->record->bytes_received += (int64_t)len;
  attempt->content = true;]])

infer_bug(112 engine/attempt.c
  "unit/test_deliver"
  "the idle timer runs on while the reader lets the transfer wait"
  [[  } else if (attempt->stream && !attempt->paused) {]]
  [[  } else if (attempt->stream) {]])

infer_bug(113 engine/attempt.c
  "unit/test_deliver"
  "the time that a transfer was paused counts as silence when it goes on"
  [[    attempt->activity_ns += now_ns - attempt->paused_ns;]]
  [[    attempt->activity_ns += 0;]])

infer_bug(114 engine/attempt.c
  "unit/test_deliver"
  "a whole answer that was paused costs its connection"
  [[    if (attempt->paused) /* or it would never come to its end */
      engine->transport->ops->set_paused(attempt->exchange, false);]]
  [[]])

infer_bug(115 engine/attempt.c
  "unit/test_attempt"
  "a labelled prompt is sent where a label is missing"
  [[  const char *label = inf_plan_missing_label(target->provider,
                                             call->trail->route, call->request);]]
  [[  const char *label = NULL;]])

infer_bug(116 engine/attempt.c
  "unit/test_attempt"
  "a whole answer's exchange lingers without end where its server forgets it"
  [[    inf_timer_set(&engine->attempt_timers, &attempt->timer,
                  inf_time_add(engine->now_ns, INF_LINGER_NS));]]
  [[]])

infer_bug(117 engine/attempt.c
  "unit/test_attempt"
  "every call makes a connection of its own"
  [[  if (attempt->exchange && linger) {]]
  [[  if (attempt->exchange && linger && attempt->paused) {]])

infer_bug(118 engine/attempt_record.c
  "unit/test_call"
  "a stale connection after the first response byte is sent again for free"
  [[INF_NET_RESET && !result->response_begun &&]]
  [[INF_NET_RESET &&]])

infer_bug(119 engine/attempt.c
  "unit/test_attempt"
  "an answer that is whole is thrown away because its connection was reset"
  [[    if (clean || status != INFER_E_TRUNCATED)
      return status;]]
  [[    if (clean)
      return status;]])

infer_bug(120 engine/attempt.c
  "unit/test_call"
  "a resend after a stale connection goes over the next stale one"
  [[  attempt->fresh_connection = call->next_fresh;]]
  [[  attempt->fresh_connection = false;]])

infer_bug(121 engine/attempt.c
  "unit/test_carry"
  "a restart does not wait for the reader: memory grows without bound"
  [[    if (call->paused)
      inf_attempt_set_paused(attempt, true);]]
  [[]])

infer_bug(122 engine/attempt_record.c
  "unit/test_attempt_record"
  "a provider that quotes the key back has it in the log and in the error"
  [[    redact_failure(failure, record->provider->kind->dialect, key_of(attempt));]]
  [[]])

infer_bug(123 engine/attempt_record.c
  "unit/test_attempt_record"
  "a provider's error text, which quotes the prompt, is logged"
  [[           (int)record->http_status, message ? ": " : "",
           message && record->message ? record->message : "");]]
  [[           (int)record->http_status, record->message ? ": " : "",
           record->message ? record->message : "");]])

infer_bug(124 engine/attempt_record.c
  "unit/test_attempt_record"
  "a key that a header echoes stands in the request id"
  [[&failure->param, &failure->request_id};]]
  [[&failure->param};]])

infer_bug(125 engine/attempt_record.c
  "unit/test_attempt"
  "what a failed attempt has cost is not counted"
  [[  inf_attempt_note_usage(attempt);]]
  [[  if (status == INFER_OK)
    inf_attempt_note_usage(attempt);]])

infer_bug(126 engine/attempt_request.c
  "unit/test_attempt_request"
  "after a failover the first provider's key is sent to the second"
  [[    const inf_key *key = &provider->keys[attempt->key];]]
  [[    const inf_key *key = call->targets[0]->provider->key_count > attempt->key
                             ? &call->targets[0]->provider->keys[attempt->key]
                             : &provider->keys[attempt->key];]])

infer_bug(127 engine/attempt_request.c
  "unit/test_attempt"
  "with n = 3 an answer is whole as soon as one choice is"
  [[      .choices = call->choices,]]
  [[      .choices = 1,]])

infer_bug(128 engine/attempt_request.c
  "scenario/test_options"
  "max_json_depth is read from the configuration and not obeyed"
  [[      .max_depth = (unsigned)client->max_json_depth,]]
  [[      .max_depth = 512,]])

infer_bug(129 engine/attempt_request.c
  "unit/test_key_memory"
  "the account's headers, secrets among them, stay in freed memory"
  [[  inf_buf_fini_secret(&headers);]]
  [[  inf_buf_fini(&headers);]])

infer_bug(130 engine/call.c
  "unit/test_call"
  "the deadline begins when the loop sees the call: queueing is free"
  [[  go_on(engine, call, &first);
  call->wait_since_ns = 0;]]
  [[  call->deadline_ns += engine->now_ns - call->accepted_ns;
  go_on(engine, call, &first);
  call->wait_since_ns = 0;]])

infer_bug(685 engine/call.c
  "unit/test_call"
  "that a busy machine comes late to a call is told as the wait for a limit"
  [[  call->wait_since_ns = 0;]]
  [[  call->wait_since_ns = call->accepted_ns;]])

infer_bug(131 engine/call.c
  "unit/test_call scenario/test_cost"
  "a cancel that comes after the end ends the call a second time"
  [[  if (call->ended)
    return;]]
  [[]])

infer_bug(132 engine/call.c
  "unit/test_call"
  "the deadline throws an answer away that lacks only its end mark"
  [[    if (!inf_race_finish(engine, call) &&
        (!call->attempt || !inf_attempt_complete(call->attempt)))]]
  [[    if (!inf_race_finish(engine, call))]])

infer_bug(133 engine/call.c
  "unit/test_engine"
  "times of whole bodies are taken for first-token times"
  [[  bool timed = attempt->stream && content_ns > 0 && sent_ns > 0;]]
  [[  bool timed = content_ns > 0 && sent_ns > 0;]])

infer_bug(134 engine/call.c
  "unit/test_engine"
  "a first-token time that was measured across a suspend is remembered"
  [[  if (timed && attempt->clock_epoch == engine->clock_jumps)]]
  [[  if (timed)]])

infer_bug(135 engine/call.c
  "unit/test_call"
  "an at-once resend uses up the call's allowance"
  [[  if (next->counted)
    call->counted_attempts++;]]
  [[  call->counted_attempts++;]])

infer_bug(136 engine/call.c
  "unit/test_call"
  "a call that was cancelled has lost the part of the answer that had come"
  [[  struct infer_response *partial = inf_carry_partial(call);
  if (attempt)
    inf_attempt_detach(attempt, false);]]
  [[  struct infer_response *partial = NULL;
  if (attempt)
    inf_attempt_detach(attempt, false);]])

infer_bug(137 engine/call.c
  "unit/test_call"
  "a completed tool call runs twice after a restart"
  [[      .tool_call_done = call->tool_call_done,]]
  [[      .tool_call_done = false,]])

infer_bug(138 engine/call.c
  "unit/test_call"
  "what a provider says of its keys is not noted: a spent key is used on"
  [[  if (!attempt->clock_corrected)
    inf_runtime_note_key(]]
  [[  if (attempt->clock_corrected)
    inf_runtime_note_key(]])

infer_bug(139 engine/deliver.c
  "unit/test_deliver"
  "the pieces of two tool calls whose server gives no ids are merged"
  [[      last->choice != delta->choice || last->tool != delta->tool ||]]
  [[      last->choice != delta->choice ||]])

infer_bug(140 engine/deliver.c
  "unit/test_call unit/test_deliver"
  "after a failover in the same turn the reader hears of no start"
  [[  if (!call->committed)
    call->started = false;]]
  [[]])

infer_bug(141 engine/deliver.c
  "unit/test_deliver"
  "the terminal event waits for the delivery interval"
  [[  return call->ended || engine->delivery_interval_ns == 0 ||]]
  [[  return engine->delivery_interval_ns == 0 ||]])

infer_bug(142 engine/deliver.c
  "unit/test_deliver"
  "a reader that catches up at the wrong moment waits for ever"
  [[  bool caught_up = call->pending_bytes <= call->max_undelivered / 2;]]
  [[  bool caught_up = false;]])

infer_bug(143 engine/deliver.c
  "unit/test_call"
  "a restart's new events carry the old epoch"
  [[  event->epoch = ++call->epoch;]]
  [[  event->epoch = call->epoch + 1;]])

infer_bug(144 engine/queue.c
  "unit/test_deliver unit/test_queue"
  "unread pieces of two tool calls without ids are merged"
  [[         first->choice == second->choice && first->tool == second->tool &&]]
  [[         first->choice == second->choice &&]])

infer_bug(145 engine/queue.c
  "unit/test_deliver unit/test_queue"
  "unread logprobs are merged: no JSON any more"
  [[  case INFER_EVENT_TOOL_CALL_DELTA:
    break;]]
  [[  case INFER_EVENT_TOOL_CALL_DELTA:
  case INFER_EVENT_LOGPROBS:
    break;]])

infer_bug(146 engine/queue.c
  "unit/test_client"
  "infer_call_wait() sleeps on after the end of its call"
  [[((news || call->done) && queue->pollers > 0)]]
  [[(news && queue->pollers > 0)]])

infer_bug(147 engine/queue.c
  "unit/test_queue"
  "the queue's fd stays readable: an event loop runs hot"
  [[    if (queue->fd_signalled && inf_list_empty(&queue->ready))
      fd_clear_locked(queue);]]
  [[]])

infer_bug(148 engine/queue.c
  "unit/test_queue"
  "one busy stream starves the others of a queue"
  [[  inf_list_remove(&call->ready_node);
  if (!inf_list_empty(&call->pending))
    inf_list_push_back(&queue->ready, &call->ready_node);
  if (call->resume_wanted]]
  [[  inf_list_remove(&call->ready_node);
  if (!inf_list_empty(&call->pending))
    inf_list_push_front(&queue->ready, &call->ready_node);
  if (call->resume_wanted]])

infer_bug(149 engine/queue.c
  "unit/test_queue unit/test_deliver"
  "a paused transfer goes on never"
  [[    inf_client_command(queue->client, resume);]]
  [[]])

infer_bug(150 engine/queue.c
  "unit/test_queue"
  "events that nobody has read leak when their queue is freed"
  [[    inf_list_splice_back(&dropped, &call->pending);]]
  [[    inf_list_init(&call->pending);]])

infer_bug(151 engine/queue.c
  "unit/test_call unit/test_queue"
  "text of the answer that was given up is read after a restart"
  [[    if (event->type == INFER_EVENT_RESTART)
      drop_pending_locked(queue, call);]]
  [[]])

infer_bug(152 engine/queue.c
  "unit/test_queue"
  "a wake-up hook runs after it was removed: use after free"
  [[  while (queue->waking && !in_loop)]]
  [[  while (false && queue->waking && !in_loop)]])

infer_bug(153 engine/runtime.c
  "unit/test_runtime"
  "a reload lets spent keys be used again"
  [[        if (pool->entries[j].state.aside_until_ns == INF_NEVER)]]
  [[        if (pool->entries[j].state.aside_until_ns > 0)]])

infer_bug(154 engine/runtime.c
  "unit/test_runtime"
  "a reload that drops a key sets the wrong one aside"
  [[  if (index < pool->count && pool->entries[index].fingerprint == fingerprint)]]
  [[  if (index < pool->count)]])

infer_bug(155 engine/client.c
  "unit/test_client"
  "calls that have ended count as in flight: no call is accepted any more"
  [[  atomic_fetch_sub(&client->live_count, 1);]]
  [[  (void)client;]])

infer_bug(156 engine/client.c
  "unit/test_client"
  "close() does not wait for what is in flight"
  [[  if (wait_drained(client, inf_time_add(now_ns, drain_ns)))]]
  [[  if (wait_drained(client, now_ns))]])

infer_bug(157 engine/client.c
  "unit/test_client"
  "a thread that drives sleeps on what another one's turn brought"
  [[  bool idle = !client->stopped && client->turns == turns;]]
  [[  bool idle = !client->stopped;]])

infer_bug(158 engine/client.c
  "unit/test_client"
  "a forked child keeps the keys in its memory"
  [[      inf_wipe(key->secret, key->secret_len);]]
  [[      (void)key;]])

infer_bug(159 engine/client.c
  "unit/test_client"
  "a call that a hook submits right before it frees the client never ends"
  [[  inf_engine *engine = &client->engine;
  take_mail(client);
  inf_engine_cancel_all]]
  [[  inf_engine *engine = &client->engine;
  inf_engine_cancel_all]])

infer_bug(160 engine/request.c
  "unit/test_request"
  "a request that may run only once is retried"
  [[  *copy = *request;]]
  [[  *copy = *request;
  copy->run_once = false;]])

infer_bug(161 engine/request.c
  "unit/test_request"
  "labels that the request asks for are not looked at"
  [[  copy->packed = true;]]
  [[  copy->packed = true;
  copy->label_count /= 2;]])

infer_bug(162 engine/engine.c
  "unit/test_engine"
  "after a suspend the silence of the sleep is held against the provider"
  [[    engine->back_ns = engine->now_ns;]]
  [[    engine->back_ns += 0;]])

infer_bug(163 engine/attempt.c
  "unit/test_engine"
  "a timeout that was pushed back comes early when the loop was away"
  [[  if (due_ns(attempt, &status) > engine->heard_ns) {]]
  [[  if (due_ns(attempt, &status) > engine->now_ns) {]])

infer_bug(164 engine/engine.c
  "unit/test_client scenario/test_options_driven"
  "a reader that drives the client itself waits though events are there"
  [[  if (delivered) /* the reader may be the very thread that would wait here */
    wait_ns = 0;]]
  [[  (void)delivered;]])

infer_bug(165 engine/plan.c
  "unit/test_plan"
  "of several required labels the first is enough"
  [[  for (size_t i = 0; i < route->require_label_count; i++)
    if]]
  [[  for (size_t i = 0; i < route->require_label_count && i < 1; i++)
    if]])

infer_bug(166 engine/carry.c
  "unit/test_carry"
  "a continued answer may be twice as long as was asked for"
  [[    carry->tokens += told < INT32_MAX ? told : INT32_MAX;
    return;]]
  [[    return;]])

infer_bug(167 engine/carry.c
  "unit/test_carry"
  "a model that cannot go on from a partial answer is asked to all the same"
  [[        inf_prefill_fits((inf_prefill)target->prefill, len) &&]]
  [[]])

infer_bug(168 engine/carry.c
  "unit/test_carry"
  "a rejected prefill is reported in place of the real failure"
  [[  return verdict == INF_RECOVERY_REFUSED;]]
  [[  return false;]])

infer_bug(169 engine/warmer.c
  "unit/test_warmer"
  "connections are kept warm to providers that may not be asked"
  [[  return !inf_plan_missing_label(target->provider, route, &any) &&]]
  [[  (void)route;
  (void)any;
  return]])

infer_bug(170 engine/engine.c
  "unit/test_engine"
  "a suspend of the machine while the loop waited is not noticed"
  [[  if (!late && !slept)]]
  [[  if (!late)]])

infer_bug(171 engine/paused.c
  "unit/test_paused"
  "what a call held while it was paused counts for ever: others end by the cap"
  [[  paused->bytes -= entry->bytes;]]
  [[]])

infer_bug(172 engine/paused.c
  "unit/test_paused"
  "the cap on paused memory ends the wrong call: not the oldest"
  [[INF_CONTAINER_OF(paused->by_age.next,]]
  [[INF_CONTAINER_OF(paused->by_age.prev,]])

infer_bug(173 engine/queue.c
  "unit/test_queue"
  "a fast reader finds its fd readable and nothing to read"
  [[  /* A fast reader may have taken everything already. */
  if (atomic_load_explicit(&queue->events, memory_order_relaxed) > 0) {]]
  [[  if (true) {]])

infer_bug(186 engine/client.c
  "unit/test_warmer"
  "a driven client waits though the order it was given has just been carried out"
  [[mail == MAIL_CALLS ? wait_ns : 0]]
  [[mail != MAIL_STOP ? wait_ns : 0]])

infer_bug(191 engine/client.c
  "unit/test_client"
  "the queue of a driving poller is freed at the wrong moment: it waits on"
  [[!reloaded && !client->look;]]
  [[!reloaded;]])

infer_bug(192 engine/request.c
  "unit/test_request"
  "a tenant of the copy is the application's memory, which it frees"
  [[  pack_name(to, &request->tenant);]]
  [[]])

infer_bug(193 engine/record.c
  "unit/test_record"
  "the record of the fifth attempt overwrites the first's"
  [[    memcpy(records, trail->few, sizeof trail->few);]]
  [[    memcpy(records, trail->few, sizeof trail->few / 2);]])

infer_bug(194 engine/client.c
  "scenario/test_drivers"
  "exit() in a signal handler hangs: it waits for the wake-up it interrupted"
  [[  forget_waking(client);
  uint64_t until_ns]]
  [[  uint64_t until_ns]])

infer_bug(195 engine/client.c
  "scenario/test_drivers"
  "a call is not begun: one thread took its wake-up and left, another watches"
  [[  if (client->fd_watched && !client->stopped && atomic_load(&client->mail))
    client->engine.transport->ops->wake(client->engine.transport);
  pthread_cond_broadcast]]
  [[  pthread_cond_broadcast]])

infer_bug(197 engine/attempt.c
  "unit/test_client"
  "a crash: a reload frees the endpoint of an answer's last bytes"
  [[    attempt->config = inf_config_ref(config);
]]
  [[    (void)config;
]])

infer_bug(199 engine/engine.c
  "unit/test_engine"
  "a loop with very many calls looks for the next event instead of sleeping"
  [[inf_list_single(&engine->calls);]]
  [[!inf_list_empty(&engine->calls);]])

infer_bug(203 engine/call.c
  "unit/test_call"
  "a deadline that the request sets as its policy does not hold"
  [[: call->params->timeouts.deadline_ms;]]
  [[: call->trail->route->params.timeouts.deadline_ms;]])

infer_bug(207 engine/attempt.c
  "unit/test_client"
  "a reload with another max_response_bytes changes nothing"
  [[  if (attempt->answer.max_bytes != max_bytes) /* new, or before a reload */]]
  [[  if (attempt->answer.max_bytes == 0)]])

infer_bug(208 engine/attempt.c
  "unit/test_client"
  "a crash: a lingering exchange's request is gone before its end"
  [[    attempt->config = inf_config_ref(config);
]]
  [[    attempt->config = inf_config_ref(config);
    inf_wire_request_clear(&attempt->wire);
]])

infer_bug(209 engine/runtime.c
  "unit/test_runtime unit/test_plan unit/test_call"
  "a call asks a provider all of whose keys are spent"
  [[  if (state && state->aside_until_ns > 0)
    atomic_store(&runtime->any_aside, true);
]]
  [[]])
