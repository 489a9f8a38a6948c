/* SPDX-License-Identifier: MIT */
/* Asking for warm connections, and waiting for them; see warm_ask.h. */
#include "engine/warm_ask.h"

#include "base/mem.h"
#include "engine/client.h"

#include <stdio.h>

/* Warm-ups end so long before the wait, but at most this part of it. */
enum { margin_ms = 100, margin_part = 8 };
/* Or, where nobody waits, after so long. */
enum { background_ms = 30000 };

void
inf_warm_ask_ref(inf_warm_ask *ask)
{
  atomic_fetch_add_explicit(&ask->refs, 1, memory_order_relaxed);
}

void
inf_warm_ask_unref(inf_warm_ask *ask)
{
  if (atomic_fetch_sub_explicit(&ask->refs, 1, memory_order_acq_rel) != 1)
    return;
  inf_free(ask->report);
  inf_free(ask->providers);
  inf_config_unref(ask->config);
  if (ask->queue)
    inf_queue_unref(ask->queue);
  inf_free(ask);
}

static struct infer_warm_report *
report_new(const inf_provider_config *const *providers, size_t count)
{
  struct infer_warm_report *report =
      inf_calloc(1, sizeof *report + count * sizeof report->rows[0]);
  if (!report)
    return NULL;
  report->count = count;
  for (size_t i = 0; i < count; i++) {
    inf_warm_row *row = &report->rows[i];
    snprintf(row->provider, sizeof row->provider, "%s", providers[i]->name);
    snprintf(row->reason, sizeof row->reason, "%s", "not done in time");
    row->status = INFER_E_TIMEOUT;
    row->protocol = "";
    row->took_ns = -1;
  }
  return report;
}

inf_warm_ask *
inf_warm_ask_new(struct infer_client *client, inf_config *config,
                 const inf_provider_config *const *providers, size_t count,
                 uint64_t wait_ns)
{
  inf_warm_ask *ask = inf_calloc(1, sizeof *ask);
  if (!ask)
    return NULL;
  atomic_init(&ask->refs, 1);
  inf_list_init(&ask->node);
  ask->config = inf_config_ref(config);
  ask->queue = inf_queue_new(client);
  ask->providers = inf_calloc(count + 1, sizeof *providers);
  ask->report = report_new(providers, count);
  if (!ask->queue || !ask->providers || !ask->report) {
    inf_warm_ask_unref(ask);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    ask->providers[i] = providers[i];
  ask->count = ask->pending = count;
  uint64_t now_ns = inf_clock_now(client->engine.clock);
  uint64_t margin_ns = wait_ns / margin_part;
  if (margin_ns > margin_ms * INF_NS_PER_MS)
    margin_ns = margin_ms * INF_NS_PER_MS;
  ask->until_ns = inf_time_add(now_ns, wait_ns);
  ask->end_ns = wait_ns > 0 ? ask->until_ns - margin_ns
                            : now_ns + background_ms * INF_NS_PER_MS;
  return ask;
}

static bool
all_rows_are_there(void *context)
{
  return ((inf_warm_ask *)context)->pending == 0;
}

int32_t
inf_warm_ask_run(struct infer_client *client, inf_warm_ask *ask,
                 struct infer_warm_report **report)
{
  pthread_mutex_lock(&client->mutex);
  bool closed = client->closing;
  if (!closed) {
    inf_warm_ask_ref(ask); /* the mailbox's */
    inf_list_push_back(&client->warm_asks, &ask->node);
  }
  pthread_mutex_unlock(&client->mutex);
  if (closed)
    return INFER_E_CLOSED;
  inf_client_wake(client);
  bool done = inf_client_wait(client, ask->queue, all_rows_are_there, ask,
                              ask->until_ns);
  pthread_mutex_lock(&ask->queue->mutex);
  *report = ask->report;
  ask->report = NULL;
  pthread_mutex_unlock(&ask->queue->mutex);
  return done ? INFER_OK : INFER_E_TIMEOUT;
}

void
inf_warm_ask_put(inf_warm_ask *ask, size_t index, const inf_warm_row *row)
{
  struct infer_queue *queue = ask->queue;
  pthread_mutex_lock(&queue->mutex);
  if (ask->report) {
    inf_warm_row *to = &ask->report->rows[index];
    inf_warm_row filled = *row;
    memcpy(filled.provider, to->provider, sizeof filled.provider);
    *to = filled;
  }
  ask->pending--;
  pthread_cond_broadcast(&queue->cond);
  pthread_mutex_unlock(&queue->mutex);
}
