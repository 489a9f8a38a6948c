/* SPDX-License-Identifier: MIT */
/* Views of bytes: each function with the empty view, with NULL inside, at its
 * bounds, and with bytes that letters of some locale would be. */
#include "base/sv.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static const inf_sv nothing = {NULL, 0};

static void
test_making(void **state)
{
  (void)state;
  inf_sv sv = INF_SV("abc");
  assert_int_equal(sv.len, 3);
  sv = INF_SV("a\0c");
  assert_int_equal(sv.len, 3);
  assert_int_equal(inf_sv_from("abc").len, 3);
  assert_int_equal(inf_sv_from(NULL).len, 0);
  assert_int_equal(INF_SV("").len, 0);
}

static void
test_eq(void **state)
{
  (void)state;
  assert_true(inf_sv_eq(INF_SV("abc"), inf_sv_of("abcd", 3)));
  assert_false(inf_sv_eq(INF_SV("abc"), INF_SV("abd")));
  assert_false(inf_sv_eq(INF_SV("abc"), INF_SV("ab")));
  assert_false(inf_sv_eq(INF_SV("abc"), INF_SV("ABC")));
  assert_false(inf_sv_eq(INF_SV("a\0b"), INF_SV("a\0c")));
  assert_true(inf_sv_eq(nothing, INF_SV("")));
  assert_true(inf_sv_eq(nothing, nothing));
}

static void
test_eq_nocase(void **state)
{
  (void)state;
  assert_true(inf_sv_eq_nocase(INF_SV("Retry-After"), INF_SV("rETRY-aFTER")));
  assert_true(inf_sv_eq_nocase(INF_SV("AZ"), INF_SV("az")));
  assert_false(inf_sv_eq_nocase(INF_SV("abc"), INF_SV("abcd")));
  assert_false(inf_sv_eq_nocase(INF_SV("abc"), INF_SV("abx")));
  assert_true(inf_sv_eq_nocase(nothing, INF_SV("")));
  /* Neighbours of the letters differ by 0x20 too. */
  assert_false(inf_sv_eq_nocase(INF_SV("@"), INF_SV("`")));
  assert_false(inf_sv_eq_nocase(INF_SV("["), INF_SV("{")));
  assert_false(inf_sv_eq_nocase(INF_SV("\xc4"), INF_SV("\xe4")));
}

static void
test_starts_with(void **state)
{
  (void)state;
  assert_true(inf_sv_starts_with(INF_SV("data: x"), INF_SV("data:")));
  assert_true(inf_sv_starts_with(INF_SV("data"), INF_SV("data")));
  assert_true(inf_sv_starts_with(INF_SV("data"), nothing));
  assert_true(inf_sv_starts_with(nothing, nothing));
  assert_false(inf_sv_starts_with(INF_SV("dat"), INF_SV("data")));
  assert_false(inf_sv_starts_with(INF_SV("Data"), INF_SV("data")));
  assert_false(inf_sv_starts_with(nothing, INF_SV("d")));
}

static void
test_ends_with(void **state)
{
  (void)state;
  assert_true(inf_sv_ends_with(INF_SV("a.json"), INF_SV(".json")));
  assert_true(inf_sv_ends_with(INF_SV("json"), INF_SV("json")));
  assert_true(inf_sv_ends_with(INF_SV("json"), nothing));
  assert_true(inf_sv_ends_with(nothing, nothing));
  assert_false(inf_sv_ends_with(INF_SV("son"), INF_SV("json")));
  assert_false(inf_sv_ends_with(INF_SV("a.json "), INF_SV(".json")));
  assert_false(inf_sv_ends_with(nothing, INF_SV("x")));
}

static void
test_contains_nocase(void **state)
{
  (void)state;
  inf_sv sv = INF_SV("The Model is Overloaded");
  assert_true(inf_sv_contains_nocase(sv, INF_SV("OVERLOADED")));
  assert_true(inf_sv_contains_nocase(sv, INF_SV("the")));
  assert_true(inf_sv_contains_nocase(sv, INF_SV("model IS")));
  assert_true(inf_sv_contains_nocase(sv, sv));
  assert_true(inf_sv_contains_nocase(sv, nothing));
  assert_true(inf_sv_contains_nocase(nothing, nothing));
  assert_false(inf_sv_contains_nocase(sv, INF_SV("overloads")));
  assert_false(inf_sv_contains_nocase(nothing, INF_SV("x")));
  assert_false(inf_sv_contains_nocase(INF_SV("ab"), INF_SV("abc")));
  /* A false start must not swallow the true one. */
  assert_true(inf_sv_contains_nocase(INF_SV("aaab"), INF_SV("AAB")));
  /* Bytes behind the view do not count. */
  assert_false(
      inf_sv_contains_nocase(inf_sv_of("overload", 4), INF_SV("overl")));
}

