/* SPDX-License-Identifier: MIT */
/* The JSON writer. It keeps no state of its own: whether a comma is due is
 * read off the last byte of the buffer, so that pieces written by different
 * hands fit together. Request bodies go through it byte by byte, which is why
 * runs of plain text are appended at once. */
#include "wire/json_write.h"
#include "wire/number.h"
#include "wire/swar.h"
#include "wire/utf8.h"

#include <math.h>

static void
put_comma(inf_buf *buf)
{
  char last = buf->len > 0 ? buf->ptr[buf->len - 1] : '[';

  if (last != '{' && last != '[' && last != ':')
    inf_buf_append_char(buf, ',');
}

void
inf_json_open(inf_buf *buf, char bracket)
{
  put_comma(buf);
  inf_buf_append_char(buf, bracket);
}

void
inf_json_close(inf_buf *buf, char bracket)
{
  inf_buf_append_char(buf, bracket);
}

void
inf_json_key(inf_buf *buf, inf_sv key)
{
  inf_json_put_string(buf, key);
  inf_buf_append_char(buf, ':');
}

static void
put_escape(inf_buf *buf, unsigned char c)
{
  static const char hex[] = "0123456789abcdef";
  static const char letters[0x20] = {
      ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
  char escape[6] = {'\\', (char)c, '0', '0'};
  size_t len = 2;

  if (c < 0x20 && letters[c] != 0) {
    escape[1] = letters[c];
  } else if (c < 0x20) {
    escape[1] = 'u';
    escape[4] = hex[c >> 4];
    escape[5] = hex[c & 15];
    len = 6;
  }
  inf_buf_append(buf, escape, len);
}

void
inf_json_escape(inf_buf *buf, inf_sv text)
{
  const char *at = text.ptr, *end;

  if (text.len == 0)
    return;
  end = at + text.len;
  while (at < end) {
    const char *stop = inf_swar_plain_end(at, end);

    /* The run ends at an ASCII byte, which no ill-formed sequence spans. */
    if (!inf_utf8_append_lossy(buf, inf_sv_of(at, (size_t)(stop - at))))
      return;
    at = stop;
    if (at < end)
      put_escape(buf, (unsigned char)*at++);
  }
}

/* What most strings are: short, plain ASCII, and there is room. */
static bool
put_plain(inf_buf *buf, inf_sv text)
{
  enum { short_bytes = 64, more = 4 }; /* comma, quotes, NUL */

  if (text.len > short_bytes || buf->cap - buf->len < text.len + more ||
      buf->status != 0 || !inf_swar_all_plain(text.ptr, text.len))
    return false;
  put_comma(buf);
  char *at = buf->ptr + buf->len;
  *at++ = '"';
  if (text.len > 0)
    memcpy(at, text.ptr, text.len);
  at[text.len] = '"';
  at[text.len + 1] = '\0';
  buf->len += text.len + 2;
  return true;
}

void
inf_json_put_string(inf_buf *buf, inf_sv text)
{
  if (put_plain(buf, text))
    return;
  put_comma(buf);
  inf_buf_append_char(buf, '"');
  inf_json_escape(buf, text);
  inf_buf_append_char(buf, '"');
}

void
inf_json_put_int(inf_buf *buf, int64_t value)
{
  put_comma(buf);
  inf_buf_append_int(buf, value);
}

void
inf_json_put_double(inf_buf *buf, double value)
{
  char text[INF_NUMBER_MAX_BYTES];

  if (!isfinite(value)) {
    inf_json_put_null(buf);
    return;
  }
  put_comma(buf);
  inf_buf_append(buf, text, inf_number_from_double(value, text));
}

void
inf_json_put_bool(inf_buf *buf, bool value)
{
  inf_json_put_raw(buf, value ? INF_SV("true") : INF_SV("false"));
}

void
inf_json_put_null(inf_buf *buf)
{
  inf_json_put_raw(buf, INF_SV("null"));
}

void
inf_json_put_raw(inf_buf *buf, inf_sv json)
{
  put_comma(buf);
  inf_buf_append_sv(buf, json);
}

void
inf_json_member_string(inf_buf *buf, inf_sv key, inf_sv text)
{
  inf_json_key(buf, key);
  inf_json_put_string(buf, text);
}

void
inf_json_member_int(inf_buf *buf, inf_sv key, int64_t value)
{
  inf_json_key(buf, key);
  inf_json_put_int(buf, value);
}

void
inf_json_member_raw(inf_buf *buf, inf_sv key, inf_sv json)
{
  inf_json_key(buf, key);
  inf_json_put_raw(buf, json);
}

void
inf_json_member_bool(inf_buf *buf, inf_sv key, bool value)
{
  inf_json_key(buf, key);
  inf_json_put_bool(buf, value);
}
