/* SPDX-License-Identifier: MIT */
/* The shared scenarios by the C interface: calls are submitted, and what comes
 * of them is read from a queue. */
#include "scenario.h"

#include "infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add_text(json_object *object, const char *member, const char *text)
{
  account_text(object, member, text, strlen(text));
}

/* ---- A client and a request ---------------------------------------------- */

static void *
open_client(const char *text)
{
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_error *error = NULL;
  if (infer_config_from_json(&config, text, INFER_NUL_TERMINATED, &error) !=
          INFER_OK ||
      infer_client_new(&client, config, &error) != INFER_OK)
    fprintf(stderr, "%s\n", infer_error_message(error));
  infer_error_free(error);
  infer_config_free(config);
  return client;
}

static void
close_client(void *client)
{
  infer_client_free(client);
}

static void
need(int32_t status, const char *what)
{
  if (status == INFER_OK)
    return;
  fprintf(stderr, "%s: %s\n", what, infer_status_text(status));
  exit(1);
}

static infer_request *
new_request(json_object *call)
{
  const char *text = json_object_to_json_string(scenario_get(call, "request"));
  json_object *headers = scenario_get(call, "headers");
  json_object *policy = scenario_get(call, "policy");
  json_object *labels = scenario_get(call, "labels");
  infer_request *request;
  need(infer_request_from_json(&request, text, INFER_NUL_TERMINATED, NULL),
       "request");
  if (scenario_get(call, "deadline_ms"))
    need(infer_request_set_deadline_ms(request,
                                       scenario_number(call, "deadline_ms")),
         "deadline_ms");
  if (headers) {
    json_object_object_foreach(headers, name, value)
    {
      const char *field = json_object_get_string(value);
      need(infer_request_set_header(request, name, field), "headers");
    }
  }
  if (policy) {
    json_object_object_foreach(policy, option, number)
    {
      int64_t value = json_object_get_int64(number);
      need(infer_request_set_policy(request, option, value), "policy");
    }
  }
  for (size_t i = 0; labels && i < json_object_array_length(labels); i++) {
    json_object *label = json_object_array_get_idx(labels, i);
    need(infer_request_require_label(request, json_object_get_string(label)),
         "labels");
  }
  if (scenario_get(call, "run_once"))
    need(infer_request_set_run_once(
             request, json_object_get_boolean(scenario_get(call, "run_once"))),
         "run_once");
  return request;
}

/* ---- The account --------------------------------------------------------- */

static json_object *
tool_calls_of(const infer_response *response, size_t choice)
{
  json_object *list = json_object_new_array();
  size_t count = infer_response_tool_call_count(response, choice);
  for (size_t i = 0; i < count; i++) {
    json_object *call = json_object_new_object();
    size_t len;
    const char *arguments =
        infer_response_tool_call_arguments(response, choice, i, &len);
    add_text(call, "id", infer_response_tool_call_id(response, choice, i));
    add_text(call, "name", infer_response_tool_call_name(response, choice, i));
    account_text(call, "arguments", arguments, len);
    json_object_array_add(list, call);
  }
  return list;
}

static json_object *
choices_of(const infer_response *response)
{
  json_object *list = json_object_new_array();
  for (size_t i = 0; i < infer_response_choice_count(response); i++) {
    json_object *choice = json_object_new_object();
    size_t len;
    const char *text = infer_response_choice_text(response, i, &len);
    account_text(choice, "text", text, len);
    text = infer_response_reasoning(response, i, &len);
    account_text(choice, "reasoning", text, len);
    text = infer_response_refusal(response, i, &len);
    account_text(choice, "refusal", text, len);
    add_text(choice, "finish_reason",
             infer_response_finish_reason(response, i));
    json_object_object_add(choice, "tool_calls", tool_calls_of(response, i));
    json_object_array_add(list, choice);
  }
  return list;
}

