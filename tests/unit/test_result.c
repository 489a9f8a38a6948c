/* SPDX-License-Identifier: MIT */
/* Making of responses and errors, and what they share. */
#include "unit/result_support.h"

#include "base/clock.h"

#include <pthread.h>

#define S(text) inf_sv_from(text)

/* ---- Responses ----------------------------------------------------------- */

static void
a_response_takes_the_answer(void **state)
{
  (void)state;
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  inf_answer_add_text(&answer, 0, S("hello"));
  const inf_choice *choices = answer.choices;
  inf_trail *trail = trail_new();
  struct infer_attempt *won = attempt_new(trail, INFER_OK);
  infer_response *response = inf_response_new(&answer, trail, won);
  inf_trail_unref(trail); /* it holds its own reference */
  assert_ptr_equal(response->answer.choices, choices); /* moved, not copied */
  assert_int_equal(answer.choice_count, 0);
  assert_ptr_equal(response->winner, won);
  assert_string_equal(infer_response_text(response, NULL), "hello");
  /* One more owner. */
  assert_ptr_equal(inf_response_ref(response), response);
  infer_response_free(response);
  assert_string_equal(infer_response_text(response, NULL), "hello");
  infer_response_free(response);
  assert_null(inf_response_ref(NULL));
  infer_response_free(NULL);
  inf_answer_fini(&answer);
}

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

static void
an_error_before_any_attempt(void **state)
{
  (void)state;
  inf_trail *trail = trail_new();
  infer_error *error =
      inf_result_error(INFER_E_DEADLINE, trail, NULL, NULL, NULL, NULL);
  inf_trail_unref(trail);
  assert_int_equal(infer_error_status(error), INFER_E_DEADLINE);
  assert_string_equal(infer_error_message(error),
                      infer_status_text(INFER_E_DEADLINE));
  assert_string_equal(infer_error_provider(error), "");
  assert_string_equal(infer_error_target(error), "");
  assert_int_equal(infer_error_http_status(error), 0);
  assert_int_equal(infer_error_retry_after_ms(error), -1);
  assert_int_equal(infer_error_attempt_count(error), 0);
  assert_null(infer_error_attempt(error, 0));
  assert_null(infer_error_partial(error));
  infer_error_free(error);
}

static void
an_error_tells_of_its_last_attempt(void **state)
{
  (void)state;
  inf_trail *trail = trail_new();
  struct infer_attempt *first = attempt_new(trail, INFER_E_CONNECT);
  struct infer_attempt *last = attempt_new(trail, INFER_E_RATE_LIMITED);
  last->http_status = 429;
  last->request_id = inf_strndup("req-2", 5);
  last->message = inf_strndup("slow down", 9);
  inf_failure failure;
  inf_failure_init(&failure);
  inf_failure_set_text(&failure.code, S("limit"));
  inf_failure_set_text(&failure.type, S("requests"));
  inf_failure_set_text(&failure.param, S("model"));
  inf_failure_set_text(&failure.message, S("slow down, please"));
  failure.hint_ns = 1999 * (int64_t)INF_NS_PER_MS + 999999;
  infer_error *error =
      inf_result_error(INFER_E_RATE_LIMITED, trail, last, &failure, NULL, NULL);
  inf_failure_fini(&failure);
  inf_trail_unref(trail);
  assert_string_equal(infer_error_message(error),
                      "house/m: rate limited (HTTP 429): slow down");
  assert_string_equal(infer_error_provider(error), "house");
  assert_string_equal(infer_error_target(error), "house/m");
  assert_int_equal(infer_error_http_status(error), 429);
  assert_string_equal(infer_error_request_id(error), "req-2");
  assert_string_equal(infer_error_provider_code(error), "limit");
  assert_string_equal(infer_error_provider_type(error), "requests");
  assert_string_equal(infer_error_provider_param(error), "model");
  assert_string_equal(infer_error_provider_message(error), "slow down, please");
  assert_int_equal(infer_error_retryable(error), 1);
  assert_int_equal(infer_error_retry_after_ms(error), 1999);
  assert_int_equal(infer_error_attempt_count(error), 2);
  assert_ptr_equal(infer_error_attempt(error, 0), first);
  assert_ptr_equal(infer_error_attempt(error, 1), last);
  assert_null(infer_error_attempt(error, 2));
  assert_null(infer_error_attempt(error, SIZE_MAX));
  infer_error_free(error);
}

static void
a_message_replaces_the_providers_words(void **state)
{
  (void)state;
  inf_trail *trail = trail_new();
  struct infer_attempt *record = attempt_new(trail, INFER_E_AUTH);
  record->message = inf_strndup("theirs", 6);
  infer_error *error =
      inf_result_error(INFER_E_AUTH, trail, record, NULL, "ours", NULL);
  assert_non_null(strstr(infer_error_message(error), ": ours"));
  assert_null(strstr(infer_error_message(error), "theirs"));
  assert_int_equal(infer_error_retryable(error), 0);
  assert_string_equal(infer_error_provider_message(error), "");
  infer_error_free(error);
  /* An empty one leaves none. */
  error = inf_result_error(INFER_E_AUTH, trail, record, NULL, "", NULL);
  assert_null(strstr(infer_error_message(error), "theirs"));
  infer_error_free(error);
  inf_trail_unref(trail);
}

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

static void
a_partial_answer_is_handed_over(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_trail *trail = trail_new();
  struct infer_attempt *record = attempt_new(trail, INFER_E_TRUNCATED);
  infer_response *partial = partial_new(trail);
  infer_error *error =
      inf_result_error(INFER_E_TRUNCATED, trail, record, NULL, NULL, partial);
  inf_trail_unref(trail);
  assert_ptr_equal(infer_error_partial(error), partial);
  assert_string_equal(infer_response_text(infer_error_partial(error), NULL),
                      "hel");
  /* Shared with another owner, its detail lives until the last one goes. */
  infer_error *other = inf_error_ref(error);
  infer_error_free(error);
  assert_ptr_equal(infer_error_partial(other), partial);
  infer_error_free(other);
  fail_alloc_uninstall();
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
      cmocka_unit_test(a_response_takes_the_answer),
      cmocka_unit_test(without_memory_the_answer_is_untouched),
      cmocka_unit_test(threads_may_share_a_response),
      cmocka_unit_test(an_error_before_any_attempt),
      cmocka_unit_test(an_error_tells_of_its_last_attempt),
      cmocka_unit_test(a_message_replaces_the_providers_words),
      cmocka_unit_test(long_words_are_cut),
      cmocka_unit_test(a_partial_answer_is_handed_over),
      cmocka_unit_test(short_memory_still_gives_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
