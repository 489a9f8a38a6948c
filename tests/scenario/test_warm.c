/* SPDX-License-Identifier: MIT */
/* Connections that are ready before a call needs them: what the report says
 * of them, and that the next call uses them. */
#include "support/nghttpx_process.h"
#include "support/tiny_server.h"
#include "world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK_SCRIPT "{'defaults':{'text':'ok'}}"
#define NO_RETRY  ",'defaults':{'retries':0}"
#define ONE(members)                                                  \
  "{'providers':[{'name':'p','type':'openai','base_url':'$1'" members \
  "}]" NO_RETRY "}"
#define WARM_PATH ",'warm_path':'/v1/models'"

/* Connections that the provider has accepted. */
static int64_t
connections(const world *w, int sim)
{
  char *text = sim_stats(w->sims[sim - 1]);
  assert_non_null(text);
  json_object *stats = json_tokener_parse(text), *count;
  assert_true(json_object_object_get_ex(stats, "connections_accepted", &count));
  int64_t value = json_object_get_int64(count);
  json_object_put(stats);
  free(text);
  return value;
}

static infer_warm_report *
prewarm(world *w, const char *name)
{
  infer_warm_report *report;
  infer_error *error = NULL;
  if (infer_client_prewarm(w->client, name, 10000, &report, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  return report;
}

/* The report in one line: "p OK ready h2" or "p CONNECT connected: why". */
static const char *
told(const infer_warm_report *report)
{
  static const char *const reached[] = {"nothing", "lookup", "connected", "tls",
                                        "ready"};
  static char text[2048];
  size_t len = 0;
  text[0] = '\0';
  for (size_t i = 0; i < infer_warm_report_count(report); i++) {
    const char *reason = infer_warm_report_reason(report, i);
    len += (size_t)snprintf(
        text + len, sizeof text - len, "%s%s %s %s%s%s%s%s", i ? "; " : "",
        infer_warm_report_provider(report, i),
        infer_status_name(infer_warm_report_status(report, i)) + 6,
        reached[infer_warm_report_reached(report, i)],
        infer_warm_report_protocol(report, i)[0] ? " " : "",
        infer_warm_report_protocol(report, i), reason[0] ? ": " : "", reason);
  }
  return text;
}

static void
expect_report(world *w, const char *name, const char *expected)
{
  infer_warm_report *report = prewarm(w, name);
  for (size_t i = 0; i < infer_warm_report_count(report); i++)
    assert_true(infer_warm_report_took_ns(report, i) >= 0);
  if (!strstr(told(report), expected))
    fail_msg("%s", told(report));
  infer_warm_report_free(report);
}

/* One call: did it find a connection? */
static bool
call_is_warm(world *w, const char *model)
{
  outcome o = world_chat(w, model);
  assert_int_equal(o.status, INFER_OK);
  const infer_attempt *last = outcome_attempt(&o, outcome_attempts(&o) - 1);
  bool reused = infer_attempt_reused_connection(last) == 1;
  assert_int_equal(infer_attempt_phase_ns(last, INFER_PHASE_CONNECT) == -1,
                   reused);
  outcome_end(&o);
  return reused;
}

/* ---- Prewarm ------------------------------------------------------------- */

static void
test_a_prewarmed_connection_is_used(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, ONE(WARM_PATH));
  expect_report(&w, "p", "p OK ready http/1.1");
  assert_int_equal(connections(&w, 1), 1);
  assert_true(call_is_warm(&w, "p/m"));
  expect_report(&w, "p/m", "p OK ready http/1.1");
  assert_true(call_is_warm(&w, "p/m"));
  assert_int_equal(connections(&w, 1), 1);
  world_end(&w);
}

static void
test_over_tls(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  world_client(&w, ONE(WARM_PATH ",'ca_file':'$DIR/ca.pem'"));
  expect_report(&w, NULL, "p OK ready http/1.1");
  assert_true(call_is_warm(&w, "p/m"));
  assert_int_equal(connections(&w, 1), 1);
  world_end(&w);
}

/* A connection that waits already is not given up for the attempt. */
static void
test_http1_without_a_path(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  world_client(&w, ONE(",'ca_file':'$DIR/ca.pem'"));
  expect_report(&w, "p",
                "p OK tls http/1.1: a connection of HTTP/1.1 is kept only "
                "after a request: set the provider's warm_path");
  assert_false(call_is_warm(&w, "p/m"));
  expect_report(&w, "p", "p OK tls http/1.1: ");
  assert_true(call_is_warm(&w, "p/m"));
  assert_int_equal(world_requests(&w, 1), 2); /* nothing but the calls */
  world_end(&w);
}

/* Neither the key nor what the account adds goes out with it. */
static void
test_what_is_sent(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, ONE(WARM_PATH ",'api_key':'secret-key','headers':{"
                                 "'x-account':'mine'},'query':{'k':'v'}"));
  expect_report(&w, "p", "ready");
  json_object *log = world_log(&w, 1, 1);
  assert_string_equal(log_text(log, 0, "method"), "GET");
  assert_string_equal(log_text(log, 0, "path"), "/v1/models");
  assert_string_equal(log_header(log, 0, "authorization"), "");
  assert_string_equal(log_header(log, 0, "x-account"), "");
  assert_non_null(strstr(log_header(log, 0, "user-agent"), "libinfer/"));
  assert_null(strstr(json_object_to_json_string(log), "secret-key"));
  json_object_put(log);
  world_end(&w);
}