static void
check_trim(inf_sv sv, inf_sv expected)
{
  assert_true(inf_sv_eq(inf_sv_trim(sv), expected));
}

static void
test_trim(void **state)
{
  (void)state;
  check_trim(INF_SV(" \t\r\n a b \n\r\t "), INF_SV("a b"));
  check_trim(INF_SV("ab"), INF_SV("ab"));
  check_trim(INF_SV("ab "), INF_SV("ab"));
  check_trim(INF_SV(" ab"), INF_SV("ab"));
  check_trim(INF_SV(" \t\r\n"), nothing);
  check_trim(nothing, nothing);
  /* Vertical tab and form feed are no spaces of HTTP. */
  check_trim(INF_SV("\v\f"), INF_SV("\v\f"));
}

static void
test_find(void **state)
{
  (void)state;
  assert_int_equal(inf_sv_find(INF_SV("a/b/c"), '/'), 1);
  assert_int_equal(inf_sv_find(INF_SV("/abc"), '/'), 0);
  assert_int_equal(inf_sv_find(INF_SV("abc"), '/'), 3);
  assert_int_equal(inf_sv_find(inf_sv_of("abc/", 3), '/'), 3);
  assert_int_equal(inf_sv_find(INF_SV("a\0b"), '\0'), 1);
  assert_int_equal(inf_sv_find(INF_SV("a\xff"), '\xff'), 1);
  assert_int_equal(inf_sv_find(nothing, '/'), 0);
}

static void
check_int(const char *text, long long expected)
{
  long long value = 12345;
  assert_true(inf_sv_to_int64(inf_sv_from(text), &value));
  assert_true(value == expected);
}

static void
check_no_int(inf_sv sv)
{
  long long value = 12345;
  assert_false(inf_sv_to_int64(sv, &value));
  assert_true(value == 12345);
}

static void
test_to_int64(void **state)
{
  (void)state;
  check_int("0", 0);
  check_int("-0", 0);
  check_int("007", 7);
  check_int("42", 42);
  check_int("-42", -42);
  check_int("9223372036854775807", LLONG_MAX);
  check_int("-9223372036854775808", LLONG_MIN);
  check_int("00000000000000000000000000001", 1);
  long long value;
  assert_true(inf_sv_to_int64(inf_sv_of("123456", 3), &value));
  assert_true(value == 123);
}

static void
test_to_int64_refuses(void **state)
{
  (void)state;
  static const char *const bad[] = {
      "",
      "-",
      "+1",
      " 1",
      "1 ",
      "1.0",
      "1e3",
      "0x10",
      "--1",
      "1-",
      "abc",
      "1,000",
      "9223372036854775808",
      "-9223372036854775809",
      "92233720368547758070",
      "18446744073709551616",
      "99999999999999999999999999",
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    check_no_int(inf_sv_from(bad[i]));
  check_no_int(nothing);
  check_no_int(INF_SV("1\0"));
}

/* Every number near the bounds of the type, against the C library. */
static void
test_to_int64_near_bounds(void **state)
{
  (void)state;
  char text[32];
  for (long long i = 0; i < 200; i++) {
    (void)snprintf(text, sizeof text, "%lld", LLONG_MAX - i);
    check_int(text, LLONG_MAX - i);
    (void)snprintf(text, sizeof text, "%lld", LLONG_MIN + i);
    check_int(text, LLONG_MIN + i);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_making),
      cmocka_unit_test(test_eq),
      cmocka_unit_test(test_eq_nocase),
      cmocka_unit_test(test_starts_with),
      cmocka_unit_test(test_ends_with),
      cmocka_unit_test(test_contains_nocase),
      cmocka_unit_test(test_trim),
      cmocka_unit_test(test_find),
      cmocka_unit_test(test_to_int64),
      cmocka_unit_test(test_to_int64_refuses),
      cmocka_unit_test(test_to_int64_near_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
