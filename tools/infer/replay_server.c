/* SPDX-License-Identifier: MIT */
/* The providers of a replay: see replay_server.h. */

#include "replay_server.h"

#include "replay_answer.h"
#include "replay_dialect.h"
#include "replay_target.h"
#include "sim_mem.h"

#include "base/mem.h"

#include <stdio.h>

/* Connections that wait, for each provider. */
enum { max_idle = 256 };

/* A request that is under way. */
typedef struct server_exchange {
  inf_replay_target *target;
  uint32_t next_free; /* plus 1; 0: none */
  bool counted;       /* against the target's concurrency */
  bool kept; /* once its body has been read the connection waits for more */
  size_t body_bytes;
  uint64_t begin_ns, until_ns; /* it has a slot; 0: it has none */
  const inf_replay_model_failure *failure;
  inf_replay_ask ask;
  inf_rng rng;
} server_exchange;

struct inf_replay_server {
  inf_virtual_server table;
  inf_replay_server_options options;
  const inf_config *config;
  uint64_t gap_ns;
  inf_replay_target *targets;
  size_t target_count;
  server_exchange *exchanges; /* a mark is an index, plus 1 */
  size_t exchange_count, exchange_cap;
  uint32_t first_free; /* plus 1 */
  uint32_t *idle;      /* connections, by provider */
  const char *unknown; /* a target without a model, or NULL */
};

/* ---- Targets ------------------------------------------------------------- */

static const inf_provider_config *
provider_of(const inf_http_request *request)
{
  return INF_CONTAINER_OF(request->endpoint, inf_provider_config, endpoint);
}

static inf_replay_target *
target_of(inf_replay_server *server, const inf_provider_config *provider,
          inf_sv model)
{
  inf_replay_target *target = server->targets;
  while (target && !inf_replay_target_is(target, provider, model)) {
    target = target->next;
  }
  if (target) {
    return target;
  }
  target = inf_replay_target_new(server->options.models, provider, model,
                                 server->target_count++);
  if (!target->params && !server->unknown) {
    server->unknown = target->name;
  }
  target->next = server->targets;
  server->targets = target;
  return target;
}

/* ---- Exchanges ----------------------------------------------------------- */

static uint64_t
exchange_new(inf_replay_server *server)
{
  if (server->first_free > 0) {
    uint32_t mark = server->first_free;
    server->first_free = server->exchanges[mark - 1].next_free;
    return mark;
  }
  if (server->exchange_count == server->exchange_cap) {
    server->exchange_cap = server->exchange_cap * 2 + 64;
    server->exchanges = inf_sim_realloc(
        server->exchanges, server->exchange_cap * sizeof(server_exchange));
  }
  return ++server->exchange_count;
}

/* What this request meets: see the header. */
static void
seed_exchange(const inf_replay_server *server, server_exchange *exchange,
              inf_replay_facts *facts)
{
  const inf_replay_target *target = exchange->target;
  uint8_t *asked = &facts->asked[target->number % sizeof(facts->asked)];
  uint64_t seed = server->options.seed * 0x9e3779b97f4a7c15u;
  seed ^= target->hash + facts->number * 0xd1b54a32d192ed03u;
  inf_rng_seed(&exchange->rng, seed + (uint64_t)(*asked)++);
}

static const inf_replay_model_failure *
draw_failure(const inf_replay_server *server, server_exchange *exchange,
             uint64_t now_ns)
{
  const inf_replay_model *params = exchange->target->params;
  double draw = inf_rng_double(&exchange->rng);
  uint64_t since_ns = now_ns - server->options.start_ns;
  for (size_t i = 0; i < params->outage_count; i++) {
    const inf_replay_model_outage *outage = &params->outages[i];
    if (since_ns >= outage->from_s * INF_NS_PER_S &&
        since_ns < outage->until_s * INF_NS_PER_S) {
      return &outage->failure;
    }
  }
  for (size_t i = 0; i < params->failure_count; i++) {
    draw -= params->failures[i].share;
    if (draw < 0) {
      return &params->failures[i];
    }
  }
  return NULL;
}

/* Connections to its provider that wait. */
static uint32_t *
idle_of(const inf_replay_server *server, const inf_replay_target *target)
{
  return &server->idle[target->provider - server->config->providers];
}

static bool
fails_by(const server_exchange *exchange, inf_replay_model_failure_kind kind)
{
  return exchange->failure && exchange->failure->kind == kind;
}

