/* SPDX-License-Identifier: MIT */
/* Tokens under a clock that the test moves: hours pass here. */
#include "engine/credentials.h"
#include "support/fake_client.h"
#include "support/token_house.h"

#include "engine/token_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TOKEN_URI "http://127.0.0.1:1/token"
#define TOKEN(name)                                                    \
  "{\"access_token\":\"" name "\",\"expires_in\":3600,\"token_type\":" \
  "\"Bearer\"}"

static char folder[64], account[160];

static int
set_up(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/infer-tokens-XXXXXX");
  assert_non_null(mkdtemp(folder));
  token_write_account(TOKEN_URI, folder, "sa");
  snprintf(account, sizeof account, "'file:%s/sa.json'", folder);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  char path[128];
  snprintf(path, sizeof path, "%s/sa.json", folder);
  unlink(path);
  snprintf(path, sizeof path, "%s/sa.pub", folder);
  unlink(path);
  return rmdir(folder);
}

#define GOOGLE \
  "providers.a.api_key", "null", "providers.a.google_credentials", account

static fake_script *
token_server(fake_client *fake)
{
  return fake_script_for(&fake->net, TOKEN_URI);
}

static void
let_a_answer(fake_client *fake)
{
  fake_stream_all(fake_script_for(&fake->net, "http://a.test"), 1, "hi");
}

static size_t
requests_to(const fake_client *fake, const char *url)
{
  size_t count = 0;
  for (size_t i = 0; i < fake->net.request_count; i++)
    count += strncmp(fake->net.requests[i].url, url, strlen(url)) == 0;
  return count;
}

static int32_t
run_call(fake_client *fake, uint64_t ms)
{
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, ms);
  int32_t status = fake_status(call);
  infer_call_free(call);
  return status;
}

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
an_hour_goes_by(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(GOOGLE, NULL);
  fake_reply(token_server(fake), 5, 200, NULL, TOKEN("ya29.a"));
  let_a_answer(fake);
  assert_int_equal(run_call(fake, 20), INFER_OK);
  fake_run_ms(fake, 3260 * 1000);
  assert_int_equal(requests_to(fake, TOKEN_URI), 1);
  fake_run_ms(fake, 50 * 1000); /* it was used: it is renewed by itself */
  assert_int_equal(requests_to(fake, TOKEN_URI), 2);
  fake_run_ms(fake, 7200 * 1000); /* the second was not */
  assert_int_equal(requests_to(fake, TOKEN_URI), 2);
  assert_int_equal(run_call(fake, 20), INFER_OK);
  assert_int_equal(requests_to(fake, TOKEN_URI), 3);
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

/* Breakers hear of providers only. */
static void
a_token_server_that_is_away_opens_no_breaker(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(GOOGLE, "defaults.retries", "0", NULL);
  fake_reply(token_server(fake), 1, 503, NULL, "{}");
  for (int i = 0; i < 30; i++)
    assert_int_equal(run_call(fake, 5), INFER_E_OVERLOADED);
  fake_run_ms(fake, 61 * 1000);
  fake_reply(token_server(fake), 5, 200, NULL, TOKEN("ya29.a"));
  let_a_answer(fake);
  assert_int_equal(run_call(fake, 20), INFER_OK);
  fake_client_free(fake);
}

/* What a call holds of limits is given back while it waits. */
static void
a_waiting_call_holds_no_place(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(GOOGLE, "providers.a.limits.concurrency", "1", NULL);
  fake_reply(token_server(fake), 50, 200, NULL, TOKEN("ya29.a"));
  let_a_answer(fake);
  infer_call *first = fake_submit_model(fake, "a/m");
  infer_call *second = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 10);
  infer_call_cancel(first);
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(first), INFER_E_CANCELLED);
  fake_run_ms(fake, 100);
  assert_int_equal(fake_status(second), INFER_OK);
  infer_call_free(first);
  infer_call_free(second);
  fake_client_free(fake);
}

static void
a_hedge_does_not_wait_for_a_token(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(GOOGLE, NULL);
  fake_reply(token_server(fake), 5, 200, NULL, TOKEN("ya29.a"));
  inf_engine *engine = &fake->client->engine;
  inf_config *config = fake->client->config;
  const inf_provider_config *a = inf_config_provider(config, INF_SV("a"));
  const inf_provider_config *b = inf_config_provider(config, INF_SV("b"));
  assert_true(inf_credentials_have(engine, config, b));
  assert_false(inf_credentials_have(engine, config, a));
  fake_run_ms(fake, 20); /* but it was asked for */
  assert_true(inf_credentials_have(engine, config, a));
  assert_int_equal(requests_to(fake, TOKEN_URI), 1);
  fake_client_free(fake);
}

static void
a_reload_forgets_what_is_gone(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(GOOGLE, NULL);
  fake_reply(token_server(fake), 5, 200, NULL, TOKEN("ya29.a"));
  let_a_answer(fake);
  assert_int_equal(run_call(fake, 20), INFER_OK);
  assert_false(inf_list_empty(&fake->client->engine.credentials.all));
  infer_config *config = fake_config_new(fake, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  fake_run_ms(fake, 1);
  assert_true(inf_list_empty(&fake->client->engine.credentials.all));
  fake_client_free(fake);
}

/* In a forked child nothing of it is left. */
static void
tokens_are_wiped(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(GOOGLE, NULL);
  fake_reply(token_server(fake), 5, 200, NULL, TOKEN("ya29.a"));
  let_a_answer(fake);
  assert_int_equal(run_call(fake, 20), INFER_OK);
  inf_credentials_wipe(&fake->client->engine.credentials);
  size_t count = fake->net.request_count;
  assert_int_not_equal(run_call(fake, 20), INFER_OK);
  assert_int_equal(fake->net.request_count, count);
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
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(the_exchange_is_the_accounts_alone),
      T(an_hour_goes_by),
      T(silence_ends_after_ten_seconds),
      T(a_token_server_that_is_away_opens_no_breaker),
      T(a_waiting_call_holds_no_place),
      T(a_hedge_does_not_wait_for_a_token),
      T(a_reload_forgets_what_is_gone),
      T(tokens_are_wiped),
      T(a_source_may_take_a_minute),
      T(an_end_by_the_wall_clock),
      T(an_old_failure_is_not_the_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
