/* SPDX-License-Identifier: MIT */
/* The life of a call: its making, what each attempt's outcome means for it,
 * and its one end. */
#include "engine/client.h"

#include "base/mem.h"
#include "engine/attempt_record.h"
#include "engine/batch.h"
#include "engine/carry.h"
#include "engine/gate.h"
#include "engine/health.h"
#include "engine/observe.h"
#include "engine/race.h"
#include "engine/refusals.h"
#include "engine/routing.h"
#include "engine/spend.h"
#include "policy/recovery.h"
#include "provider/model_list.h"
#include "wire/json_scan.h"

/* ---- Making -------------------------------------------------------------- */

static atomic_uint_fast64_t next_call_id = 1;

void
inf_call_ref(struct infer_call *call)
{
  atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
}

static inf_pages *
pages_new(size_t max_bytes)
{
  inf_pages *pages = inf_calloc(1, sizeof *pages);
  if (pages) {
    inf_buf_init(&pages->json, max_bytes);
    inf_buf_init(&pages->asked, (size_t)16 << 10);
  }
  return pages;
}

static void
pages_free(inf_pages *pages)
{
  if (pages) {
    inf_buf_fini(&pages->json);
    inf_buf_fini(&pages->asked);
    inf_free(pages);
  }
}

static void
call_free(struct infer_call *call)
{
  inf_request_free(call->request);
  inf_trail_unref(call->trail);
  inf_response_room_free(&call->room);
  infer_response_free(call->response);
  infer_error_free(call->error);
  pages_free(call->pages);
  inf_batch_free(call);
  inf_vectors_unref(call->vectors);
  inf_free(call->limits);
  inf_free(call->own_params);
  if (call->retry_targets != call->few_retry_targets)
    inf_free(call->retry_targets);
  if (call->queue)
    inf_queue_unref(call->queue);
  if (call->client)
    inf_client_unref(call->client);
  inf_free(call);
}

void
inf_call_unref(struct infer_call *call)
{
  if (call &&
      atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) == 1)
    call_free(call);
}

/* How many choices the request asks for. */
static uint32_t
choices_of(const struct infer_request *request)
{
  int64_t n;
  inf_sv member = inf_chat_member(&request->chat, INF_SV("n"));
  if (!inf_json_int64(member, false, &n) || n < 1)
    return 1;
  return n > INF_ANSWER_MAX_CHOICES ? INF_ANSWER_MAX_CHOICES : (uint32_t)n;
}

static int32_t
no_memory(struct infer_error **error)
{
  return inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
}

static bool
take_room(struct infer_call *call, size_t targets)
{
  call->targets = call->few_targets;
  call->retry_targets = call->few_retry_targets;
  if (targets <= INF_CALL_FEW_TARGETS)
    return true;
  size_t each = sizeof *call->retry_targets + sizeof *call->targets;
  call->retry_targets = inf_calloc(targets, each);
  if (call->retry_targets)
    call->targets = (void *)(call->retry_targets + targets);
  return call->retry_targets;
}

/* Which labels kept targets out: items are those of choose_targets(). */
static void
note_refusals(struct infer_call *call, const inf_plan_item *items, size_t count)
{
  bool told = false;
  for (size_t i = 0; i < count; i++)
    if (items[i].missing_label)
      told |= inf_refusals_note(call->client->runtime, items[i].target->name,
                                items[i].missing_label);
  if (told)
    inf_client_wake(call->client);
}

/* Fixes which targets the call may use. None: an error that names the label,
 * or the state of the keys, that keeps the first one out. */
