/* SPDX-License-Identifier: MIT */
/* The limiter of lib/policy in random steps against the naive reference.
 *
 *   limit_steps STEPS SEED
 *
 * runs STEPS steps and prints "violations N" and the steps per second; exit
 * code 1 if N is not 0. 10^9 steps take less than an hour.
 *
 * The steps are made in episodes, each with rules and habits of its own: what
 * an episode does depends on SEED and its number alone, and the first
 * violations name it. After each step, in every dimension:
 *
 *   - the debt is not below that of the reference, for any reservation, use
 *     and correction so far (never is more admitted than the law allows);
 *   - it is equal as long as lows.h had room for all it was to keep (nothing
 *     is refused that the law allows);
 *   - an admission fits the reference; a refusal does not, names the exact
 *     time, and a nanosecond earlier it does not fit. */
#include "limit_draw.h"
#include "limit_reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { reservations_max = 256, shown_max = 10 };

typedef struct episode {
  uint64_t number;
  inf_rng rng;
  inf_limiter limiter;
  inf_limit_rules rules;
  reference reference[INF_LIMIT_RULES_MAX];
  bool exact[INF_LIMIT_RULES_MAX];
  uint32_t merges[INF_LIMIT_RULES_MAX];
  inf_limit_reservation reservation[reservations_max];
  uint64_t now_ns;    /* as the limiter is told */
  uint64_t latest_ns; /* the latest of these */
  uint32_t keep_percent;
  uint64_t pace; /* how fast time runs, by how the limits drain; 0: hardly */
  bool fills;
  uint64_t most_share;      /* costs are down to one in so many of a burst */
  uint64_t reserve_percent; /* of the steps */
  uint64_t step;
} episode;

static uint64_t violations, admissions, refusals, merged_steps;

static void
violation(const episode *at, const char *what, size_t dimension)
{
  if (violations++ < shown_max)
    fprintf(stderr,
            "episode %" PRIu64 ", step %" PRIu64 ", dimension %zu: %s\n",
            at->number, at->step, dimension, what);
}

/* The limiter is about to be told the time. */
static void
tell_time(episode *at)
{
  if (at->now_ns > at->latest_ns)
    at->latest_ns = at->now_ns;
}

/* ---- Rules --------------------------------------------------------------- */

/* Drops and changes rules, at random. */
static void
keep_rules(episode *at, inf_limit_rules *rules)
{
  for (size_t i = 0; i < at->rules.count; i++) {
    if (draw_chance(&at->rng, 10))
      continue;
    size_t kept = rules->count++;
    inf_limit_rule *rule = &rules->rule[kept];
    *rule = at->rules.rule[i];
    if (draw_chance(&at->rng, 2))
      draw_rate(&at->rng, rule);
    if (kept != i) {
      at->reference[kept] = at->reference[i];
      at->exact[kept] = at->exact[i];
      at->merges[kept] = at->merges[i];
    }
    reference_set_rate(&at->reference[kept], rule->limit, draw_burst_of(rule),
                       at->latest_ns);
  }
}

static void
add_rule(episode *at, inf_limit_rules *rules)
{
  size_t last = rules->count;
  draw_add_rule(&at->rng, rules);
  if (rules->count == last)
    return;
  const inf_limit_rule *rule = &rules->rule[last];
  if (inf_limit_find(&at->limiter, rule->kind, rule->period_ns) !=
      INF_LIMIT_NONE) { /* it was dropped just now, so it would be kept */
    rules->count--;
    return;
  }
  reference_init(&at->reference[last], rule->limit, rule->period_ns,
                 draw_burst_of(rule));
  at->exact[last] = true;
  at->merges[last] = 0;
}

static void
step_reconfigure(episode *at)
{
  inf_limit_rules rules = {.concurrency = at->rules.concurrency};
  if (draw_chance(&at->rng, 4)) /* also fewer than are open */
    rules.concurrency = (uint32_t)inf_rng_below(&at->rng, 50);
  tell_time(at);
  keep_rules(at, &rules);
  if (rules.count < INF_LIMIT_RULES_MAX && draw_chance(&at->rng, 3))
    add_rule(at, &rules);
  inf_limit_reconfigure(&at->limiter, &rules, at->now_ns);
  at->rules = rules;
}

static void
step_set_rate(episode *at)
{
  if (at->rules.count == 0)
    return;
  tell_time(at);
  size_t i = inf_rng_below(&at->rng, at->rules.count);
  inf_limit_rule *rule = &at->rules.rule[i];
  draw_rate(&at->rng, rule);
  if (!inf_limit_set_rate(&at->limiter, i, rule->limit, draw_burst_of(rule),
                          at->now_ns))
    violation(at, "a valid rate is refused", i);
  reference_set_rate(&at->reference[i], rule->limit, draw_burst_of(rule),
                     at->latest_ns);
}

