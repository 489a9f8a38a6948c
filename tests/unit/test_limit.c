/* SPDX-License-Identifier: MIT */
#include "policy/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define S   INF_NS_PER_S
#define MIN (60 * S)
#define DAY (86400 * S)
#define NOW (5000 * S)

enum { requests_s, tokens_min, requests_day }; /* in `usual` */

static const inf_limit_rules usual = {
    .rule = {{INF_LIMIT_REQUESTS, 15, S, 0},
             {INF_LIMIT_TOKENS, 60000, MIN, 0},
             {INF_LIMIT_REQUESTS, 100, DAY, 0}},
    .count = 3,
};

static inf_limiter
new_limiter(const inf_limit_rules *rules)
{
  inf_limiter limiter;
  assert_true(inf_limit_rules_valid(rules));
  inf_limit_init(&limiter, rules);
  return limiter;
}

static inf_limiter
one_rule(inf_limit_kind kind, uint64_t limit, uint64_t period_ns)
{
  return new_limiter(
      &(inf_limit_rules){.rule = {{kind, limit, period_ns, 0}}, .count = 1});
}

static inf_limit_verdict
reserve(inf_limiter *limiter, uint64_t requests, uint64_t input,
        uint64_t output, uint64_t now_ns, inf_limit_reservation *reservation)
{
  return inf_limit_reserve(limiter, &(inf_limit_cost){requests, input, output},
                           0, now_ns, reservation);
}

static void
admit(inf_limiter *limiter, uint64_t requests, uint64_t input, uint64_t output,
      uint64_t now_ns, inf_limit_reservation *reservation)
{
  inf_limit_verdict verdict =
      reserve(limiter, requests, input, output, now_ns, reservation);
  assert_int_equal(verdict.outcome, INF_LIMIT_ADMITTED);
  assert_int_equal(verdict.dimension, INF_LIMIT_NONE);
  assert_int_equal(verdict.at_ns, now_ns);
  assert_true(reservation->open);
}

static void
assert_verdict(inf_limit_verdict verdict, inf_limit_outcome outcome,
               size_t dimension, uint64_t at_ns)
{
  assert_int_equal(verdict.outcome, outcome);
  assert_int_equal(verdict.dimension, dimension);
  assert_int_equal(verdict.at_ns, at_ns);
}

static uint64_t
level(const inf_limiter *limiter, size_t dimension, uint64_t now_ns)
{
  return inf_gcra_level(&limiter->dimension[dimension].gcra, now_ns);
}

static void
what_is_valid(void **state)
{
  (void)state;
  inf_limit_rules rules = {.count = 0};
  assert_true(inf_limit_rules_valid(&rules));
  rules.count = INF_LIMIT_RULES_MAX + 1;
  assert_false(inf_limit_rules_valid(&rules));
  rules = usual;
  rules.rule[2].limit = 0; /* nothing, ever, and no burst */
  assert_false(inf_limit_rules_valid(&rules));
  rules = usual;
  rules.rule[2].period_ns = S; /* the same as the first */
  assert_false(inf_limit_rules_valid(&rules));
  rules.rule[2].kind = INF_LIMIT_OUTPUT;
  assert_true(inf_limit_rules_valid(&rules));
}

static void
without_rules_all_is_admitted(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&(inf_limit_rules){.count = 0});
  inf_limit_reservation one;
  admit(&limiter, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, &one);
  assert_true(inf_limit_release(&limiter, &one, 0));
  assert_int_equal(inf_limit_headroom_percent(&limiter, NOW), 100);
}

/* Clarifai's default. */
static void
fifteen_per_second(void **state)
{
  (void)state;
  inf_limiter limiter = one_rule(INF_LIMIT_REQUESTS, 15, S);
  inf_limit_reservation one;
  for (size_t i = 0; i < 15; i++)
    admit(&limiter, 1, 5000, 5000, NOW, &one);
  assert_verdict(reserve(&limiter, 1, 1, 1, NOW, &one), INF_LIMIT_WAIT, 0,
                 NOW + 66666667);
  for (uint64_t i = 1; i <= 15; i++)
    admit(&limiter, 1, 1, 1, NOW + (i * S + 14) / 15, &one);
}

