/* SPDX-License-Identifier: MIT */
/* The client: mailbox, loop, driving callers, and the order in which
 * everything ends. */
#include "support/child.h"
#include "support/fake_client.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- Threads ------------------------------------------------------------- */

enum { threads = 4, rounds = 400 };

/* Every call is cancelled the moment it is submitted, while others submit. */
static void *
submit_and_cancel(void *context)
{
  fake_client *fake = context;
  for (int i = 0; i < rounds; i++) {
    infer_request *request = fake_request_new("one");
    infer_call *call;
    if (infer_submit(fake->client, request, INFER_SUBMIT_WHOLE, NULL, 0, &call,
                     NULL) != INFER_OK)
      abort();
    infer_request_free(request);
    infer_call_cancel(call);
    int32_t status = infer_call_wait(call, -1, NULL, NULL);
    if (status != INFER_OK && status != INFER_E_CANCELLED)
      abort();
    infer_call_free(call);
  }
  return NULL;
}

static void
run_threads(fake_client *fake, void *(*fn)(void *), size_t count)
{
  pthread_t ids[threads];
  for (size_t i = 0; i < count; i++)
    assert_int_equal(pthread_create(&ids[i], NULL, fn, fake), 0);
  for (size_t i = 0; i < count; i++)
    pthread_join(ids[i], NULL);
}

static void
a_cancel_finds_its_call_begun(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded(NULL);
  fake->telemetry_off = true;
  fake_stream_all(fake_script_always(&fake->net), 0, "x");
  run_threads(fake, submit_and_cancel, threads);
  fake_client_free(fake);
}

static void
several_threads_may_drive(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_real_time(NULL);
  fake->telemetry_off = true;
  fake_stream_all(fake_script_always(&fake->net), 0, "x");
  run_threads(fake, submit_and_cancel, threads);
  fake_client_free(fake);
}

/* Another thread cancels, so that the reader, who drives, has its event before
 * it would wait again. */
static void *
cancel_what_is_shown(void *context)
{
  _Atomic(infer_call *) *shown = context;
  for (int left = rounds; left > 0;) {
    infer_call *call = atomic_exchange(shown, NULL);
    if (!call) {
      sched_yield();
      continue;
    }
    infer_call_cancel(call);
    infer_call_free(call);
    left--;
  }
  return NULL;
}

static void *
drive_once(void *client)
{
  infer_client_drive(client, 0);
  return NULL;
}

/* Not there at the first look; then another thread has a turn. */
static bool
ready_after_the_turn_of_another(void *context)
{
  fake_client *fake = context;
  if (fake->on_hook_data)
    return true;
  fake->on_hook_data = fake;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, drive_once, fake->client), 0);
  pthread_join(thread, NULL);
  return false;
}

/* Who looked before another thread's turn looks again after it, and does not
 * wait for something else to happen. */
static void
a_turn_of_another_thread_is_not_slept_through(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  uint64_t before_ms = fake_now_ms(fake);
  assert_true(inf_client_wait(fake->client, fake->queue,
                              ready_after_the_turn_of_another, fake,
                              fake->net.now_ns + 5 * INF_NS_PER_S));
  assert_int_equal(fake_now_ms(fake), before_ms);
  fake_client_free(fake);
}

static void
a_reader_that_drives_sees_a_cancel(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_real_time(NULL);
  fake->telemetry_off = true;
  fake_script_always(&fake->net); /* silence */
  _Atomic(infer_call *) shown = NULL;
  pthread_t other;
  assert_int_equal(pthread_create(&other, NULL, cancel_what_is_shown, &shown),
                   0);
  for (int i = 0; i < rounds; i++) {
    atomic_store(&shown, fake_submit_model(fake, "one"));
    infer_event *event;
    assert_int_equal(infer_queue_poll(fake->queue, 20000, &event), INFER_OK);
    assert_int_equal(infer_event_status(event), INFER_E_CANCELLED);
    infer_event_free(event);
  }
  pthread_join(other, NULL);
  fake_client_free(fake);
}

