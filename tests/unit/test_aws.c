/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "provider/aws.h"

static void
test_keys_that_sign(void **state)
{
  (void)state;
  static const struct {
    const char *key, *id, *secret, *token;
  } rows[] = {
      {"AKID:se/cr+et=", "AKID", "se/cr+et=", ""},
      {"ASIA:secret:to/ken==", "ASIA", "secret", "to/ken=="},
      {"ABSKQmVkcm9jaw==", NULL, NULL, NULL},
      {"bedrock-api-key-abc", NULL, NULL, NULL},
      {"", NULL, NULL, NULL},
      {":secret", NULL, NULL, NULL},
      {"AKID:", NULL, NULL, NULL},
      {"AKID::token", NULL, NULL, NULL},
      {"AKID:secret:", NULL, NULL, NULL},
      {"AKID:secret:token:more", NULL, NULL, NULL},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    inf_sigv4_account account = {.region = INF_SV("r")};
    bool signs = inf_aws_credentials(S(rows[i].key), &account);
    assert_int_equal(signs, rows[i].id != NULL);
    if (!signs)
      continue;
    assert_sv(account.access_key_id, rows[i].id);
    assert_sv(account.secret_access_key, rows[i].secret);
    assert_sv(account.session_token, rows[i].token);
    assert_sv(account.region, "r");
  }
}

static void
test_regions_of_addresses(void **state)
{
  (void)state;
  static const char *const rows[][2] = {
      {"https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"},
      {"https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/x",
       "us-gov-west-1"},
      {"https://bedrock-runtime.cn-north-1.amazonaws.com.cn:443/",
       "cn-north-1"},
      {"https://vpce-0a-1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
       "eu-west-1"},
      {"https://vpce-0a-us-east-1.bedrock-runtime.eu-west-1.vpce."
       "amazonaws.com",
       "eu-west-1"},
      {"https://bedrock-mantle.us-east-2.api.aws/openai/v1", "us-east-2"},
      {"https://bedrock-runtime.amazonaws.com", ""},
      {"https://evil-amazonaws.com/us-east-1", ""},
      {"https://us-east-1.example.com/.amazonaws.com", ""},
      {"https://x.us-east.amazonaws.com", ""},
      {"https://x.1-2.amazonaws.com", ""},
      {"bedrock-runtime.us-east-1.amazonaws.com", ""},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    assert_sv(inf_aws_region_of(S(rows[i][0])), rows[i][1]);
}

/* The lines as one text, for looking through. */
static const char *
lines(inf_buf *headers)
{
  for (size_t i = 0; i < headers->len; i++)
    if (headers->ptr[i] == '\0')
      headers->ptr[i] = '\n';
  return inf_buf_cstr(headers);
}

static void
sign(const char *url, const inf_sigv4_account *account, inf_buf *headers)
{
  inf_buf_init(headers, 1 << 16);
  inf_buf_append(headers, "Content-Type: application/json",
                 sizeof("Content-Type: application/json"));
  assert_int_equal(inf_aws_sign(account, S(url), S("{}"),
                                INT64_C(1440938160000000000), headers, NULL),
                   INFER_OK);
}

static const inf_sigv4_account account = {
    .access_key_id = {"AKID", 4},
    .secret_access_key = {"secret", 6},
    .session_token = {"token", 5},
    .region = {"us-east-1", 9},
    .service = {"bedrock", 7},
};

/* Held against another implementation of the signature. */
static void
test_a_signature(void **state)
{
  (void)state;
  inf_buf headers;
  sign("https://bedrock-runtime.us-east-1.amazonaws.com/model/a%3A0/converse",
       &account, &headers);
  assert_string_equal(
      lines(&headers),
      "Content-Type: application/json\n"
      "X-Amz-Date: 20150830T123600Z\n"
      "X-Amz-Security-Token: token\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/"
      "bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;"
      "x-amz-security-token, Signature="
      "7880c74661a76039eb43171f330b9827837b46658c6e7ba5c7b6fb9fda363cac\n");
  inf_buf_fini_secret(&headers);
}

/* What a Host header has: no user, no port that is the scheme's own. */
static void
test_what_is_signed_of_the_address(void **state)
{
  (void)state;
  static const char *const same[] = {
      "https://h.example/p?q=1",
      "https://h.example:443/p?q=1",
      "https://user@h.example/p?q=1",
      "http://h.example:80/p?q=1",
  };
  static const char *const other[] = {
      "https://h.example:80/p?q=1", "https://h.example:8443/p?q=1",
      "https://h.example/p?q=2",    "https://h.example/P?q=1",
      "https://i.example/p?q=1",
  };
  inf_buf first, next;
  sign(same[0], &account, &first);
  for (size_t i = 1; i < 4; i++) {
    sign(same[i], &account, &next);
    assert_true(inf_sv_eq(inf_buf_sv(&first), inf_buf_sv(&next)));
    inf_buf_fini_secret(&next);
  }
  for (size_t i = 0; i < 5; i++) {
    sign(other[i], &account, &next);
    assert_false(inf_sv_eq(inf_buf_sv(&first), inf_buf_sv(&next)));
    inf_buf_fini_secret(&next);
  }
  inf_buf_fini_secret(&first);
}

static void
test_no_region_no_signature(void **state)
{
  (void)state;
  inf_sigv4_account nowhere = account;
  inf_buf headers, why;
  nowhere.region = INF_SV("");
  inf_buf_init(&headers, 1 << 16);
  inf_buf_init(&why, 100);
  assert_int_equal(
      inf_aws_sign(&nowhere, S("https://h/"), S(""), 0, &headers, &why),
      INFER_E_INVALID_ARGUMENT);
  assert_buf(&why, "no AWS region (set \"region\" or AWS_REGION)");
  assert_int_equal(headers.len, 0);
  inf_buf_fini(&headers);
  inf_buf_fini(&why);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keys_that_sign),
      cmocka_unit_test(test_regions_of_addresses),
      cmocka_unit_test(test_a_signature),
      cmocka_unit_test(test_what_is_signed_of_the_address),
      cmocka_unit_test(test_no_region_no_signature),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
