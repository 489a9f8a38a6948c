/* SPDX-License-Identifier: MIT */
/* The thread that keeps what was spent; see budget_store.h. */
#include "engine/budget_store.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/budget_file.h"
#include "engine/budgets.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

enum { line_bytes = 512 };
/* For the lock: others hold it as long as a write takes. */
enum { wait_ms = 300, end_wait_ms = 1000 };

struct inf_budget_store {
  inf_runtime *runtime;
  char *file; /* or NULL */
  inf_budget_hooks hooks;
  const inf_clock *clock;
  void (*news)(void *context);
  void *context;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* changed, or stops */
  bool changed, stops; /* [mutex] */
  bool fails;          /* the last write has failed; the writer only */
  atomic_bool has_news;
  char line[line_bytes]; /* [mutex] the latest */
  int32_t level;         /* [mutex] */
};

/* ---- News ---------------------------------------------------------------- */

static void
note(inf_budget_store *store, int32_t level, const char *what, const char *why)
{
  pthread_mutex_lock(&store->mutex);
  snprintf(store->line, sizeof store->line, "%s%.200s%s: %s%s%s",
           store->file ? "budgets_file \"" : "store of budgets",
           store->file ? store->file : "", store->file ? "\"" : "", what,
           why[0] ? ": " : "", why);
  store->level = level;
  pthread_mutex_unlock(&store->mutex);
  atomic_store(&store->has_news, true);
  if (store->news)
    store->news(store->context);
}

void
inf_budget_store_tell(inf_budget_store *store, const inf_log *log)
{
  char line[line_bytes];
  if (!store || !atomic_exchange(&store->has_news, false))
    return;
  pthread_mutex_lock(&store->mutex);
  int32_t level = store->level;
  memcpy(line, store->line, sizeof line);
  pthread_mutex_unlock(&store->mutex);
  inf_logf(log, level, "%s", line);
}

/* ---- Reading ------------------------------------------------------------- */

static int64_t
wall_ns(const inf_budget_store *store)
{
  return store->clock->wall_ns(store->clock->context);
}

static int32_t
read_hook(const inf_budget_store *store, inf_buf *text)
{
  size_t len = 0, room = 64 << 10;
  for (int tries = 0; tries < 3; tries++) {
    if (!inf_buf_reserve(text, room))
      return text->status;
    int32_t status =
        store->hooks.load(text->ptr, room, &len, store->hooks.user_data);
    if (status != INFER_OK)
      return status;
    if (len <= room) {
      text->len = len;
      return INFER_OK;
    }
    room = len;
  }
  return INFER_E_IO; /* it grows and grows */
}

static int32_t
merge(inf_budget_store *store, const inf_buf *text,
      char why[INF_BUDGET_FILE_WHY])
{
  int32_t status =
      inf_budgets_merge(store->runtime, inf_buf_sv(text), wall_ns(store));
  if (status == INFER_E_NO_MEMORY)
    snprintf(why, INF_BUDGET_FILE_WHY, "out of memory");
  return status;
}

/* The file, or where that is damaged the one before. The lock is held, or
 * there is none: then a damaged one stays where it is. */
static int32_t
take_file(inf_budget_store *store, bool locked, char why[INF_BUDGET_FILE_WHY])
{
  inf_buf text;
  inf_buf_init(&text, INF_BUDGETS_TEXT_MAX);
  int32_t status = inf_budget_file_read(store->file, false, &text, why);
  if (status == INFER_OK)
    status = merge(store, &text, why);
  if (status == INFER_E_PROTOCOL) {
    inf_buf_clear(&text);
    status = inf_budget_file_read(store->file, true, &text, why);
    bool any = status == INFER_OK && text.len > 0;
    if (any)
      status = merge(store, &text, why);
    bool again = status == INFER_E_NO_MEMORY;
    if (locked && !again)
      inf_budget_file_set_aside(store->file);
    if (!again)
      note(store, INFER_LOG_WARN, "it is damaged",
           any && status == INFER_OK
               ? "the copy before it is used"
               : "there is no good copy: what it said is forgotten");
    status = again ? status : INFER_OK;
  }
  inf_buf_fini(&text);
  return status;
}

static int32_t
take_hook(inf_budget_store *store, char why[INF_BUDGET_FILE_WHY])
{
  inf_buf text;
  inf_buf_init(&text, INF_BUDGETS_TEXT_MAX);
  int32_t status = read_hook(store, &text);
  bool loaded = status == INFER_OK;
  if (loaded)
    status = merge(store, &text, why);
  else
    snprintf(why, INF_BUDGET_FILE_WHY, "load has failed: %s",
             infer_status_name(status));
  if (loaded && status == INFER_E_PROTOCOL) {
    note(store, INFER_LOG_WARN, "what load gave is damaged", "it is forgotten");
    status = INFER_OK;
  }
  inf_buf_fini(&text);
  return status;
}

/* ---- Writing ------------------------------------------------------------- */

static int32_t
write_text(inf_budget_store *store, char why[INF_BUDGET_FILE_WHY])
{
  inf_buf text;
  inf_buf_init(&text, INF_BUDGETS_TEXT_MAX);
  inf_budgets_write(store->runtime, &text);
  int32_t status = text.status;
  if (status != INFER_OK)
    snprintf(why, INF_BUDGET_FILE_WHY, "no memory");
  else if (store->file)
    status = inf_budget_file_write(store->file, inf_buf_sv(&text), why);
  else
    status = store->hooks.save(text.ptr, text.len, store->hooks.user_data);
  if (status != INFER_OK && !store->file)
    snprintf(why, INF_BUDGET_FILE_WHY, "save has failed: %s",
             infer_status_name(status));
  inf_buf_fini(&text);
  return status;
}

