/* SPDX-License-Identifier: MIT */
/* The rich error: its texts, its lifetime, what happens when there is no
 * memory for it; and the table of statuses. */
#include "base/error.h"

#include "infer/infer.h"
#include "support/fail_alloc.h"

#include <pthread.h>
#include <string.h>

typedef const char *(*text_fn)(const infer_error *error);

static const text_fn texts[] = {
    infer_error_message,        infer_error_provider,
    infer_error_target,         infer_error_request_id,
    infer_error_provider_code,  infer_error_provider_type,
    infer_error_provider_param, infer_error_provider_message,
};

enum { text_count = sizeof texts / sizeof texts[0] };

static inf_error_fields
full_fields(void)
{
  return (inf_error_fields){
      .status = INFER_E_RATE_LIMITED,
      .http_status = 429,
      .retryable = true,
      .retry_after_ms = 1500,
      .provider = "openai",
      .target = "openai/gpt-4o-mini",
      .request_id = "req_1",
      .provider_code = "rate_limit_exceeded",
      .provider_type = "requests",
      .provider_param = "model",
      .provider_message = "Slow down.\nPlease.",
  };
}

/* ---- Fields ------------------------------------------------------------- */

static void
test_null_error_reads_as_nothing(void **state)
{
  (void)state;
  for (int i = 0; i < text_count; i++)
    assert_string_equal(texts[i](NULL), "");
  assert_int_equal(infer_error_status(NULL), INFER_OK);
  assert_int_equal(infer_error_http_status(NULL), 0);
  assert_int_equal(infer_error_retryable(NULL), 0);
  assert_int_equal(infer_error_retry_after_ms(NULL), -1);
  assert_null(inf_error_detail(NULL));
  assert_null(inf_error_ref(NULL));
  infer_error_free(NULL);
}

static void
test_all_fields(void **state)
{
  (void)state;
  inf_error_fields fields = full_fields();
  infer_error *error = inf_error_new(&fields, "rate limited");
  assert_int_equal(infer_error_status(error), INFER_E_RATE_LIMITED);
  assert_int_equal(infer_error_http_status(error), 429);
  assert_int_equal(infer_error_retryable(error), 1);
  assert_int_equal(infer_error_retry_after_ms(error), 1500);
  static const char *const expected[] = {
      "rate limited",
      "openai",
      "openai/gpt-4o-mini",
      "req_1",
      "rate_limit_exceeded",
      "requests",
      "model",
      "Slow down.\nPlease.",
  };
  for (int i = 0; i < text_count; i++)
    assert_string_equal(texts[i](error), expected[i]);
  infer_error_free(error);
}

static void
test_texts_are_copies(void **state)
{
  (void)state;
  char provider[] = "openai", message[] = "text";
  inf_error_fields fields = {.status = INFER_E_SERVER, .provider = provider};
  infer_error *error = inf_error_new(&fields, message);
  provider[0] = message[0] = 'X';
  assert_string_equal(infer_error_provider(error), "openai");
  assert_string_equal(infer_error_message(error), "text");
  infer_error_free(error);
}

static void
test_missing_texts_are_empty(void **state)
{
  (void)state;
  inf_error_fields fields = {.status = INFER_E_SERVER, .retry_after_ms = -1};
  infer_error *error = inf_error_new(&fields, NULL);
  for (int i = 0; i < text_count; i++)
    assert_string_equal(texts[i](error), "");
  assert_int_equal(infer_error_retryable(error), 0);
  assert_int_equal(infer_error_retry_after_ms(error), -1);
  infer_error_free(error);
}

/* ---- Setting ------------------------------------------------------------ */

static void
test_set(void **state)
{
  (void)state;
  infer_error *error = NULL;
  assert_int_equal(inf_error_set(&error, INFER_E_CONFIG, "%s: %d", "a", 7),
                   INFER_E_CONFIG);
  assert_int_equal(infer_error_status(error), INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error), "a: 7");
  assert_int_equal(infer_error_retryable(error), 0);
  assert_int_equal(infer_error_retry_after_ms(error), -1);
  infer_error_free(error);
}

static void
test_set_without_place(void **state)
{
  (void)state;
  assert_int_equal(inf_error_set(NULL, INFER_E_CONFIG, "x"), INFER_E_CONFIG);
}

static void
test_first_error_stands(void **state)
{
  (void)state;
  infer_error *error = NULL;
  (void)inf_error_set(&error, INFER_E_CONFIG, "first");
  infer_error *first = error;
  assert_int_equal(inf_error_set(&error, INFER_E_IO, "second"), INFER_E_IO);
  assert_ptr_equal(error, first);
  assert_string_equal(infer_error_message(error), "first");
  assert_int_equal(infer_error_status(error), INFER_E_CONFIG);
  infer_error_free(error);
}

