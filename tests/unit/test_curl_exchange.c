/* SPDX-License-Identifier: MIT */
/* What callbacks may do, what the transport owes to a request that ends
 * early, and what it never does: send twice, call back at the wrong time. */
#include "base/rng.h"
#include "support/exchange_probe.h"
#include "support/fail_alloc.h"
#include "support/tiny_server.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static tiny_server *server;
static inf_transport *transport;
static atomic_int closed; /* connections that clients have closed */
static atomic_int hanging;
static atomic_bool release_lookups;
static sigset_t lookup_mask; /* of the thread that looked up last */

/* Comes before libc's for libcurl too. Names that end in hang.test wait. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **result)
{
  static int (*next)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  if (!node || !strstr(node, "hang.test"))
    return next(node, service, hints, result);
  pthread_sigmask(SIG_SETMASK, NULL, &lookup_mask);
  atomic_fetch_add(&hanging, 1);
  for (int i = 0; i < 1000 && !atomic_load(&release_lookups); i++)
    tiny_sleep_ms(10);
  atomic_fetch_sub(&hanging, 1);
  return EAI_AGAIN;
}

/* ---- The server: the path says what it does ------------------------------ */

static const char chunked[] =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

static bool
serve_stream(tiny_conn *conn, int chunks)
{
  bool ok = tiny_puts(conn, chunked);
  for (int i = 0; i < chunks && ok; i++)
    ok = tiny_puts(conn, "10\r\n0123456789abcdef\r\n");
  return ok && tiny_puts(conn, "0\r\n\r\n");
}

static bool
serve_bytes(tiny_conn *conn)
{
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n"
                               "0123456789abcdef";
  for (size_t i = 0; i + 1 < sizeof answer; i++)
    if (!tiny_write(conn, answer + i, 1))
      return false;
  return true;
}

/* The body begins and never ends. */
static bool
serve_open_end(tiny_conn *conn)
{
  if (!tiny_puts(conn, chunked) || !tiny_puts(conn, "5\r\nhello\r\n"))
    return false;
  tiny_read(conn);
  return false;
}

/* All that ask for it are answered at one moment. */
static atomic_bool together;
static atomic_int answered;

static bool
serve_together(tiny_conn *conn)
{
  for (int i = 0; i < 1000 && !atomic_load(&together); i++)
    tiny_sleep_ms(10);
  bool ok = tiny_answer(conn, "0123456789abcdef");
  atomic_fetch_add(&answered, 1);
  return ok;
}

static bool
serve_one(tiny_conn *conn)
{
  char path[32] = "";
  sscanf(conn->head, "%*s %31s", path);
  if (strcmp(path, "/stream") == 0)
    return serve_stream(conn, 200);
  if (strcmp(path, "/bytes") == 0)
    return serve_bytes(conn);
  if (strcmp(path, "/open") == 0)
    return serve_open_end(conn);
  if (strcmp(path, "/together") == 0)
    return serve_together(conn);
  if (strcmp(path, "/silent") == 0)
    return tiny_read(conn) && false;
  if (strcmp(path, "/reset-second") == 0 && !strstr(conn->head, "first")) {
    tiny_reset(conn);
    return false;
  }
  if (strcmp(path, "/close-second") == 0 && !strstr(conn->head, "first"))
    return false;
  return tiny_answer(conn, "0123456789abcdef");
}

static void
serve(tiny_conn *conn)
{
  while (tiny_read(conn) && serve_one(conn))
    ;
  atomic_fetch_add(&closed, 1);
}

static const char *
url_of(const char *path)
{
  static char url[64][64];
  static int next;
  char *made = url[next++ % 64];
  snprintf(made, sizeof url[0], "http://127.0.0.1:%d/%s", tiny_port(server),
           path);
  return made;
}

static int
set_up(void **state)
{
  (void)state;
  atomic_store(&closed, 0);
  server = tiny_start(serve, NULL, NULL);
  transport = probe_transport();
  return server && transport ? 0 : -1;
}

static int
tear_down(void **state)
{
  (void)state;
  probe_transport_free(transport);
  tiny_stop(server);
  return 0;
}

/* Until cond holds; false after 10 s. */
#define WAIT_FOR(cond)                                \
  for (double begun_ms = probe_now_ms();              \
       !(cond) && probe_now_ms() - begun_ms < 10000;) \
  probe_run(transport, 10)

