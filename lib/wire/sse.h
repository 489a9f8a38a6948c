/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_SSE_H
#define INF_WIRE_SSE_H

#include "base/buf.h"

/* Server-sent events by the WHATWG specification (HTML, section 9.2.6):
 * bytes in, events out. Lines end with LF, CRLF or CR, in any split; U+2028
 * and NEL are no line ends; a leading BOM is dropped; lines that begin with a
 * colon are comments; one space after the colon is dropped; several data
 * lines are joined by LF. An event without data is not delivered, except one
 * that carries an `error` field: some servers (llama.cpp until 2025) write
 * their failure as `error: {json}`.
 *
 * Where an event lies whole in the bytes given and has one data line, its
 * views point into those bytes: nothing is copied. */

typedef struct inf_sse_event {
  inf_sv event; /* event type, "" if none */
  inf_sv data;
  inf_sv error; /* value of the non-standard `error` field, "" if none */
} inf_sse_event;

/* False stops the parser: inf_sse_feed() returns at once and the rest of its
 * bytes is dropped. The views live until the function returns. */
typedef bool (*inf_sse_fn)(void *context, const inf_sse_event *event);

/* A field of the unfinished event. */
typedef struct inf_sse_field {
  bool present;
  inf_sv value; /* in the bytes being fed, or in copy */
  inf_buf copy;
} inf_sse_field;

typedef struct inf_sse {
  inf_buf line; /* an unfinished line */
  inf_sse_field data, event, error;
  size_t max_event_bytes;
  size_t event_bytes; /* of the finished lines of the unfinished event */
  bool in_comment;    /* the unfinished line is a comment */
  bool after_cr;      /* a LF that comes next belongs to the last line end */
  uint8_t bom;        /* bytes of a leading BOM seen so far; 3: past it */
  bool stopped;
  bool pausing; /* see inf_sse_feed_event() */
  bool delivered;
  int32_t status;
  size_t comments; /* comment lines seen */
} inf_sse;

/* An event may be at most max_event_bytes long: the sum of its lines without
 * their ends and without comments. */
void inf_sse_init(inf_sse *sse, size_t max_event_bytes);
void inf_sse_fini(inf_sse *sse);
/* For another stream; buffers of at most keep_bytes are kept. */
void inf_sse_reuse(inf_sse *sse, size_t max_event_bytes, size_t keep_bytes);
/* INFER_OK, INFER_E_TOO_LARGE or INFER_E_NO_MEMORY; after an error the parser
 * stays stopped and gives the same error again. */
int32_t inf_sse_feed(inf_sse *sse, const char *ptr, size_t len, inf_sse_fn fn,
                     void *context);
/* The same, but it takes no byte after the first event that it delivers. Gives
 * the number of bytes taken; sse->status says how it went. */
size_t inf_sse_feed_event(inf_sse *sse, const char *ptr, size_t len,
                          inf_sse_fn fn, void *context);
/* Does the next byte begin an event, whatever came before? Then an event that
 * lies whole in the bytes may also be read in another way. */
bool inf_sse_between_events(const inf_sse *sse);
/* The end of the bytes: an unfinished last line and event count as finished,
 * because servers forget the last blank line. The parser is stopped then. */
int32_t inf_sse_finish(inf_sse *sse, inf_sse_fn fn, void *context);

#endif
