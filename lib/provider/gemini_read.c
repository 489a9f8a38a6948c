/* SPDX-License-Identifier: MIT */
/* Reads Gemini's answers. A chunk of a stream and a whole answer are the same
 * object, so that there is one reader for both. */
#include "provider/gemini_read.h"

#include "infer/infer.h"

#include "provider/document.h"
#include "provider/gemini_alike.h"
#include "provider/gemini_args.h"
#include "provider/error_body.h"
#include "wire/date.h"
#include "wire/json_names.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

#define FORMAT   "google-gemini-v1"
#define MADE_ID  "call_gemini_"
#define NS_PER_S 1000000000

/* ---- Words --------------------------------------------------------------- */

typedef struct finish_word {
  const char *native, *openai;
} finish_word;

/* Numbers are those of a request with enum-encoding=int. AI Studio and Vertex
 * AI number differently from 6 on; where the two do not mean the same there is
 * no row. What is not here stays as it is. */
static const finish_word finish_words[] = {
    {"STOP", "stop"},
    {"1", "stop"},
    {"MAX_TOKENS", "length"},
    {"2", "length"},
    {"SAFETY", "content_filter"},
    {"3", "content_filter"},
    {"RECITATION", "content_filter"},
    {"4", "content_filter"},
    {"LANGUAGE", "content_filter"},
    {"BLOCKLIST", "content_filter"},
    {"6", "content_filter"},
    {"PROHIBITED_CONTENT", "content_filter"},
    {"7", "content_filter"},
    {"SPII", "content_filter"},
    {"8", "content_filter"},
    {"MODEL_ARMOR", "content_filter"},
    {"IMAGE_SAFETY", "content_filter"},
    {"IMAGE_PROHIBITED_CONTENT", "content_filter"},
    {"IMAGE_RECITATION", "content_filter"},
};

/* A call ends with STOP like any other answer. */
static inf_sv
finish_of(const inf_answer *answer, uint32_t index, inf_sv native)
{
  inf_sv found = native;
  const inf_choice *choice = inf_answer_choice(answer, index);
  for (size_t i = 0; i < sizeof(finish_words) / sizeof(finish_words[0]); i++)
    if (inf_sv_eq(native, inf_sv_from(finish_words[i].native)))
      found = inf_sv_from(finish_words[i].openai);
  if (inf_sv_eq(found, INF_SV("stop")) && choice && choice->tool_call_count > 0)
    return INF_SV("tool_calls");
  return found;
}

bool
inf_gemini_is_made_id(inf_sv id)
{
  return inf_sv_starts_with(id, INF_SV(MADE_ID));
}

/* ---- Values -------------------------------------------------------------- */

/* The text of a string, the digits of a number; "" for anything else. Lives as
 * long as the event: inf_document_read() makes room for all of them. */
static inf_sv
text_of(inf_decoder *decoder, inf_sv value)
{
  return inf_json_is(value, INF_JSON_NUMBER)
             ? value
             : inf_document_text(decoder, value);
}

static inf_sv
member(inf_decoder *decoder, inf_sv object, const char *name)
{
  return text_of(decoder, inf_json_get(object, inf_sv_from(name)));
}

static void
take_status(inf_answer *answer, int32_t status)
{
  if (answer->status == INFER_OK)
    answer->status = status;
}

/* One more element of a list that is a member of the message. */
static void
add_to_list(inf_answer *answer, uint32_t choice, const char *name,
            inf_buf *element)
{
  inf_buf list;
  inf_buf_init(&list, SIZE_MAX);
  inf_json_open(&list, '[');
  inf_json_put_raw(&list, inf_buf_sv(element));
  inf_json_close(&list, ']');
  int32_t status = element->status != INFER_OK ? element->status : list.status;
  take_status(answer, status);
  if (status == INFER_OK)
    inf_answer_set_message_extra(answer, choice, inf_sv_from(name),
                                 inf_buf_sv(&list), true);
  inf_buf_fini(&list);
}

/* ---- Usage --------------------------------------------------------------- */

