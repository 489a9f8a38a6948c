/* SPDX-License-Identifier: MIT */
#include "base/survival.h"

#include "base/clock.h"

/* Returns the share of those at risk that end in this bucket. */
static double
hazard(double at_risk, double events, double censored)
{
  if (events <= 0)
    return 0;
  double share = events / (at_risk - censored / 2);
  return share < 1 ? share : 1;
}

void
inf_survival_estimate(inf_survival *survival, const inf_histogram *events,
                      const inf_histogram *censored)
{
  double at_risk = (double)(events->total + censored->total);
  double alive = 1;
  survival->known = at_risk;
  survival->first = INF_HISTOGRAM_BUCKETS;
  survival->last = 0;
  for (uint32_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++) {
    survival->at[i] = (float)alive;
    uint32_t ended = events->counts[i], cancelled = censored->counts[i];
    if (ended == 0 && cancelled == 0)
      continue;
    if (ended > 0) {
      alive *= 1 - hazard(at_risk, ended, cancelled);
      if (i < survival->first)
        survival->first = i;
      survival->last = i + 1;
    }
    at_risk -= (double)ended + (double)cancelled;
  }
  survival->at[INF_HISTOGRAM_BUCKETS] = (float)alive;
  if (survival->first > survival->last)
    survival->first = survival->last;
}

double
inf_survival_beyond(const inf_survival *survival, uint64_t ns)
{
  uint32_t i = inf_histogram_index(ns);
  uint64_t lower = inf_histogram_lower(i);
  uint64_t width = inf_histogram_lower(i + 1) - lower;
  double before = (double)survival->at[i];
  double after = (double)survival->at[i + 1];
  double part = (double)(ns - lower) / (double)width;
  return part < 1 ? before - (before - after) * part : after;
}

uint64_t
inf_survival_quantile(const inf_survival *survival, double share)
{
  double left = 1 - share;
  uint32_t low = survival->first, high = survival->last;
  if ((double)survival->at[high] > left)
    return INF_NEVER;
  while (low < high) { /* the first edge at which so few are left */
    uint32_t middle = low + (high - low) / 2;
    if ((double)survival->at[middle] > left)
      low = middle + 1;
    else
      high = middle;
  }
  uint64_t upper = inf_histogram_lower(low);
  if (low == survival->first)
    return upper;
  uint64_t lower = inf_histogram_lower(low - 1);
  double before = (double)survival->at[low - 1];
  double fall = before - (double)survival->at[low];
  double part = (before - left) / fall;
  return lower + (uint64_t)((double)(upper - lower) * part);
}
