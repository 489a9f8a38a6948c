/* SPDX-License-Identifier: MIT */
/* Reads Ollama's own chat API. A line of a stream and a whole body are the
 * same object and are read by the same function. */
#include "provider/ollama_read.h"

#include "wire/date.h"

#include <stdbool.h>
#include <string.h>

#define NS_PER_S 1000000000

/* What a stream's lines must know of those before: tool calls are not
 * numbered, the last line does not say that there were any, and each has a
 * time of its own, of which the first counts. */
typedef struct progress {
  uint32_t calls;
  bool dated;
} progress;

/* A value by its pointer and length. */
typedef struct value {
  const char *ptr;
  size_t len;
} value;

static value
get(value object, const char *path)
{
  value found;
  found.ptr = infer_provider_json_get(object.ptr, object.len, path, &found.len);
  return found;
}

static value
text_of(infer_provider_sink *sink, value json)
{
  value text;
  text.ptr = infer_provider_sink_decode(sink, json.ptr, json.len, &text.len);
  return text;
}

static value
member(infer_provider_sink *sink, value object, const char *path)
{
  return text_of(sink, get(object, path));
}

static bool
begins(value json, char c)
{
  return json.len > 0 && json.ptr[0] == c;
}

/* ---- The message --------------------------------------------------------- */

static void
read_call(infer_provider_sink *sink, value call)
{
  progress *so_far = infer_provider_sink_state(sink);
  value id = member(sink, call, "id");
  value name = member(sink, call, "function.name");
  value arguments = get(call, "function.arguments");
  if (begins(arguments, '"'))
    arguments = text_of(sink, arguments);
  else if (!begins(arguments, '{'))
    arguments = (value){"{}", 2};
  infer_provider_sink_tool_call(sink, 0, so_far->calls++, id.ptr, id.len,
                                name.ptr, name.len, arguments.ptr,
                                arguments.len);
}

/* Members beside those that are known, to where others go. */
static void
pass_others(infer_provider_sink *sink, value object, const char *const *known,
            bool of_message)
{
  size_t at = 0;
  value name, other;
  while ((other.ptr = infer_provider_json_next(
              object.ptr, object.len, &at, &name.ptr, &name.len, &other.len))) {
    bool found = false;
    for (size_t i = 0; known[i]; i++)
      found = found || (strlen(known[i]) == name.len &&
                        memcmp(known[i], name.ptr, name.len) == 0);
    if (!found && of_message)
      infer_provider_sink_message_extra(sink, 0, name.ptr, name.len, other.ptr,
                                        other.len);
    else if (!found)
      infer_provider_sink_extra(sink, name.ptr, name.len, other.ptr, other.len);
  }
}

static void
read_message(infer_provider_sink *sink, value message)
{
  static const char *const known[] = {"role", "content", "thinking",
                                      "tool_calls", NULL};
  size_t at = 0;
  value content = get(message, "content"), calls = get(message, "tool_calls");
  value thinking = member(sink, message, "thinking");
  if (thinking.len > 0)
    infer_provider_sink_reasoning(sink, 0, thinking.ptr, thinking.len);
  if (begins(content, '"')) {
    content = text_of(sink, content);
    infer_provider_sink_text(sink, 0, content.ptr, content.len);
  }
  value call;
  while (begins(calls, '[') &&
         (call.ptr = infer_provider_json_next(calls.ptr, calls.len, &at, NULL,
                                              NULL, &call.len)))
    read_call(sink, call);
  pass_others(sink, message, known, true);
}

/* ---- Beside it ----------------------------------------------------------- */

static int64_t
figure(value object, const char *name)
{
  int64_t number = -1;
  value json = get(object, name);
  infer_provider_json_int(json.ptr, json.len, &number);
  return number;
}

static void
read_usage(infer_provider_sink *sink, value object)
{
  int64_t input = figure(object, "prompt_eval_count");
  int64_t output = figure(object, "eval_count");
  if (input >= 0 || output >= 0)
    infer_provider_sink_usage(sink, input, output, -1, -1, -1);
}

static void
read_created(infer_provider_sink *sink, value object)
{
  int64_t ns;
  progress *so_far = infer_provider_sink_state(sink);
  if (so_far->dated)
    return;
  value text = member(sink, object, "created_at");
  so_far->dated = inf_parse_rfc3339(inf_sv_of(text.ptr, text.len), &ns);
  if (so_far->dated)
    infer_provider_sink_created(sink, ns / NS_PER_S);
}

static bool
is_done(value object)
{
  value done = get(object, "done");
  return begins(done, 't');
}

static void
read_end(infer_provider_sink *sink, value object)
{
  const progress *so_far = infer_provider_sink_state(sink);
  value native = member(sink, object, "done_reason");
  /* Servers of 2024 gave none. */
  const char *reason = so_far->calls > 0 ? "tool_calls" : "stop";
  infer_provider_sink_finish(sink, 0, native.len > 0 ? NULL : reason,
                             native.ptr, native.len);
}

static int32_t
read_object(infer_provider_sink *sink, value object)
{
  static const char *const known[] = {
      "model",      "created_at",  "message",
      "done",       "done_reason", "prompt_eval_count",
      "eval_count", "logprobs",    NULL};
  value error = get(object, "error"), message = get(object, "message");
  value logprobs = get(object, "logprobs"), model;
  read_usage(sink, object);
  if (error.len > 0 && !begins(error, 'n')) {
    infer_provider_sink_fail_json(sink, object.ptr, object.len);
    return INFER_OK;
  }
  if (!begins(message, '{') && !is_done(object))
    return INFER_E_PROTOCOL;
  model = member(sink, object, "model");
  infer_provider_sink_model(sink, model.ptr, model.len);
  read_created(sink, object);
  read_message(sink, message);
  if (begins(logprobs, '['))
    infer_provider_sink_logprobs(sink, 0, logprobs.ptr, logprobs.len);
  pass_others(sink, object, known, false);
  if (is_done(object))
    read_end(sink, object);
  return INFER_OK;
}

/* ---- The hooks ----------------------------------------------------------- */

static int32_t
read_answer(void *user_data, const char *body, size_t len,
            infer_provider_sink *sink)
{
  value object;
  (void)user_data;
  object.ptr = infer_provider_sink_document(sink, body, len, &object.len);
  return object.ptr ? read_object(sink, object) : INFER_OK;
}

static int32_t
read_event(void *user_data, const infer_provider_event *event,
           infer_provider_sink *sink)
{
  value object;
  (void)user_data;
  object.ptr = infer_provider_event_data(event, &object.len);
  int32_t status = read_object(sink, object);
  if (status == INFER_OK && is_done(object))
    infer_provider_sink_end(sink);
  return status;
}

const infer_provider_descriptor inf_ollama_hooks = {
    .struct_size = sizeof inf_ollama_hooks,
    .type = "ollama",
    .framing = INFER_FRAMING_NDJSON,
    .state_bytes = sizeof(progress),
    .read_answer = read_answer,
    .read_event = read_event,
};
