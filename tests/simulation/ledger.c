/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include "base/clock.h"
#include "config/hash.h"

#include <stdio.h>
#include <stdlib.h>

/* A lingering exchange and the wait for usage, as in the engine. */
static const uint64_t linger_ns = 1 * INF_NS_PER_S;
static const uint64_t usage_wait_ns = 100 * INF_NS_PER_MS;

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static uint8_t places[256]; /* of the letters, counted from 1 */
enum { block_letters = 32 };
/* For each sixteen of attempts, what the four pairs of bits in a byte draw. */
static char fours[16][256][4];

/* Large, and of one world at a time. */
static ledger_call the_calls[ledger_slots];

void
ledger_init(ledger *books)
{
  *books = (ledger){.hash = INF_FNV_START, .next_number = 1};
  for (size_t i = 0; i < sizeof alphabet - 1; i++)
    places[(unsigned char)alphabet[i]] = (uint8_t)(i + 1);
  for (size_t i = 0; i < sizeof fours; i++) {
    size_t bits = i / 4 % 256 >> i % 4 * 2 & 3;
    fours[i / 1024][i / 4 % 256][i % 4] = alphabet[i / 1024 * 4 + bits];
  }
  books->calls = the_calls;
  for (size_t i = 0; i < ledger_slots; i++)
    the_calls[i].number = 0;
}

/* FNV-1a with words for bytes; the fold takes what is high to where the next
 * word meets it. */
static uint64_t
hash_word(uint64_t hash, uint64_t word)
{
  hash = (hash ^ word) * 0x100000001b3ull;
  return hash ^ hash >> 32;
}

bool
ledger_tracing(void)
{
  static int verbose = -1;
  if (verbose < 0)
    verbose = getenv("INFER_SIMULATION_TRACE") != NULL;
  return verbose > 0;
}

void
ledger_trace(ledger *books, uint64_t now_ns, enum ledger_kind kind,
             uint64_t call, uint64_t a, uint64_t b)
{
  uint64_t hash = hash_word(books->hash, now_ns);
  hash = hash_word(hash, call << 8 | (uint64_t)kind);
  books->hash = hash_word(hash_word(hash, a), b);
  if (ledger_tracing())
    fprintf(stderr, "%llu.%06llu kind %d call %llu %lld %lld\n",
            (unsigned long long)(now_ns / INF_NS_PER_MS),
            (unsigned long long)(now_ns % INF_NS_PER_MS), (int)kind,
            (unsigned long long)call, (long long)a, (long long)b);
}

void
ledger_violated(ledger *books, const char *format, ...)
{
  if (books->violation[0])
    return;
  va_list args;
  va_start(args, format);
  vsnprintf(books->violation, sizeof books->violation, format, args);
  va_end(args);
}

/* Thirty-two letters of a block, four for each byte of its draw. */
static void
write_block(uint64_t number, uint32_t attempt, uint64_t index, char *block)
{
  uint64_t mix = (number << 8 ^ attempt) << 16 ^ (index + 1);
  mix *= 0x9e3779b97f4a7c15ull;
  mix = (mix ^ mix >> 30) * 0xbf58476d1ce4e5b9ull;
  mix = (mix ^ mix >> 27) * 0x94d049bb133111ebull;
  mix ^= mix >> 31;
  for (int i = 0; i < block_letters; i += 4, mix >>= 8)
    memcpy(block + i, fours[attempt & 15][mix & 0xff], 4);
}

/* One reads and writes place after place: the last block is kept. */
void
ledger_letters(uint64_t number, uint32_t attempt, uint32_t from, size_t count,
               char *letters)
{
  static char block[block_letters];
  static uint64_t of_number;
  static uint32_t of_attempt;
  static uint64_t of_index;
  while (count > 0) {
    uint64_t index = from / block_letters;
    if (index != of_index || number != of_number || attempt != of_attempt) {
      write_block(number, attempt, index, block);
      of_number = number;
      of_attempt = attempt;
      of_index = index;
    }
    size_t at = from % block_letters, len = block_letters - at;
    len = len < count ? len : count;
    memcpy(letters, block + at, len);
    letters += len;
    from += (uint32_t)len;
    count -= len;
  }
}

