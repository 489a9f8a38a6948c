/* SPDX-License-Identifier: MIT */
/* Reads Bedrock's Converse. A tool call carries the number of its content
 * block, so that a piece of input whose number no call has belongs to a tool
 * that Bedrock runs itself, and is kept as a part. */
#include "provider/bedrock_read.h"
#include "provider/bedrock_parts.h"
#include "provider/document.h"

#include "infer/infer.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"

/* ---- Usage and the end --------------------------------------------------- */

/* Older answers have the second names, some have both. */
static int64_t
either(inf_sv usage, const char *name, const char *other)
{
  int64_t number = inf_document_figure(usage, name);
  return number >= 0 ? number : inf_document_figure(usage, other);
}

static void
read_usage(inf_answer *answer, inf_sv json)
{
  inf_usage usage = {
      .input = inf_document_figure(json, "inputTokens"),
      .output = inf_document_figure(json, "outputTokens"),
      .reasoning = -1,
      .cache_read =
          either(json, "cacheReadInputTokens", "cacheReadInputTokenCount"),
      .cache_write =
          either(json, "cacheWriteInputTokens", "cacheWriteInputTokenCount"),
      .total = inf_document_figure(json, "totalTokens"),
      .audio_input = -1,
      .audio_output = -1,
  };
  if (usage.input >= 0)
    usage.input = inf_document_sum(
        inf_document_sum(usage.input, usage.cache_read), usage.cache_write);
  if (inf_json_is(json, INF_JSON_OBJECT))
    inf_answer_set_usage(answer, &usage, INF_SV(""));
}

static void
read_stop(inf_decoder *decoder, inf_sv object)
{
  inf_sv native = inf_document_member(decoder, object, "stopReason");
  if (native.len > 0)
    inf_answer_finish(decoder->answer, 0, inf_map_finish_reason(native),
                      native);
}

/* What the answer as a whole has beside message, reason and usage. */
static void
read_rest(inf_answer *answer, inf_sv object)
{
  static const char *const names[] = {
      "metrics",
      "trace",
      "performanceConfig",
      "serviceTier",
      "additionalModelResponseFields",
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    inf_sv name = inf_sv_from(names[i]);
    inf_sv value = inf_json_get(object, name);
    if (value.len > 0)
      inf_answer_set_extra(answer, name, value);
  }
}

/* ---- Reasoning and citations --------------------------------------------- */

/* The list with this one element is a piece of the message's member. */
static void
add_element(inf_decoder *decoder, inf_sv name, const inf_buf *list)
{
  if (list->status != INFER_OK)
    inf_decoder_fail(decoder, list->status, "");
  else
    inf_answer_set_message_extra(decoder->answer, 0, name, inf_buf_sv(list),
                                 true);
}

/* One member of a block's reasoning as an element of reasoning_details; those
 * with the same index and type become one. */
static void
add_detail(inf_decoder *decoder, uint32_t index, const char *type,
           const char *name, inf_sv json)
{
  inf_buf list;
  if (!inf_json_is(json, INF_JSON_STRING) || json.len == 2)
    return;
  inf_buf_init(&list, SIZE_MAX);
  inf_json_open(&list, '[');
  inf_json_open(&list, '{');
  inf_json_member_string(&list, INF_SV("type"), inf_sv_from(type));
  inf_json_member_int(&list, INF_SV("index"), index);
  inf_json_member_raw(&list, inf_sv_from(name), json);
  inf_json_close(&list, '}');
  inf_json_close(&list, ']');
  add_element(decoder, INF_SV("reasoning_details"), &list);
  inf_buf_fini(&list);
}

/* The text and the signature of reasoningText, or of a piece of it. */
static void
read_reasoning_text(inf_decoder *decoder, uint32_t index, inf_sv value)
{
  inf_sv json = inf_json_get(value, INF_SV("text"));
  inf_sv text = inf_document_text(decoder, json);
  if (text.len > 0)
    inf_answer_add_reasoning(decoder->answer, 0, text, "reasoning_content");
  add_detail(decoder, index, "reasoning.text", "text", json);
  add_detail(decoder, index, "reasoning.text", "signature",
             inf_json_get(value, INF_SV("signature")));
}

