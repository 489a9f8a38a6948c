/* SPDX-License-Identifier: MIT */
/* Telemetry on its way to a collector; see exporter.h.
 *
 * IMPLEMENTATION NOTES
 *
 * The order is first in, first out, metrics before spans. A batch stays at the
 * front of the queue until the collector has it or it is given up, and counts
 * as queued that long.
 *
 * Whoever answers 2xx has the batch, whatever the body says: to send it again
 * would count everything twice.
 *
 * Waits are those of the specification's example (opentelemetry-proto,
 * docs/specification.md, "OTLP/HTTP Throttling"); the numbers are those of
 * OpenTelemetry's collector for its own exporters, rounded: 5 s initially, 30 s
 * at most and 300 s in all there. A library begins sooner. */
#include "engine/exporter.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/metrics.h"
#include "engine/record.h"
#include "engine/runtime_state.h"
#include "telemetry/otlp_metrics.h"
#include "telemetry/span_queue.h"
#include "wire/header_values.h"

#include <inttypes.h>
#include <stdio.h>

/* Of metrics: 32 series take some 200 KiB, and each at most 400. Of all else
 * some KiB, and 10 MiB with as many accounts of budgets as are kept. */
enum { metrics_max_bytes = 16 << 20, small_bytes = 512 << 10 };
enum { answer_max_bytes = 64 << 10, url_max_bytes = 8 << 10 };

#define ANSWER_NS      (10 * INF_NS_PER_S) /* as OTEL_EXPORTER_OTLP_TIMEOUT */
#define FIRST_RETRY_NS (1 * INF_NS_PER_S)
#define LAST_RETRY_NS  (60 * INF_NS_PER_S)
#define GIVE_UP_NS     (300 * INF_NS_PER_S)

struct inf_exporter {
  struct inf_engine *engine;
  inf_config *config;
  inf_rng rng;
  char instance_id[33];
  int64_t start_unix_ns; /* of what the metrics count */
  inf_span_queue spans;
  uint64_t metrics_ns;                /* when metrics are due */
  const inf_telemetry_series *series; /* to go on with; NULL: none are due */
  bool state;                         /* so is all that is of no series */
  bool closing;                       /* see inf_exporter_close() */
  bool last_metrics;                  /* those at the end are due, or sent */
  bool given_up; /* at the end: the collector did not take it */
  uint64_t next_ns;

  /* The request under way. */
  inf_exchange *exchange;
  inf_config *sending; /* the configuration that it uses */
  inf_otlp_signal signal;
  inf_buf url, metrics, answer;
  const inf_telemetry_series *series_after; /* once they are sent */
  bool state_after;
  int http_status;
  uint64_t hint_ns;  /* Retry-After */
  uint64_t until_ns; /* the answer must be there */

  /* Failures in a row. */
  unsigned failures;
  bool failing;        /* the log knows */
  uint64_t retry_ns;   /* not before */
  uint64_t give_up_ns; /* of what is tried again; 0: nothing is */
};

/* ---- Making and ending --------------------------------------------------- */

static inf_export_counts *
counts_of(const inf_exporter *exporter)
{
  return &exporter->engine->runtime->exported;
}

