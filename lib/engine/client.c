/* SPDX-License-Identifier: MIT */
/* The client: mailbox, loop thread or driving callers, and the order in which
 * everything ends. Lock order: client->mutex before queue->mutex. */
#include "engine/client.h"

#include "base/mem.h"
#include "base/place.h"
#include "base/thread.h"
#include "engine/budget_store.h"
#include "engine/process.h"
#include "engine/refusals.h"
#include "engine/token_request.h"

#include <sched.h>

/* Headers of one response, all together: libcurl itself refuses more. */
enum { max_header_bytes = 256 << 10 };

/* The client whose loop this thread is running right now. */
static _Thread_local const struct infer_client *loop_of_this_thread;
/* The client that this thread is about to wake: counted in its wakers. */
static _Thread_local const struct infer_client *waking;

/* ---- Mailbox ------------------------------------------------------------- */

/* With the client's mutex: there is mail. True if somebody may wait who has to
 * be woken, by wake() and without the mutex: the loop would run into it at
 * once. Where the application drives, no thread is in a turn and nobody watches
 * the fd, nobody does: the next turn looks at the mail before it waits. */
static bool
post_locked(struct infer_client *client)
{
  bool watched = client->threaded || client->driving || client->fd_watched;
  if (client->stopped)
    return false;
  atomic_store(&client->mail, true);
  if (watched) {
    atomic_fetch_add(&client->wakers, 1);
    waking = client;
  }
  return watched;
}

/* The transport stays until this is done: see stop_loop(). */
static void
wake(struct infer_client *client)
{
  client->engine.transport->ops->wake(client->engine.transport);
  atomic_fetch_sub(&client->wakers, 1);
  waking = NULL;
}

/* exit() was called by a signal handler amidst a wake of this thread, which
 * never goes on with it. */
static void
forget_waking(struct infer_client *client)
{
  if (waking == client && atomic_load(&client->wakers) > 0)
    atomic_fetch_sub(&client->wakers, 1);
  waking = NULL;
}

/* Unlocks the client's mutex; there is mail. */
static void
unlock_and_wake(struct infer_client *client)
{
  bool awaited = post_locked(client);
  pthread_mutex_unlock(&client->mutex);
  if (awaited)
    wake(client);
}

int
inf_client_fd(struct infer_client *client)
{
  int fd = -1;
  pthread_mutex_lock(&client->mutex);
  if (!client->stopped) {
    inf_transport *transport = client->engine.transport;
    client->fd_watched = true;
    if (atomic_load(&client->mail))
      transport->ops->wake(transport);
    fd = transport->ops->fd(transport);
  }
  pthread_mutex_unlock(&client->mutex);
  return fd;
}

/* The next call of a list of commands, with the command's reference; NULL if
 * none. From here on a new command may queue it again. */
static struct infer_call *
next_command(struct infer_client *client, inf_list *commands)
{
  pthread_mutex_lock(&client->mutex);
  inf_list *node = inf_list_pop_front(commands);
  struct infer_call *call = NULL;
  if (node) {
    call = INF_CONTAINER_OF(node, struct infer_call, command_node);
    call->command_queued = false;
  }
  pthread_mutex_unlock(&client->mutex);
  return call;
}

/* The application's hooks, and what they use, may be gone. Loop only. */
INF_COLD static void
silence(struct infer_client *client)
{
  static const inf_config_hooks none;
  client->engine.hooks = &none;
  client->loop_log = none.log;
  pthread_mutex_lock(&client->mutex);
  for (inf_list *node = client->queues.next; node != &client->queues;
       node = node->next) {
    struct infer_queue *queue =
        INF_CONTAINER_OF(node, struct infer_queue, client_node);
    pthread_mutex_lock(&queue->mutex);
    queue->wakeup = NULL;
    pthread_mutex_unlock(&queue->mutex);
  }
  pthread_mutex_unlock(&client->mutex);
}

