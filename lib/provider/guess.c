/* SPDX-License-Identifier: MIT */
#include "provider/guess.h"

#include "base/mem.h"
#include "wire/json_scan.h"
#include "wire/swar.h"

/* Chunks longer than this are not of the kind that comes by thousands. */
#define MAX_TEMPLATE_BYTES 4096

void
inf_guess_init(inf_guess *guess)
{
  *guess = (inf_guess){0};
  inf_buf_init(&guess->text, MAX_TEMPLATE_BYTES);
  inf_buf_init(&guess->head, MAX_TEMPLATE_BYTES);
}

void
inf_guess_fini(inf_guess *guess)
{
  inf_buf_fini(&guess->text);
  inf_buf_fini(&guess->head);
  if (guess->layout)
    inf_buf_fini(&guess->layout->seam);
  inf_free(guess->layout);
}

void
inf_guess_reuse(inf_guess *guess)
{
  guess->ready = false;
  inf_buf_clear(&guess->head);
}

void
inf_guess_begin(inf_guess *guess, inf_sv chunk)
{
  guess->ready = false;
  guess->spoiled = chunk.len > MAX_TEMPLATE_BYTES;
  guess->hole_count = 0;
  guess->reading = chunk;
}

void
inf_guess_hole(inf_guess *guess, inf_hole_kind kind, inf_sv value,
               const char *name)
{
  if (guess->hole_count == INF_GUESS_MAX_HOLES) {
    guess->spoiled = true;
    return;
  }
  uint32_t start = (uint32_t)(value.ptr - guess->reading.ptr);
  size_t at = guess->hole_count++;
  while (at > 0 && guess->holes[at - 1].start > start) {
    guess->holes[at] = guess->holes[at - 1];
    at--;
  }
  guess->holes[at] = (inf_hole){kind, name, start, start + (uint32_t)value.len};
}

void
inf_guess_spoil(inf_guess *guess)
{
  guess->spoiled = true;
}

/* ---- Layout -------------------------------------------------------------- */

/* JSON has no number that begins with a zero but 0. */
static bool
add_number(inf_guess_layout *layout, const inf_hole *hole)
{
  enum { widest = 8 };
  size_t width = hole->end - hole->start;
  if (hole->kind != INF_HOLE_NUMBER || width > widest ||
      hole->end - layout->same < widest)
    return false;
  layout->numbers[layout->count++] = (inf_guess_number){
      .end = hole->end - layout->same,
      .digits = 0x0f0f0f0f0f0f0f0full << (64 - 8 * width),
  };
  size_t at = hole->start - layout->same - layout->same_len;
  memset(layout->low + at, '0', width);
  memset(layout->span + at, 9, width);
  if (width > 1) {
    layout->low[at] = '1';
    layout->span[at] = 8;
  }
  return true;
}

/* Each byte is as it stands there, but for the digits. */
static bool
add_ranges(const inf_guess *guess, inf_guess_layout *layout)
{
  const inf_hole *first = &guess->holes[1];
  size_t end = guess->holes[guess->hole_count - 1].end;
  size_t count = (end - first->start + 15) / 16 * 16;
  if (count > INF_GUESS_MAX_RANGES || end < layout->same + count)
    return false;
  layout->same_len = end - count - layout->same;
  layout->range_count = count;
  layout->count = 0;
  memcpy(layout->low, guess->text.ptr + end - count, count);
  memset(layout->span, 0, count);
  for (size_t i = 1; i < guess->hole_count; i++)
    if (!add_number(layout, &guess->holes[i]))
      return false;
  return true;
}

static inf_guess_layout *
need_layout(inf_guess *guess)
{
  if (!guess->layout) {
    guess->layout = inf_calloc(1, sizeof *guess->layout);
    if (guess->layout)
      inf_buf_init(&guess->layout->seam, (size_t)2 * MAX_TEMPLATE_BYTES);
  }
  return guess->layout;
}

static void
write_seam(const inf_guess *guess, inf_guess_layout *layout)
{
  inf_buf *seam = &layout->seam;
  inf_buf_clear(seam);
  inf_buf_append(seam, guess->text.ptr + layout->tail, layout->tail_len);
  inf_buf_append_cstr(seam, "\r\n\r\ndata: ");
  if (!inf_buf_append(seam, guess->text.ptr, layout->head))
    inf_buf_clear(seam);
}

static void
lay_out(inf_guess *guess)
{
  const inf_hole *text = &guess->holes[0];
  if (guess->layout)
    guess->layout->usable = false;
  if (!INF_SWAR_LITTLE_ENDIAN || guess->hole_count < 2 ||
      text->kind == INF_HOLE_NUMBER || guess->holes[1].kind != INF_HOLE_NUMBER)
    return;
  inf_guess_layout *layout = need_layout(guess);
  if (!layout)
    return;
  layout->head = text->start + 1;
  layout->same = text->end - 1; /* the quotes are the same */
  if (!add_ranges(guess, layout))
    return;
  layout->tail = layout->same + layout->same_len + layout->range_count;
  layout->tail_len = guess->text.len - layout->tail;
  layout->after = guess->text.len - layout->same;
  write_seam(guess, layout);
  layout->usable = true;
}

