/* SPDX-License-Identifier: MIT */
/* Built twice: test_poller with the system's best interface (epoll on Linux),
 * test_poller_poll with poll(). */
#include "transport/poller.h"

#include "base/clock.h"
#include "support/exchange_probe.h"
#include "support/fail_alloc.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#if defined(__linux__)
#include <sys/epoll.h>
#endif
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { long_wait_ms = 5000 };

/* The system calls by which a poller learns of a wake-up come through here, so
 * that a test can put another one between any two of its steps: before the
 * read() of the pipe, after epoll has told. */
static inf_poller *wake_meanwhile;

static void
wake_now(void)
{
  inf_poller *poller = wake_meanwhile;
  wake_meanwhile = NULL;
  if (poller)
    inf_poller_wake(poller);
}

__attribute__((visibility("default"))) ssize_t
read(int fd, void *buffer, size_t size)
{
  static ssize_t (*next)(int, void *, size_t);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "read");
  wake_now();
  return next(fd, buffer, size);
}

/* For how long this thread has asked the kernel to wait, last. */
static _Thread_local uint64_t asked_ns;

static void
note_ms(int ms)
{
  if (ms > 0)
    asked_ns = (unsigned)ms * INF_NS_PER_MS;
}

__attribute__((visibility("default"))) int
poll(struct pollfd *fds, nfds_t count, int ms)
{
  static int (*next)(struct pollfd *, nfds_t, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "poll");
  note_ms(ms);
  return next(fds, count, ms);
}

#if defined(__linux__)
__attribute__((visibility("default"))) int
epoll_wait(int fd, struct epoll_event *events, int capacity, int ms)
{
  static int (*next)(int, struct epoll_event *, int, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");
  note_ms(ms);
  int count = next(fd, events, capacity, ms);
  wake_now();
  return count;
}

__attribute__((visibility("default"))) int
epoll_pwait2(int fd, struct epoll_event *events, int capacity,
             const struct timespec *wait, const sigset_t *mask)
{
  static int (*next)(int, struct epoll_event *, int, const struct timespec *,
                     const sigset_t *);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "epoll_pwait2");
  asked_ns = (uint64_t)wait->tv_sec * INF_NS_PER_S + (uint64_t)wait->tv_nsec;
  int count = next(fd, events, capacity, wait, mask);
  wake_now();
  return count;
}
#endif

/* Only a poller that looks yields; a wake-up may come then. By thread: those of
 * another test yield, too. */
static _Thread_local unsigned yields;
static _Thread_local inf_poller *wake_at_yield;

__attribute__((visibility("default"))) int
sched_yield(void)
{
  static _Thread_local int (*next)(void);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "sched_yield");
  yields++;
  if (wake_at_yield)
    inf_poller_wake(wake_at_yield);
  wake_at_yield = NULL;
  return next();
}

static inf_poller *
make_poller(void)
{
  inf_poller *poller = inf_poller_new();
  assert_non_null(poller);
  return poller;
}

static size_t
wait_ms(inf_poller *poller, uint64_t ms, inf_poll_event *events,
        size_t capacity)
{
  return inf_poller_wait(poller, ms * INF_NS_PER_MS, events, capacity);
}

