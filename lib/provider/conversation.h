/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_CONVERSATION_H
#define INF_PROVIDER_CONVERSATION_H

#include "provider/dialect.h"

/* The messages of a request to a service that speaks Chat Completions. They
 * go out as the caller wrote them, but for what the row of the catalogue has
 * otherwise, and for what a conversation that began with another service
 * lacks:
 *
 *   message_rules     members that the service refuses are left out, as
 *                     reasoning; a role that it does not have becomes another
 *   takes_foreign     unless it does: of an assistant's message, what only
 *                     another service understands is left out:
 *                     reasoning_details, tool_plan, citations, content_parts,
 *                     anthropic_content, images
 *   tool_ids          calls without an id get one, and ids get the form that
 *                     the service wants, in the calls and in their results
 *   thinking_parts    reasoning_content (or reasoning) of an assistant's
 *                     message goes back as a part of its content, in front
 *                     (Mistral)
 *
 * All other bytes stay as they are. What is left out is noted for the log
 * (member_rules.h). */

/* Writes them into an open array. INFER_OK, INFER_E_NO_MEMORY,
 * INFER_E_TOO_LARGE, or INFER_E_UNSUPPORTED with a line in why. */
int32_t inf_conversation_write(const inf_send *send, inf_buf *body,
                               inf_buf *why);

#endif
