/* SPDX-License-Identifier: MIT */
/* Clients, their dry run, and model lists. */
#include "api/guard.h"

#include "base/mem.h"
#include "wire/json_scan.h"

int32_t
infer_client_new(infer_client **client, const infer_config *config,
                 infer_error **error)
{
  inf_clear_error(error);
  if (!client)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "client is NULL");
  *client = NULL;
  return inf_client_new(client, config, error);
}

infer_client *
infer_client_ref(infer_client *client)
{
  if (client)
    atomic_fetch_add(&client->app_refs, 1);
  return client;
}

void
infer_client_free(infer_client *client)
{
  if (!client || atomic_fetch_sub(&client->app_refs, 1) != 1)
    return;
  if (client->fork_generation != inf_fork_generation())
    inf_client_abandon_forked(client);
  else
    inf_client_shutdown(client);
}

int32_t
infer_client_close(infer_client *client, int64_t drain_ms)
{
  int32_t status = inf_guard_client(client, NULL);
  if (status == INFER_OK)
    status = inf_guard_wait(client, NULL);
  if (status != INFER_OK)
    return status;
  return inf_client_close(client, inf_wait_ns(drain_ms < 0 ? 0 : drain_ms));
}

int32_t
infer_client_reload(infer_client *client, const infer_config *config,
                    infer_error **error)
{
  inf_clear_error(error);
  int32_t status = inf_guard_client(client, error);
  return status == INFER_OK ? inf_client_reload(client, config, error) : status;
}

int32_t
infer_client_drive(infer_client *client, int64_t timeout_ms)
{
  int32_t status = inf_guard_client(client, NULL);
  if (status != INFER_OK)
    return status;
  if (client->threaded)
    return INFER_E_UNSUPPORTED;
  status = inf_guard_wait(client, NULL);
  if (status == INFER_OK)
    inf_client_drive(client, inf_wait_ns(timeout_ms));
  return status;
}

int32_t
infer_client_fd(infer_client *client)
{
  if (inf_guard_client(client, NULL) != INFER_OK || client->threaded)
    return -1;
  return inf_client_fd(client);
}

int64_t
infer_client_next_timeout_ns(infer_client *client)
{
  if (inf_guard_client(client, NULL) != INFER_OK || client->threaded)
    return -1;
  pthread_mutex_lock(&client->mutex);
  bool stopped = client->stopped;
  pthread_mutex_unlock(&client->mutex);
  if (stopped)
    return -1;
  if (atomic_load(&client->mail))
    return 0;
  uint64_t next_ns = inf_engine_next_ns(&client->engine);
  if (next_ns == INF_NEVER)
    return -1;
  uint64_t now_ns = inf_clock_now(client->engine.clock);
  return next_ns > now_ns ? (int64_t)(next_ns - now_ns) : 0;
}

/* ---- Dry run ------------------------------------------------------------- */

typedef struct plan_line {
  int32_t status;
  char *target, *reason;
} plan_line;

struct infer_plan {
  plan_line *lines;
  size_t count;
};

static void
write_reason(inf_buf *out, const inf_plan_item *item, size_t position,
             const inf_route_config *route)
{
  if (item->missing_label)
    inf_buf_appendf(out, "provider \"%s\" does not have the label \"%s\"",
                    item->target->provider->name, item->missing_label);
  else if (item->status != INFER_OK)
    inf_buf_appendf(out, "all keys of provider \"%s\" are set aside: %s",
                    item->target->provider->name,
                    inf_status_find(item->status)->text);
  else if (route->name[0] == '\0')
    inf_buf_append_cstr(out, "named by the request");
  else
    inf_buf_appendf(out, "place %zu in the order of route \"%s\"", position + 1,
                    route->name);
}

static bool
fill_line(plan_line *line, const inf_plan_item *item, size_t position,
          const inf_route_config *route)
{
  line->status = item->status;
  line->target = inf_strndup(item->target->name, strlen(item->target->name));
  inf_buf reason;
  inf_buf_init(&reason, 4096);
  write_reason(&reason, item, position, route);
  line->reason = inf_buf_take(&reason, NULL);
  inf_buf_fini(&reason);
  return line->target && line->reason;
}

