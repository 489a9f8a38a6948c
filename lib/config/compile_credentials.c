/* SPDX-License-Identifier: MIT */
/* Sources of tokens; see compile_credentials.h. A service account is checked
 * here, and kept as text: it is read again for each exchange, once an hour, so
 * that its key is in one place that can be wiped, also in a forked child. */
#include "config/compile_credentials.h"

#include "base/mem.h"
#include "config/hash.h"
#include "config/region.h"
#include "config/secrets.h"
#include "config/values.h"
#include "provider/jwt.h"
#include "wire/json_scan.h"

enum { max_depth = 16, why_max_bytes = 512 };

static const char variable_name[] = "GOOGLE_APPLICATION_CREDENTIALS";

static int32_t
add_key(inf_provider_config *provider, inf_key_source source,
        infer_error **error)
{
  provider->keys = inf_calloc(1, sizeof *provider->keys);
  if (!provider->keys)
    return inf_place_no_memory(error);
  provider->key_count = 1;
  provider->keys[0].source = source;
  return INFER_OK;
}

/* ---- Google -------------------------------------------------------------- */

/* A variable holds the path, as Google's own libraries have it, or the JSON. */
static int32_t
read_text(inf_sv spec, const inf_place *place, inf_buf *out,
          infer_error **error)
{
  inf_buf path;
  int32_t status = inf_secret_read(spec, place, out, error);
  if (status != INFER_OK || inf_sv_starts_with(spec, INF_SV("file:")) ||
      inf_sv_starts_with(inf_sv_trim(inf_buf_sv(out)), INF_SV("{")))
    return status;
  inf_buf_init(&path, INF_SECRET_MAX_BYTES + 8);
  inf_buf_append_cstr(&path, "file:");
  inf_buf_append_sv(&path, inf_buf_sv(out));
  inf_buf_clear(out);
  status = path.status == INFER_OK
               ? inf_secret_read(inf_buf_sv(&path), place, out, error)
               : inf_place_no_memory(error);
  inf_buf_fini_secret(&path);
  return status;
}

static int32_t
check_account(inf_key *key, inf_sv json, const inf_place *place,
              infer_error **error)
{
  inf_jwt_account account;
  inf_buf why;
  inf_buf_init(&why, why_max_bytes);
  int32_t status = inf_jwt_account_read(&account, json, &why);
  if (status == INFER_OK) {
    key->token_uri = inf_buf_take(&account.token_uri, NULL);
    if (!key->token_uri)
      status = inf_place_no_memory(error);
  } else if (status == INFER_E_NO_MEMORY) {
    inf_place_no_memory(error);
  } else {
    status = inf_place_error(place, error, "%s", inf_buf_cstr(&why));
  }
  inf_jwt_account_fini(&account);
  inf_buf_fini(&why);
  return status;
}

static int32_t
take_account(inf_provider_config *provider, inf_sv spec, const inf_place *place,
             infer_error **error)
{
  inf_buf text;
  int32_t status = add_key(provider, INF_KEY_GOOGLE, error);
  if (status != INFER_OK)
    return status;
  inf_key *key = &provider->keys[0];
  inf_buf_init(&text, INF_SECRET_MAX_BYTES + 2);
  inf_buf_reserve(&text, INF_SECRET_MAX_BYTES + 1);
  status = read_text(spec, place, &text, error);
  if (status == INFER_OK)
    status = check_account(key, inf_buf_sv(&text), place, error);
  if (status == INFER_OK) {
    key->account = inf_strndup(text.ptr, text.len);
    key->account_len = key->account ? text.len : 0;
    key->fingerprint = inf_fnv1a(INF_FNV_START, inf_buf_sv(&text));
    if (!key->account)
      status = inf_place_no_memory(error);
  }
  inf_buf_fini_secret(&text);
  return status;
}

static int32_t
take_node(inf_provider_config *provider, const inf_node *node,
          const inf_place *place, infer_error **error)
{
  inf_buf spec;
  if (node->type != INF_JSON_STRING)
    return inf_value_wrong(
        inf_option_find("provider", INF_SV(""), INF_SV("google_credentials")),
        node, place, error);
  if (node->text.len > INF_SECRET_MAX_BYTES)
    return inf_place_error(place, error, "longer than %zu bytes",
                           INF_SECRET_MAX_BYTES);
  inf_buf_init(&spec, INF_SECRET_MAX_BYTES + 2);
  inf_buf_reserve(&spec, node->text.len);
  int32_t status = inf_node_string(node, &spec)
                       ? take_account(provider, inf_buf_sv(&spec), place, error)
                       : inf_place_no_memory(error);
  inf_buf_fini_secret(&spec);
  return status;
}

