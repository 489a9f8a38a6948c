/* SPDX-License-Identifier: MIT */
/* Questions for tokens; see credential.h. */
#include "engine/credential.h"

#include "base/mem.h"
#include "engine/token_request.h"
#include "provider/google_token.h"

/* The answer of a token server has some 2 KiB. */
enum { max_answer_bytes = 64 << 10 };

/* ---- The end of a question ----------------------------------------------- */

/* The classes that the lack of a token can have: an account that is not good,
 * or somebody who cannot be had now. */
static int32_t
class_of(int32_t status)
{
  switch (status) {
  case INFER_E_AUTH:
  case INFER_E_RESOLVE:
  case INFER_E_CONNECT:
  case INFER_E_TLS:
  case INFER_E_TLS_VERIFY:
  case INFER_E_RESET:
  case INFER_E_OVERLOADED:
  case INFER_E_SERVER:
  case INFER_E_RATE_LIMITED:
  case INFER_E_NOT_FOUND:
  case INFER_E_PROTOCOL:
  case INFER_E_NO_MEMORY:
    return status;
  case INFER_E_TRUNCATED:
    return INFER_E_RESET;
  default:
    return INFER_E_SERVER;
  }
}

static void
fail(inf_credential *it, int32_t status, const char *message)
{
  inf_token_fail(&it->token, class_of(status), message, it->engine->now_ns);
  inf_credential_over(it);
}

/* ---- An exchange --------------------------------------------------------- */

static bool start_exchange(inf_credential *it);

void
inf_credential_end_exchange(inf_credential *it)
{
  if (it->exchange)
    it->engine->transport->ops->cancel(it->exchange);
  it->exchange = NULL;
  inf_wipe(it->wire.body.ptr, it->wire.body.len);
  inf_wire_request_fini(&it->wire);
  inf_buf_fini_secret(&it->body);
  inf_buf_fini(&it->date);
  inf_config_unref(it->pinned);
  it->pinned = NULL;
}

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  inf_credential *it = context;
  const inf_clock *clock = it->engine->clock;
  inf_sv date;
  it->http_status = status;
  it->date_wall_ns = clock->wall_ns(clock->context);
  if (inf_headers_get(headers, INF_SV("date"), &date))
    inf_buf_append_sv(&it->date, date);
  return true;
}

static bool
on_body(void *context, const char *ptr, size_t len)
{
  inf_credential *it = context;
  return inf_buf_append(&it->body, ptr, len);
}

/* An assertion carries the time, as a signature does. A server whose date runs
 * away is not followed. */
static bool
corrects_clock(inf_credential *it)
{
  return (it->http_status == 400 || it->http_status == 401) && !it->corrected &&
         inf_skew_learn(&it->engine->skew, inf_buf_sv(&it->date),
                        it->date_wall_ns);
}

/* What a server echoes of the assertion, which is as good as a key for an
 * hour, is told nobody. */
static void
hide_assertion(inf_credential *it)
{
  static const size_t grant = sizeof INF_JWT_GRANT - 1;
  inf_buf *message = &it->token.failure.message;
  const inf_buf *sent = &it->wire.body;
  if (sent->len > grant && message->len > 0 &&
      memmem(message->ptr, message->len, "eyJ", 3))
    inf_failure_set_text(message, INF_SV("(it quotes the assertion)"));
}

static void
on_done(void *context, const inf_exchange_result *result)
{
  inf_credential *it = context;
  inf_engine *engine = it->engine;
  it->exchange = NULL;
  if (it->body.status != INFER_OK) {
    fail(it,
         it->body.status == INFER_E_NO_MEMORY ? INFER_E_NO_MEMORY
                                              : INFER_E_PROTOCOL,
         "the answer is too long to be a token's");
    return;
  }
  if (result->net != INF_NET_OK) {
    fail(it, inf_attempt_class_of_net(result->net), result->detail);
    return;
  }
  if (corrects_clock(it)) {
    inf_credential_end_exchange(it);
    it->corrected = true;
    if (start_exchange(it))
      return;
    fail(it, INFER_E_NO_MEMORY, "out of memory");
    return;
  }
  inf_google_token_answer(&it->token, it->http_status, inf_buf_sv(&it->body),
                          it->asked_ns, engine->now_ns, &engine->rng);
  if (it->token.failure.status != INFER_OK)
    it->token.failure.status = class_of(it->token.failure.status);
  hide_assertion(it);
  inf_credential_over(it);
}

