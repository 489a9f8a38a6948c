/* SPDX-License-Identifier: MIT */
/* Questions for tokens, and what comes of them. */
#include "engine/credential.h"
#include "unit/token_support.h"

/* ---- An exchange --------------------------------------------------------- */

/* No prompt goes to the token server, nor the provider's own headers. */
static void
the_exchange_is_the_accounts_alone(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(GOOGLE, "providers.a.proxy", "'http://proxy:1'",
                      "providers.a.headers.X-Mine", "'1'", NULL);
  fake_reply(token_server(fake), 5, 200, NULL, TOKEN("ya29.a"));
  let_a_answer(fake);
  assert_int_equal(run_call(fake, 20), INFER_OK);
  const fake_request *asked = &fake->net.requests[0];
  assert_string_equal(asked->method, "POST");
  assert_string_equal(asked->url, TOKEN_URI);
  assert_int_equal(strncmp(asked->body, "grant_type=", 11), 0);
  assert_null(strstr(asked->headers, "X-Mine"));
  assert_null(strstr(asked->headers, "Authorization"));
  assert_string_equal(asked->endpoint->proxy, "http://proxy:1");
  assert_non_null(
      strstr(fake->net.requests[1].headers, "Authorization: Bearer ya29.a\n"));
  /* The wait is the attempt's wait, and none of its own time. */
  assert_non_null(strstr(fake->telemetry, "attempt a/m first OK"));
  fake_client_free(fake);
}

static void
silence_ends_after_ten_seconds(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(GOOGLE, "defaults.retries", "0", NULL);
  fake_sent(token_server(fake), 1);
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 9990);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_E_SERVER);
  assert_int_not_equal(fake->net.requests[0].cancelled_ns, 0);
  assert_non_null(strstr(fake->telemetry, "no answer within 10 s"));
  infer_call_free(call);
  fake_client_free(fake);
}

/* Our clock is corrected once for each question, whatever the next answer says.
 */
static void
a_date_that_runs_away_is_not_followed(void **state)
{
  (void)state;
  static const char *const dates[] = {"date: Wed, 19 Aug 2026 14:34:12 GMT",
                                      "date: Thu, 20 Aug 2026 14:34:12 GMT",
                                      "date: Fri, 21 Aug 2026 14:34:12 GMT"};
  fake_client *fake = fake_client_new(GOOGLE, "defaults.retries", "0", NULL);
  for (size_t i = 0; i < 3; i++)
    fake_reply(fake_script_next(&fake->net), 1, 400, dates[i],
               "{\"error\":\"invalid_grant\"}");
  assert_int_equal(run_call(fake, 20), INFER_E_AUTH);
  assert_int_equal(requests_to(fake, TOKEN_URI), 2);
  fake_client_free(fake);
}

static void
an_answer_without_end(void **state)
{
  (void)state;
  static char large[70 << 10];
  memset(large, ' ', sizeof large - 1);
  fake_client *fake = fake_client_new(GOOGLE, "defaults.retries", "0", NULL);
  fake_script *script = token_server(fake);
  fake_sent(script, 0);
  fake_headers(script, 1, 200, NULL);
  fake_body(script, 2, large);
  fake_done(script, 3, INF_NET_ABORTED);
  assert_int_equal(run_call(fake, 20), INFER_E_PROTOCOL);
  assert_non_null(strstr(fake->telemetry, "too long to be a token's"));
  fake_client_free(fake);
}

/* ---- A source of the application ----------------------------------------- */

static infer_token_request *question;
static int questions;

static void
on_question(infer_token_request *request, void *user_data)
{
  (void)user_data;
  question = request;
  questions++;
}

static fake_client *
with_source(void)
{
  fake_client *fake = fake_client_new(NULL);
  infer_config *config = fake_config_new(fake, "providers.a.api_key", "null",
                                         "defaults.retries", "0", NULL);
  question = NULL;
  questions = 0;
  infer_config_set_token_source(config, "a", on_question, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  let_a_answer(fake);
  return fake;
}

static void
a_source_may_take_a_minute(void **state)
{
  (void)state;
  fake_client *fake = with_source();
  infer_request *request = fake_request_new("a/m");
  infer_request_set_deadline_ms(request, 200000);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 59990);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_E_SERVER);
  infer_call_free(call);
  /* It has its answer in the end, and the next call a token. */
  assert_int_equal(infer_token_deliver(question, "late", 4, 0), INFER_OK);
  fake_run_ms(fake, 1);
  assert_int_equal(run_call(fake, 20), INFER_OK);
  assert_int_equal(questions, 1);
  fake_client_free(fake);
}

static void
an_end_by_the_wall_clock(void **state)
{
  (void)state;
  fake_client *fake = with_source();
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 1);
  const inf_clock *clock = fake->client->engine.clock;
  int64_t now_s = clock->wall_ns(clock->context) / (int64_t)INF_NS_PER_S;
  assert_int_equal(infer_token_deliver(question, "t", 1, now_s + 1000),
                   INFER_OK);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_run_ms(fake, 720 * 1000); /* a quarter, 250 s, ahead, and some more */
  assert_int_equal(questions, 1);
  fake_run_ms(fake, 40 * 1000);
  assert_int_equal(questions, 2);
  infer_token_fail(question, INFER_E_AUTH, NULL);
  fake_run_ms(fake, 1);
  assert_int_equal(run_call(fake, 20), INFER_OK); /* by the old one */
  fake_client_free(fake);
}

/* A failure that is older than the present question says nothing of it. */
static void
an_old_failure_is_not_the_answer(void **state)
{
  (void)state;
  fake_client *fake = with_source();
  infer_request *request = fake_request_new("a/m");
  infer_request_set_deadline_ms(request, 65000);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 60010);
  infer_token_request *old = question;
  infer_call_free(call);
  call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 1500);
  infer_call_free(call);
  call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 10);
  assert_int_equal(questions, 2);
  infer_token_fail(old, INFER_E_AUTH, NULL);
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  infer_token_deliver(question, "t", 1, 0);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
#define T(test) \
  cmocka_unit_test_setup_teardown(test, tokens_set_up, tokens_tear_down)
  const struct CMUnitTest tests[] = {
      T(the_exchange_is_the_accounts_alone),
      T(silence_ends_after_ten_seconds),
      T(a_date_that_runs_away_is_not_followed),
      T(an_answer_without_end),
      T(a_source_may_take_a_minute),
      T(an_end_by_the_wall_clock),
      T(an_old_failure_is_not_the_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
