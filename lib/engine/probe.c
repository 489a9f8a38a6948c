/* SPDX-License-Identifier: MIT */
/* Probes that are duplicates; see probe.h. */
#include "engine/probe.h"

#include "base/mem.h"
#include "engine/attempt_cost.h"
#include "engine/attempt_record.h"
#include "engine/attempt_request.h"
#include "engine/gate.h"
#include "engine/latency.h"
#include "engine/observe.h"
#include "engine/routing.h"
#include "engine/spend.h"

/* Longest line about what kept a probe from starting; it is not told. */
enum { why_max_bytes = 256 };

typedef struct inf_probe {
  inf_attempt attempt; /* not of the engine's lists and pool */
  struct infer_attempt record;
  const char *route;   /* of the call; its configuration is pinned */
  bool whole;          /* answers break off: it is good at its end only */
  uint64_t give_up_ns; /* silence until then is a failure */
  uint64_t idle_ns;    /* longest silence within the answer */
  uint64_t end_ns;     /* the answer has to be whole by then */
} inf_probe;

static void
probe_free(inf_probe *probe)
{
  inf_attempt *attempt = &probe->attempt;
  inf_timer_cancel(&attempt->engine->attempt_timers, &attempt->timer);
  inf_list_remove(&attempt->node);
  inf_buf_fini(&attempt->raw);
  inf_buf_fini_secret(&attempt->token);
  inf_wire_request_fini(&attempt->wire);
  inf_answer_fini(&attempt->answer);
  if (attempt->decoder_made)
    inf_decoder_fini(&attempt->decoder);
  inf_config_unref(attempt->config);
  inf_free(probe->record.request_id);
  inf_free(probe);
}

/* After a while in which nobody looked, silence or a broken connection may be
 * our own fault. */
static int32_t
class_after_gap(inf_attempt *attempt, int32_t status)
{
  if (!inf_attempt_jumped(attempt))
    return status;
  inf_health_untimed(&attempt->health);
  return status == INFER_OK ? INFER_OK : INFER_E_CANCELLED;
}

/* Its prompt counts as it was reserved, where it may have been read; of its
 * answer no more than the beginning was written. */
static void
settle_limits(inf_probe *probe, int32_t status)
{
  inf_attempt *attempt = &probe->attempt;
  inf_engine *engine = attempt->engine;
  bool error = probe->record.http_status >= 300;
  inf_meter_end end = status == INFER_E_RATE_LIMITED ? INF_METER_REFUSED
                      : attempt->sent || probe->record.http_status > 0
                          ? INF_METER_USED
                          : INF_METER_UNSENT;
  inf_meter_settle(engine->runtime, &attempt->pass, NULL, end, error ? 0 : -1,
                   attempt->content ? 1 : 0, attempt->decoder.failure.hint_ns,
                   engine->now_ns);
  inf_waiting_stir(engine);
}

/* One that has what it asks for is cut short there: as an attempt it is a
 * success all the same. */
static void
tell(inf_probe *probe, int32_t status)
{
  inf_attempt *attempt = &probe->attempt;
  probe->record.status = status;
  inf_attempt_set_phase(attempt, INFER_PHASE_END);
  inf_attempt_note_usage(attempt);
  inf_attempt_settle_cost(attempt);
  inf_spend_note_stray(attempt->engine->runtime, &probe->record, probe->route);
  inf_observe_stray(attempt->engine, &probe->record, probe->route,
                    !inf_attempt_jumped(attempt), attempt->stream);
}

