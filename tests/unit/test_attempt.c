/* SPDX-License-Identifier: MIT */
/* One attempt: its timers to the millisecond, how its end is read, and what
 * becomes of it then. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- Timers ---------------------------------------------------------------
 */

static void
connect_timer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, fake_connect_ms - 1);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_int_equal(fake_status(call), INFER_E_CONNECT);
  assert_cancelled_at(fake, 0, fake_connect_ms);
  assert_contains(fake_message(call), "connect_ms");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
first_token_timer_counts_from_the_send(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_sent(fake_script_next(&fake->net), 900);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 900 + fake_first_token_ms - 1);
  assert_int_equal(fake->net.request_count, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, 900 + fake_first_token_ms);
  /* A silent target is not asked twice; the next one is, at once. */
  assert_int_equal(fake->net.request_count, 2);
  assert_request(fake, 1, "b", 900 + fake_first_token_ms);
  assert_contains(fake->telemetry, "a/m first FIRST_TOKEN_TIMEOUT http=0 no "
                                   "content within first_token_ms");
  infer_call_free(call);
  fake_client_free(fake);
}

/* Nothing of what comes before content stops the first-token timer. */
static void
signs_of_life_are_no_content(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 100);
  for (uint64_t ms = 200; ms < 2000; ms += 400) {
    fake_body(script, ms, SSE_COMMENT);
    fake_body(script, ms + 100, sse_role());
    fake_body(script, ms + 200, sse_empty());
    fake_body(script, ms + 300, "data: not json\n\n");
  }
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, fake_first_token_ms - 1);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, fake_first_token_ms);
  assert_int_equal(fake_status(call), INFER_E_FIRST_TOKEN_TIMEOUT);
  assert_events(fake, "done FIRST_TOKEN_TIMEOUT");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
any_kind_of_content_stops_the_first_token_timer(void **state)
{
  (void)state;
  const char *pieces[] = {
      sse_text("x"),
      sse_reasoning("x"),
      sse_delta(0, "{\"refusal\":\"x\"}", NULL),
      sse_tool(0, "id", "f", ""),
  };
  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    fake_client *fake = fake_client_new(NULL);
    fake_script *script = fake_script_next(&fake->net);
    fake_stream(script, 0);
    fake_body(script, 1999, pieces[i]);
    infer_call *call = fake_submit_model(fake, "one");
    fake_run_ms(fake, 1999 + fake_idle_ms - 1);
    assert_int_equal(fake->net.live, 1);
    fake_run_ms(fake, 1);
    assert_cancelled_at(fake, 0, 1999 + fake_idle_ms);
    assert_int_equal(fake_status(call), INFER_E_IDLE_TIMEOUT);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
idle_timer_starts_anew_with_content(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 100, sse_text("a"));
  fake_body(script, 3000, sse_text("b"));
  fake_body(script, 5999, sse_text("c"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 5999 + fake_idle_ms - 1);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, 5999 + fake_idle_ms);
  assert_int_equal(fake_status(call), INFER_E_IDLE_TIMEOUT);
  assert_contains(fake_message(call), "idle_ms");
  infer_call_free(call);
  fake_client_free(fake);
}

/* The timer that was set for the first token must not keep the shorter idle
 * one from firing. */
