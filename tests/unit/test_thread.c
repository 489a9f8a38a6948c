/* SPDX-License-Identifier: MIT */
/* Threads, waits and forks. Every wait is bounded: by the waiting function
 * itself, and all together by an alarm. */
#include "base/thread.h"

#include "base/clock.h"
#include "support/fail_alloc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { patience_s = 60 };

/* ---- Threads ------------------------------------------------------------ */

/* What a thread finds when it starts. */
typedef struct birth {
  sigset_t blocked;
  char name[16];
  int hooks; /* calls of the hook */
  char hook_name[32];
  sigset_t hook_blocked;
  int hooks_at_start;
} birth;

static void *
look_around(void *arg)
{
  birth *born = arg;
  pthread_sigmask(SIG_SETMASK, NULL, &born->blocked);
#ifdef __linux__
  pthread_getname_np(pthread_self(), born->name, sizeof born->name);
#endif
  born->hooks_at_start = born->hooks; /* before fn */
  return born;
}

static const birth *
run_thread(const char *name)
{
  static birth born;
  memset(&born, 0, sizeof born);
  pthread_t thread;
  void *result;
  assert_int_equal(inf_thread_start(&thread, name, look_around, &born), 0);
  assert_int_equal(pthread_join(thread, &result), 0);
  assert_ptr_equal(result, &born);
  return &born;
}

static void
check_blocks_all(const sigset_t *blocked)
{
  static const int signals[] = {SIGINT,  SIGTERM, SIGALRM, SIGCHLD, SIGPIPE,
                                SIGUSR1, SIGHUP,  SIGPROF, SIGURG,  SIGWINCH};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    assert_int_equal(sigismember(blocked, signals[i]), 1);
}

static void
test_thread_blocks_signals(void **state)
{
  (void)state;
  check_blocks_all(&run_thread("blocked")->blocked);
}

static void
test_starter_keeps_its_mask(void **state)
{
  (void)state;
  sigset_t one, old, after;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &one, &old);
  (void)run_thread("mask");
  pthread_sigmask(SIG_SETMASK, &old, &after);
  assert_int_equal(sigismember(&after, SIGUSR2), 1);
  assert_int_equal(sigismember(&after, SIGINT), 0);
  assert_int_equal(sigismember(&after, SIGUSR1), 0);
}

static void
test_thread_has_its_name(void **state)
{
  (void)state;
#ifdef __linux__
  assert_string_equal(run_thread("infer-loop")->name, "infer-loop");
  assert_string_equal(run_thread("a-name-of-15-by")->name, "a-name-of-15-by");
  assert_string_equal(run_thread("a-name-that-is-too-long")->name,
                      "a-name-that-is-");
#endif
}

static void
note_start(const char *name, void *user_data)
{
  birth *born = user_data;
  (void)snprintf(born->hook_name, sizeof born->hook_name, "%s", name);
  pthread_sigmask(SIG_SETMASK, NULL, &born->hook_blocked);
  born->hooks++;
}

static void
test_hook_runs_first(void **state)
{
  (void)state;
  birth born = {0};
  pthread_t thread;
  inf_thread_set_start_hook(note_start, &born);
  int rc = inf_thread_start(&thread, "hooked", look_around, &born);
  assert_int_equal(rc, 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(born.hooks_at_start, 1);
  assert_string_equal(born.hook_name, "hooked");
  check_blocks_all(&born.hook_blocked);
  inf_thread_set_start_hook(NULL, NULL);
  (void)run_thread("not hooked");
  assert_int_equal(born.hooks, 1);
}

static void
start_and_join(void *arg)
{
  birth born = {0};
  pthread_t thread;
  (void)arg;
  int rc = inf_thread_start(&thread, "memory", look_around, &born);
  assert_int_equal(rc, fail_alloc_hits() > 0 ? ENOMEM : 0);
  if (rc == 0)
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void
test_thread_without_memory(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(start_and_join, NULL) > 0);
  fail_alloc_uninstall();
}

/* No address space holds the stack that is asked for here. */
static void
test_thread_cannot_be_made(void **state)
{
  (void)state;
#ifdef __GLIBC__
  pthread_attr_t usual, huge;
  assert_int_equal(pthread_getattr_default_np(&usual), 0);
  assert_int_equal(pthread_attr_init(&huge), 0);
  assert_int_equal(pthread_attr_setstacksize(&huge, SIZE_MAX / 4), 0);
  fail_alloc_install();
  assert_int_equal(pthread_setattr_default_np(&huge), 0);
  birth born = {0};
  pthread_t thread;
  int rc = inf_thread_start(&thread, "huge", look_around, &born);
  assert_int_equal(pthread_setattr_default_np(&usual), 0);
  assert_int_not_equal(rc, 0);
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  assert_int_equal(sigismember(&mask, SIGUSR1), 0);
  fail_alloc_uninstall();
  pthread_attr_destroy(&huge);
  pthread_attr_destroy(&usual);
#endif
}

/* ---- Waits -------------------------------------------------------------- */

typedef struct meeting {
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  bool ready;
} meeting;

static void
set_up(meeting *m)
{
  assert_int_equal(pthread_mutex_init(&m->mutex, NULL), 0);
  assert_int_equal(inf_cond_init(&m->cond), 0);
  m->ready = false;
}

static void
tear_down(meeting *m)
{
  assert_int_equal(pthread_cond_destroy(&m->cond), 0);
  assert_int_equal(pthread_mutex_destroy(&m->mutex), 0);
}

static uint64_t
monotonic_ns(void)
{
  struct timespec ts;
  assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
  return (uint64_t)ts.tv_sec * INF_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Nobody signals: only the time ends the wait, and not before. */
static void
test_wait_times_out(void **state)
{
  (void)state;
  static const uint64_t waits[] = {0, 1, 1000, 2 * INF_NS_PER_MS};
  meeting m;
  set_up(&m);
  pthread_mutex_lock(&m.mutex);
  for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
    uint64_t start_ns = monotonic_ns();
    while (inf_cond_wait(&m.cond, &m.mutex, waits[i]))
      ;
    assert_true(monotonic_ns() - start_ns >= waits[i]);
  }
  pthread_mutex_unlock(&m.mutex);
  tear_down(&m);
}

static void *
signal_ready(void *arg)
{
  meeting *m = arg;
  pthread_mutex_lock(&m->mutex);
  m->ready = true;
  pthread_cond_signal(&m->cond);
  pthread_mutex_unlock(&m->mutex);
  return NULL;
}

/* The lock is held until the wait begins, so the signal cannot come before
 * it. The longest waits must not wrap round to short ones, and with the last
 * one the nanoseconds of the deadline carry into its seconds. */
static void
test_wait_is_signalled(void **state)
{
  (void)state;
  static const uint64_t waits[] = {INF_NEVER, INF_NEVER - 1, INF_NEVER / 2,
                                   patience_s * INF_NS_PER_S - 1};
  for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
    meeting m;
    set_up(&m);
    pthread_t thread;
    pthread_mutex_lock(&m.mutex);
    assert_int_equal(inf_thread_start(&thread, "signal", signal_ready, &m), 0);
    while (!m.ready)
      assert_true(inf_cond_wait(&m.cond, &m.mutex, waits[i]));
    pthread_mutex_unlock(&m.mutex);
    assert_int_equal(pthread_join(thread, NULL), 0);
    tear_down(&m);
  }
}

