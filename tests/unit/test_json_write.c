/* SPDX-License-Identifier: MIT */
/* The JSON writer: commas, escapes, numbers, and that what it writes reads
 * back as what went in. */
#include "support/fail_alloc.h"

#include "base/rng.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

#include <infer/infer.h>
#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FFFD         "\xef\xbf\xbd"

static void
assert_text(inf_buf *buf, const char *want)
{
  assert_int_equal(buf->status, INFER_OK);
  assert_string_equal(inf_buf_cstr(buf), want);
  inf_buf_fini(buf);
}

static inf_buf
buffer(void)
{
  inf_buf buf;

  inf_buf_init(&buf, 1 << 20);
  return buf;
}

static void
test_objects_and_arrays(void **state)
{
  inf_buf buf = buffer();

  (void)state;
  inf_json_open(&buf, '{');
  inf_json_member_int(&buf, INF_SV("a"), 1);
  inf_json_key(&buf, INF_SV("b"));
  inf_json_open(&buf, '[');
  inf_json_put_int(&buf, -2);
  inf_json_put_string(&buf, INF_SV("x"));
  inf_json_open(&buf, '{');
  inf_json_close(&buf, '}');
  inf_json_open(&buf, '[');
  inf_json_close(&buf, ']');
  inf_json_put_bool(&buf, true);
  inf_json_put_bool(&buf, false);
  inf_json_put_null(&buf);
  inf_json_put_double(&buf, 0.5);
  inf_json_put_raw(&buf, INF_SV("{\"r\":1}"));
  inf_json_close(&buf, ']');
  inf_json_member_string(&buf, INF_SV("c\n"), INF_SV(""));
  inf_json_member_raw(&buf, INF_SV("d"), INF_SV("[]"));
  inf_json_member_bool(&buf, INF_SV("e"), true);
  inf_json_close(&buf, '}');
  assert_text(&buf,
              "{\"a\":1,\"b\":[-2,\"x\",{},[],true,false,null,0.5,{\"r\":1}],"
              "\"c\\n\":\"\",\"d\":[],\"e\":true}");
}

/* Text that ends with a bracket or a colon is still a value. */
static void
test_commas_after_text(void **state)
{
  inf_buf buf = buffer();

  (void)state;
  inf_json_open(&buf, '[');
  inf_json_put_string(&buf, INF_SV("["));
  inf_json_put_string(&buf, INF_SV("{"));
  inf_json_put_string(&buf, INF_SV(":"));
  inf_json_put_string(&buf, INF_SV(","));
  inf_json_close(&buf, ']');
  assert_text(&buf, "[\"[\",\"{\",\":\",\",\"]");
}

static void
test_lone_values(void **state)
{
  inf_buf buf = buffer();

  (void)state;
  inf_json_put_int(&buf, INT64_MIN);
  assert_text(&buf, "-9223372036854775808");
  inf_json_put_int(&buf, INT64_MAX);
  assert_text(&buf, "9223372036854775807");
  inf_json_put_double(&buf, (double)NAN);
  assert_text(&buf, "null");
  inf_json_put_double(&buf, -(double)INFINITY);
  assert_text(&buf, "null");
  inf_json_put_double(&buf, 1e300);
  assert_text(&buf, "1e+300");
}

typedef struct escape {
  const char *text;
  size_t len;
  const char *json;
} escape;

#define ESCAPE(text, json)       \
  {                              \
    text, sizeof(text) - 1, json \
  }

static const escape escapes[] = {
    ESCAPE("", ""),
    ESCAPE("plain /text' \x7f", "plain /text' \x7f"),
    ESCAPE("\"\\", "\\\"\\\\"),
    ESCAPE("\b\f\n\r\t", "\\b\\f\\n\\r\\t"),
    ESCAPE("\0\x01\x0b\x1f", "\\u0000\\u0001\\u000b\\u001f"),
    ESCAPE("\x1e\x10\x0e", "\\u001e\\u0010\\u000e"),
    ESCAPE("gr\xc3\xbc\xf0\x9f\x98\x80\xe2\x80\xa8",
           "gr\xc3\xbc\xf0\x9f\x98\x80\xe2\x80\xa8"),
    ESCAPE("a\xff\"\xc3\n\xe2\x82", "a" FFFD "\\\"" FFFD "\\n" FFFD),
    ESCAPE("a long run of plain text\nand another one that is long",
           "a long run of plain text\\nand another one that is long"),
};

