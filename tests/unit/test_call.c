/* SPDX-License-Identifier: MIT */
/* The life of a call: what each attempt's outcome means for it, and its one
 * end. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static uint64_t
start_ms(const fake_client *fake, size_t request)
{
  assert_true(request < fake->net.request_count);
  return fake_ms(fake->net.requests[request].start_ns);
}

static const char *
url(const fake_client *fake, size_t request)
{
  assert_true(request < fake->net.request_count);
  return fake->net.requests[request].url;
}

/* ---- Retry and failover -------------------------------------------------- */

static void
the_same_target_again_after_a_backoff(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 10, 503, NULL, "");
  fake_stream_all(fake_script_next(&fake->net), 20, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 10 + 49);
  assert_int_equal(fake->net.request_count, 1);
  fake_run_ms(fake, 201 + 20);
  assert_int_equal(fake->net.request_count, 2);
  assert_in_range(start_ms(fake, 1), 10 + 50, 10 + 250);
  assert_contains(url(fake, 1), "http://a.test");
  assert_string_equal(fake->telemetry,
                      "attempt a/m first OVERLOADED http=503 \n"
                      "attempt a/m retry OK http=200 \n"
                      "call OK\n");
  assert_events(fake, "start a/m|text ok|finish stop|usage|done OK");
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_attempt_count(response), 2);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* a fails twice, b answers: the reader notices nothing. */
static void
failover_is_at_once_and_unseen(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 10, 500, NULL, "");
  fake_reply(fake_script_next(&fake->net), 10, 502, NULL, "");
  fake_stream_all(fake_script_next(&fake->net), 20, "from b");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 3);
  assert_int_equal(start_ms(fake, 2), start_ms(fake, 1) + 10);
  assert_contains(url(fake, 2), "http://b.test");
  assert_events(fake, "start b/m|text from b|finish stop|usage|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_allowance_bounds_the_attempts(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_always(&fake->net), 10, 500, NULL,
             error_body("x", "Broken"));
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 20000);
  assert_int_equal(fake->net.request_count, 4); /* 1 + 2 retries + 1 target */
  assert_events(fake, "done SERVER");
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_attempt_count(error), 4);
  assert_int_equal(infer_error_http_status(error), 500);
  assert_int_equal(infer_error_retryable(error), 1);
  assert_contains(infer_error_message(error), "Broken");
  assert_null(infer_error_partial(error));
  const char *targets[] = {"a/m", "a/m", "b/m"}; /* then the soonest of both */
  for (size_t i = 0; i < 3; i++)
    assert_string_equal(infer_attempt_target(infer_error_attempt(error, i)),
                        targets[i]);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
back_to_the_soonest_target(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 0, 429, "retry-after: 9", "");
  fake_reply(fake_script_next(&fake->net), 0, 404, NULL, "");
  fake_stream_all(fake_script_next(&fake->net), 0, "at last");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 8999);
  assert_int_equal(fake->net.request_count, 2);
  fake_run_ms(fake, 1801);
  assert_int_equal(fake->net.request_count, 3);
  assert_in_range(start_ms(fake, 2), 9000, 10800);
  assert_contains(url(fake, 2), "http://a.test");
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_rejected_request_is_not_sent_again(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 5, 400, "x-request-id: req-9",
             error_body("bad", "No such parameter"));
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 60000);
  assert_int_equal(fake->net.request_count, 1);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_status(error), INFER_E_BAD_REQUEST);
  assert_string_equal(infer_error_request_id(error), "req-9");
  assert_string_equal(infer_error_provider(error), "a");
  assert_string_equal(infer_error_target(error), "a/m");
  assert_string_equal(infer_error_provider_code(error), "bad");
  assert_int_equal(infer_error_retryable(error), 0);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
an_error_inside_a_200_is_retried_like_any_other(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 6,
            "data: {\"error\":{\"message\":\"Overloaded\",\"code\":503}}\n\n");
  fake_stream_all(fake_script_next(&fake->net), 5, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 2);
  assert_cancelled_at(fake, 0, 6);
  assert_events(fake, "start a/m|text ok|finish stop|usage|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
should_retry_false_goes_elsewhere(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 5, 500, "x-should-retry: false", "");
  fake_stream_all(fake_script_next(&fake->net), 5, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 10);
  assert_request(fake, 1, "b", 5);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Hints --------------------------------------------------------------- */

static void
a_hint_is_a_floor_with_jitter(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 10, 429, "retry-after: 5",
             error_body("x", "Slow down"));
  fake_stream_all(fake_script_next(&fake->net), 10, "ok");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 7000);
  assert_int_equal(fake->net.request_count, 2);
  assert_in_range(start_ms(fake, 1), 5010, 6010);
  infer_response *response = fake_response(call);
  const infer_attempt *second = infer_response_attempt(response, 1);
  int64_t waited_ns = infer_attempt_phase_ns(second, INFER_PHASE_LIMITER_WAIT);
  assert_in_range(waited_ns, 5000000000, 6000000000);
  assert_int_equal(infer_attempt_start_ns(second), waited_ns + 10000000);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
