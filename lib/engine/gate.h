/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_GATE_H
#define INF_ENGINE_GATE_H

#include "engine/engine.h"

/* The gate before each attempt. Route and retry policy have said which target
 * is meant (call->next_target); here its breaker has its say, at the moment of
 * the send:
 *
 *   1. The target that is meant, if its breaker admits the call.
 *   2. Else the first of the others, in the route's order, that may be asked
 *      and whose breaker admits it: those that can go on from a partial answer
 *      before those that begin it anew, and those that were not asked yet
 *      before those that were. The user is served there; the first that is due
 *      for a probe gets a duplicate (probe.h). What was claimed from the
 *      budgets becomes a claim for a failover to that target.
 *   3. Else each of these as a last resort: the call itself may then be the
 *      probe, so that of targets which are all open the one that recovers first
 *      is found.
 *   4. Else a call that has made an attempt, and may make another beside the
 *      present one, waits for the next probe, or until one of the others may be
 *      asked, if its deadline allows. That uses up an attempt of its allowance.
 *   5. Else the call ends at once, with the class of what opened the breaker
 *      and the time of the next probe as retry-after. Waiting would gather
 *      a crowd that falls upon the target when it is back.
 *
 * A call that may not go elsewhere (retry.h: movable) has only the target that
 * is meant. A resend (the connection had gone stale) is no new attempt to the
 * breaker and passes. Loop only. */

/* True: the call's next_* say which attempt to start. False: the call was put
 * off, or has ended. */
bool inf_gate_open(inf_engine *engine, struct infer_call *call);
/* Gives back what the gate and the retry decision hold for an attempt that is
 * not made any more. */
void inf_gate_leave(inf_engine *engine, struct infer_call *call);

#endif
