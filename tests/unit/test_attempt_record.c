/* SPDX-License-Identifier: MIT */
/* What is written down of an attempt, and what is kept out of it. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int64_t
phase_ms(const infer_attempt *attempt, int32_t phase)
{
  int64_t ns = infer_attempt_phase_ns(attempt, phase);
  return ns < 0 ? ns : ns / (int64_t)INF_NS_PER_MS;
}

static void
phases_are_timed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->lookup_ms = 3;
  script->connect_ms = 7;
  script->tls_ms = 15;
  fake_sent(script, 16);
  fake_headers(script, 40, 200,
               "content-type: text/event-stream\nx-request-id: req-1");
  fake_body(script, 41, SSE_COMMENT);
  fake_body(script, 60, sse_role());
  fake_body(script, 70, sse_reasoning("hm"));
  fake_body(script, 90, sse_text("a"));
  fake_body(script, 110, sse_text("b"));
  fake_body(script, 120, sse_finish("stop"));
  fake_body(script, 121, sse_usage(11, 22));
  fake_body(script, 130, SSE_DONE);
  fake_done(script, 131, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 131);
  infer_response *response = fake_response(call);
  const infer_attempt *attempt = infer_response_attempt(response, 0);
  const int64_t expected[INFER_PHASE_COUNT] = {
      [INFER_PHASE_LIMITER_WAIT] = 0,  [INFER_PHASE_LOOKUP] = 3,
      [INFER_PHASE_CONNECT] = 7,       [INFER_PHASE_TLS] = 15,
      [INFER_PHASE_SENT] = 16,         [INFER_PHASE_HEADERS] = 40,
      [INFER_PHASE_FIRST_BYTE] = 41,   [INFER_PHASE_FIRST_CONTENT] = 70,
      [INFER_PHASE_FIRST_ANSWER] = 90, [INFER_PHASE_LAST_CONTENT] = 110,
      [INFER_PHASE_END] = 130,
  };
  for (int32_t phase = 0; phase < INFER_PHASE_COUNT; phase++)
    assert_int_equal(phase_ms(attempt, phase), expected[phase]);
  assert_string_equal(infer_attempt_request_id(attempt), "req-1");
  assert_int_equal(infer_attempt_usage(attempt, INFER_USAGE_INPUT), 11);
  assert_int_equal(infer_attempt_usage(attempt, INFER_USAGE_OUTPUT), 22);
  assert_int_equal(infer_attempt_won(attempt), 1);
  assert_int_equal(infer_attempt_reused_connection(attempt), 0);
  assert_int_equal(infer_attempt_bytes_sent(attempt),
                   strlen(fake->net.requests[0].body));
  assert_true(infer_attempt_bytes_received(attempt) > 100);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* What the transport says happened during the hand-over is not after it. */
static void
phases_are_in_order(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->reused = true;
  fake_stream_all(script, 20, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20);
  infer_response *response = fake_response(call);
  const infer_attempt *attempt = infer_response_attempt(response, 0);
  assert_int_equal(infer_attempt_reused_connection(attempt), 1);
  assert_int_equal(phase_ms(attempt, INFER_PHASE_LOOKUP), -1);
  assert_int_equal(phase_ms(attempt, INFER_PHASE_CONNECT), -1);
  assert_int_equal(phase_ms(attempt, INFER_PHASE_TLS), -1);
  assert_int_equal(phase_ms(attempt, INFER_PHASE_SENT), 0);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
skipped_events_are_counted(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("a"));
  fake_body(script, 2, "data: {\"id\":\n\n");
  fake_body(script, 3, sse_text("b"));
  fake_body(script, 4, sse_finish("stop"));
  fake_body(script, 4, SSE_DONE);
  fake_done(script, 4, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 4);
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), "ab");
  assert_int_equal(
      infer_attempt_skipped_events(infer_response_attempt(response, 0)), 1);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* Some providers repeat the key that they refuse. */
static void
an_echoed_key_is_starred_out_everywhere(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_reply(fake_script_next(&fake->net), 5, 401, "x-request-id: r-key-of-a",
             "{\"error\":{\"message\":\"Bad key key-of-a, yes key-of-a\","
             "\"type\":\"for key-of-a\",\"param\":\"key-of-a\","
             "\"code\":\"key-of-a\"}}");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 5);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_status(error), INFER_E_AUTH);
  assert_string_equal(infer_error_provider_message(error),
                      "Bad key ***, yes ***");
  assert_string_equal(infer_error_provider_type(error), "for ***");
  assert_string_equal(infer_error_provider_param(error), "***");
  assert_string_equal(infer_error_provider_code(error), "***");
  assert_string_equal(infer_error_request_id(error), "r-***");
  assert_contains(infer_error_message(error), "Bad key ***, yes ***");
  assert_contains(infer_attempt_message(infer_error_attempt(error, 0)),
                  "Bad key ***, yes ***");
  assert_lacks(infer_error_message(error), "key-of-a");
  assert_lacks(fake->log, "key-of-a");
  assert_lacks(fake->telemetry, "key-of-a");
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

/* They may quote the prompt. The error is the caller's, the log may be
 * everybody's. */
static void
a_provider_s_words_are_not_logged(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_reply(fake_script_next(&fake->net), 5, 400, NULL,
             "{\"error\":{\"message\":\"I will not tell PRIVATE things\"}}");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 5);
  assert_contains(fake_message(call), "PRIVATE");
  assert_contains(fake->log, "a/m");
  assert_lacks(fake->log, "PRIVATE");
  infer_call_free(call);
  fake_client_free(fake);
}

