/* SPDX-License-Identifier: MIT */
/* Races of two attempts: when the second is sent, which of them wins, what the
 * reader sees, and that everything which was claimed is settled once. */
#include "support/race_world.h"

#include "engine/latency.h"

static void
assert_suppressed(fake_client *fake, const char *route, inf_hedge_reason reason)
{
  inf_hedge_totals totals = totals_of(fake, route);
  for (int i = 0; i < INF_HEDGE_REASONS; i++)
    assert_int_equal(totals.suppressed[i], i == (int)reason ? 1 : 0);
  assert_int_equal(totals.sent, 0);
}

/* ---- Time and win -------------------------------------------------------- */

static void
a_silent_attempt_gets_a_rival_at_its_time(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  talks(fake, B, 5, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms - 1);
  assert_int_equal(fake->net.request_count, 1);
  fake_run_ms(fake, 1);
  assert_int_equal(fake->net.request_count, 2);
  assert_request(fake, 1, "b", cold_ms);
  fake_run_ms(fake, 4);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start b/m|text ok|finish stop|usage|done OK");
  assert_cancelled_at(fake, 0, cold_ms + 5);
  assert_cancelled_at(fake, 1, 0);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge OK won");
  assert_counted(fake, "r", 1, 1, 0);
  assert_int_equal(totals_of(fake, "r").losers_cost, prompt_tokens);
  /* Like a failover, which pays for itself. */
  assert_int_equal(client_balance(fake), full_retries);
  end(fake, call);
}

static void
the_first_may_win_after_all(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  talks(fake, A, cold_ms + 7, "first");
  talks(fake, B, 8, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 7);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_cancelled_at(fake, 1, cold_ms + 7);
  assert_string_equal(race_trail(call),
                      "a/m first OK won, b/m hedge E_CANCELLED");
  assert_counted(fake, "r", 1, 0, 1);
  assert_int_equal(totals_of(fake, "r").losers_cost, prompt_tokens);
  end(fake, call);
}

static void
content_in_time_means_no_hedge(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, cold_ms - 1, sse_text("He"));
  fake_body(script, cold_ms + 500, sse_text("llo"));
  fake_body(script, cold_ms + 500, sse_finish("stop"));
  fake_body(script, cold_ms + 500, SSE_DONE);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 600);
  assert_events(fake, "start a/m|text Hello|finish stop|usage|done OK");
  assert_int_equal(fake->net.request_count, 1);
  assert_counted(fake, "r", 0, 0, 0);
  end(fake, call);
}

static void
not_before_the_least_delay(void **state)
{
  (void)state;
  fake_client *fake =
      hedging_client("defaults.hedge.min_delay_ms", "3000", NULL);
  earn(fake, "r");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 2999);
  assert_int_equal(fake->net.request_count, 1);
  fake_run_ms(fake, 1);
  assert_request(fake, 1, "b", 3000);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* A request may say that it wants none sooner. */
static void
a_request_has_a_least_delay_of_its_own(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  infer_request *request = fake_request_new("r");
  assert_int_equal(
      infer_request_set_policy(request, "hedge.min_delay_ms", 5000), INFER_OK);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 4999);
  assert_int_equal(fake->net.request_count, 1);
  fake_run_ms(fake, 1);
  assert_request(fake, 1, "b", 5000);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* Also where the route's plan was made without it; which stays as it is. */
static void
the_plan_is_the_route_s(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  inf_latency_place place = {"a/m", INF_LATENCY_CONTENT, 0};
  for (int i = 0; i < 100; i++) /* one in ten is stuck: a plan hedges it */
    inf_latency_record(runtime_of(fake), &place,
                       (i % 10 == 0 ? 10000 : 100) * INF_NS_PER_MS, false);
  is_silent(fake, A);
  for (int i = 0; i < 2; i++) {
    infer_request *request = fake_request_new("one");
    if (i == 0)
      infer_request_set_policy(request, "hedge.min_delay_ms", 5000);
    size_t before = fake->net.request_count;
    infer_call *call = fake_submit(fake, request);
    fake_run_ms(fake, 4999);
    assert_int_equal(fake->net.request_count, before + (i == 0 ? 1 : 2));
    infer_call_cancel(call);
    fake_run_ms(fake, 0);
    infer_call_free(call);
  }
  fake_client_free(fake);
}

/* Both have content in the same turn: one of them wins. */
static void
of_two_that_come_together_one_wins(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  talks(fake, A, cold_ms + 5, "first");
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_cancelled_at(fake, 1, cold_ms + 5);
  assert_counted(fake, "r", 1, 0, 1);
  end(fake, call);
}

/* ---- Whole bodies -------------------------------------------------------- */

