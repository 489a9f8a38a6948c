/* SPDX-License-Identifier: MIT */
/* Calls whose targets are limited: when they go out, in which order, where
 * else they go, and what those are told that do not. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define LIMIT_A(name, number) "providers.a.limits." name, number
#define LIMIT_B(name, number) "providers.b.limits." name, number

enum { answer_ms = 5, calls_max = 16 };

static fake_client *
well(fake_client *fake)
{
  fake_stream_all(fake_script_always(&fake->net), answer_ms, "ok");
  return fake;
}

static void
free_calls(infer_call **calls, size_t count)
{
  for (size_t i = 0; i < count; i++)
    infer_call_free(calls[i]);
}

static void
submit_many(fake_client *fake, const char *model, infer_call **calls,
            size_t count)
{
  for (size_t i = 0; i < count; i++)
    calls[i] = fake_submit_whole(fake, model);
}

/* The index-th request began at ms. */
static void
expect_start(const fake_client *fake, size_t index, uint64_t ms)
{
  assert_true(fake->net.request_count > index);
  assert_int_equal(fake_ms(fake->net.requests[index].start_ns), ms);
}

/* What a call's first attempt says of how long it was held back. */
static uint64_t
waited_ms(infer_call *call)
{
  infer_response *response = fake_response(call);
  int64_t waited_ns = infer_attempt_phase_ns(
      infer_response_attempt(response, 0), INFER_PHASE_LIMITER_WAIT);
  infer_response_free(response);
  return (uint64_t)waited_ns / INF_NS_PER_MS;
}

/* ---- When ---------------------------------------------------------------- */

static void
they_go_out_as_the_limit_lets_them(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("requests_per_second", "2"), NULL));
  static const uint64_t at_ms[] = {0, 0, 500, 1000, 1500, 2000};
  infer_call *calls[6];
  submit_many(fake, "one", calls, 6);
  fake_run_ms(fake, 2500);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(waited_ms(calls[i]), at_ms[i]);
    expect_start(fake, i, at_ms[i]);
  }
  assert_int_equal(fake->net.request_count, 6);
  free_calls(calls, 6);
  fake_client_free(fake);
}

static void
no_more_than_so_many_run_at_a_time(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LIMIT_A("concurrency", "2"), NULL);
  fake_stream_all(fake_script_always(&fake->net), 100, "ok");
  infer_call *calls[5];
  submit_many(fake, "one", calls, 5);
  fake_run_ms(fake, 1000);
  static const uint64_t at_ms[] = {0, 0, 100, 100, 200};
  for (size_t i = 0; i < 5; i++)
    expect_start(fake, i, at_ms[i]);
  free_calls(calls, 5);
  fake_client_free(fake);
}

/* A permit is held until the stream has ended, not until it begins. */
static void
whatever_ends_an_attempt_makes_room(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LIMIT_A("concurrency", "1"),
                                      "defaults.retries", "0", NULL);
  fake_stream(fake_script_next(&fake->net), 10); /* then it is silent */
  fake_reply(fake_script_next(&fake->net), 10, 503, NULL, "");
  fake_done(fake_script_next(&fake->net), 10, INF_NET_CONNECT);
  fake_script_next(&fake->net); /* silent, until first_token_ms */
  fake_stream_all(fake_script_next(&fake->net), 10, "ok");
  infer_call *calls[5];
  submit_many(fake, "one", calls, 5);
  fake_run_ms(fake, 100);
  assert_int_equal(fake->net.request_count, 1);
  infer_call_cancel(calls[0]);
  fake_run_ms(fake, 5000);
  static const uint64_t at_ms[] = {0, 100, 110, 120, 1120};
  for (size_t i = 0; i < 5; i++)
    expect_start(fake, i, at_ms[i]);
  assert_int_equal(fake_status(calls[4]), INFER_OK);
  free_calls(calls, 5);
  fake_client_free(fake);
}