static void
add(atomic_uint_fast64_t *counter, uint64_t more)
{
  atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static inf_otlp_origin
origin_of(const inf_exporter *exporter)
{
  const inf_otlp_options *otlp = &exporter->config->client.otlp;
  return (inf_otlp_origin){
      .service_name =
          otlp->service_name ? otlp->service_name : "unknown_service:libinfer",
      .instance_id = exporter->instance_id,
      .names = inf_otlp_names_of((inf_semconv)otlp->semconv),
  };
}

static int64_t
unix_now_ns(const inf_engine *engine)
{
  return engine->clock->wall_ns(engine->clock->context);
}

static uint64_t
interval_from_now(const inf_exporter *exporter)
{
  int64_t interval_ms = exporter->config->client.otlp.interval_ms;
  return inf_time_add(exporter->engine->now_ns,
                      (uint64_t)interval_ms * INF_NS_PER_MS);
}

const inf_otlp_options *
inf_exporter_options(const inf_exporter *exporter)
{
  return &exporter->config->client.otlp;
}

uint64_t
inf_exporter_id(inf_exporter *exporter)
{
  uint64_t id = 0;
  while (id == 0)
    id = inf_rng_next(&exporter->rng);
  return id;
}

static void
tell_queued(const inf_exporter *exporter)
{
  atomic_store_explicit(&counts_of(exporter)->queued_bytes,
                        exporter->spans.bytes, memory_order_relaxed);
}

static inf_exporter *
exporter_new(inf_engine *engine, inf_config *config, uint64_t seed)
{
  inf_exporter *exporter = inf_calloc(1, sizeof *exporter);
  if (!exporter)
    return NULL;
  exporter->engine = engine;
  exporter->config = inf_config_ref(config);
  inf_rng_seed(&exporter->rng, seed);
  snprintf(exporter->instance_id, sizeof exporter->instance_id,
           "%016" PRIx64 "%016" PRIx64, inf_exporter_id(exporter),
           inf_exporter_id(exporter));
  exporter->start_unix_ns = unix_now_ns(engine);
  uint64_t began_ns = inf_telemetry_began_ns(engine->runtime->telemetry);
  if (began_ns < engine->now_ns) /* without a collector so far */
    exporter->start_unix_ns -= (int64_t)(engine->now_ns - began_ns);
  inf_span_queue_init(&exporter->spans);
  inf_buf_init(&exporter->url, url_max_bytes);
  inf_buf_init(&exporter->metrics, metrics_max_bytes);
  inf_buf_init(&exporter->answer, answer_max_bytes);
  exporter->metrics_ns = interval_from_now(exporter);
  exporter->next_ns = exporter->metrics_ns;
  atomic_store(&counts_of(exporter)->used, true);
  return exporter;
}

/* Nothing is under way any more. */
static void
end_exchange(inf_exporter *exporter)
{
  if (exporter->exchange)
    exporter->engine->transport->ops->cancel(exporter->exchange);
  exporter->exchange = NULL;
  inf_config_unref(exporter->sending);
  exporter->sending = NULL;
}

void
inf_exporter_end(struct inf_engine *engine)
{
  inf_exporter *exporter = engine->exporter;
  if (!exporter)
    return;
  end_exchange(exporter);
  while (inf_span_queue_first(&exporter->spans))
    add(&counts_of(exporter)->spans_dropped,
        inf_span_queue_drop(&exporter->spans));
  tell_queued(exporter);
  inf_buf_fini(&exporter->url);
  inf_buf_fini(&exporter->metrics);
  inf_buf_fini(&exporter->answer);
  inf_config_unref(exporter->config);
  engine->exporter = NULL;
  inf_free(exporter);
  if (engine->on_exported)
    engine->on_exported(engine->context);
}

bool
inf_exporter_configure(struct inf_engine *engine, inf_config *config,
                       uint64_t seed)
{
  inf_exporter *exporter = engine->exporter;
  if (!config->client.otlp.endpoint) {
    inf_exporter_end(engine);
    return false;
  }
  if (!exporter) {
    engine->exporter = exporter_new(engine, config, seed);
    if (!engine->exporter)
      inf_logf(&engine->hooks->log, INFER_LOG_ERROR, "%s",
               "telemetry: out of memory: nothing is sent to the collector");
    return engine->exporter != NULL;
  }
  inf_config_ref(config);
  inf_config_unref(exporter->config);
  exporter->config = config;
  if (exporter->metrics_ns > interval_from_now(exporter))
    exporter->metrics_ns = interval_from_now(exporter);
  exporter->next_ns = engine->now_ns;
  return true;
}

void
inf_exporter_add(struct inf_engine *engine, inf_sv spans, size_t span_count)
{
  inf_exporter *exporter = engine->exporter;
  inf_otlp_origin origin = origin_of(exporter);
  size_t most_bytes = (size_t)exporter->config->client.otlp.max_queue_bytes;
  const inf_span_batch *batch =
      inf_span_queue_add(&exporter->spans, &origin, spans, span_count,
                         interval_from_now(exporter), most_bytes);
  if (!batch)
    add(&counts_of(exporter)->spans_dropped, span_count);
  else if (inf_span_queue_full(&exporter->spans))
    exporter->next_ns = engine->now_ns;
  else if (batch->due_ns < exporter->next_ns)
    exporter->next_ns = batch->due_ns;
  tell_queued(exporter);
}

/* ---- The end of a request ------------------------------------------------ */

static void
log_failure(inf_exporter *exporter, const char *why)
{
  if (exporter->failing)
    return;
  exporter->failing = true;
  inf_logf(&exporter->engine->hooks->log, INFER_LOG_WARN,
           "telemetry: the collector %s does not take it: %s (told once)",
           exporter->config->client.otlp.endpoint, why);
}

static void
log_success(inf_exporter *exporter)
{
  if (exporter->failing)
    inf_logf(&exporter->engine->hooks->log, INFER_LOG_INFO,
             "telemetry: the collector %s takes it again",
             exporter->config->client.otlp.endpoint);
  exporter->failing = false;
}

/* What was sent is done with, delivered or not. */
static void
leave(inf_exporter *exporter, bool delivered)
{
  inf_export_counts *counts = counts_of(exporter);
  exporter->give_up_ns = 0;
  if (exporter->signal == INF_OTLP_METRICS) {
    exporter->series = exporter->series_after;
    exporter->state = exporter->state_after;
    return;
  }
  add(delivered ? &counts->spans_sent : &counts->spans_dropped,
      inf_span_queue_drop(&exporter->spans));
  tell_queued(exporter);
}

static void
succeed(inf_exporter *exporter)
{
  uint64_t rejected = inf_otlp_rejected(inf_buf_sv(&exporter->answer));
  exporter->failures = 0;
  exporter->retry_ns = 0;
  leave(exporter, true);
  if (rejected == 0) {
    log_success(exporter);
    return;
  }
  add(&counts_of(exporter)->rejected, rejected);
  log_failure(exporter, "it refused a part (partialSuccess)");
}

static uint64_t
backoff_ns(inf_exporter *exporter)
{
  uint64_t wait_ns = FIRST_RETRY_NS;
  for (unsigned i = 1; i < exporter->failures && wait_ns < LAST_RETRY_NS; i++)
    wait_ns *= 2;
  if (wait_ns > LAST_RETRY_NS)
    wait_ns = LAST_RETRY_NS;
  wait_ns = inf_rng_between(&exporter->rng, wait_ns / 2, wait_ns);
  uint64_t hint_ns =
      exporter->hint_ns < GIVE_UP_NS ? exporter->hint_ns : GIVE_UP_NS;
  return hint_ns > wait_ns ? hint_ns : wait_ns;
}

/* The client is closed, and all calls have ended. */
static bool
is_ending(const inf_exporter *exporter)
{
  return exporter->closing && inf_list_empty(&exporter->engine->calls);
}

/* A failure that may pass. */
static void
put_off(inf_exporter *exporter)
{
  uint64_t now_ns = exporter->engine->now_ns;
  exporter->failures++;
  exporter->retry_ns = inf_time_add(now_ns, backoff_ns(exporter));
  if (exporter->give_up_ns == 0)
    exporter->give_up_ns = inf_time_add(now_ns, GIVE_UP_NS);
  if (is_ending(exporter))
    exporter->given_up = true;
  else if (exporter->retry_ns > exporter->give_up_ns)
    leave(exporter, false);
}

static bool
may_pass(int http_status)
{
  return http_status == 0 || http_status == 429 || http_status == 502 ||
         http_status == 503 || http_status == 504;
}

/* why: where there was no answer. */
static void
finish(inf_exporter *exporter, const char *why)
{
  int http_status = exporter->http_status;
  char told[64];
  end_exchange(exporter);
  exporter->next_ns = exporter->engine->now_ns;
  add(&counts_of(exporter)->requests, 1);
  if (http_status >= 200 && http_status < 300) {
    succeed(exporter);
    return;
  }
  snprintf(told, sizeof told, "HTTP status %d", http_status);
  add(&counts_of(exporter)->requests_failed, 1);
  log_failure(exporter, http_status > 0 ? told : why);
  if (may_pass(http_status))
    put_off(exporter);
  else
    leave(exporter, false);
}

/* ---- What the transport tells -------------------------------------------- */

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  inf_exporter *exporter = context;
  inf_sv after;
  exporter->http_status = status;
  if (!inf_headers_get(headers, INF_SV("retry-after"), &after) ||
      !inf_parse_retry_after(after, unix_now_ns(exporter->engine),
                             &exporter->hint_ns))
    exporter->hint_ns = 0;
  return true;
}

