/* SPDX-License-Identifier: MIT */
/* The loop's turn, its time and its timers. */
#include "engine/engine.h"

#include "base/mem.h"

static void
after_wait(void *context)
{
  inf_engine *engine = context;
  inf_engine_update_time(engine, engine->waiting_ns);
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
  inf_list_init(&engine->calls);
  inf_list_init(&engine->attempts);
  inf_list_init(&engine->pool);
  inf_list_init(&engine->dirty);
  engine->now_ns = inf_clock_now(clock);
  transport->after_wait = after_wait;
  transport->after_wait_context = engine;
}

void
inf_engine_fini(inf_engine *engine)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&engine->attempts))) {
    inf_attempt *attempt = INF_CONTAINER_OF(node, inf_attempt, node);
    if (attempt->exchange)
      engine->transport->ops->cancel(attempt->exchange);
    attempt->exchange = NULL;
    inf_attempt_release(attempt);
  }
  while ((node = inf_list_pop_front(&engine->pool)))
    inf_attempt_free(INF_CONTAINER_OF(node, inf_attempt, node));
  engine->transport->ops->free(engine->transport);
  engine->transport = NULL;
}

void
inf_engine_update_time(inf_engine *engine, uint64_t waited_ns)
{
  uint64_t before_ns = engine->now_ns;
  uint64_t now_ns = inf_clock_now(engine->clock);
  if (now_ns < before_ns)
    return;
  engine->now_ns = now_ns;
  uint64_t expected_ns = inf_time_add(before_ns, waited_ns);
  if (now_ns <= inf_time_add(expected_ns, INF_CLOCK_JUMP_NS))
    return;
  /* The machine or the process slept: connections are likely dead, and what
   * was being measured is worthless. */
  engine->clock_jumps++;
  engine->transport->ops->retire_idle(engine->transport);
  inf_logf(&engine->hooks->log, INFER_LOG_INFO,
           "time jumped by %llu ms: idle connections closed",
           (unsigned long long)((now_ns - before_ns) / INF_NS_PER_MS));
}

void
inf_engine_cancel(inf_engine *engine, struct infer_call *call,
                  const char *why)
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
  (void)engine;
  if (call->ended || !call->paused)
    return;
  call->paused = false;
  if (call->attempt)
    inf_attempt_set_paused(call->attempt, false);
}

/* Calls and attempts have one timer each; which of the two it is stands in
 * its owner field. */
static void
fire(inf_engine *engine, inf_timer *timer)
{
  if (timer->owner == INF_TIMER_CALL)
    inf_call_on_timer(engine,
                      INF_CONTAINER_OF(timer, struct infer_call, timer));
  else
    inf_attempt_on_timer(INF_CONTAINER_OF(timer, inf_attempt, timer));
}

static void
run_timers(inf_engine *engine)
{
  inf_timer *timer;
  while ((timer = inf_timer_pop_due(&engine->timers, engine->now_ns)))
    fire(engine, timer);
}

uint64_t
inf_engine_next_ns(inf_engine *engine)
{
  uint64_t next_ns = inf_timer_next_ns(&engine->timers);
  uint64_t transport_ns =
      engine->transport->ops->next_timeout_ns(engine->transport);
  if (transport_ns < next_ns)
    next_ns = transport_ns;
  if (!inf_list_empty(&engine->dirty) && engine->next_flush_ns < next_ns)
    next_ns = engine->next_flush_ns;
  return next_ns;
}

void
inf_engine_turn(inf_engine *engine, uint64_t wait_ns)
{
  /* What the time before this turn was spent on is not known, so that however
   * long it was, it is no jump. */
  inf_engine_update_time(engine, INF_NEVER);
  run_timers(engine);
  bool delivered = inf_deliver_flush(engine);
  uint64_t next_ns = inf_engine_next_ns(engine);
  uint64_t until_next_ns =
      next_ns <= engine->now_ns ? 0 : next_ns - engine->now_ns;
  if (until_next_ns < wait_ns)
    wait_ns = until_next_ns;
  if (delivered) /* the reader may be the very thread that would wait here */
    wait_ns = 0;
  engine->waiting_ns = wait_ns;
  int32_t status = engine->transport->ops->run(engine->transport, wait_ns);
  if (status != INFER_OK)
    inf_logf(&engine->hooks->log, INFER_LOG_ERROR, "transport: %s",
             inf_status_find(status)->text);
  run_timers(engine);
  inf_deliver_flush(engine);
}
