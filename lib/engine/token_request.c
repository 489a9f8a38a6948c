/* SPDX-License-Identifier: MIT */
/* Questions for tokens; see token_request.h. */
#include "engine/token_request.h"

#include "base/mem.h"
#include "engine/client.h"

struct infer_token_request *
inf_token_request_new(struct infer_client *client, const char *provider)
{
  struct infer_token_request *request = inf_calloc(1, sizeof *request);
  if (!request)
    return NULL;
  request->provider = inf_strndup(provider, strlen(provider));
  if (!request->provider) {
    inf_free(request);
    return NULL;
  }
  inf_list_init(&request->node);
  inf_buf_init(&request->text, INF_TOKEN_MAX_BYTES);
  request->client = client;
  inf_client_ref(client);
  return request;
}

void
inf_token_request_free(struct infer_token_request *request)
{
  inf_client_unref(request->client);
  inf_buf_fini_secret(&request->text);
  inf_free(request->provider);
  inf_free(request);
}

int32_t
inf_token_request_answer(struct infer_token_request *request, int32_t status,
                         inf_sv text, int64_t expires_at)
{
  int32_t result = INFER_OK;
  request->status = status;
  request->expires_at = expires_at;
  inf_buf_reserve(&request->text, text.len); /* no growth leaves a copy */
  if (!inf_buf_append_sv(&request->text, text)) {
    inf_buf_clear(&request->text);
    request->status = result = INFER_E_NO_MEMORY;
  }
  if (inf_client_answer_token(request->client, request))
    return result;
  inf_token_request_free(request);
  return INFER_E_CLOSED;
}
