/* SPDX-License-Identifier: MIT */
/* The answers that aimock.mjs prepares, by prompt. */
#include "interop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY "interop-key"
#define HELLO                                 \
  "Gr\xc3\xbc\xc3\x9f"                        \
  "e \xf0\x9f\x98\x80 aus \xe2\x80\xa8 dem\n" \
  "Mock \"Server\"\\"
#define LONG "one two three four five six seven eight nine ten"

/* The same call streamed and unary. */
static const char *const models[] = {"s/m", "u/m"};

static interop_result
ask(infer_client *client, const char *model, const char *prompt)
{
  return interop_stream(client, interop_request(model, prompt));
}

/* ---- Answers ------------------------------------------------------------- */

static void
test_text(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    interop_result result = ask(*state, models[i], "hello");
    interop_expect_ok(&result);
    const infer_response *response = result.response;
    assert_string_equal(infer_response_text(response, NULL), HELLO);
    assert_string_equal(infer_response_finish_reason(response, 0), "stop");
    assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT), 11);
    assert_int_equal(infer_response_usage(response, INFER_USAGE_OUTPUT), 7);
    assert_int_equal(infer_response_usage(response, INFER_USAGE_TOTAL), 18);
    assert_int_equal(infer_response_usage_estimated(response), 0);
    assert_string_equal(infer_response_model(response), "m");
    /* aimock gives every response an id. */
    assert_true(infer_response_request_id(response)[0]);
    interop_result_free(&result);
  }
}

static void
test_chat_gives_what_a_stream_does(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    interop_result result =
        interop_chat(*state, interop_request(models[i], "hello"));
    interop_expect_ok(&result);
    assert_string_equal(infer_response_text(result.response, NULL), HELLO);
    interop_result_free(&result);
  }
}

static void
test_chunks_come_one_by_one(void **state)
{
  infer_request *request = interop_request("s/m", "hello");
  interop_result result = interop_stream(*state, request);
  interop_expect_ok(&result);
  const infer_attempt *attempt = infer_response_attempt(result.response, 0);
  assert_true(result.text_events > 0);
  assert_int_equal(result.finishes, 1);
  assert_int_equal(infer_attempt_skipped_events(attempt), 0);
  assert_true(infer_attempt_phase_ns(attempt, INFER_PHASE_FIRST_CONTENT) > 0);
  interop_result_free(&result);
}

static void
test_reasoning(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    interop_result result = ask(*state, models[i], "think");
    interop_expect_ok(&result);
    assert_string_equal(infer_response_text(result.response, NULL),
                        "It is 42.");
    assert_string_equal(infer_response_reasoning(result.response, 0, NULL),
                        "Six times seven is asked for.");
    interop_result_free(&result);
  }
}

static void
test_empty_and_cut_by_length(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    interop_result empty = ask(*state, models[i], "empty");
    interop_expect_ok(&empty);
    assert_string_equal(infer_response_text(empty.response, NULL), "");
    assert_string_equal(infer_response_finish_reason(empty.response, 0),
                        "stop");
    interop_result_free(&empty);
    interop_result length = ask(*state, models[i], "short");
    interop_expect_ok(&length);
    assert_string_equal(infer_response_finish_reason(length.response, 0),
                        "length");
    interop_result_free(&length);
  }
}

static void
test_members_arrive(void **state)
{
  static const char body[] =
      "{\"model\":\"%s/m/with/slash\",\"seed\":7,\"temperature\":0.25,"
      "\"metadata\":{\"team\":\"a/b\"},\"x_unknown\":[1,null],\"messages\":["
      "{\"role\":\"system\",\"content\":\"Be brief.\"},"
      "{\"role\":\"user\",\"content\":[{\"type\":\"text\","
      "\"text\":\"members\"}]}]}";
  static const char *const providers[] = {"s", "u"};
  for (size_t i = 0; i < 2; i++) {
    char text[sizeof(body)];
    infer_request *request = NULL;
    int32_t len = snprintf(text, sizeof(text), body, providers[i]);
    assert_int_equal(infer_request_from_json(&request, text, (size_t)len, NULL),
                     INFER_OK);
    interop_result result = interop_stream(*state, request);
    interop_expect_ok(&result);
    assert_string_equal(infer_response_text(result.response, NULL),
                        "All members arrived.");
    interop_result_free(&result);
  }
}

