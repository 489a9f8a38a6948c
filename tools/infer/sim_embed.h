/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_EMBED_H
#define INF_TOOLS_SIM_EMBED_H

#include "sim_request.h"

/* Embeddings in OpenAI's shape. The vector of an input follows from the input
 * and the model alone, so that two providers who have the same model give the
 * same, and is of length 1. */

#define INF_SIM_EMBED_DIMENSIONS 8
/* As at OpenAI. */
#define INF_SIM_EMBED_INPUTS 2048

/* Reads the body of POST .../embeddings. NULL, or what is wrong with it. */
const char *inf_sim_embed_read(inf_sim_request *request, inf_sv body);
void inf_sim_put_embeddings(inf_buf *out, const inf_sim_request *request);

#endif
