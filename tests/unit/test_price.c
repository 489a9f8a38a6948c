/* SPDX-License-Identifier: MIT */
#include "policy/price.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define UNKNOWN INF_PRICE_UNKNOWN

/* Parts are as the whole. */
static inf_price
price_of(int64_t input, int64_t output)
{
  inf_price price = INF_PRICE_NONE;
  price.input = input;
  price.output = output;
  return price;
}

static void
prices_are_exact(void **state)
{
  (void)state;
  /* $0.15 and $0.60 per million tokens. */
  const inf_price mini = price_of(150000, 600000);
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
  const inf_price none = INF_PRICE_NONE, half = price_of(150, UNKNOWN);
  const inf_price other = price_of(UNKNOWN, 0), free_of_charge = price_of(0, 0);
  assert_false(inf_price_is_known(&none));
  assert_false(inf_price_is_known(&half));
  assert_false(inf_price_is_known(&other));
  assert_true(inf_price_is_known(&free_of_charge));
  assert_true(inf_price_pico_usd(&half, 0, 0) == INT64_MAX);
  assert_int_equal(inf_price_pico_usd(&free_of_charge, 1000, 1000), 0);
}

static void
the_nearer_price_has_its_parts(void **state)
{
  (void)state;
  const inf_price other = {1, 2, 3, 4, 5, 6, 7};
  inf_price price = INF_PRICE_NONE;
  inf_price_complete(&price, &other);
  assert_memory_equal(&price, &other, sizeof price);
  const inf_price input = {10, 2, UNKNOWN, UNKNOWN, 5, UNKNOWN, 7};
  price = (inf_price)INF_PRICE_NONE;
  price.input = 10;
  inf_price_complete(&price, &other);
  assert_memory_equal(&price, &input, sizeof price);
  const inf_price output = {1, 0, 3, 4, UNKNOWN, 6, UNKNOWN};
  price = (inf_price)INF_PRICE_NONE;
  price.output = 0;
  inf_price_complete(&price, &other);
  assert_memory_equal(&price, &output, sizeof price);
  /* A part alone leaves the others as they are elsewhere. */
  const inf_price part = {1, 2, 30, 4, 50, 6, 7};
  price = (inf_price)INF_PRICE_NONE;
  price.cache_read = 30;
  price.reasoning = 50;
  inf_price_complete(&price, &other);
  assert_memory_equal(&price, &part, sizeof price);
}

static void
nothing_overflows(void **state)
{
  (void)state;
  const inf_price most = price_of(INF_PRICE_MAX, INF_PRICE_MAX);
  assert_true(inf_price_pico_usd(&most, UINT64_MAX, UINT64_MAX) ==
              INT64_MAX - 1);
}

static void
all_parts_are_multiplied(void **state)
{
  (void)state;
  const inf_price price = {1, 2, 3, 4, 5, 0, INF_PRICE_UNKNOWN};
  inf_price got = inf_price_times(&price, 12);
  const inf_price expected = {12, 24, 36, 48, 60, 0, INF_PRICE_UNKNOWN};
  assert_memory_equal(&got, &expected, sizeof got);
  got = inf_price_times(&price, 1);
  assert_memory_equal(&got, &price, sizeof got);
  const inf_price huge = {INT64_MAX / 2, INT64_MAX / 2 + 1, 0, 0, 0, 0, 0};
  got = inf_price_times(&huge, 2);
  assert_true(got.input == INT64_MAX - 1 && got.output == INT64_MAX);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prices_are_exact),
      cmocka_unit_test(half_a_price_is_none),
      cmocka_unit_test(the_nearer_price_has_its_parts),
      cmocka_unit_test(nothing_overflows),
      cmocka_unit_test(all_parts_are_multiplied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
