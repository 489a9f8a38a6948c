/* SPDX-License-Identifier: MIT */
#ifndef TEST_SOAK_LEDGER_H
#define TEST_SOAK_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Two ledgers of the same calls, and their comparison. The caller's holds an
 * attempt for each send that the library tells of, the provider's an entry for
 * each request that a simulated provider has seen whole. They are kept by
 * people who do not know of each other, and must agree. */

#define LEDGER_MAX_PROVIDERS 8

/* The caller's side: what the on_attempt hook was given. */
typedef struct ledger_attempt {
  uint32_t call;    /* from 1 */
  uint32_t request; /* in the provider's request id; 0: no headers came */
  int32_t completion_tokens; /* -1: not told */
  int16_t status;            /* INFER_* */
  uint16_t http_status;
  uint8_t provider;
  bool sent; /* the request may have left */
  bool won;
} ledger_attempt;

/* How the provider's answer ended. */
enum ledger_end {
  LEDGER_END_NONE, /* the provider was killed before it could tell */
  LEDGER_END_COMPLETE,
  LEDGER_END_OTHER, /* cut, reset, left by its client */
};

/* The provider's side: a request line and, mostly, its end line. */
typedef struct ledger_entry {
  uint32_t call;
  uint32_t request;
  uint32_t life; /* which life of the provider: requests are counted anew */
  int32_t completion_tokens;
  uint16_t http_status;
  uint8_t provider;
  uint8_t end;     /* enum ledger_end */
  bool was_killed; /* so ended this life */
  bool taken;      /* for ledger_settle() */
} ledger_entry;

/* What the application saw of a call, and what the on_call hook did. */
typedef struct ledger_call {
  int16_t hook_status, end_status;
  uint8_t hooks, ends; /* how often each was told the end */
  uint8_t attempts;    /* on_attempt hooks */
  uint8_t trail;       /* attempts in the result */
  bool abandoned;      /* its queue was freed: nobody may hear of its end */
  bool accepted;
  bool run_once;  /* is not to be sent a second time */
  bool estimated; /* the winner's tokens are the library's guess */
} ledger_call;

typedef struct ledger_result {
  uint64_t wrong; /* disagreements, each told on stderr up to a limit */
  uint64_t calls, succeeded, failed;
  uint64_t attempts, answered, unanswered, unsent;
  uint64_t entries, matched, unread, unended;
  /* Sent, but never seen whole by the provider. */
  uint64_t unseen;
  uint64_t tokens; /* of complete answers that both sides counted */
} ledger_result;

/* Compares both sides; sorts them. calls[i] is call i + 1. What must hold:
 *
 * - Each attempt that got response headers has exactly one entry of the same
 *   call, provider and request, with the same HTTP status; and, where the
 *   answer is complete and both counted, and did not guess, as many completion
 * tokens.
 * - Each other entry belongs to an attempt of that call at that provider that
 *   was sent and got no headers; there are not more of them than of those. A
 *   request that the caller knows nothing of was sent twice.
 * - An entry without an end is of a life that was killed.
 * - An accepted call ended once for the application (at most once if its queue
 *   was freed) and once for the hook, with the same status; its result tells
 *   of as many attempts as the hook did; one attempt won if it succeeded, none
 *   else. A refused call has nothing of all that.
 * - A call to be run once was seen by at most one provider, once. */
void ledger_settle(ledger_call *calls, size_t call_count,
                   ledger_attempt *attempts, size_t attempt_count,
                   ledger_entry *entries, size_t entry_count,
                   ledger_result *result);

/* Entries of one provider, read from the ledgers of its lives. */
typedef struct ledger_book {
  ledger_entry *entries;
  size_t count, capacity;
} ledger_book;

/* Appends what a ledger of `infer sim` tells; a last line without an end is
 * dropped. False, having said why, if it cannot be understood. */
bool ledger_read(ledger_book *book, FILE *file, uint8_t provider, uint32_t life,
                 bool was_killed);

#endif
