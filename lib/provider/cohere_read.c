/* SPDX-License-Identifier: MIT */
/* Reads Cohere's Chat API: whole messages, and streams whose events bring the
 * same message in pieces of the same shape. */
#include "provider/cohere_read.h"

#include "infer/infer.h"

#include "provider/document.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

/* ---- The end ------------------------------------------------------------- */

static void
read_usage(inf_answer *answer, inf_sv json)
{
  inf_usage usage = {
      .input = inf_document_figure(json, "tokens.input_tokens"),
      .output = inf_document_figure(json, "tokens.output_tokens"),
      .reasoning = inf_document_figure(json, "tokens.reasoning_tokens"),
      .cache_read = inf_document_figure(json, "cached_tokens"),
      .cache_write = -1,
      .total = -1,
      .audio_input = -1,
      .audio_output = -1,
  };
  inf_sv billed = inf_json_get(json, INF_SV("billed_units"));
  if (inf_json_has_items(json))
    inf_answer_set_usage(answer, &usage, INF_SV(""));
  if (inf_json_has_items(billed))
    inf_answer_set_extra(answer, INF_SV("billed_units"), billed);
}

static inf_sv
finish_of(inf_sv native)
{
  static const char *const words[][2] = {
      {"COMPLETE", "stop"},
      {"STOP_SEQUENCE", "stop"},
      {"MAX_TOKENS", "length"},
      {"TOOL_CALL", "tool_calls"},
      {"ERROR_TOXIC", "content_filter"},
  };
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (inf_sv_eq(native, inf_sv_from(words[i][0])))
      return inf_sv_from(words[i][1]);
  return native;
}

/* end: the object that has finish_reason and, where that is ERROR, tells
 * why. */
static int32_t
read_finish(inf_decoder *decoder, inf_sv end)
{
  inf_sv native = inf_document_member(decoder, end, "finish_reason");
  if (native.len == 0)
    return INFER_OK;
  inf_answer_finish(decoder->answer, 0, finish_of(native), native);
  if (inf_sv_eq(native, INF_SV("TIMEOUT")))
    return inf_decoder_fail(decoder, INFER_E_SERVER,
                            "the provider ran out of time");
  if (inf_sv_starts_with(native, INF_SV("ERROR")) &&
      !inf_sv_eq(native, INF_SV("ERROR_TOXIC")))
    return inf_document_fail(decoder, end);
  return INFER_OK;
}

/* ---- The message --------------------------------------------------------- */

/* A part of the content, whole or a piece of one: which of the two texts it
 * has is what it is. */
static void
read_part(inf_decoder *decoder, inf_sv part)
{
  inf_answer *answer = decoder->answer;
  inf_sv text = inf_json_get(part, INF_SV("text"));
  inf_sv thinking = inf_document_member(decoder, part, "thinking");
  if (inf_json_is(text, INF_JSON_STRING))
    inf_answer_add_text(answer, 0, inf_document_text(decoder, text));
  if (thinking.len > 0)
    inf_answer_add_reasoning(answer, 0, thinking, "reasoning_content");
}

static void
read_call(inf_decoder *decoder, inf_sv call, uint32_t index)
{
  inf_sv function = inf_json_get(call, INF_SV("function"));
  inf_answer_add_tool_call(decoder->answer, 0, index,
                           inf_document_member(decoder, call, "id"),
                           inf_document_member(decoder, call, "type"),
                           inf_document_member(decoder, function, "name"),
                           inf_document_member(decoder, function, "arguments"));
}

/* A stream brings citations one by one, a whole message all of them. */
static void
read_citations(inf_decoder *decoder, inf_sv citations)
{
  inf_buf list;
  if (!inf_json_has_items(citations))
    return;
  inf_buf_init(&list, SIZE_MAX);
  if (inf_json_is(citations, INF_JSON_OBJECT)) {
    inf_json_open(&list, '[');
    inf_json_put_raw(&list, citations);
    inf_json_close(&list, ']');
  } else {
    inf_json_put_raw(&list, citations);
  }
  if (list.status == INFER_OK)
    inf_answer_set_message_extra(decoder->answer, 0, INF_SV("citations"),
                                 inf_buf_sv(&list), true);
  else if (decoder->answer->status == INFER_OK)
    decoder->answer->status = list.status;
  inf_buf_fini(&list);
}

/* Does fn for each element of an array, or for the value if it is none; index
 * is that of an element, or of the piece. */
static void
each(inf_decoder *decoder, inf_sv value, uint32_t index,
     void (*fn)(inf_decoder *decoder, inf_sv item, uint32_t index))
{
  if (inf_json_is(value, INF_JSON_OBJECT))
    fn(decoder, value, index);
  if (!inf_json_is(value, INF_JSON_ARRAY))
    return;
  inf_json_iter it = inf_json_iter_of(value);
  for (index = 0; inf_json_next(&it); index++)
    fn(decoder, it.value, index);
}

