/* SPDX-License-Identifier: MIT */
/* The JSON scanner. One pass without recursion: what is open is remembered in
 * a bit for each level (object or array). The loops over strings look at
 * eight bytes at a time, since most of what is scanned is text. */
#include "wire/json_scan.h"

#include "infer/infer.h"
#include "wire/utf8.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

enum { depth_limit = 512 };

typedef struct scan {
  const char *start, *at, *end;
  const char *reason;
  bool check_utf8;
} scan;

static bool
is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(scan *s)
{
  while (s->at < s->end && is_space(*s->at))
    s->at++;
}

static bool
fail(scan *s, const char *reason)
{
  s->reason = reason;
  return false;
}

/* A bit in each byte that is a quote, a backslash, a control character, or
 * (if high) not ASCII. Exact for the lowest marked byte, which is all that is
 * used. */
static uint64_t
special_bytes(uint64_t block, uint64_t high)
{
  const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
  uint64_t quote = block ^ (ones * '"');
  uint64_t slash = block ^ (ones * '\\');
  uint64_t marks = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
                   ((block - ones * 0x20) & ~block);
  return (marks | (block & high)) & tops;
}

/* Moves to the next byte of a string that needs a look. */
static const char *
skip_plain(const char *at, const char *end, bool stop_at_high)
{
  uint64_t high = stop_at_high ? 0x8080808080808080ull : 0;
  while (end - at >= 8) {
    uint64_t block;
    memcpy(&block, at, sizeof block);
    if (special_bytes(block, high) != 0)
      break;
    at += 8;
  }
  while (at < end) {
    unsigned char c = (unsigned char)*at;
    if (c == '"' || c == '\\' || c < 0x20 || (stop_at_high && c >= 0x80))
      break;
    at++;
  }
  return at;
}