/* Options of the loop, what it keeps warm, and the collector. Loop only. */
INF_COLD static void
use_config(struct infer_client *client, inf_config *config)
{
  inf_engine *engine = &client->engine;
  engine->delivery_interval_ns =
      (uint64_t)config->client.delivery_interval_ms * INF_NS_PER_MS;
  engine->paused.max_bytes = (uint64_t)config->client.max_paused_bytes;
  inf_waiting_configure(&engine->waiting,
                        (size_t)config->client.max_waiting_calls);
  inf_credentials_configure(engine, config);
  inf_warmer_configure(engine, config);
  if (inf_exporter_configure(engine, config, client->export_seed))
    atomic_store(&client->exporting, true);
}

/* What was in the mailbox: nothing but new calls, whose ends the engine tells;
 * something that may have ended a wait of the very thread that drives; or the
 * order to end the loop. */
typedef enum mail_kind { MAIL_CALLS, MAIL_ORDERS, MAIL_STOP } mail_kind;

/* Takes what other threads left: new calls first, and both lists at one moment,
 * so that a cancel finds its call begun. Loop only. */
INF_HOT static mail_kind
take_mail(struct infer_client *client)
{
  inf_engine *engine = &client->engine;
  if (!atomic_exchange(&client->mail, false))
    return MAIL_CALLS;
  inf_list submitted, commands, warm_asks, tokens;
  inf_list_init(&submitted);
  inf_list_init(&commands);
  inf_list_init(&warm_asks);
  inf_list_init(&tokens);
  pthread_mutex_lock(&client->mutex);
  inf_list_splice_back(&submitted, &client->submitted);
  inf_list_splice_back(&commands, &client->commands);
  inf_list_splice_back(&warm_asks, &client->warm_asks);
  inf_list_splice_back(&tokens, &client->token_answers);
  bool cancel_all = client->cancel_all, stop = client->stop;
  bool silent = client->silent;
  bool closing = client->closing;
  inf_config *reloaded =
      client->reloaded ? inf_config_ref(client->config) : NULL;
  bool only_calls = inf_list_empty(&commands) && inf_list_empty(&warm_asks) &&
                    !cancel_all && !closing && !reloaded && !client->look;
  client->reloaded = client->look = false;
  pthread_mutex_unlock(&client->mutex);

  if (silent)
    silence(client);
  inf_budget_store_tell(client->budget_store, &engine->hooks->log);
  inf_engine_update_time(engine, INF_NEVER);
  if (reloaded)
    use_config(client, reloaded);
  inf_config_unref(reloaded);
  if (closing) {
    inf_warmer_stop(engine);
    inf_exporter_close(engine);
  }
  inf_list *node;
  while ((node = inf_list_pop_front(&submitted)))
    inf_engine_begin(engine,
                     INF_CONTAINER_OF(node, struct infer_call, engine_node));
  while ((node = inf_list_pop_front(&warm_asks)))
    inf_warmups_ask(engine, INF_CONTAINER_OF(node, inf_warm_ask, node));
  while ((node = inf_list_pop_front(&tokens)))
    inf_credentials_answer(
        engine, INF_CONTAINER_OF(node, struct infer_token_request, node));
  struct infer_call *call;
  while ((call = next_command(client, &commands))) {
    if (atomic_load(&call->cancel_requested))
      inf_engine_cancel(engine, call, "cancelled by the caller");
    else
      inf_engine_resume(engine, call);
    inf_call_unref(call);
  }
  if (cancel_all) {
    inf_engine_cancel_all(engine, "the client was closed");
    inf_exporter_end(engine);
  }
  if (stop)
    return MAIL_STOP;
  return only_calls ? MAIL_CALLS : MAIL_ORDERS;
}

bool
inf_client_answer_token(struct infer_client *client,
                        struct infer_token_request *answer)
{
  pthread_mutex_lock(&client->mutex);
  if (client->stopped) {
    pthread_mutex_unlock(&client->mutex);
    return false;
  }
  inf_list_push_back(&client->token_answers, &answer->node);
  unlock_and_wake(client);
  return true;
}

