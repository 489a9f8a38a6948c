/* SPDX-License-Identifier: MIT */
#include "telemetry/prometheus.h"

#include "telemetry/genai.h"

/* What a function that writes a family's samples of one series is given. */
typedef struct view {
  inf_telemetry *telemetry;
  const inf_telemetry_series *series;
  inf_series_counters counters;
  const char *(*reason_name)(int32_t reason);
  inf_labels labels;
  const char *name; /* of the family */
  inf_buf *out;
} view;

/* Those of calls, by the conventions' names. */
static inf_labels
genai_labels(const inf_telemetry_series *series)
{
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "gen_ai_operation_name",
                 inf_genai_operation(series->embeds));
  inf_labels_add(&labels, "gen_ai_provider_name",
                 inf_genai_provider(series->kind));
  inf_labels_add(&labels, "gen_ai_request_model", series->model);
  inf_labels_add(&labels, "libinfer_provider", series->provider);
  inf_labels_add(&labels, "libinfer_route", series->route);
  return labels;
}

inf_labels
inf_prometheus_labels(const inf_telemetry_series *series)
{
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "provider", series->provider);
  inf_labels_add(&labels, "model", series->model);
  inf_labels_add(&labels, "route", series->route);
  inf_labels_add(&labels, "operation", series->embeds ? "embeddings" : "");
  return labels;
}

/* ---- Families of series -------------------------------------------------- */

static void
put_durations(view *at)
{
  inf_labels labels = genai_labels(at->series);
  for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++) {
    inf_buckets buckets;
    char type[32];
    if (!inf_telemetry_durations(at->telemetry, at->series, class, &buckets))
      continue;
    inf_labels more = inf_labels_with(&labels, "error_type",
                                      inf_telemetry_error_type(class, type));
    inf_sample_buckets(at->out, at->name, &more, &buckets,
                       &inf_bounds_durations);
  }
}

/* Without the series that have no such times. */
static void
put_buckets(view *at, const inf_labels *labels, const inf_buckets *buckets,
            const inf_bucket_bounds *bounds)
{
  if (inf_buckets_total(buckets) > 0)
    inf_sample_buckets(at->out, at->name, labels, buckets, bounds);
}

static void
put_first_chunk(view *at)
{
  inf_labels labels = genai_labels(at->series);
  put_buckets(at, &labels, &at->counters.call_first_token,
              &inf_bounds_durations);
}

static void
put_token_usage(view *at)
{
  static const char *const types[] = {"input", "output"};
  inf_labels labels = genai_labels(at->series);
  for (size_t i = 0; i < 2; i++) {
    inf_labels more = inf_labels_with(&labels, "gen_ai_token_type", types[i]);
    put_buckets(at, &more, &at->counters.call_tokens[i], &inf_bounds_tokens);
  }
}

static void
put_first_token(view *at)
{
  put_buckets(at, &at->labels, &at->counters.first_token,
              &inf_bounds_durations);
}

static void
put_per_token(view *at)
{
  put_buckets(at, &at->labels, &at->counters.per_token, &inf_bounds_per_token);
}

static void
put_limiter(view *at)
{
  put_buckets(at, &at->labels, &at->counters.limiter, &inf_bounds_durations);
}

static void
put_attempts(view *at)
{
  for (int32_t reason = 0; reason < INF_TELEMETRY_REASONS; reason++) {
    inf_labels labels =
        inf_labels_with(&at->labels, "reason", at->reason_name(reason));
    for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++) {
      char type[32];
      uint64_t count = at->counters.attempts[reason][class];
      inf_labels more = inf_labels_with(&labels, "error_type",
                                        inf_telemetry_error_type(class, type));
      if (count > 0)
        inf_sample_uint(at->out, at->name, &more, count);
    }
  }
}

static void
put_calls(view *at)
{
  for (size_t class = 0; class < INF_TELEMETRY_CLASSES; class ++) {
    char type[32];
    inf_labels more = inf_labels_with(&at->labels, "error_type",
                                      inf_telemetry_error_type(class, type));
    if (at->counters.calls[class] > 0)
      inf_sample_uint(at->out, at->name, &more, at->counters.calls[class]);
  }
}

static void
put_tokens(view *at)
{
  static const char *const types[INF_TOKENS] = {"input", "cached_input",
                                                "output", "reasoning_output"};
  for (size_t i = 0; i < INF_TOKENS; i++) {
    inf_labels more = inf_labels_with(&at->labels, "type", types[i]);
    inf_sample_uint(at->out, at->name, &more, at->counters.tokens[i]);
  }
}

static void
put_cost(view *at)
{
  inf_labels won = inf_labels_with(&at->labels, "use", "delivered");
  inf_labels lost = inf_labels_with(&at->labels, "use", "wasted");
  inf_sample_nano(at->out, at->name, &won, at->counters.cost_nano_usd);
  inf_sample_nano(at->out, at->name, &lost, at->counters.wasted_cost_nano_usd);
}

