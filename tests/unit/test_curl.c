/* SPDX-License-Identifier: MIT */
/* The curl transport against a raw server: what each misfortune of a network
 * becomes, on both sides of the wire. */
#include "support/tiny_server.h"
#include "transport/transport.h"

#include "base/thread.h"
#include "infer/infer.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* ---- A resolver that can be made to hang --------------------------------- */

static atomic_int hanging_lookups;

/* Comes before libc's for libcurl too. Names in hang.test take 30 s. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **result)
{
  static int (*next)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  if (node && strstr(node, "hang.test")) {
    atomic_fetch_add(&hanging_lookups, 1);
    tiny_sleep_ms(1500);
    atomic_fetch_sub(&hanging_lookups, 1);
    return EAI_AGAIN;
  }
  return next(node, service, hints, result);
}

/* ---- One exchange -------------------------------------------------------- */

typedef struct probe {
  inf_transport *transport;
  inf_exchange *exchange;
  int sent, headers, done, status;
  bool reused_at_sent, sent_before_headers;
  size_t bytes, pieces;
  char body[70000];
  char type[64];
  inf_net net;
  inf_exchange_result result;
  char detail[300];
  /* What a callback does: 's'ent, 'h'eaders, 'b'ody. */
  char cancel_in, refuse_in;
} probe;

static bool
act(probe *p, char where)
{
  if (p->cancel_in == where) {
    p->transport->ops->cancel(p->exchange);
    p->exchange = NULL;
  }
  return p->refuse_in != where;
}

static void
on_sent(void *context, const inf_exchange_times *times, bool reused)
{
  probe *p = context;
  assert_int_equal(p->done, 0);
  assert_true(times->sent_ns >= times->start_ns);
  p->sent++;
  p->reused_at_sent = reused;
  act(p, 's');
}

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  probe *p = context;
  p->headers++;
  p->status = status;
  inf_sv type;
  if (inf_headers_get(headers, INF_SV("content-type"), &type))
    snprintf(p->type, sizeof p->type, "%.*s", (int)type.len, type.ptr);
  return act(p, 'h');
}

static bool
on_body(void *context, const char *ptr, size_t len)
{
  probe *p = context;
  assert_int_equal(p->headers, 1);
  if (p->bytes + len < sizeof p->body)
    memcpy(p->body + p->bytes, ptr, len);
  p->bytes += len;
  p->pieces++;
  return act(p, 'b');
}

static void
on_done(void *context, const inf_exchange_result *result)
{
  probe *p = context;
  p->exchange = NULL;
  p->done++;
  p->net = result->net;
  p->result = *result;
  assert_non_null(result->detail);
  snprintf(p->detail, sizeof p->detail, "%s", result->detail);
}

static const inf_exchange_events events = {on_sent, on_headers, on_body,
                                           on_done};

static inf_transport *
make_transport(void)
{
  inf_curl_options options = {
      .clock = inf_clock_system(),
      .max_header_bytes = 64 << 10,
      .max_idle_connections = 16,
  };
  inf_transport *transport = inf_curl_transport_new(&options);
  assert_non_null(transport);
  return transport;
}

static const inf_endpoint plain = {.tls_verify = true, .compression = true};
static char url[256];

static const char *
url_of(const tiny_server *server, const char *scheme, const char *host)
{
  snprintf(url, sizeof url, "%s://%s:%d/v1/x", scheme, host, tiny_port(server));
  return url;
}

static void
start_fresh(probe *p, inf_transport *transport, const char *at,
            const inf_endpoint *endpoint, bool fresh)
{
  static const char headers[] = "Content-Type: application/json\0X-Test: 1";
  memset(p, 0, sizeof *p);
  p->transport = transport;
  inf_http_request request = {
      .method = "POST",
      .url = at,
      .headers = inf_sv_of(headers, sizeof headers),
      .body = INF_SV("{\"a\":1}"),
      .endpoint = endpoint,
      .fresh_connection = fresh,
  };
  p->exchange = transport->ops->start(transport, &request, &events, p);
  assert_non_null(p->exchange);
  assert_int_equal(p->done + p->sent, 0);
}

static void
start(probe *p, inf_transport *transport, const char *at,
      const inf_endpoint *endpoint)
{
  start_fresh(p, transport, at, endpoint, false);
}

