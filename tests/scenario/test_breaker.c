/* SPDX-License-Identifier: MIT */
/* A provider that goes down and comes back, over real sockets: no caller
 * notices, it is left in peace meanwhile, and it gets its traffic back. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOOD "{'defaults':{'text':'All is well.'}}"

enum { down_from_ms = 500, down_until_ms = 3500, pause_ms = 25 };

#define DOWN                                                                   \
  "{'defaults':{'text':'All is well.'},'down':[{'from_ms':500,'until_ms':3500" \
  "}]}"

/* Attempts of the call at that target. */
static int
attempts_at(const outcome *o, const char *target)
{
  int count = 0;
  for (size_t i = 0; i < outcome_attempts(o); i++)
    if (strcmp(infer_attempt_target(outcome_attempt(o, i)), target) == 0)
      count++;
  return count;
}

static void
a_provider_that_is_down_for_three_seconds(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, DOWN);
  uint64_t began_ms = world_now_ms();
  world_sim(&w, 2, GOOD);
  world_usual(&w, "'routes':{'r':{'targets':['a/m','b/m']}}");
  int asked_while_down = 0, calls_while_down = 0, in_a_row = 0;
  uint64_t slowest_ms = 0, back_ms = 0;
  while (in_a_row < 20 && world_now_ms() < began_ms + 20000) {
    uint64_t at_ms = world_now_ms() - began_ms;
    bool down = at_ms > down_from_ms + 200 && at_ms < down_until_ms - 200;
    outcome o = world_chat(&w, "r");
    if (o.status != INFER_OK)
      fail_msg("at %d ms: %s", (int)at_ms, infer_error_message(o.error));
    int at_a = attempts_at(&o, "a/m");
    calls_while_down += down;
    asked_while_down += down ? at_a : 0;
    if (down && o.took_ms > slowest_ms)
      slowest_ms = o.took_ms;
    bool served =
        strcmp(infer_response_target(o.response), "a/m") == 0 && at_a == 1;
    in_a_row = served && at_ms > down_until_ms ? in_a_row + 1 : 0;
    if (in_a_row == 1)
      back_ms = at_ms;
    outcome_end(&o);
    world_sleep_ms(pause_ms);
  }
  assert_true(calls_while_down > 20);
  /* Four failures open it; those that see them may be in their backoff. */
  assert_in_range(asked_while_down, 0, 6);
  assert_true(slowest_ms < 2000);
  assert_int_equal(in_a_row, 20);
  /* Not later than the probe that was scheduled last, and the way back. */
  assert_in_range(back_ms, down_until_ms, down_until_ms + 10000);
  world_end(&w);
}

/* Nobody waits for a provider that is known to be down. */
static void
one_provider_alone_fails_fast(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, GOOD);
  world_client(&w, "{'providers':[{'name':'a','type':'openai','base_url':"
                   "'$DEAD'}],'defaults':{'retries':0}}");
  int sent = 0;
  for (int i = 0; i < 20; i++) {
    outcome o = world_chat(&w, "a/m");
    assert_int_equal(o.status, INFER_E_CONNECT);
    sent += attempts_at(&o, "a/m");
    if (outcome_attempts(&o) == 0) {
      assert_in_range(infer_error_retry_after_ms(o.error), 1, 1600);
      assert_string_equal(infer_error_target(o.error), "a/m");
    }
    outcome_end(&o);
  }
  assert_in_range(sent, 4, 5);
  world_end(&w);
}

int
main(void)
{
  world_forget_proxies();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_provider_that_is_down_for_three_seconds),
      cmocka_unit_test(one_provider_alone_fails_fast),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