static void
test_names(void **state)
{
  (void)state;
  world w = {0};
  for (int i = 1; i <= 3; i++)
    world_sim(&w, i, OK_SCRIPT);
  world_client(&w, "{'providers':["
                   "{'name':'a','type':'openai','base_url':'$1'" WARM_PATH "},"
                   "{'name':'b','type':'openai','base_url':'$2'" WARM_PATH "},"
                   "{'name':'c','type':'openai','base_url':'$3'" WARM_PATH "}],"
                   "'routes':{'r':{'targets':['c/m','a/m','c/n']}}}");
  infer_warm_report *report = prewarm(&w, "r");
  assert_string_equal(told(report), "c OK ready http/1.1; a OK ready http/1.1");
  infer_warm_report_free(report);
  report = prewarm(&w, "b/m");
  assert_string_equal(told(report), "b OK ready http/1.1");
  infer_warm_report_free(report);
  assert_int_equal(connections(&w, 2), 1);
  report = prewarm(&w, NULL);
  assert_int_equal(infer_warm_report_count(report), 3);
  infer_warm_report_free(report);
  for (int i = 1; i <= 3; i++)
    assert_int_equal(connections(&w, i), 1);
  infer_error *error;
  assert_int_equal(
      infer_client_prewarm(w.client, "nobody", 1000, &report, &error),
      INFER_E_CONFIG);
  assert_null(report);
  assert_non_null(strstr(infer_error_message(error), "nobody"));
  infer_error_free(error);
  world_end(&w);
}

static void
test_who_cannot_be_reached(void **state)
{
  (void)state;
  world w = {0};
  world_client(&w, "{'providers':["
                   "{'name':'dead','type':'openai','base_url':'$DEAD'},"
                   "{'name':'nowhere','type':'openai',"
                   "'base_url':'http://nowhere.invalid/v1'" WARM_PATH "}]}");
  expect_report(&w, "dead", "dead E_CONNECT lookup: ");
  expect_report(&w, "nowhere", "nowhere E_RESOLVE nothing: ");
  world_end(&w);
}

static void
test_without_idle_connections(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(
      &w, "{'providers':[{'name':'p','type':'openai','base_url':'$1'" WARM_PATH
          "}],'max_idle_connections':0}");
  expect_report(&w, "p", "p OK connected http/1.1: max_idle_connections is 0");
  world_end(&w);
}

static void
serve_and_close(tiny_conn *conn)
{
  if (tiny_read(conn))
    tiny_puts(conn, "HTTP/1.1 401 No\r\nConnection: close\r\n"
                    "Content-Length: 0\r\n\r\n");
}

static void
serve_without_end(tiny_conn *conn)
{
  char piece[8193];
  memset(piece, 'x', sizeof piece);
  bool ok = tiny_read(conn) &&
            tiny_puts(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n"
                            "\r\n");
  for (int i = 0; ok && i < 1000; i++)
    ok = tiny_write(conn, piece, sizeof piece);
}

static void
serve_nothing(tiny_conn *conn)
{
  while (tiny_read(conn))
    ;
}

static void
client_of(world *w, const tiny_server *server, const char *members)
{
  char config[512];
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'http://127.0.0.1:%d/v1'%s}]" NO_RETRY "}",
           tiny_port(server), members);
  world_client(w, config);
}

