/* SPDX-License-Identifier: MIT */
#define SUPPORT_KIND "openai-responses"
#include "unit/anthropic_support.h"

#define MESSAGE       "/choices/0/message"
#define E(type, rest) "event: " type "\ndata: {'type':'" type "'" rest "}\n\n"
#define CREATED                                                           \
  E("response.created", ",'response':{'id':'resp_1','created_at':17,"     \
                        "'model':'m','status':'in_progress','output':[]," \
                        "'usage':null}")
#define TEXT_DELTA(text) \
  E("response.output_text.delta", ",'output_index':0,'delta':'" text "'")
#define LAST(status, more) \
  E("response." status,    \
    ",'response':{'id':'resp_1','model':'m','status':'" status "'" more "}")
#define USAGE                                                          \
  ",'usage':{'input_tokens':9,'input_tokens_details':{'cached_tokens'" \
  ":4},'output_tokens':5,'output_tokens_details':{'reasoning_tokens':" \
  "2},'total_tokens':14}"
#define BODY(status, items, more)                                   \
  "{'id':'resp_1','object':'response','created_at':17,'model':'m'," \
  "'status':'" status "','error':null,'output':[" items "]" more "}"

static void
test_text(void **state)
{
  (void)state;
  static const char *const texts[] = {
      BODY("completed",
           "{'type':'message','content':[{'type':'output_text','text':'Hi'}]}",
           USAGE),
      CREATED E("response.output_item.added",
                ",'output_index':0,'item':{'type':'message','content':[]}")
          TEXT_DELTA("H") TEXT_DELTA("i")
              E("response.output_text.done", ",'text':'Hi'")
                  LAST("completed", USAGE),
  };
  for (int i = 0; i < 2; i++) {
    assert_reads(texts[i], i, "/id", "'resp_1'");
    assert_reads(texts[i], i, "/created", "17");
    assert_reads(texts[i], i, MESSAGE "/content", "'Hi'");
    assert_reads(texts[i], i, "/choices/0/finish_reason", "'stop'");
    assert_reads(texts[i], i, "/choices/0/native_finish_reason", "'completed'");
    assert_reads(texts[i], i, "/usage",
                 "{'prompt_tokens':9,'completion_tokens':5,'total_tokens':14,"
                 "'prompt_tokens_details':{'cached_tokens':4},"
                 "'completion_tokens_details':{'reasoning_tokens':2}}");
  }
}

static void
test_ends(void **state)
{
  (void)state;
  assert_reads(CREATED TEXT_DELTA("a")
                   LAST("incomplete",
                        ",'incomplete_details':{'reason':'max_output_tokens'}"),
               true, "/choices/0/finish_reason", "'length'");
  assert_reads(BODY("incomplete", "",
                    ",'incomplete_details':{'reason':"
                    "'content_filter'}"),
               false, "/choices/0/finish_reason", "'content_filter'");
  assert_reads(BODY("queued", "", ""), false, "/choices/0/finish_reason",
               "'queued'");
}

