/* SPDX-License-Identifier: MIT */
/* Token counts of OpenAI's shape and of its neighbours. */
#include "unit/reader_support.h"

static inf_usage
usage_of(const char *json)
{
  reader_fixture f;
  reader_init(&f, true, json);
  inf_openai_usage(&f.reader, f.reader.text);
  assert_int_equal(f.answer.status, INFER_OK);
  inf_usage usage = f.answer.usage;
  assert_true(f.guess.spoiled == (f.answer.usage_json.len > 0));
  if (f.answer.usage_json.len > 0)
    assert_buf(&f.answer.usage_json, json);
  reader_fini(&f);
  return usage;
}

#define assert_usage(json, in, out, think, read, write, all) \
  do {                                                       \
    inf_usage usage = usage_of(json);                        \
    assert_int_equal(usage.input, in);                       \
    assert_int_equal(usage.output, out);                     \
    assert_int_equal(usage.reasoning, think);                \
    assert_int_equal(usage.cache_read, read);                \
    assert_int_equal(usage.cache_write, write);              \
    assert_int_equal(usage.total, all);                      \
  } while (0)

static void
figures_of_openai(void **state)
{
  (void)state;
  assert_usage("{\"prompt_tokens\":10,\"completion_tokens\":7,"
               "\"total_tokens\":17,\"prompt_tokens_details\":{"
               "\"cached_tokens\":4,\"cache_write_tokens\":2},"
               "\"completion_tokens_details\":{\"reasoning_tokens\":3}}",
               10, 7, 3, 4, 2, 17);
  assert_usage("{\"prompt_tokens\":0}", 0, -1, -1, -1, -1, -1);
  inf_usage audio = usage_of(
      "{\"prompt_tokens\":10,\"prompt_tokens_details\":{\"audio_tokens\":4},"
      "\"completion_tokens_details\":{\"audio_tokens\":5}}");
  assert_int_equal(audio.audio_input, 4);
  assert_int_equal(audio.audio_output, 5);
  assert_int_equal(usage_of("{\"prompt_tokens\":0}").audio_input, -1);
}

static void
figures_in_other_places(void **state)
{
  (void)state;
  assert_usage("{\"completion_tokens\":1,\"cached_tokens\":5}", -1, 1, -1, 5,
               -1, -1);
  assert_usage("{\"prompt_cache_hit_tokens\":6}", -1, -1, -1, 6, -1, -1);
  assert_usage("{\"cache_read_input_tokens\":7,"
               "\"cache_creation_input_tokens\":8}",
               -1, -1, -1, 7, 8, -1);
  assert_usage("{\"num_cached_tokens\":9,\"reasoning_tokens\":1}", -1, -1, 1, 9,
               -1, -1);
  /* OpenAI's place comes first. */
  assert_usage("{\"cached_tokens\":5,\"prompt_tokens_details\":"
               "{\"cached_tokens\":4}}",
               -1, -1, -1, 4, -1, -1);
}

/* xAI's total shows whether reasoning stands beside the output. */
static void
reasoning_beside_the_output(void **state)
{
  (void)state;
  assert_usage("{\"prompt_tokens\":10,\"completion_tokens\":2,"
               "\"total_tokens\":17,\"reasoning_tokens\":5}",
               10, 7, 5, -1, -1, 17);
  assert_usage("{\"prompt_tokens\":10,\"completion_tokens\":7,"
               "\"total_tokens\":17,\"reasoning_tokens\":5}",
               10, 7, 5, -1, -1, 17);
  assert_usage("{\"prompt_tokens\":10,\"completion_tokens\":7,"
               "\"reasoning_tokens\":5}",
               10, 7, 5, -1, -1, -1);
  /* Figures at the end of the range must not overflow, nor their sums. */
  inf_usage usage =
      usage_of("{\"prompt_tokens\":9223372036854775807,\"completion_tokens\":"
               "9223372036854775807,\"total_tokens\":1,"
               "\"reasoning_tokens\":9223372036854775807}");
  assert_true(usage.input == INF_USAGE_MAX);
  assert_true(usage.output == INF_USAGE_MAX);
}

