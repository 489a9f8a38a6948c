/* SPDX-License-Identifier: MIT */
/* Children of a process whose client has calls in flight: they can do nothing
 * with it, they free it without its parent noticing, and they may have clients
 * of their own. */
#include "world.h"

#include "support/child.h"
#include "support/nghttpx_process.h"
#include "support/tiny_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { limit_ms = 30000, fd_max = 1024 };

/* ---- A parent with everything -------------------------------------------- */

typedef struct parent {
  world w;
  bool had[fd_max]; /* descriptors before there was a client */
  infer_request *request;
  infer_queue *queue;
  infer_call *call;       /* a stream that goes on */
  infer_event *event;     /* the end of another call */
  nghttpx_process *proxy; /* speaks HTTP/2 for the provider, or NULL */
} parent;

static void
list_descriptors(bool open[fd_max])
{
  memset(open, 0, fd_max * sizeof open[0]);
  for (int fd = 0; fd < fd_max; fd++)
    open[fd] = fcntl(fd, F_GETFD) >= 0;
}

/* libcurl's own pair for curl_multi_wakeup(), which it neither marks
 * close-on-exec (before 8.9) nor lets anybody know of. No data goes over it. */
static bool
is_libcurls_own(int fd)
{
  struct sockaddr_storage address;
  socklen_t len = sizeof address;
  return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
         address.ss_family == AF_UNIX;
}

static infer_event *
end_of_call(infer_queue *queue)
{
  for (infer_event *event;; infer_event_free(event)) {
    assert_int_equal(infer_queue_poll(queue, 10000, &event), INFER_OK);
    if (infer_event_type(event) == INFER_EVENT_DONE)
      return event;
  }
}

static infer_call *
submit(parent *p, const char *model)
{
  infer_call *call;
  infer_request *request = world_request(model, "go");
  assert_int_equal(infer_submit(p->w.client, request, INFER_SUBMIT_STREAM,
                                p->queue, 1, &call, NULL),
                   INFER_OK);
  infer_request_free(request);
  return call;
}

static const char script[] =
    "{'defaults':{'tokens':5},'rules':["
    "{'when':{'model':'long','header':{'x-fast':'1'}},'do':{'tokens':250}},"
    "{'when':{'model':'long'},'do':{'tokens':250,'inter_token_ms':5}}]}";

/* The world has its providers. */
static void
parent_start(parent *p, const char *base_url)
{
  char config[512];
  list_descriptors(p->had);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'a','type':'openai','base_url':'%s',"
           "'api_key':'secret','ca_file':'$DIR/ca.pem'}]}",
           base_url);
  world_client(&p->w, config);
  assert_int_equal(infer_queue_new(&p->queue, p->w.client), INFER_OK);
  assert_true(infer_queue_fd(p->queue) >= 0);
  infer_call_free(submit(p, "a/m"));
  p->event = end_of_call(p->queue);
  p->call = submit(p, "a/long");
  p->request = world_request("a/m", "go");
  infer_event *event;
  assert_int_equal(infer_queue_poll(p->queue, 10000, &event), INFER_OK);
  infer_event_free(event);
}

static void
parent_begin(parent *p)
{
  memset(p, 0, sizeof *p);
  world_tls_sim(&p->w, 1, script, false);
  parent_start(p, "$1");
}

static void
parent_begin_http2(parent *p)
{
  char url[64];
  memset(p, 0, sizeof *p);
  world_folder(&p->w);
  assert_true(tiny_make_certificates(p->w.folder));
  world_sim(&p->w, 1, script);
  p->proxy = nghttpx_start(sim_port(p->w.sims[0]), p->w.folder, NULL);
  assert_non_null(p->proxy);
  snprintf(url, sizeof url, "https://localhost:%u/v1", nghttpx_port(p->proxy));
  parent_start(p, url);
}

/* The stream has not noticed a thing: it is, byte for byte, the answer that
 * the same question has anyhow. */
