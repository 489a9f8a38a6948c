/* SPDX-License-Identifier: MIT */
/* A child that runs `infer sim`, and raw HTTP to it. */

#include "support/sim_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS    30000
#define STOP_MS     30000
#define RECEIVE_S   60
#define ARGS_MAX    64
#define ANSWER_MAX  ((size_t)256 << 20)
#define LOG_POLL_MS 2

struct sim_process {
  pid_t pid;
  int input;  /* the child ends when this is closed */
  int output; /* what it prints */
  char script[64], control[80];
  char origin[300], url[320];
};

static long long
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void
complain(const char *what)
{
  fprintf(stderr, "sim_process: %s: %s\n", what, strerror(errno));
}

static const char *
tool_path(void)
{
  const char *path = getenv("INFER_TOOL");
#ifdef INFER_TOOL_PATH
  if (!path || !*path) {
    path = INFER_TOOL_PATH;
  }
#endif
  return path && *path ? path : "infer";
}

/* The script's file is gone once the child has read it, and the child removes
 * its control socket itself: a test that is killed leaves nothing behind. */
static bool
make_files(sim_process *sim, const char *script)
{
  snprintf(sim->script, sizeof(sim->script), "/tmp/infer-sim-XXXXXX");
  int fd = mkostemp(sim->script, O_CLOEXEC);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (!file) {
    sim->script[0] = '\0';
    return false;
  }
  snprintf(sim->control, sizeof(sim->control), "%s.control", sim->script);
  bool ok = fputs(script ? script : "{}", file) >= 0;
  return fclose(file) == 0 && ok;
}

static void
remove_script(sim_process *sim)
{
  if (sim->script[0]) {
    unlink(sim->script);
    sim->script[0] = '\0';
  }
}

static void
run_child(const sim_process *sim, int input, int output,
          const char *const *args)
{
  const char *argv[ARGS_MAX] = {tool_path(),          "sim",       "--script",
                                sim->script,          "--control", sim->control,
                                "--exit-on-stdin-eof"};
  size_t count = 7;
  for (size_t i = 0; args && args[i] && count < ARGS_MAX - 1; i++) {
    argv[count++] = args[i];
  }
  /* A group of its own: should the test die while it has the child stopped,
   * the system wakes the orphaned group up and hangs up on it. */
  setpgid(0, 0);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  execvp(argv[0], (char *const *)(uintptr_t)argv);
  complain(argv[0]);
  _exit(127);
}

static bool
spawn(sim_process *sim, const char *const *args)
{
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) != 0) {
    return false;
  }
  if (pipe2(output, O_CLOEXEC) != 0) {
    close(input[0]);
    close(input[1]);
    return false;
  }
  sim->pid = fork();
  if (sim->pid == 0) {
    run_child(sim, input[0], output[1], args);
  }
  close(input[0]);
  close(output[1]);
  sim->input = input[1];
  sim->output = output[0];
  return sim->pid > 0;
}

/* Reads the line "listening ...": what comes after it is not of interest. */
static bool
read_origin(sim_process *sim)
{
  static const char word[] = "listening ";
  char line[300] = "";
  size_t len = 0;
  long long end_ms = now_ms() + START_MS;
  while (!memchr(line, '\n', len) && len < sizeof(line) - 1) {
    struct pollfd ready = {.fd = sim->output, .events = POLLIN};
    long long left_ms = end_ms - now_ms();
    int count = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    ssize_t n = read(sim->output, line + len, sizeof(line) - 1 - len);
    if (n <= 0) {
      return false;
    }
    len += (size_t)n;
  }
  line[strcspn(line, "\n")] = '\0';
  if (strncmp(line, word, sizeof(word) - 1) != 0) {
    return false;
  }
  const char *origin = line + sizeof(word) - 1;
  bool local = strncmp(origin, "unix:", 5) == 0;
  int origin_len = snprintf(sim->origin, sizeof(sim->origin), "%s", origin);
  int url_len = snprintf(sim->url, sizeof(sim->url), "%s/v1",
                         local ? "http://localhost" : origin);
  return origin_len < (int)sizeof(sim->origin) &&
         url_len < (int)sizeof(sim->url);
}

