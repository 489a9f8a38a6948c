/* SPDX-License-Identifier: MIT */
/* What is fitted to samples of a known provider is that provider. */
#include "replay_fit.h"
#include "replay_test.h"

#include "infer/infer.h"

enum { sample_count = 4000, draws = 40000 };

/* A provider as it is, whose samples are drawn. */
typedef struct truth {
  inf_sim_dist first_ms, token_ms;
  double prompt_token_ms;
} truth;

static void
draw_sample(const truth *is, inf_rng *rng, inf_fit_sample *sample)
{
  double prompt = (double)inf_rng_between(rng, 10, 6000);
  double answer = (double)inf_rng_between(rng, 2, 400);
  double ttft_ms =
      inf_sim_dist_draw(&is->first_ms, rng) + prompt * is->prompt_token_ms;
  double token_ms = inf_sim_dist_draw(&is->token_ms, rng);
  *sample = (inf_fit_sample){prompt, answer, ttft_ms,
                             ttft_ms + (answer - 1) * token_ms, INFER_OK};
}

static int
by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double
quantile(const inf_sim_dist *dist, double share)
{
  static double values[draws];
  inf_rng rng;
  inf_rng_seed(&rng, 5);
  for (size_t i = 0; i < draws; i++)
    values[i] = inf_sim_dist_draw(dist, &rng);
  qsort(values, draws, sizeof values[0], by_value);
  return values[(size_t)(share * (draws - 1))];
}

/* Within 6 %, and what a slope that is a little off makes of a long prompt. */
static void
assert_close(double got, double wanted)
{
  double off = got > wanted ? got - wanted : wanted - got;
  if (off > 0.06 * wanted + 4)
    fail_msg("%g, not %g", got, wanted);
}

static void
assert_same(const inf_sim_dist *got, const inf_sim_dist *wanted)
{
  static const double shares[] = {0.05, 0.5, 0.9, 0.95};
  for (size_t i = 0; i < COUNT_OF(shares); i++)
    assert_close(quantile(got, shares[i]), quantile(wanted, shares[i]));
}

static void
recovers_distributions(void **state)
{
  (void)state;
  const truth cases[] = {
      {inf_sim_dist_lognormal(300, 1100), inf_sim_dist_constant(12), 0},
      {inf_sim_dist_lognormal(400, 900),
       {.kind = INF_SIM_UNIFORM, .a = 5, .b = 20},
       0.1},
      {{.kind = INF_SIM_EXPONENTIAL, .a = 250},
       inf_sim_dist_lognormal(10, 15),
       0.02},
  };
  static inf_fit_sample samples[sample_count];
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    inf_sim_arena arena = {0};
    inf_replay_model model;
    inf_rng rng;
    inf_rng_seed(&rng, i + 1);
    for (size_t k = 0; k < sample_count; k++)
      draw_sample(&cases[i], &rng, &samples[k]);
    inf_replay_model_init(&model);
    assert_true(inf_fit_samples(&model, samples, sample_count, &arena));
    assert_true(model.prompt_token_ms.a > cases[i].prompt_token_ms - 0.006 &&
                model.prompt_token_ms.a < cases[i].prompt_token_ms + 0.006);
    if (cases[i].prompt_token_ms > 0)
      assert_near(model.prompt_token_ms.a, cases[i].prompt_token_ms, 0.25);
    assert_same(&model.first_token_ms, &cases[i].first_ms);
    assert_same(&model.token_ms, &cases[i].token_ms);
    assert_int_equal(model.failure_count, 0);
    inf_sim_arena_free(&arena);
  }
}

/* Two in a hundred that are late by a hundred times move the slope as little as
 * they are many. */
