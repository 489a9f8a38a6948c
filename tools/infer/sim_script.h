/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_SCRIPT_H
#define INF_TOOLS_SIM_SCRIPT_H

#include "sim_behaviour.h"
#include "sim_limit.h"

/* A script that has been read, with the state of its rules. Reference
 * counted: an answer in progress keeps the script it began with. */

/* Every fourth: {1, UINT64_MAX, 4}; "1-5": {1, 5, 1}. */
typedef struct inf_sim_numbers {
  bool set;
  uint64_t first, last, every;
} inf_sim_numbers;

typedef struct inf_sim_when {
  inf_sim_text model, key, path;
  inf_sim_pairs header;
  int8_t stream, prefill, reused; /* -1: not asked */
  inf_sim_numbers requests;
  inf_sim_opt after_ms, until_ms;
  double probability;
} inf_sim_when;

typedef struct inf_sim_rule {
  inf_sim_text name;
  inf_sim_when when;
  inf_sim_behaviour behaviour; /* with the defaults below it */
  uint64_t seen; /* requests that met all conditions but number and chance */
} inf_sim_rule;

/* Nano-dollars for a million tokens. */
typedef struct inf_sim_price {
  inf_sv model; /* glob */
  uint64_t input, output, cached, reasoning;
} inf_sim_price;

typedef struct inf_sim_period {
  uint64_t from_ms, until_ms;
} inf_sim_period;

typedef struct inf_sim_script {
  uint32_t references;
  inf_sim_arena arena;
  inf_sim_behaviour defaults;
  /* For requests that are no completions and fall under no rule: of the
   * defaults only the key. */
  inf_sim_behaviour plain;
  inf_sim_rule *rules;
  size_t rule_count;
  const inf_sim_price *prices;
  size_t price_count;
  const inf_sim_period *down; /* ascending, apart */
  size_t down_count;
  inf_sim_texts models;
  inf_sim_opt seed;
  inf_sim_limits limits;
} inf_sim_script;

/* Reads a script. NULL with the reason in *error (appended) if it is wrong. */
inf_sim_script *inf_sim_script_read(inf_sv text, inf_buf *error);
inf_sim_script *inf_sim_script_ref(inf_sim_script *script);
/* NULL is harmless. */
void inf_sim_script_unref(inf_sim_script *script);
/* Counts and limits as if it had just been read. */
void inf_sim_script_restart(inf_sim_script *script);

/* The first price whose glob fits, or NULL. */
const inf_sim_price *inf_sim_script_price(const inf_sim_script *script,
                                          inf_sv model);

#endif
