/* SPDX-License-Identifier: MIT */
/* A growing byte buffer with a maximum. The capacity doubles, so that
 * appending costs amortised constant time, and one byte of it is always kept
 * for the NUL. All growth goes through inf_buf_reserve(). */
#include "base/buf.h"

#include "base/mem.h"
#include "infer/infer.h"

#include <errno.h>
#include <stdio.h>

/* Most buffers hold a name or an id and never grow again. */
#define FIRST_CAP 64

void inf_buf_init(inf_buf *buf, size_t max_bytes)
{
  *buf = (inf_buf){.max = max_bytes};
}

void inf_buf_fini(inf_buf *buf)
{
  inf_free(buf->ptr);
  inf_buf_init(buf, buf->max);
}

/* Bytes that were consumed or truncated still lie past len: the whole
 * capacity is wiped. */
void inf_buf_fini_secret(inf_buf *buf)
{
  inf_free_secret(buf->ptr, buf->cap);
  inf_buf_init(buf, buf->max);
}

void inf_buf_clear(inf_buf *buf)
{
  buf->status = INFER_OK;
  inf_buf_truncate(buf, 0);
}

static bool fail(inf_buf *buf, int32_t status)
{
  buf->status = status;
  return false;
}

/* The capacity that holds len bytes and the NUL: at least twice the present
 * one, but no more than the maximum needs. */
static size_t next_cap(const inf_buf *buf, size_t len)
{
  size_t cap = buf->cap <= SIZE_MAX / 2 ? buf->cap * 2 : SIZE_MAX;
  if (cap < FIRST_CAP)
    cap = FIRST_CAP;
  if (cap > buf->max)
    cap = buf->max + 1;
  return cap > len ? cap : len + 1;
}

bool inf_buf_reserve(inf_buf *buf, size_t extra)
{
  if (buf->status != INFER_OK)
    return false;
  if (extra < buf->cap - buf->len)
    return true;
  /* SIZE_MAX bytes and a NUL are more than there can be. */
  if (buf->len > buf->max || extra > buf->max - buf->len ||
      extra >= SIZE_MAX - buf->len)
    return fail(buf, INFER_E_TOO_LARGE);
  size_t cap = next_cap(buf, buf->len + extra);
  char *ptr = inf_realloc(buf->ptr, cap);
  if (!ptr)
    return fail(buf, INFER_E_NO_MEMORY);
  ptr[buf->len] = '\0';
  buf->ptr = ptr;
  buf->cap = cap;
  return true;
}

bool inf_buf_append(inf_buf *buf, const void *ptr, size_t len)
{
  if (!inf_buf_reserve(buf, len))
    return false;
  if (len)
    memcpy(buf->ptr + buf->len, ptr, len);
  buf->len += len;
  buf->ptr[buf->len] = '\0';
  return true;
}

bool inf_buf_append_sv(inf_buf *buf, inf_sv sv)
{
  return inf_buf_append(buf, sv.ptr, sv.len);
}

bool inf_buf_append_cstr(inf_buf *buf, const char *cstr)
{
  return inf_buf_append_sv(buf, inf_sv_from(cstr));
}

bool inf_buf_append_char(inf_buf *buf, char c)
{
  return inf_buf_append(buf, &c, 1);
}

static bool append_number(inf_buf *buf, uint64_t value, bool negative)
{
  char text[21]; /* '-' and 20 digits */
  size_t at = sizeof text;
  do
    text[--at] = (char)('0' + value % 10);
  while (value /= 10);
  if (negative)
    text[--at] = '-';
  return inf_buf_append(buf, text + at, sizeof text - at);
}

bool inf_buf_append_uint(inf_buf *buf, uint64_t value)
{
  return append_number(buf, value, false);
}

bool inf_buf_append_int(inf_buf *buf, int64_t value)
{
  uint64_t bits = (uint64_t)value;
  return append_number(buf, value < 0 ? 0 - bits : bits, value < 0);
}

bool inf_buf_appendf(inf_buf *buf, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  bool ok = inf_buf_appendv(buf, format, args);
  va_end(args);
  return ok;
}

/* Formats into the room there is; only where that was too small the length is
 * known too late, and the text is formatted once more. */
bool inf_buf_appendv(inf_buf *buf, const char *format, va_list args)
{
  if (!inf_buf_reserve(buf, 0))
    return false;
  va_list again;
  va_copy(again, args);
  size_t room = buf->cap - buf->len;
  int wrote = vsnprintf(buf->ptr + buf->len, room, format, args);
  if (wrote < 0) {
    (void)fail(buf, errno == ENOMEM ? INFER_E_NO_MEMORY : INFER_E_TOO_LARGE);
  } else if ((size_t)wrote >= room) {
    buf->ptr[buf->len] = '\0';
    if (inf_buf_reserve(buf, (size_t)wrote))
      (void)vsnprintf(buf->ptr + buf->len, (size_t)wrote + 1, format, again);
  }
  va_end(again);
  if (buf->status == INFER_OK)
    buf->len += (size_t)wrote;
  buf->ptr[buf->len] = '\0';
  return buf->status == INFER_OK;
}

void inf_buf_consume(inf_buf *buf, size_t n)
{
  if (n == 0)
    return;
  if (n >= buf->len) {
    inf_buf_truncate(buf, 0);
    return;
  }
  buf->len -= n;
  memmove(buf->ptr, buf->ptr + n, buf->len);
  buf->ptr[buf->len] = '\0';
}

void inf_buf_truncate(inf_buf *buf, size_t len)
{
  if (!buf->ptr || len > buf->len)
    return;
  buf->len = len;
  buf->ptr[len] = '\0';
}

char *inf_buf_take(inf_buf *buf, size_t *len)
{
  if (!inf_buf_reserve(buf, 0))
    return NULL;
  char *ptr = buf->ptr;
  if (len)
    *len = buf->len;
  inf_buf_init(buf, buf->max);
  return ptr;
}