static void
parent_end(parent *p)
{
  infer_response *response;
  infer_error *error;
  if (infer_call_wait(p->call, 20000, &response, &error) != INFER_OK)
    fail_msg("the parent's stream: %s", infer_error_message(error));
  assert_int_equal(infer_response_attempt_count(response), 1);
  infer_request *request = world_request("a/long", "go");
  infer_request_set_header(request, "x-fast", "1");
  outcome again = world_run(&p->w, request, false);
  assert_int_equal(again.status, INFER_OK);
  assert_string_equal(infer_response_text(again.response, NULL),
                      infer_response_text(response, NULL));
  infer_request_free(request);
  outcome_end(&again);
  infer_response_free(response);
  infer_call_free(p->call);
  infer_event_free(p->event);
  infer_queue_free(p->queue);
  infer_request_free(p->request);
  infer_client_free(p->w.client);
  p->w.client = NULL;
  nghttpx_kill(p->proxy);
  world_end(&p->w);
}

static void
free_handles(parent *p)
{
  infer_event_free(p->event);
  infer_call_free(p->call);
  infer_queue_free(p->queue);
  infer_client_free(p->w.client);
  infer_request_free(p->request);
}

/* ---- Every function ------------------------------------------------------ */

typedef struct trial {
  const char *name;
  bool (*holds)(parent *p); /* NULL: frees, or is only told of a call */
} trial;

static bool
client_ref(parent *p)
{
  bool ok = infer_client_ref(p->w.client) == p->w.client;
  infer_client_free(p->w.client); /* not the last one */
  return ok;
}

static bool
client_close(parent *p)
{
  return infer_client_close(p->w.client, -1) == INFER_E_FORKED;
}

static bool
client_reload(parent *p)
{
  infer_config *config;
  return infer_config_new(&config) == INFER_OK &&
         infer_client_reload(p->w.client, config, NULL) == INFER_E_FORKED;
}

static bool
client_drive(parent *p)
{
  return infer_client_drive(p->w.client, -1) == INFER_E_FORKED;
}

static bool
client_fd(parent *p)
{
  return infer_client_fd(p->w.client) == -1;
}

static bool
client_next_timeout_ns(parent *p)
{
  return infer_client_next_timeout_ns(p->w.client) == -1;
}

static bool
client_plan(parent *p)
{
  infer_plan *plan = NULL;
  infer_error *error;
  int32_t status = infer_client_plan(p->w.client, p->request, &plan, &error);
  bool ok = status == INFER_E_FORKED && !plan &&
            strstr(infer_error_message(error), "fork");
  infer_error_free(error);
  return ok;
}

static bool
client_stats(parent *p)
{
  char *json;
  return infer_client_stats(p->w.client, &json, NULL) == INFER_E_FORKED;
}

static bool
client_metrics(parent *p)
{
  char *text;
  return infer_client_metrics(p->w.client, &text, NULL) == INFER_E_FORKED;
}

static bool
queue_set_records(parent *p)
{
  return infer_queue_set_records(p->queue, 1) == INFER_E_FORKED;
}

static bool
client_prewarm(parent *p)
{
  infer_warm_report *report;
  return infer_client_prewarm(p->w.client, "a", -1, &report, NULL) ==
         INFER_E_FORKED;
}

static bool
models(parent *p)
{
  infer_model_list *list;
  return infer_models(p->w.client, "a", -1, &list, NULL) == INFER_E_FORKED;
}

static bool
submit_models(parent *p)
{
  infer_call *call;
  return infer_submit_models(p->w.client, "a", 0, NULL, 0, &call, NULL) ==
         INFER_E_FORKED;
}

static bool
embed(parent *p)
{
  infer_embeddings *got;
  return infer_embed(p->w.client, p->request, &got, NULL) == INFER_E_FORKED;
}

static bool
submit_embed(parent *p)
{
  infer_call *call;
  return infer_submit_embed(p->w.client, p->request, NULL, 0, &call, NULL) ==
         INFER_E_FORKED;
}

static bool
chat(parent *p)
{
  return infer_chat(p->w.client, p->request, NULL, NULL) == INFER_E_FORKED;
}

static bool
chat_stream(parent *p)
{
  return infer_chat_stream(p->w.client, p->request, NULL, NULL, NULL, NULL) ==
         INFER_E_FORKED;
}

static bool
queue_new(parent *p)
{
  infer_queue *queue;
  return infer_queue_new(&queue, p->w.client) == INFER_E_FORKED && !queue;
}

static bool
submit_in_child(parent *p)
{
  infer_call *call;
  return infer_submit(p->w.client, p->request, INFER_SUBMIT_STREAM, p->queue, 0,
                      &call, NULL) == INFER_E_FORKED &&
         !call;
}

