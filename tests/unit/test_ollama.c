/* SPDX-License-Identifier: MIT */
#include "unit/writer_support.h"

static void
test_a_plain_request(void **state)
{
  (void)state;
  writing w;
  writing_init(&w, "ollama",
               "{'model':'x','messages':[{'role':'developer','content':'be'},"
               "{'role':'user','content':[{'type':'text','text':'a\\n'},"
               "{'type':'text','text':'b'}]},"
               "{'role':'assistant','content':null}]}");
  writing_check(&w, "{'model':'m','messages':[{'role':'system','content':'be'},"
                    "{'role':'user','content':'a\\nb'},"
                    "{'role':'assistant','content':''}],'stream':false}");
  assert_buf(&w.out.url, "https://h/api/chat");
  assert_true(writing_has_header(&w, "Accept: application/json"));
  inf_wire_request_clear(&w.out);
  w.send.stream = true;
  assert_int_equal(writing_run(&w), INFER_OK);
  assert_true(writing_has_header(&w, "Accept: application/x-ndjson"));
  assert_json_at(inf_buf_cstr(&w.out.body), "/stream", "true");
  writing_fini(&w);
}

static void
test_members_and_options(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"'max_tokens':5,", "'options':{'num_predict':5},"},
      {"'max_tokens':5,'max_completion_tokens':6,",
       "'options':{'num_predict':5},"},
      {"'temperature':0,'top_p':0.5,'top_k':3,'seed':7,'stop':'a',",
       "'options':{'temperature':0,'top_p':0.5,'top_k':3,'seed':7,"
       "'stop':['a']},"},
      {"'stop':['a','b'],'seed':null,", "'options':{'stop':['a','b']},"},
      /* What stands in options is meant for it and comes first. */
      {"'options':{'num_ctx':8192,'temperature':1},'temperature':0,'seed':7,",
       "'options':{'num_ctx':8192,'temperature':1,'seed':7},"},
      {"'options':{},'keep_alive':'5m',", "'keep_alive':'5m',"},
      {"'response_format':{'type':'text'},", ""},
      {"'response_format':{'type':'json_object'},", "'format':'json',"},
      {"'response_format':{'type':'json_schema','json_schema':{'name':'n',"
       "'schema':{'type':'object'}}},",
       "'format':{'type':'object'},"},
      {"'response_format':{'type':'json_object'},'format':'json5',",
       "'format':'json5',"},
      {"'reasoning_effort':'none',", "'think':false,"},
      {"'reasoning_effort':'minimal',", "'think':'low',"},
      {"'reasoning_effort':'medium',", "'think':'medium',"},
      {"'reasoning_effort':'xhigh',", "'think':'high',"},
      {"'reasoning_effort':'high','think':true,", "'think':true,"},
      {"'tools':[{'type':'function','function':{'name':'f'}}],"
       "'tool_choice':'auto',",
       "'tools':[{'type':'function','function':{'name':'f'}}],"},
      {"'tools':[{'type':'function','function':{'name':'f'}}],"
       "'tool_choice':'none',",
       ""},
      {"'logprobs':true,'top_logprobs':2,", "'logprobs':true,"
                                            "'top_logprobs':2,"},
      {"'user':'u','store':true,'stream_options':{'include_usage':true},"
       "'n':1,'parallel_tool_calls':true,'logit_bias':{},",
       ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char sent[512];
    snprintf(sent, sizeof(sent), "%s'stream':false,", cases[i][1]);
    becomes("ollama", cases[i][0], sent);
  }
}

static void
test_what_it_cannot_take_is_refused(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"'n':2,", "ollama does not take \"n\""},
      {"'logit_bias':{'1':2},", "ollama does not take \"logit_bias\""},
      {"'parallel_tool_calls':false,",
       "ollama does not take \"parallel_tool_calls\""},
      {"'service_tier':'flex',", "ollama does not take \"service_tier\""},
      {"'functions':[{'name':'f'}],", "ollama does not take \"functions\""},
      {"'tool_choice':'required',",
       "ollama cannot be made to call a tool (tool_choice)"},
      {"'tools':[{'type':'custom','custom':{'name':'f'}}],",
       "ollama takes no tools but functions"},
      {"'response_format':{'type':'json_schema'},",
       "ollama needs a schema in response_format"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    member_is_refused("ollama", cases[i][0], cases[i][1]);
  is_refused("ollama",
             "{'model':'x','messages':[{'role':'function','content':'1'}]}",
             INFER_E_UNSUPPORTED, "ollama has no such role of a message");
  is_refused("ollama",
             "{'model':'x','messages':[{'role':'user','content':"
             "[{'type':'file','file':{}}]}]}",
             INFER_E_UNSUPPORTED,
             "ollama takes no content parts but text and images");
  is_refused("ollama",
             "{'model':'x','messages':[{'role':'user','content':[{'type':"
             "'image_url','image_url':{'url':'https://h/a.png'}}]}]}",
             INFER_E_UNSUPPORTED,
             "ollama takes images as data: URLs in base64 only");
  is_refused("ollama",
             "{'model':'x','messages':[{'role':'assistant','tool_calls':"
             "[{'function':{'name':'f','arguments':'nonsense'}}]}]}",
             INFER_E_INVALID_ARGUMENT,
             "ollama takes no arguments of a tool call but an object");
}

