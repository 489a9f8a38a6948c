/* SPDX-License-Identifier: MIT */
/* A configuration that anybody could have written: read, checked, shown, and
 * asked for models. The first line is a path for setting an option (empty:
 * none), the rest is the document. */
#include "config/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
resolve(const inf_config *config, inf_sv model)
{
  const inf_route_config *route;
  if (inf_config_resolve(config, model, &route, NULL) == INFER_OK) {
    if (route->target_count == 0)
      abort();
    inf_config_release_route(config, route);
  }
}

/* What is shown reads back, and shows the same again. */
static void
show_twice(const infer_config *source)
{
  infer_config *again;
  char *first, *second;
  if (infer_config_json(source, &first, NULL) != INFER_OK)
    return;
  if (infer_config_from_json(&again, first, INFER_NUL_TERMINATED, NULL))
    abort();
  if (infer_config_json(again, &second, NULL) != INFER_OK)
    abort();
  if (strcmp(first, second) != 0)
    abort();
  infer_config_free(again);
  infer_text_free(first);
  infer_text_free(second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[256];
  inf_sv text = inf_sv_of((const char *)data, size);
  size_t line = inf_sv_find(text, '\n');
  inf_sv rest = inf_sv_of(text.ptr + line, size - line);
  infer_config *source;
  infer_error *error = NULL;
  inf_config *config;
  if (line >= sizeof path)
    return 0;
  if (line > 0)
    memcpy(path, text.ptr, line);
  path[line] = '\0';
  if (infer_config_from_json(&source, rest.ptr, rest.len, NULL) != INFER_OK)
    return 0;
  if (path[0])
    (void)infer_config_set_string(source, path, "http://h/m", NULL);
  show_twice(source);
  if (inf_config_compile(source, &config, &error) == INFER_OK) {
    resolve(config, inf_sv_from(path));
    resolve(config, INF_SV("house/model"));
    resolve(config, INF_SV("gpt-4o"));
    inf_config_unref(config);
  } else if (!error || !infer_error_message(error)[0]) {
    abort();
  }
  infer_error_free(error);
  infer_config_free(source);
  return 0;
}
