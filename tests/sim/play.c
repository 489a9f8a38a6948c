/* SPDX-License-Identifier: MIT */
/* Answers under a virtual clock, and what a stream's events amount to. */
#include "play.h"

#include "base/clock.h"
#include "wire/sse.h"

#include <json.h>

#define START_NS (1000 * INF_NS_PER_S)

void
play_fini(play *p)
{
  inf_buf_fini(&p->bytes);
  inf_buf_fini(&p->body);
  free(p->head);
}

static double
since_ms(uint64_t now_ns, uint64_t start_ns)
{
  return (double)(now_ns - start_ns) / (double)INF_NS_PER_MS;
}

static void
mark(play *p, double at_ms, size_t from)
{
  if (p->bytes.len == from)
    return;
  assert_true(p->count < PLAY_MARKS_MAX);
  p->marks[p->count++] = (play_mark){at_ms, from, p->bytes.len - from};
}

static void
run_answer(play *p, inf_sim_answer *answer, uint64_t start_ns, uint64_t stop_ns)
{
  inf_buf scratch;
  inf_buf_init(&scratch, INF_SIM_BUF_MAX);
  uint64_t now_ns = start_ns;
  inf_sim_step step = {INF_SIM_MORE, 0};
  while (step.action == INF_SIM_MORE || step.action == INF_SIM_WAIT) {
    size_t from = p->bytes.len;
    if (step.action == INF_SIM_WAIT) {
      assert_true(step.at_ns > now_ns);
      if (step.at_ns > stop_ns)
        break;
      now_ns = step.at_ns;
    }
    step = inf_sim_answer_run(answer, now_ns, &scratch, &p->bytes);
    mark(p, since_ms(now_ns, start_ns), from);
  }
  inf_buf_fini(&scratch);
  p->end = step.action;
  p->end_ms = since_ms(now_ns, start_ns);
  p->tokens = inf_sim_answer_tokens(answer, now_ns);
}

static void
take_chunks(play *p, const char *at, const char *end)
{
  while (at < end) {
    char *after = NULL;
    size_t len = strtoul(at, &after, 16);
    assert_true(after && after[0] == '\r' && after[1] == '\n');
    at = after + 2;
    if (len == 0) {
      assert_string_equal(at, "\r\n");
      p->body_ended = true;
      return;
    }
    assert_true(at + len + 2 <= end && at[len] == '\r' && at[len + 1] == '\n');
    inf_buf_append(&p->body, at, len);
    at += len + 2;
  }
}

static void
take_response(play *p)
{
  const char *start = inf_buf_cstr(&p->bytes);
  const char *blank = strstr(start, "\r\n\r\n");
  if (!blank)
    return;
  const char *body = blank + 4, *end = start + p->bytes.len;
  p->head = strndup(start, (size_t)(body - start));
  assert_int_equal(strncmp(start, "HTTP/1.1 ", 9), 0);
  p->status = (unsigned)strtoul(start + 9, NULL, 10);
  if (strstr(p->head, "transfer-encoding: chunked")) {
    take_chunks(p, body, end);
    return;
  }
  inf_buf_append(&p->body, body, (size_t)(end - body));
  const char *length = strstr(p->head, "content-length: ");
  p->body_ended =
      length && strtoul(length + 16, NULL, 10) == (size_t)(end - body);
}

void
play_script(play *p, inf_sim_script *script, double now_ms, const char *body,
            const play_options *options)
{
  static const play_options none;
  options = options ? options : &none;
  *p = (play){0};
  inf_buf_init(&p->bytes, INF_SIM_BUF_MAX);
  inf_buf_init(&p->body, INF_SIM_BUF_MAX);
  uint64_t start_ns =
      START_NS + (uint64_t)(now_ms * (double)INF_NS_PER_MS + 0.5);
  inf_sim_call call = {.kind = INF_SIM_CHAT,
                       .script = script,
                       .behaviour = &script->defaults,
                       .key = inf_sv_from(options->key),
                       .number = 1,
                       .now_ns = start_ns,
                       .seed = 1,
                       .http_1_0 = options->http_1_0,
                       .keep_alive = !options->http_1_0,
                       .accepts_gzip = options->gzip};
  inf_sim_request_init(&call.request);
  call.request_error = inf_sim_request_read(&call.request, inf_sv_from(body));
  inf_sim_answer answer;
  inf_sim_answer_init(&answer, &call);
  run_answer(p, &answer, start_ns,
             options->stop_ms > 0 ? start_ns + (uint64_t)(options->stop_ms *
                                                          (double)INF_NS_PER_MS)
                                  : INF_NEVER);
  inf_sim_answer_fini(&answer);
  take_response(p);
}

void
play_run(play *p, const char *behaviour, const char *body,
         const play_options *options)
{
  size_t size = strlen(behaviour) + 32;
  char *text = malloc(size);
  assert_non_null(text);
  snprintf(text, size, "{\"defaults\":{%s}}", behaviour);
  inf_sim_script *script = read_script(text);
  play_script(p, script, 0, body, options);
  inf_sim_script_unref(script);
  free(text);
}

bool
play_has(const play *p, const char *text)
{
  return strstr(inf_buf_cstr(&p->body), text) != NULL;
}

double
play_when(const play *p, const char *text)
{
  const char *found = strstr(inf_buf_cstr(&p->bytes), text);
  if (!found)
    fail_msg("never came: %s", text);
  size_t end = (size_t)(found - p->bytes.ptr) + strlen(text);
  size_t i = 0;
  while (p->marks[i].from + p->marks[i].len < end)
    i++;
  return p->marks[i].at_ms;
}