/* ---- Locks that may never be free ---------------------------------------- */

static void *
hold_for_a_while(void *arg)
{
  meeting *m = arg;
  struct timespec wait = {0, 50 * 1000000};
  pthread_mutex_lock(&m->mutex);
  m->ready = true;
  pthread_cond_signal(&m->cond);
  pthread_mutex_unlock(&m->mutex);
  pthread_mutex_lock(&m->mutex);
  nanosleep(&wait, NULL);
  pthread_mutex_unlock(&m->mutex);
  return NULL;
}

static void
test_a_lock_is_waited_for_within_a_time(void **state)
{
  (void)state;
  meeting m;
  set_up(&m);
  assert_true(inf_mutex_lock_within(&m.mutex, 0));
  assert_false(inf_mutex_lock_within(&m.mutex, 0));
  assert_false(inf_mutex_lock_within(&m.mutex, 20 * INF_NS_PER_MS));
  pthread_t thread;
  assert_int_equal(inf_thread_start(&thread, "hold", hold_for_a_while, &m), 0);
  while (!m.ready)
    inf_cond_wait(&m.cond, &m.mutex, INF_NEVER);
  pthread_mutex_unlock(&m.mutex);
  assert_true(inf_mutex_lock_within(&m.mutex, patience_s * INF_NS_PER_S));
  pthread_mutex_unlock(&m.mutex);
  assert_int_equal(pthread_join(thread, NULL), 0);
  tear_down(&m);
}

/* ---- Forks -------------------------------------------------------------- */

/* Forks `depth` children, each the child of the one before, and gives the
 * generation that the last one sees. */
static int
generation_after_forks(int depth)
{
  if (depth == 0)
    return (int)inf_fork_generation();
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    alarm(patience_s);
    _exit(generation_after_forks(depth - 1));
  }
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void *
read_generation(void *arg)
{
  *(uint32_t *)arg = inf_fork_generation();
  return NULL;
}

/* The first calls of all, which install the handler, once. */
static void
test_first_calls_at_once(void **state)
{
  (void)state;
  enum { count = 8 };
  pthread_t threads[count];
  uint32_t generations[count];
  memset(generations, 0xff, sizeof generations);
  for (int i = 0; i < count; i++)
    assert_int_equal(
        pthread_create(&threads[i], NULL, read_generation, &generations[i]), 0);
  for (int i = 0; i < count; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(generations[i], 0);
  }
  assert_int_equal(generation_after_forks(1), 1);
}

static void
test_generations(void **state)
{
  (void)state;
  assert_int_equal(inf_fork_generation(), 0);
  for (int depth = 0; depth <= 3; depth++)
    assert_int_equal(generation_after_forks(depth), depth);
  assert_int_equal(inf_fork_generation(), 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_calls_at_once),
      cmocka_unit_test(test_generations),
      cmocka_unit_test(test_thread_blocks_signals),
      cmocka_unit_test(test_starter_keeps_its_mask),
      cmocka_unit_test(test_thread_has_its_name),
      cmocka_unit_test(test_hook_runs_first),
      cmocka_unit_test(test_thread_without_memory),
      cmocka_unit_test(test_thread_cannot_be_made),
      cmocka_unit_test(test_wait_times_out),
      cmocka_unit_test(test_wait_is_signalled),
      cmocka_unit_test(test_a_lock_is_waited_for_within_a_time),
  };
  alarm(patience_s);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
