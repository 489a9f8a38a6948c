/* SPDX-License-Identifier: MIT */
/* The public configuration handle: a document that is built and changed, and
 * the hooks. What the document means is not looked at here; that is
 * compile.c's part, when a client is made of it. */
#include "config/builder.h"

#include "base/mem.h"
#include "config/file.h"
#include "config/path.h"
#include "config/redact.h"
#include "config/url.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

struct infer_config {
  inf_node *document; /* an object */
  inf_config_hooks hooks;
  inf_token_source *token_sources;
  inf_plugins plugins;
};

/* Enough for the largest document with every byte of it escaped. */
#define JSON_MAX_BYTES (8 * INF_TREE_MAX_BYTES)

const inf_node *
inf_config_document(const infer_config *config)
{
  return config ? config->document : NULL;
}

const inf_config_hooks *
inf_config_hooks_of(const infer_config *config)
{
  static const inf_config_hooks none;
  return config ? &config->hooks : &none;
}

const inf_token_source *
inf_config_token_sources_of(const infer_config *config)
{
  return config ? config->token_sources : NULL;
}

const inf_plugins *
inf_config_plugins(const infer_config *config)
{
  static const inf_plugins none;
  return config ? &config->plugins : &none;
}

static int32_t
bad_argument(infer_error **error, const char *what)
{
  return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "%s", what);
}

static inf_sv
text_of(const char *ptr, size_t len)
{
  return len == INFER_NUL_TERMINATED ? inf_sv_from(ptr) : inf_sv_of(ptr, len);
}

/* Takes the document over. */
static int32_t
new_with(infer_config **config, inf_node *document, infer_error **error)
{
  *config = inf_calloc(1, sizeof **config);
  if (!*config) {
    inf_node_free(document);
    return inf_place_no_memory(error);
  }
  (*config)->document = document;
  return INFER_OK;
}

int32_t
infer_config_new(infer_config **config)
{
  if (!config)
    return INFER_E_INVALID_ARGUMENT;
  *config = NULL;
  inf_node *document =
      inf_node_new(inf_sv_of(NULL, 0), INF_JSON_OBJECT, INF_SV(""));
  if (!document)
    return INFER_E_NO_MEMORY;
  return new_with(config, document, NULL);
}

static int32_t
from_text(infer_config **config, inf_sv json, infer_error **error)
{
  inf_node *document;
  int32_t status =
      inf_node_parse(json, inf_sv_of(NULL, 0), NULL, &document, error);
  if (status != INFER_OK)
    return status;
  if (document->type != INF_JSON_OBJECT) {
    inf_node_free(document);
    return inf_error_set(error, INFER_E_CONFIG,
                         "a configuration is a JSON object");
  }
  return new_with(config, document, error);
}

int32_t
infer_config_from_json(infer_config **config, const char *json, size_t len,
                       infer_error **error)
{
  if (error)
    *error = NULL;
  if (config)
    *config = NULL;
  if (!config || !json)
    return bad_argument(error, "infer_config_from_json: NULL argument");
  return from_text(config, text_of(json, len), error);
}

/* Puts the file's name before the message. */
static int32_t
in_file(const char *path, int32_t status, infer_error *cause,
        infer_error **error)
{
  if (status == INFER_E_NO_MEMORY)
    inf_place_no_memory(error);
  else
    status = inf_error_set(error, status, "%s: %s", path,
                           infer_error_message(cause));
  infer_error_free(cause);
  return status;
}

int32_t
infer_config_from_file(infer_config **config, const char *path,
                       infer_error **error)
{
  if (error)
    *error = NULL;
  if (config)
    *config = NULL;
  if (!config || !path)
    return bad_argument(error, "infer_config_from_file: NULL argument");
  inf_buf text;
  char why[INF_FILE_WHY_MAX];
  infer_error *cause = NULL;
  inf_buf_init(&text, INF_TREE_MAX_BYTES + 1);
  int32_t status =
      inf_file_read(path, INF_TREE_MAX_BYTES, INF_FILE_WAIT_MS, &text, why);
  if (status == INFER_E_IO) {
    inf_error_set(error, INFER_E_IO, "cannot read %s: %s", path, why);
  } else {
    if (status == INFER_OK)
      status = from_text(config, inf_buf_sv(&text), &cause);
    if (status != INFER_OK)
      status = in_file(path, status, cause, error);
  }
  inf_buf_fini_secret(&text);
  return status;
}

