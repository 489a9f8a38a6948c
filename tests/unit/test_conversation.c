/* SPDX-License-Identifier: MIT */
#include "provider/conversation.h"
#include "unit/writer_support.h"

static void
messages_become(const char *type, const char *messages, const char *sent)
{
  char chat[4096], body[4096];
  snprintf(chat, sizeof(chat), "{'model':'x','messages':[%s]}", messages);
  snprintf(body, sizeof(body), "{'model':'m','messages':[%s]}", sent);
  is_sent(type, chat, body);
}

/* To the byte, with every space. */
static void
test_what_is_fine_goes_out_untouched(void **state)
{
  (void)state;
  writing w;
  static const char messages[] =
      "{\"role\":\"assistant\", \"reasoning_content\":\"r\",\"x\" : 1.0,"
      "\"tool_calls\":[{ \"id\":\"a\"}]},{\"role\":\"tool\","
      "\"tool_call_id\":\"a\",\"content\":\"1\"}";
  writing_init(&w, "openai",
               "{'model':'x','messages':[{'role':'assistant', "
               "'reasoning_content':'r','x' : 1.0,'tool_calls':[{ 'id':'a'}]},"
               "{'role':'tool','tool_call_id':'a','content':'1'}]}");
  assert_int_equal(writing_run(&w), INFER_OK);
  assert_non_null(strstr(inf_buf_cstr(&w.out.body), messages));
  writing_fini(&w);
}

/* As it may come from Gemini or an old Ollama. */
static void
test_missing_ids_are_made_up(void **state)
{
  (void)state;
  messages_become(
      "openai",
      "{'role':'user','content':'q'},{'role':'assistant','content':null,"
      "'tool_calls':[{'id':'','type':'function','function':{'name':'f'}},"
      "{'type':'function','function':{'name':'g'},'extra':1}]},"
      "{'role':'tool','tool_call_id':'','content':'1'},"
      "{'role':'tool','content':'2'},"
      "{'role':'assistant','tool_calls':[{'function':{'name':'h'}}]},"
      "{'role':'tool','content':'3'}",
      "{'role':'user','content':'q'},{'role':'assistant','content':null,"
      "'tool_calls':[{'id':'call_0','type':'function','function':"
      "{'name':'f'}},{'id':'call_1','type':'function','function':"
      "{'name':'g'},'extra':1}]},"
      "{'role':'tool','content':'1','tool_call_id':'call_0'},"
      "{'role':'tool','content':'2','tool_call_id':'call_1'},"
      "{'role':'assistant','tool_calls':[{'id':'call_2','function':"
      "{'name':'h'}}]},"
      "{'role':'tool','content':'3','tool_call_id':'call_2'}");
  /* Z.ai takes them without. */
  messages_become("zai",
                  "{'role':'assistant','tool_calls':[{'function':{}}]},"
                  "{'role':'tool','content':'3'}",
                  "{'role':'assistant','tool_calls':[{'function':{}}]},"
                  "{'role':'tool','content':'3'}");
}

static void
test_groq_gets_no_foreign_members(void **state)
{
  (void)state;
  messages_become(
      "groq",
      "{'role':'user','name':'ann','content':'q'},"
      "{'role':'assistant','content':'a','refusal':null,'annotations':[],"
      "'reasoning_content':'r','reasoning':'s','reasoning_details':[{}]}",
      "{'role':'user','content':'q'},"
      "{'role':'assistant','content':'a','reasoning':'s'}");
}

/* OpenAI itself refuses what other servers of its protocol want back. */
static void
test_openai_gets_no_foreign_members_at_home(void **state)
{
  (void)state;
  static const char chat[] =
      "{'model':'x','messages':[{'role':'assistant','content':'a',"
      "'reasoning_content':'r','reasoning_details':[{}],'tool_plan':'p',"
      "'anthropic_content':[{}],'images':[{}]}]}";
  static const char bare[] =
      "{'model':'m','messages':[{'role':'assistant','content':'a'}]}";
  writing w;
  writing_init(&w, "openai", chat);
  w.send.base_url = S("https://api.openai.com/v1");
  writing_check(&w, bare);
  writing_fini(&w);
  is_sent("azure-openai", chat, bare);
  is_sent("openai", chat,
          "{'model':'m','messages':[{'role':'assistant','content':'a',"
          "'reasoning_content':'r','reasoning_details':[{}],"
          "'tool_plan':'p','anthropic_content':[{}],'images':[{}]}]}");
}

/* What only its own service understands goes back there and nowhere else; a
 * user's members are the user's. */
