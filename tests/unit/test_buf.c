/* SPDX-License-Identifier: MIT */
/* The growing buffer: what it holds, where it stops, and that a failure of
 * any kind leaves it as it was. */
#include "base/buf.h"

#include "infer/infer.h"
#include "support/fail_alloc.h"

#include <inttypes.h>
#include <stdio.h>

static void
check(const inf_buf *buf, const char *expected)
{
  assert_int_equal(buf->status, INFER_OK);
  assert_int_equal(buf->len, strlen(expected));
  assert_string_equal(buf->ptr, expected);
}

static void
test_empty(void **state)
{
  (void)state;
  inf_buf buf = {.max = 10};
  assert_null(buf.ptr);
  assert_string_equal(inf_buf_cstr(&buf), "");
  assert_int_equal(inf_buf_sv(&buf).len, 0);
  inf_buf_consume(&buf, 0);
  inf_buf_consume(&buf, 5);
  inf_buf_truncate(&buf, 0);
  inf_buf_truncate(&buf, 5);
  inf_buf_clear(&buf);
  assert_int_equal(buf.len, 0);
  inf_buf_fini(&buf);
  inf_buf_fini_secret(&buf);
  inf_buf_init(&buf, 7);
  assert_int_equal(buf.max, 7);
  assert_null(buf.ptr);
}

static void
test_append(void **state)
{
  (void)state;
  inf_buf buf;
  inf_buf_init(&buf, 1000);
  assert_true(inf_buf_append(&buf, "one", 3));
  check(&buf, "one");
  assert_true(inf_buf_append_char(&buf, ' '));
  assert_true(inf_buf_append_cstr(&buf, "two"));
  assert_true(inf_buf_append_sv(&buf, INF_SV(" three")));
  check(&buf, "one two three");
  assert_true(inf_buf_append(&buf, NULL, 0));
  assert_true(inf_buf_append_cstr(&buf, NULL));
  assert_true(inf_buf_append_sv(&buf, inf_sv_from(NULL)));
  check(&buf, "one two three");
  assert_true(inf_sv_eq(inf_buf_sv(&buf), INF_SV("one two three")));
  inf_buf_fini(&buf);
  assert_null(buf.ptr);
  assert_int_equal(buf.max, 1000);
}

static void
test_append_nothing_makes_a_string(void **state)
{
  (void)state;
  inf_buf buf = {.max = 0};
  assert_true(inf_buf_append(&buf, NULL, 0));
  check(&buf, "");
  inf_buf_fini(&buf);
}

static void
test_nul_bytes_are_bytes(void **state)
{
  (void)state;
  inf_buf buf = {.max = 100};
  assert_true(inf_buf_append(&buf, "a\0b", 3));
  assert_true(inf_buf_append_char(&buf, '\0'));
  assert_int_equal(buf.len, 4);
  assert_memory_equal(buf.ptr, "a\0b\0", 5);
  inf_buf_fini(&buf);
}

static void
test_numbers(void **state)
{
  (void)state;
  static const int64_t numbers[] = {
      0, 1, -1, 9, 10, -10, 99, 100, 1234567890, INT64_MAX, INT64_MIN,
  };
  inf_buf buf = {.max = 100};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    char expected[32];
    (void)snprintf(expected, sizeof expected, "%" PRId64, numbers[i]);
    inf_buf_clear(&buf);
    assert_true(inf_buf_append_int(&buf, numbers[i]));
    check(&buf, expected);
  }
  inf_buf_clear(&buf);
  assert_true(inf_buf_append_uint(&buf, UINT64_MAX));
  check(&buf, "18446744073709551615");
  inf_buf_clear(&buf);
  assert_true(inf_buf_append_uint(&buf, 0));
  check(&buf, "0");
  inf_buf_fini(&buf);
}

static void
test_format(void **state)
{
  (void)state;
  inf_buf buf = {.max = 10000};
  assert_true(inf_buf_appendf(&buf, "%s=%d;", "a", 1));
  assert_true(inf_buf_appendf(&buf, "%s", ""));
  assert_true(inf_buf_appendf(&buf, "%c", 'x'));
  check(&buf, "a=1;x");
  inf_buf_fini(&buf);
}

