/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_RETRY_H
#define INF_POLICY_RETRY_H

#include "base/rng.h"
#include "policy/params.h"

#include <stddef.h>

/* What to do after an attempt failed: the same target again, another one, or
 * the end. A pure function of the failure, what the call has used up, the
 * time and the random generator.
 *
 * Algorithm (design, section 3.1)
 *   1. A class that allows nothing ends the call; so does run-once after a
 *      byte was sent, unless the provider refused the stream unread, and a
 *      used-up allowance of 1 + retries + (targets - 1) attempts.
 *   2. A reused connection that broke before any response byte, or a stream
 *      that the provider refused: the same request at once, outside the
 *      allowance, once in a row.
 *      So it is with a token or a signature's time that was refused, where
 *      there is another: with reason KEY, once for each target.
 *   3. A class of the key while the pool has another, or a rate limit while
 *      another key is free: the same target with the next key at once.
 *   4. The same target after its wait, up to stay_retries times and if the
 *      wait (the hint without its jitter) is at most stay_max_wait_ms, while
 *      other targets are unvisited and the allowance holds an attempt for each
 *      of them as well.
 *   5. The next unvisited target, at once.
 *      In both steps a target that can go on from the answer's beginning is
 *      taken first, if there is one: its reader need not start over. One whose
 *      breaker is open is taken last.
 *   6. With none unvisited, that of the targets not excluded which can be
 *      asked soonest gets what the allowance still holds.
 *   7. A target that says that its model is being loaded is not asked again
 *      before others were (no step 4); but it is waited for until the deadline.
 *      In step 6, and where the allowance is used up, it is asked again after
 *      an eighth of the time that it is known to load, from 250 ms to 30 s:
 *      what is asked later than it could be is at most that. Each such answer
 *      allows one more attempt there, which neither the allowance nor a budget
 *      counts: nothing was begun, and no capacity was taken. Nobody else takes
 *      its place.
 * Where the retry budget does not pay for the same target again, steps 3, 4 and
 * 6 pass it over.
 * A wait that would pass the deadline, counting the target's usual time to
 * first token, is never begun: the call ends with the failure's own class. */

/* One target of the call, in the route's order. The caller keeps ttft_ns,
 * has_key, shut and continues up to date, the decisions keep the rest. */
typedef struct inf_retry_target {
  uint64_t not_before_ns; /* end of the provider's hint; 0: none */
  uint64_t ttft_ns;       /* its usual time to first token; 0: unknown */
  uint64_t loading_ns;    /* when it first said that it loads; 0: never */
  int64_t context_tokens; /* longest prompt and answer; 0: not known */
  uint32_t stays;         /* retries decided for it */
  bool visited;
  bool excluded; /* not to be asked again in this call */
  bool loading;  /* said so last: it may be asked once more, uncounted */
  bool has_key;  /* a key that is not set aside, or none is needed */
  bool shut;     /* its breaker is open: others are taken before it */
  /* There is a partial answer, and it can go on from there (recovery.h). */
  bool continues;
  bool no_prefill; /* the caller's note that it cannot, after it was tried */
} inf_retry_target;

typedef struct inf_retry_call {
  const inf_route_params *params;
  inf_retry_target *targets;
  size_t target_count;
  size_t current;
  uint32_t attempts; /* counted ones, this failure included */
  bool run_once;
  uint64_t deadline_ns;
  /* Why the current target may not be asked again, though others may (static):
   * the retry budget does not pay for it. NULL: it may. */
  const char *stay_denied;
} inf_retry_call;

typedef struct inf_retry_failure {
  int32_t status;
  int64_t hint_ns;     /* -1: none */
  int8_t should_retry; /* 1, 0, -1: not said */
  bool loading;        /* its model is being loaded */
  bool sent;           /* a byte of the request may have left */
  bool untouched;  /* a reused connection broke before any response byte, or the
                    * stream was refused: most likely nothing was begun */
  bool refused;    /* the stream was refused: certainly nothing was begun */
  bool was_resend; /* this attempt was itself a resend */
  bool keyed;      /* this attempt used a key */
  bool renewed;    /* its token or its time was refused, and there is another:
                    * the same request at once, outside the allowance */
  bool other_key_free; /* the provider has a key that is neither limited nor
                        * set aside */
} inf_retry_failure;

typedef enum inf_retry_action {
  INF_RETRY_END,
  INF_RETRY_ATTEMPT,
} inf_retry_action;

typedef struct inf_retry_decision {
  inf_retry_action action;
  size_t target;
  uint64_t at_ns;  /* when to start the attempt */
  int32_t reason;  /* INFER_REASON_* */
  bool counted;    /* against the allowance */
  bool movable;    /* another target may take its place */
  bool awaited;    /* step 7: it is not, and movable is false */
  const char *why; /* static: for the trail and the log */
} inf_retry_decision;

/* Constants of the algorithm; sources beside their definition in retry.c. */
extern const uint64_t inf_retry_backoff_low_ns;
extern const uint64_t inf_retry_backoff_high_ns;
extern const uint64_t inf_retry_hint_cap_ns;
extern const uint64_t inf_retry_loading_low_ns; /* half of the first wait */
extern const uint64_t inf_retry_loading_cap_ns;

inf_retry_decision inf_retry_decide(inf_retry_call *call,
                                    const inf_retry_failure *failure,
                                    uint64_t now_ns, inf_rng *rng);

/* What was decided cannot be paid for: step 7 for what costs nothing, a target
 * whose last answer was that it loads; elsewhere: also one that is not the
 * current one. Else the end. */
inf_retry_decision inf_retry_await(inf_retry_call *call, bool elsewhere,
                                   uint64_t now_ns);

/* What a failure says of its target, where nothing is to be decided: another
 * attempt of the call goes on. */
void inf_retry_note(inf_retry_call *call, const inf_retry_failure *failure,
                    uint64_t now_ns, inf_rng *rng);

/* Largest number of counted attempts of a call. */
uint32_t inf_retry_allowance(const inf_route_params *params,
                             size_t target_count);

#endif
