/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_ATTEMPT_RECORD_H
#define INF_ENGINE_ATTEMPT_RECORD_H

#include "engine/engine.h"

/* What is written down of an attempt while it lives, and its closing, which
 * the log and the telemetry hook hear. No key gets into a record, however often
 * a provider echoes it. Loop only; the attempt has a call. */

/* Notes that the attempt came to this INFER_PHASE_*, the first time only. */
static inline void
inf_attempt_set_phase(inf_attempt *attempt, int phase)
{
  uint64_t *at_ns = &attempt->record->phase_ns[phase];
  if (*at_ns == 0)
    *at_ns = attempt->engine->now_ns;
}

/* How far the way to the provider was come. */
static inline void
inf_attempt_note_way(struct infer_attempt *record,
                     const inf_exchange_times *times)
{
  record->phase_ns[INFER_PHASE_LOOKUP] = times->lookup_ns;
  record->phase_ns[INFER_PHASE_CONNECT] = times->connect_ns;
  record->phase_ns[INFER_PHASE_TLS] = times->tls_ns;
}

/* The request has gone out. */
static inline void
inf_attempt_note_sent(inf_attempt *attempt, const inf_exchange_times *times,
                      bool reused)
{
  attempt->record->reused_connection = reused;
  inf_attempt_note_way(attempt->record, times);
  inf_attempt_set_phase(attempt, INFER_PHASE_SENT);
}

/* The exchange is over: did the request leave, and may it have been read? */
void inf_attempt_note_over(inf_attempt *attempt,
                           const inf_exchange_result *result);

/* Has nobody looked for a while, since it began? Then its times mean nothing,
 * and a failure may be our own. */
static inline bool
inf_attempt_jumped(const inf_attempt *attempt)
{
  return attempt->clock_epoch != attempt->engine->clock_jumps;
}

/* Did the target say that its model is being loaded? */
static inline bool
inf_attempt_loads(const inf_attempt *attempt, int32_t status)
{
  return status == INFER_E_OVERLOADED && attempt->has_decoder &&
         attempt->decoder.failure.loading;
}

/* What happened to the target's breaker (health.h), for the log; NULL:
 * nothing. */
void inf_attempt_log_health(const inf_attempt *attempt, const char *news);

/* The provider's figures, into the record. */
void inf_attempt_note_usage(inf_attempt *attempt);

/* Does an attempt's age at this end say that it would have taken longer? */
static inline bool
inf_attempt_is_cut(int32_t status)
{
  return status == INFER_E_CANCELLED || status == INFER_E_DEADLINE ||
         status == INFER_E_FIRST_TOKEN_TIMEOUT ||
         status == INFER_E_ATTEMPT_TIMEOUT;
}

/* Completes the record: status, end, usage, the provider's id of the request,
 * message (NULL: the decoder's). Then tells telemetry (observe.h). */
void inf_attempt_close_record(inf_attempt *attempt, int32_t status,
                              const char *message);

#endif
