/* SPDX-License-Identifier: MIT */
/* The gate: which target a call goes to while breakers are open, what a call
 * that is not sent is told, and what extra attempts take from the budgets. */
#include "support/breaker_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define RETRIES(number) "defaults.retries", number

static const infer_attempt *
attempt_of(infer_response *response, infer_error *error, size_t index)
{
  return response ? infer_response_attempt(response, index)
                  : infer_error_attempt(error, index);
}

/* "a/m first OVERLOADED, b/m failover OK" */
static const char *
trail_of(infer_call *call)
{
  static char text[1024];
  infer_response *response;
  infer_error *error;
  infer_call_wait(call, 0, &response, &error);
  size_t count = response ? infer_response_attempt_count(response)
                          : infer_error_attempt_count(error);
  text[0] = '\0';
  for (size_t i = 0, len = 0; i < count; i++) {
    const infer_attempt *attempt = attempt_of(response, error, i);
    len += (size_t)snprintf(
        text + len, sizeof text - len, "%s%s %s %s", i > 0 ? ", " : "",
        infer_attempt_target(attempt), infer_attempt_reason_name(attempt),
        infer_status_name(infer_attempt_status(attempt)) + strlen("INFER_"));
  }
  infer_response_free(response);
  infer_error_free(error);
  return text;
}

/* The decision after the index-th attempt. */
static const char *
decision_of(infer_call *call, size_t index)
{
  static char text[256];
  infer_response *response;
  infer_error *error;
  infer_call_wait(call, 0, &response, &error);
  snprintf(text, sizeof text, "%s",
           infer_attempt_decision(attempt_of(response, error, index)));
  infer_response_free(response);
  infer_error_free(error);
  return text;
}

static int32_t
balance(fake_client *fake)
{
  return runtime_of(fake)->retries.balance;
}

/* ---- Another target ------------------------------------------------------ */

static void
four_failures_send_the_next_call_elsewhere(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  is_down(fake, A);
  is_well(fake, B);
  for (int i = 0; i < 10; i++) {
    infer_call *call = fake_submit_whole(fake, "r");
    fake_run_ms(fake, 20);
    assert_string_equal(trail_of(call),
                        i < opening_failures
                            ? "a/m first E_OVERLOADED, b/m failover OK"
                            : "b/m failover OK");
    infer_call_free(call);
  }
  assert_int_equal(requests_to(fake, A), opening_failures);
  assert_contains(fake->log, "a/m: its breaker opens: attempts fail\n");
  fake_client_free(fake);
}

static void
decisions_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_down(fake, A);
  is_well(fake, B);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 500);
  assert_string_equal(decision_of(call, 0), "the same target again");
  assert_string_equal(decision_of(call, 1), "the next target");
  assert_string_equal(decision_of(call, 2), "");
  assert_string_equal(infer_attempt_decision(NULL), "");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
an_attempt_that_we_end_says_so(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *cancelled = fake_submit_whole(fake, "r");
  infer_request *request = fake_request_new("r");
  infer_request_set_deadline_ms(request, 100);
  infer_call *late = fake_submit(fake, request);
  fake_run_ms(fake, 50);
  infer_call_cancel(cancelled);
  fake_run_ms(fake, 100);
  assert_string_equal(decision_of(cancelled, 0), "the call was cancelled");
  assert_string_equal(decision_of(late, 0), "the deadline has passed");
  infer_call_free(cancelled);
  infer_call_free(late);
  fake_client_free(fake);
}

/* Nothing is lost by a wait for a retry while the breaker opens: it is made
 * elsewhere, for the price of a failover. */
static void
a_retry_that_waits_is_moved(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(RETRIES("1"), NULL);
  is_down(fake, A);
  is_well(fake, B);
  infer_call *calls[opening_failures];
  for (int i = 0; i < opening_failures; i++)
    calls[i] = fake_submit_whole(fake, "r");
  fake_run_ms(fake, answer_ms);
  assert_int_equal(requests_to(fake, A), opening_failures);
  /* The last saw the breaker open and is at b already. */
  assert_int_equal(balance(fake), 3500 - 3 * 100 - 20);
  fake_run_ms(fake, 400);
  for (int i = 0; i < opening_failures; i++) {
    assert_string_equal(trail_of(calls[i]),
                        "a/m first E_OVERLOADED, b/m failover OK");
    assert_string_equal(decision_of(calls[i], 0),
                        i < opening_failures - 1
                            ? "the breaker does not admit it: another target"
                            : "the next target");
    infer_call_free(calls[i]);
  }
  assert_int_equal(requests_to(fake, A), opening_failures);
  assert_int_equal(balance(fake), 3500);
  assert_int_equal(
      inf_runtime_known_locked(runtime_of(fake), "a/m")->budget.balance, 3500);
  fake_client_free(fake);
}

