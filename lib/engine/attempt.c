/* SPDX-License-Identifier: MIT */
/* One attempt: its request, its timers, and the transport's callbacks. What
 * the outcome means for the call is decided in call.c. */
#include "engine/engine.h"

#include "base/mem.h"
#include "base/place.h"
#include "engine/attempt_record.h"
#include "engine/attempt_request.h"
#include "engine/batch.h"
#include "engine/carry.h"
#include "engine/probe.h"
#include "engine/race.h"
#include "engine/refusals.h"
#include "engine/routing.h"

/* Attempts kept for reuse, and the largest body among them; more would hold
 * memory for a peak that is over. */
enum { pool_max = 64, pool_max_body_bytes = 64 << 10 };
/* What a lingering exchange may still bring before it is cut: a stream's end
 * marks are a few bytes. */
enum { linger_max_bytes = 64 << 10 };
/* Longest line about what kept an attempt from starting. */
enum { why_max_bytes = 2 << 10 };

static const char no_memory_message[] = "memory ran out while reading";

/* A signature carries the time. Who refuses one for that says what the time
 * is: then there is nothing wrong with the key, and the same request, signed
 * anew, is worth another try. That is so once (skew.h). */
INF_COLD static bool
corrects_clock(inf_attempt *attempt, int32_t status)
{
  inf_sv date;
  const inf_decoder *decoder = &attempt->decoder;
  return status == INFER_E_AUTH && attempt->has_decoder &&
         attempt->record->provider->kind->dialect->sign &&
         inf_headers_get(&decoder->headers, INF_SV("date"), &date) &&
         inf_skew_learn(&attempt->engine->skew, date, decoder->wall_now_ns);
}

/* A token may have been refused for its age, as a signature for its time: the
 * same request is worth another try with the next one. That is so once for each
 * target of a call, whatever is said of the next. */
INF_COLD static void
renew_once(inf_attempt *attempt, int32_t status)
{
  uint64_t bit = 1ull << (attempt->target % 64);
  if (attempt->call->renewed & bit)
    return;
  attempt->renewed =
      attempt->clock_corrected || inf_credentials_refused(attempt, status);
  if (attempt->renewed)
    attempt->call->renewed |= bit;
}

/* The attempt's end when it failed; message NULL: the decoder's. */
INF_COLD static void
fail(inf_attempt *attempt, int32_t status, const char *message)
{
  attempt->clock_corrected = corrects_clock(attempt, status);
  renew_once(attempt, status);
  if (!attempt->sent && status <= INFER_E_RESOLVE &&
      status >= INFER_E_TLS_VERIFY)
    inf_warmer_note_failure(attempt->engine, attempt->record->provider);
  inf_attempt_close_record(attempt, status, message);
  inf_call_attempt_failed(attempt, status);
}

/* ---- Life ---------------------------------------------------------------- */

static inf_attempt *
attempt_new(inf_engine *engine)
{
  inf_list *node = inf_list_pop_front(&engine->pool);
  inf_attempt *attempt;
  if (node) {
    engine->pool_count--;
    attempt = INF_CONTAINER_OF(node, inf_attempt, node);
  } else {
    attempt = inf_calloc(1, sizeof *attempt);
    if (!attempt)
      return NULL;
    inf_wire_request_init(&attempt->wire);
    inf_answer_init(&attempt->answer, 0);
  }
  inf_list_init(&attempt->node);
  inf_timer_init(&attempt->timer);
  attempt->engine = engine;
  inf_list_push_back(&engine->attempts, &attempt->node);
  return attempt;
}

void
inf_attempt_free(inf_attempt *attempt)
{
  inf_wire_request_fini(&attempt->wire);
  inf_answer_fini(&attempt->answer);
  if (attempt->decoder_made)
    inf_decoder_fini(&attempt->decoder);
  inf_free(attempt);
}

/* Forgets everything but memory to be used again, of which large pieces are
 * given back. */
