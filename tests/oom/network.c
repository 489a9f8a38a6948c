/* SPDX-License-Identifier: MIT */
/* Calls over libcurl and real sockets: the transport's own allocations. What
 * libcurl and OpenSSL allocate by themselves does not fail here. */
#include "oom.h"

#include "support/tiny_server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- The provider -------------------------------------------------------- */

#define EVENT(size, text) size "\r\ndata: " text "\n\n\r\n"

/* In one piece: many small ones would wait for the client's system to
 * acknowledge the one before. */
static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    "X-Request-Id: r-1\r\nTransfer-Encoding: chunked\r\n\r\n" EVENT(
        "57", "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":"
              "{\"role\":\"assistant\",\"content\":\"Hel\"}}]}")
        EVENT("5a", "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":"
                    "{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}")
            EVENT("e", "[DONE]") "0\r\n\r\n";

static atomic_bool break_next; /* the next request finds the connection reset */

static bool
serve_one(tiny_conn *conn)
{
  char key[64];
  if (strncmp(conn->head, "GET / ", 6) == 0)
    return tiny_answer(conn, "warm");
  if (!tiny_field(conn, "authorization", key, sizeof key) ||
      strcmp(key, "Bearer k") != 0)
    return false; /* a request without its headers */
  if (strncmp(conn->head, "GET ", 4) == 0)
    return tiny_answer(conn, "{\"data\":[{\"id\":\"m-1\"},{\"id\":\"m-2\"}]}");
  if (!atomic_exchange(&break_next, false))
    return tiny_puts(conn, answer);
  tiny_reset(conn);
  return false;
}

static void
serve(tiny_conn *conn)
{
  while (tiny_read(conn) && serve_one(conn))
    ;
}

/* One server of each kind serves many runs, which are many hundreds. */
typedef enum kind { PLAIN, TLS, LOCAL, KINDS } kind;

enum { most_connections = 2000 };

static tiny_server *servers[KINDS];
static char folder[64]; /* of certificates and the socket */

