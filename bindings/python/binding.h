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

/* A blocking call: zeroed before it begins. */
typedef struct binding_chat {
  infer_call *call; /* while it goes on */
  infer_response *response;
  infer_error *error;
} binding_chat;

/* Begins the call unless it has begun, and waits. INFER_E_TIMEOUT: it goes on.
 * Else it has ended with this status, and whoever called owns the result. */
int32_t binding_chat_wait(binding_chat *chat, infer_client *client,
                          const infer_request *request, int64_t timeout_ms);
/* Gives up a call, ended or not. A client without a thread of its own is given
 * a turn. */
void binding_chat_give_up(binding_chat *chat);

/* Who drops the handle of a call is not interested in it any more. */
void binding_call_drop(infer_call *call);
