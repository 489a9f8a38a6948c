/* SPDX-License-Identifier: MIT */
/* Prepares a configuration for a replay: see replay_config.h. */

#include "replay_config.h"

#include "cmd.h"
#include "load.h"
#include "sim_mem.h"

#include "base/mem.h"
#include "provider/dialect.h"
#include "wire/json_scan.h"

/* Deeper than the library takes a configuration. */
enum { json_depth = 128 };

/* What a provider loses. */
static const char *const dropped[] = {
    "headers",    "query",       "proxy",       "ca_file", "ca_pem",
    "client_key", "client_cert", "unix_socket", "resolve", "google_credentials",
};
/* What the client loses: a replay is nothing to report to a collector. */
static const char *const dropped_of_client[] = {"telemetry", "budgets_file"};

static int32_t
set(infer_config *config, const char *provider, const char *option,
    const char *json, infer_error **error)
{
  inf_buf path;
  inf_buf_init(&path, INF_SIM_BUF_MAX);
  inf_buf_appendf(&path, "providers.\"%s\".%s", provider, option);
  int32_t status = infer_config_set_json(config, inf_buf_cstr(&path), json,
                                         strlen(json), error);
  inf_buf_fini(&path);
  return status;
}

/* As many keys as there are; one where none is named. */
static void
write_keys(inf_sv keys, inf_buf *json)
{
  size_t count = inf_json_is(keys, INF_JSON_ARRAY) ? inf_json_count(keys) : 1;
  inf_buf_append_cstr(json, "[");
  for (size_t i = 0; i < count; i++) {
    inf_buf_appendf(json, "%s\"replay-%zu\"", i ? "," : "", i);
  }
  inf_buf_append_cstr(json, "]");
}

/* Its project may have stood in its credentials. */
static bool
lacks_project(inf_sv provider)
{
  inf_sv type;
  if (!inf_json_plain(inf_json_get(provider, INF_SV("type")), &type))
    return false;
  const inf_provider_kind *kind = inf_provider_kind_find(type);
  return kind && kind->base_url && strstr(kind->base_url, "{project}") &&
         inf_json_get(provider, INF_SV("project")).len == 0;
}

static int32_t
prepare_provider(infer_config *config, inf_sv provider, infer_error **error)
{
  inf_buf name, keys;
  int32_t status = INFER_OK;
  inf_buf_init(&name, INF_SIM_BUF_MAX);
  inf_buf_init(&keys, INF_SIM_BUF_MAX);
  /* A provider without a name is an error that the library tells better. */
  if (inf_json_string(inf_json_get(provider, INF_SV("name")), &name)) {
    write_keys(inf_json_get(provider, INF_SV("api_key")), &keys);
    status =
        set(config, inf_buf_cstr(&name), "api_key", inf_buf_cstr(&keys), error);
    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
      if (status == INFER_OK &&
          inf_json_get(provider, inf_sv_from(dropped[i])).len > 0) {
        status = set(config, inf_buf_cstr(&name), dropped[i], "null", error);
      }
    }
    if (status == INFER_OK && lacks_project(provider)) {
      status =
          set(config, inf_buf_cstr(&name), "project", "\"replay-1\"", error);
    }
  }
  inf_buf_fini(&name);
  inf_buf_fini(&keys);
  return status;
}

int
inf_replay_prepare(infer_config *config)
{
  char *json = NULL;
  size_t len = 0;
  inf_sv document;
  infer_error *error = NULL;
  int32_t status = infer_config_json(config, &json, &len);
  if (status == INFER_OK &&
      inf_json_parse(inf_sv_of(json, len), json_depth, &document, NULL)) {
    inf_json_iter it =
        inf_json_iter_of(inf_json_get(document, INF_SV("providers")));
    while (status == INFER_OK && inf_json_next(&it)) {
      status = prepare_provider(config, it.value, &error);
    }
  }
  if (status == INFER_OK) {
    status = infer_config_set_int(config, "threads", 0, &error);
  }
  for (size_t i = 0;
       i < sizeof(dropped_of_client) / sizeof(dropped_of_client[0]); i++) {
    if (status == INFER_OK) {
      status = infer_config_set_json(config, dropped_of_client[i], "null", 4,
                                     &error);
    }
  }
  infer_text_free(json);
  return status == INFER_OK ? 0 : inf_load_failed(error, status);
}
