/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_ANSWER_H
#define INF_TOOLS_REPLAY_ANSWER_H

#include "replay_model.h"

#include "transport/virtual.h"

/* When which part of a simulated answer comes. A token is not sent by itself:
 * the first one is, so that what is decided by it is decided in time, and those
 * after it together, as many as the model makes within gap_ns, when the last
 * one of them is made. */
typedef struct inf_replay_plan {
  uint32_t prompt_tokens, answer_tokens; /* the latter at least 1 */
  int64_t cached_tokens; /* of the prompt; -1: there is no cache */
  bool stream;           /* else all of it comes at its end */
  uint32_t broken_after; /* so many tokens come, then no more; 0: all do */
  uint64_t gap_ns;       /* above 0 */
  /* From the request to the first token, and from there to the last one. */
  uint64_t first_ns, rest_ns;
} inf_replay_plan;

/* Draws the two times. */
void inf_replay_plan_draw(inf_replay_plan *plan, const inf_replay_model *model,
                          inf_rng *rng);
/* Writes all of the answer but how it ends, which is clean unless it has been
 * set. */
void inf_replay_plan_write(const inf_replay_plan *plan,
                           inf_virtual_answer *answer);

#endif