int32_t
inf_client_submit(struct infer_client *client, struct infer_call *call)
{
  struct infer_queue *queue = call->queue;
  pthread_mutex_lock(&client->mutex);
  int32_t status = INFER_OK;
  if (client->closing)
    status = INFER_E_CLOSED;
  else if (atomic_load(&client->live_count) >= client->max_calls)
    status = INFER_E_LIMIT;
  else {
    pthread_mutex_lock(&queue->mutex);
    if (queue->freed)
      status = INFER_E_CLOSED;
    else
      inf_list_push_back(&queue->calls, &call->queue_node);
    pthread_mutex_unlock(&queue->mutex);
  }
  if (status != INFER_OK) {
    pthread_mutex_unlock(&client->mutex);
    return status;
  }
  inf_list_push_back(&client->submitted, &call->engine_node);
  atomic_fetch_add(&client->call_count, 1);
  atomic_fetch_add(&client->live_count, 1);
  unlock_and_wake(client);
  return INFER_OK;
}

void
inf_client_command(struct infer_client *client, struct infer_call *call)
{
  pthread_mutex_lock(&client->mutex);
  if (call->command_queued || client->stopped) {
    pthread_mutex_unlock(&client->mutex);
    return;
  }
  call->command_queued = true;
  inf_call_ref(call);
  inf_list_push_back(&client->commands, &call->command_node);
  unlock_and_wake(client);
}

/* ---- The end of calls ---------------------------------------------------- */

static void
broadcast_queues_locked(struct infer_client *client)
{
  for (inf_list *node = client->queues.next; node != &client->queues;
       node = node->next) {
    struct infer_queue *queue =
        INF_CONTAINER_OF(node, struct infer_queue, client_node);
    pthread_mutex_lock(&queue->mutex);
    pthread_cond_broadcast(&queue->cond);
    pthread_mutex_unlock(&queue->mutex);
  }
}

static void
note_drained_locked(struct infer_client *client)
{
  if (!client->closing || atomic_load(&client->call_count) > 0 ||
      atomic_load(&client->exporting) || atomic_load(&client->drained))
    return;
  atomic_store(&client->drained, true);
  broadcast_queues_locked(client);
  pthread_cond_broadcast(&client->cond);
}

INF_COLD static void
note_drained(struct infer_client *client)
{
  pthread_mutex_lock(&client->mutex);
  note_drained_locked(client);
  pthread_mutex_unlock(&client->mutex);
}

static void
on_call_ending(void *context, struct infer_call *call)
{
  (void)call;
  struct infer_client *client = context;
  atomic_fetch_sub(&client->live_count, 1);
}

/* Whoever closes the client sets closing before it looks at the count, and
 * this counts before it looks at closing: one of the two sees the other. */
static void
on_call_ended(void *context, struct infer_call *call)
{
  (void)call;
  struct infer_client *client = context;
  atomic_fetch_sub(&client->call_count, 1);
  if (atomic_load(&client->closing))
    note_drained(client);
}

/* The same order as of calls: exporting, then closing. */
INF_COLD static void
on_exported(void *context)
{
  struct infer_client *client = context;
  atomic_store(&client->exporting, false);
  if (atomic_load(&client->closing))
    note_drained(client);
}

/* ---- The loop ------------------------------------------------------------ */