static void
assert_whole(probe *p)
{
  probe_finish(p);
  if (p->result.net != INF_NET_OK)
    fail_msg("net %d: %s", (int)p->result.net, p->detail);
  assert_int_equal(p->status, 200);
}

/* ---- Callbacks that start, cancel and pause ------------------------------ */

static void
start_other(probe *p, probe_point point)
{
  if ((int)point == *(int *)p->arg && !p->other->exchange)
    probe_start(p->other, transport, NULL, "{}", "%s", url_of("stream"));
}

static void
test_start_in_each_callback(void **state)
{
  (void)state;
  for (int point = PROBE_SENT; point <= PROBE_DONE; point++) {
    probe other = {0};
    probe p = {.act = start_other, .arg = &point, .other = &other};
    probe_exchange(&p, transport, NULL, "{}", "%s", url_of("x"));
    assert_whole(&other);
    assert_int_equal(other.body_len, 3200);
    assert_int_equal(p.result.net, INF_NET_OK);
  }
}

/* What cannot even begin is told by the next run(), not by this one: so a
 * callback that starts the next in vain does not hold the loop. */
static void
restart_in_vain(probe *p, probe_point point)
{
  if (point != PROBE_DONE)
    return;
  ++*(int *)p->arg;
  p->done = 0;
  probe_start(p, transport, NULL, "{}", "nonsense://x/");
}

static void
test_vain_starts_do_not_hold_the_loop(void **state)
{
  (void)state;
  int ends = 0;
  probe p = {.act = restart_in_vain, .arg = &ends};
  probe_start(&p, transport, NULL, "{}", "nonsense://x/");
  assert_int_equal(ends, 0);
  for (int i = 0; i < 20; i++)
    probe_run(transport, 10);
  assert_in_range(ends, 5, 20);
  assert_null(p.fault);
  probe_cancel(&p);
}

static void
cancel_self(probe *p, probe_point point)
{
  if ((int)point != *(int *)p->arg)
    return;
  if (point == PROBE_DONE) /* too late, and harmless: it is gone */
    return;
  probe_cancel(p);
}

static void
test_cancel_in_each_callback(void **state)
{
  (void)state;
  for (int point = PROBE_SENT; point <= PROBE_DONE; point++) {
    probe p = {.act = cancel_self, .arg = &point};
    probe after = {0};
    probe_start(&p, transport, NULL, "{}", "%s", url_of("stream"));
    WAIT_FOR(p.cancelled || p.done);
    probe_exchange(&after, transport, NULL, "{}", "%s", url_of("x"));
    assert_int_equal(p.done, point == PROBE_DONE);
    assert_null(p.fault);
  }
}

/* on_done may name its own exchange, which is still there while it runs. */
static inf_exchange *ending;

static void
cancel_at_the_end(probe *p, probe_point point)
{
  (void)p;
  if (point != PROBE_DONE)
    return;
  transport->ops->set_paused(ending, true);
  transport->ops->cancel(ending);
  transport->ops->cancel(ending);
}

static void
test_cancel_within_the_end(void **state)
{
  (void)state;
  static const char *const urls[] = {"x", "stream"};
  for (int i = 0; i < 90; i++) { /* more than a pool holds */
    probe p = {.act = cancel_at_the_end};
    if (i % 3 < 2)
      probe_start(&p, transport, NULL, "{}", "%s", url_of(urls[i % 3]));
    else
      probe_start(&p, transport, NULL, "{}", "nonsense://x/");
    ending = p.exchange;
    probe_finish(&p);
  }
  /* The pool is sound: two at once are two exchanges. */
  probe a = {0}, b = {0};
  probe_start(&a, transport, NULL, "{}", "%s", url_of("x"));
  probe_start(&b, transport, NULL, "{}", "%s", url_of("x"));
  assert_ptr_not_equal(a.exchange, b.exchange);
  assert_whole(&a);
  assert_whole(&b);
}

static void
cancel_other(probe *p, probe_point point)
{
  if ((int)point == *(int *)p->arg && p->other->exchange)
    probe_cancel(p->other);
}

/* The other one is: mid-body, silent, paused, connecting, to be unpaused, or
 * started a moment ago in this very callback. */
