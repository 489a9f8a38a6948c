/* SPDX-License-Identifier: MIT */
#include "unit/writer_support.h"

#define FALSE_STREAM ",'stream':false"

static void
test_a_plain_request(void **state)
{
  (void)state;
  writing w;
  writing_init(&w, "cohere",
               "{'model':'x','messages':[{'role':'developer','content':'be'},"
               "{'role':'user','content':'hi','name':'ann'}]}");
  writing_check(&w, "{'model':'m','messages':[{'role':'system','content':'be'},"
                    "{'role':'user','content':'hi'}]" FALSE_STREAM "}");
  assert_buf(&w.out.url, "https://h/v2/chat");
  assert_true(writing_has_header(&w, "Authorization: Bearer sk"));
  assert_true(writing_has_header(&w, "Accept: application/json"));
  assert_true(writing_has_header(&w, "Content-Type: application/json"));
  inf_wire_request_clear(&w.out);
  w.send.stream = true;
  assert_int_equal(writing_run(&w), INFER_OK);
  assert_true(writing_has_header(&w, "Accept: text/event-stream"));
  assert_json_at(inf_buf_cstr(&w.out.body), "/stream", "true");
  writing_fini(&w);
}

static void
test_members_have_other_names(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"'max_tokens':5,", "'max_tokens':5,"},
      {"'max_completion_tokens':5,", "'max_tokens':5,"},
      {"'max_completion_tokens':5,'max_tokens':6,", "'max_tokens':6,"},
      {"'top_p':0.5,'top_k':3,", "'p':0.5,'k':3,"},
      {"'stop':'a',", "'stop_sequences':['a'],"},
      {"'stop':['a','b'],", "'stop_sequences':['a','b'],"},
      {"'stop':null,", ""},
      {"'temperature':0.25,'seed':7,", "'temperature':0.25,'seed':7,"},
      {"'reasoning_effort':'none',", "'thinking':{'type':'disabled'},"},
      {"'reasoning_effort':'high',", "'thinking':{'type':'enabled'},"},
      {"'reasoning_effort':'high','thinking':{'type':'disabled'},",
       "'thinking':{'type':'disabled'},"},
      {"'tool_choice':'auto',", ""},
      {"'tool_choice':'required',", "'tool_choice':'REQUIRED',"},
      {"'tool_choice':'none',", "'tool_choice':'NONE',"},
      {"'tool_choice':'REQUIRED',", "'tool_choice':'REQUIRED',"},
      {"'response_format':{'type':'json_object'},",
       "'response_format':{'type':'json_object'},"},
      {"'response_format':{'type':'json_schema','json_schema':{'name':'n',"
       "'schema':{'type':'object'}}},",
       "'response_format':{'type':'json_object','json_schema':"
       "{'type':'object'}},"},
      {"'tools':[{'type':'function','function':{'name':'f','strict':true}}],",
       "'tools':[{'type':'function','function':{'name':'f'}}],"
       "'strict_tools':true,"},
      {"'user':'u','store':true,'metadata':{'a':'b'},"
       "'stream_options':{'include_usage':true},'n':1,"
       "'parallel_tool_calls':true,'logprobs':false,'service_tier':'auto',"
       "'modalities':['text'],'logit_bias':{},",
       ""},
      {"'safety_mode':'NONE','documents':['d'],",
       "'safety_mode':'NONE','documents':['d'],"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char sent[512];
    snprintf(sent, sizeof(sent), "%s'stream':false,", cases[i][1]);
    becomes("cohere", cases[i][0], sent);
  }
}

