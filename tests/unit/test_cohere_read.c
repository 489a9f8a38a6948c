/* SPDX-License-Identifier: MIT */
#include "provider/cohere_read.h"
#include "unit/writer_support.h"

#define EVENT(type, delta)                                        \
  "event: " type "\ndata: {'type':'" type "','index':0,'delta':{" \
  "" delta "}}\n\n"
#define START                                                        \
  "data: {'id':'i1','type':'message-start','delta':{'message':"      \
  "{'role':'assistant','content':[],'tool_plan':'','tool_calls':[]," \
  "'citations':[]}}}\n\n"
#define TEXT(piece) \
  EVENT("content-delta", "'message':{'content':{'text':'" piece "'}}")
#define END(reason)                                                   \
  "data: {'type':'message-end','delta':{'finish_reason':'" reason     \
  "','usage':{'billed_units':{'input_tokens':1,'output_tokens':1},"   \
  "'tokens':{'input_tokens':9,'output_tokens':4,'reasoning_tokens':2" \
  "},'cached_tokens':3}}}"

static int32_t
read_as(reading *r, bool stream, int http_status, const char *text, size_t step)
{
  char *json = quoted(text);
  inf_decoder_options options = default_options(stream);
  options.kind = inf_provider_kind_find(S("cohere"));
  reading_init(r, options);
  int32_t status = reading_run(r, http_status, S(json), step);
  free(json);
  return status;
}

static void
test_a_stream(void **state)
{
  (void)state;
  static const char text[] =
      START EVENT("content-start", "'message':{'content':{'type':'thinking',"
                                   "'thinking':''}}")
          EVENT("content-delta", "'message':{'content':{'thinking':'hm'}}")
              TEXT("a\\u00e9") TEXT("\\n")
                  EVENT("citation-start",
                        "'message':{'citations':{'start':0,'text':'a'}}")
                      EVENT("citation-start",
                            "'message':{'citations':{'start':1,'text':'b'}}")
                          END("COMPLETE");
  for (size_t step = 0; step < 3; step++) {
    reading r;
    assert_int_equal(read_as(&r, true, 200, text, step), INFER_OK);
    const inf_choice *choice = inf_answer_choice(&r.answer, 0);
    assert_buf(&choice->text, "a\xc3\xa9\n");
    assert_buf(&choice->reasoning, "hm");
    assert_buf(&choice->finish_reason, "stop");
    assert_buf(&choice->native_finish_reason, "COMPLETE");
    assert_buf(&r.answer.id, "i1");
    assert_int_equal(r.answer.usage.input, 9);
    assert_int_equal(r.answer.usage.output, 4);
    assert_int_equal(r.answer.usage.reasoning, 2);
    assert_int_equal(r.answer.usage.cache_read, 3);
    assert_json_at(inf_buf_cstr(&r.json), "/billed_units",
                   "{\"input_tokens\":1,\"output_tokens\":1}");
    assert_json_at(inf_buf_cstr(&r.json), "/choices/0/message/citations",
                   "[{\"start\":0,\"text\":\"a\"},"
                   "{\"start\":1,\"text\":\"b\"}]");
    reading_fini(&r);
  }
}

/* A stream and the whole body of the same answer are the same answer. */
static void
test_tool_calls_with_their_plan(void **state)
{
  (void)state;
  static const char stream[] = START EVENT("tool-plan-delta",
                                           "'message':{'tool_plan':'I '}")
      EVENT("tool-plan-delta", "'message':{'tool_plan':'will'}")
          EVENT("tool-call-start",
                "'message':{'tool_calls':{'id':'c1','type':'function',"
                "'function':{'name':'f','arguments':''}}}")
              EVENT("tool-call-delta", "'message':{'tool_calls':{'function':"
                                       "{'arguments':'{}'}}}")
                  EVENT("tool-call-end", "") END("TOOL_CALL") "\n\n"
                                                              "data: [DONE]\n";
  static const char body[] =
      "{'id':'i1','message':{'role':'assistant','tool_plan':'I will',"
      "'tool_calls':[{'id':'c1','type':'function','function':{'name':'f',"
      "'arguments':'{}'}}]},'finish_reason':'TOOL_CALL','usage':{"
      "'billed_units':{'input_tokens':1,'output_tokens':1},'tokens':"
      "{'input_tokens':9,'output_tokens':4,'reasoning_tokens':2},"
      "'cached_tokens':3}}";
  reading streamed, whole;
  assert_int_equal(read_as(&streamed, true, 200, stream, 0), INFER_OK);
  assert_int_equal(read_as(&whole, false, 200, body, 0), INFER_OK);
  assert_json(inf_buf_cstr(&streamed.json), inf_buf_cstr(&whole.json));
  assert_json_at(inf_buf_cstr(&whole.json), "/choices/0/message/tool_plan",
                 "\"I will\"");
  assert_json_at(inf_buf_cstr(&whole.json), "/choices/0/finish_reason",
                 "\"tool_calls\"");
  reading_fini(&streamed);
  reading_fini(&whole);
}

