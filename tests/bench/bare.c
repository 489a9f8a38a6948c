/* SPDX-License-Identifier: MIT */
/* The baseline: bare libcurl as a careful engineer uses it. One multi handle,
 * curl_multi_socket_action over epoll, easy handles and connections kept and
 * used again, no JSON. Of a stream it finds the events: lines by memchr(),
 * "data:" lines counted, a line that is cut between two reads put together. */
#include "bench/speed.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { line_max = 64 << 10 };

typedef struct framing {
  char line[line_max];
  size_t len;
  unsigned events;
} framing;

typedef struct transfer {
  CURL *easy;
  framing *frames; /* NULL: bytes only */
  size_t bytes;
  bool begun;
} transfer;

typedef struct loop {
  CURLM *multi;
  int epoll_fd;
  uint64_t timer_ns; /* UINT64_MAX: none */
  transfer *transfers;
  struct curl_slist *headers;
  char url[128];
} loop;

static const char body_unary[] =
    "{\"model\":\"" BENCH_MODEL "\",\"messages\":[{\"role\":\"user\","
    "\"content\":\"" BENCH_PROMPT "\"}]}";
static const char body_stream[] =
    "{\"model\":\"" BENCH_MODEL "\",\"messages\":[{\"role\":\"user\","
    "\"content\":\"" BENCH_PROMPT "\"}],\"stream\":true,"
    "\"stream_options\":{\"include_usage\":true}}";

/* ---- Framing ------------------------------------------------------------- */

static void
take_line(framing *frames, const char *line, size_t len)
{
  if (len > 5 && memcmp(line, "data:", 5) == 0)
    frames->events++;
}

static void
take_bytes(framing *frames, const char *ptr, size_t len)
{
  const char *end = ptr + len, *newline;
  while ((newline = memchr(ptr, '\n', (size_t)(end - ptr)))) {
    size_t piece = (size_t)(newline - ptr);
    if (frames->len > 0) {
      if (frames->len + piece > line_max)
        bench_fail("a line is too long");
      memcpy(frames->line + frames->len, ptr, piece);
      take_line(frames, frames->line, frames->len + piece);
      frames->len = 0;
    } else {
      take_line(frames, ptr, piece);
    }
    ptr = newline + 1;
  }
  size_t rest = (size_t)(end - ptr);
  if (frames->len + rest > line_max)
    bench_fail("a line is too long");
  memcpy(frames->line + frames->len, ptr, rest);
  frames->len += rest;
}

static size_t
on_write(char *ptr, size_t size, size_t count, void *context)
{
  transfer *to = context;
  to->bytes += size * count;
  to->begun = true;
  if (to->frames)
    take_bytes(to->frames, ptr, size * count);
  return size * count;
}

/* ---- The loop ------------------------------------------------------------ */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
  (void)easy;
  loop *self = context;
  static char mark;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    return 0;
  }
  struct epoll_event event = {.data.fd = fd};
  if (what & CURL_POLL_IN)
    event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT)
    event.events |= EPOLLOUT;
  epoll_ctl(self->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  curl_multi_assign(self->multi, fd, &mark);
  return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *context)
{
  (void)multi;
  loop *self = context;
  self->timer_ns = timeout_ms < 0 ? UINT64_MAX
                   : timeout_ms == 0
                       ? 0
                       : bench_now_ns() + (uint64_t)timeout_ms * 1000000u;
  return 0;
}

static int
wait_ms(const loop *self)
{
  if (self->timer_ns == 0)
    return 0;
  if (self->timer_ns == UINT64_MAX)
    return 1000;
  uint64_t now_ns = bench_now_ns();
  if (self->timer_ns <= now_ns)
    return 0;
  uint64_t left_ms = (self->timer_ns - now_ns) / 1000000u + 1;
  return left_ms > 1000 ? 1000 : (int)left_ms;
}