static void
connect_request(inf_replay_server *server, server_exchange *exchange,
                const inf_http_request *request, inf_virtual_link *link)
{
  const inf_replay_model *params = exchange->target->params;
  uint32_t *idle = idle_of(server, exchange->target);
  if (fails_by(exchange, INF_REPLAY_CONNECT)) {
    link->net = INF_NET_CONNECT;
    link->after_ns = inf_sim_dist_draw_ns(&params->error_ms, &exchange->rng);
    return;
  }
  uint64_t connect_ns =
      inf_sim_dist_draw_ns(&params->connect_ms, &exchange->rng);
  link->reused = *idle > 0 && !request->fresh_connection;
  *idle -= link->reused;
  link->after_ns = link->reused ? 0 : connect_ns;
}

static void
on_connect(void *context, const inf_http_request *request, uint64_t now_ns,
           inf_virtual_link *link)
{
  inf_replay_server *server = context;
  inf_replay_ask ask;
  inf_replay_facts *facts = NULL;
  if (inf_replay_read_ask(request->body, &ask)) {
    facts = server->options.facts(server->options.context, ask.place);
  }
  if (!facts) {
    return; /* a warm-up, or none of ours */
  }
  inf_replay_target *target =
      target_of(server, provider_of(request), ask.model);
  if (!target->params) {
    return;
  }
  link->mark = exchange_new(server);
  server_exchange *exchange = &server->exchanges[link->mark - 1];
  *exchange = (server_exchange){.target = target, .ask = ask};
  seed_exchange(server, exchange, facts);
  exchange->failure = draw_failure(server, exchange, now_ns);
  connect_request(server, exchange, request, link);
}

static void
on_over(void *context, uint64_t mark, uint64_t now_ns, size_t told_bytes)
{
  inf_replay_server *server = context;
  if (mark == 0) {
    return;
  }
  server_exchange *exchange = &server->exchanges[mark - 1];
  if (exchange->until_ns > now_ns) {
    uint64_t begin_ns = exchange->begin_ns;
    inf_replay_slots_give(&exchange->target->slots, exchange->until_ns,
                          begin_ns > now_ns ? begin_ns : now_ns);
  }
  uint32_t *idle = idle_of(server, exchange->target);
  exchange->target->under_way -= exchange->counted;
  bool kept = exchange->kept && told_bytes >= exchange->body_bytes;
  *idle += kept && *idle < max_idle;
  exchange->next_free = server->first_free;
  server->first_free = (uint32_t)mark;
}

/* ---- Answers ------------------------------------------------------------- */

static void
answer_status(server_exchange *exchange, int status, inf_virtual_answer *answer)
{
  const inf_sim_dist *error_ms = &exchange->target->params->error_ms;
  answer->status = status;
  answer->headers_ns = answer->end_ns =
      inf_sim_dist_draw_ns(error_ms, &exchange->rng);
  exchange->kept = true;
}

/* Against the quotas and the concurrency; false with the answer if it is
 * refused. */
static bool
admit(server_exchange *exchange, uint64_t tokens, uint64_t now_ns,
      inf_virtual_answer *answer)
{
  inf_replay_target *target = exchange->target;
  const inf_replay_model *params = target->params;
  uint64_t wait_ns = 0;
  if (params->concurrency > 0 &&
      target->under_way >= params->concurrency + params->queue) {
    answer_status(exchange, 429, answer);
    return false;
  }
  if (params->requests_per_minute == 0 && params->tokens_per_minute == 0) {
    return true;
  }
  inf_replay_quota *quota =
      inf_replay_target_quota(target, exchange->ask.key, now_ns);
  bool taken = inf_replay_quota_take(quota, params, tokens, now_ns, &wait_ns);
  if (params->rate_headers) {
    inf_replay_quota_write(quota, params, &answer->headers);
  }
  if (taken) {
    return true;
  }
  answer_status(exchange, wait_ns == UINT64_MAX ? 413 : 429, answer);
  if (params->retry_after && wait_ns < UINT64_MAX) {
    char line[64];
    int len = snprintf(line, sizeof(line), "retry-after-ms: %llu",
                       (unsigned long long)(wait_ns / INF_NS_PER_MS + 1));
    inf_headers_add_line(&answer->headers, inf_sv_of(line, (size_t)len));
  }
  return false;
}

/* Tokens of the prompt that the target has in its cache; -1: it has none. */
static int64_t
take_from_cache(inf_replay_target *target, const inf_replay_facts *facts)
{
  if (!target->cache) {
    return -1;
  }
  uint64_t blocks = inf_prefix_cache_ask(
      target->cache, (const uint64_t *)(const void *)facts->prefix.ptr,
      facts->prefix.len / sizeof(uint64_t));
  uint64_t there = blocks * target->params->prefix_block_tokens;
  return (int64_t)(there < facts->prompt_tokens ? there : facts->prompt_tokens);
}