static uint64_t
now_ms(void)
{
  return inf_clock_now(inf_clock_system()) / INF_NS_PER_MS;
}

/* Runs until *count is reached, or for ms. */
static void
run_until(inf_transport *transport, const int *count, int want, uint64_t ms)
{
  uint64_t until = now_ms() + ms;
  while (*count < want && now_ms() < until)
    transport->ops->run(transport, 20 * INF_NS_PER_MS);
}

static void
run_for(inf_transport *transport, uint64_t ms)
{
  int never = 0;
  run_until(transport, &never, 1, ms);
}

static void
fetch(probe *p, inf_transport *transport, const char *at,
      const inf_endpoint *endpoint)
{
  start(p, transport, at, endpoint);
  run_until(transport, &p->done, 1, 10000);
  assert_int_equal(p->done, 1);
}

/* ---- Plain exchanges ----------------------------------------------------- */

static void
serve_ok(tiny_conn *conn)
{
  while (tiny_read(conn))
    if (!tiny_answer(conn, "hello"))
      return;
}

static void
test_reuse(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_ok, NULL, NULL);
  inf_transport *transport = make_transport();
  probe p;
  for (int i = 0; i < 5; i++) {
    fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
    assert_int_equal(p.net, INF_NET_OK);
    assert_int_equal(p.status, 200);
    assert_int_equal(p.headers, 1);
    assert_memory_equal(p.body, "hello", 5);
    assert_int_equal(p.result.reused_connection, i > 0);
    assert_int_equal(p.reused_at_sent, i > 0);
    assert_true(p.result.sent && p.result.response_begun);
    assert_true(p.result.times.first_byte_ns >= p.result.times.sent_ns);
  }
  assert_int_equal(tiny_connections(server), 1);
  start_fresh(&p, transport, url, &plain, true);
  run_until(transport, &p.done, 1, 5000);
  assert_false(p.result.reused_connection);
  assert_int_equal(tiny_connections(server), 2);
  /* That was for one exchange only. */
  fetch(&p, transport, url, &plain);
  assert_true(p.result.reused_connection);
  assert_int_equal(tiny_connections(server), 2);
  transport->ops->free(transport);
  tiny_stop(server);
}

static char seen_head[16384], seen_body[65536];

static void
serve_and_keep(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    snprintf(seen_head, sizeof seen_head, "%s", conn->head);
    snprintf(seen_body, sizeof seen_body, "%s", conn->body);
    tiny_answer(conn, "ok");
  }
}

static void
test_request_on_the_wire(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_and_keep, NULL, NULL);
  inf_transport *transport = make_transport();
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  probe p;
  fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  assert_int_equal(p.net, INF_NET_OK);
  assert_non_null(strstr(seen_head, "POST /v1/x HTTP/1.1\r\n"));
  assert_non_null(strstr(seen_head, "\r\nX-Test: 1\r\n"));
  assert_non_null(strstr(seen_head, "\r\nContent-Length: 7\r\n"));
  assert_non_null(strstr(seen_head, "\r\nAccept-Encoding: gzip\r\n"));
  assert_null(strstr(seen_head, "Expect"));
  assert_string_equal(seen_body, "{\"a\":1}");
  transport->ops->free(transport);
  tiny_stop(server);
}

static void
serve_informational(tiny_conn *conn)
{
  tiny_read(conn);
  tiny_puts(conn, "HTTP/1.1 100 Continue\r\n\r\n"
                  "HTTP/1.1 103 Early Hints\r\nContent-Type: wrong\r\n\r\n"
                  "HTTP/1.1 201 Created\r\nContent-Type: right\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n0\r\nTrailer: yes\r\n\r\n");
}

static void
test_informational_answers_and_trailers(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_informational, NULL, NULL);
  inf_transport *transport = make_transport();
  probe p;
  fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
  assert_int_equal(p.net, INF_NET_OK);
  assert_int_equal(p.status, 201);
  assert_int_equal(p.headers, 1);
  assert_string_equal(p.type, "right");
  assert_int_equal(p.bytes, 3);
  transport->ops->free(transport);
  tiny_stop(server);
}

