/* SPDX-License-Identifier: MIT */
/* The members of a Converse request. */
#include "unit/bedrock_support.h"

#include "support/fail_alloc.h"

#define TOOL "{'type':'function','function':{'name':'f'}}"
#define TOOL_WANTED                                                 \
  "{'toolSpec':{'name':'f','inputSchema':{'json':{'type':'object'," \
  "'properties':{}}}}}"
#define CLAUDE "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

static void
adds(const char *member, const char *wanted)
{
  char members[1000], body[1000];
  snprintf(members, sizeof(members), HI ",%s", member);
  snprintf(body, sizeof(body), HI_WANTED "%s%s", wanted[0] ? "," : "", wanted);
  bedrock_sends(members, body);
}

static void
adds_for(const char *model, const char *member, const char *wanted)
{
  char members[1000], body[1000];
  snprintf(members, sizeof(members), HI ",%s", member);
  snprintf(body, sizeof(body), HI_WANTED "%s%s", wanted[0] ? "," : "", wanted);
  bedrock_sends_for(model, "{}", "", members, body);
}

static void
refuses(const char *member, const char *why)
{
  char members[1000];
  snprintf(members, sizeof(members), HI ",%s", member);
  bedrock_refuses(members, INFER_E_UNSUPPORTED, why);
}

static void
test_inference(void **state)
{
  (void)state;
  adds("'max_tokens':5", "'inferenceConfig':{'maxTokens':5}");
  adds("'max_completion_tokens':6,'max_tokens':5",
       "'inferenceConfig':{'maxTokens':6}");
  adds("'temperature':0.70,'top_p':1,'stop':'x'",
       "'inferenceConfig':{'temperature':0.70,'topP':1,'stopSequences':['x']}");
  adds("'stop':['x','y']", "'inferenceConfig':{'stopSequences':['x','y']}");
  adds("'stop':[],'temperature':null", "");
  adds("'inferenceConfig':{'maxTokens':1,'topP':0.5,'new':2},'max_tokens':9",
       "'inferenceConfig':{'maxTokens':9,'topP':0.5,'new':2}");
  bedrock_refuses(HI ",'max_tokens':'many'", INFER_E_INVALID_ARGUMENT,
                  "no number of tokens in 'max_tokens'");
  bedrock_refuses(HI ",'max_tokens':0", INFER_E_INVALID_ARGUMENT,
                  "no number of tokens in 'max_tokens'");
}

static void
test_tools(void **state)
{
  (void)state;
  adds("'tools':[" TOOL "]", "'toolConfig':{'tools':[" TOOL_WANTED "]}");
  adds("'tools':[{'type':'function','function':{'name':'f','description':'d',"
       "'parameters':{'a':[1]},'strict':true},'cache_control':{'type':"
       "'ephemeral'}},{'systemTool':{'name':'nova'}}]",
       "'toolConfig':{'tools':[{'toolSpec':{'name':'f','description':'d',"
       "'inputSchema':{'json':{'a':[1]}},'strict':true}},{'cachePoint':{"
       "'type':'default'}},{'systemTool':{'name':'nova'}}]}");
  adds("'tools':[],'tool_choice':'auto'", "");
  bedrock_refuses(HI ",'tools':[{'type':'function','function':{'n':1}}]",
                  INFER_E_INVALID_ARGUMENT,
                  "a function among the tools has no 'name'");
  adds("'toolConfig':{'tools':[{'x':1}]}", "'toolConfig':{'tools':[{'x':1}]}");
  refuses("'tools':[" TOOL "],'toolConfig':{}",
          "\"tools\" stands beside 'toolConfig'");
  refuses("'tools':[{'type':'web_search'}]",
          "Bedrock does not take tools of type 'web_search'");
  adds("'tools':[" TOOL "],'parallel_tool_calls':true",
       "'toolConfig':{'tools':[" TOOL_WANTED "]}");
  refuses("'tools':[" TOOL "],'parallel_tool_calls':false",
          "Bedrock does not take false as 'parallel_tool_calls'");
}

