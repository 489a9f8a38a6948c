/* SPDX-License-Identifier: MIT */
/* Prices of targets; see compile_price.h. */
#include "config/compile_price.h"

#include "base/mem.h"
#include "config/compile_target.h"
#include "config/values.h"

static int32_t
read_price(const inf_node *node, const inf_place *place, inf_model_price *out,
           infer_error **error)
{
  /* The same options as a target's, and their places in its struct. */
  inf_target_config target = {0};
  inf_section section = {"target", &target};
  inf_target_config_init(&target);
  if (node->name.len == 0)
    return inf_place_error(place, error, "names no model");
  int32_t status =
      inf_values_read_group(node, place, &section, INF_SV("price"), error);
  out->price = target.price;
  inf_target_config_fini(&target);
  if (status != INFER_OK)
    return status;
  out->model = inf_strndup(node->name.ptr, node->name.len);
  return out->model ? INFER_OK : inf_place_no_memory(error);
}

int32_t
inf_compile_prices(const inf_node *node, const inf_place *place,
                   inf_provider_config *provider, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("prices"));
  inf_place here = inf_place_member(place, INF_SV("prices"));
  if (!given)
    return INFER_OK;
  if (given->type != INF_JSON_OBJECT)
    return inf_value_wrong(
        inf_option_find("provider", INF_SV(""), INF_SV("prices")), given, &here,
        error);
  size_t count = inf_node_count(given), i = 0;
  if (count > INF_VALUE_MAX_ITEMS)
    return inf_place_error(&here, error, "more than %zu models",
                           INF_VALUE_MAX_ITEMS);
  if (count == 0)
    return INFER_OK;
  provider->prices = inf_calloc(count, sizeof *provider->prices);
  if (!provider->prices)
    return inf_place_no_memory(error);
  provider->price_count = count;
  int32_t status = INFER_OK;
  for (const inf_node *item = given->first; item && status == INFER_OK;
       item = item->next, i++) {
    inf_place at = inf_place_member(&here, item->name);
    status = read_price(item, &at, &provider->prices[i], error);
  }
  return status;
}

void
inf_model_prices_free(inf_model_price *prices, size_t count)
{
  for (size_t i = 0; i < count; i++)
    inf_free(prices[i].model);
  inf_free(prices);
}

static const inf_price *
find_price(const inf_provider_config *provider, const char *model)
{
  for (size_t i = 0; i < provider->price_count; i++)
    if (strcmp(provider->prices[i].model, model) == 0)
      return &provider->prices[i].price;
  return NULL;
}

void
inf_target_settle_price(inf_target_config *target)
{
  const inf_provider_config *provider = target->provider;
  const char *alias = strchr(target->name, '/') + 1;
  const char *const names[] = {alias, target->model, "*"};
  const inf_price *found = NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++)
    found = find_price(provider, names[i]);
  if (found)
    inf_price_complete(&target->price, found);
}
