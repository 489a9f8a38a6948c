/* SPDX-License-Identifier: MIT */
/* Servers of one's own: data, and nothing else. A row is
 * added when its facts have a source; what no source tells is left out. */
#include "provider/catalogue.h"

const inf_provider_kind inf_catalogue_servers[] = {
    {
        .type = "vllm",
        .title = "vLLM",
        .dialect = &inf_dialect_openai,
        .base_url = "http://localhost:8000/v1",
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_CONTINUE_FINAL_MESSAGE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks = "errors flat or under error, by version; stop_reason beside "
                  "finish_reason",
        .evidence = INF_EVIDENCE_RECORDED,
        .source = "docs.vllm.ai/en/stable/serving/openai_compatible_server; 5 "
                  "recorded answers, 2024-2026",
    },
    {
        .type = "sglang",
        .title = "SGLang",
        .dialect = &inf_dialect_openai,
        .base_url = "http://localhost:30000/v1",
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_CONTINUE_FINAL_MESSAGE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .evidence = INF_EVIDENCE_DOCUMENTED,
        .source =
            "docs.sglang.ai/basic_usage/openai_api_completions; its address as"
            " public clients have it, 2026-11",
    },
    {
        .type = "llamacpp",
        .title = "llama.cpp server",
        .dialect = &inf_dialect_openai,
        .base_url = "http://localhost:8080/v1",
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_ASSISTANT,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks =
            "error as the name of a field in streams before 2025-03; 503 while"
            " it loads the model; timings beside usage",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "github.com/ggml-org/llama.cpp tools/server/README.md at d32676d, "
            "2026-08; 7 recorded answers, 2024-2026",
    },
    {
        .type = "lmstudio",
        .title = "LM Studio",
        .dialect = &inf_dialect_openai,
        .base_url = "http://localhost:1234/v1",
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
            "lmstudio.ai/docs/developer/openai-compat; its address as public "
            "clients have it, 2026-11",
    },
    {
        .type = "tgi",
        .title = "Hugging Face Text Generation Inference",
        .dialect = &inf_dialect_openai,
        .base_url = "http://localhost:8080/v1",
        .auth_scheme = "Bearer",
        .chat_path = "/chat/completions",
        .models_path = "/models",
        .claims = "",
        .stream_options = true,
        .prefill = INF_PREFILL_CONTINUE_FINAL_MESSAGE,
        .limit_scope = INF_LIMIT_SCOPE_MODEL,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks =
            "errors are a string with error_type, or plain text; 424 and 429 "
            "are lack of capacity; tool calls end with stop",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "huggingface.co/docs/text-generation-inference/messages_api; "
            "router/src/server.rs at db931fc; 13 recorded answers, 2024-2026",
    },
    {
        .type = "ollama",
        .title = "Ollama",
        .dialect = &inf_dialect_ollama,
        .base_url = "http://localhost:11434",
        .key_env = "OLLAMA_API_KEY",
        .by_name_only = true,
        .auth_scheme = "Bearer",
        .chat_path = "/api/chat",
        .models_path = "/api/tags",
        .claims = "",
        .prefill = INF_PREFILL_ASSISTANT,
        .limit_scope = INF_LIMIT_SCOPE_KEY,
        .request_id_headers = "x-request-id cf-ray",
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
        .quirks =
            "see ollama.h and ollama_read.h; the cloud is https://ollama.com "
            "as base_url",
        .evidence = INF_EVIDENCE_RECORDED,
        .source =
            "github.com/ollama/ollama docs/api.md and docs/api/errors.mdx, "
            "read 2026-08; 15 recorded answers",
    },
};

const size_t inf_catalogue_server_count =
    sizeof(inf_catalogue_servers) / sizeof(inf_catalogue_servers[0]);
