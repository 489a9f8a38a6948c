/* SPDX-License-Identifier: MIT */
/* The C side of the Go package: lays libinfer's handles out as plain structs,
 * so that Go crosses over once for a batch of events, once for a submission,
 * and reads the rest from memory. Nothing here calls Go but the question for a
 * token, once an hour. */
#define _GNU_SOURCE
#include "shim.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_llong live;

int64_t
shim_live(void)
{
  return atomic_load(&live);
}

static shim_text
text_of(const char *text)
{
  return (shim_text){text, strlen(text)};
}

/* ---- Results ------------------------------------------------------------- */

/* Memory that a result needs beyond its own room. */
typedef struct block {
  struct block *next;
  max_align_t data[];
} block;

/* The usual answer, of one choice and one attempt, fits in the room, and the
 * result in 1 KiB, up to which malloc() has memory at hand. */
enum { room_bytes = 864 };
_Static_assert(sizeof(shim_response) + sizeof(shim_choice) + sizeof(shim_part) +
                       sizeof(shim_attempt) + 4 * sizeof(max_align_t) <=
                   room_bytes,
               "the usual answer fits");

struct shim_result {
  infer_response *response_handle;
  infer_error *error_handle;
  infer_call *call; /* which it ends, if shim_call_wait() gave it */
  shim_response *response;
  shim_error *error;
  block *blocks;
  int failed;  /* memory was short */
  size_t used; /* of the room */
  max_align_t room[room_bytes / sizeof(max_align_t)];
};

static void *
take_block(shim_result *result, size_t bytes)
{
  block *taken = NULL;
  if (bytes <= SIZE_MAX - sizeof(*taken)) {
    taken = malloc(sizeof(*taken) + bytes);
  }
  if (!taken) {
    result->failed = 1;
    return NULL;
  }
  taken->next = result->blocks;
  result->blocks = taken;
  return taken->data;
}

/* Zeroed memory; NULL for nothing, and when memory is short. */
static void *
take(shim_result *result, size_t count, size_t size)
{
  const size_t unit = sizeof(result->room[0]);
  if (count == 0) {
    return NULL;
  }
  if (count > (SIZE_MAX - unit) / size) {
    result->failed = 1;
    return NULL;
  }
  size_t bytes = count * size;
  size_t units = (bytes + unit - 1) / unit;
  void *taken;
  if (units <= room_bytes / unit - result->used) {
    taken = &result->room[result->used];
    result->used += units;
  } else {
    taken = take_block(result, bytes);
  }
  return taken ? memset(taken, 0, bytes) : NULL;
}

static void
lay_attempt(shim_attempt *flat, const infer_attempt *attempt)
{
  flat->provider = text_of(infer_attempt_provider(attempt));
  flat->target = text_of(infer_attempt_target(attempt));
  flat->message = text_of(infer_attempt_message(attempt));
  flat->decision = text_of(infer_attempt_decision(attempt));
  flat->request_id = text_of(infer_attempt_request_id(attempt));
  flat->reason = infer_attempt_reason(attempt);
  flat->key_index = infer_attempt_key_index(attempt);
  flat->status = infer_attempt_status(attempt);
  flat->http_status = infer_attempt_http_status(attempt);
  flat->won = infer_attempt_won(attempt);
  flat->reused_connection = infer_attempt_reused_connection(attempt);
  flat->start_ns = infer_attempt_start_ns(attempt);
  for (int32_t i = 0; i < INFER_PHASE_COUNT; i++) {
    flat->phase_ns[i] = infer_attempt_phase_ns(attempt, i);
  }
  for (int32_t i = 0; i < INFER_USAGE_COUNT; i++) {
    flat->usage[i] = infer_attempt_usage(attempt, i);
  }
  flat->bytes_sent = infer_attempt_bytes_sent(attempt);
  flat->bytes_received = infer_attempt_bytes_received(attempt);
  flat->skipped_events = infer_attempt_skipped_events(attempt);
  flat->cost_nano_usd = infer_attempt_cost_nano_usd(attempt);
  flat->cost_kind = infer_attempt_cost_kind(attempt);
}

