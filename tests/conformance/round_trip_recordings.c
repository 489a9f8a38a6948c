/* SPDX-License-Identifier: MIT */
/* round_trip_recordings: reads every recorded answer of Anthropic's Messages,
 * makes it the assistant's message of a next request, and compares what is
 * sent then with the content that was recorded, block by block: text,
 * thinking with its signature, calls, what the provider's own tools did.
 * Exit code 1 if one differs, 77 without recordings. */
#include "conformance/fixture.h"
#include "conformance/kinds.h"
#include "infer/infer.h"
#include "provider/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)64 << 20)

struct totals {
  unsigned tried, failed;
};

static json_object *
member(json_object *object, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex(object, name, &value);
  return value;
}

static bool
is_type(json_object *block, const char *type)
{
  return strcmp(test_member(block, "type"), type) == 0;
}

/* ---- The content that was recorded, put together without the library ------
 */

static void
join(json_object *block, const char *name, const char *more)
{
  inf_buf text;
  inf_buf_init(&text, SIZE_MAX);
  inf_buf_append_cstr(&text, test_member(block, name));
  inf_buf_append_cstr(&text, more);
  json_object_object_add(block, name,
                         json_object_new_string(inf_buf_cstr(&text)));
  inf_buf_fini(&text);
}

static void
add_citation(json_object *block, json_object *citation)
{
  json_object *list = member(block, "citations");
  if (!json_object_is_type(list, json_type_array)) {
    list = json_object_new_array();
    json_object_object_add(block, "citations", list);
  }
  json_object_array_add(list, json_object_get(citation));
}

static void
add_delta(json_object *block, json_object *delta)
{
  static const char *const names[] = {"text", "thinking", "signature",
                                      "partial_json", "content"};
  if (member(delta, "citation"))
    add_citation(block, member(delta, "citation"));
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (json_object_is_type(member(delta, names[i]), json_type_string))
      join(block, names[i], test_member(delta, names[i]));
}

/* What was cut is sent back as the text that it is. */
static json_object *
input_of(const char *text)
{
  json_object *input = json_tokener_parse(text);
  if (input)
    return input;
  input = json_object_new_object();
  json_object_object_add(input, "arguments", json_object_new_string(text));
  return input;
}

static void
end_stream(json_object *content)
{
  for (size_t i = 0; i < json_object_array_length(content); i++) {
    json_object *block = json_object_array_get_idx(content, i);
    const char *input = test_member(block, "partial_json");
    if (input[0] != '\0')
      json_object_object_add(block, "input", input_of(input));
    json_object_object_del(block, "partial_json");
  }
}

static void
take_event(json_object *content, json_object *event)
{
  size_t index = (size_t)json_object_get_int(member(event, "index"));
  if (is_type(event, "content_block_start"))
    json_object_array_put_idx(content, index,
                              json_object_get(member(event, "content_block")));
  json_object *block = json_object_array_get_idx(content, index);
  if (is_type(event, "content_block_delta") && block)
    add_delta(block, member(event, "delta"));
}

static json_object *
recorded_content(const test_case *test)
{
  inf_sv rest = inf_buf_sv(&test->body);
  json_object *content = json_object_new_array();
  if (rest.ptr[0] == '{') {
    json_object_put(content);
    json_object *body = json_tokener_parse(rest.ptr);
    content = json_object_get(member(body, "content"));
    json_object_put(body);
    return content;
  }
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, '\n');
    inf_sv line = inf_sv_of(rest.ptr, len);
    if (inf_sv_starts_with(line, INF_SV("data:"))) {
      json_tokener *tokener = json_tokener_new();
      json_object *event =
          json_tokener_parse_ex(tokener, line.ptr + 5, (int)line.len - 5);
      take_event(content, event);
      json_object_put(event);
      json_tokener_free(tokener);
    }
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  end_stream(content);
  return content;
}

/* ---- What says the same ---------------------------------------------------
 */

static bool
says_nothing(const char *name, json_object *value)
{
  return !value || /* null */
         (json_object_is_type(value, json_type_array) &&
          json_object_array_length(value) == 0) ||
         (strcmp(name, "caller") == 0 && is_type(value, "direct"));
}

static json_object *
without_nothing(json_object *block)
{
  json_object *made = json_object_new_object();
  json_object_object_foreach(block, name, value)
  {
    if (!says_nothing(name, value))
      json_object_object_add(made, name, json_object_get(value));
  }
  return made;
}

/* Texts that follow one another are one, and an empty one is none. */
static json_object *
normalised(json_object *content)
{
  json_object *made = json_object_new_array(), *last = NULL;
  for (size_t i = 0; i < json_object_array_length(content); i++) {
    json_object *block = json_object_array_get_idx(content, i);
    bool text = is_type(block, "text");
    if (text && test_member(block, "text")[0] == '\0')
      continue;
    block = without_nothing(block);
    if (text && last && is_type(last, "text") && !member(last, "citations") &&
        !member(block, "citations")) {
      join(last, "text", test_member(block, "text"));
      json_object_put(block);
      continue;
    }
    json_object_array_add(made, block);
    last = block;
  }
  return made;
}

