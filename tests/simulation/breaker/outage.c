/* SPDX-License-Identifier: MIT */
/* A queue of events and a simplified engine: calls arrive, are sent to the
 * first target that is admitted, fail or begin to answer, and are retried as
 * the policies allow. What a target's answer is depends on the time at which
 * it was asked. */
#include "outage.h"

#include "base/clock.h"
#include "policy/breaker.h"
#include "policy/retry_budget.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MS INF_NS_PER_MS
#define S  INF_NS_PER_S

enum { max_targets = 4, max_calls = 40000, max_events = 200000 };

static const uint64_t began_ns = 30 * S;
static const uint64_t repaired_ns = 130 * S;
static const uint64_t end_ns = 190 * S;
static const uint64_t timeout_ns = 8 * S;

typedef enum event_kind { ARRIVE, RETRY, CONTENT, FAIL, AGE } event_kind;

typedef struct sim_event {
  uint64_t at_ns;
  uint64_t order;
  uint32_t call;
  uint32_t attempt; /* of the call; events of earlier ones are void */
  event_kind kind;
} sim_event;

typedef struct sim_call {
  uint64_t arrived_ns;
  uint32_t attempts;
  size_t target;
  bool duplicate; /* a probe for which nobody waits */
  bool answered;
  inf_breaker_attempt attempt;
  inf_retry_claim claim;
} sim_call;

typedef struct world {
  const outage_setup *setup;
  inf_rng rng;
  uint64_t now_ns, order;
  sim_event *events;
  size_t event_count;
  sim_call *calls;
  uint32_t call_count;
  inf_breaker breakers[max_targets];
  inf_retry_budget client, budgets[max_targets], probes;
  rule_state rule;
  /* Counted. */
  uint32_t calls_1s, calls_100s, attempts_1s, attempts_100s, lost, duplicates;
  uint64_t last_lost_ns, opened_ns;
} world;

/* ---- Events -------------------------------------------------------------- */

static bool
is_before(const sim_event *a, const sim_event *b)
{
  return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void
push(world *at, uint64_t at_ns, event_kind kind, uint32_t call)
{
  if (at->event_count == max_events)
    exit(2);
  size_t i = at->event_count++;
  sim_event new = {at_ns, at->order++, call, at->calls[call].attempts, kind};
  for (; i > 0 && is_before(&new, &at->events[(i - 1) / 2]); i = (i - 1) / 2)
    at->events[i] = at->events[(i - 1) / 2];
  at->events[i] = new;
}

static sim_event
pop(world *at)
{
  sim_event first = at->events[0];
  sim_event last = at->events[--at->event_count];
  size_t i = 0;
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= at->event_count)
      break;
    if (child + 1 < at->event_count &&
        is_before(&at->events[child + 1], &at->events[child]))
      child++;
    if (!is_before(&at->events[child], &last))
      break;
    at->events[i] = at->events[child];
    i = child;
  }
  at->events[i] = last;
  return first;
}

/* ---- Targets ------------------------------------------------------------- */

static bool
in_outage(uint64_t at_ns)
{
  return at_ns >= began_ns && at_ns < repaired_ns;
}

static bool
is_down(const world *at, size_t target)
{
  if (target < at->setup->stay_down)
    return at->now_ns >= began_ns;
  return target < at->setup->targets_down && in_outage(at->now_ns);
}

/* Lognormal, median 0.3 s, sigma 0.5: Box and Muller. */
static uint64_t
draw_ttft_ns(inf_rng *rng)
{
  double radius = sqrt(-2 * log(1 - inf_rng_double(rng)));
  double normal = radius * cos(6.283185307179586 * inf_rng_double(rng));
  return (uint64_t)(0.3e9 * exp(0.5 * normal));
}

static void
ask(world *at, uint32_t index)
{
  const sim_call *call = &at->calls[index];
  if (!is_down(at, call->target)) {
    push(at, at->now_ns + draw_ttft_ns(&at->rng), CONTENT, index);
    return;
  }
  uint64_t wait_ns = 0;
  switch (at->setup->kind) {
  case OUTAGE_ERRORS:
    wait_ns = inf_rng_between(&at->rng, 5 * MS, 95 * MS);
    break;
  case OUTAGE_SLOW_ERROR:
    wait_ns = S;
    break;
  case OUTAGE_BLACK_HOLE:
    wait_ns = timeout_ns;
    break;
  }
  push(at, at->now_ns + wait_ns, FAIL, index);
}

static void
count_attempt(world *at, const sim_call *call)
{
  if (call->duplicate && in_outage(at->now_ns))
    at->duplicates++;
  if (!is_down(at, call->target))
    return;
  at->attempts_100s += in_outage(at->now_ns);
  at->attempts_1s += at->now_ns < began_ns + S;
}

