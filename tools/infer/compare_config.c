/* SPDX-License-Identifier: MIT */
/* Makes the routes that are measured. */

#include "compare_config.h"

#include "cmd.h"
#include "load.h"
#include "member.h"
#include "out.h"

#include <stdio.h>
#include <string.h>

/* Names that a user would hardly have. */
#define TARGET_ROUTE "infer-compare-%zu"
#define ALL_ROUTE    "infer-compare-all"

/* The user's own entry for a target of this name, with its price and what else
 * it says; NULL if no route has one. */
static json_object *
known_target(json_object *routes, const char *name)
{
  if (!json_object_is_type(routes, json_type_object)) {
    return NULL;
  }
  json_object_iter route;
  json_object_object_foreachC(routes, route)
  {
    json_object *targets = inf_member(route.val, "targets");
    size_t count = json_object_is_type(targets, json_type_array)
                       ? json_object_array_length(targets)
                       : 0;
    for (size_t i = 0; i < count; i++) {
      json_object *target = json_object_array_get_idx(targets, i);
      const char *own = json_object_get_string(inf_member(target, "target"));
      if (own && strcmp(own, name) == 0) {
        return target;
      }
    }
  }
  return NULL;
}

static json_object *
target_entry(json_object *routes, const char *name)
{
  json_object *known = known_target(routes, name);
  return known ? json_object_get(known) : json_object_new_string(name);
}

static int
set_route(infer_config *config, const char *name, json_object *route)
{
  char path[128];
  snprintf(path, sizeof(path), "routes.%s", name);
  infer_error *error = NULL;
  int32_t status = infer_config_set_json(
      config, path,
      json_object_to_json_string_ext(route, JSON_C_TO_STRING_PLAIN),
      INFER_NUL_TERMINATED, &error);
  json_object_put(route);
  return status == INFER_OK ? 0 : inf_load_failed(error, status);
}

static json_object *
new_route(const char *rest)
{
  json_object *route = json_tokener_parse(rest);
  json_object_object_add(route, "targets", json_object_new_array());
  return route;
}

static int
add_target(infer_config *config, json_object *routes, const char *name,
           const char *route_name)
{
  json_object *route =
      new_route("{\"retries\":0,\"stay\":{\"retries\":0},\"breaker\":false,"
                "\"retry_budget\":false,\"hedge\":{\"budget\":0},"
                "\"strategy\":\"order\",\"recovery\":\"error\"}");
  json_object_array_add(inf_member(route, "targets"),
                        target_entry(routes, name));
  return set_route(config, route_name, route);
}

static int
add_route_of_all(infer_config *config, json_object *routes,
                 const inf_cmp_data *data)
{
  json_object *route = new_route(
      "{\"strategy\":\"latency\",\"hedge\":{\"budget\":" INF_CMP_HEDGE_BUDGET
      "}}");
  for (size_t i = 0; i < data->subject_count; i++) {
    if (!data->subjects[i].is_route) {
      json_object_array_add(inf_member(route, "targets"),
                            target_entry(routes, data->subjects[i].name));
    }
  }
  return set_route(config, ALL_ROUTE, route);
}

static int
add_subject(infer_config *config, json_object *routes, const char *name,
            inf_cmp_data *data, char *model, size_t model_size)
{
  size_t number = data->subject_count;
  bool is_route = inf_member(routes, name) != NULL;
  if (!is_route && !strchr(name, '/')) {
    inf_say("%s is neither a route of the configuration nor provider/model",
            name);
    return EXIT_USAGE;
  }
  if (is_route && strlen(name) >= model_size) {
    inf_say("the route's name is too long: %s", name);
    return EXIT_USAGE;
  }
  if (!inf_cmp_data_subject(data, name, is_route, false)) {
    inf_say("out of memory");
    return EXIT_CALL_FAILED;
  }
  if (is_route) {
    snprintf(model, model_size, "%s", name);
    return 0;
  }
  snprintf(model, model_size, TARGET_ROUTE, number + 1);
  return add_target(config, routes, name, model);
}

static size_t
count_targets(const inf_cmp_data *data)
{
  size_t count = 0;
  for (size_t i = 0; i < data->subject_count; i++) {
    count += !data->subjects[i].is_route;
  }
  return count;
}

int
inf_cmp_config_subjects(const inf_cmp_args *args, infer_config *config,
                        inf_cmp_data *data, char (*models)[64])
{
  json_object *document = inf_load_document(config);
  json_object *routes = inf_member(document, "routes");
  int code = 0;
  for (size_t i = 0; i < args->target_count && code == 0; i++) {
    code = add_subject(config, routes, args->targets[i], data, models[i],
                       sizeof(models[i]));
  }
  size_t all = data->subject_count;
  if (code == 0 && !args->no_route && count_targets(data) > 1) {
    code = add_route_of_all(config, routes, data);
    if (code == 0 && !inf_cmp_data_subject(data, "route of all", true, true)) {
      inf_say("out of memory");
      code = EXIT_CALL_FAILED;
    }
    snprintf(models[all], sizeof(models[all]), "%s", ALL_ROUTE);
  }
  json_object_put(document);
  return code;
}
