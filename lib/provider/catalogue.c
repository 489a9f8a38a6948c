/* SPDX-License-Identifier: MIT */
/* The providers that are known by name: the first rows, and what finds a row.
 * A row is added when its facts have a source. */
#include "provider/catalogue.h"

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
        /* "Any array must be 2048 dimensions or less", and 300,000 tokens in
         * all (embeddings/create): no token is shorter than a byte. */
        .embed_inputs = 2048,
        .embed_bytes = 300000,
        .embed_base64 = true,
        .claims = "gpt- o1 o3 o4 chatgpt-",
        /* "Unknown parameter" is a 400 there; other servers want some of
         * these. */
        .message_rules = "-reasoning -reasoning_content",
        .rules_at_home = true,
        .stream_options = true,
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION | INF_CAN_JSON_SCHEMA |
                     INF_CAN_EMBED,
        .cancel_billing = INF_CANCEL_STOPS,
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
        .abilities = INF_CAN_TOOLS | INF_CAN_VISION,
        .quirks = "the model is a URL; errors may be a status object inside "
                  "a 200",
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
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const inf_provider_kind *
inf_provider_kind_find(inf_sv type)
{
  const inf_provider_kind *kind;
  for (size_t i = 0; (kind = inf_provider_kind_at(i)) != NULL; i++) {
    if (inf_sv_eq(type, inf_sv_from(kind->type)))
      return kind;
  }
  return NULL;
}

const inf_provider_kind *
inf_provider_kind_at(size_t index)
{
  const struct {
    const inf_provider_kind *rows;
    size_t count;
  } tables[] = {
      {kinds, KIND_COUNT},
      {inf_catalogue_languages, inf_catalogue_language_count},
      {inf_catalogue_services, inf_catalogue_service_count},
      {inf_catalogue_clouds, inf_catalogue_cloud_count},
      {inf_catalogue_servers, inf_catalogue_server_count},
  };
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
    if (index < tables[i].count)
      return &tables[i].rows[index];
    index -= tables[i].count;
  }
  return NULL;
}

size_t
inf_provider_kind_count(void)
{
  return KIND_COUNT + inf_catalogue_language_count +
         inf_catalogue_service_count + inf_catalogue_cloud_count +
         inf_catalogue_server_count;
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
    {WORD("sensitive"), WORD("content_filter")}, /* Z.ai */
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
