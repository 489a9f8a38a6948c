/* SPDX-License-Identifier: MIT */
/* Reading the body of POST .../chat/completions. */

#include "sim_request.h"

#include "wire/json_scan.h"

#define BODY_DEPTH 512
/* Choices that one request may ask for, as at OpenAI. */
#define MAX_CHOICES      128
#define MAX_TOP_LOGPROBS 20

void
inf_sim_request_init(inf_sim_request *request)
{
  *request = (inf_sim_request){.n = 1, .max_tokens = UINT64_MAX};
  inf_buf_init(&request->model, INF_SIM_BUF_MAX);
  inf_buf_init(&request->prefill, INF_SIM_BUF_MAX);
  inf_buf_init(&request->last_user, INF_SIM_BUF_MAX);
  inf_buf_init(&request->input, INF_SIM_BUF_MAX);
  request->hash = INF_SIM_HASH_START;
}

void
inf_sim_request_fini(inf_sim_request *request)
{
  inf_buf_fini(&request->model);
  inf_buf_fini(&request->prefill);
  inf_buf_fini(&request->last_user);
  inf_buf_fini(&request->input);
}

uint64_t
inf_sim_hash(uint64_t hash, inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    hash = (hash ^ (unsigned char)text.ptr[i]) * 1099511628211ull;
  }
  return hash;
}

/* The text of a message: a string, or the text parts of an array. */
static void
content_text(inf_sv content, inf_buf *text)
{
  inf_buf_clear(text);
  if (inf_json_string(content, text)) {
    return;
  }
  inf_json_iter it = inf_json_iter_of(content);
  while (!it.object && inf_json_next(&it)) {
    inf_json_string(inf_json_get(it.value, INF_SV("text")), text);
  }
}

static uint64_t
content_bytes(inf_sv content)
{
  if (inf_json_is(content, INF_JSON_STRING)) {
    return content.len - 2;
  }
  uint64_t bytes = 0;
  inf_json_iter it = inf_json_iter_of(content);
  while (!it.object && inf_json_next(&it)) {
    inf_sv text = inf_json_get(it.value, INF_SV("text"));
    bytes += text.len > 2 ? text.len - 2 : 0;
  }
  return bytes;
}

static bool
is_true(inf_sv object, const char *path)
{
  return inf_json_is(inf_json_path(object, path), INF_JSON_TRUE);
}

static bool
role_is(inf_sv message, inf_sv role)
{
  return inf_json_equal(inf_json_get(message, INF_SV("role")), role);
}

/* A prefill is held back from the hash until it is known not to be the last
 * message. */
static void
read_messages(inf_sim_request *request, inf_sv messages)
{
  uint64_t bytes = 0;
  inf_sv last = {0}, user = {0};
  inf_json_iter it = inf_json_iter_of(messages);
  while (inf_json_next(&it)) {
    request->hash = inf_sim_hash(request->hash, last);
    last = it.value;
    inf_sv content = inf_json_get(last, INF_SV("content"));
    bytes += content_bytes(content);
    if (role_is(last, INF_SV("user"))) {
      user = content;
    }
  }
  request->prefilled = role_is(last, INF_SV("assistant"));
  if (request->prefilled) {
    request->prefix = is_true(last, "prefix");
    content_text(inf_json_get(last, INF_SV("content")), &request->prefill);
  } else {
    request->hash = inf_sim_hash(request->hash, last);
  }
  if (user.len > 0) {
    content_text(user, &request->last_user);
  }
  request->prompt_tokens = bytes / 4 + 1;
}

static const char *
read_count(inf_sv body, inf_sv name, uint64_t max, uint64_t *count,
           const char *error)
{
  inf_sv value = inf_json_get(body, name);
  int64_t number = 0;
  if (value.len == 0 || inf_json_is(value, INF_JSON_NULL)) {
    return NULL;
  }
  if (!inf_json_int64(value, false, &number) || number < 0 ||
      (uint64_t)number > max) {
    return error;
  }
  *count = (uint64_t)number;
  return NULL;
}

static const char *
read_counts(inf_sim_request *request, inf_sv body)
{
  const char *error =
      read_count(body, INF_SV("n"), MAX_CHOICES, &request->n, "Invalid 'n'");
  if (!error) {
    error = read_count(body, INF_SV("top_logprobs"), MAX_TOP_LOGPROBS,
                       &request->top_logprobs, "Invalid 'top_logprobs'");
  }
  if (!error) {
    error = read_count(body, INF_SV("max_tokens"), INT64_MAX,
                       &request->max_tokens, "Invalid 'max_tokens'");
  }
  if (!error) {
    error = read_count(body, INF_SV("max_completion_tokens"), INT64_MAX,
                       &request->max_tokens, "Invalid 'max_completion_tokens'");
  }
  request->n = request->n > 0 ? request->n : 1;
  request->max_tokens_given = request->max_tokens != UINT64_MAX;
  return error;
}

const char *
inf_sim_request_read(inf_sim_request *request, inf_sv body)
{
  inf_sv value;
  if (!inf_json_parse(body, BODY_DEPTH, &value, NULL) ||
      !inf_json_is(value, INF_JSON_OBJECT)) {
    return "We could not parse the JSON body of your request.";
  }
  request->stream = is_true(value, "stream");
  request->include_usage = is_true(value, "stream_options.include_usage");
  request->logprobs = is_true(value, "logprobs");
  request->continue_final_message =
      is_true(value, "continue_final_message") &&
      inf_json_is(inf_json_get(value, INF_SV("add_generation_prompt")),
                  INF_JSON_FALSE);
  if (!inf_json_string(inf_json_get(value, INF_SV("model")), &request->model)) {
    return "you must provide a model parameter";
  }
  request->hash = inf_sim_hash(request->hash, inf_buf_sv(&request->model));
  inf_sv messages = inf_json_get(value, INF_SV("messages"));
  if (!inf_json_is(messages, INF_JSON_ARRAY) || inf_json_count(messages) == 0) {
    return "Missing required parameter: 'messages'.";
  }
  read_messages(request, messages);
  return read_counts(request, value);
}
