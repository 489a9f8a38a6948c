/* SPDX-License-Identifier: MIT */
#include "provider/ollama_read.h"
#include "unit/writer_support.h"

#define LINE(message)                                                     \
  "{'model':'q','created_at':'2026-08-02T17:43:57.5Z','message':{'role':" \
  "'assistant'," message "},'done':false}\n"
#define LAST                                                            \
  "{'model':'q','created_at':'2026-08-02T17:43:58Z','message':{'role':" \
  "'assistant','content':''},'done':true,'done_reason':'stop',"         \
  "'total_duration':5,'prompt_eval_count':11,'eval_count':3}"

static int32_t
read_as(reading *r, bool stream, int http_status, const char *text, size_t step)
{
  char *json = quoted(text);
  inf_decoder_options options = default_options(stream);
  options.kind = inf_provider_kind_find(S("ollama"));
  reading_init(r, options);
  int32_t status = reading_run(r, http_status, S(json), step);
  free(json);
  return status;
}

static void
test_a_stream(void **state)
{
  (void)state;
  static const char text[] = LINE("'content':'','thinking':'hm'")
      LINE("'content':'a\\u00e9'") LINE("'content':'b'") LAST "\n";
  for (size_t step = 0; step < 3; step++) {
    reading r;
    assert_int_equal(read_as(&r, true, 200, text, step), INFER_OK);
    const inf_choice *choice = inf_answer_choice(&r.answer, 0);
    assert_buf(&choice->text, "a\xc3\xa9"
                              "b");
    assert_buf(&choice->reasoning, "hm");
    assert_buf(&choice->finish_reason, "stop");
    assert_buf(&r.answer.model, "q");
    assert_int_equal(r.answer.created, 1785692637);
    assert_int_equal(r.answer.usage.input, 11);
    assert_int_equal(r.answer.usage.output, 3);
    assert_false(r.answer.usage.estimated);
    assert_json_at(inf_buf_cstr(&r.json), "/total_duration", "5");
    reading_fini(&r);
  }
}

/* Each call comes whole, in whatever line, and may be numbered or not. */
static void
test_tool_calls(void **state)
{
  (void)state;
  reading r;
  assert_int_equal(
      read_as(&r, true, 200,
              LINE("'content':'','tool_calls':[{'function':{'name':'f',"
                   "'arguments':{'x':1}}},{'id':'c2','function':{'index':1,"
                   "'name':'g'}}]")
                  LINE("'content':'','tool_calls':[{'function':{'index':0,"
                       "'name':'f','arguments':'{}'}}]") LAST,
              0),
      INFER_OK);
  const inf_choice *choice = inf_answer_choice(&r.answer, 0);
  assert_int_equal(choice->tool_call_count, 3);
  assert_buf(&choice->tool_calls[0].arguments, "{\"x\":1}");
  assert_buf(&choice->tool_calls[0].id, "");
  assert_buf(&choice->tool_calls[1].name, "g");
  assert_buf(&choice->tool_calls[1].arguments, "{}");
  assert_buf(&choice->tool_calls[1].id, "c2");
  assert_buf(&choice->tool_calls[2].arguments, "{}");
  assert_buf(&choice->finish_reason, "tool_calls");
  assert_buf(&choice->native_finish_reason, "stop");
  reading_fini(&r);
}

static void
test_a_whole_body(void **state)
{
  (void)state;
  reading r;
  assert_int_equal(
      read_as(&r, false, 200,
              "{'model':'q','message':{'role':'assistant','content':'a',"
              "'images':['QUJD']},'logprobs':[{'token':'a','logprob':-0.5}],"
              "'done':true,'done_reason':'length'}",
              0),
      INFER_OK);
  const char *json = inf_buf_cstr(&r.json);
  assert_json_at(json, "/choices/0/finish_reason", "\"length\"");
  assert_json_at(json, "/choices/0/message/content", "\"a\"");
  assert_json_at(json, "/choices/0/message/images", "[\"QUJD\"]");
  assert_json_at(json, "/choices/0/logprobs/content/0/token", "\"a\"");
  assert_true(r.answer.usage.estimated);
  reading_fini(&r);
  /* Old servers gave no reason; a tool call says what it is. */
  assert_int_equal(read_as(&r, false, 200,
                           "{'message':{'content':'','tool_calls':[{"
                           "'function':{'name':'f','arguments':{}}}]},"
                           "'done':true}",
                           0),
                   INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->finish_reason, "tool_calls");
  reading_fini(&r);
}

static void
test_a_cut_stream_is_never_a_success(void **state)
{
  (void)state;
  char *text = quoted(LINE("'content':'Hi'") LAST);
  size_t len = strlen(text);
  inf_decoder_options options = default_options(true);
  options.kind = inf_provider_kind_find(S("ollama"));
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
test_failures(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    bool stream;
    int http_status;
    int32_t status;
  } cases[] = {
      {"{'error':'model \\\"x\\\" not found'}", true, 404, INFER_E_NOT_FOUND},
      {"{'error':'unauthorized'}", false, 401, INFER_E_AUTH},
      {"{'error':'server busy, please try again'}", true, 503,
       INFER_E_OVERLOADED},
      {LINE("'content':'a'") "{'error':'an error was encountered'}\n", true,
       200, INFER_E_SERVER},
      {"{'error':'an error was encountered'}", true, 200, INFER_E_SERVER},
      {"{'error':'an error was encountered'}", false, 200, INFER_E_SERVER},
      {"{'response':'of the other API'}", false, 200, INFER_E_PROTOCOL},
      {LINE("'content':'a'"), false, 200, INFER_E_TRUNCATED},
      {LINE("'content':'a'"), true, 200, INFER_E_TRUNCATED},
      {"{'message':{'content':'a'", false, 200, INFER_E_TRUNCATED},
      {"<html></html>", true, 200, INFER_E_PROTOCOL},
      {"", true, 200, INFER_E_TRUNCATED},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    reading r;
    assert_int_equal(
        read_as(&r, cases[i].stream, cases[i].http_status, cases[i].text, 0),
        cases[i].status);
    reading_fini(&r);
  }
}

static void
test_odd_lines_are_passed_over(void **state)
{
  (void)state;
  reading r;
  assert_int_equal(read_as(&r, true, 200,
                           "nonsense\n[]\n{'model':7}\n" LINE(
                               "'content':null,'thinking':7,'tool_calls':{}")
                               LINE("'content':'a'") LAST,
                           0),
                   INFER_E_PROTOCOL); /* the first byte says it is no JSON */
  reading_fini(&r);
  assert_int_equal(
      read_as(&r, true, 200,
              LINE("'content':'a'") "nonsense\n[]\n{'model':7}\n" LINE(
                  "'content':null,'thinking':7,"
                  "'tool_calls':{}") LAST,
              0),
      INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a");
  assert_int_equal(r.decoder.skipped_events, 3);
  reading_fini(&r);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_stream),
      cmocka_unit_test(test_tool_calls),
      cmocka_unit_test(test_a_whole_body),
      cmocka_unit_test(test_a_cut_stream_is_never_a_success),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_odd_lines_are_passed_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
