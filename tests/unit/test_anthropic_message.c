/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#define CALL(id, arguments)                                \
  "{'id':" id ",'type':'function','function':{'name':'f'," \
  "'arguments':" arguments "}}"
#define CALLS(list) \
  "{'role':'assistant','content':null,'tool_calls':[" list "]}"
#define RESULT(id, content) \
  "{'role':'tool','tool_call_id':" id ",'content':" content "}"
#define LONG_A "'toolu_0123456'"
#define LONG_B "'toolu_0123457'"

static void
test_system(void **state)
{
  (void)state;
  assert_becomes(MESSAGES("{'role':'system','content':'Be kind'}," USER),
                 "/system", "'Be kind'");
  assert_becomes(MESSAGES("{'role':'developer','content':'Be kind'}," USER), "",
                 "{'model':'claude-sonnet-4-5','max_tokens':4096,"
                 "'system':'Be kind','messages':[" USER "]}");
  assert_becomes(
      MESSAGES("{'role':'system','content':'a'}," USER
               ",{'role':'system','content':[{'type':'text','text':'b',"
               "'cache_control':{'type':'ephemeral'}}]}"),
      "/system",
      "[{'type':'text','text':'a'},{'type':'text','text':'b',"
      "'cache_control':{'type':'ephemeral'}}]");
  assert_becomes(MESSAGES("{'role':'system','content':''}," USER), "/system",
                 NULL);
  assert_becomes(MESSAGES("{'role':'system','content':['']}," USER), "/system",
                 NULL);
  assert_becomes(MEMBERS("'system':'own'"), "/system", "'own'");
  assert_refused(MESSAGES("{'role':'system','content':'a'}"),
                 "messages: none but of the system");
  assert_refused("{'model':'claude-3','messages':[{'role':'system','content':"
                 "'a'}," USER "],'system':[{'type':'text','text':'b'}]}",
                 "system beside system messages");
}

static void
test_turns(void **state)
{
  (void)state;
  /* What is a string stays one; names are left out. */
  assert_becomes(MESSAGES("{'role':'user','name':'Ann','content':'a'},"
                          "{'role':'assistant','content':'b','refusal':null},"
                          "{'role':'user','content':[{'type':'text',"
                          "'text':'c'}]}"),
                 "/messages",
                 "[{'role':'user','content':'a'},{'role':'assistant',"
                 "'content':'b'},{'role':'user','content':[{'type':'text',"
                 "'text':'c'}]}]");
  /* The API refuses empty ones. */
  assert_becomes(MESSAGES(USER ",{'role':'assistant','content':''},"
                               "{'role':'assistant','content':null},"
                               "{'role':'user','content':[]}," USER),
                 "/messages", "[" USER "," USER "]");
  assert_becomes(MESSAGES(USER ",{'role':'assistant','content':null,"
                               "'refusal':'No'}," USER),
                 "/messages/1/content", "'No'");
  assert_refused(MESSAGES(USER ",{'role':'function','name':'f','content':'x'}"),
                 "function: a role that the provider does not have");
}

static void
test_results_of_tools_are_one_turn(void **state)
{
  (void)state;
  assert_becomes(
      MESSAGES(USER "," CALLS(CALL(LONG_A, "'{\\u0022x\\u0022:1}'") "," CALL(
          LONG_B,
          "''")) "," RESULT(LONG_A,
                            "'one'") "," RESULT(LONG_B,
                                                "''") ","
                                                      "{'role':'user','content'"
                                                      ":'and?'}," USER),
      "/messages",
      "[" USER ",{'role':'assistant','content':[{'type':'tool_use','id':" LONG_A
      ",'name':'f','input':{'x':1}},{'type':'tool_use','id':" LONG_B
      ",'name':'f','input':{}}]},{'role':'user','content':[{'type':"
      "'tool_result','tool_use_id':" LONG_A ",'content':'one'},{'type':"
      "'tool_result','tool_use_id':" LONG_B
      "},{'type':'text','text':'and?'}]}," USER "]");
  /* The content may be parts, and say that it is an error. */
  assert_becomes(
      MESSAGES(USER "," CALLS(CALL(
          LONG_A,
          "'{}'")) ",{'role':'tool','tool_call_id':" LONG_A ",'is_error':true,"
                   "'cache_control':{'type':'ephemeral'},'content':[{'type':"
                   "'text','text':'t'}]},{'role':'assistant','content':'b'}"),
      "/messages/2",
      "{'role':'user','content':[{'type':'tool_result','tool_use_id':" LONG_A
      ",'content':[{'type':'text','text':'t'}],'is_error':true,"
      "'cache_control':{'type':'ephemeral'}}]}");
}

/* As servers have them that give none, number them or use any letters. */
static void
test_ids_that_the_api_does_not_take_are_replaced(void **state)
{
  (void)state;
  static const struct {
    const char *call, *result, *becomes;
  } ids[] = {
      {"''", "''", "'call_1_0'"},
      {"'0'", "'0'", "'call_1_0'"},
      {"'call_1'", "'call_1'", "'call_1_0'"},
      {"null", "null", "'call_1_0'"},
      {"'functions.f:0'", "'functions.f:0'", "'functions_2ef_3a0'"},
      {"'123456789'", "'123456789'", "'123456789'"},
      {"'0'", "'other_call_1'", NULL},
  };
  for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
    char chat[512];
    snprintf(
        chat, sizeof chat,
        MESSAGES(USER "," CALLS(CALL("%s", "'{}'")) "," RESULT("%s", "'r'")),
        ids[i].call, ids[i].result);
    assert_becomes(chat, "/messages/1/content/0/id",
                   ids[i].becomes ? ids[i].becomes : "'call_1_0'");
    assert_becomes(chat, "/messages/2/content/0/tool_use_id",
                   ids[i].becomes ? ids[i].becomes : ids[i].result);
  }
}

