/* SPDX-License-Identifier: MIT */
/* Embeddings: the request's inputs, calls of their own kind, and the vectors
 * that come of them. */
#include "api/submit.h"

#include "base/mem.h"
#include "provider/embed.h"
#include "wire/base64.h"
#include "wire/json_write.h"
#include "wire/number.h"

struct infer_embeddings {
  inf_vectors *vectors;
  struct infer_response *response;
};

/* ---- Requests ------------------------------------------------------------ */

int32_t
infer_request_add_input_n(infer_request *request, const char *text, size_t len)
{
  if (!request || !text)
    return INFER_E_INVALID_ARGUMENT;
  int32_t status =
      inf_embed_add_input(&request->chat, inf_text(text, len), NULL);
  return status == INFER_E_TOO_LARGE ? INFER_E_INVALID_ARGUMENT : status;
}

int32_t
infer_request_add_input(infer_request *request, const char *text)
{
  return infer_request_add_input_n(request, text, INFER_NUL_TERMINATED);
}

static int32_t
refuse(struct infer_error **error, int32_t status, const char *reason,
       size_t offset)
{
  if (status == INFER_E_NO_MEMORY)
    return inf_error_set(error, status, "out of memory");
  if (status == INFER_E_TOO_LARGE)
    reason = "larger than 64 MiB";
  return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                       "request: %s (at byte %zu)",
                       reason ? reason : "not valid", offset);
}

int32_t
infer_request_from_embed_json(infer_request **out, const char *json, size_t len,
                              infer_error **error)
{
  inf_clear_error(error);
  if (out)
    *out = NULL;
  if (!out || !json)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "request: NULL argument");
  struct infer_request *request = inf_request_new();
  if (!request)
    return refuse(error, INFER_E_NO_MEMORY, NULL, 0);
  const char *reason = NULL;
  size_t offset = 0;
  int32_t status = inf_embed_from_json(&request->chat, inf_text(json, len),
                                       &reason, &offset);
  if (status != INFER_OK) {
    inf_request_free(request);
    return refuse(error, status, reason, offset);
  }
  *out = request;
  return INFER_OK;
}

/* ---- Calls --------------------------------------------------------------- */

static int32_t
check(struct infer_client *client, const struct infer_request *request,
      const struct infer_queue *queue, struct infer_error **error)
{
  int32_t status = inf_guard_client(client, error);
  if (status != INFER_OK)
    return status;
  if (!request)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "request is NULL");
  if (queue && queue->client != client)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "the queue belongs to another client");
  const char *reason;
  status = inf_embed_check(&request->chat, &reason);
  return status == INFER_OK ? INFER_OK
                            : inf_error_set(error, status, "%s", reason);
}

int32_t
infer_submit_embed(infer_client *client, const infer_request *request,
                   infer_queue *queue, uint64_t tag, infer_call **out,
                   infer_error **error)
{
  inf_clear_error(error);
  if (!out)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "call is NULL");
  *out = NULL;
  int32_t status = check(client, request, queue, error);
  if (status != INFER_OK)
    return status;
  struct infer_call *call;
  status = inf_call_new(&call, client, request, INF_CALL_EMBED,
                        INFER_SUBMIT_WHOLE, queue, tag, error);
  return status == INFER_OK ? inf_submit_call(call, out, error) : status;
}

/* What came of the call; INFER_E_TIMEOUT as long as it is under way. */
static int32_t
result_of(struct infer_call *call, struct infer_embeddings *embeddings,
          struct infer_error **error)
{
  pthread_mutex_lock(&call->queue->mutex);
  bool done = call->done;
  int32_t status = call->status;
  if (done && error)
    *error = inf_error_ref(call->error);
  if (done && status == INFER_OK) {
    embeddings->vectors = inf_vectors_ref(call->vectors);
    embeddings->response = inf_response_ref(call->response);
  }
  pthread_mutex_unlock(&call->queue->mutex);
  return done ? status
              : inf_error_set(error, INFER_E_TIMEOUT, "the call goes on");
}

int32_t
infer_call_embeddings(infer_call *call, infer_embeddings **out,
                      infer_error **error)
{
  inf_clear_error(error);
  if (out)
    *out = NULL;
  if (!call || !out)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "NULL argument");
  int32_t status = inf_guard_client(call->client, error);
  if (status == INFER_OK && call->kind != INF_CALL_EMBED)
    status = inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                           "the call asked for no embeddings");
  if (status != INFER_OK)
    return status;
  struct infer_embeddings *embeddings = inf_calloc(1, sizeof *embeddings);
  if (!embeddings)
    return inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
  status = result_of(call, embeddings, error);
  if (status == INFER_OK)
    *out = embeddings;
  else
    infer_embeddings_free(embeddings);
  return status;
}