what_comes_late_to_the_loop_was_not_held_back(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 10, "ok");
  infer_call *call = fake_submit_model(fake, "one");
  fake->net.now_ns += 40 * INF_NS_PER_MS;
  fake_run_ms(fake, 100);
  infer_response *response = fake_response(call);
  const infer_attempt *only = infer_response_attempt(response, 0);
  assert_int_equal(infer_attempt_start_ns(only), 40 * INF_NS_PER_MS);
  assert_int_equal(infer_attempt_phase_ns(only, INFER_PHASE_LIMITER_WAIT), 0);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_hint_past_the_deadline_ends_at_once_as_rate_limited(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 10, 429, "retry-after: 61",
             error_body("x", "Slow down"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_status(error), INFER_E_RATE_LIMITED);
  assert_int_equal(infer_error_retry_after_ms(error), 61000);
  assert_int_equal(infer_error_retryable(error), 1);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The target's usual time to first token counts too. It is learned from an
 * answer before. */
static void
a_hint_and_the_usual_first_token_time_must_fit(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.one.timeouts.deadline_ms", "10000", NULL);
  fake_stream_all(fake_script_next(&fake->net), 1900, "slow");
  infer_call *first = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1900);
  assert_int_equal(fake_status(first), INFER_OK);
  infer_call_free(first);
  fake_reply(fake_script_next(&fake->net), 0, 429, "retry-after: 8.5", "");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(call), INFER_E_RATE_LIMITED);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
headers_of_a_success_are_no_hint(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 0);
  fake_headers(script, 5, 200,
               "content-type: text/event-stream\nretry-after: 50\n"
               "x-ratelimit-reset-requests: 50s");
  fake_body(script, 6,
            "data: {\"error\":{\"message\":\"Overloaded\",\"code\":503}}\n\n");
  fake_stream_all(fake_script_next(&fake->net), 5, "ok");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 300);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Keys ---------------------------------------------------------------- */

static const char *
key_of(const fake_client *fake, size_t request)
{
  assert_true(request < fake->net.request_count);
  const char *headers = fake->net.requests[request].headers;
  return strstr(headers, "key-b-1")   ? "1"
         : strstr(headers, "key-b-2") ? "2"
                                      : "";
}

static void
keys_take_turns(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_always(&fake->net), 1, "x");
  for (int i = 0; i < 4; i++) {
    infer_call *call = fake_submit_model(fake, "b/m");
    fake_run_ms(fake, 1);
    infer_response *response = fake_response(call);
    assert_int_equal(
        infer_attempt_key_index(infer_response_attempt(response, 0)), i % 2);
    infer_response_free(response);
    infer_call_free(call);
  }
  assert_string_equal(key_of(fake, 0), "1");
  assert_string_equal(key_of(fake, 1), "2");
  assert_string_equal(key_of(fake, 2), "1");
  fake_client_free(fake);
}

static void
a_refused_key_gives_way_and_stays_out_until_reload(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 1, 401, NULL, "");
  fake_stream_all(fake_script_always(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "b/m");
  fake_run_ms(fake, 2);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_request(fake, 1, "b", 1);
  assert_string_equal(key_of(fake, 1), "2");
  assert_contains(fake->telemetry, "attempt b/m key OK");
  infer_call_free(call);
  for (int i = 0; i < 2; i++) {
    infer_call_free(fake_submit_model(fake, "b/m"));
    fake_run_ms(fake, 1);
    assert_string_equal(key_of(fake, fake->net.request_count - 1), "2");
  }
  infer_config *config = fake_config_new(fake, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  infer_call_free(fake_submit_model(fake, "b/m"));
  fake_run_ms(fake, 1);
  assert_string_equal(key_of(fake, fake->net.request_count - 1), "1");
  fake_client_free(fake);
}

static void
a_spent_key_rests_five_minutes(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 0, 402, NULL, "");
  fake_stream_all(fake_script_always(&fake->net), 0, "x");
  for (int i = 0; i < 3; i++) {
    infer_call_free(fake_submit_model(fake, "b/m"));
    fake_run_ms(fake, 0);
  }
  assert_int_equal(fake->net.request_count, 4);
  for (size_t i = 1; i < 4; i++)
    assert_string_equal(key_of(fake, i), "2");
  fake_run_ms(fake, 299999);
  infer_call_free(fake_submit_model(fake, "b/m"));
  fake_run_ms(fake, 1);
  assert_string_equal(key_of(fake, 4), "2");
  infer_call_free(fake_submit_model(fake, "b/m"));
  fake_run_ms(fake, 0);
  assert_string_equal(key_of(fake, 5), "1");
  fake_client_free(fake);
}

