/* SPDX-License-Identifier: MIT */
#include "policy/lateness.h"

#include "base/clock.h"

static const uint64_t late_floor_ns = 1 * INF_NS_PER_S;
/* Below, steps of 1/4096 would be lost in rounding. */
static const uint64_t usual_floor_ns = 1 * INF_NS_PER_MS;

enum {
  up_steps = 99,
  step_divisor = 4096,
  slow_divisor = 8,
};

static void
note_first(inf_lateness *lateness, uint64_t sample_ns)
{
  lateness->samples++;
  if (sample_ns > lateness->largest_ns) {
    lateness->usual_ns = lateness->largest_ns;
    lateness->largest_ns = sample_ns;
  } else if (sample_ns > lateness->usual_ns) {
    lateness->usual_ns = sample_ns;
  }
}

void
inf_lateness_note(inf_lateness *lateness, uint64_t sample_ns, bool slow)
{
  uint64_t usual_ns = lateness->usual_ns;
  if (lateness->samples < INF_LATENESS_SAMPLES) {
    note_first(lateness, sample_ns);
    return;
  }
  if (sample_ns <= usual_ns)
    usual_ns -= usual_ns / step_divisor;
  else if (slow)
    usual_ns = inf_time_add(usual_ns, usual_ns / slow_divisor);
  else
    usual_ns = inf_time_add(usual_ns, usual_ns / step_divisor * up_steps);
  lateness->usual_ns = usual_ns > usual_floor_ns ? usual_ns : usual_floor_ns;
}

uint64_t
inf_lateness_ns(const inf_lateness *lateness)
{
  if (lateness->samples < INF_LATENESS_SAMPLES)
    return 0;
  uint64_t late_ns = inf_time_add(lateness->usual_ns, lateness->usual_ns);
  return late_ns > late_floor_ns ? late_ns : late_floor_ns;
}
