/* SPDX-License-Identifier: MIT */
#include "policy/hedge_budget.h"

#include <stddef.h>

static const int64_t million = 1000000;
static const int64_t largest_cost = 1000000000000000;

enum { mean_of = 64, default_cap = 20 };

static int64_t
bounded(int64_t cost)
{
  if (cost < 0)
    return 0;
  return cost < largest_cost ? cost : largest_cost;
}

/* $9.2 million are INT64_MAX pico-dollars. */
static int64_t
sum_of(int64_t a, int64_t b)
{
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void
inf_hedge_budget_init(inf_hedge_budget *budget, double share)
{
  double ppm = share * (double)million;
  *budget = (inf_hedge_budget){.cap = default_cap};
  if (ppm > 0)
    budget->share_ppm = ppm < (double)million ? (int64_t)(ppm + 0.5) : million;
}

static int64_t
cap_of(const inf_hedge_budget *budget)
{
  return budget->cap * budget->mean_cost;
}

/* Adds what there is room for. */
static void
deposit(inf_hedge_budget *budget, int64_t amount)
{
  int64_t cap = cap_of(budget);
  int64_t room = budget->balance < cap ? cap - budget->balance : 0;
  budget->balance += amount < room ? amount : room;
}

void
inf_hedge_budget_complete(inf_hedge_budget *budget, int64_t cost)
{
  cost = bounded(cost);
  if (budget->mean_count < mean_of)
    budget->mean_count++;
  budget->mean_64ths +=
      (64 * cost - budget->mean_64ths) / (int64_t)budget->mean_count;
  budget->mean_cost = budget->mean_64ths / 64;
  budget->paid_in = sum_of(budget->paid_in, cost);
  /* In two parts, since a cost times a million may not fit. */
  int64_t part = cost % million * budget->share_ppm + budget->rest;
  budget->rest = part % million;
  deposit(budget, cost / million * budget->share_ppm + part / million);
}

bool
inf_hedge_budget_claim(inf_hedge_budget *budget, inf_hedge_claim *claim,
                       int64_t cost)
{
  cost = bounded(cost);
  *claim = (inf_hedge_claim){0};
  if (budget->share_ppm == 0 || budget->balance < cost) {
    budget->denied++;
    return false;
  }
  budget->balance -= cost;
  budget->granted++;
  *claim = (inf_hedge_claim){budget, cost};
  return true;
}

/* Ends the claim: of its amount `cost` is gone. */
static void
end_claim(inf_hedge_claim *claim, int64_t cost)
{
  inf_hedge_budget *budget = claim->budget;
  int64_t left = claim->amount - cost;
  *claim = (inf_hedge_claim){0};
  if (left > 0)
    deposit(budget, left);
  else
    budget->balance += left;
}

void
inf_hedge_budget_settle(inf_hedge_claim *claim, int64_t cost)
{
  if (claim->budget == NULL)
    return;
  cost = bounded(cost);
  claim->budget->settled = sum_of(claim->budget->settled, cost);
  end_claim(claim, cost);
}

void
inf_hedge_budget_refund(inf_hedge_claim *claim)
{
  if (claim->budget == NULL)
    return;
  claim->budget->refunded++;
  end_claim(claim, 0);
}

double
inf_hedge_budget_level(const inf_hedge_budget *budget)
{
  int64_t cap = cap_of(budget);
  if (budget->balance <= 0 || cap <= 0)
    return 0;
  return budget->balance < cap ? (double)budget->balance / (double)cap : 1;
}
