/* SPDX-License-Identifier: MIT */
#include "telemetry/genai.h"

#include <stddef.h>
#include <string.h>

/* Names of github.com/open-telemetry/semantic-conventions v1.41,
 * docs/registry/attributes/gen-ai.md. */
static const struct {
  const char *kind, *name;
} names[] = {
    {"openai-responses", "openai"},
    {"azure-openai", "azure.ai.openai"},
    {"azure-openai-deployments", "azure.ai.openai"},
    {"azure-ai", "azure.ai.inference"},
    {"azure-anthropic", "azure.ai.inference"},
    {"bedrock", "aws.bedrock"},
    {"bedrock-openai", "aws.bedrock"},
    {"gemini", "gcp.gemini"},
    {"vertex", "gcp.vertex_ai"},
    {"vertex-anthropic", "gcp.vertex_ai"},
    {"mistral", "mistral_ai"},
    {"moonshot", "moonshot_ai"},
    {"xai", "x_ai"},
    {"cohere-compatible", "cohere"},
};

const char *
inf_genai_provider(const char *kind)
{
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(names[i].kind, kind) == 0)
      return names[i].name;
  return kind;
}

const char *
inf_genai_operation(bool embeds)
{
  return embeds ? "embeddings" : "chat";
}
