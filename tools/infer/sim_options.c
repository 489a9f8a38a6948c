/* SPDX-License-Identifier: MIT */
/* The options of `infer sim`. */

#include "sim_options.h"

#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define LOG_MAX_DEFAULT 100000

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
    "  --ledger FILE          tell of every request there, at once: it "
    "outlives "
    "a\n"
    "                         SIGKILL\n"
    "  --max-seconds N        end after this time\n"
    "  --parent-pid PID       end when that process ends\n"
    "  --exit-on-stdin-eof    end when standard input ends\n"
    "  --help                 this text\n";

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
  OPT_LEDGER,
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
    {"ledger", required_argument, NULL, OPT_LEDGER},
    {"max-seconds", required_argument, NULL, OPT_MAX_SECONDS},
    {"parent-pid", required_argument, NULL, OPT_PARENT_PID},
    {"exit-on-stdin-eof", no_argument, NULL, OPT_EXIT_ON_STDIN_EOF},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

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
  if (*count == INF_SIM_LISTENERS_MAX) {
    fprintf(stderr, "infer sim: at most %d listeners\n", INF_SIM_LISTENERS_MAX);
    return false;
  }
  list[(*count)++] = where;
  return true;
}

static bool
take_text(inf_sim_options *o, int id)
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
  case OPT_LEDGER:
    o->ledger = optarg;
    return true;
  default:
    return false; /* getopt has said what is wrong */
  }
}

static bool
take_option(inf_sim_options *o, int id)
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
check_options(const inf_sim_options *o)
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

int
inf_sim_options_parse(inf_sim_options *o, int argc, char **argv)
{
  *o = (inf_sim_options){.seed = 1, .log_limit = LOG_MAX_DEFAULT};
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
