/* SPDX-License-Identifier: MIT */
/* A delta is two lines, the name of the event and its data. The template has
 * both, as they stand in the stream; of relays that leave the name out it has
 * the data alone. The API puts a varying number of spaces before the last
 * bracket, against who counts the bytes of an encrypted stream: they are no
 * part of what is compared. */
#include "provider/anthropic_alike.h"

#include "infer/infer.h"

#include "wire/json_scan.h"
#include "wire/swar.h"

static const char reasoning_name[] = "reasoning_content";
static const char event_name[] = "content_block_delta";
static const char front[] = "event: content_block_delta\ndata: ";

enum {
  field_len = 6, /* of "data: " */
  front_len = sizeof(front) - 1,
  spare_bytes = 16, /* that a move may write beyond the end */
};

/* ---- Learning ------------------------------------------------------------ */

/* All that a delta of text says; more might not be the same twice. */
static bool
is_plain_delta(inf_sv data, inf_sv value)
{
  return data.ptr[data.len - 1] == '}' && inf_json_count(value) == 3 &&
         inf_json_count(inf_json_get(value, INF_SV("delta"))) == 2;
}

/* The event as it stands in the stream, but for its end; "" without memory. */
static inf_sv
write_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_buf *out = &decoder->scratch;
  size_t skip = event->event.len > 0 ? 0 : front_len - field_len;
  inf_buf_clear(out);
  inf_buf_append(out, front + skip, front_len - skip);
  inf_buf_append_sv(out, event->data);
  return out->status == INFER_OK ? inf_buf_sv(out) : INF_SV("");
}

void
inf_anthropic_learn(inf_decoder *decoder, const inf_sse_event *event,
                    inf_sv value, inf_sv string, bool thinking)
{
  inf_guess *guess = &decoder->guess;
  inf_sv data = event->data;
  /* A repaired copy is not what the next event will look like. */
  bool is_copy = value.ptr < data.ptr || value.ptr >= data.ptr + data.len;
  guess->ready = false;
  if (decoder->options.no_guess || is_copy ||
      decoder->answer->status != INFER_OK ||
      !inf_json_is(string, INF_JSON_STRING) || !is_plain_delta(data, value) ||
      (event->event.len > 0 &&
       !inf_sv_eq(event->event, inf_sv_from(event_name))))
    return;
  inf_sv text = write_event(decoder, event);
  if (text.len == 0)
    return;
  size_t at = text.len - data.len + (size_t)(string.ptr - data.ptr);
  inf_guess_begin(guess, text);
  inf_guess_hole(guess, thinking ? INF_HOLE_REASONING : INF_HOLE_TEXT,
                 inf_sv_of(text.ptr + at, string.len), reasoning_name);
  inf_guess_end(guess, 0);
}

/* ---- Matching ------------------------------------------------------------ */

/* What like events have in common: all but the string, whose quotes belong to
 * it, and spaces between the tail and the last bracket. */
typedef struct frame {
  inf_sv head, tail;
  size_t room;      /* what the answer may still take */
  size_t max_bytes; /* of an event */
} frame;

static frame
frame_of(const inf_decoder *decoder)
{
  const inf_guess *guess = &decoder->guess;
  const inf_hole *hole = &guess->holes[0];
  size_t start = hole->start + 1, end = hole->end - 1;
  size_t last = guess->text.len - 1; /* the bracket */
  while (last > hole->end && guess->text.ptr[last - 1] == ' ')
    last--;
  return (frame){
      .head = inf_sv_of(guess->text.ptr, start),
      .tail = inf_sv_of(guess->text.ptr + end, last - end),
      .room = decoder->answer->max_bytes - decoder->answer->bytes,
      .max_bytes = decoder->options.max_event_bytes,
  };
}

/* From a quote to behind the last bracket; NULL if it is not so. */
static inline const char *
match_tail(const frame *like, const char *quote, const char *end)
{
  size_t len = like->tail.len;
  if ((size_t)(end - quote) <= len || memcmp(quote, like->tail.ptr, len) != 0)
    return NULL;
  const char *at = quote + len;
  while (at < end && *at == ' ')
    at++;
  return at < end && *at == '}' ? at + 1 : NULL;
}

/* Gathers the string of the event at the front of the text. Gives the length
 * of the event without its end; 0 if it does not fit, or has to be read the
 * long way, which says what is wrong. */