static int32_t
choose_targets(struct infer_call *call, uint64_t now_ns,
               struct infer_error **error)
{
  const inf_route_config *route = call->trail->route;
  inf_plan_item few[INF_CALL_FEW_TARGETS] = {{0}}, *items = few;
  if (!take_room(call, route->target_count))
    return no_memory(error);
  if (route->target_count > INF_CALL_FEW_TARGETS &&
      !(items = inf_calloc(route->target_count, sizeof *items)))
    return no_memory(error);
  call->target_count =
      inf_plan_make(items, route, call->request, call->client->runtime, now_ns);
  if (call->kind == INF_CALL_EMBED)
    call->target_count = inf_batch_same_space(items, call->target_count, route,
                                              &call->request->chat);
  inf_routing_order(items, call->target_count, route, call->request,
                    call->client->runtime, now_ns, true);
  for (size_t i = 0; i < call->target_count; i++) {
    call->targets[i] = items[i].target;
    call->retry_targets[i].context_tokens = items[i].target->context_tokens;
  }
  if (call->target_count < route->target_count)
    note_refusals(call, items + call->target_count,
                  route->target_count - call->target_count);
  int32_t status = INFER_OK;
  if (call->target_count == 0 && items[0].missing_label)
    status = inf_error_set(
        error, INFER_E_NO_TARGET,
        "%s: no target may serve the call: provider \"%s\" does not have the "
        "required label \"%s\"",
        route->name[0] ? route->name : items[0].target->name,
        items[0].target->provider->name, items[0].missing_label);
  else if (call->target_count == 0 && items[0].lacking)
    status = inf_error_set(error, INFER_E_NO_TARGET,
                           "%s: no target may serve the call: \"%s\" %s",
                           route->name[0] ? route->name : items[0].target->name,
                           items[0].target->name, items[0].lacking);
  else if (call->target_count == 0)
    status =
        inf_error_set(error, items[0].status,
                      "%s: all keys of provider \"%s\" are set aside: %s",
                      items[0].target->name, items[0].target->provider->name,
                      inf_status_find(items[0].status)->text);
  if (items != few)
    inf_free(items);
  return status;
}

static void
init_fields(struct infer_call *call, uint64_t tag)
{
  atomic_init(&call->refs, 1);
  atomic_init(&call->cancel_requested, false);
  call->id = atomic_fetch_add(&next_call_id, 1);
  call->tag = tag;
  inf_list *lists[] = {&call->command_node, &call->queue_node,
                       &call->engine_node,  &call->staged,
                       &call->dirty_node,   &call->pending,
                       &call->ready_node,   &call->done_event.node,
                       &call->token_node,   &call->part_node};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
    inf_list_init(lists[i]);
  inf_paused_entry_init(&call->paused_entry);
  inf_timer_init(&call->timer);
  call->next_start_ns = INF_NEVER;
  call->done_event.type = INFER_EVENT_DONE;
  call->done_event.call_id = call->id;
  call->done_event.tag = tag;
  call->done_event.call = call;
}

/* Resolves the model against the client's present configuration and pins
 * both. */
static int32_t
pin_configuration(struct infer_call *call, struct infer_error **error)
{
  struct infer_client *client = call->client;
  pthread_mutex_lock(&client->mutex);
  inf_config *config = inf_config_ref(client->config);
  pthread_mutex_unlock(&client->mutex);
  const inf_route_config *route;
  int32_t status = inf_config_resolve(
      config, inf_buf_sv(&call->request->chat.model), &route, error);
  if (status != INFER_OK) {
    inf_config_unref(config);
    return status;
  }
  call->trail = inf_trail_new(config, route, call->accepted_ns);
  if (!call->trail) {
    inf_config_release_route(config, route);
    inf_config_unref(config);
    return no_memory(error);
  }
  call->params = &route->params;
  return INFER_OK;
}

/* What the request says goes before what the route says. */
static int32_t
choose_params(struct infer_call *call, struct infer_error **error)
{
  const struct infer_request *request = call->request;
  if (request->policy_count == 0)
    return INFER_OK;
  call->own_params = inf_malloc(sizeof *call->own_params);
  if (!call->own_params)
    return no_memory(error);
  *call->own_params = *call->params;
  for (size_t i = 0; i < request->policy_count; i++)
    memcpy((char *)call->own_params + request->policy[i].offset,
           &request->policy[i].value, sizeof request->policy[i].value);
  call->params = call->own_params;
  return INFER_OK;
}

