/* SPDX-License-Identifier: MIT */
/* The builders of requests: what each makes, what each refuses, and that a
 * refusal or short memory changes nothing. */
#include "support/fail_alloc.h"

#include "engine/request.h"
#include "engine/result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

/* Not UTF-8: a lone byte, an overlong form, half of a surrogate pair. */
static const char *const bad_texts[] = {"\xff", "\xc0\x80", "\xed\xa0\x80",
                                        "abc\xe2\x82"};
enum { bad_text_count = sizeof bad_texts / sizeof bad_texts[0] };

static infer_request *
request_new(void)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "m"), INFER_OK);
  return request;
}

/* All that a request holds, as text, without touching the library's memory. */
static void
describe(const infer_request *request, char *text, size_t size)
{
  int len = snprintf(
      text, size, "%s|%s|%zu|%s|%zu|%s|%zu|%lld|%d|%s", request->chat.model.ptr,
      inf_buf_cstr(&request->chat.messages), request->chat.message_count,
      inf_buf_cstr(&request->chat.members), request->headers.len,
      inf_buf_cstr(&request->headers), request->header_count,
      (long long)request->deadline_ms, (int)request->run_once,
      request->tenant ? request->tenant : "-");
  for (size_t i = 0; i < request->label_count; i++)
    len += snprintf(text + len, size - (size_t)len, "|%s", request->labels[i]);
  for (size_t i = 0; i < request->tag_count; i++)
    len += snprintf(text + len, size - (size_t)len, "|%s=%s",
                    request->tags[i].name, request->tags[i].value);
  assert_true((size_t)len < size);
}

static char before[32 << 10], after[32 << 10];

/* The call gives this status and leaves the request as it was. */
#define assert_refused_as(status, request, call) \
  do {                                           \
    describe(request, before, sizeof before);    \
    assert_int_equal(call, status);              \
    describe(request, after, sizeof after);      \
    assert_string_equal(after, before);          \
  } while (0)
#define assert_refused(request, call) \
  assert_refused_as(INFER_E_INVALID_ARGUMENT, request, call)
/* The same of a call that explains itself in error; the words are in it. */
#define assert_refused_with(request, words, call)                             \
  do {                                                                        \
    infer_error *error = NULL;                                                \
    assert_refused(request, call);                                            \
    assert_int_equal(infer_error_status(error), INFER_E_INVALID_ARGUMENT);    \
    if (!strstr(infer_error_message(error), words))                           \
      fail_msg("\"%s\" is not in \"%s\"", words, infer_error_message(error)); \
    infer_error_free(error);                                                  \
  } while (0)

static void
assert_json(const infer_request *request, const char *expected)
{
  char *json;
  size_t len;
  assert_int_equal(infer_request_json(request, &json, &len), INFER_OK);
  assert_string_equal(json, expected);
  assert_int_equal(len, strlen(expected));
  infer_text_free(json);
}

/* A request that has messages [text] or members text. */
#define WITH_MESSAGE(text) "{\"model\":\"m\",\"messages\":[" text "]}"
#define WITH_MEMBER(text)  "{\"model\":\"m\",\"messages\":[]," text "}"

/* depth arrays, one in the other. */
static char *
nested(unsigned depth)
{
  static char text[512];
  memset(text, '[', depth);
  memset(text + depth, ']', depth);
  text[2 * depth] = '\0';
  return text;
}

/* ---- Making one ---------------------------------------------------------- */

static void
a_new_request_has_its_model(void **state)
{
  (void)state;
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "house/llama \"x\""), INFER_OK);
  assert_json(request, "{\"model\":\"house/llama \\\"x\\\"\",\"messages\":[]}");
  infer_request_free(request);
}

static void
a_model_is_short_printable_text(void **state)
{
  (void)state;
  char name[1026];
  memset(name, 'a', sizeof name);
  name[1025] = '\0';
  infer_request *request = (infer_request *)(uintptr_t)1;
  assert_int_equal(infer_request_new(&request, name), INFER_E_INVALID_ARGUMENT);
  assert_null(request);
  name[1024] = '\0';
  assert_int_equal(infer_request_new(&request, name), INFER_OK);
  infer_request_free(request);

  request = request_new();
  assert_refused(request, infer_request_set_model(request, ""));
  assert_refused(request, infer_request_set_model(request, "a\nb"));
  assert_refused(request, infer_request_set_model(request, "a\x7f"));
  assert_refused(request, infer_request_set_model(request, NULL));
  assert_int_equal(infer_request_set_model(NULL, "a"),
                   INFER_E_INVALID_ARGUMENT);
  for (size_t i = 0; i < bad_text_count; i++) {
    infer_request *none;
    assert_int_equal(infer_request_new(&none, bad_texts[i]),
                     INFER_E_INVALID_ARGUMENT);
    assert_refused(request, infer_request_set_model(request, bad_texts[i]));
  }
  assert_int_equal(infer_request_set_model(request, "other"), INFER_OK);
  assert_json(request, "{\"model\":\"other\",\"messages\":[]}");
  infer_request_free(request);

  assert_int_equal(infer_request_new(NULL, "m"), INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_new(&request, NULL), INFER_E_INVALID_ARGUMENT);
  assert_null(request);
}

