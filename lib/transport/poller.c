/* SPDX-License-Identifier: MIT */
/* Readiness of sockets and the wake-up: the two system interfaces behind one
 * small one. A table indexed by descriptor holds what each is watched for, so
 * that epoll needs one call for a change and poll() finds its entry without a
 * search. */
#include "transport/poller.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__) && !defined(INFER_FORCE_POLL)
#define USE_EPOLL 1
#include <sys/epoll.h>
#include <sys/eventfd.h>
#else
#define USE_EPOLL 0
#include <poll.h>
#endif

/* Events taken from the kernel by one call. */
enum { batch_max = 64 };
/* To sleep and be woken takes some 5 to 25 microseconds, on virtual machines
 * more. A wait may look twice as long. */
static const uint64_t look_ns = 50 * INF_NS_PER_US;

typedef struct watch {
  uint32_t tag;
  uint32_t slot;   /* of poll() */
  unsigned mask;   /* 0: not watched */
  unsigned kernel; /* what epoll knows: of one at rest still the mask before */
} watch;

struct inf_poller {
  int wake_read, wake_write; /* one and the same where it is an eventfd */
  atomic_bool woken;         /* a wake-up lies in wake_read, or soon will */
  watch *watches;            /* by descriptor */
  size_t watch_count;
  size_t watched; /* of them, with a mask */
  bool left_out;
  bool eager;
  bool was_short; /* the last eager wait: a look would have been enough */
#if USE_EPOLL
  int epoll_fd;
  struct epoll_event events[batch_max];
#else
  struct pollfd *fds; /* [0] is the wake-up */
  size_t count, capacity;
  size_t turn; /* where the next look for events begins, for fairness */
#endif
};

/* ---- The wake-up -------------------------------------------------------- */

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
  int saved = errno;
  uint64_t one = 1;
  ssize_t written;
  do
    written = write(poller->wake_write, &one, sizeof one);
  while (written < 0 && errno == EINTR);
  errno = saved;
}

/* A wake-up that finds the flag still set needs no bytes: this wait is over,
 * and the exchange below shows us its data.
 *
 * epoll tells of each write once (EPOLLET), so that nothing need be read; the
 * sum of 2^64 - 2 wake-ups, at which writing would end, is never reached. Of a
 * pipe one wake-up is read, which may have been written after the flag was
 * cleared: then there is another one to end the next wait. */
static void
take_wake(inf_poller *poller)
{
#if !USE_EPOLL
  uint64_t value;
  ssize_t got;
  do
    got = read(poller->wake_read, &value, sizeof value);
  while (got < 0 && errno == EINTR);
#endif
  atomic_exchange(&poller->woken, false);
}

/* Whole milliseconds, rounded up: a wait must not end before its time, or a
 * timer less than a millisecond away would be waited for in a busy loop. */
static int
wait_ms(uint64_t wait_ns)
{
  if (wait_ns > (uint64_t)(INT_MAX - 1) * INF_NS_PER_MS)
    return wait_ns == UINT64_MAX ? -1 : INT_MAX;
  return (int)((wait_ns + INF_NS_PER_MS - 1) / INF_NS_PER_MS);
}

/* ---- The table of descriptors ------------------------------------------- */

static watch *
watch_of(inf_poller *poller, int fd)
{
  return fd >= 0 && (size_t)fd < poller->watch_count ? &poller->watches[fd]
                                                     : NULL;
}

static watch *
make_watch(inf_poller *poller, int fd)
{
  if (fd < 0)
    return NULL;
  if ((size_t)fd >= poller->watch_count) {
    size_t count = poller->watch_count ? poller->watch_count : 64;
    while (count <= (size_t)fd)
      count *= 2;
    watch *watches = inf_realloc(poller->watches, count * sizeof *watches);
    if (!watches)
      return NULL;
    memset(watches + poller->watch_count, 0,
           (count - poller->watch_count) * sizeof *watches);
    poller->watches = watches;
    poller->watch_count = count;
  }
  return &poller->watches[fd];
}

#if USE_EPOLL

/* ---- epoll -------------------------------------------------------------- */

static bool
open_system(inf_poller *poller)
{
  poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  return poller->epoll_fd >= 0;
}

static void
close_system(inf_poller *poller)
{
  if (poller->epoll_fd >= 0)
    close(poller->epoll_fd);
}

static void
free_system(inf_poller *poller)
{
  (void)poller;
}

/* The table says whether the kernel knows the descriptor already. Should it
 * be wrong, the other operation is the right one. */
