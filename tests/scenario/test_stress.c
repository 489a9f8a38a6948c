/* SPDX-License-Identifier: MIT */
/* Many threads do everything at once and at random to one client whose
 * provider fails in many ways. What must hold: each accepted call ends with
 * exactly one terminal event, nothing comes after it, nothing is lost, and
 * nothing hangs. Under the sanitizers this is the test for races.
 *
 * The seed is printed; STRESS_SEED=n runs it again, as far as threads allow. */
#include "world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { workers = 6, steps = 60, max_calls = workers * steps };
/* The run is over when this has passed, with however many calls. */
enum { run_ms = 5000, drain_ms = 20000 };

typedef struct stress {
  world w;
  infer_queue *queue; /* shared by all workers */
  infer_config *config;
  atomic_uint next_tag;
  atomic_uint accepted, ended;
  atomic_uint wakeups, attempts, hooked;
  /* By tag: 1 accepted, 2 ended. */
  atomic_int state[max_calls];
  atomic_int wrong; /* what must not happen; cmocka asserts on one thread only
                     */
  uint64_t until_ms;
} stress;

typedef struct worker {
  stress *s;
  uint64_t random;
} worker;

static unsigned
roll(worker *w, unsigned below)
{
  w->random ^= w->random << 13;
  w->random ^= w->random >> 7;
  w->random ^= w->random << 17;
  return (unsigned)(w->random >> 33) % below;
}

static void
check(stress *s, bool holds, const char *what)
{
  if (holds)
    return;
  fprintf(stderr, "stress: %s\n", what);
  atomic_fetch_add(&s->wrong, 1);
}

static void
take(stress *s, infer_event *event)
{
  uint64_t tag = infer_event_tag(event);
  check(s, tag < max_calls, "an event of no call");
  /* Another thread may read this call's end at the same time, so that only
   * the end itself is looked at. */
  if (tag < max_calls && infer_event_type(event) == INFER_EVENT_DONE) {
    check(s, atomic_exchange(&s->state[tag], 2) != 2, "a second end");
    atomic_fetch_add(&s->ended, 1);
    bool ok = infer_event_status(event) == INFER_OK;
    check(s, ok == (infer_event_response(event) != NULL), "no response");
    check(s, ok != (infer_event_error(event) != NULL), "no error");
  }
  infer_event_free(event);
}

static void
poll_some(worker *w, infer_queue *queue, int64_t timeout_ms)
{
  infer_event *events[8];
  size_t count;
  int32_t status =
      infer_queue_poll_batch(queue, events, 1 + roll(w, 8), timeout_ms, &count);
  check(w->s, status == INFER_OK || status == INFER_E_TIMEOUT, "poll");
  for (size_t i = 0; i < count; i++)
    take(w->s, events[i]);
}

static infer_request *
some_request(worker *w)
{
  static const char *const models[] = {"fast", "flaky", "a/m", "b/m", "slow"};
  infer_request *request;
  if (infer_request_new(&request, models[roll(w, 5)]) != INFER_OK)
    abort();
  infer_request_add_message(request, "user", "go");
  infer_request_set_deadline_ms(request, 20 + roll(w, 1500));
  return request;
}

/* A call on the shared queue: whoever polls sees its end. */
static void
submit_shared(worker *w)
{
  stress *s = w->s;
  unsigned tag = atomic_fetch_add(&s->next_tag, 1);
  if (tag >= max_calls)
    return;
  infer_request *request = some_request(w);
  infer_call *call;
  int32_t mode = roll(w, 2) ? INFER_SUBMIT_STREAM : INFER_SUBMIT_WHOLE;
  if (infer_submit(s->w.client, request, mode, s->queue, tag, &call, NULL) ==
      INFER_OK) {
    atomic_fetch_add(&s->accepted, 1);
    if (roll(w, 3) == 0)
      infer_call_cancel(call);
    if (roll(w, 4) == 0)
      poll_some(w, s->queue, roll(w, 3));
    if (roll(w, 4) == 0)
      infer_call_cancel(call);
    infer_call_free(call);
  }
  infer_request_free(request);
}

/* Calls on a queue of their own that goes while they run. */
static void
free_a_queue(worker *w)
{
  infer_queue *queue;
  if (infer_queue_new(&queue, w->s->w.client) != INFER_OK)
    abort();
  infer_call *calls[3];
  for (int i = 0; i < 3; i++) {
    infer_request *request = some_request(w);
    if (infer_submit(w->s->w.client, request, INFER_SUBMIT_STREAM, queue,
                     max_calls, &calls[i], NULL) != INFER_OK)
      abort();
    infer_request_free(request);
  }
  infer_event *event;
  if (infer_queue_poll(queue, roll(w, 20), &event) == INFER_OK)
    infer_event_free(event);
  infer_queue_free(queue);
  for (int i = 0; i < 3; i++) {
    int32_t status = infer_call_wait(calls[i], drain_ms, NULL, NULL);
    check(w->s, status != INFER_E_TIMEOUT, "a call outlives its queue");
    infer_call_free(calls[i]);
  }
}

static int32_t
stop_some(const infer_event *event, void *user_data)
{
  (void)event;
  return roll(user_data, 8) == 0;
}

