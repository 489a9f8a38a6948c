/* SPDX-License-Identifier: MIT */
/* The list of a provider's models: waited for, and as a call of its own. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
the_list_of_models_is_a_get(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL,
             "{\"data\":[{\"id\":\"m-1\",\"x\":1},{\"id\":\"m-2\"}]}");
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL, "[{\"id\":\"n\"}]");
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL,
             "{\"models\":[{\"name\":\"q:1b\",\"size\":3}]}");
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL, "<html>");
  fake_reply(fake_script_next(&fake->net), 5, 403, NULL, "");
  infer_model_list *models;
  assert_int_equal(infer_models(fake->client, "a", 1000, &models, NULL),
                   INFER_OK);
  assert_string_equal(fake->net.requests[0].method, "GET");
  assert_string_equal(fake->net.requests[0].url, "http://a.test/v1/models");
  assert_string_equal(fake->net.requests[0].body, "");
  assert_int_equal(infer_model_list_count(models), 2);
  assert_string_equal(infer_model_list_id(models, 0), "m-1");
  size_t len;
  assert_string_equal(infer_model_list_json(models, 0, &len),
                      "{\"id\":\"m-1\",\"x\":1}");
  assert_string_equal(infer_model_list_id(models, 2), "");
  infer_model_list_free(models);
  assert_int_equal(infer_models(fake->client, "a", 1000, &models, NULL),
                   INFER_OK);
  assert_string_equal(infer_model_list_id(models, 0), "n");
  infer_model_list_free(models);
  assert_int_equal(infer_models(fake->client, "a", 1000, &models, NULL),
                   INFER_OK);
  assert_string_equal(infer_model_list_id(models, 0), "q:1b");
  infer_model_list_free(models);
  infer_error *error;
  assert_int_equal(infer_models(fake->client, "a", 1000, &models, &error),
                   INFER_E_PROTOCOL);
  assert_null(models);
  infer_error_free(error);
  assert_int_equal(infer_models(fake->client, "a", 1000, &models, &error),
                   INFER_E_AUTH);
  infer_error_free(error);
  assert_int_equal(infer_models(fake->client, "nobody", 1000, &models, &error),
                   INFER_E_CONFIG);
  infer_error_free(error);
  fake_client_free(fake);
}

static infer_call *
submit(fake_client *fake, const char *provider)
{
  infer_call *call;
  assert_int_equal(infer_submit_models(fake->client, provider, 1000,
                                       fake->queue, 9, &call, NULL),
                   INFER_OK);
  assert_int_equal(infer_call_tag(call), 9);
  return call;
}

static void
assert_models(infer_call *call, int32_t expected)
{
  infer_model_list *models;
  infer_error *error;
  assert_int_equal(infer_call_models(call, &models, &error), expected);
  assert_int_equal(infer_error_status(error), expected);
  assert_int_equal(models != NULL, expected == INFER_OK);
  infer_error_free(error);
  infer_model_list_free(models);
}

static void
a_call_for_models_ends_like_any_other(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL, "[{\"id\":\"n\"}]");
  fake_reply(fake_script_next(&fake->net), 5, 403, NULL, "");
  infer_call *call = submit(fake, "a");
  fake_run_ms(fake, 4);
  assert_models(call, INFER_E_TIMEOUT);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "done OK");
  infer_model_list *models;
  for (int i = 0; i < 2; i++) { /* as often as one likes */
    assert_int_equal(infer_call_models(call, &models, NULL), INFER_OK);
    assert_string_equal(infer_model_list_id(models, 0), "n");
    infer_model_list_free(models);
  }
  infer_call_free(call);
  call = submit(fake, "a");
  fake_run_ms(fake, 10);
  assert_models(call, INFER_E_AUTH);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_call_for_models_can_be_cancelled(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = submit(fake, "a");
  fake_run_ms(fake, 1);
  infer_call_cancel(call);
  fake_run_ms(fake, 1);
  assert_models(call, INFER_E_CANCELLED);
  assert_events(fake, "done CANCELLED");
  assert_int_equal(fake->net.live, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_call_for_models_has_its_own_deadline(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.retries", "0", NULL);
  infer_call *call = submit(fake, "a");
  fake_run_ms(fake, 1001);
  assert_models(call, INFER_E_DEADLINE);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
bad_arguments_are_refused(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL), *other = fake_client_new(NULL);
  infer_call *call;
  const struct {
    infer_client *client;
    const char *provider;
    infer_queue *queue;
    infer_call **call;
  } cases[] = {
      {NULL, "a", NULL, &call},
      {fake->client, NULL, NULL, &call},
      {fake->client, "a/m", NULL, &call},
      {fake->client, "a", other->queue, &call},
      {fake->client, "a", NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    infer_error *error;
    assert_int_equal(infer_submit_models(cases[i].client, cases[i].provider, 0,
                                         cases[i].queue, 0, cases[i].call,
                                         &error),
                     INFER_E_INVALID_ARGUMENT);
    assert_int_equal(infer_error_status(error), INFER_E_INVALID_ARGUMENT);
    infer_error_free(error);
  }
  assert_models(NULL, INFER_E_INVALID_ARGUMENT);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_models(call, INFER_E_INVALID_ARGUMENT); /* it asked for no models */
  infer_call_free(call);
  fake_client_free(fake);
  fake_client_free(other);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_list_of_models_is_a_get),
      cmocka_unit_test(a_call_for_models_ends_like_any_other),
      cmocka_unit_test(a_call_for_models_can_be_cancelled),
      cmocka_unit_test(a_call_for_models_has_its_own_deadline),
      cmocka_unit_test(bad_arguments_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
