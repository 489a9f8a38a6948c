/* SPDX-License-Identifier: MIT */
/* In nearly all chunks of a stream one text is new, and three or four numbers
 * of usageMetadata, which stands in every one of them: the template has holes
 * for these. What else a chunk says must say nothing when it is taken twice;
 * a list of all that may be there makes sure of it. */
#include "provider/gemini_alike.h"

#include "infer/infer.h"

#include "wire/json_value.h"

static const char candidates_count[] = "candidatesTokenCount";
static const char thoughts_count[] = "thoughtsTokenCount";
static const char total_count[] = "totalTokenCount";

/* ---- Learning ------------------------------------------------------------ */

/* Does the object have each member once, and none but those? Names are
 * separated by spaces. */
static bool
has_only(inf_sv object, const char *names)
{
  inf_sv rest = inf_sv_from(names);
  size_t known = 0;
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, ' ');
    known += inf_json_get(object, inf_sv_of(rest.ptr, len)).len > 0;
    rest = inf_sv_trim(inf_sv_of(rest.ptr + len, rest.len - len));
  }
  return known == inf_json_count(object);
}

static void
make_hole(inf_guess *guess, inf_sv number, const char *name)
{
  if (inf_json_is(number, INF_JSON_NUMBER))
    inf_guess_hole(guess, INF_HOLE_NUMBER, number, name);
}

static void
learn_usage(inf_guess *guess, inf_sv usage)
{
  static const char *const names[] = {candidates_count, thoughts_count,
                                      total_count};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    make_hole(guess, inf_json_get(usage, inf_sv_from(names[i])), names[i]);
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(usage, INF_SV("candidatesTokensDetails")));
  while (inf_json_next(&it))
    make_hole(guess, inf_json_get(it.value, INF_SV("tokenCount")), NULL);
}

void
inf_gemini_learn(inf_decoder *decoder, inf_sv value)
{
  int64_t index = 0;
  inf_guess *guess = &decoder->guess;
  inf_sv candidates = inf_json_get(value, INF_SV("candidates"));
  inf_sv candidate = inf_json_at(candidates, 0);
  inf_sv content = inf_json_get(candidate, INF_SV("content"));
  inf_sv parts = inf_json_get(content, INF_SV("parts"));
  inf_sv part = inf_json_at(parts, 0);
  inf_sv text = inf_json_get(part, INF_SV("text"));
  inf_sv thought = inf_json_get(part, INF_SV("thought"));
  if (decoder->failed || decoder->answer->status != INFER_OK ||
      !inf_json_is(text, INF_JSON_STRING) || inf_json_count(candidates) != 1 ||
      inf_json_count(parts) != 1 || !has_only(part, "text thought") ||
      !has_only(content, "parts role") ||
      !has_only(candidate, "content index") ||
      !has_only(value, "candidates usageMetadata modelVersion responseId "
                       "createTime"))
    return;
  inf_json_int64(inf_json_get(candidate, INF_SV("index")), true, &index);
  inf_guess_hole(guess,
                 inf_json_is(thought, INF_JSON_TRUE) ? INF_HOLE_REASONING
                                                     : INF_HOLE_TEXT,
                 text, "reasoning_content");
  learn_usage(guess, inf_json_get(value, INF_SV("usageMetadata")));
  if (index >= 0 && index < INT32_MAX)
    inf_guess_end(guess, (uint32_t)index);
}

/* ---- Taking -------------------------------------------------------------- */

static int64_t
number_of(inf_sv digits)
{
  int64_t number = 0;
  for (size_t i = 0; i < digits.len; i++)
    number = number * 10 + (digits.ptr[i] - '0');
  return number;
}