/* Where requests wait, the answer begins when it is this one's turn. */
static void
wait_for_slot(server_exchange *exchange, inf_replay_plan *plan, uint64_t now_ns)
{
  inf_replay_slots *slots = &exchange->target->slots;
  if (slots->count == 0) {
    return;
  }
  exchange->begin_ns = inf_replay_slots_begin(slots, now_ns);
  exchange->until_ns = exchange->begin_ns + plan->first_ns + plan->rest_ns;
  inf_replay_slots_take(slots, exchange->until_ns);
  plan->first_ns += exchange->begin_ns - now_ns;
}

static void
answer_tokens(const inf_replay_server *server, server_exchange *exchange,
              const inf_replay_facts *facts, uint64_t now_ns,
              inf_virtual_answer *answer)
{
  uint32_t prior = exchange->ask.prior_tokens, all = facts->answer_tokens;
  inf_replay_plan plan = {
      .prompt_tokens = facts->prompt_tokens,
      .answer_tokens = all > prior ? all - prior : 1,
      .cached_tokens = take_from_cache(exchange->target, facts),
      .stream = exchange->ask.stream,
      .gap_ns = server->gap_ns,
  };
  inf_replay_plan_draw(&plan, exchange->target->params, &exchange->rng);
  if (fails_by(exchange, INF_REPLAY_STALL) ||
      fails_by(exchange, INF_REPLAY_CUT)) {
    plan.broken_after =
        1 + (uint32_t)inf_rng_below(&exchange->rng, plan.answer_tokens);
    answer->end = fails_by(exchange, INF_REPLAY_CUT) ? INF_VIRTUAL_CUT
                                                     : INF_VIRTUAL_NEVER;
  }
  wait_for_slot(exchange, &plan, now_ns);
  inf_replay_plan_write(&plan, answer);
  exchange->kept = plan.broken_after == 0;
  exchange->body_bytes = answer->body.len;
}

static void
answer_request(inf_replay_server *server, server_exchange *exchange,
               const inf_replay_facts *facts, uint64_t now_ns,
               inf_virtual_answer *answer)
{
  const inf_replay_model *params = exchange->target->params;
  if (fails_by(exchange, INF_REPLAY_SILENCE)) {
    answer->end = INF_VIRTUAL_NEVER;
  } else if (fails_by(exchange, INF_REPLAY_RESET)) {
    answer->end = INF_VIRTUAL_RESET;
    answer->end_ns = inf_sim_dist_draw_ns(&params->error_ms, &exchange->rng);
  } else if (fails_by(exchange, INF_REPLAY_STATUS)) {
    answer_status(exchange, exchange->failure->status, answer);
  } else if (admit(exchange,
                   (uint64_t)facts->prompt_tokens + facts->answer_tokens,
                   now_ns, answer)) {
    exchange->counted = true;
    exchange->target->under_way++;
    answer_tokens(server, exchange, facts, now_ns, answer);
  }
}

static void
on_answer(void *context, uint64_t mark, const inf_http_request *request,
          uint64_t now_ns, inf_virtual_answer *answer)
{
  inf_replay_server *server = context;
  (void)request;
  if (mark == 0) {
    answer->status = 404;
    return;
  }
  server_exchange *exchange = &server->exchanges[mark - 1];
  const inf_replay_facts *facts =
      server->options.facts(server->options.context, exchange->ask.place);
  if (facts) {
    answer_request(server, exchange, facts, now_ns, answer);
  } else {
    answer->status = 404;
  }
}

/* ---- Beginning and end --------------------------------------------------- */

inf_replay_server *
inf_replay_server_new(const inf_replay_server_options *options)
{
  inf_replay_server *server = inf_sim_alloc(sizeof(*server));
  server->options = *options;
  server->table = (inf_virtual_server){on_connect, on_answer, on_over, server};
  return server;
}

void
inf_replay_server_serve(inf_replay_server *server, const inf_config *config,
                        uint64_t gap_ns)
{
  server->config = config;
  server->gap_ns = gap_ns;
  server->idle =
      inf_sim_alloc((config->provider_count + 1) * sizeof(*server->idle));
}

void
inf_replay_server_free(inf_replay_server *server)
{
  if (!server) {
    return;
  }
  for (inf_replay_target *target = server->targets, *next; target;
       target = next) {
    next = target->next;
    inf_replay_target_free(target);
  }
  inf_free(server->exchanges);
  inf_free(server->idle);
  inf_free(server);
}

const inf_virtual_server *
inf_replay_server_of(inf_replay_server *server)
{
  return &server->table;
}

void
inf_replay_server_expect(inf_replay_server *server,
                         const inf_target_config *target)
{
  target_of(server, target->provider, inf_sv_from(target->model));
}

const char *
inf_replay_server_unknown(const inf_replay_server *server)
{
  return server->unknown;
}
