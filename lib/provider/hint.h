/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_HINT_H
#define INF_PROVIDER_HINT_H

#include "provider/error_body.h"
#include "provider/failure.h"

/* What time it is by the clock that the provider's dates go by: its own Date
 * field. Ours, given for want of one, may be wrong, or be set in the middle of
 * everything. */
int64_t inf_hint_now(const inf_headers *headers, int64_t wall_now_ns);

/* How long a provider asks to be left alone, in nanoseconds; -1 if it does
 * not say. Looked at in this order: retry-after-ms above 0, retry-after, the
 * body's RetryInfo, the body's words, the time until a model is loaded, the
 * reset time of the rate-limit bucket that is empty. Headers count only where
 * the response was an error: servers send retry-after with successes too. A
 * date counts from the response's own Date field, without one from wall_now_ns.
 * failure gives the class, the HTTP status and the message. */
int64_t inf_find_hint(const inf_failure *failure, const inf_headers *headers,
                      const inf_error_body *error, int64_t wall_now_ns);

#endif