/* A provider that counts windows: 14 + 1 in any second. */
static void
no_window_of_a_second_holds_more(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(
      &(inf_limit_rules){.rule = {{INF_LIMIT_REQUESTS, 14, S, 1}}, .count = 1});
  inf_limit_reservation one;
  uint64_t passed_ns[100];
  uint64_t now_ns = NOW;
  for (size_t i = 0; i < 100; i++) {
    inf_limit_cost cost = {1, 0, 0};
    now_ns = inf_limit_peek(&limiter, &cost, 0, now_ns).at_ns;
    admit(&limiter, 1, 0, 0, now_ns, &one);
    passed_ns[i] = now_ns;
    if (i >= 15)
      assert_true(now_ns - passed_ns[i - 15] > S);
  }
}

static void
each_kind_counts_its_own(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(
      &(inf_limit_rules){.rule = {{INF_LIMIT_REQUESTS, 1000, MIN, 0},
                                  {INF_LIMIT_TOKENS, 1000, MIN, 0},
                                  {INF_LIMIT_INPUT, 1000, MIN, 0},
                                  {INF_LIMIT_OUTPUT, 1000, MIN, 0}},
                         .count = 4});
  inf_limit_reservation one;
  admit(&limiter, 2, 30, 400, NOW, &one);
  assert_int_equal(level(&limiter, 0, NOW), 998);
  assert_int_equal(level(&limiter, 1, NOW), 570);
  assert_int_equal(level(&limiter, 2, NOW), 970);
  assert_int_equal(level(&limiter, 3, NOW), 600);
  assert_true(
      inf_limit_settle(&limiter, &one, &(inf_limit_cost){1, 40, 300}, NOW));
  assert_int_equal(level(&limiter, 0, NOW), 999);
  assert_int_equal(level(&limiter, 1, NOW), 660);
  assert_int_equal(level(&limiter, 2, NOW), 960);
  assert_int_equal(level(&limiter, 3, NOW), 700);
}

static void
all_or_nothing(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one, other = {.open = false};
  admit(&limiter, 1, 50000, 0, NOW, &one);
  assert_verdict(reserve(&limiter, 1, 10000, 5000, NOW, &other), INF_LIMIT_WAIT,
                 tokens_min, NOW + 5 * S);
  assert_false(other.open);
  assert_int_equal(level(&limiter, requests_s, NOW), 14);
  assert_int_equal(level(&limiter, tokens_min, NOW), 10000);
  assert_int_equal(level(&limiter, requests_day, NOW), 99);
  assert_int_equal(limiter.open, 1);
}

static void
the_longest_wait_counts(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one;
  admit(&limiter, 15, 60000, 0, NOW, &one);
  assert_verdict(reserve(&limiter, 15, 1, 0, NOW, &one), INF_LIMIT_WAIT,
                 requests_s, NOW + S);
  assert_verdict(reserve(&limiter, 1, 1000, 1000, NOW, &one), INF_LIMIT_WAIT,
                 tokens_min, NOW + 2 * S);
  assert_verdict(reserve(&limiter, 16, 60000, 0, NOW, &one), INF_LIMIT_NEVER,
                 requests_s, INF_NEVER);
  assert_verdict(reserve(&limiter, 1, 60000, 1, NOW, &one), INF_LIMIT_NEVER,
                 tokens_min, INF_NEVER);
}

static void
peeking_takes_nothing(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_cost cost = {15, 60000, 0};
  for (size_t i = 0; i < 3; i++)
    assert_verdict(inf_limit_peek(&limiter, &cost, 0, NOW), INF_LIMIT_ADMITTED,
                   INF_LIMIT_NONE, NOW);
  assert_verdict(inf_limit_peek(&limiter, &cost, 1, NOW), INF_LIMIT_NEVER,
                 requests_s, INF_NEVER);
}

