/* SPDX-License-Identifier: MIT */
/* Which target the call's next attempt goes to; see gate.h. */
#include "engine/gate.h"

#include "engine/carry.h"
#include "engine/health.h"
#include "engine/probe.h"

/* What the gate has found out about the call's targets. */
typedef struct survey {
  inf_engine *engine;
  struct infer_call *call;
  size_t target;        /* that admits the call */
  bool probe;           /* the call itself is a probe of it */
  size_t due;           /* that wants a probe; target_count: none */
  uint64_t retry_at_ns; /* when the first of the others may be asked */
} survey;

/* In which order the targets are gone through. */
enum { rank_meant, rank_goes_on, rank_unasked, rank_asked, rank_none };

static bool
has_key(const survey *what, size_t target)
{
  int32_t why;
  return inf_runtime_has_key(what->engine->runtime,
                             what->call->targets[target]->provider,
                             what->engine->now_ns, &why);
}

/* A target that has asked for a wait, or has one by the backoff, is none until
 * that is over. */
static int
rank_of(survey *what, size_t target)
{
  const struct infer_call *call = what->call;
  const inf_retry_target *state = &call->retry_targets[target];
  if (target == call->next_target)
    return rank_meant;
  if (!call->next_movable || state->excluded || !has_key(what, target))
    return rank_none;
  if (state->not_before_ns > what->engine->now_ns) {
    if (state->not_before_ns < what->retry_at_ns)
      what->retry_at_ns = state->not_before_ns;
    return rank_none;
  }
  if (state->visited)
    return rank_asked;
  return call->carry && state->continues ? rank_goes_on : rank_unasked;
}

static bool
admits(survey *what, size_t target, bool last_resort)
{
  inf_engine *engine = what->engine;
  inf_breaker_verdict verdict =
      inf_health_admit(engine->runtime, what->call->targets[target]->name,
                       last_resort, engine->now_ns, &engine->rng);
  if (verdict.action == INF_BREAKER_PASS ||
      (last_resort && verdict.action == INF_BREAKER_PROBE_DUE)) {
    what->target = target;
    what->probe = verdict.action == INF_BREAKER_PROBE_DUE;
    return true;
  }
  if (verdict.action == INF_BREAKER_PROBE_DUE) {
    if (what->due == what->call->target_count)
      what->due = target;
  } else if (verdict.retry_at_ns < what->retry_at_ns) {
    what->retry_at_ns = verdict.retry_at_ns;
  }
  return false;
}

static bool
look_for(survey *what, bool last_resort)
{
  if (admits(what, what->call->next_target, last_resort)) /* mostly */
    return true;
  for (int rank = rank_goes_on; rank < rank_none; rank++)
    for (size_t i = 0; i < what->call->target_count; i++)
      if (rank_of(what, i) == rank && admits(what, i, last_resort))
        return true;
  return false;
}

void
inf_gate_leave(inf_engine *engine, struct infer_call *call)
{
  inf_health_refund(engine->runtime, &call->claim);
  inf_health_end(engine->runtime, &call->resent, INFER_E_CANCELLED,
                 engine->now_ns, &engine->rng);
}

/* Another target than the one that is meant. One that cannot go on from a
 * partial answer begins it anew. False: the call has ended. */
static bool
move(survey *what)
{
  inf_engine *engine = what->engine;
  struct infer_call *call = what->call;
  inf_logf(&engine->hooks->log, INFER_LOG_DEBUG,
           "call %llu: the breaker of %s does not admit it: %s instead",
           (unsigned long long)call->id, call->targets[call->next_target]->name,
           call->targets[what->target]->name);
  inf_call_note_decision(call, "the breaker does not admit it: another target");
  inf_health_move(engine->runtime, call->targets[what->target]->name,
                  &call->claim);
  call->next_target = what->target;
  call->next_fresh = false;
  if (call->carry && !call->retry_targets[what->target].continues)
    return inf_call_start_over(engine, call);
  if (call->next_reason == INFER_REASON_FIRST ||
      call->next_reason == INFER_REASON_RETRY ||
      call->next_reason == INFER_REASON_KEY)
    call->next_reason = INFER_REASON_FAILOVER;
  return true;
}

static void
end_shut(survey *what)
{
  inf_engine *engine = what->engine;
  struct infer_call *call = what->call;
  const char *target = call->targets[call->next_target]->name;
  int32_t status = inf_health_last_failure(engine->runtime, target);
  uint64_t wait_ms =
      (what->retry_at_ns - engine->now_ns + INF_NS_PER_MS - 1) / INF_NS_PER_MS;
  inf_breaker_view view =
      inf_health_look(engine->runtime, target, true, engine->now_ns);
  inf_buf why;
  inf_buf_init(&why, 4 << 10);
  inf_buf_appendf(
      &why, "not sent: %s%s; the next probe is due in %llu ms", view.why,
      call->target_count > 1 ? ", and no other target can be asked" : "",
      (unsigned long long)wait_ms);
  inf_call_note_decision(call, "the breaker is open: not sent");
  inf_call_end_unsent(engine, call,
                      status == INFER_OK ? INFER_E_OVERLOADED : status,
                      wait_ms * INF_NS_PER_MS, inf_buf_cstr(&why));
  inf_buf_fini(&why);
}

static bool
may_wait(const survey *what)
{
  const struct infer_call *call = what->call;
  const inf_retry_target *target = &call->retry_targets[call->next_target];
  return call->next_reason != INFER_REASON_FIRST &&
         call->counted_attempts <
             inf_retry_allowance(call->params, call->target_count) &&
         inf_time_add(what->retry_at_ns, target->ttft_ns) < call->deadline_ns;
}

/* No target may be asked now. */
static void
stop(survey *what)
{
  if (!may_wait(what)) {
    end_shut(what);
    return;
  }
  inf_call_note_decision(what->call, "the breaker is open: a wait for a probe");
  inf_call_put_off(what->engine, what->call, what->retry_at_ns);
}

bool
inf_gate_open(inf_engine *engine, struct infer_call *call)
{
  survey what = {.engine = engine,
                 .call = call,
                 .due = call->target_count,
                 .retry_at_ns = INF_NEVER};
  call->next_probe = false;
  if (call->next_reason == INFER_REASON_RESEND || !call->params->breaker ||
      call->kind != INF_CALL_CHAT)
    return true;
  if (!look_for(&what, false) && !look_for(&what, true)) {
    stop(&what);
    return false;
  }
  call->next_probe = what.probe;
  if (what.due < call->target_count && what.due != what.target)
    inf_probe_start(engine, call, what.due);
  return what.target == call->next_target || move(&what);
}
