/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_OTLP_METRICS_H
#define INF_TELEMETRY_OTLP_METRICS_H

#include "telemetry/aggregate.h"
#include "telemetry/otlp_json.h"

/* The aggregates as OTLP metrics: counts since ever (cumulative temporality),
 * with the bounds of telemetry/buckets.h. The same figures as in
 * telemetry/prometheus.h, under the conventions' own names. docs/telemetry.md
 * has the list. */

/* Writes the metrics of most series of them from `from` on, and of all tenants
 * if there is no series after them, between the opening and the closing of a
 * request. Gives the series to go on with; NULL: all are written. reason_name:
 * the word for an INFER_REASON_*. */
const inf_telemetry_series *inf_otlp_metrics_write(
    inf_telemetry *telemetry, const inf_telemetry_series *from, size_t most,
    const inf_otlp_names *names, const inf_otlp_times *times,
    const char *(*reason_name)(int32_t reason), inf_buf *out);

#endif
