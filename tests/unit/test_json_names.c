/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"
#include "wire/json_names.h"
#include "wire/json_scan.h"

static const inf_json_name names[] = {
    INF_JSON_NAME("id"),
    INF_JSON_NAME("index"),
    INF_JSON_NAME("in"),
};
enum { name_count = 3 };

static size_t
find(const char *object)
{
  inf_json_iter it = inf_json_iter_of(S(object));
  assert_true(inf_json_next(&it));
  size_t found = name_count;
  for (size_t from = 0; from <= name_count; from++) {
    size_t next = from;
    found = inf_json_find_name(&it, names, name_count, &next);
    assert_int_equal(next, found < name_count ? found + 1 : from);
    size_t first = 0;
    assert_int_equal(inf_json_find_name(&it, names, name_count, &first), found);
  }
  return found;
}

static void
names_are_found_whole(void **state)
{
  (void)state;
  assert_int_equal(find("{\"id\":1}"), 0);
  assert_int_equal(find("{\"index\":1}"), 1);
  assert_int_equal(find("{\"in\":1}"), 2);
  assert_int_equal(find("{\"i\":1}"), name_count);
  assert_int_equal(find("{\"indexes\":1}"), name_count);
  assert_int_equal(find("{\"\":1}"), name_count);
  assert_int_equal(find("{\"ID\":1}"), name_count);
}

static void
names_may_be_escaped(void **state)
{
  (void)state;
  assert_int_equal(find("{\"i\\u0064\":1}"), 0);
  assert_int_equal(find("{\"\\u0069n\":1}"), 2);
  assert_int_equal(find("{\"i\\u0065\":1}"), name_count);
  assert_int_equal(find("{\"\\\\\":1}"), name_count);
}

/* By an index and without one. */
static bool
pick(const char *text, inf_sv values[name_count])
{
  inf_json_index index;
  inf_sv value, others[name_count];
  assert_true(inf_json_parse_index(S(text), 9, &value, &index, NULL));
  bool alone = inf_json_pick(&index, value, names, name_count, values);
  assert_int_equal(inf_json_pick(NULL, value, names, name_count, others),
                   alone);
  for (size_t i = 0; i < name_count; i++) {
    assert_ptr_equal(others[i].ptr, values[i].ptr);
    assert_int_equal(others[i].len, values[i].len);
  }
  return alone;
}

static void
members_are_picked(void **state)
{
  (void)state;
  inf_sv values[name_count];
  assert_true(pick("{\"id\":1,\"index\":[2],\"in\":\"3\"}", values));
  assert_sv(values[0], "1");
  assert_sv(values[1], "[2]");
  assert_sv(values[2], "\"3\"");
  assert_true(pick(" { \"in\" : {\"id\":1} , \"i\\u0064\" : null } ", values));
  assert_sv(values[0], "null");
  assert_int_equal(values[1].len, 0);
  assert_sv(values[2], "{\"id\":1}");
}

static void
others_and_repeated_ones_are_told(void **state)
{
  (void)state;
  inf_sv values[name_count];
  assert_false(pick("{\"id\":1,\"other\":2,\"in\":3}", values));
  assert_sv(values[0], "1");
  assert_sv(values[2], "3");
  assert_false(pick("{\"id\":1,\"in\":3,\"id\":2}", values));
  assert_sv(values[0], "2"); /* as inf_json_get() has it */
  assert_true(pick("{}", values));
}

static void
other_values_have_no_members(void **state)
{
  (void)state;
  static const char *const texts[] = {"[\"id\",1]", "\"id\"", "1", "null"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    inf_sv values[name_count] = {{"x", 1}};
    assert_false(pick(texts[i], values));
    assert_int_equal(values[0].len, 0);
  }
  inf_sv values[name_count] = {{"x", 1}};
  assert_false(inf_json_pick(NULL, S(""), names, name_count, values));
  assert_int_equal(values[0].len, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_found_whole),
      cmocka_unit_test(names_may_be_escaped),
      cmocka_unit_test(members_are_picked),
      cmocka_unit_test(others_and_repeated_ones_are_told),
      cmocka_unit_test(other_values_have_no_members),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
