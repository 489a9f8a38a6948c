/* SPDX-License-Identifier: MIT */
/* The ways to a provider: TLS, Unix sockets, IPv6, proxies, connections that
 * are kept, and names that cannot be looked up. */
#include "world.h"

#include "support/tiny_server.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
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

#define OK_SCRIPT "{'defaults':{'text':'ok'}}"
#define NO_RETRY  ",'defaults':{'retries':0}"
#define ONE(members)                                                  \
  "{'providers':[{'name':'p','type':'openai','base_url':'$1'" members \
  "}]" NO_RETRY "}"

static void
expect_end(world *w, const char *model, int32_t status)
{
  outcome o = world_chat(w, model);
  if (o.status != status)
    fail_msg("%s: %s", infer_status_name(o.status),
             o.error ? infer_error_message(o.error) : "");
  outcome_end(&o);
}

static void
drop_client(world *w)
{
  infer_client_free(w->client);
  w->client = NULL;
}

/* ---- A resolver that can be made to hang --------------------------------- */

enum { lookup_ms = 1500 };

static atomic_int hanging_lookups;

/* Comes before libc's for libcurl too. Names in hang.test take their time. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **result)
{
  static int (*_Atomic next)(const char *, const char *,
                             const struct addrinfo *, struct addrinfo **);
  if (!next) {
    int (*found)(const char *, const char *, const struct addrinfo *,
                 struct addrinfo **);
    *(void **)&found = dlsym(RTLD_NEXT, "getaddrinfo");
    next = found;
  }
  if (node && strstr(node, "hang.test")) {
    atomic_fetch_add(&hanging_lookups, 1);
    tiny_sleep_ms(lookup_ms);
    atomic_fetch_sub(&hanging_lookups, 1);
    return EAI_AGAIN;
  }
  return next(node, service, hints, result);
}

/* Lets the client work until so many lookups hang. */
static void
drive_until_hanging(world *w, int count)
{
  uint64_t until = world_now_ms() + 5000;
  while (atomic_load(&hanging_lookups) < count) {
    assert_true(world_now_ms() < until);
    if (infer_client_drive(w->client, 1) != INFER_OK)
      world_sleep_ms(1);
  }
}

static void
wait_for_lookups(void)
{
  while (atomic_load(&hanging_lookups) > 0)
    world_sleep_ms(5);
  world_sleep_ms(20); /* their threads end, too */
}

static infer_call *
submit_hanging(world *w)
{
  infer_call *call;
  infer_request *request = world_request("hang/m", "x");
  int count = atomic_load(&hanging_lookups) + 1;
  assert_int_equal(infer_submit(w->client, request, INFER_SUBMIT_WHOLE, NULL, 0,
                                &call, NULL),
                   INFER_OK);
  infer_request_free(request);
  drive_until_hanging(w, count);
  return call;
}

#define HANGING                                                             \
  "{'providers':[{'name':'hang','type':'openai','base_url':"                \
  "'http://a.hang.test/v1'},{'name':'p','type':'openai','base_url':'$1'}]," \
  "'routes':{'r':{'targets':['hang/m','p/m'],'stay':{'retries':0},"         \
  "'timeouts':{'connect_ms':150}}}}"

/* The shortest of so many tries at most, because the machine may be busy:
 * waiting for the lookup would make each of them long. */
enum { tries = 20, at_once_ms = 10 };

static void
test_cancel_while_a_lookup_hangs(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, HANGING);
  uint64_t shortest = UINT64_MAX;
  for (int i = 0; i < tries && shortest >= at_once_ms; i++) {
    infer_call *call = submit_hanging(&w);
    uint64_t before = world_now_ms();
    assert_int_equal(infer_call_cancel(call), INFER_OK);
    assert_int_equal(infer_call_wait(call, 5000, NULL, NULL),
                     INFER_E_CANCELLED);
    uint64_t took = world_now_ms() - before;
    shortest = took < shortest ? took : shortest;
    infer_call_free(call);
  }
  assert_true(shortest < at_once_ms);
  world_end(&w);
  wait_for_lookups();
}

static void
test_close_while_a_lookup_hangs(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  uint64_t shortest = UINT64_MAX;
  for (int i = 0; i < tries && shortest >= at_once_ms; i++) {
    world_client(&w, HANGING);
    infer_call *call = submit_hanging(&w);
    uint64_t before = world_now_ms();
    assert_int_equal(infer_client_close(w.client, 0), INFER_E_TIMEOUT);
    drop_client(&w);
    uint64_t took = world_now_ms() - before;
    shortest = took < shortest ? took : shortest;
    assert_int_equal(infer_call_wait(call, 0, NULL, NULL), INFER_E_CANCELLED);
    infer_call_free(call);
  }
  assert_true(shortest < at_once_ms);
  world_end(&w);
  wait_for_lookups();
}

