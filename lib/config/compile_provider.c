/* SPDX-License-Identifier: MIT */
/* One provider: who it is, where, and what its models are called. Keys,
 * additions to requests and the network have files of their own. */
#include "config/compile_provider.h"

#include "base/mem.h"
#include "config/compile_credentials.h"
#include "config/compile_endpoint.h"
#include "config/compile_extras.h"
#include "config/compile_keys.h"
#include "config/compile_price.h"
#include "config/region.h"
#include "config/suggest.h"
#include "config/url.h"
#include "config/values.h"

#define NAME_MAX_BYTES 64

void
inf_provider_config_fini(inf_provider_config *provider)
{
  inf_keys_free(provider->keys, provider->key_count);
  inf_texts_free(provider->labels, provider->label_count);
  for (size_t i = 0; i < provider->alias_count; i++) {
    inf_free(provider->aliases[i].name);
    inf_free(provider->aliases[i].model);
  }
  inf_free(provider->aliases);
  inf_model_prices_free(provider->prices, provider->price_count);
  inf_buf_fini_secret(&provider->headers);
  inf_buf_fini_secret(&provider->query);
  inf_buf_fini(&provider->body);
  inf_buf_fini(&provider->embed_body);
  inf_endpoint_fini(&provider->endpoint);
  inf_free(provider->name);
  inf_free(provider->base_url);
  inf_free(provider->auth_scheme);
  inf_free(provider->region);
  inf_free(provider->warm_path);
}

/* ---- Name and kind ------------------------------------------------------- */

static int32_t
check_name(const char *name, const inf_place *place, infer_error **error)
{
  inf_place here = inf_place_member(place, INF_SV("name"));
  if (!name)
    return inf_place_error(place, error, "has no \"name\"");
  size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz0123456789._-");
  if (name[len] || len == 0 || len > NAME_MAX_BYTES)
    return inf_place_error(&here, error,
                           "expected 1 to %d letters, digits, dots, dashes "
                           "and underscores",
                           NAME_MAX_BYTES);
  return INFER_OK;
}

static int32_t
unknown_kind(inf_sv type, const inf_plugins *plugins, const inf_place *place,
             infer_error **error)
{
  char hint[INF_SUGGEST_TEXT_MAX];
  inf_suggestion nearest;
  inf_buf types;
  inf_suggest_init(&nearest, type);
  inf_buf_init(&types, 1024);
  for (size_t i = 0; i < plugins->count; i++)
    inf_suggest_offer(&nearest, inf_sv_from(plugins->items[i]->kind.type));
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    inf_sv known = inf_sv_from(inf_provider_kind_at(i)->type);
    inf_suggest_offer(&nearest, known);
    inf_buf_append_cstr(&types, i == 0 ? "" : ", ");
    inf_buf_append_sv(&types, known);
  }
  /* The list is long: only for who is not near to any of it. */
  const char *near = inf_suggest_text(&nearest, hint);
  int32_t status =
      types.status == INFER_E_NO_MEMORY
          ? inf_place_no_memory(error)
          : inf_place_error(place, error, "no kind \"%.*s\"%s%s%s",
                            type.len < 64 ? (int)type.len : 64, type.ptr, near,
                            near[0] ? "" : "; there are: ",
                            near[0] ? "" : inf_buf_cstr(&types));
  inf_buf_fini(&types);
  return status;
}

static int32_t
read_kind(const inf_node *node, const inf_place *place,
          const inf_plugins *plugins, inf_provider_config *provider,
          infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("type"));
  inf_place here = inf_place_member(place, INF_SV("type"));
  char *type = NULL;
  if (!given) {
    provider->kind = inf_plugins_find(plugins, inf_sv_from(provider->name));
    return provider->kind ? INFER_OK
                          : inf_place_error(place, error, "has no \"type\"");
  }
  int32_t status = inf_value_text(given, &here, "a string", &type, error);
  if (status != INFER_OK)
    return status;
  provider->kind = inf_plugins_find(plugins, inf_sv_from(type));
  if (!provider->kind)
    status = unknown_kind(inf_sv_from(type), plugins, &here, error);
  inf_free(type);
  return status;
}

/* ---- Address and authorization ------------------------------------------- */

static int32_t
set_regional_url(const inf_node *node, const inf_place *place,
                 inf_provider_config *provider, infer_error **error)
{
  inf_buf url, project;
  inf_buf_init(&url, SIZE_MAX);
  inf_buf_init(&project, SIZE_MAX);
  int32_t status = inf_compile_project(node, place, provider, &project, error);
  if (status == INFER_OK) {
    inf_region_expand(provider->kind->base_url, provider->region,
                      inf_buf_cstr(&project), &url);
    provider->base_url = inf_buf_take(&url, NULL);
    if (!provider->base_url)
      status = inf_place_no_memory(error);
  }
  inf_buf_fini(&url);
  inf_buf_fini(&project);
  return status;
}

