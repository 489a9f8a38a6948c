# SPDX-License-Identifier: MIT
# Telemetry: aggregates, metrics, records. See bugs.cmake.

infer_bug(555 telemetry/window.c
  "unit/test_window"
  "The window of the last minute goes on counting what is hours old."
  [[  slot->counts = (inf_window_counts){0};
]]
  [[]])

infer_bug(556 engine/observe.c
  "unit/test_observe simulation/windows"
  "Attempts that lose a race vanish from the times: p95 looks a third of what it is."
  [[.first_censored = content_ns == 0 && cut,]]
  [[.first_censored = content_ns == 0 && cut && record->won,]])

infer_bug(557 telemetry/exposition.c
  "unit/test_exposition unit/test_prometheus"
  "A tenant's name with a line break makes Prometheus refuse all metrics."
  [[inf_buf_append_char(out, c == '\n' ? 'n' : c);]]
  [[inf_buf_append_char(out, c);]])

infer_bug(558 telemetry/exposition.c
  "unit/test_exposition unit/test_prometheus"
  "Buckets are not cumulative: every quantile that Prometheus computes is wrong."
  [[    sum += buckets->counts[i];]]
  [[    sum = buckets->counts[i];]])

infer_bug(559 engine/deliver.c
  "unit/test_observe"
  "With records on, a call whose first attempt failed unseen restarts its answer, or ends with the error, in place of a failover."
  [[        event->type != INFER_EVENT_ATTEMPT)]]
  [[        event->type != INFER_EVENT_DONE)]])

infer_bug(560 engine/queue.c
  "unit/test_observe"
  "A restart discards what was told of the attempt that had failed."
  [[    if (event->type == INFER_EVENT_ATTEMPT) {
      inf_list_push_back(&kept, node);]]
  [[    if (event->type == INFER_EVENT_ATTEMPT && event->epoch == call->epoch) {
      inf_list_push_back(&kept, node);]])

infer_bug(561 telemetry/aggregate.c
  "unit/test_aggregate"
  "What losers cost is told as money well spent."
  [[    counters->wasted_cost_nano_usd += (uint64_t)facts->cost_nano_usd;]]
  [[    counters->cost_nano_usd += (uint64_t)facts->cost_nano_usd;]])

infer_bug(562 telemetry/aggregate.c
  "unit/test_aggregate"
  "Requests that name ever new models fill the memory, and Prometheus, with series."
  [[telemetry->series_count == INF_TELEMETRY_SERIES_MAX]]
  [[telemetry->series_count == SIZE_MAX]])

infer_bug(563 engine/observe.c
  "unit/test_observe"
  "A telemetry hook that takes long eats the next attempt's time."
  [[  hooks->on_attempt(call, record, hooks->telemetry_user_data);
  inf_engine_update_time(engine, INF_NEVER);]]
  [[  hooks->on_attempt(call, record, hooks->telemetry_user_data);]])

infer_bug(564 engine/observe.c
  "unit/test_observe"
  "After the laptop wakes up its sleep stands in the latencies for an hour."
  [[call->kind == INF_CALL_EMBED, !inf_attempt_jumped(attempt),
                 attempt->stream);]]
  [[call->kind == INF_CALL_EMBED,
                 attempt->stream || !attempt->stream, attempt->stream);]])

infer_bug(642 telemetry/aggregate.c
  "unit/test_aggregate unit/test_batch"
  "Times of embeddings are mixed with those of chat with the same model."
  [[ == 0 && at->embeds == name->embeds)]]
  [[ == 0)]])

infer_bug(643 engine/call.c
  "unit/test_batch"
  "What embeddings cost is not in what the client has spent."
  [[  if (call->kind != INF_CALL_MODELS && !call->part) /*]]
  [[  if (call->kind == INF_CALL_CHAT && !call->part) /*]])

infer_bug(644 engine/tracing.c
  "unit/test_tracing"
  "The parts of an embeddings call have traces that nobody hears of."
  [[  if (call->part) /* it]]
  [[  if (call->part && call->ended) /* it]])
