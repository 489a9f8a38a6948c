/* SPDX-License-Identifier: MIT */
#ifndef TEST_SOAK_BOOK_H
#define TEST_SOAK_BOOK_H

#include "ledger.h"

#include "infer/infer.h"

#include <pthread.h>
#include <stdatomic.h>

/* The caller's ledger while it is being written. It never grows: what there
 * is of each call is allocated and touched beforehand, and attempts go to a
 * file, so that the memory of the process tells about the library alone. */

typedef struct soak_book {
  uint32_t call_count;
  ledger_call *calls; /* calls[i] is call i + 1 */
  pthread_mutex_t mutex;
  FILE *file;
  size_t attempt_count;
  int64_t nano_usd;  /* what they cost */
  atomic_uint ended; /* calls that need no more waiting for */
  atomic_uint wrong; /* what callers saw and should not have seen */
} soak_book;

void book_open(soak_book *b, uint32_t call_count);
void book_close(soak_book *b);
/* The attempts, to be freed. */
ledger_attempt *book_attempts(soak_book *b);

/* The telemetry hooks; user_data is the book. The request's tag "id" is the
 * number of the call. */
void book_on_attempt(const infer_call *call, const infer_attempt *attempt,
                     void *user_data);
void book_on_call(const infer_call *call, const infer_response *response,
                  const infer_error *error, void *user_data);

/* What the application does and sees; one thread for one call. */
void book_accepted(soak_book *b, uint32_t id, bool run_once);
void book_abandoned(soak_book *b, uint32_t id);
void book_ended(soak_book *b, uint32_t id, int32_t status);

/* Counts it as wrong unless it holds, and says so. */
void book_check(soak_book *b, bool holds, uint32_t id, const char *what);

#endif
