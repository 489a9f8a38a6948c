/* SPDX-License-Identifier: MIT */
/* Prompts of a file, and made ones. */

#include "compare_mix.h"
#include "compare_prompts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Reads text; checks that it works. */
static inf_cmp_prompts
read_good(const char *text)
{
  char why[512] = "";
  inf_cmp_prompts prompts = {0};
  if (!inf_cmp_prompts_read(&prompts, "p.jsonl", text, strlen(text), why,
                            sizeof(why))) {
    print_error("%s\n", why);
    fail();
  }
  return prompts;
}

static void
assert_bad(const char *text, const char *wanted)
{
  char why[512] = "";
  inf_cmp_prompts prompts = {0};
  assert_false(inf_cmp_prompts_read(&prompts, "p.jsonl", text, strlen(text),
                                    why, sizeof(why)));
  if (!strstr(why, wanted)) {
    print_error("no \"%s\" in \"%s\"\n", wanted, why);
    fail();
  }
  inf_cmp_prompts_fini(&prompts);
}

/* Does the request, as the library has it, contain the text? */
static void
assert_request(const inf_cmp_prompt *prompt, const char *wanted)
{
  char *json = NULL;
  assert_int_equal(infer_request_json(prompt->request, &json, NULL), INFER_OK);
  if (!strstr(json, wanted)) {
    print_error("no %s in %s\n", wanted, json);
    fail();
  }
  infer_text_free(json);
}

