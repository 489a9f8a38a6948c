/* SPDX-License-Identifier: MIT */
/* Hedges of routes; see hedger.h. */
#include "engine/hedger.h"

#include "base/mem.h"
#include "engine/runtime_state.h"
#include "wire/json_write.h"

#include <string.h>

enum { buckets = INF_SINGLE_R_BUCKETS };
/* Calls of which the share of each prompt length is kept: then all are
 * halved. */
enum { counted_calls = 4096 };
/* A plan is made anew after a quarter of what is known, within these. */
enum { least_new = 16, most_new = 200 };
/* Targets that a hedge is offered to, as race.c does. */
enum { targets_max = 16 };

/* Of one target that is asked first. */
typedef struct machine {
  inf_hedge hedge; /* first: a pass points to it */
  struct machine *next;
  char *target;
  inf_latency_kind kind;
  uint32_t calls[buckets];
  double cost[buckets];     /* mean, of an attempt that loses */
  uint32_t events[buckets]; /* of the series at the last plan */
  uint32_t changes[buckets];
  bool is_void; /* the plan was made for other options */
} machine;

struct inf_hedger {
  inf_hedger *next;
  char *name;
  int64_t percentile, share, min_delay_ms; /* that params are made of */
  inf_hedge_params params;
  inf_hedge_budget budgets[2]; /* of tokens, of money */
  bool priced;                 /* which of them the last call was paid from */
  machine *machines;
  size_t machine_count;
  uint64_t rescues;
};

/* For one plan. */
typedef struct inf_hedge_work {
  inf_survival first[buckets], hedge[buckets];
  bool first_known[buckets], hedge_known[buckets];
  inf_single_r_work work;
} hedge_work;

int64_t
inf_hedge_cost(const inf_hedge_price *price, int64_t input, int64_t output)
{
  int64_t in = input > 0 ? input : 0, out = output > 0 ? output : 0;
  int64_t cost;
  if (__builtin_mul_overflow(in, price->input, &in) ||
      __builtin_mul_overflow(out, price->output, &out) ||
      __builtin_add_overflow(in, out, &cost))
    return INT64_MAX;
  return cost;
}

/* ---- Finding ------------------------------------------------------------- */

static void
hedger_free(inf_hedger *hedger)
{
  for (machine *at = hedger->machines, *next; at; at = next) {
    next = at->next;
    inf_free(at->target);
    inf_free(at);
  }
  inf_free(hedger->name);
  inf_free(hedger);
}

void
inf_hedgers_free(inf_runtime *runtime)
{
  for (inf_hedger *hedger = runtime->hedgers, *next; hedger; hedger = next) {
    next = hedger->next;
    hedger_free(hedger);
  }
  runtime->hedgers = NULL;
  inf_free(runtime->hedge_work);
  runtime->hedge_work = NULL;
}

static inf_hedger *
hedger_locked(inf_runtime *runtime, const char *name)
{
  for (inf_hedger *hedger = runtime->hedgers; hedger; hedger = hedger->next)
    if (strcmp(hedger->name, name) == 0)
      return hedger;
  if (runtime->hedger_count >= INF_RUNTIME_MAX)
    return NULL;
  inf_hedger *hedger = inf_calloc(1, sizeof *hedger);
  if (!hedger)
    return NULL;
  hedger->name = inf_strndup(name, strlen(name));
  if (!hedger->name) {
    inf_free(hedger);
    return NULL;
  }
  inf_hedge_budget_init(&hedger->budgets[0], 0);
  inf_hedge_budget_init(&hedger->budgets[1], 0);
  hedger->next = runtime->hedgers;
  runtime->hedgers = hedger;
  runtime->hedger_count++;
  return hedger;
}

/* A reload may have changed them: then plans are made anew. */
static void
set_params(inf_hedger *hedger, const inf_route_params *params)
{
  if (hedger->percentile == params->hedge_percentile &&
      hedger->share == params->hedge_budget &&
      hedger->min_delay_ms == params->hedge_min_delay_ms)
    return;
  hedger->percentile = params->hedge_percentile;
  hedger->share = params->hedge_budget;
  hedger->min_delay_ms = params->hedge_min_delay_ms;
  hedger->params = inf_hedge_defaults;
  hedger->params.share = (double)params->hedge_percentile / 1e8;
  hedger->params.budget = (double)params->hedge_budget / 1e6;
  hedger->params.min_delay_ns =
      (uint64_t)params->hedge_min_delay_ms * INF_NS_PER_MS;
  hedger->budgets[0].share_ppm = params->hedge_budget;
  hedger->budgets[1].share_ppm = params->hedge_budget;
  for (machine *at = hedger->machines; at; at = at->next)
    at->is_void = true;
}

