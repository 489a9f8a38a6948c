/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "base/error.h"

struct row {
  int http_status;
  int32_t status;
  const char *body;
};

static void
check(const struct row *row)
{
  inf_failure failure;
  inf_headers headers;
  inf_failure_init(&failure);
  inf_headers_init(&headers, 1024);
  inf_classify_failure(&failure, inf_provider_kind_find(S("openai")),
                       row->http_status, &headers, S(row->body), 0);
  if (failure.status != row->status)
    fail_msg("%d %s: %s, expected %s", row->http_status, row->body,
             inf_status_find(failure.status)->name,
             inf_status_find(row->status)->name);
  assert_int_equal(failure.http_status, row->http_status);
  inf_headers_fini(&headers);
  inf_failure_fini(&failure);
}

static void
check_all(const struct row *rows, size_t count)
{
  for (size_t i = 0; i < count; i++)
    check(&rows[i]);
}

#define CHECK(rows) check_all(rows, sizeof(rows) / sizeof(rows[0]))

static void
test_statuses(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {301, INFER_E_BAD_REQUEST, ""},  {400, INFER_E_BAD_REQUEST, ""},
      {401, INFER_E_AUTH, ""},         {402, INFER_E_QUOTA, ""},
      {403, INFER_E_AUTH, ""},         {404, INFER_E_NOT_FOUND, ""},
      {405, INFER_E_BAD_REQUEST, ""},  {408, INFER_E_SERVER, ""},
      {409, INFER_E_SERVER, ""},       {413, INFER_E_REQUEST_TOO_LARGE, ""},
      {422, INFER_E_BAD_REQUEST, ""},  {424, INFER_E_OVERLOADED, ""},
      {425, INFER_E_SERVER, ""},       {429, INFER_E_RATE_LIMITED, ""},
      {498, INFER_E_OVERLOADED, ""},   {500, INFER_E_SERVER, ""},
      {501, INFER_E_BAD_REQUEST, ""},  {502, INFER_E_SERVER, ""},
      {503, INFER_E_OVERLOADED, ""},   {504, INFER_E_SERVER, ""},
      {520, INFER_E_SERVER, "<html>"}, {524, INFER_E_SERVER, ""},
      {529, INFER_E_OVERLOADED, ""},   {599, INFER_E_SERVER, ""},
  };
  CHECK(rows);
  assert_int_equal(inf_class_of_http_status(200), INFER_OK);
  assert_int_equal(inf_class_of_http_status(299), INFER_OK);
  assert_int_equal(inf_class_of_http_status(0), INFER_E_PROTOCOL);
  assert_int_equal(inf_class_of_http_status(100), INFER_E_PROTOCOL);
  assert_int_equal(inf_class_of_http_status(700), INFER_E_PROTOCOL);
}

static void
test_429_has_several_meanings(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {429, INFER_E_RATE_LIMITED,
       "{\"error\":{\"message\":\"Rate limit reached\","
       "\"code\":\"rate_limit_exceeded\"}}"},
      {429, INFER_E_QUOTA,
       "{\"error\":{\"message\":\"x\",\"type\":\"insufficient_quota\"}}"},
      {429, INFER_E_QUOTA,
       "{\"error\":{\"message\":\"You exceeded your current quota, please "
       "check your plan\",\"code\":null}}"},
      {429, INFER_E_QUOTA,
       "{\"error\":{\"type\":\"rate_limit_error\",\"details\":{"
       "\"error_code\":\"enforced_spend_limit_reached\"}}}"},
      {429, INFER_E_QUOTA,
       "{\"error\":{\"type\":\"exceeded_current_quota_error\"}}"},
      {400, INFER_E_QUOTA, "{\"error\":{\"code\":\"Arrearage\"}}"},
      {412, INFER_E_QUOTA,
       "{\"error\":{\"message\":\"reached the monthly spending limit\"}}"},
      {429, INFER_E_REQUEST_TOO_LARGE,
       "{\"error\":{\"message\":\"Request too large for m on tokens per min "
       "(TPM): Limit 3, Requested 4\",\"code\":\"rate_limit_exceeded\"}}"},
      {429, INFER_E_OVERLOADED,
       "{\"error\":\"Model is overloaded\",\"error_type\":\"overloaded\"}"},
      {429, INFER_E_OVERLOADED,
       "{\"message\":\"Service tier capacity exceeded for this model.\"}"},
      /* Gemini's free tier speaks of quota too. */
      {429, INFER_E_RATE_LIMITED,
       "{\"error\":{\"code\":429,\"message\":\"You exceeded your current "
       "quota\",\"status\":\"RESOURCE_EXHAUSTED\"}}"},
      {429, INFER_E_RATE_LIMITED,
       "{\"message\":\"Too many tokens, please wait before trying again.\"}"},
  };
  CHECK(rows);
}