/* Of [{"modality": "TEXT", "tokenCount": 9}, ...]; -1 if audio has none. */
static int64_t
audio(const inf_json_index *index, inf_sv list)
{
  static const inf_json_name names[] = {INF_JSON_NAME("modality"),
                                        INF_JSON_NAME("tokenCount")};
  inf_sv at[2];
  inf_json_iter it = inf_json_iter_by(index, list);
  while (inf_json_next(&it)) {
    inf_json_pick(index, it.value, names, 2, at);
    if (inf_json_equal(at[0], INF_SV("AUDIO")))
      return inf_document_number(at[1]);
  }
  return -1;
}

enum usage_name {
  PROMPT,
  CANDIDATES_COUNT,
  TOTAL,
  PROMPT_DETAILS,
  THOUGHTS,
  CACHED,
  TOOL_PROMPT,
  CANDIDATES_DETAILS,
  USAGE_NAME_COUNT
};

static const inf_json_name usage_names[USAGE_NAME_COUNT] = {
    [PROMPT] = INF_JSON_NAME("promptTokenCount"),
    [CANDIDATES_COUNT] = INF_JSON_NAME("candidatesTokenCount"),
    [TOTAL] = INF_JSON_NAME("totalTokenCount"),
    [PROMPT_DETAILS] = INF_JSON_NAME("promptTokensDetails"),
    [THOUGHTS] = INF_JSON_NAME("thoughtsTokenCount"),
    [CACHED] = INF_JSON_NAME("cachedContentTokenCount"),
    [TOOL_PROMPT] = INF_JSON_NAME("toolUsePromptTokenCount"),
    [CANDIDATES_DETAILS] = INF_JSON_NAME("candidatesTokensDetails"),
};

/* The last figures stand as a whole: what is not among them is not known. An
 * object that has none says nothing. */
static void
read_usage(inf_answer *answer, const inf_json_index *index, inf_sv json)
{
  inf_sv at[USAGE_NAME_COUNT];
  inf_json_pick(index, json, usage_names, USAGE_NAME_COUNT, at);
  inf_usage usage = {
      .input = inf_document_sum(inf_document_number(at[PROMPT]),
                                inf_document_number(at[TOOL_PROMPT])),
      .reasoning = inf_document_number(at[THOUGHTS]),
      .cache_read = inf_document_number(at[CACHED]),
      .cache_write = -1,
      .total = inf_document_number(at[TOTAL]),
      .audio_input = audio(index, at[PROMPT_DETAILS]),
      .audio_output = audio(index, at[CANDIDATES_DETAILS]),
  };
  usage.output = inf_document_sum(inf_document_number(at[CANDIDATES_COUNT]),
                                  usage.reasoning);
  if (usage.input < 0 && usage.output < 0 && usage.total < 0)
    return;
  answer->usage = usage;
}

/* ---- Signatures ---------------------------------------------------------- */

/* signature, thought: JSON strings. One that is alone has a part of its own. */
static void
add_detail(inf_answer *answer, uint32_t choice, inf_sv signature, inf_sv id,
           inf_sv thought, bool alone)
{
  inf_buf out;
  if (!inf_json_is(signature, INF_JSON_STRING))
    return;
  inf_buf_init(&out, SIZE_MAX);
  inf_json_open(&out, '{');
  if (thought.len > 0) {
    inf_json_member_string(&out, INF_SV("type"), INF_SV("reasoning.text"));
    inf_json_member_raw(&out, INF_SV("text"), thought);
    inf_json_member_raw(&out, INF_SV("signature"), signature);
  } else {
    inf_json_member_string(&out, INF_SV("type"), INF_SV("reasoning.encrypted"));
    inf_json_member_raw(&out, INF_SV("data"), signature);
  }
  if (id.len > 0)
    inf_json_member_string(&out, INF_SV("id"), id);
  if (alone)
    inf_json_member_bool(&out, INF_SV("alone"), true);
  inf_json_member_string(&out, INF_SV("format"), INF_SV(FORMAT));
  inf_json_close(&out, '}');
  add_to_list(answer, choice, "reasoning_details", &out);
  inf_buf_fini(&out);
}

/* ---- Function calls ------------------------------------------------------ */

/* The answer's id makes the ids of its calls differ from those of others in
 * the conversation. Some APIs take 40 characters. */
