/* SPDX-License-Identifier: MIT */
/* Connections: non-blocking reads and writes with or without TLS, the order
 * of requests on a connection, and all the ways in which it may end. */

#include "sim_conn.h"

#include "sim_exchange.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include <unistd.h>

/* How long the peer may take to close after we did. */
#define LINGER_NS (2 * INF_NS_PER_S)
/* Before a reset the kernel gets time to deliver what was written: a reset
 * throws away what is still queued. */
#define RESET_POLL_NS   (200 * INF_NS_PER_US)
#define RESET_TRIES_MAX 5000
/* Bytes of pipelined requests that are taken before they can be answered. */
#define PENDING_MAX ((size_t)1 << 20)
/* Rounds of answering and writing in one turn, so that others get theirs. */
#define ROUNDS_MAX 16
/* An output buffer that has grown above this is given back when idle. */
#define OUT_KEPT_MAX ((size_t)16 * 1024)

typedef enum io_result { IO_DONE, IO_BLOCKED, IO_LATER, IO_GONE } io_result;

static void progress(inf_sim_conn *conn, uint64_t now_ns);

/* What epoll watches: input always, unless too much of it waits; output only
 * while it is blocked. */
static void
watch(inf_sim_conn *conn, bool output)
{
  uint32_t events = EPOLLRDHUP | (output ? EPOLLOUT : 0u);
  if (conn->pending.len < PENDING_MAX) {
    events |= EPOLLIN;
  }
  if (events != conn->events) {
    conn->events = events;
    inf_sim_loop_change(&conn->server->loop, conn->fd, &conn->source, events);
  }
}

void
inf_sim_conn_close(inf_sim_conn *conn, bool reset)
{
  if (conn->state == INF_SIM_CONN_CLOSED) {
    return;
  }
  inf_sim_server *server = conn->server;
  if (reset) {
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  }
  conn->state = INF_SIM_CONN_CLOSED;
  inf_sim_loop_cancel(&server->loop, &conn->alarm);
  inf_sim_loop_remove(&server->loop, conn->fd);
  close(conn->fd);
  server->stats.open_connections -= conn->control ? 0 : 1;
  inf_list_remove(&conn->node);
  inf_list_push_back(&server->dead, &conn->node);
}

static void
free_conn(inf_sim_conn *conn)
{
  SSL_free(conn->ssl);
  inf_sim_http_fini(&conn->http);
  inf_buf_fini(&conn->pending);
  inf_buf_fini(&conn->out);
  inf_free(conn);
}

void
inf_sim_conn_reap(inf_sim_server *server)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&server->dead)) != NULL) {
    free_conn(INF_CONTAINER_OF(node, inf_sim_conn, node));
  }
}

static void
peer_gone(inf_sim_conn *conn, uint64_t now_ns)
{
  inf_sim_exchange_end(conn, INF_SIM_END_CLIENT_CLOSED, now_ns);
  inf_sim_conn_close(conn, false);
}

/* Writing. */

static ssize_t
write_some(inf_sim_conn *conn, const char *ptr, size_t len)
{
  if (!conn->ssl) {
    return send(conn->fd, ptr, len, MSG_NOSIGNAL);
  }
  ERR_clear_error();
  int most = len > 1 << 20 ? 1 << 20 : (int)len;
  int n = SSL_write(conn->ssl, ptr, most);
  if (n > 0) {
    return n;
  }
  int why = SSL_get_error(conn->ssl, n);
  errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN
                                                                    : EPIPE;
  return -1;
}

/* Writes that the script makes small, and maybe slow. */
static size_t
write_size(const inf_sim_conn *conn, size_t len)
{
  if (!conn->has_answer || !conn->answer.behaviour->write_bytes.set) {
    return len;
  }
  uint64_t most = conn->answer.behaviour->write_bytes.value;
  return len < most ? len : (size_t)most;
}

static bool
is_paced(const inf_sim_conn *conn)
{
  return conn->has_answer && conn->answer.behaviour->write_bytes.set &&
         conn->answer.behaviour->write_delay_us > 0;
}