static char
letter_of(const ledger_call *call, uint32_t attempt, uint32_t pos)
{
  char letter;
  ledger_letters(call->number, attempt, pos, 1, &letter);
  return letter;
}

/* ---- Calls --------------------------------------------------------------- */

static ledger_call *
place_of(const ledger *books, uint64_t number)
{
  return &books->calls[number % ledger_slots];
}

static bool
is_free(const ledger_call *call)
{
  return call->number == 0 || (call->done && call->ended_ns > 0);
}

ledger_call *
ledger_place(ledger *books)
{
  for (int i = 0; i < 64; i++, books->next_number++) {
    ledger_call *call = place_of(books, books->next_number);
    if (!is_free(call))
      continue;
    /* Attempts are cleared as they come. */
    memset(call, 0, offsetof(ledger_call, attempts));
    memset((char *)call + offsetof(ledger_call, ended_ns), 0,
           sizeof *call - offsetof(ledger_call, ended_ns));
    call->number = books->next_number++;
    call->done = true;
    call->ended_ns = 1;
    call->status = INFER_OK;
    return call;
  }
  return NULL;
}

void
ledger_begin(ledger *books, ledger_call *call, uint64_t now_ns)
{
  call->done = false;
  call->ended_ns = 0;
  books->begun++;
  books->live++;
  books->unread++;
  ledger_trace(books, now_ns, LEDGER_SUBMIT, call->number, call->deadline_ns,
               call->labels);
}

ledger_call *
ledger_find(ledger *books, uint64_t number, const char *what)
{
  ledger_call *call = place_of(books, number);
  if (call->number == number && !is_free(call))
    return call;
  ledger_violated(books, "%s for call %llu, which is over", what,
                  (unsigned long long)number);
  return NULL;
}

/* ---- Sends --------------------------------------------------------------- */

/* Of the first so many, those that are under way. */
static uint32_t
open_attempts(const ledger_call *call, uint32_t count)
{
  uint32_t open = 0;
  for (uint32_t i = 0; i < count; i++)
    open += call->attempts[i].over_ns == 0;
  return open;
}

uint32_t
ledger_send(ledger *books, uint64_t number, uint64_t now_ns)
{
  unsigned long long name = number;
  ledger_call *call = ledger_find(books, number, "an attempt");
  if (!call)
    return 0;
  uint32_t index = call->sends++;
  books->sends++;
  books->sent += index == 0;
  if (call->ended_ns > 0)
    ledger_violated(books, "call %llu: an attempt after its end", name);
  if (call->has_whole)
    ledger_violated(books, "call %llu: a whole answer was thrown away", name);
  if (now_ns >= call->deadline_ns)
    ledger_violated(books, "call %llu: an attempt %llu ns after its deadline",
                    name, (unsigned long long)(now_ns - call->deadline_ns));
  if (call->sends > call->allowance + call->stale + call->loading)
    ledger_violated(
        books, "call %llu: %u attempts, its allowance is %u + %u + %u", name,
        call->sends, call->allowance, call->stale, call->loading);
  if (index <= ledger_max_attempts &&
      open_attempts(call, index) > (call->hedges ? 1 : 0))
    ledger_violated(books, "call %llu: too many attempts at once", name);
  if (index >= ledger_max_attempts) {
    ledger_violated(books, "call %llu: %u attempts", name, call->sends);
    return 0;
  }
  call->attempts[index] = (ledger_attempt){0};
  ledger_trace(books, now_ns, LEDGER_SEND, number, index, 0);
  return index;
}

void
ledger_probe(ledger *books, uint64_t number, uint32_t labels, size_t prefill,
             uint64_t now_ns)
{
  unsigned long long name = number;
  ledger_trace(books, now_ns, LEDGER_PROBE, number, labels, prefill);
  const ledger_call *call = ledger_find(books, number, "a probe");
  if (!call)
    return;
  if (call->ended_ns > 0)
    ledger_violated(books, "call %llu: a probe after its end", name);
  if (call->labels & ~labels)
    ledger_violated(books, "call %llu: a probe without its labels", name);
  if (call->run_once)
    ledger_violated(books, "call %llu: a probe, but it may run once", name);
  if (prefill > 0)
    ledger_violated(books, "call %llu: a probe that goes on", name);
}

