/* SPDX-License-Identifier: MIT */
/* The JSON checker: tables of what is JSON and what is not, places of errors,
 * and a comparison with json-c over mutated documents and recorded bodies.
 * Texts lie in blocks of exactly their size, so that a sanitizer sees every
 * read past them. */
#include "support/json_reference.h"
#include "support/recordings.h"

#include "base/rng.h"
#include "wire/json_scan.h"
#include "wire/utf8.h"

#include <infer/infer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Parses a copy without a byte to spare; the value is given back as a view
 * into the original. */
static bool
parse(inf_sv text, bool strict, unsigned depth, inf_sv *value,
      inf_json_error *error)
{
  char *copy = malloc(text.len ? text.len : 1);
  inf_sv found;
  bool ok;

  assert_non_null(copy);
  if (text.len > 0)
    memcpy(copy, text.ptr, text.len);
  ok = strict ? inf_json_parse(inf_sv_of(copy, text.len), depth, &found, error)
              : inf_json_scan(inf_sv_of(copy, text.len), depth, &found, error);
  if (ok && value)
    *value = inf_sv_of(text.ptr + (found.ptr - copy), found.len);
  free(copy);
  return ok;
}

static bool
accepts(inf_sv text)
{
  return parse(text, true, 64, NULL, NULL);
}

/* clang-format off */
static const inf_sv good[] = {
    {"{}", 2}, {"[]", 2}, {" \t\r\n[ ] \n", 9}, {"null", 4}, {"true", 4},
    {"false", 5}, {"\"\"", 2}, {"0", 1}, {"-0", 2}, {"-1.5e+10", 8},
    {"1E-2", 4}, {"0.0", 3}, {"0e0", 3}, {"10", 2},
    {"[1,\"a\",null,true,false,{},[]]", 29},
    {"{\"a\":1,\"a\":2}", 13}, {"{\"\":{\"\":[]}}", 12},
    {"[ 1 , 2 ]", 9}, {"{ \"a\" : 1 , \"b\" : [ ] }", 23},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uABcd\"", 30},
    {"\"\\ud800\"", 8}, {"\"\\udc00\\ud800\"", 14}, {"\"\\u0000\"", 8},
    {"\"\x7f\"", 3}, {"\"/\"", 3}, {"\"\xe2\x80\xa8\"", 5},
    {"\"\xf0\x9f\x98\x80\"", 6}, {"\"'\"", 3},
};

static const inf_sv bad[] = {
    {"", 0}, {" ", 1}, {"{", 1}, {"}", 1}, {"[", 1}, {"]", 1}, {"[}", 2},
    {"{]", 2}, {"[1,]", 4}, {"[,1]", 4}, {"[,]", 3}, {"[1 2]", 5},
    {"{\"a\":1,}", 8}, {"{,}", 3}, {"{\"a\"}", 5}, {"{\"a\":}", 6},
    {"{\"a\" 1}", 7}, {"{a:1}", 5}, {"{'a':1}", 7}, {"{1:1}", 5},
    {"{\"a\":1 \"b\":2}", 13}, {"{\"a\",1}", 7}, {"[\"a\":1]", 7},
    {"{} {}", 5}, {"1 2", 3}, {"[]]", 3}, {"{}x", 3}, {"nullx", 5},
    {"nul", 3}, {"tru", 3}, {"fals", 4}, {"True", 4}, {"NULL", 4},
    {"NaN", 3}, {"nan", 3}, {"Infinity", 8}, {"-Infinity", 9}, {"inf", 3},
    {"undefined", 9}, {"01", 2}, {"-01", 3}, {"00", 2}, {"+1", 2}, {".5", 2},
    {"1.", 2}, {"1.e1", 4}, {"1e", 2}, {"1e+", 3}, {"-", 1}, {"--1", 3},
    {"1.5.5", 5}, {"0x10", 4}, {"1_0", 3}, {"-a", 2}, {"1e1.5", 5},
    {"\"", 1}, {"\"a", 2}, {"\"\\\"", 3}, {"\"\\", 2}, {"'a'", 3},
    {"\"\\x\"", 4}, {"\"\\0\"", 4}, {"\"\\u\"", 4}, {"\"\\u123\"", 7},
    {"\"\\u12g4\"", 8}, {"\"\\U0041\"", 8}, {"\"\\'\"", 4}, {"\"\\", 2},
    {"\"\\u00", 5}, {"\"\n\"", 3}, {"\"\t\"", 3}, {"\"\0\"", 3},
    {"\"\x1f\"", 3}, {"\"\\\n\"", 4}, {"[1]\0", 4}, {"\0", 1}, {"[\0]", 3},
    {"\xef\xbb\xbf{}", 5}, {"[1]//x", 6}, {"/**/1", 5}, {"[1\f]", 4},
    {"[1\v]", 4}, {"\xc2\xa0[]", 4},
    {"\"\xff\"", 3}, {"\"\xc0\xaf\"", 4}, {"\"\xed\xa0\x80\"", 5},
    {"\"\xf4\x90\x80\x80\"", 6}, {"\"\xe2\x82\"", 4}, {"\"\x80\"", 3},
    {"\"\xe2\x82\\u00e9\"", 10}, {"{\"\xff\":1}", 7},
};
/* clang-format on */