/* Each length from well within the first room to well past it. */
static void
test_format_at_every_room(void **state)
{
  (void)state;
  char text[201];
  memset(text, 'x', sizeof text);
  for (int before = 0; before < 70; before++) {
    for (int len = 0; len < 200; len += 1 + len / 140) {
      inf_buf buf = {.max = 10000};
      assert_true(inf_buf_append(&buf, text, (size_t)before));
      assert_true(inf_buf_appendf(&buf, "%.*s", len, text));
      assert_int_equal(buf.len, before + len);
      assert_int_equal(strlen(buf.ptr), before + len);
      inf_buf_fini(&buf);
    }
  }
}

static void
test_growth_keeps_bytes(void **state)
{
  (void)state;
  inf_buf buf = {.max = 1 << 20};
  for (uint32_t i = 0; i < 100000; i++)
    assert_true(inf_buf_append_char(&buf, (char)('a' + i % 26)));
  assert_int_equal(buf.len, 100000);
  for (uint32_t i = 0; i < 100000; i++)
    assert_int_equal(buf.ptr[i], (char)('a' + i % 26));
  assert_int_equal(buf.ptr[100000], 0);
  inf_buf_fini(&buf);
}

/* Doubling: a million single bytes in some twenty allocations. */
static void
test_growth_is_geometric(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_buf buf = {.max = SIZE_MAX};
  for (int i = 0; i < 1000000; i++)
    assert_true(inf_buf_append_char(&buf, 'x'));
  assert_true(fail_alloc_count() <= 20);
  inf_buf_fini(&buf);
  fail_alloc_uninstall();
}

static void
test_reserve_saves_allocations(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_buf buf = {.max = 5000};
  assert_true(inf_buf_append_cstr(&buf, "head"));
  assert_true(inf_buf_reserve(&buf, 4096));
  check(&buf, "head");
  fail_alloc_from(1);
  for (int i = 0; i < 4096; i++)
    assert_true(inf_buf_append_char(&buf, 'x'));
  assert_int_equal(fail_alloc_count(), 0);
  inf_buf_fini(&buf);
  fail_alloc_uninstall();
}

/* inf_buf_cstr() may be asked for between the two. */
static void
test_reserve_leaves_a_string(void **state)
{
  (void)state;
  inf_buf buf = {.max = 100};
  assert_true(inf_buf_reserve(&buf, 50));
  assert_string_equal(inf_buf_cstr(&buf), "");
  inf_buf_fini(&buf);
}

static void
check_full(inf_buf *buf, const char *content)
{
  assert_int_equal(buf->status, INFER_E_TOO_LARGE);
  assert_int_equal(buf->len, strlen(content));
  assert_string_equal(inf_buf_cstr(buf), content);
  /* Sticky: even what would fit does nothing now. */
  assert_false(inf_buf_append(buf, "", 0));
  assert_false(inf_buf_append_char(buf, 'x'));
  assert_false(inf_buf_appendf(buf, "x"));
  assert_false(inf_buf_append_int(buf, -1));
  assert_false(inf_buf_reserve(buf, 0));
  assert_string_equal(inf_buf_cstr(buf), content);
  size_t len = 99;
  assert_null(inf_buf_take(buf, &len));
  assert_int_equal(len, 99);
}

static void
test_maximum(void **state)
{
  (void)state;
  inf_buf buf = {.max = 5};
  assert_true(inf_buf_append_cstr(&buf, "12345"));
  check(&buf, "12345");
  assert_true(inf_buf_append(&buf, NULL, 0));
  assert_true(buf.cap <= 6);
  assert_false(inf_buf_append_char(&buf, '6'));
  check_full(&buf, "12345");
  inf_buf_clear(&buf);
  check(&buf, "");
  assert_true(inf_buf_append_cstr(&buf, "123"));
  assert_false(inf_buf_append_cstr(&buf, "456"));
  check_full(&buf, "123");
  inf_buf_fini(&buf);
  assert_int_equal(buf.status, INFER_OK);
}

