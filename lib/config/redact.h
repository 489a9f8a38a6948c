/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_REDACT_H
#define INF_CONFIG_REDACT_H

#include "config/tree.h"

/* Appends the document as JSON with everything that may be a secret replaced
 * by "***": written-out keys, values of headers and query parameters whose
 * names say so, user and password in an address, and all values of unknown
 * members: a mistyped "api_kye" holds a key too. "env:" and "file:" forms
 * only name a place and are shown. */
void inf_redact_write(const inf_node *document, inf_buf *out);

#endif