/* It was asked and failed, but is no outage: better than none. */
static void
a_target_that_failed_once_is_asked_before_one_that_is_open(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_STAY, RETRIES("1"), NULL);
  open_breaker(fake, "a/m", A);
  fake_reply(fake_script_for(&fake->net, B), answer_ms, 503, NULL, "");
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, answer_ms);
  is_well(fake, B);
  fake_run_ms(fake, 400);
  assert_string_equal(trail_of(call),
                      "b/m failover E_OVERLOADED, b/m failover OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_target_without_a_key_is_none(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_down(fake, A);
  is_well(fake, B);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, answer_ms + 1);
  const inf_provider_config *provider =
      inf_config_provider(fake->client->config, INF_SV("b"));
  for (size_t key = 0; key < 2; key++)
    inf_runtime_note_key(runtime_of(fake), provider, key, INFER_E_AUTH, -1,
                         fake->net.now_ns);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, 10000);
  assert_int_equal(fake_status(call), INFER_E_OVERLOADED);
  assert_string_equal(trail_of(call),
                      "a/m first E_OVERLOADED, a/m retry E_OVERLOADED");
  assert_int_equal(requests_to(fake, B), 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- A partial answer ---------------------------------------------------- */

#define BEGINNING "It was a dark and stormy night, and the "

/* a breaks off after a text that the reader has seen. */
static infer_call *
cut_call(fake_client *fake)
{
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, 1, sse_text(BEGINNING));
  fake_done(script, 20, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, 10);
  assert_events(fake, "start a/m|text " BEGINNING);
  fake_run_ms(fake, 100);
  return call;
}

static const char *
last_body(const fake_client *fake)
{
  return fake->net.requests[fake->net.request_count - 1].body;
}

static void
a_continued_answer_goes_on_at_another(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "defaults.recovery", "'continue'", "providers.b.prefill", "'assistant'",
      "providers.c.prefill", "'assistant'", NULL);
  open_breaker(fake, "b/m", B);
  is_well(fake, C);
  infer_call *call = cut_call(fake);
  assert_string_equal(trail_of(call), "a/m first E_TRUNCATED, c/m continue OK");
  assert_contains(last_body(fake), BEGINNING);
  infer_call_free(call);
  fake_client_free(fake);
}

/* One that would take the beginning for the user's word must not get it. */
static void
or_begins_anew_where_none_can_go_on(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("defaults.recovery", "'continue'", "providers.b.prefill",
                      "'assistant'", NULL);
  open_breaker(fake, "b/m", B);
  is_well(fake, C);
  infer_call *call = cut_call(fake);
  assert_string_equal(trail_of(call), "a/m first E_TRUNCATED, c/m recovery OK");
  assert_lacks(last_body(fake), BEGINNING);
  assert_events(fake, "1:restart answer truncated|1:start c/m|1:text ok|"
                      "1:finish stop|1:usage|1:done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- The last resort ----------------------------------------------------- */

static void
what_is_not_sent_is_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  open_breaker(fake, "a/m", A);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 0);
  infer_error *error = fake_error(call);
  int64_t wait_ms = infer_error_retry_after_ms(error);
  assert_in_range(wait_ms, 1280, 1600);
  assert_int_equal(infer_error_status(error), INFER_E_OVERLOADED);
  assert_int_equal(infer_error_retryable(error), 1);
  assert_int_equal(infer_error_attempt_count(error), 0);
  assert_string_equal(infer_error_provider(error), "a");
  assert_string_equal(infer_error_target(error), "a/m");
  assert_int_equal(infer_error_http_status(error), 0);
  char message[256];
  snprintf(message, sizeof message,
           "a/m: provider overloaded: not sent: breaker open: attempts fail; "
           "the next probe is due in %d ms",
           (int)wait_ms);
  assert_string_equal(infer_error_message(error), message);
  infer_error_free(error);
  infer_call_free(call);
  assert_int_equal(requests_to(fake, A), opening_failures);
  fake_run_ms(fake, (uint64_t)wait_ms); /* it is no lie */
  is_well(fake, A);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  fake_client_free(fake);
}

