/* SPDX-License-Identifier: MIT */
/* The queue as its reader sees it: polling, fd, wake-up, and its end. */
#include "support/fake_client.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- Polling ------------------------------------------------------------- */

static void
poll_gives_event_after_event(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call_free(fake_submit_model(fake, "one"));
  const int32_t types[] = {INFER_EVENT_START, INFER_EVENT_TEXT,
                           INFER_EVENT_FINISH, INFER_EVENT_USAGE,
                           INFER_EVENT_DONE};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(fake->queue, -1, &event), INFER_OK);
    assert_int_equal(infer_event_type(event), types[i]);
    infer_event_free(event);
  }
  assert_int_equal(fake_now_ms(fake), 5);
  fake_client_free(fake);
}

static void
poll_waits_no_longer_than_it_is_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_event *event = (infer_event *)(uintptr_t)1;
  assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_E_TIMEOUT);
  assert_null(event);
  assert_int_equal(fake_now_ms(fake), 0);
  assert_int_equal(infer_queue_poll(fake->queue, 250, &event), INFER_E_TIMEOUT);
  assert_int_equal(fake_now_ms(fake), 250);
  fake_client_free(fake);
}

static void
a_poll_of_zero_lets_a_driven_client_work(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 0, "x");
  infer_call_free(fake_submit_model(fake, "one"));
  infer_event *event = NULL;
  for (int i = 0; i < 4 && !event; i++)
    infer_queue_poll(fake->queue, 0, &event);
  assert_non_null(event);
  infer_event_free(event);
  fake_client_free(fake);
}

static void
a_batch_takes_what_is_there(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call_free(fake_submit_model(fake, "one"));
  infer_event *events[16];
  size_t count = 99;
  assert_int_equal(infer_queue_poll_batch(fake->queue, events, 3, -1, &count),
                   INFER_OK);
  assert_int_equal(count, 3);
  for (size_t i = 0; i < count; i++)
    infer_event_free(events[i]);
  assert_int_equal(infer_queue_poll_batch(fake->queue, events, 16, -1, &count),
                   INFER_OK);
  assert_int_equal(count, 2);
  assert_int_equal(infer_event_type(events[1]), INFER_EVENT_DONE);
  for (size_t i = 0; i < count; i++)
    infer_event_free(events[i]);
  assert_int_equal(infer_queue_poll_batch(fake->queue, events, 16, 0, &count),
                   INFER_E_TIMEOUT);
  assert_int_equal(count, 0);
  fake_client_free(fake);
}

static void
bad_arguments_are_refused(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_event *event;
  size_t count = 1;
  infer_queue *queue;
  assert_int_equal(infer_queue_poll(NULL, 0, &event), INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_queue_poll(fake->queue, 0, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_queue_poll_batch(fake->queue, &event, 0, 0, &count),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(count, 0);
  assert_int_equal(infer_queue_poll_batch(fake->queue, &event, 1, 0, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_queue_new(NULL, fake->client),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_queue_new(&queue, NULL), INFER_E_INVALID_ARGUMENT);
  assert_null(queue);
  assert_int_equal(infer_queue_fd(NULL), -1);
  assert_int_equal(infer_queue_set_wakeup(NULL, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  infer_queue_free(NULL);
  infer_event_free(NULL);
  infer_call_free(NULL);
  fake_client_free(fake);
}

/* One busy stream does not starve the others. */
static void
ready_calls_take_turns(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_always(&fake->net), 5, "x");
  infer_call *calls[3];
  for (int i = 0; i < 3; i++)
    calls[i] = fake_submit_model(fake, "one");
  fake_run_ms(fake, 5);
  for (int round = 0; round < 5; round++)
    for (int i = 0; i < 3; i++) {
      infer_event *event;
      assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
      assert_int_equal(infer_event_call_id(event), infer_call_id(calls[i]));
      infer_event_free(event);
    }
  for (int i = 0; i < 3; i++)
    infer_call_free(calls[i]);
  fake_client_free(fake);
}

static void
queues_hear_of_their_own_calls_only(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_queue *other;
  assert_int_equal(infer_queue_new(&other, fake->client), INFER_OK);
  fake_stream_all(fake_script_next(&fake->net), 5, "first");
  fake_stream_all(fake_script_next(&fake->net), 5, "second");
  infer_call_free(fake_submit_model(fake, "one"));
  infer_request *request = fake_request_new("b/m");
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                other, 0, NULL, NULL),
                   INFER_OK);
  infer_request_free(request);
  fake_run_ms(fake, 5);
  assert_events(fake, "start a/m|text first|finish stop|usage|done OK");
  assert_string_equal(fake_events_of(other, SIZE_MAX),
                      "start b/m|text second|finish stop|usage|done OK");
  infer_queue_free(other);
  fake_client_free(fake);
}

static void
a_call_without_a_queue_is_waited_for(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 50, "x");
  infer_request *request = fake_request_new("one");
  infer_call *call;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_WHOLE, NULL,
                                0, &call, NULL),
                   INFER_OK);
  infer_request_free(request);
  infer_response *response;
  infer_error *error;
  assert_int_equal(infer_call_wait(call, 49, &response, &error),
                   INFER_E_TIMEOUT);
  assert_null(response);
  assert_int_equal(infer_error_status(error), INFER_E_TIMEOUT);
  infer_error_free(error);
  /* As often as one likes, a reference of one's own each time. */
  for (int i = 0; i < 2; i++) {
    assert_int_equal(infer_call_wait(call, -1, &response, &error), INFER_OK);
    assert_null(error);
    assert_string_equal(infer_response_text(response, NULL), "x");
    infer_response_free(response);
  }
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- The fd -------------------------------------------------------------- */

