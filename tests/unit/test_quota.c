/* SPDX-License-Identifier: MIT */
#include "policy/quota.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S      INF_NS_PER_S
#define MS     INF_NS_PER_MS
#define MINUTE (60 * S)
#define HOUR   (3600 * S)
#define NO     INF_QUOTA_UNKNOWN

/* 600 requests a minute: 10 a second, and a mark of 60. */
#define START_NS (1000 * S)

static bool
is_about(double value, double wanted, double share)
{
  double off = value - wanted;
  return off <= wanted * share && -off <= wanted * share;
}

#define assert_about(value, wanted)                                        \
  do {                                                                     \
    double about_value = (value);                                          \
    if (!is_about(about_value, (wanted), 0.001))                           \
      fail_msg("%s is %f, not %f", #value, about_value, (double)(wanted)); \
  } while (0)

/* Of a bucket that holds ten seconds' worth, where the reset tells that. */
static inf_quota_sight
sight(int64_t limit, int64_t remaining)
{
  int64_t reset_ns = NO;
  if (remaining < limit / 6)
    reset_ns = (limit / 6 - remaining) * (int64_t)MINUTE / limit;
  return (inf_quota_sight){0, limit, remaining, reset_ns, false};
}

/* A request of one unit, and its answer at once. */
static void
tell(inf_quota *quota, int64_t remaining, uint64_t now_ns)
{
  inf_quota_sight s = sight(600, remaining);
  inf_quota_sent sent = inf_quota_spend(quota, 1, now_ns);
  inf_quota_observe(quota, &s, &sent, now_ns);
}

/* A quota that was told its level just now. */
static inf_quota
quota_at(int64_t remaining)
{
  inf_quota quota;
  inf_quota_init(&quota, 0, 0, START_NS);
  tell(&quota, remaining, START_NS);
  return quota;
}

static void
set_level(inf_quota *quota, double level, uint64_t now_ns)
{
  quota->level = level;
  quota->level_ns = now_ns;
}

static double
pace_of(inf_quota *quota, uint64_t now_ns)
{
  return inf_quota_read(quota, 1, now_ns).pace;
}

/* ---- What is believed ---------------------------------------------------- */

static void
test_nothing_known(void **state)
{
  inf_quota quota;
  (void)state;
  inf_quota_init(&quota, 0, 0, START_NS);
  inf_quota_sent sent = inf_quota_spend(&quota, 5, START_NS);
  assert_int_equal(sent.mark, 5);
  inf_quota_sight nonsense[] = {
      {0, NO, NO, NO, false}, {0, NO, 5, NO, false}, {0, NO, NO, S, false}};
  for (size_t i = 0; i < 3; i++)
    inf_quota_observe(&quota, &nonsense[i], &sent, START_NS + i);
  inf_quota_refuse(&quota, &sent, S, START_NS);
  inf_quota *all[] = {&quota};
  assert_false(inf_quota_read(&quota, 1, START_NS + S).limited);
  assert_int_equal(inf_quota_emptiest(all, 1, START_NS), 1);
}

static void
test_limit_and_period(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  inf_quota_now now = inf_quota_read(&quota, 1, START_NS);
  assert_true(now.limited);
  assert_about(now.limit, 600);
  assert_int_equal(now.period_ns, MINUTE);
  assert_about(now.pace, 10);
  inf_quota_sight hour = {HOUR, 36000, 60, NO, false};
  inf_quota_sent sent = inf_quota_spend(&quota, 1, START_NS + 1);
  inf_quota_observe(&quota, &hour, &sent, START_NS + 1);
  now = inf_quota_read(&quota, 1, START_NS + 1);
  assert_int_equal(now.period_ns, HOUR);
  assert_about(now.pace, 20); /* of an unknown burst: the mark is 30 */
}

static void
test_configured_until_told(void **state)
{
  inf_quota quota;
  (void)state;
  inf_quota_init(&quota, 60, 0, START_NS);
  inf_quota_now now = inf_quota_read(&quota, 1, START_NS);
  assert_true(now.limited);
  assert_about(now.limit, 60);
  assert_about(now.pace, 1);
  tell(&quota, 60, START_NS + 1);
  assert_about(inf_quota_read(&quota, 1, START_NS + 1).limit, 600);
}

/* ---- The law ------------------------------------------------------------- */

static void
test_pace_by_level(void **state)
{
  static const struct {
    int64_t level;
    double pace;
  } law[] = {{60, 10}, {30, 1.25}, {0, 10.0 / 64}, {50, 5}, {120, 40}};
  (void)state;
  for (size_t i = 0; i < sizeof law / sizeof law[0]; i++) {
    inf_quota quota = quota_at(law[i].level);
    assert_about(pace_of(&quota, START_NS), law[i].pace);
  }
}

/* With 600 requests a minute the bucket is told to hold 30. */
static void
test_small_burst(void **state)
{
  inf_quota_sight s = {0, 600, 18, 1200 * (int64_t)MS, false};
  inf_quota quota;
  (void)state;
  inf_quota_init(&quota, 0, 0, START_NS);
  inf_quota_sent sent = inf_quota_spend(&quota, 1, START_NS);
  inf_quota_observe(&quota, &s, &sent, START_NS);
  assert_about(pace_of(&quota, START_NS), 10);
}

static void
test_level_for_use(void **state)
{
  (void)state;
  inf_quota quota = quota_at(101);
  /* Credit grows at the pace up to half of what is there. */
  inf_quota_now now = inf_quota_read(&quota, 0, START_NS + 10 * S);
  assert_about(now.level, 50);
  assert_about(now.burst, 50);
  /* A larger request may wait for all of it but the reserve. */
  now = inf_quota_read(&quota, 90, START_NS + 20 * S);
  assert_about(now.level, 90);
  now = inf_quota_read(&quota, 1000, START_NS + 20 * S);
  assert_about(now.burst, 100);
}

/* More than the mark is waited for by whoever needs it. */
static void
test_large_request(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  uint64_t now_ns = START_NS;
  for (; now_ns < START_NS + 9 * S; now_ns += INF_QUOTA_REREAD_NS)
    inf_quota_read(&quota, 90, now_ns);
  assert_about(inf_quota_read(&quota, 90, now_ns).level, 90);
}

/* Quotas per hour and longer are not spread over their period. */
static void
test_long_period_is_not_paced(void **state)
{
  inf_quota_sight s = {24 * HOUR, 1000, 901, 8553600 * (int64_t)MS, false};
  inf_quota quota;
  (void)state;
  inf_quota_init(&quota, 0, 0, START_NS);
  inf_quota_sent sent = inf_quota_spend(&quota, 1, START_NS);
  inf_quota_observe(&quota, &s, &sent, START_NS);
  assert_about(inf_quota_read(&quota, 1, START_NS + MS).level, 450);
  for (int i = 0; i < 400; i++)
    inf_quota_spend(&quota, 1, START_NS + MS);
  assert_true(inf_quota_read(&quota, 1, START_NS + 2 * MS).level > 200);
}

/* ---- The level ----------------------------------------------------------- */

static void
test_own_spending_since(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  quota.spent = UINT64_MAX - 3; /* marks wrap */
  quota.seen_sent.mark = quota.spent;
  inf_quota_sent old = inf_quota_spend(&quota, 2, START_NS + MS);
  inf_quota_sent sent = inf_quota_spend(&quota, 5, START_NS + MS);
  inf_quota_spend(&quota, 7, START_NS + MS);
  inf_quota_sight s = sight(600, 50);
  inf_quota_observe(&quota, &s, &sent, START_NS + MS);
  assert_about(quota.level, 43);
  /* The answer to an older request tells nothing new. */
  s.remaining = 45;
  inf_quota_observe(&quota, &s, &old, START_NS + MS);
  assert_about(quota.level, 43);
}

/* The answer is half a second old: it has been refilled since. */
static void
test_refill_since(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  inf_quota_sent sent = inf_quota_spend(&quota, 1, START_NS + MS);
  inf_quota_sight s = sight(600, 55);
  inf_quota_observe(&quota, &s, &sent, START_NS + 501 * MS);
  assert_about(quota.level, 60);
}

/* Somebody else takes nine tenths: that is what the slope tells. */
static void
test_slope(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  for (uint64_t i = 1; i <= 100; i++)
    tell(&quota, 60, START_NS + i * S);
  assert_about(quota.refill, 1);
  /* It only counts as long as somebody tells. */
  inf_quota_read(&quota, 0, START_NS + 100 * S);
  quota.level = 0;
  inf_quota_read(&quota, 0, START_NS + 110 * S);
  assert_about(quota.level, 10);
}

static void
test_settle(void **state)
{
  (void)state;
  inf_quota told = quota_at(50), own;
  inf_quota_init(&own, 600, 0, START_NS);
  inf_quota_sent a = inf_quota_spend(&told, 10, START_NS);
  inf_quota_sent b = inf_quota_spend(&own, 10, START_NS);
  double credit = told.credit, level = told.level;
  inf_quota_settle(&told, &a, 0, START_NS); /* refused, and nothing told */
  assert_about(told.credit - credit, 10);
  assert_about(told.level - level, 10);
  inf_quota_sight s = sight(600, 40);
  a = inf_quota_spend(&told, 10, START_NS);
  inf_quota_observe(&told, &s, &a, START_NS);
  inf_quota_settle(&told, &a, 4, START_NS);
  assert_about(told.level, 40); /* the headers tell it */
  level = own.level;
  inf_quota_settle(&own, &b, 14, START_NS);
  assert_about(level - own.level, 4);
}

static void
test_nonsense_is_told_once(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  tell(&quota, 0, START_NS + 1);
  assert_true(quota.level > 50);
  tell(&quota, 59, START_NS + 2);
  tell(&quota, 0, START_NS + 3);
  assert_true(quota.level > 50);
  tell(&quota, 1, START_NS + 4);
  assert_about(quota.level, 1);
  for (uint64_t i = 5; i < 8; i++) {
    tell(&quota, 600, START_NS + i);
    assert_true(quota.level < 2);
  }
  tell(&quota, 600, START_NS + 8);
  assert_about(quota.level, 600);
}

/* After a pause the level may be anything. */
static void
test_after_a_pause(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  tell(&quota, 400, START_NS + 11 * S);
  assert_about(quota.level, 400);
}

/* Nobody told so: it is not expected to be above the mark. */
static void
test_not_expected_above_mark(void **state)
{
  (void)state;
  inf_quota quota = quota_at(20);
  inf_quota_read(&quota, 0, START_NS + 30 * S);
  assert_about(quota.level, 60);
}

static void
test_resets_alone(void **state)
{
  inf_quota_sight s = {0, NO, NO, 4 * (int64_t)S, false};
  inf_quota quota;
  (void)state;
  inf_quota_init(&quota, 600, 0, START_NS);
  inf_quota_sent sent = inf_quota_spend(&quota, 1, START_NS);
  inf_quota_observe(&quota, &s, &sent, START_NS);
  assert_about(quota.level, 60);
}

/* ---- Refusals ------------------------------------------------------------ */

static void
test_refusal_that_is_expected(void **state)
{
  (void)state;
  inf_quota quota = quota_at(2);
  inf_quota_refuse(&quota, &quota.seen_sent, 3 * (int64_t)S, START_NS);
  inf_quota_now now = inf_quota_read(&quota, 1, START_NS + S);
  assert_int_equal(now.not_ns, START_NS + 3 * S);
  assert_true(now.level == 0);
  assert_int_equal(inf_quota_read(&quota, 1, START_NS + 3 * S).not_ns, 0);
  set_level(&quota, 60, START_NS + 3 * S);
  assert_about(pace_of(&quota, START_NS + 3 * S), 10);
}

static void
test_refusal_that_is_not(void **state)
{
  inf_quota quota;
  (void)state;
  inf_quota_init(&quota, 600, 0, START_NS);
  inf_quota_sent first = inf_quota_spend(&quota, 1, START_NS);
  inf_quota_sent second = inf_quota_spend(&quota, 1, START_NS);
  inf_quota_refuse(&quota, &first, -1, START_NS);
  assert_true(quota.level <= 0);
  inf_quota_refuse(&quota, &second, -1, START_NS); /* of the same event */
  set_level(&quota, 30, START_NS);
  assert_about(pace_of(&quota, START_NS), 8);
  set_level(&quota, 30, START_NS + 60 * S);
  assert_about(pace_of(&quota, START_NS + 60 * S), 9.75);
  set_level(&quota, 30, START_NS + 120 * S);
  assert_about(pace_of(&quota, START_NS + 120 * S), 10);
  set_level(&quota, 30, START_NS + 400 * S);
  assert_about(pace_of(&quota, START_NS + 400 * S), 10);
}

/* What is believed may be wrong: only an answer can tell. */
static void
test_never_silent(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  quota.level = -1e6;
  quota.credit = -1e6;
  assert_true(inf_quota_read(&quota, 10, START_NS + 10 * S).level == 0);
  inf_quota_now now = inf_quota_read(&quota, 10, START_NS + 10 * S + MS);
  assert_about(now.level, 10);
  inf_quota_spend(&quota, 10, START_NS + 10 * S + MS);
  assert_true(inf_quota_read(&quota, 10, START_NS + 11 * S).level == 0);
}

static void
test_emptiest(void **state)
{
  (void)state;
  inf_quota full = quota_at(90), empty = quota_at(10), none;
  inf_quota_init(&none, 0, 0, START_NS);
  inf_quota *all[] = {&none, &full, &empty};
  assert_int_equal(inf_quota_emptiest(all, 3, START_NS), 2);
  /* What was told once, and not believed, counts here. */
  tell(&full, 0, START_NS + 1);
  assert_int_equal(inf_quota_emptiest(all, 3, START_NS + 1), 1);
}

/* ---- Windows ------------------------------------------------------------- */

static void
test_window(void **state)
{
  inf_quota quota;
  (void)state;
  inf_quota_init(&quota, 0, 0, START_NS);
  for (uint64_t i = 0; i <= 30; i++) {
    uint64_t now_ns = START_NS + i * 200 * MS;
    inf_quota_sight s = {0, 600, 330 - (int64_t)i,
                         (int64_t)(30 * S - i * 200 * MS), false};
    inf_quota_sent sent = inf_quota_spend(&quota, 1, now_ns);
    inf_quota_observe(&quota, &s, &sent, now_ns);
  }
  assert_true(quota.shape.window);
  assert_about(quota.level, 300);
  /* 24 s are left for 299 units. */
  assert_about(pace_of(&quota, START_NS + 6 * S), 1.2 * 299 / 24.5);
  inf_quota_read(&quota, 0, START_NS + 29 * S);
  assert_about(quota.level, 300);
  inf_quota_read(&quota, 0, START_NS + 30 * S);
  assert_about(quota.level, 600);
  /* Known to be empty: there is nothing to hear before its end. */
  quota.level = quota.credit = 0;
  assert_true(inf_quota_read(&quota, 1, START_NS + 80 * S).level == 0);
}

/* Four others empty it as fast as we do: the last requests are left to them. */
static void
test_window_with_others(void **state)
{
  (void)state;
  inf_quota quota = quota_at(60);
  quota.shape.window = true;
  quota.shape.window_end_ns = START_NS + 30 * S;
  quota.refill = -20;
  quota.own = 5;
  inf_quota_spend(&quota, 1, START_NS);
  assert_about(inf_quota_read(&quota, 1000, START_NS).burst, 59 - 9);
}

/* ---- The loop closed ----------------------------------------------------- */

/* A bucket of 600 a minute that holds 100, requests of one unit, answers after
 * half a second, clients that always have work; in steps of 10 ms. */
enum { MAX_CLIENTS = 8, DELAY_STEPS = 50 };
#define STEP_NS (10 * MS)

typedef struct answer {
  bool there, refused;
  int64_t remaining;
  inf_quota_sent sent;
} answer;

typedef struct loop {
  int clients;
  bool headers;
  double limit, burst, level, cotenant; /* of this units per second */
  inf_quota quota[MAX_CLIENTS];
  answer answers[MAX_CLIENTS][DELAY_STEPS];
  double sent[MAX_CLIENTS], refused, used;
} loop;

static void
step(loop *l, uint64_t i)
{
  uint64_t now_ns = START_NS + i * STEP_NS;
  l->level += l->limit / 6000 - l->cotenant * 0.01;
  if (l->level > l->burst)
    l->level = l->burst;
  for (int c = 0; c < l->clients; c++) {
    inf_quota *quota = &l->quota[c];
    answer *slot = &l->answers[c][i % DELAY_STEPS];
    if (slot->there) {
      double missing = l->burst - (double)slot->remaining;
      inf_quota_sight s = {0, (int64_t)l->limit, slot->remaining,
                           (int64_t)(missing / l->limit * 60e9), false};
      if (l->headers)
        inf_quota_observe(quota, &s, &slot->sent, now_ns);
      if (slot->refused)
        inf_quota_refuse(quota, &slot->sent, -1, now_ns);
      inf_quota_settle(quota, &slot->sent, !slot->refused, now_ns);
    }
    slot->there = false;
    inf_quota_now now = inf_quota_read(quota, 1, now_ns);
    if (now.limited && now.level < 1)
      continue;
    *slot = (answer){true, l->level < 1, 0, inf_quota_spend(quota, 1, now_ns)};
    l->sent[c]++;
    l->level -= !slot->refused;
    l->refused += slot->refused;
    slot->remaining = (int64_t)l->level;
  }
}

/* Two minutes to settle, then four are measured. */
static void
run(loop *l)
{
  l->level = l->burst;
  for (int c = 0; c < l->clients; c++)
    inf_quota_init(&l->quota[c], l->headers ? 0 : l->limit, 0, START_NS);
  for (uint64_t i = 1; i < 12000; i++)
    step(l, i);
  double before = l->level;
  l->refused = 0;
  memset(l->sent, 0, sizeof l->sent);
  for (uint64_t i = 12000; i < 36000; i++)
    step(l, i);
  for (int c = 0; c < l->clients; c++)
    l->used += l->sent[c];
  l->used += before - l->level - l->refused;
}

static loop loops;

static void
test_alone(void **state)
{
  (void)state;
  loops = (loop){.clients = 1, .limit = 600, .burst = 100, .headers = true};
  run(&loops);
  assert_true(is_about(loops.used, 2400, 0.005));
  assert_true(loops.refused == 0);
  assert_true(loops.level > 50 && loops.level < 70);
}

static void
test_without_headers(void **state)
{
  (void)state;
  loops = (loop){.clients = 1, .limit = 600, .burst = 100};
  run(&loops);
  assert_true(is_about(loops.used, 2400, 0.005));
  assert_true(loops.refused == 0);
}

static void
test_cotenant(void **state)
{
  (void)state;
  loops = (loop){
      .clients = 1, .limit = 600, .burst = 100, .cotenant = 5, .headers = true};
  run(&loops);
  assert_true(is_about(loops.used, 1200, 0.01));
  assert_true(loops.refused == 0);
  /* At half the pace: one octave below the mark. */
  assert_true(loops.level > 40 && loops.level < 60);
}

static void
test_eight_clients(void **state)
{
  (void)state;
  loops = (loop){.clients = 8, .limit = 600, .burst = 100, .headers = true};
  run(&loops);
  assert_true(is_about(loops.used, 2400, 0.01));
  assert_true(loops.refused == 0);
  for (int c = 0; c < 8; c++)
    assert_true(is_about(loops.sent[c], 300, 0.1));
}

/* Quotas of a few requests a minute, whose levels are told in whole ones. At
 * the start fifty are sent before anything is known, and refused. */
static void
test_small_limits(void **state)
{
  (void)state;
  for (int limit = 1; limit <= 30; limit++) {
    loops =
        (loop){.clients = 1, .limit = limit, .burst = limit, .headers = true};
    run(&loops);
    assert_true(loops.used > 4 * limit * (limit > 2 ? 0.89 : 0.7));
    assert_true(loops.refused == 0);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_known),
      cmocka_unit_test(test_limit_and_period),
      cmocka_unit_test(test_configured_until_told),
      cmocka_unit_test(test_pace_by_level),
      cmocka_unit_test(test_small_burst),
      cmocka_unit_test(test_level_for_use),
      cmocka_unit_test(test_large_request),
      cmocka_unit_test(test_long_period_is_not_paced),
      cmocka_unit_test(test_own_spending_since),
      cmocka_unit_test(test_refill_since),
      cmocka_unit_test(test_slope),
      cmocka_unit_test(test_settle),
      cmocka_unit_test(test_nonsense_is_told_once),
      cmocka_unit_test(test_after_a_pause),
      cmocka_unit_test(test_not_expected_above_mark),
      cmocka_unit_test(test_resets_alone),
      cmocka_unit_test(test_refusal_that_is_expected),
      cmocka_unit_test(test_refusal_that_is_not),
      cmocka_unit_test(test_never_silent),
      cmocka_unit_test(test_emptiest),
      cmocka_unit_test(test_window),
      cmocka_unit_test(test_window_with_others),
      cmocka_unit_test(test_alone),
      cmocka_unit_test(test_without_headers),
      cmocka_unit_test(test_cotenant),
      cmocka_unit_test(test_eight_clients),
      cmocka_unit_test(test_small_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
