/* SPDX-License-Identifier: MIT */
/* The JSON scanner: one pass that checks the grammar of RFC 8259. It builds
 * nothing but the index, if one is wanted, because every chunk of every stream
 * may go through it: no allocation, no recursion, one bit of memory for each
 * level of nesting. */
#include "wire/json_scan.h"
#include "wire/json_chars.h"
#include "wire/number.h"
#include "wire/swar.h"
#include "wire/utf8.h"

#include <infer/infer.h>

/* The checks take the place where they begin and give the one where they
 * end, or NULL: then the scanner tells what is wrong and where. The place is
 * passed by value so that it stays in a register. */
typedef struct scanner {
  const char *end;
  bool strict; /* strings must be valid UTF-8 */
  const char *fault;
  const char *reason;
  int32_t status;
  inf_json_index *index; /* NULL: none is wanted */
  /* Of an object whose beginning is known: the name of the member whose value
   * comes next, and the length up to there. */
  inf_sv name;
  size_t known;
  bool ascii;                             /* all strings so far are */
  const char *first_escape, *last_escape; /* in strings; NULL: none so far */
} scanner;

static const char *
fail(scanner *scan, const char *at, const char *reason)
{
  scan->fault = at;
  scan->reason = reason;
  scan->status = INFER_E_INVALID_ARGUMENT;
  return NULL;
}

/* The byte there, NUL at the end: no token begins with NUL. */
static inline char
peek(const scanner *scan, const char *at)
{
  return at < scan->end ? *at : '\0';
}

static inline const char *
skip_space(const scanner *scan, const char *at)
{
  return inf_json_skip_space(at, scan->end);
}

static const char *
check_unicode_escape(scanner *scan, const char *at)
{
  for (int i = 0; i < 4; i++, at++) {
    if (inf_json_hex_digit(peek(scan, at)) < 0)
      return fail(scan, at, "expected four hexadecimal digits");
  }
  return at;
}

static void
note_escape(scanner *scan, const char *at)
{
  if (!scan->first_escape)
    scan->first_escape = at;
  scan->last_escape = at;
}

/* At a backslash. */
static const char *
check_escape(scanner *scan, const char *at)
{
  char c = peek(scan, ++at);

  if (c == 'u')
    return check_unicode_escape(scan, at + 1);
  if (c == '\0' || !strchr("\"\\/bfnrt", c))
    return fail(scan, at, "invalid escape");
  return at + 1;
}

static const char *
check_utf8(scanner *scan, const char *start, const char *end)
{
  size_t len = (size_t)(end - start);
  size_t valid = inf_utf8_valid_prefix(start, len);

  return valid == len ? end : fail(scan, start + valid, "invalid UTF-8");
}

/* A string from where it is no longer plain ASCII. */
static const char *
check_rest_of_string(scanner *scan, const char *start, const char *at)
{
  for (;;) {
    if (at == scan->end)
      return fail(scan, at, "unterminated string");
    if (*at == '"')
      break;
    if ((unsigned char)*at >= 0x80) {
      scan->ascii = false;
    } else if (*at != '\\') {
      return fail(scan, at, "control character in a string");
    } else {
      note_escape(scan, at);
      at = check_escape(scan, at);
      if (!at)
        return NULL;
    }
    at = scan->ascii ? inf_swar_ascii_end(at, scan->end)
                     : inf_swar_plain_end(at, scan->end);
  }
  if (scan->strict && !check_utf8(scan, start, at))
    return NULL;
  return at + 1;
}

/* At an opening quote. */
static inline const char *
check_string(scanner *scan, const char *at)
{
  const char *stop = inf_swar_ascii_end(at + 1, scan->end);

  if (stop < scan->end && *stop == '"')
    return stop + 1;
  return check_rest_of_string(scan, at + 1, stop);
}

static const char *
check_any_number(scanner *scan, const char *at)
{
  size_t stop;
  size_t len = inf_number_scan(at, (size_t)(scan->end - at), &stop);
  char next = peek(scan, at + stop);

  if (len == 0)
    return fail(scan, at + stop, "expected a digit");
  /* "01" is two numbers to the scanner, but one mistake to the reader. */
  if (next >= '0' && next <= '9')
    return fail(scan, at + stop, "number with a leading zero");
  return at + len;
}

/* Nearly all are a few digits, and the end of the value. */
static inline const char *
check_number(scanner *scan, const char *at)
{
  const char *stop = at;

  if (*at == '0')
    stop++;
  else
    while (stop < scan->end && *stop >= '0' && *stop <= '9')
      stop++;
  if (stop > at && stop < scan->end && (*stop == ',' || *stop == '}'))
    return stop;
  return check_any_number(scan, at);
}

/* One that the text ends in is cut, as a string is: the fault is at the end. */
static inline const char *
check_literal(scanner *scan, const char *at, const char *word, size_t len)
{
  size_t rest = (size_t)(scan->end - at);
  if (rest >= len && memcmp(at, word, len) == 0)
    return at + len;
  bool cut = rest < len && memcmp(at, word, rest) == 0;
  return fail(scan, cut ? scan->end : at, "expected a value");
}

