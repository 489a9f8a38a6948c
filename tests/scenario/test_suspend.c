/* SPDX-License-Identifier: MIT */
/* A process that is stopped, a machine that sleeps, and clocks that are set,
 * while there are calls or none. */
#include "world.h"

#include "support/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { limit_ms = 60000 };

/* ---- Clocks of our own --------------------------------------------------- */

static atomic_llong wall_shift_s, sleep_s;

/* Come before libc's, for libcurl and OpenSSL too. */
__attribute__((visibility("default"))) int
clock_gettime(clockid_t id, struct timespec *ts)
{
  int result = (int)syscall(SYS_clock_gettime, id, ts);
  if (result == 0 && id == CLOCK_REALTIME)
    ts->tv_sec += atomic_load(&wall_shift_s);
  if (result == 0 && id == CLOCK_BOOTTIME)
    ts->tv_sec += atomic_load(&sleep_s);
  return result;
}

__attribute__((visibility("default"))) time_t
time(time_t *out)
{
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  if (out)
    *out = ts.tv_sec;
  return ts.tv_sec;
}

static int
reset_clocks(void **state)
{
  (void)state;
  atomic_store(&wall_shift_s, 0);
  atomic_store(&sleep_s, 0);
  return 0;
}

/* ---- A stopped process --------------------------------------------------- */

/* What becomes of a call that was in flight when the process was stopped, for
 * ten seconds. */
typedef struct fate {
  const char *model;
  int32_t status;
  int64_t deadline_ms; /* 0: the usual one, a minute */
} fate;

static const fate fates[] = {
    /* A whole answer came meanwhile. */
    {"a/arrives", INFER_OK, 0},
    /* Pieces came meanwhile, each sooner than idle_ms after the one before,
     * and more come afterwards. */
    {"a/trickles", INFER_OK, 0},
    /* The first token comes afterwards, later than first_token_ms: but in the
     * time that somebody listened, not. */
    {"a/late", INFER_OK, 0},
    {"a/silent", INFER_E_DEADLINE, 5000},
    /* Its answer came, after the deadline. */
    {"a/arrives", INFER_E_DEADLINE, 2500},
};

enum { fate_count = sizeof fates / sizeof fates[0], stop_ms = 10000 };

static const char stop_script[] =
    "{'defaults':{'tokens':4},'rules':["
    "{'when':{'model':'arrives'},'do':{'first_token_ms':3000}},"
    "{'when':{'model':'trickles'},'do':{'tokens':14,'inter_token_ms':1000}},"
    "{'when':{'model':'late'},'do':{'first_token_ms':12500}},"
    "{'when':{'model':'silent'},'do':{'silence':true}}]}";

static const char stop_config[] =
    "{'providers':[{'name':'a','type':'openai','base_url':'$1'}],"
    "'defaults':{'retries':0,'timeouts':{'connect_ms':3000,"
    "'first_token_ms':4000,'idle_ms':3000,'attempt_ms':9000,"
    "'deadline_ms':60000}}%s}";

typedef struct stopped {
  world *w;
  const char *members;
  int ready[2]; /* the child writes when it may be stopped */
} stopped;

static infer_client *
make_client(const world *w, const char *format, const char *members)
{
  char text[1024];
  infer_config *config;
  infer_client *client;
  snprintf(text, sizeof text, format, members);
  char *json = world_text(w, text);
  CHILD_CHECK(infer_config_from_json(&config, json, strlen(json), NULL) ==
              INFER_OK);
  free(json);
  CHILD_CHECK(infer_client_new(&client, config, NULL) == INFER_OK);
  infer_config_free(config);
  return client;
}

static infer_request *
make_request(const char *model, int64_t deadline_ms)
{
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, model) == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  if (deadline_ms > 0)
    CHILD_CHECK(infer_request_set_deadline_ms(request, deadline_ms) ==
                INFER_OK);
  return request;
}

static void
chat(infer_client *client, const char *model)
{
  infer_request *request = make_request(model, 0);
  CHILD_CHECK(infer_chat(client, request, NULL, NULL) == INFER_OK);
  infer_request_free(request);
}