static void
test_message_is_one_line(void **state)
{
  (void)state;
  infer_error *error = NULL;
  (void)inf_error_set(&error, INFER_E_IO, "a\r\nb\t%s", "\x1b[0m\x7f\xff");
  assert_string_equal(infer_error_message(error), "a  b  [0m ?");
  infer_error_free(error);
  inf_error_fields fields = {.status = INFER_E_IO, .provider = "next"};
  error = inf_error_new(&fields, "x\ny\xe2\x80\xa8\xc3");
  assert_string_equal(infer_error_message(error), "x y ");
  assert_string_equal(infer_error_provider(error), "next");
  infer_error_free(error);
}

/* 2 KiB by either way, with the fields behind the message in their place. */
static void
test_message_is_cut(void **state)
{
  (void)state;
  char text[5001];
  memset(text, 'm', 5000);
  text[5000] = '\0';
  infer_error *error = NULL;
  (void)inf_error_set(&error, INFER_E_IO, "%s", text);
  assert_int_equal(strlen(infer_error_message(error)), 2048);
  infer_error_free(error);
  inf_error_fields fields = full_fields();
  error = inf_error_new(&fields, text);
  assert_int_equal(strlen(infer_error_message(error)), 2048);
  assert_string_equal(infer_error_provider(error), "openai");
  infer_error_free(error);
  /* Not through a character. */
  memcpy(text + 2046, "\xe6\x97\xa5", 3);
  error = inf_error_new(&fields, text);
  assert_int_equal(strlen(infer_error_message(error)), 2046);
  infer_error_free(error);
}

static void
test_whole_message_is_kept(void **state)
{
  (void)state;
  char text[2049];
  memset(text, 'm', 2048);
  text[2048] = '\0';
  infer_error *error = NULL;
  (void)inf_error_set(&error, INFER_E_IO, "%s", text);
  assert_string_equal(infer_error_message(error), text);
  infer_error_free(error);
}

/* ---- Lifetime ----------------------------------------------------------- */

static void
count_release(void *detail)
{
  ++*(int *)detail;
}

static void
test_references(void **state)
{
  (void)state;
  fail_alloc_install();
  int released = 0;
  infer_error *error = NULL;
  (void)inf_error_set(&error, INFER_E_SERVER, "x");
  inf_error_set_detail(error, &released, count_release);
  assert_ptr_equal(inf_error_ref(error), error);
  (void)inf_error_ref(error);
  infer_error_free(error);
  infer_error_free(error);
  assert_int_equal(released, 0);
  assert_string_equal(infer_error_message(error), "x");
  assert_int_equal(fail_alloc_live(), 1);
  infer_error_free(error);
  assert_int_equal(released, 1);
  fail_alloc_uninstall();
}

static void
test_detail(void **state)
{
  (void)state;
  int first = 0, second = 0;
  infer_error *error = NULL;
  (void)inf_error_set(&error, INFER_E_SERVER, "x");
  assert_null(inf_error_detail(error));
  inf_error_set_detail(error, &first, count_release);
  assert_ptr_equal(inf_error_detail(error), &first);
  assert_int_equal(first, 0);
  inf_error_set_detail(error, &second, count_release);
  assert_ptr_equal(inf_error_detail(error), &second);
  assert_int_equal(first, 1);
  infer_error_free(error);
  assert_int_equal(first, 1);
  assert_int_equal(second, 1);
}

enum { sharers = 4, shares = 20000 };

static void *
share(void *arg)
{
  infer_error *error = arg;
  for (int i = 0; i < shares; i++) {
    infer_error *mine = inf_error_ref(error);
    if (infer_error_status(mine) != INFER_E_SERVER)
      return error;
    infer_error_free(mine);
  }
  infer_error_free(error);
  return NULL;
}

static void
test_shared_by_threads(void **state)
{
  (void)state;
  fail_alloc_install();
  int released = 0;
  infer_error *error = NULL;
  (void)inf_error_set(&error, INFER_E_SERVER, "x");
  inf_error_set_detail(error, &released, count_release);
  pthread_t threads[sharers];
  for (int i = 0; i < sharers; i++) {
    inf_error_ref(error);
    assert_int_equal(pthread_create(&threads[i], NULL, share, error), 0);
  }
  infer_error_free(error);
  for (int i = 0; i < sharers; i++) {
    void *failed;
    assert_int_equal(pthread_join(threads[i], &failed), 0);
    assert_null(failed);
  }
  assert_int_equal(released, 1);
  fail_alloc_uninstall();
}

/* ---- Without memory ----------------------------------------------------- */

static void
check_no_memory(const infer_error *error)
{
  assert_ptr_equal(error, inf_error_no_memory());
  assert_int_equal(infer_error_status(error), INFER_E_NO_MEMORY);
  assert_string_equal(infer_error_message(error), "out of memory");
  for (int i = 1; i < text_count; i++)
    assert_string_equal(texts[i](error), "");
  assert_int_equal(infer_error_retry_after_ms(error), -1);
  assert_int_equal(infer_error_http_status(error), 0);
}

