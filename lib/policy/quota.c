/* SPDX-License-Identifier: MIT */
#include "policy/quota.h"

#include "base/clock.h"

#ifndef MARK_S
#define MARK_S 6
#endif
#ifndef OCTAVES
#define OCTAVES 6
#endif
#ifndef GOOD_COSTS
#define GOOD_COSTS 40
#endif
#ifndef WINSHARE
#define WINSHARE 1.2
#define WINEND 0.5
#define WINRES 1
#endif
#ifndef CUT
#define CUT 0.8
#endif
#ifndef RECOVERY_S
#define RECOVERY_S 120
#endif
#ifndef CREDIT_SHARE
#define CREDIT_SHARE 0.5
#endif
static const double mark_s = MARK_S;
static const double mark_share = 0.6;
static const double octaves = OCTAVES;
static const double least_mark_costs = 6;
static const double good_mark_costs = GOOD_COSTS;
static const double fresh_s = 10;
static const double idle_s = 5;
static const double idle_costs = 5;
static const double odd_s = 3;
enum { odds_down = 2, odds_up = 4 };
static const double least_credit_costs = 4;
static const double credit_share = CREDIT_SHARE;
static const double slope_s = 10;
static const double least_refill = 0.1;
static const double heard_s = 60;
static const double burst_memory_s = 300;
static const double cut = CUT;
static const double recovery_s = RECOVERY_S;
static const double coarse_margin = 500;
static const double near_costs = 0.75;
static const double window_slack_s = 1.2;
enum { full_sights = 32, window_sights = 5 };
static const double window_least_s = 5;

static double
least(double a, double b)
{
  return a < b ? a : b;
}

static double
most(double a, double b)
{
  return a > b ? a : b;
}

static double
seconds_between(uint64_t from_ns, uint64_t to_ns)
{
  return to_ns > from_ns ? (double)(to_ns - from_ns) * 1e-9 : 0;
}

static bool
is_near(double a, double b, double room)
{
  return a - b < room && b - a < room;
}

/* 2^-x for x >= 0 without libm, so that it is the same everywhere; to 2e-4. */
static double
exp2_minus(double x)
{
  double scale = 1;
  for (; x >= 1 && scale > 1e-9; x -= 1)
    scale *= 0.5;
  double z = -x * 0.6931471805599453;
  double sum = 1 + z / 5;
  for (int i = 4; i >= 1; i--)
    sum = 1 + z / i * sum;
  return scale * sum;
}

/* The level at which a client alone settles. */
static double
mark_of(const inf_quota *quota)
{
  bool known = quota->burst > 0;
  double costs = quota->cost * (known ? good_mark_costs : least_mark_costs);
  double mark = most(quota->rate * mark_s, costs);
  if (known)
    mark = least(mark, quota->burst * mark_share);
  return most(least(mark, quota->limit * mark_share), 1e-3);
}

/* What is left untouched: the next request of somebody else. */
static double
reserve_of(const inf_quota *quota)
{
  double reserve = quota->cost + (quota->coarse ? coarse_margin : 0);
  return least(reserve, mark_of(quota) * 0.25);
}

/* 1, or less after a 429. */
static double
share_at(const inf_quota *quota, uint64_t now_ns)
{
  if (quota->cut_ns == 0)
    return 1;
  double t = seconds_between(quota->cut_ns, now_ns) / recovery_s - 1;
  double drop = quota->cut_from - quota->cut_to;
  return least(quota->cut_from + drop * t * t * t, 1);
}

static bool
is_heard(const inf_quota *quota, uint64_t now_ns)
{
  return quota->heard_ns > 0 &&
         seconds_between(quota->heard_ns, now_ns) < heard_s;
}

static double
pace_at(const inf_quota *quota, uint64_t now_ns)
{
  double share = share_at(quota, now_ns);
  if (quota->window) {
    double rest_s = seconds_between(now_ns, quota->window_end_ns) + WINEND;
    return share * most(0, quota->level - WINRES * reserve_of(quota)) / rest_s * WINSHARE;
  }
  double ratio = quota->level / mark_of(quota);
  double part = exp2_minus(octaves * most(0, 1 - most(ratio, 0)));
  return share * quota->rate * (ratio >= 1 ? ratio : part);
}

