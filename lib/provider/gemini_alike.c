/* SPDX-License-Identifier: MIT */
/* In nearly all chunks of a stream one text is new, and three or four numbers
 * of usageMetadata, which stands in every one of them: the template has holes
 * for these. What else a chunk says must say nothing when it is taken twice;
 * tables of all that may be there make sure of it. */
#include "provider/gemini_alike.h"

#include "infer/infer.h"

#include "provider/document.h"
#include "wire/json_names.h"
#include "wire/swar.h"

static const char candidates_count[] = "candidatesTokenCount";
static const char thoughts_count[] = "thoughtsTokenCount";
static const char total_count[] = "totalTokenCount";

/* ---- Learning ------------------------------------------------------------ */

static void
make_hole(inf_guess *guess, inf_sv number, const char *name)
{
  if (inf_json_is(number, INF_JSON_NUMBER))
    inf_guess_hole(guess, INF_HOLE_NUMBER, number, name);
}

enum usage_name { COUNT, TOTAL, THOUGHTS, DETAILS, USAGE_NAME_COUNT };

static const inf_json_name usage_names[USAGE_NAME_COUNT] = {
    [COUNT] = INF_JSON_NAME(candidates_count),
    [TOTAL] = INF_JSON_NAME(total_count),
    [THOUGHTS] = INF_JSON_NAME(thoughts_count),
    [DETAILS] = INF_JSON_NAME("candidatesTokensDetails"),
};

/* While the model thinks its thoughts are counted, then its candidates. */
static void
learn_usage(inf_guess *guess, const inf_json_index *index, inf_sv usage)
{
  static const inf_json_name token_count = INF_JSON_NAME("tokenCount");
  inf_sv at[USAGE_NAME_COUNT], number;
  inf_json_pick(index, usage, usage_names, USAGE_NAME_COUNT, at);
  make_hole(guess, at[TOTAL], total_count);
  if (at[COUNT].len > 0)
    make_hole(guess, at[COUNT], candidates_count);
  else
    make_hole(guess, at[THOUGHTS], thoughts_count);
  inf_json_iter it = inf_json_iter_by(index, at[DETAILS]);
  while (inf_json_next(&it)) {
    inf_json_pick(index, it.value, &token_count, 1, &number);
    make_hole(guess, number, NULL);
  }
}

/* The only one of an array's; "" if there are more, or none. */
static inf_sv
single(const inf_json_index *index, inf_sv array)
{
  inf_json_iter it = inf_json_iter_by(index, array);
  if (it.object || !inf_json_next(&it))
    return INF_SV("");
  inf_sv value = it.value;
  return inf_json_next(&it) ? INF_SV("") : value;
}

enum { CANDIDATES, USAGE, TOP_NAME_COUNT = 5 };
enum { CONTENT, INDEX, CANDIDATE_NAME_COUNT };
enum { PARTS, CONTENT_NAME_COUNT = 2 };
enum { TEXT, THOUGHT, PART_NAME_COUNT };

/* All that may be there. */
static const inf_json_name top_names[TOP_NAME_COUNT] = {
    INF_JSON_NAME("candidates"), INF_JSON_NAME("usageMetadata"),
    INF_JSON_NAME("modelVersion"), INF_JSON_NAME("responseId"),
    INF_JSON_NAME("createTime")};
static const inf_json_name candidate_names[CANDIDATE_NAME_COUNT] = {
    INF_JSON_NAME("content"), INF_JSON_NAME("index")};
static const inf_json_name content_names[CONTENT_NAME_COUNT] = {
    INF_JSON_NAME("parts"), INF_JSON_NAME("role")};
static const inf_json_name part_names[PART_NAME_COUNT] = {
    INF_JSON_NAME("text"), INF_JSON_NAME("thought")};

