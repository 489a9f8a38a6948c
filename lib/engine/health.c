/* SPDX-License-Identifier: MIT */
/* Breakers and budgets of targets; see health.h. */
#include "engine/health.h"

#include "engine/runtime_state.h"
#include "policy/failure_table.h"

static const inf_breaker_verdict pass = {INF_BREAKER_PASS, 0, ""};

inf_breaker_verdict
inf_health_admit(inf_runtime *runtime, const char *target, bool last_resort,
                 uint64_t now_ns, inf_rng *rng)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_target_state *state = inf_runtime_known_locked(runtime, target);
  inf_breaker_verdict verdict =
      state ? inf_breaker_admit(&state->breaker, last_resort, now_ns, rng)
            : pass;
  pthread_mutex_unlock(&runtime->mutex);
  return verdict;
}

inf_breaker_view
inf_health_look(inf_runtime *runtime, const char *target, bool last_resort,
                uint64_t now_ns)
{
  inf_breaker fresh = {.params = &inf_breaker_defaults};
  pthread_mutex_lock(&runtime->mutex);
  const inf_target_state *state = inf_runtime_known_locked(runtime, target);
  inf_breaker_view view =
      inf_breaker_look(state ? &state->breaker : &fresh, last_resort, now_ns);
  pthread_mutex_unlock(&runtime->mutex);
  return view;
}

void
inf_health_each(inf_runtime *runtime, uint64_t now_ns,
                void (*see)(void *context, const inf_health_view *view),
                void *context)
{
  pthread_mutex_lock(&runtime->mutex);
  for (size_t i = 0; i < INF_RUNTIME_BUCKETS; i++)
    for (const inf_target_state *state = runtime->targets[i]; state;
         state = state->next) {
      inf_health_view view = {
          .target = state->name,
          .breaker = inf_breaker_look(&state->breaker, false, now_ns),
          .opened = state->breaker.opened,
          .probes = state->breaker.probes,
          .denied = state->breaker.denied,
      };
      see(context, &view);
    }
  pthread_mutex_unlock(&runtime->mutex);
}

int32_t
inf_health_last_failure(inf_runtime *runtime, const char *target)
{
  pthread_mutex_lock(&runtime->mutex);
  const inf_target_state *state = inf_runtime_known_locked(runtime, target);
  int32_t status = state ? state->last_failure : INFER_OK;
  pthread_mutex_unlock(&runtime->mutex);
  return status;
}

/* ---- Budgets ------------------------------------------------------------- */

const char *
inf_health_claim(inf_runtime *runtime, const char *target,
                 inf_retry_budget_use use, inf_retry_claim *claim)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_target_state *state = inf_runtime_target_locked(runtime, target);
  const char *why = inf_retry_budget_claim(claim, &runtime->retries,
                                           state ? &state->budget : NULL, use);
  pthread_mutex_unlock(&runtime->mutex);
  return why;
}

const char *
inf_health_afford(inf_runtime *runtime, const char *target,
                  inf_retry_budget_use use)
{
  pthread_mutex_lock(&runtime->mutex);
  const inf_target_state *state = inf_runtime_known_locked(runtime, target);
  const char *why = inf_retry_budget_look(&runtime->retries,
                                          state ? &state->budget : NULL, use);
  pthread_mutex_unlock(&runtime->mutex);
  return why;
}

void
inf_health_move(inf_runtime *runtime, const char *target,
                inf_retry_claim *claim)
{
  inf_retry_claim next;
  if (!claim->client ||
      inf_health_claim(runtime, target, INF_RETRY_BUDGET_FAILOVER, &next))
    return;
  inf_health_refund(runtime, claim);
  *claim = next;
}

/* From one of the client's budgets alone. */
static bool
claim_alone(inf_runtime *runtime, inf_retry_budget *budget,
            inf_retry_budget_use use, inf_retry_claim *claim)
{
  pthread_mutex_lock(&runtime->mutex);
  const char *why = inf_retry_budget_claim(claim, budget, NULL, use);
  pthread_mutex_unlock(&runtime->mutex);
  return why == NULL;
}

