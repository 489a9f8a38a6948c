/* SPDX-License-Identifier: MIT */
/* How a call counts. */

#include "compare_made.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

typedef struct count_case {
  int32_t status;
  double ttft_ms;
  bool stopped;
  int ttft_kind, total_kind;
  bool refused;
} count_case;

static const count_case cases[] = {
    {INFER_OK, 10, false, INF_CMP_SEEN, INF_CMP_SEEN, false},
    {INFER_E_CONNECT, -1, false, INF_CMP_NEVER, INF_CMP_NEVER, false},
    {INFER_E_RATE_LIMITED, -1, false, INF_CMP_NEVER, INF_CMP_NEVER, true},
    {INFER_E_OVERLOADED, -1, false, INF_CMP_NEVER, INF_CMP_NEVER, true},
    {INFER_E_SERVER, -1, false, INF_CMP_NEVER, INF_CMP_NEVER, false},
    /* Given up: it would have taken longer. */
    {INFER_E_DEADLINE, -1, false, INF_CMP_BEYOND, INF_CMP_BEYOND, false},
    {INFER_E_FIRST_TOKEN_TIMEOUT, -1, false, INF_CMP_BEYOND, INF_CMP_BEYOND,
     false},
    /* It had begun. */
    {INFER_E_TRUNCATED, 10, false, INF_CMP_SEEN, INF_CMP_NEVER, false},
    {INFER_E_IDLE_TIMEOUT, 10, false, INF_CMP_SEEN, INF_CMP_BEYOND, false},
    /* Ctrl-C, and a provider's own cancelling. */
    {INFER_E_CANCELLED, -1, true, INF_CMP_BEYOND, INF_CMP_BEYOND, false},
    {INFER_E_CANCELLED, 10, true, INF_CMP_SEEN, INF_CMP_BEYOND, false},
    {INFER_E_CANCELLED, -1, false, INF_CMP_NEVER, INF_CMP_NEVER, false},
};

static void
test_kinds(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const count_case *wanted = &cases[i];
    inf_cmp_sample sample = made_answer(0, 0, wanted->ttft_ms, 50);
    sample.status = wanted->status;
    sample.stopped = wanted->stopped;
    inf_cmp_time first = inf_cmp_sample_ttft(&sample);
    inf_cmp_time total = inf_cmp_sample_total(&sample);
    if (first.kind != wanted->ttft_kind || total.kind != wanted->total_kind ||
        inf_cmp_sample_refused(&sample) != wanted->refused) {
      print_error("case %zu: %d %d\n", i, first.kind, total.kind);
      fail();
    }
    assert_float_equal(total.ms, 50, 0);
    assert_float_equal(first.ms, wanted->ttft_ms > 0 ? 10 : 50, 0);
  }
}

static void
test_speed(void **state)
{
  (void)state;
  inf_cmp_sample sample = made_answer(0, 0, 100, 600); /* 51 tokens */
  assert_float_equal(inf_cmp_sample_speed(&sample), 100, 1e-6);
  sample.output_tokens = 1; /* came at once, whole */
  assert_float_equal(inf_cmp_sample_speed(&sample), -1, 0);
  sample = made_answer(0, 0, 100, 100);
  assert_float_equal(inf_cmp_sample_speed(&sample), -1, 0);
  sample = made_answer(0, 0, 100, 600);
  sample.status = INFER_E_TRUNCATED;
  assert_float_equal(inf_cmp_sample_speed(&sample), -1, 0);
}

static void
test_keeps_all(void **state)
{
  (void)state;
  inf_cmp_data data;
  made_begin(&data, "a/x", "b/x");
  for (uint32_t i = 0; i < 1000; i++) {
    made_add(&data, made_answer(0, i, 1, 2));
  }
  assert_int_equal(data.sample_count, 1000);
  assert_int_equal(data.samples[999].pair, 999);
  for (size_t i = 2; i < INF_CMP_MAX_SUBJECTS; i++) {
    assert_true(inf_cmp_data_subject(&data, "more", true, false));
  }
  assert_false(inf_cmp_data_subject(&data, "too many", true, false));
  inf_cmp_data_fini(&data);
  assert_int_equal(data.budget_nano_usd, -1);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds),
      cmocka_unit_test(test_speed),
      cmocka_unit_test(test_keeps_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
