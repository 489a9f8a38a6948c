/* SPDX-License-Identifier: MIT */
/* Reads Chat Completions, whole bodies ("message") and chunks ("delta") by the
 * same functions: both make the same calls to the answer, which is why an
 * assembled stream equals the whole body.
 *
 * Each level of the document has a table of the names that mean something to
 * us; all other members pass through as they are. */
#include "provider/openai_read.h"
#include "provider/document.h"
#include "provider/openai_reader.h"

#include "infer/infer.h"

#include "provider/error_body.h"
#include "wire/swar.h"
#include "wire/utf8.h"

/* ---- Choices ------------------------------------------------------------- */

enum {
  INDEX,
  MESSAGE,
  DELTA,
  LOGPROBS,
  FINISH_REASON,
  OBFUSCATION,
  TEXT,
  CHOICE_ERROR,
  FINISH_DETAILS,
  CHOICE_NAME_COUNT,
};

static const inf_json_name choice_names[CHOICE_NAME_COUNT] = {
    [DELTA] = INF_JSON_NAME("delta"),
    [INDEX] = INF_JSON_NAME("index"),
    [FINISH_REASON] = INF_JSON_NAME("finish_reason"),
    [LOGPROBS] = INF_JSON_NAME("logprobs"),
    [MESSAGE] = INF_JSON_NAME("message"),
    [OBFUSCATION] = INF_JSON_NAME("obfuscation"),
    [TEXT] = INF_JSON_NAME("text"),
    [CHOICE_ERROR] = INF_JSON_NAME("error"),
    [FINISH_DETAILS] = INF_JSON_NAME("finish_details"),
};

static void
ignore_padding(inf_openai_reader *reader, inf_sv value)
{
  if (inf_openai_is_string(value))
    inf_openai_hole(reader, INF_HOLE_PADDING, value, NULL);
}

static void
add_logprobs(inf_openai_reader *reader, inf_sv list, bool refusal)
{
  if (inf_json_is(list, INF_JSON_ARRAY) && inf_json_has_items(list))
    inf_answer_add_logprobs(reader->answer, reader->choice,
                            inf_sv_trim(inf_sv_of(list.ptr + 1, list.len - 2)),
                            refusal);
}

static void
read_logprobs(inf_openai_reader *reader, inf_sv logprobs)
{
  if (logprobs.len == 0 || inf_json_is(logprobs, INF_JSON_NULL))
    return;
  inf_openai_spoil(reader);
  inf_sv content = inf_json_get(logprobs, INF_SV("content"));
  inf_sv refusal = inf_json_get(logprobs, INF_SV("refusal"));
  if (content.len == 0 && refusal.len == 0) {
    /* Together's lists, or a number (seen through OpenRouter). */
    inf_answer_set_choice_extra(reader->answer, reader->choice,
                                INF_SV("logprobs"), logprobs);
    return;
  }
  add_logprobs(reader, content, false);
  add_logprobs(reader, refusal, true);
}

