/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_SHAPE_H
#define INF_TOOLS_SIM_SHAPE_H

#include "sim_render.h"

/* Parts of answers that whole bodies and events share. */

/* The members before the items of "choices", with its bracket. object is the
 * value of "object". */
void inf_sim_put_shape_head(const inf_sim_render *render, inf_buf *out,
                            inf_sv object);
/* The usage object: the script's, or what was counted. */
void inf_sim_put_usage(const inf_sim_render *render, inf_buf *out);
/* ,"logprobs":{..} for the pieces in [from, to). */
void inf_sim_put_logprobs(const inf_sim_render *render,
                          const inf_sim_choice *choice, size_t from, size_t to,
                          inf_buf *out);

inf_sv inf_sim_reasoning_name(const inf_sim_render *render);
inf_sv inf_sim_finish_reason(const inf_sim_render *render,
                             const inf_sim_choice *choice);

#endif
