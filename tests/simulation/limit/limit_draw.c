/* SPDX-License-Identifier: MIT */
#include "limit_draw.h"

bool
draw_chance(inf_rng *rng, uint64_t one_in)
{
  return inf_rng_below(rng, one_in) == 0;
}

uint64_t
draw_size(inf_rng *rng, uint64_t most)
{
  uint64_t bits = 0;
  while (bits < 63 && most >> bits)
    bits++;
  uint64_t value = inf_rng_next(rng) >> (64 - 1 - inf_rng_below(rng, bits + 1));
  return value > most ? most : value;
}

uint64_t
draw_burst_of(const inf_limit_rule *rule)
{
  return rule->burst > 0 ? rule->burst : rule->limit;
}

void
draw_rate(inf_rng *rng, inf_limit_rule *rule)
{
  static const uint64_t most[] = {20, 1000, 200000, INF_GCRA_UNITS_MAX};
  rule->limit = 1 + draw_size(rng, most[inf_rng_below(rng, 4)] - 1);
  rule->burst = 0;
  if (draw_chance(rng, 2))
    rule->burst = 1 + draw_size(rng, rule->limit - 1);
  if (draw_chance(rng, 8))
    rule->burst = 1 + draw_size(rng, INF_GCRA_UNITS_MAX - 1);
  if (draw_chance(rng, 50)) {
    rule->limit = draw_chance(rng, 2) ? 0 : INF_GCRA_UNITS_MAX;
    rule->burst = INF_GCRA_UNITS_MAX;
  }
}

static void
draw_rule(inf_rng *rng, inf_limit_rule *rule)
{
  static const uint64_t periods[] = {
      INF_NS_PER_S,        60 * INF_NS_PER_S,     86400 * INF_NS_PER_S,
      INF_NS_PER_S,        60 * INF_NS_PER_S,     1,
      3600 * INF_NS_PER_S, INF_GCRA_PERIOD_MAX_NS};
  rule->kind = (inf_limit_kind)inf_rng_below(rng, 4);
  rule->period_ns = periods[inf_rng_below(rng, 8)];
  if (draw_chance(rng, 4))
    rule->period_ns = 1 + draw_size(rng, INF_GCRA_PERIOD_MAX_NS - 1);
  draw_rate(rng, rule);
}

void
draw_add_rule(inf_rng *rng, inf_limit_rules *rules)
{
  inf_limit_rule *rule = &rules->rule[rules->count];
  draw_rule(rng, rule);
  rules->count++;
  if (!inf_limit_rules_valid(rules)) /* one of this kind and period is there */
    rules->count--;
}

void
draw_rules(inf_rng *rng, inf_limit_rules *rules)
{
  rules->count = 0;
  size_t wanted = 1 + inf_rng_below(rng, draw_chance(rng, 8) ? 8 : 3);
  for (size_t i = 0; i < wanted; i++)
    draw_add_rule(rng, rules);
  rules->concurrency =
      draw_chance(rng, 2) ? 0 : 1 + (uint32_t)inf_rng_below(rng, 50);
}

inf_limit_cost
draw_cost(inf_rng *rng, const inf_limit_rules *rules, uint64_t most_share,
          bool all_small)
{
  uint64_t most = INF_GCRA_UNITS_MAX;
  for (size_t i = 0; i < rules->count; i++)
    if (rules->rule[i].kind != INF_LIMIT_REQUESTS &&
        draw_burst_of(&rules->rule[i]) < most)
      most = draw_burst_of(&rules->rule[i]);
  if (all_small)
    most /= most_share;
  else if (!draw_chance(rng, 20))
    most = most / (1 + inf_rng_below(rng, most_share));
  inf_limit_cost cost = {1, draw_size(rng, most / 2), draw_size(rng, most / 2)};
  if (draw_chance(rng, 10))
    cost.requests = draw_size(rng, 20);
  if (draw_chance(rng, 100))
    cost.output_tokens = draw_size(rng, INF_GCRA_UNITS_MAX);
  return cost;
}

inf_limit_cost
draw_actual(inf_rng *rng, const inf_limit_cost *reserved)
{
  inf_limit_cost actual = *reserved;
  if (draw_chance(rng, 4))
    actual.requests = draw_size(rng, 3);
  actual.input_tokens =
      inf_rng_between(rng, reserved->input_tokens / 2, reserved->input_tokens);
  actual.output_tokens = draw_size(rng, reserved->output_tokens);
  if (draw_chance(rng, 4))
    actual.output_tokens = draw_size(rng, 2 * reserved->output_tokens);
  if (draw_chance(rng, 50))
    actual.output_tokens = draw_size(rng, 2 * INF_GCRA_UNITS_MAX);
  return actual;
}

uint64_t
draw_wait_ns(inf_rng *rng, const inf_limit_rules *rules, uint64_t pace)
{
  const uint64_t day_ns = 86400 * INF_NS_PER_S;
  if (rules->count == 0 || draw_chance(rng, 10))
    return draw_size(rng, draw_chance(rng, 10) ? 3 * day_ns : INF_NS_PER_S);
  const inf_limit_rule *rule = &rules->rule[inf_rng_below(rng, rules->count)];
  inf_u128 drain_ns = (inf_u128)draw_burst_of(rule) * rule->period_ns /
                      (rule->limit ? rule->limit : 1);
  inf_u128 share_ns = drain_ns * pace / 64;
  return draw_size(rng, share_ns > day_ns ? day_ns : (uint64_t)share_ns);
}
