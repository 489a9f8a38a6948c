/* SPDX-License-Identifier: MIT */
#include "conformance/expect.h"
#include "conformance/classes.h"

#include "infer/infer.h"
#include "provider/dialect.h"
#include "provider/gemini_read.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Helpers ------------------------------------------------------------- */

static json_object *
get(json_object *object, const char *name)
{
  json_object *value = NULL;
  if (object && json_object_is_type(object, json_type_object))
    json_object_object_get_ex(object, name, &value);
  return value;
}

static inf_sv
text_of(json_object *value)
{
  if (!value)
    return INF_SV("");
  /* A number, as a code may be, gives its digits. */
  const char *text = json_object_get_string(value);
  if (json_object_is_type(value, json_type_string))
    return inf_sv_of(text, (size_t)json_object_get_string_len(value));
  return inf_sv_from(text);
}

static bool
differ(inf_buf *why, const char *what, inf_sv expected, inf_sv actual)
{
  size_t at = 0;
  while (at < expected.len && at < actual.len &&
         expected.ptr[at] == actual.ptr[at])
    at++;
  inf_buf_appendf(why,
                  "%s: %zu bytes expected, %zu came, equal up to %zu: "
                  "\"%.40s\" against \"%.40s\"\n",
                  what, expected.len, actual.len, at,
                  at < expected.len ? expected.ptr + at : "",
                  at < actual.len ? actual.ptr + at : "");
  return false;
}

static bool
same_text(inf_buf *why, const char *what, inf_sv expected, inf_sv actual)
{
  return inf_sv_eq(expected, actual) || differ(why, what, expected, actual);
}

/* actual may be cut at max bytes, between characters. */
static bool
same_cut(inf_buf *why, const char *what, inf_sv expected, inf_sv actual,
         size_t max)
{
  if (expected.len > max && actual.len <= max && actual.len + 4 > max)
    expected.len = actual.len;
  return same_text(why, what, expected, actual);
}

static bool
same_number(inf_buf *why, const char *what, int64_t expected, int64_t actual)
{
  if (expected == actual)
    return true;
  inf_buf_appendf(why, "%s: %" PRId64 " expected, %" PRId64 " came\n", what,
                  expected, actual);
  return false;
}

/* ---- Usage --------------------------------------------------------------- */

static int64_t
figure(json_object *usage, const char *name)
{
  json_object *value = get(usage, name);
  return value ? json_object_get_int64(value) : -1;
}

static int64_t
known(int64_t number)
{
  return number < 0 ? 0 : number;
}

static bool
compare_usage(json_object *usage, const expect_actual *actual, inf_buf *why)
{
  static const char *const names[] = {"input",      "output",      "reasoning",
                                      "cache_read", "cache_write", "total"};
  bool same = true;
  if (!usage) {
    if (actual->usage_estimated || actual->usage[0] < 0)
      return true;
    inf_buf_appendf(why, "usage: none expected\n");
    return false;
  }
  for (size_t i = 0; i < 6; i++) {
    int64_t expected = figure(usage, names[i]);
    int64_t reasoning = figure(usage, "reasoning");
    int64_t tools = known(figure(usage, "tool_prompt"));
    /* Ours includes reasoning; xAI's and Gemini's, as sent, do not. */
    if (i == INFER_USAGE_OUTPUT && reasoning > 0 &&
        figure(usage, "total") ==
            figure(usage, "input") + known(expected) + reasoning + tools)
      expected = known(expected) + reasoning;
    /* And what Gemini's own tools added to the prompt. */
    if (i == INFER_USAGE_INPUT && tools > 0)
      expected = known(expected) + tools;
    char what[32];
    snprintf(what, sizeof(what), "usage.%s", names[i]);
    same &= same_number(why, what, expected, actual->usage[i]);
  }
  return same;
}

/* ---- Tool calls ---------------------------------------------------------- */

