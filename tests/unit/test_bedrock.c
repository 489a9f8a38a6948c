/* SPDX-License-Identifier: MIT */
/* Bedrock's dialect: where a request goes, with which headers, and how it is
 * signed. */
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

/* 2015-08-30T12:36:00Z */
#define NOW_NS INT64_C(1440938160000000000)

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
      .kind = inf_provider_kind_find(S("bedrock")),
      .base_url = S("https://bedrock-runtime.us-east-1.amazonaws.com"),
      .auth_scheme = S("Bearer"),
      .key = S("ABSK-key"),
      .region = S("us-east-1"),
      .model = S("us.a.b-v1:0"),
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
  assert_int_equal(inf_dialect_bedrock.write_chat(&f->send, &f->out, &f->why),
                   INFER_OK);
}

static int32_t
sign(fixture *f)
{
  return inf_dialect_bedrock.sign(&f->send, &f->out, NOW_NS, &f->why);
}

/* The line that begins so; "" if there is none. */
static const char *
line_of(const fixture *f, const char *name)
{
  const inf_buf *headers = &f->out.headers;
  for (size_t at = 0; at < headers->len; at += strlen(headers->ptr + at) + 1)
    if (strncmp(headers->ptr + at, name, strlen(name)) == 0)
      return headers->ptr + at;
  return "";
}

static void
test_where_it_goes(void **state)
{
  fixture *f = *state;
  write_chat(f);
  assert_buf(&f->out.url, "https://bedrock-runtime.us-east-1.amazonaws.com/"
                          "model/us.a.b-v1%3A0/converse");
  assert_string_equal(line_of(f, "Accept"), "Accept: application/json");
  assert_string_equal(line_of(f, "Content-Type"),
                      "Content-Type: application/json");
  f->send.stream = true;
  f->send.model = S("arn:aws:bedrock:us-east-1:1:inference-profile/x");
  write_chat(f);
  assert_buf(&f->out.url,
             "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
             "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/"
             "converse-stream");
  assert_string_equal(line_of(f, "Accept"),
                      "Accept: application/vnd.amazon.eventstream");
  assert_json(
      inf_buf_cstr(&f->out.body),
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]"
      "}]}");
}

static void
test_a_bedrock_key_is_a_bearers(void **state)
{
  fixture *f = *state;
  write_chat(f);
  assert_int_equal(sign(f), INFER_OK);
  assert_string_equal(line_of(f, "Authorization"),
                      "Authorization: Bearer ABSK-key");
  assert_string_equal(line_of(f, "X-Amz-"), "");
}

/* What a credential is made of is nowhere in the request but the id and the
 * token. */
static void
test_credentials_sign(void **state)
{
  fixture *f = *state;
  f->send.key = S("AKID:se/cret:tok+en");
  write_chat(f);
  assert_string_equal(line_of(f, "Authorization"), "");
  assert_int_equal(sign(f), INFER_OK);
  const char *line = line_of(f, "Authorization");
  assert_memory_equal(
      line,
      "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/"
      "bedrock/aws4_request, SignedHeaders=accept;content-type;host;x-amz-date;"
      "x-amz-security-token, Signature=",
      160);
  assert_string_equal(line_of(f, "X-Amz-Date"), "X-Amz-Date: 20150830T123600Z");
  assert_string_equal(line_of(f, "X-Amz-Security-Token"),
                      "X-Amz-Security-Token: tok+en");
  assert_false(inf_sv_contains_nocase(inf_buf_sv(&f->out.headers), S("cret")));
}

/* Every part of the request that can be changed on the way is in it. */
static void
test_what_the_signature_depends_on(void **state)
{
  fixture *f = *state;
  char first[600];
  f->send.key = S("AKID:secret");
  for (int i = 0; i < 5; i++) {
    f->send.stream = i == 1;
    f->send.model = i == 2 ? S("other") : S("m");
    f->send.headers = i == 3 ? inf_sv_of("X-A: b", 7) : INF_SV("");
    f->send.body_members = i == 4 ? S("{\"top_k\":1}") : INF_SV("");
    write_chat(f);
    assert_int_equal(sign(f), INFER_OK);
    const char *line = strstr(line_of(f, "Authorization"), "Signature=");
    assert_non_null(line);
    if (i == 0)
      snprintf(first, sizeof(first), "%s", line);
    else
      assert_string_not_equal(line, first);
  }
}

/* No growth leaves a copy of the headers behind, whatever is signed. */
static void
test_headers_have_their_room_at_once(void **state)
{
  fixture *f = *state;
  char key[3000], extra[2000];
  memset(key, 'k', sizeof(key));
  memcpy(key, "AKID:secret:", 12);
  memset(extra, 'h', sizeof(extra));
  memcpy(extra, "X-Extra: ", 9);
  extra[sizeof(extra) - 1] = '\0';
  f->send.key = inf_sv_of(key, sizeof(key));
  f->send.headers = inf_sv_of(extra, sizeof(extra));
  write_chat(f);
  const char *before = f->out.headers.ptr;
  assert_int_equal(sign(f), INFER_OK);
  assert_ptr_equal(f->out.headers.ptr, before);
}