static void
what_are_no_figures(void **state)
{
  (void)state;
  static const char *const cases[] = {"",
                                      "null",
                                      "[1]",
                                      "7",
                                      "\"x\"",
                                      "{}",
                                      "{\"prompt_tokens\":null}",
                                      "{\"a\":{\"b\":1}}"};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_usage(cases[i], -1, -1, -1, -1, -1, -1);
  /* Numbers, but none that counts. */
  assert_usage("{\"prompt_tokens\":-1,\"completion_tokens\":\"7x\","
               "\"total_tokens\":1e99}",
               -1, -1, -1, -1, -1, -1);
}

/* What is known stays when a later object does not say it. */
static void
later_figures_replace_earlier_ones(void **state)
{
  (void)state;
  reader_fixture f;
  reader_init(&f, true, "");
  inf_openai_usage(&f.reader,
                   S("{\"prompt_tokens\":3,\"completion_tokens\":1}"));
  inf_openai_usage(&f.reader, S("{\"completion_tokens\":2}"));
  inf_openai_usage(&f.reader, S("{\"completion_tokens\":null}"));
  assert_int_equal(f.answer.usage.input, 3);
  assert_int_equal(f.answer.usage.output, 2);
  reader_fini(&f);
}

static void
x_groq(reader_fixture *f, const char *json)
{
  inf_openai_x_groq(&f->reader, reader_next(f, json));
}

static void
groqs_usage_and_the_rest_of_it(void **state)
{
  (void)state;
  reader_fixture f;
  reader_init(&f, true, "");
  x_groq(&f, "");
  assert_false(json_has(reader_json(&f), "/x_groq"));
  x_groq(&f, "{\"id\":\"r\"}");
  assert_json_at(reader_json(&f), "/x_groq", "{\"id\":\"r\"}");
  x_groq(&f, "{\"id\":\"r2\",\"usage\":{\"prompt_tokens\":3}}");
  assert_json_at(reader_json(&f), "/x_groq", "{\"id\":\"r2\"}");
  assert_int_equal(f.answer.usage.input, 3);
  reader_fini(&f);

  /* With nothing but usage there is nothing to keep. */
  reader_init(&f, true, "");
  x_groq(&f, "{\"usage\":{\"prompt_tokens\":3}}");
  assert_false(json_has(reader_json(&f), "/x_groq"));
  assert_int_equal(f.answer.usage.input, 3);
  /* The usage that came first is the answer's own. */
  x_groq(&f, "{\"usage\":{\"prompt_tokens\":4}}");
  assert_int_equal(f.answer.usage.input, 3);
  reader_fini(&f);

  /* After a failure only the usage is looked at. */
  reader_init(&f, true, "");
  f.decoder.failed = true;
  x_groq(&f, "{\"id\":\"r\",\"usage\":{\"prompt_tokens\":5}}");
  assert_false(json_has(reader_json(&f), "/x_groq"));
  assert_int_equal(f.answer.usage.input, 5);
  reader_fini(&f);
}

static void
read_all(void *arg)
{
  (void)arg;
  reader_fixture f;
  reader_init(&f, true, "");
  x_groq(&f, "{\"id\":\"r\",\"usage\":{\"prompt_tokens\":3}}");
  assert_int_equal(f.answer.status,
                   fail_alloc_hits() > 0 ? INFER_E_NO_MEMORY : INFER_OK);
  reader_fini(&f);
}

static void
short_memory_is_the_answers_failure(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(read_all, NULL) > 3);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_of_openai),
      cmocka_unit_test(figures_in_other_places),
      cmocka_unit_test(reasoning_beside_the_output),
      cmocka_unit_test(what_are_no_figures),
      cmocka_unit_test(later_figures_replace_earlier_ones),
      cmocka_unit_test(groqs_usage_and_the_rest_of_it),
      cmocka_unit_test(short_memory_is_the_answers_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
