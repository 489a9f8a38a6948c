/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_CALL_H
#define INF_TOOLS_REPLAY_CALL_H

#include "replay_server.h"

#include "infer/infer.h"

/* The calls of a replay that are under way. Each has a place, a small number
 * that another call gets when it has ended; it stands in the prompt, so that
 * the simulated providers know whose request they have. */

typedef struct inf_replay_call {
  inf_replay_facts facts;
  uint64_t made_ns, first_ns; /* 0: no first token yet */
  size_t next_free;           /* plus 1; 0: none */
} inf_replay_call;

typedef struct inf_replay_places {
  inf_replay_call **calls;
  size_t count, cap, first_free; /* the last plus 1 */
} inf_replay_places;

/* All of its call is zero and its prefix empty. */
size_t inf_replay_place_take(inf_replay_places *places);
void inf_replay_place_give(inf_replay_places *places, size_t place);
/* NULL: nobody ever had that place. */
inf_replay_call *inf_replay_place_at(const inf_replay_places *places,
                                     uint64_t place);
void inf_replay_places_free(inf_replay_places *places);

typedef struct inf_replay_prompt {
  inf_buf text; /* room for a mark, then the words of the longest so far */
} inf_replay_prompt;

/* Adds a prompt that the library estimates at about so many tokens, as it does
 * real ones, if they are more than some ten. */
int32_t inf_replay_prompt_add(inf_replay_prompt *prompt, infer_request *request,
                              size_t place, uint32_t tokens);

#endif
