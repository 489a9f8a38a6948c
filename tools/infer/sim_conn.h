/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_CONN_H
#define INF_TOOLS_SIM_CONN_H

#include "sim_answer.h"
#include "sim_http.h"
#include "sim_server.h"

/* One connection: bytes in, requests one after the other, bytes out. What a
 * request means is in sim_exchange.h. */

enum inf_sim_conn_state {
  INF_SIM_CONN_HANDSHAKE,
  INF_SIM_CONN_READING,
  INF_SIM_CONN_ANSWERING,
  INF_SIM_CONN_LINGERING, /* our side is closed; the peer may still send */
  INF_SIM_CONN_CLOSED,
};

typedef struct inf_sim_conn {
  inf_sim_source source;
  inf_list node;
  inf_sim_server *server;
  int fd;
  bool control;
  SSL *ssl;
  int state;
  uint32_t events; /* what epoll watches */
  uint64_t number, requests;
  inf_sim_alarm alarm; /* next bytes, next write, idle or linger */
  inf_sim_http http;
  inf_buf pending; /* bytes after the request that is being answered */
  inf_buf out;
  size_t out_at;
  uint64_t next_write_ns; /* of writes that the script slows down */
  uint64_t reset_tries;

  /* The exchange in progress. */
  inf_sim_answer answer;
  inf_sim_step step;
  inf_sim_entry *entry; /* NULL: a control request or a refused one */
  bool has_answer;
  bool close_after;
  uint64_t exchange_bytes;
  uint64_t idle_ns; /* after this answer; INF_NEVER: as long as you like */
} inf_sim_conn;

/* Takes an accepted socket; control: of a control listener. */
void inf_sim_conn_new(inf_sim_server *server, int fd, bool control);
/* Closes at once; linger 0 makes it a reset. The exchange must have ended. */
void inf_sim_conn_close(inf_sim_conn *conn, bool reset);
/* Frees the connections that were closed in this turn. */
void inf_sim_conn_reap(inf_sim_server *server);

#endif
