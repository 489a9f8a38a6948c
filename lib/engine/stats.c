/* SPDX-License-Identifier: MIT */
#include "engine/stats.h"

#include "base/mem.h"
#include "engine/health.h"
#include "engine/budgets.h"
#include "engine/hedger.h"
#include "engine/meter_view.h"
#include "engine/record.h"
#include "engine/refusals.h"
#include "engine/runtime_state.h"
#include "engine/spend.h"
#include "telemetry/genai.h"
#include "wire/json_write.h"

static void
put_uint(inf_buf *out, inf_sv key, uint64_t value)
{
  inf_json_member_int(out, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void
put_double(inf_buf *out, inf_sv key, double value)
{
  inf_json_key(out, key);
  inf_json_put_double(out, value);
}

static void
put_text(inf_buf *out, inf_sv key, const char *text)
{
  inf_json_member_string(out, key, inf_sv_from(text));
}

/* ---- Windows ------------------------------------------------------------- */

static void
write_quantiles(inf_buf *out, inf_sv key, const inf_quantiles *quantiles)
{
  static const char *const names[INF_QUANTILES] = {"p50", "p90", "p95", "p99"};
  inf_json_key(out, key);
  inf_json_open(out, '{');
  put_uint(out, INF_SV("seen"), quantiles->events);
  put_uint(out, INF_SV("cut"), quantiles->censored);
  for (size_t i = 0; i < INF_QUANTILES; i++) {
    inf_json_key(out, inf_sv_from(names[i]));
    if (quantiles->ns[i] == INF_NEVER)
      inf_json_put_null(out);
    else
      inf_json_put_double(out, (double)quantiles->ns[i] / 1e6);
  }
  inf_json_close(out, '}');
}

static void
write_window(inf_telemetry *telemetry, const inf_telemetry_series *series,
             inf_window window, uint64_t now_ns, inf_quantile_work *work,
             inf_buf *out)
{
  static const inf_sv keys[INF_TIMES] = {
      [INF_TIME_FIRST_TOKEN] = INF_SV("first_token_ms"),
      [INF_TIME_PER_TOKEN] = INF_SV("per_output_token_ms"),
      [INF_TIME_TOTAL] = INF_SV("total_ms"),
      [INF_TIME_LIMITER] = INF_SV("limiter_wait_ms"),
  };
  inf_window_counts counts =
      inf_telemetry_window_counts(telemetry, series, window, now_ns);
  uint64_t length_ns =
      inf_window_length_ns(window, inf_telemetry_began_ns(telemetry), now_ns);
  /* Of less than a second no rate is told that looks like one. */
  double seconds = (double)length_ns / 1e9, over = seconds < 1 ? 1 : seconds;
  inf_json_key(out, inf_sv_from(inf_window_name(window)));
  inf_json_open(out, '{');
  put_double(out, INF_SV("seconds"), seconds);
  put_uint(out, INF_SV("attempts"), counts.attempts);
  put_uint(out, INF_SV("failed"), counts.failed);
  put_double(out, INF_SV("attempts_per_s"), (double)counts.attempts / over);
  put_uint(out, INF_SV("input_tokens"), counts.input_tokens);
  put_uint(out, INF_SV("output_tokens"), counts.output_tokens);
  put_double(out, INF_SV("output_tokens_per_s"),
             (double)counts.output_tokens / over);
  put_uint(out, INF_SV("cost_nano_usd"), counts.cost_nano_usd);
  for (size_t kind = 0; kind < INF_TIMES; kind++) {
    inf_quantiles quantiles = inf_telemetry_quantiles(
        telemetry, series, window, (inf_time_kind)kind, now_ns, work);
    write_quantiles(out, keys[kind], &quantiles);
  }
  inf_json_close(out, '}');
}

/* ---- Targets ------------------------------------------------------------- */

/* Counts of classes, those that are not 0. */
static void
write_classes(inf_buf *out, const uint64_t counts[INF_TELEMETRY_CLASSES])
{
  inf_json_open(out, '{');
  for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++) {
    char type[32];
    inf_telemetry_error_type(class, type);
    if (counts[class] > 0)
      put_uint(out, inf_sv_from(type[0] ? type : "ok"), counts[class]);
  }
  inf_json_close(out, '}');
}

static bool
any(const uint64_t counts[INF_TELEMETRY_CLASSES])
{
  for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++)
    if (counts[class] > 0)
      return true;
  return false;
}

