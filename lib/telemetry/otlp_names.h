/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_OTLP_NAMES_H
#define INF_TELEMETRY_OTLP_NAMES_H

/* What the OpenTelemetry conventions for generative AI call things, in the two
 * versions that are in use; none of it is declared stable. Data only: what has
 * no name in a version is NULL there.
 *
 * v1.41: the last that the main repository published
 *   (github.com/open-telemetry/semantic-conventions, docs/gen-ai).
 * genai-head: as developed since May 2026 in
 *   github.com/open-telemetry/semantic-conventions-genai (migration.md,
 *   client-inference.md, client-embeddings.md), read in November 2026. It may
 * still change. */

typedef enum inf_semconv {
  INF_SEMCONV_V1_41,
  INF_SEMCONV_GENAI_HEAD,
  INF_SEMCONVS,
} inf_semconv;

typedef struct inf_otlp_names {
  const char *schema_url;
  /* Histograms of calls, in seconds. */
  const char *duration, *first_chunk;
  /* Of calls for embeddings, where these have names of their own. */
  const char *embed_duration, *embed_tokens;
  /* Tokens of answers that were delivered: one histogram with
   * gen_ai.token.type, or one for input and one for output. */
  const char *token_usage, *operation_tokens[2];
  const char *usage_counters[2]; /* the same as counters */
  /* Of a span: tokens that went into a provider's cache. */
  const char *cache_write;
} inf_otlp_names;

const inf_otlp_names *inf_otlp_names_of(inf_semconv version);

#endif
