/* SPDX-License-Identifier: MIT */
/* What can be said of answers. */

#include "compare_quality.h"

#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int
judge(const char *schema, const char *text)
{
  json_object *object = schema ? json_tokener_parse(schema) : NULL;
  int found = inf_cmp_judge_json(object, text, strlen(text));
  json_object_put(object);
  return found;
}

static void
test_json(void **state)
{
  (void)state;
  const char *schema = "{\"type\":\"object\",\"required\":[\"a\"]}";
  assert_int_equal(judge(schema, "{\"a\":1}\n"), INF_CMP_JSON_RIGHT);
  assert_int_equal(judge(schema, "{\"b\":1}"), INF_CMP_JSON_MISMATCH);
  assert_int_equal(judge(NULL, "{\"b\":1}"), INF_CMP_JSON_RIGHT);
  assert_int_equal(judge(schema, "{\"a\":1"), INF_CMP_JSON_BROKEN);
  assert_int_equal(judge(schema, "Sure! {\"a\":1}"), INF_CMP_JSON_BROKEN);
  assert_int_equal(judge(schema, "```json\n{\"a\":1}\n```"),
                   INF_CMP_JSON_BROKEN);
  assert_int_equal(judge(schema, "{\"a\":1} {\"a\":2}"), INF_CMP_JSON_BROKEN);
  assert_int_equal(judge(schema, ""), INF_CMP_JSON_BROKEN);
}

static uint64_t
mark(const char *name, const char *arguments)
{
  return inf_cmp_tool_mark(name, arguments, strlen(arguments));
}

static void
test_same_calls_have_the_same_mark(void **state)
{
  (void)state;
  uint64_t call = mark("f", "{\"a\":1,\"b\":[1,2]}");
  assert_int_equal(call, mark("f", "{ \"b\" : [1, 2], \"a\" : 1 }"));
  assert_int_not_equal(call, mark("g", "{\"a\":1,\"b\":[1,2]}"));
  assert_int_not_equal(call, mark("f", "{\"a\":1,\"b\":[2,1]}"));
  assert_int_not_equal(call, mark("f", "{\"a\":\"1\",\"b\":[1,2]}"));
  assert_int_not_equal(mark("f", "{\"a\":1,\"b\":2}"),
                       mark("f", "{\"a\":2,\"b\":1}"));
  assert_int_not_equal(mark("f", "{\"a\":"), 0); /* broken ones count too */
  assert_int_not_equal(mark("f", "{\"a\":"), mark("f", "{\"b\":"));
}

static void
add(inf_cmp_data *data, size_t subject, uint32_t pair, uint64_t tools,
    int32_t status, bool offered)
{
  inf_cmp_sample sample = {.subject = subject,
                           .pair = pair,
                           .tools = tools,
                           .status = status,
                           .tools_offered = offered};
  assert_true(inf_cmp_data_sample(data, &sample));
}

static void
test_agreement(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_data_init(&data);
  assert_true(inf_cmp_data_subject(&data, "a/x", false, false));
  assert_true(inf_cmp_data_subject(&data, "b/x", false, false));
  assert_true(inf_cmp_data_subject(&data, "all", true, true));
  add(&data, 0, 1, 77, INFER_OK, true); /* alike */
  add(&data, 1, 1, 77, INFER_OK, true);
  add(&data, 2, 1, 77, INFER_OK, true); /* a route is nobody's judge */
  add(&data, 0, 2, 77, INFER_OK, true); /* one calls, one does not */
  add(&data, 1, 2, 0, INFER_OK, true);
  add(&data, 0, 3, 0, INFER_OK, true); /* neither calls */
  add(&data, 1, 3, 0, INFER_OK, true);
  add(&data, 0, 4, 5, INFER_OK, true); /* nothing to compare with */
  add(&data, 1, 4, 6, INFER_E_SERVER, true);
  add(&data, 0, 5, 0, INFER_OK, false); /* no tools were there */
  add(&data, 1, 5, 0, INFER_OK, false);
  inf_cmp_agreement found = inf_cmp_tools_agree(&data, 0);
  assert_int_equal(found.compared, 3);
  assert_int_equal(found.same, 2);
  found = inf_cmp_tools_agree(&data, 2);
  assert_int_equal(found.compared, 2);
  assert_int_equal(found.same, 2);
  inf_cmp_data_fini(&data);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_json),
      cmocka_unit_test(test_same_calls_have_the_same_mark),
      cmocka_unit_test(test_agreement),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
