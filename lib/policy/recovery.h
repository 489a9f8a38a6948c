/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_RECOVERY_H
#define INF_POLICY_RECOVERY_H

#include "policy/params.h"

/* What becomes of a call whose answer breaks off after its reader has begun
 * to see it (design, section 3.3). Where a call may go is the retry policy's
 * to say; how it goes on there is said here: from the beginning, or from what
 * was delivered. Pure functions. */

typedef enum inf_recovery_action {
  INF_RECOVERY_END,         /* with the failure and the partial answer */
  INF_RECOVERY_START_AGAIN, /* "forget what you got", a whole new answer */
  INF_RECOVERY_GO_ON,       /* the target continues the partial answer */
} inf_recovery_action;

typedef struct inf_recovery_state {
  int32_t mode;        /* inf_recovery, the route's */
  bool tool_call_done; /* a completed tool call was delivered */
  bool continues;      /* the chosen target can go on from what was
                        * delivered (inf_retry_target) */
} inf_recovery_state;

typedef struct inf_recovery_decision {
  inf_recovery_action action;
  const char *why; /* static: for the log */
} inf_recovery_decision;

inf_recovery_decision inf_recovery_decide(const inf_recovery_state *state);

/* What the failure of an attempt that was to go on says of its target. */
typedef enum inf_recovery_verdict {
  /* Nothing more than that of any other attempt. */
  INF_RECOVERY_FAILED,
  /* As that of any other, but it may be the partial answer that the server
   * stumbled over: it is not given to this target again. */
  INF_RECOVERY_DOUBTFUL,
  /* The partial answer was refused. That is no failure of the call, which
   * stays with the one that broke the answer off, and none of the target,
   * which may still be asked for a whole answer. */
  INF_RECOVERY_REFUSED,
} inf_recovery_verdict;

/* content: something of its answer came. */
inf_recovery_verdict inf_recovery_judge(int32_t status, bool content);

#endif
