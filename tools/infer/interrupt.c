/* SPDX-License-Identifier: MIT */
/* Signals that end a command in order. */

#include "interrupt.h"

#include "cmd.h"
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

volatile sig_atomic_t inf_interrupted;
static int signal_pipe[2] = {-1, -1};

static void
on_signal(int number)
{
  int saved = errno;
  inf_interrupted = number;
  ssize_t ignored = write(signal_pipe[1], "", 1);
  (void)ignored;
  errno = saved;
}

int
inf_interrupt_catch(void)
{
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  if (pipe(signal_pipe) != 0) {
    inf_say("pipe: %s", strerror(errno));
    return EXIT_CALL_FAILED;
  }
  for (int i = 0; i < 2; i++) {
    fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC);
    fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK);
  }
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
    struct sigaction old,
        action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(numbers[i], NULL, &old);
    if (old.sa_handler != SIG_IGN) { /* nohup stays nohup */
      sigaction(numbers[i], &action, NULL);
    }
  }
  signal(SIGPIPE, SIG_IGN);
  return 0;
}

int
inf_interrupt_fd(void)
{
  return signal_pipe[0];
}
