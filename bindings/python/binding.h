/* SPDX-License-Identifier: MIT */
/* What the extension adds to infer.h. Both cffi and the compiler read this. */

/* Events in one batch. */
#define BINDING_CAPACITY 256

/* One event. _reader.py unpacks an array of these by their layout. */
typedef struct binding_record {
  uint64_t tag;
  uint64_t event; /* address of the infer_event, 0 where the text says it all */
  uint64_t start, end; /* of the event's text, in bytes of the batch's */
  uint32_t type, epoch, choice, reserved;
} binding_record;

/* A batch owns its events until it is cleared, read into or freed, whatever
 * becomes of the Python code that looks at them. */
typedef struct binding_batch {
  binding_record records[BINDING_CAPACITY];
  infer_event *events[BINDING_CAPACITY];
  size_t count;
  char *text;
  size_t text_len, text_size;
} binding_batch;

/* NULL when memory is short. */
binding_batch *binding_batch_new(void);
/* Reads up to BINDING_CAPACITY events. Gives their number, or the status of
 * infer_queue_poll_batch(). */
int32_t binding_batch_read(binding_batch *batch, infer_queue *queue,
                           int64_t timeout_ms);
void binding_batch_clear(binding_batch *batch);
void binding_batch_free(binding_batch *batch);

/* A call and what it left: zeroed before it begins. */
typedef struct binding_call {
  infer_call *call;
  infer_response *response;
  infer_error *error;
} binding_call;

/* Submits the request; where that is NULL, one of a text of the user for the
 * model; and where that is NULL, too, the one that the text is as JSON. */
int32_t binding_call_begin(binding_call *call, infer_client *client,
                           const infer_request *request, const char *model,
                           const char *text, size_t len, int32_t mode,
                           infer_queue *queue, uint64_t tag);
/* INFER_E_TIMEOUT: it goes on. Else it has ended with this status. */
int32_t binding_call_wait(binding_call *call, int64_t timeout_ms);
/* Frees it. One that goes on is cancelled, and a client without a thread of its
 * own is given a turn to do so. May be called again. */
void binding_call_end(binding_call *call);