static void
idle_timer_may_be_shorter_than_the_first_token_one(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.one.timeouts.idle_ms", "300", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 100, sse_text("a"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 399);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, 400);
  assert_int_equal(fake_status(call), INFER_E_IDLE_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
comments_do_not_restart_the_idle_timer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 100, sse_text("a"));
  for (uint64_t ms = 600; ms < 4000; ms += 500) {
    fake_body(script, ms, SSE_COMMENT);
    fake_body(script, ms, sse_empty());
  }
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 100 + fake_idle_ms);
  assert_cancelled_at(fake, 0, 100 + fake_idle_ms);
  assert_int_equal(fake_status(call), INFER_E_IDLE_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
attempt_timer_holds_over_a_lively_stream(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  for (uint64_t ms = 1000; ms <= 30000; ms += 1000)
    fake_body(script, ms, sse_text("x"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, fake_attempt_ms - 1);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, fake_attempt_ms);
  assert_int_equal(fake_status(call), INFER_E_ATTEMPT_TIMEOUT);
  assert_contains(fake_message(call), "attempt_ms");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
attempt_timer_counts_from_the_start(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.timeouts.attempt_ms", "500",
                                      "routes.one.retries", "0", NULL);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 500);
  assert_cancelled_at(fake, 0, 500);
  assert_int_equal(fake_status(call), INFER_E_ATTEMPT_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_whole_body_knows_no_first_token_and_no_idle_timer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.upstream", "'unary'", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 0);
  fake_headers(script, 9000, 200, "content-type: application/json");
  const char *body = unary_body("Hello");
  fake_body_n(script, 13000, body, 20);
  fake_body(script, 18000, body + 20);
  fake_done(script, 19000, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 19000);
  assert_events(fake, "start a/m|text Hello|finish stop|usage|done OK");
  assert_lacks(fake->net.requests[0].body, "\"stream\"");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
attempt_timer_holds_for_a_whole_body(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.upstream", "'unary'", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 0);
  fake_headers(script, 100, 200, NULL);
  fake_body(script, 200, "{\"id\":");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, fake_attempt_ms - 1);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, fake_attempt_ms);
  assert_int_equal(fake_status(call), INFER_E_ATTEMPT_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- The end of an answer ------------------------------------------------ */

static void
a_missing_end_mark_after_the_finish_reason_is_an_end(void **state)
{
  (void)state;
  const inf_net ends[] = {INF_NET_OK, INF_NET_PARTIAL, INF_NET_RESET};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    fake_client *fake = fake_client_new(NULL);
    fake_script *script = fake_script_next(&fake->net);
    fake_stream(script, 0);
    fake_body(script, 10, sse_text("All"));
    fake_body(script, 20, sse_finish("stop"));
    fake_done(script, 30, ends[i]);
    infer_call *call = fake_submit_model(fake, "one");
    fake_run_ms(fake, 30);
    assert_events(fake, "start a/m|text All|finish stop|usage|done OK");
    infer_call_free(call);
    fake_client_free(fake);
  }
}

/* The connection stays open and nothing more comes: the answer is whole. */
static void
silence_after_the_finish_reason_is_an_end(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("All"));
  fake_body(script, 20, sse_finish("stop"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20 + fake_idle_ms);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_events(fake, "start a/m|text All|finish stop|usage|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
truncation_is_never_a_success(void **state)
{
  (void)state;
  const inf_net ends[] = {INF_NET_OK, INF_NET_PARTIAL, INF_NET_RESET};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    fake_client *fake = fake_client_new(NULL);
    fake_script *script = fake_script_next(&fake->net);
    fake_stream(script, 0);
    fake_body(script, 10, sse_text("Half"));
    fake_done(script, 20, ends[i]);
    infer_call *call = fake_submit_model(fake, "one");
    fake_run_ms(fake, 20);
    assert_events(fake, "start a/m|text Half|done TRUNCATED [Half]");
    infer_call_free(call);
    fake_client_free(fake);
  }
}

/* With n choices the end of some of them is no end. */
static void
every_choice_must_have_ended(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text_of(0, "a"));
  fake_body(script, 10, sse_finish_of(0, "stop"));
  fake_done(script, 20, INF_NET_OK);
  infer_request *request = fake_request_new("one");
  infer_request_set_int(request, "n", 2);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_E_TRUNCATED);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_reset_before_content_is_a_reset(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 6, sse_role());
  fake_done(script, 10, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(call), INFER_E_RESET);
  assert_contains(fake_message(call), "connection reset by peer");
  infer_call_free(call);
  fake_client_free(fake);
}

