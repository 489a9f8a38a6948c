/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_SPLIT_H
#define INF_WIRE_SPLIT_H

#include "base/buf.h"

/* Events of a framing that only somebody else knows: bytes in, events out,
 * where they end is asked of a function. So a plug-in of a language with a
 * framing of its own needs no buffer, no limit and no rule for the end.
 *
 * An event that lies whole in the bytes given is a view of them: nothing is
 * copied. No state but this struct; one thread at a time. */

/* The length of the event that the bytes begin with; 0: more of them are
 * needed; negative: they are none. Never asked with len 0. */
typedef int64_t (*inf_split_rule)(const void *context, inf_sv bytes);

/* False stops the parser: inf_split_feed() returns at once and the rest of its
 * bytes is dropped. The view, never empty, lives until the function returns. */
typedef bool (*inf_split_fn)(void *context, inf_sv event);

typedef struct inf_split {
  inf_buf part; /* an unfinished event */
  inf_split_rule rule;
  const void *rule_context;
  size_t max_event_bytes;
  bool stopped;
  int32_t status;
  const char *reason; /* of INFER_E_PROTOCOL */
} inf_split;

void inf_split_init(inf_split *split);
void inf_split_fini(inf_split *split);
/* A stream begins; a buffer of at most keep_bytes is kept. The rule may be
 * NULL where nothing will be fed. */
void inf_split_reuse(inf_split *split, inf_split_rule rule,
                     const void *rule_context, size_t max_event_bytes,
                     size_t keep_bytes);

/* INFER_OK, INFER_E_TOO_LARGE, INFER_E_NO_MEMORY, or INFER_E_PROTOCOL for what
 * the rule calls no event; after an error the parser stays stopped and gives
 * the same error again. */
int32_t inf_split_feed(inf_split *split, inf_sv bytes, inf_split_fn fn,
                       void *context);
/* The end of the bytes: also INFER_E_TRUNCATED, for an event that was cut. The
 * parser is stopped then. */
int32_t inf_split_finish(inf_split *split);

#endif
