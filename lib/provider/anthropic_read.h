/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_ANTHROPIC_READ_H
#define INF_PROVIDER_ANTHROPIC_READ_H

#include "provider/dialect.h"

/* Reading Anthropic's Messages: the read_* functions of a dialect (see
 * dialect.h). Thinking is read as reasoning; what OpenAI's shape has no place
 * for, signatures, citations and what the provider's own tools did, is kept as
 * anthropic_blocks.h says. "stop_sequence" and "stop_details" are members of
 * the choice. The input that usage tells leaves out what came from the cache
 * or went there; ours has it. */
int32_t inf_anthropic_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_anthropic_read_event(inf_decoder *decoder,
                                 const inf_sse_event *event);

#endif