static bool
is_readable(int fd)
{
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  return poll(&entry, 1, 0) == 1;
}

static void
the_fd_is_readable_exactly_while_an_event_waits(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  int fd = infer_queue_fd(fake->queue);
  assert_true(fd >= 0);
  assert_int_equal(infer_queue_fd(fake->queue), fd);
  assert_false(is_readable(fd));
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("a"));
  fake_body(script, 2, sse_text("b"));
  infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 0);
  assert_false(is_readable(fd));
  fake_run_ms(fake, 1);
  assert_true(is_readable(fd));
  fake_events_of(fake->queue, 1);
  assert_true(is_readable(fd)); /* the text still waits */
  fake_events_of(fake->queue, 1);
  assert_false(is_readable(fd));
  fake_run_ms(fake, 1);
  assert_true(is_readable(fd));
  assert_events(fake, "text b");
  assert_false(is_readable(fd));
  fake_client_free(fake);
}

static infer_queue *queue_to_read;
static void (*plain_on_call_ended)(void *context, struct infer_call *call);

/* Between the moment when a call's last events are there and the wake-up. */
static void
read_all_at_the_end(void *context, struct infer_call *call)
{
  infer_event *events[16];
  plain_on_call_ended(context, call);
  size_t count = inf_queue_take(queue_to_read, events, 16, NULL);
  for (size_t i = 0; i < count; i++)
    infer_event_free(events[i]);
}

static void
nor_is_it_when_a_reader_was_faster_than_the_wake_up(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  int fd = infer_queue_fd(fake->queue);
  queue_to_read = fake->queue;
  plain_on_call_ended = fake->client->engine.on_call_ended;
  fake->client->engine.on_call_ended = read_all_at_the_end;
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(atomic_load(&fake->queue->events), 0);
  assert_false(is_readable(fd));
  infer_call_free(call);
  fake_client_free(fake);
}

static void
an_fd_that_is_asked_for_late_is_readable_at_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 1);
  int fd = infer_queue_fd(fake->queue);
  assert_true(is_readable(fd));
  fake_events(fake);
  assert_false(is_readable(fd));
  fake_client_free(fake);
}

static void
a_restart_keeps_the_fd_readable(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'", NULL);
  int fd = infer_queue_fd(fake->queue);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("a"));
  fake_done(script, 2, INF_NET_RESET);
  infer_call_free(fake_submit_model(fake, "r"));
  fake_run_ms(fake, 2);
  assert_true(is_readable(fd));
  assert_events(fake, "1:restart answer truncated");
  assert_false(is_readable(fd));
  fake_client_free(fake);
}

/* ---- Wake-up ----------------------------------------------------------- */

static void
count_wakeup(void *user_data)
{
  ++*(int *)user_data;
}

