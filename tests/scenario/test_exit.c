/* SPDX-License-Identifier: MIT */
/* The end of the process while calls are in flight over TLS: from every place
 * that may end it, with the client freed early, late or not at all. Each time
 * is a process of its own, which must end with the code that it gave. */
#include "world.h"

#include "support/child.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { code = 7, callers = 3, rounds = 12, limit_ms = 20000 };

/* Nothing is freed at such an end, so that there is no leak to be found. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
  return "detect_leaks=0";
}

/* ---- The process that ends ----------------------------------------------- */

typedef struct ending {
  const char *name;
  void (*before)(void); /* before there is a client */
  void (*after)(void);  /* once calls are in flight; ends the process */
  const char *members;  /* of the configuration */
} ending;

static world w;
static infer_client *client; /* of the child */
static atomic_bool end_in_hook;

static void
on_call(const infer_call *call, const infer_response *response,
        const infer_error *error, void *user_data)
{
  (void)call;
  (void)response;
  (void)error;
  (void)user_data;
  if (atomic_load(&end_in_hook))
    exit(code);
}

static void
make_client(const char *members)
{
  char text[1024];
  infer_config *config;
  snprintf(text, sizeof text,
           "{'providers':[{'name':'a','type':'openai','base_url':'$1',"
           "'ca_file':'$DIR/ca.pem'}]%s}",
           members);
  char *json = world_text(&w, text);
  CHILD_CHECK(infer_config_from_json(&config, json, strlen(json), NULL) ==
              INFER_OK);
  free(json);
  CHILD_CHECK(infer_config_set_telemetry(config, NULL, on_call, NULL) ==
              INFER_OK);
  CHILD_CHECK(infer_client_new(&client, config, NULL) == INFER_OK);
  infer_config_free(config);
}

/* One call after the other, each over a connection of its own. */
static void *
call_for_ever(void *unused)
{
  (void)unused;
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, "a/m") == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  for (int32_t status = INFER_OK; status != INFER_E_CLOSED;) {
    infer_error *error;
    status = infer_chat(client, request, NULL, &error);
    if (status != INFER_OK && status != INFER_E_CLOSED &&
        status != INFER_E_CANCELLED) {
      fprintf(stderr, "a call: %s\n", infer_error_message(error));
      _exit(CHILD_FAILED);
    }
    infer_error_free(error);
  }
  infer_client_free(client); /* the thread's own reference */
  infer_request_free(request);
  for (;;)
    pause();
  return NULL;
}

static int round_number;

/* Signals are for the main thread: its callers' threads block them. */
static void
mask_alarm(int how)
{
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(how, &alarm_only, NULL);
}

static void
end_process(void *context)
{
  const ending *how = context;
  if (how->before)
    how->before();
  make_client(how->members);
  mask_alarm(SIG_BLOCK);
  for (int i = 0; i < callers; i++) {
    pthread_t thread;
    infer_client_ref(client);
    CHILD_CHECK(pthread_create(&thread, NULL, call_for_ever, NULL) == 0);
  }
  mask_alarm(SIG_UNBLOCK);
  world_sleep_ms(5 + (unsigned)round_number * 7 % 30);
  how->after();
  _exit(CHILD_FAILED);
}

/* ---- Ways to end --------------------------------------------------------- */

static void
exit_here(void)
{
  exit(code);
}

static void
exit_at_once(void)
{
  _exit(code);
}

static void
exit_quickly(void)
{
  quick_exit(code);
}

static void *
exit_in_thread(void *unused)
{
  (void)unused;
  exit(code);
}

static void
exit_elsewhere(void)
{
  pthread_t thread;
  CHILD_CHECK(pthread_create(&thread, NULL, exit_in_thread, NULL) == 0);
  for (;;)
    pause();
}

static void
exit_in_hook(void)
{
  atomic_store(&end_in_hook, true);
  for (;;)
    pause();
}

static void
exit_in_handler(int number)
{
  (void)number;
  exit(code);
}

/* Not allowed, and done all the same, by many a program on Ctrl-C. */
static void
exit_by_signal(void)
{
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, "a/slow") == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  struct itimerval soon = {.it_value.tv_usec = 30000};
  signal(SIGALRM, exit_in_handler);
  setitimer(ITIMER_REAL, &soon, NULL);
  CHILD_CHECK(infer_chat(client, request, NULL, NULL) == INFER_OK);
}

static int32_t
exit_in_event(const infer_event *event, void *user_data)
{
  (void)event;
  (void)user_data;
  exit(code);
}

static void
exit_in_callback(void)
{
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, "a/m") == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  int32_t status =
      infer_chat_stream(client, request, exit_in_event, NULL, NULL, NULL);
  CHILD_CHECK(status == INFER_OK);
}

/* What a handler or a destructor may do, before or after the library's own
 * handler and OpenSSL's: all of it returns. */
