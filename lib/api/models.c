/* SPDX-License-Identifier: MIT */
/* The models that a provider lists: a call of its own kind, and the list that
 * is made of its answer. */
#include "api/submit.h"

#include "base/mem.h"
#include "provider/model_list.h"
#include "wire/json_scan.h"

typedef struct model {
  char *id, *json;
  size_t json_len;
} model;

struct infer_model_list {
  model *models;
  size_t count;
};

static int32_t
add_model(struct infer_model_list *list, inf_sv entry)
{
  inf_buf id;
  inf_buf_init(&id, 4096);
  inf_model_list_name(entry, &id);
  model *at = &list->models[list->count++];
  at->id = inf_buf_take(&id, NULL);
  at->json = inf_strndup(entry.ptr, entry.len);
  at->json_len = entry.len;
  inf_buf_fini(&id);
  return at->id && at->json ? INFER_OK : INFER_E_NO_MEMORY;
}

static int32_t
add_page(struct infer_model_list *list, inf_sv page)
{
  inf_sv entries = inf_model_list_entries(page);
  if (!inf_json_is(entries, INF_JSON_ARRAY))
    return INFER_E_PROTOCOL;
  size_t count = list->count + inf_json_count(entries) + 1;
  model *models = inf_realloc(list->models, count * sizeof *models);
  if (!models)
    return INFER_E_NO_MEMORY;
  list->models = models;
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(entries);
  while (status == INFER_OK && inf_json_next(&it))
    status = add_model(list, it.value);
  return status;
}

/* The pages stand one behind the other. */
static int32_t
parse_models(inf_sv rest, struct infer_model_list *list)
{
  do {
    inf_sv page;
    if (!inf_json_scan(rest, INF_CHAT_MAX_DEPTH, &page, NULL))
      return INFER_E_PROTOCOL;
    int32_t status = add_page(list, page);
    if (status != INFER_OK)
      return status;
    const char *end = page.ptr + page.len;
    rest = inf_sv_trim(inf_sv_of(end, (size_t)(rest.ptr + rest.len - end)));
  } while (rest.len > 0);
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
check(struct infer_client *client, const char *provider,
      const struct infer_queue *queue, struct infer_error **error)
{
  int32_t status = inf_guard_client(client, error);
  if (status != INFER_OK)
    return status;
  if (!provider)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "provider is NULL");
  if (strchr(provider, '/'))
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "expected the name of a provider, without a model");
  if (queue && queue->client != client)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "the queue belongs to another client");
  return INFER_OK;
}

/* NULL with a *status that is not INFER_OK. */
static struct infer_call *
make_call(struct infer_client *client, const char *provider, int64_t timeout_ms,
          struct infer_queue *queue, uint64_t tag, int32_t *status,
          struct infer_error **error)
{
  struct infer_request *request;
  struct infer_call *call = NULL;
  *status = models_request(&request, provider, timeout_ms);
  if (*status != INFER_OK) {
    inf_error_set(error, *status, "provider: %s",
                  inf_status_find(*status)->text);
    return NULL;
  }
  *status = inf_call_new(&call, client, request, INF_CALL_MODELS,
                         INFER_SUBMIT_WHOLE, queue, tag, error);
  infer_request_free(request);
  if (*status != INFER_OK)
    return NULL;
  if (call->targets[0]->provider->kind->models_path)
    return call;
  inf_call_unref(call);
  *status = inf_error_set(error, INFER_E_UNSUPPORTED,
                          "this provider has no list of models");
  return NULL;
}

int32_t
infer_submit_models(infer_client *client, const char *provider,
                    int64_t timeout_ms, infer_queue *queue, uint64_t tag,
                    infer_call **out, infer_error **error)
{
  inf_clear_error(error);
  if (!out)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "call is NULL");
  *out = NULL;
  int32_t status = check(client, provider, queue, error);
  if (status != INFER_OK)
    return status;
  struct infer_call *call =
      make_call(client, provider, timeout_ms, queue, tag, &status, error);
  return call ? inf_submit_call(call, out, error) : status;
}

/* What came of the call; INFER_E_TIMEOUT as long as it is under way. */
static int32_t
result_of(struct infer_call *call, struct infer_error **error)
{
  pthread_mutex_lock(&call->queue->mutex);
  bool done = call->done;
  int32_t status = call->status;
  if (done && error)
    *error = inf_error_ref(call->error);
  pthread_mutex_unlock(&call->queue->mutex);
  return done ? status
              : inf_error_set(error, INFER_E_TIMEOUT, "the call goes on");
}

int32_t
infer_call_models(infer_call *call, infer_model_list **models,
                  infer_error **error)
{
  inf_clear_error(error);
  if (models)
    *models = NULL;
  if (!call || !models)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "NULL argument");
  int32_t status = inf_guard_client(call->client, error);
  if (status == INFER_OK && call->kind != INF_CALL_MODELS)
    status = inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                           "the call asked for no models");
  if (status == INFER_OK)
    status = result_of(call, error);
  if (status != INFER_OK)
    return status;
  struct infer_model_list *list = inf_calloc(1, sizeof *list);
  status = list ? parse_models(inf_buf_sv(&call->pages->json), list)
                : INFER_E_NO_MEMORY;
  if (status != INFER_OK) {
    infer_model_list_free(list);
    return inf_error_set(error, status, "the list of models: %s",
                         inf_status_find(status)->text);
  }
  *models = list;
  return INFER_OK;
}

int32_t
infer_models(infer_client *client, const char *provider, int64_t timeout_ms,
             infer_model_list **models, infer_error **error)
{
  struct infer_call *call;
  inf_clear_error(error);
  if (models)
    *models = NULL;
  int32_t status = inf_guard_client(client, error);
  if (status == INFER_OK)
    status = inf_guard_wait(client, error);
  if (status != INFER_OK)
    return status;
  if (!models)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "models is NULL");
  status =
      infer_submit_models(client, provider, timeout_ms, NULL, 0, &call, error);
  if (status != INFER_OK)
    return status;
  status = infer_call_wait(call, -1, NULL, error);
  if (status == INFER_OK)
    status = infer_call_models(call, models, error);
  infer_call_free(call);
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