static void
outliers_do_not_move_the_slope(void **state)
{
  (void)state;
  const truth is = {inf_sim_dist_lognormal(300, 400), {0}, 0.1};
  static inf_fit_sample samples[500];
  inf_sim_arena arena = {0};
  inf_replay_model model;
  inf_rng rng;
  inf_rng_seed(&rng, 9);
  for (size_t i = 0; i < COUNT_OF(samples); i++) {
    draw_sample(&is, &rng, &samples[i]);
    if (i % 50 == 0 && samples[i].prompt_tokens > 3000)
      samples[i].ttft_ms *= 100;
  }
  inf_replay_model_init(&model);
  assert_true(inf_fit_samples(&model, samples, COUNT_OF(samples), &arena));
  assert_near(model.prompt_token_ms.a, 0.1, 0.1);
  inf_sim_arena_free(&arena);
}

static void
counts_failures(void **state)
{
  (void)state;
  static const struct {
    int32_t status;
    inf_replay_model_failure_kind kind;
    int http;
    unsigned count;
  } cases[] = {
      {INFER_E_OVERLOADED, INF_REPLAY_STATUS, 503, 5},
      {INFER_E_RATE_LIMITED, INF_REPLAY_STATUS, 429, 10},
      {INFER_E_FIRST_TOKEN_TIMEOUT, INF_REPLAY_SILENCE, 0, 3},
      {INFER_E_IDLE_TIMEOUT, INF_REPLAY_STALL, 0, 2},
      {INFER_E_TRUNCATED, INF_REPLAY_CUT, 0, 4},
      {INFER_E_RESET, INF_REPLAY_RESET, 0, 1},
  };
  inf_fit_sample samples[120];
  size_t count = 0;
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    for (unsigned k = 0; k < cases[i].count; k++)
      samples[count++] = (inf_fit_sample){10, -1, -1, -1, cases[i].status};
  while (count < 100)
    samples[count++] = (inf_fit_sample){10, 5, 200, 240, INFER_OK};
  while (count < 120) /* of no provider's making */
    samples[count++] = (inf_fit_sample){10, 5, -1, -1, INFER_E_CANCELLED};
  inf_sim_arena arena = {0};
  inf_replay_model model;
  inf_replay_model_init(&model);
  assert_true(inf_fit_samples(&model, samples, count, &arena));
  assert_int_equal(model.failure_count, COUNT_OF(cases));
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    bool found = false;
    for (size_t k = 0; k < model.failure_count; k++) {
      const inf_replay_model_failure *failure = &model.failures[k];
      if (failure->kind != cases[i].kind || failure->status != cases[i].http)
        continue;
      found = true;
      assert_near(failure->share, cases[i].count / 100.0, 1e-9);
    }
    assert_true(found);
  }
  /* All answers alike: constants. */
  assert_near(model.first_token_ms.a, 200, 0);
  assert_near(model.token_ms.a, 10, 0);
  assert_int_equal(model.token_ms.kind, INF_SIM_CONSTANT);
  inf_sim_arena_free(&arena);
}

static void
needs_an_answer(void **state)
{
  (void)state;
  const inf_fit_sample sample = {10, -1, -1, -1, INFER_E_SERVER};
  inf_sim_arena arena = {0};
  inf_replay_model model;
  inf_replay_model_init(&model);
  assert_false(inf_fit_samples(&model, &sample, 1, &arena));
  assert_false(inf_fit_samples(&model, NULL, 0, &arena));
  inf_sim_arena_free(&arena);
}

