/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_CARRY_H
#define INF_ENGINE_CARRY_H

#include "engine/attempt.h"

/* What the reader of a call has of an answer that broke off, while another
 * attempt goes on with it ("recovery": "continue"). Made when that is decided;
 * it lives until the call ends or its answer starts again. An attempt that is
 * started meanwhile goes on from it. Its answer holds what it says itself and
 * is joined with what came before when it is over. Loop only. */
typedef struct inf_carry {
  inf_answer answer; /* all that came; the rest of it is the last part's */
  inf_part *parts;   /* the attempts that wrote it */
  size_t part_count;
  int64_t tokens; /* of its text */
  bool tokens_estimated;
  /* The last failure that was one of the call, and not of a prefill: with it
   * the call ends if nobody goes on. */
  int32_t status;
  size_t target;
  struct infer_attempt *record;
  inf_failure failure;
} inf_carry;

void inf_carry_free(inf_carry *carry); /* NULL is harmless */

/* Tells the retry policy which targets could go on after the attempt failed:
 * none unless the route wants it and everything so far is plain text. */
void inf_carry_mark_targets(const inf_attempt *attempt);
/* For an attempt that was to go on: notes it if its target is not to be given
 * a prefill again. True if the failure means no more than that. */
bool inf_carry_refused(inf_attempt *attempt, int32_t status);

/* The attempt failed and the next one goes on: keeps what it brought, and why
 * it ended (refused: that is of no account). False if memory is short. */
bool inf_carry_keep(inf_attempt *attempt, int32_t status, bool refused);
/* The new attempt goes on from what was kept, if anything was. */
void inf_carry_begin(inf_attempt *attempt);

/* The call's answer as its last attempt leaves it, the beginning joined; NULL
 * if memory is short. The attempt's answer is moved. */
struct infer_response *inf_carry_response(inf_attempt *attempt);
/* What has come of the answer, as a response; NULL if nothing, or if memory is
 * short. The call's attempt may be between two. */
struct infer_response *inf_carry_partial(struct infer_call *call);

#endif
