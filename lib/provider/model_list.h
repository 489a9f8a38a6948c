/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_MODEL_LIST_H
#define INF_PROVIDER_MODEL_LIST_H

#include "provider/dialect.h"

/* Lists of models: where they are, page by page, and what stands in them. */

/* More pages are not asked for: the longest list known (a router's, 2026) has
 * some hundred entries, and a page of any of these services holds as many. */
#define INF_MODEL_LIST_MAX_PAGES 50

/* The address of the page that is to be asked for, and what is sent with it.
 * INFER_E_UNSUPPORTED if the kind has no list. */
int32_t inf_model_list_write(const inf_send *send, inf_wire_request *out);

/* What dialects and kinds have as next_models. */
inf_next_models inf_anthropic_next_models, inf_gemini_next_models,
    inf_cohere_next_models, inf_cloudflare_next_models;
/* After the models themselves come the inference profiles, by which most of
 * them are asked. */
inf_next_models inf_bedrock_next_models;
/* The kind's, or its dialect's. */
bool inf_model_list_next(const inf_send *send, inf_sv body, inf_buf *page);
/* The address that lists, of the address that runs models. */
void inf_bedrock_list_base(inf_sv base_url, inf_buf *out);

/* The array of entries in a checked body; the empty view: it has none. */
inf_sv inf_model_list_entries(inf_sv body);
/* Appends the name under which the model of an entry is asked for; nothing if
 * it tells none. */
void inf_model_list_name(const inf_provider_kind *kind, inf_sv entry,
                         inf_buf *name);

#endif