static uint32_t
arrivals_before(const ledger_call *call, uint32_t attempt)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < attempt; i++)
    count += call->attempts[i].arrived && !call->attempts[i].refused;
  return count;
}

ledger_attempt *
ledger_arrive(ledger *books, uint64_t number, uint32_t attempt, uint32_t labels,
              uint64_t now_ns)
{
  ledger_call *call = ledger_find(books, number, "a request");
  if (!call)
    return NULL;
  unsigned long long name = number;
  if (call->labels & ~labels)
    ledger_violated(books, "call %llu: sent to a provider without its labels",
                    name);
  if (call->run_once && arrivals_before(call, attempt) > 0)
    ledger_violated(books, "call %llu: sent twice, may run once", name);
  call->attempts[attempt].arrived = true;
  books->answers++;
  ledger_trace(books, now_ns, LEDGER_ANSWER, number, attempt, labels);
  return &call->attempts[attempt];
}

/* May a call end so although a whole answer had come? */
static bool
may_waste(int32_t status)
{
  return status == INFER_OK || status == INFER_E_CANCELLED ||
         status == INFER_E_DEADLINE || status == INFER_E_NO_MEMORY ||
         status == INFER_E_LIMIT || status == INFER_E_TOO_LARGE;
}

void
ledger_over(ledger *books, uint64_t number, uint32_t attempt, size_t told_bytes,
            uint64_t now_ns)
{
  unsigned long long name = number;
  ledger_trace(books, now_ns, LEDGER_OVER, number, attempt, told_bytes);
  ledger_call *call = place_of(books, number);
  if (call->number != number) /* it lingered */
    return;
  ledger_attempt *entry = &call->attempts[attempt];
  entry->over_ns = now_ns;
  call->stale += entry->untouched;
  call->loading += entry->loading;
  if (call->ended_ns > 0 && !books->closing && !books->may_be_late &&
      now_ns > call->ended_ns + linger_ns)
    ledger_violated(books, "call %llu: an exchange %llu ns after its end", name,
                    (unsigned long long)(now_ns - call->ended_ns));
  /* Of two that are told of in one turn the first wins, whatever the other
   * has brought. */
  bool lost = call->hedges && call->lost;
  call->lost = false;
  if (entry->whole && told_bytes >= entry->whole_end && !books->may_waste &&
      !lost)
    call->has_whole = true;
}

/* ---- Hooks --------------------------------------------------------------- */

/* The send whose answer an attempt has, by its request id; NULL if it got
 * none. */
static const ledger_attempt *
answer_of(const ledger_call *call, const infer_attempt *attempt)
{
  unsigned long long number;
  unsigned index;
  const char *id = infer_attempt_request_id(attempt);
  if (sscanf(id, "%llu-%u", &number, &index) != 2 || number != call->number ||
      index >= call->sends || index >= ledger_max_attempts)
    return NULL;
  return &call->attempts[index];
}

/* What the client thinks that an attempt cost is what its provider charges,
 * wherever that was told; else it is an estimate, and says so. */
static void
check_cost(ledger *books, const ledger_call *call, const infer_attempt *attempt)
{
  const ledger_attempt *sent = answer_of(call, attempt);
  int64_t nano_usd = infer_attempt_cost_nano_usd(attempt);
  int32_t kind = infer_attempt_cost_kind(attempt);
  bool ok = infer_attempt_status(attempt) == INFER_OK;
  unsigned long long name = call->number;
  if (kind == INFER_COST_UNKNOWN || nano_usd < 0) {
    ledger_violated(books, "call %llu: an attempt of unknown cost", name);
    return;
  }
  bool told = sent && sent->usage_end > 0 && ok &&
              infer_attempt_bytes_received(attempt) >= (int64_t)sent->usage_end;
  bool exact = kind == INFER_COST_EXACT && (ok || nano_usd > 0);
  if (told && !exact)
    ledger_violated(books, "call %llu: an estimate of what was told", name);
  if (!exact || (books->memory_fails && !sent)) /* without its id */
    return;
  int64_t charged = sent && sent->usage_end > 0 ? sent->nano_usd : -1;
  if (charged != nano_usd)
    ledger_violated(books, "call %llu: %lld nano-dollars, the invoice has %lld",
                    name, (long long)nano_usd, (long long)charged);
  books->exact_nano += nano_usd;
  books->invoice_nano += charged;
}

