/* SPDX-License-Identifier: MIT */
/* A process that is full of signals, and peers that break connections which
 * are written to. Each test is a process of its own, whose handlers and fate
 * are its own, too. */
#include "world.h"

#include "support/child.h"
#include "support/tiny_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { limit_ms = 60000 };

static world w;

static infer_client *
make_client(const char *text)
{
  infer_config *config;
  infer_client *client;
  char *json = world_text(&w, text);
  CHILD_CHECK(infer_config_from_json(&config, json, strlen(json), NULL) ==
              INFER_OK);
  free(json);
  CHILD_CHECK(infer_client_new(&client, config, NULL) == INFER_OK);
  infer_config_free(config);
  return client;
}

static infer_request *
make_request(const char *model)
{
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, model) == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "x") == INFER_OK);
  return request;
}

/* ---- A storm of signals -------------------------------------------------- */

static pthread_t main_thread;
static atomic_int alarms, users;
static atomic_bool elsewhere; /* a handler ran on another thread */
static atomic_bool calm;

static void
on_signal(int number)
{
  atomic_fetch_add(number == SIGALRM ? &alarms : &users, 1);
  if (!pthread_equal(pthread_self(), main_thread))
    atomic_store(&elsewhere, true);
}

/* Signals to this very thread, besides those that the process gets. */
static void *
send_signals(void *unused)
{
  (void)unused;
  while (!atomic_load(&calm)) {
    pthread_kill(main_thread, SIGUSR1);
    usleep(300);
  }
  return NULL;
}

/* The sender blocks what is meant for the process, as the main thread's
 * handler asks. Nothing is restarted by the system. */
static pthread_t
begin_storm(void)
{
  struct sigaction action = {.sa_handler = on_signal};
  struct itimerval often = {{0, 700}, {0, 700}};
  sigset_t alarm_only, before;
  pthread_t sender;
  main_thread = pthread_self();
  CHILD_CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  CHILD_CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarm_only, &before);
  CHILD_CHECK(pthread_create(&sender, NULL, send_signals, NULL) == 0);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  CHILD_CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
  return sender;
}

/* How often a timer of 700 microseconds rings is the machine's business. */
static bool
storm_is_felt(void)
{
  return atomic_load(&alarms) > 50 && atomic_load(&users) > 50;
}

static void
end_storm(pthread_t sender)
{
  atomic_store(&calm, true);
  pthread_join(sender, NULL);
  setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
  CHILD_CHECK(storm_is_felt());
  CHILD_CHECK(!atomic_load(&elsewhere));
}

static int32_t
count_text(const infer_event *event, void *user_data)
{
  int *texts = user_data;
  *texts += infer_event_type(event) == INFER_EVENT_TEXT;
  return 0;
}

/* A wait that finds nothing takes as long as it was told to, and no event. */
static void
check_waits(infer_client *client)
{
  infer_queue *queue;
  infer_event *event;
  infer_call *call;
  infer_request *request = make_request("a/silent");
  CHILD_CHECK(infer_queue_new(&queue, client) == INFER_OK);
  CHILD_CHECK(infer_submit(client, request, INFER_SUBMIT_STREAM, queue, 0,
                           &call, NULL) == INFER_OK);
  infer_request_free(request);
  uint64_t before_ms = world_now_ms();
  CHILD_CHECK(infer_queue_poll(queue, 200, &event) == INFER_E_TIMEOUT);
  CHILD_CHECK(world_now_ms() - before_ms + 1 >= 200);
  before_ms = world_now_ms();
  CHILD_CHECK(infer_call_wait(call, 200, NULL, NULL) == INFER_E_TIMEOUT);
  CHILD_CHECK(world_now_ms() - before_ms + 1 >= 200);
  before_ms = world_now_ms();
  CHILD_CHECK(infer_client_close(client, 200) == INFER_E_TIMEOUT);
  CHILD_CHECK(world_now_ms() - before_ms + 1 >= 200);
  infer_call_free(call);
  infer_queue_free(queue);
}

static void
live_in_a_storm(void *members)
{
  char text[512];
  snprintf(text, sizeof text,
           "{'providers':[{'name':'a','type':'openai','base_url':'$1',"
           "'ca_file':'$DIR/ca.pem'}]%s}",
           (const char *)members);
  pthread_t sender = begin_storm();
  infer_client *client = make_client(text);
  infer_request *request = make_request("a/m");
  for (int i = 0; i < 10 || (i < 200 && !storm_is_felt()); i++) {
    int texts = 0;
    CHILD_CHECK(infer_chat(client, request, NULL, NULL) == INFER_OK);
    CHILD_CHECK(infer_chat_stream(client, request, count_text, &texts, NULL,
                                  NULL) == INFER_OK);
    CHILD_CHECK(texts > 1);
  }
  infer_call *call;
  CHILD_CHECK(infer_submit(client, request, INFER_SUBMIT_WHOLE, NULL, 0, &call,
                           NULL) == INFER_OK);
  /* With a thread the function is refused, and the wait does the rest. */
  for (int i = 0; i < 10000; i++)
    if (infer_client_drive(client, 5) != INFER_OK ||
        infer_call_wait(call, 0, NULL, NULL) == INFER_OK)
      break;
  CHILD_CHECK(infer_call_wait(call, -1, NULL, NULL) == INFER_OK);
  infer_call_free(call);
  infer_request_free(request);
  check_waits(client);
  infer_client_free(client);
  end_storm(sender);
}

