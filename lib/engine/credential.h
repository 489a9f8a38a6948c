/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_CREDENTIAL_H
#define INF_ENGINE_CREDENTIAL_H

#include "engine/engine.h"

/* One credential that expires, and the question for its next token: an exchange
 * with Google's token server, or a hook of the application. For credentials.c,
 * which keeps them; see credentials.h. Loop only. */
typedef struct inf_credential {
  inf_list node;
  inf_engine *engine;
  char *name; /* the provider's */
  uint64_t fingerprint;
  inf_token token;
  inf_list calls;     /* that wait for it, by token_node */
  inf_config *config; /* the latest that has it; pins provider */
  const inf_provider_config *provider;
  bool gone; /* the client's configuration does not have it any more */
  /* The question that is under way. */
  bool refused; /* because the last token was refused */
  uint64_t asked_ns, until_ns;
  uint64_t number; /* of the hook's questions */
  inf_exchange *exchange;
  inf_config *pinned; /* by the exchange, whose endpoint is there */
  inf_wire_request wire;
  inf_buf body;
  bool corrected; /* the clock was, and it was asked again */
  int http_status;
  int64_t date_wall_ns; /* our time when the answer came */
  inf_buf date;
} inf_credential;

/* Asks for a token. Whatever comes of it, inf_credential_answer() included,
 * ends in inf_credential_over(). */
void inf_credential_ask(inf_credential *it);
/* The time for it is up. */
void inf_credential_time_out(inf_credential *it);
/* The application has answered; the request stays the caller's. An answer that
 * comes too late is taken too, if it is a token. */
void inf_credential_answer(inf_credential *it,
                           const struct infer_token_request *answer);
/* Ends the exchange, if there is one. */
void inf_credential_end_exchange(inf_credential *it);

/* credentials.c: a question is over, it->token says how. Who has waited for the
 * answer goes on. */
void inf_credential_over(inf_credential *it);

#endif