static int
hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* The four digits of \uXXXX at ptr, or -1. */
static int32_t
hex4(const char *ptr, const char *end)
{
  if (end - ptr < 4)
    return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(ptr[i]);
    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

static bool
scan_escape(scan *s)
{
  if (s->end - s->at < 2)
    return fail(s, "unfinished string");
  char c = s->at[1];
  if (c == 'u') {
    if (hex4(s->at + 2, s->end) < 0)
      return fail(s, "malformed \\u escape");
    s->at += 6;
    return true;
  }
  if (c == '\0' || !strchr("\"\\/bfnrt", c))
    return fail(s, "unknown escape");
  s->at += 2;
  return true;
}

/* At a quote; ends behind the closing one. */
static bool
scan_string(scan *s)
{
  const char *open = ++s->at;
  for (;;) {
    s->at = skip_plain(s->at, s->end, false);
    if (s->at == s->end)
      return fail(s, "unfinished string");
    if (*s->at == '"')
      break;
    if (*s->at != '\\')
      return fail(s, "control character in a string");
    if (!scan_escape(s))
      return false;
  }
  if (s->check_utf8) {
    size_t len = (size_t)(s->at - open);
    size_t good = inf_utf8_valid_prefix(open, len);
    if (good < len) {
      s->at = open + good;
      return fail(s, "invalid UTF-8");
    }
  }
  s->at++;
  return true;
}

static bool
is_digit(const scan *s)
{
  return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool
scan_digits(scan *s)
{
  if (!is_digit(s))
    return fail(s, "malformed number");
  while (is_digit(s))
    s->at++;
  return true;
}

static bool
scan_number(scan *s)
{
  if (*s->at == '-')
    s->at++;
  if (s->at < s->end && *s->at == '0') {
    s->at++;
    if (is_digit(s))
      return fail(s, "number with a leading zero");
  } else if (!scan_digits(s)) {
    return false;
  }
  if (s->at < s->end && *s->at == '.') {
    s->at++;
    if (!scan_digits(s))
      return false;
  }
  if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
    s->at++;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
      s->at++;
    return scan_digits(s);
  }
  return true;
}

static bool
scan_word(scan *s, const char *word)
{
  size_t len = strlen(word);
  if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
    return fail(s, "expected a value");
  s->at += len;
  return true;
}

/* Anything but an object or array. */
static bool
scan_scalar(scan *s)
{
  switch (*s->at) {
  case '"':
    return scan_string(s);
  case 't':
    return scan_word(s, "true");
  case 'f':
    return scan_word(s, "false");
  case 'n':
    return scan_word(s, "null");
  default:
    if (*s->at == '-' || is_digit(s))
      return scan_number(s);
    return fail(s, "expected a value");
  }
}

/* "name": of a member. */
static bool
scan_key(scan *s)
{
  skip_space(s);
  if (s->at == s->end || *s->at != '"')
    return fail(s, "expected a member name in quotes");
  if (!scan_string(s))
    return false;
  skip_space(s);
  if (s->at == s->end || *s->at != ':')
    return fail(s, "expected ':'");
  s->at++;
  return true;
}

typedef struct open_levels {
  uint64_t objects[depth_limit / 64];
  unsigned depth, max_depth;
} open_levels;

static bool
in_object(const open_levels *open)
{
  unsigned level = open->depth - 1;
  return (open->objects[level / 64] >> (level % 64)) & 1;
}

static bool
push(scan *s, open_levels *open, bool object)
{
  if (open->depth >= open->max_depth)
    return fail(s, "nested too deeply");
  uint64_t bit = 1ull << (open->depth % 64);
  uint64_t *word = &open->objects[open->depth / 64];
  *word = object ? *word | bit : *word & ~bit;
  open->depth++;
  s->at++;
  return true;
}

/* After a value: closes what ends here. True when a next value must follow;
 * *done when the outermost value is complete. */
static bool
after_value(scan *s, open_levels *open, bool *done)
{
  for (;;) {
    if (open->depth == 0) {
      *done = true;
      return true;
    }
    skip_space(s);
    bool object = in_object(open);
    if (s->at == s->end)
      return fail(s, object ? "unfinished object" : "unfinished array");
    if (*s->at == ',') {
      s->at++;
      return !object || scan_key(s);
    }
    if (*s->at != (object ? '}' : ']'))
      return fail(s, object ? "expected ',' or '}'" : "expected ',' or ']'");
    s->at++;
    open->depth--;
  }
}

/* Opens an object or array. *empty if it closed at once. */
static bool
open_container(scan *s, open_levels *open, bool *empty)
{
  bool object = *s->at == '{';
  if (!push(s, open, object))
    return false;
  skip_space(s);
  *empty = s->at < s->end && *s->at == (object ? '}' : ']');
  if (*empty) {
    s->at++;
    open->depth--;
    return true;
  }
  return !object || scan_key(s);
}

static bool
scan_value(scan *s, unsigned max_depth)
{
  open_levels open;
  open.depth = 0;
  open.max_depth = max_depth < depth_limit ? max_depth : depth_limit;
  for (bool done = false; !done;) {
    skip_space(s);
    if (s->at == s->end)
      return fail(s, "expected a value");
    if (*s->at == '{' || *s->at == '[') {
      bool empty;
      if (!open_container(s, &open, &empty))
        return false;
      if (!empty)
        continue;
    } else if (!scan_scalar(s)) {
      return false;
    }
    if (!after_value(s, &open, &done))
      return false;
  }
  return true;
}

static void
tell(const scan *s, inf_json_error *error)
{
  if (!error)
    return;
  error->offset = (size_t)(s->at - s->start);
  error->reason = s->reason;
  error->line = error->column = 1;
  for (const char *c = s->start; c < s->at; c++) {
    error->column++;
    if (*c == '\n') {
      error->line++;
      error->column = 1;
    }
  }
  error->status = strcmp(s->reason, "nested too deeply") == 0
                      ? INFER_E_TOO_DEEP
                      : INFER_E_INVALID_ARGUMENT;
}

static bool
run(inf_sv text, unsigned max_depth, bool whole, inf_sv *value,
    inf_json_error *error)
{
  const char *start = text.ptr ? text.ptr : "";
  scan s = {start, start, start + text.len, NULL, whole};
  skip_space(&s);
  const char *begin = s.at;
  bool ok = scan_value(&s, max_depth);
  const char *end = s.at;
  if (ok && whole) {
    skip_space(&s);
    if (s.at < s.end)
      ok = fail(&s, "text after the value");
  }
  if (!ok) {
    tell(&s, error);
    return false;
  }
  *value = inf_sv_of(begin, (size_t)(end - begin));
  return true;
}

bool
inf_json_parse(inf_sv text, unsigned max_depth, inf_sv *value,
               inf_json_error *error)
{
  return run(text, max_depth, true, value, error);
}

bool
inf_json_scan(inf_sv text, unsigned max_depth, inf_sv *value,
              inf_json_error *error)
{
  return run(text, max_depth, false, value, error);
}

/* ---- Walking checked text -------------------------------------------------- */

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
    return INF_JSON_NUMBER;
  }
}

