/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_CONFIG_H
#define INF_TOOLS_COMPARE_CONFIG_H

#include "compare_args.h"
#include "compare_data.h"

#include "infer/infer.h"

/* How the library is asked for each subject. A target gets a route of its own
 * that does nothing but send: no retry, no hedge, no breaker, so that what is
 * measured is the provider. The user's routes are asked as they are, and the
 * route of all targets has failover, the strategy "latency" and hedges with
 * the budget below. All are of one client: the route knows of its targets what
 * a client that has run for a while would know. */

#define INF_CMP_HEDGE_BUDGET "0.05"

/* Adds the subjects of args to data, and their routes to config. models[i]
 * gets the name to ask for. Returns 0 or an exit code, having said why. */
int inf_cmp_config_subjects(const inf_cmp_args *args, infer_config *config,
                            inf_cmp_data *data, char (*models)[64]);

#endif