static int32_t
set_json(infer_config *config, const char *path_text, inf_sv json,
         infer_error **error)
{
  inf_path path;
  inf_node *value;
  int32_t status = inf_path_parse(inf_sv_from(path_text), &path, error);
  if (status != INFER_OK)
    return status;
  inf_place place = inf_place_member(NULL, inf_path_value_name(&path));
  if (!place.name.ptr)
    place.name = path.segments[path.count - 1];
  status =
      inf_node_parse(json, inf_path_value_name(&path), &place, &value, error);
  if (status != INFER_OK)
    return status;
  return inf_path_set(config->document, &path, value, error);
}

int32_t
infer_config_set_json(infer_config *config, const char *path, const char *json,
                      size_t len, infer_error **error)
{
  if (error)
    *error = NULL;
  if (!config || !path || !json)
    return bad_argument(error, "infer_config_set_json: NULL argument");
  return set_json(config, path, text_of(json, len), error);
}

int32_t
infer_config_set_string(infer_config *config, const char *path,
                        const char *value, infer_error **error)
{
  if (error)
    *error = NULL;
  if (!config || !path || !value)
    return bad_argument(error, "infer_config_set_string: NULL argument");
  inf_sv text = inf_sv_from(value);
  if (text.len > INF_TREE_MAX_BYTES || !inf_utf8_valid(text))
    return bad_argument(error, "infer_config_set_string: value is no UTF-8 "
                               "or longer than 4 MiB");
  inf_buf json;
  int32_t status;
  inf_buf_init(&json, 6 * text.len + 2);
  /* Reserved at once: a growing buffer would leave copies of a key behind. */
  inf_buf_reserve(&json, 6 * text.len + 2);
  inf_json_put_string(&json, text);
  if (json.status != INFER_OK)
    status = inf_place_no_memory(error);
  else
    status = set_json(config, path, inf_buf_sv(&json), error);
  inf_buf_fini_secret(&json);
  return status;
}

int32_t
infer_config_set_int(infer_config *config, const char *path, int64_t value,
                     infer_error **error)
{
  if (error)
    *error = NULL;
  if (!config || !path)
    return bad_argument(error, "infer_config_set_int: NULL argument");
  inf_buf json;
  inf_buf_init(&json, 32);
  inf_json_put_int(&json, value);
  int32_t status = json.status == INFER_OK
                       ? set_json(config, path, inf_buf_sv(&json), error)
                       : inf_place_no_memory(error);
  inf_buf_fini(&json);
  return status;
}

int32_t
infer_config_set_log(infer_config *config, int32_t level,
                     void (*fn)(int32_t level, const char *message,
                                void *user_data),
                     void *user_data)
{
  if (!config || level < 0 || level > INFER_LOG_TRACE)
    return INFER_E_INVALID_ARGUMENT;
  config->hooks.log = (inf_log){level, fn, user_data};
  return INFER_OK;
}

int32_t
infer_config_set_telemetry(
    infer_config *config,
    void (*on_attempt)(const infer_call *call, const infer_attempt *attempt,
                       void *user_data),
    void (*on_call)(const infer_call *call, const infer_response *response,
                    const infer_error *error, void *user_data),
    void *user_data)
{
  if (!config)
    return INFER_E_INVALID_ARGUMENT;
#ifdef INFER_NO_TELEMETRY
  if (on_attempt || on_call)
    return INFER_E_UNSUPPORTED;
#endif
  config->hooks.on_attempt = on_attempt;
  config->hooks.on_call = on_call;
  config->hooks.telemetry_user_data = user_data;
  return INFER_OK;
}

