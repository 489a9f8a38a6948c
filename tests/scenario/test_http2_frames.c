/* SPDX-License-Identifier: MIT */
/* HTTP/2 frames that no proper server sends on demand, and what the caller
 * sees of them. The server is a script of frames; the n-th request over all
 * its connections is number n, from 0. */
#include "world.h"

#include "support/h2_peer.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { wait_ms = 30000 };

typedef struct scripted {
  world w;
  tiny_server *server;
} scripted;

static atomic_int requests, resets;

static void
start_scripted(scripted *s, tiny_handler handler, const char *members)
{
  char config[1024], cert[128], key[128];
  memset(s, 0, sizeof *s);
  atomic_store(&requests, 0);
  atomic_store(&resets, 0);
  world_folder(&s->w);
  assert_true(tiny_make_certificates(s->w.folder));
  snprintf(cert, sizeof cert, "%s/server.pem", s->w.folder);
  snprintf(key, sizeof key, "%s/server.key", s->w.folder);
  tiny_options options = {.cert_file = cert, .key_file = key, .http2 = true};
  s->server = tiny_start(handler, NULL, &options);
  assert_non_null(s->server);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'https://localhost:%d/v1','ca_file':'$DIR/ca.pem'}]%s}",
           tiny_port(s->server), members);
  world_client(&s->w, config);
}

static void
end_scripted(scripted *s)
{
  infer_client_free(s->w.client);
  s->w.client = NULL;
  tiny_stop(s->server);
  world_end(&s->w);
}

#define NO_RETRY ",'defaults':{'retries':0,'recovery':'error'}"

/* ---- Answers ------------------------------------------------------------- */

static bool
say(h2_peer *peer, uint32_t stream, const char *text)
{
  char event[256];
  int len = snprintf(event, sizeof event,
                     "data: {\"choices\":[{\"index\":0,\"delta\":{"
                     "\"content\":\"%s\"}}]}\n\n",
                     text);
  return h2_data(peer, stream, event, (size_t)len, false);
}

static bool
finish(h2_peer *peer, uint32_t stream, bool end_stream)
{
  static const char last[] =
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":"
      "\"stop\"}]}\n\ndata: [DONE]\n\n";
  return h2_data(peer, stream, last, sizeof last - 1, end_stream);
}

static bool
answer(h2_peer *peer, uint32_t stream)
{
  return h2_head(peer, stream, 200, false) && say(peer, stream, "whole") &&
         finish(peer, stream, true);
}

/* The next request and its number. */
static uint32_t
next_request(h2_peer *peer, int *number)
{
  uint32_t stream = h2_request(peer, wait_ms);
  *number = stream ? atomic_fetch_add(&requests, 1) : -1;
  return stream;
}

/* ---- Calls --------------------------------------------------------------- */

static infer_call *
submit(scripted *s, int32_t mode, infer_queue *queue)
{
  infer_call *call;
  infer_request *request = world_request("p/m", "x");
  assert_int_equal(
      infer_submit(s->w.client, request, mode, queue, 0, &call, NULL),
      INFER_OK);
  infer_request_free(request);
  return call;
}

static void
expect_end(infer_call *call, int32_t status)
{
  infer_error *error = NULL;
  int32_t ended = infer_call_wait(call, wait_ms, NULL, &error);
  if (ended != status)
    fail_msg("%s, not %s: %s", infer_status_name(ended),
             infer_status_name(status),
             error ? infer_error_message(error) : "");
  infer_error_free(error);
  infer_call_free(call);
}

static void
expect_trail(scripted *s, bool run_once, const char *trail)
{
  infer_request *request = world_request("p/m", "x");
  infer_request_set_run_once(request, run_once);
  outcome o = world_run(&s->w, request, true);
  infer_request_free(request);
  assert_string_equal(outcome_trail(&o), trail);
  outcome_end(&o);
}

/* ---- Refused streams ----------------------------------------------------- */

static int refused_number;

static void
serve_refusal(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream;
  int number;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  while ((stream = next_request(&peer, &number)))
    if (number == refused_number)
      h2_reset(&peer, stream, H2_REFUSED_STREAM);
    else
      answer(&peer, stream);
}

/* Sent again at once, without a retry; also a request that may run only once,
 * for it did not run. But over a connection that was used before libcurl does
 * not tell a refusal from a break, and then that one may have run. */
static void
test_a_refused_stream_is_sent_again(void **state)
{
  (void)state;
  for (int run_once = 0; run_once < 2; run_once++)
    for (refused_number = 0; refused_number < 2; refused_number++) {
      scripted s;
      bool resent = !run_once || refused_number == 0;
      start_scripted(&s, serve_refusal, NO_RETRY);
      if (refused_number == 1)
        expect_trail(&s, run_once, "p/m first OK");
      expect_trail(&s, run_once,
                   resent ? "p/m first RESET, p/m resend OK"
                          : "p/m first RESET");
      assert_int_equal(atomic_load(&requests), refused_number + 1 + resent);
      end_scripted(&s);
    }
}

