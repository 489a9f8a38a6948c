/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_SIGV4_H
#define INF_PROVIDER_SIGV4_H

#include "base/buf.h"

/* AWS Signature Version 4 in the Authorization header, for Bedrock and what
 * else AWS runs. By "Signing AWS API requests" of the IAM User Guide:
 *
 *   canonical request   method, path, query, headers and the body's hash, in
 *                       the one way of writing them that both sides know
 *   string to sign      algorithm, time, scope, hash of the canonical request
 *   key                 HMAC over HMAC of the secret, day, region, service
 *   signature           HMAC of the string to sign with that key
 *
 * Pure: request, account and time in, header lines out. Keys and what they
 * are made from are wiped; nothing is kept. Any thread. */

typedef struct inf_sigv4_account {
  inf_sv access_key_id, secret_access_key;
  inf_sv session_token; /* of temporary credentials; "" for none */
  inf_sv region;        /* "us-east-1" */
  inf_sv service;       /* as it signs: "bedrock" */
} inf_sigv4_account;

typedef struct inf_sigv4_request {
  inf_sv method; /* "POST" */
  inf_sv host;   /* with ":port" where it is not the scheme's own */
  /* As they stand in the request line, percent-encoded, without '?'. */
  inf_sv path, query;
  /* "Name: value" lines, each NUL-terminated, as they are sent; all are signed
   * but those that are the connection's own business or change on the way
   * (Connection, Expect, Transfer-Encoding, User-Agent, X-Amzn-Trace-Id), and
   * Authorization. Host, X-Amz-Date and X-Amz-Security-Token are not among
   * them. */
  inf_sv headers;
  inf_sv body;
  bool hash_header; /* also send (and sign) X-Amz-Content-Sha256 */
} inf_sigv4_request;

/* SHA-256 in hexadecimal digits, with a NUL. */
#define INF_SIGV4_HEX_BYTES 65
#define INF_SIGV4_KEY_BYTES 32

/* The key of a day ("20150830"). False only if libcrypto fails. */
bool inf_sigv4_key(const inf_sigv4_account *account, inf_sv day,
                   unsigned char key[INF_SIGV4_KEY_BYTES]);

/* Appends X-Amz-Date, X-Amz-Security-Token and X-Amz-Content-Sha256 where they
 * are wanted, and Authorization, as lines that end with a NUL; the buffer
 * needs inf_buf_fini_secret(). It must not be the one whose bytes
 * request->headers views, unless its room is reserved. INFER_OK,
 * INFER_E_NO_MEMORY, INFER_E_TOO_LARGE (more than 64 headers or parts of the
 * query, or more text than servers take), or INFER_E_INVALID_ARGUMENT with a
 * line in why (may be NULL); then nothing is appended. */
int32_t inf_sigv4_sign(const inf_sigv4_account *account,
                       const inf_sigv4_request *request, int64_t wall_ns,
                       inf_buf *headers, inf_buf *why);

#endif
