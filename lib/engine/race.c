/* SPDX-License-Identifier: MIT */
/* Races of two attempts; see race.h. */
#include "engine/race.h"

#include "base/mem.h"
#include "engine/attempt_record.h"
#include "engine/gate.h"
#include "engine/health.h"

#include <string.h>

/* Targets of a route that a hedge is offered to: the first ones. */
enum { targets_max = 16 };
/* So much of a limit has to be free beside a hedge. */
enum { keep_percent = 20 };
/* Of text, where nobody has counted. */
enum { bytes_per_token = 4 };

/* ---- What is known ------------------------------------------------------- */

static inf_latency_kind
kind_of(const inf_attempt *attempt)
{
  if (!attempt->stream)
    return INF_LATENCY_WHOLE;
  return attempt->call->params->race_on == INF_RACE_ON_ANSWER
             ? INF_LATENCY_ANSWER
             : INF_LATENCY_CONTENT;
}

static void
record_time(const inf_attempt *attempt, inf_latency_kind kind, uint64_t ns,
            bool censored)
{
  inf_latency_place place = {attempt->record->target, kind, attempt->bucket};
  inf_latency_record(attempt->engine->runtime, &place, ns, censored);
}

static const inf_hedge_price *
price_of(const inf_attempt *attempt)
{
  static const inf_hedge_price usual = {1, 4};
  (void)attempt;
  return &usual;
}

/* What it has cost: by the provider's figures, or the prompt as it was
 * expected, where it may have been read, and what was written. */
static int64_t
cost_of(const inf_attempt *attempt)
{
  const inf_race *race = attempt->call->race;
  const inf_usage *usage = &attempt->answer.usage;
  bool error = attempt->record->http_status >= 300 || !attempt->sent;
  int64_t output = 0;
  for (size_t i = 0; i < attempt->answer.choice_count; i++)
    output += (int64_t)inf_choice_content_bytes(&attempt->answer.choices[i]) /
              bytes_per_token;
  return inf_hedge_cost(price_of(attempt),
                        usage->input >= 0 ? usage->input
                        : error           ? 0
                                          : race->input,
                        usage->output >= 0 ? usage->output : output);
}

/* ---- Watching ------------------------------------------------------------ */

static void
expect(const inf_attempt *attempt, inf_race *race)
{
  const struct infer_call *call = attempt->call;
  race->input =
      (int64_t)(call->request->chat.messages.len / bytes_per_token) + 1;
  race->output = (int64_t)call->choices *
                 inf_latency_output(attempt->engine->runtime,
                                    attempt->record->target);
}

/* The time at which the attempt is asked about. */
static void
set_time(inf_attempt *attempt)
{
  const inf_race *race = attempt->call->race;
  const inf_hedge_arming *arming = &race->pass.arming;
  uint64_t delay_ns = race->pass.delay_ns;
  if (!race->pass.machine)
    return;
  if (arming->reason == INF_HEDGE_YES) {
    attempt->hedge_ns = arming->fire_at_ns;
    attempt->holds = attempt->stream && race->ask.kind == INF_LATENCY_ANSWER;
  } else if (delay_ns != INF_NEVER) {
    attempt->hedge_ns = inf_time_add(attempt->record->start_ns, delay_ns);
  }
}

/* Not every call needs memory for a race: only where one is possible. */
static void
prepare(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  if (attempt->target >= targets_max)
    return;
  inf_race *race = inf_calloc(1, sizeof *race);
  if (!race)
    return;
  call->race = race;
  inf_list_init(&race->held_first);
  inf_list_init(&race->held_rival);
  expect(attempt, race);
  race->ask = (inf_hedge_ask){
      .targets = call->targets,
      .count =
          call->target_count < targets_max ? call->target_count : targets_max,
      .first = attempt->target,
      .kind = kind_of(attempt),
      .bucket = attempt->bucket,
      .run_once = call->request->run_once,
      /* A streamed answer is cancelled before it has said anything. */
      .cost = inf_hedge_cost(price_of(attempt), race->input,
                             attempt->stream ? 0 : race->output),
  };
  race->pass =
      inf_hedger_arm(engine->runtime, call->trail->route->name, call->params,
                     &race->ask, attempt->record->start_ns, &engine->rng);
  set_time(attempt);
}