/* Breaks the connection instead: it may have run. */
static void
serve_break(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream;
  int number;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  while ((stream = next_request(&peer, &number)) && number != 1)
    answer(&peer, stream);
}

static void
test_a_broken_connection_is_no_refusal(void **state)
{
  (void)state;
  scripted s;
  start_scripted(&s, serve_break, NO_RETRY);
  expect_trail(&s, true, "p/m first OK");
  expect_trail(&s, true, "p/m first RESET");
  assert_int_equal(atomic_load(&requests), 2);
  end_scripted(&s);
}

/* ---- GOAWAY -------------------------------------------------------------- */

/* The first connection serves its first stream and tells the other two, before
 * it does so, that it will not serve them. */
static void
serve_goaway(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream, lowest = UINT32_MAX;
  int number;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  for (int i = 0; conn->number == 1 && i < 3; i++) {
    stream = next_request(&peer, &number);
    lowest = stream && stream < lowest ? stream : lowest;
  }
  if (conn->number == 1) {
    h2_goaway(&peer, lowest, H2_NO_ERROR);
    h2_head(&peer, lowest, 200, false);
    say(&peer, lowest, "first");
    tiny_sleep_ms(100);
    finish(&peer, lowest, true);
  }
  while ((stream = next_request(&peer, &number)))
    answer(&peer, stream);
}

static void
test_goaway_serves_some_and_leaves_some(void **state)
{
  (void)state;
  scripted s;
  infer_call *calls[3];
  start_scripted(&s, serve_goaway, NO_RETRY);
  for (int i = 0; i < 3; i++)
    calls[i] = submit(&s, INFER_SUBMIT_WHOLE, NULL);
  for (int i = 0; i < 3; i++)
    expect_end(calls[i], INFER_OK);
  assert_int_equal(atomic_load(&requests), 5);
  end_scripted(&s);
}

static void
serve_goaway_at_once(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream;
  int number;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  while ((stream = next_request(&peer, &number)))
    if (number == 0)
      h2_goaway(&peer, 0, H2_NO_ERROR);
    else
      answer(&peer, stream);
}

static void
test_goaway_over_a_new_connection(void **state)
{
  (void)state;
  scripted s;
  start_scripted(&s, serve_goaway_at_once, NO_RETRY);
  expect_trail(&s, false, "p/m first RESET, p/m resend OK");
  end_scripted(&s);
}

/* ---- RST_STREAM ---------------------------------------------------------- */

static uint32_t reset_code;
static bool reset_whole; /* after the end mark */

static void
serve_reset(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream;
  int number;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  while ((stream = next_request(&peer, &number))) {
    if (number > 0) {
      answer(&peer, stream);
      continue;
    }
    h2_head(&peer, stream, 200, false);
    say(&peer, stream, "half");
    if (reset_whole)
      finish(&peer, stream, false);
    else
      tiny_sleep_ms(100); /* it is to be seen */
    h2_reset(&peer, stream, reset_code);
  }
}

static const uint32_t codes[] = {H2_NO_ERROR, H2_INTERNAL_ERROR, H2_CANCEL,
                                 H2_ENHANCE_YOUR_CALM, H2_STREAM_CLOSED};
enum { code_count = sizeof codes / sizeof codes[0] };

static void
test_a_reset_amid_the_answer_cuts_it(void **state)
{
  (void)state;
  reset_whole = false;
  for (int i = 0; i < code_count; i++) {
    scripted s;
    reset_code = codes[i];
    start_scripted(&s, serve_reset, NO_RETRY);
    outcome o = world_stream(&s.w, "p/m");
    assert_int_equal(o.status, INFER_E_TRUNCATED);
    assert_string_equal(o.text, "half");
    assert_string_equal(infer_response_text(infer_error_partial(o.error), NULL),
                        "half");
    outcome_end(&o);
    /* The connection lives on. */
    expect_trail(&s, false, "p/m first OK");
    assert_int_equal(tiny_connections(s.server), 1);
    end_scripted(&s);
  }
}

