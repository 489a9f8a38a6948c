/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#define TOOL          "{'type':'function','function':{'name':'f'}}"
#define WITH(members) MEMBERS("'tools':[" TOOL "]," members)
#define CHOICE(members, choice) \
  assert_becomes(WITH(members), "/tool_choice", choice)

static void
test_tools(void **state)
{
  (void)state;
  assert_becomes(MEMBERS("'tools':[{'type':'function','function':{'name':'f',"
                         "'description':'d','strict':true,'parameters':{"
                         "'type':'object','properties':{}}},"
                         "'cache_control':{'type':'ephemeral'}}]"),
                 "/tools",
                 "[{'name':'f','description':'d','input_schema':{'type':"
                 "'object','properties':{}},'strict':true,'cache_control':{"
                 "'type':'ephemeral'}}]");
  assert_becomes(MEMBERS("'tools':[" TOOL "]"), "/tools",
                 "[{'name':'f','input_schema':{'type':'object'}}]");
  assert_becomes(MEMBERS("'tools':[{'type':'web_search_20250305','name':"
                         "'web_search','max_uses':3}]"),
                 "/tools/0",
                 "{'type':'web_search_20250305','name':'web_search',"
                 "'max_uses':3}");
  assert_becomes(MEMBERS("'tools':[{'name':'own','input_schema':{'type':"
                         "'object'}}]"),
                 "/tools/0", "{'name':'own','input_schema':{'type':'object'}}");
  assert_becomes(MEMBERS("'tools':[],'tool_choice':'auto'"), "/tools", "[]");
  assert_becomes(MEMBERS("'tools':[],'tool_choice':'auto'"), "/tool_choice",
                 NULL);
  assert_refused(MEMBERS("'tools':[{'type':'custom','custom':{'name':'c'}}]"),
                 "tools: a custom tool without a schema");
}

static void
test_choice(void **state)
{
  (void)state;
  CHOICE("'tool_choice':'auto'", "{'type':'auto'}");
  CHOICE("'tool_choice':'none'", "{'type':'none'}");
  CHOICE("'tool_choice':'required'", "{'type':'any'}");
  CHOICE("'tool_choice':{'type':'function','function':{'name':'f'}}",
         "{'type':'tool','name':'f'}");
  CHOICE("'tool_choice':{'type':'tool','name':'f'}",
         "{'type':'tool','name':'f'}");
  CHOICE("'tool_choice':null", NULL);
  assert_refused(WITH("'tool_choice':{'type':'allowed_tools'}"),
                 "tool_choice: of no kind that can be sent");
  assert_refused(WITH("'tool_choice':'any'"),
                 "tool_choice: of no kind that can be sent");
}

static void
test_parallel_calls(void **state)
{
  (void)state;
  CHOICE("'parallel_tool_calls':false",
         "{'type':'auto','disable_parallel_tool_use':true}");
  CHOICE("'parallel_tool_calls':true", NULL);
  CHOICE("'tool_choice':'required','parallel_tool_calls':false",
         "{'type':'any','disable_parallel_tool_use':true}");
  CHOICE("'tool_choice':'auto','parallel_tool_calls':true",
         "{'type':'auto','disable_parallel_tool_use':false}");
  CHOICE("'tool_choice':'none','parallel_tool_calls':false", "{'type':'none'}");
  CHOICE("'tool_choice':{'type':'any','disable_parallel_tool_use':true},"
         "'parallel_tool_calls':true",
         "{'type':'any','disable_parallel_tool_use':true}");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tools),
      cmocka_unit_test(test_choice),
      cmocka_unit_test(test_parallel_calls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