/* ---- From JSON ----------------------------------------------------------- */

static void
json_comes_back_as_it_went_in(void **state)
{
  (void)state;
  const char *json =
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9"
      "llo\",\"x\":1.000},{\"role\":\"assistant\",\"content\":null}],"
      "\"top_k\":40,\"seed\":123456789012345678901}";
  infer_request *request;
  infer_error *error = (infer_error *)(uintptr_t)1;
  assert_int_equal(
      infer_request_from_json(&request, json, INFER_NUL_TERMINATED, &error),
      INFER_OK);
  assert_null(error);
  assert_json(request, json);
  infer_request_free(request);
  /* With a length, what follows is not looked at. */
  char longer[512];
  snprintf(longer, sizeof longer, "%s]]", json);
  assert_int_equal(
      infer_request_from_json(&request, longer, strlen(json), NULL), INFER_OK);
  assert_json(request, json);
  infer_request_free(request);
}

static void
stream_is_not_the_requests_to_say(void **state)
{
  (void)state;
  infer_request *request;
  const char *json = "{\"stream\":true,\"model\":\"m\",\"messages\":"
                     "[{\"role\":\"user\",\"content\":\"x\"}]}";
  assert_int_equal(
      infer_request_from_json(&request, json, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  assert_json(request, WITH_MESSAGE("{\"role\":\"user\",\"content\":\"x\"}"));
  assert_int_equal(infer_request_set_json(request, "stream", "true",
                                          INFER_NUL_TERMINATED, NULL),
                   INFER_OK);
  assert_json(request, WITH_MESSAGE("{\"role\":\"user\",\"content\":\"x\"}"));
  infer_request_free(request);
}

static void
assert_json_refused(const char *json, size_t len, const char *words)
{
  infer_error *error = NULL;
  infer_request *request = (infer_request *)(uintptr_t)1;
  assert_int_equal(infer_request_from_json(&request, json, len, &error),
                   INFER_E_INVALID_ARGUMENT);
  assert_null(request);
  assert_int_equal(infer_error_status(error), INFER_E_INVALID_ARGUMENT);
  if (!strstr(infer_error_message(error), words))
    fail_msg("\"%s\" is not in \"%s\"", words, infer_error_message(error));
  infer_error_free(error);
  assert_int_equal(infer_request_from_json(&request, json, len, NULL),
                   INFER_E_INVALID_ARGUMENT);
}

static void
json_is_refused_with_its_place(void **state)
{
  (void)state;
#define USER "{\"role\":\"user\",\"content\":\"x\"}"
  static const struct {
    const char *json, *words;
  } cases[] = {
      {"", "request"},
      {"{", "request"},
      {"[]", "a request must be an object"},
      {"{}", "no \"model\""},
      {"{\"model\":\"m\"}", "no \"messages\""},
      {"{\"messages\":[" USER "]}", "no \"model\""},
      {"{\"model\":\"m\",\"messages\":[]}", "\"messages\" is empty"},
      {"{\"model\":\"m\",\"messages\":{}}", "\"messages\" must be an array"},
      {"{\"model\":1,\"messages\":[" USER "]}", "\"model\" must be a string"},
      {"{\"model\":\"\",\"messages\":[" USER "]}", "the model is empty"},
      {"{\"model\":\"m\",\"messages\":[1]}", "a message must be an object"},
      {"{\"model\":\"m\",\"messages\":[{}]}", "needs a \"role\""},
      {"{\"model\":\"m\",\"messages\":[{\"role\":\"\"}]}", "needs a \"role\""},
      {"{\"model\":\"m\",\"messages\":[{\"role\":3}]}", "needs a \"role\""},
      {"{\"model\":\"m\",\"n\":1,\"n\":2,\"messages\":[" USER "]}",
       "duplicate member"},
      {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"rol\\u0065\":"
       "\"system\"}]}",
       "duplicate member"},
      {"{\"model\":\"m\",\"messages\":[" USER "]} x", "at byte 57"},
      {"{\"model\":\"\xff\",\"messages\":[" USER "]}", "at byte 10"},
      {"{\"model\":\"m\\u0000\",\"messages\":[" USER "]}",
       "control characters"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_json_refused(cases[i].json, INFER_NUL_TERMINATED, cases[i].words);
  const char with_nul[] = "{\"model\":\"m\0\",\"messages\":[" USER "]}";
  assert_json_refused(with_nul, sizeof with_nul - 1, "at byte 11");
  assert_json_refused(NULL, 0, "NULL");
  assert_int_equal(infer_request_from_json(NULL, "{}", 2, NULL),
                   INFER_E_INVALID_ARGUMENT);
}

static void
json_nests_128_deep_and_no_deeper(void **state)
{
  (void)state;
  for (unsigned depth = 127; depth <= 128; depth++) {
    char json[1024];
    snprintf(json, sizeof json,
             "{\"model\":\"m\",\"messages\":[" USER "],\"x\":%s}",
             nested(depth));
    infer_request *request = NULL;
    int32_t status =
        infer_request_from_json(&request, json, INFER_NUL_TERMINATED, NULL);
    assert_int_equal(status,
                     depth == 127 ? INFER_OK : INFER_E_INVALID_ARGUMENT);
    infer_request_free(request);

    request = request_new();
    status = infer_request_set_json(request, "x", nested(depth),
                                    INFER_NUL_TERMINATED, NULL);
    assert_int_equal(status,
                     depth == 127 ? INFER_OK : INFER_E_INVALID_ARGUMENT);
    infer_request_free(request);
  }
}

/* Whatever the builders accept can be written and read again. */
static void
the_deepest_of_each_builder_can_be_read_again(void **state)
{
  (void)state;
  char json[1024];
  infer_request *request = request_new();
  for (unsigned depth = 1; depth <= 128; depth++) {
    snprintf(json, sizeof json, "{\"role\":\"user\",\"content\":%s}",
             nested(depth));
    infer_request_add_message_json(request, json, INFER_NUL_TERMINATED, NULL);
    snprintf(json, sizeof json, "{\"x\":%s}", nested(depth));
    infer_request_add_tool(request, "f", NULL, json, NULL);
    infer_request_set_json_schema(request, "s", json, NULL);
    infer_request_set_json(request, "x", nested(depth), INFER_NUL_TERMINATED,
                           NULL);
  }
  char *text;
  assert_int_equal(infer_request_json(request, &text, NULL), INFER_OK);
  infer_request *again;
  assert_int_equal(
      infer_request_from_json(&again, text, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  assert_int_equal(again->chat.message_count, 125);
  assert_json(again, text);
  infer_text_free(text);
  infer_request_free(again);
  infer_request_free(request);
}

/* ---- Messages ------------------------------------------------------------ */

static void
messages_of_text(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(infer_request_add_message(request, "system", "be \"brief\""),
                   INFER_OK);
  assert_int_equal(infer_request_add_message_n(request, "user", "a\0b\nc", 5),
                   INFER_OK);
  assert_int_equal(infer_request_add_message_n(request, "user", NULL, 0),
                   INFER_OK);
  assert_json(
      request,
      WITH_MESSAGE("{\"role\":\"system\",\"content\":\"be \\\"brief\\\"\"},"
                   "{\"role\":\"user\",\"content\":\"a\\u0000b\\nc\"},"
                   "{\"role\":\"user\",\"content\":\"\"}"));
  assert_refused(request, infer_request_add_message(request, "user", NULL));
  assert_refused(request, infer_request_add_message(request, NULL, "x"));
  assert_refused(request, infer_request_add_message(request, "", "x"));
  assert_refused(request, infer_request_add_message(request, "us\ner", "x"));
  assert_refused(request,
                 infer_request_add_message_n(request, "user", NULL, 1));
  assert_int_equal(infer_request_add_message(NULL, "user", "x"),
                   INFER_E_INVALID_ARGUMENT);
  for (size_t i = 0; i < bad_text_count; i++) {
    assert_refused(request,
                   infer_request_add_message(request, "user", bad_texts[i]));
    assert_refused(request,
                   infer_request_add_message(request, bad_texts[i], "x"));
  }
  /* A character that the length cuts in two. */
  assert_refused(request,
                 infer_request_add_message_n(request, "user", "\xc3\xa9", 1));
  infer_request_free(request);
}

static void
messages_of_json(void **state)
{
  (void)state;
  infer_request *request = request_new();
  const char *json = "{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}";
  char longer[128];
  snprintf(longer, sizeof longer, "%s garbage", json);
  assert_int_equal(
      infer_request_add_message_json(request, longer, strlen(json), NULL),
      INFER_OK);
  assert_json(request, WITH_MESSAGE("{\"role\":\"user\",\"content\":"
                                    "[{\"type\":\"text\"}]}"));
  assert_refused_with(request, "at byte 44",
                      infer_request_add_message_json(
                          request, longer, INFER_NUL_TERMINATED, &error));
  assert_refused_with(request, "needs a \"role\"",
                      infer_request_add_message_json(
                          request, "{}", INFER_NUL_TERMINATED, &error));
  assert_refused_with(request, "must be an object",
                      infer_request_add_message_json(
                          request, "[]", INFER_NUL_TERMINATED, &error));
  assert_refused_with(
      request, "duplicate member",
      infer_request_add_message_json(request, "{\"role\":\"a\",\"role\":\"b\"}",
                                     INFER_NUL_TERMINATED, &error));
  assert_refused_with(request, "NULL",
                      infer_request_add_message_json(request, NULL, 0, &error));
  assert_int_equal(infer_request_add_message_json(NULL, "{}", 2, NULL),
                   INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
}

static void
images(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(
      infer_request_add_image(request, "what?", "https://a.test/\"i\""),
      INFER_OK);
  assert_int_equal(infer_request_add_image(request, NULL, "data:image/png,x"),
                   INFER_OK);
  assert_json(
      request,
      WITH_MESSAGE(
          "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"what?"
          "\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://a.test/"
          "\\\"i\\\"\"}}]},"
          "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
          "\"image_url\":{\"url\":\"data:image/png,x\"}}]}"));
  assert_refused(request, infer_request_add_image(request, "x", NULL));
  assert_refused(request, infer_request_add_image(request, "x", ""));
  assert_refused(request, infer_request_add_image(request, "x", "file:///a"));
  assert_int_equal(infer_request_add_image(NULL, "x", "data:,"),
                   INFER_E_INVALID_ARGUMENT);
  for (size_t i = 0; i < bad_text_count; i++) {
    assert_refused(request,
                   infer_request_add_image(request, bad_texts[i], "data:,"));
    assert_refused(request,
                   infer_request_add_image(request, "x", bad_texts[i]));
  }
  infer_request_free(request);
}

static void
tool_results(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(infer_request_add_tool_result(request, "call_1", "a\0b", 3),
                   INFER_OK);
  assert_int_equal(infer_request_add_tool_result(request, "c", "{\"x\":1}",
                                                 INFER_NUL_TERMINATED),
                   INFER_OK);
  assert_json(request,
              WITH_MESSAGE("{\"role\":\"tool\",\"tool_call_id\":\"call_1\","
                           "\"content\":\"a\\u0000b\"},"
                           "{\"role\":\"tool\",\"tool_call_id\":\"c\","
                           "\"content\":\"{\\\"x\\\":1}\"}"));
  assert_refused(request, infer_request_add_tool_result(request, NULL, "x", 1));
  assert_refused(request, infer_request_add_tool_result(request, "c", NULL, 1));
  assert_int_equal(infer_request_add_tool_result(NULL, "c", "x", 1),
                   INFER_E_INVALID_ARGUMENT);
  for (size_t i = 0; i < bad_text_count; i++) {
    assert_refused(request,
                   infer_request_add_tool_result(request, "c", bad_texts[i],
                                                 INFER_NUL_TERMINATED));
    assert_refused(
        request, infer_request_add_tool_result(request, bad_texts[i], "x", 1));
  }
  infer_request_free(request);
}

/* A response that says text and calls a tool. */
static void
response_init(infer_response *response, bool with_choice)
{
  *response = (infer_response){0};
  inf_answer_init(&response->answer, 4096);
  if (!with_choice)
    return;
  inf_answer_add_text(&response->answer, 0, INF_SV("hi"));
  inf_answer_add_text(&response->answer, 1, INF_SV("not this"));
  inf_answer_add_tool_call(&response->answer, 0, 0, INF_SV("id1"),
                           INF_SV("function"), INF_SV("f"), INF_SV("{}"));
  inf_answer_end(&response->answer);
}

static void
a_response_goes_back_as_a_message(void **state)
{
  (void)state;
  infer_request *request = request_new();
  infer_response response;
  response_init(&response, true);
  assert_int_equal(infer_request_add_response(request, &response), INFER_OK);
  assert_json(
      request,
      WITH_MESSAGE("{\"role\":\"assistant\",\"content\":\"hi\",\"tool_calls\":"
                   "[{\"id\":\"id1\",\"type\":\"function\",\"function\":"
                   "{\"name\":\"f\",\"arguments\":\"{}\"}}]}"));
  assert_int_equal(infer_request_add_response(NULL, &response),
                   INFER_E_INVALID_ARGUMENT);
  assert_refused(request, infer_request_add_response(request, NULL));
  inf_answer_fini(&response.answer);
  response_init(&response, false);
  assert_refused(request, infer_request_add_response(request, &response));
  inf_answer_fini(&response.answer);
  infer_request_free(request);
}

/* ---- Tools and formats --------------------------------------------------- */

static void
tools(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(infer_request_add_tool(request, "f", NULL, NULL, NULL),
                   INFER_OK);
  assert_int_equal(infer_request_add_tool(request, "g", "does \"g\"",
                                          " {\"type\": \"object\"} ", NULL),
                   INFER_OK);
  assert_json(request,
              WITH_MEMBER("\"tools\":[{\"type\":\"function\",\"function\":"
                          "{\"name\":\"f\"}},"
                          "{\"type\":\"function\",\"function\":{\"name\":\"g\","
                          "\"description\":\"does \\\"g\\\"\",\"parameters\":"
                          "{\"type\": \"object\"}}}]"));
  assert_refused_with(request, "name",
                      infer_request_add_tool(request, NULL, "d", NULL, &error));
  assert_refused_with(request, "name",
                      infer_request_add_tool(request, "", "d", NULL, &error));
  assert_refused_with(request, "expected an object",
                      infer_request_add_tool(request, "f", "", "[]", &error));
  assert_refused_with(
      request, "at byte 5",
      infer_request_add_tool(request, "f", "", "{\"a\":}", &error));
  assert_int_equal(infer_request_add_tool(NULL, "f", NULL, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  for (size_t i = 0; i < bad_text_count; i++) {
    char schema[32];
    snprintf(schema, sizeof schema, "{\"a\":\"%s\"}", bad_texts[i]);
    assert_refused(
        request, infer_request_add_tool(request, bad_texts[i], "", "{}", NULL));
    assert_refused(request, infer_request_add_tool(request, "f", bad_texts[i],
                                                   "{}", NULL));
    assert_refused_with(
        request, "tool parameters",
        infer_request_add_tool(request, "f", "", schema, &error));
  }
  infer_request_free(request);
}

static void
tools_that_are_no_array(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(infer_request_set_int(request, "tools", 1), INFER_OK);
  assert_refused_with(request, "\"tools\" is no array",
                      infer_request_add_tool(request, "f", NULL, NULL, &error));
  infer_request_free(request);
}

static void
a_json_schema(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(
      infer_request_set_json_schema(request, "s", "{\"type\":\"null\"}", NULL),
      INFER_OK);
  const char *json =
      WITH_MEMBER("\"response_format\":{\"type\":\"json_schema\","
                  "\"json_schema\":{\"name\":\"s\",\"strict\":true,"
                  "\"schema\":{\"type\":\"null\"}}}");
  assert_json(request, json);
  assert_int_equal(infer_request_set_json_schema(request, "other", "{}", NULL),
                   INFER_OK);
  assert_int_equal(
      infer_request_set_json_schema(request, "s", "{\"type\":\"null\"}", NULL),
      INFER_OK);
  assert_json(request, json);
  assert_refused_with(request, "name",
                      infer_request_set_json_schema(request, "", "{}", &error));
  assert_refused_with(
      request, "name",
      infer_request_set_json_schema(request, "\xff", "{}", &error));
  assert_refused_with(
      request, "schema",
      infer_request_set_json_schema(request, "s", NULL, &error));
  assert_refused_with(
      request, "expected an object",
      infer_request_set_json_schema(request, "s", "true", &error));
  assert_refused_with(request, "schema",
                      infer_request_set_json_schema(request, "s", "{", &error));
  assert_int_equal(infer_request_set_json_schema(NULL, "s", "{}", NULL),
                   INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
}

/* ---- Members ------------------------------------------------------------- */

static void
members_are_set_replaced_and_removed(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(infer_request_set_double(request, "temperature", 0.1),
                   INFER_OK);
  assert_int_equal(infer_request_set_int(request, "seed", INT64_MIN), INFER_OK);
  assert_int_equal(infer_request_set_string(request, "user", "a\"b"), INFER_OK);
  assert_int_equal(
      infer_request_set_json(request, "stop", "[\"x\"]zzz", 5, NULL), INFER_OK);
  assert_json(request, WITH_MEMBER("\"temperature\":0.1,"
                                   "\"seed\":-9223372036854775808,"
                                   "\"user\":\"a\\\"b\",\"stop\":[\"x\"]"));
  assert_int_equal(infer_request_set_int(request, "temperature", 2), INFER_OK);
  assert_int_equal(infer_request_set_json(request, "seed", "null",
                                          INFER_NUL_TERMINATED, NULL),
                   INFER_OK);
  assert_int_equal(infer_request_set_json(request, "never", "null",
                                          INFER_NUL_TERMINATED, NULL),
                   INFER_OK);
  assert_int_equal(infer_request_set_double(request, "x\"y", 1e300), INFER_OK);
  assert_json(request, WITH_MEMBER("\"temperature\":2,\"user\":\"a\\\"b\","
                                   "\"stop\":[\"x\"],\"x\\\"y\":1e+300"));
  infer_request_free(request);
}

static void
members_that_are_refused(void **state)
{
  (void)state;
  infer_request *request = request_new();
  const size_t end = INFER_NUL_TERMINATED;
  assert_refused_with(
      request, "own functions",
      infer_request_set_json(request, "model", "\"x\"", end, &error));
  assert_refused_with(
      request, "own functions",
      infer_request_set_json(request, "messages", "[]", end, &error));
  assert_refused(request, infer_request_set_string(request, "model", "x"));
  assert_refused_with(request, "empty",
                      infer_request_set_json(request, "", "1", end, &error));
  assert_refused_with(request, "NULL",
                      infer_request_set_json(request, NULL, "1", end, &error));
  assert_refused_with(request, "NULL",
                      infer_request_set_json(request, "x", NULL, 0, &error));
  assert_refused_with(request, "at byte 2",
                      infer_request_set_json(request, "x", "1 2", end, &error));
  assert_refused_with(
      request, "x: ", infer_request_set_json(request, "x", "", end, &error));
  assert_refused_with(
      request, "x: ", infer_request_set_json(request, "x", "NaN", end, &error));
  assert_refused_with(
      request, "plain text",
      infer_request_set_json(request, "\xff", "1", end, &error));
  assert_refused(request, infer_request_set_double(request, "x", NAN));
  assert_refused(request, infer_request_set_double(request, "x", INFINITY));
  assert_refused(request, infer_request_set_double(request, "x", -INFINITY));
  assert_refused(request, infer_request_set_string(request, "x", NULL));
  assert_refused(request, infer_request_set_string(request, NULL, "x"));
  assert_refused(request, infer_request_set_int(request, NULL, 1));
  for (size_t i = 0; i < bad_text_count; i++)
    assert_refused(request,
                   infer_request_set_string(request, "x", bad_texts[i]));
  assert_int_equal(infer_request_set_json(NULL, "x", "1", end, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_set_string(NULL, "x", "1"),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_set_int(NULL, "x", 1),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_set_double(NULL, "x", 1),
                   INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
}

static void
members_have_a_limit(void **state)
{
  (void)state;
  infer_request *request = request_new();
  char name[32];
  for (int i = 0; i < 256; i++) {
    snprintf(name, sizeof name, "x%d", i);
    assert_int_equal(infer_request_set_int(request, name, i), INFER_OK);
  }
  assert_refused(request, infer_request_set_int(request, "x256", 1));
  assert_int_equal(infer_request_set_int(request, "x7", 1), INFER_OK);
  infer_request_free(request);
}

/* ---- Size ---------------------------------------------------------------- */

/* All parts together are at most 64 MiB. */
static void
size_has_a_limit(void **state)
{
  (void)state;
  char *text = malloc(64 * MIB + 1);
  assert_non_null(text);
  memset(text, 'a', 64 * MIB);
  text[64 * MIB] = '\0';
  infer_request *request = request_new();
  assert_refused(request, infer_request_add_message(request, "user", text));
  assert_refused(request, infer_request_add_image(request, text, "data:,"));
  assert_refused(request, infer_request_add_image(request, NULL, text));
  assert_refused(request,
                 infer_request_add_tool_result(request, "c", text, 64 * MIB));
  assert_refused(request, infer_request_set_string(request, "x", text));
  assert_refused_with(request, "64 MiB",
                      infer_request_add_tool(request, "f", text, NULL, &error));
  assert_refused_with(
      request, "64 MiB",
      infer_request_set_json_schema(request, text, "{}", &error));
  /* Half of it fits once, and then in no other part. */
  text[40 * MIB] = '\0';
  assert_int_equal(infer_request_add_message(request, "user", text), INFER_OK);
  const size_t len = request->chat.messages.len;
  assert_int_equal(infer_request_add_message(request, "user", text),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_set_string(request, "x", text),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_add_tool(request, "f", text, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(request->chat.messages.len, len);
  assert_int_equal(request->chat.message_count, 1);
  assert_int_equal(request->chat.members.len, 0);
  /* Small ones still do. */
  assert_int_equal(infer_request_add_message(request, "user", "x"), INFER_OK);
  infer_request_free(request);
  free(text);
}

/* ---- How the call is to be made ------------------------------------------ */

static void
deadlines(void **state)
{
  (void)state;
  const int64_t day_ms = 86400000;
  infer_request *request = request_new();
  assert_int_equal(infer_request_set_deadline_ms(request, 1), INFER_OK);
  assert_int_equal(request->deadline_ms, 1);
  assert_int_equal(infer_request_set_deadline_ms(request, day_ms), INFER_OK);
  assert_int_equal(request->deadline_ms, day_ms);
  assert_refused(request, infer_request_set_deadline_ms(request, 0));
  assert_refused(request, infer_request_set_deadline_ms(request, -1));
  assert_refused(request, infer_request_set_deadline_ms(request, day_ms + 1));
  assert_refused(request, infer_request_set_deadline_ms(request, INT64_MAX));
  assert_refused(request, infer_request_set_deadline_ms(request, INT64_MIN));
  assert_int_equal(infer_request_set_deadline_ms(NULL, 1),
                   INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
}

static void
headers_are_kept_line_by_line(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(infer_request_set_header(request, "X-One", "1"), INFER_OK);
  assert_int_equal(infer_request_set_header(request, "x-two", "a\tb: c"),
                   INFER_OK);
  const char lines[] = "X-One: 1\0x-two: a\tb: c";
  assert_int_equal(request->headers.len, sizeof lines);
  assert_memory_equal(request->headers.ptr, lines, sizeof lines);
  assert_int_equal(request->header_count, 2);
  infer_request_free(request);
}

static void
headers_that_are_refused(void **state)
{
  (void)state;
  static const char *const names[] = {
      "Authorization", "host", "CONTENT-LENGTH", "Content-Type",
      "Transfer-Encoding", "Connection", "Expect", "Accept-Encoding", "TE",
      "Trailer", "Upgrade", "Proxy-Authorization",
      /* No field names at all. */
      "", "a b", "a:b", "a\r\nb", "a\n", "\xc3\xa9", "a\x7f", "(x)"};
  static const char *const values[] = {"a\r\nx-evil: 1", "a\n", "a\r", "\x01",
                                       "a\x7f"};
  infer_request *request = request_new();
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    assert_refused(request, infer_request_set_header(request, names[i], "v"));
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
    assert_refused(request, infer_request_set_header(request, "x", values[i]));
  assert_refused(request, infer_request_set_header(request, NULL, "v"));
  assert_refused(request, infer_request_set_header(request, "x", NULL));
  assert_int_equal(infer_request_set_header(NULL, "x", "v"),
                   INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
}

static void
headers_have_limits(void **state)
{
  (void)state;
  infer_request *request = request_new();
  static char value[(64 << 10) + 1];
  memset(value, 'a', sizeof value - 1);
  assert_refused(request, infer_request_set_header(request, "x", value));
  value[(64 << 10) - 3] = '\0'; /* the line fits, the NUL after it does not */
  assert_refused(request, infer_request_set_header(request, "x", value));
  char name[16];
  for (int i = 0; i < 64; i++) {
    snprintf(name, sizeof name, "x-%d", i);
    assert_int_equal(infer_request_set_header(request, name, "v"), INFER_OK);
  }
  assert_refused(request, infer_request_set_header(request, "x-64", "v"));
  infer_request_free(request);
}

/* What labels, tags and tenants may not be. */
static const char *
bad_name(size_t i)
{
  static char longest[258];
  memset(longest, 'a', 257);
  const char *const names[] = {NULL,   "",      "a\nb",       "a\x7f",
                               "\x1f", longest, bad_texts[0], bad_texts[2]};
  assert_true(i < sizeof names / sizeof names[0]);
  return names[i];
}
enum { bad_name_count = 8 };

static void
labels(void **state)
{
  (void)state;
  infer_request *request = request_new();
  char label[257];
  memset(label, 'a', 256);
  label[256] = '\0';
  assert_int_equal(infer_request_require_label(request, label), INFER_OK);
  for (size_t i = 0; i < bad_name_count; i++)
    assert_refused(request, infer_request_require_label(request, bad_name(i)));
  for (int i = 1; i < 16; i++) {
    snprintf(label, sizeof label, "l%d", i);
    assert_int_equal(infer_request_require_label(request, label), INFER_OK);
  }
  assert_refused(request, infer_request_require_label(request, "l16"));
  assert_int_equal(request->label_count, 16);
  assert_string_equal(request->labels[15], "l15");
  assert_int_equal(infer_request_require_label(NULL, "l"),
                   INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
}

static void
tags(void **state)
{
  (void)state;
  infer_request *request = request_new();
  char name[16];
  for (size_t i = 0; i < bad_name_count; i++) {
    assert_refused(request, infer_request_set_tag(request, bad_name(i), "v"));
    assert_refused(request, infer_request_set_tag(request, "n", bad_name(i)));
  }
  for (int i = 0; i < 32; i++) {
    snprintf(name, sizeof name, "t%d", i);
    assert_int_equal(infer_request_set_tag(request, name, "v"), INFER_OK);
  }
  assert_refused(request, infer_request_set_tag(request, "t32", "v"));
  /* One that is there is replaced, also when there is no room for more. */
  assert_int_equal(infer_request_set_tag(request, "t31", "w\xc3\xa9"),
                   INFER_OK);
  assert_int_equal(request->tag_count, 32);
  assert_string_equal(request->tags[31].value, "w\xc3\xa9");
  assert_string_equal(request->tags[30].value, "v");
  assert_int_equal(infer_request_set_tag(NULL, "n", "v"),
                   INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
}

static void
tenant_and_run_once(void **state)
{
  (void)state;
  infer_request *request = request_new();
  assert_int_equal(infer_request_set_tenant(request, "a"), INFER_OK);
  assert_int_equal(infer_request_set_tenant(request, "b"), INFER_OK);
  assert_string_equal(request->tenant, "b");
  for (size_t i = 0; i < bad_name_count; i++)
    assert_refused(request, infer_request_set_tenant(request, bad_name(i)));
  assert_int_equal(infer_request_set_tenant(NULL, "a"),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_set_run_once(request, 7), INFER_OK);
  assert_true(request->run_once);
  assert_int_equal(infer_request_set_run_once(request, 0), INFER_OK);
  assert_false(request->run_once);
  assert_int_equal(infer_request_set_run_once(NULL, 1),
                   INFER_E_INVALID_ARGUMENT);
  /* None of this is for the provider. */
  assert_json(request, "{\"model\":\"m\",\"messages\":[]}");
  infer_request_free(request);
}

static void
policy_by_the_names_and_ranges_of_the_options(void **state)
{
  (void)state;
  static const char *const names[] = {
      "retries",
      "stay.retries",
      "stay.max_wait_ms",
      "timeouts.connect_ms",
      "timeouts.first_token_ms",
      "timeouts.idle_ms",
      "timeouts.attempt_ms",
      "timeouts.deadline_ms",
  };
  static const char *const wrong[] = {
      "",         "retry",    "timeouts", "timeouts.", "idle_ms",
      "recovery", "upstream", "threads",  "keep_warm", "timeouts.retries",
      ".retries", "retries.",
  };
  size_t count = sizeof names / sizeof names[0];
  infer_request *request = request_new();
  for (int64_t value = 0; value <= 1; value++)
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
      assert_refused(request,
                     infer_request_set_policy(request, wrong[i], value));
  for (int64_t value = 1; value <= 2; value++)
    for (size_t i = 0; i < count; i++)
      assert_int_equal(infer_request_set_policy(request, names[i], value),
                       INFER_OK);
  assert_int_equal(request->policy_count, count);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(request->policy[i].value, 2);
  assert_refused(request, infer_request_set_policy(request, NULL, 1));
  assert_refused(request, infer_request_set_policy(request, "retries", -1));
  assert_refused(request, infer_request_set_policy(request, "retries", 11));
  assert_refused(request, infer_request_set_policy(request, names[3], 0));
  assert_int_equal(infer_request_set_policy(NULL, "retries", 1),
                   INFER_E_INVALID_ARGUMENT);
  assert_json(request, "{\"model\":\"m\",\"messages\":[]}");
  infer_request_free(request);
}

static void
json_of_nothing(void **state)
{
  (void)state;
  char *json;
  size_t len;
  infer_request *request = request_new();
  assert_int_equal(infer_request_json(NULL, &json, &len),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_json(request, NULL, &len),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_json(request, &json, NULL), INFER_OK);
  infer_text_free(json);
  infer_request_free(request);
}

/* ---- Short memory -------------------------------------------------------- */

static int32_t
build_step(infer_request *request, int step, const infer_response *response,
           infer_error **error)
{
  switch (step) {
  case 0:
    return infer_request_set_model(request, "a-longer-model-name");
  case 1:
    return infer_request_add_message(request, "user", "hello");
  case 2:
    return infer_request_add_message_json(request, "{\"role\":\"user\"}",
                                          INFER_NUL_TERMINATED, error);
  case 3:
    return infer_request_add_image(request, "t", "data:,");
  case 4:
    return infer_request_add_response(request, response);
  case 5:
    return infer_request_add_tool_result(request, "c", "x", 1);
  case 6:
    return infer_request_add_tool(request, "f", "d", "{}", error);
  case 7:
    return infer_request_set_json_schema(request, "s", "{}", error);
  case 8:
    return infer_request_set_json(request, "x", "[1]", 3, error);
  case 9:
    return infer_request_set_string(request, "user", "u");
  case 10:
    return infer_request_set_int(request, "n", 2);
  case 11:
    return infer_request_set_double(request, "top_p", 0.5);
  case 12:
    return infer_request_set_header(request, "x-a", "b");
  case 13:
    return infer_request_require_label(request, "eu");
  case 14:
    return infer_request_set_tag(request, "t", "1");
  case 15:
    return infer_request_set_tag(request, "t", "2");
  case 16:
    return infer_request_set_tenant(request, "me");
  case 17:
    return infer_request_set_tenant(request, "you");
  case 18:
    return infer_request_add_tool(request, "g", NULL, NULL, error);
  default:
    return infer_request_set_json(request, "x", "null", 4, error);
  }
}

enum { step_count = 20 };

/* Each step succeeds, or says that memory is short and changes nothing; asked
 * again it then succeeds. */
static void
build_all(void *arg)
{
  infer_request *request;
  int32_t status = infer_request_new(&request, "m");
  if (status != INFER_OK) {
    assert_int_equal(status, INFER_E_NO_MEMORY);
    assert_null(request);
    assert_true(fail_alloc_hits() > 0);
    return;
  }
  for (int step = 0; step < step_count; step++) {
    infer_error *error = NULL;
    describe(request, before, sizeof before);
    size_t hits = fail_alloc_hits();
    status = build_step(request, step, arg, &error);
    assert_int_equal(status,
                     fail_alloc_hits() > hits ? INFER_E_NO_MEMORY : INFER_OK);
    if (status != INFER_OK) {
      describe(request, after, sizeof after);
      assert_string_equal(after, before);
    }
    infer_error_free(error);
  }
  char *json = NULL;
  size_t hits = fail_alloc_hits();
  status = infer_request_json(request, &json, NULL);
  assert_int_equal(status,
                   fail_alloc_hits() > hits ? INFER_E_NO_MEMORY : INFER_OK);
  infer_text_free(json);
  infer_request_free(request);
}

static void
read_json(void *arg)
{
  infer_request *request;
  infer_error *error;
  int32_t status =
      infer_request_from_json(&request, arg, INFER_NUL_TERMINATED, &error);
  assert_int_equal(status,
                   fail_alloc_hits() > 0 ? INFER_E_NO_MEMORY : INFER_OK);
  assert_int_equal(infer_error_status(error), status);
  infer_error_free(error);
  infer_request_free(request);
}

static void
short_memory_changes_nothing(void **state)
{
  (void)state;
  infer_response response;
  fail_alloc_install();
  response_init(&response, true);
  assert_true(fail_alloc_sweep(build_all, &response) > 40);
  inf_answer_fini(&response.answer);
  char json[] = "{\"model\":\"m\",\"messages\":[" USER "," USER "],\"n\":1,"
                "\"x\":[1,2]}";
  assert_true(fail_alloc_sweep(read_json, json) > 5);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_request_has_its_model),
      cmocka_unit_test(a_model_is_short_printable_text),
      cmocka_unit_test(json_comes_back_as_it_went_in),
      cmocka_unit_test(stream_is_not_the_requests_to_say),
      cmocka_unit_test(json_is_refused_with_its_place),
      cmocka_unit_test(json_nests_128_deep_and_no_deeper),
      cmocka_unit_test(the_deepest_of_each_builder_can_be_read_again),
      cmocka_unit_test(messages_of_text),
      cmocka_unit_test(messages_of_json),
      cmocka_unit_test(images),
      cmocka_unit_test(tool_results),
      cmocka_unit_test(a_response_goes_back_as_a_message),
      cmocka_unit_test(tools),
      cmocka_unit_test(tools_that_are_no_array),
      cmocka_unit_test(a_json_schema),
      cmocka_unit_test(members_are_set_replaced_and_removed),
      cmocka_unit_test(members_that_are_refused),
      cmocka_unit_test(members_have_a_limit),
      cmocka_unit_test(size_has_a_limit),
      cmocka_unit_test(deadlines),
      cmocka_unit_test(headers_are_kept_line_by_line),
      cmocka_unit_test(headers_that_are_refused),
      cmocka_unit_test(headers_have_limits),
      cmocka_unit_test(labels),
      cmocka_unit_test(tags),
      cmocka_unit_test(tenant_and_run_once),
      cmocka_unit_test(policy_by_the_names_and_ranges_of_the_options),
      cmocka_unit_test(json_of_nothing),
      cmocka_unit_test(short_memory_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
