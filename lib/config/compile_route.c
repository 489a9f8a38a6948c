/* SPDX-License-Identifier: MIT */
/* Routes: their targets, their policy, and the defaults that stand behind
 * both. */
#include "config/compile_route.h"

#include "base/mem.h"
#include "config/compile_price.h"
#include "config/compile_provider.h"
#include "config/compile_target.h"
#include "config/suggest.h"
#include "config/values.h"

#define ROUTES_MAX     10000
#define TARGETS_MAX    INF_ROUTE_MOST
#define NAME_MAX_BYTES 128

void
inf_route_config_fini(inf_route_config *route)
{
  for (size_t i = 0; i < route->target_count; i++)
    inf_target_config_fini(&route->targets[i]);
  inf_free(route->targets);
  inf_texts_free(route->require_labels, route->require_label_count);
  inf_free(route->sticky);
  inf_free(route->name);
}

int32_t
inf_effective_upstream(int32_t target, const inf_route_params *params,
                       const inf_provider_config *provider)
{
  if (provider->kind->dialect->framing == INF_FRAMING_NONE)
    return INF_UPSTREAM_UNARY;
  if (target != INF_UPSTREAM_DEFAULT)
    return target;
  if (params->upstream != INF_UPSTREAM_DEFAULT)
    return params->upstream;
  return provider->upstream;
}

int32_t
inf_effective_prefill(int32_t target, const inf_provider_config *provider)
{
  if (inf_plugin_is(provider->kind))
    return INF_PREFILL_NONE;
  if (target != INF_PREFILL_DEFAULT)
    return target;
  if (provider->prefill != INF_PREFILL_DEFAULT)
    return provider->prefill;
  return (int32_t)provider->kind->prefill;
}

uint32_t
inf_effective_lacks(uint32_t target, const inf_provider_config *provider)
{
  static const struct {
    unsigned can;
    uint32_t lacks;
  } pairs[] = {{INF_CAN_TOOLS, INF_LACKS_TOOLS},
               {INF_CAN_VISION, INF_LACKS_VISION},
               {INF_CAN_JSON_SCHEMA, INF_LACKS_JSON_SCHEMA}};
  if (!inf_plugin_is(provider->kind))
    return target;
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
    if (!(provider->kind->abilities & pairs[i].can))
      target |= pairs[i].lacks;
  return target;
}

/* ---- Policy -------------------------------------------------------------- */

static int32_t
read_failover_on(const inf_node *node, const inf_place *place,
                 inf_route_params *params, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("failover_on"));
  inf_place here = inf_place_member(place, INF_SV("failover_on"));
  const inf_option *option =
      inf_option_find("policy", INF_SV(""), INF_SV("failover_on"));
  size_t i = 0;
  if (!given)
    return INFER_OK;
  if (given->type != INF_JSON_ARRAY)
    return inf_value_wrong(option, given, &here, error);
  /* The list replaces that of the defaults. */
  params->failover_content_filter = params->failover_tls_verify = false;
  inf_option word = *option;
  word.type = INF_OPTION_ENUM;
  for (const inf_node *item = given->first; item; item = item->next, i++) {
    inf_place at = inf_place_element(&here, i);
    int32_t index;
    int32_t status = inf_value_enum(&word, item, &at, &index, error);
    if (status != INFER_OK)
      return status;
    if (index == 0)
      params->failover_content_filter = true;
    else
      params->failover_tls_verify = true;
  }
  return INFER_OK;
}

/* "hedge" without a budget has the usual one. */
static void
read_hedge(const inf_node *node, inf_route_params *params)
{
  static const int64_t usual = 50000; /* 5 % */
  const inf_node *hedge = inf_node_get(node, INF_SV("hedge"));
  if (hedge && params->hedge_budget == 0 &&
      !inf_node_get(hedge, INF_SV("budget")))
    params->hedge_budget = usual;
}

static int32_t
read_defaults(const inf_node *document, inf_route_params *params,
              infer_error **error)
{
  const inf_node *node = inf_node_get(document, INF_SV("defaults"));
  inf_place place = inf_place_member(NULL, INF_SV("defaults"));
  inf_section section = {"policy", params};
  inf_values_default(&section);
  if (!node)
    return INFER_OK;
  int32_t status = inf_values_read(node, &place, &section, 1, "", error);
  read_hedge(node, params);
  if (status == INFER_OK)
    status = read_failover_on(node, &place, params, error);
  return status;
}

