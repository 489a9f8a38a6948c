/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_FILE_H
#define INF_CONFIG_FILE_H

#include "base/buf.h"

/* Reading a small file whole. */

#define INF_FILE_WHY_MAX 64
/* How long a pipe is waited for: its writer may have to ask somebody. */
#define INF_FILE_WAIT_MS 5000

/* Appends the file's bytes to out. The buffer is grown once, to max_bytes, so
 * that no copy of a secret stays behind. A pipe is read too, but waited for
 * wait_ms at most. INFER_OK, INFER_E_NO_MEMORY, or INFER_E_IO with the reason
 * in why: "no such file". */
int32_t inf_file_read(const char *path, size_t max_bytes, int wait_ms,
                      inf_buf *out, char why[INF_FILE_WHY_MAX]);

#endif