static void
test_recovery_after_a_reset(void **state)
{
  (void)state;
  scripted s;
  reset_code = H2_INTERNAL_ERROR;
  reset_whole = false;
  start_scripted(&s, serve_reset,
                 ",'routes':{'r':{'targets':['p/m','p/n'],'recovery':"
                 "'restart'}}");
  outcome o = world_stream(&s.w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(o.restarts, 1);
  assert_string_equal(o.text, "whole");
  assert_string_equal(outcome_trail(&o),
                      "p/m first TRUNCATED, p/n recovery OK");
  outcome_end(&o);
  end_scripted(&s);
}

/* RFC 9113, 8.1: a server may reset a stream with NO_ERROR after a whole
 * answer. Whatever the code, a whole answer is whole. */
static void
test_a_reset_after_the_answer_does_no_harm(void **state)
{
  (void)state;
  reset_whole = true;
  for (int i = 0; i < code_count; i++) {
    scripted s;
    reset_code = codes[i];
    start_scripted(&s, serve_reset, NO_RETRY);
    outcome o = world_stream(&s.w, "p/m");
    assert_int_equal(o.status, INFER_OK);
    assert_string_equal(o.text, "half");
    outcome_end(&o);
    end_scripted(&s);
  }
}

/* ---- HTTP/1.1 ------------------------------------------------------------ */

#define UNARY                                                       \
  "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," \
  "\"content\":\"one\"},\"finish_reason\":\"stop\"}],\"usage\":{"   \
  "\"prompt_tokens\":1,\"completion_tokens\":1}}"

static void
serve_wants_http1(tiny_conn *conn)
{
  const unsigned char *name = NULL;
  unsigned len = 0;
  h2_peer peer;
  uint32_t stream;
  int number;
  SSL_get0_alpn_selected(conn->ssl, &name, &len);
  if (len != 2) {
    while (tiny_read(conn) && tiny_answer(conn, UNARY))
      ;
    return;
  }
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  while ((stream = next_request(&peer, &number)))
    h2_reset(&peer, stream, H2_HTTP_1_1_REQUIRED);
}

static void
test_http1_where_the_server_wants_it(void **state)
{
  (void)state;
  scripted s;
  start_scripted(&s, serve_wants_http1,
                 ",'defaults':{'retries':0,'upstream':'unary'}");
  outcome o = world_chat(&s.w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), "p/m first RESET, p/m resend OK");
  outcome_end(&o);
  o = world_chat(&s.w, "p/m");
  assert_string_equal(outcome_trail(&o), "p/m first OK");
  outcome_end(&o);
  assert_int_equal(atomic_load(&requests), 1); /* over HTTP/2 */
  assert_int_equal(tiny_requests(s.server), 2);
  end_scripted(&s);
}

/* ---- Silence ------------------------------------------------------------- */

/* The first connection answers no request. It gives no window beyond the 64
 * KiB that every connection begins with, so that it does not even take a long
 * one in. */
static void
serve_no_window(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream;
  int number;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  if (conn->number == 1)
    h2_linger(&peer, wait_ms);
  while (!peer.ended && (stream = next_request(&peer, &number)))
    answer(&peer, stream);
}

/* The next call does not go the way on which the one before got lost. */
static void
test_a_call_after_silence_goes_another_way(void **state)
{
  (void)state;
  enum { long_bytes = 200 << 10 };
  static char prompt[long_bytes + 1];
  memset(prompt, 'x', long_bytes);
  for (int i = 0; i < 2; i++) {
    scripted s;
    start_scripted(&s, serve_no_window,
                   ",'defaults':{'retries':0,'timeouts':{'first_token_ms':"
                   "1500}}");
    infer_request *request = world_request("p/m", i ? prompt : "short");
    outcome o = world_run(&s.w, request, true);
    infer_request_free(request);
    assert_int_equal(o.status, INFER_E_FIRST_TOKEN_TIMEOUT);
    outcome_end(&o);
    expect_trail(&s, false, "p/m first OK");
    assert_int_equal(tiny_connections(s.server), 2);
    end_scripted(&s);
  }
}

/* ---- Back-pressure ------------------------------------------------------- */

enum { flood_events = 400, piece = 16000 };

static atomic_int flooded;

/* Floods the first stream as far as the client lets it, and says a word on the
 * second for each piece; ends both. Further ones are answered. */
static void
serve_flood(tiny_conn *conn)
{
  static char event[piece + 128];
  h2_peer peer;
  uint32_t flood, other, stream;
  int number;
  int len = snprintf(event, sizeof event,
                     "data: {\"choices\":[{\"index\":0,\"delta\":{"
                     "\"content\":\"%0*d\"}}]}\n\n",
                     piece, 0);
  if (!h2_open(&peer, conn, H2_NO_LIMIT) ||
      !(flood = next_request(&peer, &number)))
    return;
  h2_head(&peer, flood, 200, false);
  say(&peer, flood, "0");
  if (!(other = next_request(&peer, &number)))
    return;
  h2_head(&peer, other, 200, false);
  for (int i = 0; i < flood_events && !h2_find(&peer, flood)->reset; i++) {
    h2_data_in_window(&peer, flood, event, (size_t)len, wait_ms);
    say(&peer, other, "1");
    atomic_store(&flooded, i + 1);
  }
  if (!h2_find(&peer, flood)->reset)
    finish(&peer, flood, true);
  finish(&peer, other, true);
  while ((stream = next_request(&peer, &number))) {
    atomic_store(&resets, h2_find(&peer, flood)->reset);
    answer(&peer, stream);
  }
}

