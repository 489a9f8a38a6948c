/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_TARGET_H
#define INF_TOOLS_REPLAY_TARGET_H

#include "replay_cache.h"
#include "replay_model.h"
#include "replay_quota.h"
#include "replay_slots.h"

#include "config/config.h"

/* What a simulated provider keeps for one of its models. */

enum { INF_REPLAY_MAX_KEYS = 256 }; /* of a provider */

typedef struct inf_replay_target {
  struct inf_replay_target *next; /* the owner's */
  const inf_provider_config *provider;
  char *model; /* as the provider names it */
  char *name;  /* "provider/model" */
  size_t number;
  uint64_t hash; /* of its name */
  /* How it behaves. NULL: nobody said. Then there is nothing below. */
  const inf_replay_model *params;
  uint64_t under_way;      /* requests */
  inf_replay_slots slots;  /* where requests wait; count 0: they do not */
  inf_prefix_cache *cache; /* NULL: it has none */
  inf_replay_quota *quotas[INF_REPLAY_MAX_KEYS];
} inf_replay_target;

inf_replay_target *inf_replay_target_new(const inf_replay_models *models,
                                         const inf_provider_config *provider,
                                         inf_sv model, size_t number);
void inf_replay_target_free(inf_replay_target *target);
bool inf_replay_target_is(const inf_replay_target *target,
                          const inf_provider_config *provider, inf_sv model);
/* Of the key. */
inf_replay_quota *inf_replay_target_quota(inf_replay_target *target,
                                          unsigned key, uint64_t now_ns);

#endif