/* ---- Debts --------------------------------------------------------------- */

static inf_i128
debt_of(const episode *at, size_t i)
{
  const inf_gcra *gcra = &at->limiter.dimension[i].gcra;
  inf_i128 debt = (inf_i128)gcra->debt;
  debt -= (inf_i128)gcra->rate.limit * (at->latest_ns - gcra->seen_ns);
  return debt > 0 ? debt : 0;
}

static void
check_debts(episode *at)
{
  for (size_t i = 0; i < at->rules.count; i++) {
    const inf_lows *lows = &at->limiter.dimension[i].gcra.lows;
    if (lows->merges != at->merges[i])
      at->exact[i] = false;
    at->merges[i] = lows->merges;
    inf_i128 debt = debt_of(at, i);
    inf_i128 excess = reference_excess(&at->reference[i], at->latest_ns);
    if (debt < excess)
      violation(at, "the debt is below that of the reference", i);
    if (debt == 0)
      at->exact[i] = true;
    merged_steps += !at->exact[i];
    if (at->exact[i] && debt > excess)
      violation(at, "the debt is above that of the reference", i);
  }
}

static void
step_set_level(episode *at)
{
  if (at->rules.count == 0)
    return;
  tell_time(at);
  size_t i = inf_rng_below(&at->rng, at->rules.count);
  uint64_t burst = draw_burst_of(&at->rules.rule[i]);
  uint64_t level = draw_chance(&at->rng, 10)
                       ? inf_rng_next(&at->rng)
                       : inf_rng_between(&at->rng, 0, burst);
  inf_i128 before = debt_of(at, i);
  inf_limit_set_level(&at->limiter, i, level, at->now_ns);
  uint64_t used = level > burst ? 0 : burst - level;
  inf_i128 debt = (inf_i128)used * at->rules.rule[i].period_ns;
  if (debt_of(at, i) != debt)
    violation(at, "the level is not the one that was set", i);
  reference_adjust(&at->reference[i], debt - before, at->latest_ns);
}

/* ---- Reservations -------------------------------------------------------- */

static uint64_t
units_of(const inf_limit_rule *rule, const inf_limit_cost *cost)
{
  const uint64_t of_kind[] = {[INF_LIMIT_REQUESTS] = cost->requests,
                              [INF_LIMIT_TOKENS] =
                                  cost->input_tokens + cost->output_tokens,
                              [INF_LIMIT_INPUT] = cost->input_tokens,
                              [INF_LIMIT_OUTPUT] = cost->output_tokens};
  return of_kind[rule->kind];
}

/* The first dimension that does not admit it at at_ns; count if all do. With
 * `unsure`, one that is not exact counts as if it did not. */
static size_t
blocker_at(const episode *at, const inf_limit_cost *cost, uint64_t at_ns,
           bool unsure)
{
  for (size_t i = 0; i < at->rules.count; i++)
    if ((unsure && !at->exact[i]) ||
        !reference_fits(&at->reference[i], units_of(&at->rules.rule[i], cost),
                        at->keep_percent, at_ns))
      return i;
  return at->rules.count;
}

static void
check_wait(episode *at, const inf_limit_cost *cost,
           const inf_limit_verdict *verdict)
{
  size_t none = at->rules.count;
  if (verdict->at_ns <= at->latest_ns)
    violation(at, "a wait that is over", verdict->dimension);
  size_t early = blocker_at(at, cost, verdict->at_ns, false);
  if (early != none)
    violation(at, "admitted after the wait, but too early", early);
  if (blocker_at(at, cost, verdict->at_ns - 1, true) == none)
    violation(at, "a wait that is too long", verdict->dimension);
}

static void
check_never(episode *at, const inf_limit_cost *cost,
            const inf_limit_verdict *verdict)
{
  const uint64_t late_ns = (uint64_t)1 << 63;
  if (verdict->dimension == INF_LIMIT_CONCURRENCY) {
    if ((uint64_t)at->limiter.concurrency * (100 - at->keep_percent) >= 100)
      violation(at, "a slot will be free some time", verdict->dimension);
    return;
  }
  const reference *one = &at->reference[verdict->dimension];
  if (at->exact[verdict->dimension] &&
      reference_fits(one, units_of(&at->rules.rule[verdict->dimension], cost),
                     at->keep_percent, late_ns))
    violation(at, "it will fit some time", verdict->dimension);
}

