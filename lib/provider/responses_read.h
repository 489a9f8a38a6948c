/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_RESPONSES_READ_H
#define INF_PROVIDER_RESPONSES_READ_H

#include "provider/dialect.h"

/* Reading OpenAI's Responses: the read_* functions of a dialect (see
 * dialect.h). The answer is one choice: the texts of all messages, joined; the
 * reasoning's summaries and texts; the calls of functions and custom tools.
 * Of the message, "annotations" are as in Chat Completions, and "content_parts"
 * has the items of the provider's own tools as they came. Its own word for the
 * end is the response's status; "incomplete_details" is a member of the choice.
 *
 * What goes back with the next request is in the message's reasoning_details:
 *
 *   {"type": "reasoning.encrypted", "index": I, "format":
 *    "openai-responses-v1", "id": S, "data": S}
 *
 * An error event and the failed response after it are one error, the last. */
int32_t inf_responses_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_responses_read_event(inf_decoder *decoder,
                                 const inf_sse_event *event);

#endif