static void
test_without_a_region_nothing_is_signed(void **state)
{
  fixture *f = *state;
  f->send.key = S("AKID:secret");
  f->send.region = INF_SV("");
  write_chat(f);
  assert_int_equal(sign(f), INFER_E_INVALID_ARGUMENT);
  assert_non_null(strstr(inf_buf_cstr(&f->why), "no AWS region"));
}

static void
test_the_accounts_own_authorization_stands(void **state)
{
  fixture *f = *state;
  f->send.headers = inf_sv_of("Authorization: Own", 19);
  write_chat(f);
  assert_string_equal(line_of(f, "Authorization"), "Authorization: Own");
}

static void
test_models_are_listed_elsewhere(void **state)
{
  fixture *f = *state;
  f->send.base_url = S("https://bedrock-runtime.eu-west-1.amazonaws.com");
  assert_int_equal(inf_dialect_bedrock.write_models(&f->send, &f->out),
                   INFER_OK);
  assert_buf(&f->out.url,
             "https://bedrock.eu-west-1.amazonaws.com/foundation-models");
  assert_buf(&f->out.body, "");
}

static void
test_what_cannot_be_written(void **state)
{
  fixture *f = *state;
  inf_chat_set_member(&f->chat, S("n"), S("2"), NULL, NULL);
  assert_int_equal(inf_dialect_bedrock.write_chat(&f->send, &f->out, &f->why),
                   INFER_E_UNSUPPORTED);
  f->send.key = S("a\nb");
  assert_int_equal(inf_dialect_bedrock.write_chat(&f->send, &f->out, NULL),
                   INFER_E_INVALID_ARGUMENT);
  f->send.base_url = S("https://h/#x");
  assert_int_equal(inf_dialect_bedrock.write_chat(&f->send, &f->out, NULL),
                   INFER_E_INVALID_ARGUMENT);
}

/* Chat Completions are OpenAI's but for the signature. */
static void
test_chat_completions(void **state)
{
  fixture *f = *state;
  const inf_dialect *dialect = &inf_dialect_bedrock_openai;
  f->send.kind = inf_provider_kind_find(S("bedrock-openai"));
  assert_ptr_equal(f->send.kind->dialect, dialect);
  f->send.base_url = S("https://h/openai/v1");
  for (int i = 0; i < 2; i++) {
    f->send.key = i == 0 ? S("ABSK-key") : S("AKID:se/cret:token");
    inf_wire_request_clear(&f->out);
    assert_int_equal(dialect->write_chat(&f->send, &f->out, &f->why), INFER_OK);
    const char *before = f->out.headers.ptr;
    assert_int_equal(dialect->sign(&f->send, &f->out, NOW_NS, &f->why),
                     INFER_OK);
    assert_ptr_equal(f->out.headers.ptr, before);
    assert_buf(&f->out.url, "https://h/openai/v1/chat/completions");
    assert_non_null(strstr(inf_buf_cstr(&f->out.body), "\"messages\":[{"));
    assert_false(
        inf_sv_contains_nocase(inf_buf_sv(&f->out.headers), S("se/cret")));
    assert_non_null(strstr(line_of(f, "Authorization"),
                           i == 0 ? "Bearer ABSK-key" : "Credential=AKID/"));
  }
  inf_wire_request_clear(&f->out);
  f->send.base_url =
      S("https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1");
  assert_int_equal(dialect->write_models(&f->send, &f->out), INFER_OK);
  assert_buf(&f->out.url,
             "https://bedrock.eu-west-1.amazonaws.com/foundation-models");
}

static void
test_failures(void **state)
{
  (void)state;
  inf_failure failure;
  inf_headers headers;
  inf_failure_init(&failure);
  inf_headers_init(&headers, 1024);
  inf_headers_add_line(&headers, S("x-amzn-requestid: r-1"));
  inf_headers_add_line(&headers, S("x-amzn-errortype: ThrottlingException:x"));
  inf_classify_failure(&failure, inf_provider_kind_find(S("bedrock")), 429,
                       &headers, S("{\"message\":\"slow\"}"), 0);
  assert_int_equal(failure.status, INFER_E_RATE_LIMITED);
  assert_buf(&failure.type, "ThrottlingException");
  assert_buf(&failure.request_id, "r-1");
  inf_failure_fini(&failure);
  inf_headers_fini(&headers);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
      TEST(test_where_it_goes),
      TEST(test_a_bedrock_key_is_a_bearers),
      TEST(test_credentials_sign),
      TEST(test_what_the_signature_depends_on),
      TEST(test_headers_have_their_room_at_once),
      TEST(test_without_a_region_nothing_is_signed),
      TEST(test_the_accounts_own_authorization_stands),
      TEST(test_models_are_listed_elsewhere),
      TEST(test_what_cannot_be_written),
      TEST(test_chat_completions),
      cmocka_unit_test(test_failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
