# SPDX-License-Identifier: MIT
# Telemetry for a collector, and traces. See bugs.cmake.

infer_bug(600 telemetry/otlp_json.c
  "unit/test_otlp_json"
  "What took longer than all bounds is in no bucket: the collector refuses the histogram, or p99 looks fine."
  [[put_quoted_uint(out, buckets->counts[INF_BUCKETS_MAX]);]]
  [[put_quoted_uint(out, buckets->counts[bounds->count]);]])

infer_bug(601 engine/exporter.c
  "unit/test_exporter"
  "A collector that fails at a batch gets it again and again, and nothing else."
  [[  return http_status == 0 || http_status == 429 || http_status == 502 ||]]
  [[  return http_status == 0 || http_status == 429 || http_status >= 500 ||]])

infer_bug(602 telemetry/span_queue.c
  "unit/test_span_queue unit/test_exporter"
  "Spans that end while a batch waits to be sent again make one broken document of it."
  [[  return batch->closed || batch->spans >= batch_spans ||]]
  [[  return batch->spans >= batch_spans ||]])

infer_bug(603 engine/exporter.c
  "unit/test_exporter"
  "The last interval of a short-lived program is missing from all its metrics."
  [[    exporter->last_metrics = true;
    begin_metrics(exporter);]]
  [[    exporter->last_metrics = true;]])

infer_bug(604 engine/exporter.c
  "unit/test_exporter"
  "A collector that asks for a pause gets none."
  [[  return hint_ns > wait_ns ? hint_ns : wait_ns;]]
  [[  return wait_ns;]])

infer_bug(605 telemetry/span_queue.c
  "unit/test_span_queue unit/test_exporter"
  "A collector that is down for a night takes all memory of the application."
  [[  if (queue->bytes + growth(&batch->body, len) > most_bytes ||
      !inf_buf_reserve(&batch->body, len))]]
  [[  if (most_bytes == 0 || !inf_buf_reserve(&batch->body, len))]])

infer_bug(606 engine/tracing.c
  "unit/test_tracing"
  "The provider's spans hang from the call: nobody sees which attempt was slow there."
  [[inf_traceparent_write(&call->trace, attempt->record->span, traceparent);]]
  [[inf_traceparent_write(&call->trace, call->trace.span, traceparent);]])

infer_bug(607 engine/attempt_request.c
  "unit/test_tracing"
  "Providers get two traceparents, and drop the trace."
  [[    if (!has_name(line, INF_SV("traceparent")) &&
        (state]]
  [[    if ((state]])

infer_bug(608 engine/tracing.c
  "unit/test_tracing"
  "Who samples one call of a hundred pays for the spans of all."
  [[  if (!(call->trace.flags & INF_TRACE_SAMPLED))
    return;
]]
  [[]])

infer_bug(609 engine/client.c
  "unit/test_exporter"
  "infer_client_close() returns before the last spans are sent: they are lost."
  [[      atomic_load(&client->exporting) || atomic_load(&client->drained))]]
  [[      atomic_load(&client->drained))]])

infer_bug(645 engine/exporter.c
  "unit/test_exporter"
  "a client with many accounts of budgets sends more than a collector takes"
  [[(exporter->series && body->len > small_bytes);]]
  [[(exporter->series && body->len == SIZE_MAX);]])

infer_bug(646 telemetry/metric_out.c
  "unit/test_metric_out unit/test_metrics"
  "a collector adds up the headroom of limits as if it were a count"
  [[                       about->counter ? INF_OTLP_SUM : INF_OTLP_GAUGE);
  at]]
  [[                       about->counter ? INF_OTLP_SUM : INF_OTLP_SUM);
  at]])

infer_bug(647 engine/metrics.c
  "unit/test_metrics"
  "Prometheus knows what budgets have reserved, and no collector does"
  [["budget.reserved", "{USD}",]]
  [["budget.spent", "{USD}",]])