static io_result
flush_once(inf_sim_conn *conn)
{
  size_t len = write_size(conn, conn->out.len - conn->out_at);
  ssize_t n = write_some(conn, conn->out.ptr + conn->out_at, len);
  if (n < 0) {
    return errno == EAGAIN || errno == EINTR ? IO_BLOCKED : IO_GONE;
  }
  conn->out_at += (size_t)n;
  conn->exchange_bytes += (size_t)n;
  conn->server->stats.bytes_out += conn->control ? 0 : (size_t)n;
  return IO_DONE;
}

static io_result
flush_out(inf_sim_conn *conn, uint64_t now_ns)
{
  while (conn->out_at < conn->out.len) {
    if (is_paced(conn) && now_ns < conn->next_write_ns) {
      inf_sim_loop_set(&conn->server->loop, &conn->alarm, conn->next_write_ns);
      return IO_LATER;
    }
    io_result result = flush_once(conn);
    if (result != IO_DONE) {
      return result;
    }
    if (is_paced(conn)) {
      conn->next_write_ns =
          now_ns + conn->answer.behaviour->write_delay_us * INF_NS_PER_US;
    }
  }
  inf_buf_clear(&conn->out);
  conn->out_at = 0;
  return IO_DONE;
}

/* Ending. */

/* Our side says that it is done; the peer's end is awaited for a while,
 * because closing with unread input would reset what was just sent. */
static void
linger(inf_sim_conn *conn, uint64_t now_ns)
{
  if (conn->ssl) {
    ERR_clear_error();
    SSL_shutdown(conn->ssl);
  }
  shutdown(conn->fd, SHUT_WR);
  conn->state = INF_SIM_CONN_LINGERING;
  watch(conn, false);
  inf_sim_loop_set(&conn->server->loop, &conn->alarm, now_ns + LINGER_NS);
}

static void
reset_when_sent(inf_sim_conn *conn, uint64_t now_ns)
{
  int queued = 0;
  if (ioctl(conn->fd, SIOCOUTQ, &queued) == 0 && queued > 0 &&
      conn->reset_tries++ < RESET_TRIES_MAX) {
    inf_sim_loop_set(&conn->server->loop, &conn->alarm, now_ns + RESET_POLL_NS);
    return;
  }
  inf_sim_exchange_end(conn, INF_SIM_END_RESET, now_ns);
  inf_sim_conn_close(conn, true);
}

/* The answer is complete and written. */
static void
next_request(inf_sim_conn *conn, uint64_t now_ns)
{
  inf_sim_exchange_end(conn, INF_SIM_END_COMPLETE, now_ns);
  if (conn->close_after) {
    linger(conn, now_ns);
    return;
  }
  if (conn->out.cap > OUT_KEPT_MAX) {
    inf_buf_fini(&conn->out);
    inf_buf_init(&conn->out, INF_SIM_BUF_MAX);
  }
  conn->state = INF_SIM_CONN_READING;
  inf_sim_http_reset(&conn->http);
  if (conn->idle_ns != INF_NEVER) {
    inf_sim_loop_set(&conn->server->loop, &conn->alarm,
                     inf_time_add(now_ns, conn->idle_ns));
  }
}

/* Does what the last step of the answer asked for, everything before it being
 * written. True if there is more to write at once. */
static bool
take_step(inf_sim_conn *conn, uint64_t now_ns)
{
  switch (conn->step.action) {
  case INF_SIM_WAIT:
    if (now_ns < conn->step.at_ns) {
      inf_sim_loop_set(&conn->server->loop, &conn->alarm, conn->step.at_ns);
      return false;
    }
    break;
  case INF_SIM_MORE:
    break;
  case INF_SIM_DONE:
    next_request(conn, now_ns);
    return false;
  case INF_SIM_CUT:
    inf_sim_exchange_end(conn, INF_SIM_END_CUT, now_ns);
    linger(conn, now_ns);
    return false;
  case INF_SIM_RESET:
    reset_when_sent(conn, now_ns);
    return false;
  case INF_SIM_HANG:
    return false;
  }
  inf_sim_exchange_run(conn, now_ns);
  return true;
}