static void
attempt_reuse(inf_attempt *attempt)
{
  inf_buf_fini(&attempt->raw);
  inf_buf_fini_secret(&attempt->token);
  if (attempt->wire.body.cap > pool_max_body_bytes) {
    inf_wire_request_fini(&attempt->wire);
    inf_wire_request_init(&attempt->wire);
  }
  inf_wire_request_clear(&attempt->wire);
  inf_answer_reuse(&attempt->answer, attempt->answer.max_bytes);
  const size_t kept = offsetof(inf_attempt, node);
  memset((char *)attempt + kept, 0, sizeof *attempt - kept);
  inf_list_init(&attempt->node);
}

void
inf_attempt_release(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  inf_timer_cancel(&engine->attempt_timers, &attempt->timer);
  inf_list_remove(&attempt->node);
  inf_config_unref(attempt->config);
  attempt_reuse(attempt);
  if (engine->pool_count >= pool_max) {
    inf_attempt_free(attempt);
    return;
  }
  inf_list_push_front(&engine->pool, &attempt->node);
  engine->pool_count++;
}

void
inf_attempt_detach(inf_attempt *attempt, bool linger)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_config *config = call->trail->config;
  const inf_provider_config *provider = attempt->record->provider;
  if (call->attempt == attempt)
    call->attempt = NULL;
  else
    call->race->rival = NULL;
  attempt->call = NULL;
  attempt->record = NULL;
  if (attempt->exchange && linger) {
    attempt->config = inf_config_ref(config);
    if (attempt->paused) /* or it would never come to its end */
      engine->transport->ops->set_paused(attempt->exchange, false);
    inf_timer_set(&engine->attempt_timers, &attempt->timer,
                  inf_time_add(engine->now_ns, INF_LINGER_NS));
    return;
  }
  if (attempt->exchange) {
    engine->transport->ops->cancel(attempt->exchange);
    inf_warmer_note_cut(engine, provider);
  }
  attempt->exchange = NULL;
  inf_attempt_release(attempt);
}

/* ---- Timers -------------------------------------------------------------- */

/* So long after a point of the attempt's life, or after the loop came back
 * from a gap: while it was away nobody listened. */
static uint64_t
after_ns(const inf_attempt *attempt, uint64_t at_ns, uint64_t wait_ns)
{
  uint64_t back_ns = attempt->engine->back_ns;
  return inf_time_add(at_ns > back_ns ? at_ns : back_ns, wait_ns);
}

static uint64_t
after_ms(const inf_attempt *attempt, uint64_t at_ns, int64_t ms)
{
  return after_ns(attempt, at_ns, (uint64_t)ms * INF_NS_PER_MS);
}

/* The earliest of the attempt's own timeouts, and its class. */
static uint64_t
due_ns(const inf_attempt *attempt, int32_t *status)
{
  const inf_timeouts *timeouts = &attempt->call->params->timeouts;
  const struct infer_attempt *record = attempt->record;
  uint64_t at_ns = after_ms(attempt, record->start_ns, timeouts->attempt_ms);
  uint64_t next_ns = INF_NEVER;
  int32_t next_status = INFER_OK;
  *status = INFER_E_ATTEMPT_TIMEOUT;
  if (attempt->failed_ns > 0) {
    *status = attempt->decoder.failure.status;
    return after_ns(attempt, attempt->failed_ns, INF_USAGE_WAIT_NS);
  }
  if (!attempt->sent) {
    next_ns = after_ms(attempt, record->start_ns, timeouts->connect_ms);
    next_status = INFER_E_CONNECT;
  } else if (attempt->stream && !attempt->content) {
    next_ns = after_ms(attempt, record->phase_ns[INFER_PHASE_SENT],
                       timeouts->first_token_ms);
    next_status = INFER_E_FIRST_TOKEN_TIMEOUT;
  } else if (attempt->stream && !attempt->paused) {
    next_ns = after_ms(attempt, attempt->activity_ns, timeouts->idle_ms);
    next_status = INFER_E_IDLE_TIMEOUT;
  }
  if (next_ns < at_ns) {
    at_ns = next_ns;
    *status = next_status;
  }
  return at_ns;
}

/* When the breaker is to hear that there is no content yet. */
static uint64_t
late_at_ns(const inf_attempt *attempt)
{
  return attempt->health.target && attempt->stream && !attempt->content &&
                 !attempt->aged
             ? attempt->health.breaker.late_at_ns
             : INF_NEVER;
}

/* The timer may fire too early, never too late: content does not move it, nor
 * does anything else that gives more time. It looks again when it fires. */
