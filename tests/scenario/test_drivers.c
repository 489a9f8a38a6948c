/* SPDX-License-Identifier: MIT */
/* Clients without a thread of their own ("threads": 0) that several threads
 * use: one waits while another closes, one watches the descriptor while another
 * drives, and a signal handler ends the process amidst a wake-up. No network:
 * nobody listens at the provider's port. */
#include <infer/infer.h>

#include "support/child.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { give_up_ms = 20000, code = 7 };

static infer_client *
make_client(void)
{
  static const char text[] =
      "{\"threads\":0,\"providers\":[{\"name\":\"a\",\"type\":\"openai\","
      "\"base_url\":\"http://127.0.0.1:9/v1\",\"proxy\":\"none\"}]}";
  infer_config *config;
  infer_client *client;
  CHILD_CHECK(infer_config_from_json(&config, text, sizeof text - 1, NULL) ==
              INFER_OK);
  CHILD_CHECK(infer_client_new(&client, config, NULL) == INFER_OK);
  infer_config_free(config);
  return client;
}

static void
sleep_us(long us)
{
  const struct timespec pause = {us / 1000000, us % 1000000 * 1000};
  nanosleep(&pause, NULL);
}

/* ---- One waits, another closes ------------------------------------------- */

typedef struct waiter {
  infer_queue *queue;
  atomic_int status; /* 1 while it waits */
} waiter;

static void *
wait_for_ever(void *context)
{
  waiter *self = context;
  infer_event *event = NULL;
  atomic_store(&self->status, infer_queue_poll(self->queue, -1, &event));
  return NULL;
}

static void
a_close_ends_the_wait_of_another_thread(void **state)
{
  (void)state;
  for (int round = 0; round < 150; round++) {
    infer_client *client = make_client();
    waiter other;
    pthread_t thread;
    atomic_init(&other.status, 1);
    assert_int_equal(infer_queue_new(&other.queue, client), INFER_OK);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &other), 0);
    sleep_us(3000 + 500 * (round % 7));
    assert_int_equal(infer_client_close(client, 1000), INFER_OK);
    for (int ms = 0; ms < give_up_ms && atomic_load(&other.status) == 1; ms++)
      sleep_us(1000);
    assert_int_equal(atomic_load(&other.status), INFER_E_CLOSED);
    pthread_join(thread, NULL);
    infer_queue_free(other.queue);
    infer_client_free(client);
  }
}

/* ---- One watches the descriptor, another drives -------------------------- */

typedef struct watcher {
  infer_client *client;
  atomic_bool seen; /* the descriptor was readable */
} watcher;

static void *
watch(void *context)
{
  watcher *self = context;
  struct pollfd fd = {infer_client_fd(self->client), POLLIN, 0};
  int count;
  while ((count = poll(&fd, 1, give_up_ms)) < 0 && errno == EINTR)
    continue;
  atomic_store(&self->seen, count == 1);
  return NULL;
}

static void *
drive(void *context)
{
  watcher *self = context;
  infer_client_drive(self->client, -1);
  return NULL;
}

/* The driver's turn takes the wake-up and leaves the new call. */
static void
a_call_that_a_driver_leaves_is_told_to_the_watcher(void **state)
{
  (void)state;
  watcher both = {.client = make_client()};
  infer_queue *queue;
  infer_request *request;
  assert_int_equal(infer_queue_new(&queue, both.client), INFER_OK);
  assert_int_equal(infer_request_new(&request, "a/m"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "x"), INFER_OK);
  infer_client_fd(both.client);
  for (int round = 0; round < 10; round++) {
    pthread_t watching, driving;
    assert_int_equal(pthread_create(&watching, NULL, watch, &both), 0);
    assert_int_equal(pthread_create(&driving, NULL, drive, &both), 0);
    sleep_us(10000);
    assert_int_equal(infer_submit(both.client, request, INFER_SUBMIT_STREAM,
                                  queue, 0, NULL, NULL),
                     INFER_OK);
    pthread_join(driving, NULL);
    pthread_join(watching, NULL);
    assert_true(atomic_load(&both.seen));
    for (int i = 0; i < 20; i++)
      infer_client_drive(both.client, 1);
  }
  infer_request_free(request);
  infer_queue_free(queue);
  infer_client_free(both.client);
}

/* ---- The end of the process ---------------------------------------------- */

static void
end(int number)
{
  (void)number;
  exit(code);
}

/* The handler finds this thread writing to the descriptor more often than
 * not. */
static void
exit_amidst_a_wake(void *delay_us)
{
  infer_client *client = make_client();
  CHILD_CHECK(infer_client_fd(client) >= 0);
  struct itimerval once = {.it_value = {0, *(suseconds_t *)delay_us}};
  signal(SIGALRM, end);
  setitimer(ITIMER_REAL, &once, NULL);
  for (;;) { /* nothing that allocates: malloc() does not stand that handler */
    infer_client_close(client, 0);
    infer_client_drive(client, 0);
  }
}

static void
a_handler_may_end_the_process_amidst_a_wake(void **state)
{
  (void)state;
  for (int round = 0; round < 12; round++) {
    suseconds_t delay_us = 2000 + round * 37;
    assert_int_equal(child_run(exit_amidst_a_wake, &delay_us, give_up_ms),
                     code);
  }
}

static infer_client *left;

static void
ask_late(void)
{
  CHILD_CHECK(infer_client_fd(left) == -1);
  CHILD_CHECK(infer_client_next_timeout_ns(left) == -1);
}

static void
exit_and_ask(void *unused)
{
  (void)unused;
  atexit(ask_late); /* before the library's handler, so it runs after it */
  left = make_client();
  CHILD_CHECK(infer_client_fd(left) >= 0);
  exit(code);
}

static void
handles_are_good_until_the_end(void **state)
{
  (void)state;
  assert_int_equal(child_run(exit_and_ask, NULL, give_up_ms), code);
}

/* Nothing is freed at such an end, so that there is no leak to be found. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
  return "detect_leaks=0";
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      /* These fork: before there are other clients. */
      cmocka_unit_test(handles_are_good_until_the_end),
      cmocka_unit_test(a_handler_may_end_the_process_amidst_a_wake),
      cmocka_unit_test(a_close_ends_the_wait_of_another_thread),
      cmocka_unit_test(a_call_that_a_driver_leaves_is_told_to_the_watcher),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