/* What was never sent is given back. */
static void
an_attempt_that_never_left_costs_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LIMIT_A("requests_per_minute", "1"),
                                      "defaults.retries", "0", NULL);
  fake_done(fake_script_next(&fake->net), 10, INF_NET_CONNECT);
  fake_stream_all(fake_script_next(&fake->net), 10, "ok");
  infer_call *failed = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(failed), INFER_E_CONNECT);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(failed);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_server_error_counts_as_a_request(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(LIMIT_A("requests_per_minute", "1"), "defaults.retries",
                      "0", "defaults.timeouts.deadline_ms", "30000", NULL);
  fake_reply(fake_script_always(&fake->net), 10, 500, NULL, "");
  infer_call *calls[2];
  calls[0] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 20);
  calls[1] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 20);
  assert_int_equal(fake->net.request_count, 1);
  assert_int_equal(fake_status(calls[1]), INFER_E_RATE_LIMITED);
  free_calls(calls, 2);
  fake_client_free(fake);
}

/* ---- In which order ------------------------------------------------------ */

static infer_call *
submit_as(fake_client *fake, const char *model, const char *tenant,
          int64_t deadline_ms)
{
  infer_request *request = fake_request_new(model);
  if (tenant)
    assert_int_equal(infer_request_set_tenant(request, tenant), INFER_OK);
  if (deadline_ms > 0)
    infer_request_set_deadline_ms(request, deadline_ms);
  return fake_submit(fake, request);
}

static void
expect_model(const fake_client *fake, size_t index, const char *model)
{
  char member[64];
  snprintf(member, sizeof member, "\"model\":\"%s\"", model);
  assert_true(fake->net.request_count > index);
  assert_contains(fake->net.requests[index].body, member);
}

#define ONE_A_SECOND \
  LIMIT_A("requests_per_second", "1"), LIMIT_A("scope", "'key'")

static void
the_earliest_deadline_goes_first(void **state)
{
  (void)state;
  fake_client *fake = well(fake_client_new(ONE_A_SECOND, NULL));
  infer_call *calls[4];
  calls[0] = submit_as(fake, "a/first", NULL, 0);
  calls[1] = submit_as(fake, "a/patient", NULL, 30000);
  calls[2] = submit_as(fake, "a/hurried", NULL, 5000);
  calls[3] = submit_as(fake, "a/usual", NULL, 20000);
  fake_run_ms(fake, 4000);
  static const char *const order[] = {"first", "hurried", "usual", "patient"};
  for (size_t i = 0; i < 4; i++) {
    expect_model(fake, i, order[i]);
    expect_start(fake, i, i * 1000);
  }
  free_calls(calls, 4);
  fake_client_free(fake);
}

static void
a_crowd_of_one_tenant_does_not_hold_up_another(void **state)
{
  (void)state;
  fake_client *fake = well(fake_client_new(ONE_A_SECOND, NULL));
  infer_call *calls[8];
  for (size_t i = 0; i < 6; i++)
    calls[i] = submit_as(fake, "a/many", "crowd", 0);
  fake_run_ms(fake, 0);
  calls[6] = submit_as(fake, "a/few", "guest", 0);
  calls[7] = submit_as(fake, "a/few", "guest", 0);
  fake_run_ms(fake, 4500);
  static const char *const order[] = {"many", "many", "few", "many", "few"};
  static const char *const also[] = {"many", "few", "many", "few", "many"};
  bool either = strstr(fake->net.requests[1].body, "few") != NULL;
  for (size_t i = 0; i < 5; i++)
    expect_model(fake, i, either ? also[i] : order[i]);
  for (size_t i = 0; i < 8; i++)
    infer_call_cancel(calls[i]);
  fake_run_ms(fake, 0);
  free_calls(calls, 8);
  fake_client_free(fake);
}

/* Who comes while others wait does not slip through just as the limit has
 * room again. */