/* The last act of the loop: every call ends, the engine goes. */
INF_COLD static void
stop_loop(struct infer_client *client)
{
  inf_engine *engine = &client->engine;
  take_mail(client);
  inf_engine_cancel_all(engine, "the client was freed");
  inf_deliver_flush(engine);
  inf_refusals_tell(engine->runtime, &engine->hooks->log);
  inf_budget_store_end(client->budget_store, &engine->hooks->log);
  client->budget_store = NULL;
  pthread_mutex_lock(&client->mutex);
  client->stopped = true;
  pthread_mutex_unlock(&client->mutex);
  /* They are in a write(). A yield would not let them go on where this thread
   * has a higher priority. */
  static const struct timespec pause = {0, 50 * INF_NS_PER_US};
  while (atomic_load(&client->wakers) > 0)
    nanosleep(&pause, NULL);
  inf_engine_fini(engine);
  /* Commands that came too late: their calls have ended. */
  struct infer_call *call;
  while ((call = next_command(client, &client->commands)))
    inf_call_unref(call);
  inf_list *node;
  while ((node = inf_list_pop_front(&client->token_answers)))
    inf_token_request_free(
        INF_CONTAINER_OF(node, struct infer_token_request, node));
  pthread_mutex_lock(&client->mutex);
  client->ended = true;
  pthread_cond_broadcast(&client->cond);
  pthread_mutex_unlock(&client->mutex);
}

/* Who makes one blocking call after another comes back at once. To sleep and be
 * woken on another core takes longer than that (some 25 microseconds on virtual
 * machines), so an idle loop that has just answered looks for the next call
 * before it sleeps. It yields all the while: the caller may need this core. */
static void
await_next_call(struct infer_client *client)
{
  enum { await_ns = 30 * INF_NS_PER_US, looks_max = 1000 };
  inf_engine *engine = &client->engine;
  bool idle = inf_list_empty(&engine->calls) &&
              inf_list_empty(&engine->attempts) && engine->caller_woken;
  engine->caller_woken = false;
  if (!idle)
    return;
  uint64_t until_ns = inf_time_add(inf_clock_now(engine->clock), await_ns);
  for (int i = 0; i < looks_max && !atomic_load(&client->mail) &&
                  inf_clock_now(engine->clock) < until_ns;
       i++)
    sched_yield();
}

static void *
loop_main(void *context)
{
  struct infer_client *client = context;
  loop_of_this_thread = client;
  while (take_mail(client) != MAIL_STOP) {
    inf_engine_turn(&client->engine, INF_NEVER);
    await_next_call(client);
  }
  stop_loop(client);
  inf_client_unref(client);
  return NULL;
}

bool
inf_client_in_loop(const struct infer_client *client)
{
  return loop_of_this_thread == client;
}

/* A turn on this thread, which no other thread drives meanwhile. */
INF_HOT static void
run_turn(struct infer_client *client, uint64_t wait_ns)
{
  const struct infer_client *outer = loop_of_this_thread;
  loop_of_this_thread = client;
  mail_kind mail = take_mail(client);
  inf_engine_turn(&client->engine, mail == MAIL_CALLS ? wait_ns : 0);
  if (atomic_load(&client->stop)) /* a hook may have freed the client */
    stop_loop(client);
  loop_of_this_thread = outer;
}

/* Does nothing if a turn has ended since `turns` was read: whoever looked for
 * something before that must look again, for nobody tells him of what that
 * turn brought, and the next one may wait for long. */
INF_HOT static void
drive_since(struct infer_client *client, uint64_t turns, uint64_t wait_ns)
{
  pthread_mutex_lock(&client->mutex);
  bool idle = !client->stopped && client->turns == turns;
  if (idle && client->driving) {
    inf_cond_wait(&client->cond, &client->mutex, wait_ns);
    idle = false;
  }
  if (idle)
    client->driving = true;
  pthread_mutex_unlock(&client->mutex);
  if (!idle)
    return;

  inf_client_ref(client); /* a hook may free the client */
  run_turn(client, wait_ns);
  pthread_mutex_lock(&client->mutex);
  client->driving = false;
  atomic_fetch_add(&client->turns, 1);
  /* This turn may have taken the wake-up of mail that it did not see. */
  if (client->fd_watched && !client->stopped && atomic_load(&client->mail))
    client->engine.transport->ops->wake(client->engine.transport);
  pthread_cond_broadcast(&client->cond);
  pthread_mutex_unlock(&client->mutex);
  inf_client_unref(client);
}

void
inf_client_drive(struct infer_client *client, uint64_t wait_ns)
{
  drive_since(client, atomic_load(&client->turns), wait_ns);
}

