/* SPDX-License-Identifier: MIT */
/* Responses and errors when memory is short, words are long, or threads share
 * them; test_result.c has the rest. */
#include "unit/result_support.h"

#include "base/clock.h"

#include <pthread.h>

#define S(text) inf_sv_from(text)

/* ---- Responses ----------------------------------------------------------- */

static void
without_memory_the_answer_is_untouched(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  inf_answer_add_text(&answer, 0, S("hello"));
  inf_trail *trail = trail_new();
  struct infer_attempt *won = attempt_new(trail, INFER_OK);
  fail_alloc_nth(1);
  assert_null(inf_response_new(&answer, trail, won));
  assert_string_equal(inf_buf_cstr(&answer.choices[0].text), "hello");
  inf_answer_fini(&answer);
  inf_trail_unref(trail);
  fail_alloc_uninstall();
}

static void *
free_it(void *response)
{
  for (int i = 0; i < 10000; i++)
    infer_response_free(inf_response_ref(response));
  infer_response_free(response);
  return NULL;
}

static void
threads_may_share_a_response(void **state)
{
  (void)state;
  enum { threads = 4 };
  pthread_t ids[threads];
  fail_alloc_install();
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  inf_answer_add_text(&answer, 0, S("hello"));
  inf_trail *trail = trail_new();
  infer_response *response =
      inf_response_new(&answer, trail, attempt_new(trail, INFER_OK));
  inf_answer_fini(&answer);
  inf_trail_unref(trail);
  infer_response_json(response, NULL);
  for (size_t i = 0; i < threads; i++) {
    inf_response_ref(response);
    assert_int_equal(pthread_create(&ids[i], NULL, free_it, response), 0);
  }
  infer_response_free(response);
  for (size_t i = 0; i < threads; i++)
    pthread_join(ids[i], NULL);
  fail_alloc_uninstall();
}

/* ---- Errors -------------------------------------------------------------- */

/* Words are cut; they do not cost the error. */
static void
long_words_are_cut(void **state)
{
  (void)state;
  static char words[64 << 10];
  memset(words, 'w', sizeof words - 1);
  inf_trail *trail = trail_new();
  infer_error *error =
      inf_result_error(INFER_E_SERVER, trail, NULL, NULL, words, NULL);
  assert_int_equal(infer_error_status(error), INFER_E_SERVER);
  assert_non_null(strstr(infer_error_message(error), ": wwwww"));
  assert_true(strlen(infer_error_message(error)) <= 2048);
  infer_error_free(error);
  inf_trail_unref(trail);
}

static infer_response *
partial_new(inf_trail *trail)
{
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  inf_answer_add_text(&answer, 0, S("hel"));
  infer_response *partial = inf_response_new(&answer, trail, trail->records[0]);
  inf_answer_fini(&answer);
  return partial;
}

/* An error comes out of every shortage, without its details at worst; the
 * partial answer is gone with it either way. */
static void
make_error(void *arg)
{
  inf_trail *trail = arg;
  infer_response *partial = partial_new(trail);
  inf_failure failure;
  inf_failure_init(&failure);
  inf_failure_set_text(&failure.code, S("code"));
  infer_error *error = inf_result_error(
      INFER_E_SERVER, trail, trail->records[0], &failure, NULL, partial);
  assert_non_null(error);
  int32_t status = infer_error_status(error);
  if (fail_alloc_hits() == 0) {
    assert_int_equal(status, INFER_E_SERVER);
    assert_ptr_equal(infer_error_partial(error), partial);
  } else {
    assert_true(status == INFER_E_SERVER || status == INFER_E_NO_MEMORY);
  }
  assert_true(infer_error_attempt_count(error) <= 1);
  inf_failure_fini(&failure);
  infer_error_free(error);
}

static void
short_memory_still_gives_an_error(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_trail *trail = trail_new();
  attempt_new(trail, INFER_E_SERVER);
  assert_true(fail_alloc_sweep(make_error, trail) > 5);
  inf_trail_unref(trail);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_memory_the_answer_is_untouched),
      cmocka_unit_test(threads_may_share_a_response),
      cmocka_unit_test(long_words_are_cut),
      cmocka_unit_test(short_memory_still_gives_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
