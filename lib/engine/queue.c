/* SPDX-License-Identifier: MIT */
/* The event queue, and events themselves. See queue.h for who holds what. */
#include "engine/queue.h"

#include "base/mem.h"
#include "base/place.h"
#include "base/thread.h"
#include "engine/client.h"

#include <unistd.h>
#if defined(__linux__)
#include <sys/eventfd.h>
#else
#include <fcntl.h>
#endif

/* Largest text that merging may gather in one event. */
#define EVENT_MAX_BYTES ((size_t)64 << 20)

/* ---- Events -------------------------------------------------------------- */

static void
event_init(struct infer_event *event, int32_t type,
           const struct infer_call *call)
{
  *event = (struct infer_event){.type = type,
                                .epoch = call->epoch,
                                .call_id = call->id,
                                .tag = call->tag,
                                .text = {.max = EVENT_MAX_BYTES},
                                .tool_id = {.max = EVENT_MAX_BYTES},
                                .tool_name = {.max = EVENT_MAX_BYTES}};
  inf_list_init(&event->node);
}

INF_HOT struct infer_event *
inf_event_new(int32_t type, const struct infer_call *call, size_t text_bytes)
{
  size_t room = text_bytes > 0 ? text_bytes + 1 : 0;
  struct infer_event *event = inf_malloc(sizeof *event + room);
  if (!event)
    return NULL;
  event_init(event, type, call);
  inf_buf_lend(&event->text, (char *)(event + 1), room);
  return event;
}

INF_HOT void
inf_event_free(struct infer_event *event)
{
  inf_buf_fini(&event->text);
  if (event->tool_id.ptr)
    inf_buf_fini(&event->tool_id);
  if (event->tool_name.ptr)
    inf_buf_fini(&event->tool_name);
  struct infer_call *call = event->call;
  if (!call) {
    inf_free(event);
    return;
  }
  infer_response_free(event->response);
  infer_error_free(event->error);
  event->response = NULL;
  event->error = NULL;
  if (event->type == INFER_EVENT_ATTEMPT)
    inf_free(event);
  inf_call_unref(call); /* a DONE event stands inside the call */
}

typedef struct record_event {
  struct infer_event event;
  struct infer_attempt record;
} record_event;

struct infer_event *
inf_event_new_record(struct infer_call *call,
                     const struct infer_attempt *record)
{
  record_event *both = inf_malloc(sizeof *both);
  if (!both)
    return NULL;
  event_init(&both->event, INFER_EVENT_ATTEMPT, call);
  both->event.status = record->status;
  both->event.call = call;
  both->record = *record;
  inf_call_ref(call);
  return &both->event;
}

const struct infer_attempt *
inf_event_record(const struct infer_event *event)
{
  if (event->type != INFER_EVENT_ATTEMPT)
    return NULL;
  return &INF_CONTAINER_OF(event, const record_event, event)->record;
}

/* What an unread event costs, itself included: of many small ones that is
 * most of it. */
static size_t
event_bytes(const struct infer_event *event)
{
  return sizeof *event + event->text.len + event->tool_id.len +
         event->tool_name.len;
}

/* May the second be joined to the first, unread one? Only adjacent pieces of
 * one text; START, FINISH and the like keep their place. */
static bool
can_merge(const struct infer_event *first, const struct infer_event *second)
{
  switch (second->type) {
  case INFER_EVENT_TEXT:
  case INFER_EVENT_REASONING:
  case INFER_EVENT_REFUSAL:
  case INFER_EVENT_TOOL_CALL_DELTA:
    break;
  default:
    return false;
  }
  return first->type == second->type && first->epoch == second->epoch &&
         first->choice == second->choice && first->tool == second->tool &&
         inf_sv_eq(inf_buf_sv(&first->tool_id), inf_buf_sv(&second->tool_id)) &&
         inf_sv_eq(inf_buf_sv(&first->tool_name),
                   inf_buf_sv(&second->tool_name));
}

/* ---- Life ---------------------------------------------------------------- */