void
ledger_attempt_ended(ledger *books, uint64_t number,
                     const infer_attempt *attempt, uint64_t now_ns)
{
  int32_t status = infer_attempt_status(attempt);
  ledger_trace(books, now_ns, LEDGER_ATTEMPT, number,
               (uint64_t)(int64_t)status << 32 ^
                   (uint64_t)infer_attempt_http_status(attempt) << 8 ^
                   (uint64_t)infer_attempt_reason(attempt),
               (uint64_t)infer_attempt_bytes_received(attempt));
  ledger_call *call = ledger_find(books, number, "the end of an attempt");
  if (!call)
    return;
  call->lost = status == INFER_E_CANCELLED;
  int64_t took_ns = infer_attempt_phase_ns(attempt, INFER_PHASE_END);
  if (!books->may_be_late &&
      took_ns > (int64_t)(call->attempt_max_ns + usage_wait_ns))
    ledger_violated(books, "call %llu: an attempt of %lld ns",
                    (unsigned long long)number, (long long)took_ns);
  if (call->ended_ns > 0)
    ledger_violated(books, "call %llu: an attempt ended after it",
                    (unsigned long long)number);
  if (books->priced)
    check_cost(books, call, attempt);
}

static bool
may_end_so(const ledger *books, const ledger_call *call, int32_t status,
           uint64_t now_ns)
{
  switch (status) {
  case INFER_E_CANCELLED:
    return call->cancelled || books->closing;
  case INFER_E_DEADLINE:
    return now_ns >= call->deadline_ns;
  case INFER_E_NO_MEMORY:
    return books->memory_fails;
  case INFER_E_INTERNAL:
  case INFER_E_INVALID_ARGUMENT:
  case INFER_E_TIMEOUT:
    return false;
  default:
    return true;
  }
}

void
ledger_call_ended(ledger *books, uint64_t number, int32_t status,
                  uint64_t now_ns)
{
  unsigned long long name = number;
  ledger_trace(books, now_ns, LEDGER_END, number, (uint64_t)(int64_t)status, 0);
  ledger_call *call = ledger_find(books, number, "an end");
  if (!call)
    return;
  if (call->ended_ns > 0) {
    ledger_violated(books, "call %llu: ended twice", name);
    return;
  }
  call->ended_ns = now_ns;
  call->status = status;
  books->live--;
  if (now_ns > call->deadline_ns && !books->may_be_late)
    ledger_violated(books, "call %llu: ended %llu ns after its deadline", name,
                    (unsigned long long)(now_ns - call->deadline_ns));
  if (call->has_whole && !may_waste(status))
    ledger_violated(books, "call %llu: a whole answer was thrown away", name);
  if (!may_end_so(books, call, status, now_ns))
    ledger_violated(books, "call %llu: ended as %s", name,
                    infer_status_name(status));
}

/* ---- What is read -------------------------------------------------------- */

/* Where a walk through an answer's text stands. */
typedef struct walk {
  uint32_t pos, writer;
} walk;

/* The attempt whose text the letter of that sixteenth may be, from here on. */
static bool
change_writer(const ledger_call *call, walk *at, uint32_t sixteenth)
{
  uint32_t first = at->pos == 0 ? call->next_epoch : at->writer + 1;
  if (at->pos > 0 && !call->continues)
    return false;
  for (uint32_t i = call->sends; i-- > first;) {
    const ledger_attempt *attempt = &call->attempts[i];
    if ((i & 15) == sixteenth && attempt->prefill == at->pos &&
        attempt->text_len > at->pos) {
      at->writer = i;
      return true;
    }
  }
  return false;
}

