/* SPDX-License-Identifier: MIT */
/* Which target the call's next attempt goes to; see gate.h. */
#include "engine/gate.h"

#include "engine/carry.h"
#include "engine/health.h"
#include "engine/probe.h"
#include "engine/prompt.h"

/* What the gate has found out about the call's targets. */
typedef struct survey {
  inf_engine *engine;
  struct infer_call *call;
  size_t target;        /* that admits the call */
  bool probe;           /* the call itself is a probe of it */
  size_t due;           /* that wants a probe; target_count: none */
  uint64_t retry_at_ns; /* when the first of the others may be asked */
  /* What limits say. */
  inf_meter_cost cost;
  bool waits;                /* the call stands in the line */
  bool stays;                /* there for the target that is meant only */
  uint64_t closed;           /* places at which it may not be sent */
  bool held;                 /* one of them holds it back */
  uint64_t where;            /* places that hold it back */
  inf_waiting_place soonest; /* of these; if where is not 0 */
  int32_t refused;           /* no limit will ever let it through, or no memory;
                              * INFER_OK: that was not so */
  const char *refused_why;
} survey;

/* Keys of one provider that an attempt is offered to. */
enum { keys_max = 8 };
enum { why_max_bytes = 4 << 10 };

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

/* ---- Limits -------------------------------------------------------------- */

inf_meter_cost
inf_gate_cost(const struct infer_call *call, bool tokens)
{
  inf_meter_cost cost = {.counted = tokens,
                         .bytes = call->request->chat.messages.len,
                         .choices = call->choices};
  if (call->kind == INF_CALL_EMBED)
    cost.max_tokens = 1; /* a vector is no text: of the fewest that count */
  if (tokens) {
    inf_prompt_of(&cost.prompt, call->request);
    if (call->kind != INF_CALL_EMBED)
      cost.max_tokens = inf_prompt_max_tokens(call->request);
  }
  return cost;
}

static void
note_wait(survey *what, size_t target, const inf_meter_verdict *verdict)
{
  uint64_t place = inf_meter_place(verdict->meter);
  inf_waiting_place found = {target, *verdict, verdict->at_ns};
  if (!what->waits) {
    found.start_ns = inf_waiting_start_ns(what->engine, what->call, target,
                                          &what->cost, verdict);
  } else if (place & what->closed) {
    what->held = true;
    return;
  }
  if (what->where == 0 || found.start_ns < what->soonest.start_ns)
    what->soonest = found;
  what->where |= place;
}

static void
note_refusal(survey *what, const inf_meter_verdict *verdict)
{
  what->refused = verdict->what == INF_METER_NEVER ? INFER_E_REQUEST_TOO_LARGE
                                                   : INFER_E_NO_MEMORY;
  what->refused_why = verdict->why;
}

inf_meter_verdict
inf_gate_reserve(inf_engine *engine, const struct infer_call *call,
                 size_t target, size_t key, inf_meter_cost *cost,
                 uint32_t keep_percent, uint64_t closed, inf_meter_pass *pass)
{
  for (;;) {
    inf_meter_verdict verdict =
        inf_meter_reserve(engine->runtime, call->targets[target], key, cost,
                          keep_percent, closed, engine->now_ns, pass);
    if (verdict.what != INF_METER_COUNT)
      return verdict;
    *cost = inf_gate_cost(call, true);
  }
}

static bool
reserve(survey *what, size_t target, size_t key)
{
  inf_engine *engine = what->engine;
  inf_meter_verdict verdict =
      inf_gate_reserve(engine, what->call, target, key, &what->cost, 0,
                       what->closed, &engine->pass);
  switch (verdict.what) {
  case INF_METER_GO:
    return true;
  case INF_METER_WAIT:
  case INF_METER_FULL:
    note_wait(what, target, &verdict);
    return false;
  default:
    note_refusal(what, &verdict);
    return false;
  }
}

/* Does any of the provider's keys let it through? Those that are all set aside
 * are no limit: the attempt says so. */
static bool
lets_through(survey *what, size_t target)
{
  inf_engine *engine = what->engine;
  const inf_provider_config *provider = what->call->targets[target]->provider;
  size_t keys[keys_max], count;
  engine->pass_key = INF_KEY_NONE;
  if (provider->key_count <= 1)
    return reserve(what, target, provider->key_count == 1 ? 0 : INF_KEY_NONE);
  count = inf_runtime_keys(engine->runtime, provider, engine->now_ns, keys,
                           keys_max);
  for (size_t i = 0; i < count; i++)
    if (reserve(what, target, keys[i])) {
      engine->pass_key = keys[i];
      return true;
    }
  return count == 0;
}

/* ---- Breakers ------------------------------------------------------------ */

static bool
breaker_admits(survey *what, size_t target, bool last_resort)
{
  inf_engine *engine = what->engine;
  const struct infer_call *call = what->call;
  what->probe = false;
  if (!call->params->breaker || call->kind == INF_CALL_MODELS ||
      call->next_reason == INFER_REASON_RESEND)
    return true;
  inf_breaker_verdict verdict =
      inf_health_admit(engine->runtime, call->targets[target]->name,
                       last_resort, engine->now_ns, &engine->rng);
  if (verdict.action == INF_BREAKER_PASS)
    return true;
  if (verdict.action == INF_BREAKER_PROBE_DUE) {
    what->probe = last_resort;
    if (!last_resort && what->due == call->target_count)
      what->due = target;
    return last_resort;
  }
  if (verdict.retry_at_ns < what->retry_at_ns)
    what->retry_at_ns = verdict.retry_at_ns;
  return false;
}

