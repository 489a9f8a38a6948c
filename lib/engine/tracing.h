/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_TRACING_H
#define INF_ENGINE_TRACING_H

#include "engine/engine.h"
#include "telemetry/aggregate.h"
#include "telemetry/trace_context.h"

/* Calls for chat and embeddings as traces, where telemetry goes to a collector:
 * one span for a call, and a child of it for each attempt, whose id the
 * provider is told.
 *
 * A request with a header "traceparent" continues that trace, and its
 * "tracestate" goes on with it; a malformed one begins a new trace. Whether a
 * trace is recorded (the flag "sampled") is decided where it begins: spans of
 * others are not sent, but their ids are told on all the same. Begun here, all
 * are recorded.
 *
 * Probes and warm-ups belong to no call and have no span. Loop only. In a build
 * with INFER_TELEMETRY=OFF there are no traces. */

#ifndef INFER_NO_TELEMETRY

/* The traceparent of the attempt, which thereby gets a span. False: none. */
bool inf_tracing_begin(inf_attempt *attempt,
                       char traceparent[INF_TRACEPARENT_LEN + 1]);

/* The call has ended: its spans, to the exporter, if there is one. told: the
 * attempt that facts are of, or NULL; response NULL: it failed. */
void inf_tracing_end(inf_engine *engine, struct infer_call *call,
                     const struct infer_attempt *told,
                     const inf_call_facts *facts,
                     const struct infer_response *response);

#else

static inline bool
inf_tracing_begin(inf_attempt *attempt,
                  char traceparent[INF_TRACEPARENT_LEN + 1])
{
  (void)attempt;
  (void)traceparent;
  return false;
}

#endif

/* Does an attempt's end with this class mean neither success nor failure? */
static inline bool
inf_tracing_is_ended_by_us(int32_t status)
{
  return status == INFER_E_CANCELLED || status == INFER_E_DEADLINE ||
         status == INFER_E_BUDGET || status == INFER_E_LIMIT ||
         status == INFER_E_NO_MEMORY;
}

#endif
