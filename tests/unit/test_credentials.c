/* SPDX-License-Identifier: MIT */
/* Tokens under a clock that the test moves: hours pass here. */
#include "engine/credentials.h"
#include "unit/token_support.h"

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

int
main(void)
{
#define T(test) \
  cmocka_unit_test_setup_teardown(test, tokens_set_up, tokens_tear_down)
  const struct CMUnitTest tests[] = {
      T(an_hour_goes_by),
      T(a_token_server_that_is_away_opens_no_breaker),
      T(a_waiting_call_holds_no_place),
      T(a_hedge_does_not_wait_for_a_token),
      T(a_reload_forgets_what_is_gone),
      T(tokens_are_wiped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
