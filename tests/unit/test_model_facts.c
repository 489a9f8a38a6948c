/* SPDX-License-Identifier: MIT */
/* What is known of models, and by which names it is found. */
#include "config/model_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const inf_model_table *
table_of(const char *type)
{
  const inf_provider_kind *kind = inf_provider_kind_find(inf_sv_from(type));
  assert_non_null(kind);
  const inf_model_table *table = inf_model_table_of(kind);
  assert_non_null(table);
  return table;
}

static inf_model
found(const char *type, const char *name)
{
  inf_model model;
  if (!inf_model_find(table_of(type), inf_sv_from(name), INF_SV(""), &model))
    fail_msg("%s: nothing is known of %s", type, name);
  return model;
}

static void
assert_unknown(const char *type, const char *name)
{
  inf_model model = {.name = "untouched"};
  assert_false(
      inf_model_find(table_of(type), inf_sv_from(name), INF_SV(""), &model));
  assert_string_equal(model.name, "untouched");
}

/* ---- Data ---------------------------------------------------------------- */

/* Of the letters that exclude one another at most one stands. */
static void
check_traits(const inf_model *model)
{
  static const char pairs[] = "TtVvSsPp";
  size_t letters = strspn(model->traits, "TtVvSsRPpmkeg");
  size_t digits = strspn(model->traits + letters, "0123456789");
  assert_int_equal(letters + digits, strlen(model->traits));
  assert_true(digits == 0 || model->price_up_to_tokens > 0);
  for (size_t i = 0; pairs[i]; i += 2)
    assert_false(inf_model_says(model, pairs[i]) &&
                 inf_model_says(model, pairs[i + 1]));
}

static void
check_price(const inf_price *price)
{
  const int64_t parts[] = {price->input,       price->output,
                           price->cache_read,  price->cache_write,
                           price->reasoning,   price->audio_input,
                           price->audio_output};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    assert_in_range(parts[i] + 1, 0, INF_PRICE_MAX + 1);
  assert_true(inf_price_is_known(price));
  /* Not a cent and a dollar taken for one another. */
  assert_true(price->output < 1000000000);
  assert_true(price->cache_read <= price->input);
}

static void
rows_are_sound_and_in_order(void **state)
{
  (void)state;
  const inf_model_table *table;
  size_t count = 0;
  for (size_t t = 0; (table = inf_model_table_at(t)) != NULL; t++) {
    assert_int_equal(strlen(table->source->date), strlen("2026-08-01"));
    for (size_t i = 0; i < table->count; i++, count++) {
      const inf_model *model = &table->models[i];
      if (i > 0 && strcmp(table->models[i - 1].name, model->name) >= 0)
        fail_msg("%s: %s is not behind %s", table->kinds, model->name,
                 table->models[i - 1].name);
      check_traits(model);
      check_price(&model->price);
      assert_true(model->output_tokens >= 0 && model->context_tokens >= 0);
      if (model->context_tokens > 0)
        assert_true(model->output_tokens < model->context_tokens);
      assert_true(model->price_up_to_tokens <= model->context_tokens);
    }
  }
  assert_true(count >= 150);
}

/* Each word is the type of a provider, and no type has two tables. */
static void
tables_are_of_kinds_that_there_are(void **state)
{
  (void)state;
  const inf_model_table *table;
  for (size_t t = 0; (table = inf_model_table_at(t)) != NULL; t++) {
    inf_sv rest = inf_sv_from(table->kinds);
    while (rest.len > 0) {
      char word[64];
      size_t len = inf_sv_find(rest, ' ');
      snprintf(word, sizeof word, "%.*s", (int)len, rest.ptr);
      assert_ptr_equal(table_of(word), table);
      rest = inf_sv_trim(inf_sv_of(rest.ptr + len, rest.len - len));
    }
  }
  assert_null(inf_model_table_of(inf_provider_kind_find(INF_SV("vllm"))));
  assert_null(inf_model_table_of(inf_provider_kind_find(INF_SV("litellm"))));
}

/* ---- Names --------------------------------------------------------------- */

static void
a_model_is_found_by_its_name(void **state)
{
  (void)state;
  inf_model model = found("openai", "gpt-4o");
  assert_int_equal(model.context_tokens, 128000);
  assert_int_equal(model.output_tokens, 16384);
  assert_int_equal(model.price.input, 2500000);
  assert_int_equal(model.price.output, 10000000);
  assert_int_equal(model.price.cache_read, 1250000);
  assert_int_equal(model.price.cache_write, INF_PRICE_UNKNOWN);
  assert_true(inf_model_says(&model, 'T') && inf_model_says(&model, 'V'));
  assert_false(inf_model_says(&model, 'm'));
  assert_int_equal(inf_model_times_beyond(&model), 1);
  model = found("openai", "gpt-5.4");
  assert_int_equal(inf_model_times_beyond(&model), 2);
  model = found("alibaba", "qwen3-max");
  assert_int_equal(inf_model_times_beyond(&model), 3);
  model = found("alibaba", "qwen3-coder-plus");
  assert_int_equal(inf_model_times_beyond(&model), 12);
  /* Prices that no double has exactly. */
  assert_int_equal(found("deepseek", "deepseek-v4-pro").price.cache_read, 3625);
  assert_int_equal(found("groq", "openai/gpt-oss-20b").price.cache_read, 37500);
  assert_int_equal(found("groq", "qwen/qwen3-32b").price.input, 290000);
  /* The same models by another language. */
  assert_string_equal(found("openai-responses", "o3").name, "o3");
}

