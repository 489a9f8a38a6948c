/* SPDX-License-Identifier: MIT */
/* The line of calls that wait for a limit; see waiting.h. */
#include "engine/waiting.h"

#include "base/mem.h"
#include "config/hash.h"
#include "engine/gate.h"

/* Virtual tokens of a request by itself. */
enum { request_cost = 1 };
enum { why_max_bytes = 4 << 10 };

void
inf_waiting_init(inf_waiting *waiting)
{
  *waiting = (inf_waiting){.next_ns = INF_NEVER};
  inf_line_init(&waiting->line, 0);
}

void
inf_waiting_fini(inf_waiting *waiting)
{
  inf_line_fini(&waiting->line);
}

void
inf_waiting_configure(inf_waiting *waiting, size_t calls_max)
{
  waiting->line.count_max = calls_max;
}

static uint64_t
tenant_of(const struct infer_call *call)
{
  const char *name = call->request->tenant;
  return name ? inf_fnv1a(INF_FNV_START, inf_sv_from(name)) : 0;
}

static uint32_t
weight_of(const struct infer_call *call)
{
  const inf_config *config = call->trail->config;
  const char *name = call->request->tenant;
  for (size_t i = 0; name && i < config->tenant_count; i++)
    if (strcmp(config->tenants[i].name, name) == 0)
      return config->tenants[i].weight;
  return 1;
}

bool
inf_waiting_any(const struct inf_engine *engine)
{
  return engine->waiting.line.count > 0;
}

uint64_t
inf_waiting_places(const struct inf_engine *engine)
{
  uint64_t places = 0;
  for (size_t i = 0; inf_waiting_any(engine) && i < INF_WAITING_PLACES; i++)
    if (engine->waiting.calls_at[i] > 0)
      places |= 1ull << i;
  return places;
}

static void
count_places(inf_waiting *waiting, uint64_t where, bool joins)
{
  for (size_t i = 0; i < INF_WAITING_PLACES; i++)
    if (where & 1ull << i)
      waiting->calls_at[i] += joins ? 1 : UINT32_MAX; /* one less */
}

void
inf_waiting_stir(struct inf_engine *engine)
{
  if (inf_waiting_any(engine))
    engine->waiting.next_ns = engine->now_ns;
}

/* ---- Joining ------------------------------------------------------------- */

static inf_line_entry
entry_of(struct inf_engine *engine, const struct infer_call *call,
         size_t target, const inf_meter_cost *cost, uint64_t where)
{
  uint64_t input = 0, output = 0;
  if (cost->counted)
    inf_meter_expect(engine->runtime, call->targets[target], cost, &input,
                     &output);
  return (inf_line_entry){.deadline_ns = call->deadline_ns,
                          .where = where,
                          .cost = inf_line_cost(input, output, request_cost),
                          .input_tokens = input,
                          .output_tokens = output};
}

uint64_t
inf_waiting_start_ns(struct inf_engine *engine, const struct infer_call *call,
                     size_t target, const inf_meter_cost *cost,
                     const inf_meter_verdict *verdict)
{
  uint64_t at_ns =
      verdict->at_ns == INF_NEVER ? engine->now_ns : verdict->at_ns;
  inf_line_entry entry =
      entry_of(engine, call, target, cost, inf_meter_place(verdict->meter));
  inf_line_ahead ahead =
      inf_line_look(&engine->waiting.line, &entry, tenant_of(call),
                    weight_of(call), engine->now_ns);
  uint64_t start_ns = inf_meter_start_ns(engine->runtime, verdict->meter,
                                         &ahead, &entry, engine->now_ns);
  return start_ns > at_ns ? start_ns : at_ns;
}

static void
refuse(struct inf_engine *engine, struct infer_call *call, int32_t status,
       uint64_t wait_ns, const char *format, const char *limit)
{
  inf_buf why;
  inf_buf_init(&why, why_max_bytes);
  inf_buf_appendf(
      &why, format, limit,
      (unsigned long long)((wait_ns + INF_NS_PER_MS - 1) / INF_NS_PER_MS));
  inf_call_end_unsent(engine, call, status, wait_ns, inf_buf_cstr(&why));
  inf_buf_fini(&why);
}

/* Made when a call first waits. */
static inf_call_limits *
limits_of(struct infer_call *call)
{
  if (!call->limits) {
    call->limits = inf_calloc(1, sizeof *call->limits);
    if (call->limits)
      call->limits->call = call;
  }
  return call->limits;
}

static void
evict(struct inf_engine *engine, inf_line_entry *entry, uint64_t wait_ns,
      const char *limit)
{
  inf_call_limits *other = INF_CONTAINER_OF(entry, inf_call_limits, entry);
  count_places(&engine->waiting, entry->where, false);
  refuse(engine, other->call, INFER_E_LIMIT, wait_ns,
         "not sent: too many calls wait for %s, and of this tenant the most; "
         "%llu ms from now it may be let through",
         limit);
}

