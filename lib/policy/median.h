/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_MEDIAN_H
#define INF_POLICY_MEDIAN_H

#include <stddef.h>
#include <stdint.h>

/* The median of the last few samples. 15 of them: enough that half a dozen
 * outliers do not move it, few enough that it follows a change of regime
 * within eight answers. */
#define INF_MEDIAN_SAMPLES 15

typedef struct inf_median {
  uint64_t samples[INF_MEDIAN_SAMPLES];
  size_t count, next;
} inf_median;

void inf_median_add(inf_median *median, uint64_t sample);
/* 0 without samples. */
uint64_t inf_median_get(const inf_median *median);

#endif
