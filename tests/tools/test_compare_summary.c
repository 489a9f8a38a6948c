/* SPDX-License-Identifier: MIT */
/* Figures and verdicts, of made measurements. */

#include "compare_made.h"
#include "compare_summary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
test_figures(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_run(&data, "a/x", "b/x");
  assert_true(inf_cmp_summary_init(&summary, &data));
  const inf_cmp_figures *one = &summary.figures[0];
  assert_int_equal(one->calls, 100);
  assert_int_equal(one->answered, 100);
  assert_float_equal(one->ttft_ms[INF_CMP_P50].value, 149, 0);
  assert_float_equal(one->total_ms[INF_CMP_P95].value, 2 * 194, 0);
  assert_float_equal(one->usd_per_1000_calls.value, 0.015, 1e-9);
  /* 15 microdollars for 151 tokens. */
  assert_float_equal(one->usd_per_million_tokens * 151, 15, 1e-4);
  assert_float_equal(one->throughput, 5100 * 4 / 30.0, 0.01);
  assert_float_equal(one->answer_tokens.value, 51, 0);
  const inf_cmp_figures *other = &summary.figures[1];
  assert_int_equal(other->answered, 96);
  assert_int_equal(other->refused, 4);
  assert_float_equal(other->failures.value, 0.04, 1e-9);
  assert_int_equal(other->class_count, 1);
  assert_int_equal(other->classes[0].status, INFER_E_RATE_LIMITED);
  assert_int_equal(other->classes[0].count, 4);
  /* Four of a hundred have no answer: so the p95 is that of all, not of those
   * that came; there is no p99. */
  assert_true(other->ttft_ms[INF_CMP_P95].value >= 2 * 196);
  assert_true(isinf(other->ttft_ms[INF_CMP_P99].value));
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

static void
test_winner(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_run(&data, "a/x", "b/x");
  assert_true(inf_cmp_summary_init(&summary, &data));
  const inf_cmp_verdict *verdict = &summary.verdicts[INF_CMP_BY_TTFT_P50];
  assert_true(verdict->won);
  assert_int_equal(verdict->best, 0);
  assert_int_equal(verdict->second, 1);
  assert_true(verdict->difference.high < -100);
  assert_true(summary.verdicts[INF_CMP_BY_COST].won);
  /* Four failures against none come about by chance once in eight times. */
  assert_int_equal(summary.verdicts[INF_CMP_BY_FAILURES].best, 0);
  assert_false(summary.verdicts[INF_CMP_BY_FAILURES].won);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

/* Two that differ by less than their noise. */
static void
test_no_winner_within_the_noise(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 100; i++) {
    made_add(&data, made_answer(0, i, 100 + (i * 37) % 100, 300));
    made_add(&data, made_answer(1, i, 103 + (i * 53) % 100, 300));
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  for (int by = 0; by <= INF_CMP_BY_TOTAL_P95; by++) {
    assert_true(summary.verdicts[by].comparable);
    assert_false(summary.verdicts[by].won);
  }
  assert_false(summary.verdicts[INF_CMP_BY_FAILURES].won);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

/* Random halves of one distribution: whoever leads, no winner may be named
 * more often than the promised one time in twenty, by much. */
static void
test_false_winners_are_rare(void **state)
{
  (void)state;
  inf_rng rng;
  inf_rng_seed(&rng, 9);
  size_t named = 0;
  for (int run = 0; run < 60; run++) {
    inf_cmp_data data;
    inf_cmp_summary summary;
    made_begin(&data, "a/x", "b/x");
    for (uint32_t i = 0; i < 80; i++) {
      for (size_t k = 0; k < 2; k++) {
        double ms = -100 * log(1 - inf_rng_double(&rng));
        made_add(&data, made_answer(k, i, ms, ms + 1));
      }
    }
    assert_true(inf_cmp_summary_init(&summary, &data));
    named += summary.verdicts[INF_CMP_BY_TTFT_P50].won;
    inf_cmp_summary_fini(&summary);
    inf_cmp_data_fini(&data);
  }
  assert_in_range(named, 0, 8); /* 3 expected, sigma 1.7 */
}

static void
test_many_failures_lose(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 50; i++) {
    made_add(&data, made_answer(0, i, 100, 300));
    made_add(&data, i % 7 == 0 ? made_failure(1, i, INFER_E_SERVER)
                               : made_answer(1, i, 100, 300));
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_true(summary.verdicts[INF_CMP_BY_FAILURES].won); /* 8 to 0 */
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

static void
test_few_requests_name_nobody_at_p95(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 20; i++) {
    made_add(&data, made_answer(0, i, 100 + i, 300));
    made_add(&data, made_answer(1, i, 200 + i, 600));
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_true(summary.verdicts[INF_CMP_BY_TTFT_P50].won);
  assert_false(summary.verdicts[INF_CMP_BY_TTFT_P95].won);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

/* Interrupted: calls under way are neither failures nor short answers. */
static void
test_stopped_calls(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 10; i++) {
    made_add(&data, made_answer(0, i, 100 + i, 300));
  }
  inf_cmp_sample stopped = made_failure(0, 10, INFER_E_CANCELLED);
  stopped.stopped = true;
  stopped.total_ms = 5;
  stopped.cost_nano_usd = -1;
  made_add(&data, stopped);
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_int_equal(summary.figures[0].calls, 10);
  assert_int_equal(summary.figures[0].stopped, 1);
  assert_float_equal(summary.figures[0].failures.value, 0, 0);
  /* Given up after 5 ms it says nothing of the rest. */
  assert_float_equal(summary.figures[0].ttft_ms[INF_CMP_P50].value, 104, 0);
  assert_false(summary.verdicts[INF_CMP_BY_TTFT_P50].comparable);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

static void
test_unknown_prices(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 10; i++) {
    inf_cmp_sample sample = made_answer(0, i, 100, 300);
    sample.cost_nano_usd = -1;
    made_add(&data, sample);
    made_add(&data, made_answer(1, i, 100, 300));
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_int_equal(summary.figures[0].priced, 0);
  assert_true(isnan(summary.figures[0].usd_per_1000_calls.value));
  assert_true(isnan(summary.figures[0].usd_per_million_tokens));
  assert_false(summary.verdicts[INF_CMP_BY_COST].comparable);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

/* What a busy machine takes between the threads is no rate limit. */
static void
test_waits(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "b/x");
  static const double waits[] = {0, 12, 19, 21, 400};
  for (uint32_t i = 0; i < 5; i++) {
    inf_cmp_sample sample = made_answer(0, i, 500, 600);
    sample.limiter_ms = waits[i];
    made_add(&data, sample);
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_int_equal(summary.figures[0].waited, 2);
  assert_float_equal(summary.figures[0].longest_wait_ms, 400, 0);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

/* What fails costs nothing, and is not the cheaper one for that. */
static void
test_failures_are_not_cheap(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "dead/x");
  for (uint32_t i = 0; i < 40; i++) {
    made_add(&data, made_answer(0, i, 100, 300));
    made_add(&data, made_failure(1, i, INFER_E_CONNECT));
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_int_equal(summary.figures[1].priced, 40);
  assert_true(isnan(summary.figures[1].usd_per_1000_calls.value));
  assert_false(summary.verdicts[INF_CMP_BY_COST].comparable);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);

  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 40; i++) {
    inf_cmp_sample other = made_answer(1, i, 100, 300);
    other.cost_nano_usd = 15000;
    made_add(&data, made_answer(0, i, 100, 300)); /* costs the same */
    made_add(&data, i % 2 ? made_failure(1, i, INFER_E_SERVER) : other);
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_true(summary.verdicts[INF_CMP_BY_COST].comparable);
  assert_false(summary.verdicts[INF_CMP_BY_COST].won);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

/* Nor does it give a price to answers that have none. */
static void
test_failures_are_no_price(void **state)
{
  (void)state;
  inf_cmp_data data;
  inf_cmp_summary summary;
  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 40; i++) {
    inf_cmp_sample sample = made_answer(0, i, 100, 300);
    sample.cost_nano_usd = -1;
    made_add(&data, i % 10 ? sample : made_failure(0, i, INFER_E_SERVER));
    made_add(&data, made_answer(1, i, 100, 300));
  }
  assert_true(inf_cmp_summary_init(&summary, &data));
  assert_true(isnan(summary.figures[0].usd_per_1000_calls.value));
  assert_false(summary.verdicts[INF_CMP_BY_COST].comparable);
  inf_cmp_summary_fini(&summary);
  inf_cmp_data_fini(&data);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_figures),
      cmocka_unit_test(test_winner),
      cmocka_unit_test(test_no_winner_within_the_noise),
      cmocka_unit_test(test_false_winners_are_rare),
      cmocka_unit_test(test_many_failures_lose),
      cmocka_unit_test(test_few_requests_name_nobody_at_p95),
      cmocka_unit_test(test_stopped_calls),
      cmocka_unit_test(test_unknown_prices),
      cmocka_unit_test(test_waits),
      cmocka_unit_test(test_failures_are_not_cheap),
      cmocka_unit_test(test_failures_are_no_price),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