static int32_t
join_queue(struct infer_call *call, struct infer_queue *queue,
           struct infer_error **error)
{
  call->own_queue = !queue;
  if (queue)
    inf_queue_ref(queue);
  else
    queue = inf_queue_new(call->client);
  if (!queue)
    return no_memory(error);
  call->queue = queue;
  return INFER_OK;
}

/* A stream may last: it holds no memory for its end. */
static void
make_room(struct infer_call *call)
{
  if (!call->wants_events)
    inf_response_room_make(
        &call->room,
        atomic_load_explicit(&call->client->room_bytes, memory_order_relaxed));
}

/* The next calls may have answers like this one. */
static void
note_room(struct infer_call *call, const struct infer_response *response)
{
  atomic_size_t *room = &call->client->room_bytes;
  size_t bytes = atomic_load_explicit(room, memory_order_relaxed);
  size_t next = inf_response_room_after(bytes, response->bytes);
  if (next != bytes)
    atomic_store_explicit(room, next, memory_order_relaxed);
}

static int32_t
build(struct infer_call *call, const struct infer_request *request,
      struct infer_queue *queue, struct infer_error **error)
{
  uint64_t now_ns = inf_clock_now(call->client->engine.clock);
  call->accepted_ns = now_ns;
  call->request = inf_request_copy(request);
  if (!call->request)
    return no_memory(error);
  call->choices = choices_of(request);
  int32_t status = pin_configuration(call, error);
  if (status == INFER_OK)
    status = choose_params(call, error);
  if (status == INFER_OK)
    status = join_queue(call, queue, error);
  if (status == INFER_OK)
    status = choose_targets(call, now_ns, error);
  if (status != INFER_OK)
    return status;
  int64_t deadline_ms = request->deadline_ms > 0
                            ? request->deadline_ms
                            : call->params->timeouts.deadline_ms;
  call->deadline_ns =
      inf_time_add(now_ns, (uint64_t)deadline_ms * INF_NS_PER_MS);
  const inf_client_options *options = &call->trail->config->client;
  call->max_undelivered = (size_t)options->max_undelivered_bytes;
  make_room(call);
  if (call->kind == INF_CALL_MODELS) {
    call->pages = pages_new((size_t)options->max_response_bytes);
    if (!call->pages)
      return no_memory(error);
  }
  if (call->kind == INF_CALL_EMBED && !inf_batch_prepare(call))
    return no_memory(error);
  return INFER_OK;
}

int32_t
inf_call_new(struct infer_call **out, struct infer_client *client,
             const struct infer_request *request, inf_call_kind kind,
             int32_t mode, struct infer_queue *queue, uint64_t tag,
             struct infer_error **error)
{
  struct infer_call *call = inf_calloc(1, sizeof *call);
  if (!call)
    return no_memory(error);
  init_fields(call, tag);
  call->kind = kind;
  call->wants_events = mode == INFER_SUBMIT_STREAM;
  call->client = client;
  inf_client_ref(client);
  int32_t status = build(call, request, queue, error);
  if (status != INFER_OK) {
    inf_call_unref(call);
    return status;
  }
  *out = call;
  return INFER_OK;
}

struct infer_call *
inf_call_new_part(struct infer_call *whole, inf_sv inputs, size_t first,
                  size_t count)
{
  struct infer_call *call = inf_calloc(1, sizeof *call);
  if (!call)
    return NULL;
  init_fields(call, whole->tag);
  call->id = whole->id;
  call->kind = INF_CALL_EMBED;
  call->whole = whole;
  call->part = true;
  call->first_input = first;
  call->client = whole->client;
  inf_client_ref(call->client);
  call->queue = whole->queue;
  inf_queue_ref(call->queue);
  call->accepted_ns = whole->accepted_ns;
  call->deadline_ns = whole->deadline_ns;
  call->params = whole->params;
  call->choices = whole->choices;
  call->max_undelivered = whole->max_undelivered;
  call->request = inf_request_copy_part(whole->request, inputs, count);
  call->vectors = inf_vectors_new(count, whole->vectors->wanted);
  call->trail = inf_trail_new_part(whole->trail);
  if (!call->request || !call->vectors || !call->trail ||
      !take_room(call, whole->target_count)) {
    inf_call_unref(call);
    return NULL;
  }
  call->target_count = whole->target_count;
  for (size_t i = 0; i < call->target_count; i++) {
    call->targets[i] = whole->targets[i];
    call->retry_targets[i] = whole->retry_targets[i];
  }
  return call;
}