static size_t
take_one(inf_decoder *decoder, const frame *like, inf_sv text)
{
  inf_sv head = like->head, string;
  inf_buf *run = &decoder->scratch;
  size_t before = run->len;
  if (text.len <= head.len || memcmp(text.ptr, head.ptr, head.len) != 0)
    return 0;
  inf_sv rest = inf_sv_of(text.ptr + head.len - 1, text.len - head.len + 1);
  if (!inf_json_scan(rest, 1, &string, NULL) || string.ptr != rest.ptr)
    return 0;
  const char *after =
      match_tail(like, string.ptr + string.len - 1, text.ptr + text.len);
  size_t len = after ? (size_t)(after - text.ptr) : 0;
  if (len > 0 && len <= like->max_bytes && inf_json_string(string, run) &&
      run->len <= like->room)
    return len;
  inf_buf_truncate(run, before);
  return 0;
}

/* Takes events with nothing but plain ASCII in their strings off the front of
 * the text, and gathers those; anything else ends it. A run of thousands of
 * events goes through here, so it has no step that is not needed for each. */
static size_t
take_plain(inf_decoder *decoder, const frame *like, inf_sv text, size_t *count)
{
  inf_buf *run = &decoder->scratch;
  const char *head = like->head.ptr;
  size_t head_len = like->head.len, room = like->room - run->len, taken = 0;
  const char *at = text.ptr, *end = text.ptr + text.len;
  char *restrict out = run->ptr + run->len; /* no other way leads there */
  const char *const out_start = out;
  while ((size_t)(end - at) > head_len && memcmp(at, head, head_len) == 0) {
    const char *start = at + head_len;
    const char *quote = inf_swar_ascii_end(start, end);
    const char *after = match_tail(like, quote, end);
    size_t len = (size_t)(quote - start);
    if (!after || end - after < 2 || memcmp(after, "\n\n", 2) != 0 ||
        len > room || (size_t)(after - at) > like->max_bytes)
      break;
    if (len <= spare_bytes && end - start >= spare_bytes) /* without a call */
      memcpy(out, start, spare_bytes);
    else
      memcpy(out, start, len);
    out += len;
    room -= len;
    at = after + 2;
    taken++;
  }
  run->len += (size_t)(out - out_start);
  run->ptr[run->len] = '\0';
  *count += taken;
  return (size_t)(at - text.ptr);
}

/* ---- Taking -------------------------------------------------------------- */

/* Is there a template to go by, and room to gather so many bytes? */
static bool
begin_run(inf_decoder *decoder, size_t bytes)
{
  inf_buf_clear(&decoder->scratch);
  return decoder->guess.ready && !decoder->options.no_guess &&
         decoder->answer->status == INFER_OK &&
         inf_buf_reserve(&decoder->scratch, bytes + spare_bytes);
}

static void
add_run(inf_decoder *decoder)
{
  inf_sv run = inf_buf_sv(&decoder->scratch);
  inf_answer *answer = decoder->answer;
  if (run.len > 0 && decoder->guess.holes[0].kind == INF_HOLE_REASONING)
    inf_answer_add_reasoning(answer, 0, run, reasoning_name);
  else if (run.len > 0)
    inf_answer_add_text(answer, 0, run);
}

bool
inf_anthropic_read_by_guess(inf_decoder *decoder, inf_sv data)
{
  if (decoder->failed || data.len == 0 || !begin_run(decoder, data.len))
    return false;
  frame like = frame_of(decoder);
  size_t skip = like.head.ptr[0] == front[0] ? front_len : field_len;
  like.head = inf_sv_of(like.head.ptr + skip, like.head.len - skip);
  if (take_one(decoder, &like, data) != data.len)
    return false;
  add_run(decoder);
  return true;
}

size_t
inf_anthropic_read_alike(inf_decoder *decoder, inf_sv text, size_t *count)
{
  size_t taken = 0;
  *count = 0;
  if (!begin_run(decoder, text.len))
    return 0;
  const frame like = frame_of(decoder);
  for (;;) {
    taken += take_plain(decoder, &like,
                        inf_sv_of(text.ptr + taken, text.len - taken), count);
    size_t before = decoder->scratch.len;
    size_t len =
        take_one(decoder, &like, inf_sv_of(text.ptr + taken, text.len - taken));
    if (len == 0)
      break;
    if (text.len - taken - len < 2 ||
        memcmp(text.ptr + taken + len, "\n\n", 2) != 0) {
      inf_buf_truncate(&decoder->scratch, before);
      break;
    }
    taken += len + 2;
    ++*count;
  }
  add_run(decoder);
  return taken;
}