static void
test_calls(void **state)
{
  (void)state;
  static const char calls[] =
      "[{'id':'call_1','type':'function','function':{'name':'f','arguments':"
      "'{}'}},{'id':'call_2','type':'custom','custom':{'name':'c','input':"
      "'free'}}]";
  assert_reads(BODY("completed",
                    "{'type':'function_call','call_id':'call_1','name':'f',"
                    "'arguments':'{}'},{'type':'web_search_call'},"
                    "{'type':'custom_tool_call','call_id':'call_2','name':'c',"
                    "'input':'free'}",
                    ""),
               false, MESSAGE "/tool_calls", calls);
#define ITEM(event, index, item) \
  E("response.output_item." event, ",'output_index':" #index ",'item':" item)
  /* One in pieces, one only when it is done. */
#define STREAMED                                                \
  CREATED ITEM("added", 0,                                      \
               "{'type':'function_call','call_id':'call_1',"    \
               "'name':'f','arguments':''}")                    \
      E("response.function_call_arguments.delta",               \
        ",'output_index':0,'delta':'{'")                        \
          E("response.function_call_arguments.delta",           \
            ",'output_index':0,'delta':'}'")                    \
              E("response.function_call_arguments.done",        \
                ",'output_index':0,'arguments':'{}'")           \
                  ITEM("done", 0,                               \
                       "{'type':'function_call','call_id':"     \
                       "'call_1','name':'f','arguments':'{}'}") \
                      E("response.mcp_call_arguments.delta",    \
                        ",'output_index':0,'delta':'x'")        \
                          ITEM("done", 1,                       \
                               "{'type':'custom_tool_call',"    \
                               "'call_id':'call_2','name':'c'," \
                               "'input':'free'}") LAST("completed", "")
  assert_reads(STREAMED, true, MESSAGE "/tool_calls", calls);
  assert_reads(STREAMED, true, "/choices/0/finish_reason", "'tool_calls'");
}

static void
test_reasoning_and_refusals(void **state)
{
  (void)state;
  static const char details[] =
      "[{'type':'reasoning.encrypted','index':0,'format':"
      "'openai-responses-v1','id':'rs_1','data':'eHh4'}]";
#define REASONING                                                      \
  "{'type':'reasoning','id':'rs_1','summary':[{'type':'summary_text'," \
  "'text':'Hm'}],'encrypted_content':'eHh4'}"
  assert_reads(BODY("completed", REASONING, ""), false,
               MESSAGE "/reasoning_content", "'Hm'");
  assert_reads(BODY("completed", REASONING, ""), false,
               MESSAGE "/reasoning_details", details);
  assert_reads(CREATED E("response.reasoning_summary_text.delta",
                         ",'output_index':0,'delta':'Hm'")
                   ITEM("done", 0, REASONING) LAST("completed", ""),
               true, MESSAGE "/reasoning_content", "'Hm'");
  assert_reads(CREATED ITEM("done", 0, REASONING) LAST("completed", ""), true,
               MESSAGE "/reasoning_details", details);
  assert_reads(CREATED E("response.reasoning_text.delta", ",'delta':'Hm'")
                   LAST("completed", ""),
               true, MESSAGE "/reasoning_content", "'Hm'");
  assert_reads(CREATED E("response.refusal.delta", ",'delta':'No'")
                   LAST("completed", ""),
               true, MESSAGE "/refusal", "'No'");
  assert_reads(BODY("completed",
                    "{'type':'message','content':[{'type':'refusal',"
                    "'refusal':'No'}]}",
                    ""),
               false, MESSAGE "/refusal", "'No'");
}

/* What did not come in pieces is there all the same, and nothing comes twice.
 */
static void
test_what_comes_only_when_it_is_done(void **state)
{
  (void)state;
#define DONE \
  "{'type':'message','content':[{'type':'output_text','text':'H\\u0069'}]}"
#define SUMMARY \
  "{'type':'reasoning','summary':[{'type':'summary_text','text':'Hm'}]}"
  static const char *const streams[] = {
      CREATED ITEM("done", 0, SUMMARY) ITEM("done", 1, DONE)
          LAST("completed", ",'output':[" SUMMARY "," DONE "]"),
      CREATED LAST("completed", ",'output':[" SUMMARY "," DONE "]"),
      CREATED E("response.reasoning_summary_text.delta",
                ",'output_index':0,'delta':'Hm'") ITEM("done", 0, SUMMARY)
          E("response.output_text.delta", ",'output_index':1,'delta':'Hi'")
              ITEM("done", 1, DONE)
                  LAST("completed", ",'output':[" SUMMARY "," DONE "]"),
      /* Pieces without a number of their item. */
      CREATED E("response.reasoning_text.delta", ",'delta':'Hm'")
          ITEM("done", 3, SUMMARY) E("response.output_text.delta",
                                     ",'delta':'Hi'") ITEM("done", 4, DONE)
              LAST("completed", ",'output':[" SUMMARY "," DONE "]"),
  };
  for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
    assert_reads(streams[i], true, MESSAGE "/content", "'Hi'");
    assert_reads(streams[i], true, MESSAGE "/reasoning_content", "'Hm'");
  }
#define BEGUN(type, more)  \
  CREATED ITEM("added", 0, \
               "{'type':'" type "','call_id':'call_1','name':'f'" more "}")
  assert_reads(BEGUN("function_call", ",'arguments':''")
                   E("response.function_call_arguments.done",
                     ",'output_index':0,'arguments':'{}'")
                       LAST("completed", ""),
               true, MESSAGE "/tool_calls/0/function/arguments", "'{}'");
  assert_reads(BEGUN("custom_tool_call", ",'input':''")
                   E("response.custom_tool_call_input.done",
                     ",'output_index':0,'input':'free'") LAST("completed", ""),
               true, MESSAGE "/tool_calls/0/custom/input", "'free'");
}

