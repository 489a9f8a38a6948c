/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_BUDGET_FILE_H
#define INF_ENGINE_BUDGET_FILE_H

#include "base/buf.h"

/* The file that keeps what was spent. Beside FILE there are
 *
 *   FILE.old   what FILE was before the last write
 *   FILE.tmp   what is being written: it becomes FILE by a rename, after
 *              fsync(), so that FILE is whole whenever the power fails
 *   FILE.bad   what FILE was when it was found damaged
 *   FILE.lock  empty: who writes holds its flock(), from before he reads
 *              until he has written
 *
 * They are for their owner alone (0600). All of it blocks; any thread. */

#define INF_BUDGET_FILE_WHY 64

/* Waits for the lock as long as wait_ms: *out is its descriptor. Else -1, and
 * INFER_E_NO_MEMORY, or INFER_E_IO: why. */
int32_t inf_budget_file_lock(const char *path, int wait_ms, int *out,
                             char why[INF_BUDGET_FILE_WHY]);
/* -1 is harmless. */
void inf_budget_file_unlock(int lock);
/* Appends what FILE has, or FILE.old; nothing if there is none. INFER_OK,
 * INFER_E_NO_MEMORY, INFER_E_TOO_LARGE, or INFER_E_IO: why. */
int32_t inf_budget_file_read(const char *path, bool old, inf_buf *out,
                             char why[INF_BUDGET_FILE_WHY]);
/* With the lock. INFER_OK, INFER_E_NO_MEMORY, or INFER_E_IO: why; FILE is then
 * as it was. */
int32_t inf_budget_file_write(const char *path, inf_sv text,
                              char why[INF_BUDGET_FILE_WHY]);
/* FILE is damaged: it becomes FILE.bad. With the lock. */
void inf_budget_file_set_aside(const char *path);

#endif