static void
whole_bodies_win_by_their_end(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("defaults.upstream", "'unary'", NULL);
  earn(fake, "r");
  const char *body = unary_body("first");
  fake_script *script = fake_script_for(&fake->net, A);
  fake_sent(script, 0);
  fake_headers(script, 1, 200, NULL);
  fake_body_n(script, 2, body, strlen(body) - 1); /* all but the last byte */
  fake_reply(fake_script_for(&fake->net, B), 100, 200, NULL,
             unary_body("second"));
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms);
  assert_request(fake, 1, "b", cold_ms);
  fake_run_ms(fake, 100);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  assert_cancelled_at(fake, 0, cold_ms + 100);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge OK won");
  assert_counted(fake, "r", 1, 1, 0);
  end(fake, call);
}

/* ---- Held back ----------------------------------------------------------- */

/* What the hedge says decides nothing: the first one's content does. */
static void
check_held(const char *first, const char *second, const char *third,
           const char *trail)
{
  fake_client *fake = earned_client();
  talks(fake, A, cold_ms + 100, "first");
  says(fake, B, 5, first, second, third);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 99);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_string_equal(race_trail(call), trail);
  assert_counted(fake, "r", 1, 0, 1);
  end(fake, call);
}

static void
white_space_is_held_back(void **state)
{
  (void)state;
  check_held(sse_role(), sse_text("\\n \\t"), NULL,
             "a/m first OK won, b/m hedge E_CANCELLED");
}

static void
an_end_without_content_is_held_back(void **state)
{
  (void)state;
  check_held(sse_role(), sse_finish("stop"), SSE_DONE,
             "a/m first OK won, b/m hedge OK");
}

static void
a_refusal_is_held_back(void **state)
{
  (void)state;
  check_held(sse_refusal(), sse_finish("stop"), SSE_DONE,
             "a/m first OK won, b/m hedge OK");
}

/* It counts when the other has failed. */
static void
a_refusal_counts_at_last(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  fake_reply(fake_script_for(&fake->net, A), cold_ms + 50, 503, NULL, "");
  says(fake, B, 5, sse_refusal(), sse_finish("stop"), SSE_DONE);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 49);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start b/m|refusal no|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first E_OVERLOADED, b/m hedge OK won");
  /* The first one failed: that is no verdict. */
  assert_counted(fake, "r", 1, 0, 0);
  end(fake, call);
}

/* White space that was held back stands before what follows it. */
static void
what_was_held_back_comes_first(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  fake_script *script = fake_script_for(&fake->net, B);
  fake_stream(script, 5);
  fake_body(script, 5, sse_text("\\n"));
  fake_body(script, 20, sse_text("Hi"));
  fake_body(script, 20, sse_finish("stop"));
  fake_body(script, 20, SSE_DONE);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 19);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start b/m|text \nHi|finish stop|usage|done OK");
  end(fake, call);
}

static void
a_tool_call_wins(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  says(fake, B, 5, sse_tool(0, "id-1", "f", ""), NULL, NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  assert_events(fake, "start b/m|tool_call_delta 0 f ");
  assert_cancelled_at(fake, 0, cold_ms + 5);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  fake_events(fake);
  end(fake, call);
}

/* The reader has white space of the first: nothing else may follow it. */
static void
no_hedge_once_the_reader_has_seen_anything(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  says(fake, A, 5, sse_text("\\n"), NULL, NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 500);
  assert_events(fake, "start a/m|text \n");
  assert_int_equal(fake->net.request_count, 1);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* Nor while it waits for the delivery interval. */
static void
nor_while_that_waits_to_be_delivered(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("delivery_interval_ms", "1000", NULL);
  earn(fake, "r");
  fake_run_ms(fake, 1);
  says(fake, A, 5, sse_text("\\n"), NULL, NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 500);
  assert_int_equal(fake->net.request_count, 1);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* Who waits for the whole has seen nothing. */
static void
a_whole_call_is_hedged_after_white_space(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  says(fake, A, 5, sse_text("\\n"), NULL, NULL);
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), "second");
  infer_response_free(response);
  end(fake, call);
}

/* ---- race_on ------------------------------------------------------------- */

static fake_client *
answer_client(void)
{
  return hedging_client("defaults.race_on", "'answer'", NULL);
}

static void
reasoning_is_held_back_where_the_answer_decides(void **state)
{
  (void)state;
  fake_client *fake = answer_client();
  earn(fake, "r");
  says(fake, A, 5, sse_reasoning("Hm"), NULL, NULL);
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 4);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge OK won");
  end(fake, call);
}

/* Nothing is held any longer than until it is known that no hedge comes. */
static void
it_is_shown_when_no_hedge_is_sent(void **state)
{
  (void)state;
  fake_client *fake = answer_client(); /* which has earned nothing */
  says(fake, A, 5, sse_reasoning("Hm"), NULL, NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms - 1);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start a/m|reasoning Hm");
  assert_suppressed(fake, "r", INF_HEDGE_BUDGET);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

static void
it_is_shown_with_the_answer(void **state)
{
  (void)state;
  fake_client *fake = answer_client();
  earn(fake, "r");
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 5);
  fake_body(script, 5, sse_reasoning("Hm"));
  fake_body(script, 50, sse_text("Hi"));
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 50);
  assert_events(fake, "start a/m|reasoning Hm|text Hi");
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

