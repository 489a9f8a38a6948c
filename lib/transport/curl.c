/* SPDX-License-Identifier: MIT */
/* The real transport: libcurl's multi interface, driven socket by socket
 * (curl_multi_socket_action), with epoll or poll() below it. Here is the loop;
 * an exchange is in curl_exchange.c, its connection's options in
 * curl_endpoint.c, its end in curl_result.c, and the connections themselves in
 * curl_generation.c. */
#include "transport/curl_exchange.h"

#include "base/mem.h"
#include "base/place.h"
#include "base/thread.h"
#include "infer/infer.h"

#include <pthread.h>

/* ---- Process-wide set-up ------------------------------------------------ */

/* curl_global_init() counts its calls. It guards itself since 7.84 where
 * libcurl was built with atomics; the lock serves builds without. */
static pthread_mutex_t global_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void
lock_global(void)
{
  pthread_mutex_lock(&global_mutex);
}

static void
unlock_global(void)
{
  pthread_mutex_unlock(&global_mutex);
}

/* No child finds libcurl half set up. */
static void
guard_forks(void)
{
  pthread_atfork(lock_global, unlock_global, unlock_global);
}

static bool
global_init(void)
{
  pthread_once(&fork_once, guard_forks);
  pthread_mutex_lock(&global_mutex);
  CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  pthread_mutex_unlock(&global_mutex);
  return code == CURLE_OK;
}

static void
global_cleanup(void)
{
  pthread_mutex_lock(&global_mutex);
  curl_global_cleanup();
  pthread_mutex_unlock(&global_mutex);
}

const char *
inf_curl_version(void)
{
  return curl_version();
}

bool
inf_curl_has_http2(void)
{
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  return (info->features & CURL_VERSION_HTTP2) != 0;
}

/* ---- A turn of the loop ------------------------------------------------- */

static void
bury_dead(inf_curl *transport)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&transport->dead)))
    inf_exchange_recycle(INF_CONTAINER_OF(node, inf_exchange, node));
}

void
inf_curl_hold_signals(inf_curl *transport)
{
  if (!transport->signals_held)
    inf_signals_block(&transport->signals_before);
  transport->signals_held = true;
}

/* A timer that comes due within a turn is seen in the next one. */
static uint64_t
turn_now_ns(const inf_curl *transport)
{
  uint64_t now_ns = transport->base.now_ns;
  return now_ns > 0 ? now_ns : inf_clock_now(transport->options.clock);
}

INF_HOT static void
act(inf_generation *generation, curl_socket_t fd, int mask)
{
  inf_curl *transport = generation->owner;
  int running;
  transport->dispatching = true;
  curl_multi_socket_action(generation->multi, fd, mask, &running);
  transport->dispatching = false;
  if (transport->signals_held)
    pthread_sigmask(SIG_SETMASK, &transport->signals_before, NULL);
  transport->signals_held = false;
  bury_dead(transport);
}

static void
serve_sockets(inf_curl *transport, const inf_poll_event *events, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    inf_generation *generation = inf_generation_find(transport, events[i].tag);
    unsigned mask = events[i].mask;
    if (generation)
      act(generation, events[i].fd,
          (mask & INF_POLL_IN ? CURL_CSELECT_IN : 0) |
              (mask & INF_POLL_OUT ? CURL_CSELECT_OUT : 0) |
              (mask & INF_POLL_ERR ? CURL_CSELECT_ERR : 0));
  }
}

static void
serve_timers(inf_curl *transport)
{
  inf_list *end = &transport->generations;
  for (inf_list *node = end->next; node != end; node = node->next) {
    inf_generation *generation = inf_generation_of(node);
    uint64_t at_ns = generation->timer_ns;
    if (at_ns == INF_NEVER || (at_ns > 0 && at_ns > turn_now_ns(transport)))
      continue;
    generation->timer_ns = INF_NEVER;
    act(generation, CURL_SOCKET_TIMEOUT, 0);
  }
}

/* Delivers at once what libcurl held back. Fails where a callback ended the
 * exchange, which libcurl would notice only at the next byte; a handle that is
 * not connected yet has nothing to unpause. */
INF_COLD static void
resume(inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  exchange->held = false;
  transport->dispatching = true;
  CURLcode code = curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
  transport->dispatching = false;
  bool failed = code != CURLE_OK && code != CURLE_BAD_FUNCTION_ARGUMENT &&
                exchange->state == INF_EXCHANGE_LIVE;
  bury_dead(transport);
  if (failed)
    inf_exchange_finish(exchange, code);
}

