/* SPDX-License-Identifier: MIT */
#include "telemetry/otlp_metrics.h"

#include "telemetry/genai.h"

/* What a function that writes a metric's points of one series is given. */
typedef struct view {
  inf_telemetry *telemetry;
  const inf_telemetry_series *series;
  inf_series_counters counters;
  const inf_otlp_times *times;
  const char *(*reason_name)(int32_t reason);
  inf_buf *out;
} view;

/* ---- Points -------------------------------------------------------------- */

/* Attributes of calls, by the conventions. */
static void
open_call_point(const view *at)
{
  inf_otlp_point_open(at->out);
  inf_otlp_put_text(at->out, "gen_ai.operation.name",
                    inf_genai_operation(at->series->embeds));
  inf_otlp_put_text(at->out, "gen_ai.provider.name",
                    inf_genai_provider(at->series->kind));
  inf_otlp_put_text(at->out, "gen_ai.request.model", at->series->model);
  inf_otlp_put_text(at->out, "libinfer.provider", at->series->provider);
  inf_otlp_put_text(at->out, "libinfer.route", at->series->route);
}

static void
open_point(const view *at)
{
  inf_otlp_point_open(at->out);
  inf_otlp_put_text(at->out, "libinfer.provider", at->series->provider);
  inf_otlp_put_text(at->out, "libinfer.model", at->series->model);
  inf_otlp_put_text(at->out, "libinfer.route", at->series->route);
  inf_otlp_put_text(at->out, "libinfer.operation",
                    at->series->embeds ? "embeddings" : "");
}

static void
put_class(const view *at, size_t class)
{
  char type[32];
  inf_otlp_put_text(at->out, "error.type",
                    inf_telemetry_error_type(class, type));
}

static void
put_durations(const view *at)
{
  for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++) {
    inf_buckets buckets;
    if (!inf_telemetry_durations(at->telemetry, at->series, class, &buckets))
      continue;
    open_call_point(at);
    put_class(at, class);
    inf_otlp_point_buckets(at->out, at->times, &buckets, &inf_bounds_durations);
  }
}

static void
put_first_chunk(const view *at)
{
  const inf_buckets *buckets = &at->counters.call_first_token;
  if (inf_buckets_total(buckets) == 0)
    return;
  open_call_point(at);
  inf_otlp_point_buckets(at->out, at->times, buckets, &inf_bounds_durations);
}

/* type: of the histogram that has both. */
static void
put_call_tokens(const view *at, size_t which, const char *type)
{
  const inf_buckets *buckets = &at->counters.call_tokens[which];
  if (inf_buckets_total(buckets) == 0)
    return;
  open_call_point(at);
  inf_otlp_put_text(at->out, "gen_ai.token.type", type);
  inf_otlp_point_buckets(at->out, at->times, buckets, &inf_bounds_tokens);
}

static void
put_token_usage(const view *at)
{
  put_call_tokens(at, 0, "input");
  put_call_tokens(at, 1, "output");
}

static void
put_input_tokens(const view *at)
{
  put_call_tokens(at, 0, NULL);
}

static void
put_output_tokens(const view *at)
{
  put_call_tokens(at, 1, NULL);
}

static void
put_usage(const view *at, size_t which)
{
  const inf_buckets *buckets = &at->counters.call_tokens[which];
  if (inf_buckets_total(buckets) == 0)
    return;
  open_call_point(at);
  inf_otlp_point_count(at->out, at->times, buckets->sum);
}

static void
put_input_usage(const view *at)
{
  put_usage(at, 0);
}

static void
put_output_usage(const view *at)
{
  put_usage(at, 1);
}

static void
put_buckets(const view *at, const inf_buckets *buckets,
            const inf_bucket_bounds *bounds)
{
  if (inf_buckets_total(buckets) == 0)
    return;
  open_point(at);
  inf_otlp_point_buckets(at->out, at->times, buckets, bounds);
}

static void
put_first_token(const view *at)
{
  put_buckets(at, &at->counters.first_token, &inf_bounds_durations);
}

static void
put_per_token(const view *at)
{
  put_buckets(at, &at->counters.per_token, &inf_bounds_per_token);
}

static void
put_limiter(const view *at)
{
  put_buckets(at, &at->counters.limiter, &inf_bounds_durations);
}

static void
put_attempts(const view *at)
{
  for (int32_t reason = 0; reason < INF_TELEMETRY_REASONS; reason++)
    for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++) {
      uint64_t count = at->counters.attempts[reason][class];
      if (count == 0)
        continue;
      open_point(at);
      inf_otlp_put_text(at->out, "libinfer.attempt.reason",
                        at->reason_name(reason));
      put_class(at, class);
      inf_otlp_point_count(at->out, at->times, count);
    }
}