static void
check_fate(infer_call *call, const fate *expected, uint64_t stopped_ms)
{
  infer_response *response;
  infer_error *error;
  int32_t status = infer_call_wait(call, -1, &response, &error);
  if (status != expected->status) {
    fprintf(stderr, "%s: %s (%s)\n", expected->model, infer_status_name(status),
            infer_error_message(error));
    _exit(CHILD_FAILED);
  }
  CHILD_CHECK(status != INFER_OK ||
              infer_response_attempt_count(response) == 1);
  /* One that expired is told at once, not when its wait would have ended. */
  CHILD_CHECK(status == INFER_OK ||
              world_now_ms() < stopped_ms + stop_ms + 8000);
  infer_response_free(response);
  infer_error_free(error);
  infer_call_free(call);
}

static void
be_stopped(void *context)
{
  stopped *s = context;
  infer_client *client = make_client(s->w, stop_config, s->members);
  infer_call *calls[fate_count];
  chat(client, "a/m"); /* leaves a connection behind */
  for (size_t i = 0; i < fate_count; i++) {
    infer_request *request = make_request(fates[i].model, fates[i].deadline_ms);
    CHILD_CHECK(infer_submit(client, request, INFER_SUBMIT_WHOLE, NULL, 0,
                             &calls[i], NULL) == INFER_OK);
    infer_request_free(request);
  }
  infer_call_wait(calls[2], 1200, NULL, NULL);
  uint64_t before_ms = world_now_ms();
  CHILD_CHECK(write(s->ready[1], "x", 1) == 1);
  for (size_t i = fate_count; i-- > 0;)
    check_fate(calls[i], &fates[i], before_ms);
  CHILD_CHECK(world_now_ms() - before_ms >= stop_ms);
  infer_client_free(client);
}

static pid_t
start_and_stop(stopped *s)
{
  char byte;
  assert_int_equal(pipe(s->ready), 0);
  pid_t child = child_start(be_stopped, s);
  close(s->ready[1]);
  assert_int_equal(read(s->ready[0], &byte, 1), 1);
  assert_int_equal(kill(child, SIGSTOP), 0);
  close(s->ready[0]);
  return child;
}

static void
a_stopped_process_goes_on(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, stop_script);
  stopped both[] = {{.w = &w, .members = ""},
                    {.w = &w, .members = ",'threads':0"}};
  pid_t children[2];
  for (int i = 0; i < 2; i++)
    children[i] = start_and_stop(&both[i]);
  world_sleep_ms(stop_ms);
  for (int i = 0; i < 2; i++)
    kill(children[i], SIGCONT);
  for (int i = 0; i < 2; i++)
    assert_int_equal(child_wait(children[i], limit_ms), 0);
  world_end(&w);
}

/* ---- A machine that sleeps ----------------------------------------------- */

/* Over which of its connections the provider got its latest request. */
static int64_t
last_connection(world *w, size_t requests)
{
  json_object *log = world_log(w, 1, requests);
  int64_t connection = log_int(log, requests - 1, "connection");
  json_object_put(log);
  return connection;
}

static void
ask(world *w)
{
  outcome o = world_chat(w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(outcome_attempts(&o), 1);
  outcome_end(&o);
}

/* libcurl would use the connection: its own clock stands still in a sleep. */
static void
no_call_goes_out_over_a_connection_from_before_a_sleep(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'tokens':2}}");
  world_usual(&w, "");
  ask(&w);
  int64_t first = last_connection(&w, 1);
  ask(&w);
  assert_int_equal(last_connection(&w, 2), first);
  atomic_fetch_add(&sleep_s, 3); /* a nap */
  ask(&w);
  assert_int_equal(last_connection(&w, 3), first);
  atomic_fetch_add(&sleep_s, 8 * 3600);
  ask(&w);
  int64_t second = last_connection(&w, 4);
  assert_int_not_equal(second, first);
  ask(&w);
  assert_int_equal(last_connection(&w, 5), second);
  world_end(&w);
}

