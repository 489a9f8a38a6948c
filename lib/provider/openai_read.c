/* SPDX-License-Identifier: MIT */
/* Reads Chat Completions, whole bodies ("message") and chunks ("delta") by the
 * same functions: both make the same calls to the answer, which is why an
 * assembled stream equals the whole body.
 *
 * Each level of the document has a table of the members that mean something
 * to us; all others pass through as they are. */
#include "provider/openai_read.h"
#include "provider/openai_reader.h"

#include "infer/infer.h"

#include "provider/error_body.h"
#include "wire/utf8.h"

struct member {
  const char *name;
  void (*read)(inf_openai_reader *reader, const inf_json_iter *it);
};

static bool
dispatch(inf_openai_reader *reader, const struct member *members,
         const inf_json_iter *it)
{
  for (const struct member *member = members; member->name; member++) {
    if (inf_json_key_is(it, inf_sv_from(member->name))) {
      member->read(reader, it);
      return true;
    }
  }
  return false;
}

static void
ignore(inf_openai_reader *reader, const inf_json_iter *it)
{
  (void)reader;
  (void)it;
}

/* ---- Choices ------------------------------------------------------------- */

static void
read_message_member(inf_openai_reader *reader, const inf_json_iter *it)
{
  if (reader->chunk || !inf_json_is(it->value, INF_JSON_OBJECT))
    return;
  reader->has_message = true;
  inf_openai_message(reader, it->value);
}

static void
read_delta(inf_openai_reader *reader, const inf_json_iter *it)
{
  if (reader->chunk && !reader->repeats)
    inf_openai_message(reader, it->value);
}

static void
add_logprobs(inf_openai_reader *reader, inf_sv list, bool refusal)
{
  if (inf_json_is(list, INF_JSON_ARRAY) && inf_json_count(list) > 0)
    inf_answer_add_logprobs(reader->answer, reader->choice,
                            inf_sv_trim(inf_sv_of(list.ptr + 1, list.len - 2)),
                            refusal);
}

static void
read_logprobs(inf_openai_reader *reader, const inf_json_iter *it)
{
  if (inf_json_is(it->value, INF_JSON_NULL) || reader->repeats)
    return;
  inf_openai_spoil(reader);
  inf_sv content = inf_json_get(it->value, INF_SV("content"));
  inf_sv refusal = inf_json_get(it->value, INF_SV("refusal"));
  if (content.len == 0 && refusal.len == 0) {
    /* Together's lists, or a number (seen through OpenRouter). */
    inf_answer_set_choice_extra(reader->answer, reader->choice, it->key,
                                it->value);
    return;
  }
  add_logprobs(reader, content, false);
  add_logprobs(reader, refusal, true);
}

static void
read_choice_error(inf_openai_reader *reader, const inf_json_iter *it)
{
  reader->has_error = !inf_json_is(it->value, INF_JSON_NULL);
}

static void
read_obfuscation(inf_openai_reader *reader, const inf_json_iter *it)
{
  if (inf_openai_is_string(it->value))
    inf_openai_hole(reader, INF_HOLE_PADDING, it->value, NULL);
}

/* Together's chunks repeat the delta's text as a completion's. */
static void
read_choice_text(inf_openai_reader *reader, const inf_json_iter *it)
{
  if (reader->chunk)
    read_obfuscation(reader, it);
  else
    inf_answer_set_choice_extra(reader->answer, reader->choice, it->key,
                                it->value);
}

static const struct member choice_members[] = {
    {"index", ignore},
    {"delta", read_delta},
    {"finish_reason", ignore},
    {"message", read_message_member},
    {"logprobs", read_logprobs},
    {"obfuscation", read_obfuscation},
    {"text", read_choice_text},
    {"error", read_choice_error},
    {NULL, NULL},
};

/* After the message, because it completes the tool calls. OpenAI's preview of
 * 2023 had finish_details instead. */