static bool
watch_system(inf_poller *poller, int fd, watch *known, unsigned mask)
{
  struct epoll_event event = {0};
  if (known->kernel == mask)
    return true;
  event.data.fd = fd;
  event.events = (mask & INF_POLL_IN ? (uint32_t)EPOLLIN : 0u) |
                 (mask & INF_POLL_OUT ? (uint32_t)EPOLLOUT : 0u) |
                 (fd == poller->wake_read ? (uint32_t)EPOLLET : 0u);
  int first = known->kernel ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  int second = known->kernel ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  bool done = epoll_ctl(poller->epoll_fd, first, fd, &event) == 0;
  if (!done && (errno == ENOENT || errno == EEXIST))
    done = epoll_ctl(poller->epoll_fd, second, fd, &event) == 0;
  if (done)
    known->kernel = mask;
  return done;
}

static void
forget_system(inf_poller *poller, int fd, watch *known)
{
  struct epoll_event unused = {0};
  if (known->kernel)
    epoll_ctl(poller->epoll_fd, EPOLL_CTL_DEL, fd, &unused);
  known->kernel = 0;
}

/* Leaves it with the kernel. Should something come while it rests (its peer
 * closes), the wait that sees it forgets it. */
static void
rest_system(inf_poller *poller, int fd, watch *known)
{
  (void)poller;
  (void)fd;
  (void)known;
}

/* How many have events; at most room are told of. */
static int
wait_system(inf_poller *poller, uint64_t wait_ns, int room)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
  /* Kernels before 5.11 lack it: then whole milliseconds must do. */
  static atomic_bool missing;
  if (wait_ns > 0 && wait_ns < UINT64_MAX && !atomic_load(&missing)) {
    uint64_t seconds = wait_ns / INF_NS_PER_S;
    struct timespec wait = {seconds > INT_MAX ? INT_MAX : (time_t)seconds,
                            (long)(wait_ns % INF_NS_PER_S)};
    int count =
        epoll_pwait2(poller->epoll_fd, poller->events, room, &wait, NULL);
    if (count >= 0 || errno == EINTR)
      return count;
    atomic_store(&missing, true); /* ENOSYS, or EPERM in some sandboxes */
  }
#endif
  return epoll_wait(poller->epoll_fd, poller->events, room, wait_ms(wait_ns));
}

static size_t
take_events(inf_poller *poller, int count, inf_poll_event *out, int room)
{
  size_t given = 0;
  poller->left_out = count == room;
  for (int i = 0; i < count; i++) {
    int fd = poller->events[i].data.fd;
    uint32_t got = poller->events[i].events;
    if (fd == poller->wake_read) {
      take_wake(poller);
      continue;
    }
    watch *known = watch_of(poller, fd);
    if (!known)
      continue;
    if (!known->mask) {
      forget_system(poller, fd, known);
      continue;
    }
    out[given++] = (inf_poll_event){
        .fd = fd,
        .tag = known->tag,
        .mask = ((got & EPOLLIN) ? INF_POLL_IN : 0u) |
                ((got & EPOLLOUT) ? INF_POLL_OUT : 0u) |
                ((got & (EPOLLERR | EPOLLHUP)) ? INF_POLL_ERR : 0u)};
  }
  return given;
}

int
inf_poller_fd(const inf_poller *poller)
{
  return poller->epoll_fd;
}

#else

/* ---- poll --------------------------------------------------------------- */

static bool
open_system(inf_poller *poller)
{
  (void)poller;
  return true;
}

static void
close_system(inf_poller *poller)
{
  (void)poller;
}

