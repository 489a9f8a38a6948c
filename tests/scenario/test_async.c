/* SPDX-License-Identifier: MIT */
/* Queues, events, cancelling and back-pressure over real sockets. */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static infer_queue *
make_queue(world *w)
{
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w->client), INFER_OK);
  return queue;
}

static infer_call *
submit(world *w, const char *model, infer_queue *queue, uint64_t tag)
{
  infer_request *request = world_request(model, "go");
  infer_call *call;
  infer_error *error;
  int32_t status = infer_submit(w->client, request, INFER_SUBMIT_STREAM, queue,
                                tag, &call, &error);
  if (status != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  /* A snapshot was taken: the request may go at once. */
  infer_request_free(request);
  return call;
}

/* ---- Many calls, one queue ----------------------------------------------- */

static void
test_many_calls_one_queue(void **state)
{
  (void)state;
  enum { many = 300 };
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'tokens':20,'first_token_ms':{'uniform':[1,"
            "30]},'inter_token_ms':1}}");
  world_usual(&w, "");
  infer_queue *queue = make_queue(&w);
  infer_call *calls[many];
  for (int i = 0; i < many; i++)
    calls[i] = submit(&w, "a/m", queue, (uint64_t)i);
  int done[many] = {0}, texts = 0, left = many;
  uint32_t bytes[many] = {0};
  uint64_t until = world_now_ms() + 30000;
  while (left > 0 && world_now_ms() < until) {
    infer_event *events[64];
    size_t count;
    int32_t status = infer_queue_poll_batch(queue, events, 64, 1000, &count);
    assert_true(status == INFER_OK || status == INFER_E_TIMEOUT);
    for (size_t i = 0; i < count; i++) {
      uint64_t tag = infer_event_tag(events[i]);
      assert_true(tag < many);
      assert_int_equal(done[tag], 0);
      assert_int_equal(infer_event_call_id(events[i]),
                       infer_call_id(calls[tag]));
      size_t len;
      if (infer_event_type(events[i]) == INFER_EVENT_TEXT) {
        texts++;
        infer_event_text(events[i], &len);
        bytes[tag] += (uint32_t)len;
      } else if (infer_event_type(events[i]) == INFER_EVENT_DONE) {
        done[tag] = 1;
        left--;
        assert_int_equal(infer_event_status(events[i]), INFER_OK);
        infer_response *response = infer_event_take_response(events[i]);
        infer_response_text(response, &len);
        assert_int_equal(len, bytes[tag]);
        assert_null(infer_event_take_response(events[i]));
        infer_response_free(response);
      }
      infer_event_free(events[i]);
    }
  }
  assert_int_equal(left, 0);
  assert_true(texts >= many);
  for (int i = 0; i < many; i++)
    infer_call_free(calls[i]);
  infer_event *event;
  assert_int_equal(infer_queue_poll(queue, 0, &event), INFER_E_TIMEOUT);
  infer_queue_free(queue);
  json_object_put(world_log(&w, 1, many));
  world_end(&w);
}

/* ---- The fd and the wake-up hook ----------------------------------------- */

static bool
readable(int fd, int wait_ms)
{
  struct pollfd p = {.fd = fd, .events = POLLIN};
  int count;
  while ((count = poll(&p, 1, wait_ms)) < 0 && errno == EINTR)
    continue;
  return count == 1;
}

static atomic_int wakeups;

static void
on_wakeup(void *user_data)
{
  assert_ptr_equal(user_data, &wakeups);
  atomic_fetch_add(&wakeups, 1);
}

/* With "threads": 0 somebody has to let the client work. */
static void
let_work(world *w, unsigned ms)
{
  uint64_t until = world_now_ms() + ms;
  while (world_now_ms() < until)
    if (infer_client_drive(w->client, 10) != INFER_OK)
      world_sleep_ms(10);
}

static void
test_fd_and_wakeup(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'hello','first_token_ms':50}}");
  world_usual(&w, "");
  infer_queue *queue = make_queue(&w);
  int fd = infer_queue_fd(queue);
  assert_true(fd >= 0);
  atomic_store(&wakeups, 0);
  assert_int_equal(infer_queue_set_wakeup(queue, on_wakeup, &wakeups),
                   INFER_OK);
  assert_false(readable(fd, 0));
  infer_call *call = submit(&w, "a/m", queue, 1);
  assert_false(readable(fd, 0));
  let_work(&w, 300);
  assert_true(readable(fd, 20000));
  assert_int_equal(atomic_load(&wakeups), 1);
  infer_event *event;
  int events = 0;
  for (bool done = false; !done; events++) {
    assert_true(readable(fd, 0)); /* exactly while an event waits */
    assert_int_equal(infer_queue_poll(queue, 0, &event), INFER_OK);
    done = infer_event_type(event) == INFER_EVENT_DONE;
    infer_event_free(event);
  }
  assert_true(events >= 4);
  assert_false(readable(fd, 0));
  assert_int_equal(infer_queue_poll(queue, 0, &event), INFER_E_TIMEOUT);
  assert_null(event);
  infer_call_free(call);
  infer_queue_free(queue);
  world_end(&w);
}