static void
test_cancel_another_in_each_callback(void **state)
{
  (void)state;
  static const char *const urls[] = {"open", "silent", "open", "x", "open"};
  for (int how = 0; how < 5; how++)
    for (int point = PROBE_SENT; point <= PROBE_DONE; point++) {
      probe other = {0};
      probe p = {.act = cancel_other, .arg = &point, .other = &other};
      probe_start(&other, transport, NULL, "{}", "%s", url_of(urls[how]));
      if (how == 2 || how == 4)
        transport->ops->set_paused(other.exchange, true);
      if (how != 3) {
        WAIT_FOR(other.sent);
        probe_run(transport, 10);
      }
      if (how == 4)
        transport->ops->set_paused(other.exchange, false);
      probe_start(&p, transport, NULL, "{}", "%s", url_of("stream"));
      assert_whole(&p);
      probe_run(transport, 1);
      assert_true(other.cancelled || other.done);
      assert_null(other.fault);
    }
}

static void
start_and_cancel_other(probe *p, probe_point point)
{
  start_other(p, point);
  cancel_other(p, point);
}

static void
test_cancel_what_has_just_started(void **state)
{
  (void)state;
  for (int point = PROBE_SENT; point <= PROBE_DONE; point++) {
    probe other = {0};
    probe p = {.act = start_and_cancel_other, .arg = &point, .other = &other};
    probe_start(&p, transport, NULL, "{}", "%s", url_of("x"));
    assert_whole(&p);
    probe_run(transport, 1);
    assert_true(other.cancelled);
    assert_int_equal(other.sent + other.done, 0);
    assert_null(other.fault);
  }
}

/* Many exchanges, and callbacks that cancel, start and pause at random. */
enum { crowd = 60 };
static probe crowd_of[crowd];
static inf_rng dice;
static int crowd_starts;

static void crowd_act(probe *p, probe_point point);

static void
crowd_start(probe *p)
{
  static const char *const urls[] = {"x", "stream", "bytes", "open"};
  *p = (probe){.act = crowd_act};
  crowd_starts++;
  probe_start(p, transport, NULL, "{}", "%s",
              url_of(urls[inf_rng_below(&dice, 4)]));
}

static void
crowd_act(probe *p, probe_point point)
{
  probe *q = &crowd_of[inf_rng_below(&dice, crowd)];
  if (p->fault || point == PROBE_DONE)
    return;
  switch (inf_rng_below(&dice, 12)) {
  case 0:
    if (q->exchange)
      probe_cancel(q);
    break;
  case 1:
    if (p->exchange)
      probe_cancel(p);
    break;
  case 2:
    if (!q->exchange && (q->done || q->cancelled) && q != p && !q->fault)
      crowd_start(q);
    break;
  case 3:
    if (q->exchange)
      transport->ops->set_paused(q->exchange, inf_rng_below(&dice, 2));
    break;
  case 4:
    transport->ops->retire_idle(transport);
    break;
  case 5:
    p->refuse_body = true;
    break;
  default:
    break;
  }
}

static void
test_a_crowd_that_cancels_and_starts(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 8; seed++) {
    inf_rng_seed(&dice, seed);
    crowd_starts = 0;
    for (int i = 0; i < crowd; i++)
      crowd_start(&crowd_of[i]);
    double until_ms = probe_now_ms() + 400;
    while (probe_now_ms() < until_ms && crowd_starts < 2000)
      probe_run(transport, 1);
    for (int i = 0; i < crowd; i++) {
      if (crowd_of[i].exchange)
        probe_cancel(&crowd_of[i]);
      if (crowd_of[i].fault)
        fail_msg("seed %d: %s", (int)seed, crowd_of[i].fault);
    }
    probe_run(transport, 1);
  }
}

/* ---- A request whose memory goes ----------------------------------------- */

/* After cancel() the caller may free the request at once, in a callback of
 * another exchange too, while libcurl still has the handle. */
static char *upload;
enum { upload_size = 8 << 20 };

static void
cancel_and_free(probe *p, probe_point point)
{
  if (point != PROBE_BODY || p->other->cancelled)
    return;
  probe_cancel(p->other);
  free(upload);
  upload = NULL;
}

static atomic_size_t uploaded, foreign;

static void
serve_upload(tiny_conn *conn)
{
  static char piece[65536];
  if (conn->number > 1) {
    serve(conn);
    return;
  }
  ssize_t got;
  bool body = false;
  while ((got = recv(conn->fd, piece, sizeof piece, 0)) > 0) {
    for (ssize_t i = body ? 0 : 2000; i < got; i++)
      atomic_fetch_add(&foreign, piece[i] != 'u');
    body = true;
    atomic_fetch_add(&uploaded, (size_t)got);
    tiny_sleep_ms(1);
  }
}