static void
test_a_cut_stream_is_never_a_success(void **state)
{
  (void)state;
  char *text = quoted(START TEXT("Hi") END("COMPLETE"));
  size_t len = strlen(text);
  inf_decoder_options options = default_options(true);
  options.kind = inf_provider_kind_find(S("cohere"));
  for (size_t cut = 0; cut <= len; cut++) {
    reading r;
    reading_init(&r, options);
    int32_t status = reading_run(&r, 200, inf_sv_of(text, cut), 0);
    assert_int_equal(status == INFER_OK, cut == len);
    reading_fini(&r);
  }
  free(text);
}

static void
test_finish_reasons(void **state)
{
  (void)state;
  static const struct {
    const char *native, *ours;
    int32_t status;
  } cases[] = {
      {"COMPLETE", "stop", INFER_OK},
      {"STOP_SEQUENCE", "stop", INFER_OK},
      {"MAX_TOKENS", "length", INFER_OK},
      {"TOOL_CALL", "tool_calls", INFER_OK},
      {"ERROR_TOXIC", "content_filter", INFER_OK},
      {"NEW_WORD", "NEW_WORD", INFER_OK},
      {"TIMEOUT", "TIMEOUT", INFER_E_SERVER},
      {"ERROR", "ERROR", INFER_E_SERVER},
      {"ERROR_LIMIT", "ERROR_LIMIT", INFER_E_SERVER},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[256];
    reading r;
    snprintf(text, sizeof(text),
             "{'message':{'content':[{'type':'text','text':'a'}]},"
             "'finish_reason':'%s'}",
             cases[i].native);
    assert_int_equal(read_as(&r, false, 200, text, 0), cases[i].status);
    const inf_choice *choice = inf_answer_choice(&r.answer, 0);
    assert_buf(&choice->finish_reason, cases[i].ours);
    assert_buf(&choice->native_finish_reason, cases[i].native);
    assert_buf(&choice->text, "a");
    reading_fini(&r);
  }
}

static void
test_an_error_at_the_end_of_a_stream(void **state)
{
  (void)state;
  reading r;
  assert_int_equal(
      read_as(&r, true, 200,
              START TEXT("a") "data: {'type':'message-end','delta':{"
                              "'finish_reason':'ERROR','usage':{},'error':"
                              "'no good','error_type':'INVALID_TOOL'}}\n\n"
                              "data: [DONE]\n\n",
              0),
      INFER_E_SERVER);
  assert_buf(&r.decoder.failure.message, "no good");
  assert_buf(&r.decoder.failure.type, "INVALID_TOOL");
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a");
  reading_fini(&r);
  assert_int_equal(read_as(&r, true, 200,
                           START "data: {'message':'too many requests'}\n\n",
                           0),
                   INFER_E_RATE_LIMITED);
  reading_fini(&r);
}

static void
test_bad_bodies(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int http_status;
    int32_t status;
  } cases[] = {
      {"{'id':'1','message':'invalid api token'}", 401, INFER_E_AUTH},
      {"{'id':'1','message':'too many tokens','error_type':"
       "'TOO_MANY_TOKENS'}",
       400, INFER_E_CONTEXT_LENGTH},
      {"{'id':'1','message':'wait: too many requests'}", 200,
       INFER_E_RATE_LIMITED},
      {"{'id':'1'}", 200, INFER_E_PROTOCOL},
      {"[]", 200, INFER_E_PROTOCOL},
      {"{'message':{'content':[", 200, INFER_E_TRUNCATED},
      {"<html><title>x</title></html>", 200, INFER_E_PROTOCOL},
      {"", 200, INFER_E_PROTOCOL},
      {"{'message':null}", 200, INFER_E_PROTOCOL},
      {"{'message':{'role':'assistant'}}", 200, INFER_E_TRUNCATED},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    reading r;
    assert_int_equal(read_as(&r, false, cases[i].http_status, cases[i].text, 0),
                     cases[i].status);
    reading_fini(&r);
  }
}

/* What is not known, or not of its type, says nothing. */
static void
test_odd_events_are_passed_over(void **state)
{
  (void)state;
  reading r;
  assert_int_equal(
      read_as(&r, true, 200,
              START "data: {'type':'debug','prompt':'x'}\n\n"
                    "data: {'type':'content-delta','index':'x','delta':7}\n\n"
                    "data: {'type':'content-delta','delta':{'message':{"
                    "'content':null,'tool_calls':7,'citations':'x'}}}\n\n"
                    "data: nonsense\n\n" TEXT("a") END("COMPLETE"),
              0),
      INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a");
  assert_int_equal(r.decoder.skipped_events, 1);
  reading_fini(&r);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_stream),
      cmocka_unit_test(test_tool_calls_with_their_plan),
      cmocka_unit_test(test_a_cut_stream_is_never_a_success),
      cmocka_unit_test(test_finish_reasons),
      cmocka_unit_test(test_an_error_at_the_end_of_a_stream),
      cmocka_unit_test(test_bad_bodies),
      cmocka_unit_test(test_odd_events_are_passed_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