static void
lose(world *at, const sim_call *call)
{
  if (call->duplicate)
    return;
  at->lost += in_outage(call->arrived_ns);
  if (call->arrived_ns >= repaired_ns && call->arrived_ns > at->last_lost_ns)
    at->last_lost_ns = call->arrived_ns;
}

/* ---- The shipped code ---------------------------------------------------- */

static void
send(world *at, uint32_t index, size_t target, bool probe)
{
  sim_call *call = &at->calls[index];
  call->target = target;
  call->attempts++;
  if (!inf_breaker_begin(&at->breakers[target], &call->attempt, probe, 0,
                         at->now_ns, &at->rng))
    exit(2); /* it was admitted at this very time */
  push(at, call->attempt.late_at_ns, AGE, index);
  count_attempt(at, call);
  ask(at, index);
}

static void
send_duplicate(world *at, size_t target)
{
  inf_retry_claim claim;
  if (at->call_count == max_calls ||
      inf_retry_budget_claim(&claim, &at->probes, NULL, INF_RETRY_BUDGET_EXTRA))
    return;
  uint32_t index = at->call_count++;
  at->calls[index] = (sim_call){.arrived_ns = at->now_ns, .duplicate = true};
  send(at, index, target, true);
}

/* Chooses a target from `first` on, in the route's order; SIZE_MAX: none.
 * A duplicate goes where a probe is due, if another one can serve the call. */
static size_t
choose(world *at, size_t first, bool *probe)
{
  size_t count = at->setup->targets, due = SIZE_MAX, best = SIZE_MAX;
  *probe = false;
  for (size_t i = 0; i < count && best == SIZE_MAX; i++) {
    size_t target = (first + i) % count;
    inf_breaker_action action =
        inf_breaker_admit(&at->breakers[target], false, at->now_ns, &at->rng)
            .action;
    if (action == INF_BREAKER_PASS)
      best = target;
    if (action == INF_BREAKER_PROBE_DUE && due == SIZE_MAX)
      due = target;
  }
  if (best != SIZE_MAX && due != SIZE_MAX)
    send_duplicate(at, due);
  for (size_t i = 0; i < count && best == SIZE_MAX; i++) {
    size_t target = (first + i) % count;
    inf_breaker_action action =
        inf_breaker_admit(&at->breakers[target], true, at->now_ns, &at->rng)
            .action;
    if (action == INF_BREAKER_DENY)
      continue;
    best = target;
    *probe = action == INF_BREAKER_PROBE_DUE;
  }
  return best;
}

static void
start_shipped(world *at, uint32_t index)
{
  bool probe;
  size_t target = choose(at, 0, &probe);
  if (target == SIZE_MAX)
    lose(at, &at->calls[index]);
  else
    send(at, index, target, probe);
}

/* One more attempt, which was claimed for `target`, after its wait. */
static void
retry_shipped(world *at, uint32_t index)
{
  sim_call *call = &at->calls[index];
  bool probe;
  size_t target = choose(at, call->target, &probe);
  if (target != call->target) {
    inf_retry_budget_refund(&call->claim);
    lose(at, call);
    return;
  }
  inf_retry_budget_spend(&call->claim);
  send(at, index, target, probe);
}

static void
fail_shipped(world *at, uint32_t index)
{
  sim_call *call = &at->calls[index];
  uint8_t percent = at->setup->kind == OUTAGE_BLACK_HOLE ? 50 : 100;
  inf_breaker *breaker = &at->breakers[call->target];
  inf_breaker_end(breaker, &call->attempt, INF_BREAKER_FAILED, percent,
                  at->now_ns, &at->rng);
  if (call->duplicate)
    return;
  size_t count = at->setup->targets;
  if (call->attempts >= 1 + 2 + count - 1) {
    lose(at, call);
    return;
  }
  size_t other = (call->target + 1) % count;
  inf_retry_budget_use use =
      other == call->target ? INF_RETRY_BUDGET_STAY : INF_RETRY_BUDGET_FAILOVER;
  if (inf_retry_budget_claim(&call->claim, &at->client, &at->budgets[other],
                             use)) {
    lose(at, call);
    return;
  }
  uint64_t wait_ns = use == INF_RETRY_BUDGET_STAY
                         ? inf_rng_between(&at->rng, 50 * MS, 250 * MS)
                         : 0;
  call->target = other;
  push(at, at->now_ns + wait_ns, RETRY, index);
}

static void
content_shipped(world *at, uint32_t index)
{
  sim_call *call = &at->calls[index];
  inf_breaker_end(&at->breakers[call->target], &call->attempt, INF_BREAKER_OK,
                  0, at->now_ns, &at->rng);
  call->answered = true;
  if (call->duplicate)
    return;
  inf_retry_budget_succeed(&at->client);
  inf_retry_budget_succeed(&at->budgets[call->target]);
  inf_retry_budget_succeed(&at->probes);
}

/* ---- Other rules --------------------------------------------------------- */

