/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_QUOTA_SHAPE_H
#define INF_POLICY_QUOTA_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What kind of a quota it is, told by what a provider's answers say of it and
 * by nothing else: its period, what its bucket holds, and whether it is no
 * bucket but a window that is filled all at once.
 *
 * Period. Where the reset is the time until a bucket is full, limit * reset /
 * used is the period whatever is used. An hour or a day is believed after it
 * came out the same for twice the use: by then a window would give half.
 * A second is believed when eight answers in a row give less than five; a
 * minute's bucket gives 30 or more however its reset is rounded. Sights with
 * less than half the limit left do not count for it: a bucket that holds only
 * part of the limit would look like that.
 *
 * Burst. A bucket holds its level and what the reset adds until it is full.
 * Where no reset is told it stays unknown: a level that is always the same may
 * be that of a full bucket, or of one that is shared evenly.
 *
 * Window. A reset that means the same moment for five seconds and five
 * answers, while the level never rises. In a bucket one of the two moves on.
 */

#define INF_QUOTA_UNKNOWN (-1)

/* What one answer said of this dimension; -1 is unknown, a period 0. */
typedef struct inf_quota_sight {
  uint64_t period_ns;
  int64_t limit, remaining, reset_ns;
  bool coarse; /* remaining is rounded to thousands */
} inf_quota_sight;

/* Zeroed: nothing is known. */
typedef struct inf_quota_shape {
  uint64_t period_ns; /* 0: unknown */
  double burst;       /* 0: unknown */
  bool window;
  uint64_t window_end_ns;

  uint64_t guess_ns;
  int64_t guess_used;
  uint32_t shorts, longs; /* answers in a row that say so */
  uint64_t burst_ns;      /* when it was last told */
  uint64_t window_since_ns;
  int64_t window_level;
  uint32_t window_sights;
} inf_quota_shape;

/* Looks for the period. Before the rate is known. */
void inf_quota_shape_period(inf_quota_shape *shape,
                            const inf_quota_sight *sight);
/* Looks for window and burst. rate: units per second. */
void inf_quota_shape_level(inf_quota_shape *shape, const inf_quota_sight *sight,
                           double rate, uint64_t sent_ns);

#endif
