/* SPDX-License-Identifier: MIT */
/* From an answer's deltas to the reader's events. Deltas of one loop turn are
 * staged with the call, adjacent text merged at once, and handed to the queue
 * when the turn ends. */
#include "engine/engine.h"

#include "base/mem.h"
#include "base/place.h"
#include "engine/race.h"

static const int32_t event_types[] = {
    [INF_DELTA_TEXT] = INFER_EVENT_TEXT,
    [INF_DELTA_REASONING] = INFER_EVENT_REASONING,
    [INF_DELTA_REFUSAL] = INFER_EVENT_REFUSAL,
    [INF_DELTA_TOOL_CALL] = INFER_EVENT_TOOL_CALL_DELTA,
    [INF_DELTA_TOOL_CALL_DONE] = INFER_EVENT_TOOL_CALL_DONE,
    [INF_DELTA_LOGPROBS] = INFER_EVENT_LOGPROBS,
    [INF_DELTA_EXTRA] = INFER_EVENT_EXTRA,
    [INF_DELTA_FINISH] = INFER_EVENT_FINISH,
    [INF_DELTA_USAGE] = INFER_EVENT_USAGE,
};

static void
mark_dirty(inf_engine *engine, struct infer_call *call)
{
  if (inf_list_empty(&call->dirty_node))
    inf_list_push_back(&engine->dirty, &call->dirty_node);
}

static void
stage(inf_engine *engine, struct infer_call *call, struct infer_event *event)
{
  inf_list_push_back(&call->staged, &event->node);
  mark_dirty(engine, call);
}

/* The same, or holds it back. */
static void
stage_of(inf_attempt *attempt, inf_list *list, struct infer_event *event)
{
  inf_list_push_back(list, &event->node);
  if (!attempt->holds)
    mark_dirty(attempt->engine, attempt->call);
}

/* Joins the delta to the last staged event where that is the same text. */
static bool
merge_into(const inf_list *list, const struct infer_call *call, int32_t type,
           const inf_delta *delta)
{
  if (delta->kind > INF_DELTA_TOOL_CALL || inf_list_empty(list))
    return false;
  struct infer_event *last =
      INF_CONTAINER_OF(list->prev, struct infer_event, node);
  if (last->type != type || last->epoch != call->epoch ||
      last->choice != delta->choice || last->tool != delta->tool ||
      !inf_sv_eq(inf_buf_sv(&last->tool_id), delta->tool_id) ||
      !inf_sv_eq(inf_buf_sv(&last->tool_name), delta->tool_name))
    return false;
  return inf_buf_append_sv(&last->text, delta->text);
}

/* The first content is the win: from here on the call has an answer. */
INF_APART static bool
stage_start(inf_attempt *attempt, inf_list *list)
{
  struct infer_call *call = attempt->call;
  const char *target = attempt->record->target;
  struct infer_event *event =
      inf_event_new(INFER_EVENT_START, call, strlen(target));
  if (!event)
    return false;
  inf_answer_write_head(&attempt->answer, &event->head);
  if (!inf_buf_append_cstr(&event->text, target) ||
      event->head.status != INFER_OK) {
    inf_event_free(event);
    return false;
  }
  if (!attempt->holds)
    call->started = true;
  stage_of(attempt, list, event);
  return true;
}

/* More of a text may come before the event is read. */
static size_t
room_for(inf_sv text)
{
  enum { least = 32, most = 4096 };
  size_t more = text.len < most ? text.len : most;
  return text.len == 0 ? 0 : text.len + (more > least ? more : least);
}

/* Most deltas have no tool; an empty buffer needs no memory. */
static bool
append_some(inf_buf *buf, inf_sv text)
{
  return text.len == 0 || inf_buf_append_sv(buf, text);
}

static bool
stage_delta(inf_attempt *attempt, const inf_delta *delta)
{
  struct infer_call *call = attempt->call;
  int32_t type = event_types[delta->kind];
  inf_list *list = inf_race_list(attempt);
  bool started = attempt->holds ? !inf_list_empty(list) : call->started;
  if (!started && !stage_start(attempt, list))
    return false;
  if (merge_into(list, call, type, delta))
    return true;
  struct infer_event *event = inf_event_new(type, call, room_for(delta->text));
  if (!event)
    return false;
  event->choice = delta->choice;
  event->tool = delta->tool;
  bool ok = append_some(&event->text, delta->text) &&
            append_some(&event->tool_id, delta->tool_id) &&
            append_some(&event->tool_name, delta->tool_name);
  if (!ok) {
    inf_event_free(event);
    return false;
  }
  stage_of(attempt, list, event);
  return true;
}

INF_HOT void
inf_deliver_delta(inf_attempt *attempt, const inf_delta *delta)
{
  struct infer_call *call = attempt->call;
  if (!call->wants_events || attempt->verdict != INFER_OK)
    return;
  if (!stage_delta(attempt, delta))
    attempt->verdict = INFER_E_NO_MEMORY;
}

void
inf_deliver_drop(inf_list *list)
{
  inf_list *node;
  while ((node = inf_list_pop_front(list)))
    inf_event_free(INF_CONTAINER_OF(node, struct infer_event, node));
}

void
inf_deliver_release(inf_engine *engine, struct infer_call *call, inf_list *held)
{
  if (inf_list_empty(held))
    return;
  inf_list_splice_back(&call->staged, held);
  call->started = true;
  mark_dirty(engine, call);
}

