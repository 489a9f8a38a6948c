/* SPDX-License-Identifier: MIT */
/* What a client remembers of its providers, keys and targets. Both tables are
 * chained hash tables with a fixed number of buckets: entries are few, never
 * removed, and looked up a few times per call. */
#include "engine/runtime.h"

#include "base/mem.h"

#include <string.h>

enum { bucket_count = 256 };

/* A provider's pool; keys are found by fingerprint, so that a reload which
 * reorders or replaces them keeps what is known of each. */
typedef struct key_pool {
  struct key_pool *next;
  char *name;
  uint64_t *fingerprints;
  inf_key_state *states;
  size_t count;
  size_t last; /* the key used last, INF_KEY_NONE at first */
} key_pool;

typedef struct target_state {
  struct target_state *next;
  char *name;
  inf_median ttft;
} target_state;

struct inf_runtime {
  pthread_mutex_t mutex;
  key_pool *pools[bucket_count];
  target_state *targets[bucket_count];
  size_t pool_count, target_count;
};

inf_runtime *
inf_runtime_new(void)
{
  inf_runtime *runtime = inf_calloc(1, sizeof *runtime);
  if (!runtime)
    return NULL;
  if (pthread_mutex_init(&runtime->mutex, NULL) != 0) {
    inf_free(runtime);
    return NULL;
  }
  return runtime;
}

static void
pool_free(key_pool *pool)
{
  inf_free(pool->name);
  inf_free(pool->fingerprints);
  inf_free(pool->states);
  inf_free(pool);
}

void
inf_runtime_free(inf_runtime *runtime)
{
  if (!runtime)
    return;
  for (size_t i = 0; i < bucket_count; i++) {
    for (key_pool *pool = runtime->pools[i], *next; pool; pool = next) {
      next = pool->next;
      pool_free(pool);
    }
    for (target_state *state = runtime->targets[i], *next; state;
         state = next) {
      next = state->next;
      inf_free(state->name);
      inf_free(state);
    }
  }
  pthread_mutex_destroy(&runtime->mutex);
  inf_free(runtime);
}

/* FNV-1a. */
static size_t
bucket_of(const char *name)
{
  uint32_t hash = 2166136261u;
  for (; *name; name++)
    hash = (hash ^ (uint8_t)*name) * 16777619u;
  return hash % bucket_count;
}

/* ---- Keys ---------------------------------------------------------------- */

static key_pool *
pool_find_locked(inf_runtime *runtime, const char *name)
{
  size_t bucket = bucket_of(name);
  for (key_pool *pool = runtime->pools[bucket]; pool; pool = pool->next)
    if (strcmp(pool->name, name) == 0)
      return pool;
  if (runtime->pool_count >= INF_RUNTIME_MAX)
    return NULL;
  key_pool *pool = inf_calloc(1, sizeof *pool);
  if (!pool)
    return NULL;
  pool->name = inf_strndup(name, strlen(name));
  if (!pool->name) {
    inf_free(pool);
    return NULL;
  }
  pool->last = INF_KEY_NONE;
  pool->next = runtime->pools[bucket];
  runtime->pools[bucket] = pool;
  runtime->pool_count++;
  return pool;
}

static bool
pool_fits(const key_pool *pool, const inf_provider_config *provider)
{
  if (pool->count != provider->key_count)
    return false;
  for (size_t i = 0; i < pool->count; i++)
    if (pool->fingerprints[i] != provider->keys[i].fingerprint)
      return false;
  return true;
}

/* Brings the pool to the provider's present keys; states of keys that are
 * still there are kept. */
static bool
pool_adapt(key_pool *pool, const inf_provider_config *provider)
{
  size_t count = provider->key_count;
  uint64_t *fingerprints = inf_calloc(count, sizeof *fingerprints);
  inf_key_state *states = inf_calloc(count, sizeof *states);
  if (!fingerprints || !states) {
    inf_free(fingerprints);
    inf_free(states);
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    fingerprints[i] = provider->keys[i].fingerprint;
    for (size_t j = 0; j < pool->count; j++)
      if (pool->fingerprints[j] == fingerprints[i])
        states[i] = pool->states[j];
  }
  inf_free(pool->fingerprints);
  inf_free(pool->states);
  pool->fingerprints = fingerprints;
  pool->states = states;
  pool->count = count;
  pool->last = INF_KEY_NONE;
  return true;
}

/* NULL when memory is short: nothing is then known of the keys. */
static key_pool *
pool_of_locked(inf_runtime *runtime, const inf_provider_config *provider)
{
  key_pool *pool = pool_find_locked(runtime, provider->name);
  if (!pool || pool_fits(pool, provider) || pool_adapt(pool, provider))
    return pool;
  return NULL;
}

