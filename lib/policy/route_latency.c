/* SPDX-License-Identifier: MIT */
/* The order of targets by time; see route_latency.h. */
#include "policy/route_latency.h"

#include "base/clock.h"
#include "base/wide.h"

enum { explore_one_in = 64 };

static const uint64_t unknown_again_ns = 1 * INF_NS_PER_S;
static const uint64_t known_again_ns = 30 * INF_NS_PER_S;

/* Nothing known: behind what is known, those with fewest calls first, of them
 * what was asked before the others. */
static bool
is_before(const inf_route_time *a, const inf_route_time *b)
{
  if (a->expected_ns > 0 && b->expected_ns > 0)
    return a->expected_ns < b->expected_ns;
  if (a->expected_ns != b->expected_ns)
    return b->expected_ns == 0;
  if (a->waiting != b->waiting)
    return a->waiting < b->waiting;
  return a->asked_ns < b->asked_ns;
}

void
inf_route_by_time(const inf_route_time *times, size_t count, size_t *order)
{
  for (size_t i = 0; i < count; i++) {
    size_t at = i;
    for (; at > 0 && is_before(&times[i], &times[order[at - 1]]); at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
}

static void
move_to_front(size_t *order, size_t at)
{
  size_t moved = order[at];
  for (; at > 0; at--)
    order[at] = order[at - 1];
  order[0] = moved;
}

/* The place in `order` of what is to be explored; count: nothing. */
static size_t
to_explore(const inf_route_time *times, const size_t *order, size_t count,
           uint64_t now_ns, inf_rng *rng)
{
  size_t oldest = count;
  for (size_t i = 0; i < count; i++) {
    const inf_route_time *time = &times[order[i]];
    bool known = time->expected_ns > 0;
    uint64_t again_ns = known ? known_again_ns : unknown_again_ns;
    if (time->waiting > 0 ||
        (time->asked_ns > 0 && now_ns < time->asked_ns + again_ns))
      continue;
    if (!known)
      return i;
    if (oldest == count || time->asked_ns < times[order[oldest]].asked_ns)
      oldest = i;
  }
  return oldest < count && inf_rng_below(rng, explore_one_in) == 0 ? oldest
                                                                   : count;
}

/* (fastest / mine) ^ 8, in 1/65536. */
static uint64_t
share_of(uint64_t fastest_ns, uint64_t mine_ns)
{
  uint64_t share = (uint64_t)(((inf_u128)fastest_ns << 16) / mine_ns);
  for (int i = 0; i < 3; i++)
    share = share * share >> 16;
  return share;
}

/* Of those that are known, which come first. */
static size_t
draw(const inf_route_time *times, const size_t *order, size_t count,
     inf_rng *rng)
{
  uint64_t fastest_ns = times[order[0]].expected_ns, sum = 0;
  if (fastest_ns == 0)
    return 0;
  for (size_t i = 0; i < count && times[order[i]].expected_ns > 0; i++)
    sum += share_of(fastest_ns, times[order[i]].expected_ns);
  uint64_t left = inf_rng_below(rng, sum);
  for (size_t i = 0;; i++) {
    uint64_t share = share_of(fastest_ns, times[order[i]].expected_ns);
    if (left < share)
      return i;
    left -= share;
  }
}

void
inf_route_latency(const inf_route_time *times, size_t count, uint64_t now_ns,
                  inf_rng *rng, size_t *order)
{
  if (count == 0)
    return;
  inf_route_by_time(times, count, order);
  size_t at = to_explore(times, order, count, now_ns, rng);
  if (at == count)
    at = draw(times, order, count, rng);
  move_to_front(order, at);
}
