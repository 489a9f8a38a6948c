/* SPDX-License-Identifier: MIT */
#include "provider/tool_ids.h"
#include "unit/writer_support.h"

#define CALLS(list) "{\"role\":\"assistant\",\"tool_calls\":[" list "]}"
#define RESULT(id)  "{\"role\":\"tool\",\"tool_call_id\":\"" id "\"}"

static void
call_is(const inf_tool_ids *ids, size_t place, const char *wanted)
{
  inf_buf id;
  inf_buf_init(&id, 256);
  inf_tool_ids_of_call(ids, place, &id);
  assert_buf(&id, wanted);
  inf_buf_fini(&id);
}

static void
result_is(inf_tool_ids *ids, const char *result, size_t place,
          const char *wanted)
{
  inf_buf id;
  inf_buf_init(&id, 256);
  size_t found = inf_tool_ids_answered(ids, S(result));
  assert_int_equal(found, place);
  inf_tool_ids_of_result(ids, S(result), found, &id);
  assert_buf(&id, wanted);
  inf_buf_fini(&id);
}

static void
test_calls_without_ids_are_numbered(void **state)
{
  (void)state;
  inf_tool_ids ids = {0};
  inf_tool_ids_see(&ids, S("{\"role\":\"user\"}"));
  inf_tool_ids_see(&ids, S(CALLS("{},{\"id\":\"x\"},{\"id\":\"\"}")));
  call_is(&ids, 0, "call_0");
  call_is(&ids, 1, "x");
  call_is(&ids, 2, "call_2");
  inf_tool_ids_see(&ids, S("{\"role\":\"assistant\",\"tool_calls\":[]}"));
  inf_tool_ids_see(&ids, S(CALLS("{\"id\":null}")));
  call_is(&ids, 0, "call_3");
}

static void
test_results_find_their_calls(void **state)
{
  (void)state;
  inf_tool_ids ids = {0};
  result_is(&ids, "{\"role\":\"tool\"}", SIZE_MAX, "");
  inf_tool_ids_see(&ids, S(CALLS("{},{\"id\":\"x\"}")));
  result_is(&ids, RESULT("x"), 1, "x");
  result_is(&ids, "{\"role\":\"tool\"}", 0, "call_0");
  result_is(&ids, RESULT(""), 1, "x");
  result_is(&ids, RESULT(""), SIZE_MAX, ""); /* more results than calls */
  result_is(&ids, RESULT("of before"), SIZE_MAX, "of before");
  result_is(&ids, RESULT("a\\u0062"), SIZE_MAX, "ab");
}

static void
test_ids_of_nine(void **state)
{
  (void)state;
  inf_tool_ids ids = {.form = INF_TOOL_ID_NINE};
  inf_buf first, second;
  inf_tool_ids_see(&ids,
                   S(CALLS("{\"id\":\"aB3dE6gH9\"},{\"id\":\"toolu_01\"},{},"
                           "{\"id\":\"toolu_02\"},{\"id\":\"aB3dE6gH_\"}")));
  call_is(&ids, 0, "aB3dE6gH9"); /* has the form */
  inf_buf_init(&first, 64);
  inf_buf_init(&second, 64);
  for (size_t i = 1; i < 5; i++) {
    inf_buf_clear(&second);
    inf_tool_ids_of_call(&ids, i, &second);
    assert_int_equal(second.len, 9);
    for (size_t j = 0; j < 9; j++)
      assert_true(inf_sv_find(S("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi"
                                "jklmnopqrstuvwxyz"),
                              second.ptr[j]) < 62);
    assert_false(inf_sv_eq(inf_buf_sv(&first), inf_buf_sv(&second)));
    inf_buf_clear(&first);
    inf_buf_append_sv(&first, inf_buf_sv(&second));
  }
  /* The result's id becomes the same. */
  inf_buf_clear(&first);
  inf_buf_clear(&second);
  inf_tool_ids_of_call(&ids, 1, &first);
  inf_tool_ids_of_result(&ids, S(RESULT("toolu_01")), 1, &second);
  assert_true(inf_sv_eq(inf_buf_sv(&first), inf_buf_sv(&second)));
  inf_buf_fini(&first);
  inf_buf_fini(&second);
}

static void
test_what_needs_repair(void **state)
{
  (void)state;
  static const struct {
    inf_tool_id_form form;
    const char *messages;
    bool needed;
  } cases[] = {
      {INF_TOOL_ID_ANY, "", false},
      {INF_TOOL_ID_ANY, "{\"role\":\"tool\",\"content\":\"x\"}", false},
      {INF_TOOL_ID_ANY, CALLS("{\"id\":\"x\"}") "," RESULT("x"), false},
      {INF_TOOL_ID_NINE, CALLS("{\"id\":\"x\"}") "," RESULT("x"), true},
      {INF_TOOL_ID_NINE, CALLS("{\"id\":\"123456789\"}"), false},
      {INF_TOOL_ID_ANY, CALLS("{\"id\":\"x\"},{}"), true},
      {INF_TOOL_ID_ANY, CALLS("{\"id\":\"x\"}") "," RESULT(""), true},
      {INF_TOOL_ID_ANY,
       CALLS("{\"id\":\"x\"}") ",{\"role\":\"tool\",\"content\":\"1\"}", true},
      {INF_TOOL_ID_FREE, CALLS("{}"), false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    assert_int_equal(inf_tool_ids_needed(cases[i].form, S(cases[i].messages)),
                     cases[i].needed);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_calls_without_ids_are_numbered),
      cmocka_unit_test(test_results_find_their_calls),
      cmocka_unit_test(test_ids_of_nine),
      cmocka_unit_test(test_what_needs_repair),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