static size_t
pick_locked(inf_runtime *runtime, const inf_provider_config *provider,
            uint64_t now_ns, bool use, int32_t *why)
{
  *why = INFER_OK;
  if (provider->key_count == 0)
    return INF_KEY_NONE;
  key_pool *pool = pool_of_locked(runtime, provider);
  if (!pool)
    return 0;
  size_t key = inf_keys_pick(pool->states, pool->count, pool->last, now_ns);
  if (key == INF_KEY_NONE)
    *why = pool->states[0].aside_status;
  else if (use)
    pool->last = key;
  return key;
}

size_t
inf_runtime_pick_key(inf_runtime *runtime, const inf_provider_config *provider,
                     uint64_t now_ns, int32_t *why)
{
  pthread_mutex_lock(&runtime->mutex);
  size_t key = pick_locked(runtime, provider, now_ns, true, why);
  pthread_mutex_unlock(&runtime->mutex);
  return key;
}

bool
inf_runtime_has_key(inf_runtime *runtime, const inf_provider_config *provider,
                    uint64_t now_ns, int32_t *why)
{
  pthread_mutex_lock(&runtime->mutex);
  size_t key = pick_locked(runtime, provider, now_ns, false, why);
  pthread_mutex_unlock(&runtime->mutex);
  return key != INF_KEY_NONE || *why == INFER_OK;
}

bool
inf_runtime_other_key_free(inf_runtime *runtime,
                           const inf_provider_config *provider, size_t used,
                           uint64_t now_ns)
{
  if (provider->key_count < 2)
    return false;
  pthread_mutex_lock(&runtime->mutex);
  key_pool *pool = pool_of_locked(runtime, provider);
  bool is_free =
      pool && inf_keys_other_free(pool->states, pool->count, used, now_ns);
  pthread_mutex_unlock(&runtime->mutex);
  return is_free;
}

void
inf_runtime_note_key(inf_runtime *runtime, const inf_provider_config *provider,
                     size_t key, int32_t status, int64_t hint_ns,
                     uint64_t now_ns)
{
  if (key >= provider->key_count)
    return;
  pthread_mutex_lock(&runtime->mutex);
  key_pool *pool = pool_of_locked(runtime, provider);
  if (pool)
    inf_keys_note(&pool->states[key], status, hint_ns, now_ns);
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_runtime_forgive_keys(inf_runtime *runtime)
{
  pthread_mutex_lock(&runtime->mutex);
  for (size_t i = 0; i < bucket_count; i++)
    for (key_pool *pool = runtime->pools[i]; pool; pool = pool->next)
      for (size_t j = 0; j < pool->count; j++)
        if (pool->states[j].aside_until_ns == INF_NEVER)
          pool->states[j].aside_until_ns = 0;
  pthread_mutex_unlock(&runtime->mutex);
}

/* ---- Targets ------------------------------------------------------------- */

static target_state *
target_find_locked(inf_runtime *runtime, const char *name)
{
  for (target_state *state = runtime->targets[bucket_of(name)]; state;
       state = state->next)
    if (strcmp(state->name, name) == 0)
      return state;
  return NULL;
}

static target_state *
target_make_locked(inf_runtime *runtime, const char *name)
{
  if (runtime->target_count >= INF_RUNTIME_MAX)
    return NULL;
  target_state *state = inf_calloc(1, sizeof *state);
  if (!state)
    return NULL;
  state->name = inf_strndup(name, strlen(name));
  if (!state->name) {
    inf_free(state);
    return NULL;
  }
  size_t bucket = bucket_of(name);
  state->next = runtime->targets[bucket];
  runtime->targets[bucket] = state;
  runtime->target_count++;
  return state;
}

void
inf_runtime_note_ttft(inf_runtime *runtime, const char *target,
                      uint64_t ttft_ns)
{
  pthread_mutex_lock(&runtime->mutex);
  target_state *state = target_find_locked(runtime, target);
  if (!state)
    state = target_make_locked(runtime, target);
  if (state)
    inf_median_add(&state->ttft, ttft_ns);
  pthread_mutex_unlock(&runtime->mutex);
}

uint64_t
inf_runtime_ttft_ns(inf_runtime *runtime, const char *target)
{
  pthread_mutex_lock(&runtime->mutex);
  const target_state *state = target_find_locked(runtime, target);
  uint64_t ttft_ns = state ? inf_median_get(&state->ttft) : 0;
  pthread_mutex_unlock(&runtime->mutex);
  return ttft_ns;
}
