/* SPDX-License-Identifier: MIT */
/* Races of two attempts; see race.h. */
#include "engine/race.h"

#include "base/mem.h"
#include "engine/attempt_cost.h"
#include "engine/attempt_record.h"
#include "engine/gate.h"
#include "engine/health.h"

#include <string.h>

/* Targets of a route that a hedge is offered to: the first ones. */
enum { targets_max = 16 };
/* So much of a limit has to be free beside a hedge. */
enum { keep_percent = 20 };
/* Of text, where nobody has counted. */
enum { bytes_per_token = INF_HEDGE_BYTES_PER_TOKEN };

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

/* What decides a race has come, or the end without it: from now on the attempt
 * is not silent any more. */
static void
note_answer(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  attempt->timed = true;
  attempt->slow_ns = attempt->late_ns = attempt->hedge_ns = 0;
  inf_latency_note_content(engine->runtime, attempt->record->target,
                           attempt->record->start_ns, attempt->late);
  if (!inf_attempt_jumped(attempt))
    record_time(attempt, kind_of(attempt),
                engine->now_ns - attempt->record->start_ns, false);
}

/* Does every target have a price? Only then they can be compared; and whether
 * this call may go to it or not, for all calls of the route have one budget. */
static bool
has_prices(const inf_route_config *route)
{
  for (size_t i = 0; i < route->target_count; i++)
    if (!inf_price_is_known(&route->targets[i].price))
      return false;
  return true;
}

static inf_hedge_price
price_of(const inf_race *race, size_t target)
{
  static const inf_hedge_price usual = {1, 4};
  const inf_price *price = &race->ask.targets[target]->price;
  return race->ask.priced ? (inf_hedge_price){price->input, price->output}
                          : usual;
}

/* The most that one of two attempts will cost if it loses: it has read the
 * prompt, and written nothing or all. */
static int64_t
most_lost(const inf_race *race)
{
  int64_t most = 0;
  for (size_t i = 0; i < race->ask.count; i++) {
    inf_hedge_price price = price_of(race, i);
    bool runs_on = inf_cost_runs_on(race->ask.targets[i]->provider->kind,
                                    race->ask.kind != INF_LATENCY_WHOLE);
    int64_t cost =
        inf_hedge_cost(&price, race->input, runs_on ? race->output : 0);
    most = cost > most ? cost : most;
  }
  return most;
}

/* What it is charged for (attempt_cost.h), at the prices that the race is paid
 * in. */
static int64_t
cost_of(const inf_attempt *attempt)
{
  inf_cost_tokens tokens;
  inf_hedge_price price = price_of(attempt->call->race, attempt->target);
  inf_attempt_charge(attempt, &tokens);
  return inf_hedge_cost(&price, tokens.input, tokens.output);
}

/* ---- Watching ------------------------------------------------------------ */

static void
expect(const inf_attempt *attempt, inf_race *race)
{
  const struct infer_call *call = attempt->call;
  inf_latency_expect(attempt->engine->runtime, attempt->record->target,
                     call->request->chat.messages.len, &race->input,
                     &race->output);
  race->output *= (int64_t)call->choices;
}

/* The time at which the attempt is asked about: as the route's plan says, but
 * not before the call wants it. */
static void
set_time(inf_attempt *attempt)
{
  const struct infer_call *call = attempt->call;
  const inf_race *race = call->race;
  const inf_hedge_arming *arming = &race->pass.arming;
  uint64_t delay_ns = race->pass.delay_ns;
  uint64_t least_ns =
      inf_time_add(race->start_ns,
                   (uint64_t)call->params->hedge_min_delay_ms * INF_NS_PER_MS);
  if (!race->pass.machine || race->asked)
    return;
  if (arming->reason == INF_HEDGE_YES) {
    attempt->hedge_ns = arming->fire_at_ns;
    attempt->holds = attempt->stream && race->ask.kind == INF_LATENCY_ANSWER;
  } else if (delay_ns != INF_NEVER) {
    attempt->hedge_ns = inf_time_add(race->start_ns, delay_ns);
  }
  if (attempt->hedge_ns > 0 && attempt->hedge_ns < least_ns)
    attempt->hedge_ns = least_ns;
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
  race->start_ns = attempt->record->start_ns;
  expect(attempt, race);
  const inf_route_config *route = call->trail->route;
  race->ask = (inf_hedge_ask){
      .targets = call->targets,
      .count =
          call->target_count < targets_max ? call->target_count : targets_max,
      .first = attempt->target,
      .kind = kind_of(attempt),
      .bucket = attempt->bucket,
      .run_once = call->request->run_once,
      .priced = has_prices(route),
  };
  race->ask.cost = most_lost(race);
  race->pass = inf_hedger_arm(engine->runtime, route->name, &route->params,
                              &race->ask, race->start_ns, &engine->rng);
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
  inf_latency_marks marks =
      inf_latency_marks_of(attempt->engine->runtime, &place);
  attempt->slow_ns = inf_time_add(attempt->record->start_ns, marks.slow_ns);
  attempt->late_ns = inf_time_add(attempt->record->start_ns, marks.late_ns);
  if (call->trail->count == 1) /* wherever the gate has sent it */
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
  const uint64_t times[] = {attempt->hedge_ns, attempt->slow_ns,
                            attempt->late_ns};
  uint64_t at_ns = INF_NEVER;
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
    if (times[i] > 0 && times[i] < at_ns)
      at_ns = times[i];
  return at_ns;
}

