/* SPDX-License-Identifier: MIT */
/* Header fields as one piece of text: a response has some twenty of them, read
 * a few times and then dropped, so that a walk over a kilobyte is cheaper than
 * any table, and clearing costs nothing. */
#include "wire/headers.h"
#include "wire/swar.h"

#include <infer/infer.h>

void
inf_headers_init(inf_headers *headers, size_t max_bytes)
{
  inf_buf_init(&headers->text, max_bytes);
  headers->count = 0;
}

void
inf_headers_fini(inf_headers *headers)
{
  inf_buf_fini(&headers->text);
  headers->count = 0;
}

void
inf_headers_clear(inf_headers *headers)
{
  inf_buf_clear(&headers->text);
  headers->count = 0;
}

/* tchar of RFC 9110, section 5.6.2, one bit each. */
static bool
is_token_char(unsigned char c)
{
  static const uint64_t tokens[2] = {
      UINT64_C(0x03ff6cfa00000000), /* !#$%&'*+-. and digits */
      UINT64_C(0x57ffffffc7fffffe), /* ^_`|~ and letters */
  };
  return c < 0x80 && (tokens[c / 64] >> c % 64 & 1);
}

static size_t
name_len(inf_sv line)
{
  size_t len = 0;

  while (len < line.len && is_token_char((unsigned char)line.ptr[len]))
    len++;
  return len;
}

/* Name and value of a line; false if it is no field. A status line, a
 * continuation and "Name : value" have no valid name. */
static bool
split_line(inf_sv line, inf_sv *name, inf_sv *value)
{
  size_t len = name_len(line);
  inf_sv rest;

  if (len == 0 || len == line.len || line.ptr[len] != ':')
    return false;
  *name = inf_sv_of(line.ptr, len);
  rest = inf_sv_of(line.ptr + len + 1, line.len - len - 1);
  *value = inf_sv_trim(inf_sv_of(rest.ptr, inf_sv_find(rest, '\n')));
  return true;
}

int32_t
inf_headers_add_line(inf_headers *headers, inf_sv line)
{
  inf_buf *text = &headers->text;
  inf_sv name, value;
  char *at;

  if (!split_line(line, &name, &value))
    return INFER_OK;
  /* Room for all of it first: half a field is never left behind. */
  if (!inf_buf_reserve(text, name.len + value.len + 3))
    return text->status;
  at = text->ptr + text->len;
  memcpy(at, name.ptr, name.len);
  memcpy(at + name.len, ": ", 2);
  memcpy(at + name.len + 2, value.ptr, value.len);
  memcpy(at + name.len + 2 + value.len, "\n", 2); /* the NUL is not counted */
  text->len += name.len + value.len + 3;
  headers->count++;
  return INFER_OK;
}

/* Takes the next field off the front of the collected text. */
static bool
take_field(inf_sv *rest, inf_sv *name, inf_sv *value)
{
  size_t end, colon;

  if (rest->len == 0)
    return false;
  end = inf_sv_find(*rest, '\n');
  colon = inf_sv_find(*rest, ':');
  *name = inf_sv_of(rest->ptr, colon);
  *value = inf_sv_of(rest->ptr + colon + 2, end - colon - 2);
  *rest = inf_sv_of(rest->ptr + end + 1, rest->len - end - 1);
  return true;
}

bool
inf_headers_get(const inf_headers *headers, inf_sv name, inf_sv *value)
{
  inf_sv rest = inf_buf_sv(&headers->text);

  /* A name has no colon: where it would end tells nearly always. */
  while (rest.len > 0) {
    size_t end = inf_sv_find(rest, '\n');

    if (name.len < end && rest.ptr[name.len] == ':' &&
        inf_sv_eq_nocase(inf_sv_of(rest.ptr, name.len), name)) {
      *value = inf_sv_of(rest.ptr + name.len + 2, end - name.len - 2);
      return true;
    }
    rest = inf_sv_of(rest.ptr + end + 1, rest.len - end - 1);
  }
  return false;
}

bool
inf_headers_at(const inf_headers *headers, size_t index, inf_sv *name,
               inf_sv *value)
{
  inf_sv rest = inf_buf_sv(&headers->text), field, found;

  while (take_field(&rest, &field, &found)) {
    if (index-- == 0) {
      *name = field;
      *value = found;
      return true;
    }
  }
  return false;
}

bool
inf_headers_next(const inf_headers *headers, size_t *at, inf_sv *name,
                 inf_sv *value)
{
  inf_sv all = inf_buf_sv(&headers->text), rest = all;

  if (*at > 0)
    rest = inf_sv_of(all.ptr + *at, all.len - *at);
  if (!take_field(&rest, name, value))
    return false;
  *at = all.len - rest.len;
  return true;
}

bool
inf_header_name_valid(inf_sv name)
{
  return name.len > 0 && name_len(name) == name.len;
}

/* Eight bytes without a control character. */
static bool
is_clean(uint64_t word)
{
  return (inf_swar_below(word, 0x20) | inf_swar_equal(word, 0x7f)) == 0;
}

bool
inf_header_value_valid(inf_sv value)
{
  size_t i = 0;

  while (value.len - i >= 8 && is_clean(inf_swar_load(value.ptr + i)))
    i += 8;
  for (; i < value.len; i++) {
    unsigned char c = (unsigned char)value.ptr[i];

    if ((c < 0x20 && c != '\t') || c == 0x7f)
      return false;
  }
  return true;
}
