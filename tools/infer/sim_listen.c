/* SPDX-License-Identifier: MIT */
/* Listening sockets and accepting. */

#include "sim_listen.h"

#include "sim_conn.h"
#include "sim_match.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 4096
/* After the process has run out of descriptors. */
#define ACCEPT_PAUSE_NS (10 * INF_NS_PER_MS)
/* Connections taken in one turn of the loop. */
#define ACCEPTS_MAX 256

static void
on_accept_alarm(inf_sim_alarm *alarm, uint64_t now_ns)
{
  inf_sim_server *server =
      INF_CONTAINER_OF(alarm, inf_sim_server, accept_alarm);
  (void)now_ns;
  for (size_t i = 0; i < server->listener_count; i++) {
    inf_sim_listener *listener = &server->listeners[i];
    if (listener->fd >= 0) {
      inf_sim_loop_change(&server->loop, listener->fd, &listener->source,
                          EPOLLIN);
    }
  }
}

void
inf_sim_listen_init(inf_sim_server *server)
{
  inf_sim_alarm_init(&server->accept_alarm, on_accept_alarm);
}

static void
take_connection(inf_sim_listener *listener, int fd, uint64_t now_ns)
{
  inf_sim_server *server = listener->server;
  int yes = 1;
  if (listener->control) {
    inf_sim_conn_new(server, fd, true);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  server->stats.connections_accepted++;
  if (inf_sim_match_accept(server->script, now_ns - server->script_start_ns,
                           &server->rng)) {
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    server->stats.accept_resets++;
    close(fd);
    return;
  }
  inf_sim_conn_new(server, fd, false);
}

static void
on_ready(inf_sim_source *source, uint32_t events, uint64_t now_ns)
{
  inf_sim_listener *listener =
      INF_CONTAINER_OF(source, inf_sim_listener, source);
  inf_sim_server *server = listener->server;
  (void)events;
  for (int i = 0; i < ACCEPTS_MAX && listener->fd >= 0; i++) {
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      take_connection(listener, fd, now_ns);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS) {
      inf_sim_loop_change(&server->loop, listener->fd, source, 0);
      inf_sim_loop_set(&server->loop, &server->accept_alarm,
                       now_ns + ACCEPT_PAUSE_NS);
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

/* A path that is left over from a server that was killed is taken over. */
static void
remove_stale(const inf_sim_listener *listener)
{
  struct stat info;
  const char *path = listener->address.local.sun_path;
  if (listener->address.any.sa_family == AF_UNIX && lstat(path, &info) == 0 &&
      S_ISSOCK(info.st_mode)) {
    unlink(path);
  }
}

static const char *
open_listener(inf_sim_listener *listener)
{
  int yes = 1;
  int family = listener->address.any.sa_family;
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return strerror(errno);
  }
  remove_stale(listener);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  socklen_t len = sizeof(listener->address);
  if (bind(fd, &listener->address.any, listener->address_len) != 0 ||
      listen(fd, BACKLOG) != 0 ||
      (family != AF_UNIX &&
       getsockname(fd, &listener->address.any, &len) != 0) ||
      !inf_sim_loop_add(&listener->server->loop, fd, &listener->source,
                        EPOLLIN)) {
    const char *why = strerror(errno);
    close(fd);
    return why;
  }
  listener->fd = fd;
  return NULL;
}

void
inf_sim_listen_open(inf_sim_server *server)
{
  for (size_t i = 0; i < server->listener_count; i++) {
    inf_sim_listener *listener = &server->listeners[i];
    const char *error = listener->fd < 0 ? open_listener(listener) : NULL;
    if (error) {
      inf_sim_die("cannot listen again: %s", error);
    }
  }
}

void
inf_sim_listen_close(inf_sim_server *server, bool for_good)
{
  for (size_t i = 0; i < server->listener_count; i++) {
    inf_sim_listener *listener = &server->listeners[i];
    if (listener->fd >= 0 && (for_good || !listener->control)) {
      inf_sim_loop_remove(&server->loop, listener->fd);
      close(listener->fd);
      listener->fd = -1;
    }
    if (for_good) {
      remove_stale(listener);
    }
  }
}

static bool
split_host(const char *where, char *host, size_t size, in_port_t *port)
{
  const char *colon = strrchr(where, ':');
  long long number = 0;
  if (!colon || !inf_sv_to_int64(inf_sv_from(colon + 1), &number) ||
      number < 0 || number > 65535) {
    return false;
  }
  inf_sv name = inf_sv_of(where, (size_t)(colon - where));
  if (name.len > 1 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']') {
    name = inf_sv_of(name.ptr + 1, name.len - 2);
  }
  if (inf_sv_eq(name, INF_SV("localhost"))) {
    name = INF_SV("127.0.0.1");
  }
  *port = htons((in_port_t)number);
  int len = snprintf(host, size, "%.*s", (int)name.len, name.ptr);
  return len > 0 && (size_t)len < size;
}

static const char *
parse_address(inf_sim_listener *listener, const char *where, bool *loopback)
{
  char host[64];
  in_port_t port = 0;
  if (!split_host(where, host, sizeof(host), &port)) {
    return "must be like 127.0.0.1:0 or [::1]:8080";
  }
  struct sockaddr_in *v4 = &listener->address.v4;
  struct sockaddr_in6 *v6 = &listener->address.v6;
  if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    listener->address_len = sizeof(*v4);
    *loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
  } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    listener->address_len = sizeof(*v6);
    *loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  } else {
    return "is no numeric address";
  }
  return NULL;
}

