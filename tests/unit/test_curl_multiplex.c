/* SPDX-License-Identifier: MIT */
/* Which exchanges share a connection, and what one of them leaves behind on
 * it. */
#include "support/exchange_probe.h"
#include "support/h2_peer.h"
#include "transport/curl_exchange.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { wait_ms = 10000, crowd = 8 };

static char folder[64], files[4][128];
static inf_transport *transport;
static tiny_server *server;
static inf_endpoint endpoint;
static probe probes[crowd], other;
static atomic_bool silent; /* for serve_silence() */

/* ---- Servers ------------------------------------------------------------- */

/* Answers every stream at once. */
static void
serve_all(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  while ((stream = h2_request(&peer, wait_ms))) {
    h2_head(&peer, stream, 200, false);
    h2_data(&peer, stream, "hello", 5, true);
  }
}

static tiny_server *
start_server(tiny_handler handler, bool http2)
{
  tiny_options options = {
      .cert_file = files[0], .key_file = files[1], .http2 = http2};
  tiny_server *started = tiny_start(handler, NULL, &options);
  assert_non_null(started);
  return started;
}

static void
serve(tiny_handler handler)
{
  server = start_server(handler, true);
}

static void
start_to(probe *p, int port)
{
  *p = (probe){0};
  probe_start(p, transport, &endpoint, "{}", "https://localhost:%d/", port);
}

static void
start_crowd(int port)
{
  for (int i = 0; i < crowd; i++)
    start_to(&probes[i], port);
}

static void
finish_crowd(inf_net net)
{
  for (int i = 0; i < crowd; i++) {
    probe_finish(&probes[i]);
    assert_int_equal(probes[i].result.net, net);
  }
}

static void
run_for(double ms)
{
  for (double until = probe_now_ms() + ms; probe_now_ms() < until;)
    probe_run(transport, 10);
}

/* Runs until the count has been reached by a server's thread. */
static void
run_until(const atomic_int *count, int wanted)
{
  double until = probe_now_ms() + wait_ms;
  while (atomic_load(count) < wanted && probe_now_ms() < until)
    probe_run(transport, 10);
  assert_true(atomic_load(count) >= wanted);
}

/* Runs until exactly so much of a body has come. */
static void
run_until_len(const size_t *len, size_t wanted)
{
  double until = probe_now_ms() + wait_ms;
  while (*len < wanted && probe_now_ms() < until)
    probe_run(transport, 10);
  assert_int_equal(*len, wanted);
}

static inf_curl *
inside(void)
{
  return (inf_curl *)(void *)transport;
}

/* ---- Sharing ------------------------------------------------------------- */

static void
those_that_begin_together_share(void **state)
{
  (void)state;
  serve(serve_all);
  start_crowd(tiny_port(server));
  assert_true(probe_run_until(transport, &probes[0].sent, 1));
  assert_true(inf_list_empty(&inside()->leaders)); /* all go, none waits */
  finish_crowd(INF_NET_OK);
  assert_int_equal(tiny_connections(server), 1);
  for (int i = 0; i < crowd; i++)
    assert_int_equal(probes[i].result.reused_connection, i > 0);
}

static void
a_fresh_one_waits_for_nobody(void **state)
{
  (void)state;
  serve(serve_all);
  char url[64];
  snprintf(url, sizeof url, "https://localhost:%d/", tiny_port(server));
  inf_http_request request = {.method = "GET",
                              .url = url,
                              .headers = INF_SV(""),
                              .endpoint = &endpoint,
                              .fresh_connection = true};
  for (int i = 0; i < 3; i++) {
    probes[i] = (probe){0};
    probe_start_request(&probes[i], transport, &request);
  }
  for (int i = 0; i < 3; i++)
    probe_finish(&probes[i]);
  assert_int_equal(tiny_connections(server), 3);
}

static void
one_that_is_cancelled_hands_over_the_lead(void **state)
{
  (void)state;
  serve(serve_all);
  start_crowd(tiny_port(server));
  probe_cancel(&probes[0]); /* the leader, then one that follows */
  probe_cancel(&probes[3]);
  for (int i = 0; i < crowd; i++)
    if (!probes[i].cancelled)
      probe_finish(&probes[i]);
  /* Whether the first one's came about is a matter of time. */
  assert_in_range(tiny_connections(server), 1, 2);
}

static void
drop(tiny_conn *conn)
{
  (void)conn;
}