/* ---- Ending -------------------------------------------------------------- */

static void
arm(inf_engine *engine, struct infer_call *call)
{
  uint64_t at_ns = call->deadline_ns;
  if (call->next_start_ns < at_ns)
    at_ns = call->next_start_ns;
  inf_timer_set(&engine->timers, &call->timer, at_ns);
}

static void
drop_carry(struct infer_call *call)
{
  inf_carry_free(call->carry);
  call->carry = NULL;
}

/* The one end of a call. Takes over response or error, one of which there is.
 * Where memory was too short for the error that was meant, that is the
 * error. */
void
inf_call_end(inf_engine *engine, struct infer_call *call,
             struct infer_response *response, struct infer_error *error)
{
  int32_t status = infer_error_status(error);
  call->ended = true;
  inf_timer_cancel(&engine->timers, &call->timer);
  inf_list_remove(&call->engine_node);
  drop_carry(call);
  inf_race_free(engine, call);
  inf_gate_leave(engine, call);
  inf_list_remove(&call->token_node);
  inf_paused_remove(&engine->paused, &call->paused_entry);
  if (status != INFER_OK)
    inf_logf(&engine->hooks->log, INFER_LOG_WARN,
             "call %llu failed after %zu attempts: %s",
             (unsigned long long)call->id, call->trail->count,
             inf_status_find(status)->text);
  if (call->kind != INF_CALL_MODELS && !call->part) /* whose is the whole's */
    inf_spend_note(engine->runtime, call->trail, response);
  if (call->part) {
    inf_batch_part_ended(engine, call, response, error);
    return;
  }
  inf_observe_call(engine, call, response, error);
  inf_deliver_done(engine, call, status, response, error);
}

static struct infer_attempt *
last_record(const struct infer_call *call)
{
  size_t count = call->trail->count;
  return count > 0 ? call->trail->records[count - 1] : NULL;
}

static void
end_failed(inf_engine *engine, struct infer_call *call, int32_t status,
           const inf_failure *failure, const char *message,
           struct infer_response *partial)
{
  struct infer_error *error = inf_result_error(
      status, call->trail, last_record(call), failure, message, partial);
  inf_call_end(engine, call, NULL, error);
}

void
inf_call_end_cancelled(inf_engine *engine, struct infer_call *call,
                       int32_t status, const char *why)
{
  if (call->ended)
    return;
  inf_batch_abandon(engine, call, status, why);
  inf_attempt *attempt = call->attempt;
  inf_race_abandon(call, status, why);
  if (attempt) {
    inf_attempt_close_record(attempt, status, why);
    attempt->record->decision =
        status == INFER_E_DEADLINE    ? "the deadline has passed"
        : status == INFER_E_CANCELLED ? "the call was cancelled"
                                      : "the call was ended";
  }
  struct infer_response *partial = inf_carry_partial(call);
  if (attempt)
    inf_attempt_detach(attempt, false);
  end_failed(engine, call, status, NULL, why, partial);
}

void
inf_call_put_off(inf_engine *engine, struct infer_call *call, uint64_t at_ns)
{
  inf_logf(&engine->hooks->log, INFER_LOG_DEBUG,
           "call %llu: waits %llu ms: %s is not to be asked yet",
           (unsigned long long)call->id,
           (unsigned long long)((at_ns - engine->now_ns) / INF_NS_PER_MS),
           call->targets[call->next_target]->name);
  call->next_start_ns = at_ns;
  call->counted_attempts++;
  arm(engine, call);
}

void
inf_call_note_decision(struct infer_call *call, const char *why)
{
  struct infer_attempt *last = last_record(call);
  if (last)
    last->decision = why;
}

