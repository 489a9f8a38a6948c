/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_DECIDE_H
#define INF_TOOLS_SIM_DECIDE_H

#include "sim_answer.h"

/* Chooses what a call is answered with, in the order of docs/sim.md: key,
 * redirect, limit, the script's own status and body, errors of the request,
 * and at last the completion. Fills in status, body, content, head and
 * frame of the answer. */
void inf_sim_decide(inf_sim_answer *answer, const inf_sim_call *call);

#endif
