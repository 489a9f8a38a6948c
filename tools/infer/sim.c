/* SPDX-License-Identifier: MIT */
/* `infer sim`: a simulated provider. This file is the command: what it
 * sets up, its signals, and whom it outlives. docs/sim.md is the manual. */

#include "cmd.h"
#include "sim_options.h"
#include "sim_tls.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCRIPT_MAX_BYTES ((size_t)256 << 20)

/* What ends the program besides a request to do so. */
typedef struct watcher {
  inf_sim_source source;
  inf_sim_server *server;
  int fd;
} watcher;

typedef struct time_limit {
  inf_sim_alarm alarm;
  inf_sim_server *server;
} time_limit;

static void
read_file(const char *name, inf_buf *text)
{
  bool is_stdin = strcmp(name, "-") == 0;
  FILE *file = is_stdin ? stdin : fopen(name, "re");
  char piece[16384];
  size_t n = 0;
  if (!file) {
    inf_sim_die("%s: %s", name, strerror(errno));
  }
  while ((n = fread(piece, 1, sizeof(piece), file)) > 0) {
    inf_buf_append(text, piece, n);
  }
  if (ferror(file) || text->status != 0) {
    inf_sim_die("%s: cannot read it all", name);
  }
  if (!is_stdin) {
    fclose(file);
  }
}

static bool
load_script(inf_sim_server *server, const inf_sim_options *o)
{
  inf_buf text, error;
  inf_buf_init(&text, SCRIPT_MAX_BYTES);
  inf_buf_init(&error, INF_SIM_BUF_MAX);
  if (o->script) {
    read_file(o->script, &text);
  }
  inf_sim_script *script = inf_sim_script_read(inf_buf_sv(&text), &error);
  if (script) {
    inf_sim_server_set_script(server, script);
  } else {
    fprintf(stderr, "infer sim: %s: %s\n", o->script, inf_buf_cstr(&error));
  }
  inf_buf_fini(&text);
  inf_buf_fini(&error);
  return script != NULL;
}

static void
set_up_tls(inf_sim_server *server, const inf_sim_options *o)
{
  char cert[4096], key[4096];
  if (!o->self_signed && !o->tls_cert) {
    return;
  }
  if (o->self_signed) {
    int a = snprintf(cert, sizeof(cert), "%s/server.pem", o->self_signed);
    int b = snprintf(key, sizeof(key), "%s/server-key.pem", o->self_signed);
    if (a < 0 || b < 0 || b >= (int)sizeof(key)) {
      inf_sim_die("path too long: %s", o->self_signed);
    }
    inf_sim_make_certificates(o->self_signed);
    server->tls = inf_sim_tls_new(cert, key, o->tls_client_ca);
  } else {
    server->tls = inf_sim_tls_new(o->tls_cert, o->tls_key, o->tls_client_ca);
  }
}

static bool
check_listen(const char *where, const char *error)
{
  if (error) {
    fprintf(stderr, "infer sim: cannot listen on %s: %s\n", where, error);
  }
  return !error;
}

static bool
listen_local(inf_sim_server *server, const char *path, bool control)
{
  return check_listen(path, inf_sim_server_listen_unix(server, path, control));
}

static bool
listen_tcp(inf_sim_server *server, const char *where, bool allow_remote)
{
  return check_listen(where,
                      inf_sim_server_listen(server, where, allow_remote));
}

static bool
set_up_listeners(inf_sim_server *server, const inf_sim_options *o)
{
  bool ok = true;
  for (size_t i = 0; ok && i < o->listen_count; i++) {
    ok = listen_tcp(server, o->listen[i], o->allow_remote);
  }
  for (size_t i = 0; ok && i < o->local_count; i++) {
    ok = listen_local(server, o->local[i], false);
  }
  if (ok && server->listener_count == 0) {
    ok = listen_tcp(server, "127.0.0.1:0", false);
  }
  return ok && (!o->control || listen_local(server, o->control, true));
}

static void
print_listeners(const inf_sim_server *server)
{
  inf_buf url;
  inf_buf_init(&url, INF_SIM_BUF_MAX);
  for (size_t i = 0; i < server->listener_count; i++) {
    if (server->listeners[i].control) {
      continue;
    }
    inf_buf_clear(&url);
    inf_sim_server_put_url(server, i, &url);
    printf("listening %s\n", inf_buf_cstr(&url));
  }
  inf_buf_fini(&url);
  fflush(stdout);
}

static void
stop(inf_sim_source *source, uint32_t events, uint64_t now_ns)
{
  (void)events;
  (void)now_ns;
  INF_CONTAINER_OF(source, watcher, source)->server->loop.stop = true;
}

/* Standard input is read and thrown away until it ends. */
static void
on_stdin(inf_sim_source *source, uint32_t events, uint64_t now_ns)
{
  char bytes[4096];
  ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
    stop(source, events, now_ns);
  }
}

static void
watch(watcher *w, inf_sim_server *server, int fd, const char *what,
      void (*on_ready)(inf_sim_source *, uint32_t, uint64_t))
{
  *w = (watcher){.source.on_ready = on_ready, .server = server, .fd = fd};
  if (fd < 0 || !inf_sim_loop_add(&server->loop, fd, &w->source, EPOLLIN)) {
    inf_sim_die("cannot watch %s: %s", what, strerror(errno));
  }
}

static int
open_signals(void)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void
on_time_limit(inf_sim_alarm *alarm, uint64_t now_ns)
{
  (void)now_ns;
  INF_CONTAINER_OF(alarm, time_limit, alarm)->server->loop.stop = true;
}

/* Ten thousand streams need ten thousand descriptors. */
static void
raise_descriptor_limit(void)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

static void
serve(inf_sim_server *server, const inf_sim_options *o)
{
  watcher signals, parent = {.fd = -1}, input;
  time_limit limit = {.server = server};
  watch(&signals, server, open_signals(), "signals", stop);
  if (o->parent_pid > 0) {
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)o->parent_pid, 0);
    watch(&parent, server, fd, "the parent process", stop);
  }
  if (o->exit_on_stdin_eof) {
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    watch(&input, server, STDIN_FILENO, "standard input", on_stdin);
  }
  inf_sim_alarm_init(&limit.alarm, on_time_limit);
  if (o->max_seconds > 0) {
    inf_sim_loop_set(&server->loop, &limit.alarm,
                     inf_sim_now_ns() +
                         (uint64_t)o->max_seconds * INF_NS_PER_S);
  }
  print_listeners(server);
  inf_sim_server_run(server);
  inf_sim_loop_cancel(&server->loop, &limit.alarm);
  close(signals.fd);
  if (parent.fd >= 0) {
    close(parent.fd);
  }
}

int
cmd_sim(int argc, char **argv)
{
  inf_sim_options o;
  int code = inf_sim_options_parse(&o, argc, argv);
  if (code >= 0) {
    return code;
  }
  inf_sim_server server;
  raise_descriptor_limit();
  inf_sim_server_init(&server, (uint64_t)o.seed, (size_t)o.log_limit);
  inf_sim_ledger_open(&server.ledger, o.ledger);
  set_up_tls(&server, &o);
  code = EXIT_CONFIG;
  if (load_script(&server, &o) && set_up_listeners(&server, &o)) {
    serve(&server, &o);
    code = EXIT_SUCCESS;
  }
  inf_sim_server_fini(&server);
  return code;
}
