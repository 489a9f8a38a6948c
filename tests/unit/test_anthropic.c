/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#include "support/fail_alloc.h"

static bool
has_line(const written *w, const char *line)
{
  size_t len = strlen(line) + 1;
  const inf_buf *headers = &w->out.headers;
  for (size_t i = 0; i + len <= headers->len; i++)
    if ((i == 0 || headers->ptr[i - 1] == '\0') &&
        memcmp(headers->ptr + i, line, len) == 0)
      return true;
  return false;
}

static void
test_a_plain_request(void **state)
{
  (void)state;
  written w;
  written_init(&w, "anthropic", MESSAGES(USER));
  assert_json(written_body(&w),
              "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":4096,"
              "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
  assert_buf(&w.out.url, "https://h/v1/messages");
  assert_true(has_line(&w, "x-api-key: sk"));
  assert_true(has_line(&w, "anthropic-version: 2023-06-01"));
  assert_true(has_line(&w, "Content-Type: application/json"));
  assert_false(has_line(&w, "Authorization: Bearer sk"));
  written_fini(&w);
}

static void
test_a_stream_and_headers_of_the_caller(void **state)
{
  (void)state;
  written w;
  static const char extra[] =
      "anthropic-version: 2030-01-01\0anthropic-beta: a,b";
  written_init(&w, "anthropic", MESSAGES(USER));
  w.send.stream = true;
  w.send.headers = inf_sv_of(extra, sizeof(extra));
  assert_json_at(written_body(&w), "/stream", "true");
  assert_true(has_line(&w, "Accept: text/event-stream"));
  assert_true(has_line(&w, "anthropic-version: 2030-01-01"));
  assert_true(has_line(&w, "anthropic-beta: a,b"));
  assert_false(has_line(&w, "anthropic-version: 2023-06-01"));
  written_fini(&w);
}

static void
test_on_vertex_the_model_is_in_the_path(void **state)
{
  (void)state;
  written w;
  written_init(&w, "vertex-anthropic",
               "{'model':'claude-haiku-4-5@20251001','messages':[" USER "]}");
  const char *body = written_body(&w);
  assert_json_at(body, "/anthropic_version", "\"vertex-2023-10-16\"");
  assert_false(json_has(body, "/model"));
  assert_buf(&w.out.url, "https://h/v1/publishers/anthropic/models/"
                         "claude-haiku-4-5%4020251001:rawPredict");
  assert_true(has_line(&w, "Authorization: Bearer sk"));
  written_fini(&w);
  written_init(&w, "vertex-anthropic", MESSAGES(USER));
  w.send.stream = true;
  written_body(&w);
  assert_true(inf_sv_ends_with(inf_buf_sv(&w.out.url),
                               S("claude-sonnet-4-5:streamRawPredict")));
  written_fini(&w);
}

static void
test_models(void **state)
{
  (void)state;
  written w;
  written_init(&w, "anthropic", MESSAGES(USER));
  assert_int_equal(inf_dialect_anthropic.write_models(&w.send, &w.out),
                   INFER_OK);
  assert_buf(&w.out.url, "https://h/v1/models?limit=1000");
  assert_true(has_line(&w, "x-api-key: sk"));
  assert_false(has_line(&w, "Content-Type: application/json"));
  written_fini(&w);
  written_init(&w, "azure-anthropic", MESSAGES(USER));
  assert_int_equal(inf_dialect_anthropic.write_models(&w.send, &w.out),
                   INFER_E_UNSUPPORTED);
  written_fini(&w);
}

static void
test_members_that_have_another_name(void **state)
{
  (void)state;
  assert_becomes(MEMBERS("'max_tokens':9"), "/max_tokens", "9");
  assert_becomes(MEMBERS("'max_tokens':9,'max_completion_tokens':7"),
                 "/max_tokens", "7");
  assert_becomes(MEMBERS("'max_completion_tokens':7"), "/max_completion_tokens",
                 NULL);
  assert_becomes(MEMBERS("'stop':'a'"), "/stop_sequences", "['a']");
  assert_becomes(MEMBERS("'stop':['a','b']"), "/stop_sequences", "['a','b']");
  assert_becomes(MEMBERS("'stop':[]"), "/stop_sequences", NULL);
  assert_becomes(MEMBERS("'user':'u1'"), "/metadata", "{'user_id':'u1'}");
  assert_becomes(MEMBERS("'safety_identifier':'s'"), "/metadata",
                 "{'user_id':'s'}");
  assert_becomes(MEMBERS("'metadata':{'user_id':'m','x':'y'},'user':'u1'"),
                 "/metadata", "{'user_id':'m'}");
  assert_becomes(MEMBERS("'metadata':{'x':'y'}"), "/metadata", NULL);
  assert_becomes(MEMBERS("'service_tier':'default'"), "/service_tier",
                 "'standard_only'");
  assert_becomes(MEMBERS("'service_tier':'auto'"), "/service_tier", "'auto'");
  assert_becomes(MEMBERS("'top_k':5,'context_management':{'a':[1]}"), "/top_k",
                 "5");
  assert_becomes(MEMBERS("'context_management':{'a':[1]}"),
                 "/context_management", "{'a':[1]}");
}

static void
test_structured_output(void **state)
{
  (void)state;
  static const char format[] =
      "'response_format':{'type':'json_schema','json_schema':{'name':'n',"
      "'strict':true,'schema':{'type':'object'}}}";
  char both[512];
  assert_becomes(MEMBERS("'response_format':{'type':'text'}"), "/output_config",
                 NULL);
  snprintf(both, sizeof both, MEMBERS("%s"), format);
  assert_becomes(both, "/output_config",
                 "{'format':{'type':'json_schema','schema':"
                 "{'type':'object'}}}");
  snprintf(both, sizeof both, MEMBERS("'output_config':{'effort':'low'},%s"),
           format);
  assert_becomes(both, "/output_config",
                 "{'effort':'low','format':{'type':'json_schema','schema':"
                 "{'type':'object'}}}");
  assert_refused(MEMBERS("'response_format':{'type':'json_object'}"),
                 "response_format: only text and json_schema");
  assert_refused(MEMBERS("'response_format':{'type':'json_schema'}"),
                 "response_format: no schema");
}

static void
test_sampling(void **state)
{
  (void)state;
  assert_becomes(MEMBERS("'temperature':0.50"), "/temperature", "0.5");
  assert_becomes(MEMBERS("'top_p':0.9"), "/top_p", "0.9");
  assert_becomes(MEMBERS("'temperature':0.5,'top_p':1"), "/top_p", NULL);
  assert_becomes(
      MODEL("claude-3-5-haiku-latest", "'temperature':0.5,'top_p':0.9"),
      "/top_p", "0.9");
  assert_refused(MEMBERS("'temperature':0.5,'top_p':0.9"),
                 "temperature beside top_p");
  assert_refused(MEMBERS("'temperature':1.5"), "temperature above 1");
  assert_refused(MODEL("claude-opus-4-7", "'temperature':0.5"),
                 "temperature: the model takes none");
  assert_refused(MODEL("claude-sonnet-5", "'top_p':0.5"),
                 "top_p: the model takes none");
  assert_becomes(MODEL("claude-opus-4-7", "'temperature':1,'top_p':1.0"),
                 "/temperature", NULL);
}

static void
test_what_changes_no_answer_is_left_out(void **state)
{
  (void)state;
  static const char *const harmless[] = {
      "'stream_options':{'include_usage':true}",
      "'store':true",
      "'prompt_cache_key':'k'",
      "'n':1",
      "'logprobs':false",
      "'presence_penalty':0",
      "'frequency_penalty':0.0",
      "'logit_bias':{}",
      "'modalities':['text']",
      "'verbosity':'medium'",
      "'function_call':'none'",
      "'parallel_tool_calls':true",
      "'seed':null",
  };
  written w;
  for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
    char chat[256];
    snprintf(chat, sizeof chat, MEMBERS("%s"), harmless[i]);
    written_init(&w, "anthropic", chat);
    assert_json(written_body(&w),
                "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":4096,"
                "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
    assert_int_equal(w.status, INFER_OK);
    written_fini(&w);
  }
}

static void
test_what_would_change_it_is_refused_by_name(void **state)
{
  (void)state;
  static const char *const refused[][2] = {
      {"n", "2"},
      {"seed", "0"},
      {"logprobs", "true"},
      {"top_logprobs", "3"},
      {"logit_bias", "{'1':2}"},
      {"frequency_penalty", "0.1"},
      {"presence_penalty", "-1"},
      {"audio", "{'voice':'v'}"},
      {"modalities", "['text','audio']"},
      {"prediction", "{'type':'content'}"},
      {"verbosity", "'low'"},
      {"web_search_options", "{'a':1}"},
      {"web_search_options", "{}"},
      {"functions", "[{'name':'f'}]"},
  };
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
    char chat[256], why[128];
    snprintf(chat, sizeof chat, MEMBERS("'%s':%s"), refused[i][0],
             refused[i][1]);
    snprintf(why, sizeof why, "%s: the provider has nothing like it",
             refused[i][0]);
    assert_refused(chat, why);
  }
  assert_refused(MEMBERS("'service_tier':'flex'"),
                 "service_tier: none but auto, default and standard_only");
}

