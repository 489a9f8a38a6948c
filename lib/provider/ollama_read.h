/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_OLLAMA_READ_H
#define INF_PROVIDER_OLLAMA_READ_H

#include "provider/dialect.h"

/* Answers of Ollama's own chat API (github.com/ollama/ollama docs/api.md and
 * docs/api/errors.mdx, 2026-08; 15 recorded answers): JSON lines, each an
 * object with a piece of the message, the last one with "done": true and the
 * counts. A whole body is one such object.
 *
 *   message.thinking          reasoning_content
 *   message.tool_calls        whole calls, numbered as they come; their
 *                             arguments are an object, here its text; without
 *                             an id where the server is too old to give one
 *   prompt_eval_count,
 *   eval_count                usage
 *   done_reason               as it is, but "stop" after tool calls is
 *                             OpenAI's "tool_calls"
 *   logprobs                  logprobs.content: they have OpenAI's shape
 *   other members             as they are, beside those of OpenAI */

int32_t inf_ollama_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_ollama_read_event(inf_decoder *decoder, const inf_sse_event *event);

#endif
