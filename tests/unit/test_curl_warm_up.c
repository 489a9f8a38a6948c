/* SPDX-License-Identifier: MIT */
/* Warm-ups at the level of the transport: what they send, what they leave, and
 * that the next exchange uses it. */
#include "support/exchange_probe.h"
#include "support/fail_alloc.h"
#include "support/tiny_server.h"

#include <dirent.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static inf_transport *transport;
static char folder[64], ca_file[80], cert_file[80], key_file[80];
static atomic_int heard_bytes, heard_requests; /* of HTTP/2, in all */

/* ---- Servers ------------------------------------------------------------- */

static void
serve_http1(tiny_conn *conn)
{
  while (tiny_read(conn) && tiny_answer(conn, "ok"))
    ;
}

static void
serve_silence(tiny_conn *conn)
{
  while (tiny_read(conn))
    ;
}

static bool
read_all(tiny_conn *conn, unsigned char *to, size_t len)
{
  for (size_t got = 0; got < len;) {
    int n = SSL_read(conn->ssl, to + got, (int)(len - got));
    if (n <= 0)
      return false;
    got += (size_t)n;
    atomic_fetch_add(&heard_bytes, n);
  }
  return true;
}

/* As much of HTTP/2 (RFC 9113) as answers each request with 200 and "ok". */
static void
serve_http2(tiny_conn *conn)
{
  enum { headers = 1, settings = 4, end_stream = 1, ack = 1 };
  static const char own_settings[] = "\0\0\0\4\0\0\0\0\0";
  static const char settings_ack[] = "\0\0\0\4\1\0\0\0\0";
  unsigned char preface[24], head[9], payload[16384];
  tiny_write(conn, own_settings, 9);
  if (!read_all(conn, preface, sizeof preface))
    return;
  while (read_all(conn, head, sizeof head)) {
    size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    if (len > sizeof payload || !read_all(conn, payload, len))
      return;
    if (head[3] == settings && !(head[4] & ack))
      tiny_write(conn, settings_ack, 9);
    if (head[3] != headers || !(head[4] & end_stream))
      continue;
    atomic_fetch_add(&heard_requests, 1);
    /* END_HEADERS with ":status: 200" of the static table, then DATA. */
    char answer[] = "\0\0\1\1\4\0\0\0\0\x88\0\0\2\0\1\0\0\0\0ok";
    memcpy(answer + 5, head + 5, 4);
    memcpy(answer + 15, head + 5, 4);
    tiny_write(conn, answer, sizeof answer - 1);
  }
}

/* ---- Set-up -------------------------------------------------------------- */

static int
make_folder(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/infer-warm-XXXXXX");
  if (!mkdtemp(folder) || !tiny_make_certificates(folder))
    return -1;
  snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
  snprintf(cert_file, sizeof cert_file, "%s/server.pem", folder);
  snprintf(key_file, sizeof key_file, "%s/server.key", folder);
  return 0;
}

static int
remove_folder(void **state)
{
  (void)state;
  DIR *dir = opendir(folder);
  for (struct dirent *entry; dir && (entry = readdir(dir));)
    if (entry->d_name[0] != '.')
      unlinkat(dirfd(dir), entry->d_name, 0);
  closedir(dir);
  return rmdir(folder);
}

static int
set_up(void **state)
{
  (void)state;
  atomic_store(&heard_bytes, 0);
  atomic_store(&heard_requests, 0);
  transport = probe_transport();
  return transport ? 0 : -1;
}

static int
tear_down(void **state)
{
  (void)state;
  probe_transport_free(transport);
  return 0;
}

typedef struct site {
  tiny_server *server;
  inf_endpoint endpoint;
  char url[80];
} site;

static site
start(tiny_handler handler, bool tls, bool http2)
{
  tiny_options options = {
      .cert_file = cert_file, .key_file = key_file, .http2 = http2};
  site s = {.server = tiny_start(handler, NULL, tls ? &options : NULL),
            .endpoint = probe_endpoint()};
  assert_non_null(s.server);
  s.endpoint.ca_file = tls ? ca_file : NULL;
  s.endpoint.http_version = http2 ? 0 : 1;
  snprintf(s.url, sizeof s.url, "%s://127.0.0.1:%d/x", tls ? "https" : "http",
           tiny_port(s.server));
  return s;
}

/* The probe of one exchange that has ended. */
static probe
run(const site *s, inf_warm_up warm_up, bool fresh)
{
  probe p = {0};
  inf_http_request request = {.method = "GET",
                              .url = s->url,
                              .endpoint = &s->endpoint,
                              .fresh_connection = fresh,
                              .warm_up = warm_up,
                              .warm_up_ms = 5000};
  p.sends_nothing = warm_up == INF_WARM_UP_CONNECT;
  probe_start_request(&p, transport, &request);
  assert_non_null(p.exchange);
  probe_finish(&p);
  return p;
}

/* Does an ordinary exchange find a connection? */
static bool
finds_connection(const site *s)
{
  probe p = run(s, INF_WARM_UP_NOT, false);
  assert_int_equal(p.result.net, INF_NET_OK);
  assert_int_equal(p.status, 200);
  assert_string_equal(p.body, "ok");
  return p.sent_reused;
}

/* ---- Tests --------------------------------------------------------------- */