static json_object *
usage_of(const infer_response *response,
         int64_t (*usage)(const infer_response *response, int32_t kind))
{
  static const char *const kinds[INFER_USAGE_COUNT] = {
      "input",       "output", "reasoning",   "cache_read",
      "cache_write", "total",  "audio_input", "audio_output"};
  json_object *object = json_object_new_object();
  for (int32_t kind = 0; kind < INFER_USAGE_COUNT; kind++)
    account_number(object, kinds[kind], usage(response, kind));
  return object;
}

static json_object *
parts_of(const infer_response *response)
{
  json_object *list = json_object_new_array();
  for (size_t i = 0; i < infer_response_part_count(response); i++) {
    json_object *part = json_object_new_object();
    add_text(part, "target",
             infer_attempt_target(infer_response_part(response, i)));
    add_text(part, "model", infer_response_part_model(response, i));
    account_number(part, "bytes",
                   (long long)infer_response_part_bytes(response, i));
    json_object_array_add(list, part);
  }
  return list;
}

static json_object *
answer_of(const infer_response *response)
{
  json_object *answer = json_object_new_object();
  json_object_object_add(answer, "choices", choices_of(response));
  json_object_object_add(answer, "usage",
                         usage_of(response, infer_response_usage));
  json_object_object_add(answer, "total_usage",
                         usage_of(response, infer_response_total_usage));
  json_object_object_add(
      answer, "usage_estimated",
      json_object_new_boolean(infer_response_usage_estimated(response)));
  add_text(answer, "provider", infer_response_provider(response));
  add_text(answer, "target", infer_response_target(response));
  add_text(answer, "model", infer_response_model(response));
  add_text(answer, "id", infer_response_id(response));
  add_text(answer, "request_id", infer_response_request_id(response));
  json_object_object_add(answer, "parts", parts_of(response));
  json_object_object_add(
      answer, "json", json_tokener_parse(infer_response_json(response, NULL)));
  return answer;
}

static json_object *
error_of(const infer_error *error)
{
  json_object *object = json_object_new_object();
  const infer_response *partial = infer_error_partial(error);
  add_text(object, "message", infer_error_message(error));
  add_text(object, "provider", infer_error_provider(error));
  add_text(object, "target", infer_error_target(error));
  account_number(object, "http_status", infer_error_http_status(error));
  add_text(object, "request_id", infer_error_request_id(error));
  add_text(object, "provider_code", infer_error_provider_code(error));
  add_text(object, "provider_type", infer_error_provider_type(error));
  add_text(object, "provider_param", infer_error_provider_param(error));
  add_text(object, "provider_message", infer_error_provider_message(error));
  json_object_object_add(object, "retryable",
                         json_object_new_boolean(infer_error_retryable(error)));
  account_number(object, "retry_after_ms", infer_error_retry_after_ms(error));
  json_object_object_add(object, "partial",
                         partial ? answer_of(partial) : NULL);
  return object;
}

static void
add_attempt(json_object *list, const infer_attempt *attempt)
{
  account_attempt(list, infer_attempt_target(attempt),
                  infer_attempt_reason_name(attempt),
                  infer_attempt_http_status(attempt),
                  infer_status_name(infer_attempt_status(attempt)));
}

static void
add_result(json_object *account, const infer_response *response,
           const infer_error *error)
{
  json_object *attempts = json_object_new_array();
  for (size_t i = 0; i < infer_response_attempt_count(response); i++)
    add_attempt(attempts, infer_response_attempt(response, i));
  for (size_t i = 0; i < infer_error_attempt_count(error); i++)
    add_attempt(attempts, infer_error_attempt(error, i));
  json_object_object_add(account, "attempts", attempts);
  if (response)
    json_object_object_add(account, "answer", answer_of(response));
  if (error)
    json_object_object_add(account, "error", error_of(error));
}

/* ---- A call -------------------------------------------------------------- */

/* One call and what is known of it so far. */
typedef struct reading {
  infer_call *call;
  json_object *account, *events;
  const char *cancel_at;     /* type of event, or NULL */
  long long cancel_after_ms; /* -1: not by time */
  bool is_cancelled, is_done;
} reading;