static void
arm(inf_attempt *attempt)
{
  int32_t status;
  uint64_t at_ns = due_ns(attempt, &status);
  uint64_t late_ns = late_at_ns(attempt), race_ns = inf_race_at_ns(attempt);
  if (late_ns < at_ns)
    at_ns = late_ns;
  if (race_ns < at_ns)
    at_ns = race_ns;
  if (!attempt->timer.queued || attempt->timer.key > at_ns)
    inf_timer_set(&attempt->engine->attempt_timers, &attempt->timer, at_ns);
}

static const char *
timeout_message(int32_t status)
{
  switch (status) {
  case INFER_E_CONNECT:
    return "no connection within connect_ms";
  case INFER_E_FIRST_TOKEN_TIMEOUT:
    return "no content within first_token_ms";
  case INFER_E_IDLE_TIMEOUT:
    return "silence for idle_ms within the answer";
  default:
    return "no complete answer within attempt_ms";
  }
}

void
inf_attempt_on_timer(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  if (attempt->probe) {
    inf_probe_on_timer(attempt->probe);
    return;
  }
  if (!attempt->call) { /* lingered long enough */
    engine->transport->ops->cancel(attempt->exchange);
    attempt->exchange = NULL;
    inf_attempt_release(attempt);
    return;
  }
  int32_t status;
  if (late_at_ns(attempt) <= engine->heard_ns) {
    attempt->aged = true;
    if (inf_attempt_jumped(attempt))
      inf_health_untimed(&attempt->health);
    inf_attempt_log_health(attempt,
                           inf_health_age(engine->runtime, &attempt->health,
                                          engine->heard_ns, &engine->rng));
  }
  if (inf_race_at_ns(attempt) <= engine->heard_ns && !inf_race_on_time(attempt))
    return;
  if (due_ns(attempt, &status) > engine->heard_ns) {
    arm(attempt);
    return;
  }
  if (engine->now_ns >= attempt->call->deadline_ns)
    inf_call_on_timer(engine, attempt->call);
  else if (attempt->failed_ns > 0) /* no figures came */
    fail(attempt, status, NULL);
  else if (inf_attempt_complete(attempt))
    return;
  else if (attempt->record->http_status >= 300) /* only its body hangs */
    fail(attempt, attempt->decoder.failure.status, NULL);
  else
    fail(attempt, status, timeout_message(status));
}

bool
inf_attempt_complete(inf_attempt *attempt)
{
  if (!attempt->has_decoder || attempt->record->http_status == 0 ||
      inf_decoder_end(&attempt->decoder, false) != INFER_OK)
    return false;
  if (attempt->verdict == INFER_OK)
    inf_call_attempt_succeeded(attempt);
  else
    fail(attempt, attempt->verdict, no_memory_message);
  return true;
}

void
inf_attempt_set_paused(inf_attempt *attempt, bool paused)
{
  uint64_t now_ns = attempt->engine->now_ns;
  if (attempt->paused == paused)
    return;
  attempt->paused = paused;
  if (paused)
    attempt->paused_ns = now_ns;
  else
    attempt->activity_ns += now_ns - attempt->paused_ns;
  if (attempt->exchange)
    attempt->engine->transport->ops->set_paused(attempt->exchange, paused);
  arm(attempt);
}

/* ---- What the decoder tells ---------------------------------------------- */

static void
note_first_content(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  attempt->content = true;
  if (inf_attempt_jumped(attempt))
    inf_health_untimed(&attempt->health);
  inf_attempt_log_health(attempt,
                         inf_health_content(engine->runtime, &attempt->health,
                                            engine->now_ns, &engine->rng));
  arm(attempt); /* idle_ms may be up before first_token_ms is */
}

INF_HOT static void
on_delta(void *context, const inf_delta *delta)
{
  inf_attempt *attempt = context;
  attempt->activity_ns = attempt->engine->now_ns;
  if (delta->kind <= INF_DELTA_TOOL_CALL) {
    if (!attempt->content)
      note_first_content(attempt);
    if (attempt->watched && !attempt->decisive)
      inf_race_hear(attempt, delta);
    inf_attempt_set_phase(attempt, INFER_PHASE_FIRST_CONTENT);
    if (delta->kind != INF_DELTA_REASONING)
      inf_attempt_set_phase(attempt, INFER_PHASE_FIRST_ANSWER);
    attempt->record->phase_ns[INFER_PHASE_LAST_CONTENT] =
        attempt->engine->now_ns;
  }
  inf_deliver_delta(attempt, delta);
}