static const inf_exchange_events exchange_events = {NULL, on_headers, on_body,
                                                    on_done};

static int32_t
write_exchange(inf_credential *it)
{
  inf_engine *engine = it->engine;
  const inf_key *key = &it->provider->keys[0];
  inf_jwt_account account;
  int64_t wall_ns = inf_skew_time(
      &engine->skew, engine->clock->wall_ns(engine->clock->context));
  inf_wire_request_init(&it->wire);
  inf_buf_init(&it->body, max_answer_bytes);
  inf_buf_init(&it->date, 64);
  it->http_status = 0;
  int32_t status = inf_jwt_account_read(
      &account, inf_sv_of(key->account, key->account_len), NULL);
  if (status == INFER_OK)
    status = inf_google_token_ask(&account, wall_ns, &it->wire);
  inf_jwt_account_fini(&account);
  return status;
}

/* False: it cannot be sent. */
static bool
start_exchange(inf_credential *it)
{
  inf_engine *engine = it->engine;
  if (write_exchange(it) != INFER_OK)
    return false;
  it->pinned = inf_config_ref(it->config);
  it->asked_ns = engine->now_ns;
  inf_http_request request = {
      .method = "POST",
      .url = inf_buf_cstr(&it->wire.url),
      .headers = inf_buf_sv(&it->wire.headers),
      .body = inf_buf_sv(&it->wire.body),
      .endpoint = &it->provider->token_endpoint,
  };
  it->exchange = engine->transport->ops->start(engine->transport, &request,
                                               &exchange_events, it);
  return it->exchange;
}

/* ---- A question to the application --------------------------------------- */

/* False: it cannot be asked. The answer may be on its way already. */
static bool
ask_hook(inf_credential *it)
{
  inf_engine *engine = it->engine;
  const inf_token_hook hook = it->provider->keys[0].hook;
  struct infer_token_request *request =
      inf_token_request_new(engine->context, it->name);
  if (!request)
    return false;
  request->fingerprint = it->fingerprint;
  request->number = ++it->number;
  request->refused = it->refused;
  hook.fn(request, hook.user_data);
  inf_engine_update_time(engine, INF_NEVER);
  return true;
}

static void
take_answer(inf_credential *it, const struct infer_token_request *answer)
{
  inf_engine *engine = it->engine;
  const inf_clock *clock = engine->clock;
  int64_t now_s = clock->wall_ns(clock->context) / (int64_t)INF_NS_PER_S;
  int64_t life_s =
      answer->expires_at == 0 ? INF_TOKEN_NO_END : answer->expires_at - now_s;
  if (life_s <= 0)
    inf_token_fail(&it->token, INFER_E_AUTH, "what it gave has expired",
                   engine->now_ns);
  else
    inf_token_take(&it->token, inf_buf_sv(&answer->text), life_s,
                   engine->now_ns, engine->now_ns, &engine->rng);
}

void
inf_credential_answer(inf_credential *it,
                      const struct infer_token_request *answer)
{
  if (answer->status == INFER_OK) {
    take_answer(it, answer);
    inf_credential_over(it);
  } else if (it->token.asking && answer->number == it->number) {
    fail(it, answer->status, inf_buf_cstr(&answer->text));
  }
}

/* ---- Questions ----------------------------------------------------------- */

void
inf_credential_ask(inf_credential *it)
{
  inf_engine *engine = it->engine;
  bool google = it->provider->keys[0].source == INF_KEY_GOOGLE;
  it->token.asking = true;
  it->corrected = false;
  it->until_ns = inf_time_add(engine->now_ns, google ? INF_TOKEN_EXCHANGE_NS
                                                     : INF_TOKEN_HOOK_NS);
  if (!(google ? start_exchange(it) : ask_hook(it)))
    fail(it, INFER_E_NO_MEMORY, "out of memory");
}

void
inf_credential_time_out(inf_credential *it)
{
  inf_buf why;
  bool google = it->provider->keys[0].source == INF_KEY_GOOGLE;
  uint64_t limit_ns = google ? INF_TOKEN_EXCHANGE_NS : INF_TOKEN_HOOK_NS;
  inf_buf_init(&why, 64);
  inf_buf_appendf(&why, "no answer within %llu s",
                  (unsigned long long)(limit_ns / INF_NS_PER_S));
  fail(it, INFER_E_SERVER, inf_buf_cstr(&why));
  inf_buf_fini(&why);
}