static void
test_too_long_is_told_from_too_large(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {400, INFER_E_CONTEXT_LENGTH,
       "{\"error\":{\"code\":\"context_length_exceeded\"}}"},
      {400, INFER_E_CONTEXT_LENGTH,
       "{\"object\":\"error\",\"message\":\"This model's maximum context "
       "length is 2048 tokens\",\"code\":400}"},
      {400, INFER_E_CONTEXT_LENGTH,
       "{\"error\":{\"code\":400,\"type\":\"exceed_context_size_error\"}}"},
      {400, INFER_E_CONTEXT_LENGTH,
       "{\"message\":\"m\",\"error_type\":\"TOO_MANY_TOKENS\"}"},
      {413, INFER_E_CONTEXT_LENGTH,
       "{\"error\":{\"message\":\"prompt is too long: 9 tokens\"}}"},
      {400, INFER_E_CONTEXT_LENGTH,
       "{\"error\":{\"message\":\"input length and `max_tokens` exceed context "
       "limit: 9 + 9 > 10\"}}"},
      {400, INFER_E_CONTEXT_LENGTH,
       "{\"code\":\"c\",\"error\":\"This model's maximum prompt length is "
       "9\"}"},
      {413, INFER_E_REQUEST_TOO_LARGE,
       "{\"error\":{\"message\":\"Request too large for model\","
       "\"code\":\"rate_limit_exceeded\"}}"},
      {413, INFER_E_REQUEST_TOO_LARGE, "<html>413</html>"},
      {400, INFER_E_BAD_REQUEST,
       "{\"error\":{\"message\":\"no context here\"}}"},
  };
  CHECK(rows);
}

static void
test_bad_requests_that_are_something_else(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {400, INFER_E_AUTH,
       "{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass "
       "a valid API key.\",\"status\":\"INVALID_ARGUMENT\"}}"},
      {400, INFER_E_AUTH,
       "{\"code\":\"Client specified an invalid argument\",\"error\":"
       "\"Incorrect API key provided: ab***\"}"},
      {400, INFER_E_CONTENT_FILTER,
       "{\"error\":{\"code\":\"content_filter\",\"message\":\"x\"}}"},
      {403, INFER_E_CONTENT_FILTER,
       "{\"error\":{\"code\":403,\"message\":\"Your input was flagged\"}}"},
      {400, INFER_E_NOT_FOUND,
       "{\"error\":{\"code\":\"model_decommissioned\"}}"},
      {400, INFER_E_QUOTA,
       "{\"error\":{\"message\":\"Your credit balance is too low\"}}"},
      {402, INFER_E_QUOTA,
       "{\"error\":{\"message\":\"Insufficient Balance\"}}"},
      /* xAI. */
      {403, INFER_E_QUOTA,
       "{\"code\":\"The caller does not have permission to execute the "
       "specified operation\",\"error\":\"Your newly created team doesn't "
       "have any credits or licenses yet. You can purchase those on "
       "https://h\"}"},
      {403, INFER_E_QUOTA,
       "{\"code\":\"c\",\"error\":\"You have run out of credits or need a "
       "subscription.\"}"},
      {403, INFER_E_QUOTA,
       "{\"code\":\"c\",\"error\":\"Your team t has either used all "
       "available credits or reached its monthly spending limit.\"}"},
      {403, INFER_E_QUOTA, "{\"error\":\"Your team has no credits\"}"},
      {403, INFER_E_AUTH,
       "{\"code\":\"The caller does not have permission to execute the "
       "specified operation\",\"error\":\"The API key is blocked\"}"},
      {404, INFER_E_NOT_FOUND,
       "{\"error\":{\"type\":\"invalid_request_error\"}}"},
      {401, INFER_E_AUTH,
       "{\"error\":{\"type\":\"invalid_request_error\",\"code\":"
       "\"invalid_api_key\"}}"},
  };
  CHECK(rows);
}