static int32_t
read_base_url(const inf_node *node, const inf_place *place,
              inf_provider_config *provider, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("base_url"));
  inf_place here = inf_place_member(place, INF_SV("base_url"));
  char *text = NULL;
  inf_sv url = inf_sv_from(provider->kind->base_url);
  if (!given && inf_region_matters(provider->kind))
    return set_regional_url(node, place, provider, error);
  if (given) {
    int32_t status = inf_value_text(given, &here, "a string", &text, error);
    if (status != INFER_OK)
      return status;
    url = inf_sv_from(text);
    const char *why = inf_url_check_base(url);
    if (why) {
      inf_free(text);
      return inf_place_error(&here, error, "%s", why);
    }
  }
  if (url.len == 0)
    return inf_place_error(place, error,
                           "has no \"base_url\", which its type needs");
  url = inf_url_trim(url);
  provider->base_url = inf_strndup(url.ptr, url.len);
  inf_free(text);
  return provider->base_url ? INFER_OK : inf_place_no_memory(error);
}

static int32_t
read_auth_scheme(const inf_node *node, const inf_place *place,
                 inf_provider_config *provider, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("auth_scheme"));
  inf_place here = inf_place_member(place, INF_SV("auth_scheme"));
  /* What expires is a bearer's; a header of one's own is for fixed keys. */
  inf_sv usual = provider->key_count > 0 && provider->kind->key_header
                     ? INF_SV("Bearer")
                     : inf_sv_from(provider->kind->auth_scheme);
  if (!given) {
    provider->auth_scheme = inf_strndup(usual.ptr ? usual.ptr : "", usual.len);
    return provider->auth_scheme ? INFER_OK : inf_place_no_memory(error);
  }
  int32_t status =
      inf_value_text(given, &here, "a string", &provider->auth_scheme, error);
  if (status != INFER_OK)
    return status;
  if (strcmp(provider->auth_scheme, "none") == 0)
    provider->auth_scheme[0] = '\0';
  else if (!inf_header_name_valid(inf_sv_from(provider->auth_scheme)))
    return inf_place_error(&here, error,
                           "expected one word, as in \"Bearer\", or \"none\"");
  return INFER_OK;
}

static int32_t
check_warm_path(const inf_node *node, const inf_place *place,
                inf_provider_config *provider, infer_error **error)
{
  (void)node;
  inf_place here = inf_place_member(place, INF_SV("warm_path"));
  const char *path = provider->warm_path;
  if (!path)
    return INFER_OK;
  bool plain = path[0] == '/';
  for (const char *at = path; *at; at++)
    plain = plain && *at > ' ' && *at < 0x7f && *at != '#';
  return plain ? INFER_OK
               : inf_place_error(&here, error,
                                 "expected a path on the server, as in "
                                 "\"/health\", of plain characters");
}

/* ---- Models -------------------------------------------------------------- */

const char *
inf_provider_model(const inf_provider_config *provider, inf_sv model,
                   size_t *len)
{
  for (size_t i = 0; i < provider->alias_count; i++)
    if (inf_sv_eq(inf_sv_from(provider->aliases[i].name), model)) {
      *len = strlen(provider->aliases[i].model);
      return provider->aliases[i].model;
    }
  *len = model.len;
  return model.ptr;
}

static int32_t
read_alias(const inf_node *node, const inf_place *place, inf_alias *alias,
           infer_error **error)
{
  int32_t status =
      inf_value_text(node, place, "a string", &alias->model, error);
  if (status != INFER_OK)
    return status;
  /* In an array the name is the model. */
  inf_sv name = node->name.ptr ? node->name : inf_sv_from(alias->model);
  if (!alias->model[0] || name.len == 0)
    return inf_place_error(place, error, "is empty");
  if (inf_has_control(name))
    return inf_place_error(place, error, "contains control characters");
  alias->name = inf_strndup(name.ptr, name.len);
  return alias->name ? INFER_OK : inf_place_no_memory(error);
}

static bool
has_alias(const inf_provider_config *provider, const inf_alias *wanted)
{
  for (const inf_alias *alias = provider->aliases; alias != wanted; alias++)
    if (strcmp(alias->name, wanted->name) == 0)
      return true;
  return false;
}