/* A stop that comes while the loop takes its mail must not be lost. */
static void *
submit_until_closed(void *context)
{
  infer_client *client = context;
  infer_request *request = fake_request_new("one");
  while (infer_submit(client, request, INFER_SUBMIT_WHOLE, NULL, 0, NULL,
                      NULL) != INFER_E_CLOSED)
    continue;
  infer_request_free(request);
  infer_client_free(client);
  return NULL;
}

static void
a_stop_is_not_lost_among_other_mail(void **state)
{
  (void)state;
  for (int i = 0; i < 100; i++) {
    fake_client *fake = fake_client_new_threaded("max_calls", "8", NULL);
    fake->telemetry_off = true;
    fake_script_always(&fake->net);
    pthread_t other;
    infer_client *client = infer_client_ref(fake->client);
    assert_int_equal(pthread_create(&other, NULL, submit_until_closed, client),
                     0);
    infer_client_close(fake->client, 0);
    pthread_join(other, NULL);
    fake_client_free(fake);
  }
}

static void *
chat_often(void *context)
{
  fake_client *fake = context;
  infer_request *request = fake_request_new("r");
  for (int i = 0; i < rounds; i++) {
    infer_response *response;
    if (infer_chat(fake->client, request, &response, NULL) != INFER_OK ||
        strcmp(infer_response_text(response, NULL), "x") != 0)
      abort();
    infer_response_free(response);
  }
  infer_request_free(request);
  return NULL;
}

static void
blocking_calls_of_many_threads(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded(NULL);
  fake->telemetry_off = true;
  fake_stream_all(fake_script_always(&fake->net), 0, "x");
  run_threads(fake, chat_often, threads);
  fake_client_free(fake);
}

/* ---- Time between turns -------------------------------------------------- */

/* The application did something else for a while: that is no reason for a
 * timer to be late. */
static void
time_outside_of_a_turn_counts(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 0);
  fake->net.now_ns += 900 * INF_NS_PER_MS;
  infer_client_drive(fake->client, -1);
  infer_client_drive(fake->client, 0);
  assert_cancelled_at(fake, 0, fake_connect_ms);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_long_time_between_turns_is_no_clock_jump(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_run_ms(fake, 10);
  fake->net.now_ns += 600 * INF_NS_PER_S;
  fake_run_ms(fake, 10);
  assert_int_equal(fake->net.retired, 0);
  fake_client_free(fake);
}

static void
next_timeout_tells_when_to_drive(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  assert_int_equal(infer_client_next_timeout_ns(fake->client), -1);
  infer_call *call = fake_submit_model(fake, "one");
  assert_int_equal(infer_client_next_timeout_ns(fake->client), 0);
  fake_run_ms(fake, 0);
  assert_int_equal(infer_client_next_timeout_ns(fake->client),
                   fake_connect_ms * INF_NS_PER_MS);
  fake->net.now_ns += 400 * INF_NS_PER_MS;
  assert_int_equal(infer_client_next_timeout_ns(fake->client),
                   (fake_connect_ms - 400) * INF_NS_PER_MS);
  fake->net.now_ns += 4000 * INF_NS_PER_MS;
  assert_int_equal(infer_client_next_timeout_ns(fake->client), 0);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
driving_a_client_with_a_thread_is_refused(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded(NULL);
  assert_int_equal(infer_client_drive(fake->client, 0), INFER_E_UNSUPPORTED);
  assert_int_equal(infer_client_fd(fake->client), -1);
  assert_int_equal(infer_client_next_timeout_ns(fake->client), -1);
  fake_client_free(fake);
}

/* ---- Limits -------------------------------------------------------------- */

static void
max_calls_bounds_the_calls_in_flight(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("max_calls", "2", NULL);
  fake_stream_all(fake_script_always(&fake->net), 10, "x");
  infer_call_free(fake_submit_model(fake, "one"));
  infer_call_free(fake_submit_model(fake, "one"));
  infer_request *request = fake_request_new("one");
  infer_error *error;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, NULL, &error),
                   INFER_E_LIMIT);
  assert_contains(infer_error_message(error), "max_calls");
  infer_error_free(error);
  fake_run_ms(fake, 10);
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, NULL, NULL),
                   INFER_OK);
  infer_request_free(request);
  fake_client_free(fake);
}