static void
test_maximum_holds_for_every_append(void **state)
{
  (void)state;
  inf_buf buf = {.max = 3};
  assert_false(inf_buf_append_int(&buf, -123));
  check_full(&buf, "");
  inf_buf_clear(&buf);
  assert_true(inf_buf_append_int(&buf, -12));
  inf_buf_clear(&buf);
  assert_false(inf_buf_append_uint(&buf, 1234));
  check_full(&buf, "");
  inf_buf_clear(&buf);
  assert_true(inf_buf_appendf(&buf, "%d", 123));
  check(&buf, "123");
  assert_false(inf_buf_appendf(&buf, "%d", 4));
  check_full(&buf, "123");
  inf_buf_clear(&buf);
  assert_false(inf_buf_reserve(&buf, 4));
  check_full(&buf, "");
  inf_buf_fini(&buf);
}

/* Past the first capacity the doubling would overshoot. */
static void
test_maximum_caps_doubling(void **state)
{
  (void)state;
  inf_buf buf = {.max = 100};
  for (int i = 0; i < 100; i++)
    assert_true(inf_buf_append_char(&buf, 'x'));
  assert_true(buf.cap <= 101);
  assert_false(inf_buf_append_char(&buf, 'x'));
  assert_int_equal(buf.len, 100);
  inf_buf_fini(&buf);
}

static void
test_sizes_do_not_wrap(void **state)
{
  (void)state;
  inf_buf buf = {.max = SIZE_MAX};
  assert_false(inf_buf_reserve(&buf, SIZE_MAX));
  assert_int_equal(buf.status, INFER_E_TOO_LARGE);
  inf_buf_clear(&buf);
  fail_alloc_install();
  assert_true(inf_buf_append_cstr(&buf, "abc"));
  fail_alloc_from(1); /* what may be asked for is not to be had anyway */
  for (size_t extra = SIZE_MAX; extra > SIZE_MAX - 5; extra--) {
    assert_false(inf_buf_reserve(&buf, extra));
    assert_int_equal(buf.len, 3);
    buf.status = INFER_OK;
  }
  check(&buf, "abc");
  inf_buf_fini(&buf);
  fail_alloc_uninstall();
}

static void
test_consume(void **state)
{
  (void)state;
  inf_buf buf = {.max = 100};
  assert_true(inf_buf_append_cstr(&buf, "hello, world"));
  inf_buf_consume(&buf, 0);
  check(&buf, "hello, world");
  inf_buf_consume(&buf, 7);
  check(&buf, "world");
  assert_true(inf_buf_append_char(&buf, '!'));
  check(&buf, "world!");
  inf_buf_consume(&buf, 5);
  check(&buf, "!");
  inf_buf_consume(&buf, 1);
  check(&buf, "");
  assert_true(inf_buf_append_cstr(&buf, "ab"));
  inf_buf_consume(&buf, 1000);
  check(&buf, "");
  inf_buf_fini(&buf);
}

static void
test_truncate(void **state)
{
  (void)state;
  inf_buf buf = {.max = 100};
  assert_true(inf_buf_append_cstr(&buf, "hello"));
  inf_buf_truncate(&buf, 100);
  check(&buf, "hello");
  inf_buf_truncate(&buf, 5);
  check(&buf, "hello");
  inf_buf_truncate(&buf, 2);
  check(&buf, "he");
  inf_buf_truncate(&buf, 0);
  check(&buf, "");
  inf_buf_fini(&buf);
}

static void
test_clear_keeps_memory(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_buf buf = {.max = 1000};
  assert_true(inf_buf_append_cstr(&buf, "something"));
  fail_alloc_from(1);
  inf_buf_clear(&buf);
  check(&buf, "");
  assert_true(inf_buf_append_cstr(&buf, "other"));
  check(&buf, "other");
  assert_int_equal(fail_alloc_count(), 0);
  inf_buf_fini(&buf);
  fail_alloc_uninstall();
}