static void
test_memory_of_a_cancelled_upload(void **state)
{
  (void)state;
  tiny_server *slow = tiny_start(serve_upload, NULL, NULL);
  for (int i = 0; i < 5; i++) {
    upload = malloc(upload_size);
    memset(upload, 'u', upload_size);
    inf_endpoint endpoint = probe_endpoint();
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/up", tiny_port(slow));
    inf_http_request request = {.method = "POST",
                                .url = url,
                                .body = {upload, upload_size},
                                .endpoint = &endpoint};
    probe other = {0};
    probe p = {.act = cancel_and_free, .other = &other};
    atomic_store(&uploaded, 0);
    probe_start_request(&other, transport, &request);
    assert_non_null(other.exchange);
    WAIT_FOR(other.sent);
    for (int turn = 0; turn < 5; turn++)
      probe_run(transport, 1);
    probe_exchange(&p, transport, NULL, "{}", "%s", url_of("stream"));
    assert_true(other.cancelled);
    assert_null(upload);
    assert_null(other.fault);
  }
  assert_int_equal(atomic_load(&foreign), 0);
  tiny_stop(slow);
}

static void
serve_length(tiny_conn *conn)
{
  char answer[32];
  while (tiny_read(conn)) {
    char length[32] = "", leave[32];
    tiny_field(conn, "content-length", length, sizeof length);
    bool asks = tiny_field(conn, "expect", leave, sizeof leave);
    snprintf(answer, sizeof answer, "%s%s", length,
             asks ? " after asking" : "");
    tiny_answer(conn, answer);
  }
}

/* And without asking for leave first, which costs a round trip or a second. */
static void
test_large_bodies_go_out_whole(void **state)
{
  (void)state;
  static const size_t sizes[] = {0, 1, 60000, 65535, 65536, 70000, 3000000};
  tiny_server *sink = tiny_start(serve_length, NULL, NULL);
  char *body = malloc(3000001);
  memset(body, 'b', 3000000);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char saved = body[sizes[i]], want[32];
    body[sizes[i]] = '\0';
    probe p = {0};
    probe_exchange(&p, transport, NULL, body, "http://127.0.0.1:%d/",
                   tiny_port(sink));
    body[sizes[i]] = saved;
    snprintf(want, sizeof want, "%zu", sizes[i]);
    assert_string_equal(p.body, want);
  }
  free(body);
  tiny_stop(sink);
}

/* ---- Pause --------------------------------------------------------------- */

static void
pause_self(probe *p, probe_point point)
{
  if ((int)point == *(int *)p->arg)
    transport->ops->set_paused(p->exchange, true);
}

static void
test_pause_in_each_callback(void **state)
{
  (void)state;
  static const char *const urls[] = {"x", "stream", "bytes"};
  static const size_t lengths[] = {16, 3200, 16};
  for (int point = PROBE_SENT; point < PROBE_DONE; point++)
    for (int i = 0; i < 3; i++) {
      probe p = {.act = pause_self, .arg = &point};
      probe_start(&p, transport, NULL, "{}", "%s", url_of(urls[i]));
      WAIT_FOR(point == PROBE_BODY ? p.bodies : p.headers);
      size_t held = p.body_len;
      for (int turn = 0; turn < 5; turn++)
        probe_run(transport, 5);
      /* The end waits, too, unless the first piece was all. */
      if (point != PROBE_BODY || held < lengths[i])
        assert_int_equal(p.done, 0);
      assert_int_equal(p.body_len, held);
      p.act = NULL;
      if (p.exchange)
        transport->ops->set_paused(p.exchange, false);
      assert_int_equal(p.body_len, held);
      assert_true(p.done || transport->ops->next_timeout_ns(transport) <=
                                inf_clock_now(inf_clock_system()));
      assert_whole(&p);
      assert_int_equal(p.body_len, lengths[i]);
    }
}

static void
pause_and_go_on(probe *p, probe_point point)
{
  if (point != PROBE_BODY)
    return;
  transport->ops->set_paused(p->exchange, true);
  transport->ops->set_paused(p->exchange, false);
}

static void
test_pause_that_is_taken_back(void **state)
{
  (void)state;
  probe p = {.act = pause_and_go_on};
  probe_exchange(&p, transport, NULL, "{}", "%s", url_of("stream"));
  assert_int_equal(p.body_len, 3200);
}

