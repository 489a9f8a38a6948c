/* SPDX-License-Identifier: MIT */
/* Where and how to connect, and that what belongs to one endpoint is never
 * used for another: addresses, authorities, certificates, proxies. */
#include "support/exchange_probe.h"
#include "support/tiny_server.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

static inf_transport *transport;
static char cert_dir[64];
static atomic_int proxy_questions; /* to the environment */
static bool no_room_for_get;       /* memory is short of its copy */

/* Both come before libc's for libcurl too. */
__attribute__((visibility("default"))) char *
strdup(const char *text)
{
  if (no_room_for_get && strcmp(text, "GET") == 0)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}

__attribute__((visibility("default"))) char *
getenv(const char *name)
{
  size_t len = strlen(name);
  if (len >= 6 && strcasecmp(name + len - 6, "_proxy") == 0)
    atomic_fetch_add(&proxy_questions, 1);
  for (char **at = environ; at && *at; at++)
    if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
      return *at + len + 1;
  return NULL;
}

static const char *
cert(const char *name)
{
  static char paths[16][128];
  static int next;
  char *path = paths[next++ % 16];
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

/* ---- Servers ------------------------------------------------------------- */

/* Answers with the common name of the client's certificate and whether the
 * TLS session was resumed. */
static void
serve_who(tiny_conn *conn)
{
  char name[64] = "nobody", answer[128];
  if (conn->ssl) {
    X509 *peer = SSL_get0_peer_certificate(conn->ssl);
    if (peer)
      X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName,
                                name, (int)sizeof name);
  }
  snprintf(answer, sizeof answer, "%s%s", name,
           conn->ssl && SSL_session_reused(conn->ssl) ? " resumed" : "");
  while (tiny_read(conn) && tiny_answer(conn, answer))
    ;
}

static int
connect_to(int port)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (void *)&address, sizeof address) != 0) {
    close(fd);
    fd = -1;
  }
  return fd;
}

static void
relay(int a, int b)
{
  struct pollfd fds[] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  char bytes[4096];
  while (poll(fds, 2, 10000) > 0)
    for (int i = 0; i < 2; i++) {
      if (!fds[i].revents)
        continue;
      ssize_t got = recv(fds[i].fd, bytes, sizeof bytes, 0);
      if (got <= 0 || send(fds[!i].fd, bytes, (size_t)got, MSG_NOSIGNAL) != got)
        return;
    }
}

static char proxy_head[16384];

/* A proxy: the host is always the loopback. Refuses to go to port 1. */
static void
serve_proxy(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    snprintf(proxy_head, sizeof proxy_head, "%s", conn->head);
    int port = 0;
    if (sscanf(conn->head, "CONNECT %*[^:]:%d", &port) != 1) {
      tiny_answer(conn, "from the proxy");
      continue;
    }
    if (port == 1) {
      tiny_puts(conn, "HTTP/1.1 407 Authenticate\r\nX-Proxy: yes\r\n"
                      "Content-Length: 0\r\n\r\n");
      continue;
    }
    int other = connect_to(port);
    tiny_puts(conn, "HTTP/1.1 200 Connected\r\nX-Proxy: yes\r\n\r\n");
    relay(conn->fd, other);
    close(other);
    return;
  }
}

static tiny_server *
start_tls(tiny_handler handler, bool clients, bool http2)
{
  tiny_options options = {.cert_file = cert("server.pem"),
                          .key_file = cert("server.key"),
                          .client_ca_file = clients ? cert("ca.pem") : NULL,
                          .http2 = http2};
  tiny_server *server = tiny_start(handler, NULL, &options);
  assert_non_null(server);
  return server;
}

static inf_endpoint
trusting(void)
{
  inf_endpoint endpoint = probe_endpoint();
  endpoint.ca_file = cert("ca.pem");
  return endpoint;
}

static inf_net
get(probe *p, const inf_endpoint *endpoint, const char *scheme,
    const char *host, const tiny_server *server)
{
  *p = (probe){0};
  probe_exchange(p, transport, endpoint, "{}", "%s://%s:%d/", scheme, host,
                 tiny_port(server));
  return p->result.net;
}