/* Of a body that is too long nothing is taken, and its end is not waited
 * for. */
static bool
on_body(void *context, const char *ptr, size_t len)
{
  inf_exporter *exporter = context;
  if (inf_buf_append(&exporter->answer, ptr, len))
    return true;
  inf_buf_clear(&exporter->answer);
  return false;
}

static void
on_done(void *context, const inf_exchange_result *result)
{
  inf_exporter *exporter = context;
  exporter->exchange = NULL;
  finish(exporter, result->detail);
}

static const inf_exchange_events exchange_events = {NULL, on_headers, on_body,
                                                    on_done};

/* ---- The start of a request ---------------------------------------------- */

static void
send_body(inf_exporter *exporter, inf_otlp_signal signal, inf_sv body)
{
  static const char *const paths[] = {
      [INF_OTLP_TRACES] = "/v1/traces", [INF_OTLP_METRICS] = "/v1/metrics"};
  inf_engine *engine = exporter->engine;
  const inf_otlp_options *otlp = &exporter->config->client.otlp;
  exporter->signal = signal;
  exporter->http_status = 0;
  exporter->hint_ns = 0;
  exporter->until_ns = inf_time_add(engine->now_ns, ANSWER_NS);
  inf_buf_clear(&exporter->answer);
  inf_buf_clear(&exporter->url);
  inf_buf_append_cstr(&exporter->url, otlp->endpoint);
  inf_buf_append_cstr(&exporter->url, paths[signal]);
  exporter->sending = inf_config_ref(exporter->config);
  inf_http_request request = {
      .method = "POST",
      .url = inf_buf_cstr(&exporter->url),
      .headers = inf_buf_sv(&otlp->headers),
      .body = body,
      .endpoint = &otlp->network,
  };
  if (exporter->url.status == INFER_OK)
    exporter->exchange = engine->transport->ops->start(
        engine->transport, &request, &exchange_events, exporter);
  if (!exporter->exchange)
    finish(exporter, "out of memory");
}

