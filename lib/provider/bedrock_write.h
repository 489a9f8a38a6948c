/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_BEDROCK_WRITE_H
#define INF_PROVIDER_BEDROCK_WRITE_H

#include "provider/dialect.h"

/* Writes the body of Bedrock's Converse from a chat in OpenAI's shape; by the
 * API reference of the Bedrock Runtime. Where the shapes differ:
 *
 *   messages
 *       system and developer become "system"; what one side says in a row,
 *       tool results included, becomes one message. Empty text is left out.
 *   parts of content
 *       One without "type" is a block of Converse's own (guardContent,
 *       document, cachePoint, json in a tool's result, ...) and goes as it is.
 *       cache_control of a part or a tool is a cachePoint behind it.
 *   images, files, sound
 *       data: URLs, and s3:// ones; no others. The name of a document is that
 *       of the file, as far as Bedrock takes its characters.
 *   ids of tool calls
 *       What Bedrock does not take in one is '_'; of more than 64 characters
 *       the last 64 stand.
 *   reasoning
 *       Of reasoning_details what has a signature or is encrypted, unless its
 *       format tells that it is another provider's. Other reasoning of a
 *       message is left out, as are its name, annotations and citations.
 *   max_tokens, max_completion_tokens, temperature, top_p, stop
 *       become inferenceConfig.
 *   tools, tool_choice
 *       become toolConfig; "none" only where there is no talk of tools yet,
 *       for Converse has no such choice.
 *   response_format
 *       json_schema becomes outputConfig; text is nothing.
 *   reasoning_effort
 *       What the model's maker has for it: a budget for thinking (Anthropic:
 *       1024, 2048 or 4096 tokens, of max_tokens at most all but one),
 *       reasoningConfig (Amazon), the member itself (others).
 *   metadata, service_tier
 *       become requestMetadata and serviceTier.
 *   Converse's own members (inferenceConfig, guardrailConfig, ...)
 *       go as they are.
 *   user, safety_identifier, store, stream_options, prompt_cache_key,
 *   parallel_tool_calls: true, detail of an image
 *       are left out: the answer does not depend on them.
 *   n above 1, seed, logprobs, penalties, audio, ...
 *       are refused, unless they ask for nothing (bedrock_write.c has the
 *       list).
 *   any other member
 *       is a parameter of the model's own: it goes into
 *       additionalModelRequestFields.
 *
 * A partial answer to go on from is the last message. INFER_OK,
 * INFER_E_UNSUPPORTED or INFER_E_INVALID_ARGUMENT with a line in why, or the
 * buffer's status. */
int32_t inf_bedrock_write_body(const inf_send *send, inf_buf *body,
                               inf_buf *why);

#endif
