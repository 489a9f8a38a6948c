/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_HEDGE_BUDGET_H
#define INF_POLICY_HEDGE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* What hedges may cost: a share of what completed calls have cost, and no more
 * at any moment.
 *
 * Each call that ends well pays in its share (0.05 of what its answer cost). A
 * hedge claims what it may cost before it is sent, in the one operation that
 * also asks whether it is there; when its race is over the claim is settled
 * with what the loser cost. So at any moment
 *
 *   claimed + settled <= share * paid for completed calls,
 *
 * unless a loser turns out to have cost more than was claimed: then the balance
 * is negative, and no hedge is sent until that is made up for.
 *
 * The balance begins at 0 and is kept below `cap` times the mean cost of a
 * call: a quiet night saves up 20 hedges, not a thousand. Nothing comes with
 * time: a client that does nothing earns nothing, and failed calls do not
 * either, so an outage is not paid for.
 *
 * What is paid into a full budget is lost: a random walk without a drift would
 * lose 2.5 % with a cap of 20. So those who spend are told how full the budget
 * is, and ask for more by it.
 *
 * Costs are in one unit of the caller's for each budget: nano-dollars, or
 * tokens where no price is known; below 0 they count as 0, above 10^15 as that.
 * One thread at a time: the loop's. */

typedef struct inf_hedge_budget {
  int64_t share_ppm;   /* of the cost of completed calls, in millionths */
  int64_t cap;         /* in mean costs of a call */
  int64_t balance;     /* what may be claimed; below 0: a debt */
  int64_t rest;        /* of the last payment, in millionths of the unit */
  int64_t mean_cost;   /* of completed calls; 0: none yet */
  int64_t mean_64ths;  /* the same, finer: small costs would move nothing */
  uint64_t mean_count; /* calls that it is the mean of, at most 64 */
  /* Counters, for telemetry; they stay at INT64_MAX. */
  int64_t paid_in, settled; /* cost of completed calls; of losers */
  uint64_t granted, denied, refunded;
} inf_hedge_budget;

/* What one hedge holds. Zeroed: nothing. */
typedef struct inf_hedge_claim {
  inf_hedge_budget *budget;
  int64_t amount;
} inf_hedge_claim;

/* share: 0.05, at most 1. */
void inf_hedge_budget_init(inf_hedge_budget *budget, double share);
/* A call has ended well; cost: of the answer that was delivered. */
void inf_hedge_budget_complete(inf_hedge_budget *budget, int64_t cost);
/* Takes the cost, or nothing and returns false. cost: the most that the losing
 * leg will cost. */
bool inf_hedge_budget_claim(inf_hedge_budget *budget, inf_hedge_claim *claim,
                            int64_t cost);
/* The race is over; cost: of the leg that lost. Only the first call for a claim
 * has an effect, of this and the next function together. */
void inf_hedge_budget_settle(inf_hedge_claim *claim, int64_t cost);
/* The hedge was not sent after all. */
void inf_hedge_budget_refund(inf_hedge_claim *claim);
/* How full it is, 0 to 1. */
double inf_hedge_budget_level(const inf_hedge_budget *budget);

#endif