static void
the_first_and_the_last_row_are_found_too(void **state)
{
  (void)state;
  const inf_model_table *table;
  for (size_t t = 0; (table = inf_model_table_at(t)) != NULL; t++)
    for (size_t i = 0; i < table->count; i++) {
      inf_model model;
      assert_true(inf_model_find(table, inf_sv_from(table->models[i].name),
                                 INF_SV(""), &model));
      assert_string_equal(model.name, table->models[i].name);
    }
}

static void
a_snapshot_is_its_model(void **state)
{
  (void)state;
  assert_string_equal(found("openai", "gpt-4o-2024-11-20").name, "gpt-4o");
  assert_string_equal(found("openai", "gpt-4o-mini-2024-07-18").name,
                      "gpt-4o-mini");
  assert_string_equal(found("anthropic", "claude-opus-4-5-20251101").name,
                      "claude-opus-4-5");
  assert_string_equal(
      found("vertex-anthropic", "claude-sonnet-4-5@20250929").name,
      "claude-sonnet-4-5");
  assert_string_equal(found("vertex-anthropic", "claude-opus-5@default").name,
                      "claude-opus-5");
  /* One that differs has a row. */
  assert_int_equal(found("openai", "gpt-4o-2024-05-13").price.input, 5000000);
}

static void
of_another_name_nothing_is_known(void **state)
{
  (void)state;
  assert_unknown("openai", "");
  assert_unknown("openai", "gpt-4o-realtime");
  assert_unknown("openai", "gpt-4o-2024-11");
  assert_unknown("openai", "gpt-4o-20x4-11-20");
  assert_unknown("openai", "-2024-11-20");
  assert_unknown("openai", "ft:gpt-4o-2024-08-06:house::1");
  assert_unknown("openai", "GPT-4o");
  assert_unknown("openai", "zzz");
  assert_unknown("openrouter", "openai/gpt-oss-120b:free");
  assert_unknown("groq", "us.gpt-oss-120b");
}

static void
a_profile_of_bedrock_is_its_model(void **state)
{
  (void)state;
  const char *sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
  inf_model model = found("bedrock", sonnet);
  assert_int_equal(model.price.input, 3000000);
  model = found("bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0");
  assert_string_equal(model.name, sonnet);
  assert_int_equal(model.price.input, 3000000);
  /* Ten percent more, in all parts; what is not known stays so. */
  model = found("bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0");
  assert_int_equal(model.price.input, 3300000);
  assert_int_equal(model.price.output, 16500000);
  assert_int_equal(model.price.cache_read, 330000);
  assert_int_equal(model.price.cache_write, 4125000);
  assert_int_equal(model.price.audio_input, INF_PRICE_UNKNOWN);
  assert_int_equal(model.context_tokens, 200000);
  /* A model without that trait costs the same. */
  model = found("bedrock", "us.meta.llama3-3-70b-instruct-v1:0");
  assert_int_equal(model.price.input, 720000);
  /* A row of its own comes first. */
  model = found("bedrock", "eu.amazon.nova-pro-v1:0");
  assert_int_equal(model.price.input, 1050000);
  /* The limits are known, the price is not. */
  model = found("bedrock", "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0");
  assert_int_equal(model.context_tokens, 200000);
  assert_false(inf_price_is_known(&model.price));
  assert_int_equal(model.price.cache_read, INF_PRICE_UNKNOWN);
  model = found("bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/"
                           "us.anthropic.claude-opus-4-7");
  assert_int_equal(model.price.input, 5500000);
  /* The profile of another geography costs otherwise, nobody says how much. */
  model = found("bedrock", "eu.meta.llama3-3-70b-instruct-v1:0");
  assert_int_equal(model.context_tokens, 128000);
  assert_false(inf_price_is_known(&model.price));
  assert_int_equal(found("bedrock", "eu.deepseek.v3.2").price.input, 740000);
  assert_unknown("bedrock", "xx.anthropic.claude-opus-4-7");
  assert_unknown("bedrock", "arn:aws:bedrock:us-east-1:1:imported-model/a");
}

static int64_t
price_in(const char *region, const char *name)
{
  inf_model model;
  assert_true(inf_model_find(table_of("bedrock"), inf_sv_from(name),
                             inf_sv_from(region), &model));
  return model.price.input;
}

static void
without_a_profile_the_region_decides(void **state)
{
  (void)state;
  assert_int_equal(price_in("us-west-2", "deepseek.v3.2"), 620000);
  assert_int_equal(price_in("eu-west-1", "deepseek.v3.2"), INF_PRICE_UNKNOWN);
  assert_int_equal(price_in("us-gov-west-1", "amazon.nova-pro-v1:0"),
                   INF_PRICE_UNKNOWN);
  /* A profile names its geography, wherever the account is. */
  assert_int_equal(price_in("eu-west-1", "global.anthropic.claude-opus-5"),
                   5000000);
  assert_int_equal(price_in("eu-west-1", "eu.anthropic.claude-opus-5"),
                   5500000);
  assert_int_equal(price_in("eu-west-1", "eu.amazon.nova-pro-v1:0"), 1050000);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_sound_and_in_order),
      cmocka_unit_test(tables_are_of_kinds_that_there_are),
      cmocka_unit_test(a_model_is_found_by_its_name),
      cmocka_unit_test(the_first_and_the_last_row_are_found_too),
      cmocka_unit_test(a_snapshot_is_its_model),
      cmocka_unit_test(of_another_name_nothing_is_known),
      cmocka_unit_test(a_profile_of_bedrock_is_its_model),
      cmocka_unit_test(without_a_profile_the_region_decides),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
