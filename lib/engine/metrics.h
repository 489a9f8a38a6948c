/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_METRICS_H
#define INF_ENGINE_METRICS_H

#include "engine/client.h"
#include "telemetry/otlp_json.h"

/* infer_client_metrics(): the aggregates (telemetry/prometheus.h), and what
 * else a client knows: hedges, breakers, limits, budgets, calls in flight. Any
 * thread, hooks included. */
void inf_metrics_write(struct infer_client *client, inf_buf *out);
/* What it knows beside the aggregates, from the same table, as OTLP metrics
 * between the opening and the closing of a request. */
void inf_metrics_write_otlp(inf_engine *engine, const inf_config *config,
                            const inf_otlp_times *times, inf_buf *out);

#endif
