/* SPDX-License-Identifier: MIT */
#include "policy/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define UNKNOWN     INF_PRICE_UNKNOWN

#define TOKENS(...) ((inf_cost_tokens){__VA_ARGS__})

static void
costs(const inf_price *price, inf_cost_tokens tokens, int64_t nano_usd)
{
  inf_cost cost = inf_cost_of(price, &tokens, false);
  assert_true(cost.nano_usd == nano_usd);
  assert_int_equal(cost.kind,
                   nano_usd < 0 ? INFER_COST_UNKNOWN : INFER_COST_EXACT);
}

/* $2.50 and $10 per million; read from a cache at half, written at 1.25. */
static const inf_price large = {
    .input = 2500000,
    .output = 10000000,
    .cache_read = 1250000,
    .cache_write = 3125000,
    .reasoning = 12000000,
    .audio_input = 40000000,
    .audio_output = 80000000,
};

static const inf_price plain = {2500000, 10000000, UNKNOWN, UNKNOWN,
                                UNKNOWN, UNKNOWN,  UNKNOWN};

static void
tokens_cost_their_price(void **state)
{
  (void)state;
  costs(&plain, TOKENS(.input = 1000, .output = 200), 2500000 + 2000000);
  costs(&large, TOKENS(.input = 1000, .output = 200), 2500000 + 2000000);
  costs(&plain, TOKENS(.input = 0, .output = 0), 0);
}

static void
every_part_has_its_price(void **state)
{
  (void)state;
  costs(&large, TOKENS(.input = 1000, .cache_read = 400),
        600 * 2500 + 400 * 1250);
  costs(&large, TOKENS(.input = 1000, .cache_write = 400),
        600 * 2500 + 400 * 3125);
  costs(&large, TOKENS(.input = 1000, .audio_input = 400),
        600 * 2500 + 400 * 40000);
  costs(&large, TOKENS(.output = 1000, .reasoning = 400),
        600 * 10000 + 400 * 12000);
  costs(&large, TOKENS(.output = 1000, .audio_output = 400),
        600 * 10000 + 400 * 80000);
  costs(&large,
        TOKENS(.input = 1000, .output = 100, .cache_read = 100,
               .cache_write = 200, .audio_input = 300, .reasoning = 10,
               .audio_output = 20),
        400 * 2500 + 100 * 1250 + 200 * 3125 + 300 * 40000 + 70 * 10000 +
            10 * 12000 + 20 * 80000);
}

static void
a_part_without_a_price_is_as_the_whole(void **state)
{
  (void)state;
  costs(&plain,
        TOKENS(.input = 1000, .output = 100, .cache_read = 100,
               .cache_write = 200, .audio_input = 300, .reasoning = 10,
               .audio_output = 20),
        1000 * 2500 + 100 * 10000);
}

/* A part that is free is not one without a price. */
static void
a_part_may_be_free(void **state)
{
  (void)state;
  inf_price price = plain;
  price.cache_read = 0;
  costs(&price, TOKENS(.input = 1000, .cache_read = 999), 2500);
}