static inf_sim_listener *
add_listener(inf_sim_server *server)
{
  if (server->listener_count == INF_SIM_LISTENERS_MAX) {
    return NULL;
  }
  inf_sim_listener *listener = &server->listeners[server->listener_count];
  *listener = (inf_sim_listener){
      .source.on_ready = on_ready, .server = server, .fd = -1};
  return listener;
}

static const char *
keep_listener(inf_sim_server *server, inf_sim_listener *listener)
{
  const char *error = open_listener(listener);
  if (!error) {
    server->listener_count++;
  }
  return error;
}

const char *
inf_sim_server_listen(inf_sim_server *server, const char *where,
                      bool allow_remote)
{
  inf_sim_listener *listener = add_listener(server);
  bool loopback = false;
  if (!listener) {
    return "too many listeners";
  }
  const char *error = parse_address(listener, where, &loopback);
  if (error) {
    return error;
  }
  if (!loopback && !allow_remote) {
    return "is no loopback address (--allow-remote permits it)";
  }
  return keep_listener(server, listener);
}

const char *
inf_sim_server_listen_unix(inf_sim_server *server, const char *path,
                           bool control)
{
  inf_sim_listener *listener = add_listener(server);
  if (!listener) {
    return "too many listeners";
  }
  listener->control = control;
  struct sockaddr_un *local = &listener->address.local;
  local->sun_family = AF_UNIX;
  int len = snprintf(local->sun_path, sizeof(local->sun_path), "%s", path);
  if (len <= 0 || (size_t)len >= sizeof(local->sun_path)) {
    return "is empty or too long for a Unix socket";
  }
  listener->address_len = sizeof(*local);
  return keep_listener(server, listener);
}

void
inf_sim_server_put_url(const inf_sim_server *server, size_t index, inf_buf *out)
{
  const inf_sim_listener *listener = &server->listeners[index];
  const char *scheme = server->tls ? "https" : "http";
  char host[INET6_ADDRSTRLEN];
  if (listener->address.any.sa_family == AF_UNIX) {
    inf_buf_appendf(out, "unix:%s", listener->address.local.sun_path);
  } else if (listener->address.any.sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &listener->address.v6.sin6_addr, host, sizeof(host));
    inf_buf_appendf(out, "%s://[%s]:%u", scheme, host,
                    ntohs(listener->address.v6.sin6_port));
  } else {
    inet_ntop(AF_INET, &listener->address.v4.sin_addr, host, sizeof(host));
    inf_buf_appendf(out, "%s://%s:%u", scheme, host,
                    ntohs(listener->address.v4.sin_port));
  }
  inf_sim_must(out);
}
