/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_FRAMES_H
#define INF_PROVIDER_FRAMES_H

#include "wire/eventstream.h"
#include "wire/json_array.h"
#include "wire/ndjson.h"
#include "wire/split.h"
#include "wire/sse.h"

/* Streams that are not server-sent events: bytes in, the same events out, so
 * that a dialect reads one kind of event whatever framed it.
 *
 *   a line of JSON, an element of an array
 *            data is the document; event and error are ""
 *   an Amazon message
 *            event is its `:event-type`, data its payload
 *   an Amazon message that tells of a failure (`:message-type` exception or
 *   error)   event is "", error the `:exception-type` or `:error-code`, never
 *            empty; data the payload, or where there is none the
 *            `:error-message`, which is bare text
 *
 *   bytes cut off by a rule of the dialect
 *            data is all of them; event and error are ""
 *
 * The limit of one event counts as its framing counts it: a line, an element,
 * a whole message. No state but this struct; one thread at a time. */

typedef enum inf_framing {
  INF_FRAMING_SSE, /* in a dialect: an array too, which `[` tells */
  INF_FRAMING_NDJSON,
  INF_FRAMING_JSON_ARRAY, /* in a dialect: server-sent events too */
  INF_FRAMING_EVENTSTREAM,
  INF_FRAMING_SPLIT, /* in a dialect: the body is nothing else */
  INF_FRAMING_NONE,  /* in a dialect: it has no streams */
} inf_framing;

typedef struct inf_frames {
  inf_framing framing; /* never SSE once begun */
  inf_ndjson lines;
  inf_json_array array;
  inf_eventstream messages;
  inf_split split;
  inf_sse_fn fn; /* whom the bytes at hand are read for */
  void *context;
} inf_frames;

void inf_frames_init(inf_frames *frames);
void inf_frames_fini(inf_frames *frames);
/* A stream begins; buffers of at most keep_bytes are kept from the last one.
 * max_depth is of an element's brackets. */
void inf_frames_begin(inf_frames *frames, inf_framing framing,
                      size_t max_event_bytes, unsigned max_depth,
                      size_t keep_bytes);
/* The same of INF_FRAMING_SPLIT, by that rule. */
void inf_frames_begin_split(inf_frames *frames, inf_split_rule rule,
                            const void *rule_context, size_t max_event_bytes,
                            size_t keep_bytes);
/* INFER_OK, or what the framing's reader says; that stays. */
int32_t inf_frames_feed(inf_frames *frames, inf_sv bytes, inf_sse_fn fn,
                        void *context);
/* The end of the bytes: also INFER_E_TRUNCATED, for an event that was cut. */
int32_t inf_frames_finish(inf_frames *frames, inf_sse_fn fn, void *context);
/* Why not, in words without a full stop, for a status that is an error. */
const char *inf_frames_reason(const inf_frames *frames, int32_t status);

#endif
