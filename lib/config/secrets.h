/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_SECRETS_H
#define INF_CONFIG_SECRETS_H

#include "base/buf.h"
#include "config/place.h"

/* Secrets are named, not written: "env:NAME", "file:PATH". A literal is
 * accepted too. */

#define INF_SECRET_MAX_BYTES ((size_t)64 << 10)

/* Does the text name a place where the secret is? */
bool inf_secret_is_reference(inf_sv spec);

/* Appends what spec stands for to out, which the caller wipes
 * (inf_buf_fini_secret); its maximum must be INF_SECRET_MAX_BYTES + 1 or
 * more. Line ends at the end of a file are dropped. INFER_E_CONFIG says which
 * variable or file is missing or empty, never what is in it. */
int32_t inf_secret_read(inf_sv spec, const inf_place *place, inf_buf *out,
                        struct infer_error **error);

/* The value of an environment variable; the empty view if it is not set or
 * empty. Lives until the environment changes. */
inf_sv inf_environment_get(const char *name);

/* Does a header or query parameter of this name usually carry a secret? */
bool inf_secret_is_likely(inf_sv name);

#endif