static void
the_wakeup_runs_when_the_queue_becomes_non_empty(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  int wakeups = 0;
  infer_queue_set_wakeup(fake->queue, count_wakeup, &wakeups);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  for (uint64_t ms = 1; ms <= 6; ms++)
    fake_body(script, ms, sse_text("x"));
  infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 0);
  assert_int_equal(wakeups, 0);
  fake_run_ms(fake, 3); /* three pieces, none read */
  assert_int_equal(wakeups, 1);
  fake_events_of(fake->queue, 1);
  fake_run_ms(fake, 1); /* something still waited */
  assert_int_equal(wakeups, 1);
  fake_events(fake);
  fake_run_ms(fake, 1);
  assert_int_equal(wakeups, 2);
  fake_events(fake);
  infer_queue_set_wakeup(fake->queue, NULL, NULL);
  fake_run_ms(fake, 1);
  assert_int_equal(wakeups, 2);
  fake_client_free(fake);
}

static void
a_wakeup_that_is_set_late_runs_at_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 1);
  int wakeups = 0;
  infer_queue_set_wakeup(fake->queue, count_wakeup, &wakeups);
  assert_int_equal(wakeups, 1);
  fake_client_free(fake);
}

/* One wake-up a turn, however much it brought. */
static void
many_calls_of_one_turn_wake_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_always(&fake->net), 10, "x");
  int wakeups = 0;
  infer_queue_set_wakeup(fake->queue, count_wakeup, &wakeups);
  for (int i = 0; i < 20; i++)
    infer_call_free(fake_submit_model(fake, "one"));
  fake_run_ms(fake, 10);
  assert_int_equal(wakeups, 1);
  fake_client_free(fake);
}

/* ---- The end of a queue -------------------------------------------------- */

static void
freeing_a_queue_cancels_its_calls(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("x"));
  fake_stream_all(fake_script_next(&fake->net), 20, "other");
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, fake->client), INFER_OK);
  infer_request *request = fake_request_new("one");
  infer_call *call;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                queue, 0, &call, NULL),
                   INFER_OK);
  infer_call *other = fake_submit_model(fake, "b/m");
  fake_run_ms(fake, 2);
  infer_queue_free(queue);
  fake_run_ms(fake, 100);
  assert_cancelled_at(fake, 0, 2);
  assert_int_equal(fake_status(call), INFER_E_CANCELLED);
  assert_int_equal(fake_status(other), INFER_OK);
  infer_call_free(call);
  infer_call_free(other);
  infer_request_free(request);
  fake_client_free(fake);
}

/* The loop delivers to a queue that is being freed: between the moment that
 * it is marked and the moment that its last events are taken. */
static void
a_restart_for_a_queue_that_is_being_freed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.recovery", "'restart'", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("x"));
  fake_done(script, 2, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1);
  pthread_mutex_lock(&fake->queue->mutex);
  fake->queue->freed = true;
  pthread_mutex_unlock(&fake->queue->mutex);
  fake_run_ms(fake, 1);
  assert_int_equal(fake->net.request_count, 2);
  assert_events(fake, "");
  infer_call_free(call);
  fake_client_free(fake);
}

static void *
poll_until_closed(void *context)
{
  infer_event *event;
  int32_t status;
  while ((status = infer_queue_poll(context, -1, &event)) == INFER_OK)
    infer_event_free(event);
  return (void *)(intptr_t)status;
}

static void
wait_for_pollers(infer_queue *queue, uint32_t count)
{
  for (bool there = false; !there;) {
    pthread_mutex_lock(&queue->mutex);
    there = queue->pollers >= count;
    pthread_mutex_unlock(&queue->mutex);
  }
}

static void
freeing_a_queue_wakes_its_pollers(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded(NULL);
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, fake->client), INFER_OK);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], NULL, poll_until_closed, queue);
  wait_for_pollers(queue, 2);
  infer_queue_free(queue);
  for (int i = 0; i < 2; i++) {
    void *result;
    pthread_join(threads[i], &result);
    assert_int_equal((intptr_t)result, INFER_E_CLOSED);
  }
  fake_client_free(fake);
}

/* ---- Several pollers ----------------------------------------------------- */

enum { poller_count = 4, call_count = 300 };

/* Each of several pollers without a timeout hears OK or, at the end, CLOSED:
 * that another one was faster is no reason to come back. */
static void
several_pollers_share_the_events(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded(NULL);
  fake->telemetry_off = true;
  fake_stream_all(fake_script_always(&fake->net), 0, "x");
  pthread_t pollers[poller_count];
  for (int i = 0; i < poller_count; i++)
    pthread_create(&pollers[i], NULL, poll_until_closed, fake->queue);
  for (int i = 0; i < call_count; i++) {
    infer_call *call = fake_submit_model(fake, "one");
    if (i % 3 == 0)
      infer_call_wait(call, -1, NULL, NULL);
    infer_call_free(call);
  }
  infer_client_close(fake->client, 60000);
  for (int i = 0; i < poller_count; i++) {
    void *result;
    pthread_join(pollers[i], &result);
    assert_int_equal((intptr_t)result, INFER_E_CLOSED);
  }
  fake_client_free(fake);
}