struct infer_queue *
inf_queue_new(struct infer_client *client)
{
  struct infer_queue *queue = inf_calloc(1, sizeof *queue);
  if (!queue)
    return NULL;
  if (pthread_mutex_init(&queue->mutex, NULL) != 0) {
    inf_free(queue);
    return NULL;
  }
  if (inf_cond_init(&queue->cond) != 0) {
    pthread_mutex_destroy(&queue->mutex);
    inf_free(queue);
    return NULL;
  }
  atomic_init(&queue->refs, 1);
  atomic_init(&queue->events, 0);
  queue->fork_generation = inf_fork_generation();
  queue->client = client;
  inf_client_ref(client);
  inf_list_init(&queue->ready);
  inf_list_init(&queue->calls);
  inf_list_init(&queue->wake_node);
  queue->fd = queue->write_fd = -1;
  pthread_mutex_lock(&client->mutex);
  inf_list_push_back(&client->queues, &queue->client_node);
  pthread_mutex_unlock(&client->mutex);
  return queue;
}

void
inf_queue_ref(struct infer_queue *queue)
{
  atomic_fetch_add_explicit(&queue->refs, 1, memory_order_relaxed);
}

void
inf_queue_close_fds(struct infer_queue *queue)
{
  if (queue->fd >= 0)
    close(queue->fd);
  if (queue->write_fd >= 0 && queue->write_fd != queue->fd)
    close(queue->write_fd);
  queue->fd = queue->write_fd = -1;
}

void
inf_queue_unref(struct infer_queue *queue)
{
  if (atomic_fetch_sub_explicit(&queue->refs, 1, memory_order_acq_rel) != 1)
    return;
  pthread_mutex_lock(&queue->client->mutex);
  inf_list_remove(&queue->client_node);
  pthread_mutex_unlock(&queue->client->mutex);
  inf_queue_close_fds(queue);
  pthread_cond_destroy(&queue->cond);
  pthread_mutex_destroy(&queue->mutex);
  inf_client_unref(queue->client);
  inf_free(queue);
}

/* ---- The fd -------------------------------------------------------------- */

static bool
make_fds(struct infer_queue *queue)
{
#if defined(__linux__)
  queue->fd = queue->write_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return queue->fd >= 0;
#else
  int fds[2];
  if (pipe(fds) != 0)
    return false;
  for (int i = 0; i < 2; i++) {
    fcntl(fds[i], F_SETFL, O_NONBLOCK);
    fcntl(fds[i], F_SETFD, FD_CLOEXEC);
  }
  queue->fd = fds[0];
  queue->write_fd = fds[1];
  return true;
#endif
}

static void
fd_signal_locked(struct infer_queue *queue)
{
  if (queue->fd < 0 || queue->fd_signalled)
    return;
  uint64_t one = 1;
#if defined(__linux__)
  size_t size = sizeof one;
#else
  size_t size = 1;
#endif
  queue->fd_signalled = write(queue->write_fd, &one, size) == (ssize_t)size;
}

INF_APART static void
fd_clear_locked(struct infer_queue *queue)
{
  uint64_t value;
  if (read(queue->fd, &value, sizeof value) > 0)
    queue->fd_signalled = false;
}

int
inf_queue_fd(struct infer_queue *queue)
{
  pthread_mutex_lock(&queue->mutex);
  if (queue->fd < 0 && make_fds(queue) && atomic_load(&queue->events) > 0)
    fd_signal_locked(queue);
  int fd = queue->fd;
  pthread_mutex_unlock(&queue->mutex);
  return fd;
}

/* ---- In ------------------------------------------------------------------ */

/* What was told of attempts stays told. */
INF_APART static void
drop_pending_locked(struct infer_queue *queue, struct infer_call *call)
{
  inf_list kept, *node;
  inf_list_init(&kept);
  call->pending_bytes = 0;
  while ((node = inf_list_pop_front(&call->pending))) {
    struct infer_event *event =
        INF_CONTAINER_OF(node, struct infer_event, node);
    if (event->type == INFER_EVENT_ATTEMPT) {
      inf_list_push_back(&kept, node);
      call->pending_bytes += event_bytes(event);
      continue;
    }
    inf_event_free(event);
    atomic_fetch_sub_explicit(&queue->events, 1, memory_order_relaxed);
  }
  inf_list_splice_back(&call->pending, &kept);
  if (inf_list_empty(&call->pending))
    inf_list_remove(&call->ready_node);
}

