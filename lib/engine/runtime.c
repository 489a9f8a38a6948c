/* SPDX-License-Identifier: MIT */
/* What a client remembers of its providers, keys and targets. Both tables are
 * chained hash tables with a fixed number of buckets: entries are few, never
 * removed, and looked up a few times per call. */
#include "engine/runtime_state.h"

#include "base/mem.h"
#include "engine/hedger.h"
#include "engine/latency.h"
#include "engine/meter.h"
#include "engine/refusals.h"
#include "engine/spend.h"

#include <string.h>

enum { bucket_count = INF_RUNTIME_BUCKETS };
/* Keys of one provider that a configuration may have, and that are
 * remembered of all configurations together. */
enum { max_keys = 256, max_entries = 4 * max_keys };

/* What is known of one key, whichever place it has in a configuration. */
typedef struct key_entry {
  uint64_t fingerprint;
  inf_key_state state;
} key_entry;

/* A provider's keys. An entry stays when a reload takes its key away: calls
 * that began before it still use it, and it may come back. */
typedef struct inf_key_pool {
  struct inf_key_pool *next;
  char *name;
  key_entry *entries;
  size_t count, capacity;
  uint64_t last; /* fingerprint of the key used last */
  bool used;
} key_pool;

static bool
telemetry_begin(inf_runtime *runtime)
{
#ifdef INFER_NO_TELEMETRY
  (void)runtime;
  return true;
#else
  runtime->telemetry = inf_telemetry_new();
  return runtime->telemetry != NULL;
#endif
}

static void
telemetry_end(inf_runtime *runtime)
{
#ifdef INFER_NO_TELEMETRY
  (void)runtime;
#else
  inf_telemetry_free(runtime->telemetry);
#endif
}

inf_runtime *
inf_runtime_new(void)
{
  inf_runtime *runtime = inf_calloc(1, sizeof *runtime);
  if (!runtime)
    return NULL;
  if (!telemetry_begin(runtime) ||
      pthread_mutex_init(&runtime->mutex, NULL) != 0) {
    telemetry_end(runtime);
    inf_free(runtime);
    return NULL;
  }
  atomic_init(&runtime->any_aside, false);
  atomic_init(&runtime->refusals_untold, false);
  runtime->latency_room.cap_bytes = INF_LATENCY_MAX_BYTES;
  inf_retry_budget_init(&runtime->retries, &inf_retry_budget_defaults);
  inf_retry_budget_init(&runtime->probes, &inf_probe_budget_defaults);
  return runtime;
}

static void
pool_free(key_pool *pool)
{
  inf_free(pool->name);
  inf_free(pool->entries);
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
    for (inf_target_state *state = runtime->targets[i], *next; state;
         state = next) {
      next = state->next;
      inf_latency_free(state->latency);
      inf_free(state->name);
      inf_free(state);
    }
  }
  inf_meters_free(runtime);
  inf_hedgers_free(runtime);
  inf_refusals_free(runtime->refusals);
  telemetry_end(runtime);
  inf_spends_free(runtime->spends);
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
  pool->next = runtime->pools[bucket];
  runtime->pools[bucket] = pool;
  runtime->pool_count++;
  return pool;
}

/* Room for one more entry. A pool that is full of keys long gone begins
 * anew. */
static bool
make_room(key_pool *pool)
{
  if (pool->count == max_entries)
    pool->count = 0;
  if (pool->count < pool->capacity)
    return true;
  size_t capacity = pool->capacity ? pool->capacity * 2 : 4;
  key_entry *entries = inf_realloc(pool->entries, capacity * sizeof *entries);
  if (!entries)
    return false;
  pool->entries = entries;
  pool->capacity = capacity;
  return true;
}

/* The state of the provider's index-th key, whose entry mostly has the same
 * place. NULL when memory is short: nothing is then known of it. */
static inf_key_state *
state_locked(key_pool *pool, const inf_provider_config *provider, size_t index)
{
  uint64_t fingerprint = provider->keys[index].fingerprint;
  if (index < pool->count && pool->entries[index].fingerprint == fingerprint)
    return &pool->entries[index].state;
  for (size_t i = 0; i < pool->count; i++)
    if (pool->entries[i].fingerprint == fingerprint)
      return &pool->entries[i].state;
  if (!make_room(pool))
    return NULL;
  key_entry *entry = &pool->entries[pool->count++];
  *entry = (key_entry){.fingerprint = fingerprint};
  return &entry->state;
}

/* The states of the provider's keys in its own order. */
static size_t
states_locked(key_pool *pool, const inf_provider_config *provider,
              inf_key_state states[max_keys])
{
  size_t count =
      provider->key_count < max_keys ? provider->key_count : max_keys;
  for (size_t i = 0; i < count; i++) {
    const inf_key_state *state = state_locked(pool, provider, i);
    states[i] = state ? *state : (inf_key_state){0};
  }
  return count;
}

static size_t
last_index(const key_pool *pool, const inf_provider_config *provider)
{
  for (size_t i = 0; pool->used && i < provider->key_count; i++)
    if (provider->keys[i].fingerprint == pool->last)
      return i;
  return INF_KEY_NONE;
}

