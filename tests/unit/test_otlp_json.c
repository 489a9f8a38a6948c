/* SPDX-License-Identifier: MIT */
#include "telemetry/otlp_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
assert_written(inf_buf *out, const char *expected)
{
  assert_int_equal(out->status, 0);
  assert_string_equal(inf_buf_cstr(out), expected);
  inf_buf_fini(out);
}

/* 64-bit integers are strings: a double has no room for them. */
static void
attributes_have_their_types(void **state)
{
  (void)state;
  inf_buf out;
  inf_buf_init(&out, 1 << 16);
  inf_buf_append_char(&out, '{');
  inf_otlp_attributes_open(&out);
  inf_otlp_put_text(&out, "none", NULL);
  inf_otlp_put_text(&out, "empty", "");
  inf_otlp_put_text(&out, "s", "a\"\n\xff");
  inf_otlp_put_int(&out, "i", INT64_MIN);
  inf_otlp_put_double(&out, "d", 0.25);
  inf_otlp_put_bool(&out, "b", true);
  inf_otlp_array_open(&out, "a");
  inf_otlp_array_string(&out, "x");
  inf_otlp_array_string(&out, "");
  inf_otlp_array_close(&out);
  inf_otlp_attributes_close(&out);
  assert_written(
      &out,
      "{\"attributes\":["
      "{\"key\":\"s\",\"value\":{\"stringValue\":\"a\\\"\\n\xef\xbf\xbd\"}},"
      "{\"key\":\"i\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
      "{\"key\":\"d\",\"value\":{\"doubleValue\":0.25}},"
      "{\"key\":\"b\",\"value\":{\"boolValue\":true}},"
      "{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":["
      "{\"stringValue\":\"x\"},{\"stringValue\":\"\"}]}}}]");
}

static void
ids_are_hexadecimal(void **state)
{
  (void)state;
  static const uint64_t id[2] = {UINT64_C(0xfedcba9876543210), 0xf};
  inf_buf out;
  inf_buf_init(&out, 1 << 16);
  inf_buf_append_char(&out, '{');
  inf_otlp_member_id(&out, "traceId", id, 2);
  inf_otlp_member_id(&out, "spanId", id + 1, 1);
  assert_written(&out, "{\"traceId\":\"fedcba9876543210000000000000000f\","
                       "\"spanId\":\"000000000000000f\"");
}

static void
histograms_have_counts_and_bounds(void **state)
{
  (void)state;
  static const inf_bucket_bounds bounds = {{500000000, 1000000000}, 2, 1e9};
  static const inf_otlp_times times = {1, INT64_MAX};
  inf_buckets buckets = {.sum = 0};
  inf_buf out;
  inf_buf_init(&out, 1 << 16);
  inf_buckets_add(&buckets, &bounds, 500000000);
  inf_buckets_add(&buckets, &bounds, 2000000000);
  inf_otlp_metric_open(&out, "n", "s", "text", INF_OTLP_HISTOGRAM);
  inf_otlp_point_open(&out);
  inf_otlp_point_buckets(&out, &times, &buckets, &bounds);
  inf_otlp_metric_close(&out, INF_OTLP_HISTOGRAM);
  assert_written(
      &out,
      "{\"name\":\"n\",\"description\":\"text\",\"unit\":\"s\",\"histogram\":"
      "{\"dataPoints\":[{\"attributes\":[],\"startTimeUnixNano\":\"1\","
      "\"timeUnixNano\":\"9223372036854775807\",\"count\":\"2\",\"sum\":2.5,"
      "\"bucketCounts\":[\"1\",\"0\",\"1\"],\"explicitBounds\":[0.5,1]}],"
      "\"aggregationTemporality\":2}}");
}

static void
sums_only_grow(void **state)
{
  (void)state;
  static const inf_otlp_times times = {1, 2};
  inf_buf out;
  inf_buf_init(&out, 1 << 16);
  inf_otlp_metric_open(&out, "n", "1", "text", INF_OTLP_SUM);
  inf_otlp_point_open(&out);
  inf_otlp_point_count(&out, &times, UINT64_MAX);
  inf_otlp_point_open(&out);
  inf_otlp_point_double(&out, &times, 0.5);
  inf_otlp_metric_close(&out, INF_OTLP_SUM);
  assert_written(
      &out,
      "{\"name\":\"n\",\"description\":\"text\",\"unit\":\"1\",\"sum\":"
      "{\"dataPoints\":[{\"attributes\":[],\"startTimeUnixNano\":\"1\","
      "\"timeUnixNano\":\"2\",\"asInt\":\"18446744073709551615\"},"
      "{\"attributes\":[],\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"2\","
      "\"asDouble\":0.5}],\"aggregationTemporality\":2,\"isMonotonic\":true}}");
}

/* What closing takes is reserved before. */
static void
closing_takes_little(void **state)
{
  (void)state;
  for (int version = 0; version < INF_SEMCONVS; version++) {
    const inf_otlp_origin origin = {"s", "i",
                                    inf_otlp_names_of((inf_semconv)version)};
    inf_buf out;
    inf_buf_init(&out, 1 << 16);
    inf_otlp_request_close(&out, &origin);
    assert_true(out.len <= INF_OTLP_CLOSE_MAX_BYTES);
    inf_buf_fini(&out);
  }
}

static void
partial_success_is_counted(void **state)
{
  (void)state;
  static const struct {
    const char *body;
    uint64_t count;
  } cases[] = {
      {"", 0},
      {"{}", 0},
      {"<html>", 0},
      {"{\"partialSuccess\":{}}", 0},
      {"{\"partialSuccess\":null}", 0},
      {"{\"partialSuccess\":{\"rejectedSpans\":\"0\",\"errorMessage\":\"x\"}}",
       0},
      {"{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}", 3},
      {" {\"partialSuccess\":{\"rejectedSpans\":3}} ", 3},
      {"{\"partialSuccess\":{\"rejectedDataPoints\":\"12\"}}", 12},
      {"{\"partialSuccess\":{\"rejectedSpans\":\"-3\"}}", 0},
      {"{\"partialSuccess\":{\"rejectedSpans\":{}}}", 0},
      {"{\"partialSuccess\":{\"rejectedSpans\":\"3\"}", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_true(inf_otlp_rejected(inf_sv_from(cases[i].body)) ==
                cases[i].count);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(attributes_have_their_types),
      cmocka_unit_test(ids_are_hexadecimal),
      cmocka_unit_test(histograms_have_counts_and_bounds),
      cmocka_unit_test(sums_only_grow),
      cmocka_unit_test(closing_takes_little),
      cmocka_unit_test(partial_success_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