static void
turn(loop *self)
{
  struct epoll_event events[64];
  int running;
  int count = epoll_wait(self->epoll_fd, events, 64, wait_ms(self));
  for (int i = 0; i < count; i++)
    curl_multi_socket_action(
        self->multi, events[i].data.fd,
        (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
            (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
            (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0),
        &running);
  if (self->timer_ns != UINT64_MAX &&
      (self->timer_ns == 0 || self->timer_ns <= bench_now_ns())) {
    self->timer_ns = UINT64_MAX;
    curl_multi_socket_action(self->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

static struct curl_slist *
make_headers(bool stream)
{
  const char *const lines[] = {
      "Expect:",
      "Content-Type: application/json",
      stream ? "Accept: text/event-stream" : "Accept: application/json",
      "User-Agent: libinfer/0.1.0",
      "Authorization: Bearer " BENCH_KEY,
  };
  struct curl_slist *list = NULL;
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
    list = curl_slist_append(list, lines[i]);
  return list;
}

static void
prepare(CURL *easy, const char *url, bool stream, struct curl_slist *headers)
{
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE,
                   (long)strlen(stream ? body_stream : body_unary));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, stream ? body_stream : body_unary);
}

static void
loop_init(loop *self, unsigned port, const bench_job *job, unsigned count)
{
  bool stream = job->chunks > 0;
  snprintf(self->url, sizeof self->url,
           "http://127.0.0.1:%u/%s/v1/chat/completions", port, job->path);
  self->timer_ns = UINT64_MAX;
  self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  self->multi = curl_multi_init();
  self->headers = make_headers(stream);
  self->transfers = calloc(count, sizeof *self->transfers);
  if (self->epoll_fd < 0 || !self->multi || !self->transfers)
    bench_fail("setting up");
  curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
  curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
  curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, 256L);
}

static void
add_transfer(loop *self, transfer *to, bool frames, bool stream)
{
  to->easy = curl_easy_init();
  to->frames = frames ? calloc(1, sizeof *to->frames) : NULL;
  if (!to->easy || (frames && !to->frames))
    bench_fail("setting up");
  prepare(to->easy, self->url, stream, self->headers);
  curl_easy_setopt(to->easy, CURLOPT_PRIVATE, to);
  curl_easy_setopt(to->easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(to->easy, CURLOPT_WRITEDATA, to);
}

static void
check(const transfer *to, CURLcode code, const bench_job *job)
{
  long status = 0;
  curl_easy_getinfo(to->easy, CURLINFO_RESPONSE_CODE, &status);
  /* Role, content, finish, usage, [DONE]. */
  bool whole =
      to->frames ? to->frames->events == job->chunks + 4 : to->bytes > 1000;
  if (code != CURLE_OK || status != 200 || !whole)
    bench_fail("a bare transfer");
}

static void
start(loop *self, transfer *to)
{
  to->bytes = 0;
  to->begun = false;
  if (to->frames)
    to->frames->events = 0;
  curl_multi_add_handle(self->multi, to->easy);
}

static void
run(loop *self, const bench_job *job, unsigned total)
{
  unsigned started = 0, ended = 0;
  for (; started < total && started < BENCH_CONCURRENCY; started++)
    start(self, &self->transfers[started]);
  while (ended < total) {
    CURLMsg *message;
    int left;
    turn(self);
    while ((message = curl_multi_info_read(self->multi, &left))) {
      transfer *to = NULL;
      CURLcode code = message->data.result;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &to);
      curl_multi_remove_handle(self->multi, to->easy);
      check(to, code, job);
      ended++;
      if (started < total) {
        started++;
        start(self, to);
      }
    }
  }
}

static loop bare;

static void
begin_cpu(unsigned port, const bench_job *job)
{
  loop_init(&bare, port, job, BENCH_CONCURRENCY);
  for (unsigned i = 0; i < BENCH_CONCURRENCY; i++)
    add_transfer(&bare, &bare.transfers[i], job->chunks > 0, job->chunks > 0);
}

static double
slice_cpu(const bench_job *job)
{
  uint64_t before_ns = bench_cpu_ns();
  run(&bare, job, job->transfers);
  return (double)(bench_cpu_ns() - before_ns) / job->transfers;
}

static void
end(void)
{
}

const bench_side bare_cpu = {begin_cpu, slice_cpu, end};

/* ---- One call at a time -------------------------------------------------- */

static transfer alone;

static void
begin_latency(unsigned port, const bench_job *job)
{
  snprintf(bare.url, sizeof bare.url,
           "http://127.0.0.1:%u/%s/v1/chat/completions", port, job->path);
  alone.easy = curl_easy_init();
  if (!alone.easy)
    bench_fail("setting up");
  prepare(alone.easy, bare.url, false, make_headers(false));
  curl_easy_setopt(alone.easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(alone.easy, CURLOPT_WRITEDATA, &alone);
}

static double
slice_latency(const bench_job *job)
{
  double taken[BENCH_LATENCY_CALLS];
  for (unsigned i = 0; i < BENCH_LATENCY_CALLS; i++) {
    alone.bytes = 0;
    uint64_t begin_ns = bench_now_ns();
    CURLcode code = curl_easy_perform(alone.easy);
    taken[i] = (double)(bench_now_ns() - begin_ns);
    check(&alone, code, job);
  }
  return bench_median(taken, BENCH_LATENCY_CALLS);
}

const bench_side bare_latency = {begin_latency, slice_latency, end};

/* ---- Open streams -------------------------------------------------------- */

static void
open_streams(unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++) {
    add_transfer(&bare, &bare.transfers[i], false, true);
    start(&bare, &bare.transfers[i]);
    while (!bare.transfers[i].begun)
      turn(&bare);
  }
}

double
bare_open_bytes(unsigned port)
{
  const bench_job job = {.path = "hold", .chunks = 1};
  loop_init(&bare, port, &job, 10000);
  open_streams(0, 1000);
  double before = bench_rss_bytes();
  open_streams(1000, 10000);
  return (bench_rss_bytes() - before) / 9000;
}