sim_process *
sim_start(const char *script, const char *const *args)
{
  sim_process *sim = calloc(1, sizeof(*sim));
  if (!sim) {
    return NULL;
  }
  sim->input = sim->output = -1;
  if (!make_files(sim, script) || !spawn(sim, args) || !read_origin(sim)) {
    complain("cannot start infer sim");
    sim_kill(sim);
    return NULL;
  }
  remove_script(sim);
  return sim;
}

static void
free_sim(sim_process *sim)
{
  if (sim->input >= 0) {
    close(sim->input);
  }
  if (sim->output >= 0) {
    close(sim->output);
  }
  remove_script(sim);
  unlink(sim->control);
  free(sim);
}

/* Waits for the child, killing it when it takes too long. */
static int
wait_child(pid_t pid)
{
  long long end_ms = now_ms() + STOP_MS;
  int status = -1;
  for (;;) {
    pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) {
      return status;
    }
    if (ended < 0 && errno != EINTR) {
      return -1;
    }
    if (now_ms() > end_ms) {
      kill(pid, SIGKILL);
    }
    poll(NULL, 0, 1);
  }
}

bool
sim_stop(sim_process *sim)
{
  if (!sim) {
    return true;
  }
  kill(sim->pid, SIGTERM);
  int status = wait_child(sim->pid);
  free_sim(sim);
  return status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
sim_kill(sim_process *sim)
{
  if (!sim) {
    return;
  }
  if (sim->pid > 0) {
    kill(sim->pid, SIGKILL);
    wait_child(sim->pid);
  }
  free_sim(sim);
}

const char *
sim_origin(const sim_process *sim)
{
  return sim->origin;
}

const char *
sim_url(const sim_process *sim)
{
  return sim->url;
}

pid_t
sim_pid(const sim_process *sim)
{
  return sim->pid;
}

uint16_t
sim_port(const sim_process *sim)
{
  const char *colon = strrchr(sim->origin, ':');
  if (!colon || strncmp(sim->origin, "unix:", 5) == 0) {
    return 0;
  }
  return (uint16_t)strtoul(colon + 1, NULL, 10);
}

/* Raw sockets. */

static int
connect_to(int fd, const struct sockaddr *address, socklen_t len)
{
  struct timeval limit = {.tv_sec = RECEIVE_S};
  if (fd < 0) {
    return -1;
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(fd, address, len) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static int
connect_unix(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
  return connect_to(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                    (struct sockaddr *)&address, sizeof(address));
}

int
sim_connect(const sim_process *sim)
{
  if (strncmp(sim->origin, "unix:", 5) == 0) {
    return connect_unix(sim->origin + 5);
  }
  if (strstr(sim->origin, "[::1]")) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons(sim_port(sim)),
                               .sin6_addr = in6addr_loopback};
    return connect_to(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0),
                      (struct sockaddr *)&six, sizeof(six));
  }
  struct sockaddr_in four = {.sin_family = AF_INET,
                             .sin_port = htons(sim_port(sim)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return connect_to(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                    (struct sockaddr *)&four, sizeof(four));
}

static bool
send_all(int fd, const char *bytes, size_t len)
{
  while (len > 0) {
    ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
    if (n <= 0 && errno != EINTR) {
      return false;
    }
    bytes += n > 0 ? n : 0;
    len -= n > 0 ? (size_t)n : 0;
  }
  return true;
}

/* All bytes up to the end of the connection. */
static char *
receive_all(int fd, size_t *answer_len, bool *was_reset)
{
  size_t len = 0, cap = 4096;
  char *answer = malloc(cap);
  ssize_t n = 0;
  while (answer && ((n = recv(fd, answer + len, cap - len - 1, 0)) > 0 ||
                    (n < 0 && errno == EINTR))) {
    len += n > 0 ? (size_t)n : 0;
    if (len + 1 == cap && cap < ANSWER_MAX) {
      char *larger = realloc(answer, cap *= 2);
      if (!larger) {
        free(answer);
        return NULL;
      }
      answer = larger;
    }
  }
  if (was_reset) {
    *was_reset = n < 0 && errno == ECONNRESET;
  }
  if (answer) {
    answer[len] = '\0';
    *answer_len = len;
  }
  return answer;
}

static char *
exchange_on(int fd, const char *bytes, size_t len, size_t *answer_len,
            bool *was_reset)
{
  size_t ignored = 0;
  if (fd < 0) {
    return NULL;
  }
  /* A server may answer, or reset, before it has read all. */
  send_all(fd, bytes, len);
  char *answer = receive_all(fd, answer_len ? answer_len : &ignored, was_reset);
  close(fd);
  return answer;
}

char *
sim_exchange(const sim_process *sim, const char *bytes, size_t len,
             size_t *answer_len, bool *was_reset)
{
  return exchange_on(sim_connect(sim), bytes, len, answer_len, was_reset);
}

/* Control. */

/* The body of the answer if its status is 200. */
static char *
control(sim_process *sim, const char *method, const char *name,
        const char *body)
{
  size_t body_len = body ? strlen(body) : 0;
  size_t size = body_len + 256;
  char *request = malloc(size);
  if (!request) {
    return NULL;
  }
  int len = snprintf(request, size,
                     "%s /_sim/%s HTTP/1.1\r\nHost: sim\r\nConnection: close"
                     "\r\nContent-Length: %zu\r\n\r\n%s",
                     method, name, body_len, body ? body : "");
  char *answer =
      exchange_on(connect_unix(sim->control), request, (size_t)len, NULL, NULL);
  free(request);
  char *start = answer ? strstr(answer, "\r\n\r\n") : NULL;
  if (!start || strncmp(answer, "HTTP/1.1 200 ", 13) != 0) {
    fprintf(stderr, "sim_process: %s %s: %s\n", method, name,
            start ? start + 4 : "no answer");
    free(answer);
    return NULL;
  }
  memmove(answer, start + 4, strlen(start + 4) + 1);
  return answer;
}

char *
sim_log(sim_process *sim)
{
  return control(sim, "GET", "log", NULL);
}

char *
sim_invoice(sim_process *sim)
{
  return control(sim, "GET", "invoice", NULL);
}

char *
sim_stats(sim_process *sim)
{
  return control(sim, "GET", "stats", NULL);
}

static size_t
count_text(const char *text, const char *needle)
{
  size_t count = 0;
  while ((text = strstr(text, needle)) != NULL) {
    text += strlen(needle);
    count++;
  }
  return count;
}

/* Strings within the log have their quotes escaped, so the member cannot be
 * mistaken for text; a request body with a member of that name could be. */
static bool
has_ended(const char *log, size_t count)
{
  return count_text(log, ",\"end\":\"") >= count &&
         count_text(log, ",\"end\":\"open\"}") == 0 &&
         count_text(log, ",\"end\":\"silent\"}") == 0;
}

char *
sim_wait_log(sim_process *sim, size_t count, unsigned wait_ms)
{
  long long end_ms = now_ms() + wait_ms;
  for (;;) {
    char *log = sim_log(sim);
    if (log && has_ended(log, count)) {
      return log;
    }
    free(log);
    if (!log || now_ms() > end_ms) {
      return NULL;
    }
    poll(NULL, 0, LOG_POLL_MS);
  }
}

static bool
post(sim_process *sim, const char *name, const char *body)
{
  char *answer = control(sim, "POST", name, body);
  free(answer);
  return answer != NULL;
}

bool
sim_set_script(sim_process *sim, const char *script)
{
  return post(sim, "script", script);
}

bool
sim_reset(sim_process *sim)
{
  return post(sim, "reset", "");
}