static void
reasoning_wins_where_content_decides(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  says(fake, B, 5, sse_reasoning("Hm"), NULL, NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  assert_events(fake, "start b/m|reasoning Hm");
  assert_cancelled_at(fake, 0, cold_ms + 5);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  fake_events(fake);
  end(fake, call);
}

/* ---- Failures ------------------------------------------------------------ */

static void
an_error_does_not_win(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  talks(fake, A, cold_ms + 100, "first");
  is_down(fake, B);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 100);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first OK won, b/m hedge E_OVERLOADED");
  assert_counted(fake, "r", 1, 0, 1);
  assert_int_equal(totals_of(fake, "r").losers_cost, 0);
  end(fake, call);
}

/* The transport has no memory for it: as if it had failed. */
static void
a_hedge_that_cannot_start_is_a_leg_that_failed(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  talks(fake, A, cold_ms + 100, "first");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms - 1);
  fake->net.fails_to_start = true;
  fake_run_ms(fake, 1);
  fake->net.fails_to_start = false;
  fake_run_ms(fake, 100);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first OK won, b/m hedge E_NO_MEMORY");
  assert_int_equal(totals_of(fake, "r").losers_cost, 0);
  end(fake, call);
}

static void
the_hedge_goes_on_when_the_first_fails(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  fake_reply(fake_script_for(&fake->net, A), cold_ms + 50, 503, NULL, "");
  talks(fake, B, 100, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 99);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first E_OVERLOADED, b/m hedge OK won");
  assert_counted(fake, "r", 1, 0, 0);
  end(fake, call);
}

static void
when_both_fail_the_call_has_failed(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("defaults.retries", "1", NULL);
  earn(fake, "r");
  fake_reply(fake_script_for(&fake->net, A), cold_ms + 50, 503, NULL, "");
  fake_reply(fake_script_for(&fake->net, B), 100, 500, NULL, "");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 100);
  /* Of the allowance of three one attempt is left. */
  fake_run_ms(fake, 4000);
  assert_events(fake, "done OVERLOADED");
  assert_string_equal(race_trail(call),
                      "a/m first E_OVERLOADED, b/m hedge E_SERVER, "
                      "a/m failover E_OVERLOADED");
  end(fake, call);
}

/* A used connection that had gone stale: the same attempt, so its hedge comes
 * when it would have come. */
static void
a_resend_keeps_the_hedge(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  fake_script *stale = fake_script_next(&fake->net);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, 300, INF_NET_RESET);
  is_silent(fake, A);
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms - 1);
  assert_int_equal(fake->net.request_count, 2);
  assert_request(fake, 1, "a", 300);
  fake_run_ms(fake, 1);
  assert_request(fake, 2, "b", cold_ms);
  fake_run_ms(fake, 5);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  assert_string_equal(race_trail(call), "a/m first E_RESET, a/m resend "
                                        "E_CANCELLED, b/m hedge OK won");
  end(fake, call);
}

/* It was asked about once: the answer stands. */
static void
a_resend_is_not_asked_about_again(void **state)
{
  (void)state;
  fake_client *fake = hedging_client(NULL); /* nothing was earned */
  fake_script *stale = fake_script_next(&fake->net);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, cold_ms + 300, INF_NET_RESET);
  is_silent(fake, A);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 500);
  assert_int_equal(fake->net.request_count, 2);
  assert_suppressed(fake, "r", INF_HEDGE_BUDGET);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* The hedge's connection had waited too long: it is sent once more, for what
 * it has claimed already. */
static fake_client *
stale_hedge(void)
{
  fake_client *fake = earned_client();
  fake_stream(fake_script_next(&fake->net), 1);
  fake_script *stale = fake_script_next(&fake->net);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, 10, INF_NET_RESET);
  talks(fake, B, 5, "second");
  return fake;
}

static void
a_stale_hedge_is_sent_again(void **state)
{
  (void)state;
  fake_client *fake = stale_hedge();
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 10);
  assert_int_equal(fake->net.request_count, 3);
  assert_request(fake, 2, "b", cold_ms + 10);
  assert_true(fake->net.requests[2].fresh_connection);
  fake_run_ms(fake, 5);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  assert_cancelled_at(fake, 0, cold_ms + 15);
  assert_string_equal(race_trail(call), "a/m first E_CANCELLED, b/m hedge "
                                        "E_RESET, b/m hedge OK won");
  assert_counted(fake, "r", 1, 1, 0);
  assert_int_equal(totals_of(fake, "r").losers_cost, prompt_tokens);
  assert_int_equal(client_balance(fake), full_retries);
  end(fake, call);
}