static bool
same_arguments(json_object *expected, json_object *actual, bool as_json)
{
  if (!as_json)
    return inf_sv_eq(text_of(expected), text_of(actual));
  json_object *a = json_tokener_parse(json_object_get_string(expected));
  json_object *b = json_tokener_parse(json_object_get_string(actual));
  bool same = json_object_equal(a, b);
  json_object_put(a);
  json_object_put(b);
  return same;
}

static bool
compare_call(size_t i, json_object *expected, json_object *call, bool as_json,
             inf_buf *why)
{
  char what[64];
  json_object *function = get(call, "function");
  const char *input = "arguments";
  if (!function) {
    function = get(call, "custom");
    input = "input";
  }
  snprintf(what, sizeof(what), "tool_calls[%zu].id", i);
  inf_sv id = text_of(get(call, "id"));
  /* A call that came without one was given one. */
  if (!get(expected, "id") && inf_gemini_is_made_id(id))
    id = INF_SV("");
  bool same = same_text(why, what, text_of(get(expected, "id")), id);
  snprintf(what, sizeof(what), "tool_calls[%zu].name", i);
  same &= same_text(why, what, text_of(get(expected, "name")),
                    text_of(get(function, "name")));
  snprintf(what, sizeof(what), "tool_calls[%zu].arguments", i);
  json_object *wanted = get(expected, "arguments");
  json_object *came = get(function, input);
  if (!same_arguments(wanted, came, as_json))
    same = differ(why, what, text_of(wanted), text_of(came));
  return same;
}

static bool
compare_calls(json_object *expected, json_object *message,
              const expect_actual *actual, inf_buf *why)
{
  json_object *wanted = get(expected, "tool_calls");
  json_object *came = get(message, "tool_calls");
  size_t count = wanted ? json_object_array_length(wanted) : 0;
  bool as_json =
      inf_sv_eq(text_of(get(expected, "arguments_compare")), INF_SV("json"));
  bool same = same_number(why, "tool calls (accessor)", (int64_t)count,
                          (int64_t)actual->tool_calls);
  if (!same_number(why, "tool calls", (int64_t)count,
                   came ? (int64_t)json_object_array_length(came) : 0))
    return false;
  for (size_t i = 0; i < count; i++) {
    same &= compare_call(i, json_object_array_get_idx(wanted, i),
                         json_object_array_get_idx(came, i), as_json, why);
  }
  return same;
}

/* ---- The message, in JSON and through accessors -------------------------- */

static json_object *
choice_zero(json_object *answer)
{
  json_object *choices = get(answer, "choices");
  size_t count = choices ? json_object_array_length(choices) : 0;
  for (size_t i = 0; i < count; i++) {
    json_object *choice = json_object_array_get_idx(choices, i);
    if (json_object_get_int(get(choice, "index")) == 0)
      return choice;
  }
  return NULL;
}

static bool
compare_function_call(json_object *expected, json_object *message, inf_buf *why)
{
  json_object *wanted = get(expected, "legacy_function_call");
  if (!wanted || json_object_equal(wanted, get(message, "function_call")))
    return true;
  inf_buf_appendf(why, "function_call differs\n");
  return false;
}

static bool
compare_message(json_object *expected, json_object *message,
                const expect_actual *actual, inf_buf *why)
{
  json_object *object = get(expected, "text_object");
  bool same =
      same_text(why, "text", text_of(get(expected, "text")), actual->text);
  if (object && !json_object_equal(object, get(message, "content"))) {
    inf_buf_appendf(why, "content is not the object expected\n");
    same = false;
  } else if (!object && message) {
    same &= same_text(why, "text in JSON", text_of(get(expected, "text")),
                      text_of(get(message, "content")));
  }
  inf_sv reasoning = text_of(get(message, "reasoning_content"));
  if (reasoning.len == 0)
    reasoning = text_of(get(message, "reasoning"));
  same &= same_text(why, "reasoning", text_of(get(expected, "reasoning")),
                    actual->reasoning);
  same &= same_text(why, "reasoning in JSON",
                    text_of(get(expected, "reasoning")), reasoning);
  same &= same_text(why, "refusal", text_of(get(expected, "refusal")),
                    actual->refusal);
  same &= same_text(why, "refusal in JSON", text_of(get(expected, "refusal")),
                    text_of(get(message, "refusal")));
  same &= compare_calls(expected, message, actual, why);
  return compare_function_call(expected, message, why) && same;
}

