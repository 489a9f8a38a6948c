/* SPDX-License-Identifier: MIT */
/* Reads OpenAI's Responses. A stream tells everything twice, in pieces and
 * when it is done; the pieces are read, and what is done only where no piece
 * came. An item is numbered, and a call carries the number of its item. */
#include "provider/responses_read.h"
#include "provider/document.h"
#include "provider/members.h"

#include "infer/infer.h"

#include "wire/json_write.h"

static bool
is(inf_sv text, const char *word)
{
  return inf_sv_eq(text, inf_sv_from(word));
}

/* ---- Usage and the end ----------------------------------------------------
 */

static void
read_usage(inf_answer *answer, inf_sv json)
{
  inf_usage usage = {
      .input = inf_document_figure(json, "input_tokens"),
      .output = inf_document_figure(json, "output_tokens"),
      .reasoning =
          inf_document_figure(json, "output_tokens_details.reasoning_tokens"),
      .cache_read =
          inf_document_figure(json, "input_tokens_details.cached_tokens"),
      .cache_write =
          inf_document_figure(json, "input_tokens_details.cache_write_tokens"),
      .total = inf_document_figure(json, "total_tokens"),
      .audio_input = -1,
      .audio_output = -1,
  };
  if (inf_json_is(json, INF_JSON_OBJECT))
    inf_answer_set_usage(answer, &usage, INF_SV(""));
}

static inf_sv
finish_of(const inf_answer *answer, inf_sv status, inf_sv why)
{
  const inf_choice *choice = inf_answer_choice(answer, 0);
  if (is(status, "completed"))
    return choice && choice->tool_call_count > 0 ? INF_SV("tool_calls")
                                                 : INF_SV("stop");
  if (is(status, "incomplete"))
    return is(why, "content_filter") ? INF_SV("content_filter")
                                     : INF_SV("length");
  return status;
}

/* Only what is said at the end is final: a stream begins "in_progress". */
static void
read_end(inf_decoder *decoder, inf_sv response)
{
  inf_answer *answer = decoder->answer;
  inf_sv status = inf_document_member(decoder, response, "status");
  inf_sv details = inf_json_get(response, INF_SV("incomplete_details"));
  read_usage(answer, inf_json_get(response, INF_SV("usage")));
  if (inf_json_is(details, INF_JSON_OBJECT))
    inf_answer_set_choice_extra(answer, 0, INF_SV("incomplete_details"),
                                details);
  if (status.len > 0)
    inf_answer_finish(
        answer, 0,
        finish_of(answer, status,
                  inf_document_member(decoder, details, "reason")),
        status);
}

/* ---- Items ----------------------------------------------------------------
 */

static void
add_reasoning(inf_answer *answer, inf_sv text)
{
  if (text.len > 0)
    inf_answer_add_reasoning(answer, 0, text, "reasoning_content");
}

/* One more element of a list that is a member of the message. */
static void
add_to_list(inf_decoder *decoder, const char *name, inf_buf *element)
{
  inf_buf list;
  inf_answer *answer = decoder->answer;
  inf_buf_init(&list, SIZE_MAX);
  inf_json_open(&list, '[');
  inf_json_put_raw(&list, inf_buf_sv(element));
  inf_json_close(&list, ']');
  int32_t status = element->status != INFER_OK ? element->status : list.status;
  if (status == INFER_OK)
    inf_answer_set_message_extra(answer, 0, inf_sv_from(name),
                                 inf_buf_sv(&list), true);
  else if (answer->status == INFER_OK)
    answer->status = status;
  inf_buf_fini(&list);
}

