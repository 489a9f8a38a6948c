/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "provider/send.h"

typedef struct fixture {
  inf_send send;
  inf_buf out, why;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  f->send.kind = inf_provider_kind_find(S("openai"));
  inf_buf_init(&f->out, 1024);
  inf_buf_init(&f->why, 1024);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_buf_fini(&f->out);
  inf_buf_fini(&f->why);
  test_free(f);
  return 0;
}

static void
url(fixture *f, const char *base, const char *query, const char *expected)
{
  f->send.base_url = S(base);
  f->send.query = S(query);
  inf_buf_clear(&f->out);
  assert_int_equal(
      inf_send_write_url(&f->send, "/chat/completions", &f->out, &f->why),
      INFER_OK);
  assert_buf(&f->out, expected);
}

static void
test_urls_are_joined(void **state)
{
  fixture *f = *state;
  url(f, "http://h:8000/v1", "", "http://h:8000/v1/chat/completions");
  url(f, "http://h/v1//", "", "http://h/v1/chat/completions");
  url(f, "http://h", "a=b&c=d", "http://h/chat/completions?a=b&c=d");
  url(f, "http://h/v1?x=1", "", "http://h/v1/chat/completions?x=1");
  url(f, "http://h/v1/?x=1", "y=2", "http://h/v1/chat/completions?x=1&y=2");
}

static void
test_a_path_may_have_a_query(void **state)
{
  fixture *f = *state;
  const char *path = "/m?alt=sse";
  f->send.base_url = S("http://h/v1?x=1");
  f->send.query = S("y=2");
  assert_int_equal(inf_send_write_url(&f->send, path, &f->out, &f->why),
                   INFER_OK);
  assert_buf(&f->out, "http://h/v1/m?alt=sse&x=1&y=2");
  inf_buf_clear(&f->out);
  f->send.base_url = S("http://h");
  f->send.query = S("");
  assert_int_equal(inf_send_write_url(&f->send, path, &f->out, &f->why),
                   INFER_OK);
  assert_buf(&f->out, "http://h/m?alt=sse");
}

static void
bad_url(fixture *f, const char *base, const char *query)
{
  f->send.base_url = S(base);
  f->send.query = S(query);
  inf_buf_clear(&f->why);
  assert_int_equal(inf_send_write_url(&f->send, "/x", &f->out, &f->why),
                   INFER_E_INVALID_ARGUMENT);
  assert_true(f->why.len > 0);
}

static void
test_urls_cannot_end_the_request_line(void **state)
{
  fixture *f = *state;
  bad_url(f, "", "");
  bad_url(f, "http://h/v1 HTTP/1.1", "");
  bad_url(f, "http://h/v1\r\nX: y", "");
  bad_url(f, "http://h/v1", "a=b\nX: y");
  bad_url(f, "http://h/v1#part", "");
  bad_url(f, "http://h/v1\x7F", "");
}

static const char *
lines(fixture *f)
{
  for (size_t i = 0; i < f->out.len; i++) {
    if (f->out.ptr[i] == '\0')
      f->out.ptr[i] = '|';
  }
  return inf_buf_cstr(&f->out);
}

static void
test_headers_are_written_unless_given(void **state)
{
  fixture *f = *state;
  static const char extra[] = "x-a: 1\0accept:  text/plain \0X-B: 2";
  f->send.headers = inf_sv_of(extra, sizeof(extra));
  assert_int_equal(
      inf_send_write_header(&f->send, S("Accept"), S("json"), &f->out, &f->why),
      INFER_OK);
  assert_int_equal(inf_send_write_header(&f->send, S("User-Agent"), S("me"),
                                         &f->out, &f->why),
                   INFER_OK);
  assert_int_equal(inf_send_write_extra(&f->send, &f->out, &f->why), INFER_OK);
  assert_string_equal(lines(f),
                      "User-Agent: me|x-a: 1|accept: text/plain|X-B: 2|");
}

static void
test_the_key_is_written_with_its_scheme(void **state)
{
  fixture *f = *state;
  static const char extra[] = "AUTHORIZATION: mine";
  f->send.auth_scheme = S("Key");
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why), INFER_OK);
  assert_int_equal(f->out.len, 0);
  f->send.key = S("secret");
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why), INFER_OK);
  assert_string_equal(lines(f), "Authorization: Key secret|");
  inf_buf_clear(&f->out);
  f->send.auth_scheme = S("");
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why), INFER_OK);
  f->send.auth_scheme = S("Key");
  f->send.headers = inf_sv_of(extra, sizeof(extra));
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why), INFER_OK);
  assert_int_equal(f->out.len, 0);
}

/* A kind whose model stands in the path and whose key in its own header. */
static const inf_provider_kind foreign = {
    .type = "foreign",
    .auth_scheme = "x-api-key",
    .key_header = "x-api-key",
    .fixed_headers = "x-version: 1\0x-other: 2\0",
    .chat_path = "/models/{model}:ask",
    .stream_path = "/models/{model}:stream",
};