static void
reads_what_compare_writes(void **state)
{
  (void)state;
  static const char text[] =
      "{\"version\":1,\"made_by\":\"x\",\"targets\":["
      "{\"target\":\"p/m\",\"more\":1,\"samples\":["
      "{\"prompt_tokens\":10,\"output_tokens\":11,\"ttft_ms\":100,"
      "\"total_ms\":200,\"status\":\"INFER_OK\",\"x\":[]},"
      "{\"prompt_tokens\":10,\"output_tokens\":11,\"ttft_ms\":300,"
      "\"total_ms\":400,\"status\":\"INFER_OK\"},"
      "{\"prompt_tokens\":10,\"output_tokens\":null,\"ttft_ms\":null,"
      "\"total_ms\":50,\"status\":\"INFER_E_OVERLOADED\"},"
      "{\"prompt_tokens\":10,\"status\":\"INFER_E_BUDGET\"}]},"
      "{\"target\":\"q/n/o\",\"samples\":[{\"ttft_ms\":7,\"total_ms\":8,"
      "\"status\":\"INFER_OK\"}]}]}";
  inf_replay_models models;
  inf_buf error;
  inf_buf_init(&error, 4096);
  if (!inf_replay_models_read(&models, inf_sv_from(text), &error))
    fail_msg("%s", inf_buf_cstr(&error));
  assert_int_equal(models.count, 2);
  const inf_replay_model *model =
      inf_replay_models_find(&models, INF_SV("p/m"));
  assert_non_null(model);
  assert_int_equal(model->failure_count, 1);
  assert_near(model->failures[0].share, 1 / 3.0, 1e-9);
  assert_near(quantile(&model->first_token_ms, 0.5), 200, 0.02);
  assert_near(model->token_ms.a, 10, 1e-9);
  model = inf_replay_models_find(&models, INF_SV("q/n/o"));
  assert_near(model->first_token_ms.a, 7, 0);
  assert_near(model->token_ms.a, 0, 0);
  inf_replay_models_free(&models);
  inf_buf_fini(&error);
}

/* What the ladder's upper rungs did, the limiter's waits, and targets that gave
 * no answer. */
static void
knows_what_is_not_the_providers(void **state)
{
  (void)state;
  static const char text[] =
      "{\"version\":1,\"concurrency\":4,\"targets\":["
      "{\"target\":\"gone/m\",\"left_out\":\"no key\",\"samples\":[]},"
      "{\"target\":\"p/m\",\"samples\":["
      "{\"concurrency\":4,\"output_tokens\":11,\"ttft_ms\":300,"
      "\"total_ms\":400,\"limiter_ms\":100,\"status\":\"INFER_OK\"},"
      "{\"concurrency\":4,\"status\":\"stopped\"},"
      "{\"concurrency\":8,\"output_tokens\":11,\"ttft_ms\":900,"
      "\"total_ms\":1000,\"status\":\"INFER_OK\"},"
      "{\"concurrency\":8,\"status\":\"INFER_E_RATE_LIMITED\"}]}]}";
  inf_replay_models models;
  inf_buf error;
  inf_buf_init(&error, 4096);
  if (!inf_replay_models_read(&models, inf_sv_from(text), &error))
    fail_msg("%s", inf_buf_cstr(&error));
  assert_int_equal(models.count, 1);
  assert_string_equal(models.items[0].name.ptr, "p/m");
  assert_near(models.items[0].first_token_ms.a, 200, 0);
  assert_near(models.items[0].token_ms.a, 10, 1e-9);
  assert_int_equal(models.items[0].failure_count, 0);
  inf_replay_models_free(&models);
  inf_buf_fini(&error);
}

static void
says_what_is_wrong_with_a_comparison(void **state)
{
  (void)state;
  static const struct {
    const char *text, *error;
  } cases[] = {
      {"{\"version\":2,\"targets\":[]}", "version: must be 1"},
      {"{\"targets\":[]}", "version: must be 1"},
      {"{\"version\":1,\"targets\":[]}",
       "targets: none of them gave an answer"},
      {"{\"version\":1,\"targets\":[{\"target\":\"a\"}]}",
       "targets[0]: must have a \"target\" and its \"samples\""},
      {"{\"version\":1,\"targets\":[{\"target\":\"a\",\"samples\":[]}]}",
       "targets: none of them gave an answer"},
      {"{\"version\":1,\"targets\":[{\"target\":\"a\",\"samples\":[7]}]}",
       "targets[0].samples[0]: must be an object"},
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
      cmocka_unit_test(recovers_distributions),
      cmocka_unit_test(outliers_do_not_move_the_slope),
      cmocka_unit_test(counts_failures),
      cmocka_unit_test(needs_an_answer),
      cmocka_unit_test(reads_what_compare_writes),
      cmocka_unit_test(knows_what_is_not_the_providers),
      cmocka_unit_test(says_what_is_wrong_with_a_comparison),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