/* All at once, not one after the other. */
static void
followers_of_one_that_fails_go_their_own_way(void **state)
{
  (void)state;
  server = start_server(drop, false);
  inf_endpoint trusts_nobody = endpoint;
  trusts_nobody.ca_file = files[3];
  for (int i = 0; i < crowd; i++) {
    probes[i] = (probe){0};
    probe_start(&probes[i], transport, &trusts_nobody, "{}",
                "https://localhost:%d/", tiny_port(server));
  }
  probe_finish(&probes[0]);
  assert_int_equal(probes[0].result.net, INF_NET_TLS_VERIFY);
  assert_true(inf_list_empty(&inside()->leaders));
  finish_crowd(INF_NET_TLS_VERIFY);
  assert_int_equal(tiny_connections(server), crowd);
}

/* Accepts and says nothing until told. */
static void
serve_silence(tiny_conn *conn)
{
  (void)conn;
  while (atomic_load(&silent))
    tiny_sleep_ms(5);
}

static void
a_silent_server_is_waited_for_with_patience(void **state)
{
  (void)state;
  assert_int_equal(inf_multiplex_patience_ns, 500 * INF_NS_PER_MS);
  atomic_store(&silent, true);
  server = tiny_start(serve_silence, NULL, NULL);
  assert_non_null(server);
  start_crowd(tiny_port(server));
  run_for(600);
  assert_int_equal(tiny_connections(server), 1);
  probe_cancel(&probes[0]); /* the next one leads, with less of it */
  inside()->patience_ns = 100 * INF_NS_PER_MS;
  double until = probe_now_ms() + wait_ms;
  while (tiny_connections(server) < crowd && probe_now_ms() < until)
    probe_run(transport, 100);
  assert_int_equal(tiny_connections(server), crowd);
  for (int i = 1; i < crowd; i++)
    probe_cancel(&probes[i]);
  atomic_store(&silent, false);
}

/* What libcurl's own CURLOPT_PIPEWAIT gets wrong. */
static void
a_silent_server_holds_up_no_other(void **state)
{
  (void)state;
  atomic_store(&silent, true);
  tiny_server *mute = tiny_start(serve_silence, NULL, NULL);
  assert_non_null(mute);
  serve(serve_all);
  static probe waiting[4];
  for (int i = 0; i < 4; i++)
    start_to(&waiting[i], tiny_port(mute));
  start_crowd(tiny_port(server));
  finish_crowd(INF_NET_OK);
  assert_in_range(tiny_connections(mute), 0, 1);
  assert_int_equal(tiny_connections(server), 1);
  for (int i = 0; i < 4; i++)
    probe_cancel(&waiting[i]);
  atomic_store(&silent, false);
  tiny_stop(mute);
}

static void
more_than_a_connection_takes_share_the_next(void **state)
{
  (void)state;
  enum { count = 130 };
  static probe many[count];
  serve(serve_all);
  for (int i = 0; i < count; i++)
    start_to(&many[i], tiny_port(server));
  assert_true(probe_run_until(transport, &many[0].sent, 1));
  const inf_exchange *next =
      INF_CONTAINER_OF(inside()->leaders.next, inf_exchange, leader_node);
  assert_ptr_equal(next, many[100].exchange);
  for (int i = 0; i < count; i++) {
    probe_finish(&many[i]);
    assert_int_equal(many[i].result.net, INF_NET_OK);
  }
  assert_in_range(tiny_connections(server), 1, 2);
}

static void
those_that_wait_may_be_cancelled(void **state)
{
  (void)state;
  serve(serve_all);
  start_crowd(tiny_port(server));
  for (int i = crowd; i-- > 0;)
    probe_cancel(&probes[i]);
  assert_true(inf_list_empty(&inside()->leaders));
}

/* ---- HTTP/1.1 ------------------------------------------------------------ */

static void
serve_http1(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    tiny_sleep_ms(20);
    tiny_answer(conn, "one");
  }
}

static void
http1_is_remembered(void **state)
{
  (void)state;
  server = start_server(serve_http1, false);
  start_crowd(tiny_port(server));
  finish_crowd(INF_NET_OK);
  assert_int_equal(tiny_connections(server), crowd);
  start_crowd(tiny_port(server));
  assert_true(inf_list_empty(&inside()->leaders)); /* nobody waits now */
  finish_crowd(INF_NET_OK);
  assert_int_equal(tiny_connections(server), crowd);
}