/* Of the lists that callbacks may add to, a turn serves what was there when
 * it began: so it ends. */
static void
serve_resumed(inf_curl *transport)
{
  inf_list now, *node;
  inf_list_init(&now);
  inf_list_splice_back(&now, &transport->resumed);
  while ((node = inf_list_pop_front(&now))) {
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, resume_node);
    if (exchange->state == INF_EXCHANGE_LIVE)
      resume(exchange);
  }
}

INF_COLD static void
tell_failed(inf_curl *transport)
{
  inf_list now, *node;
  inf_list_init(&now);
  inf_list_splice_back(&now, &transport->failed);
  while ((node = inf_list_pop_front(&now))) {
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    inf_exchange_finish(exchange, exchange->failure);
  }
}

static void
tell_done(inf_generation *generation)
{
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(generation->multi, &left))) {
    CURLcode code = message->data.result;
    inf_exchange *exchange = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    inf_exchange_finish(exchange, code);
  }
}

/* Without readiness a generation's exchanges would wait for ever. */
INF_COLD static void
end_broken(inf_generation *generation)
{
  inf_list now, *node;
  inf_list_init(&now);
  inf_list_splice_back(&now, &generation->live);
  while ((node = inf_list_pop_front(&now)))
    inf_exchange_finish(INF_CONTAINER_OF(node, inf_exchange, node),
                        CURLE_OUT_OF_MEMORY);
}

static int32_t
tell_ends(inf_curl *transport)
{
  int32_t status = INFER_OK;
  inf_list *end = &transport->generations;
  for (inf_list *node = end->next; node != end; node = node->next) {
    inf_generation *generation = inf_generation_of(node);
    tell_done(generation);
    if (!generation->broken)
      continue;
    transport->retire_wanted = true;
    end_broken(generation);
    status = INFER_E_NO_MEMORY;
  }
  return status;
}

static void
add_started(inf_curl *transport)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&transport->starting)))
    inf_exchange_add(INF_CONTAINER_OF(node, inf_exchange, node));
}

INF_HOT static uint64_t
transport_next_timeout_ns(inf_transport *base)
{
  inf_curl *transport = (inf_curl *)(void *)base;
  inf_list *end = &transport->generations;
  uint64_t next_ns = INF_NEVER;
  if (!inf_list_empty(&transport->failed) ||
      !inf_list_empty(&transport->resumed) ||
      !inf_list_empty(&transport->starting))
    return 0;
  for (inf_list *node = end->next; node != end; node = node->next)
    if (inf_generation_of(node)->timer_ns < next_ns)
      next_ns = inf_generation_of(node)->timer_ns;
  uint64_t patience_ns = inf_multiplex_next_ns(transport);
  return patience_ns < next_ns ? patience_ns : next_ns;
}

INF_HOT static size_t
wait_for_events(inf_curl *transport, uint64_t wait_ns, inf_poll_event *events,
                size_t capacity)
{
  uint64_t timer_ns = transport_next_timeout_ns(&transport->base);
  uint64_t now_ns = 0;
  if (timer_ns > 0 && timer_ns != INF_NEVER)
    now_ns = turn_now_ns(transport);
  uint64_t left_ns = timer_ns > now_ns ? timer_ns - now_ns : 0;
  if (left_ns < wait_ns)
    wait_ns = left_ns;
  /* A request that begins: the kernel need not be asked first. */
  if (left_ns == 0 && inf_poller_idle(transport->poller))
    return 0;
  inf_poller_set_eager(transport->poller, transport->base.eager);
  return inf_poller_wait(transport->poller, wait_ns, events, capacity);
}

/* Those that were left out come first in the next run, so that after as many
 * events as there were sockets each was served. */
static bool
falls_behind(inf_curl *transport, size_t count)
{
  size_t unserved = transport->unserved;
  if (unserved == 0)
    unserved = inf_poller_count(transport->poller);
  bool more = inf_poller_left_out(transport->poller) && count < unserved;
  transport->unserved = more ? unserved - count : 0;
  return more;
}