/* Behind the string whose opening quote is at `at`. */
static const char *
skip_string(const char *at, const char *end)
{
  at++;
  for (;;) {
    at = skip_plain(at, end, false);
    if (at == end)
      return end;
    if (*at == '"')
      return at + 1;
    at += *at == '\\' && end - at >= 2 ? 2 : 1;
  }
}

/* Behind the value at `at`. The text is known to be well-formed, so brackets
 * need only be counted. */
static const char *
skip_value(const char *at, const char *end)
{
  size_t depth = 0;
  while (at < end) {
    char c = *at;
    if (c == '"') {
      at = skip_string(at, end);
    } else if (c == '{' || c == '[') {
      depth++;
      at++;
    } else if (c == '}' || c == ']') {
      if (depth == 0)
        return at;
      depth--;
      at++;
    } else if (depth == 0 && (c == ',' || is_space(c))) {
      return at;
    } else {
      at++;
      continue;
    }
    if (depth == 0)
      return at;
  }
  return end;
}

inf_json_iter
inf_json_iter_of(inf_sv value)
{
  inf_json_iter it = {0};
  inf_json_type type = inf_json_type_of(value);
  it.object = type == INF_JSON_OBJECT;
  if ((it.object || type == INF_JSON_ARRAY) && value.len >= 2) {
    it.at = value.ptr + 1;
    it.end = value.ptr + value.len - 1;
  }
  return it;
}

static const char *
skip_separators(const char *at, const char *end, char separator)
{
  while (at < end && (is_space(*at) || *at == separator))
    at++;
  return at;
}

bool
inf_json_next(inf_json_iter *it)
{
  const char *at = skip_separators(it->at, it->end, ',');
  it->key = INF_SV("");
  if (at >= it->end)
    return false;
  if (it->object) {
    if (*at != '"')
      return false;
    const char *behind = skip_string(at, it->end);
    it->key = inf_sv_of(at + 1, (size_t)(behind - at) - 1);
    if (it->key.len > 0)
      it->key.len--;
    at = skip_separators(behind, it->end, ':');
  }
  const char *behind = skip_value(at, it->end);
  it->value = inf_sv_of(at, (size_t)(behind - at));
  it->at = behind;
  return it->value.len > 0;
}

/* Does the raw text (escapes untouched) mean this text? */
static bool
raw_equals(inf_sv raw, inf_sv text)
{
  if (raw.len == text.len && inf_sv_eq(raw, text))
    return inf_sv_find(raw, '\\') == raw.len;
  if (raw.len <= text.len || inf_sv_find(raw, '\\') == raw.len)
    return false;
  inf_buf plain;
  inf_buf_init(&plain, raw.len);
  bool equal =
      inf_json_unescape(raw, &plain) && inf_sv_eq(inf_buf_sv(&plain), text);
  inf_buf_fini(&plain);
  return equal;
}