static void
write_counters(const inf_series_counters *counters, inf_buf *out)
{
  static const inf_sv kinds[INF_TOKENS] = {
      [INF_TOKENS_INPUT] = INF_SV("input"),
      [INF_TOKENS_CACHED] = INF_SV("cached"),
      [INF_TOKENS_OUTPUT] = INF_SV("output"),
      [INF_TOKENS_REASONING] = INF_SV("reasoning"),
  };
  inf_json_key(out, INF_SV("calls"));
  write_classes(out, counters->calls);
  inf_json_key(out, INF_SV("attempts"));
  inf_json_open(out, '{');
  for (int32_t reason = 0; reason < INF_TELEMETRY_REASONS; reason++) {
    if (!any(counters->attempts[reason]))
      continue;
    inf_json_key(out, inf_sv_from(inf_reason_name(reason)));
    write_classes(out, counters->attempts[reason]);
  }
  inf_json_close(out, '}');
  inf_json_key(out, INF_SV("tokens"));
  inf_json_open(out, '{');
  for (size_t kind = 0; kind < INF_TOKENS; kind++)
    put_uint(out, kinds[kind], counters->tokens[kind]);
  inf_json_close(out, '}');
  put_uint(out, INF_SV("cost_nano_usd"), counters->cost_nano_usd);
  put_uint(out, INF_SV("wasted_cost_nano_usd"), counters->wasted_cost_nano_usd);
  put_uint(out, INF_SV("unpriced_attempts"), counters->unpriced);
  put_uint(out, INF_SV("limiter_refusals"), counters->refusals);
}

static void
write_targets(inf_telemetry *telemetry, uint64_t now_ns,
              inf_quantile_work *work, inf_buf *out)
{
  const inf_telemetry_series *series = inf_telemetry_first(telemetry);
  inf_json_open(out, '[');
  for (; series; series = series->next) {
    inf_series_counters counters;
    inf_telemetry_counters(telemetry, series, &counters);
    inf_json_open(out, '{');
    put_text(out, INF_SV("target"), series->target);
    put_text(out, INF_SV("provider"), series->provider);
    put_text(out, INF_SV("model"), series->model);
    put_text(out, INF_SV("route"), series->route);
    put_text(out, INF_SV("operation"), inf_genai_operation(series->embeds));
    write_counters(&counters, out);
    inf_json_key(out, INF_SV("windows"));
    inf_json_open(out, '{');
    for (size_t i = 0; i < INF_WINDOWS; i++)
      write_window(telemetry, series, (inf_window)i, now_ns, work, out);
    inf_json_close(out, '}');
    inf_json_close(out, '}');
  }
  inf_json_close(out, ']');
}

/* ---- Limits and breakers ------------------------------------------------- */

int64_t
inf_stats_key(const inf_config *config, const char *provider,
              uint64_t fingerprint)
{
  const inf_provider_config *found =
      inf_config_provider(config, inf_sv_from(provider));
  for (size_t i = 0; found && i < found->key_count; i++)
    if (found->keys[i].fingerprint == fingerprint)
      return (int64_t)i;
  return -1;
}

typedef struct limits_context {
  const inf_config *config;
  inf_buf *out;
} limits_context;

static void
write_limit(inf_buf *out, const inf_limit_view *limit)
{
  inf_json_open(out, '{');
  put_text(out, INF_SV("unit"), limit->unit);
  put_double(out, INF_SV("period_s"), (double)limit->period_ns / 1e9);
  put_double(out, INF_SV("limit"), limit->limit);
  put_double(out, INF_SV("free"), limit->free);
  put_text(out, INF_SV("source"), limit->told ? "provider" : "configuration");
  inf_json_close(out, '}');
}

