/* SPDX-License-Identifier: MIT */
/* Warm-ups as they run. How a connection is made ready is the transport's
 * knowledge, when that is of use is decided in policy/warmth.c.
 *
 * IMPLEMENTATION NOTES
 *
 * With a warm_path the warm-up is a GET, over either protocol: the server has
 * answered then, and keeps the connection as long as any other. Without one
 * nothing is asked, which leaves a connection of HTTP/2 only.
 *
 * The GET carries no key. A path that wants one is answered with 401, and the
 * connection is warm all the same. */
#include "engine/engine.h"

#include "base/mem.h"
#include "engine/observe.h"

#include <stdio.h>

/* At the same time; others wait for their turn. */
enum { max_running = 16 };
/* No connection is worth a longer wait. */
enum { max_ms = 30000 };
/* The answer to a GET may be so long: a list of models is some 100 KiB. */
enum { max_answer_bytes = 1 << 20 };

static const char lines[] =
    "User-Agent: libinfer/" INFER_VERSION "\0Accept: */*";

typedef struct inf_warmup {
  inf_list node; /* in waiting or running */
  inf_engine *engine;
  inf_config *config; /* pins the provider */
  const inf_provider_config *provider;
  inf_warm_ask *ask; /* NULL: for the warmer */
  size_t row;
  inf_exchange *exchange;
  inf_buf url;
  const char *path; /* NULL: nothing is sent */
  uint64_t start_ns, until_ns;
  size_t received_bytes;
  int http_status;
  bool again; /* the connection that waited was closed: over a new one */
} inf_warmup;

/* ---- The end of a warm-up ------------------------------------------------ */

static void
warmup_free(inf_warmup *warmup)
{
  inf_list_remove(&warmup->node);
  if (warmup->ask)
    inf_warm_ask_unref(warmup->ask);
  inf_config_unref(warmup->config);
  inf_buf_fini(&warmup->url);
  inf_free(warmup);
}

static int32_t
reached_by(const inf_exchange_result *result)
{
  if (result->connection_kept)
    return INFER_WARM_READY;
  if (result->times.tls_ns > 0)
    return INFER_WARM_TLS;
  if (result->times.connect_ns > 0 || result->reused_connection)
    return INFER_WARM_CONNECTED;
  return result->times.lookup_ns > 0 ? INFER_WARM_LOOKUP : INFER_WARM_NOTHING;
}

/* Why no connection waits. */
static void
write_reason(const inf_warmup *warmup, const inf_exchange_result *result,
             inf_warm_row *row)
{
  size_t size = sizeof row->reason;
  row->reason[0] = '\0';
  if (result->connection_kept)
    return;
  if (warmup->received_bytes > max_answer_bytes)
    snprintf(row->reason, size, "the answer to GET %s is over %d KiB",
             warmup->path, max_answer_bytes >> 10);
  else if (result->net != INF_NET_OK)
    snprintf(row->reason, size, "%s", result->detail);
  else if (warmup->config->client.max_idle_connections == 0)
    snprintf(row->reason, size, "%s",
             "max_idle_connections is 0: no connection is kept");
  else if (warmup->path)
    snprintf(row->reason, size,
             "the server closed the connection after GET %s (status %d)",
             warmup->path, warmup->http_status);
  else
    snprintf(row->reason, size, "%s",
             "a connection of HTTP/1.1 is kept only after a request: set "
             "the provider's warm_path");
}

static void
finish(inf_warmup *warmup, const inf_exchange_result *result)
{
  inf_engine *engine = warmup->engine;
  inf_warm_row row = {
      .status = inf_attempt_class_of_net(result->net),
      .reached = reached_by(result),
      .protocol = result->protocol ? result->protocol : "",
      .took_ns = (int64_t)(engine->now_ns - warmup->start_ns),
  };
  write_reason(warmup, result, &row);
  inf_logf(&engine->hooks->log, INFER_LOG_DEBUG,
           "warm-up of provider \"%s\": %s%s%s", warmup->provider->name,
           result->connection_kept ? "a connection waits, " : row.reason,
           result->connection_kept ? row.protocol : "",
           result->connection_kept && result->reused_connection ? ", as before"
                                                                : "");
  inf_observe_warm_up(engine, warmup->provider, result, warmup->start_ns,
                      row.status);
  inf_warmer_ended(engine, warmup->provider, !warmup->ask, result);
  if (warmup->ask)
    inf_warm_ask_put(warmup->ask, warmup->row, &row);
  engine->warmups.running_count--;
  warmup_free(warmup);
}

/* ---- What the transport tells -------------------------------------------- */

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  (void)headers;
  ((inf_warmup *)context)->http_status = status;
  return true;
}

static bool
on_body(void *context, const char *ptr, size_t len)
{
  (void)ptr;
  inf_warmup *warmup = context;
  warmup->received_bytes += len;
  return warmup->received_bytes <= max_answer_bytes;
}

static bool start_exchange(inf_warmup *warmup);

static void
on_done(void *context, const inf_exchange_result *result)
{
  inf_warmup *warmup = context;
  warmup->exchange = NULL;
  if (result->net == INF_NET_RESET && result->reused_connection &&
      !warmup->again) {
    warmup->again = true;
    if (start_exchange(warmup))
      return;
  }
  inf_engine *engine = warmup->engine;
  finish(warmup, result);
  inf_warmups_start(engine);
}

