/* SPDX-License-Identifier: MIT */
/* What a failover costs: the time between the moment at which this process
 * learns that the first target has failed and the moment at which the request
 * to the next one is written.
 *
 *   bench_failover [--calls N]      N (2000) calls for each case
 *
 * The shipped library calls servers on loopback. A call's first target refuses
 * the connection or answers 503, its second one answers; stay.retries is 0.
 * The two moments are seen where libcurl calls the system, by functions of this
 * program that stand before those of libc: connect() or getsockopt() that
 * returns ECONNREFUSED, or recv() that returned the end of the 503, until
 * send() of the next request has returned. In between are libcurl, the engine
 * and its policies, and the system's part of send(); waits of the network are
 * not, where a connection to the second target waits. Where none does, its
 * connect is in it, which is told beside.
 *
 * Breaker and retry budget are off, so that each call fails over: with them on,
 * a target that always fails is no longer asked.
 *
 * Prints "failover_added_us VALUE", the larger one of the two medians, and on
 * lines that begin with "#" median and 99th percentile of each case. */
#include <infer/infer.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { calls_max = 100000, fds_max = 1024, peers_max = 32 };

/* The places of the servers. */
enum { DEAD, BUSY, WELL, CLOSING, PLACES };

static unsigned ports[PLACES];

static uint64_t
now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
fail(const char *what, const char *why)
{
  fprintf(stderr, "bench_failover: %s: %s\n", what, why);
  exit(2);
}

/* ---- Between libcurl and the system -------------------------------------- */

static unsigned port_of[fds_max]; /* that a descriptor is connected to */
static uint64_t failed_ns;        /* 0: nothing has failed */
static double added_us[calls_max];
static size_t added_count;

static bool
is_at(int fd, int place)
{
  return fd >= 0 && fd < fds_max && port_of[fd] == ports[place];
}

static void
see_failure(void)
{
  if (failed_ns == 0)
    failed_ns = now_ns();
}

int
connect(int fd, const struct sockaddr *address, socklen_t len)
{
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "connect");
  if (fd >= 0 && fd < fds_max && address->sa_family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, address, sizeof in);
    port_of[fd] = ntohs(in.sin_port);
  }
  int result = real(fd, address, len);
  int error = errno;
  if (result != 0 && error == ECONNREFUSED && is_at(fd, DEAD))
    see_failure();
  errno = error;
  return result;
}

int
getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
  static int (*real)(int, int, int, void *, socklen_t *);
  int pending = 0;
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "getsockopt");
  int result = real(fd, level, name, value, len);
  if (result == 0 && level == SOL_SOCKET && name == SO_ERROR &&
      *len == sizeof pending) {
    memcpy(&pending, value, sizeof pending);
    if (pending == ECONNREFUSED && is_at(fd, DEAD))
      see_failure();
  }
  return result;
}

ssize_t
recv(int fd, void *buffer, size_t size, int flags)
{
  static ssize_t (*real)(int, void *, size_t, int);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "recv");
  ssize_t got = real(fd, buffer, size, flags);
  int error = errno;
  if (got > 0 && !(flags & MSG_PEEK) && is_at(fd, BUSY))
    failed_ns = now_ns(); /* of the last piece */
  errno = error;
  return got;
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
  static ssize_t (*real)(int, const void *, size_t, int);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "send");
  ssize_t sent = real(fd, bytes, len, flags);
  int error = errno;
  if (sent > 0 && failed_ns > 0 && (is_at(fd, WELL) || is_at(fd, CLOSING))) {
    if (added_count < calls_max)
      added_us[added_count++] = (double)(now_ns() - failed_ns) / 1e3;
    failed_ns = 0;
  }
  errno = error;
  return sent;
}

/* ---- The servers, one process -------------------------------------------- */

/* From before the 503 is written until the next request has been read. */
typedef struct seen_outside {
  atomic_size_t count;
  double us[calls_max];
} seen_outside;

static seen_outside *outside;

typedef struct peer {
  int fd, place;
  char in[8192];
  size_t len;
} peer;

#define WELL_BODY                                                           \
  "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1," \
  "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"          \
  "\"assistant\",\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\n"  \
  "data: [DONE]\n\n"
#define BUSY_BODY                                                  \
  "{\"error\":{\"message\":\"The engine is overloaded\",\"type\":" \
  "\"server_error\",\"param\":null,\"code\":null}}"