static inline const char *
check_word(scanner *scan, const char *at)
{
  switch (peek(scan, at)) {
  case 't':
    return check_literal(scan, at, "true", 4);
  case 'f':
    return check_literal(scan, at, "false", 5);
  case 'n':
    return check_literal(scan, at, "null", 4);
  default:
    return fail(scan, at, "expected a value");
  }
}

static inline const char *
check_scalar(scanner *scan, const char *at)
{
  char c = peek(scan, at);

  if (c == '"')
    return check_string(scan, at);
  if ((c >= '0' && c <= '9') || c == '-')
    return check_number(scan, at);
  return check_word(scan, at);
}

/* ---- The index ----------------------------------------------------------- */

/* The index in the making. */
typedef struct notes {
  const char *text;
  inf_json_entry *entries;
  uint8_t *slots;
  uint32_t count, room;
  uint32_t open; /* the entry of the container at hand */
  bool full;     /* there was a value more than there is room for */
  /* Of the value that comes next. */
  const char *key;
  uint32_t key_len;
} notes;

/* A value that has nothing in it: a scalar or an empty container. */
static inline void
note_value(notes *index, const char *start, const char *end)
{
  if (index->count == index->room) {
    index->full = true;
    return;
  }
  inf_json_entry *entry = &index->entries[index->count++];
  entry->key = (uint32_t)(index->key - index->text);
  entry->key_len = index->key_len;
  entry->start = (uint32_t)(start - index->text);
  entry->end = (uint32_t)(end - index->text);
  entry->next = index->count;
}

/* A container that begins here, and what follows is in it. */
static inline void
note_inside(notes *index, const char *start)
{
  note_value(index, start, start);
  if (index->full)
    return;
  index->entries[index->count - 1].next = index->open;
  index->open = index->count - 1;
  index->slots[(size_t)(start - index->text) % INF_JSON_INDEX_SLOTS] =
      (uint8_t)index->open;
}

/* The container at hand ends here. */
static inline void
note_outside(notes *index, const char *at)
{
  if (index->full)
    return;
  inf_json_entry *entry = &index->entries[index->open];
  index->open = entry->next;
  entry->end = (uint32_t)(at - index->text);
  entry->next = index->count;
}

/* ---- Containers ---------------------------------------------------------- */

/* Does this come next, but for whitespace? Moves *at to where it is due. */
static inline bool
comes(const scanner *scan, const char **at, char token)
{
  if (*at < scan->end && **at == token)
    return true;
  *at = skip_space(scan, *at);
  return peek(scan, *at) == token;
}

/* A member's name and the colon. */
static inline const char *
check_key(scanner *scan, notes *index, const char *at, const char *reason)
{
  if (!comes(scan, &at, '"'))
    return fail(scan, at, reason);
  index->key = at + 1;
  at = check_string(scan, at);
  if (!at)
    return NULL;
  index->key_len = (uint32_t)(at - 1 - index->key);
  if (!comes(scan, &at, ':'))
    return fail(scan, at, "expected ':'");
  return at + 1;
}

/* The containers that are open, one bit each: 1 is an object. The one that
 * the scanner is in stands in `object`, the outer ones on the stack. */
typedef struct nesting {
  uint64_t bits[INF_JSON_MAX_DEPTH / 64];
  unsigned depth, max;
  bool object;
} nesting;

static inline void
push(nesting *open, bool object)
{
  unsigned word = open->depth / 64, bit = open->depth % 64;
  uint64_t below = bit == 0 ? 0 : open->bits[word] & ~(1ull << bit);

  open->bits[word] = below | (uint64_t)open->object << bit;
  open->depth++;
  open->object = object;
}

static inline void
pop(nesting *open)
{
  open->depth--;
  open->object = open->bits[open->depth / 64] >> (open->depth % 64) & 1;
}

/* At an opening bracket. Gives the place where a value is due, or, with
 * *empty, the one past the closing bracket. */
static inline const char *
check_open(scanner *scan, notes *index, const char *at, nesting *open,
           bool *empty)
{
  const char *start = at;
  bool object = *at == '{';

  if (open->depth >= open->max) {
    fail(scan, at, "nested too deeply");
    scan->status = INFER_E_TOO_DEEP;
    return NULL;
  }
  at = skip_space(scan, at + 1);
  *empty = peek(scan, at) == (object ? '}' : ']');
  if (*empty) {
    note_value(index, start, at + 1);
    return at + 1;
  }
  push(open, object);
  note_inside(index, start);
  return object ? check_key(scan, index, at, "expected a string or '}'") : at;
}

/* A value has ended: closes the containers that end with it, up to the comma
 * after which the next value is due, or up to the end of the outermost. */