/* Bytes that were held back go to a callback that wants no more of them: the
 * end comes then, and not with the next byte, which may never come. */
static void
test_refuse_what_was_held_back(void **state)
{
  (void)state;
  for (int how = 0; how < 2; how++) {
    int point = PROBE_HEADERS, body = PROBE_BODY;
    probe p = {.act = pause_self, .arg = &point};
    probe_start(&p, transport, NULL, "{}", "%s", url_of("open"));
    WAIT_FOR(p.headers);
    for (int turn = 0; turn < 3; turn++)
      probe_run(transport, 5);
    assert_int_equal(p.bodies, 0);
    p.act = how == 0 ? NULL : cancel_self;
    p.arg = &body;
    p.refuse_body = how == 0;
    transport->ops->set_paused(p.exchange, false);
    WAIT_FOR(p.done || p.cancelled);
    assert_int_equal(p.bodies, 1);
    assert_int_equal(p.done, how == 0);
    if (how == 0)
      assert_int_equal(p.result.net, INF_NET_ABORTED);
    assert_null(p.fault);
  }
}

/* ---- One exchange is one send -------------------------------------------- */

/* Two idle connections: when the one breaks, the other must not be tried. */
static void
check_no_resend(const char *path, const char *body, int before)
{
  probe a = {0}, b = {0};
  probe_start(&a, transport, NULL, "{}", "%s", url_of("stream"));
  probe_start(&b, transport, NULL, "{}", "%s", url_of("stream"));
  assert_whole(&a);
  assert_whole(&b);
  probe p = {0};
  int connections = tiny_connections(server);
  double begun_ms = probe_now_ms();
  probe_exchange(&p, transport, NULL, body, "%s", url_of(path));
  assert_true(probe_now_ms() - begun_ms < 1000);
  assert_int_equal(p.result.net, INF_NET_RESET);
  assert_true(p.result.reused_connection && p.sent_reused && p.result.sent);
  assert_false(p.result.response_begun);
  assert_int_equal(p.sent, 1);
  tiny_sleep_ms(20);
  assert_int_equal(tiny_requests(server), before + 3);
  assert_int_equal(tiny_connections(server), connections);
}

static void
test_no_resend_after_a_reset(void **state)
{
  (void)state;
  check_no_resend("reset-second", "{}", 0);
  check_no_resend("close-second", "{}", 3);
  char *body = malloc(200001);
  memset(body, 'b', 200000);
  body[200000] = '\0';
  check_no_resend("reset-second", body, 6);
  check_no_resend("close-second", body, 9);
  free(body);
}

/* ---- Connections --------------------------------------------------------- */

static void
test_retire_closes_idle_connections(void **state)
{
  (void)state;
  probe p = {0};
  probe_exchange(&p, transport, NULL, "{}", "%s", url_of("x"));
  transport->ops->retire_idle(transport);
  for (int i = 0; i < 1000 && atomic_load(&closed) == 0; i++)
    tiny_sleep_ms(10);
  assert_int_equal(atomic_load(&closed), 1);
  for (int i = 0; i < 3; i++) {
    probe next = {0};
    probe_exchange(&next, transport, NULL, "{}", "%s", url_of("x"));
    assert_int_equal(next.result.reused_connection, i > 0);
  }
}

/* A program that the application starts gets none of them. */
static void
test_connections_are_closed_on_exec(void **state)
{
  (void)state;
  enum { most_fds = 1024 };
  tiny_server *other = tiny_start(serve, NULL, NULL);
  probe p = {0};
  probe_exchange(&p, transport, NULL, "{}", "http://127.0.0.1:%d/x",
                 tiny_port(other));
  int ours = 0;
  for (int fd = 0; fd < most_fds; fd++) {
    struct sockaddr_in peer = {0};
    socklen_t len = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
        peer.sin_family != AF_INET || ntohs(peer.sin_port) != tiny_port(other))
      continue;
    ours++;
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
  assert_int_equal(ours, 1);
  tiny_stop(other);
}

/* An exchange that is under way goes on, and its connection with it; later
 * ones share a newer connection meanwhile. */
