/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_LINE_H
#define INF_POLICY_LINE_H

#include "base/heap.h"
#include "base/list.h"

#include <stddef.h>

/* The waiting line: calls that no limiter can admit now, in the order in
 * which they are to be admitted.
 *
 * Between tenants: a weighted virtual token counter (VTC; Sheng et al.,
 * "Fairness in Serving Large Language Models", OSDI'24). A tenant's counter
 * is the service it was given, in virtual tokens, divided by its weight; the
 * tenant with the least counter of those that wait is served next. One that
 * returns after it waited for nothing is lifted to the least counter of those
 * that wait (if none waits: to that of the last which left the line), and
 * never lowered: idling earns nothing. A call is charged its estimated cost
 * when it is admitted; inf_line_charge() corrects that when it is settled.
 *
 * Within a tenant: the earliest deadline first. A call without a deadline, or
 * with a distant one, counts as due one minute after it came, so that a
 * stream of hurried ones cannot hold it up for ever.
 *
 * Bound. Let U be the greatest cost / weight of one call. As long as two
 * tenants wait, calls cost what was estimated and none is passed over, their
 * counters differ by at most U, so in any interval their services, divided by
 * their weights, differ by at most 2 U: the bound of the paper. Where the
 * corrections of one tenant's calls under way may come to D / weight, their
 * counters differ by at most U + 2 D, and the services by twice that. Proof:
 * only the least counter grows, by at most U; the least one never falls, and
 * who joins, joins between the least and the least + U. Who joins above that
 * (it left with a debt) is not served until the others have come up to it.
 * Less than U no scheduler can promise that neither idles nor interrupts.
 *
 * A call that does not fit yet. The first of the line reserves one place that
 * it may run at (`where`), the one where it fits soonest; nothing behind it
 * is admitted there before it, so it cannot starve. As GCRA says when it fits,
 * and lets through nothing larger than its burst, the wait is at most
 * burst / rate, and the bucket is never full before the call fits: no quota is
 * lost by waiting, the cheap calls behind it just come later. Letting them
 * pass would delay the call by exactly what they cost, without end. Calls
 * that may run at other places do pass.
 *
 * Bounded. A full line makes room for the tenant that has few places in it:
 * the one with the most places for its weight gives up its last call, as long
 * as it then still has no fewer than the newcomer ("buffer stealing",
 * McKenney, "Stochastic Fairness Queueing", 1990). So one tenant alone may
 * use the whole line, and a flood of one never closes it to another. A fixed
 * share would do neither.
 *
 * Forgetting. A tenant that does not wait, and whose counter is not above
 * that to which it would be lifted, is forgotten at once: nothing is lost by
 * it. The others, which were served ahead of their turn, are remembered until
 * the line has caught up; of more than INF_LINE_IDLE_MAX of them the one with
 * the least debt is forgotten. Time plays no part in it.
 *
 * The only memory taken is one block for each tenant; inf_line_push() alone
 * may fail for the want of it, and then has changed nothing. Integers only;
 * not for more than one thread. */

#define INF_LINE_CALLS_MAX   1024 /* default number of calls that may wait */
#define INF_LINE_IDLE_MAX    1024 /* remembered tenants that do not wait */
#define INF_LINE_WEIGHT_MAX  1000u
#define INF_LINE_COST_MAX    (1ull << 32) /* virtual tokens of one call */
#define INF_LINE_PATIENCE_NS (60 * 1000000000ull)
#define INF_LINE_ANYWHERE    UINT64_MAX

typedef struct inf_line_tenant inf_line_tenant;

/* Stands in the call. The caller fills it before inf_line_push(), and it
 * stays as it is until the call has left the line. */
typedef struct inf_line_entry {
  uint64_t deadline_ns; /* INF_NEVER: none */
  uint64_t where;       /* a bit for each place that it may run at: not 0 */
  uint64_t cost;        /* inf_line_cost(); 0 counts as 1 */
  /* Expected, for predictions: the mean, not what is reserved. */
  uint64_t input_tokens, output_tokens;
  /* Of the line. */
  inf_list node;
  inf_line_tenant *tenant; /* NULL: not in the line */
  uint64_t due_ns;
} inf_line_entry;

typedef struct inf_line {
  inf_heap waiting; /* tenants by counter */
  inf_heap idle;
  inf_list busy; /* the tenants that wait, in no order */
  size_t count, count_max;
  size_t idle_count;
  uint64_t left_counter; /* of the last tenant that left an empty line */
  inf_line_tenant *tenants[256];
} inf_line;

/* Virtual tokens. Output counts twice: between the limits of providers, which
 * count both alike, and their prices, which are four to five times as high for
 * output; and as in the paper. request: what a request costs by itself. 0
 * where tokens are what is scarce; where requests are limited as well, tokens
 * per minute / requests per minute; where only requests are, 1 with tokens 0.
 */
