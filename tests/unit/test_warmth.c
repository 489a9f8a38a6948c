/* SPDX-License-Identifier: MIT */
/* When a provider is warmed next. */
#include "policy/warmth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define S(n)  ((uint64_t)(n)*1000000000ull)
#define MS(n) ((uint64_t)(n)*1000000ull)
#define NEVER UINT64_MAX

#define assert_next(state, used_ns, expected) \
  assert_true(inf_warm_next_ns(&(state), used_ns) == (expected))

static void
test_an_unused_client_warms_nothing(void **state)
{
  (void)state;
  inf_warm_state warm = {0};
  assert_next(warm, 0, NEVER);
  inf_warm_note(&warm, INF_WARM_MADE, S(10));
  assert_next(warm, 0, NEVER);
}

static void
test_the_first_warm_up_follows_the_first_call(void **state)
{
  (void)state;
  inf_warm_state warm = {0};
  assert_next(warm, S(100), S(100) + MS(20));
}

static void
test_one_period_after_it_was_ready(void **state)
{
  (void)state;
  inf_warm_state warm = {0};
  inf_warm_note(&warm, INF_WARM_MADE, S(100));
  assert_next(warm, S(90), S(150));
  inf_warm_note(&warm, INF_WARM_THERE, S(150));
  assert_next(warm, S(90), S(200));
  inf_warm_note_use(&warm, S(170));
  assert_next(warm, S(170), S(220));
}

static void
test_it_ends_five_minutes_after_the_last_call(void **state)
{
  (void)state;
  inf_warm_state warm = {0};
  inf_warm_note(&warm, INF_WARM_MADE, S(350));
  assert_next(warm, S(100), S(400));
  assert_next(warm, S(100) - 1, NEVER);
}

/* The second connection had to be made although nobody used the first. */
static void
test_a_server_that_closes_early_is_looked_after_more_often(void **state)
{
  (void)state;
  static const uint64_t periods[] = {S(50), S(25), MS(12500), S(8), S(8)};
  inf_warm_state warm = {0};
  uint64_t now_ns = S(100);
  for (int i = 0; i < 5; i++) {
    inf_warm_note(&warm, INF_WARM_MADE, now_ns);
    assert_next(warm, now_ns, now_ns + periods[i]);
    now_ns += periods[i];
  }
  /* A use in between may have been the end of it. */
  inf_warm_state used = {0};
  for (int i = 0; i < 3; i++) {
    inf_warm_note(&used, INF_WARM_MADE, S(100u + (unsigned)i));
    inf_warm_note_use(&used, S(100u + (unsigned)i));
  }
  assert_next(used, S(102), S(152));
}

static void
test_failures_back_off(void **state)
{
  (void)state;
  static const uint64_t waits[] = {50, 100, 200, 400, 800, 800};
  inf_warm_state warm = {0};
  uint64_t now_ns = S(100);
  for (int i = 0; i < 6; i++) {
    inf_warm_note(&warm, INF_WARM_FAILED, now_ns);
    /* However often the client was used meanwhile. */
    assert_next(warm, now_ns + S(waits[i]), now_ns + S(waits[i]));
    now_ns += S(waits[i]);
  }
  inf_warm_note_use(&warm, now_ns);
  assert_next(warm, now_ns, now_ns + S(50));
}

static void
test_failures_of_one_moment_are_one(void **state)
{
  (void)state;
  inf_warm_state warm = {0};
  for (uint64_t i = 0; i < 10; i++)
    inf_warm_note(&warm, INF_WARM_FAILED, S(100) + MS(90) * i);
  assert_next(warm, S(100), S(150) + MS(810));
  inf_warm_note(&warm, INF_WARM_FAILED, S(103));
  assert_next(warm, S(100), S(203));
}

static void
test_what_has_no_effect_is_not_repeated(void **state)
{
  (void)state;
  inf_warm_state warm = {0};
  inf_warm_note(&warm, INF_WARM_HOPELESS, S(100));
  assert_next(warm, S(100), NEVER);
  inf_warm_note_use(&warm, S(200));
  assert_next(warm, S(200), NEVER);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_unused_client_warms_nothing),
      cmocka_unit_test(test_the_first_warm_up_follows_the_first_call),
      cmocka_unit_test(test_one_period_after_it_was_ready),
      cmocka_unit_test(test_it_ends_five_minutes_after_the_last_call),
      cmocka_unit_test(
          test_a_server_that_closes_early_is_looked_after_more_often),
      cmocka_unit_test(test_failures_back_off),
      cmocka_unit_test(test_failures_of_one_moment_are_one),
      cmocka_unit_test(test_what_has_no_effect_is_not_repeated),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