static void
test_images_are_base64(void **state)
{
  (void)state;
  is_sent("ollama",
          "{'model':'x','messages':[{'role':'user','content':[{'type':'text',"
          "'text':'see'},{'type':'image_url','image_url':{'url':"
          "'data:image/png;base64,QUJD','detail':'high'}},{'type':"
          "'image_url','image_url':'data:image/png;base64,REVG'}]}]}",
          "{'model':'m','messages':[{'role':'user','content':'see','images':"
          "['QUJD','REVG']}],'stream':false}");
  /* Ollama's own go as they are; those that another model made do not. */
  is_sent("ollama",
          "{'model':'x','messages':[{'role':'user','content':'see','images':"
          "['QUJD']},{'role':'assistant','content':'a','images':[{'type':"
          "'image_url','image_url':{'url':'data:image/png;base64,QUJD'}}]}]}",
          "{'model':'m','messages':[{'role':'user','content':'see','images':"
          "['QUJD']},{'role':'assistant','content':'a'}],'stream':false}");
}

/* Arguments become objects; a result names its tool, by id or by order. */
static void
test_a_conversation_with_tools(void **state)
{
  (void)state;
  is_sent("ollama",
          "{'model':'x','messages':[{'role':'user','content':'q'},"
          "{'role':'assistant','content':null,'refusal':null,"
          "'reasoning_content':'why','tool_calls':[{'id':'a','type':"
          "'function','function':{'name':'f','arguments':' {\\\"x\\\":1} '}},"
          "{'id':'b','type':'function','function':{'name':'g','arguments':"
          "''}}]},"
          "{'role':'tool','tool_call_id':'b','content':'2'},"
          "{'role':'tool','tool_call_id':'a','content':'1'},"
          "{'role':'assistant','tool_calls':[{'id':'','function':{'name':'h',"
          "'arguments':{'y':2}}}]},"
          "{'role':'tool','tool_call_id':'','content':'3'}]}",
          "{'model':'m','messages':[{'role':'user','content':'q'},"
          "{'role':'assistant','content':'','thinking':'why','tool_calls':"
          "[{'id':'a','function':{'name':'f','arguments':{'x':1}}},"
          "{'id':'b','function':{'name':'g','arguments':{}}}]},"
          "{'role':'tool','content':'2','tool_name':'g','tool_call_id':'b'},"
          "{'role':'tool','content':'1','tool_name':'f','tool_call_id':'a'},"
          "{'role':'assistant','content':'','tool_calls':[{'function':"
          "{'name':'h','arguments':{'y':2}}}]},"
          "{'role':'tool','content':'3','tool_name':'h'}],'stream':false}");
}

static void
test_a_partial_answer_is_gone_on_from(void **state)
{
  (void)state;
  writing w;
  writing_init(&w, "ollama",
               "{'model':'x','max_tokens':50,'messages':[{'role':'user',"
               "'content':'hi'}]}");
  w.send.partial = S("Once upon a time");
  w.send.partial_tokens = 4;
  w.send.prefill = INF_PREFILL_ASSISTANT;
  writing_check(&w, "{'model':'m','messages':[{'role':'user','content':'hi'},"
                    "{'role':'assistant','content':'Once upon a time'}],"
                    "'stream':false,'options':{'num_predict':46}}");
  writing_fini(&w);
}

static void
test_memory_may_run_out(void **state)
{
  (void)state;
  survives_short_memory(
      "ollama", "{'model':'x','stop':'a','messages':[{'role':'assistant',"
                "'reasoning':'r','tool_calls':[{'function':{'name':'f',"
                "'arguments':'{\\\"a\\\":1}'}}]},"
                "{'role':'tool','content':'1'}]}");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_plain_request),
      cmocka_unit_test(test_members_and_options),
      cmocka_unit_test(test_what_it_cannot_take_is_refused),
      cmocka_unit_test(test_images_are_base64),
      cmocka_unit_test(test_a_conversation_with_tools),
      cmocka_unit_test(test_a_partial_answer_is_gone_on_from),
      cmocka_unit_test(test_memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
