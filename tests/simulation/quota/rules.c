/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <math.h>

static double
cubic_share(const bucket *b, double now)
{
  if (b->cut_at <= 0)
    return 1;
  double t = (now - b->cut_at) / 30 - 1;
  double share = b->cut_from * (1 + 0.3 * t * t * t);
  return share < 1 ? share : 1;
}

static void
bucket_fill(policy rule, bucket *b, double now)
{
  double rate = b->rate * (rule == POLICY_CUBIC ? cubic_share(b, now) : 1);
  if (rule == POLICY_SLOPE && b->heard)
    rate = fmax(0.02 * b->rate, fmin(b->slope, b->rate));
  b->level = fmin(b->cap, b->level + rate * (now - b->at));
  b->at = now;
}

double
bucket_wait(policy rule, bucket *b, double units, double now)
{
  bucket_fill(rule, b, now);
  double need = fmin(units, b->cap);
  if (rule == POLICY_SLOPE)
    need = fmin(units + 0.1 * b->cap, b->cap);
  return b->level >= need ? 0 : fmax((need - b->level) / b->rate, 1e-3);
}

void
bucket_observe(policy rule, bucket *b, const inf_quota_sight *sight,
               const inf_quota_sent *as_sent, double now)
{
  bucket_fill(rule, b, now);
  if (sight->remaining < 0)
    return;
  double seen = (double)sight->remaining, sent = (double)as_sent->at_ns * 1e-9;
  double level = seen - (double)(b->spent - as_sent->mark);
  if (rule != POLICY_SLOPE) {
    b->level = fmin(b->level, level);
    return;
  }
  if (b->heard && (int64_t)(as_sent->mark - b->seen_mark) <= 0)
    return;
  if (b->heard) {
    double dt = sent - b->seen_sent;
    double slope =
        (seen - b->seen + (double)(as_sent->mark - b->seen_mark)) / dt;
    b->slope +=
        (fmax(-b->rate, fmin(slope, 3 * b->rate)) - b->slope) * dt / (dt + 10);
  } else {
    b->slope = b->rate;
  }
  b->level = level + fmax(0, fmin(b->slope, b->rate)) * (now - sent);
  b->seen = seen;
  b->seen_mark = as_sent->mark;
  b->seen_sent = sent;
  b->heard = true;
}

void
bucket_refused(policy rule, bucket *b, double now)
{
  bucket_fill(rule, b, now);
  if (rule == POLICY_CUBIC && now - b->cut_at > 1) {
    b->cut_from = cubic_share(b, now);
    b->cut_at = now;
  }
  b->level = fmin(b->level, 0);
}