#define ASSERT_NET(wanted, got)                                              \
  do {                                                                       \
    inf_net net_now = (got);                                                 \
    if (net_now != (wanted))                                                 \
      fail_msg("net %d, not %d: %s", (int)net_now, (int)(wanted), p.detail); \
  } while (0)

/* ---- Addresses ----------------------------------------------------------- */

/* Two providers of one name, one with an address of its own. */
static void
test_fixed_addresses_are_not_shared(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(serve_who, NULL, NULL);
  char here[64], there[64], several[80];
  int port = tiny_port(server);
  snprintf(here, sizeof here, "api.test:%d:127.0.0.1", port);
  snprintf(there, sizeof there, "api.test:%d:127.0.0.3", port);
  snprintf(several, sizeof several, "api.test:%d:127.0.0.3,127.0.0.1", port);
  const char *to_here[] = {here, NULL}, *to_there[] = {there, NULL};
  const char *to_several[] = {"other.test:1:127.0.0.9", several, NULL};
  inf_endpoint plain = probe_endpoint(), a = plain, b = plain, c = plain;
  a.resolve = to_here;
  b.resolve = to_there;
  c.resolve = to_several;
  probe p;
  for (int i = 0; i < 2; i++) {
    ASSERT_NET(INF_NET_OK, get(&p, &a, "http", "api.test", server));
    assert_int_equal(p.result.reused_connection, i);
    ASSERT_NET(INF_NET_CONNECT, get(&p, &b, "http", "api.test", server));
    ASSERT_NET(INF_NET_RESOLVE, get(&p, &plain, "http", "api.test", server));
    ASSERT_NET(INF_NET_OK, get(&p, &c, "http", "api.test", server));
    assert_int_equal(p.result.reused_connection, i);
  }
  tiny_stop(server);
}

static void
test_fixed_addresses_with_tls_and_ipv6(void **state)
{
  (void)state;
  tiny_options options = {.ipv6 = true,
                          .cert_file = cert("server.pem"),
                          .key_file = cert("server.key")};
  tiny_server *server = tiny_start(serve_who, NULL, &options);
  if (!server) {
    print_message("SKIP: no IPv6 on the loopback interface\n");
    return;
  }
  static const char *const forms[] = {"::1", "[::1]"};
  for (int i = 0; i < 2; i++) {
    char line[64];
    snprintf(line, sizeof line, "localhost:%d:%s", tiny_port(server), forms[i]);
    const char *lines[] = {line, NULL};
    inf_endpoint endpoint = trusting();
    endpoint.resolve = lines;
    probe p;
    ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "https", "localhost", server));
    /* The certificate is for the name of the URL. */
    snprintf(line, sizeof line, "wrong.test:%d:%s", tiny_port(server),
             forms[i]);
    ASSERT_NET(INF_NET_TLS_VERIFY,
               get(&p, &endpoint, "https", "wrong.test", server));
  }
  tiny_stop(server);
}

static void
serve_echo(tiny_conn *conn)
{
  char method[8], length[16], coding[16], answer[128];
  while (tiny_read(conn)) {
    if (!tiny_field(conn, "content-length", length, sizeof length))
      snprintf(length, sizeof length, "none");
    if (!tiny_field(conn, "accept-encoding", coding, sizeof coding))
      snprintf(coding, sizeof coding, "none");
    sscanf(conn->head, "%7s", method);
    snprintf(answer, sizeof answer, "%s %s %s %s", method, length, coding,
             strcasestr(conn->head, "expect") ? "expect" : "");
    tiny_answer(conn, answer);
  }
}

