/* SPDX-License-Identifier: MIT */
/* What the readers of Chat Completions share: strings, status. */
#include "unit/reader_support.h"

static const inf_openai_reader no_index;

static void
only_objects_have_members(void **state)
{
  (void)state;
  static const char *const values[] = {"",        "{}",   "[1]", "[{\"a\":1}]",
                                       "\"{a}\"", "null", "17"};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    inf_json_iter it = inf_openai_members_of(&no_index, S(values[i]));
    assert_false(inf_json_next(&it));
  }
  inf_json_iter it = inf_openai_members_of(&no_index, S("{\"a\":1}"));
  assert_true(inf_json_next(&it));
  assert_sv(it.key, "a");
}

static void
strings_and_filled_ones(void **state)
{
  (void)state;
  assert_true(inf_openai_is_string(S("\"a\"")));
  assert_true(inf_openai_is_string(S("\"\"")));
  assert_false(inf_openai_is_string(S("")));
  assert_false(inf_openai_is_string(S("1")));
  assert_false(inf_openai_is_string(S("null")));
  assert_true(inf_openai_is_filled(S("\"a\"")));
  assert_false(inf_openai_is_filled(S("\"\"")));
  assert_false(inf_openai_is_filled(S("null")));
}

/* All texts of an event stay where they are until the next one. */
static void
texts_live_until_the_next_event(void **state)
{
  (void)state;
  const char *event = "[\"plain\",\"a\\nb\",\"\\ud83d\\ude00\",\"c\\td\"]";
  reader_fixture f;
  reader_init(&f, true, event);
  inf_sv texts[4];
  size_t count = 0;
  inf_json_iter it = inf_json_iter_of(S(event));
  while (inf_json_next(&it))
    texts[count++] = inf_openai_text(&f.reader, it.value);
  assert_int_equal(count, 4);
  assert_sv(texts[0], "plain");
  assert_ptr_equal(texts[0].ptr, event + 2); /* not copied */
  assert_sv(texts[1], "a\nb");
  assert_sv(texts[2], "\xf0\x9f\x98\x80");
  assert_sv(texts[3], "c\td");
  reader_fini(&f);
}

static void
other_types_have_no_text(void **state)
{
  (void)state;
  static const char *const values[] = {"",        "null", "1",
                                       "[\"a\"]", "true", "{\"a\":\"b\"}"};
  reader_fixture f;
  reader_init(&f, true, "");
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
    assert_int_equal(inf_openai_text(&f.reader, S(values[i])).len, 0);
  assert_int_equal(f.answer.status, INFER_OK);
  reader_fini(&f);
}

static void
the_first_failure_stands(void **state)
{
  (void)state;
  reader_fixture f;
  reader_init(&f, true, "");
  inf_openai_fail(&f.reader, INFER_OK);
  assert_int_equal(f.answer.status, INFER_OK);
  inf_openai_fail(&f.reader, INFER_E_PROTOCOL);
  inf_openai_fail(&f.reader, INFER_E_NO_MEMORY);
  assert_int_equal(f.answer.status, INFER_E_PROTOCOL);
  reader_fini(&f);
}

static void
short_memory_is_the_answers_failure(void **state)
{
  (void)state;
  fail_alloc_install();
  reader_fixture f;
  reader_init(&f, false, "\"a\\nb\"");
  fail_alloc_nth(1);
  assert_int_equal(inf_openai_text(&f.reader, f.reader.text).len, 0);
  assert_int_equal(f.answer.status, INFER_E_NO_MEMORY);
  fail_alloc_never();
  reader_fini(&f);
  fail_alloc_uninstall();
}

/* A whole body is no template for anything. */
static void
guesses_are_for_chunks(void **state)
{
  (void)state;
  const char *event = "\"x\"";
  reader_fixture f;
  reader_init(&f, false, event);
  inf_openai_spoil(&f.reader);
  inf_openai_hole(&f.reader, INF_HOLE_TEXT, S(event), NULL);
  assert_false(f.guess.spoiled);
  assert_int_equal(f.guess.hole_count, 0);
  reader_fini(&f);
  reader_init(&f, true, event);
  inf_openai_hole(&f.reader, INF_HOLE_TEXT, f.reader.text, NULL);
  assert_int_equal(f.guess.hole_count, 1);
  inf_openai_spoil(&f.reader);
  assert_true(f.guess.spoiled);
  reader_fini(&f);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_objects_have_members),
      cmocka_unit_test(strings_and_filled_ones),
      cmocka_unit_test(texts_live_until_the_next_event),
      cmocka_unit_test(other_types_have_no_text),
      cmocka_unit_test(the_first_failure_stands),
      cmocka_unit_test(short_memory_is_the_answers_failure),
      cmocka_unit_test(guesses_are_for_chunks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