static double
refill_at(const inf_quota *quota, uint64_t now_ns)
{
  if (!is_heard(quota, now_ns))
    return quota->rate * share_at(quota, now_ns);
  if (quota->window)
    return 0;
  return most(quota->rate * least_refill, least(quota->refill, quota->rate));
}

/* How far the level rises by itself, as far as we know. */
static double
top_of(const inf_quota *quota, uint64_t now_ns)
{
  double mark = mark_of(quota);
  double top = is_heard(quota, now_ns) ? mark : mark / mark_share;
  return most(top, quota->level);
}

static double
credit_cap(const inf_quota *quota, double need)
{
  double usable = quota->level - reserve_of(quota);
  double cap = most(usable * credit_share, quota->cost * least_credit_costs);
  return most(0, least(most(cap, need), usable));
}

static void
advance(inf_quota *quota, double need, uint64_t now_ns)
{
  if (now_ns <= quota->level_ns || quota->rate <= 0)
    return;
  double dt = seconds_between(quota->level_ns, now_ns);
  double pace = pace_at(quota, now_ns);
  quota->level = least(top_of(quota, now_ns),
                       quota->level + refill_at(quota, now_ns) * dt);
  if (quota->window && now_ns >= quota->window_end_ns) {
    quota->level = quota->limit;
    quota->window_end_ns += quota->period_ns;
  }
  quota->level_ns = now_ns;
  quota->credit = least(quota->credit + pace * dt, credit_cap(quota, need));
}

static void
believe(inf_quota *quota, double limit, uint64_t period_ns)
{
  double rate = limit / ((double)period_ns * 1e-9);
  if (limit <= 0 || (rate == quota->rate && limit == quota->limit))
    return;
  bool first = quota->rate <= 0;
  quota->refill = first ? rate : quota->refill * rate / quota->rate;
  quota->limit = limit;
  quota->period_ns = period_ns;
  quota->rate = rate;
  quota->burst = 0;
  if (first) {
    quota->level = mark_of(quota);
    quota->credit = credit_cap(quota, 0);
  }
}

void
inf_quota_init(inf_quota *quota, double limit, uint64_t period_ns,
               uint64_t now_ns)
{
  *quota = (inf_quota){.level_ns = now_ns};
  quota->period_ns = period_ns > 0 ? period_ns : 60 * INF_NS_PER_S;
  believe(quota, limit, quota->period_ns);
}

inf_quota_sent
inf_quota_spend(inf_quota *quota, uint64_t units, uint64_t now_ns)
{
  advance(quota, (double)units, now_ns);
  quota->level -= (double)units;
  quota->credit -= (double)units;
  if (quota->cost <= 0)
    quota->cost = (double)units;
  quota->cost += ((double)units - quota->cost) / 64;
  quota->spent += units;
  quota->spent_ns = now_ns;
  return (inf_quota_sent){quota->spent, units, now_ns};
}

void
inf_quota_settle(inf_quota *quota, const inf_quota_sent *sent, uint64_t actual,
                 uint64_t now_ns)
{
  double back = (double)sent->units - (double)actual;
  quota->credit += back;
  if (!is_heard(quota, now_ns))
    quota->level += back;
}

/* ---- What an answer says ------------------------------------------------- */

/* Where a reset is the time until the bucket is full, limit * reset / used is
 * the period whatever is used. It is believed after it was the same for twice
 * the use: in a window it would be half by then. Shorter periods than the
 * usual one are not guessed: a bucket that holds less than its limit would
 * look like them. */