/* Refuses HTTP/2, and answers in HTTP/1.1 where that is spoken. */
static void
serve_wants_http1(tiny_conn *conn)
{
  const unsigned char *name = NULL;
  unsigned len = 0;
  h2_peer peer;
  uint32_t stream;
  SSL_get0_alpn_selected(conn->ssl, &name, &len);
  if (len != 2) {
    serve_http1(conn);
    return;
  }
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  while ((stream = h2_request(&peer, wait_ms)))
    h2_reset(&peer, stream, H2_HTTP_1_1_REQUIRED);
}

static void
http1_is_spoken_where_it_is_wanted(void **state)
{
  (void)state;
  serve(serve_wants_http1);
  for (int i = 0; i < 3; i++) {
    start_to(&probes[i], tiny_port(server));
    probe_finish(&probes[i]);
  }
  assert_int_equal(probes[0].result.net, INF_NET_REFUSED_STREAM);
  assert_string_equal(probes[0].detail, "the server wants HTTP/1.1");
  for (int i = 1; i < 3; i++) {
    assert_int_equal(probes[i].result.net, INF_NET_OK);
    assert_string_equal(probes[i].body, "one");
  }
  assert_int_equal(tiny_connections(server), 2);
}

/* ---- Refused and going away ---------------------------------------------- */

/* Serves the first stream of a connection, after it has said that it will
 * serve no other. */
static void
serve_goaway(tiny_conn *conn)
{
  h2_peer peer;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  uint32_t first = h2_request(&peer, wait_ms);
  uint32_t second = h2_request(&peer, 300);
  if (second && second < first) /* the one that was opened last came first */
    first = second;
  h2_goaway(&peer, second ? first : 0, H2_NO_ERROR);
  if (second) {
    h2_head(&peer, first, 200, false);
    h2_data(&peer, first, "hello", 5, true);
  }
  h2_linger(&peer, wait_ms);
}

static void
goaway_tells_who_is_served(void **state)
{
  (void)state;
  serve(serve_goaway);
  start_to(&probes[0], tiny_port(server));
  start_to(&probes[1], tiny_port(server));
  probe_finish(&probes[0]);
  probe_finish(&probes[1]);
  bool first = probes[0].result.net == INF_NET_OK;
  const probe *served = &probes[!first], *left = &probes[first];
  assert_int_equal(served->result.net, INF_NET_OK);
  assert_string_equal(served->body, "hello");
  assert_int_equal(left->headers, 0);
  assert_true(
      left->result.net == INF_NET_REFUSED_STREAM ||
      (left->result.net == INF_NET_RESET && left->result.reused_connection));
}

static void
goaway_of_a_new_connection_is_told(void **state)
{
  (void)state;
  serve(serve_goaway);
  start_to(&probes[0], tiny_port(server));
  probe_finish(&probes[0]);
  assert_int_equal(probes[0].result.net, INF_NET_RESET);
  assert_false(probes[0].result.reused_connection);
  assert_true(probes[0].result.going_away);
}

/* ---- Streams that we end ------------------------------------------------- */

static atomic_int resets, asked;

/* Begins every answer, finishes none, and counts those that are reset. */
static void
serve_beginnings(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t stream;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  int known = 0;
  while (!peer.ended) {
    if ((stream = h2_request(&peer, 20))) {
      h2_head(&peer, stream, 200, false);
      h2_data(&peer, stream, "hello", 5, false);
      atomic_fetch_add(&asked, 1);
    }
    int now = 0;
    for (int i = 0; i < peer.count; i++)
      now += peer.streams[i].reset;
    atomic_fetch_add(&resets, now - known);
    known = now;
  }
}

static void
serve_beginnings_of(int count)
{
  atomic_store(&resets, 0);
  atomic_store(&asked, 0);
  serve(serve_beginnings);
  for (int i = 0; i < count; i++)
    start_to(&probes[i], tiny_port(server));
  for (int i = 0; i < count; i++)
    assert_true(probe_run_until(transport, &probes[i].bodies, 1));
}

/* Nothing else is sent on the connection that could take the frame along. */
static void
a_cancelled_stream_is_reset_at_once(void **state)
{
  (void)state;
  serve_beginnings_of(1);
  probe_cancel(&probes[0]);
  run_until(&resets, 1);
  start_to(&probes[1], tiny_port(server));
  assert_true(probe_run_until(transport, &probes[1].bodies, 1));
  assert_true(probes[1].sent_reused);
  probe_cancel(&probes[1]);
  run_until(&resets, 2);
  assert_int_equal(tiny_connections(server), 1);
}

