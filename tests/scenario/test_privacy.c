/* SPDX-License-Identifier: MIT */
/* Where data may go, over real sockets: not a connection is made to a server
 * whose provider lacks a label that is required. That it is so whatever fails
 * is the simulation's to show (tests/simulation/labels); here are the ways that
 * only the real network has. */
#include "world.h"

#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Where the one that has the label sends its clients. */
static int other_port;

static void
send_away(tiny_conn *conn)
{
  char text[256];
  while (tiny_read(conn)) {
    snprintf(text, sizeof text,
             "HTTP/1.1 %s\r\nLocation: http://127.0.0.1:%d/v1/chat/"
             "completions\r\nContent-Length: 0\r\n\r\n",
             (const char *)conn->context, other_port);
    tiny_puts(conn, text);
  }
}

static void
serve(tiny_conn *conn)
{
  while (tiny_read(conn))
    tiny_answer(conn, "{\"choices\":[{\"index\":0,\"message\":{\"role\":"
                      "\"assistant\",\"content\":\"Hi.\"},\"finish_reason\":"
                      "\"stop\"}]}");
}

static void
die(tiny_conn *conn)
{
  while (tiny_read(conn))
    tiny_puts(conn, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
}

/* Provider a has the label, b has not. */
static void
make_world(world *w, const tiny_server *a, const tiny_server *b,
           const char *rest)
{
  char text[2048];
  snprintf(text, sizeof text,
           "{'providers':["
           "{'name':'a','type':'openai','labels':['eu'],'upstream':'unary',"
           "'warm_path':'/health','base_url':'http://127.0.0.1:%d/v1'},"
           "{'name':'b','type':'openai','warm_path':'/health','upstream':"
           "'unary','base_url':'http://127.0.0.1:%d/v1'}],%s}",
           tiny_port(a), tiny_port(b), rest);
  *w = (world){0};
  world_client(w, text);
}

/* Both are in the route "r". */
static void
make(world *w, const tiny_server *a, const tiny_server *b, const char *route)
{
  char rest[512];
  snprintf(rest, sizeof rest, "'routes':{'r':{'targets':['b/m','a/m']%s}}",
           route);
  make_world(w, a, b, rest);
}

#define REQUIRED ",'require_labels':['eu']"

static void
a_redirect_leads_nowhere(void **state)
{
  (void)state;
  static const char *const statuses[] = {"301 Moved", "302 Found", "303 See",
                                         "307 Away", "308 Away"};
  tiny_server *b = tiny_start(serve, NULL, NULL);
  other_port = tiny_port(b);
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    tiny_server *a =
        tiny_start(send_away, (void *)(uintptr_t)statuses[i], NULL);
    world w;
    make(&w, a, b, REQUIRED);
    outcome o = world_chat(&w, "r");
    assert_int_equal(o.status, INFER_E_BAD_REQUEST);
    assert_int_equal(tiny_requests(a), 1);
    outcome_end(&o);
    world_end(&w);
    tiny_stop(a);
  }
  assert_int_equal(tiny_connections(b), 0);
  tiny_stop(b);
}

#define DEAR  "{'target':'a/m','price':{'input':10,'output':40}}"
#define CHEAP "{'target':'b/m','price':{'input':0,'output':0}}"

/* Its limit is reached, and b is cheaper. */
static void
nor_does_a_budget(void **state)
{
  (void)state;
  tiny_server *a = tiny_start(serve, NULL, NULL);
  tiny_server *b = tiny_start(serve, NULL, NULL);
  world w;
  make_world(&w, a, b,
             "'budgets':[{'name':'m','usd':0.0000001,'at_limit':'cheaper'}],"
             "'routes':{'r':{'targets':[" DEAR "," CHEAP "]" REQUIRED "},"
             "'any':{'targets':[" DEAR "," CHEAP "]}}");
  outcome o = world_chat(&w, "r");
  assert_int_equal(o.status, INFER_E_BUDGET);
  assert_int_equal(tiny_connections(b), 0);
  outcome_end(&o);
  o = world_chat(&w, "any");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(tiny_connections(b), 1);
  assert_int_equal(tiny_connections(a), 0);
  outcome_end(&o);
  world_end(&w);
  tiny_stop(a);
  tiny_stop(b);
}