static void
bad_submissions_are_refused(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_client *other = fake_client_new(NULL);
  infer_request *request = fake_request_new("one");
  infer_request *empty;
  assert_int_equal(infer_request_new(&empty, "one"), INFER_OK);
  const struct {
    infer_client *client;
    const infer_request *request;
    int32_t mode;
    infer_queue *queue;
  } cases[] = {
      {NULL, request, INFER_SUBMIT_STREAM, fake->queue},
      {fake->client, NULL, INFER_SUBMIT_STREAM, fake->queue},
      {fake->client, empty, INFER_SUBMIT_STREAM, fake->queue},
      {fake->client, request, 0, fake->queue},
      {fake->client, request, 3, fake->queue},
      {fake->client, request, INFER_SUBMIT_STREAM, NULL},
      {fake->client, request, INFER_SUBMIT_STREAM, other->queue},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    infer_call *call;
    infer_error *error;
    assert_int_equal(infer_submit(cases[i].client, cases[i].request,
                                  cases[i].mode, cases[i].queue, 0, &call,
                                  &error),
                     INFER_E_INVALID_ARGUMENT);
    assert_null(call);
    assert_int_equal(infer_error_status(error), INFER_E_INVALID_ARGUMENT);
    infer_error_free(error);
  }
  infer_request_set_model(request, "nobody/m");
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, NULL, NULL),
                   INFER_E_CONFIG);
  infer_request_free(request);
  infer_request_free(empty);
  fake_client_free(other);
  fake_client_free(fake);
}

/* ---- Close --------------------------------------------------------------- */

