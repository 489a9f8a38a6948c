/* SPDX-License-Identifier: MIT */
#include "telemetry/otlp_names.h"

#include <stddef.h>

static const inf_otlp_names all[INF_SEMCONVS] = {
    [INF_SEMCONV_V1_41] =
        {
            .schema_url = "https://opentelemetry.io/schemas/1.41.0",
            .duration = "gen_ai.client.operation.duration",
            .first_chunk = "gen_ai.client.operation.time_to_first_chunk",
            .token_usage = "gen_ai.client.token.usage",
            .cache_write = "gen_ai.usage.cache_creation.input_tokens",
        },
    [INF_SEMCONV_GENAI_HEAD] =
        {
            .duration = "gen_ai.client.inference.duration",
            .first_chunk = "gen_ai.client.inference.time_to_first_chunk",
            .embed_duration = "gen_ai.client.embeddings.duration",
            .embed_tokens = "gen_ai.client.embeddings.operation.input_tokens",
            .operation_tokens =
                {"gen_ai.client.inference.operation.input_tokens",
                 "gen_ai.client.inference.operation.output_tokens"},
            .usage_counters = {"gen_ai.client.inference.usage.input_tokens",
                               "gen_ai.client.inference.usage.output_tokens"},
            .cache_write = "gen_ai.usage.cache_write.input_tokens",
        },
};

const inf_otlp_names *
inf_otlp_names_of(inf_semconv version)
{
  return &all[version];
}
