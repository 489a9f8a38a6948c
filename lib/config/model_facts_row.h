/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_MODEL_FACTS_ROW_H
#define INF_CONFIG_MODEL_FACTS_ROW_H

#include "config/model_facts.h"

/* How the tables of models are written; for them alone. */

#define NO (-1) /* a price that is not known, or not told apart */
/* From dollars for a million tokens, with at most six places: what a double
 * lacks is less than 0.4 of the last one. */
#define USD(dollars) \
  ((dollars) < 0 ? (int64_t)INF_PRICE_UNKNOWN : (int64_t)((dollars)*1e6 + 0.4))
/* Input, output, input read from a cache, written to it. */
#define USD4(in, out, read, write) USD7(in, out, read, write, NO, NO, NO)
/* And reasoning, audio in, audio out. */
#define USD7(in, out, read, write, think, hear, speak)               \
  {                                                                  \
    USD(in), USD(out), USD(read), USD(write), USD(think), USD(hear), \
        USD(speak)                                                   \
  }

#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

extern const inf_model_source inf_model_source_list;

extern const inf_model_table inf_models_openai[], inf_models_makers[],
    inf_models_bedrock[], inf_models_services[], inf_models_hosts[],
    inf_models_gateways[];
extern const size_t inf_models_openai_count, inf_models_makers_count,
    inf_models_bedrock_count, inf_models_services_count, inf_models_hosts_count,
    inf_models_gateways_count;

#endif