static inf_sv
make_id(const inf_answer *answer, uint32_t choice, size_t number, inf_buf *out)
{
  enum { longest = 22 };
  inf_sv id = inf_buf_sv(&answer->id);
  inf_buf_append_cstr(out, MADE_ID);
  for (size_t i = 0; i < id.len && i < longest; i++) {
    char c = id.ptr[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 (c >= '0' && c <= '9') || c == '_' || c == '-';
    inf_buf_append_char(out, plain ? c : '-');
  }
  if (choice > 0) {
    inf_buf_append_char(out, '_');
    inf_buf_append_uint(out, choice);
  }
  inf_buf_append_char(out, '_');
  inf_buf_append_uint(out, number);
  return inf_buf_sv(out);
}

static size_t
call_count(const inf_answer *answer, uint32_t index)
{
  const inf_choice *choice = inf_answer_choice(answer, index);
  return choice ? choice->tool_call_count : 0;
}

/* The calls of a choice are numbered as they come. */
static void
add_arguments(inf_answer *answer, uint32_t choice, inf_sv text)
{
  const inf_sv none = INF_SV("");
  size_t count = call_count(answer, choice);
  if (count > 0 && text.len > 0)
    inf_answer_add_tool_call(answer, choice, (uint32_t)(count - 1), none, none,
                             none, text);
}

/* The call whose arguments are not whole: those of one that is end in "}". */
static bool
is_open(const inf_decoder *decoder, uint32_t index)
{
  const inf_choice *choice = inf_answer_choice(decoder->answer, index);
  size_t count = choice ? choice->tool_call_count : 0;
  return count > 0 && (decoder->carry.len > 0 ||
                       choice->tool_calls[count - 1].arguments.len == 0);
}

/* Arguments that came in pieces are whole. */
static void
end_call(inf_decoder *decoder, uint32_t choice)
{
  inf_buf text;
  if (!is_open(decoder, choice))
    return;
  inf_buf_init(&text, SIZE_MAX);
  take_status(decoder->answer, inf_gemini_args_end(&decoder->carry, &text));
  add_arguments(decoder->answer, choice, inf_buf_sv(&text));
  inf_buf_fini(&text);
}

static int32_t
read_pieces(inf_decoder *decoder, uint32_t choice, inf_sv pieces)
{
  inf_buf text;
  int32_t status = INFER_OK;
  inf_buf_init(&text, SIZE_MAX);
  inf_json_iter it = inf_json_iter_of(pieces);
  while (status == INFER_OK && inf_json_next(&it))
    status = is_open(decoder, choice) && decoder->options.choices == 1
                 ? inf_gemini_args_piece(&decoder->carry, it.value, &text)
                 : INFER_E_PROTOCOL;
  if (status == INFER_OK)
    add_arguments(decoder->answer, choice, inf_buf_sv(&text));
  inf_buf_fini(&text);
  if (status != INFER_OK)
    return inf_decoder_fail(decoder, status,
                            status == INFER_E_PROTOCOL
                                ? "the arguments of a function call do not "
                                  "fit together"
                                : "");
  return INFER_OK;
}

static void
begin_call(inf_decoder *decoder, uint32_t choice, inf_sv call, inf_sv part)
{
  inf_buf made;
  inf_answer *answer = decoder->answer;
  size_t number = call_count(answer, choice);
  inf_sv id = member(decoder, call, "id");
  inf_buf_init(&made, SIZE_MAX);
  if (id.len == 0)
    id = make_id(answer, choice, number, &made);
  take_status(answer, made.status);
  inf_answer_add_tool_call(answer, choice, (uint32_t)number, id,
                           INF_SV("function"), member(decoder, call, "name"),
                           INF_SV(""));
  add_detail(answer, choice, inf_json_get(part, INF_SV("thoughtSignature")), id,
             INF_SV(""), false);
  inf_buf_fini(&made);
}

/* A call that has no name goes on with the last one. */
static int32_t
read_call(inf_decoder *decoder, uint32_t choice, inf_sv call, inf_sv part)
{
  inf_sv args = inf_json_get(call, INF_SV("args"));
  inf_sv pieces = inf_json_get(call, INF_SV("partialArgs"));
  if (inf_json_is(inf_json_get(call, INF_SV("name")), INF_JSON_STRING)) {
    end_call(decoder, choice);
    begin_call(decoder, choice, call, part);
  }
  if (inf_json_is(args, INF_JSON_OBJECT)) {
    if (is_open(decoder, choice) && decoder->carry.len == 0)
      add_arguments(decoder->answer, choice, args);
    return INFER_OK;
  }
  int32_t status = read_pieces(decoder, choice, pieces);
  if (status == INFER_OK &&
      !inf_json_is(inf_json_get(call, INF_SV("willContinue")), INF_JSON_TRUE))
    end_call(decoder, choice);
  return status;
}

/* ---- Other parts --------------------------------------------------------- */

static void
add_image(inf_answer *answer, uint32_t choice, inf_sv type, inf_sv data,
          inf_sv signature)
{
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("type"), INF_SV("image_url"));
  inf_json_key(&out, INF_SV("image_url"));
  inf_json_open(&out, '{');
  inf_json_key(&out, INF_SV("url"));
  inf_buf_append_cstr(&out, "\"data:");
  inf_json_escape(&out, type);
  inf_buf_append_cstr(&out, ";base64,");
  inf_buf_append(&out, data.ptr + 1, data.len - 1);
  inf_json_close(&out, '}');
  if (inf_json_is(signature, INF_JSON_STRING))
    inf_json_member_raw(&out, INF_SV("signature"), signature);
  inf_json_close(&out, '}');
  add_to_list(answer, choice, "images", &out);
  inf_buf_fini(&out);
}