static void
test_the_account_adds_what_the_request_lacks(void **state)
{
  (void)state;
  written w;
  written_init(&w, "anthropic", MEMBERS("'top_k':3"));
  w.send.body_members =
      S("{\"max_tokens\":100,\"top_k\":9,\"mcp_servers\":[],\"seed\":null,"
        "\"temperature\":0.2,\"model\":\"evil\",\"messages\":[]}");
  assert_json(written_body(&w),
              "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":100,"
              "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
              "\"temperature\":0.2,\"top_k\":3,\"mcp_servers\":[]}");
  written_fini(&w);
}

static void
test_a_partial_answer_is_gone_on_from(void **state)
{
  (void)state;
  written w;
  written_init(&w, "anthropic", MEMBERS("'max_tokens':50"));
  w.send.partial = S("Once upon a time \n");
  w.send.partial_tokens = 20;
  const char *body = written_body(&w);
  assert_json_at(body, "/max_tokens", "30");
  assert_json_at(body, "/messages/1",
                 "{\"role\":\"assistant\",\"content\":\"Once upon a time\"}");
  written_fini(&w);
  written_init(&w, "anthropic", MEMBERS("'max_tokens':50"));
  w.send.partial = S("Once");
  w.send.partial_tokens = 60;
  assert_json_at(written_body(&w), "/max_tokens", "1");
  written_fini(&w);
}

