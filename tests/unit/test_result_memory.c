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

/* ---- Room that was made before ------------------------------------------- */

/* The response that says hello in the room, and whether it stands there. */
static bool
stands_in(inf_response_room *room)
{
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  inf_answer_add_text(&answer, 0, S("hello"));
  inf_trail *trail = trail_new();
  const void *memory = room->memory;
  infer_response *response =
      inf_response_new_in(room, &answer, trail, attempt_new(trail, INFER_OK));
  inf_answer_fini(&answer);
  inf_trail_unref(trail);
  assert_string_equal(infer_response_text(response, NULL), "hello");
  assert_null(room->memory);
  bool stands = memory && response == memory;
  infer_response_free(response);
  return stands;
}

static void
a_response_stands_in_the_room_that_is_large_enough(void **state)
{
  (void)state;
  static const struct {
    size_t bytes;
    bool fits;
  } rooms[] = {{0, false},
               {1, false},
               {sizeof(infer_response), false},
               {sizeof(infer_response) + 64, false},
               {4096, true}};
  fail_alloc_install();
  for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
    inf_response_room room;
    inf_response_room_make(&room, rooms[i].bytes);
    assert_int_equal(stands_in(&room), rooms[i].fits);
    inf_response_room_make(&room, rooms[i].bytes);
    inf_response_room_free(&room);
  }
  inf_response_room none;
  fail_alloc_nth(1);
  inf_response_room_make(&none, 4096);
  assert_null(none.memory);
  fail_alloc_nth(0);
  assert_false(stands_in(&none));
  fail_alloc_uninstall();
}

static void
room_follows_the_answers(void **state)
{
  (void)state;
  size_t room = inf_response_room_after(0, 1000);
  assert_true(room >= 1000 && room < 2000);
  assert_int_equal(inf_response_room_after(room, 1000), room);
  assert_true(inf_response_room_after(room, 3000) >= 3000);
  /* After a large one, or many small ones, it is less. */
  assert_true(inf_response_room_after(room, 1 << 20) < room);
  for (int i = 0; i < 200; i++)
    room = inf_response_room_after(room, 10);
  assert_true(room < 300);
  for (int i = 0; i < 200; i++)
    room = inf_response_room_after(room, 1 << 20);
  assert_int_equal(room, 0);
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
      cmocka_unit_test(a_response_stands_in_the_room_that_is_large_enough),
      cmocka_unit_test(room_follows_the_answers),
      cmocka_unit_test(long_words_are_cut),
      cmocka_unit_test(short_memory_still_gives_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