static inline const char *
check_after_value(scanner *scan, notes *index, const char *at, nesting *open)
{
  while (open->depth > 0) {
    if (comes(scan, &at, ','))
      return open->object ? check_key(scan, index, at + 1, "expected a string")
                          : at + 1;
    if (peek(scan, at) != (open->object ? '}' : ']'))
      return fail(scan, at,
                  open->object ? "expected ',' or '}'" : "expected ',' or ']'");
    at++;
    pop(open);
    note_outside(index, at);
  }
  return at;
}

/* From where a value is due to the end of the outermost. */
static inline const char *
check_tree(scanner *scan, notes *index, const char *at, nesting *open)
{
  do {
    bool empty = true;
    char c;

    at = skip_space(scan, at);
    c = peek(scan, at);
    if (c == '{' || c == '[') {
      at = check_open(scan, index, at, open, &empty);
    } else {
      const char *start = at;

      at = check_scalar(scan, start);
      if (at)
        note_value(index, start, at);
    }
    if (at && empty)
      at = check_after_value(scan, index, at, open);
  } while (at && open->depth > 0);
  return at;
}

static const char *
check_value(scanner *scan, const char *at, unsigned max_depth)
{
  inf_json_index *index = scan->index;
  notes made = {0};
  nesting open;

  open.depth = 0;
  open.object = false;
  open.max = max_depth < INF_JSON_MAX_DEPTH ? max_depth : INF_JSON_MAX_DEPTH;
  if (index)
    made = (notes){.text = index->text,
                   .key = index->text,
                   .entries = index->entries,
                   .slots = index->slots,
                   .room = INF_JSON_INDEX_MAX};
  if (scan->name.len > 0) {
    push(&open, true);
    note_inside(&made, at);
    made.key = scan->name.ptr;
    made.key_len = (uint32_t)scan->name.len;
    at += scan->known;
  }
  at = check_tree(scan, &made, at, &open);
  if (index) {
    index->count = made.count;
    if (!at || made.full)
      index->text = NULL;
  }
  return at;
}

static void
fill_error(inf_json_error *error, const char *start, const scanner *scan)
{
  const char *line_start = start;

  if (!error)
    return;
  *error = (inf_json_error){.offset = (size_t)(scan->fault - start),
                            .line = 1,
                            .reason = scan->reason,
                            .status = scan->status};
  for (const char *at = start; at < scan->fault; at++) {
    if (*at == '\n') {
      error->line++;
      line_start = at + 1;
    }
  }
  error->column = (size_t)(scan->fault - line_start) + 1;
}

/* One value at the start of the text, or the whole text. */
static bool
check_text(scanner *scan, inf_sv text, bool whole, unsigned max_depth,
           inf_sv *value)
{
  const char *start, *stop;

  scan->end = text.ptr + text.len;
  start = skip_space(scan, text.ptr);
  stop = check_value(scan, start, max_depth);
  if (!stop)
    return false;
  if (whole && skip_space(scan, stop) != scan->end) {
    fail(scan, skip_space(scan, stop), "expected the end of the text");
    return false;
  }
  *value = inf_sv_of(start, (size_t)(stop - start));
  return true;
}

/* The scan with what is asked of it, but for the index, filled in. */
static bool
run(scanner *scan, inf_sv text, bool whole, unsigned max_depth, inf_sv *value,
    inf_json_index *index, inf_json_error *error)
{
  bool sound;

  if (text.len == 0)
    text = INF_SV("");
  if (index) {
    index->count = 0;
    memset(index->slots, 0, sizeof index->slots);
    index->text = text.len <= UINT32_MAX ? text.ptr : NULL;
    scan->index = index->text ? index : NULL;
  }
  sound = check_text(scan, text, whole, max_depth, value);
  if (index) {
    index->ascii = scan->ascii;
    index->first_escape = scan->first_escape;
    index->last_escape = scan->last_escape;
    if (!sound)
      index->text = NULL;
  }
  if (!sound)
    fill_error(error, text.ptr, scan);
  return sound;
}

bool
inf_json_parse_index(inf_sv text, unsigned max_depth, inf_sv *value,
                     inf_json_index *index, inf_json_error *error)
{
  scanner scan = {.strict = true, .ascii = true};

  return run(&scan, text, true, max_depth, value, index, error);
}

bool
inf_json_parse(inf_sv text, unsigned max_depth, inf_sv *value,
               inf_json_error *error)
{
  return inf_json_parse_index(text, max_depth, value, NULL, error);
}

bool
inf_json_scan_rest(inf_sv text, size_t known, inf_sv name, unsigned max_depth,
                   inf_sv *value, inf_json_index *index, inf_json_error *error)
{
  scanner scan = {.strict = false, .ascii = true, .name = name, .known = known};

  return run(&scan, text, false, max_depth, value, index, error);
}

bool
inf_json_scan_index(inf_sv text, unsigned max_depth, inf_sv *value,
                    inf_json_index *index, inf_json_error *error)
{
  return inf_json_scan_rest(text, 0, INF_SV(""), max_depth, value, index,
                            error);
}

bool
inf_json_scan(inf_sv text, unsigned max_depth, inf_sv *value,
              inf_json_error *error)
{
  return inf_json_scan_index(text, max_depth, value, NULL, error);
}