/* What is no text and no call. A thought's image would lose that in its list.
 */
static void
read_other(inf_decoder *decoder, uint32_t choice, inf_sv part)
{
  inf_buf out;
  inf_sv inline_data = inf_json_get(part, INF_SV("inlineData"));
  inf_sv data = inf_json_get(inline_data, INF_SV("data"));
  inf_sv type = member(decoder, inline_data, "mimeType");
  inf_sv signature = inf_json_get(part, INF_SV("thoughtSignature"));
  size_t known = signature.len > 0 ? 2 : 1;
  if (inf_json_count(part) == known && inf_json_is(data, INF_JSON_STRING) &&
      inf_sv_starts_with(type, INF_SV("image/"))) {
    add_image(decoder->answer, choice, type, data, signature);
    return;
  }
  inf_buf_init(&out, SIZE_MAX);
  inf_json_put_raw(&out, part);
  add_to_list(decoder->answer, choice, "content_parts", &out);
  inf_buf_fini(&out);
}

enum part_name { TEXT, THOUGHT, SIGNATURE, CALL, PART_NAME_COUNT };

static const inf_json_name part_names[PART_NAME_COUNT] = {
    [TEXT] = INF_JSON_NAME("text"),
    [THOUGHT] = INF_JSON_NAME("thought"),
    [SIGNATURE] = INF_JSON_NAME("thoughtSignature"),
    [CALL] = INF_JSON_NAME("functionCall"),
};

static int32_t
read_part(inf_decoder *decoder, const inf_json_index *index, uint32_t choice,
          inf_sv part)
{
  inf_answer *answer = decoder->answer;
  inf_sv at[PART_NAME_COUNT];
  inf_json_pick(index, part, part_names, PART_NAME_COUNT, at);
  inf_sv json = at[TEXT], signature = at[SIGNATURE];
  bool thought = inf_json_is(at[THOUGHT], INF_JSON_TRUE);
  if (inf_json_is(at[CALL], INF_JSON_OBJECT))
    return read_call(decoder, choice, at[CALL], part);
  if (!inf_json_is(json, INF_JSON_STRING)) {
    if (inf_json_count(part) > (signature.len > 0 ? 1U : 0U))
      read_other(decoder, choice, part);
    else
      add_detail(answer, choice, signature, INF_SV(""), INF_SV(""), true);
    return INFER_OK;
  }
  inf_sv text = text_of(decoder, json);
  if (text.len > 0 && thought)
    inf_answer_add_reasoning(answer, choice, text, "reasoning_content");
  else if (text.len > 0)
    inf_answer_add_text(answer, choice, text);
  add_detail(answer, choice, signature, INF_SV(""), thought ? json : INF_SV(""),
             text.len == 0 && !thought);
  return INFER_OK;
}

