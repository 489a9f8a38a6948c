/* SPDX-License-Identifier: MIT */
/* What a target lacks, and what it gets otherwise than the request says. */
#include "config/compile_target.h"

#include "base/mem.h"
#include "config/values.h"
#include "wire/json_write.h"

#define OVERRIDES_MAX_BYTES ((size_t)256 << 10)

void
inf_target_config_init(inf_target_config *target)
{
  inf_section section = {"target", target};
  target->price = (inf_price)INF_PRICE_NONE;
  inf_values_default(&section);
  inf_buf_init(&target->overrides, OVERRIDES_MAX_BYTES);
}

void
inf_target_config_fini(inf_target_config *target)
{
  inf_free(target->model);
  inf_free(target->name);
  inf_free(target->system_prompt);
  inf_buf_fini(&target->overrides);
}

/* ---- From the catalogue -------------------------------------------------- */

static bool
says_price(const inf_price *price)
{
  return price->input >= 0 || price->output >= 0 || price->cache_read >= 0 ||
         price->cache_write >= 0 || price->reasoning >= 0 ||
         price->audio_input >= 0 || price->audio_output >= 0;
}

static uint32_t
bits_of(const inf_model *model, const char *traits, const uint32_t *bits)
{
  uint32_t all = 0;
  for (size_t i = 0; traits[i]; i++)
    if (inf_model_says(model, traits[i]))
      all |= bits[i];
  return all;
}

static int32_t
prefill_of(const inf_model *model)
{
  if (inf_model_says(model, 'p'))
    return INF_PREFILL_NONE;
  return inf_model_says(model, 'P') ? INF_PREFILL_ASSISTANT
                                    : INF_PREFILL_DEFAULT;
}

void
inf_target_config_complete(inf_target_config *target)
{
  static const uint32_t lacks[] = {INF_LACKS_TOOLS, INF_LACKS_VISION,
                                   INF_LACKS_JSON_SCHEMA};
  static const uint32_t manners[] = {INF_MANNERS_COMPLETION_LIMIT,
                                     INF_MANNERS_NO_SAMPLING,
                                     INF_MANNERS_NO_SAMPLING_BY_EFFORT};
  const inf_model_table *models = target->provider->models;
  inf_model model;
  if (!models || !inf_model_find(models, inf_sv_from(target->model),
                                 inf_sv_from(target->provider->region), &model))
    return;
  if (!says_price(&target->price)) {
    target->price = model.price;
    target->price_up_to_tokens = model.price_up_to_tokens;
    target->price_times_beyond = inf_model_times_beyond(&model);
  }
  if (target->context_tokens == 0)
    target->context_tokens = model.context_tokens;
  if (target->output_tokens == 0)
    target->output_tokens = model.output_tokens;
  if (!target->lacks_said)
    target->lacks = bits_of(&model, "tvs", lacks);
  target->manners = bits_of(&model, "mke", manners);
  if (target->prefill == INF_PREFILL_DEFAULT &&
      target->provider->prefill == INF_PREFILL_DEFAULT)
    target->prefill = prefill_of(&model);
}

static int32_t
read_lacks(const inf_node *node, const inf_place *place,
           inf_target_config *target, infer_error **error)
{
  const inf_option *option =
      inf_option_find("target", INF_SV(""), INF_SV("lacks"));
  if (node->type != INF_JSON_ARRAY)
    return inf_value_wrong(option, node, place, error);
  inf_option word = *option;
  word.type = INF_OPTION_ENUM;
  size_t i = 0;
  target->lacks_said = true;
  for (const inf_node *item = node->first; item; item = item->next, i++) {
    inf_place at = inf_place_element(place, i);
    int32_t index;
    int32_t status = inf_value_enum(&word, item, &at, &index, error);
    if (status != INFER_OK)
      return status;
    target->lacks |= 1u << index;
  }
  return INFER_OK;
}

/* ---- Overrides ----------------------------------------------------------- */

/* These decide what the library reads from the answer. */
static bool
is_the_requests(inf_sv name)
{
  static const char *const names[] = {"model",  "messages",       "input",
                                      "stream", "stream_options", "n"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (inf_sv_eq(name, inf_sv_from(names[i])))
      return true;
  return false;
}

static int32_t
read_system_prompt(const inf_node *node, const inf_place *place,
                   inf_target_config *target, infer_error **error)
{
  if (node->type != INF_JSON_STRING)
    return inf_place_error(place, error, "expected a string");
  target->system_prompt = inf_strndup(node->text.ptr, node->text.len);
  return target->system_prompt ? INFER_OK : inf_place_no_memory(error);
}

static int32_t
read_overrides(const inf_node *node, const inf_place *place,
               inf_target_config *target, infer_error **error)
{
  inf_buf *out = &target->overrides;
  if (node->type != INF_JSON_OBJECT)
    return inf_value_wrong(
        inf_option_find("target", INF_SV(""), INF_SV("overrides")), node, place,
        error);
  inf_json_open(out, '{');
  for (const inf_node *item = node->first; item; item = item->next) {
    inf_place here = inf_place_member(place, item->name);
    if (is_the_requests(item->name))
      return inf_place_error(&here, error,
                             "belongs to the request and cannot be given");
    if (inf_sv_eq(item->name, INF_SV("system_prompt"))) {
      int32_t status = read_system_prompt(item, &here, target, error);
      if (status != INFER_OK)
        return status;
      continue;
    }
    inf_json_key(out, item->name);
    inf_node_write(item, out);
  }
  inf_json_close(out, '}');
  if (out->status == INFER_E_NO_MEMORY)
    return inf_place_no_memory(error);
  if (out->status != INFER_OK)
    return inf_place_error(place, error, "longer than %zu bytes",
                           OVERRIDES_MAX_BYTES);
  return INFER_OK;
}

int32_t
inf_compile_target_extras(const inf_node *node, const inf_place *place,
                          inf_target_config *target, infer_error **error)
{
  const inf_node *lacks = inf_node_get(node, INF_SV("lacks"));
  const inf_node *overrides = inf_node_get(node, INF_SV("overrides"));
  int32_t status = INFER_OK;
  if (lacks) {
    inf_place here = inf_place_member(place, INF_SV("lacks"));
    status = read_lacks(lacks, &here, target, error);
  }
  if (overrides && status == INFER_OK) {
    inf_place here = inf_place_member(place, INF_SV("overrides"));
    status = read_overrides(overrides, &here, target, error);
  }
  return status;
}
