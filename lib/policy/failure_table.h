/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_FAILURE_TABLE_H
#define INF_POLICY_FAILURE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* The failure table of the design: what each class of failure allows. One
 * taxonomy serves the public error code and every policy; it stands here once.
 */

/* May the same target be asked again within this call? */
typedef enum inf_again {
  INF_AGAIN_NO,
  INF_AGAIN_BACKOFF, /* after a drawn backoff, or the provider's hint */
  INF_AGAIN_HINT,    /* our quota: after the hint, else the backoff */
  INF_AGAIN_KEY,     /* at once, with another key */
} inf_again;

/* May another target be asked? */
typedef enum inf_elsewhere {
  INF_ELSEWHERE_NO,
  INF_ELSEWHERE_YES,
  INF_ELSEWHERE_LARGER_CONTEXT, /* only to a larger context */
  INF_ELSEWHERE_IF_FILTER,      /* if the route allows it for refusals */
  INF_ELSEWHERE_IF_TLS,         /* if the route allows it for certificates */
} inf_elsewhere;

/* What becomes of the key that was used. */
typedef enum inf_key_fate {
  INF_KEY_KEEP,
  INF_KEY_REST,   /* set aside for the hint, or 5 minutes */
  INF_KEY_REFUSE, /* set aside until the configuration is reloaded */
} inf_key_fate;

typedef struct inf_failure_rule {
  int32_t status;          /* INFER_E_* */
  uint8_t again;           /* inf_again */
  uint8_t elsewhere;       /* inf_elsewhere */
  uint8_t key_fate;        /* inf_key_fate */
  uint8_t breaker_percent; /* evidence against the target, 100 is one failure */
  bool retryable;          /* may the whole call succeed later? */
} inf_failure_rule;

/* Never NULL: a class that the table does not list ends the call. */
const inf_failure_rule *inf_failure_rule_of(int32_t status);

#endif