static void
add_done(reading *r, int32_t status, const infer_response *response,
         const infer_error *error)
{
  json_object *done = json_object_new_object();
  account_status(done, "done", infer_status_name(status));
  json_object_array_add(r->events, done);
  account_status(r->account, "status", infer_status_name(status));
  if (!r->is_cancelled)
    add_result(r->account, response, error);
  r->is_done = true;
}

static void
cancel(reading *r)
{
  need(infer_call_cancel(r->call), "cancel");
  r->is_cancelled = true;
}

static void
add_event(reading *r, const infer_event *event)
{
  int32_t type = infer_event_type(event);
  if (type == INFER_EVENT_DONE) {
    add_done(r, infer_event_status(event), infer_event_response(event),
             infer_event_error(event));
    return;
  }
  if (r->is_cancelled && !r->is_done)
    return;
  bool is_tool =
      type == INFER_EVENT_TOOL_CALL_DELTA || type == INFER_EVENT_TOOL_CALL_DONE;
  account_event e = {.type = infer_event_type_name(event),
                     .choice = infer_event_choice(event),
                     .epoch = infer_event_epoch(event),
                     .tool = infer_event_tool_index(event),
                     .tool_id = is_tool ? infer_event_tool_id(event) : NULL,
                     .tool_name = infer_event_tool_name(event),
                     .head = infer_event_head(event, NULL)};
  e.text = infer_event_text(event, &e.len);
  account_add(r->events, &e);
  if (r->cancel_at && !r->is_cancelled && strcmp(e.type, r->cancel_at) == 0)
    cancel(r);
}

/* How long to wait for the next event. After the last one there is none. */
static long long
patience_ms(const reading *r)
{
  if (r->is_done)
    return 0;
  if (r->cancel_after_ms >= 0 && !r->is_cancelled)
    return r->cancel_after_ms;
  return SCENARIO_WAIT_MS;
}

static void
read_events(reading *r, infer_queue *queue)
{
  for (;;) {
    infer_event *event;
    int32_t status = infer_queue_poll(queue, patience_ms(r), &event);
    if (status == INFER_OK) {
      add_event(r, event);
      infer_event_free(event);
    } else if (r->is_done) {
      return;
    } else if (r->cancel_after_ms >= 0 && !r->is_cancelled) {
      cancel(r);
    } else {
      need(status, "no event");
    }
  }
}

static json_object *
make_call(void *client, json_object *call, bool stream)
{
  json_object *cancelling = scenario_get(call, "cancel");
  json_object *at = scenario_get(cancelling, "at");
  reading r = {.account = json_object_new_object(),
               .events = json_object_new_array(),
               .cancel_at = at ? json_object_get_string(at) : NULL,
               .cancel_after_ms = scenario_number(cancelling, "after_ms")};
  infer_request *request = new_request(call);
  infer_queue *queue;
  infer_error *error = NULL;
  unsigned long long begin_ms = scenario_now_ms();
  need(infer_queue_new(&queue, client), "queue");
  int32_t status = infer_submit(
      client, request, stream ? INFER_SUBMIT_STREAM : INFER_SUBMIT_WHOLE, queue,
      0, &r.call, &error);
  if (status == INFER_OK)
    read_events(&r, queue);
  else
    add_done(&r, status, NULL, error);
  account_number(r.account, "took_ms",
                 (long long)(scenario_now_ms() - begin_ms));
  if (stream)
    json_object_object_add(r.account, "events", r.events);
  else
    json_object_put(r.events);
  infer_error_free(error);
  infer_call_free(r.call);
  infer_queue_free(queue);
  infer_request_free(request);
  return r.account;
}

int
main(int argc, char **argv)
{
  static const scenario_binding binding = {open_client, close_client,
                                           make_call};
  return scenario_main(&binding, argc, argv);
}
