/* SPDX-License-Identifier: MIT */
/* Messages as Converse wants them. */
#include "unit/bedrock_support.h"

#define USER(parts)      "'messages':[{'role':'user','content':[" parts "]}]"
#define IMAGE(url)       "{'type':'image_url','image_url':{'url':'" url "'}}"
#define FILE_OF(members) "{'type':'file','file':{" members "}}"

static void
test_who_speaks(void **state)
{
  (void)state;
  bedrock_sends(HI, HI_WANTED);
  /* One side's messages are one; system has a place of its own. */
  bedrock_sends("'messages':[{'role':'system','content':'s1'},"
                "{'role':'user','content':'a'},"
                "{'role':'user','content':[{'type':'text','text':'b\\n'}]},"
                "{'role':'developer','content':[{'type':'text','text':'s2'}]},"
                "{'role':'assistant','content':'c'},"
                "{'role':'assistant','content':'d'},"
                "{'role':'user','content':'e','name':'n'}]",
                "'system':[{'text':'s1'},{'text':'s2'}],'messages':["
                "{'role':'user','content':[{'text':'a'},{'text':'b\\n'}]},"
                "{'role':'assistant','content':[{'text':'c'},{'text':'d'}]},"
                "{'role':'user','content':[{'text':'e'}]}]");
}

/* Bedrock refuses it, and it says nothing. */
static void
test_empty_text_is_left_out(void **state)
{
  (void)state;
  bedrock_sends("'messages':[{'role':'user','content':'a'},"
                "{'role':'assistant','content':''},"
                "{'role':'user','content':[{'type':'text','text':''},"
                "{'type':'text','text':'b'}]},"
                "{'role':'assistant','content':null}]",
                "'messages':[{'role':'user','content':[{'text':'a'},"
                "{'text':'b'}]}]");
}

static void
test_tools(void **state)
{
  (void)state;
  bedrock_sends(
      "'messages':[{'role':'user','content':'q'},"
      "{'role':'assistant','content':null,'tool_calls':["
      "{'id':'t1','type':'function','function':{'name':'f','arguments':"
      "'{\\\"a\\\": [1.50]}'}},"
      "{'id':'t2','type':'function','function':{'name':'g','arguments':''}},"
      "{'id':'t3','type':'function','function':{'name':'h'}}]},"
      "{'role':'tool','tool_call_id':'t1','content':'r1'},"
      "{'role':'tool','tool_call_id':'t2','status':'error','content':["
      "{'type':'text','text':'r2'},{'json':{'x':1}}," IMAGE(
          "data:image/png;base64,aa==") "]},"
                                        "{'role':'tool','tool_call_id':'t3','"
                                        "content':''},"
                                        "{'role':'user','content':'go on'}]",
      "'messages':[{'role':'user','content':[{'text':'q'}]},"
      "{'role':'assistant','content':["
      "{'toolUse':{'toolUseId':'t1','name':'f','input':{'a':[1.50]}}},"
      "{'toolUse':{'toolUseId':'t2','name':'g','input':{}}},"
      "{'toolUse':{'toolUseId':'t3','name':'h','input':{}}}]},"
      "{'role':'user','content':["
      "{'toolResult':{'toolUseId':'t1','content':[{'text':'r1'}]}},"
      "{'toolResult':{'toolUseId':'t2','content':[{'text':'r2'},"
      "{'json':{'x':1}},{'image':{'format':'png','source':{'bytes':'aa=='}}}],"
      "'status':'error'}},"
      "{'toolResult':{'toolUseId':'t3','content':[]}},{'text':'go on'}]}]");
}

#define TEN "0123456789"
#define CALL_AND_RESULT(id)                                         \
  "'messages':[{'role':'assistant','tool_calls':[{'id':'" id        \
  "','function':{'name':'f'}}]},{'role':'tool','tool_call_id':'" id \
  "','content':'r'}]"
#define CALL_AND_RESULT_WANTED(id)                                          \
  "'messages':[{'role':'assistant','content':[{'toolUse':{'toolUseId':'" id \
  "','name':'f','input':{}}}]},{'role':'user','content':[{'toolResult':{"   \
  "'toolUseId':'" id "','content':[{'text':'r'}]}}]}]"

static void
test_ids_of_other_providers(void **state)
{
  (void)state;
  bedrock_sends(CALL_AND_RESULT("functions.f:0 (\\u00e9)"),
                CALL_AND_RESULT_WANTED("functions_f_0_____"));
  bedrock_sends(CALL_AND_RESULT("a_B-9"), CALL_AND_RESULT_WANTED("a_B-9"));
  bedrock_sends(CALL_AND_RESULT("abcdef" TEN TEN TEN TEN TEN TEN),
                CALL_AND_RESULT_WANTED("cdef" TEN TEN TEN TEN TEN TEN));
}