static void
append_locked(struct infer_queue *queue, struct infer_call *call,
              struct infer_event *event)
{
  if (!inf_list_empty(&call->pending)) {
    struct infer_event *last =
        INF_CONTAINER_OF(call->pending.prev, struct infer_event, node);
    if (can_merge(last, event) &&
        inf_buf_append_sv(&last->text, inf_buf_sv(&event->text))) {
      call->pending_bytes += event->text.len;
      inf_event_free(event);
      return;
    }
    last->text.status = INFER_OK; /* a failed merge is no loss: it is queued */
  }
  call->pending_bytes += event_bytes(event);
  inf_list_push_back(&call->pending, &event->node);
  atomic_fetch_add_explicit(&queue->events, 1, memory_order_relaxed);
}

/* The call is over: its result becomes visible to infer_call_wait(). */
INF_APART static void
finish_locked(struct infer_call *call)
{
  call->status = call->done_event.status;
  call->response = inf_response_ref(call->done_event.response);
  call->error = inf_error_ref(call->done_event.error);
  call->done = true;
  inf_list_remove(&call->queue_node);
}

/* Moves the staged events over. Gives the DONE event back where nobody will
 * read it, for its reference to be dropped without the lock. */
static struct infer_event *
move_staged_locked(struct infer_queue *queue, struct infer_call *call)
{
  struct infer_event *unread = NULL;
  inf_list *node;
  while ((node = inf_list_pop_front(&call->staged))) {
    struct infer_event *event =
        INF_CONTAINER_OF(node, struct infer_event, node);
    if (event->type == INFER_EVENT_RESTART)
      drop_pending_locked(queue, call);
    bool done = event->type == INFER_EVENT_DONE;
    if (done)
      finish_locked(call);
    if (done && (call->own_queue || queue->freed))
      unread = event;
    else if (queue->freed)
      inf_event_free(event);
    else
      append_locked(queue, call, event);
  }
  return unread;
}

/* Calls the hook without the lock; who removes it waits for that. */
static void
run_wakeup(struct infer_queue *queue, void (*wakeup)(void *user_data),
           void *user_data)
{
  wakeup(user_data);
  pthread_mutex_lock(&queue->mutex);
  queue->waking = false;
  pthread_cond_broadcast(&queue->cond);
  pthread_mutex_unlock(&queue->mutex);
}

bool
inf_queue_set_wakeup(struct infer_queue *queue, void (*fn)(void *user_data),
                     void *user_data)
{
  bool in_loop = inf_client_in_loop(queue->client);
  pthread_mutex_lock(&queue->mutex);
  queue->wakeup = fn;
  queue->wakeup_user_data = user_data;
  while (queue->waking && !in_loop)
    inf_cond_wait(&queue->cond, &queue->mutex, INF_NEVER);
  bool waiting = atomic_load_explicit(&queue->events, memory_order_relaxed) > 0;
  pthread_mutex_unlock(&queue->mutex);
  return waiting;
}

INF_HOT size_t
inf_queue_flush(struct infer_queue *queue, struct infer_call *call)
{
  pthread_mutex_lock(&queue->mutex);
  bool was_empty =
      atomic_load_explicit(&queue->events, memory_order_relaxed) == 0;
  struct infer_event *unread = move_staged_locked(queue, call);
  size_t waiting = call->pending_bytes;
  if (!inf_list_empty(&call->pending) && inf_list_empty(&call->ready_node))
    inf_list_push_back(&queue->ready, &call->ready_node);
  bool news = was_empty &&
              atomic_load_explicit(&queue->events, memory_order_relaxed) > 0;
  if ((news && (queue->fd >= 0 || queue->wakeup)) ||
      ((news || call->done) && queue->pollers > 0))
    queue->wake_due = true;
  pthread_mutex_unlock(&queue->mutex);
  if (unread)
    inf_event_free(unread);
  return waiting;
}