static void
serve_gzip(tiny_conn *conn)
{
  static const char text[] = "compressed text, compressed text, compressed";
  unsigned char out[256];
  z_stream z = {0};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = (unsigned char *)(uintptr_t)text;
  z.avail_in = sizeof text - 1;
  z.next_out = out;
  z.avail_out = sizeof out;
  deflate(&z, Z_FINISH);
  size_t len = sizeof out - z.avail_out;
  deflateEnd(&z);
  while (tiny_read(conn)) {
    bool cut = strstr(conn->head, "/cut") != NULL;
    size_t n = cut ? len / 2 : len;
    char head[200];
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
             "Content-Length: %zu\r\n\r\n",
             n);
    tiny_puts(conn, head);
    tiny_write(conn, (const char *)out, n);
  }
}

static void
test_gzip(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_gzip, NULL, NULL);
  inf_transport *transport = make_transport();
  probe p;
  fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
  assert_int_equal(p.net, INF_NET_OK);
  assert_memory_equal(p.body, "compressed text, compressed text, compressed",
                      44);
  transport->ops->free(transport);
  tiny_stop(server);
}

/* ---- Failures ------------------------------------------------------------ */

static void
serve_then_reset(tiny_conn *conn)
{
  if (!tiny_read(conn))
    return;
  tiny_answer(conn, "first");
  if (tiny_read(conn)) /* the second request on this connection */
    tiny_reset(conn);
}

static void
test_stale_connection_is_not_resent(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_then_reset, NULL, NULL);
  inf_transport *transport = make_transport();
  probe p;
  fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
  assert_int_equal(p.net, INF_NET_OK);
  fetch(&p, transport, url, &plain);
  assert_int_equal(p.net, INF_NET_RESET);
  assert_true(p.result.reused_connection);
  assert_false(p.result.response_begun);
  assert_true(p.result.sent);
  assert_int_equal(p.sent, 1);
  run_for(transport, 100);
  assert_int_equal(tiny_requests(server), 2); /* one for each exchange */
  transport->ops->free(transport);
  tiny_stop(server);
}