static void
nobody_overtakes(void **state)
{
  (void)state;
  fake_client *fake = well(fake_client_new(ONE_A_SECOND, NULL));
  infer_call *calls[3];
  calls[0] = submit_as(fake, "a/first", NULL, 0);
  calls[1] = submit_as(fake, "a/second", NULL, 0);
  fake_run_ms(fake, 999);
  assert_int_equal(fake->net.request_count, 1);
  fake->net.now_ns += INF_NS_PER_MS; /* it is time, and another one comes */
  calls[2] = submit_as(fake, "a/third", NULL, 0);
  fake_run_ms(fake, 1500);
  expect_model(fake, 1, "second");
  expect_model(fake, 2, "third");
  free_calls(calls, 3);
  fake_client_free(fake);
}

/* ---- Who does not -------------------------------------------------------- */

static void
one_that_would_be_too_late_is_told_at_once(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("requests_per_minute", "2"), NULL));
  infer_call *calls[4];
  submit_many(fake, "one", calls, 3);
  calls[3] = submit_as(fake, "one", NULL, 10000);
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(calls[3]), INFER_E_RATE_LIMITED);
  infer_error *error = fake_error(calls[3]);
  assert_contains(infer_error_message(error),
                  "the limit requests_per_minute lets it through in ");
  assert_true(infer_error_retryable(error));
  /* The third call has its turn at 30 s, this one's is at 60 s: it is told so
   * whether or not it came first to the line. */
  int64_t wait_ms = infer_error_retry_after_ms(error);
  assert_true(wait_ms == 30000 || wait_ms == 60000);
  infer_error_free(error);
  fake_run_ms(fake, 30000);
  assert_int_equal(fake->net.request_count, 3);
  expect_start(fake, 2, 30000);
  free_calls(calls, 4);
  fake_client_free(fake);
}

static void
the_line_has_an_end(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(ONE_A_SECOND, "max_waiting_calls", "2", NULL));
  infer_call *calls[4];
  submit_many(fake, "one", calls, 4);
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(calls[3]), INFER_E_LIMIT);
  assert_contains(fake_message(calls[3]), "max_waiting_calls");
  fake_run_ms(fake, 2100);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(fake_status(calls[i]), INFER_OK);
  free_calls(calls, 4);
  fake_client_free(fake);
}

static void
one_that_waits_may_be_cancelled(void **state)
{
  (void)state;
  fake_client *fake = well(fake_client_new(ONE_A_SECOND, NULL));
  infer_call *calls[3];
  submit_many(fake, "one", calls, 3);
  fake_run_ms(fake, 100);
  infer_call_cancel(calls[1]);
  fake_run_ms(fake, 1000);
  assert_int_equal(fake_status(calls[1]), INFER_E_CANCELLED);
  assert_int_equal(fake_status(calls[2]), INFER_OK);
  expect_start(fake, 1, 1000);
  free_calls(calls, 3);
  fake_client_free(fake);
}

static void
the_client_may_go_while_they_wait(void **state)
{
  (void)state;
  fake_client *fake = well(fake_client_new(ONE_A_SECOND, NULL));
  infer_call *calls[3];
  submit_many(fake, "one", calls, 3);
  fake_run_ms(fake, 0);
  fake_client_free(fake);
  free_calls(calls, 3);
}

/* Too late, though it did not seem so: the provider's quota shrank. */
static void
the_deadline_ends_the_wait(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LIMIT_A("concurrency", "1"), NULL);
  fake_stream(fake_script_next(&fake->net), 10);
  infer_call *calls[2];
  calls[0] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 0);
  calls[1] = submit_as(fake, "one", NULL, 500);
  fake_run_ms(fake, 600);
  assert_int_equal(fake_status(calls[1]), INFER_E_DEADLINE);
  assert_int_equal(fake->net.request_count, 1);
  infer_call_cancel(calls[0]);
  fake_run_ms(fake, 0);
  free_calls(calls, 2);
  fake_client_free(fake);
}

