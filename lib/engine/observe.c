/* SPDX-License-Identifier: MIT */
/* Telemetry of attempts and calls; see observe.h. */
#include "engine/observe.h"

#include "engine/attempt_record.h"
#include "engine/batch.h"
#include "engine/runtime_state.h"
#include "engine/tracing.h"

uint64_t
inf_observe_per_token_ns(const struct infer_attempt *record)
{
  uint64_t first_ns = record->phase_ns[INFER_PHASE_FIRST_CONTENT];
  uint64_t last_ns = record->phase_ns[INFER_PHASE_LAST_CONTENT];
  int64_t tokens = record->usage[INFER_USAGE_OUTPUT];
  if (first_ns == 0 || last_ns <= first_ns || tokens < 2)
    return 0;
  return (last_ns - first_ns) / (uint64_t)(tokens - 1);
}

#ifndef INFER_NO_TELEMETRY

/* ---- Attempts ------------------------------------------------------------ */

/* The model is what follows the provider's name. */
static inf_series_name
name_of(const inf_provider_config *provider, const char *target,
        const char *route, bool embeds)
{
  size_t len = strlen(provider->name);
  bool has_model =
      strncmp(target, provider->name, len) == 0 && target[len] == '/';
  return (inf_series_name){
      .provider = provider->name,
      .kind = provider->kind->type,
      .target = target,
      .model = has_model ? target + len + 1 : target,
      .route = route,
      .embeds = embeds,
  };
}

static inf_attempt_facts
facts_of(const inf_engine *engine, const struct infer_attempt *record,
         const char *route, bool embeds, bool timed, bool stream)
{
  const int64_t *usage = record->usage;
  uint64_t content_ns = record->phase_ns[INFER_PHASE_FIRST_CONTENT];
  uint64_t age_ns = engine->now_ns - record->start_ns;
  bool cut = inf_attempt_is_cut(record->status);
  bool probe = record->reason == INFER_REASON_PROBE; /* wants no end */
  return (inf_attempt_facts){
      .name = name_of(record->provider, record->target, route, embeds),
      .reason = record->reason,
      .status = record->status,
      .won = record->won,
      .ended_by_us = inf_tracing_is_ended_by_us(record->status),
      .timed = timed,
      .stream = stream,
      .first_seen = content_ns > 0,
      .first_censored = content_ns == 0 && cut,
      .total_seen = record->status == INFER_OK && !probe,
      .total_censored = cut && !probe,
      .first_ns = content_ns > record->start_ns ? content_ns - record->start_ns
                  : content_ns > 0              ? 0
                                                : age_ns,
      .total_ns = age_ns,
      .waited_ns = record->waited_ns,
      .per_token_ns = stream ? inf_observe_per_token_ns(record) : 0,
      .input = usage[INFER_USAGE_INPUT],
      .cached = usage[INFER_USAGE_CACHE_READ],
      .output = usage[INFER_USAGE_OUTPUT],
      .reasoning = usage[INFER_USAGE_REASONING],
      .cost_nano_usd = record->cost_nano,
      .now_ns = engine->now_ns,
  };
}

static void
tell_hook(inf_engine *engine, const struct infer_call *call,
          const struct infer_attempt *record)
{
  const inf_config_hooks *hooks = engine->hooks;
  if (!hooks->on_attempt)
    return;
  hooks->on_attempt(call, record, hooks->telemetry_user_data);
  inf_engine_update_time(engine, INF_NEVER);
}

void
inf_observe_attempt(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  if (call->kind != INF_CALL_MODELS) {
    inf_attempt_facts facts =
        facts_of(engine, attempt->record, call->trail->route->name,
                 call->kind == INF_CALL_EMBED, !inf_attempt_jumped(attempt),
                 attempt->stream);
    inf_telemetry_attempt(engine->runtime->telemetry, &facts);
  }
  /* Nobody knows of parts; what they do is the whole's. */
  struct infer_call *known = call->part ? call->whole : call;
  if (known && !inf_deliver_record(engine, known, attempt->record))
    inf_telemetry_note_dropped(engine->runtime->telemetry);
  tell_hook(engine, known ? known : call, attempt->record);
}

void
inf_observe_stray(inf_engine *engine, const struct infer_attempt *record,
                  const char *route, bool timed, bool stream)
{
  inf_attempt_facts facts =
      facts_of(engine, record, route, false, timed, stream);
  inf_telemetry_attempt(engine->runtime->telemetry, &facts);
  tell_hook(engine, NULL, record);
}

void
inf_observe_warm_up(inf_engine *engine, const inf_provider_config *provider,
                    const inf_exchange_result *result, uint64_t start_ns,
                    int32_t status)
{
  struct infer_attempt record = {
      .provider = provider,
      .target = provider->name,
      .reason = INFER_REASON_PREWARM,
      .status = status,
      .start_ns = start_ns,
      .reused_connection = result->reused_connection,
      .cost_kind = INFER_COST_EXACT, /* of 0 tokens */
      .phase_ns =
          {
              [INFER_PHASE_LOOKUP] = result->times.lookup_ns,
              [INFER_PHASE_CONNECT] = result->times.connect_ns,
              [INFER_PHASE_TLS] = result->times.tls_ns,
              [INFER_PHASE_END] = engine->now_ns,
          },
  };
  inf_observe_stray(engine, &record, "", false, false);
}