/* Its end, by the class that says what came of it. */
static void
finish(inf_probe *probe, int32_t status)
{
  inf_attempt *attempt = &probe->attempt;
  inf_engine *engine = attempt->engine;
  settle_limits(probe, status);
  status = class_after_gap(attempt, status);
  inf_runtime_note_key(engine->runtime, probe->record.provider, attempt->key,
                       status, attempt->decoder.failure.hint_ns,
                       engine->now_ns);
  const char *news = inf_attempt_loads(attempt, status)
                         ? inf_health_loading(engine->runtime, &attempt->health,
                                              engine->now_ns, &engine->rng)
                         : inf_health_end(engine->runtime, &attempt->health,
                                          status, engine->now_ns, &engine->rng);
  inf_logf(&engine->hooks->log, INFER_LOG_INFO, "probe of %s: %s",
           probe->record.target,
           status == INFER_OK ? "answered" : inf_status_find(status)->text);
  inf_attempt_log_health(attempt, news);
  if (attempt->exchange)
    engine->transport->ops->cancel(attempt->exchange);
  tell(probe, status);
  probe_free(probe);
}

/* ---- What comes back ----------------------------------------------------- */

static void
on_delta(void *context, const inf_delta *delta)
{
  inf_probe *probe = context;
  inf_attempt *attempt = &probe->attempt;
  inf_engine *engine = attempt->engine;
  if (delta->kind > INF_DELTA_TOOL_CALL || attempt->content)
    return;
  attempt->content = true;
  inf_attempt_set_phase(attempt, INFER_PHASE_FIRST_CONTENT);
  if (inf_attempt_jumped(attempt))
    inf_health_untimed(&attempt->health);
  inf_latency_note_content(engine->runtime, probe->record.target,
                           probe->record.start_ns, true);
  inf_attempt_log_health(attempt,
                         inf_health_content(engine->runtime, &attempt->health,
                                            engine->now_ns, &engine->rng));
}

static void
on_sent(void *context, const inf_exchange_times *times, bool reused)
{
  inf_probe *probe = context;
  probe->attempt.sent = true;
  inf_attempt_note_sent(&probe->attempt, times, reused);
}

/* False, and the probe is gone, if it is over. */
static bool
go_on(inf_probe *probe, int32_t status)
{
  inf_attempt *attempt = &probe->attempt;
  bool ended = status == INF_DECODER_DONE;
  attempt->enough = attempt->content && !probe->whole && !ended;
  if (status == INFER_OK && !attempt->enough)
    return true;
  finish(probe, attempt->enough || ended ? INFER_OK : status);
  return false;
}

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  inf_probe *probe = context;
  inf_engine *engine = probe->attempt.engine;
  int64_t wall_now_ns = engine->clock->wall_ns(engine->clock->context);
  probe->record.http_status = status;
  inf_attempt_set_phase(&probe->attempt, INFER_PHASE_HEADERS);
  inf_meter_headers(engine->runtime, &probe->attempt.pass,
                    probe->record.provider->kind, status, headers, wall_now_ns,
                    engine->now_ns);
  return go_on(probe, inf_decoder_headers(&probe->attempt.decoder, status,
                                          headers, wall_now_ns));
}

static bool
on_body(void *context, const char *ptr, size_t len)
{
  inf_probe *probe = context;
  inf_attempt_set_phase(&probe->attempt, INFER_PHASE_FIRST_BYTE);
  probe->record.bytes_received += (int64_t)len;
  if (!go_on(probe, inf_decoder_feed(&probe->attempt.decoder, ptr, len)))
    return false;
  if (probe->attempt.content)
    probe->give_up_ns =
        inf_time_add(probe->attempt.engine->now_ns, probe->idle_ns);
  return true;
}

/* The decoder says first what came of it, as for any attempt. */
static int32_t
class_of_end(inf_probe *probe, inf_net net)
{
  bool clean = net == INF_NET_OK;
  if (probe->record.http_status > 0) {
    int32_t status = inf_decoder_end(&probe->attempt.decoder, clean);
    if (clean || status != INFER_E_TRUNCATED)
      return status;
  }
  return probe->attempt.content ? INFER_E_TRUNCATED
                                : inf_attempt_class_of_net(net);
}

static void
on_done(void *context, const inf_exchange_result *result)
{
  inf_probe *probe = context;
  probe->attempt.exchange = NULL;
  inf_attempt_note_over(&probe->attempt, result);
  finish(probe, class_of_end(probe, result->net));
}

