/* SPDX-License-Identifier: MIT */
/* How ends are classed: libcurl's codes by table and phase, and what a server
 * may send that is no proper answer. */
#include "support/exchange_probe.h"
#include "support/tiny_server.h"
#include "transport/curl_exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

/* ---- The table ----------------------------------------------------------- */

typedef enum phase {
  BEFORE,  /* not sent */
  SENT,    /* sent, nothing came */
  HEADERS, /* some of the headers came */
  BODY,
} phase;

static void
test_codes_by_phase(void **state)
{
  (void)state;
  static const struct {
    CURLcode code;
    inf_net nets[4]; /* by phase */
    const char *error;
  } cases[] = {
      {CURLE_OK,
       {INF_NET_RESET, INF_NET_RESET, INF_NET_PARTIAL, INF_NET_OK},
       ""},
      {CURLE_RECV_ERROR,
       {INF_NET_CONNECT, INF_NET_RESET, INF_NET_PARTIAL, INF_NET_PARTIAL},
       "Recv failure: Connection reset by peer"},
      {CURLE_RECV_ERROR,
       {INF_NET_PROTOCOL, INF_NET_PROTOCOL, INF_NET_PROTOCOL, INF_NET_PROTOCOL},
       "Illegal or missing hexadecimal sequence in chunked-encoding"},
      {CURLE_RECV_ERROR,
       {INF_NET_TLS, INF_NET_TLS, INF_NET_PARTIAL, INF_NET_PARTIAL},
       "OpenSSL SSL_read: tlsv13 alert certificate required"},
      {CURLE_RECV_ERROR,
       {INF_NET_CONNECT, INF_NET_RESET, INF_NET_TOO_LARGE, INF_NET_PARTIAL},
       "Too large response headers: 400000 > 307200"},
      {CURLE_SEND_ERROR,
       {INF_NET_CONNECT, INF_NET_RESET, INF_NET_PARTIAL, INF_NET_PARTIAL},
       ""},
      {CURLE_GOT_NOTHING,
       {INF_NET_CONNECT, INF_NET_RESET, INF_NET_PARTIAL, INF_NET_PARTIAL},
       ""},
      {CURLE_PARTIAL_FILE,
       {INF_NET_CONNECT, INF_NET_RESET, INF_NET_PARTIAL, INF_NET_PARTIAL},
       ""},
      {CURLE_HTTP2_STREAM,
       {INF_NET_CONNECT, INF_NET_RESET, INF_NET_PARTIAL, INF_NET_PARTIAL},
       ""},
      {CURLE_UNSUPPORTED_PROTOCOL,
       {INF_NET_BAD_URL, INF_NET_PROTOCOL, INF_NET_PROTOCOL, INF_NET_PROTOCOL},
       ""},
      {CURLE_OUT_OF_MEMORY,
       {INF_NET_NO_MEMORY, INF_NET_NO_MEMORY, INF_NET_TOO_LARGE,
        INF_NET_NO_MEMORY},
       ""},
      {CURLE_SEND_FAIL_REWIND,
       {INF_NET_REFUSED_STREAM, INF_NET_REFUSED_STREAM, INF_NET_REFUSED_STREAM,
        INF_NET_REFUSED_STREAM},
       ""},
      {CURLE_COULDNT_RESOLVE_HOST,
       {INF_NET_RESOLVE, INF_NET_RESOLVE, INF_NET_RESOLVE, INF_NET_RESOLVE},
       ""},
      {CURLE_PEER_FAILED_VERIFICATION,
       {INF_NET_TLS_VERIFY, INF_NET_TLS_VERIFY, INF_NET_TLS_VERIFY,
        INF_NET_TLS_VERIFY},
       ""},
      {CURLE_BAD_CONTENT_ENCODING,
       {INF_NET_PROTOCOL, INF_NET_PROTOCOL, INF_NET_PROTOCOL, INF_NET_PROTOCOL},
       ""},
  };
  inf_endpoint endpoint = probe_endpoint();
  CURL *easy = curl_easy_init();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (int at = BEFORE; at <= BODY; at++) {
      inf_exchange exchange = {.easy = easy,
                               .url = "http://x/",
                               .endpoint = &endpoint,
                               .sent = at >= SENT,
                               .response_begun = at >= HEADERS,
                               .headers_told = at >= BODY};
      snprintf(exchange.error, sizeof exchange.error, "%s", cases[i].error);
      inf_exchange_result result;
      inf_exchange_result_fill(&exchange, cases[i].code, &result);
      if (result.net != cases[i].nets[at])
        fail_msg("case %d, phase %d: net %d", (int)i, at, (int)result.net);
      assert_true(strlen(result.detail) > 0);
    }
  curl_easy_cleanup(easy);
}

