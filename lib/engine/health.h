/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_HEALTH_H
#define INF_ENGINE_HEALTH_H

#include "engine/runtime.h"
#include "policy/breaker.h"
#include "policy/outlook.h"
#include "policy/retry_budget.h"

/* Which targets are worth asking, and how many attempts beyond the first a
 * client may make: the breaker (policy/breaker.h) and retry budget
 * (policy/retry_budget.h) of each target, and the budgets of the client. They
 * stand in the runtime, beside what else is known of a target, and so outlive
 * configurations.
 *
 * All functions take the runtime's lock. The loop changes, any thread may
 * look. Of a target of which nothing can be kept (memory, INF_RUNTIME_MAX)
 * nothing is ever said: it is asked like any other. */

/* What an attempt holds of it all. Zeroed: nothing. */
typedef struct inf_health_attempt {
  inf_target_state *target;
  inf_breaker_attempt breaker;
  inf_outlook_attempt outlook; /* what routing learns from it */
  uint8_t bucket; /* of its prompt, see routing.h: the caller's, at the start */
  inf_runtime *runtime; /* that target is in */
} inf_health_attempt;

/* May it be asked now? See inf_breaker_admit(). */
inf_breaker_verdict inf_health_admit(inf_runtime *runtime, const char *target,
                                     bool last_resort, uint64_t now_ns,
                                     inf_rng *rng);
/* Changes nothing. */
inf_breaker_view inf_health_look(inf_runtime *runtime, const char *target,
                                 bool last_resort, uint64_t now_ns);
/* For statistics: all targets one after the other, with the runtime's lock
 * held. Changes nothing. */
typedef struct inf_health_view {
  const char *target;
  inf_breaker_view breaker;
  uint64_t opened, probes, denied; /* how often, ever */
} inf_health_view;
void inf_health_each(inf_runtime *runtime, uint64_t now_ns,
                     void (*see)(void *context, const inf_health_view *view),
                     void *context);
/* The class of the latest failure that counted against it, silence included;
 * INFER_OK: none. */
int32_t inf_health_last_failure(inf_runtime *runtime, const char *target);

/* May an extra attempt be made there? NULL, and the claim holds it; else the
 * reason why not (static). */
const char *inf_health_claim(inf_runtime *runtime, const char *target,
                             inf_retry_budget_use use, inf_retry_claim *claim);
/* What that would return, with nothing taken. */
const char *inf_health_afford(inf_runtime *runtime, const char *target,
                              inf_retry_budget_use use);
/* Another target is to be asked than the one that the claim, if any, is for:
 * the claim becomes one for a failover to it. Where the budgets do not pay for
 * that, what is held does. */
void inf_health_move(inf_runtime *runtime, const char *target,
                     inf_retry_claim *claim);
/* The same for a hedge, at the price of a failover: one that ends well pays for
 * itself. It is the route's share of the spend that says how many there may be;
 * here they only end with the successes. It is paid from the client's budget
 * alone: its target has not failed, and may have no other attempts whose
 * successes would fund it. */
bool inf_health_claim_hedge(inf_runtime *runtime, inf_retry_claim *claim);
/* The same for a probe that is a duplicate. */
bool inf_health_claim_probe(inf_runtime *runtime, inf_retry_claim *claim);
/* It is not made after all. */
void inf_health_refund(inf_runtime *runtime, inf_retry_claim *claim);

/* The life of an attempt, in the words of breaker.h. What claim holds is spent
 * at its beginning. False: a probe that is not due any more, nothing is
 * begun. The others return a line where they changed the breaker's state
 * (static, for the log), else NULL. */
bool inf_health_begin(inf_runtime *runtime, inf_health_attempt *attempt,
                      const char *target, bool probe, inf_retry_claim *claim,
                      uint64_t now_ns, inf_rng *rng);
/* Its times mean nothing: see inf_breaker_untimed(). */
void inf_health_untimed(inf_health_attempt *attempt);
const char *inf_health_age(inf_runtime *runtime, inf_health_attempt *attempt,
                           uint64_t now_ns, inf_rng *rng);
const char *inf_health_content(inf_runtime *runtime,
                               inf_health_attempt *attempt, uint64_t now_ns,
                               inf_rng *rng);
/* It has no content, others there have none either, and another target had it
 * meanwhile: counts like one that is late. */
const char *inf_health_silent(inf_runtime *runtime, inf_health_attempt *attempt,
                              uint64_t now_ns, inf_rng *rng);
/* status: INFER_OK, or the class of the failure. Only the first call has an
 * effect. */
const char *inf_health_end(inf_runtime *runtime, inf_health_attempt *attempt,
                           int32_t status, uint64_t now_ns, inf_rng *rng);
/* The same where the target said that its model is being loaded. It is not
 * down: that counts against it with routing, where others serve meanwhile, but
 * not with its breaker, which closes if it is open. Else a call that may go
 * nowhere else would be refused instead of waiting for it. */
const char *inf_health_loading(inf_runtime *runtime,
                               inf_health_attempt *attempt, uint64_t now_ns,
                               inf_rng *rng);

#endif
