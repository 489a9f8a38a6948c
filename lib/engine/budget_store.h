/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_BUDGET_STORE_H
#define INF_ENGINE_BUDGET_STORE_H

#include "config/config.h"
#include "engine/runtime.h"

/* Keeps what was spent beyond the client's life: in a file (budget_file.h), or
 * with the application by two callbacks.
 *
 * It is read when the client is made. After that a thread of its own writes,
 * since that may take long (fsync): a second after something was spent at the
 * earliest, never more often, and once more when the client ends. The loop
 * never waits for it but at that end.
 *
 * Processes that share a file: each reads it before it writes, under a lock,
 * adds what it has spent since, and goes on with the sum. So they know of each
 * other's spending some seconds later, and may together pass a limit by what
 * they spend in these.
 *
 * A write that fails is told of in the log, once until one succeeds again;
 * nothing is lost as long as the process lives. A file that is damaged is
 * replaced by the one before, which is told of as well. */

/* So long are writes apart, at least. */
#define INF_BUDGET_STORE_NS (1 * INF_NS_PER_S)

typedef struct inf_budget_store inf_budget_store;

typedef struct inf_budget_store_parts {
  inf_runtime *runtime;
  const char *file;              /* NULL: hooks */
  const inf_budget_hooks *hooks; /* copied */
  const struct inf_clock *clock; /* its wall clock */
  void (*news)(void *context);   /* there is something to log: from the
                                  * store's thread, with no lock */
  void *context;
} inf_budget_store_parts;

/* Reads it, and starts the thread. INFER_E_IO: it cannot be read, or never be
 * written. */
int32_t inf_budget_store_new(inf_budget_store **store,
                             const inf_budget_store_parts *parts,
                             infer_error **error);
/* Writes what is left, ends the thread, frees it. What there is to be told goes
 * to the log. NULL is harmless. */
void inf_budget_store_end(inf_budget_store *store, const inf_log *log);
/* Tells the log what there is. Loop only. NULL is harmless. */
void inf_budget_store_tell(inf_budget_store *store, const inf_log *log);

#endif