/* The figures that stand in holes; all others are those of the template. */
static void
take_usage(inf_decoder *decoder, const inf_filling *fillings)
{
  const inf_guess *guess = &decoder->guess;
  inf_usage *usage = &decoder->answer->usage;
  int64_t candidates = -1, thoughts = -1;
  bool any = false;
  for (size_t i = 0; i < guess->hole_count; i++) {
    const inf_hole *hole = &guess->holes[i];
    if (hole->kind != INF_HOLE_NUMBER || !hole->name)
      continue;
    int64_t number = number_of(fillings[i].value);
    any = true;
    if (hole->name == candidates_count)
      candidates = number;
    else if (hole->name == thoughts_count)
      thoughts = number;
    else
      usage->total = number;
  }
  if (!any)
    return;
  usage->reasoning = thoughts;
  usage->output = inf_gemini_sum(candidates, thoughts);
}

static const inf_hole *
text_hole(const inf_guess *guess, size_t *at)
{
  for (size_t i = 0; i < guess->hole_count; i++) {
    *at = i;
    if (guess->holes[i].kind != INF_HOLE_NUMBER)
      return &guess->holes[i];
  }
  return NULL;
}

static void
add_text(inf_decoder *decoder, const inf_hole *hole, inf_sv text)
{
  inf_answer *answer = decoder->answer;
  uint32_t choice = decoder->guess.choice;
  if (text.len > 0 && hole->kind == INF_HOLE_REASONING)
    inf_answer_add_reasoning(answer, choice, text, hole->name);
  else if (text.len > 0)
    inf_answer_add_text(answer, choice, text);
}

/* Gathers the texts of a run. False if that might go over the answer's limit,
 * or there is no memory: then the event is read the long way, which says so. */
static bool
gather(inf_decoder *decoder, const inf_filling *filling)
{
  inf_buf *run = &decoder->scratch;
  const inf_answer *answer = decoder->answer;
  size_t len = filling->value.len - 2, before = run->len;
  size_t room = answer->max_bytes - answer->bytes;
  if (len > room - before)
    return false;
  if ((filling->ascii ? inf_buf_append(run, filling->value.ptr + 1, len)
                      : inf_json_string(filling->value, run)) &&
      run->len <= room)
    return true;
  inf_buf_truncate(run, before);
  return false;
}

bool
inf_gemini_read_alike_chunk(inf_decoder *decoder, inf_sv chunk)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  size_t at = 0;
  if (decoder->options.no_guess || decoder->failed || chunk.len == 0 ||
      inf_guess_match(&decoder->guess, chunk, fillings) != chunk.len)
    return false;
  const inf_hole *hole = text_hole(&decoder->guess, &at);
  inf_buf_clear(&decoder->scratch);
  if (!hole || !gather(decoder, &fillings[at]))
    return false;
  add_text(decoder, hole, inf_buf_sv(&decoder->scratch));
  take_usage(decoder, fillings);
  return true;
}

/* The texts of a run become one piece: the reader of the answer could not
 * tell, for what comes within one turn of the loop is merged anyway. */
size_t
inf_gemini_read_alike(inf_decoder *decoder, inf_sv text, size_t *count)
{
  inf_filling fillings[2][INF_GUESS_MAX_HOLES];
  const inf_guess *guess = &decoder->guess;
  size_t taken = 0, at = 0;
  const inf_hole *hole = guess->ready ? text_hole(guess, &at) : NULL;
  *count = 0;
  if (!hole || decoder->options.no_guess || decoder->answer->status != INFER_OK)
    return 0;
  inf_buf_clear(&decoder->scratch);
  for (;;) {
    /* One that does not fit may have been read in part. */
    inf_filling *next = fillings[*count & 1];
    size_t len = inf_guess_match_event(
        guess, inf_sv_of(text.ptr + taken, text.len - taken),
        decoder->options.max_event_bytes, next);
    if (len == 0 || !gather(decoder, &next[at]))
      break;
    taken += len;
    ++*count;
  }
  if (*count == 0)
    return 0;
  add_text(decoder, hole, inf_buf_sv(&decoder->scratch));
  take_usage(decoder, fillings[(*count - 1) & 1]);
  return taken;
}
