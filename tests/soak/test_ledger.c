/* SPDX-License-Identifier: MIT */
/* The comparison of the ledgers sees each way in which they can disagree. */
#include "ledger.h"

#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Two ledgers that agree ---------------------------------------------- */

/* Call 1 succeeds at once. Call 2 fails at provider 0, which is killed after
 * it has seen the request; a second send there never arrives; then provider 1
 * answers. Call 3 is abandoned before anything leaves. Call 4 is refused. */
enum { call_count = 4, attempt_count = 5, entry_count = 3 };

typedef struct ledgers {
  ledger_call calls[call_count];
  ledger_attempt attempts[attempt_count];
  ledger_entry entries[entry_count];
} ledgers;

static const ledgers agreed = {
    .calls =
        {
            {.accepted = true,
             .hooks = 1,
             .ends = 1,
             .attempts = 1,
             .trail = 1},
            {.accepted = true,
             .hooks = 1,
             .ends = 1,
             .attempts = 3,
             .trail = 3},
            {.accepted = true,
             .abandoned = true,
             .hooks = 1,
             .hook_status = INFER_E_CANCELLED,
             .attempts = 1,
             .trail = 1},
            {.accepted = false},
        },
    .attempts =
        {
            {.call = 2, .provider = 0, .status = INFER_E_RESET, .sent = true},
            {.call = 2, .provider = 0, .status = INFER_E_RESET, .sent = true},
            {.call = 2,
             .provider = 1,
             .request = 1,
             .http_status = 200,
             .completion_tokens = 9,
             .sent = true,
             .won = true},
            {.call = 1,
             .provider = 0,
             .request = 1,
             .http_status = 200,
             .completion_tokens = 5,
             .sent = true,
             .won = true},
            {.call = 3, .provider = 1, .status = INFER_E_CANCELLED},
        },
    .entries =
        {
            {.call = 1,
             .provider = 0,
             .request = 1,
             .http_status = 200,
             .completion_tokens = 5,
             .end = LEDGER_END_COMPLETE},
            {.call = 2, .provider = 0, .request = 2, .was_killed = true},
            {.call = 2,
             .provider = 1,
             .request = 1,
             .http_status = 200,
             .completion_tokens = 9,
             .end = LEDGER_END_COMPLETE},
        },
};

static ledger_result
settle(ledgers *l)
{
  ledger_result result;
  ledger_settle(l->calls, call_count, l->attempts, attempt_count, l->entries,
                entry_count, &result);
  return result;
}

static void
agreement(void **state)
{
  (void)state;
  ledgers l = agreed;
  ledger_result result = settle(&l);
  assert_int_equal(result.wrong, 0);
  assert_int_equal(result.calls, 3);
  assert_int_equal(result.succeeded, 2);
  assert_int_equal(result.failed, 1);
  assert_int_equal(result.attempts, 5);
  assert_int_equal(result.answered, 2);
  assert_int_equal(result.unanswered, 2);
  assert_int_equal(result.unsent, 1);
  assert_int_equal(result.entries, 3);
  assert_int_equal(result.matched, 2);
  assert_int_equal(result.unread, 1);
  assert_int_equal(result.unended, 1);
  assert_int_equal(result.unseen, 1);
  assert_int_equal(result.tokens, 14);
}

/* ---- And that do not ----------------------------------------------------- */

/* Attempts and entries are named by their place in `agreed`. */
#define DISAGREE(name, ...)        \
  static void name(void **state)   \
  {                                \
    (void)state;                   \
    ledgers l = agreed;            \
    __VA_ARGS__;                   \
    assert_true(settle(&l).wrong); \
  }

DISAGREE(a_call_is_lost, l.calls[0].ends = 0)
DISAGREE(a_call_ends_twice, l.calls[0].ends = 2)
DISAGREE(an_abandoned_call_ends_twice, l.calls[2].ends = 2)
DISAGREE(the_hook_misses_an_end, l.calls[2].hooks = 0)
DISAGREE(the_hook_is_told_twice, l.calls[1].hooks = 2)
DISAGREE(two_statuses, l.calls[0].end_status = INFER_E_RESET)
DISAGREE(a_trail_that_lacks_an_attempt, l.calls[1].trail = 2)
DISAGREE(an_attempt_without_a_hook, l.calls[1].attempts = l.calls[1].trail = 2)
DISAGREE(a_success_that_nobody_won, l.attempts[3].won = false)
DISAGREE(two_winners, l.attempts[0].won = true)
DISAGREE(a_failure_with_a_winner, l.attempts[4].won = true)
DISAGREE(a_refused_call_that_was_made, l.calls[2].accepted = false)
DISAGREE(a_call_to_run_once_that_ran_twice, l.calls[1].run_once = true)
DISAGREE(an_answer_to_no_request, l.attempts[3].request = 7)
DISAGREE(an_answer_of_another_provider, l.attempts[3].provider = 2)
DISAGREE(an_answer_to_another_call, l.entries[0].call = 2)
DISAGREE(a_status_without_an_answer, l.attempts[0].http_status = 500)
DISAGREE(another_status, l.entries[0].http_status = 500)
DISAGREE(other_tokens, l.entries[0].completion_tokens = 6)
DISAGREE(a_request_that_nobody_sent,
         l.attempts[0].sent = l.attempts[1].sent = false)
