/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include "infer/infer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { told_max = 40 };

__attribute__((format(printf, 2, 3))) static void
wrong(ledger_result *result, const char *format, ...)
{
  va_list args;
  if (result->wrong++ >= told_max)
    return;
  va_start(args, format);
  fputs("ledger: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
}

/* ---- Reading ------------------------------------------------------------- */

/* Requests of one life are counted from 1 and begin in this order. */
static ledger_entry *
entry_of(ledger_book *book, size_t first, uint64_t request)
{
  return request >= 1 && request <= book->count - first
             ? &book->entries[first + request - 1]
             : NULL;
}

static bool
add_request(ledger_book *book, const ledger_entry *entry)
{
  if (book->count == book->capacity) {
    size_t capacity = book->capacity ? 2 * book->capacity : 1024;
    ledger_entry *entries = realloc(book->entries, capacity * sizeof *entries);
    if (!entries)
      return false;
    book->entries = entries;
    book->capacity = capacity;
  }
  book->entries[book->count++] = *entry;
  return true;
}

static bool
add_end(ledger_entry *entry, unsigned status, const char *end,
        uint64_t completion_tokens)
{
  if (!entry || entry->end != LEDGER_END_NONE)
    return false;
  entry->http_status = (uint16_t)status;
  entry->completion_tokens = (int32_t)completion_tokens;
  entry->end =
      strcmp(end, "complete") == 0 ? LEDGER_END_COMPLETE : LEDGER_END_OTHER;
  return true;
}

static bool
read_line(ledger_book *book, size_t first, const char *line,
          const ledger_entry *like)
{
  uint64_t request, tokens;
  unsigned status, call;
  char end[32];
  if (sscanf(line, "request %" SCNu64 " %u\n", &request, &call) == 2) {
    ledger_entry entry = *like;
    entry.call = call;
    entry.request = (uint32_t)request;
    return request == book->count - first + 1 && add_request(book, &entry);
  }
  return sscanf(line, "end %" SCNu64 " %u %31s %*u %" SCNu64 "\n", &request,
                &status, end, &tokens) == 4 &&
         add_end(entry_of(book, first, request), status, end, tokens);
}

bool
ledger_read(ledger_book *book, FILE *file, uint8_t provider, uint32_t life,
            bool was_killed)
{
  char line[256];
  size_t first = book->count;
  ledger_entry like = {.provider = provider,
                       .life = life,
                       .was_killed = was_killed,
                       .completion_tokens = -1};
  while (fgets(line, sizeof line, file)) {
    if (!strchr(line, '\n') && was_killed && fgetc(file) == EOF)
      break;
    if (!read_line(book, first, line, &like)) {
      fprintf(stderr, "ledger: provider %u, life %u: %s", provider, life, line);
      return false;
    }
  }
  return !ferror(file);
}

/* ---- Comparing ----------------------------------------------------------- */

static int
compare(uint64_t a, uint64_t b)
{
  return (a > b) - (a < b);
}

static int
compare_attempts(const void *left, const void *right)
{
  const ledger_attempt *a = left, *b = right;
  int by_call = compare(a->call, b->call);
  return by_call ? by_call : compare(a->request, b->request);
}

static int
compare_entries(const void *left, const void *right)
{
  const ledger_entry *a = left, *b = right;
  int by_call = compare(a->call, b->call);
  return by_call ? by_call : compare(a->request, b->request);
}

/* Both sides of one call. */
typedef struct pair {
  uint32_t call;
  bool estimated;
  const ledger_attempt *attempts;
  size_t attempt_count;
  ledger_entry *entries;
  size_t entry_count;
} pair;

static void
compare_answer(const ledger_attempt *attempt, const ledger_entry *entry,
               bool estimated, ledger_result *result)
{
  if (entry->end == LEDGER_END_NONE)
    return;
  if (entry->http_status != attempt->http_status)
    wrong(result, "call %u: HTTP status %u arrived, %u was sent", entry->call,
          attempt->http_status, entry->http_status);
  if (entry->end != LEDGER_END_COMPLETE || attempt->status != INFER_OK ||
      attempt->completion_tokens < 0 || estimated)
    return;
  if (entry->completion_tokens != attempt->completion_tokens)
    wrong(result, "call %u: %d tokens arrived, %d were charged", entry->call,
          attempt->completion_tokens, entry->completion_tokens);
  result->tokens += (uint64_t)entry->completion_tokens;
}

static void
match_answered(const pair *p, const ledger_attempt *attempt,
               ledger_result *result)
{
  result->answered++;
  for (size_t i = 0; i < p->entry_count; i++) {
    ledger_entry *entry = &p->entries[i];
    if (entry->taken || entry->provider != attempt->provider ||
        entry->request != attempt->request)
      continue;
    entry->taken = true;
    result->matched++;
    compare_answer(attempt, entry, p->estimated, result);
    return;
  }
  wrong(result,
        "call %u: an answer to request %u of provider %u, which never "
        "saw that request",
        attempt->call, attempt->request, attempt->provider);
}

/* Entries that nobody got headers of, and attempts that might be theirs. */
static void
match_rest(const pair *p, ledger_result *result)
{
  uint64_t silent[LEDGER_MAX_PROVIDERS] = {0};
  for (size_t i = 0; i < p->attempt_count; i++) {
    const ledger_attempt *attempt = &p->attempts[i];
    if (attempt->request > 0)
      continue;
    if (attempt->http_status > 0)
      wrong(result, "call %u: an HTTP status without a request id", p->call);
    result->unanswered += attempt->sent;
    result->unsent += !attempt->sent;
    silent[attempt->provider] += attempt->sent;
  }
  for (size_t i = 0; i < p->entry_count; i++) {
    const ledger_entry *entry = &p->entries[i];
    if (entry->end == LEDGER_END_NONE) {
      result->unended++;
      if (!entry->was_killed)
        wrong(result,
              "call %u: provider %u lived on, and its request %u never "
              "ended",
              p->call, entry->provider, entry->request);
    }
    if (entry->taken)
      continue;
    result->unread++;
    if (silent[entry->provider] == 0)
      wrong(result, "call %u: request %u of provider %u was sent by no attempt",
            p->call, entry->request, entry->provider);
    else
      silent[entry->provider]--;
  }
  for (size_t i = 0; i < LEDGER_MAX_PROVIDERS; i++)
    result->unseen += silent[i];
}

static void
settle_ends(const ledger_call *call, uint32_t number, ledger_result *result)
{
  if (call->hooks != 1)
    wrong(result, "call %u: the hook told its end %u times", number,
          call->hooks);
  if (call->ends > 1 || (call->ends == 0 && !call->abandoned))
    wrong(result, "call %u: %u terminal events", number, call->ends);
  if (call->ends > 0 && call->end_status != call->hook_status)
    wrong(result, "call %u: ended as %s and, for the hook, as %s", number,
          infer_status_name(call->end_status),
          infer_status_name(call->hook_status));
  if (call->attempts != call->trail)
    wrong(result, "call %u: %u attempts, %u in its result", number,
          call->attempts, call->trail);
  result->calls++;
  result->succeeded += call->hook_status == INFER_OK;
  result->failed += call->hook_status != INFER_OK;
}

static void
settle_call(const ledger_call *call, const pair *p, ledger_result *result)
{
  size_t won = 0;
  for (size_t i = 0; i < p->attempt_count; i++) {
    won += p->attempts[i].won;
    if (p->attempts[i].request > 0)
      match_answered(p, &p->attempts[i], result);
  }
  match_rest(p, result);
  if (!call->accepted) {
    if (call->hooks + call->ends + p->attempt_count + p->entry_count > 0)
      wrong(result, "call %u: was refused, and made", p->call);
    return;
  }
  settle_ends(call, p->call, result);
  if (call->run_once && p->entry_count > 1)
    wrong(result, "call %u: was to run once, and %zu requests came", p->call,
          p->entry_count);
  if (call->attempts != (uint8_t)p->attempt_count)
    wrong(result, "call %u: %zu attempts on record, %u were told of", p->call,
          p->attempt_count, call->attempts);
  if (won != (call->hook_status == INFER_OK))
    wrong(result, "call %u: %s, and %zu attempts won", p->call,
          infer_status_name(call->hook_status), won);
}

void
ledger_settle(ledger_call *calls, size_t call_count, ledger_attempt *attempts,
              size_t attempt_count, ledger_entry *entries, size_t entry_count,
              ledger_result *result)
{
  *result = (ledger_result){.attempts = attempt_count, .entries = entry_count};
  for (size_t i = 0; i < attempt_count; i++)
    if (attempts[i].provider >= LEDGER_MAX_PROVIDERS)
      attempts[i].provider = LEDGER_MAX_PROVIDERS - 1;
  qsort(attempts, attempt_count, sizeof *attempts, compare_attempts);
  qsort(entries, entry_count, sizeof *entries, compare_entries);
  size_t a = 0, e = 0;
  for (uint32_t call = 0; call <= call_count; call++) {
    pair p = {.call = call, .attempts = attempts + a, .entries = entries + e};
    for (; a < attempt_count && attempts[a].call == call; a++)
      p.attempt_count++;
    for (; e < entry_count && entries[e].call == call; e++)
      p.entry_count++;
    p.estimated = call > 0 && calls[call - 1].estimated;
    if (call > 0)
      settle_call(&calls[call - 1], &p, result);
    else if (p.attempt_count + p.entry_count > 0)
      wrong(result, "%zu attempts and %zu requests of no call", p.attempt_count,
            p.entry_count);
  }
  if (a < attempt_count || e < entry_count)
    wrong(result, "%zu attempts and %zu requests of calls never made",
          attempt_count - a, entry_count - e);
}