static void
drop_source(inf_token_source *source)
{
  inf_free(source->provider);
  inf_free(source);
}

/* A later one replaces an earlier one; fn NULL: there is none. */
int32_t
infer_config_set_token_source(infer_config *config, const char *provider,
                              void (*fn)(infer_token_request *request,
                                         void *user_data),
                              void *user_data)
{
  if (!config || !provider || !provider[0])
    return INFER_E_INVALID_ARGUMENT;
  inf_token_source **at = &config->token_sources;
  while (*at && strcmp((*at)->provider, provider) != 0)
    at = &(*at)->next;
  inf_token_source *source = *at;
  if (!fn && source) {
    *at = source->next;
    drop_source(source);
  } else if (fn && !source) {
    source = inf_calloc(1, sizeof *source);
    if (!source)
      return INFER_E_NO_MEMORY;
    source->provider = inf_strndup(provider, strlen(provider));
    if (!source->provider) {
      inf_free(source);
      return INFER_E_NO_MEMORY;
    }
    *at = source;
  }
  if (fn)
    source->hook = (inf_token_hook){fn, user_data};
  return INFER_OK;
}

/* Takes the plug-in over; what belongs to the caller only once all is well. */
static int32_t
add_type(infer_config *config, inf_plugin *plugin,
         const infer_provider_descriptor *descriptor, infer_error **error)
{
  inf_sv type = inf_sv_from(plugin->kind.type);
  const char *url = plugin->kind.base_url;
  const char *why = url ? inf_url_check_base(inf_sv_from(url)) : NULL;
  int32_t status = INFER_OK;
  plugin->descriptor.free_user_data = NULL;
  if (why)
    status = inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                           "infer_provider_descriptor.base_url: %s", why);
  else if (inf_plugins_find(&config->plugins, type))
    status = inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                           "infer_provider_descriptor.type: \"%s\" was added "
                           "before",
                           plugin->kind.type);
  if (status != INFER_OK) {
    inf_plugin_unref(plugin);
    return status;
  }
  if (inf_plugins_add(&config->plugins, plugin) != INFER_OK)
    return inf_place_no_memory(error);
  plugin->descriptor.free_user_data = descriptor->free_user_data;
  return INFER_OK;
}

int32_t
infer_config_add_provider_type(infer_config *config,
                               const infer_provider_descriptor *descriptor,
                               infer_error **error)
{
  char why[INF_PLUGIN_WHY_MAX];
  inf_plugin *plugin;
  if (error)
    *error = NULL;
  if (!config || !descriptor)
    return bad_argument(error, "infer_config_add_provider_type: NULL argument");
  int32_t status = inf_plugin_new(descriptor, &plugin, why);
  if (status == INFER_E_NO_MEMORY)
    return inf_place_no_memory(error);
  if (status != INFER_OK)
    return inf_error_set(error, status, "%s", why);
  return add_type(config, plugin, descriptor, error);
}

int32_t
infer_config_check(const infer_config *config, infer_error **error)
{
  inf_config *compiled;
  if (error)
    *error = NULL;
  if (!config)
    return bad_argument(error, "infer_config_check: NULL argument");
  int32_t status = inf_config_compile(config, &compiled, error);
  if (status == INFER_OK)
    inf_config_unref(compiled);
  return status;
}

int32_t
infer_config_json(const infer_config *config, char **json, size_t *len)
{
  if (!config || !json)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, JSON_MAX_BYTES);
  inf_redact_write(config->document, &out);
  int32_t status = out.status;
  *json = status == INFER_OK ? inf_buf_take(&out, len) : NULL;
  inf_buf_fini(&out);
  if (status == INFER_OK && !*json)
    status = INFER_E_NO_MEMORY;
  return status;
}

void
infer_config_free(infer_config *config)
{
  if (!config)
    return;
  inf_node_free(config->document);
  for (inf_token_source *source = config->token_sources, *next; source;
       source = next) {
    next = source->next;
    drop_source(source);
  }
  inf_plugins_fini(&config->plugins);
  inf_free(config);
}
