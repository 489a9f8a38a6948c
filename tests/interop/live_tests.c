/* SPDX-License-Identifier: MIT */
/* The server at INFER_TEST_ENDPOINT (a base URL such as
 * https://api.openai.com/v1), with the key INFER_TEST_KEY and the model
 * INFER_TEST_MODEL; without the latter, the first one that the server lists.
 * Each run costs a few short answers. */
#include "interop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PROMPT         "Say hello in one short sentence."
#define MODELS_WAIT_MS 20000

struct live {
  infer_client *client;
  char model[512];
};

/* "s/model" or "u/model". */
static infer_request *
live_request(const struct live *live, const char *provider)
{
  char model[600];
  snprintf(model, sizeof(model), "%s/%s", provider, live->model);
  return interop_request(model, PROMPT);
}

/* ---- The tests ----------------------------------------------------------- */

static void
expect_answer(const interop_result *result)
{
  const infer_response *response = result->response;
  interop_expect_ok(result);
  size_t len;
  infer_response_text(response, &len);
  assert_true(len > 0 || infer_response_reasoning(response, 0, NULL)[0]);
  assert_int_equal(infer_response_choice_count(response), 1);
  assert_true(infer_response_finish_reason(response, 0)[0]);
  assert_true(infer_response_model(response)[0]);
  assert_int_equal(infer_response_attempt_count(response), 1);
  assert_int_equal(
      infer_attempt_http_status(infer_response_attempt(response, 0)), 200);
}

static void
test_unary(void **state)
{
  struct live *live = *state;
  interop_result result = interop_chat(live->client, live_request(live, "u"));
  expect_answer(&result);
  interop_result_free(&result);
}

static void
test_stream(void **state)
{
  struct live *live = *state;
  interop_result result = interop_stream(live->client, live_request(live, "s"));
  expect_answer(&result);
  assert_int_equal(result.finishes, 1);
  const infer_attempt *attempt = infer_response_attempt(result.response, 0);
  int64_t first = infer_attempt_phase_ns(attempt, INFER_PHASE_FIRST_CONTENT);
  int64_t end = infer_attempt_phase_ns(attempt, INFER_PHASE_END);
  assert_true(first > 0 && first <= end);
  interop_result_free(&result);
}

static void
expect_usage(const infer_response *response)
{
  int64_t input = infer_response_usage(response, INFER_USAGE_INPUT);
  int64_t output = infer_response_usage(response, INFER_USAGE_OUTPUT);
  assert_int_equal(infer_response_usage_estimated(response), 0);
  assert_true(input > 0);
  assert_true(output > 0);
  assert_true(infer_response_usage(response, INFER_USAGE_TOTAL) >=
              input + output);
}

static void
test_usage(void **state)
{
  struct live *live = *state;
  interop_result whole = interop_chat(live->client, live_request(live, "u"));
  interop_result stream = interop_stream(live->client, live_request(live, "s"));
  interop_expect_ok(&whole);
  interop_expect_ok(&stream);
  expect_usage(whole.response);
  expect_usage(stream.response);
  /* The prompt is the same, however the answer is fetched. */
  assert_int_equal(infer_response_usage(whole.response, INFER_USAGE_INPUT),
                   infer_response_usage(stream.response, INFER_USAGE_INPUT));
  interop_result_free(&whole);
  interop_result_free(&stream);
}

/* Members of one that the other must have as well, with the same type. The
 * rest is the server's business: service_tier, system_fingerprint, ... */
static void
expect_same_shape(json_object *a, json_object *b, const char *const *names)
{
  for (size_t i = 0; names[i]; i++) {
    json_object *left = NULL, *right = NULL;
    assert_true(json_object_object_get_ex(a, names[i], &left));
    assert_true(json_object_object_get_ex(b, names[i], &right));
    assert_int_equal(json_object_get_type(left), json_object_get_type(right));
  }
}

