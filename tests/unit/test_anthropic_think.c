/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#include "provider/anthropic_write.h"

static void
test_versions(void **state)
{
  (void)state;
  static const struct {
    const char *model;
    int version;
  } models[] = {
      {"claude-opus-4-6", 406},
      {"claude-sonnet-5", 500},
      {"claude-3-7-sonnet-20250219", 307},
      {"claude-3-7-sonnet@20250219", 307},
      {"claude-3-5-sonnet-v2@20241022", 305},
      {"claude-3-haiku-20240307", 300},
      {"claude-opus-4-20250514", 400},
      {"claude-sonnet-4-0", 400},
      {"claude-opus-4-1@20250805", 401},
      {"claude-haiku-4-5-20251001-v1:0", 405},
      {"anthropic.claude-sonnet-4-20250514-v1:0", 400},
      {"claude-3-opus-latest", 300},
      {"claude-2.1", 201},
      {"my-deployment-7", 0},
      {"claude", 0},
      {"claud", 0},
      {"", 0},
  };
  for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
    if (inf_anthropic_version(S(models[i].model)) != models[i].version)
      fail_msg("%s: %d", models[i].model,
               inf_anthropic_version(S(models[i].model)));
}

#define ADAPTIVE "{'type':'adaptive','display':'summarized'}"

static void
test_effort_of_newer_models(void **state)
{
  (void)state;
  static const char *const words[][3] = {
      /* word, of 4.6, of later ones */
      {"minimal", "low", "low"},      {"low", "low", "low"},
      {"medium", "medium", "medium"}, {"high", "high", "high"},
      {"xhigh", "high", "xhigh"},     {"max", "max", "max"},
  };
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    for (int later = 0; later < 2; later++) {
      char chat[256], config[64];
      snprintf(chat, sizeof chat, MODEL("%s", "'reasoning_effort':'%s'"),
               later ? "claude-sonnet-5" : "claude-opus-4-6", words[i][0]);
      snprintf(config, sizeof config, "{'effort':'%s'}", words[i][1 + later]);
      assert_becomes(chat, "/output_config", config);
      assert_becomes(chat, "/thinking", ADAPTIVE);
      assert_becomes(chat, "/max_tokens", "4096");
    }
  }
  assert_becomes(MODEL("alias", "'reasoning_effort':'low'"), "/thinking",
                 ADAPTIVE);
  assert_becomes(MODEL("claude-sonnet-5",
                       "'reasoning_effort':'low','output_config':{'effort':"
                       "'max'}"),
                 "/output_config", "{'effort':'max'}");
  assert_becomes(MODEL("claude-sonnet-5", "'reasoning_effort':'none'"),
                 "/thinking", NULL);
}

static void
test_budget_of_older_models(void **state)
{
  (void)state;
#define BUDGET(n) "{'type':'enabled','budget_tokens':" #n "}"
  assert_becomes(MEMBERS("'reasoning_effort':'low'"), "/thinking",
                 BUDGET(1024));
  assert_becomes(MEMBERS("'reasoning_effort':'medium'"), "/thinking",
                 BUDGET(8192));
  assert_becomes(MEMBERS("'reasoning_effort':'medium'"), "/max_tokens",
                 "12288");
  assert_becomes(MEMBERS("'reasoning_effort':'high','max_tokens':50000"),
                 "/thinking", BUDGET(24576));
  assert_becomes(MEMBERS("'reasoning_effort':'high','max_tokens':10000"),
                 "/thinking", BUDGET(5000));
  assert_becomes(MEMBERS("'reasoning_effort':'high','max_tokens':1500"),
                 "/thinking", BUDGET(1024));
  assert_becomes(MEMBERS("'reasoning_effort':'high','max_tokens':10000"),
                 "/max_tokens", "10000");
  assert_becomes(MEMBERS("'reasoning_effort':'none'"), "/thinking", NULL);
  assert_refused(MEMBERS("'reasoning_effort':'high','max_tokens':1024"),
                 "reasoning_effort with a limit of 1024 tokens or less");
  assert_refused(MODEL("claude-3-5-haiku-latest", "'reasoning_effort':'low'"),
                 "reasoning_effort: the model has none");
  assert_refused(MEMBERS("'reasoning_effort':'low','temperature':0"),
                 "reasoning_effort beside a temperature other than 1");
  assert_refused(MEMBERS("'reasoning_effort':'low','tools':[{'function':{"
                         "'name':'f'}}],'tool_choice':'required'"),
                 "reasoning_effort beside a tool_choice that forces a tool");
  assert_refused(MEMBERS("'reasoning_effort':'much'"),
                 "reasoning_effort: not one of none, minimal, low, medium, "
                 "high, xhigh and max");
}

static void
test_the_callers_own_thinking(void **state)
{
  (void)state;
  assert_becomes(MEMBERS("'thinking':{'type':'enabled','budget_tokens':2000},"
                         "'reasoning_effort':'high'"),
                 "/thinking", BUDGET(2000));
  assert_becomes(MEMBERS("'thinking':{'type':'enabled','budget_tokens':2000}"),
                 "/max_tokens", "6096");
  assert_becomes(MEMBERS("'thinking':{'type':'disabled'}"), "/thinking",
                 "{'type':'disabled'}");
}

/* The API refuses a budget where the turn's own thinking is not signed. */
static void
test_a_tool_turn_from_elsewhere_goes_on_without(void **state)
{
  (void)state;
#define TURN(more)                                                          \
  "{'model':'claude-sonnet-4-5','reasoning_effort':'low','messages':[" USER \
  ",{'role':'assistant','content':null" more ",'tool_calls':[{'id':"        \
  "'call_12345','function':{'name':'f','arguments':''}}]},{'role':'tool',"  \
  "'tool_call_id':'call_12345','content':'r'}"
  assert_becomes(TURN("") "]}", "/thinking", NULL);
  assert_becomes(TURN(",'reasoning_content':'Hm'") "]}", "/thinking", NULL);
  assert_becomes(TURN(",'reasoning_details':[{'type':'reasoning.text',"
                      "'text':'Hm','signature':'c2ln'}]") "]}",
                 "/thinking", BUDGET(1024));
  assert_becomes(TURN(",'anthropic_content':[{'type':'thinking'}]") "]}",
                 "/thinking", BUDGET(1024));
  assert_becomes(TURN("") ",{'role':'assistant','content':'done'}," USER "]}",
                 "/thinking", BUDGET(1024));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_versions),
      cmocka_unit_test(test_effort_of_newer_models),
      cmocka_unit_test(test_budget_of_older_models),
      cmocka_unit_test(test_the_callers_own_thinking),
      cmocka_unit_test(test_a_tool_turn_from_elsewhere_goes_on_without),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