static void
test_trouble_on_their_side(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {503, INFER_E_OVERLOADED,
       "{\"error\":{\"code\":503,\"message\":\"Loading model\"}}"},
      {503, INFER_E_RATE_LIMITED,
       "{\"message\":\"Model is getting throttled. Try your request "
       "again.\"}"},
      {500, INFER_E_OVERLOADED,
       "{\"error\":{\"message\":\"The engine is currently overloaded\"}}"},
      {503, INFER_E_OVERLOADED,
       "{\"message\":\"Service tier capacity exceeded\","
       "\"type\":\"invalid_request_error\"}"},
      {500, INFER_E_SERVER,
       "{\"error\":{\"type\":\"api_error\",\"message\":\"Internal\"}}"},
      {502, INFER_E_SERVER, "<html><title>502</title>"},
  };
  CHECK(rows);
}

static void
test_errors_inside_a_200(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {200, INFER_E_SERVER, "{\"error\":{\"message\":\"who knows\"}}"},
      {200, INFER_E_SERVER, "{\"error\":{\"code\":502,\"message\":\"x\"}}"},
      {200, INFER_E_RATE_LIMITED,
       "{\"error\":{\"code\":429,\"message\":\"x\"}}"},
      {200, INFER_E_QUOTA, "{\"error\":{\"code\":402,\"message\":\"x\"}}"},
      {200, INFER_E_BAD_REQUEST,
       "{\"error\":{\"code\":400,\"type\":\"BadRequestError\"}}"},
      {200, INFER_E_BAD_REQUEST,
       "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"x\"}}"},
      {200, INFER_E_OVERLOADED,
       "{\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}"},
      {200, INFER_E_OVERLOADED,
       "{\"error\":{\"code\":\"server_is_overloaded\"}}"},
      {200, INFER_E_SERVER,
       "{\"error\":{\"type\":\"server_error\",\"message\":\"x\"}}"},
      {200, INFER_E_RATE_LIMITED,
       "{\"error\":{\"type\":\"rate_limit_error\",\"message\":\"x\"}}"},
      {200, INFER_E_CONTEXT_LENGTH,
       "{\"error\":{\"message\":\"exceeds the available context size\"}}"},
  };
  CHECK(rows);
}

static void
test_clarifai_codes(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {200, INFER_E_RATE_LIMITED, "{\"status\":{\"code\":11005}}"},
      {429, INFER_E_RATE_LIMITED, "{\"status\":{\"code\":\"CONN_THROTTLED\"}}"},
      {200, INFER_E_RATE_LIMITED, "{\"status\":{\"code\":11006}}"},
      {400, INFER_E_RATE_LIMITED,
       "{\"status\":{\"code\":\"CONN_EXCEED_HOURLY_LIMIT\"}}"},
      {200, INFER_E_AUTH, "{\"status\":{\"code\":11000}}"},
      {200, INFER_E_AUTH, "{\"status\":{\"code\":11001}}"},
      {400, INFER_E_AUTH, "{\"status\":{\"code\":11002}}"},
      {200, INFER_E_AUTH, "{\"status\":{\"code\":11007}}"},
      {200, INFER_E_AUTH, "{\"status\":{\"code\":\"CONN_KEY_INVALID\"}}"},
      {200, INFER_E_SERVER, "{\"status\":{\"code\":99999}}"},
      {404, INFER_E_NOT_FOUND, "{\"status\":{\"code\":21200}}"},
      /* The same number in another shape means nothing. */
      {400, INFER_E_BAD_REQUEST, "{\"error\":{\"code\":11005}}"},
  };
  CHECK(rows);
}

