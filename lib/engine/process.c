/* SPDX-License-Identifier: MIT */
#include "engine/process.h"

#include "base/thread.h"

#include <stdlib.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static inf_list clients = {&clients, &clients};
static bool ending;

static pthread_once_t handlers_once = PTHREAD_ONCE_INIT;
static bool handlers_installed;

/* ---- Handlers ------------------------------------------------------------ */

static void
before_fork(void)
{
  pthread_mutex_lock(&mutex);
}

static void
after_fork(void)
{
  pthread_mutex_unlock(&mutex);
}

static void
after_fork_in_child(void)
{
  inf_list_init(&clients);
  pthread_mutex_unlock(&mutex);
}

static void
install_handlers(void)
{
  handlers_installed =
      atexit(inf_process_end) == 0 &&
      pthread_atfork(before_fork, after_fork, after_fork_in_child) == 0;
}

/* ---- Clients ------------------------------------------------------------- */

int32_t
inf_process_add(struct infer_client *client)
{
  pthread_once(&handlers_once, install_handlers);
  if (!handlers_installed)
    return INFER_E_NO_MEMORY;
  pthread_mutex_lock(&mutex);
  if (!ending)
    inf_list_push_back(&clients, &client->process_node);
  int32_t status = ending ? INFER_E_CLOSED : INFER_OK;
  pthread_mutex_unlock(&mutex);
  return status;
}

void
inf_process_remove(struct infer_client *client)
{
  pthread_mutex_lock(&mutex);
  inf_list_remove(&client->process_node);
  pthread_mutex_unlock(&mutex);
}

static uint64_t
left_ns(uint64_t until_ns)
{
  uint64_t now_ns = inf_clock_now(inf_clock_system());
  return now_ns < until_ns ? until_ns - now_ns : 0;
}

/* The next client, with a reference; NULL if none is left. */
static struct infer_client *
take_client(uint64_t until_ns)
{
  struct infer_client *client = NULL;
  if (!inf_mutex_lock_within(&mutex, left_ns(until_ns)))
    return NULL;
  ending = true;
  inf_list *node = inf_list_pop_front(&clients);
  if (node) {
    client = INF_CONTAINER_OF(node, struct infer_client, process_node);
    inf_client_ref(client);
  }
  pthread_mutex_unlock(&mutex);
  return client;
}

void
inf_process_end(void)
{
  uint64_t until_ns =
      inf_time_add(inf_clock_now(inf_clock_system()), INF_EXIT_LIMIT_NS);
  struct infer_client *client;
  while ((client = take_client(until_ns))) {
    inf_client_end_at_exit(client, left_ns(until_ns));
    inf_client_unref(client);
  }
}