/* OpenAI's preview of 2023 had finish_details instead. */
static void
read_finish(inf_openai_reader *reader, inf_sv reason, inf_sv details)
{
  if (!inf_openai_is_filled(reason))
    reason = inf_json_get(details, INF_SV("type"));
  if (!inf_openai_is_filled(reason))
    return;
  inf_openai_spoil(reader);
  inf_sv native = inf_openai_text(reader, reason);
  inf_answer_finish(reader->answer, reader->choice,
                    inf_map_finish_reason(native), native);
  if (inf_sv_eq_nocase(native, INF_SV("error")) ||
      inf_sv_eq(native, INF_SV("network_error"))) /* Z.ai */
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

/* A chunk's message, and a whole body's delta, repeat (Perplexity). */
static void
read_choice_message(inf_openai_reader *reader, inf_sv delta, inf_sv message)
{
  if (reader->repeats)
    return;
  if (reader->chunk)
    inf_openai_message(reader, delta);
  else if (inf_json_is(message, INF_JSON_OBJECT))
    inf_openai_message(reader, message);
  else
    reader->bad_choice = true;
}

/* Names of a choice that pass through; text only in a whole body, as
 * Together's chunks repeat the delta's text there. */
static void
pass_choice_members(inf_openai_reader *reader, inf_sv choice)
{
  size_t next = 0;
  inf_json_iter it = inf_openai_members_of(reader, choice);
  while (inf_json_next(&it)) {
    size_t name =
        inf_json_find_name(&it, choice_names, CHOICE_NAME_COUNT, &next);
    if (name == CHOICE_NAME_COUNT || name == FINISH_DETAILS ||
        (name == TEXT && !reader->chunk))
      inf_answer_set_choice_extra(reader->answer, reader->choice, it.key,
                                  it.value);
  }
}

static uint32_t
choice_index(inf_sv value)
{
  int64_t index;
  if (inf_json_int64(value, true, &index) && index >= 0 && index <= INT32_MAX)
    return (uint32_t)index;
  return 0;
}

static void
read_choice(inf_openai_reader *reader, inf_sv choice)
{
  inf_sv values[CHOICE_NAME_COUNT] = {{0}};
  bool others = false;
  bool bad_before = reader->bad_choice;
  size_t next = 0;
  inf_json_iter it = inf_openai_members_of(reader, choice);
  while (inf_json_next(&it)) {
    size_t name =
        inf_json_find_name(&it, choice_names, CHOICE_NAME_COUNT, &next);
    if (name < CHOICE_NAME_COUNT)
      values[name] = it.value;
    others |=
        name == CHOICE_NAME_COUNT || name == FINISH_DETAILS || name == TEXT;
  }
  reader->choice = choice_index(values[INDEX]);
  /* Makes the choice, if it says no more than that there is one. */
  inf_answer_set_role(reader->answer, reader->choice, INF_SV(""));
  read_choice_message(reader, values[DELTA], values[MESSAGE]);
  if (!reader->repeats)
    read_logprobs(reader, values[LOGPROBS]);
  ignore_padding(reader, values[OBFUSCATION]);
  if (reader->chunk)
    ignore_padding(reader, values[TEXT]);
  if (others)
    pass_choice_members(reader, choice);
  /* After the message, because it completes the tool calls. */
  read_finish(reader, values[FINISH_REASON], values[FINISH_DETAILS]);
  /* Azure leaves out the message that its filter took away. */
  if (is_filtered(reader))
    reader->bad_choice = bad_before;
  if (values[CHOICE_ERROR].len > 0 && reader->choice_error.len == 0 &&
      !inf_json_is(values[CHOICE_ERROR], INF_JSON_NULL))
    reader->choice_error = choice;
}

/* ---- The top object ------------------------------------------------------ */

enum {
  ID,
  OBJECT,
  CREATED,
  MODEL,
  CHOICES,
  USAGE,
  ERROR,
  TOP_OBFUSCATION,
  PADDING,
  X_GROQ,
  TOP_NAME_COUNT,
};

static const inf_json_name top_names[TOP_NAME_COUNT] = {
    [ID] = INF_JSON_NAME("id"),
    [CHOICES] = INF_JSON_NAME("choices"),
    [MODEL] = INF_JSON_NAME("model"),
    [CREATED] = INF_JSON_NAME("created"),
    [OBJECT] = INF_JSON_NAME("object"),
    [USAGE] = INF_JSON_NAME("usage"),
    [ERROR] = INF_JSON_NAME("error"),
    [TOP_OBFUSCATION] = INF_JSON_NAME("obfuscation"),
    [PADDING] = INF_JSON_NAME("p"),
    [X_GROQ] = INF_JSON_NAME("x_groq"),
};

static void
read_identity(inf_openai_reader *reader, const inf_sv *values)
{
  int64_t seconds;
  inf_answer_set_id(reader->answer, inf_openai_text(reader, values[ID]));
  inf_answer_set_model(reader->answer, inf_openai_text(reader, values[MODEL]));
  if (inf_json_int64(values[CREATED], true, &seconds))
    inf_answer_set_created(reader->answer, seconds);
}

static void
read_padding(inf_openai_reader *reader, inf_sv padding)
{
  if (padding.len == 0)
    return;
  if (inf_is_padding(padding))
    inf_openai_hole(reader, INF_HOLE_PADDING, padding, "p");
  else
    inf_answer_set_extra(reader->answer, INF_SV("p"), padding);
}

static void
read_choices(inf_openai_reader *reader, inf_sv choices)
{
  size_t count = 0;
  inf_json_iter it = inf_json_iter_by(reader->index, choices);
  while (inf_json_next(&it)) {
    read_choice(reader, it.value);
    count++;
  }
  reader->choice_count = count;
  if (count != 1)
    inf_openai_spoil(reader);
}

/* Where the members end that say something of the whole answer. */
static inline void
note_head(inf_openai_reader *reader, size_t name, const inf_json_iter *it)
{
  if (name <= MODEL || name == TOP_NAME_COUNT) {
    reader->scattered |= reader->other.len > 0;
  } else if (reader->other.len == 0) {
    reader->other_name = it->key;
    reader->other = it->value;
  }
}

/* Takes everything, and what the caller must look at into values. Of a failed
 * answer only its cost still counts. */
static void
read_top(inf_openai_reader *reader, inf_sv object, inf_sv *values)
{
  bool failed = reader->decoder->failed;
  size_t next = reader->head_known ? CHOICES : 0;
  inf_json_iter it = inf_openai_members_of(reader, object);
  while (inf_json_next(&it)) {
    size_t name = inf_json_find_name(&it, top_names, TOP_NAME_COUNT, &next);
    note_head(reader, name, &it);
    if (name < TOP_NAME_COUNT)
      values[name] = it.value;
    else if (!failed)
      inf_answer_set_extra(reader->answer, it.key, it.value);
  }
  /* Perplexity ends its streams with the whole answer once more. */
  reader->repeats =
      reader->chunk &&
      inf_openai_says(reader, values[OBJECT], INF_SV("chat.completion.done"));
  inf_openai_usage(reader, values[USAGE]);
  inf_openai_x_groq(reader, values[X_GROQ]);
  if (failed)
    return;
  read_identity(reader, values);
  ignore_padding(reader, values[TOP_OBFUSCATION]);
  read_padding(reader, values[PADDING]);
  read_choices(reader, values[CHOICES]);
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
find_error(inf_openai_reader *reader, inf_sv object, const inf_sv *values)
{
  inf_decoder *decoder = reader->decoder;
  if (decoder->failed)
    return INFER_OK;
  /* Without choices any shape of error is one; beside choices only an
   * "error" that says something. */
  bool alone = !inf_json_is(values[CHOICES], INF_JSON_ARRAY);
  bool told =
      values[ERROR].len > 0 && !inf_json_is(values[ERROR], INF_JSON_NULL);
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
           inf_json_index *index, inf_json_error *error)
{
  if (!inf_json_scan_index(text, max_depth, value, index, error))
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

/* The same of a text that is made valid before it is read. Nearly all are
 * ASCII, as the scan tells. */
static int32_t
scan_repaired(inf_decoder *decoder, inf_sv *text, inf_sv *value,
              inf_json_index *index, inf_json_error *error, bool *sound)
{
  const unsigned max_depth = decoder->options.max_depth;
  const char *as_it_came = text->ptr;
  *sound = scan_alone(*text, max_depth, value, index, error);
  if (*sound && index->ascii)
    return INFER_OK;
  int32_t status = repair(decoder, text);
  if (status == INFER_OK && text->ptr != as_it_came)
    *sound = scan_alone(*text, max_depth, value, index, error);
  return status;
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

/* The short way: what fits the template says the same as the last chunk but
 * for the strings. */
static void
take_fillings(inf_decoder *decoder, inf_sv chunk, const inf_filling *fillings)
{
  const inf_guess *guess = &decoder->guess;
  inf_openai_reader reader = {
      .decoder = decoder, .answer = decoder->answer, .text = chunk};
  inf_buf_clear(&decoder->scratch);
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
}

static bool
read_by_guess(inf_decoder *decoder, inf_sv data)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  if (decoder->options.no_guess || decoder->failed || data.len == 0 ||
      inf_guess_match(&decoder->guess, data, fillings) != data.len)
    return false;
  take_fillings(decoder, data, fillings);
  return true;
}

/* ---- Runs of like chunks ------------------------------------------------- */

/* The one hole with content, or NULL if there are more: then their order
 * matters, and the events are taken one by one. */
static const inf_hole *
only_content(const inf_guess *guess, size_t *at)
{
  const inf_hole *found = NULL;
  for (size_t i = 0; i < guess->hole_count; i++) {
    if (guess->holes[i].kind == INF_HOLE_PADDING)
      continue;
    if (found)
      return NULL;
    found = &guess->holes[i];
    *at = i;
  }
  return found;
}

/* Gathers the strings of a run. False if that might go over the answer's
 * limit, or there is no memory: then the event is read the long way, which
 * says so. */
static bool
gather(inf_decoder *decoder, const inf_filling *filling)
{
  inf_buf *run = &decoder->scratch;
  const inf_answer *answer = decoder->answer;
  size_t len = filling->value.len - 2, before = run->len;
  size_t room = answer->max_bytes - answer->bytes;
  if (len > room - before)
    return false;
  /* Decoded it is longer than it was, if it is not valid. */
  if ((filling->ascii ? inf_buf_append(run, filling->value.ptr + 1, len)
                      : inf_json_string(filling->value, run)) &&
      run->len <= room)
    return true;
  inf_buf_truncate(run, before); /* of a part of the string */
  return false;
}

/* What the events of most runs are: one hole, and plain ASCII in it. Takes them
 * off the front of the text and gathers their strings; anything else ends it.
 * A run of thousands of chunks goes through here, so it has no step that is not
 * needed for each of them. */
static size_t
take_plain_events(inf_decoder *decoder, const inf_hole *hole, inf_sv text,
                  size_t *count)
{
  enum { field = 6, over = 16 };
  const inf_guess *guess = &decoder->guess;
  const inf_answer *answer = decoder->answer;
  inf_buf *run = &decoder->scratch;
  /* The quotes belong to what must be the same. */
  size_t head_len = hole->start + 1, tail_len = guess->text.len - hole->end + 1;
  const char *head = guess->text.ptr;
  const char *tail = guess->text.ptr + hole->end - 1;
  const char *at = text.ptr, *end = text.ptr + text.len;
  size_t room = answer->max_bytes - answer->bytes;
  size_t max_bytes = decoder->options.max_event_bytes;
  if (!inf_buf_reserve(run, text.len + over))
    return 0;
  while ((size_t)(end - at) >= field + head_len + tail_len + 2 &&
         memcmp(at, "data: ", field) == 0 &&
         memcmp(at + field, head, head_len) == 0) {
    const char *start = at + field + head_len;
    const char *quote = inf_swar_ascii_end(start, end);
    size_t len = (size_t)(quote - start), after = (size_t)(end - quote);
    if (after < tail_len + 2 || memcmp(quote, tail, tail_len) != 0 ||
        memcmp(quote + tail_len, "\n\n", 2) != 0 || len > room - run->len ||
        field + head_len + len + tail_len > max_bytes)
      break;
    if (len <= over && len + after >= over) /* one move, without a call */
      memcpy(run->ptr + run->len, start, over);
    else
      memcpy(run->ptr + run->len, start, len);
    run->len += len;
    at = quote + tail_len + 2;
    ++*count;
  }
  run->ptr[run->len] = '\0';
  return (size_t)(at - text.ptr);
}

/* The strings of a run become one piece: the reader of the answer could not
 * tell, for what comes within one turn of the loop is merged anyway. */
size_t
inf_openai_read_alike(inf_decoder *decoder, inf_sv text, size_t *count)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  const inf_guess *guess = &decoder->guess;
  inf_answer *answer = decoder->answer;
  size_t taken = 0, len, at = 0;
  const inf_hole *hole = guess->ready ? only_content(guess, &at) : NULL;
  *count = 0;
  if (!hole || decoder->options.no_guess || answer->status != INFER_OK)
    return 0;
  inf_buf_clear(&decoder->scratch);
  for (;;) {
    if (guess->hole_count == 1)
      taken += take_plain_events(
          decoder, hole, inf_sv_of(text.ptr + taken, text.len - taken), count);
    if (taken == text.len)
      break;
    len = inf_guess_match_event(guess,
                                inf_sv_of(text.ptr + taken, text.len - taken),
                                decoder->options.max_event_bytes, fillings);
    if (len == 0 || !gather(decoder, &fillings[at]))
      break;
    taken += len;
    ++*count;
  }
  inf_sv run = inf_sv_of(decoder->scratch.ptr, decoder->scratch.len);
  if (run.len > 0 && hole->kind == INF_HOLE_REASONING)
    inf_answer_add_reasoning(answer, guess->choice, run, hole->name);
  else if (run.len > 0)
    inf_answer_add_text(answer, guess->choice, run);
  return taken;
}

/* ---- Chunks -------------------------------------------------------------- */

/* A chunk that begins as the last one did is read from there on. What is not
 * as usual with the rest is left to a whole scan; so is one that has no index,
 * without which all members would be read. */
static bool
scan_after_head(const inf_decoder *decoder, inf_sv text, inf_sv *value,
                inf_json_index *index)
{
  inf_sv name;
  size_t known = inf_guess_match_head(&decoder->guess, text, &name);
  const inf_answer *answer = decoder->answer;
  /* Where there may be no room for the head, only a reading of it tells. */
  if (known == 0 || known > answer->max_bytes - answer->bytes ||
      decoder->options.no_guess || decoder->failed)
    return false;
  inf_sv rest = inf_sv_of(text.ptr + known, text.len - known);
  return inf_json_scan_rest(text, known, name, decoder->options.max_depth,
                            value, index, NULL) &&
         index->text && value->len == text.len &&
         (index->ascii || inf_utf8_valid(rest));
}

/* What is said after the head too may be said otherwise there: then the head
 * must be read again. */
static void
keep_head(const inf_openai_reader *reader, inf_sv value)
{
  if (reader->head_known && !reader->scattered)
    return;
  inf_sv head = {NULL, 0};
  if (!reader->scattered && reader->other.len > 0)
    head = inf_sv_of(value.ptr, (size_t)(reader->other.ptr - value.ptr));
  inf_guess_set_head(reader->guess, head, reader->other_name);
}

static int32_t
read_chunk(inf_decoder *decoder, inf_sv data, bool named_error)
{
  inf_json_error error;
  inf_json_index index;
  inf_sv value;
  int32_t status = INFER_OK;
  bool head_known =
      !named_error && scan_after_head(decoder, data, &value, &index);
  bool sound = head_known;
  if (!head_known)
    status = scan_repaired(decoder, &data, &value, &index, &error, &sound);
  if (status != INFER_OK)
    return status;
  inf_guess_begin(&decoder->guess, data);
  if (!sound) {
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
                              .valid = true,
                              .index = &index,
                              .head_known = head_known,
                              .chunk = true};
  inf_sv values[TOP_NAME_COUNT] = {{0}};
  read_top(&reader, value, values);
  status = find_error(&reader, value, values);
  if (status == INFER_OK && !reader.repeats) {
    inf_guess_end(&decoder->guess, reader.choice);
    keep_head(&reader, value);
  }
  if (reader.repeats) {
    decoder->terminated = true;
    return INF_DECODER_DONE;
  }
  return status;
}

int32_t
inf_openai_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  if (event->error.len > 0)
    return read_error_event(decoder, event->error);
  bool named_error = inf_sv_eq(event->event, INF_SV("error"));
  if (!named_error && read_by_guess(decoder, event->data))
    return INFER_OK;
  inf_buf_clear(&decoder->scratch);
  inf_sv data = inf_sv_trim(event->data);
  if (inf_sv_eq(data, INF_SV("[DONE]"))) {
    decoder->terminated = true;
    return INF_DECODER_DONE;
  }
  if (data.len == 0)
    return INFER_OK;
  return read_chunk(decoder, data, named_error);
}

/* Is there an answer at all? A finish reason may be missing (seen with
 * Snowflake and through OpenRouter), but then there must be content. */
static int32_t
check_answer(inf_openai_reader *reader)
{
  inf_decoder *decoder = reader->decoder;
  const inf_answer *answer = reader->answer;
  if (answer->status != INFER_OK)
    return INFER_OK;
  if (reader->choice_count == 0 || reader->bad_choice)
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
  inf_json_index index;
  inf_sv value;
  inf_buf_clear(&decoder->scratch);
  body = inf_sv_trim(body);
  bool sound;
  int32_t status =
      scan_repaired(decoder, &body, &value, &index, &error, &sound);
  if (status != INFER_OK)
    return status;
  if (!sound)
    return inf_document_refuse(decoder, body, &error);
  inf_openai_reader reader = {.decoder = decoder,
                              .answer = decoder->answer,
                              .text = body,
                              .valid = true,
                              .index = &index};
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    if (inf_json_is(value, INF_JSON_ARRAY) && fail_by_value(&reader, value))
      return decoder->failure.status;
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the answer is not a JSON object");
  }
  inf_sv values[TOP_NAME_COUNT] = {{0}};
  read_top(&reader, value, values);
  status = find_error(&reader, value, values);
  return status == INFER_OK ? check_answer(&reader) : status;
}