void
inf_client_wake(struct infer_client *client)
{
  pthread_mutex_lock(&client->mutex);
  client->look = true;
  unlock_and_wake(client);
}

static uint64_t
remaining_ns(const struct infer_client *client, uint64_t until_ns)
{
  if (until_ns == INF_NEVER)
    return INF_NEVER;
  uint64_t now_ns = inf_clock_now(client->engine.clock);
  return now_ns < until_ns ? until_ns - now_ns : 0;
}

INF_HOT static bool
wait_driving(struct infer_client *client, struct infer_queue *queue,
             bool (*ready)(void *context), void *context, uint64_t until_ns)
{
  for (bool first = true;; first = false) {
    uint64_t turns = atomic_load(&client->turns);
    pthread_mutex_lock(&queue->mutex);
    bool is_ready = ready(context);
    pthread_mutex_unlock(&queue->mutex);
    uint64_t wait_ns = remaining_ns(client, until_ns);
    if (is_ready || (wait_ns == 0 && !first))
      return is_ready;
    drive_since(client, turns, wait_ns);
  }
}

INF_HOT bool
inf_client_wait(struct infer_client *client, struct infer_queue *queue,
                bool (*ready)(void *context), void *context, uint64_t until_ns)
{
  if (!client->threaded)
    return wait_driving(client, queue, ready, context, until_ns);
  pthread_mutex_lock(&queue->mutex);
  queue->pollers++;
  bool is_ready;
  while (!(is_ready = ready(context))) {
    uint64_t wait_ns = remaining_ns(client, until_ns);
    if (wait_ns == 0)
      break;
    inf_cond_wait(&queue->cond, &queue->mutex, wait_ns);
  }
  queue->pollers--;
  pthread_mutex_unlock(&queue->mutex);
  return is_ready;
}

/* ---- Making and ending --------------------------------------------------- */

void
inf_client_ref(struct infer_client *client)
{
  atomic_fetch_add_explicit(&client->refs, 1, memory_order_relaxed);
}

static void
client_free(struct infer_client *client)
{
  inf_config_unref(client->config);
  inf_runtime_free(client->runtime);
  pthread_cond_destroy(&client->cond);
  pthread_mutex_destroy(&client->mutex);
  inf_free(client);
}

void
inf_client_unref(struct infer_client *client)
{
  if (atomic_fetch_sub_explicit(&client->refs, 1, memory_order_acq_rel) == 1)
    client_free(client);
}

static void
warn_of_options(const struct infer_client *client, const inf_config *config)
{
  for (size_t i = 0; i < config->provider_count; i++)
    if (!config->providers[i].endpoint.tls_verify)
      inf_logf(&client->hooks.log, INFER_LOG_WARN,
               "provider \"%s\": tls_verify is off: anybody on the way can "
               "read prompts and keys",
               config->providers[i].name);
}

static bool
start_engine(struct infer_client *client, const inf_client_parts *parts)
{
  const inf_client_options *options = &client->config->client;
  inf_curl_options network = {
      .clock = parts->clock,
      .log = &client->loop_log,
      .max_header_bytes = max_header_bytes,
      .max_idle_connections = (uint32_t)options->max_idle_connections,
  };
  inf_transport *transport = parts->new_transport(parts->context, &network);
  if (!transport)
    return false;
  inf_engine_init(&client->engine, transport, parts->clock, parts->seed,
                  client->runtime, &client->hooks);
  client->engine.on_call_ending = on_call_ending;
  client->engine.on_call_ended = on_call_ended;
  client->engine.on_exported = on_exported;
  client->engine.context = client;
  client->export_seed = parts->seed * 0x9e3779b97f4a7c15u + 1;
  use_config(client, client->config);
  return true;
}