static void
test_what_it_cannot_take_is_refused(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"'n':2,", "cohere does not take \"n\""},
      {"'logprobs':true,", "cohere does not take \"logprobs\""},
      {"'top_logprobs':3,", "cohere does not take \"top_logprobs\""},
      {"'logit_bias':{'1':2},", "cohere does not take \"logit_bias\""},
      {"'parallel_tool_calls':false,",
       "cohere does not take \"parallel_tool_calls\""},
      {"'service_tier':'flex',", "cohere does not take \"service_tier\""},
      {"'modalities':['text','audio'],", "cohere does not take \"modalities\""},
      {"'functions':[{'name':'f'}],", "cohere does not take \"functions\""},
      {"'tool_choice':{'type':'function','function':{'name':'f'}},",
       "cohere cannot be told which tool to call (tool_choice)"},
      {"'tools':[{'type':'custom','custom':{'name':'f'}}],",
       "cohere takes no tools but functions"},
      {"'response_format':{'type':'json_schema'},",
       "cohere needs a schema in response_format"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    member_is_refused("cohere", cases[i][0], cases[i][1]);
  is_refused("cohere",
             "{'model':'x','messages':[{'role':'function','content':'1'}]}",
             INFER_E_UNSUPPORTED, "cohere has no such role of a message");
  is_refused("cohere",
             "{'model':'x','messages':[{'role':'user','content':"
             "[{'type':'input_audio','input_audio':{}}]}]}",
             INFER_E_UNSUPPORTED,
             "cohere takes no content parts but text and images");
  is_refused("cohere",
             "{'model':'x','messages':[{'role':'assistant','content':'',"
             "'function_call':{'name':'f','arguments':''}}]}",
             INFER_E_UNSUPPORTED, "cohere does not take \"function_call\"");
  is_refused("cohere",
             "{'model':'x','messages':[{'role':'assistant','tool_calls':"
             "[{'id':'a','type':'custom','custom':{'name':'f'}}]}]}",
             INFER_E_UNSUPPORTED,
             "cohere knows no tool calls but those of functions");
}

/* Tool calls with the plan and the thinking that came with them; a call that
 * has no id, and its result, get one. */
static void
test_a_conversation_with_tools(void **state)
{
  (void)state;
  is_sent("cohere",
          "{'model':'x','messages':[{'role':'user','content':'q'},"
          "{'role':'assistant','content':'t','refusal':null,'annotations':[],"
          "'reasoning_content':'why','tool_plan':'p','citations':[{'start':1}],"
          "'anthropic_content':[{'type':'text','text':'t'}],"
          "'tool_calls':[{'type':'function','function':{'name':'f',"
          "'arguments':'{}'}},{'id':'b','type':'function','function':"
          "{'name':'g','arguments':'{}'}}]},"
          "{'role':'tool','content':'1'},"
          "{'role':'tool','tool_call_id':'b','content':'2'}]}",
          "{'model':'m','messages':[{'role':'user','content':'q'},"
          "{'role':'assistant','content':[{'type':'thinking','thinking':'why'},"
          "{'type':'text','text':'t'}],"
          "'tool_plan':'p','citations':[{'start':1}],"
          "'tool_calls':[{'id':'call_0','type':'function','function':"
          "{'name':'f','arguments':'{}'}},{'id':'b','type':'function',"
          "'function':{'name':'g','arguments':'{}'}}]},"
          "{'role':'tool','tool_call_id':'call_0','content':'1'},"
          "{'role':'tool','tool_call_id':'b','content':'2'}]" FALSE_STREAM "}");
  /* Elsewhere thinking is not sent back. */
  is_sent("cohere",
          "{'model':'x','messages':[{'role':'assistant','content':'a',"
          "'reasoning':'why'},{'role':'user','content':'q'}]}",
          "{'model':'m','messages':[{'role':'assistant','content':'a'},"
          "{'role':'user','content':'q'}]" FALSE_STREAM "}");
}

static void
test_the_accounts_members_are_translated_too(void **state)
{
  (void)state;
  writing w;
  writing_init(&w, "cohere",
               "{'model':'x','top_p':0.5,'messages':[{'role':'user',"
               "'content':'hi'}]}");
  w.send.body_members = S("{\"top_p\":1,\"top_k\":4,\"model\":\"evil\"}");
  writing_check(&w, "{'model':'m','p':0.5,'k':4,'messages':[{'role':'user',"
                    "'content':'hi'}]" FALSE_STREAM "}");
  writing_fini(&w);
}

static void
test_memory_may_run_out(void **state)
{
  (void)state;
  survives_short_memory(
      "cohere", "{'model':'x','stop':'a','tools':[{'type':'function',"
                "'function':{'name':'f'}}],'messages':[{'role':'assistant',"
                "'reasoning':'r','tool_calls':[{'id':'\\u0061','function':{}},{"
                "'function':{}}]},"
                "{'role':'tool','content':'1'}]}");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_plain_request),
      cmocka_unit_test(test_members_have_other_names),
      cmocka_unit_test(test_what_it_cannot_take_is_refused),
      cmocka_unit_test(test_a_conversation_with_tools),
      cmocka_unit_test(test_the_accounts_members_are_translated_too),
      cmocka_unit_test(test_memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