/* Records of attempts stay. */
void
inf_deliver_discard(struct infer_call *call)
{
  inf_list kept, *node;
  inf_list_init(&kept);
  while ((node = inf_list_pop_front(&call->staged))) {
    struct infer_event *event =
        INF_CONTAINER_OF(node, struct infer_event, node);
    if (event->type == INFER_EVENT_ATTEMPT)
      inf_list_push_back(&kept, node);
    else
      inf_event_free(event);
  }
  inf_list_splice_back(&call->staged, &kept);
  if (!call->committed)
    call->started = false;
}

bool
inf_deliver_restart(inf_engine *engine, struct infer_call *call,
                    const char *why)
{
  inf_deliver_discard(call);
  struct infer_event *event =
      inf_event_new(INFER_EVENT_RESTART, call, strlen(why));
  if (!event)
    return false;
  event->epoch = ++call->epoch;
  call->started = false;
  inf_buf_append_cstr(&event->text, why);
  stage(engine, call, event);
  return true;
}

void
inf_deliver_done(inf_engine *engine, struct infer_call *call, int32_t status,
                 struct infer_response *response, struct infer_error *error)
{
  struct infer_event *event = &call->done_event;
  event->epoch = call->epoch;
  event->status = status;
  event->response = response;
  event->error = error;
  inf_call_ref(call); /* the event's */
  stage(engine, call, event);
}

bool
inf_deliver_record(inf_engine *engine, struct infer_call *call,
                   const struct infer_attempt *record)
{
  if (call->own_queue ||
      !atomic_load_explicit(&call->queue->records, memory_order_relaxed))
    return true;
  struct infer_event *event = inf_event_new_record(call, record);
  if (event)
    stage(engine, call, event);
  return event != NULL;
}

/* Notes what this flush shows to the reader. */
static void
note_commit(struct infer_call *call)
{
  for (inf_list *node = call->staged.next; node != &call->staged;
       node = node->next) {
    const struct infer_event *event =
        INF_CONTAINER_OF(node, struct infer_event, node);
    if (event->type == INFER_EVENT_TOOL_CALL_DONE)
      call->tool_call_done = true;
    if (event->type != INFER_EVENT_RESTART &&
        event->type != INFER_EVENT_ATTEMPT)
      call->committed = true;
  }
}

/* Too much waits for the reader: the transfer does too, until half of it is
 * read, which may have happened meanwhile. */
INF_COLD static void
pause_call(inf_engine *engine, struct infer_call *call)
{
  call->paused = true;
  inf_paused_add(&engine->paused, &call->paused_entry);
  if (call->attempt)
    inf_attempt_set_paused(call->attempt, true);
  pthread_mutex_lock(&call->queue->mutex);
  bool caught_up = call->pending_bytes <= call->max_undelivered / 2;
  call->resume_wanted = !caught_up;
  pthread_mutex_unlock(&call->queue->mutex);
  if (caught_up)
    inf_engine_resume(engine, call);
}

INF_APART static void
note_wake(inf_engine *engine, struct infer_queue *queue)
{
  if (!inf_list_empty(&queue->wake_node))
    return;
  inf_queue_ref(queue);
  inf_list_push_back(&engine->waking, &queue->wake_node);
}

INF_APART static void
wake_readers(inf_engine *engine)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&engine->waking))) {
    struct infer_queue *queue =
        INF_CONTAINER_OF(node, struct infer_queue, wake_node);
    inf_queue_wake(queue);
    inf_queue_unref(queue);
  }
}

static void
flush_call(inf_engine *engine, struct infer_call *call)
{
  bool ended = call->ended;
  size_t limit = call->max_undelivered;
  note_commit(call);
  if (ended)
    engine->on_call_ending(engine->context, call);
  size_t waiting = inf_queue_flush(call->queue, call);
  if (call->queue->wake_due)
    note_wake(engine, call->queue);
  if (ended) {
    engine->caller_woken |= call->own_queue && call->queue->wake_due;
    engine->on_call_ended(engine->context, call);
    inf_call_unref(call); /* the engine's */
  } else if (!call->paused && waiting >= limit) {
    pause_call(engine, call);
  } else if (call->paused && waiting <= limit / 2) {
    /* A restart has discarded what waited. */
    inf_engine_resume(engine, call);
  }
}

/* Terminal events do not wait for the delivery interval. */
static bool
flush_due(const inf_engine *engine, const struct infer_call *call)
{
  return call->ended || engine->delivery_interval_ns == 0 ||
         engine->now_ns >= engine->next_flush_ns;
}

INF_HOT bool
inf_deliver_flush(inf_engine *engine)
{
  if (inf_list_empty(&engine->dirty))
    return false;
  bool flushed = false;
  bool interval_over = engine->now_ns >= engine->next_flush_ns;
  inf_list later;
  inf_list_init(&later);
  inf_list *node;
  while ((node = inf_list_pop_front(&engine->dirty))) {
    struct infer_call *call =
        INF_CONTAINER_OF(node, struct infer_call, dirty_node);
    if (flush_due(engine, call)) {
      flush_call(engine, call);
      flushed = true;
    } else {
      inf_list_push_back(&later, node);
    }
  }
  inf_list_splice_back(&engine->dirty, &later);
  if (!inf_list_empty(&engine->waking))
    wake_readers(engine);
  if (interval_over)
    engine->next_flush_ns =
        inf_time_add(engine->now_ns, engine->delivery_interval_ns);
  return flushed;
}
