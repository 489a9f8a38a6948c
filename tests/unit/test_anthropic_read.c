/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#define HI START(0, "{'type':'text','text':''}") DELTA(0, TEXT("Hi")) STOP(0)
#define TOOL(input) \
  "{'type':'tool_use','id':'toolu_1','name':'f','input':" input "}"
#define INPUT(text) "{'type':'input_json_delta','partial_json':'" text "'}"
#define MESSAGE     "/choices/0/message"

static void
test_text(void **state)
{
  (void)state;
  static const char stream[] = STREAM(HI, "end_turn");
  static const char whole[] = WHOLE("{'type':'text','text':'Hi'}", "end_turn");
  for (int i = 0; i < 2; i++) {
    const char *text = i ? stream : whole;
    assert_reads(text, i, "/id", "'msg_1'");
    assert_reads(text, i, "/model", "'m'");
    assert_reads(text, i, MESSAGE "/content", "'Hi'");
    assert_reads(text, i, MESSAGE "/role", "'assistant'");
    assert_reads(text, i, "/choices/0/finish_reason", "'stop'");
    assert_reads(text, i, "/choices/0/native_finish_reason", "'end_turn'");
    assert_reads(text, i, MESSAGE "/anthropic_content", NULL);
    assert_reads(text, i, MESSAGE "/reasoning_details", NULL);
  }
}

static void
test_usage_counts_the_cache_as_input(void **state)
{
  (void)state;
  assert_reads(STREAM(HI, "end_turn"), true, "/usage",
               "{'prompt_tokens':8,'completion_tokens':7,'total_tokens':15,"
               "'prompt_tokens_details':{'cached_tokens':3}}");
  assert_reads("{'type':'message','id':'i','model':'m','content':[{'type':"
               "'text','text':'a'}],'stop_reason':'end_turn','usage':{"
               "'input_tokens':1,'cache_creation_input_tokens':2,"
               "'cache_read_input_tokens':4,'output_tokens':5,"
               "'output_tokens_details':{'thinking_tokens':3}}}",
               false, "/usage",
               "{'prompt_tokens':7,'completion_tokens':5,'total_tokens':12,"
               "'prompt_tokens_details':{'cached_tokens':4,"
               "'cache_write_tokens':2},'completion_tokens_details':{"
               "'reasoning_tokens':3}}");
  /* What is told of the cache alone leaves what was read anew. */
  assert_reads("event: message_start\ndata: {'type':'message_start','message':"
               "{'content':[],'usage':{'input_tokens':1,"
               "'cache_creation_input_tokens':2,'cache_read_input_tokens':4,"
               "'output_tokens':1}}}\n\n"
               "event: message_delta\ndata: {'type':'message_delta','delta':"
               "{'stop_reason':'end_turn'},'usage':{"
               "'cache_read_input_tokens':10,'output_tokens':5}}\n\n"
               "event: message_stop\ndata: {'type':'message_stop'}\n\n",
               true, "/usage",
               "{'prompt_tokens':13,'completion_tokens':5,'total_tokens':18,"
               "'prompt_tokens_details':{'cached_tokens':10,"
               "'cache_write_tokens':2}}");
}

static void
test_reasons_to_stop(void **state)
{
  (void)state;
  static const char *const reasons[][2] = {
      {"end_turn", "stop"},
      {"stop_sequence", "stop"},
      {"pause_turn", "stop"},
      {"max_tokens", "length"},
      {"model_context_window_exceeded", "length"},
      {"tool_use", "tool_calls"},
      {"refusal", "content_filter"},
      {"what_is_to_come", "what_is_to_come"},
  };
  for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
    char text[1024], wanted[64];
    snprintf(text, sizeof text, WHOLE("{'type':'text','text':'a'}", "%s"),
             reasons[i][0]);
    snprintf(wanted, sizeof wanted, "'%s'", reasons[i][1]);
    assert_reads(text, false, "/choices/0/finish_reason", wanted);
  }
  assert_reads("{'content':[],'stop_reason':'stop_sequence',"
               "'stop_sequence':'END','stop_details':{'a':1}}",
               false, "/choices/0/stop_sequence", "'END'");
}