static void
chat(worker *w)
{
  infer_request *request = some_request(w);
  infer_response *response;
  infer_error *error;
  int32_t status = roll(w, 2)
                       ? infer_chat(w->s->w.client, request, &response, &error)
                       : infer_chat_stream(w->s->w.client, request, stop_some,
                                           w, &response, &error);
  check(w->s, (status == INFER_OK) == (response != NULL), "chat: response");
  check(w->s, infer_error_status(error) == status, "chat: error");
  infer_response_free(response);
  infer_error_free(error);
  infer_request_free(request);
}

static void *
work(void *context)
{
  worker *w = context;
  stress *s = w->s;
  for (int i = 0; i < steps && world_now_ms() < s->until_ms; i++)
    switch (roll(w, 8)) {
    case 0:
      chat(w);
      break;
    case 1:
      free_a_queue(w);
      break;
    case 2:
      check(s, infer_client_reload(s->w.client, s->config, NULL) == INFER_OK,
            "reload");
      break;
    case 3:
      poll_some(w, s->queue, roll(w, 10));
      break;
    default:
      submit_shared(w);
    }
  return NULL;
}

static void
on_attempt(const infer_call *call, const infer_attempt *attempt,
           void *user_data)
{
  stress *s = user_data;
  (void)infer_call_id(call);
  (void)infer_attempt_target(attempt);
  atomic_fetch_add(&s->attempts, 1);
}

static void
on_call(const infer_call *call, const infer_response *response,
        const infer_error *error, void *user_data)
{
  stress *s = user_data;
  (void)infer_call_tag(call);
  check(s, (response != NULL) != (error != NULL), "on_call");
  atomic_fetch_add(&s->hooked, 1);
}

static void
on_wakeup(void *user_data)
{
  atomic_fetch_add(&((stress *)user_data)->wakeups, 1);
}

static void
make_client(stress *s)
{
  char *text = world_text(
      &s->w,
      "{'providers':[{'name':'a','type':'openai','base_url':'$1'},"
      "{'name':'b','type':'openai','base_url':'$2'}],"
      "'max_undelivered_bytes':65536,"
      "'routes':{'fast':{'targets':['b/m','a/m']},"
      "'flaky':{'targets':['a/m','b/m'],'recovery':'restart'},"
      "'slow':{'targets':['a/slow'],'timeouts':{'first_token_ms':100}}}}");
  infer_error *error = NULL;
  int32_t status =
      infer_config_from_json(&s->config, text, strlen(text), &error);
  free(text);
  const char *threads = getenv("WORLD_THREADS");
  if (status == INFER_OK && threads)
    status = infer_config_set_json(s->config, "threads", threads,
                                   strlen(threads), &error);
  if (status == INFER_OK)
    status = infer_config_set_telemetry(s->config, on_attempt, on_call, s);
  if (status == INFER_OK)
    status = infer_client_new(&s->w.client, s->config, &error);
  if (status != INFER_OK)
    fail_msg("client: %s", infer_error_message(error));
}

static void
test_everything_at_once(void **state)
{
  (void)state;
  const char *given = getenv("STRESS_SEED");
  uint64_t seed = given ? strtoull(given, NULL, 10) : world_now_ms();
  print_message("STRESS_SEED=%llu\n", (unsigned long long)seed);
  stress *s = calloc(1, sizeof *s);
  assert_non_null(s);
  world_sim(&s->w, 1,
            "{'seed':7,'defaults':{'tokens':12,'inter_token_ms':1},'rules':["
            "{'when':{'model':'slow'},'do':{'silence':true}},"
            "{'when':{'probability':0.2},'do':{'reset':'before_headers'}},"
            "{'when':{'probability':0.2},'do':{'cut':{'after_tokens':4}}},"
            "{'when':{'probability':0.2},'do':{'status':503}},"
            "{'when':{'probability':0.2},'do':{'stall_after_tokens':3}}]}");
  world_sim(&s->w, 2, "{'defaults':{'tokens':40,'inter_token_ms':1}}");
  make_client(s);
  assert_int_equal(infer_queue_new(&s->queue, s->w.client), INFER_OK);
  infer_queue_set_wakeup(s->queue, on_wakeup, s);
  s->until_ms = world_now_ms() + run_ms;
  worker all[workers];
  pthread_t ids[workers];
  for (unsigned i = 0; i < workers; i++) {
    all[i] = (worker){.s = s, .random = (seed + i) * 0x9E3779B97F4A7C15u | 1};
    assert_int_equal(pthread_create(&ids[i], NULL, work, &all[i]), 0);
  }
  for (unsigned i = 0; i < workers; i++)
    pthread_join(ids[i], NULL);
  uint64_t until = world_now_ms() + drain_ms;
  while (atomic_load(&s->ended) < atomic_load(&s->accepted) &&
         world_now_ms() < until)
    poll_some(&all[0], s->queue, 100);
  assert_int_equal(atomic_load(&s->wrong), 0);
  assert_true(atomic_load(&s->accepted) > 0);
  assert_int_equal(atomic_load(&s->ended), atomic_load(&s->accepted));
  infer_client_close(s->w.client, 1000);
  infer_event *event;
  assert_int_equal(infer_queue_poll(s->queue, -1, &event), INFER_E_CLOSED);
  assert_true(atomic_load(&s->wakeups) > 0);
  assert_true(atomic_load(&s->hooked) >= atomic_load(&s->accepted));
  infer_queue_free(s->queue);
  world_end(&s->w);
  infer_config_free(s->config);
  free(s);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_everything_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