static void
test_reasoning_goes_back_where_it_can_be_checked(void **state)
{
  (void)state;
  bedrock_sends(
      "'messages':[{'role':'user','content':'q'},"
      "{'role':'assistant','reasoning_content':'hm','reasoning_details':["
      "{'type':'reasoning.text','index':0,'text':'h\\u006d','signature':'S'},"
      "{'type':'reasoning.text','text':'no signature'},"
      "{'type':'reasoning.summary','summary':'s'},"
      "{'type':'reasoning.encrypted','data':'cg=='},"
      "{'type':'reasoning.text','signature':'T','format':"
      "'anthropic-claude-v1'},"
      "{'type':'reasoning.encrypted','data':'x','format':"
      "'openai-responses-v1'}],'content':'a','annotations':[{}],"
      "'citations':[{}],'refusal':'r'}]",
      "'messages':[{'role':'user','content':[{'text':'q'}]},"
      "{'role':'assistant','content':["
      "{'reasoningContent':{'reasoningText':{'text':'hm','signature':'S'}}},"
      "{'reasoningContent':{'redactedContent':'cg=='}},"
      "{'reasoningContent':{'reasoningText':{'text':'','signature':'T'}}},"
      "{'text':'a'},{'text':'r'}]}]");
}

/* An answer that was read goes back as it came. */
static void
test_round_trip(void **state)
{
  (void)state;
  static const char body[] =
      "{'output':{'message':{'role':'assistant','content':["
      "{'reasoningContent':{'reasoningText':{'text':'hm','signature':'S'}}},"
      "{'reasoningContent':{'redactedContent':'cg=='}},{'text':'a'},"
      "{'toolUse':{'toolUseId':'t','name':'f','input':{'x':1}}}]}},"
      "'stopReason':'tool_use'}";
  inf_decoder_options options = default_options(false);
  char *quoted = bedrock_quoted(body), members[2000], wanted[2000];
  inf_buf message;
  reading r;
  options.kind = inf_provider_kind_find(S("bedrock"));
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(quoted), 0), INFER_OK);
  inf_buf_init(&message, SIZE_MAX);
  inf_answer_write_message(&r.answer, 0, &message);
  snprintf(members, sizeof(members), "'messages':[%s]", inf_buf_cstr(&message));
  char *end = strstr(quoted, "},\"stopReason\"");
  assert_non_null(end);
  *end = '\0';
  snprintf(wanted, sizeof(wanted), "'messages':[%s]",
           strstr(quoted, "\"message\":") + strlen("\"message\":"));
  bedrock_sends(members, wanted);
  inf_buf_fini(&message);
  reading_fini(&r);
  free(quoted);
}

/* The message of an answer with parts of Converse's own, among them bytes that
 * are "QUJD", in a request. */
static void
request_with_parts(inf_chat *chat)
{
  static const char body[] =
      "{'output':{'message':{'role':'assistant','content':[{'text':'a'},"
      "{'image':{'format':'png','source':{'bytes':'QUJD'}}},"
      "{'toolUse':{'toolUseId':'QUJD','name':'n','input':{},'type':"
      "'server_tool_use'}},{'toolResult':{'toolUseId':'QUJD'}}]}},"
      "'stopReason':'end_turn'}";
  inf_decoder_options options = default_options(false);
  char *json = bedrock_quoted(body);
  inf_buf text;
  reading r;
  options.kind = inf_provider_kind_find(S("bedrock"));
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(json), 0), INFER_OK);
  inf_buf_init(&text, SIZE_MAX);
  inf_buf_append_cstr(&text, "{\"model\":\"m\",\"max_tokens\":9,"
                             "\"messages\":[{\"role\":\"user\","
                             "\"content\":\"q\"}");
  inf_answer_write_message(&r.answer, 0, &text);
  inf_buf_append_cstr(&text, ",{\"role\":\"user\",\"content\":\"r\"}]}");
  assert_non_null(strstr(inf_buf_cstr(&text), "content_parts"));
  assert_int_equal(inf_chat_from_json(chat, inf_buf_sv(&text), NULL, NULL),
                   INFER_OK);
  inf_buf_fini(&text);
  reading_fini(&r);
  free(json);
}

