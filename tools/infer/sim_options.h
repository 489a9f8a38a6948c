/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_OPTIONS_H
#define INF_TOOLS_SIM_OPTIONS_H

#include "sim_server.h"

/* The command line of `infer sim`. */
typedef struct inf_sim_options {
  const char *listen[INF_SIM_LISTENERS_MAX], *local[INF_SIM_LISTENERS_MAX];
  size_t listen_count, local_count;
  bool allow_remote, exit_on_stdin_eof;
  const char *control, *script, *tls_cert, *tls_key, *tls_client_ca,
      *self_signed, *ledger;
  long long seed, max_seconds, parent_pid, log_limit;
} inf_sim_options;

/* -1 to go on, or the exit code: wrong options are told on stderr, --help is
 * answered. */
int inf_sim_options_parse(inf_sim_options *o, int argc, char **argv);

#endif
