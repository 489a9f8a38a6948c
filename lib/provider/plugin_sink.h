/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_PLUGIN_SINK_H
#define INF_PROVIDER_PLUGIN_SINK_H

#include "provider/plugin.h"

/* The way in through a plug-in: what its read_answer, read_event and split are
 * given (infer_provider_event_* and infer_provider_sink_* of provider.h), and
 * what becomes of what they give. The answer takes nothing that makes no
 * sense: the first such thing ends the attempt with a line that names the
 * plug-in. */

int32_t inf_plugin_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_plugin_read_event(inf_decoder *decoder, const inf_sse_event *event);
/* context: the kind. */
int64_t inf_plugin_split(const void *context, inf_sv bytes);

/* Is it a class that a provider's failure may have? */
bool inf_plugin_may_say(int32_t status);

#endif