void
inf_queue_wake(struct infer_queue *queue)
{
  void (*wakeup)(void *) = NULL;
  void *user_data = NULL;
  queue->wake_due = false;
  pthread_mutex_lock(&queue->mutex);
  /* A fast reader may have taken everything already. */
  if (atomic_load_explicit(&queue->events, memory_order_relaxed) > 0) {
    fd_signal_locked(queue);
    wakeup = queue->wakeup;
    user_data = queue->wakeup_user_data;
    queue->waking = wakeup != NULL;
  }
  bool polled = queue->pollers > 0;
  pthread_mutex_unlock(&queue->mutex);
  /* Without the lock, or who wakes up would only wait for it. */
  if (polled)
    pthread_cond_broadcast(&queue->cond);
  if (wakeup)
    run_wakeup(queue, wakeup, user_data);
}

/* ---- Out ----------------------------------------------------------------- */

/* The first event of the first ready call. The call goes to the end of the
 * line, so that one busy stream does not starve the others. */
static struct infer_event *
pop_locked(struct infer_queue *queue, struct infer_call **resume)
{
  struct infer_call *call =
      INF_CONTAINER_OF(queue->ready.next, struct infer_call, ready_node);
  struct infer_event *event = INF_CONTAINER_OF(
      inf_list_pop_front(&call->pending), struct infer_event, node);
  atomic_fetch_sub_explicit(&queue->events, 1, memory_order_relaxed);
  call->pending_bytes -= event_bytes(event);
  inf_list_remove(&call->ready_node);
  if (!inf_list_empty(&call->pending))
    inf_list_push_back(&queue->ready, &call->ready_node);
  if (call->resume_wanted && call->pending_bytes <= call->max_undelivered / 2) {
    call->resume_wanted = false;
    inf_call_ref(call);
    *resume = call;
  }
  return event;
}

INF_HOT size_t
inf_queue_take(struct infer_queue *queue, struct infer_event **events,
               size_t capacity, bool *freed)
{
  size_t count = 0;
  while (count < capacity) {
    struct infer_call *resume = NULL;
    pthread_mutex_lock(&queue->mutex);
    while (count < capacity && !resume && !inf_list_empty(&queue->ready))
      events[count++] = pop_locked(queue, &resume);
    if (queue->fd_signalled && inf_list_empty(&queue->ready))
      fd_clear_locked(queue);
    if (freed)
      *freed = queue->freed;
    pthread_mutex_unlock(&queue->mutex);
    if (!resume)
      break;
    inf_client_command(queue->client, resume);
    inf_call_unref(resume);
  }
  return count;
}

/* ---- The end ------------------------------------------------------------- */

void
inf_queue_abandon(struct infer_queue *queue)
{
  inf_list dropped;
  inf_list_init(&dropped);
  pthread_mutex_lock(&queue->mutex);
  queue->freed = true;
  /* A call must not stand in the ready list when its DONE event goes: that
   * event may hold the last reference to it. */
  inf_list *node;
  while ((node = inf_list_pop_front(&queue->ready))) {
    struct infer_call *call =
        INF_CONTAINER_OF(node, struct infer_call, ready_node);
    inf_list_splice_back(&dropped, &call->pending);
    call->pending_bytes = 0;
  }
  atomic_store_explicit(&queue->events, 0, memory_order_relaxed);
  if (queue->fd_signalled)
    fd_clear_locked(queue);
  pthread_cond_broadcast(&queue->cond);
  pthread_mutex_unlock(&queue->mutex);
  while ((node = inf_list_pop_front(&dropped)))
    inf_event_free(INF_CONTAINER_OF(node, struct infer_event, node));
}

struct infer_call *
inf_queue_next_live(struct infer_queue *queue)
{
  struct infer_call *call = NULL;
  pthread_mutex_lock(&queue->mutex);
  inf_list *node = inf_list_pop_front(&queue->calls);
  if (node) {
    call = INF_CONTAINER_OF(node, struct infer_call, queue_node);
    inf_call_ref(call);
  }
  pthread_mutex_unlock(&queue->mutex);
  return call;
}