/* A reload may have given or taken prices: then means of costs are of another
 * unit. */
static void
set_unit(inf_hedger *hedger, bool priced)
{
  if (hedger->priced == priced)
    return;
  hedger->priced = priced;
  for (machine *at = hedger->machines; at; at = at->next) {
    memset(at->calls, 0, sizeof at->calls);
    memset(at->cost, 0, sizeof at->cost);
    at->is_void = true;
  }
}

static inf_hedge_budget *
budget_of(inf_hedger *hedger)
{
  return &hedger->budgets[hedger->priced];
}

static machine *
machine_locked(inf_hedger *hedger, const char *target, inf_latency_kind kind)
{
  for (machine *at = hedger->machines; at; at = at->next)
    if (at->kind == kind && strcmp(at->target, target) == 0)
      return at;
  if (hedger->machine_count >= INF_RUNTIME_MAX)
    return NULL;
  machine *at = inf_calloc(1, sizeof *at);
  if (!at)
    return NULL;
  at->target = inf_strndup(target, strlen(target));
  if (!at->target) {
    inf_free(at);
    return NULL;
  }
  at->kind = kind;
  inf_hedge_init(&at->hedge, &hedger->params);
  at->next = hedger->machines;
  hedger->machines = at;
  hedger->machine_count++;
  return at;
}

/* ---- The plan ------------------------------------------------------------ */

static void
note_call(machine *at, const inf_hedge_ask *ask)
{
  uint32_t total = 0;
  uint32_t calls = ++at->calls[ask->bucket];
  uint32_t over = calls < 64 ? calls : 64;
  at->cost[ask->bucket] += ((double)ask->cost - at->cost[ask->bucket]) / over;
  for (size_t i = 0; i < buckets; i++)
    total += at->calls[i];
  if (total < counted_calls)
    return;
  for (size_t i = 0; i < buckets; i++)
    at->calls[i] = (at->calls[i] + 1) / 2;
}

static bool
is_due(inf_runtime *runtime, const machine *at, uint32_t bucket)
{
  inf_latency_place place = {at->target, at->kind, bucket};
  inf_latency_view view = inf_latency_view_locked(runtime, &place);
  if (!view.series)
    return false;
  uint32_t events = inf_series_events(view.series);
  uint32_t wanted = events / 4;
  wanted = wanted < least_new ? least_new : wanted;
  wanted = wanted > most_new ? most_new : wanted;
  return at->is_void ||
         inf_series_changes(view.series) != at->changes[bucket] ||
         events - at->events[bucket] >= wanted;
}

static bool
read_known(inf_runtime *runtime, const inf_latency_place *place,
           inf_survival *curve)
{
  inf_latency_view view = inf_latency_view_locked(runtime, place);
  return view.series && inf_latency_read_locked(runtime, place, curve) &&
         inf_hedge_is_known(inf_series_events(view.series));
}

/* Index of the nearest bucket of which anything is known; the longer of two.
 * `buckets`: there is none. */
static size_t
nearest(const bool *known, size_t bucket)
{
  for (size_t d = 0; d < buckets; d++) {
    if (bucket + d < buckets && known[bucket + d])
      return bucket + d;
    if (d <= bucket && known[bucket - d])
      return bucket - d;
  }
  return buckets;
}

static uint64_t
usual_ns(inf_runtime *runtime, const inf_hedge_ask *ask, size_t target)
{
  inf_latency_place place = {ask->targets[target]->name, ask->kind,
                             ask->bucket};
  return inf_latency_usual_locked(runtime, &place);
}

/* See inf_hedger_order(): of unknown targets the first one's time is thought;
 * then the route's order decides. */
static uint64_t
rank_of(inf_runtime *runtime, const inf_hedge_ask *ask, size_t target)
{
  uint64_t own_ns = usual_ns(runtime, ask, ask->first);
  uint64_t ns = target == ask->first ? own_ns : usual_ns(runtime, ask, target);
  if (ns == INF_NEVER)
    ns = own_ns;
  return target == ask->first ? inf_time_add(ns, ns) : ns;
}

