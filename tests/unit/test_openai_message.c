/* SPDX-License-Identifier: MIT */
/* Messages and deltas of Chat Completions: where each member goes. */
#include "unit/reader_support.h"

static void
read_message(reader_fixture *f, const char *json)
{
  inf_openai_message(&f->reader, reader_next(f, json));
}

/* The message that a whole body's object gives. */
static void
assert_message(const char *json, const char *expected)
{
  reader_fixture f;
  reader_init(&f, false, "");
  read_message(&f, json);
  assert_int_equal(f.answer.status, INFER_OK);
  assert_json_at(reader_json(&f), "/choices/0/message", expected);
  reader_fini(&f);
}

/* The same of deltas, one after the other; NULL ends them. */
static void
assert_deltas(const char *const *deltas, const char *expected)
{
  reader_fixture f;
  reader_init(&f, true, "");
  for (; *deltas; deltas++)
    read_message(&f, *deltas);
  assert_int_equal(f.answer.status, INFER_OK);
  assert_json_at(reader_json(&f), "/choices/0/message", expected);
  reader_fini(&f);
}

#define DELTAS(...)     \
  (const char *const[]) \
  {                     \
    __VA_ARGS__, NULL   \
  }

#define ASSISTANT "\"role\":\"assistant\",\"refusal\":null"

static void
text_role_and_refusal(void **state)
{
  (void)state;
  assert_message("{\"role\":\"assistant\",\"content\":\"a\\nb\"}",
                 "{" ASSISTANT ",\"content\":\"a\\nb\"}");
  assert_message("{\"content\":null,\"refusal\":\"no\"}",
                 "{\"role\":\"assistant\",\"content\":null,"
                 "\"refusal\":\"no\"}");
  assert_message("{\"role\":\"model\",\"content\":\"\"}",
                 "{\"role\":\"model\",\"content\":\"\",\"refusal\":null}");
  assert_deltas(DELTAS("{\"role\":\"assistant\",\"content\":\"\"}",
                       "{\"content\":\"Hel\"}", "{\"content\":\"lo\"}", "{}"),
                "{" ASSISTANT ",\"content\":\"Hello\"}");
  assert_deltas(DELTAS("{\"refusal\":\"I \"}", "{\"refusal\":\"won't\"}"),
                "{\"role\":\"assistant\",\"content\":null,"
                "\"refusal\":\"I won't\"}");
}

static void
reasoning_under_its_names(void **state)
{
  (void)state;
  assert_message("{\"content\":\"x\",\"reasoning_content\":\"hm\"}",
                 "{" ASSISTANT
                 ",\"content\":\"x\",\"reasoning_content\":\"hm\"}");
  assert_message("{\"content\":\"x\",\"reasoning\":\"hm\"}",
                 "{" ASSISTANT ",\"content\":\"x\",\"reasoning\":\"hm\"}");
  /* The same under both names counts once. */
  assert_message("{\"content\":\"x\",\"reasoning\":\"hm\","
                 "\"reasoning_content\":\"hm\"}",
                 "{" ASSISTANT
                 ",\"content\":\"x\",\"reasoning_content\":\"hm\"}");
  /* Details give text only where nothing else does, and pass through. */
  assert_message("{\"content\":\"x\",\"reasoning_details\":[{\"text\":\"a\"},"
                 "{\"summary\":\"b\"},{\"data\":\"c\"}]}",
                 "{" ASSISTANT ",\"content\":\"x\",\"reasoning\":\"ab\","
                 "\"reasoning_details\":[{\"text\":\"a\"},{\"summary\":\"b\"},"
                 "{\"data\":\"c\"}]}");
}

