/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_THREAD_H
#define INF_BASE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a thread that blocks every signal (but those of its own faults, as
 * SIGSEGV) from its first instruction, is
 * named name (at most 15 bytes), and calls the thread-start hook before fn.
 * Returns 0 or an errno value. */
int inf_thread_start(pthread_t *thread, const char *name, void *(*fn)(void *),
                     void *arg);
/* Blocks on this thread what those threads block, which threads that are made
 * from here on inherit; before is what to give to pthread_sigmask(SIG_SETMASK)
 * afterwards. */
void inf_signals_block(sigset_t *before);
/* Called on each new thread of the library, first thing. NULL: none. */
void inf_thread_set_start_hook(void (*hook)(const char *name, void *user_data),
                               void *user_data);

/* A condition variable on the monotonic clock. */
int inf_cond_init(pthread_cond_t *cond);
/* Waits at most wait_ns (INF_NEVER: without limit). False on timeout. May
 * wake spuriously, as pthread_cond_wait() may. */
bool inf_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                   uint64_t wait_ns);

/* Locks, but gives up after wait_ns. For where the lock may be held by a
 * thread that never goes on; it looks again each millisecond. */
bool inf_mutex_lock_within(pthread_mutex_t *mutex, uint64_t wait_ns);

/* How often this process is a forked child of one that had used the library:
 * 0 in the first process, more in children. Handles remember it at their
 * birth; a difference means that they came across a fork. The first call
 * installs the fork handler. Cheap: one load. */
uint32_t inf_fork_generation(void);

#endif