static void
test_others_do_not_notice_a_hanging_lookup(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, HANGING);
  infer_call *call = submit_hanging(&w);
  uint64_t before = world_now_ms();
  for (int i = 0; i < 10; i++)
    expect_end(&w, "p/m", INFER_OK);
  assert_true(world_now_ms() - before < lookup_ms / 2);
  assert_true(atomic_load(&hanging_lookups) > 0);
  infer_call_cancel(call);
  infer_call_free(call);
  /* A route does not wait for it longer than connect_ms. */
  outcome o = world_stream(&w, "r");
  assert_string_equal(outcome_trail(&o),
                      "hang/m first CONNECT, p/m failover OK");
  assert_in_range(o.took_ms, 145, 1000);
  outcome_end(&o);
  world_end(&w);
  wait_for_lookups();
}

/* ---- TLS ----------------------------------------------------------------- */

static void
test_tls(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  world_client(&w, ONE(",'ca_file':'$DIR/ca.pem'"));
  outcome o = world_stream(&w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  const infer_attempt *attempt = outcome_attempt(&o, 0);
  int64_t connected = infer_attempt_phase_ns(attempt, INFER_PHASE_CONNECT);
  int64_t secured = infer_attempt_phase_ns(attempt, INFER_PHASE_TLS);
  assert_true(connected >= 0 && secured > connected);
  outcome_end(&o);
  json_object *log = world_log(&w, 1, 1);
  assert_string_equal(log_text(log, 0, "tls"), "true");
  json_object_put(log);
  world_end(&w);
}

/* A certificate for another host, or by somebody else, is not trusted. */
static void
test_untrusted_certificates(void **state)
{
  (void)state;
  world w = {0}, other = {0};
  world_folder(&w);
  world_sim_with(&w, 1, OK_SCRIPT,
                 (const char *const[]){"--self-signed", w.folder, "--listen",
                                       "127.0.0.2:0", NULL});
  world_client(&w, ONE(",'ca_file':'$DIR/ca.pem'"));
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(o.status, INFER_E_TLS_VERIFY);
  assert_int_equal(infer_error_retryable(o.error), 0);
  assert_int_equal(infer_error_http_status(o.error), 0);
  outcome_end(&o);
  assert_int_equal(world_requests(&w, 1), 0);
  world_tls_sim(&other, 1, OK_SCRIPT, false);
  char config[512];
  snprintf(config, sizeof config, ONE(",'ca_file':'%s/ca.pem'"), w.folder);
  world_client(&other, config);
  expect_end(&other, "p/m", INFER_E_TLS_VERIFY);
  assert_int_equal(world_requests(&other, 1), 0);
  world_end(&other);
  world_end(&w);
}

static char warning[512];
static pthread_mutex_t warning_mutex = PTHREAD_MUTEX_INITIALIZER;

static void
keep_warning(int32_t level, const char *message, void *user_data)
{
  (void)user_data;
  pthread_mutex_lock(&warning_mutex);
  if (level == INFER_LOG_WARN)
    snprintf(warning, sizeof warning, "%s", message);
  pthread_mutex_unlock(&warning_mutex);
}

static void
warn_about(world *w, const char *json)
{
  infer_config *config;
  char *text = world_text(w, json);
  assert_int_equal(infer_config_from_json(&config, text, strlen(text), NULL),
                   INFER_OK);
  free(text);
  warning[0] = '\0';
  infer_config_set_log(config, INFER_LOG_WARN, keep_warning, NULL);
  assert_int_equal(infer_client_new(&w->client, config, NULL), INFER_OK);
  infer_config_free(config);
  expect_end(w, "p/m", INFER_OK);
  drop_client(w);
}

static void
test_trusting_anybody_is_warned_about(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  warn_about(&w, ONE(",'tls_verify':false"));
  assert_non_null(strstr(warning, "tls_verify"));
  assert_non_null(strstr(warning, "\"p\""));
  warn_about(&w, ONE(",'ca_file':'$DIR/ca.pem'"));
  assert_string_equal(warning, "");
  world_end(&w);
}

static void
test_certificates_and_failover(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  world_sim(&w, 2, OK_SCRIPT);
  world_usual(&w, "'routes':{'strict':{'targets':['a/m','b/m']},'lax':{"
                  "'targets':['a/m','b/m'],'failover_on':['tls_verify']}}");
  outcome o = world_chat(&w, "strict");
  assert_int_equal(o.status, INFER_E_TLS_VERIFY);
  assert_string_equal(outcome_trail(&o), "a/m first TLS_VERIFY");
  outcome_end(&o);
  assert_int_equal(world_requests(&w, 2), 0);
  o = world_chat(&w, "lax");
  assert_string_equal(outcome_trail(&o),
                      "a/m first TLS_VERIFY, b/m failover OK");
  outcome_end(&o);
  assert_int_equal(world_requests(&w, 1), 0);
  world_end(&w);
}

/* Two providers at one address, of which one may present a certificate: a
 * connection is not shared between them. */
static void
test_client_certificates_are_not_shared(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, true);
  world_client(
      &w, "{'providers':[{'name':'known','type':'openai','base_url':'$1',"
          "'ca_file':'$DIR/ca.pem','client_cert':'$DIR/client.pem',"
          "'client_key':'$DIR/client-key.pem'},{'name':'unknown','type':"
          "'openai','base_url':'$1','ca_file':'$DIR/ca.pem'}]" NO_RETRY "}");
  expect_end(&w, "known/m", INFER_OK);
  outcome o = world_chat(&w, "unknown/m");
  assert_int_not_equal(o.status, INFER_OK);
  outcome_end(&o);
  expect_end(&w, "known/m", INFER_OK);
  json_object_put(world_log(&w, 1, 2));
  world_end(&w);
}

