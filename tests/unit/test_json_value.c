/* SPDX-License-Identifier: MIT */
/* The readers of JSON values: iteration, lookup, strings and numbers; and that
 * on bytes that nobody checked they stay within them and come to an end. */
#include "base/mem.h"
#include "base/rng.h"
#include "wire/json_scan.h"
#include "wire/utf8.h"

#include <infer/infer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inf_sv
value_of(const char *text)
{
  inf_sv value;

  if (!inf_json_parse(inf_sv_from(text), 64, &value, NULL))
    fail_msg("no JSON: %s", text);
  return value;
}

static void
assert_sv(inf_sv got, const char *want)
{
  assert_int_equal(got.len, strlen(want));
  assert_memory_equal(got.ptr, want, got.len);
}

static void
test_types(void **state)
{
  (void)state;
  assert_int_equal(inf_json_type_of(value_of("{}")), INF_JSON_OBJECT);
  assert_int_equal(inf_json_type_of(value_of("[]")), INF_JSON_ARRAY);
  assert_int_equal(inf_json_type_of(value_of("\"\"")), INF_JSON_STRING);
  assert_int_equal(inf_json_type_of(value_of("-1")), INF_JSON_NUMBER);
  assert_int_equal(inf_json_type_of(value_of("0")), INF_JSON_NUMBER);
  assert_int_equal(inf_json_type_of(value_of("9")), INF_JSON_NUMBER);
  assert_int_equal(inf_json_type_of(value_of("true")), INF_JSON_TRUE);
  assert_int_equal(inf_json_type_of(value_of("false")), INF_JSON_FALSE);
  assert_int_equal(inf_json_type_of(value_of("null")), INF_JSON_NULL);
  assert_int_equal(inf_json_type_of(inf_sv_of(NULL, 0)), INF_JSON_NONE);
  assert_int_equal(inf_json_type_of(INF_SV("x")), INF_JSON_NONE);
  assert_true(inf_json_is(value_of("null"), INF_JSON_NULL));
  assert_false(inf_json_is(value_of("null"), INF_JSON_NONE));
}

static void
test_iterates_objects(void **state)
{
  inf_json_iter it =
      inf_json_iter_of(value_of(" { \"a\" : 1 , \"b\\n\":\"}\\\"]\", \"\" : [ "
                                "{ } , \"]\" ] ,\"d\":null}"));

  (void)state;
  assert_true(inf_json_next(&it));
  assert_sv(it.key, "a");
  assert_sv(it.value, "1");
  assert_true(inf_json_next(&it));
  assert_sv(it.key, "b\\n");
  assert_sv(it.value, "\"}\\\"]\"");
  assert_true(inf_json_key_is(&it, INF_SV("b\n")));
  assert_true(inf_json_next(&it));
  assert_sv(it.key, "");
  assert_sv(it.value, "[ { } , \"]\" ]");
  assert_true(inf_json_next(&it));
  assert_sv(it.value, "null");
  assert_false(inf_json_next(&it));
  assert_false(inf_json_next(&it));
}

static void
test_iterates_arrays(void **state)
{
  static const char *const want[] = {"1",           "-2.5e3",    "[]",
                                     "{\"a\":[1]}", "\"x\\\\\"", "true"};
  inf_json_iter it =
      inf_json_iter_of(value_of("[1,-2.5e3 , [],{\"a\":[1]},\"x\\\\\",true]"));
  size_t i = 0;

  (void)state;
  for (; inf_json_next(&it); i++)
    assert_sv(it.value, want[i]);
  assert_int_equal(i, COUNT(want));
}