void
inf_call_end_unsent(inf_engine *engine, struct infer_call *call, int32_t status,
                    uint64_t retry_after_ns, const char *why)
{
  const inf_target_config *target = call->targets[call->next_target];
  const struct infer_attempt unsent = {.provider = target->provider,
                                       .target = target->name};
  inf_failure failure;
  inf_failure_init(&failure);
  failure.hint_ns = (int64_t)retry_after_ns;
  struct infer_response *partial = inf_carry_partial(call);
  inf_call_end(
      engine, call, NULL,
      inf_result_error(status, call->trail, &unsent, &failure, why, partial));
  inf_failure_fini(&failure);
}

/* ---- Attempts ------------------------------------------------------------ */

/* The latest attempt that has failed, NULL if none has. */
static const struct infer_attempt *
last_failure(const struct infer_call *call)
{
  for (size_t i = call->trail->count; i-- > 0;)
    if (call->trail->records[i]->status != INFER_OK)
      return call->trail->records[i];
  return NULL;
}

static void
end_by_deadline(inf_engine *engine, struct infer_call *call)
{
  const struct infer_attempt *last = last_failure(call);
  inf_buf why;
  inf_buf_init(&why, 4 << 10);
  inf_buf_appendf(&why, "no answer within the call's deadline of %llu ms",
                  (unsigned long long)((call->deadline_ns - call->accepted_ns) /
                                       INF_NS_PER_MS));
  if (!inf_list_empty(&call->token_node))
    inf_buf_appendf(&why, "; it waited for a token of provider \"%s\"",
                    call->targets[call->next_target]->provider->name);
  if (last)
    inf_buf_appendf(&why, "; last: %s: %s%s%s", last->target,
                    inf_status_find(last->status)->text,
                    last->message ? ": " : "",
                    last->message ? last->message : "");
  inf_call_end_cancelled(engine, call, INFER_E_DEADLINE, inf_buf_cstr(&why));
  inf_buf_fini(&why);
}

void
inf_call_on_timer(inf_engine *engine, struct infer_call *call)
{
  if (engine->now_ns >= call->deadline_ns) {
    if (!inf_race_finish(engine, call) &&
        (!call->attempt || !inf_attempt_complete(call->attempt)))
      end_by_deadline(engine, call);
    return;
  }
  if (engine->now_ns < call->next_start_ns) {
    arm(engine, call);
    return;
  }
  call->next_start_ns = INF_NEVER;
  if (call->wait_since_ns == 0)
    call->wait_since_ns = engine->now_ns;
  arm(engine, call);
  if (call->batch)
    inf_batch_step(engine, call);
  else if (inf_gate_open(engine, call))
    inf_call_start(engine, call);
}

void
inf_call_start_now(inf_engine *engine, struct infer_call *call)
{
  call->next_start_ns = engine->now_ns;
  arm(engine, call);
}

void
inf_call_start(inf_engine *engine, struct infer_call *call)
{
  if (!inf_credentials_ready(engine, call)) {
    inf_gate_take_back(engine, call);
    inf_waiting_stir(engine);
    engine->pass_key = INF_KEY_NONE;
    return;
  }
  if (inf_attempt_start(engine, call))
    return;
  inf_gate_take_back(engine, call);
  end_failed(engine, call, INFER_E_NO_MEMORY, NULL, NULL, NULL);
}

static void
note_success(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  const struct infer_attempt *record = attempt->record;
  uint64_t content_ns = record->phase_ns[INFER_PHASE_FIRST_CONTENT];
  uint64_t sent_ns = record->phase_ns[INFER_PHASE_SENT];
  bool timed = attempt->stream && content_ns > 0 && sent_ns > 0;
  if (timed && attempt->clock_epoch == engine->clock_jumps)
    inf_runtime_note_ttft(engine->runtime, record->target,
                          content_ns - sent_ns);
}

