/* SPDX-License-Identifier: MIT */
/* What meters say to the line of calls that wait. */
#include "engine/meter_state.h"

uint64_t
inf_meter_place(const struct inf_meter *meter)
{
  return 1ull << (meter->number % 64);
}

void
inf_meter_expect(inf_runtime *runtime, const inf_target_config *target,
                 const inf_meter_cost *cost, uint64_t *input, uint64_t *output)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_limit_cost mean = inf_meter_estimate_locked(runtime, target, cost, true);
  pthread_mutex_unlock(&runtime->mutex);
  *input = mean.input_tokens;
  *output = mean.output_tokens;
}

/* The bucket that is refilled by `units` in a period and has `level` now: when
 * its first unit would have fitted at that pace. */
static inf_line_limit
line_limit(double level, double units, uint64_t period_ns, uint64_t now_ns)
{
  double since_ns = level / units * (double)period_ns;
  double most_ns = (double)INT64_MAX / 4;
  if (since_ns > most_ns)
    since_ns = most_ns;
  return (inf_line_limit){(int64_t)now_ns - (int64_t)since_ns, (uint64_t)units,
                          period_ns};
}

static uint64_t
start_under(inf_limit_kind kind, const inf_line_limit *limit,
            const inf_line_ahead *ahead, const inf_line_entry *entry,
            uint64_t now_ns)
{
  inf_line_pace pace = {0};
  inf_line_limit *const slots[INF_METER_KINDS] = {
      [INF_LIMIT_REQUESTS] = &pace.requests,
      [INF_LIMIT_TOKENS] = &pace.tokens,
      [INF_LIMIT_INPUT] = &pace.input_tokens,
      [INF_LIMIT_OUTPUT] = &pace.output_tokens,
  };
  *slots[kind] = *limit;
  return inf_line_start_ns(ahead, entry, &pace, now_ns);
}

/* Over-use is a negative level. */
static double
level_of(const inf_gcra *gcra, uint64_t now_ns)
{
  uint64_t level = inf_gcra_level(gcra, now_ns);
  uint64_t first_ns = inf_gcra_when(gcra, 1, 0, now_ns);
  if (level > 0 || first_ns <= now_ns)
    return (double)level;
  return 1 - (double)(first_ns - now_ns) * (double)gcra->rate.limit /
                 (double)gcra->rate.period_ns;
}

uint64_t
inf_meter_start_ns(inf_runtime *runtime, const struct inf_meter *meter,
                   const inf_line_ahead *ahead, const inf_line_entry *entry,
                   uint64_t now_ns)
{
  uint64_t latest_ns = now_ns;
  pthread_mutex_lock(&runtime->mutex);
  for (size_t i = 0; meter->limiter && i < meter->limiter->count; i++) {
    const inf_limit_dimension *dimension = &meter->limiter->dimension[i];
    const inf_gcra_rate *rate = &dimension->gcra.rate;
    inf_line_limit limit =
        line_limit(level_of(&dimension->gcra, now_ns), (double)rate->limit,
                   rate->period_ns, now_ns);
    uint64_t at_ns = start_under(dimension->kind, &limit, ahead, entry, now_ns);
    latest_ns = at_ns > latest_ns ? at_ns : latest_ns;
  }
  for (size_t i = 0; i < meter->quota_count; i++) {
    meter_quota *quota = &meter->quotas[i];
    inf_quota_now now = inf_quota_read(&quota->law, 0, now_ns);
    if (!now.limited)
      continue;
    inf_line_limit limit =
        line_limit(now.level, now.limit, now.period_ns, now_ns);
    uint64_t at_ns = start_under(quota->kind, &limit, ahead, entry, now_ns);
    at_ns = now.not_ns > at_ns ? now.not_ns : at_ns;
    latest_ns = at_ns > latest_ns ? at_ns : latest_ns;
  }
  pthread_mutex_unlock(&runtime->mutex);
  return latest_ns;
}
