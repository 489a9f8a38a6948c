/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_AXIS_H
#define INF_TOOLS_COMPARE_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#define INF_CMP_MAX_TICKS 12

/* The scale of a plot's axis: from values to places, with ticks at round
 * numbers. */
typedef struct inf_cmp_axis {
  double low, high;     /* values at its ends */
  double start, length; /* place of low, and from there to high; may be < 0 */
  bool logarithmic;
  double ticks[INF_CMP_MAX_TICKS];
  size_t tick_count;
} inf_cmp_axis;

/* From 0 to at least high, in steps of 1, 2 or 5 times a power of ten. */
void inf_cmp_axis_linear(inf_cmp_axis *axis, double high, double start,
                         double length);
/* From at most low to at least high, both above 0; ticks at 1, 2 and 5 times
 * powers of ten, at powers of ten alone where those would be too many. */
void inf_cmp_axis_log(inf_cmp_axis *axis, double low, double high, double start,
                      double length);
/* Powers of two from 1 to at least high. */
void inf_cmp_axis_doubling(inf_cmp_axis *axis, double high, double start,
                           double length);
/* Where the value stands; values beyond an end stand at it. */
double inf_cmp_axis_place(const inf_cmp_axis *axis, double value);

#endif
