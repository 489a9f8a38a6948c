/* SPDX-License-Identifier: MIT */
/* Races: targets that have fallen silent, and what is recorded of attempts. */
#include "support/race_world.h"

#include "engine/latency.h"

/* ---- Silence ------------------------------------------------------------- */

/* A tenth takes longer than usual_ms at the target. Fewer times than a plan
 * needs. */
enum { usual_ms = 100 };

static void
learn(fake_client *fake, const char *target, inf_latency_kind kind)
{
  inf_latency_place place = {target, kind, 0};
  for (int i = 0; i < 20; i++)
    inf_latency_record(runtime_of(fake), &place, usual_ms * INF_NS_PER_MS,
                       false);
  static inf_survival curve;
  assert_true(inf_latency_read_locked(runtime_of(fake), &place, &curve));
}

/* A bucket of the histogram is that wide. */
enum { late_ms = usual_ms + 1 };

/* So many late ones that begin some ms after one another are silence: each is
 * 4.3 bits of doubt. */
enum { enough = 4, gap_ms = 5 };

static void
fall_silent(fake_client *fake, const char *target)
{
  inf_latency_set_silent(runtime_of(fake), target, 1);
}

static void
late_ones_are_served_elsewhere(void **state)
{
  (void)state;
  enum { count = enough };
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  talks(fake, B, 5, "second");
  infer_call *calls[count + 1];
  for (int i = 0; i < count; i++) {
    calls[i] = fake_submit_whole(fake, "r");
    fake_run_ms(fake, i < count - 1 ? gap_ms : 0);
  }
  /* The last becomes late now: all of them are helped, at once. */
  fake_run_ms(fake, late_ms - 1);
  assert_int_equal(requests_to(fake, B), 0);
  fake_run_ms(fake, 1);
  assert_int_equal(requests_to(fake, B), count);
  assert_true(inf_latency_is_silent(runtime_of(fake), "a/m"));
  fake_run_ms(fake, 5);
  for (int i = 0; i < count; i++) {
    assert_string_equal(race_trail(calls[i]),
                        "a/m first E_CANCELLED, b/m hedge OK won");
    infer_call_free(calls[i]);
  }
  inf_hedge_totals totals = totals_of(fake, "r");
  assert_int_equal(totals.rescues, count);
  assert_int_equal(totals.sent, 0);
  assert_int_equal(totals.won, 0);
  assert_int_equal(totals.losers_cost, 0);
  /* Each like a failover that pays for itself. */
  assert_int_equal(client_balance(fake), full_retries);
  assert_at_rest(fake);
  fake_client_free(fake);
}

/* Later ones need not wait for others. */
static void
who_comes_to_a_silent_target_is_helped_when_late(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  fall_silent(fake, "a/m");
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, late_ms + 5);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge OK won");
  end(fake, call);
}

static void
content_ends_the_silence(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  fall_silent(fake, "a/m");
  talks(fake, A, 5, "first");
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_false(inf_latency_is_silent(runtime_of(fake), "a/m"));
  assert_int_equal(totals_of(fake, "r").rescues, 0);
  fake_client_free(fake);
}

/* There is no other target: the same one again would be no help. */
static void
nobody_is_rescued_to_the_silent_target(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  fall_silent(fake, "a/m");
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, cold_ms - 1);
  assert_int_equal(fake->net.request_count, 1);
  assert_int_equal(totals_of(fake, "one").rescues, 0);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* Nothing answers anywhere: it is our own network, and more of the same is no
 * help. */
static void
nor_to_one_that_is_silent_as_well(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  learn(fake, "b/m", INF_LATENCY_CONTENT);
  fall_silent(fake, "a/m");
  fall_silent(fake, "b/m");
  infer_call *call = fake_submit_whole(fake, "r");
  infer_call *other = fake_submit_whole(fake, "three");
  fake_run_ms(fake, late_ms);
  assert_int_equal(requests_to(fake, A), 2);
  assert_int_equal(requests_to(fake, B), 0);
  assert_int_equal(requests_to(fake, C), 1);
  infer_call_cancel(other);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  infer_call_free(other);
  end(fake, call);
}

static void
rescues_are_paid_like_failovers(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  fall_silent(fake, "a/m");
  runtime_of(fake)->retries.balance = 39;
  for (int i = 0; i < 2; i++) {
    infer_call *call = fake_submit_whole(fake, "r");
    fake_run_ms(fake, late_ms);
    assert_int_equal(requests_to(fake, B), 1); /* of two one is paid */
    infer_call_cancel(call);
    fake_run_ms(fake, 0);
    infer_call_free(call);
  }
  assert_int_equal(client_balance(fake), 19);
  assert_int_equal(totals_of(fake, "r").rescues, 1);
  assert_at_rest(fake);
  fake_client_free(fake);
}

/* The breaker of a target that is silent hears of it before its own late time,
 * which is twice the usual one. */