/* Handles are used again: nothing of one request is left in the next. */
static void
test_requests_on_one_handle(void **state)
{
  (void)state;
  static const struct {
    size_t body_len; /* 1: GET */
    bool gzip, fresh;
    const char *seen;
  } cases[] = {
      {2, false, false, "POST 2 none "},
      {1, false, false, "GET none none "},
      {70000, true, false, "POST 70000 gzip "},
      {2, true, false, "POST 2 gzip "},
      {0, false, false, "POST 0 none "},
      {1, true, false, "GET none gzip "},
      {70000, false, false, "POST 70000 none "},
      {0, false, true, "POST 0 none "},
      {2000000, false, false, "POST 2000000 none "},
      {2, false, false, "POST 2 none "},
  };
  tiny_server *server = tiny_start(serve_echo, NULL, NULL);
  char url[64], *body = calloc(1, 2000000);
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", tiny_port(server));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    inf_endpoint endpoint = probe_endpoint();
    endpoint.compression = cases[i].gzip;
    inf_http_request request = {
        .method = cases[i].body_len == 1 ? "GET" : "POST",
        .url = url,
        .body = {cases[i].body_len > 1 ? body : NULL,
                 cases[i].body_len > 1 ? cases[i].body_len : 0},
        .endpoint = &endpoint,
        .fresh_connection = cases[i].fresh};
    probe p = {0};
    probe_start_request(&p, transport, &request);
    probe_finish(&p);
    assert_string_equal(p.body, cases[i].seen);
    assert_int_equal(p.result.reused_connection, i > 0 && !cases[i].fresh);
  }
  free(body);
  tiny_stop(server);
}

/* It never becomes another method. */
static void
test_a_get_with_a_body(void **state)
{
  (void)state;
  static const char *const seen[] = {"GET 2 none ", "POST 2 none ",
                                     "GET 2 none "};
  tiny_server *server = tiny_start(serve_echo, NULL, NULL);
  inf_endpoint endpoint = probe_endpoint();
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", tiny_port(server));
  inf_http_request request = {
      .url = url, .body = {"{}", 2}, .endpoint = &endpoint};
  for (int i = 0; i < 3; i++) {
    probe p = {0};
    request.method = i == 1 ? "POST" : "GET";
    no_room_for_get = true;
    if (i != 1)
      assert_null(transport->ops->start(transport, &request, NULL, NULL));
    no_room_for_get = false;
    probe_start_request(&p, transport, &request);
    probe_finish(&p);
    assert_string_equal(p.body, seen[i]);
  }
  tiny_stop(server);
}

/* ---- TLS ----------------------------------------------------------------- */

/* A connection that one endpoint has verified is not for another that trusts
 * somebody else, whether told by file or in memory. */
static void
test_trust_is_not_shared(void **state)
{
  (void)state;
  tiny_server *server = start_tls(serve_who, false, false);
  char *good = read_file(cert("ca.pem")), *bad = read_file(cert("other.pem"));
  inf_endpoint by_file = trusting(), wrong_file = by_file;
  inf_endpoint by_text = probe_endpoint(), wrong_text = by_text;
  inf_endpoint system = by_text, careless = by_text;
  wrong_file.ca_file = cert("other.pem");
  by_text.ca_pem = good;
  wrong_text.ca_pem = bad;
  careless.tls_verify = false;
  probe p;
  for (int i = 0; i < 2; i++) {
    ASSERT_NET(INF_NET_OK, get(&p, &careless, "https", "localhost", server));
    assert_int_equal(p.result.reused_connection, i);
    ASSERT_NET(INF_NET_OK, get(&p, &by_file, "https", "localhost", server));
    assert_int_equal(p.result.reused_connection, i);
    ASSERT_NET(INF_NET_OK, get(&p, &by_text, "https", "localhost", server));
    assert_int_equal(p.result.reused_connection, i);
    inf_endpoint *distrusting[] = {&wrong_file, &wrong_text, &system};
    for (int j = 0; j < 3; j++) {
      ASSERT_NET(INF_NET_TLS_VERIFY,
                 get(&p, distrusting[j], "https", "localhost", server));
      assert_int_equal(p.sent, 0);
      assert_false(p.result.sent);
    }
  }
  /* The text counts, not where it stands. */
  char *copy = strdup(good);
  by_text.ca_pem = copy;
  ASSERT_NET(INF_NET_OK, get(&p, &by_text, "https", "localhost", server));
  assert_true(p.result.reused_connection);
  free(copy);
  free(good);
  free(bad);
  tiny_stop(server);
}