static void
test_good(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good); i++) {
    if (!accepts(good[i]))
      fail_msg("refused: %.*s", (int)good[i].len, good[i].ptr);
  }
}

static void
test_bad(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++) {
    if (accepts(bad[i]))
      fail_msg("accepted [%zu]: %.*s", i, (int)bad[i].len, bad[i].ptr);
  }
}

/* No proper prefix of a value is a value, except for numbers. */
static void
test_prefixes(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good); i++) {
    char last = good[i].ptr[good[i].len - 1];

    for (size_t n = 0; n < good[i].len; n++) {
      if (last == '}' || last == ']' || last == '"')
        assert_false(accepts(inf_sv_of(good[i].ptr, n)));
    }
  }
}

/* Each byte at each place of strings around the eight-byte steps. */
static void
test_every_byte_in_strings(void **state)
{
  (void)state;
  for (size_t len = 0; len < 20; len++) {
    for (size_t at = 0; at < len; at++) {
      for (int c = 0; c < 256; c++) {
        char text[32] = {0};
        bool want = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
        bool lets = c >= 0x20 && c != '"' && c != '\\';

        memset(text, 'x', len + 2);
        text[0] = text[len + 1] = '"';
        text[at + 1] = (char)c;
        if (c == '\\' && at + 1 < len) {
          text[at + 2] = 'n';
          want = lets = true;
        }
        assert_int_equal(accepts(inf_sv_of(text, len + 2)), want);
        if (c != '"')
          assert_int_equal(
              parse(inf_sv_of(text, len + 2), false, 1, NULL, NULL), lets);
      }
    }
  }
}

typedef struct fault {
  const char *text;
  size_t offset, line, column;
  const char *reason;
} fault;

static const fault faults[] = {
    {"", 0, 1, 1, "expected a value"},
    {"\n\n ", 3, 3, 2, "expected a value"},
    {"{\n\"a\":[1,]}", 9, 2, 8, "expected a value"},
    {"[1\n,2\n3]", 6, 3, 1, "expected ',' or ']'"},
    {"{\"a\":1 \"b\"}", 7, 1, 8, "expected ',' or '}'"},
    {"{\"a\" 1}", 5, 1, 6, "expected ':'"},
    {"{1}", 1, 1, 2, "expected a string or '}'"},
    {"{\"a\":1,}", 7, 1, 8, "expected a string"},
    {"[1] x", 4, 1, 5, "expected the end of the text"},
    {"\"abc", 4, 1, 5, "unterminated string"},
    {"\"ab\ncd\"", 3, 1, 4, "control character in a string"},
    {"\"ab\\q\"", 4, 1, 5, "invalid escape"},
    {"\"\\u12x4\"", 5, 1, 6, "expected four hexadecimal digits"},
    {"\"abc\xff\"", 4, 1, 5, "invalid UTF-8"},
    {"[01]", 2, 1, 3, "number with a leading zero"},
    {"[1.]", 3, 1, 4, "expected a digit"},
    {"[-]", 2, 1, 3, "expected a digit"},
    {"[1e+]", 4, 1, 5, "expected a digit"},
    {"[truth]", 1, 1, 2, "expected a value"},
};

static void
test_error_places(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(faults); i++) {
    inf_json_error error;

    assert_false(parse(inf_sv_from(faults[i].text), true, 64, NULL, &error));
    assert_string_equal(error.reason, faults[i].reason);
    assert_int_equal(error.offset, faults[i].offset);
    assert_int_equal(error.line, faults[i].line);
    assert_int_equal(error.column, faults[i].column);
    assert_int_equal(error.status, INFER_E_INVALID_ARGUMENT);
  }
}

/* Nesting of n levels, objects and arrays mixed by the bits of mix. */
static inf_sv
nest(char *out, size_t size, unsigned n, uint64_t mix)
{
  size_t len = 0;

  for (unsigned i = 0; i < n; i++) {
    const char *open = mix >> (i % 64) & 1 ? "{\"a\":" : "[";

    len += (size_t)snprintf(out + len, size - len, "%s", open);
  }
  out[len++] = '1';
  for (unsigned i = n; i > 0; i--)
    out[len++] = mix >> ((i - 1) % 64) & 1 ? '}' : ']';
  return inf_sv_of(out, len);
}