static void
all_keys_out_is_told_at_submit(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_always(&fake->net), 0, 401, NULL, "");
  infer_call *call = fake_submit_model(fake, "b/m");
  fake_run_ms(fake, 0);
  assert_int_equal(fake->net.request_count, 2);
  assert_int_equal(fake_status(call), INFER_E_AUTH);
  infer_call_free(call);
  infer_request *request = fake_request_new("b/m");
  infer_error *error;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, NULL, &error),
                   INFER_E_AUTH);
  assert_contains(infer_error_message(error), "\"b\"");
  infer_error_free(error);
  infer_request_free(request);
  assert_int_equal(fake->net.request_count, 2);
  fake_client_free(fake);
}

static void
a_limited_key_gives_way_to_a_free_one(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 1, 429, "retry-after: 300", "");
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "b/m");
  fake_run_ms(fake, 2);
  assert_string_equal(key_of(fake, 1), "2");
  assert_request(fake, 1, "b", 1);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* A server without keys that says 401 is not asked again with the same
 * nothing. */
static void
without_keys_a_401_goes_elsewhere(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.r.targets", "['c/m','a/m']", NULL);
  fake_reply(fake_script_next(&fake->net), 1, 401, NULL, "");
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 2);
  assert_request(fake, 0, "c", 0);
  assert_request(fake, 1, "a", 1);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Labels -------------------------------------------------------------- */

static void
labels_are_a_filter_over_every_attempt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.b.labels", "['private']", "providers.c.labels", "['private']",
      "routes.three.require_labels", "['private']", NULL);
  fake_reply(fake_script_always(&fake->net), 5, 500, NULL, "");
  infer_call *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, 60000);
  assert_true(fake->net.request_count >= 4);
  for (size_t i = 0; i < fake->net.request_count; i++)
    assert_null(strstr(url(fake, i), "a.test"));
  assert_int_equal(fake_status(call), INFER_E_SERVER);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
labels_of_the_request_come_on_top(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.b.labels", "['private']", "providers.c.labels",
      "['private','eu']", "routes.three.require_labels", "['private']", NULL);
  fake_reply(fake_script_always(&fake->net), 5, 500, NULL, "");
  infer_request *request = fake_request_new("three");
  infer_request_require_label(request, "eu");
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 60000);
  assert_int_equal(fake->net.request_count, 3);
  for (size_t i = 0; i < fake->net.request_count; i++)
    assert_contains(url(fake, i), "c.test");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
no_provider_with_the_label_is_told_at_submit(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("r");
  infer_request_require_label(request, "eu");
  infer_error *error;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, NULL, &error),
                   INFER_E_NO_TARGET);
  assert_contains(infer_error_message(error), "\"eu\"");
  infer_error_free(error);
  infer_request_free(request);
  fake_run_ms(fake, 100);
  assert_int_equal(fake->net.request_count, 0);
  assert_events(fake, "");
  fake_client_free(fake);
}

/* ---- Policy of the request ----------------------------------------------- */