static void
close_waits_for_what_is_in_flight(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 500, "x");
  infer_call *call = fake_submit_model(fake, "one");
  assert_int_equal(infer_client_close(fake->client, 1000), INFER_OK);
  assert_int_equal(fake_now_ms(fake), 500);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_request *request = fake_request_new("one");
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, NULL, NULL),
                   INFER_E_CLOSED);
  assert_int_equal(infer_chat(fake->client, request, NULL, NULL),
                   INFER_E_CLOSED);
  infer_request_free(request);
  assert_events(fake, "start a/m|text x|finish stop|usage|done OK");
  infer_event *event;
  assert_int_equal(infer_queue_poll(fake->queue, -1, &event), INFER_E_CLOSED);
  assert_int_equal(infer_client_close(fake->client, 1000), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
close_cancels_what_does_not_end(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream(fake_script_next(&fake->net), 0);
  infer_call *call = fake_submit_model(fake, "one");
  assert_int_equal(infer_client_close(fake->client, 700), INFER_E_TIMEOUT);
  assert_cancelled_at(fake, 0, 700);
  assert_events(fake, "done CANCELLED");
  assert_contains(fake_message(call), "client was closed");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
close_with_a_thread(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded(NULL);
  fake_stream_all(fake_script_next(&fake->net), 20, "x");
  infer_call *done = fake_submit_model(fake, "one");
  assert_int_equal(infer_client_close(fake->client, 60000), INFER_OK);
  assert_int_equal(fake_status(done), INFER_OK);
  infer_call_free(done);
  fake_client_free(fake);
}

/* ---- Frees --------------------------------------------------------------- */

static void
freeing_the_client_ends_its_calls(void **state)
{
  (void)state;
  for (int threaded = 0; threaded < 2; threaded++) {
    fake_client *fake =
        threaded ? fake_client_new_threaded(NULL) : fake_client_new(NULL);
    infer_call *call = fake_submit_model(fake, "one");
    infer_client_free(fake->client);
    fake->client = NULL;
    assert_events(fake, "done CANCELLED");
    assert_int_equal(infer_call_wait(call, -1, NULL, NULL), INFER_E_CANCELLED);
    infer_event *event;
    assert_int_equal(infer_queue_poll(fake->queue, -1, &event), INFER_E_CLOSED);
    assert_int_equal(infer_call_cancel(call), INFER_OK);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

/* Client, queue, call, event and response in every order. */
static void
any_order_of_frees_is_safe(void **state)
{
  (void)state;
  static const char orders[][6] = {"cqhe", "qche", "hecq", "ehqc", "cehq",
                                   "qceh", "chqe", "heqc", "eqch"};
  for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
    fake_client *fake = fake_client_new(NULL);
    fake_stream_all(fake_script_next(&fake->net), 1, "x");
    infer_call *call = fake_submit_whole(fake, "one");
    infer_call *other = fake_submit_model(fake, "one"); /* stays in flight */
    fake_run_ms(fake, 1);
    infer_event *event;
    assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
    infer_response *response = infer_event_take_response(event);
    for (const char *at = orders[i]; *at; at++)
      switch (*at) {
      case 'c':
        infer_client_free(fake->client);
        fake->client = NULL;
        break;
      case 'q':
        infer_queue_free(fake->queue);
        fake->queue = NULL;
        break;
      case 'h':
        infer_call_free(call);
        infer_call_free(other);
        break;
      case 'e':
        infer_event_free(event);
        break;
      }
    assert_string_equal(infer_response_text(response, NULL), "x");
    assert_string_equal(infer_response_provider(response), "a");
    infer_response_free(response);
    fake_client_free(fake);
  }
}

static void
free_in_hook(fake_client *fake, const infer_call *call,
             const infer_attempt *attempt)
{
  (void)call;
  if (attempt || !fake->client)
    return;
  infer_client_free(fake->client);
  fake->client = NULL;
}

static void
the_last_reference_may_go_in_a_hook(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->on_hook = free_in_hook;
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "one");
  infer_queue_free(fake->queue); /* nothing else holds the client */
  fake->queue = NULL;
  infer_call_free(call);
  infer_client *client = fake->client;
  while (fake->client)
    infer_client_drive(client, 100);
  fake_client_free(fake);
}

static void
submit_and_free_in_hook(fake_client *fake, const infer_call *call,
                        const infer_attempt *attempt)
{
  (void)call;
  if (attempt || !fake->client)
    return;
  fake->on_hook_data = fake_submit_whole(fake, "one");
  infer_client_free(fake->client);
  fake->client = NULL;
}

/* That call was accepted, so it ends like any other. */
static void
a_call_of_a_hook_that_frees_the_client_ends(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->on_hook = submit_and_free_in_hook;
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *first = fake_submit_model(fake, "one");
  infer_client *client = fake->client;
  while (fake->client)
    infer_client_drive(client, 100);
  infer_call *second = fake->on_hook_data;
  assert_int_equal(fake_status(second), INFER_E_CANCELLED);
  infer_call_free(second);
  infer_call_free(first);
  fake_client_free(fake);
}

static void
the_last_reference_may_go_in_a_hook_of_the_loop_thread(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded(NULL);
  fake->on_hook = free_in_hook;
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "one");
  assert_int_equal(infer_call_wait(call, -1, NULL, NULL), INFER_OK);
  assert_events(fake, "start a/m|text x|finish stop|usage|done OK");
  infer_call_free(call);
  /* The loop thread goes by itself; its transport tells when. */
  infer_event *event;
  assert_int_equal(infer_queue_poll(fake->queue, -1, &event), INFER_E_CLOSED);
  fake_net_wait_freed(&fake->net);
  fake_client_free(fake);
}

static void
references_of_several_owners(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  assert_ptr_equal(infer_client_ref(fake->client), fake->client);
  infer_client_free(fake->client);
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Reload -------------------------------------------------------------- */

static int32_t
reload(fake_client *fake, const char *path, const char *value,
       infer_error **error)
{
  infer_config *config = fake_config_new(fake, path, value, NULL);
  int32_t status = infer_client_reload(fake->client, config, error);
  infer_config_free(config);
  return status;
}

static void
a_reload_holds_for_new_calls_only(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 10, 404, NULL, "");
  fake_stream_all(fake_script_always(&fake->net), 10, "x");
  infer_call *before = fake_submit_model(fake, "r");
  fake_run_ms(fake, 5);
  assert_int_equal(reload(fake, "routes.r.targets", "['c/m']", NULL), INFER_OK);
  infer_call *after = fake_submit_model(fake, "r");
  fake_run_ms(fake, 100);
  assert_request(fake, 0, "a", 0);
  assert_request(fake, 1, "c", 5);
  assert_request(fake, 2, "b", 10);
  assert_int_equal(fake_status(before), INFER_OK);
  assert_int_equal(fake_status(after), INFER_OK);
  infer_call_free(before);
  infer_call_free(after);
  fake_client_free(fake);
}

/* Its connection may be in use after the call and all that pinned its
 * configuration are gone: until its own end, or until it is cut. */
static void
a_reload_leaves_a_lingering_exchange_its_endpoint(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *ended = fake_script_next(&fake->net);
  fake_stream(ended, 10);
  fake_body(ended, 10, sse_text("x"));
  fake_body(ended, 10, SSE_DONE);
  fake_done(ended, 500, INF_NET_OK);
  fake_script *cut = fake_script_next(&fake->net);
  fake_stream(cut, 10);
  fake_body(cut, 10, sse_text("x"));
  fake_body(cut, 10, SSE_DONE);
  infer_call *calls[2];
  for (int i = 0; i < 2; i++)
    calls[i] = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 20);
  assert_int_equal(reload(fake, "routes.r.targets", "['c/m']", NULL), INFER_OK);
  fake_run_ms(fake, 1);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(fake_status(calls[i]), INFER_OK);
    infer_call_free(calls[i]);
  }
  assert_events(fake, "done OK|done OK"); /* which keep their calls */
  assert_int_equal(fake->net.live, 2);
  fake_run_ms(fake, 2000);
  assert_int_equal(fake->net.live, 0);
  assert_int_equal(fake->net.requests[0].cancelled_ns, 0);
  assert_cancelled_at(fake, 1, 1010);
  fake_client_free(fake);
}

