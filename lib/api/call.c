/* SPDX-License-Identifier: MIT */
/* Calls and queues: submitting, polling, waiting, cancelling, and the blocking
 * functions, which are a submit and a wait. */
#include "api/submit.h"

#include "base/place.h"

/* ---- Submitting ---------------------------------------------------------- */

static int32_t
check_submit(struct infer_client *client, const struct infer_request *request,
             int32_t mode, const struct infer_queue *queue,
             struct infer_error **error)
{
  int32_t status = inf_guard_client(client, error);
  if (status != INFER_OK)
    return status;
  if (!request)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "request is NULL");
  if (mode != INFER_SUBMIT_STREAM && mode != INFER_SUBMIT_WHOLE)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "mode is neither INFER_SUBMIT_STREAM nor _WHOLE");
  if (queue && queue->client != client)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "the queue belongs to another client");
  if (!queue && mode == INFER_SUBMIT_STREAM)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "INFER_SUBMIT_STREAM needs a queue");
  const char *reason;
  status = inf_chat_check(&request->chat, &reason);
  return status == INFER_OK ? INFER_OK
                            : inf_error_set(error, status, "%s", reason);
}

int32_t
inf_submit_call(struct infer_call *call, struct infer_call **out,
                struct infer_error **error)
{
  inf_call_ref(call); /* the caller's handle; the first one is the engine's */
  int32_t status = inf_client_submit(call->client, call);
  if (status != INFER_OK) {
    inf_call_unref(call);
    inf_call_unref(call);
    const char *why = status == INFER_E_LIMIT
                          ? "max_calls are in flight"
                          : "the client or the queue is closed";
    return inf_error_set(error, status, "%s", why);
  }
  if (out)
    *out = call;
  else
    inf_call_unref(call);
  return INFER_OK;
}

int32_t
infer_submit(infer_client *client, const infer_request *request, int32_t mode,
             infer_queue *queue, uint64_t tag, infer_call **out,
             infer_error **error)
{
  inf_clear_error(error);
  if (out)
    *out = NULL;
  int32_t status = check_submit(client, request, mode, queue, error);
  if (status != INFER_OK)
    return status;
  struct infer_call *call;
  status = inf_call_new(&call, client, request, INF_CALL_CHAT, mode, queue, tag,
                        error);
  return status == INFER_OK ? inf_submit_call(call, out, error) : status;
}

/* ---- Calls --------------------------------------------------------------- */

static bool
is_forked(const struct infer_call *call)
{
  return call->client->fork_generation != inf_fork_generation();
}

int32_t
infer_call_cancel(infer_call *call)
{
  if (!call)
    return INFER_E_INVALID_ARGUMENT;
  if (is_forked(call))
    return INFER_E_FORKED;
  pthread_mutex_lock(&call->queue->mutex);
  bool done = call->done; /* the loop need not be woken for it */
  pthread_mutex_unlock(&call->queue->mutex);
  if (!done && !atomic_exchange(&call->cancel_requested, true))
    inf_client_command(call->client, call);
  return INFER_OK;
}

static bool
call_is_done(void *context)
{
  return ((struct infer_call *)context)->done;
}

int32_t
infer_call_wait(infer_call *call, int64_t timeout_ms, infer_response **response,
                infer_error **error)
{
  inf_clear_error(error);
  if (response)
    *response = NULL;
  if (!call)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "call is NULL");
  struct infer_client *client = call->client;
  int32_t status = inf_guard_client(client, error);
  if (status == INFER_OK)
    status = inf_guard_wait(client, error);
  if (status != INFER_OK)
    return status;
  uint64_t wait_ns = inf_wait_ns(timeout_ms);
  uint64_t until_ns =
      inf_time_add(inf_clock_now(client->engine.clock), wait_ns);
  if (!inf_client_wait(client, call->queue, call_is_done, call, until_ns))
    return inf_error_set(error, INFER_E_TIMEOUT, "the call goes on");
  pthread_mutex_lock(&call->queue->mutex);
  if (response)
    *response = inf_response_ref(call->response);
  if (error)
    *error = inf_error_ref(call->error);
  status = call->status;
  pthread_mutex_unlock(&call->queue->mutex);
  return status;
}

