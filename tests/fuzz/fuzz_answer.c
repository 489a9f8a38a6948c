/* SPDX-License-Identifier: MIT */
/* A whole body of Chat Completions, and the answer that is made of it. Our own
 * JSON of an answer, read as a body, must give the same answer again; sent as
 * a stream of one chunk it must give it too; and each message of it must be
 * fit for the next request. */
#include "fuzz/decode.h"

#include "engine/result.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

#include <infer/infer.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BODY_BYTES 65536
#define MAX_DEPTH      40
#define MAX_BYTES      ((size_t)8 << 20)

static fuzz_response
response_of(inf_sv body, bool stream)
{
  fuzz_response response = {.options = {.kind = inf_provider_kind_at(0),
                                        .stream = stream,
                                        .choices = 1,
                                        .max_body_bytes = MAX_BODY_BYTES * 4,
                                        .max_event_bytes = MAX_BODY_BYTES * 4,
                                        .max_depth = MAX_DEPTH},
                            .http_status = 200,
                            .clean_end = true,
                            .body = body};
  inf_headers_init(&response.headers, 16);
  return response;
}

/* What came from that body has the JSON that is expected. */
static void
check_again(inf_sv body, bool stream, const inf_buf *expected)
{
  fuzz_outcome again;
  fuzz_response response = response_of(body, stream);
  fuzz_decode(&response, FUZZ_WHOLE, &again);
  FUZZ_CHECK(again.status == INFER_OK);
  FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&again.json), inf_buf_sv(expected)));
  fuzz_outcome_fini(&again);
}

/* ---- As a stream --------------------------------------------------------- */

/* The elements of a delta's tool_calls are numbered. */
static void
write_calls(inf_buf *out, inf_sv calls)
{
  int64_t index = 0;
  inf_json_open(out, '[');
  inf_json_iter it = inf_json_iter_of(calls);
  while (inf_json_next(&it)) {
    inf_json_open(out, '{');
    inf_json_member_int(out, INF_SV("index"), index++);
    inf_json_iter member = inf_json_iter_of(it.value);
    while (inf_json_next(&member)) {
      inf_members_put_name(out, member.key);
      inf_json_put_raw(out, member.value);
    }
    inf_json_close(out, '}');
  }
  inf_json_close(out, ']');
}

static void
write_delta(inf_buf *out, inf_sv message)
{
  inf_json_open(out, '{');
  inf_json_iter it = inf_json_iter_of(message);
  while (inf_json_next(&it)) {
    inf_members_put_name(out, it.key);
    if (inf_json_key_is(&it, INF_SV("tool_calls")))
      write_calls(out, it.value);
    else
      inf_json_put_raw(out, it.value);
  }
  inf_json_close(out, '}');
}

static void
write_choices(inf_buf *out, inf_sv choices)
{
  inf_json_open(out, '[');
  inf_json_iter it = inf_json_iter_of(choices);
  while (inf_json_next(&it)) {
    inf_json_open(out, '{');
    inf_json_iter member = inf_json_iter_of(it.value);
    while (inf_json_next(&member)) {
      if (inf_json_key_is(&member, INF_SV("message"))) {
        inf_json_key(out, INF_SV("delta"));
        write_delta(out, member.value);
        continue;
      }
      inf_members_put_name(out, member.key);
      inf_json_put_raw(out, member.value);
    }
    inf_json_close(out, '}');
  }
  inf_json_close(out, ']');
}

/* Has a message members that a delta has for its own purposes, where they say
 * nothing of the answer? */
static bool
is_ambiguous(inf_sv choices)
{
  bool found = false;
  inf_json_iter it = inf_json_iter_of(choices);
  while (inf_json_next(&it)) {
    inf_sv message = inf_json_get(it.value, INF_SV("message"));
    found = found || inf_json_get(message, INF_SV("index")).len > 0 ||
            inf_json_get(message, INF_SV("token_id")).len > 0;
  }
  return found;
}

/* An answer that keeps a line end between the values of an unknown member is
 * no line of a stream. */
static void
check_as_stream(const inf_buf *json)
{
  if (is_ambiguous(inf_json_get(inf_buf_sv(json), INF_SV("choices"))))
    return;
  if (memchr(json->ptr, '\n', json->len) || memchr(json->ptr, '\r', json->len))
    return;
  inf_buf stream;
  inf_buf_init(&stream, SIZE_MAX);
  inf_buf_append_cstr(&stream, "data:");
  inf_json_open(&stream, '{');
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(json));
  while (inf_json_next(&it)) {
    inf_members_put_name(&stream, it.key);
    if (inf_json_key_is(&it, INF_SV("object")))
      inf_json_put_string(&stream, INF_SV("chat.completion.chunk"));
    else if (inf_json_key_is(&it, INF_SV("choices")))
      write_choices(&stream, it.value);
    else
      inf_json_put_raw(&stream, it.value);
  }
  inf_json_close(&stream, '}');
  inf_buf_append_cstr(&stream, "\n\ndata: [DONE]\n\n");
  check_again(inf_buf_sv(&stream), true, json);
  inf_buf_fini(&stream);
}

/* ---- As a response ------------------------------------------------------- */

static void
check_messages(const inf_answer *answer)
{
  for (size_t i = 0; i < answer->choice_count; i++) {
    inf_buf message;
    infer_request *request = NULL;
    inf_buf_init(&message, SIZE_MAX);
    inf_answer_write_message(answer, answer->choices[i].index, &message);
    FUZZ_CHECK(infer_request_new(&request, "m") == INFER_OK);
    FUZZ_CHECK(infer_request_add_message_json(request, message.ptr, message.len,
                                              NULL) == INFER_OK);
    infer_request_free(request);
    inf_buf_fini(&message);
  }
}

/* The public view tells what the JSON says. */
static void
check_response(fuzz_outcome *outcome)
{
  size_t json_len, text_len;
  inf_trail *trail = inf_trail_new(NULL, NULL, 0);
  if (!trail)
    abort();
  infer_response *response = inf_response_new(&outcome->answer, trail, NULL);
  if (!response)
    abort();
  const char *json = infer_response_json(response, &json_len);
  FUZZ_CHECK(inf_sv_eq(inf_sv_of(json, json_len), inf_buf_sv(&outcome->json)));
  const char *text = infer_response_text(response, &text_len);
  inf_sv choice = inf_json_at(
      inf_json_get(inf_sv_of(json, json_len), INF_SV("choices")), 0);
  inf_sv content = inf_json_path(choice, "message.content");
  if (inf_json_is(content, INF_JSON_STRING))
    FUZZ_CHECK(inf_json_equal(content, inf_sv_of(text, text_len)));
  infer_response_free(response);
  inf_trail_unref(trail);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv body = inf_sv_of((const char *)data, size);
  fuzz_outcome outcome;
  if (size > MAX_BODY_BYTES)
    return 0;
  fuzz_memory_begin();
  fuzz_response response = response_of(body, false);
  fuzz_decode(&response, FUZZ_WHOLE, &outcome);
  fuzz_outcome_check(&response, &outcome);
  if (outcome.status == INFER_OK && outcome.decoder.mode == INF_BODY_WHOLE) {
    check_again(inf_buf_sv(&outcome.json), false, &outcome.json);
    check_as_stream(&outcome.json);
    check_messages(&outcome.answer);
    check_response(&outcome);
  }
  fuzz_outcome_fini(&outcome);
  fuzz_memory_end(MAX_BYTES);
  return 0;
}
