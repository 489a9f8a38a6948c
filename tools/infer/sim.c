/* SPDX-License-Identifier: MIT */
/* `infer sim`: a simulated provider. This file is the command: its options,
 * its signals, and whom it outlives. docs/sim.md is the manual. */

#include "cmd.h"
#include "sim_server.h"
#include "sim_tls.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WHERE_MAX        INF_SIM_LISTENERS_MAX
#define LOG_MAX_DEFAULT  100000
#define SCRIPT_MAX_BYTES ((size_t)256 << 20)

static const char usage[] =
    "usage: infer sim [OPTIONS]\n\n"
    "Runs a provider that obeys a script. Prints \"listening URL\" when it is "
    "ready.\n\n"
    "  --listen HOST:PORT     TCP address, port 0 for any (default "
    "127.0.0.1:0)\n"
    "  --unix PATH            Unix-domain socket; both may be repeated\n"
    "  --control PATH         Unix-domain socket without TLS that stays when "
    "the\n"
    "                         script takes the server down\n"
    "  --allow-remote         permit addresses that are not loopback\n"
    "  --script FILE          what to do; - reads standard input\n"
    "  --seed N               of all that is random (default 1)\n"
    "  --tls-cert FILE        serve TLS with this certificate (PEM)\n"
    "  --tls-key FILE         and its key\n"
    "  --tls-client-ca FILE   demand client certificates from this CA\n"
    "  --self-signed DIR      make a CA and certificates there, and use them\n"
    "  --log-limit N          requests kept in the log (default 100000)\n"
    "  --max-seconds N        end after this time\n"
    "  --parent-pid PID       end when that process ends\n"
    "  --exit-on-stdin-eof    end when standard input ends\n"
    "  --help                 this text\n";

typedef struct options {
  const char *listen[WHERE_MAX], *local[WHERE_MAX];
  size_t listen_count, local_count;
  bool allow_remote, exit_on_stdin_eof;
  const char *control, *script, *tls_cert, *tls_key, *tls_client_ca,
      *self_signed;
  long long seed, max_seconds, parent_pid, log_limit;
} options;

enum option_id {
  OPT_LISTEN = 1000,
  OPT_UNIX,
  OPT_CONTROL,
  OPT_ALLOW_REMOTE,
  OPT_SCRIPT,
  OPT_SEED,
  OPT_TLS_CERT,
  OPT_TLS_KEY,
  OPT_TLS_CLIENT_CA,
  OPT_SELF_SIGNED,
  OPT_LOG_LIMIT,
  OPT_MAX_SECONDS,
  OPT_PARENT_PID,
  OPT_EXIT_ON_STDIN_EOF,
  OPT_HELP,
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"unix", required_argument, NULL, OPT_UNIX},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"allow-remote", no_argument, NULL, OPT_ALLOW_REMOTE},
    {"script", required_argument, NULL, OPT_SCRIPT},
    {"seed", required_argument, NULL, OPT_SEED},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"tls-client-ca", required_argument, NULL, OPT_TLS_CLIENT_CA},
    {"self-signed", required_argument, NULL, OPT_SELF_SIGNED},
    {"log-limit", required_argument, NULL, OPT_LOG_LIMIT},
    {"max-seconds", required_argument, NULL, OPT_MAX_SECONDS},
    {"parent-pid", required_argument, NULL, OPT_PARENT_PID},
    {"exit-on-stdin-eof", no_argument, NULL, OPT_EXIT_ON_STDIN_EOF},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

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

static bool
parse_number(const char *name, const char *text, long long least,
             long long *number)
{
  if (inf_sv_to_int64(inf_sv_from(text), number) && *number >= least) {
    return true;
  }
  fprintf(stderr, "infer sim: --%s must be a whole number from %lld\n", name,
          least);
  return false;
}

static bool
add_where(const char **list, size_t *count, const char *where)
{
  if (*count == WHERE_MAX) {
    fprintf(stderr, "infer sim: at most %d listeners\n", WHERE_MAX);
    return false;
  }
  list[(*count)++] = where;
  return true;
}