static void
free_system(inf_poller *poller)
{
  inf_free(poller->fds);
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

static bool
watch_system(inf_poller *poller, int fd, watch *known, unsigned mask)
{
  if (!known->mask) {
    if (!grow(poller))
      return false;
    known->slot = (uint32_t)poller->count++;
  }
  poller->fds[known->slot] =
      (struct pollfd){.fd = fd,
                      .events = (short)((mask & INF_POLL_IN ? POLLIN : 0) |
                                        (mask & INF_POLL_OUT ? POLLOUT : 0))};
  return true;
}

/* The last entry moves into the gap. */
static void
forget_system(inf_poller *poller, int fd, watch *known)
{
  if (!known->mask)
    return;
  (void)fd;
  struct pollfd last = poller->fds[--poller->count];
  poller->fds[known->slot] = last;
  poller->watches[last.fd].slot = known->slot;
}

static void
rest_system(inf_poller *poller, int fd, watch *known)
{
  forget_system(poller, fd, known);
}

static int
wait_system(inf_poller *poller, uint64_t wait_ns, int room)
{
  (void)room; /* all are told of */
  return poll(poller->fds, (nfds_t)poller->count, wait_ms(wait_ns));
}

static size_t
take_events(inf_poller *poller, int count, inf_poll_event *out, int room)
{
  size_t given = 0, others = poller->count - 1;
  poller->left_out = false;
  if (count <= 0)
    return 0;
  if (poller->fds[0].revents)
    take_wake(poller);
  size_t i = 0;
  for (; i < others && given < (size_t)room; i++) {
    const struct pollfd *at = &poller->fds[1 + (poller->turn + i) % others];
    short got = at->revents;
    if (!got)
      continue;
    out[given++] = (inf_poll_event){
        .fd = at->fd,
        .tag = poller->watches[at->fd].tag,
        .mask = ((got & POLLIN) ? INF_POLL_IN : 0u) |
                ((got & POLLOUT) ? INF_POLL_OUT : 0u) |
                ((got & (POLLERR | POLLHUP | POLLNVAL)) ? INF_POLL_ERR : 0u)};
  }
  poller->turn += i;
  poller->left_out = i < others;
  return given;
}

int
inf_poller_fd(const inf_poller *poller)
{
  return poller->wake_read;
}

#endif

/* ---- Both --------------------------------------------------------------- */

static uint64_t
now_ns(void)
{
  return inf_clock_now(inf_clock_system());
}

/* It yields all the while: who is waited for may need this core. */
INF_APART static int
look(inf_poller *poller, uint64_t begin_ns, int room)
{
  int count;
  while ((count = wait_system(poller, 0, room)) == 0 &&
         now_ns() - begin_ns < look_ns)
    sched_yield();
  return count;
}

INF_APART static int
wait_eagerly(inf_poller *poller, uint64_t wait_ns, int room)
{
  uint64_t begin_ns = now_ns();
  int count = 0;
  if (poller->was_short) {
    count = look(poller, begin_ns, room);
    wait_ns -= wait_ns < UINT64_MAX ? look_ns : 0;
  }
  if (count == 0)
    count = wait_system(poller, wait_ns, room);
  poller->was_short = now_ns() - begin_ns < look_ns;
  return count;
}

INF_HOT size_t
inf_poller_wait(inf_poller *poller, uint64_t wait_ns, inf_poll_event *out,
                size_t capacity)
{
  int room = capacity < batch_max ? (int)capacity : batch_max;
  bool eager = poller->eager && wait_ns > look_ns;
  int count = eager ? wait_eagerly(poller, wait_ns, room)
                    : wait_system(poller, wait_ns, room);
  return take_events(poller, count, out, room);
}

void
inf_poller_set_eager(inf_poller *poller, bool eager)
{
  poller->eager = eager;
}

bool
inf_poller_set(inf_poller *poller, int fd, unsigned mask, uint32_t tag)
{
  watch *known = mask ? make_watch(poller, fd) : watch_of(poller, fd);
  if (!known)
    return mask == 0;
  if (mask && !watch_system(poller, fd, known, mask))
    return false;
  if (!mask)
    forget_system(poller, fd, known);
  if (!mask != !known->mask)
    poller->watched += mask ? (size_t)1 : (size_t)-1;
  known->mask = mask;
  known->tag = tag;
  return true;
}

void
inf_poller_rest(inf_poller *poller, int fd)
{
  watch *known = watch_of(poller, fd);
  if (!known || !known->mask)
    return;
  rest_system(poller, fd, known);
  poller->watched--;
  known->mask = 0;
}

size_t
inf_poller_count(const inf_poller *poller)
{
  return poller->watched - 1; /* the wake-up */
}

bool
inf_poller_idle(const inf_poller *poller)
{
  return inf_poller_count(poller) == 0 && !poller->left_out &&
         !atomic_load(&poller->woken);
}

bool
inf_poller_left_out(const inf_poller *poller)
{
  return poller->left_out;
}

inf_poller *
inf_poller_new(void)
{
  inf_poller *poller = inf_calloc(1, sizeof *poller);
  if (!poller)
    return NULL;
  atomic_init(&poller->woken, false);
  poller->wake_read = poller->wake_write = -1;
  if (!open_system(poller) || !open_wake(poller) ||
      !inf_poller_set(poller, poller->wake_read, INF_POLL_IN, 0)) {
    inf_poller_free(poller);
    return NULL;
  }
  return poller;
}

void
inf_poller_close(inf_poller *poller)
{
  close_wake(poller);
  close_system(poller);
}

void
inf_poller_free(inf_poller *poller)
{
  if (!poller)
    return;
  inf_poller_close(poller);
  free_system(poller);
  inf_free(poller->watches);
  inf_free(poller);
}