static void
test_take(void **state)
{
  (void)state;
  inf_buf buf = {.max = 100};
  assert_true(inf_buf_append_cstr(&buf, "hello"));
  size_t len = 0;
  char *text = inf_buf_take(&buf, &len);
  assert_string_equal(text, "hello");
  assert_int_equal(len, 5);
  assert_null(buf.ptr);
  assert_int_equal(buf.len, 0);
  assert_int_equal(buf.max, 100);
  assert_true(inf_buf_append_cstr(&buf, "again"));
  check(&buf, "again");
  assert_string_equal(text, "hello");
  inf_free(text);
  inf_free(inf_buf_take(&buf, NULL));
}

static void
test_take_of_nothing(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_buf buf = {.max = 0};
  size_t len = 99;
  char *text = inf_buf_take(&buf, &len);
  assert_string_equal(text, "");
  assert_int_equal(len, 0);
  inf_free(text);
  fail_alloc_from(1);
  assert_null(inf_buf_take(&buf, NULL));
  fail_alloc_uninstall();
}

/* ---- Memory ------------------------------------------------------------- */

static void
test_memory_failure_leaves_content(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_buf buf = {.max = 10000};
  assert_true(inf_buf_append_cstr(&buf, "content"));
  fail_alloc_nth(1);
  assert_false(inf_buf_appendf(&buf, "%200d", 1));
  assert_int_equal(buf.status, INFER_E_NO_MEMORY);
  assert_string_equal(buf.ptr, "content");
  assert_int_equal(buf.len, 7);
  /* The memory is back, but a writer who missed the failure must not go on. */
  assert_false(inf_buf_append_char(&buf, 'x'));
  assert_int_equal(buf.status, INFER_E_NO_MEMORY);
  assert_null(inf_buf_take(&buf, NULL));
  inf_buf_clear(&buf);
  assert_true(inf_buf_append_cstr(&buf, "ok"));
  check(&buf, "ok");
  inf_buf_fini(&buf);
  fail_alloc_uninstall();
}

static void
write_a_lot(void *arg)
{
  (void)arg;
  inf_buf buf = {.max = 100000};
  for (int i = 0; i < 200; i++) {
    (void)inf_buf_append_cstr(&buf, "{\"n\":");
    (void)inf_buf_append_int(&buf, i);
    (void)inf_buf_appendf(&buf, ",\"s\":\"%*d\"}", i, i);
  }
  bool failed = fail_alloc_hits() > 0;
  assert_int_equal(buf.status, failed ? INFER_E_NO_MEMORY : INFER_OK);
  assert_true(!buf.ptr || buf.ptr[buf.len] == '\0');
  char *text = inf_buf_take(&buf, NULL);
  assert_true(!text == failed);
  inf_free(text);
  inf_buf_fini(&buf);
}

static void
test_every_allocation_may_fail(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(write_a_lot, NULL) >= 10);
  fail_alloc_uninstall();
}

/* Tells whether a secret was in any block that was given back. */
static bool leaked_secret;

static void
free_looking_for_secret(void *ptr, void *user_data)
{
  const size_t *size = user_data;
  for (size_t i = 0; i + 6 <= *size; i++)
    leaked_secret |= memcmp((char *)ptr + i, "SECRET", 6) == 0;
  free(ptr);
}

static void *
plain_malloc(size_t size, void *user_data)
{
  *(size_t *)user_data = size;
  return calloc(1, size);
}

static void *
plain_realloc(void *ptr, size_t size, void *user_data)
{
  *(size_t *)user_data = size;
  return realloc(ptr, size);
}

static bool
secret_leaks(void (*fini)(inf_buf *buf))
{
  size_t size = 0;
  inf_mem_set_functions(plain_malloc, plain_realloc, free_looking_for_secret,
                        &size);
  leaked_secret = false;
  inf_buf buf = {.max = 100};
  assert_true(inf_buf_append_cstr(&buf, "header: SECRET"));
  /* What was cut off still lies behind the end. */
  inf_buf_truncate(&buf, 3);
  fini(&buf);
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  return leaked_secret;
}

static void
test_fini_secret_wipes(void **state)
{
  (void)state;
  assert_false(secret_leaks(inf_buf_fini_secret));
  assert_true(secret_leaks(inf_buf_fini));
}

/* ---- Lent memory --------------------------------------------------------- */