static size_t
pick_locked(inf_runtime *runtime, const inf_provider_config *provider,
            uint64_t now_ns, bool use, int32_t *why)
{
  *why = INFER_OK;
  if (provider->key_count == 0)
    return INF_KEY_NONE;
  key_pool *pool = pool_find_locked(runtime, provider->name);
  if (!pool)
    return 0;
  inf_key_state states[max_keys];
  size_t count = states_locked(pool, provider, states);
  size_t key = inf_keys_pick(states, count, last_index(pool, provider), now_ns);
  if (key == INF_KEY_NONE) {
    *why = states[0].aside_status;
  } else if (use) {
    pool->last = provider->keys[key].fingerprint;
    pool->used = true;
  }
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

static bool
is_available(const inf_key_state *state, uint64_t now_ns)
{
  return state->aside_until_ns <= now_ns && state->limited_until_ns <= now_ns;
}

static size_t
keys_locked(inf_runtime *runtime, const inf_provider_config *provider,
            uint64_t now_ns, size_t *keys, size_t most)
{
  key_pool *pool = pool_find_locked(runtime, provider->name);
  keys[0] = 0;
  if (!pool)
    return 1;
  inf_key_state states[max_keys];
  size_t count = states_locked(pool, provider, states), found = 1;
  keys[0] = inf_keys_pick(states, count, last_index(pool, provider), now_ns);
  if (keys[0] == INF_KEY_NONE)
    return 0;
  for (size_t i = 1; i < count && found < most; i++) {
    size_t key = (keys[0] + i) % count;
    if (is_available(&states[key], now_ns))
      keys[found++] = key;
  }
  return found;
}

size_t
inf_runtime_keys(inf_runtime *runtime, const inf_provider_config *provider,
                 uint64_t now_ns, size_t *keys, size_t most)
{
  if (provider->key_count == 0 || most == 0)
    return 0;
  pthread_mutex_lock(&runtime->mutex);
  size_t count = keys_locked(runtime, provider, now_ns, keys, most);
  pthread_mutex_unlock(&runtime->mutex);
  return count;
}

size_t
inf_runtime_use_key(inf_runtime *runtime, const inf_provider_config *provider,
                    size_t key, uint64_t now_ns, int32_t *why)
{
  if (key >= provider->key_count)
    return inf_runtime_pick_key(runtime, provider, now_ns, why);
  *why = INFER_OK;
  pthread_mutex_lock(&runtime->mutex);
  key_pool *pool = pool_find_locked(runtime, provider->name);
  if (pool) {
    pool->last = provider->keys[key].fingerprint;
    pool->used = true;
  }
  pthread_mutex_unlock(&runtime->mutex);
  return key;
}

bool
inf_runtime_has_key(inf_runtime *runtime, const inf_provider_config *provider,
                    uint64_t now_ns, int32_t *why)
{
  *why = INFER_OK;
  if (!atomic_load(&runtime->any_aside)) /* mostly so, and asked by each call */
    return true;
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
  key_pool *pool = pool_find_locked(runtime, provider->name);
  bool is_free = false;
  if (pool) {
    inf_key_state states[max_keys];
    size_t count = states_locked(pool, provider, states);
    is_free = inf_keys_other_free(states, count, used, now_ns);
  }
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
  /* A token that is refused is not the source that it came from. */
  if (status == INFER_E_AUTH && provider->keys[key].source != INF_KEY_GIVEN)
    return;
  pthread_mutex_lock(&runtime->mutex);
  key_pool *pool = pool_find_locked(runtime, provider->name);
  inf_key_state *state = pool ? state_locked(pool, provider, key) : NULL;
  if (state)
    inf_keys_note(state, status, hint_ns, now_ns);
  if (state && state->aside_until_ns > 0)
    atomic_store(&runtime->any_aside, true);
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_runtime_forgive_keys(inf_runtime *runtime)
{
  pthread_mutex_lock(&runtime->mutex);
  for (size_t i = 0; i < bucket_count; i++)
    for (key_pool *pool = runtime->pools[i]; pool; pool = pool->next)
      for (size_t j = 0; j < pool->count; j++)
        if (pool->entries[j].state.aside_until_ns == INF_NEVER)
          pool->entries[j].state.aside_until_ns = 0;
  pthread_mutex_unlock(&runtime->mutex);
}

/* ---- Targets ------------------------------------------------------------- */

inf_target_state *
inf_runtime_known_locked(inf_runtime *runtime, const char *name)
{
  for (inf_target_state *state = runtime->targets[bucket_of(name)]; state;
       state = state->next)
    if (strcmp(state->name, name) == 0)
      return state;
  return NULL;
}

inf_target_state *
inf_runtime_target_locked(inf_runtime *runtime, const char *name)
{
  inf_target_state *state = inf_runtime_known_locked(runtime, name);
  if (state || runtime->target_count >= INF_RUNTIME_MAX)
    return state;
  state = inf_calloc(1, sizeof *state);
  if (!state)
    return NULL;
  state->name = inf_strndup(name, strlen(name));
  if (!state->name) {
    inf_free(state);
    return NULL;
  }
  state->breaker.params = &inf_breaker_defaults;
  inf_retry_budget_init(&state->budget, &inf_retry_budget_defaults);
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
  inf_target_state *state = inf_runtime_target_locked(runtime, target);
  if (state)
    inf_median_add(&state->ttft, ttft_ns);
  pthread_mutex_unlock(&runtime->mutex);
}

uint64_t
inf_runtime_ttft_ns(inf_runtime *runtime, const char *target)
{
  pthread_mutex_lock(&runtime->mutex);
  const inf_target_state *state = inf_runtime_known_locked(runtime, target);
  uint64_t ttft_ns = state ? inf_median_get(&state->ttft) : 0;
  pthread_mutex_unlock(&runtime->mutex);
  return ttft_ns;
}