/* ---- Waiting and cancelling ---------------------------------------------- */

static void
test_wait_without_a_queue(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'late','first_token_ms':200}}");
  world_usual(&w, "");
  infer_request *request = world_request("a/m", "go");
  infer_call *call;
  assert_int_equal(
      infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL, 5, &call, NULL),
      INFER_OK);
  assert_int_equal(
      infer_submit(w.client, request, INFER_SUBMIT_STREAM, NULL, 5, NULL, NULL),
      INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
  infer_response *response;
  infer_error *error;
  assert_int_equal(infer_call_wait(call, 20, &response, &error),
                   INFER_E_TIMEOUT);
  assert_null(response);
  infer_error_free(error);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(infer_call_wait(call, 5000, &response, &error), INFER_OK);
    assert_string_equal(infer_response_text(response, NULL), "late");
    infer_response_free(response);
  }
  assert_int_equal(infer_call_tag(call), 5);
  infer_call_free(call);
  world_end(&w);
}

/* The terminal event of a call, all others dropped. */
static int32_t
wait_done(infer_queue *queue, int *others)
{
  uint64_t until = world_now_ms() + 10000;
  while (world_now_ms() < until) {
    infer_event *event;
    if (infer_queue_poll(queue, 1000, &event) != INFER_OK)
      continue;
    int32_t type = infer_event_type(event), status = infer_event_status(event);
    infer_event_free(event);
    if (type == INFER_EVENT_DONE)
      return status;
    ++*others;
  }
  fail_msg("no terminal event");
  return 1;
}

static void
test_cancel_at_any_moment(void **state)
{
  (void)state;
  static const unsigned moments[] = {0, 1, 30, 60, 90, 120, 1500};
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'model':'silent'},'do':{'silence':true}"
            "}],'defaults':{'tokens':20,'first_token_ms':50,"
            "'inter_token_ms':10}}");
  world_usual(&w, "");
  infer_queue *queue = make_queue(&w);
  for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
    infer_call *call = submit(&w, "a/m", queue, i);
    let_work(&w, moments[i]);
    uint64_t before = world_now_ms();
    assert_int_equal(infer_call_cancel(call), INFER_OK);
    assert_int_equal(infer_call_cancel(call), INFER_OK);
    int others = 0;
    int32_t status = wait_done(queue, &others);
    assert_true(world_now_ms() - before < 1000);
    assert_int_equal(status, moments[i] == 1500 ? INFER_OK : INFER_E_CANCELLED);
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 50, &event), INFER_E_TIMEOUT);
    infer_error *error;
    assert_int_equal(infer_call_wait(call, 0, NULL, &error), status);
    infer_error_free(error);
    infer_call_free(call);
  }
  infer_call *call = submit(&w, "a/silent", queue, 9);
  let_work(&w, 50);
  infer_call_cancel(call);
  int others = 0;
  assert_int_equal(wait_done(queue, &others), INFER_E_CANCELLED);
  assert_int_equal(others, 0);
  infer_call_free(call);
  /* The provider saw the connection go. */
  let_work(&w, 50);
  infer_queue_free(queue);
  world_end(&w);
}

/* A callback that has enough. */
static int32_t
stop_at_once(const infer_event *event, void *user_data)
{
  ++*(int *)user_data;
  (void)event;
  return 1;
}