bool
inf_health_claim_hedge(inf_runtime *runtime, inf_retry_claim *claim)
{
  return claim_alone(runtime, &runtime->retries, INF_RETRY_BUDGET_FAILOVER,
                     claim);
}

bool
inf_health_claim_probe(inf_runtime *runtime, inf_retry_claim *claim)
{
  return claim_alone(runtime, &runtime->probes, INF_RETRY_BUDGET_EXTRA, claim);
}

void
inf_health_refund(inf_runtime *runtime, inf_retry_claim *claim)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_retry_budget_refund(claim);
  pthread_mutex_unlock(&runtime->mutex);
}

/* ---- Attempts ------------------------------------------------------------ */

bool
inf_health_begin(inf_runtime *runtime, inf_health_attempt *attempt,
                 const char *target, bool probe, inf_retry_claim *claim,
                 uint64_t now_ns, inf_rng *rng)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_target_state *state = inf_runtime_target_locked(runtime, target);
  bool begun = !state || inf_breaker_begin(&state->breaker, &attempt->breaker,
                                           probe, 0, now_ns, rng);
  attempt->target = begun ? state : NULL;
  attempt->runtime = runtime;
  if (attempt->target)
    inf_outlook_begin(&state->outlook, &attempt->outlook, attempt->bucket,
                      now_ns);
  if (begun)
    inf_retry_budget_spend(claim);
  pthread_mutex_unlock(&runtime->mutex);
  return begun;
}

void
inf_health_untimed(inf_health_attempt *attempt)
{
  inf_breaker_untimed(&attempt->breaker);
  if (!attempt->target)
    return;
  pthread_mutex_lock(&attempt->runtime->mutex);
  inf_outlook_forget(&attempt->target->outlook, &attempt->outlook);
  pthread_mutex_unlock(&attempt->runtime->mutex);
}

/* What a change of state is called; NULL if there is none. */
static const char *
news_of(const inf_breaker *breaker, uint64_t epoch, uint8_t state)
{
  if (breaker->epoch == epoch && breaker->state == state)
    return NULL;
  switch ((inf_breaker_state)breaker->state) {
  case INF_BREAKER_OPEN:
    return breaker->cause == INF_BREAKER_CUT
               ? "its breaker opens: answers break off"
           : breaker->cause == INF_BREAKER_SLOW
               ? "its breaker opens: first tokens come late"
               : "its breaker opens: attempts fail";
  case INF_BREAKER_RETURNING:
    return "its breaker lets a part of the requests through";
  case INF_BREAKER_CLOSED:
    break;
  }
  return "its breaker closes";
}

/* Silence has no end that would tell its class. */
const char *
inf_health_age(inf_runtime *runtime, inf_health_attempt *attempt,
               uint64_t now_ns, inf_rng *rng)
{
  if (!attempt->target)
    return NULL;
  pthread_mutex_lock(&runtime->mutex);
  inf_breaker *breaker = &attempt->target->breaker;
  uint64_t epoch = breaker->epoch;
  uint8_t state = breaker->state;
  inf_breaker_age(breaker, &attempt->breaker, now_ns, rng);
  const char *news = news_of(breaker, epoch, state);
  if (news)
    attempt->target->last_failure = INFER_E_FIRST_TOKEN_TIMEOUT;
  pthread_mutex_unlock(&runtime->mutex);
  return news;
}

const char *
inf_health_silent(inf_runtime *runtime, inf_health_attempt *attempt,
                  uint64_t now_ns, inf_rng *rng)
{
  if (attempt->breaker.late_at_ns > now_ns)
    attempt->breaker.late_at_ns = now_ns;
  return inf_health_age(runtime, attempt, now_ns, rng);
}

const char *
inf_health_content(inf_runtime *runtime, inf_health_attempt *attempt,
                   uint64_t now_ns, inf_rng *rng)
{
  if (!attempt->target)
    return NULL;
  pthread_mutex_lock(&runtime->mutex);
  inf_breaker *breaker = &attempt->target->breaker;
  uint64_t epoch = breaker->epoch;
  uint8_t state = breaker->state;
  inf_breaker_content(breaker, &attempt->breaker, now_ns, rng);
  inf_outlook_end(&attempt->target->outlook, &attempt->outlook,
                  INF_OUTLOOK_CONTENT, now_ns);
  const char *news = news_of(breaker, epoch, state);
  pthread_mutex_unlock(&runtime->mutex);
  return news;
}

