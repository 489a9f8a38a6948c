/* SPDX-License-Identifier: MIT */
/* Tokens and the questions for them; see credentials.h. There are few: they
 * are found by going through them all. */
#include "engine/client.h"

#include "base/mem.h"
#include "engine/token_request.h"
#include "provider/google_token.h"

/* The answer of a token server has some 2 KiB. */
enum { max_answer_bytes = 64 << 10 };

typedef struct credential {
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
  int http_status;
  int64_t date_wall_ns; /* our time when the answer came */
  inf_buf date;
} credential;

/* ---- Life ---------------------------------------------------------------- */

void
inf_credentials_init(inf_credentials *credentials)
{
  inf_list_init(&credentials->all);
  credentials->next_ns = INF_NEVER;
}

static void
end_exchange(credential *it)
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

static void
credential_free(credential *it)
{
  end_exchange(it);
  inf_list_remove(&it->node);
  inf_token_fini(&it->token);
  inf_config_unref(it->config);
  inf_free(it->name);
  inf_free(it);
}

void
inf_credentials_fini(inf_engine *engine)
{
  inf_list *all = &engine->credentials.all;
  while (!inf_list_empty(all))
    credential_free(INF_CONTAINER_OF(all->next, credential, node));
}

void
inf_credentials_wipe(const inf_credentials *credentials)
{
  for (const inf_list *node = credentials->all.next; node != &credentials->all;
       node = node->next)
    inf_token_wipe(&INF_CONTAINER_OF(node, credential, node)->token);
}

static credential *
find(const inf_engine *engine, const char *name, uint64_t fingerprint)
{
  const inf_list *all = &engine->credentials.all;
  for (const inf_list *node = all->next; node != all; node = node->next) {
    credential *it = INF_CONTAINER_OF(node, credential, node);
    if (it->fingerprint == fingerprint && strcmp(it->name, name) == 0)
      return it;
  }
  return NULL;
}

static credential *
credential_new(inf_engine *engine, const inf_provider_config *provider)
{
  credential *it = inf_calloc(1, sizeof *it);
  if (!it)
    return NULL;
  it->name = inf_strndup(provider->name, strlen(provider->name));
  if (!it->name) {
    inf_free(it);
    return NULL;
  }
  it->engine = engine;
  it->fingerprint = provider->keys[0].fingerprint;
  inf_token_init(&it->token);
  inf_list_init(&it->calls);
  inf_list_init(&it->node);
  inf_list_push_back(&engine->credentials.all, &it->node);
  return it;
}

static void
use_config(credential *it, inf_config *config,
           const inf_provider_config *provider)
{
  inf_config *before = it->config;
  it->config = inf_config_ref(config);
  it->provider = provider;
  inf_config_unref(before);
}

/* The credential of a provider that has a source; NULL when memory is short. */
static credential *
credential_of(inf_engine *engine, inf_config *config,
              const inf_provider_config *provider)
{
  credential *it = find(engine, provider->name, provider->keys[0].fingerprint);
  if (!it)
    it = credential_new(engine, provider);
  if (it && !it->config)
    use_config(it, config, provider);
  return it;
}

/* ---- Time ---------------------------------------------------------------- */

static uint64_t
due_ns(const credential *it)
{
  if (it->token.asking)
    return it->until_ns;
  return it->gone ? INF_NEVER : inf_token_due_ns(&it->token);
}

static void
arm(inf_engine *engine)
{
  inf_credentials *credentials = &engine->credentials;
  credentials->next_ns = INF_NEVER;
  for (inf_list *node = credentials->all.next; node != &credentials->all;
       node = node->next) {
    uint64_t at_ns = due_ns(INF_CONTAINER_OF(node, credential, node));
    if (at_ns < credentials->next_ns)
      credentials->next_ns = at_ns;
  }
}

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

/* Who has waited for the answer goes on, whatever it is. */
static void
over(credential *it)
{
  inf_engine *engine = it->engine;
  inf_failure *failure = &it->token.failure;
  inf_list *node;
  end_exchange(it);
  if (failure->status != INFER_OK) {
    failure->status = class_of(failure->status);
    inf_logf(&engine->hooks->log, INFER_LOG_WARN,
             "provider \"%s\": no new token: %s", it->name,
             inf_status_find(failure->status)->text);
  } else {
    it->refused = false;
    inf_logf(&engine->hooks->log, INFER_LOG_DEBUG,
             "provider \"%s\": a new token", it->name);
  }
  while ((node = inf_list_pop_front(&it->calls)))
    inf_call_start_now(engine,
                       INF_CONTAINER_OF(node, struct infer_call, token_node));
  arm(engine);
}

