/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_LIMIT_H
#define INF_POLICY_LIMIT_H

#include "policy/gcra.h"

/* The rate limits of one key and model: several dimensions (requests and
 * tokens, by the second, minute or day) and a bound on what runs at the same
 * time, checked all and taken all, or none.
 *
 * Before a request is sent, an estimate of its cost is reserved; when its
 * cost is known, the reservation is settled, exactly once. What was reserved
 * too much is given back as if never taken, what was used beyond it is taken
 * then: gcra.h has the law that holds in each dimension.
 *
 * Burst. Over any window, a dimension admits at most burst + limit * window /
 * period. The burst should be what the provider's own bucket holds when
 * full: less leaves quota unused after a pause, more earns 429s. Without one
 * (0) it is the limit of one period: a provider that says "500 per minute"
 * answers with "remaining: 500" after a pause, so its bucket holds a minute's
 * limit; one that says "15 per second" (Clarifai's default) has a bucket of
 * 15. A day's quota is a sum to be spent at any hour, not a pace: its bucket
 * holds the day.
 *
 * Some providers enforce a limit in smaller portions (60 per minute as one
 * per second): a smaller burst expresses that. Others count windows instead
 * of filling a bucket, and refuse what is above the limit in any of them. For
 * those, no window of one period may hold more than the limit, so burst and
 * limit have to be given so that their sum is the provider's limit: of 15 per
 * second, {14 per second, burst 1} is the smoothest and wastes least,
 * {10 per second, burst 5} lets five go at once.
 *
 * What a call reserves and does not use is lost as far as it drains, and the
 * bucket gets full, before the call is settled. So a burst that lasts for less
 * time than calls do asks for close estimates; lows.h has figures.
 *
 * Not thread-safe; without allocation. Limiters may be copied and compared;
 * reservations may not be copied. */

/* Two units (requests, tokens) by three periods are six; two more for input
 * and output apart. */
#define INF_LIMIT_RULES_MAX 8

typedef enum inf_limit_kind {
  INF_LIMIT_REQUESTS,
  INF_LIMIT_TOKENS, /* input and output */
  INF_LIMIT_INPUT,
  INF_LIMIT_OUTPUT,
} inf_limit_kind;

typedef struct inf_limit_rule {
  inf_limit_kind kind;
  uint64_t limit; /* units in a period */
  uint64_t period_ns;
  uint64_t burst; /* 0: the limit of one period */
} inf_limit_rule;

typedef struct inf_limit_rules {
  inf_limit_rule rule[INF_LIMIT_RULES_MAX];
  size_t count;
  uint32_t concurrency; /* reservations open at the same time; 0: any */
} inf_limit_rules;

/* Members beyond INF_GCRA_COST_MAX / 2 count as that. */
typedef struct inf_limit_cost {
  uint64_t requests, input_tokens, output_tokens;
} inf_limit_cost;

typedef struct inf_limit_dimension {
  inf_limit_kind kind;
  inf_gcra gcra;
} inf_limit_dimension;

typedef struct inf_limiter {
  inf_limit_dimension dimension[INF_LIMIT_RULES_MAX];
  size_t count;
  uint32_t concurrency;
  uint32_t open;      /* reservations not settled yet */
  uint64_t last_mark; /* of a take; never reused */
  uint64_t seen_ns;   /* the latest time seen: an older one counts as this */
} inf_limiter;

typedef struct inf_limit_reservation {
  inf_limit_cost cost;
  uint64_t mark;
  bool open;
} inf_limit_reservation;

typedef enum inf_limit_outcome {
  INF_LIMIT_ADMITTED,
  INF_LIMIT_WAIT,  /* until at_ns */
  INF_LIMIT_FULL,  /* until a reservation is settled, and until at_ns */
  INF_LIMIT_NEVER, /* larger than what is ever free */
} inf_limit_outcome;

/* In a verdict: the bound on concurrency, or nothing, is what decided. */
#define INF_LIMIT_CONCURRENCY INF_LIMIT_RULES_MAX
#define INF_LIMIT_NONE        (INF_LIMIT_RULES_MAX + 1)

typedef struct inf_limit_verdict {
  inf_limit_outcome outcome;
  size_t dimension; /* which one decided */
  /* The exact earliest time, if nothing else is taken or settled until then;
   * INF_NEVER with INF_LIMIT_NEVER. */
  uint64_t at_ns;
} inf_limit_verdict;

/* At most INF_LIMIT_RULES_MAX, each valid by gcra.h, no two of the same kind
 * and period. */
bool inf_limit_rules_valid(const inf_limit_rules *rules);
/* All full. The rules are valid. */
void inf_limit_init(inf_limiter *limiter, const inf_limit_rules *rules);
/* Other rules from now on: those of a kind and period that was there before
 * keep their debt, others begin full. Open reservations stay open. */
void inf_limit_reconfigure(inf_limiter *limiter, const inf_limit_rules *rules,
                           uint64_t now_ns);

/* May it be sent now? Takes nothing. After it, keep_percent of every burst,
 * and of the concurrency, has to be free still: for what is of less use than
 * a first attempt, such as hedges and probes. */
inf_limit_verdict inf_limit_peek(const inf_limiter *limiter,
                                 const inf_limit_cost *cost,
                                 uint32_t keep_percent, uint64_t now_ns);
/* The same, and takes it if admitted: the reservation, which is not open
 * before, is open then, and is settled by one of the three below. Otherwise
 * neither is changed, but for the latest time seen. */
inf_limit_verdict inf_limit_reserve(inf_limiter *limiter,
                                    const inf_limit_cost *cost,
                                    uint32_t keep_percent, uint64_t now_ns,
                                    inf_limit_reservation *reservation);

/* The end of a reservation. Each returns false, and changes nothing, if it is
 * not open. */
/* What it really cost. */
bool inf_limit_settle(inf_limiter *limiter, inf_limit_reservation *reservation,
                      const inf_limit_cost *actual, uint64_t now_ns);
/* Nothing was sent: all is given back. */
bool inf_limit_release(inf_limiter *limiter, inf_limit_reservation *reservation,
                       uint64_t now_ns);
/* Sent and broken off, or failed: its requests count, and these tokens. */
bool inf_limit_abort(inf_limiter *limiter, inf_limit_reservation *reservation,
                     uint64_t input_tokens, uint64_t output_tokens,
                     uint64_t now_ns);

/* The dimension of a kind and period, or INF_LIMIT_NONE. */
size_t inf_limit_find(const inf_limiter *limiter, inf_limit_kind kind,
                      uint64_t period_ns);
/* What is free, as the provider says: inf_gcra_set_level(). Calls that run and
 * that it cannot have counted yet are for the caller to subtract; what they
 * turn out not to use is given back as always. */
void inf_limit_set_level(inf_limiter *limiter, size_t dimension, uint64_t level,
                         uint64_t now_ns);
/* A limit and burst that were learned; the period stays. Returns false, and
 * changes nothing, if they are not valid. */
bool inf_limit_set_rate(inf_limiter *limiter, size_t dimension, uint64_t limit,
                        uint64_t burst, uint64_t now_ns);
/* The least share of a burst, or of the concurrency, that is free now, in
 * percent, rounded down; 100 without any limit. */
uint32_t inf_limit_headroom_percent(const inf_limiter *limiter,
                                    uint64_t now_ns);

#endif
