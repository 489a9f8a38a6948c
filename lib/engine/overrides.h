/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_OVERRIDES_H
#define INF_ENGINE_OVERRIDES_H

#include "config/config.h"

/* The request as one target gets it: another model wants another system prompt,
 * temperature or token limit. The call's own request stays as it is, for the
 * other targets. Pure. */

static inline bool
inf_overrides_any(const inf_target_config *target)
{
  return target->overrides.len > 0;
}

/* Fills out, an inf_chat_init()ed one, with the chat and what the target has
 * otherwise: members replaced, or left out where the override is null. A limit
 * of tokens, by whichever of its two names, takes the place of both. The system
 * prompt takes the place of the system and developer messages at the beginning,
 * or is put there. INFER_OK, INFER_E_NO_MEMORY, INFER_E_TOO_LARGE or
 * INFER_E_INVALID_ARGUMENT. */
int32_t inf_overrides_apply(inf_chat *out, const inf_chat *chat,
                            const inf_target_config *target);

/* The same for embeddings: the members that the provider adds to those, where
 * the request has none of that name, and then the overrides. A system prompt
 * means nothing there. */
static inline bool
inf_overrides_any_embed(const inf_target_config *target)
{
  return inf_overrides_any(target) || target->provider->embed_body.len > 0;
}
int32_t inf_overrides_apply_embed(inf_chat *out, const inf_chat *chat,
                                  const inf_target_config *target);
/* What the target is asked for as the length of a vector: JSON, borrowed; "":
 * nothing. */
inf_sv inf_overrides_dimensions(const inf_chat *chat,
                                const inf_target_config *target);

#endif