static void
test_identities_are_not_shared(void **state)
{
  (void)state;
  tiny_server *server = start_tls(serve_who, true, false);
  inf_endpoint nobody = trusting(), client = nobody, other = nobody;
  client.client_cert = cert("client.pem");
  client.client_key = cert("client.key");
  other.client_cert = cert("server.pem");
  other.client_key = cert("server.key");
  probe p;
  for (int i = 0; i < 2; i++) {
    ASSERT_NET(INF_NET_OK, get(&p, &client, "https", "localhost", server));
    assert_memory_equal(p.body, "client", 6);
    assert_int_equal(p.result.reused_connection, i);
    ASSERT_NET(INF_NET_OK, get(&p, &other, "https", "localhost", server));
    assert_memory_equal(p.body, "localhost", 9);
    /* TLS 1.3 tells only after the handshake; a reset may come first. */
    inf_net net = get(&p, &nobody, "https", "localhost", server);
    if (net != INF_NET_RESET)
      ASSERT_NET(INF_NET_TLS, net);
    assert_int_equal(p.headers, 0);
  }
  tiny_stop(server);
}

static void
test_files_that_are_missing(void **state)
{
  (void)state;
  tiny_server *server = start_tls(serve_who, false, false);
  inf_endpoint no_ca = probe_endpoint(), no_cert = trusting();
  no_ca.ca_file = cert("missing.pem");
  no_cert.client_cert = cert("missing.pem");
  probe p;
  ASSERT_NET(INF_NET_TLS_VERIFY, get(&p, &no_ca, "https", "localhost", server));
  ASSERT_NET(INF_NET_TLS, get(&p, &no_cert, "https", "localhost", server));
  assert_non_null(strstr(p.detail, "missing.pem"));
  tiny_stop(server);
}

static void
test_sessions_are_resumed(void **state)
{
  (void)state;
  tiny_server *server = start_tls(serve_who, false, false);
  inf_endpoint endpoint = trusting(), careless = trusting();
  careless.tls_verify = false;
  careless.ca_file = NULL;
  char url[64];
  snprintf(url, sizeof url, "https://localhost:%d/", tiny_port(server));
  inf_http_request request = {.method = "POST",
                              .url = url,
                              .body = INF_SV("{}"),
                              .endpoint = &endpoint,
                              .fresh_connection = true};
  for (int i = 0; i < 4; i++) {
    probe p = {0};
    if (i == 2)
      transport->ops->retire_idle(transport);
    if (i == 3) /* another endpoint has no part in it */
      request.endpoint = &careless;
    probe_start_request(&p, transport, &request);
    probe_finish(&p);
    assert_false(p.result.reused_connection);
    assert_string_equal(p.body, i == 0 || i == 3 ? "nobody" : "nobody resumed");
  }
  tiny_stop(server);
}

static void
test_times_are_in_order(void **state)
{
  (void)state;
  tiny_server *server = start_tls(serve_who, false, false);
  inf_endpoint endpoint = trusting();
  probe p;
  uint64_t before_ns = inf_clock_now(inf_clock_system());
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "https", "localhost", server));
  const inf_exchange_times *times = &p.result.times;
  uint64_t order[] = {before_ns,
                      times->start_ns,
                      times->lookup_ns,
                      times->connect_ns,
                      times->tls_ns,
                      times->sent_ns,
                      times->first_byte_ns,
                      inf_clock_now(inf_clock_system())};
  for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
    assert_true(order[i - 1] <= order[i]);
  assert_int_equal(p.sent_times.tls_ns, times->tls_ns);
  assert_int_equal(p.sent_times.sent_ns, times->sent_ns);
  assert_int_equal(p.sent_times.first_byte_ns, 0);
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "https", "localhost", server));
  assert_true(p.result.reused_connection);
  assert_int_equal(times->lookup_ns, 0);
  assert_int_equal(times->connect_ns, 0);
  assert_int_equal(times->tls_ns, 0);
  assert_true(times->start_ns <= times->sent_ns);
  assert_true(times->sent_ns <= times->first_byte_ns);
  tiny_stop(server);
}

