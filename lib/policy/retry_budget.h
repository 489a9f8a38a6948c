/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_RETRY_BUDGET_H
#define INF_POLICY_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* The retry budget: how many attempts beyond the first of a call may be made,
 * so that retries cannot become a storm. One for each client and one for each
 * target; a retry, a failover or a hedge takes from both or from neither.
 *
 * It is funded by successes. Where each request deposits, whatever becomes of
 * it, an outage is multiplied by 1 + ratio for as long as it lasts; funded by
 * successes, an outage gets what the balance held at its beginning and no
 * more: amplification over 100 s at 100 requests/s is 1.0035 instead of 1.1.
 *
 * Amounts are hundredths of an attempt. Each success deposits `ratio` up to
 * `cap`. A retry on the same target costs 100: it comes on top of what the
 * service was asked anyway. It must also leave `reserve` untouched: it loads a
 * target that has just failed. A failover costs `failover`, which is `ratio`:
 * one that succeeds pays for itself, so a healthy target takes over all calls
 * of one that fails, while failovers that fail end when the balance does. So
 * does a hedge, whose number its own budget limits (hedge_budget.h). From a
 * full budget: 5 retries, or 175 failovers that fail.
 *
 * There is no minimum by time (Finagle has 10 in a second). 10 in a second
 * are 0.1 attempts per call for ever at 100 requests/s; one in a minute is
 * nothing to a busy client, but doubles the load of ten thousand idle ones.
 * And nothing needs it: a call's first attempt is never charged, so the first
 * successes after an outage bring the budget back by themselves. */

typedef struct inf_retry_budget_params {
  int32_t ratio;    /* deposited by each success; 0: what is there must do */
  int32_t cap;      /* the largest balance, and the first one */
  int32_t reserve;  /* kept from retries on the same target */
  int32_t failover; /* price of a failover; that of the others is 100 */
} inf_retry_budget_params;

/* For the extra attempts of calls. */
extern const inf_retry_budget_params inf_retry_budget_defaults;
/* For probes that are duplicates (breaker.h): one per client. */
extern const inf_retry_budget_params inf_probe_budget_defaults;

typedef struct inf_retry_budget {
  const inf_retry_budget_params *params; /* may be exchanged at any time */
  int32_t balance;
  /* Counters, for telemetry. */
  uint64_t granted, denied, refunded;
} inf_retry_budget;

/* Full, so that the first calls of a program may retry. */
void inf_retry_budget_init(inf_retry_budget *budget,
                           const inf_retry_budget_params *params);
/* An attempt has ended well: once for the client, once for its target. */
void inf_retry_budget_succeed(inf_retry_budget *budget);

typedef enum inf_retry_budget_use {
  INF_RETRY_BUDGET_STAY,     /* the same target again, with any key */
  INF_RETRY_BUDGET_FAILOVER, /* another target; a hedge */
  INF_RETRY_BUDGET_EXTRA,    /* a probe */
} inf_retry_budget_use;

/* What one extra attempt holds of two budgets. Zeroed: nothing. */
typedef struct inf_retry_claim {
  inf_retry_budget *client, *target;
  int32_t client_price, target_price;
} inf_retry_claim;

/* Takes one attempt from both budgets, or nothing. Either may be NULL: there
 * is no such budget. target: of the attempt that is to be made. Returns NULL
 * if it was granted, else a static text that says which budget is empty. */
const char *inf_retry_budget_claim(inf_retry_claim *claim,
                                   inf_retry_budget *client,
                                   inf_retry_budget *target,
                                   inf_retry_budget_use use);
/* What inf_retry_budget_claim() would return; nothing is taken. */
const char *inf_retry_budget_look(const inf_retry_budget *client,
                                  const inf_retry_budget *target,
                                  inf_retry_budget_use use);
/* The attempt has been sent: nothing is given back any more. */
void inf_retry_budget_spend(inf_retry_claim *claim);
/* The attempt will not be sent: gives back, once, what is held. */
void inf_retry_budget_refund(inf_retry_claim *claim);

#endif