/* A whole block has reasoningText, a piece has what is in it. */
static void
read_reasoning(inf_decoder *decoder, uint32_t index, inf_sv value)
{
  inf_sv whole = inf_json_get(value, INF_SV("reasoningText"));
  read_reasoning_text(decoder, index, whole.len > 0 ? whole : value);
  add_detail(decoder, index, "reasoning.encrypted", "data",
             inf_json_get(value, INF_SV("redactedContent")));
}

static void
add_citation(inf_decoder *decoder, inf_sv citation)
{
  inf_buf list;
  inf_buf_init(&list, SIZE_MAX);
  inf_json_open(&list, '[');
  inf_json_put_raw(&list, citation);
  inf_json_close(&list, ']');
  add_element(decoder, INF_SV("citations"), &list);
  inf_buf_fini(&list);
}

static void
read_cited(inf_decoder *decoder, inf_sv value)
{
  inf_json_iter it = inf_json_iter_of(inf_json_get(value, INF_SV("content")));
  while (inf_json_next(&it))
    inf_answer_add_text(decoder->answer, 0,
                        inf_document_member(decoder, it.value, "text"));
  it = inf_json_iter_of(inf_json_get(value, INF_SV("citations")));
  while (inf_json_next(&it))
    add_citation(decoder, it.value);
}

/* ---- Tools --------------------------------------------------------------- */

static const inf_tool_call *
call_of(const inf_answer *answer, uint32_t block)
{
  const inf_choice *choice = inf_answer_choice(answer, 0);
  for (size_t i = 0; choice && i < choice->tool_call_count; i++)
    if (choice->tool_calls[i].index == block)
      return &choice->tool_calls[i];
  return NULL;
}

static void
add_arguments(inf_answer *answer, uint32_t block, inf_sv text)
{
  const inf_sv none = INF_SV("");
  inf_answer_add_tool_call(answer, 0, block, none, none, none, text);
}

/* A call that is the caller's to run, not one that Bedrock ran? */
static bool
is_call(const inf_json_iter *member)
{
  return inf_json_key_is(member, INF_SV("toolUse")) &&
         !inf_json_equal(inf_json_get(member->value, INF_SV("type")),
                         INF_SV("server_tool_use"));
}

/* Does the member make a block of its own kind? Those are objects, but for
 * pieces of a tool's result. */
static bool
is_part(const inf_json_iter *member)
{
  return inf_json_is(member->value, INF_JSON_OBJECT) ||
         inf_json_is(member->value, INF_JSON_ARRAY);
}

static void
read_tool_use(inf_decoder *decoder, uint32_t index, inf_sv use, inf_sv input)
{
  inf_answer_add_tool_call(
      decoder->answer, 0, index, inf_document_member(decoder, use, "toolUseId"),
      INF_SV("function"), inf_document_member(decoder, use, "name"), input);
}

/* A call without arguments sends no piece of them. */
static void
end_block(inf_answer *answer, uint32_t index)
{
  const inf_tool_call *call = call_of(answer, index);
  if (call && call->arguments.len == 0)
    add_arguments(answer, index, INF_SV("{}"));
}

/* ---- Blocks -------------------------------------------------------------- */

static void
read_block(inf_decoder *decoder, uint32_t index, inf_sv block)
{
  inf_json_iter it = inf_json_iter_of(block);
  while (inf_json_next(&it)) {
    if (inf_json_key_is(&it, INF_SV("text")))
      inf_answer_add_text(decoder->answer, 0,
                          inf_document_text(decoder, it.value));
    else if (inf_json_key_is(&it, INF_SV("reasoningContent")))
      read_reasoning(decoder, index, it.value);
    else if (inf_json_key_is(&it, INF_SV("citationsContent")))
      read_cited(decoder, it.value);
    else if (is_call(&it))
      read_tool_use(decoder, index, it.value,
                    inf_json_get(it.value, INF_SV("input")));
    else if (is_part(&it))
      inf_bedrock_keep_part(decoder, it.key, it.value);
  }
  end_block(decoder->answer, index);
}

