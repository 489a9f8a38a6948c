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

/* ---- Threads ------------------------------------------------------------- */

typedef void (*start_hook)(const char *name, void *user_data);

/* Set before the first thread is started, and so without a lock. */
static start_hook hook_fn;
static void *hook_user_data;

typedef struct thread_start {
  void *(*fn)(void *);
  void *arg;
  start_hook hook_fn;
  void *hook_user_data;
  char name[16]; /* as much as Linux keeps */
} thread_start;

void inf_thread_set_start_hook(void (*hook)(const char *name, void *user_data),
                               void *user_data)
{
  hook_fn = hook;
  hook_user_data = user_data;
}

static void name_this_thread(const char *name)
{
#if defined(__linux__)
  (void)pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
  (void)pthread_setname_np(name);
#else
  (void)name;
#endif
}

static void *thread_main(void *ptr)
{
  thread_start start = *(thread_start *)ptr;
  inf_free(ptr);
  name_this_thread(start.name);
  if (start.hook_fn)
    start.hook_fn(start.name, start.hook_user_data);
  return start.fn(start.arg);
}

int inf_thread_start(pthread_t *thread, const char *name, void *(*fn)(void *),
                     void *arg)
{
  thread_start *start = inf_malloc(sizeof *start);
  if (!start)
    return ENOMEM;
  *start = (thread_start){fn, arg, hook_fn, hook_user_data, ""};
  (void)snprintf(start->name, sizeof start->name, "%s", name);
  /* The new thread inherits the mask, so no handler of the application can
   * run on it, not even before its first instruction. */
  sigset_t all, old;
  sigfillset(&all);
  int rc = pthread_sigmask(SIG_SETMASK, &all, &old);
  if (rc == 0) {
    rc = pthread_create(thread, NULL, thread_main, start);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
  }
  if (rc != 0)
    inf_free(start);
  return rc;
}

/* ---- Waits --------------------------------------------------------------- */

int inf_cond_init(pthread_cond_t *cond)
{
#ifdef __APPLE__
  return pthread_cond_init(cond, NULL);
#else
  pthread_condattr_t attr;
  int rc = pthread_condattr_init(&attr);
  if (rc != 0)
    return rc;
  rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  if (rc == 0)
    rc = pthread_cond_init(cond, &attr);
  (void)pthread_condattr_destroy(&attr);
  return rc;
#endif
}

static struct timespec timespec_of(uint64_t ns)
{
  return (struct timespec){.tv_sec = (time_t)(ns / INF_NS_PER_S),
                           .tv_nsec = (long)(ns % INF_NS_PER_S)};
}

bool inf_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                   uint64_t wait_ns)
{
  if (wait_ns == INF_NEVER)
    return pthread_cond_wait(cond, mutex) == 0;
#ifdef __APPLE__
  struct timespec wait = timespec_of(wait_ns);
  return pthread_cond_timedwait_relative_np(cond, mutex, &wait) == 0;
#else
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t now_ns = (uint64_t)now.tv_sec * INF_NS_PER_S + (uint64_t)now.tv_nsec;
  struct timespec until = timespec_of(inf_time_add(now_ns, wait_ns));
  return pthread_cond_timedwait(cond, mutex, &until) == 0;
#endif
}

/* ---- Forks --------------------------------------------------------------- */

/* One variable holds the count and whether it is kept, so that a look costs
 * one load. */
#define NOT_COUNTING UINT32_MAX

static _Atomic uint32_t fork_generation = NOT_COUNTING;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

/* Runs in the child, which has one thread. */
static void count_fork(void)
{
  uint32_t generation =
      atomic_load_explicit(&fork_generation, memory_order_relaxed) + 1;
  if (generation == NOT_COUNTING)
    generation = 0;
  atomic_store_explicit(&fork_generation, generation, memory_order_relaxed);
}

static void install_fork_handler(void)
{
  (void)pthread_atfork(NULL, NULL, count_fork);
  atomic_store_explicit(&fork_generation, 0, memory_order_relaxed);
}

uint32_t inf_fork_generation(void)
{
  uint32_t generation =
      atomic_load_explicit(&fork_generation, memory_order_relaxed);
  if (generation != NOT_COUNTING)
    return generation;
  (void)pthread_once(&fork_once, install_fork_handler);
  return atomic_load_explicit(&fork_generation, memory_order_relaxed);
}
