/* SPDX-License-Identifier: MIT */
#include "ideal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
ideal_init(ideal *it, const double rate[ideal_dims],
           const double cap[ideal_dims], double from)
{
  *it = (ideal){.from = from};
  memcpy(it->rate, rate, sizeof it->rate);
  memcpy(it->cap, cap, sizeof it->cap);
  memcpy(it->level, cap, sizeof it->level);
}

void
ideal_fini(ideal *it)
{
  free(it->works);
  *it = (ideal){0};
}

/* Serves what the level has of the first work; true if nothing worth counting
 * is left of it. */
static bool
serve_first(ideal *it)
{
  const double nothing = 1e-6;
  ideal_work *work = &it->works[it->head];
  double share = 1, left = 0;
  for (int d = 0; d < ideal_dims; d++)
    if (work->units[d] > 0)
      share = fmin(share, fmax(it->level[d], 0) / work->units[d]);
  for (int d = 0; d < ideal_dims; d++) {
    double units = share * work->units[d];
    it->level[d] -= units;
    work->units[d] -= units;
    left += work->units[d];
    if (it->at >= it->from)
      it->used[d] += units;
  }
  return left < nothing;
}

/* Until the rest of the first work is there. */
static double
wait_of_first(const ideal *it)
{
  const ideal_work *work = &it->works[it->head];
  double wait = 0;
  for (int d = 0; d < ideal_dims; d++)
    wait = fmax(wait, (work->units[d] - it->level[d]) / it->rate[d]);
  return wait;
}

static void
refill(ideal *it, double seconds)
{
  for (int d = 0; d < ideal_dims; d++)
    it->level[d] += it->rate[d] * seconds;
  it->at += seconds;
}

static void
drop_first(ideal *it)
{
  it->head = (it->head + 1) % it->size;
  it->count--;
}

/* What waits leaves nothing to save of the dimension that binds it; of the
 * others, and of all when nothing waits, the cap is what is saved. */
static void
keep_to_cap(ideal *it)
{
  for (int d = 0; d < ideal_dims; d++)
    it->level[d] = fmin(it->level[d], it->cap[d]);
}

void
ideal_advance(ideal *it, double now)
{
  while (it->count > 0 && it->at < now) {
    const ideal_work *work = &it->works[it->head];
    double until = fmin(now, fmax(it->at, work->until));
    refill(it, fmin(wait_of_first(it), until - it->at));
    if (serve_first(it) || it->at >= work->until)
      drop_first(it);
    keep_to_cap(it);
  }
  if (it->at < now)
    refill(it, now - it->at);
  keep_to_cap(it);
}

void
ideal_change(ideal *it, double now, const double rate[ideal_dims],
             const double cap[ideal_dims])
{
  ideal_advance(it, now);
  memcpy(it->rate, rate, sizeof it->rate);
  memcpy(it->cap, cap, sizeof it->cap);
  keep_to_cap(it);
}

void
ideal_offer(ideal *it, double now, double until, const double units[ideal_dims])
{
  ideal_advance(it, now);
  if (it->count == it->size) {
    size_t size = it->size > 0 ? it->size * 2 : 1024;
    ideal_work *works = calloc(size, sizeof *works);
    for (size_t i = 0; i < it->count; i++)
      works[i] = it->works[(it->head + i) % it->size];
    free(it->works);
    it->works = works;
    it->head = 0;
    it->size = size;
  }
  ideal_work *work = &it->works[(it->head + it->count++) % it->size];
  work->until = until;
  memcpy(work->units, units, sizeof work->units);
}

void
ideal_taken(ideal *it, double now, const double units[ideal_dims])
{
  ideal_advance(it, now);
  for (int d = 0; d < ideal_dims; d++)
    it->level[d] -= units[d];
}