static void
put_calls(const view *at)
{
  for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++) {
    if (at->counters.calls[class] == 0)
      continue;
    open_point(at);
    put_class(at, class);
    inf_otlp_point_count(at->out, at->times, at->counters.calls[class]);
  }
}

static void
put_tokens(const view *at)
{
  static const char *const kinds[INF_TOKENS] = {
      [INF_TOKENS_INPUT] = "input",
      [INF_TOKENS_CACHED] = "cached_input",
      [INF_TOKENS_OUTPUT] = "output",
      [INF_TOKENS_REASONING] = "reasoning_output",
  };
  for (size_t i = 0; i < INF_TOKENS; i++) {
    open_point(at);
    inf_otlp_put_text(at->out, "libinfer.token.type", kinds[i]);
    inf_otlp_point_count(at->out, at->times, at->counters.tokens[i]);
  }
}

static void
put_cost(const view *at)
{
  const struct {
    const char *use;
    uint64_t nano_usd;
  } uses[] = {{"delivered", at->counters.cost_nano_usd},
              {"wasted", at->counters.wasted_cost_nano_usd}};
  for (size_t i = 0; i < 2; i++) {
    open_point(at);
    inf_otlp_put_text(at->out, "libinfer.cost.use", uses[i].use);
    inf_otlp_point_double(at->out, at->times, (double)uses[i].nano_usd / 1e9);
  }
}

static void
put_count(const view *at, uint64_t count)
{
  open_point(at);
  inf_otlp_point_count(at->out, at->times, count);
}

static void
put_unpriced(const view *at)
{
  put_count(at, at->counters.unpriced);
}

static void
put_refusals(const view *at)
{
  put_count(at, at->counters.refusals);
}

/* ---- Metrics ------------------------------------------------------------- */

typedef enum operation { CHAT, EMBEDDINGS, BOTH } operation;

typedef struct metric {
  const char *name; /* or where in inf_otlp_names it stands */
  size_t named;
  inf_otlp_kind kind;
  operation of; /* whose it is, where each has metrics of its own */
  const char *unit, *description;
  void (*put)(const view *at);
} metric;

#define NAMED(field) NULL, offsetof(inf_otlp_names, field)
#define OURS(name)   name, 0

static const metric metrics[] = {
    {NAMED(duration), INF_OTLP_HISTOGRAM, CHAT, "s", "How long calls took.",
     put_durations},
    {NAMED(embed_duration), INF_OTLP_HISTOGRAM, EMBEDDINGS, "s",
     "How long calls took.", put_durations},
    {NAMED(first_chunk), INF_OTLP_HISTOGRAM, CHAT, "s",
     "Time from a call's start to its first content.", put_first_chunk},
    {NAMED(token_usage), INF_OTLP_HISTOGRAM, BOTH, "{token}",
     "Tokens of the answers that were delivered.", put_token_usage},
    {NAMED(embed_tokens), INF_OTLP_HISTOGRAM, EMBEDDINGS, "{token}",
     "Input tokens of calls that were answered.", put_input_tokens},
    {NAMED(operation_tokens[0]), INF_OTLP_HISTOGRAM, CHAT, "{token}",
     "Input tokens of calls that were answered.", put_input_tokens},
    {NAMED(operation_tokens[1]), INF_OTLP_HISTOGRAM, CHAT, "{token}",
     "Output tokens of calls that were answered.", put_output_tokens},
    {NAMED(usage_counters[0]), INF_OTLP_SUM, CHAT, "{token}",
     "Input tokens of all calls that were answered.", put_input_usage},
    {NAMED(usage_counters[1]), INF_OTLP_SUM, CHAT, "{token}",
     "Output tokens of all calls that were answered.", put_output_usage},
    {OURS("libinfer.attempt.time_to_first_token"), INF_OTLP_HISTOGRAM, BOTH,
     "s", "Time from an attempt's start to its first content.",
     put_first_token},
    {OURS("libinfer.attempt.time_per_output_token"), INF_OTLP_HISTOGRAM, BOTH,
     "s", "Time of each output token after the first content.", put_per_token},
    {OURS("libinfer.limiter.wait"), INF_OTLP_HISTOGRAM, BOTH, "s",
     "How long attempts waited before they were sent.", put_limiter},
    {OURS("libinfer.attempts"), INF_OTLP_SUM, BOTH, "{attempt}",
     "Attempts that ended, by reason and class.", put_attempts},
    {OURS("libinfer.calls"), INF_OTLP_SUM, BOTH, "{call}",
     "Calls that ended, by class.", put_calls},
    {OURS("libinfer.tokens"), INF_OTLP_SUM, BOTH, "{token}",
     "Tokens of all attempts; cached and reasoning ones are part of the "
     "others.",
     put_tokens},
    {OURS("libinfer.cost"), INF_OTLP_SUM, BOTH, "{USD}",
     "Cost of attempts whose price is known.", put_cost},
    {OURS("libinfer.unpriced_attempts"), INF_OTLP_SUM, BOTH, "{attempt}",
     "Attempts whose cost is not known.", put_unpriced},
    {OURS("libinfer.limiter.refusals"), INF_OTLP_SUM, BOTH, "{call}",
     "Calls that limits kept from being sent at all.", put_refusals},
};