static void
test_other_types_have_no_items(void **state)
{
  static const char *const texts[] = {"1",  "\"[1]\"", "null", "[]",
                                      "{}", "[ ]",     "{ }"};

  (void)state;
  for (size_t i = 0; i < COUNT(texts); i++)
    assert_int_equal(inf_json_count(value_of(texts[i])), 0);
  assert_int_equal(inf_json_count(inf_sv_of(NULL, 0)), 0);
  assert_int_equal(inf_json_count(value_of("[[1,2],3]")), 2);
  assert_int_equal(inf_json_count(value_of("{\"a\":{\"b\":1}}")), 1);
}

static void
test_get(void **state)
{
  inf_sv value = value_of("{\"a\":1,\"b\":{\"a\":2,\"c\":{\"d\":3}},\"a\":4,"
                          "\"x\\u0041\":5,\"\":6}");

  (void)state;
  assert_sv(inf_json_get(value, INF_SV("a")), "4");
  assert_sv(inf_json_get(value, INF_SV("xA")), "5");
  assert_sv(inf_json_get(value, INF_SV("")), "6");
  assert_int_equal(inf_json_get(value, INF_SV("c")).len, 0);
  assert_int_equal(inf_json_get(value, INF_SV("x\\u0041")).len, 0);
  assert_int_equal(inf_json_get(value_of("[1]"), INF_SV("a")).len, 0);
  assert_int_equal(inf_json_get(value_of("[1]"), INF_SV("")).len, 0);
  assert_int_equal(inf_json_get(inf_sv_of(NULL, 0), INF_SV("a")).len, 0);
  assert_sv(inf_json_path(value, "b.c.d"), "3");
  assert_sv(inf_json_path(value, "b.a"), "2");
  assert_sv(inf_json_path(value, "a"), "4");
  assert_int_equal(inf_json_path(value, "b.c.d.e").len, 0);
  assert_int_equal(inf_json_path(value, "b..c").len, 0);
  assert_int_equal(inf_json_path(value, "no.c").len, 0);
}

static void
test_at(void **state)
{
  inf_sv value = value_of("[\"a\",[1],3]");

  (void)state;
  assert_sv(inf_json_at(value, 0), "\"a\"");
  assert_sv(inf_json_at(value, 2), "3");
  assert_int_equal(inf_json_at(value, 3).len, 0);
  assert_int_equal(inf_json_at(value_of("{\"a\":1}"), 0).len, 0);
}

typedef struct string_case {
  const char *json;
  const char *text;
  size_t len;
} string_case;

#define STRING(json, text)       \
  {                              \
    json, text, sizeof(text) - 1 \
  }
#define FFFD "\xef\xbf\xbd"

/* The bytes between the quotes. Each is also compared with its own text. */
static const string_case strings[] = {
    STRING("", ""),
    STRING("plain", "plain"),
    STRING("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"),
    STRING("\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"),
    STRING("\\u0000x", "\0x"),
    STRING("\\ud83d\\ude00", "\xf0\x9f\x98\x80"),
    STRING("a\\ud83d\\ude00b", "a\xf0\x9f\x98\x80"
                               "b"),
    STRING("\\ud836\\ude00", "\xf0\x9d\xa8\x80"),
    STRING("\\ud83d", FFFD),
    STRING("\\ude00", FFFD),
    STRING("\\ude00\\ud83d", FFFD FFFD),
    STRING("\\udc00\\udc01", FFFD FFFD),
    STRING("\\ud83d\\ud83d\\ude00", FFFD "\xf0\x9f\x98\x80"),
    STRING("\\ud83dx\\ude00", FFFD "x" FFFD),
    STRING("\\ud83d\\n", FFFD "\n"),
    STRING("\\ud83d\\u0041", FFFD "A"),
    STRING("\\uffff\\ufffd", "\xef\xbf\xbf" FFFD),
};

/* Not valid UTF-8, as providers may send it. */
static const string_case broken[] = {
    STRING("\xff", FFFD),
    STRING("a\xc3", "a" FFFD),
    STRING("a\xc3\\n", "a" FFFD "\n"),
    STRING("\xed\xa0\x80", FFFD FFFD FFFD),
    STRING("\xf0\x9f\x98z", FFFD "z"),
    STRING("\xe2\x82\\u00ac", FFFD "\xc2\xac"),
};

