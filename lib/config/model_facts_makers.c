/* SPDX-License-Identifier: MIT */
/* Models of Anthropic and Google, at home and on other clouds.
 * Data and nothing else: what a row says stands in model_facts.h. */
#include "config/model_facts_row.h"

static const inf_model anthropic[] = {
    {"claude-fable-5", 1000000, 128000, "TVRpk", 0, USD4(10, 50, 1, 12.5)},
    {"claude-haiku-4-5", 200000, 64000, "TVRP", 0, USD4(1, 5, 0.1, 1.25)},
    {"claude-opus-4-5", 200000, 64000, "TVSRP", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-6", 1000000, 128000, "TVSRp", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-7", 1000000, 128000, "TVSRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-8", 1000000, 128000, "TVSRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-5", 1000000, 128000, "TVSRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-sonnet-4-5", 200000, 64000, "TVSRP", 200000,
     USD4(3, 15, 0.3, 3.75)},
    {"claude-sonnet-4-6", 1000000, 64000, "TVSRp", 0, USD4(3, 15, 0.3, 3.75)},
    {"claude-sonnet-5", 1000000, 128000, "TVRpk", 0, USD4(2, 10, 0.2, 2.5)},
};

static const inf_model azure_anthropic[] = {
    {"claude-fable-5", 1000000, 128000, "TVRpk", 0, USD4(10, 50, 1, 12.5)},
    {"claude-haiku-4-5", 200000, 64000, "TVRP", 0, USD4(1, 5, 0.1, 1.25)},
    {"claude-opus-4-5", 200000, 64000, "TVRP", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-6", 1000000, 128000, "TVRp", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-7", 1000000, 128000, "TVRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-8", 1000000, 128000, "TVRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-5", 1000000, 128000, "TVRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-sonnet-4-5", 200000, 64000, "TVRP", 0, USD4(3, 15, 0.3, 3.75)},
    {"claude-sonnet-4-6", 1000000, 64000, "TVRp", 0, USD4(3, 15, 0.3, 3.75)},
    {"claude-sonnet-5", 1000000, 128000, "TVRpk", 0, USD4(2, 10, 0.2, 2.5)},
};

static const inf_model vertex_anthropic[] = {
    {"claude-fable-5", 1000000, 128000, "TVRpk", 0, USD4(10, 50, 1, 12.5)},
    {"claude-haiku-4-5", 200000, 0, "TVRP", 0, USD4(1, 5, 0.1, 1.25)},
    {"claude-opus-4-5", 200000, 64000, "TVRP", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-6", 1000000, 128000, "TVRp", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-7", 1000000, 128000, "TVRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-4-8", 1000000, 128000, "TVRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-opus-5", 1000000, 128000, "TVRpk", 0, USD4(5, 25, 0.5, 6.25)},
    {"claude-sonnet-4-5", 200000, 64000, "TVRP", 200000,
     USD4(3, 15, 0.3, 3.75)},
    {"claude-sonnet-4-6", 1000000, 64000, "TVRp", 0, USD4(3, 15, 0.3, 3.75)},
    {"claude-sonnet-5", 1000000, 128000, "TVRpk", 0, USD4(2, 10, 0.2, 2.5)},
};

static const inf_model gemini[] = {
    {"gemini-2.5-flash", 1048576, 65535, "TVSR", 0,
     USD7(0.3, 2.5, 0.03, NO, NO, 1, NO)},
    {"gemini-2.5-flash-lite", 1048576, 65535, "TVSR", 0,
     USD7(0.1, 0.4, 0.01, NO, NO, 0.3, NO)},
    {"gemini-2.5-pro", 1048576, 65535, "TVSR", 200000,
     USD4(1.25, 10, 0.125, NO)},
    {"gemini-3-flash-preview", 1048576, 65535, "TVSR", 0,
     USD7(0.5, 3, 0.05, NO, NO, 1, NO)},
    {"gemini-3.1-flash-lite", 1048576, 65536, "TVSR", 0,
     USD7(0.25, 1.5, 0.025, NO, NO, 0.5, NO)},
    {"gemini-3.1-pro-preview", 1048576, 65536, "TVSR", 200000,
     USD4(2, 12, 0.2, NO)},
    {"gemini-3.5-flash", 1048576, 65535, "TVSR", 0,
     USD7(1.5, 9, 0.15, NO, NO, 1, NO)},
    {"gemini-3.5-flash-lite", 1048576, 65536, "TVSR", 0,
     USD4(0.3, 2.5, 0.03, NO)},
    {"gemini-3.6-flash", 1048576, 65536, "TVSR", 0, USD4(1.5, 7.5, 0.15, NO)},
    {"gemini-flash-latest", 1048576, 65535, "TVSR", 0,
     USD7(0.3, 2.5, 0.075, NO, NO, 1, NO)},
    {"gemini-flash-lite-latest", 1048576, 65535, "TVSR", 0,
     USD7(0.1, 0.4, 0.025, NO, NO, 0.3, NO)},
    {"gemini-pro-latest", 1048576, 65535, "TVSR", 200000,
     USD4(1.25, 10, 0.125, NO)},
};

static const inf_model vertex[] = {
    {"gemini-2.5-flash", 1048576, 65535, "TVSR", 0,
     USD7(0.3, 2.5, 0.03, NO, NO, 1, NO)},
    {"gemini-2.5-flash-lite", 1048576, 65535, "TVSR", 0,
     USD7(0.1, 0.4, 0.01, NO, NO, 0.3, NO)},
    {"gemini-2.5-pro", 1048576, 65535, "TVSR", 200000,
     USD4(1.25, 10, 0.125, NO)},
    {"gemini-3-flash-preview", 1048576, 65535, "TVSR", 0,
     USD7(0.5, 3, 0.05, NO, NO, 1, NO)},
    {"gemini-3.1-flash-lite", 1048576, 65536, "TVSR", 0,
     USD7(0.25, 1.5, 0.025, NO, NO, 0.5, NO)},
    {"gemini-3.1-pro-preview", 1048576, 65536, "TVSR", 200000,
     USD4(2, 12, 0.2, NO)},
    {"gemini-3.5-flash", 1048576, 65535, "TVSR", 0,
     USD7(1.5, 9, 0.15, NO, NO, 1, NO)},
    {"gemini-3.5-flash-lite", 1048576, 65536, "TVSR", 0,
     USD4(0.3, 2.5, 0.03, NO)},
    {"gemini-3.6-flash", 1048576, 65536, "TVSR", 0, USD4(1.5, 7.5, 0.15, NO)},
};

const inf_model_table inf_models_makers[] = {
    {"anthropic", &inf_model_source_list, anthropic, COUNT_OF(anthropic)},
    {"azure-anthropic", &inf_model_source_list, azure_anthropic,
     COUNT_OF(azure_anthropic)},
    {"vertex-anthropic", &inf_model_source_list, vertex_anthropic,
     COUNT_OF(vertex_anthropic)},
    {"gemini", &inf_model_source_list, gemini, COUNT_OF(gemini)},
    {"vertex", &inf_model_source_list, vertex, COUNT_OF(vertex)},
};

const size_t inf_models_makers_count = COUNT_OF(inf_models_makers);
