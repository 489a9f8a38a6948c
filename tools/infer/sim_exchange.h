/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_EXCHANGE_H
#define INF_TOOLS_SIM_EXCHANGE_H

#include "sim_conn.h"

/* A request and its answer, from the moment when the request is whole. */

/* conn->http holds a whole request: finds out what it asks for and puts an
 * answer, or the bytes of one, into place. */
void inf_sim_exchange_begin(inf_sim_conn *conn, uint64_t now_ns);
/* conn->http is in error: the answer says so, and the connection closes. */
void inf_sim_exchange_refuse(inf_sim_conn *conn, uint64_t now_ns);
/* The next bytes of the answer. */
void inf_sim_exchange_run(inf_sim_conn *conn, uint64_t now_ns);
/* Nothing more of this answer will be sent; writes log and invoice. Harmless
 * when there is none. */
void inf_sim_exchange_end(inf_sim_conn *conn, int end, uint64_t now_ns);

#endif
