/* SPDX-License-Identifier: MIT */
/* The door to the heap, and the failing allocator that goes through it. */
#include "base/mem.h"

#include "support/fail_alloc.h"

#include <string.h>

/* An allocator that tells which function was called with what. */
typedef struct spy {
  size_t mallocs, reallocs, frees, last_size;
} spy;

static void *
spy_malloc(size_t size, void *user_data)
{
  spy *seen = user_data;
  seen->mallocs++;
  seen->last_size = size;
  void *ptr = malloc(size);
  memset(ptr, 0xa5, size);
  return ptr;
}

static void *
spy_realloc(void *ptr, size_t size, void *user_data)
{
  spy *seen = user_data;
  assert_non_null(ptr);
  seen->reallocs++;
  seen->last_size = size;
  return realloc(ptr, size);
}

static void
spy_free(void *ptr, void *user_data)
{
  spy *seen = user_data;
  assert_non_null(ptr);
  seen->frees++;
  free(ptr);
}

static void
install_spy(spy *seen)
{
  memset(seen, 0, sizeof *seen);
  inf_mem_set_functions(spy_malloc, spy_realloc, spy_free, seen);
}

static int
restore(void **state)
{
  (void)state;
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  return 0;
}

static void
test_defaults_allocate(void **state)
{
  (void)state;
  char *ptr = inf_malloc(10);
  assert_non_null(ptr);
  memcpy(ptr, "123456789", 10);
  ptr = inf_realloc(ptr, 1000);
  assert_string_equal(ptr, "123456789");
  inf_free(ptr);
  inf_free(NULL);
}

static void
test_custom_functions_see_everything(void **state)
{
  (void)state;
  spy seen;
  install_spy(&seen);
  void *a = inf_malloc(10);
  void *b = inf_calloc(3, 7);
  assert_int_equal(seen.last_size, 21);
  char *c = inf_strndup("text", 4);
  assert_int_equal(seen.last_size, 5);
  a = inf_realloc(a, 20);
  assert_int_equal(seen.mallocs, 3);
  assert_int_equal(seen.reallocs, 1);
  inf_free(a);
  inf_free(b);
  inf_free_secret(c, 5);
  assert_int_equal(seen.frees, 3);
}

static void
test_null_never_reaches_custom_functions(void **state)
{
  (void)state;
  spy seen;
  install_spy(&seen);
  void *ptr = inf_realloc(NULL, 10);
  assert_non_null(ptr);
  assert_int_equal(seen.mallocs, 1);
  assert_int_equal(seen.reallocs, 0);
  inf_free(ptr);
  inf_free(NULL);
  inf_free_secret(NULL, 0);
  assert_int_equal(seen.frees, 1);
}

static void
test_size_zero_is_one_byte(void **state)
{
  (void)state;
  spy seen;
  install_spy(&seen);
  void *ptr = inf_malloc(0);
  assert_int_equal(seen.last_size, 1);
  ptr = inf_realloc(ptr, 0);
  assert_non_null(ptr);
  assert_int_equal(seen.last_size, 1);
  inf_free(ptr);
  ptr = inf_calloc(0, 8);
  assert_non_null(ptr);
  inf_free(ptr);
  ptr = inf_calloc(8, 0);
  assert_non_null(ptr);
  inf_free(ptr);
}

static void
test_null_functions_restore_defaults(void **state)
{
  (void)state;
  spy seen;
  install_spy(&seen);
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  inf_free(inf_malloc(1));
  assert_int_equal(seen.mallocs + seen.frees, 0);
}

/* The spy fills what it gives with 0xa5. */
static void
test_calloc_zeroes(void **state)
{
  (void)state;
  spy seen;
  install_spy(&seen);
  unsigned char *ptr = inf_calloc(5, 20);
  for (size_t i = 0; i < 100; i++)
    assert_int_equal(ptr[i], 0);
  inf_free(ptr);
}

static void
test_calloc_refuses_overflow(void **state)
{
  (void)state;
  spy seen;
  install_spy(&seen);
  assert_null(inf_calloc(SIZE_MAX / 2 + 1, 2));
  assert_null(inf_calloc(2, SIZE_MAX / 2 + 1));
  assert_null(inf_calloc(SIZE_MAX, SIZE_MAX));
  /* Would be 16 bytes if it wrapped. */
  assert_null(inf_calloc(SIZE_MAX / 16 + 2, 16));
  assert_int_equal(seen.mallocs, 0);
}

