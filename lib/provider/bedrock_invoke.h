/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_BEDROCK_INVOKE_H
#define INF_PROVIDER_BEDROCK_INVOKE_H

#include "provider/dialect.h"

/* Reads a stream of Bedrock's InvokeModelWithResponseStream for Anthropic's
 * models: each message, of type chunk, has an event of Anthropic's Messages in
 * base64, {"bytes": "..."}; exceptions are as in Converse. Its framing is
 * INF_FRAMING_EVENTSTREAM. The answer of InvokeModel is a whole one of
 * Anthropic's, which inf_anthropic_read_body() reads. */
int32_t inf_bedrock_invoke_read_event(inf_decoder *decoder,
                                      const inf_sse_event *event);

#endif