static struct infer_plan *
plan_of(struct infer_client *client, const inf_route_config *route,
        const struct infer_request *request)
{
  struct infer_plan *plan = inf_calloc(1, sizeof *plan);
  inf_plan_item *items = inf_calloc(route->target_count, sizeof *items);
  bool ok = plan && items;
  if (ok) {
    plan->lines = inf_calloc(route->target_count, sizeof *plan->lines);
    ok = plan->lines != NULL;
  }
  if (ok) {
    plan->count = route->target_count;
    inf_plan_make(items, route, request, client->runtime,
                  inf_clock_now(client->engine.clock));
  }
  for (size_t i = 0; ok && i < plan->count; i++)
    ok = fill_line(&plan->lines[i], &items[i], i, route);
  inf_free(items);
  if (ok)
    return plan;
  infer_plan_free(plan);
  return NULL;
}

int32_t
infer_client_plan(infer_client *client, const infer_request *request,
                  infer_plan **plan, infer_error **error)
{
  inf_clear_error(error);
  int32_t status = inf_guard_client(client, error);
  if (status != INFER_OK)
    return status;
  if (!request || !plan)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "NULL argument");
  *plan = NULL;
  pthread_mutex_lock(&client->mutex);
  inf_config *config = inf_config_ref(client->config);
  pthread_mutex_unlock(&client->mutex);
  const inf_route_config *route;
  status = inf_config_resolve(config, inf_buf_sv(&request->chat.model), &route,
                              error);
  if (status == INFER_OK) {
    *plan = plan_of(client, route, request);
    if (!*plan)
      status = inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
    inf_config_release_route(config, route);
  }
  inf_config_unref(config);
  return status;
}

size_t
infer_plan_count(const infer_plan *plan)
{
  return plan ? plan->count : 0;
}

const char *
infer_plan_target(const infer_plan *plan, size_t index)
{
  return plan && index < plan->count ? plan->lines[index].target : "";
}

int32_t
infer_plan_status(const infer_plan *plan, size_t index)
{
  return plan && index < plan->count ? plan->lines[index].status
                                     : INFER_E_INVALID_ARGUMENT;
}

const char *
infer_plan_reason(const infer_plan *plan, size_t index)
{
  return plan && index < plan->count ? plan->lines[index].reason : "";
}

void
infer_plan_free(infer_plan *plan)
{
  if (!plan)
    return;
  for (size_t i = 0; i < plan->count; i++) {
    /* The count stays 0 until there are lines. */
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    inf_free(plan->lines[i].target);
    inf_free(plan->lines[i].reason);
  }
  inf_free(plan->lines);
  inf_free(plan);
}

/* ---- Models -------------------------------------------------------------- */

typedef struct model {
  char *id, *json;
  size_t json_len;
} model;

struct infer_model_list {
  model *models;
  size_t count;
};

/* The list is {"data":[{"id":...},...]}; some servers send the bare array. */
static int32_t
parse_models(inf_sv body, struct infer_model_list *list)
{
  inf_sv value;
  if (!inf_json_scan(body, INF_CHAT_MAX_DEPTH, &value, NULL))
    return INFER_E_PROTOCOL;
  inf_sv data = inf_json_get(value, INF_SV("data"));
  if (!inf_json_is(data, INF_JSON_ARRAY))
    data = value;
  if (!inf_json_is(data, INF_JSON_ARRAY))
    return INFER_E_PROTOCOL;
  list->models = inf_calloc(inf_json_count(data) + 1, sizeof *list->models);
  if (!list->models)
    return INFER_E_NO_MEMORY;
  inf_json_iter it = inf_json_iter_of(data);
  while (inf_json_next(&it)) {
    inf_buf id;
    inf_buf_init(&id, 4096);
    inf_json_string(inf_json_get(it.value, INF_SV("id")), &id);
    model *at = &list->models[list->count++];
    at->id = inf_buf_take(&id, NULL);
    at->json = inf_strndup(it.value.ptr, it.value.len);
    at->json_len = it.value.len;
    inf_buf_fini(&id);
    if (!at->id || !at->json)
      return INFER_E_NO_MEMORY;
  }
  return INFER_OK;
}

