/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_BUF_H
#define INF_BASE_BUF_H

#include "base/sv.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* A growing byte buffer with a maximum.
 *
 * A failed append leaves the buffer as it was and sets a sticky status
 * (INFER_E_NO_MEMORY, or INFER_E_TOO_LARGE past the maximum); later appends
 * then do nothing and fail too. A writer may so append freely and look at the
 * status once, at the end. The zero-initialised struct with a max set is a
 * valid empty buffer; ptr is NULL until the first append. After any
 * successful append ptr[len] is a NUL that is not counted. */
typedef struct inf_buf {
  char *ptr;
  size_t len;
  size_t cap;
  size_t max;
  int32_t status;
  bool lent; /* ptr is not the buffer's own: see inf_buf_lend() */
} inf_buf;

void inf_buf_init(inf_buf *buf, size_t max_bytes);
/* Lets an empty buffer without memory begin in room bytes of somebody else's,
 * which must stay as long as it does. It moves out when it outgrows them. */
void inf_buf_lend(inf_buf *buf, char *memory, size_t room);
void inf_buf_fini(inf_buf *buf);
/* fini after wiping the bytes. */
void inf_buf_fini_secret(inf_buf *buf);

/* Empties, keeps the memory, clears the status. */
void inf_buf_clear(inf_buf *buf);
/* The same for a use with another maximum; memory of more than keep_bytes is
 * not kept. */
void inf_buf_reuse(inf_buf *buf, size_t max_bytes, size_t keep_bytes);
/* Room for extra more bytes (and the NUL) without a further allocation. */
bool inf_buf_reserve(inf_buf *buf, size_t extra);
/* What inf_buf_append() does where there may be no room. */
bool inf_buf_append_growing(inf_buf *buf, const void *ptr, size_t len);
bool inf_buf_append_cstr(inf_buf *buf, const char *cstr);
bool inf_buf_append_uint(inf_buf *buf, uint64_t value);
bool inf_buf_append_int(inf_buf *buf, int64_t value);
bool inf_buf_appendf(inf_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool inf_buf_appendv(inf_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Drops n bytes from the front. */
void inf_buf_consume(inf_buf *buf, size_t n);
/* Shortens to len. */
void inf_buf_truncate(inf_buf *buf, size_t len);
/* Gives the NUL-terminated bytes away (inf_free) and empties the buffer.
 * NULL if the status is bad or memory is short; never NULL for an empty
 * buffer otherwise. */
char *inf_buf_take(inf_buf *buf, size_t *len);

/* A buffer that failed goes on to fail, whatever room it has. */
static inline bool
inf_buf_append(inf_buf *buf, const void *ptr, size_t len)
{
  if (len >= buf->cap - buf->len || buf->status != 0)
    return inf_buf_append_growing(buf, ptr, len);
  if (len > 0)
    memcpy(buf->ptr + buf->len, ptr, len);
  buf->len += len;
  buf->ptr[buf->len] = '\0';
  return true;
}

static inline bool
inf_buf_append_char(inf_buf *buf, char c)
{
  return inf_buf_append(buf, &c, 1);
}

static inline bool
inf_buf_append_sv(inf_buf *buf, inf_sv sv)
{
  return inf_buf_append(buf, sv.ptr, sv.len);
}

static inline inf_sv
inf_buf_sv(const inf_buf *buf)
{
  return inf_sv_of(buf->ptr, buf->len);
}

/* For output: "" instead of NULL. */
static inline const char *
inf_buf_cstr(const inf_buf *buf)
{
  return buf->ptr ? buf->ptr : "";
}

#endif
