/* SPDX-License-Identifier: MIT */
#include "policy/lows.h"

#include <string.h>

static void
drop(inf_lows *lows, size_t at)
{
  size_t rest = lows->count - at - 1;
  memmove(&lows->value[at], &lows->value[at + 1], rest * sizeof *lows->value);
  memmove(&lows->mark[at], &lows->mark[at + 1], rest * sizeof *lows->mark);
  lows->count--;
}

void
inf_lows_set_range(inf_lows *lows, inf_u128 largest)
{
  lows->class_bits = 0;
  while (largest >> lows->class_bits >= INF_LOWS_CLASSES)
    lows->class_bits++;
}

static uint64_t
class_of(const inf_lows *lows, inf_u128 value)
{
  inf_u128 class = value >> lows->class_bits;
  return class < INF_LOWS_CLASSES ? (uint64_t) class : INF_LOWS_CLASSES;
}

static void
merge_classes(inf_lows *lows)
{
  uint32_t kept = 1;
  for (uint32_t i = 1; i < lows->count; i++) {
    if (class_of(lows, lows->value[i]) ==
        class_of(lows, lows->value[kept - 1])) {
      lows->mark[kept - 1] = lows->mark[i];
      continue;
    }
    lows->value[kept] = lows->value[i];
    lows->mark[kept++] = lows->mark[i];
  }
  lows->count = kept;
  lows->merges++;
}

void
inf_lows_note(inf_lows *lows, uint64_t mark, inf_u128 value)
{
  uint32_t count = lows->count;
  while (count > 0 && lows->value[count - 1] >= value)
    count--;
  lows->value[count] = value;
  lows->mark[count] = mark;
  lows->count = count + 1;
  if (lows->count == INF_LOWS_MAX)
    merge_classes(lows);
}

/* The oldest point that was noted after the raise `mark`. */
static size_t
first_after(const inf_lows *lows, uint64_t mark)
{
  size_t at = lows->count;
  while (at > 0 && lows->mark[at - 1] > mark)
    at--;
  return at;
}

inf_u128
inf_lows_since(const inf_lows *lows, uint64_t mark, inf_u128 value)
{
  size_t at = first_after(lows, mark);
  return at < lows->count && lows->value[at] < value ? lows->value[at] : value;
}

void
inf_lows_lower(inf_lows *lows, uint64_t mark, inf_u128 by)
{
  size_t first = first_after(lows, mark);
  if (first == lows->count)
    return;
  for (size_t i = first; i < lows->count; i++)
    lows->value[i] -= by;
  while (first > 0 && lows->value[first - 1] >= lows->value[first])
    drop(lows, --first);
}