/* ---- What the transport tells -------------------------------------------- */

static void
on_sent(void *context, const inf_exchange_times *times, bool reused)
{
  inf_attempt *attempt = context;
  if (!attempt->call)
    return;
  attempt->sent = true;
  inf_attempt_note_sent(attempt, times, reused);
  arm(attempt);
}

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  inf_attempt *attempt = context;
  if (!attempt->call)
    return true;
  attempt->record->http_status = status;
  inf_attempt_set_phase(attempt, INFER_PHASE_HEADERS);
  if (attempt->token.len > 0)
    inf_credentials_note_answer(attempt, status);
  if (attempt->watched)
    inf_race_headers(attempt);
  inf_engine *engine = attempt->engine;
  int64_t wall_now_ns = engine->clock->wall_ns(engine->clock->context);
  if (inf_meter_headers(engine->runtime, &attempt->pass,
                        attempt->record->provider->kind, status, headers,
                        wall_now_ns, engine->now_ns))
    inf_waiting_stir(engine);
  int32_t result =
      inf_decoder_headers(&attempt->decoder, status, headers, wall_now_ns);
  if (result == INFER_OK)
    return true;
  fail(attempt, result, NULL);
  return false;
}

/* Is the body one document that is not read before all of it is there? */
static bool
is_raw(const inf_attempt *attempt)
{
  return attempt->call->kind != INF_CALL_CHAT &&
         attempt->record->http_status < 300;
}

/* What the body so far makes of the attempt: INFER_OK to go on,
 * INF_DECODER_DONE, or a class. */
static int32_t
take_body(inf_attempt *attempt, const char *ptr, size_t len)
{
  if (is_raw(attempt)) {
    inf_buf_append(&attempt->raw, ptr, len);
    return attempt->raw.status;
  }
  int32_t result = inf_decoder_feed(&attempt->decoder, ptr, len);
  return attempt->verdict != INFER_OK ? attempt->verdict : result;
}

/* Is it the provider that failed or refused, and may the next bytes tell what
 * the answer cost? */
INF_COLD static bool
usage_may_follow(const inf_attempt *attempt, int32_t result)
{
  const inf_usage *usage = &attempt->answer.usage;
  return result <= INFER_E_OVERLOADED && result >= INFER_E_BAD_REQUEST &&
         attempt->content && attempt->verdict == INFER_OK &&
         !attempt->decoder.terminated && usage->input < 0 && usage->output < 0;
}

INF_HOT static bool
on_body(void *context, const char *ptr, size_t len)
{
  inf_attempt *attempt = context;
  if (!attempt->call || attempt->parked) {
    attempt->lingered_bytes += len;
    return attempt->lingered_bytes <= linger_max_bytes;
  }
  attempt->record->bytes_received += (int64_t)len;
  inf_attempt_set_phase(attempt, INFER_PHASE_FIRST_BYTE);
  int32_t result = take_body(attempt, ptr, len);
  if (result == INFER_OK)
    return true;
  if (result == INF_DECODER_DONE) {
    inf_call_attempt_succeeded(attempt);
    return true;
  }
  if (usage_may_follow(attempt, result)) {
    if (attempt->failed_ns == 0)
      attempt->failed_ns = attempt->engine->now_ns;
    arm(attempt);
    return true;
  }
  fail(attempt, result,
       attempt->verdict != INFER_OK ? no_memory_message : NULL);
  return false;
}