static bool
slot_is_free(const episode *at)
{
  return at->limiter.concurrency == 0 ||
         ((uint64_t)at->limiter.open + 1) * 100 <=
             (uint64_t)at->limiter.concurrency * (100 - at->keep_percent);
}

static void
check_refusal(episode *at, const inf_limit_cost *cost,
              const inf_limit_verdict *verdict)
{
  refusals++;
  if (verdict->outcome == INF_LIMIT_NEVER) {
    check_never(at, cost, verdict);
  } else if (verdict->outcome == INF_LIMIT_FULL) {
    if (slot_is_free(at))
      violation(at, "there is a slot", verdict->dimension);
    if (verdict->at_ns > at->latest_ns)
      check_wait(at, cost, verdict);
  } else {
    check_wait(at, cost, verdict);
  }
}

static void
note_admission(episode *at, const inf_limit_cost *cost,
               const inf_limit_reservation *one)
{
  admissions++;
  size_t blocker = blocker_at(at, cost, at->latest_ns, false);
  if (blocker != at->rules.count)
    violation(at, "admitted against the law", blocker);
  if ((uint64_t)at->limiter.open * 100 >
          (uint64_t)at->limiter.concurrency * (100 - at->keep_percent) &&
      at->limiter.concurrency > 0)
    violation(at, "too many at the same time", INF_LIMIT_CONCURRENCY);
  for (size_t i = 0; i < at->rules.count; i++)
    reference_take(&at->reference[i], units_of(&at->rules.rule[i], cost),
                   one->mark, at->latest_ns);
}

static void
step_reserve(episode *at)
{
  inf_limit_reservation *one =
      &at->reservation[inf_rng_below(&at->rng, reservations_max)];
  if (one->open)
    return;
  tell_time(at);
  at->keep_percent =
      draw_chance(&at->rng, 4) ? (uint32_t)inf_rng_below(&at->rng, 101) : 0;
  inf_limit_cost cost =
      draw_cost(&at->rng, &at->rules, at->most_share, at->fills);
  inf_limit_verdict peeked =
      inf_limit_peek(&at->limiter, &cost, at->keep_percent, at->now_ns);
  inf_limit_verdict verdict =
      inf_limit_reserve(&at->limiter, &cost, at->keep_percent, at->now_ns, one);
  if (peeked.outcome != verdict.outcome || peeked.at_ns != verdict.at_ns ||
      peeked.dimension != verdict.dimension)
    violation(at, "peek said something else", verdict.dimension);
  if (one->open != (verdict.outcome == INF_LIMIT_ADMITTED))
    violation(at, "the reservation is not what was said", verdict.dimension);
  if (verdict.outcome == INF_LIMIT_ADMITTED)
    note_admission(at, &cost, one);
  else
    check_refusal(at, &cost, &verdict);
}

static bool
settle(episode *at, inf_limit_reservation *one, uint64_t way,
       const inf_limit_cost *actual)
{
  if (way == 0)
    return inf_limit_release(&at->limiter, one, at->now_ns);
  if (way == 1)
    return inf_limit_abort(&at->limiter, one, actual->input_tokens,
                           actual->output_tokens, at->now_ns);
  return inf_limit_settle(&at->limiter, one, actual, at->now_ns);
}

static void
note_settled(episode *at, const inf_limit_reservation *one,
             const inf_limit_cost *actual)
{
  for (size_t i = 0; i < at->rules.count; i++) {
    uint64_t reserved = units_of(&at->rules.rule[i], &one->cost);
    uint64_t used = units_of(&at->rules.rule[i], actual);
    if (used > reserved)
      reference_take(&at->reference[i], used - reserved, 0, at->latest_ns);
    else if (used < reserved)
      reference_reduce(&at->reference[i], reserved - used, one->mark);
  }
}

/* As a rule one that is open, if there is one. */
static inf_limit_reservation *
pick_reservation(episode *at)
{
  size_t first = inf_rng_below(&at->rng, reservations_max);
  if (draw_chance(&at->rng, 8))
    return &at->reservation[first];
  for (size_t i = 0; i < reservations_max; i++)
    if (at->reservation[(first + i) % reservations_max].open)
      return &at->reservation[(first + i) % reservations_max];
  return &at->reservation[first];
}