/* Once, and of the sum: three parts of 0.4 nano-dollars are 1.2. */
static void
the_sum_is_rounded_once(void **state)
{
  (void)state;
  const inf_price price = {400, 400, 400, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
  costs(&price, TOKENS(.input = 1), 0);
  costs(&price, TOKENS(.input = 2, .output = 1, .cache_read = 1), 1);
  const inf_price half = {500,     499,     UNKNOWN, UNKNOWN,
                          UNKNOWN, UNKNOWN, UNKNOWN};
  costs(&half, TOKENS(.input = 1), 1); /* a half goes up */
  costs(&half, TOKENS(.output = 1), 0);
  costs(&half, TOKENS(.input = 3), 2);
}

static void
an_unknown_price_is_not_zero(void **state)
{
  (void)state;
  const inf_price none = INF_PRICE_NONE;
  inf_price input_only = INF_PRICE_NONE;
  input_only.input = 100;
  costs(&none, TOKENS(.input = 1), -1);
  costs(&none, TOKENS(.output = 1), -1);
  costs(&input_only, TOKENS(.input = 1, .output = 1), -1);
  /* Only what is wanted has to be known. */
  costs(&none, TOKENS(.input = 0), 0);
  costs(&input_only, TOKENS(.input = 50), 5);
  inf_price all_cached = INF_PRICE_NONE;
  all_cached.cache_read = 1000;
  costs(&all_cached, TOKENS(.input = 3, .cache_read = 3), 3);
  costs(&all_cached, TOKENS(.input = 4, .cache_read = 3), -1);
  costs(&all_cached, TOKENS(.input = 4, .cache_write = 4), -1);
}

static void
unknown_tokens_cost_what_is_not_known(void **state)
{
  (void)state;
  costs(&plain, TOKENS(.input = -1, .output = 5), -1);
  costs(&plain, TOKENS(.input = 5, .output = -1), -1);
  /* A part that nobody told of is none. */
  costs(&large,
        TOKENS(.input = 1000, .output = 200, .cache_read = -1,
               .cache_write = -1, .reasoning = -1, .audio_input = -1,
               .audio_output = -1),
        2500000 + 2000000);
}

static void
a_free_model_costs_nothing(void **state)
{
  (void)state;
  const inf_price free_of_charge = {0,       0,       UNKNOWN, UNKNOWN,
                                    UNKNOWN, UNKNOWN, UNKNOWN};
  costs(&free_of_charge, TOKENS(.input = 1000000, .output = 5), 0);
}

/* A provider may count the same token twice. */
static void
parts_are_no_more_than_the_whole(void **state)
{
  (void)state;
  costs(&large, TOKENS(.input = 10, .cache_read = 8, .cache_write = 8),
        8 * 1250 + 2 * 3125);
  costs(&large, TOKENS(.input = 10, .cache_read = 11, .audio_input = 5),
        10 * 1250);
  costs(&large, TOKENS(.output = 10, .reasoning = INT64_MAX), 10 * 12000);
}

static void
nothing_overflows(void **state)
{
  (void)state;
  const inf_price most = {INF_PRICE_MAX, INF_PRICE_MAX, UNKNOWN, UNKNOWN,
                          UNKNOWN,       UNKNOWN,       UNKNOWN};
  costs(&most, TOKENS(.input = INT64_MAX, .output = INT64_MAX), INT64_MAX);
  inf_cost huge = {INT64_MAX - 1, INFER_COST_EXACT};
  inf_cost two = {2, INFER_COST_EXACT}, one = {1, INFER_COST_EXACT};
  assert_true(inf_cost_add(huge, two).nano_usd == INT64_MAX);
  assert_true(inf_cost_add(huge, one).nano_usd == INT64_MAX);
  assert_true(inf_cost_add(huge, inf_cost_none()).nano_usd == INT64_MAX - 1);
}

static void
an_estimate_says_so(void **state)
{
  (void)state;
  const inf_cost_tokens tokens = TOKENS(.input = 2);
  inf_cost cost = inf_cost_of(&plain, &tokens, true);
  assert_int_equal(cost.nano_usd, 5000);
  assert_int_equal(cost.kind, INFER_COST_ESTIMATED);
  const inf_price none = INF_PRICE_NONE;
  cost = inf_cost_of(&none, &tokens, true);
  assert_int_equal(cost.nano_usd, -1);
  assert_int_equal(cost.kind, INFER_COST_UNKNOWN);
}

static void
a_sum_is_as_good_as_its_worst(void **state)
{
  (void)state;
  const inf_cost exact = {3, INFER_COST_EXACT};
  const inf_cost estimated = {4, INFER_COST_ESTIMATED};
  const inf_cost cases[] = {
      inf_cost_add(exact, exact),
      inf_cost_add(exact, estimated),
      inf_cost_add(estimated, exact),
      inf_cost_add(estimated, estimated),
      inf_cost_add(exact, inf_cost_unknown()),
      inf_cost_add(inf_cost_unknown(), estimated),
  };
  const inf_cost sums[] = {
      {6, INFER_COST_EXACT},     {7, INFER_COST_ESTIMATED},
      {7, INFER_COST_ESTIMATED}, {8, INFER_COST_ESTIMATED},
      {-1, INFER_COST_UNKNOWN},  {-1, INFER_COST_UNKNOWN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(cases[i].nano_usd, sums[i].nano_usd);
    assert_int_equal(cases[i].kind, sums[i].kind);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tokens_cost_their_price),
      cmocka_unit_test(every_part_has_its_price),
      cmocka_unit_test(a_part_without_a_price_is_as_the_whole),
      cmocka_unit_test(a_part_may_be_free),
      cmocka_unit_test(the_sum_is_rounded_once),
      cmocka_unit_test(an_unknown_price_is_not_zero),
      cmocka_unit_test(unknown_tokens_cost_what_is_not_known),
      cmocka_unit_test(a_free_model_costs_nothing),
      cmocka_unit_test(parts_are_no_more_than_the_whole),
      cmocka_unit_test(nothing_overflows),
      cmocka_unit_test(an_estimate_says_so),
      cmocka_unit_test(a_sum_is_as_good_as_its_worst),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