bool
inf_json_key_is(const inf_json_iter *it, inf_sv name)
{
  return raw_equals(it->key, name);
}

size_t
inf_json_count(inf_sv value)
{
  size_t count = 0;
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it))
    count++;
  return count;
}

inf_sv
inf_json_get(inf_sv object, inf_sv name)
{
  inf_sv found = INF_SV("");
  if (!inf_json_is(object, INF_JSON_OBJECT))
    return found;
  inf_json_iter it = inf_json_iter_of(object);
  while (inf_json_next(&it))
    if (inf_json_key_is(&it, name))
      found = it.value;
  return found;
}

inf_sv
inf_json_path(inf_sv object, const char *path)
{
  inf_sv rest = inf_sv_from(path);
  while (rest.len > 0 && object.len > 0) {
    size_t dot = inf_sv_find(rest, '.');
    object = inf_json_get(object, inf_sv_of(rest.ptr, dot));
    size_t used = dot < rest.len ? dot + 1 : dot;
    rest = inf_sv_of(rest.ptr + used, rest.len - used);
  }
  return object;
}

inf_sv
inf_json_at(inf_sv array, size_t index)
{
  if (!inf_json_is(array, INF_JSON_ARRAY))
    return INF_SV("");
  inf_json_iter it = inf_json_iter_of(array);
  while (inf_json_next(&it))
    if (index-- == 0)
      return it.value;
  return INF_SV("");
}

/* ---- Strings ----------------------------------------------------------------- */

static inf_sv
inner(inf_sv value)
{
  return value.len >= 2 ? inf_sv_of(value.ptr + 1, value.len - 2) : INF_SV("");
}

/* The code point of the \u escape at ptr; *used is how many bytes it took. A
 * pair of surrogates is one code point, a lone one is replaced. */
static uint32_t
unicode_escape(const char *ptr, const char *end, size_t *used)
{
  int32_t first = hex4(ptr + 2, end);
  *used = 6;
  if (first < 0xd800 || first > 0xdbff || end - ptr < 12 || ptr[6] != '\\' ||
      ptr[7] != 'u')
    return first < 0 ? 0xfffd : (uint32_t)first;
  int32_t second = hex4(ptr + 8, end);
  if (second < 0xdc00 || second > 0xdfff)
    return (uint32_t)first;
  *used = 12;
  return 0x10000u + (((uint32_t)first - 0xd800u) << 10) +
         ((uint32_t)second - 0xdc00u);
}

static bool
append_escape(inf_buf *out, const char *ptr, const char *end, size_t *used)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  *used = 2;
  if (end - ptr < 2) {
    *used = 1;
    return true;
  }
  if (ptr[1] == 'u') {
    if (end - ptr < 6) {
      *used = (size_t)(end - ptr);
      return true;
    }
    return inf_utf8_append_code_point(out, unicode_escape(ptr, end, used));
  }
  const char *name = ptr[1] ? strchr(names, ptr[1]) : NULL;
  return inf_buf_append_char(out, name ? values[name - names] : ptr[1]);
}

bool
inf_json_unescape(inf_sv raw, inf_buf *out)
{
  const char *at = raw.ptr, *end = raw.ptr + raw.len;
  bool ok = out->status == INFER_OK;
  while (ok && at < end) {
    const char *slash = memchr(at, '\\', (size_t)(end - at));
    const char *stop = slash ? slash : end;
    ok = inf_utf8_append_lossy(out, inf_sv_of(at, (size_t)(stop - at)));
    at = stop;
    if (ok && slash) {
      size_t used;
      ok = append_escape(out, at, end, &used);
      at += used;
    }
  }
  return ok;
}

bool
inf_json_string(inf_sv value, inf_buf *out)
{
  return inf_json_is(value, INF_JSON_STRING) &&
         inf_json_unescape(inner(value), out);
}

