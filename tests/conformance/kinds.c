/* SPDX-License-Identifier: MIT */
#include "conformance/kinds.h"

#include "infer/infer.h"
#include "provider/anthropic_read.h"
#include "provider/bedrock_invoke.h"

#include <string.h>

/* A provider's own row stands before that of any provider. */
static const test_kind rows[] = {
    {.api = "openai-chat",
     .provider = "aws-bedrock-openai",
     .type = "bedrock-openai",
     .config = ",\"region\":\"us-east-1\""},
    {.api = "openai-chat",
     .provider = "aws-bedrock-mantle",
     .type = "bedrock-openai",
     .config = ",\"region\":\"us-east-1\""},
    {.api = "openai-chat", .provider = "zai", .type = "zai"},
    {.api = "openai-chat", .provider = "alibaba", .type = "alibaba"},
    {.api = "openai-chat", .provider = "cerebras", .type = "cerebras"},
    {.api = "openai-chat", .provider = "cloudflare", .type = "cloudflare"},
    {.api = "openai-chat", .provider = "databricks", .type = "databricks"},
    {.api = "openai-chat", .provider = "deepseek", .type = "deepseek"},
    {.api = "openai-chat", .provider = "fireworks", .type = "fireworks"},
    {.api = "openai-chat", .provider = "groq", .type = "groq"},
    {.api = "openai-chat", .provider = "huggingface", .type = "huggingface"},
    {.api = "openai-chat", .provider = "litellm-proxy", .type = "litellm"},
    {.api = "openai-chat", .provider = "llamacpp", .type = "llamacpp"},
    {.api = "openai-chat", .provider = "mistral", .type = "mistral"},
    {.api = "openai-chat", .provider = "moonshotai", .type = "moonshot"},
    {.api = "openai-chat", .provider = "nebius", .type = "nebius"},
    {.api = "openai-chat", .provider = "novita", .type = "novita"},
    {.api = "openai-chat", .provider = "openrouter", .type = "openrouter"},
    {.api = "openai-chat", .provider = "perplexity", .type = "perplexity"},
    {.api = "openai-chat", .provider = "sambanova", .type = "sambanova"},
    {.api = "openai-chat", .provider = "snowflake", .type = "snowflake"},
    {.api = "openai-chat", .provider = "tgi", .type = "tgi"},
    {.api = "openai-chat", .provider = "together", .type = "together"},
    {.api = "openai-chat", .provider = "vercel-gateway", .type = "vercel"},
    {.api = "openai-chat", .provider = "vllm", .type = "vllm"},
    {.api = "openai-chat", .provider = "xai", .type = "xai"},
    {.api = "openai-chat", .type = "openai"},
    {.api = "writer-chat", .type = "writer"},
    {.api = "bedrock-converse",
     .type = "bedrock",
     .input_without_cache = true,
     .config = ",\"region\":\"us-east-1\""},
    {.api = "bedrock-converse-stream",
     .type = "bedrock",
     .input_without_cache = true,
     .config = ",\"region\":\"us-east-1\""},
    {.api = "bedrock-invoke",
     .url = "anthropic.",
     .type = "bedrock-invoke",
     .input_without_cache = true},
    {.api = "bedrock-invoke-stream",
     .url = "anthropic.",
     .type = "bedrock-invoke",
     .input_without_cache = true},
    {.api = "anthropic-messages",
     .provider = "azure-anthropic",
     .type = "azure-anthropic",
     .input_without_cache = true},
    {.api = "anthropic-messages",
     .provider = "vertex-anthropic",
     .type = "vertex-anthropic",
     .input_without_cache = true},
    {.api = "anthropic-messages",
     .type = "anthropic",
     .input_without_cache = true},
    {.api = "openai-responses", .type = "openai-responses"},
    {.api = "gemini", .provider = "google-vertex", .type = "vertex"},
    {.api = "gemini", .type = "gemini"},
    {.api = "cohere-v2-chat", .type = "cohere"},
    {.api = "ollama-chat", .type = "ollama"},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Anthropic's answers behind Bedrock's InvokeModel are read, and its requests
 * not written: a kind for reading only. */
static const inf_dialect invoke_dialect = {
    .name = "bedrock-invoke",
    .framing = INF_FRAMING_EVENTSTREAM,
    .read_body = inf_anthropic_read_body,
    .read_event = inf_bedrock_invoke_read_event,
};
static const inf_provider_kind invoke_kind = {
    .type = "bedrock-invoke",
    .dialect = &invoke_dialect,
    .request_id_headers = "x-amzn-requestid",
};

const test_kind *
test_kind_of(const test_case *test)
{
  const char *api = test_member(test->meta, "api");
  const char *provider = test_member(test->meta, "provider");
  for (size_t i = 0; i < ROW_COUNT; i++) {
    if (strcmp(rows[i].api, api) == 0 &&
        (!rows[i].provider || strcmp(rows[i].provider, provider) == 0) &&
        (!rows[i].url || (test->url && strstr(test->url, rows[i].url))))
      return &rows[i];
  }
  return NULL;
}

const inf_provider_kind *
test_provider_kind(const test_kind *kind)
{
  const inf_provider_kind *found =
      inf_provider_kind_find(inf_sv_from(kind->type));
  return !found && strcmp(kind->type, invoke_kind.type) == 0 ? &invoke_kind
                                                             : found;
}

bool
test_kind_writes(const test_kind *kind)
{
  return inf_provider_kind_find(inf_sv_from(kind->type)) != NULL;
}

bool
test_kind_is_openai(const test_kind *kind)
{
  return strcmp(kind->api, "openai-chat") == 0;
}

bool
test_asks_for_stream(const test_case *test)
{
  json_object *stream = NULL;
  const test_kind *kind = test_kind_of(test);
  if (test->request)
    json_object_object_get_ex(test->request, "stream", &stream);
  if (stream)
    return json_object_get_boolean(stream);
  if (test->request && kind && test_kind_is_openai(kind))
    return false;
  return strcmp(test_member(test->meta, "kind"), "stream") == 0;
}

void
test_usage_as_recorded(const test_kind *kind, int64_t *usage)
{
  static const int32_t cached[] = {INFER_USAGE_CACHE_READ,
                                   INFER_USAGE_CACHE_WRITE};
  if (!kind->input_without_cache || usage[INFER_USAGE_INPUT] < 0)
    return;
  for (size_t i = 0; i < sizeof(cached) / sizeof(cached[0]); i++)
    if (usage[cached[i]] > 0)
      usage[INFER_USAGE_INPUT] -= usage[cached[i]];
}