/* ---- Errors -------------------------------------------------------------- */

/* Some ends are failures for us where the API has no word for one: a prompt
 * that Gemini blocks, a stream that just stops, a reason that is none. */
static int32_t
class_without_error(json_object *expected)
{
  static const struct {
    const char *finish_reason;
    int32_t class;
  } reasons[] = {
      {"error", INFER_E_SERVER},
      {"network_error", INFER_E_SERVER},
      {"TIMEOUT", INFER_E_SERVER},
      {"insufficient_system_resource", INFER_E_OVERLOADED},
  };
  inf_sv finish = text_of(get(expected, "finish_reason"));
  if (get(expected, "block_reason"))
    return INFER_E_CONTENT_FILTER;
  if (inf_sv_eq(text_of(get(expected, "end")), INF_SV("eof")))
    return INFER_E_TRUNCATED;
  for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
    if (inf_sv_eq_nocase(finish, inf_sv_from(reasons[i].finish_reason)))
      return reasons[i].class;
  return INFER_OK;
}

static bool
compare_error(json_object *expected, const expect_actual *actual, inf_buf *why)
{
  json_object *error = get(expected, "error");
  if (!error)
    return same_number(why, "class", class_without_error(expected),
                       actual->status);
  bool same = true;
  if (actual->status == INFER_OK) {
    inf_buf_appendf(why, "an error was expected\n");
    return false;
  }
  json_object *body_status = get(error, "body_status");
  same &= same_number(why, "class", test_class_of(error, actual->body),
                      actual->status);
  same &= same_number(why, "HTTP status", figure(error, "status"),
                      actual->http_status);
  if (actual->body_status >= 0)
    same &= same_number(why, "status in the body",
                        body_status ? json_object_get_int64(body_status) : 0,
                        actual->body_status);
  same &= same_cut(why, "error type", text_of(get(error, "type")), actual->type,
                   EXPECT_MAX_WORD);
  same &= same_cut(why, "error code", text_of(get(error, "code")), actual->code,
                   EXPECT_MAX_WORD);
  same &= same_cut(why, "error param", text_of(get(error, "param")),
                   actual->param, EXPECT_MAX_WORD);
  return same_cut(why, "error message", text_of(get(error, "message")),
                  actual->message, EXPECT_MAX_MESSAGE) &&
         same;
}

static bool
compare_choices(json_object *expected, const expect_actual *actual,
                inf_buf *why)
{
  bool same =
      same_text(why, "finish reason", text_of(get(expected, "finish_reason")),
                actual->native_finish_reason);
  return same_number(why, "choices", figure(expected, "choices"),
                     (int64_t)actual->choices) &&
         same;
}

bool
expect_compare(json_object *expected, const expect_actual *actual, inf_buf *why)
{
  json_object *answer =
      actual->json.len > 0 ? json_tokener_parse(actual->json.ptr) : NULL;
  json_object *choice = choice_zero(answer);
  bool same = true;
  if (actual->json.len > 0 && !answer) {
    inf_buf_appendf(why, "the assembled answer is not JSON\n");
    same = false;
  }
  same &= compare_error(expected, actual, why);
  same &= compare_message(expected, get(choice, "message"), actual, why);
  same &= compare_usage(get(expected, "usage"), actual, why);
  if (!actual->no_answer || !get(expected, "error"))
    same &= compare_choices(expected, actual, why);
  json_object *end = get(expected, "end");
  if (end && actual->end)
    same &= same_text(why, "end", text_of(end), inf_sv_from(actual->end));
  json_object_put(answer);
  return same;
}
