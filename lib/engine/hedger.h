/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_HEDGER_H
#define INF_ENGINE_HEDGER_H

#include "base/rng.h"
#include "engine/latency.h"
#include "policy/hedge.h"

/* Whether and when the calls of a route get a hedge: what policy/hedge.h
 * decides, kept for each route, with its budget, and for each of its targets
 * that is asked first, with its plan. A plan is made anew when a quarter of
 * what was known is new (16 to 200 times), or a reload has changed what it is
 * made for, from the times of the target and of the one that would take the
 * hedge. A prompt length of which less than 30 times are known borrows the
 * curve of the nearest.
 *
 * There are two budgets, one of money and one of tokens, since a reload may
 * give prices or take them away: what was earned in the one buys nothing in the
 * other, and what was learned of costs begins anew.
 *
 * They stand in the runtime and outlive configurations: a route is found by
 * its name, and a request that names a target directly by that. Beyond
 * INF_RUNTIME_MAX routes, and without memory, there are no hedges. All
 * functions take the runtime's lock, only the loop changes anything; a plan is
 * made under it (0.05 ms, at most 1 ms). */

typedef struct inf_hedger inf_hedger; /* lives as long as the runtime */

/* Tokens are counted as the money that they cost: pico-dollars where all prices
 * are known, else a token of the answer counts as four of the prompt, which is
 * the usual ratio of prices. */
typedef struct inf_hedge_price {
  int64_t input, output; /* for a token */
} inf_hedge_price;
int64_t inf_hedge_cost(const inf_hedge_price *price, int64_t input,
                       int64_t output);

/* Of a prompt that nobody has counted: so many bytes of its messages count as
 * one token. */
enum { INF_HEDGE_BYTES_PER_TOKEN = 4 };

/* A call that has just been sent for the first time. */
typedef struct inf_hedge_ask {
  const inf_target_config *const *targets; /* that it may go to */
  size_t count;
  size_t first; /* the one that it was sent to */
  inf_latency_kind kind;
  uint32_t bucket;
  bool run_once;
  bool priced;  /* costs are money: all targets of the route have prices */
  int64_t cost; /* the most that one of two attempts will cost if it loses */
} inf_hedge_ask;

/* What it holds. Zeroed: nothing. */
typedef struct inf_hedge_pass {
  inf_hedger *hedger;
  inf_hedge *machine; /* NULL: no hedge is possible */
  inf_hedge_budget *budget;
  inf_hedge_claim claim;
  inf_hedge_arming arming;
  uint64_t delay_ns; /* of the plan, whatever was drawn; INF_NEVER: none */
} inf_hedge_pass;

inf_hedge_pass inf_hedger_arm(inf_runtime *runtime, const char *route,
                              const inf_route_params *params,
                              const inf_hedge_ask *ask, uint64_t now_ns,
                              inf_rng *rng);
/* The targets to which the hedge might go, best first: those of other
 * providers by the median of their times, where enough of them are known, the
 * first one's own counted twice, for what is slow there may be slow again.
 * order has room for ask->count. */
void inf_hedger_order(inf_runtime *runtime, const inf_hedge_ask *ask,
                      size_t *order);
/* The first of that order, for the length of prompt that calls which begin at
 * ask->first have most often; whatever ask->bucket is. Of at most 16. */
size_t inf_hedger_usual_target(inf_runtime *runtime, const char *route,
                               const inf_hedge_ask *ask);
/* The time has come. target: that would take it, NULL if none would. */
inf_hedge_reason inf_hedger_fire(inf_runtime *runtime, inf_hedge_pass *pass,
                                 const char *target, int64_t cost,
                                 inf_rng *rng);
/* It is not to be, for a reason that others have found. */
void inf_hedger_suppress(inf_runtime *runtime, inf_hedge_pass *pass,
                         inf_hedge_reason reason);
/* It was not sent after all. */
void inf_hedger_refund(inf_runtime *runtime, inf_hedge_pass *pass);
/* The race is over: what the losing attempt cost. Only the first call has an
 * effect. */
void inf_hedger_settle(inf_runtime *runtime, inf_hedge_pass *pass,
                       int64_t cost);
/* Who won, where both were still alive. */
void inf_hedger_judge(inf_runtime *runtime, inf_hedge_pass *pass, bool won);
/* An attempt was sent elsewhere because its target has fallen silent. */
void inf_hedger_note_rescue(inf_runtime *runtime, inf_hedge_pass *pass);
/* A call has ended well; cost: of what was delivered. */
void inf_hedger_complete(inf_runtime *runtime, const inf_hedge_pass *pass,
                         int64_t cost);

/* What a call that begins at the target would meet now. */
typedef struct inf_hedge_forecast {
  bool planned;       /* false: too little is known */
  uint64_t delay_ns;  /* INF_NEVER: none is sent, it would not help */
  double probability; /* that one is sent if there is silence until then */
} inf_hedge_forecast;
/* For the dry run; route as in inf_hedger_arm(). Changes nothing. Any thread.
 */
inf_hedge_forecast inf_hedger_look(inf_runtime *runtime, const char *route,
                                   const char *target, inf_latency_kind kind,
                                   uint32_t bucket);

/* "no_plan", "drawn", ...; NULL for INF_HEDGE_YES. */
const char *inf_hedger_reason_name(inf_hedge_reason reason);

/* What has come of the hedges of a route. */
typedef struct inf_hedge_totals {
  const char *route;
  uint64_t sent, won, lost, rescues;
  uint64_t suppressed[INF_HEDGE_REASONS];
  /* The plan of the target that is asked first most often, for the length of
   * prompt that is most frequent; INF_NEVER: no hedges. */
  uint64_t delay_ns;
  double probability;
  int64_t share_ppm; /* of calls_cost, that losers_cost may come to */
  /* Both in money, or in tokens, as the last call was. */
  int64_t calls_cost;  /* of answers that were delivered */
  int64_t losers_cost; /* of attempts that lost */
} inf_hedge_totals;

/* Told one after the other, with the runtime's lock held. Any thread. */
void inf_hedgers_each(inf_runtime *runtime,
                      void (*see)(void *context,
                                  const inf_hedge_totals *totals),
                      void *context);
/* The counters of all routes, as the value of a member: an object of objects,
 * as infer_client_stats() promises them. Any thread. */
void inf_hedgers_write_json(inf_runtime *runtime, inf_buf *out);

/* runtime.c: the runtime goes. */
void inf_hedgers_free(inf_runtime *runtime);

#endif