/* ---- All ----------------------------------------------------------------- */

static const inf_token_source *
source_of(const inf_provider_config *provider)
{
  const inf_token_source *source = provider->token_sources;
  while (source &&
         (!provider->name || strcmp(source->provider, provider->name) != 0))
    source = source->next;
  return source;
}

/* Another function, or other data of it, is another credential. */
static int32_t
take_callback(inf_provider_config *provider, const inf_token_source *source,
              infer_error **error)
{
  int32_t status = add_key(provider, INF_KEY_CALLBACK, error);
  if (status != INFER_OK)
    return status;
  inf_key *key = &provider->keys[0];
  key->hook = source->hook;
  key->fingerprint =
      inf_fnv1a(INF_FNV_START, inf_sv_of((const char *)&source->hook.fn,
                                         sizeof source->hook.fn));
  key->fingerprint = inf_fnv1a(key->fingerprint,
                               inf_sv_of((const char *)&source->hook.user_data,
                                         sizeof source->hook.user_data));
  return INFER_OK;
}

int32_t
inf_compile_credentials(const inf_node *node, const inf_place *place,
                        inf_provider_config *provider, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("google_credentials"));
  const inf_token_source *source = source_of(provider);
  inf_place here = inf_place_member(place, INF_SV("google_credentials"));
  inf_place variable = inf_place_member(NULL, inf_sv_from(variable_name));
  if (given && source)
    return inf_place_error(&here, error, "cannot go with a token source");
  if (given)
    return take_node(provider, given, &here, error);
  if (source)
    return take_callback(provider, source, error);
  inf_sv path = inf_environment_get(variable_name);
  if (path.len == 0 || !inf_region_is_google(provider->kind) ||
      inf_node_get(node, INF_SV("api_key")) ||
      inf_node_get(node, INF_SV("base_url")))
    return INFER_OK;
  return take_account(provider, INF_SV("env:GOOGLE_APPLICATION_CREDENTIALS"),
                      &variable, error);
}

/* ---- The project --------------------------------------------------------- */

/* It becomes a part of an address. Old ones are "example.com:name". */
static bool
is_project(inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' &&
        c != ':')
      return false;
  }
  return text.len > 0 && text.len < 128;
}

static void
read_own_project(const inf_provider_config *provider, inf_buf *out)
{
  inf_sv value, text;
  const inf_key *key = provider->key_count > 0 ? &provider->keys[0] : NULL;
  if (key && key->account &&
      inf_json_parse(inf_sv_of(key->account, key->account_len), max_depth,
                     &value, NULL) &&
      inf_json_plain(inf_json_get(value, INF_SV("project_id")), &text))
    inf_buf_append_sv(out, text);
  if (out->len == 0)
    inf_buf_append_sv(out, inf_environment_get("GOOGLE_CLOUD_PROJECT"));
}

int32_t
inf_compile_project(const inf_node *node, const inf_place *place,
                    const inf_provider_config *provider, inf_buf *out,
                    infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("project"));
  inf_place here = inf_place_member(place, INF_SV("project"));
  char *text = NULL;
  if (!inf_region_is_google(provider->kind))
    return INFER_OK;
  if (given) {
    int32_t status = inf_value_text(given, &here, "a string", &text, error);
    if (status != INFER_OK)
      return status;
    inf_buf_append_cstr(out, text);
    inf_free(text);
  } else {
    read_own_project(provider, out);
  }
  if (out->status != INFER_OK)
    return inf_place_no_memory(error);
  if (out->len == 0)
    return inf_error_set(error, INFER_E_CONFIG,
                         "provider \"%s\": no project (set "
                         "GOOGLE_CLOUD_PROJECT or project)",
                         provider->name);
  return is_project(inf_buf_sv(out))
             ? INFER_OK
             : inf_place_error(&here, error,
                               "expected a project, as in \"my-project-1\"");
}