/* What the server does with its only request. */
static void
serve_path(tiny_conn *conn)
{
  tiny_read(conn);
  const char *how = conn->context;
  if (strcmp(how, "reset") == 0)
    tiny_reset(conn);
  else if (strcmp(how, "close") == 0)
    return;
  else if (strcmp(how, "reset-after-headers") == 0) {
    tiny_puts(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    tiny_sleep_ms(50);
    tiny_reset(conn);
  } else if (strcmp(how, "short") == 0)
    tiny_puts(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  else if (strcmp(how, "chunk-cut") == 0)
    tiny_puts(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "a\r\nabc");
  else if (strcmp(how, "chunk-bad") == 0)
    tiny_puts(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "zz\r\nabc");
  else if (strcmp(how, "garbage") == 0)
    tiny_puts(conn, "SSH-2.0-OpenSSH\r\n\r\n");
  else if (strcmp(how, "bad-gzip") == 0)
    tiny_puts(conn, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                    "Content-Length: 5\r\n\r\nhello");
  else if (strcmp(how, "huge-headers") == 0) {
    tiny_puts(conn, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; i++)
      if (!tiny_puts(conn, "X-Filler: 0123456789012345678901234567890123456789"
                           "0123456789\r\n"))
        return;
    tiny_puts(conn, "\r\n");
  }
}

static void
test_broken_answers(void **state)
{
  (void)state;
  static const struct {
    const char *how;
    inf_net net;
    bool response_begun;
  } cases[] = {
      {"reset", INF_NET_RESET, false},
      {"close", INF_NET_RESET, false},
      {"reset-after-headers", INF_NET_PARTIAL, true},
      {"short", INF_NET_PARTIAL, true},
      {"chunk-cut", INF_NET_PARTIAL, true},
      {"chunk-bad", INF_NET_PROTOCOL, true},
      {"garbage", INF_NET_PROTOCOL, false},
      {"bad-gzip", INF_NET_PROTOCOL, true},
      {"huge-headers", INF_NET_TOO_LARGE, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    tiny_server *server =
        tiny_start(serve_path, (void *)(uintptr_t)cases[i].how, NULL);
    inf_transport *transport = make_transport();
    probe p;
    fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
    if (p.net != cases[i].net)
      fail_msg("%s: net %d, not %d (%s)", cases[i].how, (int)p.net,
               (int)cases[i].net, p.detail);
    assert_int_equal(p.result.response_begun, cases[i].response_begun);
    assert_false(p.result.reused_connection);
    assert_true(strlen(p.detail) > 0);
    transport->ops->free(transport);
    tiny_stop(server);
  }
}

static void
test_refused_unresolved_and_bad_urls(void **state)
{
  (void)state;
  inf_transport *transport = make_transport();
  probe p;
  fetch(&p, transport, "http://127.0.0.1:1/v1", &plain);
  assert_int_equal(p.net, INF_NET_CONNECT);
  assert_false(p.result.sent);
  fetch(&p, transport, "http://no-such-host.invalid/v1", &plain);
  assert_int_equal(p.net, INF_NET_RESOLVE);
  fetch(&p, transport, "ftp://127.0.0.1/", &plain);
  assert_int_equal(p.net, INF_NET_BAD_URL);
  fetch(&p, transport, "http://[broken/", &plain);
  assert_int_equal(p.net, INF_NET_BAD_URL);
  assert_int_equal(p.sent, 0);
  transport->ops->free(transport);
}

/* ---- Ways to connect ----------------------------------------------------- */

static void
test_unix_socket_ipv6_and_fixed_addresses(void **state)
{
  (void)state;
  inf_transport *transport = make_transport();
  char path[64];
  snprintf(path, sizeof path, "/tmp/tiny-%d.sock", (int)getpid());
  tiny_server *local =
      tiny_start(serve_ok, NULL, &(tiny_options){.unix_path = path});
  inf_endpoint endpoint = plain;
  endpoint.unix_socket = path;
  probe p;
  fetch(&p, transport, "http://anything/v1", &endpoint);
  assert_int_equal(p.net, INF_NET_OK);
  assert_int_equal(tiny_requests(local), 1);
  tiny_stop(local);
  unlink(path);

  tiny_server *server = tiny_start(serve_ok, NULL, NULL);
  char line[128];
  snprintf(line, sizeof line, "api.fixed.test:%d:127.0.0.1", tiny_port(server));
  const char *resolve[] = {line, NULL};
  endpoint = plain;
  endpoint.resolve = resolve;
  fetch(&p, transport, url_of(server, "http", "api.fixed.test"), &endpoint);
  assert_int_equal(p.net, INF_NET_OK);
  tiny_stop(server);

  tiny_server *six = tiny_start(serve_ok, NULL, &(tiny_options){.ipv6 = true});
  if (six) {
    fetch(&p, transport, url_of(six, "http", "[::1]"), &plain);
    assert_int_equal(p.net, INF_NET_OK);
    tiny_stop(six);
  } else {
    print_message("SKIP: no IPv6 on the loopback interface\n");
  }
  transport->ops->free(transport);
}

/* A proxy that answers by itself: CONNECT is not spoken here, a plain proxy
 * gets the whole URL. */
static void
test_http_proxy(void **state)
{
  (void)state;
  tiny_server *proxy = tiny_start(serve_and_keep, NULL, NULL);
  inf_transport *transport = make_transport();
  char proxy_url[64];
  snprintf(proxy_url, sizeof proxy_url, "http://127.0.0.1:%d",
           tiny_port(proxy));
  inf_endpoint endpoint = plain;
  endpoint.proxy = proxy_url;
  probe p;
  fetch(&p, transport, "http://far.invalid/v1/x", &endpoint);
  assert_int_equal(p.net, INF_NET_OK);
  assert_non_null(strstr(seen_head, "POST http://far.invalid/v1/x HTTP/1.1"));
  endpoint.no_proxy = "far.invalid";
  fetch(&p, transport, "http://far.invalid/v1/x", &endpoint);
  assert_int_equal(p.net, INF_NET_RESOLVE);
  transport->ops->free(transport);
  tiny_stop(proxy);
}

/* ---- TLS ----------------------------------------------------------------- */

static char cert_dir[64];

static const char *
cert(const char *name)
{
  static char paths[8][128];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", cert_dir, name);
  return path;
}

static char *
read_file(const char *path)
{
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  char *text = calloc(1, 8192);
  assert_true(fread(text, 1, 8191, file) > 0);
  fclose(file);
  return text;
}

static void
test_tls(void **state)
{
  (void)state;
  tiny_options options = {.cert_file = cert("server.pem"),
                          .key_file = cert("server.key")};
  tiny_server *server = tiny_start(serve_ok, NULL, &options);
  assert_non_null(server);
  inf_transport *transport = make_transport();
  probe p;
  inf_endpoint endpoint = plain;
  fetch(&p, transport, url_of(server, "https", "localhost"), &endpoint);
  assert_int_equal(p.net, INF_NET_TLS_VERIFY);
  assert_int_equal(p.sent, 0);
  endpoint.ca_file = cert("other.pem");
  fetch(&p, transport, url, &endpoint);
  assert_int_equal(p.net, INF_NET_TLS_VERIFY);
  endpoint.ca_file = cert("ca.pem");
  fetch(&p, transport, url, &endpoint);
  assert_int_equal(p.net, INF_NET_OK);
  assert_true(p.result.times.tls_ns >= p.result.times.connect_ns);

  /* In memory, on a transport without connections to fall back on. */
  char *pem = read_file(cert("ca.pem")), *wrong = read_file(cert("other.pem"));
  endpoint.ca_file = NULL;
  endpoint.ca_pem = wrong;
  fetch(&p, transport, url, &endpoint);
  assert_int_equal(p.net, INF_NET_TLS_VERIFY);
  endpoint.ca_pem = pem;
  fetch(&p, transport, url, &endpoint);
  assert_int_equal(p.net, INF_NET_OK);
  fetch(&p, transport, url_of(server, "https", "127.0.0.2"), &endpoint);
  assert_int_equal(p.net, INF_NET_CONNECT);
  endpoint.ca_pem = NULL;
  endpoint.tls_verify = false;
  fetch(&p, transport, url_of(server, "https", "localhost"), &endpoint);
  assert_int_equal(p.net, INF_NET_OK);
  free(pem);
  free(wrong);
  transport->ops->free(transport);
  tiny_stop(server);
}

static void
test_tls_wrong_host_and_plain_server(void **state)
{
  (void)state;
  tiny_options options = {.cert_file = cert("server.pem"),
                          .key_file = cert("server.key")};
  tiny_server *server = tiny_start(serve_ok, NULL, &options);
  inf_transport *transport = make_transport();
  inf_endpoint endpoint = plain;
  char line[128];
  snprintf(line, sizeof line, "elsewhere.test:%d:127.0.0.1", tiny_port(server));
  const char *resolve[] = {line, NULL};
  endpoint.ca_file = cert("ca.pem");
  endpoint.resolve = resolve;
  probe p;
  fetch(&p, transport, url_of(server, "https", "elsewhere.test"), &endpoint);
  assert_int_equal(p.net, INF_NET_TLS_VERIFY);
  tiny_stop(server);

  server = tiny_start(serve_path, (void *)(uintptr_t) "garbage", NULL);
  start(&p, transport, url_of(server, "https", "127.0.0.1"), &plain);
  run_until(transport, &p.done, 1, 300);
  if (!p.done) /* the server still waits for a request it will not get */
    transport->ops->cancel(p.exchange);
  else
    assert_int_equal(p.net, INF_NET_TLS);
  assert_int_equal(p.sent, 0);
  transport->ops->free(transport);
  tiny_stop(server);
}

static void
test_client_certificate(void **state)
{
  (void)state;
  tiny_options options = {.cert_file = cert("server.pem"),
                          .key_file = cert("server.key"),
                          .client_ca_file = cert("ca.pem")};
  tiny_server *server = tiny_start(serve_ok, NULL, &options);
  inf_transport *transport = make_transport();
  inf_endpoint anonymous = plain;
  anonymous.ca_file = cert("ca.pem");
  inf_endpoint known = anonymous;
  known.client_cert = cert("client.pem");
  known.client_key = cert("client.key");
  probe p;
  fetch(&p, transport, url_of(server, "https", "localhost"), &known);
  assert_int_equal(p.net, INF_NET_OK);
  /* The connection of one identity is not used for another. */
  fetch(&p, transport, url, &anonymous);
  assert_int_not_equal(p.net, INF_NET_OK);
  assert_int_equal(tiny_requests(server), 1);
  transport->ops->free(transport);
  tiny_stop(server);
}

/* ---- Cancelling, pausing, waking ----------------------------------------- */

static void
serve_slowly(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    tiny_puts(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 5; i++) {
      tiny_sleep_ms(5);
      if (!tiny_puts(conn, "5\r\nabcde\r\n"))
        return;
    }
    tiny_puts(conn, "0\r\n\r\n");
  }
}

static void
test_cancel_in_each_callback(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_slowly, NULL, NULL);
  inf_transport *transport = make_transport();
  for (const char *where = "shb"; *where; where++) {
    probe p;
    start(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
    p.cancel_in = *where;
    run_for(transport, 150);
    assert_int_equal(p.done, 0);
    assert_null(p.exchange);
    assert_true(p.sent == 1 && p.pieces <= 1);
    start(&p, transport, url, &plain);
    p.refuse_in = *where;
    run_until(transport, &p.done, 1, 5000);
    assert_int_equal(p.net, *where == 's' ? INF_NET_OK : INF_NET_ABORTED);
  }
  transport->ops->free(transport);
  tiny_stop(server);
}

/* Runs until that many lookups hang. */
static void
await_lookups(inf_transport *transport, int count)
{
  uint64_t until = now_ms() + 5000;
  while (atomic_load(&hanging_lookups) < count && now_ms() < until)
    transport->ops->run(transport, 5 * INF_NS_PER_MS);
  assert_int_equal(atomic_load(&hanging_lookups), count);
}

/* Cancelling and freeing while a lookup hangs. The best of three rounds
 * counts: another process may have had the processor meanwhile. */
static void
test_cancel_and_free_with_a_hanging_lookup(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_ok, NULL, NULL);
  uint64_t cancel_ms = UINT64_MAX, free_ms = UINT64_MAX;
  for (int round = 0; round < 3; round++) {
    inf_transport *transport = make_transport();
    probe hanging, other;
    start(&hanging, transport, "http://a.hang.test/v1", &plain);
    await_lookups(transport, 1);
    fetch(&other, transport, url_of(server, "http", "127.0.0.1"), &plain);
    assert_int_equal(other.net, INF_NET_OK);
    uint64_t before = now_ms(), took;
    transport->ops->cancel(hanging.exchange);
    took = now_ms() - before;
    cancel_ms = took < cancel_ms ? took : cancel_ms;
    start(&hanging, transport, "http://b.hang.test/v1", &plain);
    await_lookups(transport, 2);
    before = now_ms();
    transport->ops->cancel(hanging.exchange);
    transport->ops->free(transport);
    took = now_ms() - before;
    free_ms = took < free_ms ? took : free_ms;
    assert_int_equal(hanging.done, 0);
    while (atomic_load(&hanging_lookups) > 0)
      tiny_sleep_ms(10);
  }
  assert_true(cancel_ms < 10);
  assert_true(free_ms < 10);
  tiny_stop(server);
}

static void
serve_much(tiny_conn *conn)
{
  static char block[65536];
  memset(block, 'x', sizeof block);
  tiny_read(conn);
  tiny_puts(conn, "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n");
  for (int i = 0; i < 512; i++)
    if (!tiny_write(conn, block, sizeof block))
      return;
}

static void
test_pause_and_resume(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_much, NULL, NULL);
  inf_transport *transport = make_transport();
  probe p;
  start(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
  while (p.bytes == 0)
    transport->ops->run(transport, 20 * INF_NS_PER_MS);
  transport->ops->set_paused(p.exchange, true);
  size_t at_pause = p.bytes;
  run_for(transport, 100);
  assert_true(p.bytes - at_pause <= 65536);
  size_t held = p.bytes;
  run_for(transport, 100);
  assert_int_equal(p.bytes, held);
  transport->ops->set_paused(p.exchange, false);
  assert_int_equal(p.bytes, held); /* nothing comes outside of run() */
  run_until(transport, &p.done, 1, 20000);
  assert_int_equal(p.net, INF_NET_OK);
  assert_int_equal(p.bytes, 33554432);
  transport->ops->free(transport);
  tiny_stop(server);
}

static void *
wake_later(void *context)
{
  inf_transport *transport = context;
  tiny_sleep_ms(50);
  for (int i = 0; i < 1000; i++)
    transport->ops->wake(transport);
  return NULL;
}

static void
test_wake(void **state)
{
  (void)state;
  inf_transport *transport = make_transport();
  pthread_t thread;
  uint64_t before = now_ms();
  pthread_create(&thread, NULL, wake_later, transport);
  transport->ops->run(transport, 10 * INF_NS_PER_S);
  assert_true(now_ms() - before < 5000);
  pthread_join(thread, NULL);
  transport->ops->run(transport, 0);
  before = now_ms();
  transport->ops->run(transport, 60 * INF_NS_PER_MS);
  assert_true(now_ms() - before >= 59);
  transport->ops->free(transport);
}

/* ---- Many ---------------------------------------------------------------- */

static void
test_a_thousand_at_once(void **state)
{
  (void)state;
  enum { many = 1000 };
  tiny_server *server = tiny_start(serve_slowly, NULL, NULL);
  inf_transport *transport = make_transport();
  probe *probes = calloc(many, sizeof *probes);
  assert_non_null(probes);
  url_of(server, "http", "127.0.0.1");
  for (int i = 0; i < many; i++)
    start(&probes[i], transport, url, &plain);
  uint64_t until = now_ms() + 60000;
  int done = 0;
  while (done < many && now_ms() < until) {
    transport->ops->run(transport, 20 * INF_NS_PER_MS);
    done = 0;
    for (int i = 0; i < many; i++)
      done += probes[i].done;
  }
  for (int i = 0; i < many; i++) {
    assert_int_equal(probes[i].net, INF_NET_OK);
    assert_int_equal(probes[i].bytes, 25);
  }
  assert_int_equal(tiny_requests(server), many);
  free(probes);
  transport->ops->free(transport);
  tiny_stop(server);
}

static int
entries(const char *path)
{
  DIR *dir = opendir(path);
  int count = 0;
  while (dir && readdir(dir))
    count++;
  if (dir)
    closedir(dir);
  return count;
}

static void
test_nothing_is_left(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_ok, NULL, NULL);
  probe p;
  int fds = 0, threads = 0;
  for (int i = 0; i < 100; i++) {
    inf_transport *transport = make_transport();
    fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
    transport->ops->free(transport);
    tiny_sleep_ms(2);
    if (i == 10) {
      fds = entries("/proc/self/fd");
      threads = entries("/proc/self/task");
    }
  }
  tiny_sleep_ms(50);
  assert_true(entries("/proc/self/fd") <= fds);
  assert_true(entries("/proc/self/task") <= threads);
  tiny_stop(server);
}