/* What the wake-up works on may be freed once it was removed: the removal
 * waits for one that is running. */
typedef struct slow_wakeup {
  atomic_bool entered, removed, left;
  atomic_bool too_early;
} slow_wakeup;

static void
wake_slowly(void *user_data)
{
  slow_wakeup *slow = user_data;
  atomic_store(&slow->entered, true);
  for (int i = 0; i < 20000 && !atomic_load(&slow->removed); i++)
    sched_yield();
  if (atomic_load(&slow->removed))
    atomic_store(&slow->too_early, true);
  atomic_store(&slow->left, true);
}

static void
check_removal(infer_queue *(*take_away)(infer_queue *queue))
{
  fake_client *fake = fake_client_new_threaded(NULL);
  fake_stream_all(fake_script_always(&fake->net), 0, "x");
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, fake->client), INFER_OK);
  slow_wakeup slow = {false};
  infer_queue_set_wakeup(queue, wake_slowly, &slow);
  infer_request *request = fake_request_new("one");
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                queue, 0, NULL, NULL),
                   INFER_OK);
  infer_request_free(request);
  while (!atomic_load(&slow.entered))
    sched_yield();
  queue = take_away(queue);
  atomic_store(&slow.removed, true);
  while (!atomic_load(&slow.left))
    sched_yield();
  assert_false(atomic_load(&slow.too_early));
  infer_queue_free(queue);
  fake_client_free(fake);
}

static infer_queue *
unset(infer_queue *queue)
{
  infer_queue_set_wakeup(queue, NULL, NULL);
  return queue;
}

static infer_queue *
free_now(infer_queue *queue)
{
  infer_queue_free(queue);
  return NULL;
}

static void
a_removed_wakeup_does_not_run_any_more(void **state)
{
  (void)state;
  check_removal(unset);
}

static void
a_freed_queue_wakes_nobody_any_more(void **state)
{
  (void)state;
  check_removal(free_now);
}

/* Nor is there a dead end when it is removed from within itself. */
static void
remove_itself(void *user_data)
{
  infer_queue_set_wakeup(user_data, NULL, NULL);
}

static void
a_wakeup_may_remove_itself(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_always(&fake->net), 1, "x");
  infer_queue_set_wakeup(fake->queue, remove_itself, fake->queue);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1);
  assert_null(fake->queue->wakeup);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(poll_gives_event_after_event),
      cmocka_unit_test(poll_waits_no_longer_than_it_is_told),
      cmocka_unit_test(a_poll_of_zero_lets_a_driven_client_work),
      cmocka_unit_test(a_batch_takes_what_is_there),
      cmocka_unit_test(bad_arguments_are_refused),
      cmocka_unit_test(ready_calls_take_turns),
      cmocka_unit_test(queues_hear_of_their_own_calls_only),
      cmocka_unit_test(a_call_without_a_queue_is_waited_for),
      cmocka_unit_test(the_fd_is_readable_exactly_while_an_event_waits),
      cmocka_unit_test(nor_is_it_when_a_reader_was_faster_than_the_wake_up),
      cmocka_unit_test(an_fd_that_is_asked_for_late_is_readable_at_once),
      cmocka_unit_test(a_restart_keeps_the_fd_readable),
      cmocka_unit_test(the_wakeup_runs_when_the_queue_becomes_non_empty),
      cmocka_unit_test(a_wakeup_that_is_set_late_runs_at_once),
      cmocka_unit_test(many_calls_of_one_turn_wake_once),
      cmocka_unit_test(freeing_a_queue_cancels_its_calls),
      cmocka_unit_test(a_restart_for_a_queue_that_is_being_freed),
      cmocka_unit_test(freeing_a_queue_wakes_its_pollers),
      cmocka_unit_test(several_pollers_share_the_events),
      cmocka_unit_test(a_removed_wakeup_does_not_run_any_more),
      cmocka_unit_test(a_freed_queue_wakes_nobody_any_more),
      cmocka_unit_test(a_wakeup_may_remove_itself),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
