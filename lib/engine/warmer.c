/* SPDX-License-Identifier: MIT */
/* Which providers are to be kept warm; see warmer.h. When is decided in
 * policy/warmth.c. */
#include "engine/engine.h"

#include "base/mem.h"
#include "engine/hedger.h"

#include <string.h>

/* Providers that are kept warm at most. */
enum { max_kept = 32 };
/* Of each route: the target that is asked first, and the next one; where no
 * order says which they are, so many. */
enum { warm_targets = 2, warm_unordered = 4 };
/* Targets of a route that are looked at. */
enum { targets_max = 16 };
/* A warm-up may take so long. */
enum { keep_ms = 10000 };
/* After a connection of HTTP/2 was made it is looked at once more, when the
 * server's settings have come: see transport/curl_warm_up.c. */
static const uint64_t look_delay_ns = 500 * INF_NS_PER_MS;

/* ---- What is known of providers ------------------------------------------ */

/* The entry of a provider, also of one from another configuration. */
static inf_warm_entry *
entry_of(const inf_warmer *warmer, const inf_provider_config *provider)
{
  if (!warmer->entries)
    return NULL;
  uintptr_t first = (uintptr_t)warmer->config->providers;
  uintptr_t offset = (uintptr_t)provider - first;
  if ((uintptr_t)provider >= first &&
      offset < warmer->config->provider_count * sizeof *provider)
    return &warmer->entries[offset / sizeof *provider];
  const inf_provider_config *same =
      inf_config_provider(warmer->config, inf_sv_from(provider->name));
  return same ? &warmer->entries[same - warmer->config->providers] : NULL;
}

static inf_warm_outcome
outcome_of(const inf_exchange_result *result)
{
  if (result->connection_kept)
    return result->reused_connection ? INF_WARM_THERE : INF_WARM_MADE;
  return result->net == INF_NET_OK ? INF_WARM_HOPELESS : INF_WARM_FAILED;
}

/* Does the server wait for libcurl to look at the new connection again? */
static bool
needs_look(const inf_exchange_result *result)
{
  return result->connection_kept && !result->reused_connection &&
         !result->sent && result->protocol &&
         strcmp(result->protocol, "h2") == 0;
}

void
inf_warmer_ended(struct inf_engine *engine, const inf_provider_config *provider,
                 bool ours, const inf_exchange_result *result)
{
  inf_warmer *warmer = &engine->warmer;
  inf_warm_entry *entry = entry_of(warmer, provider);
  if (!entry || warmer->stopped)
    return;
  if (result->protocol)
    entry->has_http2 = strcmp(result->protocol, "h2") == 0;
  if (needs_look(result) && !(ours && entry->looking))
    entry->look_ns = inf_time_add(engine->now_ns, look_delay_ns);
  if (ours)
    entry->running = entry->looking = false;
  inf_warm_note(&entry->state, outcome_of(result), engine->now_ns);
  warmer->next_ns = engine->now_ns; /* look again what is due when */
}

bool
inf_warmer_has_http2(const struct inf_engine *engine,
                     const inf_provider_config *provider)
{
  const inf_warm_entry *entry = entry_of(&engine->warmer, provider);
  return entry && entry->has_http2;
}

/* ---- Keeping warm -------------------------------------------------------- */

void
inf_warmer_init(inf_warmer *warmer)
{
  memset(warmer, 0, sizeof *warmer);
  warmer->next_ns = INF_NEVER;
}

void
inf_warmer_fini(inf_warmer *warmer)
{
  inf_free(warmer->entries);
  inf_config_unref(warmer->config);
  inf_warmer_init(warmer);
}

/* A hedge that has to connect first comes too late. */
static bool
keeps(const inf_route_params *params)
{
  return params->keep_warm || params->hedge_budget > 0;
}

void
inf_warmer_configure(struct inf_engine *engine, inf_config *config)
{
  inf_warmer *warmer = &engine->warmer;
  inf_warmer before = *warmer;
  inf_warm_entry *entries =
      inf_calloc(config->provider_count + 1, sizeof *entries);
  for (size_t i = 0; entries && i < config->provider_count; i++) {
    const inf_warm_entry *known = entry_of(&before, &config->providers[i]);
    if (known)
      entries[i] = *known;
    entries[i].state.hopeless = false; /* its warm_path may be another */
  }
  warmer->entries = entries;
  warmer->config = inf_config_ref(config);
  warmer->keeps = false;
  for (size_t i = 0; entries && i < config->route_count; i++)
    warmer->keeps = warmer->keeps || keeps(&config->routes[i].params);
  if (before.config) /* a new client has nothing that could be due */
    warmer->next_ns = engine->now_ns;
  inf_free(before.entries);
  inf_config_unref(before.config);
}

void
inf_warmer_stop(struct inf_engine *engine)
{
  engine->warmer.stopped = true;
  engine->warmer.keeps = false;
  engine->warmer.next_ns = INF_NEVER;
}

void
inf_warmer_forget(inf_warmer *warmer, uint64_t now_ns)
{
  for (size_t i = 0; warmer->entries && i < warmer->config->provider_count;
       i++) {
    warmer->entries[i].state.ready_ns = 0;
    warmer->entries[i].state.warmed = false;
    warmer->entries[i].look_ns = 0;
  }
  if (warmer->keeps)
    warmer->next_ns = now_ns;
}

static bool
may_be_asked(inf_engine *engine, const inf_route_config *route,
             const inf_target_config *target)
{
  static const struct infer_request any;
  int32_t why;
  return !inf_plan_missing_label(target->provider, route, &any) &&
         inf_runtime_has_key(engine->runtime, target->provider, engine->now_ns,
                             &why);
}