/* Of all calls that come while every target is open one is the probe. */
static void
one_probe_at_a_time_and_the_others_fail_fast(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  open_breaker(fake, "a/m", A);
  open_breaker(fake, "b/m", B);
  fake_run_ms(fake, 1600);
  size_t before = fake->net.request_count;
  enum { count = 10 };
  infer_call *calls[count];
  for (int i = 0; i < count; i++)
    calls[i] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 0);
  assert_int_equal(fake->net.request_count, before + 1);
  for (int i = 1; i < count; i++) {
    assert_int_equal(fake_status(calls[i]), INFER_E_OVERLOADED);
    assert_contains(fake_message(calls[i]), "not sent");
  }
  for (int i = 0; i < count; i++)
    infer_call_free(calls[i]);
  fake_client_free(fake);
}

static void
both_open_names_that_no_other_is_left(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  open_breaker(fake, "a/m", A);
  open_breaker(fake, "b/m", B);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 0);
  assert_contains(fake_message(call), ", and no other target can be asked; ");
  infer_call_free(call);
  fake_client_free(fake);
}

/* The first that recovers is found, though it is not the first of the route. */
static void
the_one_that_recovers_is_found(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(RETRIES("0"), NO_STAY, NULL);
  open_breaker(fake, "a/m", A);
  open_breaker(fake, "b/m", B);
  is_well(fake, B);
  int32_t status = INFER_E_OVERLOADED;
  uint64_t began_ms = fake_now_ms(fake);
  while (status != INFER_OK && fake_now_ms(fake) < began_ms + 5000)
    status = call_once(fake, "r");
  assert_int_equal(status, INFER_OK);
  assert_in_range(fake_now_ms(fake) - began_ms, 1280, 1600 + 2 * 200);
  fake_client_free(fake);
}

static void
silence_is_told_as_such(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("defaults.timeouts.first_token_ms", "20000", NULL);
  is_well(fake, A);
  for (int i = 0; i < 64; i++) {
    infer_call *call = fake_submit_whole(fake, "one");
    fake_run_ms(fake, answer_ms);
    infer_call_free(call);
  }
  fake_sent(fake_script_for(&fake->net, A), 0); /* and no answer */
  enum { count = 8 };
  infer_call *calls[count];
  for (int i = 0; i < count; i++)
    calls[i] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 999);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_CLOSED);
  fake_run_ms(fake, 2); /* late is what takes a second, see lateness.h */
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_OPEN);
  assert_int_equal(call_once(fake, "one"), INFER_E_FIRST_TOKEN_TIMEOUT);
  for (int i = 0; i < count; i++) {
    assert_int_equal(fake_status(calls[i]), INFER_E_TIMEOUT); /* go on */
    infer_call_free(calls[i]);
  }
  fake_client_free(fake);
}

/* ---- A call that waits for a probe --------------------------------------- */

static void
a_retry_is_put_off_until_the_provider_is_back(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_down(fake, A);
  for (int i = 0; i < opening_failures - 1; i++) {
    infer_request *request = fake_request_new("one");
    infer_request_set_policy(request, "retries", 0);
    infer_call_free(fake_submit(fake, request));
    fake_run_ms(fake, answer_ms);
  }
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, answer_ms);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_OPEN);
  is_well(fake, A);
  fake_run_ms(fake, 1200);
  assert_int_equal(requests_to(fake, A), opening_failures);
  fake_run_ms(fake, 500);
  assert_string_equal(trail_of(call), "a/m first E_OVERLOADED, a/m retry OK");
  assert_string_equal(decision_of(call, 0),
                      "the breaker is open: a wait for a probe");
  infer_call_free(call);
  fake_client_free(fake);
}