/* Writes and asks for more until something has to be waited for. */
static void
progress(inf_sim_conn *conn, uint64_t now_ns)
{
  for (int round = 0; round < ROUNDS_MAX; round++) {
    io_result result = flush_out(conn, now_ns);
    if (result == IO_GONE) {
      peer_gone(conn, now_ns);
      return;
    }
    if (result != IO_DONE) {
      watch(conn, result == IO_BLOCKED);
      return;
    }
    if (conn->state != INF_SIM_CONN_ANSWERING || !take_step(conn, now_ns)) {
      if (conn->state != INF_SIM_CONN_CLOSED) {
        watch(conn, false);
      }
      return;
    }
  }
  /* Others first: the socket is writable, so the next turn goes on here. */
  watch(conn, true);
}

/* Reading. */

static void
begin_exchange(inf_sim_conn *conn, inf_sim_http_state state, uint64_t now_ns)
{
  inf_sim_loop_cancel(&conn->server->loop, &conn->alarm);
  conn->state = INF_SIM_CONN_ANSWERING;
  conn->next_write_ns = 0;
  if (state == INF_SIM_HTTP_READY) {
    inf_sim_exchange_begin(conn, now_ns);
  } else {
    inf_sim_exchange_refuse(conn, now_ns);
  }
  progress(conn, now_ns);
}

/* Reads requests from bytes as long as each is answered at once; returns how
 * many were used. */
static size_t
feed(inf_sim_conn *conn, inf_sv bytes, uint64_t now_ns)
{
  size_t at = 0;
  while (at < bytes.len && conn->state == INF_SIM_CONN_READING) {
    size_t used = 0;
    inf_sim_http_state state = inf_sim_http_feed(
        &conn->http, inf_sv_of(bytes.ptr + at, bytes.len - at), &used);
    at += used;
    if (conn->http.wants_continue) {
      conn->http.wants_continue = false;
      if (state == INF_SIM_HTTP_PARTIAL) {
        inf_buf_append_cstr(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
        progress(conn, now_ns);
      }
    }
    if (state != INF_SIM_HTTP_PARTIAL && conn->state == INF_SIM_CONN_READING) {
      begin_exchange(conn, state, now_ns);
    }
  }
  return at;
}

static void
feed_pending(inf_sim_conn *conn, uint64_t now_ns)
{
  if (conn->pending.len > 0 && conn->state == INF_SIM_CONN_READING) {
    size_t used = feed(conn, inf_buf_sv(&conn->pending), now_ns);
    inf_buf_consume(&conn->pending, used);
    if (conn->state < INF_SIM_CONN_CLOSED) {
      watch(conn, (conn->events & EPOLLOUT) != 0);
    }
  }
}

static void
take_bytes(inf_sim_conn *conn, inf_sv bytes, uint64_t now_ns)
{
  conn->server->stats.bytes_in += conn->control ? 0 : bytes.len;
  if (conn->state >= INF_SIM_CONN_LINGERING) {
    return;
  }
  size_t used = conn->pending.len > 0 ? 0 : feed(conn, bytes, now_ns);
  inf_buf_append(&conn->pending, bytes.ptr + used, bytes.len - used);
  inf_sim_must(&conn->pending);
}

/* Bytes read, 0 at the end, -1 with errno. */
static ssize_t
read_some(inf_sim_conn *conn)
{
  char *to = conn->server->read_buf;
  if (!conn->ssl) {
    return recv(conn->fd, to, INF_SIM_READ_BYTES, 0);
  }
  ERR_clear_error();
  int n = SSL_read(conn->ssl, to, (int)INF_SIM_READ_BYTES);
  if (n > 0) {
    return n;
  }
  int why = SSL_get_error(conn->ssl, n);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  return 0;
}

/* One read is enough without TLS, since epoll tells if there is more; TLS
 * keeps bytes to itself, so there the reader goes on to the end. */
static void
read_input(inf_sim_conn *conn, uint64_t now_ns)
{
  ssize_t n = 0;
  do {
    n = read_some(conn);
    if (n > 0) {
      take_bytes(conn, inf_sv_of(conn->server->read_buf, (size_t)n), now_ns);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      peer_gone(conn, now_ns);
      return;
    }
    feed_pending(conn, now_ns);
  } while (n > 0 && conn->ssl && conn->state != INF_SIM_CONN_CLOSED &&
           conn->pending.len < PENDING_MAX);
}

/* After output has moved: the next request may wait in `pending` or, with
 * TLS, within OpenSSL, of which epoll knows nothing. */
static void
resume_input(inf_sim_conn *conn, uint64_t now_ns)
{
  feed_pending(conn, now_ns);
  if (conn->ssl && conn->state != INF_SIM_CONN_CLOSED) {
    read_input(conn, now_ns);
  }
}

static void
handshake(inf_sim_conn *conn, uint64_t now_ns)
{
  ERR_clear_error();
  int n = SSL_accept(conn->ssl);
  if (n == 1) {
    conn->state = INF_SIM_CONN_READING;
    watch(conn, false);
    read_input(conn, now_ns);
    return;
  }
  int why = SSL_get_error(conn->ssl, n);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    watch(conn, why == SSL_ERROR_WANT_WRITE);
  } else {
    inf_sim_conn_close(conn, false);
  }
}