static void
a_share_is_kept_in_every_dimension(void **state)
{
  (void)state;
  inf_limit_rules rules = usual;
  rules.concurrency = 5;
  inf_limiter limiter = new_limiter(&rules);
  inf_limit_reservation one[5];
  inf_limit_cost cost = {1, 30000, 0};
  admit(&limiter, 1, 30000, 0, NOW, &one[0]);
  assert_verdict(inf_limit_reserve(&limiter, &cost, 20, NOW, &one[1]),
                 INF_LIMIT_WAIT, tokens_min, NOW + 12 * S);
  cost.input_tokens = 0;
  for (size_t i = 1; i < 4; i++)
    assert_int_equal(
        inf_limit_reserve(&limiter, &cost, 20, NOW, &one[i]).outcome,
        INF_LIMIT_ADMITTED);
  assert_verdict(inf_limit_peek(&limiter, &cost, 20, NOW), INF_LIMIT_FULL,
                 INF_LIMIT_CONCURRENCY, NOW);
  assert_verdict(inf_limit_peek(&limiter, &cost, 81, NOW + DAY),
                 INF_LIMIT_NEVER, INF_LIMIT_CONCURRENCY, INF_NEVER);
  admit(&limiter, 1, 0, 0, NOW, &one[4]);
}

static void
slots_are_bounded_and_come_back(void **state)
{
  (void)state;
  inf_limit_rules rules = {
      .rule = {{INF_LIMIT_TOKENS, 60, MIN, 0}}, .count = 1, .concurrency = 2};
  inf_limiter limiter = new_limiter(&rules);
  inf_limit_reservation one, two, three;
  admit(&limiter, 1, 60, 0, NOW, &one);
  admit(&limiter, 1, 0, 0, NOW, &two);
  assert_verdict(reserve(&limiter, 1, 0, 0, NOW, &three), INF_LIMIT_FULL,
                 INF_LIMIT_CONCURRENCY, NOW);
  /* Full, and after that there are no tokens for a second. */
  assert_verdict(reserve(&limiter, 1, 1, 0, NOW, &three), INF_LIMIT_FULL,
                 INF_LIMIT_CONCURRENCY, NOW + S);
  assert_true(inf_limit_abort(&limiter, &two, 0, 0, NOW));
  admit(&limiter, 1, 0, 0, NOW, &three);
  assert_int_equal(limiter.open, 2);
  /* Fewer than are open: none is admitted until it fits. */
  rules.concurrency = 1;
  inf_limit_reconfigure(&limiter, &rules, NOW);
  assert_true(inf_limit_release(&limiter, &three, NOW));
  assert_int_equal(reserve(&limiter, 1, 0, 0, NOW, &two).outcome,
                   INF_LIMIT_FULL);
  assert_int_equal(inf_limit_headroom_percent(&limiter, NOW), 0);
  assert_true(inf_limit_release(&limiter, &one, NOW));
  assert_int_equal(limiter.open, 0);
  /* With one slot, none can be kept free. */
  assert_verdict(inf_limit_peek(&limiter, &(inf_limit_cost){1, 0, 0}, 1, NOW),
                 INF_LIMIT_NEVER, INF_LIMIT_CONCURRENCY, INF_NEVER);
}

static void
a_reservation_ends_once(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one, other;
  admit(&limiter, 1, 100, 900, NOW, &other);
  admit(&limiter, 1, 100, 900, NOW, &one);
  inf_limit_cost actual = {1, 100, 400};
  assert_true(inf_limit_settle(&limiter, &one, &actual, NOW));
  assert_int_equal(level(&limiter, tokens_min, NOW), 58500);
  inf_limiter before = limiter;
  assert_false(inf_limit_settle(&limiter, &one, &actual, NOW + S));
  assert_false(inf_limit_release(&limiter, &one, NOW + S));
  assert_false(inf_limit_abort(&limiter, &one, 0, 0, NOW + S));
  assert_memory_equal(&before, &limiter, sizeof before);
  assert_int_equal(limiter.open, 1);
}

