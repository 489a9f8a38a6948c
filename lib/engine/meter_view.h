/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_METER_VIEW_H
#define INF_ENGINE_METER_VIEW_H

#include "engine/meter.h"

/* What is left of the limits, for statistics and metrics. */

enum { INF_METER_VIEW_MAX = INF_LIMIT_RULES_MAX + 8 };

typedef struct inf_limit_view {
  const char *unit; /* "requests", "tokens", "input_tokens", "output_tokens" */
  uint64_t period_ns;
  double limit, free;
  bool told; /* a quota that the provider told of; else of the configuration */
} inf_limit_view;

typedef struct inf_meter_view {
  const char *provider, *model; /* model "": all of the key's together */
  uint64_t fingerprint;         /* of the key; 0: none */
  size_t number;                /* of the meter, counted from 0 */
  uint32_t concurrency, open;   /* 0: no limit; and attempts under way */
  /* The least share that is free of any of them, in percent. */
  uint32_t headroom_percent;
  size_t count;
  inf_limit_view limits[INF_METER_VIEW_MAX];
} inf_meter_view;

/* Those that limit anything, one after the other, with the runtime's lock
 * held. Changes nothing. Any thread. */
void inf_meters_each(inf_runtime *runtime, uint64_t now_ns,
                     void (*see)(void *context, const inf_meter_view *view),
                     void *context);

#endif
