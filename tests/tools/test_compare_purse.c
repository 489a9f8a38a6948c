/* SPDX-License-Identifier: MIT */
/* The budget is reserved before it is spent. */

#include "compare_purse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_learns_what_a_call_costs(void **state)
{
  (void)state;
  inf_cmp_purse purse;
  inf_cmp_purse_init(&purse, -1);
  assert_int_equal(inf_cmp_purse_expect(&purse, 0, 400, 100), 0);
  /* 100 tokens in, 50 out: 1 + 100 + 5 * 50 = 351 units for 3510. */
  inf_cmp_purse_settle(&purse, 0, 0, 400, 50, 3510);
  assert_in_range(inf_cmp_purse_expect(&purse, 0, 400, 50), 3510, 3511);
  assert_in_range(inf_cmp_purse_expect(&purse, 0, 400, 100), 6010, 6011);
  /* No limit: twice the longest answer. */
  assert_in_range(inf_cmp_purse_expect(&purse, 0, 400, -1), 6010, 6011);
  assert_int_equal(inf_cmp_purse_expect(&purse, 1, 400, 50), 0);
  /* The dearest counts. */
  inf_cmp_purse_settle(&purse, 0, 0, 400, 50, 7020);
  inf_cmp_purse_settle(&purse, 0, 0, 400, 50, 1);
  assert_in_range(inf_cmp_purse_expect(&purse, 0, 400, 50), 7020, 7021);
  assert_int_equal(purse.spent_nano_usd, 3510 + 7020 + 1);
}

static void
test_calls_under_way_cannot_pass_together(void **state)
{
  (void)state;
  inf_cmp_purse purse;
  inf_cmp_purse_init(&purse, 10000);
  for (int i = 0; i < 3; i++) {
    assert_true(inf_cmp_purse_reserve(&purse, 3000));
  }
  assert_false(inf_cmp_purse_reserve(&purse, 3000));
  assert_true(inf_cmp_purse_reserve(&purse, 1000));
  assert_false(inf_cmp_purse_reserve(&purse, 0)); /* nothing is left */
  /* One cost less than was thought: there is room again. */
  inf_cmp_purse_settle(&purse, 0, 3000, 400, 50, 1000);
  assert_true(inf_cmp_purse_reserve(&purse, 2000));
  assert_int_equal(purse.spent_nano_usd + purse.reserved_nano_usd, 10000);
}

static void
test_unknown_cost_counts_as_reserved(void **state)
{
  (void)state;
  inf_cmp_purse purse;
  inf_cmp_purse_init(&purse, 10000);
  assert_true(inf_cmp_purse_reserve(&purse, 4000));
  inf_cmp_purse_settle(&purse, 0, 4000, 400, 50, -1);
  assert_true(purse.incomplete);
  assert_int_equal(purse.spent_nano_usd, 4000);
  assert_int_equal(purse.reserved_nano_usd, 0);
  assert_false(purse.subjects[0].known);
}

static void
test_failures_teach_nothing(void **state)
{
  (void)state;
  inf_cmp_purse purse;
  inf_cmp_purse_init(&purse, 10000);
  inf_cmp_purse_settle(&purse, 0, 0, 400, -1, 0);
  assert_false(purse.subjects[0].known);
  assert_false(purse.incomplete);
  inf_cmp_purse_init(&purse, 0);
  assert_false(inf_cmp_purse_reserve(&purse, 0)); /* a budget of nothing */
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_learns_what_a_call_costs),
      cmocka_unit_test(test_calls_under_way_cannot_pass_together),
      cmocka_unit_test(test_unknown_cost_counts_as_reserved),
      cmocka_unit_test(test_failures_teach_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