/* Chat Completions have an object for what a citation of a page says. */
static void
add_annotation(inf_decoder *decoder, inf_sv annotation)
{
  inf_buf out;
  inf_sv type = inf_json_get(annotation, INF_SV("type"));
  bool page = inf_json_equal(type, INF_SV("url_citation"));
  inf_buf_init(&out, SIZE_MAX);
  if (page) {
    inf_json_open(&out, '{');
    inf_json_member_raw(&out, INF_SV("type"), type);
    inf_json_key(&out, INF_SV("url_citation"));
    inf_json_open(&out, '{');
    inf_json_iter it = inf_json_iter_of(annotation);
    while (inf_json_next(&it)) {
      if (inf_json_key_is(&it, INF_SV("type")))
        continue;
      inf_members_put_name(&out, it.key);
      inf_json_put_raw(&out, it.value);
    }
    inf_json_close(&out, '}');
    inf_json_close(&out, '}');
  } else {
    inf_json_put_raw(&out, annotation);
  }
  add_to_list(decoder, "annotations", &out);
  inf_buf_fini(&out);
}

static void
read_annotations(inf_decoder *decoder, inf_sv part)
{
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(part, INF_SV("annotations")));
  while (!it.object && inf_json_next(&it))
    if (inf_json_is(it.value, INF_JSON_OBJECT))
      add_annotation(decoder, it.value);
}

/* Of a part, or of a piece of its text. */
static void
read_logprobs(inf_decoder *decoder, inf_sv object)
{
  inf_sv list = inf_json_get(object, INF_SV("logprobs"));
  if (inf_json_is(list, INF_JSON_ARRAY) && inf_json_has_items(list))
    inf_answer_add_logprobs(decoder->answer, 0,
                            inf_sv_trim(inf_sv_of(list.ptr + 1, list.len - 2)),
                            false);
}

static void
read_part(inf_decoder *decoder, inf_sv part)
{
  inf_answer *answer = decoder->answer;
  inf_sv type = inf_document_member(decoder, part, "type");
  inf_sv text = inf_document_member(decoder, part, "text");
  if (is(type, "output_text")) {
    inf_answer_add_text(answer, 0, text);
    read_annotations(decoder, part);
    read_logprobs(decoder, part);
  } else if (is(type, "refusal"))
    inf_answer_add_refusal(answer, 0,
                           inf_document_member(decoder, part, "refusal"));
  else if (is(type, "reasoning_text") || is(type, "summary_text"))
    add_reasoning(answer, text);
}

static void
read_parts(inf_decoder *decoder, inf_sv parts)
{
  inf_json_iter it = inf_json_iter_of(parts);
  while (inf_json_next(&it))
    read_part(decoder, it.value);
}

/* A call, with its arguments or the input of a custom tool; begun has none of
 * them yet. */
static void
read_call(inf_decoder *decoder, uint32_t index, inf_sv item, bool begun)
{
  bool custom =
      is(inf_document_member(decoder, item, "type"), "custom_tool_call");
  inf_sv text =
      inf_document_member(decoder, item, custom ? "input" : "arguments");
  inf_answer_add_tool_call(
      decoder->answer, 0, index, inf_document_member(decoder, item, "call_id"),
      custom ? INF_SV("custom") : INF_SV("function"),
      inf_document_member(decoder, item, "name"), begun ? INF_SV("") : text);
}

static bool
is_call(inf_sv type)
{
  return is(type, "function_call") || is(type, "custom_tool_call");
}

/* Reasoning that the provider cannot look up later goes back encrypted. */
static void
keep_encrypted(inf_decoder *decoder, uint32_t index, inf_sv item)
{
  inf_buf out;
  inf_sv id = inf_json_get(item, INF_SV("id"));
  inf_sv data = inf_json_get(item, INF_SV("encrypted_content"));
  if (!inf_json_is(data, INF_JSON_STRING) || data.len <= 2)
    return;
  inf_buf_init(&out, SIZE_MAX);
  inf_json_open(&out, '[');
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("type"), INF_SV("reasoning.encrypted"));
  inf_json_member_int(&out, INF_SV("index"), index);
  inf_json_member_string(&out, INF_SV("format"), INF_SV("openai-responses-v1"));
  if (inf_json_is(id, INF_JSON_STRING))
    inf_json_member_raw(&out, INF_SV("id"), id);
  inf_json_member_raw(&out, INF_SV("data"), data);
  inf_json_close(&out, '}');
  inf_json_close(&out, ']');
  if (out.status == INFER_OK)
    inf_answer_set_message_extra(decoder->answer, 0,
                                 INF_SV("reasoning_details"), inf_buf_sv(&out),
                                 true);
  else if (decoder->answer->status == INFER_OK)
    decoder->answer->status = out.status;
  inf_buf_fini(&out);
}