static void
test_servers_that_do_not_keep_it(void **state)
{
  (void)state;
  static const struct {
    tiny_handler handler;
    const char *expected;
  } cases[] = {
      {serve_and_close, "p OK connected http/1.1: the server closed the "
                        "connection after GET /w (status 401)"},
      {serve_without_end, "connected http/1.1: the answer to GET /w is over "
                          "1024 KiB"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world w = {0};
    tiny_server *server = tiny_start(cases[i].handler, NULL, NULL);
    client_of(&w, server, ",'warm_path':'/w'");
    expect_report(&w, "p", cases[i].expected);
    infer_client_free(w.client);
    tiny_stop(server);
  }
}

/* The kept connection was closed meanwhile: another one is made at once. */
static void
serve_one_each(tiny_conn *conn)
{
  if (tiny_read(conn))
    tiny_answer(conn, "{}");
}

static void
test_a_connection_that_was_closed_is_replaced(void **state)
{
  (void)state;
  world w = {0};
  tiny_server *server = tiny_start(serve_one_each, NULL, NULL);
  client_of(&w, server, ",'warm_path':'/w'");
  for (int i = 0; i < 5; i++)
    expect_report(&w, "p", "p OK ready http/1.1");
  assert_int_equal(tiny_connections(server), 5);
  infer_client_free(w.client);
  tiny_stop(server);
}

static void
test_it_does_not_wait_longer_than_it_may(void **state)
{
  (void)state;
  world w = {0};
  tiny_server *server = tiny_start(serve_nothing, NULL, NULL);
  client_of(&w, server, ",'warm_path':'/w'");
  infer_warm_report *report;
  uint64_t begun_ms = world_now_ms();
  int32_t status = infer_client_prewarm(w.client, "p", 800, &report, NULL);
  uint64_t took_ms = world_now_ms() - begun_ms;
  assert_true(status == INFER_OK || status == INFER_E_TIMEOUT);
  assert_true(took_ms >= 600 && took_ms < 5000);
  assert_int_equal(infer_warm_report_count(report), 1);
  assert_int_equal(infer_warm_report_ready(report, 0), 0);
  if (status == INFER_OK) { /* it learned how far the warm-up came */
    assert_int_equal(infer_warm_report_reached(report, 0),
                     INFER_WARM_CONNECTED);
    assert_int_not_equal(infer_warm_report_status(report, 0), INFER_OK);
  }
  infer_warm_report_free(report);
  /* Without a wait: it goes on behind, and ends with the client. */
  assert_int_equal(infer_client_prewarm(w.client, "p", 0, &report, NULL),
                   INFER_E_TIMEOUT);
  assert_int_equal(infer_warm_report_status(report, 0), INFER_E_TIMEOUT);
  assert_int_equal(infer_warm_report_took_ns(report, 0), -1);
  infer_client_free(w.client);
  infer_warm_report_free(report);
  tiny_stop(server);
}

static void
test_a_closed_client(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, ONE(WARM_PATH));
  assert_int_equal(infer_client_close(w.client, 0), INFER_OK);
  infer_warm_report *report;
  infer_error *error;
  assert_int_equal(infer_client_prewarm(w.client, "p", 1000, &report, &error),
                   INFER_E_CLOSED);
  assert_null(report);
  infer_error_free(error);
  world_end(&w);
}

/* ---- HTTP/2 -------------------------------------------------------------- */

/* nghttpx gives a client 10 s to acknowledge its settings, which libcurl does
 * at its second look. No request goes out before the call. */
static void
test_http2_stays_warm(void **state)
{
  (void)state;
  if (!nghttpx_available()) {
    print_message("SKIP: nghttpx is not installed\n");
    skip();
  }
  const char *faults = getenv("INFER_SOCKET_FAULTS");
  if (faults && *faults) {
    print_message("SKIP: libcurl looks at the settings once, and that read may "
                  "be cut: the connection then does not stay\n");
    skip();
  }
  world w = {0};
  char config[256];
  world_folder(&w);
  assert_true(tiny_make_certificates(w.folder));
  world_sim(&w, 1, OK_SCRIPT);
  nghttpx_process *proxy = nghttpx_start(sim_port(w.sims[0]), w.folder, NULL);
  assert_non_null(proxy);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'https://localhost:%u/v1','ca_file':'$DIR/ca.pem'}]}",
           (unsigned)nghttpx_port(proxy));
  world_client(&w, config);
  expect_report(&w, "p", "p OK ready h2");
  uint64_t until_ms = world_now_ms() + 12000;
  while (world_now_ms() < until_ms)
    if (infer_client_drive(w.client, 50) != INFER_OK)
      world_sleep_ms(50);
  assert_int_equal(world_requests(&w, 1), 0);
  assert_true(call_is_warm(&w, "p/m"));
  infer_client_free(w.client);
  w.client = NULL;
  nghttpx_kill(proxy);
  world_end(&w);
}