/* One member of a piece, or of what a block begins with. */
static void
read_piece(inf_decoder *decoder, uint32_t index, const inf_json_iter *it)
{
  if (inf_json_key_is(it, INF_SV("text")))
    inf_answer_add_text(decoder->answer, 0,
                        inf_document_text(decoder, it->value));
  else if (inf_json_key_is(it, INF_SV("reasoningContent")))
    read_reasoning(decoder, index, it->value);
  else if (inf_json_key_is(it, INF_SV("citation")))
    add_citation(decoder, it->value);
  else if (inf_json_key_is(it, INF_SV("citationsContent")))
    read_cited(decoder, it->value);
  else if (inf_json_key_is(it, INF_SV("toolUse")) &&
           call_of(decoder->answer, index))
    add_arguments(decoder->answer, index,
                  inf_document_member(decoder, it->value, "input"));
  else if (is_part(it))
    inf_bedrock_add_piece(decoder, index, it->key, it->value);
}

static void
read_start(inf_decoder *decoder, uint32_t index, inf_sv start)
{
  inf_json_iter it = inf_json_iter_of(start);
  while (inf_json_next(&it)) {
    if (is_call(&it))
      read_tool_use(decoder, index, it.value, INF_SV(""));
    else
      read_piece(decoder, index, &it);
  }
}

static void
read_delta(inf_decoder *decoder, uint32_t index, inf_sv delta)
{
  inf_json_iter it = inf_json_iter_of(delta);
  while (inf_json_next(&it))
    read_piece(decoder, index, &it);
}

static void
begin_message(inf_decoder *decoder, inf_sv message)
{
  inf_sv id;
  if (inf_find_request_id(decoder->options.kind, &decoder->headers, &id))
    inf_answer_set_id(decoder->answer, id);
  inf_sv role = inf_document_member(decoder, message, "role");
  inf_answer_set_role(decoder->answer, 0,
                      role.len > 0 ? role : INF_SV("assistant"));
}

/* ---- Exceptions ---------------------------------------------------------- */

/* What each would have been before the stream: ConverseStream and
 * InvokeModelWithResponseStream in the API reference, read 2026-08. */
