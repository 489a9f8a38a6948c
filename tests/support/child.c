/* SPDX-License-Identifier: MIT */
#include "support/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ThreadSanitizer would not let a child have threads, sleeps for a second at
 * each exit(), and has a right to complain of exit() in a signal handler. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
  return "die_after_fork=0:atexit_sleep_ms=0:report_signal_unsafe=0";
}

pid_t
child_start(void (*fn)(void *arg), void *arg)
{
  fflush(NULL);
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  /* cmocka's handlers would go on with the parent's tests. */
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
    signal(crashes[i], SIG_DFL);
  fn(arg);
  _exit(0);
}

static long long
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int
child_wait(pid_t pid, unsigned limit_ms)
{
  long long end_ms = now_ms() + limit_ms;
  for (int status;;) {
    pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid)
      return WIFEXITED(status) ? WEXITSTATUS(status)
                               : CHILD_KILLED + WTERMSIG(status);
    if (ended < 0 && errno != EINTR)
      return -1;
    if (now_ms() > end_ms)
      kill(pid, SIGKILL);
    poll(NULL, 0, 1);
  }
}

int
child_run(void (*fn)(void *arg), void *arg, unsigned limit_ms)
{
  pid_t pid = child_start(fn, arg);
  return pid > 0 ? child_wait(pid, limit_ms) : -1;
}

void
child_check(int ok, const char *what, const char *file, int line)
{
  if (ok)
    return;
  fprintf(stderr, "%s:%d: in the child: %s\n", file, line, what);
  fflush(stderr);
  _exit(CHILD_FAILED);
}
