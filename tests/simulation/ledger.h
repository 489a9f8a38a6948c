/* SPDX-License-Identifier: MIT */
/* The books of a simulated run: what each call was promised, what providers
 * were asked and what they sent for it, and what its reader got. Every entry
 * is checked against those before it, in constant time or in the time of the
 * bytes that it brings.
 *
 * The text of an answer tells where it comes from. Each of its bytes stands in
 * an alphabet of 64: four letters for each of sixteen attempts of a call, and
 * which of the four is a hash of call, attempt and position. A byte of another
 * attempt is seen at once, a byte of another call or place three times in
 * four. */
#ifndef TESTS_SIMULATION_LEDGER_H
#define TESTS_SIMULATION_LEDGER_H

#include "base/buf.h"
#include "infer/infer.h"

enum { ledger_max_attempts = 128, ledger_slots = 4096 };

/* One send, as the provider knows it. */
typedef struct ledger_attempt {
  uint32_t prefill;  /* bytes of the answer that it was given */
  uint32_t text_len; /* of the whole answer, the prefill included */
  uint64_t over_ns;  /* 0: not yet */
  size_t whole_end;  /* so many bytes of the body have a proper end in them */
  bool whole;        /* a proper end is among the bytes that it sends */
  size_t usage_end;  /* so many bytes tell its tokens; 0: nothing does */
  int64_t nano_usd;  /* that the provider charges for those */
  bool untouched;    /* it breaks as only a stale connection does */
  bool refused;      /* the stream is refused */
  bool loading;      /* it is told that the model is being loaded */
  bool arrived;      /* the request did */
} ledger_attempt;

typedef struct ledger_call {
  uint64_t number; /* from 1; 0: the place is free */
  uint64_t deadline_ns;
  uint64_t attempt_max_ns;
  uint32_t allowance;
  uint32_t labels; /* that a provider must have, one bit for each */
  bool stream, run_once, continues;
  bool hedges;    /* two of its attempts may be under way at once */
  uint32_t queue; /* of its reader */
  bool has_whole; /* an attempt that is over had brought a whole answer */
  bool lost;      /* the attempt whose end was told last was cancelled */
  bool cancelled; /* may end so from now on */
  /* Sends. */
  /* stale, loading: those after which another is free. */
  uint32_t sends, stale, loading;
  ledger_attempt attempts[ledger_max_attempts];
  /* Its end. */
  uint64_t ended_ns;
  int32_t status;
  bool done; /* its terminal event was read */
  /* What the reader got in this epoch. */
  uint32_t epoch, pos;
  uint32_t writer;     /* the attempt that wrote it; valid if pos > 0 */
  uint32_t next_epoch; /* the first attempt that may write the next one */
} ledger_call;

typedef struct ledger {
  ledger_call *calls; /* ledger_slots of them */
  uint64_t next_number;
  uint64_t live;   /* begun and not ended */
  uint64_t unread; /* begun and not done */
  uint64_t begun, sends, answers, bytes;
  uint64_t sent; /* calls with a send */
  bool priced;   /* the client has the price of every model */
  int64_t invoice_nano, exact_nano; /* of tokens that were told */
  uint64_t hash;
  bool memory_fails;   /* memory is made to run out */
  bool may_be_late;    /* nobody drives the client at times */
  bool may_waste;      /* or answers are longer than the client takes */
  bool closing;        /* every call may end as cancelled */
  char violation[512]; /* "" while all is well */
} ledger;

/* What a line of the trace is about. */
enum ledger_kind {
  LEDGER_SUBMIT = 1,
  LEDGER_REFUSE,
  LEDGER_SEND,
  LEDGER_ANSWER,
  LEDGER_OVER,
  LEDGER_ATTEMPT,
  LEDGER_END,
  LEDGER_EVENT,
  LEDGER_CANCEL,
  LEDGER_WARM,
  LEDGER_PROBE,
};

/* One at a time. */
void ledger_init(ledger *books);
/* Is the trace to be printed? */
bool ledger_tracing(void);
/* One line of the trace. */
void ledger_trace(ledger *books, uint64_t now_ns, enum ledger_kind kind,
                  uint64_t call, uint64_t a, uint64_t b);
void ledger_violated(ledger *books, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A place for a new call; NULL if none is free. It becomes one by
 * ledger_begin(), once it was accepted. */
ledger_call *ledger_place(ledger *books);
void ledger_begin(ledger *books, ledger_call *call, uint64_t now_ns);
/* NULL, and a violation, for a call that is over. */
ledger_call *ledger_find(ledger *books, uint64_t number, const char *what);

/* A provider is connected to for the call; the attempt's index. */
uint32_t ledger_send(ledger *books, uint64_t number, uint64_t now_ns);
/* A duplicate of the call's request is sent to a provider with these labels,
 * before the call's own next attempt. */
void ledger_probe(ledger *books, uint64_t number, uint32_t labels,
                  size_t prefill, uint64_t now_ns);
/* The request arrives at a provider with these labels. */
ledger_attempt *ledger_arrive(ledger *books, uint64_t number, uint32_t attempt,
                              uint32_t labels, uint64_t now_ns);
/* The exchange is over; so many bytes of the body were delivered. */
void ledger_over(ledger *books, uint64_t number, uint32_t attempt,
                 size_t told_bytes, uint64_t now_ns);

/* Hooks. */
void ledger_attempt_ended(ledger *books, uint64_t number,
                          const infer_attempt *attempt, uint64_t now_ns);
void ledger_call_ended(ledger *books, uint64_t number, int32_t status,
                       uint64_t now_ns);
/* The outcome, by its event or asked for. */
void ledger_done(ledger *books, uint64_t number, int32_t status,
                 const infer_response *response, const infer_error *error);
/* Nobody reads that queue any more: its calls are cancelled, their ends
 * untold. */
void ledger_abandon(ledger *books, uint32_t queue);
/* An event that the reader took. */
void ledger_event(ledger *books, const infer_event *event, uint64_t now_ns);

/* The letters of an answer from a position on. */
void ledger_letters(uint64_t number, uint32_t attempt, uint32_t from,
                    size_t count, char *letters);

#endif
