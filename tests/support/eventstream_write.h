/* SPDX-License-Identifier: MIT */
/* Writes Amazon's event streams, for tests of what reads them: by the
 * specification, with zlib's checksums, and nothing of the reader's code.
 *
 *   inf_buf out, headers;
 *   eventstream_put_string(&headers, ":event-type", "chunk");
 *   eventstream_put_message(&out, &headers, INF_SV("{}"));
 *
 * The buffers are the caller's. */
#ifndef TESTS_SUPPORT_EVENTSTREAM_WRITE_H
#define TESTS_SUPPORT_EVENTSTREAM_WRITE_H

#include "base/buf.h"

#include <zlib.h>

static inline void
eventstream_put_number(inf_buf *out, uint64_t value, unsigned bytes)
{
  while (bytes-- > 0)
    inf_buf_append_char(out, (char)(value >> (8 * bytes) & 0xff));
}

static inline void
eventstream_put_crc(inf_buf *out, size_t from)
{
  const unsigned char *ptr = (const unsigned char *)out->ptr + from;

  eventstream_put_number(out, crc32(0, ptr, (unsigned)(out->len - from)), 4);
}

/* Name and type; the value is for the caller. */
static inline void
eventstream_put_header(inf_buf *out, const char *name, unsigned type)
{
  eventstream_put_number(out, strlen(name), 1);
  inf_buf_append_cstr(out, name);
  eventstream_put_number(out, type, 1);
}

/* A value of types 6 and 7. */
static inline void
eventstream_put_bytes(inf_buf *out, const char *name, unsigned type,
                      inf_sv value)
{
  eventstream_put_header(out, name, type);
  eventstream_put_number(out, value.len, 2);
  inf_buf_append_sv(out, value);
}

static inline void
eventstream_put_string(inf_buf *out, const char *name, const char *value)
{
  eventstream_put_bytes(out, name, 7, inf_sv_from(value));
}

/* With lengths that may be wrong; the checksums are right. */
static inline void
eventstream_put_raw(inf_buf *out, uint64_t total, uint64_t headers_len,
                    inf_sv headers, inf_sv payload)
{
  size_t from = out->len;

  eventstream_put_number(out, total, 4);
  eventstream_put_number(out, headers_len, 4);
  eventstream_put_crc(out, from);
  inf_buf_append_sv(out, headers);
  inf_buf_append_sv(out, payload);
  eventstream_put_crc(out, from);
}

static inline void
eventstream_put_message(inf_buf *out, const inf_buf *headers, inf_sv payload)
{
  inf_sv text = inf_buf_sv(headers);

  eventstream_put_raw(out, 16 + text.len + payload.len, text.len, text,
                      payload);
}

#endif
