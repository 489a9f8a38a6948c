/* SPDX-License-Identifier: MIT */
/* A provider's keys: see compile_keys.h. The text of a key is in as few
 * places as can be, and each is wiped. */
#include "config/compile_keys.h"

#include "base/mem.h"
#include "config/environment.h"
#include "config/hash.h"
#include "config/region.h"
#include "config/secrets.h"
#include "config/values.h"
#include "provider/aws.h"

#define KEYS_MAX 256

void
inf_keys_free(inf_key *keys, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    inf_free_secret(keys[i].secret, keys[i].secret_len);
    inf_free_secret(keys[i].account, keys[i].account_len);
    inf_free(keys[i].token_uri);
    inf_free(keys[i].organization);
    inf_free(keys[i].project);
  }
  inf_free(keys);
}

/* A key travels in a header: what cannot stand there is no key. */
static int32_t
store_secret(inf_key *key, inf_sv secret, const inf_place *place,
             infer_error **error)
{
  if (secret.len == 0)
    return inf_place_error(place, error, "is empty");
  if (!inf_header_value_valid(secret) || inf_has_control(secret))
    return inf_place_error(place, error, "the key contains control characters");
  if (inf_sv_trim(secret).len != secret.len)
    return inf_place_error(place, error,
                           "the key begins or ends with white space");
  key->secret = inf_strndup(secret.ptr, secret.len);
  if (!key->secret)
    return inf_place_no_memory(error);
  key->secret_len = secret.len;
  key->fingerprint = inf_fnv1a(INF_FNV_START, secret);
  return INFER_OK;
}

static int32_t
read_secret(inf_key *key, inf_sv spec, const inf_place *place,
            infer_error **error)
{
  inf_buf text;
  inf_buf_init(&text, INF_SECRET_MAX_BYTES + 2);
  int32_t status = inf_secret_read(spec, place, &text, error);
  if (status == INFER_OK)
    status = store_secret(key, inf_buf_sv(&text), place, error);
  inf_buf_fini_secret(&text);
  return status;
}

static int32_t
read_secret_node(inf_key *key, const inf_node *node, const inf_place *place,
                 infer_error **error)
{
  if (node->type != INF_JSON_STRING)
    return inf_value_wrong(inf_option_find("key", INF_SV(""), INF_SV("key")),
                           node, place, error);
  if (node->text.len > INF_SECRET_MAX_BYTES)
    return inf_place_error(place, error, "the key is longer than %zu bytes",
                           INF_SECRET_MAX_BYTES);
  inf_buf spec;
  inf_buf_init(&spec, INF_SECRET_MAX_BYTES + 2);
  int32_t status = inf_node_string(node, &spec)
                       ? read_secret(key, inf_buf_sv(&spec), place, error)
                       : inf_place_no_memory(error);
  inf_buf_fini_secret(&spec);
  return status;
}

/* An element of the list: a string, or an object with "key". */
static int32_t
read_key(inf_key *key, const inf_node *node, const inf_place *place,
         infer_error **error)
{
  inf_section section = {"key", key};
  if (node->type != INF_JSON_OBJECT)
    return read_secret_node(key, node, place, error);
  int32_t status = inf_values_read(node, place, &section, 1, "", error);
  if (status != INFER_OK)
    return status;
  const inf_node *secret = inf_node_get(node, INF_SV("key"));
  inf_place here = inf_place_member(place, INF_SV("key"));
  if (!secret)
    return inf_place_error(place, error, "has no \"key\"");
  return read_secret_node(key, secret, &here, error);
}

static int32_t
read_keys(const inf_node *node, const inf_place *place,
          inf_provider_config *provider, infer_error **error)
{
  bool list = node->type == INF_JSON_ARRAY;
  size_t count = list ? inf_node_count(node) : 1, i = 0;
  if (!list && node->type != INF_JSON_STRING && node->type != INF_JSON_OBJECT)
    return inf_value_wrong(
        inf_option_find("provider", INF_SV(""), INF_SV("api_key")), node, place,
        error);
  if (count == 0 || count > KEYS_MAX)
    return inf_place_error(place, error,
                           "expected between 1 and %d keys, got %zu", KEYS_MAX,
                           count);
  provider->keys = inf_calloc(count, sizeof *provider->keys);
  if (!provider->keys)
    return inf_place_no_memory(error);
  provider->key_count = count;
  if (!list)
    return read_key(&provider->keys[0], node, place, error);
  int32_t status = INFER_OK;
  for (const inf_node *item = node->first; item && status == INFER_OK;
       item = item->next, i++) {
    inf_place here = inf_place_element(place, i);
    status = read_key(&provider->keys[i], item, &here, error);
  }
  return status;
}