static void
expect_heard(int bytes)
{
  double until_ms = probe_now_ms() + 10000;
  while (atomic_load(&heard_bytes) < bytes && probe_now_ms() < until_ms)
    tiny_sleep_ms(5);
  tiny_sleep_ms(100);
  assert_int_equal(atomic_load(&heard_bytes), bytes);
}

/* The client's preface (24 bytes), settings and window go out at once, the
 * acknowledgement of the server's (9 bytes) at the second look; no request. */
static void
test_http2_is_kept_without_a_request(void **state)
{
  (void)state;
  site s = start(serve_http2, true, true);
  probe p = run(&s, INF_WARM_UP_CONNECT, true);
  assert_int_equal(p.result.net, INF_NET_OK);
  assert_true(p.result.connection_kept);
  assert_string_equal(p.result.protocol, "h2");
  assert_false(p.result.sent);
  assert_int_equal(p.sent + p.headers + p.bodies, 0);
  assert_true(p.result.times.tls_ns > 0);
  tiny_sleep_ms(200);
  int first = atomic_load(&heard_bytes);
  assert_true(first >= 24 && atomic_load(&heard_requests) == 0);
  p = run(&s, INF_WARM_UP_CONNECT, false);
  assert_true(p.result.connection_kept && p.result.reused_connection);
  assert_string_equal(p.result.protocol, "h2");
  expect_heard(first + 9);
  assert_int_equal(atomic_load(&heard_requests), 0);
  assert_true(finds_connection(&s));
  assert_true(finds_connection(&s));
  assert_int_equal(tiny_connections(s.server), 1);
  /* One that was used is left as it is, too. */
  p = run(&s, INF_WARM_UP_CONNECT, false);
  assert_true(p.result.connection_kept && p.result.reused_connection);
  assert_true(finds_connection(&s));
  assert_int_equal(tiny_connections(s.server), 1);
  tiny_stop(s.server);
}

static void
test_http2_with_a_request(void **state)
{
  (void)state;
  site s = start(serve_http2, true, true);
  probe p = run(&s, INF_WARM_UP_REQUEST, false);
  if (p.status != 200)
    fail_msg("net %d: %s, %d bytes heard", (int)p.result.net, p.detail,
             atomic_load(&heard_bytes));
  assert_true(p.result.connection_kept);
  assert_string_equal(p.result.protocol, "h2");
  assert_true(finds_connection(&s));
  assert_int_equal(tiny_connections(s.server), 1);
  tiny_stop(s.server);
}

static void
test_http1_is_not_kept_without_a_request(void **state)
{
  (void)state;
  for (int tls = 0; tls < 2; tls++) {
    site s = start(serve_http1, tls, false);
    probe p = run(&s, INF_WARM_UP_CONNECT, true);
    assert_int_equal(p.result.net, INF_NET_OK);
    assert_false(p.result.connection_kept);
    assert_string_equal(p.result.protocol, "http/1.1");
    assert_int_equal(p.result.times.tls_ns > 0, tls);
    assert_int_equal(tiny_requests(s.server), 0);
    assert_false(finds_connection(&s));
    tiny_stop(s.server);
  }
}

static void
test_http1_is_kept_with_a_request(void **state)
{
  (void)state;
  for (int tls = 0; tls < 2; tls++) {
    site s = start(serve_http1, tls, false);
    probe p = run(&s, INF_WARM_UP_REQUEST, false);
    assert_true(p.result.connection_kept && !p.result.reused_connection);
    assert_string_equal(p.result.protocol, "http/1.1");
    p = run(&s, INF_WARM_UP_REQUEST, false);
    assert_true(p.result.connection_kept && p.result.reused_connection);
    assert_true(finds_connection(&s));
    assert_int_equal(tiny_connections(s.server), 1);
    tiny_stop(s.server);
  }
}

/* It ends by itself, and its limit is not that of later exchanges. */
static void
test_it_ends_in_time(void **state)
{
  (void)state;
  site s = start(serve_silence, false, false);
  probe p = {0}, q = {0};
  inf_http_request request = {.method = "GET",
                              .url = s.url,
                              .endpoint = &s.endpoint,
                              .warm_up = INF_WARM_UP_REQUEST,
                              .warm_up_ms = 300};
  probe_start_request(&p, transport, &request);
  probe_finish(&p);
  assert_int_equal(p.result.net, INF_NET_CONNECT);
  assert_false(p.result.connection_kept);
  assert_true(p.result.times.connect_ns > 0);
  request.warm_up = INF_WARM_UP_NOT;
  probe_start_request(&q, transport, &request);
  double until_ms = probe_now_ms() + 700;
  while (probe_now_ms() < until_ms)
    probe_run(transport, 50);
  assert_int_equal(q.done, 0);
  probe_cancel(&q);
  tiny_stop(s.server);
}

static void
test_nobody_there(void **state)
{
  (void)state;
  site s = start(serve_http1, false, false);
  tiny_stop(s.server);
  probe p = run(&s, INF_WARM_UP_CONNECT, true);
  assert_int_equal(p.result.net, INF_NET_CONNECT);
  assert_false(p.result.connection_kept);
  assert_null(p.result.protocol);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_http2_is_kept_without_a_request),
      TEST(test_http2_with_a_request),
      TEST(test_http1_is_not_kept_without_a_request),
      TEST(test_http1_is_kept_with_a_request),
      TEST(test_it_ends_in_time),
      TEST(test_nobody_there),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