/* What the provider's own tools did, or ask for. */
static void
keep_item(inf_decoder *decoder, inf_sv item)
{
  inf_buf out;
  if (!inf_json_is(item, INF_JSON_OBJECT))
    return;
  inf_buf_init(&out, SIZE_MAX);
  inf_json_put_raw(&out, item);
  add_to_list(decoder, "content_parts", &out);
  inf_buf_fini(&out);
}

static void
read_item(inf_decoder *decoder, uint32_t index, inf_sv item)
{
  inf_sv type = inf_document_member(decoder, item, "type");
  if (is(type, "message")) {
    read_parts(decoder, inf_json_get(item, INF_SV("content")));
  } else if (is_call(type)) {
    read_call(decoder, index, item, false);
  } else if (is(type, "reasoning")) {
    read_parts(decoder, inf_json_get(item, INF_SV("summary")));
    read_parts(decoder, inf_json_get(item, INF_SV("content")));
    keep_encrypted(decoder, index, item);
  } else {
    keep_item(decoder, item);
  }
}

static void
read_head(inf_decoder *decoder, inf_sv response)
{
  int64_t created;
  inf_answer *answer = decoder->answer;
  inf_answer_set_id(answer, inf_document_member(decoder, response, "id"));
  inf_answer_set_model(answer, inf_document_member(decoder, response, "model"));
  if (inf_json_int64(inf_json_get(response, INF_SV("created_at")), false,
                     &created))
    inf_answer_set_created(answer, created);
  inf_answer_set_role(answer, 0, INF_SV("assistant"));
}

/* ---- A stream's items -----------------------------------------------------
 */

static const inf_tool_call *
call_of(const inf_answer *answer, uint32_t index)
{
  const inf_choice *choice = inf_answer_choice(answer, 0);
  for (size_t i = 0; choice && i < choice->tool_call_count; i++)
    if (choice->tool_calls[i].index == index)
      return &choice->tool_calls[i];
  return NULL;
}

static void
add_arguments(inf_answer *answer, uint32_t index, inf_sv text)
{
  const inf_sv none = INF_SV("");
  if (call_of(answer, index))
    inf_answer_add_tool_call(answer, 0, index, none, none, none, text);
}

static void
begin_item(inf_decoder *decoder, uint32_t index, inf_sv item)
{
  if (is_call(inf_document_member(decoder, item, "type")))
    read_call(decoder, index, item, true);
}

/* More items no answer has: those beyond are taken for one. */
enum { marked_items = 1 << 16 };

static uint32_t
mark_of(uint32_t index)
{
  return index < marked_items ? index : marked_items - 1;
}

/* A piece of text has come of that item: a bit for each. */
static void
mark_item(inf_decoder *decoder, uint32_t index)
{
  inf_buf *marks = &decoder->carry;
  uint32_t mark = mark_of(index);
  while (marks->len <= mark / 8)
    if (!inf_buf_append_char(marks, '\0')) {
      inf_decoder_fail(decoder, marks->status, "");
      return;
    }
  marks->ptr[mark / 8] = (char)(marks->ptr[mark / 8] | 1 << mark % 8);
}

static bool
is_marked(const inf_decoder *decoder, uint32_t index)
{
  const inf_buf *marks = &decoder->carry;
  uint32_t mark = mark_of(index);
  return mark / 8 < marks->len && (marks->ptr[mark / 8] & 1 << mark % 8) != 0;
}