static int32_t
read_models(const inf_node *node, const inf_place *place,
            inf_provider_config *provider, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("models"));
  inf_place here = inf_place_member(place, INF_SV("models"));
  if (!given)
    return INFER_OK;
  size_t count = inf_node_count(given), i = 0;
  if (given->type != INF_JSON_OBJECT && given->type != INF_JSON_ARRAY)
    return inf_place_error(&here, error,
                           "expected an object of aliases or an array of "
                           "names");
  if (count > INF_VALUE_MAX_ITEMS)
    return inf_place_error(&here, error, "more than %zu models",
                           INF_VALUE_MAX_ITEMS);
  if (count == 0)
    return INFER_OK;
  provider->aliases = inf_calloc(count, sizeof *provider->aliases);
  if (!provider->aliases)
    return inf_place_no_memory(error);
  provider->alias_count = count;
  int32_t status = INFER_OK;
  for (const inf_node *item = given->first; item && status == INFER_OK;
       item = item->next, i++) {
    inf_alias *alias = &provider->aliases[i];
    inf_place at = item->name.ptr ? inf_place_member(&here, item->name)
                                  : inf_place_element(&here, i);
    status = read_alias(item, &at, alias, error);
    if (status == INFER_OK && has_alias(provider, alias))
      status = inf_place_error(&at, error, "given twice");
  }
  return status;
}

/* Is the address that of the kind, in whatever region and project? Where the
 * kind has none, any is. */
static bool
is_at_home(const inf_provider_config *provider, inf_buf *url)
{
  const char *usual = provider->kind->base_url;
  inf_sv address = inf_sv_from(provider->base_url);
  if (!usual)
    return true;
  inf_region_expand(usual, provider->region, "", url);
  inf_sv home = inf_url_trim(inf_buf_sv(url));
  const char *project = strstr(inf_buf_cstr(url), "/projects/");
  if (!project || !strstr(usual, "{project}"))
    return inf_sv_eq(home, address);
  return inf_sv_starts_with(address,
                            inf_sv_of(home.ptr, (size_t)(project - url->ptr)));
}

/* What the catalogue knows of them. */
static int32_t
find_models(inf_provider_config *provider, infer_error **error)
{
  if (provider->catalogue == INF_CATALOGUE_OFF)
    return INFER_OK;
  inf_buf url;
  inf_buf_init(&url, SIZE_MAX);
  bool at_home = is_at_home(provider, &url);
  int32_t status =
      url.status == INFER_OK ? INFER_OK : inf_place_no_memory(error);
  inf_buf_fini(&url);
  if (at_home || provider->catalogue == INF_CATALOGUE_ON)
    provider->models = inf_model_table_of(provider->kind);
  return status;
}

/* ---- Limits -------------------------------------------------------------- */

/* What was left out is as the kind says. */
static int32_t
complete_limits(const inf_node *node, const inf_place *place,
                inf_provider_config *provider, infer_error **error)
{
  (void)node;
  (void)place;
  (void)error;
  inf_provider_limits *limits = &provider->limits;
  int64_t *const numbers[] = {
      &limits->requests_per_second,
      &limits->requests_per_minute,
      &limits->requests_per_day,
      &limits->tokens_per_second,
      &limits->tokens_per_minute,
      &limits->tokens_per_day,
      &limits->input_tokens_per_minute,
      &limits->output_tokens_per_minute,
      &limits->concurrency,
  };
  if (limits->requests_per_second < 0)
    limits->requests_per_second = provider->kind->requests_per_second;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (*numbers[i] < 0)
      *numbers[i] = 0;
    provider->limited = provider->limited || *numbers[i] > 0;
  }
  if (limits->scope == INF_LIMIT_SCOPE_DEFAULT)
    limits->scope = (int32_t)provider->kind->limit_scope;
  return INFER_OK;
}

/* ---- All ----------------------------------------------------------------- */

typedef int32_t (*read_fn)(const inf_node *node, const inf_place *place,
                           inf_provider_config *provider, infer_error **error);

int32_t
inf_compile_provider(const inf_node *node, const inf_place *place,
                     const inf_plugins *plugins, inf_provider_config *provider,
                     infer_error **error)
{
  /* In the order in which they need each other. */
  static const read_fn parts[] = {inf_compile_credentials,
                                  inf_compile_region,
                                  read_base_url,
                                  read_auth_scheme,
                                  inf_compile_keys,
                                  inf_compile_extras,
                                  read_models,
                                  inf_compile_prices,
                                  inf_compile_endpoint,
                                  check_warm_path,
                                  complete_limits};
  inf_section section = {"provider", provider};
  inf_values_default(&section);
  int32_t status = inf_values_read(node, place, &section, 1, "", error);
  if (status == INFER_OK)
    status = check_name(provider->name, place, error);
  if (status == INFER_OK)
    status = read_kind(node, place, plugins, provider, error);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == INFER_OK;
       i++)
    status = parts[i](node, place, provider, error);
  provider->token_sources = NULL;
  provider->token_endpoint = provider->endpoint;
  provider->token_endpoint.unix_socket = NULL;
  provider->token_endpoint.client_cert = NULL;
  provider->token_endpoint.client_key = NULL;
  return status == INFER_OK ? find_models(provider, error) : status;
}