static void
lay_tool_calls(shim_result *result, shim_choice *flat,
               const infer_response *response, size_t choice)
{
  size_t count = infer_response_tool_call_count(response, choice);
  shim_tool_call *calls = take(result, count, sizeof(*calls));
  for (size_t i = 0; calls && i < count; i++) {
    shim_text *arguments = &calls[i].arguments;
    calls[i].id = text_of(infer_response_tool_call_id(response, choice, i));
    calls[i].name = text_of(infer_response_tool_call_name(response, choice, i));
    arguments->at = infer_response_tool_call_arguments(response, choice, i,
                                                       &arguments->len);
  }
  flat->tool_calls = calls;
  flat->tool_call_count = calls ? count : 0;
}

static void
lay_choices(shim_result *result, shim_response *flat,
            const infer_response *response)
{
  size_t count = infer_response_choice_count(response);
  shim_choice *choices = take(result, count, sizeof(*choices));
  for (size_t i = 0; choices && i < count; i++) {
    shim_choice *to = &choices[i];
    to->text.at = infer_response_choice_text(response, i, &to->text.len);
    to->reasoning.at =
        infer_response_reasoning(response, i, &to->reasoning.len);
    to->refusal.at = infer_response_refusal(response, i, &to->refusal.len);
    to->finish_reason = text_of(infer_response_finish_reason(response, i));
    to->native_finish_reason =
        text_of(infer_response_native_finish_reason(response, i));
    lay_tool_calls(result, to, response, i);
  }
  flat->choices = choices;
  flat->choice_count = choices ? count : 0;
}

static size_t
place_of(const infer_response *response, const infer_attempt *attempt)
{
  size_t count = infer_response_attempt_count(response), i = 0;
  while (i < count && infer_response_attempt(response, i) != attempt) {
    i++;
  }
  return i;
}

static void
lay_parts(shim_result *result, shim_response *flat,
          const infer_response *response)
{
  size_t count = infer_response_part_count(response);
  shim_part *parts = take(result, count, sizeof(*parts));
  for (size_t i = 0; parts && i < count; i++) {
    parts[i].model = text_of(infer_response_part_model(response, i));
    parts[i].bytes = infer_response_part_bytes(response, i);
    parts[i].attempt = place_of(response, infer_response_part(response, i));
  }
  flat->parts = parts;
  flat->part_count = parts ? count : 0;
}

static shim_response *
lay_response(shim_result *result, const infer_response *response)
{
  shim_response *flat = take(result, 1, sizeof(*flat));
  if (!flat) {
    return NULL;
  }
  flat->id = text_of(infer_response_id(response));
  flat->model = text_of(infer_response_model(response));
  flat->provider = text_of(infer_response_provider(response));
  flat->target = text_of(infer_response_target(response));
  flat->request_id = text_of(infer_response_request_id(response));
  for (int32_t i = 0; i < INFER_USAGE_COUNT; i++) {
    flat->usage[i] = infer_response_usage(response, i);
    flat->total_usage[i] = infer_response_total_usage(response, i);
  }
  flat->handle = response;
  flat->usage_estimated = infer_response_usage_estimated(response);
  flat->total_cost_nano_usd = infer_response_total_cost_nano_usd(response);
  flat->wasted_cost_nano_usd = infer_response_wasted_cost_nano_usd(response);
  flat->cost_kind = infer_response_cost_kind(response);
  lay_choices(result, flat, response);
  lay_parts(result, flat, response);
  size_t count = infer_response_attempt_count(response);
  shim_attempt *attempts = take(result, count, sizeof(*attempts));
  for (size_t i = 0; attempts && i < count; i++) {
    lay_attempt(&attempts[i], infer_response_attempt(response, i));
  }
  flat->attempts = attempts;
  flat->attempt_count = attempts ? count : 0;
  return flat;
}

