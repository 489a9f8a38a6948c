/* SPDX-License-Identifier: MIT */
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

typedef struct fixture {
  inf_chat chat;
  inf_send send;
  inf_wire_request out;
  inf_buf why;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  inf_chat_init(&f->chat);
  inf_wire_request_init(&f->out);
  inf_buf_init(&f->why, 1024);
  inf_chat_set_model(&f->chat, S("route"), NULL);
  inf_chat_add_message(&f->chat, S("user"), S("hi"), NULL);
  f->send = (inf_send){
      .kind = inf_provider_kind_find(S("openai")),
      .base_url = S("https://h/v1"),
      .auth_scheme = S("Bearer"),
      .key = S("sk"),
      .model = S("m \"1\""),
      .chat = &f->chat,
  };
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_chat_fini(&f->chat);
  inf_wire_request_fini(&f->out);
  inf_buf_fini(&f->why);
  test_free(f);
  return 0;
}

static void
write_chat(fixture *f)
{
  inf_wire_request_clear(&f->out);
  assert_int_equal(inf_dialect_openai.write_chat(&f->send, &f->out, &f->why),
                   INFER_OK);
}

static bool
has_line(fixture *f, const char *line)
{
  size_t len = strlen(line) + 1;
  for (size_t i = 0; i + len <= f->out.headers.len; i++) {
    if ((i == 0 || f->out.headers.ptr[i - 1] == '\0') &&
        memcmp(f->out.headers.ptr + i, line, len) == 0)
      return true;
  }
  return false;
}

static void
test_a_plain_request(void **state)
{
  fixture *f = *state;
  write_chat(f);
  assert_buf(&f->out.url, "https://h/v1/chat/completions");
  assert_buf(&f->out.body, "{\"model\":\"m \\\"1\\\"\",\"messages\":[{\"role\":"
                           "\"user\",\"content\":\"hi\"}]}");
  assert_true(has_line(f, "Content-Type: application/json"));
  assert_true(has_line(f, "Accept: application/json"));
  assert_true(has_line(f, "Authorization: Bearer sk"));
  assert_true(has_line(f, "User-Agent: libinfer/" INFER_VERSION));
  assert_false(has_line(f, "OpenAI-Project: "));
}

static void
test_organization_project_and_own_headers(void **state)
{
  fixture *f = *state;
  static const char extra[] = "X-Mine: 1\0User-Agent: app/2";
  f->send.organization = S("org-1");
  f->send.project = S("proj-2");
  f->send.headers = inf_sv_of(extra, sizeof(extra));
  write_chat(f);
  assert_true(has_line(f, "OpenAI-Organization: org-1"));
  assert_true(has_line(f, "OpenAI-Project: proj-2"));
  assert_true(has_line(f, "X-Mine: 1"));
  assert_true(has_line(f, "User-Agent: app/2"));
  assert_false(has_line(f, "User-Agent: libinfer/" INFER_VERSION));
}

static void
test_members_pass_through_and_the_requests_own_win(void **state)
{
  fixture *f = *state;
  inf_chat_set_member(&f->chat, S("temperature"), S("0.10"), NULL, NULL);
  inf_chat_set_member(&f->chat, S("x_unknown"), S("{\"a\":[1e5]}"), NULL, NULL);
  f->send.body_members =
      S("{\"temperature\":1,\"tempe\\u0072ature\":2,\"seed\":7,"
        "\"model\":\"evil\",\"messages\":[],\"stream\":true}");
  write_chat(f);
  assert_buf(&f->out.body,
             "{\"model\":\"m \\\"1\\\"\",\"messages\":[{\"role\":\"user\","
             "\"content\":\"hi\"}],\"temperature\":0.10,"
             "\"x_unknown\":{\"a\":[1e5]},\"seed\":7}");
}