static void
test_json_schema(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    infer_request *request = interop_request(models[i], "json");
    assert_int_equal(
        infer_request_set_json_schema(
            request, "person",
            "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"
            "\"string\"},\"age\":{\"type\":\"integer\"}}}",
            NULL),
        INFER_OK);
    interop_result result = interop_stream(*state, request);
    interop_expect_ok(&result);
    assert_string_equal(infer_response_text(result.response, NULL),
                        "{\"name\":\"Ada\",\"age\":36}");
    interop_result_free(&result);
  }
}

/* ---- Tools --------------------------------------------------------------- */

static infer_request *
weather_request(const char *model)
{
  infer_request *request = interop_request(model, "weather");
  assert_int_equal(
      infer_request_add_tool(request, "get_weather", "Weather of a city",
                             "{\"type\":\"object\",\"properties\":{\"city\":{"
                             "\"type\":\"string\"}}}",
                             NULL),
      INFER_OK);
  return request;
}

static void
expect_call(const infer_response *response, size_t index, const char *id,
            const char *arguments)
{
  assert_string_equal(infer_response_tool_call_id(response, 0, index), id);
  assert_string_equal(infer_response_tool_call_name(response, 0, index),
                      "get_weather");
  assert_string_equal(
      infer_response_tool_call_arguments(response, 0, index, NULL), arguments);
}

static void
test_tools(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    interop_result asked = interop_stream(*state, weather_request(models[i]));
    interop_expect_ok(&asked);
    const infer_response *response = asked.response;
    assert_string_equal(infer_response_finish_reason(response, 0),
                        "tool_calls");
    assert_int_equal(infer_response_tool_call_count(response, 0), 2);
    assert_int_equal(asked.tool_calls_done, 2);
    expect_call(response, 0, "call_a", "{\"city\":\"Oslo\"}");
    expect_call(response, 1, "call_b", "{\"city\":\"R\xc3\xb4me \\\"x\\\"\"}");

    infer_request *request = weather_request(models[i]);
    assert_int_equal(infer_request_add_response(request, response), INFER_OK);
    assert_int_equal(
        infer_request_add_tool_result(request, "call_a", "cold", 4), INFER_OK);
    assert_int_equal(
        infer_request_add_tool_result(request, "call_b", "warm", 4), INFER_OK);
    interop_result answered = interop_stream(*state, request);
    interop_expect_ok(&answered);
    assert_string_equal(infer_response_text(answered.response, NULL),
                        "Oslo is cold, Rome is warm.");
    interop_result_free(&answered);
    interop_result_free(&asked);
  }
}

static void
test_tool_before_text(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    interop_result result = ask(*state, models[i], "tool first");
    interop_expect_ok(&result);
    assert_string_equal(infer_response_text(result.response, NULL), "Looking.");
    assert_int_equal(infer_response_tool_call_count(result.response, 0), 1);
    assert_string_equal(
        infer_response_tool_call_arguments(result.response, 0, 0, NULL),
        "{\"at\":1}");
    interop_result_free(&result);
  }
}

/* ---- Errors -------------------------------------------------------------- */

static const struct refusal {
  const char *prompt, *type, *code;
  int32_t http_status, status;
} refusals[] = {
    {"status 400 bad_value", "invalid_request_error", "bad_value", 400,
     INFER_E_BAD_REQUEST},
    {"status 400 context_length_exceeded", "invalid_request_error",
     "context_length_exceeded", 400, INFER_E_CONTEXT_LENGTH},
    {"status 404 gone", "invalid_request_error", "gone", 404,
     INFER_E_NOT_FOUND},
    {"status 413 too_big", "invalid_request_error", "too_big", 413,
     INFER_E_REQUEST_TOO_LARGE},
    {"status 422 unprocessable", "invalid_request_error", "unprocessable", 422,
     INFER_E_BAD_REQUEST},
    {"status 429 rate_limit_exceeded", "rate_limit_error",
     "rate_limit_exceeded", 429, INFER_E_RATE_LIMITED},
    {"status 500 broken", "server_error", "broken", 500, INFER_E_SERVER},
    {"status 502 bad_gateway", "server_error", "bad_gateway", 502,
     INFER_E_SERVER},
    {"status 503 overloaded", "overloaded_error", "overloaded", 503,
     INFER_E_OVERLOADED},
    {"status 529 overloaded", "overloaded_error", "overloaded", 529,
     INFER_E_OVERLOADED},
    /* These set the client's key aside, so they are tried with one each. */
    {"status 402 insufficient_quota", "insufficient_quota",
     "insufficient_quota", 402, INFER_E_QUOTA},
    {"status 403 forbidden", "permission_error", "forbidden", 403,
     INFER_E_AUTH},
};

