/* SPDX-License-Identifier: MIT */
/* What would be several calls from Python, as one. A batch of events is a block
 * of records and one of text, which Python makes few objects of. A call that
 * begins takes its request as text, without a handle for it. */

#include <stdlib.h>
#include <string.h>

/* A buffer that a long text has grown is not kept beyond this. */
#define BINDING_KEPT_BYTES ((size_t)1 << 20)

binding_batch *
binding_batch_new(void)
{
  return calloc(1, sizeof(binding_batch));
}

void
binding_batch_clear(binding_batch *batch)
{
  for (size_t i = 0; i < batch->count; i++)
    infer_event_free(batch->events[i]);
  batch->count = 0;
}

void
binding_batch_free(binding_batch *batch)
{
  binding_batch_clear(batch);
  free(batch->text);
  free(batch);
}

static int
binding_reserve(binding_batch *batch, size_t more)
{
  if (more <= batch->text_size - batch->text_len)
    return 1;
  size_t size = (batch->text_len + more) * 2;
  char *text = realloc(batch->text, size);
  if (!text)
    return 0;
  batch->text = text;
  batch->text_size = size;
  return 1;
}

/* Does the event's text, with choice and epoch, say all of it? */
static int
binding_is_plain(int32_t type)
{
  return type != INFER_EVENT_START && type != INFER_EVENT_DONE &&
         type != INFER_EVENT_ATTEMPT &&
         type != INFER_EVENT_TOOL_CALL_DELTA &&
         type != INFER_EVENT_TOOL_CALL_DONE;
}

/* Writes the event's record. A plain event goes at once; any other, and one
 * whose text finds no memory, stays for Python to look at. */
static void
binding_record_event(binding_batch *batch, binding_record *record,
                     infer_event *event)
{
  size_t len;
  const char *text = infer_event_text(event, &len);
  record->tag = infer_event_tag(event);
  record->type = (uint32_t)infer_event_type(event);
  record->epoch = infer_event_epoch(event);
  record->choice = infer_event_choice(event);
  record->event = 0;
  record->start = record->end = batch->text_len;
  if (binding_is_plain(infer_event_type(event)) &&
      binding_reserve(batch, len)) {
    if (len > 0)
      memcpy(batch->text + batch->text_len, text, len);
    batch->text_len += len;
    record->end = batch->text_len;
    infer_event_free(event);
  } else {
    record->event = (uint64_t)(uintptr_t)event;
    batch->events[batch->count++] = event;
  }
}

int32_t
binding_batch_read(binding_batch *batch, infer_queue *queue, int64_t timeout_ms)
{
  infer_event *events[BINDING_CAPACITY];
  size_t count = 0;
  binding_batch_clear(batch);
  batch->text_len = 0;
  if (batch->text_size > BINDING_KEPT_BYTES) {
    free(batch->text);
    batch->text = NULL;
    batch->text_size = 0;
  }
  int32_t status = infer_queue_poll_batch(queue, events, BINDING_CAPACITY,
                                          timeout_ms, &count);
  if (status != INFER_OK)
    return status;
  for (size_t i = 0; i < count; i++)
    binding_record_event(batch, &batch->records[i], events[i]);
  return (int32_t)count;
}

static int32_t
binding_make_request(infer_request **request, const char *model,
                     const char *text, size_t len, infer_error **error)
{
  if (!model)
    return infer_request_from_json(request, text, len, error);
  int32_t status = infer_request_new(request, model);
  if (status == INFER_OK)
    status = infer_request_add_message_n(*request, "user", text, len);
  return status;
}

int32_t
binding_call_begin(binding_call *call, infer_client *client,
                   const infer_request *request, const char *model,
                   const char *text, size_t len, int32_t mode,
                   infer_queue *queue, uint64_t tag)
{
  infer_request *made = NULL;
  int32_t status = INFER_OK;
  if (!request)
    status = binding_make_request(&made, model, text, len, &call->error);
  if (status == INFER_OK)
    status = infer_submit(client, request ? request : made, mode, queue, tag,
                          &call->call, &call->error);
  infer_request_free(made);
  return status;
}

int32_t
binding_call_wait(binding_call *call, int64_t timeout_ms)
{
  int32_t status =
      infer_call_wait(call->call, timeout_ms, &call->response, &call->error);
  if (status == INFER_E_TIMEOUT) {
    infer_error_free(call->error);
    call->error = NULL;
  } else {
    infer_call_free(call->call); /* the result outlives it, maybe for long */
    call->call = NULL;
  }
  return status;
}

void
binding_call_end(binding_call *call)
{
  infer_call_cancel(call->call);
  (void)infer_call_wait(call->call, 0, NULL, NULL);
  infer_call_free(call->call);
  infer_response_free(call->response);
  infer_error_free(call->error);
  memset(call, 0, sizeof *call);
}
