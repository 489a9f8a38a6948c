/* SPDX-License-Identifier: MIT */
/* A fleet of simulated providers behind the virtual network. They speak
 * OpenAI's protocol, each with ways of its own, and each passes through times
 * in which it is slow, silent, failing or down.
 *
 * A request says whose it is and how long its prompt counts by "sim:NUMBER:
 * TOKENS;" within a message. In runs about labels it also says which it may
 * not go without, and by which generation of the configuration it was
 * submitted: "sim:NUMBER:TOKENS:LABELS:GENERATION;". The host of its address
 * says which provider is asked: "p0.sim", "p1.sim", ... */
#ifndef TESTS_SIMULATION_FLEET_H
#define TESTS_SIMULATION_FLEET_H

#include "account.h"
#include "dice.h"
#include "ledger.h"
#include "transport/virtual.h"

enum { fleet_max_providers = 4, fleet_max_keys = 4 };

typedef enum fleet_regime {
  FLEET_NORMAL,
  FLEET_SLOW,
  FLEET_BLACK_HOLE, /* takes requests and says nothing */
  FLEET_ERRORS,     /* most requests fail */
  FLEET_DOWN,       /* connections are refused */
  FLEET_LOADING,    /* every request is told that the model is being loaded */
  FLEET_REGIMES,
} fleet_regime;

/* How a provider tells of its limits. */
typedef enum fleet_headers {
  FLEET_HEADERS_NONE,
  FLEET_HEADERS_OPENAI,    /* x-ratelimit-*, resets as in 6m0s and 17ms */
  FLEET_HEADERS_ANTHROPIC, /* anthropic-ratelimit-*, resets in RFC 3339 */
  FLEET_HEADERS_SECONDS,   /* ratelimit-*, resets in whole seconds */
  FLEET_HEADERS_KINDS,
} fleet_headers;

/* How its bytes come. */
typedef enum fleet_pieces {
  FLEET_BY_EVENT, /* as they were written */
  FLEET_ANYWHERE, /* cut at random places */
  FLEET_IN_ONE,   /* everything at the end */
  FLEET_BY_BYTE,  /* one byte at a time */
  FLEET_PIECES_KINDS,
} fleet_pieces;

/* What a provider is like. Shares are in permille. */
typedef struct fleet_params {
  uint32_t labels; /* of generation 0: see fleet_labels() */
  bool prefills, echoes;
  /* Time. */
  uint64_t connect_ns, first_ns, per_prompt_token_ns;
  uint32_t sigma; /* of the lognormal, in 1/65536 */
  uint64_t per_token_ns;
  uint32_t tokens_max;
  uint32_t long_answers; /* longer than what may wait for a slow reader */
  uint32_t reused;       /* share of connections that waited */
  /* Regimes: mean duration of each, and how often it comes after normal. */
  uint64_t normal_ns, trouble_ns;
  uint32_t weights[FLEET_REGIMES];
  /* Quota; 0: none. What the co-tenant takes of it, on and off; always where
   * cotenant_ns is 0. */
  uint32_t requests_per_minute, tokens_per_minute;
  uint32_t cotenant;
  uint64_t cotenant_ns;
  fleet_headers headers;
  account_limits limits; /* that the client has for each of its keys */
  /* Failures, whatever the regime. */
  uint32_t stale, refused_streams, errors, cut, reset, stall, error_in_stream,
      malformed, empty, no_done, no_usage, wrong_kind;
  /* Micro-dollars for a million tokens; the client knows them. */
  uint32_t price_input, price_output;
  /* Manner. */
  fleet_pieces pieces;
  bool crlf, comments, escapes, tight; /* tight: no space after "data:" */
  /* A provider that can be had elsewhere as well, for what is compared with
   * another simulation: no time, error or wait of it is drawn. An answer comes
   * after first_ns, a 429 too. It has a single time of trouble, in which it
   * fails with 503 (FLEET_ERRORS), after error_ns, or is down; that resets what
   * is under way. */
  bool exact;
  fleet_regime trouble;
  uint64_t trouble_from_ns, trouble_until_ns; /* on the clock */
  uint64_t error_ns;
  uint32_t stragglers; /* answers that take ten times as long, in permille; the
                        * others are spread by sigma: this is drawn */
  uint32_t burst;      /* requests that the quota holds; 0: those of a minute */
} fleet_params;

typedef struct fleet_provider {
  fleet_params params;
  inf_rng rng;     /* of its answers */
  inf_rng weather; /* of its regimes: the load has no say in them */
  fleet_regime regime;
  uint64_t regime_until_ns;
  bool cotenant_on;
  uint64_t cotenant_until_ns, refilled_ns;
  uint64_t requests_left, tokens_left;  /* in millionths */
  sim_account accounts[fleet_max_keys]; /* by key; the last: without one */
} fleet_provider;

typedef struct sim_fleet {
  inf_virtual_server server;
  ledger *books;
  const inf_virtual_clock *clock;
  fleet_provider providers[fleet_max_providers];
  size_t count;
  uint64_t warm_ups, open; /* exchanges that are not over */
  uint64_t probes;
  /* Requests that said what labels they require, and calls that did. */
  uint64_t labelled_requests, labelled_calls, labelled_probes;
  /* May a provider be warmed? NULL: any. */
  bool (*may_warm)(void *context, size_t provider);
  void *context;
  /* Who asks, once it is there: no request says that it is a probe. */
  struct infer_client *const *client;
} sim_fleet;

/* The providers' parameters are the caller's to fill in before. */
void fleet_init(sim_fleet *fleet, ledger *books, const inf_virtual_clock *clock,
                uint64_t seed);
void fleet_fini(sim_fleet *fleet);
/* A reload may give the providers other labels. */
enum { fleet_generations = 4, fleet_label_count = 5 };
uint32_t fleet_labels(const fleet_params *params, uint32_t generation);
/* Draws what a provider is like. */
void fleet_draw(fleet_params *params, inf_rng *rng);
/* Every way to fail that is there becomes one of its own. */
void fleet_draw_every_fault(fleet_params *params, inf_rng *rng);

/* fleet_answer.c: the answer of a provider to a request that it accepts. */
typedef struct fleet_ask {
  uint64_t number; /* of the call */
  uint32_t attempt, prompt_tokens;
  uint32_t labels, generation;
  bool stream;
  inf_sv prefill; /* the part that it is to go on from */
} fleet_ask;

void fleet_write_answer(fleet_provider *provider, const fleet_ask *ask,
                        ledger_attempt *entry, inf_virtual_answer *answer);
/* fleet_limits.c */
/* Takes a request and its tokens from the quota; false if they are not
 * there. */
bool fleet_take(fleet_provider *provider, uint32_t tokens, uint64_t now_ns);
/* The headers about the limits; refused: of a 429. */
void fleet_write_limits(fleet_provider *provider, bool refused, int64_t wall_ns,
                        inf_headers *headers);

/* fleet_exact.c: providers of which nothing is drawn. */
fleet_regime fleet_exact_regime(fleet_provider *provider, uint64_t now_ns);
void fleet_exact_answer(sim_fleet *fleet, fleet_provider *provider,
                        const fleet_ask *ask, uint64_t now_ns,
                        ledger_attempt *entry, inf_virtual_answer *answer);

#endif