static void
read_finish(inf_openai_reader *reader, inf_sv choice)
{
  inf_sv reason = inf_json_get(choice, INF_SV("finish_reason"));
  if (!inf_openai_is_filled(reason))
    reason = inf_json_path(choice, "finish_details.type");
  if (!inf_openai_is_filled(reason))
    return;
  inf_openai_spoil(reader);
  inf_sv native = inf_openai_text(reader, reason);
  inf_answer_finish(reader->answer, reader->choice,
                    inf_map_finish_reason(native), native);
  if (inf_sv_eq_nocase(native, INF_SV("error")))
    reader->bad_finish = INFER_E_SERVER;
  else if (inf_sv_eq(native, INF_SV("insufficient_system_resource")))
    reader->bad_finish = INFER_E_OVERLOADED;
}

static bool
is_filtered(const inf_openai_reader *reader)
{
  const inf_choice *choice = inf_answer_choice(reader->answer, reader->choice);
  return choice && inf_sv_eq(inf_buf_sv(&choice->finish_reason),
                             INF_SV("content_filter"));
}

static void
read_choice(inf_openai_reader *reader, inf_sv choice)
{
  int64_t index;
  if (!inf_json_int64(inf_json_get(choice, INF_SV("index")), true, &index) ||
      index < 0 || index > INT32_MAX)
    index = 0;
  reader->choice = (uint32_t)index;
  reader->has_message = false;
  reader->has_error = false;
  inf_answer_set_role(reader->answer, reader->choice, INF_SV(""));
  inf_json_iter it = inf_json_iter_of(choice);
  while (inf_json_next(&it)) {
    if (!dispatch(reader, choice_members, &it))
      inf_answer_set_choice_extra(reader->answer, reader->choice, it.key,
                                  it.value);
  }
  read_finish(reader, choice);
  /* Azure leaves out the message that its filter took away. */
  if (!reader->chunk && !reader->has_message && !is_filtered(reader))
    reader->bad_choice = true;
  if (reader->has_error && reader->choice_error.len == 0)
    reader->choice_error = choice;
}

/* ---- The top object ------------------------------------------------------ */

static void
read_usage(inf_openai_reader *reader, const inf_json_iter *it)
{
  inf_openai_usage(reader, it->value);
}

static void
read_x_groq(inf_openai_reader *reader, const inf_json_iter *it)
{
  inf_openai_x_groq(reader, it->key, it->value);
}

static void
read_id(inf_openai_reader *reader, const inf_json_iter *it)
{
  inf_answer_set_id(reader->answer, inf_openai_text(reader, it->value));
}

static void
read_model(inf_openai_reader *reader, const inf_json_iter *it)
{
  inf_answer_set_model(reader->answer, inf_openai_text(reader, it->value));
}

static void
read_created(inf_openai_reader *reader, const inf_json_iter *it)
{
  int64_t seconds;
  if (inf_json_int64(it->value, true, &seconds))
    inf_answer_set_created(reader->answer, seconds);
}

static void
read_choices(inf_openai_reader *reader, const inf_json_iter *it)
{
  reader->choices = it->value;
}

static void
read_error(inf_openai_reader *reader, const inf_json_iter *it)
{
  reader->error = it->value;
}

/* Perplexity ends its streams with the whole answer once more. */
static void
read_object_name(inf_openai_reader *reader, const inf_json_iter *it)
{
  if (inf_json_equal(it->value, INF_SV("chat.completion.done")))
    reader->repeats = reader->chunk;
}

static void
read_padding(inf_openai_reader *reader, const inf_json_iter *it)
{
  if (inf_is_padding(it->value))
    inf_openai_hole(reader, INF_HOLE_PADDING, it->value, "p");
  else
    inf_answer_set_extra(reader->answer, it->key, it->value);
}

static const struct member top_members[] = {
    {"id", read_id},
    {"choices", read_choices},
    {"model", read_model},
    {"created", read_created},
    {"object", read_object_name},
    {"usage", read_usage},
    {"error", read_error},
    {"obfuscation", read_obfuscation},
    {"p", read_padding},
    {"x_groq", read_x_groq},
    {NULL, NULL},
};

/* What still counts after a failure: what it cost. */
static const struct member usage_members[] = {
    {"usage", read_usage},
    {"x_groq", read_x_groq},
    {"object", read_object_name},
    {NULL, NULL},
};

