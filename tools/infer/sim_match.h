/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_MATCH_H
#define INF_TOOLS_SIM_MATCH_H

#include "sim_script.h"

#include "wire/headers.h"

/* Finding the rule for a request. */
typedef struct inf_sim_facts {
  inf_sv model; /* "" where there is none: GET /models */
  inf_sv path, key;
  const inf_headers *headers;
  bool chat; /* else only rules that ask for a path are tried */
  bool stream, prefill, reused;
  uint64_t since_ns; /* since the script began */
} inf_sim_facts;

/* Does text fit the pattern, where * stands for any bytes? */
bool inf_sim_glob(inf_sv pattern, inf_sv text);

/* The first rule whose conditions hold, or NULL; counts the request on each
 * rule whose conditions, number and chance aside, it met. rng decides
 * chances. Rules that reset at accept are passed over. */
inf_sim_rule *inf_sim_match(inf_sim_script *script, const inf_sim_facts *facts,
                            inf_rng *rng);
/* Is a connection that has just been accepted to be reset? */
bool inf_sim_match_accept(inf_sim_script *script, uint64_t since_ns,
                          inf_rng *rng);

/* Can the conditions be told before there is a request? */
bool inf_sim_when_before_request(const inf_sim_when *when);

#endif