static void
expect_refusal(infer_client *client, const char *model,
               const struct refusal *refusal)
{
  char message[64];
  interop_result result = ask(client, model, refusal->prompt);
  const infer_error *error = result.error;
  if (result.status != refusal->status)
    fail_msg("%s: %s", refusal->prompt, infer_error_message(error));
  snprintf(message, sizeof(message), "this is %s", refusal->code);
  assert_null(result.response);
  assert_int_equal(infer_error_status(error), refusal->status);
  assert_int_equal(infer_error_http_status(error), refusal->http_status);
  assert_string_equal(infer_error_provider_type(error), refusal->type);
  assert_string_equal(infer_error_provider_code(error), refusal->code);
  assert_string_equal(infer_error_provider_message(error), message);
  assert_int_equal(infer_error_attempt_count(error), 1);
  assert_int_equal(infer_error_retry_after_ms(error),
                   refusal->http_status == 429 ? 7000 : -1);
  assert_true(infer_error_request_id(error)[0]);
  interop_result_free(&result);
}

static void
test_refusals(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
    infer_client *client = interop_client(getenv("INTEROP_URL"), KEY, "");
    expect_refusal(client, models[0], &refusals[i]);
    expect_refusal(client, models[1], &refusals[i]);
    infer_client_free(client);
  }
}

static void
test_wrong_key(void **state)
{
  (void)state;
  infer_client *client = interop_client(getenv("INTEROP_URL"), "no-key", "");
  for (size_t i = 0; i < 2; i++) {
    interop_result result = ask(client, models[i], "hello");
    assert_int_equal(result.status, INFER_E_AUTH);
    assert_int_equal(infer_error_http_status(result.error), 401);
    assert_string_equal(infer_error_provider_code(result.error),
                        "invalid_api_key");
    interop_result_free(&result);
  }
  infer_client_free(client);
}

static void
test_unmatched(void **state)
{
  for (size_t i = 0; i < 2; i++) {
    interop_result result = ask(*state, models[i], "nobody knows this");
    assert_int_equal(result.status, INFER_E_NOT_FOUND);
    assert_string_equal(infer_error_provider_code(result.error),
                        "no_fixture_match");
    interop_result_free(&result);
  }
}

/* ---- Answers that break -------------------------------------------------- */

static void
test_truncated(void **state)
{
  static const char *const prompts[] = {"truncated", "disconnected"};
  for (size_t i = 0; i < 2; i++) {
    interop_result result = ask(*state, "s/m", prompts[i]);
    /* Its reset may overtake what it has sent: then there was no answer. */
    for (int again = 0; result.status == INFER_E_RESET && again < 5; again++) {
      interop_result_free(&result);
      result = ask(*state, "s/m", prompts[i]);
    }
    assert_int_equal(result.status, INFER_E_TRUNCATED);
    const infer_response *partial = infer_error_partial(result.error);
    size_t len;
    const char *text = infer_response_text(partial, &len);
    assert_true(len > 0 && len < strlen(LONG));
    assert_memory_equal(text, LONG, len);
    assert_int_equal(len, result.heard_len);
    assert_string_equal(infer_response_finish_reason(partial, 0), "");
    interop_result_free(&result);
  }
}

static void
test_broken_bodies(void **state)
{
  static const struct {
    const char *prompt;
    int32_t status;
  } cases[] = {
      {"malformed", INFER_E_PROTOCOL},
      {"dropped", INFER_E_SERVER},
      {"hung up", INFER_E_RESET},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t j = 0; j < 2; j++) {
      interop_result result = ask(*state, models[j], cases[i].prompt);
      if (result.status != cases[i].status)
        fail_msg("%s, %s: %s", cases[i].prompt, models[j],
                 infer_error_message(result.error));
      assert_null(result.response);
      interop_result_free(&result);
    }
  }
}

static infer_client *
patient_client(void)
{
  return interop_client(
      getenv("INTEROP_URL"), KEY,
      ",\"routes\":{\"patient\":{\"targets\":[\"s/m\",\"u/m\"],"
      "\"retries\":2,\"stay\":{\"retries\":2},"
      "\"recovery\":\"restart\"}}");
}

