/* SPDX-License-Identifier: MIT */
/* What a request's model name means: an exact route; else "provider/model",
 * split at the first slash; else a bare model that exactly one provider
 * claims. Nothing is guessed beyond that: a prompt goes where somebody said
 * it may go. */
#include "base/mem.h"
#include "config/compile_price.h"
#include "config/compile_provider.h"
#include "config/compile_route.h"
#include "config/compile_target.h"
#include "config/config.h"
#include "config/place.h"

/* Names told in an error, of routes and of providers each. */
#define CHOICES_MAX 10

/* A route that names one target, in one block with its texts. */
typedef struct direct_route {
  inf_route_config route;
  inf_target_config target;
} direct_route;

const inf_provider_config *
inf_config_provider(const inf_config *config, inf_sv name)
{
  for (size_t i = 0; i < config->provider_count; i++)
    if (inf_sv_eq(inf_sv_from(config->providers[i].name), name))
      return &config->providers[i];
  return NULL;
}

static const inf_route_config *
find_route(const inf_config *config, inf_sv name)
{
  for (size_t i = 0; i < config->route_count; i++)
    if (inf_sv_eq(inf_sv_from(config->routes[i].name), name))
      return &config->routes[i];
  return NULL;
}

static char *
put_text(char *at, const char *ptr, size_t len)
{
  memcpy(at, ptr, len);
  at[len] = '\0';
  return at + len;
}

static int32_t
new_direct(const inf_config *config, const inf_provider_config *provider,
           inf_sv model, const inf_route_config **route, infer_error **error)
{
  size_t provider_len = strlen(provider->name), len;
  const char *sent = inf_provider_model(provider, model, &len);
  direct_route *direct =
      inf_malloc(sizeof *direct + provider_len + 1 + model.len + 1 + len + 1);
  if (!direct)
    return inf_place_no_memory(error);
  char *name = (char *)(direct + 1);
  char *end = put_text(name, provider->name, provider_len);
  end = put_text(end, "/", 1);
  end = put_text(end, model.ptr, model.len);
  char *sent_copy = end + 1;
  put_text(sent_copy, sent, len);
  inf_target_config *target = &direct->target;
  *target = (inf_target_config){0};
  inf_target_config_init(target);
  target->provider = provider;
  target->model = sent_copy;
  target->name = name;
  target->upstream =
      inf_effective_upstream(INF_UPSTREAM_DEFAULT, &config->defaults, provider);
  inf_target_settle_price(target);
  inf_target_config_complete(target);
  target->prefill = inf_effective_prefill(target->prefill, provider);
  target->lacks = inf_effective_lacks(target->lacks, provider);
  direct->route = (inf_route_config){
      .name = end, /* the end of the name above: "" */
      .targets = &direct->target,
      .target_count = 1,
      .params = config->defaults,
  };
  *route = &direct->route;
  return INFER_OK;
}

static bool
claims(const inf_provider_config *provider, inf_sv model)
{
  for (size_t i = 0; i < provider->alias_count; i++)
    if (inf_sv_eq(inf_sv_from(provider->aliases[i].name), model))
      return true;
  return inf_provider_kind_claims(provider->kind, model);
}

/* ---- Complaints ---------------------------------------------------------- */

static void
add_choice(inf_buf *out, size_t index, size_t count, const char *name)
{
  if (index < CHOICES_MAX)
    inf_buf_appendf(out, "%s%s", index == 0 ? "" : ", ", name);
  else if (index == CHOICES_MAX)
    inf_buf_appendf(out, " and %zu more", count - index);
}

/* The error with the choices in it; the buffer is done with after it. */
static int32_t
tell(inf_buf *choices, inf_sv model, const char *what, infer_error **error)
{
  int32_t status =
      choices->status == INFER_E_NO_MEMORY
          ? inf_place_no_memory(error)
          : inf_error_set(error, INFER_E_CONFIG, "model \"%.*s\" %s %s",
                          model.len < 128 ? (int)model.len : 128,
                          model.ptr ? model.ptr : "", what,
                          inf_buf_cstr(choices));
  inf_buf_fini(choices);
  return status;
}

static int32_t
nothing_fits(const inf_config *config, inf_sv model, infer_error **error)
{
  inf_buf choices;
  inf_buf_init(&choices, 1536);
  if (config->route_count > 0)
    inf_buf_append_cstr(&choices, "routes: ");
  for (size_t i = 0; i < config->route_count; i++)
    add_choice(&choices, i, config->route_count, config->routes[i].name);
  if (config->route_count > 0)
    inf_buf_append_cstr(&choices, "; ");
  inf_buf_append_cstr(&choices, "providers, as in \"provider/model\": ");
  for (size_t i = 0; i < config->provider_count; i++)
    add_choice(&choices, i, config->provider_count, config->providers[i].name);
  return tell(&choices, model, "is no route and no provider's; there are",
              error);
}

static int32_t
too_much_fits(const inf_config *config, size_t count, inf_sv model,
              infer_error **error)
{
  inf_buf choices;
  size_t index = 0;
  inf_buf_init(&choices, 1536);
  for (size_t i = 0; i < config->provider_count; i++)
    if (claims(&config->providers[i], model))
      add_choice(&choices, index++, count, config->providers[i].name);
  return tell(&choices, model,
              "is claimed by more than one provider (say which, as in "
              "\"provider/model\"):",
              error);
}

/* ---- All ----------------------------------------------------------------- */

static int32_t
resolve_bare(const inf_config *config, inf_sv model,
             const inf_route_config **route, infer_error **error)
{
  const inf_provider_config *found = NULL;
  size_t count = 0;
  for (size_t i = 0; i < config->provider_count && model.len > 0; i++)
    if (claims(&config->providers[i], model)) {
      found = &config->providers[i];
      count++;
    }
  if (count == 0)
    return nothing_fits(config, model, error);
  if (count > 1)
    return too_much_fits(config, count, model, error);
  return new_direct(config, found, model, route, error);
}

int32_t
inf_config_resolve(const inf_config *config, inf_sv model,
                   const inf_route_config **route, infer_error **error)
{
  *route = find_route(config, model);
  if (*route)
    return INFER_OK;
  size_t slash = inf_sv_find(model, '/');
  if (slash + 1 < model.len) {
    const inf_provider_config *provider =
        inf_config_provider(config, inf_sv_of(model.ptr, slash));
    inf_sv rest = inf_sv_of(model.ptr + slash + 1, model.len - slash - 1);
    if (provider)
      return new_direct(config, provider, rest, route, error);
  }
  return resolve_bare(config, model, route, error);
}

void
inf_config_release_route(const inf_config *config,
                         const inf_route_config *route)
{
  if (!route)
    return;
  uintptr_t at = (uintptr_t)route, first = (uintptr_t)config->routes;
  if (at >= first && at < first + config->route_count * sizeof *route)
    return;
  inf_free((void *)(uintptr_t)route);
}
