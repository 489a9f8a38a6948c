/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_OTLP_JSON_H
#define INF_TELEMETRY_OTLP_JSON_H

#include "base/buf.h"
#include "telemetry/buckets.h"
#include "telemetry/otlp_names.h"

/* Writing OTLP's JSON (opentelemetry-proto, docs/specification.md, "JSON
 * Protobuf Encoding"), whatever the records mean: 64-bit integers are strings,
 * ids are hexadecimal, enumerations are numbers, names are camelCase. Text that
 * is not UTF-8 gets U+FFFD in place of what is wrong. Errors are the buffer's
 * sticky status. Pure. */

typedef struct inf_otlp_origin {
  const char *service_name; /* service.name */
  const char *instance_id;  /* service.instance.id: tells clients apart */
  const inf_otlp_names *names;
} inf_otlp_origin;

typedef enum inf_otlp_signal {
  INF_OTLP_TRACES,  /* an ExportTraceServiceRequest */
  INF_OTLP_METRICS, /* an ExportMetricsServiceRequest */
} inf_otlp_signal;

/* A whole request: spans or metrics are written in between. */
void inf_otlp_request_open(inf_buf *out, inf_otlp_signal signal,
                           const inf_otlp_origin *origin);
void inf_otlp_request_close(inf_buf *out, const inf_otlp_origin *origin);
/* What closing takes. */
enum { INF_OTLP_CLOSE_MAX_BYTES = 128 };

/* ---- Attributes ---------------------------------------------------------- */

void inf_otlp_attributes_open(inf_buf *out);
void inf_otlp_attributes_close(inf_buf *out);
/* An empty value (NULL) is left out. */
void inf_otlp_put_string(inf_buf *out, const char *key, inf_sv value);
void inf_otlp_put_text(inf_buf *out, const char *key, const char *value);
void inf_otlp_put_int(inf_buf *out, const char *key, int64_t value);
void inf_otlp_put_double(inf_buf *out, const char *key, double value);
void inf_otlp_put_bool(inf_buf *out, const char *key, bool value);
/* An array of strings: values between these two. */
void inf_otlp_array_open(inf_buf *out, const char *key);
void inf_otlp_array_string(inf_buf *out, const char *value);
void inf_otlp_array_close(inf_buf *out);

/* ---- Members ------------------------------------------------------------- */

void inf_otlp_member_int64(inf_buf *out, const char *key, int64_t value);
void inf_otlp_member_uint64(inf_buf *out, const char *key, uint64_t value);
/* 16 digits; 32 of two parts. */
void inf_otlp_member_id(inf_buf *out, const char *key, const uint64_t *parts,
                        size_t count);

/* ---- Points of metrics --------------------------------------------------- */

/* Of counts that only grow: the begin of the count and now, since 1970. */
typedef struct inf_otlp_times {
  int64_t start_unix_ns, now_unix_ns;
} inf_otlp_times;

typedef enum inf_otlp_kind {
  INF_OTLP_SUM, /* that only grows */
  INF_OTLP_HISTOGRAM,
  INF_OTLP_GAUGE,
} inf_otlp_kind;

/* A metric with its points in between. */
void inf_otlp_metric_open(inf_buf *out, const char *name, const char *unit,
                          const char *description, inf_otlp_kind kind);
void inf_otlp_metric_close(inf_buf *out, inf_otlp_kind kind);
/* A point: its attributes come between open and one of the two ends. */
void inf_otlp_point_open(inf_buf *out);
void inf_otlp_point_count(inf_buf *out, const inf_otlp_times *times,
                          uint64_t value);
void inf_otlp_point_double(inf_buf *out, const inf_otlp_times *times,
                           double value);
void inf_otlp_point_buckets(inf_buf *out, const inf_otlp_times *times,
                            const inf_buckets *buckets,
                            const inf_bucket_bounds *bounds);

/* ---- What the collector answers ------------------------------------------ */

/* How much of an accepted request was refused (partialSuccess); 0 where the
 * body says nothing of it, or is rubbish. */
uint64_t inf_otlp_rejected(inf_sv body);

#endif