static void
chat_url(fixture *f, const char *model, bool stream, const char *expected)
{
  f->send.model = S(model);
  f->send.stream = stream;
  inf_buf_clear(&f->out);
  assert_int_equal(inf_send_write_url(&f->send, inf_send_chat_path(&f->send),
                                      &f->out, &f->why),
                   INFER_OK);
  assert_buf(&f->out, expected);
}

static void
test_the_path_depends_on_model_and_stream(void **state)
{
  fixture *f = *state;
  f->send.base_url = S("http://h/v1");
  chat_url(f, "m", true, "http://h/v1/chat/completions");
  f->send.kind = &foreign;
  f->send.query = S("a=b");
  chat_url(f, "m-1.0_~", false, "http://h/v1/models/m-1.0_~:ask?a=b");
  chat_url(f, "m", true, "http://h/v1/models/m:stream?a=b");
  chat_url(f, "a/b:0?#% \xff", true,
           "http://h/v1/models/a%2Fb%3A0%3F%23%25%20%FF:stream?a=b");
}

static void
key_lines(fixture *f, const char *scheme, const char *expected)
{
  f->send.auth_scheme = S(scheme);
  inf_buf_clear(&f->out);
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why), INFER_OK);
  assert_string_equal(lines(f), expected);
}

static void
test_the_key_stands_in_the_kinds_header(void **state)
{
  fixture *f = *state;
  static const char extra[] = "X-API-Key: mine";
  f->send.kind = &foreign;
  f->send.key = S("secret");
  key_lines(f, "x-api-key", "x-api-key: secret|");
  key_lines(f, "Bearer", "Authorization: Bearer secret|");
  f->send.headers = inf_sv_of(extra, sizeof(extra));
  inf_buf_clear(&f->out);
  f->send.auth_scheme = S("x-api-key");
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why), INFER_OK);
  assert_int_equal(f->out.len, 0);
}

static void
test_fixed_headers_are_written_unless_given(void **state)
{
  fixture *f = *state;
  static const char extra[] = "X-Version: 9";
  inf_send_write_fixed(&f->send, &f->out);
  assert_int_equal(f->out.len, 0);
  f->send.kind = &foreign;
  inf_send_write_fixed(&f->send, &f->out);
  assert_string_equal(lines(f), "x-version: 1|x-other: 2|");
  inf_buf_clear(&f->out);
  f->send.headers = inf_sv_of(extra, sizeof(extra));
  inf_send_write_fixed(&f->send, &f->out);
  assert_string_equal(lines(f), "x-other: 2|");
}

static void
refused_header(fixture *f, const char *name, inf_sv value)
{
  inf_buf_clear(&f->why);
  assert_int_equal(
      inf_send_write_header(&f->send, S(name), value, &f->out, &f->why),
      INFER_E_INVALID_ARGUMENT);
  assert_true(f->why.len > 0);
  assert_null(strstr(inf_buf_cstr(&f->why), "secret"));
}

static void
test_headers_cannot_be_injected(void **state)
{
  fixture *f = *state;
  refused_header(f, "X", S("secret\r\nY: z"));
  refused_header(f, "X", S("secret\n"));
  refused_header(f, "X", inf_sv_of("secret\0", 7));
  refused_header(f, "X Y", S("v"));
  refused_header(f, "X:", S("v"));
  refused_header(f, "", S("v"));
  f->send.auth_scheme = S("Bearer");
  f->send.key = S("secret\r\nX: y");
  inf_buf_clear(&f->why);
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why),
                   INFER_E_INVALID_ARGUMENT);
  assert_null(strstr(inf_buf_cstr(&f->why), "secret"));
  f->send.key = S("k");
  f->send.auth_scheme = S("Bearer x\r\n");
  assert_int_equal(inf_send_write_key(&f->send, &f->out, &f->why),
                   INFER_E_INVALID_ARGUMENT);
  f->send.headers = S("X-A: 1\r\nX-B: 2");
  assert_int_equal(inf_send_write_extra(&f->send, &f->out, &f->why),
                   INFER_E_INVALID_ARGUMENT);
  f->send.headers = S("no colon");
  assert_int_equal(inf_send_write_extra(&f->send, &f->out, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(f->out.len, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_urls_are_joined),
      TEST(test_a_path_may_have_a_query),
      TEST(test_urls_cannot_end_the_request_line),
      TEST(test_headers_are_written_unless_given),
      TEST(test_the_key_is_written_with_its_scheme),
      TEST(test_the_path_depends_on_model_and_stream),
      TEST(test_the_key_stands_in_the_kinds_header),
      TEST(test_fixed_headers_are_written_unless_given),
      TEST(test_headers_cannot_be_injected),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
