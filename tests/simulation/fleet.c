/* SPDX-License-Identifier: MIT */
#include "fleet.h"

#include "engine/client.h"

#include <stdio.h>
#include <stdlib.h>

/* A mark is the call's number, the attempt's index, and whether the connection
 * waited. That of a warm-up is no call's. */
static const uint64_t warm_up_mark = UINT64_MAX, reused_mark = 1ull << 63;
/* A probe is in no book: nobody reads its answer. */
static const uint64_t probe_mark = 1ull << 62;

static uint64_t
number_of(uint64_t mark)
{
  return (mark & ~reused_mark) >> 8;
}

/* ---- What a provider is like --------------------------------------------- */

/* Mostly 0; else up to max. */
static uint32_t
draw_share(inf_rng *rng, uint32_t often, uint32_t max)
{
  return dice_chance(rng, often) ? dice_between(rng, 1, max) : 0;
}

static void
draw_failures(fleet_params *params, inf_rng *rng)
{
  params->stale = draw_share(rng, 300, 100);
  params->refused_streams = draw_share(rng, 150, 100);
  params->errors = draw_share(rng, 500, 80);
  params->cut = draw_share(rng, 400, 150);
  params->reset = draw_share(rng, 400, 150);
  params->stall = draw_share(rng, 300, 100);
  params->error_in_stream = draw_share(rng, 300, 100);
  params->malformed = draw_share(rng, 300, 200);
  params->empty = draw_share(rng, 200, 80);
  params->no_done = draw_share(rng, 200, 1000);
  params->no_usage = draw_share(rng, 300, 1000);
  params->wrong_kind = draw_share(rng, 100, 300);
}

void
fleet_draw(fleet_params *params, inf_rng *rng)
{
  memset(params, 0, sizeof *params);
  params->labels = dice_chance(rng, 400) ? 3 : dice_below(rng, 4);
  params->connect_ns =
      dice_log_between(rng, 100 * INF_NS_PER_US, 100 * INF_NS_PER_MS);
  params->first_ns =
      dice_log_between(rng, 20 * INF_NS_PER_MS, 2 * INF_NS_PER_S);
  params->per_prompt_token_ns = dice_below(rng, 200) * INF_NS_PER_US;
  params->sigma = dice_between(rng, DICE_ONE / 8, DICE_ONE);
  params->per_token_ns =
      dice_log_between(rng, INF_NS_PER_MS, 80 * INF_NS_PER_MS);
  params->tokens_max = (uint32_t)dice_log_between(rng, 1, 32);
  params->reused = dice_below(rng, 1001);
  params->normal_ns =
      dice_log_between(rng, 2 * INF_NS_PER_S, 300 * INF_NS_PER_S);
  params->trouble_ns = dice_log_between(rng, INF_NS_PER_S, 60 * INF_NS_PER_S);
  params->headers = (fleet_headers)dice_below(rng, FLEET_HEADERS_KINDS);
  params->pieces = (fleet_pieces)dice_below(rng, FLEET_BY_BYTE);
  params->crlf = dice_chance(rng, 150);
  params->comments = dice_chance(rng, 300);
  params->escapes = dice_chance(rng, 150);
  params->tight = dice_chance(rng, 150);
  params->prefills = dice_chance(rng, 600);
  params->echoes = dice_chance(rng, 300);
  if (dice_chance(rng, 40)) {
    params->pieces = FLEET_BY_BYTE;
    params->tokens_max = dice_between(rng, 1, 4);
  }
  for (int i = FLEET_SLOW; i < FLEET_REGIMES; i++)
    params->weights[i] = draw_share(rng, 500, 100);
  if (dice_chance(rng, 400)) {
    params->requests_per_minute = (uint32_t)dice_log_between(rng, 30, 6000);
    params->tokens_per_minute = (uint32_t)dice_log_between(rng, 5000, 4000000);
    params->cotenant = draw_share(rng, 500, 900);
    params->cotenant_ns =
        dice_log_between(rng, INF_NS_PER_S, 60 * INF_NS_PER_S);
  }
  if (dice_chance(rng, 800))
    draw_failures(params, rng);
}