static int32_t
take_variable(inf_provider_config *provider, inf_sv value, infer_error **error)
{
  const inf_provider_kind *kind = provider->kind;
  bool whole = kind->key_env && inf_environment_get(kind->key_env).len > 0;
  inf_sv name = inf_sv_from(whole ? kind->key_env : kind->key_parts_env);
  name.len = inf_sv_find(name, ' ');
  inf_place variable = inf_place_member(NULL, name);
  provider->keys = inf_calloc(1, sizeof *provider->keys);
  if (!provider->keys)
    return inf_place_no_memory(error);
  provider->key_count = 1;
  return store_secret(&provider->keys[0], value, &variable, error);
}

/* Another address of the service that the kind's key is for: of a private
 * network, or for other certificates. */
static bool
is_same_service(const inf_provider_config *provider)
{
  return inf_region_matters(provider->kind) &&
         inf_aws_region_of(inf_sv_from(provider->base_url)).len > 0;
}

/* From the kind's variables. A configured base_url gets no key that it was not
 * given by name: a key for one service must not go to another. */
static int32_t
read_variable(inf_provider_config *provider, bool own_address,
              infer_error **error)
{
  const inf_provider_kind *kind = provider->kind;
  inf_buf value;
  int32_t status = INFER_OK;
  own_address = own_address && !is_same_service(provider);
  if (!provider->auth_scheme[0])
    return INFER_OK;
  if (own_address && !provider->from_environment)
    return INFER_OK;
  inf_buf_init(&value, INF_SECRET_MAX_BYTES + 2);
  if (!inf_environment_key(kind, &value))
    status = value.status == INFER_E_TOO_LARGE
                 ? inf_error_set(error, INFER_E_CONFIG,
                                 "provider \"%s\": the key in the environment "
                                 "is too long",
                                 provider->name)
                 : inf_place_no_memory(error);
  else if (value.len > 0)
    status = take_variable(provider, inf_buf_sv(&value), error);
  else if (!own_address && kind->key_required)
    status = inf_error_set(error, INFER_E_CONFIG,
                           "provider \"%s\": no API key (set %s%sapi_key)",
                           provider->name, kind->key_env ? kind->key_env : "",
                           kind->key_env ? " or " : "");
  inf_buf_fini_secret(&value);
  return status;
}

/* Gives the provider's value to each key that has none of its own. */
static int32_t
share_text(const inf_node *node, const inf_place *place,
           inf_provider_config *provider, inf_sv name, size_t offset,
           infer_error **error)
{
  const inf_node *given = inf_node_get(node, name);
  inf_place here = inf_place_member(place, name);
  char *text = NULL;
  if (!given)
    return INFER_OK;
  int32_t status = inf_value_text(given, &here, "a string", &text, error);
  if (status == INFER_OK && !text[0])
    status = inf_place_error(&here, error, "is empty");
  for (size_t i = 0; i < provider->key_count && status == INFER_OK; i++) {
    char **field = (char **)((char *)&provider->keys[i] + offset);
    if (*field)
      continue;
    *field = inf_strndup(text, strlen(text));
    if (!*field)
      status = inf_place_no_memory(error);
  }
  inf_free(text);
  return status;
}

int32_t
inf_compile_keys(const inf_node *node, const inf_place *place,
                 inf_provider_config *provider, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("api_key"));
  bool own_address = inf_node_get(node, INF_SV("base_url")) != NULL;
  inf_place here = inf_place_member(place, INF_SV("api_key"));
  int32_t status = INFER_OK;
  if (provider->key_count > 0) /* a source of tokens: compile_credentials.h */
    status = given ? inf_place_error(&here, error,
                                     "cannot go with google_credentials or a "
                                     "token source")
                   : INFER_OK;
  else
    status = given ? read_keys(given, &here, provider, error)
                   : read_variable(provider, own_address, error);
  if (status == INFER_OK)
    status = share_text(node, place, provider, INF_SV("organization"),
                        offsetof(inf_key, organization), error);
  if (status == INFER_OK)
    status = share_text(node, place, provider, INF_SV("project"),
                        offsetof(inf_key, project), error);
  return status;
}
