/* SPDX-License-Identifier: MIT */
/* The shares of tenants in what is limited. */
#include "config/compile_tenants.h"

#include "base/mem.h"
#include "config/options.h"
#include "config/values.h"
#include "policy/line.h"

void
inf_tenants_free(inf_config *config)
{
  for (size_t i = 0; i < config->tenant_count; i++)
    inf_free(config->tenants[i].name);
  inf_free(config->tenants);
}

static int32_t
read_tenant(const inf_node *node, const inf_place *place, inf_tenant *tenant,
            infer_error **error)
{
  int64_t weight;
  if (node->type != INF_JSON_NUMBER ||
      !inf_json_int64(node->text, false, &weight) || weight < 1 ||
      weight > INF_LINE_WEIGHT_MAX)
    return inf_place_error(place, error, "expected a whole number from 1 to %u",
                           INF_LINE_WEIGHT_MAX);
  tenant->weight = (uint32_t)weight;
  tenant->name = inf_strndup(node->name.ptr, node->name.len);
  return tenant->name ? INFER_OK : inf_place_no_memory(error);
}

int32_t
inf_compile_tenants(const inf_node *document, inf_config *config,
                    infer_error **error)
{
  static const char name[] = "tenants";
  const inf_node *given =
      document ? inf_node_get(document, inf_sv_from(name)) : NULL;
  inf_place place = inf_place_member(NULL, inf_sv_from(name));
  int32_t status = INFER_OK;
  if (!given)
    return INFER_OK;
  size_t count = inf_node_count(given);
  if (given->type != INF_JSON_OBJECT)
    return inf_value_wrong(
        inf_option_find("client", INF_SV(""), inf_sv_from(name)), given, &place,
        error);
  if (count > INF_VALUE_MAX_ITEMS)
    return inf_place_error(&place, error, "more than %zu tenants",
                           INF_VALUE_MAX_ITEMS);
  if (count == 0)
    return INFER_OK;
  config->tenants = inf_calloc(count, sizeof *config->tenants);
  if (!config->tenants)
    return inf_place_no_memory(error);
  for (const inf_node *node = given->first; node && status == INFER_OK;
       node = node->next) {
    inf_place here = inf_place_member(&place, node->name);
    status = read_tenant(node, &here, &config->tenants[config->tenant_count++],
                         error);
  }
  return status;
}