/* ---- Proxies ------------------------------------------------------------- */

static void
test_tunnel(void **state)
{
  (void)state;
  tiny_server *server = start_tls(serve_who, false, false);
  tiny_server *proxy = tiny_start(serve_proxy, NULL, NULL);
  char url[64];
  snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%d",
           tiny_port(proxy));
  inf_endpoint direct = trusting(), endpoint = direct;
  endpoint.proxy = url;
  probe p;
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "https", "localhost", server));
  assert_string_equal(p.body, "nobody");
  assert_null(strstr(p.fields, "X-Proxy")); /* the proxy's answer is not ours */
  assert_non_null(strstr(proxy_head, "CONNECT localhost:"));
  assert_null(strstr(proxy_head, "X-Test")); /* nor our fields the proxy's */
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "https", "localhost", server));
  assert_true(p.result.reused_connection);
  /* What bypasses the proxy has its own connection. */
  ASSERT_NET(INF_NET_OK, get(&p, &direct, "https", "localhost", server));
  assert_false(p.result.reused_connection);
  endpoint.no_proxy = "localhost";
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "https", "localhost", server));
  assert_int_equal(tiny_connections(proxy), 1);
  tiny_stop(server);
  tiny_stop(proxy);
}

static void
test_proxy_that_refuses(void **state)
{
  (void)state;
  tiny_server *proxy = tiny_start(serve_proxy, NULL, NULL);
  char url[64];
  snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%d",
           tiny_port(proxy));
  inf_endpoint endpoint = trusting();
  endpoint.proxy = url;
  probe p = {0};
  probe_exchange(&p, transport, &endpoint, "{}", "https://localhost:1/");
  ASSERT_NET(INF_NET_CONNECT, p.result.net);
  assert_int_equal(p.headers + p.sent, 0);
  assert_non_null(strstr(p.detail, "407"));
  tiny_stop(proxy);
}

/* Whatever is wrong with a proxy or URL, its user and password stay out of
 * what people read. */
static void
test_no_secret_in_the_detail(void **state)
{
  (void)state;
  static const char *const proxies[] = {
      "htp://user:secret@127.0.0.1:1", "http://user:secret@127.0.0.1:1",
      "http://user:secret@127.0.0.1:99999", "http://user:secret@no.invalid:1",
      "http://user:secret@[::1:1"};
  static const char *const urls[] = {
      "http://user:secret@127.0.0.1:1/", "foo://user:secret@x/",
      "http://127.0.0.1:99999/?key=secret", "http://a b.test/?key=secret",
      "http://x.invalid/?key=secret"};
  for (size_t i = 0; i < 5; i++) {
    inf_endpoint endpoint = probe_endpoint();
    probe p = {0}, q = {0};
    probe_exchange(&q, transport, &endpoint, "{}", "%s", urls[i]);
    endpoint.proxy = proxies[i];
    probe_exchange(&p, transport, &endpoint, "{}", "http://127.0.0.1:1/");
    assert_int_not_equal(p.result.net, INF_NET_OK);
    assert_int_not_equal(q.result.net, INF_NET_OK);
    assert_null(strstr(p.detail, "secret"));
    assert_null(strstr(q.detail, "secret"));
    assert_true(strlen(p.detail) > 0 && strlen(q.detail) > 0);
  }
}