static void
test_results_find_their_calls(void **state)
{
  (void)state;
#define TWO(a, b, c, d)                                                    \
  MESSAGES(USER "," CALLS(CALL(a, "'{}'") "," CALL(b, "'{}'")) "," RESULT( \
      c, "'r'") "," RESULT(d, "'s'"))
#define FIRST  "/messages/2/content/0/tool_use_id"
#define SECOND "/messages/2/content/1/tool_use_id"
  /* In another order. */
  assert_becomes(TWO("'0'", "'1'", "'1'", "'0'"), FIRST, "'call_1_1'");
  assert_becomes(TWO("'0'", "'1'", "'1'", "'0'"), SECOND, "'call_1_0'");
  /* All with one id, and without any: by their order. */
  assert_becomes(TWO("'0'", "'0'", "'0'", "'0'"), FIRST, "'call_1_0'");
  assert_becomes(TWO("'0'", "'0'", "'0'", "'0'"), SECOND, "'call_1_1'");
  assert_becomes(TWO("''", "''", "''", "''"), FIRST, "'call_1_0'");
  assert_becomes(TWO("''", "''", "''", "''"), SECOND, "'call_1_1'");
  /* The same id in a later turn is another one. */
  assert_becomes(
      MESSAGES(USER "," CALLS(CALL("'0'", "'{}'")) "," RESULT(
          "'0'", "'r'") "," CALLS(CALL("'0'", "'{}'")) "," RESULT("'0'",
                                                                  "'s'")),
      "/messages/4/content/0/tool_use_id", "'call_3_0'");
}

static void
test_arguments_that_are_no_object(void **state)
{
  (void)state;
  static const char *const arguments[][2] = {
      {"'{\\u0022a\\u0022:[1.50,null]}'", "{'a':[1.50,null]}"},
      {"' {} '", "{}"},
      {"''", "{}"},
      {"null", "{}"},
      {"'[1]'", "{'arguments':'[1]'}"},
      {"'{\\u0022a'", "{'arguments':'{\\u0022a'}"},
  };
  for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
    char chat[512];
    snprintf(chat, sizeof chat, MESSAGES(USER "," CALLS(CALL(LONG_A, "%s"))),
             arguments[i][0]);
    assert_becomes(chat, "/messages/1/content/0/input", arguments[i][1]);
  }
  assert_becomes(
      MESSAGES(USER "," CALLS("{'id':" LONG_A ",'type':'custom','custom':{"
                              "'name':'c','input':'free text'}}")),
      "/messages/1/content/0",
      "{'type':'tool_use','id':" LONG_A ",'name':'c','input':{'arguments':"
      "'free text'}}");
}

static void
test_signed_thinking_goes_back(void **state)
{
  (void)state;
#define DETAILS(list) "'reasoning_details':[" list "]"
#define SIGNED \
  "{'type':'reasoning.text','text':'Hm','signature':'c2ln','index':0}"
#define REDACTED                                          \
  "{'type':'reasoning.encrypted','data':'eHh4','format':" \
  "'anthropic-claude-v1'}"
  assert_becomes(
      MESSAGES(USER ",{'role':'assistant','content':'a','reasoning_content':"
                    "'Hm'," DETAILS(SIGNED "," REDACTED) ",'tool_calls':[" CALL(
                        LONG_A, "'{}'") "]}"),
      "/messages/1/content",
      "[{'type':'thinking','thinking':'Hm','signature':'c2ln'},{'type':"
      "'redacted_thinking','data':'eHh4'},{'type':'text','text':'a'},"
      "{'type':'tool_use','id':" LONG_A ",'name':'f','input':{}}]");
  /* Not from here, or not signed: there is no place for it. */
  assert_becomes(
      MESSAGES(USER
               ",{'role':'assistant','content':'a','reasoning':'Hm'," DETAILS(
                   "{'type':'reasoning.text','text':'Hm'},{'type':"
                   "'reasoning.encrypted','data':'x','format':"
                   "'google-gemini-v1'},{'type':'reasoning.summary','summary':"
                   "'s'}") "}"),
      "/messages/1", "{'role':'assistant','content':'a'}");
  /* Thinking that the API showed without its text. */
  assert_becomes(MESSAGES(USER ",{'role':'assistant','content':'a'," DETAILS(
                     "{'type':'reasoning.text','signature':'c2ln'}") "}"),
                 "/messages/1/content/0",
                 "{'type':'thinking','thinking':'','signature':'c2ln'}");
}

static void
test_content_of_the_apis_own_goes_back_whole(void **state)
{
  (void)state;
  assert_becomes(
      MESSAGES(USER ",{'role':'assistant','content':'a','anthropic_content':"
                    "[{'type':'text','text':'a'},{'type':'server_tool_use',"
                    "'id':'srvtoolu_1','name':'web_search','input':{}}],"
                    "'tool_calls':[" CALL(LONG_A, "'{}'") "]}," RESULT(LONG_A,
                                                                       "'r'")),
      "/messages/1",
      "{'role':'assistant','content':[{'type':'text','text':'a'},{'type':"
      "'server_tool_use','id':'srvtoolu_1','name':'web_search','input':{}}]}");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_system),
      cmocka_unit_test(test_turns),
      cmocka_unit_test(test_results_of_tools_are_one_turn),
      cmocka_unit_test(test_ids_that_the_api_does_not_take_are_replaced),
      cmocka_unit_test(test_results_find_their_calls),
      cmocka_unit_test(test_arguments_that_are_no_object),
      cmocka_unit_test(test_signed_thinking_goes_back),
      cmocka_unit_test(test_content_of_the_apis_own_goes_back_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
