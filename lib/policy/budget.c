/* SPDX-License-Identifier: MIT */
/* Budgets of a day or a month; see budget.h. */
#include "policy/budget.h"

#include "base/wide.h"

enum { seconds_per_day = 86400, days_per_year = 365, months = 12 };
/* April 2262: what 64 bits of nanoseconds hold. */
static const int64_t last_s = INT64_MAX / 1000000000;

/* ---- Amounts ------------------------------------------------------------- */

static int64_t
sum(int64_t a, int64_t b)
{
  return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static int64_t
less(int64_t a, int64_t b)
{
  return a > b ? a - b : 0;
}

static inf_budget_amount
add(inf_budget_amount a, inf_budget_amount b)
{
  return (inf_budget_amount){sum(a.nano_usd, b.nano_usd),
                             sum(a.tokens, b.tokens)};
}

static inf_budget_amount
subtract(inf_budget_amount a, inf_budget_amount b)
{
  return (inf_budget_amount){less(a.nano_usd, b.nano_usd),
                             less(a.tokens, b.tokens)};
}

/* ---- Periods ------------------------------------------------------------- */

/* Days from 1970 to the beginning of the year. */
static int64_t
days_to_year(int64_t year)
{
  int64_t past = year - 1;
  int64_t leap_days =
      past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
  return (year - 1970) * days_per_year + leap_days;
}

/* And to that of the month, from 0, of the year. */
static int64_t
days_to_month(int64_t year, int64_t month)
{
  static const int64_t before[] = {0,   31,  59,  90,  120, 151,
                                   181, 212, 243, 273, 304, 334};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days_to_year(year) + before[month] + (leap && month > 1 ? 1 : 0);
}

static int64_t
month_of_day(int64_t day)
{
  int64_t year = 1970 + day / (days_per_year + 1), month = 0;
  while (days_to_year(year + 1) <= day)
    year++;
  while (month + 1 < months && days_to_month(year, month + 1) <= day)
    month++;
  return (year - 1970) * months + month;
}

int64_t
inf_budget_period_at(const inf_budget_rule *rule, int64_t wall_s)
{
  int64_t utc_s = wall_s < 0 ? 0 : wall_s > last_s ? last_s : wall_s;
  int64_t local_s = utc_s + (int64_t)rule->offset_minutes * 60;
  int64_t day = local_s > 0 ? local_s / seconds_per_day : 0;
  return 1 + (rule->period == INF_BUDGET_DAY ? day : month_of_day(day));
}

int64_t
inf_budget_period_start(const inf_budget_rule *rule, int64_t period)
{
  int64_t number = period - 1;
  int64_t day = rule->period == INF_BUDGET_DAY
                    ? number
                    : days_to_month(1970 + number / months, number % months);
  return day * seconds_per_day - (int64_t)rule->offset_minutes * 60;
}

inf_budget_account *
inf_budget_turn(inf_budget *budget, const inf_budget_rule *rule, int64_t wall_s)
{
  int64_t period = inf_budget_period_at(rule, wall_s);
  inf_budget_account *latest = &budget->latest, *before = &budget->before;
  bool comes_on = period >= latest->period;
  if (period > latest->period) {
    if (!budget->goes_back)
      *before = *latest;
    *latest = (inf_budget_account){.period = period};
  } else if (!comes_on && before->period > 0 && period > before->period) {
    *before = (inf_budget_account){.period = period};
  }
  budget->goes_back = !comes_on && before->period > 0;
  return budget->goes_back ? before : latest;
}

/* ---- Reserve and settle -------------------------------------------------- */

static bool
fits(int64_t limit, int64_t used, int64_t more)
{
  return limit < 0 || more == 0 || sum(used, more) <= limit;
}

bool
inf_budget_fits(inf_budget *budget, const inf_budget_rule *rule, int64_t wall_s,
                inf_budget_amount amount)
{
  const inf_budget_account *account = inf_budget_turn(budget, rule, wall_s);
  inf_budget_amount used = add(account->spent, budget->reserved);
  return fits(rule->limit.nano_usd, used.nano_usd, amount.nano_usd) &&
         fits(rule->limit.tokens, used.tokens, amount.tokens);
}

void
inf_budget_reserve(inf_budget *budget, inf_budget_amount amount)
{
  budget->reserved = add(budget->reserved, amount);
}

/* Has so much been spent as to warn? */
static bool
is_near(int64_t limit, int64_t spent, int64_t share)
{
  static const int64_t whole = 1000000;
  return limit > 0 && (inf_i128)spent * whole >= (inf_i128)limit * share;
}

bool
inf_budget_settle(inf_budget *budget, const inf_budget_rule *rule,
                  int64_t wall_s, inf_budget_amount reserved,
                  inf_budget_amount cost)
{
  inf_budget_account *account = inf_budget_turn(budget, rule, wall_s);
  budget->reserved = subtract(budget->reserved, reserved);
  account->spent = add(account->spent, cost);
  if (account->warned || rule->warn == 0)
    return false;
  account->warned =
      is_near(rule->limit.nano_usd, account->spent.nano_usd, rule->warn) ||
      is_near(rule->limit.tokens, account->spent.tokens, rule->warn);
  return account->warned;
}

/* ---- The store ----------------------------------------------------------- */

/* Puts what was spent here into the accounts of the store. One that is older
 * than both is no more of use. */
static void
merge_account(inf_budget *into, const inf_budget_account *ours)
{
  inf_budget_account *const both[] = {&into->latest, &into->before};
  inf_budget_account alone = *ours;
  alone.stored = (inf_budget_amount){0, 0};
  if (ours->period == 0)
    return;
  for (int i = 0; i < 2; i++)
    if (both[i]->period == ours->period) {
      both[i]->spent = add(both[i]->spent, subtract(ours->spent, ours->stored));
      both[i]->warned |= ours->warned;
      return;
    }
  if (ours->period > into->latest.period) {
    into->before = into->latest;
    into->latest = alone;
  } else if (ours->period > into->before.period) {
    into->before = alone;
  }
}

void
inf_budget_merge(inf_budget *budget, const inf_budget *stored)
{
  inf_budget both = {.latest = stored->latest, .before = stored->before};
  int64_t used =
      budget->goes_back ? budget->before.period : budget->latest.period;
  both.latest.stored = both.latest.spent;
  both.before.stored = both.before.spent;
  merge_account(&both, &budget->before);
  merge_account(&both, &budget->latest);
  both.latest.writing = both.latest.spent;
  both.before.writing = both.before.spent;
  both.goes_back = used > 0 && both.before.period == used;
  both.reserved = budget->reserved;
  *budget = both;
}

void
inf_budget_stored(inf_budget *budget)
{
  budget->latest.stored = budget->latest.writing;
  budget->before.stored = budget->before.writing;
}