static void
test_calls(void **state)
{
  (void)state;
  static const char arguments[] = MESSAGE "/tool_calls/0/function/arguments";
  assert_reads(STREAM(START(0, TOOL("{}")) DELTA(0, INPUT("")) DELTA(
                          0, INPUT("{\\'a\\'")) DELTA(0, INPUT(":1}")) STOP(0),
                      "tool_use"),
               true, MESSAGE "/tool_calls",
               "[{'id':'toolu_1','type':'function','function':{'name':'f',"
               "'arguments':'{\\u0022a\\u0022:1}'}}]");
  /* Without any piece. */
  assert_reads(STREAM(START(0, TOOL("{}")) STOP(0), "tool_use"), true,
               arguments, "'{}'");
  /* All of it at once, at the start. */
  assert_reads(STREAM(START(0, TOOL("{'a':[1]}")) STOP(0), "tool_use"), true,
               arguments, "'{\\u0022a\\u0022:[1]}'");
  assert_reads(STREAM(START(0, TOOL("{'a':[1]}")) DELTA(0, INPUT("")) STOP(0),
                      "tool_use"),
               true, arguments, "'{\\u0022a\\u0022:[1]}'");
  assert_reads(WHOLE(TOOL("{'a':[1]}"), "tool_use"), false, arguments,
               "'{\\u0022a\\u0022:[1]}'");
  /* Two at once. */
  assert_reads(STREAM(START(0, TOOL("{}")) STOP(0) START(1, TOOL("{}"))
                          DELTA(1, INPUT("{}")) STOP(1),
                      "tool_use"),
               true, MESSAGE "/tool_calls/1/function/name", "'f'");
  assert_reads(WHOLE(TOOL("{}"), "tool_use"), false, MESSAGE "/content",
               "null");
}

static void
test_thinking(void **state)
{
  (void)state;
  assert_reads(WHOLE("{'type':'thinking','thinking':'Hm','signature':'c2ln'},"
                     "{'type':'text','text':'a'}",
                     "end_turn"),
               false, MESSAGE "/reasoning_content", "'Hm'");
  assert_reads(STREAM(START(0, "{'type':'thinking','thinking':''}")
                          DELTA(0, "{'type':'thinking_delta','thinking':'H'}")
                              DELTA(0, "{'type':'thinking_delta','thinking':"
                                       "'m'}") STOP(0) HI,
                      "end_turn"),
               true, MESSAGE "/reasoning_content", "'Hm'");
}

/* ---- What goes wrong ------------------------------------------------------
 */

static void
assert_ends(const char *text, bool stream, int32_t status)
{
  read_answer r;
  char *body = quoted(text);
  read_init(&r, body, strlen(body), stream, 0);
  if (r.status != status)
    fail_msg("%d, not %d: %s", r.status, status, body);
  read_fini(&r);
  free(body);
}

static void
test_a_cut_stream_is_never_a_success(void **state)
{
  (void)state;
  static const char *const streams[] = {
      STREAM(HI, "end_turn"),
      STREAM(START(0, TOOL("{}")) DELTA(0, INPUT("{}")) STOP(0), "tool_use"),
      STREAM(START(0, "{'type':'thinking','thinking':''}") DELTA(
                 0, "{'type':'signature_delta','signature':'c2ln'}") STOP(0)
                 START(1, "{'type':'server_tool_use','id':'s'}") STOP(1)
                     START(2, "{'type':'text','text':''}") DELTA(2, TEXT("a")),
             "end_turn"),
  };
  read_answer r;
  for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
    char *text = quoted(streams[i]);
    /* The end is the reason to stop, in an event that is whole. */
    char *end = strstr(text, "event: message_stop");
    assert_non_null(end);
    size_t whole = (size_t)(end - text) - 2;
    for (size_t len = 0; len < whole; len++) {
      read_init(&r, text, len, true, 0);
      assert_int_not_equal(r.status, INFER_OK);
      read_fini(&r);
    }
    read_init(&r, text, whole, true, 0);
    assert_int_equal(r.status, INFER_OK);
    assert_false(r.terminated);
    read_fini(&r);
    free(text);
  }
}

static void
test_an_error_event_ends_the_answer(void **state)
{
  (void)state;
#define FAILURE(type)                                                    \
  EVENT("error", "{'type':'error','error':{'type':'" type "','message':" \
                 "'Sorry'},'request_id':'req_1'}")
  assert_ends(STREAM(HI FAILURE("overloaded_error"), "end_turn"), true,
              INFER_E_OVERLOADED);
  assert_ends(STREAM(HI FAILURE("api_error"), "end_turn"), true,
              INFER_E_SERVER);
  assert_ends(STREAM(HI FAILURE("rate_limit_error"), "end_turn"), true,
              INFER_E_RATE_LIMITED);
  assert_ends(FAILURE("overloaded_error"), true, INFER_E_OVERLOADED);
  assert_ends("{'type':'error','error':{'type':'overloaded_error',"
              "'message':'Sorry'}}",
              false, INFER_E_OVERLOADED);
  /* An event of that type which tells nothing. */
  assert_ends(STREAM(HI EVENT("error", "{'type':'error'}"), "end_turn"), true,
              INFER_E_SERVER);
}

static void
test_usage_of_a_failed_answer_is_read(void **state)
{
  (void)state;
  read_answer r;
  char *text = quoted(STREAM(HI FAILURE("overloaded_error"), "end_turn"));
  read_init(&r, text, strlen(text), true, 0);
  assert_int_equal(r.status, INFER_E_OVERLOADED);
  assert_int_equal(r.answer.usage.output, 7);
  assert_int_equal(r.answer.usage.input, 8);
  read_fini(&r);
  free(text);
}

