/* SPDX-License-Identifier: MIT */
/* Reads Anthropic's Messages. A content block is numbered, and a tool call
 * carries the number of its block: so a piece of input whose number no call
 * has belongs to a tool that the provider runs itself. */
#include "provider/anthropic_read.h"

#include "provider/anthropic_alike.h"
#include "provider/anthropic_blocks.h"
#include "provider/document.h"

#include "infer/infer.h"

/* ---- Usage and the end --------------------------------------------------- */

static int64_t
figure(inf_sv usage, const char *path, int64_t before)
{
  int64_t number = inf_document_figure(usage, path);
  return number >= 0 ? number : before;
}

static int64_t
known(int64_t number)
{
  return number < 0 ? 0 : number;
}

/* Figures come in parts, the last of each stands. The provider's input leaves
 * out what came from the cache or went there; ours has it. */
static void
read_usage(inf_answer *answer, inf_sv json)
{
  const inf_usage *before = &answer->usage;
  inf_usage usage = {
      .input = -1,
      .output = figure(json, "output_tokens", -1),
      .reasoning = figure(json, "output_tokens_details.thinking_tokens", -1),
      .cache_read = figure(json, "cache_read_input_tokens", before->cache_read),
      .cache_write =
          figure(json, "cache_creation_input_tokens", before->cache_write),
      .total = -1,
      .audio_input = -1,
      .audio_output = -1,
  };
  int64_t fresh = figure(json, "input_tokens", -1);
  if (fresh < 0 && before->input >= 0)
    fresh =
        before->input - known(before->cache_read) - known(before->cache_write);
  if (fresh >= 0)
    usage.input = inf_document_sum(inf_document_sum(fresh, usage.cache_read),
                                   usage.cache_write);
  if (inf_json_is(json, INF_JSON_OBJECT))
    inf_answer_set_usage(answer, &usage, INF_SV(""));
}

static inf_sv
finish_of(inf_sv native)
{
  static const char *const words[][2] = {
      {"end_turn", "stop"},
      {"stop_sequence", "stop"},
      {"pause_turn", "stop"},
      {"max_tokens", "length"},
      {"model_context_window_exceeded", "length"},
      {"tool_use", "tool_calls"},
      {"refusal", "content_filter"},
  };
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (inf_sv_eq(native, inf_sv_from(words[i][0])))
      return inf_sv_from(words[i][1]);
  return native;
}

/* What else is said of the end. */
static void
read_stop_member(inf_decoder *decoder, inf_sv object, const char *name)
{
  inf_sv value = inf_json_get(object, inf_sv_from(name));
  if (inf_json_is(value, INF_JSON_STRING) ||
      inf_json_is(value, INF_JSON_OBJECT))
    inf_answer_set_choice_extra(decoder->answer, 0, inf_sv_from(name), value);
}

static void
read_stop(inf_decoder *decoder, inf_sv object)
{
  inf_sv native = inf_document_member(decoder, object, "stop_reason");
  if (native.len == 0)
    return;
  inf_anthropic_end_blocks(decoder);
  read_stop_member(decoder, object, "stop_sequence");
  read_stop_member(decoder, object, "stop_details");
  inf_answer_finish(decoder->answer, 0, finish_of(native), native);
}

/* ---- Content ------------------------------------------------------------- */

static void
add_arguments(inf_answer *answer, uint32_t block, inf_sv text)
{
  const inf_sv none = INF_SV("");
  inf_answer_add_tool_call(answer, 0, block, none, none, none, text);
}

static void
add_reasoning(inf_answer *answer, inf_sv text)
{
  if (text.len > 0)
    inf_answer_add_reasoning(answer, 0, text, "reasoning_content");
}

/* A block, whole or at its start; arguments are read at its end. */
static void
read_block(inf_decoder *decoder, uint32_t index, inf_sv block)
{
  inf_answer *answer = decoder->answer;
  inf_sv type = inf_document_member(decoder, block, "type");
  if (inf_sv_eq(type, INF_SV("text")))
    inf_answer_add_text(answer, 0, inf_document_member(decoder, block, "text"));
  else if (inf_sv_eq(type, INF_SV("thinking")))
    add_reasoning(answer, inf_document_member(decoder, block, "thinking"));
  else if (inf_sv_eq(type, INF_SV("tool_use")))
    inf_answer_add_tool_call(
        answer, 0, index, inf_document_member(decoder, block, "id"),
        INF_SV("function"), inf_document_member(decoder, block, "name"),
        INF_SV(""));
}