static void
make_pair(int fds[2])
{
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void
close_pair(int fds[2])
{
  close(fds[0]);
  close(fds[1]);
}

static void
test_waits_as_long_as_told(void **state)
{
  (void)state;
  static const uint64_t waits_ns[] = {200 * INF_NS_PER_US, INF_NS_PER_MS,
                                      1500 * INF_NS_PER_US, 30 * INF_NS_PER_MS};
  inf_poller *poller = make_poller();
  inf_poll_event event;
  for (size_t i = 0; i < sizeof waits_ns / sizeof waits_ns[0]; i++) {
    double before_ms = probe_now_ms();
    assert_int_equal(inf_poller_wait(poller, waits_ns[i], &event, 1), 0);
    double waited_ms = probe_now_ms() - before_ms;
    assert_true(waited_ms * 1e6 >= (double)waits_ns[i]);
    assert_true(waited_ms < long_wait_ms);
  }
  double before_ms = probe_now_ms();
  for (int i = 0; i < 1000; i++)
    assert_int_equal(inf_poller_wait(poller, 0, &event, 1), 0);
  assert_true(probe_now_ms() - before_ms < 500); /* 0 does not wait */
  inf_poller_free(poller);
}

static void
test_tells_what_is_ready(void **state)
{
  (void)state;
  inf_poller *poller = make_poller();
  inf_poll_event event;
  int fds[2];
  make_pair(fds);
  assert_true(inf_poller_set(poller, fds[0], INF_POLL_IN, 7));
  assert_int_equal(wait_ms(poller, 0, &event, 1), 0);
  assert_int_equal(write(fds[1], "x", 1), 1);
  assert_int_equal(wait_ms(poller, long_wait_ms, &event, 1), 1);
  assert_int_equal(event.fd, fds[0]);
  assert_int_equal(event.tag, 7);
  assert_int_equal(event.mask, INF_POLL_IN);
  /* Level-triggered: it stays ready until it is read. */
  assert_int_equal(wait_ms(poller, 0, &event, 1), 1);
  assert_true(inf_poller_set(poller, fds[0], INF_POLL_OUT, 8));
  assert_int_equal(wait_ms(poller, long_wait_ms, &event, 1), 1);
  assert_int_equal(event.mask, INF_POLL_OUT);
  assert_int_equal(event.tag, 8);
  assert_true(inf_poller_set(poller, fds[0], INF_POLL_IN | INF_POLL_OUT, 8));
  assert_int_equal(wait_ms(poller, long_wait_ms, &event, 1), 1);
  assert_int_equal(event.mask, INF_POLL_IN | INF_POLL_OUT);
  assert_true(inf_poller_set(poller, fds[0], 0, 0));
  assert_int_equal(wait_ms(poller, 0, &event, 1), 0);
  close_pair(fds);
  inf_poller_free(poller);
}

static void
test_tells_that_the_peer_is_gone(void **state)
{
  (void)state;
  inf_poller *poller = make_poller();
  inf_poll_event event;
  int fds[2];
  make_pair(fds);
  assert_true(inf_poller_set(poller, fds[0], INF_POLL_IN, 1));
  close(fds[1]);
  assert_int_equal(wait_ms(poller, long_wait_ms, &event, 1), 1);
  assert_true(event.mask & (INF_POLL_IN | INF_POLL_ERR));
  assert_true(inf_poller_set(poller, fds[0], 0, 0));
  close(fds[0]);
  inf_poller_free(poller);
}

/* A number that was forgotten and closed may come again at once, as another
 * socket; forgetting what is unknown is harmless. */
static void
test_numbers_come_again(void **state)
{
  (void)state;
  inf_poller *poller = make_poller();
  inf_poll_event event;
  assert_true(inf_poller_set(poller, 900, 0, 0));
  for (uint32_t i = 0; i < 50; i++) {
    int fds[2];
    make_pair(fds);
    assert_true(inf_poller_set(poller, fds[0], INF_POLL_IN, i));
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(wait_ms(poller, long_wait_ms, &event, 1), 1);
    assert_int_equal(event.tag, i);
    assert_true(inf_poller_set(poller, fds[0], 0, 0));
    assert_true(inf_poller_set(poller, fds[0], 0, 0));
    close_pair(fds);
  }
  inf_poller_free(poller);
}

/* More descriptors are ready than one wait gives: all get their turn, those
 * that were left out first. */
static void
check_all_served(inf_poller *poller, size_t count, size_t capacity)
{
  enum { most = 300 };
  bool seen[most] = {false};
  inf_poll_event events[most];
  /* The poller asks the kernel for 64 at most. */
  size_t batch = capacity < 64 ? capacity : 64;
  size_t different = 0, turns = (count + batch - 1) / batch;
  for (size_t turn = 0; turn <= turns && different < count; turn++) {
    size_t given = wait_ms(poller, long_wait_ms, events, capacity);
    assert_in_range(given, 1, capacity);
    assert_true(given == count || inf_poller_left_out(poller));
    for (size_t i = 0; i < given; i++) {
      assert_in_range(events[i].tag, 0, count - 1);
      different += !seen[events[i].tag];
      seen[events[i].tag] = true;
    }
  }
  assert_int_equal(different, count);
}

static void
test_all_get_their_turn(void **state)
{
  (void)state;
  enum { many = 300 };
  static int pairs[many][2], quiet[many][2];
  inf_poller *poller = make_poller();
  for (uint32_t i = 0; i < many; i++) {
    make_pair(pairs[i]);
    make_pair(quiet[i]);
    assert_true(inf_poller_set(poller, quiet[i][0], INF_POLL_IN, many));
    assert_int_equal(inf_poller_count(poller), 2 * i + 1);
    assert_true(inf_poller_set(poller, pairs[i][0], INF_POLL_IN, i));
    assert_int_equal(write(pairs[i][1], "x", 1), 1);
  }
  check_all_served(poller, many, 300);
  check_all_served(poller, many, 64);
  check_all_served(poller, many, 1);
  /* From the middle, from the end, from the beginning. */
  for (size_t i = 0; i < many; i++) {
    size_t at = (i * 7 + 151) % many;
    assert_true(inf_poller_set(poller, pairs[at][0], 0, 0));
    assert_true(inf_poller_set(poller, pairs[at][0], 0, 0));
    assert_true(inf_poller_set(poller, quiet[at][0], INF_POLL_OUT, many));
    assert_true(inf_poller_set(poller, quiet[at][0], 0, 0));
    assert_int_equal(inf_poller_count(poller), 2 * (many - 1 - i));
    close_pair(pairs[at]);
    close_pair(quiet[at]);
  }
  inf_poll_event event;
  assert_int_equal(wait_ms(poller, 0, &event, 1), 0);
  assert_false(inf_poller_left_out(poller));
  inf_poller_free(poller);
}

/* A wake-up takes a place among them, and is none of them. */
static void
test_a_wake_up_hides_nothing(void **state)
{
  (void)state;
  int fds[2];
  inf_poller *poller = make_poller();
  make_pair(fds);
  assert_true(inf_poller_set(poller, fds[0], INF_POLL_IN, 1));
  assert_int_equal(write(fds[1], "x", 1), 1);
  inf_poller_wake(poller);
  inf_poll_event event;
  size_t given = 0;
  for (int turn = 0; turn < 2 && given == 0; turn++) {
    given = wait_ms(poller, 0, &event, 1);
    assert_true(given == 1 || inf_poller_left_out(poller));
  }
  assert_int_equal(given, 1);
  close_pair(fds);
  inf_poller_free(poller);
}

/* Who is idle need not be asked: none is watched, nobody has woken it, and the
 * last wait has left nothing out. */
static void
test_an_idle_one_has_nothing_to_tell(void **state)
{
  (void)state;
  int fds[2][2];
  inf_poller *poller = make_poller();
  inf_poll_event events[2];
  assert_true(inf_poller_idle(poller));
  inf_poller_wake(poller);
  assert_false(inf_poller_idle(poller));
  wait_ms(poller, 0, events, 2);
  assert_true(inf_poller_idle(poller));
  for (uint32_t i = 0; i < 2; i++) {
    make_pair(fds[i]);
    assert_int_equal(write(fds[i][1], "x", 1), 1);
    assert_true(inf_poller_set(poller, fds[i][0], INF_POLL_IN, i));
    assert_false(inf_poller_idle(poller));
  }
  assert_int_equal(wait_ms(poller, 0, events, 1), 1);
  assert_true(inf_poller_left_out(poller));
  for (int i = 0; i < 2; i++)
    assert_true(inf_poller_set(poller, fds[i][0], 0, 0));
  assert_false(inf_poller_idle(poller));
  assert_int_equal(wait_ms(poller, 0, events, 2), 0);
  assert_true(inf_poller_idle(poller));
  assert_true(inf_poller_set(poller, fds[0][0], INF_POLL_IN, 0));
  inf_poller_rest(poller, fds[0][0]);
  assert_true(inf_poller_idle(poller));
  for (int i = 0; i < 2; i++)
    close_pair(fds[i]);
  inf_poller_free(poller);
}

static bool
readable(int fd)
{
  struct pollfd pollfd = {fd, POLLIN, 0};
  return poll(&pollfd, 1, 0) == 1;
}

static void
test_wake_ends_one_wait(void **state)
{
  (void)state;
  inf_poller *poller = make_poller();
  inf_poll_event event;
  assert_false(readable(inf_poller_fd(poller)));
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 100; i++)
      inf_poller_wake(poller);
    assert_true(readable(inf_poller_fd(poller)));
    double before_ms = probe_now_ms();
    assert_int_equal(inf_poller_wait(poller, UINT64_MAX, &event, 1), 0);
    assert_true(probe_now_ms() - before_ms < long_wait_ms);
    assert_false(readable(inf_poller_fd(poller)));
    before_ms = probe_now_ms();
    assert_int_equal(wait_ms(poller, 20, &event, 1), 0);
    assert_true(probe_now_ms() - before_ms >= 20);
  }
  inf_poller_free(poller);
}

