/* SPDX-License-Identifier: MIT */
/* The readers of checked JSON. They trust the grammar but never the bounds:
 * on text that nobody checked they give nonsense, yet read nothing outside of
 * it and always end. */
#include "wire/json_value.h"
#include "wire/json_chars.h"
#include "wire/number.h"
#include "wire/swar.h"
#include "wire/utf8.h"

inf_json_type
inf_json_type_of(inf_sv value)
{
  if (value.len == 0)
    return INF_JSON_NONE;
  switch (value.ptr[0]) {
  case '{':
    return INF_JSON_OBJECT;
  case '[':
    return INF_JSON_ARRAY;
  case '"':
    return INF_JSON_STRING;
  case 't':
    return INF_JSON_TRUE;
  case 'f':
    return INF_JSON_FALSE;
  case 'n':
    return INF_JSON_NULL;
  default:
    return value.ptr[0] == '-' || (value.ptr[0] >= '0' && value.ptr[0] <= '9')
               ? INF_JSON_NUMBER
               : INF_JSON_NONE;
  }
}

/* From the byte after the opening quote to the closing quote, or end. */
static const char *
string_end(const char *at, const char *end)
{
  for (;;) {
    at = inf_swar_plain_end(at, end);
    if (at == end || *at == '"')
      return at;
    if (*at == '\\' && end - at > 1)
      at++;
    at++;
  }
}

/* From an opening bracket to past its closing one, or end. In checked text
 * brackets match, so that counting them is enough. */
static const char *
container_end(const char *at, const char *end)
{
  size_t depth = 0;

  while ((at = inf_swar_bracket(at, end)) < end) {
    switch (*at++) {
    case '"':
      at = string_end(at, end);
      at += at < end;
      break;
    case '{':
    case '[':
      depth++;
      break;
    default:
      if (--depth == 0)
        return at;
      break;
    }
  }
  return at;
}

/* What numbers, true, false and null are made of, and more. */
static inline bool
is_scalar_char(char c)
{
  return (unsigned char)c > ' ' && c != ',' && c != ']' && c != '}' && c != ':';
}

static const char *
value_end(const char *at, const char *end)
{
  if (at == end)
    return at;
  if (*at == '{' || *at == '[')
    return container_end(at, end);
  if (*at == '"') {
    at = string_end(at + 1, end);
    return at + (at < end);
  }
  while (at < end && is_scalar_char(*at))
    at++;
  return at;
}

inf_json_iter
inf_json_iter_of(inf_sv value)
{
  inf_json_type type = inf_json_type_of(value);
  inf_json_iter it = {.object = type == INF_JSON_OBJECT};

  if (type == INF_JSON_OBJECT || type == INF_JSON_ARRAY) {
    it.at = value.ptr + 1;
    it.end = value.ptr + value.len;
  }
  return it;
}

inf_json_iter
inf_json_iter_by(const inf_json_index *index, inf_sv value)
{
  bool object = value.len > 0 && value.ptr[0] == '{';
  const inf_json_entry *entry;

  if (!object && (value.len == 0 || value.ptr[0] != '['))
    return inf_json_iter_of(value);
  entry = inf_json_index_find(index, value);
  if (!entry)
    return inf_json_iter_of(value);
  return (inf_json_iter){.object = object,
                         .index = index,
                         .entry = (uint32_t)(entry - index->entries) + 1,
                         .stop = entry->next};
}

/* A member's name; the iterator is left where its value begins. */
static bool
take_key(inf_json_iter *it)
{
  const char *start = it->at + 1;

  if (it->at == it->end || *it->at != '"')
    return false;
  it->at = string_end(start, it->end);
  it->key = inf_sv_of(start, (size_t)(it->at - start));
  it->at = inf_json_skip_space(it->at + (it->at < it->end), it->end);
  if (it->at == it->end || *it->at != ':')
    return false;
  it->at = inf_json_skip_space(it->at + 1, it->end);
  return true;
}

