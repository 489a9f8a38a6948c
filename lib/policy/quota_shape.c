/* SPDX-License-Identifier: MIT */
#include "policy/quota_shape.h"

#include "base/clock.h"

/* Rounding of resets to seconds, and the way to the provider. */
static const uint64_t same_end_ns = 1200 * INF_NS_PER_MS;
static const uint64_t window_least_ns = 5 * INF_NS_PER_S;
enum { window_sights = 5, short_sights = 8 };

static const double short_most_s = 5;
static const double long_least_s = 10;
static const double period_tolerance = 0.15;

/* What was once told of the burst fades, so that a nonsensical one passes. */
static const double burst_memory_s = 300;

static bool
is_within(uint64_t a, uint64_t b, uint64_t range)
{
  return a > b ? a - b < range : b - a < range;
}

/* ---- Period -------------------------------------------------------------- */

static void
learn_short(inf_quota_shape *shape, const inf_quota_sight *sight,
            double period_s)
{
  if (sight->remaining < sight->limit / 2)
    return;
  shape->shorts = period_s < short_most_s ? shape->shorts + 1 : 0;
  shape->longs = period_s > long_least_s ? shape->longs + 1 : 0;
  if (shape->shorts >= short_sights)
    shape->period_ns = INF_NS_PER_S;
  if (shape->longs >= short_sights && shape->period_ns == INF_NS_PER_S)
    shape->period_ns = 0;
}

static void
learn_long(inf_quota_shape *shape, int64_t used, double period_s)
{
  static const uint64_t periods_s[] = {3600, 86400};
  uint64_t guess_ns = 0;
  for (size_t i = 0; i < sizeof periods_s / sizeof periods_s[0]; i++) {
    double ratio = period_s / (double)periods_s[i];
    if (ratio > 1 - period_tolerance && ratio < 1 + period_tolerance)
      guess_ns = periods_s[i] * INF_NS_PER_S;
  }
  if (guess_ns != shape->guess_ns) {
    shape->guess_ns = guess_ns;
    shape->guess_used = used;
  } else if (guess_ns > 0 &&
             (used >= 2 * shape->guess_used || 2 * used <= shape->guess_used)) {
    shape->period_ns = guess_ns;
  }
}

void
inf_quota_shape_period(inf_quota_shape *shape, const inf_quota_sight *sight)
{
  int64_t used = sight->limit - sight->remaining;
  if (sight->period_ns > 0 || sight->limit <= 0 || sight->remaining < 0 ||
      sight->reset_ns <= 0 || used <= 0)
    return;
  double period_s =
      (double)sight->limit * (double)sight->reset_ns * 1e-9 / (double)used;
  learn_short(shape, sight, period_s);
  learn_long(shape, used, period_s);
}

/* ---- Window and burst ---------------------------------------------------- */

static void
learn_window(inf_quota_shape *shape, const inf_quota_sight *sight,
             uint64_t sent_ns)
{
  uint64_t end_ns = inf_time_add(sent_ns, (uint64_t)sight->reset_ns);
  bool same = is_within(end_ns, shape->window_end_ns, same_end_ns);
  if (!same || sight->remaining > shape->window_level) {
    shape->window = shape->window && same;
    shape->window_sights = 0;
    shape->window_since_ns = sent_ns;
    shape->window_end_ns = end_ns;
  }
  shape->window_level = sight->remaining;
  shape->window_sights++;
  if (shape->window_sights >= window_sights &&
      sent_ns > shape->window_since_ns + window_least_ns)
    shape->window = true;
}

static void
learn_burst(inf_quota_shape *shape, const inf_quota_sight *sight, double rate,
            uint64_t sent_ns)
{
  double told =
      (double)sight->remaining + rate * (double)sight->reset_ns * 1e-9;
  double age_s = sent_ns > shape->burst_ns
                     ? (double)(sent_ns - shape->burst_ns) * 1e-9
                     : 0;
  double kept =
      age_s < burst_memory_s ? shape->burst * (1 - age_s / burst_memory_s) : 0;
  shape->burst = told > kept ? told : kept;
  shape->burst_ns = sent_ns;
}

void
inf_quota_shape_level(inf_quota_shape *shape, const inf_quota_sight *sight,
                      double rate, uint64_t sent_ns)
{
  if (sight->remaining < 0 || sight->reset_ns <= 0)
    return;
  learn_window(shape, sight, sent_ns);
  if (!shape->window)
    learn_burst(shape, sight, rate, sent_ns);
}