static shim_error *
lay_error(shim_result *result, const infer_error *error)
{
  shim_error *flat = take(result, 1, sizeof(*flat));
  if (!flat) {
    return NULL;
  }
  flat->message = text_of(infer_error_message(error));
  flat->provider = text_of(infer_error_provider(error));
  flat->target = text_of(infer_error_target(error));
  flat->request_id = text_of(infer_error_request_id(error));
  flat->provider_code = text_of(infer_error_provider_code(error));
  flat->provider_type = text_of(infer_error_provider_type(error));
  flat->provider_param = text_of(infer_error_provider_param(error));
  flat->provider_message = text_of(infer_error_provider_message(error));
  flat->status = infer_error_status(error);
  flat->http_status = infer_error_http_status(error);
  flat->retryable = infer_error_retryable(error);
  flat->retry_after_ms = infer_error_retry_after_ms(error);
  flat->total_cost_nano_usd = infer_error_total_cost_nano_usd(error);
  flat->cost_kind = infer_error_cost_kind(error);
  size_t count = infer_error_attempt_count(error);
  shim_attempt *attempts = take(result, count, sizeof(*attempts));
  for (size_t i = 0; attempts && i < count; i++) {
    lay_attempt(&attempts[i], infer_error_attempt(error, i));
  }
  flat->attempts = attempts;
  flat->attempt_count = attempts ? count : 0;
  const infer_response *partial = infer_error_partial(error);
  if (partial) {
    flat->partial = lay_response(result, partial);
  }
  return flat;
}

/* Takes over both handles. */
static shim_result *
result_new(infer_response *response, infer_error *error)
{
  shim_result *result = malloc(sizeof(*result));
  if (!result) {
    infer_response_free(response);
    infer_error_free(error);
    return NULL;
  }
  memset(result, 0, offsetof(shim_result, room));
  atomic_fetch_add(&live, 1);
  result->response_handle = response;
  result->error_handle = error;
  if (response) {
    result->response = lay_response(result, response);
  } else if (error) {
    result->error = lay_error(result, error);
  }
  if (result->failed) {
    shim_result_free(result);
    return NULL;
  }
  return result;
}

shim_result *
shim_result_of_response(infer_response *response)
{
  return result_new(response, NULL);
}

shim_result *
shim_result_of_error(infer_error *error)
{
  return result_new(NULL, error);
}

const shim_response *
shim_result_response(const shim_result *result)
{
  return result ? result->response : NULL;
}

shim_text
shim_response_json(const infer_response *response)
{
  shim_text json;
  json.at = infer_response_json(response, &json.len);
  return json;
}

const shim_error *
shim_result_error(const shim_result *result)
{
  return result ? result->error : NULL;
}

void
shim_result_free(shim_result *result)
{
  if (!result) {
    return;
  }
  infer_response_free(result->response_handle);
  infer_error_free(result->error_handle);
  shim_call_free(result->call);
  while (result->blocks) {
    block *next = result->blocks->next;
    free(result->blocks);
    result->blocks = next;
  }
  free(result);
  atomic_fetch_sub(&live, 1);
}

/* ---- Client -------------------------------------------------------------- */

static int32_t
open_queue(shim_client *client)
{
  /* A client without a loop thread would stand still: the queue's descriptor
   * does not become readable by itself. */
  if (infer_client_fd(client->client) >= 0) {
    return INFER_E_UNSUPPORTED;
  }
  int32_t status = infer_queue_new(&client->queue, client->client);
  if (status != INFER_OK) {
    return status;
  }
  client->fd = fcntl(infer_queue_fd(client->queue), F_DUPFD_CLOEXEC, 0);
  return client->fd >= 0 ? INFER_OK : INFER_E_LIMIT;
}

shim_opened
shim_client_open(const infer_config *config)
{
  shim_opened opened = {.client = calloc(1, sizeof(*opened.client))};
  if (!opened.client) {
    opened.status = INFER_E_NO_MEMORY;
    return opened;
  }
  atomic_fetch_add(&live, 1);
  opened.status =
      infer_client_new(&opened.client->client, config, &opened.error);
  if (opened.status == INFER_OK) {
    opened.status = open_queue(opened.client);
  }
  if (opened.status != INFER_OK) {
    shim_client_free(opened.client);
    opened.client = NULL;
  }
  return opened;
}

void
shim_client_free(shim_client *client)
{
  shim_release(client);
  infer_queue_free(client->queue);
  infer_client_free(client->client);
  free(client);
  atomic_fetch_sub(&live, 1);
}

