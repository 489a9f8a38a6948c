/* SPDX-License-Identifier: MIT */
/* A token lives for an hour. It is renewed five minutes ahead of its end, or a
 * quarter of its life if that is less, so that no call waits for an exchange
 * but the first, and Google's servers may be away for as long unnoticed. It is
 * sent until 30 s before its end, since a request may wait on its way.
 *
 * Exchanges that fail are tried again after 1 s, 2 s, 4 s, ... 60 s, as Google
 * asks for 5xx; one whose account is refused after 60 s at once, for only a
 * person can mend that. */
#include "provider/google_token.h"

#include "base/clock.h"
#include "base/mem.h"
#include "infer/infer.h"
#include "wire/json_scan.h"

enum {
  refresh_ahead_s = 300,
  end_ahead_s = 30,
  shortest_life_s = 60, /* a shorter one is taken for this; it is a mistake */
  longest_life_s = 43200,
  longest_retry_s = 60,
  max_token_bytes = 16 << 10,
  max_depth = 16,
};

void
inf_google_token_init(inf_google_token *token)
{
  *token = (inf_google_token){0};
  inf_buf_init(&token->text, max_token_bytes);
  inf_failure_init(&token->failure);
}

void
inf_google_token_fini(inf_google_token *token)
{
  inf_buf_fini_secret(&token->text);
  inf_failure_fini(&token->failure);
}

static void
drop(inf_google_token *token)
{
  inf_wipe(token->text.ptr, token->text.len);
  inf_buf_clear(&token->text);
}

inf_token_need
inf_google_token_need(const inf_google_token *token, uint64_t now_ns)
{
  bool good = token->text.len > 0 && now_ns < token->end_ns;
  bool may_ask = !token->asking && now_ns >= token->retry_ns;
  if (good)
    return now_ns >= token->refresh_ns && may_ask ? INF_TOKEN_USE_AND_ASK
                                                  : INF_TOKEN_USE;
  if (token->asking)
    return INF_TOKEN_WAIT;
  return may_ask ? INF_TOKEN_ASK : INF_TOKEN_FAILED;
}

/* ---- The request --------------------------------------------------------- */

static void
put_line(inf_buf *headers, inf_sv line)
{
  inf_buf_append(headers, line.ptr, line.len + 1);
}

int32_t
inf_google_token_ask(inf_google_token *token, const inf_jwt_account *account,
                     int64_t wall_ns, inf_wire_request *out)
{
  token->asking = true;
  inf_buf_append_sv(&out->url, inf_buf_sv(&account->token_uri));
  put_line(&out->headers,
           INF_SV("Content-Type: application/x-www-form-urlencoded"));
  put_line(&out->headers, INF_SV("Accept: application/json"));
  put_line(&out->headers, INF_SV("User-Agent: libinfer/" INFER_VERSION));
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

static void
note_failure(inf_google_token *token, uint64_t now_ns)
{
  unsigned shift = token->failures < 6 ? token->failures : 6;
  uint64_t wait_s = (uint64_t)1 << shift;
  if (wait_s > longest_retry_s || token->failure.status == INFER_E_AUTH)
    wait_s = longest_retry_s;
  token->failures++;
  token->asking = false;
  token->retry_ns = now_ns + wait_s * INF_NS_PER_S;
}

void
inf_google_token_fail(inf_google_token *token, int32_t status,
                      const char *message, uint64_t now_ns)
{
  inf_failure_clear(&token->failure);
  token->failure.status = status;
  inf_failure_set_text(&token->failure.message, inf_sv_from(message));
  note_failure(token, now_ns);
}

/* {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
 * with 400 or 401: the account is not good, whatever the status says. */
static void
read_refusal(inf_google_token *token, int http_status, inf_sv body)
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

/* Only what may stand in a header is a token. */
static bool
take_text(inf_google_token *token, inf_sv json)
{
  inf_sv text;
  if (!inf_json_plain(json, &text) || text.len == 0 ||
      !inf_header_value_valid(text))
    return false;
  drop(token);
  inf_buf_reserve(&token->text, text.len);
  return inf_buf_append_sv(&token->text, text);
}

static void
set_times(inf_google_token *token, int64_t life_s, uint64_t sent_ns)
{
  if (life_s < shortest_life_s)
    life_s = shortest_life_s;
  if (life_s > longest_life_s)
    life_s = longest_life_s;
  uint64_t life = (uint64_t)life_s;
  uint64_t ahead = life / 4 < refresh_ahead_s ? life / 4 : refresh_ahead_s;
  uint64_t end = life / 4 < end_ahead_s ? life / 4 : end_ahead_s;
  token->refresh_ns = sent_ns + (life - ahead) * INF_NS_PER_S;
  token->end_ns = sent_ns + (life - end) * INF_NS_PER_S;
}

int32_t
inf_google_token_answer(inf_google_token *token, int http_status, inf_sv body,
                        uint64_t sent_ns, uint64_t now_ns)
{
  inf_sv value = {0};
  int64_t life_s = 0;
  inf_failure_clear(&token->failure);
  if (http_status != 200) {
    read_refusal(token, http_status, body);
    note_failure(token, now_ns);
    return token->failure.status;
  }
  if (!inf_json_parse(body, max_depth, &value, NULL) ||
      !inf_json_int64(inf_json_get(value, INF_SV("expires_in")), true,
                      &life_s) ||
      !take_text(token, inf_json_get(value, INF_SV("access_token")))) {
    inf_google_token_fail(token, INFER_E_PROTOCOL,
                          "the token server's answer has no token", now_ns);
    return INFER_E_PROTOCOL;
  }
  set_times(token, life_s, sent_ns);
  token->asking = false;
  token->failures = 0;
  token->retry_ns = 0;
  return INFER_OK;
}

bool
inf_google_token_refused(inf_google_token *token, inf_sv text)
{
  if (token->text.len == 0 || !inf_sv_eq(inf_buf_sv(&token->text), text))
    return false;
  drop(token);
  return true;
}