static const inf_exchange_events exchange_events = {NULL, on_headers, on_body,
                                                    on_done};

/* ---- The start of a warm-up ---------------------------------------------- */

/* The server's address, and the path on it; without a path the account's. */
static void
write_url(inf_warmup *warmup)
{
  const char *base = warmup->provider->base_url;
  if (!warmup->path) {
    inf_buf_append_cstr(&warmup->url, base);
    return;
  }
  const char *host = strstr(base, "://");
  host = host ? host + 3 : base;
  inf_buf_append(&warmup->url, base,
                 (size_t)(host - base) + strcspn(host, "/"));
  inf_buf_append_cstr(&warmup->url, warmup->path);
}

static bool
start_exchange(inf_warmup *warmup)
{
  inf_engine *engine = warmup->engine;
  bool may_reuse = warmup->path
                       ? !warmup->again
                       : inf_warmer_has_http2(engine, warmup->provider);
  uint64_t left_ns = warmup->until_ns - engine->now_ns;
  if (left_ns > max_ms * INF_NS_PER_MS)
    left_ns = max_ms * INF_NS_PER_MS;
  inf_http_request request = {
      .method = "GET",
      .url = inf_buf_cstr(&warmup->url),
      .headers = inf_sv_of(lines, sizeof lines),
      .endpoint = &warmup->provider->endpoint,
      .fresh_connection = !may_reuse,
      .warm_up = warmup->path ? INF_WARM_UP_REQUEST : INF_WARM_UP_CONNECT,
      .warm_up_ms = (uint32_t)(left_ns / INF_NS_PER_MS + 1),
  };
  if (warmup->url.status != INFER_OK || warmup->until_ns <= engine->now_ns)
    return false;
  warmup->exchange = engine->transport->ops->start(engine->transport, &request,
                                                   &exchange_events, warmup);
  return warmup->exchange != NULL;
}

void
inf_warmups_start(struct inf_engine *engine)
{
  inf_warmups *warmups = &engine->warmups;
  inf_list *node;
  while (warmups->running_count < max_running &&
         (node = inf_list_pop_front(&warmups->waiting))) {
    inf_warmup *warmup = INF_CONTAINER_OF(node, inf_warmup, node);
    inf_list_push_back(&warmups->running, &warmup->node);
    warmups->running_count++;
    warmup->start_ns = engine->now_ns;
    if (start_exchange(warmup))
      continue;
    bool late = warmup->until_ns <= engine->now_ns;
    inf_exchange_result failed = {
        .net = late ? INF_NET_CONNECT : INF_NET_NO_MEMORY,
        .detail = late ? "not begun in time" : "out of memory"};
    finish(warmup, &failed);
  }
}

bool
inf_warmup_add(struct inf_engine *engine, inf_config *config,
               const inf_provider_config *provider, uint64_t until_ns,
               inf_warm_ask *ask, size_t row)
{
  inf_warmup *warmup = inf_calloc(1, sizeof *warmup);
  if (!warmup)
    return false;
  warmup->engine = engine;
  warmup->config = inf_config_ref(config);
  warmup->provider = provider;
  warmup->path =
      provider->warm_path ? provider->warm_path : provider->kind->warm_path;
  warmup->until_ns = until_ns;
  warmup->ask = ask;
  warmup->row = row;
  if (ask)
    inf_warm_ask_ref(ask);
  inf_buf_init(&warmup->url, 16 << 10);
  write_url(warmup);
  inf_list_push_back(&engine->warmups.waiting, &warmup->node);
  return true;
}

void
inf_warmups_ask(struct inf_engine *engine, inf_warm_ask *ask)
{
  static const inf_warm_row no_memory = {
      .status = INFER_E_NO_MEMORY, .protocol = "", .reason = "out of memory"};
  for (size_t i = 0; i < ask->count; i++)
    if (!inf_warmup_add(engine, ask->config, ask->providers[i], ask->end_ns,
                        ask, i))
      inf_warm_ask_put(ask, i, &no_memory);
  inf_warm_ask_unref(ask);
  inf_warmups_start(engine);
}

/* ---- The end of all ------------------------------------------------------ */

void
inf_warmups_init(inf_warmups *warmups)
{
  inf_list_init(&warmups->waiting);
  inf_list_init(&warmups->running);
  warmups->running_count = 0;
}

/* Ends the list's warm-ups, whose rows tell that the client is closed. */
static void
end_all(inf_engine *engine, inf_list *list)
{
  static const inf_warm_row closed = {.status = INFER_E_CLOSED,
                                      .protocol = "",
                                      .reason = "the client was closed"};
  inf_list *node;
  while ((node = inf_list_pop_front(list))) {
    inf_warmup *warmup = INF_CONTAINER_OF(node, inf_warmup, node);
    if (warmup->exchange)
      engine->transport->ops->cancel(warmup->exchange);
    if (warmup->ask)
      inf_warm_ask_put(warmup->ask, warmup->row, &closed);
    warmup_free(warmup);
  }
}

void
inf_warmups_end(struct inf_engine *engine)
{
  end_all(engine, &engine->warmups.waiting);
  end_all(engine, &engine->warmups.running);
  engine->warmups.running_count = 0;
}