static bool
take_item(inf_json_iter *it)
{
  const char *start;

  it->at = inf_json_skip_space(it->at, it->end);
  if (it->at < it->end && *it->at == ',')
    it->at = inf_json_skip_space(it->at + 1, it->end);
  if (it->object && !take_key(it))
    return false;
  start = it->at;
  it->at = value_end(start, it->end);
  it->value = inf_sv_of(start, (size_t)(it->at - start));
  return it->value.len > 0;
}

inf_json_iter
inf_json_next_in_text(inf_json_iter it)
{
  if (!take_item(&it)) {
    it.at = it.end;
    it.value = inf_sv_of(NULL, 0);
  }
  return it;
}

size_t
inf_json_count(inf_sv value)
{
  inf_json_iter it = inf_json_iter_of(value);
  size_t count = 0;

  while (inf_json_next(&it))
    count++;
  return count;
}

bool
inf_json_has_items(inf_sv value)
{
  const char *at, *end;

  if (value.len < 2 || (value.ptr[0] != '[' && value.ptr[0] != '{'))
    return false;
  end = value.ptr + value.len;
  at = inf_json_skip_space(value.ptr + 1, end);
  return at < end && *at != ']' && *at != '}';
}

inf_sv
inf_json_get(inf_sv object, inf_sv name)
{
  inf_json_iter it = inf_json_iter_of(object);
  inf_sv found = {NULL, 0};

  if (!it.object)
    return found;
  while (it.at != it.end && take_item(&it)) {
    if (inf_json_key_is(&it, name))
      found = it.value;
  }
  return found;
}

inf_sv
inf_json_path(inf_sv object, const char *path)
{
  inf_sv rest = inf_sv_from(path);

  for (;;) {
    const char *dot = rest.len > 0 ? memchr(rest.ptr, '.', rest.len) : NULL;
    size_t len = dot ? (size_t)(dot - rest.ptr) : rest.len;

    object = inf_json_get(object, inf_sv_of(rest.ptr, len));
    if (!dot)
      return object;
    rest = inf_sv_of(dot + 1, rest.len - len - 1);
  }
}

inf_sv
inf_json_at(inf_sv array, size_t index)
{
  inf_json_iter it = inf_json_iter_of(array);

  if (inf_json_is(array, INF_JSON_ARRAY)) {
    while (inf_json_next(&it)) {
      if (index-- == 0)
        return it.value;
    }
  }
  return inf_sv_of(NULL, 0);
}

/* Strings -------------------------------------------------------------- */

