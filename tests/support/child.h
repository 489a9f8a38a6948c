/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <sys/types.h>

/* A piece of a test in a process of its own: for what ends a process, and for
 * what only a forked child sees. A child fails by a message on stderr and exit
 * code CHILD_FAILED; cmocka's assertions are the parent's. */

/* gcc 12's AddressSanitizer does not guard its allocator over fork(): a child
 * that was forked while another thread allocated may hang in malloc(), and in
 * the search for leaks that exit() begins. ThreadSanitizer's runtime may hang
 * where a child of a process with threads starts its own. */
#if defined(__SANITIZE_ADDRESS__)
#define CHILD_ASAN 1
#else
#define CHILD_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__)
#define CHILD_TSAN 1
#else
#define CHILD_TSAN 0
#endif

enum { CHILD_FAILED = 99, CHILD_KILLED = 256 };

/* Forks and calls fn; a child that returns from it ends with _exit(0). */
pid_t child_start(void (*fn)(void *arg), void *arg);
/* Its exit code, or CHILD_KILLED + the signal that ended it: SIGKILL by the
 * test itself when it takes longer than limit_ms. */
int child_wait(pid_t pid, unsigned limit_ms);
int child_run(void (*fn)(void *arg), void *arg, unsigned limit_ms);

/* Skips a test whose children allocate, or have threads, beside busy threads,
 * where a sanitizer does not stand that. */
#define CHILD_SKIP_IF_SANITIZED()                                             \
  do {                                                                        \
    if (CHILD_ASAN || CHILD_TSAN) {                                           \
      printf(                                                                 \
          "SKIP: the sanitizer does not stand a fork beside busy threads\n"); \
      skip();                                                                 \
    }                                                                         \
  } while (0)

/* For the child: fails unless cond holds. */
#define CHILD_CHECK(cond) child_check((cond) ? 1 : 0, #cond, __FILE__, __LINE__)
void child_check(int ok, const char *what, const char *file, int line);

#endif
