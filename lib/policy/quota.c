/* SPDX-License-Identifier: MIT */
/* Level and pace of one dimension of a quota.
 *
 * IMPLEMENTATION NOTES
 *
 * Values, all found or confirmed with tests/simulation/quota/quota_model.c:
 * - the mark, 6 s of refill: of a bucket that holds ten seconds' worth, a
 *   client alone leaves four tenths free for its own pauses, and eight clients
 *   settle at half of the mark, which is 3 s of everybody's spending. Where
 *   the bucket is known to hold less, six tenths of it; where it is not known
 *   what it holds, 3 s: a bucket that is full below the mark would be wasted.
 *   Of a small quota, 40 requests where the bucket is known to hold that, 6
 *   where it is not: the steps of the level are whole requests.
 * - six octaves from mark to empty: 64 clients have different levels to settle
 *   at. Three octaves are gentler but leave eight clients no room: 3 % of
 *   429s; six: none.
 * - reserve: one request, that somebody else is just sending.
 * - slope over 10 s, several times as long as the loop takes to settle; over
 *   ten requests where these take longer, for levels are told in whole ones.
 * - at least a tenth of the nominal refill is expected, so that a level that
 *   was told too low once is left again.
 * - a level farther off than 3 s of refill, or half the mark, is believed when
 *   it is told twice in a row, one that is higher four times: every twentieth
 *   answer may be nonsense. What was not heard of for 10 s may be anything.
 * - burst after a pause: half of what is left, or four requests.
 * - five seconds and five requests' worth without a request sent: one is let
 *   through, whatever is believed. Only answers can tell that it is wrong.
 * - after a 429 that the level does not explain: four fifths of the pace, and
 *   back on CUBIC's curve in two minutes (RFC 9438 has 0.7, and a time that
 *   depends on the window). Without any headers the quota is overrun once per
 *   curve: one minute gives twice the 429s for 0.1 % more of the quota.
 * - in a fixed window: 1.2 times what would use it up evenly, so that the end
 *   of the window finds nothing left; but for two requests of each other client
 *   who seems to be there, since the last levels are always told too late.
 * - quotas of an hour and more are not paced while they are above the mark:
 *   whoever wants to use the day's requests before noon may. */
#include "policy/quota.h"

#include "base/clock.h"

static const uint64_t usual_period_ns = 60 * INF_NS_PER_S;
static const uint64_t unpaced_period_ns = 3600 * INF_NS_PER_S;

static const double mark_s = 6;
static const double blind_mark_s = 3;
static const double mark_share = 0.6;
static const double mark_costs = 40;
static const double blind_mark_costs = 6;
static const double octaves = 6;
static const double reserve_share = 0.25; /* of mark and limit, at most */
static const double coarse_margin = 500;
static const double cost_weight = 1.0 / 64;

static const double burst_share = 0.5;
static const double burst_costs = 4;
static const double idle_s = 5;
static const double idle_costs = 5;

static const double slope_s = 10;
static const double slope_costs = 10;
static const double least_refill = 0.1;
static const double full_share = 0.9; /* of the limit */
static const double heard_s = 60;
static const double fresh_s = 10;
static const double odd_s = 3;
static const double odd_share = 0.5;
enum { odds_down = 2, odds_up = 4 };

static const double cut_share = 0.8;
static const double recovery_s = 120;

static const double window_pressure = 1.2;
static const double window_slack_s = 0.5;
static const double window_reserve = 2;
static const double most_others = 15;

/* ---- Numbers ------------------------------------------------------------- */

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

/* 2^-x for x in [0, octaves] without libm, so that it is the same everywhere;
 * by the series of exp, good to 2e-4. */
static double
exp2_minus(double x)
{
  unsigned whole = (unsigned)x;
  double z = (x - (double)whole) * -0.6931471805599453;
  double part =
      1 + z * (1 + z * (0.5 + z * (1.0 / 6 + z * (1.0 / 24 + z * 0.0083))));
  return part / (double)(1u << whole);
}

