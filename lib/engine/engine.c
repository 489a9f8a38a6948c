/* SPDX-License-Identifier: MIT */
/* The loop's turn, its time and its timers. */
#include "engine/engine.h"

#include "engine/probe.h"
#include "engine/refusals.h"
#include "engine/routing.h"

#include "base/mem.h"
#include "base/place.h"

/* How many paused calls are looked at in a turn: enough to see at once what
 * one turn's sockets bring, few enough to cost nothing. */
enum { paused_per_turn = 64 };
/* Longest line about a call that waited too long for its reader. */
enum { why_max_bytes = 512 };

/* ---- Time ---------------------------------------------------------------- */

static uint64_t
asleep_ns(const inf_engine *engine)
{
  const inf_clock *clock = engine->clock;
  return clock->asleep_ns ? clock->asleep_ns(clock->context) : 0;
}

/* The loop looked at the clock gap_ns ago, which may be what it meant to
 * wait. */
INF_COLD static void
note_gap(inf_engine *engine, uint64_t gap_ns, uint64_t waited_ns)
{
  uint64_t asleep = asleep_ns(engine);
  bool slept = asleep > inf_time_add(engine->asleep_ns, INF_CLOCK_JUMP_NS);
  if (asleep > engine->asleep_ns)
    engine->asleep_ns = asleep;
  bool late = gap_ns > inf_time_add(waited_ns, INF_CLOCK_JUMP_NS);
  if (late || slept || waited_ns == INF_NEVER) {
    engine->clock_jumps++;
    engine->back_ns = engine->now_ns;
  }
  if (!late && !slept)
    return;
  engine->transport->ops->retire_idle(engine->transport);
  inf_warmer_forget(&engine->warmer, engine->now_ns);
  inf_logf(&engine->hooks->log, INFER_LOG_INFO,
           "time jumped by %llu ms: idle connections closed",
           (unsigned long long)(gap_ns / INF_NS_PER_MS));
}

INF_HOT void
inf_engine_update_time(inf_engine *engine, uint64_t waited_ns)
{
  uint64_t before_ns = engine->now_ns;
  uint64_t now_ns = inf_clock_now(engine->clock);
  if (now_ns < before_ns)
    return;
  engine->now_ns = now_ns;
  if (now_ns - before_ns > INF_CLOCK_JUMP_NS)
    note_gap(engine, now_ns - before_ns, waited_ns);
}

/* ---- Making and ending --------------------------------------------------- */

INF_HOT static void
after_wait(void *context)
{
  inf_engine *engine = context;
  inf_engine_update_time(engine, engine->waiting_ns);
  engine->transport->now_ns = engine->now_ns;
}

void
inf_engine_init(inf_engine *engine, inf_transport *transport,
                const inf_clock *clock, uint64_t seed, inf_runtime *runtime,
                const inf_config_hooks *hooks)
{
  memset(engine, 0, sizeof *engine);
  engine->transport = transport;
  engine->clock = clock;
  engine->runtime = runtime;
  engine->hooks = hooks;
  inf_rng_seed(&engine->rng, seed);
  inf_routing_seed(runtime, ~seed);
  inf_list_init(&engine->calls);
  inf_list_init(&engine->attempts);
  inf_list_init(&engine->probes);
  inf_list_init(&engine->pool);
  inf_list_init(&engine->dirty);
  inf_list_init(&engine->waking);
  inf_warmups_init(&engine->warmups);
  inf_warmer_init(&engine->warmer);
  inf_waiting_init(&engine->waiting);
  inf_credentials_init(&engine->credentials);
  inf_paused_init(&engine->paused, UINT64_MAX);
  engine->now_ns = inf_clock_now(clock);
  engine->asleep_ns = asleep_ns(engine);
  transport->after_wait = after_wait;
  transport->after_wait_context = engine;
}

void
inf_engine_fini(inf_engine *engine)
{
  inf_list *node;
  inf_exporter_end(engine);
  while ((node = inf_list_pop_front(&engine->attempts))) {
    inf_attempt *attempt = INF_CONTAINER_OF(node, inf_attempt, node);
    if (attempt->exchange)
      engine->transport->ops->cancel(attempt->exchange);
    attempt->exchange = NULL;
    inf_attempt_release(attempt);
  }
  inf_probes_end(engine);
  while ((node = inf_list_pop_front(&engine->pool)))
    inf_attempt_free(INF_CONTAINER_OF(node, inf_attempt, node));
  inf_warmups_end(engine);
  inf_warmer_fini(&engine->warmer);
  inf_waiting_fini(&engine->waiting);
  inf_credentials_fini(engine);
  engine->transport->ops->free(engine->transport);
  engine->transport = NULL;
}

/* ---- Calls --------------------------------------------------------------- */

void
inf_engine_cancel(inf_engine *engine, struct infer_call *call, const char *why)
{
  inf_call_end_cancelled(engine, call, INFER_E_CANCELLED, why);
}

void
inf_engine_cancel_all(inf_engine *engine, const char *why)
{
  while (!inf_list_empty(&engine->calls))
    inf_engine_cancel(
        engine,
        INF_CONTAINER_OF(engine->calls.next, struct infer_call, engine_node),
        why);
}

