/* SPDX-License-Identifier: MIT */
#include "unit/writer_support.h"

/* A key goes out in the clear to nobody but this machine. Without an address
 * of its own a kind is for a configuration that has one. */
static void
check_address(const inf_provider_kind *kind)
{
  const char *url = kind->base_url;
  if (!url) {
    assert_true(kind->by_name_only || !kind->key_env);
    return;
  }
  assert_true(
      strncmp(url, "https://", 8) == 0 ||
      (strncmp(url, "http://localhost:", 17) == 0 && !kind->key_required));
  assert_true(url[strlen(url) - 1] != '/');
}

static void
test_rows_are_complete_and_unique(void **state)
{
  (void)state;
  assert_true(inf_provider_kind_count() >= 2);
  assert_null(inf_provider_kind_at(inf_provider_kind_count()));
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const inf_provider_kind *kind = inf_provider_kind_at(i);
    assert_ptr_equal(inf_provider_kind_find(S(kind->type)), kind);
    assert_non_null(kind->title);
    assert_non_null(kind->dialect);
    assert_non_null(kind->auth_scheme);
    assert_non_null(kind->claims);
    assert_int_equal(kind->chat_path[0], '/');
    check_address(kind);
    assert_non_null(kind->request_id_headers);
    assert_non_null(strstr(kind->source, "20"));
    assert_int_not_equal(kind->prefill, INF_PREFILL_DEFAULT);
    assert_int_not_equal(kind->limit_scope, INF_LIMIT_SCOPE_DEFAULT);
    assert_true(kind->dialect->write_models || !kind->models_path);
    /* A key of Vertex AI's express mode: the account says that it is one. */
    if (kind->key_header && strcmp(kind->auth_scheme, "Bearer") != 0)
      assert_string_equal(kind->key_header, kind->auth_scheme);
  }
}

static void
test_clarifai_is_as_documented(void **state)
{
  (void)state;
  const inf_provider_kind *kind = inf_provider_kind_find(S("clarifai"));
  assert_string_equal(kind->base_url,
                      "https://api.clarifai.com/v2/ext/openai/v1");
  assert_string_equal(kind->key_env, "CLARIFAI_PAT");
  assert_string_equal(kind->auth_scheme, "Bearer");
  assert_int_equal(kind->evidence, INF_EVIDENCE_DOCUMENTED);
  assert_string_equal(inf_evidence_name(kind->evidence), "documented");
  assert_true(
      inf_provider_kind_claims(kind, S("https://clarifai.com/a/b/models/c")));
  assert_false(inf_provider_kind_claims(kind, S("gpt-4o")));
}

static void
test_bare_models_are_claimed_by_prefix(void **state)
{
  (void)state;
  const inf_provider_kind *kind = inf_provider_kind_find(S("openai"));
  assert_true(inf_provider_kind_claims(kind, S("gpt-4o-mini")));
  assert_true(inf_provider_kind_claims(kind, S("o3-mini")));
  assert_false(inf_provider_kind_claims(kind, S("llama-3")));
  assert_false(inf_provider_kind_claims(kind, S("")));
  assert_false(inf_provider_kind_claims(kind, S("my-gpt-4")));
}

/* Two kinds that the environment could make of one variable would be two
 * providers of one key. */
static void
test_a_key_variable_makes_one_provider(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const inf_provider_kind *kind = inf_provider_kind_at(i);
    for (size_t j = 0; j < i && kind->key_env && !kind->by_name_only; j++) {
      const inf_provider_kind *other = inf_provider_kind_at(j);
      if (other->key_env && !other->by_name_only)
        assert_string_not_equal(kind->key_env, other->key_env);
    }
  }
  static const char *const by_name[] = {"github-models", "huggingface",
                                        "azure-openai", "ollama"};
  for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
    assert_true(inf_provider_kind_find(S(by_name[i]))->by_name_only);
}

/* A bare model that two kinds claim would be an error for who has both keys. */
static void
test_no_model_is_claimed_twice(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const char *claim = inf_provider_kind_at(i)->claims;
    while (*claim) {
      size_t len = strcspn(claim, " ");
      for (size_t j = 0; j < inf_provider_kind_count(); j++) {
        const inf_provider_kind *other = inf_provider_kind_at(j);
        if (i != j)
          assert_false(inf_provider_kind_claims(other, inf_sv_of(claim, len)));
      }
      claim += len + strspn(claim + len, " ");
    }
  }
}

/* A word of the rules that is none would do nothing, in silence. */
static void
check_rules(const char *rules)
{
  while (rules && *rules) {
    size_t len = strcspn(rules, " ");
    assert_true(len > 1);
    assert_true(rules[0] == '-' || rules[0] == '!' ||
                memchr(rules, '=', len) != NULL);
    rules += len + (rules[len] == ' ');
    assert_true(*rules != ' ');
  }
}

static void
test_rules_are_words(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    check_rules(inf_provider_kind_at(i)->member_rules);
    check_rules(inf_provider_kind_at(i)->message_rules);
  }
}

