/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "provider/gemini_args.h"
#include "wire/json_scan.h"

/* What the pieces of a JSON array make; status of the first that fails. */
static int32_t
put_together(const char *pieces, inf_buf *out)
{
  inf_buf state;
  inf_sv list;
  int32_t status = INFER_OK;
  assert_true(inf_json_parse(S(pieces), 8, &list, NULL));
  inf_buf_init(&state, SIZE_MAX);
  inf_json_iter it = inf_json_iter_of(list);
  while (status == INFER_OK && inf_json_next(&it)) {
    size_t before = out->len;
    status = inf_gemini_args_piece(&state, it.value, out);
    if (status != INFER_OK)
      assert_int_equal(out->len, before);
  }
  if (status == INFER_OK)
    status = inf_gemini_args_end(&state, out);
  inf_buf_fini(&state);
  return status;
}

static void
assert_object(const char *pieces, const char *object)
{
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  assert_int_equal(put_together(pieces, &out), INFER_OK);
  assert_buf(&out, object);
  inf_buf_fini(&out);
}

static void
assert_refused(const char *pieces)
{
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  assert_int_equal(put_together(pieces, &out), INFER_E_PROTOCOL);
  inf_buf_fini(&out);
}

static void
test_no_piece_is_an_empty_object(void **state)
{
  (void)state;
  assert_object("[]", "{}");
}

static void
test_strings_go_on(void **state)
{
  (void)state;
  assert_object("[{\"jsonPath\":\"$.a\",\"stringValue\":\"x\\\"\","
                "\"willContinue\":true},"
                "{\"jsonPath\":\"$.a\",\"stringValue\":\"y\","
                "\"willContinue\":true},"
                "{\"jsonPath\":\"$.a\",\"stringValue\":\"\"}]",
                "{\"a\":\"x\\\"y\"}");
  /* One that nothing ends is ended by what comes next. */
  assert_object("[{\"jsonPath\":\"$.a\",\"stringValue\":\"x\","
                "\"willContinue\":true},"
                "{\"jsonPath\":\"$.b\",\"stringValue\":\"y\","
                "\"willContinue\":true}]",
                "{\"a\":\"x\",\"b\":\"y\"}");
}

static void
test_values_of_each_type(void **state)
{
  (void)state;
  assert_object("[{\"jsonPath\":\"$.s\",\"stringValue\":\"\"},"
                "{\"jsonPath\":\"$.n\",\"numberValue\":-1.50},"
                "{\"jsonPath\":\"$.b\",\"boolValue\":false},"
                "{\"jsonPath\":\"$.z\",\"nullValue\":\"NULL_VALUE\"}]",
                "{\"s\":\"\",\"n\":-1.50,\"b\":false,\"z\":null}");
}

static void
test_lists_and_objects_are_entered_and_left(void **state)
{
  (void)state;
  assert_object("[{\"jsonPath\":\"$.a[0].x\",\"numberValue\":1},"
                "{\"jsonPath\":\"$.a[0].y[0]\",\"numberValue\":2},"
                "{\"jsonPath\":\"$.a[0].y[1]\",\"numberValue\":3},"
                "{\"jsonPath\":\"$.a[1].x\",\"numberValue\":4},"
                "{\"jsonPath\":\"$.b.c\",\"numberValue\":5}]",
                "{\"a\":[{\"x\":1,\"y\":[2,3]},{\"x\":4}],\"b\":{\"c\":5}}");
}

static void
test_names_in_brackets(void **state)
{
  (void)state;
  assert_object("[{\"jsonPath\":\"$['a.b']\",\"numberValue\":1},"
                "{\"jsonPath\":\"$[\\\"c\\\\\\\"\\\"]\",\"numberValue\":2},"
                "{\"jsonPath\":\"$['']\",\"numberValue\":3}]",
                "{\"a.b\":1,\"c\\\"\":2,\"\":3}");
}

static void
test_what_is_out_of_order_is_refused(void **state)
{
  (void)state;
#define ONE(path) "{\"jsonPath\":\"" path "\",\"numberValue\":1}"
  assert_refused("[" ONE("$") "]");
  assert_refused("[" ONE("a") "]");
  assert_refused("[" ONE("$.") "]");
  assert_refused("[" ONE("$a") "]");
  assert_refused("[" ONE("$[0]") "]");
  assert_refused("[" ONE("$.a[") "]");
  assert_refused("[" ONE("$.a[]") "]");
  assert_refused("[" ONE("$.a[x]") "]");
  assert_refused("[" ONE("$['a'") "]");
  assert_refused("[" ONE("$['a") "]");
  assert_refused("[" ONE("$.a\\u0000b") "]");
  assert_refused("[" ONE("$.a[1]") "]");
  assert_refused("[" ONE("$.a[0]") "," ONE("$.a[2]") "]");
  assert_refused("[" ONE("$.a[0]") "," ONE("$.a[0]") "]");
  assert_refused("[" ONE("$.a[0]") "," ONE("$.a.b") "]");
  assert_refused("[" ONE("$.a") "," ONE("$.a") "]");
  assert_refused("[" ONE("$.a") "," ONE("$.a.b") "]");
  assert_refused("[" ONE("$.a.b") "," ONE("$.a") "]");
  assert_refused("[" ONE("$.a[99999999999999999999]") "]");
#undef ONE
  assert_refused("[{\"numberValue\":1}]");
  assert_refused("[{\"jsonPath\":\"$.a\"}]");
  assert_refused("[{\"jsonPath\":\"$.a\",\"numberValue\":\"1\"}]");
  assert_refused("[1]");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_piece_is_an_empty_object),
      cmocka_unit_test(test_strings_go_on),
      cmocka_unit_test(test_values_of_each_type),
      cmocka_unit_test(test_lists_and_objects_are_entered_and_left),
      cmocka_unit_test(test_names_in_brackets),
      cmocka_unit_test(test_what_is_out_of_order_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
