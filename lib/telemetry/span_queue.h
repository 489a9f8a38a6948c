/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_SPAN_QUEUE_H
#define INF_TELEMETRY_SPAN_QUEUE_H

#include "base/list.h"
#include "telemetry/otlp_json.h"

/* Spans that wait for a collector, in batches, the oldest first.
 *
 * A batch is the body of a request from its first byte on: it is opened when
 * its first span comes and closed when it is sent, so that nothing is copied
 * once more. It is full at 512 spans (what OpenTelemetry's SDKs take by
 * default), or at 256 KiB or a quarter of all that may wait. Once closed it
 * does not change, and stays at the front until somebody drops it.
 *
 * What all batches take together stays below the most that each call allows.
 * One thread at a time. */

typedef struct inf_span_batch {
  inf_list node;
  inf_buf body;
  size_t spans;
  uint64_t due_ns; /* when it is to be sent though it is not full */
  bool closed;
} inf_span_batch;

typedef struct inf_span_queue {
  inf_list batches;
  size_t bytes; /* that the batches take */
} inf_span_queue;

void inf_span_queue_init(inf_span_queue *queue);
/* NULL: nothing waits. */
inf_span_batch *inf_span_queue_first(const inf_span_queue *queue);
/* A copy of count spans, JSON objects with commas in between. due_ns: of the
 * batch, should they begin one. The batch that they are in; NULL: there is no
 * room in most_bytes, or no memory. */
const inf_span_batch *inf_span_queue_add(inf_span_queue *queue,
                                         const inf_otlp_origin *origin,
                                         inf_sv spans, size_t count,
                                         uint64_t due_ns, size_t most_bytes);
/* Is nothing added to the first batch any more? False where there is none. */
bool inf_span_queue_full(const inf_span_queue *queue);
/* The first batch as a whole request; the same bytes each time. */
inf_sv inf_span_queue_close(inf_span_queue *queue,
                            const inf_otlp_origin *origin);
/* Drops the first batch. Gives how many spans it had; 0: there is none. */
size_t inf_span_queue_drop(inf_span_queue *queue);

#endif