static void
the_request_says_how_often_to_try(void **state)
{
  (void)state;
  for (int64_t retries = 0; retries <= 3; retries++) {
    fake_client *fake = fake_client_new(NULL);
    fake_reply(fake_script_always(&fake->net), 5, 503, NULL, "");
    infer_request *request = fake_request_new("one");
    infer_request_set_policy(request, "retries", retries);
    infer_request_set_policy(request, "stay.retries", retries);
    infer_request_set_policy(request, "stay.max_wait_ms", 60000);
    infer_call *call = fake_submit(fake, request);
    fake_run_ms(fake, 120000);
    assert_int_equal(fake->net.request_count, 1 + retries);
    assert_int_equal(fake_status(call), INFER_E_OVERLOADED);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
the_request_says_how_long_to_wait(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("one");
  infer_request_set_policy(request, "retries", 0);
  infer_request_set_policy(request, "timeouts.first_token_ms", 250);
  fake_sent(fake_script_next(&fake->net), 0);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 240);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_E_FIRST_TOKEN_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

/* set_deadline_ms() goes before it. */
static void
the_request_s_policy_has_a_deadline(void **state)
{
  (void)state;
  for (int64_t own_ms = 0; own_ms <= 700; own_ms += 700) {
    fake_client *fake = fake_client_new(NULL);
    infer_request *request = fake_request_new("one");
    infer_request_set_policy(request, "timeouts.deadline_ms", 300);
    if (own_ms > 0)
      infer_request_set_deadline_ms(request, own_ms);
    uint64_t due_ms = own_ms > 0 ? 700 : 300;
    infer_call *call = fake_submit(fake, request);
    fake_run_ms(fake, due_ms - 1);
    assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
    fake_run_ms(fake, 1);
    assert_int_equal(fake_status(call), INFER_E_DEADLINE);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

/* ---- Run once ------------------------------------------------------------ */

static infer_call *
submit_once(fake_client *fake, const char *model)
{
  infer_request *request = fake_request_new(model);
  infer_request_set_run_once(request, 1);
  return fake_submit(fake, request);
}

static void
run_once_sends_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_always(&fake->net), 5, 503, NULL, "");
  infer_call *call = submit_once(fake, "r");
  fake_run_ms(fake, 60000);
  assert_int_equal(fake->net.request_count, 1);
  assert_int_equal(fake_status(call), INFER_E_OVERLOADED);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
run_once_tries_again_while_nothing_was_sent(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_done(fake_script_next(&fake->net), 5, INF_NET_CONNECT);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = submit_once(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 2);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
run_once_does_not_resend_over_a_stale_connection(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->reused = true;
  fake_sent(script, 0);
  fake_done(script, 5, INF_NET_RESET);
  infer_call *call = submit_once(fake, "r");
  fake_run_ms(fake, 60000);
  assert_int_equal(fake->net.request_count, 1);
  assert_int_equal(fake_status(call), INFER_E_RESET);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
run_once_resends_a_refused_stream(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 0);
  fake_done(script, 5, INF_NET_REFUSED_STREAM);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = submit_once(fake, "r");
  fake_run_ms(fake, 100);
  assert_request(fake, 1, "a", 5);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Stale connections --------------------------------------------------- */

static void
script_stale(fake_client *fake)
{
  fake_script *script = fake_script_next(&fake->net);
  script->reused = true;
  fake_sent(script, 1);
  fake_done(script, 5, INF_NET_RESET);
}

static void
a_stale_connection_is_resent_once_at_once_fresh_and_free(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  script_stale(fake);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 100);
  assert_int_equal(fake->net.request_count, 2);
  assert_request(fake, 1, "a", 5);
  assert_false(fake->net.requests[0].fresh_connection);
  assert_true(fake->net.requests[1].fresh_connection);
  assert_string_equal(fake->telemetry,
                      "attempt a/m first RESET http=0 connection reset by "
                      "peer\nattempt a/m resend OK http=200 \ncall OK\n");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_second_stale_connection_in_a_row_is_a_failure(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  script_stale(fake);
  script_stale(fake);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 2);
  assert_int_equal(fake_status(call), INFER_E_RESET);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
after_a_response_byte_it_is_no_stale_connection(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->reused = true;
  fake_stream(script, 2);
  fake_done(script, 5, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 1);
  assert_int_equal(fake_status(call), INFER_E_RESET);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Recovery ------------------------------------------------------------ */

/* Two pieces that the reader takes, then the end of it. */
static void
script_cut(fake_client *fake, const char *first, const char *second)
{
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, first);
  fake_body(script, 20, second);
  fake_done(script, 30, INF_NET_RESET);
}

static void
recovery_error_attaches_the_partial_answer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  script_cut(fake, sse_text("Hel"), sse_text("lo"));
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 10);
  assert_events(fake, "start a/m|text Hel");
  fake_run_ms(fake, 1000);
  assert_events(fake, "text lo|done TRUNCATED [Hello]");
  assert_int_equal(fake->net.request_count, 1);
  infer_error *error = fake_error(call);
  const infer_response *partial = infer_error_partial(error);
  assert_string_equal(infer_response_text(partial, NULL), "Hello");
  assert_string_equal(infer_response_target(partial), "a/m");
  assert_string_equal(infer_response_finish_reason(partial, 0), "");
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
recovery_restart_begins_anew(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'", NULL);
  script_cut(fake, sse_text("Hel"), sse_text("lo"));
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 20);
  assert_events(fake, "start a/m|text Hello");
  fake_run_ms(fake, 1000);
  assert_request(fake, 1, "b", 30);
  assert_events(fake, "1:restart answer truncated|1:start b/m|1:text Howdy|"
                      "1:finish stop|1:usage|1:done OK");
  assert_contains(fake->telemetry, "attempt b/m recovery OK");
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), "Howdy");
  assert_int_equal(infer_response_attempt_count(response), 2);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* At once is once, whatever the attempt was for. */
static void
a_refused_restart_is_resent_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'",
                                      "routes.r.breaker", "false", NULL);
  script_cut(fake, sse_text("Hel"), sse_text("lo"));
  fake_script *refusal = fake_script_always(&fake->net);
  fake_sent(refusal, 1);
  fake_done(refusal, 2, INF_NET_REFUSED_STREAM);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 5000);
  assert_int_equal(fake_status(call), INFER_E_RESET);
  /* The allowance of four, and of those to b each once more. */
  assert_int_equal(fake->net.request_count, 4 + 3);
  assert_true(fake->net.requests[2].fresh_connection);
  assert_contains(fake->telemetry, "attempt b/m recovery RESET");
  assert_contains(fake->telemetry, "attempt b/m resend RESET");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