static void
test_a_callback_may_stop_the_stream(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'tokens':400,'inter_token_ms':10}}");
  world_usual(&w, "");
  infer_request *request = world_request("a/m", "go");
  int heard = 0;
  infer_error *error;
  uint64_t before = world_now_ms();
  assert_int_equal(
      infer_chat_stream(w.client, request, stop_at_once, &heard, NULL, &error),
      INFER_E_CANCELLED);
  assert_true(world_now_ms() - before < 2000);
  assert_int_equal(heard, 1);
  infer_error_free(error);
  infer_request_free(request);
  json_object *log = world_log(&w, 1, 1);
  assert_string_equal(log_text(log, 0, "end"), "client_closed");
  json_object_put(log);
  world_end(&w);
}

static void
test_freeing_a_queue_cancels_its_calls(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'tokens':1000,'inter_token_ms':5}}");
  world_usual(&w, "");
  infer_queue *queue = make_queue(&w), *other = make_queue(&w);
  infer_call *calls[5];
  for (int i = 0; i < 5; i++)
    calls[i] = submit(&w, "a/m", queue, 0);
  infer_call *kept = submit(&w, "a/m", other, 1);
  let_work(&w, 100);
  infer_queue_free(queue);
  for (int i = 0; i < 5; i++) {
    infer_error *error;
    assert_int_equal(infer_call_wait(calls[i], 2000, NULL, &error),
                     INFER_E_CANCELLED);
    infer_error_free(error);
    infer_call_free(calls[i]);
  }
  assert_int_equal(infer_call_wait(kept, 0, NULL, NULL), INFER_E_TIMEOUT);
  infer_call_free(kept);
  infer_queue_free(other);
  world_end(&w);
}

/* ---- Merging, back-pressure, intervals ----------------------------------- */

static void
test_unread_text_is_merged(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'reasoning':'one two three four five',"
            "'tokens':200,'inter_token_ms':1}}");
  world_usual(&w, "");
  infer_queue *queue = make_queue(&w);
  infer_call *call = submit(&w, "a/m", queue, 0);
  let_work(&w, 1500);
  int types[64], count = 0;
  for (bool done = false; !done;) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 5000, &event), INFER_OK);
    assert_true(count < 64);
    types[count++] = infer_event_type(event);
    done = infer_event_type(event) == INFER_EVENT_DONE;
    infer_event_free(event);
  }
  /* START, REASONING, TEXT, FINISH, USAGE, DONE: nothing more. */
  static const int expected[] = {INFER_EVENT_START, INFER_EVENT_REASONING,
                                 INFER_EVENT_TEXT,  INFER_EVENT_FINISH,
                                 INFER_EVENT_USAGE, INFER_EVENT_DONE};
  assert_int_equal(count, 6);
  assert_memory_equal(types, expected, sizeof expected);
  infer_call_free(call);
  infer_queue_free(queue);
  world_end(&w);
}

static void
test_back_pressure(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'tokens':400000}}");
  world_usual(&w, "'max_undelivered_bytes':65536,'defaults':{'timeouts':{"
                  "'idle_ms':1000,'first_token_ms':5000}}");
  infer_queue *queue = make_queue(&w);
  infer_call *call = submit(&w, "a/m", queue, 0);
  let_work(&w, 1500); /* longer than idle_ms: a paused call is not idle */
  char *stats = sim_stats(w.sims[0]);
  json_object *object = json_tokener_parse(stats), *open;
  assert_true(json_object_object_get_ex(object, "open_streams", &open));
  assert_int_equal(json_object_get_int(open), 1); /* still being sent */
  json_object_put(object);
  free(stats);
  size_t bytes = 0, largest = 0;
  int32_t status = 1;
  for (bool done = false; !done;) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 5000, &event), INFER_OK);
    size_t len;
    infer_event_text(event, &len);
    if (infer_event_type(event) == INFER_EVENT_TEXT) {
      bytes += len;
      largest = len > largest ? len : largest;
    }
    done = infer_event_type(event) == INFER_EVENT_DONE;
    status = infer_event_status(event);
    infer_event_free(event);
  }
  assert_int_equal(status, INFER_OK);
  assert_true(largest < 65536 + 262144);
  infer_response *response;
  assert_int_equal(infer_call_wait(call, 0, &response, NULL), INFER_OK);
  size_t whole;
  infer_response_text(response, &whole);
  assert_int_equal(bytes, whole);
  infer_response_free(response);
  infer_call_free(call);
  infer_queue_free(queue);
  world_end(&w);
}

