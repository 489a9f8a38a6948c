/* SPDX-License-Identifier: MIT */
#include "policy/median.h"

#include <string.h>

void
inf_median_add(inf_median *median, uint64_t sample)
{
  median->samples[median->next] = sample;
  median->next = (median->next + 1) % INF_MEDIAN_SAMPLES;
  if (median->count < INF_MEDIAN_SAMPLES)
    median->count++;
}

uint64_t
inf_median_get(const inf_median *median)
{
  if (median->count == 0)
    return 0;
  uint64_t sorted[INF_MEDIAN_SAMPLES];
  memcpy(sorted, median->samples, sizeof sorted);
  for (size_t i = 1; i < median->count; i++) {
    uint64_t sample = sorted[i];
    size_t at = i;
    for (; at > 0 && sorted[at - 1] > sample; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = sample;
  }
  return sorted[median->count / 2];
}
