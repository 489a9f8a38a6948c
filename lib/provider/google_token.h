/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_GOOGLE_TOKEN_H
#define INF_PROVIDER_GOOGLE_TOKEN_H

#include "provider/dialect.h"
#include "provider/jwt.h"

/* Access tokens of a Google service account: the request that trades a signed
 * assertion (jwt.h) for one, the answer, and when the next has to be had. The
 * clock is the caller's, and so is the network; one thread at a time.
 *
 * How the engine is to use it (it does not yet; until then a token is given as
 * the account's key):
 *
 *  - A key whose text is a service account's JSON (`"api_key": "file:sa.json"`)
 *    is read by inf_jwt_account_read() when the configuration is, and kept in
 *    inf_key beside the secret, which stays empty.
 *  - The token stands in the client's state of that key, which a reload keeps
 *    by the key's hash, as those of limits and breakers. Loop only: no lock.
 *  - Before an attempt is written, inf_google_token_need() says what to do.
 * USE: send.key is the token. USE_AND_ASK: the same, and an exchange begins
 *    behind its back. ASK, WAIT: the attempt waits in a list of the token, as
 *    one does for a free place (waiting.h), until its deadline or the exchange
 *    is over. FAILED: the attempt ends with the exchange's class, as if the
 *    provider had said it; failover goes on from there.
 *  - An exchange is one transfer of the client's own, as a probe is (probe.h):
 *    connect and total timeout 10 s, the provider's proxy and CA, no place in
 *    limits, ledger and breaker; the token server is not the provider.
 *  - A 401 of the provider: inf_google_token_refused(), and where that dropped
 *    the token one resend that costs no allowance. A second 401 stands. */

#define INF_GOOGLE_SCOPE "https://www.googleapis.com/auth/cloud-platform"

typedef struct inf_google_token {
  inf_buf text; /* "": none */
  /* Of the clock that now_ns is of. */
  uint64_t refresh_ns, end_ns; /* a new one is to be had; it is not sent any
                                * more: both ahead of its real end */
  uint64_t retry_ns;           /* no exchange before */
  unsigned failures;           /* exchanges that failed, one after another */
  bool asking;                 /* one is under way */
  inf_failure failure;         /* of the last exchange */
} inf_google_token;

typedef enum inf_token_need {
  INF_TOKEN_USE,
  INF_TOKEN_USE_AND_ASK,
  INF_TOKEN_ASK,
  INF_TOKEN_WAIT,   /* for the exchange that is under way */
  INF_TOKEN_FAILED, /* there is none, and it is too early to ask again */
} inf_token_need;

void inf_google_token_init(inf_google_token *token);
void inf_google_token_fini(inf_google_token *token);

inf_token_need inf_google_token_need(const inf_google_token *token,
                                     uint64_t now_ns);
/* Writes the exchange's request, a POST, and notes that it is under way.
 * INFER_OK or why not; then inf_google_token_fail() is to be called. */
int32_t inf_google_token_ask(inf_google_token *token,
                             const inf_jwt_account *account, int64_t wall_ns,
                             inf_wire_request *out);
/* The exchange is over. sent_ns: when it was asked, from when on the lifetime
 * counts. INFER_OK, or the class of what went wrong, with token->failure; a
 * token that is still good stays. */
int32_t inf_google_token_answer(inf_google_token *token, int http_status,
                                inf_sv body, uint64_t sent_ns, uint64_t now_ns);
/* No answer came: status is the class, of the network. */
void inf_google_token_fail(inf_google_token *token, int32_t status,
                           const char *message, uint64_t now_ns);
/* The provider refused this token. True if it is the one at hand, which is
 * dropped then: another is worth a try. */
bool inf_google_token_refused(inf_google_token *token, inf_sv text);

#endif