void
inf_race_watch(inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  if (call->params->hedge_budget == 0 || call->kind != INF_CALL_CHAT ||
      call->carry)
    return;
  attempt->watched = true;
  attempt->bucket = (uint8_t)inf_hedge_bucket(call->request->chat.messages.len /
                                              bytes_per_token);
  inf_latency_place place = {attempt->record->target, kind_of(attempt),
                             attempt->bucket};
  uint64_t late_ns = inf_latency_late_ns(attempt->engine->runtime, &place);
  if (late_ns != INF_NEVER)
    attempt->late_ns = inf_time_add(attempt->record->start_ns, late_ns);
  if (call->next_reason == INFER_REASON_FIRST)
    prepare(attempt);
  else if (call->race && call->next_reason == INFER_REASON_RESEND &&
           !call->race->over && attempt->target == call->race->ask.first)
    set_time(attempt); /* it is the same attempt */
  else if (call->race && call->next_reason != INFER_REASON_HEDGE)
    call->race->over = true;
}

uint64_t
inf_race_at_ns(const inf_attempt *attempt)
{
  uint64_t at_ns = attempt->hedge_ns > 0 ? attempt->hedge_ns : INF_NEVER;
  if (attempt->late_ns > 0 && attempt->late_ns < at_ns)
    at_ns = attempt->late_ns;
  return at_ns;
}

void
inf_race_headers(inf_attempt *attempt)
{
  if (attempt->record->http_status < 300 && !inf_attempt_jumped(attempt))
    record_time(attempt, INF_LATENCY_HEADERS,
                attempt->engine->now_ns - attempt->record->start_ns, false);
}

/* ---- The second leg ------------------------------------------------------ */

static bool
is_alive_and_silent(const inf_attempt *attempt)
{
  const struct infer_call *call = attempt->call;
  return !attempt->decisive && !attempt->parked && attempt->failed_ns == 0 &&
         attempt->verdict == INFER_OK && attempt->record->http_status < 300 &&
         !call->started && !call->paused;
}

static bool
may_fire(const inf_attempt *attempt)
{
  const struct infer_call *call = attempt->call;
  const inf_race *race = call->race;
  return race && !race->over && !race->launched && race->pass.machine &&
         call->attempt == attempt && is_alive_and_silent(attempt) &&
         !call->request->run_once;
}

/* Another key of the same provider, where there is one to be had. */
static size_t
key_for(inf_attempt *attempt, const inf_provider_config *provider)
{
  enum { keys_max = 8 };
  size_t keys[keys_max];
  inf_engine *engine = attempt->engine;
  if (provider->key_count == 0)
    return INF_KEY_NONE;
  size_t count = inf_runtime_keys(engine->runtime, provider, engine->now_ns,
                                  keys, keys_max);
  for (size_t i = 0; i < count; i++)
    if (provider != attempt->record->provider || keys[i] != attempt->key)
      return keys[i];
  return count > 0 ? keys[0] : provider->key_count;
}

/* May the hedge go there now? Then engine->pass holds what it takes. */
static bool
is_open(inf_attempt *attempt, size_t target)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  const inf_target_config *asked = call->targets[target];
  const inf_retry_target *state = &call->retry_targets[target];
  if (state->excluded || state->not_before_ns > engine->now_ns)
    return false;
  engine->pass_key = key_for(attempt, asked->provider);
  if (engine->pass_key != INF_KEY_NONE &&
      engine->pass_key >= asked->provider->key_count)
    return false;
  if (call->params->breaker &&
      inf_health_admit(engine->runtime, asked->name, false, engine->now_ns,
                       &engine->rng)
              .action != INF_BREAKER_PASS)
    return false;
  inf_meter_cost cost = inf_gate_cost(call, false);
  return inf_gate_reserve(engine, call, target, engine->pass_key, &cost,
                          keep_percent, inf_waiting_places(engine),
                          &engine->pass)
             .what == INF_METER_GO;
}

static size_t
find_target(inf_attempt *attempt, bool rescue)
{
  const inf_race *race = attempt->call->race;
  size_t order[targets_max];
  inf_hedger_order(attempt->engine->runtime, &race->ask, order);
  for (size_t i = 0; i < race->ask.count; i++)
    if (!(rescue && order[i] == race->ask.first) && is_open(attempt, order[i]))
      return order[i];
  return race->ask.count;
}

