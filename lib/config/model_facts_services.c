/* SPDX-License-Identifier: MIT */
/* Models at services of makers who sell their own.
 * Data and nothing else: what a row says stands in model_facts.h. */
#include "config/model_facts_row.h"

static const inf_model mistral[] = {
    {"codestral-2508", 256000, 0, "TvS", 0, USD4(0.3, 0.9, NO, NO)},
    {"devstral-2512", 256000, 0, "TS", 0, USD4(0.4, 2, NO, NO)},
    {"devstral-latest", 256000, 0, "TS", 0, USD4(0.4, 2, NO, NO)},
    {"devstral-medium-latest", 256000, 0, "TS", 0, USD4(0.4, 2, NO, NO)},
    {"devstral-small-latest", 256000, 0, "TS", 0, USD4(0.1, 0.3, NO, NO)},
    {"magistral-medium-latest", 0, 0, "TSR", 0, USD4(2, 5, NO, NO)},
    {"magistral-small-latest", 0, 0, "TSR", 0, USD4(0.5, 1.5, NO, NO)},
    {"ministral-3-14b-2512", 262144, 0, "TVS", 0, USD4(0.2, 0.2, NO, NO)},
    {"ministral-3-3b-2512", 131072, 0, "TVS", 0, USD4(0.1, 0.1, NO, NO)},
    {"ministral-3-8b-2512", 262144, 0, "TVS", 0, USD4(0.15, 0.15, NO, NO)},
    {"ministral-8b-2512", 262144, 0, "TVS", 0, USD4(0.15, 0.15, NO, NO)},
    {"ministral-8b-latest", 262144, 0, "TVS", 0, USD4(0.15, 0.15, NO, NO)},
    {"mistral-large-2512", 262144, 0, "TVS", 0, USD4(0.5, 1.5, NO, NO)},
    {"mistral-large-latest", 262144, 0, "TVS", 0, USD4(0.5, 1.5, NO, NO)},
    {"mistral-medium-2508", 131072, 0, "TVS", 0, USD4(0.4, 2, NO, NO)},
    {"mistral-medium-2604", 262144, 0, "TVSR", 0, USD4(1.5, 7.5, NO, NO)},
    {"mistral-medium-latest", 262144, 0, "TVSR", 0, USD4(1.5, 7.5, NO, NO)},
    {"mistral-small-latest", 131072, 0, "TVS", 0, USD4(0.06, 0.18, NO, NO)},
    {"open-mistral-nemo", 128000, 0, "vS", 0, USD4(0.3, 0.3, NO, NO)},
    {"pixtral-large-latest", 128000, 0, "TVS", 0, USD4(2, 6, NO, NO)},
};

static const inf_model cohere[] = {
    {"command-a-03-2025", 256000, 8000, "Tv", 0, USD4(2.5, 10, NO, NO)},
    {"command-r-08-2024", 128000, 4096, "Tv", 0, USD4(0.15, 0.6, NO, NO)},
    {"command-r-plus-08-2024", 128000, 4096, "Tv", 0, USD4(2.5, 10, NO, NO)},
    {"command-r7b-12-2024", 128000, 4096, "Tv", 0, USD4(0.0375, 0.15, NO, NO)},
};

static const inf_model deepseek[] = {
    {"deepseek-chat", 131072, 8192, "Tv", 0, USD4(0.28, 0.42, 0.028, NO)},
    {"deepseek-reasoner", 131072, 65536, "vR", 0, USD4(0.28, 0.42, 0.028, NO)},
    {"deepseek-v4-flash", 1000000, 0, "TR", 0, USD4(0.14, 0.28, 0.0028, NO)},
    {"deepseek-v4-pro", 1000000, 0, "TR", 0, USD4(0.435, 0.87, 0.003625, NO)},
};

static const inf_model xai[] = {
    {"grok-4", 256000, 0, "T", 0, USD4(3, 15, NO, NO)},
    {"grok-4-1-fast", 2000000, 0, "TVSR", 128000, USD4(0.2, 0.5, 0.05, NO)},
    {"grok-4-latest", 256000, 0, "T", 128000, USD4(3, 15, NO, NO)},
    {"grok-4.20-0309-reasoning", 2000000, 0, "TVR", 0, USD4(2, 6, 0.2, NO)},
    {"grok-4.3", 1000000, 0, "TVSR", 200000, USD4(1.25, 2.5, 0.2, NO)},
    {"grok-4.3-latest", 1000000, 0, "TVSR", 200000, USD4(1.25, 2.5, 0.2, NO)},
    {"grok-4.5", 500000, 0, "TVSR", 200000, USD4(2, 6, 0.5, NO)},
    {"grok-4.5-latest", 500000, 0, "TVSR", 200000, USD4(2, 6, 0.5, NO)},
    {"grok-code-fast", 256000, 0, "TR", 0, USD4(0.2, 1.5, 0.02, NO)},
};