void
fleet_draw_every_fault(fleet_params *params, inf_rng *rng)
{
  uint32_t *const shares[] = {
      &params->stale,     &params->refused_streams, &params->errors,
      &params->cut,       &params->reset,           &params->stall,
      &params->malformed, &params->error_in_stream, &params->empty,
      &params->no_done,   &params->no_usage,        &params->wrong_kind};
  for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
    *shares[i] = dice_between(rng, 5, 100);
  for (int i = FLEET_SLOW; i < FLEET_REGIMES; i++)
    params->weights[i] = dice_between(rng, 1, 100);
  params->normal_ns = dice_log_between(rng, INF_NS_PER_S, 60 * INF_NS_PER_S);
  if (params->requests_per_minute == 0 && dice_chance(rng, 300))
    params->requests_per_minute = (uint32_t)dice_log_between(rng, 30, 6000);
  if (params->requests_per_minute > 0 && params->tokens_per_minute == 0)
    params->tokens_per_minute = 4000000;
}

/* Another set in each generation: the labels change places. */
uint32_t
fleet_labels(const fleet_params *params, uint32_t generation)
{
  enum { all = (1 << fleet_label_count) - 1 };
  uint32_t by = generation % fleet_label_count;
  return by == 0 ? params->labels
                 : (params->labels << by |
                    params->labels >> (fleet_label_count - by)) &
                       all;
}

/* ---- Weather ------------------------------------------------------------- */

static fleet_regime
draw_trouble(fleet_provider *provider)
{
  const uint32_t *weights = provider->params.weights;
  uint32_t sum = 0;
  for (int i = 0; i < FLEET_REGIMES; i++)
    sum += weights[i];
  uint32_t draw = dice_below(&provider->weather, sum);
  for (int i = 0; i < FLEET_REGIMES && sum > 0; i++) {
    if (draw < weights[i])
      return (fleet_regime)i;
    draw -= weights[i];
  }
  return FLEET_NORMAL;
}

static fleet_regime
regime_at(fleet_provider *provider, uint64_t now_ns)
{
  const fleet_params *params = &provider->params;
  if (params->exact)
    return fleet_exact_regime(provider, now_ns);
  while (now_ns >= provider->regime_until_ns) {
    bool was_normal = provider->regime == FLEET_NORMAL;
    provider->regime = was_normal ? draw_trouble(provider) : FLEET_NORMAL;
    uint64_t mean_ns = provider->regime == FLEET_NORMAL ? params->normal_ns
                                                        : params->trouble_ns;
    provider->regime_until_ns +=
        1 + dice_exponential(&provider->weather, mean_ns);
  }
  return provider->regime;
}

/* ---- Errors -------------------------------------------------------------- */

typedef struct fleet_error {
  int status;
  const char *body; /* "": none */
} fleet_error;

static const fleet_error errors[] = {
    {500, "{\"error\":{\"message\":\"The server had an error\",\"type\":"
          "\"server_error\",\"param\":null,\"code\":null}}"},
    {502, "<html><body><h1>502 Bad Gateway</h1></body></html>"},
    {503, "{\"error\":{\"message\":\"The engine is currently overloaded\","
          "\"type\":\"server_error\",\"code\":\"overloaded\"}}"},
    {529, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
          "\"message\":\"Overloaded\"}}"},
    {504, ""},
    {520, "error code: 520"},
    {408, "{\"detail\":\"timeout\"}"},
    {500, "{\"error\":{\"message\":\"cut in the mid"},
};