static bool
admits(survey *what, size_t target, bool last_resort)
{
  if (!breaker_admits(what, target, last_resort))
    return false;
  if (what->call->kind != INF_CALL_MODELS && !lets_through(what, target))
    return false;
  what->target = target;
  return true;
}

/* Only limits hold it back at the target that is meant, and not for long: where
 * that depends on when another answer ends nobody knows. Who stands in the line
 * has decided that when he joined it. */
static bool
is_worth_a_wait(survey *what)
{
  uint64_t most_ns =
      (uint64_t)what->call->params->stay_max_wait_ms * INF_NS_PER_MS;
  if (!what->waits)
    what->stays =
        what->where != 0 && what->soonest.verdict.what != INF_METER_FULL &&
        what->soonest.start_ns <= inf_time_add(what->engine->now_ns, most_ns);
  return what->stays;
}

static bool
look_for(survey *what, bool last_resort)
{
  if (admits(what, what->call->next_target, last_resort)) /* mostly */
    return true;
  if (what->call->next_reason == INFER_REASON_RESEND || is_worth_a_wait(what))
    return false;
  for (int rank = rank_goes_on; rank < rank_none; rank++)
    for (size_t i = 0; i < what->call->target_count; i++)
      if (rank_of(what, i) == rank && admits(what, i, last_resort))
        return true;
  return false;
}

void
inf_gate_leave(inf_engine *engine, struct infer_call *call)
{
  inf_waiting_leave(engine, call);
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
           "call %llu: %s does not admit it: %s instead",
           (unsigned long long)call->id, call->targets[call->next_target]->name,
           call->targets[what->target]->name);
  inf_call_note_decision(
      call, what->where != 0 ? "a limit holds it back: another target"
                             : "the breaker does not admit it: another target");
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
  inf_buf_init(&why, why_max_bytes);
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

static void
end_refused(survey *what)
{
  inf_buf why;
  inf_buf_init(&why, why_max_bytes);
  if (what->refused == INFER_E_REQUEST_TOO_LARGE)
    inf_buf_appendf(
        &why,
        "not sent: the request is larger than %s of \"%s\" ever "
        "lets through",
        what->refused_why,
        what->call->targets[what->call->next_target]->provider->name);
  else
    inf_buf_append_cstr(&why, "not sent: no memory to keep its limits");
  inf_call_end_unsent(what->engine, what->call, what->refused, 0,
                      inf_buf_cstr(&why));
  inf_buf_fini(&why);
}

/* The breakers let no target be asked now. */
static void
stop(survey *what)
{
  if (what->refused != INFER_OK) {
    end_refused(what);
    return;
  }
  if (!may_wait(what)) {
    end_shut(what);
    return;
  }
  inf_call_note_decision(what->call, "the breaker is open: a wait for a probe");
  inf_call_put_off(what->engine, what->call, what->retry_at_ns);
}

/* Somebody lets the call through, or only limits do not. */
static bool
ask(survey *what)
{
  return look_for(what, false) || what->where != 0 || what->held ||
         look_for(what, true);
}

static survey
survey_of(inf_engine *engine, struct infer_call *call)
{
  return (survey){.engine = engine,
                  .call = call,
                  .target = call->target_count,
                  .due = call->target_count,
                  .retry_at_ns = INF_NEVER};
}

/* An attempt was let through. False: the call has ended. */
static bool
go(survey *what)
{
  inf_engine *engine = what->engine;
  struct infer_call *call = what->call;
  call->next_probe = what->probe;
  if (what->due < call->target_count && what->due != what->target)
    inf_probe_start(engine, call, what->due);
  if (what->target == call->next_target || move(what))
    return true;
  inf_gate_take_back(engine, call);
  return false;
}

bool
inf_gate_open(inf_engine *engine, struct infer_call *call)
{
  survey what = survey_of(engine, call);
  call->next_probe = false;
  if (call->kind != INF_CALL_MODELS)
    what.cost = inf_gate_cost(call, false);
  what.closed = inf_waiting_places(engine);
  bool open = ask(&what);
  if (what.target < call->target_count) {
    if (engine->pass.meter)
      inf_waiting_passed(engine, call, &engine->pass.reservation.cost);
    return go(&what);
  }
  if (what.where != 0)
    inf_waiting_join(engine, call, &what.cost, &what.soonest, what.where,
                     what.stays);
  else if (!open)
    stop(&what);
  return false;
}

inf_gate_answer
inf_gate_again(inf_engine *engine, struct infer_call *call, uint64_t open)
{
  survey what = survey_of(engine, call);
  uint64_t where = call->limits->entry.where;
  what.cost = call->limits->cost;
  what.waits = true;
  what.stays = call->limits->stays;
  what.closed = ~(open & where);
  bool hope = ask(&what);
  if (what.target < call->target_count)
    return (inf_gate_answer){go(&what) ? INF_GATE_GO : INF_GATE_GONE, 0, 0};
  call->limits->cost = what.cost;
  if (what.where != 0)
    return (inf_gate_answer){INF_GATE_WAIT, what.soonest.start_ns,
                             inf_meter_place(what.soonest.verdict.meter)};
  if (what.held)
    return (inf_gate_answer){INF_GATE_WAIT, INF_NEVER, open & where};
  inf_waiting_leave(engine, call);
  if (!hope)
    stop(&what);
  return (inf_gate_answer){INF_GATE_GONE, 0, 0};
}

void
inf_gate_take_back(inf_engine *engine, struct infer_call *call)
{
  inf_meter_settle(engine->runtime, &engine->pass,
                   call->targets[call->next_target], INF_METER_UNSENT, -1, -1,
                   -1, engine->now_ns);
}