static void
order_locked(inf_runtime *runtime, const inf_hedge_ask *ask, size_t *order)
{
  size_t count = 0;
  for (size_t step = 1; step <= ask->count; step++) {
    size_t target = (ask->first + step) % ask->count; /* it itself is last */
    uint64_t rank = rank_of(runtime, ask, target);
    size_t at = count++;
    while (at > 0 && rank_of(runtime, ask, order[at - 1]) > rank) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = target;
  }
}

static hedge_work *
need_work(inf_runtime *runtime)
{
  if (!runtime->hedge_work)
    runtime->hedge_work = inf_calloc(1, sizeof(hedge_work));
  return runtime->hedge_work;
}

/* The curves of all prompt lengths. False: of the first target none is
 * known. */
static bool
read_curves(inf_runtime *runtime, machine *at, const char *hedge,
            hedge_work *work)
{
  for (uint32_t i = 0; i < buckets; i++) {
    inf_latency_place first = {at->target, at->kind, i};
    inf_latency_place other = {hedge, at->kind, i};
    work->first_known[i] = read_known(runtime, &first, &work->first[i]);
    work->hedge_known[i] = read_known(runtime, &other, &work->hedge[i]);
    inf_latency_view view = inf_latency_view_locked(runtime, &first);
    at->events[i] = view.series ? inf_series_events(view.series) : 0;
    at->changes[i] = view.series ? inf_series_changes(view.series) : 0;
  }
  at->is_void = false;
  return nearest(work->first_known, 0) < buckets;
}

static void
solve(inf_hedger *hedger, machine *at, hedge_work *work)
{
  inf_single_r_bucket problem_buckets[buckets];
  uint32_t place[buckets], count = 0;
  bool used[buckets];
  const inf_hedge_budget *budget = budget_of(hedger);
  double mean = (double)budget->mean_cost;
  for (size_t i = 0; i < buckets; i++) {
    used[i] = at->calls[i] > 0;
    if (!used[i])
      continue;
    const inf_survival *first = &work->first[nearest(work->first_known, i)];
    size_t other = nearest(work->hedge_known, i);
    place[i] = count;
    problem_buckets[count++] = (inf_single_r_bucket){
        .primary = first,
        .hedge = other < buckets ? &work->hedge[other] : first,
        .weight = at->calls[i],
        .cost = mean > 0 ? at->cost[i] / mean : 1,
    };
  }
  inf_single_r_problem problem = {.buckets = problem_buckets, .count = count};
  inf_hedge_plan(&at->hedge, &problem, budget, &work->work);
  inf_single_r_choice choices[buckets];
  for (size_t i = 0; i < buckets; i++)
    choices[i] = at->hedge.plan.buckets[place[nearest(used, i)]];
  memcpy(at->hedge.plan.buckets, choices, sizeof choices);
}

static void
plan(inf_runtime *runtime, inf_hedger *hedger, machine *at,
     const inf_hedge_ask *ask)
{
  size_t few[targets_max];
  hedge_work *work = need_work(runtime);
  if (!work || ask->count > targets_max)
    return;
  order_locked(runtime, ask, few);
  if (read_curves(runtime, at, ask->targets[few[0]]->name, work))
    solve(hedger, at, work);
}

/* What connecting and headers usually take; 0: not known. */
static uint64_t
headers_ns(inf_runtime *runtime, const char *target, uint32_t bucket)
{
  inf_latency_place place = {target, INF_LATENCY_HEADERS, bucket};
  hedge_work *work = need_work(runtime);
  if (!work || !read_known(runtime, &place, &work->first[0]))
    return 0;
  uint64_t ns = inf_latency_usual_locked(runtime, &place);
  return ns == INF_NEVER ? 0 : ns;
}

/* ---- The life of a race -------------------------------------------------- */