void
inf_race_headers(inf_attempt *attempt)
{
  if (attempt->record->http_status < 300 && !inf_attempt_jumped(attempt))
    record_time(attempt, INF_LATENCY_HEADERS,
                attempt->engine->now_ns - attempt->record->start_ns, false);
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
  attempt->record->decision = decision;
  inf_hedger_settle(attempt->engine->runtime, &call->race->pass,
                    cost_of(attempt));
  if (held != &call->staged)
    inf_deliver_drop(held);
  inf_attempt_detach(attempt, false);
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
  return race && !race->over && !race->rival && race->pass.machine &&
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

/* May the hedge go there now? Then the engine holds what it takes. Not to a
 * target that is silent. */
static bool
is_open(inf_attempt *attempt, size_t target)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  const inf_target_config *asked = call->targets[target];
  const inf_retry_target *state = &call->retry_targets[target];
  if (state->excluded || state->not_before_ns > engine->now_ns ||
      inf_latency_is_silent(engine->runtime, asked->name))
    return false;
  if (!inf_credentials_have(engine, call->trail->config, asked->provider))
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
  if (inf_budgets_reserve(engine, call, target, &engine->budgets).what !=
      INF_BUDGETS_GO)
    return false;
  if (inf_gate_reserve(engine, call, target, engine->pass_key, &cost,
                       keep_percent, inf_waiting_places(engine), &engine->pass)
          .what == INF_METER_GO)
    return true;
  inf_budgets_release(engine, &engine->budgets);
  return false;
}

static size_t
find_target(inf_attempt *attempt)
{
  const inf_race *race = attempt->call->race;
  size_t order[targets_max];
  inf_hedger_order(attempt->engine->runtime, &race->ask, order);
  for (size_t i = 0; i < race->ask.count; i++)
    if (is_open(attempt, order[i]))
      return order[i];
  attempt->engine->pass_key = INF_KEY_NONE;
  return race->ask.count;
}

static void
take_back(inf_engine *engine, struct infer_call *call)
{
  inf_gate_take_back(engine, call);
  engine->pass_key = INF_KEY_NONE;
  inf_health_refund(engine->runtime, &call->claim);
}

/* From the retry budget: a second leg for a target that is silent is a failover
 * before its time. */
