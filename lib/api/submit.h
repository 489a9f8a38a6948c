/* SPDX-License-Identifier: MIT */
#ifndef INF_API_SUBMIT_H
#define INF_API_SUBMIT_H

#include "api/guard.h"

/* Hands a new call to its client, with the one reference that it has. *out, if
 * out is not NULL, becomes the caller's handle; on failure the call is gone. */
int32_t inf_submit_call(struct infer_call *call, struct infer_call **out,
                        struct infer_error **error);

#endif
