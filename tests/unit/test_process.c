/* SPDX-License-Identifier: MIT */
/* What befalls all clients of a process together: its end, and forks. Each
 * test ends a process of its own. */
#include "engine/process.h"

#include "support/child.h"
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { limit_ms = 30000 };

static uint64_t
real_ms(void)
{
  return inf_clock_now(inf_clock_system()) / INF_NS_PER_MS;
}

static fake_client *
make(bool threaded)
{
  return threaded ? fake_client_new_threaded(NULL) : fake_client_new(NULL);
}

static void
check_ended(fake_client *fake, infer_call *call)
{
  infer_event *event;
  CHILD_CHECK(infer_call_wait(call, -1, NULL, NULL) == INFER_E_CANCELLED);
  CHILD_CHECK(infer_queue_poll(fake->queue, -1, &event) == INFER_OK);
  CHILD_CHECK(infer_event_status(event) == INFER_E_CANCELLED);
  infer_event_free(event);
  CHILD_CHECK(infer_queue_poll(fake->queue, -1, &event) == INFER_E_CLOSED);
  infer_request *request = fake_request_new("one");
  CHILD_CHECK(infer_submit(fake->client, request, INFER_SUBMIT_WHOLE, NULL, 0,
                           NULL, NULL) == INFER_E_CLOSED);
  infer_request_free(request);
  CHILD_CHECK(infer_client_close(fake->client, -1) == INFER_OK);
}

/* Several clients, and one without a call. */
static void
end_the_process(void *threaded)
{
  fake_client *fakes[3];
  infer_call *calls[2];
  for (int i = 0; i < 3; i++)
    fakes[i] = make(threaded != NULL);
  for (int i = 0; i < 2; i++)
    calls[i] = fake_submit_model(fakes[i], "one");
  inf_process_end();
  inf_process_end();
  for (int i = 0; i < 2; i++) {
    check_ended(fakes[i], calls[i]);
    infer_call_free(calls[i]);
    /* No hook ran: neither telemetry nor log has a line. */
    CHILD_CHECK(fakes[i]->telemetry_len == 0 && fakes[i]->log_len == 0);
  }
  infer_event *event;
  CHILD_CHECK(infer_queue_poll(fakes[2]->queue, -1, &event) == INFER_E_CLOSED);
  infer_config *config = fake_config_new(NULL, NULL);
  infer_client *client;
  infer_error *error;
  CHILD_CHECK(fake_client_start(fakes[2], config, &client, &error) ==
              INFER_E_CLOSED);
  CHILD_CHECK(strstr(infer_error_message(error), "exits") != NULL);
  infer_error_free(error);
  infer_config_free(config);
  for (int i = 0; i < 3; i++)
    fake_client_free(fakes[i]);
}

static void
every_client_ends_and_its_handles_stay_good(void **state)
{
  (void)state;
  static char yes;
  assert_int_equal(child_run(end_the_process, NULL, limit_ms), 0);
  assert_int_equal(child_run(end_the_process, &yes, limit_ms), 0);
}

static void
count_wakeup(void *user_data)
{
  (void)user_data;
  _exit(CHILD_FAILED);
}

static void
end_with_wakeup(void *unused)
{
  (void)unused;
  fake_client *fake = make(true);
  infer_queue_set_wakeup(fake->queue, count_wakeup, NULL);
  infer_call_free(fake_submit_model(fake, "one"));
  inf_process_end();
}

static void
no_reader_is_woken(void **state)
{
  (void)state;
  assert_int_equal(child_run(end_with_wakeup, NULL, limit_ms), 0);
}

static atomic_int hanging;

static void
hang_in_hook(fake_client *fake, const infer_call *call,
             const infer_attempt *attempt)
{
  (void)fake;
  (void)call;
  (void)attempt;
  atomic_fetch_add(&hanging, 1);
  for (;;)
    pause();
}

