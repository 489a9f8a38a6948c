/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_ANTHROPIC_READ_H
#define INF_PROVIDER_ANTHROPIC_READ_H

#include "provider/dialect.h"

/* Reading Anthropic's Messages: the read_* functions of a dialect (see
 * dialect.h). Thinking is read as reasoning; its signatures, redacted
 * thinking, citations and what the provider's own tools did are not kept. */
int32_t inf_anthropic_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_anthropic_read_event(inf_decoder *decoder,
                                 const inf_sse_event *event);

#endif
