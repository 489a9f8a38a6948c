/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_COHERE_READ_H
#define INF_PROVIDER_COHERE_READ_H

#include "provider/dialect.h"

/* Answers of Cohere's Chat API, version 2 (docs.cohere.com/v2/reference/chat
 * and chat-stream, read 2026-08; 26 recorded answers). What goes where:
 *
 *   content text            content
 *   content thinking        reasoning_content
 *   tool_plan               member "tool_plan" of the message; it is taken
 *                           back when the message is sent again
 *   citations               member "citations" of the message, an array
 *   usage.tokens            usage
 *   usage.billed_units      member "billed_units" of the answer: what is paid,
 *                           which is less
 *   finish_reason           see finish_of(); ERROR, ERROR_* and TIMEOUT are
 *                           failures, with what was said before them
 *
 * A stream ends with "message-end"; "[DONE]" after it is not always sent. */

int32_t inf_cohere_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_cohere_read_event(inf_decoder *decoder, const inf_sse_event *event);

#endif