/* ---- Addresses ----------------------------------------------------------- */

/* Never by a proxy: there is no way to it but the file. */
static void
test_unix_socket(void **state)
{
  (void)state;
  world w = {0};
  char path[128];
  world_folder(&w);
  snprintf(path, sizeof path, "%s/socket", w.folder);
  world_sim_with(&w, 1, OK_SCRIPT, (const char *const[]){"--unix", path, NULL});
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  world_client(&w, ONE(",'unix_socket':'$DIR/socket'"));
  unsetenv("http_proxy");
  expect_end(&w, "p/m", INFER_OK);
  expect_end(&w, "p/m", INFER_OK);
  json_object *log = world_log(&w, 1, 2);
  assert_string_equal(log_header(log, 0, "host"), "localhost");
  assert_int_equal(log_int(log, 1, "reuse"), 1);
  json_object_put(log);
  world_end(&w);
}

static bool
has_ipv6(void)
{
  struct sockaddr_in6 any = {.sin6_family = AF_INET6,
                             .sin6_addr = in6addr_loopback};
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0;
  if (fd >= 0)
    close(fd);
  return ok;
}

static void
test_ipv6(void **state)
{
  (void)state;
  if (!has_ipv6()) {
    print_message("SKIP: no IPv6 loopback address\n");
    skip();
  }
  world w = {0};
  world_sim_with(&w, 1, OK_SCRIPT,
                 (const char *const[]){"--listen", "[::1]:0", NULL});
  world_client(&w, ONE(""));
  expect_end(&w, "p/m", INFER_OK);
  json_object *log = world_log(&w, 1, 1);
  assert_int_equal(strncmp(log_header(log, 0, "host"), "[::1]:", 6), 0);
  json_object_put(log);
  world_end(&w);
}

/* ---- Proxies ------------------------------------------------------------- */

#define ANSWER                                                      \
  "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," \
  "\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}"

static char asked[16384];

static void
serve_as_proxy(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    snprintf(asked, sizeof asked, "%s", conn->head);
    if (strncmp(asked, "CONNECT ", 8) == 0) {
      tiny_puts(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    tiny_answer(conn, ANSWER);
  }
}

/* Whether a client made with the variable set goes through the proxy; with
 * another host it cannot arrive anywhere. */
static void
expect_proxied(const tiny_server *proxy, const char *variable,
               const char *members, bool through)
{
  world w = {0};
  char config[512], url[64];
  int before = tiny_requests(proxy);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", tiny_port(proxy));
  setenv(variable, url, 1);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','upstream':'unary',"
           "'base_url':'http://model.invalid/v1'%s}]" NO_RETRY "}",
           members);
  world_client(&w, config);
  unsetenv(variable);
  expect_end(&w, "p/m", through ? INFER_OK : INFER_E_RESOLVE);
  assert_int_equal(tiny_requests(proxy) - before, through);
  world_end(&w);
}

static void
test_proxy_variables(void **state)
{
  (void)state;
  tiny_server *proxy = tiny_start(serve_as_proxy, NULL, NULL);
  expect_proxied(proxy, "http_proxy", "", true);
  assert_non_null(strstr(asked, "POST http://model.invalid/v1/chat/"));
  expect_proxied(proxy, "all_proxy", "", true);
  expect_proxied(proxy, "ALL_PROXY", "", true);
  /* A CGI program's client could set it. */
  expect_proxied(proxy, "HTTP_PROXY", "", false);
  expect_proxied(proxy, "https_proxy", "", false);
  expect_proxied(proxy, "http_proxy", ",'proxy':'none'", false);
  setenv("no_proxy", "other.test,.invalid", 1);
  expect_proxied(proxy, "http_proxy", "", false);
  unsetenv("no_proxy");
  setenv("NO_PROXY", "*", 1);
  expect_proxied(proxy, "http_proxy", "", false);
  unsetenv("NO_PROXY");
  tiny_stop(proxy);
}