static void
read_top(inf_openai_reader *reader, inf_sv object)
{
  bool failed = reader->decoder->failed;
  inf_json_iter it = inf_json_iter_of(object);
  while (inf_json_next(&it)) {
    if (!dispatch(reader, failed ? usage_members : top_members, &it) && !failed)
      inf_answer_set_extra(reader->answer, it.key, it.value);
  }
  if (failed)
    return;
  size_t count = 0;
  inf_json_iter choice = inf_json_iter_of(reader->choices);
  while (inf_json_next(&choice)) {
    read_choice(reader, choice.value);
    count++;
  }
  if (count != 1)
    inf_openai_spoil(reader);
}

/* ---- Failures ------------------------------------------------------------ */

/* value is an object with an "error" member, or flat. False if it tells of
 * none. */
static bool
fail_by_value(inf_openai_reader *reader, inf_sv value)
{
  inf_decoder *decoder = reader->decoder;
  if (!inf_classify_value(&decoder->failure, decoder->options.kind,
                          decoder->http_status, &decoder->headers, value,
                          decoder->wall_now_ns))
    return false;
  decoder->failed = true;
  return true;
}

/* The error that an object carries, if any, after its choices were taken. */
static int32_t
find_error(inf_openai_reader *reader, inf_sv object)
{
  inf_decoder *decoder = reader->decoder;
  if (decoder->failed)
    return INFER_OK;
  /* Without choices any shape of error is one; beside choices only an
   * "error" that says something. */
  bool alone = !inf_json_is(reader->choices, INF_JSON_ARRAY);
  bool told =
      reader->error.len > 0 && !inf_json_is(reader->error, INF_JSON_NULL);
  if ((alone || told) && fail_by_value(reader, object))
    return decoder->failure.status;
  if (reader->choice_error.len > 0 &&
      fail_by_value(reader, reader->choice_error))
    return decoder->failure.status;
  if (reader->bad_finish != INFER_OK)
    return inf_decoder_fail(decoder, reader->bad_finish,
                            "the provider ended the answer with an error");
  return INFER_OK;
}

/* ---- Entry points -------------------------------------------------------- */

/* Valid UTF-8 from here on: the answer is made of it. */
static int32_t
repair(inf_decoder *decoder, inf_sv *text)
{
  if (inf_utf8_valid(*text))
    return INFER_OK;
  inf_buf_clear(&decoder->repaired);
  if (!inf_utf8_append_lossy(&decoder->repaired, *text))
    return inf_decoder_fail(decoder, decoder->repaired.status, "");
  *text = inf_buf_sv(&decoder->repaired);
  return INFER_OK;
}

/* One JSON value and nothing after it. */
static bool
scan_alone(inf_sv text, unsigned max_depth, inf_sv *value,
           inf_json_error *error)
{
  if (!inf_json_scan(text, max_depth, value, error))
    return false;
  const char *end = value->ptr + value->len;
  inf_sv after =
      inf_sv_trim(inf_sv_of(end, (size_t)(text.ptr + text.len - end)));
  if (after.len == 0)
    return true;
  *error = (inf_json_error){.offset = (size_t)(after.ptr - text.ptr),
                            .reason = "text after the end",
                            .status = INFER_E_INVALID_ARGUMENT};
  return false;
}

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

static inf_sv
filling_text(inf_openai_reader *reader, const inf_filling *filling)
{
  if (filling->ascii)
    return inf_sv_of(filling->value.ptr + 1, filling->value.len - 2);
  return inf_openai_text(reader, filling->value);
}

/* The short way: the chunk is like the last one. */
static bool
read_by_guess(inf_decoder *decoder, inf_sv data)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  const inf_guess *guess = &decoder->guess;
  if (decoder->options.no_guess || decoder->failed ||
      !inf_guess_match(guess, data, fillings))
    return false;
  inf_openai_reader reader = {
      .decoder = decoder, .answer = decoder->answer, .text = data};
  /* As in a full reading, reasoning comes first. */
  for (size_t i = 0; i < guess->hole_count; i++) {
    const inf_hole *hole = &guess->holes[i];
    if (hole->kind == INF_HOLE_REASONING && fillings[i].value.len > 2)
      inf_answer_add_reasoning(reader.answer, guess->choice,
                               filling_text(&reader, &fillings[i]), hole->name);
  }
  for (size_t i = 0; i < guess->hole_count; i++) {
    if (guess->holes[i].kind == INF_HOLE_TEXT)
      inf_answer_add_text(reader.answer, guess->choice,
                          filling_text(&reader, &fillings[i]));
  }
  return true;
}

