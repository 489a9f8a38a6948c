/* SPDX-License-Identifier: MIT */
/* Answers to questions for tokens. */
#include "engine/token_request.h"

#include "api/guard.h"
#include "engine/client.h"

const char *
infer_token_request_provider(const infer_token_request *request)
{
  return request ? request->provider : "";
}

int32_t
infer_token_request_refused(const infer_token_request *request)
{
  return request && request->refused;
}

/* What cannot be sent is no answer: the question has failed then. */
static const char *
fault_of(const infer_token_request *request, inf_sv token, int64_t expires_at)
{
  const inf_clock *clock = request->client->engine.clock;
  int64_t now_s = clock->wall_ns(clock->context) / (int64_t)INF_NS_PER_S;
  if (token.len == 0 || token.len > INF_TOKEN_MAX_BYTES ||
      !inf_header_value_valid(token) || inf_sv_trim(token).len != token.len)
    return "what it gave is no token";
  return expires_at != 0 && expires_at <= now_s ? "what it gave has expired"
                                                : NULL;
}

int32_t
infer_token_deliver(infer_token_request *request, const char *token, size_t len,
                    int64_t expires_at)
{
  if (!request)
    return INFER_E_INVALID_ARGUMENT;
  int32_t status = inf_guard_client(request->client, NULL);
  if (status != INFER_OK) /* in a forked child it is left alone */
    return status;
  inf_sv text = inf_text(token, token ? len : 0);
  const char *fault = fault_of(request, text, expires_at);
  if (!fault)
    return inf_token_request_answer(request, INFER_OK, text, expires_at);
  inf_token_request_answer(request, INFER_E_AUTH, inf_sv_from(fault), 0);
  return INFER_E_INVALID_ARGUMENT;
}

int32_t
infer_token_fail(infer_token_request *request, int32_t status,
                 const char *message)
{
  enum { max_message_bytes = 1 << 10 };
  if (!request)
    return INFER_E_INVALID_ARGUMENT;
  int32_t guard = inf_guard_client(request->client, NULL);
  if (guard != INFER_OK)
    return guard;
  inf_sv text = inf_sv_from(message);
  if (text.len > max_message_bytes)
    text.len = max_message_bytes;
  return inf_token_request_answer(
      request, status < INFER_OK ? status : INFER_E_SERVER, text, 0);
}