static void
take_back(inf_engine *engine, struct infer_call *call)
{
  inf_gate_take_back(engine, call);
  engine->pass_key = INF_KEY_NONE;
  inf_health_refund(engine->runtime, &call->claim);
}

/* The budgets have their say; the reason of the first that speaks against
 * it. */
static inf_hedge_reason
pay(inf_attempt *attempt, size_t target, bool rescue)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_race *race = call->race;
  const char *name = call->targets[target]->name;
  if (call->params->retry_budget &&
      inf_health_claim(engine->runtime, name,
                       rescue ? INF_RETRY_BUDGET_FAILOVER
                              : INF_RETRY_BUDGET_EXTRA,
                       &call->claim)) {
    inf_hedger_suppress(engine->runtime, &race->pass, INF_HEDGE_BUDGET);
    return INF_HEDGE_BUDGET;
  }
  if (rescue) {
    inf_hedger_note_rescue(engine->runtime, &race->pass);
    return INF_HEDGE_YES;
  }
  return inf_hedger_fire(engine->runtime, &race->pass, name, race->ask.cost,
                         &engine->rng);
}

static void
launch(inf_attempt *attempt, size_t target, bool rescue)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_race *race = call->race;
  call->next_reason = INFER_REASON_HEDGE;
  call->next_fresh = target == race->ask.first;
  call->next_probe = false;
  call->wait_since_ns = engine->now_ns;
  call->counted_attempts++;
  race->launched = true;
  race->rescue = rescue;
  attempt->holds = true;
  if (inf_attempt_start(engine, call))
    return;
  take_back(engine, call);
  inf_hedger_refund(engine->runtime, &race->pass);
  race->over = true;
  attempt->holds = false;
  inf_deliver_release(engine, call, &race->held_first);
}

/* Sends the second leg, if it may be. */
static bool
fire(inf_attempt *attempt, bool rescue)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_race *race = call->race;
  if (!may_fire(attempt))
    return false;
  bool allowed = call->counted_attempts <
                 inf_retry_allowance(call->params, call->target_count);
  size_t target = allowed ? find_target(attempt, rescue) : race->ask.count;
  if (target == race->ask.count) {
    if (!rescue)
      inf_hedger_fire(engine->runtime, &race->pass, NULL, 0, &engine->rng);
    return false;
  }
  call->next_target = target;
  inf_hedge_reason reason = pay(attempt, target, rescue);
  inf_logf(&engine->hooks->log, INFER_LOG_DEBUG, "call %llu: %s%s",
           (unsigned long long)call->id, rescue ? "its target is silent: " : "",
           inf_hedge_reason_text(reason));
  if (reason == INF_HEDGE_YES)
    launch(attempt, target, rescue);
  else
    take_back(engine, call);
  return reason == INF_HEDGE_YES;
}

/* The target has just been found silent: all that wait there are helped. The
 * list grows at its end meanwhile, by attempts that are not meant. */
static void
rescue_all(inf_engine *engine, const char *target)
{
  inf_list *next;
  for (inf_list *node = engine->attempts.next; node != &engine->attempts;
       node = next) {
    inf_attempt *attempt = INF_CONTAINER_OF(node, inf_attempt, node);
    if (attempt->call && attempt->late &&
        strcmp(attempt->record->target, target) == 0)
      fire(attempt, true);
    next = node->next;
  }
}

/* Where the draw or the budget has said no while race_on is "answer": nothing
 * is held back any longer. */
static void
hold_no_longer(inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  if (!attempt->holds || call->race->launched)
    return;
  attempt->holds = false;
  inf_deliver_release(attempt->engine, call, &call->race->held_first);
}

void
inf_race_on_time(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  const char *target = attempt->record->target;
  if (attempt->late_ns > 0 && attempt->late_ns <= engine->heard_ns) {
    attempt->late_ns = 0;
    attempt->late = true;
    uint32_t run = inf_latency_note_late(engine->runtime, target);
    if (run == INF_LATENCY_SILENT)
      rescue_all(engine, target);
    else if (run > INF_LATENCY_SILENT)
      fire(attempt, true);
  }
  if (attempt->hedge_ns > 0 && attempt->hedge_ns <= engine->heard_ns) {
    attempt->hedge_ns = 0;
    bool drawn = call->race->pass.arming.reason == INF_HEDGE_YES;
    if (!(drawn && fire(attempt, false)) &&
        inf_latency_is_silent(engine->runtime, target))
      fire(attempt, true);
    hold_no_longer(attempt);
  }
}

