/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_RESPONSES_H
#define INF_PROVIDER_RESPONSES_H

#include "provider/dialect.h"

/* OpenAI's Responses, for models that exist only there: a chat is written as
 * one request without state.
 *
 *   messages          items of "input": messages with input_text, input_image,
 *                     input_file and output_text parts; tool_calls as
 *                     function_call and custom_tool_call; messages of role
 *                     tool as their outputs. Parts and items in the API's own
 *                     shape ("type" of its own) as they are
 *   reasoning_details of the format openai-responses-v1: reasoning items;
 *                     others are left out
 *   max_completion_tokens, max_tokens
 *                     max_output_tokens, the smaller
 *   response_format, verbosity
 *                     "text", with what else the caller has there
 *   reasoning_effort  "reasoning.effort", likewise
 *   tools, tool_choice
 *                     without the object "function" or "custom"
 *
 * Left out: stream_options but for include_obfuscation, names of messages.
 * Refused unless they ask for nothing: n, stop, seed, logprobs, logit_bias,
 * penalties, audio, modalities, prediction, web_search_options, functions.
 * All other members go out as they are.
 *
 * The dialect is inf_dialect_responses. */

#endif
