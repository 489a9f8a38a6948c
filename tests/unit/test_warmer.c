/* SPDX-License-Identifier: MIT */
/* Routes that keep their next targets warm: who is warmed, when, and that it
 * ends. */
#include "support/fail_alloc.h"
#include "support/fake_client.h"

#include "engine/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define KEPT                                                     \
  "routes.r.keep_warm", "true", "providers.a.warm_path", "'/w'", \
      "providers.b.warm_path", "'/w'", "providers.c.warm_path", "'/w'"

/* A warm-up that leaves a connection. */
static fake_script *
kept_script(fake_net *net, bool reused, const char *protocol)
{
  fake_script *script = fake_script_next(net);
  script->kept = true;
  script->reused = reused;
  script->protocol = protocol;
  fake_done(script, 0, INF_NET_OK);
  return script;
}

static void
call_once(fake_client *fake, const char *model)
{
  infer_call *call = fake_submit_model(fake, model);
  fake_run_ms(fake, 0);
  infer_call_free(call);
}

/* The exchanges since the from-th, as "a! b@20 b@50020": a call's with "!". */
static const char *
exchanges(const fake_client *fake, size_t from)
{
  static char text[4096];
  size_t len = 0;
  text[0] = '\0';
  for (size_t i = from; i < fake->net.request_count; i++) {
    const fake_request *request = &fake->net.requests[i];
    char provider = request->url[strlen("http://")];
    const char *space = len > 0 ? " " : "";
    if (request->warm_up == INF_WARM_UP_NOT)
      len += (size_t)snprintf(text + len, sizeof text - len, "%s%c!", space,
                              provider);
    else
      len += (size_t)snprintf(text + len, sizeof text - len, "%s%c@%llu", space,
                              provider,
                              (unsigned long long)fake_ms(request->start_ns));
  }
  return text;
}

#define assert_exchanges(fake, from, expected) \
  assert_string_equal(exchanges(fake, from), expected)

static void
answer_call(fake_net *net)
{
  fake_stream_all(fake_script_next(net), 0, "ok");
}

static void
the_next_target_is_warmed_after_a_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "http/1.1");
  fake_run_ms(fake, 100000); /* a client without calls warms nothing */
  assert_int_equal(fake->net.request_count, 0);
  assert_int_equal(infer_client_next_timeout_ns(fake->client), -1);
  call_once(fake, "r");
  fake_run_ms(fake, 1000);
  assert_exchanges(fake, 0, "a! b@100020");
  const fake_request *warm = &fake->net.requests[1];
  assert_string_equal(warm->method, "GET");
  assert_string_equal(warm->url, "http://b.test/w");
  assert_int_equal(warm->warm_up, INF_WARM_UP_REQUEST);
  assert_true(warm->warm_up_ms > 9000 && warm->warm_up_ms <= 10001);
  assert_lacks(warm->headers, "key");
  assert_lacks(warm->headers, "Authorization");
  assert_contains(warm->headers, "User-Agent: libinfer/");
  assert_contains(fake->log, "warm-up of provider \"b\": a connection waits, "
                             "http/1.1");
  assert_lacks(fake->telemetry, "b/m"); /* it is no attempt of a call */
  fake_client_free(fake);
}

static void
nothing_is_warmed_unless_the_route_says_so(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("providers.b.warm_path", "'/w'",
                                      "routes.three.keep_warm", "false", NULL);
  answer_call(&fake->net);
  call_once(fake, "r");
  fake_run_ms(fake, 100000);
  assert_exchanges(fake, 0, "a!");
  assert_int_equal(infer_client_next_timeout_ns(fake->client), -1);
  fake_client_free(fake);
}

/* What will never be asked needs no connection, and a provider without the
 * label should not even learn that there is a client. */
static void
labels_say_who_is_warmed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      KEPT, "routes.three.keep_warm", "true", "routes.r.keep_warm", "false",
      "routes.three.require_labels", "['eu']", "providers.a.labels", "['eu']",
      "providers.c.labels", "['eu']", NULL);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "http/1.1");
  call_once(fake, "three");
  fake_run_ms(fake, 1000);
  assert_exchanges(fake, 0, "a! c@20");
  fake_client_free(fake);
}

static void
both_are_kept_warm_until_the_client_is_idle(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  for (int i = 0; i < 20; i++)
    kept_script(&fake->net, i > 0, "http/1.1");
  call_once(fake, "r");
  fake_run_ms(fake, 400000);
  assert_exchanges(fake, 0,
                   "a! b@20 a@50000 b@50020 a@100000 b@100020 a@150000 "
                   "b@150020 a@200000 b@200020 a@250000 b@250020 a@300000");
  assert_int_equal(infer_client_next_timeout_ns(fake->client), -1);
  fake_client_free(fake);
}

