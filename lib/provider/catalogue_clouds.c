/* SPDX-License-Identifier: MIT */
/* Clouds and gateways: data, and nothing else. A row is
 * added when its facts have a source; what no source tells is left out. */
#include "provider/catalogue.h"

#include "provider/model_list.h"

const inf_provider_kind inf_catalogue_clouds[] = {
    {
        .type = "azure-openai",
        .title = "Azure OpenAI, v1 API",
        .dialect = &inf_dialect_openai,
        .key_env = "AZURE_OPENAI_API_KEY",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "api-key",
        .key_header = "api-key",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .embed_inputs = 2048, /* as OpenAI's own */
        .embed_bytes = 300000,
        .embed_base64 = true,
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers =
            "apim-request-id x-request-id x-ms-client-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .message_rules = "-reasoning -reasoning_content",
        .quirks =
            "base_url is https://RESOURCE.openai.azure.com/openai/v1; a first "
            "chunk without choices has the prompt filter's results; codes are "
            "numbers in strings; retry-after-ms may be 0; the model is the "
            "deployment",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "learn.microsoft.com/azure/ai-foundry/openai/api-version-"
                  "lifecycle, read 2026-08; 28 recorded answers",
    },
    {
        .type = "azure-openai-deployments",
        .title = "Azure OpenAI, API with deployments",
        .dialect = &inf_dialect_openai,
        .key_env = "AZURE_OPENAI_API_KEY",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "api-key",
        .key_header = "api-key",
        .query = "api-version=2024-10-21",
        .chat_path = "/deployments/{model}/chat/completions",
        /* Those of the resource; deployments are told by Azure's management
         * API only. */
        .models_path = "/models",
        .embed_inputs = 2048, /* as OpenAI's own */
        .embed_bytes = 300000,
        .embed_base64 = true,
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers =
            "apim-request-id x-request-id x-ms-client-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .message_rules = "-reasoning -reasoning_content",
        .quirks =
            "base_url is https://RESOURCE.openai.azure.com/openai; the model "
            "is the deployment; query sets another api-version",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "learn.microsoft.com/azure/ai-foundry/openai/reference, read "
                  "2026-08; 21 recorded answers",
    },
    {
        .type = "azure-ai",
        .title = "Azure AI model inference",
        .dialect = &inf_dialect_openai,
        .key_env = "AZURE_AI_API_KEY",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "api-key",
        .key_header = "api-key",
        .query = "api-version=2024-05-01-preview",
        .chat_path = "/chat/completions",
        .no_models =
            "Azure tells deployments by its management API only, and /info "
            "of one at a time",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers =
            "apim-request-id x-request-id x-ms-client-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks =
            "base_url is https://RESOURCE.services.ai.azure.com/models; finish"
            " reason tool_call",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "learn.microsoft.com/rest/api/aifoundry/modelinference, read "
                  "2026-08; 10 recorded answers",
    },
    {
        .type = "databricks",
        .title = "Databricks model serving",
        .dialect = &inf_dialect_openai,
        .key_env = "DATABRICKS_TOKEN",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/api/2.0/serving-endpoints",
        .models_instead_of = "/serving-endpoints",
        .models_name = "name", /* the id is another */
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .quirks =
            "base_url is https://HOST/serving-endpoints; usage with nulls in "
            "every chunk; content may be parts",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.databricks.com/aws/en/machine-learning/model-serving/query-"
            "chat-models and api/workspace/servingendpoints/list; 4 recorded "
            "answers, 2024-2026",
    },
    {
        .type = "snowflake",
        .title = "Snowflake Cortex",
        .dialect = &inf_dialect_openai,
        .key_env = "SNOWFLAKE_PAT",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/cortex/models",
        .models_instead_of = "/cortex/v1",
        .models_body = "{}", /* it refuses a GET without one */
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-snowflake-request-id x-request-id",
        .takes_foreign = true,
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .member_rules = "max_tokens=max_completion_tokens",
        .quirks =
            "base_url is "
            "https://ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1; empty id"
            " and finish reason; audio with nothing in it",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk and "
            "developer-guide/snowflake-rest-api/cortex-inference; 4 "
            "recorded answers, 2024-2026",
    },
    {
        .type = "cloudflare",
        .title = "Cloudflare Workers AI",
        .dialect = &inf_dialect_openai,
        .key_env = "CLOUDFLARE_API_TOKEN",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/ai/models/search?per_page=100",
        .models_instead_of = "/ai/v1",
        .models_name = "name", /* the id is another */
        .next_models = inf_cloudflare_next_models,
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "cf-ai-req-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_JSON_SCHEMA | INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks =
            "base_url is "
            "https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1; "
            "content is an object in JSON mode",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "developers.cloudflare.com/workers-ai/configuration/open-ai-"
                  "compatibility and api/resources/ai/subresources/models; 2 "
                  "recorded answers, 2024-2026",
    },
    {
        .type = "vercel",
        .title = "Vercel AI Gateway",
        .dialect = &inf_dialect_openai,
        .base_url = "https://ai-gateway.vercel.sh/v1",
        .key_env = "AI_GATEWAY_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-vercel-id",
        .takes_foreign = true,
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .quirks =
            "reasoning is in reasoning_details too; output leaves it out where"
            " the model's provider does",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "vercel.com/docs/ai-gateway/openai-compat; 19 recorded answers, "
            "2024-2026",
    },
    {
        .type = "litellm",
        .title = "LiteLLM proxy",
        .dialect = &inf_dialect_openai,
        .base_url = "http://localhost:4000/v1",
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-litellm-call-id",
        .takes_foreign = true,
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .quirks = "the rest is that of the provider behind it",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.litellm.ai/docs/simple_proxy; 2 recorded answers, 2024-2026",
    },
    {
        .type = "github-models",
        .title = "GitHub Models",
        .dialect = &inf_dialect_openai,
        .base_url = "https://models.github.ai/inference",
        .key_env = "GITHUB_TOKEN",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/catalog/models",
        .models_instead_of = "/inference",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-github-request-id x-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .message_rules = "-reasoning -reasoning_content",
        .quirks =
            "GITHUB_TOKEN is set for other reasons too; answers are Azure's",
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source = "docs.github.com/en/rest/models/inference and /catalog, read "
                  "2026-11",
    },
    {
        .type = "cohere",
        .title = "Cohere",
        .dialect = &inf_dialect_cohere,
        .base_url = "https://api.cohere.com",
        .key_env = "CO_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/v2/chat",
        .models_path = "/v1/models?page_size=1000",
        .embed_inputs = 96, /* docs.cohere.com/reference/embed */
        .claims = "command-",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-debug-trace-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks = "see cohere.h and cohere_read.h",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.cohere.com/v2/reference/chat and chat-stream, read 2026-08; "
            "27 recorded answers",
    },
    {
        .type = "cohere-compatible",
        .title = "Cohere, compatibility API",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.cohere.com/compatibility/v1",
        .key_env = "CO_API_KEY",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/v1/models?page_size=1000", /* Cohere's own */
        .models_instead_of = "/compatibility/v1",
        .next_models = inf_cohere_next_models,
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-debug-trace-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .member_rules =
            "-user -store -metadata !n !logit_bias !top_logprobs !service_tier"
            " !parallel_tool_calls",
        .quirks = "a subset of cohere, for who wants no other shape",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.cohere.com/docs/compatibility-api; 2 recorded answers, "
                  "2024-2026",
    },
};

const size_t inf_catalogue_cloud_count =
    sizeof(inf_catalogue_clouds) / sizeof(inf_catalogue_clouds[0]);