static void
test_retire_spares_what_is_under_way(void **state)
{
  (void)state;
  probe open = {0}, late = {0};
  probe_start(&open, transport, NULL, "{}", "%s", url_of("stream"));
  transport->ops->set_paused(open.exchange, true);
  WAIT_FOR(open.headers);
  transport->ops->retire_idle(transport);
  transport->ops->retire_idle(transport);
  for (int i = 0; i < 3; i++) {
    probe next = {0};
    probe_exchange(&next, transport, NULL, "{}", "%s", url_of("x"));
    assert_int_equal(next.result.reused_connection, i > 0);
  }
  transport->ops->set_paused(open.exchange, false);
  assert_whole(&open);
  assert_int_equal(open.body_len, 3200);
  WAIT_FOR(atomic_load(&closed) == 1);
  assert_int_equal(atomic_load(&closed), 1);
  probe_exchange(&late, transport, NULL, "{}", "%s", url_of("x"));
  assert_true(late.result.reused_connection);
}

static void
retire_now(probe *p, probe_point point)
{
  if ((int)point == *(int *)p->arg)
    transport->ops->retire_idle(transport);
}

static void
test_retire_in_each_callback(void **state)
{
  (void)state;
  for (int point = PROBE_SENT; point <= PROBE_DONE; point++) {
    probe p = {.act = retire_now, .arg = &point};
    probe_exchange(&p, transport, NULL, "{}", "%s", url_of("x"));
    assert_int_equal(p.result.net, INF_NET_OK);
    probe next = {0};
    probe_exchange(&next, transport, NULL, "{}", "%s", url_of("x"));
    assert_false(next.result.reused_connection);
  }
}

/* The child closes its copies and says nothing on the wire; the parent's
 * connection lives on. */