/* ---- Calls --------------------------------------------------------------- */

/* The attempt whose answer was delivered, else the last one, or NULL. */
static const struct infer_attempt *
telling_record(const inf_trail *trail)
{
  for (size_t i = trail->count; i-- > 0;)
    if (trail->records[i]->won)
      return trail->records[i];
  return trail->count > 0 ? trail->records[trail->count - 1] : NULL;
}

/* From the call's start to the first content that was delivered: an answer that
 * others go on with begins with the first of them. */
static uint64_t
first_content_ns(const struct infer_call *call,
                 const struct infer_attempt *told)
{
  const inf_trail *trail = call->trail;
  for (size_t i = 0; i < trail->count; i++) {
    const struct infer_attempt *record = trail->records[i];
    uint64_t at_ns = record->phase_ns[INFER_PHASE_FIRST_CONTENT];
    bool counts = record == told || told->reason == INFER_REASON_CONTINUE;
    if (counts && at_ns > call->accepted_ns)
      return at_ns - call->accepted_ns;
  }
  return 0;
}

static int64_t
sum_usage(const inf_trail *trail, int kind)
{
  int64_t sum = 0;
  for (size_t i = 0; i < trail->count; i++)
    if (trail->records[i]->usage[kind] > 0)
      sum += trail->records[i]->usage[kind];
  return sum;
}

/* Of the answer; of embeddings in several parts, of all of them. */
static int64_t
told_usage(const struct infer_call *call, const struct infer_attempt *told,
           int kind)
{
  const inf_trail *trail = call->trail;
  int64_t sum = -1;
  if (call->batch && call->batch->failed)
    return -1;
  if (!call->batch)
    return told && told->won ? told->usage[kind] : -1;
  for (size_t i = 0; i < trail->count; i++)
    if (trail->records[i]->won && trail->records[i]->usage[kind] >= 0)
      sum = (sum < 0 ? 0 : sum) + trail->records[i]->usage[kind];
  return sum;
}

static inf_call_facts
call_facts(const inf_engine *engine, const struct infer_call *call,
           int32_t status)
{
  const inf_trail *trail = call->trail;
  const struct infer_attempt *told = telling_record(trail);
  const inf_target_config *next = call->targets[call->next_target];
  bool won = told && told->won;
  return (inf_call_facts){
      .name = name_of(told ? told->provider : next->provider,
                      told ? told->target : next->name, trail->route->name,
                      call->kind == INF_CALL_EMBED),
      .tenant = call->request->tenant ? call->request->tenant : "",
      .tenants_max = (size_t)trail->config->client.metrics_tenants,
      .status = status,
      .timed = call->clock_epoch == engine->clock_jumps,
      .unsent = !told,
      .total_ns = engine->now_ns - call->accepted_ns,
      .first_ns =
          won && call->kind == INF_CALL_CHAT ? first_content_ns(call, told) : 0,
      .input = told_usage(call, told, INFER_USAGE_INPUT),
      .output = told_usage(call, told, INFER_USAGE_OUTPUT),
      .all_input = sum_usage(trail, INFER_USAGE_INPUT),
      .all_output = sum_usage(trail, INFER_USAGE_OUTPUT),
      .cost_nano_usd = inf_trail_cost(trail).nano_usd,
      .now_ns = engine->now_ns,
  };
}

void
inf_observe_call(inf_engine *engine, struct infer_call *call,
                 const struct infer_response *response,
                 const struct infer_error *error)
{
  const inf_config_hooks *hooks = engine->hooks;
  if (call->kind != INF_CALL_MODELS) {
    inf_call_facts facts = call_facts(engine, call, infer_error_status(error));
    inf_telemetry_call(engine->runtime->telemetry, &facts);
    inf_tracing_end(engine, call, telling_record(call->trail), &facts,
                    response);
  }
  if (!hooks->on_call)
    return;
  hooks->on_call(call, response, error, hooks->telemetry_user_data);
  inf_engine_update_time(engine, INF_NEVER);
}

#else

void
inf_observe_attempt(inf_attempt *attempt)
{
  (void)attempt;
}

void
inf_observe_call(inf_engine *engine, struct infer_call *call,
                 const struct infer_response *response,
                 const struct infer_error *error)
{
  (void)engine;
  (void)call;
  (void)response;
  (void)error;
}

void
inf_observe_stray(inf_engine *engine, const struct infer_attempt *record,
                  const char *route, bool timed, bool stream)
{
  (void)engine;
  (void)record;
  (void)route;
  (void)timed;
  (void)stream;
}

void
inf_observe_warm_up(inf_engine *engine, const inf_provider_config *provider,
                    const inf_exchange_result *result, uint64_t start_ns,
                    int32_t status)
{
  (void)engine;
  (void)provider;
  (void)result;
  (void)start_ns;
  (void)status;
}

#endif