static void
test_tool_choice(void **state)
{
  (void)state;
  static const char *const rows[][2] = {
      {"'auto'", "{'auto':{}}"},
      {"'required'", "{'any':{}}"},
      {"{'type':'function','function':{'name':'f'}}", "{'tool':{'name':'f'}}"},
  };
  for (size_t i = 0; i < 3; i++) {
    char members[300], wanted[500];
    snprintf(members, sizeof(members), "'tools':[" TOOL "],'tool_choice':%s",
             rows[i][0]);
    snprintf(wanted, sizeof(wanted),
             "'toolConfig':{'tools':[" TOOL_WANTED "],'toolChoice':%s}",
             rows[i][1]);
    adds(members, wanted);
  }
  refuses("'tools':[" TOOL "],'tool_choice':{'type':'allowed_tools'}",
          "Bedrock does not take this 'tool_choice'");
  /* Who is told of no tool calls none; but where the messages have some, it
   * must be told. */
  adds("'tools':[" TOOL "],'tool_choice':'none'", "");
  bedrock_refuses("'messages':[{'role':'user','content':'q'},{'role':'tool',"
                  "'tool_call_id':'t','content':'r'}],'tools':[" TOOL
                  "],'tool_choice':'none'",
                  INFER_E_UNSUPPORTED,
                  "Bedrock cannot be kept from tools that the messages use, as "
                  "tool_choice says: 'none'");
}

static void
test_response_format(void **state)
{
  (void)state;
  adds("'response_format':{'type':'text'}", "");
  adds("'response_format':{'type':'json_schema','json_schema':{'name':'n',"
       "'strict':true,'schema':{'type':'object'}}}",
       "'outputConfig':{'textFormat':{'type':'json_schema','structure':{"
       "'jsonSchema':{'name':'n','schema':'{\\'type\\':\\'object\\'}'}}}}");
  refuses("'response_format':{'type':'json_object'}",
          "Bedrock does not take response_format 'json_object'");
}

static void
test_reasoning_effort(void **state)
{
  (void)state;
#define EFFORT(word) "'reasoning_effort':'" word "'"
#define THINKING(budget)                                          \
  "'additionalModelRequestFields':{'thinking':{'type':'enabled'," \
  "'budget_tokens':" budget "}}"
  adds_for(CLAUDE, EFFORT("low"), THINKING("1024"));
  adds_for(CLAUDE, EFFORT("medium"), THINKING("2048"));
  adds_for(CLAUDE, EFFORT("high"), THINKING("4096"));
  adds_for(CLAUDE, EFFORT("high") ",'max_tokens':2000",
           "'inferenceConfig':{'maxTokens':2000}," THINKING("1999"));
  adds_for(CLAUDE, EFFORT("none"), "");
  adds_for("us.amazon.nova-2-lite-v1:0", EFFORT("low"),
           "'additionalModelRequestFields':{'reasoningConfig':{'type':"
           "'enabled','maxReasoningEffort':'low'}}");
  adds_for("us.amazon.nova-2-lite-v1:0", EFFORT("none"), "");
  adds_for("openai.gpt-oss-120b-1:0", EFFORT("high"),
           "'additionalModelRequestFields':{" EFFORT("high") "}");
  inf_buf body, why;
  inf_buf_init(&body, SIZE_MAX);
  inf_buf_init(&why, 1000);
  assert_int_equal(bedrock_write(HI "," EFFORT("low") ",'max_tokens':1024",
                                 CLAUDE, "{}", S(""), &body, &why),
                   INFER_E_UNSUPPORTED);
  assert_buf(&why, "max_tokens leaves fewer than 1024 for thinking, which is "
                   "the least for \"reasoning_effort\"");
  inf_buf_fini(&body);
  inf_buf_fini(&why);
}

static void
test_members_of_converses_own(void **state)
{
  (void)state;
  adds("'guardrailConfig':{'a':1},'performanceConfig':{'latency':'optimized'},"
       "'promptVariables':{},'additionalModelResponseFieldPaths':['/x'],"
       "'outputConfig':{'y':2},'requestMetadata':{'k':'v'},"
       "'serviceTier':{'type':'flex'},'metadata':{'other':'w'},"
       "'service_tier':'priority'",
       "'guardrailConfig':{'a':1},'performanceConfig':{'latency':'optimized'},"
       "'promptVariables':{},'additionalModelResponseFieldPaths':['/x'],"
       "'outputConfig':{'y':2},'requestMetadata':{'k':'v'},"
       "'serviceTier':{'type':'flex'}");
  adds("'metadata':{'k':'v'},'service_tier':'priority'",
       "'requestMetadata':{'k':'v'},'serviceTier':{'type':'priority'}");
  adds("'metadata':{},'service_tier':'auto'", "");
}

static void
test_other_members_are_the_models_own(void **state)
{
  (void)state;
  adds("'top_k':7,'thinking':{'type':'adaptive'},'gone':null",
       "'additionalModelRequestFields':{'top_k':7,'thinking':{'type':"
       "'adaptive'}}");
  adds("'top_k':7,'b':2,'additionalModelRequestFields':{'top_k':8,'c':3}",
       "'additionalModelRequestFields':{'top_k':8,'c':3,'b':2}");
}