static void
step_settle(episode *at)
{
  inf_limit_reservation *one = pick_reservation(at);
  bool was_open = one->open;
  if (was_open)
    tell_time(at);
  inf_limit_cost actual = draw_actual(&at->rng, &one->cost);
  uint64_t way = inf_rng_below(&at->rng, 8);
  if (way == 0)
    actual = (inf_limit_cost){0};
  if (way == 1)
    actual.requests = one->cost.requests;
  inf_limiter before = at->limiter;
  if (settle(at, one, way, &actual) != was_open)
    violation(at, "settled not exactly once", INF_LIMIT_NONE);
  if (was_open)
    note_settled(at, one, &actual);
  else if (memcmp(&before, &at->limiter, sizeof before) != 0)
    violation(at, "settling twice changed something", INF_LIMIT_NONE);
}

/* ---- Time ---------------------------------------------------------------- */

static void
step_time(episode *at)
{
  at->now_ns = at->latest_ns + draw_wait_ns(&at->rng, &at->rules, at->pace);
  if (draw_chance(&at->rng, 20)) /* a clock that goes back */
    at->now_ns = at->latest_ns - draw_size(&at->rng, at->latest_ns);
}

static void
step(episode *at)
{
  uint64_t what = inf_rng_below(&at->rng, 100);
  if (draw_chance(&at->rng, 2))
    step_time(at);
  if (what < at->reserve_percent)
    step_reserve(at);
  else if (what < 95)
    step_settle(at);
  else if (what < 97)
    step_set_level(at);
  else if (what < 98)
    step_set_rate(at);
  else if (!at->fills)
    step_reconfigure(at);
  check_debts(at);
}

/* Settles all that is open: then nothing is. */
static void
end_episode(episode *at)
{
  for (size_t i = 0; i < reservations_max; i++)
    inf_limit_release(&at->limiter, &at->reservation[i], at->now_ns);
  if (at->limiter.open != 0)
    violation(at, "a slot is lost", INF_LIMIT_CONCURRENCY);
}

/* Some fill the buckets slowly with small things, so that lows.h has more to
 * keep than it can. */
static void
draw_habits(episode *at)
{
  at->fills = draw_chance(&at->rng, 30);
  at->pace = at->fills ? 1 : inf_rng_below(&at->rng, 9);
  at->most_share = at->fills || draw_chance(&at->rng, 4) ? 1000 : 30;
  at->reserve_percent = at->fills ? 75 : inf_rng_between(&at->rng, 40, 90);
}

static uint64_t
run_episode(episode *at, uint64_t seed, uint64_t number, uint64_t steps)
{
  static const uint64_t begins_ns[] = {0, INF_NS_PER_S, 1ull << 62};
  memset(at->reservation, 0, sizeof at->reservation);
  at->number = number;
  inf_rng_seed(&at->rng, seed * 1000003 + number);
  draw_rules(&at->rng, &at->rules);
  inf_limit_init(&at->limiter, &at->rules);
  for (size_t i = 0; i < at->rules.count; i++) {
    const inf_limit_rule *rule = &at->rules.rule[i];
    reference_init(&at->reference[i], rule->limit, rule->period_ns,
                   draw_burst_of(rule));
    at->exact[i] = true;
    at->merges[i] = 0;
  }
  at->latest_ns = 0;
  at->now_ns = begins_ns[inf_rng_below(&at->rng, 3)];
  draw_habits(at);
  uint64_t length =
      1 + inf_rng_below(&at->rng, draw_chance(&at->rng, 10) ? 500 : 120);
  if (at->fills)
    length = 500;
  if (length > steps)
    length = steps;
  for (at->step = 0; at->step < length; at->step++)
    step(at);
  end_episode(at);
  return length;
}

static uint64_t
number_of(const char *text)
{
  char *end;
  uint64_t value = strtoull(text, &end, 10);
  return *end == '\0' ? value : 0;
}

int
main(int argc, char **argv)
{
  static episode at;
  uint64_t steps = argc == 3 ? number_of(argv[1]) : 0;
  if (steps == 0) {
    fputs("usage: limit_steps STEPS SEED\n", stderr);
    return 2;
  }
  uint64_t seed = number_of(argv[2]), done = 0;
  uint64_t begin_ns = inf_clock_now(inf_clock_system());
  for (uint64_t number = 0; done < steps; number++)
    done += run_episode(&at, seed, number, steps - done);
  uint64_t took_ns = inf_clock_now(inf_clock_system()) - begin_ns;
  printf("# %" PRIu64 " admissions, %" PRIu64 " refusals, %" PRIu64
         " debts that need not be equal\n",
         admissions, refusals, merged_steps);
  printf("steps_per_s %.0f\n", (double)done * 1e9 / (double)took_ns);
  printf("violations %" PRIu64 "\n", violations);
  return violations > 0;
}