/* Brings what the retry policy knows of the targets up to date. */
static void
update_targets(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  for (size_t i = 0; i < call->target_count; i++) {
    const inf_target_config *target = call->targets[i];
    int32_t why;
    call->retry_targets[i].has_key = inf_runtime_has_key(
        engine->runtime, target->provider, engine->now_ns, &why);
    call->retry_targets[i].ttft_ns =
        inf_runtime_ttft_ns(engine->runtime, target->name);
    call->retry_targets[i].shut =
        call->params->breaker &&
        inf_health_look(engine->runtime, target->name, false, engine->now_ns)
                .state == INF_BREAKER_OPEN;
  }
  inf_carry_mark_targets(attempt);
}

/* What the attempt's failure says to the retry policy. */
static inf_retry_failure
failure_of(const inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  const inf_provider_config *provider = attempt->record->provider;
  const inf_failure *said =
      attempt->has_decoder ? &attempt->decoder.failure : NULL;
  return (inf_retry_failure){
      .status = status,
      .hint_ns = said ? said->hint_ns : -1,
      .should_retry = said ? said->should_retry : -1,
      .loading = inf_attempt_loads(attempt, status),
      .sent = attempt->sent,
      .untouched = attempt->untouched,
      .refused = attempt->refused,
      .keyed =
          attempt->key != INF_KEY_NONE && !inf_provider_has_source(provider),
      .renewed = attempt->renewed,
      .was_resend = attempt->resend,
      .other_key_free = inf_runtime_other_key_free(
          engine->runtime, provider, attempt->key, engine->now_ns),
  };
}

/* What the failure says of its key; nothing if it was our clock that was
 * wrong. */
static void
note_key(const inf_attempt *attempt, int32_t status, int64_t hint_ns)
{
  inf_engine *engine = attempt->engine;
  if (!attempt->clock_corrected)
    inf_runtime_note_key(engine->runtime, attempt->record->provider,
                         attempt->key, status, hint_ns, engine->now_ns);
}

void
inf_call_note_failure(inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_retry_failure failure = failure_of(attempt, status);
  note_key(attempt, status, failure.hint_ns);
  update_targets(attempt);
  inf_retry_call state = {
      .params = call->params,
      .targets = call->retry_targets,
      .target_count = call->target_count,
      .current = attempt->target,
      .attempts = call->counted_attempts,
      .deadline_ns = call->deadline_ns,
  };
  inf_retry_note(&state, &failure, engine->now_ns, &engine->rng);
}

/* Do the budgets pay for the call's extra attempts? */
static bool
is_paid(const struct infer_call *call)
{
  return call->params->retry_budget && call->kind != INF_CALL_MODELS;
}

/* prefill_refused: the call stands where it stood when its answer broke
 * off. */
static inf_retry_decision
decide(inf_attempt *attempt, int32_t status, bool prefill_refused)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  const inf_carry *carry = call->carry;
  inf_retry_failure failure = failure_of(attempt, status);
  note_key(attempt, status, failure.hint_ns);
  update_targets(attempt);
  if (prefill_refused)
    failure = (inf_retry_failure){.status = carry->status,
                                  .hint_ns = carry->failure.hint_ns,
                                  .should_retry = carry->failure.should_retry,
                                  .sent = true};
  inf_retry_call state = {
      .params = call->params,
      .targets = call->retry_targets,
      .target_count = call->target_count,
      .current = prefill_refused ? carry->target : attempt->target,
      .attempts = call->counted_attempts,
      .run_once = call->request->run_once,
      .deadline_ns = call->deadline_ns,
  };
  if (is_paid(call))
    state.stay_denied =
        inf_health_afford(engine->runtime, call->targets[state.current]->name,
                          INF_RETRY_BUDGET_STAY);
  return inf_retry_decide(&state, &failure, engine->now_ns, &engine->rng);
}

/* Extra attempts are paid from the budgets. The claim of an attempt that could
 * not start goes back. What they do not pay for is not done; to wait for a
 * model costs nothing. */