static bool
ends_with(const inf_buf *text, inf_sv end)
{
  return end.len > 0 && text->len >= end.len &&
         memcmp(text->ptr + text->len - end.len, end.ptr, end.len) == 0;
}

/* Have the parts' texts come, if perhaps under another number? What is decoded
 * for that makes room again: it may be decoded once more. */
static bool
has_come(inf_decoder *decoder, inf_sv parts)
{
  inf_sv last = INF_SV("");
  size_t used = decoder->scratch.len;
  const inf_choice *choice = inf_answer_choice(decoder->answer, 0);
  inf_json_iter it = inf_json_iter_of(parts);
  while (inf_json_next(&it)) {
    inf_sv text = inf_document_member(decoder, it.value, "text");
    if (text.len > 0)
      last = text;
  }
  bool found = choice && (ends_with(&choice->text, last) ||
                          ends_with(&choice->reasoning, last));
  inf_buf_truncate(&decoder->scratch, used);
  return found;
}

/* A message whose pieces have come says what it cites when it is done; text
 * that did not come in pieces is in it, too. */
static void
end_message(inf_decoder *decoder, uint32_t index, inf_sv item)
{
  inf_sv parts = inf_json_get(item, INF_SV("content"));
  if (!is_marked(decoder, index) && !has_come(decoder, parts)) {
    read_parts(decoder, parts);
    return;
  }
  inf_json_iter it = inf_json_iter_of(parts);
  while (inf_json_next(&it))
    read_annotations(decoder, it.value);
}

static void
end_reasoning(inf_decoder *decoder, uint32_t index, inf_sv item)
{
  inf_sv summary = inf_json_get(item, INF_SV("summary"));
  inf_sv content = inf_json_get(item, INF_SV("content"));
  if (!is_marked(decoder, index) && !has_come(decoder, summary) &&
      !has_come(decoder, content)) {
    read_parts(decoder, summary);
    read_parts(decoder, content);
  }
  keep_encrypted(decoder, index, item);
}

static void
end_item(inf_decoder *decoder, uint32_t index, inf_sv item)
{
  inf_sv type = inf_document_member(decoder, item, "type");
  const inf_tool_call *call = call_of(decoder->answer, index);
  if (is(type, "message"))
    end_message(decoder, index, item);
  else if (is(type, "reasoning"))
    end_reasoning(decoder, index, item);
  else if (!is_call(type))
    keep_item(decoder, item);
  else if (!call || call->arguments.len == 0)
    read_call(decoder, index, item, false);
  mark_item(decoder, index);
}

/* The pieces of a call's arguments, all at once. */
static void
end_arguments(inf_decoder *decoder, uint32_t index, inf_sv text)
{
  const inf_tool_call *call = call_of(decoder->answer, index);
  if (call && call->arguments.len == 0)
    add_arguments(decoder->answer, index, text);
}

static void
read_delta(inf_decoder *decoder, inf_sv type, uint32_t index, inf_sv value)
{
  inf_answer *answer = decoder->answer;
  inf_sv text = inf_document_member(decoder, value, "delta");
  if (is(type, "response.output_text.delta")) {
    inf_answer_add_text(answer, 0, text);
    read_logprobs(decoder, value);
  } else if (is(type, "response.refusal.delta")) {
    inf_answer_add_refusal(answer, 0, text);
  } else if (is(type, "response.reasoning_text.delta") ||
             is(type, "response.reasoning_summary_text.delta")) {
    add_reasoning(answer, text);
  } else if (is(type, "response.function_call_arguments.delta") ||
             is(type, "response.custom_tool_call_input.delta")) {
    add_arguments(answer, index, text);
  } else {
    if (is(type, "response.function_call_arguments.done"))
      end_arguments(decoder, index,
                    inf_document_member(decoder, value, "arguments"));
    else if (is(type, "response.custom_tool_call_input.done"))
      end_arguments(decoder, index,
                    inf_document_member(decoder, value, "input"));
    return;
  }
  if (text.len > 0)
    mark_item(decoder, index);
}