/* The call's place in the line, or its end. */
static void
push(struct inf_engine *engine, struct infer_call *call, uint64_t wait_ns,
     const char *limit)
{
  inf_waiting *waiting = &engine->waiting;
  inf_line_entry *entry = &call->limits->entry, *evicted = NULL;
  int32_t status = inf_line_push(&waiting->line, entry, tenant_of(call),
                                 weight_of(call), engine->now_ns, &evicted);
  if (status != INFER_OK) {
    refuse(engine, call, status, wait_ns,
           "not sent: too many calls wait for %s already (option "
           "max_waiting_calls); %llu ms from now it may be let through",
           limit);
    return;
  }
  count_places(waiting, entry->where, true);
  inf_logf(&engine->hooks->log, INFER_LOG_DEBUG, "call %llu waits for %s",
           (unsigned long long)call->id, limit);
  inf_call_note_decision(call, "a limit holds the next attempt back");
  if (evicted)
    evict(engine, evicted, wait_ns, limit);
  inf_waiting_stir(engine);
}

void
inf_waiting_join(struct inf_engine *engine, struct infer_call *call,
                 const inf_meter_cost *cost, const inf_waiting_place *soonest,
                 uint64_t where, bool stays)
{
  const char *limit = soonest->verdict.why;
  uint64_t ttft_ns = inf_runtime_ttft_ns(engine->runtime,
                                         call->targets[soonest->target]->name);
  uint64_t wait_ns = soonest->start_ns > engine->now_ns
                         ? soonest->start_ns - engine->now_ns
                         : 0;
  if (inf_time_add(soonest->start_ns, ttft_ns) >= call->deadline_ns) {
    refuse(engine, call, INFER_E_RATE_LIMITED, wait_ns,
           "not sent: %s lets it through in %llu ms, too late for its deadline",
           limit);
    return;
  }
  inf_call_limits *limits = limits_of(call);
  if (!limits) {
    refuse(engine, call, INFER_E_NO_MEMORY, 0, "%s", limit);
    return;
  }
  limits->cost = *cost;
  limits->stays = stays;
  limits->entry = entry_of(engine, call, soonest->target, cost, where);
  push(engine, call, wait_ns, limit);
}

void
inf_waiting_leave(struct inf_engine *engine, struct infer_call *call)
{
  if (!call->limits || !inf_line_has(&call->limits->entry))
    return;
  count_places(&engine->waiting, call->limits->entry.where, false);
  inf_line_remove(&engine->waiting.line, &call->limits->entry);
  inf_waiting_stir(engine);
}

/* ---- Charging ------------------------------------------------------------ */

static uint64_t
line_cost(const inf_limit_cost *cost)
{
  return inf_line_cost(cost->input_tokens, cost->output_tokens, request_cost);
}

void
inf_waiting_passed(struct inf_engine *engine, const struct infer_call *call,
                   const inf_limit_cost *cost)
{
  if (inf_waiting_any(engine))
    inf_line_serve(&engine->waiting.line, tenant_of(call), weight_of(call),
                   line_cost(cost));
}

void
inf_waiting_settle(struct inf_engine *engine, const struct infer_call *call,
                   const inf_limit_cost *used)
{
  if (!call->limits || !inf_waiting_any(engine))
    return;
  int64_t delta = (int64_t)line_cost(used) - (int64_t)call->limits->entry.cost;
  inf_line_charge(&engine->waiting.line, tenant_of(call), weight_of(call),
                  delta);
}

/* ---- Serving ------------------------------------------------------------- */

/* The entry that is next, after this one was dealt with. */
static inf_line_entry *
serve_one(struct inf_engine *engine, inf_line_walk *walk, inf_line_entry *entry)
{
  inf_waiting *waiting = &engine->waiting;
  struct infer_call *call =
      INF_CONTAINER_OF(entry, inf_call_limits, entry)->call;
  inf_gate_answer answer = inf_gate_again(engine, call, walk->open);
  switch (answer.what) {
  case INF_GATE_GO:
    count_places(waiting, entry->where, false);
    inf_line_take(&waiting->line, entry);
    inf_call_start(engine, call);
    break;
  case INF_GATE_GONE:
    break; /* it has left the line */
  case INF_GATE_WAIT:
    if (answer.at_ns < waiting->next_ns)
      waiting->next_ns = answer.at_ns;
    return inf_line_pass(&waiting->line, walk, answer.place);
  }
  waiting->next_ns = INF_NEVER; /* all are asked again */
  return inf_line_first(&waiting->line, walk, INF_LINE_ANYWHERE);
}

void
inf_waiting_serve(struct inf_engine *engine)
{
  inf_waiting *waiting = &engine->waiting;
  if (engine->now_ns < waiting->next_ns)
    return;
  waiting->next_ns = INF_NEVER;
  inf_line_walk walk;
  inf_line_entry *entry =
      inf_line_first(&waiting->line, &walk, INF_LINE_ANYWHERE);
  while (entry)
    entry = serve_one(engine, &walk, entry);
  uint64_t latest_ns = inf_time_add(engine->now_ns, INF_QUOTA_REREAD_NS);
  if (inf_waiting_any(engine) && waiting->next_ns > latest_ns)
    waiting->next_ns = latest_ns;
}
