/* SPDX-License-Identifier: MIT */
/* OTLP's JSON; see otlp_json.h. */
#include "telemetry/otlp_json.h"

#include "infer/infer.h"
#include "wire/json_scan.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

#include <inttypes.h>

/* ---- Members ------------------------------------------------------------- */

static void
put_key(inf_buf *out, const char *key)
{
  inf_json_key(out, inf_sv_from(key));
}

/* A member's value: no comma is due. */
static void
put_quoted_int(inf_buf *out, int64_t value)
{
  inf_buf_append_char(out, '"');
  inf_buf_append_int(out, value);
  inf_buf_append_char(out, '"');
}

static void
put_quoted_uint(inf_buf *out, uint64_t value)
{
  inf_buf_append_char(out, '"');
  inf_buf_append_uint(out, value);
  inf_buf_append_char(out, '"');
}

void
inf_otlp_member_int64(inf_buf *out, const char *key, int64_t value)
{
  put_key(out, key);
  put_quoted_int(out, value);
}

void
inf_otlp_member_uint64(inf_buf *out, const char *key, uint64_t value)
{
  put_key(out, key);
  put_quoted_uint(out, value);
}

void
inf_otlp_member_id(inf_buf *out, const char *key, const uint64_t *parts,
                   size_t count)
{
  put_key(out, key);
  inf_buf_append_char(out, '"');
  for (size_t i = 0; i < count; i++)
    inf_buf_appendf(out, "%016" PRIx64, parts[i]);
  inf_buf_append_char(out, '"');
}

static void
member_text(inf_buf *out, const char *key, const char *text)
{
  inf_json_member_string(out, inf_sv_from(key), inf_sv_from(text));
}

/* ---- Attributes ---------------------------------------------------------- */

void
inf_otlp_attributes_open(inf_buf *out)
{
  put_key(out, "attributes");
  inf_json_open(out, '[');
}

void
inf_otlp_attributes_close(inf_buf *out)
{
  inf_json_close(out, ']');
}

static void
open_value(inf_buf *out, const char *key)
{
  inf_json_open(out, '{');
  member_text(out, "key", key);
  put_key(out, "value");
  inf_json_open(out, '{');
}

static void
close_value(inf_buf *out)
{
  inf_json_close(out, '}');
  inf_json_close(out, '}');
}

void
inf_otlp_put_string(inf_buf *out, const char *key, inf_sv value)
{
  if (value.len == 0)
    return;
  open_value(out, key);
  inf_json_member_string(out, INF_SV("stringValue"), value);
  close_value(out);
}

void
inf_otlp_put_text(inf_buf *out, const char *key, const char *value)
{
  inf_otlp_put_string(out, key, inf_sv_from(value));
}

void
inf_otlp_put_int(inf_buf *out, const char *key, int64_t value)
{
  open_value(out, key);
  inf_otlp_member_int64(out, "intValue", value);
  close_value(out);
}

void
inf_otlp_put_double(inf_buf *out, const char *key, double value)
{
  open_value(out, key);
  put_key(out, "doubleValue");
  inf_json_put_double(out, value);
  close_value(out);
}

void
inf_otlp_put_bool(inf_buf *out, const char *key, bool value)
{
  open_value(out, key);
  inf_json_member_bool(out, INF_SV("boolValue"), value);
  close_value(out);
}

void
inf_otlp_array_open(inf_buf *out, const char *key)
{
  open_value(out, key);
  put_key(out, "arrayValue");
  inf_json_open(out, '{');
  put_key(out, "values");
  inf_json_open(out, '[');
}

void
inf_otlp_array_string(inf_buf *out, const char *value)
{
  inf_json_open(out, '{');
  member_text(out, "stringValue", value);
  inf_json_close(out, '}');
}

void
inf_otlp_array_close(inf_buf *out)
{
  inf_json_close(out, ']');
  inf_json_close(out, '}');
  close_value(out);
}

/* ---- Requests ------------------------------------------------------------ */

static const struct {
  const char *resources, *scopes, *records;
} layouts[] = {
    [INF_OTLP_TRACES] = {"resourceSpans", "scopeSpans", "spans"},
    [INF_OTLP_METRICS] = {"resourceMetrics", "scopeMetrics", "metrics"},
};

