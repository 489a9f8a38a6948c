/* SPDX-License-Identifier: MIT */
#include "policy/gcra.h"

#include <string.h>

static const inf_u128 debt_max = (inf_u128)1 << 127;

bool
inf_gcra_rate_valid(const inf_gcra_rate *rate)
{
  return rate->limit <= INF_GCRA_UNITS_MAX && rate->period_ns > 0 &&
         rate->period_ns <= INF_GCRA_PERIOD_MAX_NS && rate->burst > 0 &&
         rate->burst <= INF_GCRA_UNITS_MAX;
}

static inf_u128
ticks(const inf_gcra *gcra, uint64_t units)
{
  if (units > INF_GCRA_COST_MAX)
    units = INF_GCRA_COST_MAX;
  return (inf_u128)units * gcra->rate.period_ns;
}

static void
put_rate(inf_gcra *gcra, const inf_gcra_rate *rate)
{
  gcra->rate = *rate;
  gcra->capacity = ticks(gcra, rate->burst);
  inf_lows_set_range(&gcra->lows, gcra->capacity);
}

void
inf_gcra_init(inf_gcra *gcra, const inf_gcra_rate *rate)
{
  memset(gcra, 0, sizeof *gcra);
  put_rate(gcra, rate);
}

static inf_u128
debt_at(const inf_gcra *gcra, uint64_t now_ns)
{
  if (now_ns <= gcra->seen_ns)
    return gcra->debt;
  inf_u128 drained = (inf_u128)(now_ns - gcra->seen_ns) * gcra->rate.limit;
  return drained < gcra->debt ? gcra->debt - drained : 0;
}

static void
advance(inf_gcra *gcra, uint64_t now_ns)
{
  gcra->debt = debt_at(gcra, now_ns);
  if (now_ns > gcra->seen_ns)
    gcra->seen_ns = now_ns;
}

/* The largest debt that leaves keep_percent of the burst free. */
static inf_u128
ceiling(const inf_gcra *gcra, uint32_t keep_percent)
{
  if (keep_percent == 0)
    return gcra->capacity;
  if (keep_percent >= 100)
    return 0;
  return gcra->capacity * (100 - keep_percent) / 100;
}

uint64_t
inf_gcra_when(const inf_gcra *gcra, uint64_t units, uint32_t keep_percent,
              uint64_t now_ns)
{
  if (units == 0)
    return now_ns;
  inf_u128 most = ceiling(gcra, keep_percent);
  inf_u128 cost = ticks(gcra, units);
  if (cost > most)
    return INF_NEVER;
  most -= cost;
  inf_u128 debt = debt_at(gcra, now_ns);
  if (debt <= most)
    return now_ns;
  if (gcra->rate.limit == 0)
    return INF_NEVER;
  inf_u128 wait_ns = (debt - most - 1) / gcra->rate.limit + 1;
  if (wait_ns > UINT64_MAX)
    return INF_NEVER;
  uint64_t from_ns = now_ns > gcra->seen_ns ? now_ns : gcra->seen_ns;
  return inf_time_add(from_ns, (uint64_t)wait_ns);
}

static void
raise_debt(inf_gcra *gcra, inf_u128 by, uint64_t mark)
{
  inf_lows_note(&gcra->lows, mark, gcra->debt);
  gcra->debt = by < debt_max - gcra->debt ? gcra->debt + by : debt_max;
}

void
inf_gcra_take(inf_gcra *gcra, uint64_t units, uint64_t mark, uint64_t now_ns)
{
  advance(gcra, now_ns);
  if (units > 0)
    raise_debt(gcra, ticks(gcra, units), mark);
}

void
inf_gcra_give_back(inf_gcra *gcra, uint64_t units, uint64_t mark,
                   uint64_t now_ns)
{
  advance(gcra, now_ns);
  inf_u128 lowest = inf_lows_since(&gcra->lows, mark, gcra->debt);
  inf_u128 by = ticks(gcra, units);
  if (by > lowest)
    by = lowest;
  gcra->debt -= by;
  inf_lows_lower(&gcra->lows, mark, by);
}

uint64_t
inf_gcra_level(const inf_gcra *gcra, uint64_t now_ns)
{
  inf_u128 debt = debt_at(gcra, now_ns);
  if (debt >= gcra->capacity)
    return 0;
  return (uint64_t)((gcra->capacity - debt) / gcra->rate.period_ns);
}

void
inf_gcra_set_level(inf_gcra *gcra, uint64_t level, uint64_t mark,
                   uint64_t now_ns)
{
  advance(gcra, now_ns);
  if (level > gcra->rate.burst)
    level = gcra->rate.burst;
  inf_u128 debt = gcra->capacity - ticks(gcra, level);
  if (debt > gcra->debt)
    raise_debt(gcra, debt - gcra->debt, mark);
  else
    gcra->debt = debt;
}

/* value * to / from, rounded up if `up`; debt_max if it is more than that. */
static inf_u128
convert(inf_u128 value, uint64_t from, uint64_t to, bool up)
{
  inf_u128 whole = value / from;
  inf_u128 rest = value % from * to; /* below 2^104 */
  if (whole >= debt_max / to)
    return debt_max;
  return whole * to + (rest + (up ? from - 1 : 0)) / from;
}

void
inf_gcra_set_rate(inf_gcra *gcra, const inf_gcra_rate *rate, uint64_t now_ns)
{
  advance(gcra, now_ns);
  uint64_t from = gcra->rate.period_ns;
  uint64_t to = rate->period_ns;
  put_rate(gcra, rate);
  if (from == to)
    return;
  gcra->debt = convert(gcra->debt, from, to, true);
  for (size_t i = 0; i < gcra->lows.count; i++)
    gcra->lows.value[i] = convert(gcra->lows.value[i], from, to, false);
}