static void
test_detail_is_one_line(void **state)
{
  (void)state;
  inf_endpoint endpoint = probe_endpoint();
  inf_exchange exchange = {.easy = curl_easy_init(),
                           .url = "http://x/",
                           .endpoint = &endpoint,
                           .error = "one\r\ntwo\x1b[2Jthree\x7f"};
  inf_exchange_result result;
  inf_exchange_result_fill(&exchange, CURLE_COULDNT_CONNECT, &result);
  assert_string_equal(result.detail, "one  two [2Jthree ");
  snprintf(exchange.error, sizeof exchange.error, "cannot reach http://x/");
  inf_exchange_result_fill(&exchange, CURLE_COULDNT_CONNECT, &result);
  assert_string_equal(result.detail, curl_easy_strerror(CURLE_COULDNT_CONNECT));
  curl_easy_cleanup(exchange.easy);
}

/* The address of a proxy may hold a password, and libcurl quotes it. */
static void
test_detail_does_not_quote_the_proxy(void **state)
{
  (void)state;
  inf_endpoint endpoint = probe_endpoint();
  endpoint.proxy = "http://user:secret@127.0.0.1:70000";
  inf_transport *transport = probe_transport();
  probe p = {0};
  probe_exchange(&p, transport, &endpoint, "{}", "http://127.0.0.1:1/");
  assert_int_not_equal(p.result.net, INF_NET_OK);
  assert_true(p.detail[0] != '\0');
  assert_null(strstr(p.detail, "secret"));
  probe_transport_free(transport);
}

/* ---- Answers that are none ----------------------------------------------- */

static void
fill(tiny_conn *conn, size_t len)
{
  static char filler[1024];
  memset(filler, 'f', sizeof filler);
  for (size_t left = len; left > 0;) {
    size_t now = left < sizeof filler ? left : sizeof filler;
    if (!tiny_write(conn, filler, now))
      return;
    left -= now;
  }
}

/* "@" in an answer stands for 150,000 bytes. */
static void
serve_text(tiny_conn *conn)
{
  if (!tiny_read(conn))
    return;
  for (const char *at = conn->context; *at;) {
    size_t len = strcspn(at, "@");
    tiny_write(conn, at, len);
    at += len;
    if (*at == '@') {
      fill(conn, 150000);
      at++;
    }
  }
}

typedef struct answer {
  const char *text;
  inf_net net;
  int status; /* told; 0: no headers were */
  const char *fields, *body;
} answer;

static void
check_answer(const answer *expected)
{
  tiny_server *server =
      tiny_start(serve_text, (void *)(uintptr_t)expected->text, NULL);
  inf_transport *transport = probe_transport();
  probe p = {0};
  probe_exchange(&p, transport, NULL, "{}", "http://127.0.0.1:%d/",
                 tiny_port(server));
  if (p.result.net != expected->net)
    fail_msg("%.60s: net %d, not %d (%s)", expected->text, (int)p.result.net,
             (int)expected->net, p.detail);
  assert_int_equal(p.status, expected->status);
  assert_int_equal(p.headers, expected->status != 0);
  if (expected->fields)
    assert_string_equal(p.fields, expected->fields);
  if (expected->body)
    assert_string_equal(p.body, expected->body);
  probe_transport_free(transport);
  tiny_stop(server);
}

