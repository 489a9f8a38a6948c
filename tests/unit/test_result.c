/* SPDX-License-Identifier: MIT */
/* What a call ends with: responses, and errors that carry the trail and the
 * part of the answer that had come. */
#include "engine/result.h"

#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* A call that failed twice, the second time in the middle of the answer. */
static infer_call *
failed_call(fake_client *fake)
{
  fake_reply(fake_script_next(&fake->net), 5, 404, "x-request-id: req-1",
             error_body("model_not_found", "No such model"));
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 0);
  fake_headers(script, 5, 200,
               "content-type: text/event-stream\nx-request-id: req-2");
  fake_body(script, 6, sse_text("Hal"));
  fake_body(script, 6, sse_usage(7, 1));
  fake_done(script, 7, INF_NET_PARTIAL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  return call;
}

static void
an_error_tells_of_the_last_attempt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = failed_call(fake);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_status(error), INFER_E_TRUNCATED);
  assert_string_equal(infer_error_provider(error), "b");
  assert_string_equal(infer_error_target(error), "b/m");
  assert_string_equal(infer_error_request_id(error), "req-2");
  assert_int_equal(infer_error_http_status(error), 200);
  assert_int_equal(infer_error_retryable(error), 1);
  assert_int_equal(infer_error_retry_after_ms(error), -1);
  assert_string_equal(infer_error_message(error),
                      "b/m: answer truncated (HTTP 200): body cut");
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
an_error_carries_the_trail(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = failed_call(fake);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_attempt_count(error), 2);
  const infer_attempt *first = infer_error_attempt(error, 0);
  assert_int_equal(infer_attempt_status(first), INFER_E_NOT_FOUND);
  assert_int_equal(infer_attempt_http_status(first), 404);
  assert_string_equal(infer_attempt_request_id(first), "req-1");
  assert_string_equal(infer_attempt_message(first), "No such model");
  assert_int_equal(infer_attempt_won(first), 0);
  assert_null(infer_error_attempt(error, 2));
  infer_call_free(call);
  fake_client_free(fake);
  /* It outlives everything that it came from. */
  assert_string_equal(infer_attempt_provider(first), "a");
  infer_error_free(error);
}

static void
an_error_carries_the_partial_answer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = failed_call(fake);
  infer_error *error = fake_error(call);
  const infer_response *partial = infer_error_partial(error);
  assert_string_equal(infer_response_text(partial, NULL), "Hal");
  assert_string_equal(infer_response_id(partial), "c-1");
  assert_string_equal(infer_response_model(partial), "m-1");
  assert_string_equal(infer_response_provider(partial), "b");
  assert_int_equal(infer_response_usage(partial, INFER_USAGE_INPUT), 7);
  assert_int_equal(infer_response_attempt_count(partial), 2);
  size_t len;
  assert_contains(infer_response_json(partial, &len), "\"Hal\"");
  assert_int_equal(len, strlen(infer_response_json(partial, NULL)));
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_missing_error_is_empty(void **state)
{
  (void)state;
  assert_int_equal(infer_error_attempt_count(NULL), 0);
  assert_null(infer_error_attempt(NULL, 0));
  assert_null(infer_error_partial(NULL));
  assert_int_equal(infer_error_total_cost_nano_usd(NULL), -1);
  assert_int_equal(infer_error_wasted_cost_nano_usd(NULL), -1);
  assert_int_equal(infer_error_cost_kind(NULL), INFER_COST_UNKNOWN);
  assert_int_equal(infer_error_total_cost_nano_usd(inf_error_no_memory()), -1);
  infer_error_free(NULL);
  infer_response_free(NULL);
}

/* Tokens of every attempt count, failed ones included. */
static void
total_usage_covers_every_attempt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("x"));
  fake_body(script, 1, sse_usage(100, 10));
  fake_done(script, 2, INF_NET_RESET);
  fake_stream_all(fake_script_next(&fake->net), 5, "ok"); /* 3 and 2 */
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 1000);
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT), 3);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_TOTAL), 5);
  assert_int_equal(infer_response_total_usage(response, INFER_USAGE_INPUT),
                   103);
  assert_int_equal(infer_response_total_usage(response, INFER_USAGE_OUTPUT),
                   12);
  assert_int_equal(infer_response_total_usage(response, INFER_USAGE_REASONING),
                   -1);
  assert_int_equal(infer_response_usage_estimated(response), 0);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_missing_response_is_empty(void **state)
{
  (void)state;
  size_t len = 9;
  assert_string_equal(infer_response_text(NULL, &len), "");
  assert_int_equal(len, 0);
  assert_string_equal(infer_response_json(NULL, &len), "");
  assert_string_equal(infer_response_reasoning(NULL, 0, NULL), "");
  assert_string_equal(infer_response_refusal(NULL, 0, NULL), "");
  assert_string_equal(infer_response_finish_reason(NULL, 0), "");
  assert_string_equal(infer_response_native_finish_reason(NULL, 0), "");
  assert_string_equal(infer_response_id(NULL), "");
  assert_string_equal(infer_response_model(NULL), "");
  assert_string_equal(infer_response_provider(NULL), "");
  assert_string_equal(infer_response_target(NULL), "");
  assert_string_equal(infer_response_request_id(NULL), "");
  assert_string_equal(infer_response_tool_call_id(NULL, 0, 0), "");
  assert_string_equal(infer_response_tool_call_name(NULL, 0, 0), "");
  assert_string_equal(infer_response_tool_call_arguments(NULL, 0, 0, NULL), "");
  assert_int_equal(infer_response_choice_count(NULL), 0);
  assert_int_equal(infer_response_tool_call_count(NULL, 0), 0);
  assert_int_equal(infer_response_attempt_count(NULL), 0);
  assert_null(infer_response_attempt(NULL, 0));
  assert_int_equal(infer_response_usage(NULL, 0), -1);
  assert_int_equal(infer_response_total_usage(NULL, 0), -1);
  assert_int_equal(infer_response_usage_estimated(NULL), 0);
}

static void
a_response_outlives_its_client(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_tool(0, "id-1", "f", "{}"));
  fake_body(script, 1, sse_finish("tool_calls"));
  fake_body(script, 1, SSE_DONE);
  fake_done(script, 1, INF_NET_OK);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 1);
  infer_response *response = fake_response(call);
  infer_call_free(call);
  fake_client_free(fake);
  assert_int_equal(infer_response_tool_call_count(response, 0), 1);
  assert_string_equal(infer_response_tool_call_id(response, 0, 0), "id-1");
  assert_string_equal(infer_response_tool_call_name(response, 0, 0), "f");
  assert_string_equal(infer_response_tool_call_arguments(response, 0, 0, NULL),
                      "{}");
  assert_string_equal(infer_response_tool_call_id(response, 0, 1), "");
  assert_string_equal(infer_response_finish_reason(response, 0), "tool_calls");
  assert_string_equal(infer_response_finish_reason(response, 1), "");
  assert_string_equal(infer_response_target(response), "a/m");
  infer_response_free(response);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_error_tells_of_the_last_attempt),
      cmocka_unit_test(an_error_carries_the_trail),
      cmocka_unit_test(an_error_carries_the_partial_answer),
      cmocka_unit_test(a_missing_error_is_empty),
      cmocka_unit_test(total_usage_covers_every_attempt),
      cmocka_unit_test(a_missing_response_is_empty),
      cmocka_unit_test(a_response_outlives_its_client),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