static void
write_short(void *arg)
{
  inf_wire_request out;
  inf_wire_request_init(&out);
  int32_t status = inf_dialect_anthropic.write_chat(arg, &out, NULL);
  assert_int_equal(status,
                   fail_alloc_hits() == 0 ? INFER_OK : INFER_E_NO_MEMORY);
  inf_wire_request_fini(&out);
}

static void
test_short_memory(void **state)
{
  (void)state;
  written w;
  fail_alloc_install();
  written_init(
      &w, "anthropic",
      MESSAGES("{'role':'system','content':[{'type':'text','text':'s'}]},"
               "{'role':'user','content':[{'type':'image_url','image_url':{"
               "'url':'data:image\\/png;base64,QUJD'}},{'type':'file','file':{"
               "'file_data':'data:text/plain;base64,QUJD'}}]},"
               "{'role':'assistant','content':null,'tool_calls':[{'id':"
               "'call_123456','function':{'name':'f','arguments':"
               "'{\\u0022a\\u0022:1}'}}]},{'role':'tool','tool_call_id':"
               "'call_123456','content':'r'}"));
  w.send.body_members = S("{\"\\u0061\":1,\"reasoning_effort\":\"low\"}");
  assert_true(fail_alloc_sweep(write_short, &w.send) > 10);
  written_fini(&w);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_plain_request),
      cmocka_unit_test(test_a_stream_and_headers_of_the_caller),
      cmocka_unit_test(test_on_vertex_the_model_is_in_the_path),
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_members_that_have_another_name),
      cmocka_unit_test(test_structured_output),
      cmocka_unit_test(test_sampling),
      cmocka_unit_test(test_what_changes_no_answer_is_left_out),
      cmocka_unit_test(test_what_would_change_it_is_refused_by_name),
      cmocka_unit_test(test_the_account_adds_what_the_request_lacks),
      cmocka_unit_test(test_a_partial_answer_is_gone_on_from),
      cmocka_unit_test(test_short_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