static void
content_of_parts(void **state)
{
  (void)state;
  assert_message("{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":"
                 "\"text\",\"text\":\"hm\"}]},{\"type\":\"text\",\"text\":"
                 "\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}",
                 "{" ASSISTANT
                 ",\"content\":\"ab\",\"reasoning_content\":\"hm\"}");
  assert_message("{\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\"},"
                 "{\"type\":\"refusal\",\"refusal\":\"no\"}]}",
                 "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\","
                 "\"reasoning_content\":\"hm\"}");
  assert_message("{\"content\":[{\"type\":\"image\",\"x\":1},{\"type\":"
                 "\"image\",\"x\":2}]}",
                 "{" ASSISTANT ",\"content\":null,\"content_parts\":[{\"type\":"
                 "\"image\",\"x\":1},{\"type\":\"image\",\"x\":2}]}");
}

#define CALL(id, name, arguments)                               \
  "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"na" \
  "me\":\"" name "\",\"arguments\":\"" arguments "\"}}"

static void
tool_calls_whole_and_in_pieces(void **state)
{
  (void)state;
  const char *two = "{" ASSISTANT ",\"content\":null,\"tool_calls\":[" CALL(
      "a", "f", "{\\\"x\\\":1}") "," CALL("b", "g", "{}") "]}";
  assert_message("{\"tool_calls\":[" CALL("a", "f", "{\\\"x\\\":1}") "," CALL(
                     "b", "g", "{}") "]}",
                 two);
  assert_deltas(
      DELTAS("{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\","
             "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}",
             "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
             "\"{\\\"x\\\"\"}}]}",
             "{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"type\":\"function\","
             "\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}},"
             "{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]}"),
      two);
}

/* In a whole body each element is a call of its own, whatever its index. */
static void
equal_indexes_in_a_whole_body(void **state)
{
  (void)state;
  reader_fixture f;
  reader_init(&f, false, "");
  read_message(&f, "{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":"
                   "{\"name\":\"f\",\"arguments\":\"1\"}},{\"index\":0,\"id\":"
                   "\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"2\"}}]"
                   "}");
  const inf_choice *choice = inf_answer_choice(&f.answer, 0);
  assert_int_equal(choice->tool_call_count, 2);
  assert_buf(&choice->tool_calls[0].arguments, "1");
  assert_buf(&choice->tool_calls[1].arguments, "2");
  reader_fini(&f);
}

static void
tool_calls_of_other_forms(void **state)
{
  (void)state;
  reader_fixture f;
  reader_init(&f, false, "");
  read_message(&f,
               "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\","
               "\"arguments\":{\"x\":1},\"strict\":true,\"none\":null},"
               "\"extra\":{\"sig\":\"s\"}},"
               "{\"id\":\"b\",\"custom\":{\"name\":\"g\",\"input\":\"raw\"}},"
               "17,null,{}]}");
  assert_int_equal(f.answer.status, INFER_OK);
  const inf_choice *choice = inf_answer_choice(&f.answer, 0);
  assert_int_equal(choice->tool_call_count, 5);
  assert_buf(&choice->tool_calls[0].arguments, "{\"x\":1}");
  assert_buf(&choice->tool_calls[1].type, "custom");
  assert_buf(&choice->tool_calls[1].arguments, "raw");
  const char *json = reader_json(&f);
  assert_json_at(json, "/choices/0/message/tool_calls/0/function/strict",
                 "true");
  assert_json_at(json, "/choices/0/message/tool_calls/0/extra/sig", "\"s\"");
  assert_false(json_has(json, "/choices/0/message/tool_calls/0/function/none"));
  reader_fini(&f);
}

static void
unknown_members_pass_through(void **state)
{
  (void)state;
  assert_message("{\"content\":\"x\",\"audio\":{\"id\":\"a\"},\"y\":[1]}",
                 "{" ASSISTANT ",\"content\":\"x\",\"audio\":{\"id\":\"a\"},"
                 "\"y\":[1]}");
  assert_deltas(DELTAS("{\"content\":\"x\",\"y\":[1],\"index\":3,"
                       "\"token_id\":9}",
                       "{\"y\":[2]}"),
                "{" ASSISTANT ",\"content\":\"x\",\"y\":[1,2]}");
  /* A whole message may have these names for something of its own. */
  assert_message("{\"content\":\"x\",\"index\":3}",
                 "{" ASSISTANT ",\"content\":\"x\",\"index\":3}");
}