/* What stands between the quotes. */
static bool
string_raw(inf_sv value, inf_sv *raw)
{
  if (value.len < 2 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"')
    return false;
  *raw = inf_sv_of(value.ptr + 1, value.len - 2);
  return true;
}

static bool
has_escape(inf_sv raw)
{
  return raw.len > 0 && memchr(raw.ptr, '\\', raw.len) != NULL;
}

static inf_sv
drop(inf_sv sv, size_t n)
{
  return inf_sv_of(n > 0 ? sv.ptr + n : sv.ptr, sv.len - n);
}

/* The code unit of a \uXXXX at the start of raw; false if there is none. */
static bool
code_unit(inf_sv raw, uint32_t *unit)
{
  if (raw.len < 6 || raw.ptr[0] != '\\' || raw.ptr[1] != 'u')
    return false;
  *unit = 0;
  for (size_t i = 2; i < 6; i++) {
    int digit = inf_json_hex_digit(raw.ptr[i]);

    if (digit < 0)
      return false;
    *unit = *unit << 4 | (uint32_t)digit;
  }
  return true;
}

/* Takes a \uXXXX, or two that are a surrogate pair. A lone surrogate is given
 * as it is: inf_utf8_encode() replaces it. */
static uint32_t
take_unicode(inf_sv *raw)
{
  uint32_t first, second;

  if (!code_unit(*raw, &first)) {
    *raw = drop(*raw, raw->len < 2 ? raw->len : 2);
    return UINT32_MAX;
  }
  *raw = drop(*raw, 6);
  if (first < 0xd800 || first > 0xdbff || !code_unit(*raw, &second) ||
      second < 0xdc00 || second > 0xdfff)
    return first;
  *raw = drop(*raw, 6);
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/* Takes the escape at the start of raw. */
static uint32_t
take_escape(inf_sv *raw)
{
  char c = raw->len > 1 ? raw->ptr[1] : 'u';

  if (c == 'u')
    return take_unicode(raw);
  *raw = drop(*raw, 2);
  switch (c) {
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default: /* a quote, backslash or slash stands for itself */
    return (unsigned char)c;
  }
}

/* Takes the run of bytes up to the next escape. */
static inf_sv
take_run(inf_sv *raw)
{
  const char *stop = raw->len > 0 ? memchr(raw->ptr, '\\', raw->len) : NULL;
  inf_sv run = inf_sv_of(raw->ptr, stop ? (size_t)(stop - raw->ptr) : raw->len);

  *raw = drop(*raw, run.len);
  return run;
}

bool
inf_json_unescape(inf_sv raw, inf_buf *out)
{
  for (;;) {
    if (!inf_utf8_append_lossy(out, take_run(&raw)))
      return false;
    if (raw.len == 0)
      return true;
    if (!inf_utf8_append_code_point(out, take_escape(&raw)))
      return false;
  }
}

bool
inf_json_string(inf_sv value, inf_buf *out)
{
  inf_sv raw;

  return string_raw(value, &raw) && inf_json_unescape(raw, out);
}

bool
inf_json_plain_in_valid(inf_sv value, inf_sv *text)
{
  inf_sv raw;

  if (!string_raw(value, &raw) || has_escape(raw))
    return false;
  *text = raw;
  return true;
}

bool
inf_json_plain(inf_sv value, inf_sv *text)
{
  inf_sv raw;

  if (!inf_json_plain_in_valid(value, &raw) || !inf_utf8_valid(raw))
    return false;
  *text = raw;
  return true;
}

static bool
take_prefix(inf_sv *text, const char *ptr, size_t len)
{
  if (len > text->len || (len > 0 && memcmp(text->ptr, ptr, len) != 0))
    return false;
  *text = drop(*text, len);
  return true;
}

static bool
raw_equal(inf_sv raw, inf_sv text)
{
  /* An escape is longer than what it stands for. */
  if (raw.len <= text.len)
    return inf_sv_eq(raw, text) && !has_escape(raw);
  if (text.len > 0 && raw.ptr[0] != text.ptr[0] && raw.ptr[0] != '\\')
    return false; /* as nearly always */
  while (raw.len > 0) {
    inf_sv run = take_run(&raw);
    char bytes[4];

    if (!take_prefix(&text, run.ptr, run.len))
      return false;
    if (raw.len > 0 &&
        !take_prefix(&text, bytes, inf_utf8_encode(take_escape(&raw), bytes)))
      return false;
  }
  return text.len == 0;
}

bool
inf_json_key_is(const inf_json_iter *it, inf_sv name)
{
  return raw_equal(it->key, name);
}

bool
inf_json_equal(inf_sv value, inf_sv text)
{
  inf_sv raw;

  return string_raw(value, &raw) && raw_equal(raw, text);
}

/* Numbers -------------------------------------------------------------- */

static inf_sv
number_text(inf_sv value, bool lax)
{
  inf_sv raw;

  return lax && string_raw(value, &raw) ? raw : value;
}

bool
inf_json_int64(inf_sv value, bool lax, int64_t *number)
{
  return inf_number_to_int64(number_text(value, lax), number);
}

bool
inf_json_double(inf_sv value, bool lax, double *number)
{
  return inf_number_to_double(number_text(value, lax), number);
}

bool
inf_json_is_nothing(inf_sv value)
{
  int64_t number;
  switch (inf_json_type_of(value)) {
  case INF_JSON_NONE:
  case INF_JSON_NULL:
  case INF_JSON_FALSE:
    return true;
  case INF_JSON_NUMBER:
    return inf_json_int64(value, false, &number) && number == 0;
  case INF_JSON_STRING:
    return value.len == 2;
  case INF_JSON_ARRAY:
  case INF_JSON_OBJECT:
    return !inf_json_has_items(value);
  case INF_JSON_TRUE:
    break;
  }
  return false;
}