/* The kernel's wait does not count the sleep. */
static void
a_deadline_that_passed_in_a_sleep_ends_the_call_soon(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'tokens':2},'rules':[{'when':{'model':'silent'},"
            "'do':{'silence':true}},{'when':{'model':'slow'},"
            "'do':{'first_token_ms':3000}}]}");
  world_usual(&w, "'defaults':{'timeouts':{'first_token_ms':20000}}");
  infer_request *requests[2] = {world_request("a/silent", "x"),
                                world_request("a/slow", "x")};
  infer_call *calls[2];
  infer_request_set_deadline_ms(requests[0], 40000);
  infer_request_set_deadline_ms(requests[1], 2 * 3600 * 1000);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(infer_submit(w.client, requests[i], INFER_SUBMIT_WHOLE,
                                  NULL, 0, &calls[i], NULL),
                     INFER_OK);
    infer_request_free(requests[i]);
  }
  assert_int_equal(infer_call_wait(calls[0], 300, NULL, NULL), INFER_E_TIMEOUT);
  uint64_t before_ms = world_now_ms();
  atomic_fetch_add(&sleep_s, 3600);
  assert_int_equal(infer_call_wait(calls[0], 30000, NULL, NULL),
                   INFER_E_DEADLINE);
  assert_true(world_now_ms() - before_ms < 15000);
  /* The other was given longer, and its provider is not silent in any hour
   * that somebody listened. */
  assert_int_equal(infer_call_wait(calls[1], -1, NULL, NULL), INFER_OK);
  for (int i = 0; i < 2; i++)
    infer_call_free(calls[i]);
  world_end(&w);
}

/* ---- A wall clock that is set -------------------------------------------- */

static void
set_wall_clock(int64_t days)
{
  atomic_fetch_add(&wall_shift_s, days * 86400);
}

/* The provider asks to wait until a date that is two seconds after its own
 * Date, in the year 2000. */
static const char dated[] =
    "{'defaults':{'tokens':30,'inter_token_ms':20},'rules':["
    "{'when':{'model':'busy','requests':'1'},'do':{'status':429,"
    "'headers':{'date':'Sat, 01 Jan 2000 00:00:00 GMT',"
    "'retry-after':'Sat, 01 Jan 2000 00:00:02 GMT'}}},"
    "{'when':{'model':'silent'},'do':{'silence':true}}]}";

static void
setting_the_wall_clock_changes_nothing(void **state)
{
  (void)state;
  static const int64_t days[] = {1, -1, 365, -365};
  world w = {0};
  world_sim(&w, 1, dated);
  world_usual(&w, "'defaults':{'stay':{'max_wait_ms':5000}}");
  for (size_t i = 0; i < 4; i++) {
    /* Before, within and after an answer: over one connection, in one go. */
    infer_request *request = world_request("a/m", "x");
    infer_call *call;
    assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL,
                                  0, &call, NULL),
                     INFER_OK);
    for (int step = 0; step < 5; step++) {
      set_wall_clock(days[i]);
      infer_call_wait(call, 50, NULL, NULL);
    }
    infer_response *response;
    assert_int_equal(infer_call_wait(call, -1, &response, NULL), INFER_OK);
    assert_int_equal(infer_response_attempt_count(response), 1);
    infer_response_free(response);
    infer_call_free(call);
    infer_request_free(request);
    assert_int_equal(last_connection(&w, i + 1), 1);
  }
  world_end(&w);
}

static void
timers_do_not_go_by_the_wall_clock(void **state)
{
  (void)state;
  static const int64_t days[] = {1, -1, 365, -365};
  for (size_t i = 0; i < 4; i++) {
    world w = {0};
    world_sim(&w, 1, dated);
    world_usual(&w, "'defaults':{'stay':{'max_wait_ms':5000}}");
    set_wall_clock(days[i]);
    outcome o = world_chat(&w, "a/busy");
    assert_string_equal(outcome_trail(&o),
                        "a/busy first RATE_LIMITED, a/busy retry OK");
    assert_in_range(o.took_ms, 2000, 20000);
    outcome_end(&o);
    infer_request *request = world_request("a/silent", "x");
    infer_request_set_deadline_ms(request, 400);
    set_wall_clock(days[i]);
    o = world_run(&w, request, false);
    assert_int_equal(o.status, INFER_E_DEADLINE);
    assert_in_range(o.took_ms, 400, 10000);
    outcome_end(&o);
    infer_request_free(request);
    world_end(&w);
  }
}

#define TEST(name) cmocka_unit_test_setup(name, reset_clocks)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(no_call_goes_out_over_a_connection_from_before_a_sleep),
      TEST(a_deadline_that_passed_in_a_sleep_ends_the_call_soon),
      TEST(setting_the_wall_clock_changes_nothing),
      TEST(timers_do_not_go_by_the_wall_clock),
  };
  /* With a thread and driven at once, since it takes so long. */
  const struct CMUnitTest both[] = {TEST(a_stopped_process_goes_on)};
  int failed = 0;
  if (!getenv("WORLD_THREADS"))
    failed = cmocka_run_group_tests(both, NULL, NULL);
  return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
