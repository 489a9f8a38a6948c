/* SPDX-License-Identifier: MIT */
/* The growing buffer. Memory doubles, so that n appends cost O(n). */
#include "base/buf.h"

#include "base/mem.h"
#include "base/place.h"
#include "infer/infer.h"

#include <errno.h>
#include <stdio.h>

enum { first_capacity = 64 };

void
inf_buf_init(inf_buf *buf, size_t max_bytes)
{
  *buf = (inf_buf){.max = max_bytes};
}

INF_HOT void
inf_buf_lend(inf_buf *buf, char *memory, size_t room)
{
  if (room == 0)
    return;
  buf->ptr = memory;
  buf->cap = room;
  buf->lent = true;
  memory[0] = '\0';
}

INF_HOT void
inf_buf_fini(inf_buf *buf)
{
  if (!buf->lent)
    inf_free(buf->ptr);
  *buf = (inf_buf){.max = buf->max};
}

void
inf_buf_fini_secret(inf_buf *buf)
{
  if (buf->lent)
    inf_wipe(buf->ptr, buf->cap);
  else
    inf_free_secret(buf->ptr, buf->cap);
  *buf = (inf_buf){.max = buf->max};
}

INF_HOT void
inf_buf_clear(inf_buf *buf)
{
  buf->len = 0;
  buf->status = INFER_OK;
  if (buf->ptr)
    buf->ptr[0] = '\0';
}

void
inf_buf_reuse(inf_buf *buf, size_t max_bytes, size_t keep_bytes)
{
  if (buf->cap > keep_bytes || (max_bytes < SIZE_MAX && buf->cap > max_bytes))
    inf_buf_fini(buf);
  inf_buf_clear(buf);
  buf->max = max_bytes;
}

INF_COLD static bool
fail(inf_buf *buf, int32_t status)
{
  if (buf->status == INFER_OK)
    buf->status = status;
  return false;
}

/* Memory of its own, of cap bytes, with what there is. */
static bool
resize(inf_buf *buf, size_t cap)
{
  char *ptr = inf_realloc(buf->lent ? NULL : buf->ptr, cap);
  if (!ptr)
    return fail(buf, INFER_E_NO_MEMORY);
  if (buf->lent)
    memcpy(ptr, buf->ptr, buf->len);
  ptr[buf->len] = '\0';
  buf->ptr = ptr;
  buf->cap = cap;
  buf->lent = false;
  return true;
}

bool
inf_buf_reserve(inf_buf *buf, size_t extra)
{
  if (buf->status != INFER_OK)
    return false;
  if (extra > buf->max || buf->len > buf->max - extra)
    return fail(buf, INFER_E_TOO_LARGE);
  if (extra < buf->cap - buf->len)
    return true;
  /* SIZE_MAX bytes and a NUL are more than memory can be. */
  if (extra >= SIZE_MAX - buf->len)
    return fail(buf, INFER_E_TOO_LARGE);
  size_t needed = buf->len + extra + 1;
  size_t cap = buf->cap < SIZE_MAX / 2 ? buf->cap * 2 : SIZE_MAX;
  if (cap < first_capacity)
    cap = first_capacity;
  if (cap < needed)
    cap = needed;
  if (cap > buf->max && buf->max < SIZE_MAX)
    cap = buf->max + 1;
  return resize(buf, cap);
}

bool
inf_buf_append_growing(inf_buf *buf, const void *ptr, size_t len)
{
  if (!inf_buf_reserve(buf, len))
    return false;
  if (len > 0)
    memcpy(buf->ptr + buf->len, ptr, len);
  buf->len += len;
  buf->ptr[buf->len] = '\0';
  return true;
}

bool
inf_buf_append_cstr(inf_buf *buf, const char *cstr)
{
  return inf_buf_append_sv(buf, inf_sv_from(cstr));
}

bool
inf_buf_append_uint(inf_buf *buf, uint64_t value)
{
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  return inf_buf_append(buf, digits + at, sizeof digits - at);
}

bool
inf_buf_append_int(inf_buf *buf, int64_t value)
{
  if (value >= 0)
    return inf_buf_append_uint(buf, (uint64_t)value);
  size_t before = buf->len;
  if (!inf_buf_append_char(buf, '-'))
    return false;
  if (inf_buf_append_uint(buf, 0 - (uint64_t)value))
    return true;
  inf_buf_truncate(buf, before);
  return false;
}

/* Formats into the room there is. Only where that was too small is the length
 * known too late, and the text is formatted once more. */
bool
inf_buf_appendv(inf_buf *buf, const char *format, va_list args)
{
  if (!inf_buf_reserve(buf, 0))
    return false;
  va_list again;
  va_copy(again, args);
  size_t room = buf->cap - buf->len;
  int len = vsnprintf(buf->ptr + buf->len, room, format, args);
  if (len < 0)
    fail(buf, errno == ENOMEM ? INFER_E_NO_MEMORY : INFER_E_TOO_LARGE);
  else if ((size_t)len >= room && inf_buf_reserve(buf, (size_t)len))
    vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
  va_end(again);
  if (buf->status == INFER_OK)
    buf->len += (size_t)len;
  buf->ptr[buf->len] = '\0';
  return buf->status == INFER_OK;
}

bool
inf_buf_appendf(inf_buf *buf, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  bool ok = inf_buf_appendv(buf, format, args);
  va_end(args);
  return ok;
}

void
inf_buf_consume(inf_buf *buf, size_t n)
{
  if (n >= buf->len) {
    inf_buf_truncate(buf, 0);
    return;
  }
  buf->len -= n;
  memmove(buf->ptr, buf->ptr + n, buf->len + 1);
}

void
inf_buf_truncate(inf_buf *buf, size_t len)
{
  if (len >= buf->len)
    return;
  buf->len = len;
  buf->ptr[len] = '\0';
}

char *
inf_buf_take(inf_buf *buf, size_t *len)
{
  if (!inf_buf_reserve(buf, 0) || (buf->lent && !resize(buf, buf->cap)))
    return NULL;
  char *ptr = buf->ptr;
  if (len)
    *len = buf->len;
  *buf = (inf_buf){.max = buf->max};
  return ptr;
}