static void
test_a_forked_child_leaves_connections_alone(void **state)
{
  (void)state;
  probe p = {0};
  probe_exchange(&p, transport, NULL, "{}", "%s", url_of("x"));
  int before = probe_count_entries("/proc/self/fd");
  pid_t child = fork();
  if (child == 0) {
    transport->ops->free_forked(transport);
    /* The connection, the epoll descriptor or pipe, the eventfd. */
    _exit(probe_count_entries("/proc/self/fd") <= before - 3 ? 0 : 1);
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  probe next = {0};
  probe_exchange(&next, transport, NULL, "{}", "%s", url_of("x"));
  assert_true(next.result.reused_connection);
  assert_int_equal(atomic_load(&closed), 0);
}

/* ---- Waiting ------------------------------------------------------------- */

/* Starts so many exchanges, whose answers have all come. */
static void
start_together(probe *probes, int count)
{
  atomic_store(&together, false);
  atomic_store(&answered, 0);
  for (int i = 0; i < count; i++)
    probe_start(&probes[i], transport, NULL, "{}", "%s", url_of("together"));
  for (int i = 0; i < count; i++)
    assert_true(probe_run_until(transport, &probes[i].sent, 1));
  probe_run(transport, 0);
  assert_false(transport->behind);
  atomic_store(&together, true);
  while (atomic_load(&answered) < count)
    tiny_sleep_ms(1);
}

/* More sockets are ready than one run() serves: until it has served them all
 * it says that it is behind. */
static void
test_all_that_came_is_told_unless_behind(void **state)
{
  (void)state;
  enum { many = 150 };
  static probe probes[many];
  memset(probes, 0, sizeof probes);
  start_together(probes, many);
  int runs = 0, told = 0;
  do {
    probe_run(transport, 0);
    assert_true(++runs <= many / 64 + 2);
  } while (transport->behind);
  for (int i = 0; i < many; i++)
    told += probes[i].headers;
  assert_int_equal(told, many);
  assert_true(runs > 1);
  for (int i = 0; i < many; i++)
    probe_finish(&probes[i]);
}

/* Nobody is left whom it could serve. */
static void
test_nobody_is_behind_without_sockets(void **state)
{
  (void)state;
  enum { many = 150 };
  static probe probes[many];
  probe next = {0};
  memset(probes, 0, sizeof probes);
  start_together(probes, many);
  probe_run(transport, 0);
  assert_true(transport->behind);
  for (int i = 0; i < many; i++)
    if (!probes[i].done)
      probe_cancel(&probes[i]);
  probe_start(&next, transport, NULL, "{}", "%s", url_of("x"));
  probe_run(transport, 0);
  assert_false(transport->behind);
  probe_finish(&next);
}

/* While a lookup hangs libcurl has timers of its own; they must not make the
 * loop spin. */
static void
test_waiting_costs_nothing(void **state)
{
  (void)state;
  atomic_store(&release_lookups, false);
  probe hang = {0}, silent = {0};
  probe_start(&hang, transport, NULL, "{}", "http://a.hang.test/");
  probe_start(&silent, transport, NULL, "{}", "%s", url_of("silent"));
  WAIT_FOR(silent.sent && atomic_load(&hanging) == 1);
  probe_run(transport, 20);
  int turns = 0;
  double until_ms = probe_now_ms() + 300;
  for (; probe_now_ms() < until_ms; turns++)
    probe_run(transport, 50);
  assert_in_range(turns, 1, 60);
  double before_ms = probe_now_ms();
  for (int i = 0; i < 100; i++)
    probe_run(transport, 0);
  assert_true(probe_now_ms() - before_ms < 200);
  before_ms = probe_now_ms();
  probe_cancel(&hang);
  /* A millisecond, but a busy machine may take the processor away. Waiting
   * for the lookup would take seconds. */
  assert_true(probe_now_ms() - before_ms < 200);
  probe_cancel(&silent);
  probe other = {0};
  probe_exchange(&other, transport, NULL, "{}", "%s", url_of("x"));
  atomic_store(&release_lookups, true);
  WAIT_FOR(atomic_load(&hanging) == 0);
  assert_null(hang.fault);
}

/* The thread that libcurl makes for a lookup runs no handler of the
 * application, also where this thread, which drives, does. */
static void
test_lookups_block_signals(void **state)
{
  (void)state;
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  assert_int_equal(sigismember(&before, SIGALRM), 0);
  atomic_store(&release_lookups, false);
  probe hang = {0};
  probe_start(&hang, transport, NULL, "{}", "http://b.hang.test/");
  WAIT_FOR(atomic_load(&hanging) == 1);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  for (int i = 1; i < NSIG; i++)
    assert_int_equal(sigismember(&after, i), sigismember(&before, i));
  assert_int_equal(sigismember(&lookup_mask, SIGALRM), 1);
  assert_int_equal(sigismember(&lookup_mask, SIGINT), 1);
  assert_int_equal(sigismember(&lookup_mask, SIGSEGV), 0);
  probe_cancel(&hang);
  atomic_store(&release_lookups, true);
  WAIT_FOR(atomic_load(&hanging) == 0);
}

static void
test_fd_is_readable_when_there_is_something_to_do(void **state)
{
  (void)state;
  probe p = {0};
  probe_start(&p, transport, NULL, "{}", "%s", url_of("bytes"));
  int fd = transport->ops->fd(transport);
  double until_ms = probe_now_ms() + 10000;
  while (!p.done && probe_now_ms() < until_ms) {
    uint64_t at_ns = transport->ops->next_timeout_ns(transport);
    uint64_t now_ns = inf_clock_now(inf_clock_system());
    uint64_t wait_ms = at_ns <= now_ns ? 0 : (at_ns - now_ns) / 1000000 + 1;
    struct pollfd pollfd = {fd, POLLIN, 0};
    poll(&pollfd, 1, wait_ms < 5000 ? (int)wait_ms : 5000);
    probe_run(transport, 0);
  }
  assert_true(probe_now_ms() < until_ms - 4000);
  assert_whole(&p);
}

/* ---- Many, small pieces, little memory ----------------------------------- */

static void
test_a_hundred_byte_by_byte(void **state)
{
  (void)state;
  enum { many = 100 };
  static probe probes[many];
  for (int i = 0; i < many; i++) {
    probes[i] = (probe){0};
    probe_start(&probes[i], transport, NULL, "{}", "%s", url_of("bytes"));
  }
  for (int i = 0; i < many; i++) {
    assert_whole(&probes[i]);
    assert_string_equal(probes[i].body, "0123456789abcdef");
  }
}

static void
scarce_scenario(void *context)
{
  (void)context;
  inf_curl_options options = {.clock = inf_clock_system(),
                              .max_header_bytes = 64 << 10,
                              .max_idle_connections = 4};
  inf_transport *scarce = inf_curl_transport_new(&options);
  if (!scarce) {
    assert_true(fail_alloc_hits() > 0);
    return;
  }
  char line[64];
  snprintf(line, sizeof line, "fixed.test:%d:127.0.0.1", tiny_port(server));
  const char *resolve[] = {line, NULL};
  inf_endpoint endpoint = probe_endpoint();
  endpoint.resolve = resolve;
  char url[64];
  snprintf(url, sizeof url, "http://fixed.test:%d/x", tiny_port(server));
  static const char lines[] = "A: b\0C: d";
  inf_http_request request = {.method = "POST",
                              .url = url,
                              .headers = {lines, sizeof lines},
                              .body = INF_SV("{}"),
                              .endpoint = &endpoint};
  for (int i = 0; i < 2; i++) {
    probe p = {0};
    probe_start_request(&p, scarce, &request);
    if (p.exchange && !probe_run_until(scarce, &p.done, 1))
      fail_msg("an exchange without an end");
    assert_null(p.fault);
    if (fail_alloc_hits() == 0)
      assert_int_equal(p.result.net, INF_NET_OK);
    scarce->ops->retire_idle(scarce);
  }
  scarce->ops->free(scarce);
}

static void
test_memory_shortage(void **state)
{
  (void)state;
  probe_transport_free(transport); /* nothing may be allocated at install */
  fail_alloc_install();
  assert_true(fail_alloc_sweep(scarce_scenario, NULL) > 8);
  fail_alloc_uninstall();
  transport = probe_transport();
}

/* ---- Signals ------------------------------------------------------------- */

static volatile sig_atomic_t pipe_signals;

static void
on_pipe_signal(int number)
{
  (void)number;
  pipe_signals++;
}

static void
serve_and_hang_up(tiny_conn *conn)
{
  char byte;
  if (conn->ssl)
    SSL_read(conn->ssl, &byte, 1);
  else if (recv(conn->fd, &byte, 1, 0) < 0)
    return;
  tiny_reset(conn); /* while megabytes are still to come */
}

static void
test_no_pipe_signal(void **state)
{
  (void)state;
  char dir[] = "/tmp/infer-test-XXXXXX", cert[64], key[64];
  assert_non_null(mkdtemp(dir));
  assert_true(tiny_make_certificates(dir));
  snprintf(cert, sizeof cert, "%s/server.pem", dir);
  snprintf(key, sizeof key, "%s/server.key", dir);
  struct sigaction action = {.sa_handler = on_pipe_signal}, before;
  sigaction(SIGPIPE, &action, &before);
  char *body = malloc(upload_size + 1);
  memset(body, 'b', upload_size);
  body[upload_size] = '\0';
  for (int i = 0; i < 20; i++) {
    bool tls = i % 2;
    tiny_options options = {.cert_file = tls ? cert : NULL, .key_file = key};
    tiny_server *rude = tiny_start(serve_and_hang_up, NULL, &options);
    inf_endpoint endpoint = probe_endpoint();
    endpoint.tls_verify = false;
    probe p = {0};
    probe_exchange(&p, transport, &endpoint, body, "%s://127.0.0.1:%d/",
                   tls ? "https" : "http", tiny_port(rude));
    assert_int_equal(p.result.net, INF_NET_RESET);
    tiny_stop(rude);
  }
  free(body);
  struct sigaction still;
  sigaction(SIGPIPE, &before, &still);
  assert_ptr_equal(still.sa_handler, on_pipe_signal);
  assert_int_equal(pipe_signals, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_start_in_each_callback),
      TEST(test_vain_starts_do_not_hold_the_loop),
      TEST(test_cancel_in_each_callback),
      TEST(test_cancel_within_the_end),
      TEST(test_cancel_another_in_each_callback),
      TEST(test_cancel_what_has_just_started),
      TEST(test_a_crowd_that_cancels_and_starts),
      TEST(test_memory_of_a_cancelled_upload),
      TEST(test_large_bodies_go_out_whole),
      TEST(test_pause_in_each_callback),
      TEST(test_pause_that_is_taken_back),
      TEST(test_refuse_what_was_held_back),
      TEST(test_no_resend_after_a_reset),
      TEST(test_retire_closes_idle_connections),
      TEST(test_connections_are_closed_on_exec),
      TEST(test_retire_spares_what_is_under_way),
      TEST(test_retire_in_each_callback),
      TEST(test_all_that_came_is_told_unless_behind),
      TEST(test_nobody_is_behind_without_sockets),
      TEST(test_a_forked_child_leaves_connections_alone),
      TEST(test_waiting_costs_nothing),
      TEST(test_lookups_block_signals),
      TEST(test_fd_is_readable_when_there_is_something_to_do),
      TEST(test_a_hundred_byte_by_byte),
      TEST(test_memory_shortage),
      TEST(test_no_pipe_signal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
