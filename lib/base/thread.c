/* SPDX-License-Identifier: MIT */
/* Threads, waits and forks: what POSIX gives, with the choices that a library
 * inside somebody else's program has to make. */
#include "base/thread.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

/* Set before a thread is started, which orders it before that thread. */
static struct {
  void (*fn)(const char *name, void *user_data);
  void *user_data;
} start_hook;

void
inf_thread_set_start_hook(void (*hook)(const char *name, void *user_data),
                          void *user_data)
{
  start_hook.fn = hook;
  start_hook.user_data = user_data;
}

/* Signals that a thread raises by its own fault stay open: nobody else can be
 * meant, and a crash handler of the application must still see them. */
void
inf_signals_block(sigset_t *before)
{
  static const int own_faults[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                   SIGTRAP, SIGABRT, SIGSYS};
  sigset_t all;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof own_faults / sizeof own_faults[0]; i++)
    sigdelset(&all, own_faults[i]);
  pthread_sigmask(SIG_SETMASK, &all, before);
}

typedef struct start {
  char name[16];
  void *(*fn)(void *);
  void *arg;
} start;

static void *
enter(void *context)
{
  start now = *(start *)context;
  inf_free(context);
#if defined(__APPLE__)
  pthread_setname_np(now.name);
#else
  pthread_setname_np(pthread_self(), now.name);
#endif
  if (start_hook.fn)
    start_hook.fn(now.name, start_hook.user_data);
  return now.fn(now.arg);
}

int
inf_thread_start(pthread_t *thread, const char *name, void *(*fn)(void *),
                 void *arg)
{
  start *begin = inf_calloc(1, sizeof *begin);
  if (!begin)
    return ENOMEM;
  snprintf(begin->name, sizeof begin->name, "%s", name);
  begin->fn = fn;
  begin->arg = arg;
  sigset_t before;
  inf_signals_block(&before); /* it inherits the mask of this one */
  int failure = pthread_create(thread, NULL, enter, begin);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failure != 0)
    inf_free(begin);
  return failure;
}

int
inf_cond_init(pthread_cond_t *cond)
{
#if defined(__APPLE__)
  return pthread_cond_init(cond, NULL);
#else
  pthread_condattr_t attributes;
  int failure = pthread_condattr_init(&attributes);
  if (failure != 0)
    return failure;
  failure = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (failure == 0)
    failure = pthread_cond_init(cond, &attributes);
  pthread_condattr_destroy(&attributes);
  return failure;
#endif
}

bool
inf_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t wait_ns)
{
  /* Beyond a century a deadline is none, and could overflow time_t. */
  if (wait_ns > 3155760000ull * INF_NS_PER_S)
    return pthread_cond_wait(cond, mutex) == 0;
  struct timespec until;
#if defined(__APPLE__)
  until.tv_sec = (time_t)(wait_ns / INF_NS_PER_S);
  until.tv_nsec = (long)(wait_ns % INF_NS_PER_S);
  return pthread_cond_timedwait_relative_np(cond, mutex, &until) == 0;
#else
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(wait_ns / INF_NS_PER_S);
  until.tv_nsec += (long)(wait_ns % INF_NS_PER_S);
  if (until.tv_nsec >= (long)INF_NS_PER_S) {
    until.tv_sec++;
    until.tv_nsec -= (long)INF_NS_PER_S;
  }
  return pthread_cond_timedwait(cond, mutex, &until) == 0;
#endif
}

bool
inf_mutex_lock_within(pthread_mutex_t *mutex, uint64_t wait_ns)
{
  static const struct timespec pause = {0, (long)INF_NS_PER_MS};
  for (uint64_t waited_ns = 0; pthread_mutex_trylock(mutex) != 0;
       waited_ns += INF_NS_PER_MS) {
    if (waited_ns >= wait_ns)
      return false;
    nanosleep(&pause, NULL);
  }
  return true;
}

/* ---- Fork ---------------------------------------------------------------- */

/* One variable holds both the count and whether it is kept at all, so that a
 * look costs one load. */
#define NOT_COUNTING UINT32_MAX

static _Atomic uint32_t fork_generation = NOT_COUNTING;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* Runs in the child, which has one thread. */
static void
count_fork(void)
{
  uint32_t generation =
      atomic_load_explicit(&fork_generation, memory_order_relaxed) + 1;
  atomic_store_explicit(&fork_generation,
                        generation == NOT_COUNTING ? 0 : generation,
                        memory_order_relaxed);
}

static void
install_fork_handler(void)
{
  pthread_atfork(NULL, NULL, count_fork);
  atomic_store_explicit(&fork_generation, 0, memory_order_relaxed);
}

uint32_t
inf_fork_generation(void)
{
  uint32_t generation =
      atomic_load_explicit(&fork_generation, memory_order_relaxed);
  if (generation != NOT_COUNTING)
    return generation;
  pthread_once(&fork_once, install_fork_handler);
  return atomic_load_explicit(&fork_generation, memory_order_relaxed);
}
