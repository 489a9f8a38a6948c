/* SPDX-License-Identifier: MIT */
/* The providers that are known by name: data, and nothing else. A row is
 * added when its facts have a source. */
#include "provider/dialect.h"

static const inf_provider_kind kinds[] = {
    {
        .type = "openai",
        .title = "OpenAI and servers that speak its Chat Completions protocol "
                 "(vLLM, llama.cpp, Ollama, SGLang, ...)",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.openai.com/v1",
        .key_env = "OPENAI_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "gpt- o1 o3 o4 chatgpt-",
        .stream_options = true,
        /* OpenAI begins another answer; others that speak its protocol can
         * do more, which the account has to say. */
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        /* The first is OpenAI's own; the others are what compatible services
         * send in its place. */
        .request_id_headers =
            "x-request-id request-id x-generation-id apim-request-id "
            "x-ds-trace-id mistral-correlation-id inference-id "
            "x-inference-request-id cf-ray",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "github.com/openai/openai-openapi at f85dbe2, 2026-08-21; "
                  "510 recorded answers of OpenAI and compatible servers, "
                  "2023-2026",
    },
    {
        .type = "clarifai",
        .title = "Clarifai",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.clarifai.com/v2/ext/openai/v1",
        .key_env = "CLARIFAI_PAT",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "https://clarifai.com/",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE, /* its pages do not tell */
        .requests_per_second = 15,   /* of a user: api-overview/rate-limits */
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-request-id cf-ray",
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source = "docs.clarifai.com compute/providers, "
                  "compute/inference/open-ai, api-overview/rate-limits and "
                  "status-codes; github.com/Clarifai/clarifai-python at "
                  "8dbe72b; read 2026-08",
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
        .claims = "amazon. anthropic. meta. mistral. cohere. ai21. deepseek. "
                  "qwen. writer. us. eu. apac. jp. au. global. "
                  "arn:aws:bedrock:",
        /* Some of its models can, as Anthropic's older ones. */
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-amzn-requestid",
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
        .claims = "openai.",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-amzn-requestid x-request-id",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.aws.amazon.com/bedrock/latest/userguide, "
                  "inference-chat-completions, read 2026-08; 6 recorded "
                  "answers, 2025-2026",
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
        .models_path = "/models",
        .claims = "claude-",
        /* Models from 4.6 on refuse one; of an older one the account may say
         * that it takes it as "assistant". */
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "request-id",
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
        .auth_scheme = "x-api-key",
        .key_header = "x-api-key",
        .fixed_headers = "anthropic-version: 2023-06-01\0",
        .chat_path = "/messages",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "request-id apim-request-id x-request-id",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "13 recorded exchanges, 2025-2026; "
                  "github.com/anthropics/anthropic-sdk-python (foundry)",
    },
    {
        .type = "vertex-anthropic",
        .title = "Anthropic's models on Google's Vertex AI",
        .dialect = &inf_dialect_anthropic,
        /* https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/
         * locations/LOCATION */
        .base_url = NULL,
        .key_env = NULL, /* an access token, which lives for an hour */
        .key_required = true,
        .auth_scheme = "Bearer",
        .fixed_members = "{\"anthropic_version\":\"vertex-2023-10-16\"}",
        .chat_path = "/publishers/anthropic/models/{model}:rawPredict",
        .stream_path = "/publishers/anthropic/models/{model}:streamRawPredict",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "request-id x-request-id",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "13 recorded exchanges, 2025-2026; "
                  "docs.claude.com en/api/claude-on-vertex-ai",
    },
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
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "github.com/openai/openai-openapi at f85dbe2, 2026-08-21; "
                  "136 recorded exchanges of OpenAI, Azure and others, "
                  "2025-2026",
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
        .models_path = "/models",
        .claims = "gemini-",
        .prefill = INF_PREFILL_NONE, /* its pages do not tell */
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "", /* responseId stands in the body */
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "ai.google.dev/api/generate-content, "
                  "/gemini-api/docs/rate-limits and /troubleshooting, read "
                  "2026-08; 84 recorded answers, 2023-2026",
    },
    {
        .type = "vertex",
        .title = "Google Gemini on Vertex AI",
        .dialect = &inf_dialect_gemini,
        /* .../v1/projects/P/locations/L; a key of express mode goes without:
         * https://aiplatform.googleapis.com/v1, scheme x-goog-api-key. */
        .base_url = NULL,
        .key_env = NULL, /* a token of an hour is nobody's environment */
        .key_required = true,
        .auth_scheme = "Bearer",
        .key_header = "x-goog-api-key",
        .chat_path = "/publishers/google/models/{model}:generateContent",
        .stream_path =
            "/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.cloud.google.com/vertex-ai/generative-ai/docs "
                  "/model-reference/inference, /thought-signatures and "
                  "/start/express-mode, read 2026-08; 40 recorded answers, "
                  "2024-2026",
    },
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const inf_provider_kind *
inf_provider_kind_find(inf_sv type)
{
  for (size_t i = 0; i < KIND_COUNT; i++) {
    if (inf_sv_eq(type, inf_sv_from(kinds[i].type)))
      return &kinds[i];
  }
  return NULL;
}