/* AWS names the error in the body where no header does, sometimes all with
 * one status. */
static void
test_aws_types_in_the_body(void **state)
{
  (void)state;
#define AWS(type) "{\"__type\":\"" type "\",\"message\":\"m\"}"
  static const struct row rows[] = {
      {400, INFER_E_RATE_LIMITED, AWS("ThrottlingException")},
      {400, INFER_E_RATE_LIMITED,
       AWS("com.amazon.coral.service#ThrottlingException")},
      {400, INFER_E_RATE_LIMITED,
       AWS("com.amazon#TooManyRequestsException:http://h/coral/")},
      {400, INFER_E_RATE_LIMITED, AWS("ServiceQuotaExceededException")},
      {500, INFER_E_RATE_LIMITED, AWS("ThrottlingException")},
      {500, INFER_E_OVERLOADED, AWS("ServiceUnavailableException")},
      {429, INFER_E_OVERLOADED, AWS("a#ModelNotReadyException")},
      {400, INFER_E_AUTH, AWS("AccessDeniedException")},
      {400, INFER_E_AUTH, AWS("ExpiredTokenException")},
      {400, INFER_E_AUTH, AWS("UnrecognizedClientException")},
      {400, INFER_E_AUTH, AWS("InvalidSignatureException")},
      {400, INFER_E_AUTH, AWS("IncompleteSignatureException")},
      {400, INFER_E_AUTH, AWS("MissingAuthenticationTokenException")},
      {400, INFER_E_NOT_FOUND, AWS("ResourceNotFoundException")},
      {400, INFER_E_BAD_REQUEST, AWS("ValidationException")},
      {400, INFER_E_RATE_LIMITED, "{\"__type\":\"a#ThrottlingException\"}"},
      {200, INFER_E_RATE_LIMITED, AWS("ThrottlingException")},
      {400, INFER_E_BAD_REQUEST, "{\"__type\":7}"},
  };
  CHECK(rows);
}

/* Without what stands around it, whichever of the two tells. */
static void
test_the_name_of_an_aws_type(void **state)
{
  (void)state;
  static const char *const lines[] = {
      "x-amzn-ErrorType: a.b#FromHeader:http://internal.amazon.com/coral/x/",
      "x-other: 1"};
  static const char *const types[] = {"FromHeader", "FromBody"};
  for (size_t i = 0; i < 2; i++) {
    inf_failure failure;
    inf_headers headers;
    inf_failure_init(&failure);
    inf_headers_init(&headers, 1024);
    inf_headers_add_line(&headers, S(lines[i]));
    inf_classify_failure(&failure, NULL, 400, &headers,
                         S("{\"__type\":\"c.d#FromBody:e\",\"Message\":\"m\"}"),
                         0);
    assert_buf(&failure.type, types[i]);
    assert_buf(&failure.message, "m");
    inf_headers_fini(&headers);
    inf_failure_fini(&failure);
  }
}

static void
test_what_alibaba_filters(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {400, INFER_E_CONTENT_FILTER,
       "{\"error\":{\"code\":\"data_inspection_failed\"}}"},
      {400, INFER_E_CONTENT_FILTER,
       "{\"code\":\"DataInspectionFailed\","
       "\"message\":\"m\"}"},
  };
  CHECK(rows);
}

