/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const rule_names[RULE_KINDS] = {
    "libinfer", "optimum", "static_p95", "finagle_like", "p90_trigger",
};

static const int64_t call_cost = 1000000;

void
rule_init(rule *at, rule_kind kind, const times *of, double share,
          double budget, uint64_t seed)
{
  memset(at, 0, sizeof *at);
  at->kind = kind;
  at->share = share;
  at->budget = budget;
  inf_rng_seed(&at->rng, seed);
  at->room.cap_bytes = 1 << 20;
  inf_series_init(&at->series, &at->room);
  at->params = inf_hedge_defaults;
  at->params.share = share;
  at->params.budget = budget;
  inf_hedge_init(&at->hedge, &at->params);
  inf_hedge_budget_init(&at->money, budget);
  at->late_ns = INF_NEVER;
  if (kind == RULE_OPTIMUM)
    at->fixed = times_optimum(of, share, budget);
  if (kind == RULE_STATIC)
    at->fixed = (optimum){.delay = times_quantile(of, 0.95), .probability = 1};
  if (kind == RULE_TRIGGER90)
    at->fixed = (optimum){.delay = 0.01, .probability = 1};
  if (kind == RULE_FINAGLE)
    at->fixed = (optimum){.delay = 1e9, .probability = 1};
}

void
rule_fini(rule *at)
{
  inf_series_fini(&at->series);
}

/* ---- Shipped ------------------------------------------------------------- */

static void
plan(rule *at)
{
  if (!inf_series_is_due(&at->series))
    return;
  inf_series_read(&at->series, &at->survival);
  at->late_ns = inf_survival_quantile(&at->survival, 0.9);
  if (!inf_hedge_is_known(inf_series_events(&at->series)))
    return;
  inf_single_r_bucket bucket = {&at->survival, &at->survival, 1, 1};
  inf_single_r_problem problem = {.buckets = &bucket, .count = 1};
  inf_hedge_plan(&at->hedge, &problem, &at->money, &at->work);
}

static void
record(rule *at, double s, bool censored)
{
  uint64_t ns = (uint64_t)(s * 1e9);
  inf_slowdown_add(&at->slowdown, ns >= at->late_ns);
  if (inf_series_record(&at->series, ns, censored))
    at->slowdown = (inf_slowdown){0};
}

static double
play_shipped(rule *at, double x, double y)
{
  plan(at);
  const inf_hedge_call call = {0};
  inf_hedge_arming arming =
      inf_hedge_arm(&at->hedge, &call, &at->money, 0, &at->rng);
  double delay = (double)arming.fire_at_ns / 1e9;
  inf_hedge_claim claim;
  if (x <= delay ||
      inf_hedge_fire(&at->hedge, &at->money, &at->slowdown, call_cost, &claim,
                     &at->rng) != INF_HEDGE_YES) {
    record(at, x, false);
    inf_hedge_budget_complete(&at->money, call_cost);
    return x;
  }
  at->hedges++;
  bool won = delay + y < x;
  record(at, won ? delay + y : x, won);
  record(at, won ? y : x - delay, !won);
  inf_hedge_end(&at->hedge, won);
  inf_hedge_budget_settle(&claim, call_cost);
  inf_hedge_budget_complete(&at->money, call_cost);
  return won ? delay + y : x;
}

/* ---- Others -------------------------------------------------------------- */

/* The percentile of the times that calls took, renewed each 100 calls. */
static void
learn(rule *at, double time, double share)
{
  at->seen[at->count++ % rule_window] = time;
  if (at->count % 100 != 0)
    return;
  uint32_t count = at->count < rule_window ? at->count : rule_window;
  double sorted[rule_window];
  memcpy(sorted, at->seen, sizeof sorted);
  at->fixed.delay = percentile_of(sorted, count, share);
}

/* Whether this rule's budget grants a hedge; cap 10 (Finagle: what 10 s of
 * requests have paid, here 1000). */
static bool
take_token(rule *at)
{
  if (at->kind == RULE_STATIC || at->kind == RULE_OPTIMUM)
    return true;
  if (at->tokens < 1)
    return false;
  at->tokens -= 1;
  return true;
}

static double
play_other(rule *at, double x, double y)
{
  double rate = at->kind == RULE_TRIGGER90 ? 0.1 : at->budget;
  double cap = at->kind == RULE_TRIGGER90 ? 10 : 1000 * at->budget;
  at->tokens = fmin(at->tokens + rate, cap);
  bool drawn = inf_rng_double(&at->rng) < at->fixed.probability;
  double time = x, delay = at->fixed.delay;
  if (x > delay && drawn && take_token(at)) {
    at->hedges++;
    time = fmin(x, delay + y);
  }
  if (at->kind == RULE_FINAGLE)
    learn(at, time, 1 - at->budget);
  if (at->kind == RULE_TRIGGER90) /* the leg that won, from its own start */
    learn(at, time < x ? time - delay : x, 0.9);
  return time;
}

double
rule_play(rule *at, double x, double y)
{
  double time =
      at->kind == RULE_SHIPPED ? play_shipped(at, x, y) : play_other(at, x, y);
  at->calls++;
  double excess = (double)at->hedges / (double)at->calls - at->budget;
  if (at->calls == 1 || excess > at->worst_excess)
    at->worst_excess = excess;
  return time;
}