static void
pay(const inf_attempt *attempt, inf_retry_decision *next)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  inf_health_refund(engine->runtime, &call->claim);
  if (next->action != INF_RETRY_ATTEMPT || !next->counted || !is_paid(call))
    return;
  inf_retry_budget_use use = next->reason == INFER_REASON_FAILOVER
                                 ? INF_RETRY_BUDGET_FAILOVER
                                 : INF_RETRY_BUDGET_STAY;
  const char *why = inf_health_claim(
      engine->runtime, call->targets[next->target]->name, use, &call->claim);
  if (!why)
    return;
  inf_retry_call state = {
      .params = call->params,
      .targets = call->retry_targets,
      .target_count = call->target_count,
      .current = attempt->target,
      .deadline_ns = call->deadline_ns,
  };
  *next =
      inf_retry_await(&state, use == INF_RETRY_BUDGET_FAILOVER, engine->now_ns);
  if (next->action == INF_RETRY_END)
    next->why = why;
}

static void
go_on(inf_engine *engine, struct infer_call *call,
      const inf_retry_decision *next)
{
  call->next_target = next->target;
  call->next_reason = next->reason;
  call->next_fresh = next->reason == INFER_REASON_RESEND;
  call->next_movable = next->movable;
  if (next->reason != INFER_REASON_RESEND)
    inf_health_end(engine->runtime, &call->resent, INFER_E_CANCELLED,
                   engine->now_ns, &engine->rng);
  call->next_start_ns = next->at_ns;
  call->wait_since_ns = engine->now_ns;
  if (next->counted)
    call->counted_attempts++;
  arm(engine, call);
}

/* Where the page after the attempt's is. False: that was the last one. */
static bool
find_next_page(const inf_attempt *attempt, inf_buf *page)
{
  const struct infer_call *call = attempt->call;
  inf_send send = {.kind = attempt->record->provider->kind,
                   .page = inf_buf_sv(&call->pages->asked)};
  inf_sv body;
  return inf_json_scan(inf_buf_sv(&attempt->raw), INF_CHAT_MAX_DEPTH, &body,
                       NULL) &&
         inf_model_list_next(&send, body, page) &&
         !inf_sv_eq(inf_buf_sv(page), send.page);
}

static void
keep_page(inf_pages *pages, inf_buf *body)
{
  if (pages->json.len > 0) {
    inf_buf_append_sv(&pages->json, inf_buf_sv(body));
    return;
  }
  pages->json = *body;
  inf_buf_init(body, 0);
}

/* Takes a page of a list of models. True if the call goes on to the next one,
 * or has ended for want of room. */
static bool
take_page(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  size_t target = attempt->target;
  inf_pages *pages = call->pages;
  inf_buf page;
  inf_buf_init(&page, pages->asked.max);
  bool more = find_next_page(attempt, &page);
  keep_page(pages, &attempt->raw);
  int32_t status = pages->json.status;
  if (status == INFER_OK)
    status = page.status;
  if (more && ++pages->count == INF_MODEL_LIST_MAX_PAGES)
    status = INFER_E_TOO_LARGE;
  if (status == INFER_OK && !more) {
    inf_buf_fini(&page);
    return false;
  }
  inf_buf_fini(&pages->asked);
  pages->asked = page;
  inf_attempt_detach(attempt, true);
  if (status == INFER_OK)
    go_on(engine, call,
          &(inf_retry_decision){.target = target,
                                .at_ns = engine->now_ns,
                                .reason = INFER_REASON_FIRST});
  else
    end_failed(engine, call, status, NULL, NULL, NULL);
  return true;
}

void
inf_call_attempt_succeeded(inf_attempt *attempt)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  if (inf_race_is_held(attempt))
    return;
  inf_attempt_close_record(attempt, INFER_OK, NULL);
  note_success(attempt);
  if (call->kind == INF_CALL_MODELS && take_page(attempt))
    return;
  struct infer_response *response = inf_carry_response(attempt);
  inf_attempt_detach(attempt, true);
  if (response) {
    note_room(call, response);
    inf_call_end(engine, call, response, NULL);
  } else {
    end_failed(engine, call, INFER_E_NO_MEMORY, NULL, NULL, NULL);
  }
}

/* What the reader has seen decides how the next attempt begins, and whether
 * there is one. */