static void
test_strndup(void **state)
{
  (void)state;
  char *copy = inf_strndup("hello, world", 5);
  assert_string_equal(copy, "hello");
  inf_free(copy);
  copy = inf_strndup("a\0b", 3);
  assert_memory_equal(copy, "a\0b", 4);
  inf_free(copy);
  copy = inf_strndup(NULL, 0);
  assert_string_equal(copy, "");
  inf_free(copy);
  assert_null(inf_strndup("x", SIZE_MAX));
}

static void
test_wipe(void **state)
{
  (void)state;
  char key[] = "secret-key";
  inf_wipe(key + 1, 4);
  assert_memory_equal(key, "s\0\0\0\0t-key", sizeof key);
  inf_wipe(key, sizeof key);
  for (size_t i = 0; i < sizeof key; i++)
    assert_int_equal(key[i], 0);
  inf_wipe(key, 0);
  inf_wipe(NULL, 0);
}

/* Looks at the block when it is given back. */
static void
free_wiped(void *ptr, void *user_data)
{
  static const char zeros[16];
  *(bool *)user_data = memcmp(ptr, zeros, sizeof zeros) == 0;
  free(ptr);
}

static void
test_free_secret_wipes_first(void **state)
{
  (void)state;
  bool wiped = false;
  char *key = inf_malloc(16);
  memcpy(key, "sk-1234567890123", 16);
  inf_mem_set_functions(spy_malloc, spy_realloc, free_wiped, &wiped);
  inf_free_secret(key, 16);
  assert_true(wiped);
}

/* ---- The failing allocator ---------------------------------------------- */

static void
test_fail_nth_fails_once(void **state)
{
  (void)state;
  fail_alloc_install();
  fail_alloc_nth(2);
  void *a = inf_malloc(1);
  assert_non_null(a);
  assert_null(inf_malloc(1));
  void *b = inf_calloc(1, 1);
  assert_non_null(b);
  assert_int_equal(fail_alloc_hits(), 1);
  assert_int_equal(fail_alloc_count(), 3);
  assert_int_equal(fail_alloc_live(), 2);
  inf_free(a);
  inf_free(b);
  fail_alloc_uninstall();
}

static void
test_fail_from_fails_on(void **state)
{
  (void)state;
  fail_alloc_install();
  void *a = inf_malloc(1);
  fail_alloc_from(1);
  assert_null(inf_malloc(1));
  assert_null(inf_strndup("x", 1));
  assert_null(inf_realloc(a, 100));
  assert_null(inf_realloc(NULL, 100));
  assert_int_equal(fail_alloc_hits(), 4);
  fail_alloc_never();
  a = inf_realloc(a, 100);
  assert_non_null(a);
  assert_int_equal(fail_alloc_live(), 1);
  inf_free(a);
  fail_alloc_uninstall();
}

/* Two allocations, either of which may fail. */
static void
two_allocations(void *arg)
{
  size_t *complete = arg;
  void *a = inf_malloc(1), *b = inf_malloc(1);
  if (a && b) {
    assert_int_equal(fail_alloc_hits(), 0);
    ++*complete;
  }
  inf_free(a);
  inf_free(b);
}

static void
test_sweep_fails_each(void **state)
{
  (void)state;
  size_t complete = 0;
  fail_alloc_install();
  assert_int_equal(fail_alloc_sweep(two_allocations, &complete), 4);
  assert_int_equal(complete, 2);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_defaults_allocate, restore),
      cmocka_unit_test_teardown(test_custom_functions_see_everything, restore),
      cmocka_unit_test_teardown(test_null_never_reaches_custom_functions,
                                restore),
      cmocka_unit_test_teardown(test_size_zero_is_one_byte, restore),
      cmocka_unit_test_teardown(test_null_functions_restore_defaults, restore),
      cmocka_unit_test_teardown(test_calloc_zeroes, restore),
      cmocka_unit_test_teardown(test_calloc_refuses_overflow, restore),
      cmocka_unit_test_teardown(test_strndup, restore),
      cmocka_unit_test_teardown(test_wipe, restore),
      cmocka_unit_test_teardown(test_free_secret_wipes_first, restore),
      cmocka_unit_test_teardown(test_fail_nth_fails_once, restore),
      cmocka_unit_test_teardown(test_fail_from_fails_on, restore),
      cmocka_unit_test_teardown(test_sweep_fails_each, restore),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
