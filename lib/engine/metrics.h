/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_METRICS_H
#define INF_ENGINE_METRICS_H

#include "engine/client.h"

/* infer_client_metrics(): the aggregates (telemetry/prometheus.h), and what
 * else a client knows: hedges, breakers, limits, calls in flight. Any thread,
 * hooks included. */
void inf_metrics_write(struct infer_client *client, inf_buf *out);

#endif