static const int32_t net_classes[] = {
    [INF_NET_OK] = INFER_OK,
    [INF_NET_BAD_URL] = INFER_E_CONFIG,
    [INF_NET_RESOLVE] = INFER_E_RESOLVE,
    [INF_NET_CONNECT] = INFER_E_CONNECT,
    [INF_NET_TLS] = INFER_E_TLS,
    [INF_NET_TLS_VERIFY] = INFER_E_TLS_VERIFY,
    [INF_NET_RESET] = INFER_E_RESET,
    [INF_NET_PARTIAL] = INFER_E_TRUNCATED,
    [INF_NET_REFUSED_STREAM] = INFER_E_RESET,
    [INF_NET_PROTOCOL] = INFER_E_PROTOCOL,
    [INF_NET_TOO_LARGE] = INFER_E_TOO_LARGE,
    [INF_NET_ABORTED] = INFER_E_INTERNAL,
    [INF_NET_NO_MEMORY] = INFER_E_NO_MEMORY,
};

int32_t
inf_attempt_class_of_net(inf_net net)
{
  return net_classes[net];
}

/* Has anything of the answer come? */
static bool
has_begun(const inf_attempt *attempt)
{
  return attempt->content ||
         (!attempt->stream && attempt->record->bytes_received > 0);
}

/* The class of an exchange that is over: what the decoder makes of the bytes
 * decides first, for an answer that is whole stays whole however its
 * connection ended, and a provider's error stays its error. */
static int32_t
class_of_end(inf_attempt *attempt, const inf_exchange_result *result,
             const char **message)
{
  bool raw = is_raw(attempt);
  bool clean = result->net == INF_NET_OK;
  *message = NULL;
  if (attempt->record->http_status > 0 && !raw) {
    int32_t status = inf_decoder_end(&attempt->decoder, clean);
    if (clean || status != INFER_E_TRUNCATED)
      return status;
  }
  if (raw && clean && attempt->call->kind == INF_CALL_EMBED)
    return inf_batch_read(attempt);
  *message = result->detail;
  if (result->net == INF_NET_PARTIAL || result->net == INF_NET_RESET)
    return has_begun(attempt) ? INFER_E_TRUNCATED : INFER_E_RESET;
  return inf_attempt_class_of_net(result->net);
}

static void
on_done(void *context, const inf_exchange_result *result)
{
  inf_attempt *attempt = context;
  attempt->exchange = NULL;
  if (!attempt->call) {
    inf_attempt_release(attempt);
    return;
  }
  if (attempt->parked)
    return;
  inf_attempt_note_over(attempt, result);
  const char *message;
  int32_t status = class_of_end(attempt, result, &message);
  if (attempt->failed_ns > 0) {
    status = attempt->decoder.failure.status;
    message = NULL;
  }
  if (attempt->verdict != INFER_OK)
    status = attempt->verdict;
  if (status == INFER_OK)
    inf_call_attempt_succeeded(attempt);
  else
    fail(attempt, status, message);
}

static const inf_exchange_events exchange_events = {on_sent, on_headers,
                                                    on_body, on_done};

/* ---- Start --------------------------------------------------------------- */

static bool
wants_stream(const struct infer_call *call, const inf_target_config *target)
{
  return call->kind == INF_CALL_CHAT && target->upstream != INF_UPSTREAM_UNARY;
}

static void
fill_record(inf_attempt *attempt, const inf_target_config *target)
{
  struct infer_attempt *record = attempt->record;
  struct infer_call *call = attempt->call;
  uint64_t now_ns = attempt->engine->now_ns;
  record->provider = target->provider;
  record->target = target->name;
  record->reason = call->next_reason;
  record->start_ns = now_ns;
  record->waited_ns = now_ns - call->wait_since_ns;
  record->start_offset_ns = (int64_t)(now_ns - call->accepted_ns);
}

/* To the breaker a resend is the attempt whose connection was stale. A probe
 * that is not due any more counts like any other attempt. */
static void
begin_health(inf_attempt *attempt, const inf_target_config *target)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  if (attempt->resend && call->resent.target) {
    attempt->health = call->resent;
    call->resent = (inf_health_attempt){0};
    return;
  }
  attempt->health.bucket = (uint8_t)inf_routing_bucket(call->request);
  if (!inf_health_begin(engine->runtime, &attempt->health, target->name,
                        call->next_probe, &call->claim, engine->now_ns,
                        &engine->rng))
    inf_health_begin(engine->runtime, &attempt->health, target->name, false,
                     &call->claim, engine->now_ns, &engine->rng);
  if (!attempt->stream) /* that takes as long as the whole answer */
    inf_health_untimed(&attempt->health);
}

