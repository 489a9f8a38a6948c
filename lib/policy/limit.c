/* SPDX-License-Identifier: MIT */
#include "policy/limit.h"

#include <string.h>

static inf_gcra_rate
rate_of(const inf_limit_rule *rule)
{
  uint64_t burst = rule->burst > 0 ? rule->burst : rule->limit;
  return (inf_gcra_rate){rule->limit, rule->period_ns, burst};
}

static bool
same_dimension(const inf_limit_rule *a, const inf_limit_rule *b)
{
  return a->kind == b->kind && a->period_ns == b->period_ns;
}

bool
inf_limit_rules_valid(const inf_limit_rules *rules)
{
  if (rules->count > INF_LIMIT_RULES_MAX)
    return false;
  for (size_t i = 0; i < rules->count; i++) {
    inf_gcra_rate rate = rate_of(&rules->rule[i]);
    if (!inf_gcra_rate_valid(&rate))
      return false;
    for (size_t other = 0; other < i; other++)
      if (same_dimension(&rules->rule[i], &rules->rule[other]))
        return false;
  }
  return true;
}

/* One time for all dimensions, also for those that begin later. */
static uint64_t
latest(const inf_limiter *limiter, uint64_t now_ns)
{
  return now_ns > limiter->seen_ns ? now_ns : limiter->seen_ns;
}

static uint64_t
see(inf_limiter *limiter, uint64_t now_ns)
{
  limiter->seen_ns = latest(limiter, now_ns);
  return limiter->seen_ns;
}

void
inf_limit_init(inf_limiter *limiter, const inf_limit_rules *rules)
{
  memset(limiter, 0, sizeof *limiter);
  inf_limit_reconfigure(limiter, rules, 0);
}

size_t
inf_limit_find(const inf_limiter *limiter, inf_limit_kind kind,
               uint64_t period_ns)
{
  for (size_t i = 0; i < limiter->count; i++) {
    const inf_limit_dimension *dimension = &limiter->dimension[i];
    if (dimension->kind == kind && dimension->gcra.rate.period_ns == period_ns)
      return i;
  }
  return INF_LIMIT_NONE;
}

void
inf_limit_reconfigure(inf_limiter *limiter, const inf_limit_rules *rules,
                      uint64_t now_ns)
{
  inf_limiter before = *limiter;
  now_ns = see(limiter, now_ns);
  limiter->count = rules->count;
  limiter->concurrency = rules->concurrency;
  for (size_t i = 0; i < rules->count; i++) {
    const inf_limit_rule *rule = &rules->rule[i];
    inf_limit_dimension *dimension = &limiter->dimension[i];
    inf_gcra_rate rate = rate_of(rule);
    size_t old = inf_limit_find(&before, rule->kind, rule->period_ns);
    if (old != INF_LIMIT_NONE) {
      *dimension = before.dimension[old];
      inf_gcra_set_rate(&dimension->gcra, &rate, now_ns);
    } else {
      dimension->kind = rule->kind;
      inf_gcra_init(&dimension->gcra, &rate);
    }
  }
}

static uint64_t
units_of(inf_limit_kind kind, const inf_limit_cost *cost)
{
  switch (kind) {
  case INF_LIMIT_REQUESTS:
    return cost->requests;
  case INF_LIMIT_TOKENS:
    return cost->input_tokens + cost->output_tokens;
  case INF_LIMIT_INPUT:
    return cost->input_tokens;
  case INF_LIMIT_OUTPUT:
    return cost->output_tokens;
  }
  return 0;
}

static uint64_t
bounded(uint64_t units)
{
  return units < INF_GCRA_COST_MAX / 2 ? units : INF_GCRA_COST_MAX / 2;
}

static inf_limit_cost
bounded_cost(const inf_limit_cost *cost)
{
  return (inf_limit_cost){bounded(cost->requests), bounded(cost->input_tokens),
                          bounded(cost->output_tokens)};
}

/* How many may be open if keep_percent of them are to stay free. */
static uint64_t
usable_slots(const inf_limiter *limiter, uint32_t keep_percent)
{
  if (keep_percent >= 100)
    return 0;
  return (uint64_t)limiter->concurrency * (100 - keep_percent) / 100;
}

static inf_limit_verdict
judge(const inf_limiter *limiter, const inf_limit_cost *cost,
      uint32_t keep_percent, uint64_t now_ns)
{
  inf_limit_verdict verdict = {INF_LIMIT_ADMITTED, INF_LIMIT_NONE, now_ns};
  for (size_t i = 0; i < limiter->count; i++) {
    const inf_limit_dimension *dimension = &limiter->dimension[i];
    uint64_t at_ns =
        inf_gcra_when(&dimension->gcra, units_of(dimension->kind, cost),
                      keep_percent, now_ns);
    if (at_ns == INF_NEVER)
      return (inf_limit_verdict){INF_LIMIT_NEVER, i, INF_NEVER};
    if (at_ns > verdict.at_ns)
      verdict = (inf_limit_verdict){INF_LIMIT_WAIT, i, at_ns};
  }
  if (limiter->concurrency == 0)
    return verdict;
  uint64_t usable = usable_slots(limiter, keep_percent);
  if (usable == 0)
    return (inf_limit_verdict){INF_LIMIT_NEVER, INF_LIMIT_CONCURRENCY,
                               INF_NEVER};
  if (limiter->open >= usable) {
    verdict.outcome = INF_LIMIT_FULL;
    verdict.dimension = INF_LIMIT_CONCURRENCY;
  }
  return verdict;
}