static void
reply(const peer *p)
{
  static uint64_t refused_ns;
  char text[1024];
  bool busy = p->place == BUSY;
  const char *body = busy ? BUSY_BODY : WELL_BODY;
  int len =
      snprintf(text, sizeof text,
               "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu"
               "\r\n%s\r\n%s",
               busy ? "503 Service Unavailable" : "200 OK",
               busy ? "application/json" : "text/event-stream", strlen(body),
               p->place == CLOSING ? "Connection: close\r\n" : "", body);
  if (busy) {
    refused_ns = now_ns();
  } else if (refused_ns > 0) {
    size_t at = atomic_load(&outside->count);
    if (at < calls_max) {
      outside->us[at] = (double)(now_ns() - refused_ns) / 1e3;
      atomic_store(&outside->count, at + 1);
    }
    refused_ns = 0;
  }
  send(p->fd, text, (size_t)len, MSG_NOSIGNAL);
}

/* False when the connection is to be closed. */
static bool
listen_to(peer *p)
{
  ssize_t got = recv(p->fd, p->in + p->len, sizeof p->in - 1 - p->len, 0);
  if (got <= 0)
    return false;
  p->len += (size_t)got;
  p->in[p->len] = '\0';
  char *body = strstr(p->in, "\r\n\r\n");
  char *length = strcasestr(p->in, "\r\ncontent-length:");
  if (!body || !length)
    return p->len < sizeof p->in - 1;
  size_t whole = (size_t)(body + 4 - p->in) + strtoul(length + 17, NULL, 10);
  if (p->len < whole)
    return whole < sizeof p->in;
  reply(p);
  p->len = 0;
  return p->place != CLOSING;
}

/* Until standard input ends: with the process that forked it. */
static void
serve(const int *listeners, int until)
{
  static peer peers[peers_max];
  size_t count = 0;
  for (;;) {
    struct pollfd fds[PLACES + peers_max];
    fds[DEAD] = (struct pollfd){until, POLLIN, 0};
    for (int i = BUSY; i < PLACES; i++)
      fds[i] = (struct pollfd){listeners[i], POLLIN, 0};
    for (size_t i = 0; i < count; i++)
      fds[PLACES + i] = (struct pollfd){peers[i].fd, POLLIN, 0};
    if (poll(fds, PLACES + count, -1) < 0 || fds[DEAD].revents)
      return;
    for (size_t i = count; i-- > 0;) {
      if (fds[PLACES + i].revents && !listen_to(&peers[i])) {
        close(peers[i].fd);
        peers[i] = peers[--count];
      }
    }
    for (int i = BUSY; i < PLACES; i++)
      if (fds[i].revents && count < peers_max)
        peers[count++] =
            (peer){.fd = accept(listeners[i], NULL, NULL), .place = i};
  }
}

static int
open_place(int place)
{
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
      (place != DEAD && listen(fd, 64) != 0) ||
      getsockname(fd, (struct sockaddr *)&address, &len) != 0)
    fail("a server's socket", strerror(errno));
  ports[place] = ntohs(address.sin_port);
  return fd;
}