/* A second time it is one that failed. */
static void
but_only_once(void **state)
{
  (void)state;
  fake_client *fake = stale_hedge();
  fake_script *stale = fake_script_next(&fake->net);
  stale->reused = true; /* whatever was asked for */
  fake_sent(stale, 0);
  fake_done(stale, 10, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 500);
  assert_int_equal(fake->net.request_count, 3);
  assert_counted(fake, "r", 1, 0, 1);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  assert_string_equal(race_trail(call), "a/m first E_CANCELLED, b/m hedge "
                                        "E_RESET, b/m hedge E_RESET");
  end(fake, call);
}

/* Nor where the target may not be asked any more. */
static void
unless_its_target_is_shut(void **state)
{
  (void)state;
  fake_client *fake = stale_hedge();
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 9);
  inf_target_state *b = inf_runtime_known_locked(runtime_of(fake), "b/m");
  b->breaker.state = INF_BREAKER_OPEN;
  b->breaker.next_probe_ns = INF_NEVER;
  fake_run_ms(fake, 500);
  assert_int_equal(fake->net.request_count, 2);
  assert_counted(fake, "r", 1, 0, 0);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge E_RESET");
  end(fake, call);
}

/* The first has content in the meantime, or fails as well. */
static void
or_the_first_is_faster(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  talks(fake, A, cold_ms + 10, "first");
  fake_script *stale = fake_script_for(&fake->net, B);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, 10, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 10);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_int_equal(fake->net.request_count, 2);
  end(fake, call);
}

static void
or_both_are_stale_at_once(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  for (int i = 0; i < 2; i++) {
    fake_script *stale = fake_script_next(&fake->net);
    stale->reused = true;
    fake_sent(stale, 0);
    fake_done(stale, i == 0 ? cold_ms + 10 : 10, INF_NET_RESET);
  }
  talks(fake, A, 5, "first");
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 15);
  assert_int_equal(fake->net.request_count, 3);
  assert_true(strstr(fake_events(fake), "done OK") != NULL);
  end(fake, call);
}

/* Both legs were on stale connections. The breakers forget both attempts, and
 * only the second is sent again. */
static void
two_stale_legs_leave_nothing_behind(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  fake_script *stale = fake_script_next(&fake->net);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, cold_ms + 50, INF_NET_RESET);
  stale = fake_script_next(&fake->net);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, 100, INF_NET_RESET);
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 105);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  assert_string_equal(race_trail(call), "a/m first E_RESET, b/m hedge E_RESET, "
                                        "b/m resend OK won");
  end(fake, call); /* no attempt is young any more */
}

/* ---- Deadline and cancel ------------------------------------------------- */

static void
at_the_deadline_both_are_cancelled(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  infer_request *request = fake_request_new("r");
  infer_request_set_deadline_ms(request, 3000);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 3000);
  assert_events(fake, "done DEADLINE");
  assert_cancelled_at(fake, 0, 3000);
  assert_cancelled_at(fake, 1, 3000);
  assert_string_equal(race_trail(call),
                      "a/m first E_DEADLINE, b/m hedge E_DEADLINE");
  assert_counted(fake, "r", 1, 0, 0);
  end(fake, call);
}

static void
what_is_held_back_counts_at_the_deadline(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  says(fake, B, 5, sse_refusal(), sse_finish("stop"), SSE_DONE);
  infer_request *request = fake_request_new("r");
  infer_request_set_deadline_ms(request, 3000);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 2999);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "start b/m|refusal no|finish stop|usage|done OK");
  assert_cancelled_at(fake, 0, 3000);
  assert_string_equal(race_trail(call),
                      "a/m first E_DEADLINE, b/m hedge OK won");
  end(fake, call);
}

/* Only the end mark of the hedge's answer is missing. */
static void
what_is_as_good_as_whole_counts_at_the_deadline(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  says(fake, B, 5, sse_refusal(), sse_finish("stop"), NULL);
  infer_request *request = fake_request_new("r");
  infer_request_set_deadline_ms(request, 3000);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 3000);
  assert_events(fake, "start b/m|refusal no|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first E_DEADLINE, b/m hedge OK won");
  end(fake, call);
}

/* at_ms: before the hedge, in the race, and with an answer held back. */
static void
check_cancel(uint64_t at_ms, size_t requests, bool held)
{
  fake_client *fake = earned_client();
  is_silent(fake, A);
  if (held)
    says(fake, B, 5, sse_refusal(), sse_finish("stop"), SSE_DONE);
  else
    is_silent(fake, B);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, at_ms);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  assert_events(fake, "done CANCELLED");
  assert_int_equal(fake->net.request_count, requests);
  assert_cancelled_at(fake, 0, at_ms);
  assert_cancelled_at(fake, 1, requests == 2 && !held ? at_ms : 0);
  assert_counted(fake, "r", requests - 1, 0, 0);
  /* Nothing was delivered: nothing is earned. */
  assert_int_equal(totals_of(fake, "r").calls_cost, earned_calls * earned_cost);
  assert_int_equal(totals_of(fake, "r").losers_cost,
                   requests < 2 ? 0
                   : held       ? prompt_tokens + 4 /* one, written */
                                : prompt_tokens);
  end(fake, call);
}