/* The version of the API is said where nobody says another. */
static void
test_azure_is_addressed_in_its_ways(void **state)
{
  (void)state;
  static const struct {
    const char *type, *base, *query, *url;
  } cases[] = {
      {"azure-openai-deployments", "https://r.openai.azure.com/openai", "",
       "https://r.openai.azure.com/openai/deployments/m/chat/completions"
       "?api-version=2024-10-21"},
      {"azure-openai-deployments", "https://r.openai.azure.com/openai/",
       "api-version=2025-04-01-preview",
       "https://r.openai.azure.com/openai/deployments/m/chat/completions"
       "?api-version=2025-04-01-preview"},
      {"azure-openai-deployments",
       "https://r.openai.azure.com/openai?api-version=1", "",
       "https://r.openai.azure.com/openai/deployments/m/chat/completions"
       "?api-version=1"},
      {"azure-openai", "https://r.openai.azure.com/openai/v1", "",
       "https://r.openai.azure.com/openai/v1/chat/completions"},
      {"azure-ai", "https://r.services.ai.azure.com/models", "",
       "https://r.services.ai.azure.com/models/chat/completions"
       "?api-version=2024-05-01-preview"},
      {"writer", "https://api.writer.com/v1", "",
       "https://api.writer.com/v1/chat"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    writing w;
    writing_init(&w, cases[i].type,
                 "{'model':'x','messages':[{'role':'user','content':'hi'}]}");
    w.send.base_url = S(cases[i].base);
    w.send.query = S(cases[i].query);
    assert_int_equal(writing_run(&w), INFER_OK);
    assert_buf(&w.out.url, cases[i].url);
    bool azure = strncmp(cases[i].type, "azure", 5) == 0;
    assert_int_equal(writing_has_header(&w, "api-key: sk"), azure);
    assert_int_equal(writing_has_header(&w, "Authorization: Bearer sk"),
                     !azure);
    writing_fini(&w);
  }
}

static void
test_the_list_is_there(void **state)
{
  (void)state;
  static const char *const types[] = {
      "groq",         "together",
      "fireworks",    "deepseek",
      "xai",          "cerebras",
      "openrouter",   "perplexity",
      "huggingface",  "tgi",
      "vllm",         "sglang",
      "llamacpp",     "lmstudio",
      "moonshot",     "zai",
      "alibaba",      "minimax",
      "nvidia",       "sambanova",
      "deepinfra",    "novita",
      "nebius",       "databricks",
      "snowflake",    "writer",
      "cloudflare",   "vercel",
      "litellm",      "github-models",
      "azure-openai", "azure-openai-deployments",
      "azure-ai",     "mistral",
      "cohere",       "ollama"};
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    if (!inf_provider_kind_find(S(types[i])))
      fail_msg("no kind \"%s\"", types[i]);
}

/* Who reads docs/providers.md finds each kind by its type. */
static void
test_each_kind_is_in_the_manual(void **state)
{
  (void)state;
  inf_buf text;
  char block[4096];
  size_t len;
  FILE *file = fopen(INFER_SOURCE_DIR "/docs/providers.md", "rb");
  assert_non_null(file);
  inf_buf_init(&text, (size_t)1 << 20);
  while ((len = fread(block, 1, sizeof(block), file)) > 0)
    inf_buf_append(&text, block, len);
  fclose(file);
  for (size_t i = 1; i < inf_provider_kind_count(); i++) {
    char wanted[64];
    const char *type = inf_provider_kind_at(i)->type;
    snprintf(wanted, sizeof(wanted), "`%s`", type);
    if (!strstr(inf_buf_cstr(&text), wanted))
      fail_msg("docs/providers.md does not have %s", wanted);
  }
  inf_buf_fini(&text);
}

static void
test_unknown_types_are_not_found(void **state)
{
  (void)state;
  assert_null(inf_provider_kind_find(S("")));
  assert_null(inf_provider_kind_find(S("OpenAI")));
  assert_string_equal(inf_evidence_name(INF_EVIDENCE_RECORDED), "recorded");
  assert_string_equal(inf_evidence_name(INF_EVIDENCE_LIVE), "live");
  assert_string_equal(inf_evidence_name((inf_evidence)99), "unknown");
}

static void
test_finish_reasons_become_openais(void **state)
{
  (void)state;
  assert_sv(inf_map_finish_reason(S("stop")), "stop");
  assert_sv(inf_map_finish_reason(S("eos_token")), "stop");
  assert_sv(inf_map_finish_reason(S("eos")), "stop");
  assert_sv(inf_map_finish_reason(S("max_tokens")), "length");
  assert_sv(inf_map_finish_reason(S("tool_call")), "tool_calls");
  assert_sv(inf_map_finish_reason(S("SAFETY")), "content_filter");
  assert_sv(inf_map_finish_reason(S("sensitive")), "content_filter");
  assert_sv(inf_map_finish_reason(S("function_call")), "function_call");
  assert_sv(inf_map_finish_reason(S("whatever")), "whatever");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows_are_complete_and_unique),
      cmocka_unit_test(test_clarifai_is_as_documented),
      cmocka_unit_test(test_bare_models_are_claimed_by_prefix),
      cmocka_unit_test(test_a_key_variable_makes_one_provider),
      cmocka_unit_test(test_no_model_is_claimed_twice),
      cmocka_unit_test(test_rules_are_words),
      cmocka_unit_test(test_azure_is_addressed_in_its_ways),
      cmocka_unit_test(test_the_list_is_there),
      cmocka_unit_test(test_each_kind_is_in_the_manual),
      cmocka_unit_test(test_unknown_types_are_not_found),
      cmocka_unit_test(test_finish_reasons_become_openais),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