/* A wake-up in the midst of a wait that takes an earlier one belongs to that
 * wait. It must not spoil those that come later. */
static void
test_wake_while_one_is_taken(void **state)
{
  (void)state;
  inf_poller *poller = make_poller();
  inf_poll_event event;
  inf_poller_wake(poller);
  wake_meanwhile = poller;
  wait_ms(poller, long_wait_ms, &event, 1);
  assert_null(wake_meanwhile);
  wait_ms(poller, 0, &event, 1);
  inf_poller_wake(poller);
  assert_true(readable(inf_poller_fd(poller)));
  double before_ms = probe_now_ms();
  wait_ms(poller, long_wait_ms, &event, 1);
  assert_true(probe_now_ms() - before_ms < long_wait_ms);
  inf_poller_free(poller);
}

/* Several threads hand over work and wait until it is seen, so that wake-ups
 * meet the waiting thread in every state. A lost one shows as a wait of full
 * length. */
enum { wakers = 3, rounds = 20000 };

typedef struct hand_over {
  inf_poller *poller;
  atomic_long posted, seen;
  atomic_bool failed;
} hand_over;

static void *
post_work(void *context)
{
  hand_over *work = context;
  for (long i = 0; i < rounds && !atomic_load(&work->failed); i++) {
    long mine = atomic_fetch_add(&work->posted, 1) + 1;
    inf_poller_wake(work->poller);
    while (atomic_load(&work->seen) < mine && !atomic_load(&work->failed))
      sched_yield();
  }
  return NULL;
}