/* Goes on with the same writer as far as that is quick; gives the bytes. */
static size_t
walk_run(const ledger_call *call, walk *at, inf_sv text)
{
  char meant[64];
  size_t done = 0;
  while (at->pos > 0 && done < text.len) {
    size_t len = text.len - done, left = 0;
    if (call->attempts[at->writer].text_len > at->pos)
      left = call->attempts[at->writer].text_len - at->pos;
    len = len < left ? len : left;
    len = len < sizeof meant ? len : sizeof meant;
    ledger_letters(call->number, at->writer, at->pos, len, meant);
    if (len == 0 || memcmp(meant, text.ptr + done, len) != 0)
      break;
    at->pos += (uint32_t)len;
    done += len;
  }
  return done;
}

/* Is it the letter of the writer, at this place? */
static bool
fits(const ledger_call *call, const walk *at, char letter)
{
  return at->pos < call->attempts[at->writer].text_len &&
         letter == letter_of(call, at->writer, at->pos);
}

/* Goes on through a text; false at a byte that should not be there. */
static bool
walk_text(const ledger_call *call, walk *at, inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    i += walk_run(call, at, inf_sv_of(text.ptr + i, text.len - i));
    if (i == text.len)
      return true;
    uint32_t place = places[(unsigned char)text.ptr[i]];
    uint32_t sixteenth = (place - 1) >> 2;
    if (place == 0)
      return false;
    if ((at->pos == 0 || sixteenth != (at->writer & 15)) &&
        !change_writer(call, at, sixteenth))
      return false;
    /* Sixteen attempts later the letters are the same ones. */
    if (!fits(call, at, text.ptr[i]) &&
        !(at->pos > 0 && change_writer(call, at, sixteenth) &&
          fits(call, at, text.ptr[i])))
      return false;
    at->pos++;
  }
  return true;
}

static void
read_text(ledger *books, ledger_call *call, inf_sv text)
{
  walk at = {call->pos, call->writer};
  books->bytes += text.len;
  if (!walk_text(call, &at, text))
    ledger_violated(books,
                    "call %llu: byte %u of epoch %u is not of its answer",
                    (unsigned long long)call->number, at.pos, call->epoch);
  bool first = call->pos == 0 && at.pos > 0;
  call->pos = at.pos;
  call->writer = at.writer;
  for (uint32_t i = 0; first && i < at.writer; i++)
    if (call->attempts[i].over_ns == 0)
      ledger_violated(books, "call %llu: attempt %u lives on after the race",
                      (unsigned long long)call->number, i);
}

/* The attempt that the answer's id names; false if it is none of the call's. */
static bool
winner_of(const ledger_call *call, const infer_response *response,
          uint32_t *winner)
{
  char *end;
  const char *id = infer_response_id(response);
  if (strncmp(id, "chatcmpl-", 9) != 0)
    return false;
  unsigned long long number = strtoull(id + 9, &end, 10);
  if (number != call->number || *end != '-')
    return false;
  unsigned long attempt = strtoul(end + 1, &end, 10);
  *winner = (uint32_t)attempt;
  return *end == '\0' && attempt < call->sends;
}

static void
check_success(ledger *books, ledger_call *call, const infer_response *response)
{
  unsigned long long name = call->number;
  inf_sv text = {0};
  uint32_t winner = 0;
  text.ptr = infer_response_text(response, &text.len);
  walk at = {0};
  if (!response || !winner_of(call, response, &winner)) {
    ledger_violated(books, "call %llu: its answer has the id \"%s\"", name,
                    infer_response_id(response));
    return;
  }
  const ledger_attempt *attempt = &call->attempts[winner];
  if (!walk_text(call, &at, text))
    ledger_violated(books, "call %llu: byte %u of the answer is not of it",
                    name, at.pos);
  else if (!attempt->whole)
    ledger_violated(books, "call %llu: a success without an end", name);
  else if (text.len != attempt->text_len)
    ledger_violated(books, "call %llu: %zu bytes of an answer of %u", name,
                    text.len, attempt->text_len);
  else if (at.pos > 0 && at.writer != winner && attempt->prefill != at.pos)
    ledger_violated(books, "call %llu: the answer mixes two", name);
  else if (call->stream && (call->pos != at.pos || call->writer != at.writer))
    ledger_violated(books, "call %llu: %u bytes were told of an answer of %u",
                    name, call->pos, at.pos);
}

