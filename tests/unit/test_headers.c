/* SPDX-License-Identifier: MIT */
/* Collected header fields. */
#include "support/fail_alloc.h"

#include "wire/headers.h"

#include <infer/infer.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
assert_field(const inf_headers *headers, size_t index, const char *name,
             const char *value)
{
  inf_sv got_name, got_value;

  assert_true(inf_headers_at(headers, index, &got_name, &got_value));
  assert_true(inf_sv_eq(got_name, inf_sv_from(name)));
  assert_true(inf_sv_eq(got_value, inf_sv_from(value)));
}

static void
test_collects_fields_in_order(void **state)
{
  static const char *const lines[] = {"HTTP/1.1 200 OK\r\n",
                                      "Content-Type: text/event-stream\r\n",
                                      "x-request-id:abc:def\r\n",
                                      "X-Empty:\r\n",
                                      "X-Spaces: \t a b \t \r\n",
                                      "X-Twice: 1\n",
                                      "x-twice: 2",
                                      "\r\n",
                                      "",
                                      "no colon",
                                      ": no name",
                                      "bad name: x",
                                      " folded: x",
                                      "bad\x01name: x",
                                      "HTTP/1.1 200 a:b\r\n"};
  inf_headers headers;
  inf_sv value = {0};

  (void)state;
  inf_headers_init(&headers, 1000);
  for (size_t i = 0; i < COUNT(lines); i++)
    assert_int_equal(inf_headers_add_line(&headers, inf_sv_from(lines[i])),
                     INFER_OK);
  assert_int_equal(headers.count, 6);
  assert_field(&headers, 0, "Content-Type", "text/event-stream");
  assert_field(&headers, 1, "x-request-id", "abc:def");
  assert_field(&headers, 2, "X-Empty", "");
  assert_field(&headers, 3, "X-Spaces", "a b");
  assert_field(&headers, 4, "X-Twice", "1");
  assert_field(&headers, 5, "x-twice", "2");
  assert_false(inf_headers_at(&headers, 6, &value, &value));
  assert_string_equal(headers.text.ptr,
                      "Content-Type: text/event-stream\n"
                      "x-request-id: abc:def\nX-Empty: \nX-Spaces: a b\n"
                      "X-Twice: 1\nx-twice: 2\n");
  inf_headers_fini(&headers);
}

static void
test_get_ignores_case_and_takes_the_first(void **state)
{
  inf_headers headers;
  inf_sv value = {0};

  (void)state;
  inf_headers_init(&headers, 1000);
  assert_false(inf_headers_get(&headers, INF_SV("a"), &value));
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("A-b: 1")), INFER_OK);
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("a-B: 2")), INFER_OK);
  assert_true(inf_headers_get(&headers, INF_SV("a-b"), &value));
  assert_true(inf_sv_eq(value, INF_SV("1")));
  assert_false(inf_headers_get(&headers, INF_SV("a"), &value));
  assert_false(inf_headers_get(&headers, INF_SV("a-b:"), &value));
  assert_false(inf_headers_get(&headers, INF_SV(""), &value));
  inf_headers_clear(&headers);
  assert_int_equal(headers.count, 0);
  assert_false(inf_headers_get(&headers, INF_SV("a-b"), &value));
  inf_headers_fini(&headers);
}

/* A line end within a line cannot make a second field. */
static void
test_one_line_is_one_field(void **state)
{
  inf_headers headers;
  inf_sv value;

  (void)state;
  inf_headers_init(&headers, 1000);
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("a: 1\r\nb: 2\r\n")),
                   INFER_OK);
  assert_int_equal(headers.count, 1);
  assert_true(inf_headers_get(&headers, INF_SV("a"), &value));
  assert_true(inf_sv_eq(value, INF_SV("1")));
  assert_false(inf_headers_get(&headers, INF_SV("b"), &value));
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("x\ny: 2")), INFER_OK);
  assert_int_equal(headers.count, 1);
  inf_headers_fini(&headers);
}

static void
test_limit_keeps_whole_fields(void **state)
{
  inf_headers headers;
  inf_sv value;

  (void)state;
  /* "a: 1\n" twice. */
  inf_headers_init(&headers, 10);
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("a:1")), INFER_OK);
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("b:2")), INFER_OK);
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("c:")),
                   INFER_E_TOO_LARGE);
  assert_int_equal(headers.count, 2);
  assert_string_equal(headers.text.ptr, "a: 1\nb: 2\n");
  assert_true(inf_headers_get(&headers, INF_SV("b"), &value));
  inf_headers_clear(&headers);
  assert_int_equal(inf_headers_add_line(&headers, INF_SV("c:")), INFER_OK);
  inf_headers_fini(&headers);
}

static void
test_names_and_values(void **state)
{
  (void)state;
  for (int c = 0; c < 256; c++) {
    char name[3] = {'x', (char)c, 'y'};
    bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                 (c >= 'A' && c <= 'Z') ||
                 (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
    bool text = (c >= 0x20 && c != 0x7f) || c == '\t';

    assert_int_equal(inf_header_name_valid(inf_sv_of(name, 3)), token);
    assert_int_equal(inf_header_value_valid(inf_sv_of(name, 3)), text);
  }
  assert_false(inf_header_name_valid(inf_sv_of(NULL, 0)));
  assert_true(inf_header_value_valid(inf_sv_of(NULL, 0)));
  assert_true(inf_header_name_valid(INF_SV("x-api-key")));
  assert_false(inf_header_value_valid(INF_SV("a\r\nEvil: 1")));
}

static void
memory_scenario(void *arg)
{
  inf_headers headers;
  int32_t status = INFER_OK;

  (void)arg;
  inf_headers_init(&headers, 10000);
  for (int i = 0; i < 20 && status == INFER_OK; i++)
    status = inf_headers_add_line(&headers, INF_SV("name-of-field: value"));
  assert_int_equal(status, fail_alloc_hits() ? INFER_E_NO_MEMORY : INFER_OK);
  assert_int_equal(headers.text.len % 21, 0);
  assert_int_equal(headers.text.len / 21, headers.count);
  inf_headers_fini(&headers);
}

static void
test_memory_failures(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, NULL) > 2);
  fail_alloc_uninstall();
}

static void
test_walks_over_all(void **state)
{
  inf_headers headers;
  inf_sv name, value, same_name, same_value;
  size_t at = 0, count = 0;

  (void)state;
  inf_headers_init(&headers, 1000);
  assert_false(inf_headers_next(&headers, &at, &name, &value));
  inf_headers_add_line(&headers, INF_SV("a: 1"));
  inf_headers_add_line(&headers, INF_SV("b:"));
  inf_headers_add_line(&headers, INF_SV("c: x: y"));
  while (inf_headers_next(&headers, &at, &name, &value)) {
    assert_true(inf_headers_at(&headers, count, &same_name, &same_value));
    assert_true(inf_sv_eq(name, same_name));
    assert_true(inf_sv_eq(value, same_value));
    count++;
  }
  assert_int_equal(count, 3);
  assert_false(inf_headers_next(&headers, &at, &name, &value));
  inf_headers_fini(&headers);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_collects_fields_in_order),
      cmocka_unit_test(test_get_ignores_case_and_takes_the_first),
      cmocka_unit_test(test_one_line_is_one_field),
      cmocka_unit_test(test_limit_keeps_whole_fields),
      cmocka_unit_test(test_names_and_values),
      cmocka_unit_test(test_walks_over_all),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
