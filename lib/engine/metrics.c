/* SPDX-License-Identifier: MIT */
#include "engine/metrics.h"

#include "engine/budgets.h"
#include "engine/health.h"
#include "engine/hedger.h"
#include "engine/meter_view.h"
#include "engine/record.h"
#include "engine/refusals.h"
#include "engine/runtime_state.h"
#include "engine/stats.h"
#include "telemetry/metric_out.h"
#include "telemetry/prometheus.h"

#include <stdio.h>

/* Where a metric's samples go, one after the other. */
typedef struct sink {
  inf_metric_out to;
  struct infer_client *client;
  const inf_config *config;
  uint64_t now_ns;
  int64_t wall_ns;
} sink;

/* A counter's and a gauge's names, unit and help. */
#define COUNTER(prometheus, otlp, unit, help)                           \
  {                                                                     \
    "libinfer_" prometheus "_total", "libinfer." otlp, unit, help, true \
  }
#define GAUGE(prometheus, otlp, unit, help)                     \
  {                                                             \
    "libinfer_" prometheus, "libinfer." otlp, unit, help, false \
  }

/* ---- Hedges -------------------------------------------------------------- */

static inf_labels
route_labels(const inf_hedge_totals *totals)
{
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "route", totals->route);
  return labels;
}

static void
put_count(void *context, const inf_hedge_totals *totals, uint64_t count)
{
  sink *at = context;
  inf_labels labels = route_labels(totals);
  inf_metric_uint(&at->to, &labels, count);
}

static void
put_sent(void *context, const inf_hedge_totals *totals)
{
  put_count(context, totals, totals->sent);
}

static void
put_won(void *context, const inf_hedge_totals *totals)
{
  put_count(context, totals, totals->won);
}

static void
put_lost(void *context, const inf_hedge_totals *totals)
{
  put_count(context, totals, totals->lost);
}

static void
put_rescues(void *context, const inf_hedge_totals *totals)
{
  put_count(context, totals, totals->rescues);
}

static void
put_suppressed(void *context, const inf_hedge_totals *totals)
{
  sink *at = context;
  inf_labels labels = route_labels(totals);
  for (size_t i = 0; i < INF_HEDGE_REASONS; i++) {
    const char *cause = inf_hedger_reason_name((inf_hedge_reason)i);
    inf_labels more = inf_labels_with(&labels, "cause", cause ? cause : "");
    if (cause)
      inf_metric_uint(&at->to, &more, totals->suppressed[i]);
  }
}

static void
put_delay(void *context, const inf_hedge_totals *totals)
{
  sink *at = context;
  inf_labels labels = route_labels(totals);
  if (totals->delay_ns != INF_NEVER)
    inf_metric_nano(&at->to, &labels, totals->delay_ns);
}

static void
write_hedges(sink *at)
{
  static const struct {
    inf_metric_about about;
    void (*put)(void *context, const inf_hedge_totals *view);
  } metrics[] = {
      {COUNTER("hedges_sent", "hedges.sent", "{attempt}",
               "Hedges that were sent."),
       put_sent},
      {COUNTER("hedges_won", "hedges.won", "{attempt}",
               "Those that were sooner than the first attempt."),
       put_won},
      {COUNTER("hedges_lost", "hedges.lost", "{attempt}",
               "Those that were not."),
       put_lost},
      {COUNTER("hedges_suppressed", "hedges.suppressed", "{call}",
               "Calls without a hedge, by what spoke against it."),
       put_suppressed},
      {COUNTER("hedge_rescues", "hedge.rescues", "{attempt}",
               "Second attempts for calls at a target fallen silent."),
       put_rescues},
      {GAUGE("hedge_delay_seconds", "hedge.delay", "s",
             "When a hedge is sent, by the present plan."),
       put_delay},
  };
  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
    inf_metric_begin(&at->to, &metrics[i].about);
    inf_hedgers_each(at->client->runtime, metrics[i].put, at);
    inf_metric_end(&at->to);
  }
}