static void
start_rule(world *at, uint32_t index)
{
  sim_call *call = &at->calls[index];
  if (!at->setup->rule->admit(&at->rule, at->now_ns, &at->rng)) {
    lose(at, call);
    return;
  }
  call->attempts++;
  count_attempt(at, call);
  ask(at, index);
}

static void
end_rule(world *at, uint32_t index, bool ok)
{
  const sim_rule *rule = at->setup->rule;
  sim_call *call = &at->calls[index];
  rule->result(&at->rule, ok, call->attempts > 1, at->now_ns);
  if (ok)
    return;
  if (call->attempts >= rule->attempts || !rule->may_retry(&at->rule)) {
    lose(at, call);
    return;
  }
  uint64_t high_ns = 250 * MS << (call->attempts - 1);
  push(at, at->now_ns + inf_rng_between(&at->rng, 50 * MS, high_ns), RETRY,
       index);
}

/* ---- The run ------------------------------------------------------------- */

static void
arrive(world *at, uint32_t index)
{
  sim_call *call = &at->calls[index];
  at->calls_100s += in_outage(call->arrived_ns);
  at->calls_1s +=
      call->arrived_ns >= began_ns && call->arrived_ns < began_ns + S;
  if (at->setup->rule)
    start_rule(at, index);
  else
    start_shipped(at, index);
}

static void
handle(world *at, const sim_event *event)
{
  sim_call *call = &at->calls[event->call];
  bool shipped = at->setup->rule == NULL;
  if (event->kind == ARRIVE) {
    arrive(at, event->call);
    return;
  }
  if (event->attempt != call->attempts)
    return;
  switch (event->kind) {
  case RETRY:
    if (shipped)
      retry_shipped(at, event->call);
    else
      start_rule(at, event->call);
    return;
  case CONTENT:
  case FAIL:
    if (!shipped)
      end_rule(at, event->call, event->kind == CONTENT);
    else if (event->kind == CONTENT)
      content_shipped(at, event->call);
    else
      fail_shipped(at, event->call);
    return;
  case AGE:
    inf_breaker_age(&at->breakers[call->target], &call->attempt, at->now_ns,
                    &at->rng);
    return;
  case ARRIVE:
    return;
  }
}

/* Calls arrive as a Poisson process. */
static void
plan_calls(world *at)
{
  double now_ns = 0;
  for (;;) {
    now_ns += -log(1 - inf_rng_double(&at->rng)) * (double)(10 * MS);
    if (now_ns >= (double)end_ns || at->call_count == max_calls)
      return;
    at->calls[at->call_count] = (sim_call){.arrived_ns = (uint64_t)now_ns};
    push(at, (uint64_t)now_ns, ARRIVE, at->call_count++);
  }
}

static void
init_policies(world *at, const inf_breaker_params *params)
{
  inf_retry_budget_init(&at->client, &inf_retry_budget_defaults);
  inf_retry_budget_init(&at->probes, &inf_probe_budget_defaults);
  for (size_t i = 0; i < max_targets; i++) {
    at->breakers[i] = (inf_breaker){.params = params};
    inf_retry_budget_init(&at->budgets[i], &inf_retry_budget_defaults);
  }
  if (at->setup->rule)
    rule_init(at->setup->rule, &at->rule);
}

static outage_figures
figures_of(const world *at)
{
  double after_s = at->last_lost_ns > repaired_ns
                       ? (double)(at->last_lost_ns - repaired_ns) / 1e9
                       : 0;
  return (outage_figures){
      .amplification_1s = (double)at->attempts_1s / at->calls_1s,
      .amplification_100s = (double)at->attempts_100s / at->calls_100s,
      .recovery_s = after_s,
      .opened_s =
          at->opened_ns > 0 ? (double)(at->opened_ns - began_ns) / 1e9 : -1,
      .lost = at->lost,
      .probes = at->duplicates,
  };
}

outage_figures
outage_run(const outage_setup *setup, uint64_t seed)
{
  world at = {.setup = setup};
  inf_breaker_params params = inf_breaker_defaults;
  if (setup->no_breaker)
    params.threshold = 0;
  inf_rng_seed(&at.rng, seed);
  at.events = malloc(max_events * sizeof *at.events);
  at.calls = malloc(max_calls * sizeof *at.calls);
  if (at.events == NULL || at.calls == NULL)
    exit(2);
  init_policies(&at, &params);
  plan_calls(&at);
  while (at.event_count > 0) {
    sim_event event = pop(&at);
    at.now_ns = event.at_ns;
    handle(&at, &event);
    if (at.opened_ns == 0 && at.now_ns >= began_ns &&
        (at.breakers[0].state == INF_BREAKER_OPEN || at.rule.open))
      at.opened_ns = at.now_ns;
  }
  outage_figures figures = figures_of(&at);
  free(at.events);
  free(at.calls);
  return figures;
}