static inf_sv
quoted(const char *json, char *out, size_t size)
{
  int len = snprintf(out, size, "\"%s\"", json);

  return inf_sv_of(out, (size_t)len);
}

static void
check_string(const string_case *test)
{
  char json[128];
  inf_sv value = quoted(test->json, json, sizeof(json));
  inf_buf buf;

  inf_buf_init(&buf, 64);
  assert_true(inf_json_string(value, &buf));
  assert_int_equal(buf.len, test->len);
  if (test->len > 0)
    assert_memory_equal(buf.ptr, test->text, test->len);
  inf_buf_fini(&buf);
}

static void
test_strings(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(strings); i++)
    check_string(&strings[i]);
  for (size_t i = 0; i < COUNT(broken); i++)
    check_string(&broken[i]);
}

static void
test_equal(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(strings); i++) {
    for (size_t j = 0; j < COUNT(strings); j++) {
      const string_case *a = &strings[i], *b = &strings[j];
      bool same = a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
      char json[128];
      inf_sv value = quoted(a->json, json, sizeof(json));

      assert_int_equal(inf_json_equal(value, inf_sv_of(b->text, b->len)), same);
    }
  }
  assert_false(inf_json_equal(INF_SV("12"), INF_SV("12")));
  assert_false(inf_json_equal(INF_SV("null"), INF_SV("")));
  assert_false(inf_json_equal(inf_sv_of(NULL, 0), INF_SV("")));
  assert_false(inf_json_equal(INF_SV("\"\\n\""), INF_SV("\\n")));
  assert_false(inf_json_equal(INF_SV("\"\\u0041b\""), INF_SV("A")));
  assert_false(inf_json_equal(INF_SV("\"\\u0041\""), INF_SV("Ab")));
}