/* Ends that say nothing of the target. */
static bool
is_ours(int32_t status)
{
  switch (status) {
  case INFER_E_CANCELLED:
  case INFER_E_CLOSED:
  case INFER_E_DEADLINE:
  case INFER_E_LIMIT:
  case INFER_E_NO_MEMORY:
  case INFER_E_NO_TARGET:
    return true;
  default:
    return false;
  }
}

/* To routing: what the breaker weighs counts as a failure, and so does our own
 * quota, because calls are better sent elsewhere; what we ended waited so long
 * in vain; what is wrong with the request says nothing. */
static void
end_outlook(inf_health_attempt *attempt, inf_breaker_outcome outcome,
            int32_t status, uint8_t percent, uint64_t now_ns)
{
  inf_outlook *outlook = &attempt->target->outlook;
  if (outcome == INF_BREAKER_ENDED_BY_US)
    inf_outlook_end(outlook, &attempt->outlook, INF_OUTLOOK_CANCELLED, now_ns);
  else if (percent > 0 || status == INFER_E_RATE_LIMITED)
    inf_outlook_end(outlook, &attempt->outlook, INF_OUTLOOK_FAILED, now_ns);
  else
    inf_outlook_forget(outlook, &attempt->outlook);
}

static void
end_locked(inf_runtime *runtime, inf_health_attempt *attempt, int32_t status,
           uint64_t now_ns, inf_rng *rng)
{
  inf_target_state *state = attempt->target;
  uint8_t percent = inf_failure_rule_of(status)->breaker_percent;
  inf_breaker_outcome outcome = status == INFER_OK ? INF_BREAKER_OK
                                : is_ours(status)  ? INF_BREAKER_ENDED_BY_US
                                                   : INF_BREAKER_FAILED;
  inf_breaker_end(&state->breaker, &attempt->breaker, outcome, percent, now_ns,
                  rng);
  end_outlook(attempt, outcome, status, percent, now_ns);
  if (outcome == INF_BREAKER_FAILED && percent > 0)
    state->last_failure = status;
  if (outcome != INF_BREAKER_OK)
    return;
  inf_retry_budget_succeed(&state->budget);
  inf_retry_budget_succeed(&runtime->retries);
  inf_retry_budget_succeed(&runtime->probes);
}

const char *
inf_health_end(inf_runtime *runtime, inf_health_attempt *attempt,
               int32_t status, uint64_t now_ns, inf_rng *rng)
{
  if (!attempt->target)
    return NULL;
  pthread_mutex_lock(&runtime->mutex);
  inf_breaker *breaker = &attempt->target->breaker;
  uint64_t epoch = breaker->epoch;
  uint8_t state = breaker->state;
  end_locked(runtime, attempt, status, now_ns, rng);
  const char *news = news_of(breaker, epoch, state);
  pthread_mutex_unlock(&runtime->mutex);
  attempt->target = NULL;
  return news;
}

const char *
inf_health_loading(inf_runtime *runtime, inf_health_attempt *attempt,
                   uint64_t now_ns, inf_rng *rng)
{
  if (!attempt->target)
    return NULL;
  pthread_mutex_lock(&runtime->mutex);
  inf_target_state *target = attempt->target;
  uint8_t state = target->breaker.state;
  inf_breaker_end(&target->breaker, &attempt->breaker, INF_BREAKER_FAILED, 0,
                  now_ns, rng);
  inf_outlook_end(&target->outlook, &attempt->outlook, INF_OUTLOOK_FAILED,
                  now_ns);
  inf_breaker_forgive(&target->breaker);
  pthread_mutex_unlock(&runtime->mutex);
  attempt->target = NULL;
  return state == INF_BREAKER_CLOSED
             ? NULL
             : "its breaker closes: its model is being loaded";
}