static void
test_depth(void **state)
{
  static const unsigned limits[] = {0,   1,   2,   63,  64,    65,
                                    128, 511, 512, 513, 100000};
  static char text[8192];
  inf_json_error error;

  (void)state;
  for (size_t i = 0; i < COUNT(limits); i++) {
    unsigned most = limits[i] < 512 ? limits[i] : 512;

    for (uint64_t mix = 0; mix < 3; mix++) {
      uint64_t bits = mix == 2 ? 0x9e3779b97f4a7c15u : 0 - mix;

      assert_true(parse(nest(text, sizeof(text), most, bits), true, limits[i],
                        NULL, &error));
      assert_false(parse(nest(text, sizeof(text), most + 1, bits), true,
                         limits[i], NULL, &error));
      assert_int_equal(error.status, INFER_E_TOO_DEEP);
      assert_string_equal(error.reason, "nested too deeply");
    }
  }
}

/* A closing bracket must be that of its own level, at any depth. */
static void
test_wrong_bracket_at_each_level(void **state)
{
  static char text[8192];

  (void)state;
  for (unsigned n = 1; n < 200; n++) {
    inf_sv sv = nest(text, sizeof(text), n, 0xd1b54a32d192ed03u);
    size_t close = sv.len - n;

    for (size_t i = close; i < sv.len; i++) {
      char was = text[i];

      text[i] = was == '}' ? ']' : '}';
      assert_false(parse(sv, true, 512, NULL, NULL));
      text[i] = was;
    }
  }
}

static void
test_huge_depth_is_refused_quickly(void **state)
{
  size_t len = 1u << 20;
  char *text = malloc(len);
  inf_json_error error;

  (void)state;
  assert_non_null(text);
  memset(text, '[', len);
  assert_false(inf_json_parse(inf_sv_of(text, len), 64, NULL, &error));
  assert_int_equal(error.offset, 64);
  free(text);
}

static void
test_value_is_trimmed(void **state)
{
  inf_sv value;

  (void)state;
  assert_true(inf_json_parse(INF_SV(" \n[1] \t"), 4, &value, NULL));
  assert_true(inf_sv_eq(value, INF_SV("[1]")));
  assert_true(inf_json_scan(INF_SV("\r\n {\"a\":1}{\"b\""), 4, &value, NULL));
  assert_true(inf_sv_eq(value, INF_SV("{\"a\":1}")));
  assert_true(inf_json_scan(INF_SV("12,"), 4, &value, NULL));
  assert_true(inf_sv_eq(value, INF_SV("12")));
  assert_false(inf_json_parse(inf_sv_of(NULL, 0), 4, &value, NULL));
  assert_false(inf_json_scan(inf_sv_of(NULL, 0), 4, &value, NULL));
}

static void
test_scan_lets_invalid_utf8_through(void **state)
{
  (void)state;
  assert_true(parse(INF_SV("{\"\xff\":\"\xc3\"}"), false, 4, NULL, NULL));
  assert_false(parse(INF_SV("[\xff]"), false, 4, NULL, NULL));
  assert_false(parse(INF_SV("\"a\nb\""), false, 4, NULL, NULL));
}

/* Comparison with json-c ----------------------------------------------- */

typedef struct comparison {
  size_t both, neither, laxer, known;
} comparison;

static void
compare(comparison *cmp, inf_sv text)
{
  const char *why;
  json_verdict verdict = json_judge(text, 200, &why);

  if (verdict == JSON_ONLY_OURS)
    fail_msg("only we accept: %.*s", (int)text.len, text.ptr);
  if (verdict == JSON_DIFFERENT)
    fail_msg("read differently: %.*s", (int)text.len, text.ptr);
  if (verdict == JSON_ONLY_THEIRS)
    fail_msg("only we refuse (%s): %.*s", why, (int)text.len, text.ptr);
  cmp->both += verdict == JSON_SAME || verdict == JSON_KNOWN;
  cmp->neither += verdict == JSON_BOTH_REFUSE;
  cmp->laxer += verdict == JSON_LAX;
  cmp->known += verdict == JSON_KNOWN;
}