static void
test_retire_idle(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_ok, NULL, NULL);
  inf_transport *transport = make_transport();
  probe p;
  fetch(&p, transport, url_of(server, "http", "127.0.0.1"), &plain);
  transport->ops->retire_idle(transport);
  fetch(&p, transport, url, &plain);
  assert_false(p.result.reused_connection);
  fetch(&p, transport, url, &plain);
  fetch(&p, transport, url, &plain);
  assert_true(p.result.reused_connection);
  transport->ops->free(transport);
  tiny_stop(server);
}

static int
make_certificates(void **state)
{
  (void)state;
  snprintf(cert_dir, sizeof cert_dir, "/tmp/tiny-certs-XXXXXX");
  return mkdtemp(cert_dir) && tiny_make_certificates(cert_dir) ? 0 : -1;
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reuse),
      cmocka_unit_test(test_request_on_the_wire),
      cmocka_unit_test(test_informational_answers_and_trailers),
      cmocka_unit_test(test_gzip),
      cmocka_unit_test(test_stale_connection_is_not_resent),
      cmocka_unit_test(test_broken_answers),
      cmocka_unit_test(test_refused_unresolved_and_bad_urls),
      cmocka_unit_test(test_unix_socket_ipv6_and_fixed_addresses),
      cmocka_unit_test(test_http_proxy),
      cmocka_unit_test(test_tls),
      cmocka_unit_test(test_tls_wrong_host_and_plain_server),
      cmocka_unit_test(test_client_certificate),
      cmocka_unit_test(test_cancel_in_each_callback),
      cmocka_unit_test(test_cancel_and_free_with_a_hanging_lookup),
      cmocka_unit_test(test_pause_and_resume),
      cmocka_unit_test(test_wake),
      cmocka_unit_test(test_a_thousand_at_once),
      cmocka_unit_test(test_retire_idle),
      cmocka_unit_test(test_nothing_is_left),
  };
  return cmocka_run_group_tests(tests, make_certificates, NULL);
}