static void
read_delta(inf_decoder *decoder, uint32_t index, const inf_sse_event *event,
           inf_sv value)
{
  inf_answer *answer = decoder->answer;
  inf_sv delta = inf_json_get(value, INF_SV("delta"));
  inf_sv type = inf_document_member(decoder, delta, "type");
  inf_sv text = inf_json_get(delta, INF_SV("text"));
  inf_sv thinking = inf_json_get(delta, INF_SV("thinking"));
  if (inf_sv_eq(type, INF_SV("text_delta"))) {
    inf_answer_add_text(answer, 0, inf_document_text(decoder, text));
    inf_anthropic_learn(decoder, event, value, text, false);
  } else if (inf_sv_eq(type, INF_SV("thinking_delta"))) {
    add_reasoning(answer, inf_document_text(decoder, thinking));
    inf_anthropic_learn(decoder, event, value, thinking, true);
  } else if (inf_sv_eq(type, INF_SV("input_json_delta")) &&
             inf_anthropic_call_of(answer, index)) {
    add_arguments(answer, index,
                  inf_document_member(decoder, delta, "partial_json"));
  } else {
    inf_anthropic_log_delta(decoder, index, delta);
  }
}

/* A call whose arguments did not come in pieces has those that its block began
 * with. */
static void
end_block(inf_answer *answer, uint32_t index, inf_sv block)
{
  const inf_tool_call *call = inf_anthropic_call_of(answer, index);
  inf_sv input = inf_json_get(block, INF_SV("input"));
  if (call && call->arguments.len == 0)
    add_arguments(answer, index,
                  inf_json_has_items(input) ? input : INF_SV("{}"));
}

static void
start_block(inf_decoder *decoder, uint32_t index, inf_sv block)
{
  inf_anthropic_open_block(decoder, index, block);
  read_block(decoder, index, block);
}

static void
read_message(inf_decoder *decoder, inf_sv message)
{
  inf_answer *answer = decoder->answer;
  uint32_t index = 0;
  inf_answer_set_id(answer, inf_document_member(decoder, message, "id"));
  inf_answer_set_model(answer, inf_document_member(decoder, message, "model"));
  inf_answer_set_role(answer, 0, INF_SV("assistant"));
  inf_sv content = inf_json_get(message, INF_SV("content"));
  inf_json_iter it = inf_json_iter_of(content);
  for (; inf_json_next(&it); index++) {
    read_block(decoder, index, it.value);
    end_block(answer, index, it.value);
  }
  inf_anthropic_keep_content(decoder, content);
  read_usage(answer, inf_json_get(message, INF_SV("usage")));
  read_stop(decoder, message);
}

/* ---- Entry points -------------------------------------------------------- */

int32_t
inf_anthropic_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_sv value = INF_SV("");
  int32_t status = inf_document_body(decoder, body, &value);
  if (status != INFER_OK)
    return status;
  if (inf_json_equal(inf_json_get(value, INF_SV("type")), INF_SV("error")))
    return inf_document_fail(decoder, value);
  if (!inf_json_is(inf_json_get(value, INF_SV("content")), INF_JSON_ARRAY))
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer has no content");
  read_message(decoder, value);
  return INFER_OK;
}

/* What is not known (ping, what is to come) says nothing of the answer. */
int32_t
inf_anthropic_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_sv value = INF_SV("");
  int64_t number = 0;
  if (inf_anthropic_read_by_guess(decoder, event->data))
    return INFER_OK;
  int32_t status = inf_document_begin(decoder, event->data, &value);
  if (status != INFER_OK)
    return status;
  inf_sv type = inf_document_member(decoder, value, "type");
  if (inf_sv_eq(type, INF_SV("message_stop"))) {
    decoder->terminated = true;
    return INF_DECODER_DONE;
  }
  if (inf_sv_eq(type, INF_SV("message_delta")))
    read_usage(decoder->answer, inf_json_get(value, INF_SV("usage")));
  if (decoder->failed)
    return INFER_OK;
  inf_json_int64(inf_json_get(value, INF_SV("index")), true, &number);
  uint32_t index = number >= 0 && number < INT32_MAX ? (uint32_t)number : 0;
  if (inf_sv_eq(type, INF_SV("error")))
    return inf_document_fail(decoder, value);
  if (inf_sv_eq(type, INF_SV("message_start")))
    read_message(decoder, inf_json_get(value, INF_SV("message")));
  else if (inf_sv_eq(type, INF_SV("content_block_start")))
    start_block(decoder, index, inf_json_get(value, INF_SV("content_block")));
  else if (inf_sv_eq(type, INF_SV("content_block_delta")))
    read_delta(decoder, index, event, value);
  else if (inf_sv_eq(type, INF_SV("content_block_stop")))
    end_block(decoder->answer, index, inf_anthropic_close_block(decoder));
  else if (inf_sv_eq(type, INF_SV("message_delta")))
    read_stop(decoder, inf_json_get(value, INF_SV("delta")));
  return INFER_OK;
}