static void
what_was_not_sent_is_given_back(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one;
  admit(&limiter, 1, 100, 900, NOW, &one);
  assert_true(inf_limit_release(&limiter, &one, NOW));
  assert_int_equal(level(&limiter, requests_s, NOW), 15);
  assert_int_equal(level(&limiter, tokens_min, NOW), 60000);
  assert_int_equal(level(&limiter, requests_day, NOW), 100);
}

static void
what_was_broken_off_keeps_its_request(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one;
  admit(&limiter, 1, 100, 900, NOW, &one);
  assert_true(inf_limit_abort(&limiter, &one, 100, 50, NOW));
  assert_int_equal(level(&limiter, requests_s, NOW), 14);
  assert_int_equal(level(&limiter, tokens_min, NOW), 59850);
  assert_int_equal(level(&limiter, requests_day, NOW), 99);
}

static void
over_use_delays_and_never_allows(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one, other;
  admit(&limiter, 1, 60000, 0, NOW, &one);
  assert_true(inf_limit_settle(&limiter, &one, &(inf_limit_cost){1, 60000, 500},
                               NOW + S));
  /* 500 too many, less 1,000 drained in the second. */
  assert_int_equal(level(&limiter, tokens_min, NOW + S), 500);
  assert_verdict(reserve(&limiter, 1, 1000, 0, NOW + S, &other), INF_LIMIT_WAIT,
                 tokens_min, NOW + S + S / 2);
  /* Nonsense as usage stops the limiter, but does not wrap. */
  admit(&limiter, 1, 0, 0, NOW + S, &one);
  assert_true(inf_limit_settle(
      &limiter, &one, &(inf_limit_cost){1, UINT64_MAX, UINT64_MAX}, NOW + S));
  assert_verdict(reserve(&limiter, 1, 1, 0, NOW + DAY, &other), INF_LIMIT_NEVER,
                 tokens_min, INF_NEVER);
}

/* Reserved, drained, and taken again by others before the first says that it
 * used nothing: no second burst. */
static void
late_news_allows_no_second_burst(void **state)
{
  (void)state;
  inf_limiter limiter = one_rule(INF_LIMIT_TOKENS, 60000, MIN);
  inf_limit_reservation one, other, third;
  admit(&limiter, 1, 60000, 0, NOW, &one);
  admit(&limiter, 1, 60000, 0, NOW + MIN, &other);
  assert_true(inf_limit_release(&limiter, &one, NOW + MIN));
  assert_verdict(reserve(&limiter, 1, 60000, 0, NOW + MIN, &third),
                 INF_LIMIT_WAIT, 0, NOW + 2 * MIN);
}

/* While the bucket is never full, all that was not used comes back. */
static void
under_load_all_comes_back(void **state)
{
  (void)state;
  inf_limiter limiter = one_rule(INF_LIMIT_TOKENS, 60000, MIN);
  inf_limit_reservation one[60];
  inf_limit_reservation first;
  admit(&limiter, 1, 50000, 0, NOW, &first);
  for (uint64_t i = 0; i < 60; i++)
    admit(&limiter, 1, 500, 500, NOW + i * S, &one[i]);
  for (size_t i = 0; i < 60; i++)
    assert_true(inf_limit_settle(&limiter, &one[i],
                                 &(inf_limit_cost){1, 400, 100}, NOW + MIN));
  /* 50,000 + 60 * 500 - 60,000 are owed. */
  assert_int_equal(level(&limiter, 0, NOW + MIN), 40000);
}