/* ---- Several at once ----------------------------------------------------- */

enum { askers = 4, rounds = 15 };

static void *
ask_again_and_again(void *context)
{
  world *w = context;
  for (int i = 0; i < rounds; i++) {
    infer_warm_report *report = NULL;
    if (infer_client_prewarm(w->client, i % 2 ? "p" : NULL, 5000, &report,
                             NULL) != INFER_OK ||
        infer_warm_report_ready(report, 0) != 1) {
      infer_warm_report_free(report);
      return w;
    }
    infer_warm_report_free(report);
  }
  return NULL;
}

static void
test_from_many_threads_beside_calls(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, ONE(WARM_PATH));
  pthread_t threads[askers];
  for (int i = 0; i < askers; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, ask_again_and_again, &w),
                     0);
  for (int i = 0; i < rounds; i++) {
    outcome o = world_chat(&w, "p/m");
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
  }
  for (int i = 0; i < askers; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  world_end(&w);
}

/* ---- Keeping warm -------------------------------------------------------- */

static void
wait_for_connections(world *w, int sim, int64_t wanted)
{
  uint64_t until_ms = world_now_ms() + 10000;
  while (connections(w, sim) < wanted) {
    assert_true(world_now_ms() < until_ms);
    if (infer_client_drive(w->client, 5) != INFER_OK)
      world_sleep_ms(5);
  }
  /* What was sent is answered, too. */
  for (int i = 0; i < 10; i++)
    if (infer_client_drive(w->client, 5) != INFER_OK)
      world_sleep_ms(5);
}

#define TWO(members)                                            \
  "{'providers':["                                              \
  "{'name':'a','type':'openai','base_url':'$1'" WARM_PATH "},"  \
  "{'name':'b','type':'openai','base_url':'$2'" WARM_PATH "}]," \
  "'routes':{'r':{'targets':['a/m','b/m'],'stay':{'retries':0}" members "}}}"

static void
test_failover_finds_a_warm_connection(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'requests':'1'},'do':{'text':'ok'}},"
            "{'do':{'status':500}}]}");
  world_sim(&w, 2, OK_SCRIPT);
  world_client(&w, TWO(",'keep_warm':true"));
  outcome o = world_chat(&w, "r");
  assert_string_equal(outcome_trail(&o), "a/m first OK");
  outcome_end(&o);
  wait_for_connections(&w, 2, 1);
  o = world_chat(&w, "r");
  assert_string_equal(outcome_trail(&o), "a/m first SERVER, b/m failover OK");
  assert_int_equal(infer_attempt_reused_connection(outcome_attempt(&o, 1)), 1);
  outcome_end(&o);
  assert_int_equal(connections(&w, 2), 1);
  world_end(&w);
}

static void
test_it_is_not_kept_warm_unasked(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_sim(&w, 2, OK_SCRIPT);
  world_client(&w, TWO(""));
  for (int i = 0; i < 3; i++) {
    assert_int_equal(call_is_warm(&w, "r"), i > 0);
    world_sleep_ms(100);
  }
  assert_int_equal(connections(&w, 2), 0);
  assert_int_equal(world_requests(&w, 1), 3);
  world_end(&w);
}

int
main(void)
{
  world_forget_proxies();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_prewarmed_connection_is_used),
      cmocka_unit_test(test_over_tls),
      cmocka_unit_test(test_http1_without_a_path),
      cmocka_unit_test(test_what_is_sent),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_who_cannot_be_reached),
      cmocka_unit_test(test_without_idle_connections),
      cmocka_unit_test(test_servers_that_do_not_keep_it),
      cmocka_unit_test(test_a_connection_that_was_closed_is_replaced),
      cmocka_unit_test(test_it_does_not_wait_longer_than_it_may),
      cmocka_unit_test(test_a_closed_client),
      cmocka_unit_test(test_http2_stays_warm),
      cmocka_unit_test(test_from_many_threads_beside_calls),
      cmocka_unit_test(test_failover_finds_a_warm_connection),
      cmocka_unit_test(test_it_is_not_kept_warm_unasked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