uint64_t
infer_call_id(const infer_call *call)
{
  return call ? call->id : 0;
}

uint64_t
infer_call_tag(const infer_call *call)
{
  return call ? call->tag : 0;
}

const char *
infer_call_route(const infer_call *call)
{
  return call ? call->trail->route->name : "";
}

const char *
infer_call_tenant(const infer_call *call)
{
  return call && call->request->tenant ? call->request->tenant : "";
}

const char *
infer_call_tag_value(const infer_call *call, const char *name)
{
  for (size_t i = 0; call && name && i < call->request->tag_count; i++)
    if (strcmp(call->request->tags[i].name, name) == 0)
      return call->request->tags[i].value;
  return "";
}

const char *
infer_call_tag_name(const infer_call *call, size_t index)
{
  return call && index < call->request->tag_count
             ? call->request->tags[index].name
             : "";
}

void
infer_call_free(infer_call *call)
{
  if (call && !is_forked(call))
    inf_call_unref(call);
}

/* ---- Blocking ------------------------------------------------------------ */

int32_t
infer_chat(infer_client *client, const infer_request *request,
           infer_response **response, infer_error **error)
{
  inf_clear_error(error);
  if (response)
    *response = NULL;
  int32_t status = inf_guard_client(client, error);
  if (status == INFER_OK)
    status = inf_guard_wait(client, error);
  if (status != INFER_OK)
    return status;
  infer_call *call;
  status =
      infer_submit(client, request, INFER_SUBMIT_WHOLE, NULL, 0, &call, error);
  if (status != INFER_OK)
    return status;
  status = infer_call_wait(call, -1, response, error);
  infer_call_free(call);
  return status;
}

/* Hands events to the callback until the terminal one has come. A callback
 * that wants to stop cancels the call; it hears nothing more. */
static void
pump_events(struct infer_queue *queue, struct infer_call *call,
            infer_event_fn on_event, void *user_data)
{
  enum { batch = 16 };
  bool stopped = false;
  for (bool done = false; !done;) {
    struct infer_event *events[batch];
    size_t count;
    if (infer_queue_poll_batch(queue, events, batch, -1, &count) != INFER_OK)
      return;
    for (size_t i = 0; i < count; i++) {
      done = done || events[i]->type == INFER_EVENT_DONE;
      if (!stopped && on_event && on_event(events[i], user_data) != 0) {
        stopped = true;
        infer_call_cancel(call);
      }
      infer_event_free(events[i]);
    }
  }
}

int32_t
infer_chat_stream(infer_client *client, const infer_request *request,
                  infer_event_fn on_event, void *user_data,
                  infer_response **response, infer_error **error)
{
  inf_clear_error(error);
  if (response)
    *response = NULL;
  int32_t status = inf_guard_client(client, error);
  if (status == INFER_OK)
    status = inf_guard_wait(client, error);
  if (status != INFER_OK)
    return status;
  infer_queue *queue;
  status = infer_queue_new(&queue, client);
  if (status != INFER_OK)
    return inf_error_set(error, status, "out of memory");
  infer_call *call;
  status = infer_submit(client, request, INFER_SUBMIT_STREAM, queue, 0, &call,
                        error);
  if (status == INFER_OK) {
    pump_events(queue, call, on_event, user_data);
    status = infer_call_wait(call, -1, response, error);
    infer_call_free(call);
  }
  infer_queue_free(queue);
  return status;
}

/* ---- Queues -------------------------------------------------------------- */

int32_t
infer_queue_new(infer_queue **queue, infer_client *client)
{
  if (!queue)
    return INFER_E_INVALID_ARGUMENT;
  *queue = NULL;
  int32_t status = inf_guard_client(client, NULL);
  if (status != INFER_OK)
    return status;
  *queue = inf_queue_new(client);
  return *queue ? INFER_OK : INFER_E_NO_MEMORY;
}

