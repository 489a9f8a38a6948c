/* SPDX-License-Identifier: MIT */
#ifndef INFER_GO_SHIM_H
#define INFER_GO_SHIM_H

#include <infer/infer.h>

#include <stddef.h>
#include <stdint.h>

/* What the Go side calls: few functions that do much, since crossing from Go
 * to C costs more than most of libinfer's own functions. They give plain
 * structs that Go reads as they are; all pointers in them lead to memory of C,
 * which lives until the batch or result that it belongs to is released.
 *
 * Every handle that the shim holds is counted, so that a test can see that
 * none is left. */

#define SHIM_BATCH 64

typedef struct shim_text {
  const char *at;
  size_t len;
} shim_text;

typedef struct shim_attempt {
  shim_text provider, target, message, decision, request_id;
  int32_t reason, key_index, status, http_status, won, reused_connection;
  int64_t start_ns;
  int64_t phase_ns[INFER_PHASE_COUNT];
  int64_t usage[INFER_USAGE_COUNT];
  int64_t bytes_sent, bytes_received, skipped_events;
  int64_t cost_nano_usd;
  int32_t cost_kind;
} shim_attempt;

typedef struct shim_tool_call {
  shim_text id, name, arguments;
} shim_tool_call;

typedef struct shim_choice {
  shim_text text, reasoning, refusal, finish_reason, native_finish_reason;
  size_t tool_call_count;
  const shim_tool_call *tool_calls;
} shim_choice;

typedef struct shim_part {
  shim_text model;
  size_t bytes;
  size_t attempt; /* its place among the attempts */
} shim_part;

typedef struct shim_response {
  shim_text id, model, provider, target, request_id;
  int64_t usage[INFER_USAGE_COUNT], total_usage[INFER_USAGE_COUNT];
  int32_t usage_estimated, cost_kind;
  int64_t total_cost_nano_usd, wasted_cost_nano_usd;
  size_t choice_count, part_count, attempt_count;
  const shim_choice *choices;
  const shim_part *parts;
  const shim_attempt *attempts;
  const infer_response *handle;
} shim_response;

typedef struct shim_error {
  shim_text message, provider, target, request_id;
  shim_text provider_code, provider_type, provider_param, provider_message;
  int32_t status, http_status, retryable;
  int64_t retry_after_ms, total_cost_nano_usd;
  int32_t cost_kind;
  size_t attempt_count;
  const shim_attempt *attempts;
  const shim_response *partial; /* or NULL */
} shim_error;

/* A response or error laid out flat. It owns the handle. */
typedef struct shim_result shim_result;

/* NULL when memory is short; the handle is freed then, too. */
shim_result *shim_result_of_response(infer_response *response);
shim_result *shim_result_of_error(infer_error *error);
const shim_response *shim_result_response(const shim_result *result);
shim_text shim_response_json(const infer_response *response);
const shim_error *shim_result_error(const shim_result *result);
void shim_result_free(shim_result *result);

/* ---- Client -------------------------------------------------------------- */

typedef struct shim_event {
  int32_t type, status;
  uint64_t tag;
  uint32_t epoch, choice, tool_index;
  shim_text text, head, tool_id, tool_name;
  const shim_response *response; /* DONE: either of the two; neither when */
  const shim_error *error;       /* memory is short */
  const shim_attempt *attempt; /* ATTEMPT: NULL when memory is short */
  infer_call *call; /* NULL; what Go writes here is freed with the event */
} shim_event;

/* A client and the queue of all its calls. Batches are fetched and released by
 * one thread at a time. */
typedef struct shim_client {
  infer_client *client;
  infer_queue *queue;
  int fd; /* a duplicate of the queue's, for Go to own */
  size_t count;
  infer_event *events[SHIM_BATCH];
  shim_result *results[SHIM_BATCH];
  shim_event flat[SHIM_BATCH];
} shim_client;

typedef struct shim_opened {
  int32_t status;
  shim_client *client;
  infer_error *error;
} shim_opened;

shim_opened shim_client_open(const infer_config *config);
/* After infer_client_close(), when no call is left. */
void shim_client_free(shim_client *client);

typedef struct shim_submitted {
  int32_t status;
  infer_call *call;
  infer_error *error;
  ptrdiff_t refused; /* where in settings the refused one begins, or -1 */
} shim_submitted;

/* The forms of a request's body: a JSON object; or, for a request of texts
 * alone, which libinfer then need not parse, the model and each message's role,
 * NUL-terminated, and the length (uint64_t) and bytes of its text. Without an
 * error, and with refused below 0, texts were refused: JSON tells why. */
#define SHIM_JSON  0
#define SHIM_TEXTS 1

/* settings: how the call is made, each as a letter ('h' header, 'l' label, 't'
 * tag, 'n' tenant, 'p' policy, '1' run once), a name and a value, both
 * NUL-terminated. deadline_ms 0: that of the route. tag 0: for
 * shim_call_wait(), without events. */
shim_submitted shim_submit(shim_client *client, int32_t form, const char *body,
                           size_t body_len, const char *settings,
                           size_t settings_len, int64_t deadline_ms,
                           int32_t mode, uint64_t tag);
/* Asks a provider for its models; infer_call_models() gives them when the DONE
 * event has come. timeout_ms 0: the provider's deadline. */
shim_submitted shim_submit_models(shim_client *client, const char *provider,
                                  int64_t timeout_ms, uint64_t tag);
/* Asks for vectors: body is an OpenAI embeddings request object, settings as
 * above. infer_call_embeddings() gives them when the DONE event has come. */
shim_submitted shim_submit_embed(shim_client *client, const char *body,
                                 size_t body_len, const char *settings,
                                 size_t settings_len, int64_t deadline_ms,
                                 uint64_t tag);
/* Gives up a call that one of these gave. */
void shim_call_free(infer_call *call);

typedef struct shim_waited {
  shim_result *result; /* NULL when memory is short */
  const shim_response *response;
  const shim_error *error;
} shim_waited;

/* Waits for the end of a call whose events go to no queue. The result, if there
 * is one, owns the call: both are freed when there is time. */
shim_waited shim_call_wait(infer_call *call);

/* Releases the batch before and fetches the next, without waiting. Returns the
 * number of events, which lie in client->flat. */
size_t shim_fetch(shim_client *client);
void shim_release(shim_client *client);

/* ---- Others -------------------------------------------------------------- */

typedef struct shim_configured {
  int32_t status;
  infer_config *config;
  infer_error *error;
} shim_configured;

/* From a file, or from JSON, or empty if both are NULL. */
shim_configured shim_config_new(const char *path, const char *json, size_t len);
/* source: the number of a source of tokens in Go, 0: none. */
int32_t shim_config_set_token_source(infer_config *config, const char *provider,
                                     uintptr_t source);
/* Of Go: passes the question on and returns. */
extern void inferGoTokenQuestion(infer_token_request *request,
                                 uintptr_t source);
void shim_config_free(infer_config *config);

/* The request that shim_submit() would make, for infer_client_plan(). */
shim_submitted shim_request_new(int32_t form, const char *body, size_t body_len,
                                const char *settings, size_t settings_len,
                                int64_t deadline_ms, infer_request **request);

/* Handles that live now. */
int64_t shim_live(void);

#endif
