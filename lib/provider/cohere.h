/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_COHERE_H
#define INF_PROVIDER_COHERE_H

#include "provider/dialect.h"

/* Cohere's Chat API, version 2: a request in OpenAI's shape as Cohere wants it
 * (docs.cohere.com/v2/reference/chat, read 2026-08; 16 recorded requests). The
 * answers are in cohere_read.h.
 *
 *   max_completion_tokens    max_tokens
 *   stop                     stop_sequences, always an array
 *   top_p, top_k             p, k
 *   response_format          json_schema becomes json_object with the schema
 *                            itself as its json_schema
 *   tools                    functions only; "strict" of any of them becomes
 *                            strict_tools of the request
 *   tool_choice              "required", "none" in upper case; "auto" is left
 *                            out; a named function is refused
 *   reasoning_effort         thinking: disabled for "none", else enabled
 *   role developer           system
 *   reasoning of a message   a thinking part of its content, beside tool calls
 *                            only: there the model goes on from it
 *   tool_plan, citations     as they are, as the answer gave them
 *   ids of tool calls        made up where there are none (tool_ids.h)
 *
 * Refused (INFER_E_UNSUPPORTED): n above 1, logprobs and top_logprobs (Cohere
 * counts them by token numbers), logit_bias, parallel_tool_calls false, audio
 * and modalities beyond text, prediction, functions, web_search_options,
 * verbosity, moderation, a service tier of one's own, roles and content parts
 * that Cohere does not have.
 *
 * Left out, as the answer is the same without: user, store, metadata,
 * stream_options, prompt_cache_key, prompt_cache_retention,
 * safety_identifier, parallel_tool_calls true; of messages name, refusal,
 * annotations, audio, reasoning_details, content_parts, anthropic_content,
 * images.
 *
 * Everything else goes out as it is: documents, citation_options,
 * safety_mode, thinking, ... */

#endif
