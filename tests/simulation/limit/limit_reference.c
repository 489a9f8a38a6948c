/* SPDX-License-Identifier: MIT */
#include "limit_reference.h"

#include <stdio.h>
#include <stdlib.h>

void
reference_init(reference *of, uint64_t limit, uint64_t period_ns,
               uint64_t burst)
{
  of->limit = limit;
  of->period_ns = period_ns;
  of->burst = burst;
  of->count = 0;
}

static void
add(reference *of, reference_event event)
{
  if (of->count == reference_events_max) {
    fputs("the reference is full\n", stderr);
    abort();
  }
  of->event[of->count++] = event;
}

void
reference_take(reference *of, uint64_t units, uint64_t reservation,
               uint64_t at_ns)
{
  add(of, (reference_event){.at_ns = at_ns,
                            .ticks = (inf_i128)units * of->period_ns,
                            .reservation = reservation});
}

void
reference_adjust(reference *of, inf_i128 ticks, uint64_t at_ns)
{
  add(of, (reference_event){.at_ns = at_ns, .ticks = ticks});
}

bool
reference_reduce(reference *of, uint64_t units, uint64_t reservation)
{
  for (size_t i = 0; i < of->count; i++) {
    if (of->event[i].reservation != reservation)
      continue;
    of->event[i].ticks -= (inf_i128)units * of->period_ns;
    return true;
  }
  return false;
}

void
reference_set_rate(reference *of, uint64_t limit, uint64_t burst,
                   uint64_t at_ns)
{
  add(of, (reference_event){
              .at_ns = at_ns, .is_rate = true, .limit_before = of->limit});
  of->limit = limit;
  of->burst = burst;
}

inf_i128
reference_excess(const reference *of, uint64_t at_ns)
{
  inf_i128 excess = 0, largest = 0;
  uint64_t limit = of->limit, end_ns = at_ns;
  for (size_t i = of->count; i > 0; i--) {
    const reference_event *event = &of->event[i - 1];
    excess -= (inf_i128)limit * (end_ns - event->at_ns);
    end_ns = event->at_ns;
    if (event->is_rate)
      limit = event->limit_before;
    excess += event->ticks;
    if (excess > largest)
      largest = excess;
  }
  return largest;
}

bool
reference_fits(const reference *of, uint64_t units, uint32_t keep_percent,
               uint64_t at_ns)
{
  if (units == 0)
    return true;
  inf_i128 taken =
      reference_excess(of, at_ns) + (inf_i128)units * of->period_ns;
  inf_i128 burst = (inf_i128)of->burst * of->period_ns;
  return taken <= burst && 100 * taken <= (100 - keep_percent) * burst;
}