static bool
queue_poll(parent *p)
{
  infer_event *event;
  return infer_queue_poll(p->queue, 0, &event) == INFER_E_FORKED &&
         infer_queue_poll(p->queue, -1, &event) == INFER_E_FORKED && !event;
}

static bool
queue_poll_batch(parent *p)
{
  infer_event *events[2];
  size_t count;
  return infer_queue_poll_batch(p->queue, events, 2, -1, &count) ==
             INFER_E_FORKED &&
         count == 0;
}

static bool
queue_fd(parent *p)
{
  return infer_queue_fd(p->queue) == -1;
}

static bool
queue_set_wakeup(parent *p)
{
  return infer_queue_set_wakeup(p->queue, NULL, NULL) == INFER_E_FORKED;
}

static bool
call_cancel(parent *p)
{
  return infer_call_cancel(p->call) == INFER_E_FORKED;
}

static bool
call_wait(parent *p)
{
  return infer_call_wait(p->call, -1, NULL, NULL) == INFER_E_FORKED;
}

static bool
call_models(parent *p)
{
  infer_model_list *list;
  return infer_call_models(p->call, &list, NULL) == INFER_E_FORKED;
}

static bool
call_embeddings(parent *p)
{
  infer_embeddings *got;
  return infer_call_embeddings(p->call, &got, NULL) == INFER_E_FORKED;
}

static bool
call_facts(parent *p)
{
  return infer_call_id(p->call) > 0 && infer_call_tag(p->call) == 1 &&
         infer_call_route(p->call)[0] == '\0' &&
         infer_call_tenant(p->call)[0] == '\0' &&
         infer_call_tag_value(p->call, "x")[0] == '\0' &&
         infer_call_tag_name(p->call, 0)[0] == '\0' &&
         infer_event_call(p->event) && !infer_event_attempt(p->event);
}

static const trial trials[] = {
    {"infer_client_new", NULL}, /* gives one: a test of its own, below */
    {"infer_client_ref", client_ref},
    {"infer_client_free", NULL},
    {"infer_client_close", client_close},
    {"infer_client_reload", client_reload},
    {"infer_client_drive", client_drive},
    {"infer_client_fd", client_fd},
    {"infer_client_next_timeout_ns", client_next_timeout_ns},
    {"infer_client_plan", client_plan},
    {"infer_client_prewarm", client_prewarm},
    {"infer_client_stats", client_stats},
    {"infer_client_metrics", client_metrics},
    {"infer_models", models},
    {"infer_submit_models", submit_models},
    {"infer_call_models", call_models},
    {"infer_embed", embed},
    {"infer_submit_embed", submit_embed},
    {"infer_call_embeddings", call_embeddings},
    {"infer_chat", chat},
    {"infer_chat_stream", chat_stream},
    {"infer_queue_new", queue_new},
    {"infer_queue_free", NULL},
    {"infer_submit", submit_in_child},
    {"infer_queue_poll", queue_poll},
    {"infer_queue_poll_batch", queue_poll_batch},
    {"infer_queue_fd", queue_fd},
    {"infer_queue_set_wakeup", queue_set_wakeup},
    {"infer_queue_set_records", queue_set_records},
    {"infer_call_cancel", call_cancel},
    {"infer_call_wait", call_wait},
    {"infer_call_id", call_facts},
    {"infer_call_tag", call_facts},
    {"infer_call_route", call_facts},
    {"infer_call_tenant", call_facts},
    {"infer_call_tag_value", call_facts},
    {"infer_call_tag_name", call_facts},
    {"infer_event_call", call_facts},
    {"infer_call_free", NULL},
    {"infer_config_set_telemetry", NULL},
};

enum { trial_count = sizeof trials / sizeof trials[0] };

/* The text of a file of the sources. */
static char *
read_source(const char *name)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", INFER_SOURCE_DIR, name);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  char *text = calloc(1, 256 << 10);
  assert_non_null(text);
  size_t len = fread(text, 1, (256 << 10) - 1, file);
  assert_in_range(len, 1, (256 << 10) - 2);
  fclose(file);
  return text;
}

static void
blank_comments(char *text)
{
  for (char *at = text; (at = strstr(at, "/*"));)
    for (const char *end = strstr(at, "*/") + 2; at < end; at++)
      *at = ' ';
}