/* ---- Entry points ---------------------------------------------------------
 */

/* Fills in the failure that the value tells of. */
static void
note_failure(inf_decoder *decoder, inf_sv value)
{
  inf_failure_clear(&decoder->failure);
  if (inf_classify_value(&decoder->failure, decoder->options.kind,
                         decoder->http_status, &decoder->headers, value,
                         decoder->wall_now_ns))
    return;
  inf_decoder_fail(decoder, INFER_E_SERVER,
                   "the provider ended the answer with an error");
}

static int32_t
fail_by(inf_decoder *decoder, inf_sv value)
{
  note_failure(decoder, value);
  decoder->failed = true;
  return decoder->failure.status;
}

int32_t
inf_responses_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_sv value = INF_SV("");
  uint32_t index = 0;
  int32_t status = inf_document_body(decoder, body, &value, NULL);
  if (status != INFER_OK)
    return status;
  inf_sv output = inf_json_get(value, INF_SV("output"));
  if (!inf_json_is(output, INF_JSON_ARRAY) &&
      inf_json_is(inf_json_get(value, INF_SV("error")), INF_JSON_OBJECT))
    return fail_by(decoder, value);
  if (!inf_json_is(output, INF_JSON_ARRAY))
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer has no output");
  read_head(decoder, value);
  inf_json_iter it = inf_json_iter_of(output);
  for (; inf_json_next(&it); index++)
    read_item(decoder, index, it.value);
  read_end(decoder, value);
  if (is(inf_document_member(decoder, value, "status"), "failed"))
    return fail_by(decoder, value);
  return INFER_OK;
}

/* The last event of the response: everything once more, of which the end is
 * read, and the rest only if nothing of it has come. */
static int32_t
read_last(inf_decoder *decoder, inf_sv type, inf_sv response)
{
  uint32_t index = 0;
  inf_json_iter it = inf_json_iter_of(inf_json_get(response, INF_SV("output")));
  if (!decoder->failed)
    read_head(decoder, response);
  if (!decoder->failed && decoder->carry.len == 0 &&
      !inf_answer_has_content(decoder->answer))
    for (; !it.object && inf_json_next(&it); index++)
      read_item(decoder, index, it.value);
  read_end(decoder, response);
  if (is(type, "response.failed"))
    fail_by(decoder, response);
  else if (!decoder->failed)
    decoder->failure.status = INFER_OK;
  decoder->terminated = true;
  return INF_DECODER_DONE;
}

/* What is not known says nothing of the answer. */
int32_t
inf_responses_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_sv value = INF_SV("");
  int64_t number = 0;
  int32_t status = inf_document_begin(decoder, event->data, &value, NULL);
  if (status != INFER_OK)
    return status;
  inf_sv type = inf_document_member(decoder, value, "type");
  inf_sv response = inf_json_get(value, INF_SV("response"));
  inf_sv item = inf_json_get(value, INF_SV("item"));
  if (is(type, "response.completed") || is(type, "response.incomplete") ||
      is(type, "response.failed"))
    return read_last(decoder, type, response);
  if (decoder->failed)
    return INFER_OK;
  inf_json_int64(inf_json_get(value, INF_SV("output_index")), true, &number);
  uint32_t index = number >= 0 && number < INT32_MAX ? (uint32_t)number : 0;
  /* The response that failed follows, and says more of it. */
  if (is(type, "error"))
    note_failure(decoder, value);
  else if (is(type, "response.created"))
    read_head(decoder, response);
  else if (is(type, "response.output_item.added"))
    begin_item(decoder, index, item);
  else if (is(type, "response.output_item.done"))
    end_item(decoder, index, item);
  else
    read_delta(decoder, type, index, value);
  return INFER_OK;
}