/* A provider's error stays its error, however its connection ended. */
static void
an_error_in_a_broken_200_stays_the_error(void **state)
{
  (void)state;
  const inf_net ends[] = {INF_NET_OK, INF_NET_PARTIAL, INF_NET_RESET};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    fake_client *fake = fake_client_new("routes.one.retries", "0",
                                        "routes.one.upstream", "'unary'", NULL);
    fake_script *script = fake_script_next(&fake->net);
    fake_sent(script, 0);
    fake_headers(script, 5, 200, "content-type: application/json");
    fake_body(script, 6, error_body("rate_limit_exceeded", "Too fast"));
    fake_done(script, 7, ends[i]);
    infer_call *call = fake_submit_model(fake, "one");
    fake_run_ms(fake, 7);
    assert_int_equal(fake_status(call), INFER_E_RATE_LIMITED);
    assert_contains(fake_message(call), "Too fast");
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
network_failures_have_their_classes(void **state)
{
  (void)state;
  const struct {
    inf_net net;
    int32_t status;
  } cases[] = {
      {INF_NET_BAD_URL, INFER_E_CONFIG},
      {INF_NET_RESOLVE, INFER_E_RESOLVE},
      {INF_NET_CONNECT, INFER_E_CONNECT},
      {INF_NET_TLS, INFER_E_TLS},
      {INF_NET_TLS_VERIFY, INFER_E_TLS_VERIFY},
      {INF_NET_RESET, INFER_E_RESET},
      {INF_NET_PROTOCOL, INFER_E_PROTOCOL},
      {INF_NET_TOO_LARGE, INFER_E_TOO_LARGE},
      {INF_NET_NO_MEMORY, INFER_E_NO_MEMORY},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
    fake_done(fake_script_next(&fake->net), 3, cases[i].net);
    infer_call *call = fake_submit_model(fake, "one");
    fake_run_ms(fake, 3);
    assert_int_equal(fake_status(call), cases[i].status);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
an_exchange_that_cannot_start_is_short_memory(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->net.fails_to_start = true;
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 0);
  assert_events(fake, "done NO_MEMORY");
  fake->net.fails_to_start = false;
  infer_call_free(call);
  fake_client_free(fake);
}

/* The status has come, its body hangs: not a silent target. */
static void
an_error_whose_body_hangs_is_still_that_error(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 0);
  fake_headers(script, 5, 429, "retry-after: 7");
  fake_body(script, 6, "{\"error\":{\"message\":\"Slow");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, fake_first_token_ms);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_status(error), INFER_E_RATE_LIMITED);
  assert_int_equal(infer_error_retry_after_ms(error), 7000);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- After the answer ---------------------------------------------------- */

static void
a_whole_answer_s_exchange_lingers_to_its_own_end(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("x"));
  fake_body(script, 10, sse_finish("stop"));
  fake_body(script, 10, SSE_DONE);
  fake_body(script, 500, "\n");
  fake_done(script, 900, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 890);
  assert_int_equal(fake->net.live, 0);
  assert_int_equal(fake->net.requests[0].cancelled_ns, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
it_lingers_for_a_second_at_most(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("x"));
  fake_body(script, 10, SSE_DONE);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1009);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, 1010);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
it_does_not_linger_for_a_flood(void **state)
{
  (void)state;
  enum { flood = (64 << 10) + 1 };
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("x"));
  fake_body(script, 10, SSE_DONE);
  char *bytes = calloc(1, flood);
  assert_non_null(bytes);
  fake_body_n(script, 20, bytes, flood - 1);
  fake_body_n(script, 30, bytes, 1);
  free(bytes);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 10);
  assert_int_equal(fake->net.live, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- What follows an error ----------------------------------------------- */

static fake_script *
script_error_in_answer(fake_client *fake)
{
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("Hal"));
  fake_body(script, 20,
            "data: {\"error\":{\"message\":\"Broken\",\"code\":500}}\n\n");
  return script;
}

/* An answer that broke off has cost something: the figures may follow. */
static void
usage_after_an_error_is_waited_for(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_body(script_error_in_answer(fake), 60, sse_usage(11, 2));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 59);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 1);
  infer_error *error = fake_error(call);
  assert_int_equal(infer_error_status(error), INFER_E_SERVER);
  assert_contains(infer_error_message(error), "Broken");
  assert_int_equal(
      infer_attempt_usage(infer_error_attempt(error, 0), INFER_USAGE_INPUT),
      11);
  assert_cancelled_at(fake, 0, 60);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
it_is_not_waited_for_long(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_body(script_error_in_answer(fake), 60, sse_text("more"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 119);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, 120);
  assert_events(fake, "start a/m|text Hal|done SERVER [Hal]");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_end_of_the_exchange_ends_that_wait(void **state)
{
  (void)state;
  const inf_net ends[] = {INF_NET_OK, INF_NET_RESET, INF_NET_PARTIAL};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
    fake_done(script_error_in_answer(fake), 40, ends[i]);
    infer_call *call = fake_submit_model(fake, "one");
    fake_run_ms(fake, 40);
    assert_int_equal(fake_status(call), INFER_E_SERVER);
    assert_contains(fake_message(call), "Broken");
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
an_error_before_content_is_not_waited_for(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 20,
            "data: {\"error\":{\"message\":\"Broken\",\"code\":500}}\n\n");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20);
  assert_cancelled_at(fake, 0, 20);
  assert_int_equal(fake_status(call), INFER_E_SERVER);
  infer_call_free(call);
  fake_client_free(fake);
}

