/* SPDX-License-Identifier: MIT */
#include "book.h"

#include <stdlib.h>
#include <string.h>

enum { told_max = 40 };

/* Memory that is there from the beginning. The compiler makes calloc() of
 * malloc() and memset(), and the system then gives each page when it is first
 * written. */
static void *
touched(size_t size)
{
  volatile char *memory = malloc(size);
  for (size_t i = 0; memory && i < size; i++)
    memory[i] = 0;
  return (void *)(uintptr_t)memory;
}

void
book_open(soak_book *b, uint32_t call_count)
{
  *b = (soak_book){.call_count = call_count};
  b->calls = touched(call_count * sizeof *b->calls);
  b->file = tmpfile();
  if (!b->calls || !b->file || pthread_mutex_init(&b->mutex, NULL) != 0) {
    perror("soak: book");
    abort();
  }
}

void
book_close(soak_book *b)
{
  free(b->calls);
  fclose(b->file);
  pthread_mutex_destroy(&b->mutex);
}

ledger_attempt *
book_attempts(soak_book *b)
{
  ledger_attempt *attempts = calloc(b->attempt_count + 1, sizeof *attempts);
  rewind(b->file);
  if (!attempts || fread(attempts, sizeof *attempts, b->attempt_count,
                         b->file) != b->attempt_count) {
    perror("soak: attempts");
    abort();
  }
  return attempts;
}

void
book_check(soak_book *b, bool holds, uint32_t id, const char *what)
{
  if (!holds && atomic_fetch_add(&b->wrong, 1) < told_max)
    fprintf(stderr, "soak: call %u: %s\n", id, what);
}

/* ---- Hooks --------------------------------------------------------------- */

/* A call that is none of ours would be a call that another's tag got into. */
static ledger_call *
call_of(soak_book *b, const infer_call *call, uint32_t *id)
{
  *id = (uint32_t)strtoul(infer_call_tag_value(call, "id"), NULL, 10);
  if (*id == 0 || *id > b->call_count) {
    book_check(b, false, *id, "a hook for a call without an id");
    return NULL;
  }
  return &b->calls[*id - 1];
}

/* infer sim makes request ids of its numbers: "req_sim000000000017". */
static uint32_t
request_of(const infer_attempt *attempt)
{
  static const char prefix[] = "req_sim";
  const char *id = infer_attempt_request_id(attempt);
  return strncmp(id, prefix, sizeof prefix - 1) == 0
             ? (uint32_t)strtoul(id + sizeof prefix - 1, NULL, 10)
             : 0;
}

void
book_on_attempt(const infer_call *call, const infer_attempt *attempt,
                void *user_data)
{
  soak_book *b = user_data;
  if (!call) /* a probe, or a warm-up */
    return;
  ledger_attempt line = {
      .request = request_of(attempt),
      .completion_tokens =
          (int32_t)infer_attempt_usage(attempt, INFER_USAGE_OUTPUT),
      .status = (int16_t)infer_attempt_status(attempt),
      .http_status = (uint16_t)infer_attempt_http_status(attempt),
      .provider = (uint8_t)(infer_attempt_provider(attempt)[1] - '0'),
      .sent = infer_attempt_phase_ns(attempt, INFER_PHASE_SENT) >= 0,
      .won = infer_attempt_won(attempt) != 0,
  };
  ledger_call *mine = call_of(b, call, &line.call);
  if (!mine)
    return;
  pthread_mutex_lock(&b->mutex);
  mine->attempts++;
  b->nano_usd += infer_attempt_cost_nano_usd(attempt);
  b->attempt_count += fwrite(&line, sizeof line, 1, b->file);
  pthread_mutex_unlock(&b->mutex);
}

void
book_on_call(const infer_call *call, const infer_response *response,
             const infer_error *error, void *user_data)
{
  soak_book *b = user_data;
  uint32_t id;
  ledger_call *mine = call_of(b, call, &id);
  if (!mine)
    return;
  book_check(b, (response != NULL) != (error != NULL), id,
             "not either a response or an error");
  mine->hooks++;
  mine->estimated = infer_response_usage_estimated(response) == 1;
  mine->hook_status = (int16_t)infer_error_status(error);
  mine->trail = (uint8_t)(response ? infer_response_attempt_count(response)
                                   : infer_error_attempt_count(error));
}

/* ---- The application ----------------------------------------------------- */

void
book_accepted(soak_book *b, uint32_t id, bool run_once)
{
  b->calls[id - 1].accepted = true;
  b->calls[id - 1].run_once = run_once;
}

void
book_abandoned(soak_book *b, uint32_t id)
{
  b->calls[id - 1].abandoned = true;
  atomic_fetch_add(&b->ended, 1);
}

void
book_ended(soak_book *b, uint32_t id, int32_t status)
{
  b->calls[id - 1].ends++;
  b->calls[id - 1].end_status = (int16_t)status;
  atomic_fetch_add(&b->ended, 1);
}
