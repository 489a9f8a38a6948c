/* SPDX-License-Identifier: MIT */
/* The JSON scanner: one pass that checks the grammar of RFC 8259. It builds
 * nothing, because every chunk of every stream goes through it: no
 * allocation, no recursion, one bit of memory for each level of nesting. */
#include "wire/json_scan.h"
#include "wire/json_chars.h"
#include "wire/number.h"
#include "wire/swar.h"
#include "wire/utf8.h"

#include <infer/infer.h>

typedef struct scanner {
  const char *at, *end;
  bool strict; /* strings must be valid UTF-8 */
  const char *reason;
  int32_t status;
} scanner;

static bool
fail(scanner *scan, const char *reason)
{
  scan->reason = reason;
  scan->status = INFER_E_INVALID_ARGUMENT;
  return false;
}

static bool
fail_at(scanner *scan, const char *at, const char *reason)
{
  scan->at = at;
  return fail(scan, reason);
}

/* The byte at the scanner, NUL at the end: no token begins with NUL. */
static inline char
peek(const scanner *scan)
{
  return scan->at < scan->end ? *scan->at : '\0';
}

static inline char
peek_token(scanner *scan)
{
  scan->at = inf_json_skip_space(scan->at, scan->end);
  return peek(scan);
}

/* The scanner is at the backslash. */
static bool
check_escape(scanner *scan)
{
  scan->at++;
  switch (peek(scan)) {
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't':
    scan->at++;
    return true;
  case 'u':
    scan->at++;
    for (int i = 0; i < 4; i++) {
      if (inf_json_hex_digit(peek(scan)) < 0)
        return fail(scan, "expected four hexadecimal digits");
      scan->at++;
    }
    return true;
  default:
    return fail(scan, "invalid escape");
  }
}

static bool
check_utf8(scanner *scan, const char *start)
{
  size_t len = (size_t)(scan->at - start);
  size_t valid = inf_utf8_valid_prefix(start, len);

  return valid == len || fail_at(scan, start + valid, "invalid UTF-8");
}

/* The scanner is at the opening quote; it is left past the closing one. */
static bool
check_string(scanner *scan)
{
  const char *start = ++scan->at;

  for (;;) {
    scan->at = inf_swar_plain_end(scan->at, scan->end);
    if (scan->at == scan->end)
      return fail(scan, "unterminated string");
    if (*scan->at == '"')
      break;
    if (*scan->at != '\\')
      return fail(scan, "control character in a string");
    if (!check_escape(scan))
      return false;
  }
  if (scan->strict && !check_utf8(scan, start))
    return false;
  scan->at++;
  return true;
}

static bool
check_number(scanner *scan)
{
  size_t stop;
  size_t len = inf_number_scan(scan->at, (size_t)(scan->end - scan->at), &stop);

  scan->at += stop;
  if (len == 0)
    return fail(scan, "expected a digit");
  /* "01" is two numbers to the scanner, but one mistake to the reader. */
  if (peek(scan) >= '0' && peek(scan) <= '9')
    return fail(scan, "number with a leading zero");
  return true;
}

static bool
check_literal(scanner *scan, const char *word, size_t len)
{
  if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
    return fail(scan, "expected a value");
  scan->at += len;
  return true;
}

static bool
check_scalar(scanner *scan)
{
  switch (peek(scan)) {
  case '"':
    return check_string(scan);
  case 't':
    return check_literal(scan, "true", 4);
  case 'f':
    return check_literal(scan, "false", 5);
  case 'n':
    return check_literal(scan, "null", 4);
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9':
    return check_number(scan);
  default:
    return fail(scan, "expected a value");
  }
}

/* A member's name and the colon. */
static bool
check_key(scanner *scan, const char *reason)
{
  if (peek_token(scan) != '"')
    return fail(scan, reason);
  if (!check_string(scan))
    return false;
  if (peek_token(scan) != ':')
    return fail(scan, "expected ':'");
  scan->at++;
  return true;
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

  open->bits[word] =
      (open->bits[word] & ~(1ull << bit)) | ((uint64_t)open->object << bit);
  open->depth++;
  open->object = object;
}