/* ---- Log probabilities --------------------------------------------------- */

static void
put_token(inf_decoder *decoder, inf_sv token, inf_buf *out)
{
  inf_sv chance = inf_json_get(token, INF_SV("logProbability"));
  inf_json_member_string(out, INF_SV("token"), member(decoder, token, "token"));
  inf_json_member_raw(out, INF_SV("logprob"),
                      inf_json_is(chance, INF_JSON_NUMBER) ? chance
                                                           : INF_SV("0"));
  inf_json_member_raw(out, INF_SV("bytes"), INF_SV("null"));
}

/* The chosen tokens in one list, the most likely at each place in another. */
static void
read_logprobs(inf_decoder *decoder, uint32_t choice, inf_sv result)
{
  inf_buf out;
  inf_json_iter chosen =
      inf_json_iter_of(inf_json_get(result, INF_SV("chosenCandidates")));
  inf_json_iter top =
      inf_json_iter_of(inf_json_get(result, INF_SV("topCandidates")));
  inf_buf_init(&out, SIZE_MAX);
  while (inf_json_next(&chosen)) {
    bool has_top = inf_json_next(&top);
    inf_json_open(&out, '{');
    put_token(decoder, chosen.value, &out);
    inf_json_key(&out, INF_SV("top_logprobs"));
    inf_json_open(&out, '[');
    inf_json_iter it = inf_json_iter_of(
        has_top ? inf_json_get(top.value, INF_SV("candidates")) : INF_SV(""));
    while (inf_json_next(&it)) {
      inf_json_open(&out, '{');
      put_token(decoder, it.value, &out);
      inf_json_close(&out, '}');
    }
    inf_json_close(&out, ']');
    inf_json_close(&out, '}');
  }
  take_status(decoder->answer, out.status);
  inf_answer_add_logprobs(decoder->answer, choice, inf_buf_sv(&out), false);
  inf_buf_fini(&out);
}

/* ---- Candidates ---------------------------------------------------------- */

enum candidate_name {
  CONTENT,
  FINISH_REASON,
  INDEX,
  LOGPROBS,
  CANDIDATE_NAME_COUNT
};

static const inf_json_name candidate_names[CANDIDATE_NAME_COUNT] = {
    [CONTENT] = INF_JSON_NAME("content"),
    [FINISH_REASON] = INF_JSON_NAME("finishReason"),
    [INDEX] = INF_JSON_NAME("index"),
    [LOGPROBS] = INF_JSON_NAME("logprobsResult"),
};

/* Any member that is not read is the choice's own. */
static void
pass_members(inf_decoder *decoder, const inf_json_index *index, uint32_t choice,
             inf_sv candidate)
{
  size_t next = 0;
  inf_json_iter it = inf_json_iter_by(index, candidate);
  while (inf_json_next(&it))
    if (inf_json_find_name(&it, candidate_names, CANDIDATE_NAME_COUNT, &next) ==
        CANDIDATE_NAME_COUNT)
      inf_answer_set_choice_extra(decoder->answer, choice, it.key, it.value);
}

static int32_t
read_parts(inf_decoder *decoder, const inf_json_index *index, uint32_t choice,
           inf_sv content)
{
  static const inf_json_name name = INF_JSON_NAME("parts");
  int32_t status = INFER_OK;
  inf_sv parts;
  inf_json_pick(index, content, &name, 1, &parts);
  inf_json_iter it = inf_json_iter_by(index, parts);
  while (status == INFER_OK && inf_json_next(&it))
    status = read_part(decoder, index, choice, it.value);
  return status;
}

