/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_MODEL_FACTS_H
#define INF_CONFIG_MODEL_FACTS_H

#include <string.h>

#include "policy/price.h"
#include "provider/dialect.h"

/* What is known of models: how much they take, what they can, what they cost.
 * Data in model_facts_*.c, one row for a model at a service. Of a model without
 * a row nothing is known, and nothing is made up. docs/models.md tells users
 * how to read it and how to change it.
 *
 * Traits are letters, each of which stands in the row or does not:
 *
 *   T t  takes tools; takes none
 *   V v  takes images; takes none
 *   S s  answers by a JSON schema; has no such answers
 *   R    reasons before it answers
 *   P p  goes on from the beginning of an answer (INF_PREFILL_ASSISTANT), where
 *        its service does not in general; refuses one
 *   m    refuses max_tokens: it has to be called max_completion_tokens
 *   k    refuses sampling: temperature, top_p, top_k, penalties, and with them
 *        log probabilities and biases
 *   e    the same where reasoning_effort is given and is not "none"
 *   g    in a geography's profile it costs ten percent more (Bedrock)
 *   3    a number at the end: a prompt beyond price_up_to_tokens costs at most
 *        so many times what the price says; none: twice
 *
 * Of T and t, V and v, S and s, P and p at most one stands; none: not known.
 * Small letters keep requests away, and so are not taken from a list where a
 * thing is merely not mentioned. */

typedef struct inf_model {
  const char *name; /* as the service calls it */
  /* Longest prompt in tokens. Where a service counts prompt and answer
   * together, and most do, the longest of both. 0: not known. */
  int32_t context_tokens;
  int32_t output_tokens; /* longest answer, less than the context; 0 */
  const char *traits;
  /* A longer prompt costs more than the price says; 0: none does. */
  int32_t price_up_to_tokens;
  inf_price price; /* in the service's default tier, not in batches */
} inf_model;

/* Where figures come from. */
typedef struct inf_model_source {
  const char *id, *where;
  const char *date; /* "2026-08-01": what they are as of */
} inf_model_source;

/* The models of one service, by name in the order of strcmp(). */
typedef struct inf_model_table {
  const char *kinds; /* types of providers, with blanks between them */
  const inf_model_source *source;
  const inf_model *models;
  size_t count;
} inf_model_table;

/* The number at the end of the traits, where it matters; else 1. */
int32_t inf_model_times_beyond(const inf_model *model);

static inline bool
inf_model_says(const inf_model *model, char trait)
{
  return strchr(model->traits, trait) != NULL;
}

/* NULL: no models of that kind are known. */
const inf_model_table *inf_model_table_of(const inf_provider_kind *kind);
/* All tables; NULL behind the last one. */
const inf_model_table *inf_model_table_at(size_t index);

/* Fills out with what is known of the model. False, with out untouched, when
 * nothing is. The first that fits:
 *
 *   its name
 *   the name without the date at its end, of a snapshot: "gpt-4o-2024-11-20",
 *     "claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929", "@default".
 *     A snapshot that is otherwise than its model has a row
 *   Bedrock: the same behind the last slash of an ARN, and without the
 *     geography of an inference profile: "us.", "eu.", "global.", ...
 *
 * What a model on Bedrock costs depends on where it runs, and rows are of the
 * United States. A profile of another geography that has no row has a price if
 * its model has the trait g; a model that is asked without a profile has one
 * if the region is in the United States, or not told ("").  */
bool inf_model_find(const inf_model_table *table, inf_sv name, inf_sv region,
                    inf_model *out);

#endif