static const inf_model moonshot[] = {
    {"kimi-k2.5", 262144, 0, "TVSR", 0, USD4(0.6, 3, 0.1, NO)},
    {"kimi-k2.6", 262144, 0, "TVSR", 0, USD4(0.95, 4, 0.16, NO)},
    {"moonshot-v1-128k", 131072, 0, "TS", 0, USD4(2, 5, NO, NO)},
    {"moonshot-v1-128k-vision-preview", 131072, 0, "TVS", 0,
     USD4(2, 5, NO, NO)},
    {"moonshot-v1-32k", 32768, 0, "TS", 0, USD4(1, 3, NO, NO)},
    {"moonshot-v1-32k-vision-preview", 32768, 0, "TVS", 0, USD4(1, 3, NO, NO)},
    {"moonshot-v1-8k", 8192, 0, "TS", 0, USD4(0.2, 2, NO, NO)},
    {"moonshot-v1-8k-vision-preview", 8192, 0, "TVS", 0, USD4(0.2, 2, NO, NO)},
    {"moonshot-v1-auto", 131072, 0, "TS", 0, USD4(2, 5, NO, NO)},
};

static const inf_model zai[] = {
    {"glm-4.5", 128000, 0, "Tv", 0, USD4(0.6, 2.2, NO, NO)},
    {"glm-4.5-air", 128000, 0, "Tv", 0, USD4(0.2, 1.1, NO, NO)},
    {"glm-4.5-airx", 128000, 0, "Tv", 0, USD4(1.1, 4.5, NO, NO)},
    {"glm-4.5-flash", 128000, 0, "T", 0, USD4(0, 0, NO, NO)},
    {"glm-4.5-x", 128000, 0, "Tv", 0, USD4(2.2, 8.9, NO, NO)},
    {"glm-4.5v", 128000, 0, "TV", 0, USD4(0.6, 1.8, NO, NO)},
    {"glm-4.6", 200000, 128000, "TvR", 0, USD4(0.6, 2.2, 0.11, NO)},
    {"glm-4.7", 200000, 128000, "TvR", 0, USD4(0.6, 2.2, 0.11, NO)},
    {"glm-4.7-flash", 200000, 128000, "TR", 0, USD4(0, 0, 0, 0)},
    {"glm-5", 200000, 128000, "TR", 0, USD4(1, 3.2, 0.2, NO)},
    {"glm-5-code", 200000, 128000, "TR", 0, USD4(1.2, 5, 0.3, NO)},
    {"glm-5.1", 200000, 128000, "TR", 0, USD4(1.4, 4.4, 0.26, NO)},
};

static const inf_model alibaba[] = {
    {"qwen-flash", 997952, 32768, "TR5", 256000, USD4(0.05, 0.4, NO, NO)},
    {"qwen-max", 30720, 8192, "TR", 0, USD4(1.6, 6.4, NO, NO)},
    {"qwen-plus-latest", 997952, 32768, "TR3", 256000,
     USD7(0.4, 1.2, NO, NO, 4, NO, NO)},
    {"qwen-turbo-latest", 1000000, 16384, "TR", 0,
     USD7(0.05, 0.2, NO, NO, 0.5, NO, NO)},
    {"qwen3-coder-flash", 997952, 65536, "TvR7", 32000,
     USD4(0.3, 1.5, 0.08, NO)},
    {"qwen3-coder-flash-2025-07-28", 997952, 65536, "TvR7", 32000,
     USD4(0.3, 1.5, NO, NO)},
    {"qwen3-coder-plus", 997952, 65536, "TvR12", 32000, USD4(1, 5, 0.1, NO)},
    {"qwen3-coder-plus-2025-07-22", 997952, 65536, "TvR12", 32000,
     USD4(1, 5, NO, NO)},
    {"qwen3-max", 258048, 65536, "TvR3", 32000, USD4(1.2, 6, NO, NO)},
    {"qwen3-next-80b-a3b-instruct", 262144, 65536, "Tv", 0,
     USD4(0.15, 1.2, NO, NO)},
    {"qwen3-next-80b-a3b-thinking", 262144, 65536, "TvR", 0,
     USD4(0.15, 1.2, NO, NO)},
    {"qwen3-vl-235b-a22b-instruct", 131072, 32768, "TV", 0,
     USD4(0.4, 1.6, NO, NO)},
    {"qwen3-vl-235b-a22b-thinking", 131072, 32768, "TVR", 0,
     USD4(0.4, 4, NO, NO)},
    {"qwen3-vl-32b-instruct", 131072, 32768, "TV", 0, USD4(0.16, 0.64, NO, NO)},
    {"qwen3-vl-32b-thinking", 131072, 32768, "TVR", 0,
     USD4(0.16, 2.87, NO, NO)},
    {"qwen3-vl-plus", 260096, 32768, "TVR3", 32000, USD4(0.2, 1.6, NO, NO)},
    {"qwen3.5-plus", 991808, 65536, "TVR", 256000, USD4(0.4, 2.4, NO, NO)},
    {"qwen3.7-max", 991808, 65536, "TSR", 0, USD4(2.5, 7.5, 0.5, NO)},
    {"qwen3.7-plus", 991808, 65536, "TVSR3", 256000, USD4(0.4, 1.6, 0.08, NO)},
    {"qwq-plus", 98304, 8192, "TR", 0, USD4(0.8, 2.4, NO, NO)},
};