/* However often it is put off: 1 + retries + targets - 1. */
static void
being_put_off_uses_up_the_allowance(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(RETRIES("5"), NULL);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, 2000);
  size_t before = requests_to(fake, A);
  infer_call *call = fake_submit_whole(fake, "one"); /* is a probe, and fails */
  fake_run_ms(fake, 30000);
  assert_int_equal(fake_status(call), INFER_E_OVERLOADED);
  size_t made = requests_to(fake, A) - before;
  assert_in_range(made, 2, 3); /* each retry has been put off before */
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_attempt_count(error), made);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_deadline_bounds_the_wait(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(RETRIES("5"), NULL);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, 2000);
  infer_request *request = fake_request_new("one");
  infer_request_set_deadline_ms(request, 1000);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 400); /* a probe, a backoff, and no time for the next */
  assert_int_equal(fake_status(call), INFER_E_OVERLOADED);
  assert_contains(fake_message(call), "not sent");
  assert_string_equal(decision_of(call, 0), "the breaker is open: not sent");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_call_that_waits_may_be_cancelled(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(RETRIES("5"), NULL);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, 2000);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 400);
  assert_int_equal(balance(fake), 3400);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(call), INFER_E_CANCELLED);
  assert_int_equal(balance(fake), 3500);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- What the breaker hears ---------------------------------------------- */

static void
without_a_breaker_all_are_sent(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(RETRIES("0"), "routes.one.breaker", "false", NULL);
  open_breaker(fake, "a/m", A);
  for (int i = 0; i < 5; i++)
    assert_int_equal(call_once(fake, "one"), INFER_E_OVERLOADED);
  assert_int_equal(requests_to(fake, A), opening_failures + 5);
  fake_client_free(fake);
}

static void
rate_limits_and_rejections_open_nothing(void **state)
{
  (void)state;
  static const int statuses[] = {429, 400, 404, 413};
  fake_client *fake = fake_client_new(RETRIES("0"), NULL);
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    fake_reply(fake_script_for(&fake->net, A), 1, statuses[i], NULL, "");
    for (int n = 0; n < 5; n++)
      call_once(fake, "one");
  }
  assert_int_equal(requests_to(fake, A), 20);
  assert_int_equal(breaker_of(fake, "a/m").evidence_percent, 0);
  fake_client_free(fake);
}

/* A used connection that the server closed is no failure of the server. */
static void
stale_connections_open_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  for (int i = 0; i < 8; i++) {
    fake_script *stale = fake_script_next(&fake->net);
    stale->reused = true;
    fake_sent(stale, 0);
    fake_done(stale, 0, INF_NET_RESET);
    fake_stream_all(fake_script_next(&fake->net), 1, "ok");
    assert_int_equal(call_once(fake, "one"), INFER_OK);
    assert_int_equal(breaker_of(fake, "a/m").evidence_percent, 0);
  }
  assert_int_equal(requests_to(fake, A), 16);
  inf_target_state *target = inf_runtime_known_locked(runtime_of(fake), "a/m");
  assert_int_equal(target->breaker.young, 0);
  fake_client_free(fake);
}

/* But what breaks again is one. */
static void
a_resend_that_fails_counts(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(RETRIES("0"), NULL);
  fake_script *stale = fake_script_for(&fake->net, A);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, 0, INF_NET_RESET);
  for (int i = 0; i < opening_failures; i++)
    assert_int_equal(call_once(fake, "one"), INFER_E_RESET);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_OPEN);
  assert_int_equal(requests_to(fake, A), 2 * opening_failures);
  fake_client_free(fake);
}

/* Sent again at once, but not again: it ends with the call. */
static void
what_is_not_resent_is_forgotten(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  for (int i = 0; i < 5; i++) {
    fake_script *stale = fake_script_next(&fake->net);
    stale->reused = true;
    fake_sent(stale, 0);
    fake_done(stale, 0, INF_NET_RESET);
    infer_request *request = fake_request_new("one");
    infer_request_set_run_once(request, 1);
    infer_call *call = fake_submit(fake, request);
    fake_run_ms(fake, 10);
    assert_int_equal(fake_status(call), INFER_E_RESET);
    infer_call_free(call);
  }
  inf_target_state *target = inf_runtime_known_locked(runtime_of(fake), "a/m");
  assert_int_equal(target->breaker.young, 0);
  assert_int_equal(target->breaker.evidence, 0);
  fake_client_free(fake);
}

/* A probe whose connection was stale is still the probe. */
static void
a_resent_probe_is_the_probe(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(RETRIES("0"), NULL);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, 1600);
  is_well(fake, A);
  while (fake->net.script_count < fake->net.request_count)
    fake_script_next(&fake->net);
  fake_script *stale = fake_script_next(&fake->net);
  stale->reused = true;
  fake_sent(stale, 0);
  fake_done(stale, 0, INF_NET_RESET);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_int_equal(call_once(fake, "one"), INFER_OK); /* follows at once */
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_RETURNING);
  assert_int_equal(requests_to(fake, A), opening_failures + 3);
  fake_client_free(fake);
}