restart_discards_unread_events_of_older_epochs(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'", NULL);
  script_cut(fake, sse_text("Hel"), sse_text("lo"));
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  assert_events(fake, "1:restart answer truncated|1:start b/m|1:text Howdy|"
                      "1:finish stop|1:usage|1:done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_call_may_restart_more_than_once(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.three.recovery", "'restart'", NULL);
  script_cut(fake, sse_text("a"), sse_text("a"));
  script_cut(fake, sse_text("b"), sse_text("b"));
  fake_stream_all(fake_script_next(&fake->net), 5, "c");
  infer_call *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, 20);
  assert_events(fake, "start a/m|text aa");
  fake_run_ms(fake, 30);
  assert_events(fake, "1:restart answer truncated|1:start b/m|1:text bb");
  fake_run_ms(fake, 1000);
  assert_events(fake, "2:restart answer truncated|2:start c/m|2:text c|"
                      "2:finish stop|2:usage|2:done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_delivered_tool_call_forbids_the_restart(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, sse_tool(0, "id-1", "f", "{}"));
  fake_body(script, 20, sse_finish("tool_calls"));
  fake_body(script, 25,
            "data: {\"error\":{\"message\":\"x\",\"code\":500}}\n\n");
  fake_done(script, 30, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 1);
  assert_events(fake, "start a/m|tool_call_delta 0 f {}|tool_call_done 0 f {}|"
                      "finish tool_calls|done SERVER []");
  infer_call_free(call);
  fake_client_free(fake);
}

/* A begun tool call that never was complete may be forgotten. */
static void
an_incomplete_tool_call_does_not_forbid_it(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'", NULL);
  script_cut(fake, sse_tool(0, "id-1", "f", "{"), sse_tool(0, NULL, NULL, "x"));
  fake_stream_all(fake_script_next(&fake->net), 5, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_restart_obeys_the_failure_table(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'",
                                      "routes.r.targets", "['a/m']", NULL);
  script_cut(fake, sse_text("Hel"), sse_text("lo"));
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 60000);
  assert_int_equal(fake->net.request_count, 1);
  assert_events(fake, "start a/m|text Hello|done TRUNCATED [Hello]");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_whole_call_recovers_by_itself(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  script_cut(fake, sse_text("Hel"), sse_text("lo"));
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 1000);
  assert_events(fake, "done OK");
  assert_contains(fake->telemetry, "attempt b/m failover OK");
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), "Howdy");
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
infer_chat_recovers_by_itself(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  script_cut(fake, sse_text("Hel"), sse_text("lo"));
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_request *request = fake_request_new("r");
  infer_response *response;
  assert_int_equal(infer_chat(fake->client, request, &response, NULL),
                   INFER_OK);
  assert_string_equal(infer_response_text(response, NULL), "Howdy");
  infer_response_free(response);
  infer_request_free(request);
  fake_client_free(fake);
}

/* ---- Cancel -------------------------------------------------------------- */

static void
cancel_before_the_first_attempt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = fake_submit_model(fake, "r");
  assert_int_equal(infer_call_cancel(call), INFER_OK);
  fake_run_ms(fake, 0);
  assert_int_equal(fake->net.request_count, 0);
  assert_events(fake, "done CANCELLED");
  assert_string_equal(fake->telemetry, "call CANCELLED\n");
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_attempt_count(error), 0);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