static void
test_delivery_interval(void **state)
{
  (void)state;
  int events_of[2];
  for (int i = 0; i < 2; i++) {
    world w = {0};
    world_sim(&w, 1, "{'defaults':{'tokens':150,'inter_token_ms':2}}");
    world_usual(&w, i ? "'delivery_interval_ms':60" : "");
    infer_queue *queue = make_queue(&w);
    infer_call *call = submit(&w, "a/m", queue, 0);
    int others = 0;
    assert_int_equal(wait_done(queue, &others), INFER_OK);
    events_of[i] = others;
    infer_call_free(call);
    infer_queue_free(queue);
    world_end(&w);
  }
  assert_true(events_of[0] > 2 * events_of[1]);
  assert_true(events_of[1] < 25);
}

/* ---- Limits and closing -------------------------------------------------- */

static void
test_max_calls(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'silence':true}}");
  world_usual(&w, "'max_calls':2");
  infer_queue *queue = make_queue(&w);
  infer_call *first = submit(&w, "a/m", queue, 0);
  infer_call *second = submit(&w, "a/m", queue, 0);
  infer_request *request = world_request("a/m", "go");
  infer_error *error;
  assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                0, NULL, &error),
                   INFER_E_LIMIT);
  infer_error_free(error);
  infer_call_cancel(first);
  int others = 0;
  wait_done(queue, &others);
  assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                0, NULL, NULL),
                   INFER_OK);
  infer_request_free(request);
  infer_call_free(first);
  infer_call_free(second);
  infer_queue_free(queue);
  world_end(&w);
}

static void
test_close_drains(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'model':'silent'},'do':{'silence':true}"
            "}],'defaults':{'text':'ok','first_token_ms':100}}");
  world_usual(&w, "");
  infer_queue *queue = make_queue(&w);
  infer_call_free(submit(&w, "a/m", queue, 1));
  uint64_t before = world_now_ms();
  assert_int_equal(infer_client_close(w.client, 5000), INFER_OK);
  assert_true(world_now_ms() - before < 4000);
  int others = 0;
  assert_int_equal(wait_done(queue, &others), INFER_OK);
  infer_event *event;
  assert_int_equal(infer_queue_poll(queue, -1, &event), INFER_E_CLOSED);
  infer_request *request = world_request("a/m", "go");
  infer_error *error;
  assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                0, NULL, &error),
                   INFER_E_CLOSED);
  infer_error_free(error);
  infer_request_free(request);
  infer_queue_free(queue);
  world_end(&w);

  world_sim(&w, 1, "{'defaults':{'silence':true}}");
  world_usual(&w, "");
  queue = make_queue(&w);
  infer_call_free(submit(&w, "a/m", queue, 1));
  before = world_now_ms();
  assert_int_equal(infer_client_close(w.client, 200), INFER_E_TIMEOUT);
  assert_true(world_now_ms() - before < 3000);
  assert_int_equal(wait_done(queue, &others), INFER_E_CANCELLED);
  infer_queue_free(queue);
  world_end(&w);
}

/* Handles go in every order; the client may even go first. */
static void
test_any_order_of_frees(void **state)
{
  (void)state;
  for (int order = 0; order < 6; order++) {
    world w = {0};
    world_sim(&w, 1, "{'defaults':{'tokens':100,'inter_token_ms':5}}");
    world_usual(&w, "");
    infer_queue *queue = make_queue(&w);
    infer_call *call = submit(&w, "a/m", queue, 1);
    let_work(&w, 30);
    static const char *const orders[] = {"cqk", "ckq", "qck",
                                         "qkc", "kcq", "kqc"};
    for (const char *what = orders[order]; *what; what++) {
      if (*what == 'c') {
        infer_client_free(w.client);
        w.client = NULL;
      } else if (*what == 'q') {
        infer_queue_free(queue);
      } else {
        infer_call_free(call);
      }
    }
    world_end(&w);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_many_calls_one_queue),
      cmocka_unit_test(test_fd_and_wakeup),
      cmocka_unit_test(test_wait_without_a_queue),
      cmocka_unit_test(test_cancel_at_any_moment),
      cmocka_unit_test(test_a_callback_may_stop_the_stream),
      cmocka_unit_test(test_freeing_a_queue_cancels_its_calls),
      cmocka_unit_test(test_unread_text_is_merged),
      cmocka_unit_test(test_back_pressure),
      cmocka_unit_test(test_delivery_interval),
      cmocka_unit_test(test_max_calls),
      cmocka_unit_test(test_close_drains),
      cmocka_unit_test(test_any_order_of_frees),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