/* Every code point, escaped alone or as its pair, comes out as its UTF-8. */
static void
test_every_code_point(void **state)
{
  inf_buf buf;

  (void)state;
  inf_buf_init(&buf, 16);
  for (uint32_t c = 0; c <= 0x10ffff; c++) {
    char json[32], text[4];
    size_t len = inf_utf8_encode(c, text);

    if (c < 0x10000)
      snprintf(json, sizeof(json), "\"\\u%04x\"", (unsigned)c);
    else
      snprintf(json, sizeof(json), "\"\\u%04X\\u%04x\"",
               (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
               (unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
    inf_buf_clear(&buf);
    assert_true(inf_json_string(inf_sv_from(json), &buf));
    assert_true(inf_sv_eq(inf_buf_sv(&buf), inf_sv_of(text, len)));
  }
  inf_buf_fini(&buf);
}

static void
test_string_of_other_types(void **state)
{
  inf_buf buf;

  (void)state;
  inf_buf_init(&buf, 4);
  assert_false(inf_json_string(INF_SV("12"), &buf));
  assert_false(inf_json_string(INF_SV("null"), &buf));
  assert_false(inf_json_string(inf_sv_of(NULL, 0), &buf));
  assert_int_equal(buf.len, 0);
  assert_true(inf_json_unescape(inf_sv_of(NULL, 0), &buf));
  /* The buffer's limit is the caller's to see. */
  assert_false(inf_json_string(INF_SV("\"abc\\nd\""), &buf));
  assert_int_equal(buf.status, INFER_E_TOO_LARGE);
  inf_buf_fini(&buf);
}

static void
test_plain(void **state)
{
  inf_sv text;

  (void)state;
  assert_true(inf_json_plain(INF_SV("\"\""), &text));
  assert_int_equal(text.len, 0);
  assert_true(inf_json_plain(INF_SV("\"gr\xc3\xbc\""), &text));
  assert_sv(text, "gr\xc3\xbc");
  assert_false(inf_json_plain(INF_SV("\"a\\nb\""), &text));
  assert_false(inf_json_plain(INF_SV("\"a\xff\""), &text));
  assert_true(inf_json_plain_in_valid(INF_SV("\"gr\xc3\xbc\""), &text));
  assert_sv(text, "gr\xc3\xbc");
  assert_false(inf_json_plain_in_valid(INF_SV("\"a\\nb\""), &text));
  assert_false(inf_json_plain(INF_SV("12"), &text));
  assert_false(inf_json_plain(INF_SV("\""), &text));
  assert_false(inf_json_plain(inf_sv_of(NULL, 0), &text));
}

static void
test_numbers(void **state)
{
  int64_t i;
  double d;

  (void)state;
  assert_true(inf_json_int64(INF_SV("1400000000000000001"), false, &i));
  assert_true(i == 1400000000000000001);
  assert_false(inf_json_int64(INF_SV("\"12\""), false, &i));
  assert_true(inf_json_int64(INF_SV("\"12\""), true, &i));
  assert_int_equal(i, 12);
  assert_true(inf_json_int64(INF_SV("\"1e3\""), true, &i));
  assert_int_equal(i, 1000);
  assert_false(inf_json_int64(INF_SV("\" 12\""), true, &i));
  assert_false(inf_json_int64(INF_SV("\"+12\""), true, &i));
  assert_false(inf_json_int64(INF_SV("\"\""), true, &i));
  assert_false(inf_json_int64(INF_SV("null"), true, &i));
  assert_false(inf_json_int64(inf_sv_of(NULL, 0), true, &i));
  assert_true(inf_json_double(INF_SV("0.1"), false, &d));
  assert_true(d == 0.1);
  assert_false(inf_json_double(INF_SV("\"0.1\""), false, &d));
  assert_true(inf_json_double(INF_SV("\"0.1\""), true, &d));
  assert_false(inf_json_double(INF_SV("\"nan\""), true, &d));
  assert_false(inf_json_double(INF_SV("true"), true, &d));
}

/* Uses every reader on a value and all that it holds. */
static void
read_all(inf_sv value, int depth, inf_buf *buf)
{
  inf_json_iter it = inf_json_iter_of(value);
  inf_sv text;
  int64_t i;
  double d;

  inf_buf_clear(buf);
  inf_json_string(value, buf);
  inf_json_plain(value, &text);
  inf_json_equal(value, INF_SV("a\nb"));
  inf_json_int64(value, true, &i);
  inf_json_double(value, true, &d);
  inf_json_path(value, "a.b.c");
  inf_json_at(value, 1);
  for (int n = 0; depth < 8 && inf_json_next(&it); n++) {
    assert_true(n < 4096);
    inf_json_unescape(it.key, buf);
    inf_json_key_is(&it, INF_SV("a"));
    read_all(it.value, depth + 1, buf);
  }
}

static void
test_unchecked_bytes_are_harmless(void **state)
{
  static const char alphabet[] = "{}[],:\"\\0-1.eua n\nd8\xc3\xff";
  inf_rng rng;
  inf_buf buf;

  (void)state;
  inf_rng_seed(&rng, 5);
  inf_buf_init(&buf, 4096);
  for (int i = 0; i < 200000; i++) {
    size_t len = (size_t)inf_rng_between(&rng, 1, 40);
    char *text = malloc(len);

    assert_non_null(text);
    for (size_t n = 0; n < len; n++)
      text[n] = alphabet[inf_rng_below(&rng, sizeof(alphabet))];
    read_all(inf_sv_of(text, len), 0, &buf);
    free(text);
  }
  inf_buf_fini(&buf);
}

/* ---- The index ----------------------------------------------------------- */

/* Counts the values below this one, having seen that the index gives the same
 * as looking does. */
static size_t
compare(const inf_json_index *index, inf_sv value)
{
  inf_json_iter by = inf_json_iter_by(index, value);
  inf_json_iter plain = inf_json_iter_of(value);
  size_t count = 0;

  if (index && plain.at)
    assert_ptr_equal(by.index, index);
  while (inf_json_next(&plain)) {
    assert_true(inf_json_next(&by));
    assert_ptr_equal(by.value.ptr, plain.value.ptr);
    assert_int_equal(by.value.len, plain.value.len);
    if (plain.object) {
      assert_ptr_equal(by.key.ptr, plain.key.ptr);
      assert_int_equal(by.key.len, plain.key.len);
    }
    count += 1 + compare(index, plain.value);
  }
  assert_false(inf_json_next(&by));
  return count;
}

static void
test_index(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t values;
  } cases[] = {
      {"{}", 0},
      {"[]", 0},
      {" [ 1 , [ ] , { } ] ", 3},
      {"{\"a\":1}", 1},
      {"{\"a\":{\"b\":[1,\"]\",{\"c\":null}],\"d\":2},\"e\":[[[]]]}", 10},
      {"[{\"a\\\"\":\"x\\\"}\"},{},[{}],\"[\",true]", 7},
      {"\"text\"", 0},
      {"17", 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    inf_json_index index;
    inf_sv value;
    assert_true(inf_json_scan_index(inf_sv_from(cases[i].text), 64, &value,
                                    &index, NULL));
    assert_int_equal(compare(&index, value), cases[i].values);
    assert_int_equal(index.count, cases[i].values + 1);
    assert_int_equal(compare(NULL, value), cases[i].values);
  }
}

/* As many values as there is room for, and one more. */
static void
test_index_that_is_full(void **state)
{
  (void)state;
  enum { room = INF_JSON_INDEX_MAX - 1 };
  char text[2 * room + 16];
  for (size_t extra = 0; extra < 2; extra++) {
    size_t len = 0;
    text[len++] = '[';
    for (size_t i = 0; i < room + extra; i++) {
      text[len++] = '7';
      text[len++] = i + 1 < room + extra ? ',' : ']';
    }
    inf_json_index index;
    inf_sv value;
    assert_true(
        inf_json_scan_index(inf_sv_of(text, len), 64, &value, &index, NULL));
    inf_json_iter it = inf_json_iter_by(&index, value);
    assert_int_equal(it.index == NULL, extra);
    assert_int_equal(compare(extra ? NULL : &index, value), room + extra);
  }
}

/* The index has only what comes after the known beginning. */
static void
test_index_of_the_rest(void **state)
{
  (void)state;
  static const char text[] = "{\"a\":[1],\"b\":{\"c\":2},\"d\":\"\\n\"} ";
  inf_sv name = inf_sv_of(text + 10, 1);
  inf_json_index index;
  inf_sv value;
  assert_true(inf_json_scan_rest(inf_sv_from(text), 13, name, 64, &value,
                                 &index, NULL));
  assert_int_equal(value.len, strlen(text) - 1);
  inf_json_iter it = inf_json_iter_by(&index, value);
  assert_true(inf_json_next(&it));
  assert_ptr_equal(it.key.ptr, name.ptr);
  assert_int_equal(compare(&index, it.value), 1);
  assert_true(inf_json_next(&it));
  assert_true(inf_sv_eq(it.key, INF_SV("d")));
  assert_false(inf_json_next(&it));
  assert_true(index.ascii);
  assert_true(inf_json_index_may_escape(&index, inf_sv_of(text + 25, 4)));
  assert_false(inf_json_index_may_escape(&index, inf_sv_of(text, 13)));
  assert_true(inf_json_index_may_escape(NULL, value));
  assert_false(inf_json_scan_rest(INF_SV("{\"a\":1]"), 5, name, 64, &value,
                                  &index, NULL));
  assert_false(
      inf_json_scan_rest(INF_SV("{\"a\":"), 5, name, 64, &value, &index, NULL));
}

static void
test_index_tells_what_was_seen(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    bool ascii;
    int first, last; /* escape, -1: none */
  } cases[] = {
      {"{\"a\":\"b\"}", true, -1, -1},
      {"[\"\\n\",\"\\u00e9\",\"x\\\\\"]", true, 2, 17},
      {"{\"\\n\":1}", true, 2, 2},
      {"[\"\xC3\xA9\"]", false, -1, -1},
      {"[\"a\\t\xC3\xA9\\t\"]", false, 3, 7},
      {"{\"\xC3\xA9\":\"a\"}", false, -1, -1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *text = cases[i].text;
    inf_json_index index;
    inf_sv value;
    assert_true(
        inf_json_scan_index(inf_sv_from(text), 64, &value, &index, NULL));
    assert_int_equal(index.ascii, cases[i].ascii);
    if (cases[i].first < 0)
      assert_null(index.first_escape);
    else
      assert_ptr_equal(index.first_escape, text + cases[i].first);
    if (cases[i].last >= 0)
      assert_ptr_equal(index.last_escape, text + cases[i].last);
  }
}

static void
test_has_items(void **state)
{
  (void)state;
  assert_true(inf_json_has_items(INF_SV("[ 1]")));
  assert_true(inf_json_has_items(INF_SV("{\"a\":1}")));
  assert_false(inf_json_has_items(INF_SV("[ \n]")));
  assert_false(inf_json_has_items(INF_SV("{}")));
  assert_false(inf_json_has_items(INF_SV("\"[1]\"")));
  assert_false(inf_json_has_items(INF_SV("7")));
  assert_false(inf_json_has_items(INF_SV("")));
}

/* Neither what failed nor another text is looked up. */
static void
test_index_of_another_text(void **state)
{
  (void)state;
  static const char first[] = "[1,2,3]", second[] = "[1,2,3]";
  inf_json_index index;
  inf_sv value;
  assert_true(
      inf_json_scan_index(inf_sv_from(first), 64, &value, &index, NULL));
  assert_null(inf_json_iter_by(&index, inf_sv_from(second)).index);
  assert_null(inf_json_iter_by(&index, inf_sv_of(first, 3)).index);
  assert_false(inf_json_scan_index(INF_SV("[1,2"), 64, &value, &index, NULL));
  assert_null(inf_json_iter_by(&index, INF_SV("[1,2")).index);
}

static void
test_what_asks_for_nothing(void **state)
{
  static const char *const nothing[] = {"",    "null", "false", "0",
                                        "0.0", "\"\"", "[]",    "{ }"};
  static const char *const something[] = {"true", "1",     "-1",       "0.5",
                                          "[0]",  "\"0\"", "{\"a\":0}"};
  (void)state;
  for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
    assert_true(inf_json_is_nothing(inf_sv_from(nothing[i])));
  for (size_t i = 0; i < sizeof something / sizeof something[0]; i++)
    assert_false(inf_json_is_nothing(inf_sv_from(something[i])));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_types),
      cmocka_unit_test(test_iterates_objects),
      cmocka_unit_test(test_iterates_arrays),
      cmocka_unit_test(test_other_types_have_no_items),
      cmocka_unit_test(test_get),
      cmocka_unit_test(test_at),
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_equal),
      cmocka_unit_test(test_every_code_point),
      cmocka_unit_test(test_string_of_other_types),
      cmocka_unit_test(test_plain),
      cmocka_unit_test(test_index),
      cmocka_unit_test(test_index_that_is_full),
      cmocka_unit_test(test_index_of_the_rest),
      cmocka_unit_test(test_index_tells_what_was_seen),
      cmocka_unit_test(test_has_items),
      cmocka_unit_test(test_index_of_another_text),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_unchecked_bytes_are_harmless),
      cmocka_unit_test(test_what_asks_for_nothing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