/* The engine ends the exchange within the callback. */
static void
an_aborted_stream_is_reset_at_once(void **state)
{
  (void)state;
  atomic_store(&resets, 0);
  serve(serve_beginnings);
  probes[0] = (probe){.refuse_body = true};
  probe_start(&probes[0], transport, &endpoint, "{}", "https://localhost:%d/",
              tiny_port(server));
  probe_finish(&probes[0]);
  assert_int_equal(probes[0].result.net, INF_NET_ABORTED);
  run_until(&resets, 1);
}

static void
streams_beside_it_go_on(void **state)
{
  (void)state;
  serve_beginnings_of(3);
  probe_cancel(&probes[1]);
  run_until(&resets, 1);
  assert_int_equal(probes[0].done + probes[2].done, 0);
  probe_cancel(&probes[0]);
  probe_cancel(&probes[2]);
  run_until(&resets, 3);
  assert_int_equal(tiny_connections(server), 1);
}

/* A ghost opens no connection where the one that it looks for is gone. */
static void
drop_after_request(tiny_conn *conn)
{
  h2_peer peer;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  uint32_t stream = h2_request(&peer, wait_ms);
  h2_head(&peer, stream, 200, false);
  h2_data(&peer, stream, "hello", 5, false);
  atomic_fetch_add(&asked, 1);
}

static void
a_ghost_makes_no_connection(void **state)
{
  (void)state;
  atomic_store(&asked, 0);
  serve(drop_after_request);
  start_to(&probes[0], tiny_port(server));
  probes[0].refuse_body = true;
  probe_finish(&probes[0]);
  run_for(200);
  assert_int_equal(tiny_connections(server), 1);
  assert_true(
      inf_list_empty(&inf_generation_of(inside()->generations.next)->live));
}

static void
a_transport_may_be_freed_with_ghosts(void **state)
{
  (void)state;
  serve_beginnings_of(3);
  for (int i = 0; i < 3; i++)
    probe_cancel(&probes[i]);
  probe_transport_free(transport);
  transport = probe_transport();
}

/* ---- Streams that are held back ------------------------------------------ */

enum { flood_bytes = 4 << 20, piece_bytes = 1 << 16 };

static atomic_int flooded;
static atomic_bool reset_the_flood;

/* Floods the first stream with 'a', then begins the second; keeps that one
 * alive, and after the flood ends the first as told. Further streams are
 * answered with "mine". */
static void
serve_flood(tiny_conn *conn)
{
  static char piece[piece_bytes];
  h2_peer peer;
  uint32_t first, second, stream;
  memset(piece, 'a', sizeof piece);
  if (!h2_open(&peer, conn, H2_NO_LIMIT) ||
      !(first = h2_request(&peer, wait_ms)))
    return;
  h2_head(&peer, first, 200, false);
  h2_data(&peer, first, "a", 1, false);
  if (!(second = h2_request(&peer, wait_ms)))
    return;
  h2_head(&peer, second, 200, false);
  for (size_t sent = 0; sent < flood_bytes; sent += sizeof piece) {
    h2_data_in_window(&peer, first, piece, sizeof piece, wait_ms);
    h2_data(&peer, second, "b", 1, false);
  }
  if (atomic_load(&reset_the_flood))
    h2_reset(&peer, first, H2_CANCEL);
  h2_data(&peer, second, "b", 1, false);
  atomic_fetch_add(&flooded, 1);
  while ((stream = h2_request(&peer, wait_ms))) {
    h2_head(&peer, stream, 200, false);
    h2_data(&peer, stream, "mine", 4, true);
  }
}

static void
pause_at_once(probe *p, probe_point point)
{
  if (point == PROBE_HEADERS)
    transport->ops->set_paused(p->exchange, true);
}

/* probes[0] is held back, other is the stream beside it. */
static void
hold_back_a_flood(bool with_reset)
{
  atomic_store(&flooded, 0);
  atomic_store(&reset_the_flood, with_reset);
  serve(serve_flood);
  start_to(&probes[0], tiny_port(server));
  probes[0].act = pause_at_once;
  assert_true(probe_run_until(transport, &probes[0].headers, 1));
  start_to(&other, tiny_port(server));
  run_until(&flooded, 1);
  run_until_len(&other.body_len, flood_bytes / piece_bytes + 1);
  run_for(50);
  assert_int_equal(probes[0].bodies, 0);
}