/* ---- Breakers ------------------------------------------------------------ */

static inf_labels
target_labels(const inf_health_view *view)
{
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "target", view->target);
  return labels;
}

static void
put_state(void *context, const inf_health_view *view)
{
  sink *at = context;
  inf_labels labels = target_labels(view);
  for (int32_t state = INF_BREAKER_CLOSED; state <= INF_BREAKER_RETURNING;
       state++) {
    inf_labels more =
        inf_labels_with(&labels, "state", inf_stats_breaker_state(state));
    inf_metric_uint(&at->to, &more, (int32_t)view->breaker.state == state);
  }
}

static void
put_opened(void *context, const inf_health_view *view)
{
  sink *at = context;
  inf_labels labels = target_labels(view);
  inf_metric_uint(&at->to, &labels, view->opened);
}

static void
put_denied(void *context, const inf_health_view *view)
{
  sink *at = context;
  inf_labels labels = target_labels(view);
  inf_metric_uint(&at->to, &labels, view->denied);
}

static void
write_breakers(sink *at)
{
  static const struct {
    inf_metric_about about;
    void (*put)(void *context, const inf_health_view *view);
  } metrics[] = {
      {GAUGE("breaker_state", "breaker.state", "{breaker}",
             "1 for the state that it is in."),
       put_state},
      {COUNTER("breaker_opened", "breaker.opened", "{time}",
               "How often it opened."),
       put_opened},
      {COUNTER("breaker_denied", "breaker.denied", "{request}",
               "Requests that it kept away."),
       put_denied},
  };
  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
    inf_metric_begin(&at->to, &metrics[i].about);
    inf_health_each(at->client->runtime, at->now_ns, metrics[i].put, at);
    inf_metric_end(&at->to);
  }
}

/* ---- Labels -------------------------------------------------------------- */

static void
put_refusal(void *context, const char *target, const char *label,
            uint64_t count)
{
  sink *at = context;
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "target", target);
  inf_labels_add(&labels, "label", label ? label : "");
  inf_metric_uint(&at->to, &labels, count);
}

static void
write_refusals(sink *at)
{
  static const inf_metric_about about =
      COUNTER("label_refusals", "label.refusals", "{call}",
              "Calls from which a missing label kept a target out.");
  inf_metric_begin(&at->to, &about);
  inf_refusals_each(at->client->runtime, put_refusal, at);
  inf_metric_end(&at->to);
}

/* ---- Limits -------------------------------------------------------------- */

static inf_labels
meter_labels(const sink *at, const inf_meter_view *view, char key[24])
{
  inf_labels labels = {.count = 0};
  int64_t index = inf_stats_key(at->config, view->provider, view->fingerprint);
  /* Keys that the configuration no longer has are told apart all the same. */
  if (index >= 0)
    snprintf(key, 24, "%lld", (long long)index);
  else
    snprintf(key, 24, "gone-%zu", view->number);
  inf_labels_add(&labels, "provider", view->provider);
  inf_labels_add(&labels, "model", view->model);
  inf_labels_add(&labels, "key", view->fingerprint == 0 ? "" : key);
  return labels;
}

static void
put_limits(sink *at, const inf_meter_view *view, bool free)
{
  char key[24], period[24];
  inf_labels labels = meter_labels(at, view, key);
  for (size_t i = 0; i < view->count; i++) {
    const inf_limit_view *limit = &view->limits[i];
    snprintf(period, sizeof period, "%llus",
             (unsigned long long)(limit->period_ns / INF_NS_PER_S));
    inf_labels more = inf_labels_with(&labels, "unit", limit->unit);
    inf_labels_add(&more, "period", period);
    inf_labels_add(&more, "source", limit->told ? "provider" : "configuration");
    inf_metric_double(&at->to, &more, free ? limit->free : limit->limit);
  }
}

static void
put_limit(void *context, const inf_meter_view *view)
{
  put_limits(context, view, false);
}

