/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include "random.h"

#include <stdio.h>
#include <string.h>

/* ---- Questions ----------------------------------------------------------- */

static unsigned
word_count(soak_random *random)
{
  unsigned kind = roll(random, 100);
  if (kind < 70)
    return 3 + roll(random, 12);
  return kind < 97 ? 20 + roll(random, 40) : 100 + roll(random, 250);
}

void
question_make(question *q, uint32_t id)
{
  static const char *const words[] = {"who",   "\"what\"",
                                      "when",  "na\xc3\xafve",
                                      "a\\b",  "\xe6\x97\xa5\xe6\x9c\xac",
                                      "<tag>", "and",
                                      "or",    "unmistakeable"};
  soak_random random = soak_random_of(77, id);
  *q = (question){.id = id};
  q->len = (size_t)snprintf(q->text, sizeof q->text, "call %u", id);
  for (unsigned left = word_count(&random); left > 0; left--)
    q->len += (size_t)snprintf(q->text + q->len, sizeof q->text - q->len, " %s",
                               words[roll(&random, 10)]);
}

/* ---- Answers ------------------------------------------------------------- */

static void
take_text(question *q, soak_book *b, const infer_event *event)
{
  size_t len;
  const char *text = infer_event_text(event, &len);
  bool fits =
      len <= q->len - q->heard && memcmp(q->text + q->heard, text, len) == 0;
  book_check(b, fits, q->id, "an event with another's text");
  q->heard += fits ? len : 0;
}

void
question_take(question *q, soak_book *b, const infer_event *event)
{
  book_check(b, !q->ended, q->id, "an event after the last one");
  book_check(b, infer_event_epoch(event) >= q->epoch, q->id,
             "an event of an older epoch");
  q->epoch = infer_event_epoch(event);
  switch (infer_event_type(event)) {
  case INFER_EVENT_TEXT:
    q->streams = true;
    take_text(q, b, event);
    break;
  case INFER_EVENT_RESTART:
    q->heard = 0;
    break;
  case INFER_EVENT_DONE:
    q->ended = true;
    break;
  default:
    break;
  }
}

static bool
is_expected(int32_t status)
{
  static const int32_t expected[] = {INFER_OK,
                                     INFER_E_CONNECT,
                                     INFER_E_TLS,
                                     INFER_E_RESET,
                                     INFER_E_FIRST_TOKEN_TIMEOUT,
                                     INFER_E_ATTEMPT_TIMEOUT,
                                     INFER_E_IDLE_TIMEOUT,
                                     INFER_E_TRUNCATED,
                                     INFER_E_OVERLOADED,
                                     INFER_E_SERVER,
                                     INFER_E_RATE_LIMITED,
                                     INFER_E_NOT_FOUND,
                                     INFER_E_PROTOCOL,
                                     INFER_E_TOO_LARGE,
                                     INFER_E_CANCELLED,
                                     INFER_E_DEADLINE};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
    if (expected[i] == status)
      return true;
  return false;
}

static void
check_text(const question *q, soak_book *b, const infer_response *response,
           bool whole)
{
  size_t len;
  const char *text = infer_response_text(response, &len);
  bool same = len <= q->len && memcmp(text, q->text, len) == 0;
  book_check(b, same, q->id, "an answer to another question");
  book_check(b, !whole || len == q->len, q->id, "a success that was cut");
  book_check(b, !whole || !q->streams || q->stopped || q->heard == q->len,
             q->id, "a stream that lacks a part of its answer");
}

void
question_end(question *q, soak_book *b, int32_t status,
             const infer_response *response, const infer_error *error)
{
  if (!is_expected(status)) {
    fprintf(stderr, "soak: call %u: %s: %s\n", q->id, infer_status_name(status),
            infer_error_message(error));
    book_check(b, false, q->id, "no failure that a provider can cause");
  }
  book_check(b, (status == INFER_OK) == (response != NULL), q->id,
             "no response, or too many");
  book_check(b, infer_error_status(error) == status, q->id,
             "an error of another class");
  if (response)
    check_text(q, b, response, true);
  if (infer_error_partial(error))
    check_text(q, b, infer_error_partial(error), false);
  book_ended(b, q->id, status);
}