/* Nobody gets them raw, and the text goes everywhere. */
static void
test_parts_of_an_answer_stay_here(void **state)
{
  (void)state;
  static const char *const types[] = {
      "bedrock", "gemini",           "vertex",       "anthropic",
      "openai",  "openai-responses", "azure-openai", "mistral",
      "groq",    "cohere",           "ollama",       "xai",
  };
  inf_chat chat;
  inf_chat_init(&chat);
  request_with_parts(&chat);
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    const inf_provider_kind *kind = inf_provider_kind_find(S(types[i]));
    inf_wire_request out;
    inf_buf why;
    assert_non_null(kind);
    inf_wire_request_init(&out);
    inf_buf_init(&why, 1000);
    inf_send send = {
        .kind = kind,
        .base_url = kind->base_url ? S(kind->base_url) : S("https://h/v1"),
        .auth_scheme = S(kind->auth_scheme),
        .key = S("k"),
        .region = S("us-east-1"),
        .project = S("p"),
        .body_members = S("{}"),
        .model = S("m"),
        .chat = &chat,
        .prefill = INF_PREFILL_NONE,
    };
    if (kind->dialect->write_chat(&send, &out, &why) != INFER_OK)
      fail_msg("%s: %s", types[i], inf_buf_cstr(&why));
    const char *sent = inf_buf_cstr(&out.body);
    if (strstr(sent, "QUJD") || strstr(sent, "content_parts") ||
        !strstr(sent, "\"a\""))
      fail_msg("%s is sent %s", types[i], sent);
    inf_wire_request_fini(&out);
    inf_buf_fini(&why);
  }
  inf_chat_fini(&chat);
}

#define JPEG IMAGE("data:image/jpg;base64,/9j=")
#define WEBP IMAGE("data:IMAGE/WEBP;charset=x;BASE64,aa")
#define S3   IMAGE("s3://b/k.JPG")
#define GIF                                                     \
  "{'type':'image_url','image_url':'data:image/gif;base64,bb'," \
  "'detail':'low'}"
#define MP4 "{'type':'video_url','video_url':{'url':'s3://b/v.mp4'}}"

static void
test_images(void **state)
{
  (void)state;
  bedrock_sends(USER(JPEG "," WEBP "," S3 "," GIF "," MP4),
                "'messages':[{'role':'user','content':["
                "{'image':{'format':'jpeg','source':{'bytes':'/9j='}}},"
                "{'image':{'format':'webp','source':{'bytes':'aa'}}},"
                "{'image':{'format':'jpeg','source':{'s3Location':{'uri':"
                "'s3://b/k.JPG'}}}},"
                "{'image':{'format':'gif','source':{'bytes':'bb'}}},"
                "{'video':{'format':'mp4','source':{'s3Location':{'uri':"
                "'s3://b/v.mp4'}}}}]}]");
}

#define PDF                                             \
  FILE_OF("'filename':'a/b_c  (1).v2.pdf','file_data':" \
          "'data:application/pdf;base64,aa'")
#define TEXT FILE_OF("'file_data':'data:text/plain;charset=utf-8;base64,bb'")
#define CSV  FILE_OF("'file_data':'data:text/csv;base64,cc'")
#define HTML FILE_OF("'filename':'_','file_data':'data:text/html;base64,dd'")
#define WAV  "{'type':'input_audio','input_audio':{'format':'wav','data':'ee'}}"

static void
test_files_and_sound(void **state)
{
  (void)state;
  bedrock_sends(
      USER(PDF "," TEXT "," CSV "," HTML "," WAV),
      "'messages':[{'role':'user','content':["
      "{'document':{'format':'pdf','name':'a b c (1) v2','source':{'bytes':"
      "'aa'}}},"
      "{'document':{'format':'txt','name':'document-2','source':{'bytes':"
      "'bb'}}},"
      "{'document':{'format':'csv','name':'document-3','source':{'bytes':"
      "'cc'}}},"
      "{'document':{'format':'html','name':'document','source':{'bytes':"
      "'dd'}}},"
      "{'audio':{'format':'wav','source':{'bytes':'ee'}}}]}]");
}

static void
test_blocks_of_converses_own(void **state)
{
  (void)state;
  bedrock_sends(
      "'messages':[{'role':'system','content':[{'guardContent':{'text':{}}}]},"
      "{'role':'user','content':[{'text':'a'},{'cachePoint':{'type':"
      "'default'}},{'type':'text','text':'b'},{'document':{'x':[1]}}]}]",
      "'system':[{'guardContent':{'text':{}}}],'messages':[{'role':'user',"
      "'content':[{'text':'a'},{'cachePoint':{'type':'default'}},{'text':'b'},"
      "{'document':{'x':[1]}}]}]");
}

/* In a tool's result there is no place for one: it stands behind. */
static void
test_cache_control(void **state)
{
  (void)state;
#define CACHED "'cache_control':{'type':'ephemeral'}"
  bedrock_sends(
      "'messages':[{'role':'system','content':[{'type':'text','text':'s'"
      "," CACHED "}]},{'role':'user','content':[{'type':'text','text':'a',"
      "'cache_control':{'type':'ephemeral','ttl':'1h'}},"
      "{'type':'text','text':'b'}]},"
      "{'role':'tool','tool_call_id':'t','content':[{'type':'text','text':"
      "'r'," CACHED "}]}]",
      "'system':[{'text':'s'},{'cachePoint':{'type':'default'}}],'messages':["
      "{'role':'user','content':[{'text':'a'},{'cachePoint':{'type':'default',"
      "'ttl':'1h'}},{'text':'b'},{'toolResult':{'toolUseId':'t','content':["
      "{'text':'r'}]}},{'cachePoint':{'type':'default'}}]}]");
}