static bool
is_near(double a, double b, double room)
{
  return a - b < room && b - a < room;
}

/* ---- The law ------------------------------------------------------------- */

/* How many clients like us there are besides, in a window, where nothing flows
 * in: what the level loses without us, in units of what we use ourselves. */
static double
others_of(const inf_quota *quota)
{
  if (quota->refill >= 0)
    return 0;
  return least(most_others, -quota->refill / most(quota->own, 1e-9));
}

/* Mark and reserve, after anything that they depend on has changed. */
static void
set_mark(inf_quota *quota)
{
  double burst = quota->shape.burst;
  double costs = burst > 0 ? mark_costs : blind_mark_costs;
  double seconds = burst > 0 ? mark_s : blind_mark_s;
  double mark = most(quota->rate * seconds, quota->cost * costs);
  if (burst > 0)
    mark = least(mark, burst * mark_share);
  quota->mark = most(least(mark, quota->limit * mark_share), 1e-3);
  double spare = most(0, quota->limit - quota->cost);
  quota->reserve = least(quota->cost + (quota->coarse ? coarse_margin : 0),
                         least(quota->mark, spare) * reserve_share);
  if (quota->shape.window)
    quota->reserve *= 1 + window_reserve * others_of(quota);
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

static double
pace_at(const inf_quota *quota, uint64_t now_ns)
{
  double share = share_at(quota, now_ns);
  if (quota->shape.window) {
    double left = most(0, quota->level - quota->reserve);
    double rest_s = seconds_between(now_ns, quota->shape.window_end_ns);
    return share * window_pressure * left / (rest_s + window_slack_s);
  }
  double ratio = most(0, quota->level / quota->mark);
  double part = ratio < 1 ? exp2_minus(octaves * (1 - ratio)) : ratio;
  return share * quota->rate * part;
}

/* ---- The level ----------------------------------------------------------- */

static bool
is_heard(const inf_quota *quota, uint64_t now_ns)
{
  return quota->heard_ns > 0 &&
         seconds_between(quota->heard_ns, now_ns) < heard_s;
}

/* Than the one whose answer told the level? */
static bool
is_newer(const inf_quota *quota, const inf_quota_sent *sent)
{
  return quota->heard_ns == 0 ||
         (int64_t)(sent->mark - quota->seen_sent.mark) > 0;
}

static double
refill_at(const inf_quota *quota, uint64_t now_ns)
{
  if (!is_heard(quota, now_ns))
    return quota->rate * share_at(quota, now_ns);
  if (quota->shape.window)
    return 0;
  return most(quota->rate * least_refill, least(quota->refill, quota->rate));
}

/* How far the level rises by itself. What nobody has told is not expected to
 * be above the mark, but for what a request needs that waits for it; a bucket
 * that we keep ourselves is one of five seconds. */
static double
top_at(const inf_quota *quota, double need, uint64_t now_ns)
{
  double top = quota->mark;
  if (!is_heard(quota, now_ns))
    top /= mark_share;
  top = most(top, need + quota->reserve);
  return most(least(top, quota->limit), quota->level);
}

static double
burst_of(const inf_quota *quota, double need)
{
  double usable = quota->level - quota->reserve;
  double burst = most(usable * burst_share, quota->cost * burst_costs);
  return most(0, least(most(burst, need), usable));
}

static void
advance(inf_quota *quota, double need, uint64_t now_ns)
{
  if (now_ns <= quota->level_ns || quota->rate <= 0)
    return;
  double dt = seconds_between(quota->level_ns, now_ns);
  double grown = quota->credit + pace_at(quota, now_ns) * dt;
  quota->level = least(top_at(quota, need, now_ns),
                       quota->level + refill_at(quota, now_ns) * dt);
  if (quota->shape.window && now_ns >= quota->shape.window_end_ns) {
    quota->level = quota->limit;
    quota->shape.window_end_ns =
        inf_time_add(quota->shape.window_end_ns, quota->period_ns);
  }
  if (quota->period_ns >= unpaced_period_ns)
    grown = most(grown, quota->level - quota->mark);
  quota->credit = least(grown, burst_of(quota, need));
  quota->level_ns = now_ns;
}

/* ---- Our own requests ---------------------------------------------------- */

static void
believe(inf_quota *quota, double limit, uint64_t period_ns)
{
  double rate = limit / ((double)period_ns * 1e-9);
  if (limit == quota->limit && period_ns == quota->period_ns)
    return;
  bool first = quota->rate <= 0;
  quota->refill = first ? rate : quota->refill * rate / quota->rate;
  quota->limit = limit;
  quota->period_ns = period_ns;
  quota->rate = rate;
  quota->shape.burst = 0;
  set_mark(quota);
  if (first) {
    quota->level = quota->mark;
    quota->credit = burst_of(quota, 0);
  }
}

void
inf_quota_init(inf_quota *quota, double limit, uint64_t period_ns,
               uint64_t now_ns)
{
  *quota = (inf_quota){.level_ns = now_ns, .spent_ns = now_ns};
  quota->base_period_ns = period_ns > 0 ? period_ns : usual_period_ns;
  if (limit > 0)
    believe(quota, limit, quota->base_period_ns);
}

void
inf_quota_count_from(inf_quota *quota, uint64_t sent)
{
  quota->spent = sent;
}

inf_quota_sent
inf_quota_spend(inf_quota *quota, uint64_t units, uint64_t now_ns)
{
  double cost = (double)units;
  advance(quota, cost, now_ns);
  quota->level -= cost;
  quota->credit -= cost;
  quota->cost += (cost - quota->cost) * (quota->cost > 0 ? cost_weight : 1);
  quota->spent += units;
  quota->spent_ns = now_ns;
  set_mark(quota);
  return (inf_quota_sent){quota->spent, units, now_ns};
}

void
inf_quota_settle(inf_quota *quota, const inf_quota_sent *sent, uint64_t actual,
                 uint64_t now_ns)
{
  double back = (double)sent->units - (double)actual;
  bool seen = is_heard(quota, now_ns) && !is_newer(quota, sent);
  quota->credit += back;
  if (!seen)
    quota->level += back;
}

/* ---- What an answer says ------------------------------------------------- */

static uint64_t
period_of(const inf_quota *quota, const inf_quota_sight *sight)
{
  if (sight->period_ns > 0)
    return sight->period_ns;
  if (quota->shape.period_ns > 0)
    return quota->shape.period_ns;
  return quota->base_period_ns;
}

/* What could not flow into a full bucket was there all the same. */
static void
learn_slope(inf_quota *quota, double seen, const inf_quota_sent *sent)
{
  double dt = seconds_between(quota->seen_sent.at_ns, sent->at_ns);
  if (quota->heard_ns == 0 || dt <= 0)
    return;
  double own = (double)(sent->mark - quota->seen_sent.mark);
  double slope = (seen - quota->seen + own) / dt;
  slope = most(-2 * quota->rate, least(slope, 4 * quota->rate));
  double full = quota->limit * full_share;
  if (seen + (double)sent->units >= full && slope < quota->refill)
    return;
  double span_s = most(slope_s, slope_costs * quota->cost / quota->rate);
  double weight = dt / (dt + span_s);
  quota->refill += (slope - quota->refill) * weight;
  quota->own += (own / dt - quota->own) * weight;
}

/* A level that is far from what is expected must be told again. */
static bool
is_plausible(inf_quota *quota, double seen, double level, uint64_t now_ns)
{
  double room = most(quota->mark * odd_share, quota->rate * odd_s);
  bool fresh =
      quota->heard_ns > 0 && seconds_between(quota->heard_ns, now_ns) < fresh_s;
  uint32_t wanted = level > quota->level ? odds_up : odds_down;
  bool again = quota->odds > 0 && is_near(seen, quota->odd, room);
  quota->odds = again ? quota->odds + 1 : 1;
  quota->odd = seen;
  if (fresh && !is_near(level, quota->level, room) && quota->odds < wanted)
    return false;
  quota->odds = 0;
  return true;
}

/* What remains, as it is told, or as the time tells in which a bucket of ten
 * seconds fills; negative if neither. */
static double
remaining_of(const inf_quota *quota, const inf_quota_sight *sight)
{
  if (sight->remaining >= 0 || sight->reset_ns < 0)
    return (double)sight->remaining;
  double missing = quota->rate * (double)sight->reset_ns * 1e-9;
  return most(0, quota->rate * mark_s / mark_share - missing);
}

static void
take_level(inf_quota *quota, double seen, double level,
           const inf_quota_sent *sent, uint64_t now_ns)
{
  quota->level = level;
  quota->seen = seen;
  quota->seen_sent = *sent;
  quota->heard_ns = now_ns;
}

void
inf_quota_observe(inf_quota *quota, const inf_quota_sight *sight,
                  const inf_quota_sent *sent, uint64_t now_ns)
{
  advance(quota, 0, now_ns);
  if (sight->limit > 0) {
    inf_quota_shape_period(&quota->shape, sight);
    believe(quota, (double)sight->limit, period_of(quota, sight));
  }
  double seen = remaining_of(quota, sight);
  if (quota->rate <= 0 || !is_newer(quota, sent) || seen < 0)
    return;
  double age_s = seconds_between(sent->at_ns, now_ns);
  double level = seen + refill_at(quota, now_ns) * age_s -
                 (double)(quota->spent - sent->mark);
  if (!is_plausible(quota, seen, level, now_ns))
    return;
  learn_slope(quota, seen, sent);
  inf_quota_shape_level(&quota->shape, sight, quota->rate, sent->at_ns);
  quota->coarse = sight->coarse;
  set_mark(quota);
  take_level(quota, seen, level, sent, now_ns);
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
                  quota->level < 2 * quota->reserve + quota->cost;
  quota->level = least(quota->level, 0);
  quota->credit = least(quota->credit, 0);
  quota->refused_ns = now_ns;
  if (hint_ns > 0)
    quota->hold_ns = inf_time_add(now_ns, (uint64_t)hint_ns);
  if (known || expected)
    return;
  quota->cut_from = share_at(quota, now_ns);
  quota->cut_to = quota->cut_from * cut_share;
  quota->cut_ns = now_ns;
  quota->cut_mark = quota->spent;
}

/* ---- What may be used ---------------------------------------------------- */

/* So long nothing was sent that nothing can be heard either. In a window that
 * is known to be empty there is nothing to hear before its end. */
static bool
is_idle(const inf_quota *quota, double need, uint64_t now_ns)
{
  if (quota->shape.window && quota->refused_ns < quota->heard_ns)
    return false;
  return seconds_between(quota->spent_ns, now_ns) >
         idle_s + idle_costs * need / quota->rate;
}

inf_quota_now
inf_quota_read(inf_quota *quota, double need, uint64_t now_ns)
{
  inf_quota_now now = {.limited = quota->rate > 0,
                       .limit = quota->limit,
                       .period_ns = quota->period_ns};
  if (!now.limited)
    return now;
  advance(quota, need, now_ns);
  now.left = quota->odds > 0 ? least(quota->level, quota->odd) : quota->level;
  now.burst = burst_of(quota, need);
  now.level = most(0, least(quota->credit, now.burst));
  now.pace = pace_at(quota, now_ns);
  if (is_idle(quota, need, now_ns))
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
    inf_quota *quota = quotas[i];
    if (quota->rate <= 0)
      continue;
    advance(quota, 0, now_ns);
    double level =
        quota->odds > 0 ? least(quota->level, quota->odd) : quota->level;
    if (found == count || level / quota->mark < best) {
      found = i;
      best = level / quota->mark;
    }
  }
  return found;
}
