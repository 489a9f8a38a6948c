/* SPDX-License-Identifier: MIT */
/* A provider's model in a replay: see replay_target.h. */

#include "replay_target.h"

#include "sim_mem.h"

#include "base/mem.h"
#include "config/hash.h"

/* By the name that the provider has for the model, or by an alias of it. */
static const inf_replay_model *
find_model(const inf_replay_models *models, const inf_provider_config *provider,
           inf_sv name, inf_sv model)
{
  const inf_replay_model *found = inf_replay_models_find(models, name);
  inf_buf other;
  inf_buf_init(&other, INF_SIM_BUF_MAX);
  for (size_t i = 0; !found && i < provider->alias_count; i++) {
    const inf_alias *alias = &provider->aliases[i];
    if (inf_sv_eq(inf_sv_from(alias->model), model)) {
      inf_buf_clear(&other);
      inf_buf_appendf(&other, "%s/%s", provider->name, alias->name);
      found = inf_replay_models_find(models, inf_buf_sv(&other));
    }
  }
  inf_buf_fini(&other);
  return found;
}

static char *
copy_text(inf_sv text)
{
  char *copy = inf_sim_alloc(text.len + 1);
  memcpy(copy, text.ptr, text.len);
  return copy;
}

static char *
name_of(const inf_provider_config *provider, inf_sv model)
{
  inf_buf name;
  inf_buf_init(&name, INF_SIM_BUF_MAX);
  inf_buf_append_cstr(&name, provider->name);
  inf_buf_append_char(&name, '/');
  inf_buf_append_sv(&name, model);
  inf_sim_must(&name);
  return inf_buf_take(&name, NULL);
}

inf_replay_target *
inf_replay_target_new(const inf_replay_models *models,
                      const inf_provider_config *provider, inf_sv model,
                      size_t number)
{
  inf_replay_target *target = inf_sim_alloc(sizeof(*target));
  target->provider = provider;
  target->model = copy_text(model);
  target->name = name_of(provider, model);
  target->number = number;
  target->hash = inf_fnv1a(INF_FNV_START, inf_sv_from(target->name));
  target->params =
      find_model(models, provider, inf_sv_from(target->name), model);
  const inf_replay_model *params = target->params;
  if (params && params->prefix_cache_tokens > 0) {
    target->cache = inf_prefix_cache_new(
        (size_t)(params->prefix_cache_tokens / params->prefix_block_tokens));
  }
  if (params && params->concurrency > 0 && params->queue > 0) {
    inf_replay_slots_init(&target->slots, (size_t)params->concurrency);
  }
  return target;
}

void
inf_replay_target_free(inf_replay_target *target)
{
  for (size_t i = 0; i < INF_REPLAY_MAX_KEYS; i++) {
    inf_free(target->quotas[i]);
  }
  inf_prefix_cache_free(target->cache);
  inf_replay_slots_fini(&target->slots);
  inf_free(target->model);
  inf_free(target->name);
  inf_free(target);
}

bool
inf_replay_target_is(const inf_replay_target *target,
                     const inf_provider_config *provider, inf_sv model)
{
  return target->provider == provider &&
         inf_sv_eq(model, inf_sv_from(target->model));
}

inf_replay_quota *
inf_replay_target_quota(inf_replay_target *target, unsigned key,
                        uint64_t now_ns)
{
  inf_replay_quota **quota = &target->quotas[key % INF_REPLAY_MAX_KEYS];
  if (!*quota) {
    *quota = inf_sim_alloc(sizeof(**quota));
    inf_replay_quota_init(*quota, target->params, now_ns);
  }
  return *quota;
}
