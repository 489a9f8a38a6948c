/* SPDX-License-Identifier: MIT */
/* A delta is two lines, the name of the event and its data. Relays that leave
 * the name out are read too: the template is of data alone. */
#include "provider/anthropic_alike.h"

#include "infer/infer.h"

#include "wire/json_value.h"
#include "wire/swar.h"

static const char reasoning_name[] = "reasoning_content";
static const char event_name[] = "content_block_delta";
static const char event_line[] = "event: content_block_delta\n";
static const char data_field[] = "data: ";

enum {
  event_line_len = sizeof(event_line) - 1,
  data_field_len = sizeof(data_field) - 1,
};

/* ---- Learning ------------------------------------------------------------ */

/* All that a delta of text says; more might not be the same twice. */
static bool
is_plain_delta(inf_sv value)
{
  return inf_json_count(value) == 3 &&
         inf_json_count(inf_json_get(value, INF_SV("delta"))) == 2;
}

void
inf_anthropic_learn(inf_decoder *decoder, const inf_sse_event *event,
                    inf_sv value, inf_sv string, bool thinking)
{
  inf_guess *guess = &decoder->guess;
  /* A repaired copy is not what the next event will look like. */
  bool is_copy = value.ptr < event->data.ptr ||
                 value.ptr >= event->data.ptr + event->data.len;
  inf_guess_begin(guess, event->data);
  if (decoder->options.no_guess || is_copy ||
      decoder->answer->status != INFER_OK ||
      !inf_json_is(string, INF_JSON_STRING) || !is_plain_delta(value) ||
      (event->event.len > 0 &&
       !inf_sv_eq(event->event, inf_sv_from(event_name))))
    return;
  inf_guess_hole(guess, thinking ? INF_HOLE_REASONING : INF_HOLE_TEXT, string,
                 reasoning_name);
  inf_guess_end(guess, 0);
}

/* ---- Taking -------------------------------------------------------------- */

/* Length of what stands before the data, 0 if it is another event. */
static size_t
front_of(inf_sv text)
{
  size_t at = 0;
  if (text.len > event_line_len &&
      memcmp(text.ptr, event_line, event_line_len) == 0)
    at = event_line_len;
  if (text.len - at <= data_field_len ||
      memcmp(text.ptr + at, data_field, data_field_len) != 0)
    return 0;
  return at + data_field_len;
}

/* What a run is gathered from: all but the string, its quotes included, is
 * the same in each event. */
struct frame {
  inf_sv head, tail;
  size_t room; /* what the answer may still take */
  size_t max_event_bytes;
};

static struct frame
frame_of(const inf_decoder *decoder)
{
  const inf_guess *guess = &decoder->guess;
  const inf_hole *hole = &guess->holes[0];
  size_t start = hole->start + 1, end = hole->end - 1;
  return (struct frame){
      .head = inf_sv_of(guess->text.ptr, start),
      .tail = inf_sv_of(guess->text.ptr + end, guess->text.len - end),
      .room = decoder->answer->max_bytes - decoder->answer->bytes,
      .max_event_bytes = decoder->options.max_event_bytes,
  };
}

/* An event with plain ASCII in its string: gives its length and the string
 * without quotes, 0 for any other. */
static size_t
match_plain(const struct frame *frame, inf_sv text, inf_sv *string)
{
  size_t front = front_of(text);
  inf_sv head = frame->head, tail = frame->tail;
  if (front == 0 || text.len < front + head.len + tail.len + 2 ||
      memcmp(text.ptr + front, head.ptr, head.len) != 0)
    return 0;
  const char *end = text.ptr + text.len;
  const char *start = text.ptr + front + head.len;
  const char *quote = inf_swar_ascii_end(start, end);
  if ((size_t)(end - quote) < tail.len + 2 ||
      memcmp(quote, tail.ptr, tail.len) != 0 ||
      memcmp(quote + tail.len, "\n\n", 2) != 0)
    return 0;
  *string = inf_sv_of(start, (size_t)(quote - start));
  size_t len = (size_t)(quote - text.ptr) + tail.len + 2;
  return len <= frame->max_event_bytes ? len : 0;
}

/* Any other that fits; its string is appended to the run. 0 if there is none
 * or it has to be read the long way, which says what is wrong. */
static size_t
match_any(inf_decoder *decoder, const struct frame *frame, inf_sv text)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  inf_buf *run = &decoder->scratch;
  size_t front = front_of(text), before = run->len;
  if (front == 0)
    return 0;
  size_t len = inf_guess_match(
      &decoder->guess, inf_sv_of(text.ptr + front, text.len - front), fillings);
  if (len == 0 || front + len + 2 > text.len ||
      front + len + 2 > frame->max_event_bytes ||
      memcmp(text.ptr + front + len, "\n\n", 2) != 0)
    return 0;
  if (inf_json_string(fillings[0].value, run) && run->len <= frame->room)
    return front + len + 2;
  inf_buf_truncate(run, before);
  return 0;
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

size_t
inf_anthropic_read_alike(inf_decoder *decoder, inf_sv text, size_t *count)
{
  size_t taken = 0;
  inf_buf *run = &decoder->scratch;
  *count = 0;
  if (!decoder->guess.ready || decoder->options.no_guess ||
      decoder->answer->status != INFER_OK)
    return 0;
  inf_buf_clear(run);
  struct frame frame = frame_of(decoder);
  if (!inf_buf_reserve(run, text.len))
    return 0;
  while (taken < text.len) {
    inf_sv rest = inf_sv_of(text.ptr + taken, text.len - taken), string;
    size_t len = match_plain(&frame, rest, &string);
    if (len > 0 && string.len <= frame.room - run->len)
      inf_buf_append_sv(run, string);
    else
      len = match_any(decoder, &frame, rest);
    if (len == 0)
      break;
    taken += len;
    ++*count;
  }
  add_run(decoder);
  return taken;
}