static void
test_a_partial_answer_is_the_last_message(void **state)
{
  (void)state;
  bedrock_sends_for("anthropic.claude-3", "{}", "so \"far\"",
                    HI ",'max_tokens':100",
                    "'messages':[{'role':'user','content':[{'text':'hi'}]},"
                    "{'role':'assistant','content':[{'text':'so \\'far\\''}]}],"
                    "'inferenceConfig':{'maxTokens':95}");
  bedrock_sends_for("anthropic.claude-3", "{}", "x", HI ",'max_tokens':3",
                    "'messages':[{'role':'user','content':[{'text':'hi'}]},"
                    "{'role':'assistant','content':[{'text':'x'}]}],"
                    "'inferenceConfig':{'maxTokens':1}");
}

static void
test_what_cannot_be_said(void **state)
{
  (void)state;
  static const struct {
    const char *members;
    int32_t status;
    const char *why;
  } rows[] = {
      {USER(IMAGE("https://h/a.png")), INFER_E_UNSUPPORTED,
       "Bedrock takes data: and s3:// URLs only, as of images"},
      {USER(IMAGE("data:image/png,raw")), INFER_E_UNSUPPORTED,
       "Bedrock takes data: and s3:// URLs only, as of images"},
      {USER(IMAGE("data:")), INFER_E_UNSUPPORTED,
       "Bedrock takes data: and s3:// URLs only, as of images"},
      {USER(IMAGE("data:image/tiff;base64,aa")), INFER_E_UNSUPPORTED,
       "Bedrock does not take files of type 'image/tiff'"},
      {USER(IMAGE("s3://b/k")), INFER_E_UNSUPPORTED,
       "Bedrock does not take files of type 'unknown'"},
      {USER(FILE_OF("'file_id':'f1'")), INFER_E_UNSUPPORTED,
       "Bedrock takes no files by 'file_id'"},
      {USER("{'type':'input_audio','input_audio':{'format':'g711'}}"),
       INFER_E_UNSUPPORTED, "Bedrock does not take sound of format 'g711'"},
      {USER("{'type':'new'}"), INFER_E_UNSUPPORTED,
       "Bedrock does not take content of type 'new'"},
      {"'messages':[{'role':'function','content':'x'}]", INFER_E_UNSUPPORTED,
       "Bedrock does not take messages of role 'function'"},
      {"'messages':[{'role':'assistant','audio':{'id':'a'}}]",
       INFER_E_UNSUPPORTED, "Bedrock does not take in a message 'audio'"},
      {"'messages':[{'role':'assistant','function_call':{'name':'f'}}]",
       INFER_E_UNSUPPORTED,
       "Bedrock does not take in a message 'function_call'"},
      {"'messages':[{'role':'assistant','tool_calls':[{'id':'t','type':"
       "'custom','custom':{}}]}]",
       INFER_E_UNSUPPORTED,
       "Bedrock takes only calls of functions, with id and name"},
      {"'messages':[{'role':'assistant','tool_calls':[{'id':'t','function':{"
       "'name':'f','arguments':'[1]'}}]}]",
       INFER_E_INVALID_ARGUMENT, "no JSON object as the arguments of tool 'f'"},
      {"'messages':[{'role':'assistant','tool_calls':[{'id':'t','function':{"
       "'name':'f','arguments':'{'}}]}]",
       INFER_E_INVALID_ARGUMENT, "no JSON object as the arguments of tool 'f'"},
      {"'messages':[{'role':'tool','content':'x'}]", INFER_E_INVALID_ARGUMENT,
       "a message of role \"tool\" has no 'tool_call_id'"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    bedrock_refuses(rows[i].members, rows[i].status, rows[i].why);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_who_speaks),
      cmocka_unit_test(test_empty_text_is_left_out),
      cmocka_unit_test(test_tools),
      cmocka_unit_test(test_ids_of_other_providers),
      cmocka_unit_test(test_reasoning_goes_back_where_it_can_be_checked),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_parts_of_an_answer_stay_here),
      cmocka_unit_test(test_images),
      cmocka_unit_test(test_files_and_sound),
      cmocka_unit_test(test_blocks_of_converses_own),
      cmocka_unit_test(test_cache_control),
      cmocka_unit_test(test_a_partial_answer_is_the_last_message),
      cmocka_unit_test(test_what_cannot_be_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
