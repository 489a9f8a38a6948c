/* SPDX-License-Identifier: MIT */
#include "support/nghttpx_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

enum { start_ms = 10000, tries = 5, args_max = 64, poll_ms = 5 };

struct nghttpx_process {
  pid_t pid; /* 0 once it has ended */
  uint16_t port;
  char log[256];
};

static int64_t
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Debian has it where only root's PATH leads. */
static const char *
program(void)
{
  static const char *const paths[] = {
      "/usr/sbin/nghttpx", "/usr/bin/nghttpx", "/usr/local/sbin/nghttpx",
      "/usr/local/bin/nghttpx", "/opt/homebrew/bin/nghttpx"};
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
    if (access(paths[i], X_OK) == 0)
      return paths[i];
  return NULL;
}

bool
nghttpx_available(void)
{
  return program() != NULL;
}

static int
bound_socket(uint16_t *port, bool to_connect)
{
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(*port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct sockaddr *at = (const struct sockaddr *)&address;
  bool ok = fd >= 0 && (to_connect ? connect(fd, at, sizeof address)
                                   : bind(fd, at, sizeof address)) == 0;
  if (ok && getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
    if (!to_connect)
      *port = ntohs(address.sin_port);
    return fd;
  }
  if (fd >= 0)
    close(fd);
  return -1;
}

/* A port that is free now. It may be taken until it is used: then the start
 * fails, and another one is tried. */
static uint16_t
free_port(void)
{
  uint16_t port = 0;
  int fd = bound_socket(&port, false);
  if (fd >= 0)
    close(fd);
  return port;
}

static void
run_child(const char *const *argv)
{
#if defined(__linux__)
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  setpgid(0, 0); /* its worker is a process of its own */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  execv(argv[0], (char *const *)(uintptr_t)argv);
  _exit(127);
}

static void
spawn(nghttpx_process *proxy, uint16_t backend_port, const char *dir,
      const char *const *args)
{
  char front[64], back[64], log[300], key[256], cert[256];
  snprintf(front, sizeof front, "--frontend=127.0.0.1,%u", proxy->port);
  snprintf(back, sizeof back, "--backend=127.0.0.1,%u", backend_port);
  snprintf(log, sizeof log, "--accesslog-file=%s", proxy->log);
  snprintf(key, sizeof key, "%s/server.key", dir);
  snprintf(cert, sizeof cert, "%s/server.pem", dir);
  const char *argv[args_max] = {program(),
                                "--conf=/dev/null",
                                "--workers=1",
                                "--errorlog-file=/dev/null",
                                "--accesslog-format=$remote_port $alpn",
                                log,
                                front,
                                back};
  size_t count = 8;
  for (size_t i = 0; args && args[i] && count < args_max - 3; i++)
    argv[count++] = args[i];
  argv[count++] = key;
  argv[count++] = cert;
  proxy->pid = fork();
  if (proxy->pid == 0)
    run_child(argv);
  if (proxy->pid > 0)
    setpgid(proxy->pid, proxy->pid); /* whoever comes first */
}

bool
nghttpx_ended(nghttpx_process *proxy, unsigned wait_ms)
{
  int64_t until_ms = now_ms() + wait_ms;
  while (proxy->pid > 0 && waitpid(proxy->pid, NULL, WNOHANG) == 0) {
    if (now_ms() >= until_ms)
      return false;
    poll(NULL, 0, poll_ms);
  }
  proxy->pid = 0;
  return true;
}

static bool
wait_listening(nghttpx_process *proxy)
{
  int64_t until_ms = now_ms() + start_ms;
  while (now_ms() < until_ms && !nghttpx_ended(proxy, 0)) {
    int fd = bound_socket(&proxy->port, true);
    if (fd >= 0) {
      close(fd);
      return true;
    }
    poll(NULL, 0, poll_ms);
  }
  return false;
}

static void
kill_child(nghttpx_process *proxy)
{
  if (proxy->pid > 0) {
    kill(-proxy->pid, SIGKILL);
    waitpid(proxy->pid, NULL, 0);
  }
  proxy->pid = 0;
}

nghttpx_process *
nghttpx_start(uint16_t backend_port, const char *dir, const char *const *args)
{
  nghttpx_process *proxy = calloc(1, sizeof *proxy);
  if (!proxy)
    return NULL;
  snprintf(proxy->log, sizeof proxy->log, "%s/access.log", dir);
  for (int i = 0; i < tries; i++) {
    proxy->port = free_port();
    spawn(proxy, backend_port, dir, args);
    if (wait_listening(proxy))
      return proxy;
    kill_child(proxy);
  }
  fprintf(stderr, "nghttpx_process: cannot start %s\n", program());
  free(proxy);
  return NULL;
}

uint16_t
nghttpx_port(const nghttpx_process *proxy)
{
  return proxy->port;
}

void
nghttpx_quit(nghttpx_process *proxy)
{
  if (proxy->pid > 0)
    kill(proxy->pid, SIGQUIT);
}

void
nghttpx_kill(nghttpx_process *proxy)
{
  if (!proxy)
    return;
  kill_child(proxy);
  free(proxy);
}

/* ---- The access log ------------------------------------------------------ */

static nghttpx_counts
read_counts(const nghttpx_process *proxy)
{
  nghttpx_counts counts = {0};
  bool seen[65536] = {false};
  FILE *file = fopen(proxy->log, "r");
  char line[128];
  while (file && fgets(line, sizeof line, file)) {
    char *alpn;
    unsigned long port = strtoul(line, &alpn, 10) & 0xffff;
    counts.requests++;
    counts.connections += !seen[port];
    counts.http2 += strncmp(alpn, " h2", 3) == 0;
    seen[port] = true;
  }
  if (file)
    fclose(file);
  return counts;
}

nghttpx_counts
nghttpx_wait_counts(const nghttpx_process *proxy, size_t requests,
                    unsigned wait_ms)
{
  int64_t until_ms = now_ms() + wait_ms;
  nghttpx_counts counts = read_counts(proxy);
  while (counts.requests < requests && now_ms() < until_ms) {
    poll(NULL, 0, poll_ms);
    counts = read_counts(proxy);
  }
  return counts;
}
