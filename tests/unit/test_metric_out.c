/* SPDX-License-Identifier: MIT */
/* One metric in two formats. */
#include "telemetry/metric_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const inf_metric_about sum = {"x_total", "l.x", "{call}", "Help.", true};
static const inf_metric_about gauge = {"y", "l.y", "s", "Help.", false};
static const inf_otlp_times times = {1, 2};

static void
put_all(inf_metric_out *at)
{
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "route", "r\"\n");
  inf_labels_add(&labels, "cause", "");
  inf_metric_begin(at, &sum);
  inf_metric_uint(at, &labels, UINT64_MAX);
  inf_metric_end(at);
  inf_metric_begin(at, &gauge);
  inf_metric_double(at, &labels, 0.5);
  inf_metric_nano(at, &labels, 1234567890123456789u);
  inf_metric_end(at);
}

static void
as_text(void **state)
{
  (void)state;
  inf_buf out;
  inf_buf_init(&out, 4096);
  inf_metric_out at = {.out = &out};
  put_all(&at);
  assert_string_equal(inf_buf_cstr(&out),
                      "# HELP x_total Help.\n# TYPE x_total counter\n"
                      "x_total{route=\"r\\\"\\n\"} 18446744073709551615\n"
                      "# HELP y Help.\n# TYPE y gauge\n"
                      "y{route=\"r\\\"\\n\"} 0.5\n"
                      "y{route=\"r\\\"\\n\"} 1234567890.123456789\n");
  inf_buf_fini(&out);
}

#define ATTRIBUTES                                \
  "{\"attributes\":[{\"key\":\"libinfer.route\"," \
  "\"value\":{\"stringValue\":\"r\\\"\\n\"}}],"
#define TIMES "\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"2\","

static void
for_a_collector(void **state)
{
  (void)state;
  inf_buf out;
  inf_buf_init(&out, 4096);
  inf_metric_out at = {.out = &out, .times = &times};
  inf_buf_append_char(&out, '[');
  put_all(&at);
  assert_string_equal(
      inf_buf_cstr(&out),
      "[{\"name\":\"l.x\",\"description\":\"Help.\",\"unit\":\"{call}\","
      "\"sum\":{\"dataPoints\":[" ATTRIBUTES TIMES
      "\"asInt\":\"18446744073709551615\"}],\"aggregationTemporality\":2,"
      "\"isMonotonic\":true}},"
      "{\"name\":\"l.y\",\"description\":\"Help.\",\"unit\":\"s\","
      "\"gauge\":{\"dataPoints\":[" ATTRIBUTES TIMES
      "\"asDouble\":0.5}," ATTRIBUTES TIMES
      "\"asDouble\":1234567890.1234567}]}}");
  inf_buf_fini(&out);
}

/* A collector may refuse a metric without points; Prometheus takes it. */
static void
nothing_is_left_out(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    inf_buf out;
    inf_buf_init(&out, 4096);
    inf_metric_out at = {.out = &out, .times = i ? &times : NULL};
    inf_metric_begin(&at, &gauge);
    inf_metric_end(&at);
    assert_string_equal(inf_buf_cstr(&out),
                        i ? "" : "# HELP y Help.\n# TYPE y gauge\n");
    inf_buf_fini(&out);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(as_text),
      cmocka_unit_test(for_a_collector),
      cmocka_unit_test(nothing_is_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
