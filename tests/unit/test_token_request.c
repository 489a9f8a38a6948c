/* SPDX-License-Identifier: MIT */
/* Questions and answers, without the loop that they are for. */
#include "engine/token_request.h"
#include "support/fail_alloc.h"
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct infer_token_request *
new_request(fake_client *fake)
{
  struct infer_token_request *request =
      inf_token_request_new(fake->client, "a");
  assert_non_null(request);
  return request;
}

static void
what_it_tells(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  struct infer_token_request *request = new_request(fake);
  assert_string_equal(infer_token_request_provider(request), "a");
  assert_int_equal(infer_token_request_refused(request), 0);
  request->refused = true;
  assert_int_equal(infer_token_request_refused(request), 1);
  inf_token_request_free(request);
  assert_string_equal(infer_token_request_provider(NULL), "");
  assert_int_equal(infer_token_request_refused(NULL), 0);
  assert_int_equal(infer_token_deliver(NULL, "t", 1, 0),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_token_fail(NULL, INFER_E_AUTH, NULL),
                   INFER_E_INVALID_ARGUMENT);
  fake_client_free(fake);
}

/* The answer lies in the mailbox until the loop takes it. */
static struct infer_token_request *
answer_of(fake_client *fake)
{
  return INF_CONTAINER_OF(inf_list_pop_front(&fake->client->token_answers),
                          struct infer_token_request, node);
}

static void
answers_go_to_the_mailbox(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  assert_int_equal(
      infer_token_deliver(new_request(fake), "token", INFER_NUL_TERMINATED, 0),
      INFER_OK);
  struct infer_token_request *answer = answer_of(fake);
  assert_int_equal(answer->status, INFER_OK);
  assert_string_equal(inf_buf_cstr(&answer->text), "token");
  inf_token_request_free(answer);
  /* A success is no failure. */
  assert_int_equal(infer_token_fail(new_request(fake), INFER_OK, "why"),
                   INFER_OK);
  answer = answer_of(fake);
  assert_int_equal(answer->status, INFER_E_SERVER);
  assert_string_equal(inf_buf_cstr(&answer->text), "why");
  inf_token_request_free(answer);
  fake_client_free(fake);
}

static void
what_cannot_be_sent_counts_as_a_failure(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  static char large[INF_TOKEN_MAX_BYTES + 2];
  memset(large, 'a', INF_TOKEN_MAX_BYTES + 1);
  const char *const texts[] = {NULL, "", "a\n", " a", "a\tb\x01", large};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(infer_token_deliver(new_request(fake), texts[i],
                                         INFER_NUL_TERMINATED, 0),
                     INFER_E_INVALID_ARGUMENT);
    struct infer_token_request *answer = answer_of(fake);
    assert_int_equal(answer->status, INFER_E_AUTH);
    inf_token_request_free(answer);
  }
  assert_int_equal(infer_token_deliver(new_request(fake), "t", 1, 1),
                   INFER_E_INVALID_ARGUMENT);
  inf_token_request_free(answer_of(fake));
  fake_client_free(fake);
}

static void
short_memory_is_an_answer_too(void **state)
{
  (void)state;
  fail_alloc_install();
  fake_client *fake = fake_client_new(NULL);
  struct infer_token_request *request = new_request(fake);
  fail_alloc_from(1);
  int32_t status = infer_token_deliver(request, "t", 1, 0);
  fail_alloc_never();
  assert_int_equal(status, INFER_E_NO_MEMORY);
  struct infer_token_request *answer = answer_of(fake);
  assert_int_equal(answer->status, INFER_E_NO_MEMORY);
  inf_token_request_free(answer);
  for (size_t i = 1; i <= 2; i++) {
    fail_alloc_nth(i);
    assert_null(inf_token_request_new(fake->client, "a"));
    fail_alloc_never();
  }
  fake_client_free(fake);
  fail_alloc_uninstall();
}

/* It outlives the application's client, of which it keeps the memory. */
static void
an_answer_that_comes_too_late(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  struct infer_token_request *request = new_request(fake);
  infer_queue_free(fake->queue);
  infer_client_free(fake->client);
  fake->queue = NULL;
  fake->client = NULL;
  assert_int_equal(infer_token_deliver(request, "t", 1, 0), INFER_E_CLOSED);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_it_tells),
      cmocka_unit_test(answers_go_to_the_mailbox),
      cmocka_unit_test(what_cannot_be_sent_counts_as_a_failure),
      cmocka_unit_test(short_memory_is_an_answer_too),
      cmocka_unit_test(an_answer_that_comes_too_late),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