static void
a_reload_keeps_debts_by_kind_and_period(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one;
  admit(&limiter, 10, 20000, 10000, NOW, &one);
  inf_limit_rules rules = {
      .rule = {{INF_LIMIT_REQUESTS, 200, DAY, 0},   /* kept, larger */
               {INF_LIMIT_INPUT, 50000, MIN, 0},    /* new */
               {INF_LIMIT_REQUESTS, 600, MIN, 300}, /* new */
               {INF_LIMIT_TOKENS, 90000, MIN, 0}},  /* kept, larger */
      .count = 4};
  inf_limit_reconfigure(&limiter, &rules, NOW);
  assert_int_equal(level(&limiter, 0, NOW), 190);
  assert_int_equal(level(&limiter, 1, NOW), 50000);
  assert_int_equal(level(&limiter, 2, NOW), 300);
  assert_int_equal(level(&limiter, 3, NOW), 60000);
  /* The new ones are given nothing that was not taken of them. */
  inf_limit_reservation other;
  admit(&limiter, 10, 30000, 0, NOW, &other);
  assert_true(
      inf_limit_settle(&limiter, &one, &(inf_limit_cost){1, 5000, 0}, NOW));
  assert_int_equal(level(&limiter, 0, NOW), 189);
  assert_int_equal(level(&limiter, 1, NOW), 20000);
  assert_int_equal(level(&limiter, 2, NOW), 290);
  assert_int_equal(level(&limiter, 3, NOW), 55000);
}

static void
one_time_holds_for_all_dimensions(void **state)
{
  (void)state;
  inf_limiter limiter = one_rule(INF_LIMIT_REQUESTS, 1, S);
  inf_limit_reservation one;
  admit(&limiter, 1, 0, 0, NOW, &one);
  inf_limit_rules rules = {.rule = {{INF_LIMIT_TOKENS, 60, MIN, 0}},
                           .count = 1};
  inf_limit_reconfigure(&limiter, &rules, NOW);
  /* The new one has not seen NOW, but the limiter has. */
  assert_int_equal(reserve(&limiter, 1, 60, 0, NOW - MIN, &one).outcome,
                   INF_LIMIT_ADMITTED);
  assert_verdict(reserve(&limiter, 1, 1, 0, NOW - MIN, &one), INF_LIMIT_WAIT, 0,
                 NOW + S);
}

static void
what_the_provider_says_is_taken_over(void **state)
{
  (void)state;
  inf_limiter limiter = new_limiter(&usual);
  inf_limit_reservation one;
  size_t at = inf_limit_find(&limiter, INF_LIMIT_TOKENS, MIN);
  assert_int_equal(at, tokens_min);
  assert_int_equal(inf_limit_find(&limiter, INF_LIMIT_TOKENS, S),
                   INF_LIMIT_NONE);
  assert_int_equal(inf_limit_find(&limiter, INF_LIMIT_OUTPUT, MIN),
                   INF_LIMIT_NONE);
  inf_limit_set_level(&limiter, at, 3000, NOW);
  assert_int_equal(inf_limit_headroom_percent(&limiter, NOW), 5);
  assert_true(inf_limit_set_rate(&limiter, at, 30000, 40000, NOW));
  assert_false(inf_limit_set_rate(&limiter, at, 30000, 0, NOW));
  /* 57,000 are owed, 40,000 is the burst, 500 drain in a second. */
  assert_verdict(reserve(&limiter, 1, 500, 0, NOW, &one), INF_LIMIT_WAIT,
                 tokens_min, NOW + 35 * S);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_valid),
      cmocka_unit_test(without_rules_all_is_admitted),
      cmocka_unit_test(fifteen_per_second),
      cmocka_unit_test(no_window_of_a_second_holds_more),
      cmocka_unit_test(each_kind_counts_its_own),
      cmocka_unit_test(all_or_nothing),
      cmocka_unit_test(the_longest_wait_counts),
      cmocka_unit_test(peeking_takes_nothing),
      cmocka_unit_test(a_share_is_kept_in_every_dimension),
      cmocka_unit_test(slots_are_bounded_and_come_back),
      cmocka_unit_test(a_reservation_ends_once),
      cmocka_unit_test(what_was_not_sent_is_given_back),
      cmocka_unit_test(what_was_broken_off_keeps_its_request),
      cmocka_unit_test(over_use_delays_and_never_allows),
      cmocka_unit_test(late_news_allows_no_second_burst),
      cmocka_unit_test(under_load_all_comes_back),
      cmocka_unit_test(a_reload_keeps_debts_by_kind_and_period),
      cmocka_unit_test(one_time_holds_for_all_dimensions),
      cmocka_unit_test(what_the_provider_says_is_taken_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