static void
a_provider_in_use_needs_no_warm_up(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "http/1.1");
  call_once(fake, "r");
  fake_run_ms(fake, 40000);
  answer_call(&fake->net);
  call_once(fake, "r");
  for (int i = 0; i < 3; i++)
    kept_script(&fake->net, true, "http/1.1");
  fake_run_ms(fake, 40000);
  assert_exchanges(fake, 0, "a! b@20 a! b@50020");
  fake_run_ms(fake, 15000);
  assert_exchanges(fake, 4, "a@90000");
  fake_client_free(fake);
}

static void
failures_back_off(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  fake_done(fake_script_next(&fake->net), 0, INF_NET_CONNECT);
  fake_script *always = fake_script_always(&fake->net);
  fake_done(always, 0, INF_NET_CONNECT);
  call_once(fake, "r");
  fake_run_ms(fake, 400000);
  assert_exchanges(fake, 0,
                   "a! b@20 a@50000 b@50020 a@100000 b@150020 a@200000");
  assert_contains(fake->log, "warm-up of provider \"b\": connection refused");
  fake_client_free(fake);
}

/* Calls tell as much as warm-ups: who has just refused them is left alone. */
static void
failures_of_calls_count(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, "routes.r.retries", "0",
                                      "routes.r.stay.retries", "0", NULL);
  fake_script *always = fake_script_always(&fake->net);
  fake_done(always, 0, INF_NET_CONNECT);
  call_once(fake, "r");
  fake_run_ms(fake, 60000);
  assert_exchanges(fake, 0, "a! b! a@50000 b@50000");
  fake_client_free(fake);
}

/* Nothing is sent without a path, so a connection of HTTP/1.1 is not kept. */
static void
what_cannot_be_kept_is_tried_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.keep_warm", "true", NULL);
  answer_call(&fake->net);
  fake_script *script = fake_script_next(&fake->net);
  script->protocol = "http/1.1";
  fake_done(script, 0, INF_NET_OK);
  call_once(fake, "r");
  fake_run_ms(fake, 40000);
  assert_exchanges(fake, 0, "a! b@20");
  assert_int_equal(fake->net.requests[1].warm_up, INF_WARM_UP_CONNECT);
  assert_string_equal(fake->net.requests[1].url, "http://b.test/v1");
  assert_true(fake->net.requests[1].fresh_connection);
  fake_script *again = fake_script_next(&fake->net);
  again->protocol = "http/1.1";
  fake_done(again, 0, INF_NET_OK);
  fake_run_ms(fake, 300000);
  assert_exchanges(fake, 2, "a@50000");
  fake_client_free(fake);
}

/* With HTTP/2 the connection that waits is looked at, not another made: once
 * more soon after it was, and then as ever. */
static void
http2_is_kept_without_a_request(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.keep_warm", "true", NULL);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "h2");
  kept_script(&fake->net, true, "h2");
  kept_script(&fake->net, false, "h2");
  kept_script(&fake->net, true, "h2");
  kept_script(&fake->net, true, "h2");
  call_once(fake, "r");
  fake_run_ms(fake, 60000);
  assert_exchanges(fake, 0, "a! b@20 b@520 a@50000 a@50500 b@50520");
  for (int i = 1; i <= 5; i++) {
    assert_int_equal(fake->net.requests[i].warm_up, INF_WARM_UP_CONNECT);
    assert_int_equal(fake->net.requests[i].fresh_connection, i == 1 || i == 3);
  }
  fake_client_free(fake);
}

/* Also where no route keeps anything warm; and a server that closes each
 * connection at once does not cause one after the other. */
static void
a_second_look_follows_a_prewarm(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  for (int i = 0; i < 3; i++)
    kept_script(&fake->net, false, "h2");
  infer_warm_report *report;
  assert_int_equal(infer_client_prewarm(fake->client, "a", 1000, &report, NULL),
                   INFER_OK);
  infer_warm_report_free(report);
  fake_run_ms(fake, 100000);
  assert_exchanges(fake, 0, "a@0 a@500");
  assert_false(fake->net.requests[1].fresh_connection);
  assert_int_equal(infer_client_next_timeout_ns(fake->client), -1);
  fake_client_free(fake);
}

static void
a_target_that_cannot_be_asked_is_passed_over(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "routes.three.keep_warm", "true", "routes.three.retries", "0",
      "providers.a.warm_path", "'/w'", "providers.b.warm_path", "'/w'",
      "providers.c.warm_path", "'/w'", NULL);
  fake_reply(fake_script_next(&fake->net), 0, 401, NULL, error_body("x", "y"));
  answer_call(&fake->net); /* b */
  kept_script(&fake->net, false, "http/1.1");
  call_once(fake, "three");
  fake_run_ms(fake, 1000);
  assert_exchanges(fake, 0, "a! b! c@20");
  fake_client_free(fake);
}

