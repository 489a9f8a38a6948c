/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_OBSERVE_H
#define INF_ENGINE_OBSERVE_H

#include "engine/engine.h"

/* Telemetry of what has ended: the aggregates (telemetry/aggregate.h) get its
 * figures, the hook its record, and a queue that wants records an event. Once
 * for each attempt and call, at its end; nothing is done while an answer comes.
 *
 * Probes and warm-ups are attempts of no call: the hook is given NULL in its
 * place, and no queue hears of them.
 *
 * A hook may take long: the time is read again after it. Where memory is short
 * something of this is lost, and counted; a call never is.
 *
 * In a build with INFER_TELEMETRY=OFF all of this is empty. Loop only. */

/* Its record is closed, its call is not. */
void inf_observe_attempt(inf_attempt *attempt);
/* Before its terminal event; one of the two is there. */
void inf_observe_call(inf_engine *engine, struct infer_call *call,
                      const struct infer_response *response,
                      const struct infer_error *error);
/* An attempt of no call has ended. route: that it was made for; "". */
void inf_observe_stray(inf_engine *engine, const struct infer_attempt *record,
                       const char *route, bool timed, bool stream);
/* A warm-up has: what the transport says of it. */
void inf_observe_warm_up(inf_engine *engine,
                         const inf_provider_config *provider,
                         const inf_exchange_result *result, uint64_t start_ns,
                         int32_t status);

/* Time per token of the output after the first content; 0: not known. */
uint64_t inf_observe_per_token_ns(const struct infer_attempt *record);

#endif
