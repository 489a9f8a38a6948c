/* SPDX-License-Identifier: MIT */
/* Other framings than server-sent events, as server-sent events. */
#include "provider/frames.h"

#include "infer/infer.h"

/* ---- Readers ------------------------------------------------------------- */

/* Limits stand in inf_frames_begin(). */
void
inf_frames_init(inf_frames *frames)
{
  *frames = (inf_frames){0};
  inf_ndjson_init(&frames->lines, 0);
  inf_json_array_init(&frames->array, 0, 0);
  inf_eventstream_init(&frames->messages, 0);
  inf_split_init(&frames->split);
}

void
inf_frames_fini(inf_frames *frames)
{
  inf_ndjson_fini(&frames->lines);
  inf_json_array_fini(&frames->array);
  inf_eventstream_fini(&frames->messages);
  inf_split_fini(&frames->split);
}

void
inf_frames_begin(inf_frames *frames, inf_framing framing,
                 size_t max_event_bytes, unsigned max_depth, size_t keep_bytes)
{
  frames->framing = framing;
  inf_ndjson_reuse(&frames->lines, max_event_bytes, keep_bytes);
  inf_json_array_reuse(&frames->array, max_event_bytes, max_depth, keep_bytes);
  inf_eventstream_reuse(&frames->messages, max_event_bytes, keep_bytes);
  inf_split_reuse(&frames->split, NULL, NULL, max_event_bytes, keep_bytes);
}

void
inf_frames_begin_split(inf_frames *frames, inf_split_rule rule,
                       const void *rule_context, size_t max_event_bytes,
                       size_t keep_bytes)
{
  inf_frames_begin(frames, INF_FRAMING_SPLIT, max_event_bytes, 0, keep_bytes);
  inf_split_reuse(&frames->split, rule, rule_context, max_event_bytes,
                  keep_bytes);
}

/* ---- Events -------------------------------------------------------------- */

static bool
on_document(void *context, inf_sv document)
{
  inf_frames *frames = context;
  inf_sse_event event = {INF_SV(""), document, INF_SV("")};
  return frames->fn(frames->context, &event);
}

/* The value of the first header of these two that is there. */
static inf_sv
header_of(const inf_eventstream_message *message, const char *name,
          const char *other)
{
  inf_sv value = inf_eventstream_string(message, inf_sv_from(name));
  return value.len > 0 ? value
                       : inf_eventstream_string(message, inf_sv_from(other));
}

static bool
on_message(void *context, const inf_eventstream_message *message)
{
  inf_frames *frames = context;
  inf_sv kind = inf_eventstream_string(message, INF_SV(":message-type"));
  inf_sse_event event = {INF_SV(""), message->payload, INF_SV("")};
  if (inf_sv_eq(kind, INF_SV("exception")) ||
      inf_sv_eq(kind, INF_SV("error"))) {
    event.error = header_of(message, ":exception-type", ":error-code");
    if (event.error.len == 0)
      event.error = kind;
    if (event.data.len == 0)
      event.data = inf_eventstream_string(message, INF_SV(":error-message"));
  } else {
    event.event = inf_eventstream_string(message, INF_SV(":event-type"));
  }
  return frames->fn(frames->context, &event);
}

int32_t
inf_frames_feed(inf_frames *frames, inf_sv bytes, inf_sse_fn fn, void *context)
{
  frames->fn = fn;
  frames->context = context;
  switch (frames->framing) {
  case INF_FRAMING_NDJSON:
    return inf_ndjson_feed(&frames->lines, bytes.ptr, bytes.len, on_document,
                           frames);
  case INF_FRAMING_JSON_ARRAY:
    return inf_json_array_feed(&frames->array, bytes.ptr, bytes.len,
                               on_document, frames);
  case INF_FRAMING_EVENTSTREAM:
    return inf_eventstream_feed(&frames->messages, bytes.ptr, bytes.len,
                                on_message, frames);
  case INF_FRAMING_SPLIT:
    return inf_split_feed(&frames->split, bytes, on_document, frames);
  default:
    return INFER_E_PROTOCOL;
  }
}

int32_t
inf_frames_finish(inf_frames *frames, inf_sse_fn fn, void *context)
{
  frames->fn = fn;
  frames->context = context;
  switch (frames->framing) {
  case INF_FRAMING_NDJSON:
    return inf_ndjson_finish(&frames->lines, on_document, frames);
  case INF_FRAMING_JSON_ARRAY:
    return inf_json_array_finish(&frames->array);
  case INF_FRAMING_EVENTSTREAM:
    return inf_eventstream_finish(&frames->messages);
  case INF_FRAMING_SPLIT:
    return inf_split_finish(&frames->split);
  default:
    return INFER_E_PROTOCOL;
  }
}

const char *
inf_frames_reason(const inf_frames *frames, int32_t status)
{
  const char *reason = NULL;
  if (status == INFER_E_TOO_LARGE)
    return "an event is larger than max_event_bytes";
  if (status == INFER_E_TOO_DEEP)
    return "an event is nested deeper than max_json_depth";
  if (frames->framing == INF_FRAMING_JSON_ARRAY)
    reason = frames->array.reason;
  else if (frames->framing == INF_FRAMING_EVENTSTREAM)
    reason = frames->messages.reason;
  else if (frames->framing == INF_FRAMING_SPLIT)
    reason = frames->split.reason;
  return reason ? reason : "";
}
