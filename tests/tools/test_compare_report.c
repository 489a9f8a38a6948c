/* SPDX-License-Identifier: MIT */
/* Reports: their form, and names that would break it. */

#include "compare_axis.h"
#include "compare_made.h"
#include "compare_plot.h"
#include "compare_progress.h"
#include "compare_report.h"
#include "compare_text.h"

#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static inf_buf
report_of(const inf_cmp_data *data,
          void (*write)(const inf_cmp_summary *summary, inf_buf *out))
{
  inf_cmp_summary summary;
  inf_buf out;
  inf_buf_init(&out, INF_CMP_MAX_REPORT);
  assert_true(inf_cmp_summary_init(&summary, data));
  write(&summary, &out);
  assert_int_equal(out.status, INFER_OK);
  inf_cmp_summary_fini(&summary);
  return out;
}

static void
assert_has(const char *text, const char *part)
{
  if (!strstr(text, part)) {
    print_error("no \"%s\" in:\n%s\n", part, text);
    fail();
  }
}

/* ---- Text ---------------------------------------------------------------- */

static size_t text_width;

static void
write_text(const inf_cmp_summary *summary, inf_buf *out)
{
  inf_cmp_report_text(summary, text_width, out);
}

static void
check_widths(const char *one, const char *other, size_t least)
{
  inf_cmp_data data;
  made_run(&data, one, other);
  for (text_width = least; text_width <= 120; text_width += 8) {
    inf_buf out = report_of(&data, write_text);
    const char *text = inf_buf_cstr(&out);
    assert_has(text, "p95");
    while (*text) {
      size_t len = strcspn(text, "\n");
      if (len > text_width) {
        print_error("%zu columns, not %zu: %.*s\n", len, text_width, (int)len,
                    text);
        fail();
      }
      for (size_t i = 0; i < len; i++) {
        assert_in_range(text[i], ' ', '~'); /* no colours */
      }
      text += len + (text[len] == '\n');
    }
    inf_buf_fini(&out);
  }
  inf_cmp_data_fini(&data);
}

/* Down to the longest word, which is not broken. */
static void
test_text_keeps_its_width(void **state)
{
  (void)state;
  check_widths("a/x", "b/x", 26);
  check_widths("a/x", "b/quite-a-long-name-of-a-model-2026", 40);
}

/* Figures stay beside the names, however wide the terminal is. */
static void
test_text_on_a_wide_terminal(void **state)
{
  (void)state;
  inf_cmp_data data;
  made_run(&data, "a/x", "b/x");
  text_width = 80;
  inf_buf narrow = report_of(&data, write_text);
  text_width = 200;
  inf_buf wide = report_of(&data, write_text);
  const char *heads = strstr(inf_buf_cstr(&narrow), "First token, ms ");
  assert_non_null(heads);
  char line[128];
  snprintf(line, sizeof(line), "\n%.*s\n", (int)strcspn(heads, "\n"), heads);
  assert_has(inf_buf_cstr(&wide), line);
  inf_buf_fini(&narrow);
  inf_buf_fini(&wide);
  inf_cmp_data_fini(&data);
}

/* Answers without a count of tokens have no tokens a second. */
static void
test_steps_without_tokens(void **state)
{
  (void)state;
  inf_cmp_data data;
  made_run(&data, "a/x", "b/x");
  data.steps[0].output_tokens = 0;
  text_width = 80;
  inf_buf out = report_of(&data, write_text);
  const char *row = strstr(inf_buf_cstr(&out), "  4 at a time");
  assert_non_null(row);
  size_t len = strcspn(row, "\n");
  if (!memmem(row, len, " ?  ", 4)) {
    print_error("%.*s\n", (int)len, row);
    fail();
  }
  inf_buf_fini(&out);
  out = report_of(&data, inf_cmp_report_json);
  assert_has(inf_buf_cstr(&out), "\"output_tokens\":0,\"tokens_per_s\":null");
  inf_buf_fini(&out);
  data.steps[0].ok = 0;
  out = report_of(&data, inf_cmp_report_json);
  assert_has(inf_buf_cstr(&out), "\"output_tokens\":0,\"tokens_per_s\":0");
  inf_buf_fini(&out);
  inf_cmp_data_fini(&data);
}