static bool
claim_retry(inf_engine *engine, struct infer_call *call, const char *target,
            bool rescue)
{
  if (!call->params->retry_budget)
    return true;
  if (!rescue)
    return inf_health_claim_hedge(engine->runtime, &call->claim);
  return !inf_health_claim(engine->runtime, target, INF_RETRY_BUDGET_FAILOVER,
                           &call->claim);
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
  if (!claim_retry(engine, call, name, rescue)) {
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

/* Everything that it takes is claimed. fresh: over a new connection. */
static void
launch(inf_attempt *attempt, size_t target, bool fresh)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_race *race = call->race;
  call->next_target = target;
  call->next_reason = INFER_REASON_HEDGE;
  call->next_fresh = fresh;
  call->next_probe = false;
  call->wait_since_ns = engine->now_ns;
  race->stale = false;
  attempt->holds = true;
  if (engine->pass.meter)
    inf_waiting_passed(engine, call, &engine->pass.reservation.cost);
  if (inf_attempt_start(engine, call))
    return;
  take_back(engine, call);
  inf_hedger_refund(engine->runtime, &race->pass);
  leave_alone(attempt);
}

/* A hedge that has gone to the target that is silent now helps nobody. */
static bool
drop_silent_rival(inf_attempt *attempt)
{
  inf_race *race = attempt->call->race;
  if (!race || race->over || !race->rival || race->rival->parked ||
      race->rival->decisive ||
      strcmp(race->rival->record->target, attempt->record->target) != 0)
    return false;
  drop(race->rival, INFER_E_CANCELLED, "its target is silent",
       "another target is asked");
  return true;
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
  size_t target = allowed ? find_target(attempt) : race->ask.count;
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
  if (reason == INF_HEDGE_YES) {
    call->counted_attempts++;
    race->rescue = rescue;
    launch(attempt, target, target == race->ask.first);
  } else {
    take_back(engine, call);
  }
  return reason == INF_HEDGE_YES;
}

/* The second leg's connection had gone stale. What it has claimed stands, and
 * it is the same attempt to the allowance. */
static void
fire_again(inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  inf_race *race = call->race;
  size_t target = race->stale_target;
  race->stale = false;
  if (is_alive_and_silent(attempt) && is_open(attempt, target)) {
    launch(attempt, target, true);
    return;
  }
  attempt->engine->pass_key = INF_KEY_NONE;
  leave_alone(attempt);
}

/* The target of the attempt is silent: it is helped. True if that has taken the
 * second leg `spare` away. */
static bool
rescue(inf_attempt *attempt, const inf_attempt *spare)
{
  const struct infer_call *call = attempt->call;
  bool is_first = call->attempt == attempt;
  bool has_spare = is_first && call->race && call->race->rival == spare;
  bool dropped = is_first && drop_silent_rival(attempt);
  fire(attempt, true);
  return has_spare && dropped;
}

/* The target has just been found silent: all that wait there are helped. The
 * list grows at its end meanwhile, by attempts that are not meant. */
static bool
rescue_all(inf_engine *engine, const char *target, const inf_attempt *spare)
{
  bool taken = false;
  inf_list *next;
  for (inf_list *node = engine->attempts.next; node != &engine->attempts;
       node = next) {
    inf_attempt *attempt = INF_CONTAINER_OF(node, inf_attempt, node);
    if (attempt->call && attempt->call->attempt == attempt &&
        attempt->watched && attempt->slow_ns == 0 &&
        strcmp(attempt->record->target, target) == 0)
      taken |= rescue(attempt, spare);
    next = node->next;
  }
  return taken;
}

/* Where the draw or the budget has said no while race_on is "answer": nothing
 * is held back any longer. */
static void
hold_no_longer(inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  if (!attempt->holds || call->race->rival)
    return;
  attempt->holds = false;
  inf_deliver_release(attempt->engine, call, &call->race->held_first);
}

/* The doubt of all that wait at the target whether anything comes from there;
 * *since_ns: when the first of them was begun. */
static uint32_t
doubt_of(inf_engine *engine, const char *target, uint64_t *since_ns)
{
  uint32_t sum = 0;
  size_t looked_at = 0;
  *since_ns = INF_NEVER;
  for (const inf_list *node = engine->attempts.next; node != &engine->attempts;
       node = node->next) {
    const inf_attempt *attempt =
        INF_CONTAINER_OF(node, const inf_attempt, node);
    looked_at++;
    if (!attempt->call || !attempt->watched || attempt->decisive ||
        strcmp(attempt->record->target, target) != 0)
      continue;
    uint64_t start_ns = attempt->record->start_ns;
    inf_latency_place place = {target, kind_of(attempt), attempt->bucket};
    uint32_t doubt =
        inf_latency_doubt(engine->runtime, &place, start_ns, engine->heard_ns);
    if (doubt > 0 && start_ns < *since_ns)
      *since_ns = start_ns;
    sum += doubt;
  }
  engine->doubt_ns = engine->heard_ns + looked_at * INF_NS_PER_US;
  return sum;
}

/* It is silent at one of its marks: what does that say of its target? Only if
 * no later one is answered the others are looked at. True if it is gone. */
static bool
doubts(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  const char *target = attempt->record->target;
  inf_latency_place place = {target, kind_of(attempt), attempt->bucket};
  uint64_t since_ns;
  if (inf_latency_is_silent(engine->runtime, target)) {
    rescue(attempt, NULL);
    return false;
  }
  if (engine->heard_ns < engine->doubt_ns ||
      inf_latency_doubt(engine->runtime, &place, attempt->record->start_ns,
                        engine->heard_ns) == 0 ||
      doubt_of(engine, target, &since_ns) < INF_LATENCY_SILENT_BITS)
    return false;
  inf_latency_set_silent(engine->runtime, target, since_ns);
  return rescue_all(engine, target, attempt);
}

static bool
is_due(uint64_t *at_ns, uint64_t heard_ns)
{
  if (*at_ns == 0 || *at_ns > heard_ns)
    return false;
  *at_ns = 0;
  return true;
}

static void
ask_for_hedge(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  inf_race *race = attempt->call->race;
  bool drawn = race->pass.arming.reason == INF_HEDGE_YES;
  if (race->stale) {
    fire_again(attempt);
    return;
  }
  race->asked = true;
  if (!(drawn && fire(attempt, false)) &&
      inf_latency_is_silent(engine->runtime, attempt->record->target))
    rescue(attempt, NULL);
  hold_no_longer(attempt);
}

bool
inf_race_on_time(inf_attempt *attempt)
{
  uint64_t heard_ns = attempt->engine->heard_ns;
  bool slow = is_due(&attempt->slow_ns, heard_ns);
  bool late = is_due(&attempt->late_ns, heard_ns);
  if (inf_attempt_jumped(attempt)) /* nobody listened */
    slow = late = false;
  if (late) {
    attempt->late = true;
    inf_latency_note_late(attempt->engine->runtime, attempt->record->target);
  }
  if ((slow || late) && doubts(attempt))
    return false;
  if (is_due(&attempt->hedge_ns, heard_ns))
    ask_for_hedge(attempt);
  return true;
}

/* ---- The end of the race ------------------------------------------------- */

static inf_attempt *
other_leg(const inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  return call->attempt == attempt ? call->race->rival : call->attempt;
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
  const inf_race *race = attempt->call->race;
  if (attempt->verdict != INFER_OK || !decides(attempt, delta))
    return;
  attempt->decisive = true;
  if (!attempt->stream)
    return; /* its end decides */
  note_answer(attempt);
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
  note_answer(attempt);
  inf_timer_cancel(&engine->attempt_timers, &attempt->timer);
  return true;
}

/* A second leg whose connection had gone stale, while it may still help. */
static bool
is_sent_again(const inf_attempt *attempt, const inf_attempt *other)
{
  return attempt == attempt->call->race->rival && attempt->untouched &&
         !attempt->fresh_connection && is_alive_and_silent(other);
}

/* Not at once: this may be a callback of the transport. */
static void
leave_stale(inf_attempt *attempt, inf_attempt *other)
{
  inf_engine *engine = attempt->engine;
  inf_race *race = attempt->call->race;
  attempt->record->decision = "the connection had gone stale: sent again";
  race->stale = true;
  race->stale_target = attempt->target;
  inf_deliver_drop(&race->held_rival);
  inf_attempt_detach(attempt, false);
  other->hedge_ns = engine->now_ns;
  inf_timer_set(&engine->attempt_timers, &other->timer, engine->now_ns);
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
  inf_health_end(engine->runtime, &call->resent, INFER_E_CANCELLED,
                 engine->now_ns, &engine->rng); /* nobody goes on with it */
  if (is_sent_again(attempt, other)) {
    leave_stale(attempt, other);
    return true;
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

static void
note_tokens(const inf_attempt *attempt)
{
  const struct infer_call *call = attempt->call;
  const inf_usage *usage = &attempt->answer.usage;
  if (usage->input < 0 || usage->output < 0 || usage->estimated)
    return;
  inf_latency_note_tokens(attempt->engine->runtime, attempt->record->target,
                          call->request->chat.messages.len, usage->input,
                          usage->output / (int64_t)call->choices);
}

void
inf_race_record_end(inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  uint64_t age_ns = engine->now_ns - attempt->record->start_ns;
  if (attempt->parked)
    return;
  if (status == INFER_OK && call->race && call->race->pass.hedger)
    inf_hedger_complete(engine->runtime, &call->race->pass, cost_of(attempt));
  if (status == INFER_OK && !attempt->timed)
    note_answer(attempt);
  if (inf_attempt_jumped(attempt))
    return;
  if (!attempt->timed && inf_attempt_is_cut(status))
    record_time(attempt, kind_of(attempt), age_ns, true);
  if (status == INFER_OK) {
    note_tokens(attempt);
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