static void
test_streams_ask_for_usage(void **state)
{
  fixture *f = *state;
  f->send.stream = true;
  write_chat(f);
  assert_true(has_line(f, "Accept: text/event-stream"));
  assert_json_at(inf_buf_cstr(&f->out.body), "/stream", "true");
  assert_json_at(inf_buf_cstr(&f->out.body), "/stream_options",
                 "{\"include_usage\":true}");
  inf_chat_set_member(&f->chat, S("stream_options"),
                      S("{\"include_usage\":false,\"x\":1}"), NULL, NULL);
  write_chat(f);
  assert_json_at(inf_buf_cstr(&f->out.body), "/stream_options",
                 "{\"x\":1,\"include_usage\":true}");
  f->send.stream = false;
  write_chat(f);
  assert_false(json_has(inf_buf_cstr(&f->out.body), "/stream_options"));
  assert_false(json_has(inf_buf_cstr(&f->out.body), "/stream"));
}

static void
test_a_kind_without_stream_options_gets_the_callers(void **state)
{
  fixture *f = *state;
  inf_provider_kind kind = *f->send.kind;
  kind.stream_options = false;
  f->send.kind = &kind;
  f->send.stream = true;
  write_chat(f);
  assert_false(json_has(inf_buf_cstr(&f->out.body), "/stream_options"));
  f->send.body_members = S("{\"stream_options\":{\"x\":1}}");
  write_chat(f);
  assert_json_at(inf_buf_cstr(&f->out.body), "/stream_options", "{\"x\":1}");
}

static void
test_models(void **state)
{
  fixture *f = *state;
  f->send.chat = NULL;
  f->send.query = S("v=1");
  assert_int_equal(inf_dialect_openai.write_models(&f->send, &f->out),
                   INFER_OK);
  assert_buf(&f->out.url, "https://h/v1/models?v=1");
  assert_int_equal(f->out.body.len, 0);
  assert_true(has_line(f, "Authorization: Bearer sk"));
  assert_false(has_line(f, "Content-Type: application/json"));
  inf_provider_kind kind = *f->send.kind;
  kind.models_path = NULL;
  f->send.kind = &kind;
  assert_int_equal(inf_dialect_openai.write_models(&f->send, &f->out),
                   INFER_E_UNSUPPORTED);
}

static void
test_injection_is_refused_with_a_reason(void **state)
{
  fixture *f = *state;
  f->send.organization = S("org\r\nX: y");
  assert_int_equal(inf_dialect_openai.write_chat(&f->send, &f->out, &f->why),
                   INFER_E_INVALID_ARGUMENT);
  assert_non_null(strstr(inf_buf_cstr(&f->why), "OpenAI-Organization"));
}

static void
write_short(void *arg)
{
  const inf_send *send = arg;
  inf_wire_request out;
  inf_wire_request_init(&out);
  int32_t status = inf_dialect_openai.write_chat(send, &out, NULL);
  assert_int_equal(status,
                   fail_alloc_hits() == 0 ? INFER_OK : INFER_E_NO_MEMORY);
  inf_wire_request_fini(&out);
}

static void
test_short_memory_is_told(void **state)
{
  (void)state;
  inf_chat chat;
  fail_alloc_install();
  inf_chat_init(&chat);
  inf_chat_add_message(&chat, S("user"), S("hi"), NULL);
  inf_send send = {
      .kind = inf_provider_kind_find(S("openai")),
      .base_url = S("https://h/v1"),
      .auth_scheme = S("Bearer"),
      .key = S("sk"),
      .model = S("m"),
      .chat = &chat,
      .body_members = S("{\"a\":1}"),
      .stream = true,
  };
  assert_true(fail_alloc_sweep(write_short, &send) > 2);
  inf_chat_fini(&chat);
  fail_alloc_uninstall();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_a_plain_request),
      TEST(test_organization_project_and_own_headers),
      TEST(test_members_pass_through_and_the_requests_own_win),
      TEST(test_streams_ask_for_usage),
      TEST(test_a_kind_without_stream_options_gets_the_callers),
      TEST(test_models),
      TEST(test_injection_is_refused_with_a_reason),
      cmocka_unit_test(test_short_memory_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
