/* SPDX-License-Identifier: MIT */
/* The parser of Amazon's event streams. Lengths are believed only after their
 * checksum, and no memory is set aside for bytes that have not come. */
#include "wire/eventstream.h"

#include "wire/crc32.h"

#include <infer/infer.h>

enum {
  prelude_bytes = 12, /* two lengths and their checksum */
  checksum_bytes = 4,
  least_bytes = prelude_bytes + checksum_bytes,
};

void
inf_eventstream_init(inf_eventstream *stream, size_t max_message_bytes)
{
  *stream = (inf_eventstream){.max_message_bytes = max_message_bytes};
  /* Room for the prelude, which tells that a message is too large. */
  inf_buf_init(&stream->message, max_message_bytes > prelude_bytes
                                     ? max_message_bytes
                                     : prelude_bytes);
}

void
inf_eventstream_fini(inf_eventstream *stream)
{
  inf_buf_fini(&stream->message);
}

void
inf_eventstream_reuse(inf_eventstream *stream, size_t max_message_bytes,
                      size_t keep_bytes)
{
  inf_buf message = stream->message;
  size_t max;

  inf_eventstream_init(stream, max_message_bytes);
  max = stream->message.max;
  stream->message = message;
  inf_buf_reuse(&stream->message, max, keep_bytes);
}

static bool
stop(inf_eventstream *stream, int32_t status, const char *reason)
{
  stream->stopped = true;
  stream->status = status;
  stream->reason = reason;
  return false;
}

static uint64_t
big_endian(const char *ptr, size_t len)
{
  uint64_t value = 0;

  for (size_t i = 0; i < len; i++)
    value = value << 8 | (unsigned char)ptr[i];
  return value;
}

static uint32_t
word_at(inf_sv bytes, size_t at)
{
  return (uint32_t)big_endian(bytes.ptr + at, 4);
}

/* Headers -------------------------------------------------------------- */

/* Length of the value, or of the length before it (negative). */
static const int8_t value_bytes[] = {
    [INF_EVENTSTREAM_TRUE] = 0,      [INF_EVENTSTREAM_FALSE] = 0,
    [INF_EVENTSTREAM_INT8] = 1,      [INF_EVENTSTREAM_INT16] = 2,
    [INF_EVENTSTREAM_INT32] = 4,     [INF_EVENTSTREAM_INT64] = 8,
    [INF_EVENTSTREAM_BYTES] = -2,    [INF_EVENTSTREAM_STRING] = -2,
    [INF_EVENTSTREAM_TIMESTAMP] = 8, [INF_EVENTSTREAM_UUID] = 16,
};

static bool
take(inf_sv *text, size_t len, inf_sv *part)
{
  if (len > text->len)
    return false;
  *part = inf_sv_of(text->ptr, len);
  *text = inf_sv_of(text->ptr + len, text->len - len);
  return true;
}

static bool
take_length(inf_sv *text, size_t bytes, size_t *length)
{
  inf_sv part;

  if (!take(text, bytes, &part))
    return false;
  *length = (size_t)big_endian(part.ptr, part.len);
  return true;
}

/* Takes a header off the text; gives what is wrong with it, or NULL. */
static const char *
take_header(inf_sv *text, inf_eventstream_header *header)
{
  size_t length, type;

  if (!take_length(text, 1, &length) || !take(text, length, &header->name))
    return "a header's name goes past the headers";
  if (length == 0)
    return "a header has no name";
  if (!take_length(text, 1, &type))
    return "a header has no type";
  if (type >= sizeof(value_bytes))
    return "a header's type is unknown";
  header->type = (inf_eventstream_type)type;
  length = value_bytes[type] < 0 ? 0 : (size_t)value_bytes[type];
  if (value_bytes[type] < 0 && !take_length(text, 2, &length))
    return "a header's value has no length";
  return take(text, length, &header->value)
             ? NULL
             : "a header's value goes past the headers";
}

bool
inf_eventstream_next(inf_sv *headers, inf_eventstream_header *header)
{
  return headers->len > 0 && !take_header(headers, header);
}

inf_sv
inf_eventstream_string(const inf_eventstream_message *message, inf_sv name)
{
  inf_sv rest = message->headers;
  inf_eventstream_header header;

  while (inf_eventstream_next(&rest, &header)) {
    if (inf_sv_eq(header.name, name))
      return header.type == INF_EVENTSTREAM_STRING ? header.value : INF_SV("");
  }
  return INF_SV("");
}

bool
inf_eventstream_int64(const inf_eventstream_header *header, int64_t *number)
{
  inf_sv value = header->value;
  uint64_t bits, sign;

  if (header->type >= INF_EVENTSTREAM_BYTES &&
      header->type != INF_EVENTSTREAM_TIMESTAMP)
    return false;
  if (value.len == 0) {
    *number = header->type == INF_EVENTSTREAM_TRUE;
    return true;
  }
  /* The sign of a short number is spread over the bits above it. */
  bits = big_endian(value.ptr, value.len);
  sign = UINT64_C(1) << (8 * value.len - 1);
  *number = (int64_t)((bits ^ sign) - sign);
  return true;
}

/* Messages ------------------------------------------------------------- */