int32_t
infer_embed(infer_client *client, const infer_request *request,
            infer_embeddings **embeddings, infer_error **error)
{
  struct infer_call *call;
  inf_clear_error(error);
  if (embeddings)
    *embeddings = NULL;
  int32_t status = inf_guard_client(client, error);
  if (status == INFER_OK)
    status = inf_guard_wait(client, error);
  if (status == INFER_OK && !embeddings)
    status =
        inf_error_set(error, INFER_E_INVALID_ARGUMENT, "embeddings is NULL");
  if (status == INFER_OK)
    status = infer_submit_embed(client, request, NULL, 0, &call, error);
  if (status != INFER_OK)
    return status;
  status = infer_call_wait(call, -1, NULL, error);
  if (status == INFER_OK)
    status = infer_call_embeddings(call, embeddings, error);
  infer_call_free(call);
  return status;
}

/* ---- Vectors ------------------------------------------------------------- */

size_t
infer_embeddings_count(const infer_embeddings *embeddings)
{
  return embeddings ? embeddings->vectors->count : 0;
}

size_t
infer_embeddings_dimensions(const infer_embeddings *embeddings)
{
  return embeddings ? embeddings->vectors->dimensions : 0;
}

const float *
infer_embeddings_vector(const infer_embeddings *embeddings, size_t index)
{
  return embeddings ? inf_vectors_at(embeddings->vectors, index) : NULL;
}

const infer_response *
infer_embeddings_response(const infer_embeddings *embeddings)
{
  return embeddings ? embeddings->response : NULL;
}

static void
write_vector(const float *numbers, size_t count, bool base64, inf_buf *out)
{
  if (base64) {
    inf_json_put_string(out, INF_SV(""));
    inf_buf_truncate(out, out->len - 1); /* the quote */
    inf_base64_put_floats(out, numbers, count);
    inf_buf_append_char(out, '"');
    return;
  }
  inf_json_open(out, '[');
  for (size_t i = 0; i < count; i++) {
    char text[INF_NUMBER_MAX_BYTES];
    inf_json_put_raw(out,
                     inf_sv_of(text, inf_number_from_float(numbers[i], text)));
  }
  inf_json_close(out, ']');
}

/* Where the provider does not say it: the target's, as configured. */
static inf_sv
model_of(const struct infer_response *response)
{
  inf_sv said = inf_sv_from(infer_response_model(response));
  inf_sv target = inf_sv_from(infer_response_target(response));
  size_t slash = inf_sv_find(target, '/');
  if (said.len > 0 || slash >= target.len)
    return said;
  return inf_sv_of(target.ptr + slash + 1, target.len - slash - 1);
}

static void
write_usage(const struct infer_embeddings *embeddings, inf_buf *out)
{
  const struct infer_response *response = embeddings->response;
  inf_json_key(out, INF_SV("usage"));
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("prompt_tokens"),
                      infer_response_usage(response, INFER_USAGE_INPUT));
  inf_json_member_int(out, INF_SV("total_tokens"),
                      infer_response_usage(response, INFER_USAGE_TOTAL));
  inf_json_close(out, '}');
}

static void
write_json(const struct infer_embeddings *embeddings, bool base64, inf_buf *out)
{
  const inf_vectors *vectors = embeddings->vectors;
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("object"), INF_SV("list"));
  inf_json_key(out, INF_SV("data"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < vectors->count; i++) {
    inf_json_open(out, '{');
    inf_json_member_string(out, INF_SV("object"), INF_SV("embedding"));
    inf_json_member_int(out, INF_SV("index"), (int64_t)i);
    inf_json_key(out, INF_SV("embedding"));
    write_vector(inf_vectors_at(vectors, i), vectors->dimensions, base64, out);
    inf_json_close(out, '}');
  }
  inf_json_close(out, ']');
  inf_json_member_string(out, INF_SV("model"), model_of(embeddings->response));
  write_usage(embeddings, out);
  inf_json_close(out, '}');
}

int32_t
infer_embeddings_json(const infer_embeddings *embeddings, int32_t base64,
                      char **json, size_t *len)
{
  if (json)
    *json = NULL;
  if (!embeddings || !json)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  /* A float takes 16 bytes at most. */
  inf_buf_init(&out, INF_VECTORS_MAX_BYTES * 4 + ((size_t)1 << 20));
  write_json(embeddings, base64 != 0, &out);
  int32_t status = out.status;
  if (status == INFER_OK)
    *json = inf_buf_take(&out, len);
  inf_buf_fini(&out);
  return status == INFER_OK && !*json ? INFER_E_NO_MEMORY : status;
}

void
infer_embeddings_free(infer_embeddings *embeddings)
{
  if (!embeddings)
    return;
  inf_vectors_unref(embeddings->vectors);
  infer_response_free(embeddings->response);
  inf_free(embeddings);
}