static void
put_free(void *context, const inf_meter_view *view)
{
  put_limits(context, view, true);
}

static void
put_headroom(void *context, const inf_meter_view *view)
{
  sink *at = context;
  char key[24];
  inf_labels labels = meter_labels(at, view, key);
  inf_metric_double(&at->to, &labels, view->headroom_percent / 100.0);
}

static void
write_limits(sink *at)
{
  static const struct {
    inf_metric_about about;
    void (*put)(void *context, const inf_meter_view *view);
  } metrics[] = {
      {GAUGE("limit_units", "limit.units", "{unit}",
             "Rate limits, in units per period."),
       put_limit},
      {GAUGE("limit_free_units", "limit.free_units", "{unit}",
             "What is free of them now."),
       put_free},
      {GAUGE("limit_headroom_ratio", "limit.headroom", "1",
             "The least free share of all limits of a key."),
       put_headroom},
  };
  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
    inf_metric_begin(&at->to, &metrics[i].about);
    inf_meters_each(at->client->runtime, at->now_ns, metrics[i].put, at);
    inf_metric_end(&at->to);
  }
}

/* ---- Budgets ------------------------------------------------------------- */

/* -1: there is no limit, and no sample. */
static void
put_budget(sink *at, const inf_budgets_view *view, int64_t number, bool money)
{
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "budget", view->name);
  inf_labels_add(&labels, "per", view->per);
  inf_labels_add(&labels, "key", view->key);
  inf_labels_add(&labels, "period", view->period);
  if (number >= 0 && money)
    inf_metric_nano(&at->to, &labels, (uint64_t)number);
  else if (number >= 0)
    inf_metric_uint(&at->to, &labels, (uint64_t)number);
}

static void
put_spent(void *context, const inf_budgets_view *view)
{
  put_budget(context, view, view->spent.nano_usd, true);
}

static void
put_reserved(void *context, const inf_budgets_view *view)
{
  put_budget(context, view, view->reserved.nano_usd, true);
}

static void
put_dollars(void *context, const inf_budgets_view *view)
{
  put_budget(context, view, view->limit.nano_usd, true);
}

static void
put_spent_tokens(void *context, const inf_budgets_view *view)
{
  put_budget(context, view, view->spent.tokens, false);
}

static void
put_reserved_tokens(void *context, const inf_budgets_view *view)
{
  put_budget(context, view, view->reserved.tokens, false);
}

static void
put_tokens(void *context, const inf_budgets_view *view)
{
  put_budget(context, view, view->limit.tokens, false);
}

static void
put_refused(void *context, const inf_budgets_view *view)
{
  put_budget(context, view, (int64_t)view->refused, false);
}

static void
write_budgets(sink *at)
{
  static const struct {
    inf_metric_about about;
    void (*put)(void *context, const inf_budgets_view *view);
  } metrics[] = {
      {GAUGE("budget_spent_usd", "budget.spent", "{USD}",
             "Dollars spent in the budget's present period."),
       put_spent},
      {GAUGE("budget_reserved_usd", "budget.reserved", "{USD}",
             "Dollars that attempts under way have reserved."),
       put_reserved},
      {GAUGE("budget_limit_usd", "budget.limit", "{USD}",
             "Dollars that may be spent in a period."),
       put_dollars},
      {GAUGE("budget_spent_tokens", "budget.spent_tokens", "{token}",
             "Tokens spent in the present period."),
       put_spent_tokens},
      {GAUGE("budget_reserved_tokens", "budget.reserved_tokens", "{token}",
             "Tokens that attempts under way have reserved."),
       put_reserved_tokens},
      {GAUGE("budget_limit_tokens", "budget.limit_tokens", "{token}",
             "Tokens that may be spent in a period."),
       put_tokens},
      {COUNTER("budget_refused", "budget.refused", "{attempt}",
               "Attempts that were refused."),
       put_refused},
  };
  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
    inf_metric_begin(&at->to, &metrics[i].about);
    inf_budgets_each(at->client->runtime, at->wall_ns, metrics[i].put, at);
    inf_metric_end(&at->to);
  }
}

