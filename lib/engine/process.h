/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_PROCESS_H
#define INF_ENGINE_PROCESS_H

#include "engine/client.h"

/* All clients of the process, for what befalls them together.
 *
 * exit(): OpenSSL frees what all threads use in a handler of its own, while a
 * loop may be in the middle of a handshake. So the library's handler, which
 * runs before OpenSSL's because it is installed after it, ends every loop:
 * calls end as INFER_E_CANCELLED, connections are closed, and the handles stay
 * good for handlers and destructors that run later. It waits for a loop that
 * hangs in a hook no longer than INF_EXIT_LIMIT_NS, and not for the thread
 * that calls exit() itself. No hook runs once it has begun: the application's
 * objects may be gone.
 *
 * fork(): a child has none of the parent's clients here. */

#define INF_EXIT_LIMIT_NS (2 * INF_NS_PER_S)

/* Counts the client in, once its transport is made, which starts OpenSSL.
 * INFER_E_CLOSED when the process is about to end, or INFER_E_NO_MEMORY. */
int32_t inf_process_add(struct infer_client *client);
/* Harmless for one that is not in. */
void inf_process_remove(struct infer_client *client);
/* What exit() calls. */
void inf_process_end(void);

#endif
