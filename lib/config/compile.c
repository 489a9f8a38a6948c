/* SPDX-License-Identifier: MIT */
/* From the document to the configuration that the engine uses: everything is
 * checked here, once; secrets, files and the environment are read here, once.
 * What comes out never changes and is shared by reference count. */
#include "base/mem.h"
#include "config/builder.h"
#include "config/compile_budgets.h"
#include "config/compile_otlp.h"
#include "config/compile_provider.h"
#include "config/compile_route.h"
#include "config/compile_tenants.h"
#include "config/config.h"
#include "config/environment.h"
#include "config/hash.h"
#include "config/redact.h"
#include "config/values.h"

#include <stdatomic.h>

#define PROVIDERS_MAX 1000

typedef struct shared_config {
  inf_config config; /* first, so that one is the other */
  atomic_uint references;
} shared_config;

inf_config *
inf_config_ref(inf_config *config)
{
  shared_config *shared = (shared_config *)config;
  atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
  return config;
}

static void
free_config(shared_config *shared)
{
  inf_config *config = &shared->config;
  for (size_t i = 0; i < config->route_count; i++)
    inf_route_config_fini(&config->routes[i]);
  for (size_t i = 0; i < config->provider_count; i++)
    inf_provider_config_fini(&config->providers[i]);
  inf_plugins_fini(&config->plugins);
  inf_free(config->routes);
  inf_free(config->providers);
  inf_tenants_free(config);
  inf_budgets_config_free(config);
  inf_otlp_fini(&config->client.otlp);
  inf_free(shared);
}

void
inf_config_unref(inf_config *config)
{
  shared_config *shared = (shared_config *)config;
  /* Release and acquire: who frees sees all that others did before. */
  if (shared && atomic_fetch_sub_explicit(&shared->references, 1,
                                          memory_order_acq_rel) == 1)
    free_config(shared);
}

/* ---- Providers ----------------------------------------------------------- */

static int32_t
check_unique(const inf_config *config, const inf_provider_config *provider,
             const inf_place *place, infer_error **error)
{
  inf_place here = inf_place_member(place, INF_SV("name"));
  for (const inf_provider_config *p = config->providers; p != provider; p++)
    if (strcmp(p->name, provider->name) == 0)
      return inf_place_error(&here, error, "\"%s\" is there twice",
                             provider->name);
  return INFER_OK;
}

static int32_t
read_providers(const inf_node *providers, bool from_environment,
               const inf_token_source *sources, inf_config *config,
               infer_error **error)
{
  inf_place place = inf_place_member(NULL, INF_SV("providers"));
  size_t count = inf_node_count(providers);
  if (count > PROVIDERS_MAX)
    return inf_place_error(&place, error, "more than %d providers",
                           PROVIDERS_MAX);
  config->providers = inf_calloc(count, sizeof *config->providers);
  if (!config->providers)
    return inf_place_no_memory(error);
  int32_t status = INFER_OK;
  for (const inf_node *node = providers->first; node && status == INFER_OK;
       node = node->next) {
    size_t index = config->provider_count++;
    inf_place here = inf_place_element(&place, index);
    inf_provider_config *provider = &config->providers[index];
    provider->from_environment = from_environment;
    provider->token_sources = from_environment ? NULL : sources;
    status =
        inf_compile_provider(node, &here, &config->plugins, provider, error);
    if (status == INFER_OK)
      status = check_unique(config, provider, &here, error);
  }
  return status;
}

/* A source is of a provider that the document has. */
static int32_t
check_sources(const inf_token_source *source, const inf_config *config,
              infer_error **error)
{
  for (; source; source = source->next) {
    const inf_provider_config *provider =
        inf_config_provider(config, inf_sv_from(source->provider));
    if (!provider || provider->from_environment)
      return inf_error_set(error, INFER_E_CONFIG,
                           "there is a token source for provider \"%s\", which "
                           "the configuration does not have",
                           source->provider);
  }
  return INFER_OK;
}

/* Adds what stands in the document, without secrets, to the hash. */
static int32_t
add_hash(const inf_node *node, inf_config *config, infer_error **error)
{
  inf_buf json;
  inf_buf_init(&json, 8 * INF_TREE_MAX_BYTES);
  inf_redact_write(node, &json);
  int32_t status = json.status;
  config->hash = inf_fnv1a(config->hash, inf_buf_sv(&json));
  inf_buf_fini(&json);
  return status == INFER_OK ? INFER_OK : inf_place_no_memory(error);
}

static int32_t
read_environment(inf_config *config, infer_error **error)
{
  inf_node *providers;
  int32_t status = inf_environment_providers(&providers, error);
  if (status != INFER_OK)
    return status;
  status = read_providers(providers, true, NULL, config, error);
  if (status == INFER_OK) {
    inf_buf json;
    inf_buf_init(&json, INF_TREE_MAX_BYTES);
    inf_node_write(providers, &json);
    config->hash = inf_fnv1a(config->hash, inf_buf_sv(&json));
    if (json.status != INFER_OK)
      status = inf_place_no_memory(error);
    inf_buf_fini(&json);
  }
  inf_node_free(providers);
  return status;
}

static int32_t
read_document(const inf_node *document, const inf_token_source *sources,
              inf_config *config, infer_error **error)
{
  inf_section client = {"client", &config->client};
  const inf_node *providers = inf_node_get(document, INF_SV("providers"));
  inf_place place = inf_place_member(NULL, INF_SV("providers"));
  int32_t status = INFER_OK;
  config->hash = INF_FNV_START;
  inf_values_default(&client);
  if (document)
    status = inf_values_read(document, NULL, &client, 1,
                             "providers routes defaults", error);
  if (status == INFER_OK && providers && providers->type != INF_JSON_ARRAY)
    status = inf_place_error(&place, error, "expected an array of providers");
  if (status == INFER_OK)
    status = inf_compile_tenants(document, config, error);
  if (status == INFER_OK)
    status = inf_compile_otlp(document, &config->client.otlp, error);
  if (status == INFER_OK && document)
    status = inf_compile_budgets(document, config, error);
  if (status == INFER_OK && document)
    status = add_hash(document, config, error);
  if (status == INFER_OK)
    status = providers && providers->first
                 ? read_providers(providers, false, sources, config, error)
                 : read_environment(config, error);
  if (status == INFER_OK)
    status = check_sources(sources, config, error);
  if (status == INFER_OK)
    status = inf_compile_routes(document, config, error);
  return status;
}

int32_t
inf_config_compile(const infer_config *source, inf_config **out,
                   infer_error **error)
{
  *out = NULL;
  shared_config *shared = inf_calloc(1, sizeof *shared);
  if (!shared)
    return inf_place_no_memory(error);
  atomic_init(&shared->references, 1);
  int32_t status =
      inf_plugins_copy(&shared->config.plugins, inf_config_plugins(source));
  status = status == INFER_OK
               ? read_document(inf_config_document(source),
                               inf_config_token_sources_of(source),
                               &shared->config, error)
               : inf_place_no_memory(error);
  if (status == INFER_OK)
    *out = &shared->config;
  else
    free_config(shared);
  return status;
}