static int32_t
apply(infer_request *request, char kind, const char *name, const char *value)
{
  switch (kind) {
  case 'h':
    return infer_request_set_header(request, name, value);
  case 'l':
    return infer_request_require_label(request, value);
  case 't':
    return infer_request_set_tag(request, name, value);
  case 'n':
    return infer_request_set_tenant(request, value);
  case 'p':
    return infer_request_set_policy(request, name, strtoll(value, NULL, 10));
  case '1':
    return infer_request_set_run_once(request, 1);
  default:
    return INFER_E_INTERNAL;
  }
}

static ptrdiff_t
apply_all(infer_request *request, const char *settings, size_t len,
          int32_t *status)
{
  for (size_t at = 0; at < len;) {
    const char *name = settings + at + 1;
    const char *value = name + strlen(name) + 1;
    *status = apply(request, settings[at], name, value);
    if (*status != INFER_OK) {
      return (ptrdiff_t)at;
    }
    at = (size_t)(value - settings) + strlen(value) + 1;
  }
  return -1;
}

/* Builds a request of texts alone; gives it also if a text was refused. */
static int32_t
build(infer_request **request, const char *texts, size_t len)
{
  int32_t status = infer_request_new(request, texts);
  size_t at = strlen(texts) + 1;
  while (status == INFER_OK && at < len) {
    const char *role = texts + at;
    uint64_t text_len;
    at += strlen(role) + 1;
    memcpy(&text_len, texts + at, sizeof(text_len));
    at += sizeof(text_len);
    status = infer_request_add_message_n(*request, role, texts + at,
                                         (size_t)text_len);
    at += (size_t)text_len;
  }
  return status;
}

shim_submitted
shim_request_new(int32_t form, const char *body, size_t body_len,
                 const char *settings, size_t settings_len, int64_t deadline_ms,
                 infer_request **request)
{
  shim_submitted made = {.refused = -1};
  if (form == SHIM_TEXTS) {
    made.status = build(request, body, body_len);
  } else {
    made.status = infer_request_from_json(request, body, body_len, &made.error);
  }
  if (made.status == INFER_OK && deadline_ms > 0) {
    made.status = infer_request_set_deadline_ms(*request, deadline_ms);
  }
  if (made.status == INFER_OK) {
    made.refused = apply_all(*request, settings, settings_len, &made.status);
  }
  return made;
}

shim_submitted
shim_submit(shim_client *client, int32_t form, const char *body,
            size_t body_len, const char *settings, size_t settings_len,
            int64_t deadline_ms, int32_t mode, uint64_t tag)
{
  infer_request *request = NULL;
  shim_submitted sent = shim_request_new(form, body, body_len, settings,
                                         settings_len, deadline_ms, &request);
  if (sent.status == INFER_OK) {
    infer_queue *queue = tag != 0 ? client->queue : NULL;
    sent.status = infer_submit(client->client, request, mode, queue, tag,
                               &sent.call, &sent.error);
  }
  if (sent.call) {
    atomic_fetch_add(&live, 1);
  }
  infer_request_free(request);
  return sent;
}

shim_submitted
shim_submit_models(shim_client *client, const char *provider,
                   int64_t timeout_ms, uint64_t tag)
{
  shim_submitted sent = {.refused = -1};
  sent.status =
      infer_submit_models(client->client, provider, timeout_ms, client->queue,
                          tag, &sent.call, &sent.error);
  if (sent.call) {
    atomic_fetch_add(&live, 1);
  }
  return sent;
}

shim_submitted
shim_submit_embed(shim_client *client, const char *body, size_t body_len,
                  const char *settings, size_t settings_len,
                  int64_t deadline_ms, uint64_t tag)
{
  infer_request *request = NULL;
  shim_submitted sent = {.refused = -1};
  sent.status =
      infer_request_from_embed_json(&request, body, body_len, &sent.error);
  if (sent.status == INFER_OK && deadline_ms > 0) {
    sent.status = infer_request_set_deadline_ms(request, deadline_ms);
  }
  if (sent.status == INFER_OK) {
    sent.refused = apply_all(request, settings, settings_len, &sent.status);
  }
  if (sent.status == INFER_OK) {
    sent.status = infer_submit_embed(client->client, request, client->queue,
                                     tag, &sent.call, &sent.error);
  }
  if (sent.call) {
    atomic_fetch_add(&live, 1);
  }
  infer_request_free(request);
  return sent;
}