static const char *const seeds[] = {
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":"
    "1754156400,\"choices\":[{\"index\":0,\"delta\":{\"content\":\" "
    "h\\u00e9\"},"
    "\"finish_reason\":null}],\"usage\":null}",
    "[0,-1,1.5,1e3,-2.5E-3,1400000000000000001,9223372036854767616]",
    "{\"a\":{\"b\":{\"c\":[[[]],{},[{}]]}},\"d\":[true,false,null]}",
    ("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\ud83d\\ude00\",\"gr\xc3\xbc\xc3\x9f "
     "\xf0\x9f\x98\x80\"]"),
    " [ 1 , { \"x\" : \"y\" } , [ ] ] ",
    "{\"a\":1,\"b\":2,\"a\":3,\"\":4}",
    "\"a string of more than eight bytes\"",
    "{\"error\":{\"message\":\"try again in 5.289s\",\"code\":429}}",
};

static const char *const tokens[] = {
    "{",    "}",  "[",     "]",    ",",     ":",   "\"",        "\\",
    "0",    "1",  "9",     "-",    ".",     "e",   "E+",        "true",
    "nul",  "\n", " ",     "\t",   "\\u",   "\\n", "d83d",      "\xc3",
    "\xa9", "x",  "false", "null", "\"a\"", "[]",  "{\"k\":1}", "NaN"};

/* One random change: a byte put in, taken out, exchanged, a token put in, or a
 * piece copied elsewhere. */
static size_t
mutate(inf_rng *rng, char *text, size_t len, size_t size)
{
  size_t at = (size_t)inf_rng_below(rng, len + 1);
  const char *token = tokens[inf_rng_below(rng, COUNT(tokens))];
  size_t n = strlen(token);

  switch (inf_rng_below(rng, 4)) {
  case 0:
    if (at == len)
      return len;
    memmove(text + at, text + at + 1, len - at - 1);
    return len - 1;
  case 1:
    if (at < len)
      text[at] = (char)inf_rng_below(rng, 256);
    return len;
  case 2:
    if (at + n <= len)
      memcpy(text + at, token, n);
    return len;
  default:
    if (len + n > size)
      return len;
    memmove(text + at + n, text + at, len - at);
    memcpy(text + at, token, n);
    return len + n;
  }
}

static void
test_against_json_c(void **state)
{
  comparison cmp = {0};
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 7);
  for (int i = 0; i < 200000; i++) {
    char text[512];
    const char *seed = seeds[inf_rng_below(&rng, COUNT(seeds))];
    size_t len = strlen(seed);
    uint64_t changes = inf_rng_below(&rng, 4);

    memcpy(text, seed, len);
    for (uint64_t c = 0; c < changes; c++)
      len = mutate(&rng, text, len, sizeof(text));
    compare(&cmp, inf_sv_of(text, len));
  }
  /* The corpus has enough of each kind to mean something. */
  assert_true(cmp.both > 50000);
  assert_true(cmp.neither > 50000);
  assert_true(cmp.laxer > 100);
  assert_true(cmp.known < 100);
}

/* Short texts over the bytes of which JSON is made, all of them. */
static void
test_all_short_texts_against_json_c(void **state)
{
  static const char alphabet[] = "{}[],:\"\\0-1.eua n";
  size_t letters = sizeof(alphabet) - 1;
  comparison cmp = {0};
  char text[5];

  (void)state;
  for (size_t len = 1; len <= 4; len++) {
    size_t total = 1;

    for (size_t i = 0; i < len; i++)
      total *= letters;
    for (size_t n = 0; n < total; n++) {
      for (size_t i = 0, rest = n; i < len; i++, rest /= letters)
        text[i] = alphabet[rest % letters];
      compare(&cmp, inf_sv_of(text, len));
    }
  }
}

static void
check_body(void *context, const char *name, const char *body, size_t len)
{
  inf_sv text = inf_sv_trim(inf_sv_of(body, len));

  (void)name;
  if (text.len > 0 && (text.ptr[0] == '{' || text.ptr[0] == '['))
    compare(context, text);
}

static void
test_recordings(void **state)
{
  comparison cmp = {0};
  size_t count;

  (void)state;
  count = recordings_each("", check_body, &cmp);
  if (count == 0) {
    print_message("SKIP: no recordings (set INFER_SHARED)\n");
    skip();
  }
  assert_true(cmp.both > 100);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good),
      cmocka_unit_test(test_bad),
      cmocka_unit_test(test_prefixes),
      cmocka_unit_test(test_every_byte_in_strings),
      cmocka_unit_test(test_error_places),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_wrong_bracket_at_each_level),
      cmocka_unit_test(test_huge_depth_is_refused_quickly),
      cmocka_unit_test(test_value_is_trimmed),
      cmocka_unit_test(test_scan_lets_invalid_utf8_through),
      cmocka_unit_test(test_against_json_c),
      cmocka_unit_test(test_all_short_texts_against_json_c),
      cmocka_unit_test(test_recordings),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