/* Citations, probabilities, and the items of the provider's own tools. */
static void
test_what_else_is_said(void **state)
{
  (void)state;
#define SEARCH "{'type':'web_search_call','id':'ws_1'}"
#define TOKEN  "{'token':'Hi','logprob':-1}"
#define CITED(text, logprobs)                                          \
  "{'type':'message','content':[{'type':'output_text','text':'" text   \
  "','logprobs':[" logprobs "],'annotations':[{'type':'url_citation'," \
  "'url':'u','title':'t'},{'type':'file_citation','file_id':'f'}]}]}"
  static const char *const texts[] = {
      BODY("completed", SEARCH "," CITED("Hi", TOKEN), ""),
      CREATED ITEM("done", 0, SEARCH)
          E("response.output_text.delta", ",'output_index':1,'delta':'Hi',"
                                          "'logprobs':[" TOKEN "]")
              E("response.output_text.annotation.added",
                ",'output_index':1,'annotation':{'type':'url_citation'}")
                  ITEM("done", 1, CITED("Hi", TOKEN))
                      LAST("completed", ",'output':[" SEARCH "]"),
  };
  for (int i = 0; i < 2; i++) {
    assert_reads(texts[i], i, MESSAGE "/content", "'Hi'");
    assert_reads(texts[i], i, MESSAGE "/content_parts", "[" SEARCH "]");
    assert_reads(texts[i], i, MESSAGE "/annotations",
                 "[{'type':'url_citation','url_citation':{'url':'u','title':"
                 "'t'}},{'type':'file_citation','file_id':'f'}]");
    assert_reads(texts[i], i, "/choices/0/logprobs",
                 "{'content':[" TOKEN "],'refusal':null}");
  }
}

static void
assert_ends(const char *text, bool stream, int32_t status)
{
  read_answer r;
  char *body = quoted(text);
  for (size_t step = 0; step < 2; step++) {
    read_init(&r, body, strlen(body), stream, step);
    if (r.status != status)
      fail_msg("%d, not %d: %s", r.status, status, body);
    read_fini(&r);
  }
  free(body);
}

static void
test_failures(void **state)
{
  (void)state;
#define ERROR(code) E("error", ",'error':{'code':'" code "','message':'Sorry'}")
#define FAILED(code) \
  LAST("failed", ",'error':{'code':'" code "','message':'Sorry'}")
  assert_ends(CREATED FAILED("insufficient_quota"), true, INFER_E_QUOTA);
  /* The last word counts, however the bytes come; alone the error does. */
  assert_ends(CREATED ERROR("unknown") FAILED("insufficient_quota"), true,
              INFER_E_QUOTA);
  assert_ends(CREATED ERROR("insufficient_quota"), true, INFER_E_QUOTA);
  assert_ends(CREATED E("error", ",'code':'insufficient_quota','message':"
                                 "'Sorry','param':null"),
              true, INFER_E_QUOTA);
  assert_ends(CREATED TEXT_DELTA("a") E("error", ""), true, INFER_E_SERVER);
  assert_ends(CREATED LAST("failed", ",'error':null"), true, INFER_E_SERVER);
  assert_ends("{'id':'resp_1','status':'failed','error':{'code':"
              "'insufficient_quota','message':'Sorry'},'output':[]}",
              false, INFER_E_QUOTA);
  assert_ends("{'error':{'code':'insufficient_quota','message':'Sorry'}}",
              false, INFER_E_QUOTA);
  assert_ends("{'id':'resp_1'}", false, INFER_E_PROTOCOL);
  assert_ends("<html>", false, INFER_E_PROTOCOL);
  /* An error that was got over. */
  assert_ends(CREATED ERROR("unknown") TEXT_DELTA("a") LAST("completed", ""),
              true, INFER_OK);
}

