/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_PARAMS_H
#define INF_POLICY_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers of a route that the policies and the engine go by. Plain data:
 * the configuration fills it in, the engine hands it down. */

typedef enum inf_recovery {
  INF_RECOVERY_ERROR,
  INF_RECOVERY_RESTART,
  INF_RECOVERY_CONTINUE,
} inf_recovery;

typedef enum inf_upstream {
  INF_UPSTREAM_DEFAULT, /* stream where the provider can */
  INF_UPSTREAM_STREAM,
  INF_UPSTREAM_UNARY,
} inf_upstream;

/* In which order the targets of a route are asked. */
typedef enum inf_strategy {
  INF_STRATEGY_ORDER,    /* as they stand there */
  INF_STRATEGY_WEIGHTED, /* route_weighted.h */
  INF_STRATEGY_LATENCY,  /* route_latency.h */
  INF_STRATEGY_COST,     /* route_cost.h */
} inf_strategy;

/* What decides a race of two attempts. */
typedef enum inf_race_on {
  INF_RACE_ON_CONTENT, /* whatever the model says first */
  INF_RACE_ON_ANSWER,  /* the first of it that is no reasoning */
} inf_race_on;

typedef struct inf_timeouts {
  int64_t connect_ms;     /* name lookup, TCP and TLS */
  int64_t first_token_ms; /* send to first content */
  int64_t idle_ms;        /* silence after the first content */
  int64_t attempt_ms;     /* one attempt, start to end */
  int64_t deadline_ms;    /* the whole call */
} inf_timeouts;

typedef struct inf_route_params {
  inf_timeouts timeouts;
  int64_t retries;                 /* beyond one attempt per target */
  int64_t stay_retries;            /* on one target before the next */
  int64_t stay_max_wait_ms;        /* longest wait for staying */
  int32_t recovery;                /* inf_recovery */
  int32_t upstream;                /* inf_upstream */
  int32_t strategy;                /* inf_strategy */
  int64_t cost_max_first_token_ms; /* of strategy cost; 0: none */
  /* Micro-dollars per million tokens; -1: any, or none is known. */
  int64_t max_input_price, max_output_price;
  int64_t hedge_budget;         /* of the spend, in millionths; 0: no hedges */
  int64_t hedge_percentile;     /* in millionths of a percent */
  int64_t hedge_min_delay_ms;   /* no hedge is sent sooner */
  int32_t race_on;              /* inf_race_on */
  bool failover_content_filter; /* refused content may go elsewhere */
  bool failover_tls_verify;     /* so may an untrusted certificate */
  bool keep_warm;               /* a connection waits for the next call */
  bool breaker;                 /* targets that fail are not asked */
  bool retry_budget;            /* extra attempts are paid from a budget */
} inf_route_params;

#endif