/* What happens while nobody looks says nothing. */
static void
a_gap_opens_nothing(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("defaults.timeouts.first_token_ms", "20000", NULL);
  is_well(fake, A);
  for (int i = 0; i < 64; i++) {
    infer_call *call = fake_submit_whole(fake, "one");
    fake_run_ms(fake, answer_ms);
    infer_call_free(call);
  }
  fake_stream_all(fake_script_for(&fake->net, A), 100, "ok");
  enum { count = 10 };
  infer_call *calls[count];
  for (int i = 0; i < count; i++)
    calls[i] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 10);
  fake->net.jump_ns = 30 * INF_NS_PER_S;
  fake_run_ms(fake, 200);
  for (int i = 0; i < count; i++) {
    assert_int_equal(fake_status(calls[i]), INFER_OK);
    infer_call_free(calls[i]);
  }
  inf_target_state *target = inf_runtime_known_locked(runtime_of(fake), "a/m");
  assert_int_equal(target->breaker.state, INF_BREAKER_CLOSED);
  assert_int_equal(target->breaker.slow, 0);
  assert_int_equal(inf_breaker_late_ns(&target->breaker), INF_NS_PER_S);
  fake_client_free(fake);
}

/* A whole answer takes as long as it is. */
static void
answers_in_one_piece_are_not_late(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.upstream", "'unary'", NULL);
  is_well(fake, A);
  for (int i = 0; i < 64; i++) {
    infer_call *call = fake_submit_whole(fake, "a/m");
    fake_run_ms(fake, answer_ms);
    infer_call_free(call);
  }
  fake_reply(fake_script_for(&fake->net, A), 5000, 200, NULL,
             unary_body("long"));
  enum { count = 20 };
  infer_call *calls[count];
  for (int i = 0; i < count; i++)
    calls[i] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 6000);
  for (int i = 0; i < count; i++) {
    assert_int_equal(fake_status(calls[i]), INFER_OK);
    infer_call_free(calls[i]);
  }
  inf_target_state *target = inf_runtime_known_locked(runtime_of(fake), "a/m");
  assert_int_equal(target->breaker.state, INF_BREAKER_CLOSED);
  assert_int_equal(target->breaker.slow, 0);
  assert_int_equal(inf_breaker_late_ns(&target->breaker), INF_NS_PER_S);
  fake_client_free(fake);
}

/* ---- Budgets ------------------------------------------------------------- */

#define NO_BREAKER "defaults.breaker", "false"

static void
the_sixth_retry_is_denied(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_BREAKER, RETRIES("1"), NULL);
  is_down(fake, A);
  for (int i = 0; i < 8; i++) {
    infer_call *call = fake_submit_whole(fake, "one");
    fake_run_ms(fake, 1000);
    assert_string_equal(trail_of(call),
                        i < 5 ? "a/m first E_OVERLOADED, a/m retry E_OVERLOADED"
                              : "a/m first E_OVERLOADED");
    assert_string_equal(decision_of(call, i < 5),
                        i < 5 ? "the call's allowance of attempts is used up"
                              : "the client's retry budget is used up");
    infer_call_free(call);
  }
  fake_client_free(fake);
}

/* A retry that is not paid for is no reason to fail where another target can
 * serve the call. */
static void
a_retry_that_is_not_paid_goes_elsewhere(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_BREAKER, NULL);
  is_down(fake, A);
  is_well(fake, B);
  runtime_of(fake)->retries.balance = 3050;
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 10);
  assert_string_equal(trail_of(call),
                      "a/m first E_OVERLOADED, b/m failover OK");
  assert_int_equal(balance(fake), 3050); /* it has paid for itself */
  infer_call_free(call);
  fake_client_free(fake);
}

static void
without_money_there_is_one_attempt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_BREAKER, NULL);
  is_down(fake, A);
  is_well(fake, B);
  runtime_of(fake)->retries.balance = 19;
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 1000);
  assert_string_equal(trail_of(call), "a/m first E_OVERLOADED");
  assert_int_equal(balance(fake), 19);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
without_a_budget_nothing_is_paid(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_BREAKER, "defaults.retry_budget", "false", NULL);
  is_down(fake, A);
  runtime_of(fake)->retries.balance = 0;
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 2000);
  assert_int_equal(requests_to(fake, A), 3);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
