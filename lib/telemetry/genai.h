/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_GENAI_H
#define INF_TELEMETRY_GENAI_H

#include <stdbool.h>

/* What the OpenTelemetry semantic conventions for generative AI call a provider
 * (attribute gen_ai.provider.name, v1.41): "aws.bedrock" for the type
 * "bedrock". A type that they have no name for keeps its own. */
const char *inf_genai_provider(const char *kind);
/* gen_ai.operation.name: "chat" or "embeddings". */
const char *inf_genai_operation(bool embeds);

#endif
