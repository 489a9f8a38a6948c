/* SPDX-License-Identifier: MIT */
/* Tokens and the questions for them; see credentials.h. There are few: they
 * are found by going through them all. */
#include "engine/credential.h"

#include "base/mem.h"
#include "engine/token_request.h"

/* ---- Life ---------------------------------------------------------------- */

void
inf_credentials_init(inf_credentials *credentials)
{
  inf_list_init(&credentials->all);
  credentials->next_ns = INF_NEVER;
}

static void
credential_free(inf_credential *it)
{
  inf_credential_end_exchange(it);
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
    credential_free(INF_CONTAINER_OF(all->next, inf_credential, node));
}

void
inf_credentials_wipe(const inf_credentials *credentials)
{
  for (const inf_list *node = credentials->all.next; node != &credentials->all;
       node = node->next)
    inf_token_wipe(&INF_CONTAINER_OF(node, inf_credential, node)->token);
}

static inf_credential *
find(const inf_engine *engine, const char *name, uint64_t fingerprint)
{
  const inf_list *all = &engine->credentials.all;
  for (const inf_list *node = all->next; node != all; node = node->next) {
    inf_credential *it = INF_CONTAINER_OF(node, inf_credential, node);
    if (it->fingerprint == fingerprint && strcmp(it->name, name) == 0)
      return it;
  }
  return NULL;
}

static inf_credential *
credential_new(inf_engine *engine, const inf_provider_config *provider)
{
  inf_credential *it = inf_calloc(1, sizeof *it);
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
use_config(inf_credential *it, inf_config *config,
           const inf_provider_config *provider)
{
  inf_config *before = it->config;
  it->config = inf_config_ref(config);
  it->provider = provider;
  inf_config_unref(before);
}

/* The credential of a provider that has a source; NULL when memory is short. */
static inf_credential *
credential_of(inf_engine *engine, inf_config *config,
              const inf_provider_config *provider)
{
  inf_credential *it =
      find(engine, provider->name, provider->keys[0].fingerprint);
  if (!it)
    it = credential_new(engine, provider);
  if (it && !it->config)
    use_config(it, config, provider);
  return it;
}

/* ---- Time ---------------------------------------------------------------- */

static uint64_t
due_ns(const inf_credential *it)
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
    uint64_t at_ns = due_ns(INF_CONTAINER_OF(node, inf_credential, node));
    if (at_ns < credentials->next_ns)
      credentials->next_ns = at_ns;
  }
}

/* Who has waited for the answer goes on, whatever it is. */
void
inf_credential_over(inf_credential *it)
{
  inf_engine *engine = it->engine;
  inf_failure *failure = &it->token.failure;
  inf_list *node;
  inf_credential_end_exchange(it);
  if (failure->status != INFER_OK) {
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

void
inf_credentials_answer(inf_engine *engine, struct infer_token_request *answer)
{
  inf_credential *it = find(engine, answer->provider, answer->fingerprint);
  if (it)
    inf_credential_answer(it, answer);
  inf_token_request_free(answer);
}

static void
ask(inf_credential *it)
{
  inf_credential_ask(it);
  arm(it->engine);
}

void
inf_credentials_run(inf_engine *engine)
{
  inf_list *all = &engine->credentials.all;
  for (inf_list *node = all->next; node != all; node = node->next) {
    inf_credential *it = INF_CONTAINER_OF(node, inf_credential, node);
    if (it->token.asking && it->until_ns <= engine->heard_ns)
      inf_credential_time_out(it);
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
    inf_credential *it = INF_CONTAINER_OF(node, inf_credential, node);
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
look(inf_credential *it)
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
  inf_credential *it = credential_of(engine, call->trail->config, provider);
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
  inf_credential *it = credential_of(engine, config, provider);
  if (!it)
    return false;
  inf_token_need need = look(it);
  return need == INF_TOKEN_USE || need == INF_TOKEN_USE_AND_ASK;
}

static void
explain(const inf_credential *it, inf_buf *why)
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
  inf_credential *it =
      find(engine, provider->name, provider->keys[0].fingerprint);
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

static inf_credential *
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
  inf_credential *it = credential_of_attempt(attempt);
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
  inf_credential *it = credential_of_attempt(attempt);
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