INF_HOT static int32_t
transport_run(inf_transport *base, uint64_t wait_ns)
{
  inf_curl *transport = (inf_curl *)(void *)base;
  inf_poll_event events[64];
  size_t count = wait_for_events(transport, wait_ns, events,
                                 sizeof events / sizeof events[0]);
  base->behind = falls_behind(transport, count);
  if (base->after_wait)
    base->after_wait(base->after_wait_context);
  transport->running = true;
  transport->turn_ns = 0;
  tell_failed(transport);
  serve_sockets(transport, events, count);
  serve_timers(transport);
  serve_resumed(transport);
  int32_t status = tell_ends(transport);
  transport->running = false;
  if (transport->retire_wanted && !inf_generations_retire(transport))
    status = INFER_E_NO_MEMORY;
  inf_generations_free_drained(transport);
  inf_multiplex_serve_timer(transport);
  add_started(transport);
  return status;
}

/* ---- The table ---------------------------------------------------------- */

static inf_exchange *
transport_start(inf_transport *base, const inf_http_request *request,
                const inf_exchange_events *events, void *context)
{
  return inf_exchange_start((inf_curl *)(void *)base, request, events, context);
}

static void
transport_wake(inf_transport *base)
{
  inf_poller_wake(((inf_curl *)(void *)base)->poller);
}

static int
transport_fd(inf_transport *base)
{
  return inf_poller_fd(((inf_curl *)(void *)base)->poller);
}

static void
transport_retire_idle(inf_transport *base)
{
  inf_curl_retire((inf_curl *)(void *)base);
}

static void
transport_free(inf_transport *base)
{
  inf_curl *transport = (inf_curl *)(void *)base;
  inf_list *node;
  inf_lookups_cancel(transport);
  while (!inf_list_empty(&transport->generations))
    inf_generation_free(inf_generation_of(transport->generations.next));
  while ((node = inf_list_pop_front(&transport->pool)))
    inf_exchange_free(INF_CONTAINER_OF(node, inf_exchange, node));
  curl_share_cleanup(transport->share); /* NULL is harmless */
  curl_share_cleanup(transport->lookup_share);
  inf_names_fini(&transport->names);
  inf_poller_free(transport->poller);
  inf_free(atomic_load(&transport->open_sockets));
  inf_free(transport);
  global_cleanup();
}

static void
transport_free_forked(inf_transport *base)
{
  inf_curl *transport = (inf_curl *)(void *)base;
  inf_curl_close_sockets(transport);
  inf_poller_close(transport->poller);
}

static const inf_transport_ops ops = {
    .start = transport_start,
    .cancel = inf_exchange_cancel,
    .set_paused = inf_exchange_set_paused,
    .held_bytes = inf_exchange_held_bytes,
    .run = transport_run,
    .wake = transport_wake,
    .fd = transport_fd,
    .next_timeout_ns = transport_next_timeout_ns,
    .retire_idle = transport_retire_idle,
    .free = transport_free,
    .free_forked = transport_free_forked,
};

static CURLSH *
make_share(curl_lock_data what)
{
  CURLSH *share = curl_share_init();
  if (share)
    curl_share_setopt(share, CURLSHOPT_SHARE, what);
  return share;
}

/* Up to version 8.6 libcurl copies a body below 64 KiB whole when it sends the
 * header; later ones may read it as they send. */
static size_t
copied_body_max(void)
{
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  return info->version_num < 0x080700 ? (64u << 10) - 1 : 0;
}

inf_transport *
inf_curl_transport_new(const inf_curl_options *options)
{
  if (!global_init())
    return NULL;
  inf_curl *transport = inf_calloc(1, sizeof *transport);
  if (!transport) {
    global_cleanup();
    return NULL;
  }
  transport->base.ops = &ops;
  transport->options = *options;
  transport->copied_body_max = copied_body_max();
  transport->patience_ns = inf_multiplex_patience_ns;
  transport->silence_ns = inf_silence_ns;
  inf_list *lists[] = {&transport->generations, &transport->starting,
                       &transport->leaders,     &transport->failed,
                       &transport->resumed,     &transport->dead,
                       &transport->pool,        &transport->lookups};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
    inf_list_init(lists[i]);
  transport->poller = inf_poller_new();
  transport->share = make_share(CURL_LOCK_DATA_SSL_SESSION);
  transport->lookup_share = make_share(CURL_LOCK_DATA_DNS);
  inf_names_init(&transport->names);
  if (!transport->poller || !transport->share || !transport->lookup_share ||
      !inf_generation_add(transport)) {
    transport_free(&transport->base);
    return NULL;
  }
  return &transport->base;
}
