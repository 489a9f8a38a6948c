/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_MODEL_LIST_H
#define INF_PROVIDER_MODEL_LIST_H

#include "provider/dialect.h"

/* Lists of models: where they are, page by page, and what stands in them. */

/* More pages are not asked for: the longest list known (a router's, 2026) has
 * some hundred entries, and a page of any of these services holds as many. */
#define INF_MODEL_LIST_MAX_PAGES 50

/* The path of the page that is to be asked for. */
const char *inf_model_list_path(const inf_send *send);

/* What dialects have as next_models. */
bool inf_anthropic_next_models(const inf_send *send, inf_sv body,
                               inf_buf *page);
bool inf_gemini_next_models(const inf_send *send, inf_sv body, inf_buf *page);
bool inf_cohere_next_models(const inf_send *send, inf_sv body, inf_buf *page);
/* After the models themselves come the inference profiles, by which most of
 * them are asked. */
bool inf_bedrock_next_models(const inf_send *send, inf_sv body, inf_buf *page);
/* The address that lists, of the address that runs models. */
void inf_bedrock_list_base(inf_sv base_url, inf_buf *out);

/* The array of entries in a checked body; the empty view: it has none. */
inf_sv inf_model_list_entries(inf_sv body);
/* Appends the name under which the model of an entry is asked for; nothing if
 * it tells none. */
void inf_model_list_name(inf_sv entry, inf_buf *name);

#endif
