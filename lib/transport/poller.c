/* SPDX-License-Identifier: MIT */
#include "transport/poller.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <unistd.h>

#if defined(__linux__) && !defined(INFER_FORCE_POLL)
#define USE_EPOLL 1
#include <sys/epoll.h>
#include <sys/eventfd.h>
#else
#define USE_EPOLL 0
#include <poll.h>
#endif

struct inf_poller {
  int wake_read, wake_write; /* one and the same where it is an eventfd */
  atomic_bool woken;
#if USE_EPOLL
  int epoll_fd;
#else
  struct pollfd *fds; /* [0] is the wake-up */
  size_t count, capacity;
  size_t turn; /* where the next look for events begins, for fairness */
#endif
};

/* ---- The wake-up --------------------------------------------------------- */

static bool
open_wake(inf_poller *poller)
{
#if USE_EPOLL
  poller->wake_read = poller->wake_write =
      eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return poller->wake_read >= 0;
#else
  int fds[2];
  if (pipe(fds) != 0)
    return false;
  for (int i = 0; i < 2; i++) {
    fcntl(fds[i], F_SETFL, O_NONBLOCK);
    fcntl(fds[i], F_SETFD, FD_CLOEXEC);
  }
  poller->wake_read = fds[0];
  poller->wake_write = fds[1];
  return true;
#endif
}

static void
close_wake(inf_poller *poller)
{
  if (poller->wake_write >= 0 && poller->wake_write != poller->wake_read)
    close(poller->wake_write);
  if (poller->wake_read >= 0)
    close(poller->wake_read);
}

void
inf_poller_wake(inf_poller *poller)
{
  if (atomic_exchange(&poller->woken, true))
    return;
  uint64_t one = 1;
  ssize_t written;
  do
    written = write(poller->wake_write, &one, sizeof one);
  while (written < 0 && errno == EINTR);
}

static void
drain_wake(inf_poller *poller)
{
  uint64_t value;
  atomic_store(&poller->woken, false);
  while (read(poller->wake_read, &value, sizeof value) > 0 &&
         poller->wake_read != poller->wake_write)
    ;
}

/* Whole milliseconds, rounded up: a wait must not end before its time. */
static int
wait_ms(uint64_t wait_ns)
{
  if (wait_ns > (uint64_t)INT_MAX * INF_NS_PER_MS - INF_NS_PER_MS)
    return wait_ns == UINT64_MAX ? -1 : INT_MAX;
  return (int)((wait_ns + INF_NS_PER_MS - 1) / INF_NS_PER_MS);
}

#if USE_EPOLL

/* ---- epoll --------------------------------------------------------------- */

inf_poller *
inf_poller_new(void)
{
  inf_poller *poller = inf_calloc(1, sizeof *poller);
  if (!poller)
    return NULL;
  atomic_init(&poller->woken, false);
  poller->wake_read = poller->wake_write = -1;
  poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (poller->epoll_fd < 0 || !open_wake(poller) ||
      !inf_poller_set(poller, poller->wake_read, INF_POLL_IN)) {
    inf_poller_free(poller);
    return NULL;
  }
  return poller;
}

void
inf_poller_free(inf_poller *poller)
{
  if (!poller)
    return;
  close_wake(poller);
  if (poller->epoll_fd >= 0)
    close(poller->epoll_fd);
  inf_free(poller);
}

