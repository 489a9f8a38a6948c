/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

static void
test_begins_and_clears_as_nothing(void **state)
{
  (void)state;
  inf_failure failure;
  inf_failure_init(&failure);
  assert_int_equal(failure.status, INFER_OK);
  assert_int_equal(failure.hint_ns, -1);
  assert_int_equal(failure.should_retry, -1);
  failure.status = INFER_E_SERVER;
  failure.hint_ns = 5;
  failure.should_retry = 1;
  failure.body_status = 500;
  inf_failure_set_text(&failure.message, S("broken"));
  inf_failure_clear(&failure);
  assert_int_equal(failure.status, INFER_OK);
  assert_int_equal(failure.hint_ns, -1);
  assert_int_equal(failure.should_retry, -1);
  assert_int_equal(failure.body_status, 0);
  assert_int_equal(failure.message.len, 0);
  inf_failure_fini(&failure);
}

static void
test_texts_are_cut_between_characters(void **state)
{
  (void)state;
  /* "\xE2\x82\xAC" is one character of three bytes. */
  static const char euro[] = "\xE2\x82\xAC";
  inf_failure failure;
  inf_buf text;
  inf_failure_init(&failure);
  inf_buf_init(&text, 100000);
  for (int i = 0; i < 3000; i++)
    inf_buf_append_cstr(&text, euro);
  inf_failure_set_text(&failure.message, inf_buf_sv(&text));
  assert_int_equal(failure.message.len, 4095);
  inf_failure_set_text(&failure.code, inf_buf_sv(&text));
  assert_int_equal(failure.code.len, 255);
  assert_memory_equal(failure.code.ptr + 252, euro, 3);
  inf_failure_set_text(&failure.code, S("short"));
  assert_buf(&failure.code, "short");
  inf_buf_fini(&text);
  inf_failure_fini(&failure);
}

static void
test_texts_are_valid_utf8(void **state)
{
  (void)state;
  char latin[300];
  inf_failure failure;
  inf_failure_init(&failure);
  inf_failure_set_text(&failure.message, S("Zugriff verweigert f\xFCr h"));
  assert_buf(&failure.message, "Zugriff verweigert f\xEF\xBF\xBDr h");
  /* Each byte becomes three, of which no part may stay. */
  memset(latin, '\xFC', sizeof(latin));
  inf_failure_set_text(&failure.code, inf_sv_of(latin, sizeof(latin)));
  assert_int_equal(failure.code.len, 255);
  assert_memory_equal(failure.code.ptr + 252, "\xEF\xBF\xBD", 3);
  inf_failure_fini(&failure);
}

static void
test_plain_text_is_cut_at_the_maximum(void **state)
{
  (void)state;
  char text[5000];
  inf_failure failure;
  inf_failure_init(&failure);
  memset(text, 'x', sizeof(text));
  inf_failure_set_text(&failure.message, inf_sv_of(text, sizeof(text)));
  assert_int_equal(failure.message.len, 4096);
  assert_int_equal(failure.message.status, INFER_OK);
  inf_failure_fini(&failure);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_begins_and_clears_as_nothing),
      cmocka_unit_test(test_texts_are_cut_between_characters),
      cmocka_unit_test(test_texts_are_valid_utf8),
      cmocka_unit_test(test_plain_text_is_cut_at_the_maximum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
