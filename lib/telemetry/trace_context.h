/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_TRACE_CONTEXT_H
#define INF_TELEMETRY_TRACE_CONTEXT_H

#include "base/sv.h"

#include <stdint.h>

/* The place of a call in a trace, and the header that tells it on: W3C Trace
 * Context (https://www.w3.org/TR/trace-context/), level 1. Pure. */

typedef struct inf_trace {
  uint64_t id[2];  /* of the trace: 16 bytes; not both 0 */
  uint64_t parent; /* the span that the call belongs to; 0: none */
  uint64_t span;   /* the call's own; 0: the trace has not begun */
  uint8_t flags;   /* INF_TRACE_SAMPLED; others are told on unchanged */
} inf_trace;

enum { INF_TRACE_SAMPLED = 1 };
enum { INF_TRACEPARENT_LEN = 55 };

/* Reads a traceparent into id, parent and flags. Of a version that is not known
 * what the known one has is read, and flags but INF_TRACE_SAMPLED are dropped,
 * as the specification wants it. False: it is malformed and stands for
 * none. */
bool inf_traceparent_read(inf_sv text, inf_trace *trace);
/* The traceparent by which that span is the parent. */
void inf_traceparent_write(const inf_trace *trace, uint64_t span,
                           char out[INF_TRACEPARENT_LEN + 1]);

#endif