/* Everything that does not need the loop. NULL when memory is short. */
static struct infer_client *
client_alloc(const struct infer_config *config)
{
  struct infer_client *client = inf_calloc(1, sizeof *client);
  if (!client)
    return NULL;
  if (pthread_mutex_init(&client->mutex, NULL) != 0) {
    inf_free(client);
    return NULL;
  }
  if (inf_cond_init(&client->cond) != 0) {
    pthread_mutex_destroy(&client->mutex);
    inf_free(client);
    return NULL;
  }
  atomic_init(&client->app_refs, 1);
  atomic_init(&client->refs, 1);
  atomic_init(&client->mail, false);
  atomic_init(&client->wakers, 0);
  atomic_init(&client->drained, false);
  atomic_init(&client->closing, false);
  atomic_init(&client->live_count, 0);
  atomic_init(&client->call_count, 0);
  atomic_init(&client->room_bytes, 0);
  atomic_init(&client->stop, false);
  atomic_init(&client->turns, 0);
  client->fork_generation = inf_fork_generation();
  inf_list_init(&client->process_node);
  inf_list_init(&client->submitted);
  inf_list_init(&client->commands);
  inf_list_init(&client->warm_asks);
  inf_list_init(&client->token_answers);
  inf_list_init(&client->queues);
  if (config)
    client->hooks = *inf_config_hooks_of(config);
  client->loop_log = client->hooks.log;
  client->runtime = inf_runtime_new();
  return client;
}

/* The store of budgets has something to tell. */
static void
on_store_news(void *context)
{
  inf_client_wake(context);
}

static int32_t
start_store(struct infer_client *client, struct infer_error **error)
{
  const char *file = client->config->budgets_file;
  const inf_budget_hooks *hooks = &client->hooks.budgets;
  if (!file && !hooks->load)
    return INFER_OK;
  if (file && hooks->load)
    return inf_error_set(error, INFER_E_CONFIG,
                         "budgets_file: there is a store of the application's "
                         "own already");
  inf_budget_store_parts parts = {.runtime = client->runtime,
                                  .file = file,
                                  .hooks = hooks,
                                  .clock = client->engine.clock,
                                  .news = on_store_news,
                                  .context = client};
  return inf_budget_store_new(&client->budget_store, &parts, error);
}

static int32_t
start_thread(struct infer_client *client, struct infer_error **error)
{
  inf_client_ref(client); /* the loop's */
  int failure =
      inf_thread_start(&client->thread, "infer-loop", loop_main, client);
  if (failure == 0)
    return INFER_OK;
  inf_client_unref(client);
  return inf_error_set(error, INFER_E_NO_MEMORY,
                       "the loop thread could not be started (errno %d)",
                       failure);
}

int32_t
inf_client_new_with(struct infer_client **out,
                    const struct infer_config *source,
                    const inf_client_parts *parts, struct infer_error **error)
{
  struct infer_client *client = client_alloc(source);
  if (!client)
    return inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
  int32_t status = INFER_OK;
  if (client->runtime)
    status = inf_config_compile(source, &client->config, error);
  if (!client->runtime || (status == INFER_OK && !start_engine(client, parts)))
    status = inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
  if (status != INFER_OK) {
    inf_client_unref(client);
    return status;
  }
  client->max_calls = (size_t)client->config->client.max_calls;
  warn_of_options(client, client->config);
  client->threaded = client->config->client.threads > 0;
  status = start_store(client, error);
  if (status == INFER_OK) {
    status = inf_process_add(client);
    if (status != INFER_OK)
      inf_error_set(error, status, "%s",
                    status == INFER_E_CLOSED ? "the process exits"
                                             : "out of memory");
    else if (client->threaded)
      status = start_thread(client, error);
  }
  if (status != INFER_OK) {
    inf_budget_store_end(client->budget_store, &client->hooks.log);
    inf_process_remove(client);
    inf_engine_fini(&client->engine);
    inf_client_unref(client);
    return status;
  }
  *out = client;
  return INFER_OK;
}

static inf_transport *
new_curl_transport(void *context, const inf_curl_options *options)
{
  (void)context;
  return inf_curl_transport_new(options);
}

