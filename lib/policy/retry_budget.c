/* SPDX-License-Identifier: MIT */
/* The retry budget. Constants:
 *
 * Ratio 0.2: Finagle's; gRPC has 0.1. In the long run a share f of failures
 * can be retried once each if f <= ratio x (1 - f): 0.2 covers 16 % failures,
 * 0.1 only 9 %. The breaker opens for good above 11 % (where the two steps of
 * its test balance), so 0.1 would starve calls that the breaker still sends,
 * and more than 0.2 would never be used.
 *
 * Cap 35 attempts: the AWS SDKs' (500 tokens, 14 for each retry). It has to
 * cover the calls that one target's end takes down together: 100 requests/s
 * with half a second to the first content are 50 in flight.
 *
 * Reserve 30: the remaining 5 retries are all that an outage at 100 requests/s
 * gets in its first second even without a breaker: 1.05 attempts per call. */
#include "policy/retry_budget.h"

#include <stddef.h>

enum { attempt_cost = 100 };

const inf_retry_budget_params inf_retry_budget_defaults = {
    .ratio = 20,
    .cap = 3500,
    .reserve = 3000,
};

/* One duplicate for a hundred successes, ten at once: the money for probes
 * stays below 1 % of what the calls cost, however many targets are open. */
const inf_retry_budget_params inf_probe_budget_defaults = {
    .ratio = 1,
    .cap = 1000,
    .reserve = 0,
};

void
inf_retry_budget_init(inf_retry_budget *budget,
                      const inf_retry_budget_params *params)
{
  *budget = (inf_retry_budget){.params = params, .balance = params->cap};
}

static void
deposit(inf_retry_budget *budget, int32_t amount)
{
  int32_t cap = budget->params->cap;
  if (budget->balance > cap - amount)
    budget->balance = cap;
  else
    budget->balance += amount;
}

void
inf_retry_budget_succeed(inf_retry_budget *budget)
{
  deposit(budget, budget->params->ratio);
}

static bool
covers(const inf_retry_budget *budget, inf_retry_budget_use use)
{
  if (budget == NULL)
    return true;
  int32_t kept = use == INF_RETRY_BUDGET_STAY ? budget->params->reserve : 0;
  return budget->balance >= attempt_cost + kept;
}

static void
take(inf_retry_budget *budget)
{
  if (budget == NULL)
    return;
  budget->balance -= attempt_cost;
  budget->granted++;
}

static void
give_back(inf_retry_budget *budget)
{
  if (budget == NULL)
    return;
  deposit(budget, attempt_cost);
  budget->refunded++;
}

const char *
inf_retry_budget_claim(inf_retry_claim *claim, inf_retry_budget *client,
                       inf_retry_budget *target, inf_retry_budget_use use)
{
  *claim = (inf_retry_claim){NULL, NULL};
  if (!covers(client, use)) {
    client->denied++;
    return "the client's retry budget is used up";
  }
  if (!covers(target, use)) {
    target->denied++;
    return "the target's retry budget is used up";
  }
  take(client);
  take(target);
  *claim = (inf_retry_claim){client, target};
  return NULL;
}

void
inf_retry_budget_spend(inf_retry_claim *claim)
{
  *claim = (inf_retry_claim){NULL, NULL};
}

void
inf_retry_budget_refund(inf_retry_claim *claim)
{
  give_back(claim->client);
  give_back(claim->target);
  inf_retry_budget_spend(claim);
}
