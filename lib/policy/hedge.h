/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_HEDGE_H
#define INF_POLICY_HEDGE_H

#include "base/rng.h"
#include "policy/hedge_budget.h"
#include "policy/single_r.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a call gets a second attempt while the first one is still silent: a
 * pure machine of (state, time, random generator), one for each route. The
 * caller keeps the latency series, asks single_r.h for the plan, and races the
 * legs.
 *
 * Twice. When the first attempt is sent, inf_hedge_arm() draws whether and when
 * a hedge would come: the plan's delay with the plan's probability. The draw is
 * made then and not at the delay, so that a call without one needs no timer.
 * When the time has come and there is no content, inf_hedge_fire() asks what
 * may have changed since, and claims the cost; the first reason that speaks
 * against it is counted.
 *
 * Budget. The plan's probability is that which spends the budget if all is as
 * it was learned. It is multiplied by 1 to 1.5, and the budget for which the
 * plan is made by 0.98 to 1.17, as the balance is empty to full. An empty
 * budget that refuses a hedge loses nothing, one that is full loses what is
 * paid in: so it is kept nearer to empty.
 *
 * Cold start. Before 30 times to the first content are known there is no plan.
 * A call that waits longer than max(2 s, 4 times what connecting and headers
 * take) gets a hedge, if the budget has it.
 *
 * Slowdown. When the target of the hedge itself is slow at this moment, a hedge
 * is a second burden and no help. Each of its attempts tells whether it was
 * late, that is silent at the 90th percentile of its series; 24 late ones of
 * the last 64 are a slowdown (by chance: 1 in 10^8). It is the hedge's target
 * that counts: where that is another provider, a slowdown of the first is what
 * the hedge is for.
 *
 * Win rate. If of the last 64 hedges at most one won, one in eight is still
 * sent, to find out when that changes. A plan that helps wins more than one in
 * seven.
 *
 * A first attempt that fails is no matter of hedging: what then goes elsewhere
 * is a failover, at once, and is paid by the retry budget; the armed hedge is
 * forgotten. */

typedef struct inf_hedge_params {
  double share;          /* the percentile that is to become smaller: 0.95 */
  double budget;         /* share of the cost of calls: 0.05 */
  uint64_t min_delay_ns; /* one round trip, where it is known */
  double min_gain;       /* a plan that gains less is none: 0.005 */
} inf_hedge_params;

extern const inf_hedge_params inf_hedge_defaults;

typedef enum inf_hedge_reason {
  INF_HEDGE_YES,
  INF_HEDGE_NO_PLAN,  /* it could not help a call like this one */
  INF_HEDGE_DRAWN,    /* the draw said no */
  INF_HEDGE_RUN_ONCE, /* this call must not be sent twice */
  INF_HEDGE_NOWHERE,  /* no target may take it */
  INF_HEDGE_SLOWDOWN, /* the target that would take it is slow itself */
  INF_HEDGE_LOSES,    /* hedges hardly ever win */
  INF_HEDGE_BUDGET,   /* not enough is left */
  INF_HEDGE_REASONS,
} inf_hedge_reason;

/* One line, for the trail; static. */
const char *inf_hedge_reason_text(inf_hedge_reason reason);

/* ---- Slowdown ------------------------------------------------------------ */

/* The last 64 attempts of a target: one bit each. Zeroed: none. */
typedef struct inf_slowdown {
  uint64_t late;
} inf_slowdown;

/* Once for each attempt: when it becomes late, or at content that was not. */
void inf_slowdown_add(inf_slowdown *slowdown, bool late);
bool inf_slowdown_is(const inf_slowdown *slowdown);

/* ---- The machine --------------------------------------------------------- */

typedef struct inf_hedge {
  const inf_hedge_params *params; /* may be exchanged at any time */
  inf_single_r_plan plan;
  bool planned;
  uint64_t wins; /* of the last 64 hedges, one bit each */
  uint32_t raced;
  /* Counters, for telemetry. */
  uint64_t sent, won, lost;
  uint64_t suppressed[INF_HEDGE_REASONS];
} inf_hedge;

/* Prompts of up to 256, 512, 1024, ... 16384, and more tokens. */
uint32_t inf_hedge_bucket(uint64_t prompt_tokens);

void inf_hedge_init(inf_hedge *hedge, const inf_hedge_params *params);

/* Whether this many first contents are enough for a plan. */
bool inf_hedge_is_known(uint32_t events);
/* Makes the plan anew. The caller fills in buckets and count of the problem,
 * this the rest of it. */
void inf_hedge_plan(inf_hedge *hedge, inf_single_r_problem *problem,
                    const inf_hedge_budget *budget, inf_single_r_work *work);

/* What is known of a call. */
typedef struct inf_hedge_call {
  uint32_t bucket;       /* inf_hedge_bucket() */
  bool run_once;         /* it must not be sent twice */
  uint64_t connected_ns; /* what connecting and headers usually take; or 0 */
} inf_hedge_call;

typedef struct inf_hedge_arming {
  inf_hedge_reason reason; /* INF_HEDGE_YES: armed */
  uint64_t fire_at_ns;     /* INF_NEVER: not armed */
} inf_hedge_arming;

/* When the first attempt is sent. */
inf_hedge_arming inf_hedge_arm(inf_hedge *hedge, const inf_hedge_call *call,
                               const inf_hedge_budget *budget, uint64_t now_ns,
                               inf_rng *rng);
/* At fire_at_ns, without content so far. target: slowdown of the one that would
 * take the hedge; NULL: there is none. cost: the most that the loser will cost.
 * On INF_HEDGE_YES the claim is taken and the hedge counts as sent. */
inf_hedge_reason inf_hedge_fire(inf_hedge *hedge, inf_hedge_budget *budget,
                                const inf_slowdown *target, int64_t cost,
                                inf_hedge_claim *claim, inf_rng *rng);
/* The race of a hedge that was sent is over. Also when the caller has cancelled
 * or the first attempt failed: that is no verdict, and not called. */
void inf_hedge_end(inf_hedge *hedge, bool won);

#endif
