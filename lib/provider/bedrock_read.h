/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_BEDROCK_READ_H
#define INF_PROVIDER_BEDROCK_READ_H

#include "provider/dialect.h"

/* Reads what Amazon Bedrock's Converse and ConverseStream answer; by the API
 * reference of the Bedrock Runtime and recorded answers. The functions are
 * those of struct inf_dialect.
 *
 * A message is a list of numbered content blocks. Text is content, reasoning
 * text is reasoning, a toolUse is a tool call, unless Bedrock runs that tool
 * itself. What OpenAI's shape has no place for goes into the message:
 *
 *   reasoning_details  a block of reasoning, with its signature:
 *                      {type: "reasoning.text", index, text, signature}, or
 *                      {type: "reasoning.encrypted", index, data}; the writer
 *                      sends them back
 *   citations          Converse's own, in the order in which they came
 *   content_parts      blocks of any other kind, and tools that Bedrock ran
 *                      with their results: bedrock_parts.h
 *
 * and into the answer: metrics, trace, performanceConfig, serviceTier and
 * additionalModelResponseFields, as Bedrock names them.
 *
 * A stream ends with messageStop, which ends the answer, and metadata, which
 * has the usage. An exception in it is classified like the HTTP error that it
 * would have been before the stream. Bedrock counts what the cache gave or
 * took beside the input; ours includes both. Converse has no id of its own:
 * the answer's is that of the request. */
int32_t inf_bedrock_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_bedrock_read_event(inf_decoder *decoder,
                               const inf_sse_event *event);

#endif