uint64_t inf_line_cost(uint64_t input_tokens, uint64_t output_tokens,
                       uint64_t request);

/* count_max 0: INF_LINE_CALLS_MAX. */
void inf_line_init(inf_line *line, size_t count_max);
/* The calls that still wait are let go. */
void inf_line_fini(inf_line *line);

/* INFER_OK; INFER_E_LIMIT: the line is full, and this tenant has its share;
 * INFER_E_NO_MEMORY. weight: 1 to INF_LINE_WEIGHT_MAX, others are clamped; a
 * new one holds for all calls of the tenant. *evicted is the call that had to
 * leave, which the caller ends with INFER_E_LIMIT, or NULL. */
int32_t inf_line_push(inf_line *line, inf_line_entry *entry, uint64_t tenant,
                      uint32_t weight, uint64_t now_ns,
                      inf_line_entry **evicted);
/* Leaves without service: cancelled, expired. Harmless when not in it. */
void inf_line_remove(inf_line *line, inf_line_entry *entry);
/* Leaves because it was admitted: the tenant is charged its cost. */
void inf_line_take(inf_line *line, inf_line_entry *entry);
/* A call of the tenant was admitted without waiting: it is charged as if it
 * had come and been taken at once. */
void inf_line_serve(inf_line *line, uint64_t tenant, uint32_t weight,
                    uint64_t cost);
/* Corrects the charge of an admitted call when it is settled: actual minus
 * estimated cost. */
void inf_line_charge(inf_line *line, uint64_t tenant, uint32_t weight,
                     int64_t delta);

static inline bool
inf_line_has(const inf_line_entry *entry)
{
  return entry->tenant != NULL;
}

/* ---- Who is next --------------------------------------------------------
 *
 *   inf_line_walk walk;
 *   entry = inf_line_first(line, &walk, open);
 *   while (entry) {
 *     if (a limiter of entry->where & walk.open admits it) {
 *       inf_line_take(line, entry);
 *       entry = inf_line_first(line, &walk, open);
 *     } else {
 *       entry = inf_line_pass(line, &walk, where it fits soonest);
 *     }
 *   }
 *
 * open: the places that can take anything now. Only calls that may run at one
 * of them are seen, and each that is passed reserves one or more, so there are
 * no more passes than places. One walk at a time; any change of the line ends
 * it. */

typedef struct inf_line_walk {
  uint64_t open; /* places that are neither closed nor reserved */
  inf_heap heap; /* the tenants that it has not seen, by counter */
  inf_line_entry *at;
  bool begun;
} inf_line_walk;

inf_line_entry *inf_line_first(inf_line *line, inf_line_walk *walk,
                               uint64_t open);
/* The call that the walk is at must wait for the places `reserve` (at least
 * one of its open ones): the next one that may run elsewhere, or NULL. */
inf_line_entry *inf_line_pass(inf_line *line, inf_line_walk *walk,
                              uint64_t reserve);

/* ---- When would it start ------------------------------------------------ */

typedef struct inf_line_ahead {
  uint64_t calls, input_tokens, output_tokens;
} inf_line_ahead;

/* What would be admitted before a call like this one (deadline, where), if
 * it came now: what has its turn earlier and can go nowhere else than this
 * one can. Less may be ahead than will be in the end, as others may still
 * come; so who cannot make the deadline by this can be refused at once. */
inf_line_ahead inf_line_look(const inf_line *line, const inf_line_entry *entry,
                             uint64_t tenant, uint32_t weight, uint64_t now_ns);

/* One limit, as GCRA knows it. start_ns: max(now, TAT) - tolerance, when its
 * first unit fits, which may be past. With several places that a call may run
 * at the caller adds up their units; units 0: there is no such limit. */
typedef struct inf_line_limit {
  int64_t start_ns;
  uint64_t units, period_ns;
} inf_line_limit;

typedef struct inf_line_pace {
  inf_line_limit requests;
  inf_line_limit tokens; /* of both kinds */
  inf_line_limit input_tokens, output_tokens;
} inf_line_pace;

/* When the call can be admitted, with `ahead` before it; INF_NEVER: beyond
 * the end of time. */
uint64_t inf_line_start_ns(const inf_line_ahead *ahead,
                           const inf_line_entry *entry,
                           const inf_line_pace *pace, uint64_t now_ns);

/* ---- For the trail and the tests ---------------------------------------- */

/* The tenant's counter, in 1/1024 virtual tokens; 0 if it is not known. */
uint64_t inf_line_counter(const inf_line *line, uint64_t tenant);
/* How many tenants are remembered. */
size_t inf_line_tenants(const inf_line *line);

#endif