static int32_t
send_request(inf_attempt *attempt, const inf_target_config *target)
{
  inf_engine *engine = attempt->engine;
  inf_http_request request = {
      .method = attempt->call->kind == INF_CALL_MODELS ? "GET" : "POST",
      .url = inf_buf_cstr(&attempt->wire.url),
      .headers = inf_buf_sv(&attempt->wire.headers),
      .body = inf_buf_sv(&attempt->wire.body),
      .endpoint = &target->provider->endpoint,
      .fresh_connection = attempt->fresh_connection,
  };
  attempt->record->bytes_sent = (int64_t)request.body.len;
  inf_warmer_note_use(engine, target->provider);
  if (attempt->call->kind != INF_CALL_MODELS)
    begin_health(attempt, target);
  attempt->exchange = engine->transport->ops->start(engine->transport, &request,
                                                    &exchange_events, attempt);
  return attempt->exchange ? INFER_OK : INFER_E_NO_MEMORY;
}

/* Key, decoder, request, send. The first thing that goes wrong is the
 * attempt's failure; why says more about it. */
static int32_t
launch(inf_attempt *attempt, const inf_target_config *target, inf_buf *why)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  const char *label = inf_plan_missing_label(target->provider,
                                             call->trail->route, call->request);
  if (label) {
    inf_buf_appendf(why, "the provider does not have the required label \"%s\"",
                    label);
    inf_refusals_note(engine->runtime, target->name, label);
    return INFER_E_NO_TARGET;
  }
  int32_t status;
  attempt->key = inf_runtime_use_key(engine->runtime, target->provider,
                                     engine->pass_key, engine->now_ns, &status);
  engine->pass_key = INF_KEY_NONE;
  if (status != INFER_OK) {
    inf_buf_append_cstr(why, "all keys of the provider are set aside");
    return status;
  }
  if (attempt->key != INF_KEY_NONE)
    attempt->record->key_index = (int32_t)attempt->key;
  inf_attempt_prepare_decoder(attempt);
  status = inf_credentials_take(attempt, target->provider, why);
  if (status == INFER_OK)
    status = inf_attempt_write_request(attempt, target, why);
  if (status == INFER_OK)
    status = send_request(attempt, target);
  return status;
}

bool
inf_attempt_start(inf_engine *engine, struct infer_call *call)
{
  inf_attempt *attempt = attempt_new(engine);
  if (!attempt)
    return false;
  const inf_target_config *target = call->targets[call->next_target];
  const inf_client_options *client = &call->trail->config->client;
  size_t max_bytes = (size_t)client->max_response_bytes;
  if (attempt->answer.max_bytes != max_bytes) /* new, or before a reload */
    inf_answer_reuse(&attempt->answer, max_bytes);
  inf_buf_init(&attempt->raw, max_bytes);
  attempt->record = inf_trail_add(call->trail);
  if (!attempt->record) {
    inf_attempt_release(attempt);
    return false;
  }
  bool hedge = call->next_reason == INFER_REASON_HEDGE;
  attempt->call = call;
  *(hedge ? &call->race->rival : &call->attempt) = attempt;
  attempt->holds = hedge;
  attempt->pass = engine->pass;
  engine->pass = (inf_meter_pass){0};
  attempt->budgets = engine->budgets;
  engine->budgets = (inf_budgets_pass){.count = 0};
  attempt->answer.listener = on_delta;
  attempt->answer.listener_context = attempt;
  inf_carry_begin(attempt);
  attempt->target = call->next_target;
  attempt->key = INF_KEY_NONE;
  attempt->resend = call->next_reason == INFER_REASON_RESEND;
  attempt->fresh_connection = call->next_fresh;
  attempt->clock_epoch = engine->clock_jumps;
  attempt->stream = wants_stream(call, target);
  fill_record(attempt, target);

  inf_buf why;
  inf_buf_init(&why, why_max_bytes);
  int32_t status = launch(attempt, target, &why);
  if (status == INFER_OK) {
    inf_race_watch(attempt);
    arm(attempt);
    if (call->paused)
      inf_attempt_set_paused(attempt, true);
  } else {
    fail(attempt, status, inf_buf_cstr(&why));
  }
  inf_buf_fini(&why);
  return true;
}
