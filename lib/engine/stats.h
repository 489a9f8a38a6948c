/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_STATS_H
#define INF_ENGINE_STATS_H

#include "engine/client.h"

/* infer_client_stats(): everything that a client knows of itself, as one JSON
 * object, whose schema docs/telemetry.md promises. Any thread, hooks included:
 * the locks are held for one series, meter table or breaker table at a time. */

/* INFER_OK, or INFER_E_NO_MEMORY; else as the buffer says. */
int32_t inf_stats_write(struct infer_client *client, inf_buf *out);

/* Which of the provider's keys, in the present configuration; -1: none of
 * them. */
int64_t inf_stats_key(const inf_config *config, const char *provider,
                      uint64_t fingerprint);
/* "closed", "open", "returning". */
const char *inf_stats_breaker_state(int32_t state);

#endif