const inf_provider_kind *
inf_provider_kind_at(size_t index)
{
  return index < KIND_COUNT ? &kinds[index] : NULL;
}

size_t
inf_provider_kind_count(void)
{
  return KIND_COUNT;
}

bool
inf_provider_kind_claims(const inf_provider_kind *kind, inf_sv model)
{
  inf_sv rest = inf_sv_from(kind->claims);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, ' ');
    if (inf_sv_starts_with(model, inf_sv_of(rest.ptr, len)))
      return true;
    rest = inf_sv_trim(inf_sv_of(rest.ptr + len, rest.len - len));
  }
  return false;
}

const char *
inf_evidence_name(inf_evidence evidence)
{
  static const char *const names[] = {"documented", "recorded", "live"};
  size_t index = (size_t)evidence;
  return index < sizeof(names) / sizeof(names[0]) ? names[index] : "unknown";
}

/* ---- Finish reasons ------------------------------------------------------ */

/* What providers say where OpenAI would say stop, length, ... Words that are
 * not here, and OpenAI's own, stay as they are. */
typedef struct finish_word {
  inf_sv native, openai;
} finish_word;

#define WORD(literal)            \
  {                              \
    literal, sizeof(literal) - 1 \
  }

static const finish_word finish_words[] = {
    {WORD("stop"), WORD("stop")}, /* first, because nearly all are */
    {WORD("end_turn"), WORD("stop")},
    {WORD("STOP"), WORD("stop")},
    {WORD("COMPLETE"), WORD("stop")},
    {WORD("eos"), WORD("stop")},
    {WORD("eos_token"), WORD("stop")},
    {WORD("stop_sequence"), WORD("stop")},
    {WORD("STOP_SEQUENCE"), WORD("stop")},
    {WORD("completed"), WORD("stop")},
    {WORD("max_tokens"), WORD("length")},
    {WORD("MAX_TOKENS"), WORD("length")},
    {WORD("model_length"), WORD("length")},
    {WORD("model_context_window_exceeded"), WORD("length")},
    {WORD("tool_use"), WORD("tool_calls")},
    {WORD("tool_call"), WORD("tool_calls")},
    {WORD("TOOL_CALL"), WORD("tool_calls")},
    {WORD("SAFETY"), WORD("content_filter")},
    {WORD("RECITATION"), WORD("content_filter")},
    {WORD("PROHIBITED_CONTENT"), WORD("content_filter")},
    {WORD("BLOCKLIST"), WORD("content_filter")},
    {WORD("SPII"), WORD("content_filter")},
    {WORD("refusal"), WORD("content_filter")},
    {WORD("guardrail_intervened"), WORD("content_filter")},
    {WORD("content_filtered"), WORD("content_filter")},
};

inf_sv
inf_map_finish_reason(inf_sv native)
{
  for (size_t i = 0; i < sizeof(finish_words) / sizeof(finish_words[0]); i++) {
    if (inf_sv_eq(native, finish_words[i].native))
      return finish_words[i].openai;
  }
  return native;
}