static void
learn_period(inf_quota *quota, const inf_quota_sight *sight)
{
  static const uint64_t periods_s[] = {3600, 86400};
  int64_t used = sight->limit - sight->remaining;
  if (sight->period_ns > 0 || sight->remaining < 0 || sight->reset_ns <= 0 ||
      used <= 0)
    return;
  double period_s = (double)sight->limit * (double)sight->reset_ns * 1e-9 /
                    (double)used;
  uint64_t guess_ns = 0;
  for (size_t i = 0; i < sizeof periods_s / sizeof periods_s[0]; i++) {
    if (is_near(period_s, (double)periods_s[i], (double)periods_s[i] * 0.15))
      guess_ns = periods_s[i] * INF_NS_PER_S;
  }
  if (guess_ns != quota->guess_ns) {
    quota->guess_ns = guess_ns;
    quota->guess_used = used;
  } else if (guess_ns > 0 &&
             (used > 2 * quota->guess_used || 2 * used < quota->guess_used)) {
    quota->period_learned_ns = guess_ns;
  }
}

static uint64_t
period_of(const inf_quota *quota, const inf_quota_sight *sight)
{
  if (sight->period_ns > 0)
    return sight->period_ns;
  if (quota->period_learned_ns > 0)
    return quota->period_learned_ns;
  return quota->period_ns;
}

/* A reset that means the same moment for some seconds, while the level does
 * not rise, is the end of a window. In a bucket one of the two moves on. */
static void
learn_window(inf_quota *quota, const inf_quota_sight *sight, uint64_t sent_ns)
{
  if (sight->reset_ns <= 0)
    return;
  double seen = (double)sight->remaining;
  uint64_t end_ns = inf_time_add(sent_ns, (uint64_t)sight->reset_ns);
  bool same = seconds_between(quota->window_end_ns, end_ns) < window_slack_s &&
              seconds_between(end_ns, quota->window_end_ns) < window_slack_s;
  if (!same || seen > quota->window_level) {
    quota->window = quota->window && same;
    quota->window_seen = 0;
    quota->window_since_ns = sent_ns;
    quota->window_end_ns = end_ns;
  }
  quota->window_level = seen;
  quota->window_seen++;
  if (quota->window_seen >= window_sights &&
      seconds_between(quota->window_since_ns, sent_ns) > window_least_s)
    quota->window = true;
}

static void
learn_burst(inf_quota *quota, const inf_quota_sight *sight, double dt)
{
  if (sight->reset_ns <= 0 || quota->window)
    return;
  double burst =
      (double)sight->remaining + quota->rate * (double)sight->reset_ns * 1e-9;
  double old = quota->burst * (1 - least(dt / burst_memory_s, 1));
  quota->burst = least(most(burst, old), quota->limit);
}

/* Many levels just below the highest one: the bucket is full at it. */
static void
learn_full(inf_quota *quota, double before)
{
  double near = near_costs * quota->cost + (quota->coarse ? coarse_margin : 0);
  if (quota->tops == 0 || before > quota->top + near ||
      quota->tops >= full_sights) {
    quota->tops = quota->top_hits = 0;
    quota->top = before;
  }
  quota->tops++;
  quota->top_hits += before > quota->top - near;
  quota->top = most(quota->top, before);
  if (quota->tops < full_sights)
    return;
  if (quota->top_hits * 5 >= quota->tops * 2 &&
      quota->top < mark_of(quota) * 0.95)
    quota->burst = quota->top;
}

static void
learn_slope(inf_quota *quota, double seen, const inf_quota_sent *sent)
{
  double dt = seconds_between(quota->seen_sent.at_ns, sent->at_ns);
  if (dt <= 0)
    return;
  double own = (double)(sent->mark - quota->seen_sent.mark);
  double slope = (seen - quota->seen + own) / dt;
  slope = most(-2 * quota->rate, least(slope, 4 * quota->rate));
  quota->refill += (slope - quota->refill) * dt / (dt + slope_s);
}

/* A level that is far from what is expected must be told again. */
static bool
is_plausible(inf_quota *quota, double level, uint64_t now_ns)
{
  double room = most(mark_of(quota) * 0.5, quota->rate * odd_s);
  bool fresh = quota->heard_ns > 0 &&
               seconds_between(quota->heard_ns, now_ns) < fresh_s;
  if (!fresh || is_near(level, quota->level, room)) {
    quota->odds = 0;
    return true;
  }
  if (quota->odds == 0 || !is_near(level, quota->odd, room))
    quota->odds = 0;
  quota->odd = level;
  quota->odds++;
  if (quota->odds < (level > quota->level ? odds_up : odds_down))
    return false;
  quota->odds = 0;
  return true;
}

