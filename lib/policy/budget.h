/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_BUDGET_H
#define INF_POLICY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* What may be spent in a day or a month, in nano-dollars and in tokens.
 *
 * Before it is sent an attempt reserves the most that it is expected to cost,
 * and at its end that is settled by what it did cost, in the period in which it
 * ends. Something fits while
 *
 *   spent + reserved + what is asked for <= limit
 *
 * so that attempts under way at the same time cannot pass the limit together.
 * They pass it only by what their reservations were too low, those of the
 * attempts under way: spent <= limit + sum of (cost - reservation) over them.
 * What costs nothing always fits.
 *
 * Where the clock is set meanwhile, to a period of which less is left, those
 * under way may pass the limit of that one by what they cost.
 *
 * Periods. A day or month begins at midnight UTC, or so many minutes from it.
 * Each has an account of its own, of which the two latest are kept, so a clock
 * that is set chooses the account and changes none:
 *   - set forth, it begins a later period; its true one is found again when it
 *     is set back, with all that was spent in it;
 *   - set back to a period before the two, it gets no fresh account: the
 *     earlier of the two goes on (also when a machine begins in 1970);
 *   - between the two it begins an account for the period, and drops the
 *     earlier one. So no clock makes a period begin twice, unless it is set
 *     forth twice, further each time, and back; then the earlier of the two
 *     goes on until the clock has come there.
 *
 * A store (a file) has a copy, which several processes may share: each adds
 * what it has spent since it last saw it. Pure: no clock, no I/O. Zeroed memory
 * is a budget of which nothing is spent. Sums saturate. */

typedef enum inf_budget_period {
  INF_BUDGET_DAY,
  INF_BUDGET_MONTH,
} inf_budget_period;

typedef struct inf_budget_amount {
  int64_t nano_usd, tokens; /* 0 or more */
} inf_budget_amount;

typedef struct inf_budget_rule {
  inf_budget_amount limit; /* below 0: not limited */
  int64_t warn;            /* share in millionths at which to warn; 0: never */
  int32_t period;          /* inf_budget_period */
  int32_t offset_minutes;  /* its midnight, east of UTC */
} inf_budget_rule;

typedef struct inf_budget_account {
  int64_t period; /* number, from 1: of the day or month in 1970; 0: none */
  inf_budget_amount spent;
  inf_budget_amount stored;  /* of it, in the store */
  inf_budget_amount writing; /* what stored becomes when the write is done */
  bool warned;
} inf_budget_account;

typedef struct inf_budget {
  inf_budget_account latest, before;
  bool goes_back; /* `before` is the one in use */
  inf_budget_amount reserved;
} inf_budget;

/* The number of the period at wall_s, seconds since 1970 in UTC. */
int64_t inf_budget_period_at(const inf_budget_rule *rule, int64_t wall_s);
/* When it begins, in such seconds. */
int64_t inf_budget_period_start(const inf_budget_rule *rule, int64_t period);

/* The account in use at that time, begun if need be. */
inf_budget_account *inf_budget_turn(inf_budget *budget,
                                    const inf_budget_rule *rule,
                                    int64_t wall_s);
bool inf_budget_fits(inf_budget *budget, const inf_budget_rule *rule,
                     int64_t wall_s, inf_budget_amount amount);
/* Whether it fits has been asked before. */
void inf_budget_reserve(inf_budget *budget, inf_budget_amount amount);
/* The end of what was reserved, and what it cost; nothing: it was not made.
 * True, once in a period, when the share is reached at which to warn. */
bool inf_budget_settle(inf_budget *budget, const inf_budget_rule *rule,
                       int64_t wall_s, inf_budget_amount reserved,
                       inf_budget_amount cost);

/* ---- The store ----------------------------------------------------------- */

/* Takes over what the store has, and adds what was spent here since. Then
 * `writing` of both accounts is what the store is to have. */
void inf_budget_merge(inf_budget *budget, const inf_budget *stored);
/* It has that now. */
void inf_budget_stored(inf_budget *budget);

#endif