static void
test_retry(void **state)
{
  (void)state;
  infer_client *client = patient_client();
  interop_result result = ask(client, "patient", "flaky");
  interop_expect_ok(&result);
  assert_string_equal(infer_response_text(result.response, NULL), "Now.");
  assert_int_equal(infer_response_attempt_count(result.response), 2);
  assert_int_equal(
      infer_attempt_status(infer_response_attempt(result.response, 0)),
      INFER_E_OVERLOADED);
  interop_result_free(&result);
  infer_client_free(client);
}

/* ---- Many ---------------------------------------------------------------- */

#define CALLS 64

static void
expect_echo(const infer_event *event)
{
  char word[32];
  const infer_response *response = infer_event_response(event);
  if (infer_event_status(event) != INFER_OK)
    fail_msg("%s", infer_error_message(infer_event_error(event)));
  int32_t len =
      snprintf(word, sizeof(word), "echo %d;", (int32_t)infer_event_tag(event));
  const char *text = infer_response_text(response, NULL);
  for (size_t i = 0; i < 5; i++, text += len)
    assert_memory_equal(text, word, (size_t)len);
  assert_string_equal(text, "");
}

static void
test_many_at_once(void **state)
{
  infer_queue *queue = NULL;
  unsigned done = 0;
  assert_int_equal(infer_queue_new(&queue, *state), INFER_OK);
  for (int i = 0; i < CALLS; i++) {
    char prompt[32];
    snprintf(prompt, sizeof(prompt), "echo %d;", i);
    infer_request *request = interop_request(models[i % 2], prompt);
    assert_int_equal(infer_submit(*state, request, INFER_SUBMIT_STREAM, queue,
                                  (uint64_t)i, NULL, NULL),
                     INFER_OK);
    infer_request_free(request);
  }
  while (done < CALLS) {
    infer_event *event = NULL;
    assert_int_equal(infer_queue_poll(queue, INTEROP_DEADLINE_MS, &event),
                     INFER_OK);
    if (infer_event_type(event) == INFER_EVENT_DONE) {
      expect_echo(event);
      done++;
    }
    infer_event_free(event);
  }
  infer_queue_free(queue);
}

static void
test_models(void **state)
{
  infer_model_list *list = NULL;
  infer_error *error = NULL;
  if (infer_models(*state, "s", INTEROP_DEADLINE_MS, &list, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  assert_true(infer_model_list_count(list) > 0);
  assert_true(infer_model_list_id(list, 0)[0]);
  infer_model_list_free(list);
}

/* A cut that nobody has read of is repaired by asking the next target. */
static void
test_cut_is_repaired(void **state)
{
  (void)state;
  infer_client *client = patient_client();
  interop_result result =
      interop_chat(client, interop_request("patient", "cut once"));
  interop_expect_ok(&result);
  assert_string_equal(infer_response_text(result.response, NULL), LONG);
  assert_int_equal(infer_response_attempt_count(result.response), 2);
  interop_result_free(&result);
  infer_client_free(client);
}

static int
set_up(void **state)
{
  *state = interop_client(getenv("INTEROP_URL"), KEY, "");
  return 0;
}

static int
tear_down(void **state)
{
  infer_client_free(*state);
  return 0;
}

int
run_aimock_tests(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_chat_gives_what_a_stream_does),
      cmocka_unit_test(test_chunks_come_one_by_one),
      cmocka_unit_test(test_reasoning),
      cmocka_unit_test(test_empty_and_cut_by_length),
      cmocka_unit_test(test_members_arrive),
      cmocka_unit_test(test_json_schema),
      cmocka_unit_test(test_tools),
      cmocka_unit_test(test_tool_before_text),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_wrong_key),
      cmocka_unit_test(test_unmatched),
      cmocka_unit_test(test_truncated),
      cmocka_unit_test(test_broken_bodies),
      cmocka_unit_test(test_retry),
      cmocka_unit_test(test_cut_is_repaired),
      cmocka_unit_test(test_many_at_once),
      cmocka_unit_test(test_models),
  };
  if (!getenv("INTEROP_URL")) {
    fprintf(stderr, "INTEROP_URL is not set; use run.sh\n");
    return 2;
  }
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
