/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_REFUSALS_H
#define INF_ENGINE_REFUSALS_H

#include "base/buf.h"
#include "base/log.h"
#include "engine/runtime.h"

/* The log of refusals: which label kept which target out of how many calls. It
 * is noted where a call's targets are chosen, on the thread that submits; the
 * log hook hears of it from the loop: the 1st, 2nd, 4th, 8th, ... of a pair of
 * target and label, so that a route that keeps a target out for ever writes a
 * few lines. Statistics have the counts. Kept by the client across reloads;
 * of more than INF_REFUSALS_MAX pairs the rest is counted together. Any thread,
 * unless it says otherwise. */
enum { INF_REFUSALS_MAX = 256 };

typedef struct inf_refusals inf_refusals;

/* True: there is a line to tell. Short memory counts it with the rest,
 * or not at all if it is the first. */
bool inf_refusals_note(inf_runtime *runtime, const char *target,
                       const char *label);
/* Tells the lines that wait, at INFER_LOG_INFO. Loop only; cheap if none do. */
void inf_refusals_tell(inf_runtime *runtime, const inf_log *log);

/* A pair and its count, in the order in which they came; label NULL: the
 * rest. The runtime's mutex is held: call nothing of it. */
typedef void inf_refusals_fn(void *context, const char *target,
                             const char *label, uint64_t count);
void inf_refusals_each(inf_runtime *runtime, inf_refusals_fn *fn,
                       void *context);
/* Writes the member "refusals" of infer_client_stats(); nothing where there
 * were none. */
void inf_refusals_write_json(inf_runtime *runtime, inf_buf *out);

/* With the runtime. */
void inf_refusals_free(inf_refusals *refusals);

#endif
