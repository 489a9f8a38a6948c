/* SPDX-License-Identifier: MIT */
/* Reads Ollama's own chat API. A line of a stream and a whole body are the
 * same object and are read by the same function. */
#include "provider/ollama_read.h"

#include "infer/infer.h"

#include "provider/document.h"
#include "wire/date.h"
#include "wire/json_value.h"

#define NS_PER_S 1000000000

/* ---- The message --------------------------------------------------------- */

static void
read_calls(inf_decoder *decoder, inf_sv calls)
{
  inf_json_iter it = inf_json_iter_of(calls);
  while (inf_json_next(&it)) {
    const inf_choice *choice = inf_answer_choice(decoder->answer, 0);
    inf_sv function = inf_json_get(it.value, INF_SV("function"));
    inf_sv arguments = inf_json_get(function, INF_SV("arguments"));
    if (inf_json_is(arguments, INF_JSON_STRING))
      arguments = inf_document_text(decoder, arguments);
    else if (!inf_json_is(arguments, INF_JSON_OBJECT))
      arguments = INF_SV("{}");
    inf_answer_add_tool_call(
        decoder->answer, 0, choice ? (uint32_t)choice->tool_call_count : 0,
        inf_document_member(decoder, it.value, "id"), INF_SV("function"),
        inf_document_member(decoder, function, "name"), arguments);
  }
}

static void
read_message(inf_decoder *decoder, inf_sv message, bool piece)
{
  inf_answer *answer = decoder->answer;
  inf_sv content = inf_json_get(message, INF_SV("content"));
  inf_sv thinking = inf_document_member(decoder, message, "thinking");
  inf_answer_set_role(answer, 0, inf_document_member(decoder, message, "role"));
  if (thinking.len > 0)
    inf_answer_add_reasoning(answer, 0, thinking, "reasoning_content");
  if (inf_json_is(content, INF_JSON_STRING))
    inf_answer_add_text(answer, 0, inf_document_text(decoder, content));
  read_calls(decoder, inf_json_get(message, INF_SV("tool_calls")));
  inf_json_iter it = inf_json_iter_of(message);
  while (inf_json_next(&it)) {
    static const char *const known[] = {"role", "content", "thinking",
                                        "tool_calls"};
    bool other = it.object;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
      other = other && !inf_json_key_is(&it, inf_sv_from(known[i]));
    if (other)
      inf_answer_set_message_extra(answer, 0, it.key, it.value, piece);
  }
}

/* ---- Beside it ----------------------------------------------------------- */

/* Times that the server needed, and what is to come. */
static void
pass_others(inf_answer *answer, inf_sv object)
{
  static const char *const known[] = {
      "model",       "created_at",        "message",    "done",
      "done_reason", "prompt_eval_count", "eval_count", "logprobs"};
  inf_json_iter it = inf_json_iter_of(object);
  while (inf_json_next(&it)) {
    bool other = true;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
      other = other && !inf_json_key_is(&it, inf_sv_from(known[i]));
    if (other)
      inf_answer_set_extra(answer, it.key, it.value);
  }
}

static void
read_logprobs(inf_answer *answer, inf_sv list)
{
  if (inf_json_is(list, INF_JSON_ARRAY) && inf_json_has_items(list))
    inf_answer_add_logprobs(
        answer, 0, inf_sv_trim(inf_sv_of(list.ptr + 1, list.len - 2)), false);
}

static void
read_usage(inf_answer *answer, inf_sv object)
{
  inf_usage usage = {
      .input = inf_document_figure(object, "prompt_eval_count"),
      .output = inf_document_figure(object, "eval_count"),
      .reasoning = -1,
      .cache_read = -1,
      .cache_write = -1,
      .total = -1,
      .audio_input = -1,
      .audio_output = -1,
  };
  if (usage.input >= 0 || usage.output >= 0)
    inf_answer_set_usage(answer, &usage, INF_SV(""));
}

static void
read_created(inf_decoder *decoder, inf_sv object)
{
  int64_t ns;
  inf_sv text = inf_document_member(decoder, object, "created_at");
  if (decoder->answer->created < 0 && inf_parse_rfc3339(text, &ns))
    inf_answer_set_created(decoder->answer, ns / NS_PER_S);
}

static void
read_end(inf_decoder *decoder, inf_sv object)
{
  const inf_choice *choice = inf_answer_choice(decoder->answer, 0);
  inf_sv native = inf_document_member(decoder, object, "done_reason");
  /* Servers of 2024 gave none. */
  inf_sv reason =
      native.len > 0 ? inf_map_finish_reason(native) : INF_SV("stop");
  if (choice && choice->tool_call_count > 0 &&
      inf_sv_eq(reason, INF_SV("stop")))
    reason = INF_SV("tool_calls");
  inf_answer_finish(decoder->answer, 0, reason, native);
}

static bool
is_done(inf_sv object)
{
  return inf_json_is(inf_json_get(object, INF_SV("done")), INF_JSON_TRUE);
}

static int32_t
read_object(inf_decoder *decoder, inf_sv object, bool piece)
{
  inf_answer *answer = decoder->answer;
  inf_sv message = inf_json_get(object, INF_SV("message"));
  read_usage(answer, object);
  if (decoder->failed)
    return INFER_OK;
  inf_sv error = inf_json_get(object, INF_SV("error"));
  if (error.len > 0 && !inf_json_is(error, INF_JSON_NULL))
    return inf_document_fail(decoder, object);
  if (!inf_json_is(message, INF_JSON_OBJECT) && !is_done(object))
    return INFER_E_PROTOCOL;
  inf_answer_set_model(answer, inf_document_member(decoder, object, "model"));
  read_created(decoder, object);
  read_message(decoder, message, piece);
  read_logprobs(answer, inf_json_get(object, INF_SV("logprobs")));
  pass_others(answer, object);
  if (is_done(object))
    read_end(decoder, object);
  return INFER_OK;
}

/* ---- Entry points -------------------------------------------------------- */

int32_t
inf_ollama_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_sv object = INF_SV("");
  int32_t status = inf_document_body(decoder, body, &object);
  if (status != INFER_OK)
    return status;
  status = read_object(decoder, object, false);
  if (status == INFER_E_PROTOCOL && !decoder->failed)
    return inf_decoder_fail(decoder, status, "the answer has no message");
  /* A line of a stream is not the whole of it. */
  if (status == INFER_OK && !decoder->failed && !is_done(object))
    return inf_decoder_fail(decoder, INFER_E_TRUNCATED,
                            "the answer does not say that it is done");
  return status;
}

int32_t
inf_ollama_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_sv object = INF_SV("");
  int32_t status = inf_document_begin(decoder, event->data, &object);
  if (status == INFER_OK)
    status = read_object(decoder, object, true);
  if (status != INFER_OK || !is_done(object))
    return status;
  decoder->terminated = true;
  return INF_DECODER_DONE;
}
