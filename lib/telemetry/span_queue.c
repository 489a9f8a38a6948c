/* SPDX-License-Identifier: MIT */
#include "telemetry/span_queue.h"

#include "base/mem.h"
#include "infer/infer.h"

enum { batch_spans = 512, batch_bytes = 256 << 10, batch_part = 4 };

void
inf_span_queue_init(inf_span_queue *queue)
{
  inf_list_init(&queue->batches);
  queue->bytes = 0;
}

inf_span_batch *
inf_span_queue_first(const inf_span_queue *queue)
{
  return inf_list_empty(&queue->batches)
             ? NULL
             : INF_CONTAINER_OF(queue->batches.next, inf_span_batch, node);
}

static void
drop(inf_span_queue *queue, inf_span_batch *batch)
{
  inf_list_remove(&batch->node);
  queue->bytes -= batch->body.cap;
  inf_buf_fini(&batch->body);
  inf_free(batch);
}

static bool
is_full(const inf_span_batch *batch, size_t len, size_t most_bytes)
{
  size_t part = most_bytes / batch_part;
  return batch->closed || batch->spans >= batch_spans ||
         batch->body.len + len > (part < batch_bytes ? part : batch_bytes);
}

static inf_span_batch *
new_batch(inf_span_queue *queue, const inf_otlp_origin *origin, uint64_t due_ns,
          size_t most_bytes)
{
  inf_span_batch *batch = inf_calloc(1, sizeof *batch);
  if (!batch)
    return NULL;
  inf_buf_init(&batch->body, most_bytes);
  inf_otlp_request_open(&batch->body, INF_OTLP_TRACES, origin);
  batch->due_ns = due_ns;
  inf_list_push_back(&queue->batches, &batch->node);
  queue->bytes += batch->body.cap;
  return batch;
}

/* By how much a buffer grows at most, which doubles then. */
static size_t
growth(const inf_buf *body, size_t len)
{
  return len < body->cap - body->len ? 0 : body->len + 2 * len;
}

/* With room for what closing takes. */
static bool
append(inf_span_queue *queue, inf_span_batch *batch, inf_sv spans,
       size_t most_bytes)
{
  size_t len = spans.len + 1 + INF_OTLP_CLOSE_MAX_BYTES;
  size_t before = batch->body.cap;
  if (queue->bytes + growth(&batch->body, len) > most_bytes ||
      !inf_buf_reserve(&batch->body, len))
    return false;
  if (batch->spans > 0)
    inf_buf_append_char(&batch->body, ',');
  inf_buf_append_sv(&batch->body, spans);
  queue->bytes += batch->body.cap - before;
  return true;
}

const inf_span_batch *
inf_span_queue_add(inf_span_queue *queue, const inf_otlp_origin *origin,
                   inf_sv spans, size_t count, uint64_t due_ns,
                   size_t most_bytes)
{
  inf_span_batch *last =
      INF_CONTAINER_OF(queue->batches.prev, inf_span_batch, node);
  if (inf_list_empty(&queue->batches) || is_full(last, spans.len, most_bytes))
    last = new_batch(queue, origin, due_ns, most_bytes);
  if (!last)
    return NULL;
  if (append(queue, last, spans, most_bytes)) {
    last->spans += count;
    return last;
  }
  if (last->spans == 0)
    drop(queue, last);
  else
    last->body.status = INFER_OK; /* what it has is whole */
  return NULL;
}

bool
inf_span_queue_full(const inf_span_queue *queue)
{
  const inf_span_batch *first = inf_span_queue_first(queue);
  return first && (first->closed || first->spans >= batch_spans ||
                   first->node.next != &queue->batches);
}

inf_sv
inf_span_queue_close(inf_span_queue *queue, const inf_otlp_origin *origin)
{
  inf_span_batch *first = inf_span_queue_first(queue);
  if (!first->closed)
    inf_otlp_request_close(&first->body, origin);
  first->closed = true;
  return inf_buf_sv(&first->body);
}

size_t
inf_span_queue_drop(inf_span_queue *queue)
{
  inf_span_batch *first = inf_span_queue_first(queue);
  size_t count = first ? first->spans : 0;
  if (first)
    drop(queue, first);
  return count;
}