/* ---- The client itself --------------------------------------------------- */

typedef struct number {
  inf_metric_about about;
  uint64_t value;
} number;

static void
write_numbers(sink *at, const number *numbers, size_t count)
{
  static const inf_labels none = {.count = 0};
  for (size_t i = 0; i < count; i++) {
    inf_metric_begin(&at->to, &numbers[i].about);
    inf_metric_uint(&at->to, &none, numbers[i].value);
    inf_metric_end(&at->to);
  }
}

static void
write_client(sink *at)
{
  inf_telemetry_memory memory =
      inf_telemetry_memory_of(at->client->runtime->telemetry);
  const number numbers[] = {
      {GAUGE("calls_in_flight", "calls.in_flight", "{call}",
             "Calls that have not ended."),
       atomic_load(&at->client->call_count)},
      {GAUGE("telemetry_memory_bytes", "telemetry.memory", "By",
             "What statistics take."),
       memory.used_bytes},
      {COUNTER("telemetry_dropped", "telemetry.dropped", "{record}",
               "Records for which there was no room."),
       memory.dropped},
  };
  write_numbers(at, numbers, sizeof numbers / sizeof numbers[0]);
}

/* What a collector has got, and what it has not. */
static void
write_exported(sink *at)
{
  const inf_export_counts *counts = &at->client->runtime->exported;
  const number numbers[] = {
      {COUNTER("collector_spans_sent", "collector.spans_sent", "{span}",
               "Spans that the collector has got."),
       atomic_load(&counts->spans_sent)},
      {COUNTER("collector_spans_dropped", "collector.spans_dropped", "{span}",
               "Spans that it has not got and will not."),
       atomic_load(&counts->spans_dropped)},
      {COUNTER("collector_rejected", "collector.rejected", "{record}",
               "Spans and points that it refused of what it took."),
       atomic_load(&counts->rejected)},
      {COUNTER("collector_requests", "collector.requests", "{request}",
               "Requests to the collector that have ended."),
       atomic_load(&counts->requests)},
      {COUNTER("collector_failed_requests", "collector.failed_requests",
               "{request}", "Those that failed."),
       atomic_load(&counts->requests_failed)},
      {GAUGE("collector_queue_bytes", "collector.queue", "By",
             "What waits for the collector."),
       atomic_load(&counts->queued_bytes)},
  };
  write_numbers(at, numbers, sizeof numbers / sizeof numbers[0]);
}

/* ---- All of it ----------------------------------------------------------- */

static void
write_state(struct infer_client *client, const inf_config *config,
            const inf_otlp_times *times, inf_buf *out)
{
  const inf_clock *clock = client->engine.clock;
  sink at = {
      .to = {.out = out, .times = times},
      .client = client,
      .config = config,
      .now_ns = inf_clock_now(clock),
      .wall_ns = clock->wall_ns(clock->context),
  };
  write_hedges(&at);
  write_breakers(&at);
  write_refusals(&at);
  write_limits(&at);
  if (config->budget_count > 0)
    write_budgets(&at);
  write_client(&at);
  if (atomic_load(&client->runtime->exported.used))
    write_exported(&at);
}

void
inf_metrics_write(struct infer_client *client, inf_buf *out)
{
  pthread_mutex_lock(&client->mutex);
  inf_config *config = inf_config_ref(client->config);
  pthread_mutex_unlock(&client->mutex);
  inf_prometheus_write(client->runtime->telemetry, inf_reason_name, out);
  write_state(client, config, NULL, out);
  inf_config_unref(config);
}

void
inf_metrics_write_otlp(inf_engine *engine, const inf_config *config,
                       const inf_otlp_times *times, inf_buf *out)
{
  write_state(INF_CONTAINER_OF(engine, struct infer_client, engine), config,
              times, out);
}