static const char *
name_of(const metric *what, const inf_otlp_names *names)
{
  const char *name = what->name;
  if (!name)
    memcpy(&name, (const char *)names + what->named, sizeof name);
  return name;
}

/* Where the conventions give both operations one metric it has both. */
static bool
is_of(const metric *what, const inf_telemetry_series *series,
      const inf_otlp_names *names)
{
  return !names->embed_duration || what->of == BOTH ||
         (what->of == EMBEDDINGS) == series->embeds;
}

/* Does nothing if no series has a point. */
static void
write_metric(view *at, const metric *what, const inf_otlp_names *names,
             const inf_telemetry_series *from,
             const inf_telemetry_series *until)
{
  const char *name = name_of(what, names);
  size_t before = at->out->len;
  if (!name)
    return;
  inf_otlp_metric_open(at->out, name, what->unit, what->description,
                       what->kind);
  size_t empty = at->out->len;
  for (at->series = from; at->series != until; at->series = at->series->next) {
    if (!is_of(what, at->series, names))
      continue;
    inf_telemetry_counters(at->telemetry, at->series, &at->counters);
    what->put(at);
  }
  if (at->out->len == empty)
    inf_buf_truncate(at->out, before);
  else
    inf_otlp_metric_close(at->out, what->kind);
}

/* ---- Tenants ------------------------------------------------------------- */

static const struct {
  const char *name, *unit, *description;
  size_t offset; /* in inf_tenant_counters */
  bool nano;
} tenant_metrics[] = {
    {"libinfer.tenant.calls", "{call}", "Calls of a tenant.",
     offsetof(inf_tenant_counters, calls), false},
    {"libinfer.tenant.failed_calls", "{call}", "Those that failed.",
     offsetof(inf_tenant_counters, failed), false},
    {"libinfer.tenant.input_tokens", "{token}", "Input tokens of all attempts.",
     offsetof(inf_tenant_counters, input_tokens), false},
    {"libinfer.tenant.output_tokens", "{token}",
     "Output tokens of all attempts.",
     offsetof(inf_tenant_counters, output_tokens), false},
    {"libinfer.tenant.cost", "{USD}", "Cost of calls whose price is known.",
     offsetof(inf_tenant_counters, cost_nano_usd), true},
};

static void
write_tenants(inf_telemetry *telemetry, size_t which,
              const inf_otlp_times *times, inf_buf *out)
{
  const inf_telemetry_tenant *tenant = inf_telemetry_first_tenant(telemetry);
  inf_otlp_metric_open(out, tenant_metrics[which].name,
                       tenant_metrics[which].unit,
                       tenant_metrics[which].description, INF_OTLP_SUM);
  for (; tenant; tenant = tenant->next) {
    inf_tenant_counters counters =
        inf_telemetry_tenant_counters(telemetry, tenant);
    uint64_t value;
    memcpy(&value, (const char *)&counters + tenant_metrics[which].offset,
           sizeof value);
    inf_otlp_point_open(out);
    inf_otlp_put_text(out, "libinfer.tenant", tenant->name);
    if (tenant_metrics[which].nano)
      inf_otlp_point_double(out, times, (double)value / 1e9);
    else
      inf_otlp_point_count(out, times, value);
  }
  inf_otlp_metric_close(out, INF_OTLP_SUM);
}

const inf_telemetry_series *
inf_otlp_metrics_write(inf_telemetry *telemetry,
                       const inf_telemetry_series *from, size_t most,
                       const inf_otlp_names *names, const inf_otlp_times *times,
                       const char *(*reason_name)(int32_t reason), inf_buf *out)
{
  view at = {.telemetry = telemetry,
             .times = times,
             .reason_name = reason_name,
             .out = out};
  const inf_telemetry_series *until = from;
  while (until && most-- > 0)
    until = until->next;
  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
    write_metric(&at, &metrics[i], names, from, until);
  if (until || !inf_telemetry_first_tenant(telemetry))
    return until;
  size_t count = sizeof tenant_metrics / sizeof tenant_metrics[0];
  for (size_t i = 0; i < count; i++)
    write_tenants(telemetry, i, times, out);
  return NULL;
}