/* ---- The end of the race ------------------------------------------------- */

static inf_attempt *
other_leg(const inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  return call->attempt == attempt ? call->race->rival : call->attempt;
}

/* Closes the leg that is not needed any more. */
static void
drop(inf_attempt *attempt, int32_t status, const char *message,
     const char *decision)
{
  struct infer_call *call = attempt->call;
  inf_list *held = inf_race_list(attempt);
  inf_attempt_close_record(attempt, attempt->parked ? INFER_OK : status,
                           message);
  attempt->record->won = false;
  attempt->record->decision = decision;
  inf_hedger_settle(attempt->engine->runtime, &call->race->pass,
                    cost_of(attempt));
  if (held != &call->staged)
    inf_deliver_drop(held);
  inf_attempt_detach(attempt, false);
}

/* One leg is left; its events go to the reader from now on. */
static void
leave_alone(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_race *race = call->race;
  inf_list *held = inf_race_list(attempt);
  race->over = true;
  attempt->hedge_ns = 0;
  if (attempt->holds) {
    attempt->holds = false;
    inf_deliver_release(engine, call, held);
  }
  call->attempt = attempt;
  race->rival = NULL;
}

static void
win(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  inf_race *race = attempt->call->race;
  inf_attempt *loser = other_leg(attempt);
  if (loser) {
    bool hedge_won = attempt == race->rival;
    if (!race->rescue)
      inf_hedger_judge(engine->runtime, &race->pass, hedge_won);
    else if (hedge_won)
      inf_attempt_log_health(loser,
                             inf_health_silent(engine->runtime, &loser->health,
                                               engine->now_ns, &engine->rng));
    drop(loser, INFER_E_CANCELLED, "another attempt had content first",
         "lost the race");
  }
  leave_alone(attempt);
}

static bool
is_blank(inf_sv text)
{
  for (size_t i = 0; i < text.len; i++)
    if (!strchr(" \t\r\n", text.ptr[i]) || text.ptr[i] == '\0')
      return false;
  return true;
}

static bool
decides(const inf_attempt *attempt, const inf_delta *delta)
{
  switch (delta->kind) {
  case INF_DELTA_TEXT:
    return !is_blank(delta->text);
  case INF_DELTA_TOOL_CALL:
    return true;
  case INF_DELTA_REASONING:
    return kind_of(attempt) != INF_LATENCY_ANSWER && !is_blank(delta->text);
  default:
    return false;
  }
}

void
inf_race_hear(inf_attempt *attempt, const inf_delta *delta)
{
  inf_engine *engine = attempt->engine;
  const inf_race *race = attempt->call->race;
  if (!decides(attempt, delta))
    return;
  attempt->decisive = true;
  if (!attempt->stream)
    return; /* its end decides */
  attempt->late_ns = attempt->hedge_ns = 0;
  inf_latency_note_content(engine->runtime, attempt->record->target,
                           attempt->late);
  if (!inf_attempt_jumped(attempt))
    record_time(attempt, kind_of(attempt),
                engine->now_ns - attempt->record->start_ns, false);
  if (race && !race->over)
    win(attempt);
}

bool
inf_race_is_held(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  const inf_race *race = attempt->call->race;
  if (!race || race->over)
    return false;
  if (attempt->decisive || !other_leg(attempt)) {
    win(attempt);
    return false;
  }
  attempt->parked = true;
  inf_timer_cancel(&engine->attempt_timers, &attempt->timer);
  return true;
}

bool
inf_race_goes_on(inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_race *race = call->race;
  if (!race || race->over)
    return false;
  inf_attempt *other = other_leg(attempt);
  if (!other) {
    attempt->holds = false;
    inf_deliver_drop(&race->held_first);
    return false;
  }
  inf_call_note_failure(attempt, status);
  if (attempt == race->rival && !race->rescue)
    inf_hedger_judge(engine->runtime, &race->pass, false);
  attempt->record->decision = "the other attempt goes on";
  inf_hedger_settle(engine->runtime, &race->pass, cost_of(attempt));
  inf_deliver_drop(inf_race_list(attempt));
  inf_attempt_detach(attempt, false);
  leave_alone(other);
  if (other->parked) {
    other->parked = false;
    inf_call_attempt_succeeded(other);
  }
  return true;
}

