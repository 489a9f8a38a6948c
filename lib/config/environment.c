/* SPDX-License-Identifier: MIT */
/* Providers and proxies that the environment names: see environment.h. */
#include "config/environment.h"

#include "base/mem.h"
#include "config/region.h"
#include "config/secrets.h"
#include "config/url.h"

#include <stdlib.h>

#define OPENAI_URL_VARIABLE "OPENAI_BASE_URL"

/* ---- Keys ---------------------------------------------------------------- */

/* Most variables whose values make one key, and longest name of one. */
enum { parts_max = 4, name_max = 64 };

/* The values; 0, where one that is needed is not set. */
static size_t
read_parts(const char *names, inf_sv *values)
{
  size_t count = 0, last = 0;
  inf_sv rest = inf_sv_from(names);
  while (rest.len > 0 && count < parts_max) {
    char name[name_max];
    size_t len = inf_sv_find(rest, ' ');
    size_t copied = len < sizeof name - 1 ? len : sizeof name - 1;
    memcpy(name, rest.ptr, copied);
    name[copied] = '\0';
    values[count] = inf_environment_get(name);
    if (values[count].len > 0)
      last = count + 1;
    else if (count < 2)
      return 0;
    count++;
    rest = inf_sv_trim(inf_sv_of(rest.ptr + len, rest.len - len));
  }
  return last;
}

/* Room for all at once: no growth leaves a copy behind. */
static bool
join(const inf_sv *values, size_t count, inf_buf *out)
{
  size_t bytes = count;
  for (size_t i = 0; i < count; i++)
    bytes += values[i].len;
  inf_buf_reserve(out, bytes);
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      inf_buf_append_char(out, ':');
    inf_buf_append_sv(out, values[i]);
  }
  return out->status == INFER_OK;
}

bool
inf_environment_key(const inf_provider_kind *kind, inf_buf *out)
{
  inf_sv values[parts_max];
  size_t count = 1;
  values[0] = kind->key_env ? inf_environment_get(kind->key_env) : INF_SV("");
  if (values[0].len == 0)
    count = kind->key_parts_env ? read_parts(kind->key_parts_env, values) : 0;
  return join(values, count, out);
}

/* May the environment make a provider of it? */
static bool
is_found_by_key(const inf_provider_kind *kind)
{
  return kind->key_env && kind->base_url && !kind->by_name_only;
}

bool
inf_environment_has_key(const inf_provider_kind *kind)
{
  inf_sv values[parts_max];
  if (!is_found_by_key(kind) ||
      (inf_region_matters(kind) && !inf_region_is_set()))
    return false;
  return (kind->key_env && inf_environment_get(kind->key_env).len > 0) ||
         (kind->key_parts_env && read_parts(kind->key_parts_env, values) > 0);
}

/* ---- Providers ----------------------------------------------------------- */

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
    bool has_key = inf_environment_has_key(kind);
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
