/* SPDX-License-Identifier: MIT */
/* What a client tells of its work: statistics, metrics, records as events. */
#include "api/guard.h"

#include "engine/metrics.h"
#include "engine/observe.h"
#include "engine/stats.h"

#ifdef INFER_NO_TELEMETRY

int32_t
infer_client_stats(infer_client *client, char **json, size_t *len)
{
  (void)len;
  if (json)
    *json = NULL;
  return client && json ? INFER_E_UNSUPPORTED : INFER_E_INVALID_ARGUMENT;
}

int32_t
infer_client_metrics(infer_client *client, char **text, size_t *len)
{
  return infer_client_stats(client, text, len);
}

int32_t
infer_queue_set_records(infer_queue *queue, int32_t on)
{
  (void)on;
  return queue ? INFER_E_UNSUPPORTED : INFER_E_INVALID_ARGUMENT;
}

#else

/* Enough for as many series as there may be, with the longest names. */
#define TEXT_MAX_BYTES ((size_t)256 << 20)

static int32_t
take_text(inf_buf *out, char **text, size_t *len)
{
  int32_t status = out->status;
  *text = status == INFER_OK ? inf_buf_take(out, len) : NULL;
  inf_buf_fini(out);
  return status == INFER_OK && !*text ? INFER_E_NO_MEMORY : status;
}

int32_t
infer_client_stats(infer_client *client, char **json, size_t *len)
{
  int32_t status = inf_guard_client(client, NULL);
  if (status != INFER_OK)
    return status;
  if (!json)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, TEXT_MAX_BYTES);
  status = inf_stats_write(client, &out);
  if (status != INFER_OK && out.status == INFER_OK)
    out.status = status;
  return take_text(&out, json, len);
}

int32_t
infer_client_metrics(infer_client *client, char **text, size_t *len)
{
  int32_t status = inf_guard_client(client, NULL);
  if (status != INFER_OK)
    return status;
  if (!text)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, TEXT_MAX_BYTES);
  inf_metrics_write(client, &out);
  return take_text(&out, text, len);
}

int32_t
infer_queue_set_records(infer_queue *queue, int32_t on)
{
  if (!queue)
    return INFER_E_INVALID_ARGUMENT;
  if (queue->fork_generation != inf_fork_generation())
    return INFER_E_FORKED;
  atomic_store(&queue->records, on != 0);
  return INFER_OK;
}

#endif

const infer_attempt *
infer_event_attempt(const infer_event *event)
{
  return event ? inf_event_record(event) : NULL;
}

const infer_call *
infer_event_call(const infer_event *event)
{
  return event ? event->call : NULL;
}

double
infer_attempt_tokens_per_second(const infer_attempt *attempt)
{
  uint64_t each_ns = attempt ? inf_observe_per_token_ns(attempt) : 0;
  return each_ns > 0 ? (double)INF_NS_PER_S / (double)each_ns : -1;
}
