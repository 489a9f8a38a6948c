/* SPDX-License-Identifier: MIT */
/* The server of the speed benchmark: HTTP/1.1 on loopback, canned answers, one
 * thread, epoll. It costs its own process little, so that the client is what
 * is measured, and it does what a static server cannot: streams at a pace,
 * streams that stay open, and a count of those that were open at once.
 *
 *   bench_server PORT_FILE
 *
 * It writes its port to PORT_FILE and ends when its standard input does. The
 * first part of a request's path says what comes back:
 *
 *   /unary/...     one JSON document of 1 KB
 *   /s20/...       the same answer as a stream of 20 chunks, in one write
 *   /bulk/...      a stream of 1000 chunks, as fast as the client reads
 *   /paced/...     a stream of PACED_CHUNKS chunks, one each millisecond, each
 *                  stream in its own phase
 *   /hold/...      headers and one chunk, then nothing until the client goes
 *   /stats         "open N peak N requests N request_bytes N", since the last
 *                  time that it was asked */
#include "bench/canned.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000u
enum { request_max = 16 << 10, events_max = 256, paced_max = 1024 };

typedef enum kind { UNARY, S20, BULK, PACED, HOLD, STATS, KINDS } kind;

static const char *const paths[KINDS] = {"/unary/", "/s20/",  "/bulk/",
                                         "/paced/", "/hold/", "/stats"};

typedef struct connection {
  int fd;
  char *in; /* the request that is being read */
  size_t in_len;
  const char *out; /* what is still to be written, in the canned text */
  size_t out_len;
  bool wants_write;
  bool holds;          /* counted in stats.open */
  unsigned paced_left; /* chunks still to come */
  uint64_t paced_ns;   /* when the next is due */
} connection;

static struct {
  unsigned long open, peak, requests, request_bytes;
} stats;
static canned_text answers[KINDS];
static canned_text paced_head, paced_chunk, paced_tail, hold_head;
static int epoll_fd;
static connection *paced[paced_max];
static size_t paced_count;

static void
fail(const char *what)
{
  perror(what);
  exit(1);
}

static uint64_t
now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- Connections --------------------------------------------------------- */

static void
paced_remove(connection *peer)
{
  for (size_t i = 0; i < paced_count; i++)
    if (paced[i] == peer)
      paced[i] = paced[--paced_count];
}

static void
drop(connection *peer)
{
  if (peer->holds)
    stats.open--;
  paced_remove(peer);
  close(peer->fd);
  free(peer->in);
  free(peer);
}

static void
watch(connection *peer, bool wants_write)
{
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
  if (wants_write)
    event.events |= EPOLLOUT;
  if (wants_write != peer->wants_write)
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, peer->fd, &event);
  peer->wants_write = wants_write;
}

