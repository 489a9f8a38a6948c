/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_JWT_H
#define INF_PROVIDER_JWT_H

#include "base/buf.h"

#include <stdint.h>

/* Google's service accounts: the JSON file with an account's key, and the
 * signed assertion (a JSON Web Token, RFC 7515 and 7519, RS256) that the token
 * server trades for an access token (RFC 7523). By "Using OAuth 2.0 for Server
 * to Server Applications" of Google's identity documentation.
 *
 * An account is read once, when the configuration is; from then on it is only
 * read, by any thread. Its key is libcrypto's, which wipes it. */

#define INF_JWT_LIFETIME_S 3600 /* the most that Google takes */
/* What precedes the assertion in the body of a request for a token, of type
 * application/x-www-form-urlencoded; nothing in an assertion needs encoding. */
#define INF_JWT_GRANT                                         \
  "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt" \
  "-bearer&assertion="
#define INF_JWT_TOKEN_URI "https://oauth2.googleapis.com/token"

typedef struct inf_jwt_account {
  inf_buf client_email;
  inf_buf private_key_id; /* "" if the file has none */
  inf_buf token_uri;      /* INF_JWT_TOKEN_URI if the file has none */
  struct evp_pkey_st *private_key;
} inf_jwt_account;

/* Reads the text of the file. Wanted are "client_email" and "private_key" (an
 * RSA key of at least 2048 bits in PEM, not encrypted). INFER_OK,
 * INFER_E_NO_MEMORY, or INFER_E_INVALID_ARGUMENT with a line in why (may be
 * NULL) that says what is wrong and holds nothing of the key. To be given to
 * inf_jwt_account_fini() in any case. */
int32_t inf_jwt_account_read(inf_jwt_account *account, inf_sv json,
                             inf_buf *why);
void inf_jwt_account_fini(inf_jwt_account *account);

/* Appends an assertion that is good for INF_JWT_LIFETIME_S from now on. scope
 * is what the token is for, names separated by spaces:
 * "https://www.googleapis.com/auth/cloud-platform". The buffer needs
 * inf_buf_fini_secret(). INFER_OK or INFER_E_NO_MEMORY, INFER_E_TOO_LARGE;
 * then nothing is appended. */
int32_t inf_jwt_sign(const inf_jwt_account *account, inf_sv scope,
                     int64_t wall_ns, inf_buf *out);

#endif
