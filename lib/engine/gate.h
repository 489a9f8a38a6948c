/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_GATE_H
#define INF_ENGINE_GATE_H

#include "engine/engine.h"

/* The gate before each attempt. Route and retry policy have said which target
 * is meant (call->next_target); here its breaker and its limits have their say,
 * at the moment of the send:
 *
 *   1. The target that is meant, if its breaker admits the call and a key's
 *      limits let it through (meter.h).
 *   2. If only limits hold it back there, and for no longer than
 *      stay.max_wait_ms, the call waits for them (waiting.h).
 *   3. Else the first of the others, in the route's order, that may be asked
 *      and is open in both ways: those that can go on from a partial answer
 *      before those that begin it anew, and those that were not asked yet
 *      before those that were. The user is served there; the first that is due
 *      for a probe gets a duplicate (probe.h). What was claimed from the
 *      budgets becomes a claim for a failover to that target.
 *   4. Else, if limits are what holds the call back anywhere, it waits for the
 *      first of them, at all of these targets; it is refused at once if that is
 *      too late for its deadline, or can never be.
 *   5. Else each of these as a last resort: the call itself may then be the
 *      probe, so that of targets which are all open the one that recovers first
 *      is found.
 *   6. Else a call that has made an attempt, and may make another beside the
 *      present one, waits for the next probe, or until one of the others may be
 *      asked, if its deadline allows. That uses up an attempt of its allowance.
 *   7. Else the call ends at once, with the class of what opened the breaker
 *      and the time of the next probe as retry-after. Waiting would gather
 *      a crowd that falls upon the target when it is back.
 *
 * A call that may not go elsewhere (retry.h: movable) has only the target that
 * is meant. A resend (the connection had gone stale) is no new attempt to the
 * breaker and passes it; the limits count it like any other. Loop only. */

/* True: the call's next_*, engine->pass and engine->pass_key say which attempt
 * to start. False: the call waits, was put off, or has ended. */
bool inf_gate_open(inf_engine *engine, struct infer_call *call);

typedef struct inf_gate_answer {
  enum { INF_GATE_GO, INF_GATE_WAIT, INF_GATE_GONE } what;
  uint64_t at_ns; /* WAIT: to be asked again then, or INF_NEVER */
  uint64_t place; /* WAIT: where it fits soonest, of those that are open */
} inf_gate_answer;

/* The same for a call that stands in the line. Only the places of `open` are
 * free. GO: it is still in the line; GONE: it no longer is. */
inf_gate_answer inf_gate_again(inf_engine *engine, struct infer_call *call,
                               uint64_t open);
/* The attempt that was let through is not made. */
void inf_gate_take_back(inf_engine *engine, struct infer_call *call);
/* Gives back what the gate and the retry decision hold for an attempt that is
 * not made any more; the call leaves the line. */
void inf_gate_leave(inf_engine *engine, struct infer_call *call);

/* What the call's request costs; tokens: its prompt is read for them. */
inf_meter_cost inf_gate_cost(const struct infer_call *call, bool tokens);
/* inf_meter_reserve() for it, with the tokens counted if they are asked for. */
inf_meter_verdict inf_gate_reserve(inf_engine *engine,
                                   const struct infer_call *call, size_t target,
                                   size_t key, inf_meter_cost *cost,
                                   uint32_t keep_percent, uint64_t closed,
                                   inf_meter_pass *pass);

#endif