/* ---- There and back -------------------------------------------------------
 */

static bool
decode(const test_case *test, inf_answer *answer)
{
  inf_decoder decoder;
  inf_decoder_options options = {
      .kind = test_provider_kind(test_kind_of(test)),
      .stream = test_asks_for_stream(test),
      .choices = 1,
      .max_body_bytes = MAX_BYTES,
      .max_event_bytes = MAX_BYTES,
      .max_depth = 128,
  };
  inf_decoder_init(&decoder, &options, answer);
  inf_decoder_headers(&decoder, test->status, &test->headers, 0);
  inf_decoder_feed(&decoder, test->body.ptr, test->body.len);
  bool whole = inf_decoder_end(&decoder, true) == INFER_OK;
  inf_decoder_fini(&decoder);
  return whole;
}

static void
put_chat(const inf_answer *answer, inf_buf *out)
{
  inf_buf_append_cstr(out, "{\"model\":\"claude-sonnet-4-5\",\"messages\":["
                           "{\"role\":\"user\",\"content\":\"Hello\"}");
  inf_answer_write_message(answer, 0, out);
  inf_buf_append_cstr(out, ",{\"role\":\"user\",\"content\":\"Go on\"}]}");
}

/* The comma between the messages is put by the writer of JSON. */
/* The content that a next request has for the answer, NULL for none. */
static json_object *
sent_content(const test_case *test, const inf_answer *answer, inf_buf *why)
{
  inf_buf json;
  inf_chat chat;
  inf_wire_request out;
  json_object *content = NULL;
  const inf_provider_kind *kind = test_provider_kind(test_kind_of(test));
  inf_buf_init(&json, SIZE_MAX);
  inf_chat_init(&chat);
  inf_wire_request_init(&out);
  put_chat(answer, &json);
  inf_send send = {.kind = kind,
                   .base_url = INF_SV("http://localhost"),
                   .auth_scheme = inf_sv_from(kind->auth_scheme),
                   .key = INF_SV("key"),
                   .body_members = INF_SV("{}"),
                   .model = INF_SV("claude-sonnet-4-5"),
                   .chat = &chat,
                   .prefill = INF_PREFILL_NONE};
  if (inf_chat_from_json(&chat, inf_buf_sv(&json), NULL, NULL) == INFER_OK &&
      kind->dialect->write_chat(&send, &out, why) == INFER_OK) {
    json_object *body = json_tokener_parse(inf_buf_cstr(&out.body));
    json_object *message =
        json_object_array_get_idx(member(body, "messages"), 1);
    content = json_object_get(member(message, "content"));
    json_object_put(body);
  }
  inf_wire_request_fini(&out);
  inf_chat_fini(&chat);
  inf_buf_fini(&json);
  return content;
}

static json_object *
as_list(json_object *content)
{
  if (!json_object_is_type(content, json_type_string))
    return content;
  json_object *list = json_object_new_array();
  json_object *block = json_object_new_object();
  json_object_object_add(block, "type", json_object_new_string("text"));
  json_object_object_add(block, "text", content);
  json_object_array_add(list, block);
  return list;
}

static bool
same_content(json_object *recorded, json_object *sent, inf_buf *why)
{
  json_object *a = normalised(recorded);
  json_object *b = normalised(sent);
  bool same = fixture_compare(a, b, NULL, why);
  json_object_put(a);
  json_object_put(b);
  return same;
}

static void
on_case(const test_case *test, void *context)
{
  struct totals *totals = context;
  inf_answer answer;
  inf_buf why;
  if (strcmp(test_member(test->meta, "api"), "anthropic-messages") != 0 ||
      test->status != 200)
    return;
  inf_buf_init(&why, (size_t)1 << 16);
  inf_answer_init(&answer, MAX_BYTES);
  json_object *recorded = recorded_content(test);
  if (decode(test, &answer) && json_object_array_length(recorded) > 0) {
    json_object *sent = as_list(sent_content(test, &answer, &why));
    totals->tried++;
    if (!sent || !same_content(recorded, sent, &why)) {
      totals->failed++;
      printf("FAIL %s\n%s\n", test->name, inf_buf_cstr(&why));
    }
    json_object_put(sent);
  }
  json_object_put(recorded);
  inf_answer_fini(&answer);
  inf_buf_fini(&why);
}

int
main(int argc, char **argv)
{
  struct totals totals = {0, 0};
  char *folder =
      argc > 1 ? strdup(argv[1]) : test_shared_folder("data/recordings");
  if (!folder) {
    printf("SKIP: no recordings (set INFER_SHARED)\n");
    return 77;
  }
  test_for_each_case(folder, on_case, &totals);
  free(folder);
  printf("%u answers sent back, %u differ\n", totals.tried, totals.failed);
  return totals.failed > 0 || totals.tried == 0;
}