static void
fail(credential *it, int32_t status, const char *message)
{
  inf_token_fail(&it->token, status, message, it->engine->now_ns);
  over(it);
}

/* ---- An exchange --------------------------------------------------------- */

static bool start_exchange(credential *it);

static void
on_sent(void *context, const inf_exchange_times *times, bool reused)
{
  (void)context;
  (void)times;
  (void)reused;
}

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  credential *it = context;
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
  credential *it = context;
  return inf_buf_append(&it->body, ptr, len);
}

/* An assertion carries the time, as a signature does. */
static bool
corrects_clock(credential *it)
{
  return (it->http_status == 400 || it->http_status == 401) &&
         inf_skew_learn(&it->engine->skew, inf_buf_sv(&it->date),
                        it->date_wall_ns);
}

/* What a server echoes of the assertion, which is as good as a key for an
 * hour, is told nobody. */
static void
hide_assertion(credential *it)
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
  credential *it = context;
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
    end_exchange(it);
    if (start_exchange(it))
      return;
    fail(it, INFER_E_NO_MEMORY, "out of memory");
    return;
  }
  inf_google_token_answer(&it->token, it->http_status, inf_buf_sv(&it->body),
                          it->asked_ns, engine->now_ns, &engine->rng);
  hide_assertion(it);
  over(it);
}

static const inf_exchange_events exchange_events = {on_sent, on_headers,
                                                    on_body, on_done};

static int32_t
write_exchange(credential *it)
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
start_exchange(credential *it)
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
ask_hook(credential *it)
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
take_answer(credential *it, const struct infer_token_request *answer)
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

/* One that comes too late is taken too, if it is a token. */
void
inf_credentials_answer(inf_engine *engine, struct infer_token_request *answer)
{
  credential *it = find(engine, answer->provider, answer->fingerprint);
  bool awaited = it && it->token.asking && answer->number == it->number;
  if (it && answer->status == INFER_OK) {
    take_answer(it, answer);
    over(it);
  } else if (awaited) {
    fail(it, answer->status, inf_buf_cstr(&answer->text));
  }
  inf_token_request_free(answer);
}

/* ---- Questions ----------------------------------------------------------- */

static void
ask(credential *it)
{
  inf_engine *engine = it->engine;
  bool google = it->provider->keys[0].source == INF_KEY_GOOGLE;
  it->token.asking = true;
  it->until_ns = inf_time_add(engine->now_ns, google ? INF_TOKEN_EXCHANGE_NS
                                                     : INF_TOKEN_HOOK_NS);
  if (google ? start_exchange(it) : ask_hook(it))
    arm(engine);
  else
    fail(it, INFER_E_NO_MEMORY, "out of memory");
}

static void
time_out(credential *it)
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

void
inf_credentials_run(inf_engine *engine)
{
  inf_list *all = &engine->credentials.all;
  for (inf_list *node = all->next; node != all; node = node->next) {
    credential *it = INF_CONTAINER_OF(node, credential, node);
    if (it->token.asking && it->until_ns <= engine->heard_ns)
      time_out(it);
    else if (!it->token.asking && due_ns(it) <= engine->now_ns)
      ask(it);
  }
  arm(engine);
}

void
inf_credentials_configure(inf_engine *engine, inf_config *config)
{
  inf_list *all = &engine->credentials.all;
  for (inf_list *node = all->next, *next; node != all; node = next) {
    credential *it = INF_CONTAINER_OF(node, credential, node);
    const inf_provider_config *provider =
        inf_config_provider(config, inf_sv_from(it->name));
    next = node->next;
    it->gone = !provider || !inf_provider_has_source(provider) ||
               provider->keys[0].fingerprint != it->fingerprint;
    inf_token_forgive(&it->token);
    if (!it->gone)
      use_config(it, config, provider);
    else if (!it->token.asking && inf_list_empty(&it->calls))
      credential_free(it);
  }
  arm(engine);
}

/* ---- Calls --------------------------------------------------------------- */

/* Asks if it has to. */
static inf_token_need
look(credential *it)
{
  inf_token_need need = inf_token_look(&it->token, it->engine->now_ns);
  if (need != INF_TOKEN_USE_AND_ASK && need != INF_TOKEN_ASK)
    return need;
  ask(it);
  return inf_token_look(&it->token, it->engine->now_ns);
}