static bool
is_tried(const char *name, size_t len)
{
  for (size_t i = 0; i < trial_count; i++)
    if (strlen(trials[i].name) == len &&
        strncmp(trials[i].name, name, len) == 0)
      return true;
  return false;
}

static bool
takes_a_handle(const char *declaration)
{
  return strstr(declaration, "infer_client *") ||
         strstr(declaration, "infer_queue *") ||
         strstr(declaration, "infer_call *");
}

/* Each function of the headers that has to do with a client, a queue or a call
 * is in the table above. */
static void
no_function_is_forgotten(void **state)
{
  (void)state;
  char *header = read_source("include/infer/infer.h");
  char *plugins = read_source("include/infer/provider.h");
  char *symbols = read_source("lib/libinfer.symbols");
  blank_comments(header);
  blank_comments(plugins);
  size_t declared = 0, tried = 0, listed = 0;
  /* Those know no handle of a client, a queue or a call. */
  for (char *at = plugins; (at = strstr(at, "\nINFER_API ")); at++, declared++)
    assert_false(takes_a_handle(at));
  for (char *at = header; (at = strstr(at, "\nINFER_API ")); declared++) {
    char *end = strchr(at, ';'), *name = strstr(at, "infer_");
    at += strlen("\nINFER_API ");
    *end = '\0';
    for (size_t len; (len = strcspn(name, " \n*(")), name[len] != '(';)
      name = strstr(name + len, "infer_");
    if (takes_a_handle(at)) {
      size_t len = strcspn(name, "(");
      if (!is_tried(name, len))
        fail_msg("%.*s: not tried in a forked child", (int)len, name);
      tried++;
    }
    at = end + 1;
    at[-1] = ';';
  }
  for (const char *at = symbols; (at = strchr(at, '\n')); at++)
    listed++;
  assert_int_equal(declared, listed);
  assert_int_equal(tried, trial_count);
  free(header);
  free(plugins);
  free(symbols);
}

static void
try_all(void *context)
{
  parent *p = context;
  for (size_t i = 0; i < trial_count; i++)
    if (trials[i].holds && !trials[i].holds(p)) {
      fprintf(stderr, "in the child: %s\n", trials[i].name);
      _exit(CHILD_FAILED);
    }
  /* What is no client, queue or call stays usable. */
  infer_response *response = infer_event_take_response(p->event);
  CHILD_CHECK(infer_response_text(response, NULL)[0] != '\0');
  CHILD_CHECK(infer_response_json(response, NULL)[0] == '{');
  infer_response_free(response);
  CHILD_CHECK(infer_request_add_message(p->request, "user", "y") == INFER_OK);
  free_handles(p);
}

static void
a_child_can_do_nothing_with_the_client(void **state)
{
  (void)state;
  parent p;
  parent_begin(&p);
  assert_int_equal(child_run(try_all, &p, limit_ms), 0);
  parent_end(&p);
}

/* ---- Descriptors --------------------------------------------------------- */

static void
free_and_look(void *context)
{
  parent *p = context;
  bool open[fd_max];
  free_handles(p);
  list_descriptors(open);
  int left = 0;
  for (int fd = 0; fd < fd_max; fd++)
    if (open[fd] && !p->had[fd]) {
      CHILD_CHECK(is_libcurls_own(fd));
      left++;
    }
  CHILD_CHECK(left <= 2);
}

static void
freeing_in_a_child_closes_what_it_inherited(void **state)
{
  (void)state;
  parent p;
  parent_begin(&p);
  assert_int_equal(child_run(free_and_look, &p, limit_ms), 0);
  parent_end(&p);
}

/* Nothing reaches a program that is executed: at no moment, for another thread
 * may fork at any. */
static void
no_descriptor_reaches_another_program(void **state)
{
  (void)state;
  parent p;
  parent_begin(&p);
  infer_event_free(p.event);
  for (int i = 0; i < 30; i++) {
    infer_call *call = submit(&p, "a/m");
    for (int step = 0; step < 10; step++) {
      for (int fd = 0; fd < fd_max; fd++) {
        int flags = p.had[fd] ? FD_CLOEXEC : fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC) && !is_libcurls_own(fd))
          fail_msg("descriptor %d is inherited", fd);
      }
      infer_event *event;
      if (infer_queue_poll(p.queue, 1, &event) == INFER_OK)
        infer_event_free(event);
    }
    infer_call_free(call);
  }
  infer_call_free(submit(&p, "a/m")); /* all others may have ended */
  p.event = end_of_call(p.queue);
  parent_end(&p);
}

