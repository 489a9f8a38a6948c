/* SPDX-License-Identifier: MIT */
#include "policy/lows.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { range = 1600, class_width = 64, many = 400 };

static uint64_t
since(const inf_lows *lows, uint64_t mark, uint64_t value)
{
  return (uint64_t)inf_lows_since(lows, mark, value);
}

static void
without_a_raise_it_is_the_current_value(void **state)
{
  (void)state;
  inf_lows lows = {0};
  inf_lows_set_range(&lows, range);
  assert_int_equal(since(&lows, 1, 42), 42);
}

static void
a_raise_itself_does_not_count(void **state)
{
  (void)state;
  inf_lows lows = {0};
  inf_lows_set_range(&lows, range);
  inf_lows_note(&lows, 5, 10); /* from 10, by the raise 5 */
  assert_int_equal(since(&lows, 5, 90), 90);
  assert_int_equal(since(&lows, 4, 90), 10);
}

static void
the_lowest_after_the_mark_is_found(void **state)
{
  (void)state;
  inf_lows lows = {0};
  inf_lows_set_range(&lows, range);
  inf_lows_note(&lows, 1, 0);
  inf_lows_note(&lows, 2, 50);
  inf_lows_note(&lows, 3, 30);
  inf_lows_note(&lows, 4, 70);
  assert_int_equal(since(&lows, 0, 99), 0);
  assert_int_equal(since(&lows, 1, 99), 30);
  assert_int_equal(since(&lows, 2, 99), 30);
  assert_int_equal(since(&lows, 3, 99), 70);
  assert_int_equal(since(&lows, 3, 60), 60);
  assert_int_equal(since(&lows, 1, 60), 30);
}

static void
a_smaller_raise_lowers_all_after_it(void **state)
{
  (void)state;
  inf_lows lows = {0};
  inf_lows_set_range(&lows, range);
  inf_lows_note(&lows, 1, 20);
  inf_lows_note(&lows, 2, 50);
  inf_lows_note(&lows, 3, 60);
  inf_lows_lower(&lows, 2, 15); /* the raise from 50 */
  assert_int_equal(since(&lows, 2, 99), 45);
  assert_int_equal(since(&lows, 1, 99), 45);
  assert_int_equal(since(&lows, 0, 99), 20);
  inf_lows_lower(&lows, 1, 44);
  assert_int_equal(since(&lows, 1, 99), 1);
  assert_int_equal(since(&lows, 0, 99), 1);
}

static void
room_is_made_by_answers_that_are_too_low(void **state)
{
  (void)state;
  inf_lows lows = {0};
  inf_lows_set_range(&lows, range);
  for (uint64_t mark = 1; mark <= many; mark++)
    inf_lows_note(&lows, mark, mark * range / many);
  assert_true(lows.merges > 0);
  for (uint64_t mark = 0; mark < many; mark++) {
    uint64_t exact = (mark + 1) * range / many;
    uint64_t answer = since(&lows, mark, range);
    assert_true(answer <= exact);
    assert_true(exact - answer < class_width);
  }
}

/* Values far above the range are one class: they are still right enough. */
static void
above_the_range_the_answer_is_not_below_it(void **state)
{
  (void)state;
  inf_lows lows = {0};
  inf_lows_set_range(&lows, range);
  for (uint64_t mark = 1; mark <= many; mark++)
    inf_lows_note(&lows, mark, mark * 1000000);
  assert_int_equal(since(&lows, 0, UINT64_MAX), 1000000);
  for (uint64_t mark = 0; mark < many; mark++)
    assert_true(since(&lows, mark, UINT64_MAX) >= range);
}

/* The same by looking at all that was ever noted. */
typedef struct book {
  uint64_t value[many + 1]; /* before the raise of that mark */
  size_t count;
} book;

static uint64_t
book_since(const book *of, uint64_t mark, uint64_t value)
{
  for (uint64_t i = mark + 1; i <= of->count; i++)
    if (of->value[i] < value)
      value = of->value[i];
  return value;
}

static void
random_raises_agree_with_a_list_of_all(void **state)
{
  (void)state;
  inf_rng rng;
  inf_rng_seed(&rng, 11);
  for (size_t round = 0; round < 50; round++) {
    inf_lows lows = {0};
    inf_lows_set_range(&lows, range);
    book all = {.count = 0};
    uint64_t value = 0;
    while (all.count < many) {
      value -= inf_rng_below(&rng, value / 2 + 1);
      uint64_t mark = inf_rng_below(&rng, all.count + 1);
      uint64_t exact = book_since(&all, mark, value);
      uint64_t answer = since(&lows, mark, value);
      assert_true(answer <= exact);
      if (lows.merges == 0)
        assert_int_equal(answer, exact);
      if (inf_rng_below(&rng, 4) == 0) {
        uint64_t by = inf_rng_below(&rng, answer + 1);
        inf_lows_lower(&lows, mark, by);
        for (uint64_t i = mark + 1; i <= all.count; i++)
          all.value[i] -= by;
        value -= by;
      }
      all.value[++all.count] = value;
      inf_lows_note(&lows, all.count, value);
      value += inf_rng_below(&rng, 100);
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_raise_it_is_the_current_value),
      cmocka_unit_test(a_raise_itself_does_not_count),
      cmocka_unit_test(the_lowest_after_the_mark_is_found),
      cmocka_unit_test(a_smaller_raise_lowers_all_after_it),
      cmocka_unit_test(room_is_made_by_answers_that_are_too_low),
      cmocka_unit_test(above_the_range_the_answer_is_not_below_it),
      cmocka_unit_test(random_raises_agree_with_a_list_of_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
