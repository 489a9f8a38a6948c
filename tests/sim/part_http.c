/* SPDX-License-Identifier: MIT */
/* The request parser, in every split. */
#include "part_util.h"

#include "sim_http.h"

static const char plain[] =
    "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n"
    "Content-Length: 11\r\n\r\nhello world";
#define text_of(array) inf_sv_of((array), sizeof(array) - 1)

static const char chunked[] =
    "\r\nPOST /c HTTP/1.1\nHost: a\nTransfer-Encoding: Chunked\n\n"
    "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";

/* Feeds in pieces cut at the given offset; the request must be whole exactly
 * at its last byte. */
static void
feed_split(inf_sim_http *http, inf_sv text, size_t at)
{
  size_t used = 0, more = 0;
  inf_sim_http_state state =
      inf_sim_http_feed(http, inf_sv_of(text.ptr, at), &used);
  if (at < text.len) {
    assert_int_equal(state, INF_SIM_HTTP_PARTIAL);
    assert_int_equal(used, at);
    state =
        inf_sim_http_feed(http, inf_sv_of(text.ptr + at, text.len - at), &more);
  }
  assert_int_equal(state, INF_SIM_HTTP_READY);
  assert_int_equal(used + more, text.len);
}

static void
any_split_gives_the_same(void **state)
{
  (void)state;
  inf_sim_http http;
  inf_sim_http_init(&http);
  for (size_t at = 0; at <= sizeof(plain) - 1; at++) {
    feed_split(&http, text_of(plain), at);
    assert_string_equal(inf_buf_cstr(&http.method), "POST");
    assert_string_equal(inf_buf_cstr(&http.target), "/v1/chat/completions?x=1");
    assert_string_equal(inf_buf_cstr(&http.body), "hello world");
    assert_int_equal(http.headers.count, 3);
    assert_true(http.keep_alive);
    inf_sim_http_reset(&http);
  }
  for (size_t at = 0; at <= sizeof(chunked) - 1; at++) {
    feed_split(&http, text_of(chunked), at);
    assert_string_equal(inf_buf_cstr(&http.target), "/c");
    assert_string_equal(inf_buf_cstr(&http.body), "hello world");
    inf_sim_http_reset(&http);
  }
  inf_sim_http_fini(&http);
}

static void
requests_follow_one_another(void **state)
{
  (void)state;
  inf_sim_http http;
  inf_sim_http_init(&http);
  static const char two[] = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                            "GET /2 HTTP/1.1\r\nHost: a\r\n"
                            "Connection: x, Close\r\n\r\n";
  size_t used = 0, again = 0;
  assert_int_equal(inf_sim_http_feed(&http, text_of(two), &used),
                   INF_SIM_HTTP_READY);
  assert_string_equal(inf_buf_cstr(&http.target), "/1");
  inf_sim_http_reset(&http);
  assert_false(inf_sim_http_begun(&http));
  assert_int_equal(
      inf_sim_http_feed(&http, inf_sv_of(two + used, sizeof(two) - 1 - used),
                        &again),
      INF_SIM_HTTP_READY);
  assert_int_equal(used + again, sizeof(two) - 1);
  assert_string_equal(inf_buf_cstr(&http.target), "/2");
  assert_false(http.keep_alive);
  inf_sim_http_fini(&http);
}

static void
what_a_careful_server_refuses(void **state)
{
  static const struct {
    const char *text;
    unsigned status;
  } cases[] = {
      {"GET\r\n", 400},
      {"GET  HTTP/1.1\r\n", 400},
      {"G(T / HTTP/1.1\r\n", 400},
      {"GET / HTTP/2.0\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : a\r\n", 400},
      {"GET / HTTP/1.1\r\n folded\r\n", 400},
      {"GET / HTTP/1.1\r\nnocolon\r\n", 400},
      {"GET / HTTP/1.1\r\nA: \x01\r\n", 400},
      {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n", 400},
      {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
       "1\r\n\r\n",
       400},
      {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       400},
      {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 134217729\r\n\r\n", 413},
      {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
       "chunked\r\n\r\n8000001\r\n",
       413},
      {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
       400},
      {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
       400},
      {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
       "chunked\r\n\r\n1\r\nab\r\n",
       400},
      {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
       "chunked\r\n\r\n123456789\r\n",
       400},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    inf_sim_http http;
    inf_sim_http_init(&http);
    size_t used = 0;
    inf_sim_http_state got =
        inf_sim_http_feed(&http, inf_sv_from(cases[i].text), &used);
    if (got != INF_SIM_HTTP_BAD || http.error_status != cases[i].status)
      fail_msg("%s gave %d, %u", cases[i].text, (int)got, http.error_status);
    assert_non_null(http.error);
    inf_sim_http_fini(&http);
  }
}

static void
heads_are_bounded(void **state)
{
  (void)state;
  inf_sim_http http;
  inf_sim_http_init(&http);
  size_t used = 0;
  inf_sim_http_state got =
      inf_sim_http_feed(&http, INF_SV("GET / HTTP/1.1\r\nHost: a\r\n"), &used);
  for (int i = 0; i < 10000 && got == INF_SIM_HTTP_PARTIAL; i++)
    got = inf_sim_http_feed(&http, INF_SV("A: 0123456789\r\n"), &used);
  assert_int_equal(got, INF_SIM_HTTP_BAD);
  assert_int_equal(http.error_status, 431);
  inf_sim_http_fini(&http);
}

static void
expectations(void **state)
{
  (void)state;
  inf_sim_http http;
  inf_sim_http_init(&http);
  size_t used = 0;
  inf_sim_http_feed(&http,
                    INF_SV("P / HTTP/1.1\r\nHost: a\r\nExpect: "
                           "100-Continue\r\nContent-Length: 2\r\n\r\n"),
                    &used);
  assert_true(http.wants_continue);
  inf_sim_http_reset(&http);
  inf_sim_http_feed(
      &http,
      INF_SV("P / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue"
             "\r\n\r\n"),
      &used);
  assert_false(http.wants_continue); /* there is no body */
  assert_true(http.http_1_0);
  assert_false(http.keep_alive);
  inf_sim_http_fini(&http);
}

static void
lists_of_words(void **state)
{
  (void)state;
  assert_true(inf_sim_http_lists(INF_SV("br, GZip;q=1"), INF_SV("gzip")));
  assert_false(inf_sim_http_lists(INF_SV("x-gzip,deflate"), INF_SV("gzip")));
  assert_false(inf_sim_http_lists(INF_SV(""), INF_SV("gzip")));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_split_gives_the_same),
      cmocka_unit_test(requests_follow_one_another),
      cmocka_unit_test(what_a_careful_server_refuses),
      cmocka_unit_test(heads_are_bounded),
      cmocka_unit_test(expectations),
      cmocka_unit_test(lists_of_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