/* Those that are about the request or the key. */
static const fleet_error refusals[] = {
    {400, "{\"error\":{\"message\":\"Invalid value\",\"type\":"
          "\"invalid_request_error\",\"param\":\"n\",\"code\":null}}"},
    {400, "{\"error\":{\"message\":\"This model's maximum context length is "
          "8192 tokens\",\"type\":\"invalid_request_error\",\"code\":"
          "\"context_length_exceeded\"}}"},
    {400, "{\"error\":{\"message\":\"The response was filtered\",\"type\":null,"
          "\"code\":\"content_filter\"}}"},
    {404, "{\"error\":{\"message\":\"The model does not exist\",\"code\":"
          "\"model_not_found\"}}"},
    {401, "{\"error\":{\"message\":\"Incorrect API key provided\",\"code\":"
          "\"invalid_api_key\"}}"},
    {429,
     "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":"
     "\"insufficient_quota\",\"code\":\"insufficient_quota\"}}"},
    {413, "{\"error\":{\"message\":\"Request too large for model\",\"code\":"
          "\"rate_limit_exceeded\"}}"},
    {301, ""},
};

static void
write_error(fleet_provider *provider, const fleet_error *error,
            inf_virtual_answer *answer)
{
  bool json = error->body[0] == '{';
  uint64_t at_ns = dice_exponential(&provider->rng, 50 * INF_NS_PER_MS);
  answer->status = error->status;
  answer->headers_ns = at_ns;
  inf_headers_add_line(&answer->headers,
                       json ? INF_SV("Content-Type: application/json")
                            : INF_SV("Content-Type: text/html"));
  if (dice_chance(&provider->rng, 50))
    inf_headers_add_line(&answer->headers, INF_SV("X-Should-Retry: false"));
  inf_buf_append_cstr(&answer->body, error->body);
  inf_virtual_piece_at(answer, at_ns, answer->body.len / 2);
  inf_virtual_piece_at(answer, at_ns + INF_NS_PER_MS, answer->body.len);
}

/* As llama.cpp says it. */
static void
write_loading(fleet_provider *provider, inf_virtual_answer *answer)
{
  uint64_t at_ns = dice_exponential(&provider->rng, 2 * INF_NS_PER_MS);
  answer->status = 503;
  answer->headers_ns = at_ns;
  inf_headers_add_line(&answer->headers,
                       INF_SV("Content-Type: application/json"));
  inf_buf_append_cstr(&answer->body,
                      "{\"error\":{\"code\":503,\"message\":\"Loading model\","
                      "\"type\":\"unavailable_error\"}}");
  inf_virtual_piece_at(answer, at_ns, answer->body.len);
}

static void
write_rate_limited(fleet_provider *provider, int64_t wall_ns,
                   inf_virtual_answer *answer)
{
  static const fleet_error error = {
      429, "{\"error\":{\"message\":\"Rate limit reached\",\"type\":"
           "\"requests\",\"code\":\"rate_limit_exceeded\"}}"};
  fleet_write_limits(provider, true, wall_ns, &answer->headers);
  write_error(provider, &error, answer);
}

/* ---- The server ---------------------------------------------------------- */

/* "http://p3.sim/v1/...": 3. */
static fleet_provider *
provider_of(sim_fleet *fleet, const inf_http_request *request)
{
  const char *host = strstr(request->url, "//p");
  size_t index = host ? (size_t)(host[3] - '0') : fleet->count;
  if (index < fleet->count)
    return &fleet->providers[index];
  ledger_violated(fleet->books, "a request to %s", request->url);
  return &fleet->providers[0];
}

static bool
read_ask(const inf_http_request *request, fleet_ask *ask)
{
  inf_sv body = request->body;
  const char *at = body.len > 0 ? memmem(body.ptr, body.len, "sim:", 4) : NULL;
  if (!at)
    return false;
  char *end;
  ask->number = strtoull(at + 4, &end, 10);
  ask->prompt_tokens = (uint32_t)strtoul(end + 1, &end, 10);
  if (*end == ':')
    ask->labels = (uint32_t)strtoul(end + 1, &end, 10);
  if (*end == ':')
    ask->generation = (uint32_t)strtoul(end + 1, &end, 10);
  /* The rest stands behind the message. */
  body = inf_sv_of(end, body.len - (size_t)(end - body.ptr));
  size_t message = inf_sv_find(body, '"');
  body = inf_sv_of(end + message, body.len - message);
  ask->stream = memmem(body.ptr, body.len, "\"stream\":true", 13);
  static const char mark[] = "\"assistant\",\"content\":\"";
  const char *part = memmem(body.ptr, body.len, mark, sizeof mark - 1);
  if (part) {
    part += sizeof mark - 1;
    ask->prefill = inf_sv_of(part, strcspn(part, "\""));
  }
  return true;
}

