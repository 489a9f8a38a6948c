/* SPDX-License-Identifier: MIT */
/* Services that speak Chat Completions: data, and nothing else. A row is
 * added when its facts have a source; what no source tells is left out. */
#include "provider/catalogue.h"

const inf_provider_kind inf_catalogue_services[] = {
    {
        .type = "groq",
        .title = "Groq",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.groq.com/openai/v1",
        .key_env = "GROQ_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_ASSISTANT,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id x-groq-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .member_rules = "!logprobs !top_logprobs !logit_bias !n",
        .message_rules = "-name -reasoning_content -refusal -annotations",
        .quirks =
            "usage in x_groq; tool_use_failed in a 200 stream; the fields that"
            " its page lists, and foreign ones of a message, are a 400; resets"
            " as 1m26.4s; 498 is lack of capacity",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "console.groq.com/docs/openai, prefilling and errors, read "
                  "2026-08; 34 recorded answers",
    },
    {
        .type = "together",
        .title = "Together AI",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.together.xyz/v1",
        .key_env = "TOGETHER_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id x-api-call-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks =
            "retry-after on answers that are none to retry; the text of a "
            "chunk twice; finish reason eos; usage is always in the last chunk",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.together.ai/docs/openai-api-compatibility; 6 recorded "
                  "answers, 2024-2026",
    },
    {
        .type = "fireworks",
        .title = "Fireworks AI",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.fireworks.ai/inference/v1",
        .key_env = "FIREWORKS_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "accounts/fireworks/",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id x-inference-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks = "usage is always in the last chunk",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.fireworks.ai/tools-sdks/openai-compatibility, read 2026-08; "
            "1 recorded answer",
    },
    {
        .type = "deepseek",
        .title = "DeepSeek",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.deepseek.com",
        .key_env = "DEEPSEEK_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "deepseek-",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-ds-trace-id x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS,
        .cancel_billing = INF_CANCEL_STOPS,
        .member_rules = "max_completion_tokens=max_tokens",
        .quirks =
            "blank lines before a whole answer and comments in a stream while "
            "it waits; no rate headers; finish reason "
            "insufficient_system_resource; a prefill needs /beta in base_url "
            "and prefill: prefix",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "api-docs.deepseek.com, quick_start/rate_limit and error_codes, "
            "read 2026-08; 22 recorded answers",
    },
    {
        .type = "xai",
        .title = "xAI",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.x.ai/v1",
        .key_env = "XAI_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "grok-",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks =
            "an error is a string, its code a sentence; a wrong key is a 400; "
            "reasoning counts beside the output",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.x.ai/docs/api-reference and developers/rate-limits, read "
            "2026-08; 34 recorded answers",
    },
    {
        .type = "cerebras",
        .title = "Cerebras",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.cerebras.ai/v1",
        .key_env = "CEREBRAS_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "inference-id x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_JSON_SCHEMA,
        .member_rules =
            "!frequency_penalty !presence_penalty !logit_bias !service_tier",
        .message_rules = "developer=system",
        .quirks =
            "no [DONE]; parallel calls may all have index 0; resets with "
            "fifteen digits; parallel_tool_calls and schemas without strict "
            "are refused by some models",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "inference-docs.cerebras.ai/resources/openai, support/error and "
            "rate-limits, read 2026-08; 15 recorded answers",
    },
    {
        .type = "openrouter",
        .title = "OpenRouter",
        .dialect = &inf_dialect_openai,
        .base_url = "https://openrouter.ai/api/v1",
        .key_env = "OPENROUTER_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-generation-id x-request-id cf-ray",
        .takes_foreign = true,
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .quirks =
            "comments before events and whitespace before a whole answer; "
            "errors inside a 200; usage after the finish; parallel calls may "
            "all have index 0; resets in milliseconds since 1970; what a "
            "cancelled stream costs depends on the model's provider",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "openrouter.ai/docs, api-reference/overview, streaming and errors-"
            "and-debugging, read 2026-08; 104 recorded answers",
    },
    {
        .type = "perplexity",
        .title = "Perplexity",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.perplexity.ai",
        .key_env = "PERPLEXITY_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .no_models = "the one it has is of its Agent API's models",
        .claims = "sonar",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id request-id cf-ray",
        .abilities = INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .member_rules = "max_completion_tokens=max_tokens",
        .quirks = "CRLF; each chunk repeats the message so far; ends with "
                  "chat.completion.done and no [DONE]; usage in every chunk",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.perplexity.ai/api-reference/chat-completions-post; 7 "
                  "recorded answers, 2024-2026",
    },
    {
        .type = "moonshot",
        .title = "Moonshot AI (Kimi)",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.moonshot.ai/v1",
        .key_env = "MOONSHOT_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "kimi- moonshot-",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "msh-request-id x-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .quirks =
            "usage stands in the choice of the last chunk too; a prefill is "
            "its member partial, which is not written",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "platform.moonshot.ai/docs/api/chat; 1 recorded answer, 2024-2026",
    },
    {
        .type = "zai",
        .title = "Z.ai",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.z.ai/api/paas/v4",
        .key_env = "ZAI_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "glm-",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION,
        .tool_ids = INF_TOOL_ID_FREE,
        .quirks =
            "usage is always in the last chunk; response_format knows text and"
            " json_object",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.z.ai/api-reference/llm/chat-completion; its list as public "
            "clients have it, 2026-11; 17 recorded answers, 2024-2026",
    },
    {
        .type = "alibaba",
        .title = "Alibaba Cloud Model Studio (Qwen)",
        .dialect = &inf_dialect_openai,
        .base_url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        .key_env = "DASHSCOPE_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        /* "Batch size ... should not be larger than 10", it answers for
         * text-embedding-v3 and v4. */
        .embed_inputs = 10,
        .claims = "qwen-",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .quirks =
            "later pieces of a tool call have an empty id; another region has "
            "another base_url",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "alibabacloud.com/help/en/model-studio/compatibility-of-openai-"
            "with-dashscope; 4 recorded answers, 2024-2026",
    },
    {
        .type = "minimax",
        .title = "MiniMax",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.minimax.io/v1",
        .key_env = "MINIMAX_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "MiniMax-",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-request-id cf-ray",
        .takes_foreign = true,
        .abilities = INF_CAN_TOOLS,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .member_rules =
            "!n !presence_penalty !frequency_penalty !logit_bias !functions "
            "!function_call",
        .quirks =
            "errors may be a base_resp inside a 200; thinking stands in the "
            "text unless reasoning_split is set",
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source = "platform.minimax.io/docs/api-reference/text-openai-api; its "
                  "address and list as public clients have them, 2026-11",
    },
    {
        .type = "nvidia",
        .title = "NVIDIA NIM",
        .dialect = &inf_dialect_openai,
        .base_url = "https://integrate.api.nvidia.com/v1",
        .key_env = "NVIDIA_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "nvcf-reqid x-request-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_EMBED,
        .quirks =
            "models differ in what they take; a model that is not warm may "
            "answer 202 first, which is not followed",
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source =
            "docs.api.nvidia.com/nim/reference/llm-apis; its address as public"
            " clients have it, 2026-11",
    },
    {
        .type = "sambanova",
        .title = "SambaNova",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.sambanova.ai/v1",
        .key_env = "SAMBANOVA_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .quirks = "x-ratelimit-remaining-tokens-minute near 2^63",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.sambanova.ai/cloud/docs/capabilities/openai-compatibility; 1"
            " recorded answer, 2024-2026",
    },
    {
        .type = "deepinfra",
        .title = "DeepInfra",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.deepinfra.com/v1/openai",
        .key_env = "DEEPINFRA_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source =
            "docs.deepinfra.com/chat/overview; its address as public clients "
            "have it, 2026-11",
    },
    {
        .type = "novita",
        .title = "Novita AI",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.novita.ai/v3/openai",
        .key_env = "NOVITA_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "novita.ai/docs/api-reference/model-apis-llm-create-chat-"
                  "completion; 1 recorded answer, 2024-2026",
    },
    {
        .type = "nebius",
        .title = "Nebius AI Studio",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.studio.nebius.ai/v1",
        .key_env = "NEBIUS_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.nebius.com/studio/inference; 2 recorded answers, 2024-2026",
    },
    {
        .type = "writer",
        .title = "Writer",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.writer.com/v1",
        .key_env = "WRITER_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat",
        .models_path = "/models",
        .claims = "",
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_JSON_SCHEMA,
        .member_rules = "max_completion_tokens=max_tokens",
        .quirks =
            "the path is /chat; its older completions stream {\"value\"}, "
            "which is not read",
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source =
            "dev.writer.com/api-reference/completion-api/chat-completion; its "
            "address as public clients have it, 2026-11",
    },
    {
        .type = "huggingface",
        .title = "Hugging Face Inference Providers",
        .dialect = &inf_dialect_openai,
        .base_url = "https://router.huggingface.co/v1",
        .key_env = "HF_TOKEN",
        .key_required = true,
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_NONE,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-request-id x-inference-id x-amz-cf-id",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .quirks =
            "answers, errors and headers are those of the provider behind it; "
            "HF_TOKEN is set for downloads too",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "huggingface.co/docs/inference-providers; 13 recorded answers, "
            "2024-2026",
    },
    {
        .type = "mistral",
        .title = "Mistral AI",
        .dialect = &inf_dialect_openai,
        .base_url = "https://api.mistral.ai/v1",
        .key_env = "MISTRAL_API_KEY",
        .key_required = true,
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims =
            "mistral- magistral- ministral- codestral- devstral- pixtral- "
            "open-mistral- open-mixtral-",
        .prefill = INF_PREFILL_PREFIX,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers =
            "mistral-correlation-id x-kong-request-id x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_RUNS_ON,
        .member_rules =
            "max_completion_tokens=max_tokens seed=random_seed -user -store "
            "-stream_options -safety_identifier -prompt_cache_retention "
            "!moderation !logprobs !top_logprobs "
            "!logit_bias !service_tier !verbosity !audio !modalities "
            "!web_search_options !functions !function_call",
        .message_rules = "developer=system -refusal -annotations -audio "
                         "-reasoning -reasoning_content !function_call",
        .tool_ids = INF_TOOL_ID_NINE,
        .thinking_parts = true,
        .quirks =
            "content may be parts, thinking among them, which go back as they "
            "came; tool call ids are nine letters or digits; a call comes "
            "whole in a chunk, in 2024 without index; four shapes of errors; "
            "usage is always in the last chunk",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "docs.mistral.ai/api, read 2026-08; 25 recorded answers; "
            "github.com/editor-code-assistant/eca issue 231 of 2025-12 (extra "
            "inputs are a 422)",
    },
};

const size_t inf_catalogue_service_count =
    sizeof(inf_catalogue_services) / sizeof(inf_catalogue_services[0]);