static int64_t
status_of_exception(inf_sv type)
{
  static const struct {
    const char *type;
    int64_t status;
  } rows[] = {
      {"internalServerException", 500}, {"modelStreamErrorException", 424},
      {"modelTimeoutException", 408},   {"serviceUnavailableException", 503},
      {"throttlingException", 429},     {"validationException", 400},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (inf_sv_eq_nocase(type, inf_sv_from(rows[i].type)))
      return rows[i].status;
  return 500;
}

/* The text that the payload of an exception says, "message" where it is JSON.
 * inf_json_put_string() mends what is not valid in it. */
static void
put_reason(inf_decoder *decoder, inf_sv payload, inf_buf *out)
{
  inf_sv value = INF_SV("");
  inf_json_key(out, INF_SV("message"));
  if (inf_json_scan(payload, decoder->options.max_depth, &value, NULL) &&
      inf_json_is(value, INF_JSON_OBJECT)) {
    inf_sv message = inf_json_get(value, INF_SV("message"));
    if (message.len == 0)
      message = inf_json_get(value, INF_SV("Message"));
    payload = inf_document_text(decoder, message);
  }
  inf_json_put_string(out, payload);
}

/* As the error body that it would have been. */
static int32_t
fail_by_exception(inf_decoder *decoder, inf_sv type, inf_sv payload)
{
  inf_buf body;
  inf_sv value = INF_SV("");
  bool known = false;
  inf_buf_init(&body, SIZE_MAX);
  inf_buf_clear(&decoder->scratch);
  inf_json_open(&body, '{');
  inf_json_key(&body, INF_SV("error"));
  inf_json_open(&body, '{');
  put_reason(decoder, payload, &body);
  inf_json_member_string(&body, INF_SV("type"), type);
  inf_json_member_int(&body, INF_SV("status"), status_of_exception(type));
  inf_json_close(&body, '}');
  inf_json_close(&body, '}');
  if (body.status == INFER_OK &&
      inf_json_parse(inf_buf_sv(&body), INF_JSON_MAX_DEPTH, &value, NULL))
    known = inf_classify_value(&decoder->failure, decoder->options.kind,
                               decoder->http_status, &decoder->headers, value,
                               decoder->wall_now_ns);
  inf_buf_fini(&body);
  if (!known)
    return inf_decoder_fail(decoder, INFER_E_NO_MEMORY, "");
  decoder->failed = true;
  return decoder->failure.status;
}

/* ---- Entry points -------------------------------------------------------- */

int32_t
inf_bedrock_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_sv value = INF_SV("");
  uint32_t index = 0;
  int32_t status = inf_document_body(decoder, body, &value, NULL);
  if (status != INFER_OK)
    return status;
  inf_sv message = inf_json_path(value, "output.message");
  if (!inf_json_is(message, INF_JSON_OBJECT))
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer has no message");
  begin_message(decoder, message);
  inf_json_iter it = inf_json_iter_of(inf_json_get(message, INF_SV("content")));
  while (inf_json_next(&it))
    read_block(decoder, index++, it.value);
  read_usage(decoder->answer, inf_json_get(value, INF_SV("usage")));
  read_rest(decoder->answer, value);
  read_stop(decoder, value);
  return decoder->failed ? decoder->failure.status : INFER_OK;
}

static void
read_content_event(inf_decoder *decoder, inf_sv type, inf_sv value)
{
  int64_t number = 0;
  inf_json_int64(inf_json_get(value, INF_SV("contentBlockIndex")), true,
                 &number);
  uint32_t index = number >= 0 && number < INT32_MAX ? (uint32_t)number : 0;
  if (inf_sv_eq(type, INF_SV("contentBlockDelta")))
    read_delta(decoder, index, inf_json_get(value, INF_SV("delta")));
  else if (inf_sv_eq(type, INF_SV("contentBlockStart")))
    read_start(decoder, index, inf_json_get(value, INF_SV("start")));
  else if (inf_sv_eq(type, INF_SV("contentBlockStop"))) {
    end_block(decoder->answer, index);
    inf_bedrock_end_part(decoder);
  }
}

/* What is not known says nothing of the answer. */
int32_t
inf_bedrock_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_sv value = INF_SV("");
  if (event->error.len > 0)
    return decoder->failed
               ? INFER_OK
               : fail_by_exception(decoder, event->error, event->data);
  int32_t status = inf_document_begin(decoder, event->data, &value, NULL);
  if (status != INFER_OK)
    return status;
  if (inf_sv_eq(event->event, INF_SV("metadata"))) {
    read_usage(decoder->answer, inf_json_get(value, INF_SV("usage")));
    if (!decoder->failed)
      read_rest(decoder->answer, value);
    return decoder->terminated || decoder->failed ? INF_DECODER_DONE : INFER_OK;
  }
  if (decoder->failed)
    return INFER_OK;
  if (inf_sv_eq(event->event, INF_SV("messageStart"))) {
    begin_message(decoder, value);
  } else if (inf_sv_eq(event->event, INF_SV("messageStop"))) {
    decoder->terminated = true;
    inf_bedrock_end_part(decoder);
    read_rest(decoder->answer, value);
    read_stop(decoder, value);
  } else {
    read_content_event(decoder, event->event, value);
  }
  return decoder->failed ? decoder->failure.status : INFER_OK;
}