/* Of the next series, and after them of all else: in the same request unless
 * that is large. */
static void
write_metrics(inf_exporter *exporter, const inf_otlp_origin *origin,
              const inf_otlp_times *times)
{
  inf_engine *engine = exporter->engine;
  inf_buf *body = &exporter->metrics;
  inf_otlp_request_open(body, INF_OTLP_METRICS, origin);
  exporter->series_after = NULL;
  if (exporter->series)
    exporter->series_after = inf_otlp_metrics_write(
        engine->runtime->telemetry, exporter->series, INF_EXPORT_SERIES,
        origin->names, times, inf_reason_name, body);
  exporter->state_after =
      exporter->series_after || (exporter->series && body->len > small_bytes);
  if (!exporter->state_after)
    inf_metrics_write_otlp(engine, exporter->config, times, body);
  inf_otlp_request_close(body, origin);
}

/* Without memory they are left out this time. */
static void
send_metrics(inf_exporter *exporter)
{
  inf_engine *engine = exporter->engine;
  inf_otlp_origin origin = origin_of(exporter);
  inf_otlp_times times = {exporter->start_unix_ns, unix_now_ns(engine)};
  inf_buf *body = &exporter->metrics;
  if (times.now_unix_ns < times.start_unix_ns)
    times.now_unix_ns = times.start_unix_ns; /* somebody set the clock */
  inf_buf_clear(body);
  write_metrics(exporter, &origin, &times);
  if (body->status == INFER_OK) {
    send_body(exporter, INF_OTLP_METRICS, inf_buf_sv(body));
    return;
  }
  inf_telemetry_note_dropped(engine->runtime->telemetry);
  exporter->series = exporter->series_after;
  exporter->state = exporter->state_after;
  inf_buf_fini(body);
  inf_buf_init(body, metrics_max_bytes);
}

