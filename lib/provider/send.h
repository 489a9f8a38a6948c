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
/* One header line, unless the account or the request has one of that name.
 * The value never appears in why: it may be a key. */
int32_t inf_send_write_header(const inf_send *send, inf_sv name, inf_sv value,
                              inf_buf *headers, inf_buf *why);
/* What is accepted in return, as a header line; events: of a stream of server
 * sent events. */
#define INF_ACCEPT_JSON   INF_SV("Accept: application/json")
#define INF_ACCEPT_EVENTS INF_SV("Accept: text/event-stream")
static inline inf_sv
inf_accept_events(bool stream)
{
  return stream ? INF_ACCEPT_EVENTS : INF_ACCEPT_JSON;
}
/* What every request begins with: Content-Type where there is a body, what it
 * accepts, User-Agent and the kind's fixed headers; in memory that has room for
 * all lines of the request, so that no growth leaves a copy of the key behind.
 * Errors are the buffer's sticky status. */
void inf_send_write_common(const inf_send *send, bool has_body, inf_sv accept,
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
/* Address and all headers of a chat that has none but the above. */
int32_t inf_send_write_head(const inf_send *send, inf_sv accept,
                            inf_wire_request *out, inf_buf *why);
/* The same to another path, as inf_send_write_url() takes it. */
int32_t inf_send_write_head_to(const inf_send *send, const char *path,
                               inf_sv accept, inf_wire_request *out,
                               inf_buf *why);
/* A dialect's write_models, where a list is asked for with those headers.
 * INFER_E_UNSUPPORTED if the kind has none. */
int32_t inf_send_write_models(const inf_send *send, inf_wire_request *out);

#endif
