/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_FIT_H
#define INF_ENGINE_FIT_H

#include "config/config.h"

/* The request as one target's model takes it. A request is made with one model
 * in mind, and a call may come to others, for which it is worked out anew from
 * what the caller said:
 *
 *   max_tokens and max_completion_tokens above the target's output_tokens are
 *     lowered to it; neither is ever raised, or set where there was none
 *   max_tokens becomes max_completion_tokens where the model wants that
 *     (INF_MANNERS_COMPLETION_LIMIT); of both, that one stays
 *   temperature, top_p, top_k, presence_penalty and frequency_penalty are left
 *     out where the model refuses them (INF_MANNERS_NO_SAMPLING, or _BY_EFFORT
 * with an effort). What is another than the usual value is told logprobs,
 * top_logprobs and logit_bias are refused there, since the answer would lack
 * what was asked for; left out if they ask for nothing
 *
 * What the target's own overrides say, and the account's body, goes out as it
 * is: who wrote that knew the model. Pure. */

/* Is there anything to change? */
bool inf_fit_needed(const inf_chat *chat, const inf_target_config *target);
/* Changes the chat, a copy of the call's. notes: what was changed, for the log,
 * in words that follow the target's name ("max_tokens lowered from 9 to 8, no
 * temperature"). INFER_OK, INFER_E_NO_MEMORY, or INFER_E_UNSUPPORTED with a
 * line in why (may be NULL). */
int32_t inf_fit_apply(inf_chat *chat, const inf_target_config *target,
                      inf_buf *notes, inf_buf *why);

#endif