static const inf_model minimax[] = {
    {"MiniMax-M2", 200000, 0, "TvR", 0, USD4(0.3, 1.2, 0.03, 0.375)},
    {"MiniMax-M2.1", 1000000, 0, "TvR", 0, USD4(0.3, 1.2, 0.03, 0.375)},
    {"MiniMax-M2.1-lightning", 1000000, 0, "TR", 0,
     USD4(0.3, 2.4, 0.03, 0.375)},
    {"MiniMax-M2.5", 1000000, 0, "TvR", 0, USD4(0.3, 1.2, 0.03, 0.375)},
    {"MiniMax-M2.5-lightning", 1000000, 0, "TR", 0,
     USD4(0.3, 2.4, 0.03, 0.375)},
    {"MiniMax-M3", 1000000, 128000, "TVR", 512000, USD4(0.3, 1.2, 0.06, NO)},
};

static const inf_model perplexity[] = {
    {"sonar", 128000, 0, "t", 0, USD4(1, 1, NO, NO)},
    {"sonar-deep-research", 128000, 0, "tR", 0, USD7(2, 8, NO, NO, 3, NO, NO)},
    {"sonar-pro", 200000, 8000, "t", 0, USD4(3, 15, NO, NO)},
    {"sonar-reasoning-pro", 128000, 0, "tR", 0, USD4(2, 8, NO, NO)},
};

static const inf_model sambanova[] = {
    {"DeepSeek-V3.1", 131072, 0, "TvR", 0, USD4(3, 4.5, NO, NO)},
    {"DeepSeek-V3.2", 32768, 0, "Tv", 0, USD4(3, 4.5, NO, NO)},
    {"Llama-4-Maverick-17B-128E-Instruct", 131072, 0, "TVS", 0,
     USD4(0.63, 1.8, NO, NO)},
    {"Meta-Llama-3.3-70B-Instruct", 131072, 0, "TvS", 0,
     USD4(0.6, 1.2, NO, NO)},
    {"MiniMax-M2.7", 196608, 0, "TR", 0, USD4(0.6, 2.4, NO, NO)},
    {"gemma-4-31B-it", 131072, 0, "V", 0, USD4(0.38, 1.15, NO, NO)},
    {"gpt-oss-120b", 131072, 0, "TvR", 0, USD4(0.22, 0.59, NO, NO)},
};

const inf_model_table inf_models_services[] = {
    {"mistral", &inf_model_source_list, mistral, COUNT_OF(mistral)},
    {"cohere cohere-compatible", &inf_model_source_list, cohere,
     COUNT_OF(cohere)},
    {"deepseek", &inf_model_source_list, deepseek, COUNT_OF(deepseek)},
    {"xai", &inf_model_source_list, xai, COUNT_OF(xai)},
    {"moonshot", &inf_model_source_list, moonshot, COUNT_OF(moonshot)},
    {"zai", &inf_model_source_list, zai, COUNT_OF(zai)},
    {"alibaba", &inf_model_source_list, alibaba, COUNT_OF(alibaba)},
    {"minimax", &inf_model_source_list, minimax, COUNT_OF(minimax)},
    {"perplexity", &inf_model_source_list, perplexity, COUNT_OF(perplexity)},
    {"sambanova", &inf_model_source_list, sambanova, COUNT_OF(sambanova)},
};

const size_t inf_models_services_count = COUNT_OF(inf_models_services);