static int32_t
read_chunk(inf_decoder *decoder, inf_sv data, bool named_error)
{
  inf_json_error error;
  inf_sv value;
  int32_t status = repair(decoder, &data);
  if (status != INFER_OK)
    return status;
  inf_guess_begin(&decoder->guess, data);
  if (!scan_alone(data, decoder->options.max_depth, &value, &error)) {
    if (error.status == INFER_E_TOO_DEEP)
      return inf_decoder_fail(decoder, error.status,
                              "an event is nested too deeply");
    return named_error ? read_error_event(decoder, data) : INFER_E_PROTOCOL;
  }
  if (named_error)
    return read_error_event(decoder, value);
  if (!inf_json_is(value, INF_JSON_OBJECT))
    return INFER_E_PROTOCOL;
  inf_openai_reader reader = {.decoder = decoder,
                              .answer = decoder->answer,
                              .guess = &decoder->guess,
                              .text = data,
                              .chunk = true};
  read_top(&reader, value);
  status = find_error(&reader, value);
  if (status == INFER_OK && !reader.repeats)
    inf_guess_end(&decoder->guess, reader.choice);
  if (reader.repeats) {
    decoder->terminated = true;
    return INF_DECODER_DONE;
  }
  return status;
}

int32_t
inf_openai_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_buf_clear(&decoder->scratch);
  if (event->error.len > 0)
    return read_error_event(decoder, event->error);
  bool named_error = inf_sv_eq(event->event, INF_SV("error"));
  if (!named_error && read_by_guess(decoder, event->data))
    return INFER_OK;
  inf_sv data = inf_sv_trim(event->data);
  if (inf_sv_eq(data, INF_SV("[DONE]"))) {
    decoder->terminated = true;
    return INF_DECODER_DONE;
  }
  if (data.len == 0)
    return INFER_OK;
  return read_chunk(decoder, data, named_error);
}

/* Why a whole body could not be read, without repeating any of it. */
static int32_t
refuse_body(inf_decoder *decoder, inf_sv body, const inf_json_error *error)
{
  if (error->status == INFER_E_TOO_DEEP)
    return inf_decoder_fail(decoder, error->status,
                            "the answer is nested too deeply");
  if (inf_error_body_is_html(body))
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "an HTML page came instead of an answer");
  if (body.len > 0 && (body.ptr[0] == '{' || body.ptr[0] == '[') &&
      error->offset >= body.len)
    return inf_decoder_fail(decoder, INFER_E_TRUNCATED,
                            "the answer ends before its end");
  return inf_decoder_fail(decoder, INFER_E_PROTOCOL, "the answer is not JSON");
}

/* Is there an answer at all? A finish reason may be missing (seen with
 * Snowflake and through OpenRouter), but then there must be content. */
static int32_t
check_answer(inf_openai_reader *reader)
{
  inf_decoder *decoder = reader->decoder;
  const inf_answer *answer = reader->answer;
  if (inf_json_count(reader->choices) == 0 || reader->bad_choice)
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer has no choices with a message");
  for (size_t i = 0; i < answer->choice_count; i++) {
    const inf_choice *choice = &answer->choices[i];
    if (choice->finish_reason.len == 0 && !inf_answer_has_content(answer))
      return inf_decoder_fail(
          decoder, INFER_E_TRUNCATED,
          "the answer has neither content nor a finish reason");
  }
  return INFER_OK;
}

int32_t
inf_openai_read_body(inf_decoder *decoder, inf_sv body)
{
  inf_json_error error;
  inf_sv value;
  inf_buf_clear(&decoder->scratch);
  body = inf_sv_trim(body);
  int32_t status = repair(decoder, &body);
  if (status != INFER_OK)
    return status;
  if (!scan_alone(body, decoder->options.max_depth, &value, &error))
    return refuse_body(decoder, body, &error);
  inf_openai_reader reader = {
      .decoder = decoder, .answer = decoder->answer, .text = body};
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    if (inf_json_is(value, INF_JSON_ARRAY) && fail_by_value(&reader, value))
      return decoder->failure.status;
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer is not a JSON object");
  }
  read_top(&reader, value);
  status = find_error(&reader, value);
  return status == INFER_OK ? check_answer(&reader) : status;
}