bool
inf_credentials_ready(inf_engine *engine, struct infer_call *call)
{
  const inf_provider_config *provider =
      call->targets[call->next_target]->provider;
  if (!inf_provider_has_source(provider))
    return true;
  credential *it = credential_of(engine, call->trail->config, provider);
  if (!it || look(it) != INF_TOKEN_WAIT)
    return true;
  inf_logf(&engine->hooks->log, INFER_LOG_DEBUG,
           "call %llu waits for a token of provider \"%s\"",
           (unsigned long long)call->id, it->name);
  inf_list_push_back(&it->calls, &call->token_node);
  return false;
}

bool
inf_credentials_have(inf_engine *engine, inf_config *config,
                     const inf_provider_config *provider)
{
  if (!inf_provider_has_source(provider))
    return true;
  credential *it = credential_of(engine, config, provider);
  if (!it)
    return false;
  inf_token_need need = look(it);
  return need == INF_TOKEN_USE || need == INF_TOKEN_USE_AND_ASK;
}

static void
explain(const credential *it, inf_buf *why)
{
  const inf_key *key = &it->provider->keys[0];
  const inf_buf *message = &it->token.failure.message;
  inf_buf_appendf(why, "no token for provider \"%s\": ", it->name);
  if (key->source == INF_KEY_GOOGLE)
    inf_buf_appendf(why, "POST %s", key->token_uri);
  else
    inf_buf_append_cstr(why, "its token source");
  if (message->len > 0) {
    inf_buf_append_cstr(why, ": ");
    inf_buf_append_sv(why, inf_buf_sv(message));
  }
}

int32_t
inf_credentials_take(inf_attempt *attempt, const inf_provider_config *provider,
                     inf_buf *why)
{
  inf_engine *engine = attempt->engine;
  if (!inf_provider_has_source(provider))
    return INFER_OK;
  credential *it = find(engine, provider->name, provider->keys[0].fingerprint);
  if (!it)
    return INFER_E_NO_MEMORY;
  inf_token *token = &it->token;
  inf_token_need need = inf_token_look(token, engine->now_ns);
  if (need == INF_TOKEN_USE || need == INF_TOKEN_USE_AND_ASK) {
    inf_buf_init(&attempt->token, INF_TOKEN_MAX_BYTES);
    inf_buf_append_sv(&attempt->token, inf_buf_sv(&token->text));
    attempt->token_serial = token->serial;
    if (!token->used) {
      token->used = true; /* so it is renewed by itself */
      arm(engine);
    }
    return attempt->token.status;
  }
  explain(it, why);
  if (token->retry_ns > engine->now_ns)
    attempt->decoder.failure.hint_ns =
        (int64_t)(token->retry_ns - engine->now_ns);
  return token->failure.status != INFER_OK ? token->failure.status
                                           : INFER_E_SERVER;
}

static credential *
credential_of_attempt(const inf_attempt *attempt)
{
  const inf_provider_config *provider = attempt->record->provider;
  return attempt->token.len > 0 ? find(attempt->engine, provider->name,
                                       provider->keys[0].fingerprint)
                                : NULL;
}

void
inf_credentials_note_answer(inf_attempt *attempt, int http_status)
{
  credential *it = credential_of_attempt(attempt);
  if (it && http_status != 401 && http_status != 403)
    inf_token_accepted(&it->token, attempt->token_serial);
}

/* 401 says that. AWS has 403 for what expired, and for what is not allowed. */
static bool
is_refusal(const inf_attempt *attempt)
{
  const inf_failure *failure = &attempt->decoder.failure;
  const inf_dialect *dialect = attempt->record->provider->kind->dialect;
  if (failure->http_status == 401)
    return true;
  return failure->http_status == 403 && dialect->sign &&
         !inf_sv_contains_nocase(inf_buf_sv(&failure->type),
                                 INF_SV("AccessDenied")) &&
         !inf_sv_contains_nocase(inf_buf_sv(&failure->code),
                                 INF_SV("AccessDenied"));
}

bool
inf_credentials_refused(inf_attempt *attempt, int32_t status)
{
  credential *it = credential_of_attempt(attempt);
  if (!it || status != INFER_E_AUTH || !attempt->has_decoder ||
      !is_refusal(attempt) ||
      !inf_token_refused(&it->token, attempt->token_serial,
                         attempt->engine->now_ns))
    return false;
  if (it->token.text.len == 0)
    it->refused = true;
  arm(attempt->engine);
  return true;
}