void
inf_quota_observe(inf_quota *quota, const inf_quota_sight *sight,
                  const inf_quota_sent *sent, uint64_t now_ns)
{
  bool newest = quota->heard_ns == 0 ||
                (int64_t)(sent->mark - quota->seen_sent.mark) > 0;
  advance(quota, 0, now_ns);
  if (sight->limit > 0) {
    learn_period(quota, sight);
    believe(quota, (double)sight->limit, period_of(quota, sight));
  }
  if (quota->rate <= 0 || !newest)
    return;
  double seen = (double)sight->remaining;
  if (sight->remaining < 0) {
    if (sight->reset_ns < 0)
      return;
    double burst = quota->rate * mark_s / mark_share;
    seen = burst - quota->rate * (double)sight->reset_ns * 1e-9;
    seen = most(seen, 0);
  }
  double age = seconds_between(sent->at_ns, now_ns);
  double level = seen + refill_at(quota, now_ns) * age -
                 (double)(quota->spent - sent->mark);
  if (!is_plausible(quota, level, now_ns))
    return;
  if (quota->heard_ns > 0)
    learn_slope(quota, seen, sent);
  if (sight->remaining >= 0) {
    learn_window(quota, sight, sent->at_ns);
    learn_burst(quota, sight,
                seconds_between(quota->seen_sent.at_ns, sent->at_ns));
    if (sight->reset_ns < 0)
      learn_full(quota, seen + (double)sent->units);
  }
  quota->coarse = sight->coarse;
  quota->level = level;
  quota->seen = seen;
  quota->seen_sent = *sent;
  quota->heard_ns = now_ns;
}

void
inf_quota_refuse(inf_quota *quota, const inf_quota_sent *sent, int64_t hint_ns,
                 uint64_t now_ns)
{
  if (quota->rate <= 0)
    return;
  advance(quota, 0, now_ns);
  bool known =
      quota->cut_ns > 0 && (int64_t)(sent->mark - quota->cut_mark) <= 0;
  bool expected = is_heard(quota, now_ns) &&
                  quota->level < 2 * reserve_of(quota) + quota->cost;
  quota->refused_ns = now_ns;
  quota->level = least(quota->level, 0);
  quota->credit = least(quota->credit, 0);
  if (hint_ns > 0)
    quota->hold_ns = inf_time_add(now_ns, (uint64_t)hint_ns);
  if (known || expected)
    return;
  quota->cut_from = share_at(quota, now_ns);
  quota->cut_to = quota->cut_from * cut;
  quota->cut_ns = now_ns;
  quota->cut_mark = quota->spent;
}

inf_quota_now
inf_quota_read(inf_quota *quota, double need, uint64_t now_ns)
{
  advance(quota, need, now_ns);
  inf_quota_now now = {.limited = quota->rate > 0,
                       .limit = quota->limit,
                       .period_ns = quota->period_ns};
  if (!now.limited)
    return now;
  now.burst = credit_cap(quota, need);
  now.level = most(0, least(quota->credit, now.burst));
  now.pace = pace_at(quota, now_ns);
  double idle = idle_s + idle_costs * need / quota->rate;
  bool guessed = quota->refused_ns >= quota->heard_ns;
  if ((!quota->window || guessed) &&
      seconds_between(quota->spent_ns, now_ns) > idle)
    now.level = most(now.level, need);
  if (quota->hold_ns > now_ns) {
    now.not_ns = quota->hold_ns;
    now.level = 0;
  }
  return now;
}

size_t
inf_quota_emptiest(inf_quota *const *quotas, size_t count, uint64_t now_ns)
{
  size_t found = count;
  double best = 0;
  for (size_t i = 0; i < count; i++) {
    if (quotas[i]->rate <= 0)
      continue;
    advance(quotas[i], 0, now_ns);
    double level = quotas[i]->level;
    if (quotas[i]->odds > 0)
      level = least(level, quotas[i]->odd);
    double ratio = level / mark_of(quotas[i]);
    if (found == count || ratio < best) {
      found = i;
      best = ratio;
    }
  }
  return found;
}