static void
test_no_wake_is_lost(void **state)
{
  (void)state;
  hand_over work = {.poller = make_poller()};
  pthread_t threads[wakers];
  for (int i = 0; i < wakers; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, post_work, &work), 0);
  inf_poll_event event;
  while (work.seen < (long)wakers * rounds && !work.failed) {
    double before_ms = probe_now_ms();
    wait_ms(work.poller, long_wait_ms, &event, 1);
    atomic_store(&work.failed, probe_now_ms() - before_ms >= long_wait_ms);
    atomic_store(&work.seen, atomic_load(&work.posted));
  }
  for (int i = 0; i < wakers; i++)
    pthread_join(threads[i], NULL);
  assert_false(work.failed);
  inf_poller_free(work.poller);
}

/* ---- Eager waits --------------------------------------------------------- */

/* A wait for nothing; says whether it looked before it slept. */
static bool
looks_in_vain(inf_poller *poller)
{
  inf_poll_event event;
  yields = 0;
  double before_ms = probe_now_ms();
  assert_int_equal(wait_ms(poller, 5, &event, 1), 0);
  assert_true(probe_now_ms() - before_ms >= 5);
  return yields > 0;
}

static void
wait_shortly(inf_poller *poller)
{
  inf_poll_event event;
  inf_poller_wake(poller);
  assert_int_equal(wait_ms(poller, long_wait_ms, &event, 1), 0);
}

/* A thread that loses its core takes a short wait for a long one, so once in a
 * while it does not look: tries several times. */
static bool
looks_after_a_short_wait(inf_poller *poller)
{
  bool looked = false;
  for (int i = 0; i < 50 && !looked; i++) {
    wait_shortly(poller);
    looked = looks_in_vain(poller);
  }
  return looked;
}

