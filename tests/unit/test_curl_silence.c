/* SPDX-License-Identifier: MIT */
/* Connections that say nothing any more are not used again. */
#include "support/exchange_probe.h"
#include "support/h2_peer.h"
#include "transport/curl_exchange.h"

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

enum { wait_ms = 10000, silence_ms = 200, count = 4 };

static char folder[64];
static char files[3][128];
static inf_transport *transport;
static tiny_server *server;
static inf_endpoint endpoint;
static probe probes[count];
/* How many streams of a connection are begun, and whether the first goes on. */
static atomic_int begun;
static atomic_bool first_goes_on;

/* Begins the first streams of a connection and ends none; the others it leaves
 * without a word. */
static void
serve(tiny_conn *conn)
{
  h2_peer peer;
  uint32_t first = 0, stream;
  if (!h2_open(&peer, conn, H2_NO_LIMIT))
    return;
  for (int n = 0; !peer.ended;) {
    if ((stream = h2_request(&peer, 10)) && n++ < atomic_load(&begun)) {
      h2_head(&peer, stream, 200, false);
      h2_data(&peer, stream, "x", 1, false);
      first = first ? first : stream;
    }
    if (first && atomic_load(&first_goes_on))
      h2_data(&peer, first, "x", 1, false);
  }
}

static void
start(int i)
{
  probes[i] = (probe){0};
  probe_start(&probes[i], transport, &endpoint, "{}", "https://localhost:%d/",
              tiny_port(server));
  assert_true(probe_run_until(transport, &probes[i].sent, 1));
}

static void
run_for(double ms)
{
  for (double until = probe_now_ms() + ms; probe_now_ms() < until;)
    probe_run(transport, 10);
}

static void
one_alone_is_closed(void **state)
{
  (void)state;
  start(0);
  run_for(2 * silence_ms);
  probe_cancel(&probes[0]);
  start(1);
  assert_false(probes[1].sent_reused);
  probe_cancel(&probes[1]);
  assert_int_equal(tiny_connections(server), 2);
}

static void
one_that_fell_silent_is_closed_too(void **state)
{
  (void)state;
  atomic_store(&begun, 1);
  start(0);
  assert_true(probe_run_until(transport, &probes[0].bodies, 1));
  run_for(2 * silence_ms);
  probe_cancel(&probes[0]);
  start(1);
  assert_false(probes[1].sent_reused);
  probe_cancel(&probes[1]);
}

/* Those that are on it may wait as long as they like. */
static void
one_with_others_gets_no_more(void **state)
{
  (void)state;
  for (int i = 0; i < 3; i++)
    start(i);
  assert_int_equal(tiny_connections(server), 1);
  run_for(2 * silence_ms);
  probe_cancel(&probes[1]);
  start(3);
  assert_false(probes[3].sent_reused);
  assert_int_equal(tiny_connections(server), 2);
  assert_int_equal(probes[0].done + probes[2].done, 0);
  /* Giving up another of them costs the new connection nothing. */
  probe_cancel(&probes[2]);
  start(1);
  assert_true(probes[1].sent_reused);
  assert_int_equal(tiny_connections(server), 2);
  for (int i = 0; i < count; i++)
    if (probes[i].exchange)
      probe_cancel(&probes[i]);
}

static void
one_that_is_heard_is_kept(void **state)
{
  (void)state;
  atomic_store(&begun, 1);
  atomic_store(&first_goes_on, true);
  start(0);
  assert_true(probe_run_until(transport, &probes[0].bodies, 1));
  start(1);
  run_for(2 * silence_ms);
  /* A machine may be so busy that nothing came for so long. */
  int bodies = probes[0].bodies;
  assert_true(probe_run_until(transport, &probes[0].bodies, bodies + 1));
  probe_cancel(&probes[1]);
  start(2);
  assert_true(probes[2].sent_reused);
  assert_int_equal(tiny_connections(server), 1);
  probe_cancel(&probes[0]);
  probe_cancel(&probes[2]);
}

static void
one_that_was_not_given_time_is_kept(void **state)
{
  (void)state;
  inf_curl *inside = (inf_curl *)(void *)transport;
  inside->silence_ns = 30 * INF_NS_PER_S;
  start(0);
  run_for(20);
  probe_cancel(&probes[0]);
  start(1);
  assert_true(probes[1].sent_reused);
  probe_cancel(&probes[1]);
  assert_int_equal(tiny_connections(server), 1);
}

/* We do not listen to one that is held back. */
static void
one_that_we_hold_back_is_kept(void **state)
{
  (void)state;
  atomic_store(&begun, 1);
  start(0);
  assert_true(probe_run_until(transport, &probes[0].bodies, 1));
  transport->ops->set_paused(probes[0].exchange, true);
  run_for(2 * silence_ms);
  probe_cancel(&probes[0]);
  start(1);
  assert_true(probes[1].sent_reused);
  probe_cancel(&probes[1]);
}

static void
a_second_is_too_much(void **state)
{
  (void)state;
  assert_int_equal(inf_silence_ns, INF_NS_PER_S);
}

static int
set_up(void **state)
{
  (void)state;
  transport = probe_transport();
  inf_curl *inside = (inf_curl *)(void *)transport;
  inside->silence_ns = silence_ms * INF_NS_PER_MS;
  inside->patience_ns = 30 * INF_NS_PER_S;
  endpoint = probe_endpoint();
  endpoint.http_version = 0;
  endpoint.ca_file = files[2];
  atomic_store(&begun, 0);
  atomic_store(&first_goes_on, false);
  tiny_options options = {
      .cert_file = files[0], .key_file = files[1], .http2 = true};
  server = tiny_start(serve, NULL, &options);
  return server ? 0 : -1;
}

static int
tear_down(void **state)
{
  (void)state;
  for (int i = 0; i < count; i++)
    if (probes[i].fault)
      fail_msg("%s", probes[i].fault);
  probe_transport_free(transport);
  tiny_stop(server);
  memset(probes, 0, sizeof probes);
  return 0;
}

static int
make_folder(void **state)
{
  static const char *const names[] = {"server.pem", "server.key", "ca.pem"};
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/infer-silence-XXXXXX");
  if (!mkdtemp(folder) || !tiny_make_certificates(folder))
    return -1;
  for (int i = 0; i < 3; i++)
    snprintf(files[i], sizeof files[i], "%s/%s", folder, names[i]);
  return 0;
}

static int
remove_folder(void **state)
{
  static const char *const names[] = {"server.pem", "server.key", "ca.pem",
                                      "client.pem", "client.key", "other.pem"};
  (void)state;
  char path[128];
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  return rmdir(folder);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(one_alone_is_closed),
      TEST(one_that_fell_silent_is_closed_too),
      TEST(one_with_others_gets_no_more),
      TEST(one_that_is_heard_is_kept),
      TEST(one_that_was_not_given_time_is_kept),
      TEST(one_that_we_hold_back_is_kept),
      TEST(a_second_is_too_much),
  };
  if (!inf_curl_has_http2()) {
    print_message("SKIP: libcurl without HTTP/2\n");
    return 0;
  }
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