static void
test_forms(void **state)
{
  (void)state;
  inf_cmp_prompts prompts = read_good(
      "\"Say hello.\"\r\n"
      "\n"
      "  {\"id\": \"two\", \"prompt\": \"Add 1 and 1.\", \"seed\": 7}\n"
      "{\"id\": 12, \"model\": \"x\", \"stream\": true, \"max_tokens\": 30,"
      "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
  assert_int_equal(prompts.count, 3);
  assert_string_equal(prompts.list[0].name, "1");
  assert_request(&prompts.list[0], "\"content\":\"Say hello.\"");
  assert_string_equal(prompts.list[1].name, "two");
  assert_request(&prompts.list[1], "\"seed\":7");
  assert_string_equal(prompts.list[2].name, "12");
  assert_int_equal(prompts.list[2].max_tokens, 30);
  assert_int_equal(prompts.list[0].max_tokens, -1);
  char *json = NULL;
  assert_int_equal(infer_request_json(prompts.list[2].request, &json, NULL),
                   INFER_OK);
  assert_null(strstr(json, "\"id\""));
  assert_null(strstr(json, "\"stream\""));
  infer_text_free(json);
  assert_true(inf_cmp_prompts_limit(&prompts, 99));
  assert_request(&prompts.list[0], "\"max_completion_tokens\":99");
  assert_int_equal(prompts.list[2].max_tokens, 30); /* has its own */
  inf_cmp_prompts_fini(&prompts);
}

/* Some editors begin a file with it. */
static void
test_byte_order_mark(void **state)
{
  (void)state;
  inf_cmp_prompts prompts = read_good("\xef\xbb\xbf\"Hi\"\r\n\"Ho\"\r\n");
  assert_int_equal(prompts.count, 2);
  assert_string_equal(prompts.list[0].name, "1");
  assert_request(&prompts.list[0], "\"content\":\"Hi\"");
  inf_cmp_prompts_fini(&prompts);
  assert_bad("\"Hi\"\n\xef\xbb\xbf\"Ho\"", "p.jsonl:2: ");
  assert_bad("\xef\xbb\xbf", "p.jsonl: no prompts");
}

static void
test_what_is_wanted(void **state)
{
  (void)state;
  inf_cmp_prompts prompts = read_good(
      "{\"prompt\":\"x\",\"response_format\":{\"type\":\"json_schema\","
      "\"json_schema\":{\"name\":\"a\",\"schema\":{\"type\":\"object\"}}}}\n"
      "{\"prompt\":\"x\",\"response_format\":{\"type\":\"json_object\"}}\n"
      "{\"prompt\":\"x\",\"tools\":[{\"type\":\"function\",\"function\":{"
      "\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]}\n");
  assert_true(prompts.list[0].wants_json);
  assert_non_null(prompts.list[0].schema);
  assert_true(prompts.list[1].wants_json);
  assert_null(prompts.list[1].schema);
  assert_false(prompts.list[1].wants_tools);
  assert_true(prompts.list[2].wants_tools);
  inf_cmp_prompts_fini(&prompts);
}

static void
test_bad_lines_are_named(void **state)
{
  (void)state;
  assert_bad("\"a\"\n{\"prompt\": }\n", "p.jsonl:2: ");
  assert_bad("\"a\"\n\n\"b\n", "p.jsonl:3: ");
  assert_bad("{\"prompt\":\"x\"} x", "p.jsonl:1: column 16: ");
  assert_bad("[1]", "p.jsonl:1: a text or an object is needed");
  assert_bad("{\"id\":\"a\"}", "neither");
  assert_bad("{\"prompt\":\"a\",\"messages\":[]}", "both");
  assert_bad("{\"prompt\":7}", "\"prompt\" must be a text");
  assert_bad("{\"prompt\":\"a\",\"id\":[]}", "\"id\" must be");
  assert_bad("{\"messages\":[]}", "p.jsonl:1: ");
  assert_bad("{\"messages\":\"x\"}", "p.jsonl:1: ");
  assert_bad("\"\xff\"", "p.jsonl:1: ");
  assert_bad("\n \n", "p.jsonl: no prompts");
  assert_bad("", "no prompts");
}

static void
test_deep_and_raw(void **state)
{
  (void)state;
  static const char raw[] = "\"a\"\0\"b\"\n";
  char why[200];
  inf_cmp_prompts prompts = {0};
  assert_false(inf_cmp_prompts_read(&prompts, "p.jsonl", raw, sizeof(raw) - 1,
                                    why, sizeof(why)));
  assert_non_null(strstr(why, "more follows"));
  inf_cmp_prompts_fini(&prompts);
  char deep[600];
  memset(deep, '[', sizeof(deep) - 1);
  deep[sizeof(deep) - 1] = '\0';
  assert_bad(deep, "p.jsonl:1: ");
}

static void
test_mix(void **state)
{
  (void)state;
  inf_cmp_prompts one = {0}, same = {0}, other = {0};
  assert_true(inf_cmp_mix_add(&one, INF_CMP_MIX_ALL, 60, 1));
  assert_true(inf_cmp_mix_add(&same, INF_CMP_MIX_ALL, 60, 1));
  assert_true(inf_cmp_mix_add(&other, INF_CMP_MIX_ALL, 60, 2));
  assert_int_equal(one.count, 60);
  assert_string_equal(one.list[0].name, "chat-1");
  assert_string_equal(one.list[1].name, "rag-2");
  assert_string_equal(one.list[2].name, "agent-3");
  assert_false(one.list[0].wants_tools);
  assert_true(one.list[2].wants_tools);
  assert_in_range(one.list[0].bytes, 60, 400);
  assert_in_range(one.list[1].bytes, 6000, 12000);
  for (size_t i = 0; i < 60; i++) {
    const char *text = json_object_to_json_string(one.list[i].messages);
    assert_string_equal(text,
                        json_object_to_json_string(same.list[i].messages));
    if (i % 3 == 1) {
      assert_string_not_equal(
          text, json_object_to_json_string(other.list[i].messages));
    }
  }
  inf_cmp_prompts_fini(&one);
  inf_cmp_prompts_fini(&same);
  inf_cmp_prompts_fini(&other);
}

static void
test_mix_kinds(void **state)
{
  (void)state;
  assert_int_equal(inf_cmp_mix_kinds("chat"), INF_CMP_MIX_CHAT);
  assert_int_equal(inf_cmp_mix_kinds("rag,agent"),
                   INF_CMP_MIX_RAG | INF_CMP_MIX_AGENT);
  assert_int_equal(inf_cmp_mix_kinds("all"), INF_CMP_MIX_ALL);
  assert_int_equal(inf_cmp_mix_kinds("chats"), 0);
  assert_int_equal(inf_cmp_mix_kinds("chat,"), 0);
  assert_int_equal(inf_cmp_mix_kinds(""), 0);
  inf_cmp_prompts prompts = {0};
  assert_true(inf_cmp_mix_add(&prompts, INF_CMP_MIX_AGENT, 3, 1));
  for (size_t i = 0; i < 3; i++) {
    assert_true(prompts.list[i].wants_tools);
  }
  inf_cmp_prompts_fini(&prompts);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_forms),
      cmocka_unit_test(test_byte_order_mark),
      cmocka_unit_test(test_what_is_wanted),
      cmocka_unit_test(test_bad_lines_are_named),
      cmocka_unit_test(test_deep_and_raw),
      cmocka_unit_test(test_mix),
      cmocka_unit_test(test_mix_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