static void
take_part(inf_decoder *decoder, inf_sv part, uint32_t index)
{
  (void)index;
  read_part(decoder, part);
}

static void
read_message(inf_decoder *decoder, inf_sv message, uint32_t index)
{
  inf_sv content = inf_json_get(message, INF_SV("content"));
  inf_sv plan = inf_json_get(message, INF_SV("tool_plan"));
  inf_answer_set_role(decoder->answer, 0,
                      inf_document_member(decoder, message, "role"));
  if (inf_json_is(content, INF_JSON_STRING))
    inf_answer_add_text(decoder->answer, 0,
                        inf_document_text(decoder, content));
  each(decoder, content, index, take_part);
  if (inf_json_is(plan, INF_JSON_STRING) && plan.len > 2)
    inf_answer_set_message_extra(decoder->answer, 0, INF_SV("tool_plan"), plan,
                                 true);
  each(decoder, inf_json_get(message, INF_SV("tool_calls")), index, read_call);
  read_citations(decoder, inf_json_get(message, INF_SV("citations")));
}

/* ---- Entry points -------------------------------------------------------- */

int32_t
inf_cohere_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_sv object = INF_SV("");
  int32_t status = inf_document_body(decoder, body, &object, NULL);
  if (status != INFER_OK)
    return status;
  inf_sv message = inf_json_get(object, INF_SV("message"));
  /* {"message": "..."} is an error, {"message": {...}} an answer. */
  if (!inf_json_is(message, INF_JSON_OBJECT)) {
    if (inf_classify_value(&decoder->failure, decoder->options.kind,
                           decoder->http_status, &decoder->headers, object,
                           decoder->wall_now_ns)) {
      decoder->failed = true;
      return decoder->failure.status;
    }
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer has no message");
  }
  inf_answer_set_id(decoder->answer,
                    inf_document_member(decoder, object, "id"));
  read_message(decoder, message, 0);
  read_usage(decoder->answer, inf_json_get(object, INF_SV("usage")));
  status = read_finish(decoder, object);
  const inf_choice *choice = inf_answer_choice(decoder->answer, 0);
  if (status == INFER_OK && !inf_answer_has_content(decoder->answer) &&
      (!choice || choice->native_finish_reason.len == 0))
    return inf_decoder_fail(
        decoder, INFER_E_TRUNCATED,
        "the answer has neither content nor a finish reason");
  return status;
}

static int32_t
end_message(inf_decoder *decoder, inf_sv delta)
{
  int32_t status = INFER_OK;
  read_usage(decoder->answer, inf_json_get(delta, INF_SV("usage")));
  if (!decoder->failed)
    status = read_finish(decoder, delta);
  decoder->terminated = true;
  return status == INFER_OK ? INF_DECODER_DONE : status;
}

/* An event that is none of the API's is an error if it tells of one. */
static int32_t
read_other(inf_decoder *decoder, inf_sv object)
{
  inf_sv error = inf_json_get(object, INF_SV("error"));
  bool told = inf_json_is(error, INF_JSON_STRING) || inf_json_has_items(error);
  if (told ||
      inf_json_is(inf_json_get(object, INF_SV("message")), INF_JSON_STRING))
    return inf_document_fail(decoder, object);
  return INFER_OK;
}

int32_t
inf_cohere_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_sv object = INF_SV("");
  int64_t number = 0;
  inf_sv data = inf_sv_trim(event->data);
  if (data.len == 0 || inf_sv_eq(data, INF_SV("[DONE]")))
    return INFER_OK;
  int32_t status = inf_document_begin(decoder, data, &object, NULL);
  if (status != INFER_OK)
    return status;
  inf_sv type = inf_document_member(decoder, object, "type");
  inf_sv delta = inf_json_get(object, INF_SV("delta"));
  if (inf_sv_eq(type, INF_SV("message-end")))
    return end_message(decoder, delta);
  if (decoder->failed)
    return INFER_OK;
  if (type.len == 0)
    return read_other(decoder, object);
  if (inf_sv_eq(type, INF_SV("message-start")))
    inf_answer_set_id(decoder->answer,
                      inf_document_member(decoder, object, "id"));
  inf_json_int64(inf_json_get(object, INF_SV("index")), true, &number);
  uint32_t index = number >= 0 && number < INT32_MAX ? (uint32_t)number : 0;
  inf_sv message = inf_json_get(delta, INF_SV("message"));
  if (inf_json_is(message, INF_JSON_OBJECT))
    read_message(decoder, message, index);
  return INFER_OK;
}