static void
end_beside_a_hanging_hook(void *unused)
{
  (void)unused;
  fake_client *hung = make(true), *other = make(true);
  hung->on_hook = hang_in_hook;
  infer_call *call = fake_submit_model(hung, "one");
  infer_call_cancel(call);
  while (atomic_load(&hanging) == 0)
    nanosleep(&(struct timespec){0, 1000000}, NULL);
  uint64_t before_ms = real_ms();
  inf_process_end();
  CHILD_CHECK(real_ms() - before_ms + 1 >= INF_EXIT_LIMIT_NS / INF_NS_PER_MS);
  /* The one that hangs has used up the time, but every one is told. */
  infer_event *event;
  CHILD_CHECK(infer_queue_poll(other->queue, -1, &event) == INFER_E_CLOSED);
}

static void
a_hanging_hook_is_not_waited_for_long(void **state)
{
  (void)state;
  assert_int_equal(child_run(end_beside_a_hanging_hook, NULL, limit_ms), 0);
}

/* A signal handler that calls exit() may have interrupted whoever holds the
 * lock. */
static void
end_under_lock(void *unused)
{
  (void)unused;
  fake_client *fake = make(true);
  pthread_mutex_lock(&fake->client->mutex);
  inf_process_end();
}

static void
a_lock_is_not_waited_for_long(void **state)
{
  (void)state;
  assert_int_equal(child_run(end_under_lock, NULL, limit_ms), 0);
}

static void
end_in_hook(fake_client *fake, const infer_call *call,
            const infer_attempt *attempt)
{
  (void)call;
  (void)attempt;
  uint64_t before_ms = real_ms();
  inf_process_end();
  CHILD_CHECK(real_ms() - before_ms < INF_EXIT_LIMIT_NS / INF_NS_PER_MS);
  CHILD_CHECK(!fake->client->stopped);
  _exit(0);
}

static void
end_from_a_hook(void *threaded)
{
  fake_client *fake = make(threaded != NULL);
  fake->on_hook = end_in_hook;
  infer_call *call = fake_submit_model(fake, "one");
  infer_call_cancel(call);
  infer_call_wait(call, 10000, NULL, NULL);
  _exit(CHILD_FAILED);
}

static void
a_hook_that_ends_the_process_does_not_wait_for_itself(void **state)
{
  (void)state;
  static char yes;
  assert_int_equal(child_run(end_from_a_hook, NULL, limit_ms), 0);
  assert_int_equal(child_run(end_from_a_hook, &yes, limit_ms), 0);
}

static void
end_of_child(void *parents)
{
  fake_client *fake = parents;
  inf_process_end();
  CHILD_CHECK(!fake->client->stop && !fake->client->silent);
}

static void
a_child_ends_no_client_of_its_parent(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = fake_submit_model(fake, "one");
  assert_int_equal(child_run(end_of_child, fake, limit_ms), 0);
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* Clients come and go while others fork: a child can make one, too. */
static atomic_bool enough;

static void *
make_and_free(void *unused)
{
  (void)unused;
  while (!atomic_load(&enough))
    fake_client_free(fake_client_new(NULL));
  return NULL;
}

static void
make_own(void *unused)
{
  (void)unused;
  fake_client_free(fake_client_new(NULL));
}

static void
a_child_can_make_a_client(void **state)
{
  (void)state;
  enum { children = 100 };
  pthread_t thread;
  CHILD_SKIP_IF_SANITIZED();
  atomic_store(&enough, false);
  assert_int_equal(pthread_create(&thread, NULL, make_and_free, NULL), 0);
  for (int i = 0; i < children; i++)
    assert_int_equal(child_run(make_own, NULL, limit_ms), 0);
  atomic_store(&enough, true);
  pthread_join(thread, NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_client_ends_and_its_handles_stay_good),
      cmocka_unit_test(no_reader_is_woken),
      cmocka_unit_test(a_hanging_hook_is_not_waited_for_long),
      cmocka_unit_test(a_lock_is_not_waited_for_long),
      cmocka_unit_test(a_hook_that_ends_the_process_does_not_wait_for_itself),
      cmocka_unit_test(a_child_ends_no_client_of_its_parent),
      cmocka_unit_test(a_child_can_make_a_client),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
