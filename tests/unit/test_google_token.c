/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "base/clock.h"
#include "provider/google_token.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#define S_NS ((uint64_t)INF_NS_PER_S)
#define NOW  (1000 * S_NS)

static int32_t
answer(inf_token *token, int status, const char *body, uint64_t at_ns)
{
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  return inf_google_token_answer(token, status, S(body), at_ns - S_NS, at_ns,
                                 &rng);
}

static void
test_a_token_and_its_life(void **state)
{
  (void)state;
  inf_token token;
  inf_token_init(&token);
  assert_int_equal(answer(&token, 200,
                          "{\"access_token\":\"ya29.a\",\"expires_in\":"
                          "\"3600\",\"token_type\":\"Bearer\"}",
                          NOW),
                   INFER_OK);
  assert_buf(&token.text, "ya29.a");
  /* It counts from when it was asked for. */
  assert_int_equal(token.end_ns, NOW - S_NS + 3570 * S_NS);
  assert_int_equal(answer(&token, 503, "", NOW), INFER_E_OVERLOADED);
  assert_buf(&token.text, "ya29.a");
  inf_token_fini(&token);
}

static void
test_an_account_that_is_refused(void **state)
{
  (void)state;
  inf_token token;
  inf_token_init(&token);
  assert_int_equal(answer(&token, 400,
                          "{\"error\":\"invalid_grant\",\"error_description\":"
                          "\"Invalid JWT Signature.\"}",
                          NOW),
                   INFER_E_AUTH);
  assert_buf(&token.failure.message, "Invalid JWT Signature.");
  assert_int_equal(inf_token_look(&token, NOW + 60 * S_NS - 1),
                   INF_TOKEN_FAILED);
  assert_int_equal(inf_token_look(&token, NOW + 60 * S_NS), INF_TOKEN_ASK);
  inf_token_fini(&token);
}

static void
test_answers_without_a_token(void **state)
{
  (void)state;
  static const char *const bodies[] = {
      "",
      "<html>",
      "{}",
      "{\"access_token\":\"a\"}",
      "{\"expires_in\":3600}",
      "{\"access_token\":\"\",\"expires_in\":3600}",
      "{\"access_token\":1,\"expires_in\":3600}",
      "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":3600}"};
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
    inf_token token;
    inf_token_init(&token);
    assert_int_equal(answer(&token, 200, bodies[i], NOW), INFER_E_PROTOCOL);
    assert_int_equal(token.text.len, 0);
    assert_int_equal(inf_token_look(&token, NOW), INF_TOKEN_FAILED);
    inf_token_fini(&token);
  }
}

static void
test_what_is_asked(void **state)
{
  (void)state;
  inf_wire_request out;
  inf_jwt_account account = {0};
  inf_wire_request_init(&out);
  inf_buf_init(&account.client_email, 64);
  inf_buf_init(&account.private_key_id, 64);
  inf_buf_init(&account.token_uri, 64);
  inf_buf_append_cstr(&account.client_email, "a@b");
  inf_buf_append_cstr(&account.token_uri, INF_JWT_TOKEN_URI);
  account.private_key = EVP_RSA_gen(2048);
  assert_non_null(account.private_key);
  assert_int_equal(inf_google_token_ask(&account, 0, &out), INFER_OK);
  assert_buf(&out.url, INF_JWT_TOKEN_URI);
  assert_string_equal(out.headers.ptr,
                      "Content-Type: application/x-www-form-urlencoded");
  assert_true(
      inf_sv_starts_with(inf_buf_sv(&out.body), INF_SV(INF_JWT_GRANT "eyJ")));
  /* Nothing in it would have to be encoded. */
  for (size_t i = sizeof(INF_JWT_GRANT) - 1; i < out.body.len; i++)
    assert_non_null(
        strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               "0123456789-_.",
               out.body.ptr[i]));
  inf_jwt_account_fini(&account);
  inf_wire_request_fini(&out);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_token_and_its_life),
      cmocka_unit_test(test_an_account_that_is_refused),
      cmocka_unit_test(test_answers_without_a_token),
      cmocka_unit_test(test_what_is_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