/* The next exchange of the same handle is held back too, and let go. */
static void
expect_only_its_own(void)
{
  start_to(&probes[1], tiny_port(server));
  probes[1].act = pause_at_once;
  assert_true(probe_run_until(transport, &probes[1].headers, 1));
  run_for(50);
  transport->ops->set_paused(probes[1].exchange, false);
  probe_finish(&probes[1]);
  assert_int_equal(probes[1].body_len, 4);
  assert_string_equal(probes[1].body, "mine");
}

static void
what_is_held_is_told_and_comes_in_the_end(void **state)
{
  (void)state;
  hold_back_a_flood(false);
  assert_int_equal(transport->ops->held_bytes(probes[0].exchange),
                   flood_bytes + 1);
  transport->ops->set_paused(probes[0].exchange, false);
  run_until_len(&probes[0].body_len, flood_bytes + 1);
  assert_int_equal(transport->ops->held_bytes(probes[0].exchange), 0);
  probe_cancel(&probes[0]);
  probe_cancel(&other);
}

static void
what_was_held_is_gone_with_a_cancel(void **state)
{
  (void)state;
  hold_back_a_flood(false);
  probe_cancel(&probes[0]);
  expect_only_its_own();
  assert_int_equal(other.done, 0);
  probe_cancel(&other);
}

static void
what_was_held_is_gone_with_a_failure(void **state)
{
  (void)state;
  hold_back_a_flood(true);
  probe_finish(&probes[0]);
  assert_int_equal(probes[0].result.net, INF_NET_PARTIAL);
  expect_only_its_own();
  assert_int_equal(other.done, 0);
  probe_cancel(&other);
}

/* ---- Set-up -------------------------------------------------------------- */

static int
set_up(void **state)
{
  (void)state;
  transport = probe_transport();
  /* Longer than a handshake takes on a busy machine. */
  inside()->patience_ns = 30 * INF_NS_PER_S;
  endpoint = probe_endpoint();
  endpoint.http_version = 0;
  endpoint.ca_file = files[2];
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  for (int i = 0; i < crowd; i++)
    if (probes[i].fault)
      fail_msg("%s", probes[i].fault);
  atomic_store(&silent, false);
  probe_transport_free(transport);
  tiny_stop(server);
  server = NULL;
  memset(probes, 0, sizeof probes);
  return 0;
}

static int
make_folder(void **state)
{
  static const char *const names[] = {"server.pem", "server.key", "ca.pem",
                                      "other.pem"};
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/infer-multiplex-XXXXXX");
  if (!mkdtemp(folder) || !tiny_make_certificates(folder))
    return -1;
  for (int i = 0; i < 4; i++)
    snprintf(files[i], sizeof files[i], "%s/%s", folder, names[i]);
  return 0;
}

static int
remove_folder(void **state)
{
  (void)state;
  char path[128];
  static const char *const more[] = {"client.pem", "client.key"};
  for (int i = 0; i < 4; i++)
    unlink(files[i]);
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, more[i]);
    unlink(path);
  }
  return rmdir(folder);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(those_that_begin_together_share),
      TEST(a_fresh_one_waits_for_nobody),
      TEST(one_that_is_cancelled_hands_over_the_lead),
      TEST(followers_of_one_that_fails_go_their_own_way),
      TEST(a_silent_server_is_waited_for_with_patience),
      TEST(a_silent_server_holds_up_no_other),
      TEST(more_than_a_connection_takes_share_the_next),
      TEST(those_that_wait_may_be_cancelled),
      TEST(http1_is_remembered),
      TEST(http1_is_spoken_where_it_is_wanted),
      TEST(goaway_tells_who_is_served),
      TEST(goaway_of_a_new_connection_is_told),
      TEST(a_cancelled_stream_is_reset_at_once),
      TEST(an_aborted_stream_is_reset_at_once),
      TEST(streams_beside_it_go_on),
      TEST(a_ghost_makes_no_connection),
      TEST(a_transport_may_be_freed_with_ghosts),
      TEST(what_is_held_is_told_and_comes_in_the_end),
      TEST(what_was_held_is_gone_with_a_cancel),
      TEST(what_was_held_is_gone_with_a_failure),
  };
  if (!inf_curl_has_http2()) {
    print_message("SKIP: libcurl without HTTP/2\n");
    return 0;
  }
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