static void
what_is_too_large_is_not_sent(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("tokens_per_minute", "10"), NULL));
  infer_request *request = fake_request_new("one");
  for (int i = 0; i < 10; i++)
    infer_request_add_message(request, "user", "Twenty words are too many.");
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(call), INFER_E_REQUEST_TOO_LARGE);
  assert_contains(fake_message(call), "the limit tokens_per_minute");
  assert_int_equal(fake->net.request_count, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Where else ---------------------------------------------------------- */

static void
a_short_wait_is_no_reason_to_go(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("requests_per_second", "2"), NULL));
  infer_call *calls[3];
  submit_many(fake, "r", calls, 3);
  fake_run_ms(fake, 600);
  for (size_t i = 0; i < 3; i++)
    assert_request(fake, i, "a", i < 2 ? 0 : 500);
  free_calls(calls, 3);
  fake_client_free(fake);
}

static void
a_long_one_is(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("requests_per_minute", "2"), NULL));
  infer_call *calls[3];
  submit_many(fake, "r", calls, 3);
  fake_run_ms(fake, 100);
  assert_request(fake, 2, "b", 0);
  infer_response *response = fake_response(calls[2]);
  assert_int_equal(infer_response_attempt_count(response), 1);
  assert_int_equal(infer_attempt_reason(infer_response_attempt(response, 0)),
                   INFER_REASON_FAILOVER);
  infer_response_free(response);
  free_calls(calls, 3);
  fake_client_free(fake);
}

/* When an answer ends that takes a place, nobody knows. */
static void
so_is_a_wait_for_somebody_elses_end(void **state)
{
  (void)state;
  fake_client *fake = well(fake_client_new(LIMIT_A("concurrency", "1"), NULL));
  fake_stream(fake_script_for(&fake->net, "http://a.test"), 10);
  infer_call *calls[4];
  calls[3] = fake_submit_whole(fake, "one"); /* waits there, and nowhere else */
  fake_run_ms(fake, 0);
  calls[2] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 0);
  submit_many(fake, "r", calls, 2);
  fake_run_ms(fake, 100);
  assert_int_equal(fake->net.request_count, 3);
  for (size_t i = 0; i < 2; i++) {
    assert_request(fake, i + 1, "b", 0);
    assert_int_equal(fake_status(calls[i]), INFER_OK);
  }
  for (size_t i = 2; i < 4; i++)
    infer_call_cancel(calls[i]);
  fake_run_ms(fake, 0);
  free_calls(calls, 4);
  fake_client_free(fake);
}

/* b has two keys: each is limited by itself. */
static void
each_key_has_its_limits(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_B("requests_per_second", "1"), NULL));
  infer_call *calls[3];
  submit_many(fake, "b/m", calls, 3);
  fake_run_ms(fake, 1100);
  assert_request(fake, 0, "b", 0);
  assert_request(fake, 1, "b", 0);
  assert_request(fake, 2, "b", 1000);
  assert_string_not_equal(fake->net.requests[0].headers,
                          fake->net.requests[1].headers);
  free_calls(calls, 3);
  fake_client_free(fake);
}

/* It is the first key's turn, and that has nothing left. */
static void
the_other_key_steps_in(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LIMIT_B("requests_per_minute", "1"),
                                      "defaults.retries", "0", NULL);
  fake_stream_all(fake_script_next(&fake->net), answer_ms, "ok");
  fake_done(fake_script_next(&fake->net), answer_ms, INF_NET_CONNECT);
  fake_stream_all(fake_script_next(&fake->net), answer_ms, "ok");
  infer_call *calls[3];
  for (size_t i = 0; i < 3; i++) {
    calls[i] = fake_submit_whole(fake, "b/m");
    fake_run_ms(fake, 20);
    assert_int_equal(fake_status(calls[i]),
                     i == 1 ? INFER_E_CONNECT : INFER_OK);
  }
  assert_string_equal(fake->net.requests[1].headers,
                      fake->net.requests[2].headers);
  free_calls(calls, 3);
  fake_client_free(fake);
}