/* False: try again later. */
static bool
save(inf_budget_store *store, int lock_ms)
{
  char why[INF_BUDGET_FILE_WHY] = "";
  int32_t status = INFER_OK;
  int lock = -1;
  if (store->file) {
    status = inf_budget_file_lock(store->file, lock_ms, &lock, why);
    if (status == INFER_OK)
      status = take_file(store, true, why);
  }
  if (status == INFER_OK)
    status = write_text(store, why);
  inf_budget_file_unlock(lock);
  if (status == INFER_OK)
    inf_budgets_stored(store->runtime);
  if (status != INFER_OK && !store->fails)
    note(store, INFER_LOG_ERROR,
         "cannot be written (what is spent is kept in memory, and it is tried "
         "again)",
         why);
  else if (status == INFER_OK && store->fails)
    note(store, INFER_LOG_INFO, "is written again", "");
  store->fails = status != INFER_OK;
  return status == INFER_OK;
}

/* With the runtime's lock. */
static void
on_change(void *context)
{
  inf_budget_store *store = context;
  pthread_mutex_lock(&store->mutex);
  if (!store->changed) {
    store->changed = true;
    pthread_cond_signal(&store->cond);
  }
  pthread_mutex_unlock(&store->mutex);
}

/* Waits until there is something to write, and it is time. False: it is to
 * end. */
static bool
wait_turn(inf_budget_store *store)
{
  pthread_mutex_lock(&store->mutex);
  while (!store->changed && !store->stops)
    inf_cond_wait(&store->cond, &store->mutex, INF_NEVER);
  uint64_t until_ns =
      inf_time_add(inf_clock_now(inf_clock_system()), INF_BUDGET_STORE_NS);
  uint64_t now_ns;
  while (!store->stops &&
         (now_ns = inf_clock_now(inf_clock_system())) < until_ns)
    inf_cond_wait(&store->cond, &store->mutex, until_ns - now_ns);
  bool goes_on = !store->stops;
  pthread_mutex_unlock(&store->mutex);
  return goes_on;
}

static bool
take_change(inf_budget_store *store)
{
  pthread_mutex_lock(&store->mutex);
  bool changed = store->changed;
  store->changed = false;
  pthread_mutex_unlock(&store->mutex);
  return changed;
}

static void *
run(void *context)
{
  inf_budget_store *store = context;
  while (wait_turn(store))
    if (take_change(store) && !save(store, wait_ms))
      on_change(store);
  if (take_change(store))
    save(store, end_wait_ms);
  return NULL;
}

/* ---- Life ---------------------------------------------------------------- */

static void
store_free(inf_budget_store *store)
{
  pthread_cond_destroy(&store->cond);
  pthread_mutex_destroy(&store->mutex);
  inf_free(store->file);
  inf_free(store);
}

static inf_budget_store *
store_alloc(const inf_budget_store_parts *parts)
{
  inf_budget_store *store = inf_calloc(1, sizeof *store);
  if (!store)
    return NULL;
  store->runtime = parts->runtime;
  store->hooks = *parts->hooks;
  store->clock = parts->clock;
  store->news = parts->news;
  store->context = parts->context;
  atomic_init(&store->has_news, false);
  bool named =
      !parts->file ||
      (store->file = inf_strndup(parts->file, strlen(parts->file))) != NULL;
  if (named && pthread_mutex_init(&store->mutex, NULL) == 0) {
    if (inf_cond_init(&store->cond) == 0)
      return store;
    pthread_mutex_destroy(&store->mutex);
  }
  inf_free(store->file);
  inf_free(store);
  return NULL;
}

/* What can be known of it at once: that it can be written, and what it has. */
static int32_t
open_store(inf_budget_store *store, infer_error **error)
{
  char why[INF_BUDGET_FILE_WHY] = "";
  int32_t status;
  if (store->file) {
    int lock;
    status = inf_budget_file_lock(store->file, end_wait_ms, &lock, why);
    if (status == INFER_OK)
      status = take_file(store, true, why);
    inf_budget_file_unlock(lock);
  } else {
    status = take_hook(store, why);
  }
  if (status == INFER_OK)
    return INFER_OK;
  return inf_error_set(error, status, "%s%s%s: %s",
                       store->file ? "budgets_file \"" : "store of budgets",
                       store->file ? store->file : "", store->file ? "\"" : "",
                       why);
}

int32_t
inf_budget_store_new(inf_budget_store **out,
                     const inf_budget_store_parts *parts, infer_error **error)
{
  inf_budget_store *store = store_alloc(parts);
  if (!store)
    return inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
  int32_t status = open_store(store, error);
  if (status == INFER_OK) {
    bool watched = inf_budgets_watch(store->runtime, on_change, store);
    int failure =
        watched ? inf_thread_start(&store->thread, "infer-budgets", run, store)
                : ENOMEM;
    if (failure != 0) {
      inf_budgets_watch(store->runtime, NULL, NULL);
      status = inf_error_set(error, INFER_E_NO_MEMORY,
                             "the thread of budgets could not be started "
                             "(errno %d)",
                             failure);
    }
  }
  if (status != INFER_OK) {
    store_free(store);
    return status;
  }
  *out = store;
  return INFER_OK;
}

void
inf_budget_store_end(inf_budget_store *store, const inf_log *log)
{
  if (!store)
    return;
  inf_budgets_watch(store->runtime, NULL, NULL);
  pthread_mutex_lock(&store->mutex);
  store->stops = true;
  pthread_cond_signal(&store->cond);
  pthread_mutex_unlock(&store->mutex);
  pthread_join(store->thread, NULL);
  inf_budget_store_tell(store, log);
  store_free(store);
}