static void
use_and_free(void)
{
  infer_request *request;
  infer_queue *queue;
  infer_event *event;
  CHILD_CHECK(infer_request_new(&request, "a/m") == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  int32_t status = infer_chat(client, request, NULL, NULL);
  CHILD_CHECK(status == INFER_OK || status == INFER_E_CLOSED);
  CHILD_CHECK(infer_queue_new(&queue, client) == INFER_OK);
  status =
      infer_submit(client, request, INFER_SUBMIT_STREAM, queue, 0, NULL, NULL);
  CHILD_CHECK(status == INFER_OK || status == INFER_E_CLOSED);
  if (status == INFER_E_CLOSED)
    CHILD_CHECK(infer_queue_poll(queue, -1, &event) == INFER_E_CLOSED);
  status = infer_client_close(client, 100);
  CHILD_CHECK(status == INFER_OK || status == INFER_E_TIMEOUT);
  infer_client *other = client;
  CHILD_CHECK(infer_client_new(&other, NULL, NULL) != INFER_OK || other);
  infer_queue_free(queue);
  infer_request_free(request);
  infer_client_free(client);
}

static void
handle_late(void)
{
  CHILD_CHECK(atexit(use_and_free) == 0);
}

static void
handle_early(void)
{
  handle_late();
  exit(code);
}

/* No hook runs once exit() has come past the library: the application's own
 * objects may be gone. */
static atomic_bool gone;

static void
on_log(int32_t level, const char *message, void *user_data)
{
  (void)level;
  (void)message;
  (void)user_data;
  CHILD_CHECK(!atomic_load(&gone));
}

static void
go(void)
{
  atomic_store(&gone, true);
}

static void
exit_without_hooks(void)
{
  infer_config *config;
  infer_client *quiet;
  char *json = world_text(&w, "{'providers':[{'name':'a','type':'openai',"
                              "'base_url':'$1','ca_file':'$DIR/ca.pem'}]}");
  CHILD_CHECK(infer_config_from_json(&config, json, strlen(json), NULL) ==
              INFER_OK);
  CHILD_CHECK(infer_config_set_log(config, INFER_LOG_TRACE, on_log, NULL) ==
              INFER_OK);
  CHILD_CHECK(infer_client_new(&quiet, config, NULL) == INFER_OK);
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, "a/slow") == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  for (int i = 0; i < 20; i++)
    CHILD_CHECK(infer_submit(quiet, request, INFER_SUBMIT_WHOLE, NULL, 0, NULL,
                             NULL) == INFER_OK);
  CHILD_CHECK(atexit(go) == 0); /* runs before the library's */
  exit(code);
}

/* A child that is forked and exits, as careless programs do, does nothing to
 * the parent's client. */
static void
exit_of_child(void *unused)
{
  (void)unused;
  if (CHILD_ASAN)
    _exit(code);
  exit(code);
}

static void
fork_and_exit(void)
{
  CHILD_CHECK(child_run(exit_of_child, NULL, limit_ms) == code);
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, "a/m") == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  CHILD_CHECK(infer_chat(client, request, NULL, NULL) == INFER_OK);
  exit(code);
}

static const ending endings[] = {
    {"exit() on the main thread", NULL, exit_here, ""},
    {"exit() on another thread", NULL, exit_elsewhere, ""},
    {"_exit()", NULL, exit_at_once, ""},
    {"quick_exit()", NULL, exit_quickly, ""},
    {"exit() in a hook", NULL, exit_in_hook, ""},
    {"exit() in an event callback", NULL, exit_in_callback, ""},
    {"exit() in a signal handler", NULL, exit_by_signal, ""},
    {"a handler that runs before the library's", NULL, handle_early, ""},
    {"a handler that runs after OpenSSL's", handle_late, exit_here, ""},
    {"no hook while it exits", NULL, exit_without_hooks, ""},
    {"driven, exit() on the main thread", NULL, exit_here, ",'threads':0"},
    {"driven, exit() in a hook", NULL, exit_in_hook, ",'threads':0"},
    {"driven, exit() in an event callback", NULL, exit_in_callback,
     ",'threads':0"},
    {"driven, a handler that runs before the library's", NULL, handle_early,
     ",'threads':0"},
    {"driven, a handler that runs after OpenSSL's", handle_late, exit_here,
     ",'threads':0"},
};

static void
start_world(void)
{
  world_tls_sim(&w, 1,
                "{'defaults':{'tokens':3,'close_after_response':true},"
                "'rules':[{'when':{'model':'slow'},"
                "'do':{'first_token_ms':60000}}]}",
                false);
}

static void
check_ending(const ending *one)
{
  const char *more = getenv("INFER_EXIT_ROUNDS");
  long count = more ? strtol(more, NULL, 10) : rounds;
  for (round_number = 0; round_number < count; round_number++) {
    int end = child_run(end_process, (void *)(uintptr_t)one, limit_ms);
    if (end != code)
      fail_msg("%s, round %d: %s %d", one->name, round_number,
               end >= CHILD_KILLED ? "signal" : "exit code",
               end >= CHILD_KILLED ? end - CHILD_KILLED : end);
  }
}

static void
every_way_to_end_a_process(void **state)
{
  (void)state;
  start_world();
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
    check_ending(&endings[i]);
  world_end(&w);
}

static void
a_forked_child_exits(void **state)
{
  (void)state;
  static const ending forked = {"a forked child that exits", NULL,
                                fork_and_exit, ""};
  CHILD_SKIP_IF_SANITIZED();
  start_world();
  check_ending(&forked);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_way_to_end_a_process),
      cmocka_unit_test(a_forked_child_exits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