static void
check_failure(ledger *books, ledger_call *call, const infer_error *error)
{
  const infer_response *partial = infer_error_partial(error);
  inf_sv text = {0};
  text.ptr = infer_response_text(partial, &text.len);
  walk at = {0};
  if (!error)
    ledger_violated(books, "call %llu: failed without an error",
                    (unsigned long long)call->number);
  if (!walk_text(call, &at, text))
    ledger_violated(books, "call %llu: byte %u of the part is not of it",
                    (unsigned long long)call->number, at.pos);
  else if (partial && call->stream && call->pos > at.pos)
    ledger_violated(books, "call %llu: %u bytes were told, the part has %u",
                    (unsigned long long)call->number, call->pos, at.pos);
}

void
ledger_done(ledger *books, uint64_t number, int32_t status,
            const infer_response *response, const infer_error *error)
{
  ledger_call *call = ledger_find(books, number, "an outcome");
  unsigned long long name = number;
  if (!call)
    return;
  if (call->ended_ns == 0)
    ledger_violated(books, "call %llu: its end was told before", name);
  if (call->done)
    ledger_violated(books, "call %llu: its end was told twice", name);
  if (status != call->status)
    ledger_violated(books, "call %llu: two outcomes, %s and %s", name,
                    infer_status_name(status), infer_status_name(call->status));
  if (status == INFER_OK)
    check_success(books, call, response);
  else
    check_failure(books, call, error);
  call->done = true;
  books->unread--;
}

void
ledger_abandon(ledger *books, uint32_t queue)
{
  for (size_t i = 0; i < ledger_slots; i++) {
    ledger_call *call = &books->calls[i];
    if (call->number == 0 || call->done || call->queue != queue)
      continue;
    call->cancelled = true;
    call->done = true;
    books->unread--;
  }
}

static void
read_restart(ledger *books, ledger_call *call, uint32_t epoch)
{
  if (epoch <= call->epoch)
    ledger_violated(books, "call %llu: epoch %u after %u",
                    (unsigned long long)call->number, epoch, call->epoch);
  if (call->pos > 0)
    call->next_epoch = call->writer + 1;
  call->epoch = epoch;
  call->pos = 0;
}

void
ledger_event(ledger *books, const infer_event *event, uint64_t now_ns)
{
  uint64_t number = infer_event_tag(event);
  int32_t type = infer_event_type(event);
  inf_sv text = {0};
  text.ptr = infer_event_text(event, &text.len);
  ledger_trace(books, now_ns, LEDGER_EVENT, number, (uint64_t)type,
               text.len << 16 | infer_event_epoch(event));
  ledger_call *call = ledger_find(books, number, infer_event_type_name(event));
  if (!call)
    return;
  uint32_t epoch = infer_event_epoch(event);
  if (type == INFER_EVENT_RESTART)
    read_restart(books, call, epoch);
  else if (type != INFER_EVENT_DONE && epoch != call->epoch)
    ledger_violated(books, "call %llu: %s of epoch %u in epoch %u",
                    (unsigned long long)number, infer_event_type_name(event),
                    epoch, call->epoch);
  if (type != INFER_EVENT_DONE && !call->stream)
    ledger_violated(books, "call %llu: %s, but only its end was asked for",
                    (unsigned long long)number, infer_event_type_name(event));
  if (type == INFER_EVENT_TEXT)
    read_text(books, call, text);
  else if (type == INFER_EVENT_DONE)
    ledger_done(books, number, infer_event_status(event),
                infer_event_response(event), infer_event_error(event));
}