static void
test_a_cut_stream_is_never_a_success(void **state)
{
  (void)state;
  char *text = quoted(STREAMED);
  size_t whole = strlen(text);
  read_answer r;
  for (size_t len = 0; len < whole; len++) {
    read_init(&r, text, len, true, 0);
    /* The last event counts when its line is whole. */
    if (r.status == INFER_OK)
      assert_true(len + 2 >= whole);
    read_fini(&r);
  }
  read_init(&r, text, whole, true, 0);
  assert_int_equal(r.status, INFER_OK);
  assert_true(r.terminated);
  read_fini(&r);
  free(text);
}

static void
test_odd_events_do_no_harm(void **state)
{
  (void)state;
  static const char *const odd[] = {
      "{'type':'response.output_text.delta','delta':null}",
      "{'type':'response.output_text.delta','delta':[1]}",
      "{'type':'response.output_item.added','output_index':-1,'item':7}",
      "{'type':'response.output_item.done'}",
      ("{'type':'response.function_call_arguments.delta','output_index':9,"
       "'delta':'x'}"),
      "{'type':'response.created','response':null}",
      "{'type':'response.what_is_to_come'}",
      "{'type':null}",
      "{}",
      "[]",
  };
  for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
    char text[2048];
    snprintf(text, sizeof text,
             CREATED TEXT_DELTA("Hi") "data: %s\n\n" LAST("completed", ""),
             odd[i]);
    assert_reads(text, true, MESSAGE "/content", "'Hi'");
  }
}

/* What is kept of items beside their text: bits, however many there are and
 * however their pieces are mixed. */
static void
test_items_take_little_memory(void **state)
{
  (void)state;
  static const unsigned numbers[] = {0, 1, 70000, 2000000000};
  inf_decoder decoder;
  inf_headers headers;
  inf_answer answer;
  inf_decoder_options options = {
      .kind = inf_provider_kind_find(S(SUPPORT_KIND)),
      .stream = true,
      .choices = 1,
      .max_body_bytes = 1 << 20,
      .max_event_bytes = 1 << 20,
      .max_depth = 64,
  };
  inf_headers_init(&headers, 1024);
  inf_answer_init(&answer, options.max_body_bytes);
  inf_decoder_init(&decoder, &options, &answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  for (size_t i = 0; i < 40000; i++) {
    char text[256];
    int len = snprintf(text, sizeof text,
                       "data: {\"type\":\"response.output_text.delta\","
                       "\"output_index\":%u,\"delta\":\"a\"}\n\n",
                       i < 20000 ? numbers[i % 2] : numbers[i % 4]);
    assert_int_equal(inf_decoder_feed(&decoder, text, (size_t)len), INFER_OK);
    assert_true(decoder.carry.len <= (i < 20000 ? 1 : 8192));
  }
  assert_int_equal(inf_answer_choice(&answer, 0)->text.len, 40000);
  inf_decoder_fini(&decoder);
  inf_headers_fini(&headers);
  inf_answer_fini(&answer);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_ends),
      cmocka_unit_test(test_calls),
      cmocka_unit_test(test_reasoning_and_refusals),
      cmocka_unit_test(test_what_comes_only_when_it_is_done),
      cmocka_unit_test(test_what_else_is_said),
      cmocka_unit_test(test_items_take_little_memory),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_a_cut_stream_is_never_a_success),
      cmocka_unit_test(test_odd_events_do_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
