/* SPDX-License-Identifier: MIT */
/* Signing for AWS, against what AWS publishes: cases of its "Signature Version
 * 4 test suite" (aws-sig-v4-test-suite; their names are kept), and the worked
 * examples of its documentation. What Bedrock needs beyond them (a path that
 * is encoded already) is checked in the canonical request. */
#include "support/fail_alloc.h"

#include "provider/sigv4.h"
#include "provider/sigv4_canonical.h"

#include <infer/infer.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* 2015-08-30T12:36:00Z, when all of them are signed. */
#define WALL_NS INT64_C(1440938160000000000)

static inf_sigv4_account
suite_account(void)
{
  return (inf_sigv4_account){
      .access_key_id = INF_SV("AKIDEXAMPLE"),
      .secret_access_key = INF_SV("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      .region = INF_SV("us-east-1"),
      .service = INF_SV("service"),
  };
}

static void
assert_hex(const unsigned char *bytes, const char *want)
{
  char text[2 * INF_SIGV4_KEY_BYTES + 1];

  for (size_t i = 0; i < INF_SIGV4_KEY_BYTES; i++)
    snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  assert_string_equal(text, want);
}

/* "Examples of how to derive a signing key" and "Task 3: Calculate the
 * signature" of the AWS General Reference. */
static void
test_keys_of_the_documentation(void **state)
{
  unsigned char key[INF_SIGV4_KEY_BYTES];
  inf_sigv4_account account = suite_account();

  (void)state;
  account.service = INF_SV("iam");
  assert_true(inf_sigv4_key(&account, INF_SV("20120215"), key));
  assert_hex(
      key, "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
  assert_true(inf_sigv4_key(&account, INF_SV("20150830"), key));
  assert_hex(
      key, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

typedef struct vector {
  const char *name;
  const char *method, *path, *query;
  inf_sv headers;
  const char *body, *token;
  const char *names, *signature;
} vector;

#define LINES(text) INF_SV(text "\0")
#define NO_LINES    INF_SV("")
#define PLAIN       "host;x-amz-date"
#define UNRESERVED                                   \
  "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh" \
  "ijklmnopqrstuvwxyz"
#define LONG_TOKEN                                                      \
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW" \
  "LWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGd" \
  "QrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU" \
  "9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz" \
  "+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

static const vector suite[] = {
    {"get-vanilla", "GET", "/", "", NO_LINES, "", "", PLAIN,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-unreserved", "GET", "/" UNRESERVED, "", NO_LINES, "", "", PLAIN,
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8", "GET", "/\xe1\x88\xb4", "", NO_LINES, "", "", PLAIN,
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-space-normalized", "GET", "/example space/", "", NO_LINES, "", "",
     PLAIN, "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-slash-pointless-dot-normalized", "GET", "/./example", "", NO_LINES,
     "", "", PLAIN,
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slashes-normalized", "GET", "//example//", "", NO_LINES, "", "",
     PLAIN, "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-relative-relative-normalized", "GET", "/example1/example2/../..", "",
     NO_LINES, "", "", PLAIN,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-empty-query-key", "GET", "/", "Param1=value1", NO_LINES, "",
     "", PLAIN,
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-encoded", "GET", "/",
     "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", NO_LINES, "", "", PLAIN,
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-order-key-case", "GET", "/",
     "Param2=value2&Param1=value1", NO_LINES, "", "", PLAIN,
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-unreserved", "GET", "/", UNRESERVED "=" UNRESERVED,
     NO_LINES, "", "", PLAIN,
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query", "GET", "/", "\xe1\x88\xb4=bar", NO_LINES, "", "",
     PLAIN, "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-header-key-duplicate", "GET", "/", "",
     LINES("My-Header1:value2\0My-Header1:value2\0My-Header1:value1"), "", "",
     "host;my-header1;x-amz-date",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-order", "GET", "/", "",
     LINES("My-Header1:value4\0My-Header1:value1\0My-Header1:value3\0"
           "My-Header1:value2"),
     "", "", "host;my-header1;x-amz-date",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim", "GET", "/", "",
     LINES("My-Header1: value1\0My-Header2: \"a   b   c\""), "", "",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-vanilla-with-session-token", "GET", "/", "", NO_LINES, "",
     "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
     "host;x-amz-date;x-amz-security-token",
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"post-sts-header-before", "POST", "/", "", NO_LINES, "", LONG_TOKEN,
     "host;x-amz-date;x-amz-security-token",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-x-www-form-urlencoded", "POST", "/", "",
     LINES("Content-Type:application/x-www-form-urlencoded\0"
           "Content-Length:13"),
     "Param1=value1", "",
     "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
     "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
};

static inf_sigv4_request
request_of(const vector *v)
{
  return (inf_sigv4_request){
      .method = inf_sv_from(v->method),
      .host = INF_SV("example.amazonaws.com"),
      .path = inf_sv_from(v->path),
      .query = inf_sv_from(v->query),
      .headers = v->headers,
      .body = inf_sv_from(v->body),
      .hash_header = strstr(v->names, "sha256") != NULL,
  };
}

/* The NUL-terminated lines, one under the other. */
static void
join_lines(inf_buf *lines)
{
  for (size_t i = 0; i < lines->len; i++)
    if (lines->ptr[i] == '\0')
      lines->ptr[i] = '\n';
}

static void
test_cases_of_the_suite(void **state)
{
  inf_buf got, want;

  (void)state;
  inf_buf_init(&got, 4096);
  inf_buf_init(&want, 4096);
  for (size_t i = 0; i < COUNT(suite); i++) {
    const vector *v = &suite[i];
    inf_sigv4_account account = suite_account();
    inf_sigv4_request request = request_of(v);

    account.session_token = inf_sv_from(v->token);
    inf_buf_clear(&got);
    assert_int_equal(inf_sigv4_sign(&account, &request, WALL_NS, &got, NULL),
                     INFER_OK);
    join_lines(&got);
    inf_buf_clear(&want);
    inf_buf_appendf(&want, "X-Amz-Date: 20150830T123600Z\n%s%s%s",
                    *v->token ? "X-Amz-Security-Token: " : "", v->token,
                    *v->token ? "\n" : "");
    if (request.hash_header)
      inf_buf_append_cstr(&want,
                          "X-Amz-Content-Sha256: 9095672bbd1f56dfc5b65f3e153ad"
                          "c8731a4a654192329106275f4c7b24d0b6e\n");
    inf_buf_appendf(&want,
                    "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"
                    "20150830/us-east-1/service/aws4_request, "
                    "SignedHeaders=%s, Signature=%s\n",
                    v->names, v->signature);
    if (strcmp(got.ptr, want.ptr) != 0)
      fail_msg("%s:\n%s", v->name, got.ptr);
  }
  inf_buf_fini(&got);
  inf_buf_fini(&want);
}

/* The example that runs through "Signing AWS API requests". */
static void
test_the_example_of_the_documentation(void **state)
{
  inf_sigv4_account account = suite_account();
  inf_sigv4_request request = {
      .method = INF_SV("GET"),
      .host = INF_SV("iam.amazonaws.com"),
      .path = INF_SV("/"),
      .query = INF_SV("Action=ListUsers&Version=2010-05-08"),
      .headers = LINES(
          "Content-Type: application/x-www-form-urlencoded; charset=utf-8"),
  };
  inf_buf out;

  (void)state;
  account.service = INF_SV("iam");
  inf_buf_init(&out, 4096);
  assert_int_equal(inf_sigv4_sign(&account, &request, WALL_NS, &out, NULL),
                   INFER_OK);
  join_lines(&out);
  assert_string_equal(
      out.ptr,
      "X-Amz-Date: 20150830T123600Z\n"
      "Authorization: AWS4-HMAC-SHA256 "
      "Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
      "SignedHeaders=content-type;host;x-amz-date, "
      "Signature="
      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\n");
  inf_buf_fini(&out);
}

/* Two texts, given and wanted. */
typedef struct pair {
  const char *given, *want;
} pair;

static void
test_paths(void **state)
{
  static const pair pairs[] = {
      {"", "/"},
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/b/", "/a/b/"},
      /* The model's name is encoded when it is sent, and again for signing. */
      {"/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream",
       "/model/anthropic.claude-3-haiku-20240307-v1%253A0/converse-stream"},
      {"/model/arn%3Aaws%3Abedrock%2Fabc/converse",
       "/model/arn%253Aaws%253Abedrock%252Fabc/converse"},
      {"/a/./b", "/a/b"},
      {"/a/.", "/a/"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../c", "/a/c"},
      {"/../..", "/"},
      {"/../a", "/a"},
      {"/a//b", "/a/b"},
      {"/.../..a/a..", "/.../..a/a.."},
      {"/a+b!*'()", "/a%2Bb%21%2A%27%28%29"},
  };
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 256);
  for (size_t i = 0; i < COUNT(pairs); i++) {
    inf_buf_clear(&out);
    inf_buf_append_cstr(&out, "/before"); /* is left alone */
    inf_sigv4_path(inf_sv_from(pairs[i].given), false, &out);
    assert_string_equal(out.ptr + 7, pairs[i].want);
    assert_memory_equal(out.ptr, "/before", 7);
  }
  inf_buf_clear(&out);
  inf_sigv4_path(INF_SV("/my//folder/../%3A"), true, &out);
  assert_string_equal(out.ptr, "/my//folder/../%3A");
  inf_buf_fini(&out);
}

static void
test_queries(void **state)
{
  static const pair pairs[] = {
      {"", ""},
      {"a", "a="},
      {"a=", "a="},
      {"=a", "=a"},
      {"b=1&a=2", "a=2&b=1"},
      {"a=2&a=1&a=", "a=&a=1&a=2"},
      {"a=1&a-b=2&a.b=3&aa=4", "a=1&a-b=2&a.b=3&aa=4"},
      {"aa=4&a.b=3&a-b=2&a=1", "a=1&a-b=2&a.b=3&aa=4"},
      {"B=1&a=2", "B=1&a=2"},
      {"a=b=c", "a=b%3Dc"},
      {"a=%2f%2F%7e~", "a=%2F%2F~~"},
      {"a=x+y%20z", "a=x%2By%20z"},
      {"a=%zz%4&b=%", "a=%25zz%254&b=%25"},
      {"&&a=1&&", "a=1"},
      {"a=%00", "a=%00"},
  };
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 256);
  for (size_t i = 0; i < COUNT(pairs); i++) {
    inf_buf_clear(&out);
    assert_int_equal(inf_sigv4_query(inf_sv_from(pairs[i].given), &out),
                     INFER_OK);
    assert_string_equal(inf_buf_cstr(&out), pairs[i].want);
  }
  inf_buf_fini(&out);
}

static void
test_headers_that_are_not_signed(void **state)
{
  inf_sigv4_headers headers = {.count = 0};
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 256);
  assert_true(inf_sigv4_headers_add_lines(
      &headers, LINES("USER-agent: x\0Authorization: y\0b: 2\0"
                      "Connection: close\0Expect: 100-continue\0B:1\0"
                      "transfer-encoding: chunked\0X-Amzn-Trace-Id: 1\0"
                      "Accept:  a \t b  \0\0empty:")));
  inf_sigv4_headers_write(&headers, &out);
  assert_string_equal(out.ptr, "accept:a b\nb:2,1\nempty:\n");
  inf_buf_clear(&out);
  inf_sigv4_headers_write_names(&headers, &out);
  assert_string_equal(out.ptr, "accept;b;empty");
  inf_buf_fini(&out);
}

static void
test_there_are_limits(void **state)
{
  inf_sigv4_account account = suite_account();
  inf_sigv4_request request = request_of(&suite[0]);
  inf_buf many, out;

  (void)state;
  inf_buf_init(&many, 4096);
  inf_buf_init(&out, 4096);
  for (int i = 0; i < INF_SIGV4_MAX_ITEMS; i++)
    inf_buf_append_cstr(&many, "a&");
  request.query = inf_buf_sv(&many);
  assert_int_equal(inf_sigv4_sign(&account, &request, WALL_NS, &out, NULL),
                   INFER_OK);
  inf_buf_append_cstr(&many, "b");
  request.query = inf_buf_sv(&many);
  inf_buf_clear(&out);
  assert_int_equal(inf_sigv4_sign(&account, &request, WALL_NS, &out, NULL),
                   INFER_E_TOO_LARGE);
  request.query = INF_SV("");
  inf_buf_clear(&many);
  for (int i = 0; i < INF_SIGV4_MAX_ITEMS - 2; i++) /* Host and the date */
    inf_buf_append(&many, "a:b", 4);
  request.headers = inf_buf_sv(&many);
  assert_int_equal(inf_sigv4_sign(&account, &request, WALL_NS, &out, NULL),
                   INFER_OK);
  inf_buf_append(&many, "a:b", 4);
  request.headers = inf_buf_sv(&many);
  inf_buf_clear(&out);
  assert_int_equal(inf_sigv4_sign(&account, &request, WALL_NS, &out, NULL),
                   INFER_E_TOO_LARGE);
  assert_int_equal(out.len, 0);
  inf_buf_fini(&many);
  inf_buf_fini(&out);
}

/* Nothing is left of lines that did not fit. */
static void
test_a_full_buffer_keeps_what_it_has(void **state)
{
  inf_sigv4_account account = suite_account();
  inf_sigv4_request request = request_of(&suite[0]);
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 100);
  inf_buf_append_cstr(&out, "kept");
  assert_int_equal(inf_sigv4_sign(&account, &request, WALL_NS, &out, NULL),
                   INFER_E_TOO_LARGE);
  assert_string_equal(out.ptr, "kept");
  inf_buf_fini(&out);
}

static void
check_refused(const inf_sigv4_account *account, const char *want)
{
  inf_sigv4_request request = request_of(&suite[0]);
  inf_buf out, why;

  inf_buf_init(&out, 4096);
  inf_buf_init(&why, 256);
  assert_int_equal(inf_sigv4_sign(account, &request, WALL_NS, &out, &why),
                   INFER_E_INVALID_ARGUMENT);
  assert_string_equal(why.ptr, want);
  assert_int_equal(out.len, 0);
  inf_buf_fini(&out);
  inf_buf_fini(&why);
}

static void
test_accounts_that_cannot_be(void **state)
{
  static char long_secret[254];
  inf_sigv4_account account;

  (void)state;
  memset(long_secret, 's', sizeof(long_secret) - 1);
  account = suite_account();
  account.access_key_id = INF_SV("");
  check_refused(&account, "the AWS access key id is missing or not one word");
  account.access_key_id = INF_SV("AKID, Signature=");
  check_refused(&account, "the AWS access key id is missing or not one word");
  account = suite_account();
  account.secret_access_key = INF_SV("");
  check_refused(&account, "the AWS secret access key is missing");
  account.secret_access_key = inf_sv_from(long_secret);
  check_refused(&account, "the AWS secret access key is too long to be one");
  account = suite_account();
  account.region = INF_SV("us-east-1\r\nX: y");
  check_refused(&account, "the AWS region is missing or not one word");
  account = suite_account();
  account.service = INF_SV("a/b");
  check_refused(&account, "the AWS service is missing or not one word");
  account = suite_account();
  account.session_token = INF_SV("t\r\nX: y");
  check_refused(&account, "the AWS session token has control characters");
}

static void
memory_scenario(void *arg)
{
  inf_sigv4_account account = suite_account();
  inf_sigv4_request request = request_of(&suite[COUNT(suite) - 1]);
  inf_buf out;
  int32_t status;

  (void)arg;
  request.query = INF_SV("b=some+text&a=that+is+longer+than+a+first+block");
  inf_buf_init(&out, 4096);
  status = inf_sigv4_sign(&account, &request, WALL_NS, &out, NULL);
  if (fail_alloc_hits() == 0)
    assert_int_equal(status, INFER_OK);
  else
    assert_int_equal(status, INFER_E_NO_MEMORY);
  assert_int_equal(out.len > 0, status == INFER_OK);
  inf_buf_fini_secret(&out);
}

static void
test_memory_failures(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, NULL) > 4);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keys_of_the_documentation),
      cmocka_unit_test(test_cases_of_the_suite),
      cmocka_unit_test(test_the_example_of_the_documentation),
      cmocka_unit_test(test_paths),
      cmocka_unit_test(test_queries),
      cmocka_unit_test(test_headers_that_are_not_signed),
      cmocka_unit_test(test_there_are_limits),
      cmocka_unit_test(test_a_full_buffer_keeps_what_it_has),
      cmocka_unit_test(test_accounts_that_cannot_be),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
