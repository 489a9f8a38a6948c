/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/options.h"

static void
every_row_is_complete(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *o = inf_option_at(i);
    assert_true(o->section[0] && o->name[0] && o->text[0]);
    assert_non_null(o->unit);
    assert_non_null(o->default_text);
    assert_non_null(o->choices);
    if (o->type == INF_OPTION_INT || o->type == INF_OPTION_DECIMAL) {
      assert_true(o->minimum < o->maximum);
      /* What is left out may be told apart from any number. */
      if (!o->default_text[0])
        assert_true(o->default_number >= o->minimum &&
                    o->default_number <= o->maximum);
    }
    if (o->type == INF_OPTION_ENUM) {
      size_t words = 0;
      while (inf_option_choice(o, words).len > 0)
        words++;
      assert_true(words >= 2);
      assert_true((size_t)o->default_number < words);
    }
  }
  assert_null(inf_option_at(inf_option_count()));
}

static void
every_row_is_found_once(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *o = inf_option_at(i);
    inf_sv name = inf_sv_from(o->name), group = INF_SV("");
    const char *last = strrchr(o->name, '.');
    if (last) {
      size_t dot = (size_t)(last - o->name);
      group = inf_sv_of(name.ptr, dot);
      name = inf_sv_of(name.ptr + dot + 1, name.len - dot - 1);
      assert_true(inf_option_is_group(o->section, group));
    }
    /* The first with that name is this one: there is no other before it. */
    assert_ptr_equal(inf_option_find(o->section, group, name), o);
  }
}

static void
a_unit_stands_in_the_name(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *o = inf_option_at(i);
    inf_sv name = inf_sv_from(o->name);
    assert_int_equal(strcmp(o->unit, "ms") == 0,
                     inf_sv_ends_with(name, INF_SV("_ms")));
    assert_int_equal(strcmp(o->unit, "bytes") == 0,
                     inf_sv_ends_with(name, INF_SV("_bytes")));
  }
}

static void
decimals_are_written_as_people_do(void **state)
{
  (void)state;
  static const struct {
    int64_t millionths;
    const char *text;
  } cases[] = {
      {0, "0"},           {1, "0.000001"},
      {50000, "0.05"},    {500000, "0.5"},
      {1000000, "1"},     {10000000, "10"},
      {99900000, "99.9"}, {INT64_MAX, "9223372036854.775807"},
  };
  char text[INF_DECIMAL_TEXT];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_string_equal(inf_option_decimal(cases[i].millionths, text),
                        cases[i].text);
}

static void
does_not_find_others(void **state)
{
  (void)state;
  assert_null(inf_option_find("client", INF_SV(""), INF_SV("retries")));
  assert_null(inf_option_find("policy", INF_SV(""), INF_SV("timeouts")));
  assert_null(
      inf_option_find("policy", INF_SV(""), INF_SV("timeouts.idle_ms")));
  assert_null(inf_option_find("policy", INF_SV("stay"), INF_SV("idle_ms")));
  assert_non_null(
      inf_option_find("policy", INF_SV("timeouts"), INF_SV("idle_ms")));
  assert_false(inf_option_is_group("policy", INF_SV("time")));
  assert_false(inf_option_is_group("policy", INF_SV("")));
  assert_false(inf_option_is_group("client", INF_SV("timeouts")));
}

static void
reads_choices(void **state)
{
  (void)state;
  inf_option o = {.choices = "default stream unary"};
  assert_int_equal(inf_option_choice_index(&o, INF_SV("default")), 0);
  assert_int_equal(inf_option_choice_index(&o, INF_SV("unary")), 2);
  assert_int_equal(inf_option_choice_index(&o, INF_SV("stream unary")), -1);
  assert_int_equal(inf_option_choice_index(&o, INF_SV("")), -1);
  assert_true(inf_sv_eq(inf_option_choice(&o, 1), INF_SV("stream")));
  assert_int_equal(inf_option_choice(&o, 3).len, 0);
  o.choices = "";
  assert_int_equal(inf_option_choice(&o, 0).len, 0);
  assert_int_equal(inf_option_choice_index(&o, INF_SV("a")), -1);
}

static void
knows_the_users_own(void **state)
{
  (void)state;
  assert_true(inf_option_is_private(INF_SV("x-team")));
  assert_true(inf_option_is_private(INF_SV("x-")));
  assert_false(inf_option_is_private(INF_SV("x")));
  assert_false(inf_option_is_private(INF_SV("ax-")));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_complete),
      cmocka_unit_test(every_row_is_found_once),
      cmocka_unit_test(a_unit_stands_in_the_name),
      cmocka_unit_test(decimals_are_written_as_people_do),
      cmocka_unit_test(does_not_find_others),
      cmocka_unit_test(reads_choices),
      cmocka_unit_test(knows_the_users_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