inf_hedge_pass
inf_hedger_arm(inf_runtime *runtime, const char *route,
               const inf_route_params *params, const inf_hedge_ask *ask,
               uint64_t now_ns, inf_rng *rng)
{
  const char *first = ask->targets[ask->first]->name;
  inf_hedge_pass pass = {.delay_ns = INF_NEVER};
  pass.arming.fire_at_ns = INF_NEVER;
  pthread_mutex_lock(&runtime->mutex);
  pass.hedger = hedger_locked(runtime, route[0] ? route : first);
  machine *at = NULL;
  if (pass.hedger) {
    set_params(pass.hedger, params);
    set_unit(pass.hedger, ask->priced);
    pass.budget = budget_of(pass.hedger);
    at = machine_locked(pass.hedger, first, ask->kind);
  }
  if (at) {
    note_call(at, ask);
    if (is_due(runtime, at, ask->bucket))
      plan(runtime, pass.hedger, at, ask);
    const inf_hedge_call call = {
        .bucket = ask->bucket,
        .run_once = ask->run_once,
        .connected_ns =
            at->hedge.planned ? 0 : headers_ns(runtime, first, ask->bucket),
    };
    pass.machine = &at->hedge;
    pass.arming = inf_hedge_arm(&at->hedge, &call, pass.budget, now_ns, rng);
    if (at->hedge.planned)
      pass.delay_ns = at->hedge.plan.buckets[ask->bucket].delay_ns;
  }
  pthread_mutex_unlock(&runtime->mutex);
  return pass;
}

void
inf_hedger_order(inf_runtime *runtime, const inf_hedge_ask *ask, size_t *order)
{
  pthread_mutex_lock(&runtime->mutex);
  order_locked(runtime, ask, order);
  pthread_mutex_unlock(&runtime->mutex);
}

inf_hedge_reason
inf_hedger_fire(inf_runtime *runtime, inf_hedge_pass *pass, const char *target,
                int64_t cost, inf_rng *rng)
{
  static const inf_slowdown unknown;
  pthread_mutex_lock(&runtime->mutex);
  const inf_slowdown *slowdown = NULL;
  if (target) {
    inf_latency_place place = {target, INF_LATENCY_CONTENT, 0};
    slowdown = inf_latency_view_locked(runtime, &place).slowdown;
    slowdown = slowdown ? slowdown : &unknown;
  }
  inf_hedge_reason reason = inf_hedge_fire(pass->machine, pass->budget,
                                           slowdown, cost, &pass->claim, rng);
  pthread_mutex_unlock(&runtime->mutex);
  return reason;
}