/* Attempts use the memory of others that had another limit. */
static void
a_reload_changes_the_longest_answer(void **state)
{
  (void)state;
  static const char *const limits[] = {"65536", "1024", "65536"};
  char text[500];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_always(&fake->net);
  fake_stream(script, 1);
  for (int i = 0; i < 4; i++)
    fake_body(script, 2, sse_text(text));
  fake_body(script, 3, SSE_DONE);
  fake_done(script, 3, INF_NET_OK);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(reload(fake, "max_response_bytes", limits[i], NULL),
                     INFER_OK);
    infer_call *call = fake_submit_whole(fake, "one");
    fake_run_ms(fake, 60000);
    assert_int_equal(fake_status(call), i == 1 ? INFER_E_TOO_LARGE : INFER_OK);
    infer_call_free(call);
  }
  fake_client_free(fake);
}

static void
a_bad_reload_changes_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_error *error;
  assert_int_equal(reload(fake, "routes.r.targets", "['nobody/m']", &error),
                   INFER_E_CONFIG);
  infer_error_free(error);
  assert_int_equal(reload(fake, "threads", "1", &error), INFER_E_CONFIG);
  assert_contains(infer_error_message(error), "threads");
  infer_error_free(error);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 0);
  assert_request(fake, 0, "a", 0);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_reload_changes_the_loop_s_options(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("max_calls", "1", NULL);
  infer_call_free(fake_submit_model(fake, "one"));
  assert_int_equal(reload(fake, "delivery_interval_ms", "25", NULL), INFER_OK);
  infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 0);
  assert_int_equal(fake->client->engine.delivery_interval_ns,
                   25 * INF_NS_PER_MS);
  fake_client_free(fake);
}

static void
submit_in_log(int32_t level, const char *message, void *user_data)
{
  fake_client *fake = user_data;
  (void)level;
  if (!fake->client || !strstr(message, "tls_verify"))
    return;
  infer_call_free(fake_submit_model(fake, "one"));
  fake->on_hook_data = fake;
}

/* ---- Forks --------------------------------------------------------------- */

typedef struct secrets {
  fake_client *fake;
  const inf_config *configs[2];
} secrets;

static void
check_wiped(const inf_config *config)
{
  for (size_t i = 0; i < config->provider_count; i++)
    for (size_t j = 0; j < config->providers[i].key_count; j++) {
      const inf_key *key = &config->providers[i].keys[j];
      CHILD_CHECK(key->secret_len > 0);
      for (size_t k = 0; k < key->secret_len; k++)
        CHILD_CHECK(key->secret[k] == 0);
    }
}