static void
test_answers_that_are_none(void **state)
{
  (void)state;
  assert_ends("", false, INFER_E_PROTOCOL);
  assert_ends("<html>502</html>", false, INFER_E_PROTOCOL);
  assert_ends("[]", false, INFER_E_PROTOCOL);
  assert_ends("{}", false, INFER_E_PROTOCOL);
  assert_ends("{'content':null}", false, INFER_E_PROTOCOL);
  assert_ends("{'content':'text'}", false, INFER_E_PROTOCOL);
  assert_ends("{'type':'message','content':[{'type':'text'", false,
              INFER_E_TRUNCATED);
  assert_ends("data: x\n\ndata: y\n\n", true, INFER_E_PROTOCOL);
  assert_ends(EVENT("message_stop", "{'type':'message_stop'}"), true,
              INFER_E_PROTOCOL);
  assert_ends(STREAM("", "end_turn"), true, INFER_OK);
}

/* Nulls, numbers, lists and repetitions where something else belongs. */
static void
test_odd_events_do_no_harm(void **state)
{
  (void)state;
  static const char *const odd[] = {
      "{'type':'content_block_delta','index':0,'delta':null}",
      "{'type':'content_block_delta','index':0}",
      "{'type':'content_block_delta','index':-1,'delta':{'type':'x'}}",
      ("{'type':'content_block_delta','index':'0','delta':{'type':"
       "'text_delta','text':7}}"),
      "{'type':'content_block_start','index':1e9,'content_block':[]}",
      "{'type':'content_block_start','content_block':{'type':null}}",
      "{'type':'content_block_stop','index':99}",
      "{'type':'message_delta','delta':{'stop_reason':null}}",
      "{'type':'message_delta','usage':[]}",
      "{'type':'message_start'}",
      "{'type':'new_event','data':{}}",
      "{'type':7}",
      "{}",
      "[1]",
      "7",
  };
  for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
    char text[2048];
    snprintf(text, sizeof text, STREAM(HI "data: %s\n\n", "end_turn"), odd[i]);
    read_answer r;
    char *body = quoted(text);
    read_init(&r, body, strlen(body), true, 0);
    if (r.status != INFER_OK)
      fail_msg("%s: %d", odd[i], r.status);
    assert_buf(&inf_answer_choice(&r.answer, 0)->text, "Hi");
    read_fini(&r);
    free(body);
  }
}

/* ---- Failures over HTTP ---------------------------------------------------
 */

static void
test_http_errors(void **state)
{
  (void)state;
  static const struct {
    int http;
    const char *type;
    int32_t status;
  } errors[] = {
      {400, "invalid_request_error", INFER_E_BAD_REQUEST},
      {401, "authentication_error", INFER_E_AUTH},
      {402, "billing_error", INFER_E_QUOTA},
      {403, "permission_error", INFER_E_AUTH},
      {404, "not_found_error", INFER_E_NOT_FOUND},
      {413, "request_too_large", INFER_E_REQUEST_TOO_LARGE},
      {429, "rate_limit_error", INFER_E_RATE_LIMITED},
      {500, "api_error", INFER_E_SERVER},
      {529, "overloaded_error", INFER_E_OVERLOADED},
  };
  for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
    char text[256];
    inf_failure failure;
    inf_headers headers;
    inf_failure_init(&failure);
    inf_headers_init(&headers, 1024);
    inf_headers_add_line(&headers, S("request-id: req_9"));
    snprintf(text, sizeof text,
             "{'type':'error','error':{'type':'%s','message':'Sorry'},"
             "'request_id':'req_9'}",
             errors[i].type);
    char *body = quoted(text);
    inf_classify_failure(&failure, inf_provider_kind_find(S("anthropic")),
                         errors[i].http, &headers, S(body), 0);
    assert_int_equal(failure.status, errors[i].status);
    assert_buf(&failure.type, errors[i].type);
    assert_buf(&failure.message, "Sorry");
    assert_buf(&failure.request_id, "req_9");
    inf_failure_fini(&failure);
    inf_headers_fini(&headers);
    free(body);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_usage_counts_the_cache_as_input),
      cmocka_unit_test(test_reasons_to_stop),
      cmocka_unit_test(test_calls),
      cmocka_unit_test(test_thinking),
      cmocka_unit_test(test_a_cut_stream_is_never_a_success),
      cmocka_unit_test(test_an_error_event_ends_the_answer),
      cmocka_unit_test(test_usage_of_a_failed_answer_is_read),
      cmocka_unit_test(test_answers_that_are_none),
      cmocka_unit_test(test_odd_events_do_no_harm),
      cmocka_unit_test(test_http_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
