/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_RUNTIME_STATE_H
#define INF_ENGINE_RUNTIME_STATE_H

#include "engine/exporter.h"
#include "engine/runtime.h"
#include "policy/breaker.h"
#include "policy/estimate.h"
#include "policy/outlook.h"
#include "policy/retry_budget.h"
#include "policy/series.h"
#include "telemetry/aggregate.h"

#include <stdatomic.h>

/* What the runtime consists of, for the files that implement it: runtime.c
 * (keys, times), health.c (breakers, budgets), meter.c (limits), latency.c and
 * hedger.c. */

enum { INF_RUNTIME_BUCKETS = 256 };

/* Tokens of its answers, as the provider counted them: means over the last. */
typedef struct inf_usual_tokens {
  uint32_t counted; /* answers */
  double output, input_per_byte;
} inf_usual_tokens;

struct inf_target_state {
  struct inf_target_state *next;
  char *name;
  inf_median ttft;
  inf_breaker breaker;
  inf_retry_budget budget;
  int32_t last_failure;
  inf_estimate estimate; /* of its tokens: meter.h */
  inf_outlook outlook;   /* fed by health.c; read by routing.c */
  /* Bound for which it was fast enough when last routed by cost; 0: not. */
  uint64_t was_fast_ns;
  inf_usual_tokens usual;      /* latency.h */
  struct inf_latency *latency; /* latency.h; NULL: nothing was recorded */
};

struct inf_hedger;
struct inf_hedge_work;
struct inf_key_pool;
struct inf_spends;
struct inf_budgets;
struct inf_meter;
struct inf_refusals;

struct inf_runtime {
  pthread_mutex_t mutex;
  struct inf_key_pool *pools[INF_RUNTIME_BUCKETS];
  inf_target_state *targets[INF_RUNTIME_BUCKETS];
  struct inf_meter *meters[INF_RUNTIME_BUCKETS];
  size_t pool_count, target_count, meter_count;
  atomic_bool any_aside;    /* a key is or was set aside */
  inf_retry_budget retries; /* of the client */
  inf_retry_budget probes;
  inf_rng routing_rng; /* of routing.h */
  inf_series_room latency_room;
  struct inf_hedger *hedgers; /* of routes */
  size_t hedger_count;
  struct inf_hedge_work *hedge_work; /* made with the first plan */
  struct inf_refusals *refusals;     /* made with the first one */
  atomic_bool refusals_untold;       /* the log is to hear of one */
  inf_telemetry *telemetry;          /* has a lock of its own */
  inf_export_counts exported;
  struct inf_spends *spends;   /* spend.h; NULL: no call has ended */
  struct inf_budgets *budgets; /* budgets.h; NULL: there are none */
};

/* The target's state, made if there is none; NULL if none can be made. */
inf_target_state *inf_runtime_target_locked(inf_runtime *runtime,
                                            const char *name);
/* NULL if there is none. */
inf_target_state *inf_runtime_known_locked(inf_runtime *runtime,
                                           const char *name);

#endif
