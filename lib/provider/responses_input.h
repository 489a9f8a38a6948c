/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_RESPONSES_INPUT_H
#define INF_PROVIDER_RESPONSES_INPUT_H

#include "provider/dialect.h"

/* The messages of a chat as the array "input" of a request to OpenAI's
 * Responses; see responses.h. INFER_OK, INFER_E_NO_MEMORY, or
 * INFER_E_UNSUPPORTED with a line in why (may be NULL). */
int32_t inf_responses_write_input(const inf_send *send, inf_buf *body,
                                  inf_buf *why);

#endif
