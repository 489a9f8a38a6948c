/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_ATTEMPT_H
#define INF_ENGINE_ATTEMPT_H

#include "engine/budgets.h"
#include "engine/call.h"
#include "engine/health.h"
#include "engine/meter.h"
#include "provider/dialect.h"
#include "transport/transport.h"

/* One send of a call's request and what comes back. Loop only.
 *
 * An attempt ends exactly once, by inf_call_attempt_succeeded() or
 * inf_call_attempt_failed() (both in call.c), or by inf_attempt_abandon(). A
 * whole answer may be seen before the HTTP exchange is over; the attempt then
 * stays behind as a lingering one for at most INF_LINGER_NS, so that the
 * connection can be used again, and tells nobody anything any more. */
#define INF_LINGER_NS (1 * INF_NS_PER_S)

/* A provider that reports an error in the middle of an answer tells right
 * after it what the answer cost, if at all: with the next event. So long a
 * failed attempt waits for that before it ends; it is less than a reader
 * notices, for whom the answer has just broken off. An attempt without content
 * cost nothing and ends at once. */
#define INF_USAGE_WAIT_NS (100 * INF_NS_PER_MS)

struct inf_engine;

typedef struct inf_attempt {
  /* What keeps memory for the next attempt in this place. */
  inf_wire_request wire;
  inf_answer answer;
  inf_decoder decoder;
  bool decoder_made; /* by this attempt or one that was in its place before */
  /* From here on all is zero when an attempt begins. */
  inf_list node; /* in engine->attempts while in use, else in its pool */
  struct inf_engine *engine;
  struct infer_call *call; /* NULL once the attempt has ended */
  size_t target;           /* index in call->targets */
  size_t key;              /* index in provider->keys or INF_KEY_NONE */
  struct infer_attempt *record;
  /* Of a lingering one and a probe's, whose exchange uses the endpoint there:
   * the call, which pinned it until then, may be freed. Else NULL. */
  inf_config *config;
  inf_exchange *exchange; /* NULL once it is over */
  bool has_decoder;       /* by this one */
  bool stream;            /* asked for as a stream */
  bool content;           /* first content seen */
  bool sent;              /* the request went out */
  bool untouched;         /* it broke before the provider can have begun */
  bool refused;           /* the provider said that it did not begin */
  bool resend;            /* started at once after a stale connection */
  bool fresh_connection;
  bool paused;
  bool clock_corrected; /* it failed by the time that was signed */
  bool renewed; /* it failed by that or its token: the next is sent at once */
  bool aged;    /* the breaker knows that it has no content */
  /* Of a route that hedges: race.h. */
  bool watched;         /* its times are recorded */
  bool decisive;        /* content that wins was seen */
  bool timed;           /* the time to that, or to its end, is recorded */
  bool late;            /* it was silent at late_ns */
  bool holds;           /* its events are held back */
  bool parked;          /* its answer is whole and waits for the other leg */
  uint8_t bucket;       /* of its prompt's length */
  uint64_t hedge_ns;    /* when it is asked about; 0: it is not */
  uint64_t slow_ns;     /* when three quarters have content, and nine tenths: */
  uint64_t late_ns;     /* INF_NEVER: not known; 0: over */
  uint64_t failed_ns;   /* since when it waits for usage only; 0: it does not */
  int32_t verdict;      /* a failure decided within a callback; INFER_OK */
  uint64_t activity_ns; /* last time that the answer grew */
  uint64_t paused_ns;   /* since when */
  inf_timer timer;
  inf_buf raw;   /* MODELS: the body */
  inf_buf token; /* credentials.h: what it was sent with; "": a key */
  uint64_t token_serial;
  size_t lingered_bytes;
  uint64_t clock_epoch; /* engine->clock_jumps at the start */
  inf_health_attempt health;
  inf_meter_pass pass;
  inf_budgets_pass budgets;
  struct inf_probe *probe; /* this attempt is that probe's; else NULL */
  /* A probe's: */
  const inf_target_config *asked;
  bool enough; /* it ended with its first content, well */
} inf_attempt;

/* Starts the call's next attempt as call->next_* say, as the only one or, where
 * the reason is INFER_REASON_HEDGE, beside that in flight. One that cannot even
 * start fails like any other. False when memory is short. */
bool inf_attempt_start(struct inf_engine *engine, struct infer_call *call);
/* Takes the attempt out of its call. A whole answer's exchange may linger,
 * any other is cancelled; then the attempt goes back to the pool. */
void inf_attempt_detach(inf_attempt *attempt, bool linger);
void inf_attempt_set_paused(inf_attempt *attempt, bool paused);
/* Nothing more is waited for: an answer whose end mark alone is missing is
 * whole. Then ends the attempt by it and returns true. */
bool inf_attempt_complete(inf_attempt *attempt);
/* The attempt's timer fired. */
void inf_attempt_on_timer(inf_attempt *attempt);
/* Back to the pool; it has no call and no exchange any more. */
void inf_attempt_release(inf_attempt *attempt);
/* The class of an exchange's end, as far as the network is concerned. */
int32_t inf_attempt_class_of_net(inf_net net);
/* Frees one that is in the pool. */
void inf_attempt_free(inf_attempt *attempt);

#endif