void
inf_gemini_learn(inf_decoder *decoder, const inf_json_index *index,
                 inf_sv value)
{
  int64_t number = 0;
  inf_guess *guess = &decoder->guess;
  inf_sv top[TOP_NAME_COUNT], candidate[CANDIDATE_NAME_COUNT];
  inf_sv content[CONTENT_NAME_COUNT], part[PART_NAME_COUNT];
  if (decoder->failed || decoder->answer->status != INFER_OK ||
      !inf_json_pick(index, value, top_names, TOP_NAME_COUNT, top) ||
      !inf_json_pick(index, single(index, top[CANDIDATES]), candidate_names,
                     CANDIDATE_NAME_COUNT, candidate) ||
      !inf_json_pick(index, candidate[CONTENT], content_names,
                     CONTENT_NAME_COUNT, content) ||
      !inf_json_pick(index, single(index, content[PARTS]), part_names,
                     PART_NAME_COUNT, part) ||
      !inf_json_is(part[TEXT], INF_JSON_STRING))
    return;
  inf_json_int64(candidate[INDEX], true, &number);
  inf_guess_hole(guess,
                 inf_json_is(part[THOUGHT], INF_JSON_TRUE) ? INF_HOLE_REASONING
                                                           : INF_HOLE_TEXT,
                 part[TEXT], "reasoning_content");
  learn_usage(guess, index, top[USAGE]);
  if (number >= 0 && number < INT32_MAX)
    inf_guess_end(guess, (uint32_t)number);
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
typedef struct figures {
  bool any;
  int64_t candidates, thoughts, total;
} figures;

static const figures no_figures = {false, -1, -1, -1};

static inline void
note_figure(figures *seen, const inf_hole *hole, int64_t number)
{
  if (!hole->name)
    return;
  seen->any = true;
  if (hole->name == candidates_count)
    seen->candidates = number;
  else if (hole->name == thoughts_count)
    seen->thoughts = number;
  else
    seen->total = number;
}

/* Where thoughts are counted at all, but not in a hole, there are as many as
 * before. */
static void
take_usage(inf_decoder *decoder, const figures *seen)
{
  inf_usage *usage = &decoder->answer->usage;
  if (!seen->any)
    return;
  if (seen->thoughts >= 0)
    usage->reasoning = seen->thoughts;
  if (seen->total >= 0)
    usage->total = seen->total;
  usage->output = inf_document_sum(seen->candidates, usage->reasoning);
}

static void
take_fillings(inf_decoder *decoder, const inf_filling *fillings)
{
  const inf_guess *guess = &decoder->guess;
  figures seen = no_figures;
  for (size_t i = 0; i < guess->hole_count; i++)
    if (guess->holes[i].kind == INF_HOLE_NUMBER)
      note_figure(&seen, &guess->holes[i], number_of(fillings[i].value));
  take_usage(decoder, &seen);
}

/* A number that has grown by a digit makes a new template, since the quickest
 * way takes those of a length. */
static void
follow(inf_guess *guess, inf_sv chunk, const inf_filling *fillings)
{
  bool grown = false;
  for (size_t i = 0; i < guess->hole_count; i++)
    grown |=
        guess->holes[i].kind == INF_HOLE_NUMBER &&
        guess->holes[i].end - guess->holes[i].start != fillings[i].value.len;
  if (grown)
    inf_guess_renew(guess, chunk, fillings);
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

/* ---- Runs ---------------------------------------------------------------- */

/* "data: ", "\r\n\r\n"; what is moved at once. */
enum { field = 6, frame = 4, over = 16 };

/* Does an event end so, and does another begin behind it? */
static inline bool
match_seam(const inf_guess_layout *layout, const char *at, const char *end)
{
  const inf_buf *seam = &layout->seam;
  return (size_t)(end - at) >= seam->len && seam->len > 0 &&
         memcmp(at, seam->ptr, seam->len) == 0;
}

static inline bool
match_tail(const inf_guess *guess, const char *at)
{
  size_t len = guess->layout->tail_len;
  return memcmp(at, guess->text.ptr + guess->layout->tail, len) == 0 &&
         memcmp(at + len, "\r\n\r\n", frame) == 0;
}

/* Does an event begin so? */
static inline bool
match_head(const inf_guess *guess, const char *at, const char *end)
{
  size_t head = guess->layout->head;
  return (size_t)(end - at) >= field + head &&
         memcmp(at, "data: ", field) == 0 &&
         memcmp(at + field, guess->text.ptr, head) == 0;
}

/* The figures after a text that ends there. */
static void
take_figures(inf_decoder *decoder, const char *at)
{
  const inf_guess *guess = &decoder->guess;
  const inf_guess_layout *layout = guess->layout;
  figures seen = no_figures;
  for (size_t i = 0; i < layout->count; i++)
    note_figure(&seen, &guess->holes[i + 1],
                inf_guess_number_of(&layout->numbers[i], at));
  take_usage(decoder, &seen);
}

/* The chunk alone, without what frames it. */
static bool
take_plain_chunk(inf_decoder *decoder, inf_sv chunk)
{
  const inf_guess *guess = &decoder->guess;
  const inf_guess_layout *layout = guess->layout;
  const inf_answer *answer = decoder->answer;
  if (!guess->ready || !layout || !layout->usable)
    return false;
  size_t head = layout->head, after = layout->after;
  if (chunk.len < head + after || memcmp(chunk.ptr, guess->text.ptr, head) != 0)
    return false;
  const char *start = chunk.ptr + head, *end = chunk.ptr + chunk.len;
  const char *quote = inf_swar_ascii_end(start, end);
  const char *tail = end - layout->tail_len;
  size_t len = (size_t)(quote - start);
  if ((size_t)(end - quote) != after ||
      len > answer->max_bytes - answer->bytes ||
      !inf_guess_match_numbers(guess, quote) ||
      memcmp(tail, guess->text.ptr + layout->tail, layout->tail_len) != 0)
    return false;
  add_text(decoder, &guess->holes[0], inf_sv_of(start, len));
  take_figures(decoder, quote);
  return true;
}

bool
inf_gemini_read_alike_chunk(inf_decoder *decoder, inf_sv chunk)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  size_t at = 0;
  if (decoder->options.no_guess || decoder->failed || chunk.len == 0 ||
      decoder->answer->status != INFER_OK)
    return false;
  if (take_plain_chunk(decoder, chunk))
    return true;
  if (inf_guess_match(&decoder->guess, chunk, fillings) != chunk.len)
    return false;
  const inf_hole *hole = text_hole(&decoder->guess, &at);
  inf_buf_clear(&decoder->scratch);
  if (!hole || !gather(decoder, &fillings[at]))
    return false;
  add_text(decoder, hole, inf_buf_sv(&decoder->scratch));
  take_fillings(decoder, fillings);
  follow(&decoder->guess, chunk, fillings);
  return true;
}

/* What the events of most runs are: a text of plain ASCII, and numbers as long
 * as the last ones. Takes them off the front of the text and gathers their
 * texts; anything else ends it, and so does any limit that might be met. A run
 * of thousands of chunks goes through here, so it has no step that is not
 * needed for each of them. */
static size_t
take_plain(inf_decoder *decoder, inf_sv text, size_t *count)
{
  const inf_guess *guess = &decoder->guess;
  const inf_answer *answer = decoder->answer;
  const char *at = text.ptr, *end = text.ptr + text.len, *last = NULL;
  inf_buf *run = &decoder->scratch;
  size_t max_bytes = decoder->options.max_event_bytes, taken = 0;
  const inf_guess_layout *const layout = guess->layout;
  if (!layout || !layout->usable ||
      text.len > answer->max_bytes - answer->bytes ||
      run->len > answer->max_bytes - answer->bytes - text.len)
    return 0;
  const size_t open = field + layout->head, after = layout->after + frame;
  const size_t to_tail = layout->tail - layout->same;
  if (open + layout->after > max_bytes ||
      !inf_buf_reserve(run, text.len + over))
    return 0;
  const size_t longest = max_bytes - (open + layout->after);
  char *restrict out = run->ptr + run->len; /* no other way leads there */
  const char *const out_start = out;
  bool more = match_head(guess, at, end);
  while (more) {
    const char *start = at + open;
    const char *quote = inf_swar_ascii_end(start, end);
    size_t len = (size_t)(quote - start);
    if ((size_t)(end - quote) < after || len > longest ||
        !inf_guess_match_numbers(guess, quote))
      break;
    more = match_seam(layout, quote + to_tail, end);
    if (!more && !match_tail(guess, quote + to_tail))
      break;
    if (len <= over) /* one move, without a call */
      memcpy(out, start, over);
    else
      memcpy(out, start, len);
    out += len;
    at = quote + after;
    last = quote;
    taken++;
  }
  run->len += (size_t)(out - out_start);
  run->ptr[run->len] = '\0';
  *count += taken;
  if (last)
    take_figures(decoder, last);
  return (size_t)(at - text.ptr);
}

/* The texts of a run become one piece: the reader of the answer could not
 * tell, for what comes within one turn of the loop is merged anyway. */
size_t
inf_gemini_read_alike(inf_decoder *decoder, inf_sv text, size_t *count)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  inf_guess *guess = &decoder->guess;
  size_t taken = 0, at = 0;
  const inf_hole *hole = guess->ready ? text_hole(guess, &at) : NULL;
  *count = 0;
  if (!hole || decoder->options.no_guess || decoder->answer->status != INFER_OK)
    return 0;
  inf_buf_clear(&decoder->scratch);
  for (;;) {
    taken += take_plain(decoder, inf_sv_of(text.ptr + taken, text.len - taken),
                        count);
    if (taken == text.len)
      break;
    size_t len = inf_guess_match_event(
        guess, inf_sv_of(text.ptr + taken, text.len - taken),
        decoder->options.max_event_bytes, fillings);
    if (len == 0 || !gather(decoder, &fillings[at]))
      break;
    take_fillings(decoder, fillings);
    follow(guess, inf_guess_event_data(inf_sv_of(text.ptr + taken, len)),
           fillings);
    taken += len;
    ++*count;
  }
  add_text(decoder, hole, inf_buf_sv(&decoder->scratch));
  return taken;
}