static void
test_set_without_memory(void **state)
{
  (void)state;
  fail_alloc_install();
  fail_alloc_from(1);
  infer_error *error = NULL;
  assert_int_equal(inf_error_set(&error, INFER_E_CONFIG, "x"),
                   INFER_E_NO_MEMORY);
  check_no_memory(error);
  inf_error_fields fields = full_fields();
  check_no_memory(inf_error_new(&fields, "x"));
  infer_error_free(error);
  fail_alloc_uninstall();
}

static void
test_static_error_is_immortal(void **state)
{
  (void)state;
  infer_error *error = inf_error_no_memory();
  for (int i = 0; i < 10; i++)
    infer_error_free(error);
  assert_ptr_equal(inf_error_ref(error), error);
  for (int i = 0; i < 10; i++)
    infer_error_free(error);
  check_no_memory(error);
}

static void
test_static_error_takes_no_detail(void **state)
{
  (void)state;
  int released = 0;
  inf_error_set_detail(inf_error_no_memory(), &released, count_release);
  assert_int_equal(released, 1);
  assert_null(inf_error_detail(inf_error_no_memory()));
}

/* ---- Statuses ----------------------------------------------------------- */

static void
test_status_names(void **state)
{
  (void)state;
  assert_string_equal(infer_status_name(INFER_OK), "INFER_OK");
  assert_string_equal(infer_status_name(INFER_E_RATE_LIMITED),
                      "INFER_E_RATE_LIMITED");
  assert_string_equal(infer_status_text(INFER_E_RATE_LIMITED), "rate limited");
  assert_string_equal(infer_status_name(INFER_E_LIMIT), "INFER_E_LIMIT");
}

static void
test_unknown_status(void **state)
{
  (void)state;
  static const int32_t unknown[] = {1, -11, -47, INT32_MIN, INT32_MAX};
  for (int i = 0; i < 5; i++) {
    assert_string_equal(infer_status_name(unknown[i]), "INFER_E_UNKNOWN");
    assert_string_equal(infer_status_text(unknown[i]), "unknown status");
    assert_non_null(inf_status_find(unknown[i]));
    assert_int_not_equal(inf_status_find(unknown[i])->status, INFER_OK);
  }
}

/* Each once, with a name of its own and a text fit for a message. */
static void
test_status_table(void **state)
{
  (void)state;
  size_t count = inf_status_count();
  for (size_t i = 0; i < count; i++) {
    const inf_status_info *info = inf_status_at(i);
    assert_ptr_equal(inf_status_find(info->status), info);
    assert_int_equal(infer_status_at(i), info->status);
    assert_true(info->status <= 0);
    assert_memory_equal(info->name, "INFER_", 6);
    assert_true(strlen(info->text) > 1);
    assert_int_not_equal(info->text[strlen(info->text) - 1], '.');
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(inf_status_at(j)->name, info->name);
  }
  assert_int_equal(infer_status_at(count), 1);
  assert_int_equal(infer_status_at(SIZE_MAX), 1);
}

/* The ranges that the header uses: none may be missing from the table. */
static void
test_no_status_is_missing(void **state)
{
  (void)state;
  for (int32_t status = -10; status <= 0; status++)
    assert_string_not_equal(infer_status_name(status), "INFER_E_UNKNOWN");
  for (int32_t status = INFER_E_LIMIT; status <= INFER_E_RESOLVE; status++)
    assert_string_not_equal(infer_status_name(status), "INFER_E_UNKNOWN");
  assert_int_equal(inf_status_count(), 11 + 27);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_null_error_reads_as_nothing),
      cmocka_unit_test(test_all_fields),
      cmocka_unit_test(test_texts_are_copies),
      cmocka_unit_test(test_missing_texts_are_empty),
      cmocka_unit_test(test_set),
      cmocka_unit_test(test_set_without_place),
      cmocka_unit_test(test_first_error_stands),
      cmocka_unit_test(test_message_is_one_line),
      cmocka_unit_test(test_message_is_cut),
      cmocka_unit_test(test_whole_message_is_kept),
      cmocka_unit_test(test_references),
      cmocka_unit_test(test_detail),
      cmocka_unit_test(test_shared_by_threads),
      cmocka_unit_test(test_set_without_memory),
      cmocka_unit_test(test_static_error_is_immortal),
      cmocka_unit_test(test_static_error_takes_no_detail),
      cmocka_unit_test(test_status_names),
      cmocka_unit_test(test_unknown_status),
      cmocka_unit_test(test_status_table),
      cmocka_unit_test(test_no_status_is_missing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
