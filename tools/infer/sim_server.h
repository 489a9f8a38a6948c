/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_SERVER_H
#define INF_TOOLS_SIM_SERVER_H

#include "sim_ledger.h"
#include "sim_log.h"
#include "sim_loop.h"
#include "sim_script.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The server as a whole: what connections share. */

#define INF_SIM_LISTENERS_MAX 8
#define INF_SIM_READ_BYTES    ((size_t)64 * 1024)

typedef struct inf_sim_listener {
  inf_sim_source source;
  struct inf_sim_server *server;
  int fd; /* -1: closed */
  /* For tests: without TLS, untouched when the server is down, in no count. */
  bool control;
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
  } address;
  socklen_t address_len;
} inf_sim_listener;

typedef struct inf_sim_stats {
  uint64_t requests, connections_accepted, accept_resets;
  uint64_t open_connections, open_streams, peak_open_streams;
  uint64_t bytes_in, bytes_out;
} inf_sim_stats;

typedef struct inf_sim_server {
  inf_sim_loop loop;
  inf_list conns;
  inf_list dead; /* closed in this turn of the loop */
  inf_sim_listener listeners[INF_SIM_LISTENERS_MAX];
  size_t listener_count;
  bool is_down;
  inf_sim_alarm down_alarm, accept_alarm;
  SSL_CTX *tls; /* NULL: none */
  inf_sim_script *script;
  uint64_t script_start_ns;
  uint64_t seed;
  inf_rng rng; /* for chances */
  inf_sim_log log;
  inf_sim_ledger ledger;
  inf_sim_stats stats;
  uint64_t next_connection, next_request;
  inf_buf scratch;
  char *read_buf; /* INF_SIM_READ_BYTES */
} inf_sim_server;

void inf_sim_server_init(inf_sim_server *server, uint64_t seed, size_t log_max);
void inf_sim_server_fini(inf_sim_server *server);

/* The script belongs to the server now, which restarts its clock. */
void inf_sim_server_set_script(inf_sim_server *server, inf_sim_script *script);
/* Forgets log, invoice and counters; the script begins again. */
void inf_sim_server_reset(inf_sim_server *server);

/* "127.0.0.1:0", "[::1]:8080", "localhost:0"; or a path with unix. Other
 * addresses than loopback need allow_remote. NULL, or what is wrong. */
const char *inf_sim_server_listen(inf_sim_server *server, const char *where,
                                  bool allow_remote);
const char *inf_sim_server_listen_unix(inf_sim_server *server, const char *path,
                                       bool control);
/* Appends the URL of a listener: "http://127.0.0.1:43121", "unix:/path". */
void inf_sim_server_put_url(const inf_sim_server *server, size_t index,
                            inf_buf *out);

/* Until the loop is told to stop. */
void inf_sim_server_run(inf_sim_server *server);

void inf_sim_server_put_stats(const inf_sim_server *server, inf_buf *out);

#endif