/* A request that names any model of the provider: it finds the account. */
static int32_t
models_request(struct infer_request **out, const char *provider,
               int64_t timeout_ms)
{
  inf_buf name;
  inf_buf_init(&name, 1024);
  inf_buf_appendf(&name, "%s/models", provider);
  struct infer_request *request = NULL;
  int32_t status = name.status;
  if (status == INFER_OK)
    status = infer_request_new(&request, name.ptr);
  inf_buf_fini(&name);
  if (status == INFER_OK && timeout_ms > 0)
    status = infer_request_set_deadline_ms(request, timeout_ms);
  if (status != INFER_OK) {
    infer_request_free(request);
    request = NULL;
  }
  *out = request;
  return status;
}

static int32_t
fetch_models(struct infer_client *client, const struct infer_request *request,
             struct infer_model_list *list, struct infer_error **error)
{
  struct infer_call *call;
  int32_t status = inf_call_new(&call, client, request, INF_CALL_MODELS,
                                INFER_SUBMIT_WHOLE, NULL, 0, error);
  if (status != INFER_OK)
    return status;
  if (!call->targets[0]->provider->kind->models_path) {
    inf_call_unref(call);
    return inf_error_set(error, INFER_E_UNSUPPORTED,
                         "this provider has no list of models");
  }
  inf_call_ref(call); /* the engine's */
  status = inf_client_submit(client, call);
  if (status != INFER_OK) {
    inf_call_unref(call);
    inf_call_unref(call);
    return inf_error_set(error, status, "%s", inf_status_find(status)->text);
  }
  status = infer_call_wait(call, -1, NULL, error);
  if (status == INFER_OK)
    status = parse_models(inf_buf_sv(&call->models_json), list);
  if (status != INFER_OK)
    status = inf_error_set(error, status, "the list of models: %s",
                           inf_status_find(status)->text);
  inf_call_unref(call);
  return status;
}

int32_t
infer_models(infer_client *client, const char *provider, int64_t timeout_ms,
             infer_model_list **models, infer_error **error)
{
  inf_clear_error(error);
  int32_t status = inf_guard_client(client, error);
  if (status == INFER_OK)
    status = inf_guard_wait(client, error);
  if (status != INFER_OK)
    return status;
  if (!provider || !models)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "NULL argument");
  *models = NULL;
  if (strchr(provider, '/'))
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "expected the name of a provider, without a model");
  struct infer_request *request;
  status = models_request(&request, provider, timeout_ms);
  if (status != INFER_OK)
    return inf_error_set(error, status, "provider: %s",
                         inf_status_find(status)->text);
  struct infer_model_list *list = inf_calloc(1, sizeof *list);
  if (list)
    status = fetch_models(client, request, list, error);
  else
    status = inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
  infer_request_free(request);
  if (status != INFER_OK)
    infer_model_list_free(list);
  else
    *models = list;
  return status;
}

size_t
infer_model_list_count(const infer_model_list *models)
{
  return models ? models->count : 0;
}

const char *
infer_model_list_id(const infer_model_list *models, size_t index)
{
  return models && index < models->count ? models->models[index].id : "";
}

const char *
infer_model_list_json(const infer_model_list *models, size_t index, size_t *len)
{
  bool found = models && index < models->count;
  if (len)
    *len = found ? models->models[index].json_len : 0;
  return found ? models->models[index].json : "";
}

void
infer_model_list_free(infer_model_list *models)
{
  if (!models)
    return;
  for (size_t i = 0; i < models->count; i++) {
    inf_free(models->models[i].id);
    inf_free(models->models[i].json);
  }
  inf_free(models->models);
  inf_free(models);
}