DISAGREE(one_answer_twice, l.attempts[0] = l.attempts[2])
DISAGREE(a_request_of_no_call, l.entries[1].call = 0)
DISAGREE(a_request_of_a_call_never_made, l.entries[1].call = 5)
DISAGREE(an_attempt_of_a_call_never_made, l.attempts[4].call = 5)
DISAGREE(a_request_left_open_by_a_living_provider,
         l.entries[1].was_killed = false)

static void
a_guess_need_not_be_right(void **state)
{
  (void)state;
  ledgers l = agreed;
  l.entries[0].completion_tokens = 6;
  l.calls[0].estimated = true;
  ledger_result result = settle(&l);
  assert_int_equal(result.wrong, 0);
  assert_int_equal(result.tokens, 9);
}

/* The third request at provider 0 is one more than there were sends. */
static void
a_request_sent_twice(void **state)
{
  (void)state;
  ledgers l = agreed;
  l.attempts[0].sent = false;
  assert_int_equal(settle(&l).wrong, 0);
  l = agreed;
  l.attempts[0].sent = false;
  l.entries[0].call = 2;
  l.entries[0].request = 3;
  l.attempts[3].request = 0;
  l.attempts[3].http_status = 0;
  assert_true(settle(&l).wrong);
}

/* ---- Reading ------------------------------------------------------------- */

static bool
read_text(ledger_book *book, const char *text, bool was_killed)
{
  FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  assert_non_null(file);
  bool good = ledger_read(book, file, 3, 7, was_killed);
  fclose(file);
  return good;
}

static void
reading(void **state)
{
  (void)state;
  ledger_book book = {0};
  assert_true(read_text(&book,
                        "request 1 12\nrequest 2 13\nend 2 503 complete 0 0\n"
                        "request 3 14\nend 3 200 client_closed 4 5\nreque",
                        true));
  assert_int_equal(book.count, 3);
  assert_int_equal(book.entries[0].call, 12);
  assert_int_equal(book.entries[0].end, LEDGER_END_NONE);
  assert_int_equal(book.entries[0].provider, 3);
  assert_int_equal(book.entries[0].life, 7);
  assert_true(book.entries[0].was_killed);
  assert_int_equal(book.entries[1].end, LEDGER_END_COMPLETE);
  assert_int_equal(book.entries[1].http_status, 503);
  assert_int_equal(book.entries[2].end, LEDGER_END_OTHER);
  assert_int_equal(book.entries[2].completion_tokens, 5);
  /* The next life counts from 1 again. */
  assert_true(
      read_text(&book, "request 1 15\nend 1 200 complete 1 2\n", false));
  assert_int_equal(book.count, 4);
  assert_int_equal(book.entries[3].request, 1);
  assert_int_equal(book.entries[3].http_status, 200);
  free(book.entries);
}

static void
what_is_no_ledger(void **state)
{
  (void)state;
  static const char *const bad[] = {
      "request 2 1\n",
      "end 1 200 complete 1 2\n",
      "request 1 1\nrequest 1 1\n",
      "request 1 1\nend 1 200 complete 1 2\nend 1 200 complete 1 2\n",
      "request 1 1\nend 2 200 complete 1 2\n",
      "request 1 -\n",
      "request 1 1\nrequest 2",
      "nothing\n",
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ledger_book book = {0};
    if (read_text(&book, bad[i], false))
      fail_msg("read: %s", bad[i]);
    free(book.entries);
  }
  /* A kill cuts the last line and no other. */
  ledger_book book = {0};
  assert_false(read_text(&book, "reque\nrequest 1 1\n", true));
  free(book.entries);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agreement),
      cmocka_unit_test(a_call_is_lost),
      cmocka_unit_test(a_call_ends_twice),
      cmocka_unit_test(an_abandoned_call_ends_twice),
      cmocka_unit_test(the_hook_misses_an_end),
      cmocka_unit_test(the_hook_is_told_twice),
      cmocka_unit_test(two_statuses),
      cmocka_unit_test(a_trail_that_lacks_an_attempt),
      cmocka_unit_test(an_attempt_without_a_hook),
      cmocka_unit_test(a_success_that_nobody_won),
      cmocka_unit_test(two_winners),
      cmocka_unit_test(a_failure_with_a_winner),
      cmocka_unit_test(a_refused_call_that_was_made),
      cmocka_unit_test(a_call_to_run_once_that_ran_twice),
      cmocka_unit_test(an_answer_to_no_request),
      cmocka_unit_test(an_answer_of_another_provider),
      cmocka_unit_test(an_answer_to_another_call),
      cmocka_unit_test(a_status_without_an_answer),
      cmocka_unit_test(another_status),
      cmocka_unit_test(other_tokens),
      cmocka_unit_test(a_guess_need_not_be_right),
      cmocka_unit_test(a_request_that_nobody_sent),
      cmocka_unit_test(one_answer_twice),
      cmocka_unit_test(a_request_of_no_call),
      cmocka_unit_test(a_request_of_a_call_never_made),
      cmocka_unit_test(an_attempt_of_a_call_never_made),
      cmocka_unit_test(a_request_left_open_by_a_living_provider),
      cmocka_unit_test(a_request_sent_twice),
      cmocka_unit_test(reading),
      cmocka_unit_test(what_is_no_ledger),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