static json_object *
first_choice(json_object *answer)
{
  json_object *choices = NULL;
  assert_true(json_object_object_get_ex(answer, "choices", &choices));
  assert_int_equal(json_object_array_length(choices), 1);
  return json_object_array_get_idx(choices, 0);
}

static json_object *
parsed(const interop_result *result)
{
  interop_expect_ok(result);
  json_object *answer =
      json_tokener_parse(infer_response_json(result->response, NULL));
  assert_non_null(answer);
  return answer;
}

static void
test_same_shape(void **state)
{
  static const char *const of_answer[] = {
      "id", "object", "created", "model", "choices", "usage", NULL};
  static const char *const of_choice[] = {"index", "message", "finish_reason",
                                          NULL};
  static const char *const of_message[] = {"role", "content", NULL};
  struct live *live = *state;
  interop_result whole = interop_chat(live->client, live_request(live, "u"));
  interop_result stream = interop_stream(live->client, live_request(live, "s"));
  json_object *a = parsed(&whole), *b = parsed(&stream);
  json_object *left = first_choice(a), *right = first_choice(b);
  expect_same_shape(a, b, of_answer);
  expect_same_shape(left, right, of_choice);
  json_object_object_get_ex(left, "message", &left);
  json_object_object_get_ex(right, "message", &right);
  expect_same_shape(left, right, of_message);
  json_object_put(a);
  json_object_put(b);
  interop_result_free(&whole);
  interop_result_free(&stream);
}

static void
test_bad_model(void **state)
{
  static const char *const models[] = {"u/no-such-model-4711",
                                       "s/no-such-model-4711"};
  struct live *live = *state;
  for (size_t i = 0; i < 2; i++) {
    interop_result result =
        interop_stream(live->client, interop_request(models[i], PROMPT));
    assert_null(result.response);
    /* Most say 404, some 400 or, of a model one may not use, 403. */
    if (result.status != INFER_E_NOT_FOUND &&
        result.status != INFER_E_BAD_REQUEST && result.status != INFER_E_AUTH)
      fail_msg("%s: %s", infer_status_name(result.status),
               infer_error_message(result.error));
    assert_in_range(infer_error_http_status(result.error), 400, 499);
    assert_true(infer_error_provider_message(result.error)[0]);
    assert_int_equal(infer_error_retryable(result.error), 0);
    interop_result_free(&result);
  }
}

/* ---- Set-up -------------------------------------------------------------- */

static bool
choose_model(struct live *live)
{
  const char *given = getenv("INFER_TEST_MODEL");
  infer_model_list *models = NULL;
  infer_error *error = NULL;
  if (given && *given) {
    snprintf(live->model, sizeof(live->model), "%s", given);
    return true;
  }
  if (infer_models(live->client, "s", MODELS_WAIT_MS, &models, &error) ==
          INFER_OK &&
      infer_model_list_count(models) > 0)
    snprintf(live->model, sizeof(live->model), "%s",
             infer_model_list_id(models, 0));
  else
    fprintf(stderr, "no list of models (set INFER_TEST_MODEL): %s\n",
            infer_error_message(error));
  infer_model_list_free(models);
  infer_error_free(error);
  return live->model[0] != '\0';
}

static int
set_up(void **state)
{
  static struct live live;
  const char *key = getenv("INFER_TEST_KEY");
  live.client = interop_client(getenv("INFER_TEST_ENDPOINT"),
                               key && *key ? "env:INFER_TEST_KEY" : NULL, "");
  *state = &live;
  return choose_model(&live) ? 0 : -1;
}

static int
tear_down(void **state)
{
  struct live *live = *state;
  infer_client_free(live->client);
  return 0;
}

int
run_live_tests(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unary),     cmocka_unit_test(test_stream),
      cmocka_unit_test(test_usage),     cmocka_unit_test(test_same_shape),
      cmocka_unit_test(test_bad_model),
  };
  const char *endpoint = getenv("INFER_TEST_ENDPOINT");
  if (!endpoint || !*endpoint) {
    printf("SKIP: no real server to test against (set INFER_TEST_ENDPOINT)\n");
    return 77;
  }
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
