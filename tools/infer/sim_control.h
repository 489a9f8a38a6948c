/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_CONTROL_H
#define INF_TOOLS_SIM_CONTROL_H

#include "sim_http.h"
#include "sim_server.h"

/* The endpoints under /_sim/. */

bool inf_sim_is_control(inf_sv target);
/* Does what the request asks for and appends the whole response. */
void inf_sim_control(inf_sim_server *server, const inf_sim_http *http,
                     bool close, inf_buf *out);

#endif