void
inf_guess_end(inf_guess *guess, uint32_t choice)
{
  if (guess->spoiled || guess->hole_count == 0)
    return;
  inf_buf_clear(&guess->text);
  guess->choice = choice;
  /* Without memory there is no template, and no harm. */
  guess->ready = inf_buf_append_sv(&guess->text, guess->reading);
  if (guess->ready)
    lay_out(guess);
}

void
inf_guess_set_head(inf_guess *guess, inf_sv head, inf_sv name)
{
  inf_buf_clear(&guess->head);
  if (head.len == 0 || name.len == 0)
    return;
  guess->head_name = (size_t)(name.ptr - head.ptr);
  guess->head_name_len = name.len;
  inf_buf_append_sv(&guess->head, head); /* without memory there is none */
}

size_t
inf_guess_match_head(const inf_guess *guess, inf_sv chunk, inf_sv *name)
{
  size_t len = guess->head.len;
  if (len == 0 || chunk.len < len ||
      memcmp(chunk.ptr, guess->head.ptr, len) != 0)
    return 0;
  *name = inf_sv_of(chunk.ptr + guess->head_name, guess->head_name_len);
  return len;
}

bool
inf_is_padding(inf_sv value)
{
  static const char alphabet[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  inf_sv text;
  return inf_json_plain(value, &text) && text.len > 0 &&
         text.len < sizeof(alphabet) &&
         memcmp(text.ptr, alphabet, text.len) == 0;
}

/* The string that begins at the quote: plain ASCII at once, anything else by
 * the scanner. */
static bool
take_string(inf_sv text, inf_filling *filling)
{
  const char *end = text.ptr + text.len;
  const char *at = inf_swar_ascii_end(text.ptr + 1, end);
  filling->ascii = at < end && *at == '"';
  if (filling->ascii)
    filling->value = inf_sv_of(text.ptr, (size_t)(at + 1 - text.ptr));
  return filling->ascii || inf_json_scan(text, 1, &filling->value, NULL);
}

/* JSON has no number that begins with a zero but 0. */
static bool
take_number(inf_sv text, inf_filling *filling)
{
  enum { most = 18 }; /* so that it is never too large */
  size_t len = 0;
  while (len < text.len && text.ptr[len] >= '0' && text.ptr[len] <= '9')
    len++;
  filling->value = inf_sv_of(text.ptr, len);
  filling->ascii = true;
  return len == 1 || (len > 1 && len <= most && text.ptr[0] != '0');
}

size_t
inf_guess_match(const inf_guess *guess, inf_sv text,
                inf_filling fillings[INF_GUESS_MAX_HOLES])
{
  const char *template = guess->text.ptr;
  size_t from = 0;
  inf_sv rest = text;
  if (!guess->ready)
    return 0;
  for (size_t i = 0; i < guess->hole_count; i++) {
    const inf_hole *hole = &guess->holes[i];
    size_t same = hole->start - from;
    bool number = hole->kind == INF_HOLE_NUMBER;
    if (rest.len <= same || (rest.ptr[same] != '"' && !number) ||
        memcmp(rest.ptr, template + from, same) != 0)
      return 0;
    rest = inf_sv_of(rest.ptr + same, rest.len - same);
    if (!(number ? take_number(rest, &fillings[i])
                 : take_string(rest, &fillings[i])))
      return 0;
    if (hole->kind == INF_HOLE_PADDING && hole->name &&
        !inf_is_padding(fillings[i].value))
      return 0;
    size_t len = fillings[i].value.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
    from = hole->end;
  }
  size_t same = guess->text.len - from;
  if (rest.len < same || memcmp(rest.ptr, template + from, same) != 0)
    return 0;
  return (size_t)(rest.ptr - text.ptr) + same;
}

/* Length of the end of an event at the front of the text, 0 if there is
 * none. */
static size_t
event_end(inf_sv text)
{
  if (text.len >= 2 && memcmp(text.ptr, "\n\n", 2) == 0)
    return 2;
  return text.len >= 4 && memcmp(text.ptr, "\r\n\r\n", 4) == 0 ? 4 : 0;
}

inf_sv
inf_guess_event_data(inf_sv event)
{
  enum { field = 6 };
  return inf_sv_trim(inf_sv_of(event.ptr + field, event.len - field));
}

void
inf_guess_renew(inf_guess *guess, inf_sv chunk,
                const inf_filling fillings[INF_GUESS_MAX_HOLES])
{
  for (size_t i = 0; i < guess->hole_count; i++) {
    inf_sv value = fillings[i].value;
    guess->holes[i].start = (uint32_t)(value.ptr - chunk.ptr);
    guess->holes[i].end = guess->holes[i].start + (uint32_t)value.len;
  }
  inf_buf_clear(&guess->text);
  guess->ready = inf_buf_append_sv(&guess->text, chunk);
  if (guess->ready)
    lay_out(guess);
}

size_t
inf_guess_match_event(const inf_guess *guess, inf_sv text, size_t max_bytes,
                      inf_filling fillings[INF_GUESS_MAX_HOLES])
{
  enum { field = 6 };
  if (text.len < field || memcmp(text.ptr, "data: ", field) != 0)
    return 0;
  inf_sv rest = inf_sv_of(text.ptr + field, text.len - field);
  size_t len = inf_guess_match(guess, rest, fillings);
  if (len == 0 || field + len > max_bytes)
    return 0;
  size_t end = event_end(inf_sv_of(rest.ptr + len, rest.len - len));
  return end > 0 ? field + len + end : 0;
}
