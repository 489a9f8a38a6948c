/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_CREDENTIALS_H
#define INF_ENGINE_CREDENTIALS_H

#include "base/list.h"
#include "config/config.h"
#include "provider/skew.h"
#include "provider/token.h"

/* Credentials that expire: the tokens of all providers that have a source of
 * them (inf_key_source), and the questions for the next ones. Loop only.
 *
 *  - A token belongs to a provider's name and what it is made of (the key's
 *    fingerprint): a reload keeps it where both are the same.
 *  - One question at a time is under way for each, whoever needs the answer:
 *    an exchange with Google's token server, over the client's own transport
 *    with the provider's proxy and CAs, or a hook of the application.
 *  - Before an attempt its call comes by: with a token at hand it passes;
 *    without one it waits until the question is over, its deadline comes, or it
 *    is cancelled. What it holds of limits it gives back meanwhile. Where there
 *    is none, and it is too early to ask again, the attempt is made and fails
 *    with the class of why; failover goes on from there.
 *  - A hedge or a probe does not wait: without a token at hand it is not sent.
 *  - Neither limits nor breakers hear of a token server: it is not the
 *    provider. No prompt goes there. */

struct inf_attempt;
struct inf_engine;
struct infer_call;
struct infer_token_request;

/* An exchange with a token server may take so long, and an application to
 * answer. Google's servers answer in 0.1 to 0.5 s; of who asks a person nobody
 * can tell. */
#define INF_TOKEN_EXCHANGE_NS (10 * INF_NS_PER_S)
#define INF_TOKEN_HOOK_NS     (60 * INF_NS_PER_S)

typedef struct inf_credentials {
  inf_list all;
  uint64_t next_ns; /* when inf_credentials_run() is due */
} inf_credentials;

void inf_credentials_init(inf_credentials *credentials);
/* No call waits any more. */
void inf_credentials_fini(struct inf_engine *engine);
/* A new configuration: forgets what it does not have, and asks at once again
 * for what could not be had. */
void inf_credentials_configure(struct inf_engine *engine, inf_config *config);
/* Timeouts, and renewals of tokens that are in use. */
void inf_credentials_run(struct inf_engine *engine);

/* May the call's next attempt be made? False: it waits; inf_call_start_now()
 * tells it when that is over. */
bool inf_credentials_ready(struct inf_engine *engine, struct infer_call *call);
/* Is there a token at hand, or none needed? Where not, it is asked for. */
bool inf_credentials_have(struct inf_engine *engine, inf_config *config,
                          const inf_provider_config *provider);
/* Copies the token into attempt->token. INFER_OK, also where none is needed;
 * else the class of why there is none, with a line in why and, in the decoder's
 * failure, when another is worth a try. */
int32_t inf_credentials_take(struct inf_attempt *attempt,
                             const inf_provider_config *provider, inf_buf *why);
/* The provider answered the attempt with this status. */
void inf_credentials_note_answer(struct inf_attempt *attempt, int http_status);
/* The attempt failed. True: because of its token, and the same attempt is worth
 * another try with the next one. */
bool inf_credentials_refused(struct inf_attempt *attempt, int32_t status);

/* The application has answered; takes the request over. */
void inf_credentials_answer(struct inf_engine *engine,
                            struct infer_token_request *request);
/* Overwrites all tokens; in a forked child. */
void inf_credentials_wipe(const inf_credentials *credentials);

static inline bool
inf_provider_has_source(const inf_provider_config *provider)
{
  return provider->key_count > 0 && provider->keys[0].source != INF_KEY_GIVEN;
}

#endif