static void
signals_disturb_nothing(void **state)
{
  (void)state;
  static char threaded[] = "", driven[] = ",'threads':0";
  memset(&w, 0, sizeof w);
  world_tls_sim(&w, 1,
                "{'defaults':{'tokens':20,'inter_token_ms':5},'rules':["
                "{'when':{'model':'silent'},'do':{'silence':true}}]}",
                false);
  assert_int_equal(child_run(live_in_a_storm, threaded, limit_ms), 0);
  assert_int_equal(child_run(live_in_a_storm, driven, limit_ms), 0);
  world_end(&w);
}

/* ---- Connections that break while they are written to -------------------- */

/* Reads the head of a request, not its body, and resets; every other time it
 * answers first, so that a kept connection breaks. */
static void
serve_badly(tiny_conn *conn)
{
  char path[64] = "";
  if (!tiny_read(conn))
    return;
  sscanf(conn->head, "%*s %63s", path);
  if (strstr(path, "models"))
    tiny_answer(conn, "{\"data\":[]}");
  tiny_reset(conn);
}

typedef struct breaking {
  bool tls, handled;
  const char *members;
  int told[2]; /* the server's process tells its port */
  int port;
} breaking;

/* A process of its own, so that its threads are not those of a process that
 * forks. */
static void
be_server(void *context)
{
  const breaking *b = context;
  char cert[128], key[128];
  snprintf(cert, sizeof cert, "%s/server.pem", w.folder);
  snprintf(key, sizeof key, "%s/server.key", w.folder);
  const tiny_options tls = {.cert_file = cert, .key_file = key};
  tiny_server *server = tiny_start(serve_badly, NULL, b->tls ? &tls : NULL);
  CHILD_CHECK(server != NULL);
  int port = tiny_port(server);
  CHILD_CHECK(write(b->told[1], &port, sizeof port) == sizeof port);
  for (;;)
    pause();
}

static atomic_int pipes;

static void
on_pipe(int number)
{
  (void)number;
  atomic_fetch_add(&pipes, 1);
}

/* The default action of SIGPIPE would end the process. */
static void
write_to_the_broken(void *context)
{
  enum { bytes = 4 << 20 };
  const breaking *b = context;
  char text[512];
  snprintf(text, sizeof text,
           "{'providers':[{'name':'a','type':'openai','auth_scheme':'none',"
           "'base_url':'%s://localhost:%d/v1','ca_file':'$DIR/ca.pem'}],"
           "'defaults':{'retries':1}%s}",
           b->tls ? "https" : "http", b->port, b->members);
  signal(SIGPIPE, b->handled ? on_pipe : SIG_DFL);
  struct sigaction before, after;
  sigaction(SIGPIPE, NULL, &before);
  infer_client *client = make_client(text);
  char *large = malloc(bytes);
  CHILD_CHECK(large != NULL);
  memset(large, 'x', bytes);
  infer_request *request = make_request("a/m");
  CHILD_CHECK(infer_request_add_message_n(request, "user", large, bytes) ==
              INFER_OK);
  free(large);
  for (int i = 0; i < 6; i++) {
    infer_model_list *models = NULL;
    CHILD_CHECK(infer_models(client, "a", 10000, &models, NULL) == INFER_OK);
    infer_model_list_free(models);
    CHILD_CHECK(infer_chat(client, request, NULL, NULL) != INFER_OK);
  }
  infer_request_free(request);
  infer_client_free(client);
  sigaction(SIGPIPE, NULL, &after);
  CHILD_CHECK(after.sa_handler == before.sa_handler);
  CHILD_CHECK(after.sa_flags == before.sa_flags);
  CHILD_CHECK(atomic_load(&pipes) == 0);
}

static void
no_broken_connection_raises_sigpipe(void **state)
{
  (void)state;
  static const char *const members[] = {"", ",'threads':0"};
  memset(&w, 0, sizeof w);
  world_folder(&w);
  assert_true(tiny_make_certificates(w.folder));
  for (int i = 0; i < 8; i++) {
    breaking b = {
        .tls = i & 1, .members = members[i >> 1 & 1], .handled = i >> 2 & 1};
    assert_int_equal(pipe(b.told), 0);
    pid_t server = child_start(be_server, &b);
    close(b.told[1]);
    assert_int_equal(read(b.told[0], &b.port, sizeof b.port), sizeof b.port);
    assert_int_equal(child_run(write_to_the_broken, &b, limit_ms), 0);
    kill(server, SIGKILL);
    assert_int_equal(child_wait(server, limit_ms), CHILD_KILLED + SIGKILL);
    close(b.told[0]);
  }
  world_end(&w);
}

/* ---- Handlers ------------------------------------------------------------ */

static void
use_and_compare(void *unused)
{
  (void)unused;
  struct sigaction before[NSIG], after;
  for (int i = 1; i < NSIG; i++)
    sigaction(i, NULL, &before[i]);
  infer_client *client =
      make_client("{'providers':[{'name':'a','type':'openai',"
                  "'base_url':'$1','ca_file':'$DIR/ca.pem'}]}");
  infer_request *request = make_request("a/m");
  CHILD_CHECK(infer_chat(client, request, NULL, NULL) == INFER_OK);
  for (int i = 1; i < NSIG; i++) {
    if (i == 32 || i == 33) /* libc's own, for its threads */
      continue;
    sigaction(i, NULL, &after);
    CHILD_CHECK(after.sa_handler == before[i].sa_handler);
  }
  infer_request_free(request);
  infer_client_free(client);
}

static void
no_handler_is_touched(void **state)
{
  (void)state;
  memset(&w, 0, sizeof w);
  world_tls_sim(&w, 1, "{'defaults':{'tokens':2}}", false);
  assert_int_equal(child_run(use_and_compare, NULL, limit_ms), 0);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signals_disturb_nothing),
      cmocka_unit_test(no_broken_connection_raises_sigpipe),
      cmocka_unit_test(no_handler_is_touched),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