static void
free_in_child(void *context)
{
  secrets *held = context;
  infer_client_free(held->fake->client);
  for (int i = 0; i < 2; i++)
    check_wiped(held->configs[i]);
}

/* Also those of an earlier configuration that a call still uses. The child
 * frees while the parent's lock is held by nobody who will ever give it
 * back. */
static void
a_forked_child_wipes_the_keys(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 0);
  secrets held = {.fake = fake, .configs = {fake->client->config}};
  assert_int_equal(reload(fake, "providers.a.api_key", "'another'", NULL),
                   INFER_OK);
  held.configs[1] = fake->client->config;
  assert_ptr_not_equal(held.configs[0], held.configs[1]);
  pthread_mutex_lock(&fake->client->mutex);
  assert_int_equal(child_run(free_in_child, &held, 20000), 0);
  pthread_mutex_unlock(&fake->client->mutex);
  assert_string_equal(held.configs[0]->providers[0].keys[0].secret, "key-of-a");
  infer_call_free(call);
  fake_client_free(fake);
}

/* infer_submit() is hook-safe, and no lock is held in a hook. */
static void
the_warnings_of_a_reload_hold_no_lock(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->client->hooks.log.fn = submit_in_log;
  assert_int_equal(reload(fake, "providers.c.tls_verify", "false", NULL),
                   INFER_OK);
  assert_ptr_equal(fake->on_hook_data, fake);
  fake_client_free(fake);
}

/* A queue may be freed while its poller, who drives, is about to wait: the wake
 * meets nobody, and must end the wait that follows. */
static void
a_wake_before_the_wait_ends_it(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  uint64_t before_ms = fake_now_ms(fake);
  inf_client_wake(fake->client);
  infer_client_drive(fake->client, 1000);
  assert_int_equal(fake_now_ms(fake) - before_ms, 0);
  infer_client_drive(fake->client, 1000); /* only that one */
  assert_int_equal(fake_now_ms(fake) - before_ms, 1000);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cancel_finds_its_call_begun),
      cmocka_unit_test(several_threads_may_drive),
      cmocka_unit_test(a_turn_of_another_thread_is_not_slept_through),
      cmocka_unit_test(a_reader_that_drives_sees_a_cancel),
      cmocka_unit_test(a_stop_is_not_lost_among_other_mail),
      cmocka_unit_test(blocking_calls_of_many_threads),
      cmocka_unit_test(time_outside_of_a_turn_counts),
      cmocka_unit_test(a_long_time_between_turns_is_no_clock_jump),
      cmocka_unit_test(next_timeout_tells_when_to_drive),
      cmocka_unit_test(driving_a_client_with_a_thread_is_refused),
      cmocka_unit_test(max_calls_bounds_the_calls_in_flight),
      cmocka_unit_test(bad_submissions_are_refused),
      cmocka_unit_test(close_waits_for_what_is_in_flight),
      cmocka_unit_test(close_cancels_what_does_not_end),
      cmocka_unit_test(close_with_a_thread),
      cmocka_unit_test(freeing_the_client_ends_its_calls),
      cmocka_unit_test(any_order_of_frees_is_safe),
      cmocka_unit_test(the_last_reference_may_go_in_a_hook),
      cmocka_unit_test(a_call_of_a_hook_that_frees_the_client_ends),
      cmocka_unit_test(the_last_reference_may_go_in_a_hook_of_the_loop_thread),
      cmocka_unit_test(references_of_several_owners),
      cmocka_unit_test(a_reload_holds_for_new_calls_only),
      cmocka_unit_test(a_reload_leaves_a_lingering_exchange_its_endpoint),
      cmocka_unit_test(a_reload_changes_the_longest_answer),
      cmocka_unit_test(a_bad_reload_changes_nothing),
      cmocka_unit_test(a_reload_changes_the_loop_s_options),
      cmocka_unit_test(the_warnings_of_a_reload_hold_no_lock),
      cmocka_unit_test(a_forked_child_wipes_the_keys),
      cmocka_unit_test(a_wake_before_the_wait_ends_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
