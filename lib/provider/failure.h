/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_FAILURE_H
#define INF_PROVIDER_FAILURE_H

#include "wire/headers.h"

/* What a provider said went wrong, read once from status, headers and body:
 * its class in the failure table and everything that the error and the retry
 * policy want to know. */
typedef struct inf_failure {
  int32_t status;      /* INFER_E_*; INFER_OK: no failure */
  int32_t http_status; /* of the response; 200 for an error inside a 200 */
  int32_t body_status; /* HTTP-like number that the error itself gives, or 0 */
  int64_t hint_ns;     /* how long to wait; -1: not said */
  int8_t should_retry; /* x-should-retry: 1 true, 0 false, -1 absent */
  bool loading;        /* the model is being loaded: it will serve, in a while;
                        * the class is INFER_E_OVERLOADED then */
  /* As sent, decoded; cut at 4 KiB for message, 256 bytes for the others. */
  inf_buf message, type, code, param, request_id;
} inf_failure;

void inf_failure_init(inf_failure *failure);
void inf_failure_fini(inf_failure *failure);
void inf_failure_clear(inf_failure *failure);
/* Sets one of the texts above, cut at its maximum between two characters.
 * What is not UTF-8 in it becomes U+FFFD: a page of an old server, a header.
 * Short memory leaves it empty: a failure without its words is still one. */
void inf_failure_set_text(inf_buf *buf, inf_sv text);

#endif
