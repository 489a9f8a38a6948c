/* SPDX-License-Identifier: MIT */
/* Reads what the commands need before they begin. */

#include "load.h"

#include "cmd.h"
#include "out.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *
read_all(FILE *file, const char *name, size_t max, size_t *len)
{
  size_t cap = (size_t)64 << 10, used = 0;
  char *text = malloc(cap + 1);
  while (text) {
    used += fread(text + used, 1, cap - used, file);
    if (used < cap) {
      break;
    }
    if (cap > max) {
      inf_say("%s: larger than %zu bytes", name, max);
      free(text);
      return NULL;
    }
    cap *= 2;
    char *more = realloc(text, cap + 1);
    if (!more) {
      free(text);
    }
    text = more;
  }
  if (!text || ferror(file)) {
    inf_say("%s: %s", name, text ? strerror(errno) : "out of memory");
    free(text);
    return NULL;
  }
  if (used > max) {
    inf_say("%s: larger than %zu bytes", name, max);
    free(text);
    return NULL;
  }
  text[used] = '\0';
  *len = used;
  return text;
}

char *
inf_load_file(const char *path, size_t max, size_t *len)
{
  if (strcmp(path, "-") == 0) {
    return read_all(stdin, "standard input", max, len);
  }
  FILE *file = fopen(path, "rb");
  if (!file) {
    inf_say("%s: %s", path, strerror(errno));
    return NULL;
  }
  char *text = read_all(file, path, max, len);
  fclose(file);
  return text;
}

/* Writes the path of the user's own configuration; false if it is not
 * there. */
static bool
find_own_config(char *path, size_t size)
{
  const char *base = getenv("XDG_CONFIG_HOME");
  const char *home = getenv("HOME");
  int n = -1;
  if (base && base[0] == '/') {
    n = snprintf(path, size, "%s/infer/config.json", base);
  } else if (home && home[0] != '\0') {
    n = snprintf(path, size, "%s/.config/infer/config.json", home);
  }
  return n > 0 && (size_t)n < size && access(path, F_OK) == 0;
}

int
inf_load_config(const char *path, infer_config **config)
{
  char own[PATH_MAX];
  const char *variable = getenv("INFER_CONFIG");
  if (!path && variable && variable[0] != '\0') {
    path = variable;
  }
  if (!path && find_own_config(own, sizeof(own))) {
    path = own;
  }
  infer_error *error = NULL;
  int32_t status = path ? infer_config_from_file(config, path, &error)
                        : infer_config_new(config);
  if (status == INFER_OK) {
    return 0;
  }
  if (error && !strstr(infer_error_message(error), path)) {
    inf_say("%s: %s", path, infer_error_message(error));
    infer_error_free(error);
    return EXIT_CONFIG;
  }
  inf_load_failed(error, status);
  return EXIT_CONFIG;
}

int
inf_load_client(const infer_config *config, infer_client **client)
{
  infer_error *error = NULL;
  int32_t status = infer_client_new(client, config, &error);
  return status == INFER_OK ? 0 : inf_load_failed(error, status);
}

json_object *
inf_load_document(const infer_config *config)
{
  char *text = NULL;
  size_t len = 0;
  if (infer_config_json(config, &text, &len) != INFER_OK) {
    return NULL;
  }
  json_object *document = json_tokener_parse(text);
  infer_text_free(text);
  return document;
}

/* "provider/model" if the provider has exactly one model name. */
static char *
only_alias(json_object *provider)
{
  json_object *models = json_object_object_get(provider, "models");
  const char *name =
      json_object_get_string(json_object_object_get(provider, "name"));
  if (!name || !json_object_is_type(models, json_type_object) ||
      json_object_object_length(models) != 1) {
    return NULL;
  }
  json_object_iter alias;
  json_object_object_foreachC(models, alias)
  {
    size_t size = strlen(name) + strlen(alias.key) + 2;
    char *model = malloc(size);
    if (model) {
      snprintf(model, size, "%s/%s", name, alias.key);
    }
    return model;
  }
  return NULL;
}

static char *
obvious_model(json_object *routes, json_object *providers)
{
  if (json_object_is_type(routes, json_type_object) &&
      json_object_object_length(routes) == 1) {
    json_object_iter route;
    json_object_object_foreachC(routes, route)
    {
      return strdup(route.key);
    }
  }
  if (json_object_is_type(routes, json_type_object) &&
      json_object_object_length(routes) > 0) {
    return NULL;
  }
  if (json_object_is_type(providers, json_type_array) &&
      json_object_array_length(providers) == 1) {
    return only_alias(json_object_array_get_idx(providers, 0));
  }
  return NULL;
}

static void
append(char *line, size_t size, const char *name, const char *rest)
{
  size_t used = strlen(line);
  snprintf(line + used, size - used, "%s%s%s", used ? ", " : "", name, rest);
}

static void
say_choices(json_object *routes, json_object *providers)
{
  char line[2048] = "";
  if (json_object_is_type(routes, json_type_object)) {
    json_object_iter route;
    json_object_object_foreachC(routes, route)
    {
      append(line, sizeof(line), route.key, "");
    }
  }
  if (json_object_is_type(providers, json_type_array)) {
    for (size_t i = 0; i < json_object_array_length(providers); i++) {
      json_object *entry = json_object_array_get_idx(providers, i);
      const char *name =
          json_object_get_string(json_object_object_get(entry, "name"));
      append(line, sizeof(line), name ? name : "?", "/MODEL");
    }
  }
  inf_say("no model: give -m or set INFER_MODEL to one of: %s",
          line[0] ? line : "PROVIDER/MODEL, such as openai/gpt-4o-mini");
}

static char *
find_model(const infer_config *config, bool say)
{
  json_object *document = inf_load_document(config);
  json_object *routes = json_object_object_get(document, "routes");
  json_object *providers = json_object_object_get(document, "providers");
  char *model = obvious_model(routes, providers);
  if (!model && say) {
    say_choices(routes, providers);
  }
  json_object_put(document);
  return model;
}

char *
inf_load_obvious_model(const infer_config *config)
{
  return find_model(config, false);
}

char *
inf_load_only_model(const infer_config *config)
{
  return find_model(config, true);
}

int
inf_load_failed(infer_error *error, int32_t status)
{
  const char *message = infer_error_message(error);
  inf_say("%s", message[0] ? message : infer_status_text(status));
  infer_error_free(error);
  switch (status) {
  case INFER_E_CONFIG:
    return EXIT_CONFIG;
  case INFER_E_INVALID_ARGUMENT:
    return EXIT_USAGE;
  default:
    return EXIT_CALL_FAILED;
  }
}
