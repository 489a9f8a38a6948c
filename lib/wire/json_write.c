/* SPDX-License-Identifier: MIT */
/* The JSON writer; see json_write.h. */
#include "wire/json_write.h"

#include "wire/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A comma before what comes, unless it is the first of its kind. */
static void
separate(inf_buf *buf)
{
  if (buf->len == 0)
    return;
  char last = buf->ptr[buf->len - 1];
  if (last != '{' && last != '[' && last != ':' && last != ',')
    inf_buf_append_char(buf, ',');
}

void
inf_json_open(inf_buf *buf, char bracket)
{
  separate(buf);
  inf_buf_append_char(buf, bracket);
}

void
inf_json_close(inf_buf *buf, char bracket)
{
  inf_buf_append_char(buf, bracket);
}

/* Bytes that may stand in a JSON string as they are. */
static bool
is_plain(unsigned char c)
{
  return c >= 0x20 && c != '"' && c != '\\' && c < 0x80;
}

static void
escape_byte(inf_buf *buf, unsigned char c)
{
  static const char values[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
  static const char hex[] = "0123456789abcdef";
  const char *at = c ? strchr(values, (char)c) : NULL;
  if (at) {
    char out[2] = {'\\', names[at - values]};
    inf_buf_append(buf, out, 2);
  } else {
    char out[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    inf_buf_append(buf, out, 6);
  }
}

void
inf_json_escape(inf_buf *buf, inf_sv text)
{
  size_t at = 0;
  while (at < text.len && buf->status == 0) {
    size_t run = at;
    while (run < text.len && is_plain((unsigned char)text.ptr[run]))
      run++;
    inf_buf_append(buf, text.ptr + at, run - at);
    at = run;
    /* Text beyond ASCII goes out as it is, if it is what it claims to be. */
    while (run < text.len && (unsigned char)text.ptr[run] >= 0x80)
      run++;
    inf_utf8_append_lossy(buf, inf_sv_of(text.ptr + at, run - at));
    at = run;
    if (at < text.len && !is_plain((unsigned char)text.ptr[at]))
      escape_byte(buf, (unsigned char)text.ptr[at++]);
  }
}

static void
put_quoted(inf_buf *buf, inf_sv text)
{
  inf_buf_append_char(buf, '"');
  inf_json_escape(buf, text);
  inf_buf_append_char(buf, '"');
}

void
inf_json_key(inf_buf *buf, inf_sv key)
{
  separate(buf);
  put_quoted(buf, key);
  inf_buf_append_char(buf, ':');
}

void
inf_json_put_string(inf_buf *buf, inf_sv text)
{
  separate(buf);
  put_quoted(buf, text);
}

void
inf_json_put_int(inf_buf *buf, int64_t value)
{
  separate(buf);
  inf_buf_append_int(buf, value);
}

void
inf_json_put_double(inf_buf *buf, double value)
{
  separate(buf);
  if (!isfinite(value)) {
    inf_buf_append_cstr(buf, "null");
    return;
  }
  char text[32];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value)
      break;
  }
  /* A locale may have written a decimal comma. */
  for (char *c = text; *c; c++)
    if (!strchr("+-0123456789eE", *c))
      *c = '.';
  inf_buf_append_cstr(buf, text);
}

void
inf_json_put_bool(inf_buf *buf, bool value)
{
  separate(buf);
  inf_buf_append_cstr(buf, value ? "true" : "false");
}

void
inf_json_put_null(inf_buf *buf)
{
  separate(buf);
  inf_buf_append_cstr(buf, "null");
}

void
inf_json_put_raw(inf_buf *buf, inf_sv json)
{
  separate(buf);
  inf_buf_append_sv(buf, json);
}

void
inf_json_member_string(inf_buf *buf, inf_sv key, inf_sv text)
{
  inf_json_key(buf, key);
  put_quoted(buf, text);
}

void
inf_json_member_int(inf_buf *buf, inf_sv key, int64_t value)
{
  inf_json_key(buf, key);
  inf_buf_append_int(buf, value);
}

void
inf_json_member_raw(inf_buf *buf, inf_sv key, inf_sv json)
{
  inf_json_key(buf, key);
  inf_buf_append_sv(buf, json);
}

void
inf_json_member_bool(inf_buf *buf, inf_sv key, bool value)
{
  inf_json_key(buf, key);
  inf_buf_append_cstr(buf, value ? "true" : "false");
}