int32_t
inf_client_new(struct infer_client **out, const struct infer_config *source,
               struct infer_error **error)
{
  const inf_client_parts parts = {
      .new_transport = new_curl_transport,
      .clock = inf_clock_system(),
      .seed = inf_rng_system_seed(),
  };
  return inf_client_new_with(out, source, &parts, error);
}

static bool
is_same_text(const char *a, const char *b)
{
  return a && b ? strcmp(a, b) == 0 : a == b;
}

int32_t
inf_client_reload(struct infer_client *client,
                  const struct infer_config *source, struct infer_error **error)
{
  inf_config *config;
  int32_t status = inf_config_compile(source, &config, error);
  if (status != INFER_OK)
    return status;
  pthread_mutex_lock(&client->mutex);
  const inf_client_options *old = &client->config->client;
  if (old->threads != config->client.threads ||
      old->max_idle_connections != config->client.max_idle_connections) {
    pthread_mutex_unlock(&client->mutex);
    inf_config_unref(config);
    return inf_error_set(error, INFER_E_CONFIG,
                         "threads and max_idle_connections cannot change in "
                         "a reload: make a new client");
  }
  if (!is_same_text(client->config->budgets_file, config->budgets_file)) {
    pthread_mutex_unlock(&client->mutex);
    inf_config_unref(config);
    return inf_error_set(error, INFER_E_CONFIG,
                         "budgets_file cannot change in a reload: make a new "
                         "client");
  }
  inf_config *before = client->config;
  client->config = config;
  client->max_calls = (size_t)config->client.max_calls;
  client->reloaded = true;
  inf_config_ref(config); /* another reload may come at once */
  unlock_and_wake(client);
  warn_of_options(client, config);
  inf_config_unref(config);
  inf_config_unref(before);
  inf_runtime_forgive_keys(client->runtime);
  return INFER_OK;
}

/* Waits until no call is left, or until_ns. */
static bool
wait_drained(struct infer_client *client, uint64_t until_ns)
{
  for (;;) {
    pthread_mutex_lock(&client->mutex);
    note_drained_locked(client);
    bool drained = atomic_load(&client->drained);
    uint64_t turns = client->turns;
    uint64_t wait_ns = remaining_ns(client, until_ns);
    if (!drained && wait_ns > 0 && client->threaded)
      inf_cond_wait(&client->cond, &client->mutex, wait_ns);
    pthread_mutex_unlock(&client->mutex);
    if (drained || wait_ns == 0)
      return drained;
    if (!client->threaded)
      drive_since(client, turns, wait_ns);
  }
}

int32_t
inf_client_close(struct infer_client *client, uint64_t drain_ns)
{
  uint64_t now_ns = inf_clock_now(client->engine.clock);
  pthread_mutex_lock(&client->mutex);
  client->closing = true;
  note_drained_locked(client); /* before those are woken who look for it */
  unlock_and_wake(client);
  if (wait_drained(client, inf_time_add(now_ns, drain_ns)))
    return INFER_OK;
  pthread_mutex_lock(&client->mutex);
  bool cut = atomic_load(&client->call_count) > 0; /* else only telemetry is */
  client->cancel_all = true;
  unlock_and_wake(client);
  wait_drained(client, INF_NEVER);
  return cut ? INFER_E_TIMEOUT : INFER_OK;
}

/* Waits until the loop has ended, or until_ns. */
static bool
wait_loop_ended(struct infer_client *client, uint64_t until_ns)
{
  bool ended;
  uint64_t wait_ns;
  pthread_mutex_lock(&client->mutex);
  while (!(ended = client->ended && !client->driving) &&
         (wait_ns = remaining_ns(client, until_ns)) > 0) {
    if (client->threaded) {
      inf_cond_wait(&client->cond, &client->mutex, wait_ns);
      continue;
    }
    pthread_mutex_unlock(&client->mutex);
    inf_client_drive(client, wait_ns); /* or another thread does */
    pthread_mutex_lock(&client->mutex);
  }
  pthread_mutex_unlock(&client->mutex);
  return ended;
}

