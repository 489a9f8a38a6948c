/* SPDX-License-Identifier: MIT */
/* How hooks read JSON. */
#include "provider/plugin_json.h"
#include "unit/provider_support.h"

static const char text[] =
    " {\"a\":{\"b\":[1,{\"c\":\"d\\u0041\"},null]},\"e.f\":2,\"big\":1e3,"
    "\"half\":0.5} ";

static void
is_at(const char *path, const char *expected)
{
  size_t len = 77;
  const char *value =
      infer_provider_json_get(text, INFER_NUL_TERMINATED, path, &len);
  if (!expected) {
    assert_null(value);
    assert_int_equal(len, 0);
    return;
  }
  assert_non_null(value);
  assert_sv(inf_sv_of(value, len), expected);
}

static void
values_are_found_by_their_paths(void **state)
{
  (void)state;
  is_at("a.b.0", "1");
  is_at("a.b.1.c", "\"d\\u0041\"");
  is_at("a.b.2", "null");
  is_at("a.b.3", NULL);
  is_at("a.b.-1", NULL);
  is_at("a.b.c", NULL);
  is_at("a.b.99999999999999999999", NULL);
  is_at("a.x.y", NULL);
  is_at("e.f", NULL);
  is_at("x", NULL);
  is_at(".", NULL);
  is_at("a.b.", "[1,{\"c\":\"d\\u0041\"},null]");
  is_at("a.b.1.c.d", NULL);
}

static void
what_is_no_json_has_nothing(void **state)
{
  (void)state;
  static const char *const texts[] = {"", "x", "{\"a\"", "{\"a\":", "[", "\"a"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    size_t len;
    assert_int_equal(infer_provider_json_check(texts[i], strlen(texts[i])), 0);
    infer_provider_json_get(texts[i], strlen(texts[i]), "a.0.b", &len);
    assert_int_equal(len, 0);
  }
  assert_int_equal(infer_provider_json_check(text, sizeof text - 1), 1);
  assert_int_equal(infer_provider_json_check("\"\xff\"", 3), 0);
  assert_int_equal(infer_provider_json_check(NULL, 5), 0);
  assert_null(infer_provider_json_get(NULL, 5, "a", NULL));
  assert_sv(S(infer_provider_json_get(" {} ", 3, "", NULL)), "{} ");
}

/* All items of a text, as "name=value;". */
static void
items_are(const char *json, const char *expected)
{
  inf_buf seen;
  size_t at = 0, name_len, len;
  const char *name, *value;
  inf_buf_init(&seen, 256);
  while ((value = infer_provider_json_next(json, strlen(json), &at, &name,
                                           &name_len, &len))) {
    if (name)
      inf_buf_append(&seen, name, name_len);
    inf_buf_append_char(&seen, '=');
    inf_buf_append(&seen, value, len);
    inf_buf_append_char(&seen, ';');
  }
  assert_buf(&seen, expected);
  assert_int_equal(len, 0);
  assert_null(
      infer_provider_json_next(json, strlen(json), &at, NULL, NULL, NULL));
  inf_buf_fini(&seen);
}

static void
items_come_in_turn(void **state)
{
  (void)state;
  items_are("{\"a\":1,\"b\\n\":[2],\"\": {} }", "a=1;b\\n=[2];={};");
  items_are("[1,[2,3],\"x\"]", "=1;=[2,3];=\"x\";");
  items_are("{}", "");
  items_are("[]", "");
  items_are("7", "");
  items_are("", "");
  items_are("{\"a\":1,", "a=1;");
  size_t at = 99;
  assert_null(infer_provider_json_next("[1]", 3, &at, NULL, NULL, NULL));
}

static void
numbers_and_words_are_read(void **state)
{
  (void)state;
  int64_t number = 5;
  assert_int_equal(infer_provider_json_int("12", 2, &number), 1);
  assert_int_equal(number, 12);
  assert_int_equal(infer_provider_json_int("1e3", 3, &number), 1);
  assert_int_equal(number, 1000);
  assert_int_equal(infer_provider_json_int("0.5", 3, &number), 0);
  assert_int_equal(infer_provider_json_int("\"1\"", 3, &number), 1);
  assert_int_equal(infer_provider_json_int("\"1x\"", 4, &number), 0);
  assert_int_equal(infer_provider_json_int(NULL, 0, &number), 0);
  assert_int_equal(infer_provider_json_int("1", 1, NULL), 0);
  assert_int_equal(infer_provider_json_is("\"d\\u0041\"", 9, "dA"), 1);
  assert_int_equal(infer_provider_json_is("\"d\"", 3, "dA"), 0);
  assert_int_equal(infer_provider_json_is("1", 1, "1"), 0);
  assert_int_equal(infer_provider_json_is(NULL, 0, ""), 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_found_by_their_paths),
      cmocka_unit_test(what_is_no_json_has_nothing),
      cmocka_unit_test(items_come_in_turn),
      cmocka_unit_test(numbers_and_words_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