static void
test_the_environment_has_no_say(void **state)
{
  (void)state;
  static const char *const names[] = {"http_proxy", "https_proxy",
                                      "HTTPS_PROXY", "ALL_PROXY", "all_proxy"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    setenv(names[i], "http://127.0.0.1:1", 1);
  setenv("no_proxy", "*", 1);
  setenv("NO_PROXY", "*", 1);
  assert_non_null(getenv("http_proxy"));
  atomic_store(&proxy_questions, 0);
  tiny_server *plain = tiny_start(serve_who, NULL, NULL);
  tiny_server *tls = start_tls(serve_who, false, false);
  tiny_server *proxy = tiny_start(serve_proxy, NULL, NULL);
  inf_endpoint endpoint = trusting();
  probe p;
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "http", "127.0.0.1", plain));
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "https", "localhost", tls));
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d", tiny_port(proxy));
  endpoint.proxy = url; /* and no_proxy=* does not switch it off */
  ASSERT_NET(INF_NET_OK, get(&p, &endpoint, "http", "127.0.0.1", plain));
  assert_string_equal(p.body, "from the proxy");
  assert_int_equal(atomic_load(&proxy_questions), 0);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    unsetenv(names[i]);
  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
  tiny_stop(plain);
  tiny_stop(tls);
  tiny_stop(proxy);
}

/* ---- HTTP/2 -------------------------------------------------------------- */

static bool
read_all(SSL *ssl, unsigned char *to, size_t len)
{
  while (len > 0) {
    int got = SSL_read(ssl, to, (int)len);
    if (got <= 0)
      return false;
    to += got;
    len -= (size_t)got;
  }
  return true;
}

static void
send_frame(SSL *ssl, int type, int flags, uint32_t stream, const char *payload,
           size_t len)
{
  unsigned char frame[256] = {0, (unsigned char)(len >> 8), (unsigned char)len,
                              (unsigned char)type, (unsigned char)flags};
  uint32_t id = htonl(stream);
  memcpy(frame + 5, &id, 4);
  if (len > 0)
    memcpy(frame + 9, payload, len);
  SSL_write(ssl, frame, (int)(9 + len));
}

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, GOAWAY = 7 };
enum { END_STREAM = 1, END_HEADERS = 4 };

/* What the server does with the n-th request over all its connections:
 * 'o'k, 'r'efuse, reset the stream before the 'h'eaders or in the 'b'ody,
 * send an interim answer and 't'railers around the answer, 'c'lose. */
static const char *h2_script;
static atomic_int h2_requests;

static bool
serve_stream(SSL *ssl, uint32_t stream)
{
  static const char status_200[] = "\x88", status_103[] = "\x08\x03"
                                                          "103";
  static const char trailer[] = "\x40\x01t\x01v";
  int n = atomic_fetch_add(&h2_requests, 1);
  char how = (size_t)n < strlen(h2_script) ? h2_script[n] : 'o';
  if (how == 'c')
    return false;
  if (how == 'r' || how == 'h') {
    send_frame(ssl, RST_STREAM, 0, stream,
               how == 'r' ? "\0\0\0\x07" : "\0\0\0\x02", 4);
    return true;
  }
  if (how == 't')
    send_frame(ssl, HEADERS, END_HEADERS, stream, status_103, 5);
  send_frame(ssl, HEADERS, END_HEADERS, stream, status_200, 1);
  send_frame(ssl, DATA, how == 'o' ? END_STREAM : 0, stream, "hello", 5);
  if (how == 'b')
    send_frame(ssl, RST_STREAM, 0, stream, "\0\0\0\x02", 4);
  if (how == 't')
    send_frame(ssl, HEADERS, END_STREAM | END_HEADERS, stream, trailer, 5);
  return true;
}

static void
serve_http2(tiny_conn *conn)
{
  unsigned char head[24], payload[16384];
  if (!read_all(conn->ssl, head, 24)) /* the preface */
    return;
  send_frame(conn->ssl, SETTINGS, 0, 0, NULL, 0);
  while (read_all(conn->ssl, head, 9)) {
    size_t len = (size_t)(head[1] << 8 | head[2]);
    uint32_t stream;
    memcpy(&stream, head + 5, 4);
    if (len > sizeof payload || !read_all(conn->ssl, payload, len))
      return;
    if (head[3] == SETTINGS && !(head[4] & 1))
      send_frame(conn->ssl, SETTINGS, 1, 0, NULL, 0);
    bool whole = (head[3] == DATA || head[3] == HEADERS) && head[4] & 1;
    if (whole && !serve_stream(conn->ssl, ntohl(stream)))
      return;
  }
}

