/* SPDX-License-Identifier: MIT */
#define SUPPORT_KIND "openai-responses"
#include "unit/anthropic_support.h"

#include "support/fail_alloc.h"

static void
test_a_plain_request(void **state)
{
  (void)state;
  written w;
  written_init(&w, SUPPORT_KIND, "{'model':'gpt-5-pro','messages':[" USER "]}");
  w.send.stream = true;
  w.send.organization = S("org");
  assert_json(written_body(&w),
              "{\"model\":\"gpt-5-pro\",\"input\":[{\"role\":\"user\","
              "\"content\":\"Hi\"}],\"stream\":true}");
  assert_buf(&w.out.url, "https://h/v1/responses");
  assert_non_null(memmem(w.out.headers.ptr, w.out.headers.len,
                         "OpenAI-Organization: org", 25));
  assert_non_null(memmem(w.out.headers.ptr, w.out.headers.len,
                         "Authorization: Bearer sk", 25));
  written_fini(&w);
}

static void
test_members(void **state)
{
  (void)state;
  assert_becomes(MEMBERS("'max_tokens':9,'max_completion_tokens':7"),
                 "/max_output_tokens", "7");
  assert_becomes(MEMBERS("'max_tokens':9"), "/max_tokens", NULL);
  assert_becomes(MEMBERS("'max_output_tokens':8"), "/max_output_tokens", "8");
  assert_becomes(MEMBERS("'reasoning_effort':'low'"), "/reasoning",
                 "{'effort':'low'}");
  assert_becomes(MEMBERS("'reasoning':{'summary':'auto'},"
                         "'reasoning_effort':'low'"),
                 "/reasoning", "{'summary':'auto','effort':'low'}");
  assert_becomes(MEMBERS("'reasoning':{'effort':'high'},"
                         "'reasoning_effort':'low'"),
                 "/reasoning", "{'effort':'high'}");
  assert_becomes(MEMBERS("'verbosity':'low'"), "/text", "{'verbosity':'low'}");
  assert_becomes(MEMBERS("'response_format':{'type':'json_object'}"), "/text",
                 "{'format':{'type':'json_object'}}");
  assert_becomes(MEMBERS("'response_format':{'type':'json_schema',"
                         "'json_schema':{'name':'n','strict':true,'schema':{}"
                         "}},'text':{'verbosity':'high'}"),
                 "/text",
                 "{'verbosity':'high','format':{'type':'json_schema','name':"
                 "'n','strict':true,'schema':{}}}");
  assert_becomes(MEMBERS("'store':false,'include':['a'],'n':1,'seed':null,"
                         "'stop':[],'logprobs':false"),
                 "",
                 "{'model':'claude-sonnet-4-5','input':[" USER
                 "],'store':false,'include':['a']}");
}

static void
test_tools(void **state)
{
  (void)state;
  assert_becomes(
      MEMBERS("'tools':[{'type':'function','function':{'name':'f','strict':"
              "true,'parameters':{}}},{'type':'custom','custom':{'name':'c'}},"
              "{'type':'web_search'}]"),
      "/tools",
      "[{'type':'function','name':'f','strict':true,'parameters':{}},"
      "{'type':'custom','name':'c'},{'type':'web_search'}]");
  assert_becomes(MEMBERS("'tool_choice':{'type':'function','function':{"
                         "'name':'f'}}"),
                 "/tool_choice", "{'type':'function','name':'f'}");
  assert_becomes(MEMBERS("'tool_choice':{'type':'allowed_tools',"
                         "'allowed_tools':{'mode':'auto','tools':[{'type':"
                         "'function','function':{'name':'f'}}]}}"),
                 "/tool_choice",
                 "{'type':'allowed_tools','mode':'auto','tools':[{'type':"
                 "'function','name':'f'}]}");
  assert_becomes(MEMBERS("'tool_choice':'required'"), "/tool_choice",
                 "'required'");
  assert_becomes(MEMBERS("'tool_choice':{'type':'mcp','server_label':'s'}"),
                 "/tool_choice", "{'type':'mcp','server_label':'s'}");
}

static void
test_what_the_api_has_not_is_refused(void **state)
{
  (void)state;
  static const char *const members[] = {
      "'n':2",
      "'stop':'a'",
      "'seed':1",
      "'logprobs':true",
      "'logit_bias':{'1':1}",
      "'presence_penalty':1",
      "'audio':{'voice':'v'}",
      "'functions':[{'name':'f'}]",
  };
  written w;
  for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
    char chat[256];
    snprintf(chat, sizeof chat, MEMBERS("%s"), members[i]);
    written_init(&w, SUPPORT_KIND, chat);
    written_body(&w);
    assert_int_equal(w.status, INFER_E_UNSUPPORTED);
    /* It is named. */
    size_t len = strcspn(members[i] + 1, "'");
    assert_non_null(memmem(w.why.ptr, w.why.len, members[i] + 1, len));
    written_fini(&w);
  }
}

static void
test_stream_options(void **state)
{
  (void)state;
  written w;
  written_init(&w, SUPPORT_KIND,
               MEMBERS("'stream_options':{'include_usage':true,"
                       "'include_obfuscation':false}"));
  w.send.stream = true;
  assert_json_at(written_body(&w), "/stream_options",
                 "{\"include_obfuscation\":false}");
  written_fini(&w);
  assert_becomes(MEMBERS("'stream_options':{'include_usage':true}"),
                 "/stream_options", NULL);
}

static void
write_short(void *arg)
{
  inf_wire_request out;
  inf_wire_request_init(&out);
  int32_t status = inf_dialect_responses.write_chat(arg, &out, NULL);
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
  written_init(&w, SUPPORT_KIND,
               MESSAGES(USER ",{'role':'assistant','tool_calls':[{'function':"
                             "{'name':'f'}}]},{'role':'tool','content':'r'}"));
  w.send.body_members = S("{\"\\u0061\":1}");
  assert_true(fail_alloc_sweep(write_short, &w.send) > 4);
  written_fini(&w);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_plain_request),
      cmocka_unit_test(test_members),
      cmocka_unit_test(test_tools),
      cmocka_unit_test(test_what_the_api_has_not_is_refused),
      cmocka_unit_test(test_stream_options),
      cmocka_unit_test(test_short_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
