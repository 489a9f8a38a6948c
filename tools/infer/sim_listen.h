/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_LISTEN_H
#define INF_TOOLS_SIM_LISTEN_H

#include "sim_server.h"

/* The server's listening sockets: opened, closed while it is down, and opened
 * again at the same address. */

void inf_sim_listen_init(inf_sim_server *server);
/* Opens all that are closed. */
void inf_sim_listen_open(inf_sim_server *server);
/* Closes all. For good: paths of Unix sockets are removed for ever. */
void inf_sim_listen_close(inf_sim_server *server, bool for_good);

#endif
