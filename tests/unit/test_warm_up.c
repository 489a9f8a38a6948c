/* SPDX-License-Identifier: MIT */
/* One warm-up: what it sends, how far it came, why no connection waits, and
 * how many run at once. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static infer_warm_report *
prewarm(fake_client *fake, const char *name, int64_t timeout_ms,
        int32_t expected)
{
  infer_warm_report *report;
  assert_int_equal(
      infer_client_prewarm(fake->client, name, timeout_ms, &report, NULL),
      expected);
  assert_non_null(report);
  return report;
}

/* "READY h2 OK: " of the only row. */
static const char *
told(fake_client *fake, const char *name)
{
  static const char *const reached[] = {"nothing", "lookup", "connected", "tls",
                                        "ready"};
  static char text[512];
  infer_warm_report *report = prewarm(fake, name, 1000, INFER_OK);
  assert_int_equal(infer_warm_report_count(report), 1);
  snprintf(text, sizeof text, "%s %s %s: %s",
           reached[infer_warm_report_reached(report, 0)],
           infer_warm_report_protocol(report, 0),
           infer_status_name(infer_warm_report_status(report, 0)),
           infer_warm_report_reason(report, 0));
  infer_warm_report_free(report);
  return text;
}

static void
how_far_it_came(void **state)
{
  (void)state;
  static const struct {
    inf_net net;
    uint64_t lookup_ms, connect_ms, tls_ms;
    const char *expected;
  } cases[] = {
      {INF_NET_RESOLVE, 0, 0, 0, "nothing  INFER_E_RESOLVE: no such host"},
      {INF_NET_CONNECT, 1, 0, 0, "lookup  INFER_E_CONNECT: connection refused"},
      {INF_NET_TLS, 1, 2, 0, "connected  INFER_E_TLS: handshake failed"},
      {INF_NET_TLS_VERIFY, 1, 2, 0,
       "connected  INFER_E_TLS_VERIFY: certificate not trusted"},
      {INF_NET_RESET, 1, 2, 3, "tls  INFER_E_RESET: connection reset by peer"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fake_client *fake = fake_client_new("providers.a.warm_path", "'/w'", NULL);
    fake_script *script = fake_script_next(&fake->net);
    script->lookup_ms = cases[i].lookup_ms;
    script->connect_ms = cases[i].connect_ms;
    script->tls_ms = cases[i].tls_ms;
    fake_done(script, 5, cases[i].net);
    assert_string_equal(told(fake, "a"), cases[i].expected);
    fake_client_free(fake);
  }
}

static void
why_no_connection_waits(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("providers.b.warm_path", "'/w'", NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->connect_ms = 1;
  script->protocol = "http/1.1";
  fake_done(script, 2, INF_NET_OK);
  assert_string_equal(told(fake, "a"),
                      "connected http/1.1 INFER_OK: a connection of HTTP/1.1 "
                      "is kept only after a request: set the provider's "
                      "warm_path");
  script = fake_script_next(&fake->net);
  script->connect_ms = 1;
  fake_reply(script, 2, 503, NULL, "no");
  assert_string_equal(told(fake, "b"),
                      "connected  INFER_OK: the server closed the connection "
                      "after GET /w (status 503)");
  fake_client_free(fake);
}

/* 1 MiB may come; the next byte ends it. */
static void
a_long_answer(void **state)
{
  (void)state;
  char *body = malloc((1 << 20) + 2);
  assert_non_null(body);
  memset(body, 'x', (1 << 20) + 1);
  for (int over = 0; over < 2; over++) {
    fake_client *fake = fake_client_new("providers.a.warm_path", "'/w'", NULL);
    body[(1 << 20) + over] = '\0';
    fake_script *script = fake_script_next(&fake->net);
    script->kept = !over;
    fake_reply(script, 2, 200, NULL, body);
    const char *text = told(fake, "a");
    if (over)
      assert_contains(text, "the answer to GET /w is over 1024 KiB");
    else
      assert_contains(text, "ready ");
    body[(1 << 20) + over] = 'x';
    fake_client_free(fake);
  }
  free(body);
}

static void
the_path_is_on_the_server(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("providers.a.warm_path", "'/up?x=1'",
                                      "providers.a.base_url",
                                      "'http://a.test:81/deep/v1'", NULL);
  fake_script *always = fake_script_always(&fake->net);
  fake_done(always, 0, INF_NET_OK);
  infer_warm_report_free(prewarm(fake, "a", 1000, INFER_OK));
  infer_warm_report_free(prewarm(fake, "b", 1000, INFER_OK));
  assert_string_equal(fake->net.requests[0].url, "http://a.test:81/up?x=1");
  assert_int_equal(fake->net.requests[0].warm_up, INF_WARM_UP_REQUEST);
  assert_false(fake->net.requests[0].fresh_connection);
  assert_lacks(fake->net.requests[0].headers, "key-of-a");
  assert_string_equal(fake->net.requests[1].url, "http://b.test/v1");
  assert_int_equal(fake->net.requests[1].warm_up, INF_WARM_UP_CONNECT);
  assert_true(fake->net.requests[1].fresh_connection);
  fake_client_free(fake);
}

/* The connection that waited was closed: once more over a new one. */
static void
a_closed_connection_is_replaced_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("providers.a.warm_path", "'/w'", NULL);
  for (int i = 0; i < 2; i++) {
    fake_script *script = fake_script_next(&fake->net);
    script->reused = true;
    fake_done(script, 0, INF_NET_RESET);
  }
  assert_contains(told(fake, "a"), "INFER_E_RESET");
  assert_int_equal(fake->net.request_count, 2);
  assert_true(fake->net.requests[1].fresh_connection);
  fake_client_free(fake);
}

/* A new connection that breaks is not tried again. */
static void
a_new_connection_that_breaks(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("providers.a.warm_path", "'/w'", NULL);
  fake_done(fake_script_next(&fake->net), 0, INF_NET_RESET);
  assert_contains(told(fake, "a"), "INFER_E_RESET");
  assert_int_equal(fake->net.request_count, 1);
  fake_client_free(fake);
}

/* They end a little before the wait does. */
static void
limits_of_time(void **state)
{
  (void)state;
  static const struct {
    int64_t timeout_ms;
    uint32_t expected_ms;
  } cases[] = {{80, 71}, {4000, 3901}, {100000, 30001}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fake_client *fake = fake_client_new(NULL);
    infer_warm_report *report =
        prewarm(fake, "a", cases[i].timeout_ms, INFER_E_TIMEOUT);
    assert_int_equal(infer_warm_report_status(report, 0), INFER_E_TIMEOUT);
    assert_int_equal(infer_warm_report_took_ns(report, 0), -1);
    assert_string_equal(infer_warm_report_reason(report, 0),
                        "not done in time");
    assert_int_equal(fake->net.requests[0].warm_up_ms, cases[i].expected_ms);
    assert_int_equal(fake_now_ms(fake), cases[i].timeout_ms);
    infer_warm_report_free(report);
    fake_client_free(fake);
  }
}

/* Without a wait it goes on, and who comes later finds the connection. */
static void
without_a_wait(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->kept = true;
  fake_done(script, 20, INF_NET_OK);
  infer_warm_report_free(prewarm(fake, "a", 0, INFER_E_TIMEOUT));
  assert_int_equal(fake->net.requests[0].warm_up_ms, 30001);
  fake_run_ms(fake, 100);
  assert_contains(fake->log, "warm-up of provider \"a\": a connection waits");
  fake_client_free(fake);
}

enum { many = 40, at_once = 16 };

static void
so_many_run_at_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_config *config = fake_config_new(fake, NULL);
  for (int i = 0; i < many; i++) {
    char path[64], value[64];
    snprintf(path, sizeof path, "providers.p%d", i);
    snprintf(value, sizeof value,
             "{\"type\":\"openai\",\"base_url\":\"http://p%d.test/v1\"}", i);
    assert_int_equal(
        infer_config_set_json(config, path, value, INFER_NUL_TERMINATED, NULL),
        INFER_OK);
  }
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  fake_script *always = fake_script_always(&fake->net);
  always->kept = true;
  fake_done(always, 10, INF_NET_OK);
  infer_warm_report *report = prewarm(fake, NULL, 1000, INFER_OK);
  assert_int_equal(infer_warm_report_count(report), many + 3);
  for (size_t i = 0; i < many + 3; i++)
    assert_int_equal(infer_warm_report_ready(report, i), 1);
  for (size_t i = 0; i < many + 3; i++) /* three rounds of 10 ms */
    assert_int_equal(fake_ms(fake->net.requests[i].start_ns), i / at_once * 10);
  infer_warm_report_free(report);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(how_far_it_came),
      cmocka_unit_test(why_no_connection_waits),
      cmocka_unit_test(a_long_answer),
      cmocka_unit_test(the_path_is_on_the_server),
      cmocka_unit_test(a_closed_connection_is_replaced_once),
      cmocka_unit_test(a_new_connection_that_breaks),
      cmocka_unit_test(limits_of_time),
      cmocka_unit_test(without_a_wait),
      cmocka_unit_test(so_many_run_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