/* Is the engine about to send a probe? */
static bool
is_probe(const sim_fleet *fleet)
{
  const inf_list *probes = &(*fleet->client)->engine.probes;
  return !inf_list_empty(probes) &&
         !INF_CONTAINER_OF(probes->prev, inf_attempt, node)->exchange;
}

static uint64_t
mark_of(sim_fleet *fleet, const fleet_provider *provider, const fleet_ask *ask,
        uint64_t now_ns)
{
  uint64_t mark = ask->number << 8;
  if (!is_probe(fleet))
    return mark | ledger_send(fleet->books, ask->number, now_ns);
  fleet->probes++;
  ledger_probe(fleet->books, ask->number,
               fleet_labels(&provider->params, ask->generation),
               ask->prefill.len, now_ns);
  return mark | probe_mark;
}

/* "Authorization: Bearer key-0-2": 2. */
static sim_account *
account_of(fleet_provider *provider, const inf_http_request *request)
{
  static const char name[] = "Bearer key-";
  const char *at =
      memmem(request->headers.ptr, request->headers.len, name, sizeof name - 1);
  size_t key = at ? (size_t)(at[sizeof name + 1] - '0') : fleet_max_keys - 1;
  return &provider->accounts[key % fleet_max_keys];
}

/* No byte of a prompt reaches a provider without its labels, and no key one
 * that it is not of; with a warm-up comes neither. The request itself says what
 * holds for it: the books need not know of it. */
static void
check_privacy(sim_fleet *fleet, const fleet_provider *provider,
              const inf_http_request *request, const fleet_ask *ask)
{
  static const char name[] = "Bearer key-";
  size_t index = (size_t)(provider - fleet->providers);
  const char *key =
      memmem(request->headers.ptr, request->headers.len, name, sizeof name - 1);
  if (key && (size_t)(key[sizeof name - 1] - '0') != index)
    ledger_violated(fleet->books, "p%zu gets a key of another", index);
  if (!ask) {
    if (key || request->body.len > 0)
      ledger_violated(fleet->books, "a warm-up of p%zu with a key or a body",
                      index);
    if (fleet->may_warm && !fleet->may_warm(fleet->context, index))
      ledger_violated(fleet->books, "p%zu is warmed without labels", index);
    return;
  }
  fleet->labelled_requests += ask->labels != 0;
  if (ask->labels & ~fleet_labels(&provider->params, ask->generation))
    ledger_violated(fleet->books,
                    "call %llu: its prompt comes to p%zu, which "
                    "lacks labels that it requires",
                    (unsigned long long)ask->number, index);
}

static uint64_t
account_mark(uint64_t mark)
{
  return mark & ~reused_mark;
}

/* Exchanges that linger after their answers: mostly none. */
static uint32_t
lingering(const sim_fleet *fleet)
{
  const inf_list *attempts = &(*fleet->client)->engine.attempts;
  uint32_t found = 0;
  for (const inf_list *node = attempts->next; node != attempts;
       node = node->next)
    found += INF_CONTAINER_OF(node, inf_attempt, node)->call == NULL;
  return found;
}

static void
count(sim_fleet *fleet, fleet_provider *provider,
      const inf_http_request *request, uint64_t mark, uint64_t now_ns)
{
  const char *why = account_send(
      account_of(provider, request), &provider->params.limits,
      account_mark(mark),
      provider->params.limits.concurrency > 0 ? lingering(fleet) : 0, now_ns);
  if (why)
    ledger_violated(fleet->books, "call %llu: %s",
                    (unsigned long long)number_of(account_mark(mark)), why);
}