static void
on_ready(inf_sim_source *source, uint32_t events, uint64_t now_ns)
{
  inf_sim_conn *conn = INF_CONTAINER_OF(source, inf_sim_conn, source);
  if (conn->state == INF_SIM_CONN_CLOSED) {
    return;
  }
  bool hung_up = (events & EPOLLHUP) != 0 && (events & EPOLLIN) == 0;
  if (hung_up || (events & EPOLLERR) != 0) {
    peer_gone(conn, now_ns);
    return;
  }
  if (conn->state == INF_SIM_CONN_HANDSHAKE) {
    handshake(conn, now_ns);
    return;
  }
  if (events & EPOLLOUT) {
    progress(conn, now_ns);
    resume_input(conn, now_ns);
  }
  if (conn->state == INF_SIM_CONN_CLOSED) {
    return;
  }
  if (events & EPOLLIN) {
    read_input(conn, now_ns);
  } else if (events & EPOLLRDHUP) {
    peer_gone(conn, now_ns);
  }
}

static void
on_due(inf_sim_alarm *alarm, uint64_t now_ns)
{
  inf_sim_conn *conn = INF_CONTAINER_OF(alarm, inf_sim_conn, alarm);
  if (conn->state == INF_SIM_CONN_ANSWERING) {
    progress(conn, now_ns);
    resume_input(conn, now_ns);
  } else if (conn->state == INF_SIM_CONN_LINGERING) {
    inf_sim_conn_close(conn, false);
  } else if (!inf_sim_http_begun(&conn->http)) {
    linger(conn, now_ns); /* idle for too long */
  }
}

static bool
begin_tls(inf_sim_conn *conn)
{
  if (!conn->server->tls || conn->control) {
    conn->state = INF_SIM_CONN_READING;
    return true;
  }
  conn->state = INF_SIM_CONN_HANDSHAKE;
  conn->ssl = SSL_new(conn->server->tls);
  if (!conn->ssl || SSL_set_fd(conn->ssl, conn->fd) != 1) {
    return false;
  }
  SSL_set_accept_state(conn->ssl);
  return true;
}

void
inf_sim_conn_new(inf_sim_server *server, int fd, bool control)
{
  inf_sim_conn *conn = inf_sim_alloc(sizeof(*conn));
  conn->source.on_ready = on_ready;
  conn->server = server;
  conn->fd = fd;
  conn->control = control;
  conn->number = control ? 0 : ++server->next_connection;
  conn->events = EPOLLIN | EPOLLRDHUP;
  conn->idle_ns = INF_NEVER;
  inf_sim_alarm_init(&conn->alarm, on_due);
  inf_sim_http_init(&conn->http);
  inf_buf_init(&conn->pending, INF_SIM_BUF_MAX);
  inf_buf_init(&conn->out, INF_SIM_BUF_MAX);
  inf_list_push_back(&server->conns, &conn->node);
  server->stats.open_connections += control ? 0 : 1;
  if (!begin_tls(conn) ||
      !inf_sim_loop_add(&server->loop, fd, &conn->source, conn->events)) {
    inf_sim_conn_close(conn, false);
  }
}
