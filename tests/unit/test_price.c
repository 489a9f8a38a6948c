/* SPDX-License-Identifier: MIT */
#include "policy/price.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define UNKNOWN INF_PRICE_UNKNOWN

static void
prices_are_exact(void **state)
{
  (void)state;
  /* $0.15 and $0.60 per million tokens. */
  const inf_price mini = {150000, 600000};
  assert_int_equal(inf_price_pico_usd(&mini, 1000, 200),
                   270000000); /* $0.00027 */
  assert_int_equal(inf_price_pico_usd(&mini, 0, 0), 0);
  assert_int_equal(inf_price_pico_usd(&mini, 1000000, 0),
                   150000000000); /* $0.15 */
}

static void
half_a_price_is_none(void **state)
{
  (void)state;
  const inf_price none = {UNKNOWN, UNKNOWN}, half = {150, UNKNOWN};
  const inf_price other = {UNKNOWN, 0}, free_of_charge = {0, 0};
  assert_false(inf_price_is_known(&none));
  assert_false(inf_price_is_known(&half));
  assert_false(inf_price_is_known(&other));
  assert_true(inf_price_is_known(&free_of_charge));
  assert_true(inf_price_pico_usd(&half, 0, 0) == INT64_MAX);
  assert_int_equal(inf_price_pico_usd(&free_of_charge, 1000, 1000), 0);
}

static void
nothing_overflows(void **state)
{
  (void)state;
  const inf_price most = {INF_PRICE_MAX, INF_PRICE_MAX};
  assert_true(inf_price_pico_usd(&most, UINT64_MAX, UINT64_MAX) ==
              INT64_MAX - 1);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prices_are_exact),
      cmocka_unit_test(half_a_price_is_none),
      cmocka_unit_test(nothing_overflows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