static void
write_meter(void *context, const inf_meter_view *view)
{
  const limits_context *at = context;
  inf_buf *out = at->out;
  int64_t key = inf_stats_key(at->config, view->provider, view->fingerprint);
  inf_json_open(out, '{');
  put_text(out, INF_SV("provider"), view->provider);
  put_text(out, INF_SV("model"), view->model);
  inf_json_key(out, INF_SV("key"));
  if (key < 0)
    inf_json_put_null(out);
  else
    inf_json_put_int(out, key);
  inf_json_member_int(out, INF_SV("headroom_percent"), view->headroom_percent);
  inf_json_member_int(out, INF_SV("concurrency"), view->concurrency);
  inf_json_member_int(out, INF_SV("under_way"), view->open);
  inf_json_key(out, INF_SV("limits"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < view->count; i++)
    write_limit(out, &view->limits[i]);
  inf_json_close(out, ']');
  inf_json_close(out, '}');
}

const char *
inf_stats_breaker_state(int32_t state)
{
  static const char *const names[] = {
      [INF_BREAKER_CLOSED] = "closed",
      [INF_BREAKER_OPEN] = "open",
      [INF_BREAKER_RETURNING] = "returning",
  };
  return names[state];
}

static void
write_breaker(void *context, const inf_health_view *view)
{
  static const char *const causes[] = {
      [INF_BREAKER_NO_CAUSE] = "",
      [INF_BREAKER_FAILING] = "failing",
      [INF_BREAKER_CUT] = "cut",
      [INF_BREAKER_SLOW] = "slow",
  };
  inf_buf *out = context;
  inf_json_open(out, '{');
  put_text(out, INF_SV("target"), view->target);
  put_text(out, INF_SV("state"), inf_stats_breaker_state(view->breaker.state));
  put_text(out, INF_SV("cause"), causes[view->breaker.cause]);
  inf_json_member_int(out, INF_SV("evidence_percent"),
                      view->breaker.evidence_percent);
  inf_json_member_int(out, INF_SV("share_percent"),
                      view->breaker.share_percent);
  put_uint(out, INF_SV("opened"), view->opened);
  put_uint(out, INF_SV("probes"), view->probes);
  put_uint(out, INF_SV("denied"), view->denied);
  inf_json_close(out, '}');
}

/* ---- All of it ----------------------------------------------------------- */

static void
write_tenants(inf_telemetry *telemetry, inf_buf *out)
{
  const inf_telemetry_tenant *tenant = inf_telemetry_first_tenant(telemetry);
  inf_json_open(out, '{');
  for (; tenant; tenant = tenant->next) {
    inf_tenant_counters counters =
        inf_telemetry_tenant_counters(telemetry, tenant);
    inf_json_key(out, inf_sv_from(tenant->name));
    inf_json_open(out, '{');
    put_uint(out, INF_SV("calls"), counters.calls);
    put_uint(out, INF_SV("failed"), counters.failed);
    put_uint(out, INF_SV("input_tokens"), counters.input_tokens);
    put_uint(out, INF_SV("output_tokens"), counters.output_tokens);
    put_uint(out, INF_SV("cost_nano_usd"), counters.cost_nano_usd);
    inf_json_close(out, '}');
  }
  inf_json_close(out, '}');
}

static void
write_exported(const inf_export_counts *counts, inf_buf *out)
{
  inf_json_open(out, '{');
  put_uint(out, INF_SV("spans_sent"), atomic_load(&counts->spans_sent));
  put_uint(out, INF_SV("spans_dropped"), atomic_load(&counts->spans_dropped));
  put_uint(out, INF_SV("rejected"), atomic_load(&counts->rejected));
  put_uint(out, INF_SV("requests"), atomic_load(&counts->requests));
  put_uint(out, INF_SV("requests_failed"),
           atomic_load(&counts->requests_failed));
  put_uint(out, INF_SV("queued_bytes"), atomic_load(&counts->queued_bytes));
  inf_json_close(out, '}');
}

static void
write_memory(const inf_runtime *runtime, inf_telemetry *telemetry, inf_buf *out)
{
  inf_telemetry_memory memory = inf_telemetry_memory_of(telemetry);
  inf_json_open(out, '{');
  put_uint(out, INF_SV("bytes"), memory.used_bytes);
  put_uint(out, INF_SV("max_bytes"), memory.cap_bytes);
  put_uint(out, INF_SV("dropped"), memory.dropped);
  if (atomic_load(&runtime->exported.used)) {
    inf_json_key(out, INF_SV("otlp"));
    write_exported(&runtime->exported, out);
  }
  inf_json_close(out, '}');
}

static void
write_all(struct infer_client *client, const inf_config *config,
          inf_quantile_work *work, inf_buf *out)
{
  inf_runtime *runtime = client->runtime;
  inf_telemetry *telemetry = runtime->telemetry;
  uint64_t now_ns = inf_clock_now(client->engine.clock);
  limits_context limits = {config, out};
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("hedging"));
  inf_hedgers_write_json(runtime, out);
  inf_json_key(out, INF_SV("spend"));
  inf_spends_write_json(runtime, out);
  const inf_clock *clock = client->engine.clock;
  inf_json_key(out, INF_SV("budgets"));
  inf_budgets_write_json(runtime, clock->wall_ns(clock->context), out);
  inf_refusals_write_json(runtime, out);
  put_uint(out, INF_SV("calls_in_flight"), atomic_load(&client->call_count));
  inf_json_key(out, INF_SV("targets"));
  write_targets(telemetry, now_ns, work, out);
  inf_json_key(out, INF_SV("limits"));
  inf_json_open(out, '[');
  inf_meters_each(runtime, now_ns, write_meter, &limits);
  inf_json_close(out, ']');
  inf_json_key(out, INF_SV("breakers"));
  inf_json_open(out, '[');
  inf_health_each(runtime, now_ns, write_breaker, out);
  inf_json_close(out, ']');
  inf_json_key(out, INF_SV("tenants"));
  write_tenants(telemetry, out);
  inf_json_key(out, INF_SV("telemetry"));
  write_memory(runtime, telemetry, out);
  inf_json_close(out, '}');
}

int32_t
inf_stats_write(struct infer_client *client, inf_buf *out)
{
  inf_quantile_work *work = inf_malloc(sizeof *work);
  if (!work)
    return INFER_E_NO_MEMORY;
  pthread_mutex_lock(&client->mutex);
  inf_config *config = inf_config_ref(client->config);
  pthread_mutex_unlock(&client->mutex);
  write_all(client, config, work, out);
  inf_config_unref(config);
  inf_free(work);
  return out->status;
}