bool
inf_json_plain(inf_sv value, inf_sv *text)
{
  if (!inf_json_is(value, INF_JSON_STRING))
    return false;
  inf_sv raw = inner(value);
  if (inf_sv_find(raw, '\\') != raw.len || !inf_utf8_valid(raw))
    return false;
  *text = raw;
  return true;
}

bool
inf_json_equal(inf_sv value, inf_sv text)
{
  return inf_json_is(value, INF_JSON_STRING) && raw_equals(inner(value), text);
}

/* ---- Numbers ------------------------------------------------------------------ */

/* The text of the number, from a number or (lax) from a string. */
static bool
number_text(inf_sv value, bool lax, inf_sv *text)
{
  *text = value;
  if (inf_json_is(value, INF_JSON_NUMBER))
    return true;
  if (!lax || !inf_json_is(value, INF_JSON_STRING))
    return false;
  inf_sv raw = inner(value);
  scan s = {raw.ptr, raw.ptr, raw.ptr + raw.len, NULL, false};
  *text = raw;
  return raw.len > 0 && (raw.ptr[0] == '-' || is_digit(&s)) &&
         scan_number(&s) && s.at == s.end;
}

/* A plain C locale, made once and kept: an application may have set one whose
 * decimal point is a comma. */
static locale_t kept_locale;
static pthread_once_t locale_once = PTHREAD_ONCE_INIT;

static void
make_locale(void)
{
  kept_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double
to_double(const char *text)
{
  pthread_once(&locale_once, make_locale);
  return kept_locale ? strtod_l(text, NULL, kept_locale) : strtod(text, NULL);
}

bool
inf_json_double(inf_sv value, bool lax, double *number)
{
  inf_sv text;
  char copy[320];
  if (!number_text(value, lax, &text) || text.len >= sizeof copy)
    return false;
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = '\0';
  *number = to_double(copy);
  return isfinite(*number);
}

/* Digits of a number and where its point stands, for exact whole numbers in
 * the forms 12.0 and 1.5e1. */
static bool
exact_int64(inf_sv text, int64_t *number)
{
  char digits[40];
  size_t count = 0;
  long long exponent = 0;
  size_t at = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
  bool negative = at == 1, fraction = false;
  for (; at < text.len && text.ptr[at] != 'e' && text.ptr[at] != 'E'; at++) {
    if (text.ptr[at] == '.') {
      fraction = true;
      continue;
    }
    if (count + 1 >= sizeof digits)
      return false;
    digits[count++] = text.ptr[at];
    exponent -= fraction;
  }
  if (at < text.len) {
    inf_sv power = inf_sv_of(text.ptr + at + 1, text.len - at - 1);
    if (power.len > 0 && power.ptr[0] == '+')
      power = inf_sv_of(power.ptr + 1, power.len - 1);
    long long given;
    if (!inf_sv_to_int64(power, &given) || given > 1000 || given < -1000)
      return false;
    exponent += given;
  }
  while (exponent < 0 && count > 1 && digits[count - 1] == '0') {
    count--;
    exponent++;
  }
  bool zero = true;
  for (size_t i = 0; i < count; i++)
    zero = zero && digits[i] == '0';
  if (zero) {
    *number = 0;
    return true;
  }
  if (exponent < 0)
    return false;
  for (; exponent > 0; exponent--) {
    if (count + 1 >= sizeof digits)
      return false;
    digits[count++] = '0';
  }
  char whole[42] = "-";
  memcpy(whole + negative, digits, count);
  long long result;
  if (!inf_sv_to_int64(inf_sv_of(whole, count + negative), &result))
    return false;
  *number = result;
  return true;
}

bool
inf_json_int64(inf_sv value, bool lax, int64_t *number)
{
  inf_sv text;
  if (!number_text(value, lax, &text))
    return false;
  long long plain;
  if (inf_sv_to_int64(text, &plain)) {
    *number = plain;
    return true;
  }
  return exact_int64(text, number);
}
