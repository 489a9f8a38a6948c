/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_TRAIL_H
#define INF_TOOLS_TRAIL_H

#include "infer/infer.h"

/* Writes what happened to each attempt to standard error. Either may be
 * NULL. */
void inf_trail_say(const infer_response *response, const infer_error *error);

#endif