static int32_t
read_candidate(inf_decoder *decoder, const inf_json_index *index,
               inf_sv candidate)
{
  int64_t number = 0;
  inf_answer *answer = decoder->answer;
  inf_sv at[CANDIDATE_NAME_COUNT];
  bool alone = inf_json_pick(index, candidate, candidate_names,
                             CANDIDATE_NAME_COUNT, at);
  inf_json_int64(at[INDEX], true, &number);
  uint32_t choice = number > 0 && number < INT32_MAX ? (uint32_t)number : 0;
  inf_answer_set_role(answer, choice, INF_SV("assistant"));
  int32_t status = read_parts(decoder, index, choice, at[CONTENT]);
  if (status != INFER_OK)
    return status;
  read_logprobs(decoder, choice, at[LOGPROBS]);
  if (!alone)
    pass_members(decoder, index, choice, candidate);
  inf_sv native = text_of(decoder, at[FINISH_REASON]);
  if (native.len == 0)
    return INFER_OK;
  end_call(decoder, choice);
  inf_answer_finish(answer, choice, finish_of(answer, choice, native), native);
  return INFER_OK;
}

/* ---- The whole ----------------------------------------------------------- */

/* Does any choice go on, or is there none? */
static bool
is_unfinished(const inf_answer *answer)
{
  for (size_t i = 0; i < answer->choice_count; i++)
    if (answer->choices[i].finish_reason.len == 0)
      return true;
  return answer->choice_count == 0;
}

/* Nothing but the reason comes for a prompt that is refused, at once or in the
 * middle of a stream. */
static int32_t
fail_blocked(inf_decoder *decoder, inf_sv reason)
{
  inf_buf words;
  inf_buf_init(&words, SIZE_MAX);
  inf_buf_append_cstr(&words, "the provider blocked the prompt: ");
  inf_buf_append_sv(&words, reason);
  inf_decoder_fail(decoder, INFER_E_CONTENT_FILTER, inf_buf_cstr(&words));
  inf_failure_set_text(&decoder->failure.code, reason);
  inf_buf_fini(&words);
  return INFER_E_CONTENT_FILTER;
}

enum top_name {
  CANDIDATES,
  USAGE,
  MODEL,
  ID,
  CREATED,
  FEEDBACK,
  ERROR,
  TOP_NAME_COUNT
};

static const inf_json_name top_names[TOP_NAME_COUNT] = {
    [CANDIDATES] = INF_JSON_NAME("candidates"),
    [USAGE] = INF_JSON_NAME("usageMetadata"),
    [MODEL] = INF_JSON_NAME("modelVersion"),
    [ID] = INF_JSON_NAME("responseId"),
    [CREATED] = INF_JSON_NAME("createTime"),
    [FEEDBACK] = INF_JSON_NAME("promptFeedback"),
    [ERROR] = INF_JSON_NAME("error"),
};

static void
read_head(inf_decoder *decoder, const inf_sv top[TOP_NAME_COUNT])
{
  int64_t ns;
  inf_answer *answer = decoder->answer;
  inf_answer_set_id(answer, text_of(decoder, top[ID]));
  inf_answer_set_model(answer, text_of(decoder, top[MODEL]));
  if (inf_parse_rfc3339(text_of(decoder, top[CREATED]), &ns))
    inf_answer_set_created(answer, ns / NS_PER_S);
  if (top[FEEDBACK].len > 0)
    inf_answer_set_extra(answer, INF_SV("promptFeedback"), top[FEEDBACK]);
}

/* Does any candidate end with it? */
static bool
has_end(const inf_json_index *index, inf_sv candidates)
{
  inf_sv reason = {NULL, 0};
  inf_json_iter it = inf_json_iter_by(index, candidates);
  while (reason.len == 0 && inf_json_next(&it))
    inf_json_pick(index, it.value, &candidate_names[FINISH_REASON], 1, &reason);
  return reason.len > 0;
}