/* A call that nobody reads, and one beside it that is read to its end. */
static infer_call *
flood_unread(scripted *s, infer_queue *queue)
{
  infer_call *unread = submit(s, INFER_SUBMIT_STREAM, queue);
  uint64_t until = world_now_ms() + wait_ms;
  while (atomic_load(&requests) < 1) {
    assert_true(world_now_ms() < until);
    infer_client_drive(s->w.client, 5);
  }
  outcome o = world_stream(&s->w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  assert_true(strlen(o.text) >= 1);
  outcome_end(&o);
  return unread;
}

static void
test_a_paused_stream_holds_up_no_other(void **state)
{
  (void)state;
  scripted s;
  infer_queue *queue;
  start_scripted(&s, serve_flood, ",'max_undelivered_bytes':65536");
  assert_int_equal(infer_queue_new(&queue, s.w.client), INFER_OK);
  infer_call *unread = flood_unread(&s, queue);
  assert_int_equal(infer_call_wait(unread, 0, NULL, NULL), INFER_E_TIMEOUT);
  /* And then it comes whole. */
  size_t got = 0;
  uint64_t until = world_now_ms() + wait_ms;
  for (bool done = false; !done;) {
    infer_event *event = NULL;
    size_t len = 0;
    assert_true(world_now_ms() < until);
    if (infer_queue_poll(queue, 1000, &event) != INFER_OK)
      continue;
    if (infer_event_type(event) == INFER_EVENT_TEXT)
      infer_event_text(event, &len);
    got += len;
    done = infer_event_type(event) == INFER_EVENT_DONE;
    infer_event_free(event);
  }
  expect_end(unread, INFER_OK);
  assert_int_equal(got, 1 + (size_t)flood_events * piece);
  assert_int_equal(tiny_connections(s.server), 1);
  infer_queue_free(queue);
  end_scripted(&s);
}

/* The cap ends the call that nobody reads, resets its stream, and leaves the
 * other and the connection alone. */
static void
test_the_cap_ends_the_paused_stream(void **state)
{
  (void)state;
  scripted s;
  infer_queue *queue;
  start_scripted(&s, serve_flood,
                 ",'max_undelivered_bytes':65536,'max_paused_bytes':4000000");
  assert_int_equal(infer_queue_new(&queue, s.w.client), INFER_OK);
  infer_call *unread = flood_unread(&s, queue);
  infer_error *error = NULL;
  assert_int_equal(infer_call_wait(unread, wait_ms, NULL, &error),
                   INFER_E_LIMIT);
  assert_non_null(strstr(infer_error_message(error), "max_paused_bytes"));
  assert_int_equal(infer_error_attempt_count(error), 1);
  const infer_response *partial = infer_error_partial(error);
  size_t len = 0;
  infer_response_text(partial, &len);
  assert_true(len >= 65536 / 2 && len < flood_events * piece);
  infer_error_free(error);
  infer_call_free(unread);
  expect_trail(&s, false, "p/m first OK");
  assert_int_equal(atomic_load(&resets), 1);
  assert_int_equal(tiny_connections(s.server), 1);
  /* The reader finds what had come, and the one end. */
  int dones = 0;
  infer_event *event;
  while (infer_queue_poll(queue, 0, &event) == INFER_OK) {
    assert_int_equal(dones, 0);
    dones += infer_event_type(event) == INFER_EVENT_DONE;
    infer_event_free(event);
  }
  assert_int_equal(dones, 1);
  infer_queue_free(queue);
  end_scripted(&s);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_refused_stream_is_sent_again),
      cmocka_unit_test(test_a_broken_connection_is_no_refusal),
      cmocka_unit_test(test_goaway_serves_some_and_leaves_some),
      cmocka_unit_test(test_goaway_over_a_new_connection),
      cmocka_unit_test(test_a_reset_amid_the_answer_cuts_it),
      cmocka_unit_test(test_recovery_after_a_reset),
      cmocka_unit_test(test_a_reset_after_the_answer_does_no_harm),
      cmocka_unit_test(test_http1_where_the_server_wants_it),
      cmocka_unit_test(test_a_call_after_silence_goes_another_way),
      cmocka_unit_test(test_a_paused_stream_holds_up_no_other),
      cmocka_unit_test(test_the_cap_ends_the_paused_stream),
  };
  world_forget_proxies();
  return cmocka_run_group_tests(tests, NULL, NULL);
}