void
shim_call_free(infer_call *call)
{
  if (call) {
    infer_call_free(call);
    atomic_fetch_sub(&live, 1);
  }
}

shim_waited
shim_call_wait(infer_call *call)
{
  infer_response *response = NULL;
  infer_error *error = NULL;
  (void)infer_call_wait(call, -1, &response, &error);
  shim_result *result = result_new(response, error);
  if (result) {
    result->call = call;
  }
  return (shim_waited){result, shim_result_response(result),
                       shim_result_error(result)};
}

/* ---- Batches ------------------------------------------------------------- */

static void
lay_event(shim_event *flat, shim_result **result, infer_event *event)
{
  flat->type = infer_event_type(event);
  flat->tag = infer_event_tag(event);
  flat->epoch = infer_event_epoch(event);
  flat->choice = infer_event_choice(event);
  flat->text.at = infer_event_text(event, &flat->text.len);
  flat->call = NULL;
  flat->attempt = NULL;
  flat->response = NULL;
  flat->error = NULL;
  flat->status = INFER_OK;
  if (flat->type == INFER_EVENT_START) {
    flat->head.at = infer_event_head(event, &flat->head.len);
  }
  if (flat->type == INFER_EVENT_TOOL_CALL_DELTA ||
      flat->type == INFER_EVENT_TOOL_CALL_DONE) {
    flat->tool_index = infer_event_tool_index(event);
    flat->tool_id = text_of(infer_event_tool_id(event));
    flat->tool_name = text_of(infer_event_tool_name(event));
  }
  if (flat->type == INFER_EVENT_ATTEMPT) {
    flat->status = infer_event_status(event);
    *result = result_new(NULL, NULL);
    shim_attempt *attempt = *result ? take(*result, 1, sizeof(*attempt)) : NULL;
    if (attempt) {
      lay_attempt(attempt, infer_event_attempt(event));
    }
    flat->attempt = attempt;
  }
  if (flat->type == INFER_EVENT_DONE) {
    flat->status = infer_event_status(event);
    *result = result_new(infer_event_take_response(event),
                         infer_event_take_error(event));
    flat->response = shim_result_response(*result);
    flat->error = shim_result_error(*result);
  }
}

size_t
shim_fetch(shim_client *client)
{
  shim_release(client);
  if (infer_queue_poll_batch(client->queue, client->events, SHIM_BATCH, 0,
                             &client->count) != INFER_OK) {
    client->count = 0;
  }
  atomic_fetch_add(&live, (long long)client->count);
  for (size_t i = 0; i < client->count; i++) {
    lay_event(&client->flat[i], &client->results[i], client->events[i]);
  }
  return client->count;
}

void
shim_release(shim_client *client)
{
  for (size_t i = 0; i < client->count; i++) {
    shim_result_free(client->results[i]);
    client->results[i] = NULL;
    shim_call_free(client->flat[i].call);
    infer_event_free(client->events[i]);
  }
  atomic_fetch_sub(&live, (long long)client->count);
  client->count = 0;
}

/* ---- Others -------------------------------------------------------------- */

shim_configured
shim_config_new(const char *path, const char *json, size_t len)
{
  shim_configured made = {.status = INFER_OK};
  if (path) {
    made.status = infer_config_from_file(&made.config, path, &made.error);
  } else if (json) {
    made.status = infer_config_from_json(&made.config, json, len, &made.error);
  } else {
    made.status = infer_config_new(&made.config);
  }
  if (made.config) {
    atomic_fetch_add(&live, 1);
  }
  return made;
}

static void
on_token_question(infer_token_request *request, void *source)
{
  inferGoTokenQuestion(request, (uintptr_t)source);
}

int32_t
shim_config_set_token_source(infer_config *config, const char *provider,
                             uintptr_t source)
{
  return infer_config_set_token_source(config, provider,
                                       source ? on_token_question : NULL,
                                       (void *)source);
}

void
shim_config_free(infer_config *config)
{
  if (config) {
    infer_config_free(config);
    atomic_fetch_sub(&live, 1);
  }
}
