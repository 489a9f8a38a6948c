/* SPDX-License-Identifier: MIT */
/* What a request needs, and which target has it; see ability.h. */
#include "engine/ability.h"

#include "engine/prompt.h"
#include "wire/json_scan.h"

/* ---- Needs --------------------------------------------------------------- */

static bool
has_image(inf_sv content)
{
  if (inf_json_type_of(content) != INF_JSON_ARRAY)
    return false;
  inf_json_iter it = inf_json_iter_of(content);
  while (inf_json_next(&it)) {
    inf_sv type = inf_json_get(it.value, INF_SV("type"));
    if (inf_sv_eq(type, INF_SV("\"image_url\"")) ||
        inf_sv_eq(type, INF_SV("\"input_image\"")))
      return true;
  }
  return false;
}

static bool
has_images(const inf_chat *chat)
{
  if (chat->messages.len == 0)
    return false;
  /* As the inside of an array. */
  inf_json_iter it = {.at = chat->messages.ptr,
                      .end = chat->messages.ptr + chat->messages.len};
  while (inf_json_next(&it))
    if (has_image(inf_json_get(it.value, INF_SV("content"))))
      return true;
  return false;
}

uint32_t
inf_ability_needs(const struct infer_request *request)
{
  const inf_chat *chat = &request->chat;
  uint32_t needs = 0;
  if (inf_json_has_items(inf_chat_member(chat, INF_SV("tools"))) ||
      inf_json_has_items(inf_chat_member(chat, INF_SV("functions"))))
    needs |= INF_LACKS_TOOLS;
  if (has_images(chat))
    needs |= INF_LACKS_VISION;
  inf_sv format = inf_chat_member(chat, INF_SV("response_format"));
  if (inf_json_type_of(format) == INF_JSON_OBJECT &&
      inf_sv_eq(inf_json_get(format, INF_SV("type")),
                INF_SV("\"json_schema\"")))
    needs |= INF_LACKS_JSON_SCHEMA;
  return needs;
}

/* ---- Targets ------------------------------------------------------------- */

static bool
is_too_long(const struct infer_request *request, int64_t context_tokens)
{
  /* No token is shorter than a byte, nor one byte more than a token. */
  if (context_tokens == 0 ||
      request->chat.messages.len + request->chat.members.len <=
          (uint64_t)context_tokens)
    return false;
  static const inf_estimate nothing_learned;
  inf_estimate_prompt prompt;
  inf_prompt_of(&prompt, request);
  uint64_t tokens = inf_estimate_input(&nothing_learned, &prompt);
  return tokens - tokens / 4 > (uint64_t)context_tokens;
}

/* A ceiling of -1 is none, a price of -1 is not known. */
static bool
costs_too_much(int64_t price, int64_t ceiling)
{
  return ceiling >= 0 && (price < 0 || price > ceiling);
}

const char *
inf_ability_lacking(const inf_target_config *target,
                    const inf_route_config *route,
                    const struct infer_request *request)
{
  const inf_route_params *params = &route->params;
  uint32_t missing =
      target->lacks ? target->lacks & inf_ability_needs(request) : 0;
  if (missing & INF_LACKS_TOOLS)
    return "takes no tools";
  if (missing & INF_LACKS_VISION)
    return "takes no images";
  if (missing & INF_LACKS_JSON_SCHEMA)
    return "follows no JSON schema";
  if (costs_too_much(target->price.input, params->max_input_price))
    return "costs more for prompts than max_price.input, or it is not known "
           "what";
  if (costs_too_much(target->price.output, params->max_output_price))
    return "costs more for answers than max_price.output, or it is not known "
           "what";
  if (is_too_long(request, target->context_tokens))
    return "has too small a context for the prompt";
  return NULL;
}