static void
test_an_eager_wait_looks_after_a_short_one(void **state)
{
  (void)state;
  inf_poller *poller = make_poller();
  assert_false(looks_after_a_short_wait(poller));
  inf_poller_set_eager(poller, true);
  assert_false(looks_in_vain(poller));
  assert_true(looks_after_a_short_wait(poller));
  assert_false(looks_in_vain(poller)); /* the last one was long */
  inf_poller_set_eager(poller, false);
  assert_false(looks_after_a_short_wait(poller));
  inf_poller_free(poller);
}

/* The look is a part of the wait: the kernel is asked for the rest. */
static void
test_a_look_makes_no_wait_longer(void **state)
{
  (void)state;
  const uint64_t wait_ns = 1040 * INF_NS_PER_US;
  inf_poller *poller = make_poller();
  inf_poll_event event;
  bool looked = false;
  inf_poller_set_eager(poller, true);
  for (int i = 0; i < 50 && !looked; i++) {
    wait_shortly(poller);
    yields = 0;
    uint64_t begin_ns = inf_clock_now(inf_clock_system());
    assert_int_equal(inf_poller_wait(poller, wait_ns, &event, 1), 0);
    assert_true(inf_clock_now(inf_clock_system()) - begin_ns >= wait_ns);
    looked = yields > 0;
    if (looked)
      assert_true(asked_ns < wait_ns);
  }
  assert_true(looked);
  inf_poller_free(poller);
}

static void
test_a_look_finds_what_comes(void **state)
{
  (void)state;
  inf_poller *poller = make_poller();
  inf_poll_event event;
  inf_poller_set_eager(poller, true);
  yields = 0;
  for (int i = 0; i < 50 && yields == 0; i++) {
    wait_shortly(poller);
    wake_at_yield = poller;
    double before_ms = probe_now_ms();
    assert_int_equal(wait_ms(poller, 400, &event, 1), 0);
    if (yields > 0)
      assert_true(probe_now_ms() - before_ms < 350);
  }
  assert_int_equal(yields, 1);
  inf_poller_free(poller);
}

static void
test_nothing_is_left(void **state)
{
  (void)state;
  int before = probe_count_entries("/proc/self/fd");
  for (int i = 0; i < 100; i++)
    inf_poller_free(make_poller());
  assert_int_equal(probe_count_entries("/proc/self/fd"), before);
  inf_poller_free(NULL);
}

static void
use_poller(void *context)
{
  int *fds = context;
  inf_poller *poller = inf_poller_new();
  if (!poller)
    return;
  inf_poll_event event;
  bool set = inf_poller_set(poller, fds[0], INF_POLL_OUT, 5);
  inf_poller_wake(poller);
  size_t count = wait_ms(poller, 0, &event, 1);
  for (int i = 0; i < 2 && set && count == 0; i++)
    count = wait_ms(poller, 0, &event, 1);
  assert_int_equal(count, set);
  inf_poller_free(poller);
}

static void
test_memory_shortage(void **state)
{
  (void)state;
  int fds[2];
  make_pair(fds);
  int high = dup2(fds[0], 1000); /* beyond the table's first size */
  if (high >= 0) {
    close(fds[0]);
    fds[0] = high;
  }
  fail_alloc_install();
  assert_true(fail_alloc_sweep(use_poller, fds) >= 2);
  fail_alloc_uninstall();
  close_pair(fds);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_waits_as_long_as_told),
      cmocka_unit_test(test_tells_what_is_ready),
      cmocka_unit_test(test_tells_that_the_peer_is_gone),
      cmocka_unit_test(test_numbers_come_again),
      cmocka_unit_test(test_all_get_their_turn),
      cmocka_unit_test(test_a_wake_up_hides_nothing),
      cmocka_unit_test(test_an_idle_one_has_nothing_to_tell),
      cmocka_unit_test(test_wake_ends_one_wait),
      cmocka_unit_test(test_wake_while_one_is_taken),
      cmocka_unit_test(test_no_wake_is_lost),
      cmocka_unit_test(test_an_eager_wait_looks_after_a_short_one),
      cmocka_unit_test(test_a_look_makes_no_wait_longer),
      cmocka_unit_test(test_a_look_finds_what_comes),
      cmocka_unit_test(test_nothing_is_left),
      cmocka_unit_test(test_memory_shortage),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