static void
on_connect(void *context, const inf_http_request *request, uint64_t now_ns,
           inf_virtual_link *link)
{
  sim_fleet *fleet = context;
  fleet_provider *provider = provider_of(fleet, request);
  const fleet_params *params = &provider->params;
  fleet_regime regime = regime_at(provider, now_ns);
  fleet_ask ask = {0};
  fleet->open++;
  if (read_ask(request, &ask)) {
    check_privacy(fleet, provider, request, &ask);
    link->mark = mark_of(fleet, provider, &ask, now_ns);
    fleet->labelled_probes += ask.labels != 0 && (link->mark & probe_mark) != 0;
    fleet->labelled_calls += ask.labels != 0 && (link->mark & 0xff) == 0 &&
                             !(link->mark & probe_mark);
    count(fleet, provider, request, link->mark, now_ns);
  } else {
    check_privacy(fleet, provider, request, NULL);
    link->mark = warm_up_mark;
    fleet->warm_ups++;
    ledger_trace(fleet->books, now_ns, LEDGER_WARM, 0, 0, 0);
  }
  link->reused = !request->fresh_connection && regime != FLEET_DOWN &&
                 dice_chance(&provider->rng, params->reused);
  if (link->reused && link->mark != warm_up_mark)
    link->mark |= reused_mark;
  if (!link->reused)
    link->after_ns = dice_exponential(&provider->rng, params->connect_ns);
  if (regime != FLEET_DOWN)
    return;
  if (params->exact) {
    link->net = INF_NET_CONNECT;
    return;
  }
  static const inf_net ways[] = {INF_NET_CONNECT, INF_NET_CONNECT,
                                 INF_NET_CONNECT, INF_NET_RESOLVE,
                                 INF_NET_TLS,     INF_NET_CONNECT};
  link->net = ways[dice_below(&provider->rng, 6)];
  if (dice_chance(&provider->rng, 100))
    link->after_ns = INF_NEVER; /* packets are dropped */
}

/* Breaks before any answer. False if it does not. */
static bool
write_broken(fleet_provider *provider, bool reused, ledger_attempt *entry,
             inf_virtual_answer *answer)
{
  const fleet_params *params = &provider->params;
  inf_rng *rng = &provider->rng;
  if (reused && dice_chance(rng, params->stale)) {
    entry->untouched = true;
    answer->end = INF_VIRTUAL_RESET;
  } else if (dice_chance(rng, params->refused_streams)) {
    entry->untouched = entry->refused = true;
    answer->end = INF_VIRTUAL_REFUSED;
  } else {
    return false;
  }
  answer->end_ns = dice_exponential(rng, 10 * INF_NS_PER_MS);
  return true;
}

/* Nothing, or headers and nothing more. */
static void
write_silence(fleet_provider *provider, inf_virtual_answer *answer)
{
  answer->end = INF_VIRTUAL_NEVER;
  if (dice_chance(&provider->rng, 500))
    return;
  answer->status = 200;
  answer->headers_ns = provider->params.first_ns;
  inf_headers_add_line(&answer->headers,
                       INF_SV("Content-Type: text/event-stream"));
}

static void
answer_call(sim_fleet *fleet, fleet_provider *provider, const fleet_ask *ask,
            bool reused, uint64_t now_ns, ledger_attempt *entry,
            inf_virtual_answer *answer)
{
  inf_rng *rng = &provider->rng;
  int64_t wall_ns = fleet->clock->wall_start_ns + (int64_t)now_ns;
  if (provider->params.exact) {
    fleet_exact_answer(fleet, provider, ask, now_ns, entry, answer);
    return;
  }
  fleet_regime regime = regime_at(provider, now_ns);
  const uint32_t bad = regime == FLEET_ERRORS ? 800 : provider->params.errors;
  if (write_broken(provider, reused, entry, answer))
    return;
  if (regime == FLEET_LOADING) {
    entry->loading = true;
    write_loading(provider, answer);
  } else if (regime == FLEET_BLACK_HOLE)
    write_silence(provider, answer);
  else if (!fleet_take(provider, ask->prompt_tokens, now_ns))
    write_rate_limited(provider, wall_ns, answer);
  else if (dice_chance(rng, bad) && !dice_chance(rng, 150))
    write_error(provider, &errors[dice_below(rng, 8)], answer);
  else if (dice_chance(rng, provider->params.errors / 8))
    write_error(provider, &refusals[dice_below(rng, 8)], answer);
  else if (ask->prefill.len > 0 && !provider->params.prefills)
    write_error(provider, &refusals[0], answer);
  else {
    fleet_write_limits(provider, false, wall_ns, &answer->headers);
    fleet_write_answer(provider, ask, entry, answer);
  }
}