static void
a_cancelled_call_leaves_nothing(void **state)
{
  (void)state;
  check_cancel(1000, 1, false);
  check_cancel(cold_ms + 3, 2, false);
  check_cancel(cold_ms + 50, 2, true);
}

static void
a_client_may_be_closed_in_a_race(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  says(fake, B, 5, sse_refusal(), sse_finish("stop"), SSE_DONE);
  infer_call *calls[3];
  for (int i = 0; i < 3; i++) {
    calls[i] = fake_submit_model(fake, "r");
    fake_run_ms(fake, 900);
  }
  assert_int_equal(fake->net.request_count, 4);
  infer_client_close(fake->client, 0);
  assert_events(fake, "done CANCELLED|done CANCELLED|done CANCELLED");
  for (int i = 0; i < 3; i++)
    infer_call_free(calls[i]);
  assert_at_rest(fake);
  fake_client_free(fake);
}

static void
a_queue_may_be_freed_in_a_race(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  is_silent(fake, B);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 10);
  infer_queue_free(fake->queue);
  fake->queue = NULL;
  fake_run_ms(fake, 0);
  assert_cancelled_at(fake, 0, cold_ms + 10);
  assert_cancelled_at(fake, 1, cold_ms + 10);
  end(fake, call);
}

/* ---- No hedge ------------------------------------------------------------ */

static void
none_for_what_runs_once(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  infer_request *request = fake_request_new("r");
  infer_request_set_run_once(request, 1);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, cold_ms + 500);
  assert_int_equal(fake->net.request_count, 1);
  assert_suppressed(fake, "r", INF_HEDGE_RUN_ONCE);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

static void
check_not_sent(fake_client *fake, const char *route, inf_hedge_reason reason)
{
  int32_t balance = client_balance(fake);
  infer_call *call = fake_submit_model(fake, route);
  size_t before = fake->net.request_count;
  fake_run_ms(fake, cold_ms + 500);
  assert_int_equal(fake->net.request_count, before + 1);
  assert_suppressed(fake, route, reason);
  assert_int_equal(client_balance(fake), balance);
  assert_int_equal(totals_of(fake, route).losers_cost, 0);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

static void
none_that_the_retry_budget_does_not_pay(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  runtime_of(fake)->retries.balance = 19;
  check_not_sent(fake, "r", INF_HEDGE_BUDGET);
}

static void
none_that_is_not_earned(void **state)
{
  (void)state;
  check_not_sent(hedging_client(NULL), "r", INF_HEDGE_BUDGET);
}

static void
none_beyond_the_allowance(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("defaults.retries", "0", NULL);
  earn(fake, "one");
  check_not_sent(fake, "one", INF_HEDGE_NOWHERE);
}

static void
none_to_an_open_breaker(void **state)
{
  (void)state;
  fake_client *fake = hedging_client(
      "defaults.retries", "2", "routes.r.targets", "['a/m','b/m','c/m']", NULL);
  earn(fake, "r");
  open_breaker(fake, "b/m", B);
  size_t asked = requests_to(fake, B);
  talks(fake, C, 5, "third");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, c/m hedge OK won");
  assert_int_equal(requests_to(fake, B), asked);
  end(fake, call);
}

static void
none_to_who_may_not_have_the_request(void **state)
{
  (void)state;
  fake_client *fake = hedging_client(
      "providers.a.labels", "['private']", "providers.c.labels", "['private']",
      "routes.three.require_labels", "['private']", NULL);
  earn(fake, "three");
  talks(fake, C, 5, "third");
  infer_call *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, cold_ms + 5);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, c/m hedge OK won");
  assert_int_equal(requests_to(fake, B), 0);
  end(fake, call);
}

/* Not whether this call's targets have prices decides what is counted: all
 * calls of a route have one budget. */
static void
a_route_counts_money_where_all_its_targets_have_prices(void **state)
{
  (void)state;
  fake_client *fake =
      hedging_client("providers.a.labels", "['private']", "providers.c.labels",
                     "['private']", "routes.three.targets",
                     "[{'target':'a/m','price':{'input':1,'output':1}},'b/m',"
                     "{'target':'c/m','price':{'input':1,'output':1}}]",
                     NULL);
  earn(fake, "three");
  is_silent(fake, A);
  talks(fake, C, 5, "third");
  infer_request *request = fake_request_new("three");
  assert_int_equal(infer_request_require_label(request, "private"), INFER_OK);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, cold_ms + 5);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, c/m hedge OK won");
  assert_int_equal(totals_of(fake, "three").losers_cost, prompt_tokens);
  end(fake, call);
}