static bool
take_text(options *o, int id)
{
  switch (id) {
  case OPT_CONTROL:
    o->control = optarg;
    return true;
  case OPT_SCRIPT:
    o->script = optarg;
    return true;
  case OPT_TLS_CERT:
    o->tls_cert = optarg;
    return true;
  case OPT_TLS_KEY:
    o->tls_key = optarg;
    return true;
  case OPT_TLS_CLIENT_CA:
    o->tls_client_ca = optarg;
    return true;
  case OPT_SELF_SIGNED:
    o->self_signed = optarg;
    return true;
  default:
    return false; /* getopt has said what is wrong */
  }
}

static bool
take_option(options *o, int id)
{
  switch (id) {
  case OPT_LISTEN:
    return add_where(o->listen, &o->listen_count, optarg);
  case OPT_UNIX:
    return add_where(o->local, &o->local_count, optarg);
  case OPT_ALLOW_REMOTE:
    return o->allow_remote = true;
  case OPT_EXIT_ON_STDIN_EOF:
    return o->exit_on_stdin_eof = true;
  case OPT_SEED:
    return parse_number("seed", optarg, 0, &o->seed);
  case OPT_LOG_LIMIT:
    return parse_number("log-limit", optarg, 1, &o->log_limit);
  case OPT_MAX_SECONDS:
    return parse_number("max-seconds", optarg, 1, &o->max_seconds);
  case OPT_PARENT_PID:
    return parse_number("parent-pid", optarg, 1, &o->parent_pid);
  default:
    return take_text(o, id);
  }
}

static bool
check_options(const options *o)
{
  const char *wrong = NULL;
  bool stdin_script = o->script && strcmp(o->script, "-") == 0;
  if (!o->tls_cert != !o->tls_key) {
    wrong = "--tls-cert and --tls-key belong together";
  } else if (o->tls_cert && o->self_signed) {
    wrong = "--self-signed makes its own certificate";
  } else if (o->tls_client_ca && !o->tls_cert && !o->self_signed) {
    wrong = "--tls-client-ca needs TLS";
  } else if (stdin_script && o->exit_on_stdin_eof) {
    wrong = "--exit-on-stdin-eof cannot be used with --script -";
  }
  if (wrong) {
    fprintf(stderr, "infer sim: %s\n", wrong);
  }
  return !wrong;
}

/* EXIT_SUCCESS with *help set, or -1 to go on. */
static int
parse_options(options *o, int argc, char **argv)
{
  *o = (options){.seed = 1, .log_limit = LOG_MAX_DEFAULT};
  optind = 1;
  int id;
  while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
    if (id == OPT_HELP) {
      fputs(usage, stdout);
      return EXIT_SUCCESS;
    }
    if (!take_option(o, id)) {
      return EXIT_USAGE;
    }
  }
  if (optind < argc) {
    fprintf(stderr, "infer sim: unexpected argument \"%s\"\n", argv[optind]);
    return EXIT_USAGE;
  }
  return check_options(o) ? -1 : EXIT_USAGE;
}

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
load_script(inf_sim_server *server, const options *o)
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
set_up_tls(inf_sim_server *server, const options *o)
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
set_up_listeners(inf_sim_server *server, const options *o)
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
serve(inf_sim_server *server, const options *o)
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
  options o;
  int code = parse_options(&o, argc, argv);
  if (code >= 0) {
    return code;
  }
  inf_sim_server server;
  raise_descriptor_limit();
  inf_sim_server_init(&server, (uint64_t)o.seed, (size_t)o.log_limit);
  set_up_tls(&server, &o);
  code = EXIT_CONFIG;
  if (load_script(&server, &o) && set_up_listeners(&server, &o)) {
    serve(&server, &o);
    code = EXIT_SUCCESS;
  }
  inf_sim_server_fini(&server);
  return code;
}