static void
the_breaker_hears_of_it(void **state)
{
  (void)state;
  enum { count = 40, slow_ms = 900 };
  fake_client *fake = earned_client();
  earn(fake, "a/m");
  talks(fake, A, slow_ms, "first");
  for (int i = 0; i < 70; i++) {
    infer_call *call = fake_submit_whole(fake, "a/m");
    fake_run_ms(fake, slow_ms);
    assert_int_equal(fake_status(call), INFER_OK);
    infer_call_free(call);
  }
  is_silent(fake, A);
  talks(fake, B, 5, "second");
  infer_call *calls[count];
  for (int i = 0; i < count; i++) {
    calls[i] = fake_submit_whole(fake, "r");
    fake_run_ms(fake, 10);
  }
  fake_run_ms(fake, slow_ms / 2);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_CLOSED);
  fake_run_ms(fake, slow_ms / 2);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_OPEN);
  for (int i = 0; i < count; i++)
    infer_call_free(calls[i]);
  fake_client_free(fake);
}

/* Whole bodies: nobody hears content before the end, which is content as
 * well. */
static void
whole_bodies_end_a_silence(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("defaults.upstream", "'unary'", NULL);
  earn(fake, "one");
  learn(fake, "a/m", INF_LATENCY_WHOLE);
  fall_silent(fake, "a/m");
  fake_reply(fake_script_for(&fake->net, A), 10, 200, NULL, unary_body("ok"));
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_false(inf_latency_is_silent(runtime_of(fake), "a/m"));
  fake_client_free(fake);
}

/* So does an answer without any content, such as a refusal. */
static void
refusals_end_a_silence(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  fall_silent(fake, "a/m");
  says(fake, A, 5, sse_refusal(), sse_finish("stop"), SSE_DONE);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_false(inf_latency_is_silent(runtime_of(fake), "a/m"));
  fake_client_free(fake);
}

/* While the loop was away nobody listened: that is no silence of a target. */
static void
a_gap_is_no_silence(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  learn(fake, "a/m", INF_LATENCY_CONTENT);
  infer_call *calls[2 * enough];
  for (int i = 0; i < 2 * enough; i++)
    calls[i] = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 10);
  fake->net.now_ns += 8 * INF_NS_PER_S;
  fake_run_ms(fake, 1);
  assert_false(inf_latency_is_silent(runtime_of(fake), "a/m"));
  for (int i = 0; i < 2 * enough; i++) {
    infer_call_cancel(calls[i]);
    fake_run_ms(fake, 0);
    infer_call_free(calls[i]);
  }
  assert_int_equal(totals_of(fake, "r").rescues, 0);
  assert_at_rest(fake);
  fake_client_free(fake);
}

/* ---- What is recorded ---------------------------------------------------- */

static uint32_t
events_of(fake_client *fake, const char *target, inf_latency_kind kind)
{
  inf_latency_place place = {target, kind, 0};
  inf_latency_view view = inf_latency_view_locked(runtime_of(fake), &place);
  return view.series ? inf_series_events(view.series) : 0;
}

static uint32_t
known_of(fake_client *fake, const char *target, inf_latency_kind kind)
{
  inf_latency_place place = {target, kind, 0};
  inf_latency_view view = inf_latency_view_locked(runtime_of(fake), &place);
  return view.series ? inf_series_known(view.series) : 0;
}

static void
the_loser_took_at_least_that_long(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  assert_int_equal(events_of(fake, "a/m", INF_LATENCY_CONTENT), 0);
  assert_int_equal(known_of(fake, "a/m", INF_LATENCY_CONTENT), 1);
  assert_int_equal(events_of(fake, "b/m", INF_LATENCY_CONTENT), 1);
  assert_int_equal(events_of(fake, "b/m", INF_LATENCY_HEADERS), 1);
  end(fake, call);
}

static uint64_t
longest_ns(fake_client *fake, const char *target)
{
  static inf_survival curve;
  inf_latency_place place = {target, INF_LATENCY_CONTENT, 0};
  assert_true(inf_latency_read_locked(runtime_of(fake), &place, &curve));
  return inf_survival_quantile(&curve, 1);
}

/* An answer that was held back took until it was whole, not until it was
 * needed. */
static void
waiting_for_the_other_is_no_latency(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  fake_reply(fake_script_for(&fake->net, A), cold_ms + 5000, 503, NULL, "");
  says(fake, B, 50, sse_refusal(), sse_finish("stop"), SSE_DONE);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, cold_ms + 5000);
  assert_string_equal(race_trail(call),
                      "a/m first E_OVERLOADED, b/m hedge OK won");
  assert_int_equal(events_of(fake, "b/m", INF_LATENCY_CONTENT), 1);
  assert_in_range(longest_ns(fake, "b/m"), 50 * INF_NS_PER_MS,
                  51 * INF_NS_PER_MS);
  end(fake, call);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(late_ones_are_served_elsewhere),
      cmocka_unit_test(who_comes_to_a_silent_target_is_helped_when_late),
      cmocka_unit_test(content_ends_the_silence),
      cmocka_unit_test(nobody_is_rescued_to_the_silent_target),
      cmocka_unit_test(nor_to_one_that_is_silent_as_well),
      cmocka_unit_test(rescues_are_paid_like_failovers),
      cmocka_unit_test(the_breaker_hears_of_it),
      cmocka_unit_test(whole_bodies_end_a_silence),
      cmocka_unit_test(refusals_end_a_silence),
      cmocka_unit_test(a_gap_is_no_silence),
      cmocka_unit_test(the_loser_took_at_least_that_long),
      cmocka_unit_test(waiting_for_the_other_is_no_latency),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
