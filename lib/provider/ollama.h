/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_OLLAMA_H
#define INF_PROVIDER_OLLAMA_H

#include "provider/dialect.h"

/* Ollama's own chat API: a request in OpenAI's shape as Ollama wants it
 * (github.com/ollama/ollama docs/api.md and api/types.go, 2026-08; 6 recorded
 * requests). The answers are in ollama_read.h. Its OpenAI-compatible endpoint
 * has no way to set the context length or keep_alive, which is what this one
 * is for.
 *
 *   temperature, top_p, seed, stop,
 *   frequency_penalty, ...          members of "options"; what the caller has
 *                                   in an "options" object stands before them
 *   max_tokens,
 *   max_completion_tokens           options.num_predict
 *   response_format                 format: "json", or the schema
 *   reasoning_effort                think: false for "none", "low" for
 *                                   "minimal", "high" for "xhigh", else the
 *                                   same word
 *   tool_choice "none"              no tools are sent; "auto" is left out
 *   text parts                      joined, nothing between them
 *   images as data: URLs            images, in base64
 *   arguments of tool calls         an object; they must be one
 *   reasoning of a message          thinking, beside tool calls only
 *   a tool's result                 tool_name and tool_call_id, found by the
 *                                   id or, without one, by order (tool_ids.h)
 *   role developer                  system
 *
 * Refused (INFER_E_UNSUPPORTED): images by http, other content parts, n above
 * 1, logit_bias, tool_choice that forces a call, parallel_tool_calls false,
 * and what only OpenAI has (audio, prediction, web_search_options, verbosity,
 * functions, moderation, a service tier). INFER_E_INVALID_ARGUMENT for
 * arguments that are no object.
 *
 * Left out, as the answer is the same without: user, store, metadata,
 * stream_options, prompt_cache_key, prompt_cache_retention,
 * safety_identifier; of messages refusal, annotations, audio,
 * reasoning_details, content_parts, anthropic_content.
 *
 * Everything else goes out as it is: options, keep_alive, think, format,
 * logprobs, ... "stream" is always said, for streaming is the default. */

#endif
