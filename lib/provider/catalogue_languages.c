/* SPDX-License-Identifier: MIT */
/* Services with a language of their own: data, and nothing else. A row is
 * added when its facts have a source; what no source tells is left out. */
#include "provider/catalogue.h"

#include "provider/model_list.h"

const inf_provider_kind inf_catalogue_languages[] = {
    {
        .type = "openai-responses",
        .title = "OpenAI's Responses, for models that exist only there",
        .dialect = &inf_dialect_responses,
        .base_url = "https://api.openai.com/v1",
        /* The environment's key makes a provider of "openai". */
        .key_env = NULL,
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/responses",
        .models_path = "/models",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id apim-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_STOPS,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "github.com/openai/openai-openapi at f85dbe2, 2026-08-21; "
                  "136 recorded exchanges of OpenAI, Azure and others, "
                  "2025-2026",
    },
    {
        .type = "anthropic",
        .title = "Anthropic",
        .dialect = &inf_dialect_anthropic,
        .base_url = "https://api.anthropic.com/v1",
        .key_env = "ANTHROPIC_API_KEY",
        .key_required = true,
        .auth_scheme = "x-api-key",
        .key_header = "x-api-key",
        .fixed_headers = "anthropic-version: 2023-06-01\0",
        .chat_path = "/messages",
        .models_path = "/models?limit=1000",
        .claims = "claude-",
        /* Models from 4.6 on refuse one; of an older one the account may say
         * that it takes it as "assistant". */
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_STOPS,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.claude.com en/api (messages, errors, rate-limits, "
                  "versioning), read 2026-11; 96 recorded exchanges, "
                  "2024-2026",
    },
    {
        .type = "azure-anthropic",
        .title = "Anthropic's models on Azure AI Foundry",
        .dialect = &inf_dialect_anthropic,
        .base_url =
            NULL, /* https://RESOURCE.services.ai.azure.com/anthropic/v1 */
        .key_env = "ANTHROPIC_FOUNDRY_API_KEY",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "x-api-key",
        .key_header = "x-api-key",
        .fixed_headers = "anthropic-version: 2023-06-01\0",
        .chat_path = "/messages",
        .no_models = "Azure tells deployments by its management API only",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "request-id apim-request-id x-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "13 recorded exchanges, 2025-2026; "
                  "github.com/anthropics/anthropic-sdk-python (foundry)",
    },
    {
        .type = "vertex-anthropic",
        .title = "Anthropic's models on Google's Vertex AI",
        .dialect = &inf_dialect_anthropic,
        .base_url = "https://{host}/v1/projects/{project}/locations/{region}",
        .key_env = NULL, /* an access token, which lives for an hour */
        .key_required = true,
        .auth_scheme = "Bearer",
        .fixed_members = "{\"anthropic_version\":\"vertex-2023-10-16\"}",
        .chat_path = "/publishers/anthropic/models/{model}:rawPredict",
        .stream_path = "/publishers/anthropic/models/{model}:streamRawPredict",
        .models_path = "/v1beta1/publishers/anthropic/models?pageSize=100",
        .models_instead_of = "/v1/projects/",
        .next_models = inf_gemini_next_models,
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "request-id x-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "13 recorded exchanges, 2025-2026; "
                  "docs.claude.com en/api/claude-on-vertex-ai; list: as vertex",
    },
    {
        .type = "gemini",
        .title = "Google Gemini (AI Studio)",
        .dialect = &inf_dialect_gemini,
        .base_url = "https://generativelanguage.googleapis.com/v1beta",
        .key_env = "GEMINI_API_KEY",
        .key_required = true,
        .auth_scheme = "x-goog-api-key",
        .key_header = "x-goog-api-key",
        .chat_path = "/models/{model}:generateContent",
        .stream_path = "/models/{model}:streamGenerateContent?alt=sse",
        .models_path = "/models?pageSize=1000",
        /* "At most 100 requests can be in one batch", it answers to more. */
        .embed_inputs = 100,
        .claims = "gemini-",
        .prefill = INF_PREFILL_NONE, /* its pages do not tell */
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "", /* responseId stands in the body */
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "ai.google.dev/api/generate-content, "
                  "/gemini-api/docs/rate-limits and /troubleshooting, read "
                  "2026-08; 84 recorded answers, 2023-2026",
    },
    {
        .type = "vertex",
        .title = "Google Gemini on Vertex AI",
        .dialect = &inf_dialect_gemini,
        .base_url = "https://{host}/v1/projects/{project}/locations/{region}",
        .key_env = NULL, /* a token of an hour is nobody's environment */
        .key_required = true,
        .auth_scheme = "Bearer",
        .key_header = "x-goog-api-key",
        .chat_path = "/publishers/google/models/{model}:generateContent",
        .stream_path =
            "/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        .models_path = "/v1beta1/publishers/google/models?pageSize=100",
        .models_instead_of = "/v1/projects/",
        /* "Up to 250 input texts", 20,000 tokens in all, and of Gemini's one
         * text (generative-ai/docs/embeddings/get-text-embeddings, read
         * 2026-11): no token is shorter than a byte. */
        .embed_inputs = 250,
        .embed_bytes = 20000,
        .embed_one = "gemini-embedding",
        .embed_predict = true,
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.cloud.google.com/vertex-ai/generative-ai/docs "
                  "/model-reference/inference, /thought-signatures and "
                  "/start/express-mode, read 2026-08; "
                  "Vertex AI API v1beta1, publishers.models.list, read "
                  "2026-11; 40 recorded answers, "
                  "2024-2026",
    },
    {
        .type = "vertex-express",
        .title = "Google Gemini on Vertex AI, express mode",
        .dialect = &inf_dialect_gemini,
        .base_url = "https://aiplatform.googleapis.com/v1",
        .key_env = "GOOGLE_API_KEY",
        .key_required = true,
        .by_name_only = true, /* that variable is for AI Studio, too */
        .auth_scheme = "x-goog-api-key",
        .key_header = "x-goog-api-key",
        .chat_path = "/publishers/google/models/{model}:generateContent",
        .stream_path =
            "/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        .no_models = "its pages name none for express mode",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source = "docs.cloud.google.com/vertex-ai/generative-ai/docs"
                  "/start/express-mode, read 2026-08",
    },
    {
        .type = "bedrock",
        .title = "Amazon Bedrock (Converse)",
        .dialect = &inf_dialect_bedrock,
        .base_url = "https://bedrock-runtime.{region}.amazonaws.com",
        .key_env = "AWS_BEARER_TOKEN_BEDROCK",
        .key_parts_env =
            "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        .key_required = true,
        .auth_scheme = "Bearer", /* of Bedrock API keys; others sign */
        .chat_path = "/model/{model}/converse",
        .stream_path = "/model/{model}/converse-stream",
        .models_path = "/foundation-models",
        /* Of Cohere's models; userguide, model-parameters-embed and
         * model-parameters-titan-embed-text, read 2026-11. */
        .embed_inputs = 96,
        .embed_one = "titan-embed",
        .claims = "amazon. anthropic. meta. mistral. cohere. ai21. deepseek. "
                  "qwen. writer. us. eu. apac. jp. au. global. "
                  "arn:aws:bedrock:",
        /* Some of its models can, as Anthropic's older ones. */
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-amzn-requestid",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.aws.amazon.com/bedrock/latest/APIReference, "
                  "API_runtime_Converse and API_runtime_ConverseStream, and "
                  "userguide api-keys, read 2026-08; 37 recorded answers, "
                  "2025-2026",
    },
    {
        .type = "bedrock-openai",
        .title = "Amazon Bedrock (Chat Completions)",
        .dialect = &inf_dialect_bedrock_openai,
        .base_url = "https://bedrock-runtime.{region}.amazonaws.com/openai/v1",
        .key_env = "AWS_BEARER_TOKEN_BEDROCK",
        .key_required = true,
        .key_parts_env =
            "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/foundation-models",
        .claims = "openai.",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-amzn-requestid x-request-id",
        .abilities = INF_CAN_TOOLS,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.aws.amazon.com/bedrock/latest/userguide, "
                  "inference-chat-completions, read 2026-08; 6 recorded "
                  "answers, 2025-2026",
    },
};

const size_t inf_catalogue_language_count =
    sizeof(inf_catalogue_languages) / sizeof(inf_catalogue_languages[0]);
