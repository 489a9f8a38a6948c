/* SPDX-License-Identifier: MIT */
/* Most tokens live for an hour. One is renewed five minutes ahead of its end,
 * or a quarter of its life if that is less, so that no call waits for one but
 * the first, and who gives them out may be away for as long unnoticed; up to a
 * tenth of that is added by chance, so that not all processes that began
 * together ask together. It is sent until 30 s before its end, since a request
 * may wait on its way.
 *
 * A question that failed is asked again after 1 s, 2 s, 4 s, ... 60 s, as
 * Google asks for 5xx; one whose account is refused after 60 s at once, for
 * only a person can mend that.
 *
 * A token that is refused is dropped: it may have been revoked. But where none
 * was taken since the last was dropped, another would fare no better; it is
 * tried again once a minute, so that a provider that refuses all does not
 * become a storm at who gives out tokens. */
#include "provider/token.h"

#include "base/clock.h"
#include "base/mem.h"
#include "infer/infer.h"

enum {
  refresh_ahead_s = 300,
  end_ahead_s = 30,
  jitter_divisor = 10,
  least_life_s = 60,      /* taken for one that has none; it is a mistake */
  longest_life_s = 43200, /* of AWS, which has the longest */
  longest_retry_s = 60,
  refused_again_s = 60,
};

void
inf_token_init(inf_token *token)
{
  *token = (inf_token){0};
  inf_buf_init(&token->text, INF_TOKEN_MAX_BYTES);
  inf_failure_init(&token->failure);
}

void
inf_token_fini(inf_token *token)
{
  inf_buf_fini_secret(&token->text);
  inf_failure_fini(&token->failure);
}

void
inf_token_wipe(inf_token *token)
{
  if (token->text.ptr)
    inf_wipe(token->text.ptr, token->text.cap);
}

static void
drop(inf_token *token)
{
  inf_token_wipe(token);
  inf_buf_clear(&token->text);
  token->used = token->accepted = false;
}

inf_token_need
inf_token_look(const inf_token *token, uint64_t now_ns)
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

uint64_t
inf_token_due_ns(const inf_token *token)
{
  if (!token->used || token->asking || token->text.len == 0)
    return INF_NEVER;
  return token->refresh_ns > token->retry_ns ? token->refresh_ns
                                             : token->retry_ns;
}

/* ---- Its end ------------------------------------------------------------- */

static void
set_times(inf_token *token, int64_t life_s, uint64_t from_ns, inf_rng *rng)
{
  token->refresh_ns = token->end_ns = INF_NEVER;
  if (life_s == INF_TOKEN_NO_END)
    return;
  if (life_s < 1)
    life_s = least_life_s;
  if (life_s > longest_life_s)
    life_s = longest_life_s;
  uint64_t life = (uint64_t)life_s;
  uint64_t ahead = life / 4 < refresh_ahead_s ? life / 4 : refresh_ahead_s;
  uint64_t end = life / 4 < end_ahead_s ? life / 4 : end_ahead_s;
  uint64_t jitter_ns =
      inf_rng_below(rng, ahead * INF_NS_PER_S / jitter_divisor + 1);
  token->refresh_ns =
      inf_time_add(from_ns, (life - ahead) * INF_NS_PER_S - jitter_ns);
  token->end_ns = inf_time_add(from_ns, (life - end) * INF_NS_PER_S);
}

/* ---- What came of a question --------------------------------------------- */

/* Only what may stand in a header is a token. */
static int32_t
take_text(inf_token *token, inf_sv text)
{
  if (text.len == 0 || text.len > INF_TOKEN_MAX_BYTES ||
      !inf_header_value_valid(text) || inf_sv_trim(text).len != text.len)
    return INFER_E_PROTOCOL;
  if (!token->text.ptr && !inf_buf_reserve(&token->text, INF_TOKEN_MAX_BYTES)) {
    token->text.status = INFER_OK; /* next time there may be some */
    return INFER_E_NO_MEMORY;
  }
  drop(token);
  inf_buf_append_sv(&token->text, text);
  token->serial++;
  return INFER_OK;
}

int32_t
inf_token_take(inf_token *token, inf_sv text, int64_t life_s, uint64_t from_ns,
               uint64_t now_ns, inf_rng *rng)
{
  int32_t status = take_text(token, text);
  if (status != INFER_OK) {
    inf_token_fail(token, status,
                   status == INFER_E_NO_MEMORY ? "no memory for the token"
                                               : "what came is no token",
                   now_ns);
    return status;
  }
  inf_failure_clear(&token->failure);
  set_times(token, life_s, from_ns, rng);
  token->asking = false;
  token->failures = 0;
  token->retry_ns = 0;
  return INFER_OK;
}

void
inf_token_note_failure(inf_token *token, uint64_t now_ns)
{
  unsigned shift = token->failures < 6 ? token->failures : 6;
  uint64_t wait_s = (uint64_t)1 << shift;
  if (wait_s > longest_retry_s || token->failure.status == INFER_E_AUTH)
    wait_s = longest_retry_s;
  if (token->failure.status == INFER_E_NO_MEMORY)
    wait_s = 0; /* nobody was asked */
  token->failures++;
  token->asking = false;
  token->retry_ns = inf_time_add(now_ns, wait_s * INF_NS_PER_S);
}

void
inf_token_fail(inf_token *token, int32_t status, const char *message,
               uint64_t now_ns)
{
  inf_failure_clear(&token->failure);
  token->failure.status = status;
  inf_failure_set_text(&token->failure.message, inf_sv_from(message));
  inf_token_note_failure(token, now_ns);
}

/* ---- What the provider says of it ---------------------------------------- */

void
inf_token_accepted(inf_token *token, uint64_t serial)
{
  if (serial == token->serial && token->text.len > 0)
    token->accepted = true;
}

bool
inf_token_refused(inf_token *token, uint64_t serial, uint64_t now_ns)
{
  if (serial != token->serial || token->text.len == 0)
    return true;
  uint64_t again_ns =
      inf_time_add(token->refused_ns, refused_again_s * INF_NS_PER_S);
  if (token->refused_ns > 0 && !token->accepted && now_ns < again_ns)
    return false;
  drop(token);
  token->refused_ns = now_ns;
  return true;
}

void
inf_token_forgive(inf_token *token)
{
  token->retry_ns = 0;
  token->refused_ns = 0;
}
