/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_OPENAI_READ_H
#define INF_PROVIDER_OPENAI_READ_H

#include "provider/dialect.h"

/* Reading OpenAI's Chat Completions: the read_* functions of the dialect (see
 * dialect.h). Also for dialects that have the same answers. */
int32_t inf_openai_read_body(inf_decoder *decoder, inf_sv body);
size_t inf_openai_read_alike(inf_decoder *decoder, inf_sv text, size_t *count);
int32_t inf_openai_read_event(inf_decoder *decoder, const inf_sse_event *event);

#endif
