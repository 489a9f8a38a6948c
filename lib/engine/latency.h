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
/* When three quarters and nine tenths of the attempts there have come, as of
 * the last reading of the series: what is silent then is slow, or late.
 * INF_NEVER: not known. */
typedef struct inf_latency_marks {
  uint64_t slow_ns, late_ns;
} inf_latency_marks;
inf_latency_marks inf_latency_marks_of(inf_runtime *runtime,
                                       const inf_latency_place *place);

/* One attempt was late, and silent then; or it has content, in time or late. */
void inf_latency_note_late(inf_runtime *runtime, const char *target);
void inf_latency_note_content(inf_runtime *runtime, const char *target,
                              uint64_t start_ns, bool late);

/* Does anything come from a target at all? If each of the attempts that wait
 * there has been waiting for longer than is usual, that is as improbable as the
 * product of their shares: the doubt is -log2 of that, and at 13.3 bits (1 in
 * 10^4) the target counts as silent, until an attempt that was sent since then
 * has content. Those do not count of which a later one is answered: what is
 * left are stragglers, and at a target with many calls hardly anything. At one
 * with few calls an error sends each of those that wait there a second time. */
enum { INF_LATENCY_SILENT_BITS = 1330 }; /* in hundredths */
/* The doubt that one attempt adds, begun at start_ns and silent at now_ns, in
 * hundredths of a bit; 0 if it does not count, or was begun since then. */
uint32_t inf_latency_doubt(inf_runtime *runtime, const inf_latency_place *place,
                           uint64_t start_ns, uint64_t now_ns);
/* It is silent: since_ns, when the first of those was begun. */
void inf_latency_set_silent(inf_runtime *runtime, const char *target,
                            uint64_t since_ns);
bool inf_latency_is_silent(inf_runtime *runtime, const char *target);

/* Tokens that the provider has counted, of a prompt of so many bytes and of its
 * answer; and what is expected of another one, by the last 32. Of a target that
 * nothing is known of: four bytes a token, and no answer. */
void inf_latency_note_tokens(inf_runtime *runtime, const char *target,
                             size_t bytes, int64_t input, int64_t output);
void inf_latency_expect(inf_runtime *runtime, const char *target, size_t bytes,
                        int64_t *input, int64_t *output);

/* ---- For those that hold the lock ---------------------------------------- */

typedef struct inf_latency_view {
  inf_series *series; /* NULL: nothing is known */
  inf_slowdown *slowdown;
} inf_latency_view;

inf_latency_view inf_latency_view_locked(inf_runtime *runtime,
                                         const inf_latency_place *place);
/* The median, as of the last reading of the series, if that had the 30 events
 * of inf_hedge_is_known(); INF_NEVER: not known. */
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