static int32_t
read_answer(inf_decoder *decoder, const inf_json_index *index, inf_sv value)
{
  int32_t status = INFER_OK;
  inf_answer *answer = decoder->answer;
  inf_sv top[TOP_NAME_COUNT];
  if (!inf_json_is(value, INF_JSON_OBJECT))
    return INFER_E_PROTOCOL;
  inf_json_pick(index, value, top_names, TOP_NAME_COUNT, top);
  read_usage(answer, index, top[USAGE]);
  if (decoder->failed)
    return INFER_OK;
  if (inf_json_has_items(top[ERROR]) ||
      inf_json_is(top[ERROR], INF_JSON_STRING))
    return inf_document_fail(decoder, value);
  read_head(decoder, top);
  inf_json_iter it = inf_json_iter_by(index, top[CANDIDATES]);
  while (status == INFER_OK && inf_json_next(&it))
    status = read_candidate(decoder, index, it.value);
  if (status == INFER_OK && top[USAGE].len > 0 &&
      has_end(index, top[CANDIDATES]))
    inf_answer_set_extra(answer, INF_SV("usageMetadata"), top[USAGE]);
  if (status == INFER_OK && !inf_json_has_items(top[CANDIDATES]) &&
      is_unfinished(answer)) {
    inf_sv reason = member(decoder, top[FEEDBACK], "blockReason");
    if (reason.len > 0)
      return fail_blocked(decoder, reason);
  }
  return status;
}

/* ---- Entry points -------------------------------------------------------- */

/* A finish reason may be missing, but then there must be something else. */
static int32_t
check_answer(inf_decoder *decoder)
{
  const inf_answer *answer = decoder->answer;
  if (answer->status != INFER_OK)
    return INFER_OK;
  if (answer->choice_count == 0)
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer has no candidates");
  for (size_t i = 0; i < answer->choice_count; i++) {
    const inf_choice *choice = &answer->choices[i];
    if (choice->finish_reason.len == 0 && !inf_answer_has_content(answer) &&
        choice->message_extra.count == 0)
      return inf_decoder_fail(
          decoder, INFER_E_TRUNCATED,
          "the answer has neither content nor a finish reason");
  }
  return INFER_OK;
}

/* A stream that was sent as an array may be read as a whole too. */
int32_t
inf_gemini_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_json_error error = {0};
  inf_json_index index;
  inf_sv value = INF_SV("");
  body = inf_sv_trim(body);
  int32_t status = inf_document_read(decoder, &body, &value, &index, &error);
  if (status == INFER_E_PROTOCOL && !decoder->failed)
    return inf_document_refuse(decoder, body, &error);
  if (status != INFER_OK)
    return status;
  if (!inf_json_is(value, INF_JSON_ARRAY)) {
    status = read_answer(decoder, &index, value);
  } else {
    inf_json_iter it = inf_json_iter_by(&index, value);
    while (status == INFER_OK && inf_json_next(&it))
      status = read_answer(decoder, &index, it.value);
  }
  if (status == INFER_E_PROTOCOL && !decoder->failed)
    return inf_decoder_fail(decoder, status, "the answer is not a JSON object");
  return status == INFER_OK ? check_answer(decoder) : status;
}

/* Google names no error events; what stands in front of it may. */
static int32_t
read_error_event(inf_decoder *decoder, inf_sv text)
{
  if (decoder->failed)
    return INFER_OK;
  inf_classify_failure(&decoder->failure, decoder->options.kind,
                       decoder->http_status, &decoder->headers, text,
                       decoder->wall_now_ns);
  decoder->failed = true;
  return decoder->failure.status;
}

int32_t
inf_gemini_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_json_error error = {0};
  inf_json_index index;
  inf_sv value = INF_SV("");
  if (event->error.len > 0)
    return read_error_event(decoder, event->error);
  if (inf_sv_eq(event->event, INF_SV("error")))
    return read_error_event(decoder, event->data);
  if (inf_gemini_read_alike_chunk(decoder, event->data))
    return INFER_OK;
  inf_sv text = inf_sv_trim(event->data);
  if (text.len == 0)
    return INFER_OK;
  int32_t status = inf_document_read(decoder, &text, &value, &index, &error);
  inf_guess_begin(&decoder->guess, text);
  if (status == INFER_E_PROTOCOL && !decoder->failed &&
      error.status == INFER_E_TOO_DEEP)
    return inf_decoder_fail(decoder, error.status,
                            "an event is nested too deeply");
  if (status != INFER_OK)
    return status;
  status = read_answer(decoder, &index, value);
  if (status == INFER_OK)
    inf_gemini_learn(decoder, &index, value);
  return status;
}
