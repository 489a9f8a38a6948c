/* SPDX-License-Identifier: MIT */
#include "telemetry/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static inf_buf out;

static int
begin(void **state)
{
  (void)state;
  inf_buf_init(&out, 1 << 20);
  return 0;
}

static int
end(void **state)
{
  (void)state;
  inf_buf_fini(&out);
  return 0;
}

static void
a_family_is_announced(void **state)
{
  (void)state;
  inf_family_begin(&out, "x_total", "counter", "What it counts.");
  assert_string_equal(inf_buf_cstr(&out), "# HELP x_total What it counts.\n"
                                          "# TYPE x_total counter\n");
}

static void
samples_have_labels(void **state)
{
  (void)state;
  inf_labels labels = {.count = 0};
  inf_sample_uint(&out, "a", &labels, UINT64_MAX);
  inf_labels_add(&labels, "one", "1");
  inf_labels_add(&labels, "none", "");
  inf_labels more = inf_labels_with(&labels, "two", "2");
  inf_sample_uint(&out, "b", &labels, 0);
  inf_sample_double(&out, "c", &more, 0.25);
  inf_sample_nano(&out, "d", &more, 12000000034);
  assert_string_equal(inf_buf_cstr(&out),
                      "a 18446744073709551615\n"
                      "b{one=\"1\"} 0\n"
                      "c{one=\"1\",two=\"2\"} 0.25\n"
                      "d{one=\"1\",two=\"2\"} 12.000000034\n");
}

/* What would end a label, a line or the reader's patience. */
static void
labels_are_escaped(void **state)
{
  (void)state;
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "l", "a\"b\\c\nd\xff{e}\xc3\xa4");
  inf_sample_uint(&out, "x", &labels, 1);
  assert_string_equal(inf_buf_cstr(&out),
                      "x{l=\"a\\\"b\\\\c\\nd\xef\xbf\xbd{e}\xc3\xa4\"} 1\n");
}

static void
more_labels_than_fit_are_left_out(void **state)
{
  (void)state;
  inf_labels labels = {.count = 0};
  for (size_t i = 0; i < INF_LABELS_MAX + 3; i++)
    inf_labels_add(&labels, "l", "v");
  assert_int_equal(labels.count, INF_LABELS_MAX);
}

static void
buckets_are_cumulative(void **state)
{
  (void)state;
  static const inf_bucket_bounds bounds = {
      .upper = {5000000, 1000000000}, .count = 2, .unit = 1e9};
  static const inf_bucket_bounds tokens = {
      .upper = {1, 67108864}, .count = 2, .unit = 1};
  inf_buckets buckets = {{0}, 0};
  inf_labels labels = {.count = 0};
  inf_labels_add(&labels, "r", "x");
  inf_buckets_add(&buckets, &bounds, 1000000);
  inf_buckets_add(&buckets, &bounds, 2000000);
  inf_buckets_add(&buckets, &bounds, 6000000);
  inf_buckets_add(&buckets, &bounds, 2000000000);
  inf_sample_buckets(&out, "h", &labels, &buckets, &bounds);
  assert_string_equal(inf_buf_cstr(&out), "h_bucket{r=\"x\",le=\"0.005\"} 2\n"
                                          "h_bucket{r=\"x\",le=\"1\"} 3\n"
                                          "h_bucket{r=\"x\",le=\"+Inf\"} 4\n"
                                          "h_sum{r=\"x\"} 2.009000000\n"
                                          "h_count{r=\"x\"} 4\n");
  inf_buf_clear(&out);
  buckets = (inf_buckets){{0}, 0};
  inf_buckets_add(&buckets, &tokens, 1000);
  labels.count = 0;
  inf_sample_buckets(&out, "t", &labels, &buckets, &tokens);
  assert_string_equal(inf_buf_cstr(&out), "t_bucket{le=\"1\"} 0\n"
                                          "t_bucket{le=\"67108864\"} 1\n"
                                          "t_bucket{le=\"+Inf\"} 1\n"
                                          "t_sum 1000\n"
                                          "t_count 1\n");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_family_is_announced, begin, end),
      cmocka_unit_test_setup_teardown(samples_have_labels, begin, end),
      cmocka_unit_test_setup_teardown(labels_are_escaped, begin, end),
      cmocka_unit_test_setup_teardown(more_labels_than_fit_are_left_out, begin,
                                      end),
      cmocka_unit_test_setup_teardown(buckets_are_cumulative, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