bool
inf_poller_set(inf_poller *poller, int fd, unsigned mask)
{
  struct epoll_event event = {0};
  event.data.fd = fd;
  event.events = (mask & INF_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                 (mask & INF_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
  if (mask == 0) {
    epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, &event);
    return true;
  }
  if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
    return true;
  return epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int
wait_events(inf_poller *poller, uint64_t wait_ns, struct epoll_event *events,
            int capacity)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
  /* Kernels before 5.11 lack it: then whole milliseconds must do. */
  static atomic_bool missing;
  if (wait_ns > 0 && wait_ns < 1000 * INF_NS_PER_S && !atomic_load(&missing)) {
    struct timespec wait = {(time_t)(wait_ns / INF_NS_PER_S),
                            (long)(wait_ns % INF_NS_PER_S)};
    int count =
        epoll_pwait2(poller->epoll_fd, events, capacity, &wait, NULL);
    if (count >= 0 || errno != ENOSYS)
      return count;
    atomic_store(&missing, true);
  }
#endif
  return epoll_wait(poller->epoll_fd, events, capacity, wait_ms(wait_ns));
}

size_t
inf_poller_wait(inf_poller *poller, uint64_t wait_ns, inf_poll_event *out,
                size_t capacity)
{
  struct epoll_event events[64];
  size_t most = sizeof events / sizeof events[0];
  int count = wait_events(poller, wait_ns, events,
                          (int)(capacity < most ? capacity : most));
  size_t given = 0;
  for (int i = 0; i < count; i++) {
    if (events[i].data.fd == poller->wake_read) {
      drain_wake(poller);
      continue;
    }
    uint32_t got = events[i].events;
    out[given].fd = events[i].data.fd;
    out[given++].mask = (got & EPOLLIN ? INF_POLL_IN : 0u) |
                        (got & EPOLLOUT ? INF_POLL_OUT : 0u) |
                        (got & (EPOLLERR | EPOLLHUP) ? INF_POLL_ERR : 0u);
  }
  return given;
}

int
inf_poller_fd(const inf_poller *poller)
{
  return poller->epoll_fd;
}

#else

/* ---- poll ---------------------------------------------------------------- */

inf_poller *
inf_poller_new(void)
{
  inf_poller *poller = inf_calloc(1, sizeof *poller);
  if (!poller)
    return NULL;
  atomic_init(&poller->woken, false);
  poller->wake_read = poller->wake_write = -1;
  if (!open_wake(poller) ||
      !inf_poller_set(poller, poller->wake_read, INF_POLL_IN)) {
    inf_poller_free(poller);
    return NULL;
  }
  return poller;
}

void
inf_poller_free(inf_poller *poller)
{
  if (!poller)
    return;
  close_wake(poller);
  inf_free(poller->fds);
  inf_free(poller);
}

static bool
grow(inf_poller *poller)
{
  if (poller->count < poller->capacity)
    return true;
  size_t capacity = poller->capacity ? poller->capacity * 2 : 16;
  void *fds = inf_realloc(poller->fds, capacity * sizeof *poller->fds);
  if (!fds)
    return false;
  poller->fds = fds;
  poller->capacity = capacity;
  return true;
}

bool
inf_poller_set(inf_poller *poller, int fd, unsigned mask)
{
  short events = (short)((mask & INF_POLL_IN ? POLLIN : 0) |
                         (mask & INF_POLL_OUT ? POLLOUT : 0));
  size_t at = 0;
  while (at < poller->count && poller->fds[at].fd != fd)
    at++;
  if (mask == 0) {
    if (at < poller->count)
      poller->fds[at] = poller->fds[--poller->count];
    return true;
  }
  if (at == poller->count) {
    if (!grow(poller))
      return false;
    poller->count++;
  }
  poller->fds[at] = (struct pollfd){.fd = fd, .events = events};
  return true;
}

size_t
inf_poller_wait(inf_poller *poller, uint64_t wait_ns, inf_poll_event *out,
                size_t capacity)
{
  size_t given = 0;
  if (poll(poller->fds, (nfds_t)poller->count, wait_ms(wait_ns)) <= 0)
    return 0;
  if (poller->fds[0].revents)
    drain_wake(poller);
  size_t others = poller->count - 1;
  for (size_t i = 0; i < others && given < capacity; i++) {
    size_t at = 1 + (poller->turn + i) % others;
    short got = poller->fds[at].revents;
    if (!got)
      continue;
    out[given].fd = poller->fds[at].fd;
    out[given++].mask =
        (got & POLLIN ? INF_POLL_IN : 0u) |
        (got & POLLOUT ? INF_POLL_OUT : 0u) |
        (got & (POLLERR | POLLHUP | POLLNVAL) ? INF_POLL_ERR : 0u);
  }
  poller->turn++;
  return given;
}

int
inf_poller_fd(const inf_poller *poller)
{
  return poller->wake_read;
}

#endif
