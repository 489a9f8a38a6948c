/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_EXPORTER_H
#define INF_ENGINE_EXPORTER_H

#include "base/buf.h"
#include "base/clock.h"
#include "config/config.h"

#include <stdatomic.h>

/* Sends spans and metrics to an OpenTelemetry collector (OTLP/HTTP, JSON)
 * through the client's transport. It is nobody's call and no provider's:
 * limits, breakers, budgets and statistics of calls know nothing of it.
 *
 * Spans come as finished JSON and wait in batches, which a request takes as
 * they are. One request is under way at a time; those that wait take at most
 * max_queue_bytes, and what comes then is dropped and counted. Metrics are
 * written when they are due and the collector takes them, at most
 * INF_EXPORT_SERIES series in a request; one that is late is written anew, for
 * it tells sums since ever.
 *
 * A failure that may pass (no connection, no answer, 429, 502, 503, 504) is
 * tried again after 1 s, doubling to 60 s, half of it by chance, or when
 * Retry-After says; for 5 minutes, then the batch is dropped. Any other refusal
 * drops it at once. The log hears of the first failure and of the end of it.
 *
 * Loop only, but for the counts. In a build with INFER_TELEMETRY=OFF there is
 * none. */

struct inf_engine;
typedef struct inf_exporter inf_exporter;

enum { INF_EXPORT_SERIES = 32 };

/* Since ever, but for queued_bytes; any thread may read. */
typedef struct inf_export_counts {
  atomic_bool used; /* there is or was an exporter */
  atomic_uint_fast64_t spans_sent, spans_dropped;
  atomic_uint_fast64_t rejected; /* spans and points, by the collector */
  atomic_uint_fast64_t requests, requests_failed;
  atomic_uint_fast64_t queued_bytes;
} inf_export_counts;

#ifndef INFER_NO_TELEMETRY

/* From now on this configuration's collector; without one there is no exporter
 * (engine->exporter is NULL), also where memory is short. seed is for backoff
 * and ids. True: there is an exporter. */
bool inf_exporter_configure(struct inf_engine *engine, inf_config *config,
                            uint64_t seed);
/* Ends at once; what waits is dropped and counted. */
void inf_exporter_end(struct inf_engine *engine);

/* Takes over a copy of count spans, JSON objects with commas in between. */
void inf_exporter_add(struct inf_engine *engine, inf_sv spans, size_t count);
/* An id for a trace or span, not 0. */
uint64_t inf_exporter_id(inf_exporter *exporter);
const inf_otlp_options *inf_exporter_options(const inf_exporter *exporter);

/* When inf_exporter_run() is due. */
uint64_t inf_exporter_next_ns(const struct inf_engine *engine);
void inf_exporter_run(struct inf_engine *engine);
/* The client is closed: once the last call has ended, what there is is sent,
 * each batch once, and the exporter ends; engine->on_exported then hears of
 * it. */
void inf_exporter_close(struct inf_engine *engine);

#else

static inline bool
inf_exporter_configure(struct inf_engine *engine, inf_config *config,
                       uint64_t seed)
{
  (void)engine;
  (void)config;
  (void)seed;
  return false;
}

static inline void
inf_exporter_end(struct inf_engine *engine)
{
  (void)engine;
}

static inline uint64_t
inf_exporter_next_ns(const struct inf_engine *engine)
{
  (void)engine;
  return INF_NEVER;
}

static inline void
inf_exporter_run(struct inf_engine *engine)
{
  (void)engine;
}

static inline void
inf_exporter_close(struct inf_engine *engine)
{
  (void)engine;
}

#endif
#endif