static bool
says(const inf_node *node, const char *group, const char *name)
{
  const inf_node *found = node ? inf_node_get(node, inf_sv_from(group)) : NULL;
  return found && inf_node_get(found, inf_sv_from(name));
}

/* Where the fastest target is asked, another one is better than a wait. */
static void
choose_stay(const inf_node *document, const inf_node *route,
            inf_route_params *params)
{
  const inf_node *defaults = inf_node_get(document, INF_SV("defaults"));
  if (params->strategy == INF_STRATEGY_LATENCY &&
      !says(route, "stay", "retries") && !says(defaults, "stay", "retries"))
    params->stay_retries = 0;
}

static int32_t
check_sticky(const inf_route_config *route, const inf_place *place,
             infer_error **error)
{
  inf_place here = inf_place_member(place, INF_SV("sticky"));
  inf_sv sticky = inf_sv_from(route->sticky);
  if (!route->sticky || inf_sv_eq(sticky, INF_SV("tenant")))
    return INFER_OK;
  if (!inf_sv_starts_with(sticky, INF_SV("tag:")) || sticky.len == 4)
    return inf_place_error(&here, error,
                           "expected \"tenant\" or \"tag:NAME\", got "
                           "\"%.100s\"",
                           route->sticky);
  return INFER_OK;
}

/* ---- Targets ------------------------------------------------------------- */

static int32_t
unknown_provider(const inf_config *config, inf_sv name, const inf_place *place,
                 infer_error **error)
{
  char hint[INF_SUGGEST_TEXT_MAX];
  inf_suggestion nearest;
  inf_suggest_init(&nearest, name);
  for (size_t i = 0; i < config->provider_count; i++)
    inf_suggest_offer(&nearest, inf_sv_from(config->providers[i].name));
  return inf_place_error(place, error, "no provider is named \"%.*s\"%s",
                         name.len < 64 ? (int)name.len : 64, name.ptr,
                         inf_suggest_text(&nearest, hint));
}

/* From "provider/model" in target->name. */
static int32_t
find_target(const inf_config *config, inf_target_config *target,
            const inf_place *place, infer_error **error)
{
  inf_sv name = inf_sv_from(target->name);
  size_t slash = inf_sv_find(name, '/'), len;
  if (slash == 0 || slash + 1 >= name.len)
    return inf_place_error(place, error,
                           "expected \"provider/model\", got \"%.100s\"",
                           target->name);
  inf_sv provider = inf_sv_of(name.ptr, slash);
  target->provider = inf_config_provider(config, provider);
  if (!target->provider)
    return unknown_provider(config, provider, place, error);
  const char *model = inf_provider_model(
      target->provider, inf_sv_of(name.ptr + slash + 1, name.len - slash - 1),
      &len);
  target->model = inf_strndup(model, len);
  return target->model ? INFER_OK : inf_place_no_memory(error);
}

/* A string, or an object with "target". */
static int32_t
read_target(const inf_node *node, const inf_place *place,
            const inf_config *config, inf_target_config *target,
            infer_error **error)
{
  inf_section section = {"target", target};
  inf_place here = inf_place_member(place, INF_SV("target"));
  bool object = node->type == INF_JSON_OBJECT;
  inf_target_config_init(target);
  int32_t status =
      object ? inf_values_read(node, place, &section, 1, "", error)
             : inf_value_text(node, place, "\"provider/model\" or an object",
                              &target->name, error);
  if (status != INFER_OK)
    return status;
  if (!target->name)
    return inf_place_error(place, error, "has no \"target\"");
  if (object)
    status = inf_compile_target_extras(node, place, target, error);
  if (status != INFER_OK)
    return status;
  status = find_target(config, target, object ? &here : place, error);
  if (status == INFER_OK)
    inf_target_settle_price(target);
  return status;
}

static bool
has_target(const inf_route_config *route, const inf_target_config *wanted)
{
  for (const inf_target_config *t = route->targets; t != wanted; t++)
    if (t->provider == wanted->provider && strcmp(t->model, wanted->model) == 0)
      return true;
  return false;
}