void
inf_hedger_suppress(inf_runtime *runtime, inf_hedge_pass *pass,
                    inf_hedge_reason reason)
{
  pthread_mutex_lock(&runtime->mutex);
  pass->machine->suppressed[reason]++;
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_hedger_refund(inf_runtime *runtime, inf_hedge_pass *pass)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_hedge_budget_refund(&pass->claim);
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_hedger_settle(inf_runtime *runtime, inf_hedge_pass *pass, int64_t cost)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_hedge_budget_settle(&pass->claim, cost);
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_hedger_judge(inf_runtime *runtime, inf_hedge_pass *pass, bool won)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_hedge_end(pass->machine, won);
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_hedger_note_rescue(inf_runtime *runtime, inf_hedge_pass *pass)
{
  pthread_mutex_lock(&runtime->mutex);
  pass->hedger->rescues++;
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_hedger_complete(inf_runtime *runtime, const inf_hedge_pass *pass,
                    int64_t cost)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_hedge_budget_complete(pass->budget, cost);
  pthread_mutex_unlock(&runtime->mutex);
}

/* NULL: there is none yet. */
static const machine *
known_machine_locked(const inf_runtime *runtime, const char *route,
                     const char *target, inf_latency_kind kind)
{
  const char *name = route[0] ? route : target;
  const inf_hedger *hedger = runtime->hedgers;
  while (hedger && strcmp(hedger->name, name) != 0)
    hedger = hedger->next;
  const machine *at = hedger ? hedger->machines : NULL;
  while (at && !(at->kind == kind && strcmp(at->target, target) == 0))
    at = at->next;
  return at;
}

size_t
inf_hedger_usual_target(inf_runtime *runtime, const char *route,
                        const inf_hedge_ask *ask)
{
  inf_hedge_ask usual = *ask;
  size_t order[targets_max] = {0};
  usual.bucket = 0;
  pthread_mutex_lock(&runtime->mutex);
  const machine *at = known_machine_locked(
      runtime, route, ask->targets[ask->first]->name, ask->kind);
  for (uint32_t i = 0; at && i < buckets; i++)
    if (at->calls[i] > at->calls[usual.bucket])
      usual.bucket = i;
  order_locked(runtime, &usual, order);
  pthread_mutex_unlock(&runtime->mutex);
  return order[0];
}

inf_hedge_forecast
inf_hedger_look(inf_runtime *runtime, const char *route, const char *target,
                inf_latency_kind kind, uint32_t bucket)
{
  inf_hedge_forecast forecast = {.delay_ns = INF_NEVER};
  pthread_mutex_lock(&runtime->mutex);
  const machine *at = known_machine_locked(runtime, route, target, kind);
  if (at && at->hedge.planned) {
    forecast.planned = true;
    forecast.delay_ns = at->hedge.plan.buckets[bucket].delay_ns;
    forecast.probability = at->hedge.plan.buckets[bucket].probability;
  }
  pthread_mutex_unlock(&runtime->mutex);
  return forecast;
}

/* ---- Counters ------------------------------------------------------------ */

/* Names of the reasons, as members. */
static const char *const reason_names[INF_HEDGE_REASONS] = {
    [INF_HEDGE_NO_PLAN] = "no_plan",   [INF_HEDGE_DRAWN] = "drawn",
    [INF_HEDGE_RUN_ONCE] = "run_once", [INF_HEDGE_NOWHERE] = "nowhere",
    [INF_HEDGE_SLOWDOWN] = "slowdown", [INF_HEDGE_LOSES] = "loses",
    [INF_HEDGE_BUDGET] = "budget",
};

const char *
inf_hedger_reason_name(inf_hedge_reason reason)
{
  return reason_names[reason];
}

static inf_hedge_totals
totals_of(const inf_hedger *hedger)
{
  const inf_hedge_budget *budget = &hedger->budgets[hedger->priced];
  inf_hedge_totals sum = {
      .route = hedger->name,
      .rescues = hedger->rescues,
      .delay_ns = INF_NEVER,
      .share_ppm = budget->share_ppm,
      .calls_cost = budget->paid_in,
      .losers_cost = budget->settled,
  };
  uint32_t most = 0;
  for (const machine *at = hedger->machines; at; at = at->next) {
    for (size_t i = 0; i < buckets; i++) {
      if (at->calls[i] <= most || !at->hedge.planned)
        continue;
      most = at->calls[i];
      sum.delay_ns = at->hedge.plan.buckets[i].delay_ns;
      sum.probability = at->hedge.plan.buckets[i].probability;
    }
    sum.sent += at->hedge.sent;
    sum.won += at->hedge.won;
    sum.lost += at->hedge.lost;
    for (size_t i = 0; i < INF_HEDGE_REASONS; i++)
      sum.suppressed[i] += at->hedge.suppressed[i];
  }
  return sum;
}

void
inf_hedgers_each(inf_runtime *runtime,
                 void (*see)(void *context, const inf_hedge_totals *totals),
                 void *context)
{
  pthread_mutex_lock(&runtime->mutex);
  for (const inf_hedger *hedger = runtime->hedgers; hedger;
       hedger = hedger->next) {
    inf_hedge_totals totals = totals_of(hedger);
    see(context, &totals);
  }
  pthread_mutex_unlock(&runtime->mutex);
}

static void
write_totals(void *context, const inf_hedge_totals *totals)
{
  inf_buf *out = context;
  inf_json_key(out, inf_sv_from(totals->route));
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("sent"), (int64_t)totals->sent);
  inf_json_member_int(out, INF_SV("won"), (int64_t)totals->won);
  inf_json_member_int(out, INF_SV("lost"), (int64_t)totals->lost);
  inf_json_member_int(out, INF_SV("rescues"), (int64_t)totals->rescues);
  inf_json_key(out, INF_SV("delay_ms"));
  if (totals->delay_ns == INF_NEVER)
    inf_json_put_null(out);
  else
    inf_json_put_double(out, (double)totals->delay_ns / 1e6);
  inf_json_key(out, INF_SV("probability"));
  inf_json_put_double(out, totals->probability);
  inf_json_member_int(out, INF_SV("calls_cost"), totals->calls_cost);
  inf_json_member_int(out, INF_SV("losers_cost"), totals->losers_cost);
  inf_json_key(out, INF_SV("suppressed"));
  inf_json_open(out, '{');
  for (size_t i = 0; i < INF_HEDGE_REASONS; i++)
    if (reason_names[i])
      inf_json_member_int(out, inf_sv_from(reason_names[i]),
                          (int64_t)totals->suppressed[i]);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
}

void
inf_hedgers_write_json(inf_runtime *runtime, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_hedgers_each(runtime, write_totals, out);
  inf_json_close(out, '}');
}