static void
none_without_a_key(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  const inf_provider_config *provider =
      inf_config_provider(fake->client->config, INF_SV("b"));
  for (size_t key = 0; key < 2; key++)
    inf_runtime_note_key(runtime_of(fake), provider, key, INFER_E_AUTH, -1,
                         fake->net.now_ns);
  talks(fake, C, 5, "third");
  infer_call *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, cold_ms + 5);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, c/m hedge OK won");
  end(fake, call);
}

/* The breaker has sent the call to the second target: that is its first
 * attempt. */
static void
a_call_that_was_moved_is_hedged_too(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  open_breaker(fake, "a/m", A);
  is_silent(fake, B);
  talks(fake, C, 5, "third");
  infer_call *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, cold_ms + 5);
  assert_string_equal(race_trail(call),
                      "b/m failover E_CANCELLED, c/m hedge OK won");
  assert_counted(fake, "three", 1, 1, 0);
  end(fake, call);
}

/* ---- Where it goes ------------------------------------------------------- */

static void
alone_it_takes_another_connection(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, cold_ms);
  assert_request(fake, 1, "a", cold_ms);
  assert_false(fake->net.requests[0].fresh_connection);
  assert_true(fake->net.requests[1].fresh_connection);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

static void
of_one_provider_it_takes_another_key(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("routes.one.targets", "['b/m']", NULL);
  earn(fake, "one");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, cold_ms);
  assert_request(fake, 1, "b", cold_ms);
  assert_contains(fake->net.requests[0].headers, "key-b-1");
  assert_contains(fake->net.requests[1].headers, "key-b-2");
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* A fifth of a limit stays free for first attempts. */
static void
it_takes_what_others_leave_of_a_limit(void **state)
{
  (void)state;
  enum { limit = 10, kept = 2 };
  fake_client *fake =
      hedging_client("providers.c.limits", "{'requests_per_day':10}",
                     "routes.one.targets", "['c/m']", "routes.r.targets",
                     "['a/m','c/m']", "defaults.keep_warm", "false", NULL);
  earn(fake, "r");
  talks(fake, C, 5, "third");
  for (int i = 0; i < limit - kept - 1; i++)
    assert_int_equal(call_once(fake, "one"), INFER_OK);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, c/m hedge OK won");
  infer_call_free(call);
  call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, cold_ms + 5);
  size_t sent = fake->net.request_count;
  assert_request(fake, sent - 1, "a", fake_now_ms(fake) - 5);
  /* Others may still have it. */
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* While others wait a hedge is put down to its tenant like any attempt. */
static void
a_hedge_counts_for_its_tenant(void **state)
{
  (void)state;
  fake_client *fake = hedging_client(
      "providers.b.limits", "{'requests_per_minute':100}", "providers.c.limits",
      "{'requests_per_minute':2}", "routes.one.targets", "['c/m']",
      "routes.one.hedge", "{'budget':0}", NULL);
  const inf_line *line = &fake->client->engine.waiting.line;
  earn(fake, "r");
  talks(fake, C, 5, "third");
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 1);
  infer_call *others[4];
  for (int i = 0; i < 4; i++) {
    infer_request *request = fake_request_new("one");
    infer_request_set_tenant(request, "other");
    others[i] = fake_submit(fake, request);
    fake_run_ms(fake, 1);
  }
  assert_true(line->count > 0);
  size_t before = inf_line_tenants(line);
  fake_run_ms(fake, cold_ms);
  assert_true(line->count > 0);
  assert_int_equal(requests_to(fake, B), 1);
  assert_int_equal(inf_line_tenants(line), before + 1);
  infer_call_cancel(call);
  for (int i = 0; i < 4; i++) {
    infer_call_cancel(others[i]);
    infer_call_free(others[i]);
  }
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* ---- After the race ------------------------------------------------------ */

/* b wins and breaks off after the reader has seen something. */
static fake_client *
broken_winner(const char *recovery, infer_call **call)
{
  fake_client *fake =
      hedging_client("defaults.recovery", recovery, "providers.c.prefill",
                     "'continue_final_message'", NULL);
  earn(fake, "three");
  is_silent(fake, A);
  fake_script *script = fake_script_for(&fake->net, B);
  fake_stream(script, 5);
  fake_body(script, 5, sse_text("It was a dark and "));
  fake_done(script, 30, INF_NET_RESET);
  talks(fake, C, 5, "third");
  *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, cold_ms + 10);
  assert_events(fake, "start b/m|text It was a dark and ");
  fake_run_ms(fake, 5000);
  return fake;
}