static inf_recovery_action
recover(struct infer_call *call, inf_retry_decision *next)
{
  inf_recovery_state state = {
      .mode = call->params->recovery,
      .tool_call_done = call->tool_call_done,
      .continues = call->retry_targets[next->target].continues,
  };
  inf_recovery_decision recovery = inf_recovery_decide(&state);
  next->why = recovery.why;
  if (next->reason != INFER_REASON_RESEND) /* which is done only once */
    next->reason = recovery.action == INF_RECOVERY_GO_ON
                       ? INFER_REASON_CONTINUE
                       : INFER_REASON_RECOVERY;
  return recovery.action;
}

static void
end_by_failure(inf_attempt *attempt, int32_t status, bool prefill_refused)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  const inf_carry *carry = call->carry;
  const struct infer_attempt *record = attempt->record;
  const inf_failure *failure =
      attempt->has_decoder ? &attempt->decoder.failure : NULL;
  if (prefill_refused) {
    status = carry->status;
    record = carry->record;
    failure = &carry->failure;
  }
  struct infer_response *partial = inf_carry_partial(call);
  struct infer_error *error =
      inf_result_error(status, call->trail, record, failure, NULL, partial);
  inf_attempt_detach(attempt, false);
  inf_call_end(engine, call, NULL, error);
}

/* Leaves the failed attempt behind for the next. False if memory is short. */
static bool
leave(inf_attempt *attempt, int32_t status, bool prefill_refused,
      inf_recovery_action action)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  bool goes_on = action == INF_RECOVERY_GO_ON;
  bool kept = goes_on && inf_carry_keep(attempt, status, prefill_refused);
  inf_attempt_detach(attempt, false);
  if (goes_on)
    return kept;
  if (prefill_refused)
    status = call->carry->status;
  drop_carry(call);
  if (call->committed)
    return inf_deliver_restart(engine, call, inf_status_find(status)->text);
  inf_deliver_discard(call);
  return true;
}

bool
inf_call_start_over(inf_engine *engine, struct infer_call *call)
{
  const char *why = inf_status_find(call->carry->status)->text;
  drop_carry(call);
  call->next_reason = INFER_REASON_RECOVERY;
  if (inf_deliver_restart(engine, call, why))
    return true;
  end_failed(engine, call, INFER_E_NO_MEMORY, NULL, NULL, NULL);
  return false;
}

/* A failed attempt whose record is closed: retry, failover, recovery, or the
 * end. */
void
inf_call_attempt_failed(inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  struct infer_call *call = attempt->call;
  if (inf_race_goes_on(attempt, status))
    return;
  inf_retry_decision next = {.action = INF_RETRY_END, .why = "memory ran out"};
  inf_recovery_action action = INF_RECOVERY_START_AGAIN;
  bool prefill_refused = inf_carry_refused(attempt, status);
  if (status != INFER_E_NO_MEMORY)
    next = decide(attempt, status, prefill_refused);
  pay(attempt, &next);
  if (call->committed && next.action == INF_RETRY_ATTEMPT)
    action = recover(call, &next);
  inf_logf(&engine->hooks->log, INFER_LOG_DEBUG, "call %llu: %s",
           (unsigned long long)call->id, next.why);
  attempt->record->decision = next.why;
  if (next.action == INF_RETRY_END || action == INF_RECOVERY_END)
    end_by_failure(attempt, status, prefill_refused);
  else if (leave(attempt, status, prefill_refused, action))
    go_on(engine, call, &next);
  else
    end_failed(engine, call, INFER_E_NO_MEMORY, NULL, NULL, NULL);
}

void
inf_engine_begin(inf_engine *engine, struct infer_call *call)
{
  inf_warmer_note_call(engine);
  inf_list_push_back(&engine->calls, &call->engine_node);
  call->clock_epoch = engine->clock_jumps;
  inf_retry_decision first = {
      .action = INF_RETRY_ATTEMPT,
      .at_ns = engine->now_ns,
      .reason = INFER_REASON_FIRST,
      .counted = true,
      .movable = true,
  };
  go_on(engine, call, &first);
  call->wait_since_ns = 0; /* that we come to it late holds nothing back */
}