static const inf_exchange_events probe_events = {on_sent, on_headers, on_body,
                                                 on_done};

/* The class of a silence that lasts too long. */
static int32_t
class_of_silence(inf_probe *probe)
{
  inf_attempt *attempt = &probe->attempt;
  if (probe->record.http_status > 0 &&
      inf_decoder_end(&attempt->decoder, false) == INFER_OK)
    return INFER_OK;                    /* only its end mark is missing */
  if (probe->record.http_status >= 300) /* only its body hangs */
    return attempt->decoder.failure.status;
  return attempt->content ? INFER_E_IDLE_TIMEOUT : INFER_E_FIRST_TOKEN_TIMEOUT;
}

/* Content has moved the time since the timer was set, or not. */
static void
arm(inf_probe *probe)
{
  inf_timer_set(&probe->attempt.engine->attempt_timers, &probe->attempt.timer,
                probe->give_up_ns < probe->end_ns ? probe->give_up_ns
                                                  : probe->end_ns);
}

void
inf_probe_on_timer(inf_probe *probe)
{
  uint64_t heard_ns = probe->attempt.engine->heard_ns;
  if (heard_ns >= probe->end_ns)
    finish(probe, INFER_E_ATTEMPT_TIMEOUT);
  else if (heard_ns >= probe->give_up_ns)
    finish(probe, class_of_silence(probe));
  else
    arm(probe);
}

void
inf_probes_end(inf_engine *engine)
{
  while (!inf_list_empty(&engine->probes)) {
    inf_attempt *attempt =
        INF_CONTAINER_OF(engine->probes.next, inf_attempt, node);
    finish(attempt->probe, INFER_E_CANCELLED);
  }
}

/* ---- Start --------------------------------------------------------------- */

static bool
may_repeat(const struct infer_call *call)
{
  return call->kind == INF_CALL_CHAT && !call->request->run_once &&
         !call->carry;
}

static uint64_t
after_ms(const inf_engine *engine, int64_t ms)
{
  return inf_time_add(engine->now_ns, (uint64_t)ms * INF_NS_PER_MS);
}

static inf_probe *
probe_new(inf_engine *engine, struct infer_call *call, size_t target)
{
  inf_probe *probe = inf_calloc(1, sizeof *probe);
  if (!probe)
    return NULL;
  const inf_target_config *asked = call->targets[target];
  const inf_timeouts *timeouts = &call->params->timeouts;
  inf_config *config = inf_config_ref(call->trail->config);
  probe->record.provider = asked->provider;
  probe->record.target = asked->name;
  probe->record.start_ns = engine->now_ns;
  probe->record.reason = INFER_REASON_PROBE;
  probe->record.cost_nano = -1;
  probe->route = call->trail->route->name;
  probe->whole =
      inf_health_look(engine->runtime, asked->name, false, engine->now_ns)
          .cause == INF_BREAKER_CUT;
  probe->give_up_ns =
      after_ms(engine, timeouts->connect_ms + timeouts->first_token_ms);
  probe->end_ns = after_ms(engine, timeouts->attempt_ms);
  probe->idle_ns = (uint64_t)timeouts->idle_ms * INF_NS_PER_MS;
  inf_attempt *attempt = &probe->attempt;
  inf_wire_request_init(&attempt->wire);
  inf_answer_init(&attempt->answer, (size_t)config->client.max_response_bytes);
  inf_timer_init(&attempt->timer);
  attempt->answer.listener = on_delta;
  attempt->answer.listener_context = probe;
  attempt->engine = engine;
  attempt->clock_epoch = engine->clock_jumps;
  attempt->config = config;
  attempt->probe = probe;
  attempt->asked = asked;
  attempt->record = &probe->record;
  attempt->target = target;
  attempt->stream = asked->upstream != INF_UPSTREAM_UNARY;
  inf_list_init(&attempt->node);
  inf_list_push_back(&engine->probes, &attempt->node);
  return probe;
}