/* Waits for the loop's thread, whose loop has ended. It does so for the first
 * who asks; the others wait for that one, until until_ns. */
static void
join_thread(struct infer_client *client, uint64_t until_ns)
{
  uint64_t wait_ns;
  pthread_mutex_lock(&client->mutex);
  bool first = !client->joining;
  client->joining = true;
  while (!first && !client->joined &&
         (wait_ns = remaining_ns(client, until_ns)) > 0)
    inf_cond_wait(&client->cond, &client->mutex, wait_ns);
  pthread_mutex_unlock(&client->mutex);
  if (!first)
    return;
  pthread_join(client->thread, NULL);
  pthread_mutex_lock(&client->mutex);
  client->joined = true;
  pthread_cond_broadcast(&client->cond);
  pthread_mutex_unlock(&client->mutex);
}

static void
wait_ended(struct infer_client *client, uint64_t until_ns)
{
  if (wait_loop_ended(client, until_ns) && client->threaded)
    join_thread(client, until_ns);
}

static void
order_end_and_unlock(struct infer_client *client)
{
  client->closing = true;
  client->cancel_all = true;
  atomic_store(&client->stop, true);
  unlock_and_wake(client);
}

void
inf_client_shutdown(struct infer_client *client)
{
  bool in_loop = inf_client_in_loop(client);
  pthread_mutex_lock(&client->mutex);
  if (in_loop) /* this thread cannot wait for itself, so nobody may */
    client->joining = client->joined = true;
  order_end_and_unlock(client);
  if (!in_loop)
    wait_ended(client, INF_NEVER);
  else if (client->threaded)
    pthread_detach(client->thread);
  note_drained(client); /* for who polls a client that had no call to end */
  inf_process_remove(client);
  inf_client_unref(client);
}

void
inf_client_end_at_exit(struct infer_client *client, uint64_t wait_ns)
{
  if (inf_client_in_loop(client)) /* it is this thread, and will not go on */
    return;
  forget_waking(client);
  uint64_t until_ns =
      inf_time_add(inf_clock_now(client->engine.clock), wait_ns);
  /* exit() may have been called in a signal handler, on a thread that holds
   * the lock. */
  if (!inf_mutex_lock_within(&client->mutex, wait_ns))
    return;
  client->silent = true;
  order_end_and_unlock(client);
  wait_ended(client, until_ns);
  note_drained(client);
}

static void
wipe_keys(const inf_config *config)
{
  const inf_buf *headers = &config->client.otlp.headers;
  if (headers->len > 0)
    inf_wipe(headers->ptr, headers->len);
  for (size_t i = 0; i < config->provider_count; i++)
    for (size_t j = 0; j < config->providers[i].key_count; j++) {
      inf_key *key = &config->providers[i].keys[j];
      inf_wipe(key->secret, key->secret_len);
      inf_wipe(key->account, key->account_len);
    }
}

/* Of attempts that live without a call. */
static void
wipe_keys_of_attempts(const inf_list *attempts)
{
  for (const inf_list *node = attempts->next; node != attempts;
       node = node->next) {
    const inf_attempt *attempt = INF_CONTAINER_OF(node, inf_attempt, node);
    if (attempt->config)
      wipe_keys(attempt->config);
  }
}

/* What the loop was about to change at the fork stays so for ever: only what
 * is whole at every moment is looked at. Calls and probes may have begun with
 * an earlier configuration. */
void
inf_client_abandon_forked(struct infer_client *client)
{
  inf_engine *engine = &client->engine;
  wipe_keys(client->config);
  inf_credentials_wipe(&engine->credentials);
  for (inf_list *node = engine->calls.next; node != &engine->calls;
       node = node->next) {
    struct infer_call *call =
        INF_CONTAINER_OF(node, struct infer_call, engine_node);
    wipe_keys(call->trail->config);
  }
  wipe_keys_of_attempts(&engine->attempts);
  wipe_keys_of_attempts(&engine->probes);
  if (engine->transport)
    engine->transport->ops->free_forked(engine->transport);
}