/* The descriptor whose end ends the servers. */
static int
start_servers(void)
{
  int ends[2], listeners[PLACES];
  outside = mmap(NULL, sizeof *outside, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (outside == MAP_FAILED || pipe(ends) != 0)
    fail("memory or pipe", strerror(errno));
  for (int i = 0; i < PLACES; i++)
    listeners[i] = open_place(i);
  pid_t pid = fork();
  if (pid < 0)
    fail("fork", strerror(errno));
  if (pid == 0) {
    close(ends[1]);
    serve(listeners, ends[0]);
    _exit(0);
  }
  close(ends[0]);
  for (int i = BUSY; i < PLACES; i++)
    close(listeners[i]);
  return ends[1]; /* the dead place stays bound, so that nobody else gets it */
}

/* ---- Calls --------------------------------------------------------------- */

typedef struct failover_case {
  const char *route, *name;
  int first, second;
  int32_t class;
  bool is_figure;
} failover_case;

static const failover_case cases[] = {
    {"refused", "connection refused", DEAD, WELL, INFER_E_CONNECT, true},
    {"error", "503", BUSY, WELL, INFER_E_OVERLOADED, true},
    {"refused_cold", "connection refused, no connection waits", DEAD, CLOSING,
     INFER_E_CONNECT, false},
    {"error_cold", "503, no connection waits", BUSY, CLOSING,
     INFER_E_OVERLOADED, false},
};
enum { case_count = sizeof cases / sizeof cases[0] };

static infer_client *
make_client(void)
{
  char text[4096];
  int len = snprintf(text, sizeof text, "{\"providers\":[");
  for (int i = 0; i < PLACES; i++)
    len += snprintf(text + len, sizeof text - (size_t)len,
                    "%s{\"name\":\"p%d\",\"type\":\"openai\",\"proxy\":\"none\""
                    ",\"api_key\":\"k\",\"base_url\":\"http://127.0.0.1:%u/v1"
                    "\"}",
                    i ? "," : "", i, ports[i]);
  len += snprintf(text + len, sizeof text - (size_t)len, "],\"routes\":{");
  for (int i = 0; i < case_count; i++)
    len +=
        snprintf(text + len, sizeof text - (size_t)len,
                 "%s\"%s\":{\"targets\":[\"p%d/m\",\"p%d/m\"],\"stay\":{"
                 "\"retries\":0},\"breaker\":false,\"retry_budget\":false}",
                 i ? "," : "", cases[i].route, cases[i].first, cases[i].second);
  len += snprintf(text + len, sizeof text - (size_t)len, "}}");
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_error *error = NULL;
  if (infer_config_from_json(&config, text, (size_t)len, &error) != INFER_OK ||
      infer_client_new(&client, config, &error) != INFER_OK)
    fail("the client", infer_error_message(error));
  infer_config_free(config);
  return client;
}

/* The time between the two attempts, as the response tells it. */
static double
call_once(infer_client *client, const infer_request *request,
          const failover_case *one)
{
  infer_response *response = NULL;
  infer_error *error = NULL;
  if (infer_chat(client, request, &response, &error) != INFER_OK)
    fail(one->name, infer_error_message(error));
  const infer_attempt *first = infer_response_attempt(response, 0);
  const infer_attempt *second = infer_response_attempt(response, 1);
  if (infer_response_attempt_count(response) != 2 ||
      infer_attempt_status(first) != one->class ||
      infer_attempt_reason(second) != INFER_REASON_FAILOVER)
    fail(one->name, "a call did not fail over");
  int64_t failed_at = infer_attempt_start_ns(first) +
                      infer_attempt_phase_ns(first, INFER_PHASE_END);
  int64_t sent_at = infer_attempt_start_ns(second) +
                    infer_attempt_phase_ns(second, INFER_PHASE_SENT);
  infer_response_free(response);
  return (double)(sent_at - failed_at) / 1e3;
}

static int
compare(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Prints median and 99th percentile, and returns the first. */
static double
print_times(const char *name, const char *from, double *us, size_t count)
{
  qsort(us, count, sizeof *us, compare);
  printf("# %s: median %.1f us, p99 %.1f us %s\n", name, us[count / 2],
         us[count * 99 / 100], from);
  return us[count / 2];
}

static double
measure(infer_client *client, const failover_case *one, size_t calls)
{
  enum { warm_up = 50 };
  static double told_us[calls_max];
  infer_request *request = NULL;
  if (infer_request_new(&request, one->route) != INFER_OK ||
      infer_request_add_message(request, "user", "Say hello.") != INFER_OK)
    fail("the request", "no memory");
  for (size_t i = 0; i < warm_up; i++)
    call_once(client, request, one);
  added_count = 0;
  atomic_store(&outside->count, 0);
  for (size_t i = 0; i < calls; i++)
    told_us[i] = call_once(client, request, one);
  infer_request_free(request);
  if (added_count != calls)
    fail(one->name, "not every call was seen to fail over");
  double median_us = print_times(
      one->name, "from the failure to the next request", added_us, calls);
  print_times(one->name, "as the attempts' phases tell", told_us, calls);
  if (atomic_load(&outside->count) > 0)
    print_times(one->name,
                "as the servers see it, with both ways of the network",
                outside->us, atomic_load(&outside->count));
  return median_us;
}

int
main(int argc, char **argv)
{
  size_t calls = 2000;
  if (argc == 3 && strcmp(argv[1], "--calls") == 0)
    calls = strtoul(argv[2], NULL, 10);
  if ((argc != 1 && argc != 3) || calls < 1 || calls > calls_max) {
    fprintf(stderr, "usage: bench_failover [--calls N]\n");
    return 2;
  }
  int servers = start_servers();
  infer_client *client = make_client();
  double worst_us = 0;
  for (int i = 0; i < case_count; i++) {
    double median_us = measure(client, &cases[i], calls);
    if (cases[i].is_figure && median_us > worst_us)
      worst_us = median_us;
  }
  printf("# the figure is the larger median of the first two cases\n");
  printf("failover_added_us %.1f\n", worst_us);
  infer_client_free(client);
  close(servers);
  wait(NULL);
  return 0;
}