/* Nor does a piece of it stay where a long message is cut. */
static void
an_echoed_key_is_starred_out_before_the_message_is_cut(void **state)
{
  (void)state;
  enum { message_bytes = 6000 };
  for (size_t at = 2030; at < 2060; at += 3) {
    fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
    char body[message_bytes + 100];
    char words[message_bytes + 1];
    memset(words, 'x', message_bytes);
    words[message_bytes] = '\0';
    memcpy(words + at, "key-of-a", 8);
    memcpy(words + at + 2040, "key-of-a", 8);
    snprintf(body, sizeof body, "{\"error\":{\"message\":\"%s\"}}", words);
    fake_reply(fake_script_next(&fake->net), 5, 401, NULL, body);
    infer_call *call = fake_submit_model(fake, "one");
    fake_run_ms(fake, 5);
    infer_error *error = fake_error(call);
    assert_lacks(infer_error_message(error), "key-");
    assert_lacks(infer_error_provider_message(error), "key-");
    assert_lacks(infer_attempt_message(infer_error_attempt(error, 0)), "key-");
    assert_lacks(fake->log, "xkey");
    infer_error_free(error);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

/* Bindings make a string of it. */
static void
the_request_id_is_utf8(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_headers(script, 1, 200,
               "content-type: text/event-stream\nx-request-id: f\xFCr-1");
  fake_body(script, 2, sse_text("a"));
  fake_body(script, 3, sse_finish("stop"));
  fake_body(script, 4, SSE_DONE);
  fake_done(script, 5, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 5);
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_request_id(response), "f\xEF\xBF\xBDr-1");
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- The provider's id of the request ------------------------------------ */

#define ID     "x-request-id: req-7"
#define STREAM "content-type: text/event-stream\n" ID

/* How an attempt may end after the provider has named the request. */
typedef struct an_end {
  int32_t status;
  int http_status;
  const char *lines, *body;
  bool silent; /* after that */
  inf_net net;
} an_end;

static const an_end ends[] = {
    {INFER_E_TRUNCATED, 200, STREAM, "data: {\"a\":1}\n\n", .net = INF_NET_OK},
    {INFER_E_RESET, 200, STREAM, SSE_COMMENT, .net = INF_NET_PARTIAL},
    {INFER_E_FIRST_TOKEN_TIMEOUT, 200, STREAM, SSE_COMMENT, .silent = true},
    {INFER_E_SERVER, 200, STREAM,
     "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\"}}\n\n",
     .silent = true},
    {INFER_E_PROTOCOL, 200, ID, "<html>", .net = INF_NET_OK},
    {INFER_E_BAD_REQUEST, 400, ID, "no", .net = INF_NET_OK},
    {INFER_E_BAD_REQUEST, 400, ID, "{\"error\":{},\"request_id\":\"other\"}",
     .net = INF_NET_OK},
    {INFER_E_BAD_REQUEST, 400, NULL,
     "{\"error\":{\"message\":\"m\"},\"request_id\":\"req-7\"}",
     .net = INF_NET_OK},
    {INFER_E_SERVER, 500, ID, "it hangs", .silent = true},
};

static void
expect_end(fake_client *fake, infer_call *call, int32_t status, const char *id)
{
  fake_run_ms(fake, 40000);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_status(error), status);
  assert_int_equal(infer_error_attempt_count(error), 1);
  assert_string_equal(infer_error_request_id(error), id);
  assert_string_equal(infer_attempt_request_id(infer_error_attempt(error, 0)),
                      id);
  infer_error_free(error);
  infer_call_free(call);
}

/* And only there: the next attempt has the memory of the one before. */
static void
the_request_id_is_told_of_every_end(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    const an_end *end = &ends[i];
    fake_script *script = fake_script_next(&fake->net);
    fake_sent(script, 0);
    fake_headers(script, 1, end->http_status, end->lines);
    fake_body(script, 2, end->body);
    if (!end->silent)
      fake_done(script, 3, end->net);
    expect_end(fake, fake_submit_model(fake, "one"), end->status, "req-7");
    fake_done(fake_script_next(&fake->net), 1, INF_NET_CONNECT);
    expect_end(fake, fake_submit_model(fake, "one"), INFER_E_CONNECT, "");
  }
  fake_client_free(fake);
}

static void
the_request_id_is_told_of_a_cancelled_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_headers(fake_script_next(&fake->net), 1, 200, STREAM);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 5);
  infer_call_cancel(call);
  expect_end(fake, call, INFER_E_CANCELLED, "req-7");
  fake_client_free(fake);
}

static void
the_request_id_is_told_of_a_list_of_models(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_model_list *models;
  infer_error *error;
  fake_script *script = fake_script_next(&fake->net);
  fake_headers(script, 1, 200, ID);
  fake_body(script, 2, "{\"data\":[");
  assert_int_equal(infer_models(fake->client, "a", 1000, &models, &error),
                   INFER_E_DEADLINE);
  assert_string_equal(infer_error_request_id(error), "req-7");
  infer_error_free(error);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(phases_are_timed),
      cmocka_unit_test(phases_are_in_order),
      cmocka_unit_test(the_request_id_is_utf8),
      cmocka_unit_test(the_request_id_is_told_of_every_end),
      cmocka_unit_test(the_request_id_is_told_of_a_cancelled_call),
      cmocka_unit_test(the_request_id_is_told_of_a_list_of_models),
      cmocka_unit_test(skipped_events_are_counted),
      cmocka_unit_test(an_echoed_key_is_starred_out_everywhere),
      cmocka_unit_test(a_provider_s_words_are_not_logged),
      cmocka_unit_test(an_echoed_key_is_starred_out_before_the_message_is_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
