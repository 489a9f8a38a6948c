/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_LATENCY_H
#define INF_ENGINE_LATENCY_H

#include "engine/runtime.h"
#include "policy/hedge.h"
#include "policy/series.h"

/* How long the targets of a client take: for each target and prompt length
 * (inf_hedge_bucket()) a series of times (policy/series.h) of each kind below,
 * in which attempts that were cancelled count as "at least this long"; and
 * whether the target is slow at this moment. They stand in the runtime, so
 * they outlive configurations.
 *
 * Times run from the attempt's start, connecting included, for so long its
 * caller waits. A target that cannot be remembered (memory,
 * INF_RUNTIME_MAX) has no times; when all series together take
 * INF_LATENCY_MAX_BYTES nothing more is recorded where there is none yet. All
 * functions take the runtime's lock. */

#define INF_LATENCY_MAX_BYTES ((size_t)16 << 20)

typedef enum inf_latency_kind {
  INF_LATENCY_HEADERS, /* to the headers of the answer */
  INF_LATENCY_CONTENT, /* to the first content */
  INF_LATENCY_ANSWER,  /* to the first content that is no reasoning */
  INF_LATENCY_WHOLE,   /* to the end, where one whole body was asked for */
  INF_LATENCY_TOKEN,   /* from one token of the answer to the next */
  INF_LATENCY_KINDS,
} inf_latency_kind;

/* One series. */
typedef struct inf_latency_place {
  const char *target;
  inf_latency_kind kind;
  uint32_t bucket;
} inf_latency_place;

struct inf_latency;

void inf_latency_record(inf_runtime *runtime, const inf_latency_place *place,
                        uint64_t ns, bool censored);
/* When an attempt there is late: nine tenths have come by then, as of the last
 * reading of the series. INF_NEVER: not known. */
uint64_t inf_latency_late_ns(inf_runtime *runtime,
                             const inf_latency_place *place);

/* One attempt was late, and silent still: gives how many were since the last
 * content. From INF_LATENCY_SILENT on the target counts as silent: by chance
 * once in 10^10 attempts. */
enum { INF_LATENCY_SILENT = 10 };
uint32_t inf_latency_note_late(inf_runtime *runtime, const char *target);
/* An attempt has content; it was counted as late before, or not. */
void inf_latency_note_content(inf_runtime *runtime, const char *target,
                              bool was_late);
bool inf_latency_is_silent(inf_runtime *runtime, const char *target);

/* How many tokens an answer had; and has on average, of the last 32: 0 if none
 * is known. */
void inf_latency_note_output(inf_runtime *runtime, const char *target,
                             int64_t tokens);
int64_t inf_latency_output(inf_runtime *runtime, const char *target);

/* ---- For those that hold the lock ---------------------------------------- */

typedef struct inf_latency_view {
  inf_series *series; /* NULL: nothing is known */
  inf_slowdown *slowdown;
} inf_latency_view;

inf_latency_view inf_latency_view_locked(inf_runtime *runtime,
                                         const inf_latency_place *place);
/* The median, as of the last reading of the series; INF_NEVER: not known. */
uint64_t inf_latency_usual_locked(inf_runtime *runtime,
                                  const inf_latency_place *place);
/* Reads the series' curve; from then on what is late and what is usual go by
 * it. */
bool inf_latency_read_locked(inf_runtime *runtime,
                             const inf_latency_place *place,
                             inf_survival *survival);

/* runtime.c: the target goes. NULL is harmless. */
void inf_latency_free(struct inf_latency *latency);

#endif
