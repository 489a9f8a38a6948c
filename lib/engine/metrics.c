/* SPDX-License-Identifier: MIT */
#include "engine/metrics.h"

#include "engine/health.h"
#include "engine/hedger.h"
#include "engine/meter_view.h"
#include "engine/record.h"
#include "engine/refusals.h"
#include "engine/runtime_state.h"
#include "engine/stats.h"
#include "telemetry/prometheus.h"

#include <stdio.h>

/* Where a family's samples go, one after the other. */
typedef struct sink {
  const char *name;
  const inf_config *config;
  inf_buf *out;
} sink;

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
  const sink *at = context;
  inf_labels labels = route_labels(totals);
  inf_sample_uint(at->out, at->name, &labels, count);
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
  const sink *at = context;
  inf_labels labels = route_labels(totals);
  for (size_t i = 0; i < INF_HEDGE_REASONS; i++) {
    const char *cause = inf_hedger_reason_name((inf_hedge_reason)i);
    inf_labels more = inf_labels_with(&labels, "cause", cause ? cause : "");
    if (cause)
      inf_sample_uint(at->out, at->name, &more, totals->suppressed[i]);
  }
}

static void
put_delay(void *context, const inf_hedge_totals *totals)
{
  const sink *at = context;
  inf_labels labels = route_labels(totals);
  if (totals->delay_ns != INF_NEVER)
    inf_sample_nano(at->out, at->name, &labels, totals->delay_ns);
}

static void
write_hedges(inf_runtime *runtime, inf_buf *out)
{
  static const struct {
    const char *name, *type, *help;
    void (*put)(void *context, const inf_hedge_totals *totals);
  } families[] = {
      {"libinfer_hedges_sent_total", "counter", "Hedges that were sent.",
       put_sent},
      {"libinfer_hedges_won_total", "counter",
       "Those that were sooner than the first attempt.", put_won},
      {"libinfer_hedges_lost_total", "counter", "Those that were not.",
       put_lost},
      {"libinfer_hedges_suppressed_total", "counter",
       "Calls without a hedge, by what spoke against it.", put_suppressed},
      {"libinfer_hedge_rescues_total", "counter",
       "Second attempts for calls at a target fallen silent.", put_rescues},
      {"libinfer_hedge_delay_seconds", "gauge",
       "When a hedge is sent, by the present plan.", put_delay},
  };
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    sink at = {families[i].name, NULL, out};
    inf_family_begin(out, families[i].name, families[i].type, families[i].help);
    inf_hedgers_each(runtime, families[i].put, &at);
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
  const sink *at = context;
  inf_labels labels = target_labels(view);
  for (int32_t state = INF_BREAKER_CLOSED; state <= INF_BREAKER_RETURNING;
       state++) {
    inf_labels more =
        inf_labels_with(&labels, "state", inf_stats_breaker_state(state));
    inf_sample_uint(at->out, at->name, &more,
                    (int32_t)view->breaker.state == state);
  }
}

static void
put_opened(void *context, const inf_health_view *view)
{
  const sink *at = context;
  inf_labels labels = target_labels(view);
  inf_sample_uint(at->out, at->name, &labels, view->opened);
}

static void
put_denied(void *context, const inf_health_view *view)
{
  const sink *at = context;
  inf_labels labels = target_labels(view);
  inf_sample_uint(at->out, at->name, &labels, view->denied);
}

static void
write_breakers(inf_runtime *runtime, uint64_t now_ns, inf_buf *out)
{
  static const struct {
    const char *name, *type, *help;
    void (*put)(void *context, const inf_health_view *view);
  } families[] = {
      {"libinfer_breaker_state", "gauge", "1 for the state that it is in.",
       put_state},
      {"libinfer_breaker_opened_total", "counter", "How often it opened.",
       put_opened},
      {"libinfer_breaker_denied_total", "counter",
       "Requests that it kept away.", put_denied},
  };
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    sink at = {families[i].name, NULL, out};
    inf_family_begin(out, families[i].name, families[i].type, families[i].help);
    inf_health_each(runtime, now_ns, families[i].put, &at);
  }
}

/* ---- Labels -------------------------------------------------------------- */

static void
put_refusal(void *context, const char *target, const char *label,
            uint64_t count)
{
  const sink *at = context;
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "target", target);
  inf_labels_add(&labels, "label", label ? label : "");
  inf_sample_uint(at->out, at->name, &labels, count);
}

static void
write_refusals(inf_runtime *runtime, inf_buf *out)
{
  static const char name[] = "libinfer_label_refusals_total";
  sink at = {name, NULL, out};
  inf_family_begin(out, name, "counter",
                   "Calls from which a missing label kept a target out.");
  inf_refusals_each(runtime, put_refusal, &at);
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
put_limits(const sink *at, const inf_meter_view *view, bool free)
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
    inf_sample_double(at->out, at->name, &more,
                      free ? limit->free : limit->limit);
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
  const sink *at = context;
  char key[24];
  inf_labels labels = meter_labels(at, view, key);
  inf_sample_double(at->out, at->name, &labels, view->headroom_percent / 100.0);
}

static void
write_limits(inf_runtime *runtime, const inf_config *config, uint64_t now_ns,
             inf_buf *out)
{
  static const struct {
    const char *name, *help;
    void (*put)(void *context, const inf_meter_view *view);
  } families[] = {
      {"libinfer_limit_units", "Rate limits, in units per period.", put_limit},
      {"libinfer_limit_free_units", "What is free of them now.", put_free},
      {"libinfer_limit_headroom_ratio",
       "The least free share of all limits of a key.", put_headroom},
  };
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    sink at = {families[i].name, config, out};
    inf_family_begin(out, families[i].name, "gauge", families[i].help);
    inf_meters_each(runtime, now_ns, families[i].put, &at);
  }
}

/* ---- All of it ----------------------------------------------------------- */

static void
write_one(inf_buf *out, const char *name, const char *type, const char *help,
          uint64_t value)
{
  static const inf_labels none = {.count = 0};
  inf_family_begin(out, name, type, help);
  inf_sample_uint(out, name, &none, value);
}

void
inf_metrics_write(struct infer_client *client, inf_buf *out)
{
  inf_runtime *runtime = client->runtime;
  uint64_t now_ns = inf_clock_now(client->engine.clock);
  inf_telemetry_memory memory = inf_telemetry_memory_of(runtime->telemetry);
  pthread_mutex_lock(&client->mutex);
  inf_config *config = inf_config_ref(client->config);
  pthread_mutex_unlock(&client->mutex);
  inf_prometheus_write(runtime->telemetry, inf_reason_name, out);
  write_hedges(runtime, out);
  write_breakers(runtime, now_ns, out);
  write_refusals(runtime, out);
  write_limits(runtime, config, now_ns, out);
  inf_config_unref(config);
  write_one(out, "libinfer_calls_in_flight", "gauge",
            "Calls that have not ended.", atomic_load(&client->call_count));
  write_one(out, "libinfer_telemetry_memory_bytes", "gauge",
            "What statistics take.", memory.used_bytes);
  write_one(out, "libinfer_telemetry_dropped_total", "counter",
            "Records for which there was no room.", memory.dropped);
}