static void
test_text_says_it(void **state)
{
  (void)state;
  inf_cmp_data data;
  made_run(&data, "a/x", MADE_EVIL_NAME);
  text_width = 500;
  inf_buf out = report_of(&data, write_text);
  const char *text = inf_buf_cstr(&out);
  assert_has(text, "Left out: 2 warm-up requests of each.");
  assert_has(text, "Time to first token, p50: a/x, by ");
  assert_has(text, "Share of failures: no winner, the difference is within");
  assert_has(text, "4 failed, 4.0 % [1.6, 9.8]: 4 INFER_E_RATE_LIMITED");
  assert_has(text, "pushes back");
  assert_has(text, "ev<il>/\\\"&'\\n\\u001b[31m\\\\x: 100 calls");
  assert_null(strchr(text, '\033'));
  inf_buf_fini(&out);
  inf_cmp_data_fini(&data);
}

static void
test_nothing_measured(void **state)
{
  (void)state;
  inf_cmp_data data;
  made_begin(&data, "a/x", "b/x");
  made_add(&data, made_failure(0, 0, INFER_E_CONNECT));
  text_width = 80;
  inf_buf out = report_of(&data, write_text);
  assert_has(inf_buf_cstr(&out), "1 INFER_E_CONNECT");
  assert_has(inf_buf_cstr(&out), "b/x: no answers.");
  inf_buf_fini(&out);
  out = report_of(&data, inf_cmp_report_html);
  assert_has(inf_buf_cstr(&out), "No call had an answer.");
  inf_buf_fini(&out);
  inf_cmp_data_fini(&data);
}

static void
test_numbers(void **state)
{
  (void)state;
  char text[INF_CMP_FIGURE];
  assert_string_equal(inf_cmp_number(text, 1234.5), "1234");
  assert_string_equal(inf_cmp_number(text, 99.96), "100");
  assert_string_equal(inf_cmp_number(text, 12.34), "12.3");
  assert_string_equal(inf_cmp_number(text, 0.123), "0.12");
  assert_string_equal(inf_cmp_number(text, INFINITY), "none");
  assert_string_equal(inf_cmp_number(text, NAN), "?");
  inf_cmp_interval range = {10, 9, NAN};
  assert_string_equal(inf_cmp_range(text, &range), "10.0 [9.00, ?]");
  range.low = NAN;
  assert_string_equal(inf_cmp_range(text, &range), "10.0");
  range = (inf_cmp_interval){INFINITY, 9, INFINITY};
  assert_string_equal(inf_cmp_range(text, &range), "none [9.00, none]");
  assert_string_equal(inf_cmp_dollars(text, 0.0123), "$0.0123");
  assert_string_equal(inf_cmp_dollars(text, NAN), "?");
  assert_string_equal(inf_cmp_clean(text, 9, "ab\n\xff\xc3\xa4"),
                      "ab\\n\xef\xbf\xbd");
  assert_int_equal(inf_cmp_columns("a\xc3\xa4\xe2\x82\xac"), 3);
}

/* ---- JSON ---------------------------------------------------------------- */

static void
test_json_is_read_back(void **state)
{
  (void)state;
  inf_cmp_data data;
  made_run(&data, "a/x", MADE_EVIL_NAME);
  inf_buf out = report_of(&data, inf_cmp_report_json);
  json_object *report = json_tokener_parse(inf_buf_cstr(&out));
  assert_non_null(report);
  assert_int_equal(
      json_object_get_int(json_object_object_get(report, "version")), 1);
  json_object *targets = json_object_object_get(report, "targets");
  assert_int_equal(json_object_array_length(targets), 2);
  json_object *evil = json_object_array_get_idx(targets, 1);
  assert_string_equal(
      json_object_get_string(json_object_object_get(evil, "target")),
      MADE_EVIL_NAME);
  json_object *samples = json_object_object_get(evil, "samples");
  assert_int_equal(json_object_array_length(samples), 100);
  json_object *sample = json_object_array_get_idx(samples, 0);
  assert_string_equal(
      json_object_get_string(json_object_object_get(sample, "status")),
      "INFER_OK");
  assert_int_equal(
      json_object_get_int(json_object_object_get(sample, "output_tokens")), 51);
  assert_float_equal(
      json_object_get_double(json_object_object_get(sample, "ttft_ms")), 200,
      0);
  sample = json_object_array_get_idx(samples, 7);
  assert_string_equal(
      json_object_get_string(json_object_object_get(sample, "status")),
      "INFER_E_RATE_LIMITED");
  assert_true(json_object_object_get_ex(sample, "ttft_ms", NULL));
  assert_null(json_object_object_get(sample, "ttft_ms"));
  json_object *winners = json_object_object_get(report, "winners");
  assert_string_equal(
      json_object_get_string(json_object_object_get(winners, "ttft_p50")),
      "a/x");
  assert_null(json_object_object_get(winners, "failures"));
  json_object_put(report);
  inf_buf_fini(&out);
  inf_cmp_data_fini(&data);
}

