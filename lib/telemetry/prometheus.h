/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_PROMETHEUS_H
#define INF_TELEMETRY_PROMETHEUS_H

#include "telemetry/aggregate.h"
#include "telemetry/exposition.h"

/* The aggregates as Prometheus metrics. What OpenTelemetry's conventions for
 * generative AI (v1.41) have a name for has that name, as their mapping to
 * Prometheus spells it (dots become underscores, the unit stands at the end):
 *
 *   gen_ai_client_operation_duration_seconds
 *   gen_ai_client_operation_time_to_first_chunk_seconds
 *   gen_ai_client_token_usage
 *
 * each once for a call, however many attempts it had. The rest begins with
 * libinfer_. docs/telemetry.md has the list.
 *
 * Samples: at most one set for each series, so 1024 times some 100 lines. */

/* The labels of a series, as engine/metrics.c uses them too. */
inf_labels inf_prometheus_labels(const inf_telemetry_series *series);

/* reason_name: the word for an INFER_REASON_*. */
void inf_prometheus_write(inf_telemetry *telemetry,
                          const char *(*reason_name)(int32_t reason),
                          inf_buf *out);

#endif