inf_limit_verdict
inf_limit_peek(const inf_limiter *limiter, const inf_limit_cost *cost,
               uint32_t keep_percent, uint64_t now_ns)
{
  inf_limit_cost asked = bounded_cost(cost);
  return judge(limiter, &asked, keep_percent, latest(limiter, now_ns));
}

inf_limit_verdict
inf_limit_reserve(inf_limiter *limiter, const inf_limit_cost *cost,
                  uint32_t keep_percent, uint64_t now_ns,
                  inf_limit_reservation *reservation)
{
  inf_limit_cost asked = bounded_cost(cost);
  now_ns = see(limiter, now_ns);
  inf_limit_verdict verdict = judge(limiter, &asked, keep_percent, now_ns);
  if (verdict.outcome != INF_LIMIT_ADMITTED)
    return verdict;
  *reservation = (inf_limit_reservation){asked, ++limiter->last_mark, true};
  limiter->open++;
  for (size_t i = 0; i < limiter->count; i++) {
    inf_limit_dimension *dimension = &limiter->dimension[i];
    inf_gcra_take(&dimension->gcra, units_of(dimension->kind, &asked),
                  reservation->mark, now_ns);
  }
  return verdict;
}

/* What was used beyond the reservation is taken under a mark of its own. A
 * dimension that began after the reservation gives nothing back: its debt has
 * been 0 since. */
static void
correct(inf_limit_dimension *dimension,
        const inf_limit_reservation *reservation, uint64_t actual,
        uint64_t mark, uint64_t now_ns)
{
  uint64_t reserved = units_of(dimension->kind, &reservation->cost);
  if (actual > reserved)
    inf_gcra_take(&dimension->gcra, actual - reserved, mark, now_ns);
  else if (actual < reserved)
    inf_gcra_give_back(&dimension->gcra, reserved - actual, reservation->mark,
                       now_ns);
}

bool
inf_limit_settle(inf_limiter *limiter, inf_limit_reservation *reservation,
                 const inf_limit_cost *actual, uint64_t now_ns)
{
  if (!reservation->open)
    return false;
  inf_limit_cost used = bounded_cost(actual);
  uint64_t mark = ++limiter->last_mark;
  now_ns = see(limiter, now_ns);
  for (size_t i = 0; i < limiter->count; i++) {
    inf_limit_dimension *dimension = &limiter->dimension[i];
    correct(dimension, reservation, units_of(dimension->kind, &used), mark,
            now_ns);
  }
  reservation->open = false;
  limiter->open--;
  return true;
}

bool
inf_limit_release(inf_limiter *limiter, inf_limit_reservation *reservation,
                  uint64_t now_ns)
{
  return inf_limit_settle(limiter, reservation, &(inf_limit_cost){0}, now_ns);
}

bool
inf_limit_abort(inf_limiter *limiter, inf_limit_reservation *reservation,
                uint64_t input_tokens, uint64_t output_tokens, uint64_t now_ns)
{
  inf_limit_cost actual = {reservation->cost.requests, input_tokens,
                           output_tokens};
  return inf_limit_settle(limiter, reservation, &actual, now_ns);
}

void
inf_limit_set_level(inf_limiter *limiter, size_t dimension, uint64_t level,
                    uint64_t now_ns)
{
  inf_gcra_set_level(&limiter->dimension[dimension].gcra, level,
                     ++limiter->last_mark, see(limiter, now_ns));
}

bool
inf_limit_set_rate(inf_limiter *limiter, size_t dimension, uint64_t limit,
                   uint64_t burst, uint64_t now_ns)
{
  inf_gcra *gcra = &limiter->dimension[dimension].gcra;
  inf_gcra_rate rate = {limit, gcra->rate.period_ns, burst};
  if (!inf_gcra_rate_valid(&rate))
    return false;
  inf_gcra_set_rate(gcra, &rate, see(limiter, now_ns));
  return true;
}

uint32_t
inf_limit_headroom_percent(const inf_limiter *limiter, uint64_t now_ns)
{
  uint64_t least = 100;
  now_ns = latest(limiter, now_ns);
  for (size_t i = 0; i < limiter->count; i++) {
    const inf_gcra *gcra = &limiter->dimension[i].gcra;
    uint64_t percent = inf_gcra_level(gcra, now_ns) * 100 / gcra->rate.burst;
    if (percent < least)
      least = percent;
  }
  if (limiter->concurrency > 0) {
    uint64_t free_slots = limiter->concurrency > limiter->open
                              ? limiter->concurrency - limiter->open
                              : 0;
    uint64_t percent = free_slots * 100 / limiter->concurrency;
    if (percent < least)
      least = percent;
  }
  return (uint32_t)least;
}
