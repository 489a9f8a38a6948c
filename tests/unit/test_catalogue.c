/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

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
    if (kind->base_url) {
      assert_true(strncmp(kind->base_url, "https://", 8) == 0);
      assert_true(kind->base_url[strlen(kind->base_url) - 1] != '/');
    }
    assert_non_null(kind->request_id_headers);
    assert_non_null(strstr(kind->source, "20"));
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
      cmocka_unit_test(test_unknown_types_are_not_found),
      cmocka_unit_test(test_finish_reasons_become_openais),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