void
inf_engine_resume(inf_engine *engine, struct infer_call *call)
{
  if (call->ended || !call->paused)
    return;
  call->paused = false;
  inf_paused_remove(&engine->paused, &call->paused_entry);
  if (call->attempt)
    inf_attempt_set_paused(call->attempt, false);
}

/* ---- The turn ------------------------------------------------------------ */

static struct infer_call *
paused_call(inf_paused_entry *entry)
{
  return INF_CONTAINER_OF(entry, struct infer_call, paused_entry);
}

INF_COLD static void
charge_paused(inf_engine *engine, struct infer_call *call)
{
  inf_transport *transport = engine->transport;
  pthread_mutex_lock(&call->queue->mutex);
  size_t bytes = call->pending_bytes;
  pthread_mutex_unlock(&call->queue->mutex);
  if (call->attempt && call->attempt->exchange)
    bytes += transport->ops->held_bytes(call->attempt->exchange);
  inf_paused_charge(&engine->paused, &call->paused_entry, bytes);
}

INF_COLD static void
end_paused(inf_engine *engine, struct infer_call *call)
{
  inf_buf why;
  inf_buf_init(&why, why_max_bytes);
  inf_buf_appendf(&why,
                  "%zu bytes of %zu calls wait for their readers, more than "
                  "max_paused_bytes (%llu), and of this call for longest",
                  engine->paused.bytes, engine->paused.count,
                  (unsigned long long)engine->paused.max_bytes);
  inf_call_end_cancelled(engine, call, INFER_E_LIMIT, inf_buf_cstr(&why));
  inf_buf_fini(&why);
}

static void
limit_paused(inf_engine *engine)
{
  inf_paused *paused = &engine->paused;
  size_t count =
      paused->count < paused_per_turn ? paused->count : paused_per_turn;
  while (count-- > 0)
    charge_paused(engine, paused_call(inf_paused_next(paused)));
  inf_paused_entry *victim;
  while ((victim = inf_paused_victim(paused)))
    end_paused(engine, paused_call(victim));
}

INF_HOT static void
run_timers(inf_engine *engine)
{
  inf_timer *timer;
  while ((timer = inf_timer_pop_due(&engine->timers, engine->now_ns)))
    inf_call_on_timer(engine,
                      INF_CONTAINER_OF(timer, struct infer_call, timer));
  while ((timer = inf_timer_pop_due(&engine->attempt_timers, engine->heard_ns)))
    inf_attempt_on_timer(INF_CONTAINER_OF(timer, inf_attempt, timer));
  if (engine->warmer.next_ns <= engine->now_ns)
    inf_warmer_run(engine);
  if (engine->credentials.next_ns <= engine->now_ns)
    inf_credentials_run(engine);
  if (engine->waiting.next_ns <= engine->now_ns)
    inf_waiting_serve(engine);
  if (engine->exporter && inf_exporter_next_ns(engine) <= engine->now_ns)
    inf_exporter_run(engine);
}

INF_HOT uint64_t
inf_engine_next_ns(inf_engine *engine)
{
  uint64_t next_ns = inf_timer_next_ns(&engine->timers);
  uint64_t others_ns[] = {
      inf_timer_next_ns(&engine->attempt_timers),
      engine->warmer.next_ns,
      engine->waiting.next_ns,
      inf_exporter_next_ns(engine),
      engine->credentials.next_ns,
      engine->transport->ops->next_timeout_ns(engine->transport),
  };
  for (size_t i = 0; i < sizeof others_ns / sizeof others_ns[0]; i++)
    if (others_ns[i] < next_ns)
      next_ns = others_ns[i];
  if (!inf_list_empty(&engine->dirty) && engine->next_flush_ns < next_ns)
    next_ns = engine->next_flush_ns;
  return next_ns;
}

/* Waits at most wait_ns for the network, and notes up to when it was heard. */
static void
listen_for(inf_engine *engine, uint64_t wait_ns)
{
  inf_transport *transport = engine->transport;
  if (!transport->behind)
    engine->listened_ns = engine->now_ns;
  engine->waiting_ns = wait_ns;
  transport->eager = inf_list_single(&engine->calls);
  transport->now_ns = engine->now_ns;
  int32_t status = transport->ops->run(transport, wait_ns);
  if (!transport->behind)
    engine->heard_ns = engine->listened_ns;
  if (status != INFER_OK)
    inf_logf(&engine->hooks->log, INFER_LOG_ERROR, "transport: %s",
             inf_status_find(status)->text);
}

INF_HOT void
inf_engine_turn(inf_engine *engine, uint64_t wait_ns)
{
  inf_engine_update_time(engine, INF_NEVER);
  run_timers(engine);
  bool delivered = inf_deliver_flush(engine);
  uint64_t next_ns = inf_engine_next_ns(engine);
  uint64_t until_next_ns =
      next_ns <= engine->now_ns ? 0 : next_ns - engine->now_ns;
  if (until_next_ns < wait_ns)
    wait_ns = until_next_ns;
  if (wait_ns > INF_LONGEST_WAIT_NS && !inf_list_empty(&engine->calls))
    wait_ns = INF_LONGEST_WAIT_NS;
  if (delivered) /* the reader may be the very thread that would wait here */
    wait_ns = 0;
  listen_for(engine, wait_ns);
  limit_paused(engine);
  run_timers(engine);
  inf_deliver_flush(engine);
  inf_refusals_tell(engine->runtime, &engine->hooks->log);
}