/* Targets that calls of the route may be sent to; returns how many. */
static size_t
usable_targets(inf_engine *engine, const inf_route_config *route,
               const inf_target_config **usable)
{
  size_t count = 0;
  for (size_t i = 0; i < route->target_count && count < targets_max; i++)
    if (may_be_asked(engine, route, &route->targets[i]))
      usable[count++] = &route->targets[i];
  return count;
}

/* Where the next hedge of a call would go that begins at the first of them. */
static size_t
hedge_target(inf_engine *engine, const inf_route_config *route,
             const inf_target_config *const *usable, size_t count)
{
  const inf_hedge_ask ask = {
      .targets = usable,
      .count = count,
      .kind = usable[0]->upstream == INF_UPSTREAM_UNARY ? INF_LATENCY_WHOLE
              : route->params.race_on == INF_RACE_ON_ANSWER
                  ? INF_LATENCY_ANSWER
                  : INF_LATENCY_CONTENT,
  };
  return inf_hedger_usual_target(engine->runtime, route->name, &ask);
}

static void
mark(inf_warmer *warmer, const inf_target_config *target, size_t *kept)
{
  inf_warm_entry *entry = entry_of(warmer, target->provider);
  if (entry->wanted || *kept == max_kept)
    return;
  entry->wanted = true;
  ++*kept;
}

/* Marks the providers that routes want warm: those of the targets that would
 * be asked first and next, and of the one that a hedge would go to. */
static void
mark_wanted(inf_engine *engine)
{
  inf_warmer *warmer = &engine->warmer;
  const inf_config *config = warmer->config;
  size_t kept = 0;
  for (size_t i = 0; i < config->provider_count; i++)
    warmer->entries[i].wanted = false;
  for (size_t i = 0; i < config->route_count; i++) {
    const inf_route_config *route = &config->routes[i];
    const inf_target_config *usable[targets_max];
    if (!keeps(&route->params))
      continue;
    bool ordered = route->params.strategy == INF_STRATEGY_ORDER;
    size_t most = ordered ? warm_targets : warm_unordered;
    size_t count = usable_targets(engine, route, usable);
    for (size_t t = 0; t < count && t < most; t++)
      mark(warmer, usable[t], &kept);
    if (count > most && route->params.hedge_budget > 0)
      mark(warmer, usable[hedge_target(engine, route, usable, count)], &kept);
  }
}

/* When the entry is due, and for what. */
static uint64_t
due_ns(const inf_warmer *warmer, const inf_warm_entry *entry, bool *look)
{
  uint64_t warm_ns = INF_NEVER;
  if (entry->wanted)
    warm_ns = inf_warm_next_ns(&entry->state, warmer->used_ns);
  *look = entry->look_ns > 0 && entry->look_ns <= warm_ns;
  return *look ? entry->look_ns : warm_ns;
}

static void
start_one(inf_engine *engine, size_t index, bool look)
{
  inf_config *config = engine->warmer.config;
  inf_warm_entry *entry = &engine->warmer.entries[index];
  uint64_t until_ns = engine->now_ns + keep_ms * INF_NS_PER_MS;
  entry->look_ns = 0;
  entry->looking = look;
  entry->running = inf_warmup_add(engine, config, &config->providers[index],
                                  until_ns, NULL, 0);
  if (!entry->running)
    inf_warm_note(&entry->state, INF_WARM_FAILED, engine->now_ns);
}

void
inf_warmer_run(struct inf_engine *engine)
{
  inf_warmer *warmer = &engine->warmer;
  warmer->next_ns = INF_NEVER;
  if (!warmer->entries || warmer->stopped)
    return;
  mark_wanted(engine);
  for (size_t i = 0; i < warmer->config->provider_count; i++) {
    inf_warm_entry *entry = &warmer->entries[i];
    bool look;
    uint64_t at_ns = due_ns(warmer, entry, &look);
    if (entry->running)
      continue;
    if (at_ns <= engine->now_ns)
      start_one(engine, i, look);
    else if (at_ns < warmer->next_ns)
      warmer->next_ns = at_ns;
  }
  inf_warmups_start(engine);
}

/* ---- What happens to calls ----------------------------------------------- */

void
inf_warmer_note_call(struct inf_engine *engine)
{
  inf_warmer *warmer = &engine->warmer;
  if (!warmer->keeps)
    return;
  bool idle = warmer->next_ns == INF_NEVER;
  warmer->used_ns = engine->now_ns;
  if (idle) /* or it looks soon anyway */
    warmer->next_ns = engine->now_ns;
}

void
inf_warmer_note_use(struct inf_engine *engine,
                    const inf_provider_config *provider)
{
  inf_warm_entry *entry =
      engine->warmer.keeps ? entry_of(&engine->warmer, provider) : NULL;
  if (entry)
    inf_warm_note_use(&entry->state, engine->now_ns);
}

void
inf_warmer_note_cut(struct inf_engine *engine,
                    const inf_provider_config *provider)
{
  inf_warmer *warmer = &engine->warmer;
  inf_warm_entry *entry = warmer->keeps ? entry_of(warmer, provider) : NULL;
  if (!entry || entry->has_http2)
    return;
  inf_warm_note_cut(&entry->state);
  warmer->next_ns = engine->now_ns;
}

void
inf_warmer_note_failure(struct inf_engine *engine,
                        const inf_provider_config *provider)
{
  inf_warm_entry *entry =
      engine->warmer.keeps ? entry_of(&engine->warmer, provider) : NULL;
  if (entry)
    inf_warm_note(&entry->state, INF_WARM_FAILED, engine->now_ns);
}