static void
on_answer(void *context, uint64_t mark, const inf_http_request *request,
          uint64_t now_ns, inf_virtual_answer *answer)
{
  sim_fleet *fleet = context;
  fleet_provider *provider = provider_of(fleet, request);
  fleet_ask ask = {.attempt = mark & 0xff};
  if (mark == warm_up_mark || !read_ask(request, &ask)) {
    answer->status = 200;
    return;
  }
  sim_account *used = account_of(provider, request);
  if (mark & probe_mark) {
    ledger_attempt nobody = {0};
    answer_call(fleet, provider, &ask, mark & reused_mark, now_ns, &nobody,
                answer);
    account_arrive(used, account_mark(mark), false);
    return;
  }
  ledger_attempt *entry =
      ledger_arrive(fleet->books, ask.number, ask.attempt,
                    fleet_labels(&provider->params, ask.generation), now_ns);
  if (!entry) {
    account_arrive(used, account_mark(mark), false);
    return;
  }
  entry->prefill = (uint32_t)ask.prefill.len;
  answer_call(fleet, provider, &ask, mark & reused_mark, now_ns, entry, answer);
  account_arrive(used, account_mark(mark), entry->refused);
  if (ledger_tracing())
    fprintf(stderr, "call %llu attempt %u is answered: %d\n%s%s\n",
            (unsigned long long)ask.number, (unsigned)ask.attempt,
            answer->status, inf_buf_cstr(&answer->headers.text),
            inf_buf_cstr(&answer->body));
}

static void
on_over(void *context, uint64_t mark, uint64_t now_ns, size_t told_bytes)
{
  sim_fleet *fleet = context;
  fleet->open--;
  for (size_t i = 0; mark != warm_up_mark && i < fleet->count; i++)
    for (size_t key = 0; key < fleet_max_keys; key++)
      account_over(&fleet->providers[i].accounts[key], account_mark(mark));
  if (mark != warm_up_mark && !(mark & probe_mark))
    ledger_over(fleet->books, number_of(mark), mark & 0xff, told_bytes, now_ns);
}

void
fleet_init(sim_fleet *fleet, ledger *books, const inf_virtual_clock *clock,
           uint64_t seed)
{
  fleet->server = (inf_virtual_server){on_connect, on_answer, on_over, fleet};
  fleet->books = books;
  fleet->clock = clock;
  fleet->warm_ups = fleet->open = fleet->probes = 0;
  fleet->labelled_requests = fleet->labelled_calls = 0;
  fleet->labelled_probes = 0;
  for (size_t i = 0; i < fleet->count; i++) {
    fleet_provider *provider = &fleet->providers[i];
    const fleet_params *params = &provider->params;
    inf_rng_seed(&provider->rng, seed ^ i << 32);
    inf_rng_seed(&provider->weather, ~seed ^ i << 32);
    provider->regime = FLEET_NORMAL;
    provider->regime_until_ns = clock->now_ns;
    provider->cotenant_on = params->cotenant_ns == 0;
    provider->cotenant_until_ns = provider->refilled_ns = clock->now_ns;
    if (params->cotenant_ns == 0)
      provider->cotenant_until_ns = INF_NEVER;
    provider->requests_left =
        (params->burst ? params->burst : params->requests_per_minute) *
        1000000ull;
    provider->tokens_left = params->tokens_per_minute * 1000000ull;
  }
}

void
fleet_fini(sim_fleet *fleet)
{
  for (size_t i = 0; i < fleet->count; i++)
    for (size_t key = 0; key < fleet_max_keys; key++)
      account_free(&fleet->providers[i].accounts[key]);
}