static void
values_of_wrong_types_do_no_harm(void **state)
{
  (void)state;
  static const char *const values[] = {"null", "true", "17", "\"s\"",
                                       "[]",   "[[]]", "{}", "[null,1,\"s\"]"};
  static const char *const members[] = {
      "content",           "role",
      "refusal",           "tool_calls",
      "reasoning",         "reasoning_content",
      "reasoning_details", "index",
      "token_id",          "audio"};
  for (size_t m = 0; m < sizeof members / sizeof members[0]; m++)
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
      for (int chunk = 0; chunk < 2; chunk++) {
        char json[128];
        snprintf(json, sizeof json, "{\"%s\":%s}", members[m], values[v]);
        reader_fixture f;
        reader_init(&f, chunk != 0, "");
        read_message(&f, json);
        read_message(&f, values[v]); /* and no message at all */
        assert_int_equal(f.answer.status, INFER_OK);
        json_object *parsed = json_tokener_parse(reader_json(&f));
        assert_non_null(parsed);
        json_object_put(parsed);
        reader_fini(&f);
      }
}

/* Which chunks may be the template for the next: those of one text. */
static void
what_spoils_a_guess(void **state)
{
  (void)state;
  static const struct {
    const char *delta;
    size_t holes;
    bool spoiled;
  } cases[] = {
      {"{\"content\":\"x\"}", 1, false},
      {"{\"content\":\"x\",\"role\":\"assistant\"}", 1, false},
      {"{\"content\":\"x\",\"reasoning\":\"y\"}", 2, false},
      {"{\"content\":null,\"reasoning_content\":\"y\"}", 1, false},
      {"{\"reasoning\":\"y\",\"reasoning_content\":\"y\"}", 0, true},
      {"{\"refusal\":\"x\"}", 0, true},
      {"{\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}", 0, true},
      {"{\"tool_calls\":[" CALL("a", "f", "") "]}", 0, true},
      {"{\"content\":\"x\",\"y\":\"piece\"}", 1, true},
      {"{\"content\":\"x\",\"y\":{}}", 1, true},
      {"{\"content\":\"x\",\"y\":[1]}", 1, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    reader_fixture f;
    reader_init(&f, true, "");
    read_message(&f, cases[i].delta);
    assert_int_equal(f.guess.hole_count, cases[i].holes);
    assert_true(f.guess.spoiled == cases[i].spoiled);
    reader_fini(&f);
  }
}

static void
read_all(void *arg)
{
  reader_fixture f;
  reader_init(&f, true, "");
  read_message(&f, arg);
  assert_int_equal(f.answer.status,
                   fail_alloc_hits() > 0 ? INFER_E_NO_MEMORY : INFER_OK);
  reader_fini(&f);
}

static void
short_memory_is_the_answers_failure(void **state)
{
  (void)state;
  char json[] = "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\","
                "\"text\":\"a\\nb\"},{\"type\":\"image\"}],\"reasoning\":\"r\","
                "\"refusal\":\"no\",\"y\":{\"z\":1},\"tool_calls\":[{\"id\":"
                "\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\\\"\","
                "\"strict\":true},\"more\":1}]}";
  fail_alloc_install();
  assert_true(fail_alloc_sweep(read_all, json) > 20);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_role_and_refusal),
      cmocka_unit_test(reasoning_under_its_names),
      cmocka_unit_test(content_of_parts),
      cmocka_unit_test(tool_calls_whole_and_in_pieces),
      cmocka_unit_test(equal_indexes_in_a_whole_body),
      cmocka_unit_test(tool_calls_of_other_forms),
      cmocka_unit_test(unknown_members_pass_through),
      cmocka_unit_test(values_of_wrong_types_do_no_harm),
      cmocka_unit_test(what_spoils_a_guess),
      cmocka_unit_test(short_memory_is_the_answers_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