static void
test_minimax_codes(void **state)
{
  (void)state;
#define RESP(code)                                         \
  "{\"choices\":null,\"base_resp\":{\"status_code\":" code \
  ",\"status_msg\":\"m\"}}"
  static const struct row rows[] = {
      {200, INFER_E_RATE_LIMITED, RESP("1002")},
      {200, INFER_E_AUTH, RESP("1004")},
      {401, INFER_E_AUTH, RESP("2049")},
      {200, INFER_E_QUOTA, RESP("1008")},
      {200, INFER_E_CONTENT_FILTER, RESP("1026")},
      {200, INFER_E_CONTENT_FILTER, RESP("1027")},
      {200, INFER_E_BAD_REQUEST, RESP("2013")},
      {200, INFER_E_SERVER, RESP("1001")},
      /* The same number in another shape means nothing. */
      {400, INFER_E_BAD_REQUEST, "{\"error\":{\"code\":1002}}"},
  };
  CHECK(rows);
}

static void
test_words_are_decoded_and_ids_found(void **state)
{
  (void)state;
  inf_failure failure;
  inf_headers headers;
  inf_failure_init(&failure);
  inf_headers_init(&headers, 1024);
  inf_headers_add_line(&headers, S("cf-ray: ray"));
  inf_headers_add_line(&headers, S("X-Request-Id: req_1"));
  inf_headers_add_line(&headers, S("x-should-retry: false"));
  inf_classify_failure(
      &failure, NULL, 422, &headers,
      S("{\"error\":{\"message\":\"a\\u00e9\\n\\\"b\\\"\",\"type\":\"t\","
        "\"code\":7,\"param\":\"x[0]\"}}"),
      0);
  assert_buf(&failure.message, "a\xC3\xA9\n\"b\"");
  assert_buf(&failure.type, "t");
  assert_buf(&failure.code, "7");
  assert_buf(&failure.param, "x[0]");
  assert_buf(&failure.request_id, "req_1");
  assert_int_equal(failure.should_retry, 0);
  inf_headers_clear(&headers);
  inf_headers_add_line(&headers, S("x-should-retry: True"));
  inf_classify_failure(&failure, NULL, 422, &headers,
                       S("{\"detail\":[{\"msg\":\"a\",\"loc\":[]},"
                         "{\"msg\":\"b\"}],\"request_id\":\"body-id\"}"),
                       0);
  assert_buf(&failure.message, "a; b");
  assert_buf(&failure.type, "");
  assert_buf(&failure.request_id, "body-id");
  assert_int_equal(failure.should_retry, 1);
  inf_classify_failure(&failure, NULL, 200, &headers,
                       S("{\"status\":{\"code\":11005,\"description\":"
                         "\"slow\",\"details\":\"15 a second\"}}"),
                       0);
  assert_buf(&failure.message, "slow: 15 a second");
  assert_buf(&failure.code, "11005");
  inf_headers_fini(&headers);
  inf_failure_fini(&failure);
}

static void
test_a_value_without_error_changes_nothing(void **state)
{
  (void)state;
  inf_failure failure;
  inf_headers headers;
  inf_failure_init(&failure);
  inf_headers_init(&headers, 1024);
  failure.status = INFER_E_RESET;
  assert_false(inf_classify_value(&failure, NULL, 200, &headers,
                                  S("{\"error\":null}"), 0));
  assert_int_equal(failure.status, INFER_E_RESET);
  assert_true(inf_classify_value(&failure, NULL, 200, &headers,
                                 S("{\"error\":\"x\"}"), 0));
  assert_int_equal(failure.status, INFER_E_SERVER);
  inf_headers_fini(&headers);
  inf_failure_fini(&failure);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_statuses),
      cmocka_unit_test(test_429_has_several_meanings),
      cmocka_unit_test(test_too_long_is_told_from_too_large),
      cmocka_unit_test(test_bad_requests_that_are_something_else),
      cmocka_unit_test(test_trouble_on_their_side),
      cmocka_unit_test(test_errors_inside_a_200),
      cmocka_unit_test(test_clarifai_codes),
      cmocka_unit_test(test_aws_types_in_the_body),
      cmocka_unit_test(test_the_name_of_an_aws_type),
      cmocka_unit_test(test_what_alibaba_filters),
      cmocka_unit_test(test_minimax_codes),
      cmocka_unit_test(test_words_are_decoded_and_ids_found),
      cmocka_unit_test(test_a_value_without_error_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
