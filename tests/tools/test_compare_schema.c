/* SPDX-License-Identifier: MIT */
/* The part of JSON Schema that answers are checked against. */

#include "compare_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct schema_case {
  const char *schema, *value;
  const char *why; /* of a mismatch; NULL: it matches */
} schema_case;

static const schema_case cases[] = {
    {"{}", "7", NULL},
    {"true", "7", NULL},
    {"false", "7", "not allowed"},
    {"{\"type\":\"integer\"}", "7", NULL},
    {"{\"type\":\"integer\"}", "7.0", NULL},
    {"{\"type\":\"integer\"}", "7.5", "integer"},
    {"{\"type\":\"number\"}", "7", NULL},
    {"{\"type\":\"string\"}", "7", "string"},
    {"{\"type\":[\"string\",\"null\"]}", "null", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "true", "none of the types"},
    {"{\"enum\":[\"a\",2]}", "2", NULL},
    {"{\"enum\":[\"a\",2]}", "\"b\"", "enum"},
    {"{\"const\":null}", "null", NULL},
    {"{\"const\":1}", "2", "const"},
    {"{\"required\":[\"a\"]}", "{\"a\":null}", NULL},
    {"{\"required\":[\"a\"]}", "{\"b\":1}", "lacks a"},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}", "a: is"},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}",
     "{\"a\":1,\"b\":2}", "not allowed: b"},
    {"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"b\":2}", "b: is"},
    {"{\"additionalProperties\":false}", "[]", NULL},
    {"{\"items\":{\"properties\":{\"n\":{\"type\":\"integer\"}}}}",
     "[{\"n\":1},{\"n\":\"x\"}]", "[1].n: is not of type integer"},
    {"{\"minItems\":2}", "[1]", "items"},
    {"{\"maxItems\":2}", "[1,2]", NULL},
    {"{\"minLength\":2,\"maxLength\":2}", "\"\xc3\xa4\xc3\xa4\"", NULL},
    {"{\"maxLength\":1}", "\"ab\"", "too long"},
    {"{\"minimum\":1,\"maximum\":2}", "2", NULL},
    {"{\"minimum\":1}", "0.5", "small"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "null", NULL},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1", "anyOf"},
    {"{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"integer\"}}}",
     "\"x\"", "integer"},
    {"{\"properties\":{\"next\":{\"$ref\":\"#\"}},\"required\":[\"v\"]}",
     "{\"v\":1,\"next\":{\"next\":{\"v\":1}}}", "next: lacks v"},
    /* A circle ends. */
    {"{\"$ref\":\"#\"}", "1", "too deeply"},
};

static void
test_cases(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char why[200];
    json_object *schema = json_tokener_parse(cases[i].schema);
    json_object *value = json_tokener_parse(cases[i].value);
    bool ok = inf_cmp_schema_match(schema, value, why, sizeof(why));
    if (ok != !cases[i].why || (cases[i].why && !strstr(why, cases[i].why)) ||
        (ok && why[0])) {
      print_error("%s of %s: %d, %s\n", cases[i].value, cases[i].schema, ok,
                  why);
      fail();
    }
    assert_int_equal(ok, inf_cmp_schema_match(schema, value, NULL, 0));
    json_object_put(schema);
    json_object_put(value);
  }
}

static void
assert_unknown(const char *text, const char *wanted)
{
  json_object *schema = json_tokener_parse(text);
  const char *found = inf_cmp_schema_unknown(schema);
  if (wanted) {
    assert_non_null(found);
    assert_string_equal(found, wanted);
  } else {
    assert_null(found);
  }
  json_object_put(schema);
}

static void
test_says_what_it_does_not_check(void **state)
{
  (void)state;
  assert_unknown("{\"type\":\"object\",\"title\":\"x\"}", NULL);
  assert_unknown("{\"pattern\":\"x\"}", "pattern");
  assert_unknown("{\"properties\":{\"pattern\":{\"type\":\"string\"}}}", NULL);
  assert_unknown("{\"properties\":{\"a\":{\"format\":\"date\"}}}", "format");
  assert_unknown("{\"items\":{\"anyOf\":[{},{\"not\":{}}]}}", "not");
  assert_unknown("{\"additionalProperties\":{\"oneOf\":[]}}", "oneOf");
  assert_unknown("{\"$defs\":{\"a\":{\"uniqueItems\":true}}}", "uniqueItems");
  assert_unknown("{\"$ref\":\"https://example.com/x\"}", "$ref");
  assert_unknown("{\"enum\":[{\"pattern\":1}]}", NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cases),
      cmocka_unit_test(test_says_what_it_does_not_check),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