static void
test_http2(void **state)
{
  (void)state;
  static const struct {
    const char *script;
    inf_net net; /* of the last */
    bool reused, response_begun;
    int connections;
  } cases[] = {
      {"o", INF_NET_OK, false, true, 1},
      {"ooo", INF_NET_OK, true, true, 1},
      {"t", INF_NET_OK, false, true, 1},
      {"r", INF_NET_REFUSED_STREAM, false, false, 1},
      /* On a reused connection it could as well be broken. */
      {"or", INF_NET_RESET, true, false, 1},
      {"h", INF_NET_RESET, false, false, 1},
      {"b", INF_NET_PARTIAL, false, true, 1},
      {"oc", INF_NET_RESET, true, false, 1},
  };
  if (!inf_curl_has_http2()) {
    print_message("SKIP: libcurl without HTTP/2\n");
    return;
  }
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    h2_script = cases[i].script;
    atomic_store(&h2_requests, 0);
    tiny_server *server = start_tls(serve_http2, false, true);
    inf_endpoint endpoint = trusting();
    endpoint.http_version = 0;
    probe p;
    for (size_t j = 0; j < strlen(h2_script); j++)
      get(&p, &endpoint, "https", "localhost", server);
    if (p.result.net != cases[i].net)
      fail_msg("%s: net %d, not %d (%s)", h2_script, (int)p.result.net,
               (int)cases[i].net, p.detail);
    assert_int_equal(p.result.reused_connection, cases[i].reused);
    assert_int_equal(p.result.response_begun, cases[i].response_begun);
    assert_int_equal(atomic_load(&h2_requests), strlen(h2_script));
    assert_int_equal(tiny_connections(server), cases[i].connections);
    if (cases[i].net == INF_NET_OK)
      assert_string_equal(p.body, "hello");
    tiny_stop(server);
  }
}

static void
test_http1_only(void **state)
{
  (void)state;
  tiny_server *server = start_tls(serve_who, false, false);
  inf_endpoint negotiate = trusting();
  negotiate.http_version = 0;
  probe p;
  ASSERT_NET(INF_NET_OK, get(&p, &negotiate, "https", "localhost", server));
  assert_string_equal(p.body, "nobody");
  tiny_stop(server);
}

/* ---- Setup --------------------------------------------------------------- */

static int
set_up(void **state)
{
  (void)state;
  transport = probe_transport();
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  probe_transport_free(transport);
  return 0;
}

static int
make_certificates(void **state)
{
  (void)state;
  snprintf(cert_dir, sizeof cert_dir, "/tmp/infer-certs-XXXXXX");
  return mkdtemp(cert_dir) && tiny_make_certificates(cert_dir) ? 0 : -1;
}

static int
remove_certificates(void **state)
{
  (void)state;
  static const char *const names[] = {"ca.pem",     "other.pem",  "server.pem",
                                      "server.key", "client.pem", "client.key"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    unlink(cert(names[i]));
  return rmdir(cert_dir);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_fixed_addresses_are_not_shared),
      TEST(test_fixed_addresses_with_tls_and_ipv6),
      TEST(test_requests_on_one_handle),
      TEST(test_a_get_with_a_body),
      TEST(test_trust_is_not_shared),
      TEST(test_identities_are_not_shared),
      TEST(test_files_that_are_missing),
      TEST(test_sessions_are_resumed),
      TEST(test_times_are_in_order),
      TEST(test_tunnel),
      TEST(test_proxy_that_refuses),
      TEST(test_no_secret_in_the_detail),
      TEST(test_the_environment_has_no_say),
      TEST(test_http2),
      TEST(test_http1_only),
  };
  return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