/* A prompt full of images is not kept for the attempts to come. */
static void
the_memory_of_a_large_request_is_given_back(void **state)
{
  (void)state;
  enum { large = 300 << 10 };
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_always(&fake->net), 1, "x");
  char *text = malloc(large + 1);
  assert_non_null(text);
  memset(text, 'x', large);
  text[large] = '\0';
  infer_request *request = fake_request_new("one");
  infer_request_add_message(request, "user", text);
  free(text);
  infer_call_free(fake_submit(fake, request));
  infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 10);
  inf_list *pool = &fake->client->engine.pool;
  size_t bytes = 0;
  for (inf_list *node = pool->next; node != pool; node = node->next)
    bytes += INF_CONTAINER_OF(node, inf_attempt, node)->wire.body.cap;
  assert_int_equal(fake->client->engine.pool_count, 2);
  assert_true(bytes < 64 << 10);
  infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 10);
  assert_contains(fake->net.requests[2].body, "\"Hi\"");
  fake_client_free(fake);
}

/* Labels decide again at each send, should the choice of targets ever let one
 * pass that may not be asked. */
static void
labels_are_looked_at_before_each_send(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.a.labels", "['private']", NULL);
  infer_request *request = fake_request_new("one");
  infer_request_require_label(request, "private");
  infer_call *call = fake_submit(fake, request);
  inf_provider_config *provider =
      (inf_provider_config *)(uintptr_t)call->targets[0]->provider;
  size_t labels = provider->label_count;
  provider->label_count = 0;
  fake_run_ms(fake, 1);
  provider->label_count = labels;
  assert_int_equal(fake->net.request_count, 0);
  assert_int_equal(fake_status(call), INFER_E_NO_TARGET);
  assert_contains(fake_message(call), "\"private\"");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(connect_timer),
      cmocka_unit_test(first_token_timer_counts_from_the_send),
      cmocka_unit_test(signs_of_life_are_no_content),
      cmocka_unit_test(any_kind_of_content_stops_the_first_token_timer),
      cmocka_unit_test(idle_timer_starts_anew_with_content),
      cmocka_unit_test(idle_timer_may_be_shorter_than_the_first_token_one),
      cmocka_unit_test(comments_do_not_restart_the_idle_timer),
      cmocka_unit_test(attempt_timer_holds_over_a_lively_stream),
      cmocka_unit_test(attempt_timer_counts_from_the_start),
      cmocka_unit_test(a_whole_body_knows_no_first_token_and_no_idle_timer),
      cmocka_unit_test(attempt_timer_holds_for_a_whole_body),
      cmocka_unit_test(a_missing_end_mark_after_the_finish_reason_is_an_end),
      cmocka_unit_test(silence_after_the_finish_reason_is_an_end),
      cmocka_unit_test(truncation_is_never_a_success),
      cmocka_unit_test(every_choice_must_have_ended),
      cmocka_unit_test(a_reset_before_content_is_a_reset),
      cmocka_unit_test(an_error_in_a_broken_200_stays_the_error),
      cmocka_unit_test(an_error_whose_body_hangs_is_still_that_error),
      cmocka_unit_test(network_failures_have_their_classes),
      cmocka_unit_test(an_exchange_that_cannot_start_is_short_memory),
      cmocka_unit_test(a_whole_answer_s_exchange_lingers_to_its_own_end),
      cmocka_unit_test(it_lingers_for_a_second_at_most),
      cmocka_unit_test(it_does_not_linger_for_a_flood),
      cmocka_unit_test(usage_after_an_error_is_waited_for),
      cmocka_unit_test(it_is_not_waited_for_long),
      cmocka_unit_test(the_end_of_the_exchange_ends_that_wait),
      cmocka_unit_test(an_error_before_content_is_not_waited_for),
      cmocka_unit_test(the_memory_of_a_large_request_is_given_back),
      cmocka_unit_test(labels_are_looked_at_before_each_send),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
