/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_RUNTIME_H
#define INF_ENGINE_RUNTIME_H

#include "config/config.h"
#include "policy/keys.h"
#include "policy/median.h"

#include <pthread.h>

/* What a client has learned of its providers, keys and targets. It outlives
 * configurations: providers are found by name, keys by the fingerprint of
 * their secret, targets by "provider/model". At most INF_RUNTIME_MAX of each
 * are remembered; past that nothing more is learned of new ones.
 *
 * Guarded by its own mutex, so that a dry run may look from any thread. */
#define INF_RUNTIME_MAX 4096

typedef struct inf_runtime inf_runtime;
/* One target: see health.h. Lives as long as the runtime. */
typedef struct inf_target_state inf_target_state;

inf_runtime *inf_runtime_new(void);
void inf_runtime_free(inf_runtime *runtime);

/* Keys. The index counts within provider->keys. INF_KEY_NONE if all are set
 * aside; then *why is the class of the first one's. A provider without keys
 * gives INF_KEY_NONE and *why INFER_OK. */
size_t inf_runtime_pick_key(inf_runtime *runtime,
                            const inf_provider_config *provider,
                            uint64_t now_ns, int32_t *why);
/* Those of its keys that may be used now, the one to be picked first, then
 * those that are not rate limited either. Returns how many, at most `most`. */
size_t inf_runtime_keys(inf_runtime *runtime,
                        const inf_provider_config *provider, uint64_t now_ns,
                        size_t *keys, size_t most);
/* Uses this key; INF_KEY_NONE: picks one. */
size_t inf_runtime_use_key(inf_runtime *runtime,
                           const inf_provider_config *provider, size_t key,
                           uint64_t now_ns, int32_t *why);
/* Like pick_key without using one up: is there a key to be had? */
bool inf_runtime_has_key(inf_runtime *runtime,
                         const inf_provider_config *provider, uint64_t now_ns,
                         int32_t *why);
bool inf_runtime_other_key_free(inf_runtime *runtime,
                                const inf_provider_config *provider,
                                size_t used, uint64_t now_ns);
void inf_runtime_note_key(inf_runtime *runtime,
                          const inf_provider_config *provider, size_t key,
                          int32_t status, int64_t hint_ns, uint64_t now_ns);
/* A reload gives refused keys another chance. */
void inf_runtime_forgive_keys(inf_runtime *runtime);

/* Time to first token of a target. */
void inf_runtime_note_ttft(inf_runtime *runtime, const char *target,
                           uint64_t ttft_ns);
uint64_t inf_runtime_ttft_ns(inf_runtime *runtime, const char *target);

#endif