static int32_t
read_targets(const inf_node *node, const inf_place *place,
             const inf_config *config, inf_route_config *route,
             infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("targets"));
  inf_place here = inf_place_member(place, INF_SV("targets"));
  if (!given)
    return inf_place_error(place, error, "has no \"targets\"");
  if (given->type != INF_JSON_ARRAY)
    return inf_value_wrong(
        inf_option_find("route", INF_SV(""), INF_SV("targets")), given, &here,
        error);
  size_t count = inf_node_count(given), i = 0;
  if (count == 0 || count > TARGETS_MAX)
    return inf_place_error(&here, error,
                           "expected between 1 and %d targets, got %zu",
                           TARGETS_MAX, count);
  route->targets = inf_calloc(count, sizeof *route->targets);
  if (!route->targets)
    return inf_place_no_memory(error);
  route->target_count = count;
  int32_t status = INFER_OK;
  for (const inf_node *item = given->first; item && status == INFER_OK;
       item = item->next, i++) {
    inf_target_config *target = &route->targets[i];
    inf_place at = inf_place_element(&here, i);
    status = read_target(item, &at, config, target, error);
    if (status == INFER_OK && has_target(route, target))
      status = inf_place_error(&at, error, "target \"%.100s\" is there twice",
                               target->name);
    if (status == INFER_OK) {
      target->upstream = inf_effective_upstream(
          target->upstream, &route->params, target->provider);
      inf_target_config_complete(target);
      target->prefill =
          inf_effective_prefill(target->prefill, target->provider);
      target->lacks = inf_effective_lacks(target->lacks, target->provider);
    }
  }
  return status;
}

/* ---- Routes -------------------------------------------------------------- */

static int32_t
read_name(inf_sv name, const inf_place *place, inf_route_config *route,
          infer_error **error)
{
  if (name.len == 0 || name.len > NAME_MAX_BYTES)
    return inf_place_error(
        place, error, "the name of a route has 1 to %d bytes", NAME_MAX_BYTES);
  if (inf_sv_find(name, '/') != name.len)
    return inf_place_error(place, error,
                           "the name of a route contains no \"/\" (it stands "
                           "between a provider and its model)");
  if (inf_has_control(name))
    return inf_place_error(place, error,
                           "the name of a route contains no control "
                           "characters");
  route->name = inf_strndup(name.ptr, name.len);
  return route->name ? INFER_OK : inf_place_no_memory(error);
}

static int32_t
read_route(const inf_node *document, const inf_node *node,
           const inf_place *place, const inf_config *config,
           inf_route_config *route, infer_error **error)
{
  inf_section sections[] = {{"route", route}, {"policy", &route->params}};
  route->params = config->defaults;
  int32_t status = read_name(node->name, place, route, error);
  if (status == INFER_OK)
    status = inf_values_read(node, place, sections, 2, "", error);
  read_hedge(node, &route->params);
  choose_stay(document, node, &route->params);
  if (status == INFER_OK)
    status = check_sticky(route, place, error);
  if (status == INFER_OK)
    status = read_failover_on(node, place, &route->params, error);
  if (status == INFER_OK)
    status = read_targets(node, place, config, route, error);
  return status;
}

int32_t
inf_compile_routes(const inf_node *document, inf_config *config,
                   infer_error **error)
{
  const inf_node *routes = inf_node_get(document, INF_SV("routes"));
  inf_place place = inf_place_member(NULL, INF_SV("routes"));
  int32_t status = read_defaults(document, &config->defaults, error);
  if (status != INFER_OK || !routes)
    return status;
  if (routes->type != INF_JSON_OBJECT)
    return inf_place_error(&place, error,
                           "expected an object: name of the route -> route");
  size_t count = inf_node_count(routes);
  if (count > ROUTES_MAX)
    return inf_place_error(&place, error, "more than %d routes", ROUTES_MAX);
  config->routes = inf_calloc(count + 1, sizeof *config->routes);
  if (!config->routes)
    return inf_place_no_memory(error);
  for (const inf_node *node = routes->first; node && status == INFER_OK;
       node = node->next) {
    if (inf_option_is_private(node->name))
      continue;
    inf_place here = inf_place_member(&place, node->name);
    inf_route_config *route = &config->routes[config->route_count++];
    status = read_route(document, node, &here, config, route, error);
  }
  return status;
}