/* As bindings do with each call that they drop. */
static void
cancel_after_the_end_wakes_nobody(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(infer_call_cancel(call), INFER_OK);
  assert_false(atomic_load(&fake->client->mail));
  infer_call_free(call);
  fake_client_free(fake);
}

static void
cancel_while_connecting(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 100);
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  assert_cancelled_at(fake, 0, 100);
  assert_events(fake, "done CANCELLED");
  assert_string_equal(fake->telemetry,
                      "attempt a/m first CANCELLED http=0 cancelled by the "
                      "caller\ncall CANCELLED\n");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
cancel_during_the_backoff(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 10, 503, NULL, "");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 30);
  infer_call_cancel(call);
  fake_run_ms(fake, 10000);
  assert_int_equal(fake->net.request_count, 1);
  assert_events(fake, "done CANCELLED");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
cancel_within_the_answer_attaches_the_part(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, sse_text("Hel"));
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 20);
  infer_call_cancel(call);
  fake_run_ms(fake, 1000);
  assert_cancelled_at(fake, 0, 20);
  assert_int_equal(fake->net.request_count, 1);
  assert_events(fake, "start a/m|text Hel|done CANCELLED [Hel]");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
cancel_after_the_end_changes_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 5);
  assert_int_equal(infer_call_cancel(call), INFER_OK);
  assert_int_equal(infer_call_cancel(call), INFER_OK);
  fake_run_ms(fake, 100);
  assert_events(fake, "start a/m|text x|finish stop|usage|done OK");
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(infer_call_cancel(call), INFER_OK);
  fake_run_ms(fake, 100);
  assert_events(fake, "");
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Deadline ------------------------------------------------------------ */

static infer_call *
submit_with_deadline(fake_client *fake, const char *model, int64_t deadline_ms)
{
  infer_request *request = fake_request_new(model);
  infer_request_set_deadline_ms(request, deadline_ms);
  return fake_submit(fake, request);
}

static void
the_deadline_holds_over_everything(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.retries", "10", NULL);
  fake_reply(fake_script_always(&fake->net), 300, 500, NULL,
             error_body("x", "Out of order"));
  infer_call *call = submit_with_deadline(fake, "r", 1000);
  fake_run_ms(fake, 999);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 1);
  assert_int_not_equal(fake_status(call), INFER_E_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

/* What a call waits for the loop is part of its time. */
static void
the_deadline_counts_from_the_submission(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("r");
  infer_request_set_deadline_ms(request, 700);
  infer_call *call = fake_submit(fake, request);
  fake->net.now_ns += 500 * INF_NS_PER_MS;
  fake_run_ms(fake, 199);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 1);
  assert_int_equal(fake_status(call), INFER_E_DEADLINE);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
deadline_while_connecting(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = submit_with_deadline(fake, "r", 500);
  fake_run_ms(fake, 499);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, 500);
  assert_events(fake, "done DEADLINE");
  assert_contains(fake_message(call), "500 ms");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
deadline_during_the_wait_names_the_last_failure(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 10, 503, NULL,
             error_body("x", "Come back later"));
  fake_sent(fake_script_next(&fake->net), 0);
  infer_call *call = submit_with_deadline(fake, "one", 1500);
  fake_run_ms(fake, 1500);
  assert_events(fake, "done DEADLINE");
  assert_contains(fake_message(call), "provider overloaded");
  assert_contains(fake_message(call), "Come back later");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
deadline_within_the_answer_attaches_the_part(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  for (uint64_t ms = 100; ms <= 2000; ms += 100)
    fake_body(script, ms, sse_text("x"));
  infer_call *call = submit_with_deadline(fake, "r", 450);
  fake_run_ms(fake, 450);
  assert_cancelled_at(fake, 0, 450);
  assert_events(fake, "start a/m|text xxxx|done DEADLINE [xxxx]");
  infer_call_free(call);
  fake_client_free(fake);
}

/* The finish reason has come, only the end mark is missing. */
static void
deadline_after_the_finish_reason_is_a_success(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 100, sse_text("x"));
  fake_body(script, 110, sse_finish("stop"));
  infer_call *call = submit_with_deadline(fake, "r", 450);
  fake_run_ms(fake, 450);
  assert_events(fake, "start a/m|text x|finish stop|usage|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_deadline_of_a_whole_call_attaches_the_part_too(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 100, sse_text("Hel"));
  infer_request *request = fake_request_new("r");
  infer_request_set_deadline_ms(request, 450);
  infer_error *error;
  assert_int_equal(infer_chat(fake->client, request, NULL, &error),
                   INFER_E_DEADLINE);
  assert_int_equal(fake_now_ms(fake), 450);
  assert_string_equal(infer_response_text(infer_error_partial(error), NULL),
                      "Hel");
  infer_error_free(error);
  infer_request_free(request);
  fake_client_free(fake);
}

/* ---- Telemetry ----------------------------------------------------------- */

/* Each attempt once, then its call once, whatever happens. */
static void
every_attempt_and_every_call_is_told_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'", NULL);
  script_stale(fake);
  fake_reply(fake_script_next(&fake->net), 5, 503, NULL, "");
  script_cut(fake, sse_text("x"), sse_text("y"));
  fake_reply(fake_script_next(&fake->net), 5, 429, "retry-after: 600",
             error_body("x", "Slow down"));
  fake_stream_all(fake_script_next(&fake->net), 5, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 10000);
  assert_string_equal(
      fake->telemetry,
      "attempt a/m first RESET http=0 connection reset by peer\n"
      "attempt a/m resend OVERLOADED http=503 \n"
      "attempt a/m retry TRUNCATED http=200 connection reset by peer\n"
      "attempt b/m recovery RATE_LIMITED http=429 Slow down\n"
      "attempt b/m recovery OK http=200 \n"
      "call OK\n");
  infer_call_free(call);
  fake_client_free(fake);
}