/* All are limited: the one that has room first gets the call. */
static void
the_first_that_has_room(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("requests_per_minute", "1"),
                           LIMIT_B("requests_per_minute", "6"), NULL));
  infer_call *calls[14];
  submit_many(fake, "r", calls, 14);
  fake_run_ms(fake, 11000);
  assert_int_equal(fake->net.request_count, 14);
  assert_request(fake, 0, "a", 0);
  for (size_t i = 1; i < 13; i++)
    assert_request(fake, i, "b", 0);
  assert_request(fake, 13, "b", 10000);
  free_calls(calls, 14);
  fake_client_free(fake);
}

static void
each_model_has_its_limits_or_all_together(void **state)
{
  (void)state;
  for (int all = 0; all < 2; all++) {
    fake_client *fake = well(
        fake_client_new(LIMIT_A("requests_per_second", "1"),
                        LIMIT_A("scope", all ? "'key'" : "'model'"), NULL));
    infer_call *calls[2] = {fake_submit_whole(fake, "a/x"),
                            fake_submit_whole(fake, "a/y")};
    fake_run_ms(fake, 1100);
    expect_start(fake, 1, all ? 1000 : 0);
    free_calls(calls, 2);
    fake_client_free(fake);
  }
}

/* ---- What the provider says ---------------------------------------------- */

#define STREAM_OK                                                    \
  "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"}," \
  "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

static void
answer_with(fake_script *script, const char *headers)
{
  char lines[512];
  snprintf(lines, sizeof lines, "content-type: text/event-stream\n%s", headers);
  fake_reply(script, 10, 200, lines, STREAM_OK);
}

static void
a_quota_that_is_used_up_is_waited_for(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  answer_with(fake_script_always(&fake->net),
              "x-ratelimit-limit-requests: 60\n"
              "x-ratelimit-remaining-requests: 0\n"
              "x-ratelimit-reset-requests: 60s");
  infer_call *calls[3];
  calls[0] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 100);
  assert_int_equal(fake_status(calls[0]), INFER_OK);
  calls[1] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 1);
  calls[2] = fake_submit_whole(fake, "r"); /* b has another quota */
  fake_run_ms(fake, 1);
  assert_int_equal(fake->net.request_count, 2);
  assert_contains(fake->net.requests[1].url, "http://b.test");
  fake_run_ms(fake, 30000);
  assert_int_equal(fake_status(calls[1]), INFER_OK);
  free_calls(calls, 3);
  fake_client_free(fake);
}

static void
a_refusal_holds_others_back_too(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LIMIT_A("requests_per_minute", "600"),
                                      "defaults.retries", "0", NULL);
  fake_reply(fake_script_next(&fake->net), 10, 429, "retry-after-ms: 3000",
             "{\"error\":{\"message\":\"slow down\"}}");
  fake_stream_all(fake_script_next(&fake->net), 10, "ok");
  infer_call *calls[2];
  calls[0] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(calls[0]), INFER_E_RATE_LIMITED);
  calls[1] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 2900);
  assert_int_equal(fake->net.request_count, 1);
  fake_run_ms(fake, 1000);
  assert_int_equal(fake_status(calls[1]), INFER_OK);
  free_calls(calls, 2);
  fake_client_free(fake);
}

/* Nonsense in headers holds nobody back. */
static void
nonsense_does_no_harm(void **state)
{
  (void)state;
  static const char *const nonsense[] = {
      "x-ratelimit-limit-requests: -1\nx-ratelimit-remaining-requests: -1",
      "x-ratelimit-limit-requests: 0\nx-ratelimit-remaining-requests: 0",
      "x-ratelimit-remaining-requests: 0",
      "x-ratelimit-limit-tokens: soon\nx-ratelimit-reset-tokens: never",
      "x-ratelimit-limit-requests: 10\nx-ratelimit-remaining-requests: 999",
  };
  for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
    fake_client *fake = fake_client_new(NULL);
    answer_with(fake_script_always(&fake->net), nonsense[i]);
    for (size_t k = 0; k < 5; k++) {
      infer_call *call = fake_submit_whole(fake, "one");
      fake_run_ms(fake, 20);
      assert_int_equal(fake_status(call), INFER_OK);
      infer_call_free(call);
    }
    fake_client_free(fake);
  }
}

