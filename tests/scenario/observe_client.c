/* SPDX-License-Identifier: MIT */
/* Options of the client as a whole: see observe.h. */
#include "observe.h"

#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static atomic_int threads_started;

static void
on_thread_start(const char *name, void *user_data)
{
  (void)user_data;
  assert_true(strlen(name) > 0);
  atomic_fetch_add(&threads_started, 1);
}

/* Not by world_client(), which may set this option itself. */
static void
chat_with_threads(world *w, int64_t threads, bool owns_thread)
{
  infer_config *config;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  infer_config_set_string(config, "providers.p.type", "openai", NULL);
  infer_config_set_string(config, "providers.p.base_url", sim_url(w->sims[0]),
                          NULL);
  assert_int_equal(infer_config_set_int(config, "threads", threads, NULL),
                   INFER_OK);
  atomic_store(&threads_started, 0);
  assert_int_equal(infer_client_new(&w->client, config, NULL), INFER_OK);
  infer_config_free(config);
  assert_int_equal(infer_client_fd(w->client) == -1, owns_thread);
  outcome o = world_chat(w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(atomic_load(&threads_started), owns_thread);
  outcome_end(&o);
  infer_client_free(w->client);
  w->client = NULL;
}

void
observe_threads(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  infer_set_thread_start_hook(on_thread_start, NULL);
  chat_with_threads(&w, 1, true);
  chat_with_threads(&w, 0, false);
  infer_set_thread_start_hook(NULL, NULL);
  world_end(&w);
}

/* In how many pieces a reader gets a text that comes in forty. */
static int
pieces(const char *config)
{
  world w =
      observe_world("{'defaults':{'tokens':40,'inter_token_ms':15}}", config);
  infer_request *request = world_request("p/m", "x");
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                0, NULL, NULL),
                   INFER_OK);
  int count = 0;
  for (bool done = false; !done;) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 5000, &event), INFER_OK);
    count += infer_event_type(event) == INFER_EVENT_TEXT;
    done = infer_event_type(event) == INFER_EVENT_DONE;
    infer_event_free(event);
  }
  infer_queue_free(queue);
  infer_request_free(request);
  world_end(&w);
  return count;
}

void
observe_delivery_interval_ms(void **state)
{
  (void)state;
  int at_once = 0;
  for (int i = 0; i < 5 && at_once <= 12; i++) /* the machine may be busy */
    at_once = pieces(ONE("", ""));
  int collected = pieces(ONE("", ",'delivery_interval_ms':300"));
  assert_true(at_once > 12);
  assert_in_range(collected, 1, 6);
}

void
observe_max_response_bytes(void **state)
{
  (void)state;
  static const char script[] = "{'defaults':{'tokens':2000}}";
  for (int stream = 0; stream < 2; stream++) {
    assert_int_equal(observe_status(script,
                                    ONE("", ",'max_response_bytes':2048"),
                                    "p/m", stream, NULL),
                     INFER_E_TOO_LARGE);
    assert_int_equal(observe_status(script, ONE("", ""), "p/m", stream, NULL),
                     INFER_OK);
  }
}

void
observe_max_event_bytes(void **state)
{
  (void)state;
  static const char script[] = "{'defaults':{'tokens':500,'chunk_tokens':500}}";
  assert_int_equal(observe_status(script, ONE("", ",'max_event_bytes':1024"),
                                  "p/m", true, NULL),
                   INFER_E_TOO_LARGE);
  assert_int_equal(observe_status(script, ONE("", ""), "p/m", true, NULL),
                   INFER_OK);
}

void
observe_max_json_depth(void **state)
{
  (void)state;
  static const char script[] =
      "{'defaults':{'text':'ok','extra':{'a':[[[[[[[[[[[[1]]]]]]]]]]]]}}}";
  assert_int_equal(observe_status(script, ONE("", ",'max_json_depth':8"), "p/m",
                                  false, NULL),
                   INFER_E_TOO_DEEP);
  assert_int_equal(observe_status(script, ONE("", ""), "p/m", false, NULL),
                   INFER_OK);
}

/* ---- Flow control -------------------------------------------------------- */

#define FLOOD_BYTES (16u << 20)

static atomic_uint flooded;

/* A stream of 16 MiB, written as fast as it is taken. */
static void
flood(tiny_conn *conn)
{
  enum { filler = 16000 };
  static const char head[] = "data: {\"choices\":[{\"index\":0,\"delta\":{"
                             "\"content\":\"";
  static const char tail[] = "\"}}]}\n\n";
  char event[filler + 200];
  int small = 65536;
  setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  size_t len = sizeof head - 1 + filler;
  memcpy(event, head, sizeof head - 1);
  memset(event + sizeof head - 1, 'x', filler);
  memcpy(event + len, tail, sizeof tail - 1);
  len += sizeof tail - 1;
  if (!tiny_read(conn) ||
      !tiny_puts(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream"
                       "\r\n\r\n"))
    return;
  while (atomic_load(&flooded) < FLOOD_BYTES && tiny_write(conn, event, len))
    atomic_fetch_add(&flooded, (unsigned)len);
}

/* Bytes that a provider gets rid of while nobody reads; stops early once all
 * are. */