/* What a hook may call, it may call. */
static void
cancel_in_hook(fake_client *fake, const infer_call *call,
               const infer_attempt *attempt)
{
  (void)fake;
  if (attempt)
    assert_int_equal(infer_call_cancel((infer_call *)(uintptr_t)call),
                     INFER_OK);
}

static void
a_hook_may_cancel_its_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->on_hook = cancel_in_hook;
  fake_reply(fake_script_always(&fake->net), 5, 503, NULL, "");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 1);
  assert_events(fake, "done CANCELLED");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
submit_in_hook(fake_client *fake, const infer_call *call,
               const infer_attempt *attempt)
{
  (void)call;
  if (attempt || fake->on_hook_data)
    return;
  fake->on_hook_data = fake_submit_model(fake, "b/m");
}

static void
a_hook_may_submit(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->on_hook = submit_in_hook;
  fake_stream_all(fake_script_always(&fake->net), 5, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_non_null(fake->on_hook_data);
  assert_int_equal(fake_status(fake->on_hook_data), INFER_OK);
  infer_call_free(call);
  infer_call_free(fake->on_hook_data);
  fake_client_free(fake);
}

static void
wait_in_hook(fake_client *fake, const infer_call *call,
             const infer_attempt *attempt)
{
  (void)attempt;
  infer_event *event;
  infer_call *same = (infer_call *)(uintptr_t)call;
  assert_int_equal(infer_call_wait(same, 10, NULL, NULL), INFER_E_REENTRANT);
  assert_int_equal(infer_queue_poll(fake->queue, 10, &event),
                   INFER_E_REENTRANT);
  assert_int_equal(infer_client_drive(fake->client, 0), INFER_E_REENTRANT);
  assert_int_equal(infer_client_close(fake->client, 0), INFER_E_REENTRANT);
  infer_request *request = fake_request_new("one");
  assert_int_equal(infer_chat(fake->client, request, NULL, NULL),
                   INFER_E_REENTRANT);
  infer_request_free(request);
  fake->on_hook_data = fake;
}

static void
a_hook_may_not_wait(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->on_hook = wait_in_hook;
  fake_stream_all(fake_script_always(&fake->net), 5, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  assert_ptr_equal(fake->on_hook_data, fake);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_call_tells_what_its_request_was_given(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("r");
  infer_request_set_tag(request, "team", "blue");
  infer_request_set_tenant(request, "acme");
  infer_call *call = fake_submit(fake, request);
  assert_string_equal(infer_call_route(call), "r");
  assert_string_equal(infer_call_tenant(call), "acme");
  assert_string_equal(infer_call_tag_value(call, "team"), "blue");
  assert_string_equal(infer_call_tag_value(call, "other"), "");
  assert_int_equal(infer_call_tag(call), 7);
  assert_true(infer_call_id(call) > 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The caller may change and free its own request at once. */
static void
a_submitted_request_is_a_snapshot(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("r");
  infer_call *call;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, &call, NULL),
                   INFER_OK);
  infer_request_set_model(request, "b/other");
  infer_request_add_message(request, "user", "Changed");
  infer_request_free(request);
  fake_run_ms(fake, 0);
  assert_request(fake, 0, "a", 0);
  assert_lacks(fake->net.requests[0].body, "Changed");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_target_again_after_a_backoff),
      cmocka_unit_test(failover_is_at_once_and_unseen),
      cmocka_unit_test(the_allowance_bounds_the_attempts),
      cmocka_unit_test(back_to_the_soonest_target),
      cmocka_unit_test(a_rejected_request_is_not_sent_again),
      cmocka_unit_test(an_error_inside_a_200_is_retried_like_any_other),
      cmocka_unit_test(should_retry_false_goes_elsewhere),
      cmocka_unit_test(a_hint_is_a_floor_with_jitter),
      cmocka_unit_test(what_comes_late_to_the_loop_was_not_held_back),
      cmocka_unit_test(a_hint_past_the_deadline_ends_at_once_as_rate_limited),
      cmocka_unit_test(a_hint_and_the_usual_first_token_time_must_fit),
      cmocka_unit_test(headers_of_a_success_are_no_hint),
      cmocka_unit_test(keys_take_turns),
      cmocka_unit_test(a_refused_key_gives_way_and_stays_out_until_reload),
      cmocka_unit_test(a_spent_key_rests_five_minutes),
      cmocka_unit_test(all_keys_out_is_told_at_submit),
      cmocka_unit_test(a_limited_key_gives_way_to_a_free_one),
      cmocka_unit_test(without_keys_a_401_goes_elsewhere),
      cmocka_unit_test(labels_are_a_filter_over_every_attempt),
      cmocka_unit_test(labels_of_the_request_come_on_top),
      cmocka_unit_test(no_provider_with_the_label_is_told_at_submit),
      cmocka_unit_test(the_request_says_how_often_to_try),
      cmocka_unit_test(the_request_says_how_long_to_wait),
      cmocka_unit_test(the_request_s_policy_has_a_deadline),
      cmocka_unit_test(run_once_sends_once),
      cmocka_unit_test(run_once_tries_again_while_nothing_was_sent),
      cmocka_unit_test(run_once_does_not_resend_over_a_stale_connection),
      cmocka_unit_test(run_once_resends_a_refused_stream),
      cmocka_unit_test(
          a_stale_connection_is_resent_once_at_once_fresh_and_free),
      cmocka_unit_test(a_second_stale_connection_in_a_row_is_a_failure),
      cmocka_unit_test(after_a_response_byte_it_is_no_stale_connection),
      cmocka_unit_test(recovery_error_attaches_the_partial_answer),
      cmocka_unit_test(recovery_restart_begins_anew),
      cmocka_unit_test(a_refused_restart_is_resent_once),
      cmocka_unit_test(restart_discards_unread_events_of_older_epochs),
      cmocka_unit_test(a_call_may_restart_more_than_once),
      cmocka_unit_test(a_delivered_tool_call_forbids_the_restart),
      cmocka_unit_test(an_incomplete_tool_call_does_not_forbid_it),
      cmocka_unit_test(a_restart_obeys_the_failure_table),
      cmocka_unit_test(a_whole_call_recovers_by_itself),
      cmocka_unit_test(infer_chat_recovers_by_itself),
      cmocka_unit_test(cancel_before_the_first_attempt),
      cmocka_unit_test(cancel_after_the_end_wakes_nobody),
      cmocka_unit_test(cancel_while_connecting),
      cmocka_unit_test(cancel_during_the_backoff),
      cmocka_unit_test(cancel_within_the_answer_attaches_the_part),
      cmocka_unit_test(cancel_after_the_end_changes_nothing),
      cmocka_unit_test(the_deadline_holds_over_everything),
      cmocka_unit_test(the_deadline_counts_from_the_submission),
      cmocka_unit_test(deadline_while_connecting),
      cmocka_unit_test(deadline_during_the_wait_names_the_last_failure),
      cmocka_unit_test(deadline_within_the_answer_attaches_the_part),
      cmocka_unit_test(deadline_after_the_finish_reason_is_a_success),
      cmocka_unit_test(a_deadline_of_a_whole_call_attaches_the_part_too),
      cmocka_unit_test(every_attempt_and_every_call_is_told_once),
      cmocka_unit_test(a_hook_may_cancel_its_call),
      cmocka_unit_test(a_hook_may_submit),
      cmocka_unit_test(a_hook_may_not_wait),
      cmocka_unit_test(a_call_tells_what_its_request_was_given),
      cmocka_unit_test(a_submitted_request_is_a_snapshot),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