static const char *
path_of(const char *name)
{
  static char paths[4][128];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static void
make_folder(void)
{
  snprintf(folder, sizeof folder, "/tmp/infer-oom-XXXXXX");
  assert_non_null(mkdtemp(folder));
  assert_true(tiny_make_certificates(folder));
}

static tiny_server *
server_of(kind which)
{
  tiny_server **server = &servers[which];
  if (!folder[0])
    make_folder();
  if (*server && tiny_connections(*server) > most_connections) {
    tiny_stop(*server);
    *server = NULL;
  }
  const tiny_options options = {
      .cert_file = which == TLS ? path_of("server.pem") : NULL,
      .key_file = which == TLS ? path_of("server.key") : NULL,
      .unix_path = which == LOCAL ? path_of("socket") : NULL};
  if (!*server)
    *server = tiny_start(serve, NULL, &options);
  assert_non_null(*server);
  return *server;
}

void
oom_network_end(void)
{
  static const char *const names[] = {"ca.pem",     "other.pem",  "server.pem",
                                      "server.key", "client.pem", "client.key",
                                      "socket"};
  for (int i = 0; i < KINDS; i++)
    if (servers[i])
      tiny_stop(servers[i]);
  for (size_t i = 0; folder[0] && i < sizeof names / sizeof names[0]; i++)
    unlink(path_of(names[i]));
  if (folder[0])
    rmdir(folder);
}

/* ---- What a scenario works with ------------------------------------------ */

typedef struct setting {
  infer_client *client;
  infer_request *request;
} setting;

/* format: the provider's members, with the port and the folder. */
static bool
set_up(setting *at, const char *threads, const char *format)
{
  char text[2048], members[1024];
  kind which = strstr(format, "https:")        ? TLS
               : strstr(format, "unix_socket") ? LOCAL
                                               : PLAIN;
  tiny_server *server = server_of(which);
  *at = (setting){.client = NULL};
  snprintf(members, sizeof members, format, tiny_port(server), folder);
  snprintf(text, sizeof text,
           "{'providers':[{'name':'a','type':'openai','api_key':'k',"
           "'proxy':'none',%s}],'defaults':{'retries':0,'stay':{'retries':0},"
           "'timeouts':{'connect_ms':20000}},"
           "'routes':{'r':{'targets':['a/m','a/n']}}}",
           members);
  infer_config *config = oom_config_of(text, threads);
  infer_error *error = NULL;
  if (config &&
      !oom_is_ok(infer_client_new(&at->client, config, &error), &error))
    assert_null(at->client);
  infer_config_free(config);
  return at->client &&
         oom_is_ok(infer_request_new(&at->request, "a/m"), NULL) &&
         oom_is_ok(infer_request_add_message(at->request, "user", "Hi"), NULL);
}

static void
tear_down(setting *at)
{
  infer_request_free(at->request);
  infer_client_free(at->client);
}

static void
call(setting *at)
{
  infer_response *response = NULL;
  infer_error *error = NULL;
  int32_t status = infer_chat(at->client, at->request, &response, &error);
  if (oom_is_ok(status, &error))
    assert_string_equal(infer_response_text(response, NULL), "Hello");
  else
    assert_null(response);
  infer_response_free(response);
}

static int32_t
on_event(const infer_event *event, void *user_data)
{
  int *dones = user_data;
  assert_int_equal(*dones, 0);
  *dones += infer_event_type(event) == INFER_EVENT_DONE;
  return 0;
}

static void
streamed_call(setting *at)
{
  infer_response *response = NULL;
  infer_error *error = NULL;
  int dones = 0;
  int32_t status = infer_chat_stream(at->client, at->request, on_event, &dones,
                                     &response, &error);
  if (oom_is_ok(status, &error)) {
    assert_string_equal(infer_response_text(response, NULL), "Hello");
    assert_int_equal(dones, 1);
  }
  infer_response_free(response);
}

/* The client works once there is memory again. */
static void
check_works(setting *at)
{
  oom_end_shortage();
  call(at);
}

/* ---- Scenarios ----------------------------------------------------------- */

static const char plain[] = "'base_url':'http://127.0.0.1:%d/v1'";

static void
blocking(void *threads)
{
  setting at;
  if (set_up(&at, threads, plain)) {
    call(&at);
    check_works(&at);
  }
  tear_down(&at);
}

static void
streamed(void *threads)
{
  setting at;
  if (set_up(&at, threads, plain)) {
    streamed_call(&at);
    check_works(&at);
  }
  tear_down(&at);
}

/* Three at once, each over a connection of its own, then one more over one of
 * them. */
static void
asynchronous(void *threads)
{
  enum { many = 3 };
  setting at;
  if (set_up(&at, threads, plain)) {
    infer_call *calls[many] = {NULL};
    for (int i = 0; i < many; i++) {
      infer_error *error = NULL;
      oom_is_ok(infer_submit(at.client, at.request, INFER_SUBMIT_WHOLE, NULL, 0,
                             &calls[i], &error),
                &error);
    }
    for (int i = 0; i < many; i++) {
      infer_error *error = NULL;
      if (calls[i])
        oom_is_ok(infer_call_wait(calls[i], -1, NULL, &error), &error);
      infer_call_free(calls[i]);
    }
    check_works(&at);
  }
  tear_down(&at);
}

/* A body that libcurl takes piece by piece. */
static void
large_request(void *threads)
{
  enum { bytes = 200 << 10 };
  setting at;
  if (set_up(&at, threads, plain)) {
    char *text = malloc(bytes);
    assert_non_null(text);
    memset(text, 'x', bytes);
    bool ok = oom_is_ok(
        infer_request_add_message_n(at.request, "user", text, bytes), NULL);
    free(text);
    if (ok)
      call(&at);
    check_works(&at);
  }
  tear_down(&at);
}

/* The first connection breaks; the other target, or the next call, works. */
static void
broken_connection(void *threads)
{
  setting at;
  if (set_up(&at, threads, plain) &&
      oom_is_ok(infer_request_set_model(at.request, "r"), NULL)) {
    atomic_store(&break_next, true);
    infer_error *error = NULL;
    int32_t status = infer_chat(at.client, at.request, NULL, &error);
    oom_is_ok(status, &error);
    atomic_store(&break_next, false);
    check_works(&at);
  }
  tear_down(&at);
}

/* Nobody listens, or there is no such host: these are no lack of memory. */
static void
unreachable(void *url)
{
  setting at;
  if (set_up(&at, "0", url)) {
    infer_error *error = NULL;
    int32_t status = infer_chat(at.client, at.request, NULL, &error);
    oom_fails(status, &error,
              strstr(url, "invalid") ? INFER_E_RESOLVE : INFER_E_CONNECT);
  }
  tear_down(&at);
}

static void
models(void *threads)
{
  setting at;
  if (set_up(&at, threads, plain)) {
    infer_model_list *list = NULL;
    infer_error *error = NULL;
    int32_t status = infer_models(at.client, "a", 10000, &list, &error);
    if (oom_is_ok(status, &error))
      assert_int_equal(infer_model_list_count(list), 2);
    infer_model_list_free(list);
    check_works(&at);
  }
  tear_down(&at);
}

static void
warm_up(void *threads)
{
  setting at;
  if (set_up(&at, threads,
             "'base_url':'http://localhost:%d/v1','warm_path':'/'")) {
    infer_warm_report *report = NULL;
    infer_error *error = NULL;
    int32_t status =
        infer_client_prewarm(at.client, NULL, 10000, &report, &error);
    if (oom_is_ok(status, &error))
      assert_int_equal(infer_warm_report_count(report), 1);
    else
      assert_null(report);
    infer_warm_report_free(report);
    check_works(&at);
  }
  tear_down(&at);
}

/* A provider with options of its own for the connection. */
static void
peculiar(void *members)
{
  setting at;
  if (set_up(&at, "0", members)) {
    call(&at);
    check_works(&at);
  }
  tear_down(&at);
}

static const oom_scenario scenarios[] = {
    {"a blocking call over sockets", blocking, "0"},
    {"a blocking call over sockets with a thread", blocking, "1"},
    {"a streamed call over sockets", streamed, "0"},
    {"a streamed call over sockets with a thread", streamed, "1"},
    {"asynchronous calls over sockets", asynchronous, "0"},
    {"asynchronous calls over sockets with a thread", asynchronous, "1"},
    {"a large request", large_request, "0"},
    {"a connection that breaks", broken_connection, "0"},
    {"a port where nobody listens", unreachable,
     "'base_url':'http://127.0.0.1:1/v1','x-port':%d"},
    {"a host that does not exist", unreachable,
     "'base_url':'http://host.invalid:%d/v1'"},
    {"a list of models over sockets", models, "0"},
    {"a warm-up over sockets", warm_up, "0"},
    {"TLS with an authority of its own", peculiar,
     "'base_url':'https://localhost:%d/v1','ca_file':'%s/ca.pem'"},
    {"an address of its own", peculiar,
     "'base_url':'http://house.test:%1$d/v1',"
     "'resolve':['house.test:%1$d:127.0.0.1'],'x-folder':'%2$s'"},
    {"a Unix socket", peculiar,
     "'base_url':'http://localhost/v1','x-port':%d,"
     "'unix_socket':'%s/socket'"},
};

const oom_suite oom_network = OOM_SUITE(scenarios);