static unsigned
taken_unread(const char *options, uint64_t ms)
{
  char config[512];
  tiny_server *server = tiny_start(flood, NULL, NULL);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'http://127.0.0.1:%d/v1'}]%s}",
           tiny_port(server), options);
  world w = {0};
  atomic_store(&flooded, 0);
  world_client(&w, config);
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  infer_request *request = world_request("p/m", "x");
  assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                0, NULL, NULL),
                   INFER_OK);
  infer_request_free(request);
  uint64_t until = world_now_ms() + ms;
  while (world_now_ms() < until && atomic_load(&flooded) < FLOOD_BYTES)
    if (infer_client_drive(w.client, 10) != INFER_OK)
      world_sleep_ms(10);
  unsigned taken = atomic_load(&flooded);
  infer_queue_free(queue);
  world_end(&w);
  tiny_stop(server);
  return taken;
}

void
observe_max_undelivered_bytes(void **state)
{
  (void)state;
  /* The receive buffer of the system holds up to 6 MiB by itself. */
  assert_true(taken_unread(",'max_undelivered_bytes':4096", 700) <
              FLOOD_BYTES * 3 / 4);
  assert_true(taken_unread(",'max_undelivered_bytes':67108864", 30000) >=
              FLOOD_BYTES);
}

/* Does one of two streams that nobody reads end within ms? None does so in
 * another way than by the limit. One turn of the loop may bring in a few MiB
 * of each, so that it may be both. */
static bool
ends_unread(const char *options, unsigned ms)
{
  char config[512];
  infer_call *calls[2];
  bool ended = false;
  tiny_server *server = tiny_start(flood, NULL, NULL);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'http://127.0.0.1:%d/v1'}]%s}",
           tiny_port(server), options);
  world w = {0};
  atomic_store(&flooded, 0);
  world_client(&w, config);
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  infer_request *request = world_request("p/m", "x");
  for (int i = 0; i < 2; i++)
    assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                  0, &calls[i], NULL),
                     INFER_OK);
  infer_request_free(request);
  for (uint64_t until = world_now_ms() + ms; world_now_ms() < until && !ended;)
    for (int i = 0; i < 2; i++) {
      int32_t status = infer_call_wait(calls[i], 10, NULL, NULL);
      assert_true(status == INFER_E_TIMEOUT || status == INFER_E_LIMIT);
      ended |= status == INFER_E_LIMIT;
    }
  for (int i = 0; i < 2; i++)
    infer_call_free(calls[i]);
  infer_queue_free(queue);
  world_end(&w);
  tiny_stop(server);
  return ended;
}

void
observe_max_paused_bytes(void **state)
{
  (void)state;
  assert_true(ends_unread(",'max_paused_bytes':1500000", 20000));
  assert_false(ends_unread("", 500));
}

/* ---- Numbers ------------------------------------------------------------- */

static int32_t
second_submit(const char *config)
{
  world w = observe_world("{'defaults':{'silence':true}}", config);
  infer_request *request = world_request("p/m", "x");
  assert_int_equal(
      infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL, 0, NULL, NULL),
      INFER_OK);
  int32_t status =
      infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL, 0, NULL, NULL);
  infer_request_free(request);
  world_end(&w);
  return status;
}

void
observe_max_calls(void **state)
{
  (void)state;
  assert_int_equal(second_submit(ONE("", ",'max_calls':1")), INFER_E_LIMIT);
  assert_int_equal(second_submit(ONE("", "")), INFER_OK);
}

/* Connections that three calls at once, and then three more, make. */
static size_t
connections(const char *config)
{
  world w =
      observe_world("{'defaults':{'text':'ok','first_token_ms':100}}", config);
  infer_request *request = world_request("p/m", "x");
  infer_call *calls[3];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 3; i++)
      assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL,
                                    0, &calls[i], NULL),
                       INFER_OK);
    for (int i = 0; i < 3; i++) {
      assert_int_equal(infer_call_wait(calls[i], 5000, NULL, NULL), INFER_OK);
      infer_call_free(calls[i]);
    }
  }
  infer_request_free(request);
  json_object *log = world_log(&w, 1, 6);
  size_t fresh = 0;
  for (size_t i = 0; i < 6; i++)
    fresh += log_int(log, i, "reuse") == 0;
  json_object_put(log);
  world_end(&w);
  return fresh;
}

void
observe_max_idle_connections(void **state)
{
  (void)state;
  assert_int_equal(connections(ONE("", "")), 3);
  assert_int_equal(connections(ONE("", ",'max_idle_connections':1")), 5);
  assert_int_equal(connections(ONE("", ",'max_idle_connections':0")), 6);
}

/* Which of the tenants "one" and "two" the metrics of such a client tell. */
static const char *
tenants_told(const char *config)
{
  static const char *const names[] = {"one", "two"};
  static char told[16];
  char *text;
  world w = observe_world(OK_SCRIPT, config);
  for (int i = 0; i < 2; i++) {
    infer_request *request = world_request("p/m", "x");
    infer_request_set_tenant(request, names[i]);
    outcome o = world_run(&w, request, false);
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
    infer_request_free(request);
  }
  assert_int_equal(infer_client_metrics(w.client, &text, NULL), INFER_OK);
  snprintf(told, sizeof told, "%s%s",
           strstr(text, "tenant=\"one\"") ? "one " : "",
           strstr(text, "tenant=\"two\"") ? "two " : "");
  infer_text_free(text);
  world_end(&w);
  return told;
}

void
observe_metrics_tenants(void **state)
{
  (void)state;
  assert_string_equal(tenants_told(ONE("", "")), "");
  assert_string_equal(tenants_told(ONE("", ",'metrics_tenants':1")), "one ");
  assert_string_equal(tenants_told(ONE("", ",'metrics_tenants':5")),
                      "one two ");
}