static void
test_escapes(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(escapes); i++) {
    inf_buf buf = buffer();

    inf_json_escape(&buf, inf_sv_of(escapes[i].text, escapes[i].len));
    assert_text(&buf, escapes[i].json);
  }
  inf_json_escape(&(inf_buf){.max = 1}, inf_sv_of(NULL, 0));
}

static void
test_strings_read_back(void **state)
{
  inf_buf json = buffer(), back = buffer(), want = buffer();
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 21);
  for (int i = 0; i < 50000; i++) {
    char text[64];
    size_t len = (size_t)inf_rng_below(&rng, sizeof(text));
    inf_sv value;

    for (size_t n = 0; n < len; n++)
      text[n] = (char)(inf_rng_below(&rng, 4) == 0
                           ? inf_rng_below(&rng, 256)
                           : inf_rng_between(&rng, 0x1e, 0x7f));
    inf_buf_clear(&json);
    inf_buf_clear(&back);
    inf_buf_clear(&want);
    inf_json_put_string(&json, inf_sv_of(text, len));
    assert_true(inf_json_parse(inf_buf_sv(&json), 1, &value, NULL));
    assert_true(inf_json_string(value, &back));
    inf_utf8_append_lossy(&want, inf_sv_of(text, len));
    assert_true(inf_sv_eq(inf_buf_sv(&back), inf_buf_sv(&want)));
  }
  inf_buf_fini(&json);
  inf_buf_fini(&back);
  inf_buf_fini(&want);
}

static void
test_limit_is_sticky(void **state)
{
  inf_buf buf;

  (void)state;
  inf_buf_init(&buf, 10);
  inf_json_open(&buf, '[');
  inf_json_put_string(&buf, INF_SV("longer than that"));
  inf_json_put_int(&buf, 1);
  inf_json_put_string(&buf, INF_SV("a\nb"));
  inf_json_close(&buf, ']');
  assert_int_equal(buf.status, INFER_E_TOO_LARGE);
  assert_true(buf.len <= 10);
  inf_buf_fini(&buf);
}

static void
memory_scenario(void *arg)
{
  inf_buf buf = buffer();

  (void)arg;
  inf_json_open(&buf, '[');
  for (int i = 0; i < 20; i++)
    inf_json_put_string(&buf, INF_SV("text with\nescapes \xff"));
  inf_json_put_double(&buf, 1.5);
  inf_json_close(&buf, ']');
  assert_int_equal(buf.status,
                   fail_alloc_hits() ? INFER_E_NO_MEMORY : INFER_OK);
  inf_buf_fini(&buf);
}

static void
test_memory_failures(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, NULL) > 2);
  fail_alloc_uninstall();
}

/* However long the string and wherever its odd byte: as if it were escaped,
 * with room for it in the buffer and without. */
static void
test_short_strings(void **state)
{
  char text[80];

  (void)state;
  for (unsigned c = 0; c < 0x100; c++) {
    for (size_t len = 0; len < sizeof text; len += len < 20 ? 1 : 11) {
      for (size_t at = 0; at <= len; at++) {
        inf_buf want = buffer(), got = buffer(), tight = buffer();

        memset(text, 'x', len);
        if (at < len)
          text[at] = (char)c;
        inf_buf_append_cstr(&want, "[1,\"");
        inf_json_escape(&want, inf_sv_of(text, len));
        inf_buf_append_cstr(&want, "\"");
        inf_buf_append_cstr(&got, "[1");
        inf_buf_append_cstr(&tight, "[1");
        inf_buf_reserve(&got, 1000);
        inf_json_put_string(&got, inf_sv_of(text, len));
        inf_json_put_string(&tight, inf_sv_of(text, len));
        assert_int_equal(got.len, want.len);
        assert_string_equal(inf_buf_cstr(&tight), inf_buf_cstr(&want));
        assert_text(&got, inf_buf_cstr(&want));
        inf_buf_fini(&tight);
        inf_buf_fini(&want);
      }
    }
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_objects_and_arrays),
      cmocka_unit_test(test_commas_after_text),
      cmocka_unit_test(test_lone_values),
      cmocka_unit_test(test_escapes),
      cmocka_unit_test(test_strings_read_back),
      cmocka_unit_test(test_short_strings),
      cmocka_unit_test(test_limit_is_sticky),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