static void
a_winner_that_breaks_off_is_an_error(void **state)
{
  (void)state;
  infer_call *call;
  fake_client *fake = broken_winner("'error'", &call);
  assert_events(fake, "done TRUNCATED [It was a dark and ]");
  end(fake, call);
}

/* There is no second race. */
static void
or_the_answer_begins_anew(void **state)
{
  (void)state;
  infer_call *call;
  fake_client *fake = broken_winner("'restart'", &call);
  assert_string_equal(race_trail(call), "");
  assert_events(fake, "1:restart answer truncated");
  assert_int_equal(requests_to(fake, A), 2);
  assert_int_equal(requests_to(fake, C), 0);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge E_TRUNCATED, "
                      "a/m recovery E_CANCELLED");
  end(fake, call);
}

static void
or_another_goes_on_with_it(void **state)
{
  (void)state;
  infer_call *call;
  fake_client *fake = broken_winner("'continue'", &call);
  assert_events(fake, "text third|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge E_TRUNCATED, "
                      "c/m continue OK won");
  end(fake, call);
}

/* A reader that does not read holds up the winner as any other. */
static void
a_winner_is_paused_for_its_reader(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("max_undelivered_bytes", "4096", NULL);
  earn(fake, "r");
  is_silent(fake, A);
  char text[400];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  fake_script *script = fake_script_for(&fake->net, B);
  fake_stream(script, 5);
  for (int i = 0; i < 12; i++)
    fake_body(script, 5, sse_text(text));
  fake_body(script, 20, sse_finish("stop"));
  fake_body(script, 20, SSE_DONE);
  fake_done(script, 20, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 100);
  assert_int_equal(fake->net.requests[0].pauses, 0);
  assert_int_equal(fake->net.requests[1].pauses, 1);
  assert_true(strlen(fake_events(fake)) > 4096);
  fake_run_ms(fake, 1);
  assert_events(fake, "finish stop|usage|done OK");
  end(fake, call);
}

/* ---- Reload -------------------------------------------------------------- */

static void
a_reload_may_forbid_hedges(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  infer_config *config =
      fake_config_new(fake, HEDGED, "routes.r.hedge", "{'budget':0}", NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 500);
  assert_int_equal(fake->net.request_count, 1);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* A call that is under way keeps what it began with. */
static void
a_race_outlives_its_configuration(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  infer_config *config =
      fake_config_new(fake, "routes.r.targets", "['c/m']", "routes.r.hedge",
                      "{'budget':0}", NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  fake_run_ms(fake, cold_ms - 1000 + 5);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  end(fake, call);
}

/* ---- What hooks are told ------------------------------------------------- */

/* At most one attempt of a call has won, also while hooks are told. */
static void
count_winners(fake_client *fake, const infer_call *call,
              const infer_attempt *attempt)
{
  (void)call;
  if (attempt)
    *(int *)fake->on_hook_data += infer_attempt_won(attempt);
}

static void
hooks_hear_of_one_winner(void **state)
{
  (void)state;
  int winners = 0;
  fake_client *fake = earned_client();
  fake->on_hook = count_winners;
  fake->on_hook_data = &winners;
  talks(fake, A, cold_ms + 100, "first");
  says(fake, B, 5, sse_refusal(), sse_finish("stop"), SSE_DONE);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 100);
  assert_int_equal(winners, 1);
  end(fake, call);
}

/* A hook that takes long: the other leg's timers are not due by it. */
static void
move_clock(fake_client *fake, const infer_call *call,
           const infer_attempt *attempt)
{
  (void)call;
  if (attempt && infer_attempt_status(attempt) == INFER_E_CANCELLED)
    fake->net.now_ns += 7 * INF_NS_PER_S;
}

static void
a_slow_hook_of_the_loser_does_no_harm(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  fake->on_hook = move_clock;
  is_silent(fake, A);
  talks(fake, B, 5, "second");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 5 + 7000);
  assert_events(fake, "start b/m|text second|finish stop|usage|done OK");
  end(fake, call);
}

/* The list of models is asked for with the key that is its turn, whatever a
 * hedge was about to use. */
static void
a_hedge_that_is_not_sent_leaves_no_key(void **state)
{
  (void)state;
  fake_client *fake =
      hedging_client("providers.a.limits", "{'requests_per_day':1}",
                     "providers.b.limits", "{'requests_per_day':1}", NULL);
  earn(fake, "r");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 10);
  assert_suppressed(fake, "r", INF_HEDGE_NOWHERE);
  assert_int_equal(fake->client->engine.pass_key, INF_KEY_NONE);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  end(fake, call);
}

/* Memory is short for what is held back of a leg, and more comes with the same
 * bytes: the leg has failed and wins nothing. */
