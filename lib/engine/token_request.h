/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_TOKEN_REQUEST_H
#define INF_ENGINE_TOKEN_REQUEST_H

#include "base/buf.h"
#include "base/list.h"
#include "infer/infer.h"

/* One question to the application's source of tokens, on its way there and
 * back. The loop makes it and gives it away; whoever answers it, on any thread,
 * puts it into the client's mailbox, and the loop frees it. So it needs neither
 * the loop nor the credential that it is for: both may be gone when the answer
 * comes. It holds a reference to the client's memory. */
struct infer_token_request {
  inf_list node; /* in client->token_answers */
  struct infer_client *client;
  char *provider;
  uint64_t fingerprint; /* of the credential */
  uint64_t number;      /* of the question */
  bool refused;
  /* The answer. */
  int32_t status;     /* INFER_OK: there is a token */
  inf_buf text;       /* the token, or why there is none; wiped */
  int64_t expires_at; /* seconds since 1970; 0: not known */
};

/* NULL when memory is short. */
struct infer_token_request *inf_token_request_new(struct infer_client *client,
                                                  const char *provider);
void inf_token_request_free(struct infer_token_request *request);
/* Notes the answer and sends it back; then the request is gone. text need not
 * live on. INFER_OK, INFER_E_NO_MEMORY (sent as a failure), INFER_E_CLOSED (the
 * loop has ended). Any thread. */
int32_t inf_token_request_answer(struct infer_token_request *request,
                                 int32_t status, inf_sv text,
                                 int64_t expires_at);

#endif
