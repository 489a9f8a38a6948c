/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

/* 2026-08-20 12:00:00 UTC. */
#define NOW_NS (1787227200ll * 1000000000ll)

#define MS     1000000ll

static int64_t
hint(int http_status, const char *const *lines, const char *body)
{
  inf_failure failure;
  inf_headers headers;
  inf_failure_init(&failure);
  inf_headers_init(&headers, 4096);
  for (; lines && *lines; lines++)
    inf_headers_add_line(&headers, S(*lines));
  inf_classify_failure(&failure, NULL, http_status, &headers, S(body), NOW_NS);
  int64_t ns = failure.hint_ns;
  inf_headers_fini(&headers);
  inf_failure_fini(&failure);
  return ns;
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_nothing_said(void **state)
{
  (void)state;
  assert_int_equal(hint(429, NULL, ""), -1);
  assert_int_equal(hint(503, LINES("retry-after: soon"), ""), -1);
  assert_int_equal(hint(429, LINES("retry-after: -5"), "{}"), -1);
}

static void
test_retry_after_in_its_forms(void **state)
{
  (void)state;
  assert_int_equal(hint(429, LINES("Retry-After: 7"), ""), 7000 * MS);
  assert_int_equal(hint(503, LINES("retry-after: 0.5"), ""), 500 * MS);
  assert_int_equal(hint(500, LINES("retry-after: 0"), ""), 0);
  assert_int_equal(
      hint(429, LINES("retry-after: Thu, 20 Aug 2026 12:00:30 GMT"), ""),
      30000 * MS);
  assert_int_equal(
      hint(429, LINES("retry-after: Thu, 20 Aug 2026 11:00:00 GMT"), ""), 0);
}

/* However wrong our own clock is, by a year or by decades. */
static void
test_dates_go_by_the_providers_clock(void **state)
{
  (void)state;
  static const char date[] = "date: Fri, 01 Jan 2027 00:00:00 GMT";
  assert_int_equal(
      hint(429, LINES("retry-after: Fri, 01 Jan 2027 00:00:09 GMT", date), ""),
      9000 * MS);
  assert_int_equal(hint(429,
                        LINES("date: Sat, 01 Jan 2000 00:00:00 GMT",
                              "x-ratelimit-remaining-requests: 0",
                              "x-ratelimit-reset-requests: "
                              "2000-01-01T00:00:03Z"),
                        ""),
                   3000 * MS);
  assert_int_equal(hint(429,
                        LINES("retry-after: Thu, 20 Aug 2026 12:00:30 GMT",
                              "date: yesterday"),
                        ""),
                   30000 * MS);
}

static void
test_milliseconds_come_first_unless_zero(void **state)
{
  (void)state;
  assert_int_equal(
      hint(429, LINES("retry-after: 7", "retry-after-ms: 1500"), ""),
      1500 * MS);
  assert_int_equal(hint(429, LINES("retry-after: 1", "retry-after-ms: 0"), ""),
                   1000 * MS);
}

static void
test_the_body_comes_after_headers_and_before_buckets(void **state)
{
  (void)state;
  static const char info[] =
      "{\"error\":{\"code\":429,\"message\":\"Please retry in 9s.\","
      "\"details\":[{\"retryDelay\":\"34.4s\"}]}}";
  static const char text[] =
      "{\"error\":{\"message\":\"Please try again in 5.289s. Visit\"}}";
  const char *const bucket[] = {"x-ratelimit-remaining-requests: 0",
                                "x-ratelimit-reset-requests: 2s", NULL};
  assert_int_equal(hint(429, LINES("retry-after: 3"), info), 3000 * MS);
  assert_int_equal(hint(429, bucket, info), 34400 * MS);
  assert_int_equal(hint(429, bucket, text), 5289 * MS);
  assert_int_equal(hint(429, bucket, "{}"), 2000 * MS);
}

static void
test_the_empty_bucket_counts(void **state)
{
  (void)state;
  assert_int_equal(hint(429,
                        LINES("x-ratelimit-remaining-requests: 499",
                              "x-ratelimit-reset-requests: 1h0m0s",
                              "x-ratelimit-remaining-tokens: 0",
                              "x-ratelimit-reset-tokens: 1m26.4s"),
                        ""),
                   86400 * MS);
  assert_int_equal(hint(429,
                        LINES("x-ratelimit-remaining-requests: 0",
                              "x-ratelimit-reset-requests: 8.64s",
                              "x-ratelimit-remaining-tokens: 0",
                              "x-ratelimit-reset-tokens: 6ms"),
                        ""),
                   8640 * MS);
  assert_int_equal(hint(429,
                        LINES("x-ratelimit-remaining-requests: 5",
                              "x-ratelimit-reset-requests: 8.64s"),
                        ""),
                   -1);
}

static void
test_an_empty_bucket_outweighs_an_unknown_one(void **state)
{
  (void)state;
  assert_int_equal(hint(429,
                        LINES("x-ratelimit-reset-requests: 1h0m0s",
                              "x-ratelimit-remaining-tokens: 0",
                              "x-ratelimit-reset-tokens: 2s"),
                        ""),
                   2000 * MS);
}

static void
test_buckets_of_all_flavours(void **state)
{
  (void)state;
  assert_int_equal(
      hint(429,
           LINES("anthropic-ratelimit-tokens-remaining: 0",
                 "anthropic-ratelimit-tokens-reset: 2026-08-20T12:00:12Z"),
           ""),
      12000 * MS);
  assert_int_equal(
      hint(429,
           LINES("ratelimitbysize-remaining: 0", "ratelimitbysize-reset: 20"),
           ""),
      20000 * MS);
  assert_int_equal(
      hint(429, LINES("RateLimit-Remaining: 0", "RateLimit-Reset: 4"), ""),
      4000 * MS);
  assert_int_equal(hint(429,
                        LINES("X-RateLimit-Remaining: 0",
                              "X-RateLimit-Reset: 1787227203500"),
                        ""),
                   3500 * MS);
  assert_int_equal(hint(429,
                        LINES("x-ratelimit-remaining-tokens-minute: 0",
                              "x-ratelimit-reset-tokens-minute: "
                              "23.606698751449585"),
                        "") /
                       MS,
                   23606);
  /* Older Azure: no word of what remains. */
  assert_int_equal(hint(429, LINES("x-rate-limit-reset-tokens: 55"), ""),
                   55000 * MS);
  assert_int_equal(hint(429,
                        LINES("x-ratelimit: false",
                              "x-ratelimit-remaining-tokens: "
                              "9223372036854767616",
                              "x-ratelimit-reset-tokens: 5"),
                        ""),
                   -1);
}

static void
test_buckets_count_only_for_rate_limits(void **state)
{
  (void)state;
  const char *const bucket[] = {"x-ratelimit-remaining-requests: 0",
                                "x-ratelimit-reset-requests: 2s", NULL};
  assert_int_equal(hint(500, bucket, ""), -1);
  assert_int_equal(hint(401, bucket, ""), -1);
}

static void
test_headers_of_a_success_are_no_hint(void **state)
{
  (void)state;
  const char *const lines[] = {"retry-after: 2", "retry-after-ms: 99",
                               "x-ratelimit-remaining: 0",
                               "x-ratelimit-reset: 1", NULL};
  assert_int_equal(hint(200, lines, "{\"error\":{\"code\":429}}"), -1);
  assert_int_equal(hint(200, lines,
                        "{\"error\":{\"code\":429,\"message\":\"retry after "
                        "30 seconds\"}}"),
                   30000 * MS);
}

static void
test_what_a_gateway_repeats(void **state)
{
  (void)state;
  assert_int_equal(
      hint(429, NULL,
           "{\"error\":{\"code\":429,\"message\":\"Rate limit exceeded\","
           "\"metadata\":{\"headers\":{\"X-RateLimit-Reset\":"
           "\"1787227260000\"}}}}"),
      60000 * MS);
  assert_int_equal(hint(429, NULL,
                        "{\"error\":{\"message\":\"Provider returned error\","
                        "\"metadata\":{\"raw\":\"try again in 3s\"}}}"),
                   3000 * MS);
}

/* Hugging Face tells when a model will be there. */
static void
test_the_time_that_a_model_takes_to_load(void **state)
{
  (void)state;
#define LOADING(more) "{\"error\":\"Model m is currently loading\"" more "}"
  assert_int_equal(hint(503, NULL, LOADING(",\"estimated_time\":20.0")),
                   20000 * MS);
  assert_int_equal(hint(503, NULL, LOADING(",\"estimated_time\":35.5")),
                   35500 * MS);
  assert_int_equal(hint(503, NULL, LOADING(",\"estimated_time\":0")), 0);
  assert_int_equal(
      hint(503, LINES("retry-after: 3"), LOADING(",\"estimated_time\":20")),
      3000 * MS);
  assert_int_equal(hint(503, NULL, LOADING(",\"estimated_time\":-1")), -1);
  assert_int_equal(hint(503, NULL, LOADING(",\"estimated_time\":null")), -1);
  assert_int_equal(hint(503, NULL, LOADING("")), -1);
  /* Of another failure it is not known what it would mean. */
  assert_int_equal(hint(500, NULL, "{\"error\":\"x\",\"estimated_time\":20.0}"),
                   -1);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_said),
      cmocka_unit_test(test_retry_after_in_its_forms),
      cmocka_unit_test(test_dates_go_by_the_providers_clock),
      cmocka_unit_test(test_milliseconds_come_first_unless_zero),
      cmocka_unit_test(test_the_body_comes_after_headers_and_before_buckets),
      cmocka_unit_test(test_the_empty_bucket_counts),
      cmocka_unit_test(test_an_empty_bucket_outweighs_an_unknown_one),
      cmocka_unit_test(test_buckets_of_all_flavours),
      cmocka_unit_test(test_buckets_count_only_for_rate_limits),
      cmocka_unit_test(test_headers_of_a_success_are_no_hint),
      cmocka_unit_test(test_what_a_gateway_repeats),
      cmocka_unit_test(test_the_time_that_a_model_takes_to_load),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