static bool
flush(connection *peer)
{
  while (peer->out_len > 0) {
    ssize_t sent = send(peer->fd, peer->out, peer->out_len, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
      break;
    if (sent < 0)
      return false;
    peer->out += sent;
    peer->out_len -= (size_t)sent;
  }
  watch(peer, peer->out_len > 0);
  return true;
}

static bool
send_text(connection *peer, const canned_text *text)
{
  peer->out = text->ptr;
  peer->out_len = text->len;
  return flush(peer);
}

/* ---- Answers ------------------------------------------------------------- */

static bool
answer_stats(connection *peer)
{
  static char text[256];
  char body[128];
  int len = snprintf(
      body, sizeof body, "open %lu peak %lu requests %lu request_bytes %lu\n",
      stats.open, stats.peak, stats.requests, stats.request_bytes);
  int total =
      snprintf(text, sizeof text,
               "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
  canned_text out = {text, (size_t)total};
  stats.peak = stats.open;
  stats.requests = stats.request_bytes = 0;
  return send_text(peer, &out);
}

static bool
answer(connection *peer, kind what)
{
  switch (what) {
  case STATS:
    return answer_stats(peer);
  case HOLD:
    peer->holds = true;
    stats.open++;
    if (stats.open > stats.peak)
      stats.peak = stats.open;
    return send_text(peer, &hold_head);
  case PACED:
    if (paced_count == paced_max)
      return false;
    peer->paced_left = CANNED_PACED_CHUNKS;
    /* Phases spread over the millisecond, by the golden ratio. */
    peer->paced_ns =
        now_ns() + NS_PER_MS + stats.requests * 618034u % NS_PER_MS;
    paced[paced_count++] = peer;
    return send_text(peer, &paced_head);
  default:
    return send_text(peer, &answers[what]);
  }
}

/* Length of the request at the front of the buffer, 0 while it is not all
 * there. */
static size_t
request_len(const connection *peer)
{
  const char *end = memmem(peer->in, peer->in_len, "\r\n\r\n", 4);
  if (!end)
    return 0;
  size_t len = (size_t)(end - peer->in) + 4;
  const char *field = strcasestr(peer->in, "content-length: ");
  if (field && field < peer->in + len)
    len += strtoul(field + 16, NULL, 10);
  return len <= peer->in_len ? len : 0;
}

static bool
serve(connection *peer, size_t len)
{
  const char *path = memchr(peer->in, ' ', len);
  if (!path)
    return false;
  for (int i = 0; i < KINDS; i++) {
    size_t path_len = strlen(paths[i]);
    if (strncmp(path + 1, paths[i], path_len) != 0)
      continue;
    if (i != STATS) {
      stats.requests++;
      stats.request_bytes += len;
    }
    return answer(peer, (kind)i);
  }
  return false;
}

static bool
take_input(connection *peer)
{
  ssize_t got =
      recv(peer->fd, peer->in + peer->in_len, request_max - peer->in_len, 0);
  if (got < 0 && errno == EAGAIN)
    return true;
  if (got <= 0)
    return false;
  peer->in_len += (size_t)got;
  peer->in[peer->in_len] = '\0';
  size_t len = request_len(peer);
  if (len == 0)
    return peer->in_len < request_max;
  bool ok = serve(peer, len);
  peer->in_len -= len;
  memmove(peer->in, peer->in + len, peer->in_len);
  return ok;
}

static void
serve_paced(uint64_t at_ns)
{
  for (size_t i = 0; i < paced_count;) {
    connection *peer = paced[i];
    bool ok = true;
    if (peer->paced_ns <= at_ns) {
      peer->paced_ns += NS_PER_MS;
      ok = send_text(peer, peer->paced_left > 0 ? &paced_chunk : &paced_tail);
      if (peer->paced_left-- == 0) {
        paced[i] = paced[--paced_count];
        continue;
      }
    }
    if (ok)
      i++;
    else
      drop(peer);
  }
}

static void
wait_time(struct timespec *wait)
{
  uint64_t next_ns = UINT64_MAX, at_ns = now_ns();
  for (size_t i = 0; i < paced_count; i++)
    if (paced[i]->paced_ns < next_ns)
      next_ns = paced[i]->paced_ns;
  uint64_t left_ns = next_ns > at_ns ? next_ns - at_ns : 0;
  if (left_ns > 1000000000u)
    left_ns = 1000000000u;
  *wait = (struct timespec){(time_t)(left_ns / 1000000000u),
                            (long)(left_ns % 1000000000u)};
}

/* ---- The loop ------------------------------------------------------------ */

static void
accept_all(int listener)
{
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    connection *peer = calloc(1, sizeof *peer);
    if (!peer || !(peer->in = malloc(request_max + 1)))
      fail("malloc");
    peer->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
      fail("epoll_ctl");
  }
}

static void
serve_connection(connection *peer, uint32_t mask)
{
  bool ok = true;
  if (mask & EPOLLOUT)
    ok = flush(peer);
  if (ok && mask & (EPOLLIN | EPOLLHUP | EPOLLERR))
    ok = take_input(peer);
  if (!ok)
    drop(peer);
}

static int
open_listener(const char *port_file)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (void *)&address, len) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, (void *)&address, &len) != 0)
    fail("listen");
  FILE *file = fopen(port_file, "w");
  if (!file)
    fail(port_file);
  fprintf(file, "%d\n", ntohs(address.sin_port));
  if (fclose(file) != 0)
    fail(port_file);
  return fd;
}

static void
prepare_answers(void)
{
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  answers[UNARY] = canned_unary();
  answers[S20] = canned_stream(20);
  answers[BULK] = canned_stream(1000);
  paced_head = canned_paced_head();
  paced_chunk = canned_paced_chunk();
  paced_tail = canned_paced_tail();
  hold_head = canned_hold_head();
}

int
main(int argc, char **argv)
{
  if (argc != 2)
    return fprintf(stderr, "usage: bench_server PORT_FILE\n"), 2;
  prepare_answers();
  epoll_fd = epoll_create1(0);
  static int listener_mark, stdin_mark;
  int listener = open_listener(argv[1]);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener_mark};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
  event.data.ptr = &stdin_mark;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  for (;;) {
    struct epoll_event events[events_max];
    struct timespec wait;
    wait_time(&wait);
    int count = epoll_pwait2(epoll_fd, events, events_max, &wait, NULL);
    serve_paced(now_ns());
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == &stdin_mark)
        return 0;
      if (events[i].data.ptr == &listener_mark)
        accept_all(listener);
      else
        serve_connection(events[i].data.ptr, events[i].events);
    }
  }
}