static void
put_unpriced(view *at)
{
  inf_sample_uint(at->out, at->name, &at->labels, at->counters.unpriced);
}

static void
put_refusals(view *at)
{
  inf_sample_uint(at->out, at->name, &at->labels, at->counters.refusals);
}

typedef struct family {
  const char *name, *type, *help;
  void (*put)(view *at);
} family;

static const family families[] = {
    {"gen_ai_client_operation_duration_seconds", "histogram",
     "How long calls took, by the target that ended them.", put_durations},
    {"gen_ai_client_operation_time_to_first_chunk_seconds", "histogram",
     "Time from a call's start to its first content.", put_first_chunk},
    {"gen_ai_client_token_usage", "histogram",
     "Tokens of the answers that were delivered.", put_token_usage},
    {"libinfer_attempt_time_to_first_token_seconds", "histogram",
     "Time from an attempt's start to its first content.", put_first_token},
    {"libinfer_attempt_time_per_output_token_seconds", "histogram",
     "Time of each output token after the first content.", put_per_token},
    {"libinfer_limiter_wait_seconds", "histogram",
     "How long attempts waited before they were sent.", put_limiter},
    {"libinfer_attempts_total", "counter",
     "Attempts that ended, by reason and class.", put_attempts},
    {"libinfer_calls_total", "counter", "Calls that ended, by class.",
     put_calls},
    {"libinfer_tokens_total", "counter",
     "Tokens of all attempts; cached and reasoning ones are part of the "
     "others.",
     put_tokens},
    {"libinfer_cost_usd_total", "counter",
     "Cost of attempts whose price is known, in dollars.", put_cost},
    {"libinfer_unpriced_attempts_total", "counter",
     "Attempts whose cost is not known.", put_unpriced},
    {"libinfer_limiter_refusals_total", "counter",
     "Calls that limits kept from being sent at all.", put_refusals},
};

static void
write_family(inf_telemetry *telemetry, const family *what,
             const char *(*reason_name)(int32_t reason), inf_buf *out)
{
  const inf_telemetry_series *series = inf_telemetry_first(telemetry);
  inf_family_begin(out, what->name, what->type, what->help);
  for (; series; series = series->next) {
    view at = {
        .telemetry = telemetry,
        .series = series,
        .reason_name = reason_name,
        .labels = inf_prometheus_labels(series),
        .name = what->name,
        .out = out,
    };
    inf_telemetry_counters(telemetry, series, &at.counters);
    what->put(&at);
  }
}

/* ---- Tenants ------------------------------------------------------------- */

typedef struct tenant_family {
  const char *name, *help;
  size_t offset; /* in inf_tenant_counters */
  bool nano;
} tenant_family;

static const tenant_family tenant_families[] = {
    {"libinfer_tenant_calls_total", "Calls of a tenant.",
     offsetof(inf_tenant_counters, calls), false},
    {"libinfer_tenant_failed_calls_total", "Those that failed.",
     offsetof(inf_tenant_counters, failed), false},
    {"libinfer_tenant_input_tokens_total", "Input tokens of all attempts.",
     offsetof(inf_tenant_counters, input_tokens), false},
    {"libinfer_tenant_output_tokens_total", "Output tokens of all attempts.",
     offsetof(inf_tenant_counters, output_tokens), false},
    {"libinfer_tenant_cost_usd_total",
     "Cost of calls whose price is known, in dollars.",
     offsetof(inf_tenant_counters, cost_nano_usd), true},
};

static void
write_tenants(inf_telemetry *telemetry, const tenant_family *what, inf_buf *out)
{
  const inf_telemetry_tenant *tenant = inf_telemetry_first_tenant(telemetry);
  inf_family_begin(out, what->name, "counter", what->help);
  for (; tenant; tenant = tenant->next) {
    inf_tenant_counters counters =
        inf_telemetry_tenant_counters(telemetry, tenant);
    uint64_t value;
    inf_labels labels = {.count = 0};
    inf_labels_add(&labels, "tenant", tenant->name);
    memcpy(&value, (const char *)&counters + what->offset, sizeof value);
    if (what->nano)
      inf_sample_nano(out, what->name, &labels, value);
    else
      inf_sample_uint(out, what->name, &labels, value);
  }
}

void
inf_prometheus_write(inf_telemetry *telemetry,
                     const char *(*reason_name)(int32_t reason), inf_buf *out)
{
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
    write_family(telemetry, &families[i], reason_name, out);
  if (!inf_telemetry_first_tenant(telemetry))
    return;
  size_t count = sizeof tenant_families / sizeof tenant_families[0];
  for (size_t i = 0; i < count; i++)
    write_tenants(telemetry, &tenant_families[i], out);
}
