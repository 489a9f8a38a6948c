/* SPDX-License-Identifier: MIT */
/* Providers and proxies that the environment names: see environment.h. */
#include "config/environment.h"

#include "base/mem.h"
#include "config/secrets.h"
#include "config/url.h"

#include <stdlib.h>

/* ---- Providers ----------------------------------------------------------- */

#define OPENAI_URL_VARIABLE "OPENAI_BASE_URL"

static inf_sv
url_for(const inf_provider_kind *kind)
{
  if (strcmp(kind->type, "openai") != 0)
    return INF_SV("");
  return inf_environment_get(OPENAI_URL_VARIABLE);
}

static bool
add_text(inf_node *provider, inf_sv name, inf_sv text)
{
  inf_node *node = inf_node_new_string(name, text);
  if (node)
    inf_node_append(provider, node);
  return node != NULL;
}

static int32_t
add_provider(inf_node *providers, const inf_provider_kind *kind, inf_sv url,
             infer_error **error)
{
  const char *why = url.len > 0 ? inf_url_check_base(url) : NULL;
  if (why)
    return inf_error_set(error, INFER_E_CONFIG, "environment variable %s %s",
                         OPENAI_URL_VARIABLE, why);
  inf_node *node =
      inf_node_new(inf_sv_of(NULL, 0), INF_JSON_OBJECT, INF_SV(""));
  if (!node)
    return inf_place_no_memory(error);
  inf_node_append(providers, node);
  if (!add_text(node, INF_SV("name"), inf_sv_from(kind->type)) ||
      !add_text(node, INF_SV("type"), inf_sv_from(kind->type)) ||
      (url.len > 0 && !add_text(node, INF_SV("base_url"), url)))
    return inf_place_no_memory(error);
  return INFER_OK;
}

/* May the environment make a provider of it? */
static bool
is_found_by_key(const inf_provider_kind *kind)
{
  return kind->key_env && kind->base_url && !kind->by_name_only;
}

/* Names the first few variables; there are dozens. */
static int32_t
no_providers(infer_error **error)
{
  enum { named_max = 2 };
  int named = 0;
  inf_buf names;
  inf_buf_init(&names, 1024);
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const inf_provider_kind *kind = inf_provider_kind_at(i);
    if (!is_found_by_key(kind))
      continue;
    if (named++ == named_max)
      break;
    if (names.len > 0)
      inf_buf_append_cstr(&names, ", ");
    inf_buf_append_cstr(&names, kind->key_env);
  }
  int32_t status = INFER_E_NO_MEMORY;
  if (names.status == INFER_E_NO_MEMORY)
    inf_place_no_memory(error);
  else
    status = inf_error_set(error, INFER_E_CONFIG,
                           "no providers (set %s or another provider's key "
                           "variable, or configure providers)",
                           inf_buf_cstr(&names));
  inf_buf_fini(&names);
  return status;
}

int32_t
inf_environment_providers(inf_node **providers, infer_error **error)
{
  int32_t status = INFER_OK;
  *providers = NULL;
  inf_node *list =
      inf_node_new(INF_SV("providers"), INF_JSON_ARRAY, INF_SV(""));
  if (!list)
    return inf_place_no_memory(error);
  for (size_t i = 0; i < inf_provider_kind_count() && status == INFER_OK; i++) {
    const inf_provider_kind *kind = inf_provider_kind_at(i);
    inf_sv url = url_for(kind);
    bool has_key =
        is_found_by_key(kind) && inf_environment_get(kind->key_env).len > 0;
    if (has_key || url.len > 0)
      status = add_provider(list, kind, url, error);
  }
  if (status == INFER_OK && !list->first)
    status = no_providers(error);
  if (status == INFER_OK)
    *providers = list;
  else
    inf_node_free(list);
  return status;
}

/* ---- Proxies ------------------------------------------------------------- */

/* The first of the variables that is set; *name tells which. A variable that
 * is set to nothing means "no proxy" and hides those after it. */
static inf_sv
first_set(const char *const *names, size_t count, const char **name)
{
  for (size_t i = 0; i < count; i++) {
    inf_sv value = inf_environment_get(names[i]);
    if (!value.ptr)
      continue;
    *name = names[i];
    return value;
  }
  return INF_SV("");
}

static int32_t
copy_text(const char **out, inf_sv text, infer_error **error)
{
  *out = inf_strndup(text.ptr, text.len);
  return *out ? INFER_OK : inf_place_no_memory(error);
}

int32_t
inf_environment_proxy(inf_provider_config *provider, infer_error **error)
{
  static const char *const for_https[] = {"https_proxy", "HTTPS_PROXY",
                                          "all_proxy", "ALL_PROXY"};
  static const char *const for_http[] = {"http_proxy", "all_proxy",
                                         "ALL_PROXY"};
  static const char *const for_none[] = {"no_proxy", "NO_PROXY"};
  const char *name = "";
  bool https = inf_url_is_https(inf_sv_from(provider->base_url));
  inf_sv proxy =
      https ? first_set(for_https, 4, &name) : first_set(for_http, 3, &name);
  if (proxy.len == 0)
    return INFER_OK;
  const char *why = inf_url_check_proxy(proxy);
  if (why)
    return inf_error_set(error, INFER_E_CONFIG,
                         "provider \"%s\": environment variable %s %s",
                         provider->name, name, why);
  int32_t status = copy_text(&provider->endpoint.proxy, proxy, error);
  inf_sv hosts = first_set(for_none, 2, &name);
  if (status == INFER_OK && hosts.len > 0)
    status = copy_text(&provider->endpoint.no_proxy, hosts, error);
  return status;
}