static void
test_answers(void **state)
{
  (void)state;
  static const answer answers[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", INF_NET_OK, 200,
       "Content-Length: 0\n", ""},
      {"HTTP/1.1 204 No Content\r\n\r\n", INF_NET_OK, 204, "", ""},
      {"HTTP/1.1 429\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno",
       INF_NET_OK, 429, "Retry-After: 3\nContent-Length: 2\n", "no"},
      /* Framed by the end of the connection. */
      {"HTTP/1.0 200 OK\r\nA: 1\r\n\r\nuntil the end", INF_NET_OK, 200,
       "A: 1\n", "until the end"},
      /* Redirects are answers, not orders. */
      {"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:1/\r\n"
       "Content-Length: 0\r\n\r\n",
       INF_NET_OK, 307, NULL, ""},
      {"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
       "Content-Length: 0\r\n\r\n",
       INF_NET_OK, 401, NULL, ""},
      /* Fields that go on in the next line are cut, not misread. */
      {"HTTP/1.1 200 OK\r\nA: 1\r\n b: 2\r\nContent-Length: 0\r\n\r\n",
       INF_NET_OK, 200, "A: 1\nContent-Length: 0\n", ""},
      {"HTTP/1.1 102 Wait\r\nA: 1\r\n\r\nHTTP/1.1 102 Wait\r\n\r\n"
       "HTTP/1.1 200 OK\r\nB: 2\r\nContent-Length: 1\r\n\r\nx",
       INF_NET_OK, 200, "B: 2\nContent-Length: 1\n", "x"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
       "0\r\nHTTP/1.1: 500\r\nT: 1\r\n\r\n",
       INF_NET_OK, 200, "Transfer-Encoding: chunked\n", "x"},
      {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nabc", INF_NET_PROTOCOL, 0,
       "", ""},
      {"HTTP/1.1 100 Continue\r\n\r\n", INF_NET_PARTIAL, 0, "", ""},
      {"HTTP/1.1 200 OK\r\nA: 1\r\n", INF_NET_PARTIAL, 0, "", ""},
      {"HTTP/1.1 2", INF_NET_RESET, 0, "", ""},
      {"SSH-2.0-x\r\n", INF_NET_PROTOCOL, 0, "", ""},
      {"HTTP/9.9 200 OK\r\n\r\n", INF_NET_PROTOCOL, 0, "", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", INF_NET_PROTOCOL, 0, "",
       ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "fffffffffffffffffff\r\nabc",
       INF_NET_PROTOCOL, 200, NULL, ""},
      /* Over our limit of 64 KiB in pieces, over libcurl's in one. */
      {"HTTP/1.1 200 OK\r\nA: @\r\n\r\n", INF_NET_TOO_LARGE, 0, "", ""},
      {"HTTP/1.1 200 OK\r\nA: @@\r\n\r\n", INF_NET_TOO_LARGE, 0, "", ""},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n"
       "abc",
       INF_NET_OK, 200, NULL, "abc"},
  };
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
    check_answer(&answers[i]);
}

/* ---- Compression --------------------------------------------------------- */

static size_t
gzip_of(const char *text, unsigned char *out, size_t size)
{
  z_stream z = {0};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = (unsigned char *)(uintptr_t)text;
  z.avail_in = (unsigned)strlen(text);
  z.next_out = out;
  z.avail_out = (unsigned)size;
  deflate(&z, Z_FINISH);
  deflateEnd(&z);
  return size - z.avail_out;
}

typedef struct gzip_case {
  size_t cut;  /* bytes of the end left out, of the body and its framing */
  size_t flip; /* index of a byte that is changed; 0: none */
  inf_net net;
} gzip_case;

static void
serve_gzip(tiny_conn *conn)
{
  const gzip_case *how = conn->context;
  unsigned char bytes[512];
  char head[128];
  size_t len = gzip_of("compressed, compressed, compressed, and so on", bytes,
                       sizeof bytes) -
               how->cut;
  if (how->flip)
    bytes[how->flip] ^= 0x55;
  if (!tiny_read(conn))
    return;
  snprintf(head, sizeof head,
           "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
           "Content-Length: %zu\r\n\r\n",
           len);
  tiny_puts(conn, head);
  tiny_write(conn, (char *)bytes, len);
}

/* libcurl does not notice a gzip stream whose end is missing while the HTTP
 * framing is whole: then it is for those who read the text to see that it has
 * no end. A body of which the framing is cut is always told. */
static void
test_gzip_that_is_damaged(void **state)
{
  (void)state;
  static const gzip_case cases[] = {
      {0, 0, INF_NET_OK},
      {0, 1, INF_NET_PROTOCOL},  /* no gzip at all */
      {0, 14, INF_NET_PROTOCOL}, /* damaged in the midst */
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    tiny_server *server =
        tiny_start(serve_gzip, (void *)(uintptr_t)&cases[i], NULL);
    inf_transport *transport = probe_transport();
    inf_endpoint endpoint = probe_endpoint();
    endpoint.compression = true;
    probe p = {0};
    probe_exchange(&p, transport, &endpoint, "{}", "http://127.0.0.1:%d/",
                   tiny_port(server));
    if (p.result.net != cases[i].net)
      fail_msg("case %d: net %d (%s): %s", (int)i, (int)p.result.net, p.detail,
               p.body);
    probe_transport_free(transport);
    tiny_stop(server);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_codes_by_phase),
      cmocka_unit_test(test_detail_is_one_line),
      cmocka_unit_test(test_detail_does_not_quote_the_proxy),
      cmocka_unit_test(test_answers),
      cmocka_unit_test(test_gzip_that_is_damaged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