static void
send_spans(inf_exporter *exporter)
{
  inf_otlp_origin origin = origin_of(exporter);
  send_body(exporter, INF_OTLP_TRACES,
            inf_span_queue_close(&exporter->spans, &origin));
}

/* ---- When ---------------------------------------------------------------- */

/* Metrics are due: from the first series on. */
static void
begin_metrics(inf_exporter *exporter)
{
  inf_engine *engine = exporter->engine;
  exporter->series = inf_telemetry_first(engine->runtime->telemetry);
  exporter->state = true;
  exporter->metrics_ns = interval_from_now(exporter);
}

/* Is the first batch to be sent now? */
static bool
spans_due(const inf_exporter *exporter)
{
  const inf_span_batch *first = inf_span_queue_first(&exporter->spans);
  return first &&
         (is_ending(exporter) || inf_span_queue_full(&exporter->spans) ||
          first->due_ns <= exporter->engine->now_ns);
}

static uint64_t
work_ns(const inf_exporter *exporter)
{
  uint64_t next_ns = exporter->metrics_ns;
  uint64_t now_ns = exporter->engine->now_ns;
  const inf_span_batch *first = inf_span_queue_first(&exporter->spans);
  if (exporter->exchange)
    return exporter->until_ns;
  if (first && first->due_ns < next_ns)
    next_ns = first->due_ns;
  if (exporter->state || spans_due(exporter))
    next_ns = now_ns;
  return exporter->retry_ns > next_ns ? exporter->retry_ns : next_ns;
}

uint64_t
inf_exporter_next_ns(const struct inf_engine *engine)
{
  const inf_exporter *exporter = engine->exporter;
  if (!exporter)
    return INF_NEVER;
  if (is_ending(exporter) && !exporter->exchange)
    return engine->now_ns;
  return exporter->next_ns;
}

/* Sends what is due. */
static void
send_due(inf_exporter *exporter)
{
  uint64_t now_ns = exporter->engine->now_ns;
  bool retries_spans =
      exporter->give_up_ns > 0 && exporter->signal == INF_OTLP_TRACES;
  if (exporter->retry_ns > now_ns && !is_ending(exporter))
    return;
  if (is_ending(exporter) && !exporter->last_metrics) {
    exporter->last_metrics = true;
    begin_metrics(exporter);
  } else if (exporter->metrics_ns <= now_ns) {
    begin_metrics(exporter);
  }
  if (exporter->state && !retries_spans)
    send_metrics(exporter);
  else if (spans_due(exporter))
    send_spans(exporter);
}

void
inf_exporter_run(struct inf_engine *engine)
{
  inf_exporter *exporter = engine->exporter;
  if (exporter->exchange && exporter->until_ns <= engine->now_ns) {
    exporter->http_status = 0;
    finish(exporter, "no answer within 10 s");
  }
  if (!exporter->exchange && !exporter->given_up)
    send_due(exporter);
  bool empty = !exporter->exchange && !exporter->state &&
               !inf_span_queue_first(&exporter->spans);
  if (exporter->given_up || (is_ending(exporter) && empty))
    inf_exporter_end(engine);
  else
    exporter->next_ns = work_ns(exporter);
}

void
inf_exporter_close(struct inf_engine *engine)
{
  if (engine->exporter)
    engine->exporter->closing = true;
}
