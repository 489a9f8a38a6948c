/* SPDX-License-Identifier: MIT */
/* A dialect of hardly any bytes, so that what a call costs without those of
 * HTTP, JSON and SSE can be seen: the body of a request is the content of its
 * messages as it stands in the chat, its address is the base URL, it has no
 * headers. An answer is a stream of two events, "data:X", which is its text,
 * and "data:.", which is its end. */
#ifndef TESTS_SIMULATION_CALLS_FEW_BYTES_H
#define TESTS_SIMULATION_CALLS_FEW_BYTES_H

#include "engine/client.h"

/* From now on all providers of the client speak it. Before the first call. */
void few_bytes_speak(infer_client *client);

#endif
