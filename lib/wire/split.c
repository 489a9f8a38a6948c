/* SPDX-License-Identifier: MIT */
#include "wire/split.h"

#include "infer/infer.h"

void
inf_split_init(inf_split *split)
{
  *split = (inf_split){0};
  inf_buf_init(&split->part, 0);
}

void
inf_split_fini(inf_split *split)
{
  inf_buf_fini(&split->part);
}

void
inf_split_reuse(inf_split *split, inf_split_rule rule, const void *rule_context,
                size_t max_event_bytes, size_t keep_bytes)
{
  inf_buf part = split->part;
  *split = (inf_split){.part = part,
                       .rule = rule,
                       .rule_context = rule_context,
                       .max_event_bytes = max_event_bytes};
  inf_buf_reuse(&split->part, max_event_bytes, keep_bytes);
}

static void
stop(inf_split *split, int32_t status, const char *reason)
{
  split->stopped = true;
  split->status = status;
  split->reason = reason;
}

/* Takes the events that the bytes begin with; gives how long they are. */
static size_t
take_events(inf_split *split, inf_sv bytes, inf_split_fn fn, void *context)
{
  size_t at = 0;
  while (at < bytes.len && !split->stopped) {
    inf_sv rest = inf_sv_of(bytes.ptr + at, bytes.len - at);
    int64_t len = split->rule(split->rule_context, rest);
    if (len == 0)
      break;
    if (len < 0 || (uint64_t)len > rest.len)
      stop(split, INFER_E_PROTOCOL,
           len < 0 ? "the stream has bytes that are no event"
                   : "the plug-in's split gave more than there is");
    else if ((size_t)len > split->max_event_bytes)
      stop(split, INFER_E_TOO_LARGE, NULL);
    else if (!fn(context, inf_sv_of(rest.ptr, (size_t)len)))
      stop(split, INFER_OK, NULL);
    else
      at += (size_t)len;
  }
  return at;
}

static void
keep(inf_split *split, inf_sv bytes)
{
  if (!split->stopped && !inf_buf_append_sv(&split->part, bytes))
    stop(split, split->part.status, NULL);
}

int32_t
inf_split_feed(inf_split *split, inf_sv bytes, inf_split_fn fn, void *context)
{
  if (split->stopped)
    return split->status;
  if (split->part.len == 0) {
    size_t taken = take_events(split, bytes, fn, context);
    keep(split, inf_sv_of(bytes.ptr + taken, bytes.len - taken));
    return split->status;
  }
  /* So much of the bytes that a whole event is never called too large for
   * what came behind it. */
  while (bytes.len > 0 && !split->stopped) {
    size_t room = split->max_event_bytes - split->part.len;
    size_t piece = bytes.len < room ? bytes.len : room;
    if (piece == 0) {
      stop(split, INFER_E_TOO_LARGE, NULL);
      break;
    }
    keep(split, inf_sv_of(bytes.ptr, piece));
    bytes = inf_sv_of(bytes.ptr + piece, bytes.len - piece);
    size_t taken = take_events(split, inf_buf_sv(&split->part), fn, context);
    inf_buf_consume(&split->part, taken);
  }
  return split->status;
}

int32_t
inf_split_finish(inf_split *split)
{
  if (!split->stopped)
    stop(split, split->part.len > 0 ? INFER_E_TRUNCATED : INFER_OK, NULL);
  return split->status;
}
