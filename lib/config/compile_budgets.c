/* SPDX-License-Identifier: MIT */
/* What may be spent; see compile_budgets.h. */
#include "config/compile_budgets.h"

#include "base/mem.h"
#include "config/values.h"

enum { nano_per_micro = 1000 };

void
inf_budgets_config_free(inf_config *config)
{
  for (size_t i = 0; i < config->budget_count; i++) {
    inf_free(config->budgets[i].name);
    inf_free(config->budgets[i].per);
  }
  inf_free(config->budgets);
  inf_free(config->budgets_file);
}

static int32_t
check_name(const inf_config *config, const inf_budget_config *budget,
           const inf_place *place, infer_error **error)
{
  enum { longest = 64 };
  inf_place here = inf_place_member(place, INF_SV("name"));
  if (!budget->name || !budget->name[0] || strlen(budget->name) > longest)
    return inf_place_error(&here, error, "expected a name of 1 to %d bytes",
                           longest);
  for (const inf_budget_config *at = config->budgets; at != budget; at++)
    if (strcmp(at->name, budget->name) == 0)
      return inf_place_error(&here, error, "\"%s\" is there twice",
                             budget->name);
  return INFER_OK;
}

static int32_t
check_per(inf_budget_config *budget, const inf_place *place,
          infer_error **error)
{
  static const char *const words[] = {"client", "route", "tenant", "tag:"};
  inf_place here = inf_place_member(place, INF_SV("per"));
  inf_sv per = inf_sv_from(budget->per ? budget->per : "client");
  for (int i = 0; i < INF_BUDGET_PER_TAG; i++)
    if (inf_sv_eq(per, inf_sv_from(words[i]))) {
      budget->kind = i;
      return INFER_OK;
    }
  budget->kind = INF_BUDGET_PER_TAG;
  if (inf_sv_starts_with(per, INF_SV("tag:")) && per.len > 4)
    return INFER_OK;
  return inf_place_error(&here, error,
                         "expected \"client\", \"route\", \"tenant\" or "
                         "\"tag:NAME\", got \"%.100s\"",
                         budget->per);
}

static int32_t
read_budget(const inf_node *node, const inf_place *place,
            const inf_config *config, inf_budget_config *budget,
            infer_error **error)
{
  inf_section section = {"budget", budget};
  inf_values_default(&section);
  int32_t status = inf_values_read(node, place, &section, 1, "", error);
  if (status == INFER_OK)
    status = check_name(config, budget, place, error);
  if (status == INFER_OK)
    status = check_per(budget, place, error);
  if (status != INFER_OK)
    return status;
  if (budget->usd < 0 && budget->tokens < 0)
    return inf_place_error(place, error,
                           "says no limit: give \"usd\" or \"tokens\"");
  budget->rule = (inf_budget_rule){
      .limit = {budget->usd < 0 ? -1 : budget->usd * nano_per_micro,
                budget->tokens},
      .warn = budget->warn,
      .period = budget->period,
      .offset_minutes = (int32_t)budget->utc_offset_minutes,
  };
  return INFER_OK;
}

static int32_t
read_list(const inf_node *given, inf_config *config, infer_error **error)
{
  inf_place place = inf_place_member(NULL, INF_SV("budgets"));
  size_t count = inf_node_count(given);
  if (given->type != INF_JSON_ARRAY)
    return inf_place_error(&place, error, "expected an array of budgets");
  if (count > INF_BUDGETS_MAX)
    return inf_place_error(&place, error, "more than %d budgets",
                           INF_BUDGETS_MAX);
  if (count == 0)
    return INFER_OK;
  config->budgets = inf_calloc(count, sizeof *config->budgets);
  if (!config->budgets)
    return inf_place_no_memory(error);
  int32_t status = INFER_OK;
  for (const inf_node *node = given->first; node && status == INFER_OK;
       node = node->next) {
    size_t index = config->budget_count++;
    inf_place here = inf_place_element(&place, index);
    if (node->type != INF_JSON_OBJECT)
      return inf_place_error(&here, error, "expected an object");
    status = read_budget(node, &here, config, &config->budgets[index], error);
  }
  return status;
}

int32_t
inf_compile_budgets(const inf_node *document, inf_config *config,
                    infer_error **error)
{
  const inf_node *list = inf_node_get(document, INF_SV("budgets"));
  const inf_node *file = inf_node_get(document, INF_SV("budgets_file"));
  inf_place place = inf_place_member(NULL, INF_SV("budgets_file"));
  int32_t status = list ? read_list(list, config, error) : INFER_OK;
  if (status == INFER_OK && file)
    status = inf_value_text(file, &place, "the path of a file",
                            &config->budgets_file, error);
  if (status == INFER_OK && config->budgets_file && !config->budgets_file[0])
    status = inf_place_error(&place, error, "expected the path of a file");
  return status;
}
