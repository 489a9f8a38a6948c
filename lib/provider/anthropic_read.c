/* SPDX-License-Identifier: MIT */
/* Reads Anthropic's Messages. A content block is numbered, and a tool call
 * carries the number of its block: so a piece of input whose number no call
 * has belongs to a tool that the provider runs itself. */
#include "provider/anthropic_read.h"

#include "provider/anthropic_alike.h"
#include "provider/anthropic_blocks.h"
#include "provider/document.h"
#include "wire/json_names.h"

#include "infer/infer.h"

/* ---- Usage and the end --------------------------------------------------- */

enum usage_name {
  INPUT,
  CACHE_WRITE,
  CACHE_READ,
  OUTPUT,
  OUTPUT_DETAILS,
  USAGE_NAME_COUNT
};

static const inf_json_name usage_names[USAGE_NAME_COUNT] = {
    [INPUT] = INF_JSON_NAME("input_tokens"),
    [CACHE_WRITE] = INF_JSON_NAME("cache_creation_input_tokens"),
    [CACHE_READ] = INF_JSON_NAME("cache_read_input_tokens"),
    [OUTPUT] = INF_JSON_NAME("output_tokens"),
    [OUTPUT_DETAILS] = INF_JSON_NAME("output_tokens_details"),
};

static int64_t
figure(inf_sv value, int64_t before)
{
  int64_t number = inf_document_number(value);
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
read_usage(inf_answer *answer, const inf_json_index *index, inf_sv json)
{
  const inf_usage *before = &answer->usage;
  inf_sv at[USAGE_NAME_COUNT];
  inf_json_pick(index, json, usage_names, USAGE_NAME_COUNT, at);
  inf_usage usage = {
      .input = -1,
      .output = inf_document_number(at[OUTPUT]),
      .reasoning = inf_document_figure(at[OUTPUT_DETAILS], "thinking_tokens"),
      .cache_read = figure(at[CACHE_READ], before->cache_read),
      .cache_write = figure(at[CACHE_WRITE], before->cache_write),
      .total = -1,
      .audio_input = -1,
      .audio_output = -1,
  };
  int64_t fresh = inf_document_number(at[INPUT]);
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
pass_member(inf_decoder *decoder, inf_sv name, inf_sv value)
{
  if (inf_json_is(value, INF_JSON_STRING) ||
      inf_json_is(value, INF_JSON_OBJECT))
    inf_answer_set_choice_extra(decoder->answer, 0, name, value);
}

enum stop_name { STOP_REASON, STOP_SEQUENCE, STOP_DETAILS, STOP_NAME_COUNT };

static const inf_json_name stop_names[STOP_NAME_COUNT] = {
    [STOP_REASON] = INF_JSON_NAME("stop_reason"),
    [STOP_SEQUENCE] = INF_JSON_NAME("stop_sequence"),
    [STOP_DETAILS] = INF_JSON_NAME("stop_details"),
};

/* Of a whole message or the last delta. */
static void
read_stop(inf_decoder *decoder, const inf_json_index *index, inf_sv object)
{
  inf_sv stop[STOP_NAME_COUNT];
  inf_json_pick(index, object, stop_names, STOP_NAME_COUNT, stop);
  inf_sv native = inf_document_text(decoder, stop[STOP_REASON]);
  if (native.len == 0)
    return;
  inf_anthropic_end_blocks(decoder);
  pass_member(decoder, INF_SV("stop_sequence"), stop[STOP_SEQUENCE]);
  pass_member(decoder, INF_SV("stop_details"), stop[STOP_DETAILS]);
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

enum block_name { TYPE, TEXT, THINKING, ID, NAME, BLOCK_NAME_COUNT };

static const inf_json_name block_names[BLOCK_NAME_COUNT] = {
    [TYPE] = INF_JSON_NAME("type"),         [TEXT] = INF_JSON_NAME("text"),
    [THINKING] = INF_JSON_NAME("thinking"), [ID] = INF_JSON_NAME("id"),
    [NAME] = INF_JSON_NAME("name"),
};

/* A block, whole or at its start; arguments are read at its end. */
static void
read_block(inf_decoder *decoder, const inf_json_index *index, uint32_t number,
           inf_sv block)
{
  inf_answer *answer = decoder->answer;
  inf_sv at[BLOCK_NAME_COUNT];
  inf_json_pick(index, block, block_names, BLOCK_NAME_COUNT, at);
  inf_sv type = inf_document_text(decoder, at[TYPE]);
  if (inf_sv_eq(type, INF_SV("text")))
    inf_answer_add_text(answer, 0, inf_document_text(decoder, at[TEXT]));
  else if (inf_sv_eq(type, INF_SV("thinking")))
    add_reasoning(answer, inf_document_text(decoder, at[THINKING]));
  else if (inf_sv_eq(type, INF_SV("tool_use")))
    inf_answer_add_tool_call(
        answer, 0, number, inf_document_text(decoder, at[ID]),
        INF_SV("function"), inf_document_text(decoder, at[NAME]), INF_SV(""));
}

enum delta_name {
  DELTA_TYPE,
  DELTA_TEXT,
  DELTA_THINKING,
  PARTIAL_JSON,
  DELTA_NAME_COUNT
};

static const inf_json_name delta_names[DELTA_NAME_COUNT] = {
    [DELTA_TYPE] = INF_JSON_NAME("type"),
    [DELTA_TEXT] = INF_JSON_NAME("text"),
    [DELTA_THINKING] = INF_JSON_NAME("thinking"),
    [PARTIAL_JSON] = INF_JSON_NAME("partial_json"),
};

static void
read_delta(inf_decoder *decoder, const inf_json_index *index, uint32_t number,
           const inf_sse_event *event, inf_sv value, inf_sv delta)
{
  inf_answer *answer = decoder->answer;
  inf_sv at[DELTA_NAME_COUNT];
  inf_json_pick(index, delta, delta_names, DELTA_NAME_COUNT, at);
  inf_sv type = inf_document_text(decoder, at[DELTA_TYPE]);
  if (inf_sv_eq(type, INF_SV("text_delta"))) {
    inf_answer_add_text(answer, 0, inf_document_text(decoder, at[DELTA_TEXT]));
    inf_anthropic_learn(decoder, event, value, at[DELTA_TEXT], false);
  } else if (inf_sv_eq(type, INF_SV("thinking_delta"))) {
    add_reasoning(answer, inf_document_text(decoder, at[DELTA_THINKING]));
    inf_anthropic_learn(decoder, event, value, at[DELTA_THINKING], true);
  } else if (inf_sv_eq(type, INF_SV("input_json_delta")) &&
             inf_anthropic_call_of(answer, number)) {
    add_arguments(answer, number, inf_document_text(decoder, at[PARTIAL_JSON]));
  } else {
    inf_anthropic_log_delta(decoder, number, delta);
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

enum message_name {
  MESSAGE_ID,
  MODEL,
  CONTENT,
  MESSAGE_USAGE,
  MESSAGE_NAME_COUNT
};

static const inf_json_name message_names[MESSAGE_NAME_COUNT] = {
    [MESSAGE_ID] = INF_JSON_NAME("id"),
    [MODEL] = INF_JSON_NAME("model"),
    [CONTENT] = INF_JSON_NAME("content"),
    [MESSAGE_USAGE] = INF_JSON_NAME("usage"),
};

static void
read_message(inf_decoder *decoder, const inf_json_index *index, inf_sv message)
{
  inf_answer *answer = decoder->answer;
  uint32_t number = 0;
  inf_sv at[MESSAGE_NAME_COUNT];
  inf_json_pick(index, message, message_names, MESSAGE_NAME_COUNT, at);
  inf_answer_set_id(answer, inf_document_text(decoder, at[MESSAGE_ID]));
  inf_answer_set_model(answer, inf_document_text(decoder, at[MODEL]));
  inf_answer_set_role(answer, 0, INF_SV("assistant"));
  inf_json_iter it = inf_json_iter_by(index, at[CONTENT]);
  for (; inf_json_next(&it); number++) {
    read_block(decoder, index, number, it.value);
    end_block(answer, number, it.value);
  }
  inf_anthropic_keep_content(decoder, at[CONTENT]);
  read_usage(answer, index, at[MESSAGE_USAGE]);
  read_stop(decoder, index, message);
}

/* ---- Entry points -------------------------------------------------------- */

int32_t
inf_anthropic_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_json_index index;
  inf_sv value = INF_SV("");
  int32_t status = inf_document_body(decoder, body, &value, &index);
  if (status != INFER_OK)
    return status;
  if (inf_json_equal(inf_json_get(value, INF_SV("type")), INF_SV("error")))
    return inf_document_fail(decoder, value);
  if (!inf_json_is(inf_json_get(value, INF_SV("content")), INF_JSON_ARRAY))
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer has no content");
  read_message(decoder, &index, value);
  return INFER_OK;
}

enum event_name {
  EVENT_TYPE,
  INDEX,
  DELTA,
  BLOCK,
  MESSAGE,
  USAGE,
  EVENT_NAME_COUNT
};

static const inf_json_name event_names[EVENT_NAME_COUNT] = {
    [EVENT_TYPE] = INF_JSON_NAME("type"),
    [INDEX] = INF_JSON_NAME("index"),
    [DELTA] = INF_JSON_NAME("delta"),
    [BLOCK] = INF_JSON_NAME("content_block"),
    [MESSAGE] = INF_JSON_NAME("message"),
    [USAGE] = INF_JSON_NAME("usage"),
};

/* What is not known (ping, what is to come) says nothing of the answer. */
int32_t
inf_anthropic_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_json_index index;
  inf_sv value = INF_SV(""), at[EVENT_NAME_COUNT];
  int64_t named = 0;
  if (inf_anthropic_read_by_guess(decoder, event->data))
    return INFER_OK;
  int32_t status = inf_document_begin(decoder, event->data, &value, &index);
  if (status != INFER_OK)
    return status;
  inf_json_pick(&index, value, event_names, EVENT_NAME_COUNT, at);
  inf_sv type = inf_document_text(decoder, at[EVENT_TYPE]);
  if (inf_sv_eq(type, INF_SV("message_stop"))) {
    decoder->terminated = true;
    return INF_DECODER_DONE;
  }
  if (inf_sv_eq(type, INF_SV("message_delta")))
    read_usage(decoder->answer, &index, at[USAGE]);
  if (decoder->failed)
    return INFER_OK;
  inf_json_int64(at[INDEX], true, &named);
  uint32_t number = named >= 0 && named < INT32_MAX ? (uint32_t)named : 0;
  if (inf_sv_eq(type, INF_SV("error")))
    return inf_document_fail(decoder, value);
  if (inf_sv_eq(type, INF_SV("message_start"))) {
    read_message(decoder, &index, at[MESSAGE]);
  } else if (inf_sv_eq(type, INF_SV("content_block_start"))) {
    inf_anthropic_open_block(decoder, number, at[BLOCK]);
    read_block(decoder, &index, number, at[BLOCK]);
  } else if (inf_sv_eq(type, INF_SV("content_block_delta"))) {
    read_delta(decoder, &index, number, event, value, at[DELTA]);
  } else if (inf_sv_eq(type, INF_SV("content_block_stop"))) {
    end_block(decoder->answer, number, inf_anthropic_close_block(decoder));
  } else if (inf_sv_eq(type, INF_SV("message_delta"))) {
    read_stop(decoder, &index, at[DELTA]);
  }
  return INFER_OK;
}
