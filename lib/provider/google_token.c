/* SPDX-License-Identifier: MIT */
/* The token server's side of a service account; see google_token.h. */
#include "provider/google_token.h"

#include "infer/infer.h"
#include "wire/json_scan.h"

enum { max_depth = 16 };

/* ---- The request --------------------------------------------------------- */

static void
put_line(inf_buf *headers, inf_sv line)
{
  inf_buf_append(headers, line.ptr, line.len + 1);
}

/* An assertion is 1.4 KiB with the largest key that is in use. */
#define BODY_BYTES ((size_t)8 << 10)

int32_t
inf_google_token_ask(const inf_jwt_account *account, int64_t wall_ns,
                     inf_wire_request *out)
{
  inf_buf_append_sv(&out->url, inf_buf_sv(&account->token_uri));
  put_line(&out->headers,
           INF_SV("Content-Type: application/x-www-form-urlencoded"));
  put_line(&out->headers, INF_SV("Accept: application/json"));
  put_line(&out->headers, INF_SV("User-Agent: libinfer/" INFER_VERSION));
  inf_buf_reserve(&out->body, BODY_BYTES); /* no growth leaves a copy */
  inf_buf_append_cstr(&out->body, INF_JWT_GRANT);
  int32_t status =
      inf_jwt_sign(account, INF_SV(INF_GOOGLE_SCOPE), wall_ns, &out->body);
  const inf_buf *parts[] = {&out->url, &out->headers, &out->body};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    if (status == INFER_OK)
      status = parts[i]->status;
  return status;
}

/* ---- The answer ---------------------------------------------------------- */

/* {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
 * with 400 or 401: the account is not good, whatever the status says. */
static void
read_refusal(inf_token *token, int http_status, inf_sv body)
{
  inf_sv value, text;
  inf_headers none;
  inf_failure *failure = &token->failure;
  inf_headers_init(&none, 0);
  inf_classify_failure(failure, NULL, http_status, &none, body, 0);
  inf_headers_fini(&none);
  if (failure->status == INFER_E_BAD_REQUEST)
    failure->status = INFER_E_AUTH;
  if (inf_json_scan(body, max_depth, &value, NULL) &&
      inf_json_plain(inf_json_get(value, INF_SV("error_description")), &text))
    inf_failure_set_text(&failure->message, text);
}

int32_t
inf_google_token_answer(inf_token *token, int http_status, inf_sv body,
                        uint64_t sent_ns, uint64_t now_ns, inf_rng *rng)
{
  inf_sv value = {0}, text;
  int64_t life_s = 0;
  if (http_status != 200) {
    inf_failure_clear(&token->failure);
    read_refusal(token, http_status, body);
    inf_token_note_failure(token, now_ns);
    return token->failure.status;
  }
  if (inf_json_parse(body, max_depth, &value, NULL) &&
      inf_json_int64(inf_json_get(value, INF_SV("expires_in")), true,
                     &life_s) &&
      inf_json_plain(inf_json_get(value, INF_SV("access_token")), &text) &&
      text.len > 0 && inf_header_value_valid(text))
    return inf_token_take(token, text, life_s, sent_ns, now_ns, rng);
  inf_token_fail(token, INFER_E_PROTOCOL,
                 "the token server's answer has no token", now_ns);
  return INFER_E_PROTOCOL;
}
