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
 * cover the failovers of the calls that one target's end takes down together:
 * 100 requests/s with a second to the first content are 100 in flight.
 *
 * Reserve 30: the remaining 5 retries, and one for five calls that still
 * succeed, are all that an outage at 100 requests/s gets in its first second
 * even without a breaker: 1.05 attempts per call and little more. */
#include "policy/retry_budget.h"

#include <stddef.h>

enum { attempt_price = 100 };

const inf_retry_budget_params inf_retry_budget_defaults = {
    .ratio = 20,
    .cap = 3500,
    .reserve = 3000,
    .failover = 20,
};

/* One duplicate for a hundred successes, ten at once: the money for probes
 * stays below 1 % of what the calls cost, however many targets are open. */
const inf_retry_budget_params inf_probe_budget_defaults = {
    .ratio = 1,
    .cap = 1000,
    .reserve = 0,
    .failover = 100,
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

static int32_t
price_of(const inf_retry_budget *budget, inf_retry_budget_use use)
{
  if (budget == NULL)
    return 0;
  return use == INF_RETRY_BUDGET_FAILOVER ? budget->params->failover
                                          : attempt_price;
}

static bool
covers(const inf_retry_budget *budget, int32_t price, inf_retry_budget_use use)
{
  if (budget == NULL)
    return true;
  int32_t kept = use == INF_RETRY_BUDGET_STAY ? budget->params->reserve : 0;
  return budget->balance >= price + kept;
}

static void
take(inf_retry_budget *budget, int32_t price)
{
  if (budget == NULL)
    return;
  budget->balance -= price;
  budget->granted++;
}

static void
give_back(inf_retry_budget *budget, int32_t price)
{
  if (budget == NULL)
    return;
  deposit(budget, price);
  budget->refunded++;
}

static const char client_empty[] = "the client's retry budget is used up";
static const char target_empty[] = "the target's retry budget is used up";

const char *
inf_retry_budget_look(const inf_retry_budget *client,
                      const inf_retry_budget *target, inf_retry_budget_use use)
{
  if (!covers(client, price_of(client, use), use))
    return client_empty;
  return covers(target, price_of(target, use), use) ? NULL : target_empty;
}

const char *
inf_retry_budget_claim(inf_retry_claim *claim, inf_retry_budget *client,
                       inf_retry_budget *target, inf_retry_budget_use use)
{
  int32_t client_price = price_of(client, use);
  int32_t target_price = price_of(target, use);
  const char *why = inf_retry_budget_look(client, target, use);
  *claim = (inf_retry_claim){0};
  if (why) {
    (why == client_empty ? client : target)->denied++;
    return why;
  }
  take(client, client_price);
  take(target, target_price);
  *claim = (inf_retry_claim){client, target, client_price, target_price};
  return NULL;
}

void
inf_retry_budget_spend(inf_retry_claim *claim)
{
  *claim = (inf_retry_claim){0};
}

void
inf_retry_budget_refund(inf_retry_claim *claim)
{
  give_back(claim->client, claim->client_price);
  give_back(claim->target, claim->target_price);
  inf_retry_budget_spend(claim);
}