/* ---- HTML ---------------------------------------------------------------- */

static size_t
count(const char *text, const char *part)
{
  size_t found = 0;
  for (text = strstr(text, part); text; text = strstr(text + 1, part)) {
    found++;
  }
  return found;
}

static void
test_html(void **state)
{
  (void)state;
  inf_cmp_data data;
  made_run(&data, "a/x", MADE_EVIL_NAME);
  inf_buf out = report_of(&data, inf_cmp_report_html);
  const char *page = inf_buf_cstr(&out);
  assert_has(page, "<!doctype html>");
  assert_has(page, "ev&lt;il&gt;/\\&quot;&amp;&#39;\\n\\u001b[31m");
  assert_null(strstr(page, "ev<il>"));
  assert_null(strchr(page, '\033'));
  assert_null(strstr(page, "<script"));
  assert_null(strstr(page, "http"));
  assert_int_equal(count(page, "<figure "), 5);
  assert_int_equal(count(page, "role=\"img\""), 5);
  assert_int_equal(count(page, "<svg"), count(page, "</svg>"));
  assert_int_equal(count(page, "<table"), count(page, "</table>"));
  assert_null(strstr(page, "nan"));
  assert_null(strstr(page, "inf "));
  inf_buf_fini(&out);
  inf_cmp_data_fini(&data);
}

static void
test_axes(void **state)
{
  (void)state;
  inf_cmp_axis axis;
  for (double high = 1e-5; high < 1e9; high *= 1.7) {
    inf_cmp_axis_linear(&axis, high, 0, 100);
    assert_true(axis.high >= high * 0.999999);
    assert_true(axis.high <= high * 2.01);
    assert_in_range(axis.tick_count, 3, 8);
    inf_cmp_axis_log(&axis, high / 50, high, 0, 100);
    assert_true(axis.low <= high / 50 * 1.001 && axis.high >= high * 0.999);
    assert_in_range(axis.tick_count, 2, 9);
    double middle = inf_cmp_axis_place(&axis, high / 7);
    assert_true(middle > 0 && middle < 100);
  }
  inf_cmp_axis_log(&axis, 5, 5, 0, 100); /* one value alone */
  assert_true(axis.high > axis.low);
  inf_cmp_axis_log(&axis, 1, 1e8, 0, 100);
  assert_in_range(axis.tick_count, 4, 8);
  inf_cmp_axis_doubling(&axis, 16, 10, 40);
  assert_int_equal(axis.tick_count, 5);
  assert_float_equal(inf_cmp_axis_place(&axis, 1), 10, 1e-9);
  assert_float_equal(inf_cmp_axis_place(&axis, 4), 30, 1e-9);
  assert_float_equal(inf_cmp_axis_place(&axis, 1e9), 50, 1e-9);
  assert_float_equal(inf_cmp_axis_place(&axis, INFINITY), 50, 1e-9);
  inf_cmp_axis_linear(&axis, NAN, 0, 1);
  assert_float_equal(axis.high, 1, 0);
}

/* ---- Progress ------------------------------------------------------------ */

static void
test_progress_line(void **state)
{
  (void)state;
  inf_cmp_data data;
  char line[512];
  made_run(&data, "a/x", MADE_EVIL_NAME);
  const inf_cmp_level level = {4, 25, 4, 4};
  size_t len = inf_cmp_progress_line(&data, 1, &level, 2, 3, 1234500000, 61500,
                                     line, sizeof(line), 200);
  assert_string_equal(line, "1:01 | at 4 | round 3/25 | $1.2345 | 3 under way "
                            "| ev<il>/\\\"&'\\n\\u001b[31m\\\\x: 96 ok, 4 "
                            "failed");
  assert_int_equal(len, strlen(line));
  for (size_t width = 20; width < 90; width++) {
    len = inf_cmp_progress_line(&data, 0, &level, 2, 3, 0, 61500, line,
                                sizeof(line), width);
    assert_true(len <= width);
  }
  inf_cmp_data_fini(&data);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_keeps_its_width),
      cmocka_unit_test(test_text_on_a_wide_terminal),
      cmocka_unit_test(test_steps_without_tokens),
      cmocka_unit_test(test_text_says_it),
      cmocka_unit_test(test_nothing_measured),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_json_is_read_back),
      cmocka_unit_test(test_html),
      cmocka_unit_test(test_axes),
      cmocka_unit_test(test_progress_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