/* The first bytes of a message, at least the prelude. */
static bool
check_prelude(inf_eventstream *stream, inf_sv bytes)
{
  size_t total = word_at(bytes, 0), headers = word_at(bytes, 4);

  if (inf_crc32(0, bytes.ptr, 8) != word_at(bytes, 8))
    return stop(stream, INFER_E_PROTOCOL, "a prelude's checksum is wrong");
  if (total < least_bytes)
    return stop(stream, INFER_E_PROTOCOL, "a message is too short to be one");
  if (headers > total - least_bytes)
    return stop(stream, INFER_E_PROTOCOL, "headers go past their message");
  if (total > stream->max_message_bytes)
    return stop(stream, INFER_E_TOO_LARGE, "a message is too large");
  if (headers > INF_EVENTSTREAM_MAX_HEADERS_BYTES)
    return stop(stream, INFER_E_TOO_LARGE, "headers are too large");
  return true;
}

static bool
check_message(inf_eventstream *stream, inf_sv bytes, inf_sv headers)
{
  size_t summed = bytes.len - checksum_bytes;
  inf_eventstream_header header;
  const char *fault = NULL;

  if (inf_crc32(0, bytes.ptr, summed) != word_at(bytes, summed))
    return stop(stream, INFER_E_PROTOCOL, "a message's checksum is wrong");
  while (headers.len > 0 && !fault)
    fault = take_header(&headers, &header);
  return !fault || stop(stream, INFER_E_PROTOCOL, fault);
}

/* A whole message whose prelude is right. */
static bool
take_message(inf_eventstream *stream, inf_sv bytes, inf_eventstream_fn fn,
             void *context)
{
  size_t headers = word_at(bytes, 4);
  inf_eventstream_message message = {
      inf_sv_of(bytes.ptr + prelude_bytes, headers),
      inf_sv_of(bytes.ptr + prelude_bytes + headers,
                bytes.len - least_bytes - headers)};

  if (!check_message(stream, bytes, message.headers))
    return false;
  stream->delivered = true;
  return fn(context, &message) || stop(stream, INFER_OK, NULL);
}

/* Appends what is missing up to so many bytes, as far as there is any. False
 * if more is missing. */
static bool
fill(inf_eventstream *stream, inf_sv *rest, size_t bytes)
{
  size_t missing = bytes - stream->message.len;
  inf_sv part = *rest;

  if (part.len > missing)
    part.len = missing;
  *rest = inf_sv_of(rest->ptr + part.len, rest->len - part.len);
  if (!inf_buf_append_sv(&stream->message, part))
    return stop(stream, stream->message.status, NULL);
  return part.len == missing;
}

/* A message that began in earlier bytes, or whose end is not in these. */
static bool
assemble(inf_eventstream *stream, inf_sv *rest, inf_eventstream_fn fn,
         void *context)
{
  inf_buf *message = &stream->message;
  bool go_on;

  if (message->len < prelude_bytes &&
      (!fill(stream, rest, prelude_bytes) ||
       !check_prelude(stream, inf_buf_sv(message))))
    return !stream->stopped;
  if (!fill(stream, rest, word_at(inf_buf_sv(message), 0)))
    return !stream->stopped;
  go_on = take_message(stream, inf_buf_sv(message), fn, context);
  inf_buf_clear(message);
  return go_on;
}

/* Takes one message off the bytes, or all of them. */
static bool
take_next(inf_eventstream *stream, inf_sv *rest, inf_eventstream_fn fn,
          void *context)
{
  inf_sv whole;

  if (stream->message.len > 0 || rest->len < prelude_bytes)
    return assemble(stream, rest, fn, context);
  if (!check_prelude(stream, *rest))
    return false;
  return take(rest, word_at(*rest, 0), &whole)
             ? take_message(stream, whole, fn, context)
             : fill(stream, rest, word_at(*rest, 0)) || !stream->stopped;
}

/* Gives the number of bytes taken: all, unless the parser was stopped or
 * paused. */
static size_t
feed(inf_eventstream *stream, const char *ptr, size_t len,
     inf_eventstream_fn fn, void *context)
{
  inf_sv rest = inf_sv_of(ptr, len);

  while (rest.len > 0 && !stream->stopped &&
         !(stream->pausing && stream->delivered) &&
         take_next(stream, &rest, fn, context)) {
  }
  return len - rest.len;
}

int32_t
inf_eventstream_feed(inf_eventstream *stream, const char *ptr, size_t len,
                     inf_eventstream_fn fn, void *context)
{
  feed(stream, ptr, len, fn, context);
  return stream->status;
}

size_t
inf_eventstream_feed_message(inf_eventstream *stream, const char *ptr,
                             size_t len, inf_eventstream_fn fn, void *context)
{
  stream->pausing = true;
  stream->delivered = false;
  size_t taken = feed(stream, ptr, len, fn, context);
  stream->pausing = false;
  return taken;
}

int32_t
inf_eventstream_finish(inf_eventstream *stream)
{
  if (!stream->stopped && stream->message.len > 0)
    stop(stream, INFER_E_TRUNCATED, "a message is cut");
  stream->stopped = true;
  return stream->status;
}