static void
a_leg_without_memory_does_not_win(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  talks(fake, A, cold_ms + 100, "first");
  char both[512];
  snprintf(both, sizeof both, "%s%s", sse_text(" "), sse_text("second"));
  says(fake, B, 5, both, NULL, NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 4);
  inf_attempt *rival =
      INF_CONTAINER_OF(fake->client->engine.attempts.prev, inf_attempt, node);
  assert_string_equal(rival->record->target, "b/m");
  rival->verdict = INFER_E_NO_MEMORY; /* as deliver.c would say */
  fake_run_ms(fake, 96);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_string_equal(race_trail(call),
                      "a/m first OK won, b/m hedge E_NO_MEMORY");
  end(fake, call);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_silent_attempt_gets_a_rival_at_its_time),
      cmocka_unit_test(the_first_may_win_after_all),
      cmocka_unit_test(content_in_time_means_no_hedge),
      cmocka_unit_test(not_before_the_least_delay),
      cmocka_unit_test(a_request_has_a_least_delay_of_its_own),
      cmocka_unit_test(the_plan_is_the_route_s),
      cmocka_unit_test(of_two_that_come_together_one_wins),
      cmocka_unit_test(whole_bodies_win_by_their_end),
      cmocka_unit_test(white_space_is_held_back),
      cmocka_unit_test(an_end_without_content_is_held_back),
      cmocka_unit_test(a_refusal_is_held_back),
      cmocka_unit_test(a_refusal_counts_at_last),
      cmocka_unit_test(what_was_held_back_comes_first),
      cmocka_unit_test(a_tool_call_wins),
      cmocka_unit_test(no_hedge_once_the_reader_has_seen_anything),
      cmocka_unit_test(nor_while_that_waits_to_be_delivered),
      cmocka_unit_test(a_whole_call_is_hedged_after_white_space),
      cmocka_unit_test(reasoning_is_held_back_where_the_answer_decides),
      cmocka_unit_test(it_is_shown_when_no_hedge_is_sent),
      cmocka_unit_test(it_is_shown_with_the_answer),
      cmocka_unit_test(reasoning_wins_where_content_decides),
      cmocka_unit_test(an_error_does_not_win),
      cmocka_unit_test(a_hedge_that_cannot_start_is_a_leg_that_failed),
      cmocka_unit_test(the_hedge_goes_on_when_the_first_fails),
      cmocka_unit_test(when_both_fail_the_call_has_failed),
      cmocka_unit_test(a_resend_keeps_the_hedge),
      cmocka_unit_test(a_resend_is_not_asked_about_again),
      cmocka_unit_test(a_stale_hedge_is_sent_again),
      cmocka_unit_test(but_only_once),
      cmocka_unit_test(unless_its_target_is_shut),
      cmocka_unit_test(or_the_first_is_faster),
      cmocka_unit_test(or_both_are_stale_at_once),
      cmocka_unit_test(two_stale_legs_leave_nothing_behind),
      cmocka_unit_test(at_the_deadline_both_are_cancelled),
      cmocka_unit_test(what_is_held_back_counts_at_the_deadline),
      cmocka_unit_test(what_is_as_good_as_whole_counts_at_the_deadline),
      cmocka_unit_test(a_cancelled_call_leaves_nothing),
      cmocka_unit_test(a_client_may_be_closed_in_a_race),
      cmocka_unit_test(a_queue_may_be_freed_in_a_race),
      cmocka_unit_test(none_for_what_runs_once),
      cmocka_unit_test(none_that_the_retry_budget_does_not_pay),
      cmocka_unit_test(none_that_is_not_earned),
      cmocka_unit_test(none_beyond_the_allowance),
      cmocka_unit_test(none_to_an_open_breaker),
      cmocka_unit_test(none_to_who_may_not_have_the_request),
      cmocka_unit_test(a_route_counts_money_where_all_its_targets_have_prices),
      cmocka_unit_test(none_without_a_key),
      cmocka_unit_test(a_call_that_was_moved_is_hedged_too),
      cmocka_unit_test(alone_it_takes_another_connection),
      cmocka_unit_test(of_one_provider_it_takes_another_key),
      cmocka_unit_test(it_takes_what_others_leave_of_a_limit),
      cmocka_unit_test(a_hedge_counts_for_its_tenant),
      cmocka_unit_test(a_winner_that_breaks_off_is_an_error),
      cmocka_unit_test(or_the_answer_begins_anew),
      cmocka_unit_test(or_another_goes_on_with_it),
      cmocka_unit_test(a_winner_is_paused_for_its_reader),
      cmocka_unit_test(a_reload_may_forbid_hedges),
      cmocka_unit_test(a_race_outlives_its_configuration),
      cmocka_unit_test(hooks_hear_of_one_winner),
      cmocka_unit_test(a_slow_hook_of_the_loser_does_no_harm),
      cmocka_unit_test(a_hedge_that_is_not_sent_leaves_no_key),
      cmocka_unit_test(a_leg_without_memory_does_not_win),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
