/* SPDX-License-Identifier: MIT */
#include "engine/paused.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { count = 4 };

static inf_paused paused;
static inf_paused_entry entries[count];

static int
set_up(void **state)
{
  (void)state;
  inf_paused_init(&paused, 100);
  for (int i = 0; i < count; i++)
    inf_paused_entry_init(&entries[i]);
  return 0;
}

static void
add_all(void)
{
  for (int i = 0; i < count; i++)
    inf_paused_add(&paused, &entries[i]);
}

static void
nothing_is_paused_at_first(void **state)
{
  (void)state;
  assert_null(inf_paused_next(&paused));
  assert_null(inf_paused_victim(&paused));
}

static void
the_cap_itself_is_allowed(void **state)
{
  (void)state;
  add_all();
  inf_paused_charge(&paused, &entries[0], 60);
  inf_paused_charge(&paused, &entries[1], 40);
  assert_null(inf_paused_victim(&paused));
  inf_paused_charge(&paused, &entries[2], 1);
  assert_ptr_equal(inf_paused_victim(&paused), &entries[0]);
}

static void
a_charge_replaces_the_one_before(void **state)
{
  (void)state;
  add_all();
  inf_paused_charge(&paused, &entries[3], 101);
  inf_paused_charge(&paused, &entries[3], 7);
  assert_int_equal(paused.bytes, 7);
  inf_paused_charge(&paused, &entries[3], 0);
  assert_int_equal(paused.bytes, 0);
}

/* However little the oldest holds: it has had the most time. */
static void
the_oldest_goes_first(void **state)
{
  (void)state;
  add_all();
  inf_paused_charge(&paused, &entries[0], 1);
  inf_paused_charge(&paused, &entries[1], 2);
  inf_paused_charge(&paused, &entries[2], 300);
  for (int i = 0; i < 3; i++) {
    assert_ptr_equal(inf_paused_victim(&paused), &entries[i]);
    inf_paused_remove(&paused, &entries[i]);
  }
  assert_null(inf_paused_victim(&paused));
  assert_int_equal(paused.count, 1);
}

static void
one_that_is_paused_again_is_the_youngest(void **state)
{
  (void)state;
  add_all();
  inf_paused_remove(&paused, &entries[0]);
  inf_paused_add(&paused, &entries[0]);
  inf_paused_charge(&paused, &entries[0], 101);
  assert_ptr_equal(inf_paused_victim(&paused), &entries[1]);
}

static void
adding_twice_and_removing_twice_is_harmless(void **state)
{
  (void)state;
  inf_paused_remove(&paused, &entries[0]);
  inf_paused_add(&paused, &entries[0]);
  inf_paused_charge(&paused, &entries[0], 50);
  inf_paused_add(&paused, &entries[0]);
  assert_int_equal(paused.count, 1);
  assert_int_equal(paused.bytes, 50);
  inf_paused_remove(&paused, &entries[0]);
  inf_paused_remove(&paused, &entries[0]);
  assert_int_equal(paused.count, 0);
  assert_int_equal(paused.bytes, 0);
  assert_null(inf_paused_next(&paused));
}

static void
each_has_its_turn(void **state)
{
  (void)state;
  add_all();
  for (int round = 0; round < 3; round++) {
    int seen = 0;
    for (int i = 0; i < count; i++)
      seen |= 1 << (inf_paused_next(&paused) - entries);
    assert_int_equal(seen, (1 << count) - 1);
  }
}

/* One that was just paused has no charge yet. */
static void
a_new_one_is_looked_at_next(void **state)
{
  (void)state;
  for (int i = 0; i < count; i++) {
    inf_paused_add(&paused, &entries[i]);
    assert_ptr_equal(inf_paused_next(&paused), &entries[i]);
  }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
  const struct CMUnitTest tests[] = {
      TEST(nothing_is_paused_at_first),
      TEST(the_cap_itself_is_allowed),
      TEST(a_charge_replaces_the_one_before),
      TEST(the_oldest_goes_first),
      TEST(one_that_is_paused_again_is_the_youngest),
      TEST(adding_twice_and_removing_twice_is_harmless),
      TEST(each_has_its_turn),
      TEST(a_new_one_is_looked_at_next),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
