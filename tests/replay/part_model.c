/* SPDX-License-Identifier: MIT */
/* Models of providers as a file gives them. */
#include "replay_model.h"
#include "replay_test.h"

static void
read_well(inf_replay_models *models, const char *text)
{
  inf_buf error;
  inf_buf_init(&error, 4096);
  if (!inf_replay_models_read(models, inf_sv_from(text), &error))
    fail_msg("%s", inf_buf_cstr(&error));
  inf_buf_fini(&error);
}

static void
reads_all_members(void **state)
{
  (void)state;
  inf_replay_models models;
  read_well(
      &models,
      "{\"models\":{\"a/m\":{\"first_token_ms\":{\"dist\":\"lognormal\","
      "\"p50\":300,\"p95\":900},\"prompt_token_ms\":0.02,"
      "\"token_ms\":{\"uniform\":[5,10]},\"connect_ms\":30,"
      "\"error_ms\":7,\"failures\":{\"503\":0.25,\"429\":0.125,"
      "\"connect\":0.1,\"reset\":0.1,\"silence\":0.1,\"stall\":0.1,"
      "\"cut\":0.1},\"requests_per_minute\":60,"
      "\"tokens_per_minute\":1000,\"burst_s\":2,\"concurrency\":3,\"queue\":4,"
      "\"rate_headers\":false,\"retry_after\":false,"
      "\"prefix_cache_tokens\":4096,\"prefix_block_tokens\":16,"
      "\"outages\":[{\"from_s\":1,\"until_s\":2},{\"from_s\":5,"
      "\"until_s\":9,\"failure\":\"silence\"},{\"from_s\":10,"
      "\"until_s\":11,\"failure\":500}],\"x-mine\":[]}}}");
  assert_int_equal(models.count, 1);
  const inf_replay_model *model = &models.items[0];
  assert_string_equal(model->name.ptr, "a/m");
  assert_int_equal(model->first_token_ms.kind, INF_SIM_LOGNORMAL);
  assert_near(model->prompt_token_ms.a, 0.02, 0);
  assert_int_equal(model->token_ms.kind, INF_SIM_UNIFORM);
  assert_near(model->connect_ms.a, 30, 0);
  assert_near(model->error_ms.a, 7, 0);
  assert_int_equal(model->failure_count, 7);
  assert_int_equal(model->failures[0].kind, INF_REPLAY_STATUS);
  assert_int_equal(model->failures[0].status, 503);
  assert_near(model->failures[0].share, 0.25, 0);
  assert_int_equal(model->failures[1].status, 429);
  assert_int_equal(model->failures[2].kind, INF_REPLAY_CONNECT);
  assert_int_equal(model->failures[3].kind, INF_REPLAY_RESET);
  assert_int_equal(model->failures[4].kind, INF_REPLAY_SILENCE);
  assert_int_equal(model->failures[5].kind, INF_REPLAY_STALL);
  assert_int_equal(model->failures[6].kind, INF_REPLAY_CUT);
  assert_int_equal(model->requests_per_minute, 60);
  assert_int_equal(model->tokens_per_minute, 1000);
  assert_int_equal(model->burst_s, 2);
  assert_int_equal(model->concurrency, 3);
  assert_int_equal(model->queue, 4);
  assert_false(model->rate_headers);
  assert_false(model->retry_after);
  assert_int_equal(model->prefix_cache_tokens, 4096);
  assert_int_equal(model->prefix_block_tokens, 16);
  assert_int_equal(model->outage_count, 3);
  assert_int_equal(model->outages[0].failure.status, 503);
  assert_int_equal(model->outages[1].from_s, 5);
  assert_int_equal(model->outages[1].until_s, 9);
  assert_int_equal(model->outages[1].failure.kind, INF_REPLAY_SILENCE);
  assert_int_equal(model->outages[2].failure.status, 500);
  inf_replay_models_free(&models);
}

static void
has_defaults(void **state)
{
  (void)state;
  inf_replay_models models;
  read_well(&models, "{\"models\":{\"a/m\":{\"first_token_ms\":300}}}");
  const inf_replay_model *model = &models.items[0];
  assert_int_equal(model->burst_s, 60);
  assert_true(model->rate_headers && model->retry_after);
  assert_int_equal(model->prefix_block_tokens, 512);
  assert_int_equal(model->prefix_cache_tokens, 0);
  assert_int_equal(model->requests_per_minute, 0);
  assert_int_equal(model->failure_count, 0);
  assert_true(inf_sim_dist_is_zero(&model->token_ms));
  inf_replay_models_free(&models);
}

static void
the_first_that_fits_counts(void **state)
{
  (void)state;
  inf_replay_models models;
  read_well(&models, "{\"models\":{\"a/big-*\":{\"first_token_ms\":1},"
                     "\"a/*\":{\"first_token_ms\":2},"
                     "\"b/m\":{\"first_token_ms\":3}}}");
  const struct {
    const char *target;
    double ms; /* 0: none fits */
  } cases[] = {{"a/big-1", 1}, {"a/big/1", 2}, {"a/", 2},
               {"b/m", 3},     {"b/m2", 0},    {"c/m", 0}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const inf_replay_model *model =
        inf_replay_models_find(&models, inf_sv_from(cases[i].target));
    assert_near(model ? model->first_token_ms.a : 0, cases[i].ms, 0);
  }
  inf_replay_models_free(&models);
}

static void
says_what_is_wrong(void **state)
{
  (void)state;
  static const struct {
    const char *text, *error; /* how it begins */
  } cases[] = {
      {"{", "line 1, column 2: "},
      {"[]", "neither \"models\" nor"},
      {"{}", "neither \"models\" nor"},
      {"{\"models\":{}}", "models: must be an object of 1 to 4096 models"},
      {"{\"models\":[1]}", "models: must be an object"},
      {"{\"models\":{\"a\":{}}}", "models.a: first_token_ms is missing"},
      {"{\"models\":{\"a\":{\"first_token_ms\":-1}}}",
       "models.a.first_token_ms: must be a number or a distribution"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1,\"tokn_ms\":2}}}",
       "models.a.tokn_ms: unknown member"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1,\"failures\":{\"200\":1}}}}",
       "models.a.failures.200: must be a status from 400 to 599"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1,\"failures\":{\"503\":1.5}}}}",
       "models.a.failures.503: must be"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1,\"failures\":{\"503\":0.6,"
       "\"cut\":0.6}}}}",
       "models.a.failures: the shares exceed 1"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1,\"burst_s\":0}}}",
       "models.a.burst_s: must be"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1,\"outages\":[{\"from_s\":5,"
       "\"until_s\":5}]}}}",
       "models.a.outages[0]: must end after it begins"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1,\"outages\":[{\"from_s\":5,"
       "\"until_s\":6,\"failure\":\"rain\"}]}}}",
       "models.a.outages[0].failure: must be a status"},
      {"{\"models\":{\"a\":{\"first_token_ms\":1}},\"version\":1}",
       "version: unknown member"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    inf_replay_models models;
    inf_buf error;
    inf_buf_init(&error, 4096);
    assert_false(
        inf_replay_models_read(&models, inf_sv_from(cases[i].text), &error));
    if (strncmp(inf_buf_cstr(&error), cases[i].error, strlen(cases[i].error)) !=
        0)
      fail_msg("case %zu: %s", i, inf_buf_cstr(&error));
    inf_buf_fini(&error);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_all_members),
      cmocka_unit_test(has_defaults),
      cmocka_unit_test(the_first_that_fits_counts),
      cmocka_unit_test(says_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
