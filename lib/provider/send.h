/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_SEND_H
#define INF_PROVIDER_SEND_H

#include "provider/dialect.h"

/* The parts of an outgoing request that all dialects write alike. Each gives
 * INFER_OK, INFER_E_NO_MEMORY, INFER_E_TOO_LARGE, or INFER_E_INVALID_ARGUMENT
 * with a line in why (may be NULL). */

/* Where the chat goes, below base_url: streams may have a path of their own. */
const char *inf_send_chat_path(const inf_send *send);
/* base_url + path, with the model for "{model}", + the queries: the path's own,
 * that of base_url, the account's. Refuses what would end the request line. */
int32_t inf_send_write_url(const inf_send *send, const char *path, inf_buf *url,
                           inf_buf *why);
/* "Name: value", a constant, unless the account or the request has one of that
 * name. Errors are the buffer's sticky status. */
void inf_send_write_own(const inf_send *send, inf_sv line, inf_buf *headers);
/* One header line, unless the account or the request has one of that name.
 * The value never appears in why: it may be a key. */
int32_t inf_send_write_header(const inf_send *send, inf_sv name, inf_sv value,
                              inf_buf *headers, inf_buf *why);
/* What every request begins with: Content-Type where there is a body, Accept,
 * User-Agent and the kind's fixed headers; in memory that has room for all
 * lines of the request, so that no growth leaves a copy of the key behind.
 * Errors are the buffer's sticky status. */
void inf_send_write_common(const inf_send *send, bool has_body, bool stream,
                           inf_buf *headers);
/* The kind's fixed headers. Errors are the buffer's sticky status. */
void inf_send_write_fixed(const inf_send *send, inf_buf *headers);
/* "Authorization: <scheme> <key>", or the bare key in the kind's own header;
 * nothing without a key or a scheme. */
int32_t inf_send_write_key(const inf_send *send, inf_buf *headers,
                           inf_buf *why);
/* The account's and the request's own header lines. */
int32_t inf_send_write_extra(const inf_send *send, inf_buf *headers,
                             inf_buf *why);
/* All headers of a request that has none but these: its content type, where it
 * has a body, what it accepts, who asks, and all of the above. */
int32_t inf_send_write_headers(const inf_send *send, bool has_body,
                               const char *accept, inf_buf *headers,
                               inf_buf *why);

#endif
