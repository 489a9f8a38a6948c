/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_MODEL_H
#define INF_TOOLS_REPLAY_MODEL_H

#include "sim_dist.h"
#include "sim_mem.h"

/* What the providers of a replay are like: read from a file that gives it, or
 * fitted to what `infer compare` has measured. docs/replay.md is the manual.
 *
 *   {"models": {
 *     "openai/gpt-4o-mini": {
 *       "first_token_ms": {"dist": "lognormal", "p50": 420, "p95": 1300},
 *       "token_ms": 11,
 *       "failures": {"503": 0.002, "stall": 0.0005},
 *       "requests_per_minute": 500 },
 *     "house/...": { ... }}}
 *
 * Names are those of targets; a star stands for any bytes; the first that fits
 * counts. */

/* How a request goes wrong. */
typedef enum inf_replay_model_failure_kind {
  INF_REPLAY_STATUS,  /* an HTTP status instead of an answer */
  INF_REPLAY_CONNECT, /* the connection is refused */
  INF_REPLAY_RESET,   /* it breaks before the answer */
  INF_REPLAY_SILENCE, /* no answer ever comes */
  INF_REPLAY_STALL,   /* the answer stops half way, for ever */
  INF_REPLAY_CUT,     /* and ends there */
} inf_replay_model_failure_kind;

typedef struct inf_replay_model_failure {
  inf_replay_model_failure_kind kind;
  int status;
  double share; /* of the requests */
} inf_replay_model_failure;

/* A time in which all requests fail in the same way. */
typedef struct inf_replay_model_outage {
  uint64_t from_s, until_s; /* since the first request */
  inf_replay_model_failure failure;
} inf_replay_model_outage;

typedef struct inf_replay_model {
  inf_sv name; /* NUL-terminated */
  /* From the arrival of a request to its first token: the sum of both. */
  inf_sim_dist first_token_ms;
  inf_sim_dist prompt_token_ms; /* for each token that is in no cache */
  inf_sim_dist token_ms;        /* one after another; drawn for each answer */
  inf_sim_dist connect_ms;      /* of a new connection */
  inf_sim_dist error_ms;        /* until an error comes */
  const inf_replay_model_failure *failures;
  size_t failure_count;
  const inf_replay_model_outage *outages;
  size_t outage_count;
  /* Quotas of each key; 0: none. They refill steadily and hold what comes
   * together in burst_s. */
  uint64_t requests_per_minute, tokens_per_minute, burst_s;
  /* Requests at a time, and those beyond that wait; what is beyond both is
   * answered 429. concurrency 0: any. */
  uint64_t concurrency, queue;
  bool rate_headers; /* tells of its quotas in every answer */
  bool retry_after;  /* tells with a 429 when to come back */
  uint64_t prefix_cache_tokens, prefix_block_tokens;
} inf_replay_model;

typedef struct inf_replay_models {
  inf_sim_arena arena;
  inf_replay_model *items;
  size_t count;
} inf_replay_models;

/* Reads the text of a file, of either kind. False with one line in *error,
 * which names the place. */
bool inf_replay_models_read(inf_replay_models *models, inf_sv text,
                            inf_buf *error);
void inf_replay_models_free(inf_replay_models *models);
/* That of the target, or NULL. */
const inf_replay_model *inf_replay_models_find(const inf_replay_models *models,
                                               inf_sv target);

/* "503", "reset", ... False if it is none. */
bool inf_replay_model_failure_read(inf_sv name,
                                   inf_replay_model_failure *failure);
void inf_replay_model_init(inf_replay_model *model);

#endif
