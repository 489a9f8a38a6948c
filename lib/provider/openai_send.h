/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_OPENAI_SEND_H
#define INF_PROVIDER_OPENAI_SEND_H

#include "provider/dialect.h"

/* What Chat Completions and Responses write alike: the headers of a request,
 * with the account's organization and project, and one for the list of
 * models. See send.h. */
int32_t inf_openai_write_headers(const inf_send *send, bool has_body,
                                 bool stream, inf_buf *headers, inf_buf *why);
int32_t inf_openai_write_models(const inf_send *send, inf_wire_request *out);

#endif