/* It is used as long as there is room, and left alone from then on. */
static void
test_lent_memory(void **state)
{
  (void)state;
  char memory[8];
  inf_buf buf;
  inf_buf_init(&buf, 100);
  inf_buf_lend(&buf, memory, sizeof memory);
  assert_string_equal(inf_buf_cstr(&buf), "");
  assert_true(inf_buf_append(&buf, "1234567", 7));
  assert_ptr_equal(buf.ptr, memory);
  assert_string_equal(memory, "1234567");
  assert_true(inf_buf_append(&buf, "8", 1));
  assert_ptr_not_equal(buf.ptr, memory);
  memset(memory, 'x', sizeof memory);
  assert_string_equal(inf_buf_cstr(&buf), "12345678");
  assert_true(inf_buf_append(&buf, "9", 1));
  assert_string_equal(inf_buf_cstr(&buf), "123456789");
  inf_buf_fini(&buf);
  inf_buf_lend(&buf, memory, 0); /* no room is none */
  assert_null(buf.ptr);
  inf_buf_fini(&buf);
}

/* What is given away is never the lender's. */
static void
test_take_of_lent_memory(void **state)
{
  (void)state;
  char memory[16];
  inf_buf buf;
  inf_buf_init(&buf, 100);
  inf_buf_lend(&buf, memory, sizeof memory);
  inf_buf_append(&buf, "text", 4);
  size_t len;
  char *taken = inf_buf_take(&buf, &len);
  memset(memory, 'x', sizeof memory);
  assert_string_equal(taken, "text");
  assert_int_equal(len, 4);
  assert_null(buf.ptr);
  inf_free(taken);
  inf_buf_fini(&buf);
}

static void
test_lent_memory_is_wiped_and_not_freed(void **state)
{
  (void)state;
  char memory[16];
  inf_buf buf;
  inf_buf_init(&buf, 100);
  inf_buf_lend(&buf, memory, sizeof memory);
  inf_buf_append(&buf, "secret", 6);
  inf_buf_fini_secret(&buf);
  assert_null(memchr(memory, 's', sizeof memory));
  assert_null(buf.ptr);
}

static void
outgrow(void *arg)
{
  (void)arg;
  char memory[4];
  inf_buf buf;
  inf_buf_init(&buf, 100);
  inf_buf_lend(&buf, memory, sizeof memory);
  assert_true(inf_buf_append(&buf, "123", 3));
  bool ok = inf_buf_append(&buf, "4567", 4);
  assert_int_equal(ok, fail_alloc_hits() == 0);
  assert_string_equal(inf_buf_cstr(&buf), ok ? "1234567" : "123");
  inf_buf_fini(&buf);
}

static void
test_lent_memory_stays_where_there_is_no_other(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(outgrow, NULL) > 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_append),
      cmocka_unit_test(test_append_nothing_makes_a_string),
      cmocka_unit_test(test_nul_bytes_are_bytes),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_format),
      cmocka_unit_test(test_format_at_every_room),
      cmocka_unit_test(test_growth_keeps_bytes),
      cmocka_unit_test(test_growth_is_geometric),
      cmocka_unit_test(test_reserve_saves_allocations),
      cmocka_unit_test(test_reserve_leaves_a_string),
      cmocka_unit_test(test_maximum),
      cmocka_unit_test(test_maximum_holds_for_every_append),
      cmocka_unit_test(test_maximum_caps_doubling),
      cmocka_unit_test(test_sizes_do_not_wrap),
      cmocka_unit_test(test_consume),
      cmocka_unit_test(test_truncate),
      cmocka_unit_test(test_clear_keeps_memory),
      cmocka_unit_test(test_take),
      cmocka_unit_test(test_take_of_nothing),
      cmocka_unit_test(test_memory_failure_leaves_content),
      cmocka_unit_test(test_every_allocation_may_fail),
      cmocka_unit_test(test_fini_secret_wipes),
      cmocka_unit_test(test_lent_memory),
      cmocka_unit_test(test_take_of_lent_memory),
      cmocka_unit_test(test_lent_memory_is_wiped_and_not_freed),
      cmocka_unit_test(test_lent_memory_stays_where_there_is_no_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