json_object *
play_parse(const play *p)
{
  json_object *parsed = json_tokener_parse(inf_buf_cstr(&p->body));
  if (!parsed)
    fail_msg("no JSON: %s", inf_buf_cstr(&p->body));
  return parsed;
}

/* Assembling. */

static json_object *
get(json_object *object, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex(object, name, &value);
  return value;
}

/* object.name += text, where null and absent count as nothing yet. */
static void
append_text(json_object *object, const char *name, json_object *piece)
{
  inf_buf text;
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  json_object *old = get(object, name);
  if (!json_object_is_type(piece, json_type_string)) {
    if (!old)
      json_object_object_add(object, name, NULL);
    return;
  }
  if (json_object_is_type(old, json_type_string))
    inf_buf_append(&text, json_object_get_string(old),
                   (size_t)json_object_get_string_len(old));
  inf_buf_append(&text, json_object_get_string(piece),
                 (size_t)json_object_get_string_len(piece));
  json_object_object_add(
      object, name,
      json_object_new_string_len(inf_buf_cstr(&text), (int)text.len));
  inf_buf_fini(&text);
}

/* A delta with an id begins a call; one without goes on with the last. */
static void
merge_tool(json_object *message, json_object *delta)
{
  json_object *calls = get(message, "tool_calls");
  json_object *call = NULL;
  if (!calls) {
    calls = json_object_new_array();
    json_object_object_add(message, "tool_calls", calls);
  }
  if (get(delta, "id")) {
    call = json_object_new_object();
    json_object_array_add(calls, call);
    json_object_object_add(call, "id", json_object_get(get(delta, "id")));
    json_object_object_add(call, "type", json_object_get(get(delta, "type")));
    json_object_object_add(call, "function", json_object_new_object());
  }
  call = json_object_array_get_idx(calls, json_object_array_length(calls) - 1);
  json_object *function = get(delta, "function");
  json_object_object_foreach(function, name, value)
  {
    append_text(get(call, "function"), name, value);
  }
}

static void
merge_delta(json_object *message, json_object *delta)
{
  json_object_object_foreach(delta, name, value)
  {
    if (strcmp(name, "tool_calls") == 0) {
      for (size_t i = 0; i < json_object_array_length(value); i++)
        merge_tool(message, json_object_array_get_idx(value, i));
    } else {
      append_text(message, name, value);
    }
  }
}

static void
merge_logprobs(json_object *choice, json_object *logprobs)
{
  json_object *sum = get(choice, "logprobs");
  if (!sum) {
    json_object_object_add(choice, "logprobs", json_object_get(logprobs));
    return;
  }
  json_object_object_foreach(logprobs, name, list)
  {
    json_object *all = get(sum, name);
    if (!all) {
      json_object_object_add(sum, name, json_object_get(list));
      continue;
    }
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
      json_object_array_add(
          all, json_object_get(json_object_array_get_idx(list, i)));
  }
}

static json_object *
find_choice(json_object *answer, json_object *index)
{
  json_object *choices = get(answer, "choices");
  size_t at = (size_t)json_object_get_int(index);
  while (json_object_array_length(choices) <= at) {
    json_object *choice = json_object_new_object();
    json_object_object_add(
        choice, "index",
        json_object_new_int((int)json_object_array_length(choices)));
    json_object_object_add(choice, "message", json_object_new_object());
    json_object_object_add(choice, "logprobs", NULL);
    json_object_array_add(choices, choice);
  }
  return json_object_array_get_idx(choices, at);
}

static void
merge_choice(json_object *answer, json_object *event)
{
  json_object *choice = find_choice(answer, get(event, "index"));
  merge_delta(get(choice, "message"), get(event, "delta"));
  if (get(event, "logprobs"))
    merge_logprobs(choice, get(event, "logprobs"));
  if (get(event, "finish_reason"))
    json_object_object_add(choice, "finish_reason",
                           json_object_get(get(event, "finish_reason")));
}

static void
merge_event(json_object *answer, json_object *event)
{
  json_object *choices = get(event, "choices");
  json_object_object_foreach(event, name, value)
  {
    bool special = strcmp(name, "choices") == 0 ||
                   strcmp(name, "object") == 0 ||
                   (strcmp(name, "usage") == 0 && !value);
    if (!special)
      json_object_object_add(answer, name, json_object_get(value));
  }
  for (size_t i = 0; choices && i < json_object_array_length(choices); i++)
    merge_choice(answer, json_object_array_get_idx(choices, i));
}

static bool
on_event(void *context, const inf_sse_event *event)
{
  if (inf_sv_eq(event->data, INF_SV("[DONE]")))
    return true;
  char *text = strndup(event->data.ptr, event->data.len);
  json_object *parsed = json_tokener_parse(text);
  if (!parsed)
    fail_msg("no JSON: %s", text);
  merge_event(context, parsed);
  json_object_put(parsed);
  free(text);
  return true;
}

json_object *
play_assemble(const play *p)
{
  inf_sse sse;
  json_object *answer = json_object_new_object();
  json_object_object_add(answer, "object",
                         json_object_new_string("chat.completion"));
  json_object_object_add(answer, "choices", json_object_new_array());
  inf_sse_init(&sse, INF_SIM_BUF_MAX);
  assert_int_equal(
      inf_sse_feed(&sse, p->body.ptr, p->body.len, on_event, answer), 0);
  assert_int_equal(inf_sse_finish(&sse, on_event, answer), 0);
  inf_sse_fini(&sse);
  return answer;
}