/* The account's members stand behind the request's. */
static void
test_members_of_the_account(void **state)
{
  (void)state;
  bedrock_sends_for("m", "{'max_tokens':3,'top_k':1,'temperature':1,'e':5}", "",
                    HI ",'temperature':0,'top_k':2",
                    HI_WANTED ",'inferenceConfig':{'maxTokens':3,'temperature':"
                              "0},'additionalModelRequestFields':{'top_k':2,"
                              "'e':5}");
}

static void
test_what_the_answer_does_not_depend_on(void **state)
{
  (void)state;
  adds("'user':'u','store':true,'stream_options':{'include_usage':true},"
       "'safety_identifier':'s','prompt_cache_key':'k',"
       "'parallel_tool_calls':false,'n':1,'modalities':['text'],"
       "'logprobs':false,'top_logprobs':0,'presence_penalty':0,"
       "'frequency_penalty':0.0,'logit_bias':{},'seed':null,'audio':null",
       "");
}

static void
test_what_cannot_be_said(void **state)
{
  (void)state;
  static const char *const names[] = {
      "'seed':0",
      "'logprobs':true",
      "'top_logprobs':3",
      "'logit_bias':{'1':2}",
      "'presence_penalty':0.5",
      "'frequency_penalty':-1",
      "'audio':{'voice':'x'}",
      "'prediction':{'type':'content'}",
      "'web_search_options':{'a':1}",
      "'web_search_options':{}",
      "'moderation':{'model':'m'}",
      "'verbosity':'low'",
      "'functions':[{}]",
      "'function_call':'auto'",
      "'system':[{'text':'s'}]",
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    char why[200];
    snprintf(why, sizeof(why), "Converse does not take %.*s",
             (int)strcspn(names[i], ":"), names[i]);
    refuses(names[i], why);
  }
  refuses("'n':2", "Bedrock gives one answer, and no more by 'n'");
  refuses("'modalities':['text','audio']",
          "Bedrock answers with text alone, not by 'modalities'");
  /* The first thing is told. */
  refuses("'n':2,'verbosity':'low'", "Converse does not take 'verbosity'");
}

typedef struct short_write {
  inf_chat chat;
  char wanted[2000];
} short_write;

static void
write_short(void *arg)
{
  short_write *s = arg;
  inf_buf body, why;
  inf_send send = {
      .kind = inf_provider_kind_find(S("bedrock")),
      .chat = &s->chat,
      .model = S("m"),
      .body_members = S("{\"\\u0061\":1}"),
  };
  inf_buf_init(&body, SIZE_MAX);
  inf_buf_init(&why, 1000);
  int32_t status = inf_bedrock_write_body(&send, &body, &why);
  if (status == INFER_OK && s->wanted[0] == '\0')
    snprintf(s->wanted, sizeof(s->wanted), "%s", inf_buf_cstr(&body));
  if (status == INFER_OK)
    assert_string_equal(inf_buf_cstr(&body), s->wanted);
  else
    assert_int_equal(status, INFER_E_NO_MEMORY);
  if (fail_alloc_hits() == 0)
    assert_int_equal(status, INFER_OK);
  inf_buf_fini(&body);
  inf_buf_fini(&why);
}

static void
test_short_memory(void **state)
{
  (void)state;
  static const char json[] =
      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":["
      "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image\\/"
      "png;base64,"
      "aa\"}},{\"type\":\"file\",\"file\":{\"filename\":\"x.pdf\",\"file_"
      "data\":"
      "\"data:application\\/pdf;base64,bb\"}}]},{\"role\":\"assistant\","
      "\"tool_calls\":[{\"id\":\"t\",\"function\":{\"name\":\"f\","
      "\"arguments\":"
      "\"{\\\"a\\\":1}\"}}]}],\"tools\":[{\"type\":\"function\",\"function\":{"
      "\"name\":\"f\"}}],\"top_k\":3}";
  short_write s = {0};
  fail_alloc_install();
  inf_chat_init(&s.chat);
  assert_int_equal(inf_chat_from_json(&s.chat, S(json), NULL, NULL), INFER_OK);
  write_short(&s);
  assert_true(fail_alloc_sweep(write_short, &s) > 4);
  inf_chat_fini(&s.chat);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_inference),
      cmocka_unit_test(test_tools),
      cmocka_unit_test(test_tool_choice),
      cmocka_unit_test(test_response_format),
      cmocka_unit_test(test_reasoning_effort),
      cmocka_unit_test(test_members_of_converses_own),
      cmocka_unit_test(test_other_members_are_the_models_own),
      cmocka_unit_test(test_members_of_the_account),
      cmocka_unit_test(test_what_the_answer_does_not_depend_on),
      cmocka_unit_test(test_what_cannot_be_said),
      cmocka_unit_test(test_short_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
