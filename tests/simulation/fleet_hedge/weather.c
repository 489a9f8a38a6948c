/* SPDX-License-Identifier: MIT */
#include "weather.h"

#include "base/clock.h"
#include "base/rng.h"

#include <math.h>

/* Medians and 95th percentiles of 60,480 probes in seven days; J. Wrede, "I
 * monitored 6 LLM APIs for 7 days" (2026); sigma = ln(p95/p50)/1.645. */
const fleet_member fleet[fleet_size] = {
    {"gpt-4o-mini", 0.645, 0.321},
    {"claude-3.5-haiku", 0.731, 0.252},
    {"gemini-2.0-flash", 0.556, 0.867},
};

static const uint64_t period_ns = 1800 * INF_NS_PER_S;
static const uint64_t bad_ns = 120 * INF_NS_PER_S;

static void
seed_by(inf_rng *rng, uint64_t seed, uint64_t a, uint64_t b)
{
  inf_rng_seed(rng, seed ^ a * UINT64_C(0x9e3779b97f4a7c15) ^
                        b * UINT64_C(0xd1342543de82ef95));
}

/* 1: as usual; 6; 0: never. */
static int
weather_at(uint64_t seed, int member, uint64_t at_ns)
{
  inf_rng rng;
  seed_by(&rng, seed, at_ns / period_ns + 1, 1000 + (uint64_t)member);
  uint64_t begins_ns = inf_rng_below(&rng, period_ns - bad_ns);
  int kind = inf_rng_below(&rng, 10) < 7 ? 6 : 0;
  uint64_t since_ns = at_ns % period_ns;
  return since_ns >= begins_ns && since_ns < begins_ns + bad_ns ? kind : 1;
}

uint64_t
weather_time_ns(uint64_t seed, int member, uint64_t call, uint64_t at_ns)
{
  int factor = weather_at(seed, member, at_ns);
  if (factor == 0)
    return INF_NEVER;
  inf_rng rng;
  seed_by(&rng, seed, call + 1, (uint64_t)member + 1);
  double radius = sqrt(-2 * log(1 - inf_rng_double(&rng)));
  double normal = radius * cos(6.283185307179586 * inf_rng_double(&rng));
  double time_s = fleet[member].median_s * exp(fleet[member].sigma * normal);
  return (uint64_t)(time_s * factor * 1e9);
}