/* Does the attempt's age at this end say that its content takes longer? */
static bool
is_censored(int32_t status)
{
  return status == INFER_E_CANCELLED || status == INFER_E_DEADLINE ||
         status == INFER_E_FIRST_TOKEN_TIMEOUT ||
         status == INFER_E_ATTEMPT_TIMEOUT;
}

/* From token to token. */
static void
record_pace(const inf_attempt *attempt)
{
  const uint64_t *phase = attempt->record->phase_ns;
  uint64_t first_ns = phase[INFER_PHASE_FIRST_CONTENT];
  uint64_t last_ns = phase[INFER_PHASE_LAST_CONTENT];
  int64_t tokens = attempt->answer.usage.output;
  if (attempt->stream && tokens > 1 && last_ns > first_ns && first_ns > 0)
    record_time(attempt, INF_LATENCY_TOKEN,
                (last_ns - first_ns) / (uint64_t)(tokens - 1), false);
}

/* The time that does not decide races here. */
static void
record_other(const inf_attempt *attempt)
{
  const struct infer_attempt *record = attempt->record;
  bool answer = kind_of(attempt) == INF_LATENCY_CONTENT;
  uint64_t at_ns = record->phase_ns[answer ? INFER_PHASE_FIRST_ANSWER
                                           : INFER_PHASE_FIRST_CONTENT];
  if (attempt->stream && at_ns > record->start_ns)
    record_time(attempt, answer ? INF_LATENCY_ANSWER : INF_LATENCY_CONTENT,
                at_ns - record->start_ns, false);
}

void
inf_race_record_end(inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  uint64_t age_ns = engine->now_ns - attempt->record->start_ns;
  bool told = attempt->stream && attempt->decisive;
  if (attempt->parked)
    return;
  if (status == INFER_OK && call->race && call->race->pass.hedger)
    inf_hedger_complete(engine->runtime, &call->race->pass, cost_of(attempt));
  if (inf_attempt_jumped(attempt))
    return;
  if (!told && (status == INFER_OK || is_censored(status)))
    record_time(attempt, kind_of(attempt), age_ns, status != INFER_OK);
  if (status == INFER_OK) {
    if (attempt->answer.usage.output >= 0)
      inf_latency_note_output(engine->runtime, attempt->record->target,
                              attempt->answer.usage.output /
                                  (int64_t)call->choices);
    record_pace(attempt);
    record_other(attempt);
  }
}

bool
inf_race_finish(inf_engine *engine, struct infer_call *call)
{
  inf_race *race = call->race;
  if (!race || !race->rival)
    return false;
  for (int leg = 0; leg < 2 && !call->ended && race->rival; leg++) {
    inf_attempt *attempt = leg == 0 ? call->attempt : race->rival;
    if (!attempt->parked)
      inf_attempt_complete(attempt);
  }
  if (call->ended || !race->rival)
    return call->ended;
  inf_attempt *whole = call->attempt->parked ? call->attempt
                       : race->rival->parked ? race->rival
                                             : NULL;
  if (!whole)
    return false;
  (void)engine;
  drop(other_leg(whole), INFER_E_DEADLINE, "the other attempt is whole",
       "the deadline has passed");
  leave_alone(whole);
  whole->parked = false;
  inf_call_attempt_succeeded(whole);
  return true;
}

void
inf_race_abandon(struct infer_call *call, int32_t status, const char *why)
{
  inf_race *race = call->race;
  if (!race || !race->rival)
    return;
  drop(race->rival, status, why, "the call has ended");
  race->rival = NULL;
  race->over = true;
}

void
inf_race_free(inf_engine *engine, struct infer_call *call)
{
  inf_race *race = call->race;
  if (!race)
    return;
  inf_race_abandon(call, INFER_E_CANCELLED, "the call has ended");
  inf_hedger_settle(engine->runtime, &race->pass, 0);
  inf_deliver_drop(&race->held_first);
  inf_deliver_drop(&race->held_rival);
  inf_free(race);
  call->race = NULL;
}