void
infer_queue_free(infer_queue *queue)
{
  if (!queue)
    return;
  if (queue->fork_generation != inf_fork_generation()) {
    inf_queue_close_fds(queue);
    return;
  }
  inf_queue_set_wakeup(queue, NULL, NULL);
  inf_queue_abandon(queue);
  struct infer_call *call;
  while ((call = inf_queue_next_live(queue))) {
    infer_call_cancel(call);
    inf_call_unref(call);
  }
  if (!queue->client->threaded)
    inf_client_wake(queue->client); /* a poller that drives must look */
  inf_queue_unref(queue);
}

/* Called with the queue's mutex: is there a reason to stop waiting? */
INF_HOT static bool
queue_is_ready(void *context)
{
  struct infer_queue *queue = context;
  return atomic_load_explicit(&queue->events, memory_order_relaxed) > 0 ||
         queue->freed || atomic_load(&queue->client->drained);
}

/* Waits for events until until_ns and takes them. Where several threads poll,
 * another one may have been faster: then it waits on. */
INF_HOT static int32_t
wait_and_take(struct infer_queue *queue, infer_event **events, size_t capacity,
              uint64_t until_ns, size_t *count)
{
  struct infer_client *client = queue->client;
  for (bool ready = true;;) {
    bool freed, drained = atomic_load(&client->drained);
    *count = inf_queue_take(queue, events, capacity, &freed);
    if (*count > 0)
      return INFER_OK;
    if (freed || drained)
      return INFER_E_CLOSED;
    if (!ready)
      return INFER_E_TIMEOUT;
    ready = inf_client_wait(client, queue, queue_is_ready, queue, until_ns);
  }
}

INF_HOT int32_t
infer_queue_poll_batch(infer_queue *queue, infer_event **events,
                       size_t capacity, int64_t timeout_ms, size_t *count)
{
  if (count)
    *count = 0;
  if (!queue || !events || !count || capacity == 0)
    return INFER_E_INVALID_ARGUMENT;
  struct infer_client *client = queue->client;
  bool empty = atomic_load_explicit(&queue->events, memory_order_acquire) == 0;
  if (queue->fork_generation != inf_fork_generation())
    return INFER_E_FORKED;
  if (empty && timeout_ms == 0 && client->threaded &&
      !atomic_load_explicit(&client->drained, memory_order_relaxed))
    return INFER_E_TIMEOUT;
  if (inf_client_in_loop(client))
    return INFER_E_REENTRANT;
  uint64_t until_ns = 0;
  if (timeout_ms < 0)
    until_ns = INF_NEVER;
  else if (timeout_ms > 0)
    until_ns = inf_time_add(inf_clock_now(client->engine.clock),
                            inf_wait_ns(timeout_ms));
  inf_queue_ref(queue); /* it may be freed meanwhile */
  int32_t status = wait_and_take(queue, events, capacity, until_ns, count);
  inf_queue_unref(queue);
  return status;
}

int32_t
infer_queue_poll(infer_queue *queue, int64_t timeout_ms, infer_event **event)
{
  if (!event)
    return INFER_E_INVALID_ARGUMENT;
  size_t count;
  *event = NULL;
  return infer_queue_poll_batch(queue, event, 1, timeout_ms, &count);
}

int32_t
infer_queue_fd(infer_queue *queue)
{
  if (!queue || queue->fork_generation != inf_fork_generation())
    return -1;
  return inf_queue_fd(queue);
}

int32_t
infer_queue_set_wakeup(infer_queue *queue, void (*fn)(void *user_data),
                       void *user_data)
{
  if (!queue)
    return INFER_E_INVALID_ARGUMENT;
  if (queue->fork_generation != inf_fork_generation())
    return INFER_E_FORKED;
  if (inf_queue_set_wakeup(queue, fn, user_data) && fn)
    fn(user_data);
  return INFER_OK;
}