/* The request, written from the call, which the probe then forgets. */
static int32_t
write_request(inf_probe *probe, struct infer_call *call,
              const inf_target_config *target)
{
  inf_attempt *attempt = &probe->attempt;
  inf_engine *engine = attempt->engine;
  int32_t status;
  inf_buf why;
  attempt->key = inf_runtime_pick_key(engine->runtime, target->provider,
                                      engine->now_ns, &status);
  if (status != INFER_OK)
    return status;
  inf_buf_init(&why, why_max_bytes);
  attempt->call = call;
  inf_attempt_prepare_decoder(attempt);
  status = inf_credentials_have(engine, attempt->config, target->provider)
               ? inf_credentials_take(attempt, target->provider, &why)
               : INFER_E_AUTH;
  if (status == INFER_OK)
    status = inf_attempt_write_request(attempt, target, &why);
  attempt->call = NULL;
  inf_buf_fini(&why);
  return status;
}

static int32_t
send_request(inf_probe *probe, const inf_target_config *target)
{
  inf_attempt *attempt = &probe->attempt;
  inf_engine *engine = attempt->engine;
  inf_http_request request = {
      .method = "POST",
      .url = inf_buf_cstr(&attempt->wire.url),
      .headers = inf_buf_sv(&attempt->wire.headers),
      .body = inf_buf_sv(&attempt->wire.body),
      .endpoint = &target->provider->endpoint,
  };
  attempt->exchange = engine->transport->ops->start(engine->transport, &request,
                                                    &probe_events, probe);
  return attempt->exchange ? INFER_OK : INFER_E_NO_MEMORY;
}

/* A probe takes from the limits what others leave. */
static bool
reserve(inf_attempt *attempt, const struct infer_call *call, size_t target)
{
  inf_engine *engine = attempt->engine;
  inf_meter_cost cost = inf_gate_cost(call, false);
  return inf_budgets_reserve(engine, call, target, &attempt->budgets).what ==
             INF_BUDGETS_GO &&
         inf_gate_reserve(engine, call, target, attempt->key, &cost,
                          INF_PROBE_KEEP_PERCENT, inf_waiting_places(engine),
                          &attempt->pass)
                 .what == INF_METER_GO;
}

/* False: it is not to be, and nothing was sent. */
static bool
begin(inf_probe *probe, struct infer_call *call, size_t target,
      inf_retry_claim *claim)
{
  inf_attempt *attempt = &probe->attempt;
  inf_engine *engine = attempt->engine;
  const inf_target_config *asked = call->targets[target];
  attempt->health.bucket = (uint8_t)inf_routing_bucket(call->request);
  if (write_request(probe, call, asked) != INFER_OK ||
      !reserve(attempt, call, target) ||
      !inf_health_begin(engine->runtime, &attempt->health, asked->name, true,
                        claim, engine->now_ns, &engine->rng))
    return false;
  if (!attempt->stream)
    inf_health_untimed(&attempt->health);
  return true;
}

void
inf_probe_start(inf_engine *engine, struct infer_call *call, size_t target)
{
  const inf_target_config *asked = call->targets[target];
  inf_retry_claim claim = {0};
  if (!may_repeat(call) ||
      inf_plan_missing_label(asked->provider, call->trail->route,
                             call->request) ||
      !inf_health_claim_probe(engine->runtime, &claim))
    return;
  inf_probe *probe = probe_new(engine, call, target);
  if (!probe || !begin(probe, call, target, &claim)) {
    inf_health_refund(engine->runtime, &claim);
    if (probe) {
      settle_limits(probe, INFER_E_CANCELLED);
      inf_budgets_release(engine, &probe->attempt.budgets);
      probe_free(probe);
    }
    return;
  }
  int32_t status = send_request(probe, asked);
  if (status == INFER_OK)
    arm(probe);
  else
    finish(probe, status);
}