what_is_not_sent_is_paid_back(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_down(fake, A);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 10);
  assert_int_equal(balance(fake), 3400);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  assert_int_equal(balance(fake), 3500);
  inf_target_state *target = inf_runtime_known_locked(runtime_of(fake), "a/m");
  assert_int_equal(target->budget.balance, 3500);
  assert_int_equal(target->budget.refunded, 1);
  infer_call_free(call);
  fake_client_free(fake);
}

/* All keys are gone when the retry is to be made: it is not sent. */
static void
a_retry_that_cannot_start_is_paid_back(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_down(fake, A);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 10);
  const inf_provider_config *provider =
      inf_config_provider(fake->client->config, INF_SV("a"));
  inf_runtime_note_key(runtime_of(fake), provider, 0, INFER_E_AUTH, -1,
                       fake->net.now_ns);
  fake_run_ms(fake, 300);
  assert_int_equal(fake_status(call), INFER_E_AUTH);
  assert_int_equal(balance(fake), 3500);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- What is none of its business ---------------------------------------- */

static void
lists_of_models_pay_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_down(fake, A);
  runtime_of(fake)->retries.balance = 0;
  infer_call *call;
  assert_int_equal(infer_submit_models(fake->client, "a", 10000, fake->queue, 9,
                                       &call, NULL),
                   INFER_OK);
  fake_run_ms(fake, 3000);
  assert_int_equal(requests_to(fake, A), 3);
  infer_call_free(call);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(infer_submit_models(fake->client, "a", 1000, fake->queue,
                                         9, &call, NULL),
                     INFER_OK);
    fake_run_ms(fake, 3000);
    infer_call_free(call);
  }
  assert_int_equal(requests_to(fake, A), 12);
  fake_client_free(fake);
}

static void
a_request_that_runs_once_goes_to_another_target(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  open_breaker(fake, "a/m", A);
  is_well(fake, B);
  infer_request *request = fake_request_new("r");
  infer_request_set_run_once(request, 1);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 10);
  assert_string_equal(trail_of(call), "b/m failover OK");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(four_failures_send_the_next_call_elsewhere),
      cmocka_unit_test(decisions_are_told),
      cmocka_unit_test(an_attempt_that_we_end_says_so),
      cmocka_unit_test(a_retry_that_waits_is_moved),
      cmocka_unit_test(
          a_target_that_failed_once_is_asked_before_one_that_is_open),
      cmocka_unit_test(a_target_without_a_key_is_none),
      cmocka_unit_test(a_continued_answer_goes_on_at_another),
      cmocka_unit_test(or_begins_anew_where_none_can_go_on),
      cmocka_unit_test(what_is_not_sent_is_told),
      cmocka_unit_test(one_probe_at_a_time_and_the_others_fail_fast),
      cmocka_unit_test(both_open_names_that_no_other_is_left),
      cmocka_unit_test(the_one_that_recovers_is_found),
      cmocka_unit_test(silence_is_told_as_such),
      cmocka_unit_test(a_retry_is_put_off_until_the_provider_is_back),
      cmocka_unit_test(being_put_off_uses_up_the_allowance),
      cmocka_unit_test(the_deadline_bounds_the_wait),
      cmocka_unit_test(a_call_that_waits_may_be_cancelled),
      cmocka_unit_test(without_a_breaker_all_are_sent),
      cmocka_unit_test(rate_limits_and_rejections_open_nothing),
      cmocka_unit_test(stale_connections_open_nothing),
      cmocka_unit_test(a_resend_that_fails_counts),
      cmocka_unit_test(what_is_not_resent_is_forgotten),
      cmocka_unit_test(a_resent_probe_is_the_probe),
      cmocka_unit_test(a_gap_opens_nothing),
      cmocka_unit_test(answers_in_one_piece_are_not_late),
      cmocka_unit_test(the_sixth_retry_is_denied),
      cmocka_unit_test(a_retry_that_is_not_paid_goes_elsewhere),
      cmocka_unit_test(without_money_there_is_one_attempt),
      cmocka_unit_test(without_a_budget_nothing_is_paid),
      cmocka_unit_test(what_is_not_sent_is_paid_back),
      cmocka_unit_test(a_retry_that_cannot_start_is_paid_back),
      cmocka_unit_test(lists_of_models_pay_nothing),
      cmocka_unit_test(a_request_that_runs_once_goes_to_another_target),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