/* Whichever the next call is sent to. */
static void
without_an_order_more_are_warmed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      KEPT, "routes.three.keep_warm", "true", "routes.r.keep_warm", "false",
      "routes.three.strategy", "'latency'", NULL);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "http/1.1");
  kept_script(&fake->net, false, "http/1.1");
  call_once(fake, "three");
  fake_run_ms(fake, 1000);
  assert_exchanges(fake, 0, "a! b@20 c@20");
  fake_client_free(fake);
}

static void
learn(fake_client *fake, const char *target, uint64_t ms)
{
  inf_latency_place place = {target, INF_LATENCY_CONTENT, 0};
  static inf_survival curve;
  for (int i = 0; i < 40; i++)
    inf_latency_record(fake->client->runtime, &place, ms * INF_NS_PER_MS,
                       false);
  inf_latency_read_locked(fake->client->runtime, &place, &curve);
}

/* It goes to the one that is soonest, wherever that stands. */
static void
the_target_of_a_hedge_is_warmed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, "routes.three.hedge", "{}",
                                      "routes.r.keep_warm", "false", NULL);
  learn(fake, "a/m", 100);
  learn(fake, "b/m", 300);
  learn(fake, "c/m", 200);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "http/1.1");
  kept_script(&fake->net, false, "http/1.1");
  call_once(fake, "three");
  fake_run_ms(fake, 1000);
  assert_exchanges(fake, 0, "a! b@20 c@20");
  fake_client_free(fake);
}

/* With HTTP/1.1 what is cancelled takes its connection along, with HTTP/2 it
 * does not. */
