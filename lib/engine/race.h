/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_RACE_H
#define INF_ENGINE_RACE_H

#include "engine/engine.h"
#include "engine/hedger.h"

/* The race of a call whose route hedges. Its first attempt is watched: if it
 * is silent when the drawn time has come (hedger.h), a second one is sent, the
 * hedge, to another target, with another key, or at least over another
 * connection. Each of the two is a leg. The first that has content (or answer,
 * as race_on says) wins: its events, held back until then, go to the reader,
 * and the other one is cancelled in the same turn, its tokens settled once.
 *
 *   - White space, a refusal, or an end without content decides nothing: it is
 *     held back while the other leg lives, and counts when that has failed.
 *   - A leg that fails while the other lives is no failure of the call. A hedge
 *     whose used connection had gone stale is sent once more, over a new one.
 *   - Where a whole body was asked for, its end decides.
 *   - Once the reader has seen anything there is no hedge.
 *   - A hedge takes from the limits what others leave, and is paid from the
 *     retry budget and from the route's share of the spend.
 *
 * Silence. When nothing comes from a target any more (latency.h), those that
 * wait there longer than most and may go elsewhere are not left to the draw:
 * each gets its second leg at another target at once, paid like a failover, and
 * the breaker of the silent one hears of it when that wins. Not at one that is
 * silent as well: then it is our own network.
 *
 * A call has at most one hedge, and only its first attempt is raced, wherever
 * the gate has sent it. All of this is loop only. What belongs to a race lives
 * in call->race, which is there from the first attempt's start until the call's
 * end if the route hedges. */

typedef struct inf_race {
  inf_hedge_pass pass;
  inf_hedge_ask ask;
  inf_attempt *rival;  /* the second leg, while both live */
  inf_list held_first; /* events that are held back */
  inf_list held_rival;
  uint64_t start_ns;     /* of the first attempt */
  int64_t input, output; /* tokens that an attempt is expected to take */
  size_t stale_target;
  bool stale;  /* the second leg is to be sent there once more */
  bool over;   /* decided: nothing more is raced */
  bool asked;  /* its time has come */
  bool rescue; /* sent because the target has fallen silent */
} inf_race;

/* The call's first attempt has been sent. Also watches others, whose times
 * are recorded. */
void inf_race_watch(inf_attempt *attempt);
/* When inf_race_on_time() is due; INF_NEVER: it is not. */
uint64_t inf_race_at_ns(const inf_attempt *attempt);
/* False: the attempt is gone. */
bool inf_race_on_time(inf_attempt *attempt);
/* Headers came. */
void inf_race_headers(inf_attempt *attempt);
/* Content of a watched attempt that was not yet decisive: perhaps it is now.
 * Before the delta is delivered. */
void inf_race_hear(inf_attempt *attempt, const inf_delta *delta);
/* The attempt's answer is whole. True: it has to wait for the other leg. */
bool inf_race_is_held(inf_attempt *attempt);
/* The attempt has failed, its record is closed. True: the other leg goes on,
 * and the attempt is gone. */
bool inf_race_goes_on(inf_attempt *attempt, int32_t status);
/* Of a failure that ends a race before it began, or of a success. */
void inf_race_record_end(inf_attempt *attempt, int32_t status);
/* The call's deadline: what is whole already is its answer. True: the call has
 * ended. */
bool inf_race_finish(inf_engine *engine, struct infer_call *call);
/* The call ends otherwise: closes the second leg, if there is one. */
void inf_race_abandon(struct infer_call *call, int32_t status, const char *why);
/* The call has ended. */
void inf_race_free(inf_engine *engine, struct infer_call *call);

/* The list that an attempt's events go to. */
static inline inf_list *
inf_race_list(const inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  if (!attempt->holds)
    return &call->staged;
  return call->race->rival == attempt ? &call->race->held_rival
                                      : &call->race->held_first;
}

#endif
