/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_GOOGLE_TOKEN_H
#define INF_PROVIDER_GOOGLE_TOKEN_H

#include "provider/dialect.h"
#include "provider/jwt.h"
#include "provider/token.h"

/* Access tokens of a Google service account (token.h): the request that trades
 * a signed assertion (jwt.h) for one, and the answer. The clock is the
 * caller's, and so is the network. */

#define INF_GOOGLE_SCOPE "https://www.googleapis.com/auth/cloud-platform"

/* Writes the exchange's request, a POST. INFER_OK or why not. It is as good as
 * a key: its body is to be wiped. */
int32_t inf_google_token_ask(const inf_jwt_account *account, int64_t wall_ns,
                             inf_wire_request *out);
/* The exchange is over. sent_ns: when it was asked, from when on the lifetime
 * counts. INFER_OK, or the class of what went wrong, with token->failure; a
 * token that is still good stays. */
int32_t inf_google_token_answer(inf_token *token, int http_status, inf_sv body,
                                uint64_t sent_ns, uint64_t now_ns,
                                inf_rng *rng);

#endif