/* They are read when the client is made, and never again: no connection is
 * kept here, so that the second call makes one. */
static void
test_proxy_variables_are_read_once(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, "{'providers':[{'name':'p','type':'openai','base_url':"
                   "'$1'}],'max_idle_connections':0}");
  expect_end(&w, "p/m", INFER_OK);
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  expect_end(&w, "p/m", INFER_OK);
  drop_client(&w);
  world_client(&w, ONE(""));
  world_forget_proxies();
  expect_end(&w, "p/m", INFER_E_CONNECT);
  json_object_put(world_log(&w, 1, 2));
  world_end(&w);
}

/* For https the proxy makes a tunnel, and sees nothing of what is sent. */
static void
test_tunnel(void **state)
{
  (void)state;
  world w = {0};
  char config[512];
  tiny_server *proxy = tiny_start(serve_as_proxy, NULL, NULL);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','api_key':"
           "'sk-0123456789','headers':{'X-Mine':'1'},'base_url':"
           "'https://model.invalid/v1','proxy':'http://127.0.0.1:%d'}]" NO_RETRY
           "}",
           tiny_port(proxy));
  world_client(&w, config);
  expect_end(&w, "p/m", INFER_E_CONNECT);
  tiny_stop(proxy);
  assert_non_null(strstr(asked, "CONNECT model.invalid:443 HTTP/1.1\r\n"));
  assert_null(strstr(asked, "sk-0123456789"));
  assert_null(strstr(asked, "X-Mine"));
  world_end(&w);
}

/* ---- Connections and content --------------------------------------------- */

/* A call is over with the answer's end mark; its connection is free once the
 * end of the body was read too. Both come at once, unless there are faults at
 * the sockets. */
static void
wait_for_the_connection(world *w)
{
  if (!getenv("INFER_SOCKET_FAULTS"))
    return;
  uint64_t until_ms = world_now_ms() + 50;
  while (world_now_ms() < until_ms)
    if (infer_client_drive(w->client, 1) != INFER_OK)
      world_sleep_ms(1);
}

static void
test_keep_alive(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_client(&w, ONE(""));
  for (int i = 0; i < 6; i++) {
    outcome o = i % 2 ? world_chat(&w, "p/m") : world_stream(&w, "p/m");
    assert_int_equal(o.status, INFER_OK);
    assert_int_equal(infer_attempt_reused_connection(outcome_attempt(&o, 0)),
                     i > 0);
    outcome_end(&o);
    wait_for_the_connection(&w);
  }
  json_object *log = world_log(&w, 1, 6);
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(log_int(log, i, "reuse"), i);
  json_object_put(log);
  world_end(&w);
}

static void
test_gzip(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'text':'The same text, text, text.','gzip':"
            "true}}");
  for (int off = 0; off < 2; off++) {
    world_client(&w, off ? ONE(",'compression':false") : ONE(""));
    for (int stream = 0; stream < 2; stream++) {
      outcome o = stream ? world_stream(&w, "p/m") : world_chat(&w, "p/m");
      assert_int_equal(o.status, INFER_OK);
      assert_string_equal(infer_response_text(o.response, NULL),
                          "The same text, text, text.");
      outcome_end(&o);
    }
    drop_client(&w);
  }
  json_object *log = world_log(&w, 1, 4);
  for (size_t i = 0; i < 4; i++)
    assert_string_equal(log_header(log, i, "accept-encoding"),
                        i < 2 ? "gzip" : "");
  json_object_put(log);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cancel_while_a_lookup_hangs),
      cmocka_unit_test(test_close_while_a_lookup_hangs),
      cmocka_unit_test(test_others_do_not_notice_a_hanging_lookup),
      cmocka_unit_test(test_tls),
      cmocka_unit_test(test_untrusted_certificates),
      cmocka_unit_test(test_trusting_anybody_is_warned_about),
      cmocka_unit_test(test_certificates_and_failover),
      cmocka_unit_test(test_client_certificates_are_not_shared),
      cmocka_unit_test(test_unix_socket),
      cmocka_unit_test(test_ipv6),
      cmocka_unit_test(test_proxy_variables),
      cmocka_unit_test(test_proxy_variables_are_read_once),
      cmocka_unit_test(test_tunnel),
      cmocka_unit_test(test_keep_alive),
      cmocka_unit_test(test_gzip),
  };
  world_forget_proxies();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