/* ---- The parent's stream ------------------------------------------------- */

static void
free_all(void *context)
{
  free_handles(context);
}

static void
free_in_another_order(void *context)
{
  parent *p = context;
  infer_client_free(p->w.client);
  infer_queue_free(p->queue);
  infer_call_free(p->call);
  infer_event_free(p->event);
}

static void
exit_without_a_word(void *context)
{
  (void)context;
  if (CHILD_ASAN)
    _exit(0);
  exit(0);
}

static void
keep_all_open(void *context)
{
  (void)context;
  world_sleep_ms(1500);
}

static void (*const ways[])(void *context) = {
    free_all, free_in_another_order, exit_without_a_word, keep_all_open};

static void
survive(parent *p)
{
  enum { many = 24 };
  pid_t children[many];
  for (int i = 0; i < many; i++) {
    children[i] = child_start(ways[i % 4], p);
    infer_event *event;
    int32_t status = infer_queue_poll(p->queue, 30, &event);
    assert_true(status == INFER_OK || status == INFER_E_TIMEOUT);
    if (status == INFER_OK)
      infer_event_free(event);
  }
  for (int i = 0; i < many; i++)
    assert_int_equal(child_wait(children[i], limit_ms), 0);
}

static void
the_parents_stream_survives_its_children(void **state)
{
  (void)state;
  parent p;
  parent_begin(&p);
  survive(&p);
  parent_end(&p);
}

/* Neither END_STREAM nor GOAWAY comes from a child. */
static void
the_parents_http2_stream_survives_its_children(void **state)
{
  (void)state;
  parent p;
  if (!nghttpx_available()) {
    printf("SKIP: nghttpx is not installed\n");
    skip();
  }
  parent_begin_http2(&p);
  survive(&p);
  assert_int_equal(infer_call_wait(p.call, 20000, NULL, NULL), INFER_OK);
  nghttpx_counts counts = nghttpx_wait_counts(p.proxy, 2, 5000);
  assert_int_equal(counts.requests, 2);
  assert_int_equal(counts.http2, 2);
  assert_int_equal(counts.connections, 1);
  parent_end(&p);
}

/* Children are made while the loop does its work, holds its locks, opens and
 * closes connections: each is free to free. */
static atomic_bool enough;

static void *
call_all_the_time(void *context)
{
  parent *p = context;
  infer_request *request = world_request("a/m", "go");
  while (!atomic_load(&enough)) {
    outcome o = world_run(&p->w, request, true);
    bool ok = o.status == INFER_OK;
    outcome_end(&o);
    if (!ok)
      break;
  }
  infer_request_free(request);
  return atomic_load(&enough) ? NULL : p;
}

