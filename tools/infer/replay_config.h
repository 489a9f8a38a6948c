/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_CONFIG_H
#define INF_TOOLS_REPLAY_CONFIG_H

#include "infer/infer.h"

/* Makes of a configuration that is used for real one that a replay can use
 * anywhere: its policies stay, what concerns sockets and secrets goes. Keys
 * become as many made ones, so that no key has to be there; proxies, sockets,
 * certificates, headers and queries are dropped, and so is the loop's thread.
 * Changes config. Returns 0 or an exit code, having said why. */
int inf_replay_prepare(infer_config *config);

#endif