static void
after_a_cancelled_attempt_a_connection_is_made_anew(void **state)
{
  (void)state;
  for (int http2 = 0; http2 < 2; http2++) {
    fake_client *fake = fake_client_new(KEPT, NULL);
    answer_call(&fake->net);
    for (int i = 0; i < 2; i++) /* of b, and then of a */
      kept_script(&fake->net, i > 0, http2 ? "h2" : "http/1.1");
    call_once(fake, "r");
    fake_run_ms(fake, 50100);
    size_t before = fake->net.request_count;
    fake_stream(fake_script_next(&fake->net), 1); /* silent */
    infer_call *call = fake_submit_model(fake, "r");
    fake_run_ms(fake, 100);
    kept_script(&fake->net, false, http2 ? "h2" : "http/1.1");
    infer_call_cancel(call);
    fake_run_ms(fake, 100);
    assert_exchanges(fake, before, http2 ? "a!" : "a! a@50200");
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
after_a_jump_of_time_connections_are_made_anew(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "http/1.1");
  call_once(fake, "r");
  fake_run_ms(fake, 1000);
  assert_exchanges(fake, 0, "a! b@20");
  kept_script(&fake->net, false, "http/1.1");
  kept_script(&fake->net, false, "http/1.1");
  fake->net.jump_ns = 10 * INF_NS_PER_S;
  fake_run_ms(fake, 12000);
  assert_int_equal(fake->net.retired, 1);
  assert_contains(exchanges(fake, 2), "a@");
  assert_contains(exchanges(fake, 2), "b@");
  fake_client_free(fake);
}

static void
reload(fake_client *fake, const char *keep_warm)
{
  infer_config *config =
      fake_config_new(fake, KEPT, "routes.r.keep_warm", keep_warm, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
}

static void
a_reload_changes_what_is_kept(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  for (int i = 0; i < 9; i++)
    kept_script(&fake->net, i > 0, "http/1.1");
  call_once(fake, "r");
  fake_run_ms(fake, 30000);
  reload(fake, "true"); /* what is known of the providers stays */
  fake_run_ms(fake, 30000);
  assert_exchanges(fake, 0, "a! b@20 a@50000 b@50020");
  reload(fake, "false");
  fake_run_ms(fake, 100000);
  assert_exchanges(fake, 4, "");
  fake_client_free(fake);
}

static void
closing_ends_it(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  kept_script(&fake->net, false, "http/1.1");
  call_once(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(infer_client_close(fake->client, 1000), INFER_OK);
  fake_run_ms(fake, 100000);
  assert_exchanges(fake, 0, "a! b@20");
  fake_client_free(fake);
}

/* A warm-up that hangs when the client goes is cancelled with it. */
static void
freeing_ends_what_is_under_way(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KEPT, NULL);
  answer_call(&fake->net);
  call_once(fake, "r");
  fake_run_ms(fake, 1000);
  assert_exchanges(fake, 0, "a! b@20");
  assert_int_equal(fake->net.live, 1);
  fake_client_free(fake);
}

/* ---- Memory -------------------------------------------------------------- */

static const char document[] =
    "{\"threads\":0,\"providers\":["
    "{\"name\":\"a\",\"type\":\"openai\",\"base_url\":\"http://a.test/v1\","
    "\"upstream\":\"unary\",\"proxy\":\"none\"},"
    "{\"name\":\"b\",\"type\":\"openai\",\"base_url\":\"http://b.test/v1\","
    "\"warm_path\":\"/w\",\"proxy\":\"none\"}],"
    "\"routes\":{\"r\":{\"targets\":[\"a/m\",\"b/m\"],\"keep_warm\":true}}}";

static infer_client *
client_short_of_memory(fake_net *net)
{
  infer_client *client = NULL;
  infer_config *config = NULL;
  const inf_client_parts parts = {.new_transport = fake_net_transport,
                                  .context = net,
                                  .clock = &net->clock,
                                  .seed = 1};
  int32_t status =
      infer_config_from_json(&config, document, INFER_NUL_TERMINATED, NULL);
  if (status == INFER_OK)
    status = inf_client_new_with(&client, config, &parts, NULL);
  assert_true(status == INFER_OK || status == INFER_E_NO_MEMORY);
  assert_true(status == INFER_OK || fail_alloc_hits() > 0);
  infer_config_free(config);
  return client;
}

static void
call_short_of_memory(infer_client *client)
{
  infer_request *request = NULL;
  infer_response *response = NULL;
  int32_t status = infer_request_new(&request, "r");
  if (status == INFER_OK)
    status = infer_request_add_message(request, "user", "x");
  if (status == INFER_OK)
    status = infer_chat(client, request, &response, NULL);
  assert_true(status == INFER_OK || fail_alloc_hits() > 0);
  infer_response_free(response);
  infer_request_free(request);
}

/* Nothing takes time here, a failure least of all. */
static void
prewarm_short_of_memory(fake_net *net, infer_client *client)
{
  infer_warm_report *report;
  uint64_t before_ns = inf_clock_now(&net->clock);
  int32_t status = infer_client_prewarm(client, NULL, 1000, &report, NULL);
  assert_int_equal(inf_clock_now(&net->clock) - before_ns, 0);
  if (status == INFER_OK) {
    assert_int_equal(infer_warm_report_count(report), 2);
    for (size_t i = 0; i < 2; i++)
      assert_true(infer_warm_report_ready(report, i) == 1 ||
                  fail_alloc_hits() > 0);
  } else {
    assert_int_equal(status, INFER_E_NO_MEMORY);
    assert_null(report);
    assert_true(fail_alloc_hits() > 0);
  }
  infer_warm_report_free(report);
}

static void
scarce_scenario(void *arg)
{
  (void)arg;
  fake_net net;
  fake_net_init(&net);
  fake_script *always = fake_script_always(&net);
  fake_reply(always, 0, 200, "content-type: application/json",
             unary_body("ok"));
  always->kept = true;
  always->protocol = "http/1.1";
  infer_client *client = client_short_of_memory(&net);
  if (client) {
    call_short_of_memory(client);
    for (int i = 0; i < 4; i++) /* and the warm-ups that it caused */
      infer_client_drive(client, 1000);
    assert_true(net.request_count == 2 || fail_alloc_hits() > 0);
    prewarm_short_of_memory(&net, client);
    infer_client_free(client);
  }
  fake_net_fini(&net);
}

static void
memory_failure(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(scarce_scenario, NULL) > 20);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_next_target_is_warmed_after_a_call),
      cmocka_unit_test(nothing_is_warmed_unless_the_route_says_so),
      cmocka_unit_test(labels_say_who_is_warmed),
      cmocka_unit_test(both_are_kept_warm_until_the_client_is_idle),
      cmocka_unit_test(a_provider_in_use_needs_no_warm_up),
      cmocka_unit_test(failures_back_off),
      cmocka_unit_test(failures_of_calls_count),
      cmocka_unit_test(what_cannot_be_kept_is_tried_once),
      cmocka_unit_test(http2_is_kept_without_a_request),
      cmocka_unit_test(a_second_look_follows_a_prewarm),
      cmocka_unit_test(a_target_that_cannot_be_asked_is_passed_over),
      cmocka_unit_test(without_an_order_more_are_warmed),
      cmocka_unit_test(the_target_of_a_hedge_is_warmed),
      cmocka_unit_test(after_a_cancelled_attempt_a_connection_is_made_anew),
      cmocka_unit_test(after_a_jump_of_time_connections_are_made_anew),
      cmocka_unit_test(a_reload_changes_what_is_kept),
      cmocka_unit_test(closing_ends_it),
      cmocka_unit_test(freeing_ends_what_is_under_way),
      cmocka_unit_test(memory_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