/* ---- The dry run --------------------------------------------------------- */

static void
the_dry_run_tells(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("requests_per_minute", "1"), NULL));
  infer_request *request = fake_request_new("r");
  for (int i = 0; i < 2; i++) {
    infer_plan *plan;
    assert_int_equal(infer_client_plan(fake->client, request, &plan, NULL),
                     INFER_OK);
    static const char tells[] =
        "the limit requests_per_minute holds it back for 59990 ms at least";
    if (i == 1)
      assert_contains(infer_plan_reason(plan, 0), tells);
    else
      assert_lacks(infer_plan_reason(plan, 0), "holds it back");
    assert_lacks(infer_plan_reason(plan, 1), "holds it back");
    infer_plan_free(plan);
    infer_call *call = fake_submit_whole(fake, "one");
    fake_run_ms(fake, 10);
    infer_call_cancel(call);
    fake_run_ms(fake, 0);
    infer_call_free(call);
  }
  infer_request_free(request);
  fake_client_free(fake);
}

/* ---- Reload -------------------------------------------------------------- */

static void
a_reload_brings_other_limits(void **state)
{
  (void)state;
  fake_client *fake =
      well(fake_client_new(LIMIT_A("requests_per_minute", "1"), NULL));
  infer_call *calls[3];
  calls[0] = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 10);
  infer_config *config =
      fake_config_new(fake, LIMIT_A("requests_per_minute", "3"), NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  submit_many(fake, "one", calls + 1, 2);
  fake_run_ms(fake, 10); /* what was used stays used: two are left */
  assert_int_equal(fake->net.request_count, 3);
  infer_call *late = submit_as(fake, "one", NULL, 5000);
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(late), INFER_E_RATE_LIMITED);
  infer_call_free(late);
  free_calls(calls, 3);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(they_go_out_as_the_limit_lets_them),
      cmocka_unit_test(no_more_than_so_many_run_at_a_time),
      cmocka_unit_test(whatever_ends_an_attempt_makes_room),
      cmocka_unit_test(an_attempt_that_never_left_costs_nothing),
      cmocka_unit_test(a_server_error_counts_as_a_request),
      cmocka_unit_test(the_earliest_deadline_goes_first),
      cmocka_unit_test(a_crowd_of_one_tenant_does_not_hold_up_another),
      cmocka_unit_test(nobody_overtakes),
      cmocka_unit_test(one_that_would_be_too_late_is_told_at_once),
      cmocka_unit_test(the_line_has_an_end),
      cmocka_unit_test(one_that_waits_may_be_cancelled),
      cmocka_unit_test(the_client_may_go_while_they_wait),
      cmocka_unit_test(the_deadline_ends_the_wait),
      cmocka_unit_test(what_is_too_large_is_not_sent),
      cmocka_unit_test(a_short_wait_is_no_reason_to_go),
      cmocka_unit_test(a_long_one_is),
      cmocka_unit_test(so_is_a_wait_for_somebody_elses_end),
      cmocka_unit_test(each_key_has_its_limits),
      cmocka_unit_test(the_other_key_steps_in),
      cmocka_unit_test(the_first_that_has_room),
      cmocka_unit_test(each_model_has_its_limits_or_all_together),
      cmocka_unit_test(a_quota_that_is_used_up_is_waited_for),
      cmocka_unit_test(a_refusal_holds_others_back_too),
      cmocka_unit_test(nonsense_does_no_harm),
      cmocka_unit_test(the_dry_run_tells),
      cmocka_unit_test(a_reload_brings_other_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
