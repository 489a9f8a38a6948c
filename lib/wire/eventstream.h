/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_EVENTSTREAM_H
#define INF_WIRE_EVENTSTREAM_H

#include "base/buf.h"

/* application/vnd.amazon.eventstream (Bedrock streams): bytes in, messages
 * out. By the Smithy specification "Amazon Event Stream" a message is
 *
 *   total length     4 bytes   of the whole message, these included
 *   headers length   4
 *   prelude checksum 4         CRC-32 of the eight bytes before
 *   headers          ...
 *   payload          ...       the rest
 *   message checksum 4         CRC-32 of all that stands before
 *
 * and a header: length of the name (1), name, type (1), value. Numbers are big
 * endian. A message is handed out only when both checksums and all of its
 * headers are right; anything else ends the stream, for where the next message
 * begins is known from this one alone.
 *
 * A message that lies whole in the bytes given is a view of them: nothing is
 * copied. No state but this struct; one thread at a time. */

/* What the implementations of AWS take: aws-c-event-stream has 16 MiB and
 * 128 KiB. A larger limit for headers counts as this one. */
#define INF_EVENTSTREAM_MAX_MESSAGE_BYTES ((size_t)16 << 20)
#define INF_EVENTSTREAM_MAX_HEADERS_BYTES ((size_t)128 << 10)

/* Numbers are signed. */
typedef enum inf_eventstream_type {
  INF_EVENTSTREAM_TRUE,  /* no value */
  INF_EVENTSTREAM_FALSE, /* no value */
  INF_EVENTSTREAM_INT8,
  INF_EVENTSTREAM_INT16,
  INF_EVENTSTREAM_INT32,
  INF_EVENTSTREAM_INT64,
  INF_EVENTSTREAM_BYTES,
  INF_EVENTSTREAM_STRING,    /* UTF-8, not checked */
  INF_EVENTSTREAM_TIMESTAMP, /* milliseconds since 1970, UTC */
  INF_EVENTSTREAM_UUID,      /* 16 bytes */
} inf_eventstream_type;

typedef struct inf_eventstream_header {
  inf_sv name;
  inf_eventstream_type type;
  inf_sv value; /* its bytes as they came, without the length */
} inf_eventstream_header;

typedef struct inf_eventstream_message {
  inf_sv headers; /* for inf_eventstream_next() */
  inf_sv payload;
} inf_eventstream_message;

/* Takes the first header off the text; false when there is none, or on text
 * that no parser has checked when it is malformed. */
bool inf_eventstream_next(inf_sv *headers, inf_eventstream_header *header);
/* The value of the first header of that name, if it is a string; else "". */
inf_sv inf_eventstream_string(const inf_eventstream_message *message,
                              inf_sv name);
/* A number, a timestamp (in milliseconds) or a truth value (0, 1). */
bool inf_eventstream_int64(const inf_eventstream_header *header,
                           int64_t *number);

/* False stops the parser: inf_eventstream_feed() returns at once and the rest
 * of its bytes is dropped. The views live until the function returns. */
typedef bool (*inf_eventstream_fn)(void *context,
                                   const inf_eventstream_message *message);

typedef struct inf_eventstream {
  inf_buf message; /* the beginning of an unfinished message */
  size_t max_message_bytes;
  bool stopped;
  bool pausing; /* see inf_eventstream_feed_message() */
  bool delivered;
  int32_t status;
  const char *reason; /* static text, where status is an error of the stream */
} inf_eventstream;

/* A message may be at most max_message_bytes long as a whole. */
void inf_eventstream_init(inf_eventstream *stream, size_t max_message_bytes);
void inf_eventstream_fini(inf_eventstream *stream);
/* For another stream; a buffer of at most keep_bytes is kept. */
void inf_eventstream_reuse(inf_eventstream *stream, size_t max_message_bytes,
                           size_t keep_bytes);
/* INFER_OK, INFER_E_PROTOCOL, INFER_E_TOO_LARGE or INFER_E_NO_MEMORY; after an
 * error the parser stays stopped and gives the same error again. */
int32_t inf_eventstream_feed(inf_eventstream *stream, const char *ptr,
                             size_t len, inf_eventstream_fn fn, void *context);
/* The same, but it takes no byte after the first message that it delivers.
 * Gives the number of bytes taken; stream->status says how it went. */
size_t inf_eventstream_feed_message(inf_eventstream *stream, const char *ptr,
                                    size_t len, inf_eventstream_fn fn,
                                    void *context);
/* The end of the bytes: also INFER_E_TRUNCATED, where a message was cut. The
 * parser is stopped then. */
int32_t inf_eventstream_finish(inf_eventstream *stream);

#endif