static void
children_of_a_busy_parent_can_free(void **state)
{
  (void)state;
  enum { callers = 4, many = 80 };
  parent p;
  pthread_t threads[callers];
  CHILD_SKIP_IF_SANITIZED();
  parent_begin(&p);
  atomic_store(&enough, false);
  for (int i = 0; i < callers; i++)
    pthread_create(&threads[i], NULL, call_all_the_time, &p);
  for (int i = 0; i < many; i++)
    assert_int_equal(child_run(ways[i % 3], &p, limit_ms), 0);
  atomic_store(&enough, true);
  for (int i = 0; i < callers; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  parent_end(&p);
}

/* ---- Clients of children ------------------------------------------------- */

static void
have_own_client(void *context)
{
  parent *p = context;
  char *json = world_text(
      &p->w, "{'providers':[{'name':'a','type':'openai','base_url':'$1',"
             "'ca_file':'$DIR/ca.pem'}]}");
  infer_config *config;
  infer_client *client;
  infer_response *response;
  CHILD_CHECK(infer_config_from_json(&config, json, strlen(json), NULL) ==
              INFER_OK);
  free(json);
  free_handles(p);
  CHILD_CHECK(infer_client_new(&client, config, NULL) == INFER_OK);
  infer_config_free(config);
  infer_request *request;
  CHILD_CHECK(infer_request_new(&request, "a/m") == INFER_OK);
  CHILD_CHECK(infer_request_add_message(request, "user", "go") == INFER_OK);
  for (int i = 0; i < 3; i++) {
    CHILD_CHECK(infer_chat(client, request, &response, NULL) == INFER_OK);
    CHILD_CHECK(infer_response_text(response, NULL)[0] != '\0');
    infer_response_free(response);
  }
  infer_request_free(request);
  infer_client_free(client);
}

static void
have_own_client_in_a_grandchild(void *context)
{
  CHILD_CHECK(child_run(have_own_client, context, limit_ms) == 0);
  have_own_client(context);
}

static void
children_have_clients_of_their_own(void **state)
{
  (void)state;
  enum { many = 6 };
  parent p;
  CHILD_SKIP_IF_SANITIZED();
  parent_begin(&p);
  pid_t children[many];
  for (int i = 0; i < many; i++)
    children[i] = child_start(
        i % 2 ? have_own_client : have_own_client_in_a_grandchild, &p);
  for (int i = 0; i < many; i++)
    assert_int_equal(child_wait(children[i], limit_ms), 0);
  parent_end(&p);
}

/* ---- Forks in callbacks and hooks ---------------------------------------- */

static int32_t
fork_in_event(const infer_event *event, void *user_data)
{
  pid_t *child = user_data;
  if (infer_event_type(event) != INFER_EVENT_TEXT || *child >= 0)
    return 0;
  fflush(NULL);
  *child = fork();
  return 0;
}

/* In the child the function comes back, and says why. */
static void
a_callback_may_fork(void **state)
{
  (void)state;
  parent p;
  parent_begin(&p);
  pid_t child = -1;
  int32_t status = infer_chat_stream(p.w.client, p.request, fork_in_event,
                                     &child, NULL, NULL);
  if (child == 0)
    _exit(status == INFER_E_FORKED ? 0 : CHILD_FAILED);
  assert_int_equal(status, INFER_OK);
  assert_int_equal(child_wait(child, limit_ms), 0);
  parent_end(&p);
}

static parent in_hook;
static atomic_int hook_child;

static void
fork_in_hook(const infer_call *call, const infer_response *response,
             const infer_error *error, void *user_data)
{
  (void)response;
  (void)error;
  (void)user_data;
  if (atomic_load(&hook_child) != 0)
    return;
  pid_t child = fork();
  if (child != 0) {
    atomic_store(&hook_child, child);
    return;
  }
  CHILD_CHECK(infer_call_cancel((infer_call *)(uintptr_t)call) ==
              INFER_E_FORKED);
  CHILD_CHECK(infer_chat(in_hook.w.client, in_hook.request, NULL, NULL) ==
              INFER_E_FORKED);
  infer_client_free(in_hook.w.client);
  _exit(0);
}

static void
a_hook_may_fork(void **state)
{
  (void)state;
  parent *p = &in_hook;
  parent_begin(p);
  world hooked = p->w;
  char *json = world_text(
      &p->w, "{'providers':[{'name':'a','type':'openai','base_url':'$1',"
             "'ca_file':'$DIR/ca.pem'}]}");
  infer_config *config;
  assert_int_equal(infer_config_from_json(&config, json, strlen(json), NULL),
                   INFER_OK);
  free(json);
  infer_config_set_telemetry(config, NULL, fork_in_hook, NULL);
  assert_int_equal(infer_client_new(&hooked.client, config, NULL), INFER_OK);
  infer_config_free(config);
  for (int i = 0; i < 3; i++) {
    outcome o = world_chat(&hooked, "a/m");
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
  }
  infer_client_free(hooked.client);
  assert_int_equal(child_wait(atomic_load(&hook_child), limit_ms), 0);
  parent_end(p);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_function_is_forgotten),
      cmocka_unit_test(a_child_can_do_nothing_with_the_client),
      cmocka_unit_test(freeing_in_a_child_closes_what_it_inherited),
      cmocka_unit_test(no_descriptor_reaches_another_program),
      cmocka_unit_test(the_parents_stream_survives_its_children),
      cmocka_unit_test(the_parents_http2_stream_survives_its_children),
      cmocka_unit_test(children_of_a_busy_parent_can_free),
      cmocka_unit_test(children_have_clients_of_their_own),
      cmocka_unit_test(a_callback_may_fork),
      cmocka_unit_test(a_hook_may_fork),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
