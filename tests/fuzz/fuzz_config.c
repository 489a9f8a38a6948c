/* SPDX-License-Identifier: MIT */
/* A configuration that anybody could have written: read, checked, shown, and
 * asked for models. The first line is a path for setting an option (empty:
 * none), the rest is the document. A key that is planted in it must never be
 * shown, in the document or in an error. */
#include "fuzz/fuzz.h"

#include "config/config.h"
#include "config/tree.h"
#include "wire/utf8.h"

#include <stdlib.h>
#include <string.h>

#define PLANTED   "planted-key-5ef1"
#define MAX_BYTES ((size_t)64 << 20)

static void
check_secret(const char *text)
{
  FUZZ_CHECK(!strstr(text, PLANTED));
}

static void
check_error(infer_error *error)
{
  FUZZ_CHECK(error && infer_error_message(error)[0]);
  FUZZ_CHECK(!strchr(infer_error_message(error), '\n'));
  FUZZ_CHECK(inf_utf8_valid(inf_sv_from(infer_error_message(error))));
  check_secret(infer_error_message(error));
  infer_error_free(error);
}

static void
resolve(const inf_config *config, inf_sv model)
{
  const inf_route_config *route;
  infer_error *error = NULL;
  if (inf_config_resolve(config, model, &route, &error) != INFER_OK) {
    check_error(error);
    return;
  }
  FUZZ_CHECK(route->target_count > 0);
  for (size_t i = 0; i < route->target_count; i++)
    FUZZ_CHECK(route->targets[i].provider && route->targets[i].model[0]);
  inf_config_release_route(config, route);
}

/* What is shown reads back, and shows the same again. */
static void
show_twice(const infer_config *source)
{
  infer_config *again = NULL;
  char *first, *second;
  FUZZ_CHECK(infer_config_json(source, &first, NULL) == INFER_OK);
  check_secret(first);
  FUZZ_CHECK(infer_config_from_json(&again, first, INFER_NUL_TERMINATED,
                                    NULL) == INFER_OK);
  FUZZ_CHECK(infer_config_json(again, &second, NULL) == INFER_OK);
  FUZZ_CHECK(strcmp(first, second) == 0);
  infer_config_free(again);
  infer_text_free(first);
  infer_text_free(second);
}

/* The same document gives the same configuration. */
static void
compile(const infer_config *source, inf_sv path)
{
  inf_config *config, *again;
  infer_error *error = NULL;
  if (inf_config_compile(source, &config, &error) != INFER_OK) {
    check_error(error);
    return;
  }
  FUZZ_CHECK(inf_config_compile(source, &again, NULL) == INFER_OK);
  FUZZ_CHECK(config->hash == again->hash);
  inf_config_unref(again);
  resolve(config, path);
  resolve(config, INF_SV("house/model"));
  resolve(config, INF_SV("gpt-4o"));
  for (size_t i = 0; i < config->route_count; i++)
    resolve(config, inf_sv_from(config->routes[i].name));
  inf_config_unref(config);
}

/* A failed set changes nothing; a good one keeps the document one. */
static void
set(infer_config *source, const char *path)
{
  infer_error *error = NULL;
  (void)infer_config_set_string(source, "providers.planted.api_key", PLANTED,
                                NULL);
  if (!path[0])
    return;
  if (infer_config_set_string(source, path, "http://h/m", &error) != INFER_OK)
    check_error(error);
  if (infer_config_set_json(source, path, "[{\"name\":1.5e3}]",
                            INFER_NUL_TERMINATED, &error) != INFER_OK)
    check_error(error);
}

static void
run(const char *path, const char *json, size_t len)
{
  infer_config *source;
  infer_error *error = NULL;
  if (infer_config_from_json(&source, json, len, &error) != INFER_OK) {
    FUZZ_CHECK(error && infer_error_message(error)[0]);
    infer_error_free(error);
    return;
  }
  compile(source, inf_sv_from(path));
  show_twice(source);
  set(source, path);
  show_twice(source);
  compile(source, inf_sv_from(path));
  infer_config_free(source);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[256];
  inf_sv text = inf_sv_of((const char *)data, size);
  inf_sv line = fuzz_take_until(&text, "\n");
  if (line.len >= sizeof path || inf_sv_find(line, '\0') < line.len ||
      memmem(data, size, PLANTED, strlen(PLANTED)))
    return 0;
  if (line.len > 0)
    memcpy(path, line.ptr, line.len);
  path[line.len] = '\0';
  char *block = fuzz_block(text);
  fuzz_memory_begin();
  run(path, block, text.len);
  fuzz_memory_end(MAX_BYTES);
  free(block);
  return 0;
}