static void
test_foreign_members_go_home_only(void **state)
{
  (void)state;
  static const char talk[] =
      "{'role':'user','content':'q','images':['x'],'citations':[1]},"
      "{'role':'assistant','content':'a','reasoning_content':'r',"
      "'reasoning_details':[{}],'tool_plan':'p','citations':[],"
      "'content_parts':[{}],'anthropic_content':[{}],'images':[{}],'own':1}";
  static const char bare[] =
      "{'role':'user','content':'q','images':['x'],'citations':[1]},"
      "{'role':'assistant','content':'a','reasoning_content':'r','own':1}";
  messages_become("deepseek", talk, bare);
  messages_become("together", talk, bare);
  messages_become("xai", talk, bare);
  messages_become("openrouter", talk, talk);
  messages_become("openai", talk, talk); /* elsewhere than at OpenAI's */
}

static void
test_roles_that_are_not_known(void **state)
{
  (void)state;
  static const char developer[] = "{'role':'developer','content':'be'}";
  static const char system[] = "{'role':'system','content':'be'}";
  messages_become("mistral", developer, system);
  messages_become("cerebras", developer, system);
  messages_become("openai", developer, developer);
}

static void
test_thinking_goes_back_to_mistral(void **state)
{
  (void)state;
  messages_become(
      "mistral",
      "{'role':'assistant','content':'a','reasoning_content':'why'},"
      "{'role':'assistant','content':null,'reasoning':'so','tool_calls':"
      "[{'id':'abcDEF123','function':{'name':'f'}}]},"
      "{'role':'tool','tool_call_id':'abcDEF123','content':'1'},"
      "{'role':'assistant','content':[{'type':'text','text':'b'}],"
      "'reasoning_content':'thus'},"
      "{'role':'assistant','content':'c','reasoning_content':''}",
      "{'role':'assistant','content':[{'type':'thinking','thinking':"
      "[{'type':'text','text':'why'}]},{'type':'text','text':'a'}]},"
      "{'role':'assistant','tool_calls':[{'id':'abcDEF123','function':"
      "{'name':'f'}}],'content':[{'type':'thinking','thinking':"
      "[{'type':'text','text':'so'}]}]},"
      "{'role':'tool','content':'1','tool_call_id':'abcDEF123'},"
      "{'role':'assistant','content':[{'type':'thinking','thinking':"
      "[{'type':'text','text':'thus'}]},{'type':'text','text':'b'}]},"
      "{'role':'assistant','content':'c'}");
  is_refused("mistral",
             "{'model':'x','messages':[{'role':'assistant','content':'',"
             "'function_call':{'name':'f'}}]}",
             INFER_E_UNSUPPORTED, "mistral does not take \"function_call\"");
}

/* What Mistral answers is read, listed as a message, and sent back as the
 * parts that came. */
static void
test_mistrals_thinking_makes_the_round_trip(void **state)
{
  (void)state;
  reading r;
  inf_buf message, chat;
  char *body =
      quoted("{'choices':[{'index':0,'message':{'role':'assistant','content':"
             "[{'type':'thinking','thinking':[{'type':'text','text':'why'}]},"
             "{'type':'text','text':'so'}],'tool_calls':[{'id':'abcDEF123',"
             "'function':{'name':'f','arguments':'{}'}}]},"
             "'finish_reason':'tool_calls'}]}");
  inf_decoder_options options = default_options(false);
  options.kind = inf_provider_kind_find(S("mistral"));
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(body), 0), INFER_OK);
  inf_buf_init(&message, SIZE_MAX);
  inf_buf_init(&chat, SIZE_MAX);
  inf_answer_write_message(&r.answer, 0, &message);
  inf_buf_appendf(&chat, "{\"model\":\"x\",\"messages\":[%s]}",
                  inf_buf_cstr(&message));
  is_sent("mistral", inf_buf_cstr(&chat),
          "{'model':'m','messages':[{'role':'assistant','content':"
          "[{'type':'thinking','thinking':[{'type':'text','text':'why'}]},"
          "{'type':'text','text':'so'}],'tool_calls':[{'id':'abcDEF123',"
          "'type':'function','function':{'name':'f','arguments':'{}'}}]}]}");
  inf_buf_fini(&message);
  inf_buf_fini(&chat);
  reading_fini(&r);
  free(body);
}

static void
test_memory_may_run_out(void **state)
{
  (void)state;
  survives_short_memory(
      "mistral",
      "{'model':'x','messages':[{'role':'assistant','reasoning':"
      "'r','tool_calls':[{'id':'long_enough_for_a_hash'},{}]},"
      "{'role':'tool','content':'1'},{'role':'tool','content':'2'}]}");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_fine_goes_out_untouched),
      cmocka_unit_test(test_missing_ids_are_made_up),
      cmocka_unit_test(test_groq_gets_no_foreign_members),
      cmocka_unit_test(test_openai_gets_no_foreign_members_at_home),
      cmocka_unit_test(test_foreign_members_go_home_only),
      cmocka_unit_test(test_roles_that_are_not_known),
      cmocka_unit_test(test_thinking_goes_back_to_mistral),
      cmocka_unit_test(test_mistrals_thinking_makes_the_round_trip),
      cmocka_unit_test(test_memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
