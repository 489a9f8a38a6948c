/* SPDX-License-Identifier: MIT */
#include "fuzz/decode.h"

#include "provider/plugin.h"
#include "wire/json_scan.h"
#include "wire/utf8.h"

#include <infer/infer.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* ---- Decoding ------------------------------------------------------------ */

void
fuzz_decode(const fuzz_response *response, uint32_t cut_seed,
            fuzz_outcome *outcome)
{
  fuzz_cuts cuts = {cut_seed};
  inf_sv body = response->body;
  *outcome = (fuzz_outcome){0};
  heard_init(&outcome->heard);
  inf_buf_init(&outcome->json, SIZE_MAX);
  inf_answer_init(&outcome->answer, response->options.max_body_bytes);
  outcome->answer.listener = heard_on_delta;
  outcome->answer.listener_context = &outcome->heard;
  inf_decoder_init(&outcome->decoder, &response->options, &outcome->answer);
  inf_decoder_headers(&outcome->decoder, response->http_status,
                      &response->headers, 0);
  while (body.len > 0) {
    size_t len = fuzz_next_cut(&cuts, body.len);
    char *piece = fuzz_block(inf_sv_of(body.ptr, len));
    inf_decoder_feed(&outcome->decoder, piece, len);
    free(piece);
    body = inf_sv_of(body.ptr + len, body.len - len);
  }
  outcome->status = inf_decoder_end(&outcome->decoder, response->clean_end);
  inf_answer_write_json(&outcome->answer, &outcome->json);
}

void
fuzz_outcome_fini(fuzz_outcome *outcome)
{
  inf_decoder_fini(&outcome->decoder);
  inf_answer_fini(&outcome->answer);
  heard_fini(&outcome->heard);
  inf_buf_fini(&outcome->json);
}

/* ---- Comparing ----------------------------------------------------------- */

static bool
same_buf(const inf_buf *a, const inf_buf *b)
{
  return inf_sv_eq(inf_buf_sv(a), inf_buf_sv(b));
}

static bool
same_failure(const inf_failure *a, const inf_failure *b)
{
  return a->status == b->status && a->http_status == b->http_status &&
         a->body_status == b->body_status && a->hint_ns == b->hint_ns &&
         a->should_retry == b->should_retry &&
         same_buf(&a->message, &b->message) && same_buf(&a->type, &b->type) &&
         same_buf(&a->code, &b->code) && same_buf(&a->param, &b->param) &&
         same_buf(&a->request_id, &b->request_id);
}

bool
fuzz_outcome_same(const fuzz_outcome *a, const fuzz_outcome *b)
{
  return a->status == b->status && same_buf(&a->json, &b->json) &&
         same_buf(&a->heard.text, &b->heard.text) &&
         a->decoder.events == b->decoder.events &&
         a->decoder.skipped_events == b->decoder.skipped_events &&
         same_failure(&a->decoder.failure, &b->decoder.failure);
}

/* ---- Promises ------------------------------------------------------------ */

/* Other APIs' than OpenAI's is the type of the last event, which may be written
 * with escapes: then only that there is an event is known. */
static bool
has_terminator(const fuzz_response *response)
{
  static const char *const words[] = {"[DONE]", "message_stop", "message-end",
                                      "response."};
  inf_sv body = response->body;
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (memmem(body.ptr, body.len, words[i], strlen(words[i])))
      return true;
  if (inf_plugin_is(response->options.kind)) /* noisy_plugin.h */
    return memchr(body.ptr, 'e', body.len);
  return response->options.kind->dialect != &inf_dialect_openai &&
         memchr(body.ptr, '\\', body.len);
}

/* A success is an answer that came to its end, and nothing else. */
static void
check_success(const fuzz_response *response, const fuzz_outcome *outcome)
{
  const inf_answer *answer = &outcome->answer;
  bool finished = answer->choice_count >= response->options.choices;
  FUZZ_CHECK(inf_class_of_http_status(response->http_status) == INFER_OK);
  FUZZ_CHECK(answer->status == INFER_OK && answer->choice_count > 0);
  FUZZ_CHECK(answer->bytes <= answer->max_bytes);
  FUZZ_CHECK(answer->usage.input >= 0 || answer->usage.output >= 0);
  for (size_t i = 0; i < answer->choice_count; i++)
    finished = finished && answer->choices[i].finish_reason.len > 0;
  if (outcome->decoder.mode == INF_BODY_EVENTS)
    FUZZ_CHECK(finished || has_terminator(response));
}

static void
check_failure(const fuzz_response *response, const fuzz_outcome *outcome)
{
  const inf_failure *failure = &outcome->decoder.failure;
  FUZZ_CHECK(outcome->status < 0 && failure->status == outcome->status);
  FUZZ_CHECK(failure->http_status == response->http_status);
  FUZZ_CHECK(failure->hint_ns >= -1);
  const inf_buf *const texts[] = {&failure->message, &failure->type,
                                  &failure->code, &failure->param,
                                  &failure->request_id};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
    FUZZ_CHECK(inf_utf8_valid(inf_buf_sv(texts[i])));
}

/* What was assembled is a document for everybody. A depth of our own: what
 * the provider sent stands a few levels deeper in it. */
static void
check_json(const fuzz_response *response, const fuzz_outcome *outcome)
{
  inf_sv value;
  inf_sv json = inf_buf_sv(&outcome->json);
  FUZZ_CHECK(outcome->json.status == INFER_OK);
  FUZZ_CHECK(
      inf_json_parse(json, response->options.max_depth + 8, &value, NULL));
  struct json_tokener *tokener = json_tokener_new_ex(600);
  if (!tokener)
    abort();
  json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
  json_object *object =
      json_tokener_parse_ex(tokener, json.ptr, (int)json.len + 1);
  FUZZ_CHECK(json_tokener_get_error(tokener) == json_tokener_success);
  FUZZ_CHECK(json_object_is_type(object, json_type_object));
  json_object_put(object);
  json_tokener_free(tokener);
}

void
fuzz_outcome_check(const fuzz_response *response, const fuzz_outcome *outcome)
{
  if (outcome->status == INFER_OK)
    check_success(response, outcome);
  else
    check_failure(response, outcome);
  check_json(response, outcome);
}