static inline void
pop(nesting *open)
{
  open->depth--;
  open->object = open->bits[open->depth / 64] >> (open->depth % 64) & 1;
}

/* The scanner is at an opening bracket. It is left where a value is due, or
 * past the closing bracket of an empty container: *empty says which. */
static bool
check_open(scanner *scan, nesting *open, bool *empty)
{
  bool object = *scan->at == '{';

  if (open->depth >= open->max) {
    fail(scan, "nested too deeply");
    scan->status = INFER_E_TOO_DEEP;
    return false;
  }
  scan->at++;
  *empty = peek_token(scan) == (object ? '}' : ']');
  if (*empty) {
    scan->at++;
    return true;
  }
  push(open, object);
  return !object || check_key(scan, "expected a string or '}'");
}

/* A value has ended: closes the containers that end with it, up to the comma
 * after which the next value is due, or up to the end of the outermost. */
static bool
check_after_value(scanner *scan, nesting *open)
{
  while (open->depth > 0) {
    char c = peek_token(scan);

    if (c == ',') {
      scan->at++;
      return !open->object || check_key(scan, "expected a string");
    }
    if (c != (open->object ? '}' : ']'))
      return fail(scan,
                  open->object ? "expected ',' or '}'" : "expected ',' or ']'");
    scan->at++;
    pop(open);
  }
  return true;
}

static bool
check_value(scanner *scan, unsigned max_depth)
{
  nesting open;

  open.depth = 0;
  open.object = false;
  open.max = max_depth < INF_JSON_MAX_DEPTH ? max_depth : INF_JSON_MAX_DEPTH;
  do {
    char c = peek_token(scan);

    if (c == '{' || c == '[') {
      bool empty;

      if (!check_open(scan, &open, &empty))
        return false;
      if (!empty)
        continue;
    } else if (!check_scalar(scan)) {
      return false;
    }
    if (!check_after_value(scan, &open))
      return false;
  } while (open.depth > 0);
  return true;
}

static void
fill_error(inf_json_error *error, inf_sv text, const scanner *scan)
{
  const char *line_start = text.ptr;

  if (!error)
    return;
  *error = (inf_json_error){.offset = (size_t)(scan->at - text.ptr),
                            .line = 1,
                            .reason = scan->reason,
                            .status = scan->status};
  for (const char *at = text.ptr; at < scan->at; at++) {
    if (*at == '\n') {
      error->line++;
      line_start = at + 1;
    }
  }
  error->column = (size_t)(scan->at - line_start) + 1;
}

static bool
check_text(scanner *scan, inf_sv text, unsigned max_depth, inf_sv *value)
{
  const char *start;

  if (text.len == 0)
    text.ptr = "";
  scan->end = text.ptr + text.len;
  scan->at = start = inf_json_skip_space(text.ptr, scan->end);
  if (scan->at == scan->end)
    return fail(scan, "expected a value");
  if (!check_value(scan, max_depth))
    return false;
  *value = inf_sv_of(start, (size_t)(scan->at - start));
  return true;
}

bool
inf_json_parse(inf_sv text, unsigned max_depth, inf_sv *value,
               inf_json_error *error)
{
  scanner scan = {.strict = true};
  inf_sv found;

  if (text.len == 0)
    text.ptr = "";
  if (check_text(&scan, text, max_depth, &found)) {
    peek_token(&scan);
    if (scan.at == scan.end) {
      *value = found;
      return true;
    }
    fail(&scan, "expected the end of the text");
  }
  fill_error(error, text, &scan);
  return false;
}

bool
inf_json_scan(inf_sv text, unsigned max_depth, inf_sv *value,
              inf_json_error *error)
{
  scanner scan = {.strict = false};

  if (text.len == 0)
    text.ptr = "";
  if (check_text(&scan, text, max_depth, value))
    return true;
  fill_error(error, text, &scan);
  return false;
}