void
inf_otlp_request_open(inf_buf *out, inf_otlp_signal signal,
                      const inf_otlp_origin *origin)
{
  inf_json_open(out, '{');
  put_key(out, layouts[signal].resources);
  inf_json_open(out, '[');
  inf_json_open(out, '{');
  put_key(out, "resource");
  inf_json_open(out, '{');
  inf_otlp_attributes_open(out);
  inf_otlp_put_text(out, "service.name", origin->service_name);
  inf_otlp_put_text(out, "service.instance.id", origin->instance_id);
  inf_otlp_attributes_close(out);
  inf_json_close(out, '}');
  put_key(out, layouts[signal].scopes);
  inf_json_open(out, '[');
  inf_json_open(out, '{');
  put_key(out, "scope");
  inf_json_open(out, '{');
  member_text(out, "name", "libinfer");
  member_text(out, "version", INFER_VERSION);
  inf_json_close(out, '}');
  put_key(out, layouts[signal].records);
  inf_json_open(out, '[');
}

void
inf_otlp_request_close(inf_buf *out, const inf_otlp_origin *origin)
{
  inf_json_close(out, ']');
  if (origin->names->schema_url)
    member_text(out, "schemaUrl", origin->names->schema_url);
  inf_buf_append_cstr(out, "}]}]}");
}

/* ---- Points of metrics --------------------------------------------------- */

/* AGGREGATION_TEMPORALITY_CUMULATIVE */
enum { cumulative = 2 };

void
inf_otlp_metric_open(inf_buf *out, const char *name, const char *unit,
                     const char *description, inf_otlp_kind kind)
{
  static const char *const kinds[] = {[INF_OTLP_SUM] = "sum",
                                      [INF_OTLP_HISTOGRAM] = "histogram",
                                      [INF_OTLP_GAUGE] = "gauge"};
  inf_json_open(out, '{');
  member_text(out, "name", name);
  member_text(out, "description", description);
  member_text(out, "unit", unit);
  put_key(out, kinds[kind]);
  inf_json_open(out, '{');
  put_key(out, "dataPoints");
  inf_json_open(out, '[');
}

void
inf_otlp_metric_close(inf_buf *out, inf_otlp_kind kind)
{
  inf_json_close(out, ']');
  if (kind != INF_OTLP_GAUGE)
    inf_json_member_int(out, INF_SV("aggregationTemporality"), cumulative);
  if (kind == INF_OTLP_SUM)
    inf_json_member_bool(out, INF_SV("isMonotonic"), true);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
}

void
inf_otlp_point_open(inf_buf *out)
{
  inf_json_open(out, '{');
  inf_otlp_attributes_open(out);
}

static void
put_times(inf_buf *out, const inf_otlp_times *times)
{
  inf_otlp_attributes_close(out);
  inf_otlp_member_int64(out, "startTimeUnixNano", times->start_unix_ns);
  inf_otlp_member_int64(out, "timeUnixNano", times->now_unix_ns);
}

void
inf_otlp_point_count(inf_buf *out, const inf_otlp_times *times, uint64_t value)
{
  put_times(out, times);
  inf_otlp_member_uint64(out, "asInt", value);
  inf_json_close(out, '}');
}

void
inf_otlp_point_double(inf_buf *out, const inf_otlp_times *times, double value)
{
  put_times(out, times);
  put_key(out, "asDouble");
  inf_json_put_double(out, value);
  inf_json_close(out, '}');
}

void
inf_otlp_point_buckets(inf_buf *out, const inf_otlp_times *times,
                       const inf_buckets *buckets,
                       const inf_bucket_bounds *bounds)
{
  put_times(out, times);
  inf_otlp_member_uint64(out, "count", inf_buckets_total(buckets));
  put_key(out, "sum");
  inf_json_put_double(out, (double)buckets->sum / bounds->unit);
  put_key(out, "bucketCounts");
  inf_json_open(out, '[');
  for (size_t i = 0; i < bounds->count; i++) {
    put_quoted_uint(out, buckets->counts[i]);
    inf_buf_append_char(out, ',');
  }
  put_quoted_uint(out, buckets->counts[INF_BUCKETS_MAX]);
  inf_json_close(out, ']');
  put_key(out, "explicitBounds");
  inf_json_open(out, '[');
  for (size_t i = 0; i < bounds->count; i++)
    inf_json_put_double(out, (double)bounds->upper[i] / bounds->unit);
  inf_json_close(out, ']');
  inf_json_close(out, '}');
}

/* ---- What the collector answers ------------------------------------------ */

uint64_t
inf_otlp_rejected(inf_sv body)
{
  static const char *const names[] = {"rejectedSpans", "rejectedDataPoints"};
  enum { max_depth = 32 };
  int64_t count;
  inf_sv value;
  if (!inf_json_parse(body, max_depth, &value, NULL))
    return 0;
  inf_sv partial = inf_json_get(value, INF_SV("partialSuccess"));
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (inf_json_int64(inf_json_get(partial, inf_sv_from(names[i])), true,
                       &count) &&
        count > 0)
      return (uint64_t)count;
  return 0;
}