static void
nor_does_a_failure(void **state)
{
  (void)state;
  tiny_server *a = tiny_start(die, NULL, NULL);
  tiny_server *b = tiny_start(serve, NULL, NULL);
  world w;
  make(&w, a, b, REQUIRED ",'keep_warm':true,'hedge':{},'recovery':'restart'");
  for (int i = 0; i < 8; i++) { /* its breaker opens */
    outcome o = world_chat(&w, "r");
    assert_int_equal(o.status, INFER_E_SERVER);
    outcome_end(&o);
  }
  assert_true(tiny_connections(a) > 0);
  assert_int_equal(tiny_connections(b), 0);
  world_end(&w);
  tiny_stop(a);
  tiny_stop(b);
}

static void
prewarm_keeps_to_the_labels_of_the_route(void **state)
{
  (void)state;
  tiny_server *a = tiny_start(serve, NULL, NULL);
  tiny_server *b = tiny_start(serve, NULL, NULL);
  world w;
  infer_warm_report *report = NULL;
  make(&w, a, b, REQUIRED);
  assert_int_equal(infer_client_prewarm(w.client, "r", 5000, &report, NULL),
                   INFER_OK);
  assert_int_equal(infer_warm_report_count(report), 1);
  assert_string_equal(infer_warm_report_provider(report, 0), "a");
  infer_warm_report_free(report);
  assert_int_equal(tiny_connections(a), 1);
  assert_int_equal(tiny_connections(b), 0);
  /* Named itself it is somebody's own wish. */
  assert_int_equal(infer_client_prewarm(w.client, "b", 5000, &report, NULL),
                   INFER_OK);
  infer_warm_report_free(report);
  assert_int_equal(tiny_connections(b), 1);
  world_end(&w);
  tiny_stop(a);
  tiny_stop(b);
}

static void
a_label_of_the_request_counts_as_well(void **state)
{
  (void)state;
  tiny_server *a = tiny_start(serve, NULL, NULL);
  tiny_server *b = tiny_start(serve, NULL, NULL);
  world w;
  make(&w, a, b, "");
  infer_request *request = world_request("r", "x");
  infer_request_require_label(request, "eu");
  outcome o = world_run(&w, request, false);
  assert_string_equal(outcome_trail(&o), "a/m first OK");
  assert_int_equal(tiny_connections(b), 0);
  outcome_end(&o);
  infer_request_free(request);
  char *json;
  assert_int_equal(infer_client_stats(w.client, &json, NULL), INFER_OK);
  assert_non_null(strstr(json, "{\"target\":\"b/m\",\"label\":\"eu\","
                               "\"calls\":1}"));
  infer_text_free(json);
  world_end(&w);
  tiny_stop(a);
  tiny_stop(b);
}

/* Sent in parts, each of which fails. */
static void
so_it_is_with_embeddings(void **state)
{
  (void)state;
  enum { inputs = 3000 }; /* more than one request may have */
  tiny_server *a = tiny_start(die, NULL, NULL);
  tiny_server *b = tiny_start(serve, NULL, NULL);
  world w;
  make(&w, a, b, "");
  infer_request *request;
  infer_embeddings *embeddings = NULL;
  assert_int_equal(infer_request_new(&request, "r"), INFER_OK);
  for (int i = 0; i < inputs; i++)
    assert_int_equal(infer_request_add_input(request, "x"), INFER_OK);
  infer_request_require_label(request, "eu");
  assert_int_equal(infer_embed(w.client, request, &embeddings, NULL),
                   INFER_E_SERVER);
  assert_true(tiny_requests(a) > 1);
  assert_int_equal(tiny_connections(b), 0);
  infer_request_free(request);
  world_end(&w);
  tiny_stop(a);
  tiny_stop(b);
}

int
main(void)
{
  world_forget_proxies();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_redirect_leads_nowhere),
      cmocka_unit_test(nor_does_a_budget),
      cmocka_unit_test(nor_does_a_failure),
      cmocka_unit_test(prewarm_keeps_to_the_labels_of_the_route),
      cmocka_unit_test(a_label_of_the_request_counts_as_well),
      cmocka_unit_test(so_it_is_with_embeddings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
